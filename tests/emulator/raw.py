"""Plain HTTP to a stand-in, where a client of Google's would be in the way."""

import http.client
import json
from typing import Any

from preflight.emulator import Emulator


def ask(
    cloud: Emulator,
    verb: str,
    path: str,
    *,
    caller: str = "",
    body: Any = None,
    headers: dict[str, str] | None = None,
    timeout: float = 5.0,
) -> tuple[int, dict[str, str], Any]:
    """Status, headers and body (as JSON where it is, else bytes). `caller` is an e-mail."""
    host, _, port = cloud.rest_endpoint.removeprefix("http://").partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=timeout)
    sent = dict(headers or {})
    if caller:
        sent["Authorization"] = f"Bearer {cloud.token(caller)}"
    try:
        connection.request(verb, path, None if body is None else json.dumps(body), sent)
        response = connection.getresponse()
        raw = response.read()
    finally:
        connection.close()
    told = {key.lower(): value for key, value in response.getheaders()}
    return response.status, told, json.loads(raw) if "json" in told.get("content-type", "") else raw
