/* Traits: the names (standard and custom), and which provider has which. */
#include "base/str.h"
#include "reply.h"

static void
write_names(struct jsonw *w, const struct trait_row *rows, size_t count)
{
    jsonw_array(w, "traits");
    for (size_t i = 0; i < count; i++)
        jsonw_text(w, NULL, rows[i].name);
    jsonw_end(w);
}

static int64_t
newest(const struct trait_row *rows, size_t count)
{
    int64_t us = 0;

    for (size_t i = 0; i < count; i++)
        us = MAX(us, rows[i].created_at);
    return us;
}

/* --- Names */

/* name=in:A,B or name=startswith:PREFIX. */
static int
parse_filter(struct call *call, const char *text, struct texts *names, const char **ret_prefix,
             struct fault *f)
{
    if (strchr(text, ':') == NULL)
        return fault_raise(
            f, FAULT_INVALID,
            "Badly formatted name parameter. Expected name query string parameter in form: "
            "?name=[in|startswith]:[name1,name2|prefix]. Got: \"%.255s\"",
            text);
    if (str_starts(text, "startswith:"))
        *ret_prefix = text + strlen("startswith:");
    else if (str_starts(text, "in:"))
        names->items =
            (const char **)str_split(call->arena, text + strlen("in:"), ',', &names->count);
    if (names->count == 0)
        names->items = str_starts(text, "in:") ? ARENA_ARRAY(call->arena, const char *, 1) : NULL;
    return 0;
}

int
trait_list(struct call *call, struct fault *f)
{
    static const struct query_key keys[] = { { "name", 0, false },
                                             { "associated", 0, false },
                                             { NULL, 0, false } };
    const char *name = query_last(call, "name"), *associated = query_last(call, "associated"),
               *prefix = NULL;
    bool yes = associated != NULL && str_equal_nocase(associated, "true");
    struct texts names = { 0 };
    struct trait_row *rows;
    struct jsonw *w;
    size_t count;

    if (reply_check_accept(call, f) < 0 || query_check(call, keys, f) < 0)
        return -1;
    if (name != NULL && parse_filter(call, name, &names, &prefix, f) < 0)
        return -1;
    if (associated != NULL && !yes && !str_equal_nocase(associated, "false"))
        return fault_raise(f, FAULT_INVALID,
                           "The query parameter \"associated\" only accepts \"true\" or \"false\"");
    if (trait_filter(call->db, names.items == NULL ? NULL : &names, prefix,
                     associated == NULL ? NULL : &yes, &rows, &count, f) < 0)
        return -1;
    w = reply_json(call, newest(rows, count));
    jsonw_object(w, NULL);
    write_names(w, rows, count);
    jsonw_end(w);
    return 0;
}

static int
find(struct call *call, struct trait_row *ret, struct fault *f)
{
    const char *name = call_param(call, "name");
    int r = trait_find(call->db, name, ret, f);

    return r == 0 ? fault_raise(f, FAULT_NOT_FOUND, "No such trait(s): %.255s.", name) : r;
}

int
trait_show(struct call *call, struct fault *f)
{
    struct trait_row row;

    if (find(call, &row, f) < 0)
        return -1;
    reply_cached(call, row.created_at);
    return 0;
}

static bool
is_custom(const char *name)
{
    size_t size = strlen(name);

    return size <= 255 && size > strlen("CUSTOM_") && str_starts(name, "CUSTOM_") &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == size;
}

int
trait_update(struct call *call, struct fault *f)
{
    const char *name = call_param(call, "name");
    struct trait_row row;
    int r;

    if (!is_custom(name))
        return fault_raise(
            f, FAULT_INVALID,
            "The trait is invalid. A valid trait must be no longer than 255 characters, start with "
            "the "
            "prefix \"CUSTOM_\" and use following characters: \"A\"-\"Z\", \"0\"-\"9\" and \"_\"");
    r = trait_insert(call->db, name, f);
    if (r < 0 || find(call, &row, f) < 0)
        return -1;
    call_status(call, r > 0 ? 201 : 204);
    call_header(call, "Location", call_url(call, "/traits/%s", name));
    reply_cached(call, row.created_at);
    return 0;
}

int
trait_delete(struct call *call, struct fault *f)
{
    struct trait_row row;

    if (find(call, &row, f) < 0)
        return -1;
    if (!str_starts(row.name, "CUSTOM_"))
        return fault_raise(f, FAULT_INVALID, "Cannot delete standard trait %s.", row.name);
    if (trait_remove(call->db, row.name, f) < 0)
        return f->kind == FAULT_CONFLICT
                   ? fault_raise(f, FAULT_CONFLICT,
                                 "The trait %s is in use by a resource provider.", row.name)
                   : -1;
    return 0;
}

/* --- Of a provider */

static void
reply_provider(struct call *call, const struct trait_row *rows, size_t count, int64_t generation)
{
    struct jsonw *w = reply_json(call, newest(rows, count));

    jsonw_object(w, NULL);
    write_names(w, rows, count);
    jsonw_int(w, "resource_provider_generation", generation);
    jsonw_end(w);
}

int
provider_traits_show(struct call *call, struct fault *f)
{
    struct provider_row provider;
    struct trait_row *rows;
    size_t count;

    if (reply_check_accept(call, f) < 0 || provider_of_path(call, &provider, f) < 0)
        return -1;
    if (provider_trait_list(call->db, provider.id, &rows, &count, f) < 0)
        return -1;
    reply_provider(call, rows, count, provider.generation);
    return 0;
}

/* The generation moves only when something changed, as upstream's does. */
static int
set_traits(struct call *call, struct provider_lock_row *provider, const struct texts *names,
           struct fault *f)
{
    struct provider_trait_set_row set;
    struct provider_touch_row touched;

    if (provider_trait_set(call->db, provider->id, names, &set, f) < 0)
        return -1;
    if (set.changed == 0)
        return 0;
    if (provider_touch(call->db, provider->id, 1, &touched, f) < 0)
        return -1;
    provider->generation = touched.generation;
    return 0;
}

static int
check_known(struct call *call, const struct texts *names, struct fault *f)
{
    struct trait_unknown_row *unknown;
    struct str list = { 0 };
    size_t count;

    if (trait_unknown(call->db, names, &unknown, &count, f) < 0)
        return -1;
    if (count == 0)
        return 0;
    for (size_t i = 0; i < count; i++)
        str_addf(&list, "%s%s", i == 0 ? "" : ", ", unknown[i].name);
    fault_raise(f, FAULT_INVALID, "No such trait %s", str_text(&list));
    str_done(&list);
    return -1;
}

int
provider_traits_update(struct call *call, const struct provider_traits *in, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct provider_lock_row provider;
    struct trait_row *rows;
    size_t count;

    for (size_t i = 0; i < in->traits.count; i++) {
        const char *name = in->traits.items[i];

        if (name[0] == '\0' || str_utf8_length(name) > 255)
            return fault_keyword(
                f, name[0] == '\0' ? "minLength" : "maxLength",
                fault_raise_field(
                    f, "traits",
                    "Invalid input for field/attribute traits. Value: %.300s. '%.300s' is too %s",
                    name, name, name[0] == '\0' ? "short" : "long"));
    }
    if (db_tx_begin(&tx, call->db, f) < 0 || provider_lock_path(call, &tx, &provider, f) < 0)
        return -1;
    if (provider.generation != in->resource_provider_generation)
        return fault_raise_code(f, FAULT_CONFLICT, CODE_CONCURRENT_UPDATE,
                                "Resource provider's generation already changed. Please update the "
                                "generation and try again.");
    if (check_known(call, &in->traits, f) < 0 || set_traits(call, &provider, &in->traits, f) < 0)
        return -1;
    if (provider_trait_list(call->db, provider.id, &rows, &count, f) < 0 ||
        db_tx_commit(&tx, f) < 0)
        return -1;
    reply_provider(call, rows, count, provider.generation);
    return 0;
}

int
provider_traits_delete(struct call *call, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct provider_lock_row provider;
    const struct texts none = { 0 };

    if (db_tx_begin(&tx, call->db, f) < 0 || provider_lock_path(call, &tx, &provider, f) < 0)
        return -1;
    if (set_traits(call, &provider, &none, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}
