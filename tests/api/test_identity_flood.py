#!/usr/bin/python3
"""Many logins at once: each costs a processor a good while on purpose, and yet whoever has a token is served meanwhile, and what is
too much is told so."""
import concurrent.futures
import os
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402
import rest  # noqa: E402

PASSWORD, WAITING_MAX = 'correct horse', 60


def setUpModule():
    global CLOUD, ADMIN, USER
    CLOUD = Cloud(services=['identity'], settings={'identity': {'identity': {'password_hash_rounds': 9}, 'api': {
        'workers': 4, 'waiting_workers': 2, 'waiting_max': WAITING_MAX}}})
    ADMIN = CLOUD.admin()
    USER = ADMIN.expect(201, 'POST', 'identity', '/v3/users', {'user': {'name': 'crowd', 'password': PASSWORD}})['user']['id']


def tearDownModule():
    CLOUD.close()


def log_in(password=PASSWORD):
    """(status, headers, seconds)"""
    begin = time.monotonic()
    status, headers, _ = rest.request('POST', CLOUD.urls['identity'] + '/v3/auth/tokens', {'auth': {'identity': {
        'methods': ['password'], 'password': {'user': {'id': USER, 'password': password}}}}}, timeout=120)
    return status, headers, time.monotonic() - begin


class Others:
    """Somebody with a token, who asks what needs a worker and what does not, again and again."""

    def __init__(self):
        self.slowest, self.bad, self.count, self.ending = 0.0, [], 0, False
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exception):
        self.ending = True
        self.thread.join()

    def run(self):
        while not self.ending:
            for path in ('/v3/projects', '/v3/auth/tokens', '/v3/users/' + USER):
                begin = time.monotonic()
                status, _, _ = ADMIN.request('GET', 'identity', path, headers={'X-Subject-Token': ADMIN.token})
                self.slowest = max(self.slowest, time.monotonic() - begin)
                self.count += 1
                if status != 200:
                    self.bad.append((path, status))


class Flood(unittest.TestCase):
    def crowd(self, size, *passwords):
        with concurrent.futures.ThreadPoolExecutor(size) as pool:
            return list(pool.map(log_in, (passwords * size)[:size]))

    def test_others_are_served(self):
        begin = time.monotonic()
        with Others() as others:
            answers = self.crowd(WAITING_MAX, PASSWORD)
        took = time.monotonic() - begin
        self.assertEqual({status for status, _, _ in answers}, {201})
        self.assertEqual(others.bad, [])
        self.assertGreater(others.count, 20)
        # The last of the crowd waited for all the others; nobody else did.
        self.assertLess(others.slowest, max(took / 4, 0.5))

    def test_too_many(self):
        with Others() as others:
            answers = self.crowd(4 * WAITING_MAX, PASSWORD, 'wrong')
        self.assertEqual(others.bad, [])
        self.assertEqual({status for status, _, _ in answers}, {201, 401, 429})
        refused = [(headers, seconds) for status, headers, seconds in answers if status == 429]
        self.assertGreaterEqual(len(answers) - len(refused), WAITING_MAX)
        self.assertTrue(all(int(headers['Retry-After']) > 0 for headers, _ in refused))
        self.assertEqual(log_in()[0], 201)

    def test_what_is_declined_leaves_nothing(self):
        """What begins in a worker and is begun anew where it may wait happens once: a user with a password, with a key and without."""
        for number, headers in enumerate(({}, {'Idempotency-Key': 'flood-1'}, {'Idempotency-Key': 'flood-1'})):
            name = 'once-%d' % min(number, 1)
            ADMIN.expect(201, 'POST', 'identity', '/v3/users', {'user': {'name': name, 'password': PASSWORD}}, headers)
        self.assertEqual(len(ADMIN.expect(200, 'GET', 'identity', '/v3/users?name=once-1')['users']), 1)
        body = {'user': {'original_password': PASSWORD, 'password': 'another one'}}
        ADMIN.expect(204, 'POST', 'identity', '/v3/users/%s/password' % USER, body)
        self.assertEqual(log_in()[0], 401)
        self.assertEqual(log_in('another one')[0], 201)
        ADMIN.expect(200, 'PATCH', 'identity', '/v3/users/' + USER, {'user': {'password': PASSWORD}})
        self.assertEqual(log_in()[0], 201)


if __name__ == '__main__':
    unittest.main()
