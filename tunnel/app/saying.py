"""Says one message and waits no longer than its caller can; however it ends, it is plain whether the peer may have it."""

from asyncio import timeout
from collections.abc import Callable

from tunnel.errors import NetworkFault, Refused
from tunnel.io.driver import Driver, NotSaidError
from tunnel.spec.v1.refusals import Failure


class UnconfirmedError(NetworkFault):
    """The message was said, and it is not known whether the peer has it; the text says what to do."""


class SlowPeerError(Refused):
    """The peer has not read in time what was said before, so this was not said."""


class GuestDroppedError(Refused):
    """This side has hung up on its guest, so this was not said; the text says why."""


def shown_seconds(seconds: float) -> str:
    """A wait in a sentence: nobody needs its microseconds."""
    return f"{max(0.1, round(seconds, 1)):g} s"


def nothing() -> None:
    """Nothing stands against saying it."""


async def say(driver: Driver, text: str, seconds: float, check: Callable[[], None]) -> int:
    """Say something; its number, once it has one.

    Args:
        driver: of the tunnel.
        text: what to say.
        seconds: how long that may take.
        check: is called right before it is said; what that raises is raised, and nothing is said.

    Raises:
        NotSaidError: it cannot be said.
        SlowPeerError: its turn did not come in time.
        UnconfirmedError: it was said, and was not confirmed in time, or before the tunnel ended.
    """
    is_said = False

    def begin() -> None:
        nonlocal is_said
        check()
        is_said = True

    try:
        async with timeout(seconds):
            return await driver.say(text, begin)
    except NotSaidError as error:
        if error.failure is Failure.UNCONFIRMED:
            raise UnconfirmedError(str(error)) from None
        raise
    except TimeoutError:
        if is_said:
            raise UnconfirmedError(
                f"The host has not confirmed the message within {shown_seconds(seconds)}. It may still arrive: "
                "listen before you say it again."
            ) from None
        raise SlowPeerError(
            f"peer reads slowly: within {shown_seconds(seconds)} it has not read what was said before, so this was not said. "
            "Nothing is lost: listen, and say it again later."
        ) from None
