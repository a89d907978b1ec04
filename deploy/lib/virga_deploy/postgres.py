"""A private PostgreSQL: own folder, unix socket only, a role and a database for each service.

The server refuses to be root, and need not reach the cloud's folder at all: as root it is started as user 'postgres'
in a mount namespace of its own, where the folder lies at /var/lib/postgresql. Roles log in with passwords; whoever
started the server is its superuser, by peer authentication.
"""

import glob
import os
import pwd
import signal
import subprocess

from . import kernel
from .process import Process

_HOME = "/var/lib/postgresql"

_SETTINGS = """\
listen_addresses = ''
unix_socket_permissions = 0777
max_connections = 200
shared_buffers = 128MB
password_encryption = scram-sha-256
log_min_messages = warning
"""
_FAST = """\
fsync = off
synchronous_commit = off
full_page_writes = off
"""
_HBA = """\
local all admin peer map=owner
local all all scram-sha-256
"""


def _programs():
    """The newest installed PostgreSQL's own folder: Debian keeps initdb and postgres off PATH."""
    folders = glob.glob("/usr/lib/postgresql/*/bin")
    return max(folders, key=lambda path: float(path.split("/")[4])) + "/"


class Postgres:
    """The server of one cloud. fast: no fsync, for tests, whose data may go with the machine."""

    def __init__(self, layout, fast=False):
        self.layout, self.fast = layout, fast
        self.folder = layout.path("postgres")
        self.process = Process("postgres", layout.path("pids", "postgres"), layout.path("log", "postgres.log"),
                               signal.SIGQUIT if fast else signal.SIGINT)
        if os.getuid() == 0:
            user = pwd.getpwnam("postgres")
            self._ids, self._inside = (user.pw_uid, user.pw_gid), _HOME
        else:
            self._ids, self._inside = None, self.folder

    def _become(self):
        if self._ids is None:
            return
        kernel.bind_private(self.folder, _HOME)
        os.setgroups([])
        os.setgid(self._ids[1])
        os.setuid(self._ids[0])

    def _initialise(self):
        owner = pwd.getpwuid(os.getuid()).pw_name
        for name in (".", "socket"):
            path = self.layout.folder("postgres", name, mode=0o755)
            if self._ids is not None:
                os.chown(path, *self._ids)
        subprocess.run([_programs() + "initdb", "-D", self._inside + "/data", "-U", "admin", "--auth=reject", "-E", "UTF8",
                        "--locale=C.UTF-8", "--no-sync", "--no-instructions"], check=True, stdout=subprocess.DEVNULL,
                       preexec_fn=self._become, cwd="/", env={"PATH": os.environ["PATH"]})
        settings = _SETTINGS + f"unix_socket_directories = '{self._inside}/socket'\n" + (_FAST if self.fast else "")
        for name, text in (("pg_hba.conf", _HBA), ("pg_ident.conf", f"owner {owner} admin\n")):
            with open(f"{self.folder}/data/{name}", "w", encoding="utf-8") as file:
                file.write(text)
        # Last: with it the folder counts as complete.
        with open(f"{self.folder}/data/postgresql.auto.conf", "a", encoding="utf-8") as file:
            file.write(settings)

    def start(self):
        """Starts it unless it runs; an empty folder becomes a database first. Does not wait."""
        socket = f"{self.folder}/socket/.s.PGSQL.5432"
        if len(socket) > 107:
            raise ValueError(f"{socket}: longer than a unix socket's name may be; set VIRGA_RUN to a shorter path")
        if self.process.pid() is not None:
            return False
        if not self._complete():
            subprocess.run(["rm", "-rf", self.folder], check=True)
            self._initialise()
        return self.process.start([_programs() + "postgres", "-D", self._inside + "/data"], before=self._become)

    def _complete(self):
        try:
            with open(f"{self.folder}/data/postgresql.auto.conf", encoding="utf-8") as file:
                return "unix_socket_directories" in file.read()
        except FileNotFoundError:
            return False

    def wait_ready(self, seconds=30):
        self.process.wait_ready(self._ready, seconds)

    def _ready(self):
        """postmaster.pid says so in its eighth line."""
        try:
            with open(f"{self.folder}/data/postmaster.pid", encoding="utf-8") as file:
                lines = file.read().split("\n")
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[7].strip() == "ready" and int(lines[0]) == self.process.pid()

    def psql(self, sql, database="postgres"):
        """Runs 'sql' as superuser and returns what it prints, unaligned, without headers. SQL goes in by stdin, so
        that passwords in it are not seen in the list of processes."""
        done = subprocess.run([_programs() + "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h",
                               self.folder + "/socket", "-U", "admin", "-d", database],
                              input=sql, check=True, capture_output=True, text=True, cwd="/")
        return done.stdout

    def create_databases(self, names):
        """A role and a database of the same name for each, where there is none yet."""
        known = self.psql("SELECT datname FROM pg_database").split()
        for name in names:
            if name not in known:
                self.psql(f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') THEN "
                          f"CREATE ROLE {name} LOGIN; END IF; END $$;\n"
                          f"ALTER ROLE {name} PASSWORD '{self.layout.secret('database-' + name)}';\n"
                          f"CREATE DATABASE {name} OWNER {name} STRATEGY file_copy;\n"
                          f"REVOKE ALL ON DATABASE {name} FROM PUBLIC;")

    def url(self, name):
        return f"postgresql://{name}:{self.layout.secret('database-' + name)}@/{name}?host={self.folder}/socket"

    def stop(self):
        return self.process.stop()
