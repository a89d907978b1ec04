/* Housekeeping once a minute, on a thread of its own: unused images, and what the driver has to tidy. */
#pragma once

#include "driver.h"
#include "image_cache.h"

struct tender;

/* Either may be NULL; both outlive it. */
int tender_start(struct tender **ret, struct image_cache *images, struct hypervisor *hypervisor,
                 struct fault *f);
void tender_stop(struct tender *t);
