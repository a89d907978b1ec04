"""Command lines for tests: virga and, where it is installed, Debian's openstack, in the same environment.

    virga, openstack = Client(cloud.layout.binary('virga'), env), OpenStack(env)
    virga.json('role', 'list') == openstack.json('role', 'list')

Of virga all requests are kept (Client.requests), as --debug tells them: what a test reached can be counted."""

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import urllib.parse
import warnings

try:
    from openstackclient import shell
    from openstackclient.common import clientmanager
    from osc_lib import clientmanager as osc_clientmanager
except ImportError:
    shell = None


def environment(cloud, folder, user, password, project, **more):
    """A clean one, whose caches are below 'folder'. None leaves a variable out."""
    env = {'PATH': os.environ['PATH'], 'HOME': folder, 'XDG_CACHE_HOME': os.path.join(folder, 'cache'), 'OS_CLIENT_CONFIG_FILE': '/dev/null',
           'OS_AUTH_URL': cloud.urls['identity'] + '/v3', 'OS_IDENTITY_API_VERSION': '3', 'OS_USERNAME': user, 'OS_PASSWORD': password,
           'OS_PROJECT_NAME': project, 'OS_USER_DOMAIN_NAME': 'Default', 'OS_PROJECT_DOMAIN_NAME': 'Default', 'LC_ALL': 'C.UTF-8'}
    env.update({k: os.environ[k] for k in ('ASAN_OPTIONS', 'UBSAN_OPTIONS', 'LSAN_OPTIONS') if k in os.environ})
    env.update(more)
    return {k: v for k, v in env.items() if v is not None}


class Client:
    """One program. 'env' is what it runs in, unless a call says another."""

    def __init__(self, program, env):
        self.program, self.env = program, env
        self.traces = os.path.basename(program) == 'virga'
        self.requests = []  # (method, path)

    @property
    def is_there(self):
        return shutil.which(self.program) is not None

    def run(self, *words, stdin='', env=None):
        """Of virga, standard error comes without the trace, which goes into 'requests'."""
        trace = ['--debug'] if self.traces else []
        done = subprocess.run([self.program, *words, *trace], input=stdin, capture_output=True, text=True, timeout=120, env=env or self.env, check=False)
        if self.traces:
            self.requests += [(method, urllib.parse.urlsplit(url).path) for method, url in re.findall(r'^> ([A-Z]+) (\S+)$', done.stderr, re.M)]
            done.trace = done.stderr
            assert 'Sanitizer' not in done.stderr, (words, done.stderr)
            done.stderr = ''.join(line + '\n' for line in done.stderr.splitlines() if not line.startswith(('> ', '< ')))
        return done

    def do(self, *words, stdin='', env=None):
        done = self.run(*words, stdin=stdin, env=env)
        assert done.returncode == 0, (self.program, words, done.stdout, done.stderr)
        return done.stdout

    def json(self, *words, stdin='', env=None):
        return json.loads(self.do(*words, '-f', 'json', stdin=stdin, env=env))

    def refused(self, *words, stdin='', env=None, code=1):
        """What it says of a command that has to fail, with this exit code."""
        done = self.run(*words, stdin=stdin, env=env)
        assert done.returncode == code and not done.stdout, (self.program, words, done.returncode, done.stdout, done.stderr)
        return done.stderr


class OpenStack(Client):
    """Debian's client in this process: its start is most of what a command costs, and what it sees is a command line and the environment."""

    def __init__(self, env):
        super().__init__('openstack', env)
        warnings.simplefilter('ignore')

    @property
    def is_there(self):
        return shell is not None

    @staticmethod
    def _forget_clients():
        """What a process that serves one command line keeps: the clients of the first user."""
        for cls in clientmanager.ClientManager.__mro__ + osc_clientmanager.ClientManager.__mro__:
            for cached in vars(cls).values():
                if isinstance(cached, osc_clientmanager.ClientCache):
                    cached._handle = None

    def run(self, *words, stdin='', env=None):
        assert not stdin, 'it has none of its own'
        out, err, before = io.StringIO(), io.StringIO(), dict(os.environ)
        os.environ.clear()
        os.environ.update(env or self.env)
        self._forget_clients()
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                try:
                    code = shell.OpenStackShell().run(list(words))
                except SystemExit as end:
                    code = end.code
        finally:
            os.environ.clear()
            os.environ.update(before)
        return subprocess.CompletedProcess(words, code or 0, out.getvalue(), err.getvalue())
