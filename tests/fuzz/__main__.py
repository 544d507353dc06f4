"""`python -m tests.fuzz [TARGET ...] --seconds N`: throws bytes at what reads bytes, and follows what they reach.

With `--date` the runs are recorded in `recorded.json`. With `--self-test` nothing is fuzzed, and a planted bug is looked for.
"""

import argparse
import platform
import sys
from collections.abc import Sequence

from tests.fuzz import corpus, record
from tests.fuzz.campaign import NoEngine, Reached, engine_version, fuzz
from tests.fuzz.guidance import self_test
from tests.fuzz.target import TRACED


def main(arguments: Sequence[str] | None = None) -> int:
    """The number of claims that did not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz what reads bytes from outside.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"one or more of {', '.join(TRACED)}; all of them")
    parser.add_argument("--seconds", type=int, default=60, help="how long each is fuzzed")
    parser.add_argument("--date", help="record the runs, as of this day")
    parser.add_argument("--self-test", action="store_true", help="see whether a planted bug is found")
    said = parser.parse_args(arguments)
    if unknown := set(said.targets) - set(TRACED):
        parser.error(f"no target: {', '.join(sorted(unknown))}; there are {', '.join(TRACED)}")
    try:
        print(engine_version(), flush=True)
        if said.self_test:
            return self_test()
        return sum(_fuzzed(name, said.seconds, said.date) for name in said.targets or TRACED)
    except NoEngine as error:
        print(error, file=sys.stderr)
        return 1


def _fuzzed(name: str, seconds: int, date: str | None) -> bool:
    """Whether the claim did not hold."""
    print(f"{name:12}", end="", flush=True)
    reached = fuzz(name, seconds)
    inputs, size = corpus.size(name)
    print(f"{reached.runs:>9} runs, {reached.edges:>4} edges; kept: {inputs} inputs, {size} bytes", flush=True)
    if reached.broken:
        print(f"{reached.broken}\nIts input is in {corpus.CORPUS / name}: rename it by what is wrong, and mend it.")
    elif date:
        _record(name, date, reached)
    return bool(reached.broken)


def _record(name: str, date: str, reached: Reached) -> None:
    inputs, size = corpus.size(name)
    row = record.Row(
        date=date,
        engine=engine_version(),
        python=platform.python_version(),
        seconds=reached.seconds,
        runs=reached.runs,
        edges=reached.edges,
        features=reached.features,
        inputs=inputs,
        bytes=size,
    )
    known = record.read() | {name: row}
    record.write({name: known[name] for name in TRACED if name in known})


if __name__ == "__main__":
    sys.exit(main())
