"""Without a terminal there are lines: the link first, then what is said; and what is heard, a line each."""

import asyncio
import os
import pty
import threading
import time
from collections.abc import Generator

import pytest

from tests.app.ends import PATIENCE_SECONDS
from tunnel.app.chat.pipes import NoLinkError, NoReaderError, Pipes
from tunnel.app.listening import HeardMessage
from tunnel.errors import BadLink
from tunnel.spec.v1.constants import TEXT_BYTES

pytestmark = pytest.mark.anyio

LINK = "ws://127.0.0.1:4000/t/00ff#" + "A" * 43


class Piped:
    """Pipes with their other ends."""

    def __init__(self) -> None:
        stdin, self.into = os.pipe()
        self.out, stdout = os.pipe()
        self.told: list[str] = []
        self.pipes = Pipes(stdin, stdout, self.told.append)
        self.stdout = stdout
        self.fds = {stdin, stdout, self.into, self.out}

    def write(self, text: bytes, *, ends: bool = True) -> None:
        os.write(self.into, text)
        if ends:
            self.close(self.into)

    def close(self, fd: int) -> None:
        self.fds.remove(fd)
        os.close(fd)


@pytest.fixture
def piped() -> Generator[Piped]:
    piped = Piped()
    yield piped
    for fd in tuple(piped.fds):
        piped.close(fd)


def message(text: str) -> HeardMessage:
    return HeardMessage(id="00", seq=3, sender="host", kind="chat", text=text, ts=0, provenance="own")


async def lines(pipes: Pipes) -> list[str]:
    found: list[str] = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (line := await pipes.line()) is not None:
            found.append(line)
    return found


async def test_the_first_line_is_the_link_and_the_others_are_said(piped: Piped) -> None:
    piped.write(f" {LINK}\r\nhello\n\nlast".encode())

    assert (await piped.pipes.link()).text == LINK
    assert await lines(piped.pipes) == ["hello", "", "last"]
    assert piped.told == []


@pytest.mark.parametrize(("written", "kind"), [(b"", NoLinkError), (b"\n", BadLink), (b"\xff\n", BadLink)])
async def test_without_a_link_there_is_nothing_to_join(piped: Piped, written: bytes, kind: type[Exception]) -> None:
    piped.write(written)

    with pytest.raises(kind):
        await piped.pipes.link()


@pytest.mark.parametrize(
    ("written", "texts"),
    [
        (b"a\\\nb\\\r\nc\nd", ["a\nb\nc", "d"]),
        (b"a\\\\\nb", ["a\\\\", "b"]),
        (b"a\\", ["a\n"]),
        ("\u00e9\n".encode(), ["\u00e9"]),
        (b"\xff\n", ["\udcff"]),
        (b"\\\n" * 9, ["\n" * 9]),
    ],
    ids=["three lines", "two backslashes", "the end", "a letter", "no letter", "backslashes"],
)
async def test_a_line_that_ends_with_a_backslash_goes_on(piped: Piped, written: bytes, texts: list[str]) -> None:
    piped.write(written)

    assert await lines(piped.pipes) == texts


async def test_of_a_text_that_is_too_long_so_much_is_kept_that_it_still_is(piped: Piped) -> None:
    threading.Thread(target=piped.write, args=((b"x" * 200_000 + b"\\\n") * 4 + b"end\nshort\n",)).start()

    too_long, short = await lines(piped.pipes)

    assert (len(too_long), short) == (TEXT_BYTES + 1, "short")


async def test_messages_are_lines(piped: Piped) -> None:
    await piped.pipes.begin(lambda: pytest.fail("nobody looks"), lambda: 0)
    await piped.pipes.show([message("a\nb"), message("c")], "Alice")
    await piped.pipes.close()

    assert os.read(piped.out, 100) == b"3 you: a\\nb\n3 you: c\n"


async def test_whoever_does_not_read_holds_up_nothing_but_its_own_messages(piped: Piped) -> None:
    os.set_blocking(piped.stdout, False)
    showing = asyncio.ensure_future(piped.pipes.show([message("x" * 200_000)], "Alice"))
    await asyncio.sleep(0)
    read = b""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(read) < 200_008:
            read += await asyncio.to_thread(os.read, piped.out, 65_536)
        await showing

    assert read == b"3 you: " + b"x" * 200_000 + b"\n"


async def test_where_nobody_reads_any_more_it_is_said(piped: Piped) -> None:
    piped.close(piped.out)

    with pytest.raises(NoReaderError, match="Nobody reads standard output"):
        await piped.pipes.show([message("hello")], "Alice")


async def test_what_was_read_and_not_taken_is_told(piped: Piped) -> None:
    piped.write(b"one\ntwo\n")
    assert await piped.pipes.line() == "one"

    assert piped.pipes.stop() == "Not sent: what else was on standard input."
    assert await piped.pipes.line() is None


async def test_our_own_words_go_beside(piped: Piped) -> None:
    piped.pipes.tell("hello")

    assert piped.told == ["hello"]
    assert piped.pipes.stop() == ""


async def test_a_link_that_is_typed_at_a_terminal_is_not_shown() -> None:
    screen, own = pty.openpty()
    told: list[str] = []
    pipes = Pipes(own, own, told.append)
    asking = asyncio.ensure_future(pipes.link())
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not told:
            await asyncio.sleep(0)
    os.write(screen, f"{LINK}\n".encode())
    link = await asyncio.wait_for(asking, PATIENCE_SECONDS)
    os.write(screen, b"hello\n")
    line = await asyncio.wait_for(pipes.line(), PATIENCE_SECONDS)
    await asyncio.to_thread(time.sleep, 0)
    shown = os.read(screen, 1000)
    for fd in (screen, own):
        os.close(fd)

    assert (link.text, line) == (LINK, "hello")
    assert b"#" not in shown
    assert b"hello" in shown
