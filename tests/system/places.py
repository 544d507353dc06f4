"""Where one server of a test lives: a home of its own, a stand-in for cloudflared, and a mark on everything that is started."""

import asyncio
import os
from pathlib import Path
from typing import Any

from tests.app.processes import PATIENCE_SECONDS
from tests.standins import cloudflared
from tests.standins.leftovers import MARK, Left, left
from tunnel.core.link import JoinLink, parse

LOOK_SECONDS = 0.02
"""Nobody tells when a process, a socket or a file has come, or is gone."""

_REAL_TIME = '#!/bin/sh\nunset LD_PRELOAD FAKETIME\nexec "${0%/*}/stand-in" "$@"\n'


class Place:
    """One such place.

    Args:
        folder: where its files may be; it is made.
        name: what its mark holds.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.mark = f"{os.getpid()}-{name}"
        self.home, self._temporary, self._calls = folder / "home", folder / "tmp", folder / "calls"
        for made in (self.home, self._temporary):
            made.mkdir(parents=True)
        program = cloudflared.install(folder / "bin")
        # For the stand-in time passes as it does, also when it hurries for the server: it lives for two minutes only.
        program.rename(program.with_name("stand-in"))
        program.write_text(_REAL_TIME, encoding="utf-8")
        program.chmod(0o755)
        self._bin = program.parent

    def environment(self, **variables: str) -> dict[str, str]:
        """For the server: a session log is kept, and cloudflared is the stand-in."""
        return {
            MARK: self.mark,
            "HOME": str(self.home),
            "TMPDIR": str(self._temporary),
            "PATH": f"{self._bin}:{os.environ['PATH']}",
            "STANDIN_STATE": str(self._calls),
            "TUNNEL_TRANSPORT": "cloudflared",
            "TUNNEL_SKIP_REACHABILITY_CHECK": "1",
            "TUNNEL_SESSION_LOG": "1",
            **variables,
        }

    async def left(self) -> Left:
        """What there is of it."""
        return await asyncio.to_thread(left, self.mark, self.home, self._temporary)

    async def started(self, number: int) -> cloudflared.Call:
        """The start of cloudflared that has this number, once it has happened."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.starts()) < number:
                await asyncio.sleep(LOOK_SECONDS)
        return self.starts()[number - 1]

    def starts(self) -> list[cloudflared.Call]:
        """Every start of cloudflared, to make a tunnel."""
        return [call for call in cloudflared.calls(self._calls) if "--url" in call.arguments]

    def link(self, opened: dict[str, Any]) -> str:  # a tool's structured result
        """The link as it leads to the relay, past the edge that is not there."""
        link, start = parse(opened["joinLink"]), self.starts()[-1]
        port = start.arguments[start.arguments.index("--url") + 1].rpartition(":")[2]
        return JoinLink(base=f"ws://127.0.0.1:{port}", tunnel_id=link.tunnel_id, key=link.key).text
