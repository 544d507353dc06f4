"""Errors, sorted by whose fault they are. The text of each is what a person or an agent reads."""

from typing import TypeVar

T = TypeVar("T")


class TunnelError(Exception):
    """Base of all errors that this package raises on purpose."""


class OurFault(TunnelError):
    """A bug in this program. Please report it."""


class TheirFault(TunnelError):
    """Something from outside breaks the rules: a link, a frame, an argument. The text says what was found and allowed."""


class Refused(TunnelError):
    """Nobody's fault: both sides are right, and the answer is no."""


class NetworkFault(TunnelError):
    """The network or a program that we depend on failed."""


class BadLink(TheirFault):
    """What was pasted is not a join link of this version. The text never repeats the link: it may hold a key."""


class BadEncoding(TheirFault):
    """A text is not canonical base64url."""


class Unreadable(TheirFault):
    """A sealed body does not open with this key."""


def given(value: T | None) -> T:
    """The value, which the row that was taken guarantees.

    Raises:
        OurFault: it is missing, so the code does not fit the table.
    """
    if value is None:
        raise OurFault("a row was taken without what its actions need")
    return value
