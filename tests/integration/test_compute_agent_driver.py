#!/usr/bin/python3
"""Runs test_compute_agent_driver (the built C program) on a host of its own: namespaces with libvirtd, virtlogd, two taps and
an NBD server, for a guest of deploy/image.

Environment: VIRGA_BUILD (where the program is), VIRGA_OUT (where the image is, or is built). Everything lives in a private
network, mount, pid, cgroup, uts and ipc namespace, whose first process is this script again (--inside): when that ends,
all of it ends.
"""
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
NBD_PORT = 10809
CONTROLLERS = ['cpu', 'cpuacct', 'cpuset', 'memory', 'devices', 'freezer', 'blkio', 'pids']
LIBVIRTD_CONF = '''unix_sock_group = "root"
unix_sock_rw_perms = "0770"
auth_unix_ro = "none"
auth_unix_rw = "none"
listen_tls = 0
host_uuid = "c0ffee00-0000-4000-8000-00000000b057"
log_outputs = "2:file:/var/log/libvirt/libvirtd.log"
'''
QEMU_CONF = '''security_driver = "none"
user = "root"
group = "root"
remember_owner = 0
namespaces = []
'''
NBD_COMMAND = '''#!/bin/sh
# {0} start|stop
case "$1" in
start) exec qemu-storage-daemon --daemonize --pidfile {1}/nbd.pid \\
    --blockdev driver=file,node-name=file,filename={1}/volume.raw \\
    --blockdev driver=raw,node-name=raw,file=file \\
    --nbd-server addr.type=inet,addr.host=127.0.0.1,addr.port={2},max-connections=0 \\
    --export type=nbd,id=volume,node-name=raw,name=volume,writable=on ;;
stop) kill -9 "$(cat {1}/nbd.pid)" ;;
esac
'''


def run(*argv):
    subprocess.run(argv, check=True)


def mount(source, target, kind, data=''):
    os.makedirs(target, exist_ok=True)
    run('mount', '-t', kind, *(['-o', data] if data else []), source, target)


def write(path, text, mode=0o644):
    with open(path, 'w', encoding='utf-8') as out:
        out.write(text)
    os.chmod(path, mode)


def wait_for(path, seconds):
    end = time.monotonic() + seconds
    while not os.path.exists(path):
        if time.monotonic() > end:
            sys.exit('%s did not appear' % path)
        time.sleep(0.05)


def make_host(base):
    """Inside the namespaces: this host's own /proc, cgroups and libvirt folders, then its daemons."""
    run('mount', '--make-rprivate', '/')
    mount('proc', '/proc', 'proc')
    run('hostname', 'vca-1')
    subprocess.run(['umount', '-l', '/sys'], check=False, stderr=subprocess.DEVNULL)
    mount('sysfs', '/sys', 'sysfs')
    if os.path.exists(base + '/cgroup-v1'):
        mount('tmpfs', '/sys/fs/cgroup', 'tmpfs')
        for name in CONTROLLERS:
            mount('cgroup', '/sys/fs/cgroup/' + name, 'cgroup', name)
        mount('cgroup', '/sys/fs/cgroup/systemd', 'cgroup', 'none,name=systemd')
    else:
        mount('cgroup2', '/sys/fs/cgroup', 'cgroup2')
    for name, target in [('etc', '/etc/libvirt'), ('lib', '/var/lib/libvirt'), ('run', '/run/libvirt'),
                         ('log', '/var/log/libvirt'), ('cache', '/var/cache/libvirt')]:
        os.makedirs(target, exist_ok=True)
        run('mount', '--bind', '%s/%s' % (base, name), target)
    write(base + '/hosts', '127.0.0.1 localhost vca-1\n')
    run('mount', '--bind', base + '/hosts', '/etc/hosts')
    run('ip', 'link', 'set', 'lo', 'up')
    for tap in ['vcatap0', 'vcatap1']:
        run('ip', 'tuntap', 'add', tap, 'mode', 'tap')
        run('ip', 'link', 'set', tap, 'up', 'mtu', '1450')
    run('virtlogd', '-d', '-p', '/run/libvirt/virtlogd.pid')
    run('libvirtd', '-d', '-p', '/run/libvirt/libvirtd.pid')
    wait_for('/run/libvirt/libvirt-sock', 60)


def check_nothing_left(base):
    left = []
    names = subprocess.run(['virsh', '-c', 'qemu:///system', 'list', '--all', '--name'], check=True, capture_output=True,
                           text=True).stdout.split()
    left += ['domain ' + name for name in names]
    left += ['folder ' + name for name in os.listdir(base + '/state/instances')]
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open('/proc/%s/cmdline' % pid, 'rb') as f:
                if b'qemu-system' in f.read().split(b'\0')[0]:
                    left.append('process ' + pid)
        except OSError:
            pass
    links = subprocess.run(['ip', '-o', 'link'], check=True, capture_output=True, text=True).stdout
    for tap in ['vcatap0', 'vcatap1']:
        if tap not in links:
            left.append('the network agent\'s %s is gone' % tap)
    return left


def run_and_reap(argv):
    """As the first process of the namespace: daemons' children become ours, and libvirt waits until they are reaped."""
    child = os.spawnv(os.P_NOWAIT, argv[0], argv)
    while True:
        pid, status = os.wait()
        if pid == child:
            return status


def inside(base, program, image):
    make_host(base)
    command = base + '/nbd'
    write(command, NBD_COMMAND.format(command, base, NBD_PORT), 0o755)
    with open(base + '/volume.raw', 'wb') as f:
        f.truncate(64 << 20)
    run(command, 'start')
    status = run_and_reap([program, base + '/state', image, str(NBD_PORT), command, 'vcatap0', 'vcatap1'])
    left = check_nothing_left(base)
    for line in left:
        print('left behind:', line)
    sys.exit(1 if status or left else 0)


def make_folders(base):
    for name in ['lib/images', 'lib/qemu', 'run', 'log', 'cache', 'state']:
        os.makedirs('%s/%s' % (base, name))
    os.chmod(base, 0o711)
    shutil.copytree('/etc/libvirt', base + '/etc', symlinks=True)
    for path in ['qemu/networks/autostart', 'qemu/autostart']:
        shutil.rmtree('%s/etc/%s' % (base, path), ignore_errors=True)
    write(base + '/etc/libvirtd.conf', LIBVIRTD_CONF)
    write(base + '/etc/qemu.conf', QEMU_CONF)


def enter_cgroups(base):
    """A subtree of each v1 hierarchy for this host; returns what to remove in the end."""
    made = []
    for name in CONTROLLERS + ['systemd']:
        parent = '/sys/fs/cgroup/' + name
        if not os.path.isdir(parent) or not os.path.exists(parent + '/cgroup.procs'):
            continue
        own = '%s/vca-%d' % (parent, os.getpid())
        os.makedirs(own, exist_ok=True)
        if name == 'cpuset':
            for part in ['cpus', 'mems']:
                with open('%s/cpuset.%s' % (parent, part), encoding='utf-8') as f:
                    write('%s/cpuset.%s' % (own, part), f.read())
        made.append(own)
        write(base + '/cgroup-v1', '')
    return made


def remove_cgroups(made):
    end = time.monotonic() + 10
    for own in made:
        for folder, _, _ in os.walk(own, topdown=False):
            while True:
                try:
                    os.rmdir(folder)
                    break
                except OSError:  # Its processes are reaped late.
                    if time.monotonic() > end:
                        print('left behind:', folder)
                        break
                    time.sleep(0.1)


def outside(program, image):
    base = tempfile.mkdtemp(prefix='vca-')
    make_folders(base)
    made = enter_cgroups(base)

    def in_child():
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
        for own in made:
            with open(own + '/cgroup.procs', 'w', encoding='utf-8') as f:
                f.write(str(os.getpid()))

    argv = ['unshare', '--net', '--mount', '--uts', '--pid', '--cgroup', '--ipc', '--fork', '--kill-child',
            sys.executable, os.path.abspath(__file__), '--inside', base, program, image]
    result = subprocess.run(argv, check=False, preexec_fn=in_child)
    remove_cgroups(made)
    if result.returncode != 0:
        for log in ['log/libvirtd.log', 'log/qemu/instance-0000002a.log']:
            if os.path.exists('%s/%s' % (base, log)):
                print('---', log)
                subprocess.run(['tail', '-n', '15', '%s/%s' % (base, log)], check=False)
    shutil.rmtree(base)
    return result.returncode


class ComputeAgentDriver(unittest.TestCase):
    @unittest.skipIf(os.getuid() != 0, 'needs root')
    def test_life_of_a_guest(self):
        out = os.path.abspath(os.environ.get('VIRGA_OUT', ROOT + '/build'))
        build = os.path.abspath(os.environ.get('VIRGA_BUILD', out + '/san'))
        image = out + '/image/tiny.qcow2'
        if not os.path.exists(image):
            subprocess.run([ROOT + '/deploy/image/build', out + '/image'], check=True)
        self.assertEqual(outside(build + '/tests/integration/test_compute_agent_driver', image), 0)


if __name__ == '__main__':
    if len(sys.argv) == 5 and sys.argv[1] == '--inside':
        inside(*sys.argv[2:])
    unittest.main()
