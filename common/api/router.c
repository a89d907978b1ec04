#include "router.h"

#include "../base/str.h"
#include "../http/url.h"

/* A node stands for one segment after its parent's. Few children each, so a list is quick enough. */
struct node {
    char *literal; /* NULL: a parameter */
    struct node *first_child, *next;
    const struct operation **operations; /* Of the path that ends here. */
    size_t count;
};

struct router {
    struct node root;
};

static bool
is_parameter(const char *segment, size_t size)
{
    return size > 2 && segment[0] == '{' && segment[size - 1] == '}';
}

static struct node *
child_for(struct node *parent, const char *segment, size_t size)
{
    bool parameter = is_parameter(segment, size);
    struct node **at, *n;

    for (n = parent->first_child; n != NULL; n = n->next) {
        if (parameter ? n->literal == NULL
                      : n->literal != NULL && strlen(n->literal) == size &&
                            strncmp(n->literal, segment, size) == 0)
            return n;
    }
    n = calloc(1, sizeof(*n));
    if (n == NULL)
        abort();
    n->literal = parameter ? NULL : strndup(segment, size);
    at = &parent->first_child;
    while (*at != NULL && (parameter || (*at)->literal != NULL))
        at = &(*at)->next; /* Parameters last, so literals win. */
    n->next = *at;
    *at = n;
    return n;
}

static void
add(struct router *r, const struct operation *o)
{
    struct node *n = &r->root;
    const char *at = o->path;

    while (*at == '/') {
        size_t size = strcspn(at + 1, "/");

        n = child_for(n, at + 1, size);
        at += 1 + size;
    }
    n->operations = reallocarray(n->operations, n->count + 1, sizeof(*n->operations));
    if (n->operations == NULL)
        abort();
    n->operations[n->count++] = o;
}

struct router *
router_new(const struct operation *operations, size_t count)
{
    struct router *r = calloc(1, sizeof(*r));

    if (r == NULL)
        abort();
    for (size_t i = 0; i < count; i++)
        add(r, &operations[i]);
    return r;
}

static void
free_children(struct node *n)
{
    struct node *child = n->first_child, *next;

    for (; child != NULL; child = next) {
        next = child->next;
        free_children(child);
        free(child->literal);
        free(child->operations);
        free(child);
    }
}

void
router_free(struct router *r)
{
    if (r == NULL)
        return;
    free_children(&r->root);
    free(r->root.operations);
    free(r);
}

/* Depth first, with a step back where a literal led nowhere ("/flavors/detail" beside "/flavors/{id}/x"). */
static const struct node *
walk(const struct node *n, char *const *segments, size_t count, struct http_pair *params,
     size_t *params_count)
{
    if (count == 0)
        return n->count > 0 ? n : NULL;
    for (const struct node *child = n->first_child; child != NULL; child = child->next) {
        size_t before = *params_count;
        const struct node *found;

        if (child->literal != NULL) {
            if (!str_equal(child->literal, segments[0]))
                continue;
        } else {
            if (before == ARRAY_SIZE(((struct route_match *)NULL)->params) ||
                segments[0][0] == '\0')
                continue;
            params[(*params_count)++].value = segments[0];
        }
        found = walk(child, segments + 1, count - 1, params, params_count);
        if (found != NULL)
            return found;
        *params_count = before;
    }
    return NULL;
}

void
route_name_params(struct route_match *m, const struct operation *o, struct arena *a)
{
    size_t i = 0;

    for (const char *at = strchr(o->path, '{'); at != NULL && i < m->params_count;
         at = strchr(at + 1, '{'))
        m->params[i++].name = arena_strndup(a, at + 1, strcspn(at + 1, "}"));
}

bool
router_find(const struct router *r, const char *path, struct arena *a, struct route_match *ret)
{
    struct route_match m = { 0 };
    const struct node *n;
    size_t count;
    char **segments;

    if (path[0] != '/')
        return false;
    segments = str_split(a, path + 1, '/', &count);
    if (count == 0) { /* "/" is one empty segment. */
        segments = ARENA_ARRAY(a, char *, 1);
        segments[0] = arena_strdup(a, "");
        count = 1;
    }
    for (size_t i = 0; i < count; i++) {
        if (strchr(segments[i], '%') != NULL) {
            segments[i] = url_decode(a, segments[i], strlen(segments[i]));
            if (segments[i] == NULL || strchr(segments[i], '/') != NULL)
                return false;
        }
    }
    n = walk(&r->root, segments, count, m.params, &m.params_count);
    if (n == NULL)
        return false;
    m.operations = n->operations;
    m.count = n->count;
    *ret = m;
    return true;
}
