"""Wrong with time: how long things last, and what counts as a sign of life."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# What stands around a function, or in its place, has its types: they need not be said again.

import asyncio
from time import monotonic
from typing import Any, Final

from msgspec import structs

from tunnel.app.hosting import Hosting
from tunnel.app.tools import Tools
from tunnel.core.host import Host
from tunnel.spec.v1 import constants
from tunnel.spec.v1.connection import Event
from tunnel_conformance.broken.patching import Original, wrap
from tunnel_conformance.broken.wrong import Patch

LATE_SECONDS: Final = 0.6


def seconds(constant: str, value: int) -> Patch:
    """A constant has another value, for the timers that name it."""

    def patch() -> None:
        assert constant in constants.SECONDS
        constants.SECONDS[constant] = value

    return patch


def noise_is_activity() -> Patch:
    """Pings and unknown frames of the guest start the idle time again."""

    def on_connection(original: Original, self: Any, on: Any, event: Any, now: Any, out: Any, **more: Any) -> None:
        if event in (Event.OTHER, Event.CONTROL):
            _restart(self, now)
        original(self, on, event, now, out, **more)

    return wrap(Host, "_on_connection", on_connection)


def listening_is_activity() -> Patch:
    """Whoever listens starts the idle time again."""

    async def listen(original: Original, self: Any, since: int, seconds: float, *rest: Any) -> Any:
        self._relay.driver.step(lambda now: _restart(self._host, now))
        return await original(self, since, seconds, *rest)

    return wrap(Hosting, "listen", listen)


def tells_late() -> Patch:
    """The agent is told of a message a while after the connection was read, as programs may whose parts talk in queues."""
    came: dict[tuple[str, int, str], float] = {}

    async def listen(original: Original, self: Any, arguments: Any, *rest: Any) -> Any:
        until = monotonic() + (arguments.timeout_ms or 0) / 1000
        while True:
            answer = await original(self, arguments, *rest)
            now = monotonic()
            ages = [now - came.setdefault((m.id, m.seq, m.text), now) for m in answer.messages]
            old = next((n for n, age in enumerate(ages) if age < LATE_SECONDS), len(ages))
            told = answer.messages[:old]
            if told or not ages or now > until:
                cursor = told[-1].seq if told else int(arguments.since_seq)
                return structs.replace(answer, messages=told, cursor=cursor)
            await asyncio.sleep(LATE_SECONDS / 10)

    return wrap(Tools, "listen", listen)


def _restart(host: Any, now: Any) -> list[Any]:
    host._session.timers.restart(("idle",), now.ticks)  # noqa: SLF001 - it is looked into
    return []
