/* Tokens from anybody. The first byte chooses: the text as it is; the bytes as header and claims, encoded and
 * signed by another's key; or the bytes as claims under our own signature, so that the parser behind the
 * signature is reached too. Whatever it is, the answer is a token of ours or FAULT_UNAUTHORIZED. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/token.h"
#include "base/str.h"

#define NOW ((int64_t)1795338442000042)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct keyring *ring;
static char kid[KEYRING_KID_MAX + 1];

static void
make_ring(void)
{
    char directory[] = "/tmp/fuzz-token-XXXXXX", path[128];
    struct fault f = { 0 };

    if (mkdtemp(directory) == NULL || keyring_generate(directory, &f) < 0 ||
        keyring_open_directory(&ring, directory, &f) < 0 || keyring_signer(ring, kid) < 0)
        abort();
    snprintf(path, sizeof(path), "%s/%s.pem", directory, kid);
    unlink(path);
    snprintf(path, sizeof(path), "%s/%s.pub.pem", directory, kid);
    unlink(path);
    rmdir(directory);
}

static const char *
make_token(struct arena *a, const uint8_t *data, size_t size, unsigned how)
{
    unsigned char signature[KEYRING_SIGNATURE] = { 0 };
    char *header, *text;
    size_t split;

    if (how == 0)
        return arena_strndup(a, (const char *)data, size);
    if (how == 1) {
        split = size > 0 ? data[0] % size : 0;
        return arena_printf(a, "%s.%s.%s", str_base64url(a, data, split),
                            str_base64url(a, data + split, size - split),
                            str_base64url(a, signature, sizeof(signature)));
    }
    header = arena_printf(a, "{\"alg\":\"EdDSA\",\"kid\":\"%s\",\"typ\":\"JWT\"}", kid);
    text = arena_printf(a, "%s.%s", str_base64url(a, header, strlen(header)),
                        str_base64url(a, data, size));
    if (keyring_sign(ring, kid, text, strlen(text), signature) < 0)
        abort();
    return arena_printf(a, "%s.%s", text, str_base64url(a, signature, sizeof(signature)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct auth_context out = { 0 };
    struct fault f = { 0 };
    struct arena *a;
    int r;

    if (size < 1)
        return 0;
    if (ring == NULL)
        make_ring();
    a = arena_new();
    r = token_verify(ring, a, make_token(a, data + 1, size - 1, data[0] % 3), NOW, &out, &f);
    if (r < 0 && f.kind != FAULT_UNAUTHORIZED)
        abort();
    /* Nothing but our signature makes a token. */
    if (r == 0 && (data[0] % 3 != 2 || out.user_id == NULL || out.expires_us <= NOW))
        abort();
    if (r == 0)
        free(auth_context_dup(&out));
    arena_free(a);
    return 0;
}
