/* The json-home document: every path of the API by the name of its relation, made from the operation table. */
#pragma once

#include "service.h"

/* Does the client ask for it? By Accept, of which the type with the greatest weight counts, and the first of equal ones. */
bool home_wanted(struct call *call);

/* Answers with it; its addresses begin with 'prefix' where the paths have "/v3". */
int home_reply(struct call *call, const char *prefix);
