#!/usr/bin/python3
"""OpenStack's own tests of placement's API, unmodified, against ours.

    placement_gabbi.py                          all files
    placement_gabbi.py --only reshaper,traits   those whose names contain a word
    placement_gabbi.py --upstream               against OpenStack's placement, in this process: what its authors see
    placement_gabbi.py --path FOLDER            the placement in this folder for Python's path, instead of Debian's

They name tokens that only their own set-up knows ("x-auth-token: user", "x-roles: reader"). A proxy before our daemon puts in their place tokens of
users who have these roles on that project. A fixture is started as it is, on OpenStack's own placement; what it has made is then read there and
made in ours, over the API, and its policy becomes our daemon's. Ends with "N passed, N failed, N left out"."""

import argparse
import glob
import json
import logging
import os
import re
import signal
import socket
import socketserver
import sys
import tempfile
import threading
import time
import traceback
import unittest
import warnings

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lib")]
import upstream_gabbits  # noqa: E402
from cloud import Cloud  # noqa: E402
from identity import Identity  # noqa: E402

# (file, pattern of the test's name): why it does not apply. These are run, and not counted.
PAGES = "errors are JSON whatever the client accepts"
LEFT_OUT = {
    ("bug-1674694.yaml", "404 with other accept"): PAGES,
    ("microversion.yaml", "other accept header bad version"): PAGES,
    ("basic-http.yaml", "bad content length not int"): "the HTTP library refuses it, with 400 and words of its own",
    ("cors.yaml", "options|^valid"): "our daemons have no CORS: what stands before them, where a browser's page is of another origin, answers for it",
}

EMPTY = """DELETE FROM allocation; DELETE FROM consumer; DELETE FROM inventory; UPDATE provider SET parent_id = NULL, root_id = id;
DELETE FROM provider; DELETE FROM ratio_change; DELETE FROM resource_class WHERE id >= 10000; DELETE FROM trait WHERE name LIKE 'CUSTOM\\_%';"""


class Tokens:
    """Real ones for what a request of the tests says of itself."""

    def __init__(self, cloud):
        self.identity = Identity(cloud)
        self.known, self.projects = {}, {}

    def project(self, name):
        """The project of that name (others than those of the cloud), or with that id."""
        if name not in self.projects:
            made = self.identity.make("project", name="gabbi-" + name)
            self.projects[name] = self.projects[made["id"]] = made
        return self.projects[name]

    def role(self, name):
        if name not in self.identity.roles:
            self.identity.roles[name] = self.identity.make("role", name=name)["id"]
        return name

    def put_in(self, headers):
        """The headers with a token for the user, roles and scope that they name; as they are if they name none."""
        user, _, project = headers.get("x-auth-token", "").partition(":")
        if user not in ("admin", "user"):
            return headers
        roles = headers.pop("x-roles", "admin" if user == "admin" else "nothing")
        project = headers.pop("x-project-id", project or user)
        system = headers.pop("openstack-system-scope", None) is not None
        key = (roles, system or project)
        if key not in self.known:
            where = {} if system else {"project": self.project(project)}
            someone = self.identity.user()
            for role in roles.split(","):
                self.identity.give(self.role(role), user=someone, **where)
            self.known[key] = self.identity.login(someone, **(where or {"system": True})).token
        return dict(headers, **{"x-auth-token": self.known[key]})


class Proxy(socketserver.ThreadingTCPServer):
    """Passes requests on as they are, but for those headers: one on each connection."""

    daemon_threads, allow_reuse_address = True, True

    def __init__(self, tokens, target):
        super().__init__(("127.0.0.1", 0), Passing)
        self.tokens, self.target = tokens, target
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Passing(socketserver.StreamRequestHandler):
    timeout = 60

    def handle(self):
        first = self.rfile.readline()
        headers = {}
        for line in iter(self.rfile.readline, b"\r\n"):
            if not line:
                return
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        length = headers.get("content-length", "0")
        body = self.rfile.read(int(length)) if length.isdigit() else self.rfile.read1()
        headers = self.server.tokens.put_in(headers)
        headers["connection"] = "close"
        with socket.create_connection(self.server.target, timeout=60) as target:
            target.sendall(first + "".join(f"{n}: {v}\r\n" for n, v in headers.items()).encode("latin-1") + b"\r\n" + body)
            for part in iter(lambda: target.recv(65536), b""):
                self.wfile.write(part)


class Ours:
    """Our placement: emptied, filled with what OpenStack's has, given a policy."""

    def __init__(self, cloud, policy):
        self.cloud, self.policy = cloud, policy
        self.tokens = Tokens(cloud)
        self.admin = cloud.admin()
        host, _, port = cloud.urls["placement"].rpartition("/")[2].partition(":")
        self.proxy = Proxy(self.tokens, (host, int(port)))
        self.projects = {name: self.tokens.project(name)["id"] for name in ("PROJECT_ID", "PROJECT_ID_ALT")}
        self.rules = {}

    def call(self, method, path, body=None, version="1.37"):
        return self.admin.expect((200, 201, 204), method, "placement", path, body, {"OpenStack-API-Version": "placement " + version})

    def empty(self):
        self.cloud.sql("placement", EMPTY)

    def set_policy(self, rules):
        """Returns when the daemon goes by them."""
        if rules == self.rules:
            return
        with open(self.policy, "w") as file:
            json.dump(rules, file)
        self.rules = rules
        process = self.cloud.daemon("placement").process
        with open(process.log) as log:
            log.seek(0, os.SEEK_END)
            os.kill(process.pid(), signal.SIGHUP)
            said, until = "", time.monotonic() + 20
            while "reload.done" not in said:
                time.sleep(0.02)
                said += log.read()
                if "policy_refused" in said or time.monotonic() > until:
                    raise AssertionError("the daemon does not go by its new policy: " + said)

    def fill(self, get):
        """Makes what get(path) finds in OpenStack's placement; projects of the tests become real ones."""
        named = {os.environ[name]: real for name, real in self.projects.items()}
        for kind in ("resource_classes", "traits"):
            names = [n if kind == "traits" else n["name"] for n in get("/" + kind)[kind]]
            for name in (n for n in names if n.startswith("CUSTOM_")):
                self.call("PUT", f"/{kind}/{name}")
        providers = get("/resource_providers")["resource_providers"]
        made, consumers, generations = set(), set(), []
        while len(made) < len(providers):
            for p in providers:
                if p["uuid"] not in made and (p["parent_provider_uuid"] is None or p["parent_provider_uuid"] in made):
                    self.call("POST", "/resource_providers", {n: p[n] for n in ("uuid", "name", "parent_provider_uuid")})
                    made.add(p["uuid"])
        for p in providers:
            path, generation = "/resource_providers/" + p["uuid"], 0
            for kind in ("inventories", "traits", "aggregates"):
                content = dict(get(f"{path}/{kind}"), resource_provider_generation=generation)
                if content[kind]:
                    generation = self.call("PUT", f"{path}/{kind}", content)["resource_provider_generation"]
            consumers.update(get(path + "/allocations")["allocations"])
            generations.append(f"UPDATE provider SET generation = {p['generation']} WHERE uuid = '{p['uuid']}';")
        for consumer in consumers:
            held = get("/allocations/" + consumer)
            generations.append(f"UPDATE consumer SET generation = {held['consumer_generation']} WHERE uuid = '{consumer}';")
            allocations = {u: {"resources": a["resources"]} for u, a in held["allocations"].items()}
            self.call("PUT", "/allocations/" + consumer, dict(held, allocations=allocations, consumer_generation=None,
                                                              project_id=named.get(held["project_id"], held["project_id"])))
        if generations:
            self.cloud.sql("placement", "".join(generations))
        os.environ.update(self.projects)


def fixtures_for(ours, upstream):
    """Classes of the same names as those in the module 'upstream', which set up our placement as well."""
    import webob
    from placement import policies

    def rules_of(fixture):
        """Fixtures that do not say otherwise go by upstream's deprecated rules, too: what those allow is allowed."""
        if issubclass(fixture, upstream.OpenPolicyFixture):
            return {rule.name: "@" for rule in policies.list_rules() if rule.name.startswith("placement:")}
        if fixture._secure_rbac:
            return {}
        return {rule.name: f"({rule.check_str}) or ({rule.deprecated_rule.check_str})" for rule in policies.list_rules() if rule.deprecated_rule}

    def following(fixture):
        rules = rules_of(fixture)

        class Following(fixture):
            def start_fixture(self):
                super().start_fixture()
                application = upstream.setup_app()

                def get(path):
                    headers = {"X-Auth-Token": "admin", "OpenStack-API-Version": "placement 1.37", "Accept": "application/json"}
                    return webob.Request.blank(path, headers=headers).get_response(application).json

                ours.empty()
                ours.fill(get)
                ours.set_policy(rules)
        Following.__name__ = fixture.__name__
        return Following

    class Fixtures:
        pass
    for name, value in vars(upstream).items():
        if isinstance(value, type) and issubclass(value, upstream.APIFixture):
            setattr(Fixtures, name, following(value))
    return Fixtures


class Outcome(unittest.TestResult):
    """What became of each test, by name."""

    def __init__(self):
        super().__init__()
        self.wrong = {}

    def note(self, test, error):
        if hasattr(test, "test_data"):  # Else the file itself.
            self.wrong[test.test_data["name"]] = "".join(traceback.format_exception_only(*error[:2]))

    def addFailure(self, test, error):
        self.note(test, error)

    addError = addFailure

    def addSkip(self, test, reason):
        self.wrong.setdefault(test.test_data["name"], "not run: " + reason)


def why_left_out(file, name):
    return next((why for (f, pattern), why in LEFT_OUT.items() if f == file and re.search(pattern, name)), None)


def run_file(path, target, fixtures, intercept):
    """(names of the tests, {name: what went wrong})"""
    from gabbi import driver, handlers, suitemaker, utils
    from gabbi.handlers import core

    class Strings(core.StringResponseHandler):
        """Knows /patterns/ as newer gabbi does."""

        def action(self, test, expected, value=None):
            if len(expected) > 1 and expected[0] == expected[-1] == "/":
                test.assertRegex(test.output, test.replace_template(expected[1:-1], escape_regex=True))
            else:
                super().action(test, expected, value)

    name = os.path.splitext(os.path.basename(path))[0]
    suite = suitemaker.test_suite_from_dict(
        unittest.defaultTestLoader, name, utils.load_yaml(yaml_file=path), os.path.dirname(path), target[0], target[1], fixtures, intercept,
        handlers=[Strings()] + [handler() for handler in handlers.RESPONSE_HANDLERS], test_loader_name=driver.__name__)
    names = [test.test_data["name"] for test in suite]  # A suite forgets its tests as they are done.
    outcome = Outcome()
    suite.run(outcome)
    return names, outcome.wrong


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--only", default="")
    arguments.add_argument("--upstream", action="store_true")
    arguments.add_argument("--path")
    options = arguments.parse_args()
    build = os.environ.get("VIRGA_BUILD", os.path.join(HERE, "..", "..", "build", "release"))
    path = options.path or upstream_gabbits.find(os.path.join(os.path.abspath(build), "..", "interop", "python3-placement"))
    sys.path.insert(0, path)
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    from placement.tests.functional.fixtures import gabbits as upstream
    files = [f for f in sorted(glob.glob(os.path.join(path, upstream_gabbits.BELOW, "*.yaml")))
             if any(word in os.path.basename(f) for word in options.only.split(","))]
    if options.upstream:
        return report(files, lambda file: run_file(file, ("upstream", 80), upstream, upstream.setup_app))
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as policy:
        policy.write("{}\n")
        policy.flush()
        with Cloud(services=["identity", "placement"], settings={"placement": {"api": {"policy_file": policy.name}}}) as cloud:
            ours = Ours(cloud, policy.name)
            fixtures = fixtures_for(ours, upstream)
            return report(files, lambda file: run_file(file, ours.proxy.server_address, fixtures, None))


def report(files, run):
    passed = failed = left = 0
    for file in files:
        name = os.path.basename(file)
        tests, wrong = run(file)
        out = {n: why_left_out(name, n) for n in tests}
        bad = {n: text for n, text in wrong.items() if not out[n]}
        good = sum(n not in wrong and not out[n] for n in tests)
        passed, failed, left = passed + good, failed + len(bad), left + sum(why is not None for why in out.values())
        print(f"{'FAIL' if bad else 'ok'}    {name}: {good} passed, {len(bad)} failed, {len(tests) - good - len(bad)} left out", flush=True)
        for n, text in bad.items():
            print(f"      {n}\n" + "".join(f"        | {line}\n" for line in text.strip().splitlines()[:40]), flush=True)
        for n, why in out.items():
            if why:
                print(f"      left out{'' if n in wrong else ' (it passes)'}: {n}: {why}", flush=True)
    print(f"{passed} passed, {failed} failed, {left} left out")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
