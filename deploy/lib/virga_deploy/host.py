"""A host of the all-in-one cloud: a libvirt machine in namespaces, numbered from 1.

It has its own network (e0 on the wire's management bridge, e1 on the external one), mounts (/run, libvirt's folders),
pids, host name and cgroups, so that agents, libvirtd and guests meet nothing of the machine's and nothing of another
host's. /run/virga in it is run/hostN/run/virga outside; both are the agents' place for state and sockets.
"""

import os
import shutil
import signal
import subprocess
import time

from . import kernel
from .layout import AGENTS, SERVICES
from .process import Process, StartError
from .wire import MANAGEMENT, ip, namespace_path

_LIBVIRTD = """\
unix_sock_group = "root"
unix_sock_rw_perms = "0770"
auth_unix_ro = "none"
auth_unix_rw = "none"
listen_tls = 0
listen_tcp = 1
listen_addr = "{address}"
auth_tcp = "none"
host_uuid = "{uuid}"
"""
# Guests are not root; there is no security driver to rely on inside a host's namespaces.
_QEMU = """\
user = "libvirt-qemu"
group = "kvm"
security_driver = "none"
namespaces = []
remember_owner = 0
migration_address = "{address}"
migration_host = "{address}"
vnc_listen = "127.0.0.1"
"""


class Host:
    """Host 'number' of a cloud. Its processes: init (the namespaces), virtlogd, libvirtd, forward."""

    def __init__(self, layout, number, wire):
        self.layout, self.number, self.wire = layout, number, wire
        self.name = f"host{number}"
        self.folder = layout.path(self.name)
        self.netns = f"{layout.tag}-{self.name}"
        self.address = f"{MANAGEMENT}.{number}"
        self.uuid = f"{layout.tag[-8:]}-0000-4000-8000-{number:012d}"
        self.init = self.process("init", signal.SIGKILL)
        self.virtlogd = self.process("virtlogd")
        self.libvirtd = self.process("libvirtd")
        self.forward = self.process("forward")

    def process(self, role, stop_signal=signal.SIGTERM):
        name = f"{self.name}-{role}"
        return Process(name, self.layout.path("pids", name), self.layout.path("log", name + ".log"), stop_signal)

    def start(self):
        """Starts what of it does not run. Does not wait for libvirtd."""
        if self.init.pid() is None:
            self._clean()
            self._prepare()
            self._connect()
            self.init.start([os.path.join(self.layout.root, "deploy/all-in-one/host-init"), self.folder, self.name],
                            before=self._become_host)
            self.init.wait_ready(self._init_ready, 10)
        started = self.virtlogd.start(["virtlogd"], before=self.enter)
        self.virtlogd.wait_ready(lambda: os.path.exists(self.folder + "/run/libvirt/virtlogd-sock"), 10)
        started |= self.libvirtd.start(["libvirtd", "--listen"], before=self.enter)
        started |= self.forward.start([self.layout.binary("virga-nsforward"), *self._forwarded()])
        return started

    def wait_ready(self, seconds=120):
        """The first start on a machine may take long: libvirt asks each emulator what it can do."""
        self.libvirtd.wait_ready(self._libvirtd_ready, seconds)

    def stop(self):
        """Ends it as a power failure does: guests die with it."""
        stopped = False
        for process in (self.libvirtd, self.virtlogd, self.forward, self.init):
            stopped |= process.stop()
        self._clean()
        return stopped

    def command(self, *argv):
        """'argv' as it must be run from outside to run on the host."""
        pid = self.init.pid()
        if pid is None:
            raise StartError(f"{self.name} is not running")
        return ["nsenter", "-t", str(pid), "-a", "--", *argv]

    def enter(self):
        """Moves the calling child into the host; for Process.start(before=...)."""
        pid = self.init.pid()
        if pid is None:
            raise StartError(f"{self.name} is not running")
        self._join_cgroups(leaf=True)
        kernel.enter(pid)

    def _libvirtd_ready(self):
        socket = self.folder + "/run/libvirt/libvirt-sock"
        if not os.path.exists(socket):
            return False
        return subprocess.run(["virsh", "-q", "-c", f"qemu+unix:///system?socket={socket}", "uri"], check=False,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0

    def _init_ready(self):
        with open(self.init.log, encoding="utf-8", errors="replace") as log:
            return log.read().endswith("ready\n")

    # Its folder

    def _prepare(self):
        folder = self.layout.folder
        folder(self.name)
        for name in ("etc-libvirt", "lib-libvirt", "cache-libvirt", "log-libvirt"):
            folder(self.name, name, mode=0o755)
        shutil.rmtree(self.folder + "/run/libvirt", ignore_errors=True)
        folder(self.name, "run", mode=0o755)
        folder(self.name, "run", "virga", mode=0o711)
        for name in ("images", "qemu"):
            folder(self.name, "lib-libvirt", name, mode=0o711)
        if os.path.exists(self.init.log):
            os.unlink(self.init.log)
        self._reuse_capabilities()
        write = self.layout.write
        write(self.folder + "/etc-libvirt/libvirtd.conf", _LIBVIRTD.format(address=self.address, uuid=self.uuid))
        write(self.folder + "/etc-libvirt/qemu.conf", _QEMU.format(address=self.address))
        write(self.folder + "/hosts", f"127.0.0.1 localhost\n{self.address} {self.name}\n", 0o644)
        write(self.folder + "/resolv.conf", "", 0o644)

    def _reuse_capabilities(self):
        """What the emulators can do was asked on another host of this machine already."""
        own = self.folder + "/cache-libvirt/qemu"
        first = self.layout.path("host1", "cache-libvirt", "qemu")
        if not os.path.exists(own) and os.path.exists(first):
            shutil.copytree(first, own)

    # Its namespaces

    def _connect(self):
        ip("netns", "add", self.netns)
        ip("-n", self.wire.name, "-batch", "-", batch=f"""\
link add m{self.number} type veth peer name e0 netns {self.netns}
link add x{self.number} type veth peer name e1 netns {self.netns}
link set m{self.number} master management up
link set x{self.number} master external up
""")
        ip("-n", self.netns, "-batch", "-", batch=f"""\
link set lo up
address add {self.address}/24 dev e0
link set e0 up
link set e1 up
route add default via {MANAGEMENT}.254
""")

    def _become_host(self):
        self._join_cgroups(leaf=False)
        kernel.setns(namespace_path(self.netns), kernel.CLONE_NEWNET)
        kernel.unshare(kernel.CLONE_NEWNS | kernel.CLONE_NEWUTS | kernel.CLONE_NEWIPC | kernel.CLONE_NEWPID |
                       kernel.CLONE_NEWCGROUP)

    def _cgroups(self):
        return [os.path.join(root, self.netns) for root in _cgroup_roots()]

    def _join_cgroups(self, leaf):
        for group in self._cgroups():
            os.makedirs(group, exist_ok=True)
            for name in ("cpuset.cpus", "cpuset.mems"):  # v1 leaves them empty, and then takes no process.
                if os.path.exists(f"{group}/{name}") and not os.path.exists(f"{group}/cgroup.controllers"):
                    with open(f"{os.path.dirname(group)}/{name}", encoding="ascii") as source:
                        _put(f"{group}/{name}", source.read())
            if leaf and os.path.exists(f"{group}/cgroup.controllers"):
                group = os.path.join(group, "init")
            _put(f"{group}/cgroup.procs", str(os.getpid()))

    def _forwarded(self):
        """FROM TO pairs: the cloud's addresses into the host, the agents' management addresses out of it."""
        inside, ports, pairs = namespace_path(self.netns), self.layout.ports, []
        for name in (*SERVICES, "broker"):
            address = "127.0.0.1" if name == "broker" else self.layout.address
            pairs += [f"{inside}@{address}:{ports[name]}", f"{address}:{ports[name]}"]
        for agent in AGENTS:
            port = ports[f"{self.name}-{agent}"]
            pairs += [f"127.0.0.1:{port}", f"{inside}@127.0.0.1:{port}"]
        return pairs

    def _clean(self):
        """Takes away the namespaces and cgroups of a host whose processes are gone."""
        if os.path.exists(namespace_path(self.netns)):
            ip("netns", "delete", self.netns)
        for name in (f"m{self.number}", f"x{self.number}"):  # At once: the namespace itself goes a little later.
            if os.path.exists(self.wire.path):
                subprocess.run(["ip", "-n", self.wire.name, "link", "delete", name], check=False,
                               stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 5
        while not all(_remove_cgroup(group) for group in self._cgroups()) and time.monotonic() < deadline:
            time.sleep(0.05)


def _cgroup_roots():
    """Where the machine has its cgroup hierarchies mounted: v2, v1 or both."""
    with open("/proc/mounts", encoding="ascii") as mounts:
        fields = [line.split() for line in mounts]
    return [field[1] for field in fields if field[2] in ("cgroup", "cgroup2")]


def _put(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def _remove_cgroup(group):
    """Removes it from the leaves up; False while a process that just died is still in it."""
    for folder, _, _ in os.walk(group, topdown=False):
        try:
            os.rmdir(folder)
        except OSError:
            return False
    return True
