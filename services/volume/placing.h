/* Which backend a new volume goes to: a pure function from backends and wish to a choice, and the reasons of the others. */
#pragma once

#include "service.h"

struct placing_wish {
    int64_t size_gb;
    const char *zone;         /* NULL: any */
    const char *backend_name; /* As the volume's type asks for; NULL: any */
    const char
        *host; /* The only one that will do: where the snapshot or source volume is; NULL: any */
    bool multiattach;
    double thin_ratio;
};

/* Index of the backend with the most room left; -1: none, and '*ret_reasons' says for each why. */
int placing_choose(const struct backend_row *backends, size_t count,
                   const struct placing_wish *wish, struct arena *a, const char **ret_reasons);

/* GiB that may still be promised there. */
int64_t placing_room_gb(const struct backend_row *b, double thin_ratio);
