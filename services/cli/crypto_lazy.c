/* libcrypto, loaded when its first function is called: as curl_lazy.c, for the few commands that sign (common/auth/oauth1.c). */
#include <dlfcn.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>

static void *
function(const char *name)
{
    static void *library;
    void *found;

    if (library == NULL)
        library = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
    found = library != NULL ? dlsym(library, name) : NULL;
    if (found == NULL) {
        fprintf(stderr, "virga: signing needs libcrypto: %s\n", dlerror());
        exit(1);
    }
    return found;
}

#define LOAD(name) __typeof__(&name) real = (__typeof__(&name))function(#name)

const EVP_MD *
EVP_sha1(void)
{
    LOAD(EVP_sha1);
    return real();
}

unsigned char *
HMAC(const EVP_MD *kind, const void *key, int key_size, const unsigned char *data, size_t size,
     unsigned char *ret, unsigned int *ret_size)
{
    LOAD(HMAC);
    return real(kind, key, key_size, data, size, ret, ret_size);
}

int
CRYPTO_memcmp(const void *a, const void *b, size_t size)
{
    LOAD(CRYPTO_memcmp);
    return real(a, b, size);
}
