/* Claims at work: what claim.h decides, made true in one transaction.
 *
 * The rows that decide are locked in one order everywhere (consumers by UUID, then providers with their inventories by number),
 * so claims wait for each other and never fail for having met. Clients send no provider generation with a claim: sixteen writers
 * of one provider queue, none gets a 409. What the database still cannot serialise is run again here. */
#pragma once

#include "service.h"

struct claim_want {
    const char *provider_uuid, *class_name;
    int64_t amount;
};

/* What one consumer is to have afterwards: no wants, and it is gone. */
struct consumer_claim {
    const char *uuid, *project_id, *user_id;
    const char *type; /* NULL: as it is. */
    bool
        counted; /* 'generation' must be the consumer's: its number, or null for one that is not there yet. */
    bool generation_null;
    int64_t generation;
    bool quiet; /* What it gives back moves no provider's generation. */
    struct claim_want *wants;
    size_t wants_count;
};

/* What else belongs into a claim's transaction. It may run several times, when the database gives up a transaction. */
struct claims_also {
    /* The consumers are locked, nothing of the providers that the claims concern ('uuids') is yet: by number, as below. */
    int (*before)(void *owner, const struct texts *uuids, struct fault *f);
    int (*after)(void *owner, struct fault *f); /* All is written, nothing committed. */
    void *owner;
};

/* All of it or nothing. 'also': NULL, or what is done with it. 'unable' begins the message about an unknown resource class. FAULT_INVALID: an unknown provider or class;
 * FAULT_CONFLICT: no room, limits of the inventory, another consumer generation. Each uuid stands in 'claims' once; sorts them. */
int claims_apply(struct call *call, struct consumer_claim *claims, size_t count, const char *unable,
                 const struct claims_also *also, struct fault *f);
