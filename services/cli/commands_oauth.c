/* OAuth 1.0a: consumers, the tokens they ask for, and what a user has given them. */
#include "delegation.h"
#include "kinds.h"
#include "oauth.h"

/* clang-format off: a row is read as a row. */

#define CONSUMER(...) ARG_ID("<consumer>", NULL, &kind_consumer, "Consumer (ID)", __VA_ARGS__)
#define DESCRIPTION OPT("--description", "<description>", "description", "What it is")
#define SIGNED_BY                                                                                  \
    OPT("--consumer-key", "<consumer-key>", NULL, "ID of the consumer that asks",                  \
        .required = true),                                                                         \
        OPT("--consumer-secret", "<consumer-secret>", NULL,                                        \
            "Its secret (default: it is asked for)")
#define ACCESS_TOKEN(...)                                                                          \
    ARG_ID("<access-token>", NULL, &kind_access_token, "Access token (ID)", __VA_ARGS__)
#define OF_USER                                                                                    \
    OPT_ID("--user", "<user>", NULL, &kind_user, "Another user's (name or ID)",                    \
           .domain = "--user-domain"),                                                             \
        OPT("--user-domain", "<domain>", NULL, "Domain of that user (name or ID)")

const struct command oauth_commands[] = {
    { .name = "consumer create",
      .help = "Create a consumer: a program that users may let act for them",
      .verb = VERB_CREATE,
      .kind = &kind_consumer,
      .prepare = oauth_consumer_body,
      .options = OPTIONS(DESCRIPTION) },
    { .name = "consumer delete",
      .help = "Delete consumers; their tokens end",
      .verb = VERB_DELETE,
      .kind = &kind_consumer,
      .options = OPTIONS(CONSUMER(.repeat = true)) },
    { .name = "consumer list",
      .help = "List consumers",
      .verb = VERB_LIST,
      .kind = &kind_consumer,
      .columns = COLUMNS(COL("ID", "id"), COL("Description", "description")) },
    { .name = "consumer set",
      .help = "Change a consumer",
      .verb = VERB_SET,
      .kind = &kind_consumer,
      .options = OPTIONS(CONSUMER(.repeat = false), DESCRIPTION) },
    { .name = "consumer show",
      .help = "Show a consumer",
      .verb = VERB_SHOW,
      .kind = &kind_consumer,
      .options = OPTIONS(CONSUMER(.repeat = false)) },

    { .name = "request token create",
      .help = "Ask, as a consumer, for a token that a user may authorize",
      .verb = VERB_RUN,
      .service = SERVICE_IDENTITY,
      .run = oauth_request_token,
      .options =
          OPTIONS(SIGNED_BY,
                  OPT_ID("--project", "<project>", NULL, &kind_project,
                         "Project it wants to act in (name or ID)", .domain = "--domain",
                         .required = true),
                  OPT("--domain", "<domain>", NULL, "Domain of that project (name or ID)")) },
    { .name = "request token authorize",
      .help = "Let the consumer that asked act for you, with some of your roles",
      .verb = VERB_REQUEST,
      .method = HTTP_PUT,
      .kind = &kind_authorization,
      .path = "/OS-OAUTH1/authorize/{request-key}",
      .show = true,
      .prepare = delegation_roles_body,
      .options =
          OPTIONS(OPT("--request-key", "<request-key>", NULL, "ID of its request token",
                      .required = true),
                  OPT("--role", "<role>", NULL, "A role to hand over (name or ID); repeat for more",
                      .repeat = true, .required = true)) },
    { .name = "access token create",
      .help = "Change, as a consumer, an authorized request token into an access token",
      .verb = VERB_RUN,
      .service = SERVICE_IDENTITY,
      .run = oauth_access_token,
      .options = OPTIONS(SIGNED_BY,
                         OPT("--request-key", "<request-key>", NULL, "ID of the request token",
                             .required = true),
                         OPT("--request-secret", "<request-secret>", NULL,
                             "Its secret (default: it is asked for)"),
                         OPT("--verifier", "<verifier>", NULL,
                             "What the user got for authorizing it", .required = true)) },
    { .name = "access token delete",
      .help = "Take back what consumers were given; their tokens end",
      .verb = VERB_DELETE,
      .kind = &kind_access_token,
      .options = OPTIONS(ACCESS_TOKEN(.repeat = true), OF_USER) },
    { .name = "access token list",
      .help = "List what you have given consumers, or another user has",
      .verb = VERB_LIST,
      .kind = &kind_access_token,
      .options = OPTIONS(OF_USER),
      .columns = COLUMNS(COL("ID", "id"), COL("Consumer ID", "consumer_id"),
                         COL("Project ID", "project_id"), COL("Expires At", "expires_at")) },
    { .name = "access token show",
      .help = "Show an access token",
      .verb = VERB_SHOW,
      .kind = &kind_access_token,
      .options = OPTIONS(ACCESS_TOKEN(.repeat = false), OF_USER) },
    { .name = "access token role list",
      .help = "List the roles that an access token gives",
      .verb = VERB_LIST,
      .kind = &kind_role,
      .path = "/users/{@user}/OS-OAUTH1/access_tokens/{access-token}/roles",
      .options = OPTIONS(ACCESS_TOKEN(.repeat = false), OF_USER),
      .columns = COLUMNS(COL("ID", "id"), COL("Name", "name")) },
    { .name = NULL },
};
