#!/usr/bin/python3
"""Sends the same requests to OpenStack's own placement and to ours, at every microversion, and shows where the answers differ.

    placement_diff.py                               everything
    placement_diff.py --versions 1.0,1.39 --seed 7  some versions; the generated part from this seed
    placement_diff.py --only reshaper,usages        the scenarios whose name contains a word

Compared are status, error code, title and message, the members and values of bodies, and the headers that clients look at.
Not compared: request ids, times, the order of lists (neither promises one), and the sentence of the web framework that
upstream's "detail" begins with. DELIBERATE below says what may differ, and why. Needs Debian's python3-placement: "make interop"."""

import argparse
import collections
import http.client
import json
import os
import re
import sys
import tempfile
import time
import urllib.parse

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
import placement_fuzz  # noqa: E402
import placement_scenarios  # noqa: E402
import upstream_placement  # noqa: E402
from cloud import Cloud  # noqa: E402

VERSIONS = [f"1.{n}" for n in range(40)]
LATEST = VERSIONS[-1]

# (statuses upstream, statuses ours, pattern of "METHOD path body", why); None: any.
DELIBERATE = [
    ([500], [400, 404, 409], r"", "upstream fails on input that it did not expect; ours refuses it"),
    ([500], [200], r"9{20}", "so large a number fits nowhere, but is no error"),
    ([500], [200], r"GET /allocation_candidates", "upstream stumbles over some sharing providers with same_subtree or isolate"),
    (None, [400], r"version header placement (1\.05|-1\.0)", "'1.05' and '-1.0' are no versions"),
    (None, [400], r"1e400", "no fraction in a body is larger than a double; upstream takes it for infinite"),
    ([200], [200], r"^GET /traits\?name=startswith:.*([a-z]|%25)", "upstream's databases differ in how they compare; ours is literal"),
    (None, [400], r"NaN", "upstream's parser takes what is not JSON"),
    ([409], [204], r"on an over-full host$", "what does not add to an overrun is accepted"),
    ([400, 415], [404], r" (without type|as text|without body)$", "an operation that a version does not have is not found, whatever comes with the request"),
]

# How webob begins the detail of each error.
FRAMEWORK = re.compile(r"^(The server could not comply with the request since it is either malformed or otherwise incorrect\."
                       r"|There was a conflict when trying to complete your request\."
                       r"|The resource could not be found\."
                       r"|The method \w+ is not allowed for this resource\."
                       r"|The resource could not be generated that was acceptable to your browser \(content of type .*?\."
                       r"|The request media type .*? is not supported by this server\."
                       r"|Access was denied to this resource\.)\s*?\n\n", re.S)


def message_of(error):
    text = error.get("detail", "")
    framework = FRAMEWORK.match(text)
    if framework and text[framework.end():].strip():
        text = text[framework.end():]
    text = re.sub(r"The method \w+ is not allowed", "The method specified is not allowed", text)  # The framework's sentence names it.
    text = re.sub(r"(Malformed JSON|Invalid microversion): .*", r"\1", text)
    text = re.sub(r"(Unable to allocate inventory): Inventory for .* invalid", r"\1", text)  # Upstream names all, in any order.
    text = text.replace("', 'null'", "'")  # Of a type that may be null, too.
    text = re.sub(r"x{90,}", "xxx", text, flags=re.I).replace("'xxx is not", "'xxx' is not")  # Ours cuts long values.
    text = re.sub(r"(Update conflict): .*(IntegrityError|exists).*", r"\1", text)  # Of the database, upstream.
    text = " ".join(re.split(r"\s+Failed validating ", text)[0].split())
    text = re.sub(r"(consumer generation conflict - .* got -?)(\d{19,}|9223372036854775807)", r"\1 ...", text)  # Ours: the nearest of 63 bits.
    text = re.sub(r"^(No|Resource) .*?(No resource provider with uuid \S+ found)$", r"\2", text)  # Upstream says it twice.
    return text


def canonical(value):
    return json.dumps(value, sort_keys=True, default=repr)


def fractions(value):
    """A ratio that came as an integer is shown as one by upstream until it has been stored, however large: as a fraction, like ours."""
    if isinstance(value, dict):
        return {k: float(v) if k == "allocation_ratio" and isinstance(v, int) and not isinstance(v, bool) else fractions(v) for k, v in value.items()}
    return value


def normal(content):
    """The content without what may differ."""
    if not isinstance(content, dict):
        return content
    content = fractions(content)
    if "errors" in content:
        error = content["errors"][0]
        return {"errors": len(content["errors"]), "members": sorted(error), "status": error.get("status"),
                "title": error.get("title"), "code": error.get("code"), "message": message_of(error)}
    content = dict(content)
    for name in ("traits", "aggregates"):
        if isinstance(content.get(name), list):
            content[name] = sorted(content[name])
    for name in ("resource_providers", "resource_classes"):
        if name in content:
            content[name] = sorted(content[name], key=canonical)
    if "allocation_requests" in content:
        requests = []
        for r in content["allocation_requests"]:
            r = dict(r)
            if isinstance(r["allocations"], list):
                r["allocations"] = sorted(r["allocations"], key=canonical)
            if "mappings" in r:
                r["mappings"] = {k: sorted(v) for k, v in r["mappings"].items()}
            requests.append(r)
        content["allocation_requests"] = sorted(requests, key=canonical)
        content["provider_summaries"] = {
            u: dict(s, **({"traits": sorted(s["traits"])} if "traits" in s else {}))
            for u, s in content["provider_summaries"].items()}
    return content


def location(headers):
    return re.sub(r"^https?://[^/]*", "", headers.get("Location") or "") or None


def media(headers):
    return (headers.get("Content-Type") or "").split(";")[0] or None


def seen(answer):
    """What is compared of an answer, by name."""
    status, headers, content = answer
    return {"status": status, "body": normal(content), "Location": location(headers), "Content-Type": media(headers),
            "OpenStack-API-Version": headers.get("OpenStack-API-Version"), "Vary": (headers.get("Vary") or "").lower() or None,
            "Cache-Control": headers.get("Cache-Control"), "Last-Modified": headers.get("Last-Modified") is not None,
            "Allow": sorted((headers.get("Allow") or "").replace(" ", "").split(","))}


class KeepAlive:
    """request() as a Session has it, over one connection."""

    def __init__(self, session):
        self.token = session.token
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(session.urls["placement"]).netloc)

    def request(self, method, service, path, body=None, headers=None):
        send = {"Accept": "application/json", "X-Auth-Token": self.token}
        send.update(headers or {})
        send = {k: v for k, v in send.items() if v is not None}
        for attempt in (1, 2):
            try:
                self.connection.request(method, path, body=body, headers=send)
                answer = self.connection.getresponse()
                content = answer.read()
                break
            except (http.client.HTTPException, OSError):
                self.connection.close()
                if attempt == 2:
                    raise
        if "json" in answer.headers.get("Content-Type", "") and content:
            content = json.loads(content)
        return answer.status, answer.headers, content


def without_uuid(answer):
    uuid = (answer["Location"] or "").rpartition("/")[2]
    return json.loads(json.dumps(answer, default=repr).replace(uuid, "UUID")) if uuid else answer


class Both:
    """Asks both, compares, and returns our answer's (status, content)."""

    def __init__(self, theirs, cloud, ignore_messages):
        self.theirs, self.cloud, self.session = theirs, cloud, KeepAlive(cloud.service("placement"))
        self.version, self.scenario, self.ignore_messages = LATEST, "", ignore_messages
        self.differences = collections.OrderedDict()
        until = time.monotonic() + 20
        while self.session.request("GET", "placement", "/resource_providers")[0] == 503 and time.monotonic() < until:
            time.sleep(0.1)  # It has only just started: until it verifies tokens.
        self.requests = self.deliberate = 0

    def send(self, method, path, body=None, version=None, headers=None, label=None):
        version = version or self.version
        send = {"OpenStack-API-Version": "placement " + version}
        if isinstance(body, (dict, list, int)) and not isinstance(body, bool):
            send["Content-Type"] = "application/json"
            body = json.dumps(body).encode()
        send.update(headers or {})
        ours = self.session.request(method, "placement", path, body, send)
        theirs = self.theirs.request(method, path, body, send)
        self.requests += 1
        if method != "GET" and re.match("/(allocations|reshaper)", path):
            # Upstream keeps the consumer of a write that it refuses, or that gives nothing to nobody; ours never was.
            self.theirs.sql("DELETE FROM consumers WHERE uuid NOT IN (SELECT consumer_id FROM allocations)")
        self.compare(method, path, body, theirs, ours, version, label)
        return ours[0], ours[2]

    def compare(self, method, path, body, theirs, ours, version, label):
        them, us = seen(theirs), seen(ours)
        if (method, path) == ("POST", "/resource_providers") and b'"uuid"' not in (body or b""):
            them, us = without_uuid(them), without_uuid(us)  # Of their own making.
        text = f"{method} {path} {body.decode(errors='replace') if body else ''}"
        if them["status"] == us["status"] >= 400 and (them["Content-Type"] or "").startswith("text/"):
            self.deliberate += 1  # Upstream writes errors as HTML or text unless asked for JSON alone; ours are always JSON.
            return
        for statuses, our_statuses, pattern, _ in DELIBERATE:
            if (statuses is None or theirs[0] in statuses) and ours[0] in our_statuses and re.search(pattern, text + (label or "")):
                self.deliberate += 1
                return
        if them["Vary"] is None and theirs[0] >= 400:
            them["Vary"] = us["Vary"]  # Upstream forgets it on some errors; caches need it on each.
        if method == "DELETE" and them["status"] == us["status"] == 405 and them["Allow"] == [""]:
            return  # Upstream says nowhere what is allowed; ours does.
        if method == "PUT" and re.match(r"/resource_providers/[^/]*$", path):
            them["Last-Modified"] = us["Last-Modified"]  # Upstream's own is not always loaded.
        if isinstance(them["body"], dict) and "message" in them["body"] and isinstance(us["body"], dict) and "message" in us["body"]:
            them["message"], us["message"] = them["body"].pop("message"), us["body"].pop("message")
            # Of several mistakes either may be named.
            if self.ignore_messages or self.scenario == "generated" or "is not valid under any of the given schemas" in them["message"] or (
                    "does not match" in them["message"] and "is too long" in us["message"]) or (
                    re.search("is a required property|unexpected", them["message"]) and re.search("unexpected|is a required", us["message"])):
                del them["message"], us["message"]
        wrong = sorted(name for name in them if them[name] != us.get(name))
        if wrong == [] and set(us) == set(them):
            return
        if "status" in wrong:
            wrong = ["status"]
        if wrong == ["status"] and self.refuses_early(theirs, ours):
            self.deliberate += 1
            return
        if wrong == ["body"] and self.differs_by_design(path, theirs[2], ours[2]):
            self.deliberate += 1
            return
        label = label or re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "UUID", f"{method} {path}")
        key = (self.scenario, label, tuple(wrong))
        entry = self.differences.setdefault(key, {"versions": [], "text": text, "theirs": theirs, "ours": ours})
        if not entry["versions"]:
            print(f"{version} {self.scenario}: {label}: {', '.join(wrong)}", flush=True)
        if version not in entry["versions"]:
            entry["versions"].append(version)

    @staticmethod
    def refuses_early(theirs, ours):
        """Upstream looks up a name when it comes to it, and does not where something else left no candidate before."""
        return theirs[0] == 200 and ours[0] == 400 and re.search("No such (resource class|trait)", str(ours[2])) and \
            [] in theirs[2].values()

    @staticmethod
    def differs_by_design(path, theirs, ours):
        """Candidates: with a limit any of those that fit may be taken. With one group that has a suffix beside the one that has
        none upstream adds amounts to those that it has added up for a candidate before, and may then find them too large: it shows fewer,
        and wrong sums. A group without resources minds in_tree with us."""
        if not path.startswith("/allocation_candidates?"):
            return False
        keys = [pair.partition("=")[0] for pair in path.partition("?")[2].split("&")]
        resources = [k for k in keys if k.startswith("resources")]
        if "limit" in keys:
            return len(theirs["allocation_requests"]) == len(ours["allocation_requests"])
        if "resources" in keys and len(set(resources)) > 1:
            fewer, all_of_them = (collections.Counter(canonical(r.get("mappings")) for r in normal(x)["allocation_requests"]) for x in (theirs, ours))
            return fewer <= all_of_them
        return any(k.startswith("in_tree") and "resources" + k[len("in_tree"):] not in keys for k in keys)

    def clear(self):
        """Both as at first, but for custom traits and resource classes."""
        import sqlite3
        with sqlite3.connect(self.theirs.database) as db:
            for table in ("allocations", "consumers", "inventories", "resource_provider_traits", "resource_provider_aggregates"):
                db.execute("DELETE FROM " + table)
            db.execute("UPDATE resource_providers SET parent_provider_id = NULL, root_provider_id = NULL")
            db.execute("DELETE FROM resource_providers")
        db.close()
        self.cloud.sql("placement", "DELETE FROM allocation; DELETE FROM consumer; DELETE FROM inventory; "
                       "UPDATE provider SET parent_id = NULL, root_id = id; DELETE FROM provider")

    def report(self, verbose):
        for (scenario, label, wrong), entry in self.differences.items():
            print(f"\n{scenario}: {label}: {', '.join(wrong)} at {', '.join(entry['versions'])}")
            print("  " + entry["text"][:400])
            them, us = seen(entry["theirs"]), seen(entry["ours"])
            for name in wrong if "status" not in wrong else ["status", "body"]:
                if name == "message":
                    a, b = them["body"]["message"], us["body"]["message"]
                else:
                    a, b = them[name], us[name]
                    a, b = (canonical(a), canonical(b)) if isinstance(a, dict) else (a, b)
                limit = 10000 if verbose else 700
                print(f"  upstream {name}: {str(a)[:limit]}\n  ours     {name}: {str(b)[:limit]}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--versions", default=",".join(VERSIONS))
    arguments.add_argument("--only", default="", help="scenarios whose names contain one of these words")
    arguments.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "big"))
    arguments.add_argument("--steps", type=int, default=150, help="generated requests per version")
    arguments.add_argument("--ignore-messages", action="store_true")
    arguments.add_argument("-v", "--verbose", action="store_true")
    options = arguments.parse_args()
    reason = upstream_placement.why_not()
    if reason:
        print("SKIPPED: " + reason)
        return 0
    print(f"seed {options.seed}")
    scenarios = [(n, f) for n, f in placement_scenarios.ALL + [("generated", None)]
                 if any(word in n for word in options.only.split(","))]
    with tempfile.TemporaryDirectory() as folder, Cloud(services=["identity", "placement"]) as cloud:
        both = Both(upstream_placement.UpstreamPlacement(folder), cloud, options.ignore_messages)
        for version in options.versions.split(","):
            for name, scenario in scenarios:
                both.version, both.scenario = version, name
                if scenario is None:
                    placement_fuzz.run(both, options.seed, options.steps)
                else:
                    scenario(both)
                both.clear()
        both.report(options.verbose)
    print(f"\n{both.requests} requests, {len(both.differences)} differences, {both.deliberate} deliberate ones")
    return 1 if both.differences else 0


if __name__ == "__main__":
    sys.exit(main())
