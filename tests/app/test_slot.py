"""One tunnel at a time, and what has ended stays readable until the next one comes about."""

import os

import pytest

from tests.app.ends import Carrier, StillClock, is_free
from tunnel.app.hosting import Hosting
from tunnel.app.slot import NoTunnelError, OccupiedError, Slot

pytestmark = pytest.mark.anyio


def tunnel(carrier: Carrier | None = None) -> Hosting:
    return Hosting("pair", "Alice", carrier or Carrier(), StillClock(), os.urandom)


async def ended(slot: Slot) -> Hosting:
    """A tunnel that came about in the slot and has ended."""
    taken = slot.take(tunnel)
    await taken.open()
    slot.keep(taken)
    await taken.close("")
    return taken


async def test_an_empty_slot_says_how_to_fill_it() -> None:
    with pytest.raises(NoTunnelError, match=r"tunnel_open.*tunnel_join"):
        Slot().occupied()


async def test_a_second_tunnel_is_not_even_made() -> None:
    slot = Slot()
    first = slot.take(tunnel)

    def never() -> Hosting:
        raise AssertionError("made although there is no room")

    with pytest.raises(OccupiedError):
        slot.take(never)
    assert slot.tunnel is first
    await first.close("")


async def test_what_has_ended_makes_room() -> None:
    slot = Slot()
    first = await ended(slot)
    assert slot.occupied() is first

    second = slot.take(tunnel)

    assert slot.occupied() is second
    await second.close("")


async def test_what_did_not_come_about_leaves_what_ended_before_it() -> None:
    slot = Slot()
    first = await ended(slot)
    failed = slot.take(tunnel)
    await failed.close("")
    slot.leave(failed)

    assert slot.occupied() is first


async def test_what_was_closed_while_it_was_opened_is_not_what_ended_last() -> None:
    slot = Slot()
    first = await ended(slot)
    closed = slot.take(tunnel)
    await closed.close("")
    failed = slot.take(tunnel)
    slot.leave(closed)
    assert slot.occupied() is failed
    await failed.close("")
    slot.leave(failed)

    assert slot.occupied() is first


async def test_shutting_ends_what_is_open_and_lets_nothing_in() -> None:
    slot, carrier = Slot(), Carrier()
    taken = slot.take(lambda: tunnel(carrier))
    await taken.open()

    await slot.shut()

    assert taken.status().closed_because == "process_exit"
    assert is_free(carrier.port)
    with pytest.raises(OccupiedError, match="this process is ending"):
        slot.take(tunnel)


async def test_shutting_an_empty_slot_is_nothing() -> None:
    slot = Slot()
    await slot.shut()

    with pytest.raises(OccupiedError):
        slot.take(tunnel)
