/* Idempotency-Key: a POST that is sent again after a lost answer has its effect once (draft-ietf-httpapi-idempotency-key-header).
 *
 * The key belongs to the caller (user, and the project or domain of the token) and the operation; a row of it
 * is written right before the handler's first db_tx_commit(), so it is committed with the effect or not at all. The answer is
 * added when it has been rendered, sealed under the key, which is stored nowhere. Rows live for 24 hours. A repeat gets
 *
 *   the same answer, with "Idempotency-Replayed: true";
 *   422 when it is not the same request (path, query, microversion, body);
 *   409 with Retry-After while the first one is in work (it waits for it for a second before);
 *   when the first one committed and died before its answer was stored: the object as it is now where it is a
 *   resource, else 409 that says so.
 *
 * A request without effect (4xx, rolled back) leaves nothing: its repeat runs. Ignored are public operations
 * (making tokens) and streamed ones. The dispatcher calls what is here; handlers see nothing of it, but those
 * that make something set call->object_id before they commit. What has no effect in the database
 * has its row written after it: only a crash in between makes a repeat run again. */
#pragma once

#include "call.h"

/* After the operation is chosen, caller and database are known: 0: run the handler (with a key: under its lock),
 * 1: answered already. Fails with INVALID (not 1..255 visible characters), UNPROCESSABLE, CONFLICT. */
int idempotency_begin(struct call *c, struct fault *f);

/* After a handler failed: was it only because another request with the key was faster? Then as idempotency_begin(). Else
 * returns 0 and leaves the fault. */
int idempotency_retry(struct call *c, struct fault *f);

/* After the answer was rendered, whatever it is: stores it if there was an effect, and lets others with the key go on.
 * Does nothing for calls without a key. */
void idempotency_end(struct call *c);
