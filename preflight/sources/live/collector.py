"""What a run asks for, and in which order: only what the wanted facts need, all at once where nothing depends."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from google.api_core.exceptions import from_http_status
from msgspec.structs import replace

from preflight.access.effective import may_cover
from preflight.facts.caller import CallerIdentity, CallerPermissions
from preflight.facts.dataset import AccessEntry, Dataset, Datasets
from preflight.facts.deny import DenyPolicies, DenyRule
from preflight.facts.groups import Groups
from preflight.facts.iam_resources import IamResources
from preflight.facts.methods import (
    ALLOWED,
    BILLING_INFO,
    DENY_GET,
    DENY_LIST,
    EFFECTIVE_ORG_POLICY,
    EFFECTIVE_TAGS,
    PROJECT_TEST,
    SERVICE_GET,
    TOKEN_INFO,
)
from preflight.facts.organization import Organization, OrgPolicies, Tags
from preflight.facts.policy import AllowPolicies, Binding, Condition, Roles
from preflight.facts.project import Ancestry, Billing, Fact, Project, Service, Services
from preflight.facts.second_opinion import SecondOpinions
from preflight.facts.seen import ApiDisabled, Incomplete, NotCollected, Provenance, Unknown
from preflight.facts.snapshot import Snapshot, Target
from preflight.facts.tables import Tables
from preflight.profile import Profile
from preflight.sources.live import answers
from preflight.sources.live.calls import Call, Calls
from preflight.sources.live.datasets import DatasetReader
from preflight.sources.live.deny import DenyReader
from preflight.sources.live.groups import GroupReader, groups_to_ask
from preflight.sources.live.hierarchy import Hierarchy
from preflight.sources.live.organization import OrganizationReader, looks_at_tags
from preflight.sources.live.refusals import Payers
from preflight.sources.live.second_opinions import OpinionReader, permissions_to_ask
from preflight.sources.live.settings import Scope
from preflight.sources.live.tables import TableReader

_FROM_POLICIES = frozenset({AllowPolicies, Roles, Groups, Tags})
"""The facts for which the allow policies are read."""
_FROM_ABOVE = _FROM_POLICIES | {Ancestry, DenyPolicies, Organization}
"""The facts for which the folders and the organisation are looked for."""
MOST_PERMISSIONS = 100
"""How many testIamPermissions takes in one request (Google's reference)."""


_UNTESTED = frozenset(m.permission for m in (DENY_LIST, DENY_GET, EFFECTIVE_ORG_POLICY, EFFECTIVE_TAGS))
"""Whether testIamPermissions takes these on a project isn't documented; one that it doesn't take spoils the answer."""


def clients_for(wanted: frozenset[type[Fact]], project: str) -> frozenset[str]:
    """The clients that a run needs, by their names."""
    needed = {
        Project: ("projects",),
        Billing: ("billing",),
        Services: ("services",),
        Ancestry: ("projects", "folders"),
        AllowPolicies: ("projects", "folders", "organizations"),
        Roles: ("projects", "folders", "organizations", "roles"),
        DenyPolicies: ("projects", "folders", "deny"),
        Groups: ("projects", "folders", "organizations", "roles", "groups"),
        Tags: ("projects", "folders", "organizations", "tags"),
        Organization: ("projects", "folders", "organizations"),
        OrgPolicies: ("org_policies",),
        SecondOpinions: ("troubleshooter",),
        Datasets: ("projects", "datasets"),
        Tables: ("projects", "datasets"),
        CallerIdentity: ("tokeninfo",),
        CallerPermissions: ("projects",),
        IamResources: (),
    }
    names = {name for fact in wanted for name in needed[fact]}
    return frozenset(names | {"projects"} if project.isdigit() else names)


_NO_REPOSITORY = Unknown(NotCollected("Google doesn't tell which resources of a repository manage a grant"))


class Collector:
    """One run: the calls it makes and what comes of them."""

    def __init__(
        self,
        calls: Calls,
        target: Target,
        profile: Profile,
        wanted: frozenset[type[Fact]],
        payers: Payers,
        scope: Scope,
    ) -> None:
        self.target = target
        self._by_number = target.project.isdigit()
        self._calls = calls
        self._profile = profile
        self._wanted = wanted
        self._payers = payers
        self._scope = scope
        self._hierarchy = Hierarchy(
            calls,
            target.principal,
            self._ancestor_known,
            folders=bool(wanted & _FROM_ABOVE),
            policies=bool(wanted & _FROM_POLICIES),
            roles=bool(wanted & {Roles, Groups}),
            every_role=scope.every_role,
        )
        self._deny = DenyReader(calls)
        self._organization = OrganizationReader(calls)
        self._groups = GroupReader(calls, target.principal)
        self._opinions = OpinionReader(calls, target.principal)
        names = profile.dataset.companions(target.dataset) if target.dataset else ()
        self._tables = TableReader(calls, names)
        self._datasets = DatasetReader(calls, names, self._dataset_read, self._dataset_there, every=scope.every_dataset)
        self._billing: Billing | Unknown | None = None
        self._services: dict[str, Service | Unknown] = {}
        self._permissions: list[CallerPermissions | Unknown] = []
        self._identity: CallerIdentity | Unknown | None = None

    def start(self) -> None:
        """Starts what depends on nothing. A number is first resolved to the ID, which all else then uses."""
        if self._by_number:
            self._hierarchy.read_project(self.target.project, self._number_resolved)
            return
        if self._wanted & ({Project} | _FROM_ABOVE):
            self._hierarchy.read_project(self.target.project, self._project_read)
        self._start_rest()

    def identify(self, account: str | None) -> None:
        """Whose credentials they are: known for a service account, else asked."""
        if CallerIdentity not in self._wanted:
            return
        if account:
            seen = Provenance("credentials", account, datetime.now(UTC))
            self._identity = CallerIdentity(provenance=seen, email=account)
            return

        def told(found: CallerIdentity | Unknown) -> None:
            self._identity = found

        self._calls.start(Call(TOKEN_INFO, "the access token", "", "tokeninfo", _ask_tokeninfo, _identity, told))

    def _number_resolved(self, found: Project | Unknown) -> None:
        if isinstance(found, Project):
            self.target = replace(self.target, project=found.id)
            self._payers.project = found.id
        self._project_read(found)
        self._start_rest()

    def _project_read(self, found: Project | Unknown) -> None:
        if isinstance(found, Project):
            self._payers.number = found.number

    def _start_rest(self) -> None:
        project = self.target.project
        self._hierarchy.read_policy(f"projects/{project}")
        if DenyPolicies in self._wanted:
            self._deny.read(f"projects/{project}")
        if OrgPolicies in self._wanted:
            self._organization.read_policies(project)
        if SecondOpinions in self._wanted:
            self._opinions.read(project, permissions_to_ask(self._profile))
        if self._wanted & {Datasets, Tables, CallerPermissions}:
            self._test_permissions(project)
        if self._wanted & {Datasets, Tables}:
            self._datasets.start(project)
        if Services in self._wanted:
            for name in dict.fromkeys(self._profile.apis):
                self._read_service(project, name)
        if Billing in self._wanted:
            self._read_billing(project)

    def _ancestor_known(self, resource: str) -> None:
        if DenyPolicies in self._wanted:
            self._deny.read(resource)
        if Organization in self._wanted:
            self._organization.read_organization(resource)

    def ask_what_matters(self) -> None:
        """What only the answers so far show to matter, once each; called when they are all there, or may never be."""
        if Groups in self._wanted:
            rules = self._deny.rules()
            for email in groups_to_ask(self._bound(), self._hierarchy.read_roles(), rules, self._profile.permissions):
                self._groups.read(email)
        if Tags in self._wanted and any(map(looks_at_tags, self._conditions())):
            found = self._hierarchy.project
            number = found.number if isinstance(found, Project) else found or Unknown(Incomplete("it was not read"))
            self._organization.read_tags(self.target.project, number)

    def _bound(self) -> Iterator[tuple[str, str]]:
        """Each role with each member it is bound to, by a policy or a dataset's access list."""
        for policy in self._hierarchy.read_policies():
            yield from ((binding.role, member) for binding in policy.bindings for member in binding.members)
        for entry in self._entries():
            yield entry.role_name, entry.member

    def _entries(self) -> Iterator[AccessEntry]:
        for dataset in self._datasets.read_datasets():
            if not isinstance(dataset.access, Unknown):
                yield from dataset.access

    def _conditions(self) -> Iterator[Condition]:
        yield from self._organization.conditions()
        holders: list[Binding | AccessEntry | DenyRule] = [*self._deny.rules(), *self._entries()]
        holders += [binding for policy in self._hierarchy.read_policies() for binding in policy.bindings]
        yield from (holder.condition for holder in holders if holder.condition)

    def _groups_or_why_not(self) -> Groups | Unknown:
        """The groups; Unknown where nothing could tell which ones matter."""
        found = self._groups.groups()
        return (None if found.groups else self._hierarchy.blind()) or found

    def _tags_or_why_not(self) -> Tags | Unknown:
        """The tags; where no condition asks for them, that is known only if a policy was read."""
        tags = self._organization.tags()
        unasked = isinstance(tags, Unknown) and isinstance(tags.reason, NotCollected)
        return (self._hierarchy.blind() if unasked else None) or tags

    def _no_organization(self) -> Unknown:
        """Why there is no organisation to tell of."""
        project, gap = self._hierarchy.project, self._hierarchy.gap
        if isinstance(project, Unknown):
            return project
        if gap.gap:
            return Unknown(gap.gap, gap.provenance)
        return Unknown(NotCollected("the project is in no organization"))

    def _dataset_read(self, dataset: Dataset) -> None:
        """The roles of a dataset's access list matter like those of the policies."""
        if isinstance(dataset.access, Unknown):
            return
        for entry in dataset.access:
            if entry.authorized or not entry.role_name or not entry.member:
                continue
            # A special group stands for holders of a role on the project: the principal may be one of them.
            everyone = self._scope.every_role or entry.special_group
            if everyone or may_cover(entry.member, self.target.principal):
                self._hierarchy.read_role(entry.role_name)

    def _dataset_there(self, name: str) -> None:
        if Tables in self._wanted:
            self._tables.read(self.target.project, name)

    def _read_service(self, project: str, name: str) -> None:
        resource = f"projects/{project}/services/{name}"

        def told(found: Service | Unknown) -> None:
            self._services[name] = found

        self._calls.start(
            Call(
                SERVICE_GET,
                resource,
                f"projects/{project}",
                "services",
                lambda client, seconds: client.get_service(request={"name": resource}, retry=None, timeout=seconds),
                answers.service,
                told,
            )
        )

    def _read_billing(self, project: str) -> None:
        resource = f"projects/{project}"

        def told(found: Billing | Unknown) -> None:
            self._billing = found

        self._calls.start(
            Call(
                BILLING_INFO,
                resource,
                resource,
                "billing",
                lambda client, seconds: client.get_project_billing_info(name=resource, retry=None, timeout=seconds),
                answers.billing,
                told,
            )
        )

    def _test_permissions(self, project: str) -> None:
        resource = f"projects/{project}"
        names = permissions_to_test(self._profile)
        for start in range(0, len(names), MOST_PERMISSIONS):
            self._test_some(resource, names[start : start + MOST_PERMISSIONS])

    def _test_some(self, resource: str, some: tuple[str, ...]) -> None:
        request = {"resource": resource, "permissions": list(some)}
        self._calls.start(
            Call(
                PROJECT_TEST,
                resource,
                resource,
                "projects",
                lambda client, seconds: client.test_iam_permissions(request=request, retry=None, timeout=seconds),
                lambda answer, seen: answers.permissions(frozenset(some), answer, seen),
                self._permissions.append,
            )
        )

    def _caller_permissions(self) -> CallerPermissions | Unknown:
        known: list[CallerPermissions] = []
        for part in self._permissions:
            if isinstance(part, Unknown):
                return part
            known.append(part)
        return replace(
            known[0],
            asked=frozenset().union(*(part.asked for part in known)),
            granted=frozenset().union(*(part.granted for part in known)),
        )

    def snapshot(self, started: datetime) -> Snapshot:
        """All that was wanted, each known or Unknown. Only once every call is settled."""
        tell: dict[type[Fact], tuple[str, Callable[[], Any]]] = {
            Project: ("project", lambda: self._hierarchy.project),
            Billing: ("billing", lambda: self._billing),
            Services: ("services", lambda: Services(services=dict(sorted(self._services.items())))),
            Ancestry: ("ancestry", self._hierarchy.ancestry),
            AllowPolicies: ("allow_policies", self._hierarchy.allow_policies),
            Roles: ("roles", self._hierarchy.roles),
            DenyPolicies: (
                "deny_policies",
                lambda: self._deny.policies(self._hierarchy.ancestors, self._hierarchy.gap),
            ),
            Groups: ("groups", self._groups_or_why_not),
            Tags: ("tags", self._tags_or_why_not),
            Organization: ("organization", lambda: self._organization.organization(self._no_organization)),
            OrgPolicies: ("org_policies", self._organization.org_policies),
            SecondOpinions: ("second_opinions", self._opinions.opinions),
            Datasets: ("datasets", lambda: self._datasets.datasets(self._caller_permissions())),
            Tables: ("tables", lambda: self._tables.tables(self._datasets.datasets(self._caller_permissions()))),
            IamResources: ("iam_resources", lambda: _NO_REPOSITORY),
            CallerIdentity: ("caller_identity", lambda: self._identity),
            CallerPermissions: ("caller_permissions", self._caller_permissions),
        }
        # What a number stands for is told whether or not a rule asks for the project.
        asked = self._wanted | ({Project} if self._by_number else set())
        facts = {name: self._payers_named(value()) for kind, (name, value) in tell.items() if kind in asked}
        return Snapshot(source="live", **facts, started_at=started, finished_at=datetime.now(UTC))

    def _payers_named(self, value: Any) -> Any:
        """The same, with each disabled API told apart again: by now the project's number may be known."""
        if isinstance(value, ApiDisabled):
            method = next((m for m in ALLOWED if m.api == value.api), PROJECT_TEST)
            other = self._payers.is_other(value.project, method)
            return value if value.quota_project == other else replace(value, quota_project=other)
        if isinstance(value, dict):
            return {key: self._payers_named(item) for key, item in value.items()}
        if isinstance(value, msgspec.Struct):
            changed = {}
            for name in value.__struct_fields__:
                item = getattr(value, name)
                if isinstance(item, dict | msgspec.Struct) and (new := self._payers_named(item)) != item:
                    changed[name] = new
            return replace(value, **changed) if changed else value
        return value


def permissions_to_test(profile: Profile) -> tuple[str, ...]:
    """What the caller is asked about: an auditor's permissions on a project, and all that the vendor needs."""
    names = {method.permission for method in ALLOWED if "project" in method.levels} - _UNTESTED
    names.update(profile.grant.minimum_permissions, profile.grant.broad_permissions)
    names.update(profile.dataset.create_permissions, profile.dataset.write_permissions)
    return tuple(sorted(name for name in names if name and "*" not in name))


def _ask_tokeninfo(client: Any, seconds: float) -> Any:
    """OAuth2 `tokeninfo`, which takes the token in the address: see `quiet` for what keeps it out of logs."""
    session, address, credentials = client
    answer = session.get(address, params={"access_token": credentials.access_token()}, timeout=seconds)
    if answer.status_code >= 400:
        # Its 400 is "invalid_token", in a form of its own.
        raise from_http_status(401 if answer.status_code == 400 else answer.status_code, "tokeninfo")  # type: ignore[no-untyped-call]
    return answer.json()


def _identity(answer: Any, seen: Provenance) -> CallerIdentity | Unknown:
    email = answer.get("email")
    if not isinstance(email, str) or "@" not in email:
        return Unknown(Incomplete("the access token does not tell whose it is: it lacks the e-mail scope"), seen)
    return CallerIdentity(provenance=seen, email=email)
