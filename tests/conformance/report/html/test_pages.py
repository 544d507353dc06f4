"""The pages stand on their own: every link leads somewhere, nothing is loaded from elsewhere, and no text becomes markup."""

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from posixpath import normpath
from urllib.parse import unquote

import pytest
from tunnel_conformance.records import Outcome, Run
from tunnel_conformance.report.html.pages import MARKER, BadFolder, check, pages, prose, write
from tunnel_conformance.spec import rules

from tests.conformance.report.samples import everybody, hostile, run, verdict, whole
from tunnel.spec.model import Role

VOID = {"meta", "link", "br"}


class Page(HTMLParser):
    """A page as a browser reads it: its elements, its text, and whether every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def tags(self) -> set[str]:
        return {tag for tag, _ in self.elements}

    def attributes(self, name: str) -> Iterator[str]:
        for _, attributes in self.elements:
            value = attributes.get(name)
            if value is not None:
                yield value


def parsed(runs: list[Run]) -> dict[str, Page]:
    return {name: Page(text) for name, text in pages(runs) if name.endswith(".html")}


@pytest.fixture(scope="module")
def report() -> dict[str, Page]:
    return parsed(everybody())


def test_there_is_a_page_for_each_implementation_rule_and_case(report: dict[str, Page]) -> None:
    assert {"index.html", "rules.html", "implementations/ours-host.html", "implementations/ours-guest.html"} <= set(
        report
    )
    assert {f"rules/{rule}.html" for rule in rules()} <= set(report)
    assert {f"cases/{found.case}.html" for found in whole("ours", Role.HOST).verdicts} <= set(report)


def test_every_link_leads_to_a_page_and_a_place_in_it(report: dict[str, Page]) -> None:
    places = {name: set(page.attributes("id")) for name, page in report.items()}
    links = [(name, href) for name, page in report.items() for href in page.attributes("href")]

    assert len(links) > 1000
    for name, href in links:
        path, _, place = unquote(href).partition("#")
        target = normpath(PurePosixPath(name).parent / path) if path else name
        assert target == "style.css" or target in report, (name, href)
        assert not place or place in places[target], (name, href)


def test_nothing_is_loaded_from_elsewhere_and_nothing_runs(report: dict[str, Page]) -> None:
    style = dict(pages([run(verdict())]))["style.css"]

    assert "url(" not in style
    assert "@import" not in style
    for page in report.values():
        assert page.tags.isdisjoint({"script", "img", "iframe", "object", "embed", "style", "form", "svg"})
        assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
        assert list(page.attributes("src")) == []


def test_every_page_has_a_title_a_language_and_one_heading(report: dict[str, Page]) -> None:
    for page in report.values():
        assert ("html", {"lang": "en"}) in page.elements
        assert [tag for tag, _ in page.elements].count("h1") == 1
        assert all(attributes.get("scope") for tag, attributes in page.elements if tag == "th")


def test_hostile_texts_stay_texts() -> None:
    text = "".join(page for name, page in pages([hostile()]) if name.endswith(".html"))

    assert "<script" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert not any(hidden in text for hidden in "\x1b\x00\u202e\u200b")
    assert "\\u202e" in text


def test_hostile_names_leave_the_folder_in_no_direction(tmp_path: Path) -> None:
    write(tmp_path / "report", [hostile()])

    assert {path.name for path in tmp_path.iterdir()} == {"report"}
    assert {path.name for path in (tmp_path / "report").iterdir()} == {
        MARKER,
        "index.html",
        "rules.html",
        "style.css",
        "implementations",
        "rules",
        "cases",
    }


def test_a_rule_has_its_sentence_and_all_verdicts(report: dict[str, Page]) -> None:
    page = report["rules/LOCK-1.html"]

    assert rules()["LOCK-1"].text in page.text
    assert "reuses-the-link" in page.text
    assert "No case of this run proves this rule." in report["rules/TIME-1.html"].text


def test_a_case_has_its_steps_and_the_worst_first_with_the_conversation_open(report: dict[str, Page]) -> None:
    page = report["cases/lock-second-guest.html"]
    verdicts = [attributes for tag, attributes in page.elements if tag == "section"]
    folds = [attributes for _, attributes in page.elements if attributes.get("class") == "conversation"]

    assert "join by B -> refused (reason: tunnel full)" in page.text
    assert verdicts[-1]["class"] == "verdict o-pass"
    assert "o-fail" in str(verdicts[0]["class"])
    assert ["open" in fold for fold in folds] == ["o-pass" not in str(verdict["class"]) for verdict in verdicts]


def test_where_all_pass_one_conversation_is_open() -> None:
    page = parsed([run(verdict(), subject=name) for name in "ab"])["cases/wire-normal.html"]
    folds = [attributes for _, attributes in page.elements if attributes.get("class") == "conversation"]

    assert ["open" in fold for fold in folds] == [True, False]


def test_an_implementation_that_was_never_reached_is_told_once() -> None:
    stuck = [verdict(case, Outcome.HARNESS, log=(), note="no such program") for case in ("a", "b", "c")]
    page = parsed([run(*stuck)])["implementations/ours-host.html"]

    assert page.text.count("no such program") == 1
    assert "No conversation was kept." in parsed([run(*stuck)])["cases/a.html"].text


def test_what_stands_between_backticks_is_code() -> None:
    assert prose("the field `t` & <b>") == "the field <code>t</code> &amp; &lt;b&gt;"


def test_a_later_report_replaces_an_earlier_one(tmp_path: Path) -> None:
    write(tmp_path, everybody())
    write(tmp_path, [run(verdict())])

    assert [path.name for path in (tmp_path / "cases").iterdir()] == ["wire-normal.html"]


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")

    with pytest.raises(BadFolder, match="holds something that is no report"):
        write(tmp_path, [run(verdict())])
    with pytest.raises(BadFolder, match="is no folder"):
        check(tmp_path / "thesis.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    check(tmp_path / "new")
