#!/usr/bin/python3
"""Credentials: whose they are, that their secrets are sealed at rest and stay openable through rotations, and the tokens that EC2
and S3 requests signed with them give, to those who may ask for them only."""
import base64
import concurrent.futures
import hashlib
import hmac
import json
import os
import subprocess
import sys
import time
import unittest
import urllib.parse
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402
import rest  # noqa: E402

PASSWORD = 'correct horse'
LIMIT = 6
REFUSED = {'error': {'code': 401, 'title': 'Unauthorized', 'message': 'The request you have made requires authentication.'}}
EMPTY = hashlib.sha256(b'').hexdigest()


def setUpModule():
    global CLOUD, ADMIN, ROLES, URL, SECOND
    CLOUD = Cloud(services=['identity'], settings={'identity': {'credential': {'user_limit': LIMIT}}})
    ADMIN = CLOUD.admin()
    URL = CLOUD.urls['identity']
    SECOND = CLOUD.add_daemon('identity')
    ROLES = {r['name']: r['id'] for r in ADMIN.expect(200, 'GET', 'identity', '/v3/roles')['roles']}


def tearDownModule():
    CLOUD.close()


def unique(prefix='x'):
    return '%s-%s' % (prefix, uuid.uuid4().hex[:12])


def make(kind, **members):
    members.setdefault('name', unique(kind))
    return ADMIN.expect(201, 'POST', 'identity', '/v3/%ss' % kind, {kind: members})[kind]


def give(role, project, user):
    ADMIN.expect(204, 'PUT', 'identity', '/v3/projects/%s/users/%s/roles/%s' % (project['id'], user['id'], ROLES[role]))


def take(role, project, user):
    ADMIN.expect(204, 'DELETE', 'identity', '/v3/projects/%s/users/%s/roles/%s' % (project['id'], user['id'], ROLES[role]))


def authenticate(identity, scope=None):
    auth = {'identity': identity}
    if scope:
        auth['scope'] = scope
    status, headers, content = rest.request('POST', URL + '/v3/auth/tokens', {'auth': auth})
    if status != 201:
        raise rest.RequestFailed('%d: %s' % (status, content))
    return rest.Session(CLOUD.urls, headers['X-Subject-Token'], content['token'])


def login(user, project, **scope):
    return authenticate({'methods': ['password'], 'password': {'user': {'id': user['id'], 'password': PASSWORD}}},
                        scope or {'project': {'id': project['id']}})


def member(role='member'):
    user, project = make('user', password=PASSWORD), make('project')
    give(role, project, user)
    return user, project, login(user, project)


def blob(**more):
    return json.dumps(dict({'access': uuid.uuid4().hex, 'secret': uuid.uuid4().hex}, **more))


# What a client of EC2 or S3 does with its secret, written anew here: the service must agree with the manual, not with itself.

def sign_v2(secret, verb, host, path, params):
    query = '&'.join('%s=%s' % (urllib.parse.quote(k, safe=''), urllib.parse.quote(params[k], safe='-_~')) for k in sorted(params))
    text = '%s\n%s\n%s\n%s' % (verb, host, path, query)
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()


def sign_v4(secret, scope, text):
    key = ('AWS4' + secret).encode()
    for part in scope.split('/'):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def iso(offset=0):
    return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + offset))


def request_v2(key, offset=0, host='cloud.example.com:8773', sign_host=None):
    params = {'SignatureVersion': '2', 'SignatureMethod': 'HmacSHA256', 'AWSAccessKeyId': key['access'], 'Action': 'DescribeInstances',
              'Timestamp': iso(offset), 'Filter.1': 'a b/ü&=~*'}
    return {'access': key['access'], 'verb': 'GET', 'host': host, 'path': '/services/Cloud', 'params': params,
            'signature': sign_v2(key['secret'], 'GET', sign_host or host, '/services/Cloud', params)}


def request_v4(key, offset=0, region='RegionOne', headers='host;x-amz-date', host='cloud.example.com'):
    stamp = time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(time.time() + offset))
    scope = '%s/%s/ec2/aws4_request' % (stamp[:8], region)
    canonical = 'POST\n/\n\n%s\n%s\n%s' % (''.join('%s:%s\n' % (h, {'host': host, 'x-amz-date': stamp}[h]) for h in headers.split(';')),
                                          headers, EMPTY)
    text = 'AWS4-HMAC-SHA256\n%s\n%s\n%s' % (stamp, scope, hashlib.sha256(canonical.encode()).hexdigest())
    return {'access': key['access'], 'verb': 'POST', 'host': host, 'path': '/', 'params': {}, 'body_hash': EMPTY,
            'headers': {'Host': host, 'X-Amz-Date': stamp, 'Authorization': 'AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=x' % (
                key['access'], scope, headers)},
            'signature': sign_v4(key['secret'], scope, text)}


def request_s3(key, version=4, offset=0, service='s3'):
    if version == 4:
        stamp = time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(time.time() + offset))
        scope = '%s/RegionOne/%s/aws4_request' % (stamp[:8], service)
        text = 'AWS4-HMAC-SHA256\n%s\n%s\n%s' % (stamp, scope, EMPTY)
        signature = sign_v4(key['secret'], scope, text)
    else:
        text = 'GET\n\n\n%d\n/bucket/object' % (time.time() + 60 + offset)
        signature = base64.b64encode(hmac.new(key['secret'].encode(), text.encode(), hashlib.sha1).digest()).decode()
    return {'access': key['access'], 'signature': signature, 'token': base64.urlsafe_b64encode(text.encode()).decode()}


class Base(unittest.TestCase):
    def call(self, status, method, path, body=None, session=None):
        got, headers, content = (session or ADMIN).request(method, 'identity', path, body)
        self.assertEqual(got, status, '%s %s: %s' % (method, path, content))
        self.headers = headers
        return content

    def create(self, user, project=None, kind='ec2', status=201, session=None, **members):
        body = dict({'user_id': user['id'], 'type': kind, 'blob': members.pop('blob', None) or blob()}, **members)
        if project:
            body['project_id'] = project['id']
        content = self.call(status, 'POST', '/v3/credentials', {'credential': body}, session)
        return content['credential'] if status == 201 else content


class Credentials(Base):
    def test_life(self):
        u, p, s = member()
        text = blob()
        made = self.create(u, p, blob=text, session=s)
        self.assertEqual(made, {'id': hashlib.sha256(json.loads(text)['access'].encode()).hexdigest(), 'user_id': u['id'], 'project_id': p['id'],
                                'type': 'ec2', 'blob': text, 'links': made['links']})
        other = self.create(u, kind='cert', blob='any text: ü', session=s)
        self.assertEqual(len(other['id']), 32)
        self.assertIsNone(other['project_id'])
        path = '/v3/credentials/' + other['id']
        self.assertEqual(self.call(200, 'GET', path, session=s)['credential'], other)
        self.assertEqual({c['id'] for c in self.call(200, 'GET', '/v3/credentials', session=s)['credentials']}, {made['id'], other['id']})
        self.assertEqual(self.call(200, 'GET', '/v3/credentials?type=cert', session=s)['credentials'], [other])
        self.assertEqual(self.call(200, 'GET', '/v3/credentials?type=cert&user_id=' + u['id'])['credentials'], [other])
        self.assertEqual(self.call(200, 'PATCH', path, {'credential': {'blob': 'new'}}, s)['credential'], dict(other, blob='new'))
        # The openstack client sends everything, changed or not.
        self.assertEqual(self.call(200, 'PATCH', path, {'credential': dict(other, blob='newer')}, s)['credential'], dict(other, blob='newer'))
        for change in ({'type': 'totp'}, {'type': 'cert', 'blob': 'newer'}):
            self.assertEqual(self.call(200, 'PATCH', path, {'credential': change}, s)['credential'], dict(other, blob='newer', type=change['type']))
        self.call(403, 'PATCH', path, {'credential': {'user_id': ADMIN.user_id}}, s)
        for bad in ({'type': 'ec2'}, {'blob': 1}, {'blob': None}, {'blob': 'x' * 70000}, {}):
            self.call(400, 'PATCH', path, {'credential': bad}, s)
        self.assertEqual(self.call(200, 'GET', path, session=s)['credential'], dict(other, blob='newer'))
        self.call(204, 'DELETE', path, session=s)
        self.call(404, 'GET', path)

    def test_given_to_another(self):
        """An administrator may change whose one is, and make an EC2 one of it; it then is what its new user made."""
        u, p, s = member()
        v, q, t = member()
        made = self.create(u, kind='cert', blob='secret', session=s)
        path = '/v3/credentials/' + made['id']
        self.call(403, 'PATCH', path, {'credential': {'user_id': v['id']}}, s)
        self.call(404, 'PATCH', path, {'credential': {'user_id': 'nobody'}})
        self.assertEqual(self.call(200, 'PATCH', path, {'credential': {'user_id': v['id']}})['credential'], dict(made, user_id=v['id']))
        self.call(403, 'GET', path, session=s)
        self.assertEqual(self.call(200, 'GET', path, session=t)['credential'], dict(made, user_id=v['id']))  # Opened with its new user.
        for bad in ({'type': 'ec2', 'project_id': q['id']}, {'type': 'ec2', 'blob': blob()}, {'type': 'ec2', 'blob': '{}', 'project_id': q['id']}):
            self.call(400, 'PATCH', path, {'credential': bad})
        text = blob()
        changed = dict(made, user_id=u['id'], type='ec2', blob=text, project_id=p['id'])
        self.assertEqual(self.call(200, 'PATCH', path, {'credential': dict(changed)})['credential'], changed)
        self.call(400, 'PATCH', path, {'credential': {'type': 'cert'}})
        self.call(404, 'GET', '/v3/users/%s/credentials/OS-EC2/%s' % (u['id'], json.loads(text)['access']), session=s)

    def test_what_ec2_asks(self):
        u, p, s = member()
        for bad in ('text', '[]', '{}', '"a"', '{"secret": "s"}', '{"access": null}', '{"access": 1}', '{"access": ""}', '{"access": "a"'):
            self.create(u, p, blob=bad, status=400, session=s)
        self.create(u, status=400, session=s)  # No project.
        made = self.create(u, p, session=s)
        self.create(u, p, blob=made['blob'], status=409, session=s)
        self.call(400, 'PATCH', '/v3/credentials/' + made['id'], {'credential': {'blob': 'text'}}, s)
        self.call(400, 'PATCH', '/v3/credentials/' + made['id'], {'credential': {'project_id': None}}, s)
        self.call(400, 'PATCH', '/v3/credentials/' + made['id'], {'credential': {'type': 'cert'}}, s)
        q = make('project')
        changed = self.call(200, 'PATCH', '/v3/credentials/' + made['id'], {'credential': {'project_id': q['id']}}, s)['credential']
        self.assertEqual(changed, dict(made, project_id=q['id']))

    def test_marks_stay(self):
        """Threat B5: what a delegated token made stays as narrow as it was."""
        u, p, s = member()
        for mark in ('trust_id', 'app_cred_id', 'access_token_id', 'access_id'):
            text = blob(**{mark: 'x'})
            made = self.create(u, p, blob=text, session=s)
            path = '/v3/credentials/' + made['id']
            without = json.loads(text)
            del without[mark]
            for changed in (without, dict(without, **{mark: 'y'}), dict(without, **{mark: None}), dict(json.loads(text), **{'trust_id': 'z'})):
                self.call(400, 'PATCH', path, {'credential': {'blob': json.dumps(changed)}}, s)
            self.call(400, 'PATCH', path, {'credential': {'project_id': make('project')['id']}}, s)
            self.call(400, 'PATCH', path, {'credential': {'user_id': ADMIN.user_id}})
            self.call(200, 'PATCH', path, {'credential': {'blob': json.dumps(dict(json.loads(text), secret='new'))}}, s)
            self.call(204, 'DELETE', path, session=s)
        plain = self.create(u, p, session=s)
        self.call(400, 'PATCH', '/v3/credentials/' + plain['id'],
                  {'credential': {'blob': json.dumps(dict(json.loads(plain['blob']), app_cred_id='x'))}}, s)

    def test_whose(self):
        """Threat B6: the owner, an administrator and a reader of the system see one; nobody else does, in any scope."""
        u, p, s = member()
        v, q, t = member('manager')
        made = self.create(u, p, session=s)
        path = '/v3/credentials/' + made['id']
        unscoped = authenticate({'methods': ['token'], 'token': {'id': t.token}}, 'unscoped')
        ADMIN.expect(204, 'PUT', 'identity', '/v3/domains/default/users/%s/roles/%s' % (v['id'], ROLES['manager']))
        domain = login(v, None, domain={'id': 'default'})
        for session in (t, unscoped, domain):
            self.assertEqual(self.call(200, 'GET', '/v3/credentials', session=session)['credentials'], [])
            self.assertEqual(self.call(200, 'GET', '/v3/credentials?user_id=' + u['id'], session=session)['credentials'], [])
            self.call(403, 'GET', path, session=session)
            self.call(403, 'PATCH', path, {'credential': {'blob': blob()}}, session)
            self.call(403, 'DELETE', path, session=session)
            self.create(u, p, status=403, session=session)
        ADMIN.expect(204, 'PUT', 'identity', '/v3/system/users/%s/roles/%s' % (v['id'], ROLES['reader']))
        reader = login(v, None, system={'all': True})
        self.assertEqual(self.call(200, 'GET', path, session=reader)['credential'], made)
        self.assertIn(made['id'], {c['id'] for c in self.call(200, 'GET', '/v3/credentials', session=reader)['credentials']})
        self.call(403, 'DELETE', path, session=reader)
        self.call(403, 'PATCH', path, {'credential': {'blob': blob()}}, reader)
        self.assertEqual(self.call(200, 'GET', path, session=s)['credential'], made)

    def test_not_by_delegation(self):
        u, p, s = member()
        made = self.create(u, p, session=s)
        app = s.expect(201, 'POST', 'identity', '/v3/users/%s/application_credentials' % u['id'],
                       {'application_credential': {'name': 'a', 'unrestricted': True}})['application_credential']
        t = authenticate({'methods': ['application_credential'], 'application_credential': {'id': app['id'], 'secret': app['secret']}})
        path = '/v3/credentials/' + made['id']
        self.create(u, p, status=403, session=t)
        self.create(u, kind='totp', blob='GEZDGNBV', status=403, session=t)
        self.call(403, 'GET', path, session=t)
        self.call(403, 'PATCH', path, {'credential': {'blob': blob()}}, t)
        self.call(403, 'DELETE', path, session=t)
        self.assertEqual(self.call(200, 'GET', '/v3/credentials', session=t)['credentials'], [])
        own = '/v3/users/%s/credentials/OS-EC2' % u['id']
        self.call(403, 'POST', own, {'tenant_id': p['id']}, t)
        self.call(403, 'GET', own, session=t)
        self.call(403, 'GET', own + '/' + json.loads(made['blob'])['access'], session=t)
        self.call(403, 'DELETE', own + '/' + json.loads(made['blob'])['access'], session=t)
        self.assertEqual(self.call(200, 'GET', path, session=s)['credential'], made)

    def test_exactly_the_limit(self):
        u, p, s = member()
        other = s.at(SECOND)

        def one(number):
            session = other if number % 2 else s
            if number % 3 == 0:
                return session.request('POST', 'identity', '/v3/users/%s/credentials/OS-EC2' % u['id'], {'tenant_id': p['id']})[0]
            return session.request('POST', 'identity', '/v3/credentials',
                                   {'credential': {'user_id': u['id'], 'type': 'cert', 'blob': str(number)}})[0]

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = sorted(pool.map(one, range(32)))
        self.assertEqual(answers, [201] * LIMIT + [403] * (32 - LIMIT))
        credentials = self.call(200, 'GET', '/v3/credentials', session=s)['credentials']
        self.assertEqual(len(credentials), LIMIT)
        self.call(204, 'DELETE', '/v3/credentials/' + credentials[0]['id'], session=s)
        self.create(u, p, session=s)

    def test_gone_with_user_and_project(self):
        u, p, s = member()
        q = make('project')
        mine, plain, other = self.create(u, p, session=s), self.create(u, kind='cert', blob='b', session=s), self.create(u, q, session=s)
        self.call(204, 'DELETE', '/v3/projects/' + q['id'])
        self.assertEqual({c['id'] for c in self.call(200, 'GET', '/v3/credentials', session=s)['credentials']}, {mine['id'], plain['id']})
        self.call(404, 'GET', '/v3/credentials/' + other['id'])
        self.call(204, 'DELETE', '/v3/users/' + u['id'])
        for gone in (mine, plain):
            self.call(404, 'GET', '/v3/credentials/' + gone['id'])


class Sealed(Base):
    def run_command(self, *words):
        daemon = CLOUD.daemon('identity')
        return subprocess.run([daemon.binary, *words, '--config', daemon.config], capture_output=True, text=True, check=False,
                              timeout=60, cwd='/')

    def test_at_rest(self):
        u, p, s = member()
        secret = uuid.uuid4().hex
        made = self.create(u, p, blob=json.dumps({'access': unique(), 'secret': secret}), session=s)
        row = CLOUD.sql('identity', "SELECT * FROM credential WHERE id = '%s'" % made['id'])
        self.assertIn(made['id'], row)
        self.assertNotIn(secret, row)
        self.assertNotIn(base64.b64encode(secret.encode()).decode()[:20], row)

    def test_moved_to_another_row(self):
        """Who can write the table alone cannot read a secret through his own credential."""
        u, p, s = member()
        v, q, t = member()
        his, mine = self.create(u, p, session=s), self.create(v, q, session=t)
        CLOUD.sql('identity', "UPDATE credential SET sealed = (SELECT sealed FROM credential WHERE id = '%s') WHERE id = '%s'" % (his['id'], mine['id']))
        self.call(500, 'GET', '/v3/credentials/' + mine['id'], session=t)
        self.call(204, 'DELETE', '/v3/credentials/' + mine['id'], session=t)

    def test_rotated(self):
        """Two daemons serve all the while."""
        u, p, s = member()
        other = s.at(SECOND)
        old = self.create(u, p, session=s)
        for _ in range(3):
            migrated = self.run_command('credential', 'key', 'migrate')
            self.assertEqual(migrated.returncode, 0, migrated.stderr)
            rotated = self.run_command('credential', 'key', 'rotate')
            self.assertEqual(rotated.returncode, 0, rotated.stderr)
            # What the last key sealed is not migrated yet: another rotation would lose it, so there is none.
            refused = self.run_command('credential', 'key', 'rotate')
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn('migrate first', refused.stderr + refused.stdout)
            new = self.create(u, p, session=other)
            for session in (s, other):
                for c in (old, new):
                    self.assertEqual(self.call(200, 'GET', '/v3/credentials/' + c['id'], session=session)['credential']['blob'], c['blob'])
        self.assertEqual(CLOUD.sql('identity', 'SELECT count(DISTINCT sealed_by) FROM credential').strip(), '2')
        self.assertEqual(self.run_command('credential', 'key', 'migrate').returncode, 0)
        self.assertEqual(CLOUD.sql('identity', 'SELECT count(DISTINCT sealed_by) FROM credential').strip(), '1')
        for session in (s, other):
            self.assertEqual(self.call(200, 'GET', '/v3/credentials/' + old['id'], session=session)['credential']['blob'], old['blob'])
        self.assertNotEqual(self.run_command('credential', 'key', 'lose').returncode, 0)

    def test_what_lay_open_is_sealed_at_the_start(self):
        u, p, s = member()
        made = self.create(u, kind='cert', blob='b', session=s)
        CLOUD.sql('identity', "UPDATE credential SET blob = 'from before', sealed = NULL, sealed_by = NULL WHERE id = '%s'" % made['id'])
        self.assertEqual(self.call(200, 'GET', '/v3/credentials/' + made['id'], session=s)['credential']['blob'], 'from before')
        CLOUD.daemon('identity').process.kill()
        CLOUD.restart()
        self.assertNotIn('from before', CLOUD.sql('identity', 'SELECT * FROM credential'))
        self.assertEqual(self.call(200, 'GET', '/v3/credentials/' + made['id'], session=s)['credential']['blob'], 'from before')


class CommandLine(Base):
    """virga's own commands, from create to delete."""

    def virga(self, *words):
        env = {'PATH': os.environ['PATH'], 'HOME': CLOUD.folder, 'OS_AUTH_URL': URL, 'OS_USERNAME': 'admin', 'OS_PROJECT_NAME': 'admin',
               'OS_PASSWORD': CLOUD.layout.secret('user-admin'), 'OS_USER_DOMAIN_NAME': 'Default', 'OS_PROJECT_DOMAIN_ID': 'default'}
        done = subprocess.run([CLOUD.layout.binary('virga'), *words], capture_output=True, text=True, env=env, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, (words, done.stderr))
        return json.loads(done.stdout) if '-f' in words else done.stdout

    def test_credential(self):
        u, p, _ = member()
        made = self.virga('credential', 'create', u['name'], 'a secret', '--type', 'totp', '--project', p['name'], '-f', 'json')
        self.assertEqual((made['user_id'], made['project_id'], made['blob'], made['type']), (u['id'], p['id'], 'a secret', 'totp'))
        self.virga('credential', 'set', made['id'], '--user', u['name'], '--type', 'totp', '--data', 'another')
        self.assertEqual(self.virga('credential', 'show', made['id'], '-f', 'json')['blob'], 'another')
        listed = self.virga('credential', 'list', '--user', u['name'], '--type', 'totp', '-f', 'json')
        self.assertEqual([(c['ID'], c['Data']) for c in listed], [(made['id'], 'another')])
        self.virga('credential', 'delete', made['id'])
        self.call(404, 'GET', '/v3/credentials/' + made['id'])

    def test_ec2(self):
        made = self.virga('ec2', 'credentials', 'create', '-f', 'json')
        self.assertEqual(made['project_id'], ADMIN.project_id)
        self.assertEqual(self.virga('ec2', 'credentials', 'show', made['access'], '-f', 'json')['secret'], made['secret'])
        self.assertIn(made['access'], {c['Access'] for c in self.virga('ec2', 'credentials', 'list', '-f', 'json')})
        self.virga('ec2', 'credentials', 'delete', made['access'])
        self.assertNotIn(made['access'], {c['Access'] for c in self.virga('ec2', 'credentials', 'list', '-f', 'json')})

    def test_rules_of_a_user(self):
        name = unique()
        made = self.virga('user', 'create', name, '--multi-factor-auth-rule', 'password,totp', '--multi-factor-auth-rule', 'password',
                          '--enable-multi-factor-auth', '--enable-lock-password', '-f', 'json')
        self.assertEqual(made['options'], {'multi_factor_auth_rules': [['password', 'totp'], ['password']],
                                           'multi_factor_auth_enabled': True, 'lock_password': True})
        self.virga('user', 'set', name, '--disable-multi-factor-auth', '--multi-factor-auth-rule', 'totp')
        self.assertEqual(self.virga('user', 'show', name, '-f', 'json')['options'],
                         {'multi_factor_auth_rules': [['totp']], 'multi_factor_auth_enabled': False, 'lock_password': True})


class Ec2(Base):
    def new(self, user, project, session, status=201):
        content = self.call(status, 'POST', '/v3/users/%s/credentials/OS-EC2' % user['id'], {'tenant_id': project['id']}, session)
        return content['credential'] if status == 201 else content

    def test_life(self):
        u, p, s = member()
        path = '/v3/users/%s/credentials/OS-EC2' % u['id']
        self.assertEqual(self.call(200, 'GET', path, session=s),
                         {'credentials': [], 'links': {'self': URL + path, 'next': None, 'previous': None}})
        made = self.new(u, p, s)
        self.assertEqual(made, {'user_id': u['id'], 'tenant_id': p['id'], 'access': made['access'], 'secret': made['secret'], 'trust_id': None,
                                'links': {'self': '%s%s/%s' % (URL, path, made['access'])}})
        self.assertEqual(self.call(200, 'GET', path, session=s)['credentials'], [made])
        self.assertEqual(self.call(200, 'GET', path + '/' + made['access'], session=s)['credential'], made)
        as_credential = self.call(200, 'GET', '/v3/credentials?type=ec2', session=s)['credentials']
        self.assertEqual([json.loads(c['blob'])['secret'] for c in as_credential], [made['secret']])
        self.call(204, 'DELETE', path + '/' + made['access'], session=s)
        self.call(404, 'DELETE', path + '/' + made['access'], session=s)
        self.call(404, 'GET', path + '/' + made['access'], session=s)
        self.call(404, 'POST', path, {'tenant_id': 'nowhere'}, s)
        made = self.call(201, 'POST', path, {'tenant_id': 'default'}, s)['credential']  # A domain is a project too.
        self.assertEqual(made['tenant_id'], 'default')
        self.refused(request_v2(made))
        for bad in ({}, {'tenant_id': None}, {'tenant_id': 1}, {'tenant_id': ''}, []):
            self.call(400, 'POST', path, bad, s)

    def test_whose(self):
        u, p, s = member()
        v, q, t = member()
        made = self.new(u, p, s)
        path = '/v3/users/%s/credentials/OS-EC2' % u['id']
        self.call(403, 'GET', path, session=t)
        self.new(u, p, t, 403)
        self.call(403, 'GET', path + '/' + made['access'], session=t)
        self.call(403, 'DELETE', path + '/' + made['access'], session=t)
        # Another's key below one's own path is not there.
        own = '/v3/users/%s/credentials/OS-EC2' % v['id']
        self.call(404, 'GET', own + '/' + made['access'], session=t)
        self.call(404, 'DELETE', own + '/' + made['access'], session=t)
        self.assertEqual(self.call(200, 'GET', path + '/' + made['access'])['credential'], made)
        r, o, reader = member('reader')
        self.new(r, o, reader, 403)

    def ask(self, request, path='/v3/ec2tokens', session=None, name='credentials'):
        return (session or ADMIN).request('POST', 'identity', path, {name: request})

    def gives(self, request, user, project, path='/v3/ec2tokens', **more):
        status, headers, content = self.ask(request, path, **more)
        self.assertEqual(status, 200, content)
        token = content['token']
        self.assertEqual((token['methods'], token['user']['id'], token['project']['id']), (['ec2credential'], user['id'], project['id']))
        self.assertIn('catalog', token)
        return headers, token

    def refused(self, request, path='/v3/ec2tokens', **more):
        status, headers, content = self.ask(request, path, **more)
        self.assertEqual((status, content), (401, REFUSED))
        self.assertNotIn('X-Subject-Token', headers)

    def test_tokens(self):
        u, p, s = member()
        key = self.new(u, p, s)
        for request in (request_v2(key), request_v4(key), request_v2(key, sign_host='cloud.example.com')):
            headers, token = self.gives(request, u, p)
            self.assertEqual({r['name'] for r in token['roles']}, {'member', 'reader'})
            session = rest.Session(CLOUD.urls, headers['X-Subject-Token'], token)
            self.assertEqual(self.call(200, 'GET', '/v3/auth/projects', session=session)['projects'][0]['id'], p['id'])
            self.call(403, 'GET', '/v3/credentials/' + hashlib.sha256(key['access'].encode()).hexdigest(), session=session)
        for name in ('credential', 'ec2Credentials'):
            self.gives(request_v2(key), u, p, name=name)

    def test_s3(self):
        u, p, s = member()
        key = self.new(u, p, s)
        for request in (request_s3(key), request_s3(key, 2), request_s3(key, offset=-3600), request_s3(key, service='sts')):
            headers, _ = self.gives(request, u, p, '/v3/s3tokens')
            self.assertNotIn('X-Subject-Token', headers)
        for request in (request_s3(key, offset=-8 * 86400), request_s3(key, offset=3600), request_s3(key, 2, offset=-120),
                        request_s3(key, service='ec2'), dict(request_s3(key), token='!'), dict(request_s3(key), token=''),
                        dict(request_s3(key), token=request_s3(key, offset=-5)['token']), dict(request_s3(key), signature='x')):
            self.refused(request, '/v3/s3tokens')

    def test_who_may_ask(self):
        """Threat B11: a signed request is no log-in for whoever sees it."""
        u, p, s = member()
        key = self.new(u, p, s)
        for path, request in (('/v3/ec2tokens', request_v2(key)), ('/v3/s3tokens', request_s3(key))):
            self.assertEqual(rest.request('POST', URL + path, {'credentials': request})[0], 401)
            self.assertEqual(self.ask(request, path, session=s)[0], 403)
            manager = member('manager')[2]
            self.assertEqual(self.ask(request, path, session=manager)[0], 403)
            service = member('service')[2]
            self.gives(request, u, p, path, session=service)

    def test_what_was_not_signed(self):
        u, p, s = member()
        key = self.new(u, p, s)
        good, four = request_v2(key), request_v4(key)
        other = self.new(u, p, s)
        for request in (
                dict(good, host='other.example.com'), dict(good, verb='POST'), dict(good, path='/other'), dict(good, signature='x'),
                dict(good, params=dict(good['params'], Action='TerminateInstances')), dict(good, params=dict(good['params'], More='x')),
                dict(good, params={k: v for k, v in good['params'].items() if k != 'Timestamp'}),
                dict(good, access=other['access']), dict(good, access='nobody'), dict(good, access=''),
                {k: v for k, v in good.items() if k != 'signature'}, {k: v for k, v in good.items() if k != 'host'}, {},
                request_v2(dict(key, secret=other['secret'])), request_v2(key, -16 * 60), request_v2(key, 16 * 60),
                dict(four, body_hash='0' * 64), dict(four, path='/x'), dict(four, headers=dict(four['headers'], Host='other.example.com')),
                dict(four, headers=dict(four['headers'], Authorization=four['headers']['Authorization'].replace('RegionOne', 'RegionTwo'))),
                request_v4(key, -16 * 60), request_v4(key, 16 * 60), request_v4(key, headers='x-amz-date'),
                # A new time beside the old one that was signed.
                dict(request_v4(key, -3600), params={'Timestamp': iso()}), dict(request_v4(key, -3600), params={'X-Amz-Date': iso()})):
            self.refused(request)
        for bad in ([], 'x', {'credentials': 'x'}, {'credentials': dict(good, params=[])}, {'credentials': dict(good, access=1)}):
            self.assertEqual(ADMIN.request('POST', 'identity', '/v3/ec2tokens', bad)[0], 400)

    def test_a_changed_secret(self):
        u, p, s = member()
        key = self.new(u, p, s)
        path = '/v3/credentials/' + hashlib.sha256(key['access'].encode()).hexdigest()
        self.call(200, 'PATCH', path, {'credential': {'blob': json.dumps({'access': key['access'], 'secret': 'new', 'trust_id': None})}}, s)
        self.refused(request_v2(key))
        self.gives(request_v2(dict(key, secret='new')), u, p)
        # Another access key under the old one's id answers to neither.
        self.call(200, 'PATCH', path, {'credential': {'blob': json.dumps({'access': 'other', 'secret': 'new', 'trust_id': None})}}, s)
        self.refused(request_v2(dict(key, secret='new')))
        self.refused(request_v2({'access': 'other', 'secret': 'new'}))

    def test_what_ends_it(self):
        u, p, s = member()
        key = self.new(u, p, s)

        def user(**members):
            self.call(200, 'PATCH', '/v3/users/' + u['id'], {'user': members})

        def project(**members):
            self.call(200, 'PATCH', '/v3/projects/' + p['id'], {'project': members})

        self.gives(request_v2(key), u, p)
        for off, on in ((lambda: user(enabled=False), lambda: user(enabled=True)), (lambda: project(enabled=False), lambda: project(enabled=True)),
                        (lambda: take('member', p, u), lambda: give('member', p, u))):
            off()
            self.refused(request_v2(key))
            on()
            self.gives(request_v2(key), u, p)
        self.call(204, 'DELETE', '/v3/users/%s/credentials/OS-EC2/%s' % (u['id'], key['access']))
        self.refused(request_v2(key))

    def test_into_another_project(self):
        """A credential may name a project that its user has nothing to do with; it gives him nothing there."""
        u, p, s = member()
        key = self.new(u, make('project'), s)
        self.refused(request_v2(key))

    def marked(self, u, p, s, **marks):
        """As if made with a delegated token, which marked it."""
        key = {'access': uuid.uuid4().hex, 'secret': uuid.uuid4().hex}
        made = self.create(u, p, blob=json.dumps(dict(key, **marks)), session=s)
        return key, made

    def test_of_an_application_credential(self):
        """Threat B5: no more than the application credential, no longer, and nowhere else."""
        u, p, s = member()
        app = s.expect(201, 'POST', 'identity', '/v3/users/%s/application_credentials' % u['id'],
                       {'application_credential': {'name': 'a', 'roles': [{'name': 'reader'}]}})['application_credential']
        key, _ = self.marked(u, p, s, app_cred_id=app['id'])
        _, token = self.gives(request_v2(key), u, p)
        self.assertEqual([r['name'] for r in token['roles']], ['reader'])
        self.assertEqual(token['application_credential']['id'], app['id'])
        q = make('project')
        give('member', q, u)
        elsewhere, _ = self.marked(u, q, s, app_cred_id=app['id'])
        self.refused(request_v2(elsewhere))
        v, o, t = member()
        stolen, _ = self.marked(v, o, t, app_cred_id=app['id'])
        self.refused(request_v2(stolen))
        self.call(204, 'DELETE', '/v3/users/%s/application_credentials/%s' % (u['id'], app['id']), session=s)
        self.refused(request_v2(key))

    def test_of_a_trust(self):
        u, p, s = member()
        v, _, t = member()
        for impersonation in (False, True):
            trust = s.expect(201, 'POST', 'identity', '/v3/OS-TRUST/trusts', {'trust': {
                'trustor_user_id': u['id'], 'trustee_user_id': v['id'], 'project_id': p['id'], 'impersonation': impersonation,
                'roles': [{'name': 'reader'}]}})['trust']
            owner, session = (u, s) if impersonation else (v, t)
            key, _ = self.marked(owner, p, session, trust_id=trust['id'])
            _, token = self.gives(request_v2(key), owner, p)
            self.assertEqual([r['name'] for r in token['roles']], ['reader'])
            self.assertEqual(token['OS-TRUST:trust']['id'], trust['id'])
            self.call(204, 'DELETE', '/v3/OS-TRUST/trusts/' + trust['id'], session=s)
            self.refused(request_v2(key))

    def access_token(self, user, project, roles, expires="NULL"):
        consumer = ADMIN.expect(201, 'POST', 'identity', '/v3/OS-OAUTH1/consumers', {'consumer': {}})['consumer']['id']
        made = uuid.uuid4().hex
        ids = json.dumps([ROLES[r] for r in roles])
        CLOUD.sql('identity', "INSERT INTO oauth_access_token (id, secret, consumer_id, project_id, user_id, role_ids, expires_at) "
                              f"VALUES ('{made}', 's', '{consumer}', '{project['id']}', '{user['id']}', '{ids}', {expires})")
        return made, consumer

    def test_of_an_access_token(self):
        """Threat B5, of OAuth: what the user has authorized, and no more."""
        u, p, s = member()
        access, consumer = self.access_token(u, p, ['reader'])
        key, _ = self.marked(u, p, s, access_token_id=access)
        headers, token = self.gives(request_v2(key), u, p)
        self.assertEqual([r['name'] for r in token['roles']], ['reader'])
        self.assertEqual(token['OS-OAUTH1'], {'access_token_id': access, 'consumer_id': consumer})
        # It makes nothing that would be more.
        made = rest.Session(CLOUD.urls, headers['X-Subject-Token'], token)
        auth = {'identity': {'methods': ['token'], 'token': {'id': made.token}}, 'scope': {'project': {'id': p['id']}}}
        self.assertEqual(made.request('POST', 'identity', '/v3/auth/tokens', {'auth': auth})[0], 403)
        # Another project, another's, one that is over, one that never was.
        q = make('project')
        give('member', q, u)
        v, o, t = member()
        for owner, project, session, mark in ((u, q, s, access), (v, o, t, access), (v, p, t, access), (u, p, s, 'x'),
                                              (u, p, s, self.access_token(u, p, ['reader'], "now() - interval '1 s'")[0])):
            if project is p and owner is v:
                give('member', p, v)
            other, _ = self.marked(owner, project, session, access_token_id=mark)
            self.refused(request_v2(other))
        self.call(204, 'DELETE', '/v3/users/%s/OS-OAUTH1/access_tokens/%s' % (u['id'], access))
        self.refused(request_v2(key))
        self.assertEqual(made.request('GET', 'identity', '/v3/auth/catalog')[0], 401)


if __name__ == '__main__':
    unittest.main(verbosity=1)
