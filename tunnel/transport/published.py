"""Waits until a fresh public name is in the DNS, without asking any resolver that would remember that it was not.

Cloudflare prints a name 8 to 25 s before its record exists. A resolver with a cache that is asked in between goes on saying
"no such name" for up to half an hour, to everybody behind it. So nobody asks the system's; only servers of DNS over HTTPS.
"""

import asyncio
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv6Address
from typing import Final, Protocol, TypeAlias

from tunnel.io.doh import DohError, NoSuchNameError

FIRST_SECONDS: Final = 5.0
"""No record is there sooner."""

PAUSE_SECONDS: Final = 1.0
"""Between two questions."""

LONGEST_SECONDS: Final = 60.0
"""Then the link is given anyway."""

DEAF_SECONDS: Final = 30.0
"""As long as this if no server has answered at all: the record is there by then, and nobody will tell us."""

TOLD_SECONDS: Final = 5
"""How often it is said that we still wait."""

Pause: TypeAlias = Callable[[float], Awaitable[None]]
"""Waits for so many seconds, as `asyncio.sleep` does."""


class Resolver(Protocol):
    """Who is asked: `tunnel.io.doh.Doh`."""

    async def addresses(self, name: str, seconds: float) -> list[IPv4Address | IPv6Address]:
        """The addresses of a name."""
        ...


async def until_published(name: str, resolver: Resolver, report: Callable[[str], None], pause: Pause) -> None:
    """Wait until the name has an address, or it is not sensible to wait any longer, which is said.

    Args:
        name: the public host name.
        resolver: who is asked.
        report: takes a line for the person.
        pause: `asyncio.sleep`, except in tests.
    """
    asking = _Asking(name, resolver)
    try:
        # A limit in time beside the one in turns: a question takes time too.
        async with asyncio.timeout(LONGEST_SECONDS):
            report(f"Waiting until {name} is in the DNS; this takes some 10 to 30 s.")
            await pause(FIRST_SECONDS)
            waited = FIRST_SECONDS
            while not await asking.found() and waited < asking.patience:
                await pause(PAUSE_SECONDS)
                waited += PAUSE_SECONDS
                if waited % TOLD_SECONDS == 0:
                    report(f"Still waiting until {name} is in the DNS, {waited:g} s.")
    except TimeoutError:
        pass
    if not asking.is_found:
        report(asking.excuse())


class _Asking:
    def __init__(self, name: str, resolver: Resolver) -> None:
        self._name = name
        self._resolver = resolver
        self._was_answered = False
        self.is_found = False

    @property
    def patience(self) -> float:
        return LONGEST_SECONDS if self._was_answered else DEAF_SECONDS

    async def found(self) -> bool:
        """Ask once."""
        try:
            await self._resolver.addresses(self._name, PAUSE_SECONDS * 2)
        except NoSuchNameError:
            self._was_answered = True
        except DohError:
            pass
        else:
            self.is_found = True
        return self.is_found

    def excuse(self) -> str:
        if self._was_answered:
            return (
                f"{self._name} is still not in the DNS. The link is given anyway; "
                "if the guest cannot reach it in a minute, close the tunnel and open it again."
            )
        return (
            f"Nobody tells whether {self._name} is in the DNS: no server of TUNNEL_DOH answers from here. "
            "The link is given anyway; the guest should wait half a minute before joining."
        )
