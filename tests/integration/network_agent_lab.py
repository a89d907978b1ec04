"""Hosts and guests made of network namespaces, for test_network_agent.py. All of them are named vna-*; the machine's own
namespace is not touched."""
import copy
import json
import os
import socket
import struct
import subprocess
import time

LAB = None  # The driver without a control plane: test_network_agent.c, built
PYTHON = '/usr/bin/python3'
EXT = '203.0.113'


def run(*argv, check=True, timeout=20, **kw):
    p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=timeout, **kw)
    if check and p.returncode != 0:
        raise AssertionError('%s: %s' % (' '.join(argv), p.stdout))
    return p


def read(path):
    with open(path) as f:
        return f.read()


def ip(*argv, check=True):
    return run('ip', *argv, check=check)


def uid(n):
    return '%08x-0000-4000-8000-%012x' % (n, n)


def tap(port_id):
    return 'tap' + port_id[:11]


class Host:
    """A network namespace with a mount namespace of its own, so that each host has its own /run/netns."""

    def __init__(self, n, base):
        self.n, self.name, self.dir = n, 'vna-h%d' % n, '%s/h%d' % (base, n)
        self.tunnel = '10.98.0.%d' % n
        os.mkdir(self.dir)
        os.chmod(self.dir, 0o755)
        ip('netns', 'add', self.name)
        for near, far, bridge in (('e0', 'h%d' % n, 'ul'), ('e1', 'x%d' % n, 'ext')):
            ip('link', 'add', near, 'netns', self.name, 'type', 'veth', 'peer', 'name', far, 'netns', 'vna-net')
            ip('-n', 'vna-net', 'link', 'set', far, 'master', bridge, 'up')
            ip('-n', self.name, 'link', 'set', near, 'up')
        ip('-n', self.name, 'link', 'set', 'lo', 'up')
        ip('-n', self.name, 'addr', 'add', self.tunnel + '/24', 'dev', 'e0')
        self.holder = subprocess.Popen(
            ['ip', 'netns', 'exec', self.name, 'unshare', '--mount', '--propagation', 'private', 'sh', '-c',
             'mount -t tmpfs tmpfs /run/netns; mount --make-shared /run/netns; echo ready; exec cat'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.holder.stdout.readline() == 'ready\n'
        self.lab = None
        self.applied = 0

    def command(self, *argv):
        return ['nsenter', '-t', str(self.holder.pid), '-m', '-n', '--', *argv]

    def run(self, *argv, **kw):
        return run(*self.command(*argv), **kw)

    def start(self):
        self.log = open(self.dir + '/log', 'a')
        self.lab = subprocess.Popen(
            self.command(LAB, self.dir, self.tunnel, 'external:brex', 'e1', 'nobody'),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True,
            preexec_fn=lambda: os.umask(0o077) and None)

    def apply(self, state, facts=None):
        path = '%s/state-%d.json' % (self.dir, self.applied)
        self.applied += 1
        with open(path, 'w') as f:
            json.dump({'state': state, 'facts': facts or {}}, f)
        self.lab.stdin.write(path + '\n')
        self.lab.stdin.flush()
        line = self.lab.stdout.readline()
        if not line:
            raise AssertionError('the driver ended: ' + read(self.dir + '/log')[-4000:])
        return json.loads(line)

    def stop(self):
        """As an agent is stopped: nothing of what it made goes."""
        if self.lab is None:
            return 0
        self.lab.stdin.close()
        code = self.lab.wait(20)
        self.lab.stdout.close()
        self.log.close()
        self.lab = None
        if code != 0:
            raise AssertionError(read(self.dir + '/log')[-4000:])
        return code

    def close(self):
        try:
            self.stop()
        finally:
            for entry in os.listdir(self.dir + '/dhcp') if os.path.isdir(self.dir + '/dhcp') else []:
                try:
                    os.kill(int(read('%s/dhcp/%s/pid' % (self.dir, entry)).split()[0]), 9)
                except (OSError, ValueError):
                    pass
            self.holder.stdin.close()
            self.holder.wait()
            self.holder.stdout.close()
            ip('netns', 'del', self.name, check=False)


class Guest:
    """A namespace whose eth0 is the far side of a port's tap (a veth stands for the tap)."""

    def __init__(self, host, port):
        self.host, self.port = host, port
        self.name = 'vna-g%d' % int(port['id'][:8], 16)
        self.mac, self.ip = port['mac'], port['fixed_ips'][0]['ip']
        ip('netns', 'add', self.name)
        ip('link', 'add', tap(port['id']), 'netns', host.name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', self.name)
        self.run('ip', 'link', 'set', 'eth0', 'address', self.mac)
        self.run('ip', 'link', 'set', 'lo', 'up')
        self.run('ip', 'link', 'set', 'eth0', 'up')

    def run(self, *argv, **kw):
        return run('ip', 'netns', 'exec', self.name, *argv, **kw)

    def popen(self, *argv, **kw):
        return subprocess.Popen(['ip', 'netns', 'exec', self.name, *argv], text=True, **kw)

    def static(self):
        self.run('ip', 'addr', 'replace', self.ip + '/24', 'dev', 'eth0')
        self.run('ip', 'link', 'set', 'eth0', 'mtu', '1450')
        self.run('ip', 'route', 'replace', 'default', 'via', self.ip.rsplit('.', 1)[0] + '.1')

    def ping(self, to, *options):
        return self.run('busybox', 'ping', '-c', '1', '-W', '1', *options, to, check=False).returncode == 0

    def can(self, to, within=5.0):
        """Pings until an answer comes."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            if self.ping(to):
                return True
        return False

    def python(self, code, *args, **kw):
        return self.run(PYTHON, '-c', code, *args, **kw)

    def send(self, *frames):
        """Raw frames from eth0."""
        self.python('import socket,sys\ns=socket.socket(socket.AF_PACKET,socket.SOCK_RAW)\ns.bind(("eth0",0))\n'
                    'for f in sys.argv[1:]: s.send(bytes.fromhex(f))', *[f.hex() for f in frames])

    def http(self, path, headers=(), to='169.254.169.254', source=None, count=1):
        code = '''
import http.client, sys, json
to, path, source, count = sys.argv[1:5]
headers = dict(h.split(": ", 1) for h in sys.argv[5:])
out = []
c = http.client.HTTPConnection(to, 80, timeout=3, source_address=(source, 0) if source else None)
for i in range(int(count)):
    try:
        c.putrequest("GET", path, skip_host="Host" in headers)
        for k, v in headers.items(): c.putheader(k, v)
        c.endheaders()
        r = c.getresponse()
        out.append([r.status, r.read().decode()])
    except OSError as e:
        out.append([0, str(e)])
        break
print(json.dumps(out))
'''
        p = self.python(code, to, path, source or '', str(count), *headers, timeout=60)
        answers = json.loads(p.stdout)
        return answers if count > 1 else tuple(answers[0])

    def close(self):
        ip('netns', 'del', self.name, check=False)


class Sniffer:
    """Counts frames that reach a guest and contain some bytes."""

    CODE = '''
import socket, sys, select
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind(("eth0", 0))
print("ready", flush=True)
needle, end, n = bytes.fromhex(sys.argv[1]), bytes.fromhex(sys.argv[2]), 0
while True:
    data, peer = s.recvfrom(65535)
    if peer[2] == 4: continue
    if end in data: break
    n += needle in data
print(n, flush=True)
'''

    def __init__(self, guest, needle, end):
        self.p = guest.popen(PYTHON, '-c', self.CODE, needle.hex(), end.hex(), stdout=subprocess.PIPE)
        assert self.p.stdout.readline() == 'ready\n'

    def count(self):
        """Waits for the frame that ends it."""
        n = int(self.p.communicate(timeout=20)[0])
        return n

    def kill(self):
        self.p.kill()
        self.p.communicate()


def mac_bytes(mac):
    return bytes.fromhex(mac.replace(':', ''))


def ethernet(src, dst, kind, payload):
    return mac_bytes(dst) + mac_bytes(src) + struct.pack('!H', kind) + payload


def arp(op, sender_mac, sender_ip, target_ip, frame_src=None):
    body = struct.pack('!HHBBH', 1, 0x0800, 6, 4, op) + mac_bytes(sender_mac) + socket.inet_aton(sender_ip)
    body += b'\0' * 6 + socket.inet_aton(target_ip)
    return ethernet(frame_src or sender_mac, 'ff:ff:ff:ff:ff:ff', 0x0806, body)


def checksum(data):
    data += b'\0' * (len(data) % 2)
    total = sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ipv4(src, dst, protocol, payload):
    head = struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0)
    head += socket.inet_aton(src) + socket.inet_aton(dst)
    return head[:10] + struct.pack('!H', checksum(head)) + head[12:] + payload


def udp(sport, dport, payload):
    return struct.pack('!HHHH', sport, dport, 8 + len(payload), 0) + payload


def icmp6(src, dst, kind, body, next_header=58, prefix=b''):
    s, d = socket.inet_pton(socket.AF_INET6, src), socket.inet_pton(socket.AF_INET6, dst)
    message = struct.pack('!BBH', kind, 0, 0) + body
    pseudo = s + d + struct.pack('!II', len(message), 58)
    message = message[:2] + struct.pack('!H', checksum(pseudo + message)) + message[4:]
    payload = prefix + message
    return struct.pack('!IHBB', 6 << 28, len(payload), next_header, 255) + s + d + payload


ANY = {'id': uid(0xf0), 'direction': 'egress', 'ethertype': 'IPv4'}
ANY6 = {'id': uid(0xf1), 'direction': 'egress', 'ethertype': 'IPv6'}


def rule(n, **kw):
    return dict({'id': uid(0x1000 + n), 'direction': 'ingress', 'ethertype': 'IPv4'}, **kw)


class Cloud:
    """What the network service would say, and to whom."""
    NET, NET2, EXTNET, SUBNET, SUBNET2, EXTSUBNET = uid(0xa1), uid(0xa2), uid(0xa3), uid(0xb1), uid(0xb2), uid(0xb3)
    GROUP, OTHER, ROUTER, DHCP, RIF, GW = uid(0xc1), uid(0xc2), uid(0xd1), uid(0xe1), uid(0xe2), uid(0xe3)
    DHCP2 = uid(0xe4)

    def __init__(self):
        self.generation = 0
        self.ports, self.where, self.floating = {}, {}, []
        self.groups = {self.GROUP: [ANY, ANY6], self.OTHER: [ANY, ANY6]}

    def port(self, n, host, net=None, **kw):
        net = net or self.NET
        p = {'id': uid(n), 'network_id': net, 'mac': 'fa:16:3e:00:00:%02x' % n, 'device_id': uid(0x9000 + n),
             'device_owner': 'compute:nova', 'admin_state_up': True, 'port_security': True,
             'fixed_ips': [{'subnet_id': self.SUBNET if net == self.NET else self.SUBNET2, 'ip': '10.5.0.%d' % n}],
             'security_group_ids': [self.GROUP], 'dns_name': 'guest-%d' % n}
        p.update(kw)
        self.ports[n], self.where[n] = p, host
        return p

    def network(self, net, subnet, vni, dhcp_here, dhcp_id, mac):
        n = {'id': net, 'vni': vni, 'mtu': 1450, 'subnets': [
            {'id': subnet, 'ip_version': 4, 'cidr': '10.5.0.0/24', 'gateway_ip': '10.5.0.1', 'enable_dhcp': True,
             'dns_nameservers': ['192.0.2.53'], 'host_routes': [{'destination': '198.51.100.0/24', 'nexthop': '10.5.0.9'}]}]}
        if dhcp_here:
            n['dhcp_port'] = {'id': dhcp_id, 'mac': mac, 'fixed_ips': [{'subnet_id': subnet, 'ip': '10.5.0.2'}]}
        return n

    def for_host(self, h):
        self.generation += 1
        here = h.n == 1
        nets = [self.network(self.NET, self.SUBNET, 101, here, self.DHCP, 'fa:16:3e:00:01:02')]
        if any(p['network_id'] == self.NET2 for p in self.ports.values()):
            nets.append(self.network(self.NET2, self.SUBNET2, 102, here, self.DHCP2, 'fa:16:3e:00:02:02'))
        remote = []
        for n, p in self.ports.items():
            if self.where[n] is not h:
                r = {k: p[k] for k in ('id', 'network_id', 'mac', 'fixed_ips', 'device_id', 'dns_name', 'extra_dhcp_opts')
                     if k in p}
                r['tunnel_ip'] = self.where[n].tunnel if self.where[n] else None
                remote.append(r)
        if not here:
            for i, mac, address in ((self.DHCP, 'fa:16:3e:00:01:02', '10.5.0.2'), (self.RIF, 'fa:16:3e:00:01:01', '10.5.0.1')):
                remote.append({'id': i, 'network_id': self.NET, 'mac': mac, 'tunnel_ip': '10.98.0.1',
                               'fixed_ips': [{'subnet_id': self.SUBNET, 'ip': address}]})
        state = {
            'generation': self.generation, 'unchanged': False, 'networks': nets,
            'ports': [p for n, p in self.ports.items() if self.where[n] is h], 'remote_ports': remote,
            'security_groups': [
                {'id': g, 'rules': rules,
                 'members': [p['fixed_ips'][0]['ip'] for p in self.ports.values() if g in p['security_group_ids']]}
                for g, rules in self.groups.items()],
            'routers': [], 'peers': [{'host': 'h%d' % n, 'tunnel_ip': '10.98.0.%d' % n} for n in (1, 2) if n != h.n]}
        if here:
            nets.append({'id': self.EXTNET, 'physical_network': 'external', 'mtu': 1500, 'subnets': []})
            state['routers'] = [{
                'id': self.ROUTER, 'admin_state_up': True,
                'interfaces': [{'port_id': self.RIF, 'network_id': self.NET, 'mac': 'fa:16:3e:00:01:01',
                                'cidrs': ['10.5.0.1/24']}],
                'gateway': {'port_id': self.GW, 'network_id': self.EXTNET, 'mac': 'fa:16:3e:00:01:03',
                            'cidrs': [EXT + '.10/24'], 'gateway_ips': [EXT + '.254'], 'enable_snat': True},
                'floating_ips': self.floating}]
        return copy.deepcopy(state)

    def facts(self):
        return {p['device_id']: {'uuid': p['device_id'], 'name': p['dns_name'], 'hostname': p['dns_name']}
                for p in self.ports.values()}
