"""Where a cloud keeps what, on which ports, under which names. Two clouds with different run folders and port bases
share nothing.

Ports are offsets from VIRGA_PORT_BASE. Without it the APIs have OpenStack's usual ports and all else counts from 25800.

    0-5    API of identity, image, placement, compute, network, volume
    6-8    RabbitMQ: AMQP, distribution, epmd
    9      free
    10-15  management address (readyz, metrics) of the six daemons, in the same order
    20-79  management address of the agents: 20 + 3 * (host - 1) + 0 compute, 1 network, 2 volume
    80-89  API and management address of further daemons of a service, in pairs
    90-99  rabbitmqctl
"""

import hashlib
import os
import secrets
import stat

SERVICES = ("identity", "image", "placement", "compute", "network", "volume")
AGENTS = ("compute-agent", "network-agent", "volume-agent")
MAX_HOSTS = 20
MAX_FURTHER = 5

_OPENSTACK_PORTS = {"identity": 5000, "image": 9292, "placement": 8778, "compute": 8774, "network": 9696,
                    "volume": 8776}
_OTHER_BASE = 25800
_ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
_BROKER_PORTS = ("broker", "broker-distribution", "broker-epmd")


class Layout:
    """One cloud's folder, ports and names. 'ports' (name -> port) replaces the numbering above."""

    def __init__(self, run, port_base=None, ports=None, build=None, address="127.0.0.1", region="RegionOne"):
        self.root = _ROOT
        self.run = os.path.realpath(run)
        self.build = os.path.realpath(build or os.path.join(_ROOT, "build"))
        self.address = address
        self.region = region
        self.ports = ports or number_ports(port_base)
        self.tag = "virga-" + hashlib.sha256(self.run.encode()).hexdigest()[:8]

    @classmethod
    def from_environment(cls):
        """As the variables VIRGA_RUN, VIRGA_PORT_BASE and VIRGA_BUILD say."""
        base = os.environ.get("VIRGA_PORT_BASE")
        return cls(run=os.environ.get("VIRGA_RUN") or os.path.join(_ROOT, "run"),
                   port_base=int(base) if base else None,
                   build=os.environ.get("VIRGA_BUILD") or None)

    def path(self, *parts):
        return os.path.join(self.run, *parts)

    def folder(self, *parts, mode=0o711):
        """A folder below run/, made with 'mode' if it is not there."""
        path = self.path(*parts)
        os.makedirs(path, exist_ok=True)
        if stat.S_IMODE(os.stat(path).st_mode) != mode:
            os.chmod(path, mode)
        return path

    def prepare(self):
        self.folder()
        for name in ("log", "pids", "secrets"):
            self.folder(name, mode=0o700)

    def binary(self, name):
        return os.path.join(self.build, "bin", name)

    def url(self, service):
        return f"http://{self.address}:{self.ports[service]}"

    def secret(self, name):
        """The secret 'name': made once, kept in run/secrets, readable by its owner only."""
        path = self.path("secrets", name)
        try:
            with open(path, encoding="ascii") as file:
                return file.read().strip()
        except FileNotFoundError:
            value = secrets.token_hex(16)
            self.write(path, value + "\n")
            return value

    @staticmethod
    def write(path, text, mode=0o600):
        """Puts 'text' at 'path' in one move, never readable by others in between."""
        temporary = path + ".new"
        if os.path.exists(temporary):
            os.unlink(temporary)
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, mode)
        os.replace(temporary, path)


def number_ports(base=None):
    """Name -> port, as the table above says."""
    first = _OTHER_BASE if base is None else base
    if not 1024 <= first <= 65535 - 100:
        raise ValueError(f"VIRGA_PORT_BASE={base}: want 1024 to 65435")
    ports = {}
    for i, service in enumerate(SERVICES):
        ports[service] = _OPENSTACK_PORTS[service] if base is None else first + i
        ports[f"{service}-management"] = first + 10 + i
    for i, name in enumerate(_BROKER_PORTS):
        ports[name] = first + 6 + i
    for host in range(1, MAX_HOSTS + 1):
        for i, agent in enumerate(AGENTS):
            ports[f"host{host}-{agent}"] = first + 20 + 3 * (host - 1) + i
    for i in range(MAX_FURTHER):
        ports[f"further{i}"] = first + 80 + 2 * i
        ports[f"further{i}-management"] = first + 81 + 2 * i
    ports["broker-control"] = first + 90
    return ports
