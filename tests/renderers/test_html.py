"""HTML: one file that loads nothing, in which names from outside are text and nothing else."""

import base64
import hashlib
import html
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from msgspec.structs import replace

from preflight.access.path import path_of
from preflight.facts.seen import Evidence
from preflight.renderers import Format, render
from preflight.renderers.fleet import Row
from preflight.renderers.html import access as access_page
from preflight.renderers.html.markup import LONGEST, Markup, element, markup, preformatted
from preflight.renderers.many import document, full_document
from preflight.renderers.visible import visible
from preflight.report import Ignored, Remedy, Status, failed, passed, skipped
from tests.renderers.audits import decisions, hostile_decisions
from tests.renderers.test_many import fleet_of

TAGS = set(
    re.findall(
        r"\w+",
        """html head meta title style script body header main footer section article div span p a h1 h2 h3 h4 h5 ul
        ol li dl dt dd table thead tbody tr th td code pre details summary figure figcaption time b
        svg symbol use g path rect
        circle text desc""",
    )
)
VOID = {"meta"}
HEADINGS = {f"h{level}": level for level in range(1, 6)}
CONSOLE = "https://console.cloud.google.com/"


class Page(HTMLParser):
    """A page as its elements and its text, read by a parser that no one here wrote."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), "no attribute is there twice"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def words(self) -> str:
        return "".join(self.text)


def page_of(report) -> Page:
    return Page(render(report, Format.HTML))


def in_full(*reports) -> str:
    made = full_document(Format.HTML)
    return "".join(made.add(report) for report in reports) + made.end([Row.of(report) for report in reports])


def is_sound(page: Page) -> None:
    """Asserts what holds of every page, whatever names say."""
    assert {tag for tag, _ in page.elements} <= TAGS
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name in {"style", "src", "srcset"}]
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        href = attributes.get("href") or CONSOLE
        assert href.startswith(CONSOLE) or href.removeprefix("#") in ids, href
        assert set((attributes.get("aria-labelledby") or "").split()) <= set(ids)
    levels = [HEADINGS[tag] for tag, _ in page.elements if tag in HEADINGS]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels)), levels
    assert page.of("html") == [{"lang": "en"}]
    assert len(page.of("main")) == len(page.of("script")) == len(page.of("style")) == page.of("title").count({}) == 1


def test_every_report_is_a_sound_page(report):
    is_sound(page_of(report))


def test_a_page_is_sound_whatever_names_say(hostile_report):
    is_sound(page_of(hostile_report))


def test_a_page_on_several_is_sound_whatever_names_say(hostile_report, reports):
    is_sound(Page(in_full(reports["broken"], hostile_report, hostile_report)))
    fleet = document(Format.HTML, "export.json")
    fleet.add(hostile_report)
    is_sound(Page(fleet.end([Row.of(hostile_report), Row.of(reports["ready"])])))


def test_names_add_no_element(hostile, hostile_report, harmless_report):
    """A picture has as many shapes and lines as its names need, and not every name makes an address."""
    varying = {"a", "code", "span", "text", "g", "path", "rect", "circle"}
    made, plain = (
        [tag for tag, _ in page_of(report).elements if tag not in varying]
        for report in (hostile_report, harmless_report)
    )
    if hostile.strip():  # what has no name is left out
        assert made == plain
    assert len(made) <= len(plain)


def test_names_are_read_as_they_are_seen(hostile, hostile_report):
    assert visible(hostile) in page_of(hostile_report).words


@pytest.mark.usefixtures("styled")
def test_its_policy_lets_its_own_style_and_script_be_and_nothing_else(reports):
    text = render(reports["broken"], Format.HTML)
    (policy,) = [m["content"] for m in Page(text).of("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(part.strip().split(" ", 1) for part in (policy or "").split(";"))
    for part in ("style", "script"):
        (inside,) = re.findall(f"<{part}>(.*?)</{part}>", text, flags=re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert rules.pop(f"{part}-src") == f"'sha256-{digest}'"
    assert rules == {"default-src": "'none'", "base-uri": "'none'", "form-action": "'none'"}


@pytest.mark.usefixtures("styled")
def test_style_and_script_load_nothing_and_write_no_markup(reports):
    text = render(reports["ready"], Format.HTML)
    for part in ("style", "script"):
        (inside,) = re.findall(f"<{part}>(.*?)</{part}>", text, flags=re.DOTALL)
        assert len(inside) > 1000
        forbidden = (
            r"url\(|@import|https?:|fetch|XMLHttp|innerHTML|outerHTML|insertAdjacent|document\.write|eval|import\("
        )
        assert re.findall(forbidden, inside) == []
    assert render(reports["ready"], Format.HTML) == text


def test_a_verdict_is_told_in_words(report):
    words = page_of(report).words
    for finding in report.findings:
        assert finding.rule in words
    assert {Status.PASS: "READY", Status.WARN: "READY, WITH", Status.FAIL: "NOT READY", Status.UNKNOWN: "CAN'T TELL"}[
        report.status
    ] in words


def test_each_finding_has_what_was_found_what_it_rests_on_and_what_to_do(reports):
    words = page_of(reports["broken"]).words
    for finding in reports["broken"].findings:
        verdict = finding.verdict
        assert verdict.message in words
        assert finding.title in words
        for evidence in verdict.evidence:
            assert evidence.detail in words
            assert evidence.source in words
        for remedy in verdict.remedies:
            assert remedy.summary in words
            assert all(command in words for command in remedy.commands)
            assert (remedy.terraform or "") in words


def test_what_is_unknown_says_why_and_what_settles_it(reports):
    words = page_of(reports["blind"]).words
    assert "Not known because" in words
    assert words.count("Grant the caller resourcemanager.projects.get on projects/acme-analytics, then run again.") == 1


def test_what_mends_several_rules_is_written_once(reports):
    page = page_of(reports["broken"])
    assert page.words.count("gcloud projects add-iam-policy-binding") == 2
    assert {"href": "#vendor-role"} in page.of("a")[-8:]


def test_what_was_before_the_plan_is_told(make_report, reports):
    (finding,) = [finding for finding in reports["broken"].findings if finding.rule == "bigquery-api-enabled"]
    worse = replace(finding, before=Status.PASS)
    words = page_of(make_report(worse, plan="plan.json", only_new=True)).words
    assert "Before the planpass → fail, which makes it worse" in words
    assert "live, with plan.json applied" in words
    assert "the exit code counts only what the plan makes worse" in words


def test_a_stale_plan_and_warnings_are_told(reports):
    stale = replace(reports["ready"], plan="p.json", stale=("x is gone",))
    assert "Warning: p.json is stale, and what is there counts: x is gone. Plan again." in page_of(stale).words
    for told in ((), (stale,), (stale, reports["broken"])):
        warnings: list[str] = []
        made = full_document(Format.HTML, warnings=warnings)
        for report in told:
            made.add(report)
        warnings.append("main.tf:1: <b> can't be read")
        page = Page(made.end([Row.of(report) for report in told]))
        is_sound(page)
        assert "main.tf:1: <b> can't be read" in page.words


def test_what_was_left_out_is_told(make_report, make_finding, reports):
    verdict = reports["broken"].findings[2].verdict
    ignored = make_finding(
        "dataset-name", "t", skipped("ignored (a.tf:3): ours"), ignored=Ignored(verdict, "ours", "a.tf:3", True)
    )
    words = page_of(make_report(ignored, unasked=("vendor-role",), allow_unknown=True)).words
    assert "What was left out" in words
    assert "vendor-role: nobody asked for this rule" in words
    assert "dataset-name: ignored (a.tf:3): ours" in words
    assert "the exit code lets what is unknown pass" in words
    assert "What was left out" not in page_of(reports["ready"]).words


def test_commands_are_there_as_they_are_to_be_copied(make_report, make_finding):
    command = "gcloud x --member='a  b' --role=roles/y '--title=it is so' > out-file"
    verdict = failed("m", Evidence("s", "r", None, "d"), remedy=Remedy("do", (command, "second"), "a = 1\n  b = 2\n"))
    text = render(make_report(make_finding("r", "t", verdict)), Format.HTML)
    blocks = [
        re.sub("<[^>]+>", "", block) for block in re.findall("<pre><code>(.*?)</code></pre>", text, flags=re.DOTALL)
    ]
    assert [html.unescape(block) for block in blocks] == [f"{command}\nsecond\n", "a = 1\n  b = 2"]


def test_an_address_elsewhere_is_no_link(make_report, make_finding):
    for url in ("javascript:alert(1)", "https://evil.example/", "https://console.cloud.google.com.evil.example/"):
        verdict = failed("m", Evidence("s", "r", None, "d"), remedy=Remedy("do", console_url=url))
        page = page_of(make_report(make_finding("r", "t", verdict)))
        assert [a["href"] for a in page.of("a")] == ["#page:report", "#r"]
        assert f"Page: {url}" in page.words


def test_many_observations_are_counted_and_a_few_of_them_shown(make_report, make_finding):
    many = tuple(Evidence("bigquery.datasets.get", f"datasets/d{n}", None, f"d{n} is open" * 20) for n in range(10_000))
    remedy = Remedy("close them", tuple(f"bq update d{n}" for n in range(10_000)))
    report = make_report(*(make_finding(f"r{n}", "t", failed("x" * 1_000_000, *many, remedy=remedy)) for n in range(8)))
    text = render(report, Format.HTML)
    assert len(text) < 1_500_000
    words = Page(text).words
    assert "9,900 more are in the JSON report" in words
    assert "9,800 more commands are in the JSON report" in words
    assert f"({1_000_000 - LONGEST:,} more characters)" in words


PATHS = {name: path_of(decision) for name, decision in decisions().items()}


@pytest.mark.parametrize("case", PATHS)
def test_a_path_is_drawn_with_a_text_alternative(case, make_report, make_finding):
    path = PATHS[case]
    verdict = replace(passed("m", Evidence("s", "r", None, "d")), access=(path,))
    text = render(make_report(make_finding("jobs-create", "t", verdict)), Format.HTML)
    page = Page(text)
    is_sound(page)
    pictures = [svg for svg in page.of("svg") if svg.get("role") == "img"]
    assert [svg["class"] for svg in pictures] == ["wide", "narrow"]
    assert len(page.of("desc")) == 2
    for name in (path.principal, path.resource, *path.wanted, *(way.role for way in path.ways)):
        assert name in page.words
    for point in path.open:
        assert point.settle in page.words


def test_what_blocks_the_way_is_marked_by_form_and_word(make_report, make_finding):
    def marks(case: str) -> list[str]:
        verdict = replace(passed("m", Evidence("s", "r", None, "d")), access=(PATHS[case],))
        text = render(make_report(make_finding("r", "t", verdict)), Format.HTML)
        (wide,) = re.findall('<svg role="img"[^>]*class="wide">.*?</svg>', text, flags=re.DOTALL)
        return re.findall('class="mark ([a-z]+)"', wide)

    assert marks("denied") == ["none", "bad", "bad"]
    assert marks("granted") == ["good", "bad"]
    assert marks("nothing") == ["none", "none", "none"]
    assert marks("unknown") == ["open", "open", "open", "open"]
    assert marks("dataset") == []


@pytest.mark.parametrize("case", PATHS)
def test_an_answer_about_access_is_a_sound_page(case, golden):
    text = access_page.render(decisions()[case])
    is_sound(Page(text))
    golden(f"access-{case}.html", text)


def test_answers_about_access_are_sound_whatever_names_say(hostile):
    for decision in hostile_decisions(hostile):
        page = Page(access_page.render(decision))
        is_sound(page)
        assert [c for c in page.words if not c.isprintable() and c != "\n"] == []


def test_several_in_full_and_one_alone_and_none(reports):
    both = Page(in_full(*fleet_of(reports, "ready", "broken")))
    is_sound(both)
    assert "2 projects: 1 not ready, 1 ready." in both.words
    assert "Is acme-broken ready for Heap?" in both.words
    assert in_full(reports["broken"]) == render(reports["broken"], Format.HTML)
    assert "No project was judged." in Page(in_full()).words


def test_projects_that_nothing_is_wrong_with_are_closed_where_they_are_many(reports):
    row = Row.of(reports["ready"])
    for count, is_open in ((50, True), (51, False)):
        made = document(Format.HTML, "export.json")
        made.add(reports["ready"])
        (listed,) = Page(made.end([row] * count)).of("details")
        assert ("open" in listed) is is_open


def test_elements_refuse_what_the_policy_forbids():
    for attributes in ({"onclick": "x"}, {"style": "x"}, {"href": "javascript:x"}, {"href": "//evil.example"}):
        with pytest.raises(ValueError, match=r"policy|address"):
            element("a", "x", **attributes)


def test_text_is_escaped_and_markup_is_not():
    assert element("p", "<b>", Markup("<i>"), [None, "&", ("\u202e",)]) == "<p>&lt;b&gt;<i>&amp;\\u202e</p>\n"
    assert element("meta", name='"', content=None, hidden=True) == '<meta name="&quot;" hidden>'
    assert preformatted("a\n\tb\x1b\n") == "a\n  b\\x1b"
    assert markup("x" * (LONGEST + 1)) == "x" * LONGEST + " … (1 more characters)"
