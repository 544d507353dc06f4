"""The documentation says what the tables and the program say, names nothing that there is not, and is built without a warning."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tunnel_conformance import cli as kit

from spec.compiler import docs, docs_app, docs_diagrams, docs_papers
from spec.compiler.docs_diagrams import with_dot
from spec.compiler.trace import trace
from tests.narrated import PAGE, narrated
from tests.spec.breakage import SPEC
from tests.test_papers import unknown_rules
from tunnel.app.cli import commands
from tunnel.app.server import TOOLS
from tunnel.spec.model import Constant
from tunnel.transport.cloudflared import KEPT

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
WRITTEN = docs.write(SPEC, ROOT, None)
REFERENCE = {path: text for path, text in WRITTEN.items() if path.startswith("reference/")}
BY_HAND = sorted(
    path for path in DOCS.rglob("*.md") if path.relative_to(DOCS).parts[0] not in (*docs.FOLDERS, "_build")
)


def plain(page: str) -> str:
    """A page without its links and escapes, as it is read."""
    page = re.sub(r"</?span[^>]*>", "", page).replace("\\|", "|")
    return re.sub(r"\[([^\[\]]*)\]\(#[^)]*\)", r"\1", page)


def texts(row: Any) -> Iterator[str]:
    """Every sentence, name and number that a row of the tables holds."""
    match row:
        case dict():
            for value in row.values():
                yield from texts(value)
        case list() | tuple():
            for value in row:
                yield from texts(value)
        case str():
            yield row
        case _:
            pass


def missing(spec: Any, pages: dict[str, str]) -> list[str]:
    """What of the tables stands on no page; the cases and the tools' own table have pages of their own."""
    all_of_it = plain("\n".join(pages.values()))
    tables = msgspec.to_builtins(
        [spec.protocol.constants, spec.frames, spec.refusals, spec.rules, list(spec.machines.values())]
    )
    return [text for text in dict.fromkeys(texts(tables)) if text and not stands(text, all_of_it)]


def stands(text: str, pages: str) -> bool:
    """Whether a text is there; the words of a choice stand each for itself."""
    return text in pages or (text.startswith("one of ") and all(f"`{word}`" in pages for word in text.split()[2:]))


def test_every_text_of_the_tables_is_in_the_reference() -> None:
    assert missing(SPEC, REFERENCE) == []


def test_a_text_that_is_in_no_page_is_found() -> None:
    more = msgspec.structs.replace(
        SPEC.protocol, constants=(*SPEC.protocol.constants, Constant("NEVER_SEEN", 1, "bytes", "A number of nobody's."))
    )

    assert missing(msgspec.structs.replace(SPEC, protocol=more), REFERENCE) == ["NEVER_SEEN", "A number of nobody's."]


@pytest.mark.parametrize("constant", SPEC.protocol.constants, ids=lambda constant: constant.name)
def test_a_number_stands_beside_its_name(constant: Constant) -> None:
    row = next(line for line in REFERENCE["reference/constants.md"].splitlines() if f"`{constant.name}`" in line)

    assert docs.amount(constant.value, constant.unit) in row


@pytest.mark.parametrize("traced", trace(SPEC, ROOT), ids=lambda traced: traced.rule.id)
def test_a_rule_shows_what_carries_it_out_and_what_proves_and_tests_it(traced: Any) -> None:
    page = plain(REFERENCE["reference/rules.md"])
    part = page.partition(f"\n### {traced.rule.id}\n")[2].partition("\n### ")[0]
    behind = [*traced.rows, *traced.invariants, *traced.cases, *traced.tests]

    assert [name for name in behind if name not in part] == []
    assert traced.rule.level.value in part


def test_every_frame_has_an_example_that_is_one_of_the_vectors() -> None:
    page = REFERENCE["reference/frames.md"]
    parts = {name: page.partition(f"(frame-{name})=")[2].partition("```json\n")[2] for name in frame_names()}
    examples = {name: msgspec.json.decode(part.partition("```")[0]) for name, part in parts.items()}

    assert {name for name, example in examples.items() if example["t"] != name} == set()


def frame_names() -> list[str]:
    return [frame.name for frame in SPEC.frames.frames]


def test_every_tool_shows_every_argument_and_every_field_that_a_client_is_told_of() -> None:
    page = WRITTEN["_generated/tools.md"]
    tools = docs_app.tools()
    lists = [values for tool in tools for values in (tool.arguments, tool.result, *tool.parts.values())]
    values = [value for values in lists for value in values]

    assert [tool.name for tool in tools] == [tool.name for tool in TOOLS]
    assert len(values) > 60
    assert [value.name for value in values if f"| `{value.name}` | {value.type}" not in page] == []
    assert [value.text for value in values if docs_papers.linked(value.text, docs.names(SPEC)) not in page] == []


def test_every_client_has_its_registration() -> None:
    page = WRITTEN["_generated/clients.md"]

    assert [one.client.name for one in docs_app.clients() if one.how.snippet not in page] == []
    assert docs_app.PROGRAM in page


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("as A-1 says", "as [A-1](#a) says"),
        ("`A-1` and [A-1](#there)", "`A-1` and [A-1](#there)"),
        ("{{ A_B // 60 }} of A_B", "{{ A_B // 60 }} of [A_B](#b)"),
        ("## A-1", "## A-1"),
        ("(A-1)=", "(A-1)="),
        ("(A-1)", "([A-1](#a))"),
        ("    A-1", "    A-1"),
        ("```\nA-1\n```\nA-1", "```\nA-1\n```\n[A-1](#a)"),
        ("A-10, BA-1, A-1-2", "A-10, BA-1, A-1-2"),
    ],
)
def test_what_is_named_is_linked_and_code_is_left_alone(given: str, shown: str) -> None:
    assert docs_papers.linked(given, {"A-1": "a", "A_B": "b"}) == shown


def test_a_paper_leads_to_the_page_that_shows_another_and_to_files_that_are_kept_beside(tmp_path: Path) -> None:
    (tmp_path / "table.toml").write_text("a = 1\n")
    (tmp_path / "SECURITY.md").write_text("# S\n## One\n\n    code\n    more\n")
    (tmp_path / "README.md").write_text(
        "# R\n[s](SECURITY.md) [t](table.toml) [x](#here) [n](nothing.md)\n## Two\n### Three\n"
    )
    papers = docs_papers.Papers(tmp_path, {})

    assert papers.whole("README.md").splitlines()[0] == (
        "[s](/guides/security.md) [t](/_generated/files/table.toml) [x](#here) [n](nothing.md)"
    )
    assert papers.section("README.md", "Two").strip() == "## Three"
    assert papers.section("SECURITY.md", "One") == "    code\n    more"


@pytest.mark.parametrize("name", list(SPEC.machines))
def test_a_diagram_has_every_state_and_every_row_that_moves_or_does_something(name: str) -> None:
    machine = SPEC.machines[name]
    drawn = docs_diagrams.graph(machine)
    table = docs_diagrams.draw(machine, None)

    assert [state.name for state in machine.states if f"{state.name} [label=<<B>{state.name}</B>" not in drawn] == []
    assert [row.id for row in machine.transitions if (row.to != "=" or row.do) and row.id not in drawn] == []
    assert [row.id for row in machine.transitions if (row.to != "=" or row.do) and row.id not in table] == []
    assert "apt-get install graphviz" in table


@pytest.mark.needs("dot")
@pytest.mark.parametrize("name", list(SPEC.machines))
def test_a_picture_says_what_it_shows_and_has_every_state(name: str) -> None:
    machine = SPEC.machines[name]
    picture = docs_diagrams.draw(machine, with_dot())

    assert 'role="img"' in picture
    assert [state.name for state in machine.states if f">{state.name}</text>" not in picture] == []


def test_a_program_that_draws_nothing_is_named() -> None:
    assert with_dot("no such program") is None
    for name in ("false", "true"):
        with pytest.raises(
            docs_diagrams.DrawingError, match=f"{name} draws nothing, and says: nothing. Install Graphviz anew"
        ):
            docs_diagrams.draw(SPEC.machines["guest"], with_dot(name))


def test_a_program_that_cannot_be_run_is_named(tmp_path: Path) -> None:
    (tmp_path / "dot").touch(mode=0o755)

    with pytest.raises(docs_diagrams.DrawingError, match="cannot be run"):
        docs_diagrams.draw(SPEC.machines["guest"], with_dot(str(tmp_path / "dot")))


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer"}, "integer"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string or null"),
        ({"enum": ["a", "b"]}, "`a` or `b`"),
        ({"type": "array", "items": {"$ref": "#/$defs/Mark"}}, "list of `Mark`"),
        ({"type": "object", "additionalProperties": {"$ref": "#/$defs/Mark"}}, "`Mark` by name"),
        ({}, "anything"),
    ],
)
def test_a_type_is_told_in_words(schema: dict[str, object], words: str) -> None:
    assert docs_app.type_told(schema) == words


def test_the_session_is_told_as_it_goes_every_time() -> None:
    """AUTH-1, LOCK-1, SEQ-2, CLOSE-1: `python -m tests.narrated` writes the page anew."""
    assert narrated() == PAGE.read_text(encoding="utf-8")


def strangers(text: str) -> set[str]:
    """What a page names, and there is not: targets, commands, variables, tools, files."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    there = {
        r"(?:`|^    )make ([a-z-]+)": re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE),
        r"(?:`|^    |\| )tunnel-mcp ([a-z-]+)": commands.commands,
        r"tunnel-conformance ([a-z-]+)": kit.commands.commands,
        r"python -m spec\.compiler ([a-z]+)": re.findall(
            r'add_parser\(\s*"([a-z]+)"', (ROOT / "spec/compiler/__main__.py").read_text()
        ),
        r"\b(TUNNEL_[A-Z_]+)\b": {
            *re.findall(r"^\| `(TUNNEL_[A-Z_]+)` \|", readme, re.MULTILINE),
            *KEPT,
            *SPEC.constants,
        },
        r"`(tunnel_[a-z]+)`": [tool.name for tool in TOOLS],
        r"python -m tests\.(\w+)": [path.stem for path in (ROOT / "tests").glob("*.py")],
    }
    found = {
        f"{pattern}: {name}"
        for pattern, known in there.items()
        for name in re.findall(pattern, text, re.MULTILINE)
        if name not in known
    }
    paths = re.findall(r"`((?:spec|tunnel|tests|conformance|docs|\.ci)/[\w./*-]+)`", text)
    return found | {path for path in paths if not list(ROOT.glob(path))} | unknown_rules(text)


@pytest.mark.parametrize("path", BY_HAND, ids=lambda path: str(path.relative_to(DOCS)))
def test_a_page_names_only_what_there_is(path: Path) -> None:
    assert strangers(path.read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize(
    "text",
    [
        "    make nothing",
        "`tunnel-mcp nothing`",
        "    tunnel-conformance nothing",
        "`python -m spec.compiler nothing`",
        "TUNNEL_" + "NOTHING",
        "`tunnel_nothing`",
        "`python -m tests.nothing`",
        "`spec/v1/nothing.toml`",
        "AUTH" + "-99",
    ],
)
def test_what_there_is_not_is_found(text: str) -> None:
    assert len(strangers(text)) == 1


def test_every_guide_is_there() -> None:
    guides = {path.stem for path in (DOCS / "guides").glob("*.md")}

    assert guides >= {"first-tunnel", "clients", "proxy", "watching", "implementing", "conformance", "tools"}


class Page(HTMLParser):
    """What a page loads, where it leads, and what can be led to in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.leads: list[str] = []
        self.ids: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids |= {given["id"]} if "id" in given else set()
        if "src" in given or tag == "link":
            self.loads.append(given.get("src", given.get("href", "")))
        elif "href" in given and tag == "a":
            self.leads.append(given["href"])


@pytest.fixture(scope="module", params=["tables", pytest.param("pictures", marks=pytest.mark.needs("dot"))])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages, built as `make docs` builds them: every warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    source = shutil.copytree(DOCS, folder / "docs", ignore=shutil.ignore_patterns("_build", *docs.FOLDERS))
    docs.generate(SPEC, ROOT, source, with_dot() if request.param == "pictures" else None)
    build = [
        "-q",
        "-W",
        "--keep-going",
        "-n",
        "-b",
        "html",
        "-d",
        str(folder / "trees"),
        str(source),
        str(folder / "html"),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *build], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    return folder / "html"


def dead(pages: dict[Path, Page]) -> list[str]:
    """Links within the pages that lead nowhere."""
    found: list[str] = []
    for path, page in pages.items():
        for lead in page.leads:
            target, _, anchor = lead.partition("#")
            if target.startswith(("http:", "https:", "mailto:")):
                continue
            to = (path.parent / target).resolve() if target else path
            if not to.is_file() or (anchor and to in pages and anchor not in pages[to].ids):
                found.append(lead)
    return found


def from_elsewhere(folder: Path, pages: dict[Path, Page]) -> list[str]:
    """What pages and their styles load from somewhere else."""
    loads = [load for page in pages.values() for load in page.loads]
    for sheet in folder.rglob("*.css"):
        loads += re.findall(r"(?:url\(|@import)\s*['\"]?([^'\")]+)", sheet.read_text(encoding="utf-8"))
    return [load for load in loads if re.match(r"(https?:)?//", load)]


def test_every_link_within_the_pages_leads_somewhere_and_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    pages = {path: Page(path) for path in site.rglob("*.html")}

    assert len(pages) > 25
    assert dead(pages) == []
    assert from_elsewhere(site, pages) == []
    assert all(f"rule-{rule.id.lower()}" in pages[site / "reference/rules.html"].ids for rule in SPEC.rules.rules)
    assert all("{{" not in re.sub(r"(?s)<script.*?</script>", "", path.read_text()) for path in pages)


def test_a_dead_link_and_what_is_loaded_from_elsewhere_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<p id="x"><a href="#x"></a><a href="b.html#y"></a><a href="b.html#z"></a><a href="c.html"></a><img src="//far/i.png">'
    )
    (tmp_path / "b.html").write_text('<link href="https://far/s.css"><link href="s.css"><p id="y">')
    (tmp_path / "s.css").write_text("p { background: url('http://far/p.png') } q { background: url(data:x) }")
    pages = {path: Page(path) for path in sorted(tmp_path.rglob("*.html"))}

    assert dead(pages) == ["b.html#z", "c.html"]
    assert from_elsewhere(tmp_path, pages) == ["//far/i.png", "https://far/s.css", "http://far/p.png"]
