"""A cloud for tests: PostgreSQL (without fsync), RabbitMQ and the daemons a test names, in a temporary folder, on
ports of its own, ended whatever happens to the test.

    with Cloud(services=["identity", "image"]) as cloud:
        status, headers, body = cloud.admin().request("GET", "image", "/v2/images")

It is the same code that starts the all-in-one cloud (deploy/lib). hosts=1 gives a libvirt host too, and agents=[...] run
on it; that needs root. VIRGA_BUILD: where bin/ is. VIRGA_TEST_LOGS: a folder that keeps the logs and configuration."""

import atexit
import os
import random
import shutil
import signal
import socket
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "deploy", "lib"))
import virga_deploy.cloud  # noqa: E402
from virga_deploy import layout as _layout  # noqa: E402

import rest  # noqa: E402

_PORTS_EACH = 100


def _claim_ports():
    """A run of free ports below those that the kernel hands out, and the socket whose abstract name keeps other tests
    away from it as long as it is open."""
    slots = list(range(12000, 32000, _PORTS_EACH))
    random.shuffle(slots)
    for first in slots:
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            claim.bind(f"\0virga-test-ports-{first}")
            for port in range(first, first + _PORTS_EACH):
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", port))
            return first, claim
        except OSError:
            claim.close()
    raise RuntimeError("no free ports for a test cloud")


class Cloud:
    """engines: start PostgreSQL and RabbitMQ at once; then the daemons. Everything is ready when it returns.

    settings: what else stands in a service's configuration, {"identity": {"identity": {"token_ttl": 60}}}: service, section, key."""

    def __init__(self, services=(), agents=(), hosts=0, build=None, settings=None):
        first, self._claim = _claim_ports()
        self.folder = tempfile.mkdtemp(prefix="virga-test-")
        self.layout = _layout.Layout(os.path.join(self.folder, "run"), port_base=first,
                                     build=build or os.environ.get("VIRGA_BUILD"))
        os.chmod(self.folder, 0o711)
        self._cloud = virga_deploy.cloud.Cloud(self.layout, hosts=hosts, services=services, agents=agents, fast=True)
        for service, sections in (settings or {}).items():
            self._cloud.daemon(service).extra = sections
        self._closed = False
        self._guard()
        atexit.register(self.close)
        try:
            self._cloud.start()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def _guard(self):
        """A second process that cleans up should this one be killed: it reads a pipe which only this one holds."""
        read_end, self._alive = os.pipe()
        self._guardian = os.fork()
        if self._guardian != 0:
            os.close(read_end)
            return
        try:
            os.close(self._alive)
            os.setsid()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            if os.read(read_end, 1) == b"":
                self._clean()
        finally:
            os._exit(0)

    def _clean(self):
        self._cloud.stop()
        kept = os.environ.get("VIRGA_TEST_LOGS")
        if kept:
            target = os.path.join(kept, os.path.basename(self.folder))
            shutil.copytree(self.layout.path("log"), target, dirs_exist_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def close(self):
        """Ends everything and removes the folder. Twice does no harm."""
        if self._closed:
            return
        self._closed = True
        self._clean()
        os.write(self._alive, b"x")  # The guardian may go: all is done.
        os.close(self._alive)
        os.waitpid(self._guardian, 0)
        self._claim.close()

    # What a test does with it

    @property
    def urls(self):
        return {service: self.layout.url(service) for service in _layout.SERVICES}

    def database_url(self, service):
        return self._cloud.postgres.url(service)

    def make_database(self, name):
        """One more database, for what is no service of ours; its owner has its name."""
        self._cloud.postgres.create_databases([name])

    def sql(self, service, statement):
        """Runs a statement in the service's database as superuser; returns psql's unaligned text."""
        return self._cloud.postgres.psql(statement, service)

    @property
    def rpc_url(self):
        return self._cloud.rabbitmq.url()

    @property
    def rabbitmq(self):
        return self._cloud.rabbitmq

    @property
    def hosts(self):
        return self._cloud.hosts

    def daemon(self, name):
        """The daemon "compute", "host1-compute-agent"...: kill(), log and pid() are in its .process."""
        return self._cloud.daemon(name)

    def add_daemon(self, kind):
        """One more daemon of the service 'kind' on the same database, on ports of its own: its .url is where it answers
        (Session.at() asks it), .name what daemon() and metrics() know it by."""
        return self._cloud.add_daemon(kind)

    def restart(self):
        """Starts again what was killed, and waits until all is ready."""
        self._cloud.start()

    def metrics(self, name):
        """The daemon's Prometheus text."""
        status, _, text = rest.request("GET", f"http://{self.daemon(name).management}/metrics")
        assert status == 200, status
        return text.decode()

    def admin(self):
        """A session of the bootstrapped administrator in project admin."""
        return rest.authenticate(self.urls, "admin", self.layout.secret("user-admin"), "admin")

    def service(self, name):
        """A session of the service's own user, who has the roles admin and service in project service."""
        return rest.authenticate(self.urls, name, self.layout.secret("user-" + name), "service")

    def session(self, user, password, project=None, **more):
        return rest.authenticate(self.urls, user, password, project, **more)
