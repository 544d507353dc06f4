"""All looks at this machine, taken at once; each is bounded in time, and none of them hides another."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from msgspec import Struct

from tunnel.app.doctor import agents, carrier, clock, machine, network, program
from tunnel.app.doctor.findings import Finding, Row, note, problem
from tunnel.app.doctor.surroundings import Surroundings
from tunnel.core.text import visible
from tunnel.transport.choose import DEFAULT

CHECK_SECONDS: Final = 15.0
"""How long any of them may take, and so all of them together."""

_SHOWN_BYTES: Final = 1000

Done = Callable[[str], None]


class Check(Struct, frozen=True):
    """One look."""

    name: str
    """Stable: programs read it."""
    title: str
    look: Callable[[Surroundings], Awaitable[list[Finding]]]
    is_for_cloudflared: bool = False
    """Whether nothing else needs it."""


CHECKS: Final = (
    Check("python", "Python", machine.python),
    Check("environment", "environment", machine.environment),
    Check("transport", "transport", carrier.carrier),
    Check("cloudflared", "cloudflared", program.cloudflared, is_for_cloudflared=True),
    Check("proxy", "proxy", network.proxy),
    Check("dns", "DNS", network.dns, is_for_cloudflared=True),
    Check("doh", "DNS by HTTPS", network.doh, is_for_cloudflared=True),
    Check("https", "port 443", network.api, is_for_cloudflared=True),
    Check("edge", "port 7844", network.edge, is_for_cloudflared=True),
    Check("clock", "clock", clock.clock),
    Check("skill", "skill", agents.skill),
    Check("clients", "MCP clients", agents.clients),
)
TITLES: Final = {check.name: check.title for check in CHECKS}


async def examine(
    at: Surroundings,
    done: Done = lambda _name: None,
    checks: Sequence[Check] = CHECKS,
    seconds: float = CHECK_SECONDS,
) -> list[Row]:
    """What all of them find, in their order; what is not needed was not looked at, and is named at the end.

    Args:
        at: the machine.
        done: told the name of each one that is done.
        checks: which.
        seconds: how long each may take.
    """
    passed_over = [check for check in checks if check.is_for_cloudflared and at.transport != DEFAULT]
    for check in passed_over:
        done(check.name)
    found = await asyncio.gather(*(_examine(check, at, done, seconds) for check in checks if check not in passed_over))
    return [*(row for rows in found for row in rows), *_not_needed(passed_over)]


async def _examine(check: Check, at: Surroundings, done: Done, seconds: float) -> list[Row]:
    try:
        async with asyncio.timeout(seconds):
            findings = await check.look(at)
    except TimeoutError:
        findings = [problem(f"it was not known after {seconds:g} s", "Something hangs. Check disk and network.")]
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one, the others are wanted all the more
        findings = [problem(f"this look failed by itself ({type(error).__name__})", "This is a bug. Please report it.")]
    done(check.name)
    return [_row(check, finding) for finding in findings]


def _not_needed(passed_over: Sequence[Check]) -> list[Row]:
    titles = ", ".join(check.title for check in passed_over)
    return [_row(check, note(f"not looked at, as another transport is chosen: {titles}")) for check in passed_over[:1]]


def _row(check: Check, finding: Finding) -> Row:
    return Row(
        check=check.name,
        verdict=finding.verdict,
        found=visible(finding.found, _SHOWN_BYTES),
        todo=visible(finding.todo, _SHOWN_BYTES),
    )
