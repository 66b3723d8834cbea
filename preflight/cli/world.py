"""`preflight world`: write, check and list worlds, the files that the stand-in serves."""

import re
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from preflight.cli.layout import Group, table
from preflight.cli.new_file import write_new
from preflight.errors import UsageError, nearest

if TYPE_CHECKING:
    from preflight.emulator import World

_MOST = 20
"""Lists longer than this are cut: a folder of recordings may hold thousands."""

TEMPLATE = """\
# A world for the stand-in of Google's APIs: `preflight emulator --world {name}` serves it.
# Names end in .example and numbers are made up. What a caller may do is computed from the bindings below.
# As it stands, the project is ready for Heap. Take a line away and run again.

# Whoever calls. A token is `token-for-` and the e-mail; whoever a binding or a group names can call as well.
[[callers]]
email = "admin@acme.example"
# kind = "service_account"       # for an account of a program; "user" if left out
# expired = true                 # its token is refused

# A Google group and who is in it directly: user:..., serviceAccount:..., group:...
[[groups]]
email = "data-team@acme.example"
members = ["user:admin@acme.example", "user:ana@acme.example"]

# The organization. Users of the domain in display_name belong to it.
[[organizations]]
id = "1000"
display_name = "acme.example"

# A grant on the organization: one role for some members; folders and projects inherit it.
[[organizations.bindings]]
role = "roles/iam.securityAuditor"
members = ["user:admin@acme.example"]

# A folder; parent is organizations/N or folders/N.
[[folders]]
id = "2000"
parent = "organizations/1000"
display_name = "analytics"

# The project. Both the ID and the number are needed; leave parent out for a project outside any organization.
[[projects]]
id = "acme-analytics"
number = "3000"
parent = "folders/2000"
display_name = "Acme Analytics"
# The services (APIs) that are enabled; all others are off.
services = [
    "bigquery.googleapis.com",
    "cloudbilling.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "iam.googleapis.com",
    "serviceusage.googleapis.com",
]
# The billing account. Left out: none was ever linked. enabled = false: the linked one is closed.
billing = { account = "billingAccounts/01A2B3-C4D5E6-F70819", enabled = true }
# state = "DELETE_REQUESTED"     # ACTIVE if left out
# withheld = ["cloudbilling.projects.getBillingInfo"]   # refused here whoever asks

# The grants on the project.
[[projects.bindings]]
role = "roles/viewer"
members = ["user:admin@acme.example", "group:data-team@acme.example"]

# Lets the admin name this project as the one that is charged for calls.
[[projects.bindings]]
role = "roles/serviceusage.serviceUsageConsumer"
members = ["user:admin@acme.example"]

# The vendor's account.
[[projects.bindings]]
role = "roles/bigquery.user"
members = ["serviceAccount:heap-sql@heap-204122.iam.gserviceaccount.com"]
# condition = { title = "till 2030", expression = "request.time < timestamp('2030-01-01T00:00:00Z')" }

# A dataset. location is US if left out; access has the shape of BigQuery's JSON; tables are just names.
[[projects.datasets]]
id = "marketing"
location = "EU"
access = [
    { role = "OWNER", specialGroup = "projectOwners" },
    { role = "WRITER", specialGroup = "projectWriters" },
    { role = "READER", groupByEmail = "data-team@acme.example" },
]
tables = [{ id = "campaigns" }, { id = "spend_by_week", type = "VIEW" }]

# More keys, such as custom roles, deny policies and a stopped clock: docs/worlds.md in the source.
"""


@click.group(name="world", cls=Group, help="Write, check or list worlds for the emulator.")
def command() -> None:
    """The group of the commands about worlds."""


@command.command(name="init")
@click.argument("path", type=click.Path(path_type=Path), default=Path("world.toml"))
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
def init(path: Path, force: bool) -> None:
    """Write a small world with every key explained, to PATH (world.toml unless given).

    It can be served as it stands: preflight emulator --world PATH
    """
    path = path / "world.toml" if path.is_dir() else path
    from preflight.renderers.visible import visible

    write_new(
        path,
        TEMPLATE.replace("{name}", visible(path.name)),
        taken=UsageError(f"'{path}' is there already.", "Name another file, or overwrite it with --force."),
        otherwise="Name another file.",
        force=force,
    )
    click.echo(f"Wrote {visible(str(path))}. Serve it with: preflight emulator --world {visible(_quoted(path))}")


@command.command(name="check")
@click.argument("source", metavar="WORLD")
def check(source: str) -> None:
    """Say what is in a WORLD (a file, a folder or a demo world's name), or what is wrong with it."""
    from preflight.renderers.visible import visible

    found = open_world(source)
    click.echo(visible(f"{source} can be served.") + "\n")
    click.echo("\n".join(visible(line) for line in _contents(found)))
    if notes := _notes(found):
        click.echo("\nWorth a look:")
        click.echo("\n".join(f"- {visible(note)}" for note in _cut(notes)))


@command.command(name="list")
def list_worlds() -> None:
    """List the demo worlds, one a line."""
    from importlib import resources

    from preflight.emulator import World

    folder = resources.files("preflight.emulator") / "worlds"
    rows = [(name, _first_sentence((folder / f"{name}.toml").read_text(encoding="utf-8"))) for name in World.demos()]
    click.echo(table(rows, ("world", "what it is")))


def open_world(source: str) -> "World":
    """A demo world by its name, or a world by its path. Raises UsageError that names file and key."""
    from preflight.emulator import World, WorldError

    try:
        if source in World.demos():
            return World.demo(source)
        if not Path(source).exists():
            raise UsageError(
                f"There is no world '{source}': no demo world is called so, and no file or folder.",
                nearest(source, World.demos()),
            )
        return World.load(source)
    except WorldError as error:
        raise UsageError(f"{error}.", _hint(str(error))) from error
    except OSError as error:
        raise UsageError(f"World '{source}' can't be read: {error.strerror}.") from error


def _hint(message: str) -> str:
    """For an unknown key: the nearest one that may be there, and all of them."""
    unknown = re.search(r"unknown field `([^`]*)`(?: - at `\$([^`]*)`)?", message)
    if unknown is None:
        return ""
    from preflight.emulator import World

    kind: Any = World
    for name in re.findall(r"\.(\w+)", unknown[2] or ""):
        kind = _struct_in(typing.get_type_hints(kind).get(name)) or kind
    return nearest(unknown[1], list(kind.__struct_fields__))


def _struct_in(hint: Any) -> Any:
    """The kind of table that a key holds, perhaps in a list; None for plain values."""
    if hasattr(hint, "__struct_fields__"):
        return hint
    return next((found for inner in typing.get_args(hint) if (found := _struct_in(inner))), None)


def _contents(found: "World") -> list[str]:
    lines = []
    for project in found.projects:
        where = f" in {project.parent}" if project.parent else ""
        sizes = f"{_count(project.bindings, 'binding')}, {_count(project.datasets, 'dataset')}"
        lines.append(f"project       {project.id} ({project.state}){where}: {sizes}")
    lines += [f"folder        {f.name} in {f.parent}: {_count(f.bindings, 'binding')}" for f in found.folders]
    lines += [f"organization  {o.name} {o.display_name}: {_count(o.bindings, 'binding')}" for o in found.organizations]
    lines += [f"group         {group.email}: {_count(group.members, 'member')}" for group in found.groups]
    lines += [f"caller        {caller.email}{' (expired)' if caller.expired else ''}" for caller in found.callers]
    return _cut(lines) or ["It is empty: every call about a project is refused."]


def _notes(found: "World") -> list[str]:
    """What can be served, but is likely not what its author meant."""
    from preflight.emulator.directory import Directory

    directory = Directory(found)
    notes: dict[str, None] = {}  # a set that keeps its order
    accounts = [account for one in found.callers if (account := directory.account(one.email))]
    for node in (*found.projects, *found.folders, *found.organizations, *accounts):
        parent = getattr(node, "parent", "")
        if parent and directory.node(parent) is None:
            notes[f"{parent}, the parent of {node.name}, is not in the world: it can't be read."] = None
        for binding in node.bindings:
            if directory.usable_role(binding, node) is None:
                notes[f"{binding.role} on {node.name} grants nothing: this world has no such role there."] = None
            for member in binding.members:
                kind, _, email = member.partition(":")
                if kind == "group" and email.lower() not in directory.groups:
                    notes[f"{member} on {node.name} has no [[groups]] entry: nobody is in it."] = None
    if not directory.callers:
        notes["Nobody can call: add [[callers]]."] = None
    return list(notes)


def _cut(lines: list[str]) -> list[str]:
    if len(lines) <= _MOST:
        return lines
    return [*lines[:_MOST], f"... and {len(lines) - _MOST} more"]


def _count(things: tuple[Any, ...], name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"


def _first_sentence(text: str) -> str:
    """What the comment at the top of a world's file says, up to its first full stop or colon."""
    comment = " ".join(line.removeprefix("#").strip() for line in text.partition("\n\n")[0].splitlines())
    return re.split(r"[.:](?: |$)", comment)[0]


def _quoted(path: Path) -> str:
    from shlex import quote

    return quote(str(path))
