#include "directory_ldap.h"

#include <ctype.h>
#include <ldap.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

#include "base/array.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/str.h"

/* One answer of a server that lies or is very large ends here. */
#define MAX_ENTRIES 1000000

struct directory_link {
    LDAP *ldap;
};

static int
away(const char *what, int code, struct fault *f)
{
    fault_raise(f, FAULT_UNAVAILABLE, "The domain's directory does not answer as it should.");
    return fault_add_cause(f, "ldap %s: %s", what, ldap_err2string(code));
}

static int
set_options(LDAP *ldap, const struct directory *d, struct fault *f)
{
    struct timeval timeout = { .tv_sec = d->timeout_s };
    const int version = LDAP_VERSION3, fresh = 0;
    const struct {
        int name;
        const void *value; /* NULL: leave it. */
    } options[] = {
        { LDAP_OPT_PROTOCOL_VERSION, &version },
        { LDAP_OPT_NETWORK_TIMEOUT, &timeout },
        { LDAP_OPT_TIMEOUT, &timeout },
        { LDAP_OPT_REFERRALS, d->chase_referrals ? LDAP_OPT_ON : LDAP_OPT_OFF },
        { LDAP_OPT_DEREF, d->dereference < 0 ? NULL : &d->dereference },
        { LDAP_OPT_X_TLS_REQUIRE_CERT, &d->require_certificate },
        { LDAP_OPT_X_TLS_CACERTFILE, d->ca_file },
        { LDAP_OPT_X_TLS_CACERTDIR, d->ca_directory },
        { LDAP_OPT_X_TLS_NEWCTX, &fresh }, /* Last: it is made of what was set before. */
    };

    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        int r = options[i].value == NULL ? LDAP_OPT_SUCCESS
                                         : ldap_set_option(ldap, options[i].name, options[i].value);

        if (r != LDAP_OPT_SUCCESS) {
            fault_raise(f, FAULT_UNAVAILABLE,
                        "The domain's directory does not answer as it should.");
            return fault_add_cause(f, "ldap option 0x%x cannot be set", (unsigned)options[i].name);
        }
    }
    return 0;
}

int
directory_open(const struct directory *d, const char *dn, const char *password,
               struct directory_link **ret, struct fault *f)
{
    _cleanup_(directory_closep) struct directory_link *l = memory_calloc(1, sizeof(*l));
    const char *who = dn == NULL ? d->user : dn, *proof = dn == NULL ? d->password : password;
    struct berval secret = { .bv_val = (char *)(uintptr_t)proof,
                             .bv_len = proof == NULL ? 0 : strlen(proof) };
    int r;

    if (dn != NULL && str_empty(password))
        return fault_raise(f, FAULT_UNAUTHORIZED, "An empty password is none.");
    r = ldap_initialize(&l->ldap, d->url);
    if (r != LDAP_SUCCESS)
        return away("initialize", r, f);
    if (set_options(l->ldap, d, f) < 0)
        return -1;
    r = d->start_tls ? ldap_start_tls_s(l->ldap, NULL, NULL) : LDAP_SUCCESS;
    if (r != LDAP_SUCCESS)
        return away("start_tls", r, f);
    r = ldap_sasl_bind_s(l->ldap, who, LDAP_SASL_SIMPLE, &secret, NULL, NULL, NULL);
    if (dn != NULL && (r == LDAP_INVALID_CREDENTIALS || r == LDAP_NO_SUCH_OBJECT ||
                       r == LDAP_UNWILLING_TO_PERFORM || r == LDAP_INAPPROPRIATE_AUTH)) {
        fault_raise(f, FAULT_UNAUTHORIZED, "The directory refuses the password.");
        return fault_add_cause(f, "ldap bind: %s", ldap_err2string(r));
    }
    if (r != LDAP_SUCCESS)
        return away("bind", r, f);
    *ret = l;
    l = NULL;
    return 0;
}

void
directory_close(struct directory_link *l)
{
    if (l == NULL)
        return;
    if (l->ldap != NULL)
        ldap_unbind_ext_s(l->ldap, NULL, NULL);
    free(l);
}

void
directory_closep(struct directory_link **l)
{
    directory_close(*l);
}

/* --- Entries */

static json_t *
value_text(struct arena *a, const struct berval *v)
{
    if (str_is_utf8(v->bv_val, v->bv_len))
        return json_stringn(v->bv_val, v->bv_len);
    return json_string(str_hex(a, v->bv_val, v->bv_len));
}

static char *
lower(struct arena *a, const char *text)
{
    char *copy = arena_strdup(a, text);

    for (char *c = copy; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return copy;
}

static json_t *
read_attributes(LDAP *ldap, LDAPMessage *message, struct arena *a)
{
    json_t *attributes = json_own(a, json_object());
    BerElement *at = NULL;

    for (char *name = ldap_first_attribute(ldap, message, &at); name != NULL;
         name = ldap_next_attribute(ldap, message, at)) {
        struct berval **values = ldap_get_values_len(ldap, message, name);
        json_t *texts = json_array();

        for (size_t i = 0; values != NULL && values[i] != NULL; i++)
            json_array_append_new(texts, value_text(a, values[i]));
        json_object_set_new(attributes, lower(a, name), texts);
        ldap_value_free_len(values);
        ldap_memfree(name);
    }
    ber_free(at, 0);
    return attributes;
}

const json_t *
directory_values(const struct directory_entry *e, const char *attribute)
{
    char name[128];
    size_t i;

    if (attribute == NULL || strlen(attribute) >= sizeof(name))
        return NULL;
    for (i = 0; attribute[i] != '\0'; i++)
        name[i] = (char)tolower((unsigned char)attribute[i]);
    name[i] = '\0';
    return json_object_get(e->attributes, name);
}

const char *
directory_value(const struct directory_entry *e, const char *attribute)
{
    return json_string_value(json_array_get(directory_values(e, attribute), 0));
}

/* --- Searching */

struct search {
    const struct directory *d;
    const struct directory_kind *kind;
    const char *filter;
    char *attributes[8];
    struct arena *arena; /* Of one page. */
    int (*each)(void *owner, const struct directory_entry *e, struct fault *f);
    void *owner;
    size_t found;
};

static int
take_page(LDAP *ldap, LDAPMessage *page, struct search *s, struct fault *f)
{
    for (LDAPMessage *m = ldap_first_entry(ldap, page); m != NULL; m = ldap_next_entry(ldap, m)) {
        char *dn = ldap_get_dn(ldap, m);
        struct directory_entry e = { .dn = dn == NULL ? "" : directory_dn(s->arena, dn),
                                     .attributes = read_attributes(ldap, m, s->arena) };

        ldap_memfree(dn);
        if (++s->found > MAX_ENTRIES)
            return fault_raise_cause(f, "the directory has more than %d entries", MAX_ENTRIES);
        if (s->each(s->owner, &e, f) < 0)
            return -1;
    }
    return 0;
}

/* One page; 'cookie' (RFC 2696) is where the next begins, of length 0 when there is none. */
static int
search_page(LDAP *ldap, struct search *s, struct berval *cookie, struct fault *f)
{
    struct timeval timeout = { .tv_sec = s->d->timeout_s };
    LDAPControl *control = NULL, *controls[2] = { NULL, NULL }, **answered = NULL;
    LDAPMessage *page = NULL;
    ber_int_t estimate;
    int r, code = LDAP_SUCCESS;

    if (s->d->page_size > 0) {
        r = ldap_create_page_control(ldap, (ber_int_t)s->d->page_size, cookie, 1, &control);
        if (r != LDAP_SUCCESS)
            return away("page control", r, f);
        controls[0] = control;
    }
    r = ldap_search_ext_s(ldap, s->kind->base, s->d->scope, s->filter, s->attributes, 0,
                          s->d->page_size > 0 ? controls : NULL, NULL, &timeout, 0, &page);
    ber_memfree(cookie->bv_val);
    *cookie = (struct berval){ 0 };
    if (r == LDAP_SUCCESS && s->d->page_size > 0 &&
        ldap_parse_result(ldap, page, &code, NULL, NULL, NULL, &answered, 0) == LDAP_SUCCESS &&
        answered != NULL) {
        LDAPControl *paged = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, answered, NULL);

        if (paged != NULL)
            (void)ldap_parse_pageresponse_control(ldap, paged, &estimate, cookie);
    }
    if (r == LDAP_SUCCESS)
        r = take_page(ldap, page, s, f);
    else if (r == LDAP_NO_SUCH_OBJECT) /* A tree that isn't there has nobody in it. */
        r = 0;
    else
        r = away("search", r, f);
    ldap_controls_free(answered);
    ldap_control_free(control);
    ldap_msgfree(page);
    return r;
}

int
directory_search(struct directory_link *l, const struct directory *d,
                 const struct directory_kind *kind, const char *narrow, struct arena *a,
                 int (*each)(void *owner, const struct directory_entry *e, struct fault *f),
                 void *owner, struct fault *f)
{
    const char *names[] = { kind->id,   kind->name, kind->description,
                            kind->mail, d->member,  d->enabled.attribute };
    struct search s = { .d = d, .kind = kind, .each = each, .owner = owner };
    struct berval cookie = { 0 };
    size_t count = 0;
    int r;

    s.filter = narrow == NULL ? kind->filter : arena_printf(a, "(&%s%s)", kind->filter, narrow);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (names[i] != NULL)
            s.attributes[count++] = (char *)(uintptr_t)names[i];
    }
    s.arena = arena_new();
    do {
        r = search_page(l->ldap, &s, &cookie, f);
        arena_reset(s.arena);
    } while (r == 0 && cookie.bv_len > 0);
    ber_memfree(cookie.bv_val);
    arena_free(s.arena);
    return r;
}

char *
directory_equals(struct arena *a, const char *attribute, const char *value)
{
    struct berval raw = { .bv_val = (char *)(uintptr_t)value, .bv_len = strlen(value) }, escaped;
    char *text;

    if (ldap_bv2escaped_filter_value(&raw, &escaped) < 0)
        memory_exhausted(raw.bv_len);
    text = arena_printf(a, "(%s=%.*s)", attribute, (int)escaped.bv_len, escaped.bv_val);
    if (escaped.bv_val != raw.bv_val)
        ber_memfree(escaped.bv_val);
    return text;
}

char *
directory_dn(struct arena *a, const char *dn)
{
    LDAPDN parsed = NULL;
    char *text = NULL, *copy;

    if (ldap_str2dn(dn, &parsed, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS)
        return lower(a, dn);
    if (ldap_dn2str(parsed, &text, LDAP_DN_FORMAT_LDAPV3) != LDAP_SUCCESS)
        text = NULL;
    copy = lower(a, text == NULL ? dn : text);
    ldap_memfree(text);
    ldap_dnfree(parsed);
    return copy;
}
