#!/usr/bin/python3
"""OS-FEDERATION as it is managed: identity providers, protocols, mappings, service providers."""
import concurrent.futures
import os
import sys
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402

TOP = '/v3/OS-FEDERATION/'
RULES = [{'local': [{'user': {'name': '{0}'}}], 'remote': [{'type': 'OIDC-sub'}]}]


def setUpModule():
    global CLOUD, ADMIN
    CLOUD = Cloud(services=['identity'])
    ADMIN = CLOUD.admin()


def tearDownModule():
    CLOUD.close()


def unique(word):
    return word + uuid.uuid4().hex[:8]


class Federation(unittest.TestCase):
    def call(self, status, method, path, body=None, session=None):
        got, _, content = (session or ADMIN).request(method, 'identity', TOP + path, body)
        self.assertEqual(got, status, content)
        return content

    def provider(self, **more):
        name = unique('idp')
        return self.call(201, 'PUT', 'identity_providers/' + name, {'identity_provider': more})['identity_provider']

    def mapping(self, **more):
        return self.call(201, 'PUT', 'mappings/' + unique('map'), {'mapping': dict({'rules': RULES}, **more)})['mapping']


class IdentityProviders(Federation):
    def test_life(self):
        base = CLOUD.urls['identity'] + TOP + 'identity_providers/'
        p = self.provider()
        path = 'identity_providers/' + p['id']
        self.assertEqual(p, {'id': p['id'], 'enabled': False, 'description': None, 'domain_id': p['domain_id'], 'authorization_ttl': None,
                             'remote_ids': [], 'links': {'self': base + p['id'], 'protocols': base + p['id'] + '/protocols'}})
        self.assertEqual(self.call(200, 'GET', path)['identity_provider'], p)
        self.assertEqual(self.call(200, 'HEAD', path), b'')
        domain = ADMIN.expect(200, 'GET', 'identity', '/v3/domains/' + p['domain_id'])['domain']
        self.assertEqual((domain['name'], domain['enabled']), (domain['id'], True))
        self.assertIn(p['id'], domain['description'])
        ids = [unique('http://a/'), unique('http://b/?ü')]
        p = self.call(200, 'PATCH', path, {'identity_provider': {'enabled': True, 'remote_ids': ids, 'authorization_ttl': 7, 'description': 'é'}})['identity_provider']
        self.assertEqual((p['enabled'], p['remote_ids'], p['authorization_ttl'], p['description']), (True, ids, 7, 'é'))
        self.assertEqual(self.call(200, 'PATCH', path, {'identity_provider': {'description': None}})['identity_provider']['remote_ids'], ids)
        self.assertEqual(self.call(200, 'PATCH', path, {'identity_provider': {'remote_ids': None}})['identity_provider']['remote_ids'], [])
        self.call(204, 'DELETE', path)
        for method, body in (('GET', None), ('DELETE', None), ('PATCH', {'identity_provider': {'enabled': True}})):
            self.assertEqual(self.call(404, method, path, body)['error']['message'], 'Could not find Identity Provider: %s.' % p['id'])

    def test_list(self):
        one, two = self.provider(enabled=True), self.provider(remote_ids=[unique('r'), unique('r')])
        def listed(query=''):
            return [p for p in self.call(200, 'GET', 'identity_providers' + query)['identity_providers'] if p['id'] in (one['id'], two['id'])]
        self.assertEqual(sorted(listed(), key=lambda p: p['id']), sorted([one, two], key=lambda p: p['id']))
        self.assertEqual(listed('?enabled=true'), [one])
        self.assertEqual(listed('?enabled=false'), [two])
        self.assertEqual(listed('?id=' + two['id']), [two])

    def test_domain(self):
        domain = ADMIN.expect(201, 'POST', 'identity', '/v3/domains', {'domain': {'name': unique('d')}})['domain']['id']
        p = self.provider(domain_id=domain)
        self.assertEqual(p['domain_id'], domain)
        self.call(400, 'PATCH', 'identity_providers/' + p['id'], {'identity_provider': {'domain_id': 'default'}})
        self.call(404, 'PUT', 'identity_providers/' + unique('x'), {'identity_provider': {'domain_id': uuid.uuid4().hex}})
        ADMIN.expect(200, 'PATCH', 'identity', '/v3/domains/' + domain, {'domain': {'enabled': False}})
        ADMIN.expect(204, 'DELETE', 'identity', '/v3/domains/' + domain)
        self.call(404, 'GET', 'identity_providers/' + p['id'])

    def test_conflicts_leave_nothing(self):
        domains = CLOUD.sql('identity', 'SELECT count(*) FROM domain')
        p = self.provider(remote_ids=[unique('r')])
        self.assertIn('Duplicate entry: ' + p['id'], self.call(409, 'PUT', 'identity_providers/' + p['id'], {'identity_provider': {}})['error']['message'])
        other = unique('o')
        message = self.call(409, 'PUT', 'identity_providers/' + other, {'identity_provider': {'remote_ids': p['remote_ids']}})['error']['message']
        self.assertIn('Duplicate remote ID: ' + p['remote_ids'][0], message)
        self.call(404, 'GET', 'identity_providers/' + other)
        self.assertEqual(int(CLOUD.sql('identity', 'SELECT count(*) FROM domain')), int(domains) + 1)

    def test_bad(self):
        p = self.provider()
        for body in ({'enabled': 'yes'}, {'remote_ids': 'x'}, {'remote_ids': ['a', 'a']}, {'remote_ids': [1]}, {'remote_ids': ['']}, {'remote_ids': ['x' * 256]},
                     {'authorization_ttl': -1}, {'authorization_ttl': 'x'}, {'domain_id': 'a b'}, {'domain_id': 'x' * 65}, {'bogus': 1}, {'id': 'x'},
                     {'description': 1}):
            with self.subTest(body=body):
                self.call(400, 'PUT', 'identity_providers/' + unique('bad'), {'identity_provider': body})
                self.call(400, 'PATCH', 'identity_providers/' + p['id'], {'identity_provider': body})
        self.call(400, 'PATCH', 'identity_providers/' + p['id'], {'identity_provider': {}})
        self.call(400, 'PUT', 'identity_providers/' + 'x' * 65, {'identity_provider': {}})
        self.assertEqual(self.call(200, 'GET', 'identity_providers/' + p['id'])['identity_provider'], p)

    def test_ten_at_once(self):
        """One makes it; the others are told so."""
        name = unique('race')
        with concurrent.futures.ThreadPoolExecutor(10) as pool:
            got = list(pool.map(lambda n: ADMIN.request('PUT', 'identity', TOP + 'identity_providers/' + name,
                                                        {'identity_provider': {'description': str(n)}})[0], range(10)))
        self.assertEqual(sorted(got), [201] + [409] * 9)


class Protocols(Federation):
    def test_life(self):
        p, m = self.provider(), self.mapping()
        top = 'identity_providers/%s/protocols' % p['id']
        url = CLOUD.urls['identity'] + TOP
        made = self.call(201, 'PUT', top + '/openid', {'protocol': {'mapping_id': m['id']}})['protocol']
        self.assertEqual(made, {'id': 'openid', 'mapping_id': m['id'], 'links': {'self': url + top + '/openid',
                                                                               'identity_provider': url + 'identity_providers/' + p['id']}})
        self.assertEqual(self.call(200, 'GET', top + '/openid')['protocol'], made)
        self.assertEqual(self.call(200, 'GET', top)['protocols'], [made])
        self.assertIn('openid', self.call(409, 'PUT', top + '/openid', {'protocol': {'mapping_id': m['id']}})['error']['message'])
        other, n = self.provider(), self.mapping()  # The same name at another provider is another protocol.
        self.call(201, 'PUT', 'identity_providers/%s/protocols/openid' % other['id'], {'protocol': {'mapping_id': m['id']}})
        changed = self.call(200, 'PATCH', top + '/openid', {'protocol': {'mapping_id': n['id'], 'remote_id_attribute': 'OIDC-iss'}})['protocol']
        self.assertEqual((changed['mapping_id'], changed['remote_id_attribute']), (n['id'], 'OIDC-iss'))
        self.assertEqual(self.call(200, 'GET', 'identity_providers/%s/protocols/openid' % other['id'])['protocol']['mapping_id'], m['id'])
        self.call(204, 'DELETE', top + '/openid')
        self.call(404, 'GET', top + '/openid')
        self.call(404, 'DELETE', top + '/openid')
        self.call(404, 'PATCH', top + '/openid', {'protocol': {'mapping_id': m['id']}})
        self.call(200, 'GET', 'identity_providers/%s/protocols/openid' % other['id'])
        self.call(204, 'DELETE', 'identity_providers/' + other['id'])
        self.call(404, 'GET', 'identity_providers/%s/protocols/openid' % other['id'])

    def test_bad(self):
        p, m = self.provider(), self.mapping()
        top = 'identity_providers/%s/protocols/' % p['id']
        self.call(201, 'PUT', top + 'a', {'protocol': {'mapping_id': m['id']}})
        for body in ({}, {'mapping_id': unique('none')}, {'mapping_id': 1}, {'mapping_id': 'a b'}, {'mapping_id': m['id'], 'x': 1},
                     {'mapping_id': m['id'], 'remote_id_attribute': 'x' * 65}, {'mapping_id': m['id'], 'idp_id': 'x'}):
            with self.subTest(body=body):
                self.call(400, 'PUT', top + 'b', {'protocol': body})
                self.call(400, 'PATCH', top + 'a', {'protocol': body})
        self.call(404, 'PUT', 'identity_providers/%s/protocols/a' % unique('none'), {'protocol': {'mapping_id': m['id']}})
        self.assertEqual(self.call(200, 'GET', 'identity_providers/%s/protocols' % unique('none'))['protocols'], [])


class Mappings(Federation):
    def test_life(self):
        m = self.mapping()
        path = 'mappings/' + m['id']
        self.assertEqual(m, {'id': m['id'], 'rules': RULES, 'schema_version': '1.0', 'links': {'self': CLOUD.urls['identity'] + TOP + path}})
        self.assertEqual(self.call(200, 'GET', path)['mapping'], m)
        self.assertIn(m, self.call(200, 'GET', 'mappings')['mappings'])
        self.assertIn(m['id'], self.call(409, 'PUT', path, {'mapping': {'rules': RULES}})['error']['message'])
        rules = RULES + [{'local': [{'group': {'id': 'g'}}], 'remote': [{'type': 'x', 'any_one_of': ['ü']}]}]
        self.assertEqual(self.call(200, 'PATCH', path, {'mapping': {'rules': rules}})['mapping']['rules'], rules)
        projects = [{'local': [{'user': {'name': '{0}'}, 'projects': [{'name': 'p', 'roles': [{'name': 'member'}], 'domain': {'name': 'd'}}]}],
                     'remote': [{'type': 'x'}]}]
        self.call(400, 'PATCH', path, {'mapping': {'rules': projects}})
        self.assertEqual(self.call(200, 'PATCH', path, {'mapping': {'rules': projects, 'schema_version': '2.0'}})['mapping']['schema_version'], '2.0')
        self.call(204, 'DELETE', path)
        self.assertIn('Could not find mapping: ' + m['id'], self.call(404, 'GET', path)['error']['message'])

    def test_bad(self):
        m = self.mapping()
        for rules in ([], {}, 'x', None, [1], [{}], [{'local': []}], [{'local': [], 'remote': []}], [{'local': [{'usr': {}}], 'remote': [{'type': 'x'}]}],
                      [{'local': [], 'remote': [{'type': 'x', 'any_one_of': ['('], 'regex': True}]}],
                      [{'local': [], 'remote': [{'type': 'x', 'any_one_of': ['a'], 'whitelist': ['a']}]}],
                      [{'local': [], 'remote': [{'type': 'x'}], 'more': 1}]):
            with self.subTest(rules=rules):
                self.call(400, 'PUT', 'mappings/' + unique('bad'), {'mapping': {'rules': rules}})
                self.call(400, 'PATCH', 'mappings/' + m['id'], {'mapping': {'rules': rules}})
        self.call(400, 'PUT', 'mappings/' + unique('bad'), {'mapping': {'rules': RULES, 'schema_version': '3.0'}})
        self.call(400, 'PUT', 'mappings/' + unique('bad'), {'mapping': {}})
        self.call(400, 'PATCH', 'mappings/' + m['id'], {'mapping': {}})
        self.assertEqual(self.call(200, 'GET', 'mappings/' + m['id'])['mapping'], m)


class ServiceProviders(Federation):
    def test_life(self):
        name = unique('sp')
        path = 'service_providers/' + name
        urls = {'auth_url': 'https://sp/auth', 'sp_url': 'https://sp/saml'}
        made = self.call(201, 'PUT', path, {'service_provider': urls})['service_provider']
        self.assertEqual(made, dict(urls, id=name, enabled=False, description=None, relay_state_prefix='ss:mem:',
                                    links={'self': CLOUD.urls['identity'] + TOP + path}))
        self.assertEqual(self.call(200, 'GET', path)['service_provider'], made)
        self.assertEqual(self.call(200, 'GET', 'service_providers?enabled=true&id=' + name)['service_providers'], [])
        self.assertNotIn('service_providers', ADMIN.auth)
        self.call(200, 'PATCH', path, {'service_provider': {'enabled': True}})
        self.assertEqual(len(self.call(200, 'GET', 'service_providers?enabled=true&id=' + name)['service_providers']), 1)
        self.assertEqual(CLOUD.admin().auth['service_providers'], [dict(urls, id=name)])
        for body in ({}, {'x': 1}, {'sp_url': 1}, {'sp_url': 'nothing'}, {'sp_url': 'a:' + 'x' * 225}, {'enabled': 'x'}):
            with self.subTest(body=body):
                self.call(400, 'PATCH', path, {'service_provider': body})
        self.call(400, 'PUT', 'service_providers/' + unique('bad'), {'service_provider': {'auth_url': 'https://x'}})
        self.assertIn(name, self.call(409, 'PUT', path, {'service_provider': urls})['error']['message'])
        self.call(204, 'DELETE', path)
        self.call(404, 'GET', path)
        self.assertNotIn('service_providers', CLOUD.admin().auth)


class Access(Federation):
    def test_only_the_administrator(self):
        """Others may not even look; a reader of the system may look."""
        name, password = unique('u'), 'pw'
        user = ADMIN.expect(201, 'POST', 'identity', '/v3/users', {'user': {'name': name, 'password': password}})['user']['id']
        roles = {r['name']: r['id'] for r in ADMIN.expect(200, 'GET', 'identity', '/v3/roles')['roles']}
        p, m = self.provider(), self.mapping()
        self.call(201, 'PUT', 'identity_providers/%s/protocols/x' % p['id'], {'protocol': {'mapping_id': m['id']}})
        paths = ('identity_providers', 'identity_providers/' + p['id'], 'identity_providers/%s/protocols' % p['id'],
                 'identity_providers/%s/protocols/x' % p['id'], 'mappings', 'mappings/' + m['id'], 'service_providers')
        nobody = CLOUD.session(name, password)
        ADMIN.expect(204, 'PUT', 'identity', '/v3/system/users/%s/roles/%s' % (user, roles['reader']))
        reader = CLOUD.session(name, password, scope={'system': {'all': True}})
        for path in paths:
            with self.subTest(path=path):
                self.call(403, 'GET', path, session=nobody)
                self.call(200, 'GET', path, session=reader)
        for path, body in (('identity_providers/' + p['id'], {'identity_provider': {'enabled': True}}), ('mappings/' + m['id'], {'mapping': {'rules': RULES}}),
                           ('identity_providers/%s/protocols/x' % p['id'], {'protocol': {'mapping_id': m['id']}})):
            for session in (nobody, reader):
                self.call(403, 'PATCH', path, body, session)
                self.call(403, 'DELETE', path, None, session)

    def test_old_paths(self):
        for what in ('projects', 'domains'):
            ours = ADMIN.expect(200, 'GET', 'identity', '/v3/auth/' + what)[what]
            self.assertEqual(self.call(200, 'GET', what)[what], ours)


if __name__ == '__main__':
    unittest.main()
