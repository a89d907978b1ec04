"""An LDAP server for tests: Debian's slapd in a folder and on a loopback port of its own, ended whatever happens.

    with Slapd() as directory:
        directory.person('ada', 'her password')
        directory.start()

What is in it is .entries; a change is seen after another start(), which takes a tenth of a second."""
import base64
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

SUFFIX = 'dc=example,dc=org'
ADMIN = 'cn=admin,' + SUFFIX
PASSWORD = 'directory secret'

_CONFIG = """include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
sizelimit {sizelimit}
{tls}
database mdb
suffix "{suffix}"
rootdn "{admin}"
rootpw "{password}"
directory {folder}/db
maxsize 67108864
access to attrs=userPassword by anonymous auth by * none
access to * by users read by anonymous auth
"""


def _line(name, value):
    return '%s:: %s\n' % (name, base64.b64encode(value.encode()).decode())


class Slapd:
    """'tls': (certificate, key) files. Its .url, and .start() and .stop(); entries are a dict of DN -> attributes."""

    def __init__(self, tls=None, sizelimit=500):
        self.folder = tempfile.mkdtemp(prefix='virga-slapd-')
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            self.port = probe.getsockname()[1]
        self.url = '%s://127.0.0.1:%d' % ('ldaps' if tls else 'ldap', self.port)
        self.entries = {
            SUFFIX: {'objectClass': ['dcObject', 'organization'], 'dc': ['example'], 'o': ['Example']},
            'ou=people,' + SUFFIX: {'objectClass': ['organizationalUnit'], 'ou': ['people']},
            'ou=groups,' + SUFFIX: {'objectClass': ['organizationalUnit'], 'ou': ['groups']},
        }
        self._tls = 'TLSCertificateFile %s\nTLSCertificateKeyFile %s' % tls if tls else ''
        self._sizelimit = sizelimit
        self._process = None
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def person(self, uid, password, **more):
        dn = 'uid=%s,ou=people,%s' % (uid, SUFFIX)
        self.entries[dn] = dict({'objectClass': ['inetOrgPerson'], 'uid': [uid], 'cn': [uid], 'sn': [uid],
                                 'userPassword': [password]}, **more)
        return dn

    def group(self, cn, members, **more):
        dn = 'cn=%s,ou=groups,%s' % (cn, SUFFIX)
        self.entries[dn] = dict({'objectClass': ['groupOfNames'], 'cn': [cn], 'member': list(members)}, **more)
        return dn

    def start(self):
        """Serves the entries as they are now."""
        self.stop()
        shutil.rmtree(self.folder + '/db', ignore_errors=True)
        os.mkdir(self.folder + '/db')
        with open(self.folder + '/slapd.conf', 'w', encoding='utf-8') as f:
            f.write(_CONFIG.format(folder=self.folder, suffix=SUFFIX, admin=ADMIN, password=PASSWORD, tls=self._tls,
                                   sizelimit=self._sizelimit))
        ldif = '\n'.join(_line('dn', dn) + ''.join(_line(name, value) for name, values in attributes.items() for value in values)
                         for dn, attributes in self.entries.items())
        subprocess.run(['/usr/sbin/slapadd', '-q', '-f', self.folder + '/slapd.conf'], input=ldif.encode(), check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self._process = subprocess.Popen(['/usr/sbin/slapd', '-d', '0', '-f', self.folder + '/slapd.conf', '-h', self.url + '/'],
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=_die_with_parent)
        end = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(('127.0.0.1', self.port), 1).close()
                return
            except OSError:
                if time.monotonic() > end or self._process.poll() is not None:
                    raise RuntimeError('slapd does not start')
                time.sleep(0.02)

    def stop(self):
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def freeze(self, frozen=True):
        """A server that takes connections and answers nothing."""
        self._process.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)

    def close(self):
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _die_with_parent():
    import ctypes
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
