"""What the kit's README says can be done can be done, and what it says is so is so."""

import re
import shlex
import tomllib
from pathlib import Path

import click
import msgspec
import pytest
from tunnel_conformance.cli import commands
from tunnel_conformance.records import Outcome
from tunnel_conformance.report.expect import FAILURES, GOOD, INVALID, USAGE, Expectations, Names
from tunnel_conformance.report.marks import MARKS
from tunnel_conformance.runner import UNHURRIED_SECONDS
from tunnel_conformance.spec import rules, spec
from tunnel_conformance.subjects import forms

from tests.conformance.report.samples import header, verdict
from tunnel.spec.model import ToolField

README = Path(__file__).parents[2] / "conformance" / "README.md"
TEXT = README.read_text(encoding="utf-8")

COMMANDS = [line.strip() for line in TEXT.splitlines() if line.startswith("    tunnel-conformance ")]
"""Every line that can be typed."""


def parsed(line: str) -> click.Context:
    """A line, read as the command line reads it; nothing runs."""
    words = shlex.split(line.partition("|")[0])[1:]
    command = commands.commands[words[0]]
    return command.make_context(words[0], words[1:])


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_can_be_typed(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert parsed(line).params is not None


def test_a_command_that_cannot_be_typed_is_found() -> None:
    assert len(COMMANDS) >= 15
    with pytest.raises(click.UsageError):
        parsed("tunnel-conformance host --cntrol line -- x")


def test_every_command_is_described() -> None:
    assert {shlex.split(line)[1] for line in COMMANDS} | {"list"} == commands.commands.keys()
    assert "`tunnel-conformance list`" in TEXT


def test_every_option_that_is_named_exists() -> None:
    known = {name for command in commands.commands.values() for option in command.params for name in option.opts}

    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", TEXT)) <= known
    assert {"--only", "--slow", "--expect"} <= known


def test_every_link_leads_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", TEXT)

    assert targets
    assert [target for target in targets if not (README.parent / target).exists()] == []


def test_every_rule_and_case_that_is_named_exists() -> None:
    cases = {case.id for case in spec().cases.cases}

    assert set(re.findall(r"\b[A-Z]{3,5}-\d+\b", TEXT)) <= rules().keys() | {"UTF-8"}
    assert set(re.findall(r"\b(?:lock|size)-[a-z-]+[a-z]\b", TEXT)) <= cases


@pytest.mark.parametrize("outcome", Outcome)
def test_the_table_of_outcomes_is_that_of_the_reports(outcome: Outcome) -> None:
    assert f"| {MARKS[outcome].short} | {outcome.value} | " in TEXT


def test_the_tools_are_those_of_the_table_with_their_arguments_and_results() -> None:
    """A name with a star behind it may be left out, or lacking."""
    tables = spec().tools
    records = {record.name: record.fields for record in tables.records}

    def named(fields: tuple[ToolField, ...]) -> list[str]:
        found: list[str] = []
        for field in fields:
            # A message is told in the same row, the status in its own.
            found.append(f"`{field.name}`" + ("" if field.needed else " *"))
            found += named(records["message"]) if field.type == "message list" else []
        return found

    for tool in tables.tools:
        row = next(line for line in TEXT.splitlines() if line.startswith(f"| `{tool.name}` |"))
        _, _, arguments, result, _ = row.split("|")
        assert re.findall(r"`\w+`(?: \*)?", result) == named(records[tool.result])
        bare = [name.removesuffix(" *") for name in named(tool.arguments)]
        assert re.findall(r"`\w+`", arguments) == bare


def test_the_exit_statuses_are_those_that_are_used() -> None:
    found = re.findall(r"^\| (\d)\b", TEXT, re.MULTILINE)

    assert [int(status) for status in found] == [GOOD, FAILURES, USAGE, INVALID, 1][:4]


def test_the_known_failure_is_one() -> None:
    table = re.search(r"(?m)^    \[mine\.host.*\n(?:    .*\n)+", TEXT)
    assert table is not None
    names = msgspec.convert(tomllib.loads(table[0]), Names)
    (case,) = names["mine"]["host"]

    known = Expectations(names).known(header("mine"), verdict(case, Outcome.FAIL))
    assert known is not None
    assert known.reason == "its WebSocket library buffers without a bound"


def test_the_lines_of_the_adapter_keep_to_their_schema() -> None:
    lines = [line.strip() for line in TEXT.splitlines() if line.startswith('    {"id"')]
    asked, answered = lines[0::2], lines[1::2]

    for line in asked[:2]:
        msgspec.json.decode(line, type=forms.Question)
    for line, what in zip(answered[:2], ("status", "open"), strict=True):
        answer = msgspec.json.decode(line, type=forms.Answer)
        msgspec.convert(answer.result, forms.RESULTS[what])
    assert msgspec.json.decode(answered[2], type=forms.Answer).error


def test_the_numbers_are_those_that_run() -> None:
    assert UNHURRIED_SECONDS == 90
    assert "more than a minute and a half" in TEXT
    assert spec().constants["LINK_SECONDS"] == 10 * 60
    assert spec().constants["IDLE_SECONDS"] == 30 * 60
    assert "lives for ten minutes and a silent session for thirty" in TEXT
