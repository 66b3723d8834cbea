"""Where a module call's source is: a folder of the repository, what `terraform init` fetched, or a table of ours."""

import json
from pathlib import Path

from preflight.sources.terraform.hcl.adapters import adapter
from preflight.sources.terraform.hcl.evaluate import outcome
from preflight.sources.terraform.hcl.folder import Folder
from preflight.sources.terraform.hcl.reading import Around, Reading, shown_name
from preflight.sources.terraform.hcl.repository import UnreadableError
from preflight.sources.terraform.hcl.syntax import Block
from preflight.sources.terraform.resources import Omission, Unsettled

_INIT = "terraform init, or a plan"


def find_module(module: Around, label: str, block: Block) -> Folder | Omission:
    """The module that a call means, or why it can't be read."""
    limits = module.reading.library.limits
    name = shown_name(module, label)
    said = block.body.attributes.get("source")
    source = outcome(said.expr, module.scope(said.source)) if said else None
    if not isinstance(source, str):
        why = source.why if isinstance(source, Unsettled) else "it has no source"
        return Omission(f"{name} was not read: {why}", _INIT, block.place)
    if module.depth >= limits.module_depth:
        return Omission(
            f"{name} is more than {limits.module_depth} modules deep, the limit here", "a plan", block.place
        )
    if source.startswith(("./", "../")) or source in {".", ".."}:
        path = f"{module.files.path}/{source}"
    else:
        installed = _installed(module.reading).get(_key(module, label))
        if installed is None or not installed[0].endswith(source):
            known = adapter(source, block)
            if known:
                return known
            return Omission(f"{name} was not read: its source {source} is not here", _INIT, block.place)
        path = f"{module.reading.root}/{installed[1]}"
    try:
        real = module.reading.library.repository.inside(path)
    except UnreadableError as error:
        return Omission(f"{name} was not read: {source}: {error}", "correct the source, or a plan", block.place)
    if not Path(real).is_dir():
        return Omission(f"{name} was not read: {source} is no folder", "correct the source", block.place)
    ancestor: Around | None = module
    while ancestor:
        if ancestor.files.path == real:
            return Omission(f"{name} calls a module that it is itself part of", "break the cycle", block.place)
        ancestor = ancestor.parent
    return module.reading.library.folder(real)


def _key(module: Around, label: str) -> str:
    """The call's key in modules.json: the labels on the way to it, without the instances' keys."""
    labels = [label]
    while module.parent and module.call:
        labels.append(module.call.labels[0])
        module = module.parent
    return ".".join(reversed(labels))


def _installed(reading: Reading) -> dict[str, tuple[str, str]]:
    """What `terraform init` fetched: source and folder by key; empty where it hasn't run."""
    if reading.installed is None:
        reading.installed = {}
        try:
            data = reading.library.repository.read(f"{reading.root}/.terraform/modules/modules.json")
            for one in json.loads(data)["Modules"]:
                reading.installed[str(one["Key"])] = (str(one["Source"]), str(one["Dir"]))
        except UnreadableError:
            pass  # not initialised: each module that is missing says so itself
        except (ValueError, TypeError, KeyError, RecursionError):
            pass  # no file of Terraform's; its modules count as missing
    return reading.installed
