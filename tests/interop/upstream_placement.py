"""OpenStack's own placement, from Debian's package python3-placement, in this process: a WSGI application over a SQLite
file, asked without a network in between. What it answers is what ours is compared with."""

import importlib.util
import io
import json
import logging
import os
import sqlite3
import sys
import urllib.parse


def why_not():
    """The reason why it cannot be run here, or None."""
    if importlib.util.find_spec("placement") is None:
        return "Debian's python3-placement is not installed; \"make interop\" installs it"
    return None


class Headers(dict):
    """Looked up without regard to case, as those of http.client."""

    def __init__(self, pairs):
        super().__init__((name.lower(), value) for name, value in pairs)

    def get(self, name, default=None):
        return super().get(name.lower(), default)


class UpstreamPlacement:
    """Its database is 'folder'/placement.sqlite, made now. Tokens are names (auth_strategy noauth2): "admin" is one."""

    def __init__(self, folder):
        from oslo_config import cfg
        from placement import conf, db_api, deploy
        logging.disable(logging.CRITICAL)  # It logs each refusal, and each unexpected exception with its trace.
        path = os.path.join(folder, "placement.conf")
        with open(path, "w") as f:
            f.write("[api]\nauth_strategy = noauth2\n[placement_database]\nsync_on_startup = true\nsqlite_synchronous = false\n"
                    f"connection = sqlite:///{folder}/placement.sqlite\n")
        config = cfg.ConfigOpts()
        conf.register_opts(config)
        config([], project="placement", default_config_files=[path])
        self.database = os.path.join(folder, "placement.sqlite")
        db_api.configure(config)
        self.application = deploy.loadapp(config)

    def request(self, method, path, body=None, headers=None):
        """(status, headers, content) like rest.request(): the same body and header conventions."""
        send = {"Accept": "application/json", "X-Auth-Token": "admin"}
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            send["Content-Type"] = "application/json"
        send.update(headers or {})
        path, _, query = path.partition("?")
        environ = {
            "REQUEST_METHOD": method, "SCRIPT_NAME": "", "QUERY_STRING": query, "SERVER_PROTOCOL": "HTTP/1.1",
            "PATH_INFO": urllib.parse.unquote_to_bytes(path).decode("latin-1"), "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8778", "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.errors": sys.stderr,
            "wsgi.input": io.BytesIO(body or b""), "wsgi.multithread": False, "wsgi.multiprocess": False, "wsgi.run_once": False,
        }
        if body is not None:
            environ["CONTENT_LENGTH"] = str(len(body))
        for name, value in ((n, v) for n, v in send.items() if v is not None):
            key = name.upper().replace("-", "_")
            environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + key] = value
        answer = {}

        def start_response(status, pairs, exc_info=None):
            answer["status"], answer["headers"] = int(status.split()[0]), Headers(pairs)

        parts = self.application(environ, start_response)
        content = b"".join(parts)
        if hasattr(parts, "close"):
            parts.close()
        if "json" in answer["headers"].get("Content-Type", "") and content:
            content = json.loads(content)
        return answer["status"], answer["headers"], content

    def sql(self, statement):
        with sqlite3.connect(self.database) as db:
            db.execute(statement)
        db.close()
