"""Google's own two-valued judgement of one world in which nothing is unknown, followed to the letter.

Sources: IAM's "Policy evaluation", "Principal identifiers", "Deny policies", "Conditions attribute reference";
BigQuery's "Datasets: access[]" and "IAM permissions".
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import TypeAlias

from preflight.facts.catalogue import role_catalogue
from tests.access.clauses import Clause, Place, text, truth
from tests.access.worlds import AllowList, Denial, Grant, Question, View

Fact: TypeAlias = tuple[str, ...]
"""A fact that is missing: its kind, what it is about, and for a condition the type of the resource it is asked of."""


class OpenError(Exception):
    """The judgement has come to a missing fact that this world says nothing of."""

    def __init__(self, fact: Fact) -> None:
        super().__init__(fact)
        self.fact = fact


class World:
    """One way the world may be: what was seen, and for each missing fact whether it is so."""

    def __init__(self, view: View, question: Question, filled: dict[Fact, bool]) -> None:
        self.view = view
        self.question = question
        self.filled = filled
        self.own = f"projects/{view.project}"
        self.principal = question.principal
        self.kind, _, self.email = question.principal.partition(":")

    def so(self, *fact: str) -> bool:
        """Whether a missing fact is so in this world."""
        if fact not in self.filled:
            raise OpenError(fact)
        return self.filled[fact]

    def holds(self) -> bool:
        """The answer to the question in this world."""
        if self.question.role:
            return self.bound_to(self.question.role)
        return self.allowed() and not self.denied()

    def allowed(self) -> bool:
        """A binding on the resource or an ancestor, or an entry of the dataset's own list."""
        place = place_of(self.question, self.view.project)
        for resource in self.view.chain:
            for grant in self.bindings(resource):
                if self.role_holds(grant.role) and self.covered(grant.members) and self.true(grant.condition, place):
                    return True
            if self.more(resource) and self.so("policy", resource):
                return True
        if not self.view.chain_complete and self.so("ancestors", ""):
            return True
        return self.question.dataset is not None and self.listed(self.question.dataset, place)

    def bindings(self, resource: str) -> tuple[Grant, ...]:
        policy = self.view.allow.get(resource)
        return policy.grants if policy else ()

    def more(self, resource: str) -> bool:
        """Whether a policy may hold grants that were not seen."""
        policy: AllowList | None = self.view.allow.get(resource)
        return policy is None or not policy.complete

    def bound_to(self, role: str) -> bool:
        """Whether a binding gives this very role."""
        if not self.stands(role):
            return False
        place = place_of(Question(self.principal), self.view.project)
        for resource in self.view.chain:
            for grant in self.bindings(resource):
                if grant.role == role and self.covered(grant.members) and self.true(grant.condition, place):
                    return True
            if self.more(resource) and self.so("policy", resource):
                return True
        return not self.view.chain_complete and self.so("ancestors", "")

    def stands(self, role: str) -> bool:
        """Whether a role gives anything at all. Google's own aren't deleted; a custom one may have been."""
        known = (self.view.roles or {}).get(role)
        if known:
            return not known.deleted and not known.disabled
        return role.startswith("roles/") or self.so("role", role)

    def role_holds(self, role: str) -> bool:
        # One that Google was asked about and didn't tell may be another today than the catalogue has it.
        refused = self.view.roles is None or self.view.roles.get(role, ()) is None
        known = (self.view.roles or {}).get(role)
        if known:
            return not known.deleted and not known.disabled and self.question.permission in known.permissions
        listed = None if refused else in_catalogue(role, self.question.permission)
        return self.so("role", role) if listed is None else listed

    def true(self, condition: Clause | None, place: Place) -> bool:
        if condition is None:
            return True
        value = truth(condition, place, self.view.moment, self.view.tags)
        return self.so("condition", text(condition), place.type) if value is None else value

    # Who is meant

    def covered(self, members: tuple[str, ...]) -> bool:
        return any(self.covers(member) for member in members)

    def covers(self, member: str) -> bool:
        """Whether a member of a binding, or a principal of a deny rule, is or contains the one asked about."""
        kind, _, name = member.partition(":")
        if member == self.principal:
            return True
        if kind in {"user", "serviceAccount", "group", "domain"} and member.lower() == self.principal.lower():
            return True
        if member in {"allUsers", "allAuthenticatedUsers", "principalSet://goog/public:all"}:
            return True
        if kind in {"projectOwner", "projectEditor", "projectViewer"}:
            role = "roles/" + kind.removeprefix("project").lower()
            return self.has_basic(role, member) if name == self.view.project else self.so("member", member)
        if not self.is_account():
            # Google decides about accounts. Of all else can be said what a policy gives to it by name: by itself, or
            # as an owner, editor or viewer.
            return self.kind == "group" and member.lower() == f"principalset://goog/group/{self.email.lower()}"
        if kind == "deleted" or "/workloadIdentityPools/" in member or "/workforcePools/" in member:
            return False
        if kind in {"user", "serviceAccount"}:
            return False
        if member.startswith("principal://goog/subject/"):
            return self.email.lower() == member[len("principal://goog/subject/") :].lower()
        if member.startswith("principal://iam.googleapis.com/projects/-/serviceAccounts/"):
            return self.kind == "serviceAccount" and self.email.lower() == member.rpartition("/")[2].lower()
        if kind == "group":
            return self.in_group(name.lower())
        if member.startswith("principalSet://goog/group/"):
            return self.in_group(member[len("principalSet://goog/group/") :].lower())
        if name.startswith("//cloudresourcemanager.googleapis.com/") and name.endswith("/type/ServiceAccount"):
            return self.kind == "serviceAccount" and self.is_account_of(name.split("/")[3:5], member)
        if kind == "domain" and self.kind == "serviceAccount":
            return False
        return self.so("member", member)

    def is_account(self) -> bool:
        return self.kind in {"user", "serviceAccount"}

    def in_group(self, group: str) -> bool:
        """Whether the principal is in the group, directly or through groups in it."""
        todo, seen = [group], set()
        while todo:
            one = todo.pop()
            if one in seen:
                continue
            seen.add(one)
            team = (self.view.groups or {}).get(one)
            if team is None:
                if self.so("group", one):
                    return True
                continue
            asked = {who.lower(): answer for who, answer in team.checked.items()}
            if self.principal.lower() in asked:
                if asked[self.principal.lower()]:
                    return True
                continue  # who was asked about and isn't in it, isn't in a group in it either
            if self.principal.lower() in {member.lower() for member in team.members}:
                return True
            todo += [member[len("group:") :].lower() for member in team.members if member.startswith("group:")]
            if not team.complete and self.so("group", one):
                return True
        return False

    def has_basic(self, role: str, about: str) -> bool:
        """Whether the principal is among "the owners" (editors, viewers) of the project."""
        if self.principal.startswith("deleted:"):
            return False
        if self.has_basic_on(role, self.own):
            return True
        above = any(self.has_basic_on(role, resource) for resource in self.view.chain[1:])
        if above or (not self.view.chain_complete and self.so("ancestors", "")):
            return self.so("basic role", about)  # whether those who inherit the role count is nowhere documented
        return False

    def has_basic_on(self, role: str, resource: str) -> bool:
        place = place_of(Question(self.principal), self.view.project)
        for grant in self.bindings(resource):
            # The owners can't be made owners by being the owners.
            others = tuple(m for m in grant.members if m.partition(":")[0] not in CONVENIENCE)
            if grant.role == role and self.covered(others) and self.true(grant.condition, place):
                return True
        return self.more(resource) and self.so("policy", resource)

    def is_account_of(self, scope: list[str], member: str) -> bool:
        """Whether this service account is one of a project's, or of a project's in a folder or organization."""
        kind, where = scope
        project, number = self.view.project, self.view.number
        # The default account of Compute Engine has its project's number in its name.
        numbered = re.fullmatch(r"(\d+)-compute@developer\.gserviceaccount\.com", self.email.lower())
        if kind == "projects" and numbered and where.isdigit():
            return where == numbered[1]
        home = self.is_at_home()
        if kind == "projects" and where in {project, number}:
            return home if home is not None else self.so("member", member)
        if home and kind == "projects" and number is not None:
            return False
        if home and kind != "projects":
            if f"{kind}/{where}" in self.view.chain:
                return True
            if self.view.chain_complete:
                return False
        return self.so("member", member)

    def is_at_home(self) -> bool | None:
        """Whether this service account belongs to the audited project; None if that can't be told."""
        name, _, domain = self.email.lower().partition("@")
        if domain == "developer.gserviceaccount.com" and name.endswith("-compute"):
            return None if self.view.number is None else name == f"{self.view.number}-compute"
        if domain == "appspot.gserviceaccount.com":
            return name == self.view.project
        return domain == f"{self.view.project}.iam.gserviceaccount.com"

    # Datasets

    def listed(self, dataset: str, place: Place) -> bool:
        """Whether an entry of the dataset's access list gives the permission."""
        entries = self.view.datasets[dataset]
        if entries is None:
            return self.so("dataset access", dataset)
        for entry in entries:
            role = OLD_WORDS.get(entry.role, entry.role)
            if entry.kind == "authorized" or not self.role_holds(role):
                continue
            if self.entry_covers(entry.kind, entry.value) and self.true(entry.condition, place):
                return True
        return False

    def entry_covers(self, kind: str, value: str) -> bool:
        if kind == "user":  # userByEmail, for service accounts as well
            return self.is_account() and value.lower() == self.email.lower()
        if kind == "special_group" and value in SPECIAL_GROUPS:
            return self.has_basic(SPECIAL_GROUPS[value], value)
        return self.covers(f"{kind}:{value}" if kind in {"group", "domain"} else value)

    # Deny policies

    def denied(self) -> bool:
        """A rule on the resource or an ancestor; one is enough, and no grant outweighs it."""
        view = self.view
        if view.deny is None:
            return self.unread(self.own)
        for resource, attached in view.deny.items():
            if attached is None:
                if self.unread(resource):
                    return True
                continue
            for name, rules in attached.policies.items():
                if any(self.hit_by(rule) for rule in rules or ()) or (
                    rules is None and self.unread(f"{resource}/{name}")
                ):
                    return True
            if not attached.complete and self.unread(resource):
                return True
        return not view.deny_complete and view.unread_deny_blocks and self.so("deny ancestors", "")

    def unread(self, about: str) -> bool:
        """Whether deny policies that were not read deny this. By default they are taken not to."""
        return self.view.unread_deny_blocks and self.so("deny policy", about)

    def hit_by(self, rule: Denial) -> bool:
        asked = v2_permission(self.question.permission)
        return (
            any(matches(pattern, asked) for pattern in rule.permissions)
            and not any(matches(pattern, asked) for pattern in rule.except_permissions)
            and self.covered(rule.principals)
            and not self.covered(rule.except_principals)
            and self.true(rule.condition, place_of(self.question, self.view.project))
        )


CONVENIENCE = ("projectOwner", "projectEditor", "projectViewer")
SPECIAL_GROUPS = {
    "projectOwners": "roles/owner",
    "projectWriters": "roles/editor",
    "projectReaders": "roles/viewer",
}
OLD_WORDS = {
    "READER": "roles/bigquery.dataViewer",
    "WRITER": "roles/bigquery.dataEditor",
    "OWNER": "roles/bigquery.dataOwner",
}


def v2_permission(permission: str) -> str:
    """`bigquery.jobs.create` as deny policies write it."""
    service, _, rest = permission.partition(".")
    service = "cloudresourcemanager" if service == "resourcemanager" else service
    return f"{service}.googleapis.com/{rest}"


def matches(pattern: str, permission: str) -> bool:
    """Exact, `service/*.*`, `service/resource.*` or `service/*.verb`."""
    return all(wanted in {"*", there} for wanted, there in zip(_parts(pattern), _parts(permission), strict=True))


def _parts(permission: str) -> Iterator[str]:
    service, _, rest = permission.partition("/")
    resource, _, verb = rest.partition(".")
    yield from (service, resource, verb)


def place_of(question: Question, project: str) -> Place:
    """The resource that conditions look at: the table for what is done to tables, the dataset for what is done to
    it, and the project for all else."""
    on, dataset = f"projects/{project}", question.dataset
    kind, _, verb = question.permission.removeprefix("bigquery.").partition(".")
    of_table = kind == "tables" and verb not in {"create", "list"}
    of_dataset = kind == "tables" or (kind == "datasets" and verb != "create")
    if of_table:
        below = f"{on}/datasets/{dataset}/tables/" if dataset else f"{on}/datasets/"
        return Place(below, "bigquery.googleapis.com/Table", "bigquery.googleapis.com", some=True)
    if dataset:
        return Place(f"{on}/datasets/{dataset}", "bigquery.googleapis.com/Dataset", "bigquery.googleapis.com")
    if of_dataset:
        return Place(f"{on}/datasets/", "bigquery.googleapis.com/Dataset", "bigquery.googleapis.com", some=True)
    service = "cloudresourcemanager.googleapis.com"
    return Place(on, f"{service}/Project", service)


@cache
def in_catalogue(role: str, permission: str) -> bool | None:
    """What the shipped catalogue says of a role; None where it says nothing."""
    catalogue = role_catalogue()
    if role not in catalogue.roles or permission not in catalogue.permissions:
        return None
    held = int(catalogue.roles[role], 16)
    return any(held >> bit & 1 and name == permission for bit, name in enumerate(catalogue.permissions))
