/* From the options given to what is sent. */
#pragma once

#include <jansson.h>

#include "base/str.h"
#include "cli.h"

/* Members of the body from all options that have a place in it; names become ids on the way. */
int body_make(struct cli *cli, json_t *body, struct fault *f);

/* Appends the query parameters. */
int body_query(struct cli *cli, struct str *path, struct fault *f);

/* "{name}" in 'path' becomes the (encoded) value of <name> or --name; "{@project}" the token's own, and "{@user}" too, unless there
 * is a --user. "[/x/{name}]" is left out where there is no such value. */
int body_path(struct cli *cli, const char *path, char **ret, struct fault *f);

/* The value of one argument as it is sent: an id for OPTION_ID, else its text. */
int body_value(struct cli *cli, const struct arg *arg, const char **ret, struct fault *f);

/* The id of the domain that option 'name' gives, or NULL when it is not given. */
int body_domain(struct cli *cli, const char *name, const char **ret, struct fault *f);

/* Sets a member by its dotted path, making objects on the way; "x[]" appends. Takes 'value'. */
void body_set(json_t *body, const char *path, json_t *value);

/* "a,b" as a list; the caller's reference. */
json_t *body_words(struct arena *a, const char *text);

/* "a=1,b=2" as an object; 'rename' maps names: "ip-address=ip_address,subnet=subnet_id". */
int body_parts(struct arena *a, const char *text, const char *rename, json_t **ret,
               struct fault *f);

/* The whole of a file ("-": standard input), terminated, at most 16 MiB. */
int body_file(struct arena *a, const char *path, char **ret, size_t *ret_size, struct fault *f);
