"""The page answers under its own address only, its buttons to the token only, and whatever else comes harms nobody."""

import asyncio
import json
import time
from collections.abc import MutableMapping
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.app.ends import PATIENCE_SECONDS, StillClock, a_tunnel, is_free, open_, port_of, say, status, texts, until
from tests.app.watch.windows import Served, a_stream, a_window
from tunnel.app.budget import PausedError
from tunnel.app.settings import Settings
from tunnel.app.tools import Tools
from tunnel.app.watch.page import FILES, HEADERS, MOST_STREAMS, Page
from tunnel.app.watch.token import Token
from tunnel.transport.loopback import Loopback

pytestmark = pytest.mark.anyio

BUTTONS = ["check", "pause", "resume", "allow", "close"]


# --- What is given out ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
async def test_every_file_of_the_page_comes_with_everything_forbidden_that_it_does_not_need(name: str) -> None:
    async with a_window() as served:
        answer = await served.ask("GET", name)

    assert answer.status_code == 200
    assert {header: answer.headers[header] for header in HEADERS} == HEADERS
    assert answer.headers["content-type"].startswith(FILES[name][1])
    assert "server" not in answer.headers


async def test_the_page_names_no_address_but_its_own_files() -> None:
    async with a_window() as served:
        page = (await served.ask("GET")).text

    assert "http" not in page.replace("http-equiv", "")
    assert "style=" not in page
    assert "onclick" not in page
    assert [page.count(f'"{name}"') for name in ("page.css", "page.js")] == [1, 1]


async def test_the_address_is_of_this_machine_alone_and_cannot_be_guessed() -> None:
    async with a_window() as served, a_window() as other:
        assert served.url.startswith("http://127.0.0.1:")
        assert len(served.path) == len("//") + 32
        assert served.path != other.path


@pytest.mark.parametrize(
    "path",
    ["/", "/events", "/page.js", "/" + "0" * 32 + "/", "/" + "0" * 32 + "/events"],
)
async def test_without_the_address_nothing_is_shown(path: str) -> None:
    async with a_window() as served:
        answer = await served.raw(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n\r\n".encode())

    assert answer.startswith(b"HTTP/1.1 403 ")


@pytest.mark.parametrize(
    "name",
    [
        "../cli.py",
        "..%2fcli.py",
        "%2e%2e/cli.py",
        "....//cli.py",
        "page.py",
        "page.js/",
        "page.js%00",
        "/etc/passwd",
        "check",
    ],
)
async def test_a_path_leads_to_no_other_file(name: str) -> None:
    async with a_window() as served:
        request = f"GET {served.path}{name} HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n\r\n"
        answer = await served.raw(request.encode())

    assert answer.split(b" ")[1] in (b"403", b"404")
    assert b"import" not in answer


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "HEAD", "POST"])
async def test_other_methods_lead_nowhere(method: str) -> None:
    async with a_window() as served:
        answer = await served.ask(method, headers={"origin": served.own})

    assert answer.status_code == 404
    assert "access-control-allow-origin" not in answer.headers


# --- Who is answered -----------------------------------------------------------------------------------------------------


FOREIGN = [
    "evil.example",
    "evil.example:{port}",
    "localhost:{port}",
    "127.0.0.1",
    "127.0.0.1:{port}.evil.example",
    "[::1]:{port}",
    "",
]


@pytest.mark.parametrize("name", ["", "page.js", "events"])
async def test_a_name_that_leads_here_but_is_not_ours_gets_nothing(name: str) -> None:
    async with a_window() as served:
        for host in FOREIGN:
            named = host.format(port=served.port)
            answer = await served.raw(f"GET {served.path}{name} HTTP/1.1\r\nHost: {named}\r\n\r\n".encode())

            assert answer.startswith(b"HTTP/1.1 403 "), host


async def test_two_names_at_once_get_nothing() -> None:
    async with a_window() as served:
        host = f"Host: 127.0.0.1:{served.port}\r\n"
        answer = await served.raw(f"GET {served.path} HTTP/1.1\r\n{host}{host}\r\n".encode())

    assert answer.split(b" ")[1] in (b"400", b"403")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1", "http://localhost:{port}", ""])
async def test_a_button_on_somebody_else_s_page_does_nothing_even_with_the_token(origin: str) -> None:
    async with a_window() as served:
        await open_(served.tools)
        answers = [await served.press(button, origin=origin.format(port=served.port)) for button in BUTTONS]

        assert [answer.status_code for answer in answers] == [403] * len(BUTTONS)
        assert await untouched(served)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
async def test_a_page_of_somebody_else_s_cannot_look_on(site: str) -> None:
    async with a_window() as served:
        followed = await served.ask("GET", "page.js", headers={"sec-fetch-site": site})
        typed = await served.ask("GET", headers={"sec-fetch-site": site})

    assert (followed.status_code, typed.status_code) == (403, 200)


async def untouched(served: Served) -> bool:
    """Whether no button has done anything."""
    budget = served.tools.budget
    return (await status(served.tools)).state == "waiting_for_guest" and not budget.is_paused and budget.round == 1


# --- The token -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["", "aaaa-aaaa-aaaa-aaaa"])
async def test_without_the_token_no_button_does_anything(token: str) -> None:
    async with a_window() as served:
        await open_(served.tools)
        answers = await asyncio.gather(*(served.press(button, tunnel_token=token) for button in BUTTONS))

        assert [answer.status_code for answer in answers] == [401] * len(BUTTONS)
        assert "`tunnel-mcp watch` shows a new one" in answers[0].text
        assert await untouched(served)


async def test_a_token_in_the_address_counts_for_nothing() -> None:
    async with a_window() as served:
        answer = await served.press(f"pause?tunnel-token={served.token}", tunnel_token="")

        assert answer.status_code == 401
        assert not served.tools.budget.is_paused


async def test_neither_page_nor_news_hold_the_token() -> None:
    async with a_window() as served, a_stream(served) as stream:
        news = str(await stream.next())
        shown = news + "".join([(await served.ask("GET", name)).text for name in FILES])

    assert served.token not in shown
    assert served.token.replace("-", "") not in shown


async def test_who_guesses_is_told_to_slow_down_and_the_person_is_not() -> None:
    async with a_window() as served:
        guesses = [asyncio.create_task(served.press("check", tunnel_token=f"{n}")) for n in range(12)]
        answered = (await served.press("check")).status_code
        codes = [answer.status_code for answer in await asyncio.gather(*guesses)]

    assert answered == 200
    assert set(codes) == {401, 429}


# --- The buttons ---------------------------------------------------------------------------------------------------------


async def test_a_pause_holds_the_agent_back_until_it_may_go_on() -> None:
    async with a_window() as served:
        await open_(served.tools)
        paused = await served.press("pause")
        with pytest.raises(PausedError):
            await say(served.tools, "held back")
        resumed = await served.press("resume")
        await say(served.tools, "said")

        assert (paused.status_code, resumed.status_code) == (200, 200)
        assert (await texts(served.tools))[1:] == ["said"]


async def test_an_approval_that_is_sent_again_allows_nothing_more() -> None:
    alice = Tools(Settings(budget=1), "Alice", StillClock(), transport=lambda _name, _setup: Loopback())
    async with a_window(alice) as served:
        await open_(alice)
        await say(alice, "all that it may")
        first = await served.press("allow", b'{"round":1}')
        await say(alice, "one more")
        again = await served.press("allow", b'{"round":1}')

        assert (first.status_code, again.status_code) == (200, 409)
        assert again.text == "More was allowed already. Look at the budget again."
        assert alice.budget.left == 0


async def test_closing_ends_the_tunnel_for_both_and_tells_why() -> None:
    async with a_tunnel() as (alice, bob, link), a_window(alice) as served:
        answer = await served.press("close")
        own, peers = await until(alice, "closed"), await until(bob, "closed")
        again = await served.press("close")
        heard = await texts(bob)

    assert answer.status_code == 200
    assert own.closed_because == peers.closed_because == "closed_by_host"
    assert (
        own.detail == "The person on this side closed it in the window; their agent is to ask before it opens another."
    )
    assert heard[-1] == "closed — closed by its person"
    assert is_free(port_of(link))
    assert (again.status_code, again.text) == (409, "There is no open tunnel.")


async def test_a_guest_s_person_closes_its_own_side() -> None:
    async with a_tunnel() as (alice, bob, _):
        async with a_window(bob) as served:
            await served.press("close")
            own = await until(bob, "closed")
        left = await until(alice, "peer_left")

    assert own.closed_because == "closed_by_guest"
    assert str(own.detail).startswith("The person on this side closed it")
    assert left.closed_because == "peer_left"


async def test_without_a_tunnel_there_is_nothing_to_close() -> None:
    async with a_window() as served:
        assert (await served.press("close")).status_code == 409


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"\xff", b'{"round":"1"}', b"{" * 900, b" " * 2000, b"x" * 20_000_000],
    ids=["nothing", "a list", "no text", "a text", "deep", "long", "huge"],
)
async def test_a_body_that_is_none_of_the_page_s_is_refused(body: bytes) -> None:
    async with a_window() as served:
        try:
            code = (await served.press("pause", body)).status_code
        # It hung up before it had all of it.
        except httpx2.TransportError:
            code = 400

        assert code == 400
        assert not served.tools.budget.is_paused


# --- Looking on ----------------------------------------------------------------------------------------------------------


async def test_who_looks_on_hears_what_is_said_as_it_is_said() -> None:
    async with a_window() as served, a_stream(served) as stream:
        first = await stream.next()
        await open_(served.tools)
        opened = await stream.next()
        began = time.monotonic()
        await say(served.tools, "hello")
        news = await stream.next()

    assert first["state"] == "none"
    assert (opened["state"], opened["fresh"]) == ("waiting_for_guest", True)
    assert [line["pieces"] for line in news["lines"]] == [[["text", "hello"]]]
    assert time.monotonic() - began < PATIENCE_SECONDS


async def test_of_too_many_who_look_on_the_eldest_has_to_ask_again() -> None:
    async with a_window() as served, AsyncExitStack() as open_ones:
        streams = []
        for _ in range(MOST_STREAMS + 1):
            streams.append(await open_ones.enter_async_context(a_stream(served)))
            await streams[-1].next()

        assert await streams[0].has_ended()
        await open_(served.tools)
        assert [(await stream.next())["state"] for stream in streams[1:]] == ["waiting_for_guest"] * MOST_STREAMS


async def test_who_leaves_is_forgotten() -> None:
    async with a_window() as served:
        for _ in range(3 * MOST_STREAMS):
            async with a_stream(served) as stream:
                await stream.next()
        async with a_stream(served) as stream:
            await stream.next()
            await open_(served.tools)

            assert (await stream.next())["state"] == "waiting_for_guest"


async def test_who_does_not_read_costs_the_tunnel_nothing() -> None:
    alice = Tools(Settings(budget=0), "Alice", StillClock(), transport=lambda _name, _setup: Loopback())
    async with a_window(alice) as served, AsyncExitStack() as deaf:
        await open_(alice)
        for _ in range(MOST_STREAMS):
            stream = await deaf.enter_async_context(a_stream(served))
            await stream.next()
        slowest = 0.0
        for _ in range(100):
            began = time.monotonic()
            await say(alice, "x" * 90_000)
            slowest = max(slowest, time.monotonic() - began)

    assert slowest < 1


async def test_countdowns_are_put_right_when_nothing_else_happens() -> None:
    clock = StillClock()
    alice = Tools(Settings(), "Alice", clock, transport=lambda _name, _setup: Loopback())
    await open_(alice)
    page = Page(alice, Token(bytes), bytes, 1, sync_seconds=0.01)
    heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def hear(message: MutableMapping[str, Any]) -> None:
        if body := message.get("body"):
            heard.put_nowait(json.loads(body.removeprefix(b"data: ")))

    async def stay() -> MutableMapping[str, Any]:
        return await asyncio.Future()

    path = urlsplit(page.url).path
    scope = {"type": "http", "method": "GET", "path": f"{path}events", "headers": [(b"host", b"127.0.0.1:1")]}
    looking = asyncio.create_task(page(scope, stay, hear))
    first = await heard.get()
    clock.move(60)
    later = await heard.get()
    page.end()
    await looking
    await alice.exit()

    assert (first["link_left"], later["link_left"]) == (600, 540)
    assert later["lines"] == []
