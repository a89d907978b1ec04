/* What the mirror's own files share: the state, and its change by one provider. Nothing here locks or does I/O. */
#pragma once

#include "base/map.h"
#include "mirror.h"
#include "mirror_names.h"
#include "service.h"

struct mirror_state {
    struct mirror_provider **providers; /* By number. */
    size_t providers_count, providers_capacity;
    struct mirror_tree **trees; /* By number of the root. */
    size_t trees_count, trees_capacity;
    struct mirror_provider **sharing;
    size_t sharing_count, sharing_capacity;
    struct map *by_uuid;
    struct mirror_names classes, traits, aggregates;
    int sharing_trait; /* Number of MISC_SHARES_VIA_AGGREGATE. */
};

void mirror_state_init(struct mirror_state *s);
void mirror_state_done(struct mirror_state *s);

/* Takes in the rows of one read: first all that are there, then their trees, then the end of those that are gone, so that no
 * pointer is left to one. False: the rows are newer than others that they refer to, whose change the next read brings. */
bool mirror_state_apply(struct mirror_state *s, const struct mirror_state_row *rows, size_t count);
