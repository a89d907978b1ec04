/* A small cloud for tests of what is found in one: hosts, a nested host and a share of disks. */
#pragma once

#include "services/placement/candidates.h"
#include "tests/lib/pg.h"
#include "tests/unit/asserts.h"

extern const struct migration placement_migrations[];
extern const size_t placement_migrations_count;

static struct pg *pg;
static struct mirror *mirror;

/* h1, h2: VCPU 8, MEMORY_MB 1024, DISK_GB 100; h2 has a trait and is in aggregate 1. n: VCPU 8, MEMORY_MB 1024, and below it
 * n1, n2 with SRIOV_NET_VF 4 each, n2 with a trait, and n2a below n2 with VGPU 1; aggregate 2. s: DISK_GB 1000, shared by aggregate 2. */
static const char setup_sql[] =
    "INSERT INTO provider (id, uuid, name, parent_id, root_id) OVERRIDING SYSTEM VALUE VALUES"
    "  (1, '00000000-0000-0000-0000-0000000000a1', 'h1', NULL, 1), (2, "
    "'00000000-0000-0000-0000-0000000000a2', 'h2', NULL, 2),"
    "  (3, '00000000-0000-0000-0000-0000000000b0', 'n', NULL, 3), (4, "
    "'00000000-0000-0000-0000-0000000000b1', 'n1', 3, 3),"
    "  (5, '00000000-0000-0000-0000-0000000000b2', 'n2', 3, 3), (6, "
    "'00000000-0000-0000-0000-0000000000b3', 'n2a', 5, 3),"
    "  (7, '00000000-0000-0000-0000-0000000000c0', 's', NULL, 7);"
    "INSERT INTO inventory SELECT p, c, t, 0, 1, m, s, r, u FROM (VALUES"
    "  (1, 0, 8, 100, 1, 1.0, 0), (1, 1, 1024, 2000, 1, 1.0, 0), (1, 2, 100, 100, 1, 1.0, 0),"
    "  (2, 0, 8, 100, 2, 1.0, 6), (2, 1, 1024, 2000, 1, 1.0, 0), (2, 2, 100, 100, 1, 1.0, 0),"
    "  (3, 0, 8, 100, 1, 2.0, 0), (3, 1, 1024, 2000, 1, 1.0, 0),"
    "  (4, 4, 4, 3, 1, 1.0, 0), (5, 4, 4, 4, 1, 1.0, 0), (6, 10, 1, 1, 1, 1.0, 0), (7, 2, 1000, "
    "1000, 1, 1.0, 0)) x (p, c, t, m, s, r, u);"
    "INSERT INTO provider_trait SELECT x.p, t.id FROM (VALUES (2, 'HW_CPU_X86_AVX2'), (5, "
    "'HW_NIC_SRIOV'),"
    "  (7, 'MISC_SHARES_VIA_AGGREGATE')) x (p, t) JOIN trait t ON t.name = x.t;"
    "INSERT INTO provider_aggregate VALUES (2, '11111111-0000-0000-0000-000000000000'), (3, "
    "'22222222-0000-0000-0000-000000000000'),"
    "  (7, '22222222-0000-0000-0000-000000000000');";

static int
setup(void **state)
{
    struct fault f = { 0 };
    struct db db = { 0 };

    (void)state;
    pg = pg_open_migrated(placement_migrations, placement_migrations_count);
    pg_exec(pg, setup_sql);
    mirror = mirror_new();
    pg_begin(pg, &db);
    assert_ok(mirror_refresh(mirror, &db, &f));
    assert_ok(mirror_read(mirror, &db, &f));
    pg_rollback(&db);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    mirror_done(mirror);
    mirror_free(mirror);
    pg_close(pg);
    return 0;
}
