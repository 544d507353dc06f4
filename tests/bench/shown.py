"""How figures are written for people: three digits that count, thousands apart, and a unit that they know."""

from typing import Final

from tests.bench.record import Figure

UNITS: Final = {"/s": "/s", "us": "µs", "ms": "ms", "s": "s", "MiB": "MiB", "B": "B", "x": "×"}  # noqa: RUF001 - a page writes it so
"""As they are written on the page."""


def number(value: float) -> str:
    """`36,100`, `13.9`, `0.41`: three digits that count."""
    if value == 0:
        return "0"
    whole = f"{value:.3g}"
    return f"{float(whole):,.0f}" if abs(value) >= 100 else whole


def amount(value: float, unit: str) -> str:
    """With its unit: `13.9 µs`."""
    return f"{number(value)} {UNITS[unit]}" if unit != "/s" else f"{number(value)}/s"


def exact(value: float, unit: str) -> str:
    """As it was written down, and not as it was measured: `1,024 B`."""
    return f"{value:,g} {UNITS[unit]}"


def figure(given: Figure | None) -> str:
    """The median with its quartiles: `13.9 µs (13.8 to 14.3)`."""
    if given is None:
        return "-"
    spread = f" ({number(given.low)} to {number(given.high)})" if given.rounds > 1 else ""
    return f"{amount(given.median, given.unit)}{spread}"
