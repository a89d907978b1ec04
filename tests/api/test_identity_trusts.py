#!/usr/bin/python3
"""Trusts: made, listed, shown and deleted; tokens by them; handing them on; and what makes them void, here and in another service."""
import concurrent.futures
import os
import sys
import time
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402
import rest  # noqa: E402

PASSWORD = 'correct horse'
STALENESS_S = 2.0
TRUSTS = '/v3/OS-TRUST/trusts'


def setUpModule():
    global CLOUD, ADMIN, ROLES, URL
    CLOUD = Cloud(services=['identity', 'image'])
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


def person(**members):
    return make('user', password=PASSWORD, **members)


def grant(user, project, role, method='PUT'):
    ADMIN.expect(204, method, 'identity', '/v3/projects/%s/users/%s/roles/%s' % (project['id'], user['id'], ROLES[role]))


def change(kind, thing, **members):
    ADMIN.expect(200, 'PATCH', 'identity', '/v3/%ss/%s' % (kind, thing['id']), {kind: members})


def password(user):
    return {'methods': ['password'], 'password': {'user': {'id': user['id'], 'password': PASSWORD}}}


def auth(identity, scope=None):
    body = {'auth': {'identity': identity}}
    if scope is not None:
        body['auth']['scope'] = scope
    status, headers, content = rest.request('POST', URL + '/v3/auth/tokens', body)
    return (status, rest.Session(CLOUD.urls, headers['X-Subject-Token'], content['token'])) if status == 201 else (status, content)


def scoped(user, scope):
    status, session = auth(password(user), scope)
    assert status == 201, session
    return session


def by_trust(user, trust):
    return auth(password(user), {'OS-TRUST:trust': {'id': trust['id']}})


class Case(unittest.TestCase):
    """A trustor with role member in a project, and a trustee with nothing."""

    def setUp(self):
        self.trustor, self.trustee, self.project = person(), person(), make('project')
        grant(self.trustor, self.project, 'member')
        self.session = scoped(self.trustor, {'project': {'id': self.project['id']}})
        self.other = scoped(self.trustee, 'unscoped')

    def call(self, status, method, path, body=None, session=None, headers=None, service='identity'):
        got, _, content = (session or self.session).request(method, service, path, body, headers)
        self.assertEqual(got, status, '%s %s: %s' % (method, path, content))
        return content

    def create(self, status=201, session=None, **members):
        trust = {'trustor_user_id': self.trustor['id'], 'trustee_user_id': self.trustee['id'], 'impersonation': True,
                 'project_id': self.project['id'], 'roles': [{'name': 'member'}]}
        trust.update(members)
        content = self.call(status, 'POST', TRUSTS, {'trust': {k: v for k, v in trust.items() if v is not ...}}, session)
        return content['trust'] if status == 201 else content['error']['message']

    def use(self, trust, status=201, user=None):
        got, session = by_trust(user or self.trustee, trust)
        self.assertEqual(got, status, session)
        return session


class Crud(Case):
    def test_create_and_show(self):
        made = self.create()
        path = '%s/%s' % (TRUSTS, made['id'])
        role = ADMIN.expect(200, 'GET', 'identity', '/v3/roles/' + ROLES['member'])['role']
        self.assertEqual({k: v for k, v in made.items() if k not in ('id', 'links', 'roles', 'roles_links')},
                         {'trustor_user_id': self.trustor['id'], 'trustee_user_id': self.trustee['id'], 'impersonation': True,
                          'project_id': self.project['id'], 'expires_at': None, 'remaining_uses': None, 'redelegation_count': 0,
                          'redelegated_trust_id': None, 'deleted_at': None})
        self.assertEqual(made['roles'], [role])
        self.assertTrue(made['links']['self'].endswith(path))
        self.assertEqual(made['roles_links'], {'self': URL + path + '/roles', 'next': None, 'previous': None})
        self.assertEqual(self.call(200, 'GET', path)['trust'], made)
        self.assertEqual(self.call(200, 'GET', path, session=self.other)['trust'], made)  # The trustee may look.
        listed = self.call(200, 'GET', TRUSTS + '?trustor_user_id=' + self.trustor['id'])['trusts']
        self.assertEqual(listed, [{k: v for k, v in made.items() if k not in ('roles', 'roles_links')}])
        self.assertEqual(self.call(200, 'GET', path + '/roles'), {'roles': [role], 'links': made['roles_links']})
        self.assertEqual(self.call(200, 'GET', path + '/roles/' + ROLES['member']), {'role': role})
        self.call(200, 'HEAD', path + '/roles/' + ROLES['member'])
        self.call(404, 'HEAD', path + '/roles/' + ROLES['reader'])
        self.call(404, 'GET', path + '/roles/' + ROLES['reader'])
        self.call(403, 'DELETE', path, session=self.other)
        self.call(204, 'DELETE', path)
        self.assertEqual(self.call(404, 'GET', path)['error']['message'], 'Could not find trust: %s.' % made['id'])
        self.call(404, 'DELETE', path)

    def test_who_may_see(self):
        made = self.create()
        path = '%s/%s' % (TRUSTS, made['id'])
        stranger = scoped(person(), 'unscoped')
        for tail in ('', '/roles', '/roles/' + ROLES['member']):
            self.call(403, 'GET', path + tail, session=stranger)
            self.call(200, 'GET', path + tail, session=ADMIN)
        self.call(403, 'DELETE', path, session=stranger)
        for asked, session, status in (('', self.session, 403), ('', ADMIN, 200), ('?trustee_user_id=' + self.trustee['id'], self.other, 200),
                                       ('?trustee_user_id=' + self.trustee['id'], self.session, 403),
                                       ('?trustor_user_id=' + self.trustor['id'], self.other, 403),
                                       ('?trustor_user_id=%s&trustee_user_id=%s' % (self.trustor['id'], self.trustee['id']), self.session, 200)):
            content = self.call(status, 'GET', TRUSTS + asked, session=session)
            if status == 200:
                self.assertIn(made['id'], [t['id'] for t in content['trusts']], asked)
        self.assertEqual(self.call(200, 'GET', TRUSTS + '?trustor_user_id=' + self.trustee['id'], session=self.other)['trusts'], [])

    def test_bad_input(self):
        for members in ({'trustor_user_id': ...}, {'trustee_user_id': ...}, {'impersonation': ...}, {'impersonation': 'so'}, {'roles': 'member'},
                        {'roles': [{}]}, {'roles': [{'id': 'a', 'name': 'b'}]}, {'expires_at': 'bad.123Z'}, {'expires_at': '2020-01-01T00:00:00Z'},
                        {'remaining_uses': 0}, {'remaining_uses': -1}, {'remaining_uses': 'two'}, {'redelegation_count': -1},
                        {'allow_redelegation': True, 'remaining_uses': 2}, {'project_id': 3}):
            self.create(400, **members)
        self.create(403, trustor_user_id=self.trustee['id'])
        self.create(403, session=ADMIN)
        self.create(403, roles=[])
        self.create(403, roles=...)
        self.create(403, allow_redelegation=True, redelegation_count=4)
        for members in ({'trustee_user_id': uuid.uuid4().hex}, {'roles': [{'name': 'no such role'}]}, {'roles': [{'id': uuid.uuid4().hex}]},
                        {'roles': [{'name': 'admin'}]}, {'project_id': uuid.uuid4().hex}):
            self.create(404, **members)
        self.assertEqual(self.call(200, 'GET', TRUSTS + '?trustor_user_id=' + self.trustor['id'])['trusts'], [])

    def test_the_same_twice(self):
        end = time.strftime('%Y-%m-%dT%H:%M:%S.000000Z', time.gmtime(time.time() + 3600))
        self.assertEqual(self.create(expires_at=end)['expires_at'], end)
        self.create(409, expires_at=end)
        self.create(expires_at=end, impersonation=False)
        self.create()
        self.create()  # Without an end they are not the same.

    def test_expired(self):
        soon = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + 3))
        made = self.create(expires_at=soon)
        session = self.use(made)
        self.assertEqual(session.auth['expires_at'], made['expires_at'])
        time.sleep(4)
        self.use(made, 401)
        self.call(404, 'GET', '%s/%s' % (TRUSTS, made['id']))
        self.call(401, 'GET', '/v3/auth/projects', session=session)
        # What ended long ago is cleared away when the next one is made.
        CLOUD.sql('identity', "UPDATE trust SET expires_at = now() - interval '2 days' WHERE id = '%s'" % made['id'])
        self.create()
        self.assertEqual(CLOUD.sql('identity', "SELECT count(*) FROM trust WHERE id = '%s'" % made['id']).strip(), '0')


class Tokens(Case):
    def test_body(self):
        for impersonation in (True, False):
            made = self.create(impersonation=impersonation)
            session = self.use(made)
            body = session.auth
            self.assertEqual(body['OS-TRUST:trust'], {'id': made['id'], 'impersonation': impersonation, 'trustor_user': {'id': self.trustor['id']},
                                                      'trustee_user': {'id': self.trustee['id']}})
            who = self.trustor if impersonation else self.trustee
            self.assertEqual(body['user'], {'id': who['id'], 'name': who['name'], 'domain': {'id': 'default', 'name': 'Default'},
                                            'password_expires_at': None})
            self.assertEqual(body['project']['id'], self.project['id'])
            self.assertEqual({r['name'] for r in body['roles']}, {'member', 'reader'})
            self.assertIn('catalog', body)
            self.assertEqual(self.call(200, 'GET', '/v3/auth/tokens', session=ADMIN, headers={'X-Subject-Token': session.token})['token'], body)
            self.call(200, 'GET', '/v3/auth/tokens', session=session, headers={'X-Subject-Token': session.token})
            self.call(200, 'GET', '/v2/images', session=session, service='image')

    def test_to_oneself(self):
        for impersonation in (True, False):
            session = self.use(self.create(trustee_user_id=self.trustor['id'], impersonation=impersonation), user=self.trustor)
            for body in (session.auth, self.call(200, 'GET', '/v3/auth/tokens', session=ADMIN, headers={'X-Subject-Token': session.token})['token']):
                self.assertEqual((body['OS-TRUST:trust']['impersonation'], body['user']['id']), (impersonation, self.trustor['id']))

    def test_only_its_roles(self):
        grant(self.trustor, self.project, 'admin')
        self.session = scoped(self.trustor, {'project': {'id': self.project['id']}})
        session = self.use(self.create(roles=[{'name': 'reader'}]))
        self.assertEqual([r['name'] for r in session.auth['roles']], ['reader'])
        self.call(403, 'GET', '/v3/users', session=session)

    def test_only_its_trustee(self):
        made = self.create()
        self.use(made, 403, self.trustor)
        self.use(made, 403, person())
        self.assertEqual(by_trust(self.trustee, {'id': uuid.uuid4().hex})[0], 401)
        for bad in ({'OS-TRUST:trust': {}}, {'OS-TRUST:trust': {'id': 3}}, {'OS-TRUST:trust': {'id': made['id']}, 'project': {'id': self.project['id']}}):
            self.assertEqual(auth(password(self.trustee), bad)[0], 400, bad)

    def test_by_token(self):
        """A trustee who has a token already uses that."""
        made = self.create()
        status, session = auth({'methods': ['token'], 'token': {'id': self.other.token}}, {'OS-TRUST:trust': {'id': made['id']}})
        self.assertEqual(status, 201, session)
        self.assertEqual(session.auth['audit_ids'][1], self.other.auth['audit_ids'][0])
        self.assertEqual(session.auth['expires_at'], self.other.auth['expires_at'])

    def test_no_exchange(self):
        grant(self.trustor, self.project, 'admin')
        session = self.use(self.create())
        for scope in (None, 'unscoped', {'project': {'id': self.project['id']}}):
            status, content = auth({'methods': ['token'], 'token': {'id': session.token}}, scope)
            self.assertEqual(status, 403, content)

    def test_manages_no_app_creds(self):
        session = self.use(self.create())
        path = '/v3/users/%s/application_credentials' % self.trustor['id']
        self.call(403, 'POST', path, {'application_credential': {'name': 'back door'}}, session)
        self.call(403, 'GET', path, session=session)
        self.call(403, 'GET', '/v3/users/%s/access_rules' % self.trustor['id'], session=session)

    def test_uses(self):
        made = self.create(remaining_uses=2)
        self.use(made)
        self.assertEqual(self.call(200, 'GET', '%s/%s' % (TRUSTS, made['id']))['trust']['remaining_uses'], 1)
        self.use(made, 403, person())  # Costs nothing.
        session = self.use(made)
        self.use(made, 401)
        self.call(404, 'GET', '%s/%s' % (TRUSTS, made['id']))
        self.call(200, 'GET', '/v3/auth/projects', session=session)  # The last token lives on.

    def test_uses_at_once(self):
        made = self.create(remaining_uses=3)
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = [x[0] for x in pool.map(lambda _: by_trust(self.trustee, made), range(16))]
        self.assertEqual(answers.count(201), 3, answers)
        self.assertLessEqual(set(answers), {201, 401, 403})


class Redelegation(Case):
    def setUp(self):
        super().setUp()
        self.third = person()
        self.first = self.create(allow_redelegation=True)
        self.link = self.use(self.first)

    def hand_on(self, status=201, session=None, **members):
        return self.create(status, session or self.link, **dict({'trustee_user_id': self.third['id']}, **members))

    def test_chain(self):
        self.assertEqual(self.first['redelegation_count'], 3)
        second = self.hand_on(allow_redelegation=True)
        self.assertEqual(second['redelegated_trust_id'], self.first['id'])
        self.assertEqual(second['redelegation_count'], 2)
        session = self.use(second, user=self.third)
        self.assertEqual(session.auth['user']['id'], self.trustor['id'])
        last = person()
        third = self.hand_on(session=session, trustee_user_id=last['id'])
        self.assertEqual(third['redelegation_count'], 0)
        end = self.use(third, user=last)
        self.hand_on(403, end, trustee_user_id=self.trustee['id'])  # Not further.
        # Whoever deletes the first deletes all that hang on it, and their tokens.
        self.call(204, 'DELETE', '%s/%s' % (TRUSTS, self.first['id']))
        for s in (self.link, session, end):
            self.call(401, 'GET', '/v3/auth/projects', session=s)
        for trust, user in ((self.first, self.trustee), (second, self.third), (third, last)):
            self.use(trust, 401, user)

    def test_no_wider(self):
        grant(self.trustor, self.project, 'admin')
        elsewhere = make('project')
        grant(self.trustor, elsewhere, 'member')
        self.link = self.use(self.first)
        later = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + 7200))
        end = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + 3600))
        self.assertIn('roles', self.hand_on(403, roles=[{'name': 'admin'}]))
        self.assertIn('project', self.hand_on(403, project_id=elsewhere['id']))
        self.hand_on(403, remaining_uses=1)
        self.hand_on(403, allow_redelegation=True, redelegation_count=3)
        self.hand_on(403, trustor_user_id=self.trustee['id'])
        ending = self.create(allow_redelegation=True, expires_at=end)
        session = self.use(ending)
        self.hand_on(403, session, expires_at=later)
        self.assertEqual(self.hand_on(session=session)['expires_at'], ending['expires_at'])
        # One that is not to be handed on.
        self.hand_on(403, self.use(self.create()))
        # Without impersonation the trustee hands on in his own name; he must have the role himself, and cannot add impersonation.
        plain = self.use(self.create(allow_redelegation=True, impersonation=False))
        self.hand_on(404, plain, trustor_user_id=self.trustee['id'], impersonation=False)
        grant(self.trustee, self.project, 'member')
        plain = self.use(self.create(allow_redelegation=True, impersonation=False))
        self.assertIn('mpersonation', self.hand_on(403, plain, trustor_user_id=self.trustee['id'], impersonation=True))
        self.hand_on(session=plain, trustor_user_id=self.trustee['id'], impersonation=False)

    def test_a_client_names_no_parent(self):
        """Which trust it hangs below is the token's to say."""
        free = self.create(redelegated_trust_id=self.first['id'])
        self.assertIsNone(free['redelegated_trust_id'])
        self.assertEqual(self.hand_on(redelegated_trust_id=free['id'])['redelegated_trust_id'], self.first['id'])

    def test_somebody_in_the_middle(self):
        second = self.hand_on()
        session = self.use(second, user=self.third)
        change('user', self.trustee, enabled=False)
        self.call(401, 'GET', '/v3/auth/projects', session=session)
        self.use(second, 403, self.third)
        self.call(403, 'GET', '%s/%s' % (TRUSTS, second['id']))
        change('user', self.trustee, enabled=True)
        self.use(second, user=self.third)
        ADMIN.expect(204, 'DELETE', 'identity', '/v3/users/' + self.trustee['id'])
        self.use(second, 401, self.third)


class Void(Case):
    """What makes a trust void ends its tokens at once, and elsewhere within the bound; both kinds."""

    def each(self, change_it, login):
        for impersonation in (False, True):
            self.setUp()
            made = self.create(impersonation=impersonation)
            session = self.use(made)
            self.call(200, 'GET', '/v2/images', session=session, service='image')
            change_it()
            self.call(401, 'GET', '/v3/auth/projects', session=session)
            until = time.monotonic() + STALENESS_S
            while session.request('GET', 'image', '/v2/images')[0] != 401:
                self.assertLess(time.monotonic(), until, 'another service still takes the token')
                time.sleep(0.02)
            self.use(made, login)

    def test_trustor_lost_the_role(self):
        self.each(lambda: grant(self.trustor, self.project, 'member', 'DELETE'), 403)

    def test_trustor_lost_what_implied_it(self):
        grant(self.trustor, self.project, 'manager')
        made = self.create(impersonation=False)
        grant(self.trustor, self.project, 'member', 'DELETE')
        session = self.use(made)  # Still his, by manager.
        grant(self.trustor, self.project, 'manager', 'DELETE')
        self.call(401, 'GET', '/v3/auth/projects', session=session)
        self.use(made, 403)

    def test_trustor_disabled(self):
        self.each(lambda: change('user', self.trustor, enabled=False), 403)

    def test_trustor_deleted(self):
        self.each(lambda: ADMIN.expect(204, 'DELETE', 'identity', '/v3/users/' + self.trustor['id']), 401)

    def test_trustee_disabled(self):
        self.each(lambda: change('user', self.trustee, enabled=False), 401)

    def test_trustee_deleted(self):
        self.each(lambda: ADMIN.expect(204, 'DELETE', 'identity', '/v3/users/' + self.trustee['id']), 401)

    def test_trust_deleted(self):
        def delete():
            trust = self.call(200, 'GET', TRUSTS + '?trustor_user_id=' + self.trustor['id'])['trusts'][0]
            self.call(204, 'DELETE', '%s/%s' % (TRUSTS, trust['id']))
        self.each(delete, 401)

    def test_project_disabled(self):
        self.each(lambda: change('project', self.project, enabled=False), 401)

    def test_domain_disabled(self):
        """The trustor's, and the trustee's."""
        for which in ('trustor', 'trustee'):
            for impersonation in (False, True):
                domain = make('domain')
                self.trustor, self.trustee = person(), person()
                setattr(self, which, person(domain_id=domain['id']))
                grant(self.trustor, self.project, 'member')
                self.session = scoped(self.trustor, {'project': {'id': self.project['id']}})
                made = self.create(impersonation=impersonation)
                session = self.use(made)
                change('domain', domain, enabled=False)
                self.call(401, 'GET', '/v3/auth/projects', session=session)
                self.use(made, 403 if which == 'trustor' else 401)


if __name__ == '__main__':
    unittest.main()
