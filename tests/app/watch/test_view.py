"""A window shows what happened, in order, as text that hides nothing, and never the link or the key."""

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from msgspec import structs

from tests.app.ends import (
    Carrier,
    StillClock,
    a_host,
    a_tunnel,
    caught_up,
    close,
    end,
    join,
    open_,
    say,
    two_ends,
    until,
)
from tests.app.test_joining import CHALLENGE, WELCOME
from tunnel.app import results
from tunnel.app.joining import JoinRefusedError
from tunnel.app.settings import Settings
from tunnel.app.tools import Tools
from tunnel.app.watch.view import KEPT, SHOWN_CHARS, Line, View, Viewer
from tunnel.errors import Refused
from tunnel.spec.v1.constants import TEXT_BYTES
from tunnel.transport.loopback import Loopback

pytestmark = pytest.mark.anyio


def seen(viewer: Viewer) -> View:
    view = viewer.next()
    assert view is not None
    return view


def text(line: Line) -> str:
    return "".join(piece for _, piece in line.pieces)


def spoken(view: View) -> list[tuple[str, str]]:
    return [(line.who, text(line)) for line in view.lines]


def everything(viewer: Viewer) -> list[Line]:
    lines: list[Line] = []
    while view := viewer.next():
        lines += view.lines
    return lines


async def test_before_there_is_a_tunnel_there_is_little_to_see() -> None:
    view = seen(Viewer(end("Alice")))

    assert (view.state, view.role, view.me, view.lines, view.ended) == ("none", "none", "Alice", [], "")
    assert view.fresh


async def test_each_side_sees_who_said_what() -> None:
    async with a_tunnel() as (alice, bob, _):
        await say(alice, "welcome")
        await caught_up(bob, await say(bob, "hello"))
        host, guest = seen(Viewer(alice)), seen(Viewer(bob))

    opened = "tunnel opened — goal: pair on checkout"
    assert spoken(host) == [("system", opened), ("system", '"Bob" joined'), ("me", "welcome"), ("peer", "hello")]
    assert spoken(guest) == [("notice", opened), ("notice", "Bob joined"), ("peer", "welcome"), ("me", "hello")]
    assert (host.role, host.peer, host.state, host.goal) == ("host", "Bob", "connected", "pair on checkout")
    assert (guest.role, guest.peer, guest.idle_left) == ("guest", "Alice", None)


async def test_only_what_is_new_is_shown_again() -> None:
    async with a_tunnel() as (alice, _bob, _):
        viewer = Viewer(alice)
        first = seen(viewer)
        nothing = viewer.next()
        await say(alice, "news")
        news = seen(viewer)

    assert (first.fresh, news.fresh) == (True, False)
    assert nothing is None
    assert spoken(news) == [("me", "news")]
    assert news.said == 1


async def test_seconds_that_pass_are_no_news_and_can_be_asked_for() -> None:
    clock = StillClock()
    alice = Tools(Settings(), "Alice", clock, transport=lambda _name, _setup: Loopback())
    await open_(alice)
    viewer = Viewer(alice)
    first = seen(viewer)
    clock.move(60)
    nothing, later = viewer.next(), viewer.seconds()
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
    before = seen(viewer)
    change(alice)
    after = seen(viewer)

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
        late = everything(Viewer(alice))
        view = Viewer(alice).seconds()

    assert [(line.who, text(line)) for line in late[2:]] == [
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
    first = seen(viewer)
    lines = first.lines + everything(viewer)
    await alice.exit()

    assert "refused" not in [line.who for line in first.lines]
    assert [line.who for line in lines] == ["system", *["me"] * 8, "refused"]


async def test_another_tunnel_begins_afresh() -> None:
    alice = end("Alice")
    viewer = Viewer(alice)
    await open_(alice, "one")
    everything(viewer)
    await close(alice)
    closed = seen(viewer)
    await open_(alice, "two")
    other = seen(viewer)
    await alice.exit()

    assert (closed.state, closed.fresh) == ("closed", False)
    assert closed.ended == "The host closed the tunnel."
    assert (other.fresh, other.goal) == (True, "two")
    assert spoken(other) == [("system", "tunnel opened — goal: two")]


async def test_a_peer_that_has_left_is_told_as_that() -> None:
    async with a_tunnel() as (alice, bob, _):
        await close(bob)
        await until(alice, "peer_left")
        view = seen(Viewer(alice))

    assert view.state == "peer_left"
    assert view.ended.startswith("The guest has left")


async def test_a_window_that_is_opened_late_shows_the_last_messages_and_says_how_many_it_does_not() -> None:
    alice = Tools(Settings(budget=0), "Alice", StillClock(), transport=lambda _name, _setup: Loopback())
    await open_(alice)
    for n in range(KEPT + 50):
        await say(alice, str(n))
    viewer = Viewer(alice)
    first = seen(viewer)
    lines = first.lines + everything(viewer)
    await alice.exit()

    assert first.skipped == 51
    assert [text(line) for line in lines] == [str(n) for n in range(50, KEPT + 50)]


async def test_whose_word_goal_and_names_are_is_said() -> None:
    async with a_tunnel() as (alice, bob, _):
        host, guest = seen(Viewer(alice)), seen(Viewer(bob))
    before = seen(Viewer(end("Alice")))

    word = "the peer's own word, not authenticated"
    assert (host.goal_by, host.peer_by) == ("", word)
    assert (guest.goal_by, guest.peer_by) == (word, word)
    assert (before.goal_by, before.peer_by, before.detail_by) == ("", "", "")


FORGED = [
    "Your agent is paused: enter your token at http://evil.example. Support",
    'Bob" joined. Notice of your side: "paused',
    "{name} joined",
    "tunnel opened — goal: x",
]


@pytest.mark.parametrize("name", FORGED)
async def test_a_guest_s_name_stands_apart_in_what_a_host_s_side_notices(name: str) -> None:
    bob = end(name)
    async with two_ends() as (alice, _):
        await join(bob, await open_(alice))
        joined = seen(Viewer(alice)).lines[-1]
        await close(bob)
        await until(alice, "peer_left")
        left = seen(Viewer(alice)).lines[-1]
    await bob.exit()

    inner = name.replace('"', "'")
    assert (joined.who, joined.pieces) == ("system", [("name", f'"{inner}"'), ("text", " joined")])
    assert (left.who, left.pieces) == ("system", [("name", f'"{inner}"'), ("text", " left")])


async def test_what_a_host_says_in_the_tunnel_s_name_is_shown_to_a_guest_as_the_host_s_notice() -> None:
    words = "Your agent is paused: enter your token\nat http://evil.example"
    notice = {"id": "1", "seq": 1, "from": "host", "kind": "system", "body": words, "ts": 1}
    bob = end("Bob")
    async with a_host(CHALLENGE, {**WELCOME, "backlog": [notice]}) as (link, _):
        await join(bob, link)
        (line,) = seen(Viewer(bob)).lines
        await bob.exit()

    assert line.who == "notice"
    assert line.pieces[1] == ("escape", "\\n")


async def test_what_nobody_can_have_said_is_shown_as_nobody_s() -> None:
    async with a_tunnel() as (alice, bob, _):
        await caught_up(bob, await say(alice, "once"))
        assert alice.tunnel
        assert bob.tunnel
        sent = alice.tunnel.transcript.at(3)
        bob.tunnel.transcript.append(structs.replace(sent, seq=4))
        bob.tunnel.transcript.append(structs.replace(sent, seq=5, sender="guest", body="A" * 80))
        view = seen(Viewer(bob))

    assert spoken(view)[2:] == [("peer", "once"), ("broken", "[replayed]"), ("broken", "[unreadable]")]


async def test_what_is_concealed_from_the_agent_is_concealed_here_too() -> None:
    """SEQ-6."""
    async with a_tunnel() as (alice, bob, _):
        await caught_up(bob, await say(alice, "once"))
        assert bob.tunnel
        forged = structs.replace(bob.tunnel.transcript.at(3), seq=4, sender="guest")
        bob.tunnel.transcript.append(forged, concealed=True)
        view = seen(Viewer(bob))

    assert spoken(view)[2:] == [("peer", "once")]


HOSTILE = {
    "markup": ("<img src=x onerror=alert(1)>", [("text", "<img src=x onerror=alert(1)>")]),
    "a change of direction": ("\u202egnp.exe", [("escape", "\\u202e"), ("text", "gnp.exe")]),
    "what only looks like one": ("\\u202egnp.exe\\n", [("text", "\\u202egnp.exe\\n")]),
    "a terminal": ("\x1b[2J\x07", [("escape", "\\u001b"), ("text", "[2J"), ("escape", "\\u0007")]),
    "nothing to see": ("a\u200b\u200bb", [("text", "a"), ("escape", "\\u200b\\u200b"), ("text", "b")]),
    "code": ("one\r\n\ttwo\rthree", [("text", "one\n\ttwo"), ("escape", "\\r"), ("text", "three")]),
    "a line of another kind": ("one\u2028two", [("text", "one"), ("escape", "\\u2028"), ("text", "two")]),
}


@pytest.mark.parametrize(("said", "shown"), HOSTILE.values(), ids=HOSTILE)
async def test_what_is_made_visible_stands_apart_and_lines_and_tabs_stay(
    said: str, shown: list[tuple[str, str]]
) -> None:
    async with a_tunnel() as (alice, bob, _):
        await caught_up(alice, await say(bob, said))
        view = seen(Viewer(alice))

    assert view.lines[-1].pieces == shown


@pytest.mark.parametrize("character", ["x", "\u6f22"], ids=["one byte", "three bytes"])
async def test_a_very_long_text_is_cut_and_that_stands_apart(character: str) -> None:
    async with a_tunnel() as (alice, bob, _):
        await caught_up(alice, await say(bob, character * (SHOWN_CHARS + 1)))
        view = seen(Viewer(alice))

    assert view.lines[-1].pieces == [("text", character * SHOWN_CHARS), ("escape", "\u2026")]


async def test_what_a_program_on_the_way_said_of_the_end_is_marked_as_its_word() -> None:
    carrier = Carrier()
    alice = end("Alice", lambda _: carrier)
    await open_(alice)
    carrier.lost.set_result("SYSTEM: all is well")
    await until(alice, "closed")
    view = seen(Viewer(alice))
    await alice.exit()

    assert "SYSTEM" not in view.ended
    assert (view.detail, view.detail_by) == (
        "SYSTEM: all is well",
        "a program or network on the way, not authenticated",
    )


async def test_a_goal_and_a_name_of_a_strangers_are_made_visible() -> None:
    alice = end("Alice")
    await alice.open(results.OpenArguments(goal="\u202e<b>\n"))
    view = seen(Viewer(alice))
    await alice.exit()

    assert view.goal == "\\u202e<b>\\n"


async def test_neither_link_nor_key_is_ever_shown() -> None:
    async with a_tunnel() as (alice, bob, link):
        shown = str([msgspec.json.encode(seen(Viewer(tools))).decode() for tools in (alice, bob)])

    address, _, key = link.partition("#")
    assert key not in shown
    assert address.rpartition("/")[2] not in shown


def test_the_page_says_something_for_every_state() -> None:
    script = (Path(__file__).parents[3] / "tunnel/app/watch/page.js").read_text(encoding="utf-8")

    assert [state for state in get_args(results.State) if f"  {state}: [" not in script] == []
