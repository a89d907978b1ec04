"""OpenStack's own tests of placement's API: files for gabbi, and the fixtures that they name. Debian's python3-placement has the files from 2026
on; where the installed one is older, the package is fetched from Debian's unstable with apt, checked as apt checks, and unpacked, not installed."""

import glob
import importlib.util
import os
import subprocess

ARCHIVE = "http://deb.debian.org/debian"
KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
BELOW = "placement/tests/functional/gabbits"


def find(folder):
    """A folder for Python's path with a placement that has its tests: Debian's own, or one in 'folder', fetched if need be."""
    installed = importlib.util.find_spec("placement")
    if installed:
        path = os.path.dirname(os.path.dirname(installed.origin))
        if os.path.isdir(os.path.join(path, BELOW)):
            return path
    path = os.path.join(folder, "unpacked/usr/lib/python3/dist-packages")
    if not os.path.isdir(os.path.join(path, BELOW)):
        fetch(folder)
    if not os.path.isdir(os.path.join(path, BELOW)):
        raise FileNotFoundError("Debian's python3-placement has no " + BELOW)
    return path


def fetch(folder):
    """apt with lists and sources of its own: the machine's stay as they are."""
    for name in ("lists/partial", "cache/archives/partial", "unpacked"):
        os.makedirs(os.path.join(folder, name), exist_ok=True)
    with open(os.path.join(folder, "sources.list"), "w") as sources:
        sources.write(f"deb [signed-by={KEYS}] {ARCHIVE} unstable main\n")
    settings = {"Dir::Etc::sourcelist": "sources.list", "Dir::State::lists": "lists", "Dir::Cache": "cache"}
    command = ["apt-get", "-q", "-o", "Dir::Etc::sourceparts=-", "-o", "Dir::State::status=/dev/null", "-o", "APT::Sandbox::User=root"]
    for name, value in settings.items():
        command += ["-o", f"{name}={os.path.join(folder, value)}"]
    subprocess.run(command + ["update"], check=True, cwd=folder)
    subprocess.run(command + ["download", "python3-placement"], check=True, cwd=folder)
    for package in glob.glob(os.path.join(folder, "python3-placement_*.deb")):
        subprocess.run(["dpkg-deb", "-x", package, os.path.join(folder, "unpacked")], check=True)
