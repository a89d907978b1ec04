/* Keys in files. A private key that others may read is refused: it is no longer a secret. Files appear
 * whole (written under another name, then renamed), the public one first, so no reader finds a signer
 * that nobody can check. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/random.h"
#include "../base/str.h"
#include "keyring_set.h"

static void
close_directory(DIR **dir)
{
    if (*dir != NULL)
        closedir(*dir);
}

static void
close_file(FILE **file)
{
    if (*file != NULL)
        fclose(*file);
}

static int
read_key(const char *directory, const char *name, bool is_private, EVP_PKEY **ret, struct fault *f)
{
    _cleanup_(str_done) struct str path = { 0 };
    _cleanup_(close_file) FILE *file = NULL;
    struct stat st;
    EVP_PKEY *key;

    str_addf(&path, "%s/%s", directory, name);
    file = fopen(path.data, "re");
    if (file == NULL || fstat(fileno(file), &st) < 0)
        return fault_raise_cause(f, "%s: %s", path.data, strerror(errno));
    if (is_private && (st.st_mode & 077) != 0)
        return fault_raise_cause(f, "%s: mode %03o lets others read a private key; it must be 600",
                                 path.data, (unsigned)st.st_mode & 0777);
    key = is_private ? PEM_read_PrivateKey(file, NULL, NULL, NULL)
                     : PEM_read_PUBKEY(file, NULL, NULL, NULL);
    if (key == NULL || EVP_PKEY_get_id(key) != EVP_PKEY_ED25519) {
        EVP_PKEY_free(key);
        return fault_raise_cause(f, "%s: not an Ed25519 key", path.data);
    }
    *ret = key;
    return 0;
}

static int
read_entry(struct key_set *s, const char *directory, const char *name, struct fault *f)
{
    bool is_public = str_ends(name, ".pub.pem");
    char kid[KEYRING_KID_MAX + 1];
    struct key *key;
    size_t size;
    EVP_PKEY **at;

    if (!str_ends(name, ".pem"))
        return 0;
    size = strlen(name) - strlen(is_public ? ".pub.pem" : ".pem");
    if (!keyring_kid_valid(name, size))
        return 0; /* Not one of ours; a file being written has a dot in front. */
    snprintf(kid, sizeof(kid), "%.*s", (int)size, name);
    key = key_set_add(s, kid);
    if (key == NULL)
        return fault_raise_cause(f, "%s: more than %d keys", directory, KEY_SET_MAX);
    at = is_public ? &key->public_key : &key->private_key;
    return read_key(directory, name, !is_public, at, f);
}

int
key_set_read_directory(struct key_set *s, const char *path, struct fault *f)
{
    _cleanup_(close_directory) DIR *dir = opendir(path);
    const struct dirent *entry;

    if (dir == NULL)
        return fault_raise_cause(f, "%s: %s", path, strerror(errno));
    while ((entry = readdir(dir)) != NULL) {
        int r = read_entry(s, path, entry->d_name, f);

        if (r < 0)
            return r;
    }
    for (size_t i = 0; i < s->count; i++) {
        const struct key *key = &s->keys[i];

        if (key->public_key == NULL)
            return fault_raise_cause(f, "%s/%s.pub.pem: missing", path, key->kid);
        if (key->private_key != NULL && EVP_PKEY_eq(key->public_key, key->private_key) != 1)
            return fault_raise_cause(f, "%s/%s.pub.pem: of another private key", path, key->kid);
    }
    return 0;
}

static int
write_key(const char *directory, const char *kid, EVP_PKEY *key, bool is_private, struct fault *f)
{
    _cleanup_(str_done) struct str path = { 0 };
    _cleanup_(str_done) struct str written = { 0 };
    _cleanup_(close_file) FILE *file = NULL;
    const char *end = is_private ? "pem" : "pub.pem";
    int fd, good;

    str_addf(&path, "%s/%s.%s", directory, kid, end);
    str_addf(&written, "%s/.%s.%s", directory, kid, end);
    fd = open(written.data, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
              is_private ? 0600 : 0644);
    if (fd < 0)
        return fault_raise_cause(f, "%s: %s", written.data, strerror(errno));
    file = fdopen(fd, "w");
    if (file == NULL) {
        close(fd);
        return fault_raise_cause(f, "%s: %s", written.data, strerror(errno));
    }
    good = is_private ? PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL)
                      : PEM_write_PUBKEY(file, key);
    if (good != 1 || fflush(file) != 0 || fsync(fd) < 0 || rename(written.data, path.data) < 0) {
        fault_raise_cause(f, "%s: %s", path.data, strerror(errno));
        unlink(written.data);
        return -(int)f->kind;
    }
    return 0;
}

int
keyring_generate(const char *path, struct fault *f)
{
    char kid[KEYRING_KID_MAX + 1];
    EVP_PKEY *key;
    int r;

    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return fault_raise_cause(f, "%s: %s", path, strerror(errno));
    snprintf(kid, sizeof(kid), "%016llx-%08llx", (unsigned long long)clock_now_us(),
             (unsigned long long)random_below(UINT64_C(1) << 32));
    key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    if (key == NULL)
        return fault_raise_cause(f, "cannot make an Ed25519 key");
    r = write_key(path, kid, key, false, f);
    if (r == 0)
        r = write_key(path, kid, key, true, f);
    EVP_PKEY_free(key);
    return r;
}

/* The private one first: a private key without its public one is what a reader refuses. */
int
keyring_remove(const char *path, const char *kid, struct fault *f)
{
    static const char *const ends[] = { "pem", "pub.pem" };

    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        _cleanup_(str_done) struct str file = { 0 };

        str_addf(&file, "%s/%s.%s", path, kid, ends[i]);
        if (unlink(file.data) < 0 && errno != ENOENT)
            return fault_raise_cause(f, "%s: %s", file.data, strerror(errno));
    }
    return 0;
}
