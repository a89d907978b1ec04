#!/usr/bin/python3
"""Upstream's keystonemiddleware, unmodified, in front of a small WSGI application: a service of an existing cloud whose Keystone has been
replaced by our identity. It validates our tokens as it always did."""
import base64
import json
import os
import sys
import threading
import time
import unittest
import uuid
import wsgiref.simple_server

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402
import rest  # noqa: E402

try:
    from cryptography.hazmat.primitives import serialization
    from keystonemiddleware import auth_token
except ImportError as problem:
    raise unittest.SkipTest('python3-keystonemiddleware is not installed (deploy/packages/interop.txt): %s' % problem)

KIND = 'x-interop'
SHOWN = ('X_USER_ID', 'X_USER_NAME', 'X_USER_DOMAIN_NAME', 'X_PROJECT_ID', 'X_PROJECT_NAME', 'X_ROLES', 'X_IDENTITY_STATUS', 'OPENSTACK_SYSTEM_SCOPE',
         'X_SERVICE_USER_ID', 'X_SERVICE_IDENTITY_STATUS')


def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'application/json')])
    return [json.dumps({name: environ.get('HTTP_' + name) for name in SHOWN}).encode()]


class Quiet(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *arguments):
        pass


def setUpModule():
    global CLOUD, ADMIN, SERVER, URL
    CLOUD = Cloud(services=['identity'])
    ADMIN = CLOUD.admin()
    identity = CLOUD.urls['identity']
    service = ADMIN.expect(201, 'POST', 'identity', '/v3/services', {'service': {'type': KIND, 'name': KIND}})['service']['id']
    ADMIN.expect(201, 'POST', 'identity', '/v3/endpoints', {'endpoint': {'service_id': service, 'interface': 'public', 'url': 'http://x'}})
    wrapped = auth_token.AuthProtocol(application, {
        'www_authenticate_uri': identity, 'auth_url': identity, 'auth_type': 'password', 'username': 'placement',
        'password': CLOUD.layout.secret('user-placement'), 'user_domain_name': 'Default', 'project_name': 'service',
        'project_domain_name': 'Default', 'token_cache_time': '-1', 'service_token_roles_required': 'true', 'service_token_roles': 'service',
        'service_type': KIND, 'http_request_max_retries': '1'})
    SERVER = wsgiref.simple_server.make_server('127.0.0.1', 0, wrapped, handler_class=Quiet)
    threading.Thread(target=SERVER.serve_forever, daemon=True).start()
    URL = 'http://127.0.0.1:%d' % SERVER.server_port


def tearDownModule():
    SERVER.shutdown()
    SERVER.server_close()
    CLOUD.close()


def ask(token=None, method='GET', path='/', **headers):
    if token is not None:
        headers['X-Auth-Token'] = token
    status, answered, body = rest.request(method, URL + path, headers=headers)
    return status, answered, body


def service_session():
    return rest.authenticate(CLOUD.urls, 'placement', CLOUD.layout.secret('user-placement'), 'service')


def part(text):
    return base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


def expired(token):
    """The same token with a life that is over, signed as identity would have."""
    head, claims, _ = token.split('.')
    claims = json.loads(part(claims))
    for name in claims:
        if name in ('iat', 'exp'):
            claims[name] -= 20000
        elif name in ('iat_us', 'exp_us'):
            claims[name] -= 20000 * 1000000
    path = os.path.join(CLOUD.layout.path('state'), 'identity', 'keys', json.loads(part(head))['kid'] + '.pem')
    with open(path, 'rb') as file:
        key = serialization.load_pem_private_key(file.read(), None)
    signed = head + '.' + encode(json.dumps(claims, separators=(',', ':')).encode())
    return signed + '.' + encode(key.sign(signed.encode()))


class Middleware(unittest.TestCase):
    def test_valid(self):
        status, _, body = ask(ADMIN.token)
        self.assertEqual(status, 200, body)
        self.assertEqual((body['X_USER_ID'], body['X_USER_NAME'], body['X_USER_DOMAIN_NAME']), (ADMIN.user_id, 'admin', 'Default'))
        self.assertEqual((body['X_PROJECT_ID'], body['X_PROJECT_NAME']), (ADMIN.project_id, 'admin'))
        self.assertIn('admin', body['X_ROLES'].split(','))
        self.assertEqual(body['X_IDENTITY_STATUS'], 'Confirmed')

    def test_scopes(self):
        password = CLOUD.layout.secret('user-admin')
        system = rest.authenticate(CLOUD.urls, 'admin', password, scope={'system': {'all': True}})
        self.assertEqual(ask(system.token)[2]['OPENSTACK_SYSTEM_SCOPE'], 'all')
        unscoped = rest.authenticate(CLOUD.urls, 'admin', password, scope='unscoped')
        status, _, body = ask(unscoped.token)
        self.assertEqual((status, body['X_PROJECT_ID'], body['X_USER_ID']), (200, None, ADMIN.user_id))

    def test_refused(self):
        for token in (None, 'x', ADMIN.token[:-4] + 'AAAA', ADMIN.token + 'A', '.'.join(ADMIN.token.split('.')[:2]) + '.'):
            status, headers, _ = ask(token)
            self.assertEqual(status, 401, token)
            self.assertIn(CLOUD.urls['identity'], headers['WWW-Authenticate'])

    def test_what_the_client_claims_is_dropped(self):
        status, _, body = ask(ADMIN.token, **{'X-User-Id': 'mallory', 'X-Roles': 'god', 'X-Service-User-Id': 'mallory'})
        self.assertEqual((status, body['X_USER_ID'], body['X_SERVICE_USER_ID']), (200, ADMIN.user_id, None))
        self.assertNotIn('god', body['X_ROLES'])

    def test_revoked(self):
        session = CLOUD.admin()
        self.assertEqual(ask(session.token)[0], 200)
        ADMIN.expect(204, 'DELETE', 'identity', '/v3/auth/tokens', headers={'X-Subject-Token': session.token})
        self.assertEqual(ask(session.token)[0], 401)

    def test_user_disabled(self):
        name = 'u' + uuid.uuid4().hex[:8]
        user = ADMIN.expect(201, 'POST', 'identity', '/v3/users', {'user': {'name': name, 'password': 'correct horse'}})['user']['id']
        session = rest.authenticate(CLOUD.urls, name, 'correct horse')
        self.assertEqual(ask(session.token)[0], 200)
        ADMIN.expect(200, 'PATCH', 'identity', '/v3/users/' + user, {'user': {'enabled': False}})
        self.assertEqual(ask(session.token)[0], 401)

    def test_service_token(self):
        service = service_session()
        status, _, body = ask(ADMIN.token, **{'X-Service-Token': service.token})
        self.assertEqual((status, body['X_SERVICE_USER_ID'], body['X_SERVICE_IDENTITY_STATUS']), (200, service.user_id, 'Confirmed'))
        status, _, _ = ask(ADMIN.token, **{'X-Service-Token': 'x'})
        self.assertEqual(status, 401)

    def test_expired(self):
        """Alone it is refused; with a service's token it may carry on what was begun in time."""
        over = expired(CLOUD.admin().token)
        self.assertEqual(ask(over)[0], 401)
        status, _, body = ask(over, **{'X-Service-Token': service_session().token})
        self.assertEqual((status, body.get('X_USER_ID') if status == 200 else body), (200, ADMIN.user_id))
        self.assertEqual(ask(over, **{'X-Service-Token': ADMIN.token})[0], 401)  # No service's.

    def test_access_rules(self):
        made = ADMIN.expect(201, 'POST', 'identity', '/v3/users/%s/application_credentials' % ADMIN.user_id, {'application_credential': {
            'name': uuid.uuid4().hex, 'access_rules': [{'service': KIND, 'method': 'GET', 'path': '/v1/things/*'}]}})['application_credential']
        status, headers, _ = rest.request('POST', CLOUD.urls['identity'] + '/v3/auth/tokens', {'auth': {'identity': {
            'methods': ['application_credential'], 'application_credential': {'id': made['id'], 'secret': made['secret']}}}})
        self.assertEqual(status, 201)
        token = headers['X-Subject-Token']
        for method, path, wanted in (('GET', '/v1/things/7', 200), ('POST', '/v1/things/7', 401), ('GET', '/v1/others/7', 401),
                                     ('GET', '/v1/things/7/parts', 401)):
            self.assertEqual(ask(token, method, path)[0], wanted, (method, path))

    def test_identity_away(self):
        CLOUD.daemon('identity').process.stop()
        self.addCleanup(CLOUD.restart)
        begin = time.monotonic()
        self.assertEqual(ask(ADMIN.token)[0], 503)
        self.assertLess(time.monotonic() - begin, 30)


if __name__ == '__main__':
    unittest.main()
