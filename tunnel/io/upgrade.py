"""The HTTP request with which a connection begins: only a WebSocket at the relay's path passes (WIRE-7, WIRE-8, SIZE-12).

What is refused here never reaches the parser of `websockets`: it has no answer to a request with a body, and takes what
follows a head for frames before anybody has looked at the head.
"""

import re
from http import HTTPStatus
from typing import Final

from websockets.http11 import Request, Response

from tunnel.io.frames import HostFrames
from tunnel.spec.v1.constants import HTTP_HEAD_BYTES

_END: Final = b"\r\n\r\n"
_REQUEST_LINE: Final = re.compile(rb"([A-Za-z][!-~]*) ([!-~]+) (HTTP/1\.[01])\r\n")


class Upgrade:
    """The request of one connection.

    Args:
        frames: checks the handshake of what passes.
        path: where a WebSocket is accepted.
    """

    def __init__(self, frames: HostFrames, path: str) -> None:
        self.rest = b""
        """What came in behind the request."""
        self._frames = frames
        self._path = path
        self._received = b""

    def receive(self, data: bytes) -> Response | None:
        """The answer to the request, as soon as it is certain: status 101 when the WebSocket may open."""
        self._received += data
        head, end, self.rest = self._received.partition(_END)
        if status := refusal(head + end, self._path):
            return self._refused(status)
        return self._accepted(head + end) if end else None

    def _accepted(self, head: bytes) -> Response:
        self._frames.receive_data(head)
        match self._frames.events_received():
            case [Request() as request]:
                return self._frames.accept(request)
            case _:
                # One answer is enough: the library may have prepared one of its own.
                self._frames.data_to_send()
                return self._refused(HTTPStatus.BAD_REQUEST)

    def _refused(self, status: HTTPStatus) -> Response:
        response = self._frames.reject(status, f"{status.phrase}\n")
        if status is HTTPStatus.UPGRADE_REQUIRED:
            response.headers["Upgrade"] = "websocket"
        return response


def refusal(received: bytes, path: str) -> HTTPStatus | None:
    """The status with which a request is refused, as soon as that is certain; None while it may become a WebSocket.

    Args:
        received: the head as far as it has come in, with its end and nothing behind it.
        path: where a WebSocket is accepted.
    """
    if len(received) > HTTP_HEAD_BYTES:
        return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    line = _REQUEST_LINE.match(received)
    # A TLS greeting has no first line to wait for, and whoever sends one waits for us.
    if not line and (b"\n" in received or not received[:1].isalpha()):
        return HTTPStatus.BAD_REQUEST
    if not line or not received.endswith(_END):
        return None
    if line[2].partition(b"?")[0] != path.encode("ascii"):
        return HTTPStatus.NOT_FOUND
    fields = _fields(received)
    if b"origin" in fields:
        return HTTPStatus.FORBIDDEN
    # An older HTTP knows no upgrade (RFC 9110 section 7.8), and no other method asks for a WebSocket (RFC 6455 section 4.1).
    asks = line[1] == b"GET" and line[3] == b"HTTP/1.1" and b"websocket" in fields.get(b"upgrade", b"")
    return None if asks else HTTPStatus.UPGRADE_REQUIRED


def _fields(head: bytes) -> dict[bytes, bytes]:
    """Names and last values of the header fields, in lower case."""
    fields: dict[bytes, bytes] = {}
    for line in head.lower().split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        fields[name.strip()] = value
    return fields
