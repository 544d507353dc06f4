"""The way out: names, the proxy, Cloudflare's API by HTTPS, and its edge on a port of its own."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from tunnel.app.doctor.findings import Finding, note, ok, problem
from tunnel.app.doctor.surroundings import HTTPS_PORT, Surroundings
from tunnel.app.doctor.visit import UnreachedError, visit, why
from tunnel.errors import TunnelError
from tunnel.io.doh import Doh
from tunnel.io.proxies import choose
from tunnel.io.race import first
from tunnel.io.tcp import connected
from tunnel.io.trouble import SlowError
from tunnel.io.trust import tls_context
from tunnel.transport.choose import DEFAULT

STAGGER_SECONDS: Final = 0.5
"""How long a host of the edge is tried alone."""

_FIND_NAMES: Final = "Check whether this machine is online, and its name servers."
_AROUND: Final = "To go around it, name hosts in NO_PROXY."


async def dns(at: Surroundings) -> list[Finding]:
    """Whether the system's resolver, which cloudflared asks, knows the name that is needed."""
    todo = _FIND_NAMES
    try:
        async with asyncio.timeout(at.patience.system_seconds):
            found = await at.lookup(at.api)
    except TimeoutError:
        return [problem(f"the system's resolver did not answer within {at.patience.system_seconds:g} s", todo)]
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it cannot exist"
        return [problem(f"the system's resolver knows no address of {at.api} ({reason})", todo)]
    return [ok(f"the system's resolver knows {at.api} ({found[0]})")]


async def doh(at: Surroundings) -> list[Finding]:
    """Whether DNS over HTTPS, which tunnel_open asks for a new name, answers. Without it, opening takes longer."""
    servers = at.settings.doh_servers
    if not servers:
        return [note("it is off (TUNNEL_DOH): whether a new link's name is there yet cannot be asked")]
    parts = urlsplit(servers[0])
    try:
        proxy = choose(at.environment, parts.hostname or "", parts.port or HTTPS_PORT, secure=True)
        asked = Doh(servers, tls_context(at.settings.ca_file), proxy.url if proxy else None, at.lookup)
        found = await asked.addresses(at.api, at.patience.doh_seconds)
    except TunnelError as error:
        return [
            note(
                str(error).rstrip("."),
                "tunnel_open then waits longer, and warns. Set TUNNEL_DOH to https:// URLs of resolvers that your network "
                "lets you reach, or to off.",
            )
        ]
    return [ok(f"{parts.hostname} and others are asked; {at.api} is known ({found[0]})")]


async def proxy(at: Surroundings) -> list[Finding]:
    """Which proxy is used. No text holds its password."""
    try:
        found = choose(at.environment, at.api, at.api_port, secure=True)
    except TunnelError as error:
        return [problem(str(error))]
    if found is None:
        return [ok("none is used")]
    beside = (
        f"cloudflared asks for a tunnel through it, and never opens one through it: TCP or UDP {at.edge_port} must be open "
        f"beside it. {_AROUND}"
    )
    return [note(f"HTTPS and joining go through {found.shown}", beside if at.transport == DEFAULT else _AROUND)]


async def api(at: Surroundings) -> list[Finding]:
    """Whether the server is reached that gives out quick tunnels."""
    try:
        await visit(at.api_url, at.way())
    except UnreachedError as error:
        let_out = f"Let HTTPS to {at.api} out, or name your proxy in HTTPS_PROXY; or choose another transport."
        by_proxy = f"{_FIND_NAMES} Where only a proxy finds names, name it in HTTPS_PROXY."
        return [problem(str(error), by_proxy if error.no_address else let_out)]
    return [ok(f"{at.api} answers")]


async def edge(at: Surroundings) -> list[Finding]:
    """Whether cloudflared can connect to Cloudflare's edge: never through a proxy, and one host of it is enough."""
    try:
        host = await first([partial(_reached, at, host) for host in at.edges], STAGGER_SECONDS)
    except ExceptionGroup as failed:
        reasons = "; ".join(dict.fromkeys(str(error) for error in failed.exceptions))
        let_out = f"Let TCP (and UDP) {at.edge_port} to {', '.join(at.edges)} out of your firewall; or choose another transport."
        nameless = all(isinstance(error, UnreachedError) and error.no_address for error in failed.exceptions)
        return [problem(reasons, _FIND_NAMES if nameless else let_out)]
    return [ok(f"{host} takes connections (by TCP; UDP, which cloudflared tries first, is not looked at)")]


async def _reached(at: Surroundings, host: str) -> str:
    """The host, if it takes a connection."""
    try:
        async with _within(at.patience.system_seconds, f"the resolver, asked for {host},", no_address=True):
            found = await at.lookup(host)
    except (OSError, UnicodeError):
        raise UnreachedError(f"no address of {host} was found", no_address=True) from None
    try:
        async with _within(at.patience.tcp_seconds, host):
            (await connected(found, at.edge_port)).close()
    except OSError as error:
        raise UnreachedError(why(error, host)) from None
    return host


@asynccontextmanager
async def _within(seconds: float, peer: str, *, no_address: bool = False) -> AsyncGenerator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise UnreachedError(why(SlowError(seconds), peer), no_address=no_address) from None
