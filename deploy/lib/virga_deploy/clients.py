"""What a person's client needs: run/openrc, run/clouds.yaml, run/ssh-guest."""

import os
import shlex

_SSH_GUEST = """\
#!/bin/sh
# ssh to a guest by its floating IP: run/ssh-guest ADDRESS [COMMAND...]
# The external network is in a network namespace, not in the machine's own; so this needs root.
exec nsenter --net=/run/netns/{tag}-wire ssh -i {run}/demo/id_ed25519 -o IdentitiesOnly=yes \\
  -o UserKnownHostsFile={run}/demo/known_hosts -o StrictHostKeyChecking=accept-new -o ConnectTimeout=10 -l root "$@"
"""


def _variables(layout, name):
    return {
        "OS_AUTH_URL": layout.url("identity") + "/v3", "OS_USERNAME": name,
        "OS_PASSWORD": layout.secret("user-" + name), "OS_PROJECT_NAME": name, "OS_USER_DOMAIN_NAME": "Default",
        "OS_PROJECT_DOMAIN_NAME": "Default", "OS_REGION_NAME": layout.region, "OS_IDENTITY_API_VERSION": "3",
    }


def _cloud(layout, cloud, name):
    values = _variables(layout, name)
    return f"""\
  {cloud}:
    auth:
      auth_url: {values['OS_AUTH_URL']}
      username: {name}
      password: {values['OS_PASSWORD']}
      project_name: {name}
      user_domain_name: Default
      project_domain_name: Default
    region_name: {layout.region}
    identity_api_version: 3
"""


def accounts(layout):
    """The users that 'add' was called for, besides the administrator."""
    prefix, services = "user-", ("identity", "image", "placement", "compute", "network", "volume", "admin")
    names = [name.removeprefix(prefix) for name in os.listdir(layout.path("secrets")) if name.startswith(prefix)]
    return sorted(name for name in names if name not in services)


def write(layout):
    """Writes the files anew: the administrator as cloud "virga-admin", each account under its own name."""
    lines = [f"export {key}={shlex.quote(value)}\n" for key, value in _variables(layout, "admin").items()]
    layout.write(layout.path("openrc"), "".join(lines))
    text = "clouds:\n" + _cloud(layout, "virga-admin", "admin")
    text += "".join(_cloud(layout, name, name) for name in accounts(layout))
    layout.write(layout.path("clouds.yaml"), text)
    layout.write(layout.path("ssh-guest"), _SSH_GUEST.format(tag=layout.tag, run=shlex.quote(layout.run)), 0o755)


def add(layout, name):
    """Makes a password for user 'name' (in a project of the same name) and adds it to clouds.yaml."""
    layout.secret("user-" + name)
    write(layout)
