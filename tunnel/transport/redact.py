"""What a program says about itself may hold its person's secrets: what looks like one is hidden before a line is shown."""

import re
from typing import Final

HIDDEN: Final = "[hidden]"
"""Stands where something was."""

_USER: Final = re.compile(r"(?<=://)\S*@")
_QUERY: Final = re.compile(r"""(://[^\s?#"'<>]*)[?#][^\s"'<>]+""")

# What follows such a word, behind `=` or `:`, in quotes or not, or as the next word: an argument, a field, or a sentence.
_LABELLED: Final = re.compile(
    r"""((?:token|key|password|passwd|passphrase|secret|bearer|authorization)s?[\\"']*"""
    r"""(?:\s+(?:is|was)\b)?(?:\s*[=:>]+\s*|\s+)(?:(?:bearer|basic)\s+)?)"""
    r"""("[^"]*"?|'[^']*'?|\S+)""",
    re.IGNORECASE,
)
_RANDOM: Final = re.compile(r"(?=[A-Za-z_+=~-]*[0-9])(?=[0-9_+=~-]*[A-Za-z])[\w+=~-]{20,}", re.ASCII)
"""Letters and digits mixed, too long for a word of a language."""


def redacted(line: str) -> str:
    """The line without what looks like a secret: users and queries of URLs, what follows `token` and its like, random words."""
    line = _USER.sub(f"{HIDDEN}@", line)
    line = _QUERY.sub(rf"\1?{HIDDEN}", line)
    line = _LABELLED.sub(rf"\1{HIDDEN}", line)
    return _RANDOM.sub(HIDDEN, line)
