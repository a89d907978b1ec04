/* What authentication and policy cost per request: microseconds, one thread.
 *
 * cached: a token seen before, nothing revoked since (the steady state of every service).
 * revoked-elsewhere: the same while revocations of others keep coming, so each is compared again.
 * signature: a token seen for the first time. policy: the longest of compute's usual rules. */
#include <stdio.h>
#include <unistd.h>

#include "api/policy.h"
#include "auth/authenticator.h"
#include "auth/token.h"
#include "base/clock.h"

#define ROUNDS 200000

static const char *const roles[] = { "member", "reader" };
static const char *const methods[] = { "password" };

static struct auth_context
context(void)
{
    return (struct auth_context){
        .user_id = "0123456789abcdef0123456789abcdef",
        .user_name = "demo",
        .user_domain_id = "default",
        .user_domain_name = "Default",
        .scope = SCOPE_PROJECT,
        .project_id = "fedcba9876543210fedcba9876543210",
        .project_name = "demo",
        .project_domain_id = "default",
        .project_domain_name = "Default",
        .roles = roles,
        .role_ids = roles,
        .roles_count = 2,
        .methods = methods,
        .methods_count = 1,
        .audit_id = "ZzZzZzZzZzZzZzZzZzZzZz",
        .audit_chain_id = "ZzZzZzZzZzZzZzZzZzZzZz",
        .issued_us = clock_now_us(),
        .expires_us = clock_now_us() + (int64_t)3600 * 1000000,
    };
}

static void
report(const char *what, int64_t started_us, int rounds)
{
    printf("%-20s %8.3f us\n", what, (double)(clock_mono_us() - started_us) / rounds);
}

static void
bench_tokens(struct authenticator *a, struct keyring *k, struct arena *arena)
{
    struct arena *request = arena_new();
    struct auth_context c = context(), out;
    struct fault f = { 0 };
    int64_t started_us;
    char *token;

    if (token_sign(k, arena, &c, &token, &f) < 0 ||
        authenticator_check(a, arena, token, &out, &f) < 0) {
        fprintf(stderr, "%s %s\n", f.message, f.cause);
        exit(1);
    }
    printf("%-20s %8zu bytes\n", "token", strlen(token));

    started_us = clock_mono_us();
    for (int i = 0; i < ROUNDS; i++) {
        if (authenticator_check(a, request, token, &out, &f) < 0)
            exit(1);
        arena_reset(request);
    }
    report("cached", started_us, ROUNDS);

    started_us = clock_mono_us();
    for (int i = 0; i < ROUNDS / 10; i++) {
        char id[32];

        snprintf(id, sizeof(id), "user-%d", i);
        revocations_add(authenticator_revocations(a),
                        &(struct revocation){ .user_id = id, .issued_before_us = 1 });
        if (authenticator_check(a, request, token, &out, &f) < 0)
            exit(1);
        arena_reset(request);
    }
    report("revoked-elsewhere", started_us, ROUNDS / 10);

    started_us = clock_mono_us();
    for (int i = 0; i < ROUNDS / 100; i++) {
        if (token_verify(k, request, token, clock_now_us(), &out, &f) < 0)
            exit(1);
        arena_reset(request);
    }
    report("signature", started_us, ROUNDS / 100);
    arena_free(request);
}

static const char *
member(const void *object, const char *name)
{
    (void)object;
    return strcmp(name, "project_id") == 0 ? "fedcba9876543210fedcba9876543210" : NULL;
}

static void
bench_policy(void)
{
    static const struct policy_default rules[] = {
        { "context_is_admin", "role:admin" },
        { "project_member_api", "role:member and project_id:%(project_id)s" },
        { "project_member_or_admin", "rule:project_member_api or rule:context_is_admin" },
        { "os_compute_api:servers:create",
          "rule:context_is_admin or rule:project_member_or_admin" },
    };
    const struct policy_target target = { .get = member };
    struct auth_context c = context();
    struct policy *p;
    struct fault f = { 0 };
    int64_t started_us;

    if (policy_load(&p, rules, ARRAY_SIZE(rules), NULL, &f) < 0)
        exit(1);
    started_us = clock_mono_us();
    for (int i = 0; i < ROUNDS; i++) {
        if (!policy_check(p, "os_compute_api:servers:create", &c, &target))
            exit(1);
    }
    report("policy", started_us, ROUNDS);
    policy_free(p);
}

static void
remove_keys(const char *directory, const char *kid)
{
    char path[160];

    snprintf(path, sizeof(path), "%s/%s.pem", directory, kid);
    unlink(path);
    snprintf(path, sizeof(path), "%s/%s.pub.pem", directory, kid);
    unlink(path);
    rmdir(directory);
}

int
main(void)
{
    char directory[] = "/tmp/bench-auth-XXXXXX", kid[KEYRING_KID_MAX + 1] = "";
    struct authenticator_options options = { 0 };
    struct arena *arena = arena_new();
    struct authenticator *a;
    struct fault f = { 0 };

    if (mkdtemp(directory) == NULL || keyring_generate(directory, &f) < 0 ||
        keyring_open_directory(&options.keyring, directory, &f) < 0 ||
        authenticator_open(&a, &options, &f) < 0) {
        fprintf(stderr, "%s %s\n", f.message, f.cause);
        return 1;
    }
    keyring_signer(options.keyring, kid);
    bench_tokens(a, options.keyring, arena);
    bench_policy();
    authenticator_close(a);
    keyring_free(options.keyring);
    arena_free(arena);
    remove_keys(directory, kid);
    return 0;
}
