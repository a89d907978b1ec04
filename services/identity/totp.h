/* Time-based one-time passwords (RFC 6238): SHA-1, 30 seconds, six digits, as the programs on people's telephones make them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

#define TOTP_PERIOD_US INT64_C(30000000)
#define TOTP_DIGITS 6

/* The secret of a credential's blob: base32 (RFC 4648), in any case, with or without padding and blanks. false: it is none. */
bool totp_read_secret(struct arena *a, const char *text, unsigned char **ret, size_t *ret_size);

void totp_code(const unsigned char *secret, size_t size, int64_t step, char ret[TOTP_DIGITS + 1]);

/* The time step whose code this is, of the present one and so many before; negative: of none of them. Takes as long either way. */
int64_t totp_match(const unsigned char *secret, size_t size, const char *code, int64_t now_us,
                   int64_t windows_before);
