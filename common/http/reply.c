#include "exchange.h"

#include <unistd.h>

#include "../base/jsonw.h"

/* Only for a moment without memory: then the connection is closed without an answer. */
static struct MHD_Response *
empty_reply(void)
{
    return MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
}

static bool
has_body(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

static struct MHD_Response *
body_reply(struct http_response *r, const char **ret_type)
{
    struct MHD_Response *reply;
    size_t size = r->body.size;

    if (!has_body(r->status) || (r->file < 0 && size == 0))
        return empty_reply();
    if (r->file >= 0) {
        *ret_type = r->content_type != NULL ? r->content_type : "application/octet-stream";
        reply = MHD_create_response_from_fd_at_offset64((uint64_t)r->file_size, r->file,
                                                        (uint64_t)r->file_offset);
        if (reply != NULL)
            r->file = -1;
        return reply;
    }
    *ret_type = r->content_type != NULL ? r->content_type : "application/json";
    reply = MHD_create_response_from_buffer_with_free_callback(size, r->body.data, free);
    if (reply != NULL)
        (void)str_take(&r->body);
    return reply;
}

void
reply_make(struct exchange *x)
{
    struct http_response *r = &x->response;
    const char *type = NULL;
    struct MHD_Response *reply = body_reply(r, &type);

    if (reply != NULL) {
        if (type != NULL)
            MHD_add_response_header(reply, "Content-Type", type);
        for (size_t i = 0; i < r->headers_count; i++)
            MHD_add_response_header(reply, r->headers[i].name, r->headers[i].value);
        if (x->chunked || x->overflow ||
            atomic_load_explicit(&x->server->draining, memory_order_relaxed))
            MHD_add_response_header(reply, "Connection", "close");
        if (r->status >= 100 && r->status < 600)
            atomic_fetch_add_explicit(&x->server->responses[r->status / 100], 1,
                                      memory_order_relaxed);
    }
    x->reply = reply;
    if (r->file >= 0)
        close(r->file);
    r->file = -1;
    str_done(&r->body);
}

void
reply_refuse(struct exchange *x, int status, const char *why)
{
    struct http_response *r = &x->response;
    struct jsonw w;

    str_clear(&r->body);
    jsonw_init(&w, &r->body);
    jsonw_object(&w, NULL);
    jsonw_object(&w, "error");
    jsonw_int(&w, "code", status);
    jsonw_text(&w, "title", MHD_get_reason_phrase_for((unsigned)status));
    jsonw_text(&w, "message",
               status == 401 ? "The request you have made requires authentication." : why);
    jsonw_end(&w);
    jsonw_end(&w);
    r->status = status;
    r->content_type = NULL;
    reply_make(x);
}

void
reply_drop(struct exchange *x)
{
    if (x->response.file >= 0)
        close(x->response.file);
    x->response.file = -1;
    str_done(&x->response.body);
    if (x->reply != NULL)
        MHD_destroy_response(x->reply);
    x->reply = NULL;
}
