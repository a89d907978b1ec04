#!/usr/bin/python3
"""A domain whose users and groups are in an LDAP directory: Debian's slapd, read only, with what changes there, hides there, or
is away."""
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402
import rest  # noqa: E402
from slapd import ADMIN as DIRECTORY_ADMIN, PASSWORD, SUFFIX, Slapd  # noqa: E402

REFRESH_S = 1


def setUpModule():
    global CLOUD, ADMIN, URL, ROLES
    CLOUD = Cloud(services=['identity'], settings={'identity': {'identity': {'directory_refresh': REFRESH_S}}})
    ADMIN = CLOUD.admin()
    URL = CLOUD.urls['identity']
    ROLES = {r['name']: r['id'] for r in ADMIN.expect(200, 'GET', 'identity', '/v3/roles')['roles']}


def tearDownModule():
    CLOUD.close()


def options(directory, **more):
    return dict({'url': directory.url, 'user': DIRECTORY_ADMIN, 'password': PASSWORD, 'suffix': SUFFIX, 'query_scope': 'sub',
                 'user_tree_dn': 'ou=people,' + SUFFIX, 'user_id_attribute': 'uid', 'user_name_attribute': 'uid',
                 'group_tree_dn': 'ou=groups,' + SUFFIX, 'group_id_attribute': 'cn', 'group_name_attribute': 'cn',
                 'connection_timeout': 2}, **more)


def domain(directory, **more):
    made = ADMIN.expect(201, 'POST', 'identity', '/v3/domains', {'domain': {'name': 'ldap-' + uuid.uuid4().hex[:8]}})['domain']
    ADMIN.expect(201, 'PUT', 'identity', '/v3/domains/%s/config' % made['id'],
                 {'config': {'identity': {'driver': 'ldap'}, 'ldap': options(directory, **more)}})
    return made['id']


def users(domain_id):
    return {u['name']: u for u in ADMIN.expect(200, 'GET', 'identity', '/v3/users?domain_id=' + domain_id)['users']}


def groups(domain_id):
    return {g['name']: g for g in ADMIN.expect(200, 'GET', 'identity', '/v3/groups?domain_id=' + domain_id)['groups']}


def members(group):
    return {u['name'] for u in ADMIN.expect(200, 'GET', 'identity', '/v3/groups/%s/users' % group['id'])['users']}


def auth(name, password, domain_id, scope=None, user_id=None):
    who = {'id': user_id} if user_id else {'name': name, 'domain': {'id': domain_id}}
    body = {'auth': {'identity': {'methods': ['password'], 'password': {'user': dict(who, password=password)}}}}
    if scope:
        body['auth']['scope'] = scope
    return rest.request('POST', URL + '/v3/auth/tokens', body)


def eventually(check, seconds=15):
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, 'it does not become so'
        time.sleep(0.1)


class Directory(unittest.TestCase):
    def setUp(self):
        self.directory = Slapd()
        self.addCleanup(self.directory.close)
        self.ada = self.directory.person('ada', 'engine', mail=['ada@example.org'], description=['first'])
        self.bob = self.directory.person('bob', 'builder')
        self.directory.person('Zoë Ünïcode', 'päss')
        self.directory.group('admins', [self.ada], description=['who may'])
        self.directory.group('all', [self.ada, self.bob])
        self.directory.start()

    def login(self, *arguments, **more):
        status, headers, body = auth(*arguments, **more)
        self.assertEqual(status, 201, body)
        return rest.Session(CLOUD.urls, headers['X-Subject-Token'], body['token'])

    def alive(self, session):
        status, _, _ = rest.request('GET', URL + '/v3/auth/tokens', headers={'X-Auth-Token': session.token, 'X-Subject-Token': session.token})
        return status == 200

    def test_lists(self):
        d = domain(self.directory)
        found = users(d)
        self.assertEqual(set(found), {'ada', 'bob', 'Zoë Ünïcode'})
        self.assertEqual(found['ada']['email'], 'ada@example.org')
        self.assertEqual(found['ada']['description'], 'first')
        self.assertEqual(found['ada']['domain_id'], d)
        self.assertRegex(found['ada']['id'], '^[0-9a-f]{64}$')
        self.assertTrue(found['ada']['enabled'])
        self.assertNotIn('directory_id', found['ada'])
        shown = ADMIN.expect(200, 'GET', 'identity', '/v3/users/' + found['ada']['id'])['user']
        self.assertEqual(shown, found['ada'])
        by_name = ADMIN.expect(200, 'GET', 'identity', '/v3/users?domain_id=%s&name=bob' % d)['users']
        self.assertEqual([u['name'] for u in by_name], ['bob'])
        self.assertEqual({name: members(g) for name, g in groups(d).items()}, {'admins': {'ada'}, 'all': {'ada', 'bob'}})
        own = ADMIN.expect(200, 'GET', 'identity', '/v3/users/%s/groups' % found['ada']['id'])['groups']
        self.assertEqual({g['name'] for g in own}, {'admins', 'all'})

    def test_login_and_roles(self):
        d = domain(self.directory)
        session = self.login('ada', 'engine', d)       # Before anything was listed.
        self.assertEqual(session.auth['user']['name'], 'ada')
        again = self.login(None, 'engine', d, user_id=session.auth['user']['id'])
        self.assertEqual(again.auth['user'], session.auth['user'])
        self.login('Zoë Ünïcode', 'päss', d)
        project = ADMIN.expect(201, 'POST', 'identity', '/v3/projects', {'project': {'name': 'p', 'domain_id': d}})['project']
        ADMIN.expect(204, 'PUT', 'identity', '/v3/projects/%s/groups/%s/roles/%s' % (project['id'], groups(d)['admins']['id'], ROLES['member']))
        scoped = self.login('ada', 'engine', d, {'project': {'id': project['id']}})
        self.assertIn('member', [r['name'] for r in scoped.auth['roles']])
        self.assertEqual(auth('bob', 'builder', d, {'project': {'id': project['id']}})[0], 401)

    def test_refused(self):
        d = domain(self.directory)
        answers = [auth('ada', 'wrong', d), auth('nobody', 'engine', d), auth('ada', '', d), auth('*', 'engine', d),
                   auth('ada)(uid=*', 'engine', d), auth('bob', 'engine', d)]
        for status, headers, body in answers:
            self.assertEqual(status, 401, body)
            self.assertEqual(body, answers[0][2])
            self.assertNotIn('X-Subject-Token', headers)

    def test_read_only(self):
        d = domain(self.directory)
        ada, admins = users(d)['ada']['id'], groups(d)['admins']['id']
        for method, path, body in (
                ('POST', '/v3/users', {'user': {'name': 'new', 'domain_id': d}}),
                ('PATCH', '/v3/users/' + ada, {'user': {'description': 'other'}}),
                ('PATCH', '/v3/users/' + ada, {'user': {'password': 'other'}}),
                ('DELETE', '/v3/users/' + ada, None),
                ('POST', '/v3/groups', {'group': {'name': 'new', 'domain_id': d}}),
                ('PATCH', '/v3/groups/' + admins, {'group': {'description': 'other'}}),
                ('DELETE', '/v3/groups/' + admins, None),
                ('PUT', '/v3/groups/%s/users/%s' % (admins, users(d)['bob']['id']), None),
                ('DELETE', '/v3/groups/%s/users/%s' % (admins, ada), None)):
            status, _, answer = ADMIN.request(method, 'identity', path, body)
            self.assertEqual(status, 403, '%s %s: %s' % (method, path, answer))
        self.assertEqual(users(d)['ada']['description'], 'first')
        self.assertEqual(members(groups(d)['admins']), {'ada'})
        self.login('ada', 'engine', d)

    def test_what_changes_there_changes_here(self):
        d = domain(self.directory)
        before = users(d)
        project = ADMIN.expect(201, 'POST', 'identity', '/v3/projects', {'project': {'name': 'p', 'domain_id': d}})['project']
        ADMIN.expect(204, 'PUT', 'identity', '/v3/projects/%s/groups/%s/roles/%s' % (project['id'], groups(d)['admins']['id'], ROLES['member']))
        scoped = self.login('ada', 'engine', d, {'project': {'id': project['id']}})
        bob = self.login('bob', 'builder', d)
        self.assertTrue(self.alive(scoped) and self.alive(bob))
        del self.directory.entries[self.bob]
        self.directory.group('admins', [SUFFIX])
        self.directory.group('all', [self.ada])
        self.directory.entries[self.ada]['mail'] = ['new@example.org']
        self.directory.person('eve', 'apple')
        self.directory.start()
        eventually(lambda: 'eve' in users(d))
        after = users(d)
        self.assertFalse(after['bob']['enabled'])               # Gone there: here disabled, his roles are kept.
        self.assertEqual(after['ada']['email'], 'new@example.org')
        self.assertEqual(after['ada']['id'], before['ada']['id'])
        self.assertEqual(members(groups(d)['admins']), set())
        self.assertFalse(self.alive(bob))
        self.assertFalse(self.alive(scoped))                    # He left the group.
        self.assertEqual(auth('bob', 'builder', d)[0], 401)
        ADMIN.expect(204, 'DELETE', 'identity', '/v3/users/' + after['bob']['id'])
        self.assertNotIn('bob', users(d))

    def test_enabled(self):
        self.directory.entries[self.bob]['employeeType'] = ['514']    # Active Directory's bit 2: disabled.
        self.directory.entries[self.ada]['employeeType'] = ['512']
        self.directory.start()
        d = domain(self.directory, user_enabled_attribute='employeeType', user_enabled_mask=2, user_enabled_default='512')
        self.assertEqual({n: u['enabled'] for n, u in users(d).items()}, {'ada': True, 'bob': False, 'Zoë Ünïcode': True})
        self.assertEqual(auth('bob', 'builder', d)[0], 401)
        self.login('ada', 'engine', d)
        d = domain(self.directory, user_enabled_emulation=True, user_enabled_emulation_dn='cn=admins,ou=groups,' + SUFFIX)
        self.assertEqual({n: u['enabled'] for n, u in users(d).items()}, {'ada': True, 'bob': False, 'Zoë Ünïcode': False})
        self.login('ada', 'engine', d)
        self.assertEqual(auth('bob', 'builder', d)[0], 401)

    def test_filter_pages_and_nested_groups(self):
        inner = self.directory.group('inner', [self.bob])
        self.directory.group('outer', [inner, 'UID=Ada, OU=People, DC=example,DC=org'])
        for i in range(25):
            self.directory.person('extra%02d' % i, 'x', employeeType=['extra'])
        self.directory.start()
        d = domain(self.directory, page_size=10, user_filter='(employeeType=extra)', group_ad_nesting=True)
        self.assertEqual(len(users(d)), 25)
        d = domain(self.directory, page_size=10, group_ad_nesting=True)
        self.assertEqual(len(users(d)), 28)
        self.assertEqual(members(groups(d)['outer']), {'ada', 'bob'})

    def test_away_and_slow(self):
        d = domain(self.directory)
        session = self.login('ada', 'engine', d)
        self.directory.freeze()
        begin = time.monotonic()
        status, _, body = auth('ada', 'engine', d)
        self.assertEqual(status, 503, body)
        self.assertLess(time.monotonic() - begin, 8)
        self.assertNotIn('127.0.0.1', json.dumps(body))
        self.assertIn('ada', users(d))          # What was read is still there.
        self.assertTrue(self.alive(session))
        self.directory.freeze(False)
        self.directory.stop()
        self.assertEqual(auth('ada', 'engine', d)[0], 503)
        self.assertTrue(users(d)['ada']['enabled'])
        self.directory.start()
        self.login('ada', 'engine', d)

    def test_configured_anew(self):
        d = domain(self.directory, user_tree_dn='ou=nowhere,' + SUFFIX)
        self.assertEqual(users(d), {})
        ADMIN.expect(200, 'PATCH', 'identity', '/v3/domains/%s/config/ldap/user_tree_dn' % d, {'config': {'user_tree_dn': 'ou=people,' + SUFFIX}})
        self.assertIn('ada', users(d))
        shown = json.dumps(ADMIN.expect(200, 'GET', 'identity', '/v3/domains/%s/config' % d))
        self.assertNotIn(PASSWORD, shown)
        with open(CLOUD.daemon('identity').process.log, encoding='utf-8', errors='replace') as log:
            text = log.read()
        self.assertNotIn(PASSWORD, text)
        self.assertNotIn('engine"', text)

    def test_refused_settings(self):
        for url in ('ldapi:///', 'http://127.0.0.1', ''):
            d = domain(self.directory, url=url)
            self.assertEqual(users(d), {})
            self.assertEqual(auth('ada', 'engine', d)[0], 400, url)

    def test_local_users_stay(self):
        made = ADMIN.expect(201, 'POST', 'identity', '/v3/domains', {'domain': {'name': uuid.uuid4().hex}})['domain']
        local = ADMIN.expect(201, 'POST', 'identity', '/v3/users', {'user': {'name': 'ada', 'password': 'local', 'domain_id': made['id']}})['user']
        ADMIN.expect(201, 'PUT', 'identity', '/v3/domains/%s/config' % made['id'],
                     {'config': {'identity': {'driver': 'ldap'}, 'ldap': options(self.directory)}})
        self.assertEqual(users(made['id'])['ada']['id'], local['id'])
        self.login(None, 'local', made['id'], user_id=local['id'])
        ADMIN.expect(204, 'DELETE', 'identity', '/v3/users/' + local['id'])
        eventually(lambda: users(made['id']).get('ada', {}).get('id', local['id']) != local['id'])


class Tls(unittest.TestCase):
    def certificate(self, name):
        folder = tempfile.mkdtemp(prefix='virga-tls-')
        self.addCleanup(lambda: subprocess.run(['rm', '-r', folder], check=False))
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
                        '-subj', '/CN=test', '-addext', 'subjectAltName=' + name, '-keyout', folder + '/key.pem',
                        '-out', folder + '/cert.pem'], check=True, capture_output=True)
        return folder + '/cert.pem', folder + '/key.pem'

    def test_verified(self):
        good, other = self.certificate('IP:127.0.0.1'), self.certificate('IP:127.0.0.2')
        with Slapd(tls=good) as directory:
            directory.person('ada', 'engine')
            directory.start()
            self.assertEqual(auth('ada', 'engine', domain(directory, tls_cacertfile=good[0]))[0], 201)
            self.assertEqual(auth('ada', 'engine', domain(directory))[0], 503)                          # Signed by nobody known.
            self.assertEqual(auth('ada', 'engine', domain(directory, tls_cacertfile=other[0]))[0], 503)
            self.assertEqual(auth('ada', 'engine', domain(directory, tls_req_cert='never'))[0], 201)
        with Slapd(tls=other) as directory:
            directory.person('ada', 'engine')
            directory.start()
            self.assertEqual(auth('ada', 'engine', domain(directory, tls_cacertfile=other[0]))[0], 503)     # Another's name.


if __name__ == '__main__':
    unittest.main()
