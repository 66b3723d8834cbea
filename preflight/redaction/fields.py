"""What each text in a snapshot is, and so how its names are replaced: every field that holds text is listed here.

A field that isn't listed is refused, so that nothing new leaves by being forgotten.
"""

from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from preflight.errors import RedactionError
from preflight.facts import caller, dataset, deny, groups, iam_resources, organization, policy, project, seen, tables
from preflight.facts import second_opinion as opinions
from preflight.facts.policy import Condition
from preflight.facts.snapshot import Snapshot
from preflight.redaction.pseudonyms import Pseudonyms

Way = Callable[[Pseudonyms, str], str]
"""How a text is replaced."""
ConditionWay = Callable[[Condition], Condition]

KEEP, WORD, TEXT, PATH, PLACE = Pseudonyms.keep, Pseudonyms.word, Pseudonyms.text, Pseudonyms.path, Pseudonyms.place
MEMBER, EMAIL, ROLE, DATASET = Pseudonyms.member, Pseudonyms.email, Pseudonyms.role, Pseudonyms.dataset
DOMAIN, CUSTOMER, VALUE, ADDRESS = Pseudonyms.domain, Pseudonyms.customer, Pseudonyms.value, Pseudonyms.address


def _nothing(_pseudonyms: Pseudonyms, _text: str) -> str:
    """It isn't needed."""
    return ""


WAYS: dict[type[Struct], dict[str, Way]] = {
    Snapshot: {"source": KEEP},
    seen.Provenance: {"source": KEEP, "resource": PLACE},
    seen.Denied: {"permission": KEEP, "resource": PLACE},
    seen.ApiDisabled: {"api": KEEP, "project": PATH},
    seen.PerimeterBlocked: {"api": KEEP, "identifier": KEEP},
    seen.NotFound: {"resource": PLACE},
    seen.QuotaExceeded: {"api": KEEP},
    seen.TimedOut: {"api": KEEP},
    seen.Unavailable: {"api": KEEP, "detail": TEXT},
    seen.Unauthenticated: {"api": KEEP},
    seen.Malformed: {"api": KEEP, "detail": TEXT},
    seen.Incomplete: {"detail": TEXT, "settled_by": TEXT},
    seen.NotCollected: {"detail": TEXT, "settled_by": TEXT},
    seen.Unresolved: {"detail": TEXT, "settled_by": TEXT},
    seen.Internal: {"detail": TEXT},
    project.Project: {"id": Pseudonyms.project, "number": Pseudonyms.project, "name": WORD, "state": KEEP,
                      "parent": PATH},
    project.Billing: {"account": PATH},
    project.Services: {"services": KEEP},
    project.Service: {"name": KEEP},
    project.Ancestry: {"resources": PATH},
    policy.AllowPolicies: {"policies": PATH},
    policy.AllowPolicy: {"resource": PATH, "by_role": ROLE},
    policy.Binding: {"role": ROLE, "members": MEMBER},
    policy.PossibleBinding: {"role": ROLE, "members": MEMBER},
    policy.Role: {"name": ROLE, "title": _nothing, "permissions": KEEP},
    policy.Roles: {"roles": ROLE},
    dataset.Datasets: {"datasets": DATASET, "absent": DATASET},
    dataset.Dataset: {"id": DATASET, "location": KEEP},
    dataset.DatasetSettings: {"kms_key": PATH},
    dataset.AccessEntry: {"role": ROLE, "user": EMAIL, "group": EMAIL, "domain": DOMAIN, "special_group": KEEP,
                          "iam_member": MEMBER, "authorized": ADDRESS},
    tables.Tables: {"datasets": DATASET, "absent": DATASET},
    tables.TableList: {"dataset": DATASET, "tables": DATASET, "tables.values": KEEP},
    groups.Groups: {"groups": EMAIL},
    groups.Group: {"email": EMAIL, "members": MEMBER, "checked": MEMBER},
    organization.Organization: {"name": PATH, "domain": DOMAIN, "directory_customer_id": CUSTOMER},
    organization.OrgPolicies: {"policies": KEEP},
    organization.OrgPolicy: {"constraint": KEEP},
    organization.PolicyRule: {"allowed": VALUE, "denied": VALUE, "parameters": KEEP, "parameters.values": VALUE},
    organization.Tags: {"tags": PATH, "tags.values": PATH, "ids": PATH, "ids.values": PATH},
    deny.DenyPolicies: {"attached": PATH},
    deny.AttachedDenyPolicies: {"resource": PATH, "policies": WORD},
    deny.DenyPolicy: {"name": WORD},
    deny.DenyRule: {"denied_principals": MEMBER, "exception_principals": MEMBER, "denied_permissions": KEEP,
                    "exception_permissions": KEEP},
    caller.CallerIdentity: {"email": EMAIL},
    caller.CallerPermissions: {"resource": PATH, "asked": KEEP, "granted": KEEP},
    opinions.SecondOpinions: {"principal": MEMBER, "answers": KEEP},
    opinions.SecondOpinion: {"permission": KEEP, "resource": PATH, "shown": TEXT},
    iam_resources.IamResources: {"resources": PATH},
    iam_resources.IamResource: {"address": ADDRESS, "manner": KEEP, "role": ROLE, "condition": TEXT},
}  # fmt: skip
"""By the type and its field; of a field that is a dictionary, its keys, and with `.values` its texts."""


_ALIKE = (seen.Provenance, seen.Unknown, seen.Completeness)
"""Thousands of facts may have the same of these."""


class Rewriting:
    """Replaces the names in facts."""

    def __init__(self, pseudonyms: Pseudonyms, condition: ConditionWay) -> None:
        self._pseudonyms = pseudonyms
        self._condition = condition
        self._done: dict[tuple[Way, str], str] = {}
        self._same: dict[Any, Any] = {}

    def rewritten(self, value: Any) -> Any:
        """The same with pseudonyms. Raises RedactionError for text of which it isn't known what it is."""
        if isinstance(value, Condition):
            return self._condition(value)
        if not isinstance(value, Struct):
            return self._inside(value, None, None)
        if isinstance(value, _ALIKE):
            # The type goes with it: two kinds of reasons may hold the same.
            key = (type(value), type(getattr(value, "reason", None)), value)
            if key not in self._same:
                self._same[key] = self._fields(value)
            return self._same[key]
        return self._fields(value)

    def _fields(self, value: Struct) -> Any:
        ways = WAYS.get(type(value), {})
        changed = {}
        for name in value.__struct_fields__:
            before = getattr(value, name)
            after = self._inside(before, ways.get(name), ways.get(f"{name}.values"))
            if after is not before:
                changed[name] = after
        return replace(value, **changed) if changed else value

    def _inside(self, value: Any, way: Way | None, values: Way | None) -> Any:
        if value is None or isinstance(value, bool | int | float | datetime | Enum):
            return value
        if isinstance(value, str):
            return self._text(value, way)
        if isinstance(value, Struct):
            return self.rewritten(value)
        if isinstance(value, tuple):
            return tuple(self._inside(item, way, values) for item in value)
        if isinstance(value, frozenset):
            return frozenset(self._text(item, way) for item in value)
        if isinstance(value, dict):
            return self._renamed(value, way, values)
        raise RedactionError(f"Nothing is known of how to clean {type(value).__name__} of names.")

    def _renamed(self, value: dict[str, Any], way: Way | None, values: Way | None) -> dict[str, Any]:
        found = {self._text(key, way): self._inside(item, values, None) for key, item in value.items()}
        if len(found) != len(value):
            raise RedactionError("Two names have the same pseudonym.", "Make a new key, or use --redact none.")
        return found

    def _text(self, text: str, way: Way | None) -> str:
        if way is None:
            raise RedactionError("A text is of no known kind.", "Use --redact none, or a version that knows it.")
        if way is TEXT or way is PLACE or way is ADDRESS:
            return way(self._pseudonyms, text)  # another name may be known the next time
        key = (way, text)
        if key not in self._done:
            self._done[key] = way(self._pseudonyms, text)
        return self._done[key]
