#include "cloud.h"

#include <errno.h>
#include <unistd.h>
#include <yaml.h>

#include "base/str.h"

static const struct {
    const char *name;
    bool secret;
} keys[] = {
#define KEY(name, secret) { #name, secret },
    CLOUD_KEYS(KEY)
#undef KEY
};

const char *
cloud_key_name(enum cloud_key key)
{
    return keys[key].name;
}

static int
key_of(const char *name, size_t size)
{
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        size_t n = 0;

        while (n < size &&
               (keys[i].name[n] == name[n] || (keys[i].name[n] == '_' && name[n] == '-')))
            n++;
        if (n == size && keys[i].name[n] == '\0')
            return (int)i;
    }
    return -1;
}

int
cloud_set(struct cloud *c, const char *name, const char *value)
{
    const char *plain = str_starts(name, "os-") || str_starts(name, "os_") ? name + 3 : name;
    int key;

    if (str_equal(plain, "url"))
        plain = "endpoint";
    if (str_equal(plain, "tenant-name"))
        plain = "project_name";
    key = key_of(plain, strlen(plain));
    if (key < 0)
        return -ENOENT;
    c->value[key] = value;
    return 0;
}

/* Scalars of a mapping that are keys of ours, where nothing is said yet. */
static void
take_scalars(struct arena *a, struct cloud *c, yaml_document_t *doc, yaml_node_t *map)
{
    if (map == NULL || map->type != YAML_MAPPING_NODE)
        return;
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
         p++) {
        yaml_node_t *k = yaml_document_get_node(doc, p->key),
                    *v = yaml_document_get_node(doc, p->value);
        const char *name = (const char *)k->data.scalar.value;
        int key;

        if (k->type != YAML_SCALAR_NODE || v->type != YAML_SCALAR_NODE)
            continue;
        key =
            str_equal(name, "volumev3_api_version") || str_equal(name, "block_storage_api_version")
                ? CLOUD_volume_api_version
                : key_of(name, k->data.scalar.length);
        if (key >= 0 && c->value[key] == NULL)
            c->value[key] = arena_strdup(a, (const char *)v->data.scalar.value);
    }
}

static yaml_node_t *
member(yaml_document_t *doc, yaml_node_t *map, const char *name)
{
    if (map == NULL || map->type != YAML_MAPPING_NODE)
        return NULL;
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
         p++) {
        yaml_node_t *k = yaml_document_get_node(doc, p->key);

        if (k->type == YAML_SCALAR_NODE && str_equal((const char *)k->data.scalar.value, name))
            return yaml_document_get_node(doc, p->value);
    }
    return NULL;
}

/* Takes the cloud's keys out of one document. Returns 1 when the cloud is there. */
static int
take_cloud(struct arena *a, struct cloud *c, yaml_document_t *doc)
{
    yaml_node_t *clouds = member(doc, yaml_document_get_root_node(doc), "clouds"), *one;

    if (clouds == NULL || clouds->type != YAML_MAPPING_NODE)
        return 0;
    if (c->value[CLOUD_cloud] == NULL && c->value[CLOUD_auth_url] == NULL &&
        getenv("OS_AUTH_URL") == NULL &&
        clouds->data.mapping.pairs.top == clouds->data.mapping.pairs.start + 1) {
        yaml_node_t *k = yaml_document_get_node(doc, clouds->data.mapping.pairs.start->key);

        if (k->type == YAML_SCALAR_NODE)
            c->value[CLOUD_cloud] = arena_strdup(a, (const char *)k->data.scalar.value);
    }
    if (c->value[CLOUD_cloud] == NULL)
        return 0;
    one = member(doc, clouds, c->value[CLOUD_cloud]);
    take_scalars(a, c, doc, member(doc, one, "auth"));
    take_scalars(a, c, doc, one);
    return one != NULL;
}

static int
read_file(struct arena *a, struct cloud *c, const char *path, struct fault *f)
{
    yaml_parser_t parser;
    yaml_document_t doc;
    FILE *file = fopen(path, "re");
    int r = 0;

    if (file == NULL)
        return errno == ENOENT || errno == ENOTDIR
                   ? 0
                   : fault_raise(f, FAULT_INVALID, "%s: %s", path, strerror(errno));
    if (!yaml_parser_initialize(&parser)) {
        fclose(file);
        return fault_raise(f, FAULT_INTERNAL, "%s: no memory", path);
    }
    yaml_parser_set_input_file(&parser, file);
    if (!yaml_parser_load(&parser, &doc)) {
        r = fault_raise(f, FAULT_INVALID, "%s, line %zu: %s", path, parser.problem_mark.line + 1,
                        parser.problem != NULL ? parser.problem : "not YAML");
    } else {
        r = take_cloud(a, c, &doc);
        yaml_document_delete(&doc);
    }
    yaml_parser_delete(&parser);
    fclose(file);
    return r;
}

/* clouds.yaml of a folder, and the secure.yaml beside it. */
static int
read_pair(struct arena *a, struct cloud *c, const char *path, struct fault *f)
{
    const char *slash = strrchr(path, '/');
    int folder = slash != NULL ? (int)(slash - path) + 1 : 0;
    int r = read_file(a, c, path, f);

    if (r > 0 && read_file(a, c, arena_printf(a, "%.*ssecure.yaml", folder, path), f) < 0)
        return -1;
    return r;
}

static int
read_files(struct arena *a, struct cloud *c, struct fault *f)
{
    const char *home = getenv("HOME"), *config = getenv("XDG_CONFIG_HOME"),
               *named = getenv("OS_CLIENT_CONFIG_FILE");
    const char *paths[] = {
        named,
        "clouds.yaml",
        config != NULL && config[0] == '/' ? arena_printf(a, "%s/openstack/clouds.yaml", config)
        : home != NULL ? arena_printf(a, "%s/.config/openstack/clouds.yaml", home)
                       : NULL,
        "/etc/openstack/clouds.yaml",
    };

    /* As openstacksdk: the first file that is there is the one. */
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        if (paths[i] != NULL && paths[i][0] != '\0' && access(paths[i], F_OK) == 0)
            return read_pair(a, c, paths[i], f);
    }
    return 0;
}

int
cloud_load(struct arena *a, struct cloud *c, struct fault *f)
{
    const char *named = getenv("OS_CLOUD");
    int r;

    if (c->value[CLOUD_cloud] == NULL && !str_empty(named))
        c->value[CLOUD_cloud] = named;
    r = read_files(a, c, f);
    if (r < 0)
        return r;
    if (r == 0 && c->value[CLOUD_cloud] != NULL)
        return fault_raise(f, FAULT_INVALID, "Cloud %s was not found.", c->value[CLOUD_cloud]);
    for (size_t i = 0; c->value[CLOUD_cloud] == NULL && i < CLOUD_KEY_COUNT; i++) {
        char name[64];
        size_t n;

        snprintf(name, sizeof(name), "OS_%s", keys[i].name);
        for (n = 3; name[n] != '\0'; n++)
            name[n] = (char)toupper((unsigned char)name[n]);
        if (c->value[i] == NULL && !str_empty(getenv(name)))
            c->value[i] = getenv(name);
    }
    return 0;
}

char *
cloud_identity(struct arena *a, const struct cloud *c)
{
    struct str text = { 0 };
    char *copy;

    for (size_t i = 0; i < CLOUD_region_name; i++) {
        if (c->value[i] != NULL && !keys[i].secret && i != CLOUD_cloud)
            str_addf(&text, "%s=%s\n", keys[i].name, c->value[i]);
    }
    copy = arena_strdup(a, str_text(&text));
    str_done(&text);
    return copy;
}

const char *
cloud_endpoint_override(const struct cloud *c, enum service service)
{
    if (service == SERVICE_NONE)
        return NULL;
    return c->value[CLOUD_identity_endpoint_override + (int)service - SERVICE_IDENTITY];
}

const char *
cloud_api_version(const struct cloud *c, enum service service)
{
    if (service == SERVICE_NONE)
        return NULL;
    return c->value[CLOUD_identity_api_version + (int)service - SERVICE_IDENTITY];
}
