#!/usr/bin/python3
"""Random sequences of operations against a model (tests/lib/placement_model.py): every answer as predicted, and all that can be read
equal to the model's state. Then many clients at two daemons for too little room, and daemons killed in the middle: no instant with
more given out than there is, and nothing lost that was accepted.

Several walks go on at once, each with a seed, providers and consumers of its own, asking now one daemon and now the other: PLACEMENT_SEED=n
PLACEMENT_WALKS=1 repeats one, PLACEMENT_SECONDS makes them longer."""

import concurrent.futures
import http.client
import json
import os
import random
import sys
import threading
import time
import unittest
import urllib.parse
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from cloud import Cloud  # noqa: E402
from placement_model import Model, inventory  # noqa: E402

SEED = int(os.environ.get("PLACEMENT_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
SECONDS = float(os.environ.get("PLACEMENT_SECONDS", "15"))
WALKS = int(os.environ.get("PLACEMENT_WALKS", "4"))
CLASSES = ["VCPU", "MEMORY_MB", "DISK_GB"]
TRAITS = ["HW_CPU_X86_VMX", "COMPUTE_NODE", "STORAGE_DISK_SSD"]

cloud = admin = second = None


def setUpModule():
    global cloud, admin, second
    print(f"PLACEMENT_SEED={SEED} PLACEMENT_WALKS={WALKS}", file=sys.stderr)
    cloud = Cloud(services=["identity", "placement"])
    admin = cloud.service("placement")
    second = cloud.add_daemon("placement")
    for session in (admin, admin.at(second)):  # Each has the keys of tokens before anything is counted.
        for _ in range(100):
            if session.request("GET", "placement", "/resource_providers")[0] == 200:
                break
            time.sleep(0.2)


def tearDownModule():
    if cloud is not None:
        cloud.close()


class Client:
    """A connection that stays open: (status, content) of requests at the newest version."""

    def __init__(self, test, url=None):
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(url or cloud.urls["placement"]).netloc, timeout=60)
        test.addCleanup(self.connection.close)

    def __call__(self, method, path, body=None):
        self.connection.request(method, path, None if body is None else json.dumps(body).encode(), {
            "X-Auth-Token": admin.token, "Content-Type": "application/json", "Accept": "application/json",
            "OpenStack-API-Version": "placement 1.39"})
        answer = self.connection.getresponse()
        content = answer.read()
        return answer.status, json.loads(content) if content else None


def new(rng=random):
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def claim_body(wanted):
    generation, owner, kind, allocations = wanted
    return {"allocations": {p: {"resources": r} for p, r in allocations.items()}, "project_id": owner[0], "user_id": owner[1],
            "consumer_generation": generation, "consumer_type": kind}


class Walk:
    """One random walk: the service on one side, the model on the other."""

    def __init__(self, test, seed):
        self.test, self.seed, self.rng, self.model = test, seed, random.Random(seed), Model()
        self.daemons, self.mine = [Client(test), Client(test, second.url)], set()  # All providers that it ever made.
        self.aggregates, self.owners = [new(self.rng) for _ in range(3)], [(new(self.rng), new(self.rng)) for _ in range(2)]
        self.ids, self.history = [new(self.rng) for _ in range(8)], []  # Of consumers.

    def call(self, method, path, body=None):
        return self.rng.choice(self.daemons)(method, path, body)

    def do(self, method, path, body, operation, *arguments):
        expected = self.model.attempt(operation, *arguments)
        self.history.append((method, path, body))
        status, content = self.call(method, path, body)
        got = (status, content["errors"][0]["code"] if status >= 400 else None)
        self.test.assertEqual(got, expected, f"seed {self.seed}, step {len(self.history)}: {method} {path} {body}: {content}")

    def provider(self):
        if self.model.providers and self.rng.random() > 0.03:
            return self.rng.choice(list(self.model.providers))
        return new(self.rng)

    def generation(self, provider):
        known = self.model.providers.get(provider)
        return (known.generation if known else 0) + (self.rng.random() < 0.05)

    def some(self, things):
        return self.rng.sample(things, self.rng.randint(0, len(things)))

    def inventories(self):
        return {rc: inventory(total=self.rng.choice([1, 4, 10, 100]), reserved=self.rng.choice([0, 0, 0, 1, 2]), min_unit=self.rng.choice([1, 1, 2]),
                              max_unit=self.rng.choice([4, 100, 2147483647]), step_size=self.rng.choice([1, 1, 2]),
                              allocation_ratio=self.rng.choice([1.0, 1.0, 0.5, 1.5, 16.0])) for rc in self.some(CLASSES)}

    def wanted(self, consumer, may_be_empty=True):
        known = self.model.consumers.get(consumer)
        generation = known.generation if known else None
        if self.rng.random() < 0.05:
            generation = self.rng.choice([None, 1, 7])
        allocations = {}
        for _ in range(self.rng.choice([0, 1, 1, 1, 2] if may_be_empty else [1, 1, 2])):
            p = self.provider()
            held = list(self.model.providers[p].inventories) if p in self.model.providers else []
            chosen = self.some(held) or [self.rng.choice(CLASSES)]
            allocations[p] = {rc: self.rng.choice([1, 2, 2, 4, 6]) for rc in chosen}
        return generation, self.rng.choice(self.owners), self.rng.choice(["INSTANCE", "MIGRATION"]), allocations

    # --- Steps

    def create(self):
        uuid, name = new(self.rng), f"host{self.rng.randint(1, 40)}-{self.seed}"
        parent = self.provider() if self.rng.random() < 0.6 else None
        self.mine.add(uuid)
        self.do("POST", "/resource_providers", {"name": name, "uuid": uuid, "parent_provider_uuid": parent}, self.model.create, uuid, name, parent)

    def change(self):
        uuid, name = self.provider(), f"host{self.rng.randint(1, 40)}-{self.seed}"
        parent = self.provider() if self.rng.random() < 0.7 else None
        self.do("PUT", "/resource_providers/" + uuid, {"name": name, "parent_provider_uuid": parent}, self.model.change, uuid, name, parent)

    def delete(self):
        uuid = self.provider()
        self.do("DELETE", "/resource_providers/" + uuid, None, self.model.delete, uuid)

    def set_part(self):
        uuid, (part, value, operation) = self.provider(), self.rng.choice([
            ("inventories", self.inventories(), self.model.set_inventories), ("inventories", self.inventories(), self.model.set_inventories),
            ("traits", self.some(TRAITS), self.model.set_traits), ("aggregates", self.some(self.aggregates), self.model.set_aggregates)])
        generation = self.generation(uuid)
        self.do("PUT", f"/resource_providers/{uuid}/{part}", {"resource_provider_generation": generation, part: value}, operation, uuid, generation, value)

    def claim(self):
        consumer = self.rng.choice(self.ids)
        wanted = self.wanted(consumer)
        self.do("PUT", "/allocations/" + consumer, claim_body(wanted), self.model.claim, {consumer: wanted})

    def claim_many(self):
        wanted = {c: self.wanted(c) for c in self.rng.sample(self.ids, self.rng.randint(1, 3))}
        self.do("POST", "/allocations", {c: claim_body(w) for c, w in wanted.items()}, self.model.claim, wanted)

    def release(self):
        consumer = self.rng.choice(self.ids)
        self.do("DELETE", "/allocations/" + consumer, None, self.model.release, consumer)

    def reshape(self):
        shapes = {p: (self.generation(p), self.inventories()) for p in {self.provider() for _ in range(2)}}
        wanted = {c: self.wanted(c) for c in self.rng.sample(self.ids, self.rng.randint(0, 2))}
        self.do("POST", "/reshaper", {
            "inventories": {p: {"resource_provider_generation": g, "inventories": i} for p, (g, i) in shapes.items()},
            "allocations": {c: claim_body(w) for c, w in wanted.items()}}, self.model.reshape, shapes, wanted)

    def query(self):
        resources = {rc: self.rng.choice([1, 2, 4]) for rc in self.rng.sample(CLASSES, self.rng.randint(1, 2))}
        required, forbidden = self.some(TRAITS)[:1], self.some(TRAITS)[:1]
        forbidden = [t for t in forbidden if t not in required]
        member_of = self.rng.choice([None, None] + self.aggregates)
        query = "resources=" + ",".join(f"{rc}:{n}" for rc, n in resources.items())
        if required or forbidden:
            query += "&required=" + ",".join(required + ["!" + t for t in forbidden])
        if member_of:
            query += "&member_of=" + member_of
        expected = self.model.providers_with(resources, required, forbidden, member_of)
        status, content = self.call("GET", "/resource_providers?" + query)
        self.test.assertEqual((status, self.mine & {p["uuid"] for p in content["resource_providers"]}), (200, expected), f"seed {self.seed}: {query}")
        # A group with a suffix asks the same of one provider; none of these shares.
        grouped = "&".join(name + "1=" + value for name, _, value in (pair.partition("=") for pair in query.split("&")))
        status, content = self.call("GET", "/allocation_candidates?" + grouped)
        found = self.mine & {p for r in content["allocation_requests"] for p in r["allocations"]}
        self.test.assertEqual((status, found), (200, expected), f"seed {self.seed}: {grouped}")

    def step(self):
        count = len(self.model.providers)
        steps = [(self.create, 4 if count < 6 else 0.5), (self.change, 1), (self.delete, 0.5), (self.set_part, 6), (self.claim, 7), (self.claim_many, 3),
                 (self.release, 1), (self.reshape, 3), (self.query, 3)]
        self.rng.choices([s for s, _ in steps], [w for _, w in steps])[0]()

    def compare(self, providers=None, consumers=None):
        """All that can be read, or what can of some, is as the model has it."""
        shown, m = {}, self.model
        for p in self.call("GET", "/resource_providers")[1]["resource_providers"]:
            if p["uuid"] in self.mine:
                shown[p["uuid"]] = (p["name"], p["parent_provider_uuid"], p["root_provider_uuid"], p["generation"])
        self.test.assertEqual(shown, {u: (p.name, p.parent, m.root(u), p.generation) for u, p in m.providers.items()}, f"seed {self.seed}")
        for u, p in m.providers.items():
            if providers is not None and u not in providers:
                continue
            base = "/resource_providers/" + u
            self.test.assertEqual(self.call("GET", base + "/inventories")[1]["inventories"], p.inventories)
            self.test.assertEqual(self.call("GET", base + "/usages")[1]["usages"], {rc: m.used(u, rc) for rc in p.inventories})
            self.test.assertEqual(set(self.call("GET", base + "/traits")[1]["traits"]), p.traits)
            self.test.assertEqual(set(self.call("GET", base + "/aggregates")[1]["aggregates"]), p.aggregates)
            self.test.assertEqual({c: (a["resources"], a["consumer_generation"]) for c, a in self.call("GET", base + "/allocations")[1]["allocations"].items()},
                                  {c: (x.allocations[u], x.generation) for c, x in m.consumers.items() if u in x.allocations})
        for c in self.ids if consumers is None else consumers:
            content, known = self.call("GET", "/allocations/" + c)[1], m.consumers.get(c)
            self.test.assertEqual({p: a["resources"] for p, a in content["allocations"].items()}, known.allocations if known else {})
            if known:
                self.test.assertEqual((content["project_id"], content["user_id"], content["consumer_type"], content["consumer_generation"]),
                                      known.owner + (known.kind, known.generation))
        for project, _ in self.owners if consumers is None else self.owners[:1]:
            expected = {}
            for x in m.consumers.values():
                if x.owner[0] == project:
                    mine = expected.setdefault(x.kind, {"consumer_count": 0})
                    mine["consumer_count"] += 1
                    for resources in x.allocations.values():
                        for rc, n in resources.items():
                            mine[rc] = mine.get(rc, 0) + n
            self.test.assertEqual(self.call("GET", "/usages?project_id=" + project)[1]["usages"], expected)


    def look(self):
        """A part of the state, another each time."""
        self.compare(self.rng.sample(list(self.model.providers), min(2, len(self.model.providers))), self.rng.sample(self.ids, 2))

    def end(self):
        """All is as it should be, and can be taken away."""
        self.compare()
        for consumer in list(self.model.consumers):
            self.do("DELETE", "/allocations/" + consumer, None, self.model.release, consumer)
        while self.model.providers:
            leaf = next(u for u in self.model.providers if not any(p.parent == u for p in self.model.providers.values()))
            self.do("DELETE", "/resource_providers/" + leaf, None, self.model.delete, leaf)
        self.compare()


class RandomWalk(unittest.TestCase):
    def walk(self, seed):
        walk, until = Walk(self, seed), time.monotonic() + SECONDS
        while time.monotonic() < until:
            for n in range(20):
                for _ in range(50):
                    walk.step()
                walk.look()
                if time.monotonic() >= until:
                    break
            else:
                walk.compare()
        walk.end()
        return len(walk.history)

    def test_walks(self):
        seeds = range(SEED, SEED + WALKS)
        with concurrent.futures.ThreadPoolExecutor(WALKS) as pool:
            writes = [walk.result() for walk in [pool.submit(self.walk, seed) for seed in seeds]]
        self.assertGreater(min(writes), 100)
        print(f"{sum(writes)} writes: {', '.join(f'{n} of seed {seed}' for seed, n in zip(seeds, writes))}", file=sys.stderr)


class Crowd(unittest.TestCase):
    """Eight clients at two daemons want more than there is, in ones and twos, of several providers at once, and give some back."""

    OVER = """SELECT count(*) FROM (SELECT i.provider_id, i.class_id, i.used, (i.total - i.reserved) * i.allocation_ratio AS room,
                  COALESCE((SELECT sum(a.used) FROM allocation a WHERE a.provider_id = i.provider_id AND a.class_id = i.class_id), 0) AS given
              FROM inventory i) AS x WHERE given > room OR given <> used"""

    def setUp(self):
        call = Client(self)
        self.hosts = [str(uuid.uuid4()) for _ in range(3)]
        for host in self.hosts:
            self.assertEqual(call("POST", "/resource_providers", {"name": host, "uuid": host})[0], 200)
            self.assertEqual(call("PUT", f"/resource_providers/{host}/inventories", {"resource_provider_generation": 0, "inventories": {
                "VCPU": {"total": 11, "reserved": 1, "allocation_ratio": 1.5}, "DISK_GB": {"total": 9}}})[0], 200)
        self.accepted, self.lock, self.stop, self.wrong = {}, threading.Lock(), threading.Event(), []
        self.addCleanup(cloud.sql, "placement", "DELETE FROM allocation; DELETE FROM consumer; DELETE FROM inventory; DELETE FROM provider")

    def client(self, url, seed):
        rng, call, mine = random.Random(seed), Client(self, url), []
        while not self.stop.is_set():
            wanted = {h: {"resources": {"VCPU": rng.randint(1, 2), "DISK_GB": 1}} for h in rng.sample(self.hosts, rng.randint(1, 2))}
            consumer = str(uuid.uuid4())
            try:
                if mine and rng.random() < 0.4:
                    victim = mine.pop()
                    with self.lock:
                        self.accepted.pop(victim)
                    status, content = call("DELETE", "/allocations/" + victim)
                    if status != 204:
                        self.wrong.append((status, content))
                    continue
                status, content = call("PUT", "/allocations/" + consumer, {
                    "allocations": wanted, "project_id": "p", "user_id": "u", "consumer_generation": None, "consumer_type": "INSTANCE"})
            except (OSError, http.client.HTTPException):
                call.connection.close()  # The daemon is dead: what became of this request nobody knows.
                time.sleep(0.05)
                continue
            if status == 204:
                with self.lock:
                    self.accepted[consumer] = {h: r["resources"] for h, r in wanted.items()}
                mine.append(consumer)
            elif status not in (409, 500, 503):  # 5xx: a daemon that is about to end.
                self.wrong.append((status, content))

    def sample(self):
        while not self.stop.is_set():
            over = cloud.sql("placement", self.OVER).strip()
            if over != "0":
                self.wrong.append(("more given out than there is", over))

    def run_crowd(self, seconds, meanwhile=lambda: None):
        urls = [cloud.urls["placement"], second.url] * 4
        threads = [threading.Thread(target=self.client, args=(url, f"{SEED} {n}")) for n, url in enumerate(urls)] + [threading.Thread(target=self.sample)]
        for t in threads:
            t.start()
        time.sleep(seconds / 2)
        meanwhile()
        time.sleep(seconds / 2)
        self.stop.set()
        for t in threads:
            t.join()
        self.assertEqual(self.wrong, [])
        self.assertEqual(cloud.sql("placement", self.OVER).strip(), "0")
        self.assertGreater(len(self.accepted), 0)

    def check_accepted(self):
        call = Client(self)
        for consumer, wanted in self.accepted.items():
            shown = call("GET", "/allocations/" + consumer)[1]["allocations"]
            self.assertEqual({h: a["resources"] for h, a in shown.items()}, wanted)

    def test_never_more_than_there_is(self):
        self.run_crowd(4)
        self.check_accepted()
        held = {h: sum(a.get(h, {}).get("VCPU", 0) for a in self.accepted.values()) for h in self.hosts}
        call = Client(self)
        for host in self.hosts:
            self.assertEqual(call("GET", f"/resource_providers/{host}/usages")[1]["usages"]["VCPU"], held[host])
            self.assertLessEqual(held[host], 15)

    def test_killed_daemons(self):
        def kill():
            for name in ("placement", second.name):
                cloud.daemon(name).process.kill()
            cloud.restart()

        self.run_crowd(4, kill)
        self.check_accepted()


if __name__ == "__main__":
    unittest.main()
