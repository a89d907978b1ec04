/* Servers' commands that are more than a row of a table. */
#pragma once

#include "cli.h"

int servers_create_body(struct cli *cli, json_t *body, struct fault *f);
int servers_block_devices(struct cli *cli, json_t *body,
                          struct fault *f); /* --volume, --boot-from-volume, --block-device... */
int servers_networks(struct cli *cli, json_t *body, struct fault *f); /* --network, --port, --nic */
int servers_create(struct cli *cli, struct fault *f);
int servers_names(struct cli *cli, json_t *rows, struct fault *f); /* Of a list: images' names. */
int servers_show(struct cli *cli, json_t *server, struct fault *f);
int servers_set(struct cli *cli, struct fault *f);
int servers_unset(struct cli *cli, struct fault *f);
int servers_reboot(struct cli *cli, json_t *body, struct fault *f);
int servers_console(struct cli *cli, struct fault *f);
int servers_add_floating_ip(struct cli *cli, struct fault *f);
int servers_remove_floating_ip(struct cli *cli, struct fault *f);
int servers_add_volume(struct cli *cli, struct fault *f);
int servers_remove_volume(struct cli *cli, struct fault *f);
int servers_add_interface(struct cli *cli, json_t *body, struct fault *f);
int servers_remove_network(struct cli *cli, struct fault *f);
int servers_group_name(struct cli *cli, json_t *body, struct fault *f);
int servers_event_show(struct cli *cli, struct fault *f);

/* The server that the argument <server> names. */
int servers_find(struct cli *cli, json_t **ret, const char **ret_id, struct fault *f);
