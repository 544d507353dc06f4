"""A frozen version stays as its peers know it: whatever they can see is refused by name, and words for people go free."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast, get_args

import pytest
from msgspec import structs
from msgspec.structs import replace

from spec.compiler.__main__ import main
from spec.compiler.freeze import FILE, KEPT, RECORDED, lint_frozen, written
from spec.compiler.lint import lint
from spec.compiler.meaning import Place, meaning
from spec.compiler.reader import Spec, read
from tests.spec.breakage import SPEC, broken, row
from tunnel.spec import model
from tunnel.spec.model import FREE, Bundle, Case, Cases, Invariant, Outcome, Refusals, Rules, Step, Table, Tools, Verb


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables as they are, frozen."""
    root = tmp_path_factory.mktemp("frozen")
    shutil.copytree(SPEC.folder, root / "spec" / "v1", ignore=shutil.ignore_patterns(FILE))
    assert main(["freeze"], root) == 0
    return root


@pytest.fixture
def root(frozen: Path, tmp_path: Path) -> Path:
    return shutil.copytree(frozen, tmp_path / "copy")


def write(root: Path, file: str, old: str, new: str) -> None:
    """Change the first place where `old` stands in a file; blanks between words aside, it has to stand there."""
    path = root / "spec" / "v1" / file
    spaced = r"\s+".join(re.escape(word) for word in old.split())
    text, times = re.subn(spaced, lambda _: new, path.read_text(encoding="utf-8"), count=1)
    assert times == 1, f"{file} holds no {old!r}"
    path.write_text(text, encoding="utf-8")


def complaints(root: Path) -> list[str]:
    return lint_frozen(read(root / "spec" / "v1"))


def next_edition(root: Path, version: str = "1.1.0") -> None:
    write(root, "protocol.toml", 'spec_version = "1.0.0"', f'spec_version = "{version}"')


def test_wire_version_1_is_frozen_and_is_what_was_frozen(capsys: pytest.CaptureFixture[str]) -> None:
    assert (SPEC.folder / FILE).is_file()
    assert (main(["lint"]), capsys.readouterr().err) == (0, "")


def test_what_was_frozen_is_found_unchanged(root: Path) -> None:
    assert complaints(root) == []


# --- What is refused ----------------------------------------------------------------------------------------------------

DIFFERS = "differs from what was frozen at 1.0.0"
GONE = "was frozen at 1.0.0, and is gone"
NEW = "was not there when 1.0.0 was frozen"
VECTOR = '{"name": "an empty text", "key"'

FORBIDDEN = [
    ("protocol.toml", 'name = "LINK_SECONDS", value = 600', 'name = "LINK_SECONDS", value = 601', f"row 'LINK_SECONDS' of constants {DIFFERS} (its `value`)"),
    ("protocol.toml", 'value = 600, unit = "seconds"', 'value = 600, unit = "ticks"', f"row 'LINK_SECONDS' of constants {DIFFERS} (its `unit`)"),
    ("protocol.toml", "constants = [", 'constants = [ { name = "FILES", value = 1, unit = "", doc = "" },', f"row 'FILES' of constants {NEW}"),
    ("protocol.toml", 'name = "tunnel"', 'name = "tunnels"', f"protocol.toml {DIFFERS} (its `name`)"),
    ("frames.toml", 'max = "NAME_BYTES"', 'max = "GOAL_BYTES"', f"row 'auth.name' of frames {DIFFERS} (its `max`)"),
    ("frames.toml", "base64url, CHALLENGE_BYTES random", "hexadecimal, CHALLENGE_BYTES random", f"row 'challenge.nonce' of frames {DIFFERS} (its `encoding`)"),
    ("frames.toml", 'type = "any", default = 0', 'type = "any", default = 1', f"row 'auth.sinceSeq' of frames {DIFFERS} (its `default`)"),
    ("frames.toml", 'type = "integer", min = 1', 'type = "integer", min = 0', f"row 'message.seq' of records {DIFFERS} (its `min`)"),
    ("frames.toml", 'name = "auth" sender = "guest"', 'name = "auth"\nsender = "host"', f"row 'auth' of frames {DIFFERS} (its `sender`)"),
    ("frames.toml", '{ name = "reason",', '{ name = "code", type = "number", doc = "" },\n{ name = "reason",', f"row 'auth_fail.code' of frames {NEW}"),
    ("frames.toml", '{ name = "name",', '{ name = "title",', f"row 'auth.name' of frames {GONE}"),
    ("frames.toml", 'tag_field = "t"', 'tag_field = "type"', f"frames.toml {DIFFERS} (its `tag_field`)"),
    ("refusals.toml", 'text = "bad key"', 'text = "wrong key"', f"row 'bad_key' of refusals {DIFFERS} (its `text`)"),
    ("refusals.toml", 'id = "idle", code = 1000', 'id = "idle", code = 1001', f"row 'idle' of closings {DIFFERS} (its `code`)"),
    ("refusals.toml", 'reason = "idle timeout"', 'reason = "too idle"', f"row 'idle' of closings {DIFFERS} (its `reason`)"),
    ("refusals.toml", 'closings = ["idle"]', "closings = []", f"row 'idle' of causes {DIFFERS} (its `closings`)"),
    ("refusals.toml", 'id = "not_open_yet"', 'id = "unopened"', f"row 'not_open_yet' of failures {GONE}"),
    ("refusals.toml", 'text = "{name} joined"', 'text = "{name} is here"', f"row 'joined' of notices {DIFFERS} (its `text`)"),
    ("rules.toml", 'id = "WIRE-10", level = "SHOULD"', 'id = "WIRE-10", level = "MUST"', f"row 'WIRE-10' of rules {DIFFERS} (its `level`)"),
    ("rules.toml", 'id = "IDLE-1", level = "MUST", role = "host"', 'id = "IDLE-1", level = "MUST", role = "both"', f"row 'IDLE-1' of rules {DIFFERS} (its `role`)"),
    ("rules.toml", 'level = "MUST", role = "host", observable = "wire", text = "A session ends exactly', 'level = "MAY", role = "host", observable = "wire", text = "A session ends', f"row 'IDLE-1' of rules {DIFFERS} (its `level`, `text`)"),
    ("rules.toml", 'id = "IDLE-2"', 'id = "IDLE-9"', f"row 'IDLE-2' of rules {GONE}"),
    ("tools.toml", 'name = "seq", type = "integer"', 'name = "seq", type = "number"', f"row 'said.seq' of records {DIFFERS} (its `type`)"),
    ("tools.toml", '{ name = "seq", type = "integer"', '{ name = "at", type = "number", doc = "" },\n{ name = "seq", type = "integer"', f"row 'said.at' of records {NEW}"),
    ("session.toml", 'initial = "opening"', 'initial = "waiting"', f"session.toml {DIFFERS} (its `initial`)"),
    ("session.toml", 'groups.open = ["waiting", "locked",', 'groups.open = ["waiting",', f"session.toml {DIFFERS} (its `groups`)"),
    ("session.toml", 'gone.", final = true', 'gone."', f"row 'closed' of states {DIFFERS} (its `final`)"),
    ("session.toml", 'facts = ["has_summary"]', 'facts = ["has_summary", "late"]', f"row 'close' of events {DIFFERS} (its `facts`)"),
    ("session.toml", 'passed_when = "elapsed > duration"', 'passed_when = "elapsed >= duration"', f"row 'link' of timers {DIFFERS} (its `passed_when`)"),
    ("session.toml", 'restarts_on = ["number", "number_chat"], ', "", f"row 'idle' of timers {DIFFERS} (its `restarts_on`)"),
    ("session.toml", 'takes = "closing"', 'takes = "cause"', f"row 'drop' of actions {DIFFERS} (its `takes`)"),
    ("session.toml", 'when = "passed(link)", to = "=",', 'when = "passed(link)", to = "closed",', f"row 'auth-expired' of transitions {DIFFERS} (its `to`)"),
    ("session.toml", 'when = "not proof_ok", to = "=", do = ["refuse bad_key"]', 'to = "=", do = ["refuse tunnel_full"]', f"row 'auth-bad-key' of transitions {DIFFERS} (its `when`, `do`)"),
    ("session.toml", '{ id = "still-open", on = "reachable", from = ["open"], to = "=" },', "", f"row 'still-open' of transitions {GONE}"),
    ("session.toml", "transitions = [", 'transitions = [ { id = "no-more", on = "say", from = ["open"], to = "=" },', f"row 'no-more' of transitions {NEW}"),
    ("vectors/seal.json", VECTOR, '{"name": "a text that is empty", "key"', f"vectors/seal.json: row 'an empty text' of vectors {GONE}"),
    ("vectors/seal.json", '"text": "", "sealed": "Aw', '"text": "", "sealed": "AA', f"row 'an empty text' of vectors {DIFFERS} (its `sealed`)"),
    ("vectors/links.json", '"verdict": "stricter"', '"verdict": "same"', f"of vectors {DIFFERS} (its `verdict`)"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "old", "new", "finding"), [pytest.param(*case, id=case[3][:80]) for case in FORBIDDEN]
)
def test_what_peers_can_see_is_kept_and_a_change_of_it_is_named(
    root: Path, file: str, old: str, new: str, finding: str
) -> None:
    write(root, file, old, new)

    assert [one for one in complaints(root) if one.startswith(file) and one.endswith(f"{finding}: {KEPT}")]


@pytest.mark.parametrize("changed", [FORBIDDEN[0], FORBIDDEN[9], FORBIDDEN[-2]], ids=["changed", "added", "a vector"])
def test_no_edition_records_what_is_refused(root: Path, changed: tuple[str, str, str, str]) -> None:
    write(root, *changed[:3])
    next_edition(root)
    before = (root / "spec" / "v1" / FILE).read_bytes()

    assert main(["freeze"], root) == 1
    assert (root / "spec" / "v1" / FILE).read_bytes() == before


@pytest.mark.parametrize(
    ("file", "one", "other", "finding"),
    [
        ("session.toml", "auth-bad-key", "auth-expired", "session.toml: the rows of 'auth' stand in another order than at 1.0.0"),
        ("frames.toml", "goal", "peerName", "frames.toml: the fields of 'auth_ok' stand in another order than at 1.0.0"),
    ],
    ids=["rows of an event", "fields of a frame"],
)  # fmt: skip
def test_an_order_that_peers_can_see_is_kept(root: Path, file: str, one: str, other: str, finding: str) -> None:
    path = root / "spec" / "v1" / file
    lines = path.read_text(encoding="utf-8").splitlines()
    first, second = (next(n for n, line in enumerate(lines) if f'"{name}",' in line) for name in (one, other))
    lines[first], lines[second] = lines[second], lines[first]
    path.write_text("\n".join(lines), encoding="utf-8")

    assert complaints(root) == [f"{finding}: {KEPT}"]


def test_the_check_names_file_row_and_field_and_says_what_to_do(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(root, "session.toml", 'when = "passed(link)", to = "=",', 'when = "passed(link)", to = "closed",')
    said = (
        "spec/v1/session.toml: row 'auth-expired' of transitions differs from what was frozen at 1.0.0 (its `to`):"
        " what peers can see stays as it is: restore it, or begin a new version with `python -m spec.compiler next`\n"
    )

    for command in ("lint", "check", "build"):
        assert main([command], root) == 1
        assert said in capsys.readouterr().err
    assert not (root / "tunnel").exists()


def test_a_value_that_has_the_digest_of_another_is_found_all_the_same(root: Path) -> None:
    write(root, FILE, 'sha256 = "', 'sha256 = "0')

    (finding,) = complaints(root)
    assert finding.startswith("frozen.toml: sha256: is not that of the tables")
    assert main(["freeze"], root) == 1


@pytest.mark.parametrize("text", ["[[", "", 'spec_version = "1.0.0"\nsha256 = ""\nrows = 1', '"protocol.toml" = 1'])
def test_a_record_that_cannot_be_read_is_no_record(root: Path, text: str) -> None:
    (root / "spec" / "v1" / FILE).write_text(text, encoding="utf-8")

    (finding,) = complaints(root)
    assert finding.startswith("frozen.toml: cannot be read (")
    assert main(["freeze"], root) == 1


# --- What goes free -----------------------------------------------------------------------------------------------------

CASE = """
[[cases]]
id = "wire-normal-again"
title = "a guest joins"
judges = "host"
rules = ["WIRE-1"]
steps = [ { do = "open" }, { do = "join", expect = "admitted" } ]

[[cases]]
id = "wire-normal"
"""

ALLOWED = [
    ("protocol.toml", "A session in which nothing was numbered for this long ends.", "After so long it ends."),
    ("protocol.toml", "# Link and keys", "# Keys"),
    ("frames.toml", "The first frame on every connection.", "What comes first on a connection."),
    ("frames.toml", 'rules = ["AUTH-1"]', 'rules = ["AUTH-1", "WIRE-1"]'),
    ("refusals.toml", "Copy the whole join link once more", "Copy the join link once more"),
    ("rules.toml", "Some released peers and proxies send", "Some send"),
    ("rules.toml", 'observable = "tool", carried_by = "link"', 'observable = "model", carried_by = "text"'),
    ("tools.toml", "The message has its number.", "It is numbered."),
    ("session.toml", 'title = "The host\'s session"', 'title = "A session, at its host"'),
    ("session.toml", 'do = ["end transport_lost"], rules = ["CLOSE-2"]', 'do = ["end transport_lost"], rules = ["CLOSE-2", "CLOSE-1"]'),
    ("session.toml", "invariants = [", 'invariants = [ { id = "one-end", holds = "count(end) <= 1", rules = ["CLOSE-2"], doc = "It ends once." },'),
    ("cases.toml", '[[cases]] id = "wire-normal"', CASE),
    ("vectors/links.json", '"why": "', '"flag": "Later", "why": "That is, '),
    ("vectors/seal.json", '"claim": "', '"claim": "In short: '),
    ("tunnel.md", "wire version 1", "wire version 1, told once more"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "old", "new"), [pytest.param(*case, id=f"{case[0]}: {case[1][:40]}") for case in ALLOWED]
)
def test_clearer_words_more_cases_and_sharper_invariants_go_free(root: Path, file: str, old: str, new: str) -> None:
    write(root, file, old, new)

    assert complaints(root) == []


RULE = '  { id = "IDLE-9", level = "MAY", role = "host", observable = "model", carried_by = "core", text = "It may be idle." },\n'

RECORDABLE = [
    ("rules.toml", '  { id = "IDLE-1",', f'{RULE}  {{ id = "IDLE-1",', "row 'IDLE-9' of rules is new since 1.0.0", "IDLE-9"),
    ("rules.toml", "A session ends exactly IDLE_SECONDS after", "Exactly IDLE_SECONDS suffice after", "row 'IDLE-1' of rules has another sentence than at 1.0.0", "IDLE-1"),
    ("tools.toml", '{ name = "seq", type = "integer"', '{ name = "at", type = "number", needed = false, doc = "" },\n{ name = "seq", type = "integer"', "row 'said.at' of records is new since 1.0.0", "said.at"),
    ("vectors/seal.json", VECTOR, '{"name": "nothing", "key": "", "verdict": "own"},\n' + VECTOR, "row 'nothing' of vectors is new since 1.0.0", "nothing"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "old", "new", "finding", "row"), [pytest.param(*case, id=case[3]) for case in RECORDABLE]
)
def test_what_was_true_all_along_is_recorded_by_the_next_edition(
    root: Path, file: str, old: str, new: str, finding: str, row: str
) -> None:
    record = root / "spec" / "v1" / FILE
    before = record.read_text(encoding="utf-8").splitlines()
    write(root, file, old, new)

    (found,) = complaints(root)
    assert (found.startswith(f"{file}: {finding}"), found.endswith(RECORDED)) == (True, True)
    assert main(["freeze"], root) == 1
    next_edition(root)
    assert (main(["freeze"], root), complaints(root)) == (0, [])
    new_lines = [line for line in record.read_text(encoding="utf-8").splitlines() if line not in before]
    assert [line.split(" = ")[0].strip('"') for line in new_lines] == ["spec_version", "sha256", row]


def test_what_an_edition_has_recorded_is_kept_like_the_rest(root: Path) -> None:
    write(root, "rules.toml", '  { id = "IDLE-1",', f'{RULE}  {{ id = "IDLE-1",')
    next_edition(root)
    assert main(["freeze"], root) == 0
    write(root, "rules.toml", 'id = "IDLE-9", level = "MAY"', 'id = "IDLE-9", level = "MUST"')

    (finding,) = complaints(root)
    assert finding.startswith("rules.toml: row 'IDLE-9' of rules differs from what was frozen at 1.1.0 (its `level`)")


@pytest.mark.parametrize(
    ("version", "status"), [("1.0.1", 0), ("0.9.0", 1), ("2.0.0", 1), ("1.1.0-draft", 1), ("1.1", 1)]
)
def test_editions_go_up_within_their_version(root: Path, version: str, status: int) -> None:
    next_edition(root, version)

    (finding,) = complaints(root)
    assert finding == f"protocol.toml: spec_version: is {version!r}, and frozen is '1.0.0': {RECORDED}"
    assert main(["freeze"], root) == status


def test_editions_do_not_go_back(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    next_edition(root)
    assert main(["freeze"], root) == 0
    write(root, "protocol.toml", 'spec_version = "1.1.0"', 'spec_version = "1.0.9"')

    assert main(["freeze"], root) == 1
    assert capsys.readouterr().err == "spec/v1/protocol.toml: spec_version: is '1.0.9', below the frozen '1.1.0'\n"


def test_freezing_twice_gives_the_same_text(root: Path) -> None:
    record = root / "spec" / "v1" / FILE
    before = record.read_bytes()

    assert main(["freeze", "1"], root) == 0
    assert record.read_bytes() == before == written(read(root / "spec" / "v1")).encode()


# --- Before it is frozen ------------------------------------------------------------------------------------------------


@pytest.fixture
def draft(root: Path) -> Path:
    (root / "spec" / "v1" / FILE).unlink()
    return root


def test_a_draft_may_change_in_everything(draft: Path) -> None:
    write(draft, "protocol.toml", 'name = "LINK_SECONDS", value = 600', 'name = "LINK_SECONDS", value = 601')

    assert complaints(draft) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "finding"),
    [
        ("session.toml", 'id = "open", on = "reachable"', 'id = "open", on = "reachabel"', "'reachabel' is no event"),
        ("protocol.toml", "value = 16384", "value = 16385", ""),
        ("protocol.toml", '"CHALLENGE_BYTES",            value = 32', '"CHALLENGE_BYTES", value = 16', "stale: the constants of the handshake"),
        ("session.toml", 'do = ["end idle"]', 'do = ["end process_exit"]', "results.json: is not about these tables"),
        ("protocol.toml", 'spec_version = "1.0.0"', 'spec_version = "1.0.0-draft"', "'1.0.0-draft' is no edition of wire version 1; the first is 1.0.0"),
        ("vectors/seal.json", VECTOR, '{"name": "one letter", "key"', "vectors/seal.json: one letter: stands there more than once"),
        ("vectors/seal.json", '"vectors": [', '"vectors": [1, ', "vectors/seal.json: is no file of vectors"),
    ],
    ids=["not sound", "ready", "symbolic proofs are stale", "proofs are stale", "a draft", "two of a name", "no vector"],
)  # fmt: skip
def test_a_version_is_frozen_when_it_is_sound_and_proved(
    draft: Path, capsys: pytest.CaptureFixture[str], file: str, old: str, new: str, finding: str
) -> None:
    write(draft, file, old, new)

    assert main(["freeze"], draft) == (1 if finding else 0)
    assert finding in capsys.readouterr().err
    assert (draft / "spec" / "v1" / FILE).exists() is not bool(finding)


def test_a_stale_proof_of_a_draft_is_told_and_is_no_fault_yet(draft: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (draft / "spec" / "v1" / "proofs" / "handshake_v1.pv").unlink()

    assert main(["lint"], draft) == 0
    assert "(a draft: before it is frozen)" in capsys.readouterr().err


# --- Which fields are frozen --------------------------------------------------------------------------------------------

TABLES = replace(SPEC, folder=Path("without-vectors"), cases=Cases((), (), ()))
FROZEN = meaning(TABLES)

UNSEEN = {Cases, Case, Step, Verb, Outcome, Invariant}
"""Tables of which nothing is frozen: they ask whether a peer keeps the rest."""


def kinds(value: object) -> Iterator[type[Table]]:
    """The types of all rows of the tables, in their order."""
    match value:
        case Table():
            yield type(value)
            for field in structs.fields(value):
                yield from kinds(getattr(value, field.name))
        case tuple():
            for row in cast(tuple[object, ...], value):
                yield from kinds(row)
        case dict():
            yield from kinds(tuple(cast(dict[str, object], value).values()))
        case _:
            pass


def touched(value: Any, kind: type[Table], field: str) -> Any:  # of the same type
    """The tables with another text in this field of every row of this type."""
    match value:
        case Table():
            fields = {name: touched(getattr(value, name), kind, field) for name in value.__struct_fields__}
            if type(value) is kind:
                fields[field] = f"{fields[field]}x" if isinstance(fields[field], str) else (*fields[field], "x")
            return type(value)(**fields)
        case tuple():
            return tuple(touched(row, kind, field) for row in cast(tuple[object, ...], value))
        case dict():
            return {name: touched(row, kind, field) for name, row in cast(dict[str, object], value).items()}
        case _:
            return value


TEXTS = [
    (kind, field)
    for kind in dict.fromkeys(kinds(SPEC))
    if kind not in {*UNSEEN, Spec}
    for field in structs.fields(kind)
    if isinstance(field.default, str)
    or re.match(r"(typing\.Annotated\[)?(<class 'str'>|str\b|tuple\[str)", str(field.type))
]


def test_every_text_of_the_model_is_looked_at() -> None:
    assert {(kind.__name__, field.name) for kind, field in TEXTS} >= {
        ("Row", "leaves"),
        ("Row", "when"),
        ("Rule", "why"),
    }
    assert {kind for kind, _ in TEXTS} | UNSEEN == {
        kind for kind in vars(model).values() if isinstance(kind, type) and issubclass(kind, Table)
    } - {Table, Bundle, Rules, Tools, Refusals}


def test_a_text_is_frozen_unless_the_types_of_the_tables_call_it_free() -> None:
    frozen = {
        (kind.__name__, field.name) for kind, field in TEXTS if meaning(touched(TABLES, kind, field.name)) != FROZEN
    }

    assert frozen == {(kind.__name__, field.name) for kind, field in TEXTS if FREE not in get_args(field.type)}


@pytest.mark.parametrize("kind", [Invariant, Case], ids=["invariants", "cases"])
def test_what_asks_whether_peers_keep_the_rest_is_not_frozen(kind: type[Table]) -> None:
    assert meaning(touched(SPEC, kind, "id")) == meaning(SPEC)


def test_a_field_that_the_model_gets_later_changes_no_version_that_leaves_it_out() -> None:
    """A default is part of a row only where it says something."""
    (response, *_) = (field for frame in SPEC.frames.frames if frame.name == "auth" for field in frame.fields)

    assert (response.max, response.value, response.visible) == ("", None, "operator")
    assert FROZEN[Place("frames.toml", "frames", "auth.response")] == {
        "type": "string",
        "encoding": response.encoding,
        "visible": "operator",
    }


def test_mistakes_made_on_purpose_are_not_noticed_because_the_tables_are_frozen(frozen: Path) -> None:
    """Else every mutant would be, and no invariant would have to."""
    spec = broken("session", row("auth-expired", to="closed"), spec=read(frozen / "spec" / "v1"))

    assert (lint(spec), lint_frozen(spec)) != ([], [])
    assert lint(spec) == []
