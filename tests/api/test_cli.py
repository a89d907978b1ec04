#!/usr/bin/python3
"""The virga command against a real cloud without hosts: what it prints, where it sends what, its exit codes, its token cache; its
options beside those of Debian's openstack client; and that no secret is seen."""

import csv
import io
import json
import os
import re
import stat
import subprocess
import sys
import tempfile
import unittest
import uuid

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(HERE, "..", "lib"))
from cloud import Cloud  # noqa: E402
from command_line import OpenStack  # noqa: E402

from virga_deploy import clients  # noqa: E402

SERVICES = ["identity", "image", "placement", "compute", "network", "volume"]
PASSWORD = "Correct-Horse-7"

cloud = folder = binary = None


def setUpModule():
    global cloud, folder, binary
    cloud = Cloud(services=SERVICES)
    folder = tempfile.mkdtemp(prefix="virga-test-cli-")
    binary = cloud.layout.binary("virga")
    clients.write(cloud.layout)
    virga("project", "create", "demo", "--domain", "Default")
    virga("user", "create", "--domain", "Default", "--project", "demo", "--password-prompt", "demo", stdin=PASSWORD + "\n")
    virga("role", "add", "--user", "demo", "--project", "demo", "member")


def tearDownModule():
    cloud.close()
    subprocess.run(["rm", "-rf", folder], check=True)


def environment(**more):
    env = {"PATH": os.environ["PATH"], "HOME": folder, "XDG_CACHE_HOME": os.path.join(folder, "cache"),
           "OS_CLIENT_CONFIG_FILE": os.path.join(cloud.layout.run, "clouds.yaml"), "OS_CLOUD": "virga-admin"}
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
        if name in os.environ:
            env[name] = os.environ[name]
    env.update(more)
    return {key: value for key, value in env.items() if value is not None}


def as_demo(password=PASSWORD):
    return environment(OS_CLOUD=None, OS_CLIENT_CONFIG_FILE="/dev/null", OS_AUTH_URL=cloud.layout.url("identity"), OS_USERNAME="demo",
                       OS_PASSWORD=password, OS_PROJECT_NAME="demo", OS_USER_DOMAIN_NAME="Default", OS_PROJECT_DOMAIN_ID="default")


def run(*words, stdin="", env=None):
    return subprocess.run([binary, *words], input=stdin, capture_output=True, text=True, timeout=120, env=env or environment())


def virga(*words, stdin="", env=None):
    """The output of a command that has to succeed."""
    done = run(*words, stdin=stdin, env=env)
    assert done.returncode == 0, (words, done.returncode, done.stdout, done.stderr)
    return done.stdout


def show(*words, env=None):
    return json.loads(virga(*words, "-f", "json", env=env))


class Help(unittest.TestCase):
    def commands(self):
        return re.findall(r"^  ((?:[a-z0-9]+ )*[a-z]+)  +\S", virga("help"), re.M)

    def test_manual_page_is_current(self):
        with open(os.path.join(ROOT, "docs", "man", "virga.1"), encoding="utf-8") as file:
            self.assertEqual(file.read(), virga("help", "--man"), "make it anew: virga help --man > docs/man/virga.1")

    def test_completion_is_bash(self):
        script = virga("complete") + '\nCOMP_WORDS=(virga server st) COMP_CWORD=2\n_virga\necho "${COMPREPLY[@]}"\n' \
            'COMP_WORDS=(virga server create --fl) COMP_CWORD=3\n_virga\necho "${COMPREPLY[@]}"\n'
        done = subprocess.run(["bash"], input=script, capture_output=True, text=True, check=True)
        self.assertEqual(sorted(done.stdout.split("\n")[0].split()), ["start", "stop"])
        self.assertEqual(done.stdout.split("\n")[1], "--flavor")

    def test_usage_errors(self):
        for words in [("bogus",), ("server",), ("server", "show"), ("server", "list", "--bogus"), ("subnet", "create", "x"), ("server", "list", "-f", "xml"), ()]:
            done = run(*words)
            self.assertEqual(done.returncode, 2, words)
            self.assertTrue(done.stderr)
        self.assertIn("server create", run("server").stderr)
        self.assertIn("implied role list", virga("help", "implied"))
        self.assertEqual(run("help", "bogus").stderr, "'bogus' is no command; see virga help\n")

    # Of commands that openstack has too. What it has since, or never had for what the API can do.
    MORE = {"image create": {"--hidden", "--unhidden"}, "domain create": {"--id", "--tag"}, "domain set": {"--tag"}, "user create": {"--federated"}, "user set": {"--federated"}, "endpoint list": {"--endpointgroup"}, "role assignment list": {"--subtree"},
            "trust create": {"--remaining-uses", "--allow-redelegation", "--redelegation-count"},
            "trust list": {"--trustor", "--trustor-domain", "--trustee", "--trustee-domain"},
            "limit create": {"--domain"}, "limit list": {"--domain"},
            "identity provider create": {"--authorization-ttl"}, "identity provider set": {"--authorization-ttl"},
            "mapping create": {"--schema-version"}, "mapping set": {"--schema-version"},
            "federation protocol create": {"--remote-id-attribute"}, "federation protocol set": {"--remote-id-attribute"},
            "service provider create": {"--relay-state-prefix"}, "service provider set": {"--relay-state-prefix"}}
    # How tables may look beside, and help.
    LOOKS = {"-h", "--help", "--fit-width", "--print-empty", "--quote"}

    def test_options_are_openstacks(self):
        """Commands that openstack has too know no option that it does not know, but for --wait; and all of identity's."""
        script = r"""
import argparse, importlib.metadata, json, sys
from unittest import mock
points = importlib.metadata.entry_points()
out = {}
for group in ("common", "compute.v2", "identity.v3", "image.v2", "network.v2", "volume.v3"):
    for point in points.select(group="openstack." + group):
        name = point.name.replace("_", " ")
        if name not in sys.stdin_names:
            if group == "identity.v3":
                out[name] = None
            continue
        parser = point.load()(mock.MagicMock(), None).get_parser(name)
        out[name] = [o for a in parser._actions for o in a.option_strings]
json.dump([out, [point.name.replace("_", " ") for point in points.select(group="openstack.identity.v3")]], sys.stdout)
"""
        commands = self.commands()
        script = script.replace("sys.stdin_names", repr(set(commands)))
        done = subprocess.run(["/usr/bin/python3", "-W", "ignore", "-c", script], capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0 and "openstackclient" in done.stderr:
            self.skipTest("python3-openstackclient is not installed")
        theirs, identity = json.loads(done.stdout)
        self.assertGreater(len(theirs), 140)
        for command, options in theirs.items():
            self.assertIsNotNone(options, "virga has no " + command)
            text = virga("help", *command.split())
            ours = [set(re.findall(r"^  (--?[a-z][\w-]*)", part, re.M)) for part in (text.split("\nOutput:")[0], text)]
            self.assertEqual(ours[0] - set(options) - {"--wait"} - self.MORE.get(command, set()), set(), command)
            if command in identity:
                self.assertEqual(set(options) - ours[1] - self.LOOKS, set(), command)


class Catalogue(unittest.TestCase):
    """Regions, services, endpoints and their groups, policies and limits, from creation to deletion."""

    def file(self, text):
        path = os.path.join(folder, "file-" + uuid.uuid4().hex)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def test_catalogue(self):
        virga("region", "create", "cli-top")
        self.assertEqual(show("region", "create", "cli-low", "--parent-region", "cli-top")["parent_region"], "cli-top")
        service = show("service", "create", "cli-type", "--name", "cli-service")["id"]
        endpoint = show("endpoint", "create", "cli-service", "public", "http://h/$(project_id)s", "--region", "cli-new")
        self.assertEqual((endpoint["region"], endpoint["service_name"]), ("cli-new", "cli-service"))
        virga("endpoint", "set", endpoint["id"], "--region", "cli-low")
        virga("endpoint", "add", "project", endpoint["id"], "demo")
        self.assertEqual([e["ID"] for e in show("endpoint", "list", "--project", "demo")], [endpoint["id"]])
        virga("endpoint", "remove", "project", endpoint["id"], "demo")
        self.assertNotEqual(run("endpoint", "remove", "project", endpoint["id"], "demo").returncode, 0)

        group = show("endpoint", "group", "create", "cli-group", self.file('{"interface": "public"}'), "--description", "d")
        self.assertEqual(group["filters"], {"interface": "public"})
        self.assertIn("no JSON object", run("endpoint", "group", "create", "x", self.file("nothing")).stderr)
        virga("endpoint", "group", "add", "project", "cli-group", "demo")
        self.assertEqual([p["Name"] for p in show("endpoint", "group", "list", "--endpointgroup", "cli-group")], ["demo"])
        self.assertEqual([g["Name"] for g in show("endpoint", "group", "list", "--project", "demo")], ["cli-group"])
        virga("endpoint", "group", "set", "cli-group", "--name", "cli-changed", "--filters", self.file('{"region_id": "cli-low"}'))
        self.assertEqual(show("endpoint", "group", "show", "cli-changed")["filters"], {"region_id": "cli-low"})
        virga("endpoint", "group", "remove", "project", "cli-changed", "demo")
        virga("endpoint", "group", "delete", "cli-changed")

        policy = show("policy", "create", self.file("rules"), "--type", "text/plain")
        self.assertEqual((policy["rules"], policy["type"]), ("rules", "text/plain"))
        virga("policy", "set", policy["id"], "--rules", self.file("new"))
        self.assertEqual([p["Rules"] for p in show("policy", "list", "--long") if p["ID"] == policy["id"]], ["new"])
        virga("policy", "delete", policy["id"])

        virga("endpoint", "delete", endpoint["id"])
        virga("service", "delete", service)
        virga("region", "delete", "cli-top", "cli-new")

    def test_limits(self):
        virga("service", "create", "cli-limited", "--name", "cli-limited")
        registered = show("registered", "limit", "create", "--service", "cli-limited", "--default-limit", "10", "cli-resource")
        self.assertEqual((registered["default_limit"], registered["region_id"]), (10, None))
        self.assertEqual(len(show("registered", "limit", "list", "--service", "cli-limited", "--resource-name", "cli-resource")), 1)
        virga("registered", "limit", "set", registered["id"], "--default-limit", "12")
        limit = show("limit", "create", "--service", "cli-limited", "--project", "demo", "--resource-limit", "5", "cli-resource")
        self.assertEqual(limit["resource_limit"], 5)
        virga("limit", "set", limit["id"], "--resource-limit", "6")
        self.assertEqual(show("limit", "show", limit["id"])["resource_limit"], 6)
        self.assertEqual([x["Resource Limit"] for x in show("limit", "list", env=as_demo())], [6])
        self.assertNotEqual(run("registered", "limit", "delete", registered["id"]).returncode, 0)
        virga("limit", "delete", limit["id"])
        virga("registered", "limit", "delete", registered["id"])
        virga("service", "delete", "cli-limited")


class Output(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        virga("network", "create", "b-net", "--description", 'says "hi", twice')
        virga("network", "create", "a-net")

    def test_formats(self):
        rows = show("network", "list", "--long", "--sort-column", "Name")
        self.assertEqual([row["Name"] for row in rows], ["a-net", "b-net"])
        self.assertIs(rows[0]["Shared"], False)
        self.assertEqual(rows[0]["Subnets"], [])
        table = virga("network", "list", "--sort-column", "Name", "--sort-descending").splitlines()
        self.assertEqual(table[0].split(), ["ID", "Name", "Subnets"])
        self.assertIn("b-net", table[1])
        read = list(csv.reader(io.StringIO(virga("network", "show", "b-net", "-f", "csv"))))
        self.assertEqual(dict(zip(*read))["description"], 'says "hi", twice')
        self.assertEqual(virga("network", "show", "b-net", "-f", "value", "-c", "name", "-c", "mtu", "-c", "tags").split("\n")[1:3], ["b-net", "[]"])
        import yaml
        self.assertEqual(yaml.safe_load(virga("network", "list", "-f", "yaml", "--sort-column", "Name"))[1]["Name"], "b-net")
        self.assertEqual(yaml.safe_load(virga("network", "show", "b-net", "-f", "yaml"))["description"], 'says "hi", twice')

    def test_shell(self):
        """For eval: whatever a value has in it, it is text."""
        text = 'a "b" $(echo c) `echo d` \\\\ $HOME'
        virga("network", "set", "a-net", "--description", text)
        said = virga("network", "show", "a-net", "-f", "shell", "--prefix", "os_", "-c", "description", "--variable", "router:external")
        self.assertEqual(said.splitlines()[1], 'os_router_external="False"')
        done = subprocess.run(["sh", "-c", 'eval "$1"; printf %s "$os_description"', "sh", said], capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout, text)
        self.assertIn("not for a list", run("network", "list", "-f", "shell").stderr)
        virga("network", "set", "a-net", "--description", "")

    def test_versions(self):
        for more in ((), ("--all-interfaces",), ("--interface", "internal", "--service", "volumev3"), ("--status", "supported"), ("--region-name", "RegionOne"), ("--service", "identity")):
            ours = show("versions", "show", *more)
            self.assertTrue(ours, more)
            if OpenStack(environment()).is_there:
                key = str if "--all-interfaces" in more else lambda row: 0  # There the order of interfaces is a set's.
                self.assertEqual(sorted(ours, key=key), sorted(OpenStack(environment()).json("versions", "show", *more), key=key), more)
        self.assertEqual(show("versions", "show", "--region-name", "Mars"), [])

    def test_columns(self):
        self.assertEqual(virga("network", "list", "-f", "value", "-c", "name", "--sort-column", "Name"), "a-net\nb-net\n")
        self.assertEqual(run("network", "list", "-c", "Nonsense").returncode, 1)
        self.assertIn("No recognized column", run("network", "show", "a-net", "-c", "nonsense").stderr)

    @unittest.skipUnless(OpenStack({}).is_there, "python3-openstackclient is not installed")
    def test_same_columns_and_values_as_openstack(self):
        for words in [("network", "list", "--long"), ("network", "show", "a-net"), ("project", "list", "--long"), ("project", "show", "demo"), ("flavor", "list", "--long"),
                      ("role", "list"), ("service", "list", "--long"), ("image", "list", "--long"), ("security", "group", "list"), ("volume", "type", "list", "--long")]:
            theirs, ours = OpenStack(environment()).json(*words), show(*words)
            if isinstance(theirs, list):
                key = str
                self.assertEqual([set(row) for row in theirs], [set(row) for row in ours], words)
                self.assertEqual(sorted(map(key, [sorted(map(str, row.values())) for row in theirs])), sorted(map(key, [sorted(map(str, row.values())) for row in ours])), words)
            else:
                for name, value in ours.items():
                    self.assertIn(name, theirs, words)
                    self.assertEqual(theirs[name], value, (words, name))


class Names(unittest.TestCase):
    def test_ambiguous_and_absent(self):
        ids = [show("network", "create", "twice")["id"] for _ in range(2)]
        done = run("network", "show", "twice")
        self.assertEqual(done.returncode, 1)
        for one in ids:
            self.assertIn(one, done.stderr)
        self.assertEqual(virga("network", "delete", *ids), "")
        self.assertIn("No network with a name or ID of 'twice' exists.", run("network", "show", "twice").stderr)

    def test_empty(self):
        """No name is the path of all."""
        for words in (("network", "show", ""), ("network", "set", "", "--name", "x"), ("network", "delete", ""), ("user", "delete", "", ""), ("role", "add", "member", "--user", "", "--project", "demo"),
                      ("project", "list", "--domain", "")):
            done = run(*words)
            self.assertEqual(done.returncode, 1, words)
            self.assertRegex(done.stderr, r"The name of a \w+ is empty\.", words)

    def test_one_of_several_fails(self):
        virga("network", "create", "gone")
        done = run("network", "delete", "nobody", "gone")
        self.assertEqual(done.returncode, 1)
        self.assertIn("1 of 2 networks failed to delete.", done.stderr)
        self.assertEqual(run("network", "show", "gone").returncode, 1)

    def test_special_characters(self):
        for name in ("with space", "uml\u00e4ut", "a/b?c&d=e", "100%", "[x](y)*"):
            made = show("security", "group", "create", name)
            self.assertEqual(show("security", "group", "show", name)["id"], made["id"])
            virga("security", "group", "delete", name)
        virga("flavor", "create", "--ram", "64", "100%/x")
        self.assertEqual(show("flavor", "show", "100%/x")["ram"], 64)
        virga("flavor", "delete", "100%/x")

    def test_services_message_and_request_id(self):
        done = run("quota", "set", "--cores", "5", "demo", env=as_demo())
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\(HTTP 40[13]\) \(Request-ID: req-[0-9a-f-]+\)")


class Tokens(unittest.TestCase):
    def logins(self, *words, env):
        return run(*words, "--debug", env=env).stderr.count("/auth/tokens")

    def test_cache(self):
        env = as_demo()
        env["XDG_CACHE_HOME"] = os.path.join(folder, "cache-of-its-own")
        self.assertEqual(self.logins("network", "list", env=env), 1)
        self.assertEqual(self.logins("network", "list", env=env), 0)
        kept = os.path.join(env["XDG_CACHE_HOME"], "virga")
        self.assertEqual(stat.S_IMODE(os.stat(kept).st_mode), 0o700)
        (name,) = os.listdir(kept)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.join(kept, name)).st_mode), 0o600)
        with open(os.path.join(kept, name), encoding="utf-8") as file:
            text = file.read()
        self.assertNotIn(PASSWORD, text)
        # Readable by others: not trusted.
        os.chmod(os.path.join(kept, name), 0o644)
        self.assertEqual(self.logins("network", "list", env=env), 1)
        # Revoked: asked for again.
        token = json.loads(text)["token"]
        virga("token", "revoke", "-", stdin=token, env=env)
        self.assertEqual(run("network", "list", env=env).returncode, 0)
        # Another project is another token.
        env["OS_PROJECT_NAME"] = "admin"
        self.assertEqual(run("network", "list", env=env).returncode, 1)
        # Expired or broken.
        with open(os.path.join(kept, name), "w", encoding="utf-8") as file:
            file.write("{")
        env["OS_PROJECT_NAME"] = "demo"
        self.assertEqual(self.logins("network", "list", env=env), 1)

    def test_one_request(self):
        virga("server", "list")
        self.assertEqual(run("server", "list", "--debug").stderr.count("\n> GET") + run("server", "list", "--debug").stderr.startswith("> GET"), 1)

    def test_wrong_password_and_no_cloud(self):
        self.assertIn("(HTTP 401)", run("token", "issue", env=as_demo("wrong")).stderr)
        done = run("server", "list", env=environment(OS_CLOUD="nowhere"))
        self.assertEqual((done.returncode, done.stderr), (1, "Cloud nowhere was not found.\n"))
        done = run("server", "list", env=environment(OS_CLOUD=None, OS_CLIENT_CONFIG_FILE="/dev/null"))
        self.assertIn("auth-url", done.stderr)

    def test_debug_shows_no_secret(self):
        done = run("token", "issue", "--debug", env=as_demo())
        self.assertEqual(done.returncode, 0)
        self.assertNotIn(PASSWORD, done.stderr)
        self.assertNotIn(done.stdout.split("id  ")[1].split()[0], done.stderr)
        done = run("user", "create", "shy", "--password-prompt", "--debug", stdin="V3ry-Secret\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("V3ry-Secret", done.stderr + done.stdout)
        virga("user", "delete", "shy")

    def test_service_away(self):
        done = run("server", "list", env=environment(OS_COMPUTE_ENDPOINT_OVERRIDE=None), stdin="")
        self.assertEqual(done.returncode, 0)
        done = run("token", "issue", env=dict(as_demo(), OS_AUTH_URL="http://127.0.0.1:1/v3"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("Connection refused", done.stderr)
        done = run("token", "issue", env=dict(as_demo(), OS_AUTH_URL="https://127.0.0.1:1/v3"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot be reached", done.stderr)


class Work(unittest.TestCase):
    """An ordinary user's way, as far as it goes without a host."""

    def test_slice(self):
        env = as_demo()

        def demo(*words, stdin=""):
            return virga(*words, stdin=stdin, env=env)

        def field(name, *words):
            return demo(*words, "-f", "value", "-c", name).strip()

        virga("flavor", "create", "--ram", "192", "--disk", "1", "--property", "a:b=c", "tiny")
        virga("network", "create", "--external", "--provider-network-type", "flat", "--provider-physical-network", "external", "public")
        virga("subnet", "create", "--network", "public", "--subnet-range", "203.0.113.0/24", "--no-dhcp", "--allocation-pool", "start=203.0.113.10,end=203.0.113.99", "public")
        data = os.urandom(300000)
        path = os.path.join(folder, "image")
        with open(path, "wb") as file:
            file.write(data)
        self.assertEqual(field("status", "image", "create", "--file", path, "--property", "x=y", "img"), "active")
        demo("image", "set", "--tag", "one", "--property", "z=1", "img")
        self.assertEqual(show("image", "show", "img", env=env)["properties"]["z"], "1")
        demo("image", "save", "--file", path + ".saved", "img")
        with open(path + ".saved", "rb") as file:
            self.assertEqual(file.read(), data)
        demo("network", "create", "net")
        demo("subnet", "create", "--network", "net", "--subnet-range", "10.7.0.0/24", "sub")
        demo("router", "create", "r")
        demo("router", "set", "--external-gateway", "public", "r")
        demo("router", "add", "subnet", "r", "sub")
        demo("security", "group", "create", "sg")
        demo("security", "group", "rule", "create", "--protocol", "tcp", "--dst-port", "22:23", "sg")
        self.assertIn("22:23", demo("security", "group", "rule", "list", "sg"))
        demo("port", "create", "--network", "net", "--fixed-ip", "subnet=sub,ip-address=10.7.0.9", "--security-group", "sg", "p")
        demo("port", "set", "--name", "q", "--allowed-address", "ip-address=10.7.1.0/24", "p")
        self.assertEqual(show("port", "show", "q", env=env)["fixed_ips"][0]["ip_address"], "10.7.0.9")
        address = field("floating_ip_address", "floating", "ip", "create", "public")
        demo("floating", "ip", "set", "--port", "q", address)
        self.assertEqual(show("floating", "ip", "show", address, env=env)["fixed_ip_address"], "10.7.0.9")
        demo("floating", "ip", "unset", "--port", address)
        key = os.path.join(folder, "key")
        demo("keypair", "create", "--private-key", key, "k")
        self.assertEqual(stat.S_IMODE(os.stat(key).st_mode), 0o600)
        self.assertTrue(demo("keypair", "show", "--public-key", "k").startswith("ssh-"))
        self.assertIn("PRIVATE KEY", demo("keypair", "create", "k2"))
        done = run("server", "create", "--flavor", "tiny", "--image", "img", "--nic", "port-id=q", "--key-name", "k", "--property", "p=1", "--wait", "s", env=env)
        self.assertEqual(done.returncode, 1)  # There is no host.
        self.assertIn("No valid host was found", done.stderr)
        (row,) = show("server", "list", env=env)
        self.assertEqual((row["Name"], row["Status"], row["Image"], row["Flavor"]), ("s", "ERROR", "img", "tiny"))
        demo("server", "set", "--name", "t", "--property", "q=2", "s")
        self.assertEqual(show("server", "show", "t", env=env)["properties"], {"p": "1", "q": "2"})
        self.assertIn("create", demo("server", "event", "list", "t"))
        demo("server", "delete", "--wait", "t")
        self.assertEqual(demo("server", "list"), "")
        demo("volume", "create", "--size", "1", "--property", "a=b", "v")
        self.assertEqual(show("volume", "show", "v", env=env)["properties"], {"a": "b"})
        demo("floating", "ip", "delete", address)
        demo("port", "delete", "q")
        demo("router", "remove", "subnet", "r", "sub")
        demo("router", "unset", "--external-gateway", "r")
        demo("router", "delete", "r")
        demo("network", "delete", "net")
        demo("security", "group", "delete", "sg")
        demo("keypair", "delete", "k", "k2")
        demo("image", "delete", "img")
        for noun in (["image"], ["router"], ["keypair"], ["floating", "ip"]):
            self.assertEqual(demo(*noun, "list"), "")

    def test_administrator(self):
        self.assertIn("cores", virga("quota", "show", "demo"))
        virga("quota", "set", "--cores", "7", "--volumes", "3", "--networks", "9", "demo")
        self.assertEqual([show("quota", "show", "demo")[name] for name in ("cores", "volumes", "networks")], [7, 3, 9])
        self.assertIn("maxTotalCores", virga("limits", "show", "--absolute"))
        self.assertIn("nova", virga("availability", "zone", "list"))
        self.assertIn("demo@Default", virga("role", "assignment", "list", "--names", "--project", "demo"))
        self.assertIn("nova-scheduler", virga("compute", "service", "list"))
        for words in (("hypervisor", "list"), ("network", "agent", "list"), ("resource", "provider", "list"), ("allocation", "candidate", "list", "--resource", "VCPU=1"),
                      ("placement", "explain", "--resource", "VCPU=1")):
            self.assertEqual(virga(*words), "", words)
        self.assertIn("heap_used", virga("debug", "compute", "show", "mem", env=environment(VIRGA_RUN=cloud.layout.run)))
        done = run("debug", "compute", "show", "nonsense", env=environment(VIRGA_RUN=cloud.layout.run))
        self.assertEqual(done.returncode, 1)
        self.assertIn("sagas, outbox", done.stderr)


if __name__ == "__main__":
    unittest.main()
