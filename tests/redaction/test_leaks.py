"""No name that should go is in any byte of a bundle; and no ordinary word that is a name makes a bundle impossible."""

import io
import json
import re
import zipfile

import pytest

from preflight.cli.bundling import ticket_text
from preflight.cli.judging import Collected
from preflight.cli.request import Request, Selection
from preflight.engine import evaluate, needed_facts
from preflight.errors import RedactionError
from preflight.facts.dataset import Dataset, Datasets
from preflight.facts.policy import Binding, Condition
from preflight.facts.project import Project
from preflight.redaction.scan import refuse_names
from preflight.testing import FOLDER, HERE
from tests.redaction.crowded import CONDITIONS, DATASETS, MEMBERS, OWN, PROFILE, RULES, crowded, made, target

MARK = re.compile(r"qz|(?<!\d)77\d{10}(?!\d)|77[A-C]{2}77", re.IGNORECASE)
"""By which each name that should go is found, in whatever form."""
BASE = Binding("roles/bigquery.user", (PROFILE.principal,))
LEVELS = ("default", "strict")


def texts(bundle) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(bundle.data)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def left_in(bundle) -> list[str]:
    """What is left of them, with what is around it."""
    assert not MARK.search(bundle.data.decode("latin-1").split("PK\3\4")[0])
    return [text[max(0, m.start() - 40) : m.end() + 40] for text in texts(bundle).values() for m in MARK.finditer(text)]


@pytest.mark.parametrize("level", LEVELS)
def test_nothing_is_left_of_all_of_them(level):
    bundle = made(crowded(), level)
    assert left_in(bundle) == []
    assert any("qzcaller" in name for name in bundle.legend.values())


@pytest.mark.parametrize("level", LEVELS)
def test_nothing_is_left_in_the_text_for_a_ticket(level, tmp_path):
    found = Collected(snapshot=crowded(), target=target())
    chosen = Selection(PROFILE, RULES, needed_facts(RULES), None, (), False)
    report = evaluate(RULES, found.snapshot, found.target, PROFILE)
    asked = Request(project="acme-analytics", redact=level)
    text = ticket_text(asked, chosen, found, report, {"PREFLIGHT_HOME": str(tmp_path)})
    assert "acme-analytics" in text
    assert not MARK.search(text)


@pytest.mark.parametrize("member", MEMBERS)
def test_nothing_is_left_of_a_member(member):
    assert left_in(made(crowded([BASE, Binding("roles/bigquery.dataEditor", (member,))]))) == []


@pytest.mark.parametrize("expression", CONDITIONS)
def test_nothing_is_left_of_a_condition(expression):
    condition = Condition(expression, "qztitle of Qz Person")
    assert left_in(made(crowded([BASE, Binding("roles/bigquery.dataEditor", (PROFILE.principal,), condition)]))) == []


@pytest.mark.parametrize("name", DATASETS)
def test_a_dataset_by_itself(name):
    alone = Datasets(provenance=HERE, datasets={name: Dataset(provenance=HERE, id=name, location="EU")})
    assert left_in(made(crowded([BASE], datasets=alone))) == []


TITLES = ("Data access", "not granted", "Heap Connect", "The project is ready", "Project", "Zugriff für Übung", "数据",
          'Qz "quoted" \\ title', "it's qz\u202ereversed", "qz\ud7ff\U0001f600")  # fmt: skip


@pytest.mark.parametrize("title", TITLES)
def test_a_display_name_or_title_of_any_kind(title):
    named = Project(provenance=HERE, id="acme-analytics", number="1", name=title, state="ACTIVE", parent=FOLDER)
    condition = Condition("request.time < timestamp('2099-01-01T00:00:00Z')", title)
    bundle = made(crowded([BASE, Binding("roles/viewer", (PROFILE.principal,), condition)], project=named))
    assert left_in(bundle) == []
    facts = json.loads(texts(bundle)["snapshot.json"])["facts"]
    assert facts["project"]["name"] == "x_" + facts["project"]["name"][2:] != title


COMMON = ("user:someone@google.com", "domain:google.com", "user:you@example.com", "group:it@example.com",
          "domain:example.com", "user:support@heap.example", "group:data@data.example", "user:user@user.example",
          "serviceAccount:heap@heap.iam.gserviceaccount.com", "serviceAccount:data@data.iam.gserviceaccount.com",
          "projectOwner:billing-enabled", "projectViewer:dataset-location", "domain:cloud.google.com",
          "serviceAccount:project-active@vendor-role.iam.gserviceaccount.com")  # fmt: skip


@pytest.mark.parametrize("member", COMMON)
def test_a_member_whose_name_is_in_what_we_say(member):
    binding = Binding("roles/bigquery.dataEditor", (member,))
    assert member not in "".join(texts(made(crowded([BASE, binding]))).values())


def test_any_word_of_our_own_may_be_the_name_of_a_dataset():
    """All words of a bundle, each as one, at once: it can be written, and each is replaced."""
    # Names that this world has must not be among them: the kept ones, and those of the members.
    words = set(re.findall(r"\w+", "".join(texts(made(crowded())).values()), re.ASCII))
    words = {word for word in words if not MARK.search(word) and not re.match(r"x_|C0|2[fF]|\d{9}|[0-9a-f]{12}", word)}
    words -= {f"vendor_{OWN}_migrated", OWN, f"{OWN}_migrated", f"{OWN}_raw", "all_events"}
    assert len(words) > 700
    assert {"editor", "viewer", "schema_version", "denied", "ACTIVE", "READER", "console_url"} <= words
    facts = json.loads(texts(made(crowded([BASE], more_datasets=sorted(words))))["snapshot.json"])["facts"]
    assert not words & set(facts["datasets"]["datasets"])


@pytest.mark.parametrize("word", ["heap", "user", "live", "data", "project", "editor", "global", "snapshot", "active"])
def test_a_dataset_called_as_something_of_ours_alone(word):
    found = {word: Dataset(provenance=HERE, id=word, location="EU")}
    bundle = made(crowded([BASE], datasets=Datasets(provenance=HERE, datasets=found)))
    assert word not in json.loads(texts(bundle)["snapshot.json"])["facts"]["datasets"]["datasets"]


def test_names_that_are_parts_of_one_another_are_told_apart():
    names = ("fin", "finance", "finance_eu", "Finance", "finance_raw", "x_finance")
    found = {name: Dataset(provenance=HERE, id=name, location="EU") for name in names}
    bundle = made(crowded([BASE], datasets=Datasets(provenance=HERE, datasets=found)))
    assert len(json.loads(texts(bundle)["snapshot.json"])["facts"]["datasets"]["datasets"]) == len(names)


@pytest.mark.parametrize("name", ["finance_data", "ann@acme.example", "acme.example", "acme-other", 'Ann\'s "folder"'])
@pytest.mark.parametrize("file", ["report.md", "snapshot.json", "the ticket's text"])
def test_a_name_that_is_left_is_found_wherever_it_is(name, file):
    for around in ("{}", '"{}"', "user:{}", "projects/{}/x", "see {}.", "`{}`"):
        with pytest.raises(RedactionError, match=re.escape(file)):
            refuse_names({file: around.format(name).encode()}, [name])


@pytest.mark.parametrize("name", ["finance", "12345", "Ann Example"])
def test_an_ordinary_word_that_is_left_is_found_where_names_stand(name):
    with pytest.raises(RedactionError):
        refuse_names({"snapshot.json": f'{{"x": "{name}"}}'.encode()}, [name])
    refuse_names({"report.md": f"the {name} of it".encode()}, [name])
