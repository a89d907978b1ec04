#!/usr/bin/python3
"""A guest, as an ordinary user gets one: image, network, router, key, server, floating IP, log-in, volume; and nothing left
afterwards. Then the same with something killed in the middle of the boot: the server ends ACTIVE or ERROR, and again nothing is
left. All six daemons, three agents, PostgreSQL, RabbitMQ and libvirt run for real, on a host in namespaces."""
import os
import subprocess
import sys
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'lib'))
from cloud import Cloud  # noqa: E402

SERVICES = ('identity', 'image', 'placement', 'compute', 'network', 'volume')
AGENTS = ('compute-agent', 'network-agent', 'volume-agent')
BOOT_SECONDS = 300          # On a busy machine without KVM.


def wait(seconds, what, fn):
    end = time.monotonic() + seconds
    while True:
        value = fn()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError('%s: not within %d s' % (what, seconds))
        time.sleep(0.3)


class Guest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        out = os.path.join(os.environ.get('VIRGA_OUT', os.path.join(ROOT, 'build')), 'image')
        subprocess.run([ROOT + '/deploy/image/build', out], check=True, stdout=subprocess.DEVNULL)
        cls.image_file = out + '/tiny.qcow2'
        cls.cloud = Cloud(services=SERVICES, agents=AGENTS, hosts=1)
        try:
            cls.prepare()
        except BaseException:
            cls.cloud.close()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.cloud.close()

    @classmethod
    def prepare(cls):
        a = cls.admin = cls.cloud.admin()
        project = a.expect(201, 'POST', 'identity', '/v3/projects', {'project': {'name': 'demo'}})['project']['id']
        user = a.expect(201, 'POST', 'identity', '/v3/users', {'user': {'name': 'demo', 'password': 'demo-pw'}})['user']['id']
        roles = {r['name']: r['id'] for r in a.expect(200, 'GET', 'identity', '/v3/roles')['roles']}
        a.expect(204, 'PUT', 'identity', '/v3/projects/%s/users/%s/roles/%s' % (project, user, roles['member']))
        flavor = {'flavor': {'name': 'tiny', 'ram': 192, 'vcpus': 1, 'disk': 1}}
        cls.flavor = a.expect(200, 'POST', 'compute', '/v2.1/flavors', flavor)['flavor']['id']
        cls.public = a.expect(201, 'POST', 'network', '/v2.0/networks', {'network': {
            'name': 'public', 'router:external': True, 'provider:network_type': 'flat', 'provider:physical_network': 'external'}})['network']['id']
        a.expect(201, 'POST', 'network', '/v2.0/subnets', {'subnet': {
            'network_id': cls.public, 'ip_version': 4, 'cidr': '203.0.113.0/24', 'gateway_ip': '203.0.113.254', 'enable_dhcp': False,
            'allocation_pools': [{'start': '203.0.113.10', 'end': '203.0.113.199'}]}})
        u = cls.user = cls.cloud.session('demo', 'demo-pw', 'demo')
        cls.image = u.expect(201, 'POST', 'image', '/v2/images', {'name': 'tiny', 'disk_format': 'qcow2', 'container_format': 'bare'})['id']
        with open(cls.image_file, 'rb') as file:
            u.expect(204, 'PUT', 'image', '/v2/images/%s/file' % cls.image, file.read(), {'Content-Type': 'application/octet-stream'})
        cls.network = u.expect(201, 'POST', 'network', '/v2.0/networks', {'network': {'name': 'net'}})['network']['id']
        cls.subnet = u.expect(201, 'POST', 'network', '/v2.0/subnets', {'subnet': {
            'network_id': cls.network, 'ip_version': 4, 'cidr': '10.5.0.0/24'}})['subnet']['id']
        cls.router = u.expect(201, 'POST', 'network', '/v2.0/routers', {'router': {
            'name': 'r', 'external_gateway_info': {'network_id': cls.public}}})['router']['id']
        u.expect(200, 'PUT', 'network', '/v2.0/routers/%s/add_router_interface' % cls.router, {'subnet_id': cls.subnet})
        cls.key_file = os.path.join(cls.cloud.folder, 'key')
        subprocess.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', cls.key_file], check=True)
        with open(cls.key_file + '.pub', encoding='utf-8') as file:
            u.expect((200, 201), 'POST', 'compute', '/v2.1/os-keypairs', {'keypair': {'name': 'key', 'public_key': file.read().strip()}})
        group = [g for g in u.expect(200, 'GET', 'network', '/v2.0/security-groups')['security_groups'] if g['name'] == 'default'][0]['id']
        for protocol, port in (('tcp', 22), ('icmp', None)):
            rule = {'security_group_id': group, 'direction': 'ingress', 'protocol': protocol}
            if port:
                rule.update(port_range_min=port, port_range_max=port)
            u.expect(201, 'POST', 'network', '/v2.0/security-group-rules', {'security_group_rule': rule})
        # The host must have told placement what it has.
        wait(60, 'resource provider', lambda: a.expect(200, 'GET', 'placement', '/resource_providers')['resource_providers'])
        wait(60, 'inventory', lambda: a.request('GET', 'placement', '/allocation_candidates?resources=VCPU:1,MEMORY_MB:64,DISK_GB:1',
                                                headers={'OpenStack-API-Version': 'placement 1.36'})[2].get('allocation_requests'))

    def tearDown(self):
        """A test that failed leaves nothing to the next one."""
        for server in self.user.expect(200, 'GET', 'compute', '/v2.1/servers')['servers']:
            self.user.request('DELETE', 'compute', '/v2.1/servers/' + server['id'])
            wait(180, 'deletion', lambda server=server: self.server(server['id']) is None)

    def create(self, name, **more):
        body = {'server': dict({'name': name, 'imageRef': self.image, 'flavorRef': self.flavor, 'key_name': 'key',
                                'networks': [{'uuid': self.network}]}, **more)}
        return self.user.expect(202, 'POST', 'compute', '/v2.1/servers', body)['server']['id']

    def server(self, server):
        status, _, body = self.user.request('GET', 'compute', '/v2.1/servers/' + server)
        return body['server'] if status == 200 else None

    def wait_status(self, server, *wanted, seconds=BOOT_SECONDS):
        def look():
            now = self.server(server)
            status = now['status'] if now else 'gone'
            if status == 'ERROR' and 'ERROR' not in wanted:
                raise AssertionError('the server is in ERROR: %s' % now.get('fault'))
            return status if status in wanted and not (now or {}).get('OS-EXT-STS:task_state') else None
        return wait(seconds, 'status ' + '/'.join(wanted), look)

    def console(self, server):
        status, _, body = self.user.request('POST', 'compute', '/v2.1/servers/%s/action' % server, {'os-getConsoleOutput': {}})
        return body['output'].replace('\r', '') if status == 200 else ''

    def wait_console(self, server, text, seconds=BOOT_SECONDS):
        wait(seconds, 'console with ' + text, lambda: text in self.console(server))
        return self.console(server)

    def delete(self, server):
        self.user.expect(204, 'DELETE', 'compute', '/v2.1/servers/' + server)
        wait(120, 'deletion', lambda: self.server(server) is None)

    def assert_nothing_left(self):
        u, a = self.user, self.admin
        wait(60, 'no server ports', lambda: not [p for p in u.expect(200, 'GET', 'network', '/v2.0/ports')['ports']
                                                  if p['device_owner'].startswith('compute')])
        for provider in a.expect(200, 'GET', 'placement', '/resource_providers')['resource_providers']:
            left = a.expect(200, 'GET', 'placement', '/resource_providers/%s/allocations' % provider['uuid'])['allocations']
            self.assertEqual(left, {})
        self.assertEqual(self.domains(), [])
        self.assertEqual(self.cloud.sql('compute', "SELECT count(*) FROM saga WHERE status = 'open' AND name LIKE 'compute.server%'").strip(), '0')
        wait(30, 'no taps', lambda: not self.taps())

    def domains(self):
        out = subprocess.run(self.cloud.hosts[0].command('virsh', '-q', 'list', '--all', '--name'), capture_output=True, text=True).stdout
        return [line for line in out.split('\n') if line.strip()]

    def taps(self):
        out = subprocess.run(self.cloud.hosts[0].command('ip', '-br', 'link', 'show', 'type', 'tun'), capture_output=True, text=True).stdout
        return out.split()

    # --- The whole story

    def test_a_guest_from_image_to_nothing(self):
        u = self.user
        server = self.create('web', metadata={'a': 'b'})
        self.wait_status(server, 'ACTIVE')
        text = self.wait_console(server, 'TINY-READY')
        self.assertIn('hostname=web', text)
        self.assertIn('metadata=http', text)
        self.assertIn('keys=1', text)
        address = self.server(server)['addresses']['net'][0]['addr']
        self.assertIn('ip=%s/24' % address, text)

        port = u.expect(200, 'GET', 'network', '/v2.0/ports?device_id=' + server)['ports'][0]['id']
        floating = u.expect(201, 'POST', 'network', '/v2.0/floatingips', {'floatingip': {
            'floating_network_id': self.public, 'port_id': port}})['floatingip']
        self.assertIn('web', self.ssh(floating['floating_ip_address'], 'hostname'))
        wait(30, 'floating IP in the addresses', lambda: floating['floating_ip_address'] in str(self.server(server)['addresses']))

        volume = u.expect(202, 'POST', 'volume', '/v3/%s/volumes' % u.project_id, {'volume': {'size': 1, 'name': 'data'}})['volume']['id']
        self.wait_volume(volume, 'available')
        u.expect(200, 'POST', 'compute', '/v2.1/servers/%s/os-volume_attachments' % server, {'volumeAttachment': {'volumeId': volume}})
        self.wait_volume(volume, 'in-use')
        self.assertIn(volume[:20], self.wait_console(server, 'HOTPLUG block'))
        write = 'D=$(grep -lsx %s /sys/block/vd*/serial | cut -d/ -f4); echo some bytes | dd of=/dev/$D 2>/dev/null; sync; head -c 10 /dev/$D' % volume[:20]
        self.assertIn('some bytes', self.ssh(floating['floating_ip_address'], write))
        u.expect(202, 'DELETE', 'compute', '/v2.1/servers/%s/os-volume_attachments/%s' % (server, volume))
        self.wait_volume(volume, 'available')

        self.act(server, {'os-stop': None}, 'SHUTOFF')
        self.act(server, {'os-start': None}, 'ACTIVE')
        self.act(server, {'reboot': {'type': 'HARD'}}, 'ACTIVE')

        self.delete(server)
        u.expect(204, 'DELETE', 'network', '/v2.0/floatingips/' + floating['id'])
        u.expect(202, 'DELETE', 'volume', '/v3/%s/volumes/%s' % (u.project_id, volume))
        wait(60, 'volume gone', lambda: u.request('GET', 'volume', '/v3/%s/volumes/%s' % (u.project_id, volume))[0] == 404)
        self.assert_nothing_left()

    def act(self, server, action, status):
        self.user.expect(202, 'POST', 'compute', '/v2.1/servers/%s/action' % server, action)
        self.wait_status(server, status)

    def wait_volume(self, volume, wanted):
        u = self.user

        def look():
            status = u.expect(200, 'GET', 'volume', '/v3/%s/volumes/%s' % (u.project_id, volume))['volume']['status']
            self.assertFalse(status.startswith('error'), status)
            return status == wanted
        wait(120, 'volume ' + wanted, look)

    def ssh(self, address, command):
        argv = ['nsenter', '--net=/run/netns/%s-wire' % self.cloud.layout.tag, 'ssh', '-i', self.key_file, '-o', 'IdentitiesOnly=yes',
                '-o', 'UserKnownHostsFile=/dev/null', '-o', 'StrictHostKeyChecking=no', '-o', 'ConnectTimeout=10', '-o', 'LogLevel=ERROR',
                '-l', 'root', address, command]
        out = []

        def look():
            done = subprocess.run(argv, capture_output=True, text=True, check=False)
            out.append(done.stdout)
            return done.returncode == 0
        wait(60, 'ssh to ' + address, look)
        return out[-1]

    # --- The guest too many

    def test_no_valid_host(self):
        flavor = {'flavor': {'name': 'huge', 'ram': 100000000, 'vcpus': 1, 'disk': 0}}
        huge = self.admin.expect(200, 'POST', 'compute', '/v2.1/flavors', flavor)['flavor']['id']
        self.admin.expect(200, 'PUT', 'compute', '/v2.1/os-quota-sets/' + self.user.project_id, {'quota_set': {'ram': -1}})
        server = self.create('huge', flavorRef=huge)
        self.wait_status(server, 'ERROR', seconds=60)
        message = self.server(server)['fault']['message']
        self.assertIn('No valid host was found', message)
        self.assertIn('host1: ', message)
        self.assertIn('MEMORY_MB', message)
        self.delete(server)
        self.assert_nothing_left()

    # --- Deleted while it is built

    def test_delete_while_building(self):
        server = self.create('short')
        self.user.expect(204, 'DELETE', 'compute', '/v2.1/servers/' + server)
        wait(180, 'deletion', lambda: self.server(server) is None)
        self.assert_nothing_left()

    # --- kill -9 in the middle of a boot

    def killed(self, name, delay):
        server = self.create('killed')
        time.sleep(delay)       # Somewhere in the middle; any moment must do.
        if name == 'rabbitmq':
            self.cloud.rabbitmq.process.kill()
        else:
            self.cloud.daemon(name).process.kill()
        self.cloud.restart()
        status = self.wait_status(server, 'ACTIVE', 'ERROR')
        if status == 'ACTIVE':
            self.wait_console(server, 'TINY-READY')
        self.delete(server)
        self.assert_nothing_left()

    def test_kill_compute(self):
        self.killed('compute', 0.5)

    def test_kill_compute_agent(self):
        self.killed('host1-compute-agent', 1.0)

    def test_kill_network_agent(self):
        self.killed('host1-network-agent', 0.3)

    def test_kill_volume_agent(self):
        self.killed('host1-volume-agent', 0.5)

    def test_kill_rabbitmq(self):
        self.killed('rabbitmq', 0.5)


if __name__ == '__main__':
    unittest.main()
