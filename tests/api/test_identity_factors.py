#!/usr/bin/python3
"""Logging in with several factors: passcodes that are good once, rules that ask for more than one method, and the receipts by which
one comes back with the rest."""
import base64
import concurrent.futures
import hashlib
import hmac
import json
import os
import struct
import sys
import time
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402
import rest  # noqa: E402

PASSWORD = 'correct horse'
LIMIT, RECEIPT_S = 4, 3
REFUSED = {'error': {'code': 401, 'title': 'Unauthorized', 'message': 'The request you have made requires authentication.'}}
BOTH = [['password', 'totp']]


def setUpModule():
    global CLOUD, ADMIN, URL, SECOND
    CLOUD = Cloud(services=['identity'], settings={'identity': {
        'receipt': {'expiration': RECEIPT_S}, 'security_compliance': {'lockout_failure_attempts': LIMIT, 'lockout_duration': 600}}})
    ADMIN = CLOUD.admin()
    URL = CLOUD.urls['identity']
    SECOND = CLOUD.add_daemon('identity').url


def tearDownModule():
    CLOUD.close()


def unique(prefix='x'):
    return '%s-%s' % (prefix, uuid.uuid4().hex[:12])


def code(secret, ago=0, at=None):
    """RFC 6238, written anew."""
    counter = struct.pack('>Q', int((at or time.time()) // 30 - ago))
    mac = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    at = mac[-1] & 15
    return '%06d' % ((struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff) % 1000000)


def settle():
    """Not within a second of the next step: then a code is what it was when the daemon looks."""
    if time.time() % 30 > 26:
        time.sleep(30 - time.time() % 30 + 0.1)


class Base(unittest.TestCase):
    def setUp(self):
        settle()
        self.secret = base64.b32encode(os.urandom(20)).decode()
        self.user = ADMIN.expect(201, 'POST', 'identity', '/v3/users', {'user': {'name': unique('user'), 'password': PASSWORD}})['user']
        self.credential = self.add_secret(self.secret)

    def add_secret(self, text):
        return ADMIN.expect(201, 'POST', 'identity', '/v3/credentials', {'credential': {
            'user_id': self.user['id'], 'type': 'totp', 'blob': text}})['credential']

    def options(self, **options):
        ADMIN.expect(200, 'PATCH', 'identity', '/v3/users/' + self.user['id'], {'user': {'options': options}})

    def send(self, *methods, password=PASSWORD, passcode=None, receipt=None, token=None, user=None, url=None):
        who = {'id': user or self.user['id']}
        identity = {'methods': list(methods)}
        if 'password' in methods:
            identity['password'] = {'user': dict(who, password=password)}
        if 'totp' in methods:
            identity['totp'] = {'user': dict(who, passcode=code(self.secret) if passcode is None else passcode)}
        if 'token' in methods:
            identity['token'] = {'id': token}
        headers = {'Openstack-Auth-Receipt': receipt} if receipt is not None else {}
        return rest.request('POST', (url or URL) + '/v3/auth/tokens', {'auth': {'identity': identity}}, headers)

    def good(self, answer, *methods):
        status, headers, content = answer
        self.assertEqual(status, 201, content)
        self.assertEqual(set(content['token']['methods']), set(methods))
        self.assertNotIn('Openstack-Auth-Receipt', headers)
        return headers['X-Subject-Token']

    def refused(self, answer):
        status, headers, content = answer
        self.assertEqual((status, content), (401, REFUSED))
        self.assertNotIn('X-Subject-Token', headers)
        self.assertNotIn('Openstack-Auth-Receipt', headers)

    def more(self, answer, methods, required):
        status, headers, content = answer
        self.assertEqual(status, 401, content)
        self.assertNotIn('X-Subject-Token', headers)
        self.assertEqual(set(content), {'receipt', 'required_auth_methods'})
        self.assertEqual(content['receipt'], {
            'methods': methods, 'user': {'id': self.user['id'], 'name': self.user['name'], 'domain': {'id': 'default', 'name': 'Default'}},
            'expires_at': content['receipt']['expires_at'], 'issued_at': content['receipt']['issued_at']})
        self.assertEqual(content['required_auth_methods'], required)
        return headers['Openstack-Auth-Receipt']


class Passcodes(Base):
    def test_alone(self):
        self.good(self.send('totp'), 'totp')
        body = {'auth': {'identity': {'methods': ['totp'], 'totp': {'user': {
            'name': self.user['name'], 'domain': {'name': 'Default'}, 'passcode': code(self.secret)}}}}}
        self.refused(rest.request('POST', URL + '/v3/auth/tokens', body))  # Used.

    def test_once(self):
        """A code that somebody looked at over the shoulder, or read from the wire, is worth nothing."""
        earlier, now = code(self.secret, 1), code(self.secret)
        self.good(self.send('totp', passcode=earlier), 'totp')
        self.refused(self.send('totp', passcode=earlier))
        self.refused(self.send('totp', passcode=earlier, url=SECOND))
        self.good(self.send('totp', passcode=now), 'totp')
        self.refused(self.send('totp', passcode=now, url=SECOND))
        self.refused(self.send('totp', passcode=earlier))

    def test_once_at_once(self):
        now = code(self.secret)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda n: self.send('totp', passcode=now, url=SECOND if n % 2 else URL)[0], range(8)))
        self.assertEqual(sorted(answers), [201] + [401] * 7)

    def test_a_later_one_ends_an_earlier(self):
        self.good(self.send('totp'), 'totp')
        self.refused(self.send('totp', passcode=code(self.secret, 1)))

    def test_not_used_up_by_a_wrong_password(self):
        for methods in (('totp', 'password'), ('password', 'totp')):
            self.refused(self.send(*methods, password='wrong'))
        self.good(self.send('totp', 'password'), 'password', 'totp')

    def test_wrong_ones(self):
        other = base64.b32encode(os.urandom(20)).decode()
        for wrong in (code(self.secret, 2), code(self.secret, -1)):
            self.refused(self.send('totp', passcode=wrong))
        self.refused(self.send('totp', passcode=code(other)))
        for bad in (None, 123456, [], {}):
            body = {'auth': {'identity': {'methods': ['totp'], 'totp': {'user': {'id': self.user['id'], 'passcode': bad}}}}}
            self.assertEqual(rest.request('POST', URL + '/v3/auth/tokens', body)[0], 400)
        for bad in ({}, {'user': {}}, {'user': {'passcode': '1'}}, 'x', None):
            body = {'auth': {'identity': {'methods': ['totp'], 'totp': bad}}}
            self.assertEqual(rest.request('POST', URL + '/v3/auth/tokens', body)[0], 400)
        for bad in ('', 'x', '1' * 64, code(self.secret) + '0', ' ' + code(self.secret)):
            self.refused(self.send('totp', passcode=bad, user=uuid.uuid4().hex))

    def test_guesses_lock_out(self):
        for _ in range(LIMIT):
            self.refused(self.send('totp', passcode='000000' if code(self.secret) != '000000' else '000001'))
        self.refused(self.send('totp'))
        self.refused(self.send('password'))

    def test_several_secrets(self):
        other = base64.b32encode(os.urandom(10)).decode().lower().rstrip('=')
        self.add_secret('this is no secret!')
        self.add_secret(other)
        self.good(self.send('totp', passcode=code(other.upper() + '=' * (-len(other) % 8))), 'totp')
        self.good(self.send('totp'), 'totp')
        ADMIN.expect(204, 'DELETE', 'identity', '/v3/credentials/' + self.credential['id'])
        self.refused(self.send('totp', passcode=code(self.secret, -0)))

    def test_disabled(self):
        ADMIN.expect(200, 'PATCH', 'identity', '/v3/users/' + self.user['id'], {'user': {'enabled': False}})
        self.refused(self.send('totp'))
        ADMIN.expect(200, 'PATCH', 'identity', '/v3/users/' + self.user['id'], {'user': {'enabled': True}})
        self.good(self.send('totp'), 'totp')

    def test_another_users_secret(self):
        other = ADMIN.expect(201, 'POST', 'identity', '/v3/users', {'user': {'name': unique(), 'password': PASSWORD}})['user']
        self.refused(self.send('totp', user=other['id']))
        self.good(self.send('totp'), 'totp')


class Rules(Base):
    def test_one_method_of_two(self):
        self.options(multi_factor_auth_rules=BOTH)
        receipt = self.more(self.send('password'), ['password'], BOTH)
        self.good(self.send('totp', receipt=receipt), 'password', 'totp')

    def test_both_at_once(self):
        self.options(multi_factor_auth_rules=BOTH)
        token = self.good(self.send('password', 'totp'), 'password', 'totp')
        # What was shown once is not asked for again.
        self.good(self.send('token', token=token), 'password', 'totp', 'token')

    def test_other_way_round(self):
        self.options(multi_factor_auth_rules=BOTH)
        receipt = self.more(self.send('totp'), ['totp'], BOTH)
        self.good(self.send('password', receipt=receipt), 'password', 'totp')

    def test_switched_off(self):
        self.options(multi_factor_auth_rules=BOTH, multi_factor_auth_enabled=False)
        self.good(self.send('password'), 'password')
        self.options(multi_factor_auth_enabled=None)
        self.more(self.send('password'), ['password'], BOTH)
        self.options(multi_factor_auth_rules=[])
        self.good(self.send('password'), 'password')

    def test_alternatives(self):
        self.options(multi_factor_auth_rules=BOTH + [['totp']])
        self.more(self.send('password'), ['password'], BOTH)
        self.good(self.send('totp'), 'totp')

    def test_a_method_that_is_not_here(self):
        self.options(multi_factor_auth_rules=[['password', 'retina']])
        self.good(self.send('password'), 'password')

    def test_an_old_token_is_not_enough(self):
        token = self.good(self.send('password'), 'password')
        self.options(multi_factor_auth_rules=BOTH)
        receipt = self.more(self.send('token', token=token), ['password', 'token'], BOTH)
        self.good(self.send('totp', receipt=receipt), 'password', 'token', 'totp')

    def test_no_receipt_for_what_is_wrong(self):
        self.options(multi_factor_auth_rules=BOTH)
        self.refused(self.send('password', password='wrong'))
        self.refused(self.send('password', 'totp', passcode='abcdef'))
        self.refused(self.send('totp', 'password', password='wrong'))


class Receipts(Base):
    def receipt(self):
        self.options(multi_factor_auth_rules=BOTH)
        return self.more(self.send('password'), ['password'], BOTH)

    def test_is_no_token(self):
        receipt = self.receipt()
        self.assertEqual(rest.request('GET', URL + '/v3/auth/projects', headers={'X-Auth-Token': receipt})[0], 401)
        self.assertEqual(ADMIN.request('GET', 'identity', '/v3/auth/tokens', headers={'X-Subject-Token': receipt})[0], 404)
        self.refused(self.send('token', token=receipt))

    def test_a_token_is_no_receipt(self):
        token = self.good(self.send('password'), 'password')
        self.options(multi_factor_auth_rules=BOTH)
        self.refused(self.send('totp', receipt=token))
        self.good(self.send('totp', 'password'), 'password', 'totp')  # Nor is the passcode used up.

    def test_altered(self):
        receipt = self.receipt()
        head, claims, signature = receipt.split('.')
        said = json.loads(base64.urlsafe_b64decode(claims + '=='))
        forged = base64.urlsafe_b64encode(json.dumps(dict(said, amr=['password', 'totp'])).encode()).decode().rstrip('=')
        for bad in ('.'.join((head, forged, signature)), receipt[:-2], receipt + 'A', 'x', '', 'a.b.c', receipt.upper(), 'x' * 7000):
            self.refused(self.send('password', receipt=bad))
        self.good(self.send('totp', receipt=receipt), 'password', 'totp')

    def test_of_another_user(self):
        receipt = self.receipt()
        first = self.user
        Base.setUp(self)
        self.options(multi_factor_auth_rules=BOTH)
        self.assertNotEqual(first['id'], self.user['id'])
        self.refused(self.send('totp', receipt=receipt))

    def test_expires(self):
        receipt = self.receipt()
        time.sleep(RECEIPT_S + 0.2)
        settle()
        self.refused(self.send('totp', receipt=receipt))

    def test_ends_with_the_password(self):
        receipt = self.receipt()
        ADMIN.expect(200, 'PATCH', 'identity', '/v3/users/' + self.user['id'], {'user': {'password': 'another one'}})
        self.refused(self.send('totp', receipt=receipt))

    def test_in_another_daemon(self):
        self.good(self.send('totp', receipt=self.receipt(), url=SECOND), 'password', 'totp')

    def test_alone_is_nothing(self):
        receipt = self.receipt()
        self.more(self.send('password', receipt=receipt), ['password'], BOTH)
        self.refused(self.send('totp', receipt=receipt, passcode='abcdef'))
        body = {'auth': {'identity': {'methods': []}}}
        self.assertEqual(rest.request('POST', URL + '/v3/auth/tokens', body, {'Openstack-Auth-Receipt': receipt})[0], 400)


if __name__ == '__main__':
    unittest.main(verbosity=1)
