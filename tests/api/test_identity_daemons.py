#!/usr/bin/python3
"""Several identity daemons on one database: what is changed through one is true for the others, and what a daemon keeps in memory is
never older than what it has itself answered."""
import os
import re
import sys
import time
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402
from identity import Identity, PASSWORD  # noqa: E402
import rest  # noqa: E402

HEARD_S = 2.0  # Usually milliseconds; the machine may be busy.


def setUpModule():
    global CLOUD, ADMIN, SECOND
    CLOUD = Cloud(services=['identity'])
    ADMIN = CLOUD.admin()
    SECOND = CLOUD.add_daemon('identity')


def tearDownModule():
    CLOUD.close()


def within(seconds, condition):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True


def validate(session, token=None):
    """The body of token's validation, or the status if it is refused."""
    status, _, body = session.request('GET', 'identity', '/v3/auth/tokens', headers={'X-Subject-Token': token or session.token})
    return body['token'] if status == 200 else status


def catalog_types(session):
    return {service['type'] for service in validate(session)['catalog']}


def endpoints_of(session, kind):
    return next(service['endpoints'] for service in validate(session)['catalog'] if service['type'] == kind)


class Memory(unittest.TestCase):
    def test_asks_nobody(self):
        """A token that was seen before is shown without the database, or a worker."""
        subject = CLOUD.admin().token
        first = validate(ADMIN, subject)
        before = self.statements()
        for _ in range(50):
            self.assertEqual(validate(ADMIN, subject), first)
        self.assertLess(self.statements() - before, 10)

    def statements(self):
        return int(re.search(r'^virga_database_statements_total (\d+)', CLOUD.metrics('identity'), re.M).group(1))

    def app_cred(self):
        """(its path, a token of it, its user)"""
        identity = Identity(CLOUD)
        user, owner = identity.someone('member', project=identity.make('project'))
        path = f"/v3/users/{user['id']}/application_credentials"
        made = owner.expect(201, 'POST', 'identity', path, {'application_credential': {'name': 'a', 'access_rules': [
            {'service': 'identity', 'method': 'GET', 'path': '/v3/auth/catalog'}]}})['application_credential']
        status, headers, _ = rest.request('POST', CLOUD.urls['identity'] + '/v3/auth/tokens', {'auth': {'identity': {
            'methods': ['application_credential'], 'application_credential': {'id': made['id'], 'secret': made['secret']}}}})
        self.assertEqual(status, 201)
        return path + '/' + made['id'], headers['X-Subject-Token'], user, made

    def validate(self, session, token):
        status, _, body = session.request('GET', 'identity', '/v3/auth/tokens', headers={'X-Subject-Token': token, 'OpenStack-Identity-Access-Rules': '1.0'})
        return body['token'] if status == 200 else status

    def test_of_an_application_credential(self):
        path, token, _, made = self.app_cred()
        first = self.validate(ADMIN, token)
        self.assertEqual(first['application_credential'], {'id': made['id'], 'name': 'a', 'restricted': True, 'access_rules': made['access_rules']})
        before = self.statements()
        for _ in range(50):
            self.assertEqual(self.validate(ADMIN, token), first)
        self.assertLess(self.statements() - before, 10)
        ADMIN.expect(204, 'DELETE', 'identity', path)
        self.assertEqual(self.validate(ADMIN, token), 404)

    def test_of_an_application_credential_that_went_elsewhere(self):
        def by_hand(path, _user):
            CLOUD.sql('identity', f"DELETE FROM application_credential WHERE id = '{path.rsplit('/', 1)[1]}'")
        for end in (lambda path, user: ADMIN.expect(204, 'DELETE', 'identity', path), by_hand,
                    lambda path, user: ADMIN.expect(204, 'DELETE', 'identity', '/v3/users/' + user['id'])):
            path, token, user, _ = self.app_cred()
            for session in (ADMIN, ADMIN.at(SECOND)) * 2:
                self.assertIsInstance(self.validate(session, token), dict)
            end(path, user)
            self.assertTrue(within(HEARD_S, lambda token=token: self.validate(ADMIN.at(SECOND), token) == 404))
            self.assertTrue(within(HEARD_S, lambda token=token: self.validate(ADMIN, token) == 404))

    def test_of_a_trust(self):
        identity = Identity(CLOUD)
        trustor, owner = identity.someone('member', project=identity.make('project'))
        trustee = identity.user()
        made = owner.expect(201, 'POST', 'identity', '/v3/OS-TRUST/trusts', {'trust': {
            'trustor_user_id': trustor['id'], 'trustee_user_id': trustee['id'], 'project_id': owner.project_id, 'impersonation': False,
            'roles': [{'name': 'member'}]}})['trust']
        status, headers, _ = identity.login(trustee).request('POST', 'identity', '/v3/auth/tokens', {'auth': {
            'identity': {'methods': ['password'], 'password': {'user': {'id': trustee['id'], 'password': PASSWORD}}},
            'scope': {'OS-TRUST:trust': {'id': made['id']}}}})
        self.assertEqual(status, 201)
        token = headers['X-Subject-Token']
        first = validate(ADMIN, token)
        before = self.statements()
        for _ in range(50):
            self.assertEqual(validate(ADMIN, token), first)
        self.assertLess(self.statements() - before, 10)
        owner.expect(204, 'DELETE', 'identity', '/v3/OS-TRUST/trusts/' + made['id'])
        self.assertEqual(validate(ADMIN, token), 404)


class Catalogue(unittest.TestCase):
    def make(self, session, enabled=True):
        kind = 'x-' + uuid.uuid4().hex[:8]
        service = session.expect(201, 'POST', 'identity', '/v3/services', {'service': {'type': kind, 'name': kind}})['service']['id']
        endpoint = session.expect(201, 'POST', 'identity', '/v3/endpoints', {'endpoint': {
            'service_id': service, 'interface': 'public', 'url': 'http://x/$(project_id)s', 'enabled': enabled}})['endpoint']['id']
        return kind, service, endpoint

    def test_own_changes_at_once(self):
        self.assertIn('identity', catalog_types(ADMIN))
        kind, service, endpoint = self.make(ADMIN)
        shown = next(s for s in validate(ADMIN)['catalog'] if s['type'] == kind)
        self.assertEqual(shown['endpoints'][0]['url'], 'http://x/' + ADMIN.project_id)
        ADMIN.expect(200, 'PATCH', 'identity', '/v3/endpoints/' + endpoint, {'endpoint': {'url': 'http://y'}})
        shown = next(s for s in validate(ADMIN)['catalog'] if s['type'] == kind)
        self.assertEqual(shown['endpoints'][0]['url'], 'http://y')
        ADMIN.expect(200, 'PATCH', 'identity', '/v3/services/' + service, {'service': {'name': 'renamed'}})
        self.assertEqual(next(s for s in validate(ADMIN)['catalog'] if s['type'] == kind)['name'], 'renamed')
        ADMIN.expect(204, 'DELETE', 'identity', '/v3/endpoints/' + endpoint)
        self.assertEqual(endpoints_of(ADMIN, kind), [])
        ADMIN.expect(204, 'DELETE', 'identity', '/v3/services/' + service)
        self.assertNotIn(kind, catalog_types(ADMIN))

    def test_each_scope_has_its_own(self):
        kind, service, _ = self.make(ADMIN)
        system = rest.authenticate(CLOUD.urls, 'admin', CLOUD.layout.secret('user-admin'), scope={'system': {'all': True}})
        for _ in range(3):
            self.assertEqual(len(endpoints_of(ADMIN, kind)), 1)
            self.assertEqual(endpoints_of(system, kind), [])  # There is no project for its URL.
        ADMIN.expect(204, 'DELETE', 'identity', '/v3/services/' + service)
        for _ in range(3):
            self.assertNotIn(kind, catalog_types(ADMIN))

    def test_others_changes(self):
        other = ADMIN.at(SECOND)
        self.assertIn('identity', catalog_types(other))
        kind, service, _ = self.make(ADMIN)
        self.assertTrue(within(HEARD_S, lambda: kind in catalog_types(other)))
        other.expect(204, 'DELETE', 'identity', '/v3/services/' + service)
        self.assertNotIn(kind, catalog_types(other))
        self.assertTrue(within(HEARD_S, lambda: kind not in catalog_types(ADMIN)))

    def test_changes_by_hand(self):
        kind, service, _ = self.make(ADMIN)
        self.assertIn(kind, catalog_types(ADMIN))
        CLOUD.sql('identity', f"UPDATE service SET enabled = false WHERE id = '{service}'")
        self.assertTrue(within(HEARD_S, lambda: kind not in catalog_types(ADMIN)))

    def test_a_daemon_that_cannot_hear(self):
        """Its session is ended again and again: it asks the database until it hears again, and misses nothing."""
        kind, service, _ = self.make(ADMIN)
        self.assertIn(kind, catalog_types(ADMIN))
        CLOUD.sql('identity', "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename = 'identity'")
        CLOUD.sql('identity', f"UPDATE service SET enabled = false WHERE id = '{service}'")
        self.assertTrue(within(HEARD_S + 2, lambda: kind not in catalog_types(ADMIN)))


class Revocations(unittest.TestCase):
    def test_heard_without_a_broker(self):
        CLOUD.rabbitmq.stop()
        self.addCleanup(CLOUD.restart)
        for here, there in ((ADMIN, ADMIN.at(SECOND)), (ADMIN.at(SECOND), ADMIN)):
            doomed = CLOUD.admin().token
            for session in (here, there):
                self.assertIsInstance(validate(session, doomed), dict)
            here.expect(204, 'DELETE', 'identity', '/v3/auth/tokens', headers={'X-Subject-Token': doomed})
            self.assertEqual(validate(here, doomed), 404)
            self.assertTrue(within(HEARD_S, lambda: validate(there, doomed) == 404))


if __name__ == '__main__':
    unittest.main()
