#!/usr/bin/python3
"""The functional tests that upstream ships with its clients (openstack client, SDK, keystoneclient), unmodified, against a cloud of ours.

    client_functional.py [WORD]...        only suites whose name contains a word: keystoneclient sdk osc
    client_functional.py --all            every test of those suites, whatever service it is of; a look at where we stand, never a pass

They are written for a devstack: its users, clouds.yaml, a flavor and an image are made first. One host with agents of driver "sim". Left out is
what upstream itself skips, and what DIFFERENT says why. Ends with 0 if all that ran passed."""

import argparse
import glob
import importlib.util
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
from cloud import Cloud  # noqa: E402
from sim_hosts import SimHosts  # noqa: E402

PACKAGES = "/usr/lib/python3/dist-packages/"
SERVICES = ["identity", "image", "placement", "compute", "network", "volume"]
# Name: package of the tests, those of identity and placement in it.
SUITES = {
    "keystoneclient": ("keystoneclient/tests/functional", ["v3/test_*"]),
    "sdk": ("openstack/tests/functional", ["identity/v3/test_*", "placement/v1/test_*", "cloud/test_domain", "cloud/test_endpoints",
                                           "cloud/test_groups", "cloud/test_identity", "cloud/test_project", "cloud/test_services",
                                           "cloud/test_users"]),
    "osc": ("openstackclient/tests/functional", ["identity/v3/test_*"]),
}
# Tests of a Keystone of before: why we differ.
DIFFERENT = {"test_implied_role_list (openstackclient.tests.functional.identity.v3.test_role.RoleTests.test_implied_role_list)":
             "counts the rules of a bootstrap without the role manager, which Keystone's has had since 2023.2"}
# Runs in the tests' process before them. Debian's os_client_config lacks a file that says which class is whose client.
RUN = """
import sys, unittest
try:
    import os_client_config.constructors as c
    c._class_mapping = c._class_mapping or {"identity": "keystoneclient.client.Client"}
except ImportError:
    pass
unittest.main(module=None, argv=["tests", "-v", *sys.argv[1:]])
"""


class Devstack:
    """What a devstack has and the tests expect."""

    def __init__(self, cloud, folder):
        self.cloud, self.admin, self.folder = cloud, cloud.admin(), folder
        roles = {role["name"]: role["id"] for role in self.admin.expect(200, "GET", "identity", "/v3/roles")["roles"]}
        users = {name: self.user(name, roles["member"]) for name in ("demo", "alt_demo")}
        me = self.admin.expect(200, "GET", "identity", "/v3/users?name=admin")["users"][0]["id"]
        self.admin.expect(204, "PUT", "identity", f"/v3/system/users/{me}/roles/{roles['admin']}")
        self.admin.expect(204, "PUT", "identity", f"/v3/domains/default/users/{me}/roles/{roles['admin']}")
        self.admin.expect(200, "POST", "compute", "/v2.1/flavors", {"flavor": {"name": "m1.tiny", "id": "1", "vcpus": 1, "ram": 64, "disk": 1}})
        image = self.admin.expect(201, "POST", "image", "/v2/images", {"name": "ubuntu", "disk_format": "raw",
                                                                       "container_format": "bare", "visibility": "public"})["id"]
        self.admin.expect(204, "PUT", "image", f"/v2/images/{image}/file", b"\1" * 65536, {"Content-Type": "application/octet-stream"})
        self.write(users)

    def user(self, name, role):
        project = self.admin.expect(201, "POST", "identity", "/v3/projects", {"project": {"name": name}})["project"]["id"]
        user = self.admin.expect(201, "POST", "identity", "/v3/users", {"user": {"name": name, "password": name, "email": name + "@example.org"}})["user"]["id"]
        self.admin.expect(204, "PUT", "identity", f"/v3/projects/{project}/users/{user}/roles/{role}")
        return name

    def write(self, users):
        password = self.cloud.layout.secret("user-admin")
        clouds = [("devstack-admin", "admin", password, "project_name: admin"), ("functional_admin", "admin", password, "project_name: admin"),
                  ("devstack-system-admin", "admin", password, "system_scope: all"), ("devstack", "demo", "demo", "project_name: demo"),
                  ("devstack-alt", "alt_demo", "alt_demo", "project_name: alt_demo")]
        assert set(users) == {"demo", "alt_demo"}
        with open(os.path.join(self.folder, "clouds.yaml"), "w", encoding="utf-8") as file:
            file.write("clouds:\n")
            for name, user, secret, scope in clouds:
                domain = "" if scope.startswith("system") else "      project_domain_id: default\n"
                file.write(f"  {name}:\n    region_name: RegionOne\n    identity_api_version: '3'\n    auth:\n"
                           f"      auth_url: {self.cloud.urls['identity']}/v3\n      username: {user}\n      password: {secret}\n"
                           f"      user_domain_id: default\n      {scope}\n{domain}")

    def environment(self, suite):
        ret = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
        ret.update(OS_CLIENT_CONFIG_FILE=os.path.join(self.folder, "clouds.yaml"), PYTHONWARNINGS="ignore", HOME=self.folder)
        if suite != "osc":  # That one names its cloud in each command.
            ret["OS_CLOUD"] = "devstack-admin"
        return ret


def modules(suite, everything):
    package, patterns = SUITES[suite]
    if everything:
        patterns = ["**/test_*"]
    files = sorted({file for pattern in patterns for file in glob.glob(f"{PACKAGES}{package}/{pattern}.py", recursive=True)})
    return [file[len(PACKAGES):-len(".py")].replace("/", ".") for file in files]


def run(suite, devstack, everything):
    """(tests, failed ones' names, left out) of a suite."""
    process = subprocess.Popen([sys.executable, "-c", RUN, *modules(suite, everything)], env=devstack.environment(suite), cwd=devstack.folder,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = []
    for line in process.stdout:
        print(line, end="", flush=True)
        said.append(line)
    process.wait()
    text = "".join(said)
    ran = re.search(r"^Ran (\d+) tests?", text, re.M)
    failed = re.findall(r"^(?:FAIL|ERROR): (.*)$", text, re.M)
    skipped = re.search(r"skipped=(\d+)", text)
    expected = [name for name in failed if name in DIFFERENT]
    for name in expected:
        print(f"as expected: {name}: {DIFFERENT[name]}")
    if ran is None or int(ran.group(1)) == 0:
        failed.append(f"{suite}: nothing ran")
    return (int(ran.group(1)) if ran else 0, [name for name in failed if name not in DIFFERENT],
            (int(skipped.group(1)) if skipped else 0) + len(expected))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--all", action="store_true", help="every test of the suites, of all services")
    parser.add_argument("suites", nargs="*", help="words in the names: " + " ".join(SUITES))
    options = parser.parse_args()
    suites = [name for name in SUITES if not options.suites or any(word in name for word in options.suites)]
    missing = [name for name in suites if not modules(name, False) or importlib.util.find_spec("os_client_config") is None]
    if missing or not suites:
        print(f"SKIPPED: not installed (deploy/packages/interop.txt): {', '.join(missing) or 'no suite of that name'}")
        return 1
    total, bad, left_out = 0, [], 0
    with tempfile.TemporaryDirectory(prefix="virga-interop-") as folder, Cloud(services=SERVICES) as cloud, \
            SimHosts(cloud, 1, sizes={1: {"vcpus": 64, "memory": 65536, "disk": 1000}}):
        devstack = Devstack(cloud, folder)
        for suite in suites:
            ran, failed, others = run(suite, devstack, options.all)
            print(f"{suite}: {ran - len(failed) - others} passed, {len(failed)} failed, {others} left out", flush=True)
            total, left_out = total + ran, left_out + others
            bad += failed
    for name in bad:
        print("failed: " + name)
    print(f"{total - len(bad) - left_out} passed, {len(bad)} failed, {left_out} left out")
    return 1 if bad or options.all else 0


if __name__ == "__main__":
    sys.exit(main())
