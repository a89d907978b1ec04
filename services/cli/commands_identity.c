/* Domains, projects, users, groups, roles. */
#include "access.h"
#include "kinds.h"

/* clang-format off: a row is read as a row. */

#define DOMAIN_OF(what) OPT("--domain", "<domain>", NULL, "Domain of the " what " (name or ID)")
#define IN_DOMAIN                                                                                  \
    OPT_ID("--domain", "<domain>", "domain_id", &kind_domain, "Domain it belongs to (name or ID)")
#define NAME ARG("<name>", "name", "Its name")
#define RENAME_TO OPT("--name", "<name>", "name", "New name")
#define DESCRIPTION OPT("--description", "<description>", "description", "What it is for")
#define ENABLE                                                                                     \
    FLAG("--enable", "enabled", "true", "Enable it (the default)"),                                \
        FLAG("--disable", "enabled", "false", "Disable it")
#define OR_SHOW FLAG("--or-show", NULL, "true", "If it is there already, show it")
#define IMMUTABLE                                                                                  \
    FLAG("--immutable", "options.immutable", "true",                                               \
         "It can then be neither deleted nor changed"),                                            \
        FLAG("--no-immutable", "options.immutable", "false", "It can be deleted and changed")
#define PROPERTIES OPT_PAIRS("--property", ".", "A property of it; repeat for more")
#define PASSWORD                                                                                   \
    OPT("--password", "<password>", "password",                                                    \
        "Its password; seen by others in the list of processes: better --password-prompt"),        \
        FLAG("--password-prompt", NULL, "true",                                                    \
             "Ask for the password; read from standard input when that is no terminal")
#define USER_FLAG(on, off, member, help)                                                           \
    FLAG(on, "options." member, "true", help), FLAG(off, "options." member, "false", "Not so")
#define USER_OPTIONS                                                                               \
    USER_FLAG("--ignore-lockout-failure-attempts", "--no-ignore-lockout-failure-attempts",         \
              "ignore_lockout_failure_attempts", "Failed logins do not lock it"),                  \
        USER_FLAG("--ignore-password-expiry", "--no-ignore-password-expiry",                       \
                  "ignore_password_expiry", "Its password does not expire"),                       \
        USER_FLAG("--ignore-change-password-upon-first-use",                                       \
                  "--no-ignore-change-password-upon-first-use",                                    \
                  "ignore_change_password_upon_first_use",                                         \
                  "It need not change its password first"),                                        \
        USER_FLAG("--enable-lock-password", "--disable-lock-password", "lock_password",            \
                  "It cannot change its password"),                                                \
        USER_FLAG("--enable-multi-factor-auth", "--disable-multi-factor-auth",                     \
                  "multi_factor_auth_enabled", "It needs several methods"),                        \
        OPT("--multi-factor-auth-rule", "<rule>", "options.multi_factor_auth_rules[]",             \
            "Methods that it must log in with, all of them: password,totp; repeat for others "     \
            "instead",                                                                             \
            .type = OPTION_WORDS, .repeat = true)
#define FEDERATED                                                                                  \
    OPT_PARTS("--federated", "idp=<idp>,protocol=<protocol>,id=<unique-id>", NULL,                 \
              "idp,protocol,id",                                                                   \
              "How an identity provider calls it; all of these that it has; repeat for more")
#define TAGS(words) OPT("--tag", "<tag>", "tags[]", words, .repeat = true)

const struct command identity_commands[] = {
    { .name = "domain create",
      .help = "Create a domain",
      .verb = VERB_CREATE,
      .kind = &kind_domain,
      .options =
          OPTIONS(NAME, DESCRIPTION, ENABLE, OR_SHOW, IMMUTABLE,
                  OPT("--id", "<id>", "explicit_domain_id",
                      "The ID it gets, 32 hexadecimal digits: the same in several clouds")) },
    { .name = "domain delete",
      .help = "Delete domains",
      .verb = VERB_DELETE,
      .kind = &kind_domain,
      .options =
          OPTIONS(ARG_ID("<domain>", NULL, &kind_domain, "Domain (name or ID)", .repeat = true)) },
    { .name = "domain list",
      .help = "List domains",
      .verb = VERB_LIST,
      .kind = &kind_domain,
      .options = OPTIONS(OPT("--name", "<name>", "?name", "Only this name"),
                         FLAG("--enabled", "?enabled", "true", "Only enabled ones")),
      .columns = COLUMNS(COL("ID", "id"), COL("Name", "name"), COL("Enabled", "enabled"),
                         COL("Description", "description")) },
    { .name = "domain set",
      .help = "Change a domain",
      .verb = VERB_SET,
      .kind = &kind_domain,
      .options = OPTIONS(ARG_ID("<domain>", NULL, &kind_domain, "Domain (name or ID)"), RENAME_TO,
                         DESCRIPTION, ENABLE, IMMUTABLE,
                         TAGS("All the tags it has are then these; repeat for more")) },
    { .name = "domain show",
      .help = "Show a domain",
      .verb = VERB_SHOW,
      .kind = &kind_domain,
      .options = OPTIONS(ARG_ID("<domain>", NULL, &kind_domain, "Domain (name or ID)")) },

    { .name = "project create",
      .help = "Create a project",
      .verb = VERB_CREATE,
      .kind = &kind_project,
      .options =
          OPTIONS(NAME, IN_DOMAIN,
                  OPT_ID("--parent", "<project>", "parent_id", &kind_project,
                         "Its parent (name or ID)"),
                  DESCRIPTION, ENABLE, OR_SHOW, IMMUTABLE, PROPERTIES,
                  OPT("--tag", "<tag>", "tags[]", "A tag; repeat for more", .repeat = true)) },
    { .name = "project delete",
      .help = "Delete projects",
      .verb = VERB_DELETE,
      .kind = &kind_project,
      .options = OPTIONS(ARG_ID("<project>", NULL, &kind_project, "Project (name or ID)",
                                .repeat = true, .domain = "--domain"),
                         DOMAIN_OF("project")) },
    { .name = "project list",
      .help = "List projects",
      .verb = VERB_RUN,
      .kind = &kind_project,
      .run = access_project_list,
      .options = OPTIONS(
          OPT_ID("--domain", "<domain>", "?domain_id", &kind_domain,
                 "Only this domain's (name or ID)"),
          OPT_ID("--parent", "<parent>", "?parent_id", &kind_project,
                 "Only this project's children (name or ID)"),
          OPT_ID("--user", "<user>", NULL, &kind_user, "Only those that this user has a role in"),
          FLAG("--my-projects", NULL, "true",
               "Only those that you have a role in, whatever else is asked for"),
          FLAG("--long", NULL, "true", "More columns"),
          OPT("--sort", "<key>[:<direction>]", NULL,
              "Sort by these members, asc or desc: name:desc,id"),
          OPT("--tags", "<tag>[,...]", "?tags", "Only with all these tags"),
          OPT("--tags-any", "<tag>[,...]", "?tags-any", "Only with one of these tags"),
          OPT("--not-tags", "<tag>[,...]", "?not-tags", "Without all these tags"),
          OPT("--not-tags-any", "<tag>[,...]", "?not-tags-any", "Without any of these tags")),
      .columns = COLUMNS(COL("ID", "id"), COL("Name", "name"), LONG("Domain ID", "domain_id"),
                         LONG("Description", "description"), LONG("Enabled", "enabled")) },
    { .name = "project set",
      .help = "Change a project",
      .verb = VERB_SET,
      .kind = &kind_project,
      .prepare = access_project_tags,
      .after = access_project_tags_each,
      .options = OPTIONS(
          ARG_ID("<project>", NULL, &kind_project, "Project (name or ID)", .domain = "--domain"),
          DOMAIN_OF("project"), RENAME_TO, DESCRIPTION, ENABLE, IMMUTABLE, PROPERTIES,
          OPT("--tag", "<tag>", NULL, "Add a tag; repeat for more", .repeat = true),
          FLAG("--clear-tags", NULL, "true",
               "Remove all tags; with --tag: these are then all it has"),
          OPT("--remove-tag", "<tag>", NULL, "Remove a tag; repeat for more", .repeat = true)) },
    { .name = "project show",
      .help = "Show a project",
      .verb = VERB_SHOW,
      .kind = &kind_project,
      .options = OPTIONS(
          ARG_ID("<project>", NULL, &kind_project, "Project (name or ID)", .domain = "--domain"),
          DOMAIN_OF("project"), FLAG("--parents", "?parents_as_ids", "true", "Its parents too"),
          FLAG("--children", "?subtree_as_ids", "true", "What is below it too")) },

    { .name = "user create",
      .help = "Create a user",
      .verb = VERB_CREATE,
      .kind = &kind_user,
      .prepare = access_user_body,
      .options =
          OPTIONS(NAME, IN_DOMAIN,
                  OPT_ID("--project", "<project>", "default_project_id", &kind_project,
                         "Its default project (name or ID)", .domain = "--project-domain"),
                  OPT("--project-domain", "<domain>", NULL, "Domain of that project (name or ID)"),
                  PASSWORD, OPT("--email", "<address>", "email", "Its mail address"), DESCRIPTION,
                  ENABLE, OR_SHOW, USER_OPTIONS, FEDERATED) },
    { .name = "user delete",
      .help = "Delete users",
      .verb = VERB_DELETE,
      .kind = &kind_user,
      .options = OPTIONS(ARG_ID("<user>", NULL, &kind_user, "User (name or ID)", .repeat = true,
                                .domain = "--domain"),
                         DOMAIN_OF("user")) },
    { .name = "user list",
      .help = "List users",
      .verb = VERB_RUN,
      .service = SERVICE_IDENTITY,
      .run = access_user_list,
      .kind = &kind_user,
      .options =
          OPTIONS(OPT_ID("--domain", "<domain>", "?domain_id", &kind_domain,
                         "Only this domain's (name or ID)"),
                  OPT_ID("--group", "<group>", NULL, &kind_group, "Only this group's (name or ID)"),
                  OPT_ID("--project", "<project>", NULL, &kind_project,
                         "Only those with a role in this project"),
                  FLAG("--long", NULL, "true", "More columns")),
      .columns =
          COLUMNS(COL("ID", "id"), COL("Name", "name"), LONG("Project", "default_project_id"),
                  LONG("Domain", "domain_id"), LONG("Description", "description"),
                  LONG("Email", "email"), LONG("Enabled", "enabled")) },
    { .name = "user set",
      .help = "Change a user",
      .verb = VERB_SET,
      .kind = &kind_user,
      .prepare = access_user_body,
      .options =
          OPTIONS(ARG_ID("<user>", NULL, &kind_user, "User (name or ID)", .domain = "--domain"),
                  DOMAIN_OF("user"), RENAME_TO,
                  OPT_ID("--project", "<project>", "default_project_id", &kind_project,
                         "Its default project (name or ID)", .domain = "--project-domain"),
                  OPT("--project-domain", "<domain>", NULL, "Domain of that project (name or ID)"),
                  PASSWORD, OPT("--email", "<address>", "email", "Its mail address"), DESCRIPTION,
                  ENABLE, USER_OPTIONS, FEDERATED) },
    { .name = "user password set",
      .help = "Change your own password",
      .verb = VERB_REQUEST,
      .method = HTTP_POST,
      .service = SERVICE_IDENTITY,
      .path = "/users/{@user}/password",
      .prepare = access_own_password,
      .options =
          OPTIONS(OPT("--password", "<password>", NULL, "The new one (default: it is asked for)"),
                  OPT("--original-password", "<password>", NULL,
                      "The one you have (default: it is asked for)")) },
    { .name = "user show",
      .help = "Show a user",
      .verb = VERB_SHOW,
      .kind = &kind_user,
      .options =
          OPTIONS(ARG_ID("<user>", NULL, &kind_user, "User (name or ID)", .domain = "--domain"),
                  DOMAIN_OF("user")) },

    { .name = "group create",
      .help = "Create a group",
      .verb = VERB_CREATE,
      .kind = &kind_group,
      .options = OPTIONS(NAME, IN_DOMAIN, DESCRIPTION, OR_SHOW) },
    { .name = "group delete",
      .help = "Delete groups",
      .verb = VERB_DELETE,
      .kind = &kind_group,
      .options = OPTIONS(ARG_ID("<group>", NULL, &kind_group, "Group (name or ID)", .repeat = true,
                                .domain = "--domain"),
                         DOMAIN_OF("group")) },
    { .name = "group list",
      .help = "List groups",
      .verb = VERB_RUN,
      .service = SERVICE_IDENTITY,
      .run = access_group_list,
      .kind = &kind_group,
      .options = OPTIONS(OPT_ID("--domain", "<domain>", "?domain_id", &kind_domain,
                                "Only this domain's (name or ID)"),
                         OPT_ID("--user", "<user>", NULL, &kind_user, "Only those this user is in",
                                .domain = "--user-domain"),
                         OPT("--user-domain", "<domain>", NULL, "Domain of that user (name or ID)"),
                         FLAG("--long", NULL, "true", "More columns")),
      .columns = COLUMNS(COL("ID", "id"), COL("Name", "name"), LONG("Domain ID", "domain_id"),
                         LONG("Description", "description")) },
    { .name = "group set",
      .help = "Change a group",
      .verb = VERB_SET,
      .kind = &kind_group,
      .options =
          OPTIONS(ARG_ID("<group>", NULL, &kind_group, "Group (name or ID)", .domain = "--domain"),
                  DOMAIN_OF("group"), RENAME_TO, DESCRIPTION) },
    { .name = "group show",
      .help = "Show a group",
      .verb = VERB_SHOW,
      .kind = &kind_group,
      .options =
          OPTIONS(ARG_ID("<group>", NULL, &kind_group, "Group (name or ID)", .domain = "--domain"),
                  DOMAIN_OF("group")) },
#define MEMBERSHIP                                                                                 \
    OPTIONS(ARG_ID("<group>", NULL, &kind_group, "Group (name or ID)",                             \
                   .domain = "--group-domain"),                                                    \
            ARG_ID("<user>", NULL, &kind_user, "User (name or ID)", .domain = "--user-domain",     \
                   .repeat = true),                                                                \
            OPT("--group-domain", "<domain>", NULL, "Domain of the group (name or ID)"),           \
            OPT("--user-domain", "<domain>", NULL, "Domain of the user (name or ID)"))
    { .name = "group add user",
      .help = "Put users into a group",
      .verb = VERB_RUN,
      .silent = true,
      .service = SERVICE_IDENTITY,
      .method = HTTP_PUT,
      .run = access_group_users,
      .options = MEMBERSHIP },
    { .name = "group remove user",
      .help = "Take users out of a group",
      .verb = VERB_RUN,
      .silent = true,
      .service = SERVICE_IDENTITY,
      .method = HTTP_DELETE,
      .run = access_group_users,
      .options = MEMBERSHIP },
    { .name = "group contains user",
      .help = "Say whether a user is in a group",
      .verb = VERB_RUN,
      .silent = true,
      .service = SERVICE_IDENTITY,
      .method = HTTP_HEAD,
      .run = access_group_users,
      .options = MEMBERSHIP },

    { .name = "role create",
      .help = "Create a role",
      .verb = VERB_CREATE,
      .kind = &kind_role,
      .options = OPTIONS(NAME, DESCRIPTION, IN_DOMAIN, OR_SHOW, IMMUTABLE) },
    { .name = "role delete",
      .help = "Delete roles",
      .verb = VERB_DELETE,
      .kind = &kind_role,
      .options = OPTIONS(ARG_ID("<role>", NULL, &kind_role, "Role (name or ID)", .repeat = true,
                                .domain = "--domain"),
                         DOMAIN_OF("role")) },
    { .name = "role list",
      .help = "List roles",
      .verb = VERB_LIST,
      .kind = &kind_role,
      .options = OPTIONS(OPT_ID("--domain", "<domain>", "?domain_id", &kind_domain,
                                "Only this domain's (name or ID)")),
      .columns = COLUMNS(COL("ID", "id"), COL("Name", "name"),
                         COL("Domain", "domain", .with = "--domain")),
      .rows = access_role_domains },
    { .name = "role set",
      .help = "Change a role",
      .verb = VERB_SET,
      .kind = &kind_role,
      .options =
          OPTIONS(ARG_ID("<role>", NULL, &kind_role, "Role (name or ID)", .domain = "--domain"),
                  DOMAIN_OF("role"), RENAME_TO, DESCRIPTION, IMMUTABLE) },
    { .name = "role show",
      .help = "Show a role",
      .verb = VERB_SHOW,
      .kind = &kind_role,
      .options =
          OPTIONS(ARG_ID("<role>", NULL, &kind_role, "Role (name or ID)", .domain = "--domain"),
                  DOMAIN_OF("role")) },
    { .name = NULL },
};
