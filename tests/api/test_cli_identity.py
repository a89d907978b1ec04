#!/usr/bin/python3
"""Identity by the command line: each kind of thing from create to delete, beside Debian's openstack where it has the command; bad input,
unknown names, names in any script; and which operations of the API no command reaches."""
import json
import os
import re
import shutil
import sys
import tempfile
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402
from command_line import Client, OpenStack, environment  # noqa: E402

PASSWORD = 'Correct-Horse-7'


def setUpModule():
    global CLOUD, FOLDER, VIRGA, OPENSTACK, SYSTEM, DEMO
    CLOUD = Cloud(services=['identity'])
    FOLDER = tempfile.mkdtemp(prefix='virga-test-cli-')
    admin = environment(CLOUD, FOLDER, 'admin', CLOUD.layout.secret('user-admin'), 'admin')
    VIRGA = Client(CLOUD.layout.binary('virga'), admin)
    OPENSTACK = OpenStack(admin)
    SYSTEM = {k: v for k, v in dict(admin, OS_SYSTEM_SCOPE='all').items() if 'PROJECT' not in k}
    DEMO = environment(CLOUD, FOLDER, 'demo', PASSWORD, 'demo')
    VIRGA.do('project', 'create', 'demo')
    VIRGA.do('user', 'create', '--project', 'demo', '--password-prompt', 'demo', stdin=PASSWORD + '\n')
    VIRGA.do('role', 'add', '--user', 'demo', '--project', 'demo', 'member')


def tearDownModule():
    CLOUD.close()
    shutil.rmtree(FOLDER, ignore_errors=True)


def word():
    return 'größe-' + uuid.uuid4().hex[:8]


class Case(unittest.TestCase):
    def each(self):
        return [client for client in (VIRGA, OPENSTACK) if client.is_there]

    def same(self, *words, env=None):
        """What both say, which is the same."""
        ours = VIRGA.json(*words, env=env)
        if OPENSTACK.is_there:
            theirs = OPENSTACK.json(*words, env=env)
            self.assertEqual(ours, theirs, words)
            self.assertEqual([list(row) for row in ours] if isinstance(ours, list) else sorted(ours),
                             [list(row) for row in theirs] if isinstance(ours, list) else sorted(theirs), words)
        return ours


class ImpliedRoles(Case):
    def test_create_to_delete(self):
        names = [word(), word()]
        high, low = (VIRGA.json('role', 'create', name)['id'] for name in names)
        for client in self.each():
            made = client.json('implied', 'role', 'create', names[0], '--implied-role', low)
            self.assertEqual(made, {'implies': low, 'prior_role': high})
            rows = [r for r in self.same('implied', 'role', 'list') if r['Prior Role ID'] == high]
            self.assertEqual(rows, [{'Prior Role ID': high, 'Prior Role Name': names[0], 'Implied Role ID': low, 'Implied Role Name': names[1]}])
            self.assertIn('Duplicate entry', VIRGA.refused('implied', 'role', 'create', names[0], '--implied-role', names[1]))
            client.do('implied', 'role', 'delete', high, '--implied-role', names[1])
            self.assertIn('does not imply', VIRGA.refused('implied', 'role', 'delete', high, '--implied-role', low))
        self.assertNotIn(high, [r['Prior Role ID'] for r in VIRGA.json('implied', 'role', 'list')])
        # One that implies two is two rows.
        VIRGA.do('implied', 'role', 'create', high, '--implied-role', low)
        VIRGA.do('implied', 'role', 'create', high, '--implied-role', 'reader')
        self.assertEqual({r['Implied Role Name'] for r in VIRGA.json('implied', 'role', 'list') if r['Prior Role ID'] == high}, {names[1], 'reader'})
        VIRGA.do('role', 'delete', high, low)

    def test_refused(self):
        self.assertIn("No role with a name or ID of 'nobody' exists.", VIRGA.refused('implied', 'role', 'create', 'member', '--implied-role', 'nobody'))
        self.assertIn("No role with a name or ID of 'nobody' exists.", VIRGA.refused('implied', 'role', 'delete', 'nobody', '--implied-role', 'member'))
        self.assertIn('--implied-role is required', VIRGA.refused('implied', 'role', 'create', 'member', code=2))
        self.assertIn('(HTTP 403)', VIRGA.refused('implied', 'role', 'list', env=DEMO))
        self.assertIn('(HTTP 403)', VIRGA.refused('implied', 'role', 'create', 'member', '--implied-role', 'admin'))


class OAuth(Case):
    def test_consumers(self):
        for client in self.each():
            made = client.json('consumer', 'create', '--description', 'Prüfung "1"')
            self.assertEqual(set(made), {'id', 'secret', 'description'})
            shown = self.same('consumer', 'show', made['id'])
            self.assertEqual(shown, {'id': made['id'], 'description': 'Prüfung "1"'})
            client.do('consumer', 'set', '--description', 'x', made['id'])
            self.assertEqual([r['Description'] for r in self.same('consumer', 'list') if r['ID'] == made['id']], ['x'])
            client.do('consumer', 'delete', made['id'])
            client.refused('consumer', 'show', made['id'])
            made = client.json('consumer', 'create')
            self.assertIsNone(made['description'])
            client.do('consumer', 'delete', made['id'])
        two = [VIRGA.json('consumer', 'create')['id'] for _ in range(2)]
        self.assertIn('1 of 3 consumers failed to delete.', VIRGA.refused('consumer', 'delete', two[0], 'nobody', two[1]))
        self.assertNotIn(two[1], str(VIRGA.json('consumer', 'list')))
        self.assertIn('(HTTP 403)', VIRGA.refused('consumer', 'create', env=DEMO))

    def test_from_request_to_log_out(self):
        for client in self.each():
            consumer = client.json('consumer', 'create')
            by = ['--consumer-key', consumer['id'], '--consumer-secret', consumer['secret']]
            request = client.json('request', 'token', 'create', *by, '--project', 'admin')
            self.assertEqual(set(request), {'id', 'key', 'secret', 'expires'})
            self.assertEqual(request['id'], request['key'])
            pin = client.json('request', 'token', 'authorize', '--request-key', request['key'], '--role', 'member', '--role', 'reader')
            self.assertEqual(set(pin), {'oauth_verifier'})
            access = client.json('access', 'token', 'create', *by, '--request-key', request['key'], '--request-secret', request['secret'],
                                 '--verifier', pin['oauth_verifier'])
            self.assertEqual(set(access), {'id', 'key', 'secret', 'expires'})
            # What openstack has no command for.
            row = [r for r in VIRGA.json('access', 'token', 'list') if r['ID'] == access['id']]
            self.assertEqual([r['Consumer ID'] for r in row], [consumer['id']])
            self.assertEqual(VIRGA.json('access', 'token', 'list', '--user', 'demo'), [])
            self.assertEqual(VIRGA.json('access', 'token', 'show', access['id'])['consumer_id'], consumer['id'])
            self.assertEqual({r['Name'] for r in VIRGA.json('access', 'token', 'role', 'list', access['id'])}, {'member', 'reader'})
            VIRGA.do('access', 'token', 'delete', access['id'], '--user', 'admin')
            VIRGA.refused('access', 'token', 'show', access['id'])
            client.do('consumer', 'delete', consumer['id'])

    def test_secrets_are_asked_for_and_not_shown(self):
        consumer = VIRGA.json('consumer', 'create')
        done = VIRGA.run('request', 'token', 'create', '--consumer-key', consumer['id'], '--project', 'admin', '-f', 'json', stdin=consumer['secret'] + '\n')
        request = json.loads(done.stdout)
        for secret in (consumer['secret'], request['secret']):
            self.assertNotIn(secret, done.trace)
        pin = VIRGA.json('request', 'token', 'authorize', '--request-key', request['key'], '--role', 'reader')['oauth_verifier']
        VIRGA.json('access', 'token', 'create', '--consumer-key', consumer['id'], '--request-key', request['key'], '--verifier', pin,
                   stdin='%s\n%s\n' % (consumer['secret'], request['secret']))
        VIRGA.do('consumer', 'delete', consumer['id'])

    def test_refused(self):
        consumer = VIRGA.json('consumer', 'create')
        key, secret = ('--consumer-key', consumer['id']), ('--consumer-secret', consumer['secret'])
        ask = ('request', 'token', 'create')
        self.assertIn('Consumer not found', VIRGA.refused(*ask, '--consumer-key', 'x', *secret, '--project', 'admin'))
        self.assertIn('Invalid signature', VIRGA.refused(*ask, *key, '--consumer-secret', 'x', '--project', 'admin'))
        self.assertIn("No project with a name or ID of 'nowhere'", VIRGA.refused(*ask, *key, *secret, '--project', 'nowhere'))
        self.assertIn('--project is required', VIRGA.refused(*ask, *key, *secret, code=2))
        request = VIRGA.json(*ask, *key, *secret, '--project', 'admin')
        exchange = ('access', 'token', 'create', *key, *secret, '--request-key', request['key'], '--request-secret', request['secret'])
        self.assertIn('authorizing user', VIRGA.refused(*exchange, '--verifier', 'x'))
        self.assertIn('Could not find role', VIRGA.refused('request', 'token', 'authorize', '--request-key', request['key'], '--role', 'nobody'))
        self.assertIn('Request token not found', VIRGA.refused('request', 'token', 'authorize', '--request-key', 'x', '--role', 'reader'))
        VIRGA.do('request', 'token', 'authorize', '--request-key', request['key'], '--role', 'reader')
        self.assertIn('verifier', VIRGA.refused(*exchange, '--verifier', 'x'))
        VIRGA.do('consumer', 'delete', consumer['id'])


class DomainConfig(Case):
    def setUp(self):
        self.domain = word()
        VIRGA.do('domain', 'create', self.domain)

    def tearDown(self):
        VIRGA.do('domain', 'set', '--disable', self.domain)
        VIRGA.do('domain', 'delete', self.domain)

    def show(self, *more):
        return VIRGA.json('domain', 'config', 'show', self.domain, *more)

    def set(self, *more, **how):
        return VIRGA.do('domain', 'config', 'set', self.domain, *more, **how)

    def refused(self, verb, *more, **how):
        return VIRGA.refused('domain', 'config', verb, self.domain, *more, **how)

    def test_create_to_delete(self):
        self.assertIn('Could not find any options', self.refused('show'))
        self.set('--property', 'ldap.url=ldap://h/?a=b', '--property', 'identity.driver=sql')
        self.assertEqual(self.show(), {'ldap.url': 'ldap://h/?a=b', 'identity.driver': 'sql'})
        self.assertEqual(self.show('ldap'), {'ldap.url': 'ldap://h/?a=b'})
        self.assertEqual(self.show('ldap.url'), {'ldap.url': 'ldap://h/?a=b'})
        self.set('--property', 'ldap.suffix=dc=größe')
        self.assertEqual(self.show('ldap'), {'ldap.url': 'ldap://h/?a=b', 'ldap.suffix': 'dc=größe'})
        VIRGA.do('domain', 'config', 'unset', self.domain, '--property', 'ldap.url', '--property', 'identity')
        self.assertEqual(self.show(), {'ldap.suffix': 'dc=größe'})
        self.assertEqual(VIRGA.json('domain', 'config', 'create', self.domain, '--property', 'ldap.url=x'), {'ldap.url': 'x'})
        VIRGA.do('domain', 'config', 'delete', self.domain)
        self.refused('show')

    def test_types(self):
        """As the defaults have them: numbers, lists, true and false; a secret that looks like a number stays a text."""
        self.set('--property', 'ldap.page_size=7', '--property', 'ldap.pool_retry_delay=0.5', '--property', 'ldap.use_tls=TRUE',
                 '--property', 'ldap.user_attribute_ignore=a,b', '--property', 'ldap.user_tree_dn=ou=1', '--prompt', 'ldap.password', stdin='12345\n')
        self.assertEqual(self.show(), {'ldap.page_size': 7, 'ldap.pool_retry_delay': 0.5, 'ldap.use_tls': True, 'ldap.user_attribute_ignore': ['a', 'b'],
                                       'ldap.user_tree_dn': 'ou=1'})
        self.assertEqual(CLOUD.sql('identity', "SELECT count(*) FROM domain_secret WHERE value = to_jsonb('12345'::text)").strip(), '1')
        self.assertIn('ldap.page_size: the value is not a number.', self.refused('set', '--property', 'ldap.page_size=many'))
        self.assertIn('ldap.use_tls: the value is not true or false.', self.refused('set', '--property', 'ldap.use_tls=maybe'))

    def test_secrets_are_not_shown(self):
        done = VIRGA.run('domain', 'config', 'set', self.domain, '--prompt', 'ldap.password', stdin='Ge-heim\n')
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn('Ge-heim', done.trace)
        self.assertIn('Could not find option password', self.refused('show', 'ldap.password'))
        VIRGA.do('domain', 'config', 'unset', self.domain, '--property', 'ldap.password')
        self.refused('unset', '--property', 'ldap.password')

    def test_file(self):
        path = os.path.join(FOLDER, 'config.json')
        for text in ('{"ldap": {"url": "u", "page_size": 3}}', '{"config": {"ldap": {"url": "u", "page_size": 3}}}'):
            with open(path, 'w', encoding='utf-8') as file:
                file.write(text)
            made = VIRGA.json('domain', 'config', 'create', self.domain, '--file', path, '--property', 'ldap.page_size=4')
            self.assertEqual(made, {'ldap.url': 'u', 'ldap.page_size': 4})
        self.set('--file', '-', stdin='{"ldap": {"suffix": "s"}}')
        self.assertEqual(self.show()['ldap.suffix'], 's')
        for text in ('', '[]', '{"ldap"', 'x'):
            self.assertIn('- is no JSON object of groups of options.', self.refused('set', '--file', '-', stdin=text))
        self.assertIn('No such file', self.refused('set', '--file', path + 'x'))

    def test_refused(self):
        self.assertIn('Give --property, --prompt or --file.', self.refused('set'))
        self.assertIn('--prompt reads standard input', self.refused('set', '--file', '-', '--prompt', 'ldap.password', stdin='{}'))
        self.assertIn('is a group, not an option of it', self.refused('set', '--property', 'ldap=x'))
        for text in ('.url', 'ldap.', '.'):
            self.assertIn('is neither a group (ldap) nor an option (ldap.url).', self.refused('show', text))
        self.assertIn('Option bogus in group ldap is not supported', self.refused('set', '--property', 'ldap.bogus=x'))
        self.assertIn('Group nova is not supported', self.refused('show', 'nova'))
        self.assertIn('Group no va? is not supported', self.refused('unset', '--property', 'no va?.x'))
        self.assertIn("No domain with a name or ID of 'nowhere' exists.", VIRGA.refused('domain', 'config', 'show', 'nowhere'))
        self.assertIn('--property is required', self.refused('unset', code=2))
        self.refused('show')  # Nothing of this has been stored.

    def test_defaults_and_what_passwords_must_be_like(self):
        whole = VIRGA.json('domain', 'config', 'default', 'show')
        self.assertEqual((whole['ldap.url'], whole['ldap.page_size'], whole['identity.driver']), ('ldap://localhost', 0, 'sql'))
        self.assertNotIn('ldap.password', whole)
        self.assertEqual(VIRGA.json('domain', 'config', 'default', 'show', 'ldap'), {k: v for k, v in whole.items() if k.startswith('ldap.')})
        self.assertEqual(VIRGA.json('domain', 'config', 'default', 'show', 'ldap.url'), {'ldap.url': 'ldap://localhost'})
        self.assertIn('not supported', VIRGA.refused('domain', 'config', 'default', 'show', 'ldap.password'))
        policy = {'security_compliance.password_regex': None, 'security_compliance.password_regex_description': None}
        self.assertEqual(VIRGA.json('domain', 'config', 'show', 'default', 'security_compliance'), policy)
        self.assertEqual(VIRGA.json('domain', 'config', 'show', 'Default', 'security_compliance.password_regex'), {'security_compliance.password_regex': None})


class Ec2(Case):
    def test_of_another_user(self):
        for client in self.each():
            made = client.json('ec2', 'credentials', 'create', '--user', 'demo', '--project', 'demo', '--user-domain', 'Default', '--project-domain', 'Default')
            self.assertEqual(set(made) - {'links'}, {'access', 'secret', 'project_id', 'trust_id', 'user_id'})
            self.assertEqual(self.same('ec2', 'credentials', 'list', '--user', 'demo'),
                             [{'Access': made['access'], 'Secret': made['secret'], 'Project ID': made['project_id'], 'User ID': made['user_id']}])
            self.assertEqual(self.same('ec2', 'credentials', 'list', env=DEMO)[0]['Access'], made['access'])
            self.assertEqual(self.same('ec2', 'credentials', 'show', '--user', 'demo', made['access'])['secret'], made['secret'])
            client.refused('ec2', 'credentials', 'show', made['access'])  # Not one's own.
            client.refused('ec2', 'credentials', 'delete', made['access'])
            client.do('ec2', 'credentials', 'delete', '--user', 'demo', '--user-domain', 'Default', made['access'])
            self.assertEqual(self.same('ec2', 'credentials', 'list', '--user', 'demo'), [])
        made = VIRGA.json('ec2', 'credentials', 'create')
        VIRGA.do('ec2', 'credentials', 'delete', made['access'])
        self.assertIn("No user with a name or ID of 'nobody' exists.", VIRGA.refused('ec2', 'credentials', 'list', '--user', 'nobody'))
        self.assertIn('(HTTP 403)', VIRGA.refused('ec2', 'credentials', 'list', '--user', CLOUD.admin().user_id, env=DEMO))


class Nouns(Case):
    """What is also tested elsewhere, here from create to delete in one sweep: shown and listed as openstack shows and lists it."""

    def file(self, content):
        path = os.path.join(FOLDER, 'file-' + uuid.uuid4().hex)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(content if isinstance(content, str) else json.dumps(content))
        return path

    def made(self, *words, stdin='', env=None):
        return VIRGA.json(*words, stdin=stdin, env=env)['id']

    def test_directory(self):
        domain, project, user, group, role = (word() for _ in range(5))
        explicit = uuid.uuid4().hex
        self.assertEqual(self.made('domain', 'create', domain, '--id', explicit, '--description', 'Überall'), explicit)
        inside = ('--domain', domain)
        self.made('project', 'create', *inside, project, '--property', 'farbe=grün')
        self.made('user', 'create', *inside, user, '--email', 'a@b', '--password', PASSWORD)
        self.made('group', 'create', *inside, group)
        self.made('role', 'create', role)
        self.made('role', 'create', role, *inside)
        self.assertEqual(self.same('role', 'list', *inside), [{'ID': VIRGA.json('role', 'show', role, *inside)['id'], 'Name': role, 'Domain': domain}])
        VIRGA.do('role', 'delete', role, *inside)
        for noun, name in (('project', project), ('user', user), ('group', group)):
            self.assertEqual(self.same(noun, 'show', *inside, name)['name'], name)
            self.assertIn(name, [r['Name'] for r in self.same(noun, 'list', *inside)])
        VIRGA.do('domain', 'set', domain, '--tag', 'ö', '--tag', 'b')
        self.assertEqual(sorted(VIRGA.json('domain', 'show', domain)['tags']), ['b', 'ö'])
        self.assertEqual(self.same('domain', 'show', domain)['description'], 'Überall')
        self.assertIn(domain, [r['Name'] for r in self.same('domain', 'list')])
        self.assertEqual(self.same('role', 'show', role)['name'], role)
        VIRGA.do('group', 'add', 'user', group, user, '--group-domain', domain, '--user-domain', domain)
        self.assertIn('in group', VIRGA.do('group', 'contains', 'user', group, user, '--group-domain', domain, '--user-domain', domain))
        self.assertEqual([r['Name'] for r in VIRGA.json('user', 'list', '--group', VIRGA.json('group', 'show', group, *inside)['id'])], [user])
        self.assertEqual([r['Name'] for r in VIRGA.json('group', 'list', '--user', user, '--user-domain', domain)], [group])
        for noun, name in (('project', project), ('user', user), ('group', group)):
            VIRGA.do(noun, 'set', *inside, '--description', 'Zoë', name)
            self.assertEqual(VIRGA.json(noun, 'show', *inside, name)['description'], 'Zoë')
        VIRGA.do('role', 'set', '--description', 'Zoë', role)
        self.grants(domain, project, user, group, role)
        said = VIRGA.refused('group', 'remove', 'user', group, 'nobody', user, '--group-domain', domain, '--user-domain', domain)
        self.assertIn('1 of 2 users not removed from group', said)
        self.assertIn('not in group', VIRGA.refused('group', 'contains', 'user', group, user, '--group-domain', domain, '--user-domain', domain))
        VIRGA.do('role', 'delete', role)
        for noun, name in (('group', group), ('user', user), ('project', project)):
            VIRGA.do(noun, 'delete', *inside, name)
            VIRGA.refused(noun, 'show', *inside, name)
        VIRGA.do('domain', 'set', '--disable', domain)
        VIRGA.do('domain', 'delete', domain)

    def grants(self, domain, project, user, group, role):
        whom = [('--user', user, '--user-domain', domain), ('--group', group, '--group-domain', domain)]
        where = [('--project', project, '--project-domain', domain), ('--domain', domain), ('--system', 'all'),
                 ('--project', project, '--project-domain', domain, '--inherited'), ('--domain', domain, '--inherited')]
        for who in whom:
            for there in where:
                self.assertIn('is not granted', VIRGA.refused('role', 'grant', 'check', role, *who, *there))
                VIRGA.do('role', 'add', role, *who, *there)
                self.assertIn('is granted', VIRGA.do('role', 'grant', 'check', role, *who, *there))
                self.assertEqual([r['Name'] for r in VIRGA.json('role', 'grant', 'list', *who, *there)], [role], (who, there))
                VIRGA.do('role', 'remove', role, *who, *there)
                self.assertEqual(VIRGA.json('role', 'grant', 'list', *who, *there), [])
        VIRGA.do('role', 'add', role, *whom[0], *where[0])
        self.assertEqual(len(self.same('role', 'assignment', 'list', '--names', '--role', role)), 1)
        below = VIRGA.json('project', 'create', '--domain', domain, '--parent', VIRGA.json('project', 'show', project, '--domain', domain)['id'], word())
        VIRGA.do('role', 'add', role, *whom[0], '--project', below['id'])
        self.assertEqual(len(VIRGA.json('role', 'assignment', 'list', *where[0])), 1)
        self.assertEqual(len(VIRGA.json('role', 'assignment', 'list', *where[0], '--subtree')), 2)
        VIRGA.do('project', 'delete', below['id'])
        self.assertEqual([r['Name'] for r in VIRGA.json('project', 'list', '--user', VIRGA.json('user', 'show', user, '--domain', domain)['id'])], [project])
        self.assertIn('One of --user and --group', VIRGA.refused('role', 'grant', 'list', *where[0]))
        self.assertIn('inherited from the system', VIRGA.refused('role', 'add', role, *whom[0], *where[2], '--inherited'))

    def test_catalogue(self):
        region, service = word()[:20], word()
        self.assertEqual(VIRGA.json('region', 'create', region)['region'], region)
        self.made('service', 'create', 'cli-type', '--name', service)
        endpoint = self.made('endpoint', 'create', service, 'public', 'http://h/', '--region', region)
        VIRGA.do('region', 'set', region, '--description', 'hier')
        VIRGA.do('service', 'set', 'cli-type', '--description', 'd')
        VIRGA.do('endpoint', 'set', endpoint, '--service', 'cli-type', '--url', 'http://g/')
        for words in (('region', 'show', region), ('service', 'show', service), ('service', 'show', 'cli-type'), ('endpoint', 'show', endpoint), ('region', 'list'),
                      ('service', 'list', '--long'), ('endpoint', 'list'), ('endpoint', 'list', '--service', service, '--interface', 'public', '--region', region)):
            self.same(*words)
        # At once, though the token is a cached one.
        self.assertIn(service, [r['Name'] for r in VIRGA.json('catalog', 'list')])
        self.assertEqual(VIRGA.json('catalog', 'show', service)['type'], 'cli-type')
        self.assertIn('service nothing not found', VIRGA.refused('catalog', 'show', 'nothing'))
        contains = ('endpoint', 'contains', 'project', endpoint, 'demo')
        self.assertEqual(VIRGA.refused(*contains), 'endpoint %s does not contain project demo\n' % endpoint)
        VIRGA.do('endpoint', 'add', 'project', endpoint, 'demo')
        self.assertEqual(VIRGA.do(*contains), 'endpoint %s contains project demo\n' % endpoint)
        self.assertEqual([r['Name'] for r in self.same('endpoint', 'list', '--endpoint', endpoint)], ['demo'])
        self.assertEqual(len(self.same('endpoint', 'list', '--project', 'demo')), 1)
        VIRGA.do('endpoint', 'remove', 'project', endpoint, 'demo')
        self.groups(region, endpoint)
        self.policies(service, region, endpoint)
        VIRGA.do('endpoint', 'delete', endpoint)
        other = self.made('service', 'create', 'cli-type', '--name', 'second')
        self.assertIn("More than one service exists with the name 'cli-type'", VIRGA.refused('service', 'show', 'cli-type'))
        self.assertIn('1 of 3 services failed to delete.', VIRGA.refused('service', 'delete', other, 'nothing', service))
        self.assertIn("No service with a type, name or ID of 'second' exists.", VIRGA.refused('endpoint', 'create', 'second', 'public', 'http://h/'))
        VIRGA.refused('endpoint', 'show', endpoint)
        VIRGA.do('region', 'delete', region)

    def groups(self, region, endpoint):
        group = word()
        made = self.made('endpoint', 'group', 'create', group, self.file({'region_id': region}))
        self.assertEqual(VIRGA.json('endpoint', 'group', 'show', made)['name'], group)
        VIRGA.do('endpoint', 'group', 'set', group, '--description', 'd')
        self.same('endpoint', 'group', 'show', group)
        self.assertEqual([r['ID'] for r in VIRGA.json('endpoint', 'list', '--endpointgroup', group)], [endpoint])
        self.assertIn('Give one of', VIRGA.refused('endpoint', 'list', '--endpointgroup', group, '--project', 'demo'))
        VIRGA.refused('endpoint', 'group', 'contains', 'project', group, 'demo')
        VIRGA.do('endpoint', 'group', 'add', 'project', group, 'demo')
        self.assertIn('contains project demo', VIRGA.do('endpoint', 'group', 'contains', 'project', group, 'demo'))
        for more in ((), ('--endpointgroup', group), ('--project', 'demo')):
            self.assertEqual(len(self.same('endpoint', 'group', 'list', *more)), 1)
        VIRGA.do('endpoint', 'group', 'remove', 'project', group, 'demo')
        VIRGA.do('endpoint', 'group', 'delete', group)

    def policies(self, service, region, endpoint):
        policy = self.made('policy', 'create', self.file('Regel'))
        VIRGA.do('policy', 'set', policy, '--type', 'text/plain')
        self.same('policy', 'show', policy)
        self.same('policy', 'list', '--long')
        for what in (('endpoint', policy, endpoint), ('service', policy, service), ('service', policy, service, '--region', region)):
            self.assertIn('does not contain %s %s' % (what[0], what[2]), VIRGA.refused('policy', 'contains', *what))
            VIRGA.do('policy', 'add', *what)
            self.assertIn('contains %s %s' % (what[0], what[2]), VIRGA.do('policy', 'contains', *what))
            self.assertEqual([r['ID'] for r in VIRGA.json('policy', 'endpoint', 'list', policy)], [endpoint])
            self.assertEqual(VIRGA.json('endpoint', 'policy', 'show', endpoint)['id'], policy)
            VIRGA.do('policy', 'remove', *what)
            VIRGA.refused('endpoint', 'policy', 'show', endpoint)
        VIRGA.do('policy', 'delete', policy)

    def test_limits(self):
        service = word()
        self.made('service', 'create', 'cli-limited', '--name', service)
        registered = self.made('registered', 'limit', 'create', '--service', 'cli-limited', '--default-limit', '9', 'Kerne')
        self.assertEqual(VIRGA.json('registered', 'limit', 'set', registered, '--default-limit', '10')['default_limit'], 10)
        self.assertEqual(VIRGA.json('registered', 'limit', 'set', registered)['default_limit'], 10)
        limits = [self.made('limit', 'create', '--service', service, *whose, '--resource-limit', '5', 'Kerne')
                  for whose in (('--project', 'demo'), ('--domain', 'default'))]
        self.assertEqual(VIRGA.json('limit', 'set', limits[0], '--resource-limit', '6')['resource_limit'], 6)
        self.assertEqual([r['ID'] for r in VIRGA.json('limit', 'list', '--domain', 'default', env=SYSTEM)], [limits[1]])
        for words in (('registered', 'limit', 'show', registered), ('registered', 'limit', 'list'), ('limit', 'show', limits[0])):
            self.same(*words)
        self.assertEqual(len(self.same('limit', 'list', env=SYSTEM)), 2)
        self.assertEqual(VIRGA.json('limit', 'model', 'show')['name'], 'flat')
        VIRGA.refused('limit', 'create', '--service', service, '--resource-limit', '5', 'Kerne')  # Whose?
        VIRGA.do('limit', 'delete', *limits)
        VIRGA.do('registered', 'limit', 'delete', registered)
        VIRGA.do('service', 'delete', service)

    def test_federation(self):
        provider, protocol, mapping, service = (uuid.uuid4().hex[:8] for _ in range(4))
        rules = [{'local': [{'user': {'name': '{0}'}}], 'remote': [{'type': 'REMOTE_USER'}]}]
        self.assertEqual(VIRGA.json('mapping', 'create', mapping, '--rules', self.file(rules), '--schema-version', '2.0')['schema_version'], '2.0')
        made = VIRGA.json('identity', 'provider', 'create', provider, '--remote-id', 'größe', '--authorization-ttl', '5')
        self.assertEqual((made['authorization_ttl'], made['remote_ids']), (5, ['größe']))
        made = VIRGA.json('federation', 'protocol', 'create', protocol, '--identity-provider', provider, '--mapping', mapping, '--remote-id-attribute', 'X')
        self.assertEqual(made['remote_id_attribute'], 'X')
        made = VIRGA.json('service', 'provider', 'create', service, '--auth-url', 'http://a/', '--service-provider-url', 'http://s/', '--relay-state-prefix', 'p:')
        self.assertEqual(made['relay_state_prefix'], 'p:')
        of = ('--identity-provider', provider)
        for words in (('identity', 'provider', 'show', provider), ('identity', 'provider', 'list'), ('mapping', 'show', mapping), ('mapping', 'list'),
                      ('federation', 'protocol', 'list', *of), ('service', 'provider', 'show', service), ('service', 'provider', 'list')):
            self.same(*words)
        VIRGA.json('federation', 'protocol', 'show', protocol, *of)
        user, called = word(), 'idp=%s,protocol=%s,id=' % (provider, protocol)
        made = VIRGA.json('user', 'create', user, '--federated', called + 'ä=1')
        self.assertEqual(made['federated'], [{'idp_id': provider, 'protocols': [{'protocol_id': protocol, 'unique_id': 'ä=1'}]}])
        VIRGA.do('user', 'set', user, '--federated', called + 'b')
        self.assertEqual(VIRGA.json('user', 'show', made['id'])['federated'][0]['protocols'][0]['unique_id'], 'b')
        self.assertIn('lacks idp, protocol or id', VIRGA.refused('user', 'set', user, '--federated', 'idp=x,id=y'))
        self.assertIn("'bogus' is none of", VIRGA.refused('user', 'set', user, '--federated', 'bogus=x'))
        VIRGA.do('user', 'delete', user)
        VIRGA.do('identity', 'provider', 'set', provider, '--authorization-ttl', '6', '--disable')
        VIRGA.do('mapping', 'set', mapping, '--rules', self.file(rules))
        VIRGA.do('federation', 'protocol', 'set', protocol, *of, '--mapping', mapping)
        VIRGA.do('service', 'provider', 'set', service, '--description', 'd')
        VIRGA.do('federation', 'protocol', 'delete', protocol, *of)
        VIRGA.do('identity', 'provider', 'delete', provider)
        VIRGA.do('mapping', 'delete', mapping)
        VIRGA.do('service', 'provider', 'delete', service)
        VIRGA.json('federation', 'project', 'list')
        VIRGA.json('federation', 'domain', 'list')

    def test_secrets(self):
        credential = self.made('credential', 'create', 'demo', '{"a": "ß"}', '--type', 'x', '--project', 'demo')
        VIRGA.do('credential', 'set', credential, '--user', 'demo', '--type', 'y', '--data', 'z')
        self.same('credential', 'show', credential)
        self.same('credential', 'list', '--user', 'demo')
        VIRGA.do('credential', 'delete', credential)
        name = word()
        rules = [{'method': 'GET', 'path': '/v3/users', 'service': 'identity'}]
        made = self.made('application', 'credential', 'create', name, '--access-rules', json.dumps(rules), env=DEMO)
        self.assertEqual(VIRGA.json('application', 'credential', 'show', made, env=DEMO)['name'], name)
        self.same('application', 'credential', 'show', name, env=DEMO)
        rule = VIRGA.json('access', 'rule', 'list', env=DEMO)[0]['ID']
        VIRGA.json('access', 'rule', 'show', rule, env=DEMO)
        self.assertEqual([r['Name'] for r in VIRGA.json('application', 'credential', 'list', '--user', 'demo')], [name])
        VIRGA.do('application', 'credential', 'delete', name, env=DEMO)
        VIRGA.do('access', 'rule', 'delete', rule, env=DEMO)
        VIRGA.do('user', 'password', 'set', '--original-password', PASSWORD, '--password', PASSWORD + '2', env=DEMO)
        VIRGA.do('user', 'set', '--password', PASSWORD, 'demo')

    def test_trusts(self):
        create = ('trust', 'create', '--project', 'demo', '--role', 'member', 'demo', CLOUD.admin().user_id)
        trust = self.made(*create, '--allow-redelegation', '--redelegation-count', '2', env=DEMO)
        self.assertEqual(self.same('trust', 'show', trust, env=DEMO)['redelegation_count'], 2)
        VIRGA.do('trust', 'delete', trust, env=DEMO)
        trust = self.made(*create, '--remaining-uses', '3', env=DEMO)
        self.assertEqual(self.same('trust', 'show', trust, env=DEMO)['remaining_uses'], 3)
        self.assertEqual([r['ID'] for r in VIRGA.json('trust', 'list', '--trustor', 'demo', '--trustor-domain', 'Default', env=DEMO)], [trust])
        self.assertEqual([r['ID'] for r in VIRGA.json('trust', 'list', '--trustee', 'admin')], [trust])
        self.same('trust', 'list')
        self.assertEqual([r['Name'] for r in VIRGA.json('trust', 'role', 'list', trust, env=DEMO)], ['member'])
        VIRGA.do('trust', 'delete', trust, env=DEMO)


class Projects(Case):
    def test_tags(self):
        for client in self.each():
            name = word()
            client.json('project', 'create', name, '--tag', 'a', '--tag', 'ö')
            client.do('project', 'set', name, '--tag', 'b')
            self.assertEqual(sorted(self.same('project', 'show', name)['tags']), ['a', 'b', 'ö'])
            client.do('project', 'set', name, '--remove-tag', 'ö')
            client.do('project', 'set', name, '--remove-tag', 'nothing')
            self.assertEqual(sorted(VIRGA.json('project', 'show', name)['tags']), ['a', 'b'])
            client.do('project', 'set', name, '--clear-tags', '--tag', 'c')
            self.assertEqual(VIRGA.json('project', 'show', name)['tags'], ['c'])
            client.do('project', 'set', name, '--clear-tags')
            self.assertEqual(VIRGA.json('project', 'show', name)['tags'], [])
            client.do('project', 'delete', name)

    def test_tree(self):
        top, low = word(), word()
        ids = [VIRGA.json('project', 'create', top)['id'], VIRGA.json('project', 'create', '--parent', top, low)['id']]
        self.assertIn(ids[0], self.same('project', 'show', '--parents', low)['parents'])
        self.assertEqual(self.same('project', 'show', '--children', top)['subtree'], {ids[1]: None})
        self.assertEqual([r['Name'] for r in self.same('project', 'list', '--parent', top)], [low])
        VIRGA.do('project', 'delete', low, top)

    def test_sorted(self):
        for sort in ('name', 'name:desc', 'domain_id,id:desc'):
            rows = VIRGA.json('project', 'list', '--long', '--sort', sort)
            if OPENSTACK.is_there:
                self.assertEqual(rows, OPENSTACK.json('project', 'list', '--long', '--sort', sort))
        self.assertIn("there is no member 'nothing'", VIRGA.refused('project', 'list', '--sort', 'nothing'))
        self.assertIn("'up' is neither asc nor desc", VIRGA.refused('project', 'list', '--sort', 'name:up'))

    def test_who_may_look_up_nobody(self):
        """An ordinary user's own user, project and domain are found by name, and his list is of his projects."""
        self.assertEqual([r['Name'] for r in self.same('project', 'list', env=DEMO)], ['demo'])
        self.assertEqual([r['Name'] for r in self.same('project', 'list', '--my-projects', env=DEMO)], ['demo'])
        for noun, name in (('project', 'demo'), ('user', 'demo'), ('domain', 'Default')):
            self.assertEqual(self.same(noun, 'show', name, env=DEMO)['name'], name)
        self.assertEqual(VIRGA.json('user', 'show', '--domain', 'Default', 'demo', env=DEMO)['name'], 'demo')
        for words in (('project', 'show', 'admin'), ('user', 'show', 'admin'), ('domain', 'show', 'other'), ('project', 'list', '--long', '--domain', 'default')):
            self.assertIn('(HTTP 403)', VIRGA.refused(*words, env=DEMO))


    def test_own_name_does_not_settle_what_is_ambiguous(self):
        domain = word()
        VIRGA.do('domain', 'create', domain)
        other = VIRGA.json('project', 'create', '--domain', domain, 'admin')['id']
        for words in (('project', 'show', 'admin'), ('project', 'set', 'admin', '--description', 'x'), ('project', 'delete', 'admin')):
            self.assertIn("More than one project exists with the name 'admin'", VIRGA.refused(*words))
        VIRGA.do('project', 'delete', '--domain', domain, 'admin')
        VIRGA.refused('project', 'show', other)
        VIRGA.do('domain', 'set', '--disable', domain)
        VIRGA.do('domain', 'delete', domain)


class Tokens(Case):
    def test_issue(self):
        for client in self.each():
            token = client.json('token', 'issue', env=DEMO)
            self.assertEqual(set(token), {'id', 'expires', 'project_id', 'user_id'})
            self.assertRegex(token['expires'], r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000$')

    def test_show(self):
        token = VIRGA.json('token', 'issue', env=DEMO)
        for words, stdin in (((token['id'],), ''), (('-',), token['id'] + '\n')):
            done = VIRGA.run('token', 'show', *words, '-f', 'json', stdin=stdin)
            shown = json.loads(done.stdout)
            self.assertEqual((shown['user_name'], shown['project_name'], shown['roles']), ('demo', 'demo', 'member reader'))
            self.assertNotIn(token['id'], done.trace)
        self.assertEqual(VIRGA.json('token', 'show', '--allow-expired', token['id'])['user_id'], token['user_id'])
        VIRGA.do('token', 'revoke', token['id'], env=DEMO)
        self.assertIn('(HTTP 404)', VIRGA.refused('token', 'show', token['id']))
        self.assertIn('audit', str(VIRGA.json('token', 'revocation', 'list')))
        self.assertEqual(VIRGA.json('token', 'revocation', 'list', '--since', '2999-01-01T00:00:00Z'), [])
        self.assertEqual(VIRGA.json('token', 'key', 'list')[0]['Algorithm'], 'EdDSA')

    def test_versions(self):
        self.same('versions', 'show', '--service', 'identity')
        rows = VIRGA.json('versions', 'show')  # Of the others no daemon runs here.
        self.assertEqual({(r['Version'], r['Status']) for r in rows if r['Service Type'] != 'identity'}, {(None, 'CURRENT')})

    def test_scopes(self):
        self.assertEqual([(r['Type'], r['Name']) for r in VIRGA.json('token', 'scope', 'list', env=DEMO)], [('project', 'demo')])
        self.assertEqual([(r['Type'], r['ID']) for r in VIRGA.json('token', 'scope', 'list')][0], ('system', 'all'))

    def test_a_service_that_came_later(self):
        """A cached token's catalogue lacks it; it is found all the same."""
        env = dict(DEMO, XDG_CACHE_HOME=os.path.join(FOLDER, 'cache-of-its-own'))
        old = VIRGA.json('endpoint', 'list', '--service', 'placement')
        service = VIRGA.json('service', 'show', 'placement')
        VIRGA.do('service', 'delete', 'placement')
        try:
            self.assertIn('has no public endpoint for the placement service', VIRGA.refused('resource', 'provider', 'list', env=env))
        finally:
            VIRGA.do('service', 'create', 'placement', '--name', service['name'])
            for endpoint in old:
                VIRGA.do('endpoint', 'create', 'placement', endpoint['Interface'], endpoint['URL'], '--region', endpoint['Region'])
        self.assertIn('cannot be reached', VIRGA.refused('resource', 'provider', 'list', env=env))

    def test_oauth1(self):
        """Logging in with an access token, as openstack does with the plugin v3oauth1."""
        consumer = VIRGA.json('consumer', 'create')
        by = ('--consumer-key', consumer['id'], '--consumer-secret', consumer['secret'])
        request = VIRGA.json('request', 'token', 'create', *by, '--project', 'admin')
        pin = VIRGA.json('request', 'token', 'authorize', '--request-key', request['key'], '--role', 'reader')['oauth_verifier']
        access = VIRGA.json('access', 'token', 'create', *by, '--request-key', request['key'], '--request-secret', request['secret'], '--verifier', pin)
        none = dict(OS_USERNAME=None, OS_PASSWORD=None, OS_PROJECT_NAME=None, OS_USER_DOMAIN_NAME=None, OS_PROJECT_DOMAIN_NAME=None)
        env = environment(CLOUD, FOLDER, None, None, None, **dict(none, OS_AUTH_TYPE='v3oauth1', OS_CONSUMER_KEY=consumer['id'], OS_CONSUMER_SECRET=consumer['secret'],
                                                                  OS_ACCESS_KEY=access['key'], OS_ACCESS_SECRET=access['secret']))
        for client in self.each():
            token = client.json('token', 'issue', env=env)
            self.assertEqual(VIRGA.json('token', 'show', token['id'])['roles'], 'reader')
        del env['OS_AUTH_TYPE']
        VIRGA.json('token', 'issue', env=env)
        self.assertIn('(HTTP 401)', VIRGA.refused('token', 'issue', env=dict(env, OS_ACCESS_SECRET='x')))
        del env['OS_CONSUMER_KEY']
        self.assertIn('OAuth 1.0a needs', VIRGA.refused('token', 'issue', env=env))
        VIRGA.do('consumer', 'delete', consumer['id'])


# Operations that no command asks for, and why.
NOT_FOR_PEOPLE = {
    'authenticate_federated': 'an assertion logs in', 'authenticate_federated_post': 'an assertion logs in',
    'websso': 'a browser logs in', 'websso_post': 'a browser logs in', 'websso_of_provider': 'a browser logs in', 'websso_of_provider_post': 'a browser logs in',
    'create_token_by_ec2': 'services ask for their clients', 'create_token_by_s3': 'services ask for their clients',
    'create_oauth2_token': 'clients of OAuth 2.0', 'get_oauth2_token': 'says 405', 'put_oauth2_token': 'says 405', 'patch_oauth2_token': 'says 405',
    'delete_oauth2_token': 'says 405',
    'list_revocations': 'for daemons: token revocation list says it',
    'show_version': 'versions show',
    'list_implied_roles': 'implied role list', 'show_implied_role': 'implied role list', 'check_implied_role': 'implied role list',
    'show_trust_role': 'trust role list', 'show_oauth_access_token_role': 'access token role list',
    'update_domain_config_group': 'domain config set', 'update_domain_config_option': 'domain config set',
    'list_project_tags': 'project show', 'check_project_tag': 'project show', 'replace_project_tags': 'project set --clear-tags --tag',
    'clear_project_tags': 'project set --clear-tags',
    'put_region': 'region create',
}


class Whole(Case):
    maxDiff = None

    """Comes last by its name: all that the others have asked for is all that can be asked for."""

    def test_no_operation_is_out_of_reach(self):
        if not ALL:
            self.skipTest('only where the whole program runs')
        path = os.path.join(os.environ.get('VIRGA_OUT', os.path.join(os.path.dirname(__file__), '..', '..', 'build')), 'gen', 'identity_openapi.json')
        with open(path, encoding='utf-8') as file:
            paths = json.load(file)['paths']
        declared = {}
        for template, item in paths.items():
            pattern = re.compile(re.sub(r'\{\w+\}', '[^/]+', template) + '$')
            for method, operation in item.items():
                if isinstance(operation, dict) and 'operationId' in operation:
                    declared[operation['operationId']] = (method.upper(), pattern, template.count('{'))
        reached = set()
        for method, path in set(VIRGA.requests):
            names = [(variables, name) for name, (m, pattern, variables) in declared.items()
                     if pattern.match(path) and (m == method or (m == 'GET' and method == 'HEAD'))]
            if names:
                reached.add(min(names)[1])
        self.assertEqual(sorted(set(declared) - reached), sorted(NOT_FOR_PEOPLE))


ALL = len(sys.argv) < 2 or not [word for w in sys.argv[1:] if not w.startswith('-')]

if __name__ == '__main__':
    unittest.main()
