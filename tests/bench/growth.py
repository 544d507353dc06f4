"""What grows with a tunnel: a say and a listen with the transcript behind them, and the relay with sockets that stay idle."""

from collections.abc import Callable
from functools import partial

from tests.bench.client import BARE, OURS, Client, client, clock
from tests.bench.processes import MEASURED_CORE, OTHER_CORE, child
from tests.bench.relay import HOSTS, WINDOW, one_way, warm_up
from tests.bench.samples import Beside, Samples, Size, alternating, median, percentile
from tests.bench.texts import TEXT

WARM = 100
"""How many calls go before those that are timed, at most."""


def measure(size: Size) -> Samples:
    """Some rounds of each."""
    samples = Samples()
    for _ in range(size.slow_rounds):
        _host(size, samples)
        _guest(size, samples)
    for beside in alternating(size.slow_rounds):
        for sockets in size.sockets:
            _idle(beside, sockets, size, samples)
    return samples


def _host(size: Size, samples: Samples) -> None:
    """The server that opened: a guest fills its transcript."""
    with client(OURS) as server, client(BARE) as bare, child("guest", None) as guest:
        guest.ask("dial", link=server.call("tunnel_open", goal="measure")["joinLink"])
        read = [server.call("tunnel_status")["lastSeq"]]

        def fill(count: int) -> None:
            unread = server.call("tunnel_status")["lastSeq"] - read[0]
            guest.ask("prepare", count=count)
            guest.ask("flow", count=count, window=WINDOW, others=unread)
            read[0] += unread + count

        _at_each_length(server, fill, "host", size, samples, bare)


def _guest(size: Size, samples: Samples) -> None:
    """The server that joined: a host fills its transcript."""
    with client(OURS) as server, child("relay_host", None) as host:
        server.call("tunnel_join", joinLink=host.hello["link"])

        def fill(count: int) -> None:
            wanted = server.call("tunnel_status")["lastSeq"] + count
            host.ask("say", count=count)
            while (last := server.call("tunnel_status")["lastSeq"]) < wanted:
                server.call("tunnel_listen", sinceSeq=last, timeoutMs=1000)

        _at_each_length(server, fill, "guest", size, samples)


def _at_each_length(
    server: Client, fill: Callable[[int], None], end: str, size: Size, samples: Samples, bare: Client | None = None
) -> None:
    for length in size.lengths:
        fill(length - server.call("tunnel_status")["lastSeq"])
        last = server.call("tunnel_status")["lastSeq"]
        heard = partial(server.call, "tunnel_listen", sinceSeq=last - 1, timeoutMs=0)
        _note(f"{end}_listen", length, heard, size.few, samples)
        # A say makes the transcript longer: in a short one there are fewer of them.
        _note(f"{end}_say", length, partial(server.call, "tunnel_say", text=TEXT), min(size.few, length // 4), samples)
        if bare:
            _note("call", length, partial(bare.call, "echo", text=TEXT), size.few, samples)


def _note(what: str, length: int, call: Callable[[], object], times: int, samples: Samples) -> None:
    """Median and p99 of so many calls in milliseconds, behind at most as many that warm up."""
    for _ in range(min(times, WARM)):
        call()
    took = [_timed(call) for _ in range(times)]
    samples.add(f"growth.{what}.{length}", "ours", median(took) * 1e3)
    samples.add(f"growth.{what}_p99.{length}", "ours", percentile(took, 99) * 1e3)


def _idle(beside: Beside, sockets: int, size: Size, samples: Samples) -> None:
    """The relay, while others have connected and say nothing: a fresh one, for the last one's messages are no part of this."""
    noted = Samples()
    with child(HOSTS[beside], MEASURED_CORE) as host, child("guest", OTHER_CORE) as guest:
        guest.ask("dial", link=host.hello["link"])
        warm_up(guest, size.messages // 10)
        guest.ask("crowd", link=host.hello["link"], count=sockets)
        one_way(host, guest, size.messages // 2, beside, noted)
    for name in ("rate", "cpu"):
        (value,) = noted.of(f"relay.{name}", beside)
        samples.add(f"growth.idle_{name}.{sockets}", beside, value)


def _timed(call: Callable[[], object]) -> float:
    began = clock()
    call()
    return clock() - began
