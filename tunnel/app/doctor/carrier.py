"""Whether the transport that is chosen has on this machine what it needs; cloudflared has looks of its own."""

import asyncio
from typing import Final
from urllib.parse import urlsplit

from tunnel.app.doctor.aside import aside
from tunnel.app.doctor.findings import Finding, note, ok, problem
from tunnel.app.doctor.surroundings import Surroundings
from tunnel.app.doctor.visit import UnreachedError, visit
from tunnel.app.hosting import no_port
from tunnel.core.text import visible
from tunnel.errors import TunnelError
from tunnel.transport.base import Transport
from tunnel.transport.choose import DEFAULT, choose
from tunnel.transport.command import Command

_SHOWN_BYTES: Final = 200


async def carrier(at: Surroundings) -> list[Finding]:
    """Whether its address and port can be had here, its program is there, and its TLS edge answers."""
    if at.transport == DEFAULT:
        return []
    try:
        chosen = choose(at.transport, at.settings.setup(at.environment, lambda _line: None))
    except TunnelError:
        # The environment is at fault, whose own look says so.
        return []
    return [await _port(chosen), *await aside(lambda: _program(chosen)), *await _edge(at)]


async def _port(chosen: Transport) -> Finding:
    """Whether the relay could listen where the transport wants it; for an instant it does."""
    address, port = chosen.listens_at
    try:
        server = await asyncio.get_running_loop().create_server(asyncio.Protocol, address, port)
    except OSError as error:
        found, _, todo = no_port(error, address, port).partition(". ")
        return problem(found, todo)
    server.close()
    return ok(
        f"{chosen.name} can listen at {address}, {f'port {port}' if port else 'at a port that the system chooses'}"
    )


def _program(chosen: Transport) -> list[Finding]:
    if not isinstance(chosen, Command):
        return []
    try:
        return [
            ok(
                f"{visible(chosen.program(), _SHOWN_BYTES)} is there; whether it makes this machine reachable, only an open tells"
            )
        ]
    except TunnelError as error:
        found, _, todo = str(error).partition(". ")
        return [problem(found, todo)]


async def _edge(at: Surroundings) -> list[Finding]:
    """Whether anybody answers at the https:// URL of `direct`. From elsewhere it may be otherwise: no more than a note."""
    url = at.settings.url
    if at.transport != "direct" or urlsplit(url).scheme != "https":
        return []
    try:
        await visit(url, at.way())
    except UnreachedError as error:
        return [note(f"the TLS edge of TUNNEL_URL: {error}", "Start it, or correct TUNNEL_URL: guests arrive there.")]
    return [ok("the TLS edge of TUNNEL_URL answers")]
