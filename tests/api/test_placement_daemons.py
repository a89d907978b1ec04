#!/usr/bin/python3
"""Several placement daemons on one database: what one does, the other knows at its next answer; what breaks in between (the
database, a daemon) costs nothing that was accepted."""

import os
import sys
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from cloud import Cloud  # noqa: E402

VERSION = {"OpenStack-API-Version": "placement 1.39"}

cloud = first = second = None


def setUpModule():
    global cloud, first, second
    cloud = Cloud(services=["identity", "placement"])
    first = cloud.admin()
    second = first.at(cloud.add_daemon("placement"))


def tearDownModule():
    if cloud is not None:
        cloud.close()


def new():
    return str(uuid.uuid4())


class Case(unittest.TestCase):
    def call(self, expected, session, method, path, body=None):
        return session.expect(expected, method, "placement", path, body, VERSION)

    def provider(self, session, total=10, resource="VCPU", parent=None):
        body = {"name": "host-" + new(), "uuid": new()}
        if parent:
            body["parent_provider_uuid"] = parent
        made = self.call(200, session, "POST", "/resource_providers", body)
        self.call(200, session, "PUT", f"/resource_providers/{made['uuid']}/inventories", {
            "resource_provider_generation": made["generation"], "inventories": {resource: {"total": total}}})
        return made["uuid"]

    def claim(self, session, provider, amount=1, resource="VCPU", expected=204):
        consumer = new()
        self.call(expected, session, "PUT", "/allocations/" + consumer, {
            "allocations": {provider: {"resources": {resource: amount}}}, "project_id": "p", "user_id": "u",
            "consumer_generation": None, "consumer_type": "INSTANCE"})
        return consumer

    def found(self, session, query):
        answer = self.call(200, session, "GET", "/allocation_candidates?" + query)
        return [set(r["allocations"]) for r in answer["allocation_requests"]]


class TwoDaemons(Case):
    def test_each_sees_at_once_what_the_other_did(self):
        for _ in range(20):
            host = self.provider(first)
            query = f"resources=VCPU:10&in_tree={host}"
            self.assertEqual(self.found(second, query), [{host}])
            consumer = self.claim(second, host)
            self.assertEqual(self.found(first, query), [])
            self.call(204, first, "DELETE", "/allocations/" + consumer)
            self.assertEqual(self.found(second, query), [{host}])
            self.call(204, second, "DELETE", "/resource_providers/" + host)
            self.assertEqual(self.found(first, query), [])

    def test_names_that_the_other_made(self):
        trait, kind = "CUSTOM_T" + uuid.uuid4().hex.upper(), "CUSTOM_C" + uuid.uuid4().hex.upper()
        self.call(400, second, "GET", f"/allocation_candidates?resources=VCPU:1&required={trait}")
        self.call(201, first, "PUT", "/traits/" + trait)
        self.assertEqual(self.found(second, f"resources=VCPU:1&required={trait}"), [])
        self.call(201, second, "PUT", "/resource_classes/" + kind)
        host = self.provider(first, resource=kind)
        self.assertEqual(self.found(second, f"resources={kind}:1"), [{host}])
        self.assertEqual(self.found(first, f"resources={kind}:1"), [{host}])


if __name__ == "__main__":
    unittest.main()
