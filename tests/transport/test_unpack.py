"""Out of an archive comes the one program in it, or an error: whatever else the archive says has no effect."""

import gzip
import io
import stat
import tarfile
from pathlib import Path
from random import Random

import pytest

from tunnel.transport.unpack import MEMBER, ArchiveError, unpack

PROGRAM = Random(1).randbytes(10_000).hex().encode()
MOST = len(PROGRAM)


def member(
    name: str = MEMBER, kind: bytes = tarfile.REGTYPE, size: int = len(PROGRAM), link: str = ""
) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname, info.mode = kind, size, link, 0o4777
    return info


def archive(file: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(file, "w:gz") as tar:
        for info in members:
            tar.addfile(info, io.BytesIO(PROGRAM.ljust(info.size)) if info.isreg() else None)
    return file


def test_the_program_comes_out_for_its_owner_alone_and_cannot_be_executed(tmp_path: Path) -> None:
    unpack(archive(tmp_path / "a.tgz", member()), tmp_path / "new", MOST)

    assert (tmp_path / "new").read_bytes() == PROGRAM
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ([], "its first member is not a file named cloudflared"),
        ([member("../cloudflared")], "its first member"),
        ([member("/tmp/cloudflared")], "its first member"),
        ([member("bin/cloudflared")], "its first member"),
        ([member(kind=tarfile.SYMTYPE, size=0, link="/bin/sh")], "its first member"),
        ([member(kind=tarfile.LNKTYPE, size=0, link="/bin/sh")], "its first member"),
        ([member(kind=tarfile.DIRTYPE, size=0)], "its first member"),
        ([member(kind=tarfile.FIFOTYPE, size=0)], "its first member"),
        ([member(kind=tarfile.CHRTYPE, size=0)], "its first member"),
        ([member(), member("README")], "more than one member"),
        ([member(), member()], "more than one member"),
        ([member("README"), member()], "its first member"),
        ([member(size=MOST + 1)], f"has {MOST + 1} bytes; at most {MOST} are taken"),
    ],
    ids=[
        "empty",
        "a way up",
        "an absolute path",
        "in a folder",
        "a symbolic link",
        "a hard link",
        "a folder",
        "a pipe",
        "a device",
        "and another",
        "twice",
        "not first",
        "too large",
    ],
)
def test_any_other_archive_is_an_error_and_leaves_nothing(
    members: list[tarfile.TarInfo], says: str, tmp_path: Path
) -> None:
    file = archive(tmp_path / "a.tgz", *members)
    with pytest.raises(ArchiveError, match=says):
        unpack(file, tmp_path / "new", MOST)

    assert list(tmp_path.iterdir()) == [file]


GZIP = gzip.compress(b"")[:10]


@pytest.mark.parametrize(
    "content",
    [b"", b"junk", GZIP, GZIP + b"\xff" * 512, gzip.compress(b"junk" * 500), gzip.compress(b"\xff" * 512)],
    ids=["empty", "junk", "a head alone", "a head and junk", "packed junk", "packed bytes"],
)
def test_what_is_no_archive_is_an_error(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.tgz").write_bytes(content)
    with pytest.raises(ArchiveError, match=r"cannot be unpacked|first member"):
        unpack(tmp_path / "a.tgz", tmp_path / "new", MOST)


@pytest.mark.parametrize("part", [0.01, 0.1, 0.5, 0.9])
def test_an_archive_that_is_cut_off_is_an_error(part: float, tmp_path: Path) -> None:
    """Damage elsewhere is found by its checksum, before."""
    content = archive(tmp_path / "a.tgz", member()).read_bytes()
    (tmp_path / "b.tgz").write_bytes(content[: int(len(content) * part)])

    with pytest.raises(ArchiveError, match="cannot be unpacked"):
        unpack(tmp_path / "b.tgz", tmp_path / "new", MOST)
