#!/usr/bin/python3
"""What every daemon does as a process, tried on the trivial one that tests/unit/daemon/test_daemon.c contains: systemd's
readiness protocol, many clients at once, kill -9 and start again, what others can see of it.

usage: test_daemon.py [PROGRAM]      (the built test_daemon; default: below $VIRGA_BUILD)
"""
import concurrent.futures
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..")
PROGRAM = os.path.join(os.environ.get("VIRGA_BUILD", os.path.join(ROOT, "build", "san")), "tests", "unit", "daemon", "test_daemon")
LIMIT_S = 60


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(port, path, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


class DaemonTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.database = subprocess.Popen([PROGRAM, "--database"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        cls.url = cls.database.stdout.readline().strip()

    @classmethod
    def tearDownClass(cls):
        cls.database.stdin.close()
        cls.database.wait(LIMIT_S)
        cls.database.stdout.close()

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="virga-test-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.notify.close)
        self.notify.bind(self.folder + "/notify")
        self.notify.settimeout(LIMIT_S)
        self.api, self.management = free_port(), free_port()
        self.daemon = None

    def start(self, *more):
        settings = {"daemon.management_listen": f"127.0.0.1:{self.management}", "daemon.drain": 5,
                    "daemon.state_dir": self.folder + "/state", "daemon.control_socket": self.folder + "/control",
                    "api.listen": f"127.0.0.1:{self.api}", "database.url": self.url}
        argv = [PROGRAM, "--as-daemon", *more]
        for name, value in settings.items():
            argv += ["--set", f"{name}={value}"]
        with open(self.folder + "/log", "ab") as log:
            self.daemon = subprocess.Popen(argv, stderr=log, env=dict(os.environ, NOTIFY_SOCKET=self.folder + "/notify"))
        self.addCleanup(self.end, self.daemon)

    def end(self, daemon):
        if daemon.poll() is None:
            daemon.kill()
            daemon.wait(LIMIT_S)

    def await_notice(self, text):
        while True:
            notice = self.notify.recv(4096).decode()
            if text in notice.split("\n"):
                return notice

    def stop(self):
        self.daemon.send_signal(signal.SIGTERM)
        self.assertEqual(self.daemon.wait(LIMIT_S), 0)

    def test_notices(self):
        self.start()
        self.await_notice("READY=1")
        self.assertEqual(get(self.api, "/hello")[0], 200)
        self.assertEqual(get(self.management, "/readyz")[0], 200)
        self.daemon.send_signal(signal.SIGHUP)
        self.assertIn("MONOTONIC_USEC=", self.await_notice("RELOADING=1"))
        self.await_notice("READY=1")
        self.daemon.send_signal(signal.SIGTERM)
        self.await_notice("STOPPING=1")
        self.assertEqual(self.daemon.wait(LIMIT_S), 0)

    def test_many_clients(self):
        self.start()
        self.await_notice("READY=1")
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            answers = list(pool.map(lambda i: get(self.api, f"/hello?{i}"), range(500)))
        self.assertEqual({status for status, _ in answers}, {200})
        self.assertIn(b'virga_http_responses_total{class="2xx"} 500\n', get(self.management, "/metrics")[1])
        self.stop()

    def test_killed_and_started_again(self):
        for _ in range(3):
            self.start()
            self.await_notice("READY=1")
            self.daemon.kill()
            self.daemon.wait(LIMIT_S)
        self.start()  # The sockets that were left behind are no obstacle.
        self.await_notice("READY=1")
        self.assertEqual(get(self.api, "/hello")[0], 200)
        self.stop()

    def test_second_copy_is_refused(self):
        self.start()
        self.await_notice("READY=1")
        first = self.daemon
        self.start()
        self.assertEqual(self.daemon.wait(LIMIT_S), 1)
        self.daemon = first
        self.assertEqual(get(self.api, "/hello")[0], 200)
        self.stop()

    def test_what_others_see(self):
        self.start("--set", "trivial.secret=geheim")
        self.await_notice("READY=1")
        with open(f"/proc/{self.daemon.pid}/limits", encoding="utf-8") as file:
            core = [line.split() for line in file if line.startswith("Max core file size")]
        self.assertEqual(core[0][4:6], ["0", "0"])
        self.assertEqual(oct(os.stat(self.folder + "/state").st_mode & 0o777), "0o700")
        for path in ("/metrics", "/readyz", "/healthz"):
            self.assertNotIn(b"geheim", get(self.management, path)[1])
        with open(self.folder + "/log", encoding="utf-8") as file:
            self.assertNotIn("geheim", file.read())
        self.stop()

    def test_slow_requests_end(self):
        self.start()
        self.await_notice("READY=1")
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            slow = [pool.submit(get, self.api, "/slow") for _ in range(4)]
            while True:
                metrics = get(self.management, "/metrics")[1]
                if b"virga_http_workers_busy 4\n" in metrics:
                    break
                time.sleep(0.01)
            self.daemon.send_signal(signal.SIGTERM)
            self.await_notice("STOPPING=1")
            status, body = get(self.management, "/readyz")
            self.assertEqual((status, json.loads(body)["state"]), (503, "draining"))
            with open(self.folder + "/state/release", "w", encoding="utf-8"):
                pass
            self.assertEqual([future.result()[0] for future in slow], [200] * 4)
        self.assertEqual(self.daemon.wait(LIMIT_S), 0)


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        PROGRAM = sys.argv.pop(1)
    unittest.main()
