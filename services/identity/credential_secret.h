/* What is secret of a credential, its blob: sealed before it is stored, opened when it is used or shown to who may see it. */
#pragma once

#include "service.h"

/* The blob of a row, in the arena of the call. */
int credential_blob(struct call *call, const struct credential_row *row, const char **ret,
                    struct fault *f);

/* Seals the blob of a new or changed row, whose id, user and type are set. */
int credential_hide(struct call *call, struct credential *row, struct fault *f);

/* At the start of a daemon: seals what lies open, and says in the log which keys are missing. */
int credentials_check(struct identity *identity, struct fault *f);

/* "virga-identity credential key rotate|migrate". */
int credential_command(struct daemon *d, int argc, char **argv, struct fault *f);
