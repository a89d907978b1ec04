/* What oidc.c, oidc_issuer.c and oidc_flow.c share. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "oidc.h"

struct oidc_settings {
    const char *idp_id, *protocol_id, *issuer, *client_id, *client_secret, *audience, *scopes;
    bool introspect, userinfo;
    int64_t clock_skew_s;
    const char *redirect_uri, *jwks_uri, *authorization_endpoint, *token_endpoint,
        *introspection_endpoint, *userinfo_endpoint;
};

/* A document of the issuer's, as it came. */
struct oidc_document {
    char *text;
    int64_t fetched_ms; /* 0: never. */
};

struct oidc_client {
    struct oidc_client *next;
    struct oidc_settings settings;
    atomic_int busy; /* Requests that are waiting for the issuer. */
    pthread_mutex_t mutex;
    struct oidc_document discovery GUARDED_BY(mutex), keys GUARDED_BY(mutex);
};

/* The URL of an endpoint: as configured, else the discovery document's member. */
int oidc_endpoint(struct call *call, struct oidc_client *c, const char *configured,
                  const char *member, const char **ret, struct fault *f);
/* The issuer's key set. 'renew': what is kept has not the key that is wanted. */
int oidc_keys(struct call *call, struct oidc_client *c, bool renew, json_t **ret, struct fault *f);

/* A request to the issuer whose answer is a JSON object. 'form': what is posted, NULL: GET. 'authorization': the header, or NULL.
 * Another status than 200 is FAULT_UNAUTHORIZED. */
int oidc_ask(struct call *call, struct oidc_client *c, const char *url, const char *form,
             const char *authorization, json_t **ret, struct fault *f);
/* Us, to the issuer: "Basic ..."; NULL for a public client. */
const char *oidc_credentials(struct call *call, const struct oidc_client *c);

/* FAULT_UNAUTHORIZED as every refused login; 'cause' is for the log. */
int oidc_refuse(struct fault *f, const char *cause);
