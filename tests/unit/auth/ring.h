/* What the tests of tokens share: a directory of keys, and contexts to sign. */
#pragma once

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../asserts.h"
#include "auth/context.h"
#include "auth/keyring.h"
#include "base/str.h"

#define NOW ((int64_t)1795338442000042)
#define HOUR_US ((int64_t)3600 * 1000000)

static inline void
ring_make_directory(char ret[32])
{
    strncpy(ret, "/tmp/keyring-test-XXXXXX", 32);
    assert_non_null(mkdtemp(ret));
}

static inline void
ring_remove_directory(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL)
        unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    rmdir(path);
}

static inline struct auth_context
ring_context(void)
{
    static const char *const roles[] = { "member", "reader" };
    static const char *const role_ids[] = { "role-1", "role-2" };
    static const char *const methods[] = { "password", "token" };

    return (struct auth_context){
        .user_id = "u1",
        .user_name = "J\xc3\xb6rg \"the\" user",
        .user_domain_id = "default",
        .user_domain_name = "Default",
        .scope = SCOPE_PROJECT,
        .project_id = "p1",
        .project_name = "project",
        .project_domain_id = "pd",
        .project_domain_name = "PD",
        .roles = roles,
        .role_ids = role_ids,
        .roles_count = 2,
        .methods = methods,
        .methods_count = 2,
        .audit_id = "audit-2",
        .audit_chain_id = "audit-1",
        .issued_us = NOW,
        .expires_us = NOW + HOUR_US,
        .password_expires_us = NOW + 24 * HOUR_US,
    };
}
