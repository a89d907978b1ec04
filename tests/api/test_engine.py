#!/usr/bin/python3
"""What every API has, whatever its operations are: Idempotency-Key, version documents without a token, /openapi.json."""

import json
import os
import sys
import threading
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
import rest  # noqa: E402
from cloud import Cloud  # noqa: E402

SERVICES = ["identity", "image", "placement", "compute", "network", "volume"]
DOCUMENTS = {"identity": ["/", "/v3", "/v3/"], "image": ["/", "/v2", "/v2/", "/versions"], "placement": ["/"],
             "compute": ["/", "/v2.1", "/v2.1/"], "network": ["/", "/v2.0", "/v2.0/"], "volume": ["/", "/v3", "/v3/"]}
cloud = None


def setUpModule():
    global cloud
    cloud = Cloud(services=SERVICES)


def tearDownModule():
    cloud.close()


class Idempotency(unittest.TestCase):
    def setUp(self):
        self.admin = cloud.admin()
        self.key = str(uuid.uuid4())

    def post(self, service, path, body, key=None, headers=None):
        send = {"Idempotency-Key": self.key if key is None else key}
        send.update(headers or {})
        return self.admin.request("POST", service, path, body, send)

    def project(self, name, key=None):
        return self.post("identity", "/v3/projects", {"project": {"name": name}}, key)

    def count(self, service, path, plural):
        return len(self.admin.expect(200, "GET", service, path)[plural])

    def test_repeat_has_one_effect_in_each_service(self):
        name = "i-" + self.key[:8]
        cases = [
            ("identity", "/v3/projects", {"project": {"name": name}}, 201),
            ("image", "/v2/images", {"name": name, "disk_format": "raw", "container_format": "bare"}, 201),
            ("placement", "/resource_providers", {"name": name}, 201),
            ("compute", "/v2.1/flavors", {"flavor": {"name": name, "ram": 64, "vcpus": 1, "disk": 0}}, 200),
            ("network", "/v2.0/networks", {"network": {"name": name}}, 201),
            ("volume", "/v3/types", {"volume_type": {"name": name}}, 200),
        ]
        for service, path, body, status in cases:
            with self.subTest(service=service):
                first = self.post(service, path, body)
                self.assertEqual(first[0], status, first[2])
                self.assertIsNone(first[1].get("Idempotency-Replayed"))
                second = self.post(service, path, body)
                self.assertEqual(second[0], status, second[2])
                self.assertEqual(second[2], first[2])
                self.assertEqual(second[1].get("Location"), first[1].get("Location"))
                self.assertEqual(second[1]["Idempotency-Replayed"], "true")
                self.assertNotEqual(second[1]["x-openstack-request-id"], first[1]["x-openstack-request-id"])
                third = self.post(service, path, body, str(uuid.uuid4()))
                if service in ("image", "network"):  # Names are not unique there: one more.
                    self.assertNotEqual(third[2], first[2])
                elif service != "compute":
                    self.assertEqual(third[0], 409, third[2])

    def test_private_key_of_a_keypair_is_said_again_but_not_readable(self):
        body = {"keypair": {"name": "k-" + self.key[:8]}}
        first = self.post("compute", "/v2.1/os-keypairs", body)
        self.assertIn("PRIVATE KEY", first[2]["keypair"]["private_key"])
        self.assertEqual(self.post("compute", "/v2.1/os-keypairs", body)[2], first[2])
        dump = cloud.sql("compute", "SELECT * FROM idempotency")
        self.assertIn("create_keypair", dump)
        self.assertNotIn("PRIVATE", dump)
        self.assertNotIn(self.key, dump)

    def test_another_body_is_422(self):
        self.assertEqual(self.project("a-" + self.key)[0], 201)
        status, _, content = self.project("b-" + self.key)
        self.assertEqual(status, 422, content)
        self.assertIn("Idempotency-Key", json.dumps(content))
        self.assertEqual(self.count("identity", "/v3/projects?name=b-" + self.key, "projects"), 0)

    def test_order_of_members_is_no_difference(self):
        name = "o-" + self.key
        one = b'{"project": {"name": "%s", "enabled": true}}' % name.encode()
        two = b'{"project":{"enabled":true,"name":"%s"}}' % name.encode()
        json_type = {"Content-Type": "application/json"}
        self.assertEqual(self.post("identity", "/v3/projects", one, headers=json_type)[0], 201)
        self.assertEqual(self.post("identity", "/v3/projects", two, headers=json_type)[0], 201)

    def test_bad_keys_are_400(self):
        for key in ("", "k" * 256, "two words", "\xe9"):
            with self.subTest(key=key):
                status, _, content = self.project("bad-" + self.key, key)
                self.assertEqual(status, 400, content)
        self.assertEqual(self.count("identity", "/v3/projects?name=bad-" + self.key, "projects"), 0)
        self.assertEqual(self.project("good-" + self.key, "k" * 255)[0], 201)

    def test_failure_is_not_kept(self):
        name = "f-" + self.key
        made = self.admin.expect(201, "POST", "identity", "/v3/projects", {"project": {"name": name}})["project"]
        self.assertEqual(self.project(name)[0], 409)
        self.admin.expect(204, "DELETE", "identity", "/v3/projects/" + made["id"])
        self.assertEqual(self.project(name)[0], 201)

    def test_another_user_has_keys_of_his_own(self):
        name = "u-" + self.key[:8]
        user = self.admin.expect(201, "POST", "identity", "/v3/users", {"user": {"name": name, "password": "secret-1"}})["user"]
        role = self.admin.expect(200, "GET", "identity", "/v3/roles?name=admin")["roles"][0]["id"]
        self.admin.expect(204, "PUT", "identity", f"/v3/projects/{self.admin.project_id}/users/{user['id']}/roles/{role}")
        other = cloud.session(name, "secret-1", "admin")
        body = {"network": {"name": name}}
        mine = self.post("network", "/v2.0/networks", body)
        his = other.request("POST", "network", "/v2.0/networks", body, {"Idempotency-Key": self.key})
        self.assertEqual((mine[0], his[0]), (201, 201))
        self.assertNotEqual(mine[2]["network"]["id"], his[2]["network"]["id"])

    def test_tokens_are_always_new(self):
        body = {"auth": {"identity": {"methods": ["token"], "token": {"id": self.admin.token}},
                         "scope": {"project": {"id": self.admin.project_id}}}}
        tokens = [self.post("identity", "/v3/auth/tokens", body)[1]["X-Subject-Token"] for _ in range(2)]
        self.assertNotEqual(tokens[0], tokens[1])
        self.assertEqual(cloud.sql("identity", "SELECT count(*) FROM idempotency WHERE operation ~ 'token'").strip(), "0")

    def test_64_at_once(self):
        """One effect; all who are not told to come again get its answer, and so do those when they do."""
        name, answers = "c-" + self.key[:8], []
        body = {"network": {"name": name}}
        gate = threading.Barrier(64)

        def run():
            gate.wait()
            answers.append(self.post("network", "/v2.0/networks", body))

        threads = [threading.Thread(target=run) for _ in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(answers), 64)
        self.assertEqual(set(a[0] for a in answers) - {201, 409}, set())
        good = [a for a in answers if a[0] == 201]
        self.assertEqual(len(set(a[2]["network"]["id"] for a in good)), 1)
        self.assertEqual(sum(1 for a in good if a[1].get("Idempotency-Replayed") is None), 1)
        for answer in answers:
            if answer[0] == 409:
                self.assertEqual(answer[1]["Retry-After"], "1")
        self.assertEqual(self.post("network", "/v2.0/networks", body)[2], good[0][2])
        self.assertEqual(self.count("network", "/v2.0/networks?name=" + name, "networks"), 1)

    def test_lost_answer(self):
        """As after kill -9 between commit and answer: the object is shown; what can't be shown is named."""
        name = "l-" + self.key[:8]
        first = self.project(name)
        cloud.sql("identity", "UPDATE idempotency SET status = NULL, answer = NULL")
        for _ in range(2):
            again = self.project(name)
            self.assertEqual(again[0], 201)
            self.assertEqual(again[2], first[2])
        volume = {"volume": {"name": name, "size": 1}}
        image = {"name": name, "disk_format": "raw", "container_format": "bare"}
        for service, path, body in (("volume", f"/v3/{self.admin.project_id}/volumes", volume), ("image", "/v2/images", image)):
            made = self.post(service, path, body)
            cloud.sql(service, "UPDATE idempotency SET status = NULL, answer = NULL")
            again = self.post(service, path, body)
            self.assertEqual(again[0], made[0], again[2])
            self.assertEqual(again[2].get("volume", again[2])["id"], made[2].get("volume", made[2])["id"])
        self.admin.expect(204, "DELETE", "identity", "/v3/projects/" + first[2]["project"]["id"])
        cloud.sql("identity", "UPDATE idempotency SET status = NULL, answer = NULL")
        status, _, content = self.project(name)
        self.assertEqual(status, 409)
        self.assertIn(first[2]["project"]["id"], json.dumps(content))

    def test_kill_in_the_middle(self):
        """kill -9 under a stream of creations: each name is made once, however often it was sent."""
        names = [f"x{i}-{self.key[:8]}" for i in range(40)]
        daemon = cloud.daemon("network").process

        def send(name):
            try:
                return self.post("network", "/v2.0/networks", {"network": {"name": name}}, name)
            except OSError:
                return None

        def run(mine):
            for name in mine:
                send(name)

        threads = [threading.Thread(target=run, args=(names[i::4],)) for i in range(4)]
        for thread in threads:
            thread.start()
        self.assertTrue(daemon.kill())
        for thread in threads:
            thread.join()
        cloud.restart()
        for name in names:
            answer = send(name)
            self.assertEqual(answer[0], 201, answer[2])
            self.assertEqual(self.count("network", "/v2.0/networks?name=" + name, "networks"), 1, name)


class Documents(unittest.TestCase):
    def test_versions_need_no_token_and_ignore_a_bad_one(self):
        for service, paths in DOCUMENTS.items():
            for path in paths:
                for headers in ({}, {"X-Auth-Token": "nonsense"}):
                    with self.subTest(service=service, path=path, headers=headers):
                        status, answer, content = rest.request("GET", cloud.urls[service] + path, headers=headers)
                        self.assertIn(status, (200, 300))
                        self.assertIsInstance(content, dict)
                        self.assertRegex(answer["x-openstack-request-id"], "^req-[0-9a-f-]{36}$")
                status, answer, content = rest.request("HEAD", cloud.urls[service] + path)
                self.assertEqual((status in (200, 300), content), (True, b""))

    def test_other_methods_are_405(self):
        for service in SERVICES:
            status, headers, _ = rest.request("POST", cloud.urls[service] + "/openapi.json", {})
            self.assertEqual(status, 405)
            self.assertIn("GET", headers["Allow"])

    def test_openapi_document(self):
        for service in SERVICES:
            with self.subTest(service=service):
                status, headers, content = rest.request("GET", cloud.urls[service] + "/openapi.json")
                self.assertEqual(status, 200)
                self.assertEqual(headers["Content-Type"], "application/json")
                self.assertTrue(content["openapi"].startswith("3.1"))
                self.assertIn("schemas", content["components"])
                self.assertEqual(content["x-virga"]["service"], service)
                self.assertIn(DOCUMENTS[service][0], content["paths"])

    def test_request_ids_are_all_different(self):
        seen = set()

        def run():
            for _ in range(200):
                seen.add(rest.request("GET", cloud.urls["identity"] + "/v3")[1]["x-openstack-request-id"])

        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(seen), 800)


if __name__ == "__main__":
    unittest.main()
