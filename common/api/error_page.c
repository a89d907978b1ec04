#include "error_page.h"

#include "../base/str.h"
#include "dialect.h"

enum error_form
error_form_find(const char *accept)
{
    const char *json = accept == NULL ? NULL : strcasestr(accept, "application/json");
    const char *html = accept == NULL ? NULL : strcasestr(accept, "text/html");

    if (json != NULL && (html == NULL || json < html))
        return ERROR_JSON;
    if (html != NULL || (accept != NULL && strstr(accept, "*/*") != NULL))
        return ERROR_HTML;
    return ERROR_PLAIN;
}

static void
add_escaped(struct str *out, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            str_add(out, "&amp;");
            break;
        case '<':
            str_add(out, "&lt;");
            break;
        case '>':
            str_add(out, "&gt;");
            break;
        case '"':
            str_add(out, "&quot;");
            break;
        default:
            str_add_char(out, *text);
        }
    }
}

void
error_page_write(const struct fault *f, int status, enum error_form form, struct http_response *r)
{
    const char *reason = dialect_reason(status);
    const char *message = f->message[0] != '\0' ? f->message : reason;

    r->status = status;
    str_clear(&r->body);
    if (form == ERROR_PLAIN) {
        r->content_type = "text/plain; charset=UTF-8";
        str_addf(&r->body, "%d %s\n\n%s\n", status, reason, message);
        return;
    }
    r->content_type = "text/html; charset=UTF-8";
    str_addf(&r->body,
             "<html>\n <head>\n  <title>%d %s</title>\n </head>\n <body>\n  <h1>%d %s</h1>\n  ",
             status, reason, status, reason);
    add_escaped(&r->body, message);
    str_add(&r->body, "<br /><br />\n </body>\n</html>\n");
}
