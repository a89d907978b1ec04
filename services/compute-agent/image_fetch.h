/* From the image service to a file that may be a guest's base: downloaded, digested, inspected, converted if need be. */
#pragma once

#include "image_cache.h"

/* What is known of a file of the cache; kept beside it as JSON. */
struct image_record {
    const char *driver; /* "raw" or "qcow2" */
    int64_t virtual_bytes;
    char sha256[65]; /* Of the file as it is here (after conversion), not of what was downloaded. */
    int64_t size,
        modified_ns; /* As long as these are the file's, its digest is taken as unchanged. */
};

/* Leaves a file at 'path' and its description in 'ret'; on failure nothing is left. Also uses '<path>.in'. */
int image_fetch(const struct image_source *source, struct arena *a, const struct guest_image *image,
                const char *path, struct image_record *ret, struct fault *f);

/* Is the file at 'path' still what the record says? Reads it when its time of change differs, and then refreshes the record. */
bool image_record_verify(const char *path, struct image_record *record);

int image_record_read(struct arena *a, const char *path, struct image_record *ret);
int image_record_write(struct arena *a, const char *path, const struct image_record *record,
                       struct fault *f);
