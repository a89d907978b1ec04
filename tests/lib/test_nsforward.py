#!/usr/bin/python3
"""Tests of virga-nsforward: bytes, ends of streams and refusals, across two network namespaces. Needs root.
VIRGA_BUILD: where bin/virga-nsforward is."""

import hashlib
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "deploy", "lib"))
from virga_deploy import kernel, process  # noqa: E402

PROGRAM = os.path.join(os.environ.get("VIRGA_BUILD") or os.path.join(HERE, "..", "..", "build"), "bin/virga-nsforward")
NAMESPACE = f"virga-test-{os.getpid()}"
PATH = f"/run/netns/{NAMESPACE}"
ADDRESS = ("127.0.0.1", 12345)  # In the namespace; what it stands for outside has a port of its own.


class Digester(threading.Thread):
    """A server that reads until its client says no more, then answers with the digest of what it got."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def run(self):
        while True:
            client, _ = self.socket.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    @staticmethod
    def serve(client):
        digest, size = hashlib.sha256(), 0
        try:
            while data := client.recv(1 << 16):
                digest.update(data)
                size += len(data)
            client.sendall(digest.digest() + bytes(size))
        except ConnectionError:
            pass
        client.close()


def connect():
    with kernel.network(PATH):
        return socket.create_connection(ADDRESS, timeout=30)


def receive_all(client):
    parts = []
    while data := client.recv(1 << 16):
        parts.append(data)
    return b"".join(parts)


class ForwardTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        subprocess.run(["ip", "netns", "add", NAMESPACE], check=True)
        subprocess.run(["ip", "-n", NAMESPACE, "link", "set", "lo", "up"], check=True)
        cls.server = Digester()
        cls.server.start()
        with kernel.network(PATH):
            cls.inner = socket.create_server(("127.0.0.1", 0))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            cls.outer_port = free.getsockname()[1]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            cls.unused_port = free.getsockname()[1]
        cls.folder = tempfile.TemporaryDirectory()
        cls.forward = process.Process("forward", cls.folder.name + "/pid", cls.folder.name + "/log")
        cls.forward.start([PROGRAM, f"{PATH}@127.0.0.1:{ADDRESS[1]}", f"127.0.0.1:{cls.server.port}",
                           f"127.0.0.1:{cls.outer_port}", f"{PATH}@127.0.0.1:{cls.inner.getsockname()[1]}",
                           f"{PATH}@127.0.0.1:{ADDRESS[1] + 1}", f"127.0.0.1:{cls.unused_port}"])
        cls.forward.wait_ready(cls.listens, 10)

    @classmethod
    def listens(cls):
        try:
            connect().close()
        except ConnectionError:
            return False
        return True

    @classmethod
    def tearDownClass(cls):
        cls.forward.stop()
        said = process.log_tail(cls.forward.log)
        subprocess.run(["ip", "netns", "delete", NAMESPACE], check=True)
        cls.folder.cleanup()
        assert said == "", said

    def exchange(self, size):
        data = os.urandom(size)
        with connect() as client:
            sender = threading.Thread(target=lambda: (client.sendall(data), client.shutdown(socket.SHUT_WR)))
            sender.start()
            answer = receive_all(client)
            sender.join()
        self.assertEqual(answer[:32], hashlib.sha256(data).digest())
        self.assertEqual(len(answer), 32 + size)

    def test_sizes(self):
        for size in (0, 1, 32767, 32768, 32769, 65537, 32 << 20):
            with self.subTest(size=size):
                self.exchange(size)

    def test_many_at_once(self):
        clients = [connect() for _ in range(200)]
        for number, client in enumerate(clients):
            client.sendall(b"%d" % number)
        for number, client in enumerate(clients):
            client.shutdown(socket.SHUT_WR)
            self.assertEqual(receive_all(client)[:32], hashlib.sha256(b"%d" % number).digest())
            client.close()

    def test_out_of_the_namespace_into_it(self):
        with socket.create_connection(("127.0.0.1", self.outer_port), timeout=30) as client:
            served, _ = self.inner.accept()
            served.sendall(b"greeting")
            self.assertEqual(client.recv(8), b"greeting")
            client.sendall(b"question")
            self.assertEqual(served.recv(8), b"question")
            served.close()
            self.assertEqual(client.recv(1), b"")

    def test_nobody_behind(self):
        with kernel.network(PATH):
            client = socket.create_connection((ADDRESS[0], ADDRESS[1] + 1), timeout=30)
        try:
            self.assertEqual(client.recv(1), b"")
        except ConnectionResetError:
            pass
        client.close()

    def test_reset_clients_harm_nobody(self):
        for _ in range(100):
            client = connect()
            client.sendall(bytes(100000))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
        self.exchange(1000)

    def test_bad_arguments(self):
        for bad in ([], ["127.0.0.1:1"], ["127.0.0.1:0", "127.0.0.1:1"], ["127.0.0.1", "127.0.0.1:1"],
                    ["localhost:1", "127.0.0.1:1"], ["127.0.0.1:70000", "127.0.0.1:1"],
                    ["/nonexistent@127.0.0.1:1", "127.0.0.1:1"]):
            with self.subTest(arguments=bad):
                done = subprocess.run([PROGRAM, *bad], capture_output=True, check=False, timeout=10)
                self.assertIn(done.returncode, (1, 2))


if __name__ == "__main__":
    unittest.main(verbosity=2)
