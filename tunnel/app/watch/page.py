"""Answers a browser: the page, what happens as it happens, and the buttons.

Only a page of ours, under its own address, is answered: a page of somebody else's that knows the port, or whose name leads
to this machine, gets nothing. Looking on needs the path, which is random; the buttons need the token.
"""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from typing import Final

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tunnel.app.tools import Tools
from tunnel.app.watch.token import Token, TooManyError
from tunnel.app.watch.view import View, Viewer

HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # One request, one connection: nobody keeps one for nothing.
    "connection": "close",
}
FILES: Final = {
    "": ("page.html", "text/html"),
    "page.css": ("page.css", "text/css"),
    "page.js": ("page.js", "text/javascript"),
}
PRESS_HEADER: Final = "tunnel-token"
"""What a button sends its token in: never the address, which browsers keep."""

BODY_BYTES: Final = 1024
BODY_SECONDS: Final = 5.0
VIEW_BYTES: Final = 16
MOST_STREAMS: Final = 8
"""So many windows are kept up to date; one more, and the eldest has to ask again."""

LOOK_SECONDS: Final = 0.2
SYNC_SECONDS: Final = 10.0
"""A clock of the page's may be wrong, or its machine asleep."""

CLOSED_BY_PERSON: Final = "closed by its person"
"""The last word to the peer."""

_FOLDER: Final = Path(__file__).parent


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a button sends."""

    round: int = 0
    """The round of the budget that the person has seen."""


class Page:
    """The page of one process.

    Args:
        tools: what it shows, and steps in at.
        token: what its buttons ask for.
        entropy: random bytes, in the shape of `os.urandom`.
        port: where it is served.
        sync_seconds: how often the page's countdowns are put right.
    """

    def __init__(
        self,
        tools: Tools,
        token: Token,
        entropy: Callable[[int], bytes],
        port: int,
        sync_seconds: float = SYNC_SECONDS,
    ) -> None:
        self._tools = tools
        self._token = token
        self._host = f"127.0.0.1:{port}"
        self._path = f"/{entropy(VIEW_BYTES).hex()}/"
        self._sync_seconds = sync_seconds
        self._streams: list[asyncio.Task[None]] = []
        self._buttons: dict[str, Callable[[Wish], Awaitable[str | None]]] = {
            "check": self._check,
            "pause": self._pause,
            "resume": self._resume,
            "allow": self._allow,
            "close": self._close,
        }

    @property
    def url(self) -> str:
        """Where it is, for reading."""
        return f"http://{self._host}{self._path}"

    @property
    def followers(self) -> int:
        """How many windows are kept up to date."""
        return len(self._streams)

    def end(self) -> None:
        """No window is kept up to date any more."""
        for stream in self._streams:
            stream.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request: the shape of an ASGI application."""
        request = Request(scope, receive)
        if self._is_ours(request) and (request.method, request.url.path) == ("GET", f"{self._path}events"):
            await self._follow(receive, send)
        else:
            await (await self._answer(request))(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if not self._is_ours(request):
            return _said(HTTPStatus.FORBIDDEN, "This page answers under its own address only.")
        name = request.url.path.removeprefix(self._path)
        if request.method == "GET" and name in FILES:
            file, kind = FILES[name]
            return Response((_FOLDER / file).read_bytes(), headers=HEADERS, media_type=kind)
        if request.method == "POST" and name in self._buttons:
            return await self._press(name, request)
        return _said(HTTPStatus.NOT_FOUND, "There is nothing here.")

    def _is_ours(self, request: Request) -> bool:
        """Whether a page of ours asks, or a person who has typed its address, and not a page of somebody else's."""
        headers = request.headers
        own = f"http://{self._host}"
        origin = headers.getlist("origin")
        is_page = request.url.path == self._path and request.method == "GET"
        return (
            headers.getlist("host") == [self._host]
            # A browser says where a request comes from whenever it changes something.
            and (origin == [own] if request.method == "POST" else origin in ([], [own]))
            and (is_page or headers.get("sec-fetch-site", "same-origin") == "same-origin")
            and request.url.path.startswith(self._path)
        )

    # --- Looking on --------------------------------------------------------------------------------------------------

    async def _follow(self, receive: Receive, send: Send) -> None:
        streaming = asyncio.ensure_future(self._stream(send))
        leaving = asyncio.ensure_future(_gone(receive))
        self._streams.append(streaming)
        if len(self._streams) > MOST_STREAMS:
            self._streams[0].cancel()
        try:
            await asyncio.wait([streaming, leaving], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._streams.remove(streaming)
            streaming.cancel()
            leaving.cancel()
            await asyncio.wait([streaming, leaving])

    async def _stream(self, send: Send) -> None:
        headers = {**HEADERS, "content-type": "text/event-stream"}
        start = {name.encode(): value.encode() for name, value in headers.items()}
        await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": list(start.items())})
        viewer, loop = Viewer(self._tools), asyncio.get_running_loop()
        synced = loop.time()
        while True:
            view = viewer.next()
            if view is None and loop.time() - synced >= self._sync_seconds:
                view = viewer.seconds()
            if view is not None:
                synced = loop.time()
                # It waits while the browser does not read: nothing piles up.
                await send({"type": "http.response.body", "body": _event(view), "more_body": True})
            # There may be more behind what one piece holds.
            await asyncio.sleep(0 if view is not None and view.lines else LOOK_SECONDS)

    # --- Stepping in -------------------------------------------------------------------------------------------------

    async def _press(self, name: str, request: Request) -> Response:
        try:
            if not await self._token.fits(request.headers.get(PRESS_HEADER, "")):
                return _said(HTTPStatus.UNAUTHORIZED, "That is not the token. `tunnel-mcp watch` shows a new one.")
            wish = msgspec.json.decode(await _body(request), type=Wish)
        except TooManyError:
            return _said(HTTPStatus.TOO_MANY_REQUESTS, "Too many wrong tokens. Try again in a moment.")
        except (ValueError, ClientDisconnect, TimeoutError):
            return _said(HTTPStatus.BAD_REQUEST, "That is no request of this page.")
        why_not = await self._buttons[name](wish)
        return _said(HTTPStatus.CONFLICT, why_not) if why_not else _said(HTTPStatus.OK, "Done.")

    async def _check(self, wish: Wish) -> None:
        """The token alone is tried."""

    async def _pause(self, wish: Wish) -> None:  # noqa: ARG002 - every button sends one
        self._tools.budget.is_paused = True

    async def _resume(self, wish: Wish) -> None:  # noqa: ARG002
        self._tools.budget.is_paused = False

    async def _allow(self, wish: Wish) -> str | None:
        return None if self._tools.budget.grant(wish.round) else "More was allowed already. Look at the budget again."

    async def _close(self, wish: Wish) -> str | None:  # noqa: ARG002
        tunnel = self._tools.tunnel
        if tunnel is None or tunnel.is_over:
            return "There is no open tunnel."
        tunnel.closed_by_person = True
        await tunnel.close(CLOSED_BY_PERSON)
        return None


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _body(request: Request) -> bytes:
    body = b""
    async with asyncio.timeout(BODY_SECONDS):
        async for piece in request.stream():
            body += piece
            if len(body) > BODY_BYTES:
                raise ValueError("no request of ours is that long")
    return body


def _event(view: View) -> bytes:
    # JSON has no line break of its own, so one line is one event.
    return b"data: " + msgspec.json.encode(view) + b"\n\n"


def _said(status: HTTPStatus, text: str) -> Response:
    return Response(text, status, HEADERS, "text/plain")
