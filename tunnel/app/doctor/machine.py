"""This machine by itself: its Python, its system, and what its person has written into the environment."""

from typing import Final

from tunnel.app.doctor.findings import Finding, note, ok, problem
from tunnel.app.doctor.surroundings import Surroundings
from tunnel.errors import TunnelError
from tunnel.transport.choose import choose

OLDEST_PYTHON: Final = (3, 11)
"""As the package says, which an installer may have been told to pass over."""

WHOSE: Final = "this is the environment of this shell, and a client may start the server with another"


async def python(at: Surroundings) -> list[Finding]:
    """Whether this Python can run it, and whether this system can serve."""
    version = ".".join(map(str, at.python))
    if at.python < OLDEST_PYTHON:
        return [problem(f"{version} is too old", "Install Python 3.11 or newer, and this program into it.")]
    if at.system == "windows":
        return [problem(f"{version} on Windows, where it cannot serve yet", "Use Linux or macOS, or WSL.")]
    return [ok(version)]


async def environment(at: Surroundings) -> list[Finding]:
    """Whether a tunnel could be opened with these variables."""
    wrong = [
        problem(sentence, "Mend it where your agent's client starts the server.") for sentence in at.settings.problems
    ]
    unknown = [note(sentence) for sentence in at.settings.warnings]
    if wrong:
        return [*wrong, *unknown]
    setup = at.settings.setup(at.environment, lambda _line: None)
    try:
        choose(at.settings.transport, setup)
    except TunnelError as error:
        return [problem(str(error)), *unknown]
    found = [ok(f"the transport is {at.transport}; {WHOSE}"), *unknown]
    if at.settings.checks_reachability:
        return found
    return [*found, note("TUNNEL_SKIP_REACHABILITY_CHECK is set: a link is given out before its name is in the DNS")]
