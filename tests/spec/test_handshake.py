"""The symbolic proofs are about this handshake: lint says when it has changed since, and their files are kept as they were."""

import hashlib
import re
import shutil
from pathlib import Path

import pytest

from spec.compiler.__main__ import main
from spec.compiler.lint_handshake import FRAMES, digests, formulas, is_watched, lint_handshake
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
    ("rules.toml", "The first guest admitted is the only one", "The latest guest admitted is the only one", "rules"),
    ("rules.toml", "malformed auth, bad key, join link expired", "bad key, malformed auth, join link expired", "rules"),
    ("guest.toml", 'do = ["conceal"]', 'do = ["take"]', "rows"),
    ("refusals.toml", 'text = "bad key"', 'text = "wrong key"', "texts"),
    ("tunnel.md", "base64url(HMAC-SHA256(key,", "base64url(HMAC-SHA512(key,", "formulas"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "old", "new", "part"), CHANGES, ids=[f"{part}: {new[:30]}" for *_, new, part in CHANGES]
)
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
        ("tunnel.md", "The host greets every connection", "Every connection is greeted by the host"),
        ("refusals.toml", "Copy the whole join link once more", "Copy all of the join link once more"),
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


PAGE = (PROOFS / "README.md").read_text(encoding="utf-8")
CALLS = PAGE.partition("### What the models call things")[2].partition("\n### ")[0]


@pytest.mark.parametrize("name", ["handshake_v1.pv", "handshake_v2.pv"])
def test_the_page_says_what_each_name_of_a_model_stands_for(name: str) -> None:
    text = re.sub(r"\(\*.*?\*\)", "", (PROOFS / name).read_text(encoding="utf-8"), flags=re.DOTALL)
    names = set(re.findall(r"\b(?:event|fun|free|const) (\w+)", text)) | set(re.findall(r"reduc .*?(\w+)\(", text))

    assert {"HostAccepts", "hostSecret"} < names
    assert {name for name in names if not re.search(rf"`{name}\b", CALLS)} == set()


def test_every_rule_that_the_names_cite_is_watched() -> None:
    cited = {rule for line in CALLS.splitlines() if line.startswith("| `") for rule in re.findall(r"[A-Z]+-\d+", line)}

    assert {"AUTH-2", "NAME-1", "WIRE-1"} < cited <= {rule.id for rule in SPEC.rules.rules}
    assert {rule for rule in cited if not is_watched(rule)} == set()


def test_the_formulas_are_those_of_the_response_and_the_body(tmp_path: Path) -> None:
    assert [line.split()[0] for line in formulas(SPEC.folder)] == ["response", "body"]
    assert formulas(tmp_path) == []


def test_lint_tells_that_a_proof_is_stale(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(SPEC.folder, tmp_path / "spec" / "v1")
    (tmp_path / "spec" / "v1" / "proofs" / "handshake_v1.pv").unlink()

    main(["lint"], tmp_path)
    assert "handshake_v1.pv: is missing" in capsys.readouterr().err
