"""Each run finds what it is there for: a stand-in that leaks, loses, delays or reads after all is named."""

import asyncio
import mmap
import os
import subprocess
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from tests.endurance import crowd, cut_frames, cycles, dropped_connections, full_disk, messages, wall_clock
from tests.endurance.conversations import conversation
from tests.endurance.long_sleep import wrong as wrong_sleep
from tests.endurance.stopped_reader import MOST_BYTES, TOLD_SECONDS, Stuck
from tests.endurance.stopped_reader import wrong as wrong_reader
from tests.standins.cable import Deed, Spot
from tests.standins.meddler import Meddled, dropping, holding_up
from tests.system.test_stays_up import End
from tunnel.spec.v1.refusals import Cause
from tunnel.transport.loopback import Loopback

# --- Cycles --------------------------------------------------------------------------------------------------------------


def a_descriptor(undoing: ExitStack, _home: Path) -> None:
    undoing.callback(os.close, os.open(os.devnull, os.O_RDONLY))


def a_child(undoing: ExitStack, _home: Path) -> None:
    undoing.callback(undoing.enter_context(subprocess.Popen(["sleep", "60"])).kill)


def a_task(undoing: ExitStack, _home: Path) -> None:
    undoing.callback(asyncio.create_task(asyncio.Event().wait()).cancel)


def a_file(_undoing: ExitStack, home: Path) -> None:
    (home / str(len(list(home.iterdir())))).touch()


def memory(undoing: ExitStack, _home: Path) -> None:
    # From the system itself: in what was freed before, this would take no more room.
    taken = undoing.enter_context(closing(mmap.mmap(-1, 2_000_000)))
    taken.write(b"x" * len(taken))


LEAKS = {
    a_descriptor: "descriptor of /dev/null",
    a_child: "child",
    a_task: "task Event.wait",
    a_file: "file in its home",
    memory: "MiB more, and 5 MiB are allowed",
}


@pytest.mark.needs("proc")
@pytest.mark.parametrize(("leak", "named"), LEAKS.items(), ids=lambda leak: getattr(leak, "__name__", ""))
def test_what_a_cycle_leaves_is_named(tmp_path: Path, leak: Callable[[ExitStack, Path], None], named: str) -> None:
    with ExitStack() as undoing:

        def leaking() -> Loopback:
            leak(undoing, tmp_path)
            return Loopback()

        async def run() -> list[str]:
            faults = (await cycles.run(5, tmp_path, leaking)).faults
            undoing.close()
            return list(faults)

        (fault,) = asyncio.run(run())

    assert named in fault


# --- Messages ------------------------------------------------------------------------------------------------------------


def test_a_message_that_a_relay_drops_is_named_by_its_number(tmp_path: Path) -> None:
    """SEQ-4: the guest finds it out itself, and hears nothing behind it."""
    found = asyncio.run(messages.run(50, tmp_path, lambda: Meddled(dropping("to guest", '"seq":37,'))))

    assert "the guest: number 37 to 102 was never heard" in found.faults


def test_a_message_that_never_reaches_the_host_is_missing(tmp_path: Path) -> None:
    found = asyncio.run(messages.run(5, tmp_path, lambda: Meddled(dropping("to host", '"t":"send"')), patience=0.3))

    assert any(fault.startswith("5 were not said, 'guest 0' first: ") for fault in found.faults)


def test_a_message_that_is_held_up_is_not_confirmed_in_time(tmp_path: Path) -> None:
    held_up = holding_up("to guest", '"seq":5,', 0.6)
    found = asyncio.run(messages.run(5, tmp_path, lambda: Meddled(held_up), patience=0.3))

    assert any("The host has not confirmed the message within 0.3 s" in fault for fault in found.faults)


def test_a_message_that_is_late_is_named_by_its_number() -> None:
    assert crowd.late({4: 0.249, 5: 0.25, 6: 0.3}, crowd.LATE_SECONDS) == [
        "number 6 was heard after 300 ms, and 250 ms are allowed"
    ]


# --- The wire ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("deed", ["reset", "close"])
def test_a_conversation_that_breaks_is_not_the_same(deed: Deed) -> None:
    async def run() -> list[str]:
        async with conversation(Spot("to guest", 700, deed)) as talk:
            return await cut_frames.wrong(talk)

    assert asyncio.run(run())


def test_a_message_that_was_confirmed_and_is_not_there_is_named() -> None:
    async def run() -> tuple[list[str], list[str]]:
        async with conversation(Spot("to host", 500, "reset")) as talk:
            before = await dropped_connections.wrong(talk)
            talk.said[9] = "never said"
            return before, await dropped_connections.wrong(talk)

    before, after = asyncio.run(run())

    assert before == []
    assert after == ["these were confirmed, and the host does not have them: {9: 'never said'}"]


def test_a_host_that_a_break_has_ended_is_named() -> None:
    """LOCK-2."""

    async def run() -> list[str]:
        async with conversation(Spot("to host", 20, "reset")) as talk:
            talk.here.relay.driver.step(lambda now: talk.host.close("", now))
            return await dropped_connections.wrong(talk)

    assert asyncio.run(run()) == ["the host is closed"]


# --- Time ----------------------------------------------------------------------------------------------------------------


@pytest.mark.needs("faketime")
def test_lifetimes_that_follow_the_wall_clock_are_named(tmp_path: Path) -> None:
    """TIME-2: all clocks of these servers jump, as if there were none but the wall's."""
    found = asyncio.run(wall_clock.run(1, tmp_path, wall_only=False))

    assert "after a jump by 86400 s, linkExpiresInSec is None in state closed, and it was 600" in found.faults
    assert found.faults[-1].startswith("nobody gets in: ")


def told(seconds: float, because: str) -> End:
    status: dict[str, Any] = {"closedBecause": because}
    return End(seconds, {}, status)


def test_a_sleeper_that_is_told_late_or_otherwise_is_named() -> None:
    assert wrong_sleep("it sleeps", told(1.0, "host_silent"), 2.0, "host_silent") == []
    assert wrong_sleep("it sleeps", told(2.0, "host_gone"), 2.0, "host_silent") == [
        "it sleeps: told host_silent after 2.0 s, and 2.0 s are allowed",
        "it sleeps: told host_gone, and not host_silent",
    ]


# --- Readers and disks ---------------------------------------------------------------------------------------------------


def test_a_say_that_nobody_stops_is_named() -> None:
    stuck = Stuck(167, "", None, 1.0, 0)

    assert wrong_reader("the host", stuck, "peer_left", "peer_left") == [
        "the host said 167 messages and is told '', because of None"
    ]


def test_whoever_is_told_late_or_takes_too_much_memory_is_named() -> None:
    stuck = Stuck(3, "peer_left: gone.", Cause.IDLE.value, TOLD_SECONDS + 1, MOST_BYTES + 1)

    assert [fault.split()[2] for fault in wrong_reader("the host", stuck, "peer_left", Cause.IDLE.value)] == [
        "was",
        "took",
    ]


def test_a_person_that_is_not_told_of_a_full_disk_is_named() -> None:
    logs = {"the host": f"{full_disk.WORDS} (Read-only file system). The tunnel works without.", "the guest": ""}

    assert full_disk.untold(logs, "Read-only file system") == [
        "the guest did not say: no log of this session is kept (Read-only file system)"
    ]
