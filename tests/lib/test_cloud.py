#!/usr/bin/python3
"""Tests of the test cloud itself: engines, daemons (a small imitation of one), and that nothing outlives a test."""

import os
import select
import signal
import subprocess
import sys
import tempfile
import textwrap
import unittest

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import rest  # noqa: E402
from cloud import Cloud  # noqa: E402
from virga_deploy import process  # noqa: E402

IMITATION = """\
#!/usr/bin/python3
import configparser, http.server, os, sys
config = configparser.ConfigParser(interpolation=None)
config.read(sys.argv[sys.argv.index("--config") + 1])
if sys.argv[1] == "bootstrap":
    print(sorted(os.environ), file=open(os.path.join(config["daemon"]["state_dir"], "bootstrapped"), "w"))
    sys.exit(int("{fail_bootstrap}"))
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{{"path": "%s"}}' % self.path.encode()
        self.send_response(200 if self.path == "/readyz" else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
if "{crash}":
    sys.exit("{crash}")
host, port = config["daemon"]["management_listen"].split(":")
http.server.HTTPServer((host, int(port)), Handler).serve_forever()
"""


def imitate(folder, name, crash="", fail_bootstrap=0):
    os.makedirs(folder + "/bin", exist_ok=True)
    path = f"{folder}/bin/virga-{name}"
    with open(path, "w", encoding="ascii") as file:
        file.write(IMITATION.format(crash=crash, fail_bootstrap=fail_bootstrap))
    os.chmod(path, 0o755)


def pids_of(cloud):
    every = (one for one, _, _ in cloud._cloud.processes())
    return [(one.pid(), process.start_time(one.pid())) for one in every if one.pid()]


class EnginesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.build = tempfile.mkdtemp()
        imitate(cls.build, "identity")
        imitate(cls.build, "image")
        cls.cloud = Cloud(services=["identity", "image"], build=cls.build)

    @classmethod
    def tearDownClass(cls):
        known = pids_of(cls.cloud)
        cls.cloud.close()
        assert known, "there were processes to end"
        for pid, started in known:
            assert process.start_time(pid) != started, f"pid {pid} is still there"
        assert not os.path.exists(cls.cloud.folder)

    def test_database(self):
        self.assertEqual(self.cloud.sql("identity", "SELECT current_database()").strip(), "identity")
        self.assertEqual(self.cloud.sql("identity", "SHOW fsync").strip(), "off")
        own = self._connect(self.cloud.database_url("volume"))
        self.assertEqual(own.stdout.strip(), "volume")

    def test_database_of_another_service_is_closed(self):
        url = self.cloud.database_url("volume").replace("/volume?", "/identity?")
        self.assertIn("permission denied", self._connect(url).stderr)

    @staticmethod
    def _connect(url):
        return subprocess.run(["psql", "-XAtc", "SELECT current_user", url], capture_output=True, text=True, check=False)

    def test_broker_users(self):
        self.assertIn("control", self.cloud.rabbitmq.control("list_users"))

    def test_daemon_configuration_and_readiness(self):
        daemon = self.cloud.daemon("image")
        status, headers, body = rest.request("GET", f"http://{daemon.management}/readyz")
        self.assertEqual((status, headers["content-type"], body), (200, "application/json", {"path": "/readyz"}))
        self.assertEqual(os.stat(daemon.config).st_mode & 0o777, 0o600)

    def test_identity_is_bootstrapped(self):
        with open(self.cloud.layout.path("state", "identity", "bootstrapped"), encoding="ascii") as file:
            names = file.read()
        self.assertIn("VIRGA_BOOTSTRAP_PASSWORD_FILE", names)
        self.assertIn("VIRGA_BOOTSTRAP_ENDPOINTS", names)

    def test_killed_daemon_and_broker_come_back(self):
        daemon, broker = self.cloud.daemon("image").process, self.cloud.rabbitmq.process
        before = daemon.pid(), broker.pid()
        self.assertTrue(daemon.kill() and broker.kill())
        self.assertIsNone(daemon.pid())
        self.cloud.restart()
        self.assertNotIn(daemon.pid(), (None, before[0]))
        self.assertNotIn(broker.pid(), (None, before[1]))


    def test_further_daemon(self):
        image, again = self.cloud.add_daemon("image"), self.cloud.add_daemon("image")
        self.assertEqual((image.name, again.name), ("image-2", "image-3"))
        self.assertEqual(len({one.management for one in (self.cloud.daemon("image"), image, again)}), 3)
        session = rest.Session(self.cloud.urls).at(image)
        self.assertEqual(session.urls, dict(self.cloud.urls, image=image.url))
        self.assertNotIn(image.url, self.cloud.urls.values())
        self.assertEqual(rest.request("GET", f"http://{again.management}/readyz")[0], 200)


class EndTest(unittest.TestCase):
    def test_log_of_a_daemon_that_does_not_start(self):
        with tempfile.TemporaryDirectory() as build:
            imitate(build, "image", crash="no such thing")
            with self.assertRaisesRegex(process.StartError, "image ended before it was ready(?s:.*)no such thing"):
                Cloud(services=["image"], build=build)

    def test_failed_bootstrap(self):
        with tempfile.TemporaryDirectory() as build:
            imitate(build, "identity", fail_bootstrap=3)
            with self.assertRaisesRegex(process.StartError, "bootstrap failed"):
                Cloud(services=["identity"], build=build)

    def test_missing_daemon(self):
        with self.assertRaisesRegex(process.StartError, "not built"):
            Cloud(services=["image"], build="/nonexistent")

    def test_killed_test_leaves_nothing(self):
        script = textwrap.dedent("""\
            import os, signal, sys
            sys.path.insert(0, sys.argv[1])
            from cloud import Cloud
            cloud = Cloud(services=["image"], build=sys.argv[2])
            cloud.add_daemon("image")
            print(cloud.folder, cloud._guardian, *(one.pid() for one, _, _ in cloud._cloud.processes() if one.pid()))
            sys.stdout.flush()
            os.kill(os.getpid(), signal.SIGKILL)
            """)
        with tempfile.TemporaryDirectory() as build:
            imitate(build, "image")
            done = subprocess.run([sys.executable, "-c", script, os.path.dirname(os.path.realpath(__file__)), build],
                                  capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, -signal.SIGKILL, done.stderr)
        folder, guardian, *pids = done.stdout.split()
        self.assertEqual(len(pids), 4)
        self._wait_end(int(guardian))
        for pid in pids:
            self.assertIsNone(process.start_time(int(pid)))
        self.assertFalse(os.path.exists(folder))

    @staticmethod
    def _wait_end(pid):
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        select.select([handle], [], [], 60)
        os.close(handle)


if __name__ == "__main__":
    unittest.main(verbosity=2)
