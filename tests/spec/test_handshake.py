"""The symbolic proofs are about this handshake: lint says when it has changed since, and their files are kept as they were."""

import hashlib
import re
import shutil
from pathlib import Path

import pytest

from spec.compiler.__main__ import main
from spec.compiler.lint_handshake import FRAMES, digests, lint_handshake
from spec.compiler.reader import read
from tests.spec.breakage import SPEC

PROOFS = SPEC.folder / "proofs"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(SPEC.folder, tmp_path / "v1")
    return tmp_path / "v1"


def stale(folder: Path) -> list[str]:
    return list(lint_handshake(read(folder)))


def test_the_symbolic_proofs_are_about_this_handshake() -> None:
    """AUTH-1, AUTH-2, SEAL-1: what the models describe is what the tables say."""
    assert list(lint_handshake(SPEC)) == []


@pytest.mark.parametrize("name", ["handshake_v1.pv", "handshake_v2.pv", "proverif.result.txt"])
def test_a_recorded_file_is_kept_byte_for_byte(copy: Path, name: str) -> None:
    path = copy / "proofs" / name
    path.write_bytes(path.read_bytes() + b" ")

    (finding,) = stale(copy)
    assert finding.startswith(f"proofs/{name}: is not the file that was recorded")
    assert hashlib.sha256(path.read_bytes()).hexdigest() in finding
    path.unlink()
    assert stale(copy) == [f"proofs/{name}: is missing, and proofs/recorded.toml names it"]


CHANGES = [
    ("frames.toml", '{ name = "name",     type = "string", max', '{ name = "title",     type = "string", max', "frames"),
    ("rules.toml", "the HMAC-SHA256 of this connection's", "the HMAC-SHA512 of this connection's", "rules"),
    ("protocol.toml", '"CHALLENGE_BYTES",            value = 32', '"CHALLENGE_BYTES",            value = 16', "constants"),
    ("guest.toml", 'from = ["greeting"],                                to = "proving"', 'from = ["greeting", "joined"],                                to = "proving"', "rows"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "part"), CHANGES, ids=[part for *_, part in CHANGES])
def test_proofs_are_stale_when_the_handshake_changes(copy: Path, file: str, old: str, new: str, part: str) -> None:
    text = (copy / file).read_text(encoding="utf-8")
    assert text.count(old) == 1
    (copy / file).write_text(text.replace(old, new), encoding="utf-8")

    (finding,) = stale(copy)
    assert finding.startswith(f"proofs/recorded.toml: stale: the {part} of the handshake have changed")
    assert f"{part} = {digests(read(copy))[part]!r}" in finding


def test_prose_and_what_is_not_the_handshake_make_no_proof_stale(copy: Path) -> None:
    for file, old, new in (
        ("frames.toml", "The first frame on every connection.", "What comes first on a connection."),
        ("protocol.toml", "value = 1800", "value = 1801"),
        ("session.toml", 'when = "not fits"', 'when = "fits"'),
    ):
        text = (copy / file).read_text(encoding="utf-8")
        assert old in text
        (copy / file).write_text(text.replace(old, new), encoding="utf-8")

    assert stale(copy) == []


@pytest.mark.parametrize("text", [None, b"handshake = ", b"\xff"], ids=["missing", "no TOML", "no UTF-8"])
def test_a_record_of_the_handshake_that_cannot_be_read_is_a_finding(copy: Path, text: bytes | None) -> None:
    path = copy / "proofs" / "recorded.toml"
    path.unlink() if text is None else path.write_bytes(text)

    (finding,) = stale(copy)
    assert finding.startswith("proofs/recorded.toml: cannot be read (")


def test_a_record_that_names_nothing_is_stale_in_everything(copy: Path) -> None:
    (copy / "proofs" / "recorded.toml").write_bytes(b"")

    assert len(stale(copy)) == len(digests(SPEC)) + 3


def test_the_handshake_is_made_of_frames_that_exist() -> None:
    assert {*FRAMES} <= {shape.name for shape in (*SPEC.frames.records, *SPEC.frames.frames)}


def test_the_table_of_names_is_about_the_models() -> None:
    page = (PROOFS / "README.md").read_text(encoding="utf-8")
    events = set(
        re.findall(r"^event (\w+)|\bevent (\w+)\(", (PROOFS / "handshake_v1.pv").read_text(encoding="utf-8"), re.M)
    )
    names = {name for pair in events for name in pair if name}

    # What is accepted or answered together with a name is the same event once more.
    assert {name for name in names if not name.endswith("As") and f"`{name}`" not in page} == set()


def test_lint_tells_that_a_proof_is_stale(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(SPEC.folder, tmp_path / "spec" / "v1")
    (tmp_path / "spec" / "v1" / "proofs" / "handshake_v1.pv").unlink()

    assert main(["lint"], tmp_path) == 1
    assert "handshake_v1.pv: is missing" in capsys.readouterr().err
