/* OAuth 1.0a: what a consumer asks for, signed with its secret (RFC 5849). */
#pragma once

#include "cli.h"

int oauth_request_token(struct cli *cli, struct fault *f);
int oauth_access_token(struct cli *cli, struct fault *f);
/* A consumer without description says so. */
int oauth_consumer_body(struct cli *cli, json_t *body, struct fault *f);
