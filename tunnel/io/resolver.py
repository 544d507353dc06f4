"""Addresses of a name: from the system's resolver and, where that fails or is slow, by DNS over HTTPS."""

import asyncio
from collections.abc import Callable

from tunnel.errors import NetworkFault
from tunnel.io.lookup import DohError, Lookup, NoSuchNameError, Resolver
from tunnel.io.reach import Address


class NoAddressError(NetworkFault):
    """No address of a name was found; the text says who was asked, and what to do next."""


async def addresses(
    name: str, lookup: Lookup, doh: Callable[[], Resolver] | None, system_seconds: float, doh_seconds: float
) -> list[Address]:
    """The addresses of a name, at least one.

    Args:
        name: what to look up.
        lookup: the system's resolver, which is asked first.
        doh: makes the one that is asked when that has no answer; None when it is off.
        system_seconds: how long the system's resolver has.
        doh_seconds: how long the other one has.

    Raises:
        NoAddressError: none was found.
    """
    try:
        async with asyncio.timeout(system_seconds):
            return await lookup(name)
    except TimeoutError:
        why = f"the system's resolver did not answer within {system_seconds:g} s when it was asked for {name}"
    except (OSError, UnicodeError) as error:
        why = f"the system's resolver knows no address of {name} ({getattr(error, 'strerror', None) or 'it cannot exist'})"
    if doh is None:
        raise NoAddressError(
            f"{why}, and DNS over HTTPS is off. Check the link and your network; set TUNNEL_DOH=on to ask other resolvers too."
        )
    try:
        return await doh().addresses(name, doh_seconds)
    except NoSuchNameError:
        raise NoAddressError(
            f"{why}, and DNS over HTTPS says that it has none. The host's tunnel is probably closed; ask for a new link."
        ) from None
    except DohError:
        raise NoAddressError(
            f"{why}, and no server of DNS over HTTPS answered. Check whether this machine is online."
        ) from None
