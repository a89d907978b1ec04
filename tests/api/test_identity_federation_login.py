#!/usr/bin/python3
"""Logging in on an identity provider's word: by an access token, by a front proxy's headers, in a browser; what the mapping makes of
it; what ends it; and what must not work."""
import base64
import concurrent.futures
import html
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402
import oidc  # noqa: E402
import rest  # noqa: E402

TOP = '/v3/OS-FEDERATION/'
DASHBOARD = 'https://dash.example/auth/websso/?a=1&b="2"'
PROXY_RULES = [{'local': [{'user': {'name': '{0}'}}, {'groups': '{1}', 'domain': {'id': 'default'}}],
                'remote': [{'type': 'HTTP_OIDC_SUB'}, {'type': 'HTTP_OIDC_GROUPS'}]}]


def setUpModule():
    global CLOUD, ADMIN, PROVIDER, URL, FILES
    PROVIDER = oidc.Provider()
    FILES = tempfile.TemporaryDirectory()
    with open(FILES.name + '/secret', 'w', encoding='utf-8') as file:
        file.write(PROVIDER.client_secret + '\n')
    for idp, more in (('acme', ''), ('opaque', 'introspect = true'), ('browser', 'userinfo = true\naudience = other'), ('absent', '')):
        with open('%s/%s.conf' % (FILES.name, idp), 'w', encoding='utf-8') as file:
            file.write('[oidc]\nidentity_provider = %s\nprotocol = %s\nissuer = %s\nclient_id = %s\nclient_secret = file:%s/secret\n%s\n' % (
                idp, 'web' if idp == 'browser' else 'openid', PROVIDER.issuer, PROVIDER.client_id, FILES.name, more))
    os.chmod(FILES.name, 0o755)
    CLOUD = Cloud(services=['identity'], settings={'identity': {'federation': {
        'oidc_directory': FILES.name, 'trusted_dashboard': 'https://other.example/, ' + DASHBOARD,
        'trusted_proxies': '127.0.0.2, 127.0.3.0/24, ::1'}}})
    URL = CLOUD.urls['identity']
    ADMIN = CLOUD.admin()
    for idp, protocol in (('acme', 'openid'), ('opaque', 'openid'), ('browser', 'web'), ('proxied', 'openid')):
        ADMIN.expect(201, 'PUT', 'identity', TOP + 'identity_providers/' + idp, {'identity_provider': {'enabled': True, 'remote_ids': ['http://' + idp]}})
        rules(idp, PROXY_RULES if idp == 'proxied' else [{'local': [{'user': {'name': '{0}'}}], 'remote': [{'type': 'OIDC-sub'}]}])
        ADMIN.expect(201, 'PUT', 'identity', TOP + 'identity_providers/%s/protocols/%s' % (idp, protocol), {'protocol': {'mapping_id': idp}})


def tearDownModule():
    CLOUD.close()
    PROVIDER.close()
    FILES.cleanup()


def unique(word):
    return word + uuid.uuid4().hex[:8]


def rules(mapping, new, version='1.0'):
    body = {'mapping': {'rules': new, 'schema_version': version}}
    path = TOP + 'mappings/' + mapping
    if ADMIN.request('PUT', 'identity', path, body)[0] == 409:
        ADMIN.expect(200, 'PATCH', 'identity', path, body)


def auth(token, idp='acme', protocol='openid', headers=None, method='POST', source=None):
    send = dict({'Authorization': 'Bearer ' + token} if token is not None else {}, **(headers or {}))
    return request(method, TOP + 'identity_providers/%s/protocols/%s/auth' % (idp, protocol), send, source)


def request(method, path, headers, source=None):
    """From another address of this machine, if 'source' says so."""
    if source is None:
        return rest.request(method, URL + path, None, headers)
    parts = urllib.parse.urlsplit(URL)
    connection = rest.http.client.HTTPConnection(parts.hostname, parts.port, timeout=30, source_address=(source, 0))
    try:
        connection.putrequest(method, path)
        for name, value in headers if isinstance(headers, list) else headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    return answer.status, answer.headers, rest.json.loads(content) if 'json' in answer.headers.get('Content-Type', '') and content else content


def rescope(token, scope=None, method='token'):
    body = {'auth': {'identity': {'methods': [method], method: {'id': token}}}}
    if scope:
        body['auth']['scope'] = scope
    return rest.request('POST', URL + '/v3/auth/tokens', body)


def show(token):
    return ADMIN.request('GET', 'identity', '/v3/auth/tokens', None, {'X-Subject-Token': token})


class Login(unittest.TestCase):
    def enter(self, token, **more):
        status, headers, content = auth(token, **more)
        self.assertEqual(status, 201, content)
        return headers['X-Subject-Token'], content['token']

    def refused(self, answer, status=401):
        self.assertEqual(answer[0], status, answer[2])
        self.assertIsNone(answer[1].get('X-Subject-Token'))
        if status == 401:
            self.assertIn('Keystone uri=', answer[1].get('WWW-Authenticate', ''))

    def group(self, **more):
        return ADMIN.expect(201, 'POST', 'identity', '/v3/groups', {'group': dict({'name': unique('g')}, **more)})['group']

    def project(self):
        return ADMIN.expect(201, 'POST', 'identity', '/v3/projects', {'project': {'name': unique('p')}})['project']['id']

    def grant(self, project, kind, actor, role='member'):
        ADMIN.expect(204, 'PUT', 'identity', '/v3/projects/%s/%s/%s/roles/%s' % (project, kind, actor, self.role(role)))

    def role(self, name):
        return [r['id'] for r in ADMIN.expect(200, 'GET', 'identity', '/v3/roles?name=' + name)['roles']][0]


class Bearer(Login):
    def setUp(self):
        rules('acme', [{'local': [{'user': {'name': '{0}', 'email': '{0}@x'}}], 'remote': [{'type': 'OIDC-sub'}]}])

    def test_token(self):
        name = unique('bób')
        token, body = self.enter(PROVIDER.access_token(sub=name))
        user = body['user']
        self.assertEqual(body['methods'], ['openid'])
        self.assertEqual(user['name'], name)
        self.assertEqual(user['OS-FEDERATION'], {'groups': [], 'identity_provider': {'id': 'acme'}, 'protocol': {'id': 'openid'}})
        self.assertNotIn('password_expires_at', user)
        self.assertNotIn('roles', body)
        idp = ADMIN.expect(200, 'GET', 'identity', TOP + 'identity_providers/acme')['identity_provider']
        self.assertEqual(user['domain']['id'], idp['domain_id'])
        self.assertEqual(show(token)[2]['token']['user'], user)
        account = ADMIN.expect(200, 'GET', 'identity', '/v3/users/' + user['id'])['user']
        self.assertEqual((account['name'], account['email'], account['enabled']), (name, name + '@x', True))
        again = self.enter(PROVIDER.access_token(sub=name))[1]
        self.assertEqual(again['user']['id'], user['id'])
        self.assertNotEqual(again['audit_ids'], body['audit_ids'])
        for method in ('GET', 'HEAD'):
            self.assertEqual(auth(PROVIDER.access_token(sub=name), method=method)[0], 201)

    def test_algorithms(self):
        for key in PROVIDER.keys:
            with self.subTest(key.alg):
                self.assertEqual(auth(PROVIDER.sign(PROVIDER.claims(), key))[0], 201)

    def test_new_keys(self):
        """They are fetched for a kid that is not known, but not more often than every ten seconds."""
        self.enter(PROVIDER.access_token())
        PROVIDER.keys.insert(0, oidc.Key('ed'))
        deadline = time.time() + 15
        while auth(PROVIDER.access_token())[0] != 201 and time.time() < deadline:
            time.sleep(0.5)
        self.enter(PROVIDER.access_token())

    def test_forged(self):
        stranger, key = oidc.Key('ec'), PROVIDER.keys[0]
        good, now = PROVIDER.claims(), int(time.time())
        bad = {
            'alg none': oidc.jws({'alg': 'none'}, good, lambda _: b''),
            'alg none with kid': oidc.jws({'alg': 'none', 'kid': key.kid}, good, lambda _: b'x'),
            'public key as secret': oidc.jws({'alg': 'HS256', 'kid': key.kid}, good, oidc.hs256(key.public_pem())),
            'another key': PROVIDER.sign(good, stranger),
            'another key, our kid': PROVIDER.sign(good, stranger, kid=key.kid),
            'key in the header': PROVIDER.sign(good, stranger, jwk=stranger.jwk()),
            'critical extension': PROVIDER.sign(good, crit=['x']),
            'another alg': PROVIDER.sign(good, alg='RS256'),
            'issuer': PROVIDER.access_token(iss='https://evil.example'),
            'issuer with a slash': PROVIDER.access_token(iss=PROVIDER.issuer + '/'),
            'audience': PROVIDER.access_token(aud='another client'),
            'no audience': PROVIDER.access_token(aud=None),
            'expired': PROVIDER.access_token(exp=now - 61),
            'no expiry': PROVIDER.access_token(exp=None),
            'not yet': PROVIDER.access_token(nbf=now + 120),
            'issued later': PROVIDER.access_token(iat=now + 120),
            'no subject': PROVIDER.access_token(sub=None),
            'changed': PROVIDER.access_token()[:-6] + 'AAAAAA',
            'empty': '', 'nothing': '..', 'long': 'a' * 20000, 'ours': ADMIN.token,
        }
        for name, token in bad.items():
            with self.subTest(name):
                self.refused(auth(token))
        self.refused(auth(None))
        self.refused(auth(None, headers={'Authorization': 'Basic ' + PROVIDER.access_token()}))
        self.enter(PROVIDER.access_token())

    def test_headers_say_nothing(self):
        """What a client says of himself beside a token, or without one."""
        headers = {'OIDC-sub': 'admin', 'Remote-User': 'admin', 'OIDC-Groups': 'admins', 'X-User-Id': 'admin', 'X-Roles': 'admin'}
        self.refused(auth(None, headers=headers))
        name = unique('u')
        self.assertEqual(self.enter(PROVIDER.access_token(sub=name), headers=headers)[1]['user']['name'], name)

    def test_which_provider(self):
        self.refused(auth(PROVIDER.access_token(), idp='none'), 404)
        self.refused(auth(PROVIDER.access_token(), idp='absent'), 404)
        self.refused(auth(PROVIDER.access_token(), protocol='none'), 404)
        self.refused(auth(PROVIDER.access_token(), idp='opaque'))
        self.refused(auth(PROVIDER.access_token(), idp='proxied'))

    def test_remote_id(self):
        path = TOP + 'identity_providers/acme'
        protocol = {'protocol': {'mapping_id': 'acme', 'remote_id_attribute': 'HTTP_OIDC_ISS'}}
        ADMIN.expect(200, 'PATCH', 'identity', path + '/protocols/openid', protocol)
        try:
            self.refused(auth(PROVIDER.access_token()), 403)
            ADMIN.expect(200, 'PATCH', 'identity', path, {'identity_provider': {'remote_ids': [PROVIDER.issuer]}})
            self.enter(PROVIDER.access_token())
        finally:
            protocol['protocol']['remote_id_attribute'] = ''
            ADMIN.expect(200, 'PATCH', 'identity', path + '/protocols/openid', protocol)

    def test_introspection(self):
        now = int(time.time())
        said = {'active': True, 'sub': unique('o'), 'client_id': PROVIDER.client_id, 'exp': now + 60}
        PROVIDER.opaque['good'] = said
        self.assertEqual(self.enter('good', idp='opaque')[1]['user']['name'], said['sub'])
        for name, more in (('inactive', {'active': False}), ('text', {'active': 'true'}), ('expired', {'exp': now - 61}), ('client', {'client_id': 'another'}),
                           ('issuer', {'iss': 'https://evil.example'}), ('nobody', {'sub': ''}), ('when', {'exp': 'never'})):
            with self.subTest(name):
                PROVIDER.opaque[name] = dict(said, **more)
                self.refused(auth(name, idp='opaque'))
        PROVIDER.opaque['for us'] = dict(said, client_id='another', aud=['x', PROVIDER.client_id])
        self.enter('for us', idp='opaque')
        self.refused(auth('unknown', idp='opaque'))
        self.refused(auth('a&token=good', idp='opaque'))
        del PROVIDER.opaque['good']  # Taken back there: at once no good here.
        self.refused(auth('good', idp='opaque'))

    def test_issuer_away(self):
        PROVIDER.opaque['here'] = {'active': True, 'sub': 'x', 'client_id': PROVIDER.client_id}
        self.enter(PROVIDER.access_token())
        PROVIDER.down = True
        try:
            self.enter(PROVIDER.access_token())  # The keys are kept.
            status, _, content = auth('here', idp='opaque')
            self.assertEqual(status, 503, content)
            self.assertNotIn('127.0.0.1', str(content))
        finally:
            PROVIDER.down = False
        self.enter('here', idp='opaque')

    def test_unknown_keys_are_no_lever(self):
        """A hundred tokens of unknown keys are not a hundred requests to the issuer."""
        self.enter(PROVIDER.access_token())
        before = len(PROVIDER.asked)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for answer in pool.map(lambda _: auth(PROVIDER.sign(PROVIDER.claims(), oidc.Key('ec'))), range(40)):
                self.assertIn(answer[0], (401, 503))
        self.assertLess(len(PROVIDER.asked) - before, 20)

    def test_ten_at_once(self):
        name = unique('first')
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            answers = list(pool.map(lambda _: auth(PROVIDER.access_token(sub=name)), range(10)))
        self.assertEqual([a[0] for a in answers], [201] * 10)
        self.assertEqual(len({a[2]['token']['user']['id'] for a in answers}), 1)

    def test_secrets_are_not_logged(self):
        token = PROVIDER.access_token(sub=unique('s'))
        ours = self.enter(token)[0]
        self.refused(auth(token + 'x'))
        with open(CLOUD.layout.path('log', 'identity.log'), encoding='utf-8') as file:
            log = file.read()
        for secret in (token, ours, PROVIDER.client_secret, token.split('.')[2]):
            self.assertNotIn(secret, log)


class Mapped(Login):
    def test_groups_and_scope(self):
        a, b, other = self.group(), self.group(), self.group()
        project = self.project()
        self.grant(project, 'groups', a['id'])
        rules('acme', [{'local': [{'user': {'name': '{0}'}}, {'groups': '{1}', 'domain': {'name': 'Default'}}, {'group': {'id': b['id']}}],
                        'remote': [{'type': 'OIDC-sub'}, {'type': 'OIDC-groups', 'blacklist': [other['name']]}]}])
        name = unique('u')
        token, body = self.enter(PROVIDER.access_token(sub=name, groups=[a['name'], other['name'], 'nobody knows']))
        self.assertEqual({g['id'] for g in body['user']['OS-FEDERATION']['groups']}, {a['id'], b['id']})
        projects = rest.request('GET', URL + '/v3/auth/projects', None, {'X-Auth-Token': token})[2]['projects']
        self.assertEqual([p['id'] for p in projects], [project])
        self.assertEqual(rest.request('GET', URL + TOP + 'projects', None, {'X-Auth-Token': token})[2]['projects'], projects)
        status, headers, scoped = rescope(token, {'project': {'id': project}})
        self.assertEqual(status, 201, scoped)
        scoped = scoped['token']
        self.assertIn('member', [r['name'] for r in scoped['roles']])
        self.assertEqual(set(scoped['methods']), {'openid', 'token'})
        self.assertEqual(scoped['user']['OS-FEDERATION'], body['user']['OS-FEDERATION'])
        self.assertEqual(scoped['expires_at'], body['expires_at'])
        for method in ('mapped', 'saml2', 'openid'):
            self.assertEqual(rescope(token, {'project': {'id': project}}, method)[0], 201)
        self.assertEqual(rescope(ADMIN.token, None, 'mapped')[0], 401)
        self.assertEqual(rescope(token, {'project': {'id': self.project()}})[0], 401)
        # The groups are the token's, nobody else's: the account itself is in none.
        self.assertEqual(ADMIN.expect(200, 'GET', 'identity', '/v3/users/%s/groups' % body['user']['id'])['groups'], [])
        bare = self.enter(PROVIDER.access_token(sub=name, groups=['x']))[0]
        self.assertEqual(rescope(bare, {'project': {'id': project}})[0], 401)
        # A group that is gone takes the tokens along that name it.
        ADMIN.expect(204, 'DELETE', 'identity', '/v3/groups/' + a['id'])
        self.assertEqual(show(headers['X-Subject-Token'])[0], 404)
        self.refused(auth(PROVIDER.access_token(sub=name, groups=[])))  # The mapping wants the attribute.
        rules('acme', [{'local': [{'user': {'name': '{0}'}}, {'group': {'id': a['id']}}], 'remote': [{'type': 'OIDC-sub'}]}])
        self.refused(auth(PROVIDER.access_token(sub=name)))

    def test_many_groups(self):
        """More than a token has room for: those that give something are kept."""
        project, stem = self.project(), unique('many')
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            groups = list(pool.map(lambda n: self.group(name='%s-%d' % (stem, n)), range(90)))
        self.grant(project, 'groups', groups[89]['id'])
        rules('acme', [{'local': [{'user': {'name': '{0}'}}, {'groups': '{1}', 'domain': {'id': 'default'}}],
                        'remote': [{'type': 'OIDC-sub'}, {'type': 'OIDC-groups'}]}])
        for count, named in ((64, 64), (90, 1)):
            token, body = self.enter(PROVIDER.access_token(sub=unique('u'), groups=[g['name'] for g in groups[-count:]]))
            self.assertEqual(len(body['user']['OS-FEDERATION']['groups']), named)
            self.assertEqual(rescope(token, {'project': {'id': project}})[0], 201)

    def test_a_value_is_a_value(self):
        """Nobody gets into a group by calling himself like a list of them."""
        admins = self.group()
        rules('acme', [{'local': [{'user': {'name': '{0}'}}, {'groups': '{1}', 'domain': {'id': 'default'}}],
                        'remote': [{'type': 'OIDC-sub'}, {'type': 'OIDC-nick'}]}])
        for nick in ("['%s']" % admins['name'], '%s;x' % admins['name'], 'x;' + admins['name'], 'JSON:{"name":"%s","domain":{"id":"default"}}' % admins['name'],
                     '{0}', '{0.__class__}'):
            with self.subTest(nick):
                body = self.enter(PROVIDER.access_token(sub=unique('n'), nick=nick))[1]
                self.assertEqual(body['user']['OS-FEDERATION']['groups'], [])

    def test_nobody(self):
        for new in ([{'local': [{'user': {'name': 'x'}}], 'remote': [{'type': 'OIDC-none'}]}],
                    [{'local': [{'user': {'name': '{7}'}}], 'remote': [{'type': 'OIDC-sub'}]}],
                    [{'local': [{'user': {'name': 'x' * 300}}], 'remote': [{'type': 'OIDC-sub'}]}],
                    [{'local': [{'groups': '{0}'}], 'remote': [{'type': 'OIDC-sub'}]}],
                    [{'local': [{'user': {'type': 'local', 'name': unique('none'), 'domain': {'id': 'default'}}}], 'remote': [{'type': 'OIDC-sub'}]}],
                    [{'local': [{'user': {'type': 'local', 'name': 'admin'}}], 'remote': [{'type': 'OIDC-sub'}]}],
                    [{'local': [{'user': {'type': 'local'}}], 'remote': [{'type': 'OIDC-sub'}]}]):
            with self.subTest(rules=new):
                rules('acme', new)
                self.refused(auth(PROVIDER.access_token()))

    def test_remote_user(self):
        rules('acme', [{'local': [{'group': {'id': self.group()['id']}}], 'remote': [{'type': 'OIDC-sub'}]}])
        name = unique('r')
        self.assertEqual(self.enter(PROVIDER.access_token(sub=name))[1]['user']['name'], name)

    def test_name_of_the_administrator(self):
        """A provider in our own domain that calls somebody admin: he is not the administrator, who can still log in."""
        path, protocol = TOP + 'identity_providers/shared', {'protocol': {'mapping_id': 'acme'}}
        rules('acme', [{'local': [{'user': {'name': '{0}'}}], 'remote': [{'type': 'HTTP_OIDC_SUB'}]}])
        ADMIN.expect(201, 'PUT', 'identity', path, {'identity_provider': {'enabled': True, 'domain_id': 'default'}})
        ADMIN.expect(201, 'PUT', 'identity', path + '/protocols/openid', protocol)
        status, headers, content = request('GET', path + '/protocols/openid/auth', {'OIDC-Sub': 'admin'}, '127.0.0.2')
        self.assertEqual(status, 201, content)
        user = content['token']['user']
        self.assertEqual((user['name'], user['domain']['id']), ('admin', 'default'))
        self.assertNotEqual(user['id'], ADMIN.user_id)
        self.assertEqual(rest.request('GET', URL + '/v3/auth/projects', None, {'X-Auth-Token': headers['X-Subject-Token']})[2]['projects'], [])
        self.assertEqual(CLOUD.admin().user_id, ADMIN.user_id)

    def test_local(self):
        name = unique('local')
        user = ADMIN.expect(201, 'POST', 'identity', '/v3/users', {'user': {'name': name}})['user']
        rules('acme', [{'local': [{'user': {'type': 'local', 'name': '{0}', 'domain': {'id': 'default'}}}], 'remote': [{'type': 'OIDC-sub'}]}])
        body = self.enter(PROVIDER.access_token(sub=name))[1]
        self.assertEqual(body['user'], {'id': user['id'], 'name': name, 'domain': {'id': 'default', 'name': 'Default'}, 'password_expires_at': None})
        for methods, status in (([['password', 'totp']], 401), ([['password', 'totp'], ['openid']], 201)):
            ADMIN.expect(200, 'PATCH', 'identity', '/v3/users/' + user['id'],
                         {'user': {'options': {'multi_factor_auth_enabled': True, 'multi_factor_auth_rules': methods}}})
            self.assertEqual(auth(PROVIDER.access_token(sub=name))[0], status)
        ADMIN.expect(200, 'PATCH', 'identity', '/v3/users/' + user['id'], {'user': {'enabled': False}})
        self.refused(auth(PROVIDER.access_token(sub=name)))

    def test_federated_member(self):
        """Whom providers know a user as: shown, filtered by, and set by the administrator to link an account of our own."""
        rules('acme', [{'local': [{'user': {'id': '{0}', 'name': 'n {0}'}}], 'remote': [{'type': 'OIDC-sub'}]}])
        sub = unique('a/b ü')
        user = self.enter(PROVIDER.access_token(sub=sub))[1]['user']
        self.assertEqual(user['name'], 'n ' + sub)
        path, quoted = '/v3/users/' + user['id'], urllib.parse.quote(sub)
        known = [{'idp_id': 'acme', 'protocols': [{'protocol_id': 'openid', 'unique_id': quoted}]}]
        self.assertEqual(ADMIN.expect(200, 'GET', 'identity', path)['user']['federated'], known)
        def listed(query):
            return [(u['id'], u['federated']) for u in ADMIN.expect(200, 'GET', 'identity', '/v3/users?' + query)['users']]
        self.assertEqual(listed('unique_id=' + urllib.parse.quote(quoted)), [(user['id'], known)])
        self.assertIn((user['id'], known), listed('idp_id=acme&protocol_id=openid'))
        self.assertEqual(listed('idp_id=acme&protocol_id=saml2'), [])
        self.assertNotIn('federated', ADMIN.expect(200, 'GET', 'identity', '/v3/users/' + ADMIN.user_id)['user'])
        linked, name = unique('linked'), unique('own')
        member = [{'idp_id': 'acme', 'protocols': [{'protocol_id': 'openid', 'unique_id': linked}]}]
        own = ADMIN.expect(201, 'POST', 'identity', '/v3/users', {'user': {'name': name, 'password': 'pw', 'federated': member}})['user']
        self.assertEqual(own['federated'], member)
        token, body = self.enter(PROVIDER.access_token(sub=linked))
        self.assertEqual((body['user']['id'], body['user']['name']), (own['id'], name))
        CLOUD.session(name, 'pw')
        for status, bad in ((400, [{'idp_id': 'none', 'protocols': member[0]['protocols']}]), (400, [{'idp_id': 'acme', 'protocols': []}]), (400, 'x'),
                            (400, [{'idp_id': 'acme', 'protocols': [{'protocol_id': 'none', 'unique_id': 'x'}]}]), (409, known)):
            with self.subTest(bad=bad):
                ADMIN.expect(status, 'PATCH', 'identity', '/v3/users/' + own['id'], {'user': {'federated': bad}})
        self.assertEqual(show(token)[0], 200)
        member[0]['protocols'][0]['unique_id'] = unique('other')
        self.assertEqual(ADMIN.expect(200, 'PATCH', 'identity', '/v3/users/' + own['id'], {'user': {'federated': member}})['user']['federated'], member)
        self.assertEqual(show(token)[0], 404)
        self.assertNotEqual(self.enter(PROVIDER.access_token(sub=linked))[1]['user']['id'], own['id'])
        ADMIN.expect(204, 'DELETE', 'identity', path)
        self.assertNotEqual(self.enter(PROVIDER.access_token(sub=sub))[1]['user']['id'], user['id'])

    def test_projects(self):
        role, name = unique('role'), unique('u')
        ADMIN.expect(201, 'POST', 'identity', '/v3/roles', {'role': {'name': role}})
        local = {'user': {'name': '{0}'}, 'projects': [{'name': 'of ' + '{0}', 'roles': [{'name': role}, {'name': 'reader'}]}]}
        rules('acme', [{'local': [local], 'remote': [{'type': 'OIDC-sub'}]}])
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _: auth(PROVIDER.access_token(sub=name)), range(6)))
        self.assertEqual([a[0] for a in answers], [201] * 6)
        body, token = answers[0][2]['token'], answers[0][1]['X-Subject-Token']
        status, _, scoped = rescope(token, {'project': {'name': 'of ' + name, 'domain': {'id': body['user']['domain']['id']}}})
        self.assertEqual(status, 201, scoped)
        self.assertEqual({r['name'] for r in scoped['token']['roles']}, {role, 'reader'})
        # A role that is not there: nothing of it is done.
        local['projects'] = [{'name': 'more of {0}', 'roles': [{'name': 'reader'}, {'name': unique('none')}]}]
        rules('acme', [{'local': [local], 'remote': [{'type': 'OIDC-sub'}]}])
        stranger = unique('s')
        self.refused(auth(PROVIDER.access_token(sub=stranger)))
        self.assertEqual(ADMIN.expect(200, 'GET', 'identity', '/v3/projects?name=more%20of%20' + stranger)['projects'], [])
        self.assertEqual(ADMIN.expect(200, 'GET', 'identity', '/v3/users?name=' + stranger)['users'], [])
        local['projects'] = [{'name': 'there', 'roles': [{'name': 'reader'}], 'domain': {'name': 'Default'}}]
        rules('acme', [{'local': [local], 'remote': [{'type': 'OIDC-sub'}]}], '2.0')
        token = self.enter(PROVIDER.access_token(sub=name))[0]
        self.assertEqual(rescope(token, {'project': {'name': 'there', 'domain': {'id': 'default'}}})[0], 201)

    def test_authorization_ttl(self):
        """Membership that lasts beyond the token, until the provider says otherwise or the time is over."""
        path, group, project, name = TOP + 'identity_providers/acme', self.group(), self.project(), unique('u')
        self.grant(project, 'groups', group['id'])
        rules('acme', [{'local': [{'user': {'name': '{0}'}}, {'groups': '{1}', 'domain': {'id': 'default'}}],
                        'remote': [{'type': 'OIDC-sub'}, {'type': 'OIDC-groups'}]}])
        ADMIN.expect(200, 'PATCH', 'identity', path, {'identity_provider': {'authorization_ttl': 5}})
        try:
            user = self.enter(PROVIDER.access_token(sub=name, groups=[group['name'], 'x']))[1]['user']['id']
            listed = '/v3/users/%s/groups' % user
            self.assertEqual([g['id'] for g in ADMIN.expect(200, 'GET', 'identity', listed)['groups']], [group['id']])
            CLOUD.sql('identity', "UPDATE federated_member SET expires_at = now() WHERE user_id = '%s'" % user)
            self.assertEqual(ADMIN.expect(200, 'GET', 'identity', listed)['groups'], [])
            self.enter(PROVIDER.access_token(sub=name, groups=[group['name']]))
            self.assertEqual(len(ADMIN.expect(200, 'GET', 'identity', listed)['groups']), 1)
            self.enter(PROVIDER.access_token(sub=name, groups=['x']))
            self.assertEqual(ADMIN.expect(200, 'GET', 'identity', listed)['groups'], [])
        finally:
            ADMIN.expect(200, 'PATCH', 'identity', path, {'identity_provider': {'authorization_ttl': None}})


class Ends(Login):
    """What takes a provider's word back ends the tokens that it made."""

    def setUp(self):
        self.idp = unique('idp')
        rules(self.idp, PROXY_RULES)
        self.path = TOP + 'identity_providers/' + self.idp
        ADMIN.expect(201, 'PUT', 'identity', self.path, {'identity_provider': {'enabled': True}})
        ADMIN.expect(201, 'PUT', 'identity', self.path + '/protocols/p', {'protocol': {'mapping_id': self.idp}})
        self.token, self.body = self.come()

    def come(self):
        status, headers, content = request('GET', self.path + '/protocols/p/auth', {'OIDC-Sub': unique('u'), 'OIDC-Groups': 'x'}, '127.0.0.2')
        self.assertEqual(status, 201, content)
        return headers['X-Subject-Token'], content['token']

    def assert_ended(self, new=True):
        self.assertEqual(show(self.token)[0], 404)
        self.assertEqual(rescope(self.token)[0], 401)
        if new:
            self.assertEqual(show(self.come()[0])[0], 200)

    def patch(self, tail, body):
        ADMIN.expect(200, 'PATCH', 'identity', self.path + tail, body)

    def test_disabled(self):
        self.patch('', {'identity_provider': {'enabled': False}})
        self.assert_ended(new=False)
        self.refused(request('GET', self.path + '/protocols/p/auth', {'OIDC-Sub': 'u', 'OIDC-Groups': 'x'}, '127.0.0.2'), 403)
        self.patch('', {'identity_provider': {'enabled': True}})
        self.assertEqual(show(self.token)[0], 404)

    def test_deleted(self):
        ADMIN.expect(204, 'DELETE', 'identity', self.path)
        self.assert_ended(new=False)

    def test_remote_ids(self):
        self.patch('', {'identity_provider': {'remote_ids': [unique('r')]}})
        self.assert_ended()

    def test_protocol(self):
        rules(self.idp + '-2', PROXY_RULES)
        self.patch('/protocols/p', {'protocol': {'mapping_id': self.idp + '-2'}})
        self.assert_ended()
        self.token = self.come()[0]
        ADMIN.expect(204, 'DELETE', 'identity', self.path + '/protocols/p')
        self.assert_ended(new=False)

    def test_mapping(self):
        rules(self.idp, PROXY_RULES)
        self.assert_ended()
        self.token = self.come()[0]
        ADMIN.expect(204, 'DELETE', 'identity', TOP + 'mappings/' + self.idp)
        self.assert_ended(new=False)
        self.refused(request('GET', self.path + '/protocols/p/auth', {'OIDC-Sub': 'u', 'OIDC-Groups': 'x'}, '127.0.0.2'))

    def test_user(self):
        ADMIN.expect(200, 'PATCH', 'identity', '/v3/users/' + self.body['user']['id'], {'user': {'enabled': False}})
        self.assert_ended()
        self.refused(request('GET', self.path + '/protocols/p/auth', {'OIDC-Sub': self.body['user']['name'], 'OIDC-Groups': 'x'}, '127.0.0.2'))

    def test_domain(self):
        ADMIN.expect(200, 'PATCH', 'identity', '/v3/domains/' + self.body['user']['domain']['id'], {'domain': {'enabled': False}})
        self.assert_ended(new=False)

    def test_unrelated_changes_end_nothing(self):
        self.patch('', {'identity_provider': {'description': 'x'}})
        self.assertEqual(show(self.token)[0], 200)


class Proxy(Login):
    def come(self, headers, source='127.0.0.2', path='identity_providers/proxied/protocols/openid/auth'):
        return request('GET', TOP + path, headers, source)

    def test_trusted(self):
        group = self.group()
        for source in ('127.0.0.2', '127.0.3.77'):
            status, _, content = self.come({'OIDC-Sub': unique('u'), 'oidc-groups': 'a;%s;b' % group['name']}, source)
            self.assertEqual(status, 201, content)
            self.assertEqual(content['token']['user']['OS-FEDERATION']['groups'], [{'id': group['id']}])

    def test_others(self):
        headers = {'OIDC-Sub': 'u', 'OIDC-Groups': 'x'}
        for source in ('127.0.0.1', '127.0.0.3', '127.0.2.255', '127.0.4.0'):
            with self.subTest(source):
                self.refused(self.come(headers, source))
                self.refused(self.come(dict(headers, **{'X-Forwarded-For': '127.0.0.2', 'Forwarded': 'for=127.0.0.2'}), source))

    def test_smuggled(self):
        """What a client could send through a proxy that removes the headers it sets itself."""
        self.refused(self.come([('OIDC-Sub', 'u'), ('OIDC-Groups', 'x'), ('OIDC-Groups', 'admins')]))
        self.refused(self.come([('OIDC-Sub', 'u'), ('OIDC-Groups', 'x'), ('oidc-GROUPS', 'admins')]))
        self.refused(self.come([('OIDC_Sub', 'u'), ('OIDC_Groups', 'x')]))
        status, _, content = self.come([('OIDC-Sub', unique('u')), ('OIDC_Sub', 'admin'), ('OIDC-Groups', 'x')])
        self.assertEqual(status, 201, content)
        self.assertNotEqual(content['token']['user']['name'], 'admin')
        self.refused(self.come([('X-OIDC-Sub', 'u'), ('X-OIDC-Groups', 'x')]))

    def test_not_where_the_issuer_is_asked(self):
        self.refused(self.come({'OIDC-Sub': 'u', 'OIDC-Groups': 'x'}, path='identity_providers/acme/protocols/openid/auth'))

    def test_websso(self):
        path = '/v3/auth/OS-FEDERATION/identity_providers/proxied/protocols/openid/websso?origin=' + urllib.parse.quote(DASHBOARD)
        headers = {'OIDC-Sub': unique('u'), 'OIDC-Groups': 'x', 'Content-Type': 'application/x-www-form-urlencoded'}
        for method in ('GET', 'POST'):
            status, _, page = request(method, path, dict(headers, **({'Content-Length': '0'} if method == 'POST' else {})), '127.0.0.2')
            self.assertEqual(status, 200, page)
            self.assertEqual(show(form(page)[1])[0], 200)
            self.refused(request(method, path, dict(headers, **({'Content-Length': '0'} if method == 'POST' else {})), '127.0.0.1'))


def form(page):
    """Where a single sign-on page posts to, and the token that it posts."""
    text = page.decode()
    return (html.unescape(re.search(r'action="([^"]*)" method="post"', text).group(1)),
            html.unescape(re.search(r'name="token" id="token" value="([^"]*)"', text).group(1)))


class Browser(Login):
    start = '/v3/auth/OS-FEDERATION/identity_providers/browser/protocols/web/websso'

    def begin(self, path=None, origin=DASHBOARD, cookie=None):
        """(the address the browser is sent to, its query, the cookie)"""
        url = URL + (path or self.start) + '?origin=' + urllib.parse.quote(origin, safe='')
        status, headers, content = rest.request('GET', url, None, {'Cookie': cookie} if cookie else {})
        self.assertEqual(status, 302, content)
        self.assertIn('HttpOnly', headers['Set-Cookie'])
        self.assertIn('SameSite=Lax', headers['Set-Cookie'])
        location = urllib.parse.urlsplit(headers['Location'])
        return location, dict(urllib.parse.parse_qsl(location.query)), headers['Set-Cookie'].split(';')[0]

    def back(self, url, cookie):
        return rest.request('GET', url, None, {'Cookie': cookie} if cookie else {})

    def test_whole(self):
        for path in (self.start, '/v3/auth/OS-FEDERATION/websso/web'):
            location, query, cookie = self.begin(path)
            self.assertEqual('%s://%s%s' % location[:3], PROVIDER.issuer + '/authorize')
            self.assertEqual((query['response_type'], query['client_id'], query['code_challenge_method']), ('code', PROVIDER.client_id, 'S256'))
            self.assertEqual(query['redirect_uri'], URL + self.start)
            self.assertIn('openid', query['scope'].split())
            name = unique('web')
            status, headers, page = self.back(PROVIDER.authorize(query, sub=name), 'other=1; ' + cookie)
            self.assertEqual(status, 200, page)
            self.assertIn('text/html', headers['Content-Type'])
            self.assertEqual(headers['Cache-Control'], 'no-store')
            self.assertIn('form-action https://dash.example;', headers['Content-Security-Policy'])
            self.assertNotIn(DASHBOARD.encode(), page)  # Escaped.
            action, token = form(page)
            self.assertEqual(action, DASHBOARD)
            body = show(token)[2]['token']
            self.assertEqual((body['user']['name'], body['methods']), (name, ['web']))

    def test_userinfo(self):
        rules('browser', [{'local': [{'user': {'name': '{0} of {1}', 'email': '{2}'}}],
                           'remote': [{'type': 'OIDC-sub'}, {'type': 'OIDC-department'}, {'type': 'OIDC-email'}]}])
        try:
            _, query, cookie = self.begin()
            name = unique('web')
            page = self.back(PROVIDER.authorize(query, sub=name, email='x@idtoken'), cookie)[2]
            user = show(form(page)[1])[2]['token']['user']
            self.assertEqual(user['name'], name + ' of physics')
            self.assertEqual(ADMIN.expect(200, 'GET', 'identity', '/v3/users/' + user['id'])['user']['email'], 'x@idtoken')
        finally:
            rules('browser', [{'local': [{'user': {'name': '{0}'}}], 'remote': [{'type': 'OIDC-sub'}]}])

    def test_state(self):
        _, query, cookie = self.begin()
        url = PROVIDER.authorize(query)
        self.refused(self.back(url, None))  # Another browser: a login that somebody else began.
        self.assertEqual(self.back(url, cookie)[0], 200)  # Whose browser it is nobody has spoilt it for.
        self.refused(self.back(url, cookie))
        _, query, cookie = self.begin()
        other = self.begin()[2]
        self.assertNotEqual(other, cookie)
        self.refused(self.back(PROVIDER.authorize(query), other))
        _, query, cookie = self.begin()
        self.assertEqual(self.back(PROVIDER.authorize(query), cookie)[0], 200)
        self.refused(self.back(PROVIDER.authorize(query), cookie))  # A second time.
        _, query, cookie = self.begin()
        members, kid, signature = query['state'].split('.')
        wide = json.loads(base64.urlsafe_b64decode(members + '=='))
        forged = base64.urlsafe_b64encode(json.dumps(dict(wide, exp_us=wide['exp_us'] + 1)).encode()).decode().rstrip('=')
        for state in (unique('x'), '.'.join((forged, kid, signature)), '.'.join((members, 'x', signature)), members, '..', 'x' * 7000, ADMIN.token):
            self.refused(self.back(PROVIDER.authorize(dict(query, state=state)), cookie))
        # Two logins of one browser at a time.
        _, one, cookie = self.begin()
        _, two, same = self.begin(cookie=cookie)
        self.assertEqual(cookie, same)
        for query in (one, two):
            self.assertEqual(self.back(PROVIDER.authorize(query), cookie)[0], 200)

    def test_who_only_begins_leaves_nothing(self):
        def rows():
            return CLOUD.sql('identity', "SELECT sum((xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %I', relname), "
                                         "false, true, '')))[1]::text::int) FROM pg_stat_user_tables")
        before = rows()
        for _ in range(20):
            _, query, cookie = self.begin()
            self.refused(self.back(query['redirect_uri'] + '?code=guessed&state=' + query['state'], cookie))
        self.assertEqual(rows(), before)
        self.assertEqual(self.back(PROVIDER.authorize(query), cookie)[0], 200)
        self.assertNotEqual(rows(), before)

    def test_what_comes_back(self):
        def arrives(change=None, **claims):
            _, query, cookie = self.begin()
            if change:
                change(query)
            return self.back(PROVIDER.authorize(query, **claims), cookie)
        self.assertEqual(arrives()[0], 200)
        self.refused(arrives(lambda q: q.update(nonce='of another login')))
        self.refused(arrives(lambda q: q.update(code_challenge='x')))
        self.refused(arrives(aud='other'))  # What access tokens are for, not what we are called.
        self.refused(arrives(aud=[PROVIDER.client_id, 'x'], azp='x'))
        self.refused(arrives(iss='https://evil.example'))
        self.refused(arrives(exp=int(time.time()) - 120))
        _, query, cookie = self.begin()
        self.refused(self.back(query['redirect_uri'] + '?error=access_denied&state=' + query['state'], cookie))
        _, query, cookie = self.begin()
        self.refused(self.back(query['redirect_uri'] + '?code=guessed&state=' + query['state'], cookie))
        for answer in ({}, {'id_token': 'x'}, {'id_token': PROVIDER.sign(PROVIDER.claims())}, {'id_token': oidc.jws({'alg': 'none'}, PROVIDER.claims(), lambda _: b'')}):
            PROVIDER.token_answer = answer
            try:
                self.refused(arrives())
            finally:
                PROVIDER.token_answer = None

    def test_origins(self):
        for origin in ('https://evil.example/', 'https://dash.example', DASHBOARD + '/', DASHBOARD.upper(), 'https://other.example/.evil.example/',
                       'https://other.example@evil.example/', 'javascript:alert(1)', '//other.example/', 'https://other.example/\r\nX: y'):
            with self.subTest(origin):
                for path in (self.start, '/v3/auth/OS-FEDERATION/websso/web', '/v3/auth/OS-FEDERATION/websso/openid'):
                    status, headers, content = rest.request('GET', URL + path + '?origin=' + urllib.parse.quote(origin, safe=''))
                    self.assertEqual(status, 401, content)
                    self.assertIn('is not a trusted dashboard host', content['error']['message'])
                    self.assertIsNone(headers.get('Location'))
        self.assertEqual(rest.request('GET', URL + self.start)[0], 400)
        self.assertEqual(rest.request('GET', URL + self.start + '?origin=')[0], 400)

    def test_discovery_of_another(self):
        """A document that is not the issuer's own is not used; the one that is kept is."""
        with open(FILES.name + '/second.conf', 'w', encoding='utf-8') as file:
            file.write('[oidc]\nidentity_provider = second\nprotocol = web2\nissuer = %s\nclient_id = x\n' % PROVIDER.issuer)
        os.kill(CLOUD.daemon('identity').process.pid(), 1)
        ADMIN.expect(201, 'PUT', 'identity', TOP + 'identity_providers/second', {'identity_provider': {'enabled': True}})
        ADMIN.expect(201, 'PUT', 'identity', TOP + 'identity_providers/second/protocols/web2', {'protocol': {'mapping_id': 'browser'}})
        path = '/v3/auth/OS-FEDERATION/identity_providers/second/protocols/web2/websso?origin=' + urllib.parse.quote(DASHBOARD)
        try:
            for wrong in ({'issuer': 'https://evil.example'}, {'authorization_endpoint': 'javascript:x'}, {'authorization_endpoint': 'http://x/\r\nA: b'},
                          {'authorization_endpoint': None}):
                PROVIDER.discovery = wrong
                deadline = time.time() + 5
                while rest.request('GET', URL + path)[0] == 401 and time.time() < deadline:
                    time.sleep(0.1)  # Until the files were read again.
                self.assertEqual(rest.request('GET', URL + path)[0], 503, wrong)
                if 'issuer' not in wrong:
                    break  # It is kept now.
        finally:
            PROVIDER.discovery = {}


class Clients(Login):
    """virga manages all of it (openstack does in test_openstack_identity.py); openstack logs in."""

    def environment(self, **more):
        env = {k: v for k, v in os.environ.items() if not k.startswith('OS_')}
        env.update({'OS_AUTH_URL': URL + '/v3', 'OS_IDENTITY_API_VERSION': '3', 'OS_USERNAME': 'admin', 'OS_PASSWORD': CLOUD.layout.secret('user-admin'),
                    'OS_PROJECT_NAME': 'admin', 'OS_USER_DOMAIN_NAME': 'Default', 'OS_PROJECT_DOMAIN_NAME': 'Default', 'PYTHONWARNINGS': 'ignore'})
        env.update(more)
        return {k: v for k, v in env.items() if v is not None}

    def run_client(self, client, *words, env=None):
        program = [CLOUD.layout.binary('virga')] if client == 'virga' else ['openstack']
        done = subprocess.run(program + list(words), capture_output=True, text=True, timeout=120, env=env or self.environment(), check=False)
        self.assertEqual(done.returncode, 0, '%s %s: %s' % (client, ' '.join(words), done.stderr))
        return done.stdout

    def show(self, client, *words, env=None):
        return json.loads(self.run_client(client, *words, '-f', 'json', env=env))

    def test_create_to_delete(self):
        with open(FILES.name + '/rules.json', 'w', encoding='utf-8') as file:
            json.dump(PROXY_RULES, file)
        client = 'virga'
        with open(FILES.name + '/ids', 'w', encoding='utf-8') as file:
            file.write('  %s \n%s\n' % (unique('r'), unique('r')))
        idp, mapping, sp = unique('c'), unique('m'), unique('s')
        made = self.show(client, 'identity', 'provider', 'create', idp, '--remote-id', unique('x'), '--description', 'd')
        self.assertEqual((made['id'], made['enabled'], made['description'], len(made['remote_ids'])), (idp, True, 'd', 1))
        self.run_client(client, 'identity', 'provider', 'set', idp, '--disable', '--remote-id-file', FILES.name + '/ids')
        shown = self.show(client, 'identity', 'provider', 'show', idp)
        self.assertEqual((shown['enabled'], len(shown['remote_ids'])), (False, 2))
        self.assertNotIn('links', shown)
        self.assertIn(idp, [r['ID'] for r in self.show(client, 'identity', 'provider', 'list')])
        self.assertEqual(self.show(client, 'mapping', 'create', mapping, '--rules', FILES.name + '/rules.json')['id'], mapping)
        self.assertEqual(self.show(client, 'mapping', 'show', mapping)['rules'], PROXY_RULES)
        self.run_client(client, 'mapping', 'set', mapping, '--rules', FILES.name + '/rules.json')
        self.assertIn({'ID': mapping}, self.show(client, 'mapping', 'list'))
        made = self.show(client, 'federation', 'protocol', 'create', 'p', '--identity-provider', idp, '--mapping', mapping)
        self.assertEqual(made, {'id': 'p', 'identity_provider': idp, 'mapping': mapping})
        self.run_client(client, 'federation', 'protocol', 'set', 'p', '--identity-provider', idp, '--mapping', 'proxied')
        self.assertEqual(self.show(client, 'federation', 'protocol', 'list', '--identity-provider', idp), [{'id': 'p', 'mapping': 'proxied'}])
        self.assertEqual(self.show(client, 'federation', 'protocol', 'show', 'p', '--identity-provider', idp)['mapping'], 'proxied')
        made = self.show(client, 'service', 'provider', 'create', sp, '--auth-url', 'https://a', '--service-provider-url', 'https://b')
        self.assertEqual((made['sp_url'], made['enabled']), ('https://b', True))
        self.run_client(client, 'service', 'provider', 'set', sp, '--disable')
        self.assertFalse(self.show(client, 'service', 'provider', 'show', sp)['enabled'])
        self.assertIn(sp, [r['ID'] for r in self.show(client, 'service', 'provider', 'list')])
        self.run_client(client, 'service', 'provider', 'delete', sp)
        self.run_client(client, 'federation', 'protocol', 'delete', 'p', '--identity-provider', idp)
        self.run_client(client, 'identity', 'provider', 'delete', idp)
        self.run_client(client, 'mapping', 'delete', mapping)
        self.assertNotIn(idp, [r['ID'] for r in self.show(client, 'identity', 'provider', 'list')])
        self.assertIn('admin', [r['Name'] for r in self.show(client, 'federation', 'project', 'list')])
        self.show(client, 'federation', 'domain', 'list')

    def test_openstack_logs_in(self):
        """By password, client credentials and access token of the issuer, to a project that a group gives."""
        group, project, name = self.group(), self.project(), unique('u')
        self.grant(project, 'groups', group['id'])
        rules('acme', [{'local': [{'user': {'name': '{0}'}}, {'group': {'id': group['id']}}], 'remote': [{'type': 'OIDC-sub'}]}])
        PROVIDER.users[name] = ('pw of ' + name, {'sub': name})
        issuer = {'OS_CLIENT_ID': PROVIDER.client_id, 'OS_CLIENT_SECRET': PROVIDER.client_secret,
                  'OS_DISCOVERY_ENDPOINT': PROVIDER.issuer + '/.well-known/openid-configuration'}
        for kind, more in (('v3oidcpassword', dict(issuer, OS_USERNAME=name, OS_PASSWORD='pw of ' + name)),
                           ('v3oidcclientcredentials', dict(issuer, OS_USERNAME=None, OS_PASSWORD=None)),
                           ('v3oidcaccesstoken', {'OS_ACCESS_TOKEN': PROVIDER.access_token(sub=name), 'OS_USERNAME': None, 'OS_PASSWORD': None})):
            with self.subTest(kind):
                env = self.environment(OS_AUTH_TYPE=kind, OS_IDENTITY_PROVIDER='acme', OS_PROTOCOL='openid', OS_PROJECT_NAME=None, OS_PROJECT_ID=project,
                                       OS_PROJECT_DOMAIN_NAME=None, OS_USER_DOMAIN_NAME=None, **more)
                token = self.show('openstack', 'token', 'issue', env=env)
                self.assertEqual(token['project_id'], project)
                user = show(token['id'])[2]['token']['user']
                self.assertEqual((user['name'], user['OS-FEDERATION']['groups']), (PROVIDER.client_id if kind == 'v3oidcclientcredentials' else name, [{'id': group['id']}]))


if __name__ == '__main__':
    unittest.main()
