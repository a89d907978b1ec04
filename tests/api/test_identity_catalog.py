#!/usr/bin/python3
"""Identity's catalogue, the real daemon: services, endpoints and regions, which endpoints a project sees, which policy an
endpoint follows; discovery and revocation events."""
import json
import os
import sys
import time
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402
import rest  # noqa: E402

PASSWORD = 'correct horse'


def setUpModule():
    global CLOUD, ADMIN, URL, ROLES
    CLOUD = Cloud(services=['identity'])
    ADMIN = CLOUD.admin()
    URL = CLOUD.urls['identity']
    ROLES = {r['name']: r['id'] for r in ADMIN.expect(200, 'GET', 'identity', '/v3/roles')['roles']}


def tearDownModule():
    CLOUD.close()


def unique(prefix='x'):
    return '%s-%s' % (prefix, uuid.uuid4().hex[:12])


def expect(self, status, method, path, body=None, session=None):
    got, _, content = (session or ADMIN).request(method, 'identity', path, body)
    self.assertEqual(got, status, '%s %s: %s' % (method, path, content))
    return content


def make(path, key, **members):
    return ADMIN.expect(201, 'POST', 'identity', path, {key: members})[key]


def service(**members):
    return make('/v3/services', 'service', **dict({'type': unique('type'), 'name': unique('service')}, **members))


def region(**members):
    return make('/v3/regions', 'region', **dict({'id': unique('R')}, **members))


def endpoint(svc, **members):
    return make('/v3/endpoints', 'endpoint', **dict({'service_id': svc['id'], 'interface': 'public', 'url': 'http://test:1/'}, **members))


def policy(**members):
    return make('/v3/policies', 'policy', **dict({'blob': '{}', 'type': 'application/json'}, **members))


def group(**members):
    return make('/v3/OS-EP-FILTER/endpoint_groups', 'endpoint_group',
                **dict({'name': unique('group'), 'filters': {'interface': 'admin'}}, **members))


def member(role='member'):
    """(project, session) of a new user with a role in a new project."""
    p = make('/v3/projects', 'project', name=unique('p'))
    u = make('/v3/users', 'user', name=unique('u'), password=PASSWORD)
    ADMIN.expect(204, 'PUT', 'identity', '/v3/projects/%s/users/%s/roles/%s' % (p['id'], u['id'], ROLES[role]))
    return p, CLOUD.session(u['name'], PASSWORD, p['name'])


def ids(content, key):
    return sorted(x['id'] for x in content[key])


class Services(unittest.TestCase):
    def test_body(self):
        made = service(description='d')
        self.assertEqual(made, {'id': made['id'], 'type': made['type'], 'name': made['name'], 'description': 'd', 'enabled': True,
                                'links': {'self': URL + '/v3/services/' + made['id']}})
        nameless = make('/v3/services', 'service', type='t')
        self.assertEqual(nameless['name'], '')
        for wrong in ({}, {'type': ''}, {'type': None}, {'type': 'x' * 256}, {'type': 't', 'name': ''}, {'type': 't', 'name': ' '},
                      {'type': 't', 'name': None}, {'type': 't', 'enabled': 'yes'}, {'type': 't', 'enabled': None}):
            with self.subTest(wrong=wrong):
                expect(self, 400, 'POST', '/v3/services', {'service': wrong})
        path = '/v3/services/' + made['id']
        expect(self, 400, 'PATCH', path, {'service': {}})
        error = expect(self, 400, 'PATCH', path, {'service': {'id': 'other', 'name': 'n'}})['error']
        self.assertEqual(error['message'], 'Cannot change ID')
        self.assertEqual(expect(self, 200, 'PATCH', path, {'service': {'id': made['id'], 'enabled': False}})['service'],
                         dict(made, enabled=False))

    def test_filters(self):
        made = service()
        self.assertEqual(ids(expect(self, 200, 'GET', '/v3/services?type=' + made['type']), 'services'), [made['id']])
        self.assertEqual(ids(expect(self, 200, 'GET', '/v3/services?name=%s&type=%s' % (made['name'], made['type'])), 'services'), [made['id']])
        self.assertEqual(expect(self, 200, 'GET', '/v3/services?name=%s&type=other' % made['name'])['services'], [])


class Endpoints(unittest.TestCase):
    def test_body(self):
        svc, r = service(), region()
        made = endpoint(svc, region_id=r['id'], url='http://test:1/$(project_id)s')
        self.assertEqual(made, {'id': made['id'], 'service_id': svc['id'], 'interface': 'public', 'url': 'http://test:1/$(project_id)s',
                                'region_id': r['id'], 'region': r['id'], 'enabled': True,
                                'links': {'self': URL + '/v3/endpoints/' + made['id']}})
        nowhere = endpoint(svc)
        self.assertEqual((nowhere['region_id'], nowhere['region']), (None, None))

    def test_region_by_its_old_name(self):
        """"region" makes the region; "region_id" must be one."""
        svc, name = service(), unique('R')
        made = endpoint(svc, region=name)
        self.assertEqual((made['region'], made['region_id']), (name, name))
        self.assertEqual(expect(self, 200, 'GET', '/v3/regions/' + name)['region']['description'], '')
        body = {'service_id': svc['id'], 'interface': 'public', 'url': 'http://x'}
        error = expect(self, 400, 'POST', '/v3/endpoints', {'endpoint': dict(body, region_id=unique())})['error']
        self.assertTrue(error['message'].startswith('Expecting to find endpoint region_id in region table.'), error)
        error = expect(self, 400, 'POST', '/v3/endpoints', {'endpoint': dict(body, service_id=uuid.uuid4().hex)})['error']
        self.assertTrue(error['message'].startswith('Expecting to find endpoint service_id in service table.'), error)
        other = unique('R')
        self.assertEqual(expect(self, 200, 'PATCH', '/v3/endpoints/' + made['id'], {'endpoint': {'region': other}})['endpoint']['region_id'], other)
        expect(self, 400, 'PATCH', '/v3/endpoints/' + made['id'], {'endpoint': {'region_id': unique()}})

    def test_urls(self):
        svc = service()
        for good in ('http://h/%(tenant_id)s', 'http://h/$(user_id)s/%%41', 'ftp://x', 'https://h:%(public_port)s', 'http://h/$x'[:9]):
            with self.subTest(url=good):
                self.assertEqual(endpoint(svc, url=good)['url'], good)
        for bad in ('http://h/$(tenant)s', 'http://h/%(tenant_id)', 'http://h/%(tenant_id)d', 'http://h/$(', 'http://h/%', 'http://h/%s',
                    'http://h/%(__class__)s', 'http://h/%(admin_token)s'):
            with self.subTest(url=bad):
                error = expect(self, 400, 'POST', '/v3/endpoints', {'endpoint': {'service_id': svc['id'], 'interface': 'public', 'url': bad}})['error']
                self.assertEqual(error['message'], 'Cannot create an endpoint with an invalid URL: %s.' % bad)
        for bad in ('nothing', '', None, 7, 'http://' + 'x' * 225):
            with self.subTest(url=bad):
                expect(self, 400, 'POST', '/v3/endpoints', {'endpoint': {'service_id': svc['id'], 'interface': 'public', 'url': bad}})

    def test_filters(self):
        svc, r = service(), region()
        a, b = endpoint(svc, region_id=r['id']), endpoint(svc, interface='admin')
        for query, found in (('', [a, b]), ('interface=admin', [b]), ('region_id=' + r['id'], [a]), ('interface=internal', []),
                             ('interface=nonsense', []), ('region_id=', [])):
            with self.subTest(query=query):
                self.assertEqual(ids(expect(self, 200, 'GET', '/v3/endpoints?service_id=%s&%s' % (svc['id'], query)), 'endpoints'),
                                 sorted(x['id'] for x in found))
        for wrong in ({'service_id': uuid.uuid4().hex}, {'interface': 'secret'}, {'interface': None}, {'enabled': 'x'}, {'region': 7}):
            with self.subTest(wrong=wrong):
                expect(self, 400, 'PATCH', '/v3/endpoints/' + a['id'], {'endpoint': wrong})

    def test_in_the_catalogue(self):
        svc = service()
        made = endpoint(svc, url='http://test:1/$(project_id)s/%(user_id)s')
        outside = endpoint(svc, url='http://test:%(public_port)s/', interface='admin')
        p, s = member()
        mine = next(c for c in s.auth['catalog'] if c['id'] == svc['id'])
        self.assertEqual([e['url'] for e in mine['endpoints']], ['http://test:1/%s/%s' % (p['id'], s.user_id)])
        self.assertNotIn(outside['id'], json.dumps(s.auth['catalog']))
        expect(self, 200, 'PATCH', '/v3/endpoints/' + made['id'], {'endpoint': {'enabled': False}})
        self.assertNotIn(made['id'], json.dumps(expect(self, 200, 'GET', '/v3/auth/catalog', session=s)))
        expect(self, 204, 'DELETE', '/v3/services/' + svc['id'])
        expect(self, 404, 'GET', '/v3/endpoints/' + made['id'])


class Regions(unittest.TestCase):
    def test_made(self):
        top, low = unique('R'), unique('R')
        made = expect(self, 201, 'PUT', '/v3/regions/' + top, {'region': {'description': 'd'}})['region']
        self.assertEqual(made, {'id': top, 'description': 'd', 'parent_region_id': None, 'links': {'self': URL + '/v3/regions/' + top}})
        error = expect(self, 409, 'PUT', '/v3/regions/' + top, {'region': {}})['error']
        self.assertEqual(error['message'], 'Conflict occurred attempting to store region - Duplicate ID, %s.' % top)
        expect(self, 409, 'POST', '/v3/regions', {'region': {'id': top}})
        expect(self, 400, 'PUT', '/v3/regions/' + low, {'region': {'id': 'another'}})
        expect(self, 201, 'PUT', '/v3/regions/' + low, {'region': {'parent_region_id': top}})
        expect(self, 404, 'POST', '/v3/regions', {'region': {'parent_region_id': unique()}})
        self.assertEqual(ids(expect(self, 200, 'GET', '/v3/regions?parent_region_id=' + top), 'regions'), [low])
        generated = expect(self, 201, 'POST', '/v3/regions', {'region': {'id': '', 'description': None}})['region']
        self.assertEqual((len(generated['id']), generated['description']), (32, ''))
        for wrong in ({'description': 7}, {'description': 'x' * 256}, {'id': 'x' * 256}, {'parent_region_id': 7}):
            with self.subTest(wrong=wrong):
                expect(self, 400, 'POST', '/v3/regions', {'region': wrong})
        expect(self, 400, 'PATCH', '/v3/regions/' + low, {'region': {}})
        self.assertEqual(expect(self, 200, 'PATCH', '/v3/regions/' + top, {'region': {'description': None}})['region']['description'], '')
        spaced = 'Région / %s' % uuid.uuid4().hex[:6]
        self.assertEqual(expect(self, 201, 'POST', '/v3/regions', {'region': {'id': spaced}})['region']['id'], spaced)

    def test_no_circles(self):
        a = region()
        b = region(parent_region_id=a['id'])
        c = region(parent_region_id=b['id'])
        for parent in (a, b, c):
            error = expect(self, 400, 'PATCH', '/v3/regions/' + a['id'], {'region': {'parent_region_id': parent['id']}})['error']
            self.assertEqual(error['message'], 'The specified parent region %s would create a circular region hierarchy.' % parent['id'])
        expect(self, 200, 'PATCH', '/v3/regions/' + c['id'], {'region': {'parent_region_id': None}})
        expect(self, 200, 'PATCH', '/v3/regions/' + a['id'], {'region': {'parent_region_id': c['id']}})

    def test_deleted_with_those_below(self):
        top = region()
        low = region(parent_region_id=top['id'])
        lowest = region(parent_region_id=low['id'])
        e = endpoint(service(), region_id=lowest['id'])
        error = expect(self, 403, 'DELETE', '/v3/regions/' + top['id'])['error']
        self.assertEqual(error['message'],
                         'Unable to delete region %s because it or its child regions have associated endpoints.' % top['id'])
        expect(self, 204, 'DELETE', '/v3/endpoints/' + e['id'])
        expect(self, 204, 'DELETE', '/v3/regions/' + top['id'])
        for r in (top, low, lowest):
            expect(self, 404, 'GET', '/v3/regions/' + r['id'])


class Bare(unittest.TestCase):
    """Services that have no endpoint for a token."""

    def shown(self, session, services):
        """For each service the number of its endpoints, None if it is not there; the same in every place."""
        token = {'X-Subject-Token': session.token}
        catalogs = [session.expect(200, 'GET', 'identity', '/v3/auth/catalog')['catalog'],
                    session.expect(200, 'GET', 'identity', '/v3/auth/tokens', headers=token)['token']['catalog']]
        self.assertEqual(catalogs[0], catalogs[1])
        there = {c['id']: c for c in catalogs[0]}
        for svc in services:
            if svc['id'] in there:
                self.assertEqual({k: v for k, v in there[svc['id']].items() if k != 'endpoints'}, {k: svc[k] for k in ('id', 'type', 'name')})
        return [len(there[svc['id']]['endpoints']) if svc['id'] in there else None for svc in services]

    def test_shown_without_a_filter_only(self):
        sleeping, whole, filled, off = service(), service(), service(), service(enabled=False)
        bare = expect(self, 201, 'POST', '/v3/services', {'service': {'type': 'bare'}})['service']  # Without a name either: ''.
        endpoint(sleeping, enabled=False)
        mine = endpoint(whole)
        endpoint(whole, interface='admin', enabled=False)
        theirs = endpoint(filled, url='http://test/$(project_id)s')
        all_ = (bare, sleeping, whole, filled, off)
        p, s = member()
        system = rest.authenticate(CLOUD.urls, 'admin', CLOUD.layout.secret('user-admin'), scope={'system': {'all': True}})
        self.assertEqual(self.shown(s, all_), [0, 0, 1, 1, None])
        self.assertEqual(self.shown(system, all_), [0, 0, 1, 0, None])  # It has no project for a URL.
        path = '/v3/OS-EP-FILTER/projects/%s/endpoints/%s'
        expect(self, 204, 'PUT', path % (p['id'], mine['id']))
        self.assertEqual(self.shown(s, all_), [None, None, 1, None, None])
        expect(self, 204, 'DELETE', path % (p['id'], mine['id']))
        g = group(filters={'service_id': filled['id']})
        by_group = '/v3/OS-EP-FILTER/endpoint_groups/%s/projects/%s' % (g['id'], p['id'])
        expect(self, 204, 'PUT', by_group)
        self.assertEqual(self.shown(s, all_), [None, None, None, 1, None])
        # A filter that lets nothing through is one.
        expect(self, 200, 'PATCH', '/v3/endpoints/' + theirs['id'], {'endpoint': {'enabled': False}})
        self.assertEqual(self.shown(s, all_), [None] * 5)
        expect(self, 204, 'DELETE', by_group)
        self.assertEqual(self.shown(s, all_), [0, 0, 1, 0, None])


class EndpointFilter(unittest.TestCase):
    """A project with endpoints of its own sees these and no other; one without sees all."""

    @staticmethod
    def seen(s):
        return {e['id'] for c in s.expect(200, 'GET', 'identity', '/v3/auth/catalog')['catalog'] for e in c['endpoints']}

    def test_single_endpoints(self):
        svc = service()
        mine, other = endpoint(svc), endpoint(svc, interface='admin')
        p, s = member()
        path = '/v3/OS-EP-FILTER/projects/%s/endpoints/%s' % (p['id'], mine['id'])
        self.assertLessEqual({mine['id'], other['id']}, self.seen(s))
        for method in ('GET', 'HEAD', 'DELETE'):
            expect(self, 404, method, path)
        expect(self, 204, 'PUT', path)
        expect(self, 409, 'PUT', path)
        for method in ('GET', 'HEAD'):
            self.assertEqual(expect(self, 204, method, path), b'')
        self.assertEqual(self.seen(s), {mine['id']})
        listed = expect(self, 200, 'GET', '/v3/OS-EP-FILTER/projects/%s/endpoints' % p['id'])
        self.assertEqual(listed['endpoints'], [expect(self, 200, 'GET', '/v3/endpoints/' + mine['id'])['endpoint']])
        self.assertEqual(listed['links'], {'next': None, 'previous': None, 'self': URL + '/v3/OS-EP-FILTER/projects/%s/endpoints' % p['id']})
        self.assertEqual(ids(expect(self, 200, 'GET', '/v3/OS-EP-FILTER/endpoints/%s/projects' % mine['id']), 'projects'), [p['id']])
        self.assertEqual(self.seen(ADMIN) & {other['id']}, {other['id']})
        expect(self, 204, 'DELETE', path)
        error = expect(self, 404, 'DELETE', path)['error']
        self.assertEqual(error['message'], 'Endpoint %s not found in project %s' % (mine['id'], p['id']))
        self.assertLessEqual({mine['id'], other['id']}, self.seen(s))
        nobody = uuid.uuid4().hex
        for project_id, endpoint_id in ((nobody, mine['id']), (p['id'], nobody)):
            for method in ('PUT', 'GET', 'DELETE'):
                expect(self, 404, method, '/v3/OS-EP-FILTER/projects/%s/endpoints/%s' % (project_id, endpoint_id))
        for path in ('projects/%s/endpoints', 'projects/%s/endpoint_groups', 'endpoints/%s/projects', 'endpoint_groups/%s',
                     'endpoint_groups/%s/endpoints', 'endpoint_groups/%s/projects'):
            expect(self, 404, 'GET', '/v3/OS-EP-FILTER/' + path % nobody)

    def test_groups(self):
        svc, r = service(), region()
        a, b, c = endpoint(svc, region_id=r['id']), endpoint(svc, interface='admin', region_id=r['id']), endpoint(svc, interface='admin')
        g = group(filters={'service_id': svc['id'], 'interface': 'admin'}, description='d')
        self.assertEqual(g, {'id': g['id'], 'name': g['name'], 'description': 'd', 'filters': {'service_id': svc['id'], 'interface': 'admin'},
                             'links': {'self': URL + '/v3/OS-EP-FILTER/endpoint_groups/' + g['id']}})
        base = '/v3/OS-EP-FILTER/endpoint_groups/' + g['id']
        self.assertEqual(expect(self, 200, 'HEAD', base), b'')
        self.assertEqual(ids(expect(self, 200, 'GET', base + '/endpoints'), 'endpoints'), sorted([b['id'], c['id']]))
        p, s = member()
        path = '%s/projects/%s' % (base, p['id'])
        for method in ('GET', 'HEAD', 'DELETE'):
            expect(self, 404, method, path)
        expect(self, 204, 'PUT', path)
        expect(self, 409, 'PUT', path)
        self.assertEqual(expect(self, 200, 'GET', path)['project_endpoint_group'],
                         {'endpoint_group_id': g['id'], 'project_id': p['id'],
                          'links': {'self': '/OS-EP-FILTER/endpoint_groups/%s/projects/%s' % (g['id'], p['id'])}})
        expect(self, 200, 'HEAD', path)
        self.assertEqual(self.seen(s), {b['id'], c['id']})
        self.assertEqual(ids(expect(self, 200, 'GET', base + '/projects'), 'projects'), [p['id']])
        self.assertEqual(ids(expect(self, 200, 'GET', '/v3/OS-EP-FILTER/projects/%s/endpoint_groups' % p['id']), 'endpoint_groups'), [g['id']])
        expect(self, 204, 'PUT', '/v3/OS-EP-FILTER/projects/%s/endpoints/%s' % (p['id'], a['id']))
        self.assertEqual(ids(expect(self, 200, 'GET', '/v3/OS-EP-FILTER/projects/%s/endpoints' % p['id']), 'endpoints'),
                         sorted([a['id'], b['id'], c['id']]))
        self.assertEqual(expect(self, 200, 'PATCH', base, {'endpoint_group': {'filters': {'region_id': r['id']}}})['endpoint_group']['filters'],
                         {'region_id': r['id']})
        self.assertEqual(self.seen(s), {a['id'], b['id']})
        expect(self, 204, 'DELETE', path)
        expect(self, 204, 'DELETE', '/v3/OS-EP-FILTER/projects/%s/endpoints/%s' % (p['id'], a['id']))
        self.assertLessEqual({a['id'], b['id'], c['id']}, self.seen(s))
        expect(self, 204, 'PUT', path)
        expect(self, 204, 'DELETE', base)
        expect(self, 404, 'GET', base)
        self.assertLessEqual({a['id'], b['id'], c['id']}, self.seen(s))

    def test_another_daemon_hears_of_it(self):
        svc = service()
        e, other = endpoint(svc), CLOUD.add_daemon('identity')
        p, s = member()
        there = s.at(other)
        g = group(filters={'service_id': svc['id']})
        for method, change in (('PUT', 'endpoint_groups/%s/projects/%s' % (g['id'], p['id'])),
                               ('DELETE', 'endpoint_groups/%s/projects/%s' % (g['id'], p['id'])),
                               ('PUT', 'projects/%s/endpoints/%s' % (p['id'], e['id']))):
            self.assertEqual(self.seen(there), self.seen(s))
            expect(self, 204, method, '/v3/OS-EP-FILTER/' + change)
            here, until = self.seen(s), time.monotonic() + 5
            self.assertEqual(here == {e['id']}, method == 'PUT')
            while self.seen(there) != here and time.monotonic() < until:
                time.sleep(0.01)
            self.assertEqual(self.seen(there), here)

    def test_each_user_has_his_urls(self):
        """Two users of one project: a URL that names the user is kept for neither."""
        svc = service()
        endpoint(svc, url='http://test:1/$(user_id)s')
        p, s = member()
        u = make('/v3/users', 'user', name=unique('u'), password=PASSWORD)
        ADMIN.expect(204, 'PUT', 'identity', '/v3/projects/%s/users/%s/roles/%s' % (p['id'], u['id'], ROLES['member']))
        other = CLOUD.session(u['name'], PASSWORD, p['name'])
        for session in (s, other, s):
            text = json.dumps(expect(self, 200, 'GET', '/v3/auth/catalog', session=session))
            self.assertIn('http://test:1/' + session.user_id, text)
        expect(self, 204, 'DELETE', '/v3/services/' + svc['id'])

    def test_nothing_found_is_no_filter(self):
        svc = service()
        e = endpoint(svc)
        g = group(filters={'service_id': uuid.uuid4().hex})
        p, s = member()
        expect(self, 204, 'PUT', '/v3/OS-EP-FILTER/endpoint_groups/%s/projects/%s' % (g['id'], p['id']))
        self.assertIn(e['id'], self.seen(s))

    def test_wrong_groups(self):
        for wrong in ({'name': 'x'}, {'filters': {'interface': 'admin'}}, {'name': 'x', 'filters': {}}, {'name': 'x', 'filters': []},
                      {'name': '', 'filters': {'interface': 'admin'}}, {'name': 'x', 'filters': {'name': 'y'}},
                      {'name': 'x', 'filters': {'interface': 'admin', "a' OR 1=1 --": 'y'}}):
            with self.subTest(wrong=wrong):
                expect(self, 400, 'POST', '/v3/OS-EP-FILTER/endpoint_groups', {'endpoint_group': wrong})
        g = group()
        path = '/v3/OS-EP-FILTER/endpoint_groups/' + g['id']
        for wrong in ({}, {'filters': {'url': 'x'}}, {'filters': None}, {'id': 'y'}):
            expect(self, 400, 'PATCH', path, {'endpoint_group': wrong})
        for odd in ({'interface': ['admin']}, {'interface': {'a': 1}}, {'interface': 7}, {'interface': "' OR ''='"}):
            expect(self, 200, 'PATCH', path, {'endpoint_group': {'filters': odd}})
            self.assertEqual(expect(self, 200, 'GET', path + '/endpoints')['endpoints'], [])
        e = endpoint(service())
        expect(self, 200, 'PATCH', path, {'endpoint_group': {'filters': {'region_id': None, 'service_id': e['service_id']}}})
        self.assertEqual(ids(expect(self, 200, 'GET', path + '/endpoints'), 'endpoints'), [e['id']])

    def test_listed_by_name(self):
        g = group(name=unique('Weiß'))
        self.assertEqual(ids(expect(self, 200, 'GET', '/v3/OS-EP-FILTER/endpoint_groups?name=' + g['name'].replace('ß', '%C3%9F')),
                             'endpoint_groups'), [g['id']])

    def test_not_for_members(self):
        p, s = member()
        e, g = endpoint(service()), group()
        mine = '/v3/OS-EP-FILTER/projects/%s/endpoints' % p['id']
        for method, path in (('PUT', mine + '/' + e['id']), ('GET', mine), ('DELETE', mine + '/' + e['id']),
                             ('GET', '/v3/OS-EP-FILTER/endpoint_groups'), ('DELETE', '/v3/OS-EP-FILTER/endpoint_groups/' + g['id']),
                             ('PUT', '/v3/OS-EP-FILTER/endpoint_groups/%s/projects/%s' % (g['id'], p['id']))):
            with self.subTest(method=method, path=path):
                expect(self, 403, method, path, session=s)


class EndpointPolicy(unittest.TestCase):
    def effective(self, e):
        got, _, content = ADMIN.request('GET', 'identity', '/v3/endpoints/%s/OS-ENDPOINT-POLICY/policy' % e['id'])
        return content['policy']['id'] if got == 200 else got

    def test_the_nearest_counts(self):
        svc, top = service(), region()
        low = region(parent_region_id=top['id'])
        e, elsewhere = endpoint(svc, region_id=low['id']), endpoint(svc)
        everywhere, above, here, own = policy(), policy(), policy(), policy()
        self.assertEqual(self.effective(e), 404)
        base = '/v3/policies/%s/OS-ENDPOINT-POLICY/%s'
        paths = (base % (everywhere['id'], 'services/' + svc['id']),
                 base % (above['id'], 'services/%s/regions/%s' % (svc['id'], top['id'])),
                 base % (here['id'], 'services/%s/regions/%s' % (svc['id'], low['id'])),
                 base % (own['id'], 'endpoints/' + e['id']))
        for path, wanted in zip(paths, (everywhere, above, here, own)):
            for method in ('GET', 'HEAD'):
                expect(self, 404, method, path)
            expect(self, 204, 'PUT', path)
            expect(self, 204, 'PUT', path)
            for method in ('GET', 'HEAD'):
                expect(self, 204, method, path)
            self.assertEqual(self.effective(e), wanted['id'])
            self.assertEqual(self.effective(elsewhere), everywhere['id'])
        for p, found in ((everywhere, [e, elsewhere]), (above, [e]), (here, [e]), (own, [e])):
            listed = expect(self, 200, 'GET', '/v3/policies/%s/OS-ENDPOINT-POLICY/endpoints' % p['id'])
            self.assertEqual(ids(listed, 'endpoints'), sorted(x['id'] for x in found))
        for path, wanted in zip(reversed(paths), (here['id'], above['id'], everywhere['id'], 404)):
            expect(self, 204, 'DELETE', path)
            expect(self, 204, 'DELETE', path)
            expect(self, 404, 'GET', path)
            self.assertEqual(self.effective(e), wanted)

    def test_one_policy_each(self):
        e = endpoint(service())
        first, second = policy(), policy()
        path = '/v3/policies/%s/OS-ENDPOINT-POLICY/endpoints/' + e['id']
        expect(self, 204, 'PUT', path % first['id'])
        expect(self, 204, 'PUT', path % second['id'])
        expect(self, 404, 'GET', path % first['id'])
        self.assertEqual(self.effective(e), second['id'])
        expect(self, 204, 'DELETE', '/v3/policies/' + second['id'])
        self.assertEqual(self.effective(e), 404)

    def test_what_is_not_there(self):
        p, svc, nobody = policy(), service(), uuid.uuid4().hex
        for method in ('PUT', 'GET', 'DELETE'):
            for path in ('%s/OS-ENDPOINT-POLICY/services/%s' % (nobody, svc['id']), '%s/OS-ENDPOINT-POLICY/services/%s' % (p['id'], nobody),
                         '%s/OS-ENDPOINT-POLICY/endpoints/%s' % (p['id'], nobody),
                         '%s/OS-ENDPOINT-POLICY/services/%s/regions/%s' % (p['id'], svc['id'], nobody)):
                with self.subTest(method=method, path=path):
                    expect(self, 404, method, '/v3/policies/' + path)
        expect(self, 404, 'GET', '/v3/policies/%s/OS-ENDPOINT-POLICY/endpoints' % nobody)
        expect(self, 404, 'GET', '/v3/endpoints/%s/OS-ENDPOINT-POLICY/policy' % nobody)
        _, s = member()
        expect(self, 403, 'PUT', '/v3/policies/%s/OS-ENDPOINT-POLICY/services/%s' % (p['id'], svc['id']), session=s)


class Discovery(unittest.TestCase):
    V3 = {'id': 'v3.14', 'status': 'stable', 'updated': '2020-04-07T00:00:00Z',
          'media-types': [{'base': 'application/json', 'type': 'application/vnd.openstack.identity-v3+json'}]}

    def get(self, path, accept=None):
        return rest.request('GET', URL + path, None, {'Accept': accept} if accept else {})

    def test_versions(self):
        v3 = dict(self.V3, links=[{'rel': 'self', 'href': URL + '/v3/'}])
        status, headers, content = self.get('/')
        self.assertEqual((status, headers['Location'], content), (300, URL + '/v3/', {'versions': {'values': [v3]}}))
        for path in ('/v3', '/v3/'):
            status, headers, content = self.get(path)
            self.assertEqual((status, content), (200, {'version': v3}))
            self.assertEqual(headers['Vary'], 'X-Auth-Token')

    def test_who_gets_json_home(self):
        for accept, home in (('application/json-home', True), ('application/json', False), ('*/*', False), ('application/json, application/json-home', False),
                             ('application/json;q=0.5, application/json-home', True), ('application/json-home;q=0.5, application/json', False),
                             ('application/json-home;q=0', False), ('application/json-home;q=x', False), ('text/application/json-home', False),
                             ('application/json-home;q=' + '9' * 400, False)):
            for path in ('/', '/v3'):
                with self.subTest(accept=accept, path=path):
                    _, headers, content = self.get(path, accept)
                    if home:
                        self.assertEqual(headers['Content-Type'], 'application/json-home')
                        content = json.loads(content) if isinstance(content, bytes) else content
                    self.assertEqual('resources' in content, home)

    def home(self, path):
        status, _, content = self.get(path, 'application/json-home')
        self.assertEqual(status, 200)
        return (json.loads(content) if isinstance(content, bytes) else content)['resources']

    def test_json_home(self):
        rel = 'https://docs.openstack.org/api/openstack-identity/3/'
        home, whole = self.home('/v3'), self.home('/')
        for name, address in (
                ('rel/auth_tokens', '/auth/tokens'), ('rel/users', '/users'), ('rel/services', '/services'), ('rel/limit_model', '/limits/model'),
                ('rel/role_assignments', '/role_assignments'), ('ext/OS-REVOKE/1.0/rel/events', '/OS-REVOKE/events'),
                ('ext/OS-EP-FILTER/1.0/rel/endpoint_groups', '/OS-EP-FILTER/endpoint_groups')):
            self.assertEqual(home[rel + name], {'href': address})
            self.assertEqual(whole[rel + name], {'href': '/v3' + address})
        for name, address, variables in (
                ('rel/user', '/users/{user_id}', ['param/user_id']), ('rel/user_change_password', '/users/{user_id}/password', ['param/user_id']),
                ('rel/policy', '/policies/{policy_id}', ['param/policy_id']),
                ('rel/registered_limit', '/registered_limits/{registered_limit_id}', ['param/registered_limit_id']),
                ('rel/domain_config_option', '/domains/{domain_id}/config/{group}/{option}', ['param/domain_id', 'param/group', 'param/option']),
                ('ext/OS-EP-FILTER/1.0/rel/endpoint_group_to_project_association', '/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}/projects/{project_id}',
                 ['ext/OS-EP-FILTER/1.0/param/endpoint_group_id', 'param/project_id']),
                ('ext/OS-EP-FILTER/1.0/rel/project_endpoints', '/OS-EP-FILTER/projects/{project_id}/endpoints', ['param/project_id']),
                ('ext/OS-ENDPOINT-POLICY/1.0/rel/endpoint_policy', '/endpoints/{endpoint_id}/OS-ENDPOINT-POLICY/policy', ['param/endpoint_id'])):
            entry = home[rel + name]
            self.assertEqual((entry['href-template'], list(entry['href-vars'].values())), (address, [rel + v for v in variables]))
        self.assertEqual(len(home), len(whole))
        self.assertNotIn('OS-VIRGA', json.dumps(home))
        for relation, entry in home.items():
            self.assertEqual(set(entry) - {'href', 'href-template', 'href-vars'}, set(), relation)
            if 'href' in entry:
                self.assertNotIn('The resource could not be found.', str(ADMIN.request('GET', 'identity', '/v3' + entry['href'])[2]), entry)


class Extras(unittest.TestCase):
    def test_kept(self):
        """What a client adds by itself comes back, is changed and never stands for what is ours."""
        svc, r = service(), region()
        for path, key, body in (('/v3/services', 'service', {'type': 't'}),
                                ('/v3/endpoints', 'endpoint', {'service_id': svc['id'], 'interface': 'public', 'url': 'http://x'}),
                                ('/v3/regions', 'region', {'parent_region_id': r['id']}), ('/v3/policies', 'policy', {'type': 't', 'blob': 'b'})):
            with self.subTest(kind=key):
                made = make(path, key, **dict(body, colour='blue', nested={'a': [1, None]}, links={'self': 'http://evil'}))
                self.assertEqual((made['colour'], made['nested']), ('blue', {'a': [1, None]}))
                self.assertEqual(made['links']['self'], URL + path + '/' + made['id'])
                where = path + '/' + made['id']
                changed = expect(self, 200, 'PATCH', where, {key: {'colour': 'red'}})[key]
                self.assertEqual(changed, dict(made, colour='red'))
                self.assertEqual(expect(self, 200, 'GET', where)[key], changed)
        put = expect(self, 201, 'PUT', '/v3/regions/' + unique('R'), {'region': {'colour': 'blue'}})['region']
        self.assertEqual(put['colour'], 'blue')


class RevocationEvents(unittest.TestCase):
    def test_events(self):
        p, s = member()
        before = expect(self, 200, 'GET', '/v3/OS-REVOKE/events')
        self.assertEqual(before['links'], {'next': None, 'previous': None, 'self': URL + '/v3/OS-REVOKE/events'})
        self.assertEqual(rest.request('DELETE', URL + '/v3/auth/tokens', None, {'X-Auth-Token': ADMIN.token, 'X-Subject-Token': s.token})[0], 204)
        events = expect(self, 200, 'GET', '/v3/OS-REVOKE/events')['events']
        mine = next(e for e in events if e.get('audit_id') == s.auth['audit_ids'][0] or e.get('audit_chain_id') == s.auth['audit_ids'][0])
        self.assertLessEqual(set(mine), {'audit_id', 'audit_chain_id', 'issued_before', 'revoked_at', 'expires_at'})
        for key in ('issued_before', 'revoked_at'):
            self.assertRegex(mine[key], r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$')
        self.assertNotIn(mine, expect(self, 200, 'GET', '/v3/OS-REVOKE/events?since=' + mine['revoked_at'])['events'])
        self.assertIn(mine, expect(self, 200, 'GET', '/v3/OS-REVOKE/events?since=2016-01-01T00:00:00Z')['events'])
        expect(self, 400, 'GET', '/v3/OS-REVOKE/events?since=yesterday')
        for e in events:
            self.assertGreater(set(e), {'issued_before', 'revoked_at'}, 'would end every token')
        _, other = member()
        expect(self, 403, 'GET', '/v3/OS-REVOKE/events', session=other)


if __name__ == '__main__':
    unittest.main()
