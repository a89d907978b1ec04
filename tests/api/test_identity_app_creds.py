#!/usr/bin/python3
"""Application credentials and access rules: made, shown, used and deleted; what they may not do; and that they never carry more than
their owner has when they are used. Access rules are tried at identity and at another service."""
import os
import sys
import time
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402
import rest  # noqa: E402

PASSWORD = 'correct horse'
STALENESS_S = 2.0


def setUpModule():
    global CLOUD, ADMIN, ROLES, URL
    CLOUD = Cloud(services=['identity', 'image'])
    ADMIN = CLOUD.admin()
    URL = CLOUD.urls['identity']
    until = time.monotonic() + 10
    while ADMIN.request('GET', 'image', '/v2/images')[0] == 503 and time.monotonic() < until:
        time.sleep(0.1)  # It has only just started: until it verifies tokens.
    ROLES = {r['name']: r['id'] for r in ADMIN.expect(200, 'GET', 'identity', '/v3/roles')['roles']}


def tearDownModule():
    CLOUD.close()


def make(kind, **members):
    members.setdefault('name', kind + '-' + uuid.uuid4().hex[:12])
    return ADMIN.expect(201, 'POST', 'identity', '/v3/%ss' % kind, {kind: members})[kind]


def grant(user, project, role, method='PUT', status=204):
    ADMIN.expect(status, method, 'identity', '/v3/projects/%s/users/%s/roles/%s' % (project['id'], user['id'], ROLES[role]))


def auth(identity, scope=None):
    """(status, session or the error) of a login."""
    body = {'auth': {'identity': identity}}
    if scope is not None:
        body['auth']['scope'] = scope
    status, headers, content = rest.request('POST', URL + '/v3/auth/tokens', body)
    return (status, rest.Session(CLOUD.urls, headers['X-Subject-Token'], content['token'])) if status == 201 else (status, content)


def by_password(user, project):
    status, session = auth({'methods': ['password'], 'password': {'user': {'id': user['id'], 'password': PASSWORD}}},
                           {'project': {'id': project['id']}})
    assert status == 201, session
    return session


def by_app_cred(scope=None, **members):
    return auth({'methods': ['application_credential'], 'application_credential': members}, scope)


def message(content):
    return content['error']['message']


class Case(unittest.TestCase):
    def setUp(self):
        self.user, self.project = make('user', password=PASSWORD), make('project')
        grant(self.user, self.project, 'member')
        self.session = by_password(self.user, self.project)
        self.path = '/v3/users/%s/application_credentials' % self.user['id']
        self.rules_path = '/v3/users/%s/access_rules' % self.user['id']

    def call(self, status, method, path, body=None, session=None, headers=None, service='identity'):
        got, _, content = (session or self.session).request(method, service, path, body, headers)
        self.assertEqual(got, status, '%s %s: %s' % (method, path, content))
        return content

    def create(self, status=201, session=None, **members):
        members.setdefault('name', 'ac-' + uuid.uuid4().hex[:8])
        content = self.call(status, 'POST', self.path, {'application_credential': members}, session)
        return content['application_credential'] if status == 201 else content

    def log_in(self, credential, status=201, **members):
        got, session = by_app_cred(id=credential['id'], secret=credential['secret'], **members)
        self.assertEqual(got, status, session)
        return session


class Crud(Case):
    def test_create_and_show(self):
        made = self.create(name='mon-\u00fcber', description='d')
        secret = made.pop('secret')
        self.assertGreaterEqual(len(secret), 64)
        self.assertEqual({k: v for k, v in made.items() if k not in ('id', 'links', 'roles')},
                         {'name': 'mon-\u00fcber', 'description': 'd', 'user_id': self.user['id'], 'project_id': self.project['id'],
                          'expires_at': None, 'unrestricted': False, 'system': None})
        self.assertEqual({r['name'] for r in made['roles']}, {'member', 'reader'})
        self.assertEqual(set(made['roles'][0]), {'id', 'name', 'domain_id', 'description', 'options'})
        self.assertTrue(made['links']['self'].endswith(self.path + '/' + made['id']))
        shown = self.call(200, 'GET', self.path + '/' + made['id'])['application_credential']
        self.assertEqual(shown, made)  # The secret is not there.
        listed = self.call(200, 'GET', self.path)
        self.assertEqual(listed['application_credentials'], [made])
        self.assertEqual(set(listed['links']), {'self', 'previous', 'next'})
        self.assertNotIn(secret, CLOUD.sql('identity', 'SELECT * FROM application_credential'))
        self.call(204, 'DELETE', self.path + '/' + made['id'])
        self.assertEqual(message(self.call(404, 'GET', self.path + '/' + made['id'])),
                         'Could not find Application Credential: %s.' % made['id'])
        self.assertEqual(self.call(200, 'GET', self.path)['application_credentials'], [])

    def test_names(self):
        self.create(name='one')
        two = self.create(name='two')
        self.create(409, name='one')
        listed = self.call(200, 'GET', self.path + '?name=two')['application_credentials']
        self.assertEqual([c['id'] for c in listed], [two['id']])

    def test_own_secret(self):
        made = self.create(secret='tr0ub4dor')
        self.assertEqual(made['secret'], 'tr0ub4dor')
        self.log_in(made)
        stored = CLOUD.sql('identity', "SELECT secret_hash FROM application_credential WHERE id = '%s'" % made['id'])
        self.assertTrue(stored.startswith('$2b$'), stored)
        long = self.create(secret='x' * 1000 + 'y')
        self.log_in(long)
        self.assertEqual(by_app_cred(id=long['id'], secret='x' * 1000 + 'z')[0], 401)

    def test_bad_input(self):
        for members in ({'name': ''}, {'name': None}, {'name': 'x' * 256}, {'name': 3}, {'secret': 3}, {'secret': 'x' * 4097},
                        {'expires_at': 'soon'}, {'expires_at': 3}, {'expires_at': '2020-01-01T00:00:00Z'}, {'unrestricted': 'so'},
                        {'roles': 'member'}, {'roles': [{}]}, {'roles': ['member']}, {'roles': [{'id': 'a', 'name': 'b'}]},
                        {'roles': [{'id': 'a', 'more': 1}]}, {'roles': [{'id': uuid.uuid4().hex}]}, {'roles': [{'name': 'admin'}]},
                        {'roles': None}, {'access_rules': {}}, {'access_rules': [{}]}, {'access_rules': [{'path': '/x', 'method': 'GET'}]},
                        {'access_rules': [{'path': 'x', 'method': 'GET', 'service': 'image'}]},
                        {'access_rules': [{'path': '/x', 'method': 'get', 'service': 'image'}]},
                        {'access_rules': [{'path': '/x', 'method': 'GET', 'service': 'i m'}]},
                        {'access_rules': [{'path': '/' + 'x' * 225, 'method': 'GET', 'service': 'image'}]},
                        {'access_rules': [{'id': uuid.uuid4().hex}]},
                        {'access_rules': [{'path': '/%d/%s' % (i, 'x' * 200), 'method': 'GET', 'service': 'image'} for i in range(20)]}):
            self.create(400, **members)
        self.create(404, roles=[{'name': 'no such role'}])
        self.assertEqual(self.call(200, 'GET', self.path)['application_credentials'], [])
        self.assertEqual(self.call(200, 'GET', self.rules_path)['access_rules'], [])  # Nothing half-done.

    def test_expiry(self):
        soon = time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(time.time() + 3)) + '.123456'
        made = self.create(expires_at=soon)
        self.assertEqual(made['expires_at'], soon)
        session = self.log_in(made)
        self.assertEqual(session.auth['expires_at'], soon + 'Z')  # Its token does not outlive it.
        time.sleep(4)
        self.log_in(made, 401)
        self.call(401, 'GET', '/v3/auth/projects', session=session)

    def test_whose(self):
        """Others' are neither listed, shown nor deleted, whatever user the path names."""
        made = self.create()
        other = make('user', password=PASSWORD)
        grant(other, self.project, 'member')
        session = by_password(other, self.project)
        own = '/v3/users/%s/application_credentials' % other['id']
        for path in (self.path, own):
            self.call(403, 'GET', path + '/' + made['id'], session=session)
            self.call(403, 'DELETE', path + '/' + made['id'], session=session)
        self.call(403, 'GET', self.path, session=session)
        self.assertEqual(self.call(200, 'GET', own, session=session)['application_credentials'], [])
        self.call(403, 'POST', self.path, {'application_credential': {'name': 'x'}}, session)
        self.call(403, 'POST', self.path, {'application_credential': {'name': 'x'}}, ADMIN)
        self.call(200, 'GET', self.path + '/' + made['id'], session=ADMIN)
        self.call(404, 'GET', own + '/' + uuid.uuid4().hex, session=session)
        self.call(204, 'DELETE', self.path + '/' + made['id'], session=ADMIN)

    def test_roles(self):
        by_id = self.create(roles=[{'id': ROLES['reader']}])
        by_name = self.create(roles=[{'name': 'reader'}])
        for made in (by_id, by_name):
            self.assertEqual([r['name'] for r in made['roles']], ['reader'])
            self.assertEqual([r['name'] for r in self.log_in(made).auth['roles']], ['reader'])
        all_of_them = self.create(roles=[{'name': 'member'}])
        self.assertEqual({r['name'] for r in self.log_in(all_of_them).auth['roles']}, {'member', 'reader'})

    def test_role_given_since(self):
        """A role that the user was given after he logged in counts; one that he has lost does not."""
        grant(self.user, self.project, 'service')
        made = self.create(roles=[{'name': 'service'}])
        self.assertEqual([r['name'] for r in self.log_in(made).auth['roles']], ['service'])

    def test_scope(self):
        """It is made in a project, by a token for it."""
        status, unscoped = auth({'methods': ['password'], 'password': {'user': {'id': self.user['id'], 'password': PASSWORD}}})
        self.assertEqual(status, 201)
        self.create(403, session=unscoped)


class Login(Case):
    def test_ways(self):
        made = self.create(name='ci')
        body = self.log_in(made).auth
        self.assertEqual(body['methods'], ['application_credential'])
        self.assertEqual(body['application_credential'], {'id': made['id'], 'name': 'ci', 'restricted': True})
        self.assertEqual(body['project']['id'], self.project['id'])
        self.assertEqual(body['user']['id'], self.user['id'])
        self.assertFalse(body['is_domain'])
        for who in ({'id': self.user['id']}, {'name': self.user['name'], 'domain': {'name': 'Default'}}):
            status, session = by_app_cred(name='ci', user=who, secret=made['secret'])
            self.assertEqual(status, 201, session)
            self.assertEqual(session.auth['application_credential']['id'], made['id'])
        shown = self.call(200, 'GET', '/v3/auth/tokens', session=ADMIN, headers={'X-Subject-Token': session.token})['token']
        self.assertEqual(shown, session.auth)

    def test_refusals(self):
        made = self.create(name='ci')
        other = make('user', password=PASSWORD)
        answers = []
        for members in ({'id': made['id'], 'secret': 'wrong'}, {'id': uuid.uuid4().hex, 'secret': made['secret']},
                        {'name': 'ci', 'user': {'id': other['id']}, 'secret': made['secret']},
                        {'name': 'ci', 'user': {'id': uuid.uuid4().hex}, 'secret': made['secret']},
                        {'name': 'no', 'user': {'id': self.user['id']}, 'secret': made['secret']}):
            status, content = by_app_cred(**members)
            answers.append((status, content))
        self.assertEqual(answers, [(401, {'error': {'code': 401, 'title': 'Unauthorized', 'message':
                                                    'The request you have made requires authentication.'}})] * 5)
        # The user that is named beside the id counts for nothing.
        self.assertEqual(by_app_cred(id=made['id'], user={'id': other['id']}, secret=made['secret'])[1].user_id, self.user['id'])
        for members in ({'id': made['id']}, {'secret': 'x'}, {'name': 'ci', 'secret': 'x'}, {'id': made['id'], 'secret': 3}):
            self.assertEqual(by_app_cred(**members)[0], 400, members)
        # Another scope cannot be asked for.
        for scope in ({'project': {'id': self.project['id']}}, 'unscoped', {'system': {'all': True}}):
            self.assertEqual(by_app_cred(scope, id=made['id'], secret=made['secret'])[0], 401, scope)

    def test_no_exchange(self):
        """Its token becomes no other token: neither with more scope nor with more life."""
        for unrestricted in (False, True):
            session = self.log_in(self.create(unrestricted=unrestricted))
            for scope in (None, 'unscoped', {'project': {'id': self.project['id']}}):
                status, content = auth({'methods': ['token'], 'token': {'id': session.token}}, scope)
                self.assertEqual(status, 403, content)

    def test_restricted(self):
        """A restricted one manages neither credentials nor trusts; an unrestricted one makes credentials, but no trusts."""
        made = self.create()
        session = self.log_in(made)
        free = self.create(unrestricted=True)
        freed = self.log_in(free)
        trust = {'trust': {'trustor_user_id': self.user['id'], 'trustee_user_id': self.user['id'], 'impersonation': False,
                           'project_id': self.project['id'], 'roles': [{'name': 'member'}]}}
        self.create(403, session=session)
        self.call(403, 'DELETE', self.path + '/' + made['id'], session=session)
        self.call(200, 'GET', self.path + '/' + made['id'], session=session)
        for s in (session, freed):
            self.call(403, 'POST', '/v3/OS-TRUST/trusts', trust, s)
            self.call(403, 'GET', '/v3/OS-TRUST/trusts?trustor_user_id=' + self.user['id'], session=s)
        second = self.create(session=freed, roles=[{'name': 'reader'}])
        self.create(400, session=freed, roles=[{'name': 'admin'}])
        self.call(204, 'DELETE', self.path + '/' + second['id'], session=freed)

    def test_no_wider_second(self):
        """What an unrestricted one makes has no more roles than itself, though its owner has."""
        narrow = self.log_in(self.create(unrestricted=True, roles=[{'name': 'reader'}]))
        self.create(400, session=narrow, roles=[{'name': 'member'}])
        self.assertEqual([r['name'] for r in self.create(session=narrow)['roles']], ['reader'])


    def test_no_wider_rules(self):
        """Nor may it make other requests than the one that made it."""
        rules = [{'path': '/v3/users/*/application_credentials', 'method': 'POST', 'service': 'identity'}, RULES[0]]
        narrow = self.log_in(self.create(unrestricted=True, access_rules=rules))
        self.create(403, session=narrow)
        self.create(403, session=narrow, access_rules=[])
        self.create(403, session=narrow, access_rules=[RULES[0], {'path': '/**', 'method': 'GET', 'service': 'image'}])
        self.create(session=narrow, access_rules=[RULES[0]])

    def test_whose_it_is_is_not_asked(self):
        """The body says neither whose it is nor where."""
        other, elsewhere = make('user'), make('project')
        for members in ({'user_id': other['id']}, {'project_id': elsewhere['id']}, {'id': uuid.uuid4().hex}, {'secret_hash': 'x'}):
            status, _, content = self.session.request('POST', 'identity', self.path, {'application_credential': dict(
                members, name=uuid.uuid4().hex)})
            if status == 201:
                made = content['application_credential']
                self.assertEqual((made['user_id'], made['project_id']), (self.user['id'], self.project['id']))
                self.assertNotEqual(made['id'], members.get('id'))
                self.log_in(made)
            else:
                self.assertEqual(status, 400, content)


class Ends(Case):
    """What ends its tokens at once, here and, within the bound, elsewhere."""

    def ends(self, credential, session, login=401):
        got, _, content = session.request('GET', 'identity', '/v3/auth/projects')
        self.assertEqual(got, 401, content)
        until = time.monotonic() + STALENESS_S
        while session.request('GET', 'image', '/v2/images')[0] != 401:
            self.assertLess(time.monotonic(), until, 'another service still takes the token')
            time.sleep(0.02)
        self.log_in(credential, login)

    def used(self, **members):
        made = self.create(**members)
        session = self.log_in(made)
        self.assertEqual(session.request('GET', 'image', '/v2/images')[0], 200)
        return made, session

    def test_deleted(self):
        made, session = self.used()
        other = self.used()[1]
        self.call(204, 'DELETE', self.path + '/' + made['id'])
        self.ends(made, session)
        self.call(200, 'GET', '/v3/auth/projects', session=other)
        self.call(200, 'GET', '/v3/auth/projects')

    def test_role_taken(self):
        grant(self.user, self.project, 'service')
        made, session = self.used(roles=[{'name': 'member'}])
        grant(self.user, self.project, 'service', 'DELETE')
        self.ends(made, session)

    def test_implied_role_taken(self):
        """Its role is one that another implied: it goes with that one."""
        made, session = self.used(roles=[{'name': 'reader'}])
        grant(self.user, self.project, 'member', 'DELETE')
        self.ends(made, session)

    def test_role_deleted(self):
        role = make('role')
        ROLES[role['name']] = role['id']
        grant(self.user, self.project, role['name'])
        self.session = by_password(self.user, self.project)
        made, session = self.used(roles=[{'id': role['id']}, {'name': 'reader'}])
        ADMIN.expect(204, 'DELETE', 'identity', '/v3/roles/' + role['id'])
        self.ends(made, session)

    def test_left_the_group(self):
        group = make('group')
        user = make('user', password=PASSWORD)
        where = '/v3/groups/%s/users/%s' % (group['id'], user['id'])
        ADMIN.expect(204, 'PUT', 'identity', where)
        ADMIN.expect(204, 'PUT', 'identity', '/v3/projects/%s/groups/%s/roles/%s' % (self.project['id'], group['id'], ROLES['member']))
        self.session, self.path = by_password(user, self.project), '/v3/users/%s/application_credentials' % user['id']
        made, session = self.used()
        ADMIN.expect(204, 'DELETE', 'identity', where)
        self.ends(made, session)

    def test_user_disabled(self):
        made, session = self.used()
        ADMIN.expect(200, 'PATCH', 'identity', '/v3/users/' + self.user['id'], {'user': {'enabled': False}})
        self.ends(made, session)
        ADMIN.expect(200, 'PATCH', 'identity', '/v3/users/' + self.user['id'], {'user': {'enabled': True}})
        self.log_in(made, 401)  # It does not come back with him.

    def test_user_deleted(self):
        made, session = self.used(access_rules=[{'path': '/**', 'method': 'GET', 'service': s} for s in ('image', 'identity')])
        ADMIN.expect(204, 'DELETE', 'identity', '/v3/users/' + self.user['id'])
        self.ends(made, session)
        self.assertEqual(CLOUD.sql('identity', "SELECT count(*) FROM access_rule WHERE user_id = '%s'" % self.user['id']).strip(), '0')

    def test_project_disabled_and_deleted(self):
        made, session = self.used()
        ADMIN.expect(200, 'PATCH', 'identity', '/v3/projects/' + self.project['id'], {'project': {'enabled': False}})
        self.ends(made, session)
        ADMIN.expect(200, 'PATCH', 'identity', '/v3/projects/' + self.project['id'], {'project': {'enabled': True}})
        session = self.log_in(made)
        ADMIN.expect(204, 'DELETE', 'identity', '/v3/projects/' + self.project['id'])
        self.ends(made, session)

    def test_password_changed(self):
        """The tokens go, the credential stays: it is not the password's."""
        made, session = self.used()
        ADMIN.expect(200, 'PATCH', 'identity', '/v3/users/' + self.user['id'], {'user': {'password': 'another one'}})
        self.ends(made, session, 201)


RULES = [{'path': '/v2/images', 'method': 'GET', 'service': 'image'}, {'path': '/v3/auth/*', 'method': 'GET', 'service': 'identity'}]


class AccessRules(Case):
    def test_crud(self):
        made = self.create(access_rules=RULES)
        for rule, said in zip(made['access_rules'], RULES):
            self.assertEqual({k: v for k, v in rule.items() if k != 'id'}, said)
        again = self.create(access_rules=[RULES[0], {'id': made['access_rules'][1]['id']}])
        self.assertEqual(again['access_rules'], made['access_rules'])  # The same rule is one rule.
        listed = self.call(200, 'GET', self.rules_path)['access_rules']
        self.assertEqual({r['id'] for r in listed}, {r['id'] for r in made['access_rules']})
        self.assertEqual(set(listed[0]), {'id', 'service', 'path', 'method', 'links'})
        one = self.rules_path + '/' + made['access_rules'][0]['id']
        self.assertEqual(self.call(200, 'GET', one)['access_rule']['path'], '/v2/images')
        filtered = self.call(200, 'GET', self.rules_path + '?service=image&method=GET&path=/v2/images')['access_rules']
        self.assertEqual([r['id'] for r in filtered], [made['access_rules'][0]['id']])
        self.assertEqual(message(self.call(403, 'DELETE', one)), 'May not delete access rule in use')
        for credential in (made, again):
            self.call(204, 'DELETE', self.path + '/' + credential['id'])
        self.call(204, 'DELETE', one)
        self.call(404, 'DELETE', one)
        self.assertEqual(len(self.call(200, 'GET', self.rules_path)['access_rules']), 1)

    def test_whose(self):
        rule = self.create(access_rules=RULES)['access_rules'][0]['id']
        other = make('user', password=PASSWORD)
        grant(other, self.project, 'member')
        session = by_password(other, self.project)
        for user in (self.user, other):
            self.call(403, 'GET', '/v3/users/%s/access_rules/%s' % (user['id'], rule), session=session)
            self.call(403, 'DELETE', '/v3/users/%s/access_rules/%s' % (user['id'], rule), session=session)
        self.call(403, 'GET', self.rules_path, session=session)
        self.path = '/v3/users/%s/application_credentials' % other['id']
        self.create(400, session=session, access_rules=[{'id': rule}])

    def test_enforced(self):
        """Both services let through what the rules name, and nothing else."""
        session = self.log_in(self.create(access_rules=RULES))
        self.assertEqual([{k: r[k] for k in ('path', 'method', 'service')} for r in session.auth['application_credential']['access_rules']], RULES)
        get = lambda service, path, method='GET', headers=None: session.request(method, service, path, headers=headers)[0]
        self.assertEqual(get('image', '/v2/images'), 200)
        self.assertEqual(get('identity', '/v3/auth/projects'), 200)
        for service, path, method in (('image', '/v2/images', 'POST'), ('image', '/v2/schemas/image', 'GET'),
                                      ('image', '/v2/images/x', 'GET'), ('identity', '/v3/users', 'GET'),
                                      ('identity', self.path, 'GET'), ('identity', '/v3/auth/tokens', 'DELETE')):
            self.assertEqual(get(service, path, method, {'X-Subject-Token': session.token}), 401, (service, path, method))
        # Everybody may ask about a token, and what a service does for its user is not the user's request.
        self.assertEqual(get('identity', '/v3/auth/tokens', headers={'X-Subject-Token': session.token,
                                                                     'OpenStack-Identity-Access-Rules': '1.0'}), 200)
        service = CLOUD.session('image', CLOUD.layout.secret('user-image'), 'service')
        self.assertEqual(get('image', '/v2/schemas/image', headers={'X-Service-Token': service.token}), 200)
        for no_service in (self.session.token, 'x'):
            self.assertEqual(get('image', '/v2/schemas/image', headers={'X-Service-Token': no_service}), 401)

    def test_who_does_not_know_rules(self):
        """A middleware that knows no access rules would not hold the token to them: it does not get to see it."""
        with_rules = self.log_in(self.create(access_rules=RULES))
        without = self.log_in(self.create())
        for token, version, status in ((with_rules, None, 404), (with_rules, '0.9', 404), (with_rules, 'x', 404), (with_rules, '1.0', 200),
                                       (with_rules, '2', 200), (without, None, 200)):
            headers = {'X-Subject-Token': token.token}
            if version is not None:
                headers['OpenStack-Identity-Access-Rules'] = version
            self.call(status, 'GET', '/v3/auth/tokens', session=ADMIN, headers=headers)


if __name__ == '__main__':
    unittest.main()
