#!/usr/bin/python3
"""Upstream's nova (Debian's python3-nova: api, conductor, scheduler, and compute with its fake driver) with our identity, placement,
image and network service in place of upstream's: the hypervisor appears as a provider with inventory and traits, a server boots on what the
scheduler found among our candidates, its allocation is as its flavor, and ends with it. The rest (databases, message broker, ports)
is private to the run. The server has no network: the fake driver has none to give.

--keep-logs FOLDER keeps nova's logs."""

import argparse
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from cloud import Cloud  # noqa: E402
import rest  # noqa: E402

CONF = """[DEFAULT]
host = fakehost
my_ip = 127.0.0.1
state_path = {folder}
compute_driver = fake.FakeDriver
transport_url = {rpc}
osapi_compute_listen = 127.0.0.1
osapi_compute_listen_port = {port}
osapi_compute_workers = 1
enabled_apis = osapi_compute
log_dir = {folder}/log
rpc_response_timeout = 120
[wsgi]
api_paste_config = {folder}/api-paste.ini
[api]
auth_strategy = keystone
[database]
connection = sqlite:///{folder}/nova.sqlite
[api_database]
connection = sqlite:///{folder}/nova_api.sqlite
[conductor]
workers = 1
[scheduler]
workers = 1
[oslo_concurrency]
lock_path = {folder}/lock
[vnc]
enabled = false
[glance]
endpoint_override = {image}
{auth}
[cinder]
{auth}
[neutron]
endpoint_override = {network}
{auth}
[keystone]
endpoint_override = {identity}/v3/
{auth}
[placement]
endpoint_override = {placement}
{auth}
[keystone_authtoken]
www_authenticate_uri = {identity}
service_token_roles_required = true
{auth}
"""
AUTH = """auth_type = password
auth_url = {identity}/v3
username = admin
password = {password}
project_name = admin
user_domain_id = default
project_domain_id = default"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


PASTE = """[composite:osapi_compute]
use = call:nova.api.openstack.urlmap:urlmap_factory
/v2.1: v21
[pipeline:v21]
pipeline = compute_req_id authtoken keystonecontext app
[app:app]
paste.app_factory = nova.api.openstack.compute:APIRouterV21.factory
[filter:compute_req_id]
paste.filter_factory = nova.api.compute_req_id:ComputeReqIdMiddleware.factory
[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
[filter:keystonecontext]
paste.filter_factory = nova.api.auth:NovaKeystoneContext.factory
"""


class Nova:
    def __init__(self, folder, cloud, port):
        self.folder, self.processes, self.url = folder, {}, f"http://127.0.0.1:{port}"
        os.makedirs(folder + "/log")
        urls = cloud.urls
        auth = AUTH.format(identity=urls["identity"], password=cloud.layout.secret("user-admin"))
        self.conf = os.path.join(folder, "nova.conf")
        with open(self.conf, "w", opener=lambda p, flags: os.open(p, flags, 0o600)) as f:
            f.write(CONF.format(folder=folder, port=port, rpc=cloud.rpc_url.replace("amqp://", "rabbit://"), auth=auth, identity=urls["identity"],
                                placement=urls["placement"], image=urls["image"], network=urls["network"]))
        with open(folder + "/api-paste.ini", "w") as f:
            f.write(PASTE)
        self.environment = dict(os.environ, PYTHONWARNINGS="ignore")

    def command(self, module):
        """Debian has the programs in a package each, with a system user and databases that nobody wants here."""
        path = f"{self.folder}/nova-{module}"
        with open(path, "w") as f:
            f.write(f"import sys\nfrom nova.cmd.{module} import main\nsys.exit(main())\n")
        return [sys.executable, path]

    def manage(self, *arguments):
        subprocess.run(self.command("manage") + ["--config-file", self.conf] + list(arguments), env=self.environment, check=True, timeout=300,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self, module):
        out = open(f"{self.folder}/log/{module}.out", "w")
        self.processes[module] = subprocess.Popen(self.command(module) + ["--config-file", self.conf], env=self.environment, stdout=out, stderr=out)

    def stop(self):
        for p in self.processes.values():
            p.terminate()
        for p in self.processes.values():
            try:
                p.wait(20)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()

    def check_alive(self):
        for module, p in self.processes.items():
            if p.poll() is not None:
                with open(f"{self.folder}/log/{module}.out") as f:
                    raise SystemExit(f"nova-{module} ended: {f.read()[-3000:]}")


def wait(nova, what, probe, seconds=240):
    print(f"waiting for {what}", flush=True)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        nova.check_alive()
        try:
            found = probe()
        except OSError:
            found = None
        if found:
            return found
        time.sleep(1)
    raise SystemExit(f"{what}: not after {seconds} s")


def ready_image(admin):
    made = admin.expect(201, "POST", "image", "/v2/images", {"name": "tiny", "disk_format": "raw", "container_format": "bare", "visibility": "public"})
    admin.expect(204, "PUT", "image", f"/v2/images/{made['id']}/file", b"\0" * 4096, {"Content-Type": "application/octet-stream"})
    return made["id"]


def check(admin, nova):
    placement = {"OpenStack-API-Version": "placement 1.39"}

    def ask(path):
        return admin.expect(200, "GET", "placement", path, headers=placement)

    provider = wait(nova, "the hypervisor as a provider", lambda: ask("/resource_providers?resources=VCPU:1")["resource_providers"])[0]
    inventories = ask(f"/resource_providers/{provider['uuid']}/inventories")["inventories"]
    assert set(inventories) == {"VCPU", "MEMORY_MB", "DISK_GB"}, inventories
    traits = ask(f"/resource_providers/{provider['uuid']}/traits")["traits"]
    assert "COMPUTE_NODE" in traits, traits
    print(f"provider {provider['name']}: {inventories['VCPU']['total']} VCPU, {len(traits)} traits")

    nova.manage("cell_v2", "discover_hosts")  # Before the first server: what has no cell takes none.
    compute = rest.Session(dict(admin.urls, compute=nova.url), admin.token, admin.auth)
    headers = {"OpenStack-API-Version": "compute 2.88"}
    wait(nova, "nova's API", lambda: compute.request("GET", "compute", "/v2.1/flavors", headers=headers)[0] == 200)
    flavor = compute.expect(200, "POST", "compute", "/v2.1/flavors", {"flavor": {"name": "small", "vcpus": 2, "ram": 512, "disk": 3}}, headers)["flavor"]
    image = ready_image(admin)
    server = compute.expect(202, "POST", "compute", "/v2.1/servers", {"server": {
        "name": "one", "flavorRef": flavor["id"], "imageRef": image, "networks": "none"}}, headers)["server"]["id"]

    def state():
        shown = compute.expect(200, "GET", "compute", "/v2.1/servers/" + server, headers=headers)["server"]
        if shown["status"] == "ERROR":
            raise SystemExit(f"the server failed: {shown.get('fault')}")
        return shown["status"] == "ACTIVE" and shown

    wait(nova, "the server", state)
    held = ask("/allocations/" + server)
    assert {p: a["resources"] for p, a in held["allocations"].items()} == {provider["uuid"]: {"VCPU": 2, "MEMORY_MB": 512, "DISK_GB": 3}}, held
    assert (held["project_id"], held["user_id"]) == (admin.project_id, admin.user_id), held
    print("the server runs; its allocation is as its flavor")
    compute.expect(204, "DELETE", "compute", "/v2.1/servers/" + server, headers=headers)
    wait(nova, "the end of its allocation", lambda: ask("/allocations/" + server)["allocations"] == {})
    usages = ask(f"/resource_providers/{provider['uuid']}/usages")["usages"]
    assert set(usages.values()) == {0}, usages


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--keep-logs")
    options = arguments.parse_args()
    if importlib.util.find_spec("nova") is None:
        print("SKIPPED: Debian's python3-nova is not installed; \"make interop\" installs it")
        return 0
    with tempfile.TemporaryDirectory(prefix="virga-nova-") as folder, Cloud(services=["identity", "placement", "image", "network"]) as cloud:
        nova = Nova(folder, cloud, free_port())
        try:
            nova.manage("api_db", "sync")
            nova.manage("db", "sync")
            nova.manage("cell_v2", "map_cell0", "--database_connection", f"sqlite:///{folder}/nova_cell0.sqlite")
            nova.manage("db", "sync")
            nova.manage("cell_v2", "create_cell", "--name", "one")
            for module in ("conductor", "scheduler", "compute", "api_os_compute"):
                nova.start(module)
            check(cloud.admin(), nova)
        finally:
            nova.stop()
            if options.keep_logs:
                shutil.copytree(folder + "/log", options.keep_logs, dirs_exist_ok=True)
    print("nova works with our placement and identity")
    return 0


if __name__ == "__main__":
    sys.exit(main())
