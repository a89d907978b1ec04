#!/usr/bin/python3
"""The block storage API against the real daemon, with identity, image, and a volume agent whose driver only remembers."""
import concurrent.futures
import os
import signal
import subprocess
import sys
import time
import unittest
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from cloud import Cloud  # noqa: E402

cloud = admin = member = reader = other = agent = None
NOWHERE = str(uuid.uuid4())
PASSWORD = "a pass phrase"


class Agent:
    """A volume agent of host 'name' with the sim driver; 'more': lines of its configuration's [sim] and [volume]."""

    def __init__(self, name, sim="", volume=""):
        layout = cloud.layout
        self.name = name
        self.config = layout.path(name + ".conf")
        layout.write(self.config, f"""[daemon]
host = {name}
state_dir = {layout.folder('state', name, mode=0o700)}
control_socket = {layout.path('control', name + '.sock')}
[rpc]
url = {cloud.rpc_url}
[volume]
driver = sim
report_interval = 1
{volume}
[sim]
{sim}
""")
        self.start()

    def start(self):
        with open(cloud.layout.path("log", self.name + ".log"), "ab") as log:
            self.process = subprocess.Popen([cloud.layout.binary("virga-volume-agent"), "--config", self.config], stderr=log)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.terminate()
        self.process.wait()


def make_user(name, project_id, role):
    user = admin.expect(201, "POST", "identity", "/v3/users", {"user": {"name": name, "password": PASSWORD, "domain_id": "default"}})["user"]
    roles = admin.expect(200, "GET", "identity", f"/v3/roles?name={role}")["roles"]
    admin.expect(204, "PUT", "identity", f"/v3/projects/{project_id}/users/{user['id']}/roles/{roles[0]['id']}")


def make_project(name):
    return admin.expect(201, "POST", "identity", "/v3/projects", {"project": {"name": name, "domain_id": "default"}})["project"]["id"]


def setUpModule():
    global cloud, admin, member, reader, other, agent
    cloud = Cloud(services=["identity", "image", "volume"])
    unittest.addModuleCleanup(cloud.close)
    admin = cloud.admin()
    one, two = make_project("one"), make_project("two")
    make_user("mary", one, "member")
    make_user("rita", one, "reader")
    make_user("otto", two, "member")
    member = cloud.session("mary", PASSWORD, "one")
    reader = cloud.session("rita", PASSWORD, "one")
    other = cloud.session("otto", PASSWORD, "two")
    agent = Agent("alpha", sim="capacity = 10000")
    unittest.addModuleCleanup(lambda: agent.stop())
    wait_until(lambda: admin.expect(200, "GET", "volume", "/v3/os-services?binary=cinder-volume")["services"])


def wait_until(condition, seconds=30):
    """Asks again and again until the daemon's own work has led to it."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("it did not happen in time")
        time.sleep(0.05)


def call(session, expected, method, path, body=None, version=None, prefix=None):
    """A request below /v3/{project_id}; the content of the answer."""
    prefix = f"/v3/{session.project_id}" if prefix is None else prefix
    headers = {"OpenStack-API-Version": f"volume {version}"} if version else None
    return session.expect(expected, method, "volume", prefix + path, body, headers)


def fault(session, expected, method, path, body=None, version=None, prefix=None):
    """The message of a refusal."""
    content = call(session, expected, method, path, body, version, prefix)
    key = {400: "badRequest", 403: "forbidden", 404: "itemNotFound", 409: "conflictingRequest", 413: "overLimit", 406: "computeFault",
           405: "badMethod"}[expected]
    assert content[key]["code"] == expected, content
    return content[key]["message"]


def status_of(session, volume_id, kind="volume"):
    return call(session, 200, "GET", f"/{kind}s/{volume_id}")[kind]["status"]


def gone(session, volume_id, kind="volume"):
    return session.request("GET", "volume", f"/v3/{session.project_id}/{kind}s/{volume_id}")[0] == 404


class Case(unittest.TestCase):
    def volume(self, session=None, size=1, wait="available", **more):
        """A volume that goes with the test."""
        session = session or member
        made = call(session, 202, "POST", "/volumes", {"volume": {"size": size, **more}})["volume"]
        self.assertEqual("creating", made["status"])
        self.addCleanup(self.sweep, session, made["id"])
        if wait:
            self.until(session, made["id"], wait)
        return made

    def until(self, session, volume_id, status, kind="volume"):
        seen = []

        def look():
            seen.append(status_of(session, volume_id, kind))
            return seen[-1] == status

        try:
            wait_until(look)
        except AssertionError:
            self.fail(f"{kind} {volume_id} is {seen[-1]}, not {status}")

    def sweep(self, session, volume_id):
        for a in call(admin, 200, "GET", f"/attachments?all_tenants=1&volume_id={volume_id}", version="3.44")["attachments"]:
            call(admin, (200, 404), "DELETE", f"/attachments/{a['id']}", version="3.44")
        call(admin, (202, 400, 404), "DELETE", f"/volumes/{volume_id}?cascade=true")
        wait_until(lambda: gone(session, volume_id))

    def snapshot(self, volume_id, session=None, **more):
        session = session or member
        made = call(session, 202, "POST", "/snapshots", {"snapshot": {"volume_id": volume_id, **more}})["snapshot"]
        self.assertEqual("creating", made["status"])
        self.until(session, made["id"], "available", "snapshot")
        return made


class Discovery(Case):
    def test_versions(self):
        for path, status in (("/", 300), ("/v3/", 200), ("/v3", 200)):
            got, _, body = admin.__class__(admin.urls).request("GET", "volume", path)
            self.assertEqual(status, got)
            version = body["versions"][0]
            self.assertEqual(("v3.0", "3.70", "3.0"), (version["id"], version["version"], version["min_version"]))
            self.assertTrue(any(x["rel"] == "self" and x["href"].endswith("/v3/") for x in version["links"]))

    def test_no_token(self):
        for path in ("/volumes", "/volumes/detail", f"/volumes/{NOWHERE}", "/snapshots", "/types", "/os-services", "/limits"):
            status, headers, body = admin.__class__(admin.urls).request("GET", "volume", f"/v3/{member.project_id}{path}")
            self.assertEqual(401, status)
            self.assertIn("Keystone uri=", headers["WWW-Authenticate"])

    def test_project_in_the_path(self):
        self.assertEqual("Malformed request url", fault(member, 400, "GET", "/volumes", prefix=f"/v3/{other.project_id}"))
        self.assertEqual([], call(member, 200, "GET", "/volumes", prefix="/v3")["volumes"])
        call(admin, 200, "GET", "/volumes", prefix=f"/v3/{other.project_id}")

    def test_microversions(self):
        self.assertIn("3.0", fault(member, 406, "GET", "/volumes", version="3.99"))
        fault(member, 400, "GET", "/volumes", version="abc")
        _, headers, _ = member.request("GET", "volume", f"/v3/{member.project_id}/volumes", headers={"OpenStack-API-Version": "volume latest"})
        self.assertEqual("volume 3.70", headers["OpenStack-API-Version"])
        fault(member, 404, "GET", "/attachments", version="3.26")
        fault(member, 404, "GET", "/nonsense")
        fault(member, 405, "PUT", "/volumes", {})

    def test_small_lists(self):
        self.assertIn("os-types-manage", [x["alias"] for x in call(member, 200, "GET", "/extensions")["extensions"]])
        filters = call(member, 200, "GET", "/resource_filters?resource=volume", version="3.33")["resource_filters"]
        self.assertEqual(["volume"], [x["resource"] for x in filters])
        self.assertIn("name~", filters[0]["filters"])
        self.assertEqual([{"zoneName": "nova", "zoneState": {"available": True}}],
                         call(member, 200, "GET", "/os-availability-zone")["availabilityZoneInfo"])


class Volumes(Case):
    def test_life(self):
        made = self.volume(name="größe 卷", description="d", metadata={"k": "v"}, wait=None)
        self.until(member, made["id"], "available")
        seen = call(member, 200, "GET", f"/volumes/{made['id']}")["volume"]
        self.assertEqual(("größe 卷", "d", 1, {"k": "v"}, "false", "nova", False, [], "__DEFAULT__", member.project_id, member.user_id),
                         tuple(seen[x] for x in ("name", "description", "size", "metadata", "bootable", "availability_zone", "multiattach",
                                                 "attachments", "volume_type", "os-vol-tenant-attr:tenant_id", "user_id")))
        self.assertNotIn("os-vol-host-attr:host", seen)
        self.assertNotIn("volume_image_metadata", seen)
        self.assertEqual("alpha@sim#sim", call(admin, 200, "GET", f"/volumes/{made['id']}")["volume"]["os-vol-host-attr:host"])
        self.assertRegex(seen["created_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$")
        self.assertIn("volume_type_id", call(member, 200, "GET", f"/volumes/{made['id']}", version="3.63")["volume"])
        self.assertNotIn("volume_type_id", seen)
        new = call(member, 200, "PUT", f"/volumes/{made['id']}", {"volume": {"name": "b", "description": None}})["volume"]
        self.assertEqual(("b", None), (new["name"], new["description"]))
        call(member, 202, "DELETE", f"/volumes/{made['id']}")
        wait_until(lambda: gone(member, made["id"]))

    def test_nulls_as_clients_send_them(self):
        nothing = ("consistencygroup_id", "snapshot_id", "name", "description", "volume_type", "availability_zone", "imageRef", "source_volid", "backup_id",
                   "group_id")
        self.volume(metadata={}, **dict.fromkeys(nothing))

    def test_bad_fields(self):
        good = {"size": 1}
        for bad, part in (({"size": 0}, "size"), ({"size": -1}, "size"), ({"size": "x"}, "size"), ({"size": 1.5}, "size"), ({"size": None}, "size"),
                          ({"name": "x" * 256}, "name"), ({"name": 5}, "name"), ({"description": "x" * 256}, "description"),
                          ({"metadata": {"k": 5}}, "metadata"), ({"metadata": "x"}, "metadata"), ({"metadata": {"k": "x" * 256}}, "metadata"),
                          ({"availability_zone": "mars"}, "mars"), ({"imageRef": "not-a-uuid"}, "image"), ({"nonsense": 1}, "nonsense"),
                          ({"snapshot_id": NOWHERE, "source_volid": NOWHERE}, "May specify only one"), ({"consistencygroup_id": "x"}, "consistencygroup")):
            with self.subTest(bad=bad):
                self.assertIn(part, fault(member, 400, "POST", "/volumes", {"volume": {**good, **bad}}))
        fault(member, 400, "POST", "/volumes", {})
        fault(member, 400, "POST", "/volumes", {"volume": None})
        for bad in ({"snapshot_id": NOWHERE}, {"source_volid": NOWHERE}, {"imageRef": NOWHERE}, {"volume_type": "none such"}):
            with self.subTest(bad=bad):
                fault(member, 404, "POST", "/volumes", {"volume": {**good, **bad}})

    def test_unknown_id(self):
        for method, path, body in (("GET", "", None), ("PUT", "", {"volume": {"name": "x"}}), ("DELETE", "", None), ("GET", "/metadata", None),
                                   ("POST", "/action", {"os-extend": {"new_size": 5}}), ("POST", "/action", {"os-set_bootable": {"bootable": True}})):
            for volume_id in (NOWHERE, "x"):
                self.assertEqual(f"Volume {volume_id} could not be found.", fault(member, 404, method, f"/volumes/{volume_id}{path}", body))

    def test_other_project(self):
        made = self.volume(name="hers")
        snapshot = self.snapshot(made["id"])
        path = f"/volumes/{made['id']}"
        for method, more, body in (("GET", "", None), ("PUT", "", {"volume": {"name": "x"}}), ("DELETE", "", None), ("GET", "/metadata", None),
                                   ("POST", "/metadata", {"metadata": {"a": "b"}}), ("POST", "/action", {"os-extend": {"new_size": 5}}),
                                   ("POST", "/action", {"os-reserve": None})):
            fault(other, 404, method, path + more, body)
        for body in ({"source_volid": made["id"]}, {"snapshot_id": snapshot["id"]}):
            fault(other, 404, "POST", "/volumes", {"volume": {"size": 1, **body}})
        fault(other, 404, "POST", "/snapshots", {"snapshot": {"volume_id": made["id"]}})
        fault(other, 404, "GET", f"/snapshots/{snapshot['id']}")
        fault(other, 404, "DELETE", f"/snapshots/{snapshot['id']}")
        fault(other, 404, "POST", "/attachments", {"attachment": {"volume_uuid": made["id"], "instance_uuid": NOWHERE}}, version="3.44")
        self.assertEqual([], call(other, 200, "GET", "/volumes/detail?all_tenants=1")["volumes"])
        self.assertEqual([], call(other, 200, "GET", f"/volumes?project_id={member.project_id}")["volumes"])
        self.assertIn(made["id"], [v["id"] for v in call(admin, 200, "GET", "/volumes?all_tenants=1")["volumes"]])
        self.assertNotIn(made["id"], [v["id"] for v in call(admin, 200, "GET", "/volumes")["volumes"]])

    def test_reader_only_reads(self):
        made = self.volume()
        call(reader, 200, "GET", f"/volumes/{made['id']}")
        fault(reader, 403, "POST", "/volumes", {"volume": {"size": 1}})
        fault(reader, 403, "PUT", f"/volumes/{made['id']}", {"volume": {"name": "x"}})
        fault(reader, 403, "DELETE", f"/volumes/{made['id']}")
        fault(reader, 403, "POST", f"/volumes/{made['id']}/action", {"os-extend": {"new_size": 5}})
        fault(reader, 403, "PUT", f"/volumes/{made['id']}/metadata", {"metadata": {}})
        fault(member, 403, "POST", f"/volumes/{made['id']}/action", {"os-reset_status": {"status": "error"}})
        fault(member, 403, "POST", f"/volumes/{made['id']}/action", {"os-force_delete": {}})
        fault(member, 403, "DELETE", f"/volumes/{made['id']}?force=true", version="3.23")

    def test_lists(self):
        ids = [self.volume(name=f"list {i}", size=i + 1, metadata={"n": str(i)}, wait=None)["id"] for i in range(3)]
        for volume_id in ids:
            self.until(member, volume_id, "available")

        def listed(query, path="/volumes"):
            return [v["id"] for v in call(member, 200, "GET", f"{path}?{query}", version="3.60")["volumes"]]

        self.assertEqual(ids[::-1], listed(""))
        self.assertEqual(ids, listed("sort=size:asc"))
        self.assertEqual(ids[::-1], listed("sort_key=name&sort_dir=desc", "/volumes/detail"))
        self.assertEqual([ids[1]], listed("name=list%201"))
        self.assertEqual(ids[::-1], listed("name~=list"))
        self.assertEqual([ids[2]], listed("metadata=%7B%27n%27:%20%272%27%7D"))
        self.assertEqual(ids[::-1], listed("status=available"))
        self.assertEqual([], listed("status=error"))
        self.assertEqual([], listed("bootable=true"))
        self.assertEqual([], listed("limit=0"))
        page = call(member, 200, "GET", "/volumes?limit=2")
        self.assertEqual(ids[:0:-1], [v["id"] for v in page["volumes"]])
        self.assertIn(f"marker={ids[1]}", page["volumes_links"][0]["href"])
        self.assertEqual([ids[0]], listed(f"limit=2&marker={ids[1]}"))
        self.assertEqual({"id", "name", "links"}, set(page["volumes"][0]))
        fault(member, 404, "GET", f"/volumes?marker={NOWHERE}")
        for bad in ("limit=-1", "limit=x", "sort=nonsense:asc", "sort_key=id&sort_dir=up", "bootable=perhaps", "metadata=xyz"):
            fault(member, 400, "GET", "/volumes?" + bad)
        summary = call(member, 200, "GET", "/volumes/summary", version="3.36")["volume-summary"]
        self.assertEqual({"total_size": 6, "total_count": 3, "metadata": {}}, summary)

    def test_bad_update(self):
        path = f"/volumes/{self.volume()['id']}"
        for bad in ({"size": 5}, {"status": "error"}, {"name": "x" * 256}, {"id": NOWHERE}, {"metadata": {"a": 1}}):
            fault(member, 400, "PUT", path, {"volume": bad})
        fault(member, 400, "PUT", path, {"volume": {}}, version="3.53")
        fault(member, 400, "PUT", path, {})

    def test_metadata(self):
        path = f"/volumes/{self.volume(metadata={'a': '1'})['id']}/metadata"
        self.assertEqual({"a": "1", "b": "2"}, call(member, 200, "POST", path, {"metadata": {"b": "2"}})["metadata"])
        self.assertEqual({"meta": {"b": "2"}}, call(member, 200, "GET", path + "/b"))
        call(member, 200, "PUT", path + "/b", {"meta": {"b": "3"}})
        call(member, 200, "DELETE", path + "/a")
        self.assertEqual({"b": "3"}, call(member, 200, "GET", path)["metadata"])
        self.assertEqual({"c": "4"}, call(member, 200, "PUT", path, {"metadata": {"c": "4"}})["metadata"])
        fault(member, 404, "DELETE", path + "/a")
        fault(member, 404, "GET", path + "/a")
        for bad in ({"metadata": {"": "x"}}, {"metadata": {"k" * 256: "x"}}, {"metadata": {"k": "x" * 256}}, {"metadata": {"k": None}}, {"meta": {}}, {}):
            fault(member, 400, "POST", path, bad)
        fault(member, 400, "PUT", path + "/b", {"meta": {"c": "3"}})

    def test_metadata_by_many_at_once(self):
        path = f"/volumes/{self.volume()['id']}/metadata"
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda i: call(member, 200, "POST", path, {"metadata": {f"k{i}": "v"}}), range(16)))
        self.assertEqual({f"k{i}": "v" for i in range(16)}, call(member, 200, "GET", path)["metadata"])

    def test_copies(self):
        made = self.volume(size=2, name="origin")
        call(member, 200, "POST", f"/volumes/{made['id']}/action", {"os-set_bootable": {"bootable": True}})
        copy = self.volume(size=3, source_volid=made["id"])
        self.assertEqual((3, made["id"], "true"), (copy["size"], copy["source_volid"], copy["bootable"]))
        snapshot = self.snapshot(made["id"])
        again = self.volume(size=None, snapshot_id=snapshot["id"])
        self.assertEqual((2, snapshot["id"]), (again["size"], again["snapshot_id"]))
        self.assertIn("cannot be smaller", fault(member, 400, "POST", "/volumes", {"volume": {"size": 1, "source_volid": made["id"]}}))
        self.assertIn("cannot be smaller", fault(member, 400, "POST", "/volumes", {"volume": {"size": 1, "snapshot_id": snapshot["id"]}}))

    def test_extend(self):
        made = self.volume()
        path = f"/volumes/{made['id']}/action"
        call(member, 202, "POST", path, {"os-extend": {"new_size": 3}})
        self.until(member, made["id"], "available")
        self.assertEqual(3, call(member, 200, "GET", f"/volumes/{made['id']}")["volume"]["size"])
        for bad in (3, 2, 0, -1, "x", None):
            fault(member, 400, "POST", path, {"os-extend": {"new_size": bad}})
        fault(member, 400, "POST", path, {"os-extend": {}})
        self.assertIn("quota", fault(member, 413, "POST", path, {"os-extend": {"new_size": 2000}}))

    def test_actions(self):
        made = self.volume()
        path = f"/volumes/{made['id']}/action"

        def act(name, body, status=202, session=member):
            return call(session, status, "POST", path, {name: body})

        act("os-set_bootable", {"bootable": "true"}, 200)
        fault(member, 400, "POST", path, {"os-set_bootable": {"bootable": "perhaps"}})
        act("os-update_readonly_flag", {"readonly": True})
        seen = call(member, 200, "GET", f"/volumes/{made['id']}")["volume"]
        self.assertEqual(("true", "True"), (seen["bootable"], seen["metadata"]["readonly"]))
        act("os-update_readonly_flag", {"readonly": False})
        act("os-reserve", None)
        self.assertEqual("attaching", status_of(member, made["id"]))
        fault(member, 400, "POST", path, {"os-reserve": None})
        fault(member, 400, "DELETE", f"/volumes/{made['id']}")
        act("os-unreserve", None)
        self.assertEqual("available", status_of(member, made["id"]))
        fault(member, 400, "POST", path, {"os-begin_detaching": None})
        fault(member, 400, "POST", path, {"os-nonsense": None})
        fault(member, 400, "POST", path, {})
        fault(member, 400, "POST", path, {"os-reserve": None, "os-unreserve": None})
        for status in ("error", "maintenance", "error_extending", "in-use", "available"):
            call(admin, 202, "POST", path, {"os-reset_status": {"status": status}})
            self.assertEqual(status, status_of(member, made["id"]))
        fault(admin, 400, "POST", path, {"os-reset_status": {"status": "nonsense"}})
        fault(admin, 400, "POST", path, {"os-reset_status": {}})
        act("os-set_image_metadata", {"metadata": {"os": "x", "y": "z"}}, 200)
        act("os-unset_image_metadata", {"key": "y"}, 200)
        self.assertEqual({"metadata": {"os": "x"}}, act("os-show_image_metadata", None, 200))
        fault(member, 404, "POST", path, {"os-unset_image_metadata": {"key": "y"}})

    def test_force_delete(self):
        made = self.volume()
        call(admin, 202, "POST", f"/volumes/{made['id']}/action", {"os-reset_status": {"status": "maintenance"}})
        fault(member, 400, "DELETE", f"/volumes/{made['id']}")
        call(admin, 202, "POST", f"/volumes/{made['id']}/action", {"os-force_delete": {}})
        wait_until(lambda: gone(member, made["id"]))

    def test_delete_by_many_at_once(self):
        made = self.volume()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            codes = list(pool.map(lambda i: member.request("DELETE", "volume", f"/v3/{member.project_id}/volumes/{made['id']}")[0], range(8)))
        self.assertEqual(1, codes.count(202), codes)
        self.assertLessEqual(set(codes), {202, 400, 404})
        wait_until(lambda: gone(member, made["id"]))

    def test_no_room(self):
        made = self.volume(session=admin, size=900, wait="available")
        call(admin, 200, "PUT", f"/os-quota-sets/{admin.project_id}", {"quota_set": {"gigabytes": -1}})
        self.addCleanup(call, admin, 200, "DELETE", f"/os-quota-sets/{admin.project_id}")
        huge = self.volume(session=admin, size=1000000, wait="error")
        self.assertNotEqual(made["id"], huge["id"])
        self.assertIn("there is room for", cloud.sql("volume", f"SELECT fault FROM volume WHERE id = '{huge['id']}'"))


class Images(Case):
    def image(self, data=b"x" * 1000, **more):
        made = member.expect(201, "POST", "image", "/v2/images", {"name": "im", "disk_format": "raw", "container_format": "bare", **more})
        self.addCleanup(member.request, "DELETE", "image", f"/v2/images/{made['id']}")
        if data is not None:
            member.expect(204, "PUT", "image", f"/v2/images/{made['id']}/file", data, {"Content-Type": "application/octet-stream"})
        return made["id"]

    def test_from_image(self):
        image_id = self.image(min_ram=7)
        made = self.volume(imageRef=image_id)
        seen = call(member, 200, "GET", f"/volumes/{made['id']}")["volume"]
        self.assertEqual("true", seen["bootable"])
        facts = seen["volume_image_metadata"]
        self.assertEqual((image_id, "im", "raw", "bare", "7", "1000"), tuple(facts[k] for k in ("image_id", "image_name", "disk_format",
                                                                                           "container_format", "min_ram", "size")))

    def test_refused(self):
        self.assertIn("is not active", fault(member, 400, "POST", "/volumes", {"volume": {"size": 1, "imageRef": self.image(None)}}))
        self.assertIn("minDisk", fault(member, 400, "POST", "/volumes", {"volume": {"size": 1, "imageRef": self.image(min_disk=2)}}))
        self.assertIn("could not be found", fault(other, 404, "POST", "/volumes", {"volume": {"size": 1, "imageRef": self.image(visibility="private")}}))


class Snapshots(Case):
    def test_life(self):
        volume = self.volume(size=2)
        made = self.snapshot(volume["id"], name="s", description="d", metadata={"a": "b"})
        seen = call(member, 200, "GET", f"/snapshots/{made['id']}", version="3.41")["snapshot"]
        self.assertEqual(("s", "d", 2, {"a": "b"}, volume["id"], member.user_id, "100%", member.project_id),
                         tuple(seen[k] for k in ("name", "description", "size", "metadata", "volume_id", "user_id",
                                                 "os-extended-snapshot-attributes:progress", "os-extended-snapshot-attributes:project_id")))
        self.assertIn("have snapshots", fault(member, 400, "DELETE", f"/volumes/{volume['id']}"))
        self.assertEqual("t", call(member, 200, "PUT", f"/snapshots/{made['id']}", {"snapshot": {"name": "t"}})["snapshot"]["name"])
        for path in ("/snapshots", "/snapshots/detail"):
            self.assertEqual([made["id"]], [s["id"] for s in call(member, 200, "GET", f"{path}?volume_id={volume['id']}&status=available")["snapshots"]])
        self.assertEqual({"a": "b", "c": "d"}, call(member, 200, "POST", f"/snapshots/{made['id']}/metadata", {"metadata": {"c": "d"}})["metadata"])
        call(member, 202, "DELETE", f"/snapshots/{made['id']}")
        wait_until(lambda: gone(member, made["id"], "snapshot"))

    def test_bad(self):
        volume = self.volume()
        for bad in ({}, {"volume_id": "x"}, {"volume_id": None}, {"volume_id": volume["id"], "name": "x" * 256}, {"volume_id": volume["id"], "metadata": {"a": 1}},
                    {"volume_id": volume["id"], "nonsense": 1}):
            fault(member, 400, "POST", "/snapshots", {"snapshot": bad})
        fault(member, 404, "POST", "/snapshots", {"snapshot": {"volume_id": NOWHERE}})
        fault(member, 404, "GET", f"/snapshots/{NOWHERE}")
        fault(reader, 403, "POST", "/snapshots", {"snapshot": {"volume_id": volume["id"]}})
        fault(member, 400, "POST", "/snapshots", {"snapshot": {"volume_id": volume["id"], "force": False}}, version="3.66")

    def test_states(self):
        volume = self.volume()
        call(admin, 202, "POST", f"/volumes/{volume['id']}/action", {"os-reset_status": {"status": "in-use"}})
        self.assertIn("must be available, but", fault(member, 400, "POST", "/snapshots", {"snapshot": {"volume_id": volume["id"]}}))
        made = self.snapshot(volume["id"], force=True)
        call(admin, 202, "POST", f"/volumes/{volume['id']}/action", {"os-reset_status": {"status": "available"}})
        call(admin, 202, "POST", f"/snapshots/{made['id']}/action", {"os-reset_status": {"status": "creating"}})
        fault(member, 400, "DELETE", f"/snapshots/{made['id']}")
        fault(member, 400, "POST", "/volumes", {"volume": {"size": 1, "snapshot_id": made["id"]}})
        call(admin, 202, "POST", f"/snapshots/{made['id']}/action", {"os-force_delete": {}})
        wait_until(lambda: gone(member, made["id"], "snapshot"))

    def test_cascade(self):
        volume = self.volume()
        made = self.snapshot(volume["id"])
        call(member, 202, "DELETE", f"/volumes/{volume['id']}?cascade=true")
        wait_until(lambda: gone(member, volume["id"]))
        self.assertTrue(gone(member, made["id"], "snapshot"))


class Attachments(Case):
    V = "3.44"

    def attach(self, volume_id, server=None, host="node", session=None, expected=200, connector=True):
        body = {"volume_uuid": volume_id, "instance_uuid": server or str(uuid.uuid4())}
        if connector:
            body["connector"] = {"host": host, "instance": body["instance_uuid"], "ip": ""}
        return call(session or admin, expected, "POST", "/attachments", {"attachment": body}, version=self.V, prefix=f"/v3/{member.project_id}")

    def test_as_compute_does(self):
        volume, server = self.volume(), str(uuid.uuid4())
        made = self.attach(volume["id"], server)["attachment"]
        self.assertEqual(("attaching", server, volume["id"], "rw"), (made["status"], made["instance"], made["volume_id"], made["attach_mode"]))
        info = made["connection_info"]
        self.assertEqual(("nbd", made["id"], volume["id"], "rw"), tuple(info[k] for k in ("driver_volume_type", "attachment_id", "volume_id", "access_mode")))
        self.assertTrue(info["host"] and info["port"] and info["export_name"])
        self.assertEqual("attaching", status_of(member, volume["id"]))
        self.assertEqual(made, self.attach(volume["id"], server)["attachment"])
        call(admin, 204, "POST", f"/attachments/{made['id']}/action", {"os-complete": {}}, version=self.V)
        call(admin, 204, "POST", f"/attachments/{made['id']}/action", {"os-complete": {}}, version=self.V)
        seen = call(member, 200, "GET", f"/volumes/{volume['id']}")["volume"]
        self.assertEqual("in-use", seen["status"])
        self.assertEqual([(made["id"], server, None)], [(a["attachment_id"], a["server_id"], a["host_name"]) for a in seen["attachments"]])
        self.assertIn("attached", fault(member, 400, "DELETE", f"/volumes/{volume['id']}"))
        fault(admin, 400, "POST", f"/volumes/{volume['id']}/action", {"os-force_delete": {}}, prefix=f"/v3/{member.project_id}")
        self.assertIn("Compute API", fault(member, 409, "DELETE", f"/attachments/{made['id']}", version=self.V))
        self.assertEqual({"attachments": []}, call(admin, 200, "DELETE", f"/attachments/{made['id']}", version=self.V))
        fault(admin, 404, "DELETE", f"/attachments/{made['id']}", version=self.V)
        self.assertEqual("available", status_of(member, volume["id"]))

    def test_reserve_then_connect(self):
        volume = self.volume()
        made = self.attach(volume["id"], connector=False, session=member)["attachment"]
        self.assertEqual(("reserved", {}), (made["status"], made["connection_info"]))
        self.assertEqual("reserved", status_of(member, volume["id"]))
        path = f"/attachments/{made['id']}"
        fault(member, 400, "POST", path + "/action", {"os-complete": {}}, version=self.V)
        fault(member, 404, "POST", path + "/action", {"os-complete": {}}, version="3.43")
        for bad in ({}, {"connector": {}}, {"connector": "x"}, {"connector": None}):
            fault(member, 400, "PUT", path, {"attachment": bad}, version=self.V)
        done = call(member, 200, "PUT", path, {"attachment": {"connector": {"host": "node", "ip": "10.0.0.1"}}}, version=self.V)["attachment"]
        self.assertEqual(("attaching", "nbd"), (done["status"], done["connection_info"]["driver_volume_type"]))
        self.assertEqual(done["id"], call(member, 200, "GET", path, version=self.V)["attachment"]["id"])
        self.assertIn(made["id"], [a["id"] for a in call(member, 200, "GET", f"/attachments?volume_id={volume['id']}", version=self.V)["attachments"]])
        listed = call(member, 200, "GET", f"/attachments/detail?instance_id={made['instance']}", version=self.V)["attachments"]
        self.assertEqual([made["id"]], [a["id"] for a in listed])
        for method, more, body in (("GET", "", None), ("DELETE", "", None), ("PUT", "", {"attachment": {"connector": {"host": "x"}}}),
                                   ("POST", "/action", {"os-complete": {}})):
            fault(other, 404, method, path + more, body, version=self.V)

    def test_reservation_is_given_back(self):
        volume = self.volume()
        made = self.attach(volume["id"], connector=False, session=member)["attachment"]
        call(member, 200, "DELETE", f"/attachments/{made['id']}", version=self.V)
        self.assertEqual("available", status_of(member, volume["id"]))

    def test_older_clients_need_no_complete(self):
        volume = self.volume()
        made = call(admin, 200, "POST", "/attachments", {"attachment": {"volume_uuid": volume["id"], "instance_uuid": NOWHERE, "connector": {"host": "n"}}},
                    version="3.27", prefix=f"/v3/{member.project_id}")["attachment"]
        self.assertEqual("attached", made["status"])
        self.assertEqual("in-use", status_of(member, volume["id"]))

    def test_modes(self):
        volume = self.volume()
        body = {"volume_uuid": volume["id"], "instance_uuid": NOWHERE, "connector": {"host": "n"}, "mode": "ro"}
        made = call(admin, 200, "POST", "/attachments", {"attachment": body}, version="3.54", prefix=f"/v3/{member.project_id}")["attachment"]
        self.assertEqual(("ro", "ro", True), (made["attach_mode"], made["connection_info"]["access_mode"], made["connection_info"]["read_only"]))
        fault(admin, 400, "POST", "/attachments", {"attachment": {**body, "mode": "wo"}}, version="3.54")
        fault(admin, 400, "POST", "/attachments", {"attachment": body}, version="3.53")

    def test_bad(self):
        volume = self.volume()
        for bad in ({}, {"volume_uuid": "x"}, {"volume_uuid": volume["id"], "instance_uuid": "x"}, {"volume_uuid": volume["id"], "connector": 5}):
            fault(member, 400, "POST", "/attachments", {"attachment": bad}, version=self.V)
        fault(member, 404, "POST", "/attachments", {"attachment": {"volume_uuid": NOWHERE, "instance_uuid": NOWHERE}}, version=self.V)
        fault(member, 404, "GET", f"/attachments/{NOWHERE}", version=self.V)
        fault(reader, 403, "POST", "/attachments", {"attachment": {"volume_uuid": volume["id"], "instance_uuid": NOWHERE}}, version=self.V)

    def test_one_winner(self):
        volume = self.volume()

        def attempt(i):
            body = {"attachment": {"volume_uuid": volume["id"], "instance_uuid": str(uuid.uuid4()), "connector": {"host": f"n{i}"}}}
            return admin.request("POST", "volume", f"/v3/{member.project_id}/attachments", body, {"OpenStack-API-Version": "volume 3.44"})[0]

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            codes = list(pool.map(attempt, range(8)))
        self.assertEqual([200] + [400] * 7, sorted(codes))

    def test_attach_against_delete(self):
        for _ in range(5):
            volume = self.volume()
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                attached = pool.submit(lambda: admin.request("POST", "volume", f"/v3/{member.project_id}/attachments", {
                    "attachment": {"volume_uuid": volume["id"], "instance_uuid": NOWHERE, "connector": {"host": "n"}}},
                    {"OpenStack-API-Version": "volume 3.44"})[0])
                deleted = pool.submit(lambda: member.request("DELETE", "volume", f"/v3/{member.project_id}/volumes/{volume['id']}")[0])
            self.assertIn((attached.result(), deleted.result()), ((200, 400), (400, 202), (404, 202)))

    def test_same_pair_at_once(self):
        volume, server = self.volume(), str(uuid.uuid4())
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            ids = list(pool.map(lambda i: self.attach(volume["id"], server)["attachment"]["id"], range(6)))
        self.assertEqual(1, len(set(ids)))

    def test_multiattach(self):
        made = call(admin, 200, "POST", "/types", {"volume_type": {"name": "shared", "extra_specs": {"multiattach": "<is> True"}}})["volume_type"]
        self.addCleanup(lambda: wait_until(lambda: admin.request("DELETE", "volume", f"/v3/types/{made['id']}")[0] in (202, 404)))
        volume = self.volume(volume_type="shared")
        self.assertTrue(volume["multiattach"])
        first, second = (self.attach(volume["id"])["attachment"]["id"] for _ in range(2))
        self.assertNotEqual(first, second)
        left = call(admin, 200, "DELETE", f"/attachments/{first}", version=self.V)["attachments"]
        self.assertEqual([second], [a["id"] for a in left])


class Types(Case):
    def make(self, **more):
        made = call(admin, 200, "POST", "/types", {"volume_type": more})["volume_type"]
        self.addCleanup(admin.request, "DELETE", "volume", f"/v3/types/{made['id']}")
        return made

    def test_life(self):
        made = self.make(name="fast", description="d", extra_specs={"volume_backend_name": "sim"})
        self.assertEqual((True, True, "d", {"volume_backend_name": "sim"}), tuple(made[k] for k in ("is_public", "os-volume-type-access:is_public",
                                                                                             "description", "extra_specs")))
        self.assertEqual({}, call(member, 200, "GET", f"/types/{made['id']}")["volume_type"]["extra_specs"])
        self.assertNotIn("qos_specs_id", call(member, 200, "GET", f"/types/{made['id']}")["volume_type"])
        self.assertIsNone(made["qos_specs_id"])
        self.assertEqual("x", call(admin, 200, "PUT", f"/types/{made['id']}", {"volume_type": {"name": "x"}})["volume_type"]["name"])
        volume = self.volume(volume_type=made["id"])
        self.assertEqual("x", volume["volume_type"])
        self.assertIn("still in use", fault(admin, 400, "DELETE", f"/types/{made['id']}"))
        self.sweep(member, volume["id"])
        call(admin, 202, "DELETE", f"/types/{made['id']}")
        fault(member, 404, "GET", f"/types/{made['id']}")

    def test_specs(self):
        made = self.make(name="specs")
        path = f"/types/{made['id']}/extra_specs"
        call(admin, 200, "POST", path, {"extra_specs": {"a": "1", "multiattach": "<is> False"}})
        self.assertEqual({"a": "2"}, call(admin, 200, "PUT", path + "/a", {"a": "2"}))
        self.assertEqual({"a": "2"}, call(admin, 200, "GET", path + "/a"))
        self.assertEqual({"multiattach": "<is> False"}, call(member, 200, "GET", path)["extra_specs"])
        fault(member, 404, "GET", path + "/a")
        call(admin, 202, "DELETE", path + "/a")
        fault(admin, 404, "DELETE", path + "/a")
        fault(admin, 400, "PUT", path + "/a", {"b": "2"})
        fault(admin, 400, "POST", path, {"extra_specs": {"bad/key": "2"}})
        fault(admin, 400, "POST", path, {"extra_specs": {"k": 2}})
        fault(member, 403, "POST", path, {"extra_specs": {"k": "2"}})

    def test_private(self):
        made = self.make(name="secret", **{"os-volume-type-access:is_public": False})
        path = f"/types/{made['id']}"
        fault(member, 404, "GET", path)
        fault(member, 404, "POST", "/volumes", {"volume": {"size": 1, "volume_type": "secret"}})
        self.assertNotIn("secret", [t["name"] for t in call(member, 200, "GET", "/types")["volume_types"]])
        self.assertNotIn("secret", [t["name"] for t in call(admin, 200, "GET", "/types")["volume_types"]])
        self.assertIn("secret", [t["name"] for t in call(admin, 200, "GET", "/types?is_public=None")["volume_types"]])
        call(admin, 202, "POST", path + "/action", {"addProjectAccess": {"project": member.project_id}})
        fault(admin, 409, "POST", path + "/action", {"addProjectAccess": {"project": member.project_id}})
        self.assertEqual([{"volume_type_id": made["id"], "project_id": member.project_id}],
                         call(admin, 200, "GET", path + "/os-volume-type-access")["volume_type_access"])
        call(member, 200, "GET", path)
        fault(other, 404, "GET", path)
        call(admin, 202, "POST", path + "/action", {"removeProjectAccess": {"project": member.project_id}})
        fault(admin, 404, "POST", path + "/action", {"removeProjectAccess": {"project": member.project_id}})
        fault(member, 404, "GET", path)

    def test_bad(self):
        self.make(name="once")
        self.assertIn("already exists", fault(admin, 409, "POST", "/types", {"volume_type": {"name": "once"}}))
        for bad in ({}, {"name": ""}, {"name": " "}, {"name": "x" * 256}, {"name": 5}, {"name": "a", "extra_specs": {"k": 5}}, {"name": "a", "nonsense": 1}):
            fault(admin, 400, "POST", "/types", {"volume_type": bad})
        fault(member, 403, "POST", "/types", {"volume_type": {"name": "x"}})
        fault(admin, 404, "DELETE", f"/types/{NOWHERE}")
        fault(admin, 404, "PUT", f"/types/{NOWHERE}", {"volume_type": {"name": "x"}})

    def test_defaults(self):
        default = call(member, 200, "GET", "/types/default")["volume_type"]
        self.assertEqual("__DEFAULT__", default["name"])
        self.assertIn("default volume type", fault(admin, 400, "DELETE", f"/types/{default['id']}"))
        mine = self.make(name="mine")
        path = f"/default-types/{member.project_id}"
        fault(admin, 404, "GET", path, version="3.62", prefix="/v3")
        call(admin, 200, "PUT", path, {"default_type": {"volume_type": "mine"}}, version="3.62", prefix="/v3")
        self.assertEqual("mine", call(member, 200, "GET", "/types/default")["volume_type"]["name"])
        self.assertEqual("mine", self.volume()["volume_type"])
        self.assertEqual({"default_type": {"project_id": member.project_id, "volume_type_id": mine["id"]}},
                         call(admin, 200, "GET", path, version="3.62", prefix="/v3"))
        call(admin, 204, "DELETE", path, version="3.62", prefix="/v3")
        fault(admin, 404, "DELETE", path, version="3.62", prefix="/v3")
        fault(member, 403, "GET", path, version="3.62", prefix="/v3")

    def test_backend_name(self):
        self.make(name="elsewhere", extra_specs={"volume_backend_name": "none such"})
        self.volume(volume_type="elsewhere", wait="error")


class Operations(Case):
    def test_services(self):
        rows = call(admin, 200, "GET", "/os-services", version="3.49")["services"]
        self.assertEqual({"cinder-scheduler", "cinder-volume"}, {r["binary"] for r in rows})
        row = next(r for r in rows if r["host"] == "alpha@sim")
        self.assertEqual(("enabled", "up", "nova", "up"), (row["status"], row["state"], row["zone"], row["backend_state"]))
        fault(member, 403, "GET", "/os-services")
        change = {"binary": "cinder-volume", "host": "alpha@sim"}
        call(admin, 200, "PUT", "/os-services/disable-log-reason", {**change, "disabled_reason": "why"})
        row = call(admin, 200, "GET", "/os-services?host=alpha")["services"][0]
        self.assertEqual(("disabled", "why"), (row["status"], row["disabled_reason"]))
        self.volume(wait="error")
        call(admin, 200, "PUT", "/os-services/enable", change)
        self.volume(wait="available")
        fault(admin, 404, "PUT", "/os-services/disable", {"binary": "cinder-volume", "host": "mars"})
        fault(admin, 400, "PUT", "/os-services/disable", {"binary": "cinder-volume"})
        fault(member, 403, "PUT", "/os-services/disable", change)

    def test_pools(self):
        pools = call(admin, 200, "GET", "/scheduler-stats/get_pools?detail=true")["pools"]
        self.assertEqual(["alpha@sim#sim"], [p["name"] for p in pools])
        self.assertEqual(("sim", 10000), (pools[0]["capabilities"]["volume_backend_name"], pools[0]["capabilities"]["total_capacity_gb"]))
        self.assertEqual([{"name": "alpha@sim#sim"}], call(admin, 200, "GET", "/scheduler-stats/get_pools")["pools"])
        fault(member, 403, "GET", "/scheduler-stats/get_pools")

    def test_quotas(self):
        path = f"/os-quota-sets/{member.project_id}"
        shown = call(member, 200, "GET", path)["quota_set"]
        self.assertEqual((member.project_id, 10, 10, 1000, -1, -1), tuple(shown[k] for k in ("id", "volumes", "snapshots", "gigabytes", "per_volume_gigabytes",
                                                                                       "volumes___DEFAULT__")))
        fault(other, 403, "GET", path)
        fault(member, 403, "PUT", path, {"quota_set": {"volumes": 1}})
        self.addCleanup(call, admin, 200, "DELETE", path)
        self.assertEqual(1, call(admin, 200, "PUT", path, {"quota_set": {"volumes": 1, "snapshots": 0, "per_volume_gigabytes": 5}})["quota_set"]["volumes"])
        self.assertIn("larger than maximum", fault(member, 413, "POST", "/volumes", {"volume": {"size": 6}}))
        made = self.volume(size=2)
        self.assertIn("VolumeLimitExceeded", fault(member, 413, "POST", "/volumes", {"volume": {"size": 1}}))
        self.assertIn("SnapshotLimitExceeded", fault(member, 413, "POST", "/snapshots", {"snapshot": {"volume_id": made["id"]}}))
        usage = call(member, 200, "GET", path + "?usage=true")["quota_set"]
        self.assertEqual((1, 2, 2), (usage["volumes"]["in_use"], usage["gigabytes"]["in_use"], usage["gigabytes___DEFAULT__"]["in_use"]))
        absolute = call(member, 200, "GET", "/limits")["limits"]["absolute"]
        self.assertEqual((1, 1, 2, 1000), tuple(absolute[k] for k in ("maxTotalVolumes", "totalVolumesUsed", "totalGigabytesUsed", "maxTotalVolumeGigabytes")))
        for bad in ({"volumes": -2}, {"volumes": "x"}, {"volumes": None}, {"nonsense": 5}, {"volumes": 1 << 40}):
            fault(admin, 400, "PUT", path, {"quota_set": bad})
        fault(admin, 400, "PUT", path, {})
        call(admin, 200, "PUT", path, {"quota_set": {"volumes": 10, "gigabytes___DEFAULT__": 3}})
        self.assertIn("gigabytes___DEFAULT__", fault(member, 413, "POST", "/volumes", {"volume": {"size": 2}}))
        self.assertEqual(10, call(member, 200, "GET", path + "/defaults")["quota_set"]["volumes"])
        self.assertEqual("default", call(admin, 200, "GET", "/os-quota-class-sets/default")["quota_class_set"]["id"])

    def test_quota_by_many_at_once(self):
        path = f"/os-quota-sets/{other.project_id}"
        self.addCleanup(call, admin, 200, "DELETE", path)
        call(admin, 200, "PUT", path, {"quota_set": {"volumes": 3}})

        def attempt(_):
            status, _, body = other.request("POST", "volume", f"/v3/{other.project_id}/volumes", {"volume": {"size": 1}})
            if status == 202:
                self.addCleanup(self.sweep, other, body["volume"]["id"])
            return status

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            codes = list(pool.map(attempt, range(12)))
        self.assertEqual([202] * 3 + [413] * 9, sorted(codes))


class Crashes(Case):
    """What is killed comes back, and the work it left is done."""

    def test_agent_away(self):
        made = self.volume()
        agent.kill()
        call(member, 202, "DELETE", f"/volumes/{made['id']}")
        self.assertEqual("deleting", status_of(member, made["id"]))
        agent.start()
        # A call that the broker took in the milliseconds before it saw the agent's end is lost with the agent's queue: it is made again after its deadline of 60 s.
        wait_until(lambda: gone(member, made["id"]), 90)

    def test_daemon_killed(self):
        agent.kill()
        made = self.volume(wait=None)
        cloud.daemon("volume").process.kill()
        cloud.restart()
        self.assertEqual("creating", status_of(member, made["id"]))
        agent.start()
        self.until(member, made["id"], "available")


if __name__ == "__main__":
    unittest.main()
