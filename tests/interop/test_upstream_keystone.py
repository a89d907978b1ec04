#!/usr/bin/python3
"""OpenStack's own Keystone, and our placement and image services as its neighbours ([auth] mode = online): they take its tokens as its own services do."""
import datetime
import os
import sys
import time
import unittest
import uuid

sys.path[:0] = [os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'), os.path.dirname(os.path.realpath(__file__))]
from cloud import Cloud  # noqa: E402
import rest  # noqa: E402
from upstream_keystone import UpstreamKeystone, free_port, why_not  # noqa: E402

if why_not():
    raise unittest.SkipTest(why_not())

CACHE_S, PASSWORD = 3, 'correct horse'
PROVIDERS, IMAGES = '/resource_providers', '/v2/images'


def setUpModule():
    global KEYSTONE, CLOUD, ROLES
    port = free_port()
    CLOUD = Cloud(services=['placement', 'image'], settings={name: {'auth': {
        'mode': 'online', 'identity_url': f'http://127.0.0.1:{port}/v3', 'username': name, 'password': 'of ' + name,
        'token_cache_time': CACHE_S}} for name in ('placement', 'image')})
    try:
        KEYSTONE = UpstreamKeystone(CLOUD, port)
        KEYSTONE.call('POST', '/v3/roles', {'role': {'name': 'service'}})
        ROLES = {r['name']: r['id'] for r in KEYSTONE.call('GET', '/v3/roles')['roles']}
        service = make('project', name='service')
        for name in ('placement', 'image'):
            give('service', make('user', name=name, password='of ' + name), service)
            KEYSTONE.call('POST', '/v3/services', {'service': {'type': name, 'name': name}})
    except BaseException:
        CLOUD.close()
        raise


def tearDownModule():
    KEYSTONE.close()
    CLOUD.close()


def unique(prefix='x'):
    return f'{prefix}-{uuid.uuid4().hex[:12]}'


def make(kind, **members):
    members.setdefault('name', unique(kind))
    return KEYSTONE.call('POST', f'/v3/{kind}s', {kind: members})[kind]


def give(role, user, project):
    KEYSTONE.call('PUT', f"/v3/projects/{project['id']}/users/{user['id']}/roles/{ROLES[role]}")


def take(role, user, project):
    KEYSTONE.call('DELETE', f"/v3/projects/{project['id']}/users/{user['id']}/roles/{ROLES[role]}")


def scoped(user, project):
    return KEYSTONE.login(user['name'], PASSWORD, scope={'project': {'id': project['id']}})


def someone(role='member'):
    """(user, project, session)"""
    user, project = make('user', password=PASSWORD), make('project')
    give(role, user, project)
    return user, project, scoped(user, project)


def request(session, service, path, method='GET', body=None, **headers):
    return rest.request(method, CLOUD.urls[service] + path, body, dict({'X-Auth-Token': session.token}, **headers))


def ask(session, service='placement', path=None, method='GET', body=None, **headers):
    """The status. On a busy machine Keystone may be too slow once: that is no word about the token."""
    for _ in range(10):
        status = request(session, service, path or (PROVIDERS if service == 'placement' else IMAGES), method, body, **headers)[0]
        if status != 503:
            break
        time.sleep(1)
    return status


def forget(session):
    KEYSTONE.call('DELETE', '/v3/auth/tokens', headers={'X-Subject-Token': session.token})


class Case(unittest.TestCase):
    def becomes(self, status, *arguments, seconds=CACHE_S + 3):
        """It is what it was until the cache's time is over, and that afterwards."""
        end = time.monotonic() + seconds
        while ask(*arguments) != status:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.1)


class Tokens(Case):
    def test_roles(self):
        for role, placement in (('admin', 200), ('member', 403), ('reader', 403)):
            _, _, session = someone(role)
            self.assertEqual(ask(session), placement, role)
            self.assertEqual(ask(session, 'image'), 200, role)
        _, _, reader = someone('reader')
        self.assertEqual(ask(reader, 'image', method='POST', body={'name': 'x', 'disk_format': 'raw', 'container_format': 'bare'}), 403)

    def test_of_nobody(self):
        _, _, session = someone()
        for token in ('x', session.token[:-3], session.token + 'A', '', 'gAAAAA' * 40):
            for service in ('placement', 'image'):
                self.assertEqual(ask(rest.Session({}, token), service), 401, token)

    def test_projects(self):
        """Whose an image is, and who sees it."""
        user, project, session = someone()
        status, _, image = request(session, 'image', IMAGES, 'POST', {'name': 'mine', 'disk_format': 'raw', 'container_format': 'bare'})
        self.assertEqual((status, image['owner']), (201, project['id']))
        path = IMAGES + '/' + image['id']
        self.assertEqual(ask(session, 'image', path), 200)
        self.assertEqual(ask(someone()[2], 'image', path), 404)
        second = make('project')
        give('member', user, second)
        self.assertEqual(ask(scoped(user, second), 'image', path), 404)  # The same user elsewhere.
        self.assertEqual(ask(KEYSTONE.admin, 'image', path), 200)

    def test_scopes(self):
        user, _, _ = someone()
        unscoped = KEYSTONE.login(user['name'], PASSWORD, scope='unscoped')
        self.assertEqual(ask(unscoped), 403)
        KEYSTONE.call('PUT', f"/v3/domains/default/users/{user['id']}/roles/{ROLES['member']}")
        self.assertEqual(ask(KEYSTONE.login(user['name'], PASSWORD, scope={'domain': {'id': 'default'}})), 403)
        KEYSTONE.call('PUT', f"/v3/system/users/{user['id']}/roles/{ROLES['reader']}")
        self.assertEqual(ask(KEYSTONE.login(user['name'], PASSWORD, scope={'system': {'all': True}})), 403)

    def test_names_beyond_ascii(self):
        user, project = make('user', name=unique('J\u00f6rg \u2603 "x"'), password=PASSWORD), make('project', name=unique('\u9879\u76ee'))
        give('admin', user, project)
        self.assertEqual(ask(scoped(user, project)), 200)

    def test_many_roles_and_groups(self):
        user, project = make('user', password=PASSWORD), make('project')
        group = make('group')
        KEYSTONE.call('PUT', f"/v3/groups/{group['id']}/users/{user['id']}")
        for _ in range(5):
            role = KEYSTONE.call('POST', '/v3/roles', {'role': {'name': unique('role' * 10)}})['role']
            KEYSTONE.call('PUT', f"/v3/projects/{project['id']}/groups/{group['id']}/roles/{role['id']}")
        session = scoped(user, project)
        self.assertEqual(ask(session), 403)
        KEYSTONE.call('PUT', f"/v3/projects/{project['id']}/groups/{group['id']}/roles/{ROLES['admin']}")
        self.assertEqual(ask(scoped(user, project)), 200)


class Delegated(Case):
    def app_cred(self, user, owner, **members):
        made = KEYSTONE.call('POST', f"/v3/users/{user['id']}/application_credentials",
                             {'application_credential': dict({'name': unique()}, **members)}, owner)['application_credential']
        return made, KEYSTONE.authenticate({'methods': ['application_credential'],
                                            'application_credential': {'id': made['id'], 'secret': made['secret']}})

    def test_application_credential(self):
        user, _, owner = someone('admin')
        _, session = self.app_cred(user, owner)
        self.assertEqual(ask(session), 200)
        _, less = self.app_cred(user, owner, roles=[{'name': 'reader'}])
        self.assertEqual((ask(less), ask(less, 'image')), (403, 200))

    def test_access_rules(self):
        user, _, owner = someone('admin')
        _, session = self.app_cred(user, owner, access_rules=[{'service': 'placement', 'method': 'GET', 'path': PROVIDERS}])
        self.assertEqual(ask(session), 200)
        self.assertEqual(ask(session, method='POST', body={'name': 'x'}), 401)
        self.assertEqual(ask(session, path=PROVIDERS + '/x'), 401)
        self.assertEqual(ask(session, 'image'), 401)

    def test_deleted(self):
        user, _, owner = someone('admin')
        made, session = self.app_cred(user, owner)
        self.assertEqual(ask(session), 200)
        KEYSTONE.call('DELETE', f"/v3/users/{user['id']}/application_credentials/{made['id']}", session=owner)
        self.becomes(401, session)

    def test_trust(self):
        user, project, owner = someone('admin')
        trustee = make('user', password=PASSWORD)
        for impersonation in (True, False):
            trust = KEYSTONE.call('POST', '/v3/OS-TRUST/trusts', {'trust': {
                'trustor_user_id': user['id'], 'trustee_user_id': trustee['id'], 'project_id': project['id'], 'impersonation': impersonation,
                'roles': [{'name': 'admin'}]}}, owner)['trust']
            session = KEYSTONE.login(trustee['name'], PASSWORD, scope={'OS-TRUST:trust': {'id': trust['id']}})
            self.assertEqual((ask(session), ask(session, 'image')), (200, 200))


class Ends(Case):
    def test_revoked(self):
        """Known until the cache's time is over: so it is said, and so upstream's middleware does."""
        for service in ('placement', 'image'):
            _, _, session = someone('admin')
            self.assertEqual(ask(session, service), 200)
            begun = time.monotonic()
            forget(session)
            if time.monotonic() - begun < CACHE_S / 2:
                self.assertEqual(ask(session, service), 200)
            self.becomes(401, session, service)
            self.assertEqual(ask(session, service), 401)

    def test_revoked_before_it_was_seen(self):
        _, _, session = someone('admin')
        forget(session)
        self.assertEqual((ask(session), ask(session, 'image')), (401, 401))

    def test_user_disabled(self):
        user, _, session = someone('admin')
        self.assertEqual(ask(session), 200)
        KEYSTONE.call('PATCH', f"/v3/users/{user['id']}", {'user': {'enabled': False}})
        self.becomes(401, session)

    def test_role_taken_away(self):
        user, project, session = someone('admin')
        give('member', user, project)
        self.assertEqual(ask(session), 200)
        take('admin', user, project)
        end = time.monotonic() + CACHE_S + 3
        while ask(session) == 200 and time.monotonic() < end:
            time.sleep(0.1)
        self.assertIn(ask(session), (401, 403))  # Keystone makes the roles anew each time it is asked.
        self.assertEqual(ask(scoped(user, project)), 403)

    def test_project_disabled(self):
        _, project, session = someone('admin')
        self.assertEqual(ask(session), 200)
        KEYSTONE.call('PATCH', f"/v3/projects/{project['id']}", {'project': {'enabled': False}})
        self.becomes(401, session)


class ZKeystone(Case):
    """What is done to the Keystone itself; last."""

    def test_away_and_back(self):
        _, _, known = someone('admin')
        _, _, other = someone('admin')
        self.assertEqual(ask(known), 200)
        KEYSTONE.stop()
        try:
            self.assertEqual(request(other, 'placement', PROVIDERS)[0], 503)
        finally:
            KEYSTONE.start()
        self.becomes(200, other, seconds=10)

    def test_expiry(self):
        """Of the users' tokens, and of our services' own: these log in again."""
        KEYSTONE.stop()
        KEYSTONE.configure(expiration=12)
        KEYSTONE.start()
        try:
            user, project = make('user', password=PASSWORD), make('project')
            give('admin', user, project)
            for _ in range(2):
                session = scoped(user, project)
                ends = datetime.datetime.strptime(session.auth['expires_at'], '%Y-%m-%dT%H:%M:%S.%fZ').replace(tzinfo=datetime.timezone.utc).timestamp()
                while time.time() < ends - 1:
                    answer = ask(session), ask(session, 'image')
                    if time.time() < ends:
                        self.assertEqual(answer, (200, 200))
                    time.sleep(0.2)
                time.sleep(max(0, ends + 0.1 - time.time()))
                # Not a moment longer, though it was shown to Keystone within the cache's time.
                self.assertEqual((ask(session), ask(session, 'image')), (401, 401))
            # What was begun in time a service may carry on.
            service = KEYSTONE.login('image', 'of image', project='service')
            for shown, answer in ((service, 200), (scoped(user, project), 401)):
                self.assertEqual(ask(session, **{'X-Service-Token': shown.token}), answer)
        finally:
            KEYSTONE.stop()
            KEYSTONE.configure()
            KEYSTONE.start()

    def test_its_keys_rotate(self):
        _, _, session = someone('admin')
        KEYSTONE.manage('fernet_rotate', '--keystone-user', str(os.getuid()), '--keystone-group', str(os.getgid()))
        self.assertEqual(ask(session), 200)
        self.assertEqual(ask(someone('admin')[2]), 200)


if __name__ == '__main__':
    unittest.main()
