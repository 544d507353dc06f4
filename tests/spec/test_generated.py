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


@pytest.mark.parametrize(
    "path", [f"{EXPORT}/asyncapi.json", f"{EXPORT}/frames/auth.schema.json", "tunnel/spec/v1/guest.py"]
)
def test_a_file_that_was_edited_or_lost_is_named(root: Path, path: str) -> None:
    (root / path).write_bytes((root / path).read_bytes() + b"\n")
    edited = generated.drift(SPEC, root)
    (root / path).unlink()

    assert edited == [f"{path}: differs from its table; run `make spec`, never edit it"]
    assert generated.drift(SPEC, root) == [f"{path}: is missing; run `make spec`"]


@pytest.mark.parametrize(
    "path", [f"{EXPORT}/more.json", f"{EXPORT}/frames/old.schema.json", "tunnel/spec/v1/README.md"]
)
def test_a_file_that_nothing_generates_is_named(root: Path, path: str) -> None:
    (root / path).touch()

    assert generated.drift(SPEC, root) == [f"{path}: nothing generates it"]


def test_people_may_explain_an_export_and_python_may_leave_its_own_behind(root: Path) -> None:
    (root / EXPORT / "frames" / "README.md").touch()
    (root / "tunnel" / "spec" / "v1" / "__pycache__").mkdir()
    (root / "tunnel" / "spec" / "v1" / "__pycache__" / "guest.pyc").touch()

    assert generated.drift(SPEC, root) == []


def test_building_writes_the_exports_too(root: Path) -> None:
    shutil.copytree(ROOT / "spec" / "v1", root / "spec" / "v1", dirs_exist_ok=True)
    shutil.rmtree(root / EXPORT / "frames")

    assert (main(["build"], root), generated.drift(SPEC, root)) == (0, [])
