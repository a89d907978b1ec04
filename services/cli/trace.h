/* What --debug shows of requests and answers on standard error. Secrets are replaced by three stars: tokens, passwords, keys. */
#pragma once

#include "base/arena.h"
#include "http/client.h"

void trace_request(struct arena *a, const struct http_exchange *x);
void trace_answer(struct arena *a, const struct http_exchange *x, int64_t took_us);

/* The JSON text without secrets; other text as its size only. */
char *trace_body(struct arena *a, const char *body, size_t size);
