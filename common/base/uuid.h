/* Random UUIDs (RFC 4122, version 4) and the two ways OpenStack writes them. */
#pragma once

#include <stdbool.h>

#include "arena.h"

#define UUID_TEXT 37 /* Bytes of "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" with its end. */

void uuid_new(char ret[UUID_TEXT]);
char *uuid_make(struct arena *a);        /* With dashes, lower case. */
char *uuid_make_hex(struct arena *a);    /* 32 digits without dashes, as identity's ids are. */
bool uuid_check(const char *text);       /* With dashes, any case. */
bool uuid_check_loose(const char *text); /* With or without dashes, as oslo's is_uuid_like. */
