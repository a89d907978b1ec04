/* Attributes and small macros that every file may use; the only header with no subject of its own. */
#pragma once

#include <stddef.h>

#define _cleanup_(fn) __attribute__((cleanup(fn)))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))
#define _unused_ __attribute__((unused))
#define _noreturn_ __attribute__((noreturn))
#define _must_check_ __attribute__((warn_unused_result))
#define _returns_nonnull_ __attribute__((returns_nonnull))
#define _nonnull_all_ __attribute__((nonnull))

/* Which mutex a member or variable is under. For the reader: clang's analysis cannot name a sibling member in C
 * (before its version 20), so it says nothing to the compiler. */
#define GUARDED_BY(mutex)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
