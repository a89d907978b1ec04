"""Requests for placement_diff.py, written by hand: each scenario begins with two empty services and runs at one microversion
after the other. What is set up goes through the newest version; what is tried through the version that it is about."""

import copy
import json

LATEST = "1.39"
KINDS = [None, True, 0, 1, -1, 2147483647, 2147483648, 2**63, -2**63 - 1, 10**30, 10**39, 1.5, "", " ", "1", "x" * 300, "\u00e9\u4e16", [], [1], ["x"], {}, {"x": 1}]


def minor(both):
    return int(both.version.split(".")[1])


def u(n):
    return f"{n:08x}-1111-4222-8333-444455556666"


def at(both, *members):
    """The members of a body that the version has: (since, until, name, value)..."""
    v = minor(both)
    return {name: value for since, until, name, value in members if since <= v <= until}


# --- Setting up, at the newest version

def provider(both, n, inventories=None, parent=None, traits=None, aggregates=None):
    body = {"name": f"p{n}", "uuid": u(n)}
    if parent is not None:
        body["parent_provider_uuid"] = u(parent)
    both.send("POST", "/resource_providers", body, LATEST, label="set up a provider")
    generation = 0
    path = "/resource_providers/" + u(n)
    if inventories:
        full = {k: x if isinstance(x, dict) else {"total": x} for k, x in inventories.items()}
        _, made = both.send("PUT", path + "/inventories", {"resource_provider_generation": generation, "inventories": full}, LATEST)
        generation = made["resource_provider_generation"]
    if traits:
        for t in traits:
            if t.startswith("CUSTOM_"):
                both.send("PUT", "/traits/" + t, None, LATEST)
        _, made = both.send("PUT", path + "/traits", {"resource_provider_generation": generation, "traits": traits}, LATEST)
        generation = made["resource_provider_generation"]
    if aggregates:
        _, made = both.send("PUT", path + "/aggregates", {"resource_provider_generation": generation, "aggregates": aggregates}, LATEST)
        generation = made["resource_provider_generation"]
    return generation


def claim(both, n, allocations, generation=None, kind="INSTANCE", project="p1", user="u1", version=LATEST, path=None):
    """allocations: {provider number: resources}."""
    return both.send("PUT", path or "/allocations/" + u(n), {
        "allocations": {u(p): {"resources": r} for p, r in allocations.items()}, "project_id": project, "user_id": user,
        "consumer_generation": generation, "consumer_type": kind}, version)


def allocation_body(both, allocations, generation=None, kind="INSTANCE", project="p1", user="u1"):
    """The same in the version's own shape."""
    if minor(both) < 12:
        listed = [{"resource_provider": {"uuid": p}, "resources": r} for p, r in allocations.items()]
        return dict({"allocations": listed}, **at(both, (8, 99, "project_id", project), (8, 99, "user_id", user)))
    return dict({"allocations": {p: {"resources": r} for p, r in allocations.items()}, "project_id": project, "user_id": user},
                **at(both, (28, 99, "consumer_generation", generation), (38, 99, "consumer_type", kind)))


def look(both, *paths):
    for path in paths:
        both.send("GET", path)


def look_all(both, providers=(), consumers=()):
    """Everything that can be read of them."""
    for n in providers:
        base = "/resource_providers/" + u(n)
        look(both, base, *(base + x for x in ("/inventories", "/usages", "/aggregates", "/traits", "/allocations")))
    for n in consumers:
        look(both, "/allocations/" + u(n))
    look(both, "/resource_providers", "/usages?project_id=p1")


def mutations(body):
    """The body with one member after the other left out, and replaced by each kind of value, at every depth."""
    yield dict(body, unknown=1) if isinstance(body, dict) else body

    def walk(node, path):
        items = node.items() if isinstance(node, dict) else enumerate(node)
        for key, value in list(items):
            yield path + [key], None
            if isinstance(value, (dict, list)):
                yield from walk(value, path + [key])

    for path, _ in walk(body, []):
        for kind in ["leave out"] + KINDS + ([{"unknown": 1}] if isinstance(path[-1], str) else []):
            changed = copy.deepcopy(body)
            node = changed
            for key in path[:-1]:
                node = node[key]
            if kind == "leave out":
                del node[path[-1]]
            elif kind == {"unknown": 1}:
                if not isinstance(node, dict):
                    continue
                node["unknown"] = 1
            else:
                node[path[-1]] = kind
            yield changed


# --- Scenarios

def protocol(both):
    """Methods, media types, headers, broken JSON."""
    both.send("GET", "/")
    provider(both, 1, {"VCPU": 4})
    claim(both, 50, {1: {"VCPU": 1}})
    base = "/resource_providers/" + u(1)
    paths = ["/", "/resource_providers", base, base + "/inventories", base + "/inventories/VCPU", base + "/usages", base + "/aggregates",
             base + "/traits", base + "/allocations", "/allocations", "/allocations/" + u(50), "/allocation_candidates", "/traits",
             "/traits/HW_CPU_X86_VMX", "/usages", "/resource_classes", "/resource_classes/VCPU", "/reshaper", "/nothing", base + "/nothing"]
    for path in paths:
        for method in ("PATCH", "POST", "PUT", "DELETE", "GET"):
            if (method, path) in (("DELETE", base), ("DELETE", "/allocations/" + u(50)), ("DELETE", base + "/inventories"),
                                  ("DELETE", base + "/inventories/VCPU")):
                continue
            both.send(method, path, {} if method in ("POST", "PUT", "PATCH") else None)
    for path, method in ((base, "PUT"), ("/resource_providers", "POST"), (base + "/inventories", "PUT"), (base + "/inventories", "POST"),
                         (base + "/aggregates", "PUT"), (base + "/traits", "PUT"), ("/allocations", "POST"), ("/reshaper", "POST"),
                         ("/allocations/" + u(51), "PUT"), ("/resource_classes", "POST"), ("/resource_classes/CUSTOM_PROTOCOL", "PUT"),
                         ("/traits/CUSTOM_PROTOCOL", "PUT")):
        both.send(method, path, b"{}", headers={"Content-Type": "text/plain"}, label=f"{method} {path} as text")
        both.send(method, path, b"{}", headers={"Content-Type": "application/json; charset=utf-8"}, label=f"{method} {path} with charset")
        both.send(method, path, b"{}", headers={"Content-Type": None}, label=f"{method} {path} without type")
        both.send(method, path, None, label=f"{method} {path} without body")
        both.send(method, path, b"", headers={"Content-Type": "application/json"}, label=f"{method} {path} empty")
        for broken in (b"{", b"x", b"[]", b"null", b"5", b"\"x\"", b"\xff", b"{\"a\": NaN}"):
            both.send(method, path, broken, headers={"Content-Type": "application/json"}, label=f"{method} {path} {broken!r}")
    for accept in ("text/plain", "*/*", "application/*", "text/html, application/json;q=0.5", "application/json;q=0", "", None):
        for path in ("/resource_providers", base, base + "/inventories", "/traits/HW_CPU_X86_VMX", "/usages?project_id=x",
                     "/allocation_candidates?resources=VCPU:1"):
            both.send("GET", path, headers={"Accept": accept}, label=f"GET {path} accepting {accept}")
    for header in ("placement 1.40", "placement 2.0", "placement x", "placement", "placement latest", "compute 2.1", "nonsense",
                   "compute 2.1, placement 1.5", "placement 1.05", "placement -1.0", "placement 1.0.0", None):
        both.send("GET", "/resource_providers", headers={"OpenStack-API-Version": header}, label=f"version header {header}")
        both.send("GET", "/", headers={"OpenStack-API-Version": header}, label=f"version header {header} at /")


def providers(both):
    v = minor(both)
    post = "/resource_providers"
    both.send("POST", post, {"name": "a", "uuid": u(1)})
    both.send("POST", post, {"name": "a", "uuid": u(2)}, label="same name")
    both.send("POST", post, {"name": "b", "uuid": u(1)}, label="same uuid")
    both.send("POST", post, {"name": "a", "uuid": u(1)}, label="same both")
    both.send("POST", post, {"name": "c", "uuid": u(3).replace("-", "")}, label="uuid without dashes")
    both.send("POST", post, {"name": "d", "uuid": u(4).upper()}, label="uuid in capitals")
    both.send("POST", post, {"name": "\u4e16\u754c", "uuid": u(5)}, label="unicode")
    both.send("POST", post, {"name": "x" * 200, "uuid": u(6)})
    both.send("POST", post, {"name": "x" * 201, "uuid": u(7)})
    both.send("POST", post, {"name": "e", "uuid": u(8), "parent_provider_uuid": u(1)}, label="child")
    both.send("POST", post, {"name": "f", "uuid": u(9), "parent_provider_uuid": None}, label="null parent")
    both.send("POST", post, {"name": "g", "uuid": u(10), "parent_provider_uuid": u(999)}, label="unknown parent")
    both.send("POST", post, {"name": "h", "uuid": u(11), "parent_provider_uuid": u(11)}, label="own parent")
    both.send("POST", post, {"name": "i", "uuid": u(12), "parent_provider_uuid": u(8)}, label="grandchild")
    for body in mutations(dict({"name": "mutant", "uuid": u(13)}, **({"parent_provider_uuid": u(1)} if v >= 14 else {}))):
        status, _ = both.send("POST", post, body, label="POST provider with a wrong member")
        if status < 300 and body.get("uuid"):
            both.send("DELETE", "/resource_providers/" + u(13), version=LATEST, label="delete mutant")
        elif status < 300:  # It has a UUID that is not the same in both.
            both.cloud.sql("placement", "DELETE FROM provider WHERE name = 'mutant'")
            both.theirs.sql("DELETE FROM resource_providers WHERE name = 'mutant'")
    look_all(both, [1, 3, 4, 5, 8, 9, 12, 999])
    look(both, "/resource_providers/nonsense", "/resource_providers/" + u(1).upper(), "/resource_providers/" + u(1).replace("-", ""))
    # Changing
    for n, body in ((1, {"name": "a2"}), (3, {"name": "a2"}), (1, {"name": "a2", "parent_provider_uuid": None}),
                    (3, {"name": "c", "parent_provider_uuid": u(1)}), (3, {"name": "c", "parent_provider_uuid": u(4)}),
                    (3, {"name": "c", "parent_provider_uuid": None}), (3, {"name": "c"}), (1, {"name": "a2", "parent_provider_uuid": u(12)}),
                    (1, {"name": "a2", "parent_provider_uuid": u(1)}), (4, {"name": "d", "parent_provider_uuid": u(999)}),
                    (8, {"name": "e2", "parent_provider_uuid": u(1)}), (999, {"name": "z"}), (999, {}), (8, {"name": "e3", "uuid": u(8)}),
                    (12, {"name": "i", "parent_provider_uuid": u(4)}), (8, {"name": "e", "parent_provider_uuid": u(12)})):
        both.send("PUT", "/resource_providers/" + u(n), body, label=f"PUT provider {n} {json.dumps(body)}")
        look(both, "/resource_providers/" + u(n))
    for body in mutations(dict({"name": "a2"}, **({"parent_provider_uuid": None} if v >= 14 else {}))):
        both.send("PUT", "/resource_providers/" + u(1), body, label="PUT provider with a wrong member")
        both.send("PUT", "/resource_providers/" + u(1), {"name": "a2"}, LATEST)
    look(both, "/resource_providers")
    # Deleting
    for n in (1, 8, 12, 999, 5):
        both.send("DELETE", "/resource_providers/" + u(n), label=f"DELETE provider {n}")
    both.send("DELETE", "/resource_providers/nonsense")
    provider(both, 20, {"VCPU": 4}, aggregates=[u(900)], traits=["HW_CPU_X86_VMX"])
    claim(both, 50, {20: {"VCPU": 1}})
    both.send("DELETE", "/resource_providers/" + u(20), label="DELETE provider in use")
    both.send("DELETE", "/allocations/" + u(50))
    both.send("DELETE", "/resource_providers/" + u(20), label="DELETE provider with all but allocations")
    look(both, "/resource_providers")


def provider_lists(both):
    provider(both, 1, {"VCPU": 4, "MEMORY_MB": 1000}, traits=["HW_CPU_X86_VMX", "CUSTOM_A"], aggregates=[u(900), u(901)])
    provider(both, 2, {"VCPU": {"total": 8, "min_unit": 2, "max_unit": 6, "step_size": 2}}, traits=["CUSTOM_A"], aggregates=[u(901)])
    provider(both, 3, {"DISK_GB": {"total": 100, "reserved": 20, "allocation_ratio": 1.5}}, parent=1, traits=["CUSTOM_B"], aggregates=[u(902)])
    provider(both, 4)
    provider(both, 5, {"VCPU": 4}, traits=["MISC_SHARES_VIA_AGGREGATE"], aggregates=[u(900)])
    claim(both, 50, {1: {"VCPU": 3}, 3: {"DISK_GB": 100}})
    for query in ("", "name=p1", "name=", "name=nobody", "uuid=" + u(1), "uuid=" + u(1).upper(), "uuid=" + u(1).replace("-", ""), "uuid=x",
                  "uuid=", "name=p1&uuid=" + u(2), "name=p2&name=p1", "bogus=1", "in_tree=" + u(1), "in_tree=" + u(3), "in_tree=" + u(999),
                  "in_tree=x", "in_tree=", "in_tree=" + u(4).replace("-", ""), "resources=VCPU:1", "resources=VCPU:2", "resources=VCPU:3",
                  "resources=VCPU:7", "resources=VCPU:8", "resources=VCPU:1,MEMORY_MB:1000", "resources=DISK_GB:20", "resources=DISK_GB:21",
                  "resources=", "resources=%20", "resources=VCPU", "resources=VCPU:x", "resources=VCPU:0", "resources=VCPU:-1",
                  "resources=VCPU:1.5", "resources=VCPU:1,", "resources=VCPU:1:2", "resources=:1", "resources=NOTHING:1",
                  "resources=VCPU:%201", "resources=VCPU:1_0", "resources=VCPU:99999999999999999999", "resources=VCPU:2147483648",
                  "resources=VCPU:1&resources=MEMORY_MB:1", "resources=%20VCPU:1", "resources=VCPU:+1",
                  "member_of=" + u(900), "member_of=in:" + u(900) + "," + u(902), "member_of=" + u(900) + "," + u(902), "member_of=x",
                  "member_of=", "member_of=in:", "member_of=" + u(998), "member_of=" + u(900) + "&member_of=" + u(901),
                  "member_of=!" + u(900), "member_of=!in:" + u(900) + "," + u(902), "member_of=!x", "member_of=!", "member_of=in:!" + u(900),
                  "member_of=" + u(901) + "&member_of=!" + u(900), "member_of=!" + u(900) + "," + u(901), "member_of=!" + u(998),
                  "member_of=" + u(900).replace("-", ""), "member_of=" + u(900) + "&member_of=!" + u(900), "member_of=in:" + u(900),
                  "required=CUSTOM_A", "required=CUSTOM_A,HW_CPU_X86_VMX", "required=CUSTOM_A,!HW_CPU_X86_VMX", "required=!CUSTOM_A",
                  "required=!CUSTOM_A,!CUSTOM_B", "required=", "required=,", "required=CUSTOM_A,", "required=!", "required=NOTHING",
                  "required=!NOTHING", "required=%20CUSTOM_A%20", "required=!!CUSTOM_A", "required=CUSTOM_A&required=CUSTOM_B",
                  "required=in:CUSTOM_A,CUSTOM_B", "required=in:CUSTOM_A,NOTHING", "required=in:", "required=in:!CUSTOM_A", "required=in:CUSTOM_A,",
                  "required=in:CUSTOM_A,CUSTOM_B&required=!HW_CPU_X86_VMX", "required=CUSTOM_A,!CUSTOM_A", "required=in:CUSTOM_A&required=!CUSTOM_A",
                  "required=CUSTOM_A&resources=VCPU:2&member_of=" + u(901), "required1=CUSTOM_A", "resources1=VCPU:1", "limit=1",
                  "resources=VCPU:1&in_tree=" + u(3), "required=!NOTHING,ALSO_NOTHING", "root_required=CUSTOM_A"):
        both.send("GET", "/resource_providers?" + query)


def inventories(both):
    v = minor(both)
    generation = provider(both, 1)
    base = f"/resource_providers/{u(1)}/inventories"
    look(both, base, base + "/VCPU", base + "/NOTHING")
    both.send("POST", base, {"resource_class": "VCPU", "total": 4})
    both.send("POST", base, {"resource_class": "VCPU", "total": 4}, label="POST same inventory")
    both.send("POST", base, {"resource_class": "NOTHING", "total": 4}, label="POST unknown class")
    both.send("POST", base, {"resource_class": "CUSTOM_NOTHING", "total": 4}, label="POST unknown custom class")
    both.send("POST", base, {"resource_class": "DISK_GB", "total": 4, "reserved": 4}, label="POST all reserved")
    both.send("POST", base, {"resource_class": "DISK_GB", "total": 4, "reserved": 5}, label="POST more reserved")
    both.send("POST", base, {"resource_class": "MEMORY_MB", "total": 4, "resource_provider_generation": 77}, label="POST other generation")
    both.send("POST", f"/resource_providers/{u(999)}/inventories", {"resource_class": "VCPU", "total": 4})
    both.send("POST", f"/resource_providers/{u(999)}/inventories", {}, label="POST nothing to nobody")
    full = {"resource_class": "PCPU", "total": 10, "reserved": 1, "min_unit": 1, "max_unit": 5, "step_size": 1, "allocation_ratio": 2.5}
    for body in mutations(full):
        status, _ = both.send("POST", base, body, label="POST inventory with a wrong member")
        if status < 300:
            both.send("DELETE", base + "/PCPU", version=LATEST, label="delete mutant")
    for ratio in (0, -1, 0.0, 1e-9, 1e30, 3.40282e38, 3.5e38, 0.09, 0.1):
        status, _ = both.send("POST", base, dict(full, allocation_ratio=ratio), label=f"POST ratio {ratio}")
        both.send("DELETE", base + "/PCPU", version=LATEST, label="delete ratio")
    look_all(both, [1])

    def now():
        return both.session.request("GET", "placement", "/resource_providers/" + u(1))[2]["generation"]

    one = {"resource_provider_generation": now(), "total": 8}
    both.send("PUT", base + "/VCPU", one)
    both.send("PUT", base + "/VCPU", one, label="PUT inventory with old generation")
    both.send("PUT", base + "/PCPU", dict(one, resource_provider_generation=now()), label="PUT inventory that is not there")
    both.send("PUT", base + "/NOTHING", dict(one, resource_provider_generation=now()), label="PUT inventory of unknown class")
    both.send("PUT", base + "/VCPU", dict(one, resource_provider_generation=now(), reserved=8), label="PUT all reserved")
    both.send("PUT", base + "/VCPU", dict(one, resource_provider_generation=now(), reserved=9), label="PUT more reserved")
    both.send("PUT", base + "/VCPU", dict(one, resource_provider_generation=now(), resource_class="VCPU"), label="PUT with class")
    both.send("PUT", f"/resource_providers/{u(999)}/inventories/VCPU", one)
    for body in mutations(dict(full, resource_provider_generation=0)):
        if body.get("resource_provider_generation") == 0:
            body["resource_provider_generation"] = now()
        body.pop("resource_class", None)
        both.send("PUT", base + "/VCPU", body, label="PUT inventory with a wrong member")
    look(both, base, base + "/VCPU")
    # All at once
    many = {"VCPU": {"total": 4}, "MEMORY_MB": {"total": 1000, "reserved": 10}, "DISK_GB": {"total": 5, "allocation_ratio": 1.5}}
    both.send("PUT", base, {"resource_provider_generation": now(), "inventories": many})
    both.send("PUT", base, {"resource_provider_generation": now() + 1, "inventories": many}, label="PUT all with wrong generation")
    both.send("PUT", base, {"resource_provider_generation": now(), "inventories": dict(many, NOTHING={"total": 1})}, label="unknown class")
    both.send("PUT", base, {"resource_provider_generation": now(), "inventories": dict(many, lower={"total": 1})}, label="class in lower case")
    both.send("PUT", base, {"resource_provider_generation": now(), "inventories": dict(many, VCPU={"total": 4, "reserved": 4})}, label="all reserved")
    both.send("PUT", base, {"resource_provider_generation": now(), "inventories": dict(many, VCPU={"total": 4, "reserved": 5})}, label="more reserved")
    both.send("PUT", f"/resource_providers/{u(999)}/inventories", {"resource_provider_generation": 0, "inventories": {}})
    for body in mutations({"resource_provider_generation": 0, "inventories": {"VCPU": dict(
            {k: x for k, x in full.items() if k != "resource_class"}, resource_provider_generation=3)}}):
        if body.get("resource_provider_generation") == 0:
            body["resource_provider_generation"] = now()
        both.send("PUT", base, body, label="PUT inventories with a wrong member")
    both.send("PUT", base, {"resource_provider_generation": now(), "inventories": many})
    # In use
    claim(both, 50, {1: {"VCPU": 4, "DISK_GB": 7}})
    both.send("PUT", base, {"resource_provider_generation": now(), "inventories": {"MEMORY_MB": {"total": 5}}}, label="PUT without those in use")
    both.send("PUT", base, {"resource_provider_generation": now(), "inventories": {}}, label="PUT none while in use")
    both.send("PUT", base + "/VCPU", {"resource_provider_generation": now(), "total": 1}, label="PUT less than used")
    both.send("DELETE", base + "/VCPU", label="DELETE inventory in use")
    both.send("DELETE", base, label="DELETE all while in use")
    look_all(both, [1], [50])
    both.send("DELETE", base + "/MEMORY_MB", label="DELETE inventory")
    both.send("DELETE", base + "/MEMORY_MB", label="DELETE it again")
    both.send("DELETE", base + "/NOTHING", label="DELETE unknown class")
    both.send("DELETE", f"/resource_providers/{u(999)}/inventories/VCPU")
    both.send("DELETE", f"/resource_providers/{u(999)}/inventories")
    both.send("DELETE", "/allocations/" + u(50))
    both.send("DELETE", base, label="DELETE all inventories")
    both.send("DELETE", base, label="DELETE no inventories")
    look_all(both, [1])
    return v, generation


def aggregates(both):
    generation = provider(both, 1)
    path = f"/resource_providers/{u(1)}/aggregates"

    def body(uuids, generation):
        return uuids if minor(both) < 19 else {"aggregates": uuids, "resource_provider_generation": generation}

    look(both, path)
    for uuids in ([u(900)], [u(900), u(901)], [], [u(902), u(900)], [u(902), u(902)], ["x"], [u(903).replace("-", "")], [5], [u(904).upper()]):
        both.send("PUT", path, body(uuids, generation), label=f"PUT aggregates {uuids}")
        generation = both.session.request("GET", "placement", "/resource_providers/" + u(1))[2]["generation"]
        look(both, path, "/resource_providers/" + u(1))
    both.send("PUT", path, body([u(900)], generation + 1), label="PUT aggregates with wrong generation")
    both.send("PUT", path, {"aggregates": [u(900)]} if minor(both) >= 19 else {"x": []}, label="PUT aggregates without generation")
    both.send("PUT", path, [u(905)] if minor(both) >= 19 else {"aggregates": [u(905)], "resource_provider_generation": generation},
              label="PUT aggregates in the other shape")
    for mutant in mutations(body([u(900)], generation)):
        both.send("PUT", path, mutant, label="PUT aggregates with a wrong member")
    both.send("PUT", f"/resource_providers/{u(999)}/aggregates", body([u(900)], 0))
    both.send("PUT", f"/resource_providers/{u(999)}/aggregates", {"bad": 1}, label="PUT bad aggregates of nobody")
    look(both, path, f"/resource_providers/{u(999)}/aggregates", "/resource_providers/" + u(1))


def traits(both):
    generation = provider(both, 1)
    provider(both, 2, traits=["CUSTOM_TAKEN"])
    path = f"/resource_providers/{u(1)}/traits"
    name = "CUSTOM_T" + str(minor(both))
    for method in ("GET", "PUT", "PUT", "GET", "DELETE", "DELETE", "GET"):
        both.send(method, "/traits/" + name)
    both.send("PUT", "/traits/" + name, version=LATEST)
    for bad in ("custom_x", "X", "CUSTOM_", "CUSTOM_x", "HW_CPU_X86_VMX", "CUSTOM_" + "X" * 248, "CUSTOM_" + "X" * 249, "CUSTOM_A-B",
                "CUSTOM_%C3%89", "CUSTOM_A%20B"):
        both.send("PUT", "/traits/" + bad)
    for bad in ("HW_CPU_X86_VMX", "CUSTOM_TAKEN", "NOTHING"):
        both.send("GET", "/traits/" + bad)
        both.send("DELETE", "/traits/" + bad)
    for query in ("", "name=in:CUSTOM_TAKEN,NOTHING", "name=startswith:CUSTOM_T", "name=startswith:", "name=x", "name=x:y", "name=in:", "name=",
                  "associated=true", "associated=FALSE", "associated=maybe", "associated=", "name=startswith:CUSTOM_&associated=true",
                  "bogus=1", "name=startswith:HW_CPU&name=startswith:CUSTOM_TAKEN", "name=startswith:HW_%25", "name=startswith:hw"):
        both.send("GET", "/traits?" + query)
    look(both, path, f"/resource_providers/{u(999)}/traits")
    for names in (["HW_CPU_X86_VMX"], ["HW_CPU_X86_VMX", name], ["HW_CPU_X86_VMX", name], [], ["NOTHING"], [name, name], [""], ["x" * 256], [name]):
        both.send("PUT", path, {"traits": names, "resource_provider_generation": generation}, label=f"PUT provider traits {names}".replace(name, "NAME"))
        look(both, path)
        generation = both.session.request("GET", "placement", "/resource_providers/" + u(1))[2]["generation"]
    both.send("PUT", path, {"traits": [name], "resource_provider_generation": generation + 1}, label="PUT provider traits, wrong generation")
    for mutant in mutations({"traits": [name], "resource_provider_generation": generation}):
        both.send("PUT", path, mutant, label="PUT provider traits with a wrong member")
    both.send("PUT", f"/resource_providers/{u(999)}/traits", {"traits": [], "resource_provider_generation": 0})
    both.send("DELETE", "/traits/" + name, label="DELETE trait in use")
    both.send("DELETE", path)
    look(both, path)
    both.send("DELETE", path)
    both.send("DELETE", f"/resource_providers/{u(999)}/traits")
    look(both, path)
    both.send("DELETE", "/traits/" + name)


def resource_classes(both):
    v = minor(both)
    name, other = f"CUSTOM_C{v}", f"CUSTOM_D{v}"
    look(both, "/resource_classes/VCPU", "/resource_classes/NOTHING", "/resource_classes/vcpu")
    both.send("POST", "/resource_classes", {"name": name})
    both.send("POST", "/resource_classes", {"name": name}, label="POST same class")
    for bad in ("X", "CUSTOM_", "custom_x", "VCPU", "CUSTOM_a", "CUSTOM_" + "X" * 249, "", "CUSTOM_A B"):
        both.send("POST", "/resource_classes", {"name": bad})
        if bad:
            both.send("PUT", "/resource_classes/" + bad.replace(" ", "%20"), {"name": name + "_X"} if v < 7 else None)
    for mutant in mutations({"name": name}):
        both.send("POST", "/resource_classes", mutant, label="POST class with a wrong member")
    look(both, "/resource_classes/" + name, "/resource_classes")
    both.send("PUT", "/resource_classes/" + name, {"name": other} if v < 7 else None, label="PUT class")
    both.send("PUT", "/resource_classes/" + other, {"name": other} if v < 7 else None, label="PUT other class")
    both.send("PUT", "/resource_classes/" + other, {"name": "VCPU"}, label="PUT class as standard one")
    both.send("PUT", "/resource_classes/VCPU", {"name": name}, label="PUT standard class")
    both.send("PUT", "/resource_classes/" + other, {"name": other, "x": 1}, label="PUT class with unknown member")
    both.send("PUT", "/resource_classes/CUSTOM_NOTHING%d" % v, {"name": "CUSTOM_NOTHING_ELSE"}, label="PUT unknown class")
    both.send("PUT", "/resource_classes/" + name, version=LATEST)
    both.send("PUT", "/resource_classes/" + other, {"name": name}, label="PUT class as another")
    look(both, "/resource_classes/" + name, "/resource_classes/" + other, "/resource_classes")
    provider(both, 1, {name: 5})
    both.send("DELETE", "/resource_classes/" + name, label="DELETE class in use")
    both.send("DELETE", "/resource_classes/VCPU")
    both.send("DELETE", "/resource_classes/NOTHING")
    both.send("DELETE", f"/resource_providers/{u(1)}/inventories", version=LATEST)
    both.send("DELETE", "/resource_classes/" + name, label="DELETE class")
    both.send("DELETE", "/resource_classes/" + name, label="DELETE it again")
    for n in (name, other, "CUSTOM_NOTHING%d" % v, name + "_X"):
        both.send("DELETE", "/resource_classes/" + n, version=LATEST, label="clean up")


def allocations(both):
    v = minor(both)
    provider(both, 1, {"VCPU": {"total": 8, "reserved": 1, "max_unit": 6}, "MEMORY_MB": {"total": 1000, "step_size": 10, "min_unit": 100}})
    provider(both, 2, {"DISK_GB": {"total": 100, "allocation_ratio": 1.5}})
    provider(both, 3)
    body = allocation_body
    look(both, "/allocations/" + u(50), "/allocations/nonsense")
    both.send("PUT", "/allocations/" + u(50), body(both, {u(1): {"VCPU": 2, "MEMORY_MB": 100}, u(2): {"DISK_GB": 10}}))
    look_all(both, [1, 2], [50])
    for label, content in (
            ("again, as new", body(both, {u(1): {"VCPU": 2}})), ("with generation", body(both, {u(1): {"VCPU": 3}}, 1)),
            ("with wrong generation", body(both, {u(1): {"VCPU": 3}}, 17)), ("other owner", body(both, {u(1): {"VCPU": 3}}, 2, project="p2", user="u2")),
            ("other type", body(both, {u(1): {"VCPU": 3}}, 3, kind="MIGRATION"))):
        both.send("PUT", "/allocations/" + u(50), content, label="PUT " + label)
        look(both, "/allocations/" + u(50), "/usages?project_id=p1", "/usages?project_id=p2", "/usages?project_id=p2&user_id=u2")
    # What does not fit
    for n, (label, wanted) in enumerate((
            ("over max_unit", {u(1): {"VCPU": 7}}), ("over capacity", {u(1): {"VCPU": 5}}), ("under min_unit", {u(1): {"MEMORY_MB": 90}}),
            ("not a step", {u(1): {"MEMORY_MB": 105}}), ("no such inventory", {u(1): {"DISK_GB": 1}}), ("no inventory at all", {u(3): {"VCPU": 1}}),
            ("unknown class", {u(1): {"NOTHING": 1}}), ("unknown provider", {u(999): {"VCPU": 1}}), ("zero", {u(1): {"VCPU": 0}}),
            ("negative", {u(1): {"VCPU": -1}}), ("huge", {u(1): {"VCPU": 2**63}}), ("fraction", {u(1): {"VCPU": 1.5}}), ("whole float", {u(1): {"VCPU": 1.0}}),
            ("text", {u(1): {"VCPU": "1"}}), ("true", {u(1): {"VCPU": True}}), ("lower case", {u(1): {"vcpu": 1}}), ("no resources", {u(1): {}}),
            ("nothing", {}), ("at the edge", {u(1): {"VCPU": 4}}), ("a ratio's room", {u(2): {"DISK_GB": 150}}), ("over a ratio's room", {u(2): {"DISK_GB": 151}}),
            ("one fits, one does not", {u(1): {"VCPU": 1}, u(2): {"DISK_GB": 151}}), ("bad uuid", {"x": {"VCPU": 1}}),
            ("uuid without dashes", {u(1).replace("-", ""): {"VCPU": 1}}), ("uuid in capitals", {u(1).upper(): {"VCPU": 1}}),
            ("unknown class and provider", {u(999): {"NOTHING": 1}}))):
        both.send("PUT", "/allocations/" + u(200 + n), body(both, wanted), label="PUT " + label)
        look(both, "/allocations/" + u(200 + n), f"/resource_providers/{u(1)}/usages", f"/resource_providers/{u(2)}/usages")
        both.send("DELETE", "/allocations/" + u(200 + n), label="DELETE after " + label)
    for consumer in ("nonsense", u(52).replace("-", ""), u(53).upper(), "x" * 36):
        both.send("PUT", "/allocations/" + consumer, body(both, {u(1): {"VCPU": 1}}), label="PUT consumer " + consumer)
        look(both, "/allocations/" + consumer)
        both.send("DELETE", "/allocations/" + consumer, label="DELETE consumer " + consumer)
    look_all(both, [1, 2], [50, 51, 52, 53])
    for n in (52, 53):
        both.send("DELETE", "/allocations/" + u(n), label="DELETE normalised consumer")
    for n, mutant in enumerate(mutations(body(both, {u(1): {"VCPU": 1}}))):
        status, _ = both.send("PUT", "/allocations/" + u(1000 + n), mutant, label="PUT allocations with a wrong member")
        if status < 300:
            both.send("DELETE", "/allocations/" + u(1000 + n), label="delete mutant")
    # Members of other versions
    for name, value in (("mappings", {"": [u(1)]}), ("consumer_type", "X"), ("consumer_generation", None), ("project_id", "p"), ("mappings", {}),
                        ("mappings", {"_a": []}), ("mappings", {"_a": ["x"]}), ("mappings", {"_a": u(1)}), ("mappings", {"": "x"}), ("mappings", {"!": "x"}),
                        ("mappings", {"x" * 65: [u(1)]}), ("consumer_type", "lower"), ("consumer_type", ""), ("consumer_type", "unknown"),
                        ("consumer_type", "X" * 256), ("consumer_type", None)):
        status, _ = both.send("PUT", "/allocations/" + u(55), dict(body(both, {u(1): {"VCPU": 1}}), **{name: value}), label=f"PUT with {name} {value}"[:90])
        if status < 300:
            both.send("DELETE", "/allocations/" + u(55), label="delete after " + name)
    if v >= 12:
        with_generation = body(both, {u(1): {"VCPU": 1}})
        with_generation["allocations"][u(1)]["generation"] = 99
        both.send("PUT", "/allocations/" + u(56), with_generation, label="PUT with provider generation")
    else:
        both.send("PUT", "/allocations/" + u(56), {"allocations": [
            {"resource_provider": {"uuid": u(1)}, "resources": {"VCPU": 1}}, {"resource_provider": {"uuid": u(1)}, "resources": {"MEMORY_MB": 100}}],
            **at(both, (8, 99, "project_id", "p1"), (8, 99, "user_id", "u1"))}, label="PUT a provider twice")
    look_all(both, [1], [56])
    if v >= 28:
        both.send("PUT", "/allocations/" + u(56), body(both, {}, 1), label="PUT nothing to end a consumer")
        both.send("PUT", "/allocations/" + u(57), body(both, {}), label="PUT nothing for a new consumer")
        both.send("PUT", "/allocations/" + u(57), body(both, {}, 1), label="PUT nothing for an unknown consumer")
        look(both, "/allocations/" + u(56), "/allocations/" + u(57))
    # Shrinking
    generation = both.session.request("GET", "placement", "/resource_providers/" + u(1))[2]["generation"]
    both.send("PUT", f"/resource_providers/{u(1)}/inventories/VCPU", {"resource_provider_generation": generation, "total": 2}, LATEST, label="shrink the host")
    both.send("DELETE", "/allocations/" + u(50))
    both.send("DELETE", "/allocations/" + u(50), label="DELETE again")
    both.send("DELETE", "/allocations/nonsense")
    look_all(both, [1, 2], [50])
    claim(both, 300, {1: {"VCPU": 2}})
    generation = both.session.request("GET", "placement", "/resource_providers/" + u(1))[2]["generation"]
    both.send("PUT", f"/resource_providers/{u(1)}/inventories/VCPU", {"resource_provider_generation": generation, "total": 1}, LATEST, label="shrink it more")
    both.send("PUT", "/allocations/" + u(300), body(both, {u(1): {"VCPU": 2}}, 1), label="PUT the same on an over-full host")  # The last: from here they differ.


def many_allocations(both):
    """POST /allocations."""
    v = minor(both)
    provider(both, 1, {"VCPU": 4})
    provider(both, 2, {"VCPU": 4, "DISK_GB": 10})

    def one(allocations, generation=None, **more):
        return allocation_body(both, {u(p): r for p, r in allocations.items()}, generation, **more) if v >= 12 else {}

    both.send("POST", "/allocations", {u(50): one({1: {"VCPU": 4}}), u(51): one({2: {"VCPU": 1, "DISK_GB": 5}})})
    look_all(both, [1, 2], [50, 51])
    for label, body in (
            ("move one to another", {u(50): one({}, 1), u(52): one({1: {"VCPU": 4}})}),
            ("too much together", {u(53): one({2: {"VCPU": 2}}), u(54): one({2: {"VCPU": 2}})}),
            ("just fits together", {u(53): one({2: {"VCPU": 1}}), u(54): one({2: {"VCPU": 2}})}),
            ("one unknown provider", {u(55): one({2: {"DISK_GB": 1}}), u(56): one({999: {"VCPU": 1}})}),
            ("one unknown class", {u(55): one({2: {"DISK_GB": 1}}), u(56): one({2: {"NOTHING": 1}})}),
            ("one wrong generation", {u(55): one({2: {"DISK_GB": 1}}), u(53): one({2: {"DISK_GB": 1}}, 9)}),
            ("one missing inventory", {u(55): one({2: {"DISK_GB": 1}}), u(56): one({1: {"DISK_GB": 1}})}),
            ("ends one that is not", {u(57): one({})}), ("ends one with generation", {u(57): one({}, 3)}), ("nothing", {}), ("bad uuid", {"x": one({1: {"VCPU": 1}})}),
            ("swap", {u(53): one({2: {"VCPU": 2}}, 1), u(54): one({2: {"VCPU": 1}}, 1)}),
            ("two ends", {u(53): one({}, 2), u(54): one({}, 2)}),
            ("consumer uuid in capitals", {u(0xabcdef).upper(): one({2: {"VCPU": 1}})}),
            ("with mappings", {u(58): dict(one({2: {"VCPU": 1}}), mappings={"": [u(2)]})}),
            ("with type", {u(59): dict(one({2: {"VCPU": 1}}), consumer_type="X")}),
            ("null instead of an object", {u(60): None})):
        both.send("POST", "/allocations", body, label="POST " + label)
        look_all(both, [1, 2], range(50, 60))
        look(both, "/allocations/" + u(0xabcdef))
    for n, mutant in enumerate(mutations({u(70): one({2: {"DISK_GB": 1}})})):
        mutant = {u(1000 + n) if k == u(70) else k: x for k, x in mutant.items()}  # A refusal of upstream's may leave a consumer behind.
        status, _ = both.send("POST", "/allocations", mutant, label="POST allocations with a wrong member")
        if status < 300:
            both.send("DELETE", "/allocations/" + u(1000 + n), label="delete mutant")
    look_all(both, [1, 2], [70])


def usages(both):
    provider(both, 1, {"VCPU": 100, "MEMORY_MB": 10000})
    claim(both, 50, {1: {"VCPU": 1, "MEMORY_MB": 10}})
    claim(both, 51, {1: {"VCPU": 2}}, user="u2")
    claim(both, 52, {1: {"VCPU": 4}}, kind="MIGRATION", user="u2")
    claim(both, 53, {1: {"MEMORY_MB": 100}}, project="p2")
    both.send("PUT", "/allocations/" + u(54), {"allocations": {u(1): {"resources": {"VCPU": 8}}}, "project_id": "p1", "user_id": "u1"}, "1.12")
    for query in ("", "project_id=p1", "project_id=p2", "project_id=nobody", "project_id=", "project_id=" + "x" * 255, "project_id=" + "x" * 256,
                  "project_id=p1&user_id=u1", "project_id=p1&user_id=u2", "project_id=p1&user_id=nobody", "project_id=p1&user_id=", "user_id=u1",
                  "project_id=p1&bogus=1", "project_id=p1&project_id=p2", "project_id=p1&consumer_type=INSTANCE", "project_id=p1&consumer_type=all",
                  "project_id=p1&consumer_type=unknown", "project_id=p1&consumer_type=NOTHING", "project_id=p1&consumer_type=instance",
                  "project_id=p1&consumer_type=", "project_id=p1&consumer_type=" + "X" * 256, "project_id=p1&user_id=u2&consumer_type=all",
                  "project_id=p1&user_id=u2&consumer_type=MIGRATION", "project_id=p2&consumer_type=unknown", "project_id=nobody&consumer_type=all",
                  "project_id=p1&consumer_type=allx", "project_id=p1&consumer_type=xunknown", "project_id=p1&user_id=u1&consumer_type=unknown",
                  "project_id=p1&consumer_type=ALL", "project_id=%C3%A9"):
        both.send("GET", "/usages?" + query)
    look(both, f"/resource_providers/{u(1)}/usages", f"/resource_providers/{u(999)}/usages", f"/resource_providers/{u(1)}/allocations",
         f"/resource_providers/{u(999)}/allocations")
    both.send("PUT", "/allocations/" + u(54), {"allocations": {u(1): {"resources": {"VCPU": 9}}}, "project_id": "p1", "user_id": "u1",
                                               "consumer_generation": 1, "consumer_type": "INSTANCE"}, LATEST)
    look(both, "/usages?project_id=p1", "/allocations/" + u(54))
    both.send("PUT", "/allocations/" + u(54), {"allocations": {u(1): {"resources": {"VCPU": 9}}}, "project_id": "p1", "user_id": "u1",
                                               "consumer_generation": 2}, "1.37")
    look(both, "/usages?project_id=p1", "/allocations/" + u(54))


def reshaper(both):
    generations = {1: provider(both, 1, {"VCPU": 8, "DISK_GB": 100, "MEMORY_MB": 1000})}
    provider(both, 2, parent=1)
    provider(both, 3)
    claim(both, 50, {1: {"VCPU": 4, "DISK_GB": 50}})
    claim(both, 51, {1: {"VCPU": 4}})

    def now(n):
        return both.session.request("GET", "placement", "/resource_providers/" + u(n))[2].get("generation", 0)

    def inventories(spec, off=0):
        return {u(n): {"resource_provider_generation": now(n) + off, "inventories": {k: {"total": t} if isinstance(t, int) else t for k, t in x.items()}}
                for n, x in spec.items()}

    def allocations(spec):
        return {u(c): dict({"allocations": {u(p): {"resources": r} for p, r in x.items()}, "project_id": "p1", "user_id": "u1",
                            "consumer_generation": g}, **({"consumer_type": "INSTANCE"} if minor(both) >= 38 else {}))
                for c, (x, g) in spec.items()}

    def generation(n):
        return both.session.request("GET", "placement", "/allocations/" + u(n), headers={"OpenStack-API-Version": "placement 1.39"})[2].get("consumer_generation")

    def reshape(label, inventory, allocation):
        both.send("POST", "/reshaper", {"inventories": inventory, "allocations": allocation}, label=label)
        look_all(both, [1, 2, 3], [50, 51, 52])

    split = {1: {"VCPU": 8, "MEMORY_MB": 1000}, 2: {"DISK_GB": 100}}
    moved = {50: ({1: {"VCPU": 4}, 2: {"DISK_GB": 50}}, 1)}
    reshape("wrong provider generation", inventories(split, 1), allocations(moved))
    reshape("unknown provider", inventories({999: {"VCPU": 1}}), allocations({}))
    reshape("allocation of unknown provider", inventories(split), allocations({50: ({999: {"VCPU": 4}}, 1)}))
    reshape("wrong consumer generation", inventories(split), allocations({50: (moved[50][0], 7)}))
    reshape("new consumer with generation", inventories(split), allocations({52: (moved[50][0], 7)}))
    reshape("known consumer as new", inventories(split), allocations({50: (moved[50][0], None)}))
    reshape("inventory still in use", inventories(split), allocations({}))
    reshape("inventory still in use, two", inventories({1: {"MEMORY_MB": 5}}), allocations({}))
    reshape("does not fit", inventories({1: {"VCPU": 8, "MEMORY_MB": 1000}, 2: {"DISK_GB": 10}}), allocations(moved))
    reshape("unknown class in inventories", inventories({1: {"VCPU": 8, "DISK_GB": 100, "NOTHING": 1}}), allocations({}))
    reshape("unknown class in allocations", inventories(split), allocations({50: ({1: {"NOTHING": 4}}, 1)}))
    reshape("no such inventory in allocations", inventories(split), allocations({50: ({3: {"VCPU": 4}}, 1)}))
    reshape("no inventories", {}, allocations(moved))
    reshape("all reserved", inventories({3: {"VCPU": {"total": 4, "reserved": 4}}}), allocations({}))
    reshape("more reserved", inventories({3: {"VCPU": {"total": 4, "reserved": 5}}}), allocations({}))
    reshape("move", inventories(split), allocations(moved))
    reshape("move again, old generation", inventories(split), allocations(moved))
    reshape("back", inventories({1: {"VCPU": 8, "DISK_GB": 100, "MEMORY_MB": 1000}, 2: {}}),
            allocations({50: ({1: {"VCPU": 4, "DISK_GB": 50}}, generation(50))}))
    reshape("shrink below what is used", inventories({1: {"VCPU": 1, "DISK_GB": 10, "MEMORY_MB": 1000}}), allocations({}))
    reshape("the same again", inventories({1: {"VCPU": 1, "DISK_GB": 10, "MEMORY_MB": 1000}}), allocations({}))
    reshape("grow, and a new consumer", inventories({1: {"VCPU": 20, "DISK_GB": 100, "MEMORY_MB": 1000}}), allocations({52: ({1: {"VCPU": 2}}, None)}))
    reshape("only allocations change", inventories({3: {"VCPU": 4}}), allocations({52: ({1: {"VCPU": 3}}, generation(52))}))
    reshape("end one", inventories({3: {"VCPU": 4}}), allocations({52: ({}, generation(52))}))
    reshape("swap two", inventories({3: {"VCPU": 4}}), allocations({50: ({1: {"VCPU": 1}}, generation(50)), 51: ({3: {"VCPU": 4}}, generation(51))}))
    reshape("everything away", inventories({1: {}, 2: {}, 3: {}}), allocations({50: ({}, generation(50)), 51: ({}, generation(51))}))
    reshape("everything away again", inventories({1: {}, 2: {}, 3: {}}), allocations({}))
    reshape("with mappings", inventories({3: {"VCPU": 4}}), {u(52): dict(allocations({52: ({3: {"VCPU": 1}}, None)})[u(52)], mappings={"": [u(3)]})})
    reshape("with unknown member", inventories({3: {"VCPU": 4}}), {u(53): dict(allocations({53: ({3: {"VCPU": 1}}, None)})[u(53)], x=1)})
    for mutant in mutations({"inventories": inventories({3: {"VCPU": {"total": 4, "reserved": 1}}}), "allocations": allocations({54: ({3: {"VCPU": 1}}, None)})}):
        status, _ = both.send("POST", "/reshaper", mutant, label="reshape with a wrong member")
        if status < 300:
            break
    both.send("POST", "/reshaper", {"inventories": {}})
    look_all(both, [1, 2, 3], [50, 51, 52, 53, 54])
    return generations


def candidates(both):
    """A sharing disk, NUMA nodes below a host, a flat host, and one that is full."""
    for rc in ("CUSTOM_FPGA",):
        both.send("PUT", "/resource_classes/" + rc, version=LATEST)
    for t in ("CUSTOM_A", "CUSTOM_B", "CUSTOM_C"):
        both.send("PUT", "/traits/" + t, version=LATEST)
    provider(both, 1, {"DISK_GB": 1000}, traits=["CUSTOM_A"], aggregates=[u(900)])
    provider(both, 2, {"VCPU": 4, "MEMORY_MB": 1000}, parent=1, traits=["HW_NUMA_ROOT", "CUSTOM_B"])
    provider(both, 3, {"VCPU": 4, "MEMORY_MB": 1000}, parent=1, traits=["HW_NUMA_ROOT"], aggregates=[u(901)])
    provider(both, 4, {"CUSTOM_FPGA": 1}, parent=2, traits=["CUSTOM_C"])
    provider(both, 5, {"CUSTOM_FPGA": 2, "SRIOV_NET_VF": 8}, parent=3)
    provider(both, 6, {"VCPU": {"total": 8, "allocation_ratio": 16.0}, "MEMORY_MB": {"total": 4000, "reserved": 512}}, traits=["CUSTOM_A", "CUSTOM_C"],
             aggregates=[u(900), u(902)])
    provider(both, 7, {"DISK_GB": {"total": 500, "max_unit": 200}, "IPV4_ADDRESS": 10}, traits=["MISC_SHARES_VIA_AGGREGATE", "CUSTOM_B"], aggregates=[u(900)])
    provider(both, 8, {"VCPU": 2, "MEMORY_MB": 500, "DISK_GB": 50})
    provider(both, 9, {"VCPU": 2, "MEMORY_MB": 500, "DISK_GB": 50}, traits=["CUSTOM_A"], aggregates=[u(902)])
    claim(both, 50, {9: {"VCPU": 2}, 6: {"VCPU": 5, "MEMORY_MB": 300}, 5: {"SRIOV_NET_VF": 2}})
    for query in CANDIDATES:
        both.send("GET", "/allocation_candidates?" + query, label=query)


CANDIDATES = [
    "", "resources=VCPU:1", "resources=VCPU:3", "resources=VCPU:2,MEMORY_MB:100", "resources=VCPU:1,DISK_GB:10", "resources=DISK_GB:10",
    "resources=VCPU:1,MEMORY_MB:100,DISK_GB:10", "resources=CUSTOM_FPGA:1", "resources=VCPU:1,CUSTOM_FPGA:1", "resources=DISK_GB:300",
    "resources=VCPU:100", "resources=IPV4_ADDRESS:1", "resources=VCPU:1,IPV4_ADDRESS:1", "resources=NOTHING:1", "resources=VCPU:0", "resources=",
    "resources=VCPU:1&resources=MEMORY_MB:1", "bogus=1", "resources=VCPU:1&bogus=1",
    # limit
    "resources=VCPU:1&limit=1", "resources=VCPU:1&limit=0", "resources=VCPU:1&limit=-1", "resources=VCPU:1&limit=x", "resources=VCPU:1&limit=100",
    "resources=VCPU:1&limit=", "resources=VCPU:1&limit=01", "resources=VCPU:1&limit=99999999999999999999", "resources=VCPU:1&limit=1&limit=x",
    # required
    "resources=VCPU:1&required=CUSTOM_A", "resources=VCPU:1&required=CUSTOM_A,CUSTOM_C", "resources=VCPU:1,DISK_GB:1&required=CUSTOM_B",
    "resources=VCPU:1&required=!CUSTOM_A", "resources=VCPU:1,DISK_GB:1&required=!CUSTOM_B", "resources=VCPU:1&required=NOTHING", "resources=VCPU:1&required=",
    "resources=VCPU:1&required=!NOTHING", "resources=VCPU:1&required=CUSTOM_A,!CUSTOM_A", "required=CUSTOM_A", "resources=VCPU:1&required=CUSTOM_A&required=CUSTOM_C",
    "resources=VCPU:1&required=in:CUSTOM_B,CUSTOM_C", "resources=VCPU:1&required=in:CUSTOM_A,CUSTOM_B&required=!CUSTOM_C", "resources=VCPU:1&required=in:CUSTOM_A&required=!CUSTOM_A",
    "resources=VCPU:1,DISK_GB:1&required=CUSTOM_A,CUSTOM_B", "resources=VCPU:1&required=in:CUSTOM_A,NOTHING", "resources=VCPU:1&required=in:",
    "resources=VCPU:1&required=CUSTOM_A,HW_NUMA_ROOT", "resources=VCPU:1&required=!HW_NUMA_ROOT",
    # member_of
    "resources=VCPU:1&member_of=" + u(900), "resources=VCPU:1&member_of=" + u(901), "resources=VCPU:1,DISK_GB:1&member_of=" + u(900),
    "resources=VCPU:1&member_of=in:%s,%s" % (u(901), u(902)), "resources=VCPU:1&member_of=%s&member_of=%s" % (u(900), u(902)),
    "resources=VCPU:1&member_of=!" + u(900), "resources=VCPU:1&member_of=!" + u(901), "resources=VCPU:1&member_of=!in:%s,%s" % (u(901), u(902)),
    "resources=VCPU:1&member_of=" + u(998), "resources=VCPU:1&member_of=x", "resources=VCPU:1&member_of=", "resources=VCPU:1&member_of=%s,%s" % (u(900), u(901)),
    "member_of=" + u(900), "resources=VCPU:1,DISK_GB:1&member_of=!" + u(902), "resources=VCPU:1&member_of=%s&member_of=!%s" % (u(900), u(902)),
    "resources=VCPU:1&member_of=!" + u(998), "resources=DISK_GB:1&member_of=" + u(902), "resources=VCPU:1&member_of=!in:" + u(900),
    "resources=VCPU:1&member_of=!%s,%s" % (u(900), u(901)),
    # in_tree
    "resources=VCPU:1&in_tree=" + u(1), "resources=VCPU:1&in_tree=" + u(3), "resources=VCPU:1,DISK_GB:1&in_tree=" + u(6), "resources=VCPU:1&in_tree=" + u(998),
    "resources=VCPU:1&in_tree=x", "resources=VCPU:1&in_tree=", "in_tree=" + u(1), "resources=DISK_GB:1&in_tree=" + u(7), "resources1=VCPU:1&in_tree1=" + u(1),
    "resources1=VCPU:1&in_tree2=" + u(1), "resources=VCPU:1&in_tree=" + u(1).replace("-", ""), "resources=VCPU:1&in_tree=%20" + u(1),
    "resources1=VCPU:1&resources2=DISK_GB:1&group_policy=none&in_tree1=%s&in_tree2=%s" % (u(6), u(7)),
    # Numbered groups
    "resources1=VCPU:1", "resources1=VCPU:1,MEMORY_MB:100", "resources1=VCPU:1&resources2=VCPU:1", "resources1=VCPU:1&resources2=VCPU:1&group_policy=none",
    "resources1=VCPU:1&resources2=VCPU:1&group_policy=isolate", "resources1=VCPU:3&resources2=VCPU:3&group_policy=none", "resources1=VCPU:1&group_policy=x",
    "resources=DISK_GB:1&resources1=VCPU:1,MEMORY_MB:100&resources2=VCPU:1,MEMORY_MB:100&group_policy=isolate",
    "resources=DISK_GB:1&resources1=VCPU:1&resources2=CUSTOM_FPGA:1&group_policy=none", "resources1=VCPU:1&required1=CUSTOM_B", "resources1=VCPU:1&required1=!CUSTOM_B",
    "resources1=VCPU:1&required2=CUSTOM_B", "resources1=VCPU:1&member_of2=" + u(900), "resources1=VCPU:1&member_of1=" + u(900), "resources1=VCPU:1&member_of1=!" + u(900),
    "resources1=VCPU:1&member_of1=" + u(901), "resources1=VCPU:1,DISK_GB:1", "resources0=VCPU:1", "resources01=VCPU:1", "resources1a=VCPU:1", "resources_a=VCPU:1",
    "resourcesA=VCPU:1", "resources-1=VCPU:1", "resources_=VCPU:1", "resources" + "1" * 64 + "=VCPU:1", "resources" + "1" * 65 + "=VCPU:1", "resources.a=VCPU:1",
    "resources1=VCPU:1&group_policy=none&group_policy=isolate", "resources1=VCPU:1&resources2=VCPU:1&group_policy=", "resources1=DISK_GB:1&resources2=DISK_GB:1&group_policy=none",
    "resources1=DISK_GB:1&resources2=DISK_GB:1&group_policy=isolate", "resources=VCPU:1&resources1=VCPU:1", "resources=VCPU:1&resources1=VCPU:1&resources2=VCPU:1&group_policy=isolate",
    "resources1=VCPU:1&required1=in:CUSTOM_A,CUSTOM_B", "resources1=VCPU:1&resources2=MEMORY_MB:50&group_policy=none", "resources1=VCPU:1&resources2=DISK_GB:10&group_policy=none",
    "resources_c=VCPU:1&resources_d=DISK_GB:10&required_d=CUSTOM_B&group_policy=none", "resources1=CUSTOM_FPGA:1&resources2=CUSTOM_FPGA:1&group_policy=none",
    "resources1=CUSTOM_FPGA:1&resources2=CUSTOM_FPGA:1&group_policy=isolate", "resources1=CUSTOM_FPGA:2&resources2=CUSTOM_FPGA:1&group_policy=none",
    "resources1=VCPU:1&required1=CUSTOM_A,!CUSTOM_A&required2=X", "resources=VCPU:1&resources1=SRIOV_NET_VF:3&resources2=SRIOV_NET_VF:4&group_policy=none",
    "resources1=VCPU:1&resources2=VCPU:2&group_policy=isolate&limit=3", "resources=MEMORY_MB:100&resources1=VCPU:1&required=CUSTOM_A",
    "resources1=SRIOV_NET_VF:3&resources2=SRIOV_NET_VF:3&resources3=SRIOV_NET_VF:3&group_policy=none",
    # root_required
    "resources=VCPU:1&root_required=CUSTOM_A", "resources=VCPU:1&root_required=!CUSTOM_A", "resources=VCPU:1&root_required=CUSTOM_A,!CUSTOM_C",
    "resources=VCPU:1&root_required=", "resources=VCPU:1&root_required=NOTHING", "resources=VCPU:1&root_required=!NOTHING", "resources=VCPU:1&root_required=CUSTOM_A,!CUSTOM_A",
    "resources=VCPU:1&root_required=CUSTOM_A&root_required=CUSTOM_B", "resources=VCPU:1&root_required=in:CUSTOM_A,CUSTOM_B", "root_required=CUSTOM_A",
    "resources1=VCPU:1&root_required=CUSTOM_A", "resources=DISK_GB:1&root_required=CUSTOM_B", "resources=VCPU:1&root_required=!!CUSTOM_A", "resources=VCPU:1&root_required=%20CUSTOM_A%20",
    "resources=DISK_GB:1&root_required=MISC_SHARES_VIA_AGGREGATE", "resources=VCPU:1,DISK_GB:1&root_required=!CUSTOM_B", "resources=VCPU:1&root_required=CUSTOM_A,",
    # same_subtree
    "resources_a=VCPU:1&resources_b=CUSTOM_FPGA:1&group_policy=none&same_subtree=_a,_b", "resources_a=VCPU:1&resources_b=CUSTOM_FPGA:1&group_policy=none",
    "resources_a=VCPU:1&required_b=HW_NUMA_ROOT&group_policy=none&same_subtree=_a,_b", "resources_a=VCPU:1&required_b=HW_NUMA_ROOT&group_policy=none",
    "resources_a=VCPU:1&resources_b=CUSTOM_FPGA:1&group_policy=none&same_subtree=_a", "resources_a=VCPU:1&resources_b=CUSTOM_FPGA:1&group_policy=none&same_subtree=_a,_x",
    "resources_a=VCPU:1&resources_b=CUSTOM_FPGA:1&group_policy=none&same_subtree=", "resources_a=VCPU:1&resources_b=CUSTOM_FPGA:1&group_policy=none&same_subtree=_a,,_b",
    "resources_a=CUSTOM_FPGA:1&required_b=HW_NUMA_ROOT&same_subtree=_a,_b&group_policy=isolate", "required_b=HW_NUMA_ROOT&same_subtree=_b", "same_subtree=_b",
    "resources=DISK_GB:1&resources_a=VCPU:1&resources_b=CUSTOM_FPGA:1&group_policy=none&same_subtree=_a,_b",
    "resources_a=VCPU:1&resources_b=CUSTOM_FPGA:1&resources_c=SRIOV_NET_VF:1&group_policy=none&same_subtree=_a,_b&same_subtree=_b,_c",
    "resources_a=VCPU:1&resources_b=VCPU:1&group_policy=isolate&same_subtree=_a,_b", "resources_a=VCPU:1&resources_b=VCPU:1&required_n=!HW_NUMA_ROOT&group_policy=isolate&same_subtree=_a,_b,_n",
    "resources=VCPU:1&required_b=HW_NUMA_ROOT&same_subtree=_b", "resources_a=VCPU:1&member_of_b=%s&same_subtree=_a,_b&group_policy=none" % u(901),
    "resources_a=VCPU:1&in_tree_b=%s&same_subtree=_a,_b&group_policy=none" % u(3), "resources_a=VCPU:1&resources_b=DISK_GB:1&group_policy=none&same_subtree=_a,_b",
    "resources_a=VCPU:1&resources_b=CUSTOM_FPGA:1&group_policy=none&same_subtree=%20_a%20,_b", "resources_a=VCPU:1&required_b=CUSTOM_B&same_subtree=_a,_b&group_policy=none",
    "required=CUSTOM_A&resources_a=VCPU:1", "required=CUSTOM_A&required_b=CUSTOM_A&same_subtree=_b",
]

ALL = [(f.__name__, f) for f in (protocol, providers, provider_lists, inventories, aggregates, traits, resource_classes, allocations, many_allocations,
                                 usages, reshaper, candidates)]
