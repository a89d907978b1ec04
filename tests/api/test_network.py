#!/usr/bin/python3
"""The network service as its clients see it, with a simulated network agent behind it: who sees and may do what, what is refused and
how, what two callers at once get, and what becomes ACTIVE."""

import os
import subprocess
import sys
import threading
import time
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from cloud import Cloud  # noqa: E402

NOBODY = "00000000-0000-4000-8000-000000000000"

cloud = None
admin = ann = rita = bob = None
agents = {}


def make_user(name, project, role):
    roles = admin.expect(200, "GET", "identity", "/v3/roles?name=" + role)["roles"]
    projects = admin.expect(200, "GET", "identity", "/v3/projects?name=" + project)["projects"]
    if not projects:
        projects = [admin.expect(201, "POST", "identity", "/v3/projects",
                                 {"project": {"name": project, "domain_id": "default"}})["project"]]
    user = admin.expect(201, "POST", "identity", "/v3/users",
                        {"user": {"name": name, "password": "secret", "domain_id": "default"}})["user"]
    admin.expect(204, "PUT", "identity", f"/v3/projects/{projects[0]['id']}/users/{user['id']}/roles/{roles[0]['id']}")
    return cloud.session(name, "secret", project)


def start_agent(host, tunnel_ip, mappings="physnet1:br-ex"):
    """virga-network-agent with driver sim: all that the service asks for comes about, in its memory."""
    folder = cloud.layout.folder("test-" + host, mode=0o700)
    config = os.path.join(folder, "agent.conf")
    cloud.layout.write(config, f"""\
[daemon]
host = {host}
state_dir = {folder}
control_socket = {folder}/control.sock
[rpc]
url = {cloud.rabbitmq.url('agent@' + host)}
[network]
driver = sim
tunnel_ip = {tunnel_ip}
bridge_mappings = {mappings}
report_interval = 1
poll_interval = 1
[metadata]
enabled = no
""")
    with open(os.path.join(folder, "log"), "ab") as log:
        agents[host] = subprocess.Popen([cloud.layout.binary("virga-network-agent"), "--config", config], stderr=log,
                                        stdin=subprocess.DEVNULL, cwd="/")


def setUpModule():
    global cloud, admin, ann, rita, bob
    cloud = Cloud(services=["identity", "network"])
    admin = cloud.admin()
    ann = make_user("ann", "one", "member")
    rita = make_user("rita", "one", "reader")
    bob = make_user("bob", "two", "member")
    for who in (admin, ann, bob):
        put(admin, "/quotas/" + who.project_id, {"quota": dict.fromkeys(("network", "subnet", "port", "router", "floatingip", "security_group",
                                                                          "security_group_rule"), -1)})


def tearDownModule():
    for process in agents.values():
        process.terminate()
        process.wait()
    cloud.close()


def get(who, path, expected=200):
    return who.expect(expected, "GET", "network", "/v2.0" + path)


def post(who, path, body, expected=201):
    return who.expect(expected, "POST", "network", "/v2.0" + path, body)


def put(who, path, body, expected=200):
    return who.expect(expected, "PUT", "network", "/v2.0" + path, body)


def delete(who, path, expected=204):
    return who.expect(expected, "DELETE", "network", "/v2.0" + path)


def make(who, kind, expected=201, /, **values):
    plural = kind.replace("_", "-") + "s"
    answer = post(who, "/" + plural, {kind: values}, expected)
    return answer[kind] if expected == 201 else answer["NeutronError"]


def change(who, kind, thing, expected=200, /, **values):
    answer = put(who, f"/{kind.replace('_', '-')}s/{thing['id']}", {kind: values}, expected)
    return answer[kind] if expected == 200 else answer["NeutronError"]


def refused(who, kind, expected, type_, /, **values):
    error = make(who, kind, expected, **values)
    assert error["type"] == type_, error
    return error["message"]


def network_with_subnet(who, cidr="10.0.0.0/24", **more):
    network = make(who, "network", name="n")
    return network, make(who, "subnet", network_id=network["id"], ip_version=4, cidr=cidr, **more)


def wait_for(what, seconds=20):
    """Polls a condition on another process; the test fails after 'seconds'."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.1)
    raise AssertionError("did not come about: " + what.__name__)


class TestDiscovery(unittest.TestCase):
    def test_versions_need_no_token(self):
        from rest import request
        status, _, content = request("GET", cloud.urls["network"] + "/")
        self.assertEqual(200, status)
        self.assertEqual(("v2.0", "CURRENT"), (content["versions"][0]["id"], content["versions"][0]["status"]))
        self.assertTrue(content["versions"][0]["links"][0]["href"].endswith("/v2.0/"))
        status, _, content = request("GET", cloud.urls["network"] + "/v2.0/")
        self.assertEqual({"networks", "subnets", "subnetpools", "ports"}, {x["collection"] for x in content["resources"]})
        status, headers, content = request("GET", cloud.urls["network"] + "/v2.0/networks")
        self.assertEqual(401, status)
        self.assertIn("Keystone uri=", headers["WWW-Authenticate"])

    def test_extensions(self):
        aliases = {x["alias"] for x in get(ann, "/extensions")["extensions"]}
        self.assertLessEqual({"router", "security-group", "quotas", "binding", "external-net", "standard-attr-tag"}, aliases)
        for alias in aliases:
            self.assertEqual(alias, get(ann, "/extensions/" + alias)["extension"]["alias"])
        self.assertEqual("ExtensionNotFound", get(ann, "/extensions/trunk", 404)["NeutronError"]["type"])

    def test_unknown_things(self):
        for path, type_ in (("networks", "NetworkNotFound"), ("subnets", "SubnetNotFound"), ("ports", "PortNotFound"),
                            ("routers", "RouterNotFound"), ("floatingips", "FloatingIPNotFound"), ("subnetpools", "SubnetPoolNotFound"),
                            ("security-groups", "SecurityGroupNotFound"), ("security-group-rules", "SecurityGroupRuleNotFound")):
            for name in (NOBODY, "x", "%27;--", "a" * 300):
                self.assertEqual(type_, get(ann, f"/{path}/{name}", 404)["NeutronError"]["type"])
                delete(ann, f"/{path}/{name}", 404)
        get(ann, "/nothing", 404)
        ann.expect(405, "PATCH", "network", "/v2.0/networks", {})

    def test_roles(self):
        network, subnet = network_with_subnet(ann)
        port = make(ann, "port", network_id=network["id"])
        self.assertEqual(port["id"], get(rita, "/ports/" + port["id"])["port"]["id"])
        for kind, values in (("network", {}), ("router", {}), ("security_group", {"name": "x"}), ("port", {"network_id": network["id"]})):
            self.assertEqual("PolicyNotAuthorized", make(rita, kind, 403, **values)["type"])
        delete(rita, "/ports/" + port["id"], 403)
        change(rita, "network", network, 403, name="x")
        self.assertNotIn("provider:network_type", get(ann, "/networks/" + network["id"])["network"])
        self.assertEqual("vxlan", get(admin, "/networks/" + network["id"])["network"]["provider:network_type"])
        self.assertNotIn("binding:host_id", port)
        self.assertEqual([], get(ann, "/agents")["agents"])
        get(ann, "/quotas/" + bob.project_id, 403)
        put(ann, "/quotas/" + ann.project_id, {"quota": {"port": 1}}, 403)


class TestNetworks(unittest.TestCase):
    def test_life(self):
        network = make(ann, "network", name="nätwörk ☃", description="d", admin_state_up="False")
        self.assertEqual(("nätwörk ☃", "d", False, "ACTIVE", [], 1450), tuple(network[k] for k in (
            "name", "description", "admin_state_up", "status", "subnets", "mtu")))
        self.assertEqual((ann.project_id, ann.project_id), (network["project_id"], network["tenant_id"]))
        found = get(ann, "/networks?name=" + urllib.parse.quote("nätwörk ☃"))["networks"]
        self.assertEqual([network["id"]], [x["id"] for x in found])
        changed = change(ann, "network", network, name="m", mtu=1400)
        self.assertEqual(("m", 1400, 1), (changed["name"], changed["mtu"], changed["revision_number"]))
        delete(ann, "/networks/" + network["id"])
        get(ann, "/networks/" + network["id"], 404)

    def test_bulk_is_all_or_nothing(self):
        many = post(ann, "/networks", {"networks": [{"name": f"bulk{i}"} for i in range(5)]})["networks"]
        self.assertEqual([f"bulk{i}" for i in range(5)], [x["name"] for x in many])
        post(ann, "/networks", {"networks": [{"name": "half"}, {"name": "half", "mtu": 9000}]}, 400)
        self.assertEqual([], get(ann, "/networks?name=half")["networks"])
        for x in many:
            delete(ann, "/networks/" + x["id"])

    def test_lists(self):
        ids = [make(bob, "network", name=f"list{i}", description="lists")["id"] for i in range(5)]
        page = get(bob, "/networks?description=lists&sort_key=name&sort_dir=desc&limit=2")
        self.assertEqual(["list4", "list3"], [x["name"] for x in page["networks"]])
        links = {x["rel"]: x["href"] for x in page["networks_links"]}
        self.assertIn("marker=" + ids[3], links["next"])
        page = get(bob, "/networks?description=lists&sort_key=name&sort_dir=desc&limit=2&marker=" + ids[3])
        self.assertEqual(["list2", "list1"], [x["name"] for x in page["networks"]])
        page = get(bob, "/networks?description=lists&sort_key=name&sort_dir=desc&limit=2&page_reverse=True&marker=" + ids[1])
        self.assertEqual(["list3", "list2"], [x["name"] for x in page["networks"]])
        some = get(bob, "/networks?name=list1&name=list3&fields=name&fields=id")["networks"]
        self.assertEqual({"list1", "list3"}, {x["name"] for x in some})
        self.assertEqual({"name", "id"}, set(some[0]))
        self.assertEqual([], get(bob, "/networks?name=none")["networks"])
        get(bob, "/networks?limit=-1", 400)
        get(bob, "/networks?limit=x", 400)
        get(bob, "/networks?shared=perhaps", 400)
        get(bob, "/networks?marker=" + NOBODY, 404)
        hidden = make(ann, "network", name="hidden")
        get(bob, "/networks?marker=" + hidden["id"], 404)
        self.assertEqual([], get(bob, "/networks?id=" + hidden["id"])["networks"])
        self.assertEqual([], get(bob, "/networks?project_id=" + ann.project_id)["networks"])

    def test_bad_bodies(self):
        for values in ({"name": 1}, {"name": "x" * 256}, {"admin_state_up": "perhaps"}, {"mtu": -1}, {"mtu": 67}, {"mtu": 1451}, {"id": NOBODY},
                       {"status": "DOWN"}, {"created_at": "2020-01-01T00:00:00Z"}, {"unknown": 1}, {"subnets": []}, {"dns_domain": "a b"},
                       {"tenant_id": bob.project_id}):
            make(ann, "network", 400, **values)
        for body in ({}, {"networks": {}}, {"network": []}, []):
            post(ann, "/networks", body, 400)

    def test_attributes_of_admin(self):
        network = make(ann, "network", name="plain", shared=False, **{"router:external": False})  # The defaults are anybody's to say.
        for values in ({"shared": True}, {"router:external": True}, {"provider:network_type": "vxlan"}, {"provider:segmentation_id": 9},
                       {"provider:physical_network": "physnet1"}):
            self.assertEqual("PolicyNotAuthorized", make(ann, "network", 403, **values)["type"])
            change(ann, "network", network, 403, **values)
        change(ann, "network", network, 403, shared=False)
        self.assertIn("vlan", refused(admin, "network", 400, "InvalidInput", **{"provider:network_type": "vlan"}))
        refused(admin, "network", 400, "InvalidInput", **{"provider:network_type": "flat"})
        refused(admin, "network", 400, "InvalidInput", **{"provider:segmentation_id": 5})
        own = make(admin, "network", **{"provider:network_type": "vxlan", "provider:segmentation_id": 70001})
        self.assertEqual(70001, own["provider:segmentation_id"])
        refused(admin, "network", 409, "TunnelIdInUse", **{"provider:network_type": "vxlan", "provider:segmentation_id": 70001})
        change(admin, "network", own, 400, **{"provider:segmentation_id": 70002})
        delete(admin, "/networks/" + own["id"])

    def test_other_project(self):
        network, subnet = network_with_subnet(ann)
        port = make(ann, "port", network_id=network["id"])
        for path in (f"/networks/{network['id']}", f"/subnets/{subnet['id']}", f"/ports/{port['id']}", f"/ports/{port['id']}/tags"):
            get(bob, path, 404)
        for kind, thing in (("network", network), ("subnet", subnet), ("port", port)):
            change(bob, kind, thing, 404, name="x")
            delete(bob, f"/{kind}s/{thing['id']}", 404)
        refused(bob, "subnet", 404, "NetworkNotFound", network_id=network["id"], ip_version=4, cidr="10.5.0.0/24")
        refused(bob, "port", 404, "NetworkNotFound", network_id=network["id"])

    def test_shared(self):
        network, subnet = network_with_subnet(ann)
        change(admin, "network", network, shared=True)
        self.assertEqual(network["id"], get(bob, "/networks/" + network["id"])["network"]["id"])
        self.assertIn(network["id"], [x["id"] for x in get(bob, "/networks")["networks"]])
        self.assertEqual(subnet["id"], get(bob, "/subnets/" + subnet["id"])["subnet"]["id"])
        change(bob, "network", network, 403, name="x")
        change(bob, "subnet", subnet, 403, name="x")
        delete(bob, "/networks/" + network["id"], 403)
        refused(bob, "subnet", 403, "PolicyNotAuthorized", network_id=network["id"], ip_version=4, cidr="10.5.0.0/24")
        refused(bob, "port", 403, "PolicyNotAuthorized", network_id=network["id"], mac_address="fa:16:3e:00:00:01")
        refused(bob, "port", 403, "PolicyNotAuthorized", network_id=network["id"], fixed_ips=[{"ip_address": "10.0.0.9"}])
        refused(bob, "port", 403, "PolicyNotAuthorized", network_id=network["id"], port_security_enabled=False)
        refused(bob, "port", 403, "PolicyNotAuthorized", network_id=network["id"], allowed_address_pairs=[{"ip_address": "10.0.0.9"}])
        port = make(bob, "port", network_id=network["id"], fixed_ips=[{"subnet_id": subnet["id"]}])
        self.assertEqual(bob.project_id, port["project_id"])
        get(ann, "/ports/" + port["id"])  # The network is hers.
        self.assertEqual("InvalidSharedSetting", change(admin, "network", network, 409, shared=False)["type"])
        delete(ann, "/ports/" + port["id"])
        change(admin, "network", network, shared=False)
        get(bob, "/networks/" + network["id"], 404)

    def test_in_use(self):
        network, subnet = network_with_subnet(ann)
        port = make(ann, "port", network_id=network["id"])
        error = delete(ann, "/networks/" + network["id"], 409)["NeutronError"]
        self.assertEqual("NetworkInUse", error["type"])
        self.assertIn(port["id"], error["message"])
        self.assertEqual("SubnetInUse", delete(ann, "/subnets/" + subnet["id"], 409)["NeutronError"]["type"])
        delete(ann, "/ports/" + port["id"])
        delete(ann, "/networks/" + network["id"])
        get(ann, "/subnets/" + subnet["id"], 404)


class TestSubnets(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.network = make(ann, "network", name="subnets")

    def subnet(self, status=201, who=None, **values):
        values = {"network_id": self.network["id"], "ip_version": 4, **values}
        return make(who or ann, "subnet", status, **values)

    def refused(self, status, type_, **values):
        error = self.subnet(status, **values)
        self.assertEqual(type_, error["type"], error)

    def test_defaults(self):
        subnet = self.subnet(cidr="192.0.2.0/29")
        self.assertEqual(("192.0.2.1", [{"start": "192.0.2.2", "end": "192.0.2.6"}], True, [], []), tuple(subnet[k] for k in (
            "gateway_ip", "allocation_pools", "enable_dhcp", "dns_nameservers", "host_routes")))
        none = self.subnet(cidr="192.0.2.8/29", gateway_ip=None)
        self.assertEqual((None, [{"start": "192.0.2.9", "end": "192.0.2.14"}]), (none["gateway_ip"], none["allocation_pools"]))
        middle = self.subnet(cidr="192.0.2.16/29", gateway_ip="192.0.2.19")
        self.assertEqual([{"start": "192.0.2.17", "end": "192.0.2.18"}, {"start": "192.0.2.20", "end": "192.0.2.22"}], middle["allocation_pools"])
        six = self.subnet(cidr="2001:DB8:0::/64", ip_version=6, ipv6_ra_mode="slaac", ipv6_address_mode="slaac")
        self.assertEqual(("2001:db8::/64", "2001:db8::1", "slaac"), (six["cidr"], six["gateway_ip"], six["ipv6_ra_mode"]))
        tiny = self.subnet(cidr="192.0.2.32/31")
        self.assertEqual(("192.0.2.32", [{"start": "192.0.2.33", "end": "192.0.2.33"}]), (tiny["gateway_ip"], tiny["allocation_pools"]))
        for x in (subnet, none, middle, six, tiny):
            delete(ann, "/subnets/" + x["id"])

    def test_bad(self):
        for cidr in ("10.0.0.0/33", "10.0.0.1/24", "10.0.0.0", "x", "", "::/0", "300.0.0.0/8", "10.0.0.0/-1", "10.0.0.0/24\n"):
            self.refused(400, "HTTPBadRequest", cidr=cidr) if cidr != "::/0" else self.refused(400, "InvalidInput", cidr=cidr)
        for cidr in ("0.0.0.0/0", "127.0.0.0/8", "224.0.0.0/24"):
            self.refused(400, "InvalidInput", cidr=cidr)
        self.refused(400, "InvalidInput", cidr="2001:db8::/64")
        self.refused(400, "InvalidInput", cidr="10.0.0.0/24", ip_version=6)
        for values in ({"ip_version": 5}, {"ip_version": "x"}, {"gateway_ip": "x"}, {"dns_nameservers": ["x\ny"]}, {"enable_dhcp": "perhaps"},
                       {"dns_nameservers": ["1.1.1.1", "1.1.1.1"]}, {"host_routes": [{"destination": "x", "nexthop": "10.0.0.1"}]},
                       {"host_routes": [{"destination": "10.1.0.0/16"}]}, {"cidr": 4}, {"allocation_pools": [{"start": "10.0.0.2"}]},
                       {"ipv6_ra_mode": "magic"}):
            self.refused(400, "HTTPBadRequest", **{"cidr": "10.0.0.0/24", **values})
        self.refused(400, "DNSNameServersExhausted", cidr="10.0.0.0/24", dns_nameservers=[f"10.0.0.{i}" for i in range(6)])
        self.refused(400, "HostRoutesExhausted", cidr="10.0.0.0/24",
                     host_routes=[{"destination": f"10.{i}.0.0/16", "nexthop": "10.0.0.2"} for i in range(21)])
        self.refused(400, "InvalidInput", cidr="10.0.0.0/24", gateway_ip="10.0.0.0")
        self.refused(400, "InvalidInput", cidr="10.0.0.0/24", gateway_ip="10.0.0.255")
        self.refused(400, "InvalidInput", cidr="10.0.0.0/24", gateway_ip="2001:db8::1")
        self.refused(400, "InvalidInput", cidr="10.0.0.0/24", ipv6_ra_mode="slaac")
        self.refused(400, "InvalidInput", cidr="2001:db8::/80", ip_version=6, ipv6_address_mode="slaac")
        self.refused(400, "InvalidInput", cidr="2001:db8::/64", ip_version=6, ipv6_address_mode="slaac", ipv6_ra_mode="dhcpv6-stateful")
        self.refused(400, "InvalidInput", cidr="2001:db8::/64", ip_version=6, ipv6_address_mode="slaac", enable_dhcp=False)
        self.refused(400, "BadRequest")

    def test_pools(self):
        def pools(*texts):
            return [dict(zip(("start", "end"), t.split("-"))) for t in texts]
        for type_, status, texts in (("OverlappingAllocationPools", 409, ("10.0.0.2-10.0.0.9", "10.0.0.9-10.0.0.20")),
                                     ("OutOfBoundsAllocationPool", 400, ("10.0.0.2-10.0.1.9",)),
                                     ("OutOfBoundsAllocationPool", 400, ("10.0.0.2-10.0.0.255",)),
                                     ("InvalidAllocationPool", 400, ("10.0.0.9-10.0.0.2",)), ("InvalidAllocationPool", 400, ("x-10.0.0.2",)),
                                     ("GatewayConflictWithAllocationPools", 409, ("10.0.0.1-10.0.0.9",))):
            self.refused(status, type_, cidr="10.0.0.0/24", allocation_pools=pools(*texts))
        subnet = self.subnet(cidr="10.0.0.0/24", allocation_pools=pools("10.0.0.10-10.0.0.11"))
        ports = [make(ann, "port", network_id=self.network["id"]) for _ in range(2)]
        self.assertEqual(["10.0.0.10", "10.0.0.11"], [p["fixed_ips"][0]["ip_address"] for p in ports])
        refused(ann, "port", 409, "IpAddressGenerationFailure", network_id=self.network["id"])
        outside = make(ann, "port", network_id=self.network["id"], fixed_ips=[{"ip_address": "10.0.0.77"}])
        change(ann, "subnet", subnet, allocation_pools=pools("10.0.0.10-10.0.0.12"))
        third = make(ann, "port", network_id=self.network["id"])
        self.assertEqual("10.0.0.12", third["fixed_ips"][0]["ip_address"])
        for p in ports + [outside, third]:
            delete(ann, "/ports/" + p["id"])
        delete(ann, "/subnets/" + subnet["id"])

    def test_overlap(self):
        first = self.subnet(cidr="10.9.0.0/16")
        for cidr in ("10.9.0.0/16", "10.9.8.0/24", "10.8.0.0/14"):
            self.refused(400, "InvalidInput", cidr=cidr)
        other, _ = network_with_subnet(ann, "10.9.0.0/16")  # In another network anything goes.
        delete(ann, "/subnets/" + first["id"])
        delete(ann, "/networks/" + other["id"])

    def test_overlap_at_once(self):
        results = []

        def attempt():
            status, _, _ = ann.request("POST", "network", "/v2.0/subnets", {"subnet": {
                "network_id": self.network["id"], "ip_version": 4, "cidr": "10.77.0.0/16"}})
            results.append(status)
        threads = [threading.Thread(target=attempt) for _ in range(12)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual([201] + [400] * 11, sorted(results))
        for x in get(ann, "/subnets?cidr=10.77.0.0/16")["subnets"]:
            delete(ann, "/subnets/" + x["id"])

    def test_update(self):
        subnet = self.subnet(cidr="10.0.0.0/24")
        changed = change(ann, "subnet", subnet, name="s", dns_nameservers=["9.9.9.9"], enable_dhcp=False, gateway_ip=None,
                         host_routes=[{"destination": "10.1.0.0/16", "nexthop": "10.0.0.4"}])
        self.assertEqual(("s", ["9.9.9.9"], False, None), tuple(changed[k] for k in ("name", "dns_nameservers", "enable_dhcp", "gateway_ip")))
        self.assertEqual("GatewayConflictWithAllocationPools", change(ann, "subnet", subnet, 409, gateway_ip="10.0.0.9")["type"])
        change(ann, "subnet", subnet, gateway_ip="10.0.0.1", host_routes=[], dns_nameservers=None)
        for values in ({"cidr": "10.1.0.0/24"}, {"ip_version": 6}, {"network_id": NOBODY}, {"project_id": bob.project_id}):
            change(ann, "subnet", subnet, 400, **values)
        delete(ann, "/subnets/" + subnet["id"])

    def test_pool_of_prefixes(self):
        pool = make(ann, "subnetpool", name="p", prefixes=["10.20.0.0/16", "10.20.1.0/24"], default_prefixlen="24", min_prefixlen=20)
        self.assertEqual((["10.20.0.0/16"], 4, 24, 20, 32, False), tuple(pool[k] for k in (
            "prefixes", "ip_version", "default_prefixlen", "min_prefixlen", "max_prefixlen", "shared")))
        get(bob, "/subnetpools/" + pool["id"], 404)
        make(ann, "subnetpool", 403, name="p", prefixes=["10.20.0.0/16"], shared=True)
        a = self.subnet(subnetpool_id=pool["id"])
        b = self.subnet(subnetpool_id=pool["id"], prefixlen=25)
        c = self.subnet(subnetpool_id=pool["id"])
        self.assertEqual(["10.20.0.0/24", "10.20.1.0/25", "10.20.2.0/24"], [x["cidr"] for x in (a, b, c)])
        self.refused(400, "MinPrefixSubnetAllocationError", subnetpool_id=pool["id"], prefixlen=8)
        self.refused(503, "SubnetAllocationError", subnetpool_id=pool["id"], cidr="10.20.2.0/24")
        self.refused(503, "SubnetAllocationError", subnetpool_id=pool["id"], cidr="10.30.2.0/24")
        self.refused(404, "SubnetPoolNotFound", subnetpool_id=NOBODY)
        delete(ann, "/subnetpools/" + pool["id"], 409)
        changed = change(ann, "subnetpool", pool, name="q", prefixes=["10.20.0.0/15"])
        self.assertEqual(("q", ["10.20.0.0/15"]), (changed["name"], changed["prefixes"]))
        self.assertEqual("IllegalSubnetPoolPrefixUpdate", change(ann, "subnetpool", pool, 400, prefixes=["10.99.0.0/16"])["type"])
        for x in (a, b, c):
            delete(ann, "/subnets/" + x["id"])
        delete(ann, "/subnetpools/" + pool["id"])
        for values in ({"prefixes": []}, {"prefixes": ["x"]}, {"prefixes": ["10.0.0.0/8", "2001:db8::/32"]},
                       {"prefixes": ["10.0.0.0/8"], "min_prefixlen": 30, "max_prefixlen": 20}):
            make(ann, "subnetpool", 400, name="bad", **values)


class TestPorts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.network, cls.subnet = network_with_subnet(ann, "10.1.0.0/24")

    def port(self, status=201, who=None, **values):
        return make(who or ann, "port", status, network_id=self.network["id"], **values)

    def refused(self, expected, type_, **values):
        error = make(ann, "port", expected, network_id=self.network["id"], **values)
        self.assertEqual(type_, error["type"], error)
        return error["message"]

    def test_life(self):
        port = self.port(name="p", fixed_ips=[{"ip_address": "10.1.0.50"}], mac_address="FA-16-3E-00-11-22")
        self.assertEqual(("DOWN", "fa:16:3e:00:11:22", [{"subnet_id": self.subnet["id"], "ip_address": "10.1.0.50"}], True, ""), tuple(
            port[k] for k in ("status", "mac_address", "fixed_ips", "port_security_enabled", "device_owner")))
        default = [x["id"] for x in get(ann, "/security-groups?name=default")["security_groups"]]
        self.assertEqual(default, port["security_groups"])
        self.assertEqual("host-10-1-0-50", port["dns_assignment"][0]["hostname"])
        self.refused(409, "IpAddressInUse", fixed_ips=[{"ip_address": "10.1.0.50"}])
        self.refused(409, "MacAddressInUse", mac_address="fa:16:3e:00:11:22")
        for query in ("fixed_ips=ip_address%3D10.1.0.50", "fixed_ips=ip_address_substr%3D0.50", f"mac_address={port['mac_address']}",
                      f"security_groups={default[0]}&name=p", f"fixed_ips=subnet_id%3D{self.subnet['id']}&name=p"):
            self.assertEqual([port["id"]], [x["id"] for x in get(ann, "/ports?" + query)["ports"]], query)
        self.assertEqual([], get(ann, "/ports?fixed_ips=ip_address%3D10.1.0.51&fixed_ips=ip_address%3D10.1.0.52")["ports"])
        changed = change(ann, "port", port, name="q", fixed_ips=[{"subnet_id": self.subnet["id"]}, {"ip_address": "10.1.0.60"}],
                         security_groups=[], device_id="d", dns_name="web")
        self.assertEqual({"10.1.0.50", "10.1.0.60"}, {x["ip_address"] for x in changed["fixed_ips"]})
        self.assertEqual(("q", [], "d", "web"), tuple(changed[k] for k in ("name", "security_groups", "device_id", "dns_name")))
        delete(ann, "/ports/" + port["id"])
        get(ann, "/ports/" + port["id"], 404)

    def test_bad(self):
        self.assertIn("10.2.0.1", self.refused(400, "InvalidIpForNetwork", fixed_ips=[{"ip_address": "10.2.0.1"}]))
        for ip in ("10.1.0.0", "10.1.0.255", "10.2.0.1"):
            self.refused(400, "InvalidIpForSubnet", fixed_ips=[{"subnet_id": self.subnet["id"], "ip_address": ip}])
        self.refused(400, "InvalidInput", fixed_ips=[{"subnet_id": NOBODY}])
        self.refused(400, "InvalidInput", fixed_ips=[{}])
        self.refused(404, "SecurityGroupNotFound", security_groups=[NOBODY])
        strange = get(bob, "/security-groups?name=default")["security_groups"][0]["id"]
        self.refused(404, "SecurityGroupNotFound", security_groups=[strange])
        for values in ({"fixed_ips": "x"}, {"fixed_ips": [{"ip_address": "x"}]}, {"fixed_ips": [{"x": 1}]}, {"mac_address": "x"},
                       {"mac_address": "fa:16:3e:00:11"}, {"name": None}, {"dns_name": "a b"}, {"dns_name": "a\nb"}, {"admin_state_up": 7},
                       {"extra_dhcp_opts": [{"opt_name": "x\ny", "opt_value": "1"}]}, {"extra_dhcp_opts": [{"opt_name": "x", "opt_value": "1\n2"}]},
                       {"extra_dhcp_opts": [{"opt_name": "tag=x", "opt_value": "1"}]}, {"extra_dhcp_opts": [{"opt_name": "x", "opt_value": 'a"b'}]},
                       {"extra_dhcp_opts": [{"opt_name": "x", "opt_value": "y" * 65536}]}, {"status": "ACTIVE"},
                       {"allowed_address_pairs": [{"ip_address": "x"}]}, {"allowed_address_pairs": [{"mac_address": "fa:16:3e:00:00:01"}]},
                       {"allowed_address_pairs": [{"ip_address": f"10.1.0.{i}"} for i in range(11)]}, {"revision_number": 5}):
            self.refused(400, "HTTPBadRequest", **values)
        self.refused(400, "DuplicateAddressPairInRequest", allowed_address_pairs=[{"ip_address": "10.1.0.9"}] * 2)
        self.refused(409, "AddressPairAndPortSecurityRequired", port_security_enabled=False, allowed_address_pairs=[{"ip_address": "10.1.0.9"}])
        group = get(ann, "/security-groups?name=default")["security_groups"][0]["id"]
        self.refused(400, "PortSecurityAndIPRequiredForSecurityGroups", port_security_enabled=False, security_groups=[group])

    def test_attributes_of_admin(self):
        port = self.port()
        for values in ({"binding:host_id": "h"}, {"binding:profile": {"a": 1}}, {"device_owner": "network:dhcp"},
                       {"device_owner": "network:router_interface"}):
            self.refused(403, "PolicyNotAuthorized", **values)
            change(ann, "port", port, 403, **values)
        change(ann, "port", port, 403, **{"binding:host_id": ""})
        change(ann, "port", port, device_owner="compute:nova", device_id="s")
        bound = change(admin, "port", port, **{"binding:host_id": "nowhere"})
        self.assertEqual(("nowhere", "binding_failed"), (bound["binding:host_id"], bound["binding:vif_type"]))
        bound = change(admin, "port", port, **{"binding:host_id": None})
        self.assertEqual(("", "unbound"), (bound["binding:host_id"], bound["binding:vif_type"]))
        delete(ann, "/ports/" + port["id"])

    def test_security_and_pairs(self):
        port = self.port(allowed_address_pairs=[{"ip_address": "10.1.0.128/25"}, {"ip_address": "10.1.0.7", "mac_address": "fa:16:3e:00:00:07"}])
        self.assertEqual([("10.1.0.128/25", port["mac_address"]), ("10.1.0.7", "fa:16:3e:00:00:07")],
                         [(x["ip_address"], x["mac_address"]) for x in port["allowed_address_pairs"]])
        self.assertEqual("AddressPairAndPortSecurityRequired", change(ann, "port", port, 409, port_security_enabled=False)["type"])
        change(ann, "port", port, allowed_address_pairs=None)
        self.assertEqual("PortSecurityPortHasSecurityGroup", change(ann, "port", port, 409, port_security_enabled=False)["type"])
        change(ann, "port", port, port_security_enabled=False, security_groups=None)
        self.assertEqual([], get(ann, "/ports/" + port["id"])["port"]["security_groups"])
        delete(ann, "/ports/" + port["id"])

    def test_dhcp_options(self):
        port = self.port(extra_dhcp_opts=[{"opt_name": "bootfile-name", "opt_value": "pxelinux.0"}, {"opt_name": "mtu", "opt_value": "1400"}])
        changed = change(ann, "port", port, extra_dhcp_opts=[{"opt_name": "mtu", "opt_value": None}, {"opt_name": "x", "opt_value": "y"}])
        self.assertEqual({("bootfile-name", "pxelinux.0", 4), ("x", "y", 4)},
                         {(o["opt_name"], o["opt_value"], o["ip_version"]) for o in changed["extra_dhcp_opts"]})
        delete(ann, "/ports/" + port["id"])

    def test_addresses_of_ipv6(self):
        network = make(ann, "network", name="six")
        early = make(ann, "port", network_id=network["id"], mac_address="fa:16:3e:00:00:01")
        make(ann, "subnet", network_id=network["id"], ip_version=6, cidr="2001:db8:1::/64", ipv6_ra_mode="slaac", ipv6_address_mode="slaac")
        stateful = make(ann, "subnet", network_id=network["id"], ip_version=6, cidr="2001:db8:2::/64", ipv6_ra_mode="dhcpv6-stateful",
                        ipv6_address_mode="dhcpv6-stateful")
        early = get(ann, "/ports/" + early["id"])["port"]
        self.assertEqual(["2001:db8:1:0:f816:3eff:fe00:1"],
                         [x["ip_address"] for x in early["fixed_ips"]])
        port = make(ann, "port", network_id=network["id"], mac_address="fa:16:3e:00:00:02")
        self.assertEqual({"2001:db8:1:0:f816:3eff:fe00:2", "2001:db8:2::2"}, {x["ip_address"] for x in port["fixed_ips"]})
        self.assertEqual(stateful["id"], [x["subnet_id"] for x in port["fixed_ips"] if x["ip_address"] == "2001:db8:2::2"][0])
        refused(ann, "port", 400, "InvalidInput", network_id=network["id"], fixed_ips=[{"ip_address": "2001:db8:1::5"}])
        for p in (early, port):
            delete(ann, "/ports/" + p["id"])
        delete(ann, "/networks/" + network["id"])

    def test_last_address_at_once(self):
        network, _ = network_with_subnet(ann, "10.6.0.0/29", allocation_pools=[{"start": "10.6.0.2", "end": "10.6.0.4"}])
        results = []

        def attempt():
            status, _, body = ann.request("POST", "network", "/v2.0/ports", {"port": {"network_id": network["id"]}})
            results.append((status, body.get("NeutronError", {}).get("type") or body["port"]["fixed_ips"][0]["ip_address"]))
        threads = [threading.Thread(target=attempt) for _ in range(16)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual([(201, f"10.6.0.{i}") for i in (2, 3, 4)] + [(409, "IpAddressGenerationFailure")] * 13, sorted(results))

    def test_tags(self):
        port = self.port()
        path = f"/ports/{port['id']}/tags"
        self.assertEqual({"tags": ["red", "blue"]}, put(ann, path, {"tags": ["red", "blue", "red"]}))
        ann.expect(201, "PUT", "network", "/v2.0" + path + "/green")
        get(ann, path + "/green", 204)
        get(ann, path + "/none", 404)
        self.assertEqual([port["id"]], [x["id"] for x in get(ann, "/ports?tags=red,green")["ports"]])
        self.assertEqual([], get(ann, "/ports?tags=red,none")["ports"])
        self.assertEqual([port["id"]], [x["id"] for x in get(ann, "/ports?tags-any=red,none")["ports"]])
        self.assertNotIn(port["id"], [x["id"] for x in get(ann, "/ports?not-tags=red")["ports"]])
        delete(ann, path + "/red")
        delete(ann, path + "/red", 404)
        put(ann, path, {"tags": ["a,b"]}, 400)
        put(rita, path, {"tags": []}, 403)
        put(bob, path, {"tags": []}, 404)
        delete(ann, path)
        self.assertEqual([], get(ann, "/ports/" + port["id"])["port"]["tags"])
        get(ann, f"/quotas/{port['id']}/tags", 404)
        delete(ann, "/ports/" + port["id"])


class TestSecurityGroups(unittest.TestCase):
    def test_default_group(self):
        dora = make_user("dora", "default-group", "member")
        group = get(dora, "/security-groups")["security_groups"][0]
        self.assertEqual("default", group["name"])
        self.assertEqual({("egress", "IPv4", None), ("egress", "IPv6", None), ("ingress", "IPv4", group["id"]), ("ingress", "IPv6", group["id"])},
                         {(r["direction"], r["ethertype"], r["remote_group_id"]) for r in group["security_group_rules"]})
        self.assertEqual("SecurityGroupCannotRemoveDefault", delete(dora, "/security-groups/" + group["id"], 409)["NeutronError"]["type"])
        self.assertEqual("SecurityGroupCannotUpdateDefault", change(dora, "security_group", group, 409, name="x")["type"])
        refused(dora, "security_group", 409, "SecurityGroupDefaultAlreadyExists", name="default")

    def test_default_group_is_made_once(self):
        fresh = make_user("fay", "fresh", "member")
        threads = [threading.Thread(target=get, args=(fresh, "/security-groups")) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(1, len(get(fresh, "/security-groups")["security_groups"]))

    def test_life(self):
        group = make(ann, "security_group", name="web", description="d")
        self.assertEqual({("egress", "IPv4"), ("egress", "IPv6")}, {(r["direction"], r["ethertype"]) for r in group["security_group_rules"]})
        rule = make(ann, "security_group_rule", security_group_id=group["id"], direction="ingress", protocol="TCP", port_range_min="80",
                    port_range_max=443, remote_ip_prefix="192.0.2.7", ethertype="ipv4")
        self.assertEqual(("tcp", 80, 443, "192.0.2.7/32", "192.0.2.7/32", "IPv4"), tuple(rule[k] for k in (
            "protocol", "port_range_min", "port_range_max", "remote_ip_prefix", "normalized_cidr", "ethertype")))
        message = refused(ann, "security_group_rule", 409, "SecurityGroupRuleExists", security_group_id=group["id"], direction="ingress",
                          protocol="tcp", port_range_min=80, port_range_max=443, remote_ip_prefix="192.0.2.7/32")
        self.assertIn(rule["id"], message)
        self.assertEqual(3, len(get(ann, "/security-groups/" + group["id"])["security_group"]["security_group_rules"]))
        self.assertEqual("api", change(ann, "security_group", group, name="api")["name"])
        get(bob, "/security-groups/" + group["id"], 404)
        get(bob, "/security-group-rules/" + rule["id"], 404)
        delete(bob, "/security-group-rules/" + rule["id"], 404)
        network, _ = network_with_subnet(ann)
        port = make(ann, "port", network_id=network["id"], security_groups=[group["id"]])
        self.assertEqual("SecurityGroupInUse", delete(ann, "/security-groups/" + group["id"], 409)["NeutronError"]["type"])
        delete(ann, "/ports/" + port["id"])
        delete(ann, "/security-group-rules/" + rule["id"])
        delete(ann, "/security-groups/" + group["id"])

    def test_bad_rules(self):
        group = make(ann, "security_group", name="bad rules")
        strange = get(bob, "/security-groups?name=default")["security_groups"][0]["id"]
        for status, type_, values in (
                (400, "SecurityGroupRuleInvalidProtocol", {"protocol": "tcpx"}),
                (400, "SecurityGroupRuleInvalidProtocol", {"protocol": 256}),
                (400, "SecurityGroupRuleInvalidEtherType", {"ethertype": "IPv5"}),
                (400, "SecurityGroupInvalidPortRange", {"protocol": "tcp", "port_range_min": 9, "port_range_max": 8}),
                (400, "SecurityGroupInvalidPortRange", {"protocol": "udp", "port_range_min": 9}),
                (400, "SecurityGroupInvalidPortValue", {"protocol": "tcp", "port_range_min": 0, "port_range_max": 8}),
                (400, "SecurityGroupInvalidPortValue", {"protocol": "tcp", "port_range_min": 1, "port_range_max": 65536}),
                (400, "SecurityGroupInvalidIcmpValue", {"protocol": "icmp", "port_range_min": 256}),
                (400, "SecurityGroupMissingIcmpType", {"protocol": "icmp", "port_range_max": 1}),
                (400, "SecurityGroupProtocolRequiredWithPorts", {"port_range_min": 1, "port_range_max": 2}),
                (400, "SecurityGroupInvalidProtocolForPort", {"protocol": "vrrp", "port_range_min": 1, "port_range_max": 2}),
                (400, "SecurityGroupInvalidProtocolForPort", {"protocol": "esp", "port_range_min": 1, "port_range_max": 2}),
                (400, "SecurityGroupEthertypeConflictWithProtocol", {"protocol": "icmpv6"}),
                (400, "SecurityGroupRuleParameterConflict", {"remote_ip_prefix": "::/0"}),
                (400, "SecurityGroupRuleParameterConflict", {"remote_ip_prefix": "10.0.0.0/8", "ethertype": "IPv6"}),
                (400, "InvalidCIDR", {"remote_ip_prefix": "0.0.0.0/33"}), (400, "InvalidCIDR", {"remote_ip_prefix": "x"}),
                (400, "SecurityGroupRemoteGroupAndRemoteIpPrefix", {"remote_ip_prefix": "10.0.0.0/8", "remote_group_id": group["id"]}),
                (404, "SecurityGroupNotFound", {"remote_group_id": strange}), (404, "SecurityGroupNotFound", {"remote_group_id": NOBODY}),
                (404, "SecurityGroupNotFound", {"security_group_id": strange}),
                (400, "HTTPBadRequest", {"direction": "sideways"}), (400, "HTTPBadRequest", {"port_range_min": "x"})):
            self.assertIsNotNone(refused(ann, "security_group_rule", status, type_,
                                         **{"security_group_id": group["id"], "direction": "ingress", **values}))
        self.assertEqual(2, len(get(ann, "/security-groups/" + group["id"])["security_group"]["security_group_rules"]))
        many = post(ann, "/security-group-rules", {"security_group_rules": [
            {"security_group_id": group["id"], "direction": "ingress", "protocol": "icmp", "port_range_min": 0, "port_range_max": 0},
            {"security_group_id": group["id"], "direction": "ingress", "protocol": "112"},
            {"security_group_id": group["id"], "direction": "ingress", "protocol": "ipv6-icmp", "ethertype": "IPv6"}]})["security_group_rules"]
        self.assertEqual(["icmp", "112", "ipv6-icmp"], [r["protocol"] for r in many])
        delete(ann, "/security-groups/" + group["id"])


class TestQuotas(unittest.TestCase):
    def test_limits(self):
        user = make_user("quinn", "small", "member")
        project = user.project_id
        defaults = get(user, f"/quotas/{project}/default")["quota"]
        self.assertEqual((100, 500, 10), (defaults["network"], defaults["port"], defaults["security_group"]))
        put(admin, "/quotas/" + project, {"quota": {"network": "1", "router": 0}})
        self.assertEqual((1, 0, 500), tuple(get(user, "/quotas/" + project)["quota"][k] for k in ("network", "router", "port")))
        results = []

        def attempt():
            results.append(user.request("POST", "network", "/v2.0/networks", {"network": {}})[0])
        threads = [threading.Thread(target=attempt) for _ in range(16)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual([201] + [409] * 15, sorted(results))
        self.assertEqual("Quota exceeded for resources: ['router'].", refused(user, "router", 409, "OverQuota"))
        details = get(user, f"/quotas/{project}/details")["quota"]
        self.assertEqual({"limit": 1, "used": 1, "reserved": 0}, details["network"])
        self.assertIn(project, [q["project_id"] for q in get(admin, "/quotas")["quotas"]])
        for values in ({"network": -2}, {"network": "x"}, {"unknown": 1}, {"network": 2 ** 40}):
            put(admin, "/quotas/" + project, {"quota": values}, 400)
        delete(admin, "/quotas/" + project)
        delete(admin, "/quotas/" + project, 404)
        self.assertEqual(100, get(user, "/quotas/" + project)["quota"]["network"])


class TestRouters(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.external = make(admin, "network", name="public", **{"router:external": True, "provider:network_type": "flat",
                                                                "provider:physical_network": "physnet1"})
        cls.public = make(admin, "subnet", network_id=cls.external["id"], ip_version=4, cidr="203.0.113.0/24", enable_dhcp=False)

    @classmethod
    def tearDownClass(cls):
        delete(admin, "/networks/" + cls.external["id"])

    def interface(self, who, router, expected=200, verb="add", **values):
        return put(who, f"/routers/{router['id']}/{verb}_router_interface", values, expected)

    def refused(self, who, router, status, type_, verb="add", **values):
        error = self.interface(who, router, status, verb, **values)["NeutronError"]
        self.assertEqual(type_, error["type"], error)

    def test_external_network(self):
        seen = get(ann, "/networks?router%3Aexternal=True")["networks"]
        self.assertEqual([self.external["id"]], [x["id"] for x in seen])
        self.assertEqual([], get(ann, "/subnets?network_id=" + self.external["id"])["subnets"])
        refused(ann, "port", 403, "NotAuthorized", network_id=self.external["id"])
        refused(admin, "network", 409, "FlatNetworkInUse", **{"provider:network_type": "flat", "provider:physical_network": "physnet1"})

    def test_interfaces(self):
        network, subnet = network_with_subnet(ann, "10.2.0.0/24")
        router = make(ann, "router", name="r")
        self.assertEqual((None, "ACTIVE", []), tuple(router[k] for k in ("external_gateway_info", "status", "routes")))
        done = self.interface(ann, router, subnet_id=subnet["id"])
        self.assertEqual((router["id"], subnet["id"], [subnet["id"]], network["id"]), tuple(done[k] for k in ("id", "subnet_id", "subnet_ids", "network_id")))
        port = get(ann, "/ports/" + done["port_id"])["port"]
        self.assertEqual(("network:router_interface", router["id"], "10.2.0.1"), (port["device_owner"], port["device_id"], port["fixed_ips"][0]["ip_address"]))
        self.refused(ann, router, 400, "BadRequest", subnet_id=subnet["id"])
        self.refused(ann, router, 400, "BadRequest")
        self.refused(ann, router, 400, "BadRequest", subnet_id=subnet["id"], port_id=port["id"])
        self.refused(ann, router, 404, "SubnetNotFound", subnet_id=NOBODY)
        self.refused(ann, router, 404, "PortNotFound", port_id=NOBODY)
        self.refused(ann, router, 409, "PortInUse", port_id=port["id"])
        overlap, other = network_with_subnet(ann, "10.2.0.128/25")
        self.refused(ann, router, 400, "BadRequest", subnet_id=other["id"])
        bare, none = network_with_subnet(ann, "10.3.0.0/24", gateway_ip=None)
        self.refused(ann, router, 400, "BadRequest", subnet_id=none["id"])
        theirs, strange = network_with_subnet(bob, "10.4.0.0/24")
        self.refused(ann, router, 404, "SubnetNotFound", subnet_id=strange["id"])
        self.refused(bob, router, 404, "RouterNotFound", subnet_id=strange["id"])
        self.refused(rita, router, 403, "PolicyNotAuthorized", subnet_id=none["id"])
        self.assertEqual("DeviceIDNotOwnedByTenant", make(bob, "port", 409, network_id=theirs["id"], device_id=router["id"])["type"])
        self.assertEqual("ServicePortInUse", delete(ann, "/ports/" + port["id"], 409)["NeutronError"]["type"])
        self.assertEqual("SubnetInUse", delete(ann, "/subnets/" + subnet["id"], 409)["NeutronError"]["type"])
        self.assertEqual("GatewayIpInUse", change(ann, "subnet", subnet, 409, gateway_ip="10.2.0.254", allocation_pools=[])["type"])
        self.assertEqual("RouterInUse", delete(ann, "/routers/" + router["id"], 409)["NeutronError"]["type"])
        own = make(ann, "port", network_id=bare["id"])
        by_port = self.interface(ann, router, port_id=own["id"])
        self.assertEqual(own["id"], by_port["port_id"])
        self.refused(ann, router, 404, "RouterInterfaceNotFoundForSubnet", "remove", subnet_id=other["id"])
        self.refused(ann, router, 404, "RouterInterfaceNotFound", "remove", port_id=NOBODY)
        self.refused(ann, router, 409, "SubnetMismatchForPort", "remove", port_id=own["id"], subnet_id=other["id"])
        self.interface(ann, router, verb="remove", port_id=own["id"])
        self.interface(ann, router, verb="remove", subnet_id=subnet["id"])
        get(ann, "/ports/" + own["id"], 404)
        delete(ann, "/routers/" + router["id"])
        for n in (network, overlap, bare):
            delete(ann, "/networks/" + n["id"])

    def test_routes(self):
        network, subnet = network_with_subnet(ann, "10.2.0.0/24")
        router = make(ann, "router", name="r")
        self.interface(ann, router, subnet_id=subnet["id"])
        route = {"destination": "10.40.0.0/16", "nexthop": "10.2.0.9"}
        self.assertEqual([route], change(ann, "router", router, routes=[route])["routes"])
        for bad in ({"destination": "10.41.0.0/16", "nexthop": "10.9.9.9"}, {"destination": "10.41.0.0/16", "nexthop": "10.2.0.1"}):
            self.assertEqual("InvalidRoutes", change(ann, "router", router, 400, routes=[bad])["type"])
        self.refused(ann, router, 409, "RouterInterfaceInUseByRoute", "remove", subnet_id=subnet["id"])
        more = {"destination": "10.50.0.0/16", "nexthop": "10.2.0.9"}
        self.assertEqual([route, more], put(ann, f"/routers/{router['id']}/add_extraroutes", {"router": {"routes": [more, route]}})["router"]["routes"])
        self.assertEqual([more], put(ann, f"/routers/{router['id']}/remove_extraroutes", {"router": {"routes": [route]}})["router"]["routes"])
        change(ann, "router", router, routes=None)
        self.interface(ann, router, verb="remove", subnet_id=subnet["id"])
        delete(ann, "/routers/" + router["id"])
        delete(ann, "/networks/" + network["id"])

    def test_gateway(self):
        gateway = {"network_id": self.external["id"]}
        router = make(ann, "router", external_gateway_info=gateway)
        info = router["external_gateway_info"]
        self.assertEqual((self.external["id"], True, self.public["id"]), (info["network_id"], info["enable_snat"],
                                                                         info["external_fixed_ips"][0]["subnet_id"]))
        make(ann, "router", 403, external_gateway_info={**gateway, "enable_snat": False})
        make(ann, "router", 403, external_gateway_info={**gateway, "external_fixed_ips": [{"ip_address": "203.0.113.99"}]})
        inner, _ = network_with_subnet(ann)
        refused(ann, "router", 400, "BadRequest", external_gateway_info={"network_id": inner["id"]})
        refused(ann, "router", 404, "NetworkNotFound", external_gateway_info={"network_id": NOBODY})
        make(ann, "router", 400, external_gateway_info={"x": 1})
        fixed = change(admin, "router", router, external_gateway_info={**gateway, "enable_snat": False,
                                                                       "external_fixed_ips": [{"ip_address": "203.0.113.99"}]})
        self.assertEqual((False, "203.0.113.99"), (fixed["external_gateway_info"]["enable_snat"],
                                                   fixed["external_gateway_info"]["external_fixed_ips"][0]["ip_address"]))
        self.assertEqual("ExternalNetworkInUse", change(admin, "network", self.external, 409, **{"router:external": False})["type"])
        self.assertEqual([], get(ann, "/ports?device_id=" + router["id"])["ports"])  # The gateway's port is nobody's.
        self.assertIsNone(change(ann, "router", router, external_gateway_info=None)["external_gateway_info"])
        change(ann, "router", router, external_gateway_info=gateway)
        delete(ann, "/routers/" + router["id"])
        self.assertEqual([], get(admin, "/ports?device_id=" + router["id"])["ports"])
        delete(ann, "/networks/" + inner["id"])

    def test_floating_ips(self):
        network, subnet = network_with_subnet(ann, "10.2.0.0/24")
        port = make(ann, "port", network_id=network["id"])
        refused(ann, "floatingip", 404, "ExternalGatewayForFloatingIPNotFound", floating_network_id=self.external["id"], port_id=port["id"])
        router = make(ann, "router", external_gateway_info={"network_id": self.external["id"]})
        self.interface(ann, router, subnet_id=subnet["id"])
        floating = make(ann, "floatingip", floating_network_id=self.external["id"])
        self.assertEqual((None, None, None, "DOWN", None), tuple(floating[k] for k in ("port_id", "fixed_ip_address", "router_id", "status", "port_details")))
        self.assertTrue(floating["floating_ip_address"].startswith("203.0.113."))
        tied = change(ann, "floatingip", floating, port_id=port["id"])
        self.assertEqual((port["id"], port["fixed_ips"][0]["ip_address"], router["id"], port["mac_address"]), (
            tied["port_id"], tied["fixed_ip_address"], tied["router_id"], tied["port_details"]["mac_address"]))
        refused(ann, "floatingip", 409, "FloatingIPPortAlreadyAssociated", floating_network_id=self.external["id"], port_id=port["id"])
        refused(ann, "floatingip", 400, "BadRequest", floating_network_id=network["id"])
        refused(ann, "floatingip", 404, "NetworkNotFound", floating_network_id=NOBODY)
        refused(ann, "floatingip", 404, "PortNotFound", floating_network_id=self.external["id"], port_id=NOBODY)
        refused(ann, "floatingip", 400, "BadRequest", floating_network_id=self.external["id"], port_id=port["id"], fixed_ip_address="10.2.0.200")
        refused(ann, "floatingip", 400, "BadRequest", floating_network_id=self.external["id"], fixed_ip_address="10.2.0.200")
        refused(ann, "floatingip", 403, "PolicyNotAuthorized", floating_network_id=self.external["id"], floating_ip_address="203.0.113.77")
        chosen = make(admin, "floatingip", floating_network_id=self.external["id"], floating_ip_address="203.0.113.77")
        refused(admin, "floatingip", 409, "IpAddressInUse", floating_network_id=self.external["id"], floating_ip_address="203.0.113.77")
        delete(admin, "/floatingips/" + chosen["id"])
        theirs, _ = network_with_subnet(bob, "10.4.0.0/24")
        strange = make(bob, "port", network_id=theirs["id"])
        change(ann, "floatingip", floating, 404, port_id=strange["id"])
        for call in (get, delete):
            call(bob, "/floatingips/" + floating["id"], 404)
        self.refused(ann, router, 409, "RouterInterfaceInUseByFloatingIP", "remove", subnet_id=subnet["id"])
        self.assertEqual("RouterExternalGatewayInUseByFloatingIp", change(ann, "router", router, 409, external_gateway_info=None)["type"])
        floating_port = get(admin, "/ports?device_owner=network:floatingip&device_id=" + floating["id"])["ports"][0]
        self.assertEqual("ServicePortInUse", delete(admin, "/ports/" + floating_port["id"], 409)["NeutronError"]["type"])
        self.assertEqual([floating["id"]], [x["id"] for x in get(ann, "/floatingips?port_id=" + port["id"])["floatingips"]])
        change(ann, "floatingip", floating, description="only this")
        self.assertEqual(port["id"], get(ann, "/floatingips/" + floating["id"])["floatingip"]["port_id"])
        delete(ann, "/ports/" + port["id"])
        self.assertIsNone(get(ann, "/floatingips/" + floating["id"])["floatingip"]["port_id"])
        delete(ann, "/floatingips/" + floating["id"])
        self.assertEqual([], get(admin, "/ports?device_id=" + floating["id"])["ports"])
        self.interface(ann, router, verb="remove", subnet_id=subnet["id"])
        delete(ann, "/routers/" + router["id"])
        delete(ann, "/networks/" + network["id"])


class TestWithAgents(unittest.TestCase):
    """Comes last by its name: from here on there are agents."""

    @classmethod
    def setUpClass(cls):
        cls.external = make(admin, "network", name="public", **{"router:external": True, "provider:network_type": "flat",
                                                                "provider:physical_network": "physnet1"})
        make(admin, "subnet", network_id=cls.external["id"], ip_version=4, cidr="203.0.113.0/24", enable_dhcp=False)
        cls.early, _ = network_with_subnet(ann, "10.30.0.0/24")  # Before there is anybody to serve it.
        start_agent("host1", "192.0.2.1")
        start_agent("host2", "192.0.2.2", "physnet9:br-nine")

    @staticmethod
    def alive(count=2):
        def agents_alive():
            return sum(a["alive"] for a in get(admin, "/agents")["agents"]) == count
        wait_for(agents_alive)

    def active(self, port_id):
        def port_active():
            return get(admin, "/ports/" + port_id)["port"]["status"] == "ACTIVE"
        wait_for(port_active)

    def test_agents(self):
        self.alive()
        agent = next(a for a in get(admin, "/agents")["agents"] if a["host"] == "host1")
        self.assertEqual(("Network agent", {"physnet1": "br-ex"}, "192.0.2.1"), (
            agent["agent_type"], agent["configurations"]["bridge_mappings"], agent["configurations"]["tunneling_ip"]))
        self.assertEqual(agent["id"], get(admin, "/agents/" + agent["id"])["agent"]["id"])
        zones = get(ann, "/availability_zones")["availability_zones"]
        self.assertEqual({("nova", "network"), ("nova", "router")}, {(z["name"], z["resource"]) for z in zones})

    def test_dhcp_is_made_up_for(self):
        def dhcp_port():
            return get(admin, f"/ports?network_id={self.early['id']}&device_owner=network:dhcp&status=ACTIVE")["ports"]
        port = wait_for(dhcp_port)[0]
        self.assertEqual(("10.30.0.2", ann.project_id), (port["fixed_ips"][0]["ip_address"], port["project_id"]))
        self.assertEqual(["nova"], get(ann, "/networks/" + self.early["id"])["network"]["availability_zones"])

    def test_a_guest(self):
        self.alive()
        network, subnet = network_with_subnet(ann, "10.31.0.0/24")
        dhcp = get(admin, f"/ports?network_id={network['id']}&device_owner=network:dhcp")["ports"]
        self.assertEqual(["10.31.0.2"], [x["ip_address"] for p in dhcp for x in p["fixed_ips"]])
        port = make(admin, "port", network_id=network["id"], device_id="server", device_owner="compute:nova", tenant_id=ann.project_id,
                    **{"binding:host_id": "host2"})
        self.assertEqual(("tap", "DOWN"), (port["binding:vif_type"], port["status"]))
        self.active(port["id"])
        self.active(dhcp[0]["id"])
        router = make(ann, "router", external_gateway_info={"network_id": self.external["id"]})
        done = put(ann, f"/routers/{router['id']}/add_router_interface", {"subnet_id": subnet["id"]})
        face = get(admin, "/ports/" + done["port_id"])["port"]
        self.assertEqual("host1", face["binding:host_id"])  # The only one with physnet1.
        self.active(face["id"])
        floating = make(ann, "floatingip", floating_network_id=self.external["id"], port_id=port["id"])

        def floating_active():
            return get(ann, "/floatingips/" + floating["id"])["floatingip"]["status"] == "ACTIVE"
        wait_for(floating_active)
        change(admin, "port", port, **{"binding:host_id": ""})
        self.assertEqual("DOWN", get(ann, "/ports/" + port["id"])["port"]["status"])
        for path in ("/floatingips/" + floating["id"], "/ports/" + port["id"]):
            delete(ann, path)
        put(ann, f"/routers/{router['id']}/remove_router_interface", {"subnet_id": subnet["id"]})
        delete(ann, "/routers/" + router["id"])
        availability = get(admin, "/network-ip-availabilities/" + network["id"])["network_ip_availability"]
        self.assertEqual((253, 1), (availability["total_ips"], availability["used_ips"]))
        get(ann, "/network-ip-availabilities", 403)
        delete(ann, "/networks/" + network["id"])
        self.assertEqual("0", cloud.sql("network", f"SELECT count(*) FROM port WHERE network_id = '{network['id']}'").strip())

    def test_dhcp_follows_the_subnets(self):
        self.alive()
        network, subnet = network_with_subnet(ann, "10.32.0.0/24")

        def addresses():
            ports = get(admin, f"/ports?network_id={network['id']}&device_owner=network:dhcp")["ports"]
            return sorted(x["ip_address"] for p in ports for x in p["fixed_ips"])
        self.assertEqual(["10.32.0.2"], addresses())
        more = make(ann, "subnet", network_id=network["id"], ip_version=4, cidr="10.33.0.0/24")
        self.assertEqual(["10.32.0.2", "10.33.0.2"], addresses())
        change(ann, "subnet", subnet, enable_dhcp=False)
        self.assertEqual(["10.33.0.2"], addresses())
        delete(ann, "/subnets/" + more["id"])
        self.assertEqual([], addresses())
        delete(ann, "/networks/" + network["id"])

    def test_only_about_itself(self):
        self.alive()
        wrong = cloud.sql("network", "SELECT count(*) FROM agent WHERE host NOT IN ('host1', 'host2')").strip()
        self.assertEqual("0", wrong)

    def test_what_a_list_costs(self):
        network, _ = network_with_subnet(bob, "10.35.0.0/20")
        for _ in range(3):
            post(bob, "/ports", {"ports": [{"network_id": network["id"]} for _ in range(100)]})
        # Agents ask for their state meanwhile, so the least of several tries counts.
        def cost(count, more):
            def once():
                before = statements()
                self.assertEqual(count, len(get(bob, f"/ports?network_id={network['id']}&device_owner={more}")["ports"]))
                return statements() - before
            return min(once() for _ in range(8))
        self.assertEqual(cost(300, ""), cost(1, "&limit=1"))

    def test_zz_dead_agent(self):
        """Its routers and networks move to a live one once it has been silent for long."""
        self.alive()
        network, _ = network_with_subnet(ann, "10.36.0.0/24")
        where = get(admin, f"/ports?network_id={network['id']}&device_owner=network:dhcp")["ports"][0]["binding:host_id"]
        process = agents.pop(where)
        process.terminate()
        process.wait()
        cloud.sql("network", f"UPDATE agent SET heartbeat_at = heartbeat_at - interval '1 hour' WHERE host = '{where}'")
        self.alive(1)

        def moved():
            ports = get(admin, f"/ports?network_id={network['id']}&device_owner=network:dhcp")["ports"]
            return ports[0]["binding:host_id"] != where and ports[0]["status"] == "ACTIVE"
        wait_for(moved, 40)


def statements():
    """Statements that the service has run, by its own count; 0 if it doesn't say."""
    for line in cloud.metrics("network").splitlines():
        if "statements" in line and not line.startswith("#"):
            return int(float(line.rsplit(" ", 1)[1]))
    return 0


if __name__ == "__main__":
    unittest.main()
