/* What a command is: a row of a table. The runner (verbs.c) does what the row says; only what is special has code.
 *
 *   commands_<service>.c   the tables: commands, their options, where an option's value goes, columns
 *   kinds.c                the resources: paths, envelopes, how a name is looked up, what 'show' renames
 *
 * Nouns, verbs, options, columns and field names are those of the openstack client. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/compiler.h"
#include "base/fault.h"
#include "http/request.h"

struct cli;
struct fields;

enum service {
    SERVICE_NONE, /* Runs without a cloud. */
    SERVICE_IDENTITY,
    SERVICE_IMAGE,
    SERVICE_PLACEMENT,
    SERVICE_COMPUTE,
    SERVICE_NETWORK,
    SERVICE_VOLUME,
    SERVICE_COUNT
};

/* A column of a list, or how one member is shown by 'show'. 'path' leads through objects by dots. */
struct column {
    const char *title; /* NULL in a kind's 'fields': the member is not shown. */
    const char *path;
    json_t *(*make)(struct cli *cli,
                    json_t *object); /* Computes the value instead of taking it from 'path'. */
    char *(*format)(struct cli *cli, const json_t *value); /* For tables; NULL: by its JSON type. */
    bool long_only;   /* Of a list: only with --long, or when -c names it. */
    const char *with; /* Of a list: only with this option, or when -c names it. */
};

/* A resource of a service. */
struct kind {
    const char *title; /* As in messages: "No server with a name or ID of ...". */
    enum service service;
    const char *path;         /* Of the collection, below the service's version. */
    const char *list_path;    /* NULL: path */
    const char *key, *plural; /* Envelopes; key NULL: the object stands bare. */
    const char *id;           /* Member that identifies it in paths; NULL: "id" */
    const char *name;         /* Member that people call it by; NULL: "name" */
    const char *alias;        /* Another such member. */
    const char *
        name_query; /* Query parameter that filters by name; NULL: all are listed and searched here. */
    const char *find_query; /* Added to that query. */
    bool pattern;           /* The filter is a regular expression. */
    bool by_id_only;        /* It has no name but its id. */
    bool list_is_short;     /* A list's members lack what 'show' shows: fetch again by id. */
    bool update_put;        /* Updated by PUT; else PATCH. */
    bool made_in_bulk;      /* Created as one of a list, below the plural. */
    const struct column
        *fields; /* Of 'show', by member; what is not here is shown under its own name. */
    const char
        *absent; /* A member of the answer that is not shown unless asked for; "" or NULL: none */
};

enum option_type {
    OPTION_TEXT,
    OPTION_INTEGER,
    OPTION_NUMBER,
    OPTION_FLAG,  /* Its value is 'json'. */
    OPTION_ID,    /* A name or id of 'kind'; its id is sent. */
    OPTION_PAIRS, /* key=value, members of an object. */
    OPTION_PARTS, /* a=1,b=2: one object, appended to a list. */
    OPTION_FILE,  /* A file whose text is sent. */
    OPTION_LIST,  /* A comma-separated list, sent as it is. */
    OPTION_WORDS, /* A comma-separated list, sent as a list of texts. */
};

/* Where a value goes ('to'): "?name" the query, "a.b" a member of the body, "a[]" a list in the body, NULL: the command's
 * own code reads it. A name in <angle brackets> is a positional argument. */
struct option {
    const char *name;
    const char *value; /* As --help shows it; NULL for flags and positionals. */
    const char *to;
    const char *help;
    enum option_type type;
    const char *json; /* OPTION_FLAG: the value, as JSON text. */
    const struct kind *kind;
    const char *domain;   /* The option that says in which domain an OPTION_ID is looked up. */
    const char *rename;   /* OPTION_PARTS: "ip-address=ip_address,subnet=subnet_id:subnet". */
    const char *choices;  /* Comma separated. */
    const char *fallback; /* OPTION_TEXT and the like: when not given. */
    bool required, repeat, optional; /* 'optional', 'repeat' also for positionals. */
};

/* clang-format off */
#define ARG(n, t, h, ...) { .name = n, .to = t, .help = h, __VA_ARGS__ }
#define ARG_ID(n, t, k, h, ...) { .name = n, .to = t, .help = h, .type = OPTION_ID, .kind = k, __VA_ARGS__ }
#define OPT(n, v, t, h, ...) { .name = n, .value = v, .to = t, .help = h, __VA_ARGS__ }
#define OPT_INT(n, v, t, h, ...) { .name = n, .value = v, .to = t, .help = h, .type = OPTION_INTEGER, __VA_ARGS__ }
#define OPT_ID(n, v, t, k, h, ...) { .name = n, .value = v, .to = t, .help = h, .type = OPTION_ID, .kind = k, __VA_ARGS__ }
#define OPT_PAIRS(n, t, h, ...) \
    { .name = n, .value = "<key=value>", .to = t, .help = h, .type = OPTION_PAIRS, .repeat = true, __VA_ARGS__ }
#define OPT_PARTS(n, v, t, r, h, ...) \
    { .name = n, .value = v, .to = t, .help = h, .type = OPTION_PARTS, .rename = r, .repeat = true, __VA_ARGS__ }
#define FLAG(n, t, j, h, ...) { .name = n, .to = t, .help = h, .type = OPTION_FLAG, .json = j, __VA_ARGS__ }
#define OPTIONS(...) ((const struct option[]){ __VA_ARGS__, { .name = NULL } })

#define COL(t, p, ...) { .title = t, .path = p, __VA_ARGS__ }
#define LONG(t, p, ...) { .title = t, .path = p, .long_only = true, __VA_ARGS__ }
#define COLUMNS(...) ((const struct column[]){ __VA_ARGS__, { .title = NULL } })
/* clang-format on */

/* What the runner does. 'object' is the first positional, where it is an OPTION_ID of the command's kind. */
enum verb {
    VERB_RUN,     /* 'run' alone. */
    VERB_LIST,    /* GET, all pages; 'columns'. */
    VERB_SHOW,    /* GET the object. */
    VERB_CREATE,  /* POST (or 'method' PUT) the body in the kind's envelope; show the answer. */
    VERB_SET,     /* PATCH or PUT the object with the body. */
    VERB_DELETE,  /* DELETE each object. */
    VERB_ACTION,  /* POST <object>/action {action: body}, for each object. */
    VERB_REQUEST, /* 'method' and 'path' with the body as it is; the answer is shown if there are 'fields' or 'show'. */
};

struct command {
    const char *name; /* "server create" */
    const char *help; /* One line. */
    enum verb verb;
    const struct kind *kind;
    const struct option *options;
    const struct column *columns; /* VERB_LIST */
    const char *path;   /* When it isn't the kind's; {name} is the value of "--name" or "<name>". */
    const char *plural; /* VERB_LIST: the envelope of 'path', if not the kind's. */
    const char *action; /* VERB_ACTION: the key. */
    enum http_method method; /* VERB_REQUEST */
    enum service service;    /* VERB_RUN and VERB_REQUEST without a kind. */
    const char *wait_for,
        *wait_gone; /* --wait: until the object's status is this; wait_gone non-NULL: until it is away. */
    bool show;   /* VERB_REQUEST, VERB_SET: show the answer. */
    bool silent; /* VERB_RUN: prints nothing that could have a format. */
    /* Completes or checks the body before it is sent. */
    int (*prepare)(struct cli *cli, json_t *body, struct fault *f);
    /* VERB_LIST: changes the rows (a json array) before they are printed. */
    int (*rows)(struct cli *cli, json_t *rows, struct fault *f);
    /* VERB_RUN; with VERB_SHOW, VERB_CREATE and VERB_SET: afterwards, 'object' being the answer (or NULL). */
    int (*run)(struct cli *cli, struct fault *f);
    int (*after)(struct cli *cli, json_t *object, struct fault *f);
};

/* One table per service; each ends with a row without a name. */
extern const struct command identity_commands[], access_commands[], delegation_commands[],
    credential_commands[], federation_commands[], catalog_commands[], oauth_commands[],
    domain_commands[], image_commands[], compute_commands[], server_commands[],
    server_part_commands[], network_commands[], port_commands[], router_commands[],
    security_commands[], volume_commands[], placement_commands[], cloud_commands[], own_commands[];

/* All tables, NULL-terminated. */
extern const struct command *const command_tables[];

/* The command that the words begin with (the longest name wins), or NULL; 'ret_words' how many words are its name. */
const struct command *command_find(const char *const *words, size_t count, size_t *ret_words);
