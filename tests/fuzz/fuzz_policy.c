/* Policy rules and policy.yaml. The first byte chooses: one rule's text, or a whole file. What loads is
 * evaluated for somebody without any role, and for nobody and no target. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "api/policy.h"
#include "base/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *
get(const void *object, const char *name)
{
    (void)object;
    return name[0] % 2 == 0 ? "p1" : NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct auth_context who = { .user_id = "u1",
                                             .project_id = "p1",
                                             .scope = SCOPE_PROJECT };
    static const struct auth_context nobody = { 0 };
    const struct policy_target target = { .get = get };
    struct policy_default rules[] = { { "admin", "role:admin" }, { "tested", "rule:admin" } };
    struct policy *p = NULL;
    struct fault f = { 0 };
    struct arena *a;
    char path[64];
    int fd = -1;
    int r;

    if (size < 1)
        return 0;
    a = arena_new();
    if (data[0] % 2 == 0) {
        rules[1].rule = arena_strndup(a, (const char *)data + 1, size - 1);
        r = policy_load(&p, rules, 2, NULL, &f);
    } else {
        fd = memfd_create("policy", MFD_CLOEXEC);
        if (fd < 0 || write(fd, data + 1, size - 1) != (ssize_t)(size - 1))
            abort();
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        r = policy_load(&p, rules, 2, path, &f);
    }
    if (r < 0 && f.kind != FAULT_INVALID)
        abort();
    if (r == 0) {
        policy_check(p, "tested", &who, &target);
        policy_check(p, "tested", &nobody, NULL);
        /* Whatever the rest says, a caller without roles is no admin by a role. */
        if (data[0] % 2 == 0 && policy_check(p, "admin", &who, &target))
            abort();
    }
    policy_free(p);
    if (fd >= 0)
        close(fd);
    arena_free(a);
    return 0;
}
