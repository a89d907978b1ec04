#!/usr/bin/python3
"""Application credentials, access rules and trusts by both command lines, virga and Debian's openstack: made, shown, listed, used to log
in, deleted; with the same columns and values."""
import json
import os
import shutil
import sys
import tempfile
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402
import command_line  # noqa: E402

PASSWORD = 'Correct-Horse-7'
RULES = [{'method': 'GET', 'path': '/v3/users/*/application_credentials', 'service': 'identity'}]


def setUpModule():
    global CLOUD, FOLDER, ROLES
    CLOUD = Cloud(services=['identity'])
    FOLDER = tempfile.mkdtemp(prefix='virga-test-cli-')
    admin = CLOUD.admin()
    ROLES = {r['name']: r['id'] for r in admin.expect(200, 'GET', 'identity', '/v3/roles')['roles']}
    for name in ('demo', 'friend'):
        project = admin.expect(201, 'POST', 'identity', '/v3/projects', {'project': {'name': name}})['project']['id']
        user = admin.expect(201, 'POST', 'identity', '/v3/users', {'user': {'name': name, 'password': PASSWORD}})['user']['id']
        admin.expect(204, 'PUT', 'identity', '/v3/projects/%s/users/%s/roles/%s' % (project, user, ROLES['member']))


def tearDownModule():
    CLOUD.close()
    shutil.rmtree(FOLDER, ignore_errors=True)


def environment(user='demo', **more):
    if user:
        return command_line.environment(CLOUD, FOLDER, user, PASSWORD, user, **more)
    nobody = dict.fromkeys(('OS_USER_DOMAIN_NAME', 'OS_PROJECT_DOMAIN_NAME'))
    return command_line.environment(CLOUD, FOLDER, None, None, None, **dict(nobody, **more))


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.virga = command_line.Client(CLOUD.layout.binary('virga'), environment())
        cls.openstack = command_line.OpenStack(environment())

    def each(self):
        return [client for client in (self.virga, self.openstack) if client.is_there]

    def same(self, client, *words):
        """What both say of what 'client' made, which is the same."""
        ours = self.virga.json(*words)
        if client is self.virga and self.openstack.is_there:
            self.assertEqual(ours, self.openstack.json(*words), words)
        return ours


class ApplicationCredentials(Case):
    def test_create_to_delete(self):
        for client in self.each():
            name = uuid.uuid4().hex[:8]
            made = client.json('application', 'credential', 'create', '--role', 'reader', '--description', 'd', '--expiration',
                               '2037-01-02T03:04:05', '--unrestricted', name)
            self.assertEqual(set(made), {'id', 'name', 'description', 'expires_at', 'project_id', 'roles', 'secret', 'system', 'unrestricted', 'user_id'})
            self.assertEqual((made['roles'], made['expires_at'], made['unrestricted']), ('reader', '2037-01-02T03:04:05.000000', True))
            shown = self.same(client, 'application', 'credential', 'show', name)
            self.assertEqual(shown, {k: v for k, v in made.items() if k != 'secret'})
            row = [r for r in self.same(client, 'application', 'credential', 'list') if r['Name'] == name]
            self.assertEqual(row, [{'ID': made['id'], 'Name': name, 'Project ID': made['project_id'], 'Description': 'd',
                                    'Expires At': '2037-01-02T03:04:05.000000'}])
            client.do('application', 'credential', 'delete', name)
            self.assertNotEqual(client.run('application', 'credential', 'show', name).returncode, 0)

    def test_access_rules(self):
        path = os.path.join(FOLDER, 'rules.json')
        with open(path, 'w', encoding='utf-8') as file:
            json.dump(RULES, file)
        for client in self.each():
            name = uuid.uuid4().hex[:8]
            made = client.json('application', 'credential', 'create', '--access-rules', json.dumps(RULES), name)
            again = client.json('application', 'credential', 'create', '--access-rules', path, name + '2')
            self.assertEqual(made['access_rules'], again['access_rules'])
            rule = made['access_rules'][0]['id']
            self.assertEqual(self.same(client, 'access', 'rule', 'list'), [{'ID': rule, 'Service': 'identity', 'Method': 'GET', 'Path': RULES[0]['path']}])
            self.assertEqual(self.same(client, 'access', 'rule', 'show', rule)['path'], RULES[0]['path'])
            self.assertNotEqual(client.run('access', 'rule', 'delete', rule).returncode, 0)
            # Its own token does what the rule says, and nothing else.
            env = environment(None, OS_AUTH_TYPE='v3applicationcredential', OS_APPLICATION_CREDENTIAL_ID=made['id'],
                              OS_APPLICATION_CREDENTIAL_SECRET=made['secret'])
            self.assertEqual(len(client.json('application', 'credential', 'list', env=env)), 2)
            self.assertNotEqual(client.run('access', 'rule', 'list', env=env).returncode, 0)
            client.do('application', 'credential', 'delete', name, name + '2')
            client.do('access', 'rule', 'delete', rule)
            self.assertEqual(client.json('access', 'rule', 'list'), [])

    def test_log_in(self):
        """By id, and by name and user, with a password beside it that is not meant; and by clouds.yaml."""
        made = self.virga.json('application', 'credential', 'create', 'robot')
        yaml = os.path.join(FOLDER, 'clouds.yaml')
        with open(yaml, 'w', encoding='utf-8') as file:
            json.dump({'clouds': {'robot': {'auth_type': 'v3applicationcredential', 'identity_api_version': '3', 'auth': {
                'auth_url': CLOUD.urls['identity'] + '/v3', 'application_credential_id': made['id'],
                'application_credential_secret': made['secret']}}}}, file)
        for client in self.each():
            by_id = environment(None, OS_AUTH_TYPE='v3applicationcredential', OS_APPLICATION_CREDENTIAL_ID=made['id'],
                                OS_APPLICATION_CREDENTIAL_SECRET=made['secret'])
            by_name = environment(None, OS_AUTH_TYPE='v3applicationcredential', OS_APPLICATION_CREDENTIAL_NAME='robot', OS_USERNAME='demo',
                                  OS_USER_DOMAIN_NAME='Default', OS_APPLICATION_CREDENTIAL_SECRET=made['secret'])
            by_cloud = environment(None, OS_CLIENT_CONFIG_FILE=yaml, OS_CLOUD='robot')
            for env in (by_id, by_name, by_cloud):
                self.assertEqual(client.json('token', 'issue', env=env)['project_id'], made['project_id'])
            self.assertNotEqual(client.run('application', 'credential', 'create', 'second', env=by_id).returncode, 0)
            token = client.json('token', 'issue', env=by_id)['id']
            client.do('token', 'revoke', token)
        password = environment(OS_AUTH_TYPE='password', OS_APPLICATION_CREDENTIAL_ID='x', OS_APPLICATION_CREDENTIAL_SECRET='y')
        self.virga.do('token', 'issue', env=password)


class Trusts(Case):
    def test_create_to_delete(self):
        ids = {name: self.virga.json('token', 'issue', env=environment(name)) for name in ('demo', 'friend')}
        admin = environment(None, OS_USERNAME='admin', OS_PASSWORD=CLOUD.layout.secret('user-admin'), OS_PROJECT_NAME='admin',
                            OS_USER_DOMAIN_NAME='Default', OS_PROJECT_DOMAIN_NAME='Default')
        for client in self.each():
            # A plain user may look up nobody by name; virga knows his own and his project's.
            made = client.json('trust', 'create', '--project', 'demo' if client is self.virga else ids['demo']['project_id'], '--role',
                               'member' if client is self.virga else ROLES['member'], '--impersonate', '--expiration', '2037-01-02T03:04:05', 'demo' if client is self.virga else ids['demo']['user_id'], ids['friend']['user_id'])
            self.assertEqual(set(made), {'deleted_at', 'expires_at', 'id', 'impersonation', 'project_id', 'redelegated_trust_id', 'redelegation_count',
                                         'remaining_uses', 'roles', 'trustee_user_id', 'trustor_user_id'})
            self.assertEqual((made['roles'], made['impersonation'], made['trustee_user_id']), ('member', True, ids['friend']['user_id']))
            self.assertEqual(self.same(client, 'trust', 'show', made['id']), made)
            listed = client.json('trust', 'list', env=admin)
            self.assertEqual([t['Trustor User ID'] for t in listed if t['ID'] == made['id']], [ids['demo']['user_id']])
            # The friend acts in demo's project, as demo.
            env = environment('friend', OS_TRUST_ID=made['id'])
            for name in ('OS_PROJECT_NAME', 'OS_PROJECT_DOMAIN_NAME'):
                del env[name]
            token = client.json('token', 'issue', env=env)
            self.assertEqual((token['project_id'], token['user_id']), (ids['demo']['project_id'], ids['demo']['user_id']))
            client.do('trust', 'delete', made['id'])
            self.assertNotEqual(client.run('trust', 'show', made['id']).returncode, 0)
            self.assertNotEqual(client.run('token', 'issue', env=env).returncode, 0)


if __name__ == '__main__':
    unittest.main()
