"""A small HTTP client for tests: one request, one answer, nothing hidden; and sessions with a token."""

import http.client
import json
import urllib.parse


def request(method, url, body=None, headers=None, timeout=60):
    """Sends one request and returns (status, headers, content).

    'body': a dict or list goes out as JSON; bytes, a file or an iterable of bytes as they are. 'content' is the parsed
    JSON if the answer says it is JSON, else bytes. 'headers' of the answer are looked up without regard to case."""
    parts = urllib.parse.urlsplit(url)
    path = parts.path + ("?" + parts.query if parts.query else "")
    send = {"Accept": "application/json"}
    if isinstance(body, (dict, list)):
        body = json.dumps(body).encode()
        send["Content-Type"] = "application/json"
    send.update(headers or {})
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    try:
        connection.request(method, path or "/", body=body, headers=send)
        answer = connection.getresponse()
        content = answer.read()
    finally:
        connection.close()
    if "json" in answer.headers.get("Content-Type", "") and content:
        content = json.loads(content)
    return answer.status, answer.headers, content


class RequestFailed(AssertionError):
    """An answer other than the expected one; its text shows what was said."""


class Session:
    """One user's view of a cloud: 'urls' maps a service ("compute") to its address, 'token' may be None."""

    def __init__(self, urls, token=None, answer=None):
        self.urls, self.token = urls, token
        self.auth = answer  # What identity said with the token: body["token"].

    @property
    def project_id(self):
        return self.auth["project"]["id"]

    @property
    def user_id(self):
        return self.auth["user"]["id"]

    def at(self, daemon):
        """The same user, asking this daemon of its service."""
        return Session(dict(self.urls, **{daemon.kind: daemon.url}), self.token, self.auth)

    def request(self, method, service, path, body=None, headers=None, timeout=60):
        """(status, headers, content) of a request to 'service', whatever the status is."""
        send = {} if self.token is None else {"X-Auth-Token": self.token}
        send.update(headers or {})
        return request(method, self.urls[service] + path, body, send, timeout)

    def expect(self, expected, method, service, path, body=None, headers=None):
        """The content of an answer whose status must be 'expected' (a number or several)."""
        status, _, content = self.request(method, service, path, body, headers)
        if status not in (expected if isinstance(expected, (tuple, list)) else (expected,)):
            raise RequestFailed(f"{method} {service} {path}: {status}, expected {expected}: {content}")
        return content


def authenticate(urls, user, password, project=None, scope=None, domain="Default"):
    """A session by password: scoped to 'project' (of the same domain), to 'scope' as given, or unscoped."""
    auth = {"identity": {"methods": ["password"], "password": {
        "user": {"name": user, "domain": {"name": domain}, "password": password}}}}
    if project is not None:
        scope = {"project": {"name": project, "domain": {"name": domain}}}
    if scope is not None:
        auth["scope"] = scope
    status, headers, content = request("POST", urls["identity"] + "/v3/auth/tokens", {"auth": auth})
    if status != 201:
        raise RequestFailed(f"authentication of {user}: {status}: {content}")
    return Session(urls, headers["X-Subject-Token"], content["token"])
