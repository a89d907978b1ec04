#include "request.h"

#include "../base/str.h"

const char *
http_method_name(enum http_method method)
{
    switch (method) {
    case HTTP_GET:
        return "GET";
    case HTTP_HEAD:
        return "HEAD";
    case HTTP_POST:
        return "POST";
    case HTTP_PUT:
        return "PUT";
    case HTTP_PATCH:
        return "PATCH";
    case HTTP_DELETE:
        return "DELETE";
    case HTTP_OPTIONS:
        return "OPTIONS";
    case HTTP_OTHER:
        break;
    }
    return "OTHER";
}

const char *
http_header(const struct http_request *r, const char *name)
{
    for (size_t i = 0; i < r->headers_count; i++) {
        if (str_equal_nocase(r->headers[i].name, name))
            return r->headers[i].value;
    }
    return NULL;
}

const char *
http_query(const struct http_request *r, const char *name)
{
    for (size_t i = 0; i < r->query_count; i++) {
        if (str_equal(r->query[i].name, name))
            return r->query[i].value != NULL ? r->query[i].value : "";
    }
    return NULL;
}
