"""Whether this machine's clock is right: certificates are judged by it."""

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Final

from tunnel.app.doctor.findings import Finding, note, ok, problem
from tunnel.app.doctor.surroundings import Surroundings
from tunnel.app.doctor.visit import UnreachedError, visit
from tunnel.io.race import first

TOLERATED_SECONDS: Final = 60.0

STAGGER_SECONDS: Final = 1.0
"""How long a server is asked alone."""

_DATE: Final = re.compile(r"(?im)^date:[ \t]*([^\r\n]{1,64})")
_COMPARE: Final = (
    "Compare what `date -u` prints with another clock, and set it if it is off: certificates are judged by it."
)
_SET_IT: Final = "Set the clock, or let the system set it (NTP): certificates are judged by it."


async def clock(at: Surroundings) -> list[Finding]:
    """Compare it with the time of the first server that tells one, of those that are asked for names, and Cloudflare's."""
    servers = [*at.settings.doh_servers, at.api_url]
    try:
        off = await first([partial(_off, at, server) for server in servers], STAGGER_SECONDS)
    except ExceptionGroup as failed:
        if any(isinstance(error, UnreachedError) and error.wrong_time for error in failed.exceptions):
            return [problem("certificates that are good now are not valid by this machine's clock", _SET_IT)]
        return [note(f"nobody could be asked for the time ({failed.exceptions[0]})", _COMPARE)]
    if abs(off) > TOLERATED_SECONDS:
        return [problem(f"it is {_spelled(abs(off))} {'behind' if off > 0 else 'ahead'}", _SET_IT)]
    return [ok(f"it is right to within {max(abs(off), 1):.0f} s")]


async def _off(at: Surroundings, url: str) -> float:
    """How many seconds a server's clock is before ours."""
    began = at.unix_seconds()
    head = await visit(url, at.way())
    here = (began + at.unix_seconds()) / 2
    told = _DATE.search(head)
    try:
        date = parsedate_to_datetime(told[1] if told else "")
        # A date that names no zone is in UTC (RFC 5322 section 3.3).
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - here
    except (ValueError, OverflowError):
        raise UnreachedError("a server answered without a date") from None


def _spelled(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
