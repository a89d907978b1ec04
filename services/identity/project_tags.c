/* /v3/projects/{id}/tags: words that a project is found by. The project may be a domain. */
#include "base/str.h"
#include "immutable.h"
#include "owner.h"

struct tagged {
    const struct resource *resource; /* project_resource or domain_project_resource */
    const void *row;
    const char *id;
    struct texts tags;
    bool immutable;
};

/* Loads the project and asks the operation's rule. */
static int
load_tagged(struct call *call, struct db *db, bool lock, struct tagged *ret, struct fault *f)
{
    struct project *project = ARENA_NEW(call->arena, struct project);
    struct domain_project *domain = ARENA_NEW(call->arena, struct domain_project);
    const char *id = call_param(call, "project_id");
    struct call_object object;

    if (resource_load(db, &project_resource, id, NULL, lock, project, f) == 0) {
        *ret = (struct tagged){ &project_resource, project, project->id, project->tags,
                                immutable_is_set(project->options) };
    } else {
        if (f->kind != FAULT_NOT_FOUND)
            return -1;
        fault_clear(f);
        if (resource_load(db, &domain_project_resource, id, NULL, lock, domain, f) < 0)
            return call_hide_missing(call, call->operation->policy, f);
        *ret = (struct tagged){ &domain_project_resource, domain, domain->id, domain->tags,
                                immutable_is_set(domain->options) };
    }
    object = (struct call_object){ ret->resource, ret->row };
    return call_enforce_among(call, call->operation->policy, &object, 1, f);
}

static int
store(struct call *call, struct db_tx *tx, const struct tagged *t, struct texts tags,
      struct fault *f)
{
    struct project project = { .tags = tags };
    struct domain_project domain = { .tags = tags };

    (void)call;
    field_mark(&project.set, PROJECT_F_TAGS);
    field_mark(&domain.set, DOMAIN_PROJECT_F_TAGS);
    return resource_change(tx->db, t->resource, t->id,
                           t->resource == &project_resource ? (void *)&project : (void *)&domain,
                           f);
}

static int
check_change(const struct tagged *t, const char *verb, struct fault *f)
{
    if (!t->immutable)
        return 0;
    return fault_raise(f, FAULT_FORBIDDEN,
                       "Cannot %s project tags for %.64s, project is immutable. Set \"immutable\" "
                       "option to false before creating project tags.",
                       verb, t->id);
}

static bool
has_tag(const struct tagged *t, const char *tag)
{
    for (size_t i = 0; i < t->tags.count; i++) {
        if (str_equal(t->tags.items[i], tag))
            return true;
    }
    return false;
}

static int
no_tag(const char *tag, struct fault *f)
{
    return fault_raise(f, FAULT_NOT_FOUND, "Could not find project tag: %.255s.", tag);
}

static void
reply_tags(struct call *call, const struct texts *tags)
{
    struct jsonw *w = call_json(call);

    jsonw_object(w, NULL);
    jsonw_object(w, "links");
    jsonw_text(w, "self", call_url(call, "%s", call->request->path));
    jsonw_end(w);
    jsonw_array(w, "tags");
    for (size_t i = 0; i < tags->count; i++)
        jsonw_text(w, NULL, tags->items[i]);
    jsonw_end(w);
    jsonw_end(w);
}

int
project_tags_list(struct call *call, struct fault *f)
{
    struct tagged t;

    if (load_tagged(call, call->db, false, &t, f) < 0)
        return -1;
    reply_tags(call, &t.tags);
    return 0;
}

int
project_tags_replace(struct call *call, const struct project_tags *in, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct texts tags = { .items = ARENA_ARRAY(call->arena, const char *, in->tags.count + 1),
                          .count = in->tags.count };
    struct tagged t;

    for (size_t i = 0; i < tags.count; i++)
        tags.items[i] = owner_trim(call, in->tags.items[i]);
    if (db_tx_begin(&tx, call->db, f) < 0 || load_tagged(call, tx.db, true, &t, f) < 0 ||
        check_change(&t, "update", f) < 0 || store(call, &tx, &t, tags, f) < 0 ||
        db_tx_commit(&tx, f) < 0)
        return -1;
    reply_tags(call, &tags);
    return 0;
}

int
project_tags_clear(struct call *call, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct tagged t;

    if (db_tx_begin(&tx, call->db, f) < 0 || load_tagged(call, tx.db, true, &t, f) < 0 ||
        check_change(&t, "update", f) < 0 || store(call, &tx, &t, (struct texts){ 0 }, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}

int
project_tag_check(struct call *call, struct fault *f)
{
    struct tagged t;

    if (load_tagged(call, call->db, false, &t, f) < 0)
        return -1;
    return has_tag(&t, call_param(call, "value")) ? 0 : no_tag(call_param(call, "value"), f);
}

/* The tag in the path by the rules for those in a body: as an update of the list with it. */
static int
with_new_tag(struct call *call, const struct tagged *t, struct texts *ret, struct fault *f)
{
    json_t *tags = json_array();
    json_auto_t *body = json_pack("{s:o}", "tags", tags);
    struct project_tags parsed = { 0 };

    for (size_t i = 0; i < t->tags.count; i++)
        json_array_append_new(tags, json_string(t->tags.items[i]));
    json_array_append_new(tags, json_string(call_param(call, "value")));
    if (schema_parse(&project_tags_schema, body, SCHEMA_CREATE, 0, "", call->arena, &parsed, f) < 0)
        return -1;
    *ret = parsed.tags;
    ret->items[ret->count - 1] = owner_trim(call, ret->items[ret->count - 1]);
    return 0;
}

int
project_tag_add(struct call *call, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    struct texts tags;
    struct tagged t;

    if (db_tx_begin(&tx, call->db, f) < 0 || load_tagged(call, tx.db, true, &t, f) < 0 ||
        with_new_tag(call, &t, &tags, f) < 0 || check_change(&t, "create", f) < 0 ||
        store(call, &tx, &t, tags, f) < 0 || db_tx_commit(&tx, f) < 0)
        return -1;
    call_header(call, "Location", call_url(call, "%s", call->request->path));
    return 0;
}

int
project_tag_remove(struct call *call, struct fault *f)
{
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    const char *tag = call_param(call, "value");
    struct texts tags = { 0 };
    struct tagged t;

    if (db_tx_begin(&tx, call->db, f) < 0 || load_tagged(call, tx.db, true, &t, f) < 0 ||
        check_change(&t, "delete", f) < 0)
        return -1;
    if (!has_tag(&t, tag))
        return no_tag(tag, f);
    tags.items = ARENA_ARRAY(call->arena, const char *, t.tags.count);
    for (size_t i = 0; i < t.tags.count; i++) {
        if (!str_equal(t.tags.items[i], tag))
            tags.items[tags.count++] = t.tags.items[i];
    }
    if (store(call, &tx, &t, tags, f) < 0)
        return -1;
    return db_tx_commit(&tx, f);
}
