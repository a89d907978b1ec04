/* Images. */
#include "images.h"
#include "kinds.h"

/* clang-format off: a row is read as a row. */

#define IMAGE ARG_ID("<image>", NULL, &kind_image, "Image (name or ID)")
#define PROJECT                                                                                    \
    OPT_ID("--project", "<project>", "owner", &kind_project, "Its owner (name or ID)",             \
           .domain = "--project-domain"),                                                          \
        OPT("--project-domain", "<domain>", NULL, "Domain of that project (name or ID)")
#define CONTAINER_FORMATS "ami,ari,aki,bare,docker,ova,ovf"
#define DISK_FORMATS "ami,ari,aki,vhd,vmdk,raw,qcow2,vhdx,vdi,iso,ploop"
#define SETTINGS                                                                                   \
    OPT_INT("--min-disk", "<GiB>", "min_disk", "A server needs at least this disk"),               \
        OPT_INT("--min-ram", "<MiB>", "min_ram", "A server needs at least this memory"),           \
        FLAG("--protected", "protected", "true", "It cannot be deleted"),                          \
        FLAG("--unprotected", "protected", "false", "It can (the default)"),                       \
        FLAG("--public", "visibility", "\"public\"", "All may use it"),                            \
        FLAG("--private", "visibility", "\"private\"", "Only its owner may"),                      \
        FLAG("--community", "visibility", "\"community\"", "All who know its ID may"),             \
        FLAG("--shared", "visibility", "\"shared\"", "Those it is shared with may"),               \
        OPT_PAIRS("--property", ".", "A property of it; repeat for more"),                         \
        FLAG("--hidden", "os_hidden", "true", "Not shown in lists"),                               \
        FLAG("--unhidden", "os_hidden", "false", "Shown in lists (the default)")
#define KNOWN(option, member, what) OPT(option, "<value>", member, what)

const struct command image_commands[] = {
    { .name = "image create",
      .help = "Create and upload an image",
      .verb = VERB_RUN,
      .kind = &kind_image,
      .run = images_create,
      .options = OPTIONS(
          ARG("<name>", "name", "Its name"),
          OPT("--id", "<id>", "id", "Its ID (default: a new one)"),
          OPT("--container-format", "<format>", "container_format", "Its container (default bare)",
              .choices = CONTAINER_FORMATS, .fallback = "bare"),
          OPT("--disk-format", "<format>", "disk_format", "Its format (default raw)",
              .choices = DISK_FORMATS, .fallback = "raw"),
          SETTINGS,
          OPT("--file", "<file>", NULL,
              "Upload this file; '-' is standard input (default: nothing is uploaded yet)"),
          FLAG("--progress", NULL, "true",
               "Show the progress, also where standard error is no terminal"),
          OPT("--tag", "<tag>", "tags[]", "A tag; repeat for more", .repeat = true), PROJECT) },
    { .name = "image delete",
      .help = "Delete images",
      .verb = VERB_DELETE,
      .kind = &kind_image,
      .options =
          OPTIONS(ARG_ID("<image>", NULL, &kind_image, "Image (name or ID)", .repeat = true)) },
    { .name = "image list",
      .help = "List images",
      .verb = VERB_LIST,
      .kind = &kind_image,
      .options = OPTIONS(
          FLAG("--public", "?visibility", "public", "Only public ones"),
          FLAG("--private", "?visibility", "private", "Only private ones"),
          FLAG("--community", "?visibility", "community", "Only community ones"),
          FLAG("--shared", "?visibility", "shared", "Only shared ones"),
          FLAG("--all", "?visibility", "all", "All"),
          OPT_PAIRS("--property", "?", "Only with this property"),
          OPT("--name", "<name>", "?name", "Only with this name"),
          OPT("--status", "<status>", "?status", "Only with this status"),
          OPT("--member-status", "<status>", "?member_status", "Only shared ones in this state",
              .choices = "accepted,pending,rejected,all"),
          OPT_ID("--project", "<project>", "?owner", &kind_project,
                 "Only this project's (name or ID)", .domain = "--project-domain"),
          OPT("--project-domain", "<domain>", NULL, "Domain of that project (name or ID)"),
          OPT("--tag", "<tag>", "?tag", "Only with this tag; repeat for more", .repeat = true),
          FLAG("--hidden", "?os_hidden", "true", "Only hidden ones"),
          FLAG("--long", NULL, "true", "More columns"),
          OPT("--sort", "<key>[:<direction>]", "?sort", "Let the service sort"),
          OPT_INT("--page-size", "<n>", NULL,
                  "Taken for compatibility: the service's pages are used"),
          OPT_INT("--limit", "<n>", "?limit", "At most so many"),
          OPT_ID("--marker", "<image>", "?marker", &kind_image, "Only what follows this image")),
      .columns = COLUMNS(COL("ID", "id"), COL("Name", "name"), LONG("Disk Format", "disk_format"),
                         LONG("Container Format", "container_format"), LONG("Size", "size"),
                         LONG("Checksum", "checksum"), COL("Status", "status"),
                         LONG("Visibility", "visibility"), LONG("Protected", "protected"),
                         LONG("Project", "owner"), LONG("Tags", "tags")) },
    { .name = "image save",
      .help = "Download an image",
      .verb = VERB_RUN,
      .silent = true,
      .kind = &kind_image,
      .run = images_save,
      .options = OPTIONS(IMAGE, OPT("--file", "<file>", NULL,
                                    "Into this file (default: standard output)")) },
    { .name = "image set",
      .help = "Change an image",
      .verb = VERB_RUN,
      .silent = true,
      .kind = &kind_image,
      .run = images_set,
      .options = OPTIONS(
          IMAGE, OPT("--name", "<name>", "name", "New name"),
          OPT("--container-format", "<format>", "container_format", "Its container",
              .choices = CONTAINER_FORMATS),
          OPT("--disk-format", "<format>", "disk_format", "Its format", .choices = DISK_FORMATS),
          SETTINGS, OPT("--tag", "<tag>", NULL, "A further tag; repeat for more", .repeat = true),
          KNOWN("--architecture", "architecture", "Processor architecture"),
          KNOWN("--instance-id", "instance_id", "The server it was made from"),
          KNOWN("--kernel-id", "kernel_id", "Its kernel image"),
          KNOWN("--os-distro", "os_distro", "Its distribution"),
          KNOWN("--os-version", "os_version", "Its version"),
          KNOWN("--ramdisk-id", "ramdisk_id", "Its ramdisk image"),
          FLAG("--deactivate", NULL, "true", "Its data cannot be read"),
          FLAG("--activate", NULL, "true", "It can again"),
          OPT_ID("--project", "<project>", NULL, &kind_project,
                 "Its new owner; with --accept and the like the member (name or ID)",
                 .domain = "--project-domain"),
          OPT("--project-domain", "<domain>", NULL, "Domain of that project (name or ID)"),
          FLAG("--accept", NULL, "true", "Accept that it is shared"),
          FLAG("--reject", NULL, "true", "Refuse that"),
          FLAG("--pending", NULL, "true", "Neither yet")) },
    { .name = "image unset",
      .help = "Remove parts of an image",
      .verb = VERB_RUN,
      .silent = true,
      .kind = &kind_image,
      .run = images_unset,
      .options =
          OPTIONS(IMAGE, OPT("--tag", "<tag>", NULL, "This tag; repeat for more", .repeat = true),
                  OPT("--property", "<key>", NULL, "This property; repeat for more",
                      .repeat = true)) },
    { .name = "image show",
      .help = "Show an image",
      .verb = VERB_RUN,
      .kind = &kind_image,
      .run = images_show,
      .options =
          OPTIONS(IMAGE, FLAG("--human-readable", NULL, "true", "Its size in KiB, MiB...")) },
    { .name = "image add project",
      .help = "Share an image with a project",
      .verb = VERB_RUN,
      .kind = &kind_image,
      .run = images_add_project,
      .options = OPTIONS(IMAGE,
                         ARG_ID("<project>", NULL, &kind_project, "Project (name or ID)",
                                .domain = "--project-domain"),
                         OPT("--project-domain", "<domain>", NULL,
                             "Domain of that project (name or ID)")) },
    { .name = "image remove project",
      .help = "Share it no more",
      .verb = VERB_REQUEST,
      .kind = &kind_image,
      .method = HTTP_DELETE,
      .path = "/images/{image}/members/{project}",
      .options = OPTIONS(IMAGE,
                         ARG_ID("<project>", NULL, &kind_project, "Project (name or ID)",
                                .domain = "--project-domain"),
                         OPT("--project-domain", "<domain>", NULL,
                             "Domain of that project (name or ID)")) },
    { .name = NULL },
};
