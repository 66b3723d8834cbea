"""Makes worlds and questions about them, from small alphabets so that things meet.

The randomness is a `random.Random`, seeded or Hypothesis's: one generator for runs of many worlds and for shrinking.
"""

from datetime import datetime
from random import Random
from typing import Any, NamedTuple

from tests.access.clauses import Clause
from tests.access.two_valued import in_catalogue
from tests.access.worlds import (
    AllowList,
    Blindfold,
    Denial,
    DenyList,
    Entry,
    Grant,
    Question,
    Role,
    Tags,
    Team,
    View,
)

ID, NUMBER, OTHER = "acme-analytics", "100200300", "999000"
OWN, ORGANIZATION = f"projects/{ID}", "organizations/9"
ACCOUNTS = (
    "user:ann@acme.example",
    "user:bob@elsewhere.example",
    "serviceAccount:heap-sql@heap-204122.iam.gserviceaccount.com",
    f"serviceAccount:etl@{ID}.iam.gserviceaccount.com",
    f"serviceAccount:{ID}@appspot.gserviceaccount.com",
    f"serviceAccount:{NUMBER}-compute@developer.gserviceaccount.com",
    f"serviceAccount:{OTHER}-compute@developer.gserviceaccount.com",
)
TEAMS = ("team@acme.example", "data@acme.example", "all@acme.example")
NOWHERE = "ghosts@acme.example"
"""A group that nobody could ask about."""
POOLS = (
    "principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/subject/ann@acme.example",
    "principalSet://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/*",
    "principalSet://iam.googleapis.com/locations/global/workforcePools/p/group/team@acme.example",
)
UNTOLD = ("principalSet://goog/cloudIdentityCustomerId/C01", "ann@acme.example", "robot:r2@acme.example")
PUBLIC = ("allUsers", "allAuthenticatedUsers", "principalSet://goog/public:all")
BASIC = ("roles/owner", "roles/editor", "roles/viewer")
PREDEFINED = (*BASIC, "roles/bigquery.user", "roles/bigquery.jobUser", "roles/bigquery.dataEditor",
              "roles/bigquery.dataViewer", "roles/bigquery.dataOwner", "roles/browser")  # fmt: skip
CUSTOM = (f"{OWN}/roles/one", f"{OWN}/roles/two", f"{ORGANIZATION}/roles/three", "roles/made.upToday")
UNHEARD_OF = "roles/bigquery.user_withcond_1a2b3c4d5e6f"
"""What a role is called where the policy was read without its conditions."""
PERMISSIONS = ("bigquery.jobs.create", "bigquery.datasets.create", "bigquery.datasets.get", "bigquery.tables.create",
               "bigquery.tables.getData", "bigquery.tables.updateData", "bigquery.tables.list",
               "bigquery.tables.export", "resourcemanager.projects.get", "logging.views.list")  # fmt: skip
DENIED = ("bigquery.googleapis.com/*.*", "bigquery.googleapis.com/jobs.*", "bigquery.googleapis.com/*.create",
          "bigquery.googleapis.com/tables.*", "bigquery.googleapis.com/jobs.create",
          "bigquery.googleapis.com/tables.getData", "cloudresourcemanager.googleapis.com/projects.get",
          "cloudresourcemanager.googleapis.com/*.*", "bigquery.googleapis.com/*.get",
          "resourcemanager.googleapis.com/*.*")  # fmt: skip
MOMENTS = ("2026-03-04T05:06:07Z", "2026-03-04T05:06:08Z", "2026-03-04T17:00:00Z", "2025-12-31T23:59:59Z")
DATASET = "raw"


class Case(NamedTuple):
    """A world, what of it is not seen, and what is asked about it."""

    world: View
    blindfolds: tuple[Blindfold, ...]
    questions: tuple[Question, ...]


class Maker:
    """Draws worlds. With `steady`, predefined roles are as the catalogue has them, so that nothing that is learnt
    contradicts what was taken for known."""

    def __init__(self, random: Random, *, steady: bool = False) -> None:
        self.random = random
        self.steady = steady

    @classmethod
    def seeded(cls, seed: int, *, steady: bool = False) -> "Maker":
        """The same worlds for the same seed."""
        return cls(Random(seed), steady=steady)  # noqa: S311 (nothing here is secret)

    def chance(self, percent: int) -> bool:
        return self.random.randrange(100) < percent

    def some(self, things: Any, least: int, most: int) -> tuple[Any, ...]:
        """Any of the things, also one several times."""
        return tuple(self.random.choice(things) for _ in range(self.random.randint(least, most)))

    def case(self, questions: int = 4) -> Case:
        """One world."""
        folders = [f"folders/{n}" for n in range(1, self.random.randint(0, 3) + 1)]
        chain = (OWN, *folders, *((ORGANIZATION,) if folders or self.chance(70) else ()))
        self.actors = self.some(ACCOUNTS, 1, 2)
        groups: dict[str, Team | None] = {**{team: self.team() for team in TEAMS}, NOWHERE: None}
        world = View(
            project=ID,
            number=NUMBER,
            moment=datetime.fromisoformat(self.random.choice(MOMENTS)),
            chain=chain,
            allow={resource: AllowList(self.grants(3 if resource == OWN else 1)) for resource in chain},
            roles={name: self.role(name) for name in (*PREDEFINED, *CUSTOM)},
            deny={resource: self.deny_list() for resource in chain},
            groups=groups,
            tags=self.tags(),
            datasets={DATASET: tuple(self.entry() for _ in range(self.random.randint(0, 3)))},
            unread_deny_blocks=self.chance(50),
        )
        world = world._replace(groups={**groups, **{g: self.checked(world, g) for g in TEAMS if self.chance(30)}})
        self.bound = sorted(
            {grant.role for policy in world.allow.values() for grant in (policy.grants if policy else ())}
        )
        return Case(world, self.blindfolds(world), tuple(self.question() for _ in range(questions)))

    # What is in a world

    def cased(self, text: str) -> str:
        """The same e-mail as someone else may have typed it; the kind before the colon stays."""
        if self.chance(75):
            return text
        head, colon, email = text.rpartition(":")
        return head + colon + self.random.choice((email.upper(), email.title()))

    def member(self) -> str:
        """A member of an allow policy."""
        kind = self.random.randrange(20)
        if kind < 7:
            return self.cased(self.random.choice(self.actors))
        if kind < 11:
            return self.cased(f"group:{self.random.choice((*TEAMS, NOWHERE))}")
        return self.cased(self.random.choice(ACCOUNTS)) if kind < 12 else self.odd_member()

    def odd_member(self) -> str:
        actor = self.random.choice(self.actors)
        email = actor.partition(":")[2]
        scope = self.random.choice(
            (f"projects/{NUMBER}", OWN, "projects/555", "projects/other-project", "folders/1", "folders/2", "folders/8",
             ORGANIZATION, "organizations/8")
        )  # fmt: skip
        return str(
            self.random.choice(
                (
                    f"deleted:{actor}?uid=123",
                    self.cased("domain:acme.example"),
                    f"principal://goog/subject/{self.cased(email)}",
                    f"principal://iam.googleapis.com/projects/-/serviceAccounts/{self.cased(email)}",
                    f"principalSet://cloudresourcemanager.googleapis.com/{scope}/type/ServiceAccount",
                    f"principalSet://cloudresourcemanager.googleapis.com/{scope}/type/ServiceAccount",
                    f"principalSet://goog/group/{self.cased(self.random.choice(TEAMS))}",
                    f"{self.random.choice(('projectOwner', 'projectEditor', 'projectViewer'))}:{ID}",
                    "projectOwner:other-project",
                    f"{'user' if actor.startswith('service') else 'serviceAccount'}:{email}",
                    *self.some(PUBLIC, 1, 1),
                    *self.some(POOLS, 1, 1),
                    *self.some(UNTOLD, 1, 1),
                )
            )
        )

    def role_name(self) -> str:
        return str(self.random.choice(self.random.choice((PREDEFINED, PREDEFINED, CUSTOM, (*CUSTOM, UNHEARD_OF)))))

    def role(self, name: str) -> Role:
        held = frozenset(self.random.sample(PERMISSIONS, self.random.randint(1, 6)))
        if name in CUSTOM:
            # Google's own are not deleted.
            fate = 2 if name.startswith("roles/") else self.random.randrange(10)
            return Role(held, deleted=fate == 0, disabled=fate == 1)
        if self.steady or self.chance(50):
            held = frozenset(p for p in PERMISSIONS if self.told(name, p, p in held))
        return Role(held)

    @staticmethod
    def told(name: str, permission: str, otherwise: bool) -> bool:
        """Whether the catalogue says that the role holds it, or else what was drawn."""
        listed = in_catalogue(name, permission)
        return otherwise if listed is None else listed

    def grants(self, likely: int) -> tuple[Grant, ...]:
        grants = [
            Grant(self.role_name(), tuple(self.member() for _ in range(self.random.randint(0, 3))), self.condition(30))
            for _ in range(self.random.randint(0, likely + 1))
        ]
        return (*grants, *grants[:1]) if self.chance(10) else tuple(grants)

    def team(self) -> Team:
        members = (*self.some(self.actors, 0, 1), *self.some(ACCOUNTS, 0, 1))
        nested = tuple(f"group:{team}" for team in self.some(TEAMS, 0, 1))
        return Team(tuple(self.cased(member) for member in (*members, *nested)))

    def checked(self, world: View, group: str) -> Team:
        """The group as Cloud Identity tells it that was asked about single principals, nested groups included."""
        assert world.groups is not None
        team = world.groups[group]
        assert team is not None
        asked = self.some(ACCOUNTS, 1, 2)
        return team._replace(checked={self.cased(who): self.inside(world, group, who, frozenset()) for who in asked})

    def inside(self, world: View, group: str, who: str, seen: frozenset[str]) -> bool:
        team = (world.groups or {}).get(group)
        if team is None or group in seen:
            return False
        members = [member.lower() for member in team.members]
        return who.lower() in members or any(
            self.inside(world, member[len("group:") :], who, seen | {group})
            for member in members
            if member.startswith("group:")
        )

    def tags(self) -> Tags:
        names = {key: f"{key}/{self.random.choice(('prod', 'dev'))}" for key in ("9/env", "9/team") if self.chance(60)}
        known = self.chance(60)
        return Tags(names, {f"tagKeys/{key[2:]}": f"tagValues/{v[-3:]}" for key, v in names.items()} if known else {})

    def condition(self, percent: int) -> Clause | None:
        if not self.chance(percent):
            return None
        if self.chance(5):
            broken = ("request.time <", "resource.name == 'a", "", "1 + 1", "'true'", "unheard(1)", "resource.size > 5")
            return ("broken", self.random.choice(broken))
        return self.clause(2)

    def clause(self, depth: int) -> Clause:
        kind = self.random.randrange(10) if depth else 9
        if kind == 0:
            return ("not", self.clause(depth - 1))
        if kind < 4:
            return (self.random.choice(("and", "or")), self.clause(depth - 1), self.clause(depth - 1))
        compare = self.random.choice(("<", "<=", ">", ">="))
        table = f"{OWN}/datasets/{DATASET}/tables/"
        names = (OWN, f"{OWN}/", "projects/other", f"{OWN}/datasets/", f"{OWN}/datasets/{DATASET}", table, f"{table}a",
                 f"{table}ab")  # fmt: skip
        service = self.random.choice(("bigquery", "cloudresourcemanager")) + ".googleapis.com"
        return self.random.choice(
            (
                ("time", compare, self.random.choice(MOMENTS), self.random.choice((0, 0, 12, 1))),
                ("hours", compare, self.random.choice((5, 9, 17))),
                ("name", "==", self.random.choice(names)),
                ("name", "startsWith", self.random.choice(names)),
                ("name", self.random.choice(("endsWith", "contains")), self.random.choice(("analytics", "raw", "/"))),
                ("type", f"{service}/{self.random.choice(('Project', 'Dataset', 'Table'))}"),
                ("service", service),
                ("matchTag", self.random.choice(("9/env", "9/team")), self.random.choice(("prod", "dev"))),
                ("matchTag", "9/env", "prod"),
                ("hasTagKey", self.random.choice(("9/env", "9/team"))),
                ("matchTagId", "tagKeys/env", self.random.choice(("tagValues/rod", "tagValues/dev"))),
                ("constant", self.chance(50)),
                ("unseen", '"accessPolicies/1/accessLevels/office" in request.auth.access_levels'),
                (
                    "unseen",
                    "api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', []).hasOnly(['roles/browser'])",
                ),
            )
        )

    # Deny policies and datasets

    def deny_list(self) -> DenyList:
        names = ("guard", "wall")[: self.random.choice((0, 0, 0, 0, 0, 1, 1, 2))]
        return DenyList({name: tuple(self.denial() for _ in range(self.random.randint(0, 2))) for name in names})

    def denial(self) -> Denial:
        whom, not_whom = (tuple(self.v2_principal() for _ in range(self.random.randint(n, 2))) for n in (1, 0))
        excepted = self.some(DENIED, 1, 2) if self.chance(25) else ()
        condition = self.tag_condition() if self.chance(30) else None
        return Denial(whom, self.some(DENIED, 1, 2), not_whom if self.chance(50) else (), excepted, condition)

    def tag_condition(self) -> Clause:
        found = self.clause(1)
        return found if self.chance(20) else ("matchTag", "9/env", self.random.choice(("prod", "dev")))

    def v2_principal(self) -> str:
        email = self.cased(self.random.choice(self.actors).partition(":")[2])
        return str(
            self.random.choice(
                (
                    f"principal://goog/subject/{email}",
                    f"principal://iam.googleapis.com/projects/-/serviceAccounts/{email}",
                    f"principalSet://goog/group/{self.cased(self.random.choice((*TEAMS, NOWHERE)))}",
                    f"principalSet://goog/group/{self.cased(self.random.choice(TEAMS))}",
                    "principalSet://goog/public:all",
                    "principalSet://goog/cloudIdentityCustomerId/C01",
                    f"principalSet://cloudresourcemanager.googleapis.com/projects/{NUMBER}/type/ServiceAccount",
                    f"deleted:principal://goog/subject/{email}?uid=123",
                )
            )
        )

    def entry(self) -> Entry:
        roles = ("READER", "WRITER", "OWNER", *PREDEFINED[3:], *CUSTOM)
        role, condition = self.random.choice(roles), self.condition(20)
        email = self.random.choice(self.actors).partition(":")[2]
        kind, value = self.random.choice(
            (
                ("user", self.cased(email)),
                ("user", self.cased(email)),
                ("group", self.cased(self.random.choice((*TEAMS, NOWHERE)))),
                ("domain", "acme.example"),
                ("special_group", self.random.choice(("projectOwners", "projectWriters", "projectReaders"))),
                ("special_group", self.random.choice(("projectOwners", "projectReaders", "allAuthenticatedUsers"))),
                ("iam_member", self.member()),
                ("authorized", "views/acme/raw/v"),
            )
        )
        return Entry(kind, value, "" if kind == "authorized" else role, condition)

    # What isn't seen, and what is asked

    def blindfolds(self, world: View) -> tuple[Blindfold, ...]:
        """Some of all that could be hidden of this world; of some worlds nothing is."""
        blindness = self.random.choice((0, 1, 1, 3))

        def hide(percent: int) -> bool:
            return self.chance(percent * blindness // 2)

        assert world.roles is not None
        assert world.deny is not None
        found = [Blindfold(kind) for kind in ("tags", "number", "roles", "absent roles", "groups", "deny") if hide(6)]
        found += [Blindfold(kind, r) for r in world.chain for kind in ("policy", "half policy") if hide(5)]
        found += [Blindfold("absent policy", OWN)] if hide(1) else []
        found += [
            Blindfold(kind, str(self.random.randint(1, len(world.chain))))
            for kind in ("ancestors", "deny ancestors")
            if len(world.chain) > 1 and hide(7)
        ]
        ways = ("group", "absent group", "half group", "checked group")
        found += [Blindfold(self.random.choice(ways), g) for g in TEAMS if hide(15)]
        found += [Blindfold("absent group", NOWHERE)] if self.chance(50) else []
        found += [Blindfold(self.random.choice(("role", "absent role")), r) for r in world.roles if hide(12)]
        for resource, attached in world.deny.items():
            assert attached is not None
            found += [Blindfold(kind, resource) for kind in ("half deny", "deny resource") if hide(4)]
            found += [Blindfold("deny policy", f"{resource}/{name}") for name in attached.policies if hide(8)]
        found += [Blindfold("dataset", DATASET)] if hide(8) else []
        return tuple(found)

    def question(self) -> Question:
        who = self.cased(self.random.choice((*self.actors, *self.actors, *ACCOUNTS)))
        if self.chance(6):
            who = self.random.choice((self.cased(f"group:{TEAMS[0]}"), "domain:acme.example", *POOLS, *UNTOLD[:1]))
        if self.chance(15):
            return Question(who, role=self.random.choice(self.bound or CUSTOM))
        return Question(who, self.random.choice(PERMISSIONS), DATASET if self.chance(50) else None)
