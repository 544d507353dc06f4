"""Waits until a fresh public name is in the DNS, without asking any resolver that would remember that it was not.

Cloudflare prints a name 8 to 25 s before its record exists. A resolver with a cache that is asked in between goes on saying
"no such name" for up to half an hour, to everybody behind it. So nobody asks the system's; only servers of DNS over HTTPS.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from tunnel.io.lookup import DohError, NoSuchNameError, Resolver

FIRST_SECONDS: Final = 5.0
"""No record is there sooner."""

PAUSE_SECONDS: Final = 1.0
"""Between two questions."""

QUESTION_SECONDS: Final = 2.0
"""How long one question may take."""

LONGEST_SECONDS: Final = 40.0
"""Then the link is given anyway: some clients give up on a tool call after a minute, and the URL took its time too."""

DEAF_SECONDS: Final = 15.0
"""As long as this if no server has answered at all: nobody will tell us, and the invite takes a while to reach its guest."""

TOLD_SECONDS: Final = 5.0
"""How often it is said that we still wait."""

Pause: TypeAlias = Callable[[float], Awaitable[None]]
"""Waits for so many seconds, as `asyncio.sleep` does."""

Seconds: TypeAlias = Callable[[], float]
"""Tells the time, as the `time` of an event loop does."""


async def until_published(
    name: str,
    resolver: Resolver,
    report: Callable[[str], None],
    pause: Pause,
    clock: Seconds,
    longest: float = LONGEST_SECONDS,
) -> None:
    """Wait until the name has an address, or it is not sensible to wait any longer, which is said.

    Args:
        name: the public host name.
        resolver: who is asked.
        report: takes a line for the person.
        pause: `asyncio.sleep`, except in tests.
        clock: the time of the event loop, except in tests. What questions take counts as well as the pauses.
        longest: how long to wait at most.
    """
    asking = _Asking(name, resolver, clock, longest)
    report(f"Waiting until {name} is in the DNS; this takes some 10 to 30 s.")
    await pause(min(FIRST_SECONDS, asking.left))
    told = FIRST_SECONDS
    while asking.left > 0 and not await asking.found():
        await pause(max(0.0, min(PAUSE_SECONDS, asking.left)))
        if asking.waited >= told + TOLD_SECONDS and asking.left > 0:
            told = asking.waited
            report(f"Still waiting until {name} is in the DNS, {told:.0f} s.")
    if not asking.is_found:
        report(asking.excuse())


class _Asking:
    def __init__(self, name: str, resolver: Resolver, clock: Seconds, longest: float) -> None:
        self._name = name
        self._resolver = resolver
        self._clock = clock
        self._began = clock()
        self._longest = longest
        self._was_answered = False
        self.is_found = False

    @property
    def waited(self) -> float:
        return self._clock() - self._began

    @property
    def left(self) -> float:
        return (self._longest if self._was_answered else min(DEAF_SECONDS, self._longest)) - self.waited

    async def found(self) -> bool:
        """Ask once."""
        try:
            async with asyncio.timeout(min(QUESTION_SECONDS, self.left)):
                await self._resolver.addresses(self._name, QUESTION_SECONDS)
        except NoSuchNameError:
            self._was_answered = True
        except (DohError, TimeoutError):
            pass
        else:
            self.is_found = True
        return self.is_found

    def excuse(self) -> str:
        if self._was_answered:
            return (
                f"{self._name} is still not in the DNS after {self.waited:.0f} s. The link is given anyway; "
                "if the guest cannot reach it in a minute, close the tunnel and open it again. "
                "TUNNEL_SKIP_REACHABILITY_CHECK=1 gives links without this wait."
            )
        return (
            f"Nobody tells whether {self._name} is in the DNS: no server of TUNNEL_DOH answers from here. "
            "The link is given anyway; the guest should wait half a minute before joining. "
            "TUNNEL_DOH=off or TUNNEL_SKIP_REACHABILITY_CHECK=1 spares this wait, or set TUNNEL_DOH to a server that answers."
        )
