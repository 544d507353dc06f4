"""How figures are written in a text: numbers in digits or words, with a unit of time, size, rate or ratio, or of what is counted."""

import re
from collections.abc import Iterable
from typing import Final

_FEW: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_MORE: Final = {
    "twenty": 20.0,
    "thirty": 30.0,
    "half an": 0.5,
    "half a": 0.5,
    "a quarter of an": 0.25,
    "a quarter of a": 0.25,
}
_ROUND: Final = {"a hundred": 100.0, "a thousand": 1000.0, "a million": 1e6}
_LITTLE: Final = {"a": 1.0}
"""What costs `a microsecond` is a claim; `a second` and `an hour` are mostly no figures."""
_MULTIPLES: Final = {"half": 0.5, "twice": 2.0, "double": 2.0, "thrice": 3.0}
NUMBERS: Final = {word: float(value) for value, word in enumerate(_FEW)} | _MORE | _ROUND | _MULTIPLES | _LITTLE

SECONDS: Final = {
    **dict.fromkeys(("ns", "nanosecond", "nanoseconds"), 1e-9),
    **dict.fromkeys(("µs", "us", "usec", "microsecond", "microseconds"), 1e-6),
    **dict.fromkeys(("ms", "msec", "msecs", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hour", "hours"), 3600.0),
    **dict.fromkeys(("day", "days"), 86_400.0),
}
BYTES: Final = {
    **dict.fromkeys(("b", "byte", "bytes"), 1.0),
    "kib": 1024.0,
    "mib": 1024.0**2,
    "gib": 1024.0**3,
    "kb": 1e3,
    "mb": 1e6,
    "gb": 1e9,
}
RATIOS: Final = {**dict.fromkeys(("x", "×", "times"), 1.0), **dict.fromkeys(("%", "percent", "per cent"), 0.01)}  # noqa: RUF001 - as a page writes it
COUNTED: Final = (
    "messages|cycles|tunnels|sockets|connections|packets|runs|inputs|cuts|breaks|exchanges|edges|features|times|guests|conversations|"
    "frames|calls|sessions|jumps|stops"
)
"""What papers count."""

MANY: Final = 20
"""From so many on, a count is a figure: fewer are counted by who reads."""


def _any(words: Iterable[str]) -> str:
    """The longest first: `ms` is no `m`."""
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


_DIGITS: Final = r"\d[\d,]*(?:\.\d+)?k?"
_NUMBER: Final = rf"({_DIGITS}|{_any([*_FEW, *_MORE, *_ROUND])})"
_GAP: Final = r"(?:[*`]*[ \u00a0-][*`]*|(?<=[\dk])[*`]*)"
"""Digits may touch their unit; words may not, or `ones` would be a second."""

_CARRIED: Final = r"(?:messages?|msgs?|frames?|calls?|exchanges?|connections?|runs?)"
_RATE: Final = rf"(?:{_CARRIED} ?)?(?:/sec|/second|/s)|(?:{_CARRIED} )?(?:a|per) second"
_BEFORE: Final = r"(?<![\w.:/])(?<![a-zA-Z]-)"
_BEHIND: Final = r"(?![\w/])"
_RATIO: Final = _any(RATIOS)
_OF_TIME_OR_SIZE: Final = _any([*SECONDS, *BYTES])
_MULTIPLE: Final = r"(?:as|the) [a-z]+"

FIGURES: Final = tuple(
    re.compile(_BEFORE + each + _BEHIND, re.IGNORECASE)
    for each in (
        rf"{_NUMBER}{_GAP}({_RATE})",
        rf"{_NUMBER}{_GAP}({_OF_TIME_OR_SIZE})",
        r"(a) (nanosecond|microsecond|millisecond)",
        rf"({_DIGITS}){_GAP}({_RATIO})",
        rf"{_NUMBER} (times (?:as|faster|slower|larger|smaller|more|less))",
        rf"({_any(_MULTIPLES)}) ({_MULTIPLE})",
        rf"({_DIGITS}|{_any(_ROUND)}){_GAP}({COUNTED})",
    )
)
"""In this order: what one finds is not looked at by the next, for `36,000 messages a second` is no number of messages."""

A_FIGURE: Final = (
    rf"{_BEFORE}({_DIGITS}|{_any(NUMBERS)}){_GAP}({_RATE}|{_OF_TIME_OR_SIZE}|{COUNTED}|{_RATIO}|{_MULTIPLE})"
)
"""Any of them, with its number and its unit."""


def figures(text: str) -> list[tuple[str, str, str]]:
    """Each as it is written, and its number and its unit, in the order of the text."""
    found: dict[int, tuple[str, str, str]] = {}
    for pattern in FIGURES:
        for match in pattern.finditer(text):
            if in_base(match[1], match[2])[0] != "count" or amount(match[1]) >= MANY:
                found[match.start()] = (match[0], match[1], match[2])
        text = pattern.sub(lambda match: " " * len(match[0]), text)
    return [found[each] for each in sorted(found)]


def in_base(number: str, unit: str) -> tuple[str, float]:
    """What kind of figure it is, and its value in seconds, bytes, a second, times, or pieces."""
    folded = unit.lower()
    for kind, units in (("time", SECONDS), ("size", BYTES), ("ratio", RATIOS)):
        if folded in units:
            return kind, amount(number) * units[folded]
    if re.fullmatch(_RATE, folded):
        return "rate", amount(number)
    if folded.startswith(("as ", "the ", "times ")):
        return "ratio", amount(number)
    return "count", amount(number)


def amount(written: str) -> float:
    """The number itself."""
    digits = written.replace(",", "").lower()
    if digits in NUMBERS:
        return NUMBERS[digits]
    return 1000 * float(digits[:-1]) if digits.endswith("k") else float(digits)
