"""What placement should do, in a few lines of Python: providers in trees, inventories, traits, aggregates, consumers. Each operation
returns the status (and, for a conflict, the error code) that the service must answer, and changes the model only when that is a success.
No request that is wrong in itself: those are other tests' business."""

MAX_UNIT = 2147483647
CONCURRENT, IN_USE = "placement.concurrent_update", "placement.inventory.inuse"
UNDEFINED = "placement.undefined_code"


class Provider:
    def __init__(self, name, parent):
        self.name, self.parent, self.generation = name, parent, 0
        self.inventories, self.traits, self.aggregates = {}, set(), set()


class Consumer:
    def __init__(self, owner, kind, allocations):
        self.owner, self.kind, self.allocations, self.generation = owner, kind, allocations, 1


def inventory(total, reserved=0, min_unit=1, max_unit=MAX_UNIT, step_size=1, allocation_ratio=1.0):
    return {"total": total, "reserved": reserved, "min_unit": min_unit, "max_unit": max_unit, "step_size": step_size,
            "allocation_ratio": allocation_ratio}


class Refused(Exception):
    def __init__(self, status, code=UNDEFINED):
        super().__init__(status, code)
        self.answer = (status, code)


class Model:
    def __init__(self):
        self.providers, self.consumers = {}, {}

    def attempt(self, operation, *arguments):
        """(status, code or None) of an operation."""
        try:
            return operation(*arguments), None
        except Refused as refused:
            return refused.answer

    # --- What follows from the state

    def used(self, provider, rc, without=()):
        return sum(c.allocations.get(provider, {}).get(rc, 0) for u, c in self.consumers.items() if u not in without)

    def is_used(self, provider, rc):
        return any(rc in c.allocations.get(provider, {}) for c in self.consumers.values())

    def root(self, provider):
        while self.providers[provider].parent is not None:
            provider = self.providers[provider].parent
        return provider

    def is_below(self, provider, top):
        while provider is not None:
            if provider == top:
                return True
            provider = self.providers[provider].parent
        return False

    def room(self, provider, rc):
        x = self.providers[provider].inventories[rc]
        return (x["total"] - x["reserved"]) * x["allocation_ratio"]

    def fits(self, provider, rc, amount):
        x = self.providers[provider].inventories.get(rc)
        return x is not None and x["min_unit"] <= amount <= x["max_unit"] and amount % x["step_size"] == 0 and \
            self.used(provider, rc) + amount <= self.room(provider, rc)

    def providers_with(self, resources, required=(), forbidden=(), member_of=None):
        return {u for u, p in self.providers.items() if all(self.fits(u, rc, n) for rc, n in resources.items()) and
                set(required) <= p.traits and not set(forbidden) & p.traits and (member_of is None or member_of in p.aggregates)}

    # --- Providers

    def create(self, uuid, name, parent):
        if parent is not None and parent not in self.providers:
            raise Refused(400)
        if uuid in self.providers or any(p.name == name for p in self.providers.values()):
            raise Refused(409, "placement.duplicate_name")
        self.providers[uuid] = Provider(name, parent)
        return 200

    def change(self, uuid, name, parent):
        if uuid not in self.providers:
            raise Refused(404)
        if parent is not None and (parent not in self.providers or self.is_below(parent, uuid)):
            raise Refused(400)
        if any(p.name == name for u, p in self.providers.items() if u != uuid):
            raise Refused(409, "placement.duplicate_name")
        self.providers[uuid].name, self.providers[uuid].parent = name, parent
        return 200

    def delete(self, uuid):
        if uuid not in self.providers:
            raise Refused(404)
        if any(p.parent == uuid for p in self.providers.values()):
            raise Refused(409, "placement.resource_provider.cannot_delete_parent")
        if any(uuid in c.allocations for c in self.consumers.values()):
            raise Refused(409, "placement.resource_provider.inuse")
        del self.providers[uuid]
        return 204

    def check_generation(self, uuid, generation):
        if uuid not in self.providers:
            raise Refused(404)
        if self.providers[uuid].generation != generation:
            raise Refused(409, CONCURRENT)
        return self.providers[uuid]

    def set_inventories(self, uuid, generation, inventories):
        p = self.check_generation(uuid, generation)
        if any(int((x["total"] - x["reserved"]) * x["allocation_ratio"]) < 0 for x in inventories.values()):
            raise Refused(400)  # Of a capacity between 0 and -1 nothing is said.
        if any(self.is_used(uuid, rc) for rc in p.inventories if rc not in inventories):
            raise Refused(409, IN_USE)
        p.inventories = dict(inventories)
        p.generation += 1
        return 200

    def set_traits(self, uuid, generation, traits):
        p = self.check_generation(uuid, generation)
        p.generation += p.traits != set(traits)
        p.traits = set(traits)
        return 200

    def set_aggregates(self, uuid, generation, aggregates):
        p = self.check_generation(uuid, generation)
        p.aggregates = set(aggregates)
        p.generation += 1
        return 200

    # --- Consumers. wanted: {consumer: (generation, owner, kind, {provider: {class: amount}})}

    def check_consumers(self, wanted):
        for uuid, (generation, _, _, _) in wanted.items():
            known = self.consumers.get(uuid)
            if generation != (None if known is None else known.generation):
                raise Refused(409, CONCURRENT)

    def check_room(self, wanted):
        for _, _, _, allocations in wanted.values():
            for p, resources in allocations.items():
                if p not in self.providers:
                    raise Refused(400)
        after = {}
        for _, _, _, allocations in wanted.values():
            for p, resources in allocations.items():
                for rc, amount in resources.items():
                    x = self.providers[p].inventories.get(rc)
                    if x is None or not x["min_unit"] <= amount <= x["max_unit"] or amount % x["step_size"]:
                        raise Refused(409)
                    after[p, rc] = after.get((p, rc), 0) + amount
        for (p, rc), amount in after.items():
            others = self.used(p, rc, wanted)
            if others + amount > self.room(p, rc) and others + amount > self.used(p, rc):
                raise Refused(409)

    def write(self, wanted):
        touched = set()
        for uuid, (_, owner, kind, allocations) in wanted.items():
            known = self.consumers.pop(uuid, None)
            touched |= set(allocations) or set(known.allocations if known else ())
            if allocations:
                self.consumers[uuid] = Consumer(owner, kind, allocations)
                self.consumers[uuid].generation = known.generation + 1 if known else 1
        for p in touched:
            self.providers[p].generation += 1

    def claim(self, wanted):
        self.check_consumers(wanted)
        self.check_room(wanted)
        self.write(wanted)
        return 204

    def release(self, uuid):
        if uuid not in self.consumers:
            raise Refused(404)
        del self.consumers[uuid]
        return 204

    def reshape(self, shapes, wanted):
        """shapes: {provider: (generation, inventories)}."""
        for p, (generation, _) in shapes.items():
            if p not in self.providers:
                raise Refused(400, "placement.resource_provider.not_found")
            self.check_generation(p, generation)
        self.check_consumers(wanted)
        before = {p: self.providers[p].inventories for p in shapes}
        try:
            for p, (_, inventories) in shapes.items():
                self.providers[p].inventories = dict(before[p], **inventories)
            self.check_room(wanted)
            for p, (_, inventories) in shapes.items():
                for rc in set(before[p]) - set(inventories):
                    if self.used(p, rc, wanted) or any(rc in a.get(p, {}) for _, _, _, a in wanted.values()):
                        raise Refused(409, IN_USE)
        except Refused:
            for p in shapes:
                self.providers[p].inventories = before[p]
            raise
        self.write(wanted)
        for p, (_, inventories) in shapes.items():
            self.providers[p].inventories = dict(inventories)
            self.providers[p].generation += 2 if inventories else 1
        return 204
