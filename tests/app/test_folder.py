"""A folder of ours is entered only if it is what it seems."""

import os
import stat
from pathlib import Path

import pytest

from tunnel.app.folder import closing, open_folder

ME = os.geteuid()


def test_folders_on_the_way_are_made_for_this_user_only(tmp_path: Path) -> None:
    with closing(open_folder(tmp_path, ("a", "b"), ME, makes=True)) as folder:
        assert os.path.samestat(os.fstat(folder), (tmp_path / "a" / "b").stat())

    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a", "a/b")] == [0o700, 0o700]


def test_a_mode_that_lets_others_in_is_mended(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a").chmod(0o755)
    os.close(open_folder(tmp_path, ("a",), ME, makes=True))

    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700


def test_without_makes_nothing_is_made_or_changed(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_folder(tmp_path, ("a",), ME, makes=False)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("makes", [True, False])
def test_a_symbolic_link_is_not_followed(tmp_path: Path, *, makes: bool) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "a").symlink_to(tmp_path / "real")

    with pytest.raises(OSError, match="a"):
        open_folder(tmp_path, ("a",), ME, makes=makes)


def test_the_folder_of_another_user_is_not_trusted_and_no_descriptor_is_left(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    before = len(os.listdir("/dev/fd"))  # noqa: PTH208 - a folder of descriptors, whose own must be closed

    with pytest.raises(PermissionError, match="another user"):
        open_folder(tmp_path, ("a",), ME + 1, makes=True)
    assert len(os.listdir("/dev/fd")) == before  # noqa: PTH208


def test_without_a_home_there_is_no_folder() -> None:
    with pytest.raises(FileNotFoundError, match="set HOME"):
        open_folder(None, ("a",), ME, makes=True)
