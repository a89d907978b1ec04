/* Errors as upstream's WSGI toolkit writes them for clients that did not ask for JSON: a small HTML page, or plain text. */
#pragma once

#include "../base/fault.h"
#include "../http/response.h"

enum error_form { ERROR_JSON, ERROR_HTML, ERROR_PLAIN };

/* What an Accept header (NULL: none) asks for: JSON and HTML when named, whichever stands first; HTML for anything; else text. */
enum error_form error_form_find(const char *accept);

/* Writes status, type and body; 'form' is not ERROR_JSON. */
void error_page_write(const struct fault *f, int status, enum error_form form,
                      struct http_response *r);
