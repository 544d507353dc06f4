"""Takes the one program out of an archive that was verified. No path, owner, link or mode in the archive has any effect."""

import gzip
import os
import shutil
import tarfile
import zlib
from pathlib import Path
from typing import IO, Final

MEMBER: Final = "cloudflared"


class ArchiveError(Exception):
    """An archive is not what it should be; the text says how, without a full stop."""


def unpack(archive: Path, file: Path, most: int) -> None:
    """Copy the member `cloudflared`, which must be the only one, to a new file.

    Args:
        archive: a .tgz.
        file: what is made; only its owner can read it, and nobody execute.
        most: the largest size it may have.

    Raises:
        ArchiveError: there is something else in the archive, or it cannot be read.
        OSError: the file cannot be written.
    """
    try:
        with tarfile.open(archive, "r:gz") as tar:
            source = _only_member(tar, most)
            with open(file, "xb", opener=_private) as target:
                shutil.copyfileobj(source, target)
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ArchiveError(f"it cannot be unpacked ({type(error).__name__})") from None


def _only_member(tar: tarfile.TarFile, most: int) -> IO[bytes]:
    member = tar.next()
    if member is None or not member.isreg() or member.name != MEMBER:
        raise ArchiveError(f"its first member is not a file named {MEMBER}")
    # Before anything behind it is looked at: that would decompress all of it.
    if member.size > most:
        raise ArchiveError(f"the program in it has {member.size} bytes; at most {most} are taken")
    if tar.next() is not None:
        raise ArchiveError("it has more than one member")
    source = tar.extractfile(member)
    assert source, "a regular file has contents"
    return source


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
