"""Hosts that exist in memory only: the three agents with their sim drivers, as processes of a test cloud. No libvirt, no
namespaces, no root.

    with Cloud(services=...) as cloud, SimHosts(cloud, 2, sizes={1: {"vcpus": 4}}) as hosts:
        hosts.agent("host1", "compute-agent").kill()

They end with the 'with' block; Cloud's guardian knows nothing of them, so they end with this process too."""

import http.client
import signal
import subprocess
import time

_KINDS = ("compute-agent", "network-agent", "volume-agent")


class Agent:
    def __init__(self, cloud, host, kind, port, options):
        self.layout, self.host, self.kind, self.port = cloud.layout, host, kind, port
        self.config = self.layout.path(f"{host}-{kind}.conf")
        self.log = self.layout.path("log", f"{host}-{kind}.log")
        self.process = None
        self.layout.write(self.config, self._text(cloud, options))

    def _text(self, cloud, options):
        user = self.kind.removesuffix("-agent")
        state = self.layout.folder("state", self.host, self.kind, mode=0o700)
        sections = {
            "daemon": {"host": self.host, "management_listen": f"127.0.0.1:{self.port}", "state_dir": state,
                       "control_socket": f"{state}/control.sock", "log_level": "info"},
            "rpc": {"url": cloud.rabbitmq.url(f"agent@{self.host}")},
            "auth": {"identity_url": self.layout.url("identity") + "/v3", "username": user,
                     "password": "file:" + self.layout.path("secrets", "user-" + user), "project_name": "service",
                     "user_domain_name": "Default", "project_domain_name": "Default", "region": self.layout.region},
            user: {"driver": "sim", "report_interval": 1},
        }
        if self.kind == "network-agent":
            sections["network"].update(tunnel_ip=f"192.0.2.{self.host.removeprefix('host')}", poll_interval=1,
                                       bridge_mappings="physnet1:br-ex")
            sections["metadata"] = {"enabled": "no"}
        for section, values in options.items():
            sections.setdefault(section, {}).update(values)
        return "".join(f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in values.items()) + "\n"
                       for name, values in sections.items())

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([self.layout.binary("virga-" + self.kind), "--config", self.config],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=_end_with_parent)

    def ready(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def wait_ready(self, seconds=30):
        until = time.monotonic() + seconds
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > until:
                with open(self.log, encoding="utf-8", errors="replace") as log:
                    raise RuntimeError(f"{self.host}'s {self.kind} is not ready:\n{log.read()[-3000:]}")
            time.sleep(0.02)

    def kill(self):
        """kill -9, and waits until it is gone."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()


def _end_with_parent():
    import ctypes  # Only in the child.
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


class SimHosts:
    """Hosts host1..hostN, each with 'kinds' of agents. 'sizes': by number of the host, what its [sim] section says."""

    def __init__(self, cloud, count=1, kinds=_KINDS, sizes=None, options=None):
        self.agents = []
        for number in range(1, count + 1):
            for i, kind in enumerate(kinds):
                more = {section: dict(values) for section, values in (options or {}).get(kind, {}).items()}
                if kind == "compute-agent" and sizes and number in sizes:
                    more.setdefault("sim", {}).update(sizes[number])
                port = cloud.layout.ports[f"host{number}-{kind}"]
                self.agents.append(Agent(cloud, f"host{number}", kind, port, more))
        try:
            for agent in self.agents:
                agent.start()
            for agent in self.agents:
                agent.wait_ready()
        except BaseException:
            self.close()
            raise

    def agent(self, host, kind):
        return next(a for a in self.agents if a.host == host and a.kind == kind)

    def close(self):
        for agent in self.agents:
            if agent.process is not None and agent.process.poll() is None:
                agent.process.send_signal(signal.SIGTERM)
        for agent in self.agents:
            agent.stop()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()
