"""Says what to do when cloudflared fails again and again: whether the program is cloudflared at all is asked only then.

Asked before, a slow answer would delay everybody, and a stand-in that knows no `--version` could not be used.
"""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tunnel.transport.asset import by_hand, shown
from tunnel.transport.base import TransportError
from tunnel.transport.child import Child

VERSION_SECONDS: Final = 5.0
"""How long a program may take to be started, and to say what it is."""

_VERSION: Final = re.compile(r"\bcloudflared version (\d[\w.+-]{0,30})", re.ASCII)


def next_step(program: Path, *, is_cloudflared: bool) -> str:
    """What to do about a program that names no public URL, in sentences."""
    if is_cloudflared:
        return (
            "Either this machine has no way to the internet, or a firewall blocks port 7844 (TCP and UDP) outbound, or "
            "Cloudflare gives your network no more quick tunnels for now. Check these, or wait some minutes, then try "
            "again; or set TUNNEL_TRANSPORT to direct, command or loopback."
        )
    return (
        f"Asked for its version, {shown(program)} does not answer like cloudflared. Remove it, or put the real one "
        f"before it on PATH. {by_hand()}"
    )


async def answers_like_cloudflared(
    program: Path, environment: Mapping[str, str], seconds: float = VERSION_SECONDS
) -> bool:
    """Whether the program says, asked for its version, that it is cloudflared."""
    return await cloudflared_version(program, environment, seconds) is not None


async def cloudflared_version(
    program: Path, environment: Mapping[str, str], seconds: float = VERSION_SECONDS
) -> str | None:
    """The version that the program says it is of, if it says that it is cloudflared."""
    try:
        child = await Child.start([str(program), "--version"], environment, seconds)
    except TransportError:
        return None
    try:
        async with asyncio.timeout(seconds):
            async for line in child.lines():
                if found := _VERSION.search(line):
                    return found[1]
    except TimeoutError:
        pass
    finally:
        await child.stop()
    return None
