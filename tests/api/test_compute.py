#!/usr/bin/python3
"""Compute, the real daemon with all its neighbours and two hosts that exist in memory only: flavors, key pairs, quotas, hosts, and
servers from their wish to their end."""
import base64
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
from cloud import Cloud  # noqa: E402
from sim_hosts import SimHosts  # noqa: E402

PASSWORD = 'correct horse'
NOBODY = str(uuid.uuid4())
KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINCovdEZPXD4gEGh5EZSAOFJ6IdOFBd6lx9VyN72viWf me@there'
FINGERPRINT = '8f:66:a1:1d:9d:d1:90:7c:0c:dc:b9:4f:43:42:55:53'
FAULTS = {400: 'badRequest', 401: 'error', 403: 'forbidden', 404: 'itemNotFound', 405: 'badMethod', 406: 'computeFault', 409: 'conflictingRequest'}


def setUpModule():
    global CLOUD, HOSTS, ADMIN, MARY, RITA, OTTO, ROLES
    CLOUD = Cloud(services=['identity', 'image', 'placement', 'compute', 'network', 'volume'])
    unittest.addModuleCleanup(CLOUD.close)
    ADMIN = CLOUD.admin()
    ROLES = {r['name']: r['id'] for r in ADMIN.expect(200, 'GET', 'identity', '/v3/roles')['roles']}
    one, two = make_project('one'), make_project('two')
    MARY, RITA, OTTO = make_user('mary', one, 'member'), make_user('rita', one, 'reader'), make_user('otto', two, 'member')


def with_hosts():
    """The hosts, the image and the network that servers need; made when the first test wants them."""
    global HOSTS, IMAGE, NETWORK
    if 'HOSTS' in globals():
        return
    HOSTS = SimHosts(CLOUD, 2, sizes={1: {'vcpus': 64, 'memory': 65536}, 2: {'vcpus': 64, 'memory': 65536}})
    unittest.addModuleCleanup(HOSTS.close)
    IMAGE = make_image(MARY, 'cirros')
    NETWORK = make_network(MARY, 'net', '10.1.0.0/16')
    wait_until(lambda: len([h for h in get('/os-hypervisors/detail', ADMIN)['hypervisors'] if h['state'] == 'up']) == 2)
    wait_until(lambda: len(placement('/resource_providers')['resource_providers']) == 2)
    for provider in placement('/resource_providers')['resource_providers']:
        wait_until(lambda: 'VCPU' in placement('/resource_providers/%s/inventories' % provider['uuid'])['inventories'])
    wait_until(lambda: any(p['name'].startswith('host') for p in get_volume('/scheduler-stats/get_pools')['pools']))
    for name, (vcpus, ram, disk) in {'tiny': (1, 64, 1), 'small': (2, 2048, 20), 'none': (1, 64, 0), 'huge': (32, 50000, 10)}.items():
        expect(200, 'POST', '/flavors', {'flavor': {'name': name, 'id': name, 'vcpus': vcpus, 'ram': ram, 'disk': disk}}, session=ADMIN)


def make_project(name):
    return ADMIN.expect(201, 'POST', 'identity', '/v3/projects', {'project': {'name': name}})['project']['id']


def make_user(name, project_id, role):
    user = ADMIN.expect(201, 'POST', 'identity', '/v3/users', {'user': {'name': name, 'password': PASSWORD}})['user']
    ADMIN.expect(204, 'PUT', 'identity', '/v3/projects/%s/users/%s/roles/%s' % (project_id, user['id'], ROLES[role]))
    return CLOUD.session(name, PASSWORD, scope={'project': {'id': project_id}})


def make_image(session, name, **more):
    image = session.expect(201, 'POST', 'image', '/v2/images', dict({'name': name, 'disk_format': 'raw', 'container_format': 'bare'}, **more))
    session.expect(204, 'PUT', 'image', '/v2/images/%s/file' % image['id'], b'\1' * 65536, {'Content-Type': 'application/octet-stream'})
    return image['id']


def make_network(session, name, cidr):
    network = session.expect(201, 'POST', 'network', '/v2.0/networks', {'network': {'name': name}})['network']['id']
    session.expect(201, 'POST', 'network', '/v2.0/subnets', {'subnet': {'network_id': network, 'cidr': cidr, 'ip_version': 4}})
    return network


def make_port(session, network, **more):
    return session.expect(201, 'POST', 'network', '/v2.0/ports', {'port': dict({'network_id': network}, **more)})['port']


def placement(path):
    return ADMIN.expect(200, 'GET', 'placement', path, headers={'OpenStack-API-Version': 'placement 1.39'})


def get_volume(path, session=None):
    session = session or ADMIN
    return session.expect(200, 'GET', 'volume', '/v3/%s%s' % (session.project_id, path))


def make_volume(session, size=1):
    volume = session.expect(202, 'POST', 'volume', '/v3/%s/volumes' % session.project_id, {'volume': {'size': size}})['volume']['id']
    wait_until(lambda: get_volume('/volumes/' + volume, session)['volume']['status'] == 'available')
    return volume


def unique(prefix='x'):
    return '%s-%s' % (prefix, uuid.uuid4().hex[:10])


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError('it did not happen in %d s' % seconds)
        time.sleep(0.03)


def request(method, path, body=None, version=None, session=None, headers=None):
    send = {'OpenStack-API-Version': 'compute ' + version} if version else {}
    send.update(headers or {})
    return (session or MARY).request(method, 'compute', '/v2.1' + path, body, send)


def expect(status, method, path, body=None, version=None, session=None):
    """The content; of an error its message, after a look at its shape."""
    got, headers, content = request(method, path, body, version, session)
    if got != status:
        raise AssertionError('%s %s: %d, expected %d: %s' % (method, path, got, status, content))
    assert headers['x-compute-request-id'] == headers['x-openstack-request-id']
    if status >= 400:
        (key, fault), = content.items()
        assert key == FAULTS[status] and fault['code'] == status, content
        return fault['message']
    return content


def get(path, session=None, version=None):
    return expect(200, 'GET', path, version=version, session=session)


def show(server_id, session=None, version='latest'):
    return get('/servers/' + server_id, session, version)['server']


class Case(unittest.TestCase):
    def server(self, wait='ACTIVE', session=None, version='latest', sweep=True, **more):
        """A server that goes with the test."""
        body = dict({'name': unique('server'), 'imageRef': IMAGE, 'flavorRef': 'tiny', 'networks': [{'uuid': NETWORK}]}, **more)
        made = expect(202, 'POST', '/servers', {'server': {k: v for k, v in body.items() if v is not None}}, version, session)['server']['id']
        if sweep:
            self.addCleanup(self.sweep, made, session)
        if wait:
            self.until(made, wait, session)
        return made

    def until(self, server_id, status, session=None):
        def there():
            server = show(server_id, session)
            if server['status'] == 'ERROR' and status != 'ERROR':
                raise AssertionError('server is in ERROR: %s' % server.get('fault'))
            return server if server['status'] == status and server['OS-EXT-STS:task_state'] is None else None
        return wait_until(there)

    def gone(self, server_id):
        wait_until(lambda: request('GET', '/servers/' + server_id, session=ADMIN)[0] == 404)

    def sweep(self, server_id, session=None):
        if request('DELETE', '/servers/' + server_id, session=ADMIN)[0] == 204:
            self.gone(server_id)

    def nothing_left(self, server_id):
        self.assertEqual(placement('/allocations/' + server_id)['allocations'], {})
        self.assertEqual(ADMIN.expect(200, 'GET', 'network', '/v2.0/ports?device_id=' + server_id)['ports'], [])


class Flavors(unittest.TestCase):
    def flavor(self, **more):
        return expect(200, 'POST', '/flavors', {'flavor': dict({'name': unique(), 'vcpus': 1, 'ram': 128, 'disk': 1}, **more)}, '2.61', ADMIN)['flavor']

    def test_life(self):
        name = unique()
        made = self.flavor(name=name, swap=512, description='d', **{'OS-FLV-EXT-DATA:ephemeral': 3, 'rxtx_factor': 2.0})
        self.assertEqual({k: v for k, v in made.items() if k != 'links'},
                         {'id': made['id'], 'name': name, 'ram': 128, 'disk': 1, 'swap': 512, 'OS-FLV-EXT-DATA:ephemeral': 3, 'vcpus': 1,
                          'OS-FLV-DISABLED:disabled': False, 'os-flavor-access:is_public': True, 'rxtx_factor': 2.0, 'description': 'd', 'extra_specs': {}})
        self.assertEqual([x['rel'] for x in made['links']], ['self', 'bookmark'])
        self.assertEqual(get('/flavors/' + made['id'], version='2.61')['flavor'], made)
        self.assertNotIn('extra_specs', get('/flavors/' + made['id'], version='2.60')['flavor'])
        self.assertNotIn('description', get('/flavors/' + made['id'], version='2.54')['flavor'])
        changed = expect(200, 'PUT', '/flavors/' + made['id'], {'flavor': {'description': None}}, '2.55', ADMIN)['flavor']
        self.assertIsNone(changed['description'])
        expect(404, 'PUT', '/flavors/' + made['id'], {'flavor': {'description': None}}, '2.54', ADMIN)
        expect(202, 'DELETE', '/flavors/' + made['id'], session=ADMIN)
        for method in ('GET', 'DELETE'):
            self.assertEqual(expect(404, method, '/flavors/' + made['id'], session=ADMIN), 'Flavor %s could not be found.' % made['id'])

    def test_no_swap_is_empty(self):
        made = self.flavor()
        self.assertEqual(get('/flavors/' + made['id'], version='2.74')['flavor']['swap'], '')
        self.assertEqual(get('/flavors/' + made['id'], version='2.75')['flavor']['swap'], 0)

    def test_bad(self):
        good = {'name': 'a name', 'vcpus': 1, 'ram': 1, 'disk': 1}
        for wrong in ({'vcpus': 0}, {'vcpus': -1}, {'vcpus': 'many'}, {'vcpus': 2 ** 31}, {'ram': 0}, {'ram': None}, {'ram': 2 ** 63}, {'ram': 1.5}, {'disk': -1},
                      {'name': ''}, {'name': ' '}, {'name': 'x' * 256}, {'name': None}, {'id': 'x' * 256}, {'swap': -1}, {'swap': ''},
                      {'rxtx_factor': -1}, {'os-flavor-access:is_public': 'perhaps'}, {'unknown': 1}, {'disabled': True}, {'description': 'd'}):
            with self.subTest(wrong=wrong):
                expect(400, 'POST', '/flavors', {'flavor': dict(good, **wrong)}, '2.1', ADMIN)
        for body in ({}, {'flavor': {}}, {'flavor': []}, {'flavor': None}, {'server': good}, {'flavor': {k: v for k, v in good.items() if k != 'ram'}}):
            expect(400, 'POST', '/flavors', body, session=ADMIN)
        coerced = self.flavor(vcpus='2', ram='256', disk='0')
        self.assertEqual((coerced['vcpus'], coerced['ram'], coerced['disk']), (2, 256, 0))

    def test_conflicts(self):
        made = self.flavor(id=unique('id'))
        expect(409, 'POST', '/flavors', {'flavor': {'name': made['name'], 'vcpus': 1, 'ram': 1, 'disk': 1}}, session=ADMIN)
        expect(409, 'POST', '/flavors', {'flavor': {'name': unique(), 'id': made['id'], 'vcpus': 1, 'ram': 1, 'disk': 1}}, session=ADMIN)
        self.assertEqual(len(self.flavor(id='auto')['id']), 36)

    def test_only_administrators(self):
        made = self.flavor()
        for session in (MARY, RITA):
            expect(403, 'POST', '/flavors', {'flavor': {'name': unique(), 'vcpus': 1, 'ram': 1, 'disk': 1}}, session=session)
            expect(403, 'DELETE', '/flavors/' + made['id'], session=session)
            expect(403, 'PUT', '/flavors/' + made['id'], {'flavor': {'description': 'x'}}, '2.55', session)
            expect(403, 'POST', '/flavors/%s/os-extra_specs' % made['id'], {'extra_specs': {'a': 'b'}}, session=session)
            expect(403, 'GET', '/flavors/%s/os-flavor-access' % made['id'], session=session)
            self.assertEqual(get('/flavors/' + made['id'], session)['flavor']['id'], made['id'])

    def test_extra_specs(self):
        path = '/flavors/%s/os-extra_specs' % self.flavor()['id']
        self.assertEqual(get(path)['extra_specs'], {})
        self.assertEqual(expect(200, 'POST', path, {'extra_specs': {'hw:cpu_policy': 'shared', 'a': 'b'}}, session=ADMIN), {'extra_specs': {'hw:cpu_policy': 'shared', 'a': 'b'}})
        self.assertEqual(expect(200, 'PUT', path + '/a', {'a': 'c'}, session=ADMIN), {'a': 'c'})
        self.assertEqual(get(path + '/a'), {'a': 'c'})
        self.assertEqual(get(path)['extra_specs'], {'hw:cpu_policy': 'shared', 'a': 'c'})
        for body in ({}, {'extra_specs': None}, {'extra_specs': {'a/b': 'c'}}, {'extra_specs': {'': 'c'}}, {'extra_specs': {'a': {}}}, {'extra_specs': {'a': None}},
                     {'extra_specs': {'a': 'x' * 256}}, {'extra_specs': {'x' * 256: 'a'}}, {'extra_specs': {'a\n': 'b'}}, {'extra_specs': {'ä': 'b'}}):
            expect(400, 'POST', path, body, session=ADMIN)
        for body in ({'b': 'c'}, {}, {'a': 'b', 'c': 'd'}, {'a': {}}):
            expect(400, 'PUT', path + '/a', body, session=ADMIN)
        expect(200, 'DELETE', path + '/a', session=ADMIN)
        expect(404, 'DELETE', path + '/a', session=ADMIN)
        expect(404, 'GET', path + '/a')
        expect(404, 'GET', '/flavors/%s/os-extra_specs' % NOBODY)

    def test_private(self):
        """Who was not granted a flavor finds none; who was does."""
        made = self.flavor(**{'os-flavor-access:is_public': False})
        path = '/flavors/' + made['id']
        for session in (MARY, OTTO):
            expect(404, 'GET', path, session=session)
            expect(404, 'GET', path + '/os-extra_specs', session=session)
            self.assertNotIn(made['id'], [x['id'] for x in get('/flavors?is_public=None', session)['flavors']])
        grant = {'addTenantAccess': {'tenant': MARY.project_id}}
        granted = expect(200, 'POST', path + '/action', grant, session=ADMIN)
        self.assertEqual(granted, {'flavor_access': [{'flavor_id': made['id'], 'tenant_id': MARY.project_id}]})
        expect(409, 'POST', path + '/action', grant, session=ADMIN)
        expect(403, 'POST', path + '/action', grant)
        self.assertIn(made['id'], [x['id'] for x in get('/flavors')['flavors']])
        get(path)
        expect(404, 'GET', path, session=OTTO)
        self.assertEqual(get(path + '/os-flavor-access', ADMIN), granted)
        revoke = {'removeTenantAccess': {'tenant': MARY.project_id}}
        self.assertEqual(expect(200, 'POST', path + '/action', revoke, session=ADMIN), {'flavor_access': []})
        expect(404, 'POST', path + '/action', revoke, session=ADMIN)
        expect(404, 'GET', path)
        public = self.flavor()
        expect(409, 'POST', '/flavors/%s/action' % public['id'], grant, session=ADMIN)
        expect(404, 'GET', '/flavors/%s/os-flavor-access' % public['id'], session=ADMIN)
        for body in ({}, {'addTenantAccess': {}}, {'addTenantAccess': {'tenant': ''}}, {'unheard': {}}):
            expect(400, 'POST', path + '/action', body, session=ADMIN)
        self.assertIn(made['id'], [x['id'] for x in get('/flavors?is_public=false', ADMIN)['flavors']])
        self.assertNotIn(made['id'], [x['id'] for x in get('/flavors', ADMIN)['flavors']])

    def test_lists(self):
        made = [self.flavor(ram=r, disk=d, id=unique('page')) for r, d in ((100001, 1), (100002, 500), (100003, 900))]
        ids = lambda path: [x['id'] for x in get(path)['flavors'] if x['id'] in {m['id'] for m in made}]  # noqa: E731
        self.assertEqual(ids('/flavors?minRam=100002&sort_key=ram&sort_dir=asc'), [made[1]['id'], made[2]['id']])
        self.assertEqual(ids('/flavors?minDisk=600'), [made[2]['id']])
        self.assertEqual(ids('/flavors/detail?minRam=100001&sort_key=ram&sort_dir=desc'), [m['id'] for m in reversed(made)])
        self.assertEqual(set(get('/flavors?limit=1')['flavors'][0]), {'id', 'name', 'links'})
        page = get('/flavors?minRam=100001&limit=2&sort_key=ram&sort_dir=asc')
        following = page['flavors_links'][0]
        self.assertEqual(following['rel'], 'next')
        rest = get(following['href'].split('/v2.1', 1)[1])
        self.assertEqual([x['id'] for x in page['flavors'] + rest['flavors']], [m['id'] for m in made])
        self.assertNotIn('flavors_links', rest)
        for query in ('minRam=many', 'minDisk=-1', 'limit=-1', 'limit=x', 'marker=' + NOBODY, 'sort_key=secret', 'sort_dir=up&sort_key=ram'):
            expect(400, 'GET', '/flavors?' + query)
        expect(400, 'GET', '/flavors?is_public=perhaps', session=ADMIN)


class Keypairs(unittest.TestCase):
    def keypair(self, version='2.2', session=None, status=201, **more):
        return expect(status, 'POST', '/os-keypairs', {'keypair': dict({'name': unique('key')}, **more)}, version, session)['keypair']

    def test_import(self):
        for version, status in (('2.1', 200), ('2.2', 201), ('latest', 201)):
            made = self.keypair(version, status=status, public_key=KEY)
            self.assertEqual(made['fingerprint'], FINGERPRINT)
            self.assertEqual(made['public_key'], KEY)
            self.assertEqual(made['user_id'], MARY.user_id)
            self.assertNotIn('private_key', made)
            self.assertEqual('type' in made, version != '2.1')
            shown = get('/os-keypairs/' + made['name'], version=version)['keypair']
            self.assertEqual(shown['fingerprint'], FINGERPRINT)
            self.assertFalse(shown['deleted'])
            self.assertIn(made['name'], [k['keypair']['name'] for k in get('/os-keypairs', version=version)['keypairs']])
            expect(202 if version == '2.1' else 204, 'DELETE', '/os-keypairs/' + made['name'], version=version)
            expect(404, 'GET', '/os-keypairs/' + made['name'])
            expect(404, 'DELETE', '/os-keypairs/' + made['name'])

    def test_generated_key_is_one(self):
        """ssh-keygen reads both halves and finds that they belong together."""
        made = self.keypair()
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'key')
            with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), 'w', encoding='ascii') as file:
                file.write(made['private_key'])
            derived = subprocess.run(['ssh-keygen', '-y', '-f', path], check=True, capture_output=True, text=True).stdout
            self.assertEqual(derived.split()[:2], made['public_key'].split()[:2])
            listed = subprocess.run(['ssh-keygen', '-l', '-E', 'md5', '-f', path], check=True, capture_output=True, text=True).stdout
            self.assertIn('MD5:' + made['fingerprint'], listed)
        self.assertNotIn('private_key', get('/os-keypairs/' + made['name'])['keypair'])
        expect(400, 'POST', '/os-keypairs', {'keypair': {'name': unique()}}, '2.92')

    def test_bad(self):
        for members in ({}, {'name': ''}, {'name': 'x' * 256}, {'name': 'a/b'}, {'name': 'ä'}, {'name': ' a'}, {'name': 7}, {'name': None},
                        {'name': 'a', 'public_key': 'nonsense'}, {'name': 'a', 'public_key': ''}, {'name': 'a', 'public_key': KEY + '\n' + KEY},
                        {'name': 'a', 'public_key': 7}, {'name': 'a', 'type': 'pgp'}, {'name': 'a', 'type': 'x509'}, {'name': 'a', 'unknown': 1},
                        {'name': 'a', 'public_key': 'ssh-rsa ' + KEY.split()[1]}, {'name': 'a', 'user_id': MARY.user_id}):
            with self.subTest(members=members):
                expect(400, 'POST', '/os-keypairs', {'keypair': members}, '2.2')
        expect(400, 'POST', '/os-keypairs', {'keypair': {'name': 'a', 'type': 'ssh'}}, '2.1')
        expect(400, 'POST', '/os-keypairs', {})

    def test_one_name_once(self):
        name = unique()
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda _: request('POST', '/os-keypairs', {'keypair': {'name': name, 'public_key': KEY}}, '2.2')[0], range(16)))
        self.assertEqual(sorted(answers), [201] + [409] * 15)
        self.keypair(name=name, session=RITA, public_key=KEY)  # Another user's names are his own.
        self.assertEqual(expect(409, 'POST', '/os-keypairs', {'keypair': {'name': name}}), "Key pair '%s' already exists." % name)

    def test_of_others(self):
        made = self.keypair(public_key=KEY)
        for session in (OTTO, RITA):
            expect(404, 'GET', '/os-keypairs/' + made['name'], session=session)
            expect(404, 'DELETE', '/os-keypairs/' + made['name'], session=session)
            query = '?user_id=' + MARY.user_id
            for method in ('GET', 'DELETE'):
                expect(403, method, '/os-keypairs/' + made['name'] + query, version='2.10', session=session)
            expect(403, 'GET', '/os-keypairs' + query, version='2.10', session=session)
            expect(403, 'POST', '/os-keypairs', {'keypair': {'name': unique(), 'user_id': MARY.user_id}}, '2.10', session)
        self.assertEqual(get('/os-keypairs/%s?user_id=%s' % (made['name'], MARY.user_id), ADMIN, '2.10')['keypair']['name'], made['name'])
        self.keypair('2.10', ADMIN, user_id=MARY.user_id)

    def test_pages(self):
        names = sorted(self.keypair(public_key=KEY, session=OTTO)['name'] for _ in range(5))
        seen, path = [], '/os-keypairs?limit=2'
        for size in (2, 2, 1):
            page = get(path, OTTO, '2.35')
            seen += [k['keypair']['name'] for k in page['keypairs']]
            self.assertEqual(len(page['keypairs']), size)
            path = page['keypairs_links'][0]['href'].split('/v2.1', 1)[1] if size == 2 else None
        self.assertEqual(seen, names)
        for query in ('limit=-1', 'limit=x', 'marker=nobody'):
            expect(400, 'GET', '/os-keypairs?' + query, version='2.35', session=OTTO)

    def test_quota(self):
        user = make_user(unique(), OTTO.project_id, 'member')
        expect(200, 'PUT', '/os-quota-sets/' + OTTO.project_id, {'quota_set': {'key_pairs': 1}}, session=ADMIN)
        self.addCleanup(expect, 202, 'DELETE', '/os-quota-sets/' + OTTO.project_id, session=ADMIN)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda i: request('POST', '/os-keypairs', {'keypair': {'name': 'k%d' % i, 'public_key': KEY}}, '2.2', user)[0], range(8)))
        self.assertEqual(sorted(answers), [201] + [403] * 7)


class Quotas(unittest.TestCase):
    def test_show(self):
        path = '/os-quota-sets/' + MARY.project_id
        shown = get(path)['quota_set']
        self.assertEqual((shown['id'], shown['instances'], shown['cores'], shown['ram'], shown['key_pairs']), (MARY.project_id, 10, 20, 51200, 100))
        self.assertIn('floating_ips', shown)
        self.assertNotIn('floating_ips', get(path, version='2.36')['quota_set'])
        self.assertNotIn('injected_files', get(path, version='2.57')['quota_set'])
        self.assertEqual(get(path + '/defaults')['quota_set'], shown)
        self.assertEqual(set(get(path + '/detail')['quota_set']['cores']), {'limit', 'in_use', 'reserved'})

    def test_change(self):
        project = make_project(unique())
        path = '/os-quota-sets/' + project
        changed = expect(200, 'PUT', path, {'quota_set': {'instances': 3, 'cores': '-1', 'ram': 1024}}, session=ADMIN)['quota_set']
        self.assertEqual((changed['instances'], changed['cores'], changed['ram']), (3, -1, 1024))
        self.assertNotIn('id', changed)
        self.assertEqual(get(path, ADMIN)['quota_set']['instances'], 3)
        self.assertEqual(get(path + '/defaults', ADMIN)['quota_set']['instances'], 10)
        expect(202, 'DELETE', path, session=ADMIN)
        self.assertEqual(get(path, ADMIN)['quota_set']['instances'], 10)
        for wrong in ({'instances': -2}, {'instances': 'many'}, {'instances': None}, {'ram': 1.5}, {'cores': {}}):
            expect(400, 'PUT', path, {'quota_set': wrong}, session=ADMIN)
        expect(400, 'PUT', path, {}, session=ADMIN)

    def test_whose(self):
        expect(403, 'PUT', '/os-quota-sets/' + MARY.project_id, {'quota_set': {'instances': 1000}})
        expect(403, 'DELETE', '/os-quota-sets/' + MARY.project_id)
        for path in ('', '/detail'):
            expect(403, 'GET', '/os-quota-sets/' + OTTO.project_id + path)

    def test_limits(self):
        limits = get('/limits')['limits']
        self.assertEqual(limits['rate'], [])
        self.assertEqual(limits['absolute']['maxTotalInstances'], 10)
        self.assertIn('maxPersonality', limits['absolute'])
        self.assertNotIn('maxPersonality', get('/limits', version='2.57')['limits']['absolute'])
        self.assertEqual(get('/limits?tenant_id=' + OTTO.project_id)['limits']['absolute'], limits['absolute'])  # Ignored: his own.


class Wire(unittest.TestCase):
    def test_versions(self):
        status, headers, content = request('GET', '/flavors')
        self.assertEqual(headers['OpenStack-API-Version'], 'compute 2.1')
        self.assertEqual(headers['X-OpenStack-Nova-API-Version'], '2.1')
        self.assertIn('X-OpenStack-Nova-API-Version', headers['Vary'])
        for asked, used in (('compute latest', '2.96'), ('compute 2.10', '2.10'), ('volume 3.70, compute 2.47', '2.47'), ('volume 3.70', '2.1')):
            status, headers, _ = request('GET', '/flavors', headers={'OpenStack-API-Version': asked})
            self.assertEqual((status, headers['OpenStack-API-Version']), (200, 'compute ' + used))
        status, headers, _ = request('GET', '/flavors', headers={'X-OpenStack-Nova-API-Version': '2.25'})
        self.assertEqual(headers['OpenStack-API-Version'], 'compute 2.25')
        for asked, answer in (('compute 2.97', 406), ('compute 1.0', 406), ('compute 3.1', 406), ('compute two', 400), ('compute 2', 400), ('compute 2.1.1', 400), ('compute 2.01x', 400)):
            self.assertEqual(request('GET', '/flavors', headers={'OpenStack-API-Version': asked})[0], answer, asked)
            self.assertEqual(MARY.request('GET', 'compute', '/', headers={'OpenStack-API-Version': asked})[0], 200)

    def test_discovery(self):
        root = MARY.request('GET', 'compute', '/')[2]
        self.assertEqual([v['id'] for v in root['versions'] if v['status'] == 'CURRENT'], ['v2.1'])
        one = MARY.request('GET', 'compute', '/v2.1/')[2]['version']
        self.assertEqual((one['min_version'], one['version']), ('2.1', '2.96'))
        self.assertIn('extensions', get('/extensions'))

    def test_errors(self):
        self.assertEqual(request('GET', '/nothing')[0], 404)
        status, headers, _ = request('PATCH', '/flavors')
        self.assertEqual((status, set(headers['Allow'].split(', '))), (405, {'GET', 'POST'}))
        status, _, content = request('POST', '/flavors', b'<flavor/>', headers={'Content-Type': 'application/xml'})
        self.assertEqual((status, list(content)), (415, ['badMediaType']))
        for body in (b'{', b'[]', b'{} x', b'\xff'):
            self.assertEqual(request('POST', '/servers', body, headers={'Content-Type': 'application/json'})[0], 400)

    def test_zones_before_hosts(self):
        zones = get('/os-availability-zone')['availabilityZoneInfo']
        self.assertTrue(all(z['hosts'] is None for z in zones))
        expect(403, 'GET', '/os-availability-zone/detail')
        get('/os-availability-zone/detail', ADMIN)

    def test_service_tokens(self):
        """One that is not good spoils a good request, but where identity and image services have always passed it over."""
        paths = {'identity': '/v3/auth/projects', 'image': '/v2/images', 'placement': '/resource_providers', 'compute': '/v2.1/flavors', 'network': '/v2.0/networks',
                 'volume': f'/v3/{ADMIN.project_id}/volumes'}
        service = CLOUD.session('image', CLOUD.layout.secret('user-image'), 'service')
        over = CLOUD.session('image', CLOUD.layout.secret('user-image'), 'service')
        over.expect(204, 'DELETE', 'identity', '/v3/auth/tokens', headers={'X-Subject-Token': over.token})
        for name, path in paths.items():
            wait_until(lambda name=name, path=path: over.request('GET', name, path)[0] == 401)
        for name, path in paths.items():
            bad = 200 if name in ('identity', 'image') else 401
            for token, answer in ((service.token, 200), (ADMIN.token, 200), ('', 200), ('x', bad), (over.token, bad), (service.token + 'x', bad)):
                status, headers, _ = ADMIN.request('GET', name, path, headers={'X-Service-Token': token})
                self.assertEqual((status, 'WWW-Authenticate' in headers), (answer, answer == 401), (name, token[-5:]))

    def test_operators_lists(self):
        for path in ('/os-services', '/os-hypervisors', '/os-hypervisors/detail', '/os-hypervisors/statistics'):
            expect(403, 'GET', path)
            get(path, ADMIN)


class Hosts(Case):
    @classmethod
    def setUpClass(cls):
        with_hosts()

    def test_hypervisors(self):
        listed = get('/os-hypervisors/detail', ADMIN, '2.53')['hypervisors']
        self.assertEqual({h['hypervisor_hostname'] for h in listed}, {'host1', 'host2'})
        for h in listed:
            self.assertEqual((h['state'], h['status'], h['vcpus']), ('up', 'enabled', 64))
            self.assertEqual(get('/os-hypervisors/%s' % h['id'], ADMIN, '2.53')['hypervisor']['id'], h['id'])
        self.assertEqual(get('/os-hypervisors/statistics', ADMIN)['hypervisor_statistics']['count'], 2)
        for version in ('2.1', '2.28', '2.33', '2.53', '2.75', '2.88', 'latest'):
            get('/os-hypervisors/detail', ADMIN, version)
        expect(404, 'GET', '/os-hypervisors/' + NOBODY, version='2.53', session=ADMIN)
        expect(404, 'GET', '/os-hypervisors/statistics', version='2.88', session=ADMIN)

    def test_services(self):
        services = {s['host']: s for s in get('/os-services?binary=nova-compute', ADMIN, '2.53')['services']}
        self.assertEqual(set(services), {'host1', 'host2'})
        path = '/os-services/' + services['host2']['id']
        self.addCleanup(expect, 200, 'PUT', path, {'status': 'enabled', 'forced_down': False}, '2.53', ADMIN)
        off = expect(200, 'PUT', path, {'status': 'disabled', 'disabled_reason': 'maintenance'}, '2.53', ADMIN)['service']
        self.assertEqual((off['status'], off['disabled_reason']), ('disabled', 'maintenance'))
        down = expect(200, 'PUT', path, {'forced_down': True}, '2.53', ADMIN)['service']
        self.assertEqual((down['forced_down'], down['state']), (True, 'down'))
        expect(400, 'PUT', path, {'status': 'broken'}, '2.53', ADMIN)
        expect(400, 'PUT', path, {'disabled_reason': ''}, '2.53', ADMIN)
        expect(404, 'PUT', '/os-services/' + NOBODY, {'status': 'enabled'}, '2.53', ADMIN)
        expect(403, 'PUT', path, {'status': 'enabled'}, '2.53')
        body = {'host': 'host2', 'binary': 'nova-compute'}
        self.assertEqual(expect(200, 'PUT', '/os-services/disable', body, '2.52', ADMIN)['service']['status'], 'disabled')
        self.assertEqual(expect(200, 'PUT', '/os-services/enable', body, '2.52', ADMIN)['service']['status'], 'enabled')
        expect(404, 'PUT', '/os-services/enable', {'host': 'nobody', 'binary': 'nova-compute'}, '2.52', ADMIN)

    def test_zones(self):
        zones = {z['zoneName']: z for z in get('/os-availability-zone/detail', ADMIN)['availabilityZoneInfo']}
        self.assertEqual(set(zones['nova']['hosts']), {'host1', 'host2'})
        self.assertTrue(zones['nova']['zoneState']['available'])

    def test_no_valid_host_says_why(self):
        """Every host that was not chosen is named with its reason, in the server's fault and nowhere an inside matter."""
        services = {s['host']: s['id'] for s in get('/os-services?binary=nova-compute', ADMIN, '2.53')['services']}
        expect(200, 'PUT', '/os-services/' + services['host1'], {'status': 'disabled'}, '2.53', ADMIN)
        self.addCleanup(expect, 200, 'PUT', '/os-services/' + services['host1'], {'status': 'enabled'}, '2.53', ADMIN)
        server = self.server('ERROR', availability_zone='nowhere')
        fault = show(server)['fault']
        self.assertIn('No valid host was found', fault['message'])
        self.assertIn('host1: the compute service is disabled', fault['message'])
        self.assertIn('host2: it is in another availability zone', fault['message'])
        expect(200, 'PUT', '/os-quota-sets/' + ADMIN.project_id, {'quota_set': {'ram': -1, 'cores': -1}}, session=ADMIN)
        too_much = expect(200, 'POST', '/flavors', {'flavor': {'name': unique(), 'vcpus': 1, 'ram': 200000, 'disk': 1}}, session=ADMIN)['flavor']['id']
        server = self.server('ERROR', session=ADMIN, flavorRef=too_much, networks='none', imageRef=make_image(ADMIN, 'mine'))
        message = show(server, ADMIN)['fault']['message']
        for part in ('No valid host was found', 'host1:', 'host2:', 'MEMORY_MB'):
            self.assertIn(part, message)
        self.nothing_left(server)


class Servers(Case):
    @classmethod
    def setUpClass(cls):
        with_hosts()

    def test_life(self):
        server = self.server(sweep=False)
        shown = show(server)
        self.assertEqual((shown['status'], shown['OS-EXT-STS:power_state'], shown['OS-EXT-STS:vm_state']), ('ACTIVE', 1, 'active'))
        (address,), = shown['addresses'].values()
        self.assertTrue(address['addr'].startswith('10.1.'))
        self.assertEqual(address['OS-EXT-IPS:type'], 'fixed')
        self.assertEqual(shown['security_groups'], [{'name': 'default'}])
        for hidden in ('OS-EXT-SRV-ATTR:host', 'OS-EXT-SRV-ATTR:instance_name', 'host_status', 'OS-EXT-SRV-ATTR:user_data'):
            self.assertNotIn(hidden, shown)
        self.assertIn(show(server, ADMIN)['OS-EXT-SRV-ATTR:host'], ('host1', 'host2'))
        allocation, = placement('/allocations/' + server)['allocations'].values()
        self.assertEqual(allocation['resources'], {'VCPU': 1, 'MEMORY_MB': 64, 'DISK_GB': 1})
        port, = ADMIN.expect(200, 'GET', 'network', '/v2.0/ports?device_id=' + server)['ports']
        self.assertEqual((port['status'], port['device_owner'], port['project_id']), ('ACTIVE', 'compute:nova', MARY.project_id))
        expect(204, 'DELETE', '/servers/' + server)
        self.gone(server)
        self.nothing_left(server)
        expect(404, 'DELETE', '/servers/' + server)

    def test_every_option(self):
        name, key = unique('ünï'), unique('key')
        expect(201, 'POST', '/os-keypairs', {'keypair': {'name': key, 'public_key': KEY}}, '2.2')
        MARY.expect(201, 'POST', 'network', '/v2.0/security-groups', {'security_group': {'name': 'web'}})
        data = base64.b64encode(b'#!/bin/sh\n').decode()
        port = make_port(MARY, NETWORK)
        body = {'name': name, 'imageRef': IMAGE, 'flavorRef': 'small', 'key_name': key, 'user_data': data, 'metadata': {'a': 'b', 'ü': '"<>&'},
                'networks': [{'uuid': NETWORK, 'fixed_ip': '10.1.77.7'}, {'port': port['id']}], 'security_groups': [{'name': 'web'}, {'name': 'default'}],
                'availability_zone': 'nova', 'config_drive': True, 'OS-DCF:diskConfig': 'AUTO', 'accessIPv4': '192.0.2.1', 'accessIPv6': '2001:db8::1',
                'description': 'what it is', 'tags': ['x', 'y'], 'hostname': 'web-1', 'adminPass': 'geheim'}
        made = expect(202, 'POST', '/servers', {'server': body, 'os:scheduler_hints': {'group': NOBODY}}, 'latest')['server']
        self.addCleanup(self.sweep, made['id'])
        self.assertEqual((made['adminPass'], made['OS-DCF:diskConfig']), ('geheim', 'AUTO'))
        self.assertEqual([x['rel'] for x in made['links']], ['self', 'bookmark'])
        shown = self.until(made['id'], 'ACTIVE')
        for key_, value in {'name': name, 'key_name': key, 'metadata': body['metadata'], 'accessIPv4': '192.0.2.1', 'accessIPv6': '2001:db8::1',
                            'description': 'what it is', 'tags': ['x', 'y'], 'config_drive': 'True', 'OS-EXT-AZ:availability_zone': 'nova',
                            'OS-EXT-SRV-ATTR:hostname': 'web-1', 'locked': False, 'user_id': MARY.user_id, 'tenant_id': MARY.project_id}.items():
            self.assertEqual(shown[key_], value, key_)
        addresses = {a['addr'] for a in shown['addresses']['net']}
        self.assertEqual(addresses, {'10.1.77.7', port['fixed_ips'][0]['ip_address']})
        self.assertEqual({g['name'] for g in shown['security_groups']}, {'web', 'default'})
        self.assertEqual(show(made['id'], ADMIN)['OS-EXT-SRV-ATTR:user_data'], data)
        self.assertEqual(shown['flavor']['original_name'], 'small')
        self.assertNotIn('geheim', str(show(made['id'], ADMIN)))
        expect(204, 'DELETE', '/servers/' + made['id'])
        self.gone(made['id'])
        # The port that was brought stays, unbound; the one that was made goes.
        left = MARY.expect(200, 'GET', 'network', '/v2.0/ports/' + port['id'])['port']
        self.assertEqual((left['device_id'], left['device_owner']), ('', ''))
        MARY.expect(204, 'DELETE', 'network', '/v2.0/ports/' + port['id'])

    def test_shapes(self):
        server = self.server()
        old, flavors, new = show(server, version='2.1'), show(server, version='2.47'), show(server)
        self.assertEqual(set(old['flavor']), {'id', 'links'})
        self.assertEqual(show(server, version='2.46')['flavor'].keys(), old['flavor'].keys())
        self.assertEqual(set(flavors['flavor']), {'original_name', 'vcpus', 'ram', 'disk', 'ephemeral', 'swap', 'extra_specs'})
        for member, since in (('locked', '2.9'), ('description', '2.19'), ('tags', '2.26'), ('trusted_image_certificates', '2.63'), ('server_groups', '2.71'),
                              ('locked_reason', '2.73'), ('pinned_availability_zone', '2.96')):
            before = '2.%d' % (int(since[2:]) - 1)
            self.assertNotIn(member, show(server, version=before), member)
            self.assertIn(member, show(server, version=since), member)
        self.assertEqual(set(get('/servers', version='latest')['servers'][0]), {'id', 'name', 'links'})
        self.assertTrue(re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ', new['created']), new['created'])
        for internal in ('_flavor', 'vcpus', 'memory_mb', 'network_info', 'key_data', 'image_facts', 'number', 'locked_by'):
            self.assertNotIn(internal, new)
        for version in ('2.1', '2.3', '2.9', '2.16', '2.26', '2.47', '2.63', '2.71', '2.73', '2.75', '2.90', 'latest'):
            detail = next(s for s in get('/servers/detail', version=version)['servers'] if s['id'] == server)
            self.assertEqual(detail, show(server, version=version), version)

    def test_bad_requests(self):
        good = {'name': 'n', 'imageRef': IMAGE, 'flavorRef': 'tiny', 'networks': 'none'}
        volume = make_volume(MARY)
        foreign = make_volume(OTTO)
        for wrong in (
                {'name': None}, {'name': ''}, {'name': 'x' * 256}, {'name': ' '}, {'name': 7}, {'imageRef': 'nonsense'}, {'imageRef': NOBODY}, {'imageRef': ''},
                {'imageRef': make_image(OTTO, 'private')}, {'flavorRef': 'nonsense'}, {'flavorRef': None}, {'flavorRef': ''}, {'key_name': 'nobody'},
                {'user_data': 'no base64 !'}, {'user_data': 'A' * 65536}, {'metadata': {'a': 1}}, {'metadata': {'a': None}}, {'metadata': []},
                {'metadata': {'a': 'x' * 256}}, {'metadata': {'x' * 256: 'a'}}, {'metadata': {'': 'a'}}, {'networks': [{}]}, {'networks': [{'uuid': 'x'}]}, {'networks': [{'uuid': NOBODY}]},
                {'networks': [{'port': NOBODY}]}, {'networks': [{'uuid': NETWORK, 'fixed_ip': 'x'}]}, {'networks': 'sometimes'}, {'networks': {}}, {'networks': [7]},
                {'networks': [{'uuid': make_network(OTTO, 'otto', '10.9.0.0/24')}]}, {'security_groups': [{'name': 'nobody'}], 'networks': [{'uuid': NETWORK}]},
                {'availability_zone': 7}, {'config_drive': 'perhaps'}, {'min_count': 0}, {'max_count': 0}, {'min_count': 3, 'max_count': 2}, {'min_count': 'x'},
                {'OS-DCF:diskConfig': 'SOMETIMES'}, {'hostname': 'not a host name!'}, {'tags': ['x'] * 51}, {'tags': [7]}, {'description': 'x' * 256}, {'unknown': 1},
                {'id': NOBODY}, {'status': 'ACTIVE'}, {'host': 7}, {'personality': []},
                {'block_device_mapping_v2': [{'source_type': 'volume', 'uuid': NOBODY, 'boot_index': 0}], 'imageRef': None},
                {'block_device_mapping_v2': [{'source_type': 'volume', 'uuid': foreign, 'boot_index': 0}], 'imageRef': None},
                {'block_device_mapping_v2': [{'source_type': 'blank', 'destination_type': 'volume', 'boot_index': -1}]},
                {'block_device_mapping_v2': [{'source_type': 'image', 'destination_type': 'volume', 'uuid': NOBODY, 'volume_size': 1, 'boot_index': 0}], 'imageRef': None},
                {'block_device_mapping_v2': [{'source_type': 'snapshot', 'uuid': NOBODY}]}, {'block_device_mapping_v2': [{'source_type': 'tape'}]},
                {'block_device_mapping_v2': [{'source_type': 'volume', 'uuid': volume, 'boot_index': 1}] * 2},
                {'block_device_mapping_v2': [{'source_type': 'volume', 'uuid': volume, 'boot_index': 1}], 'max_count': 2},
                {'imageRef': None}, {'imageRef': make_image(MARY, 'big', min_disk=2)}, {'imageRef': make_image(MARY, 'wide', min_ram=128)}):
            body = {k: v for k, v in dict(good, **wrong).items() if v is not None or wrong.get(k, 0) is None and k != 'imageRef'}
            with self.subTest(wrong=str(wrong)[:100]):
                expect(400, 'POST', '/servers', {'server': body}, 'latest')
        for body in ({}, {'server': None}, {'server': []}, {'server': {}}, {'servers': [good]}, {'server': good, 'other': 1}):
            expect(400, 'POST', '/servers', body, 'latest')
        expect(400, 'POST', '/servers', {'server': {k: v for k, v in good.items() if k != 'networks'}}, '2.37')
        expect(400, 'POST', '/servers', {'server': good}, '2.36')
        queued = MARY.expect(201, 'POST', 'image', '/v2/images', {'name': 'empty', 'disk_format': 'raw', 'container_format': 'bare'})['id']
        expect(400, 'POST', '/servers', {'server': dict(good, imageRef=queued)}, 'latest')
        self.assertEqual([s for s in get('/servers')['servers'] if s['name'] == 'n'], [])
        for v, session in ((volume, MARY), (foreign, OTTO)):
            self.assertEqual(get_volume('/volumes/' + v, session)['volume']['status'], 'available')

    def test_who_may_not(self):
        body = {'server': {'name': 'n', 'imageRef': IMAGE, 'flavorRef': 'tiny', 'networks': 'none'}}
        expect(403, 'POST', '/servers', body, 'latest', RITA)
        forced = {'server': dict(body['server'], host='host1')}
        expect(403, 'POST', '/servers', forced, 'latest')
        expect(403, 'POST', '/servers', {'server': dict(body['server'], availability_zone='nova:host1')}, 'latest')
        expect(400, 'POST', '/servers', {'server': dict(body['server'], host='nobody', imageRef=make_image(ADMIN, 'a'))}, 'latest', ADMIN)
        unscoped = CLOUD.session('mary', PASSWORD)
        self.assertIn(request('POST', '/servers', body, 'latest', unscoped)[0], (401, 403))

    def test_port_in_use(self):
        port = make_port(MARY, NETWORK)
        self.server(networks=[{'port': port['id']}])
        self.assertIn(port['id'], expect(409, 'POST', '/servers', {'server': {'name': 'n', 'imageRef': IMAGE, 'flavorRef': 'tiny', 'networks': [{'port': port['id']}]}}, 'latest'))
        free = make_port(MARY, NETWORK)
        for networks, count in (([{'port': free['id']}, {'port': free['id']}], 1), ([{'port': free['id']}], 2), ([{'uuid': NETWORK, 'fixed_ip': '10.1.5.5'}], 2)):
            expect(400, 'POST', '/servers', {'server': {'name': 'n', 'imageRef': IMAGE, 'flavorRef': 'tiny', 'networks': networks, 'max_count': count}}, 'latest')
        MARY.expect(204, 'DELETE', 'network', '/v2.0/ports/' + free['id'])

    def test_two_servers_want_one_port(self):
        port = make_port(MARY, NETWORK)
        body = {'server': {'name': 'n', 'imageRef': IMAGE, 'flavorRef': 'tiny', 'networks': [{'port': port['id']}]}}
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: request('POST', '/servers', body, 'latest'), range(4)))
        made = [content['server']['id'] for status, _, content in answers if status == 202]
        for server in made:
            self.addCleanup(self.sweep, server)
        self.assertEqual({status for status, _, _ in answers} - {202, 409}, set())
        ended = [wait_until(lambda s=s: show(s) if show(s)['status'] in ('ACTIVE', 'ERROR') else None) for s in made]
        self.assertEqual([s['status'] for s in ended].count('ACTIVE'), 1, [s.get('fault') for s in ended])
        winner = next(s['id'] for s in ended if s['status'] == 'ACTIVE')
        self.assertEqual(MARY.expect(200, 'GET', 'network', '/v2.0/ports/' + port['id'])['port']['device_id'], winner)

    def test_several_at_once(self):
        made = expect(202, 'POST', '/servers', {'server': {'name': 'many', 'imageRef': IMAGE, 'flavorRef': 'tiny', 'networks': [{'uuid': NETWORK}], 'min_count': 2,
                                                           'max_count': 3, 'return_reservation_id': True}}, 'latest')
        listed = get('/servers/detail?reservation_id=' + made['reservation_id'], version='latest', session=MARY)['servers']
        for server in listed:
            self.addCleanup(self.sweep, server['id'])
        self.assertEqual({s['name'] for s in listed}, {'many-1', 'many-2', 'many-3'})
        for server in listed:
            self.until(server['id'], 'ACTIVE')

    def test_quota(self):
        """64 at once where one fits: one gets it, the others are told so, and it is counted when all is over."""
        project = make_project(unique())
        user = make_user(unique(), project, 'member')
        image, network = make_image(user, 'i'), make_network(user, 'n', '10.2.0.0/24')
        expect(200, 'PUT', '/os-quota-sets/' + project, {'quota_set': {'instances': 1}}, session=ADMIN)
        body = {'server': {'name': 'n', 'imageRef': image, 'flavorRef': 'tiny', 'networks': [{'uuid': network}]}}
        with concurrent.futures.ThreadPoolExecutor(64) as pool:
            answers = list(pool.map(lambda _: request('POST', '/servers', body, 'latest', user), range(64)))
        self.assertEqual(sorted(a[0] for a in answers), [202] + [403] * 63)
        server = next(a[2] for a in answers if a[0] == 202)['server']['id']
        self.assertEqual(get('/limits', user)['limits']['absolute']['totalInstancesUsed'], 1)
        self.until(server, 'ACTIVE', user)
        self.assertIn('Quota exceeded for instances: Requested 1, but already used 1 of 1 instances', expect(403, 'POST', '/servers', body, 'latest', user))
        expect(204, 'DELETE', '/servers/' + server, session=user)
        self.gone(server)
        self.assertEqual(get('/limits', user)['limits']['absolute']['totalInstancesUsed'], 0)
        expect(200, 'PUT', '/os-quota-sets/' + project, {'quota_set': {'instances': 5, 'cores': 1, 'metadata_items': 2}}, session=ADMIN)
        expect(403, 'POST', '/servers', {'server': dict(body['server'], min_count=2)}, 'latest', user)
        expect(403, 'POST', '/servers', {'server': dict(body['server'], metadata={'a': '', 'b': '', 'c': ''})}, 'latest', user)
        expect(400, 'PUT', '/os-quota-sets/' + project, {'quota_set': {'instances': -2}}, session=ADMIN)

    def test_lists(self):
        tag = unique('l')
        ids = [self.server(name='%s-%s' % (tag, c), metadata={'n': c}) for c in 'abc']
        stopped = ids[1]
        expect(202, 'POST', '/servers/%s/action' % stopped, {'os-stop': None})
        self.until(stopped, 'SHUTOFF')
        names = lambda query, session=None: [s['name'][-1] for s in get('/servers?name=%s&%s' % (tag, query), session, 'latest')['servers']]  # noqa: E731
        self.assertEqual(names('sort_key=display_name') if False else names('sort_key=name&sort_dir=asc'), ['a', 'b', 'c'])
        self.assertEqual(names(''), ['c', 'b', 'a'])  # The newest first.
        self.assertEqual(names('sort_key=name&sort_dir=desc'), ['c', 'b', 'a'])
        self.assertEqual(names('status=SHUTOFF'), ['b'])
        self.assertEqual(names('status=active'), ['c', 'a'])
        self.assertEqual(names('status=nonsense'), [])
        self.assertEqual(names('flavor=tiny'), ['c', 'b', 'a'])
        self.assertEqual(names('flavor=small'), [])
        self.assertEqual(names('image=' + IMAGE), ['c', 'b', 'a'])
        self.assertEqual(names('image=' + NOBODY), [])
        address = next(iter(show(ids[2])['addresses'].values()))[0]['addr']
        self.assertEqual(names('ip=' + urllib.parse.quote('^%s$' % address.replace('.', r'\.'))), ['c'])
        self.assertEqual(names('ip=' + address), ['c'])
        self.assertEqual(names('changes-since=2000-01-01T00:00:00Z'), ['c', 'b', 'a'])
        self.assertEqual(names('changes-since=2100-01-01T00:00:00Z'), [])
        self.assertEqual([s['name'][-1] for s in get('/servers?name=' + urllib.parse.quote('^%s-[ab]$' % tag))['servers']], ['b', 'a'])
        self.assertEqual([s['name'] for s in get('/servers?name=' + tag, RITA)['servers']], [tag + '-c', tag + '-b', tag + '-a'])
        page = get('/servers?name=%s&limit=2' % tag)
        following = next(x['href'] for x in page['servers_links'] if x['rel'] == 'next').split('/v2.1', 1)[1]
        rest = get(following)
        self.assertEqual([s['name'][-1] for s in page['servers'] + rest['servers']], ['c', 'b', 'a'])
        self.assertNotIn('servers_links', rest)
        for query in ('limit=-1', 'limit=x', 'marker=' + NOBODY, 'changes-since=yesterday', 'sort_key=user_data', 'name=' + urllib.parse.quote('(((('), 'ip=' + urllib.parse.quote('(((('), 'sort_dir=x&sort_key=name'):
            with self.subTest(query=query):
                expect(400, 'GET', '/servers?' + query)
        for session in (OTTO, ADMIN):
            self.assertEqual(names('', session), [])
        self.assertEqual(names('all_tenants=1', ADMIN), ['c', 'b', 'a'])
        for query in ('all_tenants=1', 'project_id=' + MARY.project_id, 'tenant_id=' + MARY.project_id, 'marker=' + ids[0]):
            status, _, content = request('GET', '/servers?name=%s&%s' % (tag, query), session=OTTO)
            self.assertTrue(status in (400, 403) or content['servers'] == [], (query, content))

    def test_a_list_costs_the_same_however_long(self):
        """Statements for one server and for a hundred."""
        project = make_project(unique())
        user = make_user(unique(), project, 'member')
        one = self.server(session=user, imageRef=make_image(user, 'i'), networks='none')
        statements = lambda: int(re.search(r'^virga_database_statements_total (\d+)', CLOUD.metrics('compute'), re.M).group(1))  # noqa: E731

        def cost():
            def once():
                before = statements()
                shown = len(get('/servers/detail', user, 'latest')['servers'])
                return statements() - before, shown
            # Heartbeats and sagas of others make statements too: the least of some tries is the list's own.
            return min(once() for _ in range(8))
        cost()
        few = cost()
        columns = [c for c in CLOUD.sql('compute', "SELECT column_name FROM information_schema.columns WHERE table_name = 'server'").split() if c not in ('id', 'number', 'host')]
        CLOUD.sql('compute', "INSERT INTO server (id, %s) SELECT gen_random_uuid()::text, %s FROM server, generate_series(1, 99) WHERE id = '%s'" % (
            ', '.join(columns), ', '.join(columns), one))
        many = cost()
        self.assertEqual((few[1], many[1]), (1, 100))
        self.assertEqual(few[0], many[0])
        self.assertLess(many[0], 8)
        CLOUD.sql('compute', "DELETE FROM server WHERE project_id = '%s' AND id <> '%s'" % (project, one))

    def test_update(self):
        server = self.server()
        path = '/servers/' + server
        changed = expect(200, 'PUT', path, {'server': {'name': 'new näme', 'accessIPv4': '192.0.2.9', 'description': 'd', 'hostname': 'other'}}, 'latest')['server']
        self.assertEqual((changed['name'], changed['accessIPv4'], changed['description'], changed['OS-EXT-SRV-ATTR:hostname']), ('new näme', '192.0.2.9', 'd', 'other'))
        for wrong in ({'name': ''}, {'name': None}, {'status': 'ERROR'}, {'id': NOBODY}, {'tenant_id': OTTO.project_id}, {'host': 'host2'}, {'unknown': 1},
                      {'name': 'x' * 256}, {'OS-EXT-SRV-ATTR:host': 'x'}, {'vcpus': 1}, {'_flavor': {}}, {'locked': True}, {'metadata': {}}, {'accessIPv4': 'x'}):
            with self.subTest(wrong=wrong):
                expect(400, 'PUT', path, {'server': wrong}, 'latest')
        expect(403, 'PUT', path, {'server': {'name': 'x'}}, session=RITA)
        self.assertEqual(show(server)['name'], 'new näme')

    def act(self, server, status, action, value=None, session=None, version=None):
        return expect(status, 'POST', '/servers/%s/action' % server, {action: value}, version, session)

    def test_power(self):
        server = self.server()
        self.assertIn('vm_state active', self.act(server, 409, 'os-start'))
        self.act(server, 202, 'os-stop')
        stopped = self.until(server, 'SHUTOFF')
        self.assertEqual((stopped['OS-EXT-STS:power_state'], stopped['OS-EXT-STS:vm_state']), (4, 'stopped'))
        self.act(server, 409, 'os-stop')
        self.act(server, 409, 'reboot', {'type': 'SOFT'})
        self.act(server, 202, 'os-start')
        self.until(server, 'ACTIVE')
        for kind in ('SOFT', 'HARD', 'soft', 'Hard'):
            self.act(server, 202, 'reboot', {'type': kind})
            self.until(server, 'ACTIVE')
        for wrong in (None, {}, {'type': 'gentle'}, {'type': None}, 'SOFT', {'type': 'SOFT', 'x': 1}):
            self.act(server, 400, 'reboot', wrong)
        self.act(server, 202, 'os-stop')
        self.until(server, 'SHUTOFF')
        self.act(server, 202, 'reboot', {'type': 'HARD'})
        self.until(server, 'ACTIVE')
        self.act(server, 403, 'os-stop', session=RITA)
        self.act(server, 404, 'os-stop', session=OTTO)
        self.act(server, 400, 'os-unheard')
        expect(400, 'POST', '/servers/%s/action' % server, {'os-stop': None, 'os-start': None})
        expect(400, 'POST', '/servers/%s/action' % server, {})
        self.act(NOBODY, 404, 'os-stop')

    def test_two_stops(self):
        server = self.server()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: request('POST', '/servers/%s/action' % server, {'os-stop': None})[0], range(8)))
        self.assertEqual(answers.count(202), 1, answers)
        self.assertEqual(answers.count(409), 7, answers)
        self.until(server, 'SHUTOFF')

    def test_lock(self):
        server = self.server()
        self.act(server, 202, 'lock', {'locked_reason': 'mine'}, version='2.73')
        shown = show(server)
        self.assertEqual((shown['locked'], shown['locked_reason']), (True, 'mine'))
        for action, value in (('os-stop', None), ('reboot', {'type': 'SOFT'})):
            self.assertIn('is locked', self.act(server, 409, action, value))
        self.assertIn('is locked', expect(409, 'DELETE', '/servers/' + server))
        expect(409, 'PUT', '/servers/%s/metadata' % server, {'metadata': {}})
        expect(409, 'POST', '/servers/%s/os-volume_attachments' % server, {'volumeAttachment': {'volumeId': make_volume(MARY)}})
        self.act(server, 400, 'lock', {'locked_reason': 'x'}, version='2.72')
        self.act(server, 400, 'lock', {'locked_reason': ''}, version='2.73')
        self.act(server, 202, 'os-stop', session=ADMIN)  # The operator's hand is free.
        self.until(server, 'SHUTOFF')
        self.act(server, 403, 'unlock', session=RITA)
        self.act(server, 202, 'unlock')
        self.assertEqual((show(server)['locked'], show(server)['locked_reason']), (False, None))
        self.act(server, 202, 'lock', session=ADMIN)
        self.act(server, 403, 'unlock')
        self.act(server, 202, 'unlock', session=ADMIN)
        self.assertEqual([s['id'] for s in get('/servers?locked=true', version='2.73')['servers']], [])

    def test_reset_state(self):
        server = self.server()
        self.act(server, 403, 'os-resetState', {'state': 'error'})
        self.act(server, 202, 'os-resetState', {'state': 'error'}, session=ADMIN)
        self.assertEqual(show(server)['status'], 'ERROR')
        self.act(server, 409, 'os-stop')
        self.act(server, 400, 'os-resetState', {'state': 'fine'}, session=ADMIN)
        self.act(server, 202, 'os-resetState', {'state': 'active'}, session=ADMIN)
        self.assertEqual(show(server)['status'], 'ACTIVE')

    def test_console(self):
        server = self.server()
        self.assertIsInstance(self.act(server, 200, 'os-getConsoleOutput', {})['output'], str)
        self.act(server, 200, 'os-getConsoleOutput', {'length': 5})
        self.act(server, 200, 'os-getConsoleOutput', {'length': '5'})
        self.act(server, 200, 'os-getConsoleOutput', {'length': -1})
        for wrong in ({'length': -2}, {'length': 'x'}, {'length': []}):
            self.act(server, 400, 'os-getConsoleOutput', wrong)
        self.act(server, 404, 'os-getConsoleOutput', {}, session=OTTO)

    def test_metadata(self):
        server = self.server(metadata={'a': '1'})
        path = '/servers/%s/metadata' % server
        self.assertEqual(get(path), {'metadata': {'a': '1'}})
        self.assertEqual(expect(200, 'POST', path, {'metadata': {'b': '2', 'a': 'ü'}}), {'metadata': {'a': 'ü', 'b': '2'}})
        self.assertEqual(expect(200, 'PUT', path + '/c', {'meta': {'c': ''}}), {'meta': {'c': ''}})
        self.assertEqual(get(path + '/c'), {'meta': {'c': ''}})
        self.assertEqual(expect(200, 'PUT', path, {'metadata': {'z': '9'}}), {'metadata': {'z': '9'}})
        expect(204, 'DELETE', path + '/z')
        expect(404, 'DELETE', path + '/z')
        expect(404, 'GET', path + '/z')
        self.assertEqual(get(path), {'metadata': {}})
        for body in ({}, {'metadata': None}, {'metadata': {'a': 1}}, {'metadata': {'a': 'x' * 256}}, {'metadata': {'x' * 256: ''}}, {'metadata': {'': ''}}, {'metadata': []}):
            for method in ('POST', 'PUT'):
                with self.subTest(method=method, body=str(body)[:50]):
                    expect(400, method, path, body)
        for body in ({}, {'meta': {}}, {'meta': {'b': '1'}}, {'meta': {'a': '1', 'b': '2'}}, {'meta': {'a': 1}}):
            expect(400, 'PUT', path + '/a', body)
        expect(403, 'POST', path, {'metadata': {'%d' % i: '' for i in range(129)}})
        expect(403, 'PUT', path, {'metadata': {}}, session=RITA)
        expect(404, 'GET', path, session=OTTO)
        self.assertEqual(get(path, RITA), {'metadata': {}})

    def test_addresses(self):
        server = self.server()
        addresses = get('/servers/%s/ips' % server)['addresses']
        self.assertEqual(list(addresses), ['net'])
        self.assertEqual({(a['version'], a['addr']) for a in addresses['net']}, {(4, a['addr']) for a in show(server)['addresses']['net']})
        self.assertEqual(get('/servers/%s/ips/net' % server), {'net': addresses['net']})
        expect(404, 'GET', '/servers/%s/ips/other' % server)
        expect(404, 'GET', '/servers/%s/ips' % server, session=OTTO)
        self.assertEqual([g['name'] for g in get('/servers/%s/os-security-groups' % server)['security_groups']], ['default'])

    def test_interfaces(self):
        server = self.server()
        path = '/servers/%s/os-interface' % server
        first, = get(path)['interfaceAttachments']
        self.assertEqual((first['net_id'], first['port_state']), (NETWORK, 'ACTIVE'))
        self.assertEqual(get(path + '/' + first['port_id'])['interfaceAttachment'], first)
        second = expect(200, 'POST', path, {'interfaceAttachment': {'net_id': NETWORK}})['interfaceAttachment']
        port = make_port(MARY, NETWORK)
        third = expect(200, 'POST', path, {'interfaceAttachment': {'port_id': port['id']}})['interfaceAttachment']
        self.assertEqual(third['port_id'], port['id'])
        fixed = expect(200, 'POST', path, {'interfaceAttachment': {'net_id': NETWORK, 'fixed_ips': [{'ip_address': '10.1.88.8'}]}})['interfaceAttachment']
        self.assertEqual(fixed['fixed_ips'][0]['ip_address'], '10.1.88.8')
        wait_until(lambda: len(show(server)['addresses']['net']) == 4)
        for body, status in (({'net_id': NETWORK, 'port_id': port['id']}, 400), ({'port_id': port['id']}, 409), ({'port_id': NOBODY}, 404), ({'net_id': NOBODY}, 404),
                             ({'fixed_ips': [{'ip_address': '10.1.1.1'}]}, 400), ({'net_id': 'x'}, 400), ({'unknown': 1}, 400)):
            with self.subTest(body=body):
                expect(status, 'POST', path, {'interfaceAttachment': body})
        for one in (second, third, fixed):
            wait_until(lambda: request('DELETE', path + '/' + one['port_id'])[0] == 202)
            wait_until(lambda: one['port_id'] not in [x['port_id'] for x in get(path)['interfaceAttachments']])
        wait_until(lambda: len(show(server)['addresses']['net']) == 1)
        self.assertEqual(MARY.request('GET', 'network', '/v2.0/ports/' + second['port_id'])[0], 404)
        expect(404, 'DELETE', path + '/' + second['port_id'])
        expect(404, 'GET', path + '/' + NOBODY)
        for method in ('GET', 'POST'):
            expect(404, method, path, {'interfaceAttachment': {}} if method == 'POST' else None, session=OTTO)
        wait_until(lambda: MARY.expect(200, 'GET', 'network', '/v2.0/ports/' + port['id'])['port']['device_id'] == '')

    def test_volumes(self):
        server, volume = self.server(), make_volume(MARY)
        path = '/servers/%s/os-volume_attachments' % server
        status = lambda: get_volume('/volumes/' + volume, MARY)['volume']['status']  # noqa: E731
        self.assertEqual(get(path), {'volumeAttachments': []})
        made = expect(200, 'POST', path, {'volumeAttachment': {'volumeId': volume}})['volumeAttachment']
        self.assertEqual((made['volumeId'], made['serverId'], made['id']), (volume, server, volume))
        wait_until(lambda: status() == 'in-use')
        shown = wait_until(lambda: get(path + '/' + volume)['volumeAttachment'] if get(path + '/' + volume)['volumeAttachment']['device'] else None)
        self.assertTrue(shown['device'].startswith('/dev/'), shown)
        self.assertEqual(show(server)['os-extended-volumes:volumes_attached'], [{'id': volume, 'delete_on_termination': False}])
        self.assertIn('attachment_id', get(path + '/' + volume, version='2.89')['volumeAttachment'])
        other = self.server()
        expect(400, 'POST', '/servers/%s/os-volume_attachments' % other, {'volumeAttachment': {'volumeId': volume}})
        for body, answer in (({'volumeId': NOBODY}, 404), ({'volumeId': make_volume(OTTO)}, 404), ({'volumeId': 'x'}, 400), ({}, 400), ({'volumeId': make_volume(MARY), 'device': 'a b'}, 400),
                             ({'volumeId': volume, 'unknown': 1}, 400)):
            with self.subTest(body=body):
                expect(answer, 'POST', path, {'volumeAttachment': body})
        expect(404, 'DELETE', path + '/' + NOBODY)
        expect(404, 'DELETE', path + '/' + volume, session=OTTO)
        expect(403, 'DELETE', path + '/' + volume, session=RITA)
        self.assertEqual(MARY.request('DELETE', 'volume', '/v3/%s/volumes/%s' % (MARY.project_id, volume))[0], 400)
        wait_until(lambda: request('DELETE', path + '/' + volume)[0] == 202)
        wait_until(lambda: status() == 'available')
        wait_until(lambda: get(path)['volumeAttachments'] == [])
        expect(404, 'GET', path + '/' + volume)
        # A server that goes lets its volumes go.
        expect(200, 'POST', path, {'volumeAttachment': {'volumeId': volume}})
        wait_until(lambda: status() == 'in-use')
        expect(204, 'DELETE', '/servers/' + server)
        self.gone(server)
        self.assertEqual(status(), 'available')

    def test_two_servers_want_one_volume(self):
        servers, volume = [self.server(), self.server()], make_volume(MARY)
        attach = lambda s: request('POST', '/servers/%s/os-volume_attachments' % s, {'volumeAttachment': {'volumeId': volume}})[0]  # noqa: E731
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(attach, servers))
        self.assertIn(200, answers)
        wait_until(lambda: get_volume('/volumes/' + volume, MARY)['volume']['status'] == 'in-use')
        wait_until(lambda: sum(len(get('/servers/%s/os-volume_attachments' % s)['volumeAttachments']) for s in servers) == 1)
        self.assertEqual(len(get_volume('/volumes/' + volume, MARY)['volume']['attachments']), 1)

    def test_boot_from_volume(self):
        server = self.server(imageRef=None, flavorRef='none', block_device_mapping_v2=[
            {'source_type': 'image', 'destination_type': 'volume', 'uuid': IMAGE, 'volume_size': 1, 'boot_index': 0, 'delete_on_termination': True},
            {'source_type': 'blank', 'destination_type': 'volume', 'volume_size': 1, 'boot_index': -1}], sweep=False)
        shown = show(server)
        self.assertEqual(shown['image'], '')
        kept = {v['id']: v['delete_on_termination'] for v in shown['os-extended-volumes:volumes_attached']}
        self.assertEqual(sorted(kept.values()), [False, True])
        root = next(v for v, gone in kept.items() if gone)
        expect(403, 'DELETE', '/servers/%s/os-volume_attachments/%s' % (server, root))
        expect(204, 'DELETE', '/servers/' + server)
        self.gone(server)
        for volume, gone in kept.items():
            path = '/v3/%s/volumes/%s' % (MARY.project_id, volume)
            if gone:
                wait_until(lambda: MARY.request('GET', 'volume', path)[0] == 404)
            else:
                self.assertEqual(get_volume('/volumes/' + volume, MARY)['volume']['status'], 'available')

    def test_delete_while_it_is_built(self):
        """At any moment of a build; and afterwards nothing is left."""
        made = [self.server(wait=None, sweep=False) for _ in range(6)]
        for i, server in enumerate(made):
            time.sleep(0.03 * i)
            expect(204, 'DELETE', '/servers/' + server)
            self.assertIn(request('DELETE', '/servers/' + server)[0], (204, 404))  # Once more does no harm.
        for server in made:
            self.gone(server)
            self.nothing_left(server)

    def test_isolation(self):
        """For another project a server does not exist: every operation answers as for an id that is nobody's."""
        server = self.server()
        volume = make_volume(OTTO)
        for method, path, body in (
                ('GET', '', None), ('PUT', '', {'server': {'name': 'x'}}), ('DELETE', '', None), ('POST', '/action', {'os-stop': None}),
                ('POST', '/action', {'reboot': {'type': 'HARD'}}), ('POST', '/action', {'lock': None}), ('POST', '/action', {'unlock': None}),
                ('POST', '/action', {'os-getConsoleOutput': {}}), ('POST', '/action', {'addSecurityGroup': {'name': 'default'}}),
                ('GET', '/metadata', None), ('PUT', '/metadata', {'metadata': {}}), ('GET', '/metadata/a', None), ('DELETE', '/metadata/a', None),
                ('GET', '/ips', None), ('GET', '/os-interface', None), ('POST', '/os-interface', {'interfaceAttachment': {}}),
                ('GET', '/os-volume_attachments', None), ('POST', '/os-volume_attachments', {'volumeAttachment': {'volumeId': volume}}),
                ('GET', '/os-instance-actions', None), ('GET', '/os-instance-actions/req-' + NOBODY, None), ('GET', '/os-security-groups', None)):
            with self.subTest(method=method, path=path, body=body):
                theirs = expect(404, method, '/servers/' + server + path, body, session=OTTO)
                self.assertEqual(theirs.replace(server, NOBODY), expect(404, method, '/servers/' + NOBODY + path, body, session=OTTO))
        self.assertEqual(show(server)['status'], 'ACTIVE')
        self.assertEqual(get_volume('/volumes/' + volume, OTTO)['volume']['status'], 'available')

    def test_instance_actions(self):
        server = self.server()
        status, headers, _ = request('POST', '/servers/%s/action' % server, {'os-stop': None})
        self.assertEqual(status, 202)
        self.until(server, 'SHUTOFF')
        path = '/servers/%s/os-instance-actions' % server
        listed = get(path, version='2.58')['instanceActions']
        self.assertEqual([a['action'] for a in listed], ['stop', 'create'])
        self.assertEqual(listed[0]['request_id'], headers['x-openstack-request-id'])
        self.assertEqual((listed[0]['user_id'], listed[0]['project_id'], listed[0]['message']), (MARY.user_id, MARY.project_id, None))
        self.assertNotIn('updated_at', get(path)['instanceActions'][0])
        shown = get(path + '/' + listed[0]['request_id'], version='2.51')['instanceAction']
        self.assertEqual([(e['event'], e['result']) for e in shown['events']], [('compute_stop_instance', 'Success')])
        self.assertNotIn('traceback', shown['events'][0])
        self.assertNotIn('events', get(path + '/' + listed[0]['request_id'])['instanceAction'])
        expect(404, 'GET', path + '/req-' + NOBODY)

    def test_security_groups(self):
        server = self.server()
        name = unique('group')
        MARY.expect(201, 'POST', 'network', '/v2.0/security-groups', {'security_group': {'name': name}})
        self.act(server, 202, 'addSecurityGroup', {'name': name})
        groups = lambda: {g['name'] for g in get('/servers/%s/os-security-groups' % server)['security_groups']}  # noqa: E731
        self.assertEqual(groups(), {'default', name})
        self.act(server, 202, 'removeSecurityGroup', {'name': name})
        self.assertEqual(groups(), {'default'})
        self.assertIn(request('POST', '/servers/%s/action' % server, {'addSecurityGroup': {'name': unique()}})[0], (400, 404))
        self.act(server, 400, 'addSecurityGroup', {'name': ''})


class Failures(Case):
    """What goes wrong on a host ends in a state, and leaves nothing."""

    @classmethod
    def setUpClass(cls):
        with_hosts()

    def test_agent_dies_in_a_build(self):
        made = [self.server(wait=None) for _ in range(4)]
        for host in ('host1', 'host2'):
            HOSTS.agent(host, 'compute-agent').kill()
        for host in ('host1', 'host2'):
            HOSTS.agent(host, 'compute-agent').start()
            HOSTS.agent(host, 'compute-agent').wait_ready()
        for server in made:
            wait_until(lambda: show(server)['status'] in ('ACTIVE', 'ERROR') and show(server)['OS-EXT-STS:task_state'] is None, 120)
            if show(server)['status'] == 'ERROR':
                self.nothing_left(server)

    def test_compute_dies_in_a_build(self):
        made = [self.server(wait=None) for _ in range(4)]
        CLOUD.daemon('compute').process.kill() if hasattr(CLOUD.daemon('compute').process, 'kill') else os.kill(CLOUD.daemon('compute').process.pid(), 9)
        wait_until(lambda: CLOUD.daemon('compute').process.pid() is None)
        CLOUD.restart()
        for server in made:
            self.until(server, 'ACTIVE')

    def test_no_secret_in_the_log(self):
        data, password = base64.b64encode(b'the secret of user data').decode(), unique('secret')
        self.server(user_data=data, adminPass=password)
        with open(CLOUD.daemon('compute').process.log, encoding='utf-8', errors='replace') as log:
            text = log.read()
        for secret in (data, password, MARY.token, MARY.token.split('.')[2], CLOUD.layout.secret('user-compute')):
            self.assertNotIn(secret, text)


if __name__ == '__main__':
    unittest.main()
