"""What another event loop would give the relay; nobody needs it, and it is measured where it is installed."""

from importlib.util import find_spec

from tests.bench import relay
from tests.bench.processes import MEASURED_CORE, OTHER_CORE, child
from tests.bench.samples import Samples, Size, alternating


def measure(size: Size) -> Samples:
    """Some rounds of both, in turns; nothing, where there is no uvloop."""
    samples = Samples()
    for beside in alternating(size.slow_rounds if find_spec("uvloop") else 0):
        noted = Samples()
        with child(relay.HOSTS[beside], MEASURED_CORE, "uvloop") as host, child("guest", OTHER_CORE) as guest:
            guest.ask("dial", link=host.hello["link"])
            relay.warm_up(guest, size.messages // 10)
            relay.one_way(host, guest, size.messages, beside, noted)
        for name in ("rate", "cpu"):
            (value,) = noted.of(f"relay.{name}", beside)
            samples.add(f"uvloop.{name}", beside, value)
    return samples
