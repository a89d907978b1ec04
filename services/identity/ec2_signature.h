/* Signatures of EC2 and S3 requests (AWS versions 1, 2 and 4), as somebody who has the secret makes them. Pure: the caller compares.
 *
 * Who signs covers verb, host, path, parameters and time; a version 4 names region and service besides. Version 0 is not taken:
 * it covers an action and a time, and nothing of what the action does. */
#pragma once

#include <jansson.h>

#include "base/arena.h"
#include "base/fault.h"

struct ec2_request {
    const char *verb, *host, *path, *body_hash; /* NULL: not said. */
    const json_t *params, *headers;             /* Objects of texts, or NULL. */
};

/* The signature that 'secret' gives the request, by the version that it names; and when it was signed (what the signature covers
 * says so), or until when it is meant. NULL: it does not hang together; '*ret_why' says how, for the log. */
struct ec2_signed {
    const char *text;
    int64_t signed_us;  /* 0: it names an end instead. */
    int64_t expires_us; /* 0: it names none. */
};
int ec2_sign(struct arena *a, const struct ec2_request *r, const char *secret,
             struct ec2_signed *ret, const char **ret_why);

/* The same for what an S3 gateway hands on: the text that its client signed. */
int s3_sign(struct arena *a, const char *string_to_sign, size_t size, const char *secret,
            struct ec2_signed *ret, const char **ret_why);
