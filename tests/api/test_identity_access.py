#!/usr/bin/python3
"""Who may do what: every operation of identity that has a rule, for every role and scope, on what is the caller's own, on what is
another's in his domain, and on what is in another domain.

RULES says it as upstream ships it, in words of its own: nothing here reads the rules that the specification declares. A rule that
is not in it fails the test, so a new operation needs its line. What is expected is a table made of it, callers x relations for each
operation; what happens is what the daemon answers: 403, or anything else below 500. ACCESS_TABLE=FILE writes the table."""
import base64
import collections
import hashlib
import hmac
import http.client
import json
import os
import re
import sys
import time
import unittest
import urllib.parse
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402
import rest  # noqa: E402

GEN = os.path.join(os.environ.get('VIRGA_OUT', os.path.join(os.path.dirname(__file__), '..', '..', 'build')), 'gen')
ROLES = ('admin', 'manager', 'member', 'reader', 'service')
SCOPES = ('project', 'domain', 'system')
RELATIONS = ('own', 'neighbour', 'foreign')
PASSWORD = 'correct horse'

# --- Who is meant: functions of the caller and the relation of what he asks for.


def anybody(c, relation):
    return True


def admin(c, relation):
    return 'admin' in c.roles


def auditor(c, relation):
    """Who reads everything: admin, and reader of the system."""
    return admin(c, relation) or ('reader' in c.roles and c.scope == 'system')


def service(c, relation):
    return admin(c, relation) or 'service' in c.roles


def in_domain(role):
    def check(c, relation):
        return role in c.roles and c.scope == 'domain' and relation != 'foreign'
    return check


def owner(c, relation):
    return relation == 'own'


def any_of(*checks):
    return lambda c, relation: any(check(c, relation) for check in checks)


domain_reader = any_of(auditor, in_domain('reader'))
domain_manager = any_of(admin, in_domain('manager'))
own_or_auditor = any_of(auditor, owner)
own_or_admin = any_of(admin, owner)


def own_domain(c, relation):
    """A token for the domain, or for a project in it, may look at the domain."""
    return auditor(c, relation) or (relation != 'foreign' and c.scope in ('project', 'domain'))


def own_project(c, relation):
    return domain_reader(c, relation) or (relation == 'own' and c.scope == 'project')


def lists_domain(c, relation):
    """A list without a filter: of a domain-scoped caller it is his domain's."""
    return auditor(c, relation) or ('reader' in c.roles and c.scope == 'domain')


# --- The rules: name -> who. Upstream's defaults (secure RBAC), with the domain manager of its later releases.

def names(text):
    return text.split()


RULES = {}
for _check, _names in (
        (anybody, """get_region list_regions get_registered_limit list_registered_limits get_limit_model list_limits
            get_security_compliance_domain_config list_credentials get_auth_catalog get_auth_projects get_auth_domains get_auth_system"""),
        (auditor, """get_endpoint list_endpoints get_service list_services get_policy list_policies
            get_domain_config get_domain_config_default get_implied_role list_implied_roles check_implied_role
            list_role_inference_rules get_domain_role list_domain_roles get_consumer list_consumers
            get_endpoint_group list_endpoint_groups get_endpoint_group_in_project list_endpoint_groups_for_project
            list_projects_associated_with_endpoint_group list_endpoints_associated_with_endpoint_group
            list_projects_for_endpoint check_endpoint_in_project list_endpoints_for_project
            check_policy_association_for_endpoint check_policy_association_for_service
            check_policy_association_for_region_and_service get_policy_for_endpoint list_endpoints_for_policy
            get_identity_provider list_identity_providers get_protocol list_protocols get_mapping list_mappings
            get_service_provider list_service_providers list_system_grants_for_user check_system_grant_for_user
            list_system_grants_for_group check_system_grant_for_group list_trusts"""),
        (admin, """create_domain update_domain delete_domain create_endpoint update_endpoint delete_endpoint
            create_service update_service delete_service create_policy update_policy delete_policy create_region update_region delete_region
            create_role update_role delete_role create_domain_role update_domain_role delete_domain_role
            create_implied_role delete_implied_role create_domain_config update_domain_config delete_domain_config
            create_consumer update_consumer delete_consumer authorize_request_token get_access_token get_access_token_role
            list_access_tokens list_access_token_roles delete_access_token
            create_endpoint_group update_endpoint_group delete_endpoint_group add_endpoint_group_to_project
            remove_endpoint_group_from_project add_endpoint_to_project remove_endpoint_from_project
            create_policy_association_for_endpoint create_policy_association_for_service
            create_policy_association_for_region_and_service delete_policy_association_for_endpoint
            delete_policy_association_for_service delete_policy_association_for_region_and_service
            create_identity_provider update_identity_provider delete_identity_provider create_protocol update_protocol
            delete_protocol create_mapping update_mapping delete_mapping create_service_provider update_service_provider
            delete_service_provider create_limits update_limit delete_limit create_registered_limits
            update_registered_limit delete_registered_limit create_system_grant_for_user revoke_system_grant_for_user
            create_system_grant_for_group revoke_system_grant_for_group"""),
        (any_of(auditor, lambda c, r: r == 'own' and c.scope == 'project',
                lambda c, r: r != 'foreign' and c.scope == 'domain'), 'get_limit'),
        (service, 'revocation_list list_revoke_events ec2tokens_validate s3tokens_validate'),
        (own_domain, 'get_domain'),
        (domain_reader, """get_group check_grant list_grants list_users_in_group check_user_in_group"""),
        (lists_domain, 'list_domains list_users list_groups list_projects list_role_assignments list_role_assignments_for_tree'),
        (any_of(domain_reader, owner), 'get_user list_groups_for_user list_user_projects'),
        (own_project, 'get_project list_project_tags get_project_tag'),
        (domain_manager, """create_user update_user delete_user create_group update_group delete_group create_project update_project
            delete_project update_project_tags create_project_tag delete_project_tags delete_project_tag add_user_to_group remove_user_from_group create_grant revoke_grant"""),
        (any_of(auditor, lambda c, r: 'manager' in c.roles), 'get_role'),       # Roles that a domain's manager may give.
        (any_of(auditor, lambda c, r: 'manager' in c.roles and c.scope == 'domain'), 'list_roles'),
        (own_or_auditor, """get_credential ec2_get_credential get_application_credential
            list_application_credentials get_trust list_roles_for_trust get_role_for_trust
            list_trusts_for_trustor list_trusts_for_trustee"""),
        (own_or_admin, """create_credential update_credential delete_credential ec2_delete_credential
            delete_application_credential delete_trust"""),
        (any_of(owner, lambda c, r: c.scope == 'system' and 'reader' in c.roles), 'get_access_rule list_access_rules'),
        (any_of(owner, lambda c, r: c.scope == 'system' and 'admin' in c.roles), 'delete_access_rule'),
        (any_of(admin, lambda c, r: r == 'own' and 'member' in c.roles), 'ec2_list_credentials ec2_create_credential'),
        (lambda c, r: r == 'own' and c.scope == 'project', 'create_application_credential'),
        (lambda c, r: r == 'own' and c.scope is not None, 'create_trust')):    # Without a role there is nothing to trust with.
    for _name in names(_names):
        RULES['identity:' + _name] = _check


def document():
    with open(os.path.join(GEN, 'identity_openapi.json'), encoding='utf-8') as file:
        return json.load(file)


def operations():
    for path, item in document()['paths'].items():
        for method, op in item.items():
            if isinstance(op, dict) and op.get('x-virga', {}).get('policy'):
                yield op['operationId'], method.upper(), path, op['x-virga']


class Wire:
    """One connection that stays open."""

    def __init__(self, url):
        self.at = urllib.parse.urlsplit(url)
        self.connection = http.client.HTTPConnection(self.at.hostname, self.at.port, timeout=30)

    def request(self, method, path, body=None, token=None):
        headers = {'X-Auth-Token': token} if token else {}
        data = None
        if body is not None:
            data, headers['Content-Type'] = json.dumps(body), 'application/json'
        self.connection.request(method, path, data, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        return answer.status, json.loads(content) if content[:1] in (b'{', b'[') else content


Caller = collections.namedtuple('Caller', 'name token user scope roles')


def word():
    return 'w' + uuid.uuid4().hex[:10]


class World:
    """Two domains; in the first a user for each role and scope, and a neighbour with things of his own; a stranger in the second."""

    def __init__(self, cloud):
        self.wire = Wire(cloud.urls['identity'])
        self.admin = cloud.admin().token
        self.roles = {r['name']: r['id'] for r in self.get('/v3/roles')['roles']}
        self.domains = {'own': self.make('domain')['id'], 'foreign': self.make('domain')['id']}
        self.domains['neighbour'] = self.domains['own']
        self.projects = {r: self.make('project', domain_id=self.domains[r])['id'] for r in RELATIONS}
        self.users = {r: self.person(r)['id'] for r in ('neighbour', 'foreign')}
        self.callers = [self.caller(role, scope) for scope in SCOPES for role in ROLES] + [self.caller(None, None)]

    def get(self, path):
        status, content = self.wire.request('GET', path, None, self.admin)
        assert status == 200, (path, status, content)
        return content

    def post(self, path, body):
        status, content = self.wire.request('POST', path, body, self.admin)
        assert status in (200, 201), (path, status, content)
        return content

    def put(self, path, body=None):
        status, content = self.wire.request('PUT', path, body, self.admin)
        assert status in (200, 201, 204), (path, status, content)
        return content

    def make(self, key, path=None, **members):
        if key not in ('credential', 'policy', 'endpoint', 'region'):
            members.setdefault('name', word())
        return self.post(path or '/v3/%ss' % key if key != 'policy' else '/v3/policies', {key: members})[key]

    def person(self, relation):
        return self.make('user', domain_id=self.domains[relation], password=PASSWORD)

    def caller(self, role, scope):
        user = self.person('own')['id']
        where, asked = {'project': ('projects/' + self.projects['own'], {'project': {'id': self.projects['own']}}),
                        'domain': ('domains/' + self.domains['own'], {'domain': {'id': self.domains['own']}}),
                        'system': ('system', {'system': {'all': True}}), None: (None, 'unscoped')}[scope]
        if role:
            self.put('/v3/%s/users/%s/roles/%s' % (where, user, self.roles[role]))
        body = {'auth': {'identity': {'methods': ['password'], 'password': {'user': {'id': user, 'password': PASSWORD}}}, 'scope': asked}}
        status, headers, content = rest.request('POST', 'http://%s/v3/auth/tokens' % self.wire.at.netloc, body)
        assert status == 201, content
        held = {r['name'] for r in content['token'].get('roles', ())}
        return Caller('%s on %s' % (role, scope) if role else 'unscoped', headers['X-Subject-Token'], user, scope, held)

    def user_of(self, caller, relation):
        return caller.user if relation == 'own' else self.users[relation]


class Target:
    """What the parameters of one operation's path name, for one relation to one caller. Made when first asked for."""

    def __init__(self, world, caller, relation, operation):
        self.w, self.caller, self.relation, self.operation = world, caller, relation, operation
        self.spends = SPENDS.match(operation) is not None
        self.domain, self.project = world.domains[relation], world.projects[relation]
        self.values = {}

    def __getitem__(self, name):
        if name not in self.values:
            self.values[name] = getattr(self, name)()
        return self.values[name]

    def fresh_user(self):
        return self.w.make('user', domain_id=self.domain)['id']

    # A deletion of oneself, or of the project one is in, would end the caller: such targets are others of the same kind.
    def user_id(self):
        return self.fresh_user() if self.spends else self.w.user_of(self.caller, self.relation)

    def project_id(self):
        return self.w.make('project', domain_id=self.domain)['id'] if self.operation == 'delete_project' else self.project

    def domain_id(self):
        if 'security_compliance' in self.operation:
            return 'default'    # There is one configuration, the default domain's.
        return self.w.make('domain', enabled=False)['id'] if self.operation == 'delete_domain' else self.domain

    def group_id(self):
        return self.w.make('group', domain_id=self.domain)['id']

    def role_id(self):
        return self.w.make('role')['id'] if self.operation in ('delete_role', 'update_role') else self.w.roles['reader']

    def implied_role_id(self):
        return self.w.make('role')['id']

    def service_id(self):
        return self.w.make('service', type='test')['id']

    def region_id(self):
        return self.w.make('region')['id']

    def endpoint_id(self):
        return self.w.make('endpoint', service_id=self.service_id(), interface='public', url='http://x/')['id']

    def policy_id(self):
        return self.w.make('policy', type='x', blob='x')['id']

    def credential_id(self):
        return self.w.make('credential', type='cert', blob='x', user_id=self.w.user_of(self.caller, self.relation))['id']

    def access(self):
        return self.w.post('/v3/users/%s/credentials/OS-EC2' % self['user_id'], {'tenant_id': self.project})['credential']['access']

    def application_credential_id(self):
        """The owner makes it; where that is another, there is none of the name."""
        if self.relation != 'own' or self.caller.scope != 'project' or not self.caller.roles:
            return word()
        status, content = self.w.wire.request('POST', '/v3/users/%s/application_credentials' % self.caller.user,
                                              {'application_credential': {'name': word()}}, self.caller.token)
        assert status == 201, content
        return content['application_credential']['id']

    def access_rule_id(self):
        return word()

    def consumer_id(self):
        return self.w.make('consumer', '/v3/OS-OAUTH1/consumers')['id']

    def request_token_id(self):
        return word()

    def access_token_id(self):
        return word()

    def endpoint_group_id(self):
        return self.w.make('endpoint_group', '/v3/OS-EP-FILTER/endpoint_groups', filters={'interface': 'public'})['id']

    def idp_id(self):
        if self.operation == 'create_identity_provider':
            return word()
        name = word()
        self.w.put('/v3/OS-FEDERATION/identity_providers/' + name, {'identity_provider': {}})
        return name

    def mapping_id(self):
        name = word()
        if self.operation != 'create_mapping':
            self.w.put('/v3/OS-FEDERATION/mappings/' + name, {'mapping': {'rules': MAPPING_RULES}})
        return name

    def protocol_id(self):
        name = word()
        if self.operation != 'create_protocol':
            self.w.put('/v3/OS-FEDERATION/identity_providers/%s/protocols/%s' % (self['idp_id'], name),
                       {'protocol': {'mapping_id': self['mapping_id']}})
        return name

    def sp_id(self):
        name = word()
        if self.operation != 'create_service_provider':
            self.w.put('/v3/OS-FEDERATION/service_providers/' + name,
                       {'service_provider': {'auth_url': 'http://x/', 'sp_url': 'http://y/'}})
        return name

    def registered_limit_id(self):
        service = self.service_id()
        made = self.w.post('/v3/registered_limits', {'registered_limits': [
            {'service_id': service, 'resource_name': 'thing', 'default_limit': 1}]})['registered_limits'][0]
        self.service = service
        return made['id']

    def registered_service(self):
        self.registered_limit_id()
        return self.service

    def limit_id(self):
        self.registered_limit_id()
        where = {'domain_id': self.domain} if self.caller.scope == 'domain' else {'project_id': self.project}
        return self.w.post('/v3/limits', {'limits': [dict(where, service_id=self.service, resource_name='thing', resource_limit=1)]})['limits'][0]['id']

    def trust_id(self):
        """Of the caller's own making, or a neighbour's between others."""
        return word()

    def group(self):
        return 'security_compliance' if 'security_compliance' in self.operation else 'identity'

    def option(self):
        return 'password_regex' if 'security_compliance' in self.operation else 'list_limit'

    def value(self):
        return word()


MAPPING_RULES = [{'local': [{'user': {'name': '{0}'}}], 'remote': [{'type': 'REMOTE_USER'}]}]


def signed(target, s3):
    """A request that a member of the project signed: the shortest that EC2 and S3 know."""
    w, user = target.w, target.fresh_user()
    w.put('/v3/projects/%s/users/%s/roles/%s' % (target.project, user, w.roles['member']))
    key = w.post('/v3/users/%s/credentials/OS-EC2' % user, {'tenant_id': target.project})['credential']
    params = {'SignatureVersion': '1', 'Timestamp': time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}
    text = 'GET\n\n\n\n/bucket' if s3 else ''.join(name + params[name] for name in sorted(params))
    signature = base64.b64encode(hmac.new(key['secret'].encode(), text.encode(), hashlib.sha1).digest()).decode()
    return {'credentials': {'access': key['access'], 'signature': signature, 'params': params,
                            'token': base64.b64encode(text.encode()).decode()}}


# Bodies of what is created or changed, where the rule looks at them or is asked after they were read.
BODIES = {
    'create_credential': lambda t: {'credential': {'type': 'cert', 'blob': 'x', 'user_id': t.w.user_of(t.caller, t.relation)}},
    'update_credential': lambda t: {'credential': {'blob': 'y'}},
    'create_ec2_credential': lambda t: {'tenant_id': t.project},
    'create_token_by_ec2': lambda t: signed(t, False),
    'create_token_by_s3': lambda t: signed(t, True),
    'create_user': lambda t: {'user': {'name': word(), 'domain_id': t.domain}},
    'create_group': lambda t: {'group': {'name': word(), 'domain_id': t.domain}},
    'create_project': lambda t: {'project': {'name': word(), 'domain_id': t.domain}},
    'create_domain': lambda t: {'domain': {'name': word()}},
    'create_role': lambda t: {'role': {'name': word()}},
    'create_region': lambda t: {'region': {}},
    'create_service': lambda t: {'service': {'type': 'x', 'name': 'x'}},
    'create_endpoint': lambda t: {'endpoint': {'service_id': t.service_id(), 'interface': 'public', 'url': 'http://x/'}},
    'create_policy': lambda t: {'policy': {'type': 'x', 'blob': 'x'}},
}
BODIES.update({
    'create_application_credential': lambda t: {'application_credential': {'name': word()}},
    'create_endpoint_group': lambda t: {'endpoint_group': {'name': word(), 'filters': {'interface': 'public'}}},
    'create_identity_provider': lambda t: {'identity_provider': {}},
    'create_mapping': lambda t: {'mapping': {'rules': MAPPING_RULES}},
    'update_mapping': lambda t: {'mapping': {'rules': MAPPING_RULES}},
    'create_protocol': lambda t: {'protocol': {'mapping_id': t['mapping_id']}},
    'update_protocol': lambda t: {'protocol': {'mapping_id': t['mapping_id']}},
    'create_service_provider': lambda t: {'service_provider': {'auth_url': 'http://x/', 'sp_url': 'http://y/'}},
    'create_registered_limits': lambda t: {'registered_limits': [
        {'service_id': t.service_id(), 'resource_name': 'thing', 'default_limit': 1}]},
    'update_registered_limit': lambda t: {'registered_limit': {'default_limit': 2}},
    'create_limits': lambda t: {'limits': [{'service_id': t.registered_service(), 'resource_name': 'thing', 'resource_limit': 1, 'project_id': t.project}]},
    'update_limit': lambda t: {'limit': {'resource_limit': 2}},
    'replace_project_tags': lambda t: {'tags': ['a']},
    'put_region': lambda t: {'region': {}},
    'create_consumer': lambda t: {'consumer': {'description': 'x'}},
    'update_consumer': lambda t: {'consumer': {'description': 'x'}},
    'authorize_oauth_request_token': lambda t: {'roles': []},
    'create_trust': lambda t: {'trust': {'trustor_user_id': t.w.user_of(t.caller, t.relation), 'trustee_user_id': t.w.users['neighbour'],
                                         'impersonation': False, 'project_id': t.w.projects['own'],
                                         'roles': [{'name': n} for n in sorted(t.caller.roles)]}},
})
BODIES.update(dict.fromkeys(('create_domain_config', 'update_domain_config', 'update_domain_config_group'),
                            lambda t: {'config': {'identity': {'list_limit': 10}}}))
BODIES['update_domain_config_option'] = lambda t: {'config': {'list_limit': 10}}
UPDATES = {'endpoint_group': {'name': 'x'}, 'identity_provider': {'description': 'x'}, 'service_provider': {'description': 'x'}, 'user': {'description': 'x'}, 'group': {'description': 'x'}, 'project': {'description': 'x'}, 'domain': {'description': 'x'},
           'role': {'description': 'x'}, 'region': {'description': 'x'}, 'service': {'description': 'x'},
           'endpoint': {'url': 'http://y/'}, 'policy': {'blob': 'y'}}
# What ends the thing that its path names, or a user's tokens, so that each caller needs one of his own.
SPENDS = re.compile('(delete_(user|project|domain|role)|revoke_.*|remove_user.*)$')


def body_of(name, method, target):
    if name in BODIES:
        return BODIES[name](target)
    key = name.split('_', 1)[1]
    if method == 'PATCH' and key in UPDATES:
        return {key: UPDATES[key]}
    return {} if method in ('POST', 'PATCH') else None


class Access(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.cloud = Cloud(services=['identity'])
        cls.addClassCleanup(cls.cloud.close)
        cls.world = World(cls.cloud)

    def test_each_rule_is_known(self):
        self.assertEqual([], sorted({x['policy'] for _, _, _, x in operations()} - set(RULES)))

    def ask(self, caller, relation, operation):
        name, method, path, x = operation
        target = Target(self.world, caller, relation, name)
        filled = '/'.join(target[part[1:-1]] if part.startswith('{') else part for part in path.split('/'))
        return self.world.wire.request(method, filled, body_of(name, method, target), caller.token)

    def cell(self, caller, relation, operation):
        """Expected and found, as letters: y, n; and what was answered where they differ."""
        wanted = RULES[operation[3]['policy']](caller, relation)
        status, content = self.ask(caller, relation, operation)
        done = status != 403
        good = done == wanted and status != 401 and status < 500
        return 'y' if wanted else 'n', None if good else '%s %s, %s: expected %s, found %d %s' % (
            operation[0], caller.name, relation, 'yes' if wanted else '403', status, str(content)[:120])

    def test_all(self):
        wrong, rows, cells = [], [], 0
        for operation in operations():
            if operation[3]['policy'] not in RULES:
                continue
            row = []
            for caller in self.world.callers:
                for relation in RELATIONS:
                    letter, problem = self.cell(caller, relation, operation)
                    row.append(letter)
                    wrong += [problem] if problem else []
            cells += len(row)
            rows.append('\t'.join([operation[0]] + row))
        if os.environ.get('ACCESS_TABLE'):
            with open(os.environ['ACCESS_TABLE'], 'w', encoding='utf-8') as f:
                f.write('\t'.join(['operation'] + ['%s, %s' % (c.name, r) for c in self.world.callers for r in RELATIONS]) + '\n')
                f.write('\n'.join(rows) + '\n')
        print('%d operations, %d callers x %d relations, %d cells, %d wrong' % (
            len(rows), len(self.world.callers), len(RELATIONS), cells, len(wrong)), file=sys.stderr)
        if wrong:
            self.fail('\n'.join(wrong[:200]))


if __name__ == '__main__':
    unittest.main()
