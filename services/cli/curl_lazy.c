/* libcurl, loaded when its first function is called: these stand between common/http/client.c and the library, under the
 * library's own names, so that the linker needs no libcurl for this program. */
#include <curl/curl.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <stdlib.h>

#undef curl_easy_setopt
#undef curl_easy_getinfo

static void *
function(const char *name)
{
    static void *library;
    void *found;

    if (library == NULL)
        library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    found = library != NULL ? dlsym(library, name) : NULL;
    if (found == NULL) {
        fprintf(stderr, "virga: https needs libcurl: %s\n", dlerror());
        exit(1);
    }
    return found;
}

#define LOAD(name) __typeof__(&name) real = (__typeof__(&name))function(#name)

CURLcode
curl_global_init(long flags)
{
    LOAD(curl_global_init);
    return real(flags);
}

CURL *
curl_easy_init(void)
{
    LOAD(curl_easy_init);
    return real();
}

void
curl_easy_cleanup(CURL *handle)
{
    LOAD(curl_easy_cleanup);
    real(handle);
}

void
curl_easy_reset(CURL *handle)
{
    LOAD(curl_easy_reset);
    real(handle);
}

CURLcode
curl_easy_perform(CURL *handle)
{
    LOAD(curl_easy_perform);
    return real(handle);
}

const char *
curl_easy_strerror(CURLcode code)
{
    LOAD(curl_easy_strerror);
    return real(code);
}

struct curl_slist *
curl_slist_append(struct curl_slist *list, const char *text)
{
    LOAD(curl_slist_append);
    return real(list, text);
}

void
curl_slist_free_all(struct curl_slist *list)
{
    LOAD(curl_slist_free_all);
    real(list);
}

/* A long, a pointer or a curl_off_t follows, all of one size where Virga runs. */
_Static_assert(sizeof(long) == sizeof(void *) && sizeof(curl_off_t) == sizeof(void *),
               "one argument fits all");

CURLcode
curl_easy_setopt(CURL *handle, CURLoption option, ...)
{
    LOAD(curl_easy_setopt);
    va_list args;
    void *value;

    va_start(args, option);
    value = va_arg(args, void *);
    va_end(args);
    return real(handle, option, value);
}

CURLcode
curl_easy_getinfo(CURL *handle, CURLINFO info, ...)
{
    LOAD(curl_easy_getinfo);
    va_list args;
    void *value;

    va_start(args, info);
    value = va_arg(args, void *);
    va_end(args);
    return real(handle, info, value);
}
