"""The generated part of placement_diff.py: random requests about a small world, most of them right, some wrong, at one
microversion. The same seed and version give the same requests."""

import random

from placement_scenarios import LATEST, minor, u

CLASSES = ["VCPU", "MEMORY_MB", "DISK_GB", "CUSTOM_FUZZ"]
TRAITS = ["HW_CPU_X86_VMX", "CUSTOM_FUZZ_A", "CUSTOM_FUZZ_B", "MISC_SHARES_VIA_AGGREGATE", "COMPUTE_NODE"]
AGGREGATES = [u(9001), u(9002), u(9003)]
SUFFIXES = ["", "1", "2", "_a", "_b"]
TYPES = ["INSTANCE", "MIGRATION"]


class Fuzz:
    def __init__(self, both, seed):
        self.both, self.version = both, minor(both)
        self.random = random.Random(f"{seed} {both.version}")
        self.providers, self.consumers = [], [u(8000 + n) for n in range(6)]
        self.made = 0

    def pick(self, things, wrong=None):
        """One of them; rarely the wrong one."""
        if wrong is not None and self.random.random() < 0.04:
            return wrong
        return self.random.choice(things) if things else wrong

    def some(self, things, least=0, most=None):
        return self.random.sample(things, self.random.randint(least, min(most or len(things), len(things))))

    def provider(self):
        return self.pick(self.providers, u(9999))

    def generation(self, provider):
        content = self.both.session.request("GET", "placement", "/resource_providers/" + provider)[2]
        return content.get("generation", 0) + (1 if self.random.random() < 0.05 else 0)

    def consumer_generation(self, consumer):
        if self.random.random() < 0.08:
            return self.pick([None, 0, 1, 5])
        content = self.both.session.request("GET", "placement", "/allocations/" + consumer,
                                            headers={"OpenStack-API-Version": "placement " + LATEST})[2]
        return content.get("consumer_generation")

    def send(self, method, path, body=None, version=None, label=None):
        return self.both.send(method, path, body, version, label=label or f"{method} {path.split('?')[0].split('/')[1]}")

    # --- Requests

    def make_provider(self):
        self.made += 1
        body = {"name": self.pick([f"fuzz{self.made}", "fuzz1"]), "uuid": u(7000 + self.made)}
        if self.version >= 14 and self.providers and self.random.random() < 0.6:
            body["parent_provider_uuid"] = self.pick(self.providers, u(9999))
        if self.send("POST", "/resource_providers", body)[0] < 300:
            self.providers.append(body["uuid"])

    def change_provider(self):
        body = {"name": self.pick([f"fuzz{self.random.randint(1, 5)}", "renamed"])}
        if self.version >= 14 and self.random.random() < 0.7:
            body["parent_provider_uuid"] = self.pick([None, self.provider()])
        self.send("PUT", "/resource_providers/" + self.provider(), body)

    def drop_provider(self):
        provider = self.provider()
        if self.send("DELETE", "/resource_providers/" + provider)[0] < 300:
            self.providers.remove(provider)

    def inventory(self):
        x = {"total": self.pick([1, 4, 8, 100, 1000], 0)}
        for name, values in (("reserved", [0, 1, x["total"], x["total"] + 1]), ("min_unit", [1, 2]), ("max_unit", [1, 4, 1000]),
                             ("step_size", [1, 2, 3]), ("allocation_ratio", [0.5, 1.0, 1.5, 16.0])):
            if self.random.random() < 0.25:
                x[name] = self.pick(values)
        return x

    def set_inventories(self):
        provider = self.provider()
        self.send("PUT", f"/resource_providers/{provider}/inventories", {
            "resource_provider_generation": self.generation(provider),
            "inventories": {self.pick([c], "CUSTOM_UNKNOWN"): self.inventory() for c in self.some(CLASSES)}})

    def change_inventory(self):
        provider, rc = self.provider(), self.pick(CLASSES, "CUSTOM_UNKNOWN")
        method = self.pick(["PUT", "POST", "DELETE", "GET"])
        path = f"/resource_providers/{provider}/inventories"
        if method == "POST":
            return self.send(method, path, dict(self.inventory(), resource_class=rc))
        body = dict(self.inventory(), resource_provider_generation=self.generation(provider)) if method == "PUT" else None
        self.send(method, path + "/" + rc, body)

    def set_traits(self):
        provider = self.provider()
        self.send("PUT", f"/resource_providers/{provider}/traits", {
            "resource_provider_generation": self.generation(provider), "traits": self.some([self.pick([t], "CUSTOM_UNKNOWN") for t in TRAITS])})

    def set_aggregates(self):
        provider, uuids = self.provider(), self.some(AGGREGATES)
        self.send("PUT", f"/resource_providers/{provider}/aggregates", uuids if self.version < 19 else {
            "resource_provider_generation": self.generation(provider), "aggregates": uuids})

    def resources(self):
        return {self.pick([c], "CUSTOM_UNKNOWN"): self.pick([1, 2, 3, 4, 6, 50]) for c in self.some(CLASSES, 1, 2)}

    def allocations(self, consumer, may_be_empty):
        wanted = {p: self.resources() for p in self.some(self.providers, 0 if may_be_empty else 1, 2)} if self.providers else {}
        v = self.version
        if v < 12:
            body = {"allocations": [{"resource_provider": {"uuid": p}, "resources": r} for p, r in wanted.items()]}
        else:
            body = {"allocations": {p: {"resources": r} for p, r in wanted.items()}}
        if v >= 8:
            body.update(project_id=self.pick(["p1", "p2"]), user_id=self.pick(["u1", "u2"]))
        if v >= 28:
            body["consumer_generation"] = self.consumer_generation(consumer)
        if v >= 38:
            body["consumer_type"] = self.pick(TYPES)
        return body

    def claim(self):
        consumer = self.pick(self.consumers)
        self.send("PUT", "/allocations/" + consumer, self.allocations(consumer, self.version >= 28))

    def claim_many(self):
        self.send("POST", "/allocations", {c: self.allocations(c, True) for c in self.some(self.consumers, 1, 3)} if self.version >= 12 else {})

    def release(self):
        self.send("DELETE", "/allocations/" + self.pick(self.consumers))

    def reshape(self):
        inventories = {p: {"resource_provider_generation": self.generation(p), "inventories": {c: self.inventory() for c in self.some(CLASSES)}}
                       for p in self.some(self.providers, 1, 2)} if self.providers else {}
        self.send("POST", "/reshaper", {"inventories": inventories, "allocations": {
            c: self.allocations(c, True) for c in self.some(self.consumers, 0, 2)} if self.version >= 12 else {}})

    # --- Queries

    def traits_value(self):
        names = [("!" if self.random.random() < 0.25 else "") + self.pick([t], "CUSTOM_UNKNOWN") for t in self.some(TRAITS, 1, 2)]
        return ("in:" if self.random.random() < 0.25 else "") + ",".join(names)

    def member_value(self):
        uuids = self.some(AGGREGATES, 1, 2)
        return self.pick(["", "", "!"]) + ("in:" if len(uuids) > 1 or self.random.random() < 0.2 else "") + ",".join(uuids)

    def resources_value(self):
        return ",".join(f"{c}:{n}" for c, n in self.resources().items())

    def list_providers(self):
        parts = []
        for since, name, value in ((0, "name", lambda: f"fuzz{self.random.randint(1, 5)}"), (0, "uuid", self.provider), (3, "member_of", self.member_value),
                                   (4, "resources", self.resources_value), (14, "in_tree", self.provider), (18, "required", self.traits_value),
                                   (24, "member_of", self.member_value), (39, "required", self.traits_value)):
            if self.random.random() < (0.3 if self.version >= since else 0.01):
                parts.append(f"{name}={value()}")
        self.send("GET", "/resource_providers?" + "&".join(parts))

    def list_candidates(self):
        parts, suffixes = [], [""] if self.version < 25 else self.some(SUFFIXES[:3] if self.version < 33 else SUFFIXES, 1, 3)
        for s in suffixes:
            if self.random.random() < 0.9:
                parts.append(f"resources{s}={self.resources_value()}")
            for since, name, value in ((17, "required", self.traits_value), (21, "member_of", self.member_value), (31, "in_tree", self.provider),
                                       (24, "member_of", self.member_value), (39, "required", self.traits_value)):
                if self.random.random() < (0.15 if self.version >= since else 0.01):
                    parts.append(f"{name}{s}={value()}")
        if sum(1 for s in suffixes if s) > 1 and self.random.random() < 0.95:
            parts.append("group_policy=" + self.pick(["none", "isolate"], "x"))
        if self.version >= 35 and self.random.random() < 0.15:
            parts.append("root_required=" + self.traits_value())
        if self.version >= 36 and self.random.random() < 0.3:
            parts.append("same_subtree=" + ",".join(self.some([self.pick([s], "_z") for s in suffixes if s] or ["_z"], 1)))
        self.random.shuffle(parts)
        self.send("GET", "/allocation_candidates?" + "&".join(parts))

    def look(self):
        paths = ["/resource_providers", "/usages?project_id=p1", "/usages?project_id=p2&user_id=u1", "/allocations/" + self.pick(self.consumers)]
        base = "/resource_providers/" + self.provider()
        paths += [base + x for x in ("", "/inventories", "/usages", "/aggregates", "/traits", "/allocations")]
        if self.version >= 38:
            paths.append("/usages?project_id=p1&consumer_type=" + self.pick(TYPES + ["all", "unknown"]))
        self.send("GET", self.pick(paths))

    def step(self):
        weights = [(self.make_provider, 3 if len(self.providers) < 7 else 0.2), (self.change_provider, 1), (self.drop_provider, 0.7), (self.set_inventories, 5),
                   (self.change_inventory, 3), (self.set_traits, 3), (self.set_aggregates, 2), (self.claim, 6), (self.claim_many, 3), (self.release, 1),
                   (self.reshape, 2), (self.list_providers, 5), (self.list_candidates, 12), (self.look, 5)]
        chosen, = self.random.choices([w[0] for w in weights], [w[1] for w in weights])
        chosen()


def run(both, seed, steps):
    both.send("PUT", "/resource_classes/CUSTOM_FUZZ", None, LATEST)
    for trait in ("CUSTOM_FUZZ_A", "CUSTOM_FUZZ_B"):
        both.send("PUT", "/traits/" + trait, None, LATEST)
    fuzz = Fuzz(both, seed)
    for _ in range(3):
        fuzz.make_provider()
    for _ in range(steps):
        fuzz.step()
