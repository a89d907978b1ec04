/* Allocations: who has what. The bodies' shapes by microversion are parsed into claims; claims.c makes them true. */
#include "allocations.h"

#include <math.h>

#include "base/array.h"
#include "base/json.h"
#include "base/str.h"
#include "base/uuid.h"
#include "claims.h"
#include "reply.h"

/* Clients before 1.8 do not say whose a consumer is. */
#define INCOMPLETE_ID "00000000-0000-0000-0000-000000000000"

/* --- Bodies */

/* What upstream's patterns take for a UUID in a key. */
static bool
is_uuid_like(const char *text)
{
    return strlen(text) == 36 && strspn(text, "0123456789abcdefABCDEF-") == 36;
}

static bool
is_class_name(const char *text)
{
    return text[0] != '\0' && text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] == '\0';
}

/* 1.0 is an integer in JSON Schema. */
static bool
is_whole(const json_t *value, int64_t *ret)
{
    double real = json_number_value(value);

    if (json_is_real(value) && floor(real) >= real && fabs(real) < 9e15) {
        *ret = (int64_t)real;
        return true;
    }
    *ret = json_integer_value(value);
    return json_is_integer(value);
}

/* "resources" of one provider. */
static int
add_wants(struct call *call, struct consumer_claim *c, size_t *capacity, const char *provider_uuid,
          const json_t *resources, const char *path, struct fault *f)
{
    const char *name;
    json_t *amount;

    if (json_object_size(resources) == 0)
        return fault_keyword(
            f, "minProperties",
            fault_raise_field(
                f, path, "Invalid input for field/attribute %s. {} does not have enough properties",
                path));
    json_object_foreach((json_t *)(uintptr_t)resources, name, amount)
    {
        struct claim_want *want;
        int64_t number;

        if (!is_class_name(name))
            return refuse_name(call, path, name, "^[A-Z0-9_]+$", f);
        if (!is_whole(amount, &number))
            return fault_keyword(
                f, "type",
                fault_raise_field(
                    f, path,
                    "Invalid input for field/attribute %s.%.255s. %.100s is not of type 'integer'",
                    path, name, json_repr(call->arena, amount)));
        if (number < 1)
            return fault_keyword(
                f, "minimum",
                fault_raise_field(
                    f, path,
                    "Invalid input for field/attribute %s.%.255s. %s is less than the minimum of 1",
                    path, name, json_repr(call->arena, amount)));
        want = ARRAY_PUSH(call->arena, c->wants, c->wants_count, *capacity);
        /* No inventory gives as much as a consumer's most, whatever more it is. */
        *want = (struct claim_want){ provider_uuid, arena_strdup(call->arena, name),
                                     MIN(number, (int64_t)INT32_MAX + 1) };
    }
    return 0;
}

/* From 1.12: { provider: { "resources": { class: amount } } }. 'checked': the names are UUIDs of some form, which may be nobody's. */
static int
parse_object(struct call *call, const json_t *object, bool checked, struct consumer_claim *c,
             struct fault *f)
{
    size_t capacity = 0;
    const char *uuid;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, uuid, value)
    {
        const char *path = arena_printf(call->arena, "allocations.%.36s", uuid);
        struct allocation_record record = { 0 };

        if (!checked && !is_uuid_like(uuid))
            return refuse_name(call, "allocations", uuid, UUID_PATTERN, f);
        if (schema_parse(&allocation_record_schema, value, SCHEMA_CREATE, call->version, path,
                         call->arena, &record, f) < 0)
            return -1;
        if (add_wants(call, c, &capacity, arena_strdup(call->arena, uuid), record.resources,
                      arena_printf(call->arena, "%s.resources", path), f) < 0)
            return -1;
    }
    return 0;
}

/* Up to 1.11: [ { "resource_provider": { "uuid" }, "resources" } ]. Of several entries for a provider the last counts. */
static int
parse_list(struct call *call, const json_t *list, struct consumer_claim *c, struct fault *f)
{
    json_t *by_uuid = json_own(call->arena, json_object()), *item;
    size_t i;

    json_array_foreach((json_t *)(uintptr_t)list, i, item)
    {
        const char *path = arena_printf(call->arena, "allocations.%zu", i);
        struct allocation_provider entry = { 0 };

        if (schema_parse(&allocation_provider_schema, item, SCHEMA_CREATE, call->version, path,
                         call->arena, &entry, f) < 0)
            return -1;
        json_object_set_new(by_uuid, entry.resource_provider->uuid,
                            json_pack("{s:O}", "resources", entry.resources));
    }
    return parse_object(call, by_uuid, true, c, f);
}

static bool
has_suffix_character(const char *text)
{
    return strpbrk(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") !=
           NULL;
}

/* Request groups' suffixes to lists of UUIDs: checked, and otherwise ignored. */
static int
check_mappings(struct call *call, const json_t *mappings, struct fault *f)
{
    const char *suffix;
    json_t *uuids, *uuid;
    size_t i;

    if (mappings != NULL && json_object_size(mappings) == 0)
        return fault_keyword(
            f, "minProperties",
            fault_raise_field(
                f, "mappings",
                "Invalid input for field/attribute mappings. {} does not have enough properties"));
    json_object_foreach((json_t *)(uintptr_t)mappings, suffix, uuids)
    {
        if (!has_suffix_character(suffix)) /* Upstream's pattern is not anchored. */
            continue;
        if (!json_is_array(uuids) || json_array_size(uuids) == 0)
            return fault_keyword(
                f, json_is_array(uuids) ? "minItems" : "type",
                fault_raise_field(f, "mappings",
                                  "Invalid input for field/attribute mappings. %.100s %s",
                                  json_repr(call->arena, uuids),
                                  json_is_array(uuids) ? "is too short"
                                                       : "is not of type 'array'"));
        json_array_foreach(uuids, i, uuid)
        {
            if (!json_is_string(uuid) || !uuid_check_loose(json_string_value(uuid)))
                return fault_keyword(
                    f, json_is_string(uuid) ? "format" : "type",
                    fault_raise_field(
                        f, "mappings",
                        "Invalid input for field/attribute mappings. %.100s is not %s",
                        json_repr(call->arena, uuid),
                        json_is_string(uuid) ? "a 'uuid'" : "of type 'string'"));
        }
    }
    return 0;
}

/* 'may_be_empty': no allocations ends the consumer. */
static int
parse_claim(struct call *call, const char *uuid, const struct consumer_allocations *in,
            bool may_be_empty, struct consumer_claim *c, struct fault *f)
{
    *c = (struct consumer_claim){
        .uuid = uuid,
        .project_id = in->project_id == NULL ? INCOMPLETE_ID : in->project_id,
        .user_id = in->user_id == NULL ? INCOMPLETE_ID : in->user_id,
        .type = in->consumer_type,
        .counted = call_at_least(call, 1, 28),
        .generation = in->consumer_generation,
        .generation_null = field_null(&in->set, CONSUMER_ALLOCATIONS_F_CONSUMER_GENERATION)
    };
    if (check_mappings(call, in->mappings, f) < 0)
        return -1;
    if (in->allocations_list != NULL)
        return parse_list(call, in->allocations_list, c, f);
    if (!may_be_empty && json_object_size(in->allocations) == 0)
        return fault_keyword(f, "minProperties",
                             fault_raise_field(f, "allocations",
                                               "Invalid input for field/attribute allocations. {} "
                                               "does not have enough properties"));
    return parse_object(call, in->allocations, false, c, f);
}

int
allocations_update(struct call *call, const struct consumer_allocations *in, struct fault *f)
{
    const char *uuid = uuid_normal(call->arena, call_param(call, "consumer_uuid"));
    struct consumer_claim claim;

    if (uuid == NULL)
        return fault_raise(f, FAULT_INVALID, "Malformed consumer_uuid: %.100s",
                           call_param(call, "consumer_uuid"));
    if (parse_claim(call, uuid, in, call_at_least(call, 1, 28), &claim, f) < 0)
        return -1;
    return claims_apply(call, &claim, 1,
                        arena_printf(call->arena,
                                     "Unable to allocate inventory for consumer %s:", uuid),
                        NULL, f);
}

int
allocations_parse(struct call *call, const json_t *object, const char *path,
                  struct consumer_claim **ret, size_t *ret_count, struct fault *f)
{
    struct consumer_claim *claims =
        ARENA_ARRAY(call->arena, struct consumer_claim, json_object_size(object) + 1);
    size_t count = 0;
    const char *uuid;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, uuid, value)
    {
        struct consumer_allocations in = { 0 };

        if (!is_uuid_like(uuid))
            return refuse_name(call, path, uuid, UUID_PATTERN, f);
        if (schema_parse(&consumer_allocations_schema, value, SCHEMA_CREATE, call->version, uuid,
                         call->arena, &in, f) < 0)
            return -1;
        if (parse_claim(call, arena_strdup(call->arena, uuid), &in, true, &claims[count++], f) < 0)
            return -1;
    }
    *ret = claims;
    *ret_count = count;
    return 0;
}

int
allocations_manage(struct call *call, struct fault *f)
{
    struct consumer_claim *claims;
    size_t count;

    if (call_body(call, f) < 0)
        return -1;
    if (!json_is_object(call->body))
        return fault_keyword(
            f, "type",
            fault_raise_field(
                f, "body", "Invalid input for field/attribute body. %.200s is not of type 'object'",
                json_repr(call->arena, call->body)));
    if (json_object_size(call->body) == 0)
        return fault_keyword(
            f, "minProperties",
            fault_raise_field(
                f, "body",
                "Invalid input for field/attribute body. {} does not have enough properties"));
    if (allocations_parse(call, call->body, "body", &claims, &count, f) < 0)
        return -1;
    return claims_apply(call, claims, count, "Unable to allocate inventory", NULL, f);
}

/* No generation is asked for here, in any version. */
int
allocations_delete(struct call *call, struct fault *f)
{
    const char *uuid = call_param(call, "consumer_uuid");
    struct consumer_find_row row;
    struct consumer_claim claim;
    int r = consumer_find(call->db, uuid, &row, f);

    if (r < 0)
        return r;
    if (r == 0)
        return fault_raise(f, FAULT_NOT_FOUND, "No allocations for consumer '%.100s'", uuid);
    claim = (struct consumer_claim){
        .uuid = uuid, .project_id = row.project_id, .user_id = row.user_id, .quiet = true
    };
    return claims_apply(call, &claim, 1, "", NULL, f);
}

/* --- Answers */

/* Writes "key": { "resources": {...}, "generation"... } groups: rows of one key stand together. */
int
allocations_show(struct call *call, struct fault *f)
{
    const char *uuid = call_param(call, "consumer_uuid");
    struct consumer_find_row consumer = { 0 };
    struct allocations_of_row *rows = NULL;
    int64_t modified_us = 0;
    struct jsonw *w;
    size_t count = 0;
    int found;

    if (reply_check_accept(call, f) < 0)
        return -1;
    found = consumer_find(call->db, uuid, &consumer, f);
    if (found < 0 || allocations_of(call->db, uuid, &rows, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        modified_us = MAX(modified_us, rows[i].created_at);
    w = reply_json(call, modified_us);
    jsonw_object(w, NULL);
    jsonw_object(w, "allocations");
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !str_equal(rows[i].provider_uuid, rows[i - 1].provider_uuid)) {
            jsonw_object(w, rows[i].provider_uuid);
            jsonw_int(w, "generation", rows[i].provider_generation);
            jsonw_object(w, "resources");
        }
        jsonw_int(w, rows[i].class_name, rows[i].used);
        if (i + 1 == count || !str_equal(rows[i].provider_uuid, rows[i + 1].provider_uuid)) {
            jsonw_end(w);
            jsonw_end(w);
        }
    }
    jsonw_end(w);
    if (found > 0 && count > 0 && call_at_least(call, 1, 12)) {
        jsonw_text(w, "project_id", consumer.project_id);
        jsonw_text(w, "user_id", consumer.user_id);
        if (call_at_least(call, 1, 28))
            jsonw_int(w, "consumer_generation", consumer.generation);
        if (call_at_least(call, 1, 38))
            jsonw_text(w, "consumer_type", consumer.type == NULL ? "unknown" : consumer.type);
    }
    jsonw_end(w);
    return 0;
}

int
provider_allocations(struct call *call, struct fault *f)
{
    struct allocations_on_row *rows;
    struct provider_row provider;
    int64_t modified_us = 0;
    struct jsonw *w;
    size_t count;

    if (reply_check_accept(call, f) < 0 || provider_of_path(call, &provider, f) < 0)
        return -1;
    if (allocations_on(call->db, provider.id, &rows, &count, f) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        modified_us = MAX(modified_us, rows[i].created_at);
    w = reply_json(call, modified_us);
    jsonw_object(w, NULL);
    jsonw_object(w, "allocations");
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || !str_equal(rows[i].consumer_uuid, rows[i - 1].consumer_uuid)) {
            jsonw_object(w, rows[i].consumer_uuid);
            if (call_at_least(call, 1, 28))
                jsonw_int(w, "consumer_generation", rows[i].consumer_generation);
            jsonw_object(w, "resources");
        }
        jsonw_int(w, rows[i].class_name, rows[i].used);
        if (i + 1 == count || !str_equal(rows[i].consumer_uuid, rows[i + 1].consumer_uuid)) {
            jsonw_end(w);
            jsonw_end(w);
        }
    }
    jsonw_end(w);
    jsonw_int(w, "resource_provider_generation", provider.generation);
    jsonw_end(w);
    return 0;
}
