#!/usr/bin/python3
"""Whose request it is: no answer belongs to another token, however connections are shared; what a client says of itself in headers that
only a service may set is nothing; tokens that are not exactly what identity signed are refused; and none of it leaves memory behind."""
import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import random
import re
import sys
import threading
import time
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402
import rest  # noqa: E402

PASSWORD = 'correct horse'
# A longer run by hand: MIXUP_SECONDS=3600 MIXUP_CONNECTIONS=200 FLOOD_REQUESTS=1000000 FLOOD_LOGINS=100000
SECONDS = float(os.environ.get('MIXUP_SECONDS', '8'))
CONNECTIONS = int(os.environ.get('MIXUP_CONNECTIONS', '24'))
REQUESTS = int(os.environ.get('FLOOD_REQUESTS', '6000'))
LOGINS = int(os.environ.get('FLOOD_LOGINS', '600'))


def setUpModule():
    global CLOUD, ADMIN, USERS
    CLOUD = Cloud(services=['identity', 'placement'])
    ADMIN = CLOUD.admin()
    role = ADMIN.expect(200, 'GET', 'identity', '/v3/roles?name=admin')['roles'][0]['id']
    USERS = []
    for number in range(8):
        name = 'mixup-%d' % number
        user = ADMIN.expect(201, 'POST', 'identity', '/v3/users', {'user': {'name': name, 'password': PASSWORD}})['user']['id']
        project = ADMIN.expect(201, 'POST', 'identity', '/v3/projects', {'project': {'name': name}})['project']['id']
        if number % 2 == 0:  # Every other one may read placement, the rest may not.
            ADMIN.expect(204, 'PUT', 'identity', '/v3/projects/%s/users/%s/roles/%s' % (project, user, role))
        else:
            reader = ADMIN.expect(200, 'GET', 'identity', '/v3/roles?name=reader')['roles'][0]['id']
            ADMIN.expect(204, 'PUT', 'identity', '/v3/projects/%s/users/%s/roles/%s' % (project, user, reader))
        USERS.append((number, CLOUD.session(name, PASSWORD, name)))


def tearDownModule():
    CLOUD.close()


def connect(service):
    return http.client.HTTPConnection(urllib.parse.urlsplit(CLOUD.urls[service]).netloc, timeout=60)


def ask(connection, path, token, method='GET', body=None, **headers):
    headers = {name.replace('_', '-'): value for name, value in headers.items()}
    if token is not None:
        headers['X-Auth-Token'] = token
    connection.request(method, path, body=body, headers=headers)
    answer = connection.getresponse()
    return answer.status, answer.read(), answer.headers


def once(service, *arguments, **more):
    with contextlib.closing(connect(service)) as connection:
        return ask(connection, *arguments, **more)


class MixUps(unittest.TestCase):
    def test_connections_are_shared(self):
        """Each request on a connection has another token than the one before: answered at once, by a worker, with an error, by a service that
        verifies itself."""
        bad, done, end = [], [0] * CONNECTIONS, time.monotonic() + SECONDS

        def client(which):
            chance = random.Random(which)
            identity, placement = connect('identity'), connect('placement')
            while time.monotonic() < end and not bad:
                number, session = chance.choice(USERS)
                kind = chance.randrange(5)
                if kind == 0:
                    status, content, headers = ask(identity, '/v3/auth/tokens', session.token, X_Subject_Token=session.token)
                    right = status == 200 and json.loads(content)['token']['user']['id'] == session.user_id \
                        and headers['X-Subject-Token'] == session.token
                elif kind == 1:
                    status, content, _ = ask(identity, '/v3/users/' + session.user_id, session.token)
                    right = status == 200 and json.loads(content)['user']['name'] == 'mixup-%d' % number
                elif kind == 2:
                    status, content, _ = ask(identity, '/v3/auth/projects', session.token)
                    right = status == 200 and [p['name'] for p in json.loads(content)['projects']] == ['mixup-%d' % number]
                elif kind == 3:
                    status, content, _ = ask(identity, '/v3/auth/tokens', None, X_Subject_Token=session.token)
                    right = status == 401
                else:
                    status, content, _ = ask(placement, '/resource_providers', session.token)
                    right = status == (200 if number % 2 == 0 else 403)
                if not right:
                    bad.append((kind, number, status, content[:300]))
                done[which] += 1
            identity.close()
            placement.close()

        threads = [threading.Thread(target=client, args=(which,)) for which in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(bad, [])
        self.assertGreater(sum(done), 4 * CONNECTIONS)
        print('%d requests on %d connections' % (sum(done), 2 * CONNECTIONS), file=sys.stderr)

    def test_headers_of_services(self):
        """What only middleware may say is not heard from a client, and not heard at all."""
        _, plain = USERS[1]
        claims = {'X_User_Id': ADMIN.user_id, 'X_Roles': 'admin', 'X_Project_Id': ADMIN.project_id, 'X_Is_Admin_Project': 'True',
                  'X_Identity_Status': 'Confirmed', 'X_Service_User_Id': ADMIN.user_id, 'X_Service_Roles': 'service',
                  'X_Service_Identity_Status': 'Confirmed', 'X_User_Name': 'admin', 'OpenStack_System_Scope': 'all'}
        self.assertEqual(once('placement', '/resource_providers', plain.token, **claims)[0], 403)
        self.assertEqual(once('placement', '/resource_providers', None, **claims)[0], 401)
        self.assertEqual(once('identity', '/v3/users', plain.token, **claims)[0], 403)
        status, content, _ = once('identity', '/v3/auth/projects', plain.token, **claims)
        self.assertEqual((status, [p['name'] for p in json.loads(content)['projects']]), (200, ['mixup-1']))
        for name, path, answer in (('placement', '/resource_providers', 401), ('identity', '/v3/users', 403)):
            self.assertEqual(once(name, path, plain.token, X_Service_Token='x')[0], answer)


def part(text):
    return base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


class Forged(unittest.TestCase):
    def tokens(self):
        head, claims, signature = ADMIN.token.split('.')
        header, content = json.loads(part(head)), json.loads(part(claims))
        public = rest.request('GET', CLOUD.urls['identity'] + '/v3/OS-VIRGA/keys')[2]['keys'][0]

        def headed(**change):
            changed = encode(json.dumps(dict(header, **change), separators=(',', ':')).encode())
            return '%s.%s.%s' % (changed, claims, signature)

        for algorithm in ('none', 'None', 'HS256', 'RS256', 'ES256', ''):
            yield headed(alg=algorithm)
        for kid in ('../../etc/passwd', "' OR 1=1 --", '', 'a' * 65, 'nobody', '/dev/null', header['kid'] + '\0'):
            yield headed(kid=kid)
        yield headed(jwk=public)
        yield headed(jku='http://127.0.0.1/keys')
        yield headed(crit=['x'])
        unsigned = encode(json.dumps(dict(header, alg='none'), separators=(',', ':')).encode()) + '.' + claims
        yield unsigned + '.'
        yield unsigned
        hmac_head = encode(json.dumps(dict(header, alg='HS256'), separators=(',', ':')).encode())
        for key in (part(public['x']), public['x'].encode(), json.dumps(public).encode()):
            signed = hmac_head + '.' + claims
            yield signed + '.' + encode(hmac.new(key, signed.encode(), hashlib.sha256).digest())
        for name, value in (('sub', 'mallory'), ('exp_us', 9 * 10 ** 17), ('exp', 9 * 10 ** 11), ('roles', ['admin'])):
            yield '%s.%s.%s' % (head, encode(json.dumps(dict(content, **{name: value}), separators=(',', ':')).encode()), signature)
        for size in (1, 10, len(ADMIN.token) // 2, len(ADMIN.token) - 1):
            yield ADMIN.token[:size]
        # The same bytes written otherwise.
        yield ADMIN.token + '='
        yield ADMIN.token + '=='
        yield ADMIN.token.replace('-', '+').replace('_', '/') if set('-_') & set(ADMIN.token) else ADMIN.token + '+'
        last = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
        yield ADMIN.token[:-1] + last[last.index(ADMIN.token[-1]) ^ 1]
        yield ADMIN.token + '.'
        yield '.' + ADMIN.token
        yield ADMIN.token.replace('.', '..')
        yield 'Bearer ' + ADMIN.token
        yield head + '.' + claims + '.' + encode(b'\0' * 64)
        yield ADMIN.token + 'A' * 7000

    def test_refused_everywhere(self):
        for token in self.tokens():
            for service, path in (('identity', '/v3/projects'), ('identity', '/v3/auth/tokens'), ('placement', '/resource_providers')):
                status, content, _ = once(service, path, token, X_Subject_Token=ADMIN.token)
                self.assertEqual(status, 401, (service, token[:200]))
                self.assertNotIn(ADMIN.user_id.encode(), content)
            status, _, _ = once('identity', '/v3/auth/tokens', ADMIN.token, X_Subject_Token=token)
            self.assertEqual(status, 404, token[:200])

    def test_huge_and_double(self):
        for size in (10000, 40000, 1 << 20):
            try:
                status = once('placement', '/resource_providers', 'A' * size)[0]
            except (ConnectionError, http.client.HTTPException):
                continue  # Cut off while it was still talking.
            self.assertIn(status, (400, 401, 413, 431))
        connection = connect('placement')
        self.addCleanup(connection.close)
        connection.putrequest('GET', '/resource_providers')
        for token in (ADMIN.token, USERS[1][1].token):
            connection.putheader('X-Auth-Token', token)
        connection.endheaders()
        self.assertEqual(connection.getresponse().status, 401)
        self.assertEqual(once('placement', '/resource_providers', ADMIN.token)[0], 200)


class Memory(unittest.TestCase):
    def setUp(self):
        with open(CLOUD.daemon('identity').binary, 'rb') as file:
            self.sanitized = b'__asan_init' in file.read()

    def resident(self):
        with open('/proc/%d/smaps_rollup' % CLOUD.daemon('identity').process.pid(), encoding='ascii') as file:
            return next(int(line.split()[1]) for line in file if line.startswith('Pss:')) / 1024

    def flat(self, what, count, do):
        """'count' times in all; the first part fills what is bounded."""
        for number in range(count // 3):
            do(number)
        before = self.resident()
        for number in range(count // 3, count):
            do(number)
        after = self.resident()
        print('%s: %d times, %.1f MiB, then %.1f MiB' % (what, count, before, after), file=sys.stderr)
        # AddressSanitizer keeps up to 256 MiB of what was freed aside; there only LeakSanitizer, at the end, tells what is left behind.
        self.assertLess(after, before * 1.1 + (300 if self.sanitized else 3))

    def test_unknown_paths(self):
        """Nothing is kept of what nobody has, no path as the label of a metric either."""
        connection = connect('identity')
        self.addCleanup(connection.close)

        def unknown(number):
            method = ('GET', 'POST', 'PATCH', 'BREW', 'DELETE')[number % 5]
            status, _, _ = ask(connection, '/v3/%x/unknown-%d?x=%d' % (number * 7919, number, number), ADMIN.token if number % 2 else None, method)
            self.assertIn(status, (401, 404, 405, 501))
        self.flat('unknown paths', REQUESTS, unknown)
        self.assertIsNone(re.search('unknown-', CLOUD.metrics('identity')))

    def test_failed_logins(self):
        connection = connect('identity')
        self.addCleanup(connection.close)

        def fail(number):
            body = json.dumps({'auth': {'identity': {'methods': ['password'], 'password': {'user': {
                'name': 'stranger-%d' % number if number % 2 else 'mixup-1', 'domain': {'id': 'default'}, 'password': 'wrong %d' % number}}}}})
            self.assertEqual(ask(connection, '/v3/auth/tokens', None, 'POST', body, Content_Type='application/json')[0], 401)
        self.flat('failed logins', LOGINS, fail)

    def test_strange_tokens(self):
        connection = connect('identity')
        self.addCleanup(connection.close)
        head, claims, signature = ADMIN.token.split('.')

        def strange(number):
            header = dict(json.loads(part(head)), kid='kid-%d' % number)
            token = '.'.join((encode(json.dumps(header, separators=(',', ':')).encode()), claims, signature))
            self.assertEqual(ask(connection, '/v3/projects', token)[0], 401)
        self.flat('strange tokens', REQUESTS // 2, strange)


if __name__ == '__main__':
    unittest.main()
