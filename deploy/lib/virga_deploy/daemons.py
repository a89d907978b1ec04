"""Virga's own processes: their configuration from templates, their start, their readiness."""

import http.client
import os
import string
import subprocess

from .layout import AGENTS, SERVICES
from .process import Process, StartError

_TEMPLATES = os.path.join(os.path.dirname(__file__), "..", "..", "all-in-one", "templates")

# The catalog: type, service, what follows the service's address.
_CATALOG = (
    ("identity", "identity", "/v3"),
    ("image", "image", ""),
    ("placement", "placement", ""),
    ("compute", "compute", "/v2.1"),
    ("network", "network", ""),
    ("volumev3", "volume", "/v3/$(project_id)s"),
    ("block-storage", "volume", "/v3/$(project_id)s"),
)


class Daemon:
    """One of the six services, or (with a host) an agent on that host: "volume", "host1-volume-agent". fast: for tests,
    passwords are hashed at the least cost. name, port: of a service's further daemon, which shares database and files
    with the first."""

    def __init__(self, layout, kind, host=None, fast=False, name=None, port=None):
        self.layout, self.kind, self.host, self.fast = layout, kind, host, fast
        self.name = name or (kind if host is None else f"{host.name}-{kind}")
        self.port = port or self.name
        self.config = layout.path(self.name + ".conf")
        self.extra = {}  # More settings: section -> key -> value.
        self.process = Process(self.name, layout.path("pids", self.name), layout.path("log", self.name + ".log"))

    @property
    def binary(self):
        return self.layout.binary("virga-" + self.kind)

    @property
    def management(self):
        port = self.layout.ports[self.port if self.host else self.port + "-management"]
        return f"127.0.0.1:{port}"

    @property
    def url(self):
        """Of a service's daemon: its API's address."""
        return f"http://{self.layout.address}:{self.layout.ports[self.port]}"

    def _settings(self):
        layout = self.layout
        # An agent's folder and socket are named as its host sees them.
        state = layout.path("state") if self.host is None else "/run/virga"
        sockets = layout.path("control") if self.host is None else "/run/virga"
        user = self.kind.removesuffix("-agent")
        settings = {
            "management_listen": self.management,
            "state_dir": f"{state}/{self.kind}", "control_socket": f"{sockets}/{self.name if self.host is None else self.kind}.sock",
            "username": user, "password_file": layout.path("secrets", "user-" + user), "region": layout.region,
            "identity_url": layout.url("identity") + "/v3", "password_hash_rounds": 4 if self.fast else 12,
        }
        if self.host is None:
            settings["api_listen"] = self.url.removeprefix("http://")
        else:
            settings["host_address"] = self.host.address
        return settings

    def write_config(self, database_url, rpc_url):
        """The general template, then the daemon's own if there is one; a file the daemon alone may read."""
        layout = self.layout
        settings = self._settings()
        settings.update(database_url=database_url, rpc_url=rpc_url)
        layout.secret("user-" + settings["username"])
        if self.host is None:
            layout.folder("state", mode=0o711)
            layout.folder("state", self.kind, mode=0o700)
            layout.folder("control", mode=0o700)
        else:
            layout.folder(self.host.name, "run", "virga", self.kind)
        parts = [f"# Written by deploy/all-in-one/up at each start of {self.name}; changes here are lost.\n"]
        for template in ("service" if self.host is None else "agent", self.kind):
            path = os.path.join(_TEMPLATES, template + ".conf.in")
            if os.path.exists(path):
                with open(path, encoding="utf-8") as file:
                    parts.append(string.Template(file.read()).substitute(settings))
        parts += [f"[{section}]\n{key} = {value}\n" for section, keys in self.extra.items() for key, value in keys.items()]
        layout.write(self.config, "\n".join(parts))

    def start(self):
        """Starts it unless it runs. Does not wait."""
        return self.process.start([self.binary, "--config", self.config],
                                  before=self.host.enter if self.host else None)

    def wait_ready(self, seconds=30):
        self.process.wait_ready(self.ready, seconds)

    def ready(self):
        """Does /readyz say 200?"""
        connection = http.client.HTTPConnection(self.management, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def services(layout, names=SERVICES, fast=False):
    return [Daemon(layout, name, fast=fast) for name in names]


def agents(layout, host, names=AGENTS):
    return [Daemon(layout, name, host) for name in names]


def check_binaries(chosen):
    """Says what is not built, before anything is started."""
    missing = [daemon.binary for daemon in chosen if not os.access(daemon.binary, os.X_OK)]
    if missing:
        raise StartError(f"not built: {', '.join(missing)}; run make first")


def bootstrap(layout, identity):
    """Gives an empty identity its first administrator, the services' users and the catalog; once. Passwords go in as
    names of files."""
    marker = layout.path("bootstrapped")
    if os.path.exists(marker):
        return
    endpoints = " ".join(f"{kind}={layout.url(service)}{path}" for kind, service, path in _CATALOG)
    users = " ".join(f"{name}={_secret_file(layout, 'user-' + name)}" for name in SERVICES if name != "identity")
    env = {"PATH": os.environ["PATH"], "VIRGA_BOOTSTRAP_PASSWORD_FILE": _secret_file(layout, "user-admin"),
           "VIRGA_BOOTSTRAP_REGION": layout.region, "VIRGA_BOOTSTRAP_ENDPOINTS": endpoints,
           "VIRGA_BOOTSTRAP_SERVICE_USERS": users}
    done = subprocess.run([identity.binary, "bootstrap", "--config", identity.config], env=env, check=False,
                          capture_output=True, text=True, cwd="/")
    if done.returncode != 0:
        raise StartError(f"virga-identity bootstrap failed:\n{done.stdout}{done.stderr}")
    layout.write(marker, "")


def _secret_file(layout, name):
    layout.secret(name)
    return layout.path("secrets", name)
