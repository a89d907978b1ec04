#!/usr/bin/python3
"""A service's API: api-specs/<service>/ -> gen/<service>_api.[ch] and gen/<service>_openapi.json

usage: openapi.py SPECDIR OUTDIR

The language is described in api-specs/README.md. The C is plain tables, made to be read in a debugger.
"""
import glob
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cwriter import BANNER, c_string, header_part, source_part, write_if_changed  # noqa: E402
from specmodel import Model, SpecError, die, read_yaml, snake, version  # noqa: E402

METHODS = ('get', 'head', 'post', 'put', 'patch', 'delete')
OPERATION_KEYS = {'policy', 'verb', 'resource', 'view', 'path_id', 'handler', 'input', 'key', 'siblings', 'success',
                  'fallback', 'since', 'until', 'public', 'any_token', 'inline', 'fast', 'stream', 'raw', 'exists', 'defer_policy', 'max_body',
                  'operationId', 'summary', 'rel', 'bulk'}
RESOURCE_KEYS = {'table', 'key', 'plural', 'path', 'scope', 'scope_column', 'scope_or', 'hooks', 'order', 'title', 'not_found',
                 'code', 'unique', 'in_use', 'quota', 'links'}
HOOKS = (('target', 'struct db *db, struct %s *row', 'db, row', 'struct db *db, void *row'),
         ('settle', 'struct db_tx *tx', 'tx', 'struct db_tx *tx'),
         ('prepare_create', 'struct db_tx *tx, struct %s *row', 'tx, row', 'struct db_tx *tx, void *row'),
         ('after_create', 'struct db_tx *tx, struct %s *row', 'tx, row', 'struct db_tx *tx, void *row'),
         ('prepare_update', 'struct db_tx *tx, const struct %s *old, struct %s *row', 'tx, old, row',
          'struct db_tx *tx, const void *old, void *row'),
         ('after_update', 'struct db_tx *tx, const struct %s *old, struct %s *row', 'tx, old, row',
          'struct db_tx *tx, const void *old, void *row'),
         ('check_delete', 'struct db_tx *tx, const struct %s *row', 'tx, row', 'struct db_tx *tx, const void *row'),
         ('after_delete', 'struct db_tx *tx, const struct %s *row', 'tx, row', 'struct db_tx *tx, const void *row'),
         ('load', 'struct db *db, struct %s *const *rows, size_t count', 'db, (struct %s *const *)rows, count',
          'struct db *db, void *const *rows, size_t count'))


class Operation:
    def __init__(self, where, method, path, action, node):
        self.where, self.method, self.path, self.action, self.x = where, method, path, action, node
        unknown = set(node) - OPERATION_KEYS
        if unknown:
            raise SpecError('%s: unknown x-virga key %s' % (where, ', '.join(sorted(unknown))))
        self.id = node.get('operationId')
        if not self.id:
            raise SpecError('%s: no operationId' % where)
        self.verb = node.get('verb')
        if bool(self.verb) == bool(node.get('handler')):
            raise SpecError('%s: give either a verb or a handler' % where)
        if self.verb and not node.get('resource'):
            raise SpecError('%s: a verb needs a resource' % where)
        if not any(node.get(k) for k in ('policy', 'public', 'any_token', 'defer_policy')):
            raise SpecError('%s: no policy' % where)
        if node.get('bulk') and self.verb != 'create':
            raise SpecError('%s: only the verb create can be bulk' % where)
        if node.get('inline') and (method != 'get' or '{' in path or not node.get('public') or self.verb):
            raise SpecError('%s: only a public GET of a fixed path, with a handler, can be inline' % where)
        if node.get('fast') and (method != 'get' or '{' in path or node.get('inline') or self.verb):
            raise SpecError('%s: only a GET of a fixed path, with a handler, can be fast' % where)


def load_operations(specdir, policies):
    """(operations, paths) of all files; the rules that stand beside them are added to policies."""
    out, paths = [], {}
    for file in sorted(glob.glob(specdir + '/paths/*.yaml')):
        for path, item in read_yaml(file).items():
            if path == 'x-virga-policies':
                for rule in set(item) & set(policies):
                    raise SpecError('%s: rule %s exists already' % (file, rule))
                policies.update(item)
                continue
            if path in paths:
                raise SpecError('%s: path %s exists already' % (file, path))
            paths[path] = item
            for method, op in item.items():
                if method == 'parameters':
                    continue
                if method not in METHODS:
                    raise SpecError('%s: %s: unknown method %s' % (file, path, method))
                where = '%s: %s %s' % (file, method.upper(), path)
                if 'x-virga-actions' in op:
                    for action, node in op['x-virga-actions'].items():
                        out.append(Operation(where + ' ' + action, method, path, action, node))
                if 'x-virga' in op:
                    node = dict(op['x-virga'])
                    node['operationId'] = op.get('operationId')
                    out.append(Operation(where, method, path, None, node))
                elif 'x-virga-actions' not in op:
                    raise SpecError('%s: no x-virga' % where)
    seen = {}
    for o in out:
        if o.id in seen and (o.method, o.path) != (seen[o.id].method, seen[o.id].path):
            raise SpecError('%s: operationId %s exists already at %s' % (o.where, o.id, seen[o.id].where))
        seen[o.id] = o
    return out, paths


def resource_c(s):
    r = s.resource
    unknown = set(r) - RESOURCE_KEYS
    if unknown:
        raise SpecError('%s: unknown resource key %s' % (s.where, ', '.join(sorted(unknown))))
    out, n = [], s.name
    if r.get('hooks'):
        for hook, _, args, params in HOOKS:
            args = args % n if '%s' in args else args
            out.append('static int\n%s_hook_%s(struct call *call, %s, struct fault *f)\n{\n'
                       '    return %s_hooks.%s == NULL ? 0 : %s_hooks.%s(call, %s, f);\n}\n' % (
                           n, hook, params, n, hook, n, hook, args))
        out.append('static void\n%s_hook_committed(struct call *call, const void *row)\n{\n'
                   '    if (%s_hooks.committed != NULL)\n        %s_hooks.committed(call, row);\n}\n' % (n, n, n))
        out.append('static const char *\n%s_hook_rule(struct call *call, const void *row)\n{\n'
                   '    return %s_hooks.rule == NULL ? NULL : %s_hooks.rule(call, row);\n}\n' % (n, n, n))
        out.append('static int\n%s_hook_plan_list(struct call *call, struct list_plan *plan, struct fault *f)\n{\n'
                   '    return %s_hooks.plan_list == NULL ? 0 : %s_hooks.plan_list(call, plan, f);\n}\n' % (n, n, n))
        out.append('static const struct resource_hooks %s_hook_table = {' % n)
        out += ['    .%s = %s_hook_%s,' % (h, n, h) for h in [x[0] for x in HOOKS] + ['committed', 'plan_list', 'rule']]
        out.append('};\n')
    for key in ('unique', 'in_use'):
        if r.get(key):
            out.append('static const struct resource_text %s_%s[] = { %s, { NULL, NULL } };' % (
                n, key, ', '.join('{ %s, %s }' % (c_string(k), c_string(v)) for k, v in r[key].items())))
    if r.get('links'):
        out.append('static const struct resource_text %s_links[] = { %s, { NULL, NULL } };' % (
            n, ', '.join('{ %s, %s }' % (c_string(k), c_string(v)) for k, v in r['links'].items())))
    if r.get('order'):
        for item in r['order']:
            if s.field_index(item.split()[0]) < 0 or not s.fields[s.field_index(item.split()[0])].column:
                raise SpecError('%s: order by unknown %s' % (s.where, item))
        columns = [' '.join([s.fields[s.field_index(x.split()[0])].column] + x.split()[1:]) for x in r['order']]
        out.append('static const char *const %s_order[] = { %s, NULL };' % (n, ', '.join(c_string(x) for x in columns)))
    if s.field_index('id') < 0:
        raise SpecError('%s: a resource needs an id' % s.where)
    if r.get('scope') == 'path' and not r.get('scope_column'):
        raise SpecError('%s: scope path needs a scope_column' % s.where)
    scope = {'project': 'PROJECT', 'domain': 'DOMAIN', 'user': 'USER', 'path': 'PATH', 'none': 'ANYONE'}[r.get('scope', 'none')]
    column = r.get('scope_column', '%s_id' % r['scope'] if r.get('scope', 'none') != 'none' else None)
    key = r.get('key', n)
    rows = [('schema', '&%s_schema' % n), ('table', c_string(r['table'])), ('key', c_string(key)),
            ('plural', c_string(r.get('plural', key + 's'))), ('path', c_string(r.get('path'))),
            ('title', c_string(r.get('title', n.replace('_', ' ').capitalize()))),
            ('not_found', c_string(r.get('not_found'))), ('not_found_code', c_string(r.get('code'))),
            ('scope', 'RESOURCE_' + scope), ('scope_column', c_string(column)), ('scope_or', c_string(r.get('scope_or'))),
            ('order', n + '_order' if r.get('order') else 'NULL'), ('id_field', s.field_index('id')),
            ('name_field', s.field_index('name')), ('created_field', s.field_index('created_at')),
            ('updated_field', s.field_index('updated_at')),
            ('unique', n + '_unique' if r.get('unique') else 'NULL'),
            ('in_use', n + '_in_use' if r.get('in_use') else 'NULL'),
            ('links', n + '_links' if r.get('links') else 'NULL'),
            ('hooks', '&%s_hook_table' % n if r.get('hooks') else 'NULL')]
    out.append('const struct resource %s_resource = {\n%s\n};\n' % (n, '\n'.join('    .%s = %s,' % x for x in rows)))
    return '\n'.join(out)


def hooks_h(s):
    n = s.name
    out = ['/* Defined by the service: what is special about %s. All members may be NULL; see api/resource.h. */' % n,
           'struct %s_hooks {' % n]
    for hook, params, _, _ in HOOKS:
        params = params.replace('%s', n)
        out.append('    int (*%s)(struct call *call, %s, struct fault *f);' % (hook, params))
    out.append('    void (*committed)(struct call *call, const struct %s *row);' % n)
    out.append('    int (*plan_list)(struct call *call, struct list_plan *plan, struct fault *f);')
    out.append('    const char *(*rule)(struct call *call, const struct %s *row);' % n)
    out.append('};\nextern const struct %s_hooks %s_hooks;\n' % (n, n))
    return '\n'.join(out)


def schema_of(model, key, where):
    if key not in model.schemas:
        raise SpecError('%s: unknown schema %s' % (where, key))
    return model.schemas[key].name


def handler_signature(model, o):
    args = ['struct call *call']
    if o.x.get('input'):
        args.append('const struct %s *in' % schema_of(model, o.x['input'], o.where))
    if o.x.get('siblings'):
        args.append('const struct %s *siblings' % schema_of(model, o.x['siblings'], o.where))
    return '(%s, struct fault *f)' % ', '.join(args)


def handlers_c(model, operations):
    declared, thunks = {}, []
    for o in operations:
        if not o.x.get('handler'):
            continue
        name, signature = o.x['handler'], handler_signature(model, o)
        if declared.setdefault(name, signature) != signature:
            raise SpecError('%s: handler %s has another signature elsewhere' % (o.where, name))
        if any(t[0] == name for t in thunks):
            continue
        args = ['call']
        if o.x.get('input'):
            args.append('in')
        if o.x.get('siblings'):
            args.append('siblings')
        unused = [x for x in ('in', 'siblings') if x not in args]
        thunks.append((name, 'static int\ncall_%s(struct call *call, const void *in, const void *siblings, struct fault *f)\n{\n%s'
                       '    return %s(%s, f);\n}\n' % (name, ''.join('    (void)%s;\n' % u for u in unused), name, ', '.join(args))))
    h = ['int %s%s;' % (n, s) for n, s in declared.items()]
    h += ['int %s(struct call *call, struct fault *f);' % n for n in sorted({o.x['exists'] for o in operations if o.x.get('exists')})]
    return h, [t[1] for t in thunks]


def operation_rows(model, o, policies, project_path):
    """One row, or two where the project in the path may be left out."""
    rows = [operation_row(model, o, policies, o.path, project_path)]
    if project_path and o.path.startswith(project_path + '/'):
        short = project_path.rsplit('/', 1)[0] + o.path[len(project_path):]
        rows.append(operation_row(model, o, policies, short, project_path))
    return rows


def operation_row(model, o, policies, path, project_path):
    x = o.x
    parts = ['.method = HTTP_%s' % o.method.upper(), '.path = %s' % c_string(path)]
    if o.action:
        parts.append('.action = %s' % c_string(o.action))
    parts.append('.id = %s' % c_string(o.id))
    if x.get('policy'):
        if x['policy'] not in policies:
            raise SpecError('%s: no such policy: %s' % (o.where, x['policy']))
        parts.append('.policy = %s' % c_string(x['policy']))
    success = x.get('success')
    if o.verb:
        verbs = {'list': 200, 'show': 200, 'create': 201, 'update': 200, 'delete': 204}
        if o.verb not in verbs:
            raise SpecError('%s: unknown verb %s' % (o.where, o.verb))
        success = success or verbs[o.verb]
        parts.append('.verb = VERB_%s' % o.verb.upper())
    if x.get('resource'):
        s = model.schemas.get(x['resource'])
        if s is None or not s.resource:
            raise SpecError('%s: %s is not a resource' % (o.where, x['resource']))
        parts.append('.resource = &%s_resource' % s.name)
    if x.get('fallback'):
        s = model.schemas.get(x['fallback'])
        if s is None or not s.resource or o.verb not in ('show', 'update', 'delete'):
            raise SpecError('%s: fallback needs a verb that takes an id, and another resource' % o.where)
        parts.append('.fallback = &%s_resource' % s.name)
    if x.get('view') == 'summary':
        parts.append('.view = VIEW_SUMMARY')
    elif x.get('view', 'detail') != 'detail':
        raise SpecError('%s: unknown view' % o.where)
    no_id = ('list',) if o.method == 'put' else ('list', 'create')
    params = re.findall(r'{([^}]+)}', path)
    path_id = x.get('path_id') or (params[-1] if params and o.verb not in no_id else None)
    if path_id:
        if path_id not in params:
            raise SpecError('%s: path_id is not in the path' % o.where)
        parts.append('.path_id = %s' % c_string(path_id))
    if x.get('input'):
        parts.append('.input = &%s_schema' % schema_of(model, x['input'], o.where))
    if x.get('key'):
        parts.append('.input_key = %s' % c_string(x['key']))
    if x.get('siblings'):
        parts.append('.siblings = &%s_schema' % schema_of(model, x['siblings'], o.where))
    if x.get('handler'):
        parts.append('.handler = call_%s' % x['handler'])
    if x.get('exists'):
        parts.append('.exists = %s' % x['exists'])
    parts.append('.success = %d' % (success or 200))
    for key in ('since', 'until'):
        if x.get(key):
            parts.append('.%s = %d' % (key, version(x[key])))
    if x.get('rel'):
        parts.append('.rel = %s' % c_string(x['rel']))
    flags = ['OP_' + k.upper() for k in ('public', 'any_token', 'inline', 'fast', 'stream', 'raw', 'defer_policy', 'bulk')
             if x.get(k)]
    if project_path and path.startswith(project_path + '/'):
        flags.append('OP_PROJECT_PATH')
    if flags:
        parts.append('.flags = ' + ' | '.join(flags))
    if x.get('max_body'):
        parts.append('.max_body = %d' % x['max_body'])
    return '    { %s },' % ', '.join(parts)


def bundle(head, paths, model):
    doc = dict(head)
    doc['paths'] = paths
    doc['components'] = {'schemas': {k: v[0] for k, v in model.raw.items()}}
    text = json.dumps(doc, sort_keys=False, separators=(',', ':'))
    return re.sub(r'"\$ref":"#/(?!components/)([^"]+)"', r'"$ref":"#/components/schemas/\1"', text)


def generate(specdir, outdir):
    head = read_yaml(specdir + '/openapi.yaml')
    x = head['x-virga']
    service = snake(x['service'])
    policies = dict(x.get('policies') or {})
    model = Model()
    for file in sorted(glob.glob(specdir + '/schemas/*.yaml')):
        for name, node in read_yaml(file).items():
            model.add_raw(name, node, file)
    model.resolve_all()
    operations, paths = load_operations(specdir, policies)
    head['x-virga'] = dict(x, policies=policies)
    # A microversion-ranged operation may stand twice: more specific rows first is the router's business.
    handlers_h, thunks = handlers_c(model, operations)
    resources = [s for s in model.schemas.values() if s.resource]
    banner = BANNER % os.path.join('api-specs', os.path.basename(os.path.abspath(specdir)))
    h = [banner, '#pragma once\n', '#include "api/call.h"', '#include "api/list_plan.h"', '#include "api/operation.h"\n',
         header_part(model)]
    for s in resources:
        h.append('extern const struct resource %s_resource;' % s.name)
        if s.resource.get('hooks'):
            h.append(hooks_h(s))
    h.append('/* Handlers that the operations name. */')
    h += handlers_h
    h.append('\nextern const struct api %s_api;\n' % service)
    c = [banner, '#include "%s_api.h"\n' % service, source_part(model)]
    c += [resource_c(s) for s in resources]
    c += thunks
    c.append('static const struct policy_default policies[] = {')
    c += ['    { %s, %s },' % (c_string(k), c_string(v)) for k, v in policies.items()]
    c.append('};\n\nstatic const struct operation operations[] = {')
    for o in operations:
        c += operation_rows(model, o, policies, x.get('project_path'))
    c.append('    { .method = HTTP_GET, .path = "/openapi.json", .id = "show_openapi", .handler = api_show_document, .success = 200, '
             '.flags = OP_PUBLIC | OP_INLINE },')
    c.append('};\n')
    text = bundle(head, paths, model)
    write_if_changed('%s/%s_openapi.json' % (outdir, service), text + '\n')
    chunks = '\n'.join('    ' + c_string(text[i:i + 100]) for i in range(0, len(text), 100))
    c.append('static const char *const catalog_types[] = { %s, NULL };' % ', '.join(
        c_string(t) for t in x.get('catalog_types', [x.get('type', service)])))
    c.append('static const char document[] =\n%s;\n' % chunks)
    mv = x.get('microversions') or {}
    rows = [('service', c_string(x['service'])), ('type', c_string(x.get('type')) if mv else 'NULL'),
            ('catalog_types', 'catalog_types'),
            ('legacy_version_header', c_string(x.get('legacy_version_header'))),
            ('dialect', 'DIALECT_' + x['dialect'].upper()), ('min_version', version(mv.get('min'))),
            ('max_version', version(mv.get('max'))), ('operations', 'operations'),
            ('operations_count', 'ARRAY_SIZE(operations)'), ('policies', 'policies'),
            ('policies_count', 'ARRAY_SIZE(policies)'), ('document', 'document')]
    if x.get('scope'):
        if x['scope'] != 'project':
            raise SpecError('%s: scope is project, or not there' % specdir)
        rows.append(('projects_only', 'true'))
    c.append('const struct api %s_api = {\n%s\n};\n' % (service, '\n'.join('    .%s = %s,' % r for r in rows)))
    write_if_changed('%s/%s_api.h' % (outdir, service), '\n'.join(h))
    write_if_changed('%s/%s_api.c' % (outdir, service), '\n'.join(c))


def main():
    if len(sys.argv) != 3:
        die('usage: openapi.py SPECDIR OUTDIR')
    try:
        generate(sys.argv[1], sys.argv[2])
    except (SpecError, KeyError) as e:
        die(e if isinstance(e, SpecError) else '%s: missing %s' % (sys.argv[1], e))


if __name__ == '__main__':
    main()
