#!/usr/bin/python3
"""The image service as its clients see it: images and their bytes, properties, lists, sharing; and what must not work."""

import contextlib
import hashlib
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from cloud import Cloud  # noqa: E402

V21 = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
V20 = {"Content-Type": "application/openstack-images-v2.0-json-patch"}
BYTES = {"Content-Type": "application/octet-stream"}
NOBODY = "00000000-0000-4000-8000-000000000000"

cloud = None
admin = member = reader = other = None


def make_user(name, project, role):
    users = admin.expect(200, "GET", "identity", "/v3/roles?name=" + role)
    project_id = admin.expect(200, "GET", "identity", "/v3/projects?name=" + project)["projects"]
    if project_id:
        project_id = project_id[0]["id"]
    else:
        project_id = admin.expect(201, "POST", "identity", "/v3/projects",
                                  {"project": {"name": project, "domain_id": "default"}})["project"]["id"]
    user = admin.expect(201, "POST", "identity", "/v3/users",
                        {"user": {"name": name, "password": "secret", "domain_id": "default"}})["user"]
    admin.expect(204, "PUT", "identity",
                 f"/v3/projects/{project_id}/users/{user['id']}/roles/{users['roles'][0]['id']}")
    return cloud.session(name, "secret", project)


def setUpModule():
    global cloud, admin, member, reader, other
    cloud = Cloud(services=["identity", "image"])
    admin = cloud.admin()
    member = make_user("ann", "one", "member")
    reader = make_user("rita", "one", "reader")
    other = make_user("olaf", "two", "member")


def tearDownModule():
    if cloud is not None:
        cloud.close()


def stored():
    return sorted(os.listdir(cloud.layout.path("state", "image", "images")))


def patch(session, image_id, changes, headers=None):
    status, answer, body = session.request("PATCH", "image", f"/v2/images/{image_id}", json.dumps(changes).encode(),
                                           headers or V21)
    return status, answer, body


class ImageTest(unittest.TestCase):
    def create(self, session=None, **body):
        session = session or member
        image = session.expect(201, "POST", "image", "/v2/images",
                               {"disk_format": "raw", "container_format": "bare", **body})
        self.addCleanup(self.remove, image["id"])
        return image

    def remove(self, image_id):
        patch(admin, image_id, [{"op": "replace", "path": "/protected", "value": False}])
        admin.request("DELETE", "image", f"/v2/images/{image_id}")

    def upload(self, image, data, session=None, headers=None):
        return (session or member).request("PUT", "image", f"/v2/images/{image['id']}/file", data, headers or BYTES)

    def active(self, data=b"some bytes", session=None, **body):
        image = self.create(session, **body)
        self.assertEqual(self.upload(image, data, session)[0], 204)
        return self.show(image, session)

    def show(self, image, session=None):
        return (session or member).expect(200, "GET", "image", f"/v2/images/{image['id']}")

    def ids(self, session, query=""):
        return [i["id"] for i in session.expect(200, "GET", "image", "/v2/images" + query)["images"]]

    def refused(self, status, session, method, path, body=None, headers=None, message=None):
        got, _, content = session.request(method, "image", path, body, headers)
        self.assertEqual(got, status, content)
        if message is not None:
            self.assertIn(message, content["message"])
        return content


class DiscoveryTest(ImageTest):
    def test_versions_need_no_token(self):
        for path, status in (("/", 300), ("/versions", 200), ("/v2", 300), ("/v2/", 300)):
            got, _, body = member.request("GET", "image", path, headers={"X-Auth-Token": ""})
            self.assertEqual(got, status, path)
            self.assertEqual([v["status"] for v in body["versions"]].count("CURRENT"), 1)
            self.assertTrue(body["versions"][0]["links"][0]["href"].endswith("/v2/"))

    def test_schemas(self):
        for name in ("image", "images", "member", "members"):
            self.assertEqual(member.expect(200, "GET", "image", "/v2/schemas/" + name)["name"], name)
        schema = member.expect(200, "GET", "image", "/v2/schemas/image")
        self.assertEqual(schema["additionalProperties"], {"type": "string"})
        self.assertIn(None, schema["properties"]["disk_format"]["enum"])
        self.assertNotIn("os_glance_staged", schema["properties"])
        self.assertNotIn("properties", schema["properties"])
        self.refused(404, member, "GET", "/v2/schemas/none")

    def test_every_operation_needs_a_token(self):
        for method, path in (("GET", "/v2/images"), ("POST", "/v2/images"), ("GET", f"/v2/images/{NOBODY}"),
                             ("PATCH", f"/v2/images/{NOBODY}"), ("DELETE", f"/v2/images/{NOBODY}"),
                             ("PUT", f"/v2/images/{NOBODY}/file"), ("GET", f"/v2/images/{NOBODY}/file"),
                             ("GET", f"/v2/images/{NOBODY}/members"), ("PUT", f"/v2/images/{NOBODY}/tags/x"),
                             ("GET", "/v2/schemas/image"), ("GET", "/v2/info/import")):
            for token in ("", "wrong"):
                status, headers, body = member.request(method, "image", path, None, {"X-Auth-Token": token})
                self.assertEqual((status, "WWW-Authenticate" in headers), (401, True), (method, path, body))

    def test_errors_as_the_client_likes_them(self):
        path = f"/v2/images/{NOBODY}"
        for accept, kind, part in (("application/json", "application/json", None), ("application/json, text/html", "application/json", None),
                                   ("*/*", "text/html", b"<h1>404 Not Found</h1>"), ("text/html, application/json", "text/html", b"<h1>"),
                                   ("image/png", "text/plain", b"404 Not Found\n\nNo image found")):
            status, headers, body = member.request("GET", "image", path, headers={"Accept": accept})
            self.assertEqual((status, headers["Content-Type"].split(";")[0]), (404, kind), accept)
            if part is None:
                self.assertEqual((body["code"], body["title"]), ("404 Not Found", "Not Found"))
            else:
                self.assertIn(part, body)
        _, _, body = member.request("PUT", "image", path + "/tags/%3Cb%3E" + "x" * 300, headers={"Accept": "text/html"})
        self.assertNotIn(b"<b>", body)
        status, _, body = member.request("GET", "image", path, headers={"Accept": "*/*", "X-Auth-Token": "x"})
        self.assertEqual((status, body["error"]["code"]), (401, 401))

    def test_wrong_methods_and_paths(self):
        status, headers, _ = member.request("POST", "image", f"/v2/images/{NOBODY}")
        self.assertEqual((status, "PATCH" in headers["Allow"]), (405, True))
        self.refused(404, member, "GET", "/v2/images/")
        self.refused(404, member, "GET", "/v2/nothing")
        for bad in ("x", "..%2F..%2Fetc", "%00", "a" * 500, NOBODY):
            self.assertIn(member.request("GET", "image", "/v2/images/" + bad)[0], (400, 404), bad)


class CreateTest(ImageTest):
    def test_defaults(self):
        status, headers, image = member.request("POST", "image", "/v2/images", {})
        self.addCleanup(self.remove, image["id"])
        self.assertEqual(status, 201)
        self.assertTrue(headers["Location"].endswith("/v2/images/" + image["id"]))
        self.assertEqual(headers["OpenStack-image-import-methods"], "glance-direct")
        wanted = {"name": None, "status": "queued", "visibility": "shared", "protected": False, "os_hidden": False,
                  "owner": member.project_id, "disk_format": None, "container_format": None, "min_disk": 0, "min_ram": 0,
                  "size": None, "virtual_size": None, "checksum": None, "os_hash_algo": None, "os_hash_value": None, "tags": [],
                  "self": "/v2/images/" + image["id"], "file": f"/v2/images/{image['id']}/file",
                  "schema": "/v2/schemas/image"}
        self.assertEqual({k: image[k] for k in wanted}, wanted)
        self.assertEqual(set(image) - set(wanted), {"id", "created_at", "updated_at"})

    def test_everything(self):
        image_id = str(uuid.uuid4())
        body = {"id": image_id, "name": "Grüße \u2603 \U0001f600", "visibility": "private", "protected": True, "os_hidden": True,
                "disk_format": "qcow2", "container_format": "bare", "min_disk": 5, "min_ram": 512, "tags": ["b", "a", "b"],
                "os_distro": "debian", "hw_machine_type": "q35", "trait:X": "required", "": None}
        del body[""]
        image = self.create(**body)
        body["tags"] = ["b", "a"]
        self.assertEqual({k: image[k] for k in body}, body)
        self.assertEqual(self.show(image), image)
        self.refused(409, member, "POST", "/v2/images", {"id": image_id}, message="already exists")

    def test_bad_members(self):
        for body in ({"name": 5}, {"name": "x" * 256}, {"visibility": "secret"}, {"visibility": None}, {"protected": "maybe"},
                     {"disk_format": "exe"}, {"container_format": "box"}, {"min_disk": -1}, {"min_ram": 2 ** 31},
                     {"min_ram": "5"}, {"tags": "x"}, {"tags": [5]}, {"tags": ["x" * 256]}, {"id": "5"}, {"id": "../x"},
                     {"id": NOBODY + "\n"}, {"os_distro": 5}, {"os_distro": None}, {"os_distro": {"a": "b"}},
                     {"k" * 256: "v"}, {"": "v"}, {"k": "v" * 65536}, {"properties": {"a": "b"}}):
            self.refused(400, member, "POST", "/v2/images", body)
        for raw in (b"", b"{", b"[]", b'{"name": "a", "name": "b"}', b'"x"', b"\xff"):
            self.refused(400, member, "POST", "/v2/images", raw, {"Content-Type": "application/json"})
        self.refused(415, member, "POST", "/v2/images", b"<x/>", {"Content-Type": "text/xml"})

    def test_what_is_not_the_clients(self):
        for key in ("status", "checksum", "size", "virtual_size", "os_hash_algo", "os_hash_value", "created_at", "updated_at", "file",
                    "self", "schema", "locations", "direct_url", "deleted", "os_glance_x", "os_glance_data_id", "os_glance_staged"):
            self.refused(403, member, "POST", "/v2/images", {key: "x"})
        self.refused(403, member, "POST", "/v2/images", {"visibility": "public"})
        self.refused(403, member, "POST", "/v2/images", {"owner": other.project_id})
        self.refused(403, reader, "POST", "/v2/images", {"name": "x"})
        self.assertEqual(self.create(admin, owner=other.project_id)["owner"], other.project_id)

    def test_limits(self):
        self.refused(413, member, "POST", "/v2/images", {f"p{i}": "v" for i in range(129)})
        self.refused(413, member, "POST", "/v2/images", {"tags": [f"t{i}" for i in range(129)]})
        self.create(**{f"p{i}": "v" for i in range(128)})


class PatchTest(ImageTest):
    def test_both_media_types(self):
        image = self.create(a="1", c="3")
        status, _, body = patch(member, image["id"], [
            {"op": "replace", "path": "/name", "value": "new"}, {"op": "add", "path": "/b~1x~0y", "value": "2"},
            {"op": "remove", "path": "/a"}, {"op": "replace", "path": "/tags", "value": ["x", "x"]},
            {"op": "add", "path": "/c", "value": "33"}])
        self.assertEqual((status, body["name"], body["b/x~y"], body["tags"], body["c"]), (200, "new", "2", ["x"], "33"))
        self.assertNotIn("a", body)
        status, _, body = patch(member, image["id"], [{"replace": "/name", "value": "newer"}, {"add": "/d", "value": "4"},
                                                      {"remove": "/c"}], V20)
        self.assertEqual((status, body["name"], body["d"], "c" in body), (200, "newer", "4", False))
        self.assertEqual(self.show(image), body)

    def test_refused(self):
        image = self.create(a="1")
        before = self.show(image)
        for status, change in ((409, {"op": "remove", "path": "/none"}), (409, {"op": "replace", "path": "/none", "value": "1"}),
                               (403, {"op": "remove", "path": "/name"}), (400, {"op": "move", "path": "/name", "from": "/a"}),
                               (400, {"op": "add", "path": "name", "value": "x"}), (400, {"op": "add", "path": "/", "value": "x"}),
                               (400, {"op": "add", "path": "/a/b", "value": "x"}), (400, {"op": "add", "path": "/a~2", "value": "x"}),
                               (400, {"op": "add", "path": "/a"}), (400, {"path": "/a", "value": "x"}), (400, {"op": "add", "value": "x"}),
                               (400, {"op": "replace", "path": "/name", "value": 5}), (400, {"op": "add", "path": "/k", "value": 5}),
                               (400, {"op": "replace", "path": "/visibility", "value": "none"}), (400, "x"),
                               (400, {"op": "replace", "path": "/min_disk", "value": -1}),
                               (403, {"op": "replace", "path": "/visibility", "value": "public"})):
            got, _, body = patch(member, image["id"], [{"op": "replace", "path": "/a", "value": "2"}, change])
            self.assertEqual(got, status, (change, body))
        for key in ("status", "checksum", "os_hash_value", "size", "id", "file", "direct_url", "locations", "created_at", "self",
                    "schema", "owner", "os_glance_x", "os_glance_data_id", "deleted", "virtual_size"):
            for op in ("add", "replace"):
                self.assertEqual(patch(member, image["id"], [{"op": op, "path": "/" + key, "value": "active"}])[0], 403, key)
        self.assertEqual(patch(member, image["id"], [{"add": "/a", "value": "2"}], V20)[0], 409)
        self.assertEqual(patch(member, image["id"], [{"replace": "/a", "remove": "/a", "value": "2"}], V20)[0], 400)
        self.assertEqual(patch(member, image["id"], {"name": "x"})[0], 400)
        self.assertEqual(patch(reader, image["id"], [{"op": "replace", "path": "/name", "value": "x"}])[0], 403)
        self.assertEqual(patch(other, image["id"], [{"op": "replace", "path": "/name", "value": "x"}])[0], 404)
        status, headers, _ = patch(member, image["id"], [], {"Content-Type": "application/json"})
        self.assertEqual((status, "v2.1-json-patch" in headers["Accept-Patch"]), (415, True))
        self.assertEqual(self.show(image), before)

    def test_limits(self):
        image = self.create()
        many = [{"op": "add", "path": f"/p{i}", "value": "v"} for i in range(129)]
        self.assertEqual(patch(member, image["id"], many)[0], 413)
        self.assertEqual(patch(member, image["id"], many[1:])[0], 200)
        self.assertEqual(patch(member, image["id"], many[:1])[0], 413)

    def test_formats_of_an_active_image(self):
        image = self.active()
        self.assertEqual(patch(member, image["id"], [{"op": "replace", "path": "/disk_format", "value": "qcow2"}])[0], 403)
        self.assertEqual(patch(member, image["id"], [{"op": "replace", "path": "/name", "value": "x"}])[0], 200)

    def test_owner_by_admin(self):
        image = self.create()
        self.assertEqual(patch(admin, image["id"], [{"op": "replace", "path": "/owner", "value": other.project_id}])[0], 200)
        self.assertEqual(self.show(image, other)["owner"], other.project_id)


def qcow2(backing=b"", size=1 << 20, version=3, incompatible=0):
    """The header of a small qcow2 with its tables."""
    header = struct.pack(">4sIQIIQIIQQIIQ", b"QFI\xfb", version, 104 if backing else 0, len(backing), 16, size, 0, 1, 65536 * 3, 65536,
                         1, 0, 0)
    header += struct.pack(">QQQII", incompatible, 0, 0, 4, 104)
    refcounts = struct.pack(">Q", 65536 * 2).ljust(65536, b"\0")
    block = (struct.pack(">H", 1) * 4).ljust(65536, b"\0")
    return (header + backing).ljust(65536, b"\0") + refcounts + block + bytes(65536)


class UploadTest(ImageTest):
    def assertNothingLeft(self, image, before):
        now = self.show(image)
        self.assertEqual((now["status"], now["size"], now["checksum"]), ("queued", None, None))
        self.assertEqual(stored(), before)

    def test_round_trip(self):
        for size in (1, 1024, 1024 * 1024, 5 * 1024 * 1024 + 17):
            data = os.urandom(size)
            image = self.active(data)
            self.assertEqual((image["status"], image["size"], image["virtual_size"], image["checksum"], image["os_hash_algo"],
                              image["os_hash_value"]),
                             ("active", size, size, hashlib.md5(data).hexdigest(), "sha512", hashlib.sha512(data).hexdigest()))
            status, headers, body = member.request("GET", "image", image["file"])
            self.assertEqual((status, body == data, headers["Content-MD5"], headers["Content-Length"], headers["Content-Type"]),
                             (200, True, image["checksum"], str(size), "application/octet-stream"))

    def test_chunked(self):
        data = [os.urandom(100000) for _ in range(30)]
        image = self.create()
        self.assertEqual(self.upload(image, iter(data))[0], 204)
        self.assertEqual(self.show(image)["checksum"], hashlib.md5(b"".join(data)).hexdigest())

    def test_qcow2(self):
        with tempfile.TemporaryDirectory() as folder:
            path = folder + "/x.qcow2"
            subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", path, "1G"], check=True)
            with open(path, "rb") as file:
                image = self.active(file.read(), disk_format="qcow2")
        self.assertEqual((image["status"], image["virtual_size"]), ("active", 1 << 30))
        self.active(qcow2(), disk_format="qcow2")  # So that the refusals below are for their own reasons.

    def test_refused_contents(self):
        before = stored()
        cases = {
            "backing file": ("qcow2", qcow2(backing=b"/etc/passwd")), "json": ("qcow2", qcow2(backing=b'json:{"driver":"nbd"}')),
            "data file": ("qcow2", qcow2(incompatible=4)), "bomb": ("qcow2", qcow2(size=(1 << 63) - 1)),
            "qcow2 as raw": ("raw", qcow2()), "raw as qcow2": ("qcow2", bytes(100000)), "truncated": ("qcow2", qcow2()[:50]),
            "vmdk descriptor": ("vmdk", b"# Disk DescriptorFile\nversion=1\ncreateType=\"monolithicFlat\"\nRW 1 FLAT \"/dev/sda\" 0\n"),
            "vmdk as raw": ("raw", b"KDMV".ljust(2000, b"\0")), "empty": ("qcow2", b""),
        }
        for name, (disk_format, data) in cases.items():
            with self.subTest(name):
                image = self.create(disk_format=disk_format)
                status, _, body = self.upload(image, data)
                self.assertIn(status, (400, 415), body)
                self.assertNothingLeft(image, before)
                if disk_format == "raw":  # And it is as good as new.
                    self.assertEqual(self.upload(image, b"good")[0], 204)
                    self.remove(image["id"])
        for container in ("ami", "ovf"):  # Another container is no way around it.
            image = self.create(container_format=container, disk_format="vhd")
            self.assertEqual(self.upload(image, qcow2())[0], 400)
            self.assertNothingLeft(image, before)
            self.assertEqual(self.upload(image, b"an archive")[0], 204)
            self.remove(image["id"])

    def test_refused_requests(self):
        before = stored()
        image = self.create()
        for headers in ({"Content-Type": "application/json"}, {"Content-Type": "text/plain"}):
            self.assertEqual(self.upload(image, b"{}", headers=headers)[0], 415)
        self.assertEqual(self.upload(image, b"x", headers={**BYTES, "X-Image-Meta-Store": "other"})[0], 400)
        self.assertEqual(self.upload(image, b"x", session=reader)[0], 403)
        self.assertEqual(self.upload(image, b"x", session=other)[0], 404)
        self.assertEqual(self.upload({"id": NOBODY}, b"x")[0], 404)
        self.assertNothingLeft(image, before)
        unfinished = member.expect(201, "POST", "image", "/v2/images", {})
        self.addCleanup(self.remove, unfinished["id"])
        self.assertEqual(self.upload(unfinished, b"x")[0], 400)
        image = self.active()
        status, _, body = self.upload(image, b"other bytes")
        self.assertEqual(status, 409, body)
        self.assertEqual(member.request("GET", "image", image["file"])[2], b"some bytes")

    @contextlib.contextmanager
    def half_upload(self, image, length="1000000", part=b"x" * 300000, tail="file"):
        """A connection on which an upload has begun and waits for more."""
        host, port = cloud.urls["image"].split("//")[1].split(":")
        with socket.create_connection((host, int(port)), timeout=30) as s:
            framing = f"Content-Length: {length}" if length else "Transfer-Encoding: chunked"
            s.sendall((f"PUT /v2/images/{image['id']}/{tail} HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {member.token}\r\n"
                       f"Content-Type: application/octet-stream\r\n{framing}\r\n\r\n").encode())
            s.sendall(part)
            self.wait(lambda: self.show(image)["status"] != "queued")
            yield s

    def wait(self, condition, seconds=20):
        end = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), end, "it did not happen")
            time.sleep(0.02)

    def test_disconnect(self):
        before = stored()
        for length, part in (("1000000", b"x" * 300000), (None, b"10\r\n0123456789abcdef\r\n"), (None, b"10\r\n0123")):
            image = self.create()
            with self.half_upload(image, length, part) as s:
                self.assertEqual(self.show(image)["status"], "saving")
                self.assertEqual(len(stored()), len(before) + 1)
                s.close()
            self.wait(lambda: self.show(image)["status"] == "queued")
            self.wait(lambda: stored() == before)

    def test_too_large(self):
        image = self.create()
        host, port = cloud.urls["image"].split("//")[1].split(":")
        with socket.create_connection((host, int(port)), timeout=30) as s:
            s.sendall((f"PUT /v2/images/{image['id']}/file HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {member.token}\r\n"
                       f"Content-Type: application/octet-stream\r\nContent-Length: {1 << 50}\r\n\r\n").encode())
            self.assertIn(b" 413 ", s.recv(4096).split(b"\r\n")[0])
        self.assertNothingLeft(image, stored())

    def test_two_at_once(self):
        image = self.create()
        results, barrier = [], threading.Barrier(4)

        def run(data):
            barrier.wait()
            results.append((self.upload(image, data)[0], data))

        threads = [threading.Thread(target=run, args=(os.urandom(300000),)) for _ in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(sorted(status for status, _ in results), [204, 409, 409, 409])
        winner = next(data for status, data in results if status == 204)
        self.assertEqual(member.request("GET", "image", image["file"])[2], winner)

    def test_second_while_first_runs(self):
        image = self.create()
        with self.half_upload(image) as s:
            self.assertEqual(self.upload(image, b"second")[0], 409)
            self.assertEqual(patch(member, image["id"], [{"op": "replace", "path": "/disk_format", "value": "iso"}])[0], 403)
            s.sendall(b"x" * 700000)
            self.assertIn(b" 204 ", s.recv(4096).split(b"\r\n")[0])
        self.assertEqual(self.show(image)["size"], 1000000)

    def test_delete_while_uploading(self):
        before = stored()
        image = self.create()
        with self.half_upload(image) as s:
            member.expect(204, "DELETE", "image", f"/v2/images/{image['id']}")
            self.assertEqual(stored(), before)
            s.sendall(b"x" * 700000)
            self.assertIn(b" 410 ", s.recv(4096).split(b"\r\n")[0])
        self.assertEqual(stored(), before)
        self.refused(404, member, "GET", f"/v2/images/{image['id']}")

    def test_delete_and_same_id_while_uploading(self):
        image = self.create()
        with self.half_upload(image) as s:
            member.expect(204, "DELETE", "image", f"/v2/images/{image['id']}")
            again = self.create(id=image["id"])
            self.assertEqual(self.upload(again, b"new bytes")[0], 204)
            s.sendall(b"x" * 700000)
            self.assertIn(b" 410 ", s.recv(4096).split(b"\r\n")[0])
        self.assertEqual(member.request("GET", "image", image["file"])[2], b"new bytes")

    def test_killed_while_uploading(self):
        kept = self.active(b"kept bytes")
        before = stored()
        saving, staging, staged = self.create(), self.create(), self.create()
        self.assertEqual(member.request("PUT", "image", f"/v2/images/{staged['id']}/stage", b"staged", BYTES)[0], 204)
        with self.half_upload(saving), self.half_upload(staging, tail="stage"):
            self.assertEqual(len(stored()), len(before) + 3)
            with open(os.path.join(cloud.layout.path("state", "image", "images"), str(uuid.uuid4())), "wb") as stray:
                stray.write(b"left by a crash between file and row")
            cloud.daemon("image").process.kill()
        cloud.restart()
        self.wait(lambda: len(stored()) == len(before) + 1)
        for image in (saving, staging):
            self.wait(lambda: self.show(image)["status"] == "queued")
            self.assertEqual(self.upload(image, b"again")[0], 204)
        self.assertEqual(self.show(staged)["status"], "uploading")
        member.expect(202, "POST", "image", f"/v2/images/{staged['id']}/import", {"method": {"name": "glance-direct"}})
        self.assertEqual(member.request("GET", "image", staged["file"])[2], b"staged")
        self.assertEqual(member.request("GET", "image", kept["file"])[2], b"kept bytes")


class DownloadTest(ImageTest):
    def test_without_data(self):
        image = self.create()
        status, headers, body = member.request("GET", "image", image["file"])
        self.assertEqual((status, body, headers.get("Content-Type")), (204, b"", None))

    def test_ranges(self):
        image = self.active(b"0123456789")
        for text, first, last in (("0-3", 0, 3), ("5-", 5, 9), ("-3", 7, 9), ("-30", 0, 9), ("9-9", 9, 9), ("0-100", 0, 9)):
            status, headers, body = member.request("GET", "image", image["file"], headers={"Range": "bytes=" + text})
            self.assertEqual((status, body, headers["Content-Range"], headers["Accept-Ranges"]),
                             (206, b"0123456789"[first:last + 1], f"bytes {first}-{last}/10", "bytes"), text)
        for text in ("10-", "5-2", "-0", "-", "x-y", "99999999999999999999-"):
            status, headers, _ = member.request("GET", "image", image["file"], headers={"Range": "bytes=" + text})
            self.assertEqual((status, headers["Content-Range"]), (416, "bytes */10"), text)
        self.assertEqual(member.request("GET", "image", image["file"], headers={"Range": "items=1-2"})[0], 200)
        self.assertEqual(member.request("GET", "image", image["file"], headers={"Range": "bytes=0-1,3-4"})[0], 200)

    def test_of_others(self):
        image = self.active(visibility="private")
        self.refused(404, other, "GET", image["file"])
        self.refused(403, reader, "GET", image["file"])
        self.assertEqual(admin.request("GET", "image", image["file"])[0], 200)

    def test_symbolic_link_in_the_store(self):
        image = self.active()
        path = cloud.layout.path("state", "image", "images", cloud.sql("image", f"SELECT data_id FROM image WHERE id = '{image['id']}'").strip())
        os.unlink(path)
        os.symlink("/etc/passwd", path)
        self.refused(500, member, "GET", image["file"])

    def test_deactivated(self):
        image = self.active()
        path = f"/v2/images/{image['id']}/actions/"
        self.refused(404, other, "POST", path + "deactivate")
        self.refused(403, reader, "POST", path + "deactivate")
        for _ in range(2):
            member.expect(204, "POST", "image", path + "deactivate")
        self.assertEqual(self.show(image)["status"], "deactivated")
        self.refused(403, member, "GET", image["file"], message="deactivated")
        self.assertEqual(admin.request("GET", "image", image["file"])[0], 200)
        self.assertEqual(self.upload(image, b"x")[0], 409)
        for _ in range(2):
            member.expect(204, "POST", "image", path + "reactivate")
        self.assertEqual(member.request("GET", "image", image["file"])[0], 200)
        queued = self.create()
        for action in ("deactivate", "reactivate"):
            self.refused(400, member, "POST", f"/v2/images/{queued['id']}/actions/{action}", message="not allowed")


class DeleteTest(ImageTest):
    def test_delete(self):
        before = stored()
        image = self.active()
        self.refused(404, other, "DELETE", f"/v2/images/{image['id']}")
        self.refused(403, reader, "DELETE", f"/v2/images/{image['id']}")
        self.assertEqual(len(stored()), len(before) + 1)
        member.expect(204, "DELETE", "image", f"/v2/images/{image['id']}")
        self.assertEqual(stored(), before)
        for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/file"), ("GET", "/members")):
            self.refused(404, member, method, f"/v2/images/{image['id']}{path}")

    def test_protected(self):
        image = self.active(protected=True)
        for session in (member, admin):
            self.refused(403, session, "DELETE", f"/v2/images/{image['id']}", message="protected")
        self.assertEqual(member.request("GET", "image", image["file"])[0], 200)

    def test_others_are_the_same_as_none(self):
        image = self.create(visibility="private")
        a = self.refused(404, other, "GET", f"/v2/images/{image['id']}")
        b = self.refused(404, other, "GET", f"/v2/images/{NOBODY}")
        self.assertEqual(json.dumps(a).replace(image["id"], NOBODY), json.dumps(b))


class TagTest(ImageTest):
    def test_tags(self):
        image = self.create(tags=["a"])
        for tag in ("b", "b", "%C3%A4%20%2B", "x" * 255):
            member.expect(204, "PUT", "image", f"/v2/images/{image['id']}/tags/{tag}")
        self.assertEqual(self.show(image)["tags"], ["a", "b", "ä +", "x" * 255])
        member.expect(204, "DELETE", "image", f"/v2/images/{image['id']}/tags/b")
        self.refused(404, member, "DELETE", f"/v2/images/{image['id']}/tags/b")
        self.assertEqual(self.show(image)["tags"], ["a", "ä +", "x" * 255])
        self.refused(400, member, "PUT", f"/v2/images/{image['id']}/tags/{'x' * 256}")
        self.refused(404, other, "PUT", f"/v2/images/{image['id']}/tags/c")
        self.refused(403, reader, "PUT", f"/v2/images/{image['id']}/tags/c")
        self.refused(404, member, "PUT", f"/v2/images/{NOBODY}/tags/c")

    def test_limit(self):
        image = self.create(tags=[f"t{i}" for i in range(128)])
        member.expect(204, "PUT", "image", f"/v2/images/{image['id']}/tags/t5")
        self.refused(413, member, "PUT", f"/v2/images/{image['id']}/tags/c")


class ListTest(ImageTest):
    @classmethod
    def setUpClass(cls):
        cls.mark = uuid.uuid4().hex
        cls.images = []
        for i in range(5):
            image = member.expect(201, "POST", "image", "/v2/images", {
                "name": f"n{i}", "disk_format": "raw", "container_format": "bare", "mark": cls.mark, "number": str(i % 2), "min_ram": i,
                "tags": ["all"] + [f"t{j}" for j in range(i)], "visibility": "private", "protected": False})
            member.request("PUT", "image", f"/v2/images/{image['id']}/file", b"x" * (i + 1), BYTES)
            cls.images.append(image["id"])

    @classmethod
    def tearDownClass(cls):
        for image in cls.images:
            admin.request("DELETE", "image", f"/v2/images/{image}")

    def numbers(self, query, session=None):
        return [self.images.index(i) for i in self.ids(session or member, f"?mark={self.mark}&{query}")]

    def test_filters(self):
        for query, wanted in (("", "43210"), ("name=n3", "3"), ("number=1", "31"), ("number=1&name=n1", "1"), ("nothing=1", ""),
                              ("name=in:n1,n4", "41"), ("status=active", "43210"), ("status=queued", ""), ("status=in:active,queued", "43210"),
                              ("size_min=3", "432"), ("size_max=2", "10"), ("size_min=2&size_max=4", "321"), ("size=3", "2"),
                              ("min_ram=4", "4"), ("tag=all", "43210"), ("tag=t0&tag=t2", "43"), ("tag=no", ""), ("disk_format=raw", "43210"),
                              ("disk_format=in:iso,qcow2", ""), ("container_format=bare", "43210"), ("protected=true", ""),
                              ("visibility=private", "43210"), ("visibility=shared", ""), ("visibility=all", "43210"),
                              ("owner=" + member.project_id, "43210"), ("owner=x", ""), ("os_hidden=true", ""), ("os_hidden=false", "43210"),
                              (f"id=in:{self.images[1]},{self.images[2]}", "21"), ("created_at=gt:2020-01-01T00:00:00Z", "43210"),
                              ("created_at=lt:2020-01-01T00:00:00Z", ""), ("updated_at=gte:2020-01-01", "43210")):
            self.assertEqual("".join(map(str, self.numbers(query))), wanted, query)
        self.assertEqual(self.numbers("", other), [])
        self.assertEqual(self.numbers("", reader), [4, 3, 2, 1, 0])
        self.assertEqual(self.numbers("", admin), [4, 3, 2, 1, 0])

    def test_bad_filters(self):
        for query in ("limit=-1", "limit=x", "marker=" + NOBODY, "sort=none:asc", "sort=name:up", "sort_key=none", "sort_dir=up&sort_key=id",
                      "size_min=-1", "size_max=x", "visibility=none", "member_status=none", "min_ram=x", "protected=perhaps",
                      "created_at=gt:then", "sort=name&sort_key=id"):
            self.refused(400, member, "GET", "/v2/images?" + query)
        self.refused(400, other, "GET", "/v2/images?marker=" + self.images[0])
        self.assertEqual(member.expect(200, "GET", "image", "/v2/images?'%22;--=%27&limit=1&x")["images"], [])

    def test_sorting(self):
        for query, wanted in (("sort=size:asc", "01234"), ("sort=size", "43210"), ("sort=name:desc", "43210"), ("sort_key=name&sort_dir=asc", "01234"),
                              ("sort=disk_format:asc,size:asc", "01234"), ("sort_key=disk_format&sort_key=size&sort_dir=desc&sort_dir=asc", "01234"),
                              ("sort=created_at:asc", "01234"), ("sort_key=status&sort_key=created_at", "43210")):
            self.assertEqual("".join(map(str, self.numbers(query))), wanted, query)

    def test_pages(self):
        for extra in ("", "&sort=size:asc", "&sort=name:desc,id:asc", "&visibility=private"):
            path, seen, pages = f"/v2/images?mark={self.mark}&limit=2{extra}", [], 0
            while path:
                page = member.expect(200, "GET", "image", path)
                self.assertEqual((page["first"], page["schema"]),
                                 (f"/v2/images?mark={self.mark}&limit=2{extra.replace(':', '%3A').replace(',', '%2C')}", "/v2/schemas/images"))
                seen += [self.images.index(i["id"]) for i in page["images"]]
                path = page.get("next")
                pages += 1
            self.assertEqual((sorted(seen), pages), ([0, 1, 2, 3, 4], 3))
        self.assertEqual(self.numbers("limit=0"), [])
        self.assertEqual(self.numbers("limit=99999"), [4, 3, 2, 1, 0])


class SharingTest(ImageTest):
    def test_members(self):
        image = self.active()
        path = f"/v2/images/{image['id']}/members"
        self.assertEqual(member.expect(200, "GET", "image", path), {"members": [], "schema": "/v2/schemas/members"})
        self.refused(404, other, "GET", path)
        self.refused(404, other, "GET", image["file"])
        got = member.expect(200, "POST", "image", path, {"member": other.project_id})
        self.assertEqual((got["member_id"], got["image_id"], got["status"], got["schema"]),
                         (other.project_id, image["id"], "pending", "/v2/schemas/member"))
        self.refused(409, member, "POST", path, {"member": other.project_id})
        # Seen from the other side: it can be looked at, but stands in no list until it is accepted.
        self.assertEqual(self.show(image, other)["id"], image["id"])
        self.assertEqual(other.request("GET", "image", image["file"])[0], 200)
        self.assertNotIn(image["id"], self.ids(other))
        self.assertIn(image["id"], self.ids(other, "?member_status=pending&visibility=shared"))
        self.assertIn(image["id"], self.ids(other, "?member_status=all"))
        self.assertNotIn(image["id"], self.ids(other, "?member_status=rejected"))
        own = f"{path}/{other.project_id}"
        self.refused(403, member, "PUT", own, {"status": "accepted"})
        for status in ("accepted", "rejected", "pending", "accepted"):
            self.assertEqual(other.expect(200, "PUT", "image", own, {"status": status})["status"], status)
            self.assertEqual(image["id"] in self.ids(other), status == "accepted")
            self.assertEqual(member.expect(200, "GET", "image", own)["status"], status)
        for body in ({"status": "none"}, {}, {"status": None}, {"member": "x"}):
            self.refused(400, other, "PUT", own, body)
        # What a member may not do.
        for method, where, body in (("DELETE", own, None), ("POST", path, {"member": "third"}), ("DELETE", f"/v2/images/{image['id']}", None),
                                    ("PUT", f"/v2/images/{image['id']}/tags/x", None)):
            self.refused(403, other, method, where, body)
        self.assertEqual(patch(other, image["id"], [{"op": "replace", "path": "/name", "value": "x"}])[0], 403)
        self.assertEqual(self.upload(image, b"x", other)[0], 403)
        # Each sees its own entry only.
        member.expect(200, "POST", "image", path, {"member": "third"})
        self.assertEqual([m["member_id"] for m in other.expect(200, "GET", "image", path)["members"]], [other.project_id])
        self.assertEqual(len(member.expect(200, "GET", "image", path)["members"]), 2)
        self.refused(404, other, "GET", f"{path}/third")
        self.refused(404, member, "GET", f"{path}/fourth")
        self.refused(404, member, "DELETE", f"{path}/fourth")
        # Taken back: as if it had never been.
        self.refused(403, reader, "DELETE", own)
        member.expect(204, "DELETE", "image", own)
        self.refused(404, other, "GET", f"/v2/images/{image['id']}")
        self.refused(404, other, "GET", image["file"])
        self.refused(404, other, "PUT", own, {"status": "accepted"})
        self.assertNotIn(image["id"], self.ids(other, "?member_status=all"))

    def test_bad_members(self):
        image = self.create()
        path = f"/v2/images/{image['id']}/members"
        for body in ({}, {"member": ""}, {"member": 5}, {"member": "x" * 256}):
            self.refused(400, member, "POST", path, body)
        self.refused(403, reader, "POST", path, {"member": "x"})
        for i in range(128):
            member.expect(200, "POST", "image", path, {"member": f"m{i}"})
        self.refused(413, member, "POST", path, {"member": "one more"})

    def test_not_shared(self):
        image = self.create(visibility="private")
        path = f"/v2/images/{image['id']}/members"
        for method, where, body in (("GET", path, None), ("POST", path, {"member": "x"}), ("GET", path + "/x", None), ("DELETE", path + "/x", None)):
            self.refused(403, member, method, where, body, message="Only shared images have members")

    def test_member_of_an_image_made_private(self):
        image = self.active()
        member.expect(200, "POST", "image", f"/v2/images/{image['id']}/members", {"member": other.project_id})
        other.expect(200, "PUT", "image", f"/v2/images/{image['id']}/members/{other.project_id}", {"status": "accepted"})
        patch(member, image["id"], [{"op": "replace", "path": "/visibility", "value": "private"}])
        self.refused(404, other, "GET", image["file"])
        self.assertNotIn(image["id"], self.ids(other, "?member_status=all&visibility=all"))

    def test_public(self):
        image = self.active(session=admin, visibility="public")
        self.assertIn(image["id"], self.ids(other))
        self.assertEqual(other.request("GET", "image", image["file"])[0], 200)
        for method, path in (("DELETE", ""), ("PUT", "/tags/x"), ("POST", "/actions/deactivate")):
            self.refused(403, other, method, f"/v2/images/{image['id']}{path}")
        self.assertEqual(patch(other, image["id"], [{"op": "replace", "path": "/name", "value": "x"}])[0], 403)
        self.assertEqual(self.upload(image, b"x", other)[0], 403)
        hidden = self.active(session=admin, visibility="public", os_hidden=True)
        self.assertNotIn(hidden["id"], self.ids(other))
        self.assertIn(hidden["id"], self.ids(other, "?os_hidden=true"))

    def test_community(self):
        image = self.active(visibility="community")
        self.assertNotIn(image["id"], self.ids(other))
        self.assertIn(image["id"], self.ids(other, "?visibility=community"))
        self.assertIn(image["id"], self.ids(other, "?visibility=all"))
        self.assertIn(image["id"], self.ids(member))
        self.assertEqual(other.request("GET", "image", image["file"])[0], 200)


class ImportTest(ImageTest):
    def test_glance_direct(self):
        self.assertEqual(member.expect(200, "GET", "image", "/v2/info/import")["import-methods"]["value"], ["glance-direct"])
        image = self.create()
        path = f"/v2/images/{image['id']}/"
        method = {"method": {"name": "glance-direct"}}
        self.refused(409, member, "POST", path + "import", method)
        self.assertEqual(member.request("PUT", "image", path + "stage", b"staged bytes", BYTES)[0], 204)
        staged = self.show(image)
        self.assertEqual((staged["status"], staged["size"], staged["checksum"]), ("uploading", None, None))
        self.assertEqual(member.request("GET", "image", image["file"])[0], 204)
        self.assertEqual(member.request("PUT", "image", path + "stage", b"x", BYTES)[0], 409)
        self.assertEqual(self.upload(image, b"x")[0], 409)
        for body in ({}, {"method": {}}, {"method": {"name": "web-download"}}, {"method": {"name": "x"}}, {"method": "glance-direct"}):
            self.refused(400, member, "POST", path + "import", body)
        self.refused(404, other, "POST", path + "import", method)
        self.refused(403, reader, "POST", path + "import", method)
        member.expect(202, "POST", "image", path + "import", method)
        now = self.show(image)
        self.assertEqual((now["status"], now["size"], now["checksum"]), ("active", 12, hashlib.md5(b"staged bytes").hexdigest()))
        self.assertEqual(member.request("GET", "image", image["file"])[2], b"staged bytes")
        self.refused(409, member, "POST", path + "import", method)

    def test_staged_and_deleted(self):
        before = stored()
        image = self.create()
        member.request("PUT", "image", f"/v2/images/{image['id']}/stage", b"staged bytes", BYTES)
        self.assertEqual(len(stored()), len(before) + 1)
        member.expect(204, "DELETE", "image", f"/v2/images/{image['id']}")
        self.assertEqual(stored(), before)


if __name__ == "__main__":
    unittest.main()
