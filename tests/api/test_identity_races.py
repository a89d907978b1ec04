#!/usr/bin/python3
"""Logins that overlap what takes away what they read: the token must not outlive the change, and what comes after it must not suffer.

The change is held in its transaction by a lock on the table that it writes to last, a login is made meanwhile, and then both go on."""
import os
import re
import signal
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402
from identity import Identity, PASSWORD  # noqa: E402
import rest  # noqa: E402

PATIENCE_S = 20


def setUpModule():
    global CLOUD, I
    CLOUD = Cloud(services=['identity'])
    I = Identity(CLOUD)


def tearDownModule():
    CLOUD.close()


class Psql:
    """A session in the database that holds a lock as long as the block lasts."""

    def __init__(self, statement):
        self.statement = statement

    def __enter__(self):
        self.process = subprocess.Popen(['psql', '-XqAt', CLOUD.database_url('identity')], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdin.write(f"BEGIN;\n{self.statement};\nSELECT 'held';\n")
        self.process.stdin.flush()
        while self.process.stdout.readline().strip() != 'held':
            if self.process.poll() is not None:
                raise AssertionError(self.statement)
        return self

    def __exit__(self, *exception):
        self.process.communicate('COMMIT;\n')


def waiting(what):
    """How many sessions wait for a lock of that kind."""
    return int(CLOUD.sql('identity', f"SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND wait_event = '{what}'"))


def until(condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise AssertionError('it does not come to that')
        time.sleep(0.01)


class Run(threading.Thread):
    def __init__(self, function, *arguments, **named):
        super().__init__()
        self.result = None
        self.function = lambda: function(*arguments, **named)
        self.start()

    def run(self):
        self.result = self.function()

    def end(self):
        self.join(PATIENCE_S)
        return self.result


def validate(token):
    return I.request('GET', '/v3/auth/tokens', headers={'X-Subject-Token': token})[0]


class Overlap(unittest.TestCase):
    def setUp(self):
        self.domain = I.make('domain')
        self.project = I.make('project', domain_id=self.domain['id'])
        self.user = I.user(domain_id=self.domain['id'])
        self.group = I.make('group', domain_id=self.domain['id'])
        I.call('PUT', f"/v3/groups/{self.group['id']}/users/{self.user['id']}", status=204)

    def overlap(self, change, login):
        """The status of the validation of a token that was asked for while the change was not committed yet; 0: there was none."""
        with Psql('LOCK TABLE revocation IN SHARE MODE'):
            changing = Run(change)
            until(lambda: waiting('relation') > 0)
            entering = Run(login)
            until(lambda: waiting('advisory') > 0 or not entering.is_alive())
        changed, (status, session) = changing.end(), entering.end()
        self.assertIn(changed[0], (200, 204), changed)
        return validate(session.token) if status == 201 else 0

    def check(self, change, login, undo=None):
        self.assertEqual(login()[0], 201)
        self.assertIn(self.overlap(change, login), (0, 404))
        self.assertIn(login()[0], (401, 403))
        if undo:
            self.assertIn(undo()[0], (200, 204))
            status, session = login()
            self.assertEqual((status, validate(session.token)), (201, 200))

    def scoped(self):
        return I.try_login(self.user, project=self.project)

    def test_role_taken_away(self):
        path = I.grant('member', user=self.user, project=self.project)
        I.give('member', user=self.user, project=self.project)
        self.check(lambda: I.request('DELETE', path), self.scoped, lambda: I.request('PUT', path))

    def test_role_of_a_group_taken_away(self):
        path = I.grant('member', group=self.group, project=self.project)
        I.give('member', group=self.group, project=self.project)
        self.check(lambda: I.request('DELETE', path), self.scoped, lambda: I.request('PUT', path))

    def test_left_a_group(self):
        path = f"/v3/groups/{self.group['id']}/users/{self.user['id']}"
        I.give('member', group=self.group, project=self.project)
        self.check(lambda: I.request('DELETE', path), self.scoped, lambda: I.request('PUT', path))

    def toggle(self, kind, row):
        I.give('member', user=self.user, project=self.project)
        self.check(*(lambda on=on: I.request('PATCH', f"/v3/{kind}s/{row['id']}", {kind: {'enabled': on}}) for on in (False,)), self.scoped,
                   lambda: I.request('PATCH', f"/v3/{kind}s/{row['id']}", {kind: {'enabled': True}}))

    def test_user_disabled(self):
        self.toggle('user', self.user)

    def test_project_disabled(self):
        self.toggle('project', self.project)

    def test_domain_disabled(self):
        self.toggle('domain', self.domain)

    def test_project_deleted(self):
        I.give('member', user=self.user, project=self.project)
        self.check(lambda: I.request('DELETE', f"/v3/projects/{self.project['id']}"), self.scoped)

    def test_password_changed(self):
        self.check(lambda: I.request('POST', f"/v3/users/{self.user['id']}/password",
                                     {'user': {'password': 'another one', 'original_password': PASSWORD}}),
                   lambda: I.try_login(self.user))
        status, session = I.try_login(self.user, password='another one')
        self.assertEqual((status, validate(session.token)), (201, 200))

    def test_application_credential_deleted(self):
        I.give('member', user=self.user, project=self.project)
        owner = I.login(self.user, project=self.project)
        made = I.call('POST', f"/v3/users/{self.user['id']}/application_credentials", {'application_credential': {'name': 'a'}}, session=owner)
        made = made['application_credential']

        def login():
            status, headers, content = rest.request('POST', I.url + '/v3/auth/tokens', {'auth': {'identity': {
                'methods': ['application_credential'], 'application_credential': {'id': made['id'], 'secret': made['secret']}}}})
            return status, rest.Session(CLOUD.urls, headers['X-Subject-Token'], content['token']) if status == 201 else content
        self.check(lambda: I.request('DELETE', f"/v3/users/{self.user['id']}/application_credentials/{made['id']}", session=owner), login)

    def test_others_do_not_wait_for_a_long_change(self):
        """Only the end of a transaction is waited for: one that waits for a row of its own holds up nobody."""
        I.give('member', user=self.user, project=self.project)
        other = I.user()
        with Psql(f"SELECT 1 FROM project WHERE id = '{self.project['id']}' FOR UPDATE"):
            changing = Run(I.request, 'PATCH', f"/v3/projects/{self.project['id']}", {'project': {'enabled': False}})
            until(lambda: waiting('transactionid') + waiting('tuple') > 0)
            self.assertEqual(I.try_login(other)[0], 201)
        self.assertEqual(changing.end()[0], 200)


class Rescope(unittest.TestCase):
    """A token in place of a password, shown to a daemon that has not heard yet what has ended it."""

    @classmethod
    def setUpClass(cls):
        cls.second = CLOUD.add_daemon('identity')
        CLOUD.rabbitmq.stop()

    @classmethod
    def tearDownClass(cls):
        CLOUD.rabbitmq.start()

    def exchange(self, session):
        return session.at(self.second).request('POST', 'identity', '/v3/auth/tokens', {'auth': {
            'identity': {'methods': ['token'], 'token': {'id': session.token}}, 'scope': 'unscoped'}})

    def deafen(self):
        """Stops the sessions by which daemons listen, and starts them when the test ends."""
        def pids():
            return CLOUD.sql('identity', "SELECT pid FROM pg_stat_activity WHERE query IN ('SELECT', 'LISTEN virga_identity')").split()
        until(lambda: len(pids()) == 2)
        for pid in pids():
            self.addCleanup(os.kill, int(pid), signal.SIGCONT)
            os.kill(int(pid), signal.SIGSTOP)

    def test_by_a_token_that_ended(self):
        user = I.user()
        session = I.login(user)
        self.assertEqual(self.exchange(session)[0], 201)
        self.deafen()
        I.call('PATCH', f"/v3/users/{user['id']}", {'user': {'password': 'another one'}})
        self.assertEqual(self.exchange(session)[0], 401)

    def test_of_a_chain_that_ended(self):
        """The end of a token ends what is made of it, though it be made later."""
        session = I.login(I.user())
        self.deafen()
        self.assertEqual(session.request('DELETE', 'identity', '/v3/auth/tokens', headers={'X-Subject-Token': session.token})[0], 204)
        status, headers, _ = self.exchange(session)
        self.assertTrue(status == 401 or validate(headers['X-Subject-Token']) == 404)


class Cost(unittest.TestCase):
    def statements(self):
        return int(re.search(r'^virga_database_statements_total (\d+)', CLOUD.metrics('identity'), re.M).group(1))

    def count(self, login):
        """The fewest: others run statements too."""
        def once():
            before = self.statements()
            login()
            return self.statements() - before
        return min(once() for _ in range(20))

    def test_statements_of_a_login(self):
        user, session = I.someone('member', project=I.make('project'))
        project = {'id': session.project_id}
        self.assertEqual(self.count(lambda: I.login(user, project=project)), 5)
        self.assertEqual(self.count(lambda: session.request('POST', 'identity', '/v3/auth/tokens', {'auth': {
            'identity': {'methods': ['token'], 'token': {'id': session.token}}, 'scope': {'project': project}}})), 4)


if __name__ == '__main__':
    unittest.main()
