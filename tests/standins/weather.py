"""The weather between two machines: packets are lost, late, or overtaken by later ones.

Loss is nftables' doing, on a machine's way in. Lateness and reordering are ours: each machine has a TUN device, and a forwarder
in this process hands on what comes out of one to the other, when its dice say so.
"""

import asyncio
import fcntl
import json
import os
import struct
import subprocess
from collections.abc import Generator
from contextlib import contextmanager, suppress
from random import Random
from typing import Final

from msgspec import Struct

from tests.standins.namespaces import Machine

HERE, THERE = "10.78.0.1", "10.78.0.2"
"""The addresses of the two machines in the forwarder's network."""

_TUNSETIFF: Final = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_PACKET_BYTES: Final = 65_536

_LOSS = """
table ip weather {{
  chain in {{
    type filter hook input priority 0
    iifname "lo" accept
    numgen random mod 1000 < {permille} counter drop
    counter accept
  }}
}}
"""


class Lost(Struct):
    """How many packets came to a machine, and how many of them were dropped."""

    packets: int
    dropped: int


@contextmanager
def loss(machine: Machine, percent: float) -> Generator[None]:
    """So many of the packets that come to a machine are dropped, by chance."""
    rules = _LOSS.format(permille=round(percent * 10))
    subprocess.run([*machine.prefix, "nft", "-f", "-"], input=rules, text=True, check=True, capture_output=True)
    try:
        yield
    finally:
        machine.run("nft", "delete", "table", "ip", "weather")


def lost(machine: Machine) -> Lost:
    """What has become of packets since the loss began."""
    told = json.loads(machine.run("nft", "-j", "list", "table", "ip", "weather"))["nftables"]
    dropped, accepted = (
        next(part["counter"]["packets"] for part in entry["rule"]["expr"] if "counter" in part)
        for entry in told
        if "rule" in entry and any("counter" in part for part in entry["rule"]["expr"])
    )
    return Lost(packets=dropped + accepted, dropped=dropped)


class Weather(Struct, kw_only=True):
    """What happens to packets, and what has happened."""

    dice: Random
    delay_seconds: float = 0.0
    """How late every packet is."""
    jitter_seconds: float = 0.0
    """How much later some are, by chance."""
    held_share: float = 0.0
    """What share of them is held for HELD_SECONDS more, so that others overtake them."""
    lost_share: float = 0.0
    """What share of them is lost."""
    packets: int = 0
    overtaken: int = 0
    lost: int = 0


HELD_SECONDS: Final = 0.05


@contextmanager
def forwarded(one: Machine, other: Machine, weather: Weather) -> Generator[None]:
    """The two machines have a way to each other at HERE and THERE, through the weather. The loop runs the forwarder."""
    with _device(one, HERE, THERE) as left, _device(other, THERE, HERE) as right:
        loop, ways = asyncio.get_running_loop(), [_Way(left, right, weather), _Way(right, left, weather)]
        for way in ways:
            loop.add_reader(way.out_of, way.take)
        try:
            yield
        finally:
            for way in ways:
                loop.remove_reader(way.out_of)
                way.has_ended = True


class _Way:
    """One way of the forwarder."""

    def __init__(self, out_of: int, into: int, weather: Weather) -> None:
        self.out_of = out_of
        self.has_ended = False
        self._into = into
        self._weather = weather
        self._taken = 0
        self._latest = 0

    def take(self) -> None:
        """Take what there is."""
        with suppress(BlockingIOError):
            while packet := os.read(self.out_of, _PACKET_BYTES):
                self._plan(packet)

    def _plan(self, packet: bytes) -> None:
        weather, dice = self._weather, self._weather.dice
        weather.packets += 1
        self._taken += 1
        if dice.random() < weather.lost_share:
            weather.lost += 1
            return
        late = weather.delay_seconds + dice.uniform(0, weather.jitter_seconds)
        if dice.random() < weather.held_share:
            late += HELD_SECONDS
        asyncio.get_running_loop().call_later(late, self._hand_on, self._taken, packet)

    def _hand_on(self, number: int, packet: bytes) -> None:
        if self.has_ended:
            return
        self._weather.overtaken += number < self._latest
        self._latest = max(self._latest, number)
        # A device whose queue is full drops a packet, as any does.
        with suppress(BlockingIOError):
            os.write(self._into, packet)


@contextmanager
def _device(machine: Machine, address: str, peer: str) -> Generator[int]:
    """A TUN device of a machine, and the descriptor that is its other end. It is gone when that is closed."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    try:
        asked = struct.pack("16sH22x", b"weather%d", _IFF_TUN | _IFF_NO_PI)
        name = fcntl.ioctl(device, _TUNSETIFF, asked)[:16].rstrip(b"\0").decode()
        # It is made here, and stays at its descriptor wherever it is moved.
        subprocess.run(["ip", "link", "set", name, "netns", machine.namespace], check=True)
        machine.run("ip", "address", "add", address, "peer", peer, "dev", name)
        machine.run("ip", "link", "set", name, "up")
        yield device
    finally:
        os.close(device)
