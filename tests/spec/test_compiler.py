"""A slip in any table is found by reading it, and named by file, row and field; and what is generated follows the tables."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from spec.compiler import python
from spec.compiler.__main__ import ROOT, main
from spec.compiler.graph import mermaid
from spec.compiler.lint import lint
from spec.compiler.reader import FILES, MACHINES, SpecError, read
from tunnel.spec.model import Bundle

TABLES = ROOT / "spec" / "v1"
GENERATED = "tunnel/spec/v1"


@pytest.fixture(scope="module")
def draft(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables, as a draft, and what is generated from them."""
    root = tmp_path_factory.mktemp("draft")
    shutil.copytree(TABLES, root / "spec" / "v1", ignore=shutil.ignore_patterns("frozen.toml"))
    write(root, "protocol.toml", 'spec_version = "1.0.0"', 'spec_version = "1.0.0-draft"')
    assert main(["build"], root) == 0
    return root


@pytest.fixture
def root(draft: Path, tmp_path: Path) -> Path:
    return shutil.copytree(draft, tmp_path / "copy")


def write(root: Path, file: str, old: str, new: str) -> None:
    """Change the first place where `old` stands in a table; it has to stand there, blanks between words aside."""
    path = root / "spec" / "v1" / file
    spaced = r"\s+".join(re.escape(word) for word in old.split())
    text, times = re.subn(spaced, lambda _: new, path.read_text(encoding="utf-8"), count=1)
    assert times == 1, f"{file} holds no {old!r}"
    path.write_text(text, encoding="utf-8")


def complaints(root: Path) -> str:
    """Everything that reading the copied tables has to say against them."""
    try:
        return "\n".join(lint(read(root / "spec" / "v1")))
    except SpecError as error:
        return str(error)


# --- Tables that cannot be read -----------------------------------------------------------------------------------------

ILL_FORMED = [
    ("protocol.toml", 'name = "KEY_BYTES",', 'nmae = "KEY_BYTES",', ["protocol.toml: row 1 of constants", "nmae"]),
    ("protocol.toml", 'name = "KEY_BYTES", value = 32,', 'name = "KEY_BYTES", value = "32",', ["protocol.toml: row 'KEY_BYTES' of constants", "Expected `int`", ".value"]),
    ("protocol.toml", "wire = 1", "wier = 1", ["protocol.toml: ", "wier"]),
    ("frames.toml", 'name = "challenge"', 'name = "challenge"\nsendre = "host"', ["frames.toml: row 'challenge' of frames", "sendre"]),
    ("frames.toml", 'name = "nonce", type = "string",', 'name = "nonce", tpye = "string",', ["frames.toml: row 'challenge' of frames, row 'nonce' of fields", "tpye"]),
    ("frames.toml", 'sender = "host"', 'sender = "hots"', ["frames.toml: row 'challenge' of frames", "hots", ".sender"]),
    ("refusals.toml", 'id = "bad_key", text = "bad key",', 'id = "bad_key",', ["refusals.toml: row 'bad_key' of refusals", "missing required field `text`"]),
    ("refusals.toml", 'id = "refused", code = 1008,', 'id = "refused", code = "1008",', ["refusals.toml: row 'refused' of closings", "Expected `int`", ".code"]),
    ("refusals.toml", "{AUTH_SECONDS}", "{AUTH_SECOND}", ["refusals.toml, closings, row 'auth_timeout', doc: {AUTH_SECOND} is no constant"]),
    ("rules.toml", 'id = "WIRE-1", level = "MUST",', 'id = "WIRE-1", level = "MSUT",', ["rules.toml: row 'WIRE-1' of rules", "MSUT", ".level"]),
    ("rules.toml", 'id = "WIRE-1", level = "MUST",', 'id = "WIRE-1", level = "MUST NOT",', ["rules.toml: row 'WIRE-1' of rules", "MUST NOT", ".level"]),
    ("rules.toml", 'observable = "wire", carried_by = "codec",', 'observable = "wier", carried_by = "codec",', ["rules.toml: row 'WIRE-1' of rules", "wier", ".observable"]),
    ("cases.toml", 'id = "wire-normal"', 'id = "wire-normal"\nneed = ["time"]', ["cases.toml: row 'wire-normal' of cases", "need"]),
    ("cases.toml", '{ do = "open", args =', '{ doo = "open", args =', ["cases.toml: row 'wire-normal' of cases, row 1 of steps", "doo"]),
    ("tools.toml", 'name = "tunnelId", type = "string",', 'name = "tunnelId", tpye = "string",', ["tools.toml: row 'opened' of records, row 'tunnelId' of fields", "tpye"]),
    ("tools.toml", 'result = "opened"', 'reslut = "opened"', ["tools.toml: row 'tunnel_open' of tools", "reslut"]),
    ("session.toml", 'id = "open", on = "reachable", from = ["opening"],', 'id = "open", on = "reachable", form = ["opening"],', ["session.toml: row 'open' of transitions", "form"]),
    ("session.toml", 'name = "closed",', 'name = "closed", finall = true,', ["session.toml: row 'closed' of states", "finall"]),
    ("session.toml", 'runs_in = ["open"],', 'runs_in = "open",', ["session.toml: row 'link' of timers", "Expected `array`", ".runs_in"]),
    ("connection.toml", 'initial = "opening"', "initial = 1", ["connection.toml: ", "Expected `str`", "$.initial"]),
    ("guest.toml", 'facts = ["in_order", "overfull"]', 'fatcs = ["in_order", "overfull"]', ["guest.toml: row 'auth_ok' of events", "fatcs"]),
    ("guest.toml", "invariants = [", 'invariants = [ { id = "x", hold = "not did(end)", doc = "" },', ["guest.toml: row 'x' of invariants", "hold"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "old", "new", "named"), [pytest.param(*case, id=f"{case[0]}: {case[2][:50]}") for case in ILL_FORMED]
)
def test_a_table_that_cannot_be_read_is_named_with_row_and_field(
    root: Path, file: str, old: str, new: str, named: list[str]
) -> None:
    write(root, file, old, new)

    with pytest.raises(SpecError) as error:
        read(root / "spec" / "v1")

    assert [part for part in named if part not in str(error.value)] == []


@pytest.mark.parametrize("file", ["protocol.toml", *FILES])
def test_a_missing_table_is_named(root: Path, file: str) -> None:
    (root / "spec" / "v1" / file).unlink()

    assert complaints(root) == f"{file}: cannot be read (No such file or directory)"


@pytest.mark.parametrize("text", [b"[[", b"name = 'caf\xe9'"], ids=["no TOML", "no UTF-8"])
def test_a_table_that_is_no_toml_is_named(root: Path, text: bytes) -> None:
    (root / "spec" / "v1" / "rules.toml").write_bytes(text)

    assert complaints(root).startswith("rules.toml: is not TOML: ")


# --- Tables that can be read and mean nothing ---------------------------------------------------------------------------

UNSOUND = [
    # protocol.toml
    ("protocol.toml", 'name = "KEY_BYTES",', 'name = "LINK_CHARS",', "protocol.toml, constants: 'LINK_CHARS' stands there 2 times"),
    ("protocol.toml", 'files = ["frames.toml",', "files = [", "protocol.toml: files: they are frames.toml, session.toml"),
    ("protocol.toml", 'name = "LINK_SECONDS", value = 600,', 'name = "LINK_SECONDS", value = 0,', "session.toml: row 'link' of timers, duration: LINK_SECONDS is no time at all"),
    # tools.toml
    ("tools.toml", 'name = "tunnel_join"', 'name = "tunnel_open"', "tools.toml, tools: 'tunnel_open' stands there 2 times"),
    ("tools.toml", 'name = "joined"', 'name = "opened"', "tools.toml, records: 'opened' stands there 2 times"),
    ("tools.toml", 'name = "timeoutMs",', 'name = "sinceSeq",', "tools.toml, row 'tunnel_listen', arguments: 'sinceSeq' stands there 2 times"),
    ("tools.toml", 'name = "cursor",', 'name = "status",', "tools.toml, row 'listened', fields: 'status' stands there 2 times"),
    ("tools.toml", 'name = "tunnelId", type = "string",', 'name = "tunnelId", type = "text",', "tools.toml: row 'opened' of records, row 'tunnelId' of fields, type: 'text' is no type"),
    ("tools.toml", 'name = "goal", type = "string",', 'name = "goal", type = "one of",', "tools.toml: row 'joined' of records, row 'goal' of fields, type: 'one of' is no type"),
    ("tools.toml", 'name = "joinLink", type = "string", doc = "The join link, whole."', 'name = "joinLink", type = "link", doc = ""', "tools.toml: row 'tunnel_join' of tools, row 'joinLink' of arguments, type: 'link' is no type"),
    ("tools.toml", 'type = "one of CAUSES peer_left"', 'type = "one of CUASES peer_left"', "tools.toml: row 'status' of records, row 'closedBecause' of fields, type: 'CUASES' is no table of refusals.toml"),
    ("tools.toml", 'result = "said"', 'result = "sadi"', "tools.toml: row 'tunnel_say' of tools, result: 'sadi' is no record"),
    ("tools.toml", 'result = "said"', 'result = "closed"', "tools.toml: row 'said' of records: no tool gives it"),
    # frames.toml
    ("frames.toml", 'name = "challenge"', 'name = "auth"', "frames.toml: 'auth' stands there 2 times"),
    ("frames.toml", 'name = "nonce", type = "string",', 'name = "nonce", type = "text",', "frames.toml: row 'challenge', row 'nonce' of fields, type: 'text' is no type"),
    ("frames.toml", 'name = "nonce", type = "string",', 'name = "nonce", type = "",', "frames.toml: row 'challenge', row 'nonce' of fields, type: '' is no type"),
    ("frames.toml", 'max = "SEQ_MAX",', 'max = "SEQ_MAXX",', "frames.toml: row 'message', row 'seq' of fields, max: 'SEQ_MAXX' is no constant"),
    ("frames.toml", 'type = "integer", min = 1, max = "SEQ_MAX",', 'type = "integer",', "frames.toml: row 'message', row 'seq' of fields, min and max: an integer has"),
    ("frames.toml", 'type = "const", value = -1,', 'type = "const",', "frames.toml: row 'draft', row 'seq' of fields, value: a const says"),
    ("frames.toml", "CHALLENGE_BYTES random bytes", "CHALENGE_BYTES random bytes", "frames.toml: row 'challenge', row 'nonce' of fields, encoding: 'CHALENGE_BYTES' is no constant"),
    ("frames.toml", 'sender = "host"', "", "frames.toml: row 'challenge' of frames, sender: a frame comes from host or guest"),
    ("frames.toml", 'visible = "ends",', 'visible = "nobody",', "frames.toml: row 'draft', row 'body' of fields, visible: 'nobody' is none of operator, ends, kind"),
    ("frames.toml", 'visible = "ends", visible_note = "both ends; the operator sees its length",', 'visible = "ends",', "frames.toml: row 'draft', row 'body' of fields, visible_note: where the operator does not read all of it"),
    ("frames.toml", 'name = "nonce", type = "string",', 'name = "nonce", type = "string", visible = "kind", visible_note = "both",', "frames.toml: row 'challenge', row 'nonce' of fields, visible: 'challenge' has no field 'kind'"),
    ("frames.toml", 'rules = ["AUTH-1"]', 'rules = ["AUTH-99"]', "frames.toml: row 'challenge', rules: 'AUTH-99' is not in rules.toml"),
    # refusals.toml
    ("refusals.toml", 'id = "bad_key",', 'id = "tunnel_full",', "refusals.toml, refusals: 'tunnel_full' stands there 2 times"),
    ("refusals.toml", 'closings = ["idle"],', 'closings = ["idel"],', "refusals.toml: row 'idle' of causes, closings: 'idel' is no closing"),
    ("refusals.toml", 'closings = ["idle"],', 'closings = ["process_exit"],', "refusals.toml: row 'process_exit' of closings: it means 2 causes"),
    # rules.toml
    ("rules.toml", 'id = "WIRE-2",', 'id = "WIRE-1",', "rules.toml, rules: 'WIRE-1' stands there 2 times"),
    ("rules.toml", 'carried_by = "codec",', 'carried_by = "codecs",', "rules.toml: row 'WIRE-1' of rules, carried_by: nothing is called 'codecs'"),
    ("rules.toml", 'observable = "wire", carried_by = "codec",', 'observable = "wire",', "rules.toml: row 'WIRE-1' of rules, carried_by: no row and no timer"),
    ("rules.toml", 'observable = "wire", carried_by = "codec",', 'observable = "none", carried_by = "codec",', "rules.toml: row 'WIRE-1' of rules, why: it cannot be observed"),
    ("rules.toml", ', why = "Before that no peer holds a link with which it could try."', "", "rules.toml: row 'LINK-5' of rules, why: it cannot be observed"),
    ("rules.toml", "within AUTH_SECONDS after", "within AUTH_SECS after", "rules.toml: row 'AUTH-6' of rules, text: 'AUTH_SECS' is no constant"),
    ("rules.toml", "in the order of LINK-4", "in the order of LINK-44", "rules.toml: row 'AUTH-7' of rules, text: 'LINK-44' is not in rules.toml"),
    # cases.toml
    ("cases.toml", 'id = "wire-binary"', 'id = "wire-normal"', "cases.toml, cases: 'wire-normal' stands there 2 times"),
    ("cases.toml", 'rules = ["WIRE-9"]', 'rules = ["WIRE-8"]', "rules.toml: row 'WIRE-9' of rules, observable: a MUST of the host that can be seen on the wire, and no case proves it"),
    ("cases.toml", 'rules = ["WIRE-2"]', 'rules = ["WIRE-2", "AUTH-5"]', "cases.toml: row 'wire-binary' of cases, rules: AUTH-5 does not bind a host"),
    ("cases.toml", 'rules = ["WIRE-2"]', 'rules = ["WIRE-2", "WIRE-99"]', "cases.toml: row 'wire-binary' of cases, rules: 'WIRE-99' is not in rules.toml"),
    ("cases.toml", 'rules = ["WIRE-2"]', "rules = []", "cases.toml: row 'wire-binary' of cases, rules: it proves none"),
    ("cases.toml", '{ do = "open", args =', '{ do = "opne", args =', "cases.toml: row 'wire-normal' of cases, step 1, do: 'opne' is no verb"),
    ("cases.toml", '{ do = "open", args = { goal =', '{ do = "open", args = { gaol =', "cases.toml: row 'wire-normal' of cases, step 1, args: 'open' takes no gaol"),
    ("cases.toml", '{ do = "connect", expect = "challenged" }', '{ do = "connect", expect = "challengd" }', "cases.toml: row 'wire-normal' of cases, step 2, expect: 'challengd' is no outcome"),
    ("cases.toml", "expects = { seq = 2, told", "expects = { sqe = 2, told", "cases.toml: row 'wire-normal' of cases, step 3, expects: 'admitted' has no sqe"),
    ("cases.toml", 'tolerate = ["gone"]', 'tolerate = ["goen"]', "cases.toml: row 'wire-normal' of cases, step 8, tolerate: 'goen' is no outcome"),
    ("cases.toml", '"CLOSE-4"]\nneeds = ["time"]', '"CLOSE-4"]\nneeds = ["tiem"]', "cases.toml: row 'auth-in-time' of cases, needs: 'tiem' is nothing"),
    ("cases.toml", 'id = "wire-normal"', 'id = "Normal"', "cases.toml: row 'Normal' of cases, id: it is made of lower-case words, two or more"),
    ("cases.toml", '"CLOSE-4"]\nneeds = ["time"]', '"CLOSE-4"]', "cases.toml: row 'auth-in-time' of cases, needs: a case needs time exactly when one of its steps is 'wait'"),
    ("cases.toml", '{ do = "join", by = "X", args = { proof = "wrong" }, expect = "refused" }', '{ do = "chat", by = "X", expect = "refused" }', "by: X has not connected before"),
    ("cases.toml", 'reason = "join link already used"', 'reason = "link already used"', "reason: 'link already used' is not in refusals.toml"),
    ("cases.toml", 'because = "closed_by_host"', 'because = "closed_by_hots"', "because: 'closed_by_hots' is no closedBecause of tools.toml"),
    ("cases.toml", '{ do = "close",   expect = "hung_up", expects = { code = 1000 }, tolerate = ["gone"] }', '{ do = "close" }', "steps: it ends without expecting anything"),
    ("cases.toml", 'tolerate = ["gone"]', 'tolerate = ["admitted"]', "cases.toml: row 'wire-normal' of cases, step 8, tolerate: admitted takes a frame, which the expectation has"),
    ("cases.toml", 'rules = ["CLOSE-1"]', 'rules = ["CLOSE-1", "CLOSE-4"]', "cases.toml: row 'close-summary' of cases, step 4, tolerate: who is only 'gone' has not said why, which CLOSE-4 asks for"),
    ("cases.toml", '{ do = "look", expect = "heard", expects = { text = "from the guest" } },', "", "cases.toml: row 'wire-noise-before' of cases, step 21, expect: 'unheard' proves nothing unless a 'look' behind a 'heard' or the end"),
    ("cases.toml", '{ do = "look", expect = "unheard", expects = { text = "once more" } }', '{ do = "tell", expect = "unheard", expects = { text = "once more" } }', "row 'seq-stale' of cases, step 10, expect: 'unheard' proves nothing unless a 'look'"),
    ("cases.toml", "code = 1000", "code = 1999", "code: 1999 is not in refusals.toml"),
    ("cases.toml", 'bytes = "{STRANGER_FRAME_BYTES}" }', 'bytes = "many" }', "bytes: 'many' is no whole number, and no constant"),
    ("cases.toml", '"{STRANGER_FRAME_BYTES}" }', '"{STRANGER_FRAME_BITES}" }', "bytes: 'STRANGER_FRAME_BITES' is no constant"),
    # The machines: words
    ("session.toml", 'machine = "session"', 'machine = "sesion"', "session.toml: machine: 'sesion' stands in session.toml"),
    ("session.toml", 'initial = "opening"', 'initial = "openning"', "session.toml: initial: 'openning' is no state"),
    ("session.toml", 'groups.open = ["waiting",', 'groups.open = ["wating",', "session.toml: groups, open: 'wating' is no state"),
    ("session.toml", "groups.open =", 'groups.live = ["waiting"]\ngroups.open =', "session.toml: groups: 'live' already means something else"),
    ("session.toml", 'name = "waiting",', 'name = "opening",', "session.toml, states: 'opening' stands there 2 times"),
    ("session.toml", 'id = "still-open",', 'id = "open",', "session.toml, transitions: 'open' stands there 2 times"),
    ("session.toml", 'id = "open",', 'id = "Open!",', "session.toml: row 'Open!' of transitions, id: it is made of lower-case words"),
    ("session.toml", 'id = "open", on = "reachable",', 'id = "open", on = "reachabel",', "session.toml: row 'open' of transitions, on: 'reachabel' is no event"),
    ("session.toml", 'id = "open", on = "reachable", from = ["opening"],', 'id = "open", on = "reachable", from = ["openning"],', "session.toml: row 'open' of transitions, from: 'openning' is no state and no group"),
    ("session.toml", 'from = ["opening"], to = "waiting",', 'from = ["opening"], to = "wating",', "session.toml: row 'open' of transitions, to: 'wating' is no state"),
    ("session.toml", 'do = ["hand_out_link", "number opened"],', 'do = ["hand_out_lnik", "number opened"],', "session.toml: row 'open' of transitions, do: 'hand_out_lnik' is no action"),
    ("session.toml", 'do = ["hand_out_link", "number opened"],', 'do = ["hand_out_link bob", "number opened"],', "session.toml: row 'open' of transitions, do: 'hand_out_link' takes nothing, so not 'bob'"),
    ("session.toml", 'do = ["hand_out_link", "number opened"],', 'do = ["hand_out_link", "number", "number opened"],', "session.toml: row 'open' of transitions, do: it does 'number' more than once"),
    ("session.toml", 'do = ["hand_out_link", "number opened"],', 'do = ["", "number opened"],', "session.toml: row 'open' of transitions, do: an action has a name"),
    ("session.toml", 'do = ["refuse bad_key"],', 'do = ["refuse bda_key"],', "session.toml: row 'auth-bad-key' of transitions, do: 'refuse bda_key' does not name a refusal of refusals.toml"),
    ("session.toml", 'takes = "refusal"', 'takes = "refusel"', "session.toml: row 'refuse' of actions, takes: 'refusel' is none of refusal, closing"),
    ("session.toml", "actions = [", 'actions = [ { name = "dance", doc = "" },', "session.toml: row 'dance' of actions: no row does it"),
    ("session.toml", 'rules = ["LINK-1", "SEQ-1"] },', 'rules = ["LINK-1", "SEQ-99"] },', "session.toml: row 'open' of transitions, rules: 'SEQ-99' is not in rules.toml"),
    ("session.toml", 'facts = ["well_formed", "proof_ok"]', 'facts = ["well_formed", "proof_ok", "polite"]', "session.toml: row 'auth' of events, facts: no row asks for 'polite'"),
    ("session.toml", "`proof_ok`: its response", "proven: its response", "session.toml: row 'auth' of events, doc: it does not say when 'proof_ok' holds"),
    ("session.toml", 'facts = ["well_formed", "proof_ok"]', 'facts = ["well_formed", "proof_ok", "state"]', "session.toml: row 'auth' of events, facts: 'state' already means something else"),
    # The machines: timers
    ("session.toml", 'duration = "LINK_SECONDS",', 'duration = "LINK_SECS",', "session.toml: row 'link' of timers, duration: 'LINK_SECS' is no constant"),
    ("session.toml", 'runs_in = ["open"],', 'runs_in = ["opne"],', "session.toml: row 'link' of timers, runs_in: 'opne' is no state and no group"),
    ("session.toml", 'passed_when = "elapsed > duration"', 'passed_when = "elapsed < duration"', "session.toml: row 'link' of timers, passed_when: 'elapsed < duration' is neither"),
    ("session.toml", 'passed_when = "elapsed >= duration"', 'passed_when = "elapsed > duration"', "session.toml: row 'idle' of timers, passed_when: a timer that fires does so at its time"),
    ("session.toml", 'restarts_on = ["number", "number_chat"]', 'restarts_on = ["nubmer", "number_chat"]', "session.toml: row 'idle' of timers, restarts_on: 'nubmer' is no event and no action"),
    ("session.toml", 'restarts_on = ["number", "number_chat"]', 'restarts_on = ["number", "number_chat", "end"]', "session.toml: row 'idle' of timers, restarts_on: 'end' never happens while it runs on"),
    ("session.toml", 'fires = "idle",', 'fires = "idel",', "session.toml: row 'idle' of timers, fires: 'idel' is no event"),
    ("session.toml", 'fires = "idle",', 'fires = "exit",', "session.toml: row 'idle' of timers, fires: 'exit' has another source"),
    ("session.toml", 'fires = "idle",', "", "session.toml: row 'idle' of events, source: no timer fires it"),
    ("guest.toml", 'restarts_on = ["ping"],', "", "guest.toml: row 'ping' of transitions: it leaves timer 'ping' due in 'joined', to fire for ever"),
    # The machines: gaps
    ("session.toml", 'id = "auth-full", on = "auth", from = ["locked"],', 'id = "auth-full", on = "auth", from = ["locked"], when = "proof_ok",', "session.toml: transitions, (locked, auth): the last row, 'auth-full', has a condition (`when`)"),
    ("session.toml", 'id = "nobody-left", on = "left", from = ["opening", "waiting",', 'id = "nobody-left", on = "left", from = ["waiting",', "session.toml: transitions, (opening, left): no row says what happens"),
    ("session.toml", 'from = ["open"], when = "passed(link)",', 'from = ["open"],', "session.toml: transitions, (locked, auth): row 'auth-full' is never tried behind 'auth-expired'"),
    ("session.toml", 'id = "say-to-nobody", on = "say", from = ["vacated"],', 'id = "say-to-nobody", on = "say", from = [],', "session.toml: row 'say-to-nobody' of transitions: no state and event leads to it"),
    ("session.toml", "states = [", 'states = [ { name = "lost", doc = "" },', "session.toml: row 'lost' of states: it cannot be reached"),
    ("session.toml", 'gone.", final = true', 'gone."', "session.toml: row 'closed' of states: it never ends"),
    ("session.toml", 'on = "say", from = ["closed"], to = "=",', 'on = "say", from = ["closed"], to = "waiting",', "session.toml: row 'closed' of states, final: it leads to 'waiting'"),
    # The machines: conditions
    ("session.toml", 'when = "not proof_ok"', 'when = "not prof_ok"', "session.toml: row 'auth-bad-key' of transitions, when: 'prof_ok' is no fact of this event"),
    ("session.toml", 'when = "not proof_ok"', 'when = "not has_room"', "session.toml: row 'auth-bad-key' of transitions, when: 'has_room' is no fact of this event"),
    ("session.toml", 'when = "not proof_ok"', "when = \"__import__('os').system('true')\"", "session.toml: row 'auth-bad-key' of transitions, when: \"__import__('os').system('true')\" is not allowed"),
    ("session.toml", 'when = "not proof_ok"', 'when = "not proof_ok and"', "session.toml: row 'auth-bad-key' of transitions, when: cannot be read: 'not proof_ok and'"),
    ("session.toml", 'when = "passed(link)"', 'when = "passed(lnik)"', "session.toml: row 'auth-expired' of transitions, when: 'lnik' is no timer"),
    ("session.toml", 'when = "passed(link)"', 'when = "did(admit)"', "session.toml: row 'auth-expired' of transitions, when: 'did' has no meaning here"),
    ("session.toml", 'when = "not proof_ok"', 'when = "state == wating"', "session.toml: row 'auth-bad-key' of transitions, when: 'wating' is no state"),
    ("session.toml", 'when = "not proof_ok"', 'when = "state == auth"', "session.toml: row 'auth-bad-key' of transitions, when: 'auth' is no state"),
    ("session.toml", 'when = "not proof_ok"', 'when = "state"', "session.toml: row 'auth-bad-key' of transitions, when: 'state' is a state, where a truth belongs"),
    ("session.toml", 'when = "not proof_ok"', 'when = "proof_ok < 1"', "session.toml: row 'auth-bad-key' of transitions, when: 'proof_ok' is a truth, where a number belongs"),
    ("session.toml", 'on = "*", from = ["closed"],', 'on = "*", from = ["closed"], when = "well_formed",', "session.toml: row 'gone' of transitions, when: 'well_formed' is no fact of this event"),
    ("session.toml", 'holds = "count(admit) <= 1"', 'holds = "count(admit)"', "session.toml: row 'one-guest' of invariants, holds: count(admit) is a number, where a truth belongs"),
    ("session.toml", 'holds = "count(admit) <= 1"', 'holds = "count(admti) <= 1"', "session.toml: row 'one-guest' of invariants, holds: 'admti' is no action"),
    ("session.toml", 'holds = "count(admit) <= 1"', 'holds = "not did(end, refused)"', "session.toml: row 'one-guest' of invariants, holds: no row does 'end refused'"),
    ("session.toml", 'holds = "count(admit) <= 1"', 'holds = "elapsed(lnik) <= LINK_SECONDS"', "session.toml: row 'one-guest' of invariants, holds: 'lnik' is no timer"),
    ("session.toml", 'holds = "count(admit) <= 1"', 'holds = "elapsed(link) <= LINK_SECS"', "session.toml: row 'one-guest' of invariants, holds: 'LINK_SECS' is no fact"),
    ("session.toml", 'holds = "count(admit) <= 1"', 'holds = "event != waiting"', "session.toml: row 'one-guest' of invariants, holds: 'waiting' is no event"),
    ("session.toml", 'rules = ["LOCK-1", "LINK-1"], doc = "At most one', 'rules = ["LOCK-99"], doc = "At most one', "session.toml: row 'one-guest' of invariants, rules: 'LOCK-99' is not in rules.toml"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "finding"), [pytest.param(*case, id=case[3][:90]) for case in UNSOUND])
def test_a_table_that_means_nothing_is_named_with_row_and_field(
    root: Path, file: str, old: str, new: str, finding: str
) -> None:
    write(root, file, old, new)

    assert finding in complaints(root)


def test_the_tables_themselves_have_no_finding(root: Path) -> None:
    assert complaints(root) == ""


# --- What is generated --------------------------------------------------------------------------------------------------


def test_the_committed_files_are_those_that_the_tables_give(capsys: pytest.CaptureFixture[str]) -> None:
    assert (main(["check"]), capsys.readouterr().err) == (0, "")


def test_building_twice_gives_the_same_texts() -> None:
    assert python.write(read(TABLES)) == python.write(read(TABLES))


def test_building_restores_what_was_edited_or_lost(root: Path) -> None:
    (root / GENERATED / "session.py").write_text("pass\n", encoding="utf-8")
    (root / GENERATED / "rules.py").unlink()

    assert (main(["build"], root), main(["check"], root)) == (0, 0)
    assert (root / GENERATED / "session.py").read_bytes() == (ROOT / GENERATED / "session.py").read_bytes()


def test_a_changed_table_shows_in_what_is_built(root: Path) -> None:
    write(root, "protocol.toml", 'name = "LINK_SECONDS", value = 600,', 'name = "LINK_SECONDS", value = 900,')

    assert main(["check"], root) == 1
    assert (main(["build"], root), main(["check"], root)) == (0, 0)
    assert re.search(
        r"^LINK_SECONDS\b.*\b900$", (root / GENERATED / "constants.py").read_text(encoding="utf-8"), re.MULTILINE
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b"\nMACHINE", b"\n# by hand\nMACHINE", id="a comment"),
        pytest.param(b"\n", b"\r\n", id="other line ends"),
        pytest.param(b"    ),\n)\n", b"    ),\n)", id="no last line end"),
        pytest.param(b"MACHINE", b"\xff", id="no text"),
    ],
)
def test_check_notices_a_generated_file_that_was_edited(
    root: Path, capsys: pytest.CaptureFixture[str], old: bytes, new: bytes
) -> None:
    path = root / GENERATED / "session.py"
    path.write_bytes(path.read_bytes().replace(old, new))

    assert main(["check"], root) == 1
    assert (
        capsys.readouterr().err == f"{GENERATED}/session.py: differs from its table; run `make spec`, never edit it\n"
    )


def test_check_notices_a_generated_file_that_is_missing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / GENERATED / "guest.py").unlink()

    assert main(["check"], root) == 1
    assert capsys.readouterr().err == f"{GENERATED}/guest.py: is missing; run `make spec`\n"


def test_check_notices_a_file_that_nothing_generates(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / GENERATED / "helpers.py").write_text("", encoding="utf-8")

    assert main(["check"], root) == 1
    assert capsys.readouterr().err == f"{GENERATED}/helpers.py: nothing generates it\n"


@pytest.mark.parametrize("command", ["build", "check", "lint"])
def test_a_spec_with_findings_is_neither_built_nor_called_current(
    root: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    write(root, "session.toml", 'from = ["opening"], to = "waiting",', 'from = ["opening"], to = "wating",')
    before = (root / GENERATED / "session.py").read_bytes()

    assert main([command], root) == 1
    assert "session.toml: row 'open' of transitions, to: 'wating' is no state\n" in capsys.readouterr().err
    assert (root / GENERATED / "session.py").read_bytes() == before


@pytest.mark.parametrize("command", ["build", "check", "lint", "graph"])
def test_a_spec_that_cannot_be_read_is_an_answer_and_no_traceback(
    root: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    write(root, "protocol.toml", "wire = 1", "wier = 1")

    assert main([command], root) == 1
    assert capsys.readouterr().err.startswith("spec/v1/protocol.toml: ")


# --- The command --------------------------------------------------------------------------------------------------------


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("arguments", "status"), [("lint", 0), ("check", 0), ("graph", 0), ("graph tunnel", 2), ("dance", 2), ("", 2)]
)
def test_the_command_answers_with_its_status(arguments: str, status: int) -> None:
    command = subprocess.run(
        [sys.executable, "-m", "spec.compiler", *arguments.split()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert command.returncode == status
    assert bool(command.stderr) is (status == 2)
    assert "Traceback" not in command.stderr


def test_a_machine_that_is_none_is_answered_with_those_that_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", "tunnel"]) == 2
    assert capsys.readouterr().err == "'tunnel' is no machine; there are session, connection, guest\n"


# --- Diagrams -----------------------------------------------------------------------------------------------------------

MERMAID_LINES = (
    r"stateDiagram-v2",
    r"    %% [^\n]+",
    r"    \[\*\] --> \w+",
    r"    \w+ --> \[\*\]",
    r"    (\w+): \1<br/>[^:;`]+",
    r"    \w+ --> \w+: [a-z-]+(, [a-z-]+)*",
)
"""The part of Mermaid that the diagrams keep to, line by line."""


@pytest.mark.parametrize("name", MACHINES)
def test_a_diagram_keeps_to_simple_mermaid(name: str) -> None:
    lines = mermaid(read(TABLES).machines[name]).splitlines()

    assert lines[0] == "stateDiagram-v2"
    assert [line for line in lines if not any(re.fullmatch(form, line) for form in MERMAID_LINES)] == []


@pytest.mark.parametrize("name", MACHINES)
def test_a_diagram_shows_every_state_and_every_row_that_does_something(name: str) -> None:
    machine = read(TABLES).machines[name]

    drawn = mermaid(machine)

    assert [state.name for state in machine.states if f"\n    {state.name}: {state.name}<br/>" not in drawn] == []
    moves = {row.id for row in machine.transitions if row.do or row.to not in ("=", *machine.states_of(row.leaves))}
    assert moves - set(re.findall(r"[a-z-]+", drawn)) == set()


def test_graph_prints_the_machine_that_is_asked_for_or_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", "guest"]) == 0
    one = capsys.readouterr().out
    assert main(["graph"]) == 0
    every = capsys.readouterr().out

    assert one.count("stateDiagram-v2") == 1
    assert (every.count("stateDiagram-v2"), one in every) == (3, True)


def test_the_bundle_holds_every_table_whole() -> None:
    spec = read(ROOT / "spec" / "v1")
    bundle = msgspec.json.decode((ROOT / "tunnel/spec/v1/spec.json").read_bytes(), type=Bundle)

    assert bundle == Bundle(**{name: getattr(spec, name) for name in Bundle.__struct_fields__})
