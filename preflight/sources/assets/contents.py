"""The contents of kept lines as facts. Each raises UnreadableContentError for what Google doesn't document so."""

from typing import Any

from msgspec import Raw, Struct

from preflight.facts.dataset import AccessEntry, Dataset, DatasetSettings
from preflight.facts.deny import DenyPolicy, DenyRule
from preflight.facts.hidden_conditions import HIDDEN, shown_role
from preflight.facts.organization import Organization, Tags
from preflight.facts.policy import Binding, Condition, Role
from preflight.facts.project import Billing, Project, Service, ServiceState
from preflight.facts.seen import Incomplete, Provenance, Unknown
from preflight.sources.assets.wire import UnreadableContentError, data_of, decoded


class _ProjectData(Struct, rename="camel"):
    project_id: str = ""
    project_number: str | int = ""
    lifecycle_state: str = ""
    state: str = ""
    name: str = ""
    display_name: str = ""


def project(resource: Raw, number: str, parent: str, seen: Provenance) -> Project:
    """Resource Manager `Project`, v1 or v3."""
    data = data_of(resource, _ProjectData)
    if not data.project_id:
        raise UnreadableContentError("it names no project ID")
    if not (data.lifecycle_state or data.state):
        raise UnreadableContentError("it doesn't tell the project's state")
    return Project(
        provenance=seen,
        id=data.project_id,
        number=number or str(data.project_number),
        name=data.display_name or ("" if data.name.startswith("projects/") else data.name),
        state=data.lifecycle_state or data.state,
        parent=parent or None,
    )


class _Owner(Struct, rename="camel"):
    directory_customer_id: str = ""


class _OrganizationData(Struct, rename="camel"):
    display_name: str = ""
    owner: _Owner | None = None
    directory_customer_id: str = ""


def organization(resource: Raw, name: str, seen: Provenance) -> Organization:
    """Resource Manager `Organization`, v1 or v3."""
    data = data_of(resource, _OrganizationData)
    customer = data.directory_customer_id or (data.owner.directory_customer_id if data.owner else "")
    if not data.display_name or not customer:
        raise UnreadableContentError("it tells no domain, or no directory customer ID")
    return Organization(provenance=seen, name=name, domain=data.display_name, directory_customer_id=customer)


class _ServiceData(Struct):
    state: str = ""


def service(resource: Raw, name: str, seen: Provenance) -> Service:
    """Service Usage v1 `Service`."""
    state = data_of(resource, _ServiceData).state
    if state not in ServiceState.__members__:
        raise UnreadableContentError("it names no state")
    return Service(provenance=seen, name=name, state=ServiceState(state))


class _BillingData(Struct, rename="camel"):
    billing_account_name: str = ""
    billing_enabled: bool | None = None


def billing(resource: Raw, seen: Provenance) -> Billing | Unknown:
    """Cloud Billing v1 `ProjectBillingInfo`."""
    data = data_of(resource, _BillingData)
    account = data.billing_account_name or None
    if data.billing_enabled is None:
        # False is left out by some of Google's encoders, and so is what a converter doesn't know.
        linked = f"{account} is linked" if account else "no account is named"
        why = f"it isn't told whether billing is enabled ({linked})"
        return Unknown(Incomplete(why, "See: gcloud billing projects describe PROJECT_ID"), seen)
    return Billing(provenance=seen, enabled=data.billing_enabled, account=account)


class _RoleData(Struct, rename="camel"):
    title: str = ""
    included_permissions: tuple[str, ...] = ()
    deleted: bool = False
    stage: str = ""


def role(resource: Raw, name: str, seen: Provenance) -> Role:
    """IAM v1 `Role`; one without permissions has no `includedPermissions`."""
    data = data_of(resource, _RoleData)
    return Role(
        provenance=seen,
        name=name,
        title=data.title,
        permissions=frozenset(data.included_permissions),
        deleted=data.deleted,
        disabled=data.stage == "DISABLED",
    )


class _Condition(Struct):
    expression: str = ""
    title: str = ""

    def fact(self) -> Condition:
        """As a fact; one without an expression was kept back."""
        return Condition(self.expression or HIDDEN, self.title)


class _Encryption(Struct, rename="camel"):
    kms_key_name: str = ""


class _Entry(Struct, rename="camel", omit_defaults=True):
    role: str = ""
    user_by_email: str = ""
    group_by_email: str = ""
    domain: str = ""
    special_group: str = ""
    iam_member: str = ""
    view: dict[str, Any] | None = None
    routine: dict[str, Any] | None = None
    dataset: dict[str, Any] | None = None
    condition: _Condition | None = None

    def fact(self) -> AccessEntry:
        """As a fact. A kind of member that this version doesn't know is kept: it may be anyone."""
        role, condition = self.role, self.condition.fact() if self.condition else None
        if "_with" in role:
            role, hidden = shown_role(role)
            condition = condition or (Condition(HIDDEN) if hidden else None)
        if self.view is not None or self.routine is not None or self.dataset is not None:
            return AccessEntry(role=role, authorized=self._authorized(), condition=condition)
        nobody = not (self.user_by_email or self.group_by_email or self.domain or self.special_group)
        member = self.iam_member or ("unknown:(a kind this version doesn't know)" if nobody else "")
        return AccessEntry(
            role, self.user_by_email, self.group_by_email, self.domain, self.special_group, member, "", condition
        )

    def _authorized(self) -> str:
        for kind, reference in (("view", self.view), ("routine", self.routine), ("dataset", self.dataset)):
            if reference is not None:
                inner = reference.get("dataset")
                parts = inner if isinstance(inner, dict) else reference
                return f"{kind} {'.'.join(str(part) for part in parts.values() if isinstance(part, str))}"
        return ""


class _DatasetData(Struct, rename="camel"):
    location: str = ""
    access: tuple[_Entry, ...] | None = None
    default_table_expiration_ms: str | float | None = None
    default_partition_expiration_ms: str | float | None = None
    default_encryption_configuration: _Encryption | None = None


def dataset(resource: Raw, name: str, policy: tuple[AccessEntry, ...] | Unknown | None, seen: Provenance) -> Dataset:
    """BigQuery v2 `Dataset`. `policy` is its IAM policy, if there is a line of it: that shows all conditions."""
    data = data_of(resource, _DatasetData)
    if not data.location:
        raise UnreadableContentError("it names no location")
    access = policy
    if access is None and data.access is not None:
        access = tuple([entry.fact() for entry in data.access])
    if access is None:
        why = f"{seen.resource} doesn't tell who may use {name}"
        how = "Export it too: gcloud asset export --organization=ORGANIZATION_ID --content-type=iam-policy …"
        access = Unknown(Incomplete(why, how), seen)
    encryption = data.default_encryption_configuration
    settings = DatasetSettings(
        table_expiration_ms=_milliseconds(data.default_table_expiration_ms),
        partition_expiration_ms=_milliseconds(data.default_partition_expiration_ms),
        kms_key=encryption.kms_key_name if encryption else "",
    )
    return Dataset(provenance=seen, id=name, location=data.location, access=access, settings=settings)


def _milliseconds(value: str | float | None) -> int | None:
    """An int64, which is text in Google's JSON, and a number where others wrote it; 0 stands for none."""
    if not value:
        return None
    try:
        return int(value) or None
    except (ValueError, OverflowError):
        raise UnreadableContentError(f"an expiration is {value!r}") from None


def entries_of(bindings: tuple[Binding, ...]) -> tuple[AccessEntry, ...]:
    """A dataset's IAM policy as its access list: BigQuery keeps both as one (its documentation of `access[]`)."""
    return tuple(
        AccessEntry(role=binding.role, iam_member=member, condition=binding.condition)
        for binding in bindings
        for member in binding.members
    )


class _DenyRuleData(Struct, rename="camel"):
    denied_principals: tuple[str, ...] = ()
    denied_permissions: tuple[str, ...] = ()
    exception_principals: tuple[str, ...] = ()
    exception_permissions: tuple[str, ...] = ()
    denial_condition: _Condition | None = None


class _PolicyRuleData(Struct, rename="camel"):
    deny_rule: _DenyRuleData | None = None


class _DenyPolicyData(Struct):
    rules: tuple[_PolicyRuleData, ...] = ()


def deny_policy(resource: Raw, name: str, seen: Provenance) -> DenyPolicy:
    """IAM v2 `Policy` of the kind `DenyPolicy`."""
    rules = [rule.deny_rule for rule in data_of(resource, _DenyPolicyData).rules if rule.deny_rule]
    return DenyPolicy(
        provenance=seen,
        name=name,
        rules=tuple(
            DenyRule(
                rule.denied_principals,
                rule.denied_permissions,
                rule.exception_principals,
                rule.exception_permissions,
                rule.denial_condition.fact() if rule.denial_condition else None,
            )
            for rule in rules
        ),
    )


class _EffectiveTag(Struct, rename="camel"):
    tag_key: str = ""
    tag_key_id: str = ""
    tag_value: str = ""
    tag_value_id: str = ""


class _TagsOfOne(Struct, rename="camel"):
    effective_tags: tuple[_EffectiveTag, ...] = ()


def tags(content: Raw, seen: Provenance) -> Tags:
    """The `effectiveTags` of Cloud Asset v1 `ResourceSearchResult`: what is nearest to the asset comes first."""
    named: dict[str, str] = {}
    by_id: dict[str, str] = {}
    for one in decoded(content, tuple[_TagsOfOne, ...]):
        for tag in one.effective_tags:
            named.setdefault(tag.tag_key, tag.tag_value)
            by_id.setdefault(tag.tag_key_id, tag.tag_value_id)
    named.pop("", None)
    by_id.pop("", None)
    return Tags(provenance=seen, tags=named, ids=by_id)
