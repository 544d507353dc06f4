"""Short conversations that lead a host and a guest through everything their tables can do to them, with what must be heard.

What must be heard comes from the tables (`hostside`, `guestside`). `host_actor` and `guest_actor` play the conversations with the real ends.
"""

from collections.abc import Iterable, Iterator

from spec.compiler.guest_scripts import guest_left_by, guest_scripts, play_guest
from spec.compiler.host_scripts import host_left_by, host_scripts, play_host
from spec.compiler.hostside import Tables, Taken
from spec.compiler.reader import Spec
from spec.compiler.script import Exchange, Line, Script, tables_of
from tunnel.spec.semantics import EndlessTimerError, NoRowError


def scripts(spec: Spec) -> list[Script]:
    """Conversations in which every row that a host or a guest can come to is taken, wherever and however it can be.

    The shortest come first, and each takes a row in a place that no earlier one did.
    """
    tables = tables_of(spec)
    return [*_new(host_scripts(tables)), *_new(guest_scripts(tables))]


def differs(tables: Tables, script: Script) -> bool:
    """Whether something else is heard when the script is played with these tables; to get nowhere is something else."""
    play = play_host if script.role == "host" else play_guest
    try:
        heard = play(tables, [turn.line for turn in script.turns])
        return any(turn.heard != found for turn, found in zip(script.turns, heard, strict=True))
    except (NoRowError, EndlessTimerError, RecursionError, KeyError):
        return True


def leads_elsewhere(tables: Tables, others: Tables, script: Script) -> bool:
    """Whether who plays the script is left elsewhere by these tables than by the others, though the same may have been heard."""
    left_by = host_left_by if script.role == "host" else guest_left_by
    lines = [turn.line for turn in script.turns]
    return left_by(tables, lines) != left_by(others, lines)


def lines_of(found: Iterable[Script], role: str) -> list[Line]:
    """Every line that a role plays, once."""
    return list(dict.fromkeys(turn.line for script in found if script.role == role for turn in script.turns))


def continued(tables: Tables, script: Script, lines: Iterable[Line]) -> Iterator[Script]:
    """The script with one more line: each of these that can follow."""
    if any("no room" in turn.line for turn in script.turns):
        # A host whose transcript is full has nothing more to tell.
        return
    play = play_host if script.role == "host" else play_guest
    for line in lines:
        # A second connection of one name, or none of that name, is no line for an actor.
        if line[0] != "accept":
            try:
                *_, heard = play(tables, [*(turn.line for turn in script.turns), line])
            except KeyError:
                continue
            yield Script(script.role, (*script.turns, Exchange(line, heard)), frozenset())


def _new(found: Iterator[tuple[Script, list[Taken]]]) -> Iterator[Script]:
    seen: set[Taken] = set()
    for script, taken in found:
        if not seen.issuperset(taken):
            seen.update(taken)
            yield script
