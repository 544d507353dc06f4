"""Puts the skill where agents look for skills. What somebody else has put there is never changed unasked.

No symbolic link below the folder of skills is followed, and a reader sees the whole text or none of it.
"""

import os
import secrets
import stat
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from importlib.resources import files
from pathlib import Path
from typing import Final

from tunnel.app.folder import closing, open_folder
from tunnel.app.settings import Settings
from tunnel.core.text import visible
from tunnel.errors import TheirFault

SKILL: Final = "tunnel-etiquette"
"""The skill's name, which is its folder's too."""

FILE: Final = "SKILL.md"
TEXT: Final = files("tunnel.app.skill").joinpath(FILE).read_bytes()

AT_HOME: Final = (".claude", "skills")
"""Where an agent looks that is told nothing else, from its person's home."""

_SHOWN_BYTES: Final = 300
_FOLDER: Final = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
_NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)


class State(Enum):
    """What stands where the skill belongs."""

    ABSENT = "absent"
    CURRENT = "current"
    OTHER = "other"


class SkillError(TheirFault):
    """The skill could not be installed; the text says why, and what to do."""


def shown(skills: Path) -> str:
    """Where the skill belongs, for a person."""
    return visible(str(skills / SKILL / FILE), _SHOWN_BYTES)


def state(skills: Path) -> State:
    """What stands in a folder of skills.

    Raises:
        OSError: it cannot be read.
    """
    try:
        with closing(os.open(skills / SKILL, _FOLDER)) as folder:
            return _state(folder)
    except (FileNotFoundError, NotADirectoryError):
        return State.ABSENT


def install(skills: Path, *, force: bool) -> bool:
    """Put the skill into a folder of skills, which is made if need be; whether it was not there yet.

    Raises:
        SkillError: another text is there, and it is not to be replaced; or it cannot be written.
    """
    try:
        skills.mkdir(parents=True, exist_ok=True)
        with closing(os.open(skills, _FOLDER)) as folder:
            return _install(folder, force=force)
    except FileExistsError:
        raise SkillError(
            f"{shown(skills)} is there and is another text: your own, or that of another version. --force replaces it."
        ) from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "no file has such a name"
        raise SkillError(
            f"{shown(skills)} cannot be written ({why}). A symbolic link in its place is not followed. "
            "Mend that, or name another folder with --dir."
        ) from None


def install_as_asked(settings: Settings, folder: str | None, *, force: bool) -> str:
    """Install the skill for a person who wants it; what was done.

    Args:
        settings: name the folder of skills, if nothing else does.
        folder: of skills; it may be relative.
        force: whether another text is replaced.

    Raises:
        SkillError: it was not done.
    """
    if folder is not None:
        if not folder or "://" in folder:
            raise SkillError("what stands behind --dir is no folder")
        skills = Path(folder).absolute()
    else:
        skills = _from(settings)
    is_new = install(skills, force=force)
    return f"The skill is in {shown(skills)}." if is_new else f"The skill was in {shown(skills)} already."


def install_at_start(home: Path | None, named: Path | None, report: Callable[[str], None]) -> None:
    """Install the skill if there is a place for it and nothing stands there; whatever goes wrong, nobody is told.

    Args:
        home: where its person's agents look for skills.
        named: the folder of skills that the person has named instead; it is made, if the one around it is there.
        report: says that it was done.
    """
    with suppress(OSError, ValueError):
        with closing(_named(named) if named else open_folder(home, AT_HOME, os.getuid(), makes=False)) as folder:
            is_new = _install(folder, force=False)
        if is_new:
            skills = named or Path(home or "").joinpath(*AT_HOME)
            report(f"tunnel-mcp: a skill tells your agent how to behave in a tunnel; it is new in {shown(skills)}")


def _from(settings: Settings) -> Path:
    wrong = [sentence for sentence in settings.problems if sentence.startswith(("TUNNEL_SKILLS_DIR", "HOME"))]
    if wrong:
        raise SkillError(" ".join(wrong))
    if settings.skills:
        return settings.skills
    if settings.home is None:
        raise SkillError("HOME names no folder; name a folder of skills with --dir")
    return settings.home.joinpath(*AT_HOME)


def _named(skills: Path) -> int:
    with suppress(FileExistsError):
        skills.mkdir()
    return os.open(skills, _FOLDER | _NO_LINK)


def _install(skills: int, *, force: bool) -> bool:
    """Whether it was not there yet. A FileExistsError says that something else is."""
    is_made = _made(skills)
    try:
        with closing(os.open(SKILL, _FOLDER | _NO_LINK, dir_fd=skills)) as folder:
            found = _state(folder)
            if found is State.CURRENT:
                return False
            if found is State.OTHER and not force:
                raise FileExistsError
            _write(folder, force=force)
            return True
    except OSError:
        if is_made:
            with suppress(OSError):
                os.rmdir(SKILL, dir_fd=skills)
        raise


def _made(skills: int) -> bool:
    try:
        os.mkdir(SKILL, dir_fd=skills)
    except FileExistsError:
        return False
    return True


def _write(folder: int, *, force: bool) -> None:
    """The text under its name, whole; without force never in the place of anything, also if that is put there just now."""
    new = f".{FILE}.{secrets.token_hex(8)}"
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK, 0o644, dir_fd=folder)
    try:
        with os.fdopen(file, "wb") as opened:
            opened.write(TEXT)
        (os.replace if force else os.link)(new, FILE, src_dir_fd=folder, dst_dir_fd=folder)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(new, dir_fd=folder)


def _state(folder: int) -> State:
    try:
        # Whatever hangs when it is opened, as a pipe without a writer does, is no regular file.
        file = os.open(FILE, os.O_RDONLY | _NO_LINK | getattr(os, "O_NONBLOCK", 0), dir_fd=folder)
    except FileNotFoundError:
        return State.ABSENT
    except OSError:
        return State.OTHER
    with os.fdopen(file, "rb") as opened:
        is_ours = stat.S_ISREG(os.fstat(file).st_mode) and opened.read(len(TEXT) + 1) == TEXT
    return State.CURRENT if is_ours else State.OTHER
