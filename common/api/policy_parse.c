/* The rule language of oslo.policy (its documentation, "Policy rule expressions"): not binds tighter than
 * and, and tighter than or. Words are cut at white space; parentheses are cut off a word's ends, so that
 * the ones inside %(...)s stay. */
#include <string.h>

#include "../base/array.h"
#include "../base/str.h"
#include "policy_tree.h"

enum token { TOKEN_END, TOKEN_OPEN, TOKEN_CLOSE, TOKEN_AND, TOKEN_OR, TOKEN_NOT, TOKEN_CHECK };

struct parser {
    struct arena *arena;
    const char *at;
    unsigned depth;
    enum token token;  /* The current one. */
    const char *check; /* Of TOKEN_CHECK: its text. */
    struct fault *fault;
};

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The size of the word at 'text', without a parenthesis that closes a group around it. */
static size_t
word_size(const char *text)
{
    size_t size = 0, open = 0;
    char quote = '\0';

    for (; text[size] != '\0' && (quote != '\0' || !is_space(text[size])); size++) {
        char c = text[size];

        if (quote != '\0') {
            if (c == quote)
                quote = '\0';
        } else if (size == 0 && (c == '\'' || c == '"')) {
            quote = c;
        } else if (c == '(') {
            open++;
        } else if (c == ')') {
            if (open > 0)
                open--; /* Of a %(member)s. */
            else
                break;
        }
    }
    return size;
}

static void
next(struct parser *p)
{
    size_t size;
    const char *word;

    while (is_space(*p->at))
        p->at++;
    if (*p->at == '\0') {
        p->token = TOKEN_END;
        return;
    }
    if (*p->at == '(' || *p->at == ')') {
        p->token = *p->at == '(' ? TOKEN_OPEN : TOKEN_CLOSE;
        p->at++;
        return;
    }
    size = word_size(p->at);
    word = arena_strndup(p->arena, p->at, size);
    p->at += size;
    p->check = word;
    if (str_equal_nocase(word, "and"))
        p->token = TOKEN_AND;
    else if (str_equal_nocase(word, "or"))
        p->token = TOKEN_OR;
    else if (str_equal_nocase(word, "not"))
        p->token = TOKEN_NOT;
    else
        p->token = TOKEN_CHECK;
}

static struct policy_node *
new_node(struct parser *p, enum policy_kind kind)
{
    struct policy_node *node = ARENA_NEW(p->arena, struct policy_node);

    node->kind = kind;
    return node;
}

/* "a%(b)sc" to its parts; "%%" is "%". */
static int
parse_template(struct parser *p, const char *text, struct policy_node *node)
{
    _cleanup_(str_done) struct str plain = { 0 };
    size_t capacity = 0;
    struct policy_part *part;

    while (*text != '\0') {
        const char *end;

        if (*text != '%') {
            str_add_char(&plain, *text++);
            continue;
        }
        if (text[1] == '%') {
            str_add_char(&plain, '%');
            text += 2;
            continue;
        }
        end = text[1] == '(' ? strchr(text, ')') : NULL;
        if (end == NULL || end[1] != 's' || end == text + 2)
            return fault_raise(p->fault, FAULT_INVALID, "'%s' is not %%(member)s", text);
        if (plain.size > 0) {
            part = ARRAY_PUSH(p->arena, node->parts, node->parts_count, capacity);
            part->text = arena_strdup(p->arena, plain.data);
            str_clear(&plain);
        }
        part = ARRAY_PUSH(p->arena, node->parts, node->parts_count, capacity);
        part->text = arena_strndup(p->arena, text + 2, (size_t)(end - text - 2));
        part->is_member = true;
        text = end + 2;
    }
    if (plain.size > 0 || node->parts_count == 0) {
        part = ARRAY_PUSH(p->arena, node->parts, node->parts_count, capacity);
        part->text = arena_strdup(p->arena, str_text(&plain));
    }
    return 0;
}

static void
free_pattern(void *object)
{
    regfree(object);
}

/* resource:member=value, or =~pattern. */
static int
parse_field(struct parser *p, const char *text, struct policy_node *node)
{
    const char *colon = strchr(text, ':');
    const char *equals = colon != NULL ? strchr(colon, '=') : NULL;
    regex_t *pattern;

    if (equals == NULL || equals == colon + 1)
        return fault_raise(p->fault, FAULT_INVALID, "'field:%s' is not field:resource:member=value",
                           text);
    node->name = arena_strndup(p->arena, colon + 1, (size_t)(equals - colon - 1));
    if (equals[1] != '~') {
        node->parts = ARENA_NEW(p->arena, struct policy_part);
        node->parts->text = arena_strdup(p->arena, equals + 1);
        node->parts_count = 1;
        return 0;
    }
    pattern = ARENA_NEW(p->arena, regex_t);
    if (regcomp(pattern, equals + 2, REG_EXTENDED | REG_NOSUB) != 0)
        return fault_raise(p->fault, FAULT_INVALID, "'%s' is not a regular expression", equals + 2);
    arena_defer(p->arena, free_pattern, pattern);
    node->pattern = pattern;
    return 0;
}

/* A quoted text, a number, True, False or None is a literal; all else names a credential. */
static bool
is_literal(struct parser *p, const char *left, size_t size, const char **ret)
{
    char *text = arena_strndup(p->arena, left, size);
    double number;

    if (size >= 2 && (left[0] == '\'' || left[0] == '"') && left[size - 1] == left[0]) {
        *ret = arena_strndup(p->arena, left + 1, size - 2);
        return true;
    }
    *ret = text;
    return str_to_double(text, &number) == 0 || str_equal(text, "True") ||
           str_equal(text, "False") || str_equal(text, "None");
}

/* The colon between left and right: not one in a quoted left side. NULL: there is none. */
static const char *
find_colon(const char *text)
{
    const char *end = text;

    if (*text == '\'' || *text == '"') {
        end = strchr(text + 1, *text);
        if (end == NULL)
            return NULL;
    }
    return strchr(end, ':');
}

static int
parse_check(struct parser *p, const char *text, struct policy_node **ret)
{
    const char *colon, *right;
    struct policy_node *node;
    size_t size;

    if (str_equal(text, "@") || str_equal(text, "!")) {
        *ret = new_node(p, *text == '@' ? POLICY_TRUE : POLICY_FALSE);
        return 0;
    }
    colon = find_colon(text);
    if (colon == NULL || colon == text)
        return fault_raise(p->fault, FAULT_INVALID, "'%s' is not kind:match", text);
    right = colon + 1;
    size = (size_t)(colon - text);
    node = new_node(p, POLICY_CREDENTIAL);
    *ret = node;
    node->name = arena_strndup(p->arena, text, size);
    if (str_equal(node->name, "rule")) {
        if (*right == '\0')
            return fault_raise(p->fault, FAULT_INVALID, "'rule:' without a name");
        node->kind = POLICY_RULE;
        node->name = arena_strdup(p->arena, right);
        return 0;
    }
    if (str_equal(node->name, "field")) {
        node->kind = POLICY_FIELD;
        return parse_field(p, right, node);
    }
    if (str_equal(node->name, "http") || str_equal(node->name, "https"))
        return fault_raise(p->fault, FAULT_INVALID,
                           "'%s': rules that ask another server are not supported", text);
    if (str_equal(node->name, "role"))
        node->kind = POLICY_ROLE;
    else if (is_literal(p, text, size, &node->name))
        node->kind = POLICY_LITERAL;
    else
        node->credential = policy_credential_find(node->name);
    return parse_template(p, right, node);
}

static int parse_or(struct parser *p, struct policy_node **ret);

static int
parse_group(struct parser *p, struct policy_node **ret)
{
    int r;

    next(p);
    r = parse_or(p, ret);
    if (r < 0)
        return r;
    if (p->token != TOKEN_CLOSE)
        return fault_raise(p->fault, FAULT_INVALID, "')' is missing");
    next(p);
    return 0;
}

static int
parse_one(struct parser *p, struct policy_node **ret)
{
    int r;

    if (++p->depth > POLICY_DEPTH_MAX)
        return fault_raise(p->fault, FAULT_INVALID, "nested deeper than %d", POLICY_DEPTH_MAX);
    switch (p->token) {
    case TOKEN_NOT:
        *ret = new_node(p, POLICY_NOT);
        next(p);
        r = parse_one(p, &(*ret)->first);
        break;
    case TOKEN_OPEN:
        r = parse_group(p, ret);
        break;
    case TOKEN_CHECK:
        r = parse_check(p, p->check, ret);
        if (r == 0)
            next(p);
        break;
    case TOKEN_END:
        r = fault_raise(p->fault, FAULT_INVALID, "ends where a check should be");
        break;
    case TOKEN_AND:
    case TOKEN_OR:
    case TOKEN_CLOSE:
        r = fault_raise(p->fault, FAULT_INVALID, "'%s' where a check should be",
                        p->token == TOKEN_CLOSE ? ")" : p->check);
        break;
    default:
        r = fault_raise(p->fault, FAULT_INVALID, "cannot be read");
        break;
    }
    p->depth--;
    return r;
}

/* One or more of 'part', with 'between' between them. */
static int
parse_chain(struct parser *p, enum token between, enum policy_kind kind,
            int (*part)(struct parser *p, struct policy_node **ret), struct policy_node **ret)
{
    struct policy_node *chain, **end;
    int r = part(p, ret);

    if (r < 0 || p->token != between)
        return r;
    chain = new_node(p, kind);
    chain->first = *ret;
    end = &chain->first->next;
    while (p->token == between) {
        next(p);
        r = part(p, end);
        if (r < 0)
            return r;
        end = &(*end)->next;
    }
    *ret = chain;
    return 0;
}

static int
parse_and(struct parser *p, struct policy_node **ret)
{
    return parse_chain(p, TOKEN_AND, POLICY_AND, parse_one, ret);
}

static int
parse_or(struct parser *p, struct policy_node **ret)
{
    return parse_chain(p, TOKEN_OR, POLICY_OR, parse_and, ret);
}

int
policy_parse(struct arena *a, const char *text, struct policy_node **ret, struct fault *f)
{
    struct parser p = { .arena = a, .at = text, .fault = f };
    struct policy_node *node;
    int r;

    if (strlen(text) > POLICY_RULE_MAX)
        return fault_raise(f, FAULT_INVALID, "longer than %d bytes", POLICY_RULE_MAX);
    next(&p);
    if (p.token == TOKEN_END) {
        *ret = new_node(&p, POLICY_TRUE);
        return 0;
    }
    r = parse_or(&p, &node);
    if (r < 0)
        return r;
    if (p.token != TOKEN_END)
        return fault_raise(f, FAULT_INVALID, "'%s' after its end",
                           p.token == TOKEN_CLOSE ? ")" : p.check);
    *ret = node;
    return 0;
}
