#!/usr/bin/python3
"""Every operation of every service's specification, from the document alone: without a token, with a forged one, with a
member's token of another project, and with bodies of which each member is wrong in turn.

The table of exceptions may only shrink."""
import json
import os
import sys
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402
import rest  # noqa: E402

GEN = os.path.join(os.environ.get('VIRGA_OUT', os.path.join(os.path.dirname(__file__), '..', '..', 'build')), 'gen')
SERVICES = [s for s in ('identity', 'image', 'placement', 'compute', 'network', 'volume')
            if os.path.exists(os.path.join(GEN, s + '_openapi.json'))]
METHODS = ('get', 'post', 'put', 'patch', 'delete')
# Operations that answer otherwise than the rule, and why.
NO_TOKEN = set()
# Bodies in which a member of a wrong type is accepted on purpose.
FREE_MEMBERS = {'scope'}


def document(service):
    with open(os.path.join(GEN, service + '_openapi.json'), encoding='utf-8') as file:
        return json.load(file)


def operations(service):
    """(operationId, method, path, action or None, x-virga) of each."""
    for path, item in document(service)['paths'].items():
        for method, op in item.items():
            if method not in METHODS:
                continue
            if 'x-virga' in op:
                yield op.get('operationId'), method.upper(), path, None, op['x-virga']
            for action, x in op.get('x-virga-actions', {}).items():
                yield x['operationId'], method.upper(), path, action, x


def fill(path, project_id):
    out = []
    for part in path.split('/'):
        if part == '{project_id}' and path.startswith('/v3/{project_id}'):
            out.append(project_id)
        elif part.startswith('{'):
            out.append(str(uuid.uuid4()))
        else:
            out.append(part)
    return '/'.join(out)


def wrong_values(schema):
    """Values that a property of this schema must refuse."""
    types = schema.get('type')
    types = [types] if isinstance(types, str) else list(types or [])
    if len(types) == 0 or schema.get('readOnly') or 'anyOf' in schema or 'oneOf' in schema:
        return []
    if (schema.get('x-virga') or {}).get('coerce'):
        return [{'an': 'object'}]
    out = []
    if 'object' not in types:
        out.append({'an': 'object'})
    if 'array' not in types:
        out.append(['a list'])
    if 'string' not in types and 'boolean' not in types:
        out.append('a text')
    if 'null' not in types:
        out.append(None)
    if 'maxLength' in schema and 'string' in types:
        out.append('x' * (schema['maxLength'] + 1))
    if 'enum' in schema:
        out.append('no such value')
    if schema.get('format') in ('uuid', 'mac', 'ipv4', 'cidr'):
        out.append('not one')
    if 'minimum' in schema:
        out.append(schema['minimum'] - 1)
    return out


class Operations(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cloud = Cloud(services=SERVICES)
        cls.admin = cls.cloud.admin()
        cls.other = cls.member('other')

    @classmethod
    def tearDownClass(cls):
        cls.cloud.close()

    @classmethod
    def member(cls, name):
        a = cls.admin
        project = a.expect(201, 'POST', 'identity', '/v3/projects', {'project': {'name': name}})['project']['id']
        user = a.expect(201, 'POST', 'identity', '/v3/users', {'user': {'name': name, 'password': 'pw-' + name}})['user']['id']
        roles = {r['name']: r['id'] for r in a.expect(200, 'GET', 'identity', '/v3/roles')['roles']}
        a.expect(204, 'PUT', 'identity', '/v3/projects/%s/users/%s/roles/%s' % (project, user, roles['member']))
        return cls.cloud.session(name, 'pw-' + name, name)

    def each(self):
        for service in SERVICES:
            for op in operations(service):
                yield (service,) + op

    def test_without_a_token(self):
        for service, name, method, path, action, x in self.each():
            if x.get('public') or name in NO_TOKEN:
                continue
            with self.subTest(service=service, operation=name):
                body = {action: None} if action else {} if method in ('POST', 'PUT', 'PATCH') else None
                status, headers, content = rest.request(method, self.cloud.urls[service] + fill(path, 'x'), body, self.versions(service, x))
                self.assertEqual(status, 401, content)
                self.assertIn('Keystone uri=', headers.get('WWW-Authenticate', ''))

    def test_with_a_forged_token(self):
        forged = self.other.token[:-4] + ('AAAA' if not self.other.token.endswith('AAAA') else 'BBBB')
        for service, name, method, path, action, x in self.each():
            if x.get('public'):
                continue
            with self.subTest(service=service, operation=name):
                status, _, content = rest.request(method, self.cloud.urls[service] + fill(path, 'x'), None,
                                                  dict(self.versions(service, x), **{'X-Auth-Token': forged}))
                self.assertEqual(status, 401, content)

    def test_of_another_project(self):
        """Whatever a member asks of an id that is not his is 404 or 403, a wrong request at the most; never done, never a 5xx."""
        for service, name, method, path, action, x in self.each():
            if '{' not in path.replace('{project_id}', '') or x.get('public'):
                continue
            with self.subTest(service=service, operation=name):
                body = {action: {}} if action else {} if method in ('POST', 'PUT', 'PATCH') else None
                url = fill(path, self.other.project_id)
                status, _, content = self.other.request(method, service, url, body, self.versions(service, x))
                self.assertLess(status, 500, content)
                if method != 'GET' and not name.endswith('_quota'):
                    self.assertIn(status, (400, 403, 404, 405, 409, 410, 415), content)

    def versions(self, service, x):
        """The header with the last microversion that has the operation."""
        kind = {'compute': 'compute', 'volume': 'volume', 'placement': 'placement'}.get(service)
        return {'OpenStack-API-Version': '%s %s' % (kind, x.get('until', 'latest'))} if kind else {}

    def test_each_member_wrong(self):
        """POST of something new, by the administrator: one member wrong, the others as they are not: 400, never a 5xx."""
        for service in SERVICES:
            schemas = document(service)['components']['schemas']
            for name, method, path, action, x in operations(service):
                schema = schemas.get(x.get('input') or (x.get('resource') if x.get('verb') in ('create', 'update') else None))
                if schema is None or action or '{' in path.replace('{project_id}', ''):
                    continue
                key = x.get('key') or (schema.get('x-virga-resource') or {}).get('key') or x.get('resource', '').lower()
                with self.subTest(service=service, operation=name):
                    self.try_members(service, method, fill(path, self.admin.project_id), key, schema, x)

    def try_members(self, service, method, path, key, schema, x):
        envelope = x.get('key') or (x.get('verb') and service not in ('image', 'placement'))
        for member, s in (schema.get('properties') or {}).items():
            if (s.get('x-virga') or {}).get('spread'):
                continue  # The name of what holds all unknown members is not one itself.
            wire = (s.get('x-virga') or {}).get('name', member)
            if (s.get('x-virga') or {}).get('spread') == 'any':
                continue  # No member of that name: what is unknown goes there.
            for value in wrong_values(s) if member not in FREE_MEMBERS else []:
                body = {wire: value}
                body = {key: body} if envelope else body
                status, _, content = self.admin.request(method, service, path, body, self.versions(service, x))
                self.assertIn(status, (400, 401, 403, 404, 409, 415), '%s=%r: %s' % (wire, value, content))

    def test_bodies_that_are_none(self):
        for service, name, method, path, action, x in self.each():
            if method not in ('POST', 'PUT', 'PATCH') or x.get('stream') or x.get('raw'):
                continue
            for body in (b'[]', b'"text"', b'{', b'{"a": 1} x', b'\xff\xfe', b'{"a": "\\ud800"}', b'{"a": 1, "a": 2}', b'[' * 100000):
                with self.subTest(service=service, operation=name, body=body[:12]):
                    status, _, content = self.admin.request(method, service, fill(path, self.admin.project_id), body,
                                                            dict(self.versions(service, x), **{'Content-Type': 'application/json'}))
                    self.assertLess(status, 500, content)
                    if not x.get('handler') or x.get('input'):
                        self.assertGreaterEqual(status, 400)


if __name__ == '__main__':
    unittest.main()
