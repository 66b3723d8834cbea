"""The HTML report in a browser: nothing is asked of anybody, everybody can use it, and names do nothing.

Chromium is Debian's, steered by Playwright; axe-core, which judges accessibility, is npm's. The page forbids scripts
that aren't its own, so axe-core is handed in by the debugger. The pictures that are taken, to be looked at, are kept
in pytest's cache under `html-pictures`, or in the folder that PREFLIGHT_PICTURES names.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from preflight.emulator import World
from preflight.renderers import Format, render
from preflight.renderers.fleet import Row
from preflight.renderers.html import access as access_page
from preflight.renderers.many import document, full_document
from tests.end_to_end.conftest import RUN, Preflight, Serve
from tests.npm_packages import fetched
from tests.renderers.audits import decisions
from tests.renderers.conftest import HOSTILE_NAMES, REPORTS, evil_report

HERE = Path(__file__).parent
WORLDS = ("ready", "broken", "blind", "tangled")
OTHERS = ("hostile", "evil", "fleet", "several", "answer")
ALL = os.environ.get("PREFLIGHT_TORTURE") == "all"
"""Whether every page is looked at in every way, as `make torture` does, or those that each test run has time for."""
PAGES = (*WORLDS, *OTHERS) if ALL else ("ready", "broken", "tangled", "hostile")
PICTURES = (*WORLDS, "answer", "hostile", "several", "fleet") if ALL else ("ready", "broken", "tangled")
WIDE, PHONE = {"width": 1200, "height": 900}, {"width": 400, "height": 800}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
INTRUDERS = "img, iframe, object, embed, form, input, link, base, video, audio, meta[http-equiv=refresh], [style]"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        pytest.skip("Chromium is not installed: the HTML report was NOT looked at in a browser")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def axe(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    packages = fetched(HERE / "browser", "axe-core", "accessibility by axe-core was", request, tmp_path_factory)
    return (packages / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def pictures(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    named = os.environ.get("PREFLIGHT_PICTURES")
    cache = getattr(request.config, "cache", None)
    folder = Path(named) if named else cache.mkdir("html-pictures") if cache else tmp_path_factory.mktemp("pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    """The pages made so far, by name."""
    return {}


@pytest.fixture
def written(request: pytest.FixtureRequest, tmp_path: Path, made: dict[str, str]) -> Path:
    """The page that the test's parameter names, as a file; a world's is written by the command line."""
    name: str = request.param
    file = tmp_path / f"{name}.html"
    if name in WORLDS and name not in made:
        serve: Serve = request.getfixturevalue("serve")
        preflight: Preflight = request.getfixturevalue("preflight")
        named = ("--location", "EU", "--dataset", "heap_production", "--report", f"html={file}", "-q", "--no-files")
        preflight(*RUN, *named, environ=serve(World.demo(name)).environ())
        made[name] = file.read_text(encoding="utf-8")
    elif name not in made:
        made[name] = _made(name)
    file.write_text(made[name], encoding="utf-8")
    return file


def _made(name: str) -> str:
    if name == "answer":
        return access_page.render(decisions()["denied"])
    if name in {"fleet", "several"}:
        reports = [REPORTS[one] for one in ("broken", "ready", "blind")]
        made = document(Format.HTML, "export.json") if name == "fleet" else full_document(Format.HTML)
        return "".join(made.add(report) for report in reports) + made.end([Row.of(report) for report in reports])
    report = evil_report(HOSTILE_NAMES[4]) if name == "evil" else REPORTS[name]
    return render(report, Format.HTML)


class Opened:
    """A page in a browser, with what it said and asked for."""

    def __init__(self, browser: Any, file: Path, **how: Any) -> None:
        self.context = browser.new_context(
            **{"viewport": WIDE, "permissions": ["clipboard-read", "clipboard-write"], **how}
        )
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.stopped: list[str] = []
        self.said: list[str] = []
        self.dialogs: list[str] = []
        self.address = file.as_uri()
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("requestfailed", lambda request: self.stopped.append(f"{request.failure}: {request.url}"))
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", self._dismiss)
        self.page.goto(self.address)

    def _dismiss(self, dialog: Any) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def open_all(self) -> None:
        self.page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")

    def is_quiet(self) -> None:
        """Asserts that nothing was asked of anybody, nothing went wrong, and nothing popped up."""
        assert self.requests == [self.address]
        assert self.said == []
        assert self.dialogs == []
        assert len(self.context.pages) == 1

    def __enter__(self) -> "Opened":
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()


@pytest.mark.parametrize("written", PAGES, indirect=True)
def test_nothing_is_asked_of_anybody_and_nothing_goes_wrong(browser, written):
    with Opened(browser, written) as opened:
        opened.open_all()
        opened.page.evaluate("for (const button of document.querySelectorAll('button')) button.click()")
        assert opened.page.evaluate("document.readyState") == "complete"
        assert opened.page.evaluate(f"document.querySelectorAll('{INTRUDERS}').length") == 0
        assert opened.page.evaluate("document.scripts.length") == 1
        opened.is_quiet()


def test_the_policy_stops_what_a_name_might_bring(browser, tmp_path):
    """Were a name ever to become an element all the same, the browser would not act on it."""
    file = tmp_path / "forged.html"
    bad = "<img src='https://evil.example/x.png' onerror='alert(1)'><script>alert(2)</script><p style='color:red' id=p>"
    file.write_text(render(REPORTS["ready"], Format.HTML).replace("<main", f"{bad}<main"), encoding="utf-8")
    with Opened(browser, file) as opened:
        assert opened.dialogs == []
        assert opened.stopped == ["csp: https://evil.example/x.png"]
        assert opened.page.evaluate("getComputedStyle(document.getElementById('p')).color") != "rgb(255, 0, 0)"
        assert len(opened.said) >= 3, "the browser says what it stopped"


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"color_scheme": "light"}, id="light"),
        pytest.param({"color_scheme": "dark"}, id="dark"),
        pytest.param({"color_scheme": "dark", "viewport": PHONE}, id="phone"),
    ][: None if ALL else 2],
)
@pytest.mark.parametrize("written", PAGES, indirect=True)
def test_axe_finds_no_violation(browser, axe, written, how):
    with Opened(browser, written, **how) as opened:
        opened.open_all()
        opened.page.evaluate(axe)
        found = opened.page.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", TAGS)
        assert len(found["passes"]) > 15
        assert [
            (one["id"], node["target"], node["failureSummary"])
            for one in found["violations"]
            for node in one["nodes"][:3]
        ] == []
        opened.is_quiet()


@pytest.mark.parametrize("written", ["broken", "blind"], indirect=True)
def test_a_button_copies_just_what_stands_beside_it(browser, written):
    with Opened(browser, written) as opened:
        opened.open_all()
        blocks = opened.page.query_selector_all(".block")
        assert blocks
        for block in blocks:
            block.query_selector("button").click()
            opened.page.locator("[role=status]", has_text="Copied").wait_for(state="attached")
            copied = opened.page.evaluate("navigator.clipboard.readText()")
            assert copied == block.query_selector("code").text_content().rstrip("\n")
        assert opened.page.query_selector_all("text=Copied")
        opened.is_quiet()


@pytest.mark.parametrize("written", ["broken"], indirect=True)
def test_without_scripts_all_of_it_is_there(browser, written):
    with Opened(browser, written, java_script_enabled=False) as opened:
        assert opened.page.locator("button").count() == 0
        assert opened.page.locator("h1").inner_text() == "Is acme-analytics ready for Heap Connect?"
        part = opened.page.locator("details.short").first
        inside = part.locator(".inside")
        assert not inside.is_visible()
        part.locator("summary").first.click()
        assert inside.is_visible()


@pytest.mark.parametrize("written", ["broken"], indirect=True)
def test_it_prints_with_everything_opened_and_no_buttons(browser, written, pictures):
    for scripts in (True, False):
        with Opened(browser, written, java_script_enabled=scripts) as opened:
            opened.page.emulate_media(media="print")
            assert opened.page.locator("button:visible").count() == 0
            for part in opened.page.locator("details > :not(summary)").all():
                assert (part.bounding_box() or {"height": 0})["height"] > 0
            printed = pictures / "broken.pdf"
            opened.page.pdf(path=printed, format="A4")
            assert printed.read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize("written", ["broken"], indirect=True)
def test_it_can_be_used_by_keyboard(browser, written):
    with Opened(browser, written) as opened:
        page = opened.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "page:report"
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Open all"
        assert page.evaluate("getComputedStyle(document.activeElement).outline").endswith("solid 3px")
        page.keyboard.press("Enter")
        assert page.locator("main details:not([open])").count() == 0
        assert page.locator("main details").count() > 5


@pytest.mark.parametrize("written", ["broken"], indirect=True)
def test_a_link_to_a_closed_part_opens_it(browser, written):
    with Opened(browser, written) as opened:
        opened.page.click("a[href='#project-active']")
        assert opened.page.locator("#project-active[open]").count() == 1


@pytest.mark.parametrize("written", PAGES, indirect=True)
def test_it_fits_a_phone(browser, written):
    with Opened(browser, written, viewport=PHONE) as opened:
        opened.open_all()
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("written", PICTURES, indirect=True)
def test_pictures_are_taken_to_be_looked_at(browser, written, pictures):
    looks = {
        "light": {"color_scheme": "light"},
        "dark": {"color_scheme": "dark"},
        "phone": {"viewport": PHONE},
        "print": {"viewport": {"width": 720, "height": 1000}},
    }
    for look, how in looks.items():
        with Opened(browser, written, **how) as opened:
            if look == "print":
                opened.page.emulate_media(media="print")
            picture = pictures / f"{written.stem}-{look}.png"
            opened.page.screenshot(path=picture, full_page=True)
            assert picture.stat().st_size > 20_000
            opened.open_all()
            shown = "wide" if look != "phone" else "narrow"
            other = "narrow" if look != "phone" else "wide"
            assert opened.page.locator(f".path > .{other}:visible").count() == 0
            drawn = opened.page.locator(f".path > .{shown}:visible").count()
            assert drawn or written.stem in {"hostile", "several", "fleet"}
