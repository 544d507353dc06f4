"""A person's commands find the right server, and ask and tell on the terminal only."""

import asyncio
import os
import re
import socket
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import pytest

from tests.app.ends import StillClock
from tests.app.person.test_desk import URL, Pane, a_desk, a_person, an_agent, spend
from tunnel.app.person import registry
from tunnel.app.person.desk import Desk
from tunnel.app.person.lines import Answer
from tunnel.app.person.terminal import (
    NoServerError,
    NotAllowedError,
    NoTerminalError,
    Server,
    Terminal,
    allow,
    controlling_terminal,
    watch,
)
from tunnel.app.settings import Settings
from tunnel.app.tools import Tools
from tunnel.errors import TunnelError
from tunnel.transport.loopback import Loopback

pytestmark = pytest.mark.anyio


class Typist(Terminal):
    """A terminal at which somebody types: what the test says, or, for `...`, the number that is asked for."""

    def __init__(self, *types: str) -> None:
        super().__init__(-1)
        self.shown: list[str] = []
        self._types = list(types)

    def say(self, text: str) -> None:
        self.shown.append(text)

    def ask(self, text: str) -> str:
        self.say(text)
        typed = self._types.pop(0)
        return re.findall(r"type (\d{4})\.", text)[0] if typed == "..." else typed


@asynccontextmanager
async def another(home: Path, client: int) -> AsyncGenerator[None]:
    """A second server; in one process there is one process id, so its socket is put where another's would be."""
    tools = Tools(Settings(budget=5), "Carol", StillClock(), transport=lambda _name, _setup: Loopback())
    desk = Desk(tools, Pane(), judge=a_person)
    await desk.open(home)
    run = home / ".tunnel" / "run"
    (own,) = [path for path in run.iterdir() if path.name.startswith(f"{os.getpid()}-")][-1:]
    (moved := run / own.name.replace(str(os.getpid()), str(client))).unlink(missing_ok=True)
    own.rename(moved)
    try:
        yield
    finally:
        await desk.close()
        moved.unlink(missing_ok=True)


@contextmanager
def answering(home: Path, answer: bytes, times: int = 100) -> Generator[None]:
    """A program behind a socket of a server that answers so many with this, each once, and then ends."""
    listening = registry.listen(home, 77, os.urandom, os.geteuid())
    listening.socket.settimeout(10)

    def answer_all() -> None:
        try:
            for left in reversed(range(times)):
                connection, _ = listening.socket.accept()
                with connection:
                    connection.recv(1000)
                    if not left:
                        listening.close()
                    connection.sendall(answer)
        except OSError:
            return

    thread = threading.Thread(target=answer_all, daemon=True)
    thread.start()
    try:
        yield
    finally:
        with suppress(OSError):
            listening.socket.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


async def test_a_person_who_types_what_is_shown_allows_more(tmp_path: Path) -> None:
    typist = Typist("...")
    async with a_desk(tmp_path) as tools:
        await spend(tools)
        told = await asyncio.to_thread(allow, tmp_path, None, typist)
        left = tools.budget.left

    assert told == f"Allowed: the agent of process {os.getpid()} may say 2 more messages."
    assert left == 2
    assert typist.shown[0] == (
        f'process {os.getpid()} (host): waiting for its guest, said 2 of 2, goal: "pair on checkout".'
    )
    assert typist.shown[1] == (
        "What your agent has said last (`tunnel-mcp watch` shows all that was said):\n"
        '  "and on it goes"\n  "and on it goes"'
    )
    assert "Anything else allows nothing." in typist.shown[2]


async def test_before_anything_was_said_nothing_is_shown_of_it(tmp_path: Path) -> None:
    typist = Typist("...")
    async with a_desk(tmp_path):
        await asyncio.to_thread(allow, tmp_path, None, typist)

    assert [shown.partition(" ")[0] for shown in typist.shown] == ["process", "To"]


def test_a_goal_that_the_other_side_gave_is_marked_as_its_word() -> None:
    goal = 'pair". Your agent may go on. "'
    own, others = (Server(7, Answer(state="connected", role=role, goal=goal)).line for role in ("host", "guest"))

    assert own == "process 7 (host): talking, goal: \"pair'. Your agent may go on. '\""
    assert others == own.replace("host", "guest").replace("goal:", "goal by the other side's word, not authenticated:")


def test_a_role_that_is_none_is_not_shown() -> None:
    assert [Server(7, Answer(state="none", role=role)).line for role in ("", "king")] == [
        "process 7: no tunnel yet"
    ] * 2


async def test_one_message_is_allowed_as_one(tmp_path: Path) -> None:
    typist = Typist("...")
    async with a_desk(tmp_path, limit=1):
        told = await asyncio.to_thread(allow, tmp_path, None, typist)

    assert told.endswith("may say 1 more message.")
    assert "To allow 1 more message, type" in typist.shown[-1]


async def test_a_person_who_types_something_else_allows_nothing(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as tools:
        await spend(tools)
        with pytest.raises(
            NotAllowedError, match=r"^that is not what was asked for, so nothing is allowed\. Run it again\.$"
        ):
            await asyncio.to_thread(allow, tmp_path, None, Typist("no"))

        assert tools.budget.left == 0


async def test_an_agent_is_told_why_not(tmp_path: Path) -> None:
    async with a_desk(tmp_path, an_agent):
        with pytest.raises(NotAllowedError, match="within the agent's own client"):
            await asyncio.to_thread(allow, tmp_path, None, Typist())


async def test_the_token_is_shown_on_the_terminal_and_the_address_elsewhere(tmp_path: Path) -> None:
    typist = Typist()
    async with a_desk(tmp_path):
        address = await asyncio.to_thread(watch, tmp_path, None, typist)

    assert address == URL
    assert "token-1" in typist.shown[0]


async def test_without_a_terminal_there_is_the_address_alone(tmp_path: Path) -> None:
    async with a_desk(tmp_path):
        assert await asyncio.to_thread(watch, tmp_path, None, None) == URL


async def test_a_window_for_looking_on_only_says_so(tmp_path: Path) -> None:
    typist = Typist()
    async with a_desk(tmp_path, an_agent):
        address = await asyncio.to_thread(watch, tmp_path, None, typist)

    assert address == URL
    assert typist.shown == ["The window is for looking on only: it was asked from within the agent's own client."]


async def test_a_window_that_cannot_be_is_an_error(tmp_path: Path) -> None:
    async with a_desk(tmp_path, window=Pane("no port")):
        with pytest.raises(NotAllowedError, match=r"^no port\.$"):
            await asyncio.to_thread(watch, tmp_path, None, None)


# --- Which server --------------------------------------------------------------------------------------------------------


async def test_of_several_servers_the_one_that_is_typed_is_meant(tmp_path: Path) -> None:
    typist = Typist(str(os.getpid()), "...")
    async with another(tmp_path, 99), a_desk(tmp_path) as tools:
        await spend(tools)
        await asyncio.to_thread(allow, tmp_path, None, typist)
        left = tools.budget.left

    assert left == 2
    assert "process 99: no tunnel yet, said 0 of 5" in typist.shown[0]


async def test_of_several_servers_the_one_that_is_named_is_meant(tmp_path: Path) -> None:
    async with another(tmp_path, 99), a_desk(tmp_path) as tools:
        await spend(tools)
        await asyncio.to_thread(allow, tmp_path, os.getpid(), Typist("..."))

        assert tools.budget.left == 2


async def test_a_number_that_is_none_of_them_chooses_nothing(tmp_path: Path) -> None:
    async with another(tmp_path, 99), a_desk(tmp_path):
        with pytest.raises(NotAllowedError, match="that is none of them"):
            await asyncio.to_thread(allow, tmp_path, None, Typist("1"))


async def test_of_several_servers_nobody_can_choose_without_a_terminal(tmp_path: Path) -> None:
    async with another(tmp_path, 99), a_desk(tmp_path):
        with pytest.raises(NoServerError, match=r"Choose one with --pid:\n  process 99: "):
            await asyncio.to_thread(watch, tmp_path, None, None)


@pytest.mark.parametrize(
    ("pid", "words"),
    [
        (None, "no tunnel-mcp server of yours runs: start your agent"),
        (98, "no tunnel-mcp server of yours runs as process 98"),
    ],
)
def test_where_no_server_runs_the_next_step_is_said(tmp_path: Path, pid: int | None, words: str) -> None:
    with pytest.raises(NoServerError, match=f"^{words}"):
        allow(tmp_path, pid, Typist())


def test_a_folder_that_cannot_be_trusted_is_named(tmp_path: Path) -> None:
    (tmp_path / ".tunnel").symlink_to(tmp_path)

    with pytest.raises(NoServerError, match=r"^~/.tunnel/run cannot be used \(.*\)\. Mend it\.$"):
        allow(tmp_path, None, Typist())


@pytest.mark.parametrize(
    "answer",
    [b"", b"\n", b"[]\n", b"\xff\n", b'{"url": 7}\n', b"x" * 100_000, b'{"state":"none"'],
    ids=["nothing", "an empty line", "a list", "no text", "a number", "a flood", "half an answer"],
)
def test_a_server_that_answers_anything_is_no_server(tmp_path: Path, answer: bytes) -> None:
    with answering(tmp_path, answer), pytest.raises(TunnelError) as caught:
        watch(tmp_path, None, None)

    assert "did not answer as it should" in str(caught.value)


def test_a_server_that_ends_while_its_person_chooses_is_told_as_gone(tmp_path: Path) -> None:
    with answering(tmp_path, b'{"state":"none"}\n', times=1), pytest.raises(NoServerError) as caught:
        watch(tmp_path, None, None)

    assert str(caught.value) == "the server of process 77 has just ended. Run it again."


def test_what_a_server_says_is_shown_visible(tmp_path: Path) -> None:
    with answering(tmp_path, b'{"url":"http://127.0.0.1/\\u001b[2J","token":"\\u202e"}\n'):
        typist = Typist()
        address = watch(tmp_path, None, typist)

    assert address.isprintable()
    assert "\u202e" not in typist.shown[0]


def test_a_server_in_a_state_that_is_not_known_is_still_shown() -> None:
    assert "does not know" in Server(1, Answer(state="dreaming")).line


# --- The terminal itself -------------------------------------------------------------------------------------------------


@contextmanager
def a_screen() -> Generator[tuple[Terminal, int]]:
    screen, own = os.openpty()
    try:
        yield Terminal(own), screen
    finally:
        os.close(screen)
        os.close(own)


def test_a_line_is_asked_for_and_read_on_the_terminal() -> None:
    with a_screen() as (terminal, screen):
        os.write(screen, b" 4711 \n")

        assert terminal.ask("Type it.") == "4711"
        assert b"Type it." in os.read(screen, 100)


@pytest.mark.parametrize("typed", [b"\x04", b"x" * 1000 + b"\n"], ids=["end of input", "a long line"])
def test_whatever_is_typed_there_is_an_end_to_it(typed: bytes) -> None:
    with a_screen() as (terminal, screen):
        os.write(screen, typed)

        assert len(terminal.ask("?")) <= 400


def test_where_there_is_no_terminal_the_next_step_is_said(tmp_path: Path) -> None:
    with (
        pytest.raises(NoTerminalError, match="Open a terminal of your own"),
        controlling_terminal(str(tmp_path / "tty")),
    ):
        pass


def test_a_terminal_is_given_back() -> None:
    screen, own = os.openpty()
    with controlling_terminal(os.ttyname(own)) as terminal:
        fd = terminal._fd
        terminal.say("hello")

    with pytest.raises(OSError, match="Bad file"):
        os.fstat(fd)
    os.close(screen)
    os.close(own)
