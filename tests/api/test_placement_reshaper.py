#!/usr/bin/python3
"""POST /reshaper: inventories and allocations of several providers and consumers in one step, or not at all."""

import os
import sys
import threading
import time
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from cloud import Cloud  # noqa: E402

cloud = admin = None


def setUpModule():
    global cloud, admin
    cloud = Cloud(services=["identity", "placement"])
    admin = cloud.service("placement")  # Only services reshape.
    until = time.monotonic() + 20
    while call("GET", "/resource_providers")[0] == 503 and time.monotonic() < until:
        time.sleep(0.1)  # It has only just started: until it verifies tokens.


def tearDownModule():
    if cloud is not None:
        cloud.close()


def call(method, path, body=None, version="1.39"):
    status, _, content = admin.request(method, "placement", path, body, {"OpenStack-API-Version": "placement " + version})
    return status, content


class Reshaper(unittest.TestCase):
    """A host with VCPU and DISK_GB, both in use by one server, and a child provider without anything."""

    def setUp(self):
        self.host, self.child, self.server = (str(uuid.uuid4()) for _ in range(3))
        for provider, parent in ((self.host, None), (self.child, self.host)):
            self.assertEqual(call("POST", "/resource_providers", {"name": provider, "uuid": provider, "parent_provider_uuid": parent})[0], 200)
        self.assertEqual(call("PUT", f"/resource_providers/{self.host}/inventories", {
            "resource_provider_generation": 0, "inventories": {"VCPU": {"total": 8}, "DISK_GB": {"total": 100}}})[0], 200)
        self.assertEqual(call("PUT", "/allocations/" + self.server, self.claim({self.host: {"VCPU": 4, "DISK_GB": 50}}))[0], 204)
        self.before = self.state()

    def claim(self, allocations, generation=None):
        return {"allocations": {p: {"resources": r} for p, r in allocations.items()}, "project_id": "p", "user_id": "u",
                "consumer_generation": generation, "consumer_type": "INSTANCE"}

    def inventories(self, spec):
        return {p: {"resource_provider_generation": call("GET", "/resource_providers/" + p)[1]["generation"],
                    "inventories": {k: {"total": total} for k, total in x.items()}} for p, x in spec.items()}

    def state(self):
        return [call("GET", f"/resource_providers/{p}/{part}")[1] for p in (self.host, self.child)
                for part in ("inventories", "usages", "allocations")] + [call("GET", "/allocations/" + self.server)[1]]

    def split(self):
        return {"inventories": self.inventories({self.host: {"VCPU": 8}, self.child: {"DISK_GB": 100}}),
                "allocations": {self.server: self.claim({self.host: {"VCPU": 4}, self.child: {"DISK_GB": 50}}, 1)}}

    def refused(self, status, body, code="placement.undefined_code", says="", version="1.39"):
        """Nothing of it is done."""
        got, content = call("POST", "/reshaper", body, version)
        self.assertEqual(got, status, content)
        self.assertEqual(content["errors"][0]["code"], code, content)
        self.assertIn(says, content["errors"][0]["detail"])
        self.assertEqual(self.state(), self.before)

    def test_split_and_join(self):
        self.assertEqual(call("POST", "/reshaper", self.split())[0], 204)
        self.assertEqual(call("GET", f"/resource_providers/{self.host}/usages")[1]["usages"], {"VCPU": 4})
        self.assertEqual(call("GET", f"/resource_providers/{self.child}/usages")[1]["usages"], {"DISK_GB": 50})
        shown = call("GET", "/allocations/" + self.server)[1]
        self.assertEqual({p: x["resources"] for p, x in shown["allocations"].items()},
                         {self.host: {"VCPU": 4}, self.child: {"DISK_GB": 50}})
        self.assertEqual(shown["consumer_generation"], 2)
        again = {"inventories": self.inventories({self.host: {"VCPU": 8, "DISK_GB": 100}, self.child: {}}),
                 "allocations": {self.server: self.claim({self.host: {"VCPU": 4, "DISK_GB": 50}}, 2)}}
        self.assertEqual(call("POST", "/reshaper", again)[0], 204)
        self.assertEqual(call("GET", f"/resource_providers/{self.host}/usages")[1]["usages"], {"VCPU": 4, "DISK_GB": 50})
        self.assertEqual(call("GET", f"/resource_providers/{self.child}/inventories")[1]["inventories"], {})

    def test_all_or_nothing(self):
        stranger = str(uuid.uuid4())
        body = self.split()
        body["inventories"][self.child]["resource_provider_generation"] += 1
        self.refused(409, body, "placement.concurrent_update", "generation conflict")
        body = self.split()
        body["inventories"][stranger] = {"resource_provider_generation": 0, "inventories": {}}
        self.refused(400, body, "placement.resource_provider.not_found", stranger)
        body = self.split()
        body["allocations"][self.server]["consumer_generation"] = 5
        self.refused(409, body, "placement.concurrent_update", "consumer generation conflict")
        body = self.split()
        body["allocations"] = {}
        self.refused(409, body, "placement.inventory.inuse", "DISK_GB")
        body = self.split()
        body["inventories"][self.child]["inventories"]["DISK_GB"]["total"] = 49
        self.refused(409, body, says="exceed the capacity")
        body = self.split()
        body["inventories"][self.child]["inventories"]["CUSTOM_NOTHING"] = {"total": 1}
        self.refused(400, body, says="No such resource class CUSTOM_NOTHING")
        body = self.split()
        body["allocations"][stranger] = self.claim({self.child: {"CUSTOM_NOTHING": 1}})
        self.refused(400, body, says="No such resource class CUSTOM_NOTHING")
        body = self.split()
        body["allocations"][stranger] = self.claim({stranger: {"VCPU": 1}})
        self.refused(400, body, says="does not exist")
        self.assertEqual(call("GET", "/allocations/" + stranger)[1], {"allocations": {}})

    def test_bad_bodies(self):
        good = self.split()
        for body in ({}, [], {"inventories": {}, "allocations": {}}, {"inventories": good["inventories"]}, dict(good, other=1),
                     dict(good, inventories=[]), dict(good, allocations=[]), dict(good, inventories={"x": good["inventories"][self.host]}),
                     dict(good, allocations={"x": good["allocations"][self.server]}),
                     dict(good, inventories={self.host: {"inventories": {}}}),
                     dict(good, inventories={self.host: dict(good["inventories"][self.host], inventories={"VCPU": {"total": 0}})})):
            self.refused(400, body, says="JSON does not validate")

    def test_versions(self):
        self.assertEqual(call("POST", "/reshaper", self.split(), "1.29")[0], 404)
        typed = self.split()
        self.refused(400, typed, says="'consumer_type' was unexpected", version="1.37")
        untyped = self.split()
        del untyped["allocations"][self.server]["consumer_type"]
        self.refused(400, untyped, says="'consumer_type' is a required property", version="1.38")
        self.refused(400, dict(untyped, allocations={self.server: dict(untyped["allocations"][self.server], mappings={"": [self.host]})}),
                     says="'mappings' was unexpected", version="1.33")
        self.assertEqual(call("POST", "/reshaper", untyped, "1.30")[0], 204)

    def test_shrinking_an_overrun_host(self):
        """What does not add to an overrun is accepted, here as everywhere."""
        self.assertEqual(call("POST", "/reshaper", {"inventories": self.inventories({self.host: {"VCPU": 2, "DISK_GB": 10}}),
                                                    "allocations": {}})[0], 204)
        body = {"inventories": self.inventories({self.host: {"VCPU": 2, "DISK_GB": 10}}),
                "allocations": {self.server: self.claim({self.host: {"VCPU": 3, "DISK_GB": 50}}, 1)}}
        self.assertEqual(call("POST", "/reshaper", body)[0], 204)
        body = {"inventories": self.inventories({self.host: {"VCPU": 2, "DISK_GB": 10}}),
                "allocations": {self.server: self.claim({self.host: {"VCPU": 4, "DISK_GB": 50}}, 2)}}
        self.before = self.state()
        self.refused(409, body, says="exceed the capacity")

    def test_concurrent_reshapes(self):
        """Of several with the same generations one wins; the others are told, and nothing is mixed."""
        body, results = self.split(), []
        threads = [threading.Thread(target=lambda: results.append(call("POST", "/reshaper", body))) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(sorted(status for status, _ in results), [204] + [409] * 7, results)
        for status, content in results:
            if status == 409:
                self.assertEqual(content["errors"][0]["code"], "placement.concurrent_update")
        self.assertEqual(call("GET", f"/resource_providers/{self.child}/usages")[1]["usages"], {"DISK_GB": 50})


if __name__ == "__main__":
    unittest.main()
