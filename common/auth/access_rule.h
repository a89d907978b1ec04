/* Access rules: which requests the tokens of an application credential may make.
 *
 * A rule is three texts: the type of the service ("compute"), the method ("GET") and a pattern of the path. In a pattern "{name}" and
 * "*" stand for one segment or a part of one, never empty and without a slash, and "**" for anything, also nothing. All else
 * stands for itself. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

bool access_rule_path_matches(const char *pattern, const char *path);

/* 'rules': 'count' texts, three to a rule. 'types': the names this service has in catalogues; NULL-terminated. */
bool access_rules_allow(const char *const *rules, size_t count, const char *const *types,
                        const char *method, const char *path);
