"""Seal, open, base64url and the codec, timed by pyperf: warm, in processes of its own, with the loop taken off."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pyperf

from tests.app.processes import environment
from tests.bench.samples import Samples, Size

SECONDS_TO_US = 1e6
PROCESSES = "6"
"""In how many each function is timed, three times in each."""


def measure(size: Size) -> Samples:
    """As pyperf does it; a quick one takes one value of one function."""
    samples = Samples()
    with TemporaryDirectory() as folder:
        written = Path(folder, "functions.json")
        how = (
            ["--debug-single-value", "--only", size.one_function]
            if size.one_function
            else ["--fast", "--processes", PROCESSES]
        )
        subprocess.run(
            [
                sys.executable,
                "-m",
                "tests.bench.functions_timed",
                "--quiet",
                "--inherit-environ=PYTHONPATH",
                *how,
                "-o",
                str(written),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            env=environment(),
        )
        for one in pyperf.BenchmarkSuite.load(str(written)).get_benchmarks():
            samples.values[one.get_name()] = [value * SECONDS_TO_US for value in one.get_values()]
    return samples
