#!/usr/bin/python3
"""Arrows point down: service -> daemon -> saga, rpc, api -> auth, db, http -> base. Also: nothing in common names a service, no
service includes another's headers, no SQL is put together outside common/api's printers."""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
LEVEL = {'base': 0, 'disk': 1, 'guest': 1, 'http': 1, 'db': 1, 'auth': 1, 'api': 2, 'rpc': 2, 'saga': 3, 'daemon': 4}
# Interfaces of a higher layer that lower ones may know: structs without functions of their own.
ALLOWED = {('auth', 'http'), ('rpc', 'db'), ('saga', 'db'), ('saga', 'rpc'), ('disk', 'http')}
SQL = re.compile(r'"(SELECT|INSERT INTO|UPDATE|DELETE FROM) ')
PRINTERS = {'common/api/list_sql.c', 'common/api/resource_read.c', 'common/api/resource_write.c', 'common/api/resource_sql.c'}


def main():
    bad = []
    files = subprocess.run(['git', 'ls-files', '*.c', '*.h'], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    services = {f.split('/')[1] for f in files if f.startswith('services/')}
    for file in files:
        parts = file.split('/')
        if parts[0] not in ('common', 'services') or 'codegen' in parts:
            continue
        with open(os.path.join(ROOT, file), encoding='utf-8') as f:
            lines = f.read().split('\n')
        for number, line in enumerate(lines, 1):
            where = '%s:%d' % (file, number)
            include = re.match(r'\s*#include "([^"]+)"', line)
            if include:
                target = os.path.normpath(os.path.join(os.path.dirname(file), include.group(1)))
                if not os.path.exists(os.path.join(ROOT, target)):
                    target = 'common/' + include.group(1) if os.path.exists(os.path.join(ROOT, 'common', include.group(1))) else include.group(1)
                bad += check_include(where, parts, target.split('/'))
            if SQL.search(line) and file not in PRINTERS and parts[1] != 'db':
                bad.append('%s: SQL outside queries/*.sql' % where)
            if parts[0] == 'common' and re.search(r'\b(system|popen)\s*\(', line):
                bad.append('%s: a shell' % where)
    for b in bad:
        print(b)
    print('layering: %d files, %d services' % (len(files), len(services)))
    sys.exit(1 if bad else 0)


def check_include(where, source, target):
    if target[0] == 'services' and source[0] == 'common':
        return ['%s: common includes a service' % where]
    if target[0] == 'services' and source[0] == 'services' and target[1] != source[1]:
        return ['%s: a service includes another one\'s header' % where]
    if source[0] == 'common' and target[0] == 'common':
        a, b = source[1], target[1]
        if LEVEL.get(b, 0) > LEVEL.get(a, 0) or (LEVEL.get(a) == LEVEL.get(b) and a != b and (a, b) not in ALLOWED):
            return ['%s: %s includes %s' % (where, a, b)]
    return []


if __name__ == '__main__':
    main()
