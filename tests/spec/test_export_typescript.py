"""TypeScript reads the types, in its strictest mode; they tell right frames and ids from wrong ones, and lack none."""

import subprocess
from pathlib import Path

import pytest

from spec.compiler import export_typescript
from tests.spec.breakage import SPEC
from tests.standins.npm import installed

EXAMPLE = Path(__file__).parents[2] / "conformance" / "examples" / "node"
"""It is written with these types, and its lock names the compiler."""
TYPES = export_typescript.types(SPEC)

GOOD = """
import type { Closings, Constants, Frame, GuestFrame, Machines, ReadGuestFrame, RefusalId, SessionState } from "./tunnel.js";

const seconds: Constants["LINK_SECONDS"] = 600;
const said: GuestFrame = { t: "send", msg: { id: "i", seq: -1, from: "guest", kind: "chat", body: "b", ts: 0 } };
const read: ReadGuestFrame = { t: "send", msg: { id: "i", kind: "chat", body: "b" } };
const proof: GuestFrame = { t: "auth", response: "R", name: "n", sinceSeq: 0 };
const proven: ReadGuestFrame = { t: "auth", response: "R", name: "n", sinceSeq: ["anything"] };
const why: RefusalId = "tunnel_full";
const code: Closings["flood"]["code"] = 1008;
const facts: Machines["session"]["events"]["auth"] = { well_formed: true, proof_ok: false };
export function about(frame: Frame): string {
  switch (frame.t) {
    case "challenge": return frame.nonce;
    case "auth": return frame.response;
    case "auth_ok": return frame.backlog.map(({ seq }) => seq.toFixed()).join();
    case "auth_fail": return frame.reason;
    case "send": return frame.msg.body;
    case "msg": return frame.msg.from;
  }
}
export function ends(state: SessionState): boolean { return state === "closed"; }
export { seconds, said, read, proof, proven, why, code, facts };
"""

WRONG = {
    "a misspelt field": ("response;", "respones;"),
    "a number that is another": ("= 600", "= 601"),
    "a field that only a host sets": ("seq: -1", "seq: 1"),
    "a number that a guest writes as a text": ("sinceSeq: 0", 'sinceSeq: "0"'),
    "a kind that a guest cannot say": ('kind: "chat", body: "b" } }', 'kind: "system", body: "b" } }'),
    "a refusal that is none": ('"tunnel_full"', '"tunnel_fulll"'),
    "a code that is another": ("= 1008", "= 1000"),
    "a fact that is none": ("well_formed: true", "wel_formed: true"),
    "a state of another machine": ('=== "closed"', '=== "ended"'),
    "a frame that is forgotten": ('    case "msg": return frame.msg.from;\n', ""),
}


@pytest.fixture(scope="module")
def compiler(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    example = installed(EXAMPLE, tmp_path_factory.mktemp("typescript") / "node", pytestconfig)
    return example / "node_modules" / ".bin" / "tsc"


def compiled(compiler: Path, folder: Path, *programs: str) -> str:
    """What TypeScript says against these programs, each in a file of its own beside the types."""
    (folder / "tunnel.d.ts").write_text(TYPES, encoding="utf-8")
    names = [f"program{index}.ts" for index, _ in enumerate(programs)]
    for name, program in zip(names, programs, strict=True):
        (folder / name).write_text(program, encoding="utf-8")
    strict = [
        "--strict",
        "--noEmit",
        "--module",
        "nodenext",
        "--target",
        "es2022",
        "--lib",
        "es2022",
        "--pretty",
        "false",
    ]
    command = [str(compiler), *strict, "--types", "", "tunnel.d.ts", *names]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60).stdout


@pytest.mark.needs("node")
def test_typescript_compiles_the_types_and_a_program_that_keeps_to_them(compiler: Path, tmp_path: Path) -> None:
    assert compiled(compiler, tmp_path, GOOD) == ""


@pytest.mark.needs("node")
def test_a_program_that_does_not_keep_to_them_fails(compiler: Path, tmp_path: Path) -> None:
    programs = [GOOD.replace(old, new) for old, new in WRONG.values()]
    said = compiled(compiler, tmp_path, *programs)

    assert GOOD not in programs
    assert [what for index, what in enumerate(WRONG) if f"program{index}.ts(" not in said] == []


def test_every_name_of_the_tables_stands_there() -> None:
    answers = SPEC.refusals
    rows = [*answers.refusals, *answers.closings, *answers.causes, *answers.failures, *answers.notices]
    named = [constant.name for constant in SPEC.protocol.constants] + [row.id for row in rows]
    for machine in SPEC.machines.values():
        named += [event.name for event in machine.events] + [action.name for action in machine.actions]
        words = [state.name for state in machine.states] + [timer.name for timer in machine.timers]
        assert [word for word in words if f'  | "{word}"' not in TYPES] == []

    assert [name for name in named if f" {name}: " not in TYPES] == []


def test_every_sentence_of_the_tables_is_a_comment_that_ends_where_it_should() -> None:
    shapes = [*SPEC.frames.records, *SPEC.frames.frames]
    sentences = [each.doc for shape in shapes for each in (shape, *shape.fields)]
    sentences += [each.doc for machine in SPEC.machines.values() for each in (*machine.states, *machine.events)]

    assert [sentence for sentence in sentences if export_typescript.comment(sentence) not in TYPES] == []
    assert export_typescript.comment("a */ b") == "a *\\/ b"
