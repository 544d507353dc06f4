"""What is set up for agents: the skill, and the clients whose configuration names this program."""

import json
import os
import re
import stat
import tomllib
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path, PurePath
from typing import Final, assert_never, cast

from tunnel.app.doctor.aside import aside
from tunnel.app.doctor.findings import Finding, note, ok, problem
from tunnel.app.doctor.surroundings import Surroundings
from tunnel.app.registration import CLIENTS, PROGRAM, Client
from tunnel.app.skill.install import AT_HOME, State, shown, state
from tunnel.core.text import visible

FILE_BYTES: Final = 16_777_216
"""No configuration is larger; some clients keep their history in it."""

_SHOWN_BYTES: Final = 200
_IN_TEXT: Final = re.compile(r'\btunnel-mcp\b|"-m",\s*"tunnel"')


async def skill(at: Surroundings) -> list[Finding]:
    """Whether the skill is where agents look for it, as it is in this version."""
    home = at.settings.home
    skills = at.settings.skills or (home.joinpath(*AT_HOME) if home else None)
    if skills is None:
        return [note("HOME names no folder in which an agent could look for it", "Set HOME, or TUNNEL_SKILLS_DIR.")]
    try:
        found = await aside(partial(state, skills))
    except OSError as error:
        return [note(f"{shown(skills)} cannot be read ({error.strerror})")]
    match found:
        case State.CURRENT:
            return [ok(f"{shown(skills)} is of this version")]
        case State.OTHER:
            return [note(f"{shown(skills)} is another text", "`tunnel-mcp install-skill --force` replaces it.")]
        case State.ABSENT:
            return [note("it is not installed", f"`tunnel-mcp install-skill` makes {shown(skills)}.")]
        case _:
            assert_never(found)


async def clients(at: Surroundings) -> list[Finding]:
    """Which clients start this program, and whether what they start is there."""
    home = at.settings.home
    if home is None:
        return [note("HOME names no folder in which to look for their configuration", "Set HOME.")]
    found = await aside(lambda: [finding for client in CLIENTS for finding in _configured(client, at, home)])
    names = ", ".join(client.id for client in CLIENTS)
    return found or [
        note(
            "none of those that are known names this program",
            f"`tunnel-mcp config CLIENT` says how, for {names}.",
        )
    ]


def commands(client: Client, text: str) -> list[list[str]]:
    """The commands by which a client starts this program, as its configuration says.

    Args:
        client: whose configuration it is.
        text: what stands there; if it cannot be parsed, as with comments in JSON, a command has no words.
    """
    try:
        tree: object = tomllib.loads(text) if client.form == "toml" else json.loads(text)
    except (ValueError, RecursionError):
        return [[]] if _IN_TEXT.search(text) else []
    return [words for words in map(_words, _servers(tree, client.keys[-1])) if _is_ours(words)]


def _configured(client: Client, at: Surroundings, home: Path) -> Iterator[Finding]:
    for path in client.paths(at.environment, home, at.system):
        where = f"{client.name} ({visible(str(path), _SHOWN_BYTES)})"
        try:
            text = _read(path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError) as error:
            yield note(f"{where} cannot be read ({getattr(error, 'strerror', None) or error})")
            continue
        yield from (_judged(client, where, words) for words in commands(client, text))


def _judged(client: Client, where: str, words: list[str]) -> Finding:
    again = f"`tunnel-mcp config {client.id}` says what to write there."
    if not words:
        return note(f"{where} may name it; it holds comments, or is not to be read, so nobody knows", again)
    program = visible(words[0], _SHOWN_BYTES)
    if words[0].startswith("~"):
        return problem(f"{where} starts {program}; no client replaces the ~", again)
    if not PurePath(words[0]).is_absolute():
        if client.is_graphical:
            return note(f"{where} starts {program} by name, which may not be found outside of a shell", again)
        return ok(f"{where} starts {program}")
    if not os.access(words[0], os.X_OK):
        return problem(f"{where} starts {program}, which is not there", again)
    return ok(f"{where} starts {program}")


def _read(path: Path) -> str:
    # Whatever hangs when it is opened, as a pipe without a writer does, is no regular file.
    file = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(file, "rb") as opened:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise ValueError("it is no regular file")
        content = opened.read(FILE_BYTES + 1)
    if len(content) > FILE_BYTES:
        raise ValueError(f"it is larger than {FILE_BYTES} bytes")
    return content.decode("utf-8-sig", "replace")


def _servers(tree: object, key: str) -> Iterator[object]:
    """Every server in a configuration, for all projects or for one."""
    left = [tree]
    while left:
        for name, value in _fields(left.pop()).items():
            if name == key:
                yield from _fields(value).values()
            else:
                left.append(value)


def _words(server: object) -> list[str]:
    """The words of a server's command: in one list, or its program and the rest."""
    fields = _fields(server)
    return [word for part in (fields.get("command"), fields.get("args")) for word in _texts(part)]


def _is_ours(words: list[str]) -> bool:
    named = any(re.fullmatch(rf"{PROGRAM}(\.exe|[@=<>~].*)?", PurePath(word).name) for word in words)
    return named or ("-m", "tunnel") in pairwise(words)


def _fields(value: object) -> dict[str, object]:
    return cast(dict[str, object], value) if isinstance(value, dict) else {}


def _texts(value: object) -> list[str]:
    given = cast(list[object], value) if isinstance(value, list) else [value]
    return [text for text in given if isinstance(text, str)]
