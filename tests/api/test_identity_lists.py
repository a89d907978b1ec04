#!/usr/bin/python3
"""The grammar of identity's lists, the real daemon: exact and inexact filters, booleans, times, pages; and what is tried to make
more of a filter than a value."""
import os
import sys
import unittest
import urllib.parse
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402


def setUpModule():
    global CLOUD, ADMIN, URL
    CLOUD = Cloud(services=['identity'])
    ADMIN = CLOUD.admin()
    URL = CLOUD.urls['identity']


def tearDownModule():
    CLOUD.close()


def unique(prefix='x'):
    return '%s-%s' % (prefix, uuid.uuid4().hex[:12])


def make(kind, **members):
    return ADMIN.expect(201, 'POST', 'identity', '/v3/%ss' % kind, {kind: members})[kind]


def ask(status, plural, *pairs):
    """The answer to GET /v3/<plural> with these (name, value) pairs; a value of None stands for a bare name."""
    query = '&'.join(urllib.parse.quote(n) + ('' if v is None else '=' + urllib.parse.quote(str(v))) for n, v in pairs)
    return ADMIN.expect(status, 'GET', 'identity', '/v3/%s%s' % (plural, '?' + query if query else ''))


class Names(unittest.TestCase):
    """Of every resource that has a name: names with all that SQL and LIKE take for something else."""

    KINDS = (('domain', {}), ('project', {}), ('user', {}), ('group', {}), ('role', {}), ('service', {'type': 't'}))
    ODD = ('%', '_', '\\', "'", "' OR '1'='1", "'; DROP TABLE account; --", '\\%', '$1', '%s', '[a-z]', '\u00e9\u00c9', '\U0001f600')

    def found(self, plural, *pairs):
        return [x['name'] for x in ask(200, plural, *pairs)[plural]]

    def test_inexact(self):
        for kind, more in self.KINDS:
            tag = unique()
            names = [tag + '-Alpha', tag + '-alphabet', tag + '-beta']
            if kind == 'domain':
                names = [n[-60:] for n in names]
            for name in names:
                make(kind, name=name, **more)
            a, b, c = names
            for pairs, wanted in (
                    ([('name', a)], [a]), ([('name', a.lower())], []), ([('name', a), ('name', b)], []), ([('name', a), ('name', a)], [a]),
                    ([('name__contains', tag)], names), ([('name__contains', tag + '-alpha')], [b]), ([('name__icontains', tag.upper() + '-ALPHA')], [a, b]),
                    ([('name__startswith', tag + '-A')], [a]), ([('name__startswith', '-A')], []), ([('name__istartswith', tag + '-ALPHA')], [a, b]),
                    ([('name__endswith', 'beta'), ('name__contains', tag)], [c]), ([('name__endswith', 'BETA'), ('name__contains', tag)], []),
                    ([('name__iendswith', 'ALPHA'), ('name__contains', tag)], [a]), ([('name__iexact', b.upper())], [b]),
                    ([('name__contains', tag), ('name__contains', 'et')], [b, c]), ([('name__contains', tag), ('name__contains', '')], names),
                    ([('name__contains', tag), ('name__unheard', 'x')], names), ([('name__contains', tag), ('id__contains', 'zzz')], names),
                    ([('name__contains', tag), ('sort_key', 'nothing')], names), ([('name__contains', tag), ('name~', 'nothing')], names),
                    ([('name__contains', tag), ('unheard', 'x')], names)):
                with self.subTest(kind=kind, pairs=pairs):
                    self.assertEqual(sorted(self.found(kind + 's', *pairs)), sorted(wanted))

    def test_nothing_but_a_value(self):
        for kind, more in (('user', {}), ('service', {'type': 't'})):
            tag = unique()
            names = {odd: tag + odd + 'z' for odd in self.ODD}
            for name in names.values():
                make(kind, name=name, **more)
            for odd, name in names.items():
                with self.subTest(kind=kind, odd=odd):
                    self.assertEqual(self.found(kind + 's', ('name', name)), [name])
                    self.assertEqual(self.found(kind + 's', ('name', tag + odd)), [])
                    for suffix, value in (('contains', odd), ('icontains', odd), ('startswith', tag + odd), ('istartswith', tag + odd),
                                          ('endswith', odd + 'z'), ('iendswith', odd + 'z'), ('iexact', name)):
                        found = self.found(kind + 's', ('name__' + suffix, value), ('name__startswith', tag))
                        wanted = {n for o, n in names.items() if {
                            'contains': odd in n, 'icontains': odd.lower() in n.lower(), 'startswith': o.startswith(odd), 'istartswith': o.startswith(odd),
                            'endswith': n.endswith(odd + 'z'), 'iendswith': n.endswith(odd + 'z'), 'iexact': n == name}[suffix]}
                        if suffix.startswith('i') and suffix != 'iexact':
                            self.assertLessEqual(wanted, set(found))
                        else:
                            self.assertEqual(set(found), wanted, suffix)

    def test_injection(self):
        """Names and values of every parameter: what is not known is ignored, what is known is a value."""
        before = ask(200, 'users')['users']
        attacks = ("' OR 1=1 --", '1; SELECT pg_sleep(10)', '" OR ""="', '$1', 'x' * 5000)
        for plural in ('users', 'projects', 'domains', 'groups', 'roles', 'services', 'endpoints', 'regions', 'policies', 'credentials', 'limits',
                       'registered_limits', 'OS-EP-FILTER/endpoint_groups', 'role_assignments'):
            for attack in attacks:
                for name in ('name__contains', 'domain_id', 'service_id__icontains', 'enabled', 'user.id', 'sort_key', attack[:200],
                             'name__' + attack[:200]):
                    status, _, content = ADMIN.request('GET', 'identity', '/v3/%s?%s=%s' % (plural, urllib.parse.quote(name), urllib.parse.quote(attack)))
                    self.assertIn(status, (200, 400, 414), '%s %s=%s: %s' % (plural, name, attack[:50], content))
                for name in ('marker', 'limit'):
                    status, _, content = ADMIN.request('GET', 'identity', '/v3/%s?%s=%s' % (plural, name, urllib.parse.quote(attack)))
                    self.assertIn(status, (200, 400) if plural == 'role_assignments' else (400,), '%s %s=%s: %s' % (plural, name, attack[:50], content))
        self.assertEqual(ask(200, 'users')['users'], before)

    def test_what_no_text_can_be(self):
        for value in ('%00', 'a%00b', '%ff%fe', '%c3%28', '%ed%a0%80'):
            for name in ('name', 'name__contains', 'marker', 'unheard'):
                status, _, content = ADMIN.request('GET', 'identity', '/v3/users?%s=%s' % (name, value))
                self.assertIn(status, (200, 400), content)
                if status == 200:
                    self.assertEqual(content['users'] if name != 'unheard' else [], [])

    def test_many_filters(self):
        names = '&'.join('name__contains=%d' % n for n in range(300))
        self.assertIn(ADMIN.request('GET', 'identity', '/v3/users?' + names)[0], (200, 400, 414))
        self.assertEqual(ADMIN.request('GET', 'identity', '/v3/users?name__contains=' + '%25_' * 500)[0], 200)


class Booleans(unittest.TestCase):
    def test_enabled(self):
        for kind in ('domain', 'project', 'user'):
            tag = unique()
            on, off = make(kind, name=tag + 'on')['id'], make(kind, name=tag + 'off', enabled=False)['id']
            for value, wanted in ((None, on), ('', on), ('1', on), ('true', on), ('True', on), ('yes', on), ('anything', on),
                                  ('0', off), ('false', off), ('False', off), ('off', off), ('no', off)):
                with self.subTest(kind=kind, value=value):
                    found = ask(200, kind + 's', ('name__startswith', tag), ('enabled', value))[kind + 's']
                    self.assertEqual([x['id'] for x in found], [wanted])


class Pages(unittest.TestCase):
    def test_walk(self):
        """By limit and links.next through all of it: each once, in the order of the whole."""
        tag = unique()
        for n in range(7):
            make('project', name='%s-%d' % (tag, n))
        whole = ask(200, 'projects', ('name__startswith', tag))
        self.assertNotIn('truncated', whole)
        self.assertEqual(whole['links'], {'next': None, 'previous': None, 'self': URL + '/v3/projects?name__startswith=' + tag})
        for limit in (1, 2, 3, 7, 8, 5000):
            seen, path = [], '/v3/projects?name__startswith=%s&limit=%d' % (tag, limit)
            while path is not None:
                page = ADMIN.expect(200, 'GET', 'identity', path)
                self.assertLessEqual(len(page['projects']), limit)
                self.assertEqual(page['links']['self'], URL + path)
                self.assertEqual(page.get('truncated', False), page['links']['next'] is not None)
                seen += page['projects']
                path = page['links']['next'] and page['links']['next'].removeprefix(URL)
            self.assertEqual(seen, whole['projects'])

    def test_limits(self):
        for wrong in ('-1', 'x', '1.5', '', '99999999999999999999', '0x10', '1e3', '%201'):
            with self.subTest(limit=wrong):
                self.assertEqual(ADMIN.request('GET', 'identity', '/v3/users?limit=' + wrong)[0], 400)
        self.assertEqual(len(ask(200, 'users', ('limit', 1))['users']), 1)

    def test_at_most_a_thousand(self):
        tag = unique()
        CLOUD.sql('identity', "INSERT INTO user_group (id, name, domain_id) SELECT md5('%s' || n), '%s' || n, 'default' FROM generate_series(1, 1100) n"
                  % (tag, tag))
        page = ask(200, 'groups', ('name__startswith', tag), ('limit', 1050))
        self.assertEqual((len(page['groups']), page['truncated']), (1000, True))
        self.assertEqual(len(ask(200, 'groups', ('name__startswith', tag))['groups']), 1100)
        CLOUD.sql('identity', "DELETE FROM user_group WHERE name LIKE '%s%%'" % tag)

    def test_unknown_marker(self):
        for plural in ('users', 'projects', 'services', 'regions', 'limits'):
            self.assertIn('marker', ask(400, plural, ('marker', uuid.uuid4().hex))['error']['message'])

    def test_marker_of_another_page(self):
        """A marker says where to begin; what may be seen is decided as ever."""
        users = ask(200, 'users')['users']
        self.assertEqual(ask(200, 'users', ('marker', users[0]['id']))['users'], users[1:])


class Times(unittest.TestCase):
    def test_password_expires_at(self):
        tag = unique()
        made = {}
        for name, at in (('early', '2016-10-14T02:26:30Z'), ('late', '2026-01-01T00:00:00Z'), ('never', None)):
            made[name] = make('user', name=tag + name, password='correct horse battery')['id']
            if at is not None:
                CLOUD.sql('identity', "UPDATE account SET password_expires_at = '%s' WHERE id = '%s'" % (at, made[name]))

        def found(*values):
            users = ask(200, 'users', ('name__startswith', tag), *[('password_expires_at', v) for v in values])['users']
            return sorted(x['name'].removeprefix(tag) for x in users)
        for values, wanted in ((['gt:2016-10-14T02:26:30Z'], ['late']), (['gte:2016-10-14T02:26:30Z'], ['early', 'late']),
                               (['lt:2026-01-01T00:00:00Z'], ['early']), (['lte:2026-01-01T00:00:00Z'], ['early', 'late']),
                               (['eq:2026-01-01T00:00:00Z'], ['late']), (['2026-01-01T00:00:00Z'], ['late']), (['neq:2026-01-01T00:00:00Z'], ['early']),
                               (['gt:2016-01-01T00:00:00Z', 'lt:2017-01-01T00:00:00Z'], ['early']),
                               (['lt:2016-01-01T00:00:00Z', 'gt:2017-01-01T00:00:00Z'], [])):
            with self.subTest(values=values):
                self.assertEqual(found(*values), wanted)
        for wrong in ('lt:yesterday', 'xx:2016-10-14T02:26:30Z', 'gtt:2016-10-14T02:26:30Z', '', 'lt:', "lt:2016-10-14' OR '1'='1"):
            with self.subTest(wrong=wrong):
                ask(400, 'users', ('password_expires_at', wrong))


class Plans(unittest.TestCase):
    """With many rows, what a filter names is found by an index."""

    FILTERS = (('account', "name = 'x'"), ('account', "name LIKE 'x%'"), ('account', "domain_id = 'x'"), ('account', "password_expires_at < '2000-01-01'"),
               ('project', "name = 'x'"), ('project', "name LIKE 'x%'"), ('project', "domain_id = 'x'"), ('project', "parent_id = 'x'"),
               ('user_group', "name = 'x'"), ('user_group', "domain_id = 'x'"), ('role', "name = 'x'"), ('domain', "name = 'x'"),
               ('service', "type = 'x'"), ('endpoint', "service_id = 'x'"), ('endpoint', "region_id = 'x'"), ('region', "parent_region_id = 'x'"),
               ('credential', "user_id = 'x'"), ('credential', "type = 'x'"), ('registered_limit', "service_id = 'x'"),
               ('registered_limit', "region_id = 'x'"), ('project_limit', "project_id = 'x'"), ('project_limit', "domain_id = 'x'"),
               ('project_limit', "service_id = 'x'"), ('project_limit', "domain_id = 'x' OR project_domain_id = 'x'"),
               ('endpoint_group', "name = 'x'"), ('project_catalog', "project_id = 'x'"), ('revocation', "created_at >= '2100-01-01'"))

    def test_indexes(self):
        for table, condition in self.FILTERS:
            with self.subTest(table=table, condition=condition):
                plan = CLOUD.sql('identity', 'SET jit = off; SET enable_seqscan = off; EXPLAIN SELECT * FROM %s WHERE %s' % (table, condition))
                own = [line for line in plan.splitlines() if 'Seq Scan on ' in line and 'Seq Scan on endpoint' not in line]
                self.assertEqual(own, [], plan)
                self.assertIn('Index Cond', plan)


if __name__ == '__main__':
    unittest.main()
