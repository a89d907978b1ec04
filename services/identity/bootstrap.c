#include "bootstrap.h"

#include <errno.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/uuid.h"
#include "passwords.h"

struct boot {
    struct db *db;
    struct arena *arena;
    struct password_hasher *hasher;
};

static int
read_password(struct arena *a, const char *path, char **ret, struct fault *f)
{
    char buffer[4098];
    FILE *file = fopen(path, "re");
    size_t size;

    if (file == NULL)
        return fault_raise(f, FAULT_INVALID, "cannot read the password file: %s", strerror(errno));
    size = fread(buffer, 1, sizeof(buffer) - 1, file);
    fclose(file);
    buffer[size] = '\0';
    buffer[strcspn(buffer, "\r\n")] = '\0';
    if (buffer[0] == '\0')
        return fault_raise(f, FAULT_INVALID, "a password file is empty");
    *ret = arena_strdup(a, buffer);
    explicit_bzero(buffer, sizeof(buffer));
    return 0;
}

static int
ensure_domain(struct boot *b, struct fault *f)
{
    return boot_domain(b->db, "default", "Default", f) < 0 ? -1 : 0;
}

static int
ensure_role(struct boot *b, const char *name, const char *implies, struct fault *f)
{
    if (boot_role(b->db, uuid_make_hex(b->arena), name, f) < 0)
        return -1;
    return implies == NULL || boot_imply(b->db, name, implies, f) >= 0 ? 0 : -1;
}

static int
ensure_user(struct boot *b, const char *name, const char *password_file, const char *project,
            const char *role, struct fault *f)
{
    char *password, *hash;

    if (read_password(b->arena, password_file, &password, f) < 0 ||
        password_hash(b->hasher, b->arena, password, &hash, f) < 0)
        return -1;
    if (boot_project(b->db, uuid_make_hex(b->arena), project, f) < 0 ||
        boot_user(b->db, uuid_make_hex(b->arena), name, hash, f) < 0)
        return -1;
    return boot_assign(b->db, role, name, project, f) < 0 ? -1 : 0;
}

static int
ensure_endpoint(struct boot *b, const char *type, const char *url, const char *region,
                struct fault *f)
{
    static const struct {
        const char *type, *name;
    } names[] = { { "identity", "virga-identity" },   { "image", "virga-image" },
                  { "placement", "virga-placement" }, { "compute", "virga-compute" },
                  { "network", "virga-network" },     { "volumev3", "virga-volume" },
                  { "block-storage", "virga-volume" } };
    static const char *const interfaces[] = { "public", "internal", "admin" };
    const char *name = type;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (str_equal(names[i].type, type))
            name = names[i].name;
    }
    if (boot_service(b->db, uuid_make_hex(b->arena), type, name, f) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(interfaces); i++) {
        if (boot_endpoint(b->db, uuid_make_hex(b->arena), type, interfaces[i], region, url, f) < 0)
            return -1;
    }
    return 0;
}

/* "a=x b=y": calls fn for each. */
static int
each_pair(struct boot *b, const char *text, const char *extra,
          int (*fn)(struct boot *b, const char *name, const char *value, const char *extra,
                    struct fault *f),
          struct fault *f)
{
    size_t count;
    char **parts = str_split(b->arena, text, ' ', &count);

    for (size_t i = 0; i < count; i++) {
        char *equals = strchr(parts[i], '=');

        if (parts[i][0] == '\0')
            continue;
        if (equals == NULL)
            return fault_raise(f, FAULT_INVALID, "expected name=value, found %.100s", parts[i]);
        *equals = '\0';
        if (fn(b, parts[i], equals + 1, extra, f) < 0)
            return -1;
    }
    return 0;
}

static int
endpoint_pair(struct boot *b, const char *type, const char *url, const char *region,
              struct fault *f)
{
    return ensure_endpoint(b, type, url, region, f);
}

static int
user_pair(struct boot *b, const char *name, const char *file, const char *extra, struct fault *f)
{
    (void)extra;
    if (ensure_user(b, name, file, "service", "service", f) < 0)
        return -1;
    /* Services also act as admins towards each other where upstream's policies ask for it. */
    return boot_assign(b->db, "admin", name, "service", f) < 0 ? -1 : 0;
}

int
bootstrap(struct daemon *d, int argc, char **argv, struct fault *f)
{
    const struct identity_config *config = (const struct identity_config *)(const void *)d->config;
    const char *password_file = getenv("VIRGA_BOOTSTRAP_PASSWORD_FILE");
    const char *region = getenv("VIRGA_BOOTSTRAP_REGION");
    const char *endpoints = getenv("VIRGA_BOOTSTRAP_ENDPOINTS");
    const char *users = getenv("VIRGA_BOOTSTRAP_SERVICE_USERS");
    const struct password_scheme scheme = password_scheme_of(config);
    struct boot b = { 0 };
    _cleanup_(db_release) struct db db = { 0 };
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    int r;

    (void)argc;
    (void)argv;
    if (password_file == NULL)
        return fault_raise(
            f, FAULT_INVALID,
            "VIRGA_BOOTSTRAP_PASSWORD_FILE must name the file with the admin's password");
    region = str_empty(region) ? "RegionOne" : region;
    if (password_scheme_check(&scheme, f) < 0)
        return -1;
    b.hasher = password_hasher_new(&scheme, 0);
    b.arena = arena_new();
    b.db = &db;
    r = db_pool_get(d->pool, b.arena, &db, f);
    if (r == 0)
        r = db_tx_begin(&tx, &db, f);
    if (r == 0)
        r = ensure_domain(&b, f);
    if (r == 0)
        r = ensure_role(&b, "reader", NULL, f) < 0 || ensure_role(&b, "member", "reader", f) < 0 ||
                    ensure_role(&b, "manager", "member", f) < 0 ||
                    ensure_role(&b, "admin", "manager", f) < 0 ||
                    ensure_role(&b, "service", NULL, f) < 0
                ? -1
                : 0;
    if (r == 0)
        r = ensure_user(&b, "admin", password_file, "admin", "admin", f);
    if (r == 0)
        r = boot_assign_system(b.db, "admin", "admin", f) < 0 ? -1 : 0;
    if (r == 0)
        r = boot_region(b.db, region, f) < 0 ? -1 : 0;
    if (r == 0 && endpoints != NULL)
        r = each_pair(&b, endpoints, region, endpoint_pair, f);
    if (r == 0 && users != NULL)
        r = each_pair(&b, users, NULL, user_pair, f);
    if (r == 0)
        r = db_tx_commit(&tx, f);
    password_hasher_free(b.hasher);
    db_tx_done(&tx);
    db_release(&db);
    arena_free(b.arena);
    return r;
}
