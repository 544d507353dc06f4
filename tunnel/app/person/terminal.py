"""The person's side: finds the server that is meant, and asks and tells on the controlling terminal.

What grants is read from and written to the terminal itself, never standard input or output: those may be an agent's.
"""

import os
import socket
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from tunnel.app.budget import messages
from tunnel.app.person import registry
from tunnel.app.person.lines import LINE_BYTES, Answer, Ask, Typed
from tunnel.app.untrusted import quoted
from tunnel.core.text import visible
from tunnel.errors import NetworkFault, Refused, TunnelError

ANSWER_SECONDS: Final = 10.0
"""A server that runs answers sooner."""

SHOWN_BYTES: Final = 400

_STATES: Final = {
    "none": "no tunnel yet",
    "opening": "opening a tunnel",
    "joining": "joining a tunnel",
    "waiting_for_guest": "waiting for its guest",
    "connected": "talking",
    "peer_left": "its peer is gone",
    "closed": "its tunnel is over",
}


_ROLES: Final = frozenset({"host", "guest"})


class NoServerError(NetworkFault):
    """No server of this user's runs, or not the one that is meant; the text says what to do."""


class NoTerminalError(Refused):
    """There is no terminal on which a person could be asked."""


class NotAllowedError(Refused):
    """The server, or the person, did not allow it; the text says why."""


class Server(NamedTuple):
    """A server that runs, and what it says of itself."""

    pid: int
    looks: Answer

    @property
    def line(self) -> str:
        """It in a line, for a person to tell it from the others."""
        where = _STATES.get(self.looks.state, "in a state that this version does not know")
        budget = f", said {self.looks.said} of {self.looks.limit}" if self.looks.limit else ""
        said_by = " by the other side's word, not authenticated" if self.looks.role == "guest" else ""
        goal = f", goal{said_by}: {quoted(_shown(self.looks.goal))}" if self.looks.goal else ""
        role = f" ({self.looks.role})" if self.looks.role in _ROLES else ""
        return f"process {self.pid}{role}: {where}{budget}{goal}"


class Terminal:
    """The controlling terminal.

    Args:
        fd: its descriptor.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def say(self, text: str) -> None:
        """Show a line."""
        left = memoryview((text + "\n").encode())
        while left:
            left = left[os.write(self._fd, left) :]

    def ask(self, text: str) -> str:
        """Show a line and read one."""
        self.say(text)
        typed = b""
        while not typed.endswith(b"\n") and len(typed) < SHOWN_BYTES:
            piece = os.read(self._fd, SHOWN_BYTES - len(typed))
            if not piece:
                break
            typed += piece
        return typed.decode("utf-8", "replace").strip()


@contextmanager
def controlling_terminal(path: str = "/dev/tty") -> Generator[Terminal]:
    """The terminal that this process belongs to.

    Raises:
        NoTerminalError: it belongs to none.
    """
    try:
        fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
    except OSError:
        raise NoTerminalError(
            "there is no terminal here on which a person could be asked. Open a terminal of your own and run it there."
        ) from None
    try:
        yield Terminal(fd)
    finally:
        os.close(fd)


def allow(home: Path | None, pid: int | None, terminal: Terminal) -> str:
    """Let the person allow more; what came of it.

    Args:
        home: where servers are found.
        pid: which one is meant; None asks when there are several.
        terminal: where the person is.

    Raises:
        TunnelError: nothing was allowed; the text says why.
    """
    server = _meant(home, pid, terminal)
    with _connection(home, server.pid) as connection:
        asked = _allowed(_talk(connection, Ask(want="allow")))
        terminal.say(f"{server.line}.")
        if asked.last:
            said = "\n".join(f"  {quoted(_shown(text))}" for text in asked.last)
            terminal.say(f"What your agent has said last (`tunnel-mcp watch` shows all that was said):\n{said}")
        typed = terminal.ask(
            f"To allow {messages(asked.limit, ' more')}, type {asked.challenge}. Anything else allows nothing."
        )
        _allowed(_talk(connection, Typed(typed=typed)))
    return f"Allowed: the agent of process {server.pid} may say {messages(asked.limit, ' more')}."


def watch(home: Path | None, pid: int | None, terminal: Terminal | None) -> str:
    """Open the person's window; its address, for reading. What its buttons ask for is shown on the terminal only.

    Raises:
        TunnelError: there is no window; the text says why.
    """
    server = _meant(home, pid, terminal)
    with _connection(home, server.pid) as connection:
        answer = _talk(connection, Ask(want="watch"))
    if not answer.url:
        _allowed(answer)
    if terminal and answer.token:
        terminal.say(
            "The buttons in the window (pause, allow more, close) ask for this token, which is shown nowhere else:\n\n"
            f"    {_shown(answer.token)}\n"
        )
    elif terminal:
        terminal.say(f"The window is for looking on only: {_shown(answer.refused)}.")
    return _shown(answer.url)


def _meant(home: Path | None, pid: int | None, terminal: Terminal | None) -> Server:
    """The server that the person means: the one that runs, or the one that is chosen."""
    servers: list[Server] = []
    for found, connection in _connections(home):
        with connection:
            if pid in (None, found):
                servers.append(Server(found, _look(connection)))
    if not servers:
        raise NoServerError(
            "no tunnel-mcp server of yours runs: start your agent with it first."
            if pid is None
            else f"no tunnel-mcp server of yours runs as process {pid}. Leave --pid out to see those that do."
        )
    if len(servers) == 1:
        return servers[0]
    lines = "\n".join(f"  {server.line}" for server in servers)
    if terminal is None:
        raise NoServerError(f"several servers run. Choose one with --pid:\n{lines}")
    typed = terminal.ask(f"Several servers run:\n{lines}\nType the number of the process that you mean.")
    for server in servers:
        if typed == str(server.pid):
            return server
    raise NotAllowedError("that is none of them. Run it again, or choose one with --pid.")


def _connections(home: Path | None) -> list[tuple[int, socket.socket]]:
    try:
        return registry.connect(home, os.geteuid(), ANSWER_SECONDS)
    except OSError as error:
        raise NoServerError(f"~/{'/'.join(registry.FOLDERS)} cannot be used ({error.strerror}). Mend it.") from None


@contextmanager
def _connection(home: Path | None, pid: int) -> Generator[socket.socket]:
    with ExitStack() as closing:
        found = {of: closing.enter_context(connection) for of, connection in _connections(home)}
        if pid not in found:
            raise NoServerError(f"the server of process {pid} has just ended. Run it again.")
        yield found[pid]


def _look(connection: socket.socket) -> Answer:
    """What a server says of itself; one that says nothing is shown without."""
    with suppress(TunnelError):
        return _talk(connection, Ask(want="look"))
    return Answer()


def _talk(connection: socket.socket, line: Ask | Typed) -> Answer:
    heard = b""
    try:
        connection.sendall(msgspec.json.encode(line) + b"\n")
        while not heard.endswith(b"\n") and len(heard) <= LINE_BYTES:
            piece = connection.recv(LINE_BYTES)
            if not piece:
                break
            heard += piece
        return msgspec.json.decode(heard, type=Answer)
    # Also what is no answer of ours: another version may run there.
    except (OSError, ValueError):
        raise NoServerError("the server did not answer as it should. Is it busy, or of another version?") from None


def _allowed(answer: Answer) -> Answer:
    if answer.refused:
        raise NotAllowedError(f"{_shown(answer.refused)}.")
    return answer


def _shown(text: str) -> str:
    return visible(text, SHOWN_BYTES)
