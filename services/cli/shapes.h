/* How values are read by people, where their JSON type does not say enough. For 'make' and 'format' of struct column. */
#pragma once

#include "cli.h"

char *shape_up_down(struct cli *cli, const json_t *value);     /* UP, DOWN */
char *shape_smile(struct cli *cli, const json_t *value);       /* ":-)", "XXX" */
char *shape_power_state(struct cli *cli, const json_t *value); /* Running, Shutdown... */
char *shape_dict_of_lists(struct cli *cli,
                          const json_t *value); /* net=10.0.0.3, 10.0.0.4; other=... */
char *shape_router_type(struct cli *cli, const json_t *value); /* External, Internal */
char *shape_attachments(struct cli *cli, const json_t *value); /* Attached to NAME on /dev/vdb */
char *shape_enabled(struct cli *cli, const json_t *value);     /* enabled, disabled */
char *shape_endpoints(struct cli *cli, const json_t *value);   /* Of a catalogue's entry. */

/* A server's {network: [{addr}]} as {network: [addr]}. */
json_t *make_addresses(struct cli *cli, json_t *server);
json_t *make_flavor_name(struct cli *cli, json_t *server);
json_t *make_image(struct cli *cli, json_t *server);
json_t *make_flavor(struct cli *cli, json_t *server);
json_t *make_port_range(struct cli *cli, json_t *rule);
json_t *make_role_names(struct cli *cli, json_t *object); /* "member reader" */
json_t *make_group_names(struct cli *cli, json_t *server);
