#!/usr/bin/python3
"""Identity, the real daemon: logging in by every method and for every scope, what ends a token (here at once, in another
service within two seconds), and every resource with its filters, its conflicts and those who may not."""
import base64
import concurrent.futures
import json
import os
import sys
import time
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402
import rest  # noqa: E402

STALENESS_S = 2.0
PASSWORD = 'correct horse'


def setUpModule():
    global CLOUD, ADMIN, ROLES, URL
    CLOUD = Cloud(services=['identity', 'compute'])
    ADMIN = CLOUD.admin()
    URL = CLOUD.urls['identity']
    ROLES = {r['name']: r['id'] for r in ADMIN.expect(200, 'GET', 'identity', '/v3/roles')['roles']}


def tearDownModule():
    CLOUD.close()


def unique(prefix='x'):
    return '%s-%s' % (prefix, uuid.uuid4().hex[:12])


def make(kind, **members):
    """A new object by the administrator: make('project', name=...)."""
    members.setdefault('name', unique(kind))
    plural = kind + 's'
    return ADMIN.expect(201, 'POST', 'identity', '/v3/' + plural, {kind: members})[kind]


def user(**members):
    return make('user', **dict({'password': PASSWORD}, **members))


def grant(role, target, user_id=None, group_id=None, kind='projects', inherited=False):
    actor = 'users/' + user_id if user_id else 'groups/' + group_id
    where = '%s/%s' % (kind, target) if target else kind
    return '/v3/%s%s/%s/roles/%s%s' % ('OS-INHERIT/' if inherited else '', where, actor, ROLES[role],
                                       '/inherited_to_projects' if inherited else '')


def give(*arguments, **more):
    ADMIN.expect(204, 'PUT', 'identity', grant(*arguments, **more))


def member(role='member', **members):
    """(user, project, session) of a new user with a role in a new project."""
    u, p = user(**members), make('project', **({'domain_id': members['domain_id']} if 'domain_id' in members else {}))
    give(role, p['id'], u['id'])
    return u, p, login(u, p)


def auth_body(user_id, password=PASSWORD, scope=None):
    auth = {'identity': {'methods': ['password'], 'password': {'user': {'id': user_id, 'password': password}}}}
    if scope is not None:
        auth['scope'] = scope
    return {'auth': auth}


def login(u, project=None, scope=None, password=PASSWORD):
    if project is not None:
        scope = {'project': {'id': project['id']}}
    return post_auth(auth_body(u['id'], password, scope))


def post_auth(body):
    status, headers, content = rest.request('POST', URL + '/v3/auth/tokens', body)
    if status != 201:
        raise rest.RequestFailed('%d: %s' % (status, content))
    return rest.Session(CLOUD.urls, headers['X-Subject-Token'], content['token'])


def by_token(token, scope=None):
    auth = {'identity': {'methods': ['token'], 'token': {'id': token}}}
    if scope is not None:
        auth['scope'] = scope
    return {'auth': auth}


def expect(self, status, method, path, body=None, headers=None, session=None):
    got, sent, content = (session or ADMIN).request(method, 'identity', path, body, headers)
    self.assertEqual(got, status, '%s %s: %s' % (method, path, content))
    return content


class Login(unittest.TestCase):
    def refused(self, body, status=401):
        got, headers, content = rest.request('POST', URL + '/v3/auth/tokens', body)
        self.assertEqual(got, status, content)
        self.assertNotIn('X-Subject-Token', headers)
        self.assertEqual(content['error']['code'], status)
        return headers, content

    def test_by_name_and_by_id(self):
        u = user()
        for who in ({'id': u['id']}, {'name': u['name'], 'domain': {'id': 'default'}}, {'name': u['name'], 'domain': {'name': 'Default'}}):
            body = {'auth': {'identity': {'methods': ['password'], 'password': {'user': dict(who, password=PASSWORD)}}}}
            token = post_auth(body).auth
            self.assertEqual(token['user'], {'id': u['id'], 'name': u['name'], 'domain': {'id': 'default', 'name': 'Default'},
                                             'password_expires_at': None})
            self.assertEqual(token['methods'], ['password'])
            self.assertEqual(len(token['audit_ids']), 1)
            for absent in ('project', 'domain', 'system', 'roles', 'catalog'):
                self.assertNotIn(absent, token)

    def test_project_scope(self):
        u, p, s = member()
        self.assertEqual(s.auth['project'], {'id': p['id'], 'name': p['name'], 'domain': {'id': 'default', 'name': 'Default'}})
        self.assertEqual({r['name'] for r in s.auth['roles']}, {'member', 'reader'})
        self.assertFalse(s.auth['is_domain'])
        self.assertIn('identity', {c['type'] for c in s.auth['catalog']})
        by_name = login(u, scope={'project': {'name': p['name'], 'domain': {'name': 'Default'}}})
        self.assertEqual(by_name.auth['project'], s.auth['project'])
        for c in s.auth['catalog']:
            self.assertEqual({e['interface'] for e in c['endpoints']}, {'public', 'internal', 'admin'})
            for e in c['endpoints']:
                self.assertNotIn('$(', e['url'])

    def test_domain_and_system_scope(self):
        d = make('domain')
        u = user(domain_id=d['id'])
        give('manager', d['id'], u['id'], kind='domains')
        give('reader', None, u['id'], kind='system')
        for scope in ({'domain': {'id': d['id']}}, {'domain': {'name': d['name']}}):
            self.assertEqual(login(u, scope=scope).auth['domain'], {'id': d['id'], 'name': d['name']})
        s = login(u, scope={'system': {'all': True}})
        self.assertEqual(s.auth['system'], {'all': True})
        self.assertEqual([r['name'] for r in s.auth['roles']], ['reader'])
        self.refused(auth_body(u['id'], scope={'system': {'all': False}}), 400)

    def test_default_project(self):
        u = user()
        p = make('project')
        ADMIN.expect(200, 'PATCH', 'identity', '/v3/users/' + u['id'], {'user': {'default_project_id': p['id']}})
        self.assertNotIn('project', login(u).auth)  # No role there: unscoped.
        give('member', p['id'], u['id'])
        self.assertEqual(login(u).auth['project']['id'], p['id'])
        self.assertNotIn('project', login(u, scope='unscoped').auth)
        self.assertNotIn('project', login(u, scope={'unscoped': {}}).auth)
        ADMIN.expect(200, 'PATCH', 'identity', '/v3/projects/' + p['id'], {'project': {'enabled': False}})
        self.assertNotIn('project', login(u).auth)

    def test_refusals_are_alike(self):
        u, disabled, closed = user(), user(enabled=False), make('domain', enabled=False)
        inside = user(domain_id=closed['id'])
        without = make('user')  # Has no password.
        named = {'auth': {'identity': {'methods': ['password'], 'password': {
            'user': {'name': unique(), 'domain': {'id': 'default'}, 'password': PASSWORD}}}}}
        other_domain = {'auth': {'identity': {'methods': ['password'], 'password': {
            'user': {'name': u['name'], 'domain': {'name': unique()}, 'password': PASSWORD}}}}}
        answers = [self.refused(b) for b in (
            auth_body(uuid.uuid4().hex), auth_body(u['id'], 'wrong'), auth_body(disabled['id']), auth_body(disabled['id'], 'wrong'),
            auth_body(inside['id']), auth_body(without['id']), auth_body(without['id'], ''), named, other_domain)]
        for headers, content in answers:
            self.assertEqual(content, answers[0][1])
            self.assertEqual(sorted(k.lower() for k in headers.keys()), sorted(k.lower() for k in answers[0][0].keys()))
            self.assertIn('Keystone uri=', headers['WWW-Authenticate'])
            self.assertNotIn(u['id'], json.dumps(content))

    def test_scopes_that_are_not_his(self):
        u, p = user(), make('project')
        off = make('project', enabled=False)
        give('member', off['id'], u['id'])
        scopes = [{'project': {'id': p['id']}}, {'project': {'id': uuid.uuid4().hex}}, {'project': {'id': off['id']}},
                  {'project': {'name': unique(), 'domain': {'id': 'default'}}}, {'domain': {'id': 'default'}},
                  {'domain': {'id': uuid.uuid4().hex}}, {'system': {'all': True}}]
        answers = [self.refused(auth_body(u['id'], scope=s))[1] for s in scopes]
        self.assertEqual([a for a in answers if a != answers[0]], [])

    def test_malformed(self):
        u = user()
        right = auth_body(u['id'])['auth']['identity']
        for body in (
                {}, {'auth': {}}, {'auth': {'identity': {}}}, {'auth': {'identity': {'methods': []}}},
                {'auth': {'identity': {'methods': 'password'}}}, {'auth': {'identity': {'methods': ['password']}}},
                {'auth': {'identity': {'methods': ['password'], 'password': {}}}},
                {'auth': {'identity': {'methods': ['password'], 'password': {'user': {'id': u['id']}}}}},
                {'auth': {'identity': {'methods': ['password'], 'password': {'user': {'password': PASSWORD}}}}},
                {'auth': {'identity': {'methods': ['password'], 'password': {'user': {'name': u['name'], 'password': PASSWORD}}}}},
                {'auth': {'identity': {'methods': ['password'], 'password': {'user': {'id': 7, 'password': PASSWORD}}}}},
                {'auth': {'identity': dict(right, methods=['password', 'password'])}},
                {'auth': {'identity': dict(right, methods=['password'] * 100)}},
                {'auth': {'identity': dict(right, methods=['token'])}},
                {'auth': {'identity': right, 'scope': {}}}, {'auth': {'identity': right, 'scope': 'everything'}},
                {'auth': {'identity': right, 'scope': []}}, {'auth': {'identity': right, 'scope': {'project': {}}}},
                {'auth': {'identity': right, 'scope': {'project': {'name': 'a'}}}}, {'auth': {'identity': right, 'scope': {'domain': {}}}},
                {'auth': {'identity': right, 'scope': {'project': {'id': 'a'}, 'domain': {'id': 'b'}}}},
                {'auth': {'identity': right, 'scope': {'project': {'id': {'$ne': ''}}}}}):
            with self.subTest(body=json.dumps(body)[:80]):
                self.refused(body, 400)

    def test_methods_that_are_not_known(self):
        u = user()
        body = auth_body(u['id'])
        body['auth']['identity']['methods'] = ['kerberos']
        self.refused(body)
        body['auth']['identity']['methods'] = ['password', 'kerberos']
        self.refused(body)

    def test_two_methods_of_two_users(self):
        a, b = user(), user()
        body = auth_body(a['id'])
        body['auth']['identity']['methods'].append('token')
        body['auth']['identity']['token'] = {'id': login(b).token}
        self.refused(body)
        body['auth']['identity']['token'] = {'id': login(a).token}
        self.assertEqual(post_auth(body).auth['methods'], ['password', 'token'])

    def test_passwords_that_cost(self):
        """A megabyte, a NUL, broken UTF-8: refused, quickly, and the next login works."""
        u = user()
        begin = time.monotonic()
        for password in ('x' * 4097, 'x' * (1 << 20)):
            try:
                status, _, content = rest.request('POST', URL + '/v3/auth/tokens', auth_body(u['id'], password))
                self.assertIn(status, (400, 401, 413), content)
            except (BrokenPipeError, ConnectionResetError):
                self.assertGreater(len(password), 1 << 19)  # Refused before all of it was sent.
        for raw in (b'pass\\u0000word', b'pass\xff\xfeword', b'\\ud800'):
            text = json.dumps(auth_body(u['id'], 'PASS')).encode().replace(b'PASS', raw)
            status, _, content = rest.request('POST', URL + '/v3/auth/tokens', text, {'Content-Type': 'application/json'})
            self.assertIn(status, (400, 401), content)
        self.assertLess(time.monotonic() - begin, 5)
        login(u)

    def test_long_passwords_count_to_the_end(self):
        """bcrypt reads 72 bytes; two passwords that differ later are two."""
        first = 'a' * 72 + 'b' * 100
        u = user(password=first)
        login(u, password=first)
        for wrong in ('a' * 72, 'a' * 72 + 'c' * 100, first[:-1]):
            self.refused(auth_body(u['id'], wrong))
        other = 'é😀' * 60
        u = user(password=other)
        login(u, password=other)

    def test_discovery(self):
        status, headers, content = rest.request('GET', URL + '/')
        self.assertEqual(status, 300)
        self.assertTrue(headers['Location'].endswith('/v3/'))
        self.assertEqual(content['versions']['values'][0]['status'], 'stable')
        for path in ('/v3', '/v3/'):
            self.assertEqual(rest.request('GET', URL + path)[2]['version']['id'], 'v3.14')
        status, headers, content = rest.request('GET', URL + '/v3', headers={'Accept': 'application/json-home'})
        self.assertEqual(headers['Content-Type'], 'application/json-home')
        self.assertIn('resources', content)


class Tokens(unittest.TestCase):
    def test_validate(self):
        u, p, s = member()
        for method in ('GET', 'HEAD'):
            status, headers, content = ADMIN.request(method, 'identity', '/v3/auth/tokens', headers={'X-Subject-Token': s.token})
            self.assertEqual(status, 200)
            self.assertEqual(headers['X-Subject-Token'], s.token)
            self.assertEqual(headers['Vary'], 'X-Auth-Token')
            if method == 'HEAD':
                self.assertEqual(content, b'')
            else:
                self.assertEqual(content['token'], s.auth)
        content = expect(self, 200, 'GET', '/v3/auth/tokens?nocatalog', headers={'X-Subject-Token': s.token})
        self.assertNotIn('catalog', content['token'])
        expect(self, 200, 'GET', '/v3/auth/tokens', headers={'X-Subject-Token': s.token}, session=s)

    def test_validate_refusals(self):
        u, p, s = member()
        other, _, t = member()
        expect(self, 404, 'GET', '/v3/auth/tokens', headers={'X-Subject-Token': 'nonsense'})
        expect(self, 404, 'GET', '/v3/auth/tokens')
        expect(self, 403, 'GET', '/v3/auth/tokens', headers={'X-Subject-Token': s.token}, session=t)
        expect(self, 403, 'DELETE', '/v3/auth/tokens', headers={'X-Subject-Token': s.token}, session=t)
        service = rest.authenticate(CLOUD.urls, 'compute', CLOUD.layout.secret('user-compute'), 'service')
        expect(self, 200, 'GET', '/v3/auth/tokens', headers={'X-Subject-Token': s.token}, session=service)

    def test_catalog(self):
        u, p, s = member()
        catalog = expect(self, 200, 'GET', '/v3/auth/catalog', session=s)
        self.assertEqual(catalog['catalog'], s.auth['catalog'])
        self.assertIn('self', catalog['links'])
        expect(self, 403, 'GET', '/v3/auth/catalog', session=login(u))
        volume = next(c for c in s.auth['catalog'] if c['type'] == 'volumev3')
        for e in volume['endpoints']:
            self.assertTrue(e['url'].endswith('/v3/' + p['id']), e)

    def test_what_one_may_scope_to(self):
        u, p, s = member()
        d = make('domain')
        give('reader', d['id'], u['id'], kind='domains')
        off = make('project', enabled=False)
        give('reader', off['id'], u['id'])
        self.assertEqual([x['id'] for x in expect(self, 200, 'GET', '/v3/auth/projects', session=s)['projects']], [p['id']])
        self.assertEqual([x['id'] for x in expect(self, 200, 'GET', '/v3/auth/domains', session=s)['domains']], [d['id']])
        self.assertEqual(expect(self, 200, 'GET', '/v3/auth/system', session=s)['system'], [])
        self.assertEqual(expect(self, 200, 'GET', '/v3/auth/system')['system'], [{'all': True}])
        for query, wanted in (('', {p['id'], off['id']}), ('?enabled=true', {p['id']}), ('?name=' + off['name'], {off['id']})):
            listed = expect(self, 200, 'GET', '/v3/users/%s/projects%s' % (u['id'], query), session=s)['projects']
            self.assertEqual({x['id'] for x in listed}, wanted)
        other = user()
        expect(self, 403, 'GET', '/v3/users/%s/projects' % other['id'], session=s)

    def test_rescoping(self):
        """Each token from the one before: never longer, one chain; revoking the first ends all."""
        u, p, s = member()
        q = make('project')
        give('reader', q['id'], u['id'])
        a = login(u)
        b = post_auth(by_token(a.token, {'project': {'id': p['id']}}))
        c = post_auth(by_token(b.token, {'project': {'id': q['id']}}))
        self.assertEqual(c.auth['project']['id'], q['id'])
        self.assertEqual([r['name'] for r in c.auth['roles']], ['reader'])
        self.assertEqual({x.auth['expires_at'] for x in (a, b, c)}, {a.auth['expires_at']})
        self.assertEqual(b.auth['methods'], ['password', 'token'])
        self.assertEqual({x.auth['audit_ids'][-1] for x in (a, b, c)}, set(a.auth['audit_ids']))
        self.assertEqual(len({x.auth['audit_ids'][0] for x in (a, b, c)}), 3)
        expect(self, 204, 'DELETE', '/v3/auth/tokens', headers={'X-Subject-Token': a.token})
        for x in (a, b, c):
            expect(self, 404, 'GET', '/v3/auth/tokens', headers={'X-Subject-Token': x.token})
        expect(self, 200, 'GET', '/v3/auth/projects', session=s)  # Another login of the same user lives on.

    def test_revoking_a_rescoped_token_leaves_the_first(self):
        """As a dashboard does when its user goes to another project."""
        u, p, s = member()
        a = login(u)
        b = post_auth(by_token(a.token, {'project': {'id': p['id']}}))
        expect(self, 204, 'DELETE', '/v3/auth/tokens', headers={'X-Subject-Token': b.token}, session=b)
        expect(self, 401, 'GET', '/v3/auth/projects', session=b)
        post_auth(by_token(a.token, {'project': {'id': p['id']}}))

    def test_altered(self):
        u, p, s = member()
        head, payload, signature = s.token.split('.')
        pad = lambda x: base64.urlsafe_b64decode(x + '=' * (-len(x) % 4))  # noqa: E731
        bare = lambda x: base64.urlsafe_b64encode(json.dumps(x).encode() if isinstance(x, dict) else x).rstrip(b'=').decode()  # noqa: E731
        claims, header = json.loads(pad(payload)), json.loads(pad(head))
        forged = ['.'.join((bare(dict(header, alg='none')), payload, '')), '.'.join((bare(dict(header, alg='none')), payload, signature)),
                  '.'.join((bare(dict(header, alg='HS256')), payload, signature)),
                  '.'.join((bare(dict(header, kid='../../etc/passwd')), payload, signature)),
                  '.'.join((bare(dict(header, kid="' OR 1=1 --")), payload, signature)),
                  '.'.join((head, bare(dict(claims, exp=claims.get('exp', 0) + 1)), signature)), s.token[:-1], s.token + 'A', s.token + '=',
                  s.token + ' x', head + '.' + payload, '..', '.', 'a' * 7000, s.token.replace('.', '..')]
        for token in forged:
            with self.subTest(token=token[:60]):
                expect(self, 401, 'GET', '/v3/auth/projects', session=rest.Session(CLOUD.urls, token))
                got, _, content = rest.request('POST', URL + '/v3/auth/tokens', by_token(token))
                self.assertIn(got, (400, 401), content)
        expect(self, 200, 'GET', '/v3/auth/projects', session=s)

    def test_headers_of_a_proxy_mean_nothing(self):
        u, p, s = member('reader')
        admin = {'X-User-Id': ADMIN.user_id, 'X-Roles': 'admin', 'X-Role': 'admin', 'X-Project-Id': ADMIN.project_id, 'X-Is-Admin-Project': 'True',
                 'X-Identity-Status': 'Confirmed', 'X-Service-Roles': 'service,admin', 'X-Service-Identity-Status': 'Confirmed',
                 'X-Tenant-Id': ADMIN.project_id, 'X-System-Scope': 'all'}
        expect(self, 403, 'GET', '/v3/users', headers=admin, session=s)
        expect(self, 401, 'GET', '/v3/users', headers=admin, session=rest.Session(CLOUD.urls))
        status, _, content = s.request('GET', 'compute', '/v2.1/os-hypervisors', headers=admin)
        self.assertEqual(status, 403, content)
        status, _, content = rest.request('GET', CLOUD.urls['compute'] + '/v2.1/flavors', headers=admin)
        self.assertEqual(status, 401, content)

    def test_a_service_token_alone_is_none(self):
        service = rest.authenticate(CLOUD.urls, 'compute', CLOUD.layout.secret('user-compute'), 'service')
        expect(self, 401, 'GET', '/v3/users', headers={'X-Service-Token': service.token}, session=rest.Session(CLOUD.urls))
        u, p, s = member('reader')
        expect(self, 403, 'GET', '/v3/users', headers={'X-Service-Token': service.token}, session=s)


class Revocation(unittest.TestCase):
    """Each cause: the token is refused by identity with the next request, by compute within the bound; a token made
    afterwards, where one may still be made, works in both."""

    def alive(self, *sessions):
        for s in sessions:
            expect(self, 200, 'GET', '/v3/auth/projects', session=s)
            status, _, content = s.request('GET', 'compute', '/v2.1/flavors')
            self.assertEqual(status, 200, content)

    def dead(self, *sessions):
        until = time.monotonic() + STALENESS_S
        for s in sessions:
            expect(self, 401, 'GET', '/v3/auth/projects', session=s)
            expect(self, 404, 'GET', '/v3/auth/tokens', headers={'X-Subject-Token': s.token})
        for s in sessions:
            while True:
                late = time.monotonic() > until
                status = s.request('GET', 'compute', '/v2.1/flavors')[0]
                if status == 401:
                    break
                if late:
                    self.fail('compute still answers %d after %.1f s' % (status, STALENESS_S))
                time.sleep(0.02)

    def test_logout(self):
        u, p, s = member()
        t = login(u, p)
        self.alive(s, t)
        expect(self, 204, 'DELETE', '/v3/auth/tokens', headers={'X-Subject-Token': s.token}, session=s)
        self.dead(s)
        self.alive(t)

    def test_password_changed_by_himself(self):
        u, p, s = member()
        self.alive(s)
        path = '/v3/users/%s/password' % u['id']
        for body, status in (({'user': {'original_password': 'wrong', 'password': 'new one'}}, 401),
                             ({'user': {'original_password': PASSWORD}}, 400), ({'user': {'password': 'new one'}}, 400), ({}, 400),
                             ({'user': {'original_password': PASSWORD, 'password': ''}}, 400)):
            expect(self, status, 'POST', path, body, session=s)
        self.alive(s)
        expect(self, 204, 'POST', path, {'user': {'original_password': PASSWORD, 'password': 'new one'}}, session=s)
        self.dead(s)
        self.alive(login(u, p, password='new one'))
        with self.assertRaises(rest.RequestFailed):
            login(u, p)

    def test_password_changed_by_the_administrator(self):
        u, p, s = member()
        self.alive(s)
        expect(self, 200, 'PATCH', '/v3/users/' + u['id'], {'user': {'password': 'new one'}})
        self.dead(s)
        self.alive(login(u, p, password='new one'))

    def test_other_changes_of_the_user_do_not(self):
        u, p, s = member()
        expect(self, 200, 'PATCH', '/v3/users/' + u['id'], {'user': {'email': 'a@example.org', 'description': 'd'}})
        self.alive(s)

    def test_user_disabled(self):
        u, p, s = member()
        self.alive(s)
        expect(self, 200, 'PATCH', '/v3/users/' + u['id'], {'user': {'enabled': False}})
        self.dead(s)
        expect(self, 200, 'PATCH', '/v3/users/' + u['id'], {'user': {'enabled': True}})
        self.dead(s)  # Enabling again brings no token back.
        self.alive(login(u, p))

    def test_user_deleted(self):
        u, p, s = member()
        self.alive(s)
        expect(self, 204, 'DELETE', '/v3/users/' + u['id'])
        self.dead(s)

    def test_role_removed(self):
        u, p, s = member()
        q = make('project')
        give('member', q['id'], u['id'])
        t = login(u, q)
        self.alive(s, t)
        expect(self, 204, 'DELETE', grant('member', p['id'], u['id']))
        self.dead(s)
        self.alive(t)

    def test_role_deleted(self):
        role = make('role')
        u, p, _ = member()
        expect(self, 204, 'PUT', '/v3/projects/%s/users/%s/roles/%s' % (p['id'], u['id'], role['id']))
        s = login(u, p)
        self.assertIn(role['name'], [r['name'] for r in s.auth['roles']])
        self.alive(s)
        expect(self, 204, 'DELETE', '/v3/roles/' + role['id'])
        self.dead(s)
        self.assertNotIn(role['name'], [r['name'] for r in login(u, p).auth['roles']])

    def test_implication_removed(self):
        role = make('role')
        path = '/v3/roles/%s/implies/%s' % (role['id'], ROLES['reader'])
        expect(self, 201, 'PUT', path)
        u, p = user(), make('project')
        expect(self, 204, 'PUT', '/v3/projects/%s/users/%s/roles/%s' % (p['id'], u['id'], role['id']))
        s = login(u, p)
        self.assertEqual({r['name'] for r in s.auth['roles']}, {role['name'], 'reader'})
        self.alive(s)
        expect(self, 204, 'DELETE', path)
        self.dead(s)
        self.assertEqual({r['name'] for r in login(u, p).auth['roles']}, {role['name']})

    def in_group(self):
        u, g, p = user(), make('group'), make('project')
        give('member', p['id'], group_id=g['id'])
        expect(self, 204, 'PUT', '/v3/groups/%s/users/%s' % (g['id'], u['id']))
        s = login(u, p)
        self.alive(s)
        return u, g, p, s

    def test_group_left(self):
        u, g, p, s = self.in_group()
        expect(self, 204, 'DELETE', '/v3/groups/%s/users/%s' % (g['id'], u['id']))
        self.dead(s)
        with self.assertRaises(rest.RequestFailed):
            login(u, p)

    def test_group_deleted(self):
        u, g, p, s = self.in_group()
        expect(self, 204, 'DELETE', '/v3/groups/' + g['id'])
        self.dead(s)

    def test_groups_role_removed(self):
        u, g, p, s = self.in_group()
        expect(self, 204, 'DELETE', grant('member', p['id'], group_id=g['id']))
        self.dead(s)

    def test_inherited_role_removed(self):
        d = make('domain')
        u, p = user(), make('project', domain_id=d['id'])
        give('member', d['id'], u['id'], kind='domains', inherited=True)
        s = login(u, p)
        self.alive(s)
        expect(self, 204, 'DELETE', grant('member', d['id'], u['id'], kind='domains', inherited=True))
        self.dead(s)

    def test_project_disabled(self):
        u, p, s = member()
        q = make('project')
        give('member', q['id'], u['id'])
        t = login(u, q)
        self.alive(s, t)
        expect(self, 200, 'PATCH', '/v3/projects/' + p['id'], {'project': {'enabled': False}})
        self.dead(s)
        self.alive(t)

    def test_project_deleted(self):
        u, p, s = member()
        self.alive(s)
        expect(self, 204, 'DELETE', '/v3/projects/' + p['id'])
        self.dead(s)

    def test_domain_disabled(self):
        """The tokens of its users, and those for its projects."""
        d = make('domain')
        u, p, s = member(domain_id=d['id'])
        guest = user()
        give('member', p['id'], guest['id'])
        t = login(guest, p)
        elsewhere = make('project')
        give('member', elsewhere['id'], u['id'])
        x = login(u, elsewhere)
        self.alive(s, t, x)
        expect(self, 200, 'PATCH', '/v3/domains/' + d['id'], {'domain': {'enabled': False}})
        self.dead(s, t, x)
        with self.assertRaises(rest.RequestFailed):
            login(u)
        self.assertEqual(expect(self, 200, 'GET', '/v3/auth/projects', session=login(guest))['projects'], [])

    def test_domain_deleted(self):
        d = make('domain')
        u, p, s = member(domain_id=d['id'])
        self.alive(s)
        expect(self, 403, 'DELETE', '/v3/domains/' + d['id'])
        expect(self, 200, 'PATCH', '/v3/domains/' + d['id'], {'domain': {'enabled': False}})
        expect(self, 204, 'DELETE', '/v3/domains/' + d['id'])
        self.dead(s)
        expect(self, 404, 'GET', '/v3/users/' + u['id'])
        expect(self, 404, 'GET', '/v3/projects/' + p['id'])


class Resources(unittest.TestCase):
    KINDS = {
        'domain': dict(patch={'description': 'other'}, disable=True),
        'project': dict(patch={'description': 'other', 'tags': ['a', 'b']}),
        'user': dict(patch={'email': 'x@example.org'}),
        'group': dict(patch={'description': 'other'}),
        'role': dict(patch={'description': 'other'}),
        'service': dict(make={'type': 'test-type'}, patch={'enabled': False}, twice=True),
        'region': dict(make={'description': 'd'}, patch={'description': 'other'}, nameless=True),
        'credential': dict(make={'type': 'cert', 'blob': 'b', 'user_id': None}, patch={'blob': 'other'}, nameless=True),
        'policy': dict(make={'type': 'application/json', 'blob': '{}'}, patch={'blob': 'other'}, nameless=True),
    }

    def plural(self, kind):
        return 'policies' if kind == 'policy' else kind + 's'

    def body(self, kind):
        what = self.KINDS[kind]
        made = dict(what.get('make', {}), **({} if what.get('nameless') else {'name': unique(kind)}))
        return dict(made, user_id=ADMIN.user_id) if 'user_id' in made else made

    def test_life(self):
        for kind, what in self.KINDS.items():
            with self.subTest(kind=kind):
                path = '/v3/' + self.plural(kind)
                body = self.body(kind)
                made = expect(self, 201, 'POST', path, {kind: body})[kind]
                for key, value in body.items():
                    self.assertEqual(made[key], value)
                self.assertTrue(made['links']['self'].endswith('%s/%s' % (path, made['id'])), made)
                self.assertEqual(expect(self, 200, 'GET', path + '/' + made['id'])[kind], made)
                self.assertEqual(ADMIN.request('HEAD', 'identity', path + '/' + made['id'])[0], 200)
                listed = expect(self, 200, 'GET', path)
                self.assertIn(made['id'], [x['id'] for x in listed[self.plural(kind)]])
                self.assertIsNone(listed['links']['next'])
                changed = expect(self, 200, 'PATCH', path + '/' + made['id'], {kind: what['patch']})[kind]
                self.assertEqual(changed, dict(made, **what['patch']))
                if not what.get('nameless') and not what.get('twice'):
                    expect(self, 409, 'POST', path, {kind: body})
                if what.get('disable'):
                    expect(self, 200, 'PATCH', path + '/' + made['id'], {kind: {'enabled': False}})
                expect(self, 204, 'DELETE', path + '/' + made['id'])
                for method in ('GET', 'DELETE'):
                    self.assertEqual(expect(self, 404, method, path + '/' + made['id'])['error']['title'], 'Not Found')
                expect(self, 404, 'PATCH', path + '/' + made['id'], {kind: what['patch']})

    def test_bad_bodies(self):
        for kind in self.KINDS:
            path = '/v3/' + self.plural(kind)
            good = self.body(kind)
            for body in ({}, {kind: None}, {kind: []}, {kind: 'text'}, {'other': good}, {kind: dict(good, name=7)}, {kind: dict(good, name={})},
                         {kind: dict(good, name='x' * 300)} if not self.KINDS[kind].get('nameless') else {}):
                if self.KINDS[kind].get('nameless') and isinstance(body.get(kind), dict):
                    continue
                with self.subTest(kind=kind, body=str(body)[:60]):
                    expect(self, 400, 'POST', path, body)
        for kind in ('domain', 'project', 'user', 'group', 'role'):
            for name in ('', None):
                with self.subTest(kind=kind, name=name):
                    expect(self, 400, 'POST', '/v3/%ss' % kind, {kind: {'name': name}})
            expect(self, 400, 'POST', '/v3/%ss' % kind, {kind: {}})

    def test_fields_of_their_own_making(self):
        """What only we may set is ignored, as upstream does; never stored."""
        made = make('project', id='mine', links={'self': 'x'})
        self.assertNotEqual(made['id'], 'mine')
        self.assertTrue(made['links']['self'].endswith(made['id']))
        u = user(password_hash='$2b$04$aaaa', password_changed_at='2020-01-01T00:00:00Z')
        for members in ({'password_hash': None}, {'password_hash': '$2b$04$aaaa'}, {'password_expires_at': '2000-01-01T00:00:00Z'}, {'id': u['id'], 'enabled': True}):
            expect(self, 200, 'PATCH', '/v3/users/' + u['id'], {'user': members})
        expect(self, 400, 'PATCH', '/v3/users/' + u['id'], {'user': {'id': uuid.uuid4().hex}})
        login(u)
        self.assertIsNone(expect(self, 200, 'GET', '/v3/users/' + u['id'])['user']['password_expires_at'])
        for kind, thing in (('project', made), ('user', u)):
            expect(self, 400, 'PATCH', '/v3/%ss/%s' % (kind, thing['id']), {kind: {'domain_id': 'other'}})

    def test_no_password_ever_comes_back(self):
        u = user()
        for path in ('/v3/users/' + u['id'], '/v3/users?name=' + u['name']):
            text = json.dumps(expect(self, 200, 'GET', path))
            self.assertNotIn('$2', text)
            self.assertNotIn(PASSWORD, text)
            self.assertNotIn('"password"', text)
        self.assertNotIn('password', u)

    def test_unicode(self):
        for name in ('Zürich ünï', '漢字かな', '😀 smile', 'a\tb', "O'Brien; DROP TABLE project; --", '%_\\', 'x' * 64, '\u202eabc', '<script>'):
            with self.subTest(name=name):
                p = make('project', name=name)
                self.assertEqual(p['name'], name)
                listed = ADMIN.expect(200, 'GET', 'identity', '/v3/projects?name=' + rest.urllib.parse.quote(name))['projects']
                self.assertEqual([x['id'] for x in listed], [p['id']])
                u = user()
                give('reader', p['id'], u['id'])
                self.assertEqual(login(u, p).auth['project']['name'], name)
                expect(self, 409, 'POST', '/v3/projects', {'project': {'name': name}})
        expect(self, 400, 'POST', '/v3/projects', {'project': {'name': '漢' * 65}})
        make('project', name='漢' * 64)

    def test_same_name_in_two_domains(self):
        d, name = make('domain'), unique()
        for kind in ('project', 'user', 'group', 'role'):
            make(kind, name=name)
            make(kind, name=name, domain_id=d['id'])
            expect(self, 409, 'POST', '/v3/%ss' % kind, {kind: {'name': name, 'domain_id': d['id']}})
        other = make('project')
        content = expect(self, 409, 'PATCH', '/v3/projects/' + other['id'], {'project': {'name': name}})
        self.assertIn(name, content['error']['message'])

    def test_filters(self):
        tag = uuid.uuid4().hex[:8]
        names = ['%s-Alpha' % tag, '%s-beta' % tag, '%s-al%%ha' % tag]
        ids = {n: make('project', name=n, enabled=n != names[1])['id'] for n in names}
        for query, wanted in (
                ('name=' + names[0], names[:1]), ('name__contains=%s-' % tag, names), ('name__icontains=%s-ALPHA' % tag, names[:1]),
                ('name__startswith=%s-A' % tag, names[:1]), ('name__istartswith=%s-A' % tag, [names[0], names[2]]),
                ('name__endswith=beta&name__contains=' + tag, names[1:2]), ('name__iendswith=BETA&name__contains=' + tag, names[1:2]),
                ('name__contains=%s-al%%25' % tag, names[2:]), ('name__contains=%s_' % tag, []), ('name__iexact=%s-ALPHA' % tag, names[:1]),
                ('enabled=false&name__contains=' + tag, names[1:2]), ('enabled=0&name__contains=' + tag, names[1:2]),
                ('enabled&name__contains=' + tag, [names[0], names[2]]), ('enabled=True&name__contains=' + tag, [names[0], names[2]]),
                ('domain_id=default&name__contains=' + tag, names), ('domain_id=other&name__contains=' + tag, []),
                ('parent_id=default&name__contains=' + tag, names), ('name=no&name__contains=' + tag, []),
                ('unheard=of&name__contains=' + tag, names), ('is_domain=false&name__contains=' + tag, names),
                ("name='; DROP TABLE project; --", []), ('is_domain=true&name__contains=' + tag, [])):
            with self.subTest(query=query):
                listed = expect(self, 200, 'GET', '/v3/projects?' + query.replace(' ', '%20').replace("'", '%27').replace(';', '%3B'))
                self.assertEqual({x['id'] for x in listed['projects']}, {ids[n] for n in wanted})
        u = user(name=names[0])
        self.assertEqual([x['id'] for x in expect(self, 200, 'GET', '/v3/users?name__contains=' + tag)['users']], [u['id']])

    def test_pages(self):
        tag = uuid.uuid4().hex[:8]
        ids = {make('group', name='%s-%d' % (tag, i))['id'] for i in range(7)}
        seen, path = [], '/v3/groups?limit=3&name__startswith=' + tag
        for size in (3, 3, 1):
            page = expect(self, 200, 'GET', path)
            seen += [x['id'] for x in page['groups']]
            self.assertEqual(len(page['groups']), size)
            if size == 1:
                self.assertIsNone(page['links']['next'])
                self.assertNotIn('truncated', page)
            else:
                self.assertTrue(page['truncated'])
                path = page['links']['next'].removeprefix(URL)
                self.assertIn('name__startswith', path)
        self.assertEqual(set(seen), ids)
        self.assertEqual(len(seen), 7)
        for bad in ('limit=-1', 'limit=many', 'limit=1e3', 'marker=' + uuid.uuid4().hex):
            expect(self, 400, 'GET', '/v3/groups?' + bad)
        self.assertEqual(expect(self, 200, 'GET', '/v3/groups?name=' + unique())['groups'], [])

    def test_tree_of_projects(self):
        d = make('domain')
        top = make('project', domain_id=d['id'])
        self.assertEqual((top['parent_id'], top['domain_id']), (d['id'], d['id']))
        low = make('project', parent_id=top['id'], domain_id=top['domain_id'])
        self.assertEqual((low['parent_id'], low['domain_id']), (top['id'], d['id']))
        expect(self, 403, 'DELETE', '/v3/projects/' + top['id'])
        expect(self, 200, 'PATCH', '/v3/projects/' + top['id'], {'project': top})  # All as it is.
        # An inherited role reaches all of the tree, and the list of what one may scope to says so.
        lowest = make('project', parent_id=low['id'], domain_id=d['id'])
        u = user()
        give('reader', top['id'], u['id'], inherited=True)
        self.assertEqual({x['id'] for x in expect(self, 200, 'GET', '/v3/auth/projects', session=login(u))['projects']}, {low['id'], lowest['id']})
        login(u, low)
        login(u, lowest)
        with self.assertRaises(rest.RequestFailed):
            login(u, top)
        content = expect(self, 200, 'GET', '/v3/role_assignments?effective&user.id=' + u['id'])
        self.assertEqual({x['scope']['project']['id'] for x in content['role_assignments']}, {low['id'], lowest['id']})

    def test_groups(self):
        g, u = make('group'), user()
        path = '/v3/groups/%s/users/%s' % (g['id'], u['id'])
        for method in ('GET', 'HEAD', 'DELETE'):
            self.assertEqual(ADMIN.request(method, 'identity', path)[0], 404)
        for _ in range(2):
            expect(self, 204, 'PUT', path)
        self.assertEqual(ADMIN.request('HEAD', 'identity', path)[0], 204)
        self.assertEqual([x['id'] for x in expect(self, 200, 'GET', '/v3/groups/%s/users' % g['id'])['users']], [u['id']])
        for session in (ADMIN, login(u)):
            self.assertEqual([x['id'] for x in expect(self, 200, 'GET', '/v3/users/%s/groups' % u['id'], session=session)['groups']], [g['id']])
        expect(self, 404, 'PUT', '/v3/groups/%s/users/%s' % (g['id'], uuid.uuid4().hex))
        expect(self, 404, 'PUT', '/v3/groups/%s/users/%s' % (uuid.uuid4().hex, u['id']))
        expect(self, 404, 'GET', '/v3/groups/%s/users' % uuid.uuid4().hex)

    def test_grants(self):
        u, g, p, d = user(), make('group'), make('project'), make('domain')
        for kind, target in (('projects', p['id']), ('domains', d['id']), ('system', None)):
            for actor in ({'user_id': u['id']}, {'group_id': g['id']}):
                with self.subTest(kind=kind, actor=actor):
                    path = grant('reader', target, kind=kind, **actor)
                    self.assertEqual(ADMIN.request('HEAD', 'identity', path)[0], 404)
                    expect(self, 404, 'DELETE', path)
                    for _ in range(2):
                        expect(self, 204, 'PUT', path)
                    self.assertEqual(ADMIN.request('HEAD', 'identity', path)[0], 204)
                    listed = expect(self, 200, 'GET', path.rsplit('/', 1)[0])
                    self.assertEqual([r['name'] for r in listed['roles']], ['reader'])
                    expect(self, 204, 'DELETE', path)
                    self.assertEqual(expect(self, 200, 'GET', path.rsplit('/', 1)[0])['roles'], [])
        nobody = uuid.uuid4().hex
        for path in (grant('reader', nobody, u['id']), grant('reader', p['id'], nobody), grant('reader', p['id'], group_id=nobody),
                     '/v3/projects/%s/users/%s/roles/%s' % (p['id'], u['id'], nobody)):
            expect(self, 404, 'PUT', path)

    def test_assignments(self):
        u, g, p = user(), make('group'), make('project')
        give('member', p['id'], group_id=g['id'])
        expect(self, 204, 'PUT', '/v3/groups/%s/users/%s' % (g['id'], u['id']))
        give('manager', p['id'], u['id'])
        all_of = lambda query: expect(self, 200, 'GET', '/v3/role_assignments?' + query)['role_assignments']  # noqa: E731
        self.assertEqual({x['role']['id'] for x in all_of('user.id=' + u['id'])}, {ROLES['manager']})
        self.assertEqual({x['role']['id'] for x in all_of('effective&user.id=' + u['id'])}, {ROLES[r] for r in ('manager', 'member', 'reader')})
        self.assertEqual(len(all_of('scope.project.id=' + p['id'])), 2)
        self.assertEqual([x['group']['id'] for x in all_of('group.id=' + g['id'])], [g['id']])
        named = all_of('include_names&user.id=' + u['id'])[0]
        self.assertEqual(named['user'], {'id': u['id'], 'name': u['name'], 'domain': {'id': 'default', 'name': 'Default'}})
        self.assertEqual(named['scope']['project']['name'], p['name'])
        self.assertEqual(named['role']['name'], 'manager')
        self.assertIn(ADMIN.user_id, {x['user']['id'] for x in all_of('scope.system=all')})
        self.assertEqual(all_of('user.id=' + uuid.uuid4().hex), [])
        expect(self, 400, 'GET', '/v3/role_assignments?effective&group.id=' + g['id'])

    def test_implied_roles(self):
        a, b, c = make('role'), make('role'), make('role')
        imply = lambda x, y: '/v3/roles/%s/implies/%s' % (x['id'], y['id'])  # noqa: E731
        expect(self, 404, 'GET', imply(a, b))
        expect(self, 201, 'PUT', imply(a, b))
        expect(self, 201, 'PUT', imply(b, c))
        self.assertEqual(ADMIN.request('HEAD', 'identity', imply(a, b))[0], 204)
        shown = expect(self, 200, 'GET', imply(a, b))['role_inference']
        self.assertEqual((shown['prior_role']['id'], shown['implies']['id']), (a['id'], b['id']))
        self.assertEqual([x['id'] for x in expect(self, 200, 'GET', '/v3/roles/%s/implies' % a['id'])['role_inference']['implies']], [b['id']])
        for x, y in ((c, a), (b, a), (a, a)):
            expect(self, 400, 'PUT', imply(x, y))
        self.assertIn(a['id'], {x['prior_role']['id'] for x in expect(self, 200, 'GET', '/v3/role_inferences')['role_inferences']})
        expect(self, 404, 'PUT', '/v3/roles/%s/implies/%s' % (a['id'], uuid.uuid4().hex))
        expect(self, 204, 'DELETE', imply(a, b))
        expect(self, 404, 'DELETE', imply(a, b))

    def test_one_winner(self):
        """64 at once ask for one name: one gets it, the others a conflict."""
        for kind in ('project', 'user'):
            name = unique()
            with concurrent.futures.ThreadPoolExecutor(64) as pool:
                answers = list(pool.map(lambda _: ADMIN.request('POST', 'identity', '/v3/%ss' % kind, {kind: {'name': name}})[0], range(64)))
            self.assertEqual(sorted(answers), [201] + [409] * 63)
            self.assertEqual(len(expect(self, 200, 'GET', '/v3/%ss?name=%s' % (kind, name))['%ss' % kind]), 1)


class Policies(unittest.TestCase):
    """Who may do what: an ordinary member, and a manager of one domain."""

    def test_a_member_administers_nothing(self):
        u, p, s = member()
        other, q, _ = member()
        role = ROLES['reader']
        for method, path, body in (
                ('GET', '/v3/users', None), ('GET', '/v3/projects', None), ('GET', '/v3/domains', None), ('GET', '/v3/groups', None),
                ('GET', '/v3/roles', None), ('GET', '/v3/services', None), ('GET', '/v3/endpoints', None), ('GET', '/v3/role_assignments', None),
                ('GET', '/v3/policies', None), ('GET', '/v3/users/' + other['id'], None), ('GET', '/v3/projects/' + q['id'], None),
                ('POST', '/v3/users', {'user': {'name': unique()}}), ('POST', '/v3/projects', {'project': {'name': unique()}}),
                ('POST', '/v3/domains', {'domain': {'name': unique()}}), ('POST', '/v3/roles', {'role': {'name': unique()}}),
                ('PATCH', '/v3/users/' + u['id'], {'user': {'enabled': False}}), ('PATCH', '/v3/projects/' + p['id'], {'project': {'name': 'n'}}),
                ('DELETE', '/v3/users/' + other['id'], None), ('DELETE', '/v3/projects/' + q['id'], None), ('DELETE', '/v3/roles/' + role, None),
                ('PUT', grant('admin', p['id'], u['id']), None), ('DELETE', grant('member', q['id'], other['id']), None),
                ('PUT', grant('admin', None, u['id'], kind='system'), None), ('GET', '/v3/OS-VIRGA/revocations', None),
                ('POST', '/v3/regions', {'region': {}}), ('GET', '/v3/role_inferences', None)):
            with self.subTest(method=method, path=path):
                expect(self, 403, method, path, body, session=s)
        expect(self, 200, 'GET', '/v3/users/' + u['id'], session=s)
        expect(self, 200, 'GET', '/v3/projects/' + p['id'], session=s)
        expect(self, 200, 'GET', '/v3/regions', session=s)

    def test_a_manager_of_one_domain(self):
        d, e = make('domain'), make('domain')
        m = user(domain_id=d['id'])
        give('manager', d['id'], m['id'], kind='domains')
        s = login(m, scope={'domain': {'id': d['id']}})
        mine = expect(self, 201, 'POST', '/v3/users', {'user': {'name': unique(), 'domain_id': d['id']}}, session=s)['user']
        implied = expect(self, 201, 'POST', '/v3/projects', {'project': {'name': unique(), 'domain_id': d['id']}}, session=s)['project']
        self.assertEqual(implied['domain_id'], d['id'])
        theirs, project = user(domain_id=e['id']), make('project', domain_id=e['id'])
        for kind, thing in (('user', theirs), ('project', project)):
            expect(self, 403, 'GET', '/v3/%ss/%s' % (kind, thing['id']), session=s)
            expect(self, 403, 'PATCH', '/v3/%ss/%s' % (kind, thing['id']), {kind: {'description': 'x'}}, session=s)
            expect(self, 403, 'DELETE', '/v3/%ss/%s' % (kind, thing['id']), session=s)
            expect(self, 403, 'POST', '/v3/%ss' % kind, {kind: {'name': unique(), 'domain_id': e['id']}}, session=s)
        for plural, own in (('users', mine['id']), ('projects', implied['id'])):
            listed = expect(self, 200, 'GET', '/v3/%s?domain_id=%s' % (plural, d['id']), session=s)[plural]
            self.assertIn(own, {x['id'] for x in listed})
            self.assertEqual({x['domain_id'] for x in listed}, {d['id']})
        # Another domain's are never listed, whatever he filters by.
        status, _, content = s.request('GET', 'identity', '/v3/users?domain_id=' + e['id'])
        self.assertTrue(status == 403 or content['users'] == [], content)
        expect(self, 204, 'DELETE', '/v3/users/' + mine['id'], session=s)
        expect(self, 403, 'POST', '/v3/domains', {'domain': {'name': unique()}}, session=s)

    def test_a_reader_of_the_system(self):
        u = user()
        give('reader', None, u['id'], kind='system')
        s = login(u, scope={'system': {'all': True}})
        for path in ('/v3/users', '/v3/projects', '/v3/domains', '/v3/services', '/v3/endpoints', '/v3/role_assignments', '/v3/roles'):
            expect(self, 200, 'GET', path, session=s)
        expect(self, 403, 'POST', '/v3/users', {'user': {'name': unique()}}, session=s)
        expect(self, 403, 'DELETE', '/v3/users/' + u['id'], session=s)

    def test_credentials_are_their_owners(self):
        u, p, s = member()
        v, _, t = member()
        body = {'type': 'ec2', 'blob': '{"access": "a", "secret": "b"}', 'user_id': u['id'], 'project_id': p['id']}
        mine = expect(self, 201, 'POST', '/v3/credentials', {'credential': body}, session=s)['credential']
        expect(self, 403, 'POST', '/v3/credentials', {'credential': dict(body, user_id=v['id'])}, session=s)
        for method, change in (('GET', None), ('PATCH', {'credential': {'blob': 'x'}}), ('DELETE', None)):
            status, _, content = t.request(method, 'identity', '/v3/credentials/' + mine['id'], change)
            self.assertIn(status, (403, 404), content)
        expect(self, 403, 'PATCH', '/v3/credentials/' + mine['id'], {'credential': {'user_id': v['id']}}, session=s)
        self.assertEqual([x['id'] for x in expect(self, 200, 'GET', '/v3/credentials', session=s)['credentials']], [mine['id']])
        for query in ('', '?user_id=' + u['id'], '?type=ec2'):
            self.assertEqual(expect(self, 200, 'GET', '/v3/credentials' + query, session=t)['credentials'], [])
        self.assertEqual(expect(self, 200, 'GET', '/v3/credentials/' + mine['id'], session=s)['credential']['blob'], body['blob'])
        expect(self, 204, 'DELETE', '/v3/credentials/' + mine['id'], session=s)

    def test_an_id_that_exists_tells_no_more_than_one_that_does_not(self):
        u, p, s = member()
        other, q, _ = member()
        there = s.request('GET', 'identity', '/v3/users/' + other['id'])
        absent = s.request('GET', 'identity', '/v3/users/' + uuid.uuid4().hex)
        self.assertIn(there[0], (403, 404))
        self.assertIn(absent[0], (403, 404))
        self.assertNotIn(other['name'], json.dumps(there[2]))


class Wire(unittest.TestCase):
    def test_unknown_paths_and_methods(self):
        self.assertEqual(expect(self, 404, 'GET', '/v3/nothing')['error']['code'], 404)
        status, headers, content = ADMIN.request('PUT', 'identity', '/v3/users')
        self.assertEqual(status, 405, content)
        self.assertEqual(set(headers['Allow'].split(', ')), {'GET', 'POST'})
        for path in ('/v3/users/%00', '/v3/users/..%2f..', '/v3/users/' + 'x' * 3000):
            status, _, content = ADMIN.request('GET', 'identity', path)
            self.assertIn(status, (400, 404, 414), content)

    def test_bodies(self):
        for body in (b'{', b'{"user": {}} trailing', b'\xff', b'{"user": 1e999}', b'[' * 50000, b'null', b'{"a": "\\ud800"}'):
            status, _, content = ADMIN.request('POST', 'identity', '/v3/users', body, {'Content-Type': 'application/json'})
            self.assertEqual(status, 400, content)

    def test_no_secret_in_the_log(self):
        secret = unique('secret')
        u = user(password=secret)
        s = login(u, password=secret)
        login(u, password=secret)
        with self.assertRaises(rest.RequestFailed):
            login(u, password=secret + 'x')
        with open(CLOUD.daemon('identity').process.log, encoding='utf-8', errors='replace') as log:
            text = log.read()
        self.assertNotIn(secret, text)
        self.assertNotIn(s.token, text)
        self.assertNotIn(s.token.split('.')[2], text)


if __name__ == '__main__':
    unittest.main()
