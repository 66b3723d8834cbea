"""The organisation, what its policies come to on the project, and the tags that conditions look at."""

from collections.abc import Callable
from typing import Any

from preflight.facts.hidden_conditions import HIDDEN
from preflight.facts.methods import EFFECTIVE_ORG_POLICY, EFFECTIVE_TAGS, ORGANIZATION_GET
from preflight.facts.organization import KNOWN_CONSTRAINTS, Organization, OrgPolicies, OrgPolicy, PolicyRule, Tags
from preflight.facts.policy import Condition
from preflight.facts.seen import Incomplete, NotCollected, Provenance, Unknown
from preflight.sources.live.calls import Call, Calls
from preflight.sources.live.guard import UnreadableError

MOST_TAG_PAGES = 20
"""A resource has at most 50 tags of its own (Resource Manager's limits), and inherits from eleven others."""
_TAG_PAGE = 300
_LOOKS_AT_TAGS = ("matchTag", "hasTagKey")
"""The functions of conditions that look at tags, by name and (`matchTagId`, `hasTagKeyId`) by permanent ID."""


class OrganizationReader:
    """Reads what the organisation says, each part once."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._organization: Organization | Unknown | None = None
        self._policies: dict[str, OrgPolicy | Unknown] = {}
        self._tags_asked = False
        self._tags: Tags | Unknown = Unknown(NotCollected("no condition that was read looks at tags"))

    def read_organization(self, resource: str) -> None:
        """Asks for the organisation; for a folder nothing."""
        if not resource.startswith("organizations/"):
            return

        def told(found: Organization | Unknown) -> None:
            self._organization = found

        self._calls.start(
            Call(
                ORGANIZATION_GET,
                resource,
                resource,
                "organizations",
                lambda client, seconds: client.get_organization(name=resource, retry=None, timeout=seconds),
                organization,
                told,
            )
        )

    def read_policies(self, project: str) -> None:
        """Asks for the effective policy of each known constraint."""
        for constraint in KNOWN_CONSTRAINTS:
            self._read_policy(project, constraint)

    def _read_policy(self, project: str, constraint: str) -> None:
        name = f"projects/{project}/policies/{constraint}"

        def told(found: OrgPolicy | Unknown) -> None:
            self._policies[constraint] = found

        self._calls.start(
            Call(
                EFFECTIVE_ORG_POLICY,
                name,
                f"projects/{project}",
                "org_policies",
                lambda client, seconds: client.get_effective_policy(
                    request={"name": name}, retry=None, timeout=seconds
                ),
                org_policy,
                told,
            )
        )

    def read_tags(self, project: str, number: str | Unknown) -> None:
        """Asks for the project's effective tags; the method wants its number. Once."""
        if self._tags_asked:
            return
        if isinstance(number, Unknown):
            self._tags = number
        else:
            self._tags_asked = True
            self._read_tags(project, number, "", {}, {}, 1)

    def _read_tags(
        self, project: str, number: str, token: str, tags: dict[str, str], ids: dict[str, str], page: int
    ) -> None:
        parent = f"//cloudresourcemanager.googleapis.com/projects/{number}"
        request = {"parent": parent, "page_size": _TAG_PAGE, "page_token": token}

        def fetch(client: Any, seconds: float) -> Any:
            return next(iter(client.list_effective_tags(request=request, retry=None, timeout=seconds).pages))

        def told(answer: tuple[Tags, str] | Unknown) -> None:
            if isinstance(answer, Unknown):
                self._tags = answer
                return
            found, following = answer
            tags.update(found.tags)
            ids.update(found.ids)
            if following and (following == token or page >= MOST_TAG_PAGES):
                self._tags = Unknown(Incomplete(f"the list of tags did not end after {page} pages"), found.provenance)
            elif following:
                self._read_tags(project, number, following, tags, ids, page + 1)
            else:
                self._tags = Tags(provenance=found.provenance, tags=tags, ids=ids)

        resource = f"projects/{project}"
        self._calls.start(Call(EFFECTIVE_TAGS, resource, resource, "tags", fetch, _tags, told))

    def organization(self, missing: Callable[[], Unknown]) -> Organization | Unknown:
        """The organisation; what `missing` says where none was found to be asked for."""
        return self._organization if self._organization is not None else missing()

    def org_policies(self) -> OrgPolicies:
        """The effective policies, in the order of the known constraints."""
        return OrgPolicies(policies={name: self._policies[name] for name in KNOWN_CONSTRAINTS})

    def tags(self) -> Tags | Unknown:
        """The tags."""
        return self._tags

    def conditions(self) -> tuple[Condition, ...]:
        """The conditions in the policies."""
        policies = [policy for policy in self._policies.values() if isinstance(policy, OrgPolicy)]
        return tuple(rule.condition for policy in policies for rule in policy.rules if rule.condition)


def looks_at_tags(condition: Condition) -> bool:
    """Whether a condition can't be evaluated without tags; of one that the server kept back that isn't known."""
    return any(name in condition.expression for name in _LOOKS_AT_TAGS)


def organization(answer: Any, seen: Provenance) -> Organization:
    """Resource Manager v3 `Organization`."""
    if answer.name != seen.resource:
        raise UnreadableError("it is another organization, or none")
    return Organization(
        provenance=seen,
        name=answer.name,
        domain=answer.display_name,
        directory_customer_id=answer.directory_customer_id,
    )


def org_policy(answer: Any, seen: Provenance) -> OrgPolicy:
    """Org Policy v2 `Policy`."""
    constraint = seen.resource.rpartition("/")[2]
    if answer.name.rpartition("/")[2] != constraint:
        raise UnreadableError("it is the policy of another constraint, or none")
    rules = tuple(_policy_rule(rule) for rule in type(answer).pb(answer).spec.rules)
    return OrgPolicy(provenance=seen, constraint=constraint, rules=rules)


def _policy_rule(raw: Any) -> PolicyRule:
    """Org Policy v2 `PolicySpec.PolicyRule`; which of its kinds is set can't be told from the values alone."""
    kind = raw.WhichOneof("kind")
    if kind is None:
        raise UnreadableError("it has a rule of a kind that this version doesn't know")
    condition = None
    if raw.HasField("condition"):
        condition = Condition(raw.condition.expression or HIDDEN, raw.condition.title)
    return PolicyRule(
        allow_all=raw.allow_all,
        deny_all=raw.deny_all,
        allowed=tuple(raw.values.allowed_values),
        denied=tuple(raw.values.denied_values),
        enforce=raw.enforce if kind == "enforce" else None,
        parameters={name: _listed(value) for name, value in raw.parameters.fields.items()},
        condition=condition,
    )


def _listed(value: Any) -> tuple[str, ...]:
    """A parameter's value as a list of texts (google.protobuf.Value)."""
    if value.WhichOneof("kind") == "list_value":
        return tuple(text for item in value.list_value.values for text in _listed(item))
    held = getattr(value, value.WhichOneof("kind") or "string_value")
    return (str(held).lower() if isinstance(held, bool) else str(held),)


def _tags(answer: Any, seen: Provenance) -> tuple[Tags, str]:
    """Resource Manager v3 `ListEffectiveTagsResponse`; a resource without tags answers with an empty one."""
    tags, ids = {}, {}
    for tag in answer.effective_tags:
        if not (tag.namespaced_tag_key and tag.namespaced_tag_value):
            raise UnreadableError("it lists what is no tag")
        tags[tag.namespaced_tag_key] = tag.namespaced_tag_value
        if tag.tag_key and tag.tag_value:
            ids[tag.tag_key] = tag.tag_value
    return Tags(provenance=seen, tags=tags, ids=ids), answer.next_page_token
