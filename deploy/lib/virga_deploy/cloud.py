"""One whole cloud: engines, hosts, daemons, in the order they need each other."""

import contextlib
import fcntl
import os
import shutil
import time

from . import clients, daemons
from .host import Host
from .layout import AGENTS, MAX_FURTHER, MAX_HOSTS, SERVICES
from .postgres import Postgres
from .process import Process, stop_all
from .rabbitmq import RabbitMQ
from .wire import Wire


class Cloud:
    """hosts: how many; services, agents: which of them. fast: no fsync, cheap password hashes; for tests."""

    def __init__(self, layout, hosts=1, services=SERVICES, agents=AGENTS, fast=False, say=lambda text: None):
        if hosts > MAX_HOSTS:
            raise ValueError(f"at most {MAX_HOSTS} hosts")
        if (layout.run + "/").startswith("/run/"):
            raise ValueError("VIRGA_RUN must not be below /run: each host has a /run of its own")
        if any(character.isspace() for character in layout.run):
            raise ValueError("VIRGA_RUN must be a path without blanks")
        self.layout, self.say, self.fast = layout, say, fast
        self.postgres = Postgres(layout, fast)
        self.rabbitmq = RabbitMQ(layout)
        self.wire = Wire(layout)
        self.hosts = [Host(layout, number, self.wire) for number in range(1, hosts + 1)]
        self.services = daemons.services(layout, services, fast)
        self.agents = [agent for host in self.hosts for agent in daemons.agents(layout, host, agents)]

    @contextlib.contextmanager
    def lock(self):
        """One 'up' or 'down' of a cloud at a time."""
        self.layout.prepare()
        with open(self.layout.path("lock"), "w", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def daemon(self, name):
        return next(daemon for daemon in self.services + self.agents if daemon.name == name)

    def add_daemon(self, kind):
        """One more daemon of a service, beside the first and on its database; returned ready. The catalog does not know it."""
        further = sum(daemon.name != daemon.kind for daemon in self.services)
        if further == MAX_FURTHER:
            raise ValueError(f"at most {MAX_FURTHER} further daemons")
        number = 1 + sum(daemon.kind == kind for daemon in self.services)
        daemon = daemons.Daemon(self.layout, kind, fast=self.fast, name=f"{kind}-{number}", port=f"further{further}")
        daemon.extra = next((other.extra for other in self.services if other.kind == kind), {})
        self.services.append(daemon)
        self.start_daemons([daemon])
        return daemon

    def start(self):
        """Starts what does not run, and returns when all of it is ready."""
        daemons.check_binaries(self.services + self.agents)
        begun = time.monotonic()
        self.start_engines()
        self.say(f"PostgreSQL and RabbitMQ are ready ({time.monotonic() - begun:.1f} s)")
        if self.hosts:
            self.wait_hosts()
            self.say(f"{len(self.hosts)} host(s) with libvirt are ready ({time.monotonic() - begun:.1f} s)")
        begun = time.monotonic()
        self.start_daemons(self.services + self.agents)
        clients.write(self.layout)
        self.say(f"{len(self.services)} services and {len(self.agents)} agents are ready "
                 f"({time.monotonic() - begun:.1f} s)")

    def start_engines(self):
        """PostgreSQL with its databases and RabbitMQ; the hosts are begun while those start."""
        self.layout.prepare()
        self.rabbitmq.start()
        self.postgres.start()
        if self.hosts:
            self.wire.start()
            for host in self.hosts:
                host.start()
        self.postgres.wait_ready()
        self.postgres.create_databases(SERVICES)
        self.rabbitmq.wait_ready()

    def wait_hosts(self):
        """Returns when libvirt answers on every host."""
        for host in self.hosts:
            host.wait_ready()

    def start_daemons(self, chosen):
        """Starts those of 'chosen' that do not run, all at once, and waits for each."""
        for daemon in chosen:
            if daemon.process.pid() is not None:
                continue
            database = self.postgres.url(daemon.kind) if daemon.host is None else ""
            daemon.write_config(database, self.rabbitmq.url(f"agent@{daemon.host.name}" if daemon.host else "control"))
            if daemon.name == "identity":
                daemons.bootstrap(self.layout, daemon)
            daemon.start()
        for daemon in chosen:
            daemon.wait_ready()

    def stop(self):
        """Ends everything that start() started: first those who use, then those who are used."""
        stopped = stop_all([daemon.process for daemon in self.agents + self.services] + list(self._further()))
        stopped += [host.name for host in self.hosts if host.stop()]
        for name, engine in (("wire", self.wire), ("rabbitmq", self.rabbitmq), ("postgres", self.postgres)):
            if engine.stop():
                stopped.append(name)
        return stopped

    def _further(self):
        """What add_daemon() started in another process, such as the one whose death is cleaned up after."""
        known = {daemon.name for daemon in self.services}
        for kind in SERVICES:
            for number in range(2, 2 + MAX_FURTHER):
                name = f"{kind}-{number}"
                if name not in known:
                    yield Process(name, self.layout.path("pids", name), self.layout.path("log", name + ".log"))

    def purge(self):
        """Removes the run folder; only after stop()."""
        shutil.rmtree(self.layout.run)

    def processes(self):
        """Each process with its address and, where it has one, its readiness: rows for 'status'."""
        ports = self.layout.ports
        yield self.postgres.process, f"{self.postgres.folder}/socket", None
        yield self.rabbitmq.process, f"127.0.0.1:{ports['broker']}", None
        for host in self.hosts:
            for process in (host.init, host.virtlogd, host.libvirtd, host.forward):
                yield process, host.address, None
        for daemon in self.services:
            yield daemon.process, daemon.url, daemon.ready
        for daemon in self.agents:
            yield daemon.process, f"http://{daemon.management}", daemon.ready


def host_count(layout, wanted=None):
    """How many hosts the cloud has: 'wanted' if given (more can be added, none taken away), else as before, else 1."""
    path = layout.path("hosts")
    known = 1
    if os.path.exists(path):
        with open(path, encoding="ascii") as file:
            known = int(file.read())
    if wanted is not None and wanted < known and os.path.exists(path):
        raise ValueError(f"the cloud has {known} hosts: they are not taken away one by one")
    return wanted or known
