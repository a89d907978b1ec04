#!/usr/bin/python3
"""RPC methods: api-specs/rpc/<name>.yaml -> gen/<name>_rpc.[ch] and gen/<name>_rpc_server.c

usage: rpc.py FILE OUTDIR

The language is described in api-specs/README.md.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cwriter import BANNER, c_string, header_part, source_part, write_if_changed  # noqa: E402
from specmodel import Model, SpecError, die, read_yaml, snake  # noqa: E402


def load(path):
    doc = read_yaml(path)
    model, methods = Model(), []
    for name, node in (doc.get('schemas') or {}).items():
        model.add_raw(name, node, path)
    for name, m in doc['methods'].items():
        for part in ('input', 'output'):
            node = m.get(part)
            if node is None:
                continue
            if '$ref' in node:
                m[part + '_schema'] = node['$ref'].rsplit('/', 1)[-1]
            else:
                model.add_raw('%s_%s' % (name, 'in' if part == 'input' else 'out'), node, path)
                m[part + '_schema'] = '%s_%s' % (name, 'in' if part == 'input' else 'out')
        methods.append((name, m))
    model.resolve_all()
    return doc['x-virga'], model, methods


def struct_of(model, m, part):
    key = m.get(part + '_schema')
    return model.schemas[key].name if key else None


def caller(x, model, name, m):
    i, o = struct_of(model, m, 'input'), struct_of(model, m, 'output')
    args = ['struct rpc *rpc']
    if x['queue'] == 'host':
        args.append('const char *host')
    args.append('const char *operation_id')
    if not m.get('cast'):
        args.append('struct arena *a')
    if i:
        args.append('const struct %s *in' % i)
    if o:
        args.append('struct %s *out' % o)
    args.append('struct fault *f')
    return 'int\n%s_%s(%s)' % (name, 'cast' if m.get('cast') else 'call', ', '.join(args))


def caller_body(x, model, name, m):
    i, o = struct_of(model, m, 'input'), struct_of(model, m, 'output')
    queue = x['name'].replace('_', '-')
    out = ['{']
    if m.get('cast'):
        out.append('    struct arena *a = arena_new();')
    out.append('    const char *queue = rpc_queue(a, %s, %s);' % (c_string(queue), 'host' if x['queue'] == 'host' else 'NULL'))
    out.append('    json_t *params = %s;' % ('schema_json(&%s_schema, in, a)' % i if i else 'json_own(a, json_object())'))
    if m.get('cast'):
        out.append('    int r = rpc_cast(rpc, queue, %s, operation_id, params, f);\n' % c_string(name))
        out.append('    arena_free(a);\n    return r;\n}')
        return '\n'.join(out)
    out.append('    json_t *answer = NULL;')
    out.append('    int r;\n')
    out.append('    r = rpc_call(rpc, queue, %s, operation_id, params, %d, a, &answer, f);' % (
        c_string(name), m.get('deadline_ms', 30000)))
    if o:
        out.append('    if (r < 0)\n        return r;')
        out.append('    return schema_parse(&%s_schema, answer, SCHEMA_TRUSTED, 0, "answer", a, out, f);' % o)
    else:
        out.append('    return r;')
    out.append('}')
    return '\n'.join(out)


def handler_decl(model, name, m):
    i, o = struct_of(model, m, 'input'), struct_of(model, m, 'output')
    args = ['struct rpc_request *request']
    if i:
        args.append('const struct %s *in' % i)
    if o:
        args.append('struct %s *out' % o)
    return 'int %s(%s, struct fault *f);' % (name, ', '.join(args))


def thunk(model, name, m):
    i, o = struct_of(model, m, 'input'), struct_of(model, m, 'output')
    out = ['static int\nserve_%s(struct rpc_request *request, json_t **ret, struct fault *f)\n{' % name]
    args = ['request']
    if i:
        out.append('    struct %s in = { 0 };' % i)
        args.append('&in')
    if o:
        out.append('    struct %s out = { 0 };' % o)
        args.append('&out')
    out.append('    int r;\n')
    if i:
        out.append('    r = schema_parse(&%s_schema, request->params, SCHEMA_TRUSTED, 0, "params", request->arena, '
                   '&in, f);\n    if (r < 0)\n        return r;' % i)
    out.append('    r = %s(%s, f);' % (name, ', '.join(args)))
    if o:
        out.append('    if (r < 0)\n        return r;\n    *ret = schema_json(&%s_schema, &out, request->arena);\n    return 0;' % o)
    else:
        out.append('    (void)ret;\n    return r;')
    out.append('}\n')
    return '\n'.join(out)


def main():
    if len(sys.argv) != 3:
        die('usage: rpc.py FILE OUTDIR')
    path, outdir = sys.argv[1:]
    try:
        x, model, methods = load(path)
    except (SpecError, KeyError) as e:
        die('%s: %s' % (path, e))
    name = snake(x['name'])
    banner = BANNER % ('api-specs/rpc/' + os.path.basename(path))
    h = [banner, '#pragma once\n', '#include "api/schema.h"', '#include "rpc/rpc.h"\n', header_part(model)]
    h.append('/* Callers. */')
    for n, m in methods:
        h.append('/* %s */' % m.get('summary', n).replace('*/', '* /'))
        h.append(caller(x, model, n, m).replace('int\n', 'int ') + ';')
    h.append('\n/* The receiver defines these; the table is in %s_rpc_server.c. */' % name)
    for n, m in methods:
        h.append(handler_decl(model, n, m))
    h.append('extern const struct rpc_method %s_methods[];\nextern const size_t %s_methods_count;\n' % (name, name))
    c = [banner, '#include "%s_rpc.h"\n' % name, '#include "base/json.h"\n', source_part(model)]
    for n, m in methods:
        c += [caller(x, model, n, m), caller_body(x, model, n, m), '']
    s = [banner, '#include "%s_rpc.h"\n' % name]
    for n, m in methods:
        s.append(thunk(model, n, m))
    s.append('const struct rpc_method %s_methods[] = {' % name)
    for n, m in methods:
        s.append('    { .name = %s, .cast = %s, .deadline_ms = %d, .handle = serve_%s },' % (
            c_string(n), 'true' if m.get('cast') else 'false', m.get('deadline_ms', 30000), n))
    s.append('};\nconst size_t %s_methods_count = ARRAY_SIZE(%s_methods);\n' % (name, name))
    write_if_changed('%s/%s_rpc.h' % (outdir, name), '\n'.join(h))
    write_if_changed('%s/%s_rpc.c' % (outdir, name), '\n'.join(c))
    write_if_changed('%s/%s_rpc_server.c' % (outdir, name), '\n'.join(s))


if __name__ == '__main__':
    main()
