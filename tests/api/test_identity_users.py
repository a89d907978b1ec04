#!/usr/bin/python3
"""Users in a cloud that asks much of them: options, passwords that must be changed, that expire, that may not be had before;
and who guesses is locked out, in all daemons at once, and learns nothing."""
import concurrent.futures
import datetime
import os
import sys
import time
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402
import rest  # noqa: E402

GOOD, OTHER, THIRD = 'correct horse 1', 'battery staple 2', 'entirely new 3'
LIMIT, LOCKED_S = 5, 2
REGEX = r'^(?=.*\d)(?=.*[a-zA-Z]).{7,}$'
WORDS = 'a letter, a digit and seven characters'
FREE = {'ignore_change_password_upon_first_use': True}
REFUSED = 'The request you have made requires authentication.'


def setUpModule():
    global CLOUD, ADMIN, URL, SECOND
    CLOUD = Cloud(services=['identity'], settings={'identity': {'security_compliance': {
        'lockout_failure_attempts': LIMIT, 'lockout_duration': LOCKED_S, 'password_expires_days': 30, 'unique_last_password_count': 2,
        'password_regex': REGEX, 'password_regex_description': WORDS, 'change_password_upon_first_use': 'true',
        'disable_user_account_days_inactive': 10}}})
    # The administrator is bootstrapped, so his password is his own.
    ADMIN = CLOUD.admin()
    URL = CLOUD.urls['identity']
    SECOND = CLOUD.add_daemon('identity').url


def tearDownModule():
    CLOUD.close()


def unique(prefix='x'):
    return '%s-%s' % (prefix, uuid.uuid4().hex[:12])


def user(free=True, **members):
    members.setdefault('name', unique('user'))
    members.setdefault('password', GOOD)
    members.setdefault('options', FREE if free else {})
    return ADMIN.expect(201, 'POST', 'identity', '/v3/users', {'user': members})['user']


def patch(u, status=200, **members):
    return ADMIN.expect(status, 'PATCH', 'identity', '/v3/users/' + u['id'], {'user': members})


def show(u):
    return ADMIN.expect(200, 'GET', 'identity', '/v3/users/' + u['id'])['user']


def attempt(user_id, password, url=None):
    body = {'auth': {'identity': {'methods': ['password'], 'password': {'user': {'id': user_id, 'password': password}}}}}
    return rest.request('POST', (url or URL) + '/v3/auth/tokens', body)


def change(user_id, old, new, url=None):
    return rest.request('POST', '%s/v3/users/%s/password' % (url or URL, user_id),
                        {'user': {'original_password': old, 'password': new}})


def sql(statement):
    return CLOUD.sql('identity', statement)


class Base(unittest.TestCase):
    def logs_in(self, u, password=GOOD, url=None):
        status, headers, content = attempt(u['id'], password, url)
        self.assertEqual(status, 201, content)
        return rest.Session(CLOUD.urls, headers['X-Subject-Token'], content['token'])

    def refused(self, answer, message=REFUSED):
        status, headers, content = answer
        self.assertEqual(status, 401, content)
        self.assertEqual(content, {'error': {'code': 401, 'title': 'Unauthorized', 'message': message}})
        self.assertNotIn('X-Subject-Token', headers)

    def changes(self, u, old, new):
        status, _, content = change(u['id'], old, new)
        self.assertEqual(status, 204, content)

    def cannot_change(self, u, old, new, message, status=400):
        got, _, content = change(u['id'], old, new)
        self.assertEqual(got, status, content)
        self.assertIn(message, content['error']['message'])


class Members(Base):
    def test_shown(self):
        u = user(description='d', email='a@b', default_project_id=None)
        self.assertEqual(u, show(u))
        self.assertEqual(set(u), {'id', 'name', 'domain_id', 'enabled', 'description', 'email', 'password_expires_at', 'options', 'links'})
        self.assertEqual(u['options'], FREE)
        self.assertRegex(u['password_expires_at'], r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000$')

    def test_no_password_is_kept_as_it_is(self):
        u = user(original_password='an old secret 1', other='kept')
        self.assertEqual(u['other'], 'kept')
        self.assertNotIn('original_password', u)
        patch(u, original_password={'an': 'old secret 1'}, password=OTHER)
        self.assertNotIn('old secret', sql("SELECT * FROM account WHERE id = '%s'" % u['id']))
        self.assertNotIn(OTHER, sql("SELECT * FROM account WHERE id = '%s'" % u['id']))

    def test_name_is_trimmed(self):
        name = unique()
        u = user(name='  %s\t' % name)
        self.assertEqual(u['name'], name)
        ADMIN.expect(409, 'POST', 'identity', '/v3/users', {'user': {'name': name + ' '}})
        for bad in ('', ' ', '\t\n', 'x' * 256, None, 1, []):
            ADMIN.expect(400, 'POST', 'identity', '/v3/users', {'user': {'name': bad, 'password': GOOD}})
            patch(u, 400, name=bad)
        self.assertEqual(show(u)['name'], name)

    def test_options_are_merged(self):
        u = user(options={'lock_password': True, 'ignore_password_expiry': False})
        self.assertEqual(patch(u, options={'multi_factor_auth_rules': [['password', 'totp']], 'lock_password': None})['user']['options'],
                         {'ignore_password_expiry': False, 'multi_factor_auth_rules': [['password', 'totp']]})
        self.assertEqual(patch(u, description='d')['user']['options'],
                         {'ignore_password_expiry': False, 'multi_factor_auth_rules': [['password', 'totp']]})
        for bad in ({'immutable': True}, {'lock_password': 'yes'}, {'multi_factor_auth_rules': ['password']}, [], 'x', None):
            patch(u, 400, options=bad)
            ADMIN.expect(400, 'POST', 'identity', '/v3/users', {'user': {'name': unique(), 'options': bad}})
        self.assertEqual(show(u)['options'], {'ignore_password_expiry': False, 'multi_factor_auth_rules': [['password', 'totp']]})

    def test_default_project(self):
        u = user(default_project_id='nowhere')
        self.assertEqual(u['default_project_id'], 'nowhere')  # As upstream: it may come later.
        patch(u, 400, default_project_id='default')  # A domain.
        patch(u, 400, default_project_id='a b')
        self.assertNotIn('default_project_id', patch(u, default_project_id=None)['user'])

    def test_nothing_to_change(self):
        u = user()
        ADMIN.expect(400, 'PATCH', 'identity', '/v3/users/' + u['id'], {'user': {}})
        patch(u, 400, domain_id='other')
        self.assertEqual(patch(u, domain_id='default', name=u['name'])['user'], u)

    def test_who_vouches_must_exist(self):
        federated = [{'idp_id': 'nobody', 'protocols': [{'protocol_id': 'p', 'unique_id': 'u'}]}]
        for bad in (federated, [{}], [{'idp_id': 'x', 'protocols': []}], 'x', [1]):
            ADMIN.expect(400, 'POST', 'identity', '/v3/users', {'user': {'name': unique(), 'federated': bad}})
        user(federated=[])

    def test_filter_by_expiry(self):
        a, b = user(), user(options=dict(FREE, ignore_password_expiry=True))
        then = datetime.datetime.fromisoformat(a['password_expires_at'])
        self.assertIsNone(b['password_expires_at'])
        day = datetime.timedelta(days=1)

        def ids(text):
            return {u['id'] for u in ADMIN.expect(200, 'GET', 'identity', '/v3/users?password_expires_at=' + text)['users']}

        for text, found in (('lt:%sZ' % (then + day).isoformat(), True), ('lt:%sZ' % then.isoformat(), False),
                            ('lte:%sZ' % then.isoformat(), True), ('gte:%sZ' % then.isoformat(), True),
                            ('gt:%sZ' % then.isoformat(), False), ('eq:%sZ' % then.isoformat(), True),
                            ('%sZ' % then.isoformat(), True), ('neq:%sZ' % then.isoformat(), False)):
            self.assertEqual(a['id'] in ids(text), found, text)
            self.assertNotIn(b['id'], ids(text))
        for bad in ('xx:%sZ' % then.isoformat(), 'lt:yesterday', 'yesterday', '', 'lt:'):
            ADMIN.expect(400, 'GET', 'identity', '/v3/users?password_expires_at=' + bad)

    def test_in_the_token(self):
        u = user()
        s = self.logs_in(u)
        self.assertEqual(s.auth['user']['password_expires_at'], u['password_expires_at'])
        token = ADMIN.expect(200, 'GET', 'identity', '/v3/auth/tokens', headers={'X-Subject-Token': s.token})['token']
        self.assertEqual(token['user'], s.auth['user'])


class Passwords(Base):
    def test_expression(self):
        for bad in ('abcdefgh', '12345678', 'abc1', ''):
            status, _, content = ADMIN.request('POST', 'identity', '/v3/users', {'user': {'name': unique(), 'password': bad}})
            self.assertEqual(status, 400)
            if bad:
                self.assertIn('requirements: %s.' % WORDS, content['error']['message'])
        u = user()
        patch(u, 400, password='abcdefgh')
        patch(u, 400, password=None)
        self.cannot_change(u, GOOD, 'abcdefgh', 'requirements: %s.' % WORDS)
        self.logs_in(u)

    def test_what_is_asked_can_be_read(self):
        u = user()
        s = self.logs_in(u)
        path = '/v3/domains/default/config/security_compliance'
        self.assertEqual(s.expect(200, 'GET', 'identity', path),
                         {'config': {'security_compliance': {'password_regex': REGEX, 'password_regex_description': WORDS}}})
        self.assertEqual(s.expect(200, 'GET', 'identity', path + '/password_regex'), {'config': {'password_regex': REGEX}})
        self.assertEqual(s.expect(200, 'GET', 'identity', path + '/password_regex_description'),
                         {'config': {'password_regex_description': WORDS}})
        s.expect(403, 'GET', 'identity', path + '/lockout_duration')
        s.expect(403, 'GET', 'identity', '/v3/domains/other/config/security_compliance')
        s.expect(200, 'HEAD', 'identity', path)
        for method in ('PATCH', 'DELETE'):
            status, _, _ = s.request(method, 'identity', path, {'config': {}} if method == 'PATCH' else None)
            self.assertIn(status, (403, 405))
        self.assertEqual(rest.request('GET', URL + path)[0], 401)

    def test_first_use(self):
        u = user(free=False)
        self.refused(attempt(u['id'], GOOD), 'The password is expired and needs to be changed for user: %s.' % u['id'])
        self.refused(attempt(u['id'], 'wrong'))
        self.changes(u, GOOD, OTHER)
        self.logs_in(u, OTHER)
        patch(u, password=THIRD)  # An administrator again.
        self.refused(attempt(u['id'], THIRD), 'The password is expired and needs to be changed for user: %s.' % u['id'])
        patch(u, options=FREE)
        patch(u, password=GOOD)
        self.logs_in(u)

    def test_expired(self):
        u = user()
        sql("UPDATE account SET password_expires_at = clock_timestamp() - interval '1 minute' WHERE id = '%s'" % u['id'])
        self.refused(attempt(u['id'], GOOD), 'The password is expired and needs to be changed for user: %s.' % u['id'])
        patch(u, options={'ignore_password_expiry': True})
        self.logs_in(u)
        patch(u, options={'ignore_password_expiry': None})
        self.refused(change(u['id'], 'wrong', OTHER))
        self.changes(u, GOOD, OTHER)
        self.logs_in(u, OTHER)
        self.assertGreater(show(u)['password_expires_at'], datetime.datetime.utcnow().isoformat())

    def test_history(self):
        u = user()
        self.cannot_change(u, GOOD, GOOD, 'unique is 2')
        self.changes(u, GOOD, OTHER)
        self.cannot_change(u, OTHER, OTHER, 'unique is 2')
        self.cannot_change(u, OTHER, GOOD, 'unique is 2')
        self.changes(u, OTHER, THIRD)
        self.changes(u, THIRD, GOOD)  # The last but one.
        patch(u, password=GOOD)  # An administrator may.
        self.assertEqual(sql("SELECT count(*) FROM old_password WHERE user_id = '%s'" % u['id']).strip(), '1')
        ADMIN.expect(204, 'DELETE', 'identity', '/v3/users/' + u['id'])
        self.assertEqual(sql("SELECT count(*) FROM old_password WHERE user_id = '%s'" % u['id']).strip(), '0')

    def test_locked_password(self):
        u = user(options=dict(FREE, lock_password=True))
        self.cannot_change(u, GOOD, OTHER, 'policy disallowing password changes')
        self.refused(change(u['id'], 'wrong', OTHER))
        patch(u, password=OTHER)
        self.logs_in(u, OTHER)

    def test_two_at_once(self):
        u = user()
        passwords = ['changed by %d at once' % n for n in range(4)]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda p: change(u['id'], GOOD, p, SECOND if p[11] in '135' else URL), passwords))
        winners = [p for p, a in zip(passwords, answers) if a[0] == 204]
        self.assertEqual(len(winners), 1, answers)
        self.assertEqual({a[0] for a in answers}, {204, 401})
        self.logs_in(u, winners[0])

    def test_renewed_at_login(self):
        u = user()
        was = sql("SELECT password_hash FROM account WHERE id = '%s'" % u['id']).strip()
        stored = ('$scrypt$ln=8,r=8,p=1$lFKq9d7b+39P6T1nLCVkLA$0tyoyDddvCw73Z5A2L1cYoEK20q3pHXNYlMKqJcunJg')  # "secret"
        sql("UPDATE account SET password_hash = '%s' WHERE id = '%s'" % (stored, u['id']))
        self.refused(attempt(u['id'], 'Secret'))
        self.assertEqual(sql("SELECT password_hash FROM account WHERE id = '%s'" % u['id']).strip(), stored)
        self.logs_in(u, 'secret')
        now = sql("SELECT password_hash FROM account WHERE id = '%s'" % u['id']).strip()
        self.assertEqual(now[:7], was[:7])
        self.assertEqual(show(u)['password_expires_at'], u['password_expires_at'])
        self.logs_in(u, 'secret')
        self.assertEqual(sql("SELECT password_hash FROM account WHERE id = '%s'" % u['id']).strip(), now)

    def test_nobody_may_for_another(self):
        u, other = user(), user()
        s = self.logs_in(other)
        status, _, content = s.request('POST', 'identity', '/v3/users/%s/password' % u['id'],
                                       {'user': {'original_password': OTHER, 'password': THIRD}})
        self.refused((status, {}, content))
        self.logs_in(u)


class Lockout(Base):
    def fails(self, u, count, url=None):
        for _ in range(count):
            self.refused(attempt(u['id'], 'wrong', url))

    def test_locks_and_opens_again(self):
        u = user()
        self.fails(u, LIMIT - 1)
        self.logs_in(u)  # Right: the count begins anew.
        self.fails(u, LIMIT - 1)
        self.logs_in(u)
        self.fails(u, LIMIT)
        self.refused(attempt(u['id'], GOOD))
        self.refused(change(u['id'], GOOD, OTHER))
        self.fails(u, 3)  # Doesn't prolong it.
        time.sleep(LOCKED_S)
        self.logs_in(u)

    def test_an_administrator_opens(self):
        u = user()
        self.fails(u, LIMIT)
        self.refused(attempt(u['id'], GOOD))
        patch(u, enabled=True)
        self.logs_in(u)

    def test_all_daemons_count_together(self):
        u = user()
        self.fails(u, LIMIT - 2)
        self.fails(u, 2, SECOND)
        self.refused(attempt(u['id'], GOOD))
        self.refused(attempt(u['id'], GOOD, SECOND))

    def test_survives_a_kill(self):
        u = user()
        self.fails(u, LIMIT)
        CLOUD.daemon('identity').process.kill()
        CLOUD.restart()
        self.refused(attempt(u['id'], GOOD))

    def test_changing_a_password_is_guessing_too(self):
        u = user()
        for _ in range(LIMIT):
            self.refused(change(u['id'], 'wrong', OTHER))
        self.refused(attempt(u['id'], GOOD))

    def test_exempt(self):
        u = user(options=dict(FREE, ignore_lockout_failure_attempts=True))
        self.fails(u, LIMIT + 2)
        self.logs_in(u)

    def test_guesses_at_once_are_no_more_guesses(self):
        u = user()
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda n: attempt(u['id'], 'wrong %d' % n, SECOND if n % 2 else URL), range(32)))
        self.assertEqual(sql("SELECT failed_logins FROM account WHERE id = '%s'" % u['id']).strip(), str(LIMIT))

    def test_unknown_users_cost_a_write_as_known_ones_do(self):
        def written():
            return sql('SELECT sum(xmin::text::bigint) FROM login_decoy').strip()

        for user_id in (uuid.uuid4().hex, user(enabled=False)['id']):
            before = written()
            self.refused(attempt(user_id, GOOD))
            self.assertNotEqual(written(), before)


class Absence(Base):
    def test_absent_is_disabled(self):
        u = user()
        self.logs_in(u)
        sql("UPDATE account SET last_active_at = clock_timestamp() - interval '11 days' WHERE id = '%s'" % u['id'])
        self.assertFalse(show(u)['enabled'])
        self.refused(attempt(u['id'], GOOD))
        patch(u, options={'ignore_user_inactivity': True})
        self.assertTrue(show(u)['enabled'])
        self.logs_in(u)
        patch(u, options={'ignore_user_inactivity': None})
        self.logs_in(u)  # That was today.

    def test_enabling_counts_as_seen(self):
        u = user()
        sql("UPDATE account SET last_active_at = clock_timestamp() - interval '11 days' WHERE id = '%s'" % u['id'])
        self.assertTrue(patch(u, enabled=True)['user']['enabled'])
        self.logs_in(u)

    def test_a_token_of_one_who_is_away(self):
        u = user()
        s = self.logs_in(u)
        sql("UPDATE account SET last_active_at = clock_timestamp() - interval '11 days' WHERE id = '%s'" % u['id'])
        body = {'auth': {'identity': {'methods': ['token'], 'token': {'id': s.token}}}}
        self.refused(rest.request('POST', URL + '/v3/auth/tokens', body))


if __name__ == '__main__':
    unittest.main(verbosity=1)
