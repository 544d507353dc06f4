"""Wrong with the link, the challenge and the lock."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# What stands around a function, or in its place, has its types: they need not be said again.

import asyncio
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from websockets.exceptions import InvalidMessage, InvalidStatus

from tunnel import crypto
from tunnel.app.hosting import Hosting
from tunnel.app.joining import Joining
from tunnel.core import host, link
from tunnel.core.host import Host
from tunnel.core.link import JoinLink
from tunnel.core.machine import NO_FACTS
from tunnel.io import dialer
from tunnel.io.dialer import Dialer
from tunnel.io.passage import Passage
from tunnel.spec.v1.constants import CHALLENGE_BYTES, KEY_BYTES, LINK_CHARS
from tunnel.spec.v1.frames import AuthFail
from tunnel.spec.v1.session import State
from tunnel_conformance.broken.patches.frames import writes
from tunnel_conformance.broken.patching import Original, all_of, put, wrap
from tunnel_conformance.broken.wrong import Patch

_AGAIN_SECONDS: Final = 0.3

# --- Hosts ------------------------------------------------------------------------------------------------------------


def free_when_challenged() -> Patch:
    """Whether the tunnel is free is asked when the challenge goes out: a fact `early` for the rows of `auth`."""

    def upgraded(original: Original, self: Any, number: int, now: Any) -> Any:
        if self.state is State.WAITING:
            self.__dict__.setdefault("early", set()).add(number)
        return original(self, number, now)

    def in_session(
        original: Original, self: Any, event: Any, now: Any, out: Any, hand: Any, facts: Mapping[str, bool] = NO_FACTS
    ) -> None:
        is_early = hand.asking is not None and hand.asking.number in self.__dict__.get("early", ())
        original(self, event, now, out, hand, {"early": is_early, **facts})

    return all_of(wrap(Host, "upgraded", upgraded), wrap(Host, "_in_session", in_session))


def one_challenge() -> Patch:
    """The randomness of every challenge is the same."""

    def init(original: Original, self: Any, *, entropy: Original, **rest: Any) -> None:
        original(self, entropy=lambda size: bytes(size) if size == CHALLENGE_BYTES else entropy(size), **rest)

    return wrap(Host, "__init__", init)


def short_challenge() -> Patch:
    """A challenge has half of its length."""
    return put(host, "CHALLENGE_BYTES", CHALLENGE_BYTES // 2)


def accepts(reading: Callable[[str], str]) -> Patch:
    """A response is good in another spelling, too."""
    return wrap(
        crypto, "verify", lambda original, key, challenge, response: original(key, challenge, reading(response))
    )


def hex_as_base64url(response: str) -> str:
    """The response as it ought to be spelled, when it is in hexadecimal."""
    try:
        return crypto.encode_base64url(bytes.fromhex(response))
    except ValueError:
        return response


def standard_as_url_safe(response: str) -> str:
    """The response as it ought to be spelled, when it is in the standard alphabet."""
    return response.replace("+", "-").replace("/", "_")


def refuses_with(reason: str) -> Patch:
    """Everybody is refused with this reason."""
    return writes(lambda original, frame: original(AuthFail(reason=reason) if isinstance(frame, AuthFail) else frame))


def one_key() -> Patch:
    """Every link has the same key."""

    def init(
        original: Original, self: Any, goal: str, name: str, transport: Any, clock: Any, entropy: Original, *rest: Any
    ) -> None:
        keys = [bytes(range(KEY_BYTES))]

        def poor(size: int) -> Any:
            # The key is the first that is asked for of this size; then come the challenges.
            return keys.pop() if size == KEY_BYTES and keys else entropy(size)

        original(self, goal, name, transport, clock, poor, *rest)

    return wrap(Hosting, "__init__", init)


def one_tunnel_id() -> Patch:
    """Every link has the same tunnel id."""
    return put(link, "fresh_tunnel_id", lambda _entropy: "0123456789abcdef")


# --- Guests -----------------------------------------------------------------------------------------------------------


def no_reason() -> Patch:
    """The host's reason is not told."""

    def failed(original: Original, self: Any) -> Any:
        self._guest.refused_because = ""
        return original(self)

    return wrap(Joining, "_failed", failed)


def follows_redirects() -> Patch:
    """Where a redirect leads is dialled."""
    places: list[str] = []

    async def handshake(original: Original, self: Any, **how: Any) -> None:
        try:
            await original(self, **how)
        except InvalidStatus as refused:
            places.extend(refused.response.headers.get_all("Location"))
            raise

    async def dialled(original: Original, self: Any) -> Any:
        try:
            return await original(self)
        except Exception:
            if not places:
                raise
            self._url = places.pop()
            self._passage = Passage(self._url, self._way)
            return await original(self)

    return all_of(wrap(vars(dialer)["_Connection"], "handshake", handshake), wrap(Dialer, "_dialled", dialled))


def reads_links(reading: Callable[[str], str]) -> Patch:
    """A link is read with more good will than it deserves."""
    return wrap(link, "parse", lambda original, text: original(reading(text)))


def any_scheme(text: str) -> str:
    """The link with the scheme that it ought to have."""
    return re.sub(r"^\s*http", "ws", text)


def any_key(text: str) -> str:
    """The link with its key as it ought to be spelled."""
    address, sign, key = text.strip().partition("#")
    data = crypto.urlsafe_b64decode(re.sub(r"[^A-Za-z0-9_-]", "", key) + "===")
    return f"{address}{sign}{crypto.encode_base64url(data[:KEY_BYTES])}"


def no_token(text: str) -> str:
    """The link without what stands behind a point in its fragment."""
    return re.sub(r"(#[^.]*)\..*", r"\1", text)


def no_blanks(text: str) -> str:
    """The link, unless there are blanks around it."""
    return text if text == text.strip() else ""


def few_blanks(text: str) -> str:
    """The link, unless it is too long with the blanks around it."""
    return text if len(text) <= LINK_CHARS else ""


def dials_again() -> Patch:
    """What does not answer as a host is dialled again, until there is no time left."""

    async def dialled(original: Original, self: Any) -> Any:
        while True:
            try:
                return await original(self)
            except (OSError, EOFError, InvalidMessage):
                await asyncio.sleep(_AGAIN_SECONDS)

    return wrap(Dialer, "_dialled", dialled)


def dials_with_the_key() -> Patch:
    """The key goes out with the WebSocket request."""
    return put(
        JoinLink,
        "url",
        property(lambda self: f"{self.base}{link.path(self.tunnel_id)}?{crypto.encode_base64url(self.key)}"),
    )
