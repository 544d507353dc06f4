"""What one message costs between two agents, from the call of a say to the answer of the listen that waits for it.

Beside it stands the call of a tool that only gives its text back, and two of them, one at each of two servers: with the same client,
in turns.
"""

from contextlib import ExitStack

from tests.bench.client import BARE, OURS, Client, client, clock
from tests.bench.samples import Beside, Samples, Size, alternating, median, percentile
from tests.bench.texts import TEXT

FOREVER_MS = 45_000


def measure(size: Size) -> Samples:
    """Some rounds of both, in turns."""
    samples = Samples()
    for beside in alternating(size.rounds):
        if beside == "ours":
            _note("talk", beside, between_two(size, samples), samples)
        else:
            _note("talk", beside, echoed(size, 1), samples)
            # Nothing of ours is in it, either.
            _note("talk.two", "ours", echoed(size, 2), samples)
    return samples


def _note(name: str, beside: Beside, took: list[float], samples: Samples) -> None:
    samples.add(f"{name}.p50", beside, median(took) * 1e3)
    samples.add(f"{name}.p99", beside, percentile(took, 99) * 1e3)


def between_two(size: Size, samples: Samples) -> list[float]:
    """Open, join, and say in turns from either side."""
    with client(OURS) as host, client(OURS) as guest:
        began = clock()
        link = host.call("tunnel_open", goal="measure")["joinLink"]
        opened = clock()
        guest.call("tunnel_join", joinLink=link)
        samples.add("talk.open", "ours", (opened - began) * 1e3)
        samples.add("talk.join", "ours", (clock() - opened) * 1e3)
        cursor = guest.call("tunnel_listen", sinceSeq=0, timeoutMs=0)["cursor"]
        ends = [(host, guest), (guest, host)]
        took = [say_to_listen(*ends[each % 2], cursor + each) for each in range(size.warm + size.calls)]
        return took[size.warm :]


def say_to_listen(speaker: Client, listener: Client, since: int) -> float:
    """The seconds from a say to the answer of a listen that waits already."""
    listening = listener.begin_call("tunnel_listen", sinceSeq=since, timeoutMs=FOREVER_MS)
    # What is answered behind it says that it waits.
    listener.ask("ping")
    began = clock()
    saying = speaker.begin_call("tunnel_say", text=TEXT)
    heard = listener.answer_to(listening)
    took = clock() - began
    speaker.answer_to(saying)
    assert heard["structuredContent"]["cursor"] == since + 1
    return took


def echoed(size: Size, servers: int) -> list[float]:
    """The seconds that a call takes of each of so many bare servers, one behind the other."""
    with ExitStack() as stack:
        bare = [stack.enter_context(client(BARE)) for _ in range(servers)]
        return [_echo(bare) for _ in range(size.warm + size.calls)][size.warm :]


def _echo(bare: list[Client]) -> float:
    began = clock()
    for each in bare:
        each.answer_to(each.begin_call("echo", text=TEXT))
    return clock() - began
