/* What is promised beside what is there: the overcommit report, and who changed the ratios. */
#pragma once

#include "base/str.h"
#include "cli.h"

/* Draws 'cells' characters into 'ret' (room for one more): the whole is what may be promised, '|' stands where the hardware ends,
 * '=' is promised and backed by hardware, '#' is promised beyond it, '.' may still be promised. */
void placement_bar(double physical, double room, double committed, size_t cells, char *ret);

/* Cells of the table: the bar, "committed/physical xratio". */
char *placement_cpu_cell(struct cli *cli, const json_t *value);
char *placement_memory_cell(struct cli *cli, const json_t *value);
char *placement_disk_cell(struct cli *cli, const json_t *value);

/* "?resources=VCPU:1,MEMORY_MB:512&required=A,!B&..." of the options that say what is asked for. */
void placement_add_request(struct cli *cli, struct str *s);

int placement_overcommit(struct cli *cli, struct fault *f);
int placement_ratio_changes(struct cli *cli, struct fault *f);
int placement_simulate(struct cli *cli, struct fault *f); /* placement_simulate.c */
