#!/usr/bin/python3
"""Debian's openstack client, unmodified: the identity commands, each kind of thing from create to delete."""
import json
import os
import sys
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402
import command_line  # noqa: E402


def setUpModule():
    global CLOUD
    CLOUD = Cloud(services=['identity'])


def tearDownModule():
    CLOUD.close()


def word(prefix='o'):
    return prefix + '-' + uuid.uuid4().hex[:8]


class Failed(Exception):
    pass


class Client(command_line.OpenStack):
    def __init__(self, **more):
        super().__init__(dict({
            'OS_AUTH_URL': CLOUD.urls['identity'] + '/v3', 'OS_USERNAME': 'admin', 'OS_PASSWORD': CLOUD.layout.secret('user-admin'),
            'OS_PROJECT_NAME': 'admin', 'OS_USER_DOMAIN_NAME': 'Default', 'OS_PROJECT_DOMAIN_NAME': 'Default',
            'OS_REGION_NAME': 'RegionOne', 'OS_IDENTITY_API_VERSION': '3'}, **more))

    def run(self, line, *more):
        """(exit code, standard output, standard error) of "openstack LINE MORE..."."""
        done = super().run(*line.split(), *more)
        return done.returncode, done.stdout, done.stderr

    def __call__(self, line, *more):
        code, out, err = self.run(line, *more)
        if code:
            raise Failed('openstack %s %s: %d\n%s%s' % (line, ' '.join(more), code, out, err))
        return out

    def json(self, line, *more):
        return json.loads(self(line, *more, '-f', 'json'))

    def refused(self, line, *more):
        code, out, err = self.run(line, *more)
        if not code:
            raise Failed('openstack %s %s: was not refused\n%s' % (line, ' '.join(more), out))
        return out + err


@unittest.skipIf(command_line.shell is None, "Debian's python3-openstackclient is not installed")
class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.o = Client()
        cls.role = cls.o.json('role show member')['id']

    def made(self, line, *more, delete):
        """Creates; the deletion is done, and must work, when the test ends."""
        thing = self.o.json(line, *more)
        self.addCleanup(self.o, delete % thing)
        return thing

    def listed(self, line, value, column='ID'):
        rows = self.o.json(line)
        self.assertIn(value, [row[column] for row in rows], line)
        return [row for row in rows if row[column] == value][0]

    def user(self, *more):
        return self.made('user create --password secret', *more, word('user'), delete='user delete %(id)s')

    def project(self, *more):
        return self.made('project create', *more, word('project'), delete='project delete %(id)s')

    def as_user(self, user, project, **more):
        self.o('role add --user %s --project %s member' % (user['id'], project['id']))
        return Client(OS_USERNAME=user['name'], OS_PASSWORD='secret', OS_PROJECT_NAME=project['name'], **more)

    def test_domain(self):
        made = self.o.json('domain create --description', 'first', word('domain'))
        self.listed('domain list', made['id'])
        self.o('domain set --description other --disable', made['id'])
        shown = self.o.json('domain show', made['id'])
        self.assertEqual((shown['description'], shown['enabled']), ('other', False))
        self.o('domain delete', made['id'])
        self.refused_show('domain', made['id'])

    def refused_show(self, kind, what):
        self.assertIn('No', self.o.refused(kind + ' show', what))

    def test_project(self):
        made = self.project('--description', 'Größe', '--tag', 'one', '--property', 'colour=blue')
        child = self.made('project create --parent', made['id'], word('child'), delete='project delete %(id)s')
        self.listed('project list', made['id'])
        self.listed('project list --tags one', made['id'])
        self.o('project set --description other --tag two --property colour=red', made['id'])
        shown = self.o.json('project show', made['id'])
        self.assertEqual(shown['description'], 'other')
        self.assertEqual(sorted(shown['tags']), ['one', 'two'])
        self.assertEqual(self.o.json('project show --parents', child['id'])['parent_id'], made['id'])
        self.assertIn(child['id'], str(self.o.json('project show --children', made['id'])))
        self.o('project cleanup --help')

    def test_user(self):
        project = self.project()
        made = self.user('--email', 'a@example.org', '--description', 'Zoë', '--project', project['id'])
        self.listed('user list', made['id'])
        self.assertEqual(made['default_project_id'], project['id'])
        self.o('user set --name', made['name'] + 'x', '--email', 'b@example.org', made['id'])
        shown = self.o.json('user show', made['name'] + 'x')
        self.assertEqual(shown['email'], 'b@example.org')
        own = self.as_user(dict(made, name=made['name'] + 'x'), project)
        own('user password set --original-password secret --password another')
        own.refused('token issue')
        own.env['OS_PASSWORD'] = 'another'
        own('token issue')
        self.listed('user list --project ' + project['id'], made['id'])

    def test_group(self):
        made = self.made('group create --description g', word('group'), delete='group delete %(id)s')
        user = self.user()
        self.listed('group list', made['id'])
        self.o('group add user', made['id'], user['id'])
        self.assertIn('in group', self.o('group contains user', made['id'], user['id']))
        self.listed('group list --user ' + user['id'], made['id'])
        self.listed('user list --group ' + made['id'], user['id'])
        self.o('group set --description other', made['id'])
        self.assertEqual(self.o.json('group show', made['id'])['description'], 'other')
        self.o('group remove user', made['id'], user['id'])

    def test_role(self):
        domain = self.o.json('domain create', word('domain'))
        self.addCleanup(self.o, 'domain delete ' + domain['id'])
        self.addCleanup(self.o, 'domain set --disable ' + domain['id'])
        made = self.made('role create --description r', word('role'), delete='role delete %(id)s')
        own = self.o.json('role create --domain', domain['id'], word('role'))
        self.addCleanup(self.o, 'role delete ' + own['id'])
        self.listed('role list', made['id'])
        self.listed('role list --domain ' + domain['id'], own['id'])
        self.o('role set --name', made['name'] + 'x', made['id'])
        self.assertEqual(self.o.json('role show', made['name'] + 'x')['id'], made['id'])

    def test_role_assignment(self):
        user, project = self.user(), self.project()
        group = self.made('group create', word('group'), delete='group delete %(id)s')
        for who in ('--user ' + user['id'], '--group ' + group['id']):
            for where in ('--project ' + project['id'], '--domain default', '--system all', '--inherited --project ' + project['id']):
                self.o('role add %s %s' % (who, where), self.role)
                rows = self.o.json('role assignment list %s %s' % (who, where))
                self.assertEqual([row['Role'] for row in rows if row['Role'] == self.role], [self.role], where)
                self.o('role remove %s %s' % (who, where), self.role)
        self.o('role add --user %s --project %s' % (user['id'], project['id']), self.role)
        rows = self.o.json('role assignment list --names --effective --user ' + user['id'])
        self.assertIn('reader', [row['Role'] for row in rows])
        self.assertIn(project['name'] + '@Default', [row['Project'] for row in rows])

    def test_implied_role(self):
        prior = self.made('role create', word('role'), delete='role delete %(id)s')
        implied = self.made('role create', word('role'), delete='role delete %(id)s')
        self.o('implied role create --implied-role', implied['id'], prior['id'])
        rows = self.o.json('implied role list')
        self.assertIn((prior['id'], implied['id']), [(r['Prior Role ID'], r['Implied Role ID']) for r in rows])
        self.o('implied role delete --implied-role', implied['id'], prior['id'])

    def test_application_credential(self):
        own = self.as_user(self.user(), self.project())
        made = own.json('application credential create --secret hush --role member --expiration 2099-01-01T00:00:00', word('ac'))
        self.assertEqual(made['secret'], 'hush')
        self.assertIn(made['id'], [row['ID'] for row in own.json('application credential list')])
        self.assertEqual(own.json('application credential show', made['name'])['id'], made['id'])
        by_it = Client(OS_AUTH_TYPE='v3applicationcredential', OS_APPLICATION_CREDENTIAL_ID=made['id'], OS_APPLICATION_CREDENTIAL_SECRET='hush')
        for name in ('OS_USERNAME', 'OS_PASSWORD', 'OS_PROJECT_NAME', 'OS_USER_DOMAIN_NAME', 'OS_PROJECT_DOMAIN_NAME'):
            del by_it.env[name]
        by_it('token issue')
        own('application credential delete', made['name'])
        by_it.refused('token issue')

    def test_access_rule(self):
        own = self.as_user(self.user(), self.project())
        made = own.json('application credential create', word('ac'), '--access-rules',
                        json.dumps([{'service': 'compute', 'method': 'GET', 'path': '/v2.1/servers'}]))
        rules = own.json('access rule list')
        self.assertEqual([(r['Service'], r['Method'], r['Path']) for r in rules], [('compute', 'GET', '/v2.1/servers')])
        self.assertEqual(own.json('access rule show', rules[0]['ID'])['path'], '/v2.1/servers')
        own.refused('access rule delete', rules[0]['ID'])     # In use.
        own('application credential delete', made['id'])
        own('access rule delete', rules[0]['ID'])

    def test_trust(self):
        trustor, trustee, project = self.user(), self.user(), self.project()
        own = self.as_user(trustor, project)
        made = own.json('trust create --project %s --role %s %s %s' % (project['id'], self.role, trustor['id'], trustee['id']))
        self.assertEqual(made['trustee_user_id'], trustee['id'])
        self.assertIn(made['id'], [row['ID'] for row in self.o.json('trust list')])
        self.assertEqual(own.json('trust show', made['id'])['id'], made['id'])
        by_it = Client(OS_USERNAME=trustee['name'], OS_PASSWORD='secret', OS_TRUST_ID=made['id'])
        del by_it.env['OS_PROJECT_NAME'], by_it.env['OS_PROJECT_DOMAIN_NAME']
        self.assertEqual(by_it.json('token issue')['project_id'], project['id'])
        own('trust delete', made['id'])
        by_it.refused('token issue')

    def test_credential(self):
        user, project = self.user(), self.project()
        made = self.made('credential create --type cert --project %s %s' % (project['id'], user['id']), 'blob', delete='credential delete %(id)s')
        self.listed('credential list', made['id'])
        self.o('credential set --user %s --type totp --data other' % user['id'], made['id'])
        shown = self.o.json('credential show', made['id'])
        self.assertEqual((shown['type'], shown['blob']), ('totp', 'other'))

    def test_ec2(self):
        own = self.as_user(self.user(), self.project())
        made = own.json('ec2 credentials create')
        self.assertIn(made['access'], [row['Access'] for row in own.json('ec2 credentials list')])
        self.assertEqual(own.json('ec2 credentials show', made['access'])['secret'], made['secret'])
        own('ec2 credentials delete', made['access'])
        self.assertEqual(own.json('ec2 credentials list'), [])

    def test_limits(self):
        service = self.made('service create --name', word('service'), 'test', delete='service delete %(id)s')
        project = self.project()
        registered = self.made('registered limit create --region RegionOne --service %s --default-limit 10' % service['id'], 'widgets',
                               delete='registered limit delete %(id)s')
        self.listed('registered limit list', registered['id'])
        self.o('registered limit set --default-limit 20', registered['id'])
        self.assertEqual(self.o.json('registered limit show', registered['id'])['default_limit'], 20)
        limit = self.made('limit create --region RegionOne --project %s --service %s --resource-limit 5' % (project['id'], service['id']),
                          'widgets', delete='limit delete %(id)s')
        system = Client(OS_SYSTEM_SCOPE='all')      # A project sees its own.
        del system.env['OS_PROJECT_NAME'], system.env['OS_PROJECT_DOMAIN_NAME']
        self.assertIn(limit['id'], [row['ID'] for row in system.json('limit list')])
        own = self.as_user(self.user(), project)
        self.assertEqual([row['ID'] for row in own.json('limit list')], [limit['id']])
        self.o('limit set --resource-limit 6', limit['id'])
        self.assertEqual(self.o.json('limit show', limit['id'])['resource_limit'], 6)

    def test_region(self):
        parent = self.made('region create', word('region'), delete='region delete %(region)s')
        made = self.made('region create --parent-region', parent['region'], '--description', 'd', word('region'), delete='region delete %(region)s')
        self.listed('region list', made['region'], 'Region')
        self.o('region set --description other', made['region'])
        self.assertEqual(self.o.json('region show', made['region'])['description'], 'other')

    def test_service_and_endpoint(self):
        service = self.made('service create --name', word('service'), '--description', 'd', 'test', delete='service delete %(id)s')
        self.listed('service list', service['id'])
        self.o('service set --description other --disable', service['id'])
        self.assertEqual(self.o.json('service show', service['id'])['enabled'], False)
        made = self.made('endpoint create --region RegionOne', service['id'], 'public', 'http://example.org/$(project_id)s', delete='endpoint delete %(id)s')
        self.listed('endpoint list', made['id'])
        self.o('endpoint set --url http://example.org/x --interface admin', made['id'])
        self.assertEqual(self.o.json('endpoint show', made['id'])['interface'], 'admin')
        project = self.project()
        self.o('endpoint add project', made['id'], project['id'])
        self.listed('endpoint list --project ' + project['id'], made['id'])
        self.o('endpoint remove project', made['id'], project['id'])

    def test_endpoint_group(self):
        with open(os.path.join(CLOUD.folder, word()), 'w', encoding='utf-8') as f:
            json.dump({'interface': 'public'}, f)
        made = self.made('endpoint group create', word('group'), f.name, delete='endpoint group delete %(id)s')
        self.listed('endpoint group list', made['id'])
        project = self.project()
        self.o('endpoint group add project', made['id'], project['id'])
        self.listed('endpoint group list --project ' + project['id'], made['id'])
        self.o('endpoint group remove project', made['id'], project['id'])
        self.o('endpoint group set --name', word(), made['id'])
        self.assertEqual(self.o.json('endpoint group show', made['id'])['filters'], {'interface': 'public'})

    def test_policy(self):
        with open(os.path.join(CLOUD.folder, word()), 'w', encoding='utf-8') as f:
            f.write('{"a": "b"}')
        made = self.made('policy create', f.name, delete='policy delete %(id)s')
        self.listed('policy list', made['id'])
        self.o('policy set --type text/plain', made['id'])
        self.assertEqual(self.o.json('policy show', made['id'])['type'], 'text/plain')

    def test_federation(self):
        with open(os.path.join(CLOUD.folder, word()), 'w', encoding='utf-8') as f:
            json.dump([{'local': [{'user': {'name': '{0}'}}], 'remote': [{'type': 'REMOTE_USER'}]}], f)
        mapping = self.made('mapping create --rules', f.name, word('map'), delete='mapping delete %(id)s')
        self.listed('mapping list', mapping['id'])
        provider = self.made('identity provider create --remote-id', word('remote'), word('idp'), delete='identity provider delete %(id)s')
        self.listed('identity provider list', provider['id'])
        self.o('identity provider set --description other', provider['id'])
        self.assertEqual(self.o.json('identity provider show', provider['id'])['description'], 'other')
        where = ' --identity-provider ' + provider['id']
        protocol = self.o.json('federation protocol create --mapping ' + mapping['id'] + where, 'openid')
        self.addCleanup(self.o, 'federation protocol delete' + where + ' openid')
        self.assertEqual(protocol['mapping'], mapping['id'])
        self.assertEqual([row['id'] for row in self.o.json('federation protocol list' + where)], ['openid'])
        sp = self.made('service provider create --auth-url http://x/ --service-provider-url http://y/', word('sp'), delete='service provider delete %(id)s')
        self.listed('service provider list', sp['id'])

    def test_token(self):
        issued = self.o.json('token issue')
        self.assertTrue(issued['expires'])
        self.o('token revoke', issued['id'])
        by_it = Client(OS_AUTH_TYPE='v3token', OS_TOKEN=issued['id'])
        del by_it.env['OS_USERNAME'], by_it.env['OS_PASSWORD'], by_it.env['OS_USER_DOMAIN_NAME']
        by_it.refused('project list')
        self.o('catalog list')
        self.assertEqual(self.o.json('catalog show identity')['type'], 'identity')


if __name__ == '__main__':
    unittest.main()
