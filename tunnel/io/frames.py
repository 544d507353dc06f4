"""The two ends of `websockets`' sans-I/O layer, without a log and with the spec's words in what they send by themselves.

What strangers send must not fill anybody's log, and nothing of it may be echoed there.
"""

import logging
from typing import Final

from websockets.client import ClientProtocol
from websockets.frames import CloseCode
from websockets.server import ServerProtocol
from websockets.uri import WebSocketURI

from tunnel.spec.v1.refusals import CLOSINGS, Closing

SILENT: Final = logging.getLogger("tunnel.io.silent")
SILENT.addHandler(logging.NullHandler())
SILENT.propagate = False
SILENT.setLevel(logging.CRITICAL + 1)

_REASONS: Final = {CLOSINGS[closing].code: CLOSINGS[closing].reason for closing in (Closing.TOO_BIG, Closing.NOT_TEXT)}


class HostFrames(ServerProtocol):
    """The host's end.

    Args:
        largest: how many bytes a message may have; `max_message_size` changes it.
    """

    def __init__(self, largest: int) -> None:
        super().__init__(max_size=largest, logger=SILENT)

    def fail(self, code: CloseCode | int, reason: str = "") -> None:
        """Send a close frame, for a peer that has broken WebSocket."""
        super().fail(code, _REASONS.get(code, reason))


class GuestFrames(ClientProtocol):
    """The guest's end.

    Args:
        uri: what is dialled.
        largest: how many bytes a message may have.
    """

    def __init__(self, uri: WebSocketURI, largest: int) -> None:
        super().__init__(uri, max_size=largest, logger=SILENT)

    def fail(self, code: CloseCode | int, reason: str = "") -> None:
        """Send a close frame, for a peer that has broken WebSocket."""
        super().fail(code, _REASONS.get(code, reason))
