#!/usr/bin/python3
"""OAuth 1.0a, the real daemon: a consumer gets a request token, a user authorizes it, the consumer acts for him with no more than he
gave; and what is tried with signatures that are not right, used twice, or another's."""
import base64
import hashlib
import hmac
import json
import os
import sys
import time
import unittest
import urllib.parse
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402
import rest  # noqa: E402

PASSWORD = 'correct horse'


def setUpModule():
    global CLOUD, ADMIN, URL, ROLES
    CLOUD = Cloud(services=['identity'])
    ADMIN = CLOUD.admin()
    URL = CLOUD.urls['identity']
    ROLES = {r['name']: r['id'] for r in ADMIN.expect(200, 'GET', 'identity', '/v3/roles')['roles']}


def tearDownModule():
    CLOUD.close()


def unique(prefix='x'):
    return '%s-%s' % (prefix, uuid.uuid4().hex[:12])


def quote(text):
    return urllib.parse.quote(text, safe='-._~')


def header(method, url, consumer, consumer_secret=None, token_secret='', **params):
    """An Authorization header, signed as RFC 5849 says; 'params' replace what would stand in it, None leaves it out."""
    p = {'oauth_consumer_key': consumer['id'], 'oauth_signature_method': 'HMAC-SHA1', 'oauth_timestamp': str(int(time.time())),
         'oauth_nonce': uuid.uuid4().hex, 'oauth_version': '1.0'}
    p.update(params)
    p = {k: v for k, v in p.items() if v is not None}
    text = '&'.join('%s=%s' % x for x in sorted((quote(k), quote(v)) for k, v in p.items() if k != 'oauth_signature'))
    base = '&'.join([method, quote(url), quote(text)])
    key = quote(consumer_secret or consumer['secret']) + '&' + quote(token_secret)
    p.setdefault('oauth_signature', base64.b64encode(hmac.new(key.encode(), base.encode(), hashlib.sha1).digest()).decode())
    return 'OAuth realm="x", ' + ', '.join('%s="%s"' % (k, quote(v)) for k, v in p.items())


def consumer(**members):
    return ADMIN.expect(201, 'POST', 'identity', '/v3/OS-OAUTH1/consumers', {'consumer': members})['consumer']


def post(path, headers, body=None):
    status, sent, content = rest.request('POST', URL + path, body, headers)
    if isinstance(content, bytes):
        content = content.decode()
    if status == 201 and isinstance(content, str):
        content = dict(urllib.parse.parse_qsl(content, strict_parsing=True))
    return status, sent, content


def ask_request(c, project_id, **params):
    path = '/v3/OS-OAUTH1/request_token'
    return post(path, {'Authorization': header('POST', URL + path, c, **dict({'oauth_callback': 'oob'}, **params)), 'Requested-Project-Id': project_id})


def ask_access(c, request, verifier, **params):
    path = '/v3/OS-OAUTH1/access_token'
    return post(path, {'Authorization': header('POST', URL + path, c, **dict(
        {'token_secret': request['oauth_token_secret'], 'oauth_token': request['oauth_token'], 'oauth_verifier': verifier}, **params))})


BODY = {'auth': {'identity': {'methods': ['oauth1'], 'oauth1': {}}}}


def login(c, access, body=BODY, **params):
    path = '/v3/auth/tokens'
    return post(path, {'Authorization': header('POST', URL + path, c, **dict(
        {'token_secret': access['oauth_token_secret'], 'oauth_token': access['oauth_token']}, **params))}, body)


class Flow(unittest.TestCase):
    """The authorizing user administers a project; he leaves the consumer the role of a reader there."""

    def setUp(self):
        self.project = ADMIN.expect(201, 'POST', 'identity', '/v3/projects', {'project': {'name': unique()}})['project']
        self.user = ADMIN.expect(201, 'POST', 'identity', '/v3/users', {'user': {'name': unique(), 'password': PASSWORD}})['user']
        ADMIN.expect(204, 'PUT', 'identity', '/v3/projects/%s/users/%s/roles/%s' % (self.project['id'], self.user['id'], ROLES['admin']))
        self.session = CLOUD.session(self.user['name'], PASSWORD, self.project['name'])
        self.consumer = consumer(description='d')

    def request_token(self):
        status, headers, content = ask_request(self.consumer, self.project['id'])
        self.assertEqual(status, 201, content)
        self.assertEqual(headers['Content-Type'], 'application/x-www-form-urlencoded')
        self.assertEqual(set(content), {'oauth_token', 'oauth_token_secret', 'oauth_expires_at'})
        return content

    def authorize(self, request, *roles, session=None):
        return (session or self.session).request('PUT', 'identity', '/v3/OS-OAUTH1/authorize/' + request['oauth_token'],
                                                 {'roles': [{'id': ROLES[r]} for r in roles]})

    def access_token(self, *roles):
        request = self.request_token()
        status, _, content = self.authorize(request, *(roles or ['reader']))
        self.assertEqual(status, 200, content)
        status, _, content = ask_access(self.consumer, request, content['token']['oauth_verifier'])
        self.assertEqual(status, 201, content)
        return content

    def test_consumers(self):
        c = self.consumer
        self.assertEqual(c, {'id': c['id'], 'secret': c['secret'], 'description': 'd', 'links': {'self': URL + '/v3/OS-OAUTH1/consumers/' + c['id']}})
        path = '/v3/OS-OAUTH1/consumers/' + c['id']
        shown = {k: v for k, v in c.items() if k != 'secret'}
        self.assertEqual(ADMIN.expect(200, 'GET', 'identity', path)['consumer'], shown)
        self.assertIn(shown, ADMIN.expect(200, 'GET', 'identity', '/v3/OS-OAUTH1/consumers')['consumers'])
        self.assertEqual(ADMIN.expect(200, 'PATCH', 'identity', path, {'consumer': {'description': 'new'}})['consumer'], dict(shown, description='new'))
        for wrong in ({}, {'secret': 'mine'}, {'description': 7}):
            ADMIN.expect(400, 'PATCH', 'identity', path, {'consumer': wrong})
        self.assertNotEqual(consumer(secret='mine')['secret'], 'mine')
        ADMIN.expect(204, 'DELETE', 'identity', path)
        ADMIN.expect(404, 'GET', 'identity', path)

    def test_login(self):
        access = self.access_token('reader')
        status, headers, content = login(self.consumer, access)
        self.assertEqual(status, 201, content)
        token = content['token']
        self.assertEqual((token['user']['id'], token['project']['id'], token['methods']), (self.user['id'], self.project['id'], ['oauth1']))
        self.assertEqual([r['name'] for r in token['roles']], ['reader'])
        self.assertEqual(token['OS-OAUTH1'], {'access_token_id': access['oauth_token'], 'consumer_id': self.consumer['id']})
        shown = ADMIN.expect(200, 'GET', 'identity', '/v3/auth/tokens', headers={'X-Subject-Token': headers['X-Subject-Token']})
        self.assertEqual(shown['token']['OS-OAUTH1'], token['OS-OAUTH1'])
        s = rest.Session(CLOUD.urls, headers['X-Subject-Token'], token)
        # Not the administrator that its user is, and nothing that would make it more.
        s.expect(403, 'GET', 'identity', '/v3/users')
        s.expect(403, 'POST', 'identity', '/v3/users/%s/application_credentials' % self.user['id'], {'application_credential': {'name': unique()}})
        s.expect(403, 'POST', 'identity', '/v3/OS-TRUST/trusts', {'trust': {'trustor_user_id': self.user['id'], 'trustee_user_id': self.user['id'],
                                                                            'impersonation': True, 'project_id': self.project['id'], 'roles': []}})
        for scope in (None, {'project': {'id': self.project['id']}}, 'unscoped'):
            auth = {'identity': {'methods': ['token'], 'token': {'id': s.token}}}
            self.assertEqual(rest.request('POST', URL + '/v3/auth/tokens', {'auth': dict(auth, **({'scope': scope} if scope else {}))})[0], 403)

    def test_delegated_tokens_authorize_nothing(self):
        access = self.access_token('admin')
        _, headers, content = login(self.consumer, access)
        s = rest.Session(CLOUD.urls, headers['X-Subject-Token'], content['token'])
        self.assertEqual(self.authorize(self.request_token(), 'admin', session=s)[0], 403)

    def test_another_scope_is_not_given(self):
        other = ADMIN.expect(201, 'POST', 'identity', '/v3/projects', {'project': {'name': unique()}})['project']
        ADMIN.expect(204, 'PUT', 'identity', '/v3/projects/%s/users/%s/roles/%s' % (other['id'], self.user['id'], ROLES['admin']))
        body = {'auth': dict(BODY['auth'], scope={'project': {'id': other['id']}})}
        status, _, content = login(self.consumer, self.access_token('reader'), body)
        self.assertEqual((status, content['token']['project']['id']), (201, self.project['id']))

    def test_what_ends_it(self):
        def working(access):
            _, headers, content = login(self.consumer, access)
            return rest.Session(CLOUD.urls, headers['X-Subject-Token'], content['token'])
        first, second = self.access_token(), self.access_token()
        a, b = working(first), working(second)
        path = '/v3/users/%s/OS-OAUTH1/access_tokens' % self.user['id']
        ADMIN.expect(204, 'DELETE', 'identity', path + '/' + first['oauth_token'])
        a.expect(401, 'GET', 'identity', '/v3/auth/projects')
        b.expect(200, 'GET', 'identity', '/v3/auth/projects')
        self.session.expect(200, 'GET', 'identity', '/v3/auth/projects')
        self.assertEqual(login(self.consumer, first)[0], 401)
        ADMIN.expect(204, 'DELETE', 'identity', '/v3/OS-OAUTH1/consumers/' + self.consumer['id'])
        b.expect(401, 'GET', 'identity', '/v3/auth/projects')
        self.assertEqual(login(self.consumer, second)[0], 401)
        self.assertEqual(ADMIN.expect(200, 'GET', 'identity', path)['access_tokens'], [])

    def test_a_lost_role_is_lost(self):
        access = self.access_token('reader')
        ADMIN.expect(204, 'DELETE', 'identity', '/v3/projects/%s/users/%s/roles/%s' % (self.project['id'], self.user['id'], ROLES['admin']))
        self.assertEqual(login(self.consumer, access)[0], 401)

    def test_a_disabled_user(self):
        access = self.access_token('reader')
        ADMIN.expect(200, 'PATCH', 'identity', '/v3/users/' + self.user['id'], {'user': {'enabled': False}})
        self.assertEqual(login(self.consumer, access)[0], 401)

    def test_access_tokens(self):
        access = self.access_token('reader', 'member')
        base = '/v3/users/%s/OS-OAUTH1/access_tokens' % self.user['id']
        path = base + '/' + access['oauth_token']
        shown = ADMIN.expect(200, 'GET', 'identity', path)['access_token']
        self.assertEqual(shown, {'id': access['oauth_token'], 'consumer_id': self.consumer['id'], 'project_id': self.project['id'],
                                 'authorizing_user_id': self.user['id'], 'expires_at': access['oauth_expires_at'],
                                 'links': {'self': URL + path, 'roles': URL + path + '/roles'}})
        self.assertEqual(ADMIN.expect(200, 'GET', 'identity', base)['access_tokens'], [shown])
        self.assertEqual({r['name'] for r in ADMIN.expect(200, 'GET', 'identity', path + '/roles')['roles']}, {'reader', 'member'})
        self.assertEqual(ADMIN.expect(200, 'GET', 'identity', path + '/roles/' + ROLES['reader'])['role']['name'], 'reader')
        ADMIN.expect(404, 'GET', 'identity', path + '/roles/' + ROLES['admin'])
        another = base.replace(self.user['id'], ADMIN.user_id) + '/' + access['oauth_token']
        for where in (another, another + '/roles'):
            ADMIN.expect(404, 'GET', 'identity', where)
        ADMIN.expect(404, 'DELETE', 'identity', another)

    def test_authorization(self):
        request = self.request_token()
        manager = ADMIN.expect(201, 'POST', 'identity', '/v3/roles', {'role': {'name': unique()}})['role']['id']
        for status, roles in ((401, [{'id': manager}]), (404, [{'name': unique()}]), (400, [{}]), (400, [{'id': ROLES['reader'], 'name': 'reader'}]),
                              (400, ['reader']), (400, 'reader')):
            got, _, content = self.session.request('PUT', 'identity', '/v3/OS-OAUTH1/authorize/' + request['oauth_token'], {'roles': roles})
            self.assertEqual(got, status, content)
        self.assertEqual(self.session.request('PUT', 'identity', '/v3/OS-OAUTH1/authorize/' + uuid.uuid4().hex, {'roles': []})[0], 404)
        status, _, content = ask_access(self.consumer, request, 'aaaaaaaa')
        self.assertEqual((status, content['error']['message']), (401, 'Request Token does not have an authorizing user id.'))
        verifier = self.authorize(request, 'reader')[2]['token']['oauth_verifier']
        self.assertRegex(verifier, '^[A-Za-z0-9]{8}$')
        self.assertEqual(ask_access(self.consumer, request, verifier[::-1] + 'x')[0], 401)
        self.assertEqual(ask_access(consumer(), request, verifier)[0], 401)
        self.assertEqual(ask_access(self.consumer, request, verifier)[0], 201)
        self.assertEqual(ask_access(self.consumer, request, verifier)[0], 404, 'used twice')

    def test_wrong_signatures(self):
        access = self.access_token('reader')
        now = int(time.time())
        for wrong in ({'token_secret': 'x'}, {'consumer_secret': 'x'}, {'oauth_signature': 'AAAA'}, {'oauth_signature': ''}, {'oauth_signature_method': 'PLAINTEXT'},
                      {'oauth_signature_method': None}, {'oauth_timestamp': str(now - 700)}, {'oauth_timestamp': str(now + 700)}, {'oauth_timestamp': 'x'},
                      {'oauth_timestamp': '9' * 30}, {'oauth_nonce': None}, {'oauth_version': '2.0'}, {'oauth_token': uuid.uuid4().hex},
                      {'oauth_consumer_key': uuid.uuid4().hex}, {'oauth_consumer_key': consumer()['id']}, {'oauth_token': "' OR ''='"}):
            with self.subTest(wrong=wrong):
                status, headers, content = login(self.consumer, access, **wrong)
                self.assertEqual(status, 401, content)
                self.assertNotIn('X-Subject-Token', headers)
        for wrong in ({'oauth_signature': 'AAAA'}, {'consumer_secret': 'x'}):
            self.assertEqual(ask_request(self.consumer, self.project['id'], **wrong)[0], 401)
        self.assertEqual(ask_request(self.consumer, uuid.uuid4().hex)[0], 404)
        self.assertEqual(ask_request({'id': uuid.uuid4().hex, 'secret': 'x'}, self.project['id'])[0], 404)
        self.assertEqual(login(self.consumer, access, oauth_token=None)[0], 400)
        for text in ('', 'Basic YTpi', 'OAuth x', 'OAuth ' + 'a="b",' * 5000):
            self.assertEqual(post('/v3/auth/tokens', {'Authorization': text}, BODY)[0], 400, text[:20])
        self.assertEqual(post('/v3/auth/tokens', {}, BODY)[0], 400)

    def test_replay(self):
        access = self.access_token('reader')
        path = '/v3/auth/tokens'
        text = header('POST', URL + path, self.consumer, token_secret=access['oauth_token_secret'], oauth_token=access['oauth_token'])
        self.assertEqual(post(path, {'Authorization': text}, BODY)[0], 201)
        self.assertEqual(post(path, {'Authorization': text}, BODY)[0], 401)

    def test_no_secret_comes_back(self):
        access = self.access_token('reader')
        for path in ('/v3/OS-OAUTH1/consumers', '/v3/users/%s/OS-OAUTH1/access_tokens' % self.user['id']):
            text = json.dumps(ADMIN.expect(200, 'GET', 'identity', path))
            for secret in (self.consumer['secret'], access['oauth_token_secret']):
                self.assertNotIn(secret, text)


if __name__ == '__main__':
    unittest.main()
