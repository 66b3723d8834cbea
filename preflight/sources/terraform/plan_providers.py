"""Which resources of a plan leave their project to the provider, and which project that is.

Older providers say `after_unknown.project: true` for such resources; only the plan's configuration tells them from
those whose project hangs on another resource. Of the configuration nothing else is decoded.
"""

import re
from typing import Any

from msgspec import Struct, field

from preflight.sources.terraform.resources import Unsettled, Value

_INDEX = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"|\d+)\]')


class _Expressions(Struct):
    project: Any = None
    """`{"constant_value": …}`, `{"references": […]}`, or nothing where it isn't written."""


class _Resource(Struct):
    address: str = ""
    provider_config_key: str = ""
    expressions: _Expressions = field(default_factory=_Expressions)


class _Call(Struct):
    module: "_Module | None" = None


class _Module(Struct):
    resources: tuple[_Resource, ...] = ()
    module_calls: dict[str, _Call] = field(default_factory=dict)


class _Provider(Struct):
    expressions: _Expressions = field(default_factory=_Expressions)


class Configuration(Struct):
    """What a plan's `configuration` says of projects."""

    provider_config: dict[str, _Provider] = field(default_factory=dict)
    root_module: _Module = field(default_factory=_Module)


class Providers:
    """Looks up what a resource's configuration says."""

    def __init__(self, configuration: Configuration) -> None:
        self._providers = configuration.provider_config
        self._resources: dict[str, _Resource] = {}
        left: list[tuple[str, _Module]] = [("", configuration.root_module)]
        while left:
            prefix, module = left.pop()
            self._resources |= {prefix + one.address: one for one in module.resources}
            left += [
                (f"{prefix}module.{name}.", call.module) for name, call in module.module_calls.items() if call.module
            ]

    def leaves_project(self, address: str) -> bool:
        """Whether the resource is in the configuration and names no project."""
        found = self._resources.get(bare(address))
        return found is not None and found.expressions.project is None

    def project_of(self, address: str) -> Value:
        """The provider's own project for this resource; None: it names none."""
        found = self._resources.get(bare(address))
        provider = self._provider(found.provider_config_key if found else "google")
        said = provider.expressions.project if provider else None
        if said is None:
            return None
        constant = said.get("constant_value") if isinstance(said, dict) else None
        if isinstance(constant, str):
            return constant
        references = said.get("references") if isinstance(said, dict) else None
        what = f" ({references[0]})" if isinstance(references, list) and references else ""
        return Unsettled(f"the provider's project{what} is not in the plan", "name the project in the resource")

    def _provider(self, key: str) -> _Provider | None:
        """By its key, or the one that a module inherits: `module.a.module.b:google`, `module.a:google`, `google`."""
        module, _, name = key.rpartition(":")
        while True:
            found = self._providers.get(f"{module}:{name}" if module else name)
            if found is not None or not module:
                return found
            module = module.rpartition(".module.")[0]


def bare(address: str) -> str:
    """An address without the keys of its instances: `module.a["x"].google_project.b[0]` is `module.a.google_…`."""
    return _INDEX.sub("", address)
