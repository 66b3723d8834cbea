"""Whether a member of a binding is the principal: yes, no, or not to be told from here.

The kinds of members are those of Google's documentation of IAM principals ("Principal identifiers").
"""

import re

from preflight.facts.seen import Unresolved

_WORKFORCE_OR_WORKLOAD = re.compile(r"//iam\.googleapis\.com/.*/(workloadIdentityPools|workforcePools)/")
_OWN_IDENTITY = re.compile(
    r"principal://goog/subject/(.+)|principal://iam\.googleapis\.com/projects/[^/]+/serviceAccounts/(.+)"
)
PUBLIC = frozenset({"allUsers", "allAuthenticatedUsers", "principalSet://goog/public:all"})
"""Members that cover every account, every service account included."""


def matches(member: str, principal: str) -> bool | Unresolved:
    """Whether `member`, as written in a policy, covers `principal` (`user:…` or `serviceAccount:…`).

    E-mails compare without case. `Unresolved` says what would have to be known, such as a group's members.
    """
    if member in PUBLIC:
        return True
    if member.startswith("deleted:"):
        return False  # even when an account of that e-mail exists again: it is another identity
    if own := _OWN_IDENTITY.fullmatch(member):
        return _same(own[1] or own[2], email_of(principal))
    if _WORKFORCE_OR_WORKLOAD.search(member):
        return False  # federated identities are neither users nor service accounts
    kind, colon, name = member.partition(":")
    if not colon:
        return _unresolved(member, "is not a member this version knows")
    if kind in {"user", "serviceAccount"}:
        return kind == kind_of(principal) and _same(name, email_of(principal))
    if kind == "principal":
        return False
    if kind == "domain" and kind_of(principal) == "serviceAccount":
        return False
    if kind == "group":
        return Unresolved(
            f"{principal} may be a member of {member}, whose members are not known here",
            f"See whether {email_of(principal)} is a member of {name}, or grant the role to it directly.",
        )
    if (
        name.startswith("//cloudresourcemanager.googleapis.com/")
        and kind_of(principal) == "user"
        and "/type/ServiceAccount" in name
    ):
        return False
    return _unresolved(member, "may include the principal; that can't be told from here")


def likeness(member: str, principal: str) -> str | None:
    """How a member that is not the principal resembles it, in words; None if it doesn't."""
    name = member.removeprefix("deleted:").partition("?")[0]
    kind, _, email = name.partition(":")
    ours = email_of(principal)
    if kind not in {"user", "serviceAccount", "group"} or "@" not in email:
        return None
    if member.startswith("deleted:"):
        return "a deleted account of the same name: it grants nothing to a new one" if _same(email, ours) else None
    if _same(email, ours):
        return None if kind == kind_of(principal) else f"written as {kind}: instead of {kind_of(principal)}:"
    if _same(email.partition("@")[0], ours.partition("@")[0]) and kind == kind_of(principal):
        return "an account of the same name elsewhere"
    from difflib import SequenceMatcher  # a few milliseconds, and only where names are compared

    close = SequenceMatcher(None, email.casefold(), ours.casefold()).ratio() >= _MISSPELT
    return "a name that is nearly the same: misspelt?" if close else None


_MISSPELT = 0.93
"""Of about 45 letters at most three differ."""


def kind_of(principal: str) -> str:
    """`user` or `serviceAccount`."""
    return principal.partition(":")[0]


def email_of(principal: str) -> str:
    """The e-mail of a principal."""
    return principal.partition(":")[2]


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _unresolved(member: str, why: str) -> Unresolved:
    return Unresolved(f"{member} {why}", f"Grant the role to the principal directly, beside {member}.")
