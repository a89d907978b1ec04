#!/usr/bin/python3
"""GET /v3/role_assignments: filters, what grants come to ('effective') with links to where they come from, names, subtrees, who sees
which; and that it stays quick with many."""
import json
import os
import sys
import time
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402
from identity import Identity  # noqa: E402


def setUpModule():
    global CLOUD, I
    CLOUD = Cloud(services=['identity'])
    I = Identity(CLOUD)


def tearDownModule():
    CLOUD.close()


def listed(query, session=None):
    return I.call('GET', '/v3/role_assignments?' + query, None, 200, session)['role_assignments']


def key(entry):
    return json.dumps(entry, sort_keys=True)


class World:
    """A domain with top > mid > low and side beside, a user in a group, and roles a > b > c."""

    def __init__(self):
        self.domain = I.make('domain')
        project = lambda parent: I.make('project', domain_id=self.domain['id'], parent_id=parent['id'])  # noqa: E731
        self.top = project(self.domain)
        self.mid, self.side = project(self.top), project(self.top)
        self.low = project(self.mid)
        self.user, self.other, self.group = I.user(), I.user(), I.make('group')
        for u in (self.user, self.other):
            I.call('PUT', f"/v3/groups/{self.group['id']}/users/{u['id']}", status=204)
        self.a, self.b, self.c = I.make('role'), I.make('role'), I.make('role')
        I.call('PUT', f"/v3/roles/{self.a['id']}/implies/{self.b['id']}", status=201)
        I.call('PUT', f"/v3/roles/{self.b['id']}/implies/{self.c['id']}", status=201)

    def entry(self, role, grant, user=None, group=None, project=None, domain=None, inherited=False, member=None, prior=None):
        """As it must look. 'grant': the path of the grant it comes from; 'member': the group it comes by."""
        scope = {'project': {'id': project['id']}} if project else {'domain': {'id': domain['id']}} if domain else {'system': {'all': True}}
        if inherited:
            scope['OS-INHERIT:inherited_to'] = 'projects'
        links = {'assignment': I.url + grant}
        if member:
            links['membership'] = f"{I.url}/v3/groups/{member['id']}/users/{user['id']}"
        if prior:
            links['prior_role'] = f"{I.url}/v3/prior_role/{role['id']}/implies/{prior['id']}"
        return {'role': {'id': role['id']}, 'scope': scope, 'links': links, **({'user': {'id': user['id']}} if user else {'group': {'id': group['id']}})}


class Assignments(unittest.TestCase):
    def same(self, got, wanted):
        self.assertEqual(sorted(map(key, got)), sorted(map(key, wanted)))

    def test_as_given(self):
        w = World()
        I.give(w.c, user=w.user, project=w.top)
        I.give(w.c, user=w.user, domain=w.domain, inherited=True)
        I.give(w.a, group=w.group, project=w.mid, inherited=True)
        I.give(w.c, group=w.group, domain=w.domain)
        I.give(w.c, user=w.user)
        one = w.entry(w.c, I.grant(w.c, user=w.user, project=w.top), user=w.user, project=w.top)
        two = w.entry(w.c, I.grant(w.c, user=w.user, domain=w.domain, inherited=True), user=w.user, domain=w.domain, inherited=True)
        three = w.entry(w.a, I.grant(w.a, group=w.group, project=w.mid, inherited=True), group=w.group, project=w.mid, inherited=True)
        four = w.entry(w.c, I.grant(w.c, group=w.group, domain=w.domain), group=w.group, domain=w.domain)
        five = w.entry(w.c, I.grant(w.c, user=w.user), user=w.user)
        user, group = 'user.id=' + w.user['id'], 'group.id=' + w.group['id']
        for query, wanted in (
                (user, [one, two, five]), (group, [three, four]), ('role.id=' + w.a['id'], [three]), ('role.id=' + w.c['id'], [one, two, four, five]),
                ('scope.project.id=' + w.top['id'], [one]), ('scope.domain.id=' + w.domain['id'], [two, four]),
                (user + '&scope.system=all', [five]), (user + '&scope.system=some', [one, two, five]), (user + '&scope.domain.id=' + w.domain['id'], [two]),
                (user + '&scope.OS-INHERIT:inherited_to=projects', [two]), (group + '&scope.OS-INHERIT:inherited_to=projects', [three]),
                (user + '&scope.OS-INHERIT:inherited_to=none', [one, five]), (user + '&effective=0', [one, two, five]), (user + '&group.id=', [one, two, five]),
                ('include_subtree&scope.project.id=' + w.top['id'], [one, three]), ('include_subtree&scope.project.id=' + w.low['id'], []),
                ('user.id=' + uuid.uuid4().hex, []), ("user.id=';--", [])):
            with self.subTest(query=query):
                self.same(listed(query.replace("'", '%27').replace(';', '%3B')), wanted)
        for thing in (one, two, three, four, five):
            self.assertEqual(I.request('GET', thing['links']['assignment'].removeprefix(I.url))[0], 204)

    def test_effective(self):
        w = World()
        I.give(w.a, user=w.user, project=w.top)
        I.give(w.c, group=w.group, project=w.top, inherited=True)
        I.give(w.b, user=w.user, domain=w.domain, inherited=True)
        I.give(w.c, user=w.user, domain=w.domain)
        I.give(w.c, user=w.user)
        direct = I.grant(w.a, user=w.user, project=w.top)
        own = [w.entry(w.a, direct, user=w.user, project=w.top),
               w.entry(w.b, direct, user=w.user, project=w.top, prior=w.a),
               w.entry(w.c, I.grant(w.b, user=w.user, project=w.top), user=w.user, project=w.top, prior=w.b)]
        by_group = I.grant(w.c, group=w.group, project=w.top, inherited=True)
        grouped = {p['id']: [w.entry(w.c, by_group, user=u, project=p, inherited=True, member=w.group) for u in (w.user, w.other)]
                   for p in (w.mid, w.low, w.side)}
        by_domain = I.grant(w.b, user=w.user, domain=w.domain, inherited=True)
        fallen = {p['id']: [w.entry(w.b, by_domain, user=w.user, project=p, inherited=True),
                            w.entry(w.c, by_domain, user=w.user, project=p, inherited=True, prior=w.b)] for p in (w.top, w.mid, w.low, w.side)}
        on_domain = w.entry(w.c, I.grant(w.c, user=w.user, domain=w.domain), user=w.user, domain=w.domain)
        on_system = w.entry(w.c, I.grant(w.c, user=w.user), user=w.user)
        mine = own + [on_domain] + [g[0] for g in grouped.values()] + sum(fallen.values(), [])
        user = '&user.id=' + w.user['id']
        project = lambda p: '&scope.project.id=' + p['id']  # noqa: E731
        for query, wanted in (
                (user, mine), (project(w.low), grouped[w.low['id']] + fallen[w.low['id']]), (project(w.top), own + fallen[w.top['id']]),
                (project(w.low) + '&user.id=' + w.other['id'], grouped[w.low['id']][1:]), ('&scope.domain.id=' + w.domain['id'], [on_domain]),
                (user + '&role.id=' + w.a['id'], own[:1]), (user + '&role.id=' + w.b['id'], own[1:2] + [f[0] for f in fallen.values()]),
                (user + '&scope.OS-INHERIT:inherited_to=projects', [g[0] for g in grouped.values()] + sum(fallen.values(), [])),
                (user + '&scope.OS-INHERIT:inherited_to=no', own + [on_domain]), (user + '&scope.system=all', [on_system]),
                ('&include_subtree' + project(w.mid), sum((grouped[p['id']] + fallen[p['id']] for p in (w.mid, w.low)), [])),
                ('&include_subtree' + project(w.top) + user, [x for x in mine if 'project' in x['scope']])):
            with self.subTest(query=query):
                self.same(listed('effective' + query), wanted)

    def test_they_are_what_tokens_say(self):
        w = World()
        I.give(w.a, group=w.group, domain=w.domain, inherited=True)
        I.give(w.c, user=w.user, project=w.mid)
        for project in (w.top, w.mid, w.low, w.side):
            session = I.login(w.user, project=project)
            entries = listed(f"effective&user.id={w.user['id']}&scope.project.id={project['id']}")
            self.assertEqual({r['id'] for r in session.auth['roles']}, {x['role']['id'] for x in entries})

    def test_names(self):
        w = World()
        local = I.make('role', domain_id=w.domain['id'])
        I.give(local, user=w.user, project=w.top)
        I.give(w.c, group=w.group, domain=w.domain)
        I.give(w.c, user=w.user)
        default = {'id': 'default', 'name': 'Default'}
        own = {'id': w.domain['id'], 'name': w.domain['name']}
        by_role = {(x['role']['id'], *x['scope']): x for x in listed('include_names&user.id=' + w.user['id'])}
        x = by_role[local['id'], 'project']
        self.assertEqual(x['user'], {'id': w.user['id'], 'name': w.user['name'], 'domain': default})
        self.assertEqual(x['scope'], {'project': {'id': w.top['id'], 'name': w.top['name'], 'domain': own}})
        self.assertEqual(x['role'], {'id': local['id'], 'name': local['name'], 'domain': own})
        x = by_role[w.c['id'], 'system']
        self.assertEqual((x['scope'], x['role']), ({'system': {'all': True}}, {'id': w.c['id'], 'name': w.c['name']}))
        x = listed('include_names&group.id=' + w.group['id'])[0]
        self.assertEqual(x['group'], {'id': w.group['id'], 'name': w.group['name'], 'domain': default})
        self.assertEqual(x['scope'], {'domain': own})

    def test_filters_that_make_no_sense(self):
        some = uuid.uuid4().hex
        for query in ('scope.domain.id=%s&scope.project.id=%s' % (some, some), 'scope.domain.id=%s&scope.system=all' % some,
                      'scope.project.id=%s&scope.system=all' % some, 'user.id=%s&group.id=%s' % (some, some), 'effective&group.id=' + some,
                      'effective&scope.domain.id=%s&scope.OS-INHERIT:inherited_to=projects' % some, 'include_subtree', 'include_subtree&scope.project.id='):
            with self.subTest(query=query):
                I.call('GET', '/v3/role_assignments?' + query, status=400)
        I.call('GET', '/v3/role_assignments?include_subtree&scope.project.id=' + some, status=404)

    def test_who_sees_which(self):
        w = World()
        I.give(w.a, user=w.user, project=w.low)
        I.give(w.a, user=w.user, domain=w.domain)
        I.give(w.a, user=w.user)
        elsewhere = I.make('project')
        I.give(w.a, user=w.user, project=elsewhere)
        _, reader = I.someone('reader', domain=w.domain)
        _, admin = I.someone('admin', domain=w.domain)
        _, member = I.someone('member', project=w.top)
        _, auditor = I.someone('reader')
        query = 'user.id=' + w.user['id']
        for session in (reader, admin):
            for more in ('', '&effective'):
                scopes = {json.dumps(x['scope']) for x in listed(query + more, session)}
                self.assertEqual(scopes, {json.dumps({'project': {'id': w.low['id']}}), json.dumps({'domain': {'id': w.domain['id']}})})
            self.assertEqual(listed('scope.project.id=' + elsewhere['id'], session), [])
            self.assertEqual(listed('scope.system=all', session), [])
        I.call('GET', '/v3/role_assignments?include_subtree&scope.project.id=' + w.top['id'], status=403, session=reader)
        I.call('GET', '/v3/role_assignments?' + query, status=403, session=member)
        self.assertEqual(len(listed(query, auditor)), 4)
        self.assertEqual(len(listed('include_subtree&scope.project.id=' + w.top['id'], auditor)), 2)

    def test_head(self):
        self.assertEqual(I.request('HEAD', '/v3/role_assignments')[::2], (200, b''))


class Many(unittest.TestCase):
    """10 000 grants to 500 users and 100 groups of 5 on 1 000 projects, one in ten inherited."""

    @classmethod
    def setUpClass(cls):
        cls.domain = I.make('domain')
        CLOUD.sql('identity', """
            INSERT INTO project (id, name, domain_id, parent_id) SELECT 'mp' || n, 'many-' || n, '{d}',
                CASE WHEN n <= 100 THEN '{d}' ELSE 'mp' || (n % 100 + 1) END FROM generate_series(1, 1000) n ORDER BY n;
            INSERT INTO account (id, name, domain_id) SELECT 'mu' || n, 'many-' || n, '{d}' FROM generate_series(1, 500) n;
            INSERT INTO user_group (id, name, domain_id) SELECT 'mg' || n, 'many-' || n, '{d}' FROM generate_series(1, 100) n;
            INSERT INTO group_member (group_id, user_id) SELECT 'mg' || (n % 100 + 1), 'mu' || n FROM generate_series(1, 500) n;
            INSERT INTO assignment (role_id, actor_type, actor_id, target_type, target_id, inherited)
                SELECT (SELECT id FROM role WHERE name = 'manager'), CASE WHEN n % 10 = 0 THEN 'group' ELSE 'user' END,
                    CASE WHEN n % 10 = 0 THEN 'mg' || (n / 10 % 100 + 1) ELSE 'mu' || (n % 500 + 1) END, 'project', 'mp' || (n / 10 + 1), n % 10 = 5
                FROM generate_series(0, 9999) n ON CONFLICT DO NOTHING;
            ANALYZE""".format(d=cls.domain['id']))

    def test_quick(self):
        for query, at_least, limit_s in (('user.id=mu7', 19, 1), ('effective&user.id=mu7', 60, 1), ('scope.project.id=mp500', 9, 1),
                                         ('effective&scope.project.id=mp500&include_names', 30, 1), ('role.id=' + I.roles['manager'], 9000, 10),
                                         ('effective&include_names', 30000, 40)):
            with self.subTest(query=query):
                took = []
                for _ in range(8 if limit_s == 1 else 1):
                    begin = time.monotonic()
                    entries = listed(query)
                    took.append(time.monotonic() - begin)
                self.assertGreaterEqual(len(entries), at_least)
                self.assertLess(min(took), limit_s, took)


if __name__ == '__main__':
    unittest.main()
