#!/usr/bin/python3
"""Placement at scale: candidates, claims, memory and start at 1,000, 10,000 and 100,000 hosts, beside pgbench -N on the same PostgreSQL.

    bench_placement.py --build DIR [--only WORD] [providers ...]        default: 1000 10000 100000

A cloud of its own (PostgreSQL with fsync); hosts are made by SQL. Load is tests/bench/load, one thread a connection. Nothing here passes or fails.
--only: leave out the groups whose name lacks the word (start candidates full simulate claims nested)."""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from cloud import Cloud  # noqa: E402

TURNS, TURN_MS = 3, 700
QUERY = "resources=VCPU:2,MEMORY_MB:2048,DISK_GB:10"
PGBENCH = shutil.which("pgbench") or "/usr/lib/postgresql/15/bin/pgbench"

# Traits: one of seven sets of five or six; aggregates: one of 20 (its zones). Only what was filled is analysed, as autovacuum would: told that
# consumers are none, the planner has each of a claim's foreign keys scan all of them, until its next look.
FILL = """
TRUNCATE provider, consumer, ratio_change CASCADE; DELETE FROM provider_change WHERE provider_id <> 0;
ALTER TABLE inventory DISABLE TRIGGER USER;
INSERT INTO provider (id, uuid, name, root_id) OVERRIDING SYSTEM VALUE
    SELECT n, gen_random_uuid(), 'host' || n, n FROM generate_series({first}, {last}) n;
INSERT INTO inventory SELECT p.id, c.id, c.total, c.reserved, 1, c.total, 1, c.ratio, 0 FROM provider p,
    (VALUES (0, 64, 0, 16.0), (1, 262144, 4096, 1.5), (2, 4000, 100, 1.0)) c (id, total, reserved, ratio);
INSERT INTO provider_trait SELECT p.id, t.id FROM provider p JOIN trait t ON t.id % 64 = p.id % 7 AND t.name <> 'MISC_SHARES_VIA_AGGREGATE';
INSERT INTO provider_aggregate SELECT id, md5((id % 20)::text)::uuid FROM provider;
ALTER TABLE inventory ENABLE TRIGGER USER;
SELECT setval(pg_get_serial_sequence('provider', 'id'), {last});
ANALYZE provider, inventory, provider_trait, provider_aggregate, provider_change;
"""
TOUCH = "UPDATE provider SET generation = generation + 1;"
# All hosts full but every thousandth; the last host alone has a trait.
FULL = ("UPDATE inventory SET used = floor((total - reserved) * allocation_ratio) WHERE class_id = 1 AND provider_id % 1000 <> 0;"
        "INSERT INTO trait (name) VALUES ('CUSTOM_RARE') ON CONFLICT DO NOTHING; INSERT INTO provider_trait SELECT {last}, id FROM trait "
        "WHERE name = 'CUSTOM_RARE';" + TOUCH)
# Eight children each, a group of units on every child.
NESTED = ("UPDATE inventory SET used = 0; INSERT INTO provider (id, uuid, name, parent_id, root_id) OVERRIDING SYSTEM VALUE SELECT 1000000 + n * 8 + k, gen_random_uuid(), "
          "'child' || n || '-' || k, n, n FROM generate_series(1, {last}) n, generate_series(0, 7) k;"
          "INSERT INTO inventory SELECT id, 4, 8, 0, 1, 8, 1, 1.0, 0 FROM provider WHERE parent_id IS NOT NULL; ANALYZE;")
GROUPS = "&".join(f"resources{n}=SRIOV_NET_VF:1" for n in range(1, 9))
# Room for any number of claims: what is measured is claiming, not refusing.
ROOM = "UPDATE inventory SET total = 2000000000, reserved = 0, max_unit = 2000000000;" + TOUCH


def row(what, figure, aim=""):
    print(f"| {what:66} | {figure:>22} | {aim:28} |", flush=True)


class Bench:
    def __init__(self, build, folder):
        self.build, self.folder = build, folder

    def load(self, connections, path, method="GET", bodies=None, duration_ms=TURN_MS, turns=TURNS):
        """(answers per second, median and 99th percentile in us, size of a body), each the median of the turns."""
        bodies_path = "-"
        if bodies:
            bodies_path = os.path.join(self.folder, "bodies")
            with open(bodies_path, "w", encoding="utf-8") as file:
                file.writelines(json.dumps(body) + "\n" for body in bodies)
        command = [os.path.join(self.build, "tests/bench/load"), str(duration_ms), str(connections), method, self.url + path, bodies_path,
                   "OpenStack-API-Version: placement 1.39", "X-Auth-Token: " + self.session.token]
        figures = []
        for _ in range(turns):
            values = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
            if int(values[3]):
                raise SystemExit(f"{method} {path}: {values[3]} bad answers")
            figures.append((float(values[0]), int(values[1]), int(values[2]), int(values[4])))
        return tuple(statistics.median(column) for column in zip(*figures))

    def latency(self, what, path, aim=""):
        rate, median, p99, size = self.load(1, path)
        row(what + ", c1", f"{median / 1000:.2f} ms ({size / 1024:,.0f} kB)", aim)
        return rate

    def rate(self, what, path, aim="", connections=16):
        row(f"{what}, c{connections}", f"{self.load(connections, path)[0]:,.0f}/s", aim)

    def memory(self):
        with open(f"/proc/{self.cloud.daemon('placement').process.pid()}/smaps_rollup", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Pss:")) / 1024

    def again(self):
        self.cloud.daemon("placement").process.kill()
        begin = time.monotonic()
        self.cloud.restart()
        return time.monotonic() - begin

    def run(self, sizes, only):
        with Cloud(services=["identity", "placement"], build=self.build) as self.cloud:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                self.cloud.sql("postgres", f"ALTER SYSTEM SET {setting} = on")
            self.cloud.sql("postgres", "SELECT pg_reload_conf()")
            self.session, self.url = self.cloud.admin(), self.cloud.urls["placement"]
            row("what", "figure", "aim")
            for self.count in sizes:
                self.cloud.sql("placement", FILL.format(first=1, last=self.count))
                self.again()
                for group in (self.start, self.candidates, self.full, self.simulate, self.claims, self.nested):
                    if only in group.__name__:
                        group()
                        print("|", flush=True)

    def name(self, text):
        return f"{self.count:,} hosts: {text}"

    def start(self):
        row(self.name("start to ready"), f"{statistics.median(self.again() for _ in range(3)) * 1000:,.0f} ms", "< 3 s at 100,000")
        self.load(16, f"/allocation_candidates?{QUERY}&limit=100", duration_ms=500)
        row(self.name("memory (PSS) after a load"), f"{self.memory():.0f} MiB", "< 60 at 10,000, 400 at 100,000")

    def candidates(self):
        path = f"/allocation_candidates?{QUERY}&limit="
        self.latency(self.name("candidates, limit 10"), path + "10", "< 1 ms at 10,000")
        self.rate(self.name("candidates, limit 10"), path + "10", "3,000/s at 10,000")
        self.latency(self.name("candidates, limit 1000"), path + "1000", "< 15 ms")
        self.latency(self.name("candidates, limit 10, a trait of every 7th host"), path + "10&required=" + self.cloud.sql("placement", "SELECT name FROM trait WHERE id = 67").strip())
        self.latency(self.name("candidates, limit 10, one zone of 20"), path + "10&member_of=" + self.cloud.sql("placement", "SELECT md5('3')::uuid").strip())

    def full(self):
        self.cloud.sql("placement", FULL.format(last=self.count))
        path = f"/allocation_candidates?{QUERY}&limit=10"
        self.latency(self.name("candidates, 999 of 1,000 hosts full"), path, "< 1 ms")
        self.rate(self.name("candidates, 999 of 1,000 hosts full"), path)
        self.latency(self.name("candidates, trait of the last host alone"), path + "&required=CUSTOM_RARE", "< 1 ms")
        self.latency(self.name("no candidate: all are full"), "/allocation_candidates?resources=VCPU:2,MEMORY_MB:300000&limit=10", "< 1 ms")
        self.latency(self.name("explain, 10 hosts and all counts"), f"/OS-VIRGA/explain?{QUERY}&limit=10")

    def simulate(self):
        """What a simulation takes, and what readers beside it feel."""
        self.cloud.sql("placement", "UPDATE inventory SET used = 0;" + TOUCH)
        path = f"/allocation_candidates?{QUERY}&limit=10"
        body = {"flavor": {"resources": {"VCPU": 2, "MEMORY_MB": 2048, "DISK_GB": 10}}, "ratios": [{"resource_class": "VCPU", "allocation_ratio": 4.0}],
                "add": [{"count": 100, "like": "host1"}], "drain": ["host2"]}
        alone = self.load(4, path)
        row(self.name("simulate ratio + 100 hosts - 1 host, c1"), f"{self.load(1, '/OS-VIRGA/simulate', 'POST', [body])[1] / 1000:.0f} ms")
        bodies = os.path.join(self.folder, "simulation")
        with open(bodies, "w", encoding="utf-8") as file:
            file.write(json.dumps(body) + "\n")
        beside = subprocess.Popen([os.path.join(self.build, "tests/bench/load"), str(TURN_MS * (TURNS + 1)), "1", "POST", self.url + "/OS-VIRGA/simulate", bodies,
                                   "OpenStack-API-Version: placement 1.39", "Content-Type: application/json", "X-Auth-Token: " + self.session.token],
                                  stdout=subprocess.DEVNULL)
        time.sleep(0.2)
        busy = self.load(4, path)
        beside.wait()
        row("    candidates, limit 10, c4, alone: median, p99", f"{alone[1] / 1000:.2f}, {alone[2] / 1000:.2f} ms")
        row("    beside endless simulations: median, p99", f"{busy[1] / 1000:.2f}, {busy[2] / 1000:.2f} ms")

    def nested(self):
        if self.count > 10000:
            return  # 900,000 providers: a matter of memory, not of the walk.
        self.cloud.sql("placement", NESTED.format(last=self.count))
        self.again()
        before = self.memory()
        path = f"/allocation_candidates?{QUERY}&{GROUPS}&group_policy="
        self.latency(self.name("8 children, 8 groups, none, limit 1000"), path + "none&limit=1000", "< 100 ms")
        row("    memory for it", f"{self.memory() - before:+.1f} MiB", "< 64 MiB")
        self.latency(self.name("8 children, 8 groups, isolate, limit 1000"), path + "isolate&limit=1000", "< 100 ms")
        impossible = path + "isolate&limit=1000&resources9=SRIOV_NET_VF:1"
        self.latency(self.name("8 children, 9 groups, isolate: impossible"), impossible, "< 100 ms")

    def pgbench(self, clients):
        url = urllib.parse.urlsplit(self.cloud.database_url("placement"))
        env = dict(os.environ, PGHOST=urllib.parse.parse_qs(url.query)["host"][0], PGUSER=url.username, PGPASSWORD=url.password or "", PGDATABASE="bench")
        if self.cloud.sql("postgres", "SELECT count(*) FROM pg_database WHERE datname = 'bench'").strip() == "0":
            self.cloud.sql("postgres", "CREATE DATABASE bench OWNER placement")
            subprocess.run([PGBENCH, "-i", "-q", "-s", "10"], check=True, capture_output=True, env=env)
        command = [PGBENCH, "-N", "-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", "1"]
        return float(subprocess.run(command, check=True, capture_output=True, text=True, env=env).stdout.split("tps = ")[1].split()[0])

    def claims(self):
        self.cloud.sql("placement", ROOM)
        hosts = self.cloud.sql("placement", "SELECT uuid FROM provider ORDER BY md5(uuid) LIMIT 5000").split()
        for connections, chosen, what, aim in ((1, hosts, "1 writer", ""), (16, hosts, "16 writers, spread", "30 % of pgbench -N"),
                                               (16, hosts[:1], "16 writers, one host", "10 % of pgbench -N")):
            bodies = [{"allocations": {host: {"resources": {"VCPU": 1, "MEMORY_MB": 64, "DISK_GB": 1}}}, "project_id": "p", "user_id": "u",
                       "consumer_generation": None, "consumer_type": "INSTANCE"} for host in chosen]
            turns = []
            for _ in range(TURNS):  # In turns: both feel the same neighbours.
                yardstick = self.pgbench(connections)
                turns.append((*self.load(connections, "/allocations/@uuid", "PUT", bodies, 1000, 1)[:3], yardstick))
            rate, median, p99, yardstick = (statistics.median(column) for column in zip(*turns))
            share = statistics.median(turn[0] / turn[3] for turn in turns)
            row(self.name(f"claims, {what}"), f"{rate:,.0f}/s, {share * 100:.0f} % of {yardstick:,.0f}", aim)
            row("    median, 99th percentile", f"{median / 1000:.1f}, {p99 / 1000:.1f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", required=True, help="where bin/ and tests/bench/ are")
    parser.add_argument("--only", default="", help="only groups whose name contains this word")
    parser.add_argument("providers", nargs="*", type=int, default=[1000, 10000, 100000])
    options = parser.parse_args()
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the start", flush=True)
    with tempfile.TemporaryDirectory(prefix="virga-bench-") as folder:
        Bench(os.path.abspath(options.build), folder).run(options.providers, options.only)
    print(f"load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
