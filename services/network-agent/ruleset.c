#include "ruleset.h"

#include <openssl/sha.h>
#include <stdint.h>
#include <string.h>

#include "base/array.h"

enum item_kind { ITEM_SET, ITEM_MAP, ITEM_CHAIN, ITEM_ELEMENT };

struct ruleset_item {
    enum item_kind kind;
    const char *name; /* Of an element: its set's. */
    const char *key;  /* Of an element; otherwise "". */
    const char *head; /* Type, or what makes a base chain; NULL: none */
    const char *body; /* Rules, or an element's value; NULL: none */
};

void
ruleset_init(struct ruleset *r, struct arena *a, const char *family, const char *table)
{
    *r = (struct ruleset){ .arena = a, .family = family, .table = table, .index = map_new(NULL) };
}

void
ruleset_done(struct ruleset *r)
{
    map_free(r->index);
    r->index = NULL;
    r->count = 0;
}

static void
index_key(struct str *out, enum item_kind kind, const char *name, const char *key)
{
    str_clear(out);
    str_addf(out, "%d %s %s", kind == ITEM_MAP ? ITEM_SET : kind, name, key);
}

static const struct ruleset_item *
find(const struct ruleset *r, enum item_kind kind, const char *name, const char *key,
     struct str *scratch)
{
    uintptr_t at;

    if (r == NULL)
        return NULL;
    index_key(scratch, kind, name, key);
    at = (uintptr_t)map_get(r->index, str_text(scratch));
    return at == 0 ? NULL : &r->items[at - 1];
}

static void
add(struct ruleset *r, struct ruleset_item item)
{
    _cleanup_(str_done) struct str key = { 0 };

    index_key(&key, item.kind, item.name, item.key);
    if (map_has(r->index, str_text(&key)))
        return;
    *ARRAY_PUSH(r->arena, r->items, r->count, r->capacity) = item;
    map_set(r->index, str_text(&key), (void *)(uintptr_t)r->count);
}

void
ruleset_set(struct ruleset *r, const char *name, const char *type)
{
    add(r, (struct ruleset_item){ ITEM_SET, arena_strdup(r->arena, name), "",
                                  arena_strdup(r->arena, type), NULL });
}

void
ruleset_map(struct ruleset *r, const char *name, const char *type)
{
    add(r, (struct ruleset_item){ ITEM_MAP, arena_strdup(r->arena, name), "",
                                  arena_strdup(r->arena, type), NULL });
}

void
ruleset_element(struct ruleset *r, const char *set, const char *key, const char *value)
{
    add(r,
        (struct ruleset_item){ ITEM_ELEMENT, arena_strdup(r->arena, set),
                               arena_strdup(r->arena, key), NULL, arena_strdup(r->arena, value) });
}

void
ruleset_chain(struct ruleset *r, const char *name, const char *base, const char *rules)
{
    add(r, (struct ruleset_item){ ITEM_CHAIN, arena_strdup(r->arena, name), "",
                                  arena_strdup(r->arena, base), arena_strdup(r->arena, rules) });
}

/* Elements of one set that follow each other share a command: nft reads ten thousand commands far
 * more slowly than one with ten thousand elements. */
struct element_run {
    const char *set; /* NULL: no command is open. */
};

static void
close_run(struct element_run *run, struct str *out)
{
    if (run->set != NULL)
        str_add(out, " }\n");
    run->set = NULL;
}

static void
print_element(const struct ruleset *r, const char *verb, const struct ruleset_item *i,
              struct element_run *run, struct str *out)
{
    if (run->set != NULL && strcmp(run->set, i->name) == 0) {
        str_add(out, ", ");
    } else {
        close_run(run, out);
        str_addf(out, "%s element %s %s %s { ", verb, r->family, r->table, i->name);
        run->set = i->name;
    }
    str_add(out, i->key);
    if (i->body != NULL)
        str_addf(out, " : %s", i->body);
}

static void
print_rules(const struct ruleset *r, const struct ruleset_item *chain, struct str *out)
{
    for (const char *at = chain->body; at != NULL && *at != '\0';) {
        size_t size = strcspn(at, "\n");

        if (size > 0)
            str_addf(out, "add rule %s %s %s %.*s\n", r->family, r->table, chain->name, (int)size,
                     at);
        at += size + (at[size] == '\n');
    }
}

static bool
same(const struct ruleset_item *a, const struct ruleset_item *b)
{
    return a != NULL && b != NULL && str_equal(a->head, b->head) && str_equal(a->body, b->body);
}

/* First every object, then what refers to them: chains may jump to each other, elements name
 * chains. */
static size_t
print_new_objects(const struct ruleset *old, const struct ruleset *new_, struct str *scratch,
                  struct str *out)
{
    size_t changes = 0;

    for (size_t i = 0; i < new_->count; i++) {
        const struct ruleset_item *item = &new_->items[i];
        const char *word = item->kind == ITEM_SET   ? "set"
                           : item->kind == ITEM_MAP ? "map"
                                                    : "chain";

        if (item->kind == ITEM_ELEMENT || find(old, item->kind, item->name, "", scratch) != NULL)
            continue;
        str_addf(out, "add %s %s %s %s", word, new_->family, new_->table, item->name);
        if (item->head != NULL)
            str_addf(out, " { %s }", item->head);
        str_add(out, "\n");
        changes++;
    }
    return changes;
}

static size_t
print_rule_changes(const struct ruleset *old, const struct ruleset *new_, struct str *scratch,
                   struct str *out)
{
    size_t changes = 0;

    for (size_t i = 0; i < new_->count; i++) {
        const struct ruleset_item *item = &new_->items[i], *before;

        if (item->kind != ITEM_CHAIN)
            continue;
        before = find(old, ITEM_CHAIN, item->name, "", scratch);
        if (same(before, item))
            continue;
        if (before != NULL) {
            str_addf(out, "flush chain %s %s %s\n", new_->family, new_->table, item->name);
            changes++;
        }
        print_rules(new_, item, out);
    }
    return changes;
}

/* Deletions first: an interval may make place for one that contains it. No packet sees the
 * difference. */
static size_t
print_elements(const struct ruleset *old, const struct ruleset *new_, struct str *scratch,
               struct str *out)
{
    struct element_run run = { 0 };
    size_t changes = 0;

    for (size_t i = 0; old != NULL && i < old->count; i++) {
        const struct ruleset_item *item = &old->items[i];

        if (item->kind != ITEM_ELEMENT || find(new_, ITEM_SET, item->name, "", scratch) == NULL ||
            same(find(new_, ITEM_ELEMENT, item->name, item->key, scratch), item))
            continue;
        print_element(old, "delete", item, &run, out);
        changes++;
    }
    close_run(&run, out);
    for (size_t i = 0; i < new_->count; i++) {
        const struct ruleset_item *item = &new_->items[i];

        if (item->kind != ITEM_ELEMENT ||
            same(find(old, ITEM_ELEMENT, item->name, item->key, scratch), item))
            continue;
        print_element(new_, "add", item, &run, out);
        changes++;
    }
    close_run(&run, out);
    return changes;
}

/* Chains that go are emptied first, all of them, since they may refer to each other and to sets. */
static size_t
print_removals(const struct ruleset *old, const struct ruleset *new_, struct str *scratch,
               struct str *out)
{
    static const char *const verbs[] = { "flush", "delete" };
    size_t changes = 0;

    for (size_t pass = 0; pass < ARRAY_SIZE(verbs); pass++)
        for (size_t i = 0; i < old->count; i++) {
            const struct ruleset_item *item = &old->items[i];

            if (item->kind != ITEM_CHAIN || find(new_, ITEM_CHAIN, item->name, "", scratch) != NULL)
                continue;
            str_addf(out, "%s chain %s %s %s\n", verbs[pass], old->family, old->table, item->name);
            changes += pass;
        }
    for (size_t i = 0; i < old->count; i++) {
        const struct ruleset_item *item = &old->items[i];

        if ((item->kind != ITEM_SET && item->kind != ITEM_MAP) ||
            find(new_, ITEM_SET, item->name, "", scratch) != NULL)
            continue;
        str_addf(out, "delete %s %s %s %s\n", item->kind == ITEM_SET ? "set" : "map", old->family,
                 old->table, item->name);
        changes++;
    }
    return changes;
}

const char *
ruleset_seal(struct ruleset *r)
{
    _cleanup_(str_done) struct str all = { 0 };
    uint8_t digest[SHA256_DIGEST_LENGTH];
    const char *name;

    for (size_t i = 0; i < r->count; i++) {
        const struct ruleset_item *item = &r->items[i];

        str_addf(&all, "%d\n%s\n%s\n%s\n%s\n", item->kind, item->name, item->key,
                 item->head != NULL ? item->head : "", item->body != NULL ? item->body : "");
    }
    SHA256((const uint8_t *)str_text(&all), all.size, digest);
    name = arena_printf(r->arena, "seal-%s", str_hex(r->arena, digest, sizeof(digest)));
    ruleset_chain(r, name, NULL, "");
    return name;
}

void
ruleset_print_removal(const char *family, const char *table, struct str *out)
{
    /* Adding what may be there makes the deletion valid either way. */
    str_addf(out, "add table %s %s\ndelete table %s %s\n", family, table, family, table);
}

size_t
ruleset_diff(const struct ruleset *old, const struct ruleset *new_, struct str *out)
{
    _cleanup_(str_done) struct str scratch = { 0 };
    size_t changes = 0;

    if (old == NULL) {
        ruleset_print_removal(new_->family, new_->table, out);
        str_addf(out, "add table %s %s\n", new_->family, new_->table);
        changes++;
    }
    changes += print_new_objects(old, new_, &scratch, out);
    changes += print_rule_changes(old, new_, &scratch, out);
    changes += print_elements(old, new_, &scratch, out);
    if (old != NULL)
        changes += print_removals(old, new_, &scratch, out);
    return changes;
}
