/* Doubly linked lists through a member of the items. An empty list points at itself. */
#pragma once

#include <stdbool.h>

#include "compiler.h"

struct list {
    struct list *prev, *next;
};

static inline void
list_init(struct list *l)
{
    l->prev = l->next = l;
}

static inline bool
list_empty(const struct list *l)
{
    return l->next == l;
}

static inline void
list_insert_before(struct list *at, struct list *item)
{
    item->prev = at->prev;
    item->next = at;
    at->prev->next = item;
    at->prev = item;
}

static inline void
list_append(struct list *l, struct list *item)
{
    list_insert_before(l, item);
}

static inline void
list_prepend(struct list *l, struct list *item)
{
    list_insert_before(l->next, item);
}

/* Leaves 'item' empty, so removing it again does nothing. */
static inline void
list_remove(struct list *item)
{
    item->prev->next = item->next;
    item->next->prev = item->prev;
    list_init(item);
}

#define LIST_ITEM(link, type, member) CONTAINER_OF(link, type, member)
#define LIST_FIRST(l, type, member) (list_empty(l) ? NULL : LIST_ITEM((l)->next, type, member))
/* The body may remove 'var' from the list. */
#define LIST_EACH(var, l, type, member)                                                            \
    for (struct list *_at = (l)->next, *_next = _at->next;                                         \
         _at != (l) && ((var) = LIST_ITEM(_at, type, member), true);                               \
         _at = _next, _next = _at->next)
