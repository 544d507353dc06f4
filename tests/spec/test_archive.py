"""The archive holds what an implementer needs, nothing of ours beside it, and is the same to the byte whenever it is packed."""

import io
import os
import re
import shutil
import tarfile
from pathlib import Path

import pytest

from spec.compiler import archive
from spec.compiler.__main__ import ROOT, main
from spec.compiler.reader import FILES, read

TABLES = ROOT / "spec" / "v1"
SPEC = read(TABLES)
NAME = f"tunnel-spec-v1-{SPEC.protocol.spec_version}"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of what is packed."""
    copy = tmp_path / "root"
    shutil.copytree(ROOT / "spec" / "v1", copy / "spec" / "v1")
    shutil.copytree(ROOT / "tunnel" / "spec" / "v1", copy / "tunnel" / "spec" / "v1")
    for paper in ("README.md", "released.toml"):
        shutil.copy(ROOT / "spec" / paper, copy / "spec")
    shutil.copy(ROOT / "LICENSE", copy)
    return copy


def files(packed: bytes) -> dict[str, bytes]:
    """What an archive holds, by its path below the one folder at its top."""
    with tarfile.open(fileobj=io.BytesIO(packed)) as found:
        entries = {entry.name: found.extractfile(entry) for entry in found.getmembers()}
    assert {path.partition("/")[0] for path in entries} == {NAME}
    with tarfile.open(fileobj=io.BytesIO(packed)) as found:
        return {path.partition("/")[2]: file.read() for path in entries if (file := found.extractfile(path))}


def test_it_holds_tables_prose_vectors_proofs_exports_bundle_and_license() -> None:
    held = files(archive.pack(SPEC, ROOT))

    assert {f"v1/{name}" for name in ("protocol.toml", "tunnel.md", "vectors/seal.json", *FILES)} <= set(held)
    assert {"v1/proofs/claims.toml", "v1/export/README.md", "v1/export/asyncapi.json"} <= set(held)
    assert {"v1/export/spec.schema.json", "v1/export/tunnel.d.ts", "v1/export/frames/auth.schema.json"} <= set(held)
    assert held["spec.json"] == (ROOT / "tunnel" / "spec" / "v1" / "spec.json").read_bytes()
    assert held["LICENSE"] == (ROOT / "LICENSE").read_bytes()
    assert held["README.md"] == (ROOT / "spec" / "README.md").read_bytes()


def test_a_path_in_its_papers_is_in_it_or_in_the_repository_as_they_say() -> None:
    held = files(archive.pack(SPEC, ROOT))
    papers = {path: text.decode() for path, text in held.items() if path.endswith("README.md")}
    outside = ("conformance/", "docs/", "spec/compiler/", "tests/", "tunnel/")
    said = " ".join(papers["v1/export/README.md"].split())
    assert (
        "begin with `conformance/`, `docs/`, `spec/compiler/`, `tests/` or `tunnel/` are in the repository only" in said
    )

    for paper, text in papers.items():
        for path in re.findall(r"`((?:spec|conformance|docs|tests|tunnel|v1)/[\w./-]+)`", text):
            inside = path.removeprefix("spec/").rstrip("/")
            if not path.startswith(outside):
                assert any(each == inside or each.startswith(f"{inside}/") for each in held), f"{paper}: {path}"


def test_it_holds_nothing_else(root: Path) -> None:
    before = set(files(archive.pack(SPEC, root)))
    for left in (".DS_Store", ".toml.swp"):
        (root / "spec" / "v1" / left).touch()
    (root / "spec" / "compiler").mkdir()
    (root / "spec" / "compiler" / "code.py").touch()

    assert set(files(archive.pack(SPEC, root))) == before
    assert {Path(path).suffix for path in before} <= {"", ".json", ".md", ".pv", ".toml", ".ts", ".txt"}


def test_the_same_tables_give_the_same_bytes_whenever_and_by_whomever_they_are_packed(root: Path) -> None:
    first = archive.pack(SPEC, root)
    for path in root.rglob("*"):
        if path.is_file():
            os.utime(path, (1, 1))
            path.chmod(0o600)

    assert archive.pack(SPEC, root) == first == archive.pack(SPEC, ROOT)


def test_a_changed_table_gives_other_bytes(root: Path) -> None:
    first = archive.pack(SPEC, root)
    (root / "spec" / "v1" / "tunnel.md").write_text("changed", encoding="utf-8")

    assert archive.pack(SPEC, root) != first


def test_the_command_writes_it_into_a_folder_and_says_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["archive", str(tmp_path / "new" / "dist")]) == 0

    made = tmp_path / "new" / "dist" / f"{NAME}.tar.gz"
    assert capsys.readouterr().out == f"{made}\n"
    assert made.read_bytes() == archive.pack(SPEC, ROOT)


def test_what_is_not_current_is_not_packed(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "spec" / "v1" / "export" / "tunnel.d.ts").write_text("", encoding="utf-8")

    assert main(["archive", str(root / "dist")], root) == 1
    assert "spec/v1/export/tunnel.d.ts: differs from its table" in capsys.readouterr().err
    assert not (root / "dist").exists()
