#!/usr/bin/python3
"""Identity by the command line: each kind of thing from create to delete, beside Debian's openstack where it has the command; bad input,
unknown names, names in any script; and which operations of the API no command reaches."""
import json
import os
import shutil
import sys
import tempfile
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402
from command_line import Client, environment  # noqa: E402

PASSWORD = 'Correct-Horse-7'


def setUpModule():
    global CLOUD, FOLDER, VIRGA, OPENSTACK, DEMO
    CLOUD = Cloud(services=['identity'])
    FOLDER = tempfile.mkdtemp(prefix='virga-test-cli-')
    admin = environment(CLOUD, FOLDER, 'admin', CLOUD.layout.secret('user-admin'), 'admin')
    VIRGA = Client(CLOUD.layout.binary('virga'), admin)
    OPENSTACK = Client('openstack', admin)
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


if __name__ == '__main__':
    unittest.main()
