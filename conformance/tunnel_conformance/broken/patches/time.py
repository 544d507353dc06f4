"""Wrong with time: how long things last, and what counts as a sign of life."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# What stands around a function, or in its place, has its types: they need not be said again.

from typing import Any

from tunnel.app.hosting import Hosting
from tunnel.core.host import Host
from tunnel.spec.v1 import constants
from tunnel.spec.v1.connection import Event
from tunnel_conformance.broken.patching import Original, wrap
from tunnel_conformance.broken.wrong import Patch


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

    async def listen(original: Original, self: Any, since: int, seconds: float) -> Any:
        self._relay.driver.step(lambda now: _restart(self._host, now))
        return await original(self, since, seconds)

    return wrap(Hosting, "listen", listen)


def _restart(host: Any, now: Any) -> list[Any]:
    host._session.timers.moved(host.state.value, ("number",), now.ticks)  # noqa: SLF001 - it is looked into
    return []
