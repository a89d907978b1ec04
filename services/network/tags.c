/* Tags of all resources that have them: a set of short texts, replaced as a whole or one by one. */
#include "base/str.h"
#include "service.h"

#define LONGEST_TAG 255
#define MOST_TAGS 50

/* Where a resource keeps them, and what it takes to change it. */
static const struct tagged {
    const char *collection;
    const struct resource *resource;
    const char *read, *write;
    size_t offset;
    unsigned field;
} table[] = {
    { "networks", &network_resource, "get_network", "update_network",
      offsetof(struct network, tags), NETWORK_F_TAGS },
    { "subnets", &subnet_resource, "get_subnet", "update_subnet", offsetof(struct subnet, tags),
      SUBNET_F_TAGS },
    { "subnetpools", &subnetpool_resource, "get_subnetpool", "update_subnetpool",
      offsetof(struct subnetpool, tags), SUBNETPOOL_F_TAGS },
    { "ports", &port_resource, "get_port", "update_port", offsetof(struct port, tags),
      PORT_F_TAGS },
    { "routers", &router_resource, "get_router", "update_router", offsetof(struct router, tags),
      ROUTER_F_TAGS },
    { "floatingips", &floatingip_resource, "get_floatingip", "update_floatingip",
      offsetof(struct floatingip, tags), FLOATINGIP_F_TAGS },
    { "security-groups", &security_group_resource, "get_security_group", "update_security_group",
      offsetof(struct security_group, tags), SECURITY_GROUP_F_TAGS },
};

struct tagging {
    const struct tagged *kind;
    struct db_tx tx;
    void *row;
    struct texts *tags;
};

static void
tagging_done(struct tagging *t)
{
    db_tx_done(&t->tx);
}

/* The row the path names, locked; found and allowed as if it were shown or changed. */
static int
begin(struct call *call, bool change, struct tagging *t, struct fault *f)
{
    const char *collection = call_param(call, "collection");

    for (size_t i = 0; i < ARRAY_SIZE(table) && t->kind == NULL; i++) {
        if (str_equal(table[i].collection, collection))
            t->kind = &table[i];
    }
    if (t->kind == NULL)
        return fault_raise(f, FAULT_NOT_FOUND, "The resource could not be found.");
    t->row = arena_alloc(call->arena, t->kind->resource->schema->size);
    if (db_tx_begin(&t->tx, call->db, f) < 0 ||
        resource_load(call->db, t->kind->resource, call_param(call, "resource_id"),
                      call_scope(call, RESOURCE_PROJECT), change, t->row, f) < 0)
        return -1;
    t->tags = (struct texts *)(void *)((char *)t->row + t->kind->offset);
    if (t->kind->resource->hooks->target != NULL && change) {
        /* The rules may ask whose the network is. */
        if (t->kind->resource->hooks->target(call, call->db, t->row, f) < 0)
            return -1;
    }
    return call_enforce(call, change ? t->kind->write : t->kind->read, t->kind->resource, t->row,
                        f);
}

static int
store(struct call *call, struct tagging *t, struct fault *f)
{
    void *change = arena_alloc(call->arena, t->kind->resource->schema->size);

    *(struct texts *)(void *)((char *)change + t->kind->offset) = *t->tags;
    field_mark(change, t->kind->field);
    if (resource_change(call->db, t->kind->resource, call_param(call, "resource_id"), change, f) <
        0)
        return -1;
    return db_tx_commit(&t->tx, f);
}

static int
find(const struct texts *tags, const char *tag)
{
    for (size_t i = 0; i < tags->count; i++) {
        if (str_equal(tags->items[i], tag))
            return (int)i;
    }
    return -1;
}

static int
check_tag(const char *tag, struct fault *f)
{
    if (tag[0] == '\0' || str_utf8_length(tag) > LONGEST_TAG || strchr(tag, ',') != NULL)
        return fault_raise_field(f, "tags",
                                 "Invalid input for tags. Reason: '%.100s' is empty, longer than "
                                 "%d characters or has a comma.",
                                 tag, LONGEST_TAG);
    return 0;
}

static int
tag_not_found(struct call *call, struct fault *f)
{
    return fault_raise_code(f, FAULT_NOT_FOUND, "TagNotFound", "Tag %.100s could not be found.",
                            call_param(call, "tag"));
}

static void
write_tags(struct call *call, const struct texts *tags)
{
    struct jsonw *w = call_json(call);

    jsonw_object(w, NULL);
    jsonw_array(w, "tags");
    for (size_t i = 0; i < tags->count; i++)
        jsonw_text(w, NULL, tags->items[i]);
    jsonw_end(w);
    jsonw_end(w);
}

int
tags_list(struct call *call, struct fault *f)
{
    _cleanup_(tagging_done) struct tagging t = { 0 };

    if (begin(call, false, &t, f) < 0)
        return -1;
    write_tags(call, t.tags);
    return 0;
}

int
tags_replace(struct call *call, const struct tag_list *in, struct fault *f)
{
    _cleanup_(tagging_done) struct tagging t = { 0 };

    if (begin(call, true, &t, f) < 0)
        return -1;
    t.tags->items = ARENA_ARRAY(call->arena, const char *, in->tags.count + 1);
    t.tags->count = 0;
    for (size_t i = 0; i < in->tags.count; i++) {
        if (check_tag(in->tags.items[i], f) < 0)
            return -1;
        if (find(t.tags, in->tags.items[i]) < 0)
            t.tags->items[t.tags->count++] = in->tags.items[i];
    }
    if (store(call, &t, f) < 0)
        return -1;
    write_tags(call, t.tags);
    return 0;
}

int
tags_clear(struct call *call, struct fault *f)
{
    _cleanup_(tagging_done) struct tagging t = { 0 };

    if (begin(call, true, &t, f) < 0)
        return -1;
    t.tags->count = 0;
    return store(call, &t, f);
}

int
tags_check(struct call *call, struct fault *f)
{
    _cleanup_(tagging_done) struct tagging t = { 0 };

    if (begin(call, false, &t, f) < 0)
        return -1;
    return find(t.tags, call_param(call, "tag")) < 0 ? tag_not_found(call, f) : 0;
}

int
tags_add(struct call *call, struct fault *f)
{
    _cleanup_(tagging_done) struct tagging t = { 0 };
    const char *tag = call_param(call, "tag");
    const char **items;

    if (begin(call, true, &t, f) < 0 || check_tag(tag, f) < 0)
        return -1;
    if (find(t.tags, tag) >= 0)
        return 0;
    if (t.tags->count >= MOST_TAGS)
        return fault_raise_field(f, "tags",
                                 "Invalid input for tags. Reason: there are more than %d tags.",
                                 MOST_TAGS);
    items = ARENA_ARRAY(call->arena, const char *, t.tags->count + 1);
    for (size_t i = 0; i < t.tags->count; i++)
        items[i] = t.tags->items[i];
    items[t.tags->count++] = tag;
    t.tags->items = items;
    return store(call, &t, f);
}

int
tags_remove(struct call *call, struct fault *f)
{
    _cleanup_(tagging_done) struct tagging t = { 0 };
    int at;

    if (begin(call, true, &t, f) < 0)
        return -1;
    at = find(t.tags, call_param(call, "tag"));
    if (at < 0)
        return tag_not_found(call, f);
    for (size_t i = (size_t)at + 1; i < t.tags->count; i++)
        t.tags->items[i - 1] = t.tags->items[i];
    t.tags->count--;
    return store(call, &t, f);
}
