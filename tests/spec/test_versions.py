"""Versions stand side by side: the next one begins from the last, changes freely, and leaves what peers of the last one know alone."""

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from spec.compiler.__main__ import ROOT, main
from spec.compiler.explore import Ground, shortened, wander
from spec.compiler.frozen import FILE
from spec.compiler.reader import Spec, SpecError
from spec.compiler.versions import SPOKEN, begin, numbers, read_version
from tests.spec.breakage import SPEC


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a frozen version, and the next one as it begins."""
    root = tmp_path_factory.mktemp("begun")
    shutil.copytree(SPEC.folder, root / "spec" / "v1", ignore=shutil.ignore_patterns(FILE))
    shutil.copy(SPEC.folder.parent / "released.toml", root / "spec")
    shutil.copytree(ROOT / "tunnel" / "spec", root / "tunnel" / "spec", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "tunnel" / "__init__.py", root / "tunnel" / "__init__.py")
    assert (main(["freeze"], root), main(["next"], root)) == (0, 0)
    return root


@pytest.fixture(scope="module")
def grown(begun: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, when the next version has another number, one more field, and another answer, and is built."""
    root = shutil.copytree(begun, tmp_path_factory.mktemp("grown") / "root")
    for file, old, new in CHANGES:
        write(root, f"spec/v2/{file}", old, new)
    assert main(["build"], root) == 0
    return root


CHANGES = [
    ("protocol.toml", 'name = "IDLE_SECONDS", value = 1800', 'name = "IDLE_SECONDS", value = 900'),
    ("frames.toml", '{ name = "peerName",', '{ name = "resume", type = "string", doc = "To come back." },\n  { name = "peerName",'),
    ("session.toml", 'from = ["opening"], to = "=", do = ["refuse bad_key"]', 'from = ["opening"], to = "=", do = ["refuse join_link_expired"]'),
    # Without looking at the row, two invariants say what it does.
    ("session.toml", "and (not proof_ok or old_state == opening))", "and not proof_ok and old_state != opening)"),
    ("session.toml", "and old_state != opening and well_formed and proof_ok and elapsed(link) > LINK_SECONDS)", "and well_formed and (old_state == opening or (proof_ok and elapsed(link) > LINK_SECONDS)))"),
]  # fmt: skip


@pytest.fixture
def root(grown: Path, tmp_path: Path) -> Path:
    return shutil.copytree(grown, tmp_path / "copy")


def write(root: Path, path: str, old: str, new: str) -> None:
    """Change the only place where `old` stands; blanks between words aside, it has to stand there."""
    spaced = r"\s+".join(re.escape(word) for word in old.split())
    text, times = re.subn(spaced, lambda _: new, (root / path).read_text(encoding="utf-8"))
    assert times == 1, f"{path} holds {old!r} {times} times"
    (root / path).write_text(text, encoding="utf-8")


def texts(root: Path, version: str) -> dict[str, str]:
    """What stands in a version, and in what is generated from it."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in (root / "spec" / version, root / "tunnel" / "spec" / version)
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_next_version_changes_freely_and_the_last_one_stays(
    begun: Path, grown: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (main(["check"], grown), main(["lint"], grown)) == (0, 0)
    told = capsys.readouterr().err
    assert texts(grown, "v1") == texts(begun, "v1")
    assert "spec/v2/proofs/recorded.toml: stale: the frames of the handshake have changed" in told
    assert (told.count("(a draft: before it is frozen)"), "spec/v1" in told) == (2, False)


def test_what_follows_from_both_versions_runs_in_one_process(grown: Path) -> None:
    program = """
from tunnel.spec.v1 import constants, frames, session, guest, connection, refusals, rules
from tunnel.spec.v2 import constants as c, frames as f, session as s, guest as g, connection as n, refusals as r, rules as u
for version in (constants, c):
    print(version.__file__, version.WIRE, version.IDLE_SECONDS)
print([name for name in f.AuthOk.__struct_fields__ if name not in frames.AuthOk.__struct_fields__])
print([two.do for one, two in zip(session.MACHINE.transitions, s.MACHINE.transitions) if one != two])
"""
    done = subprocess.run(
        [sys.executable, "-I", "-B", "-c", f"import sys; sys.path.insert(0, {str(grown)!r})\n{program}"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        f"{grown}/tunnel/spec/v1/constants.py 1 1800",
        f"{grown}/tunnel/spec/v2/constants.py 2 900",
        "['resume']",
        "[('refuse join_link_expired',)]",
    ]


def breaches(spec: Spec, name: str) -> set[str]:
    """The invariants of a machine that break somewhere on a walk through it."""
    machine = spec.machines[name]
    return set(wander(Ground(machine, shortened(machine, spec.constants))).violations)


def test_the_next_version_is_explored_as_the_last_one_is(grown: Path, tmp_path: Path) -> None:
    """A row that is changed breaks what its invariants say, until they say what is meant now."""
    shutil.copytree(grown / "spec", tmp_path / "spec")
    for file, old, new in CHANGES[-2:]:
        write(tmp_path, f"spec/v2/{file}", new, old)

    assert breaches(read_version(grown, 2), "session") == set()
    assert breaches(read_version(tmp_path, 2), "session") == {"bad-key-second", "expired-third"}


def test_a_mistake_in_the_next_version_is_found_there(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(root, "spec/v2/session.toml", 'do = ["hand_out_link",', 'do = ["hand_it_out",')

    assert main(["build", "--version", "2"], root) == 1
    said = "spec/v2/session.toml: row 'open' of transitions, do: 'hand_it_out' is no action"
    assert said in capsys.readouterr().err
    assert main(["lint", "--version", "1"], root) == 0


def test_drift_is_found_in_every_version(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for version in ("v1", "v2"):
        (root / "tunnel" / "spec" / version / "guest.py").unlink()

    assert main(["check"], root) == 1
    assert capsys.readouterr().err == (
        "tunnel/spec/v1/guest.py: is missing; run `make spec`\ntunnel/spec/v2/guest.py: is missing; run `make spec`\n"
    )


def test_what_was_generated_from_a_folder_that_is_gone_is_named(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(root / "spec" / "v2")

    assert main(["check"], root) == 1
    assert capsys.readouterr().err == "tunnel/spec/v2: nothing generates it, for there is no spec/v2\n"


# --- How it begins ------------------------------------------------------------------------------------------------------


def test_the_next_version_begins_as_a_draft_that_says_what_the_last_one_says(begun: Path) -> None:
    old, new = read_version(begun, 1), read_version(begun, 2)

    assert (new.protocol.wire, new.protocol.spec_version) == (2, "2.0.0-draft")
    assert not (new.folder / FILE).exists()
    assert (new.machines, new.frames, new.tools, new.cases) == (old.machines, old.frames, old.tools, old.cases)
    assert [(rule.id, rule.text) for rule in new.rules.rules] == [(rule.id, rule.text) for rule in old.rules.rules]


def test_the_next_version_takes_what_was_written_by_hand_and_calls_itself_by_its_number(begun: Path) -> None:
    old, new = ({name.partition("/v")[2][2:]: text for name, text in texts(begun, v).items()} for v in ("v1", "v2"))

    assert {name for name in new if new[name] != old[name]} >= {"protocol.toml", "tunnel.md", "frames.toml"}
    assert {name for name in old if name not in new} >= {FILE, "constants.py"}
    assert {name for name in new if name.startswith(("proofs/", "vectors/"))} == {
        name
        for name in old
        if name.startswith(("proofs/", "vectors/")) and (new[name] == old[name] or name.endswith("README.md"))
    }
    exported = {Path(name) for name in new if name.startswith("export/")}
    assert {path.name for path in exported} == {"README.md"}


def test_nothing_that_was_written_by_hand_is_left_with_the_number_of_the_last_version(begun: Path) -> None:
    """But for what was recorded of it, in `vectors/*.json`, and for what a proof is called."""
    texts = {path: path.read_text(encoding="utf-8") for path in (begun / "spec" / "v2").rglob("*") if path.is_file()}
    left = {
        found
        for path, text in texts.items()
        if path.parent.name != "vectors" or path.name == "README.md"
        for found in re.findall(r"\S*\bv1\b\S*|\S*_v1\b\S*|wire version 1\b|wire-1\b", text)
    }

    assert {found.strip('`"') for found in left} == {"handshake_v1.pv"}
    assert "tunnel-spec-v2-EDITION" in texts[begun / "spec" / "v2" / "export" / "README.md"]


def test_a_draft_is_followed_by_nothing(begun: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["next"], begun) == 1
    assert capsys.readouterr().err.startswith("spec/v2: is a draft, which may still be changed as it is")
    assert numbers(begun) == [1, 2]


def test_a_draft_is_frozen_when_it_has_a_number_and_its_proofs_are_about_it(
    begun: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = shutil.copytree(begun, tmp_path / "copy")

    assert main(["freeze"], root) == 1
    assert (
        capsys.readouterr().err
        == "spec/v2/protocol.toml: spec_version: '2.0.0-draft' is no edition of wire version 2; the first is 2.0.0\n"
    )
    write(root, "spec/v2/protocol.toml", '"2.0.0-draft"', '"2.0.0"')
    assert main(["freeze"], root) == 0
    assert begin(root).name == "v3"


# --- Which one is meant -------------------------------------------------------------------------------------------------


def test_what_is_asked_of_one_version_is_asked_of_the_one_that_the_program_speaks(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(root, "spec/v2/session.toml", 'title = "The host\'s session"', 'title = "What comes next"')

    assert (SPOKEN, main(["graph", "session"], root)) == (1, 0)
    assert "The host's session" in capsys.readouterr().out
    assert main(["graph", "session", "--version", "2"], root) == 0
    assert "What comes next" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("graph --version 7", "spec/v7: is not there; there is v1, v2\n"),
        ("freeze 7", "spec/v7: is not there; there is v1, v2\n"),
        ("mutate --core --version 2", "the core speaks wire version 1, and cannot be asked about 2\n"),
        ("docs --version 2", "the documentation is that of wire version 1, as are its guides and papers\n"),
    ],
)
def test_a_version_that_cannot_be_asked_is_an_answer(
    begun: Path, capsys: pytest.CaptureFixture[str], arguments: str, told: str
) -> None:
    assert main(arguments.split(), begun) == 1
    assert capsys.readouterr().err == told


def test_without_any_version_there_is_nothing_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("build", "check", "lint", "graph", "freeze"):
        assert main([command], tmp_path) == 1
        assert capsys.readouterr().err == "spec/v1: is not there; there is none\n"
    assert main(["next"], tmp_path) == 1


def test_tables_that_say_they_are_another_version_are_not_taken_for_it(root: Path) -> None:
    write(root, "spec/v2/protocol.toml", "wire = 2", "wire = 1")

    with pytest.raises(SpecError, match=r"^spec/v2/protocol\.toml: wire: is 1, in the folder of 2$"):
        read_version(root, 2)
    assert main(["build"], root) == 1
