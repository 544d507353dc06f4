"""The six tools, both ends in one process: what an agent can do, in any order and at once."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.app.ends import (
    Carrier,
    StillClock,
    a_deaf_port,
    a_host,
    a_tunnel,
    both,
    caught_up,
    close,
    end,
    is_free,
    join,
    listen,
    open_,
    port_of,
    say,
    status,
    texts,
    two_ends,
    until,
    waiting_listen,
)
from tunnel.app import results
from tunnel.app.arguments import BadArgumentError
from tunnel.app.budget import SpentError
from tunnel.app.joining import JoinFailedError, JoinRefusedError
from tunnel.app.settings import BadSettingsError, Settings
from tunnel.app.slot import NoTunnelError, OccupiedError
from tunnel.app.tools import Tools
from tunnel.errors import BadLink, NetworkFault, Refused
from tunnel.spec.v1.constants import GOAL_BYTES, IDLE_SECONDS, SUMMARY_BYTES, TEXT_BYTES
from tunnel.transport.base import TransportError
from tunnel.transport.setup import Setup

pytestmark = pytest.mark.anyio

DEAD_LINK = "ws://127.0.0.1:1/t/00ff#" + "A" * 43


async def test_both_ends_hear_everything_in_one_order() -> None:
    async with a_tunnel() as (alice, bob, _):
        await say(alice, "welcome")
        await say(bob, "hello")
        await caught_up(bob, await say(alice, "bye"))

        spoken = ["tunnel opened — goal: pair on checkout", "Bob joined", "welcome", "hello", "bye"]
        assert await texts(alice) == spoken
        assert await texts(bob) == spoken


async def test_each_end_knows_who_and_what_for() -> None:
    async with a_tunnel() as (alice, bob, _):
        host, guest = await status(alice), await status(bob)

    assert (host.role, host.peer, host.goal, host.peer_connected) == ("host", "Bob", "pair on checkout", True)
    assert (guest.role, guest.peer, guest.goal, guest.peer_connected) == ("guest", "Alice", "pair on checkout", True)


# --- At once -----------------------------------------------------------------------------------------------------------


async def test_of_two_opens_at_once_one_wins_and_the_other_leaves_nothing() -> None:
    carriers: list[Carrier] = []

    def carrier(_: str) -> Carrier:
        carriers.append(Carrier())
        return carriers[-1]

    alice = end("Alice", carrier)
    won, lost = await both(alice.open(results.OpenArguments(goal="a")), alice.open(results.OpenArguments(goal="b")))
    goal = (await status(alice)).goal
    await close(alice)

    assert isinstance(won, results.Opened)
    assert isinstance(lost, OccupiedError)
    assert goal == "a"
    assert [carrier.port for carrier in carriers] == [port_of(won.join_link), 0]
    assert is_free(port_of(won.join_link))


async def test_of_two_joins_at_once_one_wins_and_no_ghost_stays() -> None:
    async with two_ends() as (alice, bob):
        link = await open_(alice)
        won, lost = await both(join(bob, link), join(bob, link))
        await close(bob)
        left = await until(alice, "peer_left")

        assert isinstance(won, results.JoinedTunnel)
        assert isinstance(lost, OccupiedError)
        assert (await texts(alice)).count("Bob joined") == 1
        assert not left.peer_connected


async def test_of_an_open_and_a_join_at_once_one_wins() -> None:
    async with two_ends() as (alice, bob):
        link = await open_(alice)
        won, lost = await both(bob.open(results.OpenArguments(goal="mine")), join(bob, link))

        assert isinstance(won, results.Opened)
        assert isinstance(lost, OccupiedError)
        assert (await status(alice)).state == "waiting_for_guest"


async def test_an_open_beside_an_open_tunnel_is_told_what_to_do() -> None:
    async with two_ends() as (alice, _):
        await open_(alice)

        with pytest.raises(
            OccupiedError, match=r"^a tunnel is already open in this process: close it with tunnel_close"
        ):
            await open_(alice)


# --- Midway ------------------------------------------------------------------------------------------------------------


async def test_a_cancelled_open_leaves_slot_and_port_free() -> None:
    carrier = Carrier(comes_up=False)
    alice = end("Alice", lambda _: carrier)
    opening = asyncio.create_task(open_(alice))
    await carrier.starting.wait()
    assert not is_free(carrier.port)

    opening.cancel()
    await asyncio.wait([opening])

    assert opening.cancelled()
    assert (await status(alice)).state == "none"
    assert is_free(carrier.port)
    assert carrier.stops == 1


async def test_a_cancelled_join_leaves_slot_and_socket_free() -> None:
    bob = end("Bob")
    async with a_deaf_port() as (port, notes):
        joining = asyncio.create_task(join(bob, f"ws://127.0.0.1:{port}/t/00ff#" + "A" * 43))
        assert await notes.get() == "came"

        joining.cancel()
        await asyncio.wait([joining])

        assert joining.cancelled()
        assert await notes.get() == "gone"
    assert (await status(bob)).state == "none"


async def test_closing_while_opening_answers_the_open_and_leaves_nothing() -> None:
    carrier = Carrier(comes_up=False)
    alice = end("Alice", lambda _: carrier)
    opening = asyncio.create_task(open_(alice))
    await carrier.starting.wait()

    closed = await close(alice)

    with pytest.raises(TransportError, match="closed while it was being opened"):
        await opening
    assert closed.ok
    assert is_free(carrier.port)
    assert (await status(alice)).state == "none"


async def test_closing_before_there_is_a_port_answers_the_open_and_never_starts_the_transport() -> None:
    carrier = Carrier()
    alice = end("Alice", lambda _: carrier)
    opening = asyncio.create_task(open_(alice))
    await asyncio.sleep(0)
    assert carrier.port == 0

    await close(alice)

    with pytest.raises(TransportError, match="closed while it was being opened"):
        await opening
    assert carrier.port == 0


async def test_closing_while_joining_answers_the_join() -> None:
    bob = end("Bob")
    async with a_deaf_port() as (port, notes):
        joining = asyncio.create_task(join(bob, f"ws://127.0.0.1:{port}/t/00ff#" + "A" * 43))
        await notes.get()

        await close(bob)

        with pytest.raises(JoinFailedError, match="closed meanwhile"):
            await joining
        assert await notes.get() == "gone"


async def test_a_listen_while_opening_is_told_one_thing_to_do() -> None:
    alice = end("Alice", lambda _: Carrier(comes_up=False))
    opening = asyncio.create_task(open_(alice))
    await asyncio.sleep(0)
    heard = await listen(alice, 0, 0)
    opening.cancel()
    await asyncio.wait([opening])
    await alice.exit()

    assert heard.next == heard.status.next
    assert heard.next.startswith("Wait until tunnel_open has answered")


async def test_who_may_not_talk_is_not_told_to_talk() -> None:
    """By no answer: a join's, a status' and a listen's, with news and without."""
    async with a_tunnel() as (alice, bob, link):
        alice.budget.is_paused = True
        told = [(await status(alice)).next, (await listen(alice, 0, 0)).next, (await listen(alice, 2, 0)).next]
        await close(bob)
        bob.budget.is_paused = True
        await until(alice, "peer_left")
        gone = (await status(alice)).next
        await close(alice)
        told.append((await join(bob, await open_(alice))).next)

    assert link
    assert [("paused you" in words, "alk with tunnel_say" in words, "swer with" in words) for words in told] == [
        (True, False, False)
    ] * 4
    assert gone.startswith("Close this tunnel")


async def test_a_status_while_opening_says_so() -> None:
    carrier = Carrier(comes_up=False)
    alice = end("Alice", lambda _: carrier)
    opening = asyncio.create_task(open_(alice))
    await carrier.starting.wait()
    now = await status(alice)
    await close(alice)
    await asyncio.wait([opening])

    assert now.state == "opening"
    assert now.next.startswith("Wait until tunnel_open has answered; ")
    assert opening.exception()


# --- The end -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("summary", ["", "we agreed"], ids=["without a summary", "with a summary"])
@pytest.mark.parametrize("closer", ["host", "guest"])
@pytest.mark.parametrize("listener", ["host", "guest"])
async def test_closing_while_a_listen_waits_answers_it_with_the_cause(closer: str, listener: str, summary: str) -> None:
    async with a_tunnel() as (alice, bob, _):
        ends = {"host": alice, "guest": bob}
        listening = await waiting_listen(ends[listener])

        await close(ends[closer], summary)
        heard = await listening
        while heard.messages and heard.messages[-1].kind == "chat":
            heard = await listen(ends[listener], heard.cursor)

    because = {
        ("host", "host"): "closed_by_host",
        ("host", "guest"): "closed_by_host",
        ("guest", "host"): "peer_left",
        ("guest", "guest"): "closed_by_guest",
    }
    assert heard.status.closed_because == because[closer, listener]
    assert not heard.status.peer_connected


async def test_a_listen_on_a_tunnel_that_is_over_does_not_wait() -> None:
    async with a_tunnel() as (alice, bob, _):
        await close(alice)
        await until(bob, "closed")

        assert (await listen(alice, 99)).status.state == "closed"
        assert (await listen(bob, 99)).status.state == "closed"


async def test_what_was_not_heard_stays_readable_until_the_next_tunnel_comes_about() -> None:
    async with a_tunnel() as (alice, bob, _):
        await say(alice, "the last word")
        await close(alice, "done")
        await until(bob, "closed")

        with pytest.raises(JoinFailedError):
            await join(bob, DEAD_LINK)
        after_a_failed_join = await listen(bob, 2, 0)
        await open_(bob, goal="the next")
        after_an_open = await texts(bob)

    assert [message.text for message in after_a_failed_join.messages] == ["the last word", "closed — done"]
    assert after_a_failed_join.status.closed_because == "closed_by_host"
    assert after_an_open == ["tunnel opened — goal: the next"]


async def test_a_hosts_ended_tunnel_stays_readable_when_the_next_open_fails() -> None:
    carriers = [Carrier(), Carrier(fails="No road.")]
    alice = end("Alice", lambda _: carriers.pop(0))
    await open_(alice, goal="the first")
    await close(alice, "done")

    with pytest.raises(TransportError):
        await open_(alice, goal="the second")

    assert await texts(alice) == ["tunnel opened — goal: the first", "closed — done"]
    assert (await status(alice)).closed_because == "closed_by_host"


async def test_status_after_the_end_keeps_the_true_role() -> None:
    async with a_tunnel() as (alice, bob, _):
        await close(alice)
        await until(bob, "closed")

        assert ((await status(alice)).role, (await status(bob)).role) == ("host", "guest")


async def test_closing_with_nothing_open_is_no_error() -> None:
    closed = await close(end("Alice"))

    assert (closed.ok, closed.state, closed.closed_because) == (True, "none", None)


async def test_closing_twice_is_no_error() -> None:
    async with a_tunnel() as (alice, _bob, _):
        first = await close(alice, "one")

        assert await close(alice, "two") == first
        assert (await texts(alice))[-1] == "closed — one"


async def test_a_summary_reaches_the_peer() -> None:
    async with a_tunnel() as (alice, bob, _):
        await close(bob, "I have what I need")
        await until(alice, "peer_left")

        assert (await texts(alice))[-2:] == ["I have what I need", "Bob left"]


async def test_a_closed_tunnel_gives_its_port_back() -> None:
    async with a_tunnel() as (alice, _bob, link):
        assert not is_free(port_of(link))

        await close(alice)

        assert is_free(port_of(link))


async def test_the_end_of_the_process_tells_the_peer_and_lets_nothing_in_any_more() -> None:
    async with a_tunnel() as (alice, bob, _):
        await alice.exit()
        told = await until(bob, "closed")

        with pytest.raises(OccupiedError, match="this process is ending"):
            await open_(alice)
        assert told.closed_because == "process_exit"
        assert (await texts(bob))[-1] == "closed — process exit"


async def test_the_end_of_the_process_waits_for_what_a_cancelled_open_has_left_to_give_back() -> None:
    slow, quick = Carrier(comes_up=False), Carrier()
    slow.may_stop.clear()
    carriers = [slow, quick]
    alice = end("Alice", lambda _: carriers.pop(0))
    opening = asyncio.create_task(open_(alice))
    await slow.starting.wait()
    while not opening.done():
        # More than once, as the SDK does: whoever has cancelled does not wait for the carrier to stop.
        opening.cancel()
        await asyncio.wait([opening], timeout=0.01)
    await open_(alice)

    ending = asyncio.create_task(alice.exit())
    early, _ = await asyncio.wait([ending], timeout=0.05)
    slow.may_stop.set()
    await ending

    assert not early
    assert (slow.stops, quick.stops) == (1, 1)


# --- What cannot be said ------------------------------------------------------------------------------------------------


async def test_without_a_tunnel_the_agent_is_told_how_to_get_one() -> None:
    alice = end("Alice")
    for use in (listen(alice), say(alice, "hi")):
        with pytest.raises(NoTunnelError, match=r"^no open tunnel: open one with tunnel_open, or join one with"):
            await use


async def test_saying_something_to_a_peer_that_left_fails_and_says_what_to_do() -> None:
    async with a_tunnel() as (alice, bob, _):
        await close(bob)
        await until(alice, "peer_left")

        with pytest.raises(Refused, match=r"^peer_left: .* open a new one and send its link"):
            await say(alice, "are you there?")


async def test_saying_something_after_the_end_names_the_cause() -> None:
    async with a_tunnel() as (alice, bob, _):
        await close(alice)
        await until(bob, "closed")

        with pytest.raises(Refused, match=r"^ended: ") as caught:
            await say(bob, "one more thing")

    assert str(caught.value) == (
        "ended: The tunnel has ended. It ended because: The host closed the tunnel. "
        "Open or join a new tunnel if there is more to say."
    )


async def test_a_text_that_is_too_long_is_refused_with_the_bound() -> None:
    async with a_tunnel() as (alice, bob, _):
        for tools in (alice, bob):
            with pytest.raises(Refused, match=f"text_too_long.*{TEXT_BYTES}"):
                await say(tools, "x" * (TEXT_BYTES + 1))

        assert await say(bob, "x" * TEXT_BYTES) == 3


@pytest.mark.parametrize("half", ["\ud800", "a\udfffb"], ids=["a first half", "a second half in a text"])
async def test_half_of_a_surrogate_pair_is_refused_wherever_an_agent_writes(half: str) -> None:
    async with a_tunnel() as (alice, bob, _):
        for write in (say(alice, half), say(bob, half), close(alice, half), open_(end("Carol"), half)):
            with pytest.raises(BadArgumentError, match="half of a surrogate pair"):
                await write

        assert (await status(bob)).state == "connected"


async def test_a_goal_and_a_summary_keep_to_their_bounds() -> None:
    async with two_ends() as (alice, _):
        with pytest.raises(BadArgumentError, match=f"goal has {GOAL_BYTES + 1} bytes of UTF-8; at most {GOAL_BYTES}"):
            await open_(alice, "é" * (GOAL_BYTES // 2) + "x")
        await open_(alice, "é" * (GOAL_BYTES // 2))
        with pytest.raises(BadArgumentError, match=f"summary has {SUMMARY_BYTES + 1} bytes"):
            await close(alice, "x" * (SUMMARY_BYTES + 1))

        assert (await status(alice)).state == "waiting_for_guest"


# --- Links and transports ------------------------------------------------------------------------------------------------


async def test_a_used_link_is_refused_with_the_reason_and_the_next_step() -> None:
    async with a_tunnel() as (alice, bob, link):
        carol = end("Carol")
        with pytest.raises(JoinRefusedError, match=r"^auth failed: tunnel full\. Ask the host"):
            await join(carol, link)
        await close(bob)
        await until(alice, "peer_left")
        with pytest.raises(JoinRefusedError, match=r"^auth failed: join link already used\. Ask the host"):
            await join(carol, link)

        assert (await status(carol)).state == "none"


async def test_what_was_said_in_an_earlier_join_with_a_link_does_not_come_back_as_the_hosts() -> None:
    """SEAL-3: whoever answers without the key can let a guest in once more. Another process of the guest's has forgotten."""
    challenge = {"t": "challenge", "nonce": "a challenge"}
    welcome = {"t": "auth_ok", "goal": "pair", "peerName": "Alice"}
    bob, carol = end("Bob"), end("Carol")
    async with a_host(challenge, welcome | {"backlog": []}) as (link, heard):
        await join(bob, link)
        await close(bob, "transfer it")
    said = {**json.loads(heard[1])["msg"], "from": "host", "seq": 1}
    async with a_host(challenge, welcome | {"backlog": [said]}) as (link, _):
        read: list[list[str]] = []
        for guest in (bob, carol):
            await join(guest, link)
            read.append(await texts(guest))
            await close(guest)

    assert read == [["[replayed]"], ["transfer it"]]


async def test_a_wrong_key_is_refused_and_the_link_stays_good() -> None:
    async with two_ends() as (alice, bob):
        link = await open_(alice)
        with pytest.raises(JoinRefusedError, match=r"^auth failed: bad key\. Copy the whole join link once more"):
            await join(bob, link.partition("#")[0] + "#" + "A" * 43)

        assert (await join(bob, link)).state == "connected"


async def test_a_link_of_a_later_wire_version_is_named_as_such() -> None:
    with pytest.raises(BadLink, match="wire version 2 or 3, and this program speaks version 1"):
        await join(end("Bob"), "wss://example.org/t/00ff#" + "A" * 43 + "." + "B" * 22)


@pytest.mark.parametrize(
    "fragment", ["KeyThatMustNotBeSeen", "KeyThatMustNotBeSeen" + "A" * 23, "KeyThatMustNotBeSeen.token"]
)
@pytest.mark.parametrize("address", ["ws://127.0.0.1:1/t/00ff", "https://example.org/t/00ff", "ws://user:pw@h/t/0"])
async def test_no_error_of_a_join_repeats_the_key(address: str, fragment: str) -> None:
    with pytest.raises((BadLink, NetworkFault)) as caught:
        await join(end("Bob"), f"{address}#{fragment}")

    assert "KeyThatMustNotBeSeen" not in f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"


async def test_a_transport_that_fails_leaves_nothing_and_the_next_open_works() -> None:
    carriers = [Carrier(fails="The carrier is on strike. Walk."), Carrier()]
    alice = end("Alice", lambda _: carriers.pop(0))
    failing = carriers[0]
    with pytest.raises(TransportError, match=r"on strike\. Walk"):
        await open_(alice)
    after = await status(alice)

    assert after.state == "none"
    assert is_free(failing.port)
    assert await open_(alice)
    await alice.exit()


@pytest.mark.parametrize(
    ("argument", "setting", "chosen"),
    [("", "", ""), ("", "carrier", "carrier"), ("loopback", "carrier", "loopback"), (" loopback ", "", "loopback")],
    ids=["nobody says", "the environment says", "both say", "the agent says"],
)
async def test_the_agents_word_on_the_transport_comes_before_the_environments(
    argument: str, setting: str, chosen: str
) -> None:
    asked: list[str] = []

    def noted(name: str, _: Setup) -> Carrier:
        asked.append(name)
        return Carrier()

    alice = Tools(Settings(transport=setting), "Alice", StillClock(), transport=noted)
    await alice.open(results.OpenArguments(goal="pair", transport=argument))
    await alice.exit()

    assert asked == [chosen]


async def test_a_transport_that_cannot_be_used_takes_no_place_and_the_next_open_works() -> None:
    alice = Tools(Settings(transport="direct"), "Alice", StillClock())
    with pytest.raises(TransportError, match="needs TUNNEL_URL"):
        await open_(alice)
    after = await status(alice)
    opened = await alice.open(results.OpenArguments(goal="pair", transport="loopback"))
    await alice.exit()

    assert after.state == "none"
    assert (opened.transport, opened.state) == ("loopback", "waiting_for_guest")


async def test_a_wrong_environment_stops_an_open_and_no_join() -> None:
    async with two_ends() as (alice, _):
        link = await open_(alice)
        bob = Tools(Settings(problems=("TUNNEL_PORT is 'x'; a port is a number.",)), "Bob", StillClock())
        with pytest.raises(BadSettingsError, match=r"^TUNNEL_PORT is 'x'; a port is a number\. Mend the environment"):
            await open_(bob)

        assert (await join(bob, link)).state == "connected"
        await bob.exit()


async def test_why_a_transport_was_lost_is_told_by_listen_and_status_with_what_it_has_said_of_it() -> None:
    """CLOSE-5. A say says why, too, but not in the words of somebody else: those stand where they are marked."""
    carrier = Carrier()
    alice, bob = end("Alice", lambda _: carrier), end("Bob")
    await join(bob, await open_(alice))
    listening = await waiting_listen(alice)

    carrier.lost.set_result("The carrier has gone home.")
    heard, now = await listening, await status(alice)
    with pytest.raises(Refused) as refused:
        await say(alice, "hello?")
    told = await until(bob, "closed")
    await bob.exit()

    assert heard.status.closed_because == now.closed_because == told.closed_because == "transport_lost"
    assert heard.status.detail == now.detail == "The carrier has gone home."
    assert now.marks["detail"] == results.OUTSIDE
    assert str(refused.value).endswith("so nobody can reach the tunnel. Open a new tunnel and send its link.")
    assert told.detail is None
    assert told.marks["detail"] == results.OWN


@pytest.mark.parametrize("closer", ["host", "guest"])
async def test_a_person_who_closes_it_is_no_outsider_and_its_agent_is_told_to_ask_first(closer: str) -> None:
    async with a_tunnel() as (alice, bob, _):
        tools = {"host": alice, "guest": bob}[closer]
        assert tools.tunnel
        before = await status(tools)
        tools.tunnel.closed_by_person = True
        await tools.tunnel.close("closed by its person")
        now = await status(tools)
        with pytest.raises(Refused) as refused:
            await say(tools, "hello?")

    assert before.detail is None
    assert now.detail == results.BY_PERSON
    assert now.marks["detail"] == results.OWN
    assert now.next == "Your person has closed this tunnel in its window: ask before you open or join another."
    assert str(refused.value).endswith(results.BY_PERSON)


# --- The person's word ------------------------------------------------------------------------------------------------------


async def test_a_paused_agent_closes_without_a_last_word_and_is_told_so() -> None:
    async with a_tunnel() as (alice, bob, _):
        bob.budget.is_paused = True
        left = await close(bob, "one more thing")
        await until(alice, "peer_left")
        alice.budget.is_paused = True
        closed = await close(alice, "and another")
        again = await close(alice, "and another")
        heard = await texts(alice)

    assert (left.ok, left.closed_because) == (closed.ok, "closed_by_guest") == (True, "closed_by_guest")
    assert left.next.startswith("Your person has paused you, so your summary was not sent. ")
    assert closed.next.startswith("Your person has paused you, so your summary was not sent. ")
    assert not again.next.startswith("Your person")
    assert heard[2:] == ["Bob left"]


async def test_a_paused_agent_that_has_nothing_more_to_say_closes_as_ever() -> None:
    async with a_tunnel() as (alice, _bob, _):
        alice.budget.is_paused = True
        closed = await close(alice)

    assert not closed.next.startswith("Your person")


async def test_what_a_host_has_heard_and_not_confirmed_counts() -> None:
    """A host that hears, says nothing, and hangs up, again and again, gets no more for it than the budget allows."""
    challenge = {"t": "challenge", "nonce": "A" * 43}
    welcome = {"t": "auth_ok", "goal": "pair", "peerName": "Alice", "backlog": []}
    bob = Tools(Settings(budget=3), "Bob", StillClock())
    heard: list[str] = []
    for _ in range(3):
        async with a_host(challenge, welcome, hang_up=True) as (link, got):
            await join(bob, link)
            with pytest.raises(NetworkFault, match=r"^unconfirmed: .* It ended because: "):
                await say(bob, "a secret")
            heard += got[1:]
    async with a_host(challenge, welcome, hang_up=True) as (link, got):
        await join(bob, link)
        with pytest.raises(SpentError):
            await say(bob, "one too many")
    await bob.exit()

    assert len(heard) == 3
    assert bob.budget.said == 3


# --- The log --------------------------------------------------------------------------------------------------------------


def sessions(home: Path) -> list[str]:
    return sorted(path.name for path in home.rglob("*") if path.is_file())


async def test_host_and_guest_keep_a_log_each_for_the_life_of_the_session(tmp_path: Path) -> None:
    settings = Settings(keeps_log=True, home=tmp_path, transport="loopback")
    alice, bob = Tools(settings, "Alice", StillClock()), Tools(settings, "Bob", StillClock())
    opened = await alice.open(results.OpenArguments(goal="pair"))
    hosts_only = sessions(tmp_path)
    await join(bob, opened.join_link)
    both = sessions(tmp_path)
    await close(bob)
    after_the_guest = sessions(tmp_path)
    await close(alice)

    assert hosts_only == after_the_guest == [f"{opened.tunnel_id}.jsonl"]
    assert both == [f"{opened.tunnel_id}-2.jsonl", f"{opened.tunnel_id}.jsonl"]
    assert sessions(tmp_path) == []


async def test_an_idle_session_takes_its_log_with_it(tmp_path: Path) -> None:
    clock = StillClock()
    alice = Tools(Settings(keeps_log=True, home=tmp_path, transport="loopback"), "Alice", clock)
    await open_(alice)
    before = sessions(tmp_path)
    clock.move(IDLE_SECONDS)
    await until(alice, "closed")
    await close(alice)

    assert len(before) == 1
    assert sessions(tmp_path) == []


async def test_without_a_wish_there_is_no_log(tmp_path: Path) -> None:
    alice = Tools(Settings(home=tmp_path, transport="loopback"), "Alice", StillClock())
    await open_(alice)
    await alice.exit()

    assert sessions(tmp_path) == []


# --- Listening ------------------------------------------------------------------------------------------------------------


async def test_a_listen_that_is_told_nothing_hears_everything() -> None:
    arguments = results.ListenArguments()
    async with a_tunnel() as (alice, _bob, _):
        heard = await alice.listen(arguments)

    assert [message.seq for message in heard.messages] == [1, 2]


async def test_waiting_listens_block_nobody_and_are_all_answered() -> None:
    async with a_tunnel() as (alice, bob, _):
        listening = [await waiting_listen(tools) for tools in (alice, bob) * 25]

        await say(bob, "hello")
        heard = await asyncio.gather(*listening)

    assert [[message.text for message in one.messages] for one in heard] == [["hello"]] * 50


async def test_a_cancelled_listen_harms_nobody() -> None:
    async with a_tunnel() as (alice, bob, _):
        given_up, other = await waiting_listen(alice), await waiting_listen(alice)

        given_up.cancel()
        await say(bob, "hello")

        assert [message.text for message in (await other).messages] == ["hello"]
        assert given_up.cancelled()


@pytest.mark.parametrize(
    ("since", "heard"),
    [
        (-1, [1, 2]),
        (-(10**400), [1, 2]),
        (float("nan"), [1, 2]),
        (1.5, [2]),
        (2**31, [1, 2]),
        (2**63, [1, 2]),
        (1e300, [1, 2]),
        (10**400, [1, 2]),
        (float("inf"), [1, 2]),
    ],
    ids=["-1", "-10**400", "nan", "1.5", "2**31", "2**63", "1e300", "10**400", "inf"],
)
async def test_a_listen_takes_any_number_and_gives_a_cursor_that_exists(since: float, heard: list[int]) -> None:
    async with a_tunnel() as (alice, _bob, _):
        answer = await listen(alice, since, 0)

    assert [message.seq for message in answer.messages] == heard
    assert answer.cursor == 2


@pytest.mark.parametrize(
    "timeout_ms", [0, -1, -1e300, -(10**400), float("nan")], ids=["0", "-1", "-1e300", "-10**400", "nan"]
)
async def test_a_listen_that_may_not_wait_answers_at_once(timeout_ms: float) -> None:
    async with a_tunnel() as (alice, _bob, _):
        heard = await asyncio.wait_for(listen(alice, 2, timeout_ms), 1)

    assert heard.messages == []


@pytest.mark.parametrize("timeout_ms", [2**31, 1e300, 10**400, float("inf")], ids=["2**31", "1e300", "10**400", "inf"])
async def test_a_listen_that_may_wait_very_long_waits(timeout_ms: float) -> None:
    async with a_tunnel() as (alice, bob, _):
        listening = asyncio.create_task(listen(alice, 2, timeout_ms))
        done, _ = await asyncio.wait([listening], timeout=0.02)
        await say(bob, "hello")

        assert not done
        assert [message.text for message in (await listening).messages] == ["hello"]
