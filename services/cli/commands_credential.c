/* Secrets that a user leaves with identity: credentials, and those of them that sign EC2 and S3 requests. */
#include "kinds.h"
#include "session.h"

/* clang-format off: a row is read as a row. */

#define CREDENTIAL(...)                                                                            \
    ARG_ID("<credential-id>", NULL, &kind_credential, "Credential (ID)", __VA_ARGS__)
#define ACCESS(...) ARG_ID("<access-key>", NULL, &kind_ec2, "Access key", __VA_ARGS__)
#define FOR_PROJECT                                                                                \
    OPT_ID("--project", "<project>", "project_id", &kind_project, "Project it is for (name or ID)")
#define OF_USER                                                                                    \
    OPT_ID("--user", "<user>", NULL, &kind_user, "Another user's (name or ID)",                    \
           .domain = "--user-domain"),                                                             \
        OPT("--user-domain", "<domain>", NULL, "Domain of that user (name or ID)")
#define OF_PROJECT(to)                                                                             \
    OPT_ID("--project", "<project>", to, &kind_project, "Project it is for (name or ID)",          \
           .domain = "--project-domain"),                                                          \
        OPT("--project-domain", "<domain>", NULL, "Domain of that project (name or ID)")

/* Without --project it is the one that the caller is in. */
static int
own_project(struct cli *cli, json_t *body, struct fault *f)
{
    if (json_object_get(body, "tenant_id") != NULL)
        return 0;
    if (session_open(cli, false, f) < 0)
        return -1;
    if (session_project_id(cli) != NULL)
        json_object_set_new(body, "tenant_id", json_string(session_project_id(cli)));
    return 0;
}

const struct command credential_commands[] = {
    { .name = "credential create",
      .help = "Create a credential",
      .verb = VERB_CREATE,
      .kind = &kind_credential,
      .options =
          OPTIONS(ARG_ID("<user>", "user_id", &kind_user, "User it belongs to (name or ID)"),
                  ARG("<data>", "blob", "What is secret of it"),
                  OPT("--type", "<type>", "type", "Its type: cert, ec2, totp", .fallback = "cert"),
                  FOR_PROJECT) },
    { .name = "credential delete",
      .help = "Delete credentials",
      .verb = VERB_DELETE,
      .kind = &kind_credential,
      .options = OPTIONS(CREDENTIAL(.repeat = true)) },
    { .name = "credential list",
      .help = "List credentials",
      .verb = VERB_LIST,
      .kind = &kind_credential,
      .options = OPTIONS(OPT_ID("--user", "<user>", "?user_id", &kind_user,
                                "Only this user's (name or ID)", .domain = "--user-domain"),
                         OPT("--user-domain", "<domain>", NULL, "Domain of that user (name or ID)"),
                         OPT("--type", "<type>", "?type", "Only of this type")),
      .columns = COLUMNS(COL("ID", "id"), COL("Type", "type"), COL("User ID", "user_id"),
                         COL("Data", "blob"), COL("Project ID", "project_id")) },
    { .name = "credential set",
      .help = "Change a credential",
      .verb = VERB_SET,
      .kind = &kind_credential,
      .options = OPTIONS(CREDENTIAL(.repeat = false),
                         OPT_ID("--user", "<user>", "user_id", &kind_user,
                                "User it belongs to, which stays (name or ID)"),
                         OPT("--type", "<type>", "type", "Its type"),
                         OPT("--data", "<data>", "blob", "What is secret of it"), FOR_PROJECT) },
    { .name = "credential show",
      .help = "Show a credential",
      .verb = VERB_SHOW,
      .kind = &kind_credential,
      .options = OPTIONS(CREDENTIAL(.repeat = false)) },

    { .name = "ec2 credentials create",
      .help = "Make an access key and its secret, for a project",
      .verb = VERB_REQUEST,
      .method = HTTP_POST,
      .kind = &kind_ec2,
      .path = "/users/{@user}/credentials/OS-EC2",
      .show = true,
      .prepare = own_project,
      .options = OPTIONS(OF_PROJECT("tenant_id"), OF_USER) },
    { .name = "ec2 credentials delete",
      .help = "Delete access keys",
      .verb = VERB_DELETE,
      .kind = &kind_ec2,
      .options = OPTIONS(ACCESS(.repeat = true), OF_USER) },
    { .name = "ec2 credentials list",
      .help = "List your access keys, or another user's",
      .verb = VERB_LIST,
      .kind = &kind_ec2,
      .options = OPTIONS(OF_USER),
      .columns = COLUMNS(COL("Access", "access"), COL("Secret", "secret"),
                         COL("Project ID", "tenant_id"), COL("User ID", "user_id")) },
    { .name = "ec2 credentials show",
      .help = "Show an access key",
      .verb = VERB_SHOW,
      .kind = &kind_ec2,
      .options = OPTIONS(ACCESS(.repeat = false), OF_USER) },
    { .name = NULL },
};
