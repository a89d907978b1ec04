#!/usr/bin/python3
"""Tokens: what their body says, rescoping and its limits, chains of audit ids, who may look at whose, expired tokens beside a service's
own, tokens in another service while the broker is away, and OAuth 2.0's client credentials."""
import base64
import os
import sys
import time
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402
import rest  # noqa: E402

PASSWORD = 'correct horse'
POLL_S = 2  # What the image service is configured with: the bound on staleness while the broker is away.
WINDOW_S = 5  # How long an expired token serves beside a service's own.
HEARD_S = 2.0
AUTH_TOKENS = '/v3/auth/tokens'


def setUpModule():
    global CLOUD, ADMIN, ROLES, URL
    CLOUD = Cloud(services=['identity', 'image'], settings={
        'identity': {'auth': {'expired_token_window': WINDOW_S}},
        'image': {'auth': {'expired_token_window': WINDOW_S, 'revocation_poll': POLL_S}}})
    ADMIN = CLOUD.admin()
    URL = CLOUD.urls['identity']
    until = time.monotonic() + 10
    while ADMIN.request('GET', 'image', '/v2/images')[0] == 503 and time.monotonic() < until:
        time.sleep(0.1)  # It has only just started: until it verifies tokens.
    ROLES = {r['name']: r['id'] for r in ADMIN.expect(200, 'GET', 'identity', '/v3/roles')['roles']}


def tearDownModule():
    CLOUD.close()


def make(kind, **members):
    members.setdefault('name', kind + '-' + uuid.uuid4().hex[:12])
    return ADMIN.expect(201, 'POST', 'identity', '/v3/%ss' % kind, {kind: members})[kind]


def give(role, where, user, method='PUT'):
    ADMIN.expect(204, method, 'identity', '/v3/%s/users/%s/roles/%s' % (where, user['id'], ROLES[role]))


def ask(body, url=None, query=''):
    status, headers, content = rest.request('POST', (url or URL) + AUTH_TOKENS + query, {'auth': body})
    if status != 201:
        return status, content
    return status, rest.Session(dict(CLOUD.urls, identity=url or URL), headers['X-Subject-Token'], content['token'])


def login(user, scope=None, url=None, query='', password=PASSWORD):
    body = {'identity': {'methods': ['password'], 'password': {'user': {'id': user['id'], 'password': password}}}}
    if scope is not None:
        body['scope'] = scope
    return ask(body, url, query)


def exchange(session, scope=None, url=None):
    body = {'identity': {'methods': ['token'], 'token': {'id': session.token}}}
    if scope is not None:
        body['scope'] = scope
    return ask(body, url)


def project_scope(project):
    return {'project': {'id': project['id']}}


class Case(unittest.TestCase):
    def setUp(self):
        self.user, self.project, self.second = make('user', password=PASSWORD), make('project'), make('project')
        for p in (self.project, self.second):
            give('member', 'projects/' + p['id'], self.user)
        self.session = self.get(login(self.user, project_scope(self.project)))

    def get(self, answer, status=201):
        self.assertEqual(answer[0], status, answer[1])
        return answer[1]

    def call(self, status, method, path, session=None, subject=None, service='identity', **headers):
        if subject is not None:
            headers['X-Subject-Token'] = subject.token
        got, _, content = (session or self.session).request(method, service, path, headers=headers)
        self.assertEqual(got, status, '%s %s: %s' % (method, path, content))
        return content

    def alive(self, session, status=200):
        self.call(status, 'GET', '/v3/auth/projects', session)


class Body(Case):
    MEMBERS = {'methods', 'user', 'audit_ids', 'expires_at', 'issued_at'}

    def test_members(self):
        domain = make('domain')
        user = make('user', password=PASSWORD, domain_id=domain['id'])
        give('reader', 'domains/' + domain['id'], user)
        give('reader', 'system', user)
        give('member', 'projects/' + self.project['id'], user)
        for scope, more in (('unscoped', set()), (project_scope(self.project), {'project', 'is_domain', 'roles', 'catalog'}),
                            ({'domain': {'name': domain['name']}}, {'domain', 'roles', 'catalog'}),
                            ({'system': {'all': True}}, {'system', 'roles', 'catalog'})):
            body = self.get(login(user, scope)).auth
            self.assertEqual(set(body), self.MEMBERS | more, scope)
            self.assertEqual(body['user'], {'id': user['id'], 'name': user['name'], 'domain': {'id': domain['id'], 'name': domain['name']},
                                            'password_expires_at': None})
            for role in body.get('roles', []):
                self.assertEqual(set(role), {'id', 'name'})
            for time_ in (body['expires_at'], body['issued_at']):
                self.assertRegex(time_, r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$')
        self.assertEqual(self.session.auth['project'], {'id': self.project['id'], 'name': self.project['name'],
                                                        'domain': {'id': 'default', 'name': 'Default'}})

    def test_nocatalog(self):
        session = self.get(login(self.user, project_scope(self.project), query='?nocatalog'))
        self.assertNotIn('catalog', session.auth)
        self.assertNotIn('catalog', self.call(200, 'GET', AUTH_TOKENS + '?nocatalog', ADMIN, session)['token'])
        self.assertIn('catalog', self.call(200, 'GET', AUTH_TOKENS, ADMIN, session)['token'])

    def test_head(self):
        status, headers, content = ADMIN.request('HEAD', 'identity', AUTH_TOKENS, headers={'X-Subject-Token': self.session.token})
        self.assertEqual((status, content), (200, b''))
        self.assertEqual(headers['X-Subject-Token'], self.session.token)
        self.call(404, 'HEAD', AUTH_TOKENS, ADMIN, **{'X-Subject-Token': 'x'})

    def test_scopes_that_are_closed(self):
        project, domain = make('project'), make('domain')
        give('member', 'projects/' + project['id'], self.user)
        give('member', 'domains/' + domain['id'], self.user)
        ADMIN.expect(200, 'PATCH', 'identity', '/v3/projects/' + project['id'], {'project': {'enabled': False}})
        ADMIN.expect(200, 'PATCH', 'identity', '/v3/domains/' + domain['id'], {'domain': {'enabled': False}})
        for scope in (project_scope(project), {'domain': {'id': domain['id']}}, {'domain': {'name': domain['name']}},
                      {'project': {'name': project['name'], 'domain': {'name': 'Default'}}}, {'system': {'all': True}},
                      {'project': {'name': self.project['name'], 'domain': {'id': domain['id']}}}):
            self.get(login(self.user, scope), 401)
        for scope in ({}, {'project': {}}, {'project': {'name': 'x'}}, {'domain': {}}, {'system': {}}, {'system': {'all': False}},
                      {'project': {'id': 'a'}, 'system': {'all': True}}, {'project': {'id': 3}}):
            self.get(login(self.user, scope), 400)


class Rescoping(Case):
    def test_never_longer(self):
        first = self.get(login(self.user, 'unscoped'))
        then = self.get(exchange(first, project_scope(self.project)))
        last = self.get(exchange(then, project_scope(self.second)))
        unscoped = self.get(exchange(last, 'unscoped'))
        for s in (then, last, unscoped):
            self.assertEqual(s.auth['expires_at'], first.auth['expires_at'])
            self.assertGreater(s.auth['issued_at'], first.auth['issued_at'])
            self.assertEqual(s.auth['audit_ids'][1], first.auth['audit_ids'][0])
            self.assertEqual(set(s.auth['methods']), {'password', 'token'})
        self.assertEqual(len({s.auth['audit_ids'][0] for s in (first, then, last, unscoped)}), 4)

    def test_chain(self):
        """The first takes all with it that were made from it, also from one another; one in the middle itself alone."""
        first = self.get(login(self.user, 'unscoped'))
        second = self.get(exchange(first, project_scope(self.project)))
        third = self.get(exchange(second, project_scope(self.second)))
        other = self.get(login(self.user, 'unscoped'))
        self.call(204, 'DELETE', AUTH_TOKENS, second, second)
        self.alive(second, 401)
        self.alive(third)
        fourth = self.get(exchange(third, project_scope(self.project)))
        self.call(204, 'DELETE', AUTH_TOKENS, first, first)
        for s in (first, third, fourth):
            self.alive(s, 401)
            self.get(exchange(s), 401)
            self.call(404, 'GET', AUTH_TOKENS, ADMIN, s)
        self.alive(other)

    def test_of_system_scope(self):
        give('reader', 'system', self.user)
        system = self.get(login(self.user, {'system': {'all': True}}))
        self.get(exchange(system, project_scope(self.project)), 403)
        self.get(exchange(system, {'domain': {'id': 'default'}}), 403)
        self.get(exchange(system, 'unscoped'))

    def test_switched_off(self):
        with Cloud(services=['identity'], settings={'identity': {'identity': {'allow_rescope_scoped_token': 'no'}}}) as cloud:
            url, admin = cloud.urls['identity'], cloud.admin()
            user = {'id': admin.user_id}
            project = {'id': admin.project_id}
            password = cloud.layout.secret('user-admin')
            unscoped = self.get(login(user, 'unscoped', url, password=password))
            scoped = self.get(exchange(unscoped, project_scope(project), url))
            for scope in (project_scope(project), 'unscoped', None):
                self.get(exchange(scoped, scope, url), 403)
                self.get(exchange(admin, scope, url), 403)


class WhoseToken(Case):
    def test_who_may(self):
        stranger = self.get(login(make('user', password=PASSWORD), 'unscoped'))
        service = CLOUD.session('image', CLOUD.layout.secret('user-image'), 'service')
        only = make('user', password=PASSWORD)
        give('service', 'projects/' + self.project['id'], only)
        only = self.get(login(only, project_scope(self.project)))
        reader = make('user', password=PASSWORD)
        give('reader', 'system', reader)
        reader = self.get(login(reader, {'system': {'all': True}}))
        own = self.get(login(self.user, 'unscoped'))
        for session, get, head in ((stranger, 403, 403), (service, 200, 200), (only, 200, 403), (reader, 200, 200), (ADMIN, 200, 200),
                                   (own, 200, 200), (self.session, 200, 200)):
            self.call(get, 'GET', AUTH_TOKENS, session, self.session)
            self.call(head, 'HEAD', AUTH_TOKENS, session, self.session)
        for session in (stranger, only, reader):
            self.call(403, 'DELETE', AUTH_TOKENS, session, self.session)
        self.alive(self.session)
        doomed = self.get(login(self.user, 'unscoped'))
        self.call(204, 'DELETE', AUTH_TOKENS, own, doomed)
        self.alive(doomed, 401)
        self.call(404, 'DELETE', AUTH_TOKENS, ADMIN, doomed)
        self.call(204, 'DELETE', AUTH_TOKENS, ADMIN, self.session)
        self.alive(self.session, 401)
        self.assertEqual(self.call(404, 'GET', AUTH_TOKENS, ADMIN)['error']['message'], 'No token in the request')


class Expired(Case):
    """An application credential that ends soon makes tokens that do."""

    def short(self, seconds=2):
        end = time.time() + seconds
        path = '/v3/users/%s/application_credentials' % self.user['id']
        body = {'application_credential': {'name': uuid.uuid4().hex, 'expires_at':
                                           time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(end)) + '.%06d' % (end % 1 * 1000000)}}
        made = self.session.expect(201, 'POST', 'identity', path, body)['application_credential']
        session = self.get(ask({'identity': {'methods': ['application_credential'], 'application_credential': {
            'id': made['id'], 'secret': made['secret']}}}))
        self.path = path + '/' + made['id']
        return session, end

    def test_expired(self):
        session, end = self.short()
        service = CLOUD.session('image', CLOUD.layout.secret('user-image'), 'service')
        member = self.get(login(self.user, 'unscoped'))
        time.sleep(max(0, end - time.time()) + 0.05)
        # By itself it is nothing, nor is it with a token that is no service's; with one it is what it was.
        self.call(401, 'GET', '/v2/images', session, service='image')
        self.call(200, 'GET', '/v2/images', session, service='image', **{'X-Service-Token': service.token})
        for other in (member.token, self.session.token, ADMIN.token, 'x'):
            self.call(401, 'GET', '/v2/images', session, service='image', **{'X-Service-Token': other})
        # A service's token alone is no user's.
        self.assertEqual(rest.request('GET', CLOUD.urls['image'] + '/v2/images', headers={'X-Service-Token': service.token})[0], 401)
        # Upstream's services ask identity.
        self.call(404, 'GET', AUTH_TOKENS, service, session)
        shown = self.call(200, 'GET', AUTH_TOKENS + '?allow_expired=1', service, session)['token']
        self.assertEqual(shown['expires_at'], session.auth['expires_at'])
        self.call(404, 'GET', AUTH_TOKENS + '?allow_expired=0', service, session)
        self.get(exchange(session), 401)
        # The window ends.
        time.sleep(max(0, end + WINDOW_S - time.time()) + 0.05)
        self.call(401, 'GET', '/v2/images', session, service='image', **{'X-Service-Token': service.token})
        self.call(404, 'GET', AUTH_TOKENS + '?allow_expired=1', service, session)

    def test_revoked_and_expired(self):
        session, end = self.short()
        service = CLOUD.session('image', CLOUD.layout.secret('user-image'), 'service')
        self.session.expect(204, 'DELETE', 'identity', self.path)
        time.sleep(max(0, end - time.time()) + 0.05)
        self.call(404, 'GET', AUTH_TOKENS + '?allow_expired=1', service, session)
        self.call(401, 'GET', '/v2/images', session, service='image', **{'X-Service-Token': service.token})

    def test_service_token_beside_a_good_one(self):
        service = CLOUD.session('image', CLOUD.layout.secret('user-image'), 'service')
        for other in (service.token, 'x', self.session.token):
            self.call(200, 'GET', '/v2/images', service='image', **{'X-Service-Token': other})


class WithoutBroker(Case):
    """Nobody tells the image service of revocations: it asks, every POLL_S seconds."""

    def test_bound(self):
        doomed = {}
        for name in ('revoked', 'role', 'user', 'project', 'app_cred', 'trust', 'group'):
            doomed[name] = self.doom(name)
        for session, _ in doomed.values():
            self.call(200, 'GET', '/v2/images', session, service='image')
        CLOUD.rabbitmq.stop()
        try:
            started = time.monotonic()
            for _, end in doomed.values():
                end()
            until = time.monotonic() + POLL_S + HEARD_S
            for name, (session, _) in doomed.items():
                self.alive(session, 401)  # Identity itself knows at once.
                while session.request('GET', 'image', '/v2/images')[0] != 401:
                    self.assertLess(time.monotonic(), until, '%s still passes %.1f s later' % (name, time.monotonic() - started))
                    time.sleep(0.05)
        finally:
            CLOUD.restart()

    def doom(self, name):
        """A session, and what ends it."""
        user, project = make('user', password=PASSWORD), make('project')
        where = 'projects/' + project['id']
        give('member', where, user)
        session = self.get(login(user, project_scope(project)))
        own = '/v3/users/%s/application_credentials' % user['id']
        if name == 'revoked':
            return session, lambda: self.call(204, 'DELETE', AUTH_TOKENS, session, session)
        if name == 'role':
            return session, lambda: give('member', where, user, 'DELETE')
        if name == 'user':
            return session, lambda: ADMIN.expect(200, 'PATCH', 'identity', '/v3/users/' + user['id'], {'user': {'enabled': False}})
        if name == 'project':
            return session, lambda: ADMIN.expect(200, 'PATCH', 'identity', '/v3/' + where, {'project': {'enabled': False}})
        if name == 'app_cred':
            made = session.expect(201, 'POST', 'identity', own, {'application_credential': {'name': 'x'}})['application_credential']
            by = self.get(ask({'identity': {'methods': ['application_credential'], 'application_credential': {
                'id': made['id'], 'secret': made['secret']}}}))
            return by, lambda: session.expect(204, 'DELETE', 'identity', own + '/' + made['id'])
        if name == 'trust':
            trust = session.expect(201, 'POST', 'identity', '/v3/OS-TRUST/trusts', {'trust': {
                'trustor_user_id': user['id'], 'trustee_user_id': self.user['id'], 'impersonation': False, 'project_id': project['id'],
                'roles': [{'name': 'member'}]}})['trust']
            return (self.get(login(self.user, {'OS-TRUST:trust': {'id': trust['id']}})),
                    lambda: session.expect(204, 'DELETE', 'identity', '/v3/OS-TRUST/trusts/' + trust['id']))
        group = make('group')
        member = '/v3/groups/%s/users/%s' % (group['id'], self.user['id'])
        ADMIN.expect(204, 'PUT', 'identity', member)
        ADMIN.expect(204, 'PUT', 'identity', '/v3/%s/groups/%s/roles/%s' % (where, group['id'], ROLES['member']))
        return self.get(login(self.user, project_scope(project))), lambda: ADMIN.expect(204, 'DELETE', 'identity', member)


class OAuth2(Case):
    PATH = '/v3/OS-OAUTH2/token'
    FORM = {'Content-Type': 'application/x-www-form-urlencoded'}

    def setUp(self):
        super().setUp()
        path = '/v3/users/%s/application_credentials' % self.user['id']
        self.client = self.session.expect(201, 'POST', 'identity', path, {'application_credential': {'name': 'client'}})['application_credential']

    def post(self, form=b'grant_type=client_credentials', user=None, secret=None, authorization=None, headers=None):
        if authorization is None:
            pair = '%s:%s' % (self.client['id'] if user is None else user, self.client['secret'] if secret is None else secret)
            authorization = 'Basic ' + base64.b64encode(pair.encode()).decode()
        send = dict(self.FORM, **(headers or {}))
        if authorization:
            send['Authorization'] = authorization
        return rest.request('POST', URL + self.PATH, form, send)

    def test_token(self):
        status, headers, content = self.post()
        self.assertEqual(status, 200, content)
        self.assertEqual(set(content), {'access_token', 'token_type', 'expires_in'})
        self.assertEqual(content['token_type'], 'Bearer')
        self.assertEqual(content['expires_in'], 14400)
        session = rest.Session(CLOUD.urls, content['access_token'])
        body = self.call(200, 'GET', AUTH_TOKENS, session, session)['token']
        self.assertEqual(body['application_credential']['id'], self.client['id'])
        self.assertEqual(self.post(form=b'scope=x&grant_type=client%5Fcredentials')[0], 200)

    def test_refusals(self):
        required, invalid = 'OAuth2.0 client authorization is required.', 'OAuth2.0 client authorization is invalid.'
        unknown = 'The request you have made requires authentication.'
        for more, status, error, description in (
                ({'authorization': ''}, 401, 'invalid_client', required),
                ({'authorization': 'Basic !!!'}, 401, 'invalid_client', required),
                ({'authorization': 'Bearer abc'}, 401, 'invalid_client', 'OAuth2.0 client authorization type Bearer is not supported.'),
                ({'user': ''}, 401, 'invalid_client', invalid),
                ({'secret': ''}, 401, 'invalid_client', invalid),
                ({'secret': 'wrong'}, 401, 'invalid_client', unknown),
                ({'user': uuid.uuid4().hex}, 401, 'invalid_client', unknown),
                ({'user': 'a\0b'}, 401, 'invalid_client', required),
                ({'form': b''}, 400, 'invalid_request', 'The parameter grant_type is required.'),
                ({'form': b'{"grant_type": "client_credentials"}', 'headers': {'Content-Type': 'application/json'}}, 400, 'invalid_request',
                 'The parameter grant_type is required.'),
                ({'form': b'grant_type=password'}, 400, 'unsupported_grant_type', 'The parameter grant_type password is not supported.')):
            got, headers, content = self.post(**more)
            self.assertEqual((got, content), (status, {'error': error, 'error_description': description}), more)
            self.assertEqual('WWW-Authenticate' in headers, status == 401)
        for method in ('GET', 'PUT', 'PATCH', 'DELETE'):
            got, headers, content = rest.request(method, URL + self.PATH)
            self.assertEqual((got, content['error'], headers['Allow']), (405, 'other_error', 'POST'))


if __name__ == '__main__':
    unittest.main()
