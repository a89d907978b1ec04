#!/usr/bin/python3
"""Unified limits, the real daemon: what services register, what projects and domains have instead, who sees which, and the
strict two-level model on a daemon of its own."""
import concurrent.futures
import os
import sys
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402
import rest  # noqa: E402

PASSWORD = 'correct horse'


def setUpModule():
    global CLOUD, ADMIN, URL, ROLES, SYSTEM
    CLOUD = Cloud(services=['identity'])
    ADMIN = CLOUD.admin()
    URL = CLOUD.urls['identity']
    ROLES = {r['name']: r['id'] for r in ADMIN.expect(200, 'GET', 'identity', '/v3/roles')['roles']}
    SYSTEM = rest.authenticate(CLOUD.urls, 'admin', CLOUD.layout.secret('user-admin'), scope={'system': {'all': True}})


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


def service():
    return make('/v3/services', 'service', type=unique('type'))


def project(**members):
    return make('/v3/projects', 'project', name=unique('p'), **members)


def domain():
    return make('/v3/domains', 'domain', name=unique('d'))


def registered(**members):
    body = dict({'service_id': service()['id'], 'resource_name': unique('res'), 'default_limit': 10}, **members)
    return ADMIN.expect(201, 'POST', 'identity', '/v3/registered_limits', {'registered_limits': [body]})['registered_limits'][0]


def of(reg, value, **owner):
    body = {'service_id': reg['service_id'], 'resource_name': reg['resource_name'], 'resource_limit': value}
    if reg['region_id']:
        body['region_id'] = reg['region_id']
    return dict(body, **owner)


def limit(reg, value=5, session=None, **owner):
    return (session or ADMIN).expect(201, 'POST', 'identity', '/v3/limits', {'limits': [of(reg, value, **owner)]})['limits'][0]


def login(target, role='member', **scope):
    u = make('/v3/users', 'user', name=unique('u'), password=PASSWORD)
    kind = 'projects' if 'project' in scope else 'domains'
    ADMIN.expect(204, 'PUT', 'identity', '/v3/%s/%s/users/%s/roles/%s' % (kind, target['id'], u['id'], ROLES[role]))
    return rest.authenticate(CLOUD.urls, u['name'], PASSWORD, scope=scope)


def ids(content, key):
    return sorted(x['id'] for x in content[key])


class RegisteredLimits(unittest.TestCase):
    def test_several_at_once(self):
        s, r = service()['id'], make('/v3/regions', 'region', id=unique('R'))['id']
        bodies = [{'service_id': s, 'resource_name': 'a', 'default_limit': 10, 'description': 'd'},
                  {'service_id': s, 'resource_name': 'a', 'default_limit': -1, 'region_id': r}]
        made = expect(self, 201, 'POST', '/v3/registered_limits', {'registered_limits': bodies})
        self.assertEqual(list(made), ['registered_limits'])
        first, second = made['registered_limits']
        self.assertEqual(first, {'id': first['id'], 'service_id': s, 'region_id': None, 'resource_name': 'a', 'default_limit': 10,
                                 'description': 'd', 'links': {'self': URL + '/v3/registered_limits/' + first['id']}})
        self.assertEqual((second['region_id'], second['description'], second['default_limit']), (r, None, -1))
        self.assertEqual(expect(self, 200, 'GET', '/v3/registered_limits/' + first['id'])['registered_limit'], first)
        self.assertEqual(expect(self, 200, 'HEAD', '/v3/registered_limits/' + first['id']), b'')
        for query, found in (('', made['registered_limits']), ('&region_id=' + r, [second]), ('&resource_name=a', [first, second]),
                             ('&resource_name=b', [])):
            self.assertEqual(ids(expect(self, 200, 'GET', '/v3/registered_limits?service_id=' + s + query), 'registered_limits'),
                             sorted(x['id'] for x in found))
        error = expect(self, 409, 'POST', '/v3/registered_limits', {'registered_limits': [dict(bodies[0], resource_name='b'), bodies[1]]})['error']
        self.assertEqual(error['message'], 'Conflict occurred attempting to store registered_limit - Duplicate entry.')
        self.assertEqual(expect(self, 200, 'GET', '/v3/registered_limits?resource_name=b&service_id=' + s)['registered_limits'], [])
        # They outlive what they name, as in Keystone.
        expect(self, 204, 'DELETE', '/v3/services/' + s)
        expect(self, 204, 'DELETE', '/v3/regions/' + r)
        changed = expect(self, 200, 'PATCH', '/v3/registered_limits/' + second['id'], {'registered_limit': {'default_limit': 3}})['registered_limit']
        self.assertEqual(changed, dict(second, default_limit=3))
        for x in (first, second):
            expect(self, 204, 'DELETE', '/v3/registered_limits/' + x['id'])
            error = expect(self, 404, 'GET', '/v3/registered_limits/' + x['id'])['error']
            self.assertEqual(error['message'], 'Could not find registered limit for %s.' % x['id'])

    def test_wrong_bodies(self):
        good = {'service_id': service()['id'], 'resource_name': 'a', 'default_limit': 1}
        for wrong in ({}, {'registered_limits': []}, {'registered_limits': {}}, {'registered_limits': [7]}, {'registered_limit': good}):
            with self.subTest(body=wrong):
                expect(self, 400, 'POST', '/v3/registered_limits', wrong)
        for wrong in ({'service_id': uuid.uuid4().hex}, {'service_id': 'a b'}, {'service_id': ''}, {'service_id': None}, {'region_id': unique()},
                      {'region_id': 7}, {'resource_name': ''}, {'resource_name': 'x' * 256}, {'default_limit': -2}, {'default_limit': '1'},
                      {'default_limit': 2147483648}, {'default_limit': 1.5}, {'default_limit': None}, {'description': 7}, {'other': 1}):
            with self.subTest(wrong=wrong):
                expect(self, 400, 'POST', '/v3/registered_limits', {'registered_limits': [good, dict(good, resource_name='b', **wrong)]
                                                                    if 'resource_name' not in wrong else [dict(good, **wrong)]})
        self.assertEqual(expect(self, 200, 'GET', '/v3/registered_limits?service_id=' + good['service_id'])['registered_limits'], [])
        error = expect(self, 400, 'POST', '/v3/registered_limits', {'registered_limits': [dict(good, service_id=uuid.uuid4().hex)]})['error']
        self.assertTrue(error['message'].startswith('Expecting to find service_id in registered_limit.'), error)

    def test_changed(self):
        reg, other = registered(), registered()
        path = '/v3/registered_limits/' + reg['id']
        changed = expect(self, 200, 'PATCH', path, {'registered_limit': {'default_limit': 7, 'description': 'new'}})['registered_limit']
        self.assertEqual(changed, dict(reg, default_limit=7, description='new'))
        self.assertEqual(expect(self, 200, 'PATCH', path, {'registered_limit': {}})['registered_limit'], changed)
        for wrong in ({'default_limit': 'x'}, {'service_id': uuid.uuid4().hex}, {'other': 1}, {'region_id': unique()}):
            expect(self, 400, 'PATCH', path, {'registered_limit': wrong})
        expect(self, 409, 'PATCH', path, {'registered_limit': {'service_id': other['service_id'], 'resource_name': other['resource_name']}})
        expect(self, 404, 'PATCH', '/v3/registered_limits/' + uuid.uuid4().hex, {'registered_limit': {'default_limit': 1}})

    def test_in_use(self):
        reg = registered()
        made = limit(reg, project_id=project()['id'])
        path = '/v3/registered_limits/' + reg['id']
        said = 'Unable to update or delete registered limit %s because there are project limits associated with it.' % reg['id']
        self.assertEqual(expect(self, 403, 'DELETE', path)['error']['message'], said)
        self.assertEqual(expect(self, 403, 'PATCH', path, {'registered_limit': {'default_limit': 1}})['error']['message'], said)
        expect(self, 204, 'DELETE', '/v3/limits/' + made['id'])
        expect(self, 204, 'DELETE', path)

    def test_who(self):
        reg, p = registered(), project()
        s = login(p, project={'id': p['id']})
        self.assertEqual(expect(self, 200, 'GET', '/v3/registered_limits/' + reg['id'], session=s)['registered_limit'], reg)
        self.assertIn(reg['id'], ids(expect(self, 200, 'GET', '/v3/registered_limits', session=s), 'registered_limits'))
        body = {'service_id': reg['service_id'], 'resource_name': 'mine', 'default_limit': 1}
        expect(self, 403, 'POST', '/v3/registered_limits', {'registered_limits': [body]}, session=s)
        expect(self, 403, 'PATCH', '/v3/registered_limits/' + reg['id'], {'registered_limit': {'default_limit': 1}}, session=s)
        expect(self, 403, 'DELETE', '/v3/registered_limits/' + reg['id'], session=s)


class Limits(unittest.TestCase):
    def test_bodies(self):
        reg, p, d = registered(), project(), domain()
        made = expect(self, 201, 'POST', '/v3/limits', {'limits': [of(reg, 5, project_id=p['id'], description='d'), of(reg, -1, domain_id=d['id'])]})
        self.assertEqual(list(made), ['limits'])
        a, b = made['limits']
        self.assertEqual(a, {'id': a['id'], 'project_id': p['id'], 'domain_id': None, 'service_id': reg['service_id'], 'region_id': None,
                             'resource_name': reg['resource_name'], 'resource_limit': 5, 'description': 'd',
                             'links': {'self': URL + '/v3/limits/' + a['id']}})
        self.assertEqual((b['project_id'], b['domain_id'], b['resource_limit']), (None, d['id'], -1))
        path = '/v3/limits/' + a['id']
        self.assertEqual(expect(self, 200, 'GET', path)['limit'], a)
        self.assertEqual(expect(self, 200, 'HEAD', path), b'')
        self.assertEqual(expect(self, 200, 'PATCH', path, {'limit': {'resource_limit': 0, 'description': None}})['limit'],
                         dict(a, resource_limit=0, description=None))
        for wrong in ({'resource_limit': -2}, {'resource_limit': 'x'}, {'resource_name': 'x'}, {'project_id': p['id']}, {'other': 1},
                      {'service_id': reg['service_id']}, {'project.domain_id': 'x'}, {'registered_limit_id': 'x'}):
            with self.subTest(wrong=wrong):
                expect(self, 400, 'PATCH', path, {'limit': wrong})
        error = expect(self, 409, 'POST', '/v3/limits', {'limits': [of(reg, 1, project_id=p['id'])]})['error']
        self.assertEqual(error['message'], 'Conflict occurred attempting to store limit - Duplicate entry.')
        expect(self, 204, 'DELETE', path)
        error = expect(self, 404, 'GET', path)['error']
        self.assertEqual(error['message'], 'Could not find limit for %s.' % a['id'])

    def test_wrong(self):
        reg, p, d = registered(), project(), domain()
        good = of(reg, 5, project_id=p['id'])
        for wrong in (dict(good, domain_id=d['id']), of(reg, 5), dict(good, project_id=uuid.uuid4().hex), of(reg, 5, domain_id=uuid.uuid4().hex),
                      dict(good, service_id=uuid.uuid4().hex), dict(good, region_id=unique()), dict(good, resource_limit=-2),
                      dict(good, resource_limit='5'), dict(good, resource_limit=2147483648), dict(good, resource_name=''), dict(good, other=1),
                      dict(good, region_id=None), {k: v for k, v in good.items() if k != 'resource_limit'}):
            with self.subTest(wrong=wrong):
                expect(self, 400, 'POST', '/v3/limits', {'limits': [of(reg, 1, domain_id=d['id']), wrong]})
        for body in ({}, {'limits': []}, {'limits': {}}, {'limit': good}):
            expect(self, 400, 'POST', '/v3/limits', body)
        error = expect(self, 403, 'POST', '/v3/limits', {'limits': [of(reg, 1, domain_id=d['id']), dict(good, resource_name='unknown')]})['error']
        self.assertEqual(error['message'], 'Unable to create a limit that has no corresponding registered limit.')
        r = make('/v3/regions', 'region', id=unique('R'))['id']
        expect(self, 403, 'POST', '/v3/limits', {'limits': [dict(good, region_id=r)]})
        self.assertEqual(expect(self, 200, 'GET', '/v3/limits?service_id=' + reg['service_id'], session=SYSTEM)['limits'], [])

    def test_each_sees_his(self):
        d = domain()
        inside, outside = project(domain_id=d['id']), project()
        reg = registered()
        of_domain, of_inside, of_outside = limit(reg, domain_id=d['id']), limit(reg, project_id=inside['id']), limit(reg, project_id=outside['id'])
        base = '/v3/limits?service_id=' + reg['service_id']
        everything = [of_domain, of_inside, of_outside]
        for session, seen in ((SYSTEM, everything), (login(d, domain={'id': d['id']}), [of_domain, of_inside]),
                              (login(inside, project={'id': inside['id']}), [of_inside]), (login(outside, project={'id': outside['id']}), [of_outside]),
                              (ADMIN, [])):
            self.assertEqual(ids(expect(self, 200, 'GET', base, session=session), 'limits'), sorted(x['id'] for x in seen))
            for x in everything:
                wanted = 200 if x in seen or session is ADMIN else 403
                expect(self, wanted, 'GET', '/v3/limits/' + x['id'], session=session)
        self.assertEqual(ids(expect(self, 200, 'GET', base + '&project_id=' + inside['id'], session=SYSTEM), 'limits'), [of_inside['id']])
        self.assertEqual(ids(expect(self, 200, 'GET', base + '&domain_id=' + d['id'], session=SYSTEM), 'limits'), [of_domain['id']])
        s = login(inside, project={'id': inside['id']})
        self.assertEqual(expect(self, 200, 'GET', base + '&project_id=' + outside['id'], session=s)['limits'], [])
        expect(self, 403, 'POST', '/v3/limits', {'limits': [of(reg, 100, project_id=inside['id'])]}, session=s)
        expect(self, 403, 'PATCH', '/v3/limits/' + of_inside['id'], {'limit': {'resource_limit': 100}}, session=s)
        expect(self, 403, 'DELETE', '/v3/limits/' + of_inside['id'], session=s)
        expect(self, 204, 'DELETE', '/v3/projects/' + outside['id'])
        expect(self, 404, 'GET', '/v3/limits/' + of_outside['id'])

    def test_one_winner(self):
        reg, p = registered(), project()
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda n: ADMIN.request('POST', 'identity', '/v3/limits', {'limits': [of(reg, n, project_id=p['id'])]})[0], range(16)))
        self.assertEqual(sorted(answers), [201] + [409] * 15)

    def test_none_refers_to_what_is_gone(self):
        """Limits made while the registered one is deleted: either is there with the other, or both are not."""
        for _ in range(8):
            reg, p = registered(), project()
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                made = pool.submit(ADMIN.request, 'POST', 'identity', '/v3/limits', {'limits': [of(reg, 1, project_id=p['id'])]})
                gone = pool.submit(ADMIN.request, 'DELETE', 'identity', '/v3/registered_limits/' + reg['id'])
            self.assertIn((made.result()[0], gone.result()[0]), ((201, 403), (403, 204)))

    def test_model(self):
        model = expect(self, 200, 'GET', '/v3/limits/model')['model']
        self.assertEqual(model, {'name': 'flat', 'description': 'Limit enforcement and validation does not take project hierarchy into consideration.'})
        self.assertEqual(expect(self, 200, 'HEAD', '/v3/limits/model'), b'')
        reg, d = registered(), domain()
        limit(reg, 5, domain_id=d['id'])
        limit(reg, 500, project_id=project(domain_id=d['id'])['id'])


class StrictTwoLevels(unittest.TestCase):
    """No project's limit is above its domain's, or above the default where the domain has none."""

    @classmethod
    def setUpClass(cls):
        cls.use('strict_two_level')

    @classmethod
    def tearDownClass(cls):
        cls.use('flat')

    @staticmethod
    def use(model):
        daemon = CLOUD.daemon('identity')
        daemon.extra['identity'] = {'limit_model': model}
        daemon.process.kill()
        CLOUD.restart()

    def test_model(self):
        self.assertEqual(expect(self, 200, 'GET', '/v3/limits/model')['model'],
                         {'name': 'strict_two_level', 'description': 'This model requires project hierarchy never exceeds a depth of two'})

    def refused(self, method, path, body):
        error = expect(self, 403, method, path, body)['error']
        self.assertIn('Invalid resource limit: The resource limit (', error['message'])
        self.assertIn("doesn't satisfy current hierarchy model.", error['message'])
        return error['message']

    def test_order(self):
        reg, d = registered(), domain()
        p = project(domain_id=d['id'])
        said = self.refused('POST', '/v3/limits', {'limits': [of(reg, 11, project_id=p['id'])]})
        self.assertIn('(project_id: %s, resource_name: %s, resource_limit: 11, service_id: %s, region_id: None)'
                      % (p['id'], reg['resource_name'], reg['service_id']), said)
        self.refused('POST', '/v3/limits', {'limits': [of(reg, -1, project_id=p['id'])]})
        mine = limit(reg, 10, project_id=p['id'])
        said = self.refused('POST', '/v3/limits', {'limits': [of(reg, 9, domain_id=d['id'])]})
        self.assertIn('(domain_id: %s, ' % d['id'], said)
        above = limit(reg, 20, domain_id=d['id'])
        expect(self, 200, 'PATCH', '/v3/limits/' + mine['id'], {'limit': {'resource_limit': 20}})
        self.refused('PATCH', '/v3/limits/' + mine['id'], {'limit': {'resource_limit': 21}})
        self.refused('PATCH', '/v3/limits/' + above['id'], {'limit': {'resource_limit': 19}})
        self.assertEqual(expect(self, 200, 'GET', '/v3/limits/' + above['id'])['limit']['resource_limit'], 20)
        expect(self, 200, 'PATCH', '/v3/limits/' + above['id'], {'limit': {'resource_limit': -1}})
        expect(self, 200, 'PATCH', '/v3/limits/' + mine['id'], {'limit': {'resource_limit': -1}})

    def test_of_one_request(self):
        """A project's limit may come before its domain's in one request."""
        reg, d = registered(), domain()
        p = project(domain_id=d['id'])
        self.refused('POST', '/v3/limits', {'limits': [of(reg, 30, project_id=p['id']), of(reg, 20, domain_id=d['id'])]})
        expect(self, 201, 'POST', '/v3/limits', {'limits': [of(reg, 30, project_id=p['id']), of(reg, 30, domain_id=d['id'])]})
        other = project(domain_id=d['id'])
        limit(reg, 30, project_id=other['id'])
        limit(registered(), 10, project_id=other['id'])


if __name__ == '__main__':
    unittest.main()
