"""What can be asked on the command line: every command with what it takes, and the versions that it is about."""

import argparse
from pathlib import Path
from typing import Final

from spec.compiler.promela import PEERS
from spec.compiler.promela_spin import SECONDS

COMMANDS: Final = {
    "build": "write the generated files",
    "check": "compare the generated files, whole texts, with what build would write, and frozen tables with what was frozen",
    "lint": "totality, unreachable states, unknown or uncarried rules, rules without a case, edits to what is frozen",
    "explore": "walk through all that the machines can do, alone and together",
    "mutate": "make every small mistake in the tables, and ask what notices it",
    "trace": "follow every rule to its rows, invariants, cases and tests, as Markdown on stdout",
    "promela": "the machines with their claims as a model for SPIN, on stdout",
    "proof": "ask SPIN whether the claims hold, and compare with what is recorded",
    "docs": "write the generated pages of the documentation below docs/",
    "archive": "pack tables, vectors, proofs, exports and bundle, for other languages",
    "graph": "draw a machine as Mermaid text on stdout",
    "freeze": "record what peers can see of a version: from then on it stays as it is",
    "release": "add the frozen edition of a version to the table of what was released",
    "next": "begin the next version: a draft that says what the last one says, in a folder of its own",
}

EVERY: Final = ("build", "check", "lint")
"""These are about all versions, and the others about one, unless they are told."""

ABOUT_RELEASES: Final = (*EVERY, "freeze", "release")
"""These ask first whether what was released is still what it was."""


def parser() -> argparse.ArgumentParser:
    """Reads a command with its arguments."""
    made = argparse.ArgumentParser(prog="python -m spec.compiler", description="Compile, check and draw the spec.")
    added = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    each = {name: added.add_parser(name, help=says) for name, says in COMMANDS.items()}
    each["mutate"].add_argument("--core", action="store_true", help="ask the real host and guest as well")
    each["mutate"].add_argument("--sample", type=int, metavar="N", help="only so many mutants, drawn by chance")
    each["mutate"].add_argument(
        "--seed", type=int, default=0, metavar="S", help="another number draws others (default: 0)"
    )
    scenes = "host (default), crowd, together or guest; see proofs/README.md"
    each["promela"].add_argument("scene", nargs="?", choices=PEERS, default="host", help=scenes)
    each["proof"].add_argument("--write", action="store_true", help="record the results")
    within = f"how long everything may take together (default: {SECONDS:g})"
    each["proof"].add_argument("--within", type=float, default=SECONDS, metavar="SECONDS", help=within)
    each["archive"].add_argument("folder", type=Path, help="where the archive is written")
    each["graph"].add_argument("machine", nargs="?", help="session, connection or guest; all of them when left out")
    each["freeze"].add_argument("version", nargs="?", type=int, metavar="N", help="of the wire (default: the last)")
    each["release"].add_argument("version", nargs="?", type=int, metavar="N", help="of the wire (default: the last)")
    for name in COMMANDS.keys() - {"freeze", "release", "next"}:
        which = "all" if name in EVERY else "the one that the program speaks"
        each[name].add_argument("--version", type=int, metavar="N", help=f"of the wire (default: {which})")
    return made
