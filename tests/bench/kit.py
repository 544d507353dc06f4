"""How long somebody waits who has the conformance kit judge this server as a host."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.app.processes import environment
from tests.bench.client import clock
from tests.bench.samples import QUICK, Samples, Size

ROOT = Path(__file__).parents[2]
SUBJECT: Final = ("--", sys.executable, "-m", "tunnel")
WITHOUT_TIME: Final = ("--time", "none")


def measure(size: Size) -> Samples:
    """Once each: it is a matter of minutes. A quick one does not begin, for no part of it is quick."""
    samples = Samples()
    if size != QUICK:
        samples.add("kit.no_time", "ours", _seconds(*WITHOUT_TIME))
        if shutil.which("faketime"):
            samples.add("kit.all", "ours", _seconds())
    return samples


def command(*options: str) -> list[str]:
    """A run of the kit on this server, as a host."""
    return [sys.executable, "-m", "tunnel_conformance", "host", *options, *SUBJECT]


def _seconds(*options: str) -> float:
    began = clock()
    paths = os.pathsep.join(map(str, (ROOT, ROOT / "conformance")))
    subprocess.run(command(*options), check=True, capture_output=True, env=environment(PYTHONPATH=paths))
    return clock() - began
