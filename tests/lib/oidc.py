"""An OpenID Connect provider for tests, in a thread of the test's own: discovery, keys, tokens by password, client credentials
and code (with PKCE), introspection, userinfo. Nothing of it is secret, and it does what the test tells it to.

    with Provider() as provider:
        token = provider.access_token(sub='bob', groups=['a', 'b'])
"""

import base64
import hashlib
import hmac
import http.server
import json
import threading
import time
import urllib.parse
import uuid

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


def number(n, size=None):
    return b64(n.to_bytes(size or (n.bit_length() + 7) // 8, 'big'))


class Key:
    def __init__(self, kind, kid=None):
        self.kid = kid or uuid.uuid4().hex
        self.alg = {'rsa': 'RS256', 'ec': 'ES256', 'ed': 'EdDSA'}[kind]
        self.private = {'rsa': lambda: rsa.generate_private_key(65537, 2048), 'ec': lambda: ec.generate_private_key(ec.SECP256R1()),
                        'ed': ed25519.Ed25519PrivateKey.generate}[kind]()

    def jwk(self):
        public = self.private.public_key()
        jwk = {'kid': self.kid, 'use': 'sig', 'alg': self.alg}
        if self.alg == 'RS256':
            n = public.public_numbers()
            return dict(jwk, kty='RSA', n=number(n.n), e=number(n.e))
        if self.alg == 'ES256':
            n = public.public_numbers()
            return dict(jwk, kty='EC', crv='P-256', x=number(n.x, 32), y=number(n.y, 32))
        return dict(jwk, kty='OKP', crv='Ed25519', x=b64(public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)))

    def public_pem(self):
        return self.private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def sign(self, data):
        if self.alg == 'RS256':
            return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())
        if self.alg == 'ES256':
            r, s = utils.decode_dss_signature(self.private.sign(data, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, 'big') + s.to_bytes(32, 'big')
        return self.private.sign(data)


def jws(header, claims, sign):
    text = b64(json.dumps(header).encode()) + '.' + b64(json.dumps(claims).encode())
    return text + '.' + b64(sign(text.encode()))


def hs256(secret):
    return lambda data: hmac.new(secret, data, hashlib.sha256).digest()


class Provider:
    client_id, client_secret = 'virga', 'a secret: with/signs+and ü'

    def __init__(self):
        self.keys = [Key('ec'), Key('rsa'), Key('ed')]  # The first signs.
        self.users = {}     # name -> (password, claims)
        self.codes = {}     # code -> what it is good for
        self.opaque = {}    # token -> what introspection says
        self.userinfo = {}  # access token -> claims
        self.asked = []     # (method, path) of each request
        self.discovery = {}  # Members in place of the true ones.
        self.down = False
        self.token_answer = None  # In place of the token endpoint's.
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                provider.answer(self, None)

            def do_POST(self):
                form = self.rfile.read(int(self.headers.get('Content-Length', 0))).decode()
                provider.answer(self, dict(urllib.parse.parse_qsl(form)))

        self.server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.issuer = 'http://127.0.0.1:%d/realm' % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    # Tokens

    def claims(self, **more):
        now = int(time.time())
        claims = {'iss': self.issuer, 'aud': self.client_id, 'sub': 'bob', 'iat': now, 'exp': now + 300}
        claims.update(more)
        return {k: v for k, v in claims.items() if v is not None}

    def sign(self, claims, key=None, **header):
        key = key or self.keys[0]
        head = {'alg': key.alg, 'kid': key.kid, 'typ': 'JWT'}
        head.update(header)
        return jws({k: v for k, v in head.items() if v is not None}, claims, key.sign)

    def access_token(self, **claims):
        return self.sign(self.claims(**claims))

    # Its endpoints

    def document(self):
        top = self.issuer + '/'
        return dict({'issuer': self.issuer, 'jwks_uri': top + 'keys', 'token_endpoint': top + 'token', 'authorization_endpoint': top + 'authorize',
                     'introspection_endpoint': top + 'introspect', 'userinfo_endpoint': top + 'userinfo'}, **self.discovery)

    def is_client(self, request, form):
        header = request.headers.get('Authorization', '')
        if header.startswith('Basic '):
            pair = base64.b64decode(header[6:])
            try:
                name, _, secret = pair.decode().partition(':')
            except UnicodeDecodeError:
                name, _, secret = pair.decode('latin-1').partition(':')  # As python-requests does it.
            if (urllib.parse.unquote(name), urllib.parse.unquote(secret)) == (self.client_id, self.client_secret):
                return True
            return (name, secret) == (self.client_id, self.client_secret)
        return (form.get('client_id'), form.get('client_secret')) == (self.client_id, self.client_secret)

    def answer(self, request, form):
        parts = urllib.parse.urlsplit(request.path)
        path = parts.path.removeprefix('/realm')
        self.asked.append((request.command, path))
        query = dict(urllib.parse.parse_qsl(parts.query))
        if self.down:
            self.reply(request, 503, {})
        elif path == '/.well-known/openid-configuration':
            self.reply(request, 200, self.document())
        elif path == '/keys':
            self.reply(request, 200, {'keys': [k.jwk() for k in self.keys]})
        elif path == '/authorize':
            request.send_response(302)
            request.send_header('Location', self.authorize(query))
            request.end_headers()
        elif path == '/token' and form is not None:
            self.reply(request, *self.give_token(request, form))
        elif path == '/introspect' and form is not None:
            self.reply(request, *((200, self.opaque.get(form.get('token'), {'active': False})) if self.is_client(request, form) else (401, {})))
        elif path == '/userinfo':
            claims = self.userinfo.get(request.headers.get('Authorization', '').removeprefix('Bearer '))
            self.reply(request, 200 if claims else 401, claims or {})
        else:
            self.reply(request, 404, {})

    def authorize(self, query, **claims):
        """The user has logged in: where the browser is sent back to."""
        code = uuid.uuid4().hex
        self.codes[code] = dict(query, claims=claims)
        return query['redirect_uri'] + '?' + urllib.parse.urlencode({'code': code, 'state': query['state']})

    def give_token(self, request, form):
        if not self.is_client(request, form):
            return 401, {'error': 'invalid_client'}
        if self.token_answer is not None:
            return 200, self.token_answer
        if form['grant_type'] == 'password':
            password, claims = self.users.get(form['username'], (None, {}))
            if password is None or password != form['password']:
                return 401, {'error': 'invalid_grant'}
            return 200, {'access_token': self.access_token(**claims), 'token_type': 'Bearer'}
        if form['grant_type'] == 'client_credentials':
            return 200, {'access_token': self.access_token(sub=self.client_id), 'token_type': 'Bearer'}
        begun = self.codes.pop(form.get('code'), None)
        if begun is None or begun['redirect_uri'] != form['redirect_uri'] or \
                begun['code_challenge'] != b64(hashlib.sha256(form['code_verifier'].encode()).digest()):
            return 400, {'error': 'invalid_grant'}
        access = uuid.uuid4().hex
        claims = self.claims(nonce=begun['nonce'], **begun['claims'])
        self.userinfo[access] = {'sub': claims['sub'], 'department': 'physics', 'email': 'x@userinfo'}
        return 200, {'access_token': access, 'token_type': 'Bearer', 'id_token': self.sign(claims)}

    def reply(self, request, status, body):
        data = json.dumps(body).encode()
        request.send_response(status)
        request.send_header('Content-Type', 'application/json')
        request.send_header('Content-Length', str(len(data)))
        request.end_headers()
        request.wfile.write(data)
