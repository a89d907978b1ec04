"""What tests of identity do over and over: objects made by the administrator, grants, log-ins.

    with Cloud(services=['identity']) as cloud:
        identity = Identity(cloud)
        user, project = identity.user(), identity.make('project')
        identity.give('member', project=project, user=user)
        session = identity.login(user, project=project)"""
import uuid

import rest

PASSWORD = 'correct horse'


def unique(prefix='x'):
    return f'{prefix}-{uuid.uuid4().hex[:12]}'


class Identity:
    def __init__(self, cloud):
        self.cloud, self.admin, self.url = cloud, cloud.admin(), cloud.urls['identity']
        self.roles = {r['name']: r['id'] for r in self.call('GET', '/v3/roles')['roles']}

    def request(self, method, path, body=None, session=None, headers=None):
        """(status, headers, content)"""
        return (session or self.admin).request(method, 'identity', path, body, headers)

    def call(self, method, path, body=None, status=None, session=None):
        """The content of an answer that must have that status (default: any that is a success)."""
        got, _, content = self.request(method, path, body, session)
        if got != status and (status is not None or not 200 <= got < 300):
            raise AssertionError(f'{method} {path}: {got}, not {status or "a success"}: {content}')
        return content

    def make(self, kind, session=None, **members):
        members.setdefault('name', unique(kind))
        return self.call('POST', f'/v3/{kind}s', {kind: members}, 201, session)[kind]

    def user(self, **members):
        return self.make('user', **dict({'password': PASSWORD}, **members))

    def grant(self, role, user=None, group=None, project=None, domain=None, inherited=False):
        """The path of a grant; without project and domain on the system. 'role': a name, or an object."""
        role_id = self.roles[role] if isinstance(role, str) else role['id']
        target = f"projects/{project['id']}" if project else f"domains/{domain['id']}" if domain else 'system'
        actor = f"users/{user['id']}" if user else f"groups/{group['id']}"
        return f"/v3/{'OS-INHERIT/' if inherited else ''}{target}/{actor}/roles/{role_id}{'/inherited_to_projects' if inherited else ''}"

    def give(self, role, **where):
        self.call('PUT', self.grant(role, **where), status=204)

    def take(self, role, **where):
        self.call('DELETE', self.grant(role, **where), status=204)

    def try_login(self, user, project=None, domain=None, system=False, password=PASSWORD):
        """(status, session or content)"""
        auth = {'identity': {'methods': ['password'], 'password': {'user': {'id': user['id'], 'password': password}}}}
        if project or domain:
            auth['scope'] = {'project': {'id': project['id']}} if project else {'domain': {'id': domain['id']}}
        elif system:
            auth['scope'] = {'system': {'all': True}}
        status, headers, content = rest.request('POST', self.url + '/v3/auth/tokens', {'auth': auth})
        return status, rest.Session(self.cloud.urls, headers['X-Subject-Token'], content['token']) if status == 201 else content

    def login(self, user, **scope):
        status, session = self.try_login(user, **scope)
        if status != 201:
            raise AssertionError(f'login: {status} {session}')
        return session

    def someone(self, role, **where):
        """A new user of the target's domain (or the default one) with a role there, logged in for it."""
        target = where.get('domain') or where.get('project')
        domain = where['domain']['id'] if 'domain' in where else target['domain_id'] if target else 'default'
        user = self.user(domain_id=domain)
        self.give(role, user=user, **where)
        return user, self.login(user, **(where or {'system': True}))
