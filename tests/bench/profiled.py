"""Where the relay's host spends its time: the same process that is measured, under cProfile, which makes every call dearer.

It shows where to look, with `poll` for the time in which the host waits; whether a change pays is asked of `relay.cpu`.
"""

import cProfile
import pstats
import sys
from typing import Final

from tests.bench import relay, relay_host
from tests.bench.processes import MEASURED_CORE, OTHER_CORE, child, run
from tests.bench.samples import Samples, Size

SHOWN: Final = 25
"""So many functions are shown: those that take most by themselves."""


def show(size: Size) -> None:
    """Have the host carry messages with a full window, and then print its profile to standard error."""
    with child("profiled", MEASURED_CORE) as host, child("guest", OTHER_CORE) as guest:
        guest.ask("dial", link=host.hello["link"])
        relay.one_way(host, guest, size.messages, "ours", Samples())
        host.finish()


if __name__ == "__main__":
    with cProfile.Profile() as profile:
        run(relay_host.serve)
    pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(SHOWN)
