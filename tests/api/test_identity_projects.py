#!/usr/bin/python3
"""Projects and domains: the tree, what may be enabled, disabled and deleted in it, domains as projects, tags, members that clients
add of their own, what is immutable, and who may."""
import concurrent.futures
import os
import sys
import unittest
import urllib.parse
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402
from identity import Identity, unique  # noqa: E402


def setUpModule():
    global CLOUD, I
    CLOUD = Cloud(services=['identity'])
    I = Identity(CLOUD)


def tearDownModule():
    CLOUD.close()


def branch(depth, domain=None):
    """A domain (made if none is given) and projects below each other in it."""
    domain = domain or I.make('domain')
    made, parent = [], domain['id']
    for _ in range(depth):
        made.append(I.make('project', domain_id=domain['id'], parent_id=parent))
        parent = made[-1]['id']
    return domain, made


def off(kind, thing, status=200, enabled=False):
    return I.call('PATCH', f"/v3/{kind}s/{thing['id']}", {kind: {'enabled': enabled}}, status)


class Tree(unittest.TestCase):
    def test_depth(self):
        domain, made = branch(5)
        content = I.call('POST', '/v3/projects', {'project': {'name': 'x', 'domain_id': domain['id'], 'parent_id': made[4]['id']}}, 403)
        self.assertIn('Max hierarchy depth reached', content['error']['message'])

    def test_places_that_are_none(self):
        domain, (top,) = branch(1)
        other = I.make('domain')
        nobody = uuid.uuid4().hex
        for members in ({'parent_id': nobody}, {'domain_id': nobody}, {'parent_id': top['id']}, {'parent_id': domain['id']},
                        {'parent_id': top['id'], 'domain_id': other['id']}, {'parent_id': other['id'], 'domain_id': domain['id']},
                        {'domain_id': 'a b'}, {'domain_id': 7}, {'parent_id': '../x'}, {'parent_id': 'x' * 65}):
            with self.subTest(members=members):
                I.call('POST', '/v3/projects', {'project': dict(members, name=unique())}, 400)

    def test_nothing_moves(self):
        domain, (top, low) = branch(2)
        path = '/v3/projects/' + top['id']
        I.call('PATCH', path, {'project': {'parent_id': low['id']}}, 403)
        I.call('PATCH', path, {'project': {'parent_id': None}}, 403)
        for change in ({'domain_id': 'default'}, {'is_domain': True}):
            I.call('PATCH', path, {'project': change}, 400)
        shown = I.call('PATCH', path, {'project': {'parent_id': top['parent_id'], 'description': 'd'}}, 200)['project']
        self.assertEqual((shown['parent_id'], shown['description']), (domain['id'], 'd'))

    def test_enabled(self):
        """Disabled from the leaves up, enabled from the top down; below what is disabled nothing is made."""
        domain, (top, low) = branch(2)
        off('project', top, 403)
        off('project', low)
        off('project', top)
        I.call('POST', '/v3/projects', {'project': {'name': unique(), 'domain_id': domain['id'], 'parent_id': low['id']}}, 400)
        off('project', low, 403, enabled=True)
        off('project', top, enabled=True)
        off('project', low, enabled=True)
        off('domain', domain)  # A domain takes all below it along.
        I.call('POST', '/v3/projects', {'project': {'name': unique(), 'domain_id': domain['id']}}, 400)
        self.assertTrue(I.call('GET', '/v3/projects/' + low['id'])['project']['enabled'])

    def test_delete(self):
        _, (top, low) = branch(2)
        self.assertIn('not a leaf', I.call('DELETE', '/v3/projects/' + top['id'], status=403)['error']['message'])
        I.call('DELETE', '/v3/projects/' + low['id'], status=204)
        I.call('DELETE', '/v3/projects/' + top['id'], status=204)

    def test_what_goes_with_a_project(self):
        user, project = I.user(), I.make('project')
        I.call('PATCH', '/v3/users/' + user['id'], {'user': {'default_project_id': project['id']}})
        credential = I.make('credential', name=None, type='cert', blob='b', user_id=user['id'], project_id=project['id'])
        I.give('reader', user=user, project=project)
        I.call('DELETE', '/v3/projects/' + project['id'], status=204)
        I.call('GET', '/v3/credentials/' + credential['id'], status=404)
        self.assertNotEqual(I.call('GET', '/v3/users/' + user['id'])['user'].get('default_project_id'), project['id'])
        self.assertEqual(I.call('GET', '/v3/role_assignments?user.id=' + user['id'])['role_assignments'], [])

    def test_parents_and_subtree(self):
        domain, (top, mid, low) = branch(3)
        side = I.make('project', domain_id=domain['id'], parent_id=top['id'])
        show = lambda p, query: I.call('GET', f"/v3/projects/{p['id']}?{query}")['project']  # noqa: E731
        self.assertEqual(show(low, 'parents_as_ids')['parents'], {mid['id']: {top['id']: {domain['id']: None}}})
        self.assertEqual(show(top, 'parents_as_ids')['parents'], {domain['id']: None})
        self.assertEqual(show(top, 'subtree_as_ids')['subtree'], {mid['id']: {low['id']: None}, side['id']: None})
        self.assertIsNone(show(low, 'subtree_as_ids')['subtree'])
        self.assertEqual(show(domain, 'subtree_as_ids')['subtree'], {top['id']: {mid['id']: {low['id']: None}, side['id']: None}})
        self.assertIsNone(show(domain, 'parents_as_ids')['parents'])
        self.assertEqual(show(low, 'parents_as_list')['parents'], [])  # The administrator has no role there.
        for absent in ('parents', 'subtree'):
            self.assertNotIn(absent, show(mid, ''))
            self.assertNotIn(absent, show(mid, 'parents_as_ids=0&subtree_as_list=false'))
        user, session = I.someone('reader', project=mid)
        I.give('reader', user=user, project=top)
        I.give('reader', user=user, project=side)
        content = I.call('GET', f"/v3/projects/{mid['id']}?parents_as_list&subtree_as_list", session=session)['project']
        self.assertEqual(content['parents'], [{'project': show(top, '')}])
        self.assertEqual(content['subtree'], [])
        both = show(mid, 'parents_as_ids&subtree_as_ids')
        self.assertEqual((both['parents'], both['subtree']), ({top['id']: {domain['id']: None}}, {low['id']: None}))
        service = I.make('service', type=unique('t'))
        where = {'service_id': service['id'], 'resource_name': 'things'}
        I.call('POST', '/v3/registered_limits', {'registered_limits': [dict(where, default_limit=5)]}, 201)
        limit = I.call('POST', '/v3/limits', {'limits': [dict(where, project_id=top['id'], resource_limit=3)]}, 201)['limits'][0]
        del limit['links']
        listed = I.call('GET', f"/v3/projects/{low['id']}?parents_as_list&include_limits", session=self.reader_of(low, user))['project']['parents']
        self.assertEqual({x['project']['id']: x['project']['limits'] for x in listed}, {top['id']: [limit], mid['id']: []})
        for query in ('parents_as_list&parents_as_ids', 'subtree_as_ids&subtree_as_list'):
            I.call('GET', f"/v3/projects/{mid['id']}?{query}", status=400)

    def reader_of(self, project, user):
        I.give('reader', user=user, project=project)
        return I.login(user, project=project)

    def test_names(self):
        for name in (' ', '', '\t\n', None, 7, 'x' * 65):
            I.call('POST', '/v3/projects', {'project': {'name': name}}, 400)
            I.call('POST', '/v3/domains', {'domain': {'name': name}}, 400)
        name = unique()
        self.assertEqual(I.make('project', name=f'  {name} ')['name'], name)
        I.call('POST', '/v3/projects', {'project': {'name': name + ' '}}, 409)
        domain = I.make('domain', name=name)  # A domain's name is another matter than its projects'.
        I.make('project', name=name, domain_id=domain['id'])
        self.assertIn(name, I.call('POST', '/v3/domains', {'domain': {'name': name}}, 409)['error']['message'])


class DomainsAsProjects(unittest.TestCase):
    def test_life(self):
        name = unique()
        made = I.make('project', name=name, is_domain=True, description='d', tags=['t'], colour='red')
        self.assertEqual((made['is_domain'], made['domain_id'], made['parent_id']), (True, None, None))
        self.assertTrue(made['links']['self'].endswith('/v3/projects/' + made['id']))
        shown = I.call('GET', '/v3/domains/' + made['id'])['domain']
        self.assertEqual((shown['name'], shown['description'], shown['colour'], shown['tags']), (name, 'd', 'red', ['t']))
        self.assertNotIn('is_domain', shown)
        path = '/v3/projects/' + made['id']
        self.assertEqual(I.call('GET', path)['project'], made)
        I.call('PATCH', path, {'project': {'is_domain': False}}, 400)
        I.call('PATCH', path, {'project': {'domain_id': 'default'}}, 400)
        changed = I.call('PATCH', path, {'project': {'description': 'e', 'is_domain': True, 'parent_id': None}})['project']
        self.assertEqual(changed, dict(made, description='e'))
        project = I.make('project', domain_id=made['id'])
        I.call('DELETE', path, status=403)
        off('project', made)
        I.call('DELETE', path, status=204)
        for gone in ('/v3/domains/' + made['id'], path, '/v3/projects/' + project['id']):
            I.call('GET', gone, status=404)

    def test_refused(self):
        for members in ({'domain_id': 'default'}, {'parent_id': 'default'}, {'is_domain': 'yes'}):
            I.call('POST', '/v3/projects', {'project': dict({'name': unique(), 'is_domain': True}, **members)}, 400)
        I.call('POST', '/v3/projects', {'project': {'name': 'Default', 'is_domain': True}}, 409)

    def test_lists(self):
        domain, (top,) = branch(1)
        domains = I.call('GET', '/v3/projects?is_domain=true')['projects']
        self.assertEqual({x['is_domain'] for x in domains}, {True})
        self.assertIn(domain['id'], [x['id'] for x in domains])
        for query in ('', '?is_domain=false', '?is_domain=0'):
            listed = I.call('GET', '/v3/projects' + query)['projects']
            self.assertEqual({x['is_domain'] for x in listed}, {False})
            self.assertIn(top['id'], [x['id'] for x in listed])
        self.assertEqual([x['id'] for x in I.call('GET', '/v3/projects?is_domain=true&name=' + domain['name'])['projects']], [domain['id']])

    def test_disabling_ends_tokens(self):
        domain = I.make('domain')
        _, session = I.someone('reader', domain=domain)
        I.call('GET', '/v3/auth/domains', session=session)
        off('project', domain)
        I.call('GET', '/v3/auth/domains', status=401, session=session)


class Domains(unittest.TestCase):
    def test_an_id_of_ones_own(self):
        number = uuid.uuid4().hex
        self.assertEqual(I.make('domain', explicit_domain_id=number)['id'], number)
        I.call('POST', '/v3/domains', {'domain': {'name': unique(), 'explicit_domain_id': number}}, 409)
        for wrong in ('default', 'x' * 32, str(uuid.uuid4()), '', 7):
            I.call('POST', '/v3/domains', {'domain': {'name': unique(), 'explicit_domain_id': wrong}}, 400)

    def test_all_in_it_goes_along(self):
        domain, (top, low) = branch(2)
        user, group, role = I.user(domain_id=domain['id']), I.make('group', domain_id=domain['id']), I.make('role', domain_id=domain['id'])
        elsewhere = I.make('project')
        I.give('reader', user=user, project=elsewhere)
        I.give(role, group=group, project=low)
        I.give('reader', user=I.user(), domain=domain)
        I.call('DELETE', '/v3/domains/' + domain['id'], status=403)
        off('domain', domain)
        I.call('DELETE', '/v3/domains/' + domain['id'], status=204)
        for path in ('projects/' + top['id'], 'projects/' + low['id'], 'users/' + user['id'], 'groups/' + group['id'], 'roles/' + role['id']):
            I.call('GET', '/v3/' + path, status=404)
        self.assertEqual(I.call('GET', '/v3/role_assignments?scope.project.id=' + elsewhere['id'])['role_assignments'], [])

    def test_who_sees_which(self):
        domain, other = I.make('domain'), I.make('domain')
        _, reader = I.someone('reader', domain=domain)
        self.assertEqual([x['id'] for x in I.call('GET', '/v3/domains', session=reader)['domains']], [domain['id']])
        I.call('GET', '/v3/domains/' + domain['id'], session=reader)
        I.call('GET', '/v3/domains/' + other['id'], status=403, session=reader)
        I.call('GET', '/v3/domains/' + uuid.uuid4().hex, status=403, session=reader)
        _, member = I.someone('member', project=I.make('project', domain_id=domain['id']))
        I.call('GET', '/v3/domains', status=403, session=member)
        I.call('GET', '/v3/domains/' + domain['id'], session=member)
        _, auditor = I.someone('reader')
        self.assertIn(other['id'], [x['id'] for x in I.call('GET', '/v3/domains', session=auditor)['domains']])
        I.call('POST', '/v3/domains', {'domain': {'name': unique()}}, 403, auditor)


class Tags(unittest.TestCase):
    def test_life(self):
        project = I.make('project', tags=['b', 'a'])
        path = f"/v3/projects/{project['id']}/tags"
        self.assertEqual(I.call('GET', path)['tags'], ['b', 'a'])
        self.assertTrue(I.call('GET', path)['links']['self'].endswith(path))
        status, headers, content = I.request('PUT', path + '/' + urllib.parse.quote('blau grün'))
        self.assertEqual((status, content), (201, b''))
        self.assertTrue(headers['Location'].startswith(I.url + path + '/'))
        self.assertEqual(I.call('GET', '/v3/projects/' + project['id'])['project']['tags'], ['b', 'a', 'blau grün'])
        for method in ('GET', 'HEAD'):
            self.assertEqual(I.request(method, path + '/a')[0], 204)
            self.assertEqual(I.request(method, path + '/c')[0], 404)
        I.call('PUT', path + '/a', status=400)  # It has it.
        I.call('DELETE', path + '/a', status=204)
        I.call('DELETE', path + '/a', status=404)
        self.assertEqual(I.call('PUT', path, {'tags': ['x', ' y ']})['tags'], ['x', 'y'])
        I.call('DELETE', path, status=204)
        self.assertEqual(I.call('GET', path)['tags'], [])
        for method in ('GET', 'PUT', 'DELETE'):
            I.call(method, f'/v3/projects/{uuid.uuid4().hex}/tags', {'tags': []} if method == 'PUT' else None, 404)

    def test_of_a_domain(self):
        domain = I.make('domain')
        I.call('PUT', f"/v3/projects/{domain['id']}/tags/east", status=201)
        self.assertEqual(I.call('GET', '/v3/domains/' + domain['id'])['domain']['tags'], ['east'])

    def test_what_is_none(self):
        project = I.make('project')
        path = f"/v3/projects/{project['id']}/tags"
        for tags in (['a,b'], ['a/b'], [''], ['x' * 256], ['a', 'a'], [7], [None], 'a', {}, None, ['t%d' % i for i in range(81)]):
            with self.subTest(tags=str(tags)[:40]):
                I.call('PUT', path, {'tags': tags}, 400)
                I.call('POST', '/v3/projects', {'project': {'name': unique(), 'tags': tags}}, 400)
        I.call('PUT', path, {}, 400)
        for tag in ('a,b', 'a%2Fb', 'x' * 256):
            self.assertIn(I.request('PUT', path + '/' + tag)[0], (400, 404))
        I.call('PUT', path, {'tags': ['t%d' % i for i in range(80)]})
        I.call('PUT', path + '/more', status=400)
        self.assertEqual(len(I.call('GET', path)['tags']), 80)

    def test_filters(self):
        mark = unique('m')
        made = {tags: I.make('project', tags=[mark, *tags])['id'] for tags in ('', 'a', 'b', 'ab')}
        for query, wanted in (('tags=a', 'a ab'), ('tags=a,b', 'ab'), ('tags-any=a,b', 'a b ab'), ('not-tags=a,b', ' a b'), ('not-tags-any=a,b', ' '),
                              ('not-tags=a', ' b'), ('tags=a&not-tags=b', 'a'), ('tags=none', None), ("tags=';", None)):
            with self.subTest(query=query):
                query = query if query.startswith('tags=') else 'tags=%s&%s' % (mark, query)
                listed = I.call('GET', '/v3/projects?' + query.replace("'", '%27').replace(';', '%3B'))['projects']
                got = {x['id'] for x in listed if mark in x['tags']}
                self.assertEqual(got, set() if wanted is None else {made[w] for w in wanted.split(' ')})

    def test_who_may(self):
        domain, (top,) = branch(1)
        path = f"/v3/projects/{top['id']}/tags"
        _, member = I.someone('member', project=top)
        _, manager = I.someone('manager', domain=domain)
        _, stranger = I.someone('manager', domain=I.make('domain'))
        I.call('PUT', path, {'tags': ['a']}, session=manager)
        self.assertEqual(I.call('GET', path, session=member)['tags'], ['a'])
        for session, status in ((member, 403), (stranger, 403)):
            for method, at in (('PUT', path + '/b'), ('DELETE', path + '/a'), ('DELETE', path)):
                I.call(method, at, status=status, session=session)
        I.call('GET', path, status=403, session=stranger)
        I.call('GET', f'/v3/projects/{uuid.uuid4().hex}/tags', status=403, session=stranger)


class OfTheirOwn(unittest.TestCase):
    """Members that no schema knows."""

    def test_kept(self):
        extra = {'colour': 'red', 'size': 7, 'deep': {'a': [1, None, {'b': True}]}, 'nothing': None, 'ünï': '漢', 'price': 1.5, 'yes': True}
        for kind in ('project', 'domain', 'group', 'role', 'user'):
            with self.subTest(kind=kind):
                made = I.make(kind, **extra)
                path = f"/v3/{kind}s/{made['id']}"
                for shown in (made, I.call('GET', path)[kind]):
                    self.assertEqual({k: shown.get(k, 'absent') for k in extra}, extra)
                changed = I.call('PATCH', path, {kind: {'size': 8, 'new': [], 'links': {'self': 'x'}}})[kind]
                self.assertEqual(changed, dict(made, size=8, new=[]))
                listed = [x for x in I.call('GET', f'/v3/{kind}s?name=' + made['name'])[f'{kind}s'] if x['id'] == made['id']]
                self.assertEqual(listed, [changed])
                self.assertEqual(I.call('PATCH', path, {kind: changed})[kind], changed)  # All as it is.

    def test_they_are_no_fields(self):
        """What an object is made of is not set that way."""
        project = I.make('project', extra={'name': 'other'}, domain='other', options={})
        self.assertEqual(project['extra'], {'name': 'other'})
        I.call('POST', '/v3/projects', {'project': {'name': unique(), '': 'x'}}, 400)
        I.call('POST', '/v3/projects', {'project': {'name': unique(), 'x' * 256: 'x'}}, 400)
        self.assertEqual(I.call('GET', '/v3/projects/' + project['id'])['project']['extra'], {'name': 'other'})


class Immutable(unittest.TestCase):
    def test_all_kinds(self):
        for kind in ('project', 'domain', 'role'):
            with self.subTest(kind=kind):
                made = I.make(kind, options={'immutable': True})
                self.assertEqual(made['options'], {'immutable': True})
                path = f"/v3/{kind}s/{made['id']}"
                for change in ({'name': unique()}, {'description': 'd'}, {'options': {}}, {'options': {'immutable': True}},
                               {'options': {'immutable': False}, 'name': unique()}):
                    self.assertIn('immutable', I.call('PATCH', path, {kind: change}, 403)['error']['message'])
                I.call('DELETE', path, status=403)
                self.assertEqual(I.call('PATCH', path, {kind: {'options': {'immutable': None}}})[kind]['options'], {})
                I.call('PATCH', path, {kind: {'options': {'immutable': True}}})
                self.assertEqual(I.call('PATCH', path, {kind: {'options': {'immutable': False}}})[kind]['options'], {'immutable': False})
                I.call('PATCH', path, {kind: {'description': 'd'}})
                for wrong in ({'immutable': 'yes'}, {'other': True}, [], None, 'x'):
                    I.call('PATCH', path, {kind: {'options': wrong}}, 400)
                if kind == 'domain':
                    off('domain', made)
                I.call('DELETE', path, status=204)

    def test_tags(self):
        project = I.make('project', tags=['a'], options={'immutable': True})
        path = f"/v3/projects/{project['id']}/tags"
        for method, at in (('PUT', path + '/b'), ('DELETE', path + '/a'), ('DELETE', path)):
            I.call(method, at, status=403)
        I.call('PUT', path, {'tags': []}, 403)
        self.assertEqual(I.call('GET', path)['tags'], ['a'])

    def test_a_domain_with_such_a_project_stays(self):
        domain = I.make('domain')
        project = I.make('project', domain_id=domain['id'], options={'immutable': True})
        off('domain', domain)
        self.assertIn(project['id'], I.call('DELETE', '/v3/domains/' + domain['id'], status=403)['error']['message'])

    def test_roles_that_come_with_the_cloud(self):
        for name in ('admin', 'manager', 'member', 'reader', 'service'):
            path = '/v3/roles/' + I.roles[name]
            self.assertEqual(I.call('GET', path)['role']['options'], {'immutable': True})
            I.call('DELETE', path, status=403)
            I.call('PATCH', path, {'role': {'name': unique()}}, 403)


class Managers(unittest.TestCase):
    """role:manager on a domain: its projects, users and groups, and no others'."""

    def test_projects(self):
        domain, other = I.make('domain'), I.make('domain')
        user, manager = I.someone('manager', domain=domain)
        project = I.make('project', session=manager, domain_id=domain['id'])
        foreign = I.make('project', domain_id=other['id'])
        path, theirs = '/v3/projects/' + project['id'], '/v3/projects/' + foreign['id']
        I.call('PATCH', path, {'project': {'description': 'd'}}, session=manager)
        for body in ({'name': unique()}, {'name': unique(), 'domain_id': other['id']}, {'name': unique(), 'is_domain': True}):
            I.call('POST', '/v3/projects', {'project': body}, 403, manager)
        for method, body in (('GET', None), ('PATCH', {'project': {'description': 'x'}}), ('DELETE', None)):
            I.call(method, theirs, body, 403, manager)
            I.call(method, '/v3/projects/' + uuid.uuid4().hex, body, 403, manager)
            I.call(method, '/v3/projects/' + domain['id'], body, 403, manager)
        for query in ('', '?domain_id=' + other['id'], '?name=' + foreign['name']):
            self.assertEqual([x['id'] for x in I.call('GET', '/v3/projects' + query, session=manager)['projects']], [] if query else [project['id']])
        I.call('DELETE', path, status=204, session=manager)

    def test_a_stranger_is_no_marker(self):
        domain, other = I.make('domain'), I.make('domain')
        _, manager = I.someone('manager', domain=domain)
        for kind in ('project', 'group', 'user'):
            mine = sorted([I.make(kind, domain_id=domain['id'])['id'] for _ in range(2)] if kind != 'user' else
                          [x['id'] for x in I.call('GET', '/v3/users', session=manager)['users']])
            theirs = I.make(kind, domain_id=other['id'])
            status, _, unknown = I.request('GET', f'/v3/{kind}s?marker={uuid.uuid4().hex}', session=manager)
            self.assertEqual(status, 400)
            status, _, content = I.request('GET', f"/v3/{kind}s?marker={theirs['id']}", session=manager)
            self.assertEqual((status, content['error']['title']), (400, unknown['error']['title']))
            self.assertEqual([x['id'] for x in I.call('GET', f'/v3/{kind}s?marker={mine[0]}&name=none', session=manager)[f'{kind}s']], [])
            self.assertEqual([x['id'] for x in I.call('GET', f'/v3/{kind}s?marker={mine[0]}', session=manager)[f'{kind}s']], mine[1:])

    def test_an_administrator_of_a_domain_lists_that_domain(self):
        domain = I.make('domain')
        project = I.make('project', domain_id=domain['id'])
        _, session = I.someone('admin', domain=domain)
        self.assertEqual([x['id'] for x in I.call('GET', '/v3/projects', session=session)['projects']], [project['id']])

    def test_groups(self):
        domain, other = I.make('domain'), I.make('domain')
        user, manager = I.someone('manager', domain=domain)
        group = I.make('group', session=manager, domain_id=domain['id'])
        foreign, stranger = I.make('group', domain_id=other['id']), I.user(domain_id=other['id'])
        member = f"/v3/groups/{group['id']}/users/"
        I.call('PUT', member + user['id'], status=204, session=manager)
        self.assertEqual([x['id'] for x in I.call('GET', f"/v3/groups/{group['id']}/users", session=manager)['users']], [user['id']])
        self.assertEqual([x['id'] for x in I.call('GET', f"/v3/users/{user['id']}/groups", session=manager)['groups']], [group['id']])
        I.call('GET', member + user['id'], status=204, session=manager)
        for path in (member + stranger['id'], f"/v3/groups/{foreign['id']}/users/{user['id']}", member + uuid.uuid4().hex):
            for method in ('PUT', 'GET', 'DELETE'):
                I.call(method, path, status=403, session=manager)
        for path in (f"/v3/groups/{foreign['id']}", f"/v3/groups/{foreign['id']}/users", f"/v3/users/{stranger['id']}/groups",
                     f"/v3/users/{stranger['id']}/projects"):
            I.call('GET', path, status=403, session=manager)
        I.call('DELETE', '/v3/groups/' + foreign['id'], status=403, session=manager)
        self.assertEqual([x['id'] for x in I.call('GET', '/v3/groups', session=manager)['groups']], [group['id']])


class Together(unittest.TestCase):
    """Many at once: no row that points to nothing, no name twice."""

    def at_once(self, calls):
        with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
            return [f.result()[0] for f in [pool.submit(I.request, *c) for c in calls]]

    def test_one_name(self):
        name = unique()
        got = self.at_once([('POST', '/v3/projects', {'project': {'name': name}}) for _ in range(8)])
        self.assertEqual(sorted(got), [201] + [409] * 7)

    def test_a_child_while_the_parent_goes(self):
        for _ in range(10):
            domain, (top,) = branch(1)
            child = ('POST', '/v3/projects', {'project': {'name': unique(), 'domain_id': domain['id'], 'parent_id': top['id']}})
            made, deleted = self.at_once([child, ('DELETE', '/v3/projects/' + top['id'])])
            self.assertIn((made, deleted), ((201, 403), (400, 204), (201, 409)))
        self.assertEqual(CLOUD.sql('identity', "SELECT count(*) FROM project p WHERE parent_id <> domain_id AND NOT EXISTS "
                                               "(SELECT 1 FROM project o WHERE o.id = p.parent_id)").strip(), '0')

    def test_a_tag_each(self):
        project = I.make('project')
        got = self.at_once([('PUT', f"/v3/projects/{project['id']}/tags/t{i}") for i in range(8)])
        self.assertEqual(got, [201] * 8)
        self.assertEqual(len(I.call('GET', f"/v3/projects/{project['id']}/tags")['tags']), 8)

    def test_slashes_at_the_end(self):
        """They are none, however many: a tag "/" is a list of tags without a body."""
        project = I.make('project', tags=['a'])
        path = f"/v3/projects/{project['id']}"
        for end in ('', '/', '//', '////'):
            self.assertEqual(I.call('GET', path + end)['project']['id'], project['id'])
            I.call('PUT', path + '/tags' + end, None, 400)
        I.call('GET', path + '//tags', None, 404)
        self.assertEqual(I.call('GET', path + '/tags')['tags'], ['a'])


class TwoLevels(unittest.TestCase):
    def test_depth(self):
        """The model strict_two_level of limits leaves room for one project below another."""
        with Cloud(services=['identity'], settings={'identity': {'identity': {'limit_model': 'strict_two_level'}}}) as cloud:
            here = Identity(cloud)
            top = here.make('project')
            low = here.make('project', parent_id=top['id'], domain_id='default')
            here.call('POST', '/v3/projects', {'project': {'name': unique(), 'parent_id': low['id'], 'domain_id': 'default'}}, 403)


if __name__ == '__main__':
    unittest.main()
