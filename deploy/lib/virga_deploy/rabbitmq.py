"""A private RabbitMQ node on loopback, with its users, from a definitions file: nothing is set up by hand after start.

Control daemons are one user, each host is a user of its own, so that a receiver can tell (by the message's user_id,
which the broker checks) who spoke. As root it runs as user 'rabbitmq', in a mount namespace where its folder lies at
/var/lib/rabbitmq. Its epmd is a process of ours too.
"""

import base64
import glob
import hashlib
import json
import os
import urllib.parse
import pwd
import socket
import subprocess

from . import kernel
from .layout import MAX_HOSTS
from .process import Process

_HOME = "/var/lib/rabbitmq"
_VHOST = "virga"

# One scheduler that does not spin, no node but this one, AMQP on loopback only.
_ERLANG = ("+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none -start_epmd false "
           "-kernel inet_dist_use_interface {127,0,0,1}")


class RabbitMQ:
    """The broker of one cloud."""

    def __init__(self, layout):
        self.layout = layout
        self.folder = layout.path("rabbitmq")
        log = layout.path("log", "rabbitmq.log")
        self.process = Process("rabbitmq", layout.path("pids", "rabbitmq"), log)
        self.epmd = Process("epmd", layout.path("pids", "epmd"), log)
        if os.getuid() == 0:
            user = pwd.getpwnam("rabbitmq")
            self._ids, self._inside = (user.pw_uid, user.pw_gid), _HOME
        else:
            self._ids, self._inside = None, self.folder

    def _become(self):
        if self._ids is None:
            return
        kernel.bind_private(self.folder, _HOME)
        os.setgroups([])
        os.setgid(self._ids[1])
        os.setuid(self._ids[0])

    def _programs(self):
        # The commands in /usr/sbin insist on one user and one node; these don't.
        return max(glob.glob("/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin")) + "/"

    def _environment(self):
        inside, ports = self._inside, self.layout.ports
        return {
            "PATH": os.environ["PATH"], "HOME": inside, "LANG": "C.UTF-8",
            "RUNNING_UNDER_SYSTEMD": "true",  # The start script becomes the node, instead of waiting for it.
            "RABBITMQ_NODENAME": "virga@localhost", "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(ports["broker"]), "RABBITMQ_DIST_PORT": str(ports["broker-distribution"]),
            "RABBITMQ_MNESIA_BASE": f"{inside}/db", "RABBITMQ_LOG_BASE": f"{inside}/log", "RABBITMQ_LOGS": "-",
            "RABBITMQ_GENERATED_CONFIG_DIR": f"{inside}/generated", "RABBITMQ_CONFIG_FILE": f"{inside}/rabbitmq.conf",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{inside}/plugins", "RABBITMQ_FEATURE_FLAGS_FILE": f"{inside}/flags",
            "RABBITMQ_PID_FILE": f"{inside}/pid", "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": _ERLANG,
            "RABBITMQ_CTL_DIST_PORT_MIN": str(ports["broker-control"]),
            "RABBITMQ_CTL_DIST_PORT_MAX": str(ports["broker-control"] + 9),
            "ERL_EPMD_PORT": str(ports["broker-epmd"]), "ERL_EPMD_ADDRESS": "127.0.0.1",
        }

    def users(self):
        # "anything@HOST" may only speak for that host: common/rpc binds a sender by the part behind the '@'.
        return ["control"] + [f"agent@host{n}" for n in range(1, MAX_HOSTS + 1)]

    def _definitions(self):
        names = self.users()
        return {
            "users": [{"name": name, "password_hash": _password_hash(self.layout.secret("broker-" + name)),
                       "hashing_algorithm": "rabbit_password_hashing_sha256", "tags": ""} for name in names],
            "vhosts": [{"name": _VHOST}],
            "permissions": [{"user": name, "vhost": _VHOST, "configure": ".*", "write": ".*", "read": ".*"}
                            for name in names],
        }

    def _write(self, name, text, mode=0o600):
        path = os.path.join(self.folder, name)
        self.layout.write(path, text, mode)
        if self._ids is not None:
            os.chown(path, *self._ids)

    def _initialise(self):
        self.layout.folder("rabbitmq", mode=0o700)
        if self._ids is not None:
            os.chown(self.folder, *self._ids)
        self._write(".erlang.cookie", self.layout.secret("broker-cookie"), 0o400)
        self._write("plugins", "[].\n")
        if not os.path.exists(os.path.join(self.folder, "definitions.json")):
            self._write("definitions.json", json.dumps(self._definitions(), indent=1))
        self._write("rabbitmq.conf", f"""\
load_definitions = {self._inside}/definitions.json
loopback_users = none
vm_memory_high_watermark.absolute = 256MB
disk_free_limit.absolute = 50MB
log.console.level = warning
""")

    def start(self):
        """Starts it unless it runs. Does not wait."""
        if self.process.pid() is not None and self.epmd.pid() is not None:
            return False
        self._initialise()
        self.epmd.start(["epmd", "-port", str(self.layout.ports["broker-epmd"]), "-address", "127.0.0.1"],
                        before=self._become, env={"PATH": os.environ["PATH"]})
        self.epmd.wait_ready(lambda: _listens(self.layout.ports["broker-epmd"]), 10)
        return self.process.start([self._programs() + "rabbitmq-server"], env=self._environment(), before=self._become)

    def wait_ready(self, seconds=90):
        self.process.wait_ready(self._ready, seconds)

    def _ready(self):
        """Its listeners open last: who gets Connection.Start from it finds all of it there."""
        try:
            with socket.create_connection(("127.0.0.1", self.layout.ports["broker"]), timeout=5) as connection:
                connection.sendall(b"AMQP\0\0\x09\x01")
                return connection.recv(11)[7:11] == b"\0\x0a\0\x0a"
        except OSError:
            return False

    def control(self, *arguments):
        """rabbitmqctl; returns what it prints. Slow: a second Erlang machine each time."""
        done = subprocess.run([self._programs() + "rabbitmqctl", "-q", *arguments], env=self._environment(), check=True,
                              capture_output=True, text=True, preexec_fn=self._become, cwd="/")
        return done.stdout

    def url(self, user="control"):
        password = self.layout.secret("broker-" + user)
        return f"amqp://{urllib.parse.quote(user, safe='')}:{password}@127.0.0.1:{self.layout.ports['broker']}/{_VHOST}"

    def stop(self):
        stopped = self.process.stop()
        return self.epmd.stop() or stopped


def _listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _password_hash(password):
    """As RabbitMQ stores it: a salt of four bytes, then SHA-256 of salt and password."""
    salt = os.urandom(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()
