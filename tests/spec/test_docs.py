"""The documentation says what the tables and the program say, names nothing that there is not, and is built without a warning."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tunnel_conformance import cli as kit

from spec.compiler import docs, docs_app, docs_diagrams, docs_papers, docs_session
from spec.compiler.commands import COMMANDS
from spec.compiler.docs_diagrams import with_dot
from spec.compiler.trace import trace
from tests.narrated import PAGE, narrated
from tests.spec.breakage import SPEC
from tests.test_papers import unknown_rules
from tunnel import crypto
from tunnel.app.cli import commands
from tunnel.app.server import TOOLS
from tunnel.spec import expressions
from tunnel.spec.model import Constant, Shape
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
    return re.sub(r"\[([^\[\]]*)\]\([#/][^)]*\)", r"\1", page)


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


def examples() -> dict[str, Any]:  # frames and records as JSON
    page = REFERENCE["reference/frames.md"]
    names = [shape.name for shape in (*SPEC.frames.frames, *SPEC.frames.records)]
    parts = {name: page.partition(f"(frame-{name})=")[2].partition("```json\n")[2] for name in names}
    return {name: msgspec.json.decode(part.partition("```")[0]) for name, part in parts.items()}


@pytest.mark.parametrize("name", [frame.name for frame in SPEC.frames.frames])
def test_the_example_of_a_frame_went_over_the_wire_in_the_recorded_session(name: str) -> None:
    """Byte for byte, but for the lines and blanks in which it is set."""
    example = examples()[name]

    assert example["t"] == name
    assert msgspec.json.encode(example).decode() in PAGE.read_text(encoding="utf-8").splitlines()


def test_who_reads_the_examples_can_verify_the_proof_and_open_the_chat() -> None:
    """AUTH-2, SEAL-1: with the key that stands on the page."""
    page = REFERENCE["reference/frames.md"]
    key = crypto.decode_base64url(page.partition("the key of that session:\n\n```text\n")[2].partition("\n")[0])
    found = examples()

    assert crypto.verify(key, found["challenge"]["nonce"], found["auth"]["response"])
    assert found["send"]["msg"] == found["draft"]
    assert found["msg"]["msg"] == found["message"]
    assert found["draft"]["body"] == found["message"]["body"]
    assert f"\u201c{crypto.open_body(key, found['draft']['body'])}\u201d" in page


@pytest.mark.parametrize("text", ["auth_ok", "#"], ids=["nobody is let in", "no link"])
def test_a_recording_that_shows_too_little_is_said_to(text: str) -> None:
    page = PAGE.read_text(encoding="utf-8").replace(text, "-")

    with pytest.raises(ValueError, match=r"python -m tests\.narrated"):
        docs_session.read_examples(page)


@pytest.mark.parametrize("shape", [*SPEC.frames.frames, *SPEC.frames.records], ids=lambda shape: shape.name)
def test_a_table_of_fields_has_no_column_in_which_no_row_says_anything(shape: Shape) -> None:
    part = REFERENCE["reference/frames.md"].partition(f"(frame-{shape.name})=")[2].partition("```json")[0]
    rows = [line.strip("|").split(" | ") for line in part.splitlines() if line.startswith("| `")]

    assert len(rows) == len(shape.fields)
    assert [column for column in zip(*rows, strict=True) if {cell.strip() for cell in column} == {"-"}] == []


def test_only_who_can_read_a_field_is_named_as_its_reader() -> None:
    page = REFERENCE["reference/frames.md"]
    draft, message = (page.partition(f"(frame-{name})=")[2].partition("```json")[0] for name in ("draft", "message"))
    sealed = next(line for line in draft.splitlines() if line.startswith("| `body`"))
    either = next(line for line in message.splitlines() if line.startswith("| `body`"))

    assert "both ends; the operator sees its length" in sealed
    assert "chat: both ends, and the operator sees its length; system: both ends and the operator" in either


def test_every_file_of_the_spec_that_the_reference_names_is_linked() -> None:
    """A code block aside, in which nothing is."""
    named = re.compile(r"(?<![\w/])[\w/.]*\b[\w-]+\.(?:toml|json|pv)\b")
    loose = {
        (path, name)
        for path, text in REFERENCE.items()
        for name in named.findall(re.sub(r"(?s)```.*?```|\n    .*?(?=\n)|\[`?[^\[\]]*`?\]\([^)]*\)", "", text))
    }

    # The one model that was not kept.
    assert loose == {("reference/proofs.md", "handshake_v1_leak.pv")}


def test_the_page_on_reading_machines_has_the_whole_language_of_conditions() -> None:
    page = REFERENCE["reference/reading.md"]
    said = docs.language()

    assert {words.partition("(")[0] for words, _ in (*said.conditions, *said.invariants)} > set(expressions._ARITY)
    assert [words for words, _ in (*said.conditions, *said.invariants) if f"| `{words}` |" not in page] == []
    assert said.names in page


@pytest.mark.parametrize("name", list(SPEC.machines))
def test_the_page_of_a_machine_says_what_sets_its_timers_back_and_does_not_send_into_the_code(name: str) -> None:
    page = REFERENCE[f"reference/{name}.md"]
    timers = page.partition("## Timers")[2].partition("## Invariants")[0]

    assert [
        timer.name
        for timer in SPEC.machines[name].timers
        if f"| {', '.join(f'`{one}`' for one in timer.restarts_on) or 'nothing'} | `{timer.passed_when}`" not in timers
    ] == []
    assert "(reading.md" in page
    assert ".py" not in page


def test_three_examples_of_a_proof_are_enough() -> None:
    page = REFERENCE["reference/handshake.md"].partition("| key | challenge | response |")[2].partition("\n\n")[0]
    challenges = [line.split(" | ")[1].strip("`") for line in page.splitlines() if line.startswith("| `")]

    assert [(text.isascii(), text == "(empty)") for text in challenges] == [(True, False), (False, False), (True, True)]


def test_the_lines_of_the_drawn_conversation_stand_below_each_other() -> None:
    section = (ROOT / "spec/v1/tunnel.md").read_text(encoding="utf-8").partition("## 3. Frames")[2]
    drawn = [line for line in section.partition("```\n")[2].partition("```")[0].splitlines() if line.startswith(" |")]

    assert len(drawn) > 10
    assert {(line.index("|"), line.index("|", 2)) for line in drawn} == {(1, 52)}


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
        ("a.toml, v/b.json and x/a.toml", "[a.toml](/a.md), [v/b.json](/b) and x/a.toml"),
        ("`a.toml`, `no.toml`, `in a.toml`", "[`a.toml`](/a.md), `no.toml`, `in a.toml`"),
        ("```\nA-1\n```\nA-1", "```\nA-1\n```\n[A-1](#a)"),
        ("A-10, BA-1, A-1-2", "A-10, BA-1, A-1-2"),
    ],
)
def test_what_is_named_is_linked_and_code_is_left_alone(given: str, shown: str) -> None:
    assert docs_papers.linked(given, {"A-1": "a", "A_B": "b", "a.toml": "/a.md", "v/b.json": "/b"}) == shown


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
    assert docs_papers.files([papers.whole("README.md")], tmp_path) == {"_generated/files/table.toml": "a = 1\n"}


@pytest.mark.parametrize("name", list(SPEC.machines))
def test_a_diagram_has_every_state_and_every_row_that_moves_or_does_something(name: str) -> None:
    machine = SPEC.machines[name]
    drawn = docs_diagrams.graph(machine)
    table = docs_diagrams.draw(machine, None)

    assert [state.name for state in machine.states if f"{state.name} [label=<<B>{state.name}</B>" not in drawn] == []
    assert [row.id for row in machine.transitions if (row.to != "=" or row.do) and row.id not in drawn] == []
    assert [row.id for row in machine.transitions if (row.to != "=" or row.do) and row.id not in table] == []
    assert "apt-get install graphviz" in table


@pytest.mark.parametrize("name", list(SPEC.machines))
def test_a_row_that_leaves_stands_once_in_a_diagram(name: str) -> None:
    """However many states it leaves: what leaves a group is drawn for the group."""
    machine = SPEC.machines[name]
    ways = [(way, row) for way, rows in docs_diagrams.ways(machine).items() for row in rows]
    leaving = [row.id for row in machine.transitions if row.to != "="]

    assert sorted(row for way, row in ways if way.sources != (way.target,)) == sorted(leaving)


def test_what_leaves_a_group_bears_its_name_and_other_states_their_own() -> None:
    drawn = docs_diagrams.graph(SPEC.machines["guest"])

    assert "<I>joining</I><BR/>refused, malformed" in drawn
    assert "<I>live</I><BR/>unreachable" in drawn
    assert "<I>dialing, greeting</I><BR/>enter-unproved" in drawn


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
        r"(?:`|^    |\| )tunnel-mcp ([a-z][a-z-]*)": commands.commands,
        r"tunnel-conformance ([a-z-]+)": kit.commands.commands,
        r"python -m spec\.compiler ([a-z]+)": COMMANDS,
        r"\b(TUNNEL_[A-Z_]+)\b": {
            *re.findall(r"^\| `(TUNNEL_[A-Z_]+)` \|", readme, re.MULTILINE),
            *KEPT,
            *SPEC.constants,
        },
        r"`(tunnel_[a-z]+)`": [tool.name for tool in TOOLS],
        r"python -m tests\.(\w+)": [
            *(path.stem for path in (ROOT / "tests").glob("*.py")),
            *(path.parent.name for path in (ROOT / "tests").glob("*/__main__.py")),
        ],
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
