"""What connects the hosts of an all-in-one cloud: a network namespace with two bridges.

'management' (10.99.0.0/24, .254 here, host N is .N) is the hosts' own network: tunnels, migration, volumes.
'external' (203.0.113.0/24, .254 here) is the provider network on which routers and floating IPs live; this namespace
is "the outside" for guests. Neither is in the machine's own namespace: run/ssh-guest enters this one first.
"""

import os
import subprocess

MANAGEMENT = "10.99.0"
EXTERNAL = "203.0.113"


def ip(*arguments, batch=None):
    subprocess.run(["ip", *arguments], check=True, input=batch, text=True)


def namespace_path(name):
    return "/run/netns/" + name


def sysctl(namespace, **values):
    subprocess.run(["ip", "netns", "exec", namespace, "sysctl", "-q", "-w",
                    *(f"{key.replace('__', '.')}={value}" for key, value in values.items())], check=True)


class Wire:
    """The namespace TAG-wire."""

    def __init__(self, layout):
        self.name = layout.tag + "-wire"
        self.path = namespace_path(self.name)

    def start(self):
        """Makes it unless it is there."""
        if os.path.exists(self.path):
            return False
        ip("netns", "add", self.name)
        ip("-n", self.name, "-batch", "-", batch=f"""\
link set lo up
link add management type bridge
address add {MANAGEMENT}.254/24 dev management
link set management up
link add external type bridge
address add {EXTERNAL}.254/24 dev external
link set external up
""")
        # A wire filters nothing. (Without br_netfilter there is nothing to turn off.)
        if os.path.exists("/proc/sys/net/bridge"):
            sysctl(self.name, **{f"net__bridge__bridge-nf-call-{kind}tables": 0 for kind in ("arp", "ip", "ip6")})
        return True

    def command(self, *argv):
        """'argv' as it must be run from outside to run with this network: "the outside" of the guests."""
        return ["nsenter", f"--net={self.path}", "--", *argv]

    def stop(self):
        if not os.path.exists(self.path):
            return False
        ip("netns", "delete", self.name)
        return True
