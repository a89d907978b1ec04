#include "credential_keys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/random.h"
#include "base/str.h"

#define KEY_SIZE 32
#define NONCE_SIZE 12
#define TAG_SIZE 16
#define NAME_SIZE 17 /* Of a key: 16 hex digits of its digest, and the end. */
#define KEYS_MAX 64
#define NEXT 0 /* Number of the key that doesn't seal yet. */

struct key {
    int64_t number;
    unsigned char bytes[KEY_SIZE];
    char name[NAME_SIZE];
};

struct key_ring {
    struct key keys[KEYS_MAX];
    size_t count;
};

struct credential_keys {
    char *path;
    pthread_mutex_t mutex;
    struct key_ring ring GUARDED_BY(mutex);
    struct timespec read_at GUARDED_BY(mutex); /* The directory's mtime then. */
};

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static void
close_directory(DIR **dir)
{
    if (*dir != NULL)
        closedir(*dir);
}

static void
name_key(struct key *key)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    if (EVP_Digest(key->bytes, KEY_SIZE, digest, &size, EVP_sha256(), NULL) != 1)
        abort();
    for (size_t i = 0; i < (NAME_SIZE - 1) / 2; i++)
        snprintf(key->name + 2 * i, 3, "%02x", digest[i]);
}

/* --- The directory */

static int
read_key(const char *directory, const char *file, struct key *ret, struct fault *f)
{
    _cleanup_(str_done) struct str path = { 0 };
    _cleanup_(close_fd) int fd = -1;
    struct stat st;

    str_addf(&path, "%s/%s", directory, file);
    fd = open(path.data, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return fault_raise_cause(f, "%s: %s", path.data, strerror(errno));
    if ((st.st_mode & 077) != 0)
        return fault_raise_cause(f, "%s: mode %03o lets others read a key; it must be 600",
                                 path.data, (unsigned)st.st_mode & 0777);
    if (st.st_size != KEY_SIZE || read(fd, ret->bytes, KEY_SIZE) != KEY_SIZE)
        return fault_raise_cause(f, "%s: not a key of %d bytes", path.data, KEY_SIZE);
    name_key(ret);
    return 0;
}

/* "12.key" -> 12; negative: no file of ours. */
static int64_t
number_of(struct arena *a, const char *file)
{
    int64_t number;

    if (!str_ends(file, ".key") ||
        str_to_int64(arena_strndup(a, file, strlen(file) - 4), 0, INT64_MAX - 1, &number) < 0)
        return -1;
    return number;
}

static int
read_ring(const char *path, struct key_ring *ret, struct fault *f)
{
    _cleanup_(close_directory) DIR *dir = opendir(path);
    _cleanup_(arena_freep) struct arena *a = arena_new();
    const struct dirent *entry;

    ret->count = 0;
    if (dir == NULL)
        return fault_raise_cause(f, "%s: %s", path, strerror(errno));
    while ((entry = readdir(dir)) != NULL) {
        int64_t number = number_of(a, entry->d_name);

        if (number < 0)
            continue;
        if (ret->count == KEYS_MAX)
            return fault_raise_cause(f, "%s: more than %d keys", path, KEYS_MAX);
        if (read_key(path, entry->d_name, &ret->keys[ret->count], f) < 0)
            return -1;
        ret->keys[ret->count++].number = number;
    }
    return 0;
}

/* The one that seals: of the highest number; NULL: there is none but the next. */
static const struct key *
sealing(const struct key_ring *ring)
{
    const struct key *best = NULL;

    for (size_t i = 0; i < ring->count; i++) {
        if (ring->keys[i].number != NEXT && (best == NULL || ring->keys[i].number > best->number))
            best = &ring->keys[i];
    }
    return best;
}

static const struct key *
find_key(const struct key_ring *ring, const char *name)
{
    for (size_t i = 0; i < ring->count; i++) {
        if (str_equal(ring->keys[i].name, name))
            return &ring->keys[i];
    }
    return NULL;
}

/* A new key under this number, whole from the first moment; nothing where there is one already. */
static int
make_key(const char *path, int64_t number, struct fault *f)
{
    _cleanup_(str_done) struct str written = { 0 };
    _cleanup_(str_done) struct str named = { 0 };
    _cleanup_(close_fd) int fd = -1;
    unsigned char bytes[KEY_SIZE];
    bool good;

    str_addf(&written, "%s/.new-%016llx", path, (unsigned long long)random_uint64());
    str_addf(&named, "%s/%lld.key", path, (long long)number);
    fd = open(written.data, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return fault_raise_cause(f, "%s: %s", written.data, strerror(errno));
    random_bytes(bytes, sizeof(bytes));
    good = write(fd, bytes, sizeof(bytes)) == (ssize_t)sizeof(bytes) && fsync(fd) == 0 &&
           (link(written.data, named.data) == 0 || errno == EEXIST);
    if (!good)
        fault_raise_cause(f, "%s: %s", named.data, strerror(errno));
    unlink(written.data);
    explicit_bzero(bytes, sizeof(bytes));
    return good ? 0 : -1;
}

int
credential_keys_open(const char *path, struct credential_keys **ret, struct fault *f)
{
    struct credential_keys *k;

    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return fault_raise_cause(f, "%s: %s", path, strerror(errno));
    k = calloc(1, sizeof(*k));
    if (k == NULL || (k->path = strdup(path)) == NULL)
        abort();
    pthread_mutex_init(&k->mutex, NULL);
    if (read_ring(path, &k->ring, f) == 0 &&
        (sealing(&k->ring) != NULL ||
         (make_key(path, 1, f) == 0 && make_key(path, NEXT, f) == 0))) {
        *ret = k; /* Read again at the first use. */
        return 0;
    }
    credential_keys_free(k);
    return -1;
}

void
credential_keys_free(struct credential_keys *k)
{
    if (k == NULL)
        return;
    pthread_mutex_destroy(&k->mutex);
    explicit_bzero(&k->ring, sizeof(k->ring));
    free(k->path);
    free(k);
}

int
credential_keys_rotate(const char *path, struct fault *f)
{
    _cleanup_(str_done) struct str next = { 0 };
    _cleanup_(str_done) struct str named = { 0 };
    struct key_ring ring;
    const struct key *now;

    if (read_ring(path, &ring, f) < 0)
        return -1;
    now = sealing(&ring);
    if (now == NULL)
        return fault_raise_cause(f, "%s: there is no key yet; a start of the daemon makes it",
                                 path);
    str_addf(&next, "%s/%d.key", path, NEXT);
    str_addf(&named, "%s/%lld.key", path, (long long)now->number + 1);
    if (make_key(path, NEXT, f) < 0) /* Somebody removed it: as good as a new one can be. */
        return -1;
    /* Not by rename(): that would replace the key of who rotates at the same time. */
    if (link(next.data, named.data) < 0 || unlink(next.data) < 0)
        return fault_raise_cause(f, "%s: %s", named.data, strerror(errno));
    for (size_t i = 0; i < ring.count; i++) {
        if (ring.keys[i].number == NEXT || ring.keys[i].number == now->number)
            continue;
        str_clear(&named);
        str_addf(&named, "%s/%lld.key", path, (long long)ring.keys[i].number);
        unlink(named.data);
    }
    explicit_bzero(&ring, sizeof(ring));
    return make_key(path, NEXT, f);
}

/* --- In use */

/* Reads the directory again when it has changed. With the mutex held. */
static int
refresh(struct credential_keys *k, bool anyway, struct fault *f)
{
    struct key_ring ring;
    struct stat st;
    int r;

    if (stat(k->path, &st) < 0)
        return fault_raise_cause(f, "%s: %s", k->path, strerror(errno));
    if (!anyway && st.st_mtim.tv_sec == k->read_at.tv_sec &&
        st.st_mtim.tv_nsec == k->read_at.tv_nsec)
        return 0;
    r = read_ring(k->path, &ring, f);
    if (r == 0) {
        k->ring = ring;
        k->read_at = st.st_mtim;
    }
    explicit_bzero(&ring, sizeof(ring));
    return r;
}

/* A copy of the key 'name' (NULL: of the one that seals), which the caller wipes. 0: there is none. */
static int
take_key(struct credential_keys *k, const char *name, struct key *ret, struct fault *f)
{
    const struct key *key = NULL;
    int r = 0;

    pthread_mutex_lock(&k->mutex);
    /* Twice, for two changes may carry one mtime. */
    for (int i = 0; r == 0 && key == NULL && i < 2; i++) {
        r = refresh(k, i > 0, f);
        if (r == 0)
            key = name == NULL ? sealing(&k->ring) : find_key(&k->ring, name);
    }
    if (key != NULL)
        *ret = *key;
    pthread_mutex_unlock(&k->mutex);
    return r < 0 ? -1 : key != NULL;
}

static void
free_cipher(EVP_CIPHER_CTX **c)
{
    EVP_CIPHER_CTX_free(*c);
}

/* base64url(nonce, what is hidden, tag). */
int
credential_seal(struct credential_keys *k, struct arena *a, const char *text, const char *bound_to,
                const char **ret, const char **ret_key, struct fault *f)
{
    _cleanup_(free_cipher) EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    size_t size = strlen(text);
    unsigned char *out = arena_alloc(a, NONCE_SIZE + size + TAG_SIZE);
    int part, r;
    bool good;
    struct key key;

    r = take_key(k, NULL, &key, f);
    if (r <= 0)
        return r < 0 ? -1 : fault_raise_cause(f, "no key to seal credentials with");
    random_bytes(out, NONCE_SIZE);
    good = c != NULL && EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key.bytes, out) == 1 &&
           EVP_EncryptUpdate(c, NULL, &part, (const unsigned char *)bound_to,
                             (int)strlen(bound_to)) == 1 &&
           EVP_EncryptUpdate(c, out + NONCE_SIZE, &part, (const unsigned char *)text, (int)size) ==
               1 &&
           EVP_EncryptFinal_ex(c, out + NONCE_SIZE + size, &part) == 1 &&
           EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, out + NONCE_SIZE + size) == 1;
    *ret_key = arena_strdup(a, key.name);
    explicit_bzero(&key, sizeof(key));
    if (!good)
        return fault_raise_cause(f, "sealing a credential failed");
    *ret = str_base64url(a, out, NONCE_SIZE + size + TAG_SIZE);
    return 0;
}

static bool
open_sealed(struct arena *a, const struct key *key, unsigned char *in, size_t size,
            const char *bound_to, const char **ret)
{
    _cleanup_(free_cipher) EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    size_t hidden = size - NONCE_SIZE - TAG_SIZE;
    unsigned char *text = arena_alloc(a, hidden + 1);
    int part;

    if (c == NULL || EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key->bytes, in) != 1 ||
        EVP_DecryptUpdate(c, NULL, &part, (const unsigned char *)bound_to, (int)strlen(bound_to)) !=
            1 ||
        EVP_DecryptUpdate(c, text, &part, in + NONCE_SIZE, (int)hidden) != 1 ||
        EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, in + NONCE_SIZE + hidden) != 1 ||
        EVP_DecryptFinal_ex(c, text + hidden, &part) != 1)
        return false;
    *ret = (const char *)text;
    return true;
}

int
credential_unseal(struct credential_keys *k, struct arena *a, const char *sealed, const char *name,
                  const char *bound_to, const char **ret, struct fault *f)
{
    struct key key;
    size_t size;
    void *in;
    bool good;
    int r;

    r = take_key(k, name, &key, f);
    if (r <= 0)
        return r < 0
                   ? -1
                   : fault_raise_cause(f, "%s: no key %s, which a credential needs", k->path, name);
    good = str_base64url_decode(a, sealed, strlen(sealed), &in, &size) == 0 &&
           size >= NONCE_SIZE + TAG_SIZE && open_sealed(a, &key, in, size, bound_to, ret);
    explicit_bzero(&key, sizeof(key));
    return good ? 0 : fault_raise_cause(f, "a credential is not what was sealed with key %s", name);
}

int
credential_keys_current(struct credential_keys *k, struct arena *a, const char **ret,
                        struct fault *f)
{
    struct key key;
    int r = take_key(k, NULL, &key, f);

    if (r <= 0)
        return r < 0 ? -1 : fault_raise_cause(f, "%s: no key", k->path);
    *ret = arena_strdup(a, key.name);
    explicit_bzero(&key, sizeof(key));
    return 0;
}

bool
credential_keys_has(struct credential_keys *k, const char *name)
{
    struct fault f = { 0 };
    struct key key;
    bool has = take_key(k, name, &key, &f) == 1;

    explicit_bzero(&key, sizeof(key));
    return has;
}
