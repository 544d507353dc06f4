"""Every generated file is compared with its table, whole and however deep it lies; what nothing generates is named."""

import shutil
from pathlib import Path

import pytest

from spec.compiler import generated
from spec.compiler.__main__ import ROOT, main
from tests.spec.breakage import SPEC

EXPORT = "spec/v1/export"
FOLDERS = generated.folders(SPEC)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of what is generated."""
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_what_lies_there_is_what_the_tables_give() -> None:
    assert generated.drift(SPEC, ROOT) == []


def test_every_file_lies_where_only_generated_ones_may() -> None:
    assert [path for path in generated.everything(SPEC) if not path.startswith(FOLDERS)] == []


def test_files_that_were_edited_or_lost_are_named(root: Path) -> None:
    edited, lost = [f"{EXPORT}/asyncapi.json", "tunnel/spec/v1/guest.py"], f"{EXPORT}/frames/auth.schema.json"
    for path in edited:
        (root / path).write_bytes((root / path).read_bytes() + b"\n")
    (root / lost).unlink()

    assert sorted(generated.drift(SPEC, root)) == sorted(
        [
            *(f"{path}: differs from its table; run `make spec`, never edit it" for path in edited),
            f"{lost}: is missing; run `make spec`",
        ]
    )


def test_files_that_nothing_generates_are_named(root: Path) -> None:
    strange = [f"{EXPORT}/more.json", f"{EXPORT}/frames/old.schema.json", "tunnel/spec/v1/README.md"]
    for path in strange:
        (root / path).touch()

    assert sorted(generated.drift(SPEC, root)) == sorted(f"{path}: nothing generates it" for path in strange)


def test_people_may_explain_an_export_and_python_may_leave_its_own_behind(root: Path) -> None:
    (root / EXPORT / "frames" / "README.md").touch()
    (root / "tunnel" / "spec" / "v1" / "__pycache__").mkdir()
    (root / "tunnel" / "spec" / "v1" / "__pycache__" / "guest.pyc").touch()

    assert generated.drift(SPEC, root) == []


def test_building_writes_the_exports_too(root: Path) -> None:
    shutil.copytree(ROOT / "spec" / "v1", root / "spec" / "v1", dirs_exist_ok=True)
    shutil.copy(ROOT / "spec" / "released.toml", root / "spec")
    shutil.copy(ROOT / "spec" / "released.toml", root / "spec")
    shutil.rmtree(root / EXPORT / "frames")

    assert (main(["build"], root), generated.drift(SPEC, root)) == (0, [])
