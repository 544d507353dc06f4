"""The host's tunnel: brought up and taken down as one, however it ends."""

import asyncio
import errno
import gc
import os
import socket

import pytest

from tests.app.ends import PATIENCE_SECONDS, Carrier, StillClock, end, is_free, join, port_of
from tunnel.app.hosting import DETAIL_BYTES, Hosting, no_port
from tunnel.app.saying import GuestDroppedError
from tunnel.app.slot import Slot
from tunnel.app.tools import Tools
from tunnel.errors import NetworkFault
from tunnel.io.driver import NotSaidError
from tunnel.spec.v1.constants import IDLE_SECONDS, LINK_SECONDS, SILENCE_SECONDS
from tunnel.spec.v1.refusals import CLOSINGS, Closing
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


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("ftp://somewhere", "ftp://somewhere"),
        ("https://example.org/a/path", "https://example.org"),
        ("https://example.org:99999", "https://example.org"),
        ("https://me:secret@example.org", "https://example.org"),
        ("https://exa\u202emple.org", "https://exa\\u202emple.org"),
        ("https://[", "one that cannot be read; "),
        ("secret", "://"),
        ("https://" + "x" * 1_000_000, "https://xxxxxxxxxx"),
        ("http://example.org", "http://example.org"),
        ("http://8.8.8.8:8000", "http://8.8.8.8"),
        ("http://[2001:4860:4860::8888]", "http://2001:4860:4860::8888"),
        ("http://x.localhost.example", "http://x.localhost.example"),
        ("http://010.0.0.1", "http://010.0.0.1"),
    ],
)
async def test_an_address_that_its_guest_would_refuse_fails_the_open_and_leaves_nothing(url: str, shown: str) -> None:
    """LINK-12, LINK-10, CLOSE-2."""
    carrier = Carrier(url)
    tunnel = hosting(carrier)

    with pytest.raises(TransportError) as caught:
        await tunnel.open()

    said = str(caught.value)
    assert said.startswith(f"The transport carrier named an address that cannot be used: {shown}")
    assert said.endswith("or choose another transport.")
    assert said.isprintable()
    assert len(said) < 400
    assert "secret" not in said
    assert tunnel.is_gone
    assert is_free(carrier.port)
    assert carrier.stops == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://10.1.2.3:8000",
        "http://[fd00::1]:8000",
        "http://localhost:8000",
        "https://example.org:8443",
        "https://8.8.8.8",
    ],
)
async def test_an_address_that_its_guest_dials_makes_a_link(url: str) -> None:
    """LINK-12, LINK-10: the other side of the same boundary."""
    tunnel = hosting(Carrier(url))
    link = await tunnel.open()
    await tunnel.close("")

    assert link.base == url.replace("http", "ws", 1)


@pytest.mark.parametrize(
    ("listens_at", "said"),
    [
        (("192.0.2.1", 0), r"^This machine cannot listen at 192\.0\.2\.1\. Choose one of its own addresses\.$"),
        (("::ffff:127.0.0.1", 0), r"^This machine cannot listen at ::ffff:127\.0\.0\.1\."),
    ],
    ids=["an address of another machine", "an address of another kind"],
)
async def test_an_address_at_which_this_machine_cannot_listen_is_named(listens_at: tuple[str, int], said: str) -> None:
    carrier = Carrier()
    carrier.listens_at = listens_at
    tunnel = hosting(carrier)

    with pytest.raises(NetworkFault, match=said):
        await tunnel.open()
    assert tunnel.is_gone
    assert carrier.port == 0


async def test_a_port_that_is_taken_is_named_and_what_listens_there_is_left_alone() -> None:
    first = hosting(Carrier())
    port = port_of((await first.open()).text)
    carrier = Carrier()
    carrier.listens_at = ("127.0.0.1", port)

    with pytest.raises(
        NetworkFault, match=rf"^Port {port} at 127\.0\.0\.1 is taken\. Close what listens there, or choose"
    ):
        await hosting(carrier).open()
    assert not is_free(port)
    await first.close("")


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EACCES, "This user may not listen at port 80. Choose a port from 1024 on."),
        (errno.EMFILE, "No local port can be had (out of something). Free one, then try again."),
    ],
)
async def test_what_the_system_has_against_a_port_is_told_with_the_next_step(number: int, said: str) -> None:
    assert no_port(OSError(number, "out of something"), "10.0.0.1", 80) == said


async def test_the_relay_listens_where_the_transport_wants_it() -> None:
    carrier = Carrier("http://127.0.0.2:8000")
    carrier.listens_at = ("127.0.0.2", 0)
    tunnel = hosting(carrier)
    await tunnel.open()
    with socket.socket() as probe:
        there = probe.connect_ex(("127.0.0.2", carrier.port))
    elsewhere = is_free(carrier.port)
    await tunnel.close("")

    assert there == 0
    assert elsewhere


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

    assert tunnel.status().detail == "The carrier has gone home."
    assert heard.messages == []
    assert (tunnel.status().state, tunnel.status().closed_because) == ("closed", "transport_lost")
    assert is_free(carrier.port)
    assert carrier.stops == 1


async def test_a_transport_that_dies_while_it_comes_up_ends_the_tunnel_as_soon_as_it_is_open() -> None:
    carrier = Carrier()
    carrier.lost.set_exception(TransportError("It never was.\u202e" + "x" * 1_000_000))
    tunnel = hosting(carrier)
    await tunnel.open()
    await gone(tunnel)
    now = tunnel.status()

    assert now.closed_because == "transport_lost"
    assert (now.detail or "").startswith("It never was.\\u202exxx")
    assert len(now.detail or "") < 2 * DETAIL_BYTES


async def test_a_transport_that_is_lost_after_the_end_changes_nothing() -> None:
    carrier = Carrier()
    tunnel = hosting(carrier)
    await tunnel.open()
    await tunnel.close("")
    before = tunnel.status()

    carrier.lost.set_result("The carrier has gone home.")
    await asyncio.sleep(0)

    assert tunnel.status() == before
    assert before.detail is None


async def test_a_transport_that_is_given_up_is_not_lost() -> None:
    carrier = Carrier()
    tunnel = hosting(carrier)
    await tunnel.open()
    carrier.lost.cancel()
    await asyncio.sleep(0)

    assert tunnel.status().state == "waiting_for_guest"
    await tunnel.close("")


async def test_a_transport_that_fails_when_nobody_waits_any_more_is_stopped_and_harms_nobody() -> None:
    unseen: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: unseen.append(context))
    carrier = Carrier(comes_up=False, fails_late="too late")
    opening = asyncio.create_task(hosting(carrier).open())
    await carrier.starting.wait()

    opening.cancel()
    await asyncio.wait([opening])
    gc.collect()

    assert opening.cancelled()
    assert carrier.stops == 1
    assert unseen == []


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


async def test_of_a_guest_that_fell_silent_the_status_says_why_it_is_not_there() -> None:
    """KEEP-3."""
    clock = StillClock()
    tunnel = hosting(Carrier(), clock)
    bob = await joined_by("Bob", (await tunnel.open()).text)
    clock.move(SILENCE_SECONDS + 1)
    now = tunnel.status()
    with pytest.raises(GuestDroppedError) as refused:
        await tunnel.say("are you there?")
    await tunnel.close("")
    await bob.exit()

    assert (now.state, now.closed_because, now.detail) == ("peer_left", "peer_left", CLOSINGS[Closing.SILENT].doc)
    assert str(refused.value) == (
        "peer_left: This side has hung up on its guest; what was said last may not have reached it. "
        "Nothing was heard of the peer for 40 seconds. A join link admits only one guest. "
        "Close this tunnel, open a new one and send its link."
    )
    assert now.next.startswith("This side has hung up on its guest; what was said last may not have reached it. Close")
    assert (tunnel.status().closed_because, tunnel.status().detail) == ("closed_by_host", None)


async def test_of_a_guest_that_went_by_itself_there_is_no_more_to_say() -> None:
    tunnel = hosting(Carrier())
    bob = await joined_by("Bob", (await tunnel.open()).text)
    await bob.exit()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (now := tunnel.status()).state != "peer_left":
            await asyncio.sleep(0.01)
    with pytest.raises(NotSaidError, match=r"^peer_left: The guest has left"):
        await tunnel.say("are you there?")
    await tunnel.close("")

    assert now.detail is None
    assert now.next.startswith("Close this tunnel")
