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
from spec.compiler.follows import follows
from spec.compiler.freeze import KEPT, RECORDED, compared, freeze, lint_follows, lint_frozen
from spec.compiler.frozen import FILE, Frozen, read_frozen
from spec.compiler.lint import lint
from spec.compiler.meaning import Place, meaning
from spec.compiler.reader import MACHINES, Spec, read, table
from tests.spec.breakage import SPEC, broken, row
from tunnel.spec import model
from tunnel.spec.model import (
    FREE,
    ActionKind,
    Bundle,
    Case,
    Cases,
    Frames,
    Invariant,
    Machine,
    Outcome,
    Protocol,
    Refusals,
    Rules,
    Shape,
    Step,
    Table,
    Tools,
    Verb,
)


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables as they are, frozen."""
    root = tmp_path_factory.mktemp("frozen")
    shutil.copytree(SPEC.folder, root / "spec" / "v1", ignore=shutil.ignore_patterns(FILE, "export"))
    shutil.copy(SPEC.folder.parent / "released.toml", root / "spec")
    assert record(root) == []
    return root


@pytest.fixture(scope="module")
def known(frozen: Path) -> Frozen:
    """What was recorded, read once."""
    return read_frozen(frozen / "spec" / "v1")


@pytest.fixture
def root(frozen: Path, tmp_path: Path) -> Path:
    return shutil.copytree(frozen, tmp_path / "copy")


FOLLOWS = follows(SPEC)
"""What no test changes but those about it: else each would walk through all machines."""


def record(root: Path) -> list[str]:
    """What speaks against freezing the tables."""
    return recorded(read(root / "spec" / "v1"))


def recorded(spec: Spec) -> list[str]:
    return freeze(spec, lambda _: FOLLOWS)


KINDS = {"protocol": Protocol, "frames": Frames, "rules": Rules, "tools": Tools, "cases": Cases}


def reread(root: Path, file: str) -> Spec:
    """The tables, of which only this one is read anew: most of the time of a test would go into the others."""
    path, name = root / "spec" / "v1" / file, file.removesuffix(".toml")
    spec = replace(SPEC, folder=root / "spec" / "v1")
    if name in MACHINES:
        return replace(spec, machines={**SPEC.machines, name: table(path, Machine)})
    if name == "refusals":
        numbers = {name: str(value) for name, value in SPEC.constants.items()}
        return replace(spec, refusals=table(path, Refusals, numbers))
    return replace(spec, **{name: table(path, KINDS[name])}) if name in KINDS else spec


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
    ("cases.toml", 'id = "wire-normal"', 'id = "wire-usual"', f"row 'wire-normal' of cases {GONE}"),
    ("session.toml", 'id = "one-guest"', 'id = "one-guest-only"', f"row 'one-guest' of invariants {GONE}"),
    ("tunnel.md", "    body = base64url(nonce || tag || ciphertext) XSalsa20-Poly1305, the secretbox of NaCl", "", f"row 'body' of formulas {GONE}"),
    ("vectors/seal.json", VECTOR, '{"name": "a text that is empty", "key"', f"vectors/seal.json: row 'an empty text' of vectors {GONE}"),
    ("vectors/seal.json", '"text": "", "sealed": "Aw', '"text": "", "sealed": "AA', f"row 'an empty text' of vectors {DIFFERS} (its `sealed`)"),
    ("vectors/links.json", '"verdict": "stricter"', '"verdict": "same"', f"of vectors {DIFFERS} (its `verdict`)"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "old", "new", "finding"), [pytest.param(*case, id=case[3][:80]) for case in FORBIDDEN]
)
def test_what_peers_can_see_is_kept_and_a_change_of_it_is_named(
    root: Path, known: Frozen, file: str, old: str, new: str, finding: str
) -> None:
    write(root, file, old, new)

    found = [change.says for change in compared(known, meaning(reread(root, file)))]
    assert [one for one in found if one.startswith(file) and one.endswith(f"{finding}: {KEPT}")]


@pytest.mark.parametrize("changed", [FORBIDDEN[0], FORBIDDEN[9], FORBIDDEN[-2]], ids=["changed", "added", "a vector"])
def test_no_edition_records_what_is_refused(root: Path, changed: tuple[str, str, str, str]) -> None:
    write(root, *changed[:3])
    next_edition(root)
    before = (root / "spec" / "v1" / FILE).read_bytes()

    assert record(root) != []
    assert (root / "spec" / "v1" / FILE).read_bytes() == before


@pytest.mark.parametrize(
    ("file", "one", "other", "finding"),
    [
        ("session.toml", '"auth-bad-key",', '"auth-expired",', "session.toml: the rows of 'auth' stand in another order than at 1.0.0"),
        ("frames.toml", '"goal",', '"peerName",', "frames.toml: the fields of 'auth_ok' stand in another order than at 1.0.0"),
        ("connection.toml", 'duration = "PING_SECONDS"', 'duration = "SILENCE_SECONDS"', "connection.toml: the timers of 'connection' stand in another order than at 1.0.0"),
    ],
    ids=["rows of an event", "fields of a frame", "timers of a deadline"],
)  # fmt: skip
def test_an_order_that_peers_can_see_is_kept(root: Path, file: str, one: str, other: str, finding: str) -> None:
    path = root / "spec" / "v1" / file
    lines = path.read_text(encoding="utf-8").splitlines()
    first, second = (next(n for n, line in enumerate(lines) if name in line) for name in (one, other))
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
    assert record(root) == [finding]


@pytest.mark.parametrize("text", ["[[", "", 'spec_version = "1.0.0"\nsha256 = ""\nrows = 1', '"protocol.toml" = 1'])
def test_a_record_that_cannot_be_read_is_no_record(root: Path, text: str) -> None:
    (root / "spec" / "v1" / FILE).write_text(text, encoding="utf-8")

    (finding,) = complaints(root)
    assert finding.startswith("frozen.toml: cannot be read (")
    assert record(root) == [finding]


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
    ("protocol.toml", "# Link and keys", "# Keys"),
    ("session.toml", "The host's session of wire version 1", "The session"),
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
def test_clearer_words_more_cases_and_sharper_invariants_go_free(
    root: Path, known: Frozen, file: str, old: str, new: str
) -> None:
    write(root, file, old, new)

    assert compared(known, meaning(reread(root, file))) == []


RULE = '  { id = "IDLE-9", level = "MAY", role = "host", observable = "model", carried_by = "core", text = "It may be idle." },\n'

RECORDABLE = [
    ("protocol.toml", "At exactly this age it is still good.", "At exactly this age it is good no longer.", "row 'LINK_SECONDS' of constants has another sentence than at 1.0.0", "LINK_SECONDS"),
    ("frames.toml", "the backlog begins behind it", "the backlog begins with it", "row 'auth.sinceSeq' of frames has another sentence than at 1.0.0", "auth.sinceSeq"),
    ("connection.toml", "with the session's reason", "with a reason of its own", "row 'deny' of actions has another sentence than at 1.0.0", "deny"),
    ("connection.toml", "with it, the peer has sent", "with it, the peer has not sent", "row 'control' of events has another sentence than at 1.0.0", "control"),
    ("session.toml", "Only a numbered message is activity.", "Whatever is heard is activity.", "row 'idle' of timers has another sentence than at 1.0.0", "idle"),
    ("tunnel.md", "canonical: the last", "whatever the last", "row 'key' of grammar has another sentence than at 1.0.0", "key"),
    ("tunnel.md", "```abnf", "```abnf\nonce-more = key", "row 'once-more' of grammar is new since 1.0.0", "once-more"),
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
    frozen = root / "spec" / "v1" / FILE
    before = frozen.read_text(encoding="utf-8").splitlines()
    write(root, file, old, new)

    spec = reread(root, file)
    later = replace(spec, protocol=replace(spec.protocol, spec_version="1.1.0"))

    (found,) = lint_frozen(spec)
    assert (found.startswith(f"{file}: {finding}"), found.endswith(RECORDED)) == (True, True)
    assert recorded(spec) == [found]
    assert (recorded(later), lint_frozen(later)) == ([], [])
    new_lines = [line for line in frozen.read_text(encoding="utf-8").splitlines() if line not in before]
    assert [line.split(" = ")[0].strip('"') for line in new_lines] == ["spec_version", "sha256", "earlier", row]


def test_what_an_edition_has_recorded_is_kept_like_the_rest(root: Path) -> None:
    write(root, "rules.toml", '  { id = "IDLE-1",', f'{RULE}  {{ id = "IDLE-1",')
    next_edition(root)
    assert record(root) == []
    write(root, "rules.toml", 'id = "IDLE-9", level = "MAY"', 'id = "IDLE-9", level = "MUST"')

    (finding,) = complaints(root)
    assert finding.startswith("rules.toml: row 'IDLE-9' of rules differs from what was frozen at 1.1.0 (its `level`)")


@pytest.mark.parametrize(
    ("version", "may_be"), [("1.0.1", True), ("0.9.0", False), ("2.0.0", False), ("1.1.0-draft", False), ("1.1", False)]
)
def test_editions_go_up_within_their_version(root: Path, version: str, *, may_be: bool) -> None:
    next_edition(root, version)

    (finding,) = complaints(root)
    assert finding == f"protocol.toml: spec_version: is {version!r}, and frozen is '1.0.0': {RECORDED}"
    assert (record(root) == []) is may_be


def test_editions_do_not_go_back(root: Path) -> None:
    next_edition(root)
    assert record(root) == []
    write(root, "protocol.toml", 'spec_version = "1.1.0"', 'spec_version = "1.0.9"')

    assert record(root) == ["protocol.toml: spec_version: is '1.0.9', below the frozen '1.1.0'"]


def test_freezing_anew_gives_the_same_text_and_freezing_twice_changes_nothing(root: Path) -> None:
    """What is always allowed, such as one more case, is recorded with the next edition."""
    frozen = root / "spec" / "v1" / FILE
    before = frozen.read_bytes()
    frozen.unlink()

    assert (main(["freeze", "1"], root), frozen.read_bytes()) == (0, before)
    write(root, "cases.toml", '[[cases]] id = "wire-normal"', CASE)
    assert (record(root), frozen.read_bytes()) == ([], before)


def test_a_case_that_an_edition_has_recorded_is_kept(root: Path) -> None:
    write(root, "cases.toml", '[[cases]] id = "wire-normal"', CASE)
    next_edition(root)
    assert record(root) == []
    write(root, "cases.toml", 'id = "wire-normal-again"', 'id = "wire-normal-twice"')

    (finding,) = complaints(root)
    assert finding.startswith("cases.toml: row 'wire-normal-again' of cases was frozen at 1.1.0, and is gone")


# --- What follows from the tables ---------------------------------------------------------------------------------------


def test_what_the_tables_mean_is_frozen_too(root: Path) -> None:
    """As if somebody had changed the interpreter, or what a receiver takes; either may be no change for a peer."""
    spec = read(root / "spec" / "v1")
    other = {place: dict(fields) for place, fields in FOLLOWS.items()}
    other[Place("export", "traces", "guest.json")]["traces"] = []
    other[Place("export", "frames", "auth.schema.json")]["schema"] = {}
    said = "is not what followed from the tables at 1.0.0"

    assert lint_follows(spec, FOLLOWS) == []
    found = lint_follows(spec, other)
    assert [one.partition(": if ")[0] for one in found] == [
        f"export/traces/guest.json: {said} (its `traces`)",
        f"export/frames/auth.schema.json: {said} (its `schema`)",
    ]
    assert freeze(spec, lambda _: other) == found
    next_edition(root)
    spec = read(root / "spec" / "v1")
    assert (freeze(spec, lambda _: other), lint_follows(spec, other)) == ([], [])


def test_another_meaning_of_a_timer_changes_what_follows_and_words_do_not() -> None:
    """Two timers of a connection can have one deadline: then the table says which takes effect first."""
    machine = SPEC.machines["connection"]
    others = replace(SPEC, machines={"connection": replace(machine, timers=machine.timers[::-1])})
    words = replace(
        SPEC, machines={"connection": replace(machine, actions=touched(machine.actions, ActionKind, "doc"))},
        frames=touched(touched(SPEC.frames, Shape, "doc"), Shape, "rules"), protocol=replace(SPEC.protocol, spec_version="1.7.0"),
    )  # fmt: skip
    place = Place("export", "traces", "connection.json")

    assert follows(others)[place]["traces"] != FOLLOWS[place]["traces"]
    assert follows(words) == {place: fields for place, fields in FOLLOWS.items() if place in follows(words)}


def test_check_and_build_compare_what_follows(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(root, FILE, '"guest.json" = { start = "', '"guest.json" = { start = "0')

    for command in ("check", "build"):
        assert main([command], root) == 1
        assert "spec/v1/export/traces/guest.json: is not what followed from the tables" in capsys.readouterr().err
    assert not (root / "tunnel").exists()


# --- Before it is frozen ------------------------------------------------------------------------------------------------


@pytest.fixture
def draft(root: Path) -> Path:
    next_edition(root, "1.0.0-draft")
    (root / "spec" / "v1" / FILE).unlink()
    return root


def test_an_edition_without_its_record_is_no_draft(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "spec" / "v1" / FILE).unlink()
    write(root, "refusals.toml", 'text = "{name} joined"', 'text = "{name} is here"')

    for command in ("lint", "check", "build"):
        assert main([command], root) == 1
        assert "spec/v1/frozen.toml: is missing, and '1.0.0' is no draft: restore it, or " in capsys.readouterr().err


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
    draft: Path, file: str, old: str, new: str, finding: str
) -> None:
    write(draft, "protocol.toml", '"1.0.0-draft"', '"1.0.0"')
    write(draft, file, old, new)
    spec = read(draft / "spec" / "v1")

    against = "\n".join(lint(spec) or recorded(spec))
    assert (finding in against, bool(against)) == (True, bool(finding))
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


@pytest.mark.parametrize(("kind", "field"), [(Invariant, "holds"), (Case, "title")], ids=["invariants", "cases"])
def test_of_what_asks_whether_peers_keep_the_rest_only_the_ids_are_frozen(kind: type[Table], field: str) -> None:
    assert meaning(touched(SPEC, kind, field)) == meaning(SPEC) != meaning(touched(SPEC, kind, "id"))


def test_a_field_that_the_model_gets_later_changes_no_version_that_leaves_it_out() -> None:
    """A default is part of a row only where it says something."""
    (response, *_) = (field for frame in SPEC.frames.frames if frame.name == "auth" for field in frame.fields)

    assert (response.max, response.value, response.visible) == ("", None, "operator")
    assert FROZEN[Place("frames.toml", "frames", "auth.response")] == {
        "type": "string",
        "doc": response.doc,
        "encoding": response.encoding,
        "visible": "operator",
    }


def test_mistakes_made_on_purpose_are_not_noticed_because_the_tables_are_frozen(frozen: Path) -> None:
    """Else every mutant would be, and no invariant would have to."""
    spec = broken("session", row("auth-expired", to="closed"), spec=read(frozen / "spec" / "v1"))

    assert (lint(spec), lint_frozen(spec)) != ([], [])
    assert lint(spec) == []
