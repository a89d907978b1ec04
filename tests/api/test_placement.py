#!/usr/bin/python3
"""The placement service as its clients see it: providers, inventories, traits, claims, candidates, microversion by
microversion; and what must not work, above all giving out more than there is."""

import os
import sys
import threading
import time
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from cloud import Cloud  # noqa: E402

NOBODY = "00000000-0000-4000-8000-000000000000"
LATEST = "1.39"
MOST = 300  # Candidates of one answer.

cloud = admin = member = reader = None


def make_user(name, project, role):
    found = admin.expect(200, "GET", "identity", "/v3/projects?name=" + project)["projects"]
    if not found:
        found = [admin.expect(201, "POST", "identity", "/v3/projects",
                              {"project": {"name": project, "domain_id": "default"}})["project"]]
    user = admin.expect(201, "POST", "identity", "/v3/users",
                        {"user": {"name": name, "password": "secret", "domain_id": "default"}})["user"]
    role_id = admin.expect(200, "GET", "identity", "/v3/roles?name=" + role)["roles"][0]["id"]
    admin.expect(204, "PUT", "identity", f"/v3/projects/{found[0]['id']}/users/{user['id']}/roles/{role_id}")
    return cloud.session(name, "secret", project)


def setUpModule():
    global cloud, admin, member, reader
    cloud = Cloud(services=["identity", "placement"], settings={"placement": {"placement": {"max_allocation_candidates": MOST}}})
    admin = cloud.admin()
    until = time.monotonic() + 20
    while admin.request("GET", "placement", "/resource_providers")[0] == 503 and time.monotonic() < until:
        time.sleep(0.1)  # It has only just started: until it verifies tokens.
    member = make_user("ann", "one", "member")
    reader = make_user("rita", "two", "reader")


def tearDownModule():
    if cloud is not None:
        cloud.close()


def new():
    return str(uuid.uuid4())


class Case(unittest.TestCase):
    def call(self, method, path, body=None, version=LATEST, session=None, headers=None):
        send = {} if version is None else {"OpenStack-API-Version": "placement " + version}
        send.update(headers or {})
        return (session or admin).request(method, "placement", path, body, send)

    def expect(self, expected, method, path, body=None, version=LATEST, session=None):
        status, _, content = self.call(method, path, body, version, session)
        self.assertEqual(status, expected, f"{method} {path} at {version}: {content}")
        return content

    def refused(self, expected, method, path, body=None, version=LATEST, code="placement.undefined_code", says=None, session=None):
        """An error with exactly the members that its version has."""
        content = self.expect(expected, method, path, body, version, session)
        self.assertEqual(list(content), ["errors"])
        error, = content["errors"]
        self.assertEqual(error["status"], expected)
        self.assertTrue(error["title"])
        self.assertTrue(error["request_id"].startswith("req-"))
        if tuple(map(int, version.split("."))) >= (1, 23):
            self.assertEqual(error["code"], code)
        else:
            self.assertNotIn("code", error)
        if says:
            self.assertIn(says, error["detail"])
        return error

    def provider(self, inventories=None, parent=None, traits=None, aggregates=None, name=None):
        """A provider's uuid; 'inventories' are totals or whole inventories by class."""
        body = {"name": name or "host-" + new(), "uuid": new()}
        if parent:
            body["parent_provider_uuid"] = parent
        made = self.expect(200, "POST", "/resource_providers", body)
        generation, path = made["generation"], "/resource_providers/" + made["uuid"]
        if inventories:
            full = {k: v if isinstance(v, dict) else {"total": v} for k, v in inventories.items()}
            generation = self.expect(200, "PUT", path + "/inventories", {
                "resource_provider_generation": generation, "inventories": full})["resource_provider_generation"]
        if traits:
            generation = self.expect(200, "PUT", path + "/traits", {
                "resource_provider_generation": generation, "traits": traits})["resource_provider_generation"]
        if aggregates:
            self.expect(200, "PUT", path + "/aggregates", {
                "resource_provider_generation": generation, "aggregates": aggregates})
        return made["uuid"]

    def generation(self, provider):
        return self.expect(200, "GET", "/resource_providers/" + provider)["generation"]

    def usages(self, provider):
        return self.expect(200, "GET", f"/resource_providers/{provider}/usages")["usages"]

    def claim_body(self, allocations, generation=None, kind="INSTANCE", project="p"):
        return {"allocations": {p: {"resources": r} for p, r in allocations.items()}, "project_id": project,
                "user_id": "u", "consumer_generation": generation, "consumer_type": kind}

    def claim(self, allocations, consumer=None, expected=204, **more):
        consumer = consumer or new()
        self.expect(expected, "PUT", "/allocations/" + consumer, self.claim_body(allocations, **more))
        return consumer

    def candidates(self, query, version=LATEST):
        return self.expect(200, "GET", "/allocation_candidates?" + query, version=version)

    def found(self, query, version=LATEST):
        """The providers that candidates name, sets of a candidate each."""
        return [set(r["allocations"]) for r in self.candidates(query, version)["allocation_requests"]]


class Access(Case):
    def test_version_document(self):
        status, headers, content = admin.request("GET", "placement", "/", headers={"X-Auth-Token": ""})
        self.assertEqual(status, 200)
        self.assertEqual(content, {"versions": [{"id": "v1.0", "max_version": "1.39", "min_version": "1.0", "status": "CURRENT",
                                                 "links": [{"rel": "self", "href": ""}]}]})

    def test_without_token(self):
        for method, path in (("GET", "/resource_providers"), ("PUT", "/allocations/" + NOBODY), ("GET", "/usages?project_id=x"),
                             ("GET", "/OS-VIRGA/explain?resources=VCPU:1")):
            status, headers, _ = admin.request(method, "placement", path, headers={
                "X-Auth-Token": "nonsense", "OpenStack-API-Version": "placement " + LATEST})
            self.assertEqual(status, 401)
            self.assertIn("Keystone uri=", headers["WWW-Authenticate"])

    def test_users_may_only_read_their_usage(self):
        for method, path in (("GET", "/resource_providers"), ("POST", "/resource_providers"), ("GET", "/resource_providers/" + NOBODY),
                             ("DELETE", "/resource_providers/" + NOBODY), ("GET", "/allocation_candidates?resources=VCPU:1"),
                             ("GET", "/allocations/" + NOBODY), ("PUT", "/allocations/" + NOBODY), ("DELETE", "/allocations/" + NOBODY),
                             ("POST", "/allocations"), ("POST", "/reshaper"), ("GET", "/traits"), ("PUT", "/traits/CUSTOM_X"), ("GET", "/resource_classes"),
                             ("GET", "/OS-VIRGA/explain?resources=VCPU:1")):
            self.refused(403, method, path, {} if method in ("POST", "PUT") else None, session=member)
        self.expect(200, "GET", "/usages?project_id=" + reader.project_id, session=reader)
        self.expect(200, "GET", "/usages?project_id=" + member.project_id, session=member)
        self.refused(403, "GET", "/usages?project_id=" + reader.project_id, session=member)
        self.refused(403, "GET", "/usages", session=member)
        self.expect(200, "GET", "/usages?project_id=" + reader.project_id)

    def test_tokens_of_other_scopes(self):
        """The rules are for projects: not even an administrator of the system or of a domain passes."""
        user = admin.expect(201, "POST", "identity", "/v3/users", {"user": {"name": new(), "password": "secret", "domain_id": "default"}})["user"]
        role = admin.expect(200, "GET", "identity", "/v3/roles?name=admin")["roles"][0]["id"]
        for where, scope in (("system", {"system": {"all": True}}), ("domains/default", {"domain": {"id": "default"}})):
            admin.expect(204, "PUT", "identity", f"/v3/{where}/users/{user['id']}/roles/{role}")
            session = cloud.session(user["name"], "secret", scope=scope)
            for method, path in (("GET", "/resource_providers"), ("POST", "/resource_providers"), ("GET", "/usages?project_id=x"),
                                 ("GET", "/allocation_candidates?resources=VCPU:1"), ("PUT", "/allocations/" + NOBODY), ("POST", "/reshaper"),
                                 ("DELETE", "/resource_providers/" + NOBODY), ("GET", "/OS-VIRGA/explain?resources=VCPU:1")):
                self.refused(403, method, path, {} if method in ("POST", "PUT") else None, session=session)
            self.expect(200, "GET", "/", session=session)

    def test_only_services_reshape(self):
        service = make_user("sam", "three", "service")
        self.refused(403, "POST", "/reshaper", {})
        self.refused(400, "POST", "/reshaper", {}, session=service, says="JSON does not validate")

    def test_the_rule_comes_before_the_body(self):
        for body in (b"", b"{", b"[]"):
            for path in ("/reshaper", "/resource_providers"):
                status, _, _ = self.call("POST", path, body, session=member, headers={"Content-Type": "application/json"})
                self.assertEqual(status, 403, (path, body))

    def test_which_rule_of_the_schema(self):
        """A refused body or query is told which rule it breaks, and where."""
        long = "x" * 256
        inventory = {"resource_class": "VCPU", "total": 1, "resource_provider_generation": 0}
        place = self.expect(200, "POST", "/resource_providers", {"name": new()})["uuid"]
        for method, path, body, rule in (
                ("POST", "/resource_providers", {}, "'required' in schema"),
                ("POST", "/resource_providers", {"name": "x", "colour": 1}, "'additionalProperties' in schema"),
                ("POST", "/resource_providers", {"name": 1}, "'type' in schema['properties']['name']"),
                ("POST", "/resource_providers", {"name": long}, "'maxLength' in schema['properties']['name']"),
                ("POST", "/resource_providers", {"name": "x", "uuid": "y"}, "'format' in schema['properties']['uuid']"),
                ("POST", f"/resource_providers/{place}/inventories", dict(inventory, total=0), "'minimum' in schema['properties']['total']"),
                ("POST", f"/resource_providers/{place}/inventories", dict(inventory, total=1 << 31), "'maximum' in schema['properties']['total']"),
                ("POST", "/resource_classes", {"name": "custom"}, "'pattern' in schema['properties']['name']"),
                ("PUT", "/allocations/" + NOBODY, {"allocations": {NOBODY: {"resources": {}}}, "project_id": "p", "user_id": "u", "consumer_generation":
                                                   None, "consumer_type": "X"}, f"'minProperties' in schema['properties']['allocations']['properties']['{NOBODY}']"),
                ("GET", "/resource_providers?uuid=x", None, "'format' in schema['properties']['uuid']"),
                ("GET", "/resource_providers?cow=x", None, "'additionalProperties' in schema"),
                ("GET", "/usages", None, "'required' in schema"),
                ("GET", "/usages?project_id=", None, "'minLength' in schema['properties']['project_id']"),
                ("GET", "/usages?project_id=x&user_id=" + long, None, "'maxLength' in schema['properties']['user_id']"),
                ("GET", "/allocation_candidates?resources=VCPU:1&limit=0", None, "'pattern' in schema['properties']['limit']")):
            self.refused(400, method, path, body, says="Failed validating " + rule)

    def test_all_orphaned_groups_are_named(self):
        for query, keys in (("required=A&required1=B&resources2=VCPU:1", "traits keys: required, required1"),
                            (f"member_of={NOBODY}&member_of3={NOBODY}", "member_of keys: member_of, member_of3")):
            self.refused(400, "GET", "/allocation_candidates?" + query, version="1.25", says="Found the following orphaned " + keys)

    def test_versions(self):
        status, headers, _ = self.call("GET", "/resource_providers", version="latest")
        self.assertEqual((status, headers["OpenStack-API-Version"]), (200, "placement 1.39"))
        self.assertEqual(headers["Vary"], "openstack-api-version")
        status, headers, _ = self.call("GET", "/resource_providers", version=None)
        self.assertEqual((status, headers["OpenStack-API-Version"]), (200, "placement 1.0"))
        status, _, content = self.call("GET", "/resource_providers", version="1.40")
        self.assertEqual(status, 406)
        self.assertEqual((content["errors"][0]["min_version"], content["errors"][0]["max_version"]), ("1.0", "1.39"))
        for version, status, says in (("one", 400, "invalid version string: one"), ("1.2.3", 400, "invalid version string: 1.2.3"),
                                      ("9.9", 406, "Unacceptable version header: 9.9")):
            for path in ("/", "/resource_providers"):
                got, _, content = self.call("GET", path, version=version)
                self.assertEqual((got, content["errors"][0]["detail"]), (status, "Invalid microversion: " + says))

    def test_operations_before_their_time(self):
        some = "/resource_providers/" + NOBODY
        for path, first in ((some + "/aggregates", 1), ("/resource_classes", 2), ("/traits", 6), (some + "/traits", 6),
                            ("/usages?project_id=x", 9), ("/allocation_candidates?resources=VCPU:1", 10)):
            self.refused(404, "GET", path, version=f"1.{first - 1}")
            self.assertNotEqual(self.call("GET", path, version=f"1.{first}")[2], self.call("GET", path, version=f"1.{first - 1}")[2])
        self.refused(404, "POST", "/allocations", {}, version="1.12")
        status, headers, _ = self.call("DELETE", some + "/inventories", version="1.4")
        self.assertEqual(status, 405)
        self.assertIn("GET", headers["Allow"])
        self.refused(404, "POST", "/reshaper", {}, version="1.29")

    def test_bodies(self):
        self.refused(405, "PATCH", "/resource_providers", says="The method PATCH is not allowed for this resource.")
        self.refused(404, "GET", "/nothing")
        self.assertEqual(self.call("POST", "/resource_providers", b"{", headers={"Content-Type": "application/json"})[0], 400)
        self.assertEqual(self.call("POST", "/resource_providers", b'{"name": "x"}', headers={"Content-Type": "text/plain"})[0], 415)
        status, _, content = self.call("POST", "/resource_providers", b'{"name": "x"}')
        self.assertEqual((status, content["errors"][0]["detail"]), (400, "content-type header required when content-length > 0"))
        status, _, content = self.call("GET", "/resource_providers", headers={"Accept": "text/plain"})
        self.assertEqual((status, content["errors"][0]["detail"]), (406, "Only application/json is provided"))
        self.assertNotIn("max_version", content["errors"][0])

    def test_cache_headers(self):
        provider = self.provider({"VCPU": 1})
        for path in ("/resource_providers", f"/resource_providers/{provider}", f"/resource_providers/{provider}/inventories",
                     f"/resource_providers/{provider}/inventories/VCPU", f"/resource_providers/{provider}/usages",
                     f"/resource_providers/{provider}/aggregates", f"/resource_providers/{provider}/traits",
                     f"/resource_providers/{provider}/allocations", "/allocations/" + NOBODY, "/traits", "/traits/HW_CPU_X86_AVX",
                     "/resource_classes", "/resource_classes/VCPU", "/usages?project_id=p", "/allocation_candidates?resources=VCPU:1"):
            _, old, _ = self.call("GET", path, version="1.14")
            status, headers, _ = self.call("GET", path, version="1.15")
            self.assertIn(status, (200, 204), path)
            self.assertEqual(headers["Cache-Control"], "no-cache", path)
            self.assertRegex(headers["Last-Modified"], r"^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$")
            self.assertNotIn("Last-Modified", old, path)


class Providers(Case):
    def test_create(self):
        name, given = "Höst " + new(), new()
        status, headers, content = self.call("POST", "/resource_providers", {"name": name, "uuid": given.replace("-", "")}, version="1.19")
        self.assertEqual((status, content), (201, b""))
        self.assertTrue(headers["Location"].endswith("/resource_providers/" + given))
        shown = self.expect(200, "GET", "/resource_providers/" + given, version="1.0")
        self.assertEqual(shown, {"uuid": given, "name": name, "generation": 0, "links": [
            {"rel": rel, "href": f"/resource_providers/{given}{end}"} for rel, end in
            (("self", ""), ("inventories", "/inventories"), ("usages", "/usages"))]})
        status, headers, made = self.call("POST", "/resource_providers", {"name": "host-" + new()}, version="1.20")
        self.assertEqual(status, 200)
        self.assertEqual([x["rel"] for x in made["links"]], ["self", "inventories", "usages", "aggregates", "traits", "allocations"])
        self.assertEqual((made["parent_provider_uuid"], made["root_provider_uuid"]), (None, made["uuid"]))
        self.refused(409, "POST", "/resource_providers", {"name": name}, code="placement.duplicate_name", says=f"name: {name}")
        self.refused(409, "POST", "/resource_providers", {"name": "y", "uuid": given}, code="placement.duplicate_name", says=given)

    def test_bad_bodies(self):
        for body in ({}, {"name": "x" * 201}, {"name": 1}, {"name": None}, {"name": "x", "uuid": "y"}, {"name": "x", "uuid": 5},
                     {"name": "x", "color": 1}, {"name": "x", "parent_provider_uuid": "no"}, []):
            self.refused(400, "POST", "/resource_providers", body, says="JSON does not validate")
        self.refused(400, "POST", "/resource_providers", {"name": ""}, says="name is required")
        self.refused(400, "POST", "/resource_providers", {"name": "x", "parent_provider_uuid": None}, version="1.13")
        self.refused(400, "POST", "/resource_providers", {"name": "x", "parent_provider_uuid": NOBODY}, says="does not exist")
        own = new()
        self.refused(400, "POST", "/resource_providers", {"name": "x", "uuid": own, "parent_provider_uuid": own}, says="cannot be same")
        provider = self.provider()
        for body in ({}, {"name": "x", "uuid": new()}, {"parent_provider_uuid": None}):
            self.refused(400, "PUT", "/resource_providers/" + provider, body)

    def test_absent(self):
        for method, path, body in (("GET", "", None), ("PUT", "", {"name": "x"}), ("DELETE", "", None), ("GET", "/inventories", None),
                                   ("GET", "/inventories/VCPU", None), ("DELETE", "/inventories", None), ("GET", "/usages", None),
                                   ("GET", "/traits", None), ("DELETE", "/traits", None), ("GET", "/aggregates", None),
                                   ("GET", "/allocations", None), ("DELETE", "/inventories/VCPU", None),
                                   ("POST", "/inventories", {"resource_class": "VCPU", "total": 1}),
                                   ("PUT", "/inventories", {"resource_provider_generation": 0, "inventories": {}}),
                                   ("PUT", "/traits", {"resource_provider_generation": 0, "traits": []}),
                                   ("PUT", "/aggregates", {"resource_provider_generation": 0, "aggregates": []})):
            for name in (NOBODY, "x", "%20", "a'b"):
                self.refused(404, method, f"/resource_providers/{name}{path}", body, says="No resource provider with uuid")

    def test_rename(self):
        one, two = self.provider(), self.provider()
        name = self.expect(200, "GET", "/resource_providers/" + two)["name"]
        self.refused(409, "PUT", "/resource_providers/" + one, {"name": name}, code="placement.duplicate_name",
                     says=f"Conflicting resource provider {name} already exists.")
        changed = self.expect(200, "PUT", "/resource_providers/" + one, {"name": "new-" + one})
        self.assertEqual((changed["name"], changed["generation"]), ("new-" + one, 0))
        listed = self.expect(200, "GET", "/resource_providers?name=new-" + one)["resource_providers"]
        self.assertEqual([p["uuid"] for p in listed], [one])

    def test_trees(self):
        root = self.provider()
        child = self.provider(parent=root)
        grandchild = self.provider(parent=child)
        other = self.provider()
        shown = self.expect(200, "GET", "/resource_providers/" + grandchild)
        self.assertEqual((shown["parent_provider_uuid"], shown["root_provider_uuid"]), (child, root))
        tree = self.expect(200, "GET", "/resource_providers?in_tree=" + child)["resource_providers"]
        self.assertEqual({p["uuid"] for p in tree}, {root, child, grandchild})
        self.refused(409, "DELETE", "/resource_providers/" + root, code="placement.resource_provider.cannot_delete_parent",
                     says="It has child resource providers.")
        body = {"name": "c-" + child, "parent_provider_uuid": other}
        self.refused(400, "PUT", "/resource_providers/" + child, body, version="1.36", says="re-parenting")
        self.refused(400, "PUT", "/resource_providers/" + child, dict(body, parent_provider_uuid=None), version="1.36", says="un-parenting")
        self.refused(400, "PUT", "/resource_providers/" + root, {"name": "r", "parent_provider_uuid": grandchild}, says="loop")
        self.refused(400, "PUT", "/resource_providers/" + root, {"name": "r", "parent_provider_uuid": root}, says="loop")
        self.expect(200, "PUT", "/resource_providers/" + child, body, version="1.37")
        self.assertEqual(self.expect(200, "GET", "/resource_providers/" + grandchild)["root_provider_uuid"], other)
        tree = self.expect(200, "GET", "/resource_providers?in_tree=" + other)["resource_providers"]
        self.assertEqual({p["uuid"] for p in tree}, {other, child, grandchild})
        self.expect(200, "PUT", "/resource_providers/" + child, dict(body, parent_provider_uuid=None))
        self.assertEqual(self.expect(200, "GET", "/resource_providers/" + grandchild)["root_provider_uuid"], child)
        for provider in (grandchild, child, root, other):
            self.expect(204, "DELETE", "/resource_providers/" + provider)
        self.refused(404, "DELETE", "/resource_providers/" + child, says="found for delete")

    def test_loops_of_two_moves(self):
        """a below b and b below a at the same time: one of them is refused."""
        for _ in range(5):
            a, b = self.provider(), self.provider()
            answers = parallel([lambda x=x, y=y: self.call("PUT", "/resource_providers/" + x, {"name": "n-" + x, "parent_provider_uuid": y})
                                for x, y in ((a, b), (b, a))])
            self.assertEqual(sorted(r[0] for r in answers), [200, 400])

    def test_list_filters(self):
        agg = new()
        one = self.provider({"VCPU": {"total": 4, "max_unit": 3}}, traits=["HW_CPU_X86_SHA"], aggregates=[agg])
        two = self.provider({"VCPU": 8}, aggregates=[agg])

        def listed(query, version=LATEST):
            return [p["uuid"] for p in self.expect(200, "GET", "/resource_providers?" + query, version=version)["resource_providers"]]

        self.assertEqual(listed("uuid=" + one, "1.0"), [one])
        self.assertEqual(listed("uuid=" + NOBODY), [])
        self.assertEqual(listed("member_of=" + agg, "1.3"), [one, two])
        self.assertEqual(listed(f"member_of={agg}&resources=VCPU:4"), [two])
        self.assertEqual(listed(f"member_of={agg}&resources=VCPU:3"), [one, two])
        self.assertEqual(listed(f"member_of={agg}&required=HW_CPU_X86_SHA", "1.18"), [one])
        self.assertEqual(listed(f"member_of={agg}&required=!HW_CPU_X86_SHA"), [two])
        self.assertEqual(listed(f"member_of=in:{agg},{NOBODY}"), [one, two])
        self.assertNotIn(one, listed("member_of=!" + agg))
        for query, version in (("color=1", LATEST), ("member_of=" + agg, "1.2"), ("resources=VCPU:1", "1.3"), ("in_tree=" + one, "1.13"),
                               ("required=HW_CPU_X86_SHA", "1.17"), ("uuid=x", LATEST), ("in_tree=x", LATEST), ("member_of=x", LATEST),
                               ("resources=VCPU", LATEST), ("resources=", LATEST), ("resources=NOPE:1", LATEST), ("required=", LATEST),
                               ("required=NOPE", LATEST), ("required=!HW_CPU_X86_SHA", "1.21"), ("member_of=!" + agg, "1.31"),
                               (f"member_of={agg}&member_of={agg}", "1.23"), (f"member_of={agg},{agg}", LATEST)):
            self.refused(400, "GET", "/resource_providers?" + query, version=version)


class Inventories(Case):
    FULL = {"total": 8, "reserved": 1, "min_unit": 1, "max_unit": 4, "step_size": 1, "allocation_ratio": 16.0}

    def test_life(self):
        provider = self.provider()
        path = f"/resource_providers/{provider}/inventories"
        self.assertEqual(self.expect(200, "GET", path), {"resource_provider_generation": 0, "inventories": {}})
        status, headers, made = self.call("POST", path, {"resource_class": "VCPU", "total": 8})
        self.assertEqual(status, 201)
        self.assertTrue(headers["Location"].endswith(path + "/VCPU"))
        self.assertEqual(made, {"total": 8, "reserved": 0, "min_unit": 1, "max_unit": 2147483647, "step_size": 1, "allocation_ratio": 1.0,
                                "resource_provider_generation": 1})
        self.refused(409, "POST", path, {"resource_class": "VCPU", "total": 8}, code="placement.concurrent_update")
        self.refused(400, "POST", path, {"resource_class": "NOPE", "total": 8}, says="No such resource class NOPE.")
        changed = self.expect(200, "PUT", path + "/VCPU", dict(self.FULL, resource_provider_generation=1))
        self.assertEqual(changed, dict(self.FULL, resource_provider_generation=2))
        self.assertEqual(self.expect(200, "GET", path + "/VCPU"), changed)
        self.refused(409, "PUT", path + "/VCPU", dict(self.FULL, resource_provider_generation=1), code="placement.concurrent_update",
                     says="resource provider generation conflict")
        self.refused(400, "PUT", path + "/DISK_GB", dict(self.FULL, resource_provider_generation=2), says="No inventory of class DISK_GB")
        self.refused(404, "GET", path + "/DISK_GB")
        self.refused(404, "DELETE", path + "/DISK_GB")
        self.expect(204, "DELETE", path + "/VCPU")
        self.assertEqual(self.generation(provider), 3)

    def test_set_all(self):
        provider = self.provider({"VCPU": 8, "MEMORY_MB": 1024})
        path = f"/resource_providers/{provider}/inventories"
        answer = self.expect(200, "PUT", path, {"resource_provider_generation": 1, "inventories": {"DISK_GB": {"total": 5}, "VCPU": self.FULL}})
        self.assertEqual(sorted(answer["inventories"]), ["DISK_GB", "VCPU"])
        self.assertEqual(self.expect(200, "GET", path), answer)
        self.refused(409, "PUT", path, {"resource_provider_generation": 1, "inventories": {}}, code="placement.concurrent_update")
        self.refused(400, "PUT", path, {"resource_provider_generation": 2, "inventories": {"NOPE": {"total": 1}}}, says="Unknown resource class")
        self.assertEqual(self.expect(200, "GET", path), answer)
        self.claim({provider: {"VCPU": 1}})
        error = self.refused(409, "PUT", path, {"resource_provider_generation": 3, "inventories": {"DISK_GB": {"total": 5}}},
                             code="placement.inventory.inuse", says="update conflict: Inventory for 'VCPU' on resource provider")
        self.assertIn("in use.", error["detail"])
        self.refused(409, "DELETE", path, code="placement.inventory.inuse")
        self.refused(409, "DELETE", path + "/VCPU", code="placement.concurrent_update", says="Unable to delete inventory of class VCPU")
        self.refused(409, "DELETE", "/resource_providers/" + provider, code="placement.resource_provider.inuse",
                     says="Resource provider has allocations.")
        # Below what is used is fine: the host says what it has.
        self.expect(200, "PUT", path, {"resource_provider_generation": 3, "inventories": {"VCPU": {"total": 1, "reserved": 1}}})

    def test_bad_values(self):
        provider = self.provider()
        path = f"/resource_providers/{provider}/inventories"
        for member, values in {"total": (0, -1, 2147483648, "1", 1.5, None), "reserved": (-1, "x"), "min_unit": (0,), "max_unit": (0,),
                               "step_size": (0,), "allocation_ratio": ("x", None), "resource_class": ("lower", "", 1), "color": (1,)}.items():
            for value in values:
                body = dict(self.FULL, resource_class="VCPU")
                body[member] = value
                self.refused(400, "POST", path, body, says="JSON does not validate")
        self.refused(400, "POST", path, {"resource_class": "VCPU"})
        self.refused(400, "PUT", path, {"inventories": {}})
        self.refused(400, "PUT", path, {"resource_provider_generation": 0})
        self.refused(400, "PUT", path, {"resource_provider_generation": 0, "inventories": {"VCPU": {}}})
        self.refused(400, "PUT", path, {"resource_provider_generation": 0, "inventories": {"VCPU": 1}})

    def test_reserved(self):
        provider = self.provider()
        path = f"/resource_providers/{provider}/inventories"
        self.refused(400, "POST", path, {"resource_class": "VCPU", "total": 4, "reserved": 4}, version="1.25",
                     says="The reserved value is greater than or equal to total.")
        self.refused(400, "POST", path, {"resource_class": "VCPU", "total": 4, "reserved": 5}, version="1.26",
                     says="The reserved value is greater than total.")
        self.expect(201, "POST", path, {"resource_class": "VCPU", "total": 4, "reserved": 4}, version="1.26")


class Names(Case):
    def test_traits(self):
        self.expect(201, "PUT", "/traits/CUSTOM_A")
        self.expect(204, "PUT", "/traits/CUSTOM_A")
        self.expect(204, "GET", "/traits/CUSTOM_A")
        for name in ("CUSTOM_", "custom_a", "HW_NEW", "CUSTOM_" + "A" * 250, "CUSTOM_a", "CUSTOM_%C3%84"):
            self.refused(400, "PUT", "/traits/" + name, says="The trait is invalid.")
        self.refused(404, "GET", "/traits/CUSTOM_NONE", says="No such trait(s): CUSTOM_NONE.")
        self.refused(404, "DELETE", "/traits/CUSTOM_NONE")
        self.refused(400, "DELETE", "/traits/HW_CPU_X86_AVX", says="Cannot delete standard trait")
        provider = self.provider(traits=["CUSTOM_A", "HW_CPU_X86_AVX"])
        self.refused(409, "DELETE", "/traits/CUSTOM_A", says="The trait CUSTOM_A is in use by a resource provider.")
        self.assertEqual(self.expect(200, "GET", "/traits?name=in:CUSTOM_A,HW_CPU_X86_AVX,NOPE")["traits"], ["CUSTOM_A", "HW_CPU_X86_AVX"])
        self.assertEqual(self.expect(200, "GET", "/traits?name=startswith:CUSTOM_A")["traits"], ["CUSTOM_A"])
        self.assertIn("CUSTOM_A", self.expect(200, "GET", "/traits?associated=true")["traits"])
        self.assertNotIn("CUSTOM_A", self.expect(200, "GET", "/traits?associated=False")["traits"])
        self.assertGreater(len(self.expect(200, "GET", "/traits")["traits"]), 340)
        for query in ("name=x", "associated=maybe", "color=1"):
            self.refused(400, "GET", "/traits?" + query)
        path = f"/resource_providers/{provider}/traits"
        generation = self.generation(provider)
        self.refused(409, "PUT", path, {"resource_provider_generation": generation + 1, "traits": []}, code="placement.concurrent_update")
        self.refused(400, "PUT", path, {"resource_provider_generation": generation, "traits": ["NOPE"]}, says="No such trait NOPE")
        for body in ({}, {"traits": []}, {"resource_provider_generation": generation, "traits": [1]},
                     {"resource_provider_generation": generation, "traits": [""]}, {"resource_provider_generation": generation, "traits": "A"}):
            self.refused(400, "PUT", path, body)
        same = {"resource_provider_generation": generation, "traits": ["HW_CPU_X86_AVX", "CUSTOM_A"]}
        self.assertEqual(self.expect(200, "PUT", path, same)["resource_provider_generation"], generation)
        self.expect(204, "DELETE", path)
        self.assertEqual(self.expect(200, "GET", path), {"traits": [], "resource_provider_generation": generation + 1})
        self.expect(204, "DELETE", "/traits/CUSTOM_A")

    def test_resource_classes(self):
        self.assertEqual([c["name"] for c in self.expect(200, "GET", "/resource_classes")["resource_classes"]][:3],
                         ["VCPU", "MEMORY_MB", "DISK_GB"])
        status, headers, content = self.call("POST", "/resource_classes", {"name": "CUSTOM_GOLD"})
        self.assertEqual((status, content), (201, b""))
        self.assertTrue(headers["Location"].endswith("/resource_classes/CUSTOM_GOLD"))
        self.refused(409, "POST", "/resource_classes", {"name": "CUSTOM_GOLD"}, says="Conflicting resource class already exists: CUSTOM_GOLD")
        for name in ("GOLD", "CUSTOM_", "CUSTOM_x", "CUSTOM_" + "A" * 250, 5):
            self.refused(400, "POST", "/resource_classes", {"name": name})
        self.assertEqual(self.expect(200, "GET", "/resource_classes/CUSTOM_GOLD"),
                         {"name": "CUSTOM_GOLD", "links": [{"rel": "self", "href": "/resource_classes/CUSTOM_GOLD"}]})
        self.refused(404, "GET", "/resource_classes/CUSTOM_NONE", says="No such resource class CUSTOM_NONE.")
        renamed = self.expect(200, "PUT", "/resource_classes/CUSTOM_GOLD", {"name": "CUSTOM_SILVER"}, version="1.6")
        self.assertEqual(renamed["name"], "CUSTOM_SILVER")
        self.refused(400, "PUT", "/resource_classes/VCPU", {"name": "CUSTOM_X"}, version="1.6", says="Cannot update standard resource class VCPU")
        self.refused(404, "PUT", "/resource_classes/CUSTOM_NONE", {"name": "CUSTOM_X"}, version="1.6")
        self.expect(201, "PUT", "/resource_classes/CUSTOM_GOLD", version="1.7")
        self.expect(204, "PUT", "/resource_classes/CUSTOM_GOLD", version="1.7")
        self.refused(400, "PUT", "/resource_classes/VCPU", version="1.7")
        self.refused(409, "PUT", "/resource_classes/CUSTOM_GOLD", {"name": "CUSTOM_SILVER"}, version="1.6", says="already exists")
        provider = self.provider({"CUSTOM_GOLD": 4})
        self.assertEqual(self.found("resources=CUSTOM_GOLD:4"), [{provider}])
        self.refused(409, "DELETE", "/resource_classes/CUSTOM_GOLD", says="Class is in use in inventory.")
        self.refused(400, "DELETE", "/resource_classes/VCPU", says="Cannot delete standard resource class VCPU.")
        self.expect(204, "DELETE", "/resource_classes/CUSTOM_SILVER")
        self.refused(404, "DELETE", "/resource_classes/CUSTOM_SILVER")

    def test_aggregates(self):
        provider, one, two = self.provider(), new(), new()
        path = f"/resource_providers/{provider}/aggregates"
        self.assertEqual(self.expect(200, "PUT", path, [one], version="1.18"), {"aggregates": [one]})
        self.assertEqual(self.expect(200, "GET", path, version="1.18"), {"aggregates": [one]})
        self.assertEqual(self.generation(provider), 0)
        body = {"aggregates": [two], "resource_provider_generation": 0}
        self.assertEqual(self.expect(200, "PUT", path, body), {"aggregates": [two], "resource_provider_generation": 1})
        self.refused(409, "PUT", path, body, code="placement.concurrent_update")
        self.refused(400, "PUT", path, body, version="1.18")
        self.refused(400, "PUT", path, [one])
        for bad in (["x"], [1], [one, one], "x", None):
            self.refused(400, "PUT", path, {"aggregates": bad, "resource_provider_generation": 1})
        self.assertEqual([p["uuid"] for p in self.expect(200, "GET", "/resource_providers?member_of=" + two)["resource_providers"]], [provider])


def parallel(calls):
    """Runs all at once; their results in order."""
    gate, results = threading.Barrier(len(calls)), [None] * len(calls)

    def run(i):
        gate.wait()
        results[i] = calls[i]()

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


class Claims(Case):
    def test_life(self):
        host = self.provider({"VCPU": {"total": 2, "allocation_ratio": 16.0}, "MEMORY_MB": 1024})
        consumer = self.claim({host: {"VCPU": 2, "MEMORY_MB": 512}})
        self.assertEqual(self.usages(host), {"VCPU": 2, "MEMORY_MB": 512})
        self.assertEqual(self.expect(200, "GET", "/allocations/" + consumer), {
            "allocations": {host: {"generation": 2, "resources": {"VCPU": 2, "MEMORY_MB": 512}}}, "project_id": "p", "user_id": "u",
            "consumer_generation": 1, "consumer_type": "INSTANCE"})
        self.assertEqual(self.expect(200, "GET", "/allocations/" + consumer, version="1.11"),
                         {"allocations": {host: {"generation": 2, "resources": {"VCPU": 2, "MEMORY_MB": 512}}}})
        self.assertEqual(sorted(self.expect(200, "GET", "/allocations/" + consumer, version="1.27")), ["allocations", "project_id", "user_id"])
        self.assertEqual(self.expect(200, "GET", f"/resource_providers/{host}/allocations"), {
            "resource_provider_generation": 2,
            "allocations": {consumer: {"consumer_generation": 1, "resources": {"VCPU": 2, "MEMORY_MB": 512}}}})
        body = self.claim_body({host: {"VCPU": 3}}, generation=None)
        self.refused(409, "PUT", "/allocations/" + consumer, body, code="placement.concurrent_update", says="expected 1 but got None")
        self.refused(409, "PUT", "/allocations/" + new(), dict(body, consumer_generation=4), code="placement.concurrent_update",
                     says="expected null but got 4")
        self.claim({host: {"VCPU": 3}}, consumer, generation=1, kind="MIGRATION", project="q")
        shown = self.expect(200, "GET", "/allocations/" + consumer)
        self.assertEqual((shown["project_id"], shown["consumer_type"], shown["consumer_generation"]), ("q", "MIGRATION", 2))
        self.assertEqual(self.usages(host), {"VCPU": 3, "MEMORY_MB": 0})
        self.expect(204, "DELETE", "/allocations/" + consumer)
        self.refused(404, "DELETE", "/allocations/" + consumer, says=f"No allocations for consumer '{consumer}'")
        self.assertEqual(self.expect(200, "GET", "/allocations/" + consumer), {"allocations": {}})
        self.assertEqual(self.usages(host), {"VCPU": 0, "MEMORY_MB": 0})
        self.expect(200, "GET", "/allocations/x")

    def test_shapes_by_version(self):
        host = self.provider({"VCPU": 100})
        listed = {"allocations": [{"resource_provider": {"uuid": host}, "resources": {"VCPU": 1}}]}
        whose = {"project_id": "p", "user_id": "u"}
        keyed = dict(whose, allocations={host: {"resources": {"VCPU": 1}}})
        for body, first, last in ((listed, 0, 7), (dict(listed, **whose), 8, 11), (keyed, 12, 27), (dict(keyed, consumer_generation=None), 28, 37),
                                  (dict(keyed, consumer_generation=None, consumer_type="INSTANCE"), 38, 39)):
            for minor in range(40):
                status = self.call("PUT", "/allocations/" + new(), body, version=f"1.{minor}")[0]
                self.assertEqual(status, 204 if first <= minor <= last else 400, (body, minor))
        mapped = dict(keyed, consumer_generation=None, mappings={"": [host]})
        self.expect(204, "PUT", "/allocations/" + new(), mapped, version="1.34")
        self.refused(400, "PUT", "/allocations/" + new(), mapped, version="1.33")
        for bad in ({}, {"1": []}, {"1": ["x"]}, {"1": host}, []):
            self.refused(400, "PUT", "/allocations/" + new(), dict(mapped, mappings=bad), version="1.34")
        old = new()
        self.expect(204, "PUT", "/allocations/" + old, listed, version="1.0")
        shown = self.expect(200, "GET", "/allocations/" + old)
        self.assertEqual((shown["project_id"], shown["consumer_type"]), ("00000000-0000-0000-0000-000000000000", "unknown"))
        self.expect(204, "PUT", "/allocations/" + old, listed, version="1.0")  # No generation is asked for.

    def test_bad_bodies(self):
        host = self.provider({"VCPU": 100})
        good = self.claim_body({host: {"VCPU": 1}})
        for member, values in {"allocations": ([], None, {"x": {"resources": {"VCPU": 1}}}, {host: {}}, {host: {"resources": {}}},
                                               {host: {"resources": {"VCPU": 0}}}, {host: {"resources": {"VCPU": "1"}}},
                                               {host: {"resources": {"VCPU": 1.5}}}, {host: {"resources": {"vcpu": 1}}},
                                               {host: {"resources": {"VCPU": 1}, "x": 1}}, {host: 1}),
                               "project_id": ("", None, 5, "x" * 256), "user_id": ("", None), "consumer_generation": ("x", 1.5),
                               "consumer_type": ("", "lower", None, 5), "color": (1,)}.items():
            for value in values:
                body = dict(good)
                body[member] = value
                self.refused(400, "PUT", "/allocations/" + new(), body)
        for member in good:
            self.refused(400, "PUT", "/allocations/" + new(), {k: v for k, v in good.items() if k != member}, says=f"'{member}' is a required")
        self.refused(400, "PUT", "/allocations/x", good, says="Malformed consumer_uuid: x")
        self.refused(400, "PUT", "/allocations/" + new(), self.claim_body({NOBODY: {"VCPU": 1}}),
                     says=f"Allocation for resource provider '{NOBODY}' that does not exist.")
        self.refused(400, "PUT", "/allocations/" + new(), self.claim_body({host: {"NOPE": 1}}), says="No such resource class NOPE.")
        self.refused(409, "PUT", "/allocations/" + new(), self.claim_body({host: {"DISK_GB": 1}}),
                     says=f"Unable to allocate inventory: Inventory for 'DISK_GB' on resource provider '{host}' invalid.")
        self.assertEqual(self.usages(host), {"VCPU": 0})
        empty = self.provider()
        self.refused(409, "PUT", "/allocations/" + new(), self.claim_body({empty: {"VCPU": 1}}), says="invalid.")

    def test_limits(self):
        host = self.provider({"VCPU": {"total": 8, "reserved": 2, "min_unit": 2, "max_unit": 4, "step_size": 2, "allocation_ratio": 1.5}})
        for amount in (1, 3, 5, 6):
            self.refused(409, "PUT", "/allocations/" + new(), self.claim_body({host: {"VCPU": amount}}), says="would violate inventory constraints")
        self.refused(409, "PUT", "/allocations/" + new(), self.claim_body({host: {"VCPU": 10 ** 18}}), says="constraints")
        self.claim({host: {"VCPU": 4}})
        self.claim({host: {"VCPU": 4}})
        self.refused(409, "PUT", "/allocations/" + new(), self.claim_body({host: {"VCPU": 2}}), says="would exceed the capacity")
        self.assertEqual(self.usages(host), {"VCPU": 8})

    def test_shrinking_an_over_full_host(self):
        host = self.provider({"VCPU": 8})
        big, small = self.claim({host: {"VCPU": 6}}), self.claim({host: {"VCPU": 2}})
        self.expect(200, "PUT", f"/resource_providers/{host}/inventories/VCPU",
                    {"total": 2, "resource_provider_generation": self.generation(host)})
        self.claim({host: {"VCPU": 5}}, big, generation=1)
        self.claim({host: {"VCPU": 5}}, big, generation=2)
        self.claim({host: {"VCPU": 6}}, big, generation=3, expected=409)
        self.claim({host: {"VCPU": 1}}, expected=409)
        self.expect(204, "DELETE", "/allocations/" + small)
        self.assertEqual(self.usages(host), {"VCPU": 5})

    def test_empty_and_bulk(self):
        a, b = self.provider({"VCPU": 4}), self.provider({"VCPU": 4})
        moved, fresh = self.claim({a: {"VCPU": 4}}), new()
        gone = self.claim({b: {"VCPU": 1}})
        # A move: the one leaves a for b, another takes its place, a third ends; only together do they fit.
        self.expect(204, "POST", "/allocations", {moved: self.claim_body({b: {"VCPU": 4}}, generation=1), fresh: self.claim_body({a: {"VCPU": 4}}),
                                                  gone: self.claim_body({}, generation=1)})
        self.assertEqual((self.usages(a), self.usages(b)), ({"VCPU": 4}, {"VCPU": 4}))
        self.assertEqual(self.expect(200, "GET", "/allocations/" + gone), {"allocations": {}})
        # All or nothing.
        self.refused(409, "POST", "/allocations", {fresh: self.claim_body({}, generation=1), new(): self.claim_body({b: {"VCPU": 1}})})
        self.refused(409, "POST", "/allocations", {fresh: self.claim_body({}, generation=7)}, code="placement.concurrent_update")
        self.assertEqual((self.usages(a), self.usages(b)), ({"VCPU": 4}, {"VCPU": 4}))
        for body in ({}, [], {"x": self.claim_body({a: {"VCPU": 1}})}, {new(): {}}, {new(): 1}):
            self.refused(400, "POST", "/allocations", body)
        self.expect(204, "PUT", "/allocations/" + fresh, self.claim_body({}, generation=1))
        self.expect(204, "PUT", "/allocations/" + new(), self.claim_body({}))
        self.refused(404, "DELETE", "/allocations/" + fresh)
        body = {"allocations": {}, "project_id": "p", "user_id": "u"}
        self.refused(400, "PUT", "/allocations/" + moved, body, version="1.27")
        self.expect(204, "POST", "/allocations", {moved: body}, version="1.13")
        self.assertEqual(self.usages(b), {"VCPU": 0})

    def test_the_last_slot(self):
        """64 claims of the last free slot at once: exactly one wins."""
        for _ in range(3):
            host = self.provider({"VCPU": {"total": 1, "allocation_ratio": 2.0}})
            self.claim({host: {"VCPU": 1}})
            answers = parallel([lambda: self.call("PUT", "/allocations/" + new(), self.claim_body({host: {"VCPU": 1}})) for _ in range(64)])
            self.assertEqual(sorted(a[0] for a in answers), [204] + [409] * 63)
            for _, _, content in answers:
                if content:
                    self.assertIn("would exceed the capacity", content["errors"][0]["detail"])
            self.assertEqual(self.usages(host), {"VCPU": 2})

    def test_numbers_of_any_size(self):
        """Integers beyond 63 bits are integers, and are refused for what they are."""
        host, huge = self.provider({"VCPU": 4}), 10**30
        inventories = "/resource_providers/" + host + "/inventories"
        self.refused(400, "PUT", inventories, {"resource_provider_generation": 1, "inventories": {"VCPU": {"total": huge}}},
                     says=f"{huge} is greater than the maximum of 2147483647")
        self.refused(400, "PUT", inventories, {"resource_provider_generation": 1, "inventories": {"VCPU": {"total": -huge}}},
                     says=f"-{huge} is less than the minimum of 1")
        self.refused(409, "PUT", inventories, {"resource_provider_generation": huge, "inventories": {}}, code="placement.concurrent_update")
        ratio = {"resource_provider_generation": 1, "inventories": {"VCPU": {"total": 4, "allocation_ratio": huge}}}
        self.assertEqual(self.expect(200, "PUT", inventories, ratio)["inventories"]["VCPU"]["allocation_ratio"], 1e30)
        for amount in (2**31, 2**63 - 1, 2**63, huge):
            self.refused(409, "PUT", "/allocations/" + new(), self.claim_body({host: {"VCPU": amount}}), says="violate inventory constraints")
        self.refused(400, "PUT", "/allocations/" + new(), self.claim_body({host: {"VCPU": -huge}}), says=f"-{huge} is less than the minimum of 1")
        self.refused(409, "PUT", "/allocations/" + new(), dict(self.claim_body({host: {"VCPU": 1}}), consumer_generation=huge),
                     code="placement.concurrent_update")
        self.refused(409, "POST", "/reshaper", {"inventories": {host: {"resource_provider_generation": huge, "inventories": {}}}, "allocations": {}},
                     code="placement.concurrent_update", says=f"given: {huge}", session=cloud.service("placement"))

    def test_writers_of_one_provider_queue(self):
        """16 writers of one provider: each claim succeeds, none meets a conflict."""
        host = self.provider({"VCPU": 1000, "MEMORY_MB": 100000})

        def claims():
            return [self.call("PUT", "/allocations/" + new(), self.claim_body({host: {"VCPU": 1, "MEMORY_MB": 10}}))[0] for _ in range(10)]

        self.assertEqual(sum(parallel([claims] * 16), []), [204] * 160)
        self.assertEqual(self.usages(host), {"VCPU": 160, "MEMORY_MB": 1600})
        self.assertEqual(self.generation(host), 161)

    def test_crossing_claims(self):
        """Claims over the same providers in any order, with deletions between: no deadlock shows, and the books balance."""
        hosts = [self.provider({"VCPU": 50, "DISK_GB": 50}) for _ in range(3)]

        def work(n):
            seen = []
            for i in range(8):
                order = hosts[(n + i) % 3:] + hosts[:(n + i) % 3]
                consumer = new()
                seen.append(self.call("PUT", "/allocations/" + consumer, self.claim_body({h: {"VCPU": 5, "DISK_GB": 3} for h in order}))[0])
                if seen[-1] == 204 and i % 2:
                    seen.append(self.call("DELETE", "/allocations/" + consumer)[0])
            return seen

        for seen in parallel([lambda n=n: work(n) for n in range(12)]):
            self.assertLessEqual(set(seen), {204, 409})
        for host in hosts:
            self.assertLessEqual(self.usages(host)["VCPU"], 50)
        self.assertEqual(cloud.sql("placement", "SELECT count(*) FROM inventory i WHERE used <> (SELECT COALESCE(sum(used), 0) "
                                   "FROM allocation a WHERE a.provider_id = i.provider_id AND a.class_id = i.class_id)").strip(), "0")

    def test_one_consumer_twice_at_once(self):
        host = self.provider({"VCPU": 100})
        consumer = new()
        answers = parallel([lambda: self.call("PUT", "/allocations/" + consumer, self.claim_body({host: {"VCPU": 1}})) for _ in range(8)])
        self.assertEqual(sorted(a[0] for a in answers), [204] + [409] * 7)
        self.assertEqual({a[2]["errors"][0]["code"] for a in answers if a[2]}, {"placement.concurrent_update"})
        self.assertEqual(self.usages(host), {"VCPU": 1})

    def test_usages(self):
        host, project = self.provider({"VCPU": 100, "DISK_GB": 100}), new()
        self.claim({host: {"VCPU": 1, "DISK_GB": 2}}, project=project)
        self.claim({host: {"VCPU": 3}}, project=project)
        self.claim({host: {"VCPU": 4}}, project=project, kind="MIGRATION")
        self.expect(204, "PUT", "/allocations/" + new(), {"allocations": {host: {"resources": {"VCPU": 5}}}, "project_id": project,
                                                          "user_id": "other"}, version="1.12")
        path = "/usages?project_id=" + project
        self.assertEqual(self.expect(200, "GET", path, version="1.9"), {"usages": {"VCPU": 13, "DISK_GB": 2}})
        self.assertEqual(self.expect(200, "GET", path + "&user_id=other", version="1.9"), {"usages": {"VCPU": 5}})
        self.assertEqual(self.expect(200, "GET", path), {"usages": {
            "INSTANCE": {"VCPU": 4, "DISK_GB": 2, "consumer_count": 2}, "MIGRATION": {"VCPU": 4, "consumer_count": 1},
            "unknown": {"VCPU": 5, "consumer_count": 1}}})
        self.assertEqual(self.expect(200, "GET", path + "&consumer_type=MIGRATION"), {"usages": {"MIGRATION": {"VCPU": 4, "consumer_count": 1}}})
        self.assertEqual(self.expect(200, "GET", path + "&consumer_type=all"), {"usages": {"all": {"VCPU": 13, "DISK_GB": 2, "consumer_count": 4}}})
        self.assertEqual(self.expect(200, "GET", path + "&consumer_type=unknown"), {"usages": {"unknown": {"VCPU": 5, "consumer_count": 1}}})
        self.assertEqual(self.expect(200, "GET", "/usages?project_id=none"), {"usages": {}})
        for query, version in (("", LATEST), ("?user_id=x", LATEST), ("?project_id=", LATEST), (f"?project_id={project}&x=1", LATEST),
                               (f"?project_id={project}&consumer_type=all", "1.37"), (f"?project_id={project}&consumer_type=low", LATEST)):
            self.refused(400, "GET", "/usages" + query, version=version, says="Invalid query string parameters")


class Candidates(Case):
    def test_shapes_by_version(self):
        agg = new()
        host = self.provider({"VCPU": 8, "MEMORY_MB": 1024}, traits=["HW_CPU_X86_SHA"], aggregates=[agg])
        query = "resources=VCPU:2"

        def mine(version):
            answer = self.candidates(query, version)
            if version == "1.11":
                requests = [r for r in answer["allocation_requests"] if r["allocations"][0]["resource_provider"]["uuid"] == host]
            else:
                requests = [r for r in answer["allocation_requests"] if host in r["allocations"]]
            return requests, answer["provider_summaries"][host]

        self.assertEqual(mine("1.11"), ([{"allocations": [{"resource_provider": {"uuid": host}, "resources": {"VCPU": 2}}]}],
                                        {"resources": {"VCPU": {"capacity": 8, "used": 0}}}))
        self.assertEqual(mine("1.12"), ([{"allocations": {host: {"resources": {"VCPU": 2}}}}], {"resources": {"VCPU": {"capacity": 8, "used": 0}}}))
        self.assertEqual(mine("1.17")[1], {"resources": {"VCPU": {"capacity": 8, "used": 0}}, "traits": ["HW_CPU_X86_SHA"]})
        everything = {"resources": {"VCPU": {"capacity": 8, "used": 0}, "MEMORY_MB": {"capacity": 1024, "used": 0}}, "traits": ["HW_CPU_X86_SHA"]}
        self.assertEqual(mine("1.27")[1], everything)
        self.assertEqual(mine("1.29")[1], dict(everything, parent_provider_uuid=None, root_provider_uuid=host))
        self.assertEqual(mine("1.34")[0], [{"allocations": {host: {"resources": {"VCPU": 2}}}, "mappings": {"": [host]}}])
        self.assertEqual(self.found(f"resources=VCPU:2&member_of={agg}"), [{host}])
        # What a candidate says can be claimed as it is.
        request = self.candidates(f"resources=VCPU:8&member_of={agg}")["allocation_requests"][0]
        self.expect(204, "PUT", "/allocations/" + new(), dict(request, project_id="p", user_id="u", consumer_generation=None, consumer_type="X"))
        self.assertEqual(self.candidates(f"resources=VCPU:1&member_of={agg}"), {"allocation_requests": [], "provider_summaries": {}})

    def test_current_at_once(self):
        """Each change shows in the very next answer."""
        agg = new()
        query = f"resources=VCPU:1&member_of={agg}"
        self.assertEqual(self.found(query), [])
        host = self.provider({"VCPU": 1}, aggregates=[agg])
        path = "/resource_providers/" + host
        self.assertEqual(self.found(query), [{host}])
        consumer = self.claim({host: {"VCPU": 1}})
        self.assertEqual(self.found(query), [])
        self.expect(204, "DELETE", "/allocations/" + consumer)
        self.assertEqual(self.found(query), [{host}])
        self.expect(200, "PUT", path + "/inventories/VCPU", {"total": 1, "reserved": 1, "resource_provider_generation": self.generation(host)})
        self.assertEqual(self.found(query), [])
        self.expect(204, "DELETE", path + "/inventories")
        self.expect(201, "POST", path + "/inventories", {"resource_class": "VCPU", "total": 4})
        self.assertEqual(self.found(query), [{host}])
        self.expect(200, "PUT", path + "/traits", {"traits": ["HW_CPU_X86_SHA"], "resource_provider_generation": self.generation(host)})
        self.assertEqual(self.found(query + "&required=!HW_CPU_X86_SHA"), [])
        self.expect(204, "DELETE", path + "/traits")
        self.assertEqual(self.found(query + "&required=!HW_CPU_X86_SHA"), [{host}])
        self.expect(200, "PUT", path + "/aggregates", [], version="1.1")
        self.assertEqual(self.found(query), [])
        self.expect(204, "DELETE", path)
        self.assertNotIn(host, self.candidates("resources=VCPU:1")["provider_summaries"])

    def test_limit(self):
        agg = new()
        for _ in range(5):
            self.provider({"VCPU": 1}, aggregates=[agg])
        answer = self.candidates(f"resources=VCPU:1&member_of={agg}&limit=2")
        self.assertEqual((len(answer["allocation_requests"]), len(answer["provider_summaries"])), (2, 2))
        self.assertEqual(len(self.found(f"resources=VCPU:1&member_of={agg}&limit=1000")), 5)
        self.assertEqual(len(self.found(f"resources=VCPU:1&member_of={agg}&limit=999999999999999999999")), 5)
        for limit in ("0", "-1", "x", "", "1.5"):
            self.refused(400, "GET", "/allocation_candidates?resources=VCPU:1&limit=" + limit)

    def test_nested(self):
        root = self.provider({"VCPU": 4})
        self.expect(201, "PUT", "/resource_classes/CUSTOM_NIC")
        child = self.provider({"CUSTOM_NIC": 2}, parent=root)
        answer = self.candidates("resources=VCPU:1&resources_N=CUSTOM_NIC:1")
        request, = answer["allocation_requests"]
        self.assertEqual(request, {"allocations": {root: {"resources": {"VCPU": 1}}, child: {"resources": {"CUSTOM_NIC": 1}}},
                                   "mappings": {"": [root], "_N": [child]}})
        self.assertEqual(answer["provider_summaries"][child]["parent_provider_uuid"], root)
        self.assertEqual(self.found("resources=VCPU:1,CUSTOM_NIC:1", "1.28"), [])
        self.assertEqual(self.found("resources=CUSTOM_NIC:1", "1.28"), [{child}])

    def test_killed_and_started_again(self):
        host = self.provider({"VCPU": 3})
        before = self.candidates("resources=VCPU:3")
        cloud.daemon("placement").process.kill()
        cloud.restart()
        self.assertEqual(self.candidates("resources=VCPU:3"), before)
        self.assertIn(host, before["provider_summaries"])
        self.claim({host: {"VCPU": 3}})
        self.assertNotIn({host}, self.found("resources=VCPU:3"))

    def test_never_too_many(self):
        """Sixteen cells and eight groups: four thousand millions of candidates, of which as many come as are allowed."""
        root = self.provider()
        for _ in range(16):
            self.provider({"VCPU": 100}, parent=root)
        groups = "&".join(f"resources{n}=VCPU:1" for n in range(1, 9)) + "&group_policy=none&in_tree1=" + root
        for query, count, header in ((groups, MOST, "max_allocation_candidates"), (groups + "&limit=7", 7, None), (groups + f"&limit={MOST}", MOST, None),
                                     (groups + f"&limit={MOST + 1}", MOST, "max_allocation_candidates"),
                                     ("resources=VCPU:1&in_tree=" + root, 16, None), ("resources=VCPU:101&in_tree=" + root, 0, None)):
            status, headers, content = self.call("GET", "/allocation_candidates?" + query)
            self.assertEqual((status, len(content["allocation_requests"]), headers.get("Virga-Incomplete")), (200, count, header), query)

    def test_given_up(self):
        """A puzzle: even amounts for providers of odd sizes, of which all together have one more than enough. The search ends all the same, and both
        the candidates and their explanation say that it was given up."""
        root, sizes = self.provider(), [61, 67, 71, 73, 79, 83, 89, 97]
        for size in sizes:
            self.provider({"VCPU": size}, parent=root)
        wanted = [2 * n for n in range(9, 25)] + [44, 46]
        wanted[-1] += sum(sizes) - 4 - sum(wanted)
        self.assertTrue(0 < wanted[-1] < 97 and wanted[-1] % 2 == 0, wanted)
        query = "&".join(f"resources{n}=VCPU:{w}" for n, w in enumerate(wanted, 1)) + "&group_policy=none&in_tree1=" + root
        began = time.monotonic()
        status, headers, content = self.call("GET", "/allocation_candidates?" + query)
        self.assertEqual((status, content["allocation_requests"], headers.get("Virga-Incomplete")), (200, [], "bound"))
        explained = self.expect(200, "GET", "/OS-VIRGA/explain?rule=bound&" + query)
        self.assertEqual([p["uuid"] for p in explained["providers"]], [root])
        self.assertEqual((explained["counts"].get("bound"), explained["counts"].get("fits")), (1, None))
        self.assertLess(time.monotonic() - began, 20)

    def test_explain(self):
        agg = new()
        host = self.provider({"VCPU": {"total": 2, "allocation_ratio": 16.0}, "MEMORY_MB": {"total": 4096, "reserved": 512, "allocation_ratio": 1.5,
                                                                                           "max_unit": 2048}}, aggregates=[agg])
        self.claim({host: {"VCPU": 31}})

        def why(query):
            answer = self.expect(200, "GET", f"/OS-VIRGA/explain?{query}&in_tree={host}")
            return next(p for p in answer["providers"] if p["uuid"] == host), answer["counts"]

        said, counts = why("resources=VCPU:4,MEMORY_MB:512")
        self.assertEqual(said, {"uuid": host, "name": said["name"], "reason": "VCPU: wanted 4, available 1.0 of 32 (16.0 x 2, 31 used)",
                                "rule": "VCPU", "group": "", "resource_provider_uuid": host, "resource_class": "VCPU", "wanted": 4,
                                "available": 1.0})
        self.assertEqual(counts["VCPU"], 1)
        self.assertIsNone(why("resources=VCPU:1,MEMORY_MB:512")[0]["reason"])
        self.assertEqual(why("resources=MEMORY_MB:8192")[0]["reason"],
                         "MEMORY_MB: wanted 8192, available 5376.0 of 5376 (1.5 x (4096 - 512 reserved), 0 used)")
        self.assertEqual(why("resources=MEMORY_MB:4096")[0]["reason"], "MEMORY_MB: wanted 4096, one consumer may have 2048 at most")
        self.assertEqual(why("resources=VCPU:1,DISK_GB:1")[0]["reason"], "DISK_GB: wanted 1, there is no inventory of it")
        self.assertEqual(why("resources=VCPU:1&required=HW_CPU_X86_SHA")[0]["reason"], "it lacks the trait HW_CPU_X86_SHA")
        self.assertEqual(why("resources=VCPU:1&member_of=" + new())[0]["rule"], "member_of")
        self.assertEqual(len(self.expect(200, "GET", "/OS-VIRGA/explain?resources=VCPU:1&limit=1")["providers"]), 1)
        pages = [self.expect(200, "GET", f"/OS-VIRGA/explain?resources=VCPU:1&limit=2{m}") for m in ("", "&marker=" + host)]
        self.assertEqual(pages[0]["counts"], pages[1]["counts"])
        self.assertEqual(list(pages[0])[0], "counts")  # First, before any number of providers.
        everything = self.expect(200, "GET", "/OS-VIRGA/explain?resources=VCPU:33")
        self.assertEqual(sum(everything["counts"].values()), len(everything["providers"]))
        self.assertEqual({p["rule"] for p in everything["providers"]}, {None if r == "fits" else r for r in everything["counts"]})
        only = self.expect(200, "GET", "/OS-VIRGA/explain?resources=VCPU:33&rule=VCPU")["providers"]
        self.assertEqual(only, [p for p in everything["providers"] if p["rule"] == "VCPU"])
        marker, walked = "", []
        while marker is not None:
            page = self.expect(200, "GET", "/OS-VIRGA/explain?resources=VCPU:33&limit=3" + marker)
            walked += page["providers"]
            marker = page["next"] and "&marker=" + page["next"]
        self.assertEqual(walked, everything["providers"])

        def granular(query):
            answer = self.expect(200, "GET", f"/OS-VIRGA/explain?{query}&group_policy=isolate")
            return next(p for p in answer["providers"] if p["uuid"] == host)

        said = granular("resources1=VCPU:1&resources2=VCPU:1")
        self.assertEqual((said["rule"], said["wanted"], said["available"]), ("VCPU", 2, 1.0))
        self.assertEqual(granular("resources_A=MEMORY_MB:1&resources_B=MEMORY_MB:1")["rule"], "group_policy")
        said = granular("resources_A=MEMORY_MB:1&required_A=HW_CPU_X86_SHA")
        self.assertEqual((said["rule"], said["group"], said["resource_provider_uuid"]), ("required", "_A", host))
        for query in ("", "resources=", "resources=NOPE:1", "resources=VCPU:1&limit=0", "resources=VCPU:1&color=1", "resources=VCPU:1&marker=x"):
            status = self.call("GET", "/OS-VIRGA/explain?" + query)[0]
            self.assertEqual(status, 400, query)


if __name__ == "__main__":
    unittest.main()
