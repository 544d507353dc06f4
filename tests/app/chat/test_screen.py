"""On a terminal, what comes in stands above the line being typed, and nothing in it moves the cursor."""

import asyncio
import io
from collections.abc import Generator

import pyte
import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output

from tests.app.chat.test_show import message, status
from tests.app.ends import PATIENCE_SECONDS
from tunnel.app.chat.screen import ASK_AGAIN, Screen

pytestmark = pytest.mark.anyio

LINK = "ws://127.0.0.1:4000/t/00ff#" + "A" * 43


class Tape(io.StringIO):
    """What a terminal gets, and what stands on its screen."""

    def __init__(self) -> None:
        super().__init__()
        self._screen = pyte.Screen(60, 20)
        self._stream = pyte.Stream(self._screen)

    def write(self, text: str) -> int:
        self._stream.feed(text)
        return super().write(text)

    @property
    def shown(self) -> str:
        return "\n".join(line.rstrip() for line in self._screen.display)


class Desk:
    """A screen, with its keys and what it shows."""

    def __init__(self, keys: PipeInput) -> None:
        self.keys = keys
        self.output = Tape()
        self.screen = Screen(
            keys, Vt100_Output(self.output, lambda: Size(rows=20, columns=60), term="xterm", enable_cpr=False)
        )
        self.said = 0

    async def begin(self) -> None:
        await self.screen.begin(lambda: status("waiting_for_guest", link=60), lambda: self.said)

    async def line(self) -> str | None:
        return await asyncio.wait_for(self.screen.line(), PATIENCE_SECONDS)

    async def until(self, text: str) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while text not in self.output.shown:
                await asyncio.sleep(0.01)


@pytest.fixture
def desk() -> Generator[Desk]:
    with create_pipe_input() as keys, create_app_session():
        yield Desk(keys)


async def test_what_is_typed_is_given_line_by_line(desk: Desk) -> None:
    desk.keys.send_text("hello\rfirst\x1b\rsecond\r\x1b[200~a\r\n\tb\x1b[201~\r\r")
    await desk.begin()

    assert [await desk.line() for _ in range(4)] == ["hello", "first\nsecond", "a\n\tb", ""]
    await desk.screen.close()


async def test_how_things_stand_is_below_the_line_and_is_kept_up(desk: Desk) -> None:
    await desk.begin()
    await desk.until("host | waiting for the guest | link valid 1:00 | 0 messages")
    desk.said = 7
    await desk.until("7 messages")
    await desk.screen.close()


async def test_what_was_said_comes_back_with_the_arrow_and_blanks_do_not(desk: Desk) -> None:
    await desk.begin()
    desk.keys.send_text("hello\r  \r")
    typed = [await desk.line(), await desk.line()]
    async with asyncio.timeout(PATIENCE_SECONDS):
        while "> hello" not in desk.output.shown:
            # It is loaded when the line is drawn.
            desk.keys.send_text("\x1b[A")
            await asyncio.sleep(0.01)
    desk.keys.send_text("\r")

    assert [*typed, await desk.line()] == ["hello", "  ", "hello"]
    await desk.screen.close()


async def test_messages_and_our_words_are_shown_before_while_and_after(desk: Desk) -> None:
    desk.screen.tell("before")
    await desk.begin()
    desk.keys.send_text("half a li")
    await desk.until("half a li")
    await desk.screen.show([message("a\x1b[2Jb"), message("c\nd")], "Bob")
    desk.screen.tell("while")
    desk.keys.send_text("ne\r")
    line = await desk.line()
    await desk.screen.close()
    desk.screen.tell("after")
    shown = desk.output.getvalue()

    assert line == "half a line"
    assert [shown.index(text) for text in ("before", "half", "(name not verified)", "while", "after")] == sorted(
        shown.index(text) for text in ("before", "half", "(name not verified)", "while", "after")
    )
    assert "\x1b[2J" not in shown
    assert "    c\r\n    d\r\n" in shown


async def test_ctrl_c_asks_once_and_another_key_is_an_answer(desk: Desk) -> None:
    await desk.begin()
    desk.keys.send_text("\x03")
    await desk.until(ASK_AGAIN[:50])
    desk.keys.send_text("x\r\x03")
    assert await desk.line() == "x"
    desk.keys.send_text("\x03")

    assert await desk.line() == "/close"
    assert await desk.line() is None
    await desk.screen.close()


async def test_ctrl_d_ends_it_on_an_empty_line_only(desk: Desk) -> None:
    await desk.begin()
    desk.keys.send_text("ab\x01\x04\r\x04")

    assert [await desk.line() for _ in range(3)] == ["b", "/close", None]
    await desk.screen.close()


async def test_a_terminal_that_goes_away_is_the_end_of_what_is_typed(desk: Desk) -> None:
    await desk.begin()
    desk.keys.close()

    assert await desk.line() is None
    await desk.screen.close()


async def test_what_was_typed_and_not_taken_is_given_back(desk: Desk) -> None:
    await desk.begin()
    desk.keys.send_text("one\r/status\rtwo \u202e")
    await desk.until("two")

    assert desk.screen.stop() == "Not sent:\none\ntwo \\u202e"
    assert desk.screen.stop() == ""
    assert await desk.line() is None
    await desk.screen.close()


async def test_the_link_is_typed_unseen_and_asked_for_until_it_is_one(desk: Desk) -> None:
    desk.keys.send_text("nonsense\r")
    asking = asyncio.ensure_future(desk.screen.link())
    await desk.until("no '#'")
    desk.keys.send_text(f"{LINK}\rhello\r")
    link = await asyncio.wait_for(asking, PATIENCE_SECONDS)
    await desk.begin()
    line = await desk.line()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while "> hello" not in desk.output.shown:
            desk.keys.send_text("\x1b[A")
            await asyncio.sleep(0.01)
    desk.keys.send_text("\x1b[A\r")
    former = await desk.line()
    await desk.screen.close()

    assert link is not None
    assert (link.text, line, former) == (LINK, "hello", "hello")
    assert "nonsense" not in desk.output.getvalue()
    assert "127.0.0.1" not in desk.output.getvalue()


@pytest.mark.parametrize("key", ["\x03", "\x04"])
async def test_whoever_has_no_link_gives_up(desk: Desk, key: str) -> None:
    desk.keys.send_text(key)

    assert await asyncio.wait_for(desk.screen.link(), PATIENCE_SECONDS) is None
    await desk.screen.close()
