"""What is known, what is not, why not, and where and when either was seen.

Three types carry the whole idea: a fact is there (Known: the value itself, with its `Provenance`), or it is
`Unknown` with a typed `Reason`; and a collection says by its `Completeness` whether there may be more.
"""

from datetime import datetime
from typing import TypeAlias, TypeVar

from msgspec import Struct


class Evidence(Struct, frozen=True, cache_hash=True):
    """One observation that a verdict rests on: who said it, about what, when, and what it said."""

    source: str
    """The API method (`cloudresourcemanager.projects.get`), or the kind of file."""
    resource: str
    """The API resource (`projects/acme`), or `file:line`."""
    observed_at: datetime | None
    """UTC. None where no moment applies, such as an option of the command line."""
    detail: str
    """What was seen there. Text from outside: renderers escape it."""


class Provenance(Struct, frozen=True):
    """Where a fact comes from: the call or file, the resource it is about, and when it was read (UTC)."""

    source: str
    resource: str
    observed_at: datetime | None = None

    def saw(self, detail: str) -> Evidence:
        """This provenance as evidence that says `detail`."""
        return Evidence(self.source, self.resource, self.observed_at, detail)


class _Reason(Struct, frozen=True, tag_field="kind"):
    """Why something is unknown. The tag is the `kind` in every report."""

    @property
    def kind(self) -> str:
        """The word that names this kind of reason in reports."""
        return str(type(self).__struct_config__.tag)

    def describe(self) -> str:
        """One sentence: why it is not known."""
        raise NotImplementedError

    def settle(self) -> str:
        """One sentence: what would settle it."""
        raise NotImplementedError


class Denied(_Reason, frozen=True, tag="denied"):
    """The caller lacks a permission, or the resource doesn't exist: Google answers both alike."""

    permission: str
    resource: str = ""
    quota_project: bool = False
    """The permission is wanting on the project that pays for the call, not on the one asked about."""

    def describe(self) -> str:
        if self.quota_project:
            return f"the quota project {self.resource} may not be used: the caller lacks {self.permission} on it"
        return f"access denied: {self.permission}{_on(self.resource)}"

    def settle(self) -> str:
        if self.quota_project:
            return (
                f"Grant the caller {self.permission}{_on(self.resource)}, or name another quota project "
                "with --quota-project."
            )
        return f"Grant the caller {self.permission}{_on(self.resource)}, then run again."


class ApiDisabled(_Reason, frozen=True, tag="api_disabled"):
    """An API that is off in the project which is charged for the call, so it can't be asked."""

    api: str
    project: str = ""
    """The project it is off in, as Google named it (`projects/123` or `projects/acme`); empty: not told."""
    quota_project: bool = False
    """That project is the quota project, not the one asked about."""

    def describe(self) -> str:
        where = f" in {self.project}" if self.project else ""
        whose = ", the quota project of this call" if self.quota_project else ""
        return f"{self.api} is not enabled{where}{whose}"

    def settle(self) -> str:
        other = ", or name another quota project with --quota-project" if self.quota_project else ""
        where = f" in {self.project}" if self.project else ""
        return f"Enable {self.api}{where}{other}, then run again."


class PerimeterBlocked(_Reason, frozen=True, tag="vpc_service_controls"):
    """A VPC Service Controls perimeter refused the call, whatever the caller's permissions are."""

    api: str
    identifier: str = ""
    """`vpcServiceControlsUniqueIdentifier`: the one thing by which the refusal can be looked up; empty: not told."""

    def describe(self) -> str:
        which = f" (unique identifier {self.identifier})" if self.identifier else ""
        return f"a VPC Service Controls perimeter refused {self.api}{which}"

    def settle(self) -> str:
        what = f"the unique identifier {self.identifier}" if self.identifier else "the time of this run"
        return (
            f"Give {what} to the organization's security admins: they find the refusal by it in the audit log of "
            "VPC Service Controls or in its troubleshooter, and can let the caller in."
        )


class NotFound(_Reason, frozen=True, tag="not_found"):
    """The answer was 404, in a place where that doesn't prove that it is absent."""

    resource: str

    def describe(self) -> str:
        return f"{self.resource} was not found"

    def settle(self) -> str:
        return f"Check the name {self.resource}, then run again."


class QuotaExceeded(_Reason, frozen=True, tag="quota"):
    """The API's rate limit or quota refused the call, also after retries (429)."""

    api: str

    def describe(self) -> str:
        return f"{self.api} refused the call: quota or rate limit exceeded, also after retries"

    def settle(self) -> str:
        return "Wait a minute and run again, or use another quota project with --quota-project."


class TimedOut(_Reason, frozen=True, tag="timeout"):
    """No answer in time."""

    api: str
    seconds: float = 0.0

    def describe(self) -> str:
        within = f" within {self.seconds:g} s" if self.seconds else " in time"
        return f"{self.api} did not answer{within}"

    def settle(self) -> str:
        return "Run again, with a longer --timeout if the network is slow."


class Unavailable(_Reason, frozen=True, tag="unavailable"):
    """The server failed (5xx), or the network did, also after retries."""

    api: str
    detail: str = ""

    def describe(self) -> str:
        return f"{self.api} could not be reached or failed" + (f": {self.detail}" if self.detail else "")

    def settle(self) -> str:
        return "Check the network and proxy settings, then run again."


class Unauthenticated(_Reason, frozen=True, tag="unauthenticated"):
    """The API did not accept the credentials (401)."""

    api: str

    def describe(self) -> str:
        return f"{self.api} did not accept the credentials: the token is invalid, expired or revoked"

    def settle(self) -> str:
        return "Sign in again with: gcloud auth application-default login"


class Malformed(_Reason, frozen=True, tag="malformed"):
    """An answer that isn't what the API is documented to send: a proxy's page, a cut body."""

    api: str
    detail: str = ""

    def describe(self) -> str:
        return f"{self.api} sent an answer that cannot be read" + (f": {self.detail}" if self.detail else "")

    def settle(self) -> str:
        return "Look for a proxy or gateway that answers in the API's place, then run again."


class Incomplete(_Reason, frozen=True, tag="incomplete"):
    """What was seen may not be all there is."""

    detail: str
    settled_by: str = ""

    def describe(self) -> str:
        return self.detail

    def settle(self) -> str:
        return self.settled_by or "Make what is missing readable, then run again."


class NotCollected(_Reason, frozen=True, tag="not_collected"):
    """Nobody asked: the source doesn't hold it, or no selected rule needed it."""

    detail: str = "it was not collected"
    settled_by: str = ""

    def describe(self) -> str:
        return self.detail

    def settle(self) -> str:
        return self.settled_by or "Collect again with this version."


class Unresolved(_Reason, frozen=True, tag="unresolved"):
    """It was seen, but what it means depends on something that was not: a condition, a group's members."""

    detail: str
    settled_by: str = ""

    def describe(self) -> str:
        return self.detail

    def settle(self) -> str:
        return self.settled_by or "Resolve it by hand."


class Internal(_Reason, frozen=True, tag="internal"):
    """A defect of this tool."""

    detail: str

    def describe(self) -> str:
        return f"internal error: {self.detail}"

    def settle(self) -> str:
        return "Run again with --debug and report what it prints."


Reason = (
    Denied
    | ApiDisabled
    | PerimeterBlocked
    | NotFound
    | QuotaExceeded
    | TimedOut
    | Unavailable
    | Unauthenticated
    | Malformed
    | Incomplete
    | NotCollected
    | Unresolved
    | Internal
)


def _on(resource: str) -> str:
    return f" on {resource}" if resource else ""


class Unknown(Struct, frozen=True, tag="unknown", tag_field="fact"):
    """Not known, and why. Never a default, never an empty list."""

    reason: Reason
    provenance: Provenance | None = None
    """The call or file that failed to tell it; None where nobody asked."""

    def seen(self) -> tuple[Evidence, ...]:
        """The failed call as evidence; empty where there was none."""
        return (self.provenance.saw(self.reason.describe()),) if self.provenance else ()


T = TypeVar("T")
Maybe: TypeAlias = T | Unknown


class Completeness(Struct, frozen=True):
    """Whether a collection is all there is. "Granted" needs one binding; "not granted" needs this."""

    gap: Reason | None = None
    """Why there may be more than is here; None: this is all."""
    provenance: Provenance | None = None
    """The call that left the gap."""

    @property
    def complete(self) -> bool:
        """True if nothing is missing."""
        return self.gap is None


COMPLETE = Completeness()
