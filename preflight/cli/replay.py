"""`--snapshot`: what a bundle or snapshot was asked is asked again, where no option says otherwise."""

from pathlib import Path

import click
from msgspec.structs import replace

from preflight.bundle.reading import Stored, read_stored
from preflight.cli.request import Request
from preflight.errors import BundleError, UsageError
from preflight.renderers.visible import visible


def asked_again(request: Request, path: Path) -> Request:
    """The request with the selection that is stored in the file. Raises BundleError for a file that can't be used,
    UsageError for an option that it can't answer."""
    return again(request, read_stored(path), path)


def again(request: Request, stored: Stored, path: Path) -> Request:
    """The same for a file that was read. Raises as `asked_again`."""
    asked = stored.snapshot.asked
    if request.project not in {None, asked.project}:
        raise UsageError(f"{path} is about {asked.project}, not {request.project}.", "Leave out --project.")
    other_vendor = _given("profile_name")
    if stored.profile is None and not other_vendor and asked.profile.endswith(".toml"):
        raise BundleError(  # a file on this machine, of whoever wrote the bundle's choice
            f"'{visible(str(path))}' names '{visible(asked.profile)}' as its profile, and doesn't hold it.",
            "Name the profile with --profile.",
        )
    unread_deny = "unknown" if asked.unread_deny_blocks else "note"
    return replace(
        request,
        stored=stored,
        project=asked.project,
        profile=request.profile if other_vendor else asked.profile,
        own_profile=None if other_vendor else stored.profile,
        principal=request.principal or (None if other_vendor else asked.principal),
        location=request.location or asked.location,
        dataset=request.dataset or asked.dataset,
        only=request.only or asked.only,
        skip=request.skip or asked.skip,
        cross_check=request.cross_check or asked.cross_check,
        unread_deny=request.unread_deny if _given("unread_deny") else unread_deny,
    )


def _given(parameter: str) -> bool:
    source = click.get_current_context().get_parameter_source(parameter)
    return source is click.core.ParameterSource.COMMANDLINE
