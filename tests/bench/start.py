"""How long a client waits before it can use the server, from the spawn to its answer, beside a bare server; and `--version`."""

import subprocess
import sys
from typing import Final

from tests.app.processes import environment
from tests.bench.client import HELLO, OURS, SERVERS, Client, clock
from tests.bench.samples import Beside, Samples, Size, alternating

VERSION: Final = {"ours": (*OURS, "--version"), "bare": (sys.executable, "-c", "pass")}


def measure(size: Size) -> Samples:
    """Some rounds of both, in turns."""
    samples = Samples()
    for beside in alternating(size.starts):
        _start(beside, samples)
        began = clock()
        subprocess.run(VERSION[beside], check=True, capture_output=True, env=environment())
        samples.add("start.version", beside, (clock() - began) * 1e3)
    return samples


def _start(beside: Beside, samples: Samples) -> None:
    began = clock()
    server = Client(SERVERS[beside])
    try:
        server.ask("initialize", **HELLO)
        samples.add("start.initialize", beside, (clock() - began) * 1e3)
        server.is_initialized()
        assert server.ask("tools/list")["tools"]
        samples.add("start.tools", beside, (clock() - began) * 1e3)
    finally:
        server.end()
