#!/usr/bin/python3
"""The network agent's bridge driver on two hosts made of network namespaces, with guests that try what they may not.

Environment: VIRGA_BUILD, where the built C program of the same name is: the driver without a control plane. Needs root,
iproute2, nftables, dnsmasq and busybox.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import network_agent_lab as lab  # noqa: E402
from network_agent_lab import (EXT, PYTHON, Cloud, Guest, Host, Sniffer, arp, ethernet, icmp6, ip, ipv4, rule,  # noqa: E402
                               run, tap, udp, uid)

ICMP = rule(1, protocol='icmp')
UDHCPC = '''#!/bin/sh
case "$1" in bound)
  ip addr replace "$ip/$mask" dev "$interface"; ip link set "$interface" mtu "${mtu:-1500}"
  set -- $staticroutes
  while [ $# -ge 2 ]; do ip route replace "$1" via "$2" dev "$interface" onlink; shift 2; done
  echo "ip=$ip router=$router dns=$dns mtu=$mtu hostname=$hostname tftp=$tftp routes=$staticroutes" ;;
esac
'''


def clean_up():
    for name in [line.split()[0] for line in ip('netns', 'list').stdout.splitlines() if line.startswith('vna-')]:
        ip('netns', 'del', name, check=False)


class NetworkAgent(unittest.TestCase):
    def setUp(self):
        clean_up()
        self.base = tempfile.mkdtemp(prefix='vna-')
        os.chmod(self.base, 0o755)
        self.addCleanup(shutil.rmtree, self.base, ignore_errors=True)
        ip('netns', 'add', 'vna-net')
        self.addCleanup(ip, 'netns', 'del', 'vna-net', check=False)
        run('ip', 'netns', 'exec', 'vna-net', 'sysctl', '-qw', 'net.bridge.bridge-nf-call-iptables=0')
        for bridge in ('ul', 'ext'):
            ip('-n', 'vna-net', 'link', 'add', bridge, 'type', 'bridge')
            ip('-n', 'vna-net', 'link', 'set', bridge, 'up')
        ip('-n', 'vna-net', 'addr', 'add', EXT + '.254/24', 'dev', 'ext')
        self.h1, self.h2 = self.host(1), self.host(2)
        self.cloud = Cloud()
        self.p11, self.p13 = self.cloud.port(11, self.h1), self.cloud.port(13, self.h1)
        self.p12 = self.cloud.port(12, self.h2)
        self.g11, self.g13 = self.guest(self.h1, self.p11), self.guest(self.h1, self.p13)
        self.g12 = self.guest(self.h2, self.p12)
        self.script = self.base + '/udhcpc'
        with open(self.script, 'w') as f:
            f.write(UDHCPC)
        os.chmod(self.script, 0o755)

    def host(self, n):
        h = Host(n, self.base)
        self.addCleanup(h.close)
        h.start()
        return h

    def guest(self, host, port):
        g = Guest(host, port)
        self.addCleanup(g.close)
        return g

    def apply(self, *hosts):
        """Makes the cloud's state real; nothing may fail."""
        changes = {}
        for h in hosts or (self.h1, self.h2):
            r = h.apply(self.cloud.for_host(h), self.cloud.facts())
            self.assertEqual(r['failures'], [], h.name)
            changes[h.n] = r['changes']
        return changes

    def allow(self, *rules):
        self.cloud.groups[Cloud.GROUP] = [lab.ANY, lab.ANY6, *rules]

    def static(self):
        for g in (self.g11, self.g12, self.g13):
            g.static()

    def outside(self, *argv, **kw):
        return run('ip', 'netns', 'exec', 'vna-net', *argv, **kw)

    def lease(self, guest):
        p = guest.run('busybox', 'udhcpc', '-i', 'eth0', '-n', '-q', '-f', '-t', '5', '-T', '1', '-O', 'staticroutes',
                      '-O', 'mtu', '-O', 'tftp', '-s', self.script, check=False)
        self.assertEqual(p.returncode, 0, p.stdout)
        line = [x for x in p.stdout.splitlines() if x.startswith('ip=')][-1]
        return dict(x.split('=', 1) for x in line.split(' ') if '=' in x), line

    # --- what must work

    def test_lease_ping_metadata(self):
        self.p12['extra_dhcp_opts'] = [{'name': 'tftp-server', 'value': '192.0.2.1'},
                                       {'name': 'domain-name', 'value': 'x\ndhcp-script=/bin/evil'}]
        self.allow(ICMP)
        r = self.h2.apply(self.cloud.for_host(self.h2), self.cloud.facts())
        self.assertEqual([f[:2] for f in r['failures']], [['port', self.p12['id']]], r['failures'])
        self.assertIn(self.p12['id'], r['up'], 'a bad option stops nothing else')
        r = self.h1.apply(self.cloud.for_host(self.h1), self.cloud.facts())
        self.assertEqual(sorted(r['up']), sorted([self.p11['id'], self.p13['id'], Cloud.DHCP, Cloud.RIF, Cloud.GW]), r['failures'])
        self.assertNotIn('evil', lab.read('%s/dhcp/%s/opts' % (self.h1.dir, Cloud.NET)))

        for guest, last in ((self.g11, 11), (self.g12, 12)):
            lease, line = self.lease(guest)
            self.assertEqual(lease['ip'], '10.5.0.%d' % last)
            self.assertEqual(lease['router'], '10.5.0.1')
            self.assertEqual(lease['dns'], '192.0.2.53')
            self.assertEqual(lease['mtu'], '1450')
            self.assertIn('169.254.169.254/32 10.5.0.2', line)
            self.assertIn('198.51.100.0/24 10.5.0.9', line)
            self.assertIn('0.0.0.0/0 10.5.0.1', line)
        self.assertIn('tftp=192.0.2.1', self.lease(self.g12)[1])
        self.assertTrue(self.g11.can('10.5.0.12'), 'over VXLAN')
        self.assertTrue(self.g12.can('10.5.0.1'), 'the gateway, on the other host')
        self.assertTrue(self.g11.ping('10.5.0.12', '-s', '1422'), 'the whole MTU')

        for guest in (self.g11, self.g12):
            status, body = guest.http('/openstack/latest/meta_data.json')
            self.assertEqual((status, guest.port['device_id'] in body), (200, True), body)
        # One more, when the server runs already.
        late = self.guest(self.h1, self.cloud.port(14, self.h1))
        del self.p12['extra_dhcp_opts'][1:]
        self.apply()
        self.assertEqual(self.lease(late)[0]['ip'], '10.5.0.14')
        self.assertIn('tftp=192.0.2.1', self.lease(self.g12)[1])
        self.p12['extra_dhcp_opts'] = []
        self.apply()
        self.assertIn('tftp= ', self.lease(self.g12)[1])
        self.assertNotIn('dnsmasq.ended', lab.read(self.h1.dir + '/log'))
        # By the router's own address too, for guests that took no route from DHCP.
        self.g13.static()
        status, body = self.g13.http('/openstack/latest/meta_data.json')
        self.assertEqual((status, self.p13['device_id'] in body), (200, True), body)

    def test_outside(self):
        self.allow(ICMP)
        self.static()
        self.cloud.floating = [{'id': uid(0xfa), 'floating_ip': EXT + '.20', 'fixed_ip': '10.5.0.12'}]
        self.apply()
        sources = []
        server = subprocess.Popen(['ip', 'netns', 'exec', 'vna-net', PYTHON, '-c', '''
import socket
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("203.0.113.254", 8000)); s.listen()
print("ready", flush=True)
while True:
    c, a = s.accept(); print(a[0], flush=True); c.close()
'''], stdout=subprocess.PIPE, text=True)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        self.assertEqual(server.stdout.readline(), 'ready\n')
        self.assertTrue(self.g11.can(EXT + '.254'), 'source NAT')
        for guest in (self.g11, self.g12):
            guest.python('import socket; socket.create_connection(("203.0.113.254", 8000), 3)')
            sources.append(server.stdout.readline().strip())
        self.assertEqual(sources, [EXT + '.10', EXT + '.20'], 'the router for all, its floating IP for one')
        self.outside('busybox', 'ping', '-c', '1', '-W', '2', EXT + '.20')
        self.assertTrue(self.g11.ping(EXT + '.20'), 'a neighbour by its floating IP')
        self.assertTrue(self.g12.ping(EXT + '.20'), 'oneself by the floating IP')
        # Without it: nobody comes in, not even by a route into the tenant's network.
        self.cloud.floating = []
        self.apply(self.h1)
        self.assertNotEqual(self.outside('busybox', 'ping', '-c', '1', '-W', '1', EXT + '.20', check=False).returncode, 0)
        self.outside('ip', 'route', 'add', '10.5.0.0/24', 'via', EXT + '.10')
        self.assertNotEqual(self.outside('busybox', 'ping', '-c', '1', '-W', '1', '10.5.0.11', check=False).returncode, 0)
        # A source that is not the tenant's does not leave (rules of the port apart: security off).
        self.p11['port_security'] = False
        self.apply(self.h1)
        self.g11.run('ip', 'addr', 'add', '192.0.2.7/32', 'dev', 'eth0')
        self.assertFalse(self.g11.ping(EXT + '.254', '-I', '192.0.2.7'))
        self.assertTrue(self.g11.ping(EXT + '.254'))

    # --- what must not

    def test_security_groups(self):
        self.static()
        self.apply()
        self.assertFalse(self.g11.ping('10.5.0.13'), 'default deny, same host')
        self.assertFalse(self.g11.ping('10.5.0.12'), 'default deny, other host')
        self.allow(rule(2, protocol='icmp', remote_ip_prefix='10.5.0.11/32'))
        self.apply()
        self.assertTrue(self.g11.can('10.5.0.12'))
        self.assertTrue(self.g11.ping('10.5.0.13'))
        self.assertFalse(self.g13.ping('10.5.0.11'), 'the rule names another source')
        # A remote group, whose members come and go.
        self.p13['security_group_ids'] = [Cloud.OTHER]
        self.allow(rule(3, protocol='icmp', remote_group_id=Cloud.OTHER))
        self.apply()
        self.assertTrue(self.g13.ping('10.5.0.12'))
        self.assertFalse(self.g11.ping('10.5.0.12'))
        self.p13['security_group_ids'] = []
        self.apply()
        self.assertFalse(self.g13.ping('10.5.0.12'))

    def test_removed_rule_ends_connections(self):
        self.static()
        self.allow(rule(4, protocol='tcp', port_min=9000, port_max=9001))
        self.apply()
        server = self.g12.popen(PYTHON, '-c', '''
import socket
s = socket.socket(); s.bind(("10.5.0.12", 9000)); s.listen(); print("ready", flush=True)
c, a = s.accept()
while True:
    d = c.recv(100)
    if not d: break
    c.sendall(d)
''', stdout=subprocess.PIPE)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        self.assertEqual(server.stdout.readline(), 'ready\n')
        client = self.g11.popen(PYTHON, '-c', '''
import socket, sys
s = socket.create_connection(("10.5.0.12", 9000), 3)
for line in sys.stdin:
    try:
        s.sendall(b"x"); print("echo" if s.recv(1) else "end", flush=True)
    except OSError: print("lost", flush=True)
''', stdin=subprocess.PIPE, stdout=subprocess.PIPE)

        def talk():
            client.stdin.write('\n')
            client.stdin.flush()
            return client.stdout.readline().strip()
        self.addCleanup(client.wait)
        self.addCleanup(client.kill)
        self.addCleanup(client.stdout.close)
        self.addCleanup(client.stdin.close)
        self.assertEqual(talk(), 'echo')
        self.allow(rule(4, protocol='tcp', port_min=9000, port_max=9000))
        self.apply()
        self.assertEqual(talk(), 'echo', 'a change that still allows it does not disturb it')
        self.allow()
        self.apply()
        self.assertEqual(talk(), 'lost')

    def test_spoofing(self):
        self.allow(ICMP, rule(5, protocol='udp'))
        self.static()
        self.apply()
        self.assertTrue(self.g11.can('10.5.0.13'))
        g, m11, m12, m13 = self.g11, self.p11['mac'], self.p12['mac'], self.p13['mac']
        mark, end = b'SPOOFED!', b'THE-END!'
        good = ethernet(m11, m13, 0x0800, ipv4('10.5.0.11', '10.5.0.13', 17, udp(1000, 1001, end)))

        def data(src, source):
            return ethernet(src, m13, 0x0800, ipv4(source, '10.5.0.13', 17, udp(1000, 1001, mark)))
        bad = [
            data(m12, '10.5.0.11'), data(m11, '10.5.0.12'), data(m11, '10.5.0.1'),
            # VLAN tag, QinQ, LLDP, MPLS, unknown types.
            ethernet(m11, m13, 0x8100, b'\0\x05\x08\0' + ipv4('10.5.0.11', '10.5.0.13', 17, udp(1, 2, mark))),
            ethernet(m11, m13, 0x88a8, b'\0\x05\x81\0\0\x05\x08\0' + mark), ethernet(m11, m13, 0x88cc, mark),
            ethernet(m11, m13, 0x8847, mark), ethernet(m11, m13, 0x1234, mark),
            # What only servers say.
            ethernet(m11, m13, 0x0800, ipv4('10.5.0.11', '10.5.0.13', 17, udp(67, 68, mark))),
        ]
        sniffer = Sniffer(self.g13, mark, end)
        g.send(*bad, good)
        self.assertEqual(sniffer.count(), 0)
        sniffer = Sniffer(self.g13, mark, end)
        g.send(data(m11, '10.5.0.11'), good)
        self.assertEqual(sniffer.count(), 1, 'the sniffer sees what is allowed')

        before = self.g13.run('ip', 'neigh', 'show', '10.5.0.11').stdout.split('lladdr')[1].split()[0]
        self.assertEqual(before, m11)
        sniffer = Sniffer(self.g13, b'\x08\x06\0\x01\x08\0', end)
        g.send(arp(2, m11, '10.5.0.1', '10.5.0.13'), arp(1, m11, '10.5.0.12', '10.5.0.13'),
               arp(1, m12, '10.5.0.11', '10.5.0.13'), arp(1, m12, '10.5.0.12', '10.5.0.13', frame_src=m11),
               arp(1, m11, '10.5.0.1', '10.5.0.1'), good)
        self.assertEqual(sniffer.count(), 0, 'ARP for others')

    def test_spoofing_ipv6(self):
        self.allow(rule(6, ethertype='IPv6'))
        self.static()
        self.apply()
        m11, m13, own = self.p11['mac'], self.p13['mac'], 'fe80::f816:3eff:fe00:b'
        # Neighbour solicitations carry their target; the marker is in an option that nobody knows.
        option = b'\xfe\x02' + b'SPOOFED!' + b'\0' * 6
        end = b'THE-END!'

        def nd(kind, source, target, **kw):
            import socket as so
            return ethernet(m11, m13, 0x86dd, icmp6(source, 'ff02::1', kind,
                                                    b'\0' * 4 + so.inet_pton(so.AF_INET6, target) + option, **kw))
        good = ethernet(m11, m13, 0x86dd, icmp6(own, 'ff02::1', 128, b'\0' * 4 + end))
        hop = b'\x3a\0\x05\x02\0\0\x01\0'
        dest = b'\x3a\0\x01\x04\0\0\0\0'
        fragment = b'\x3a\0\0\x01\0\0\0\x01'
        bad = [nd(136, own, 'fe80::1'), nd(136, 'fe80::1', 'fe80::1'), nd(135, 'fe80::1', 'fe80::2'), nd(134, own, '::'),
               nd(137, own, 'fe80::1'), nd(143, own, '::'), nd(135, '::', 'fe80::1'),
               nd(136, own, 'fe80::1', next_header=60, prefix=dest), nd(134, own, '::', next_header=0, prefix=hop),
               nd(136, own, 'fe80::1', next_header=44, prefix=fragment), nd(136, own, own, next_header=44, prefix=fragment),
               ethernet(m11, m13, 0x86dd, icmp6('2001:db8::66', 'ff02::1', 128, b'\0' * 4 + b'SPOOFED!'))]
        sniffer = Sniffer(self.g13, b'SPOOFED!', end)
        self.g11.send(*bad, good)
        self.assertEqual(sniffer.count(), 0)
        sniffer = Sniffer(self.g13, b'SPOOFED!', end)
        self.g11.send(nd(136, own, own), nd(135, own, 'fe80::2'), good)
        self.assertEqual(sniffer.count(), 2)

    def test_dhcp_for_others(self):
        self.apply()
        chaddr = bytes.fromhex(self.p12['mac'].replace(':', ''))
        discover = bytes([1, 1, 6, 0]) + b'\1\2\3\4' + b'\0' * 20 + chaddr + b'\0' * 202 + b'\x63\x82\x53\x63\x35\x01\x01\xff'
        sniffer = Sniffer(self.g11, b'\x63\x82\x53\x63', b'THE-END!')
        self.g11.send(ethernet(self.p11['mac'], 'ff:ff:ff:ff:ff:ff', 0x0800,
                               ipv4('0.0.0.0', '255.255.255.255', 17, udp(68, 67, discover))))
        self.assertEqual(self.lease(self.g11)[0]['ip'], '10.5.0.11')
        # Two answers, an offer and an acknowledgement: of its own lease. None for the other MAC.
        self.allow(rule(5, protocol='udp'))
        self.apply()
        self.g13.static()
        self.g13.python('import socket; s=socket.socket(socket.AF_INET, socket.SOCK_DGRAM);'
                        's.sendto(b"THE-END!", ("10.5.0.11", 1001))')
        self.assertEqual(sniffer.count(), 2)

    def test_host_is_unreachable(self):
        self.allow(ICMP)
        self.static()
        self.apply()
        bridge = self.h1.run('cat', '/sys/class/net/brq%s/address' % Cloud.NET[:11]).stdout.strip()
        self.g11.run('ip', 'neigh', 'replace', '10.5.0.99', 'lladdr', bridge, 'dev', 'eth0')
        self.g11.run('ip', 'route', 'add', '10.98.0.1/32', 'via', '10.5.0.99', 'dev', 'eth0', 'onlink')
        self.h1.run('nft', 'add table ip vna; add chain ip vna c { type filter hook input priority 0; }; '
                    'add rule ip vna c ip daddr 10.98.0.1 icmp type echo-request counter')
        self.assertFalse(self.g11.ping('10.98.0.1'))
        self.assertIn('packets 0 ', self.h1.run('nft', 'list', 'table', 'ip', 'vna').stdout)
        # It is that rule that does it: without it the packet arrives.
        self.h1.run('nft', 'flush', 'chain', 'bridge', 'virga', 'local')
        self.g11.ping('10.98.0.1')
        self.assertNotIn('packets 0 ', self.h1.run('nft', 'list', 'table', 'ip', 'vna').stdout)

    def test_tunnel_takes_peers_only(self):
        self.allow(ICMP, rule(5, protocol='udp'))
        self.static()
        self.apply()
        self.assertTrue(self.g12.can('10.5.0.11'))
        ip('-n', 'vna-net', 'addr', 'add', '10.98.0.99/24', 'dev', 'ul')
        mark, end = b'SPOOFED!', b'THE-END!'
        frame = ethernet(self.p12['mac'], self.p11['mac'], 0x0800,
                         ipv4('10.5.0.12', '10.5.0.11', 17, udp(1000, 1001, mark)))
        send = ('import socket,sys\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\n'
                's.sendto(bytes.fromhex("0800000000006500"+sys.argv[1]),("10.98.0.1",4789))')
        good = ethernet(self.p12['mac'], self.p11['mac'], 0x0800,
                        ipv4('10.5.0.12', '10.5.0.11', 17, udp(1000, 1001, end)))
        for peer, seen in ((False, 0), (True, 1)):
            if peer:
                self.h1.run('nft', 'add', 'element', 'inet', 'virga', 'peers', '{ 10.98.0.99 }')
            sniffer = Sniffer(self.g11, mark, end)
            self.outside(PYTHON, '-c', send, frame.hex())
            self.g12.send(good)
            self.assertEqual(sniffer.count(), seen)

    def test_real_tap(self):
        """A tap as the hypervisor opens it: the guest behind it reaches its gateway, by its own addresses only."""
        port = self.cloud.port(31, self.h1)
        self.apply()
        code = '''
import fcntl, os, select, struct, sys
fd = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(fd, 0x400454ca, struct.pack("16sH", sys.argv[1].encode(), 0x5002))  # TAP, NO_PI, VNET_HDR
for frame, wanted in zip(sys.argv[2::2], sys.argv[3::2]):
    got = False
    for i in range(20):
        os.write(fd, bytes(10) + bytes.fromhex(frame))
        while not got and select.select([fd], [], [], 0.1)[0]:
            got = bytes.fromhex(wanted) in os.read(fd, 65535)[10:]
        if got: break
    print(int(got))
'''
        reply = b'\x08\x06\0\x01\x08\0\x06\x04\0\x02\xfa\x16\x3e\0\x01\x01'  # ARP, "I am", the router's MAC
        foreign = arp(1, 'fa:16:3e:00:00:99', '10.5.0.31', '10.5.0.1')
        own = arp(1, port['mac'], '10.5.0.31', '10.5.0.1')
        p = self.h1.run(PYTHON, '-c', code, tap(port['id']), foreign.hex(), reply.hex(), own.hex(), reply.hex(), timeout=30)
        self.assertEqual(p.stdout.split(), ['0', '1'])

    def test_many_ports(self):
        """A change of a group that 200 ports have is there within two seconds."""
        for n in range(200):
            self.cloud.port(n + 1000, self.h1, mac='fa:16:3e:00:%02x:%02x' % (16 + n // 256, n % 256),
                            id='%08x-%02x00-4000-8000-000000000000' % (n + 1000, n),
                            fixed_ips=[{'subnet_id': Cloud.SUBNET, 'ip': '10.5.0.%d' % (50 + n)}])
        self.allow(*[rule(100 + n, protocol='tcp', port_min=n + 1, port_max=n + 1, remote_group_id=Cloud.GROUP)
                     for n in range(50)])
        self.apply(self.h1)
        self.allow(ICMP)
        began = time.monotonic()
        self.assertLess(self.apply(self.h1)[1], 5, 'only the group changes')
        self.assertLess(time.monotonic() - began, 2)

    def test_metadata_identity(self):
        same = self.cloud.port(21, self.h1, net=Cloud.NET2, device_id=uid(0x9999),
                               fixed_ips=[{'subnet_id': Cloud.SUBNET2, 'ip': '10.5.0.11'}])
        twin = self.guest(self.h1, same)
        self.allow(ICMP)
        self.apply()
        self.lease(self.g11)
        self.lease(twin)
        path = '/openstack/latest/meta_data.json'
        forged = ['X-Instance-ID: ' + self.p12['device_id'], 'X-Forwarded-For: 10.5.0.12', 'X-Tenant-ID: x',
                  'X-Instance-ID-Signature: 00', 'Host: evil']
        self.assertIn(self.p11['device_id'], self.g11.http(path, forged)[1])
        self.assertIn(uid(0x9999), twin.http(path)[1], 'the same address in another network is another guest')
        for bad in ('/../../etc/passwd', '/openstack/..//latest', '/openstack/%2e%2e/x', '/nothing', '//x'):
            self.assertEqual(self.g11.http(bad)[0], 404, bad)
        # From an address that is allowed for traffic, but not the port's own; and with port security off.
        self.p11['allowed_address_pairs'] = [{'ip': '10.5.0.0/24'}]
        self.apply()
        self.g11.run('ip', 'addr', 'add', '10.5.0.12/24', 'dev', 'eth0')
        self.g11.run('ip', 'addr', 'add', '10.5.0.77/24', 'dev', 'eth0')
        self.assertEqual(self.g11.http(path, source='10.5.0.12')[0], 0)
        self.assertEqual(self.g11.http(path, source='10.5.0.77')[0], 0, 'the question does not even arrive')
        self.p11['port_security'] = False
        self.apply()
        self.assertEqual(self.g11.http(path, source='10.5.0.12')[0], 0)
        self.assertEqual(self.g11.http(path, source='10.5.0.77')[0], 0)
        self.assertEqual(self.g11.http('/', source='10.5.0.77', to='10.5.0.2')[0], 0)
        self.assertEqual(self.g11.http(path)[0], 200)
        answers = [a[0] for a in self.g11.http(path, count=200)]
        self.assertIn(429, answers)
        self.assertLess(answers.count(200), 150)
        self.assertIn(twin.http(path)[0], (200,), 'others are none the worse')

    # --- how it converges

    def test_idempotent_and_removed(self):
        self.allow(ICMP, rule(7, protocol='tcp', port_min=22, port_max=22, remote_group_id=Cloud.GROUP))
        self.cloud.floating = [{'id': uid(0xfa), 'floating_ip': EXT + '.20', 'fixed_ip': '10.5.0.12'}]
        real = self.cloud.port(31, self.h1)
        down = self.cloud.port(32, self.h1, admin_state_up=False)
        first = self.apply()
        self.assertGreater(first[1], 10)
        self.assertEqual(self.apply(), {1: 0, 2: 0}, 'the second time nothing changes')
        self.assertIn('tun', self.h1.run('ip', '-d', 'link', 'show', tap(real['id'])).stdout)
        self.assertNotIn('UP', self.h1.run('ip', 'link', 'show', tap(down['id'])).stdout.split('>')[0])
        pid_file = '%s/dhcp/%s/pid' % (self.h1.dir, Cloud.NET)
        dnsmasq = lab.read(pid_file)

        for h in (self.h1, self.h2):
            h.stop()
            h.start()
        self.assertEqual(self.apply(), {1: 0, 2: 0}, 'a new agent takes over what is there')
        self.assertEqual(lab.read(pid_file), dnsmasq)
        self.static()
        self.assertTrue(self.g11.can('10.5.0.12'))

        # What somebody breaks is mended.
        self.h1.run('nft', 'flush', 'ruleset')
        os.kill(int(dnsmasq.split()[0]), 9)
        self.h1.run('ip', 'link', 'del', 'vxlan-101')
        self.assertGreater(self.apply(self.h1)[1], 0)
        self.assertEqual(self.apply(self.h1), {1: 0})
        self.assertTrue(self.g11.can('10.5.0.12'))
        self.lease(self.g11)

        empty = {'generation': 99, 'unchanged': False}
        for h in (self.h1, self.h2):
            self.assertEqual(h.apply(empty)['failures'], [])
            links = [x.split(':')[1].split('@')[0].strip() for x in h.run('ip', '-o', 'link').stdout.splitlines()]
            self.assertEqual([x for x in links if x[:3] in ('tap', 'brq', 'vxl', 'qr-', 'qg-', 'ns-')], [])
            self.assertEqual(h.run('ls', '/run/netns').stdout.split(), [])
            self.assertNotIn(tap(self.p11['id']), h.run('nft', 'list', 'ruleset').stdout)
            self.assertEqual(h.apply(empty)['changes'], 0)
        self.assertEqual(os.listdir(self.h1.dir + '/dhcp'), [])

    def test_broken_objects_stop_nothing_else(self):
        self.allow(ICMP, rule(8, protocol='tcp', port_min=5, port_max=4), rule(9, ethertype='IPv4', protocol='rubbish'),
                   rule(10, protocol='icmp', remote_ip_prefix='::/0'))
        self.cloud.port(41, self.h1, mac='not a mac')
        self.p13['allowed_address_pairs'] = [{'ip': '10.5.0.0/24'}, {'ip': '0.0.0.0/0'}, {'ip': '10.5.0.13'},
                                             {'ip': '::ffff:0:0/96'}, {'ip': '2001:db8::/33'}]
        r = self.h1.apply(self.cloud.for_host(self.h1), self.cloud.facts())
        self.assertEqual(sorted({f[1] for f in r['failures']}), sorted([Cloud.GROUP, uid(41), self.p13['id']]))
        self.assertIn(self.p11['id'], r['up'])
        self.assertNotIn(uid(41), r['up'])
        self.h2.apply(self.cloud.for_host(self.h2))
        self.static()
        self.assertTrue(self.g11.can('10.5.0.12'))

    def test_never_more_open(self):
        """While groups change all the time, what neither allows never passes."""
        self.static()
        self.allow(ICMP)
        self.apply()
        self.assertTrue(self.g11.can('10.5.0.13'))
        stop = threading.Event()
        passed = []

        def knock():
            code = ('import socket\nfor i in range(40):\n s=socket.socket(); s.settimeout(0.05)\n'
                    ' e=s.connect_ex(("10.5.0.13", 7000)); s.close()\n'
                    ' if e in (0, 111): print("passed")')
            while not stop.is_set():
                passed.extend(self.g11.python(code).stdout.split())
        thread = threading.Thread(target=knock)
        thread.start()
        try:
            for i in range(15):
                self.allow(ICMP, rule(20 + i % 3, protocol='tcp', port_min=100 + i, port_max=200 + i))
                self.p13['security_group_ids'] = [Cloud.GROUP, Cloud.OTHER][:1 + i % 2]
                self.apply(self.h1)
                if i == 7:
                    self.h1.stop()
                    self.h1.start()
        finally:
            stop.set()
            thread.join()
        self.assertEqual(passed, [])


if __name__ == '__main__':
    root = os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', '..')
    build = os.environ.get('VIRGA_BUILD', os.path.join(root, 'build', 'san'))
    lab.LAB = os.path.abspath(os.path.join(build, 'tests/integration/test_network_agent'))
    unittest.main(verbosity=2)
