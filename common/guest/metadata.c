/* The metadata tree's roots, its OpenStack side, and the list of what goes on a config drive.
 *
 * Every dated version answers with what was there at its date, as upstream's does; an unknown one is absent. */
#include "metadata.h"

#include <stdint.h>

#include "../base/array.h"
#include "../base/json.h"
#include "../base/random.h"
#include "../base/str.h"
#include "metadata_render.h"

#define JSON_TYPE "application/json"
#define TEXT_TYPE "text/plain; charset=UTF-8"

enum { RANDOM_SEED = 512, DEPTH_MAX = 16 };

static const char *const versions[] = { "2012-08-10", "2013-04-04", "2013-10-17",
                                        "2015-10-15", "2016-06-30", "2016-10-06",
                                        "2017-02-22", "2018-08-27", "2020-10-14" };

struct request {
    const json_t *facts;
    struct arena *a;
    const char *version; /* A date; "latest" is replaced by the newest. */
};

struct answer {
    const char *type, *data;
    size_t size;
};

const char *
metadata_text(const json_t *object, const char *key, const char *fallback)
{
    const char *text = json_get_text(object, key);

    return text ? text : fallback;
}

bool
metadata_user_data(const json_t *facts, struct arena *a, const char **ret, size_t *ret_size)
{
    const char *text = json_get_text(facts, "user_data");
    void *data;

    if (str_empty(text) || str_base64_decode(a, text, &data, ret_size) < 0)
        return false;
    *ret = arena_strndup(a, "", 0);
    if (*ret_size > 0)
        *ret = data;
    return true;
}

static void
answer_text(struct answer *answer, const char *text)
{
    *answer = (struct answer){ TEXT_TYPE, text, strlen(text) };
}

static bool
answer_json(struct answer *answer, struct arena *a, const json_t *value)
{
    const char *text = json_text(a, value);

    *answer = (struct answer){ JSON_TYPE, text, strlen(text) };
    return true;
}

static void
copy_member(json_t *out, const char *key, const json_t *value)
{
    if (value != NULL && !json_is_null(value))
        json_object_set(out, key, (json_t *)(uintptr_t)value);
}

static void
add_keys(json_t *out, const json_t *facts)
{
    const json_t *keys = json_object_get(facts, "keys");
    const json_t *key;
    json_t *by_name;
    size_t i;

    if (json_array_size(keys) == 0)
        return;
    by_name = json_object();
    json_array_foreach(keys, i, key)
        json_object_set_new(by_name, metadata_text(key, "name", ""),
                            json_string(metadata_text(key, "data", "")));
    json_object_set_new(out, "public_keys", by_name);
    copy_member(out, "keys", keys);
}

/* Files are named by number on the wire; the guest copies content_path to path. */
static void
add_files(json_t *out, const struct request *r)
{
    const json_t *files = json_object_get(r->facts, "files");
    const json_t *file;
    json_t *list;
    size_t i;

    if (json_array_size(files) == 0)
        return;
    list = json_array();
    json_array_foreach(files, i, file)
        json_array_append_new(list, json_pack("{s:s, s:s}", "content_path",
                                              arena_printf(r->a, "/content/%04zu", i), "path",
                                              metadata_text(file, "path", "")));
    json_object_set_new(out, "files", list);
}

static bool
meta_data(const struct request *r, struct answer *answer)
{
    json_t *out = json_own(r->a, json_object());
    const json_t *devices = json_object_get(r->facts, "devices");
    const json_t *cpus = json_object_get(r->facts, "dedicated_cpus");
    unsigned char seed[RANDOM_SEED];

    json_object_set_new(out, "uuid", json_string(metadata_text(r->facts, "uuid", "")));
    if (json_object_size(json_object_get(r->facts, "meta")) > 0)
        copy_member(out, "meta", json_object_get(r->facts, "meta"));
    add_files(out, r);
    add_keys(out, r->facts);
    json_object_set_new(out, "hostname", json_string(metadata_text(r->facts, "hostname", "")));
    json_object_set_new(out, "name", json_string(metadata_text(r->facts, "name", "")));
    json_object_set_new(out, "launch_index", json_integer(json_get_int(r->facts, "launch_index")));
    json_object_set_new(out, "availability_zone",
                        json_string(metadata_text(r->facts, "availability_zone", "")));
    if (strcmp(r->version, "2013-04-04") >= 0) {
        random_bytes(seed, sizeof(seed));
        json_object_set_new(out, "random_seed", json_string(str_base64(r->a, seed, sizeof(seed))));
    }
    if (strcmp(r->version, "2015-10-15") >= 0)
        json_object_set_new(out, "project_id",
                            json_string(metadata_text(r->facts, "project_id", "")));
    if (strcmp(r->version, "2016-06-30") >= 0)
        json_object_set_new(out, "devices",
                            json_is_array(devices) ? json_copy((json_t *)(uintptr_t)devices)
                                                   : json_array());
    if (strcmp(r->version, "2020-10-14") >= 0)
        json_object_set_new(out, "dedicated_cpus",
                            json_is_array(cpus) ? json_copy((json_t *)(uintptr_t)cpus)
                                                : json_array());
    return answer_json(answer, r->a, out);
}

static bool
user_data(const struct request *r, struct answer *answer)
{
    answer->type = "application/octet-stream";
    return metadata_user_data(r->facts, r->a, &answer->data, &answer->size);
}

static bool
password(const struct request *r, struct answer *answer)
{
    answer_text(answer, metadata_text(r->facts, "password", ""));
    return true;
}

static bool
vendor_data(const struct request *r, struct answer *answer)
{
    const json_t *given = json_object_get(r->facts, "vendor_data");

    return answer_json(answer, r->a, json_is_object(given) ? given : json_own(r->a, json_object()));
}

static bool
vendor_data2(const struct request *r, struct answer *answer)
{
    const json_t *given = json_object_get(r->facts, "vendor_data");
    json_t *out = json_own(r->a, json_object());

    json_object_set_new(out, "static",
                        json_is_object(given) ? json_copy((json_t *)(uintptr_t)given)
                                              : json_object());
    return answer_json(answer, r->a, out);
}

static bool
network_data(const struct request *r, struct answer *answer)
{
    return answer_json(answer, r->a,
                       metadata_network_data(json_object_get(r->facts, "networks"), r->a));
}

/* In the order in which upstream lists them. */
static const struct {
    const char *name, *since;
    bool (*render)(const struct request *r,
                   struct answer *answer); /* False: this guest has none. */
    bool on_drive;
} documents[] = {
    { "meta_data.json", "2012-08-10", meta_data, true },
    { "user_data", "2012-08-10", user_data, true },
    { "password", "2013-04-04", password, false },
    { "vendor_data.json", "2013-10-17", vendor_data, true },
    { "network_data.json", "2015-10-15", network_data, true },
    { "vendor_data2.json", "2016-10-06", vendor_data2, true },
};

static bool
has_document(const struct request *r, size_t i)
{
    if (strcmp(r->version, documents[i].since) < 0)
        return false;
    return documents[i].render != user_data || !str_empty(json_get_text(r->facts, "user_data"));
}

static const char *
find_version(const char *name)
{
    if (str_equal(name, "latest"))
        return versions[ARRAY_SIZE(versions) - 1];
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        if (str_equal(name, versions[i]))
            return versions[i];
    }
    return NULL;
}

static void
list_versions(struct arena *a, const char *const *names, size_t count, struct answer *answer)
{
    _cleanup_(str_done) struct str out = { 0 };

    for (size_t i = 0; i < count; i++)
        str_addf(&out, "%s\n", names[i]);
    str_add(&out, "latest");
    answer_text(answer, arena_strdup(a, str_text(&out)));
}

static void
list_documents(const struct request *r, struct answer *answer)
{
    _cleanup_(str_done) struct str out = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(documents); i++) {
        if (has_document(r, i))
            str_addf(&out, "%s%s", out.size > 0 ? "\n" : "", documents[i].name);
    }
    answer_text(answer, arena_strdup(r->a, str_text(&out)));
}

static bool
file_content(const struct request *r, const char *number, struct answer *answer)
{
    const json_t *files = json_object_get(r->facts, "files");
    const char *text;
    int64_t index;
    void *data;

    if (strlen(number) != 4 ||
        str_to_int64(number + strspn(number, "0") - (strspn(number, "0") == 4), 0, 9999, &index) <
            0)
        return false;
    text = json_get_text(json_array_get(files, (size_t)index), "contents");
    if (text == NULL || str_base64_decode(r->a, text, &data, &answer->size) < 0)
        return false;
    answer->type = "application/octet-stream";
    answer->data = data;
    return true;
}

/* 'parts' is the path below /openstack. */
static bool
get_openstack(struct request *r, char **parts, size_t count, struct answer *answer)
{
    if (count == 0) {
        list_versions(r->a, versions, ARRAY_SIZE(versions), answer);
        return true;
    }
    if (str_equal(parts[0], "content"))
        return count == 2 && file_content(r, parts[1], answer);
    r->version = find_version(parts[0]);
    if (r->version == NULL || count > 2)
        return false;
    if (count == 1) {
        list_documents(r, answer);
        return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(documents); i++) {
        if (str_equal(parts[1], documents[i].name))
            return has_document(r, i) && documents[i].render(r, answer);
    }
    return false;
}

/* 'parts' is the path below the root (or /ec2). */
static bool
get_ec2(const struct request *r, char **parts, size_t count, struct answer *answer)
{
    bool has_user_data = !str_empty(json_get_text(r->facts, "user_data"));
    const json_t *node;

    if (count == 0) {
        list_versions(r->a, metadata_ec2_versions, 9, answer);
        return true;
    }
    node = metadata_ec2_tree(r->facts, parts[0], r->a);
    if (node == NULL)
        return false;
    if (count == 1) {
        answer_text(answer, has_user_data ? "meta-data/\nuser-data" : "meta-data/");
        return true;
    }
    if (str_equal(parts[1], "user-data"))
        return count == 2 && user_data(r, answer);
    if (!str_equal(parts[1], "meta-data"))
        return false;
    for (size_t i = 2; i < count && node != NULL; i++)
        node = str_equal(parts[i], "_name") ? NULL : json_object_get(node, parts[i]);
    if (node == NULL)
        return false;
    answer_text(answer, metadata_ec2_text(node, r->a));
    return true;
}

/* The path's parts without empty ones and "."; negative when it climbs or is too deep. */
static int
split_path(struct arena *a, const char *path, char **parts, size_t *ret_count)
{
    size_t all, count = 0;
    char **pieces = str_split(a, path, '/', &all);

    for (size_t i = 0; i < all; i++) {
        if (str_empty(pieces[i]) || str_equal(pieces[i], "."))
            continue;
        if (str_equal(pieces[i], "..") || count == DEPTH_MAX)
            return -1;
        parts[count++] = pieces[i];
    }
    *ret_count = count;
    return 0;
}

int
metadata_get(const json_t *facts, const char *path, struct arena *a, const char **content_type,
             const char **ret, size_t *size, struct fault *f)
{
    struct request r = { .facts = facts, .a = a };
    struct answer answer = { 0 };
    char *parts[DEPTH_MAX];
    size_t count;
    bool found = false;

    if (split_path(a, path, parts, &count) == 0) {
        if (count > 0 && str_equal(parts[0], "openstack"))
            found = get_openstack(&r, parts + 1, count - 1, &answer);
        else if (count > 0 && str_equal(parts[0], "ec2"))
            found = get_ec2(&r, parts + 1, count - 1, &answer);
        else
            found = get_ec2(&r, parts, count, &answer);
    }
    if (!found)
        return fault_raise(f, FAULT_NOT_FOUND, "The resource could not be found.");
    *content_type = answer.type;
    *ret = answer.data;
    *size = answer.size;
    return 0;
}

struct drive {
    struct arena *a;
    struct metadata_file *files;
    size_t count, capacity;
};

static void
drive_add(struct drive *d, const char *path, const struct answer *answer)
{
    struct metadata_file *file = ARRAY_PUSH(d->a, d->files, d->count, d->capacity);

    *file = (struct metadata_file){ path, answer->data, answer->size };
}

static void
drive_add_openstack(struct drive *d, struct request *r, const char *name)
{
    struct answer answer = { 0 };

    r->version = find_version(name);
    for (size_t i = 0; i < ARRAY_SIZE(documents); i++) {
        if (documents[i].on_drive && has_document(r, i) && documents[i].render(r, &answer))
            drive_add(d, arena_printf(d->a, "openstack/%s/%s", name, documents[i].name), &answer);
    }
}

/* Here EC2's tree is one JSON document, without the listings' "_name". */
static void
drive_add_ec2(struct drive *d, const struct request *r, const char *name)
{
    json_t *tree = metadata_ec2_tree(r->facts, name, d->a);
    struct answer answer = { 0 };

    json_object_del(json_object_get(json_object_get(tree, "public-keys"), "0"), "_name");
    answer_json(&answer, d->a, tree);
    drive_add(d, arena_printf(d->a, "ec2/%s/meta-data.json", name), &answer);
    if (user_data(r, &answer))
        drive_add(d, arena_printf(d->a, "ec2/%s/user-data", name), &answer);
}

int
metadata_drive(const json_t *facts, struct arena *a, struct metadata_file **ret, size_t *ret_count,
               struct fault *f)
{
    struct request r = { .facts = facts, .a = a };
    struct drive d = { .a = a };
    size_t files = json_array_size(json_object_get(facts, "files"));

    if (files > 9999)
        return fault_raise_field(f, "files", "Too many files for a config drive.");
    drive_add_ec2(&d, &r, "2009-04-04");
    drive_add_ec2(&d, &r, "latest");
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++)
        drive_add_openstack(&d, &r, versions[i]);
    drive_add_openstack(&d, &r, "latest");
    for (size_t i = 0; i < files; i++) {
        const char *number = arena_printf(a, "%04zu", i);
        struct answer answer = { 0 };

        if (!file_content(&r, number, &answer))
            return fault_raise_field(f, "files", "A file's contents are not base64.");
        drive_add(&d, arena_printf(a, "openstack/content/%s", number), &answer);
    }
    *ret = d.files;
    *ret_count = d.count;
    return 0;
}
