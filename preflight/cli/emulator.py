"""`preflight emulator`: serve a world until it is told to stop, and say how to reach it."""

import contextlib
import json
import os
import re
import shlex
import signal
import textwrap
import threading
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

import click
from msgspec import Struct

from preflight.cli.world import open_world
from preflight.errors import UsageError, nearest

if TYPE_CHECKING:
    from preflight.emulator import Caller, Emulator, World

_MOST = 12
"""As many projects and callers are listed; a folder of recordings may hold thousands."""

_PORT = click.IntRange(min=0, max=65535)


@click.command(name="emulator")
@click.option("--world", "source", required=True, metavar="WORLD", help="A demo world's name, a file or a folder.")
@click.option("--port", type=_PORT, default=0, metavar="N", help="For REST.  [default: a free one]")
@click.option("--grpc-port", type=_PORT, default=0, metavar="N", help="For gRPC.  [default: a free one]")
@click.option(
    "--latency",
    type=click.FloatRange(min=0, max=60_000),
    default=0.0,
    metavar="MS",
    help="Milliseconds that every call takes longer.",
)
@click.option("--caller", metavar="EMAIL", help="Whose token is in the environment.  [default: the world's first]")
@click.option(
    "--print",
    "form",
    type=click.Choice(["guide", "env", "json"]),
    default="guide",
    show_default=True,
    help="What stdout gets: all of it, the environment to source, or one JSON object.",
)
def command(source: str, port: int, grpc_port: int, latency: float, caller: str | None, form: str) -> None:
    """Serve a made-up world in place of Google's APIs, on this machine only, until Ctrl-C.

    Prints how to point preflight, Google's clients and curl at it. Demo worlds: preflight world list. A world of
    your own: preflight world init.
    """
    if port and port == grpc_port:
        raise UsageError(f"--port and --grpc-port are both {port}.", "REST and gRPC each need a port of their own.")
    found = open_world(source)
    who = _caller(found, caller)
    with _told_to_stop() as told, _serving(found, latency / 1000, port, grpc_port) as cloud:
        serving = _describe(source, found, cloud, who)
        click.echo({"guide": _guide, "env": _exports, "json": _json}[form](serving))
        click.echo(f"Serving '{source}'. Ctrl-C stops it.", err=True)
        told.wait()
        answered = len(cloud.exchanges)
    click.echo(f"\nStopped; it had answered {answered} call{'' if answered == 1 else 's'}.", err=True)


class Serving(Struct, frozen=True):
    """What whoever wants to reach the stand-in has to know."""

    world: str
    environ: dict[str, str]
    """For the chosen caller."""
    callers: "tuple[Caller, ...]"
    """The chosen one first."""
    projects: tuple[str, ...]

    @property
    def rest(self) -> str:
        """The REST endpoint."""
        return self.environ["PREFLIGHT_REST_ENDPOINT"]


def _describe(source: str, found: "World", cloud: "Emulator", caller: str) -> Serving:
    from preflight.emulator.directory import Directory

    known = Directory(found).callers
    chosen = known[caller.lower()]
    return Serving(
        world=source,
        environ={**cloud.environ(caller), "BIGQUERY_EMULATOR_HOST": cloud.rest_endpoint},
        callers=(chosen, *(other for other in known.values() if other is not chosen)),
        projects=tuple(project.id for project in found.projects),
    )


def _caller(found: "World", wanted: str | None) -> str:
    from preflight.emulator.directory import Directory
    from preflight.testing import first_caller

    known = Directory(found).callers
    if not known:
        raise UsageError("Nobody can call in this world.", "Add [[callers]] to it: see preflight world init.")
    if wanted is not None and wanted.lower() not in known:
        raise UsageError(f"There is no caller '{wanted}' in this world.", nearest(wanted, list(known)[:_MOST]))
    return wanted or first_caller(found)


@contextlib.contextmanager
def _serving(found: "World", latency: float, port: int, grpc_port: int) -> "Iterator[Emulator]":
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # it would write to stderr by itself; read when it is imported
    from preflight.emulator import Emulator

    cloud = Emulator(found, latency, rest_port=port, grpc_port=grpc_port)
    try:
        cloud.start()
    except (OSError, OverflowError) as error:
        asked = " or ".join(str(number) for number in (port, grpc_port) if number) or "any"
        why = getattr(error, "strerror", None) or "it is in use, or not allowed"
        raise UsageError(
            f"The stand-in can't listen on port {asked}: {why}.", "Name another, or leave it out for a free one."
        ) from error
    try:
        yield cloud
    finally:
        cloud.stop()


@contextlib.contextmanager
def _told_to_stop() -> Iterator[threading.Event]:
    """An event that Ctrl-C, a polite kill and a closing terminal set, so that each ends the stand-in cleanly."""
    told = threading.Event()

    def hear(_number: int, _frame: FrameType | None) -> None:
        told.set()

    before: dict[int, Any] = {}
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and not (name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN):  # nohup
            before[number] = signal.signal(number, hear)
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _json(serving: Serving) -> str:
    callers = [{"email": c.email, "kind": c.kind, "token": c.bearer, "expired": c.expired} for c in serving.callers]
    facts = {
        "world": serving.world,
        "rest_endpoint": serving.rest,
        "grpc_endpoint": serving.environ["PREFLIGHT_GRPC_ENDPOINT"],
        "ca_file": serving.environ["PREFLIGHT_CA_FILE"],
        "environ": serving.environ,
        "callers": callers,
        "projects": list(serving.projects),
    }
    return json.dumps(facts, indent=2)


def _exports(serving: Serving) -> str:
    lines = [f"export {name}={shlex.quote(value)}" for name, value in serving.environ.items()]
    if getproxies_environment() and not proxy_bypass_environment("127.0.0.1"):
        lines.append('export NO_PROXY="${NO_PROXY:+$NO_PROXY,}127.0.0.1"')
    return "\n".join(lines)


def _guide(serving: Serving) -> str:
    from shutil import get_terminal_size

    from preflight.renderers.visible import visible

    width = min(get_terminal_size((100, 24)).columns, 100)
    chosen, *others = serving.callers
    # Into programs and shells goes only an ID that can't act in them.
    project = next((p for p in serving.projects if re.fullmatch(r"[a-z0-9.:-]+", p)), "my-project")
    parts = [
        (f"Paste this into another shell; it makes you {chosen.email}.", _exports(serving)),
        ("Then check a project.", _listed([f"preflight run --project {shlex.quote(p)}" for p in serving.projects])),
        ("Or be somebody else.", _listed([_become(other) for other in others])),
        ("Google's clients for Python, in that shell. gRPC is over TLS, with the stand-in's own CA.",
         PYTHON.replace("PROJECT", project)),
        ("And for Node (npm install @google-cloud/resource-manager @google-cloud/bigquery).",
         NODE.replace("PROJECT", project)),
        ("Anything else, over REST.", CURL.replace("PROJECT", project)),
    ]  # fmt: skip
    text = "\n\n".join(
        f"{textwrap.fill(f'# {title}', width, subsequent_indent='# ')}\n{body}" for title, body in parts if body
    )
    return visible(text, keep="\n") + "\n"


def _become(caller: "Caller") -> str:
    """The line that changes the caller; it says whose token that is only where the token doesn't."""
    line = f"export GOOGLE_OAUTH_ACCESS_TOKEN={shlex.quote(caller.bearer)}"
    known_by = "" if caller.email in caller.bearer else caller.email
    remarks = ", ".join(filter(None, (known_by, "expired" if caller.expired else "")))
    return f"{line}  # {remarks}" if remarks else line


def _listed(lines: list[str]) -> str:
    more = [f"# ... and {len(lines) - _MOST} more"] if len(lines) > _MOST else []
    return "\n".join([*lines[:_MOST], *more])


PYTHON = """\
GRPC_DEFAULT_SSL_ROOTS_FILE_PATH=$PREFLIGHT_CA_FILE python3 - <<'END'
import os
from google.cloud import bigquery, resourcemanager_v3
from google.oauth2.credentials import Credentials

me = Credentials(os.environ["GOOGLE_OAUTH_ACCESS_TOKEN"])
here = {"api_endpoint": os.environ["PREFLIGHT_GRPC_ENDPOINT"]}
projects = resourcemanager_v3.ProjectsClient(credentials=me, client_options=here)
print(projects.get_project(name="projects/PROJECT").display_name)
datasets = bigquery.Client("PROJECT", credentials=me).list_datasets()  # by BIGQUERY_EMULATOR_HOST
print([dataset.dataset_id for dataset in datasets])
END"""

NODE = """\
GRPC_DEFAULT_SSL_ROOTS_FILE_PATH=$PREFLIGHT_CA_FILE \\
BIGQUERY_EMULATOR_HOST=$PREFLIGHT_REST_ENDPOINT/bigquery/v2 node - <<'END'
const { ProjectsClient } = require("@google-cloud/resource-manager");
const { BigQuery } = require("@google-cloud/bigquery");
const { OAuth2Client } = require("google-auth-library");

const env = process.env, authClient = new OAuth2Client();
authClient.setCredentials({ access_token: env.GOOGLE_OAUTH_ACCESS_TOKEN });
const [apiEndpoint, port] = env.PREFLIGHT_GRPC_ENDPOINT.split(":");
(async () => {
  const projects = new ProjectsClient({ apiEndpoint, port: Number(port), authClient });
  console.log((await projects.getProject({ name: "projects/PROJECT" }))[0].displayName);
  const [datasets] = await new BigQuery({ projectId: "PROJECT", authClient }).getDatasets();
  console.log(datasets.map((dataset) => dataset.id));
})();
END"""

CURL = """\
curl -H "Authorization: Bearer $GOOGLE_OAUTH_ACCESS_TOKEN" \\
  "$PREFLIGHT_REST_ENDPOINT/v3/projects/PROJECT\""""
