"""A person at a terminal: a line being typed with how things stand below it, and everything else above.

What was typed stays in memory. Whatever is shown is shown as text: nothing in it reaches the terminal as a control sequence.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import ClassVar, Final

from prompt_toolkit import PromptSession
from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import DummyHistory, InMemoryHistory
from prompt_toolkit.input import Input, create_input
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.key_binding.key_processor import KeyPressEvent
from prompt_toolkit.layout import BufferControl, Dimension, FormattedTextControl, HSplit, Layout, Window
from prompt_toolkit.output import Output
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.renderer import print_formatted_text
from prompt_toolkit.styles import Style
from prompt_toolkit.utils import get_cwidth

from tunnel.app.chat import show
from tunnel.app.chat.show import Fragments
from tunnel.app.chat.typed import Say, meaning
from tunnel.app.listening import HeardMessage
from tunnel.app.results import Status
from tunnel.app.untrusted import legible
from tunnel.core import link
from tunnel.core.link import JoinLink
from tunnel.errors import BadLink

ROWS: Final = 10
"""A text being typed takes no more rows; a longer one scrolls."""

REFRESH_SECONDS: Final = 1.0
"""How often the status line is drawn anew, when nothing else does it."""

ASK_AGAIN: Final = "Press Ctrl-C again to end the tunnel; any other key goes on."

_STYLE: Final = Style.from_dict(
    {
        "you": "bold",
        "peer": "bold fg:ansicyan",
        "system": "fg:ansigreen",
        "tell": "italic",
        "status": "reverse",
    }
)


class Screen:
    """A terminal.

    Args:
        input: the terminal's keys.
        output: what it shows.
    """

    is_piped: ClassVar[bool] = False

    def __init__(self, input: Input, output: Output) -> None:
        self._input = input
        self._output = output
        self._typed: asyncio.Queue[str | None] = asyncio.Queue()
        self._buffer = Buffer(multiline=True, history=InMemoryHistory())
        self._is_asked = self._was_asked = False
        self._look: Callable[[], str] = str
        self._app = self._application()
        self._running: asyncio.Task[None] | None = None

    async def link(self) -> JoinLink | None:
        """The link, typed unseen, and asked for until it is one; None when the person gives up."""
        session: PromptSession[str] = PromptSession(
            is_password=True, history=DummyHistory(), erase_when_done=True, input=self._input, output=self._output
        )
        while True:
            try:
                typed = await session.prompt_async(
                    "Paste the join link (it is not shown): ", handle_sigint=False, set_exception_handler=False
                )
            except (EOFError, KeyboardInterrupt):
                return None
            try:
                return link.parse(typed)
            except BadLink as error:
                self.tell(str(error))

    def tell(self, text: str) -> None:
        """Our own words, above the line."""
        width = self._output.get_size().columns
        self._above([("class:tell", f"{show.sentences(text, width, get_cwidth)}\n")])

    async def show(self, messages: Sequence[HeardMessage], peer: str) -> None:
        """What was said, above the line."""
        width = self._output.get_size().columns
        for message in messages:
            self._above(show.on_screen(message, peer, width, get_cwidth))

    async def begin(self, look: Callable[[], Status], said: Callable[[], int]) -> None:
        """Take what is typed, from now on."""
        self._look = lambda: show.status_line(look(), said())
        begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._running = asyncio.ensure_future(
            self._app.run_async(
                pre_run=lambda: begun.set_result(None), handle_sigint=False, set_exception_handler=False
            )
        )
        self._running.add_done_callback(lambda _: self._typed.put_nowait(None))
        await asyncio.wait([begun, self._running], return_when=asyncio.FIRST_COMPLETED)

    async def line(self) -> str | None:
        """What is entered next; None once the terminal is no longer ours."""
        return await self._typed.get()

    def stop(self) -> str:
        """Give the terminal back; what was typed and not taken, in a sentence."""
        self._give_back()
        left = [self._typed.get_nowait() for _ in range(self._typed.qsize())]
        self._typed.put_nowait(None)
        said = [typed.text for line in [*left, self._buffer.text] if isinstance(typed := meaning(line or ""), Say)]
        self._buffer.reset()
        return legible("\n".join(["Not sent:", *said])) if said else ""

    async def close(self) -> None:
        """Wait until the terminal is as it was."""
        self._give_back()
        # A terminal that is gone ends the input, or cannot be drawn on.
        with suppress(EOFError, OSError):
            if self._running:
                await self._running

    def _give_back(self) -> None:
        if self._app.is_running and self._app.future and not self._app.future.done():
            self._app.exit()

    def _above(self, fragments: Fragments) -> None:
        running = self._app.is_running
        if running:
            self._app.renderer.erase()
        print_formatted_text(self._output, FormattedText(fragments), _STYLE)
        if running:
            self._app.invalidate()

    def _application(self) -> Application[None]:
        line = Window(
            BufferControl(self._buffer),
            height=Dimension(min=1, max=ROWS),
            wrap_lines=True,
            dont_extend_height=True,
            get_line_prefix=lambda number, wrap: "> " if number == wrap == 0 else "  ",
        )
        status = Window(FormattedTextControl(self._status), height=1, style="class:status", dont_extend_height=True)
        app: Application[None] = Application(
            layout=Layout(HSplit([line, status])),
            key_bindings=self._keys(),
            style=_STYLE,
            erase_when_done=True,
            refresh_interval=REFRESH_SECONDS,
            input=self._input,
            output=self._output,
        )
        app.key_processor.before_key_press += self._before_key
        return app

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()
        is_empty = Condition(lambda: not self._buffer.text)
        keys.add("enter")(self._enter)
        keys.add("escape", "enter")(self._new_line)
        keys.add("c-d", filter=is_empty)(self._end)
        keys.add("c-c")(self._interrupt)
        return keys

    def _status(self) -> str:
        return f" {ASK_AGAIN if self._is_asked else f'{self._look()} | /help'}"

    def _before_key(self, _processor: object) -> None:
        self._is_asked, self._was_asked = False, self._is_asked

    def _enter(self, _event: KeyPressEvent) -> None:
        text = self._buffer.text
        self._buffer.reset(append_to_history=bool(text.strip()))
        self._typed.put_nowait(text)

    def _new_line(self, _event: KeyPressEvent) -> None:
        self._buffer.insert_text("\n")

    def _interrupt(self, event: KeyPressEvent) -> None:
        if self._was_asked:
            self._end(event)
        self._is_asked = True

    def _end(self, _event: KeyPressEvent) -> None:
        self._typed.put_nowait("/close")
        self._give_back()


def screen() -> Screen:
    """This process' own terminal."""
    output = Vt100_Output.from_pty(sys.stdout, term=os.environ.get("TERM"))
    # Nothing here needs to know where the cursor is, and a terminal that does not answer would hold it up.
    output.enable_cpr = False
    return Screen(create_input(sys.stdin), output)
