"""What a server process holds: after its start, after open, with a long transcript, and after all of it was read."""

import psutil

from tests.bench.client import SERVERS, Client, client
from tests.bench.processes import child
from tests.bench.relay import WINDOW
from tests.bench.samples import Beside, Samples, Size, alternating

MIB = 1024 * 1024


def measure(size: Size) -> Samples:
    """Some rounds of both, in turns."""
    samples = Samples()
    for beside in alternating(size.slow_rounds):
        with client(SERVERS[beside]) as server:
            server.ask("tools/list")
            _note(server, beside, samples)
            if beside == "ours":
                _talk(server, size, samples)
    return samples


def _note(server: Client, beside: Beside, samples: Samples) -> None:
    samples.add("memory.start", beside, resident(server))
    samples.add("memory.unshared", beside, psutil.Process(server.pid).memory_full_info().uss / MIB)


def _talk(host: Client, size: Size, samples: Samples) -> None:
    link = host.call("tunnel_open", goal="measure")["joinLink"]
    opened = resident(host)
    samples.add("memory.open", "ours", opened)
    with child("guest", None) as guest:
        guest.ask("dial", link=link)
        guest.ask("prepare", count=size.messages)
        guest.ask("flow", count=size.messages, window=WINDOW)
        kept = resident(host)
        samples.add("memory.kept", "ours", kept)
        samples.add("memory.message", "ours", (kept - opened) * MIB / size.messages)
        _read_all(host, size.messages)
        samples.add("memory.read", "ours", resident(host))


def _read_all(host: Client, messages: int) -> None:
    cursor, heard, more = 0, 0, True
    while more:
        portion = host.call("tunnel_listen", sinceSeq=cursor, timeoutMs=0)
        heard += len(portion["messages"])
        cursor, more = portion["cursor"], portion["more"]
    assert heard >= messages


def resident(server: Client) -> float:
    """MiB of it that are in memory, shared pages included."""
    return psutil.Process(server.pid).memory_info().rss / MIB
