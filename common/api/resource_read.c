/* Reading: loading a row, rendering rows, and the verbs list and show. */
#include "../base/array.h"
#include "../base/json.h"
#include "../http/url.h"
#include "call.h"
#include "dispatch.h"
#include "list_plan.h"
#include "resource_sql.h"

int
resource_not_found(const struct resource *r, const char *id, struct fault *f)
{
    if (r->not_found != NULL) {
        const char *mark = strstr(r->not_found, "%s");

        if (mark == NULL)
            return fault_raise_code(f, FAULT_NOT_FOUND,
                                    r->not_found_code == NULL ? "" : r->not_found_code, "%s",
                                    r->not_found);
        return fault_raise_code(f, FAULT_NOT_FOUND,
                                r->not_found_code == NULL ? "" : r->not_found_code, "%.*s%.100s%s",
                                (int)(mark - r->not_found), r->not_found, id, mark + 2);
    }
    return fault_raise_code(f, FAULT_NOT_FOUND, r->not_found_code == NULL ? "" : r->not_found_code,
                            "%s %.100s could not be found.", r->title, id);
}

int
resource_load(struct db *db, const struct resource *r, const char *id, const char *scope, bool lock,
              void *row, struct fault *f)
{
    _cleanup_(str_done) struct str sql = { 0 };
    struct db_param params[2] = { db_text(id), db_text(scope) };
    struct db_result result;

    str_add(&sql, "SELECT ");
    resource_columns(r, &sql);
    str_addf(&sql, " FROM %s WHERE id = $1", r->table);
    if (scope != NULL) {
        str_add(&sql, " AND ");
        resource_scope_condition(r, 2, &sql);
    }
    if (lock)
        str_add(&sql, " FOR UPDATE");
    if (db_run(db, resource_statement_name(&sql, db->arena), str_text(&sql), params,
               scope == NULL ? 1 : 2, &result, f) < 0)
        return -1;
    if (result.rows == 0)
        return resource_not_found(r, id, f);
    return resource_read_row(r, result.values[0], db->arena, row, f);
}

const char *
resource_rule(struct call *c, const struct resource *r, const void *row)
{
    const char *rule = r->hooks != NULL && r->hooks->rule != NULL ? r->hooks->rule(c, row) : NULL;

    return rule != NULL ? rule : c->operation->policy;
}

const char *
resource_text(const struct resource *r, const void *row, const char *name, struct arena *a)
{
    for (unsigned i = 0; i < r->schema->count; i++) {
        const struct field *field = &r->schema->fields[i];
        const void *at = field_at_const(field, row);

        if (!str_equal(field->name, name) && !str_equal(field->column, name))
            continue;
        if (!field_given(row, i) || field_null(row, i))
            return NULL;
        switch (field->type) {
        case T_TEXT:
            return *(const char *const *)at;
        case T_INT:
            return arena_printf(a, "%lld", (long long)*(const int64_t *)at);
        case T_BOOL:
            return *(const bool *)at ? "True" : "False";
        case T_ENUM:
            return field->names[*(const int *)at];
        default:
            return NULL;
        }
    }
    return NULL;
}

/* --- Rendering */

/* Which fields this answer shows: the same for all its rows, so it is worked out once. */
struct shown {
    uint64_t bits[2];
};

static bool
in_fields(const struct texts *fields, const char *name)
{
    for (size_t i = 0; i < fields->count; i++) {
        if (str_equal(fields->items[i], name))
            return true;
    }
    return fields->count == 0;
}

static struct shown
work_out(struct call *c, const struct resource *r, enum view view, const struct texts *fields)
{
    const struct policy *policy = api_server_policy(c->server);
    struct shown shown = { { 0 } };
    char rule[256];

    for (unsigned i = 0; i < r->schema->count; i++) {
        const struct field *field = &r->schema->fields[i];

        if ((field->flags & F_WRITE_ONLY) != 0 ||
            (c->request->method > HTTP_HEAD && (field->flags & F_GET_ONLY) != 0) ||
            (view == VIEW_SUMMARY && (field->flags & F_DETAIL) != 0) ||
            (view == VIEW_DETAIL && (field->flags & F_SUMMARY_ONLY) != 0))
            continue;
        if (c->version != 0 && ((field->since != 0 && c->version < field->since) ||
                                (field->until != 0 && c->version > field->until)))
            continue;
        if (fields != NULL && !in_fields(fields, field->name))
            continue;
        if (field->has_policy) {
            snprintf(rule, sizeof(rule), "get_%s:%s", r->key, field->name);
            if (policy_has(policy, rule) && !call_allowed(c, rule, r, NULL))
                continue;
        }
        shown.bits[i / 64] |= UINT64_C(1) << (i % 64);
    }
    return shown;
}

static void
write_spread(json_t *members, struct jsonw *w)
{
    const char *key;
    json_t *value;

    json_object_foreach(members, key, value) jsonw_json(w, key, value);
}

static void
write_field(struct call *c, const struct field *field, const void *row, struct jsonw *w)
{
    const void *at = field_at_const(field, row);
    const char *items;
    size_t count;

    switch (field->type) {
    case T_TEXT:
        jsonw_text(w, field->name, *(const char *const *)at);
        break;
    case T_INT:
        jsonw_int(w, field->name, *(const int64_t *)at);
        break;
    case T_NUMBER:
        jsonw_double(w, field->name, *(const double *)at);
        break;
    case T_BOOL:
        jsonw_bool(w, field->name, *(const bool *)at);
        break;
    case T_TIME:
        call_write_time(c, w, field->name, *(const int64_t *)at);
        break;
    case T_ENUM:
        jsonw_text(w, field->name, field->names[*(const int *)at]);
        break;
    case T_TEXTS:
        jsonw_array(w, field->name);
        for (size_t i = 0; i < ((const struct texts *)at)->count; i++)
            jsonw_text(w, NULL, ((const struct texts *)at)->items[i]);
        jsonw_end(w);
        break;
    case T_JSON:
        if ((field->flags & F_SPREAD) != 0)
            write_spread(*(json_t *const *)at, w);
        else
            jsonw_json(w, field->name, *(json_t *const *)at);
        break;
    case T_OBJECT:
        if (*(void *const *)at == NULL)
            jsonw_null(w, field->name);
        else
            schema_write(field->object, *(void *const *)at, w, field->name);
        break;
    case T_OBJECTS:
        items = *(void *const *)at;
        count = *(const size_t *)(const void *)((const char *)row + field->count_offset);
        jsonw_array(w, field->name);
        for (size_t i = 0; i < count; i++)
            schema_write(field->object, items + i * field->object->size, w, NULL);
        jsonw_end(w);
        break;
    }
}

/* "/v3/{project_id}/volumes", with the row's and the request's own values in the braces. */
static char *
fill_path(struct call *c, const struct resource *r, const void *row, const char *template)
{
    struct str path = { 0 };
    char *copy;

    for (const char *at = template; *at != '\0';) {
        if (*at == '{') {
            const char *name = arena_strndup(c->arena, at + 1, strcspn(at + 1, "}"));
            const char *text = str_equal(name, "project_id") && c->auth.project_id != NULL
                                   ? c->auth.project_id
                                   : "";

            if (call_param_find(c, name) != NULL)
                text = call_param_find(c, name);
            if (resource_text(r, row, name, c->arena) != NULL)
                text = resource_text(r, row, name, c->arena);
            str_add(&path, url_encode(c->arena, text));
            at += strlen(name) + 2;
        } else {
            str_add_char(&path, *at++);
        }
    }
    copy = arena_strdup(c->arena, str_text(&path));
    str_done(&path);
    return copy;
}

static void
write_links(struct call *c, const struct resource *r, const void *row, const char *id,
            struct jsonw *w)
{
    const char *path = fill_path(c, r, row, r->path);
    struct dialect_link more[4] = { { NULL, NULL } };

    for (size_t i = 0; r->links != NULL && r->links[i].name != NULL; i++)
        more[i] = (struct dialect_link){ r->links[i].name, fill_path(c, r, row, r->links[i].text) };
    dialect_all_links(c->dialect, w, c->base_url,
                      arena_printf(c->arena, "%s/%s", path, url_encode(c->arena, id)), more);
}

static void
write_row(struct call *c, const struct resource *r, const void *row, const struct shown *shown,
          bool links, struct jsonw *w, const char *key)
{
    const char *id = *(const char *const *)field_at_const(&r->schema->fields[r->id_field], row);

    jsonw_object(w, key);
    for (unsigned i = 0; i < r->schema->count; i++) {
        const struct field *field = &r->schema->fields[i];

        if ((shown->bits[i / 64] >> (i % 64) & 1) == 0)
            continue;
        if (field_null(row, i) || !field_given(row, i)) {
            if ((field->flags & F_HIDE_NULL) == 0)
                jsonw_null(w, field->name);
        } else {
            write_field(c, field, row, w);
        }
    }
    if (links && r->path != NULL && id != NULL)
        write_links(c, r, row, id, w);
    jsonw_end(w);
}

void
resource_write(struct call *c, const struct resource *r, const void *row, enum view view,
               struct jsonw *w, const char *key)
{
    struct shown shown = work_out(c, r, view, NULL);

    write_row(c, r, row, &shown, true, w, key);
}

int
resource_load_computed(struct call *c, const struct resource *r, void *const *rows, size_t count,
                       struct fault *f)
{
    if (r->hooks == NULL || r->hooks->load == NULL || count == 0)
        return 0;
    return r->hooks->load(c, c->db, rows, count, f);
}

int
resource_reply(struct call *c, const struct resource *r, void *row, struct fault *f)
{
    struct jsonw *w;

    if (resource_load_computed(c, r, &row, 1, f) < 0)
        return -1;
    w = call_json(c);
    if (c->dialect->envelope) {
        jsonw_object(w, NULL);
        resource_write(c, r, row, VIEW_DETAIL, w, r->key);
        jsonw_end(w);
    } else {
        resource_write(c, r, row, VIEW_DETAIL, w, NULL);
    }
    return 0;
}

/* --- Lists */

/* This request's URL with another marker (NULL: none); limit and filters stay. */
static char *
page_url(struct call *c, const char *marker, bool reverse, bool absolute)
{
    struct str url = { 0 };
    char *copy;

    str_addf(&url, "%s%s", absolute ? c->base_url : "", c->request->path);
    for (size_t i = 0; i < c->request->query_count; i++) {
        const struct http_pair *q = &c->request->query[i];

        if (!str_equal(q->name, "marker") && !str_equal(q->name, "page_reverse"))
            url_add_query(&url, q->name, q->value == NULL ? "" : q->value);
    }
    if (marker != NULL)
        url_add_query(&url, "marker", marker);
    if (reverse)
        url_add_query(&url, "page_reverse", "True");
    copy = arena_strdup(c->arena, str_text(&url));
    str_done(&url);
    return copy;
}

static const char *
row_id(const struct resource *r, const void *row)
{
    return *(const char *const *)field_at_const(&r->schema->fields[r->id_field], row);
}

static void
write_list(struct call *c, const struct list_plan *p, void *const *rows, size_t count, bool more)
{
    const struct resource *r = p->resource;
    struct shown shown = work_out(c, r, p->view, &p->fields);
    const char *next = NULL, *previous = NULL;
    bool absolute = c->dialect->id != DIALECT_GLANCE;
    bool links = p->fields.count == 0;
    struct jsonw *w = call_json(c);

    jsonw_object(w, NULL);
    jsonw_array(w, r->plural);
    for (size_t i = 0; i < count; i++)
        write_row(c, r, rows[i], &shown, links, w, NULL);
    jsonw_end(w);
    if (count > 0 && p->page_reverse) {
        previous = more ? page_url(c, row_id(r, rows[0]), true, absolute) : NULL;
        next = page_url(c, row_id(r, rows[count - 1]), false, absolute);
    } else if (count > 0) {
        next = more ? page_url(c, row_id(r, rows[count - 1]), false, absolute) : NULL;
        if (c->dialect->id == DIALECT_NEUTRON && p->limit_given && p->marker != NULL)
            previous = page_url(c, row_id(r, rows[0]), true, absolute);
    }
    dialect_list_links(c->dialect, w, r->plural,
                       absolute ? arena_printf(c->arena, "%s%s%s%s", c->base_url, c->request->path,
                                               c->request->query_text[0] == '\0' ? "" : "?",
                                               c->request->query_text)
                                : page_url(c, NULL, false, false),
                       next, previous);
    jsonw_end(w);
}

int
list_plan_reply(struct call *c, struct list_plan *p, struct fault *f)
{
    void **rows;
    size_t count;
    bool more;

    if (list_plan_run(c->db, p, &rows, &count, &more, f) < 0) {
        if (f->kind == FAULT_NOT_FOUND && p->marker != NULL &&
            c->dialect->unknown_marker_status == 400) {
            fault_clear(f);
            return fault_raise_field(f, "marker", "marker [%.100s] not found", p->marker);
        }
        return -1;
    }
    if (resource_load_computed(c, p->resource, rows, count, f) < 0)
        return -1;
    write_list(c, p, rows, count, more);
    return 0;
}

int
resource_verb_list(struct call *c, struct fault *f)
{
    const struct operation *o = c->operation;
    const struct resource *r = o->resource;
    const char *rule = resource_rule(c, r, NULL);
    struct list_plan plan;

    if (rule != NULL && call_enforce(c, rule, r, NULL, f) < 0)
        return -1;
    if (list_plan_make(c, r, o->view, &plan, f) < 0)
        return -1;
    if (r->hooks != NULL && r->hooks->plan_list != NULL && r->hooks->plan_list(c, &plan, f) < 0)
        return -1;
    return list_plan_reply(c, &plan, f);
}

int
resource_verb_show(struct call *c, struct fault *f)
{
    const struct operation *o = c->operation;
    const struct resource *r = o->resource;
    void *row = arena_alloc(c->arena, r->schema->size);
    const char *rule;
    struct texts fields = { .items =
                                ARENA_ARRAY(c->arena, const char *, c->request->query_count + 1) };

    if (resource_load(c->db, r, call_param(c, o->path_id), call_scope_of(c, r), false, row, f) < 0)
        return call_hide_missing(c, o->policy, f);
    rule = resource_rule(c, r, row);
    if (rule != NULL && call_enforce(c, rule, r, row, f) < 0)
        return -1;
    for (size_t i = 0; c->dialect->id == DIALECT_NEUTRON && i < c->request->query_count; i++) {
        if (str_equal(c->request->query[i].name, "fields"))
            fields.items[fields.count++] = c->request->query[i].value;
    }
    if (fields.count > 0) {
        struct shown shown = work_out(c, r, VIEW_DETAIL, &fields);
        struct jsonw *w;

        if (resource_load_computed(c, r, &row, 1, f) < 0)
            return -1;
        w = call_json(c);
        jsonw_object(w, NULL);
        write_row(c, r, row, &shown, false, w, r->key);
        jsonw_end(w);
        return 0;
    }
    return resource_reply(c, r, row, f);
}
