/* Signatures are kept as their text, which is also what messages show; here it is read again. */
#include "signature.h"

#include "../base/str.h"
#include "connection.h"

/* Types by their fixed numbers: src/include/catalog/pg_type.dat in PostgreSQL's sources. */
enum oid {
    OID_BOOL = 16,
    OID_NAME = 19,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_TEXT = 25,
    OID_JSON = 114,
    OID_CIDR = 650,
    OID_FLOAT4 = 700,
    OID_FLOAT8 = 701,
    OID_MACADDR = 829,
    OID_INET = 869,
    OID_TEXT_ARRAY = 1009,
    OID_BPCHAR = 1042,
    OID_VARCHAR = 1043,
    OID_VARCHAR_ARRAY = 1015,
    OID_TIMESTAMPTZ = 1184,
    OID_UUID = 2950,
    OID_UUID_ARRAY = 2951,
    OID_JSONB = 3802,
};

/* What a signature's type may stand for: any of 'both'; results also 'narrower', which fit without loss. */
static const struct {
    const char *name;
    Oid both[8], narrower[2];
} types[] = {
    { "text",
      { OID_TEXT, OID_VARCHAR, OID_BPCHAR, OID_NAME, OID_UUID, OID_INET, OID_CIDR, OID_MACADDR },
      { 0 } },
    { "int8", { OID_INT8 }, { OID_INT4, OID_INT2 } },
    { "int4", { OID_INT4 }, { OID_INT2 } },
    { "float8", { OID_FLOAT8 }, { OID_FLOAT4 } },
    { "bool", { OID_BOOL }, { 0 } },
    { "timestamptz", { OID_TIMESTAMPTZ }, { 0 } },
    { "jsonb", { OID_JSONB, OID_JSON }, { 0 } },
    { "text[]", { OID_TEXT_ARRAY, OID_VARCHAR_ARRAY, OID_UUID_ARRAY }, { 0 } },
};

static bool
is_among(const Oid *oids, size_t count, Oid oid)
{
    for (size_t i = 0; i < count; i++)
        if (oids[i] == oid && oid != 0)
            return true;
    return false;
}

static bool
fits(const char *type, Oid oid, bool is_result)
{
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (str_equal(types[i].name, type))
            return is_among(types[i].both, ARRAY_SIZE(types[i].both), oid) ||
                   (is_result && is_among(types[i].narrower, ARRAY_SIZE(types[i].narrower), oid));
    return false;
}

struct value {
    const char *name, *type;
};

/* "id text, scope text?" */
static struct value *
read_values(struct arena *a, const char *text, size_t *ret_count)
{
    size_t count = 0;
    char **parts = str_split(a, text, ',', &count);
    struct value *values = ARENA_ARRAY(a, struct value, count);

    for (size_t i = 0; i < count; i++) {
        char *name = parts[i] + (parts[i][0] == ' '), *type = strchr(name, ' ');
        size_t size = strlen(name);

        if (size > 0 && name[size - 1] == '?')
            name[size - 1] = '\0';
        if (type != NULL)
            *type++ = '\0';
        values[i] = (struct value){ name, type };
    }
    *ret_count = count;
    return values;
}

/* The server's own name of a type, for messages. */
static const char *
type_name(struct db *db, Oid oid)
{
    const struct db_param param = db_int(db->arena, oid);
    struct db_result answer;
    struct fault ignored = { 0 };

    if (db_run(db, NULL, "SELECT format_type($1::oid, NULL)", &param, 1, &answer, &ignored) < 0 ||
        answer.rows != 1 || answer.values[0][0] == NULL)
        return "unknown";
    return answer.values[0][0];
}

static void
compare_params(struct db *db, const struct db_signature *s, const PGresult *found,
               struct str *wrong)
{
    size_t count = 0;
    const struct value *values = read_values(db->arena, s->params, &count);

    if ((size_t)PQnparams(found) != count) {
        str_addf(wrong, "%s: %s has %zu parameters, the statement %d\n", s->where, s->name, count,
                 PQnparams(found));
        return;
    }
    for (size_t i = 0; i < count; i++) {
        Oid oid = PQparamtype(found, (int)i);

        if (!fits(values[i].type, oid, false))
            str_addf(wrong, "%s: %s: parameter %s is %s, the statement takes %s\n", s->where,
                     s->name, values[i].name, values[i].type, type_name(db, oid));
    }
}

static void
compare_columns(struct db *db, const struct db_signature *s, const PGresult *found,
                struct str *wrong)
{
    size_t count = 0;
    const struct value *values = read_values(db->arena, s->columns, &count);

    if ((size_t)PQnfields(found) != count) {
        str_addf(wrong, "%s: %s has %zu columns, the statement gives %d\n", s->where, s->name,
                 count, PQnfields(found));
        return;
    }
    for (size_t i = 0; i < count; i++) {
        Oid oid = PQftype(found, (int)i);
        const char *name = PQfname(found, (int)i);

        if (!fits(values[i].type, oid, true))
            str_addf(wrong, "%s: %s: column %s is %s, the statement gives %s\n", s->where, s->name,
                     values[i].name, values[i].type, type_name(db, oid));
        /* Names may differ, but two of them exchanged is a mistake that the types need not show. */
        for (size_t j = 0; j < count; j++)
            if (j != i && str_equal(name, values[j].name) && !str_equal(name, values[i].name))
                str_addf(wrong, "%s: %s: column %s stands where the statement gives %s\n", s->where,
                         s->name, values[i].name, name);
    }
}

static int
check_one(struct db *db, const struct db_signature *s, struct str *wrong, struct fault *f)
{
    struct db_connection *c = db->connection;
    _cleanup_(connection_clear) PGresult *found = NULL;
    bool in_tx = c->in_tx;
    int r;

    if (in_tx) {
        r = connection_script(c, "SAVEPOINT virga_check", f);
        if (r < 0)
            return r;
    }
    r = connection_describe(c, s->sql, &found, f);
    if (r < 0) {
        if (connection_broken(c))
            return r;
        str_addf(wrong, "%s: %s: %s\n", s->where, s->name, f->cause);
        fault_clear(f);
    }
    if (in_tx) {
        r = connection_script(c, "ROLLBACK TO SAVEPOINT virga_check; RELEASE SAVEPOINT virga_check",
                              f);
        if (r < 0)
            return r;
    }
    if (found == NULL)
        return 0;
    compare_params(db, s, found, wrong);
    if (s->columns != NULL)
        compare_columns(db, s, found, wrong);
    return 0;
}

int
db_check_signatures(struct db *db, const struct db_signature *signatures, size_t count,
                    struct fault *f)
{
    _cleanup_(str_done) struct str wrong = { 0 };
    int r;

    r = connection_ready(db->connection, f);
    if (r < 0)
        return r;
    for (size_t i = 0; i < count; i++) {
        r = check_one(db, &signatures[i], &wrong, f);
        if (r < 0)
            return r;
    }
    if (wrong.size > 0)
        return fault_raise(f, FAULT_INTERNAL, "%s", str_text(&wrong));
    return 0;
}
