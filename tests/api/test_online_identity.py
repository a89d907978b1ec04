#!/usr/bin/python3
"""A service of ours in a cloud whose identity is another Keystone: it shows the tokens it is given to it, believes its word for a while,
and says 503 while it is away."""
import concurrent.futures
import datetime
import http.server
import json
import os
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402
import rest  # noqa: E402


class Keystone:
    """As much of upstream's as keystonemiddleware uses. Tokens are any text, as Fernet's are."""

    def __init__(self):
        self.tokens, self.shown, self.logins, self.refuse_service, self.away = {}, [], 0, False, False
        self.over = {}  # Those that have expired.
        keystone = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def answer(self, status, body, **headers):
                content = json.dumps(body).encode()
                self.send_response(status)
                for name, value in dict(headers, Content_Type='application/json', Content_Length=str(len(content))).items():
                    self.send_header(name.replace('_', '-'), value)
                self.end_headers()
                self.wfile.write(content)

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers['Content-Length'])))
                keystone.logins += 1
                user = body['auth']['identity']['password']['user']
                if keystone.refuse_service or user['password'] != 'right':
                    return self.answer(401, {'error': {'code': 401, 'message': 'no'}})
                token = 'gAAAA-service-%d' % keystone.logins
                keystone.tokens[token] = keystone.body(user['name'], ['service'], 'service')
                return self.answer(201, {'token': keystone.tokens[token]}, X_Subject_Token=token)

            def do_GET(self):
                if keystone.away:
                    self.close_connection = True
                    return None
                subject = self.headers['X-Subject-Token']
                keystone.shown.append((subject, self.path, self.headers['OpenStack-Identity-Access-Rules']))
                if self.headers['X-Auth-Token'] not in keystone.tokens:
                    return self.answer(401, {'error': {'code': 401, 'message': 'no'}})
                if subject not in keystone.tokens and not ('allow_expired=1' in self.path and subject in keystone.over):
                    return self.answer(404, {'error': {'code': 404, 'message': 'Could not find token.'}})
                return self.answer(200, {'token': keystone.tokens.get(subject) or keystone.over[subject]})

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = 'http://127.0.0.1:%d/v3' % self.server.server_port

    def body(self, name, roles, project):
        domain = {'id': 'default', 'name': 'Default'}
        return {'user': {'id': 'id-' + name, 'name': name, 'domain': domain}, 'project': {'id': 'p-' + project, 'name': project, 'domain': domain},
                'roles': [{'id': role, 'name': role} for role in roles], 'methods': ['password'], 'audit_ids': ['abc'],
                'issued_at': '2026-01-01T00:00:00.000000Z', 'expires_at': '2099-01-01T00:00:00.000000Z', 'catalog': []}

    def count(self, token):
        return sum(subject == token for subject, _, _ in self.shown)


def setUpModule():
    global CLOUD, KEYSTONE
    KEYSTONE = Keystone()
    CLOUD = Cloud(services=['placement'], settings={'placement': {'auth': {
        'mode': 'online', 'identity_url': KEYSTONE.url, 'username': 'placement', 'password': 'right', 'token_cache_time': 2}}})


def tearDownModule():
    CLOUD.close()
    KEYSTONE.server.shutdown()
    KEYSTONE.server.server_close()


def ask(token):
    return rest.request('GET', CLOUD.urls['placement'] + '/resource_providers', headers={'X-Auth-Token': token})[0]


class Online(unittest.TestCase):
    def give(self, name, *roles):
        token = 'gAAAAA' + name
        KEYSTONE.tokens[token] = KEYSTONE.body(name, roles, 'demo')
        return token

    def test_good_and_kept(self):
        token = self.give('admin', 'admin')
        for _ in range(20):
            self.assertEqual(ask(token), 200)
        self.assertLessEqual(KEYSTONE.count(token), 2)
        shown = next(s for s in KEYSTONE.shown if s[0] == token)
        self.assertEqual(shown[1:], ('/v3/auth/tokens?nocatalog', '1.0'))

    def test_roles_count(self):
        self.assertEqual(ask(self.give('nobody', 'reader')), 403)

    def test_unknown(self):
        for _ in range(5):
            self.assertEqual(ask('gAAAAAstranger'), 401)
        self.assertLessEqual(KEYSTONE.count('gAAAAAstranger'), 2)

    def test_revoked_within_the_time(self):
        token = self.give('gone', 'admin')
        self.assertEqual(ask(token), 200)
        del KEYSTONE.tokens[token]
        status = 200
        for _ in range(60):
            status = ask(token)
            if status == 401:
                break
            threading.Event().wait(0.1)
        self.assertEqual(status, 401)

    def test_our_own_token_is_renewed(self):
        """When identity no longer knows the service's token it logs in again, and nobody else notices."""
        self.assertEqual(ask(self.give('first', 'admin')), 200)
        for token in [t for t in KEYSTONE.tokens if 'service' in t]:
            del KEYSTONE.tokens[token]
        self.assertEqual(ask(self.give('second', 'admin')), 200)

    def test_our_own_user_is_refused(self):
        """That is our trouble, not the client's: 503."""
        token = self.give('innocent', 'admin')
        for known in [t for t in KEYSTONE.tokens if 'service' in t]:
            del KEYSTONE.tokens[known]
        KEYSTONE.refuse_service = True
        try:
            self.assertEqual(ask(token), 503)
        finally:
            KEYSTONE.refuse_service = False
        self.assertTrue(self.recovers(token))

    def recovers(self, token):
        for _ in range(100):
            if ask(token) == 200:
                return True
            threading.Event().wait(0.1)
        return False

    def test_expired_with_a_service_token(self):
        """What was begun in time a service may carry on; Keystone is asked for that in its own words."""
        over, service = 'gAAAAAover', self.give('nova', 'service')
        ended = datetime.datetime.fromtimestamp(time.time() - 5, datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%S.000000Z')
        KEYSTONE.over[over] = dict(KEYSTONE.body('slow', ['admin'], 'demo'), expires_at=ended)
        self.assertEqual(ask(over), 401)
        for token, answer in ((service, 200), (self.give('no-service', 'admin'), 401), ('gAAAAAwrong', 401)):
            status, _, _ = rest.request('GET', CLOUD.urls['placement'] + '/resource_providers', headers={'X-Auth-Token': over, 'X-Service-Token': token})
            self.assertEqual(status, answer, token)
        self.assertEqual(ask(over), 401)

    def test_nonsense(self):
        broken = self.give('broken', 'admin')
        KEYSTONE.tokens[broken] = {'user': 'me'}
        self.assertEqual(ask(broken), 503)
        self.assertTrue(self.recovers(self.give('whole', 'admin')))

    def test_many_at_once(self):
        tokens = [self.give('many-%d' % number, 'admin') for number in range(5)]
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            self.assertEqual(set(pool.map(ask, tokens * 8)), {200})


class Away(unittest.TestCase):
    def test_away(self):
        """Alone, since it ends the fake."""
        keystone = Keystone()
        with Cloud(services=['placement'], settings={'placement': {'auth': {
                'mode': 'online', 'identity_url': keystone.url, 'username': 'placement', 'password': 'right', 'token_cache_time': 60}}}) as cloud:
            def at(token):
                return rest.request('GET', cloud.urls['placement'] + '/resource_providers', headers={'X-Auth-Token': token})[0]
            keystone.tokens['known'] = keystone.tokens['other'] = keystone.body('a', ['admin'], 'demo')
            self.assertEqual(at('known'), 200)
            keystone.away = True  # Also on the connection that is open.
            keystone.server.shutdown()
            keystone.server.server_close()
            self.assertEqual(at('other'), 503)
            self.assertEqual(at('known'), 200)


if __name__ == '__main__':
    unittest.main()
