#include "ssh_key.h"

#include <openssl/evp.h>

#include "base/random.h"
#include "base/str.h"

int
ssh_key_fingerprint(struct arena *a, const char *public_key, const char **ret, struct fault *f)
{
    static const char *const types[] = { "ssh-rsa",
                                         "ssh-ed25519",
                                         "ecdsa-sha2-nistp256",
                                         "ecdsa-sha2-nistp384",
                                         "ecdsa-sha2-nistp521",
                                         "ssh-dss",
                                         "sk-ssh-ed25519@openssh.com",
                                         "sk-ecdsa-sha2-nistp256@openssh.com" };
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    size_t count, blob_size;
    struct str text = { 0 };
    char **parts, *line;
    void *blob;
    bool known = false;

    line = arena_strdup(a, public_key + strspn(public_key, " \t\r\n"));
    for (size_t end = strlen(line); end > 0 && strchr(" \t\r\n", line[end - 1]) != NULL; end--)
        line[end - 1] = '\0';
    parts = str_split(a, line, ' ', &count);
    for (size_t i = 0; count >= 2 && i < ARRAY_SIZE(types); i++)
        known = known || str_equal(types[i], parts[0]);
    /* The blob repeats the type; a body that says another is no key. A second line would be a second key in the guest. */
    if (!known || strpbrk(line, "\r\n") != NULL ||
        str_base64_decode(a, parts[1], &blob, &blob_size) < 0 || blob_size < 4 + strlen(parts[0]) ||
        memcmp((const char *)blob + 4, parts[0], strlen(parts[0])) != 0)
        return fault_raise_field(f, "public_key",
                                 "Keypair data is invalid: failed to generate fingerprint");
    if (EVP_Digest(blob, blob_size, digest, &size, EVP_md5(), NULL) != 1)
        return fault_raise_cause(f, "MD5 is not available");
    for (unsigned i = 0; i < size; i++)
        str_addf(&text, "%s%02x", i == 0 ? "" : ":", digest[i]);
    *ret = arena_strdup(a, str_text(&text));
    str_done(&text);
    return 0;
}

/* --- OpenSSH's private key file: a few length-prefixed strings. */

static void
add_number(struct str *s, uint32_t n)
{
    char bytes[4] = { (char)(n >> 24), (char)(n >> 16), (char)(n >> 8), (char)n };

    str_add_n(s, bytes, 4);
}

static void
add_string(struct str *s, const void *data, size_t size)
{
    add_number(s, (uint32_t)size);
    str_add_n(s, data, size);
}

static void
add_public(struct str *s, const unsigned char *public)
{
    add_string(s, "ssh-ed25519", 11);
    add_string(s, public, 32);
}

static char *
armoured(struct arena *a, const struct str *data)
{
    const char *text = str_base64(a, data->data, data->size);
    struct str out = { 0 };
    char *copy;

    str_add(&out, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
    for (size_t i = 0; i < strlen(text); i += 70)
        str_addf(&out, "%.70s\n", text + i);
    str_add(&out, "-----END OPENSSH PRIVATE KEY-----\n");
    copy = arena_strdup(a, str_text(&out));
    str_done(&out);
    return copy;
}

static char *
private_file(struct arena *a, const unsigned char *public, const unsigned char *private,
             const char *comment)
{
    struct str all = { 0 }, blob = { 0 }, secret = { 0 };
    uint32_t check = (uint32_t)random_uint64();
    char *text;

    add_public(&blob, public);
    add_number(&secret, check);
    add_number(&secret, check);
    add_public(&secret, public);
    add_number(&secret, 64);
    str_add_n(&secret, (const char *)private, 32);
    str_add_n(&secret, (const char *)public, 32);
    add_string(&secret, comment, strlen(comment));
    for (char pad = 1; secret.size % 8 != 0; pad++)
        str_add_char(&secret, pad);
    str_add_n(&all, "openssh-key-v1", 15);
    add_string(&all, "none", 4);
    add_string(&all, "none", 4);
    add_string(&all, "", 0);
    add_number(&all, 1);
    add_string(&all, blob.data, blob.size);
    add_string(&all, secret.data, secret.size);
    text = armoured(a, &all);
    explicit_bzero(secret.data, secret.size);
    str_done(&secret);
    str_done(&blob);
    str_done(&all);
    return text;
}

int
ssh_key_generate(struct arena *a, const char *comment, char **ret_public, char **ret_private,
                 struct fault *f)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    unsigned char public[32], private[32];
    size_t public_size = sizeof(public), private_size = sizeof(private);
    struct str blob = { 0 };
    bool made = key != NULL && EVP_PKEY_get_raw_public_key(key, public, &public_size) == 1 &&
                EVP_PKEY_get_raw_private_key(key, private, &private_size) == 1;

    EVP_PKEY_free(key);
    if (!made)
        return fault_raise_cause(f, "cannot make an Ed25519 key");
    add_public(&blob, public);
    *ret_public =
        arena_printf(a, "ssh-ed25519 %s %s", str_base64(a, blob.data, blob.size), comment);
    *ret_private = private_file(a, public, private, comment);
    explicit_bzero(private, sizeof(private));
    str_done(&blob);
    return 0;
}
