#!/usr/bin/python3
"""Configuration of a domain: what may be set, one option, a section or all at a time; secrets go in and never come out."""
import concurrent.futures
import os
import sys
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402

CONFIG = {'identity': {'driver': 'ldap', 'list_limit': 7}, 'ldap': {'url': 'ldap://a', 'user_tree_dn': 'ou=x'}}


def setUpModule():
    global CLOUD, ADMIN
    CLOUD = Cloud(services=['identity'])
    ADMIN = CLOUD.admin()


def tearDownModule():
    CLOUD.close()


def domain():
    return ADMIN.expect(201, 'POST', 'identity', '/v3/domains', {'domain': {'name': uuid.uuid4().hex}})['domain']['id']


class DomainConfig(unittest.TestCase):
    def setUp(self):
        self.path = '/v3/domains/%s/config' % domain()

    def call(self, status, method, tail='', config=None, session=None):
        got, _, content = (session or ADMIN).request(method, 'identity', self.path + tail,
                                                     None if config is None else {'config': config})
        self.assertEqual(got, status, content)
        return content

    def message(self, *arguments):
        return self.call(*arguments)['error']['message']

    def test_whole(self):
        self.assertIn('Could not find any options in domain configuration', self.message(404, 'GET'))
        self.assertEqual(self.call(201, 'PUT', '', CONFIG), {'config': CONFIG})
        self.assertEqual(self.call(200, 'GET'), {'config': CONFIG})
        self.assertEqual(self.call(200, 'HEAD'), b'')
        other = {'ldap': {'url': 'ldap://b'}}
        self.assertEqual(self.call(200, 'PUT', '', other), {'config': other})  # Replaced, not merged.
        self.assertEqual(self.call(200, 'PATCH', '', {'ldap': {'suffix': 's'}}),
                         {'config': {'ldap': {'suffix': 's', 'url': 'ldap://b'}}})
        self.call(204, 'DELETE')
        self.call(404, 'GET')
        self.call(204, 'DELETE')  # Nothing left to delete is no error, for the whole.

    def test_parts(self):
        self.call(201, 'PUT', '', CONFIG)
        for group, options in CONFIG.items():
            self.assertEqual(self.call(200, 'GET', '/' + group), {'config': {group: options}})
            for name, value in options.items():
                self.assertEqual(self.call(200, 'GET', '/%s/%s' % (group, name)), {'config': {name: value}})
        changed = self.call(200, 'PATCH', '/identity', {'identity': {'list_limit': 8}})['config']
        self.assertEqual(changed, {'identity': {'driver': 'ldap', 'list_limit': 8}, 'ldap': CONFIG['ldap']})
        changed = self.call(200, 'PATCH', '/ldap/url', {'url': 'ldap://c'})['config']
        self.assertEqual(changed['ldap'], {'url': 'ldap://c', 'user_tree_dn': 'ou=x'})
        self.call(204, 'DELETE', '/ldap/url')
        self.call(404, 'GET', '/ldap/url')
        self.call(404, 'DELETE', '/ldap/url')
        self.call(404, 'PATCH', '/ldap/url', {'url': 'ldap://c'})  # An update of one makes none.
        self.call(204, 'DELETE', '/ldap')
        self.call(404, 'GET', '/ldap')
        self.call(404, 'DELETE', '/ldap')
        self.assertEqual(list(self.call(200, 'GET')['config']), ['identity'])

    def test_what_is_not_taken(self):
        self.call(201, 'PUT', '', CONFIG)
        for method, tail, config in (
                ('PUT', '', {}), ('PATCH', '', {}), ('PUT', '', {'ldap': {}}), ('PUT', '', {'ldap': 'x'}), ('PUT', '', {'ldap': ['url']}),
                ('PUT', '', {'nova': {'driver': 'x'}}), ('PUT', '', {'ldap': {'bogus': 1}}), ('PUT', '', {'ldap': {'url': 'x'}, 'x': {'y': 1}}),
                ('PATCH', '/ldap', {'identity': {'driver': 'x'}}), ('PATCH', '/ldap', dict(CONFIG)), ('PATCH', '/nova', {'nova': {'a': 1}}),
                ('PATCH', '/ldap/url', {'suffix': 'x'}), ('PATCH', '/ldap/url', {'url': 'a', 'suffix': 'x'}), ('PATCH', '/ldap/bogus', {'bogus': 1}),
                ('GET', '/nova', None), ('GET', '/ldap/bogus', None), ('DELETE', '/nova', None), ('DELETE', '/ldap/bogus', None)):
            with self.subTest(method=method, tail=tail, config=config):
                self.assertIn('Invalid domain specific configuration: ', self.message(403, method, tail, config))
        self.call(400, 'PUT', '', 'text')
        self.assertEqual(self.call(200, 'GET'), {'config': CONFIG})
        self.path = '/v3/domains/%s/config' % uuid.uuid4().hex
        for method, config in (('GET', None), ('PUT', CONFIG), ('PATCH', CONFIG), ('DELETE', None)):
            self.assertIn('Could not find domain', self.message(404, method, '', config))

    def test_secrets(self):
        secret = 'p%' + uuid.uuid4().hex
        config = {'ldap': {'url': 'ldap://u:%(password)s@h', 'password': secret}}
        self.assertEqual(self.call(201, 'PUT', '', config), {'config': {'ldap': {'url': 'ldap://u:%(password)s@h'}}})
        self.assertNotIn(secret, str(self.call(200, 'GET')))
        self.assertNotIn(secret, str(self.call(404, 'GET', '/ldap/password')))
        self.assertNotIn(secret, str(self.call(200, 'PATCH', '/ldap/password', {'password': secret})))
        self.assertEqual(CLOUD.sql('identity', "SELECT count(*) FROM domain_config WHERE value::text LIKE '%%%s%%'" % secret[2:]).strip(), '0')
        self.assertEqual(CLOUD.sql('identity', "SELECT count(*) FROM domain_secret WHERE value::text LIKE '%%%s%%'" % secret[2:]).strip(), '1')
        self.call(204, 'DELETE', '/ldap/password')
        self.call(404, 'PATCH', '/ldap/password', {'password': secret})
        self.call(200, 'PUT', '', {'ldap': {'password': secret}})
        self.call(404, 'GET')

    def test_defaults(self):
        config = ADMIN.expect(200, 'GET', 'identity', '/v3/domains/config/default')['config']
        self.assertEqual(set(config), {'identity', 'ldap'})
        self.assertNotIn('password', config['ldap'])
        self.assertEqual(config['ldap']['url'], 'ldap://localhost')
        for group, options in config.items():
            path = '/v3/domains/config/' + group
            self.assertEqual(ADMIN.expect(200, 'GET', 'identity', path + '/default')['config'], {group: options})
            for name, value in options.items():
                self.assertEqual(ADMIN.expect(200, 'GET', 'identity', '%s/%s/default' % (path, name))['config'], {name: value})
        for tail in ('nova/default', 'ldap/bogus/default', 'ldap/password/default'):
            ADMIN.expect(403, 'GET', 'identity', '/v3/domains/config/' + tail)

    def test_goes_with_its_domain(self):
        self.call(201, 'PUT', '', {'ldap': {'url': 'x', 'password': 'y'}})
        path = self.path[:-len('/config')]
        ADMIN.expect(200, 'PATCH', 'identity', path, {'domain': {'enabled': False}})
        ADMIN.expect(204, 'DELETE', 'identity', path)
        for table in ('domain_config', 'domain_secret'):
            self.assertEqual(CLOUD.sql('identity', "SELECT count(*) FROM %s WHERE domain_id = '%s'" % (table, path.rsplit('/', 1)[1])).strip(), '0')

    def test_sixteen_at_once(self):
        """One makes it, the rest replace it: never a mixture of two."""
        def put(n):
            return ADMIN.request('PUT', 'identity', self.path, {'config': {'ldap': {k: 'v%d' % n for k in ('url', 'suffix', 'user')}}})[0]
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            self.assertEqual(sorted(pool.map(put, range(16))), [200] * 15 + [201])
        self.assertEqual(len(set(self.call(200, 'GET')['config']['ldap'].values())), 1)


if __name__ == '__main__':
    unittest.main()
