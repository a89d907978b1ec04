#!/usr/bin/python3
"""Placement under load: candidates at a number of providers and claims by 16 writers, beside pgbench -N on the same PostgreSQL.

    bench_placement.py [providers ...]        default: 1000 10000

Prints one line per figure: name, value, unit. Reads are driven by ab (apache2-utils) if it is there; else, and for claims, by threads
of Python, whose own cost is then in the figures: they are a lower bound. BENCH_SECONDS: how long each takes."""

import http.client
import json
import os
import statistics
import subprocess
import sys
import threading
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from cloud import Cloud  # noqa: E402

SECONDS = float(os.environ.get("BENCH_SECONDS", "3"))
QUERY = "resources=VCPU:2,MEMORY_MB:2048,DISK_GB:10"

FILL = """
TRUNCATE provider, consumer CASCADE; DELETE FROM provider_change WHERE provider_id <> 0;
INSERT INTO provider (id, uuid, name, root_id) OVERRIDING SYSTEM VALUE
    SELECT n, gen_random_uuid(), 'host' || n, n FROM generate_series({first}, {last}) n;
INSERT INTO inventory SELECT p.id, c.id, c.total, c.reserved, 1, c.total, 1, c.ratio, 0 FROM provider p,
    (VALUES (0, 64, 0, 16.0), (1, 262144, 4096, 1.5), (2, 4000, 100, 1.0)) c (id, total, reserved, ratio);
INSERT INTO provider_trait SELECT p.id, t.id FROM provider p JOIN trait t ON (t.id + p.id) % 97 = 0;
INSERT INTO provider_aggregate SELECT id, md5((id % 20)::text)::uuid FROM provider;
SELECT setval(pg_get_serial_sequence('provider', 'id'), {last}); ANALYZE;
"""


def report(name, value, unit):
    print(f"{name:58} {value:12.2f} {unit}", flush=True)


class Client:
    """A connection that stays."""

    def __init__(self, session):
        host = session.urls["placement"].split("//")[1]
        self.connection = http.client.HTTPConnection(host, timeout=60)
        self.headers = {"X-Auth-Token": session.token, "OpenStack-API-Version": "placement 1.39", "Content-Type": "application/json"}

    def call(self, method, path, body=None):
        self.connection.request(method, path, body=body, headers=self.headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()


def threads_rate(session, count, call, expected):
    """Calls per second of 'count' threads, and the latencies."""
    done, latencies, wrong = time.monotonic() + SECONDS, [], []

    def run():
        client = Client(session)
        while time.monotonic() < done:
            start = time.monotonic()
            status, body = call(client)
            latencies.append(time.monotonic() - start)
            if status != expected:
                wrong.append((status, body))

    started = time.monotonic()
    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong:
        raise SystemExit(f"{len(wrong)} wrong answers: {wrong[0]}")
    return len(latencies) / (time.monotonic() - started), latencies


def ab(session, concurrency, path):
    """Requests per second by ab, or None."""
    command = ["ab", "-q", "-k", "-l", "-t", str(int(SECONDS)), "-n", "1000000", "-c", str(concurrency), "-H", "X-Auth-Token: " + session.token, "-H",
               "OpenStack-API-Version: placement 1.39", session.urls["placement"] + path]
    try:
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None, None
    lines = {line.split(":")[0]: line.split(":")[1].split() for line in text.splitlines() if ":" in line}
    if int(lines["Failed requests"][0]) or "Non-2xx responses" in lines:
        raise SystemExit(text)
    half = [line.split()[1] for line in text.splitlines() if line.strip().startswith("50%")]
    return float(lines["Requests per second"][0]), float(half[0])


def candidates(cloud, session, count):
    client = Client(session)
    for limit in (10, 1000):
        path = f"/allocation_candidates?{QUERY}&limit={limit}"
        status, body = client.call("GET", path)
        assert status == 200 and len(json.loads(body)["allocation_requests"]) == limit, (status, body[:300])
        times = []
        for _ in range(100 if limit == 10 else 20):
            start = time.monotonic()
            client.call("GET", path)
            times.append(time.monotonic() - start)
        report(f"candidates n={count} limit={limit} c1 median", statistics.median(times) * 1000, "ms")
        rate, _ = ab(session, 16, path)
        if rate is None:
            rate, _ = threads_rate(session, 16, lambda c: c.call("GET", path), 200)
        report(f"candidates n={count} limit={limit} c16", rate, "1/s")


def claims(cloud, session, count):
    hosts = cloud.sql("placement", "SELECT uuid FROM provider ORDER BY id").split()
    lock, at = threading.Lock(), [0]

    def body(host):
        return json.dumps({"allocations": {host: {"resources": {"VCPU": 1, "MEMORY_MB": 64, "DISK_GB": 1}}}, "project_id": "p", "user_id": "u",
                           "consumer_generation": None, "consumer_type": "INSTANCE"})

    def spread(client):
        with lock:
            at[0] += 1
            host = hosts[at[0] * 7919 % len(hosts)]
        return client.call("PUT", "/allocations/" + str(uuid.uuid4()), body(host))

    def one(client):
        return client.call("PUT", "/allocations/" + str(uuid.uuid4()), body(hosts[0]))

    rate, times = threads_rate(session, 1, spread, 204)
    report(f"claims n={count} 1 writer", rate, "1/s")
    report(f"claims n={count} 1 writer median", statistics.median(times) * 1000, "ms")
    rate, times = threads_rate(session, 16, spread, 204)
    report(f"claims n={count} 16 writers, spread", rate, "1/s")
    cloud.sql("placement", "UPDATE inventory SET total = 2000000000, reserved = 0 WHERE provider_id = 1; UPDATE provider SET generation = generation + 1 WHERE id = 1")
    rate, times = threads_rate(session, 16, one, 204)
    report(f"claims n={count} 16 writers, one provider", rate, "1/s")


def pgbench(cloud):
    url = cloud.database_url("placement")
    cloud.sql("placement", "CREATE SCHEMA IF NOT EXISTS bench")
    tool = "/usr/lib/postgresql/15/bin/pgbench"
    if not os.path.exists(tool):
        return
    subprocess.run([tool, "-i", "-q", "-s", "10", url], check=True, capture_output=True)
    for clients in (1, 8, 16):
        text = subprocess.run([tool, "-N", "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(int(SECONDS)), url], check=True,
                              capture_output=True, text=True).stdout
        report(f"pgbench -N, {clients} clients", float(text.split("tps = ")[1].split()[0]), "1/s")


def memory(cloud):
    with open(f"/proc/{cloud.daemon('placement').process.pid()}/smaps_rollup", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:")) / 1024


def main():
    sizes = [int(a) for a in sys.argv[1:]] or [1000, 10000]
    with Cloud(services=["identity", "placement"]) as cloud:
        session = cloud.admin()
        for count in sizes:
            cloud.sql("placement", FILL.format(first=1, last=count))
            cloud.daemon("placement").process.kill()
            start = time.monotonic()
            cloud.restart()
            report(f"ready again n={count}", (time.monotonic() - start) * 1000, "ms")
            candidates(cloud, session, count)
            report(f"memory n={count} PSS", memory(cloud), "MiB")
            claims(cloud, session, count)
        pgbench(cloud)


if __name__ == "__main__":
    main()
