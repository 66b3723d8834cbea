"""A small server on loopback in the place of token endpoints, STS, metadata server and generateAccessToken."""

import json
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.sources.live.test_proxy import InspectingProxy

Proxy = InspectingProxy
TARGET = "auditor@acme-tools.iam.gserviceaccount.com"
DELEGATE = "gate@acme-tools.iam.gserviceaccount.com"
METADATA = {"Metadata-Flavor": "Google"}
SECRETS = {
    "refresh": "1//refresh-sesame",
    "client": "GOCSPX-client-sesame",
    "subject": "eyJ.subject-sesame.sig",
    "source": "ya29.source-sesame",
}


def generate(account):
    return f"POST /v1/projects/-/serviceAccounts/{account}:generateAccessToken"


def rpc_error(code, status, reason="", **metadata):
    """A refusal in the form of google.rpc.Status; the message holds what must never be shown."""
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "metadata": metadata}
    return {"error": {"code": code, "status": status, "message": "server-sesame", "details": [info] if reason else []}}


class TokenServer(ThreadingHTTPServer):
    """Answers what its table says; hands all else to `behind`, if there is such."""

    daemon_threads = True

    def __init__(self, behind=""):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = {}
        self.asked = []
        self.behind = behind
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def host(self):
        return f"127.0.0.1:{self.server_port}"

    @property
    def url(self):
        return f"http://{self.host}"

    def on(self, request, body, status=200, headers=None):
        """`on("POST /token", {...}, 400)`; several for one request are given one after another, the last for ever."""
        self.answers.setdefault(request, []).append((status, body, headers or {}))

    def gives(self, request, token):
        self.on(request, {"access_token": token, "expires_in": 3600, "token_type": "Bearer"})

    def impersonates(self, account, token):
        self.on(generate(account), {"accessToken": token, "expireTime": "2100-01-01T00:00:00Z"})

    def is_a_machine(self, token, account=TARGET):
        base = "GET /computeMetadata/v1"
        self.on("GET /", "computeMetadata/", headers=METADATA)
        self.on(f"{base}/universe/universe-domain", "googleapis.com", headers=METADATA)
        if account:
            info = {"email": account, "scopes": [], "aliases": ["default"]}
            self.on(f"{base}/instance/service-accounts/default/", info, headers=METADATA)
            self.gives(f"{base}/instance/service-accounts/default/token", token)

    @property
    def requests(self):
        return [f"{verb} {path}" for verb, path, _, _ in self.asked]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self.serve
        raise AttributeError(name)

    def log_message(self, *_):
        pass

    def serve(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        server = self.server
        headers = {name.title(): value for name, value in self.headers.items()}
        server.asked.append((self.command, path, headers, raw.decode()))
        table = server.answers.get(f"{self.command} {path}")
        if table:
            status, body, headers = table.pop(0) if len(table) > 1 else table[0]
        elif server.behind:
            status, body, headers = self.forwarded(raw)
        else:
            status, body, headers = 404, {"error": "no such thing"}, {}
        payload = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        headers = {"Content-Type": "text/plain" if isinstance(body, str) else "application/json", **headers}
        for name, value in {**headers, "Content-Length": str(len(payload))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(payload)

    def forwarded(self, raw):
        kept = {k: v for k, v in self.headers.items() if k not in {"Host", "Content-Length", "Accept-Encoding"}}
        url = self.server.behind + self.path
        request = urllib.request.Request(url, data=raw or None, headers=kept, method=self.command)
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
                return answer.status, json.loads(answer.read()), {}
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read()), {}


def private_key():
    return (
        rsa.generate_private_key(65537, 2048)
        .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        .decode()
    )


def service_account(url, email=TARGET, **more):
    return {
        "type": "service_account",
        "client_email": email,
        "private_key": private_key(),
        "private_key_id": "1",
        "token_uri": f"{url}/token",
        **more,
    }


def user(**more):
    """A user's file names no token endpoint: tests set Google's."""
    secrets = {"client_secret": SECRETS["client"], "refresh_token": SECRETS["refresh"]}
    return {"type": "authorized_user", "client_id": "id", **secrets, **more}


PROVIDER = "//iam.googleapis.com/projects/123456/locations/global/workloadIdentityPools/ci/providers/github"


def external(url, source, **more):
    return {
        "type": "external_account",
        "audience": PROVIDER,
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": f"{url}/v1/token",
        "credential_source": source,
        **more,
    }
