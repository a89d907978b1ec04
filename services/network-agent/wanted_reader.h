/* What the readers of the wire's structs share: wanted_read.c and wanted_groups.c, nobody else. */
#pragma once

#include "base/map.h"
#include "network_rpc.h"
#include "wanted.h"

struct wanted_reader {
    struct arena *a;
    struct wanted *w;
    struct map *networks, *groups; /* By id. */
    const struct bridge_mapping *mappings;
    size_t mappings_count;
};

/* Was the member said, and not null? */
static inline bool
wanted_given(const struct field_set *set, unsigned index)
{
    return field_given(set, index) && !field_null(set, index);
}

/* Says what is wrong with the object at hand, and that it is to be left out: always false. */
bool wanted_refuse(struct wanted_reader *r, const char *kind, const char *id, const char *what,
                   const char *value);

/* All security groups. First each of them by name, since their rules name each other. */
void wanted_read_groups(struct wanted_reader *r, const struct host_state_out *in);
