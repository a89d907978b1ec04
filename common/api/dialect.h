/* The wire families: how errors, links, lists, filters, sort keys and times look. One row each; no other file asks. */
#pragma once

#include <stdbool.h>

#include "../base/clock.h"
#include "../base/fault.h"
#include "../base/jsonw.h"
#include "../http/response.h"

enum dialect_id {
    DIALECT_KEYSTONE,
    DIALECT_GLANCE,
    DIALECT_NOVA,
    DIALECT_CINDER,
    DIALECT_NEUTRON,
    DIALECT_PLACEMENT
};

struct dialect {
    enum dialect_id id;
    /* Writes status, body and headers of a fault. 'version': microversion or 0. */
    void (*error)(const struct fault *f, const char *request_id, int version,
                  struct http_response *r);
    int quota_status;          /* Status of FAULT_QUOTA. */
    int unknown_marker_status; /* 400, or 404 where upstream says so. */
    enum clock_style times;
    bool unknown_members_ignored; /* In bodies. */
    bool unknown_filters_ignored; /* In list queries. */
    bool envelope;                /* Single objects stand under their key. */
    bool
        missing_is_refused; /* Unknown ids are 403 for whom the rule lets in by the object alone. */
    int max_limit;          /* Of a list; 0: none. */
    int default_limit;      /* 0: all, up to max_limit. -1: all, however many. */
    bool each_filter_counts;        /* A repeated filter means "and"; else "or". */
    bool any_word_is_true;          /* In boolean filters: what isn't a no. */
    bool sort_colon;                /* sort=key:dir,key:dir */
    bool sort_pairs;                /* sort_key=..&sort_dir=.. */
    const char *request_id_header2; /* Second name of the request id header, or NULL. */
    bool list_all_tenants;          /* Who may see all lists all only with ?all_tenants=1. */
    bool bulk;                      /* POST takes the plural too. */
    bool
        strict_bodies; /* Only operations that take a body look at it, after the rules, and they ask for its media type. */
    bool strict_versions; /* A version document minds the version header too. */
    bool error_pages;     /* Errors are JSON only for clients that ask for it: error_page.h. */
    bool exact_paths;     /* A slash at the end of a path makes it another one. */
    bool bad_service_token_ignored; /* Else a request with one is 401, also with a good token. */
};

const struct dialect *dialect_get(enum dialect_id id);

/* Does this list tell of a next page, and how: writes the members beside the array. 'next'/'previous': URLs or NULL. */
void dialect_list_links(const struct dialect *d, struct jsonw *w, const char *plural,
                        const char *self, const char *next, const char *previous);

/* The links of one object: 'path' is its own; what else there is follows from it. Nothing where the family has none. 'more': paths of
 * what belongs to it, ended by a row without a name; NULL: none. */
struct dialect_link {
    const char *name, *path;
};
void dialect_all_links(const struct dialect *d, struct jsonw *w, const char *base_url,
                       const char *path, const struct dialect_link *more);
static inline void
dialect_object_links(const struct dialect *d, struct jsonw *w, const char *base_url,
                     const char *path)
{
    dialect_all_links(d, w, base_url, path, NULL);
}

/* The reason phrase of a status, "Not Found". */
const char *dialect_reason(int status);
