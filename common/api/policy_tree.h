/* A rule as a tree: what the parser makes and policy.c evaluates. For policy's own files only. */
#pragma once

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#include "../base/arena.h"
#include "../base/fault.h"

enum policy_kind {
    POLICY_TRUE,  /* @ and the empty rule */
    POLICY_FALSE, /* ! */
    POLICY_NOT,
    POLICY_AND,
    POLICY_OR,
    POLICY_RULE,       /* rule:name */
    POLICY_ROLE,       /* role:template */
    POLICY_CREDENTIAL, /* name:template, name is one of the caller's */
    POLICY_LITERAL,    /* 'text':template */
    POLICY_FIELD,      /* field:resource:member=value, as network's rules have it */
};

/* The right side in parts: text, or a member of the target. */
struct policy_part {
    const char *text; /* Or the member's name. */
    bool is_member;
};

struct policy_node {
    enum policy_kind kind;
    struct policy_node *first, *next; /* Children; brothers. */
    const char *name;                 /* Of the rule, credential or field; the literal. */
    int credential;                   /* POLICY_CREDENTIAL: from policy_credential_find(). */
    const struct policy_node *rule;   /* POLICY_RULE, when linked; NULL: no such rule. */
    struct policy_part *parts;
    size_t parts_count;
    const regex_t *pattern; /* POLICY_FIELD with '~'. */
};

#define POLICY_RULE_MAX 16384 /* Bytes of one rule's text. */
#define POLICY_DEPTH_MAX 64   /* Of parentheses and nots, and of rules that refer to rules. */

/* Parses 'text'; FAULT_INVALID says what is wrong with it. */
int policy_parse(struct arena *a, const char *text, struct policy_node **ret, struct fault *f);

/* Which of the caller's credentials 'name' is; -1: none. */
int policy_credential_find(const char *name);
