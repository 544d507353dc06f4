"""The host's tunnel: brought up and taken down as one, however it ends."""

import asyncio
import os

import pytest

from tests.app.ends import PATIENCE_SECONDS, Carrier, StillClock, end, is_free, join, port_of
from tunnel.app.hosting import Hosting
from tunnel.app.slot import Slot
from tunnel.app.tools import Tools
from tunnel.spec.v1.constants import IDLE_SECONDS, LINK_SECONDS
from tunnel.transport.base import TransportError

pytestmark = pytest.mark.anyio


def hosting(carrier: Carrier, clock: StillClock | None = None) -> Hosting:
    return Hosting("pair", "Alice", carrier, clock or StillClock(), os.urandom)


async def gone(tunnel: Hosting) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not tunnel.is_gone:
            await asyncio.sleep(0.01)


async def joined_by(name: str, link: str) -> Tools:
    guest = end(name)
    await join(guest, link)
    return guest


async def test_an_open_tunnel_waits_for_its_guest() -> None:
    tunnel = hosting(Carrier())
    link = await tunnel.open()
    now = tunnel.status()
    await tunnel.close("")

    assert link.text.startswith(f"ws://127.0.0.1:{port_of(link.text)}/t/{tunnel.tunnel_id}#")
    assert (now.state, now.peer_connected, now.last_seq) == ("waiting_for_guest", False, 1)
    assert (now.link_expires_in_sec, now.idle_ends_in_sec) == (LINK_SECONDS, IDLE_SECONDS)
    assert now.next.startswith("Give the invite to your person")


async def test_a_secure_address_makes_a_secure_link() -> None:
    tunnel = hosting(Carrier("https://quiet-river.example.org"))
    link = await tunnel.open()
    await tunnel.close("")

    assert link.text.startswith("wss://quiet-river.example.org/t/")


async def test_an_address_that_makes_no_link_is_the_transports_fault_and_leaves_nothing() -> None:
    carrier = Carrier("ftp://somewhere")
    tunnel = hosting(carrier)

    with pytest.raises(TransportError, match=r"^The transport carrier gave an address that makes no join link"):
        await tunnel.open()
    assert tunnel.is_gone
    assert is_free(carrier.port)
    assert carrier.stops == 1


async def test_a_transport_that_does_not_come_up_leaves_nothing() -> None:
    carrier = Carrier(fails="The carrier is on strike. Walk.")
    tunnel = hosting(carrier)

    with pytest.raises(TransportError, match=r"^The carrier is on strike\. Walk\.$"):
        await tunnel.open()
    assert tunnel.is_over
    assert tunnel.is_gone
    assert is_free(carrier.port)
    assert carrier.stops == 1


async def test_an_entropy_source_decides_id_and_key() -> None:
    tunnel = Hosting("pair", "Alice", Carrier(), StillClock(), lambda count: b"\x01" * count)
    link = await tunnel.open()
    await tunnel.close("")

    assert tunnel.tunnel_id == "01" * 8
    assert link.key == b"\x01" * 32


async def test_a_transport_that_is_lost_ends_the_tunnel_and_answers_who_listens() -> None:
    carrier = Carrier()
    tunnel = hosting(carrier)
    await tunnel.open()
    listening = asyncio.create_task(tunnel.listen(1, PATIENCE_SECONDS))
    await asyncio.sleep(0)

    carrier.lost.set_result("The carrier has gone home.")
    heard = await listening
    await gone(tunnel)

    assert heard.messages == []
    assert (tunnel.status().state, tunnel.status().closed_because) == ("closed", "transport_lost")
    assert is_free(carrier.port)
    assert carrier.stops == 1


async def test_an_idle_tunnel_ends_and_gives_everything_back_though_nobody_asks() -> None:
    carrier, clock = Carrier(), StillClock()
    tunnel = hosting(carrier, clock)
    await tunnel.open()

    clock.move(IDLE_SECONDS)
    await gone(tunnel)
    heard = await tunnel.listen(0, 0)

    assert tunnel.status().closed_because == "idle"
    assert heard.messages[-1].text == "idle timeout — closing tunnel"
    assert is_free(carrier.port)
    assert carrier.stops == 1


async def test_the_first_question_after_a_long_sleep_is_answered_as_of_now() -> None:
    """TIME-1, IDLE-1: nobody waits for the event loop to notice that the machine slept."""
    clock = StillClock()
    tunnel, asked, listened = hosting(Carrier(), clock), hosting(Carrier(), clock), Slot()
    await tunnel.open()
    await asked.open()
    slept = listened.take(lambda: hosting(Carrier(), clock))
    await slept.open()

    clock.move(IDLE_SECONDS)
    status = tunnel.status()
    heard = await asked.listen(0, 0)
    next_one = listened.take(lambda: hosting(Carrier(), clock))

    assert (status.state, status.closed_because) == ("closed", "idle")
    assert heard.messages[-1].text == "idle timeout \u2014 closing tunnel"
    assert slept.is_over
    assert not next_one.is_over
    for each in (tunnel, asked, slept, next_one):
        await each.close("")


async def test_closing_while_the_transport_starts_does_not_wait_for_it() -> None:
    carrier = Carrier(comes_up=False)
    tunnel = hosting(carrier)
    opening = asyncio.create_task(tunnel.open())
    await carrier.starting.wait()

    await tunnel.close("")

    with pytest.raises(TransportError, match="closed while it was being opened"):
        await opening
    assert is_free(carrier.port)


async def test_closing_twice_gives_back_once() -> None:
    carrier = Carrier()
    tunnel = hosting(carrier)
    await tunnel.open()

    await asyncio.gather(tunnel.close("one"), tunnel.close("two"))

    assert carrier.stops == 1
    assert tunnel.status().closed_because == "closed_by_host"


async def test_a_link_that_was_not_used_in_time_is_shown_as_expired() -> None:
    clock = StillClock()
    tunnel = hosting(Carrier(), clock)
    await tunnel.open()
    clock.move(LINK_SECONDS - 0.5)
    almost = tunnel.status()
    clock.move(1)
    expired = tunnel.status()
    await tunnel.close("")

    assert (almost.link_expires_in_sec, expired.link_expires_in_sec) == (1, 0)
    assert almost.next.startswith("Give the invite")
    assert expired.next.startswith("The join link has expired unused. Close this tunnel, open a new one")


async def test_a_used_link_no_longer_counts_down() -> None:
    tunnel = hosting(Carrier())
    guest = await joined_by("Bob", (await tunnel.open()).text)
    now = tunnel.status()
    await guest.exit()
    await tunnel.close("")

    assert (now.state, now.link_expires_in_sec, now.closed_because) == ("connected", None, None)


async def test_a_guest_that_left_is_told_in_the_status() -> None:
    tunnel = hosting(Carrier())
    guest = await joined_by("Bob", (await tunnel.open()).text)
    await guest.exit()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while tunnel.status().state == "connected":
            await tunnel.listen(tunnel.status().last_seq, 0.05)
    now = tunnel.status()
    heard = await tunnel.listen(now.last_seq, PATIENCE_SECONDS)
    await tunnel.close("")

    assert (now.state, now.closed_because, now.peer_connected) == ("peer_left", "peer_left", False)
    assert "open a new one" in now.next
    assert heard.messages == []


async def test_a_name_that_reads_like_the_hosts_is_marked() -> None:
    tunnel = hosting(Carrier())
    guest = await joined_by("alice", (await tunnel.open()).text)
    now = tunnel.status()
    await guest.exit()
    await tunnel.close("")

    assert now.peer == "alice (guest)"
