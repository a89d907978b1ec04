/* Requests for room, as query strings write them: "resources=VCPU:2,MEMORY_MB:512&required=T1,!T2&member_of=in:A,B", for one group
 * or several (resources1, resources_NET...). Parsing knows the microversions and says 400 in upstream's words; it looks nothing up. */
#pragma once

#include "service.h"

struct request_want {
    const char *class_name;
    int64_t amount;
};

struct request_group {
    const char
        *suffix; /* "" : its resources may come from several providers of a tree. Else: from one. */
    struct request_want *wants;
    size_t wants_count, wants_capacity;
    struct texts *required; /* Each of these traits, or (more than one) one of these. */
    size_t required_count, required_capacity;
    struct texts forbidden;
    size_t forbidden_capacity;
    struct texts *member_of; /* In each of these aggregates, or (more than one) in one of these. */
    size_t member_of_count, member_of_capacity;
    struct texts forbidden_aggregates;
    size_t forbidden_aggregates_capacity;
    const char *in_tree; /* UUID of any provider of the tree it must come from, or NULL. */
};

struct request {
    struct request_group *groups;
    size_t groups_count, groups_capacity;
    int64_t limit; /* 0: all */
    bool isolate;  /* Each suffixed group from another provider. */
    struct texts root_required, root_forbidden;
    struct texts *same_subtrees; /* Lists of suffixes. */
    size_t same_subtrees_count;
};

/* The query of GET /allocation_candidates. */
int request_parse(struct call *call, struct request *ret, struct fault *f);

/* The same of such a query as text, without "?", at the latest version, for what is no query itself. */
int request_parse_text(struct call *call, const char *query, struct request *ret, struct fault *f);
/* The same of these parameters. */
int request_parse_pairs(struct call *call, struct http_pair *pairs, size_t count,
                        struct request *ret, struct fault *f);

/* Without blanks around it. */
const char *request_strip(struct arena *a, const char *text);

/* One group's parameters; NULL 'suffix': "". For lists of providers and explanations, which have one group and fewer parameters. */
int request_parse_group(struct call *call, const char *suffix, struct request_group *ret,
                        struct fault *f);
