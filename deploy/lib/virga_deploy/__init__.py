"""Private engines and processes of one Virga cloud: what all-in-one/ and the tests start and end.

Needs nothing but Python 3.11's standard library. Each module is one subject: process (start, find again, end),
kernel (the system calls Python lacks), layout (paths, ports, names), postgres, rabbitmq, wire and host (the
namespaces that play network and hypervisor), daemons (configuration, start, readiness), clients (openrc, clouds.yaml).
"""

import os

# Root by "su" has no sbin on its path, and half of what is run here is there.
os.environ["PATH"] = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"
