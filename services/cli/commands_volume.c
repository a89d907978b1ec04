/* Volumes, their types and snapshots. */
#include "kinds.h"
#include "shapes.h"
#include "volumes.h"

/* clang-format off: a row is read as a row. */

#define VOLUME ARG_ID("<volume>", NULL, &kind_volume, "Volume (name or ID)")
#define SNAPSHOT ARG_ID("<snapshot>", NULL, &kind_snapshot, "Snapshot (name or ID)")
#define TYPE ARG_ID("<volume-type>", NULL, &kind_volume_type, "Volume type (name or ID)")
#define NAME ARG("<name>", "name", "Its name")
#define DESCRIPTION OPT("--description", "<description>", "description", "What it is for")
#define PROPERTIES OPT_PAIRS("--property", "metadata", "A property of it; repeat for more")
#define WAIT FLAG("--wait", NULL, "true", "Wait until it is done")
#define PROJECT                                                                                    \
    OPT_ID("--project", "<project>", "?project_id", &kind_project,                                 \
           "Only this project's (name or ID)", .domain = "--project-domain"),                      \
        OPT("--project-domain", "<domain>", NULL, "Domain of that project (name or ID)")
#define TYPE_PROJECT                                                                               \
    OPT_ID("--project", "<project>", NULL, &kind_project, "This project may use it (name or ID)",  \
           .domain = "--project-domain"),                                                          \
        OPT("--project-domain", "<domain>", NULL, "Domain of that project (name or ID)")
#define FLAGS                                                                                      \
    FLAG("--bootable", NULL, "true", "Servers may boot from it"),                                  \
        FLAG("--non-bootable", NULL, "true", "They may not"),                                      \
        FLAG("--read-only", NULL, "true", "It can only be read"),                                  \
        FLAG("--read-write", NULL, "true", "It can be written")
#define PAGES OPT_INT("--limit", "<n>", "?limit", "At most so many")

const struct command volume_commands[] = {
    { .name = "volume create",
      .help = "Create a volume",
      .verb = VERB_CREATE,
      .kind = &kind_volume,
      .prepare = volumes_create_body,
      .after = volumes_after,
      .wait_for = "available",
      .options = OPTIONS(
          NAME, OPT_INT("--size", "<GiB>", "size", "Its size"),
          OPT_ID("--type", "<type>", "volume_type", &kind_volume_type, "Its type (name or ID)"),
          OPT_ID("--image", "<image>", "imageRef", &kind_image,
                 "Filled from this image (name or ID)"),
          OPT_ID("--snapshot", "<snapshot>", "snapshot_id", &kind_snapshot,
                 "From this snapshot (name or ID)"),
          OPT_ID("--source", "<volume>", "source_volid", &kind_volume,
                 "A copy of this volume (name or ID)"),
          DESCRIPTION, OPT("--availability-zone", "<zone>", "availability_zone", "Its zone"),
          PROPERTIES, FLAGS, WAIT) },
    { .name = "volume delete",
      .help = "Delete volumes",
      .verb = VERB_DELETE,
      .kind = &kind_volume,
      .action = "os-force_delete",
      .options =
          OPTIONS(ARG_ID("<volume>", NULL, &kind_volume, "Volume (name or ID)", .repeat = true),
                  FLAG("--force", NULL, "true", "Whatever its status (administrators)"),
                  FLAG("--purge", "?cascade", "true", "With its snapshots"), WAIT) },
    { .name = "volume list",
      .help = "List volumes",
      .verb = VERB_LIST,
      .kind = &kind_volume,
      .rows = volumes_attachments,
      .options = OPTIONS(
          PROJECT,
          OPT_ID("--user", "<user>", "?user_id", &kind_user, "Only this user's (name or ID)",
                 .domain = "--user-domain"),
          OPT("--user-domain", "<domain>", NULL, "Domain of that user (name or ID)"),
          OPT("--name", "<name>", "?name", "Only with this name"),
          OPT("--status", "<status>", "?status", "Only with this status"),
          FLAG("--all-projects", "?all_tenants", "True", "Of all projects (administrators)"),
          FLAG("--long", NULL, "true", "More columns"),
          OPT_ID("--marker", "<volume>", "?marker", &kind_volume, "Only what follows this volume"),
          PAGES),
      .columns =
          COLUMNS(COL("ID", "id"), COL("Name", "name"), COL("Status", "status"),
                  COL("Size", "size"), LONG("Type", "volume_type"), LONG("Bootable", "bootable"),
                  COL("Attached to", "attachments", .format = shape_attachments),
                  LONG("Properties", "metadata")) },
    { .name = "volume set",
      .help = "Change a volume",
      .verb = VERB_SET,
      .kind = &kind_volume,
      .prepare = volumes_set_body,
      .after = volumes_after,
      .options =
          OPTIONS(VOLUME, OPT("--name", "<name>", "name", "New name"),
                  OPT_INT("--size", "<GiB>", NULL, "Extend it to this size"), DESCRIPTION,
                  FLAG("--no-property", NULL, "true", "Forget the properties that were there"),
                  PROPERTIES,
                  OPT("--state", "<state>", NULL, "Say that it is in this state (administrators)",
                      .choices = "available,error,creating,deleting,in-use,attaching,detaching,"
                                 "error_deleting,maintenance"),
                  OPT("--type", "<type>", NULL, "New type"),
                  OPT("--retype-policy", "<policy>", NULL, "May it move for that?",
                      .choices = "never,on-demand"),
                  FLAGS) },
    { .name = "volume unset",
      .help = "Remove properties of a volume",
      .verb = VERB_RUN,
      .kind = &kind_volume,
      .run = volumes_unset,
      .options = OPTIONS(VOLUME, OPT("--property", "<key>", NULL, "This property; repeat for more",
                                     .repeat = true)) },
    { .name = "volume show",
      .help = "Show a volume",
      .verb = VERB_SHOW,
      .kind = &kind_volume,
      .options = OPTIONS(VOLUME) },

    { .name = "volume snapshot create",
      .help = "Create a snapshot",
      .verb = VERB_CREATE,
      .kind = &kind_snapshot,
      .prepare = volumes_snapshot_body,
      .wait_for = "available",
      .options =
          OPTIONS(NAME,
                  OPT_ID("--volume", "<volume>", "volume_id", &kind_volume,
                         "Of this volume (name or ID; default: the snapshot's name)"),
                  DESCRIPTION, FLAG("--force", "force", "true", "Also while a server uses it"),
                  PROPERTIES, WAIT) },
    { .name = "volume snapshot delete",
      .help = "Delete snapshots",
      .verb = VERB_DELETE,
      .kind = &kind_snapshot,
      .action = "os-force_delete",
      .options =
          OPTIONS(ARG_ID("<snapshot>", NULL, &kind_snapshot, "Snapshot (name or ID)",
                         .repeat = true),
                  FLAG("--force", NULL, "true", "Whatever its status (administrators)"), WAIT) },
    { .name = "volume snapshot list",
      .help = "List snapshots",
      .verb = VERB_LIST,
      .kind = &kind_snapshot,
      .options = OPTIONS(FLAG("--all-projects", "?all_tenants", "True",
                              "Of all projects (administrators)"),
                         PROJECT, FLAG("--long", NULL, "true", "More columns"),
                         OPT_ID("--marker", "<snapshot>", "?marker", &kind_snapshot,
                                "Only what follows this snapshot"),
                         PAGES, OPT("--name", "<name>", "?name", "Only with this name"),
                         OPT("--status", "<status>", "?status", "Only with this status",
                             .choices = "available,error,creating,deleting,error_deleting"),
                         OPT_ID("--volume", "<volume>", "?volume_id", &kind_volume,
                                "Only of this volume (name or ID)")),
      .columns =
          COLUMNS(COL("ID", "id"), COL("Name", "name"), COL("Description", "description"),
                  COL("Status", "status"), COL("Size", "size"), LONG("Created At", "created_at"),
                  LONG("Volume", "volume_id"), LONG("Properties", "metadata")) },
    { .name = "volume snapshot set",
      .help = "Change a snapshot",
      .verb = VERB_SET,
      .kind = &kind_snapshot,
      .prepare = volumes_set_body,
      .after = volumes_after,
      .options =
          OPTIONS(SNAPSHOT, OPT("--name", "<name>", "name", "New name"), DESCRIPTION,
                  FLAG("--no-property", NULL, "true", "Forget the properties that were there"),
                  PROPERTIES,
                  OPT("--state", "<state>", NULL, "Say that it is in this state (administrators)",
                      .choices = "available,error,creating,deleting,error_deleting")) },
    { .name = "volume snapshot unset",
      .help = "Remove properties of a snapshot",
      .verb = VERB_RUN,
      .kind = &kind_snapshot,
      .run = volumes_unset,
      .options = OPTIONS(SNAPSHOT, OPT("--property", "<key>", NULL,
                                       "This property; repeat for more", .repeat = true)) },
    { .name = "volume snapshot show",
      .help = "Show a snapshot",
      .verb = VERB_SHOW,
      .kind = &kind_snapshot,
      .options = OPTIONS(SNAPSHOT) },

    { .name = "volume type create",
      .help = "Create a volume type",
      .verb = VERB_CREATE,
      .kind = &kind_volume_type,
      .after = volumes_type_created,
      .options = OPTIONS(NAME, DESCRIPTION,
                         FLAG("--public", "os-volume-type-access:is_public", "true",
                              "All projects may use it (the default)"),
                         FLAG("--private", "os-volume-type-access:is_public", "false",
                              "Only projects that are given it"),
                         OPT_PAIRS("--property", NULL, "A property (extra spec); repeat for more"),
                         TYPE_PROJECT) },
    { .name = "volume type delete",
      .help = "Delete volume types",
      .verb = VERB_DELETE,
      .kind = &kind_volume_type,
      .options = OPTIONS(ARG_ID("<volume-type>", NULL, &kind_volume_type,
                                "Volume type (name or ID)", .repeat = true)) },
    { .name = "volume type list",
      .help = "List volume types",
      .verb = VERB_LIST,
      .kind = &kind_volume_type,
      .options = OPTIONS(FLAG("--long", NULL, "true", "More columns"),
                         FLAG("--public", "?is_public", "True", "Only public ones"),
                         FLAG("--private", "?is_public", "False", "Only private ones")),
      .columns = COLUMNS(COL("ID", "id"), COL("Name", "name"), COL("Is Public", "is_public"),
                         LONG("Description", "description"), LONG("Properties", "extra_specs")) },
    { .name = "volume type set",
      .help = "Change a volume type",
      .verb = VERB_SET,
      .kind = &kind_volume_type,
      .after = volumes_type_created,
      .options = OPTIONS(TYPE, OPT("--name", "<name>", "name", "New name"), DESCRIPTION,
                         OPT_PAIRS("--property", NULL, "A property (extra spec); repeat for more"),
                         TYPE_PROJECT) },
    { .name = "volume type unset",
      .help = "Remove parts of a volume type",
      .verb = VERB_RUN,
      .kind = &kind_volume_type,
      .run = volumes_type_unset,
      .options = OPTIONS(
          TYPE, OPT("--property", "<key>", NULL, "This property; repeat for more", .repeat = true),
          TYPE_PROJECT) },
    { .name = "volume type show",
      .help = "Show a volume type",
      .verb = VERB_SHOW,
      .kind = &kind_volume_type,
      .options = OPTIONS(TYPE) },
    { .name = NULL },
};
