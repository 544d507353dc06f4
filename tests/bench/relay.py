"""What the relay carries, beside a bare echo of the same texts on the same WebSocket layer: one guest, two cores.

A message counts when its echo is back at the guest, which is how the protocol confirms it (SEQ-3). The host's own agent does
not listen meanwhile: what a listen costs is measured by itself.
"""

from collections.abc import Mapping
from typing import Final

from tests.bench.processes import MEASURED_CORE, OTHER_CORE, Child, child
from tests.bench.samples import Beside, Samples, Size, alternating, median, percentile

WINDOW: Final = 64
HOSTS: Final[Mapping[Beside, str]] = {"ours": "relay_host", "bare": "echo_host"}


def measure(size: Size) -> Samples:
    """Some rounds of both, in turns."""
    samples = Samples()
    for beside in alternating(size.rounds):
        with child(HOSTS[beside], MEASURED_CORE) as host, child("guest", OTHER_CORE) as guest:
            guest.ask("dial", link=host.hello["link"])
            warm_up(guest, size.messages // 10)
            one_way(host, guest, size.messages, beside, samples)
            one_at_a_time(guest, size.calls, beside, samples)
            both_ways(host, guest, size.messages // 2, beside, samples)
    return samples


def warm_up(guest: Child, count: int) -> None:
    """Nobody's first messages are measured."""
    guest.ask("prepare", count=count)
    guest.ask("flow", count=count, window=WINDOW)


def one_way(host: Child, guest: Child, count: int, beside: Beside, samples: Samples) -> None:
    """Messages a second, and the host's CPU for each, with a full window."""
    guest.ask("prepare", count=count)
    before = host.ask("cpu")["seconds"]
    seconds = guest.ask("flow", count=count, window=WINDOW)["seconds"]
    used = host.ask("cpu")["seconds"] - before
    samples.add("relay.rate", beside, count / seconds)
    samples.add("relay.cpu", beside, used / count * 1e6)


def one_at_a_time(guest: Child, count: int, beside: Beside, samples: Samples) -> None:
    """How long one message takes to come back."""
    guest.ask("prepare", count=count)
    took = guest.ask("echo", count=count)["seconds"]
    samples.add("relay.echo.p50", beside, median(took) * 1e6)
    samples.add("relay.echo.p99", beside, percentile(took, 99) * 1e6)


def both_ways(host: Child, guest: Child, count: int, beside: Beside, samples: Samples) -> None:
    """Messages a second, when the host says as many as the guest from the guest's first one on, and neither waits for the other."""
    guest.ask("prepare", count=count)
    host.ask("say", count=count, waits=True)
    seconds = guest.ask("flow", count=count, window=WINDOW, others=count)["seconds"]
    samples.add("relay.both", beside, 2 * count / seconds)
