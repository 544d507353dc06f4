"""What stands in for networks, clocks and crowds in the runs does what it says; otherwise nothing would have been endured."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests.endurance.crowd import crowded
from tests.io.dialling import answering
from tests.io.wire import PATH, opened
from tests.standins.cable import Deed, Spot, cable
from tests.standins.jumps import JumpingClock
from tests.standins.namespaces import network
from tests.standins.strangers import DEEDS
from tests.standins.weather import THERE, Weather, forwarded, loss, lost

LOOK = "import time; print(round(time.time()), round(time.monotonic()))"

STARE = """
import select, sys, threading, time

def stare():
    for number in range(30_000):
        if time.monotonic() < began:
            earlier.append(number)
        if number % 50 == 0:
            select.select([], [], [], 0.0001)

# Who waits for the interpreter's lock looks at the clock without it, and so at the same time as who has it.
sys.setswitchinterval(1e-5)
began, earlier = time.monotonic(), []
threads = [threading.Thread(target=stare) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(earlier))
"""


@pytest.mark.parametrize(("deed", "reads"), [("cut", [b"abc", b"defg"]), ("reset", [b"abc"]), ("close", [b"abc"])])
def test_a_cable_does_it_at_its_byte_and_what_came_before_has_arrived(deed: Deed, reads: list[bytes]) -> None:
    async def run() -> list[bytes]:
        taken: list[bytes] = []
        is_over = asyncio.Event()

        async def take(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            try:
                while data := await reader.read(100):
                    taken.append(data)
            finally:
                is_over.set()

        async with answering(take) as port, cable(port, Spot("to host", 3, deed)) as (at, wire):
            _, writer = await asyncio.open_connection("127.0.0.1", at)
            writer.write(b"abcdefg")
            while not wire.has_happened:
                await asyncio.sleep(0)
            writer.close()
            await is_over.wait()
        return taken

    assert asyncio.run(run()) == reads


def test_a_crowd_is_there_does_all_its_deeds_and_gets_in_nowhere() -> None:
    async def run() -> tuple[dict[str, int], int]:
        async with opened() as here:
            async with crowded(here.port, PATH, 60) as deeds:
                pass
            return deeds, here.host.transcript.last

    deeds, last = asyncio.run(run())

    assert set(deeds) == {deed.__name__ for deed in DEEDS}
    assert last == 1


@pytest.mark.needs("faketime")
@pytest.mark.parametrize(("wall_only", "jumps"), [(True, [1]), (False, [1, 1])], ids=["the wall clock", "all clocks"])
def test_a_clock_jumps_for_whoever_lives_by_it(tmp_path: Path, wall_only: bool, jumps: list[int]) -> None:
    clock = JumpingClock(tmp_path / "clock", wall_only=wall_only)

    def look() -> list[int]:
        environment = {**os.environ, **clock.environment}
        done = subprocess.run([sys.executable, "-c", LOOK], env=environment, capture_output=True, text=True, check=True)
        return [int(part) for part in done.stdout.split()]

    before = look()
    clock.jump(1_000_000)
    seconds = [now - then for then, now in zip(before, look(), strict=True)]

    assert [round(second / 1_000_000) for second in seconds] == [*jumps, 0][:2]


@pytest.mark.needs("faketime")
def test_a_clock_that_has_jumped_stays_there_for_several_threads(tmp_path: Path) -> None:
    clock = JumpingClock(tmp_path / "clock")
    clock.jump(1_000_000)
    environment = {**os.environ, **clock.environment}
    done = subprocess.run([sys.executable, "-c", STARE], env=environment, capture_output=True, text=True, check=True)

    assert int(done.stdout) == 0


def echoes(machine: tuple[str, ...], address: str) -> "subprocess.Popen[str]":
    """Somebody who sends a hundred packets, each with its number, and nobody answers."""
    program = (
        "import socket, sys; s = socket.socket(type=socket.SOCK_DGRAM); "
        "[s.sendto(bytes([n]), (sys.argv[1], 9)) for n in range(100)]"
    )
    return subprocess.Popen([*machine, sys.executable, "-c", program, address], text=True)


@pytest.mark.needs("namespaces")
@pytest.mark.needs("nft")
def test_a_share_of_the_packets_is_lost() -> None:
    with network(("one", "other")) as at:
        with loss(at["one"], 30):
            with echoes(at["other"].prefix, at["one"].addresses["other"]) as sender:
                assert sender.wait() == 0
            some = lost(at["one"])
        with loss(at["one"], 99):
            with echoes(at["other"].prefix, at["one"].addresses["other"]) as sender:
                assert sender.wait() == 0
            most = lost(at["one"])

    assert some.packets >= 100
    assert 5 < some.dropped < 60
    assert most.dropped > 80


@pytest.mark.needs("namespaces")
@pytest.mark.needs("tun")
def test_packets_are_late_overtaken_and_lost_as_the_dice_say() -> None:
    async def run() -> Weather:
        weather = Weather(
            dice=Random("a storm"), delay_seconds=0.01, jitter_seconds=0.01, held_share=0.2, lost_share=0.1
        )
        with network(("here", "there")) as at, forwarded(at["here"], at["there"], weather):
            sender = await asyncio.to_thread(echoes, at["here"].prefix, THERE)
            while sender.poll() is None or weather.packets < 100:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
        return weather

    weather = asyncio.run(run())

    assert weather.packets >= 100
    assert weather.overtaken > 10
    assert 1 < weather.lost < 40
