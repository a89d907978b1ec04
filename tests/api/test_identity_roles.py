#!/usr/bin/python3
"""Roles: those of domains, those that imply others, grants in all their forms, who may give which, and what ends with them."""
import concurrent.futures
import os
import sys
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402
from identity import Identity, unique  # noqa: E402


def setUpModule():
    global CLOUD, I
    CLOUD = Cloud(services=['identity'])
    I = Identity(CLOUD)


def tearDownModule():
    CLOUD.close()


def imply(prior, implied):
    return f"/v3/roles/{prior['id']}/implies/{implied['id']}"


def names(session):
    return {r['name'] for r in session.auth['roles']}


class OfADomain(unittest.TestCase):
    def test_lists(self):
        domain = I.make('domain')
        role, common = I.make('role', domain_id=domain['id']), I.make('role')
        ids = lambda query: [r['id'] for r in I.call('GET', '/v3/roles' + query)['roles']]  # noqa: E731
        self.assertEqual(ids('?domain_id=' + domain['id']), [role['id']])
        self.assertNotIn(role['id'], ids(''))
        self.assertIn(common['id'], ids(''))
        self.assertEqual(ids('?name=' + role['name']), [])
        self.assertEqual(ids(f"?name={role['name']}&domain_id={domain['id']}"), [role['id']])
        for change in ('default', None):
            I.call('PATCH', '/v3/roles/' + role['id'], {'role': {'domain_id': change}}, 400)

    def test_where_it_fits(self):
        domain, other = I.make('domain'), I.make('domain')
        role, user = I.make('role', domain_id=domain['id']), I.user()
        mine, theirs = I.make('project', domain_id=domain['id']), I.make('project', domain_id=other['id'])
        for inherited in (False, True):
            I.give(role, user=user, project=mine, inherited=inherited)
            message = I.call('PUT', I.grant(role, user=user, project=theirs, inherited=inherited), status=403)['error']['message']
            self.assertIn('must be in the same domain', message)
        I.give(role, user=user, domain=domain)
        self.assertIn('domain-specific', I.call('PUT', I.grant(role, user=user), status=400)['error']['message'])

    def test_it_stands_in_no_token_but_what_it_implies_does(self):
        domain = I.make('domain')
        role, common = I.make('role', domain_id=domain['id']), I.make('role')
        user, project = I.user(domain_id=domain['id']), I.make('project', domain_id=domain['id'])
        I.give(role, user=user, project=project)
        self.assertEqual(I.try_login(user, project=project)[0], 401)
        self.assertEqual(I.call('GET', '/v3/auth/projects', session=I.login(user))['projects'], [])
        I.call('PUT', imply(role, common), status=201)
        session = I.login(user, project=project)
        self.assertEqual(names(session), {common['name']})
        self.assertEqual([p['id'] for p in I.call('GET', '/v3/auth/projects', session=session)['projects']], [project['id']])
        listed = I.call('GET', '/v3/role_assignments?effective&user.id=' + user['id'])['role_assignments']
        self.assertEqual([x['role']['id'] for x in listed], [common['id']])
        self.assertTrue(listed[0]['links']['assignment'].endswith(I.grant(role, user=user, project=project)))

    def test_what_ends_the_tokens_it_made(self):
        ends = {'taken': lambda role, common, where: I.take(role, **where),
                'no longer implied': lambda role, common, where: I.call('DELETE', imply(role, common), status=204),
                'deleted': lambda role, common, where: I.call('DELETE', '/v3/roles/' + role['id'], status=204)}
        for what, end in ends.items():
            with self.subTest(what=what):
                domain = I.make('domain')
                role, common = I.make('role', domain_id=domain['id']), I.make('role')
                project = I.make('project', domain_id=domain['id'])
                I.call('PUT', imply(role, common), status=201)
                user, session = I.someone(role, project=project)
                I.call('GET', '/v3/auth/projects', session=session)
                end(role, common, {'user': user, 'project': project})
                I.call('GET', '/v3/auth/projects', status=401, session=session)

    def test_rules_of_their_own(self):
        domain = I.make('domain')
        role, common = I.make('role', domain_id=domain['id']), I.make('role')
        _, manager = I.someone('manager', domain=domain)
        _, auditor = I.someone('reader')
        _, worker = I.someone('manager', project=I.make('project', domain_id=domain['id']))
        I.call('GET', '/v3/roles', session=manager)
        I.call('GET', '/v3/roles/' + I.roles['member'], session=manager)
        for path in ('/v3/roles/' + I.roles['admin'], '/v3/roles/' + common['id'], '/v3/roles/' + role['id'], '/v3/roles/' + uuid.uuid4().hex,
                     '/v3/roles?domain_id=' + domain['id']):
            I.call('GET', path, status=403, session=manager)
        I.call('GET', '/v3/roles/' + role['id'], session=auditor)
        I.call('GET', '/v3/roles?domain_id=' + domain['id'], session=auditor)
        I.call('GET', '/v3/roles', status=403, session=worker)  # His token is for a project.
        for body in ({'name': unique()}, {'name': unique(), 'domain_id': domain['id']}):
            for session in (manager, auditor):
                I.call('POST', '/v3/roles', {'role': body}, 403, session)
        for thing in (role, common):
            I.call('PATCH', '/v3/roles/' + thing['id'], {'role': {'description': 'd'}}, 403, manager)
            I.call('DELETE', '/v3/roles/' + thing['id'], status=403, session=manager)


class Implied(unittest.TestCase):
    def test_bodies(self):
        prior, one, two = I.make('role'), I.make('role'), I.make('role')
        part = lambda r: {'id': r['id'], 'name': r['name'], 'links': {'self': f"{I.url}/v3/roles/{r['id']}"}}  # noqa: E731
        made = I.call('PUT', imply(prior, one), status=201)
        self.assertEqual(made, {'role_inference': {'prior_role': part(prior), 'implies': part(one)}, 'links': {'self': I.url + imply(prior, one)}})
        self.assertEqual(I.call('GET', imply(prior, one)), made)
        I.call('PUT', imply(prior, two), status=201)
        listed = I.call('GET', f"/v3/roles/{prior['id']}/implies")
        self.assertEqual(listed['links'], {'self': f"{I.url}/v3/roles/{prior['id']}/implies"})
        self.assertEqual(listed['role_inference']['prior_role'], part(prior))
        self.assertCountEqual(listed['role_inference']['implies'], [part(one), part(two)])
        self.assertEqual(I.call('GET', f"/v3/roles/{one['id']}/implies")['role_inference']['implies'], [])
        everything = I.call('GET', '/v3/role_inferences')
        self.assertEqual(list(everything), ['role_inferences'])
        mine = [x for x in everything['role_inferences'] if x['prior_role']['id'] == prior['id']]
        self.assertEqual([x['prior_role'] for x in mine], [part(prior)])
        self.assertCountEqual(mine[0]['implies'], [part(one), part(two)])
        self.assertEqual([I.request('HEAD', path)[0] for path in (imply(prior, one), imply(one, prior), '/v3/role_inferences')], [204, 404, 200])

    def test_refused(self):
        domain, role = I.make('domain'), I.make('role')
        local = I.make('role', domain_id=domain['id'])
        admin = {'id': I.roles['admin']}
        I.call('PUT', imply(role, admin), status=403)
        I.call('PUT', imply(local, admin), status=403)
        I.call('PUT', imply(role, local), status=403)
        I.call('PUT', imply(local, role), status=201)
        I.call('PUT', imply(local, role), status=409)
        I.call('PUT', imply(role, role), status=400)
        for pair in ((role, {'id': uuid.uuid4().hex}), ({'id': uuid.uuid4().hex}, role)):
            for method in ('PUT', 'GET', 'DELETE'):
                I.call(method, imply(*pair), status=404)
        I.call('DELETE', imply(local, role), status=204)
        I.call('DELETE', imply(local, role), status=404)

    def test_who_may(self):
        role = I.make('role')
        _, manager = I.someone('manager', domain=I.make('domain'))
        _, auditor = I.someone('reader')
        for path in ('/v3/role_inferences', f"/v3/roles/{role['id']}/implies", imply({'id': I.roles['member']}, {'id': I.roles['reader']})):
            I.call('GET', path, session=auditor)
            I.call('GET', path, status=403, session=manager)
        for session in (manager, auditor):
            for method in ('PUT', 'DELETE'):
                I.call(method, imply(role, {'id': I.roles['reader']}), status=403, session=session)


class Grants(unittest.TestCase):
    def test_all_forms(self):
        """Eight inherited families beside the eight plain ones, and the system's four."""
        domain = I.make('domain')
        project, user, group = I.make('project', domain_id=domain['id']), I.user(), I.make('group')
        for target in ({'project': project}, {'domain': domain}, {}):
            for actor in ({'user': user}, {'group': group}):
                for inherited in (False, True) if target else (False,):
                    with self.subTest(target=list(target), actor=list(actor), inherited=inherited):
                        path = I.grant('reader', inherited=inherited, **target, **actor)
                        every = path.replace('/' + I.roles['reader'], '')
                        self.assertEqual([I.request(m, path)[0] for m in ('GET', 'HEAD', 'DELETE')], [404] * 3)
                        self.assertEqual([I.request('PUT', path)[0] for _ in range(2)], [204] * 2)
                        self.assertEqual([I.request(m, path)[::2] for m in ('GET', 'HEAD')], [(204, b'')] * 2)
                        listed = I.call('GET', every)
                        self.assertEqual([r['id'] for r in listed['roles']], [I.roles['reader']])
                        self.assertEqual(listed['roles'][0]['links'], {'self': f"{I.url}/v3/roles/{I.roles['reader']}"})
                        self.assertEqual(listed['links'], {'self': I.url + every, 'next': None, 'previous': None})
                        self.assertEqual(I.request('HEAD', every)[0], 200)
                        if target:  # The other kind is another grant.
                            I.call('GET', I.grant('reader', inherited=not inherited, **target, **actor), status=404)
                        I.call('DELETE', path, status=204)
                        self.assertEqual(I.call('GET', every)['roles'], [])

    def test_what_is_not_there(self):
        project, user, group, nobody = I.make('project'), I.user(), I.make('group'), {'id': uuid.uuid4().hex}
        _, stranger = I.someone('manager', domain=I.make('domain'))
        for inherited in (False, True):
            for where in ({'project': nobody, 'user': user}, {'project': project, 'user': nobody}, {'project': project, 'group': nobody},
                          {'domain': nobody, 'group': group}):
                for method in ('PUT', 'GET', 'DELETE'):
                    path = I.grant('reader', inherited=inherited, **where)
                    self.assertIn('Could not find', I.call(method, path, status=404)['error']['message'])
                    I.call(method, path, status=403, session=stranger)
            I.call('PUT', I.grant(nobody, project=project, user=user, inherited=inherited), status=404)
        for actor in ({'user': nobody}, {'group': nobody}):
            I.call('PUT', I.grant('reader', **actor), status=404)
        message = I.call('GET', I.grant('reader', project=project, user=user), status=404)['error']['message']
        for part in (I.roles['reader'], project['id'], user['id']):
            self.assertIn(part, message)

    def test_managers_of_a_domain(self):
        """manager, member and reader, within the domain, and nothing else."""
        domain, other = I.make('domain'), I.make('domain')
        _, manager = I.someone('manager', domain=domain)
        _, reader = I.someone('reader', domain=domain)
        inside = {'user': I.user(domain_id=domain['id']), 'group': I.make('group', domain_id=domain['id']),
                  'project': I.make('project', domain_id=domain['id']), 'domain': domain}
        outside = {'user': I.user(domain_id=other['id']), 'group': I.make('group', domain_id=other['id']),
                   'project': I.make('project', domain_id=other['id']), 'domain': other}
        local = I.make('role', domain_id=domain['id'])
        for target in ('project', 'domain'):
            for actor in ('user', 'group'):
                for inherited in (False, True):
                    with self.subTest(target=target, actor=actor, inherited=inherited):
                        right = {target: inside[target], actor: inside[actor], 'inherited': inherited}
                        for role in ('manager', 'member', 'reader'):
                            path = I.grant(role, **right)
                            I.call('PUT', path, status=204, session=manager)
                            for session in (manager, reader):
                                I.call('GET', path, status=204, session=session)
                                I.call('GET', path.replace('/' + I.roles[role], ''), session=session)
                            I.call('DELETE', path, status=403, session=reader)
                            I.call('DELETE', path, status=204, session=manager)
                        for role in ('admin', 'service', local):
                            for method in ('PUT', 'DELETE'):
                                I.call(method, I.grant(role, **right), status=403, session=manager)
                        I.call('PUT', I.grant('reader', **right), status=403, session=reader)
                        for wrong in (dict(right, **{target: outside[target]}), dict(right, **{actor: outside[actor]})):
                            for method in ('PUT', 'GET', 'DELETE'):
                                I.call(method, I.grant('reader', **wrong), status=403, session=manager)
                            I.call('GET', I.grant('reader', **wrong).replace('/' + I.roles['reader'], ''), status=403, session=manager)
        for actor in ({'user': inside['user']}, {'group': inside['group']}):
            for method in ('PUT', 'GET', 'DELETE'):
                I.call(method, I.grant('reader', **actor), status=403, session=manager)
        worker, _ = I.someone('manager', project=inside['project'])
        session = I.login(worker, project=inside['project'])  # The same role, but for a project.
        I.call('PUT', I.grant('reader', project=inside['project'], user=inside['user']), status=403, session=session)

    def test_auditors_of_the_system(self):
        _, auditor = I.someone('reader')
        user, project = I.user(), I.make('project')
        I.give('member', user=user, project=project)
        I.give('reader', user=user)
        for path in (I.grant('member', user=user, project=project), I.grant('reader', user=user)):
            I.call('GET', path, status=204, session=auditor)
            for method in ('PUT', 'DELETE'):
                I.call(method, path, status=403, session=auditor)

    def test_what_ends_tokens(self):
        """Of the user, and of everyone in the group; inherited ones, and those of the system; not those for elsewhere."""
        domain = I.make('domain')
        top = I.make('project', domain_id=domain['id'])
        low = I.make('project', domain_id=domain['id'], parent_id=top['id'])
        for where, scope in (({'project': top}, {'project': top}), ({'domain': domain}, {'domain': domain}), ({}, {'system': True}),
                             ({'project': top, 'inherited': True}, {'project': low}), ({'domain': domain, 'inherited': True}, {'project': low})):
            for by_group in (False, True):
                with self.subTest(where=list(where), by_group=by_group):
                    user, elsewhere, actor = I.user(domain_id=domain['id']), I.make('project'), {}
                    if by_group:
                        actor['group'] = I.make('group')
                        I.call('PUT', f"/v3/groups/{actor['group']['id']}/users/{user['id']}", status=204)
                    else:
                        actor['user'] = user
                    I.give('member', **where, **actor)
                    I.give('reader', user=user, project=elsewhere)
                    session, other = I.login(user, **scope), I.login(user, project=elsewhere)
                    I.call('GET', '/v3/auth/projects', session=session)
                    I.take('member', **where, **actor)
                    I.call('GET', '/v3/auth/projects', status=401, session=session)
                    I.call('GET', '/v3/auth/projects', session=other)
                    self.assertEqual(I.try_login(user, **scope)[0], 401)

    def test_no_row_outlives_what_it_is_about(self):
        orphans = ("SELECT count(*) FROM assignment s WHERE NOT EXISTS (SELECT 1 FROM account a WHERE a.id = s.actor_id UNION ALL SELECT 1 FROM "
                   "user_group g WHERE g.id = s.actor_id) OR (s.target_type <> 'system' AND NOT EXISTS (SELECT 1 FROM project p WHERE p.id = "
                   "s.target_id UNION ALL SELECT 1 FROM domain d WHERE d.id = s.target_id))")
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for turn in range(12):
                domain = I.make('domain', enabled=turn % 4 != 3)
                user, group, role = I.user(), I.make('group'), I.make('role')
                project = I.make('project', **({'domain_id': domain['id']} if turn % 4 != 3 else {}))
                where = {'project': project, **({'group': group} if turn % 2 else {'user': user})}
                if turn % 4 == 3:
                    where = {'domain': domain, 'user': user}
                gone = ('/v3/projects/' + project['id'], '/v3/groups/' + group['id'], '/v3/users/' + user['id'], '/v3/domains/' + domain['id'])[turn % 4]
                made = [pool.submit(I.request, 'PUT', I.grant(r, **where)) for r in ('reader', 'member', role)]
                deleted = pool.submit(I.request, 'DELETE', gone)
                self.assertEqual(deleted.result()[0], 204)
                for m in made:
                    self.assertIn(m.result()[0], (204, 404))
        self.assertEqual(CLOUD.sql('identity', orphans).strip(), '0')


if __name__ == '__main__':
    unittest.main()
