#!/usr/bin/python3
"""The keys that sign tokens: a rotation under load ends no token and no request, each identity daemon verifies and serves what any of
them signs, and a key goes only when nothing it signed can still be alive."""
import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402
import rest  # noqa: E402

ACTIVATION_S = 2


def setUpModule():
    global CLOUD, SECOND, OTHERS
    settings = {'identity': {'key_activation': ACTIVATION_S}}
    CLOUD = Cloud(services=['identity', 'placement'], settings={'identity': settings})
    SECOND = CLOUD.add_daemon('identity')
    OTHERS = os.path.join(CLOUD.layout.path('state'), 'other-keys')
    SECOND.process.stop()
    SECOND.extra = {'identity': dict(settings['identity'], key_directory=OTHERS)}
    CLOUD.restart()


def tearDownModule():
    CLOUD.close()


def kid_of(token):
    return json.loads(base64.urlsafe_b64decode(token.split('.')[0] + '=='))['kid']


def kids(daemon):
    return {key['kid'] for key in rest.request('GET', daemon.url + '/v3/OS-VIRGA/keys')[2]['keys']}


def log_in(daemon):
    urls = dict(CLOUD.urls, identity=daemon.url)
    return rest.authenticate(urls, 'admin', CLOUD.layout.secret('user-admin'), 'admin')


def rotate(daemon):
    done = subprocess.run([daemon.binary, '--config', daemon.config, 'key', 'rotate'], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()[0]


def until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def directory(daemon):
    return OTHERS if daemon is SECOND else os.path.join(CLOUD.layout.path('state'), 'identity', 'keys')


class Load:
    """Clients that log in at either daemon and show the token to both, and to another service, until told to stop."""

    def __init__(self, *daemons):
        self.daemons, self.bad, self.made, self.kids, self.ending = daemons, [], 0, set(), False
        self.old = [log_in(daemon).token for daemon in daemons]
        self.threads = [threading.Thread(target=self.run, args=(number,)) for number in range(4)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exception):
        self.ending = True
        for thread in self.threads:
            thread.join()

    def run(self, number):
        while not self.ending:
            try:
                session = log_in(self.daemons[number % len(self.daemons)])
                self.kids.add(kid_of(session.token))
                self.made += 1
                for token in (session.token, *self.old):
                    for daemon in self.daemons:
                        self.ask(daemon.url + '/v3/auth/tokens', session.token, {'X-Subject-Token': token})
                    self.ask(CLOUD.urls['placement'] + '/resource_providers', token)
            except Exception as problem:  # Whatever it is, the test shows it.
                self.bad.append(repr(problem))

    def ask(self, url, token, headers=()):
        status = rest.request('GET', url, headers=dict(headers, **{'X-Auth-Token': token}))[0]
        if status != 200:
            self.bad.append((url, status, kid_of(token)))


class Keys(unittest.TestCase):
    def setUp(self):
        self.first = CLOUD.daemon('identity')

    def test_rotation_under_load(self):
        with Load(self.first, SECOND) as load:
            for daemon in (self.first, SECOND):
                before = kid_of(log_in(daemon).token)
                new = rotate(daemon)
                self.assertGreater(new, before)
                self.assertTrue(until(lambda: new in kids(self.first) and new in kids(SECOND), 5))
                self.assertEqual(kid_of(log_in(daemon).token), before)  # Known to all before it signs.
                self.assertTrue(until(lambda: kid_of(log_in(daemon).token) == new, ACTIVATION_S + 5))
                self.assertTrue(until(lambda: new in load.kids))
                self.assertIn(before, kids(self.first) & kids(SECOND))
        self.assertEqual(load.bad, [])
        self.assertGreater(load.made, 20)

    def test_each_serves_and_verifies_all(self):
        self.assertTrue(until(lambda: kids(self.first) == kids(SECOND), 5))
        mine, theirs = log_in(self.first), log_in(SECOND)
        self.assertNotEqual(kid_of(mine.token), kid_of(theirs.token))
        for daemon in (self.first, SECOND):
            for session in (mine, theirs):
                status, _, _ = rest.request('GET', daemon.url + '/v3/auth/tokens', headers={
                    'X-Auth-Token': session.token, 'X-Subject-Token': theirs.token})
                self.assertEqual(status, 200)

    def test_a_directory_that_changes(self):
        """A key pair that was put there by other means is taken without being told."""
        before = kids(self.first)
        files = os.listdir(directory(SECOND))
        newest = max(f for f in files if f.endswith('.pub.pem')).removesuffix('.pub.pem')
        aside = newest[:-1] + ('0' if newest[-1] != '0' else '1')
        for end in ('.pub.pem', '.pem'):  # The same pair by another name.
            with open(os.path.join(directory(SECOND), newest + end), 'rb') as file:
                content = file.read()
            descriptor = os.open(os.path.join(directory(self.first), aside + end), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            os.write(descriptor, content)
            os.close(descriptor)
        self.assertTrue(until(lambda: aside in kids(SECOND)))
        self.assertTrue(before < kids(self.first))

    def test_pruned_when_all_has_expired(self):
        old = kid_of(log_in(self.first).token)
        new = rotate(self.first)
        self.assertTrue(until(lambda: kid_of(log_in(self.first).token) == new, ACTIVATION_S + 5))
        left = CLOUD.sql('identity', f"SELECT extract(epoch FROM verify_until - now()) FROM signing_key WHERE kid = '{old}'")
        self.assertGreater(float(left), 14400)  # A token's life from its last signature on.
        os.kill(self.first.process.pid(), signal.SIGHUP)
        time.sleep(1)
        self.assertIn(old, kids(SECOND))
        CLOUD.sql('identity', f"UPDATE signing_key SET verify_until = now() - interval '1 s' WHERE kid IN ('{old}', '{new}')")
        os.kill(self.first.process.pid(), signal.SIGHUP)
        self.assertTrue(until(lambda: old not in kids(self.first) and old not in kids(SECOND)))
        self.assertTrue(until(lambda: old + '.pem' not in os.listdir(directory(self.first))))
        self.assertTrue(until(lambda: new in kids(self.first) and new in kids(SECOND)))  # It signs: it lives on.
        self.assertEqual(kid_of(log_in(self.first).token), new)

    def test_words(self):
        for words in ((), ('turn',), ('rotate', 'now')):
            done = subprocess.run([self.first.binary, '--config', self.first.config, 'key', *words], capture_output=True, text=True, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn('usage', done.stderr)
        done = subprocess.run([self.first.binary, '--config', self.first.config, 'key', 'list'], capture_output=True, text=True, check=True)
        self.assertIn(kid_of(log_in(self.first).token), done.stdout)

    def test_restart_keeps_tokens(self):
        session = log_in(self.first)
        for kill in (False, True):
            if kill:
                self.first.process.kill()
            else:
                self.first.process.stop()
            CLOUD.restart()
            self.assertEqual(session.request('GET', 'identity', '/v3/auth/tokens', headers={'X-Subject-Token': session.token})[0], 200)


if __name__ == '__main__':
    unittest.main()
