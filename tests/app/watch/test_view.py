"""A window shows what happened, in order, as text that hides nothing, and never the link or the key."""

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from tests.app.ends import StillClock, a_tunnel, caught_up, close, end, join, open_, say, until
from tunnel.app import results
from tunnel.app.joining import JoinRefusedError
from tunnel.app.settings import Settings
from tunnel.app.tools import Tools
from tunnel.app.watch.view import KEPT, SHOWN_BYTES, Line, View, Viewer
from tunnel.errors import Refused
from tunnel.spec.v1.constants import TEXT_BYTES
from tunnel.transport.loopback import Loopback

pytestmark = pytest.mark.anyio


async def seen(viewer: Viewer) -> View:
    view = await viewer.next()
    assert view is not None
    return view


def spoken(view: View) -> list[tuple[str, str]]:
    return [(line.who, line.text) for line in view.lines]


async def everything(viewer: Viewer) -> list[Line]:
    lines: list[Line] = []
    while view := await viewer.next():
        lines += view.lines
    return lines


async def test_before_there_is_a_tunnel_there_is_little_to_see() -> None:
    view = await seen(Viewer(end("Alice")))

    assert (view.state, view.role, view.me, view.lines, view.ended) == ("none", "none", "Alice", [], "")
    assert view.fresh


async def test_each_side_sees_who_said_what() -> None:
    async with a_tunnel() as (alice, bob, _):
        await say(alice, "welcome")
        await caught_up(bob, await say(bob, "hello"))
        host, guest = await seen(Viewer(alice)), await seen(Viewer(bob))

    opened = [("system", "tunnel opened — goal: pair on checkout"), ("system", "Bob joined")]
    assert spoken(host) == [*opened, ("me", "welcome"), ("peer", "hello")]
    assert spoken(guest) == [*opened, ("peer", "welcome"), ("me", "hello")]
    assert (host.role, host.peer, host.state, host.goal) == ("host", "Bob", "connected", "pair on checkout")
    assert (guest.role, guest.peer, guest.idle_left) == ("guest", "Alice", None)


async def test_only_what_is_new_is_shown_again() -> None:
    async with a_tunnel() as (alice, _bob, _):
        viewer = Viewer(alice)
        first = await seen(viewer)
        nothing = await viewer.next()
        await say(alice, "news")
        news = await seen(viewer)

    assert (first.fresh, news.fresh) == (True, False)
    assert nothing is None
    assert spoken(news) == [("me", "news")]
    assert news.said == 1


async def test_seconds_that_pass_are_no_news_and_can_be_asked_for() -> None:
    clock = StillClock()
    alice = Tools(Settings(), "Alice", clock, transport=lambda _name, _setup: Loopback())
    await open_(alice)
    viewer = Viewer(alice)
    first = await seen(viewer)
    clock.move(60)
    nothing, later = await viewer.next(), viewer.seconds()
    await alice.exit()

    assert nothing is None
    assert first.link_left == 600
    assert later.link_left == 540
    assert first.idle_left is not None
    assert later.idle_left == first.idle_left - 60
    assert later.lines == []


def pause(tools: Tools) -> None:
    tools.budget.is_paused = True


def allow(tools: Tools) -> None:
    tools.budget.grant(tools.budget.round)


@pytest.mark.parametrize(("change", "field"), [(pause, "paused"), (allow, "round")], ids=["a pause", "an approval"])
async def test_what_its_person_does_is_news(change: Callable[[Tools], object], field: str) -> None:
    alice = end("Alice")
    viewer = Viewer(alice)
    before = await seen(viewer)
    change(alice)
    after = await seen(viewer)

    assert getattr(after, field) != getattr(before, field)


async def test_what_was_refused_stands_where_it_happened() -> None:
    async with a_tunnel() as (alice, bob, link):
        carol = end("Carol")
        await say(alice, "before")
        with pytest.raises(JoinRefusedError):
            await join(carol, link)
        alice.budget.is_paused = True
        with pytest.raises(Refused):
            await say(alice, "held back")
        await caught_up(alice, await say(bob, "after"))
        late = await everything(Viewer(alice))
        view = Viewer(alice).seconds()

    assert [(line.who, line.text) for line in late[2:]] == [
        ("me", "before"),
        ("refused", "A stranger was not let in: tunnel full"),
        ("refused", "Your agent was not allowed to speak: paused"),
        ("peer", "after"),
    ]
    assert view.refused == 0


async def test_what_was_refused_behind_a_long_talk_waits_for_its_place() -> None:
    alice = Tools(Settings(budget=0), "Alice", StillClock(), transport=lambda _name, _setup: Loopback())
    await open_(alice)
    for _ in range(8):
        await say(alice, "x" * 50_000)
    with pytest.raises(Refused):
        await say(alice, "x" * (TEXT_BYTES + 1))
    viewer = Viewer(alice)
    first = await seen(viewer)
    lines = first.lines + await everything(viewer)
    await alice.exit()

    assert "refused" not in [line.who for line in first.lines]
    assert [line.who for line in lines] == ["system", *["me"] * 8, "refused"]


async def test_another_tunnel_begins_afresh() -> None:
    alice = end("Alice")
    viewer = Viewer(alice)
    await open_(alice, "one")
    await everything(viewer)
    await close(alice)
    closed = await seen(viewer)
    await open_(alice, "two")
    other = await seen(viewer)
    await alice.exit()

    assert (closed.state, closed.fresh) == ("closed", False)
    assert closed.ended == "The host closed the tunnel."
    assert (other.fresh, other.goal) == (True, "two")
    assert spoken(other) == [("system", "tunnel opened — goal: two")]


async def test_a_peer_that_has_left_is_told_as_that() -> None:
    async with a_tunnel() as (alice, bob, _):
        await close(bob)
        await until(alice, "peer_left")
        view = await seen(Viewer(alice))

    assert view.state == "peer_left"
    assert view.ended.startswith("The guest has left")


async def test_a_window_that_is_opened_late_shows_the_last_messages_and_says_how_many_it_does_not() -> None:
    alice = Tools(Settings(budget=0), "Alice", StillClock(), transport=lambda _name, _setup: Loopback())
    await open_(alice)
    for n in range(KEPT + 50):
        await say(alice, str(n))
    viewer = Viewer(alice)
    first = await seen(viewer)
    lines = first.lines + await everything(viewer)
    await alice.exit()

    assert first.skipped == 51
    assert [line.text for line in lines] == [str(n) for n in range(50, KEPT + 50)]


HOSTILE = {
    "markup": ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
    "a change of direction": ("\u202egnp.exe", "\\u202egnp.exe"),
    "a terminal": ("\x1b[2J\x07", "\\u001b[2J\\u0007"),
    "nothing to see": ("a\u200bb", "a\\u200bb"),
    "lines": ("one\ntwo\r\n\tthree\rfour", "one\ntwo\n\\tthree\\rfour"),
    "a line of another kind": ("one\u2028two", "one\\u2028two"),
}


@pytest.mark.parametrize(("text", "shown"), HOSTILE.values(), ids=HOSTILE)
async def test_a_text_hides_nothing_and_its_lines_stay_lines(text: str, shown: str) -> None:
    async with a_tunnel() as (alice, bob, _):
        await caught_up(alice, await say(bob, text))
        view = await seen(Viewer(alice))

    assert spoken(view)[-1] == ("peer", shown)


async def test_a_very_long_text_is_cut() -> None:
    async with a_tunnel() as (alice, bob, _):
        await caught_up(alice, await say(bob, "x" * (SHOWN_BYTES + 1)))
        view = await seen(Viewer(alice))

    assert spoken(view)[-1] == ("peer", "x" * SHOWN_BYTES + "…")


async def test_a_goal_and_a_name_of_a_strangers_are_made_visible() -> None:
    alice = end("Alice")
    await alice.open(results.OpenArguments(goal="\u202e<b>\n"))
    view = await seen(Viewer(alice))
    await alice.exit()

    assert view.goal == "\\u202e<b>\\n"


async def test_neither_link_nor_key_is_ever_shown() -> None:
    async with a_tunnel() as (alice, bob, link):
        shown = str([msgspec.json.encode(await seen(Viewer(tools))).decode() for tools in (alice, bob)])

    address, _, key = link.partition("#")
    assert key not in shown
    assert address.rpartition("/")[2] not in shown


def test_the_page_says_something_for_every_state() -> None:
    script = (Path(__file__).parents[3] / "tunnel/app/watch/page.js").read_text(encoding="utf-8")

    assert [state for state in get_args(results.State) if f"  {state}: [" not in script] == []
