#!/usr/bin/python3
"""Threat B9: what the time of a refusal tells. Whoever may not log in is answered the same, and after the same time.

TIMING_SAMPLES=10000 takes so many samples of each case (default: as many as show what is grossly wrong), and prints by how much they differ. Beside each
ratio of medians stands how often one who had to tell the two apart by a single time would be right: half the time is a guess. What nobody
could see from one sample shows with many, so the bound is on that."""
import bisect
import http.client
import json
import os
import random
import re
import sys
import time
import unittest
import urllib.parse
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402
from identity import Identity, PASSWORD  # noqa: E402

SAMPLES = int(os.environ.get('TIMING_SAMPLES', '100'))
MANY = 1000000  # So that counted failures never come to it.
WRONG = PASSWORD[::-1]


def setUpModule():
    global CLOUD, I
    CLOUD = Cloud(services=['identity'], settings={'identity': {'security_compliance': {
        'lockout_failure_attempts': MANY, 'lockout_duration': 1800, 'disable_user_account_days_inactive': 10}}})
    I = Identity(CLOUD)


def tearDownModule():
    CLOUD.close()


class Asker:
    """One connection, and requests that are written before the clock starts."""

    def __init__(self):
        parts = urllib.parse.urlsplit(CLOUD.urls['identity'])
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port)

    def close(self):
        self.connection.close()

    def ask(self, body):
        """(seconds, status, names of headers, content)"""
        begun = time.perf_counter()
        self.connection.request('POST', '/v3/auth/tokens', body, {'Content-Type': 'application/json'})
        answer = self.connection.getresponse()
        content = answer.read()
        return time.perf_counter() - begun, answer.status, sorted(name.lower() for name in answer.headers), content


def quantile(times, part):
    return times[int(len(times) * part)]


def right(one, two):
    """The part of pairs in which the first is the faster one; both sorted."""
    return sum(bisect.bisect_left(one, t) + bisect.bisect_right(one, t) for t in two) / 2 / len(one) / len(two)


class Refusals(unittest.TestCase):
    def cases(self):
        def sql(statement, user):
            CLOUD.sql('identity', f"UPDATE account SET {statement} WHERE id = '{user['id']}'")
            return user

        def body(user, password=PASSWORD):
            user = {'id': user['id']} if isinstance(user, dict) else {'name': user, 'domain': {'id': 'default'}}
            return json.dumps({'auth': {'identity': {'methods': ['password'], 'password': {'user': dict(user, password=password)}}}})
        def app_cred(name, its='a'):
            return json.dumps({'auth': {'identity': {'methods': ['application_credential'], 'application_credential': {
                'name': its, 'user': {'name': name, 'domain': {'id': 'default'}}, 'secret': 'x' * 86}}}})
        someone, owner = I.someone('member', project=I.make('project'))
        made = I.call('POST', f"/v3/users/{someone['id']}/application_credentials", {'application_credential': {'name': 'a'}}, session=owner)
        made = made['application_credential']
        domain = I.make('domain')
        closed = I.user(domain_id=domain['id'])
        I.call('PATCH', '/v3/domains/' + domain['id'], {'domain': {'enabled': False}})
        named = I.user(name='u' + uuid.uuid4().hex)
        return {
            'by id': {
                'unknown': body({'id': uuid.uuid4().hex}),
                'wrong': body(I.user(), WRONG),
                'wrong, not counted': body(I.user(options={'ignore_lockout_failure_attempts': True}), WRONG),
                'disabled': body(I.user(enabled=False)),
                'domain disabled': body(closed),
                'locked': body(sql(f"failed_logins = {MANY}, failed_login_at = clock_timestamp() + interval '1 hour'", I.user())),
                'away': body(sql("created_at = clock_timestamp() - interval '30 days'", I.user())),
                'without a password': body(sql('password_hash = NULL', I.user())),
            },
            'by name': {'unknown': body('u' + uuid.uuid4().hex), 'wrong': body(named['name'], WRONG)},
            'application credentials': {
                'unknown': app_cred('u' + uuid.uuid4().hex),
                'without that one': app_cred(named['name']),
                'wrong': app_cred(owner.auth['user']['name'], made['name']),
            },
        }

    def measure(self, cases):
        """What each is answered, and its times in order; the cases take turns, each time in another order."""
        asker, names = Asker(), list(cases)
        answers, times = {name: set() for name in names}, {name: [] for name in names}
        for n in range(SAMPLES + 5):
            random.shuffle(names)
            for name in names:
                seconds, *answer = asker.ask(cases[name])
                answers[name].add(repr(answer))
                if n >= 5:
                    times[name].append(seconds)
        asker.close()
        return answers, {name: sorted(t) for name, t in times.items()}

    def compare(self, times):
        """The worst of the cases beside the first: (how much slower or faster its quarter is, how often a guess would be right)."""
        first = times['unknown']
        ratio, guess = 1, 0.5
        for name, other in times.items():
            part = right(first, other)
            quarters = quantile(other, .25) / quantile(first, .25)
            ratio, guess = max(ratio, quarters, 1 / quarters), max(guess, part, 1 - part)
            if 'TIMING_SAMPLES' in os.environ:
                print('%-20s' % name, ' '.join('%3d%%: %6.0f us' % (p * 100, quantile(other, p) * 1e6) for p in (.1, .25, .5, .75, .9)),
                      'right: %.4f' % part, file=sys.stderr)
        return ratio, guess

    def test_alike(self):
        for way, cases in self.cases().items():
            with self.subTest(way):
                for _ in range(1 if SAMPLES >= 10000 else 4):  # Other programs run here too: once without noise is enough.
                    answers, times = self.measure(cases)
                    self.assertEqual(len(set.union(*answers.values())), 1, answers)
                    ratio, guess = self.compare(times)
                    if ratio < 1.25 and (SAMPLES < 1000 or guess < 0.55):
                        break
                self.assertLess(ratio, 1.25)
                if SAMPLES >= 1000:
                    self.assertLess(guess, 0.55)
                answer = next(iter(answers['unknown']))
                for found in re.findall(r'"id": "(\w{32})"', ' '.join(cases.values())):
                    self.assertNotIn(found, answer)


if __name__ == '__main__':
    unittest.main()
