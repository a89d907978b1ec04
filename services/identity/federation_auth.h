/* What federation_auth.c and websso.c share. */
#pragma once

#include "federation_login.h"

/* From the headers of a trusted front proxy. FAULT_UNAUTHORIZED when the peer is none. */
int federation_proxy_assertion(struct call *call, struct assertion *ret, struct fault *f);

/* A refusal of the issuer's word as the client sees every refusal; other faults pass. */
int federation_refused(struct call *call, struct fault *f);
