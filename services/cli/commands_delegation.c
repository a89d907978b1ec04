/* What a user leaves to programs and to other users: application credentials, access rules, trusts. */
#include "delegation.h"
#include "kinds.h"

/* clang-format off: a row is read as a row. */

#define OF_USER                                                                                    \
    OPT_ID("--user", "<user>", NULL, &kind_user, "Another user's (name or ID)",                    \
           .domain = "--user-domain"),                                                             \
        OPT("--user-domain", "<domain>", NULL, "Domain of that user (name or ID)")
#define ROLES(is_required)                                                                         \
    OPT("--role", "<role>", NULL, "A role to hand over (name or ID); repeat for more",             \
        .repeat = true, .required = is_required)
#define EXPIRATION                                                                                 \
    OPT("--expiration", "<expiration>", "expires_at", "When it ends: YYYY-mm-ddTHH:MM:SS, in UTC")

const struct command delegation_commands[] = {
    { .name = "application credential create",
      .help = "Create an application credential; its secret is shown now and never again",
      .verb = VERB_CREATE,
      .kind = &kind_application_credential,
      .prepare = delegation_app_cred_body,
      .options = OPTIONS(
          ARG("<name>", "name", "Its name"),
          OPT("--secret", "<secret>", "secret", "Its secret (default: one is made)"), ROLES(false),
          EXPIRATION, OPT("--description", "<description>", "description", "What it is for"),
          FLAG("--unrestricted", "unrestricted", "true",
               "It may make and delete others of its kind"),
          FLAG("--restricted", "unrestricted", "false", "It may not (the default)"),
          OPT("--access-rules", "<access-rules>", NULL,
              "The requests it may make, a JSON list or a file with one: "
              "[{\"method\": \"GET\", \"path\": \"/v2.1/servers\", \"service\": \"compute\"}]")) },
    { .name = "application credential delete",
      .help = "Delete application credentials; their tokens end",
      .verb = VERB_DELETE,
      .kind = &kind_application_credential,
      .options = OPTIONS(ARG_ID("<application-credential>", NULL, &kind_application_credential,
                                "Application credential (name or ID)", .repeat = true)) },
    { .name = "application credential list",
      .help = "List application credentials",
      .verb = VERB_LIST,
      .kind = &kind_application_credential,
      .options = OPTIONS(OF_USER),
      .columns = COLUMNS(COL("ID", "id"), COL("Name", "name"), COL("Project ID", "project_id"),
                         COL("Description", "description"), COL("Expires At", "expires_at")) },
    { .name = "application credential show",
      .help = "Show an application credential",
      .verb = VERB_SHOW,
      .kind = &kind_application_credential,
      .options = OPTIONS(ARG_ID("<application-credential>", NULL, &kind_application_credential,
                                "Application credential (name or ID)")) },

    { .name = "access rule delete",
      .help = "Delete access rules that nothing uses any more",
      .verb = VERB_DELETE,
      .kind = &kind_access_rule,
      .options = OPTIONS(
          ARG_ID("<access-rule>", NULL, &kind_access_rule, "Access rule (ID)", .repeat = true)) },
    { .name = "access rule list",
      .help = "List access rules",
      .verb = VERB_LIST,
      .kind = &kind_access_rule,
      .options = OPTIONS(OF_USER),
      .columns = COLUMNS(COL("ID", "id"), COL("Service", "service"), COL("Method", "method"),
                         COL("Path", "path")) },
    { .name = "access rule show",
      .help = "Show an access rule",
      .verb = VERB_SHOW,
      .kind = &kind_access_rule,
      .options = OPTIONS(ARG_ID("<access-rule>", NULL, &kind_access_rule, "Access rule (ID)")) },

    { .name = "trust create",
      .help = "Create a trust: let another user act with some of your roles",
      .verb = VERB_CREATE,
      .kind = &kind_trust,
      .prepare = delegation_trust_body,
      .options = OPTIONS(
          ARG("<trustor-user>", NULL, "Who hands over (name or ID)"),
          ARG("<trustee-user>", NULL, "Who may act (name or ID)"),
          OPT("--project", "<project>", NULL, "In this project (name or ID)", .required = true),
          ROLES(true),
          FLAG("--impersonate", "impersonation", "true", "In the name of who hands over"),
          EXPIRATION,
          OPT_INT("--remaining-uses", "<count>", "remaining_uses",
                  "How many tokens it gives (default: any number)"),
          FLAG("--allow-redelegation", "allow_redelegation", "true",
               "Who may act may hand it on, to no more than it is itself"),
          OPT_INT("--redelegation-count", "<count>", "redelegation_count",
                  "How often it may be handed on, each time once less"),
          OPT("--project-domain", "<domain>", NULL, "Domain of the project (name or ID)"),
          OPT("--trustor-domain", "<domain>", NULL, "Domain of who hands over (name or ID)"),
          OPT("--trustee-domain", "<domain>", NULL, "Domain of who may act (name or ID)")) },
    { .name = "trust delete",
      .help = "Delete trusts, and what was handed on from them; their tokens end",
      .verb = VERB_DELETE,
      .kind = &kind_trust,
      .options = OPTIONS(ARG_ID("<trust>", NULL, &kind_trust, "Trust (ID)", .repeat = true)) },
    { .name = "trust list",
      .help = "List trusts",
      .verb = VERB_LIST,
      .kind = &kind_trust,
      .options = OPTIONS(
          OPT_ID("--trustor", "<trustor-user>", "?trustor_user_id", &kind_user,
                 "Only what this user hands over (name or ID)", .domain = "--trustor-domain"),
          OPT_ID("--trustee", "<trustee-user>", "?trustee_user_id", &kind_user,
                 "Only what this user may act by (name or ID)", .domain = "--trustee-domain"),
          OPT("--trustor-domain", "<domain>", NULL, "Domain of who hands over (name or ID)"),
          OPT("--trustee-domain", "<domain>", NULL, "Domain of who may act (name or ID)")),
      .columns = COLUMNS(COL("ID", "id"), COL("Expires At", "expires_at"),
                         COL("Impersonation", "impersonation"), COL("Project ID", "project_id"),
                         COL("Trustee User ID", "trustee_user_id"),
                         COL("Trustor User ID", "trustor_user_id")) },
    { .name = "trust role list",
      .help = "List the roles that a trust hands over",
      .verb = VERB_LIST,
      .kind = &kind_role,
      .path = "/OS-TRUST/trusts/{trust}/roles",
      .options = OPTIONS(ARG_ID("<trust>", NULL, &kind_trust, "Trust (ID)")),
      .columns = COLUMNS(COL("ID", "id"), COL("Name", "name")) },
    { .name = "trust show",
      .help = "Show a trust",
      .verb = VERB_SHOW,
      .kind = &kind_trust,
      .options = OPTIONS(ARG_ID("<trust>", NULL, &kind_trust, "Trust (ID)")) },
    { .name = NULL },
};
