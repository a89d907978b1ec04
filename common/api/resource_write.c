/* Writing: insert, change, remove, and the verbs create, update and delete around them. */
#include <stdlib.h>

#include "../base/array.h"
#include "../base/json.h"
#include "../base/str.h"
#include "../base/uuid.h"
#include "call.h"
#include "dispatch.h"
#include "resource_sql.h"

/* --- Statements */

/* A constraint that spoke, in the resource's words. A text may begin with "[WireCode] ". */
static int
constraint_fault(const struct resource *r, const void *row, struct fault *f)
{
    int named_by = r->name_field < 0 ? r->id_field : r->name_field;
    const char *name = *(const char *const *)field_at_const(&r->schema->fields[named_by], row);
    const struct resource_text *tables[] = { r->unique, r->in_use };
    char code[64] = "";

    if (f->kind != FAULT_CONFLICT || f->code[0] == '\0')
        return -1;
    for (size_t t = 0; t < ARRAY_SIZE(tables); t++) {
        for (const struct resource_text *x = tables[t]; x != NULL && x->name != NULL; x++) {
            const char *text = x->text, *mark;

            if (!str_equal(x->name, f->code))
                continue;
            if (text[0] == '[' && strchr(text, ']') != NULL) {
                snprintf(code, sizeof(code), "%.*s", (int)(strchr(text, ']') - text - 1), text + 1);
                text = strchr(text, ']') + 1;
                text += strspn(text, " ");
            }
            fault_clear(f);
            mark = strstr(text, "%s");
            if (mark == NULL)
                return fault_raise_code(f, FAULT_CONFLICT, code, "%s", text);
            return fault_raise_code(f, FAULT_CONFLICT, code, "%.*s%.255s%s", (int)(mark - text),
                                    text, name == NULL ? "" : name, mark + 2);
        }
    }
    snprintf(f->cause, sizeof(f->cause), "constraint %s", f->code);
    f->code[0] = '\0';
    snprintf(f->message, sizeof(f->message), "Conflict occurred attempting to store %s.", r->key);
    return -1;
}

static bool
written(const struct resource *r, unsigned index, const void *row)
{
    return field_stored(&r->schema->fields[index]) && field_given(row, index);
}

static int
field_of_column(const struct resource *r, const char *column)
{
    for (int i = 0; column != NULL && i < (int)r->schema->count; i++) {
        if (field_stored(&r->schema->fields[i]) && str_equal(r->schema->fields[i].column, column))
            return i;
    }
    return -1;
}

/* Where the row stands that has its id within another object only. */
static const char **
scope_member(const struct resource *r, void *row)
{
    int index = field_of_column(r, r->scope_column);

    return index < 0 ? NULL : field_at(&r->schema->fields[index], row);
}

static const char *
scope_value(const struct resource *r, const void *row)
{
    const char **at = scope_member(r, (void *)(uintptr_t)row);

    return at == NULL ? NULL : *at;
}

int
resource_insert(struct db *db, const struct resource *r, void *row, struct fault *f)
{
    _cleanup_(str_done) struct str sql = { 0 };
    _cleanup_(str_done) struct str values = { 0 };
    struct db_param *params = ARENA_ARRAY(db->arena, struct db_param, r->schema->count);
    struct db_result result;
    size_t count = 0;

    str_addf(&sql, "INSERT INTO %s (", r->table);
    for (unsigned i = 0; i < r->schema->count; i++) {
        if (!written(r, i, row))
            continue;
        str_addf(&sql, "%s%s", count == 0 ? "" : ", ", r->schema->fields[i].column);
        params[count++] = resource_param(&r->schema->fields[i], i, row, db->arena);
        str_addf(&values, "%s$%zu", count == 1 ? "" : ", ", count);
    }
    str_addf(&sql, ") VALUES (%s) RETURNING ", str_text(&values));
    resource_columns(r, &sql);
    if (db_run(db, resource_statement_name(&sql, db->arena), str_text(&sql), params, count, &result,
               f) < 0)
        return constraint_fault(r, row, f);
    return resource_read_row(r, result.values[0], db->arena, row, f);
}

int
resource_change(struct db *db, const struct resource *r, const char *id, void *row, struct fault *f)
{
    _cleanup_(str_done) struct str sql = { 0 };
    struct db_param *params = ARENA_ARRAY(db->arena, struct db_param, r->schema->count + 2);
    struct db_result result;
    size_t count = 0;

    str_addf(&sql, "UPDATE %s SET ", r->table);
    for (unsigned i = 0; i < r->schema->count; i++) {
        if (!written(r, i, row) || i == (unsigned)r->id_field)
            continue;
        params[count++] = resource_param(&r->schema->fields[i], i, row, db->arena);
        str_addf(&sql, "%s%s = ", count == 1 ? "" : ", ", r->schema->fields[i].column);
        if ((r->schema->fields[i].flags & F_SPREAD_ANY) != 0)
            str_addf(&sql, "%s || $%zu::jsonb", r->schema->fields[i].column, count);
        else
            str_addf(&sql, "$%zu", count);
    }
    if (count == 0)
        return resource_load(db, r, id, r->scope == RESOURCE_PATH ? scope_value(r, row) : NULL,
                             false, row, f);
    if (r->updated_field >= 0 && field_stored(&r->schema->fields[r->updated_field]) &&
        !field_given(row, (unsigned)r->updated_field))
        str_addf(&sql, ", %s = clock_timestamp()", r->schema->fields[r->updated_field].column);
    params[count++] = db_text(id);
    str_addf(&sql, " WHERE id = $%zu", count);
    if (r->scope == RESOURCE_PATH) {
        params[count++] = db_text(scope_value(r, row));
        str_addf(&sql, " AND %s = $%zu", r->scope_column, count);
    }
    str_add(&sql, " RETURNING ");
    resource_columns(r, &sql);
    if (db_run(db, resource_statement_name(&sql, db->arena), str_text(&sql), params, count, &result,
               f) < 0)
        return constraint_fault(r, row, f);
    if (result.rows == 0)
        return resource_not_found(r, id, f);
    return resource_read_row(r, result.values[0], db->arena, row, f);
}

int
resource_remove_row(struct db *db, const struct resource *r, const void *row, struct fault *f)
{
    _cleanup_(str_done) struct str sql = { 0 };
    struct db_param params[2] = { db_text(
        *(const char *const *)field_at_const(&r->schema->fields[r->id_field], row)) };
    struct db_result result;
    size_t count = 1;

    str_addf(&sql, "DELETE FROM %s WHERE id = $1", r->table);
    if (r->scope == RESOURCE_PATH) {
        params[count++] = db_text(scope_value(r, row));
        str_addf(&sql, " AND %s = $2", r->scope_column);
    }
    if (db_run(db, resource_statement_name(&sql, db->arena), str_text(&sql), params, count, &result,
               f) == 0)
        return 0;
    return constraint_fault(r, row, f);
}

int
resource_remove(struct db *db, const struct resource *r, const char *id, struct fault *f)
{
    void *row = arena_alloc(db->arena, r->schema->size);

    *(const char **)field_at(&r->schema->fields[r->id_field], row) = id;
    return resource_remove_row(db, r, row, f);
}

/* --- What create and update share */

static bool
is_default(const struct field *field, const json_t *value)
{
    json_auto_t *fallback =
        (field->flags & F_DEFAULT) != 0 ? json_loads(field->fallback, JSON_DECODE_ANY, NULL) : NULL;

    return fallback != NULL && json_equal(fallback, value);
}

/* The row as it will be: 'old' with what is given in 'row'. For rules that look at a member's new value. */
static void *
merged(struct call *c, const struct resource *r, const void *old, const void *row)
{
    static const size_t sizes[] = {
        [T_TEXT] = sizeof(const char *),  [T_INT] = sizeof(int64_t),   [T_NUMBER] = sizeof(double),
        [T_BOOL] = sizeof(bool),          [T_TIME] = sizeof(int64_t),  [T_ENUM] = sizeof(int),
        [T_TEXTS] = sizeof(struct texts), [T_JSON] = sizeof(json_t *), [T_OBJECT] = sizeof(void *),
        [T_OBJECTS] = sizeof(void *),
    };
    void *all = arena_memdup(c->arena, old, r->schema->size);

    for (unsigned i = 0; i < r->schema->count; i++) {
        const struct field *field = &r->schema->fields[i];

        if (!field_given(row, i))
            continue;
        memcpy(field_at(field, all), field_at_const(field, row), sizes[field->type]);
        if (field->type == T_OBJECTS)
            memcpy((char *)all + field->count_offset, (const char *)row + field->count_offset,
                   sizeof(size_t));
        if (field_null(row, i))
            field_mark_null(all, i);
        else
            field_mark(all, i);
    }
    return all;
}

/* Rules for single members: "<rule of the operation>:<member>", for those the client sent. */
static int
enforce_members(struct call *c, const struct resource *r, const json_t *body, const void *row,
                struct fault *f)
{
    char rule[256];

    for (size_t i = 0; i < r->schema->count; i++) {
        const struct field *field = &r->schema->fields[i];

        if (!field->has_policy || json_object_get(body, field->name) == NULL)
            continue;
        if (c->operation->verb == VERB_CREATE &&
            is_default(field, json_object_get(body, field->name)))
            continue; /* As if he had said nothing. */
        snprintf(rule, sizeof(rule), "%s:%s", c->operation->policy, field->name);
        if (policy_has(api_server_policy(c->server), rule) && call_enforce(c, rule, r, row, f) < 0)
            return -1;
    }
    return 0;
}

static bool
says_the_same(const json_t *value, const char *stored)
{
    if (json_is_boolean(value))
        return str_equal(json_is_true(value) ? "True" : "False", stored);
    return json_is_string(value) || json_is_null(value)
               ? str_equal(json_string_value(value), stored)
               : false;
}

/* Schemas that ignore what they don't take let a client send the whole object back; what is never changed may stand in it as it is. */
static int
check_unchanged(struct call *c, const struct resource *r, const json_t *body, const void *old,
                struct fault *f)
{
    const json_t *sent_id = json_object_get(body, "id");

    if (c->dialect->id == DIALECT_KEYSTONE && sent_id != NULL && !json_is_null(sent_id) &&
        !says_the_same(sent_id, resource_text(r, old, "id", c->arena)))
        return fault_raise_field(f, "id", "Cannot change ID");
    for (size_t i = 0; i < r->schema->count; i++) {
        const struct field *field = &r->schema->fields[i];
        const json_t *value = json_object_get(body, field->name);

        if ((field->flags & F_IMMUTABLE) == 0 || value == NULL ||
            (field->type != T_TEXT && field->type != T_BOOL))
            continue;
        if (!says_the_same(value, resource_text(r, old, field->name, c->arena)))
            return fault_raise_field(f, field->name, "'%s' cannot be changed.", field->name);
    }
    return 0;
}

/* A second name that was sent (tenant_id) sets the column's first. */
static void
take_aliases(const struct resource *r, void *row)
{
    for (unsigned i = 0; i < r->schema->count; i++) {
        const struct field *alias = &r->schema->fields[i];

        for (unsigned j = 0;
             (alias->flags & F_ALIAS) != 0 && field_given(row, i) && j < r->schema->count; j++) {
            const struct field *field = &r->schema->fields[j];

            if (!field_stored(field) || !str_equal(field->column, alias->column) ||
                alias->type != T_TEXT || field_given(row, j))
                continue;
            *(const char **)field_at(field, row) = *(const char *const *)field_at_const(alias, row);
            field_mark(row, j);
        }
    }
}

/* The new row belongs to the caller's project (domain, user), unless he may act for others and says so. */
static int
fill_scope(struct call *c, const struct resource *r, void *row, struct fault *f)
{
    int index = field_of_column(r, r->scope_column);
    const char *own = r->scope == RESOURCE_PROJECT  ? c->auth.project_id
                      : r->scope == RESOURCE_DOMAIN ? c->auth.domain_id
                                                    : c->auth.user_id;
    const char **at;

    if (index < 0)
        return 0;
    at = field_at(&r->schema->fields[index], row);
    if (r->scope == RESOURCE_PATH)
        own = call_param(c, r->scope_column);
    else if (field_given(row, (unsigned)index) && *at != NULL) {
        if (!str_equal(*at, own) && !call_sees_all(c))
            return fault_raise_field(f, r->schema->fields[index].name,
                                     "Specifying '%s' different from the caller's is not allowed.",
                                     r->schema->fields[index].name);
        return 0;
    }
    if (own == NULL)
        return fault_raise(f, FAULT_FORBIDDEN, "The token is not scoped to a %s.",
                           r->scope == RESOURCE_PROJECT ? "project" : "domain");
    *at = own;
    field_mark(row, (unsigned)index);
    return 0;
}

/* From the path of a PUT, from the body, or a new one. */
static int
fill_id(struct call *c, const struct resource *r, void *row, struct fault *f)
{
    const char **at = field_at(&r->schema->fields[r->id_field], row);

    if (c->operation->path_id != NULL) {
        const char *id = call_param(c, c->operation->path_id);

        if (field_given(row, (unsigned)r->id_field) && !str_equal(*at, id))
            return fault_raise_field(f, "id", "The id in the body is not the one in the URL.");
        if (schema_check_text(&r->schema->fields[r->id_field], id, c->operation->path_id, f) < 0)
            return -1;
        *at = id;
        field_mark(row, (unsigned)r->id_field);
        return 0;
    }
    if (field_given(row, (unsigned)r->id_field) && *at != NULL)
        return 0;
    *at = c->dialect->id == DIALECT_KEYSTONE ? uuid_make_hex(c->arena) : uuid_make(c->arena);
    field_mark(row, (unsigned)r->id_field);
    return 0;
}

static int
envelope(struct call *c, const struct resource *r, const json_t **ret, struct fault *f)
{
    const json_t *body = c->body;

    if (c->dialect->envelope)
        body = json_object_get(c->body, r->key);
    if (!json_is_object(body))
        return fault_raise_field(
            f, r->key, "Invalid input for field/attribute body. '%s' is a required property",
            r->key);
    *ret = body;
    return 0;
}

/* --- create */

static int
parse_new(struct call *c, const struct resource *r, const json_t *body, void **ret, struct fault *f)
{
    void *row = arena_alloc(c->arena, r->schema->size);
    const char *rule;

    if (schema_parse(r->schema, body, SCHEMA_CREATE, c->version, c->dialect->envelope ? r->key : "",
                     c->arena, row, f) < 0)
        return -1;
    take_aliases(r, row);
    if (fill_scope(c, r, row, f) < 0 || fill_id(c, r, row, f) < 0)
        return -1;
    if (r->hooks != NULL && r->hooks->target != NULL && r->hooks->target(c, c->db, row, f) < 0)
        return -1;
    rule = resource_rule(c, r, row);
    if (rule != NULL && call_enforce(c, rule, r, row, f) < 0)
        return -1;
    if (enforce_members(c, r, body, row, f) < 0)
        return -1;
    *ret = row;
    return 0;
}

static int
store_new(struct call *c, const struct resource *r, struct db_tx *tx, void *row, struct fault *f)
{
    const struct resource_hooks *h = r->hooks;

    if (h != NULL && h->prepare_create != NULL && h->prepare_create(c, tx, row, f) < 0)
        return -1;
    if (resource_insert(tx->db, r, row, f) < 0)
        return -1;
    return h != NULL && h->after_create != NULL ? h->after_create(c, tx, row, f) : 0;
}

static int
settle(struct call *c, const struct resource *r, struct db_tx *tx, struct fault *f)
{
    return r->hooks != NULL && r->hooks->settle != NULL ? r->hooks->settle(c, tx, f) : 0;
}

static int
reply_many(struct call *c, const struct resource *r, void *const *rows, size_t count,
           struct fault *f)
{
    struct jsonw *w;

    if (resource_load_computed(c, r, rows, count, f) < 0)
        return -1;
    w = call_json(c);
    jsonw_object(w, NULL);
    jsonw_array(w, r->plural);
    for (size_t i = 0; i < count; i++)
        resource_write(c, r, rows[i], VIEW_DETAIL, w, NULL);
    jsonw_end(w);
    jsonw_end(w);
    return 0;
}

/* One object, or a list of them. */
static int
choose_body(struct call *c, const struct resource *r, const json_t **ret_one,
            const json_t **ret_many, struct fault *f)
{
    bool only_many = (c->operation->flags & OP_BULK) != 0;
    const json_t *many = c->dialect->bulk || only_many ? json_object_get(c->body, r->plural) : NULL;

    if (json_is_array(many) && json_array_size(many) > 0) {
        *ret_many = many;
        return 0;
    }
    if (only_many)
        return fault_raise_field(
            f, r->plural,
            "Invalid input for field/attribute %s. It is a list of at least one object.",
            r->plural);
    return envelope(c, r, ret_one, f);
}

int
resource_verb_create(struct call *c, struct fault *f)
{
    const struct resource *r = c->operation->resource;
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    const json_t *many = NULL, *one = NULL;
    size_t count = 1;
    void **rows;

    if (choose_body(c, r, &one, &many, f) < 0)
        return -1;
    if (many != NULL)
        count = json_array_size(many);
    rows = ARENA_ARRAY(c->arena, void *, count);
    for (size_t i = 0; i < count; i++) {
        if (parse_new(c, r, one != NULL ? one : json_array_get(many, i), &rows[i], f) < 0)
            return -1;
    }
    if (db_tx_begin(&tx, c->db, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (store_new(c, r, &tx, rows[i], f) < 0)
            return -1;
    }
    if (one != NULL)
        c->object_id =
            *(const char *const *)field_at_const(&r->schema->fields[r->id_field], rows[0]);
    if (settle(c, r, &tx, f) < 0 || db_tx_commit(&tx, f) < 0)
        return -1;
    for (size_t i = 0; r->hooks != NULL && r->hooks->committed != NULL && i < count; i++)
        r->hooks->committed(c, rows[i]);
    return one != NULL ? resource_reply(c, r, rows[0], f) : reply_many(c, r, rows, count, f);
}

/* --- update and delete */

/* Loads and locks the row the path names, and enforces the operation's rule on it. */
static int
load_target(struct call *c, const struct resource *r, struct db_tx *tx, void *row, struct fault *f)
{
    const char *rule;

    if (resource_load(tx->db, r, call_param(c, c->operation->path_id), call_scope_of(c, r), true,
                      row, f) < 0)
        return call_hide_missing(c, c->operation->policy, f);
    if (r->hooks != NULL && r->hooks->target != NULL && r->hooks->target(c, tx->db, row, f) < 0)
        return -1;
    rule = resource_rule(c, r, row);
    return rule == NULL ? 0 : call_enforce(c, rule, r, row, f);
}

int
resource_verb_update(struct call *c, struct fault *f)
{
    const struct resource *r = c->operation->resource;
    const struct resource_hooks *h = r->hooks;
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    void *old = arena_alloc(c->arena, r->schema->size);
    void *row = arena_alloc(c->arena, r->schema->size);
    const json_t *body;
    const char *id;

    if (envelope(c, r, &body, f) < 0)
        return -1;
    if (schema_parse(r->schema, body, SCHEMA_UPDATE, c->version, c->dialect->envelope ? r->key : "",
                     c->arena, row, f) < 0)
        return -1;
    take_aliases(r, row);
    if (db_tx_begin(&tx, c->db, f) < 0 || load_target(c, r, &tx, old, f) < 0)
        return -1;
    if (check_unchanged(c, r, body, old, f) < 0 ||
        enforce_members(c, r, body, merged(c, r, old, row), f) < 0)
        return -1;
    id = *(const char *const *)field_at_const(&r->schema->fields[r->id_field], old);
    *(const char **)field_at(&r->schema->fields[r->id_field], row) = id;
    if (r->scope == RESOURCE_PATH)
        *scope_member(r, row) = scope_value(r, old);
    if (h != NULL && h->prepare_update != NULL && h->prepare_update(c, &tx, old, row, f) < 0)
        return -1;
    if (resource_change(tx.db, r, id, row, f) < 0)
        return -1;
    if (h != NULL && h->after_update != NULL && h->after_update(c, &tx, old, row, f) < 0)
        return -1;
    if (settle(c, r, &tx, f) < 0 || db_tx_commit(&tx, f) < 0)
        return -1;
    if (h != NULL && h->committed != NULL)
        h->committed(c, row);
    return resource_reply(c, r, row, f);
}

int
resource_verb_delete(struct call *c, struct fault *f)
{
    const struct resource *r = c->operation->resource;
    const struct resource_hooks *h = r->hooks;
    _cleanup_(db_tx_done) struct db_tx tx = { 0 };
    void *row = arena_alloc(c->arena, r->schema->size);
    int taken = 0;

    if (db_tx_begin(&tx, c->db, f) < 0 || load_target(c, r, &tx, row, f) < 0)
        return -1;
    if (h != NULL && h->check_delete != NULL)
        taken = h->check_delete(c, &tx, row, f);
    if (taken < 0)
        return -1;
    if (taken == 0) {
        if (resource_remove_row(tx.db, r, row, f) < 0)
            return -1;
        if (h != NULL && h->after_delete != NULL && h->after_delete(c, &tx, row, f) < 0)
            return -1;
    }
    if (settle(c, r, &tx, f) < 0 || db_tx_commit(&tx, f) < 0)
        return -1;
    if (h != NULL && h->committed != NULL)
        h->committed(c, row);
    return 0;
}
