#include "fault.h"

/* A message cut in the middle of a character would not be UTF-8, and so not JSON. */
static void
trim_partial(char *text)
{
    size_t size = strlen(text), lead = size;
    unsigned char c;
    size_t want;

    while (lead > 0 && size - lead < 4 && ((unsigned char)text[lead - 1] & 0xc0) == 0x80)
        lead--;
    if (lead == 0)
        return;
    c = (unsigned char)text[lead - 1];
    want = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
    if (size - (lead - 1) < want)
        text[lead - 1] = '\0';
}

static void _printf_(3, 0) print(char *out, size_t size, const char *format, va_list args)
{
    int want = vsnprintf(out, size, format, args);

    if (want < 0)
        out[0] = '\0';
    else if ((size_t)want >= size)
        trim_partial(out);
}

static void
copy(char *out, size_t size, const char *text)
{
    if (snprintf(out, size, "%s", text) >= (int)size)
        trim_partial(out);
}

int
fault_raise(struct fault *f, enum fault_kind kind, const char *format, ...)
{
    va_list args;

    fault_clear(f);
    f->kind = kind;
    va_start(args, format);
    print(f->message, sizeof(f->message), format, args);
    va_end(args);
    return -(int)kind;
}

int
fault_raise_code(struct fault *f, enum fault_kind kind, const char *code, const char *format, ...)
{
    va_list args;

    fault_clear(f);
    f->kind = kind;
    copy(f->code, sizeof(f->code), code);
    va_start(args, format);
    print(f->message, sizeof(f->message), format, args);
    va_end(args);
    return -(int)kind;
}

/* How much of a format is "Invalid input for field/attribute %s. Value: %s. ". */
static size_t
lead_size(const char *format)
{
    static const char lead[] = "Invalid input for field/attribute ", value[] = "Value: ";
    const char *at, *end;

    if (strncmp(format, lead, strlen(lead)) != 0)
        return 0;
    end = strstr(format, ". ");
    if (end == NULL)
        return 0;
    at = end + 2;
    if (strncmp(at, value, strlen(value)) == 0 && (end = strstr(at, ". ")) != NULL)
        at = end + 2;
    return (size_t)(at - format);
}

int
fault_raise_field(struct fault *f, const char *field, const char *format, ...)
{
    size_t lead = lead_size(format);
    char start[128];
    va_list args;

    fault_clear(f);
    f->kind = FAULT_INVALID;
    copy(f->field, sizeof(f->field), field);
    va_start(args, format);
    if (lead > 0) {
        snprintf(start, sizeof(start), "%.*s", (int)MIN(lead, sizeof(start) - 1), format);
        print(f->message, sizeof(f->message), start, args);
        f->reason = strlen(f->message);
        va_end(args);
        va_start(args, format);
    }
    print(f->message, sizeof(f->message), format, args);
    va_end(args);
    return -(int)FAULT_INVALID;
}

int
fault_keyword(struct fault *f, const char *keyword, int raised)
{
    f->keyword = keyword;
    return raised;
}

const char *
fault_reason(const struct fault *f)
{
    return f->message + MIN(f->reason, strlen(f->message));
}

int
fault_raise_cause(struct fault *f, const char *format, ...)
{
    va_list args;

    fault_clear(f);
    f->kind = FAULT_INTERNAL;
    copy(f->message, sizeof(f->message),
         "An unexpected error prevented the server from fulfilling your request.");
    va_start(args, format);
    print(f->cause, sizeof(f->cause), format, args);
    va_end(args);
    return -(int)FAULT_INTERNAL;
}

int
fault_add_cause(struct fault *f, const char *format, ...)
{
    size_t size = strlen(f->cause);
    va_list args;

    if (size > 0 && size + 3 < sizeof(f->cause)) {
        memcpy(f->cause + size, "; ", 3);
        size += 2;
    }
    va_start(args, format);
    print(f->cause + size, sizeof(f->cause) - size, format, args);
    va_end(args);
    return -(int)f->kind;
}

void
fault_clear(struct fault *f)
{
    f->kind = FAULT_NONE;
    f->field[0] = f->code[0] = f->message[0] = f->cause[0] = '\0';
    f->reason = 0;
}

static const struct {
    const char *name;
    int status;
} kinds[] = { [FAULT_NONE] = { "NONE", 200 },
#define KIND(name, status) [FAULT_##name] = { #name, status },
              FAULT_KINDS(KIND)
#undef KIND
};

int
fault_status(enum fault_kind kind)
{
    return (size_t)kind < ARRAY_SIZE(kinds) ? kinds[kind].status : 500;
}

const char *
fault_kind_name(enum fault_kind kind)
{
    return (size_t)kind < ARRAY_SIZE(kinds) ? kinds[kind].name : "INTERNAL";
}

enum fault_kind
fault_kind_from_name(const char *name)
{
    for (size_t i = 0; name != NULL && i < ARRAY_SIZE(kinds); i++) {
        if (strcmp(kinds[i].name, name) == 0)
            return (enum fault_kind)i;
    }
    return FAULT_INTERNAL;
}

enum fault_kind
fault_kind_from_status(int status)
{
    if (status >= 200 && status < 300)
        return FAULT_NONE;
    /* From 1: the first kind of a status is the general one (409 is a conflict, not a quota). */
    for (size_t i = 1; i < ARRAY_SIZE(kinds); i++) {
        if (kinds[i].status == status)
            return (enum fault_kind)i;
    }
    if (status == 502)
        return FAULT_UNAVAILABLE;
    return status >= 400 && status < 500 ? FAULT_INVALID : FAULT_INTERNAL;
}

bool
fault_is_transient(const struct fault *f)
{
    return f->kind == FAULT_UNAVAILABLE || f->kind == FAULT_TIMEOUT || f->kind == FAULT_RATE;
}
