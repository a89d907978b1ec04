/* Faults: why something failed, in words for the person who asked.
 *
 * A function that may fail for a reason a client or operator should read takes a 'struct fault *f' as its
 * last parameter and returns a negative value after filling it. The fault is said where it is known and
 * passed up unchanged; common/api/dialect.c alone knows how it looks on the wire. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "compiler.h"

/* KIND(name, HTTP status). The one table of kinds. */
#define FAULT_KINDS(KIND)                                                                          \
    KIND(INVALID, 400) /* The request is wrong; 'field' says where. */                             \
    KIND(UNAUTHORIZED, 401)                                                                        \
    KIND(FORBIDDEN, 403)                                                                           \
    KIND(NOT_FOUND, 404)                                                                           \
    KIND(METHOD, 405)                                                                              \
    KIND(NOT_ACCEPTABLE, 406)                                                                      \
    KIND(CONFLICT, 409) /* The object's state, or another object, forbids it. */                   \
    KIND(GONE, 410)                                                                                \
    KIND(PRECONDITION, 412)                                                                        \
    KIND(TOO_LARGE, 413)                                                                           \
    KIND(URI_TOO_LONG, 414)                                                                        \
    KIND(MEDIA_TYPE, 415)                                                                          \
    KIND(RANGE, 416)                                                                               \
    KIND(UNPROCESSABLE, 422)                                                                       \
    KIND(RATE, 429)                                                                                \
    KIND(QUOTA, 409)    /* Over quota; each dialect has a status of its own for it. */             \
    KIND(INTERNAL, 500) /* Ours to explain: clients get a fixed text, the log gets the cause. */   \
    KIND(NOT_IMPLEMENTED, 501)                                                                     \
    KIND(UNAVAILABLE, 503) /* Something we need is away; trying again may help. */                 \
    KIND(TIMEOUT, 504)     /* No answer in time: the effect is unknown. */

enum fault_kind {
    FAULT_NONE = 0,
#define KIND(name, status) FAULT_##name,
    FAULT_KINDS(KIND)
#undef KIND
};

/* { 0 } is "no fault". Messages are cut at the size here, never overrun. */
struct fault {
    enum fault_kind kind;
    char field[128];     /* Dotted path of the offending member, or "". */
    const char *keyword; /* Which rule of JSON Schema it breaks ("minimum"), or NULL. */
    char code
        [64]; /* A name that is part of the wire (network's exception type, placement's code), or "". */
    char message[2048]; /* For the client; no paths, hosts or secrets. */
    size_t reason;      /* Where the bare reason begins in it: fault_reason(). */
    char cause[512];    /* For the operator's log only. */
};

/* Fills 'f' and returns a negative value, so: return fault_raise(f, FAULT_CONFLICT, "..."). */
int fault_raise(struct fault *f, enum fault_kind kind, const char *format, ...) _printf_(3, 4);

/* The same with a wire name: fault_raise_code(f, FAULT_CONFLICT, "SubnetInUse", "..."). */
int fault_raise_code(struct fault *f, enum fault_kind kind, const char *code, const char *format,
                     ...) _printf_(4, 5);

/* A client's mistake in one member: FAULT_INVALID with 'field' set. */
int fault_raise_field(struct fault *f, const char *field, const char *format, ...) _printf_(3, 4);

/* Adds which rule of JSON Schema the member breaks, a literal; returns 'raised':
 * return fault_keyword(f, "minimum", fault_raise_field(f, "total", "...")). */
int fault_keyword(struct fault *f, const char *keyword, int raised);

/* The message without "Invalid input for field/attribute X. Value: Y. " before it, for dialects that put it otherwise. */
const char *fault_reason(const struct fault *f);

/* FAULT_INTERNAL with 'cause'; the client's message is the fixed text. */
int fault_raise_cause(struct fault *f, const char *format, ...) _printf_(2, 3);

/* Adds the operator's part to a fault that is already raised; returns what fault_raise() returned. */
int fault_add_cause(struct fault *f, const char *format, ...) _printf_(2, 3);

/* Clears 'f', for trying again. */
void fault_clear(struct fault *f);

int fault_status(enum fault_kind kind);                 /* HTTP status as in the table. */
const char *fault_kind_name(enum fault_kind kind);      /* "NOT_FOUND" */
enum fault_kind fault_kind_from_name(const char *name); /* FAULT_INTERNAL for an unknown one. */
enum fault_kind fault_kind_from_status(int status);     /* For answers of other services. */
/* May the same call succeed later with nothing changed? (UNAVAILABLE, TIMEOUT, RATE) */
bool fault_is_transient(const struct fault *f);
