"""What was released stays frozen, whatever is done to its folder, since a table outside of it remembers."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from spec.compiler.__main__ import ROOT, main
from spec.compiler.follows import follows
from spec.compiler.freeze import freeze
from spec.compiler.frozen import FILE, read_frozen
from spec.compiler.reader import read
from spec.compiler.released import TABLE, Release, lint_released, read_released, release, written
from tests.spec.breakage import SPEC

FOLLOWS = follows(SPEC)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A frozen version that was released."""
    shutil.copytree(SPEC.folder, tmp_path / "spec" / "v1", ignore=shutil.ignore_patterns("export"))
    (tmp_path / TABLE).write_text(written(()), encoding="utf-8")
    assert release(replace(SPEC, folder=tmp_path / "spec" / "v1"), tmp_path) == []
    return tmp_path


def frozen(root: Path) -> Path:
    return root / "spec" / "v1" / FILE


def next_edition(root: Path) -> None:
    """Record the next edition, which says the same as the last one."""
    protocol = replace(SPEC.protocol, spec_version="1.1.0")
    assert freeze(replace(SPEC, folder=root / "spec" / "v1", protocol=protocol), lambda _: FOLLOWS) == []


def test_the_table_of_this_repository_holds() -> None:
    assert lint_released(ROOT) == []
    assert (ROOT / TABLE).read_text(encoding="utf-8") == written(read_released(ROOT))


def test_an_edition_is_added_once_with_the_digest_of_its_tables(root: Path) -> None:
    recorded = read_frozen(root / "spec" / "v1")

    assert release(replace(SPEC, folder=root / "spec" / "v1"), root) == []
    assert read_released(root) == (Release(1, recorded.spec_version, recorded.sha256),)
    assert lint_released(root) == []


def test_a_later_edition_stands_beside_the_one_that_was_released(root: Path) -> None:
    before = read_released(root)
    next_edition(root)
    assert release(replace(SPEC, folder=root / "spec" / "v1"), root) == []

    assert read_released(root)[:1] == before
    assert [one.edition for one in read_released(root)] == ["1.0.0", "1.1.0"]
    assert lint_released(root) == []


def remove_record(root: Path) -> None:
    frozen(root).unlink()


def remove_folder(root: Path) -> None:
    shutil.rmtree(root / "spec" / "v1")


def freeze_anew(root: Path) -> None:
    """With another number, as if nothing had been there."""
    frozen(root).unlink()
    next_edition(root)


def exchange_digest(root: Path) -> None:
    text = frozen(root).read_text(encoding="utf-8")
    frozen(root).write_text(text.replace('sha256 = "', 'sha256 = "0', 1), encoding="utf-8")


def remove_table(root: Path) -> None:
    (root / TABLE).unlink()


def spoil_table(root: Path) -> None:
    (root / TABLE).write_text("editions = [ { wire = 1 } ]", encoding="utf-8")


@pytest.mark.parametrize(
    ("undo", "said"),
    [
        (remove_record, "spec/v1/frozen.toml: is gone, and edition 1.0.0 of it was released: restore it"),
        (remove_folder, "spec/v1: is gone, and edition 1.0.0 of it was released: restore it"),
        (freeze_anew, "spec/v1/frozen.toml: holds nothing of edition 1.0.0, which was released"),
        (exchange_digest, "spec/v1/frozen.toml: holds something else for edition 1.0.0, which was released"),
        (remove_table, "spec/released.toml: is missing, and says what was released: restore it"),
        (spoil_table, "spec/released.toml: cannot be read ("),
    ],
)
def test_what_was_released_is_not_undone(root: Path, undo: Callable[[Path], None], said: str) -> None:
    undo(root)

    (finding,) = lint_released(root)
    assert finding.startswith(said)


@pytest.mark.parametrize("command", ["lint", "check", "build", "freeze", "release"])
def test_no_command_works_around_a_release(root: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    """Not even for tables that call themselves a draft."""
    remove_record(root)
    path = root / "spec" / "v1" / "protocol.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('"1.0.0"', '"1.0.0-draft"'), encoding="utf-8")

    assert main([command], root) == 1
    assert "edition 1.0.0 of it was released: restore it" in capsys.readouterr().err
    assert not frozen(root).exists()
    assert not (root / "tunnel").exists()


def test_nothing_is_released_that_is_not_frozen(root: Path) -> None:
    remove_record(root)

    assert release(read(root / "spec" / "v1"), root) == [
        "spec/v1: is not frozen: first do `python -m spec.compiler freeze 1`"
    ]


def test_the_command_releases_what_is_current_and_nothing_else(tmp_path: Path) -> None:
    shutil.copytree(SPEC.folder, tmp_path / "spec" / "v1")
    generated = tmp_path / "tunnel" / "spec" / "v1"
    shutil.copytree(ROOT / "tunnel" / "spec" / "v1", generated, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / TABLE).write_text(written(()), encoding="utf-8")
    text = (generated / "guest.py").read_bytes()
    (generated / "guest.py").unlink()

    assert (main(["release"], tmp_path), read_released(tmp_path)) == (1, ())
    (generated / "guest.py").write_bytes(text)
    assert main(["release"], tmp_path) == 0
    assert [one.edition for one in read_released(tmp_path)] == [SPEC.protocol.spec_version]
