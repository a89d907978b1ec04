#!/usr/bin/python3
"""Upstream's command line client for placement (Debian's python3-osc-placement), every command, against our placement and our
identity. Each command runs as a person would type it, with "-f json"; a command that fails or shows something else is an error,
and so is one that the client has and this does not run."""

import contextlib
import importlib.util
import io
import json
import os
import sys
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "lib"))
from cloud import Cloud  # noqa: E402


class Client:
    def __init__(self, cloud):
        from openstackclient import shell
        self.shell, self.ran = shell, set()
        self.options = ["--os-auth-url", cloud.urls["identity"] + "/v3", "--os-username", "admin", "--os-project-name", "admin",
                        "--os-password", cloud.layout.secret("user-admin"), "--os-user-domain-id", "default",
                        "--os-project-domain-id", "default", "--os-identity-api-version", "3"]

    def run(self, command, *arguments, version="1.37", shows=True, status=0):
        """The parsed answer of "openstack COMMAND ARGUMENTS"; its text if it fails as it should."""
        self.ran.add(command.replace(" ", "_"))
        argv = self.options + ["--os-placement-api-version", version] + command.split() + list(arguments)
        if shows:
            argv += ["-f", "json"]
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            got = self.shell.main(argv)
        text = out.getvalue()
        print(("ok   " if got == status else "FAIL ") + " ".join((command,) + arguments), flush=True)
        assert got == status, f"{command}: exit {got}: {text}{err.getvalue()}"
        return json.loads(text) if shows and status == 0 and text.strip() else text + err.getvalue()

    def missing(self):
        import importlib.metadata
        return {e.name for e in importlib.metadata.entry_points(group="openstack.placement.v1")} - self.ran


def same(got, expected):
    assert got == expected, f"got {got}, expected {expected}"


def classes_and_traits(client):
    client.run("resource class create", "CUSTOM_GOLD", shows=False)
    client.run("resource class set", "CUSTOM_SILVER", shows=False)
    same(client.run("resource class show", "CUSTOM_GOLD"), {"name": "CUSTOM_GOLD"})
    names = [c["name"] for c in client.run("resource class list")]
    assert {"VCPU", "CUSTOM_GOLD", "CUSTOM_SILVER"} <= set(names), names
    client.run("resource class delete", "CUSTOM_SILVER", shows=False)
    client.run("resource class delete", "CUSTOM_SILVER", shows=False, status=1)
    client.run("trait create", "CUSTOM_FAST", shows=False)
    same(client.run("trait show", "CUSTOM_FAST"), {"name": "CUSTOM_FAST"})
    same(client.run("trait list", "--name", "startswith:CUSTOM_"), [{"name": "CUSTOM_FAST"}])
    client.run("trait create", "CUSTOM_SLOW", shows=False)
    client.run("trait delete", "CUSTOM_SLOW", shows=False)


def providers(client):
    host = client.run("resource provider create", "host", "--uuid", str(uuid.uuid4()))["uuid"]
    child = client.run("resource provider create", "child", "--parent-provider", host)
    same((child["parent_provider_uuid"], child["root_provider_uuid"]), (host, host))
    child = child["uuid"]
    same(client.run("resource provider set", child, "--name", "numa0")["name"], "numa0")
    same(client.run("resource provider show", host, "--allocations")["allocations"], {})
    same({p["name"] for p in client.run("resource provider list", "--in-tree", child)}, {"host", "numa0"})
    return host, child


def inventories(client, host, child):
    client.run("resource provider inventory set", host, "--resource", "VCPU=8", "--resource", "VCPU:allocation_ratio=4.0",
               "--resource", "DISK_GB=100", "--resource", "DISK_GB:reserved=10")
    same(client.run("resource provider inventory show", host, "VCPU")["allocation_ratio"], 4.0)
    same({i["resource_class"]: i["total"] for i in client.run("resource provider inventory list", host)}, {"VCPU": 8, "DISK_GB": 100})
    same(client.run("resource provider inventory class set", host, "VCPU", "--total", "16", "--max_unit", "4")["max_unit"], 4)
    client.run("resource provider inventory set", child, "--resource", "CUSTOM_GOLD=2")
    client.run("resource provider trait set", host, "--trait", "CUSTOM_FAST", "--trait", "HW_CPU_X86_VMX")
    same({t["name"] for t in client.run("resource provider trait list", host)}, {"CUSTOM_FAST", "HW_CPU_X86_VMX"})
    aggregate = str(uuid.uuid4())
    generation = str(client.run("resource provider show", host)["generation"])
    client.run("resource provider aggregate set", host, "--aggregate", aggregate, "--generation", generation)
    same(client.run("resource provider aggregate list", host), [{"uuid": aggregate}])
    same([p["uuid"] for p in client.run("resource provider list", "--resource", "VCPU=4", "--required", "CUSTOM_FAST", "--member-of", aggregate)], [host])
    same(client.run("resource provider list", "--forbidden", "CUSTOM_FAST", "--resource", "VCPU=4"), [])


def allocations(client, host, child):
    found = client.run("allocation candidate list", "--resource", "VCPU=2", "--resource", "CUSTOM_GOLD=1", "--required", "CUSTOM_FAST")
    same(len({c["#"] for c in found}), 1)
    same(client.run("allocation candidate list", "--group", "1", "--resource", "VCPU=1", "--group", "2", "--resource", "CUSTOM_GOLD=1",
                    "--group-policy", "none")[0]["#"], 1)
    consumer, owner = str(uuid.uuid4()), ["--project-id", "p", "--user-id", "u"]
    client.run("resource provider allocation set", consumer, "--allocation", f"rp={host},VCPU=2,DISK_GB=20", "--allocation",
               f"rp={child},CUSTOM_GOLD=1", *owner)
    shown = client.run("resource provider allocation show", consumer)
    same({a["resource_provider"]: a["resources"] for a in shown}, {host: {"VCPU": 2, "DISK_GB": 20}, child: {"CUSTOM_GOLD": 1}})
    same({u["resource_class"]: u["usage"] for u in client.run("resource provider usage show", host)}, {"VCPU": 2, "DISK_GB": 20})
    same({u["resource_class"]: u["usage"] for u in client.run("resource usage show", "p", "--user-id", "u")},
         {"VCPU": 2, "DISK_GB": 20, "CUSTOM_GOLD": 1})
    client.run("resource provider allocation unset", consumer, "--provider", child)
    same([a["resource_provider"] for a in client.run("resource provider allocation show", consumer)], [host])
    client.run("resource provider allocation set", consumer, "--allocation", f"rp={host},VCPU=5", *owner, status=1)  # Over max_unit.
    client.run("resource provider delete", host, shows=False, status=1)
    client.run("resource provider allocation delete", consumer, shows=False)
    same(client.run("resource provider allocation show", consumer), [])


def clean_up(client, host, child):
    client.run("resource provider trait delete", host, shows=False)
    client.run("resource provider inventory delete", host, "--resource-class", "VCPU", shows=False)
    client.run("resource provider inventory delete", host, shows=False)
    client.run("resource provider delete", child, shows=False)
    client.run("resource provider delete", host, shows=False)
    client.run("resource class delete", "CUSTOM_GOLD", shows=False)
    client.run("trait delete", "CUSTOM_FAST", shows=False)
    same(client.run("resource provider list"), [])


def main():
    for module, package in (("osc_placement", "python3-osc-placement"), ("openstackclient", "python3-openstackclient")):
        if importlib.util.find_spec(module) is None:
            print(f"SKIPPED: Debian's {package} is not installed; \"make interop\" installs it")
            return 0
    with Cloud(services=["identity", "placement"]) as cloud:
        client = Client(cloud)
        classes_and_traits(client)
        host, child = providers(client)
        inventories(client, host, child)
        allocations(client, host, child)
        clean_up(client, host, child)
        same(client.missing(), set())
    print(f"{len(client.ran)} commands")
    return 0


if __name__ == "__main__":
    sys.exit(main())
