"""OpenStack's own Keystone, from Debian's package python3-keystone: on loopback, in a folder of its own. Its database is one of a test's cloud.

    with Cloud(...) as cloud, UpstreamKeystone(cloud, port) as keystone:
        session = keystone.login('admin')
        keystone.call('POST', '/v3/projects', {'project': {'name': 'demo'}})"""

import os
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import time
import wsgiref.simple_server

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'lib'))
import rest  # noqa: E402

ADMIN_PASSWORD = 'admin-password'


def why_not():
    """The reason why it cannot be run here, or None."""
    if shutil.which('keystone-manage') is None:
        return 'Debian\'s python3-keystone is not installed; "make interop" installs it'
    return None


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class UpstreamKeystone:
    def __init__(self, cloud, port):
        cloud.make_database('keystone')
        self.database = cloud.database_url('keystone').replace('postgresql:', 'postgresql+psycopg2:', 1)
        self.folder = tempfile.mkdtemp(prefix='virga-keystone-')
        self.process = None
        self.port = port
        self.root = 'http://127.0.0.1:%d' % self.port
        self.urls = {'identity': self.root}
        self.environment = dict(os.environ, OS_KEYSTONE_CONFIG_FILES=os.path.join(self.folder, 'keystone.conf'), PYTHONWARNINGS='ignore')
        try:
            self.configure()
            self.manage('fernet_setup', '--keystone-user', str(os.getuid()), '--keystone-group', str(os.getgid()))
            self.manage('db_sync')
            self.manage('bootstrap', '--bootstrap-password', ADMIN_PASSWORD, '--bootstrap-public-url', self.root + '/v3', '--bootstrap-region-id', 'RegionOne')
            self.start()
        except BaseException:
            self.close()
            raise
        self.admin = self.login('admin', ADMIN_PASSWORD, project='admin')

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def configure(self, expiration=3600):
        """'expiration': of tokens made from now on; for the next start."""
        sections = {'DEFAULT': {'log_file': f'{self.folder}/keystone.log'}, 'database': {'connection': self.database},
                    'token': {'expiration': expiration},
                    'fernet_tokens': {'key_repository': f'{self.folder}/keys'}, 'cache': {'enabled': 'false'}, 'identity': {'password_hash_rounds': 4}, 'oslo_policy': {'policy_file': f'{self.folder}/none.yaml'}}
        with open(f'{self.folder}/keystone.conf', 'w', encoding='utf-8') as file:
            for section, keys in sections.items():
                file.write(f'[{section}]\n' + ''.join(f'{key} = {value}\n' for key, value in keys.items()))

    def manage(self, *arguments):
        done = subprocess.run(['keystone-manage', '--config-file', f'{self.folder}/keystone.conf', *arguments], env=self.environment,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f'keystone-manage {arguments[0]}: {done.stdout}')

    def start(self):
        with open(f'{self.folder}/output', 'a', encoding='utf-8') as output:
            self.process = subprocess.Popen([sys.executable, os.path.realpath(__file__), str(self.port)], env=self.environment,
                                            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if rest.request('GET', self.root + '/v3', timeout=5)[0] == 200:
                    return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError('keystone does not start: ' + self.output())

    def output(self):
        with open(f'{self.folder}/output', encoding='utf-8', errors='replace') as output:
            return output.read()[-4000:]

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def close(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def authenticate(self, identity, scope=None):
        """A session, or a failed assertion."""
        body = {'auth': dict({'identity': identity}, **({'scope': scope} if scope else {}))}
        status, headers, content = rest.request('POST', self.root + '/v3/auth/tokens', body)
        if status != 201:
            raise AssertionError(f'keystone: {status} {content}')
        return rest.Session(self.urls, headers['X-Subject-Token'], content['token'])

    def login(self, name, password, project=None, scope=None):
        if project is not None:
            scope = {'project': {'name': project, 'domain': {'id': 'default'}}}
        return self.authenticate({'methods': ['password'], 'password': {
            'user': {'name': name, 'domain': {'id': 'default'}, 'password': password}}}, scope)

    def call(self, method, path, body=None, session=None, headers=None):
        """The content of a successful answer."""
        status, _, content = (session or self.admin).request(method, 'identity', path, body, headers)
        if not 200 <= status < 300:
            raise AssertionError(f'keystone: {method} {path}: {status} {content}\n{self.output()}')
        return content


class Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    """Its own, keystone-wsgi-public, serves one connection at a time, idle ones too."""
    daemon_threads = True


def serve(port):
    sys.argv[1:] = []  # It reads them too.
    from keystone.server.wsgi import initialize_public_application
    wsgiref.simple_server.make_server('127.0.0.1', port, initialize_public_application(), Server).serve_forever()


if __name__ == '__main__':
    serve(int(sys.argv[1]))
