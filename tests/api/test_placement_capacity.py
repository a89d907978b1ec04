#!/usr/bin/python3
"""Who owns the ratios (placement, whatever agents report again), who changed them, and what is promised beside what is there."""

import json
import os
import subprocess
import sys
import tempfile
import time
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from cloud import Cloud  # noqa: E402
from sim_hosts import SimHosts  # noqa: E402

from virga_deploy import clients  # noqa: E402

VERSION = {"OpenStack-API-Version": "placement 1.39"}

cloud = admin = folder = None


def setUpModule():
    global cloud, admin, folder
    cloud = Cloud(services=["identity", "placement", "compute"])
    admin = cloud.admin()
    folder = tempfile.mkdtemp(prefix="virga-test-capacity-")
    clients.write(cloud.layout)


def tearDownModule():
    if cloud is not None:
        cloud.close()
    subprocess.run(["rm", "-rf", folder], check=True)


def new():
    return str(uuid.uuid4())


def virga(*words):
    env = {"PATH": os.environ["PATH"], "HOME": folder, "XDG_CACHE_HOME": folder, "OS_CLOUD": "virga-admin",
           "OS_CLIENT_CONFIG_FILE": os.path.join(cloud.layout.run, "clouds.yaml")}
    done = subprocess.run([cloud.layout.binary("virga"), *words], capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout


class Case(unittest.TestCase):
    def call(self, expected, method, path, body=None, session=None):
        return (session or admin).expect(expected, method, "placement", path, body, VERSION)

    def provider(self, inventories, name=None, parent=None):
        made = self.call(200, "POST", "/resource_providers", {"name": name or "host-" + new(), "uuid": new(), "parent_provider_uuid": parent})
        self.put(made["uuid"], inventories, made["generation"])
        return made["uuid"]

    def put(self, provider, inventories, generation=None, expected=200):
        if generation is None:
            generation = self.call(200, "GET", "/resource_providers/" + provider)["generation"]
        self.call(expected, "PUT", f"/resource_providers/{provider}/inventories", {"resource_provider_generation": generation, "inventories": inventories})

    def set_ratio(self, provider, name, ratio):
        old = self.call(200, "GET", f"/resource_providers/{provider}/inventories/{name}")
        return self.call(200, "PUT", f"/resource_providers/{provider}/inventories/{name}", dict(old, allocation_ratio=ratio))

    def claim(self, provider, resources, expected=204):
        consumer = new()
        self.call(expected, "PUT", "/allocations/" + consumer, {"allocations": {provider: {"resources": resources}}, "project_id": "p", "user_id": "u",
                                                                "consumer_generation": None, "consumer_type": "INSTANCE"})
        return consumer

    def changes(self, query):
        return self.call(200, "GET", "/OS-VIRGA/ratio-changes?" + query)["ratio_changes"]


class Ratios(Case):
    def test_applies_at_once_and_is_recorded(self):
        host = self.provider({"VCPU": {"total": 2, "allocation_ratio": 1.0}, "DISK_GB": {"total": 10}})
        self.claim(host, {"VCPU": 2})
        self.claim(host, {"VCPU": 1}, 409)
        self.set_ratio(host, "VCPU", 2.0)
        self.claim(host, {"VCPU": 2})
        self.claim(host, {"VCPU": 1}, 409)
        self.set_ratio(host, "VCPU", 1.0)  # Over-full now: what is there stays, and nothing is added.
        self.claim(host, {"VCPU": 1}, 409)
        self.put(host, {"VCPU": {"total": 3, "allocation_ratio": 1.0}})  # The same ratio: no change. Without DISK_GB: one that ends.
        rows = self.changes("provider=" + host)
        self.assertEqual([(r["resource_class"], r["old"], r["new"]) for r in rows[:3]],
                         [("DISK_GB", 1.0, None), ("VCPU", 2.0, 1.0), ("VCPU", 1.0, 2.0)])
        self.assertEqual({(r["resource_class"], r["old"], r["new"]) for r in rows[3:]}, {("VCPU", None, 1.0), ("DISK_GB", None, 1.0)})
        for row in rows:
            self.assertEqual((row["user_name"], row["user_id"], row["resource_provider_uuid"]), ("admin", admin.user_id, host))
            self.assertTrue(row["request_id"].startswith("req-"))
            self.assertRegex(row["changed_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertEqual(len({r["request_id"] for r in rows}), 4)

    def test_the_record_outlives_the_provider_and_a_failed_change_leaves_none(self):
        host = self.provider({"VCPU": {"total": 2}})
        self.put(host, {"VCPU": {"total": 2, "allocation_ratio": 7.0}}, generation=999, expected=409)
        self.put(host, {"VCPU": {"total": 2, "allocation_ratio": 7.0}, "NOPE": {"total": 1}}, expected=400)
        self.call(204, "DELETE", "/resource_providers/" + host)
        self.assertEqual([(r["old"], r["new"]) for r in self.changes("provider=" + host)], [(None, 1.0)])

    def test_by_the_reshaper_too(self):
        host = self.provider({"VCPU": {"total": 2, "allocation_ratio": 3.0}})
        self.call(204, "POST", "/reshaper", {"inventories": {host: {"resource_provider_generation": 1, "inventories": {
            "VCPU": {"total": 2, "allocation_ratio": 5.0}}}}, "allocations": {}}, session=cloud.service("placement"))
        self.assertEqual([(r["old"], r["new"], r["user_name"]) for r in self.changes("provider=" + host)], [(3.0, 5.0, "placement"), (None, 3.0, "admin")])

    def test_pages_and_filters(self):
        host = self.provider({"VCPU": {"total": 2}, "MEMORY_MB": {"total": 2}})
        for ratio in (2.0, 3.0, 4.0):
            self.set_ratio(host, "VCPU", ratio)
        found, marker = [], ""
        while marker is not None:
            page = self.call(200, "GET", f"/OS-VIRGA/ratio-changes?provider={host}&resource_class=VCPU&limit=3{marker}")
            found += [r["new"] for r in page["ratio_changes"]]
            marker = page["next"] and "&marker=" + page["next"]
        self.assertEqual(found, [4.0, 3.0, 2.0, 1.0])
        self.assertEqual(self.changes("provider=" + new()), [])
        for query in ("provider=x", "marker=x", "marker=0", "limit=0", "limit=-1", "color=red"):
            self.call(400, "GET", "/OS-VIRGA/ratio-changes?" + query)

    def test_what_never_becomes_a_ratio(self):
        host = self.provider({"VCPU": {"total": 2}})
        for ratio in ("1", True, None, [], 1e39, -1, 0, float("nan")):
            body = json.dumps({"resource_provider_generation": 1, "total": 2, "allocation_ratio": ratio}).encode()
            status = admin.request("PUT", "placement", f"/resource_providers/{host}/inventories/VCPU", body, dict(VERSION, **{"Content-Type": "application/json"}))[0]
            self.assertIn(status, (200, 400), ratio)
            if status == 200:  # 0: as upstream since 1.26, nothing can be claimed then.
                self.assertEqual(ratio, 0)
                self.claim(host, {"VCPU": 1}, 409)
        self.claim(host, {"VCPU": 3}, 409)

    def test_agents_that_report_again_leave_them(self):
        with SimHosts(cloud, 1, kinds=("compute-agent",), sizes={1: {"vcpus": 8, "memory": 8192, "disk": 100}}) as hosts:
            host = self.wait_for(lambda: self.call(200, "GET", "/resource_providers?name=host1")["resource_providers"])[0]["uuid"]
            found = self.wait_for(lambda: self.call(200, "GET", f"/resource_providers/{host}/inventories")["inventories"])
            self.assertEqual({k: v["allocation_ratio"] for k, v in found.items()}, {"VCPU": 16.0, "MEMORY_MB": 1.5, "DISK_GB": 1.0})
            self.set_ratio(host, "VCPU", 4.0)
            self.set_ratio(host, "MEMORY_MB", 1.0)
            self.call(201, "PUT", "/traits/CUSTOM_QUIET")
            self.call(201, "PUT", "/resource_classes/CUSTOM_LICENCE")
            self.call(201, "POST", f"/resource_providers/{host}/inventories", {"resource_class": "CUSTOM_LICENCE", "total": 3, "allocation_ratio": 2.0})
            traits = self.wait_for(lambda: self.call(200, "GET", f"/resource_providers/{host}/traits"))
            self.call(200, "PUT", f"/resource_providers/{host}/traits", dict(traits, traits=traits["traits"] + ["CUSTOM_QUIET"]))
            agent = hosts.agent("host1", "compute-agent")
            for vcpus in ("8", "12"):  # The same again, and a machine that has grown.
                agent.kill()
                with open(agent.config, encoding="utf-8") as file:
                    text = file.read()
                with open(agent.config, "w", encoding="utf-8") as file:
                    file.write(text.replace("vcpus = 8", "vcpus = " + vcpus))
                before = self.syncs()
                agent.start()
                agent.wait_ready()
                self.wait_for(lambda: self.syncs() > before)
                found = self.wait_for(lambda: self.total(host, int(vcpus)))
                self.assertEqual({k: v["allocation_ratio"] for k, v in found.items()}, {"VCPU": 4.0, "MEMORY_MB": 1.0, "DISK_GB": 1.0, "CUSTOM_LICENCE": 2.0})
                self.assertIn("CUSTOM_QUIET", self.call(200, "GET", f"/resource_providers/{host}/traits")["traits"])
            self.assertEqual([(r["user_name"], r["old"], r["new"]) for r in self.changes(f"provider={host}&resource_class=VCPU")],
                             [("admin", 16.0, 4.0), ("compute", None, 16.0)])

    def syncs(self):
        return int(cloud.sql("compute", "SELECT count(*) FROM saga WHERE name = 'compute.host-sync' AND status = 'done'"))

    def total(self, host, vcpus):
        found = self.call(200, "GET", f"/resource_providers/{host}/inventories")["inventories"]
        return found if found["VCPU"]["total"] == vcpus else None

    def wait_for(self, condition, seconds=30):
        until = time.monotonic() + seconds
        while True:
            found = condition()
            if found:
                return found
            self.assertLess(time.monotonic(), until, "it did not happen")
            time.sleep(0.05)


class Overcommit(Case):
    def test_sums(self):
        name = "big-" + new()
        host = self.provider({"VCPU": {"total": 8, "allocation_ratio": 16.0}, "MEMORY_MB": {"total": 1000, "reserved": 200, "allocation_ratio": 1.5}}, name)
        child = self.call(200, "POST", "/resource_providers", {"name": "numa-" + new(), "uuid": new(), "parent_provider_uuid": host})
        self.put(child["uuid"], {"VCPU": {"total": 8, "allocation_ratio": 1.0}})
        self.claim(host, {"VCPU": 20, "MEMORY_MB": 600})
        for asked in (host, child["uuid"]):
            answer = self.call(200, "GET", "/OS-VIRGA/overcommit?provider=" + asked)
            (row,) = answer["hosts"]
            self.assertEqual((row["uuid"], row["name"]), (host, name))
            self.assertEqual(row["resources"]["VCPU"], {"physical": 16, "reserved": 0, "ratio": 8.5, "room": 136.0, "committed": 20, "committed_ratio": 1.25})
            self.assertEqual(row["resources"]["MEMORY_MB"],
                             {"physical": 1000, "reserved": 200, "ratio": 1.5, "room": 1200.0, "committed": 600, "committed_ratio": 0.6})
            self.assertNotIn("DISK_GB", row["resources"])
        self.assertIn(name, virga("placement", "overcommit", name))
        self.assertIn("20/16 x8.5", virga("placement", "overcommit", name))

    def test_cloud_and_pages(self):
        for _ in range(5):
            self.provider({"VCPU": {"total": 1}})
        self.provider({"SRIOV_NET_VF": {"total": 1}})  # Nothing of what is asked about: no row.
        whole = self.call(200, "GET", "/OS-VIRGA/overcommit")
        self.assertIsNone(whole["next"])
        for kind, sums in whole["cloud"]["resources"].items():
            for key in ("physical", "reserved", "committed", "room"):
                self.assertAlmostEqual(sums[key], sum(h["resources"].get(kind, {key: 0})[key] for h in whole["hosts"]), msg=(kind, key))
        found, marker = [], ""
        while marker is not None:
            page = self.call(200, "GET", "/OS-VIRGA/overcommit?limit=2" + marker)
            self.assertEqual(page["cloud"], whole["cloud"])
            found += page["hosts"]
            marker = page["next"] and "&marker=" + page["next"]
        self.assertEqual(found, whole["hosts"])
        for query in ("provider=" + new(), "marker=x", "limit=x", "color=red"):
            self.call(400, "GET", "/OS-VIRGA/overcommit?" + query)
        self.assertEqual(len(virga("placement", "overcommit", "-f", "value", "-c", "Host", "--limit", "3").split()), 4)  # And the cloud.

    def test_changes_in_the_command(self):
        name = "host-" + new()
        self.set_ratio(self.provider({"VCPU": {"total": 1, "allocation_ratio": 16.0}}, name), "VCPU", 8.0)
        self.assertEqual(virga("placement", "ratio", "change", "list", "--provider", name, "-f", "value", "-c", "From", "-c", "To", "-c", "By").splitlines(),
                         ["16.0 8.0 admin", "None 16.0 admin"])


class Simulations(Case):
    """Each in a corner of its own: a trait that only its hosts have."""

    def setUp(self):
        self.trait = "CUSTOM_S" + uuid.uuid4().hex.upper()
        self.call(201, "PUT", "/traits/" + self.trait)
        self.flavor = {"resources": {"VCPU": 2, "MEMORY_MB": 512}, "required": [self.trait]}

    def host(self, vcpus=8, memory=4096, ratio=1.0):
        name = "sim-" + new()
        host = self.provider({"VCPU": {"total": vcpus, "allocation_ratio": ratio}, "MEMORY_MB": {"total": memory}}, name)
        self.call(200, "PUT", f"/resource_providers/{host}/traits", {"resource_provider_generation": 1, "traits": [self.trait]})
        return host, name

    def simulate(self, expected=200, **more):
        return self.call(expected, "POST", "/OS-VIRGA/simulate", {"flavor": self.flavor, **more})

    def fits(self, **more):
        return self.simulate(**more)["then"]["fits"]

    def test_what_fits_is_what_can_be_claimed(self):
        host, _ = self.host()
        for left in (4, 3, 2, 1):
            self.assertEqual(self.fits(), left)
            self.claim(host, {"VCPU": 2, "MEMORY_MB": 512})
        answer = self.simulate()
        self.assertEqual((answer["now"]["fits"], answer["now"]["runs_out"]), (0, "VCPU"))
        said = next(p for p in answer["now"]["providers"] if p["uuid"] == host) if len(answer["now"]["providers"]) < 10 else None
        if said:
            self.assertEqual(said["reason"], "VCPU: wanted 2, available 0.0 of 8 (1.0 x 8, 8 used)")
        self.claim(host, {"VCPU": 2, "MEMORY_MB": 512}, 409)

    def test_ratios(self):
        (first, name), (second, _) = self.host(), self.host()
        everywhere = {"resource_class": "VCPU", "allocation_ratio": 2.0}
        self.assertEqual(self.fits(), 8)
        self.assertEqual(self.fits(ratios=[everywhere]), 16)
        self.assertEqual(self.fits(ratios=[dict(everywhere, hosts=[second])]), 12)
        self.assertEqual(self.fits(ratios=[dict(everywhere, hosts=[])]), 8)
        answer = self.simulate(ratios=[dict(everywhere, allocation_ratio=16.0, hosts=[name, second])], count=16)
        self.assertEqual((answer["count"], answer["fits"], answer["now"]["fits"], answer["then"]["fits"], answer["then"]["runs_out"]),
                         (16, True, 8, 16, "MEMORY_MB"))
        self.assertFalse(self.simulate(count=9)["fits"])
        self.assertNotIn("fits", self.simulate())
        for host in (first, second):  # Nothing was written.
            self.assertEqual(self.call(200, "GET", f"/resource_providers/{host}/inventories/VCPU")["allocation_ratio"], 1.0)
            self.assertEqual(len(self.changes("provider=" + host)), 2)

    def test_hosts_more_and_less(self):
        (host, name), (other, _) = self.host(), self.host(vcpus=4)
        self.claim(host, {"VCPU": 4, "MEMORY_MB": 512})
        self.assertEqual(self.fits(), 2 + 2)
        self.assertEqual(self.fits(add=[{"count": 3, "like": name}]), 4 + 3 * 4)  # Empty ones.
        self.assertEqual(self.fits(add=[{"count": 2, "inventories": {"VCPU": {"total": 6, "reserved": 2}, "MEMORY_MB": {"total": 1 << 20}},
                                         "traits": [self.trait]}]), 4 + 2 * 2)
        self.assertEqual(self.fits(add=[{"count": 2, "inventories": {"VCPU": {"total": 6}, "MEMORY_MB": {"total": 1 << 20}}}]), 4)  # Not the trait.
        answer = self.simulate(drain=[name, name])
        self.assertIn(answer["then"]["fits"], (0, 2))  # What runs there may go to the other, or to hosts without the trait.
        self.assertEqual((answer["displaced"], answer["moved"]["placed"]), ({"VCPU": 4, "MEMORY_MB": 512}, 1))
        self.assertEqual(self.fits(drain=[host, other]), 0)

    def test_any_request(self):
        """As GET /allocation_candidates takes it: groups, aggregates, trees."""
        aggregate, (host, name), (other, _) = new(), self.host(), self.host()
        self.call(200, "PUT", f"/resource_providers/{other}/aggregates", {"resource_provider_generation": 2, "aggregates": [aggregate]})
        for _ in range(3):
            child = self.provider({"SRIOV_NET_VF": {"total": 5}}, name="sim-" + new(), parent=host)
            self.call(200, "PUT", f"/resource_providers/{child}/traits", {"resource_provider_generation": 1, "traits": ["HW_NIC_SRIOV"]})

        def fits(query, **more):
            return self.call(200, "POST", "/OS-VIRGA/simulate", {"query": query, **more})["then"]["fits"]

        plain = f"resources=VCPU:2&required={self.trait}"
        self.assertEqual(fits(plain), 8)
        self.assertEqual(fits(plain + "&member_of=" + aggregate), 4)
        self.assertEqual(fits(plain + "&member_of=!" + aggregate), 4)
        self.assertEqual(fits(plain + "&in_tree=" + other), 4)
        self.assertEqual(fits(f"resources=VCPU:1&root_required={self.trait}&limit=1"), 16)
        groups = f"resources=VCPU:1&required={self.trait}&resources_A=SRIOV_NET_VF:2&required_A=HW_NIC_SRIOV&resources_B=SRIOV_NET_VF:2&group_policy="
        self.assertEqual(fits(groups + "isolate"), 3)
        self.assertEqual(fits(groups + "none"), 3)
        self.assertEqual(fits(groups + "isolate", add=[{"count": 2, "like": name}]), 9)
        endless = [{"resource_class": "SRIOV_NET_VF", "allocation_ratio": 3e38}]
        self.assertEqual(fits(groups + "isolate", ratios=endless), 8)  # As many as VCPU.
        self.assertGreater(fits(groups + "isolate", ratios=endless + [{"resource_class": "VCPU", "allocation_ratio": 3e38}]), 10**9)
        for query in ("", "resources=NOPE:1", "resources=VCPU:x", "resources=VCPU:1&color=red", "resources1=VCPU:1&resources2=VCPU:1", "%"):
            self.call(400, "POST", "/OS-VIRGA/simulate", {"query": query})
        self.call(400, "POST", "/OS-VIRGA/simulate", {"query": plain, "flavor": self.flavor})

    def test_drained_hosts_give_away_what_they_run(self):
        (host, name), (other, other_name) = self.host(vcpus=16), self.host(vcpus=8)
        rest = [p["name"] for p in self.call(200, "GET", "/resource_providers")["resource_providers"]
                if p["uuid"] not in (host, other) and p["uuid"] == p["root_provider_uuid"]]
        small = [self.claim(host, {"VCPU": 1, "MEMORY_MB": 128}) for _ in range(3)]
        large = self.claim(host, {"VCPU": 5, "MEMORY_MB": 128})
        # Nowhere else is room.
        nowhere = [{"resource_class": "VCPU", "allocation_ratio": 0, "hosts": rest}]
        answer = self.simulate(drain=[name], ratios=nowhere)
        self.assertEqual((answer["displaced"], answer["moved"]["consumers"], answer["moved"]["placed"], answer["moved"]["stuck"]),
                         ({"VCPU": 8, "MEMORY_MB": 512}, 4, 4, []))
        self.assertEqual(answer["moved"]["hosts"], [{"uuid": other, "name": other_name, "consumers": 4}])
        self.assertEqual((answer["now"]["fits"], answer["then"]["fits"]), (4 + 4, 0))
        # One more is too many: the large ones have their places first, and what does not fit is named.
        late = self.claim(host, {"VCPU": 1, "MEMORY_MB": 128})
        answer = self.simulate(drain=[name], ratios=nowhere)
        self.assertEqual((answer["moved"]["consumers"], answer["moved"]["placed"], answer["then"]["fits"]), (5, 4, 0))
        said, = answer["moved"]["stuck"]
        self.assertIn(said["consumer_uuid"], small + [late])
        self.assertEqual((said["host"], said["resources"], said["consumer_type"]), (name, {"VCPU": 1, "MEMORY_MB": 128}, "INSTANCE"))
        self.assertGreaterEqual(said["refused"]["VCPU"], 1)
        self.assertNotIn("fits", said["refused"])
        # With a host more all of it fits, and then some.
        answer = self.simulate(drain=[name], ratios=nowhere, add=[{"count": 1, "like": other}])
        self.assertEqual((answer["moved"]["placed"], answer["moved"]["stuck"]), (5, []))
        self.assertEqual({h["name"]: h["consumers"] for h in answer["moved"]["hosts"]}, {other_name: 4, "(added)": 1})
        self.assertEqual(answer["then"]["fits"], 3)
        for consumer in small + [large, late]:  # Nothing was written.
            self.assertEqual(list(self.call(200, "GET", "/allocations/" + consumer)["allocations"]), [host])
        text = virga("placement", "simulate", "--resource", "VCPU=2", "--required", self.trait, "--drain", name, "--ratio", "VCPU=0:" + ",".join(rest))
        self.assertIn("To be moved off the drained hosts: VCPU 9, MEMORY_MB 640.", text)
        self.assertIn(f"4 of 5 that run there find another place: {other_name} 4.", text)
        self.assertIn(f"No place for {said['consumer_uuid']} of {name} (VCPU 1, MEMORY_MB 128): refused by", text)

    def test_what_stays_binds_what_moves(self):
        """A disk on a shared pool stays there, so its guest can only go where that pool is shared; and the pool can be drained, too."""
        pools = [new(), new()]
        hosts = [self.host(), self.host(), self.host(vcpus=100)]
        for (host, _), aggregate in zip(hosts, (pools[0], pools[0], pools[1])):
            self.call(200, "PUT", f"/resource_providers/{host}/aggregates", {"resource_provider_generation": 2, "aggregates": [aggregate]})
        shares = []
        for aggregate in pools:
            shares.append((self.provider({"DISK_GB": {"total": 100}}, "pool-" + aggregate), "pool-" + aggregate))
            base = "/resource_providers/" + shares[-1][0]
            self.call(200, "PUT", base + "/traits", {"resource_provider_generation": 1, "traits": ["MISC_SHARES_VIA_AGGREGATE"]})
            self.call(200, "PUT", base + "/aggregates", {"resource_provider_generation": 2, "aggregates": [aggregate]})
        consumer = new()
        self.call(204, "PUT", "/allocations/" + consumer, {
            "allocations": {hosts[0][0]: {"resources": {"VCPU": 6}}, shares[0][0]: {"resources": {"DISK_GB": 50}}}, "project_id": "p", "user_id": "u",
            "consumer_generation": None, "consumer_type": "INSTANCE"})
        moved = self.simulate(drain=[hosts[0][1]])["moved"]
        self.assertEqual((moved["placed"], [h["uuid"] for h in moved["hosts"]]), (1, [hosts[1][0]]))
        self.claim(hosts[1][0], {"VCPU": 3})
        moved = self.simulate(drain=[hosts[0][1]])["moved"]
        self.assertEqual((moved["placed"], moved["stuck"][0]["resources"]), (0, {"VCPU": 6}))
        self.assertGreaterEqual(moved["stuck"][0]["refused"]["kept"], 1)
        # The disk moves, the guest stays: to no pool, for it is near none other; but to one that is like it.
        moved = self.simulate(drain=[shares[0][1]])["moved"]
        self.assertEqual((moved["placed"], moved["stuck"][0]["resources"]), (0, {"DISK_GB": 50}))

    def test_bad_bodies(self):
        host, _ = self.host()
        ratio = {"resource_class": "VCPU", "allocation_ratio": 2.0}
        for body in ({}, {"flavor": {}}, {"flavor": {"resources": {}}}, {"flavor": {"resources": {"VCPU": 0}}}, {"flavor": {"resources": {"VCPU": "1"}}},
                     {"flavor": {"resources": {"VCPU": 1 << 40}}}, {"flavor": {"resources": {"NOPE": 1}}}, {"flavor": {"resources": {"VCPU": True}}},
                     {"flavor": {"resources": {"VCPU": 1}, "required": ["NOPE"]}}, {"flavor": {"resources": {"VCPU": 1}, "required": [1]}}, [],
                     dict(flavor=self.flavor, count=0), dict(flavor=self.flavor, ratios=[{}]), dict(flavor=self.flavor, ratios=[dict(ratio, hosts=["nobody"])]),
                     dict(flavor=self.flavor, ratios=[dict(ratio, resource_class="NOPE")]), dict(flavor=self.flavor, ratios=[dict(ratio, allocation_ratio=-1)]),
                     dict(flavor=self.flavor, drain=["nobody"]), dict(flavor=self.flavor, drain=[""]), dict(flavor=self.flavor, drain=host),
                     dict(flavor=self.flavor, add=[{"count": 1}]), dict(flavor=self.flavor, add=[{"count": 1, "like": host, "inventories": {}}]),
                     dict(flavor=self.flavor, add=[{"count": 0, "like": host}]), dict(flavor=self.flavor, add=[{"count": 10**9, "like": host}]),
                     dict(flavor=self.flavor, add=[{"count": 1, "like": "nobody"}]), dict(flavor=self.flavor, add=[{"count": 1, "like": host, "traits": ["X"]}]),
                     dict(flavor=self.flavor, add=[{"count": 1, "inventories": {"NOPE": {"total": 1}}}]), dict(flavor=self.flavor, color="red"),
                     dict(flavor=self.flavor, add=[{"count": 1, "inventories": {"VCPU": {"total": 0}}}])):
            self.assertEqual(admin.request("POST", "placement", "/OS-VIRGA/simulate", body, VERSION)[0], 400, body)
        self.assertEqual(self.fits(), 4)  # And it still answers.

    def test_the_command(self):
        (_, name), (_, other) = self.host(), self.host()
        flavor = ("--resource", "VCPU=2", "--resource", "MEMORY_MB=512", "--required", self.trait)
        values = ("-f", "value", "-c", "When", "-c", "Fits", "-c", "Runs Out")
        self.assertEqual(virga("placement", "simulate", *flavor, *values).splitlines(), ["now 8 VCPU"])
        self.assertEqual(virga("placement", "simulate", *flavor, "--ratio", f"VCPU=16:{name},{other}", "--add", "1:" + name, "--drain", other, *values).splitlines(),
                         ["now 8 VCPU", "then 16 MEMORY_MB"])
        self.assertIn("100 more do not fit: it stops after 8, stopped first by VCPU.", virga("placement", "simulate", *flavor, "--count", "100"))
        self.assertIn("8 more fit.", virga("placement", "simulate", *flavor, "--count", "8"))


class Access(Case):
    def test_not_for_users(self):
        project = admin.expect(201, "POST", "identity", "/v3/projects", {"project": {"name": "p-" + new()}})["project"]
        user = admin.expect(201, "POST", "identity", "/v3/users", {"user": {"name": "u-" + new(), "password": "secret"}})["user"]
        role = admin.expect(200, "GET", "identity", "/v3/roles?name=member")["roles"][0]["id"]
        admin.expect(204, "PUT", "identity", f"/v3/projects/{project['id']}/users/{user['id']}/roles/{role}")
        member = cloud.session(user["name"], "secret", project["name"])
        for path in ("/OS-VIRGA/overcommit", "/OS-VIRGA/ratio-changes"):
            self.call(403, "GET", path, session=member)
        self.call(403, "POST", "/OS-VIRGA/simulate", {"flavor": {"resources": {"VCPU": 1}}}, session=member)


if __name__ == "__main__":
    unittest.main()
