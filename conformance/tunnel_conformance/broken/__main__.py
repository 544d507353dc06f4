"""Runs one of them: `python -m tunnel_conformance.broken NAME` by lines, `--mcp NAME` as an MCP server; `--list` names them all."""

import argparse
import asyncio
import os

from tunnel_conformance.broken.line import SETTINGS, serve
from tunnel_conformance.broken.registry import BROKEN, CORRECT, find


def main() -> None:
    """Patch, then serve."""
    parser = argparse.ArgumentParser(
        prog="python -m tunnel_conformance.broken",
        description="Implementations that are wrong in one way each, to judge the judge with.",
    )
    parser.add_argument(
        "name", nargs="?", default=CORRECT, help=f"which one; '{CORRECT}' is the one that is not broken"
    )
    parser.add_argument("--mcp", action="store_true", help="serve MCP on stdin and stdout, instead of lines")
    parser.add_argument("--list", action="store_true", help="list them, and what they do wrong")
    parser.add_argument("--kills", action="store_true", help="list every case, and who is to fail it")
    asked = parser.parse_args()
    if asked.kills:
        _show_kills()
        return
    if asked.list:
        for broken in BROKEN:
            print(f"{broken.id:42}  {broken.doc}")  # noqa: T201 - for people
        return
    try:
        broken = find(asked.name)
    except LookupError as error:
        parser.error(str(error))
    if broken:
        broken.patch()
    _serve_mcp() if asked.mcp else asyncio.run(serve())


def _show_kills() -> None:
    from tunnel_conformance.broken.kills import table
    from tunnel_conformance.spec import spec

    print(table(spec().cases.cases, BROKEN))  # noqa: T201 - for people


def _serve_mcp() -> None:
    from tunnel.app.serve import run

    os.environ.update(SETTINGS)
    run()


if __name__ == "__main__":
    main()
