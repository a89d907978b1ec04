#!/usr/bin/python3
"""Which operations of the upstream APIs are declared here: tests/coverage.py TABLES > docs/coverage.md

TABLES is a folder with one <service>.tsv per service: columns id, method, path, ..., tier ("core", "common", "rare", "legacy"); '#name' after
a path is an action or a variant. Placeholder names do not matter."""
import csv
import glob
import os
import re
import sys

import yaml

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
SERVICES = ('identity', 'image', 'placement', 'compute', 'network', 'volume')


def norm(path):
    path = re.sub(r'\{[^}]*\}', '{}', path.split('#')[0]).rstrip('/')
    return path or '/'


def declared(service):
    out = set()
    head = yaml.safe_load(open(f'{ROOT}/api-specs/{service}/openapi.yaml', encoding='utf-8'))
    for file in glob.glob(f'{ROOT}/api-specs/{service}/paths/*.yaml'):
        for path, item in (yaml.safe_load(open(file, encoding='utf-8')) or {}).items():
            if not path.startswith('/'):
                continue
            for method, op in item.items():
                for action in (op.get('x-virga-actions') or {}):
                    out.add((method.upper(), norm(path), action))
                if 'x-virga' in op:
                    out.add((method.upper(), norm(path), None))
    prefix = head['x-virga'].get('project_path')
    return out | ({(m, p.replace(norm(prefix), '/v3', 1), a) for m, p, a in out} if prefix else set())


def has(ops, service, method, path):
    variant = path.split('#')[1] if '#' in path else None
    full = norm(path)
    if service == 'compute':
        full = norm('/v2.1' + path) if not path.startswith('/v2') and path not in ('/',) else full
    methods = [method] + (['GET'] if method == 'HEAD' else [])
    for m in methods:
        if (m, full, variant) in ops or (m, full, None) in ops and (variant is None or not full.endswith('/action')):
            return True
    return False


def main():
    print('# Coverage\n\nOperations of the OpenStack APIs that are built, by how much they matter. What is not built answers 404. Made by '
          '`tests/coverage.py`.\n\n| service | core | common | rare |\n|---|---|---|---|')
    missing = {}
    for service in SERVICES:
        ops = declared(service)
        count = {}
        for row in csv.DictReader(open(f'{sys.argv[1]}/{service}.tsv', encoding='utf-8'), delimiter='\t'):
            found = has(ops, service, row['method'], row['path'])
            n = count.setdefault(row['tier'], [0, 0])
            n[0] += found
            n[1] += 1
            if not found and row['tier'] in ('core', 'common'):
                missing.setdefault((service, row['tier']), []).append('`%s %s`' % (row['method'], row['path']))
        print('| %s | %s |' % (service, ' | '.join('%d of %d' % tuple(count.get(t, (0, 0))) for t in ('core', 'common', 'rare'))))
    for (service, tier), rows in missing.items():
        print('\n## %s, %s: not built\n\n%s' % (service, tier, ', '.join(rows)))


if __name__ == '__main__':
    main()
