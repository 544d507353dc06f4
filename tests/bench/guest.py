"""A guest that costs as little as it can, so that what is measured is the host.

Its frames are sealed and masked before the clock runs, and answers are counted by their heads.
"""

import os
import socket
import time
from base64 import b64encode
from typing import Final
from urllib.parse import urlsplit

import msgspec
from websockets.frames import Frame, Opcode

from tests.bench.processes import Answer, answer_lines
from tests.bench.texts import TEXT, sent
from tunnel import crypto
from tunnel.core import codec
from tunnel.core.link import parse
from tunnel.spec.v1 import frames
from tunnel.spec.v1.constants import KEY_BYTES

READ_BYTES: Final = 262_144
HEAD_END: Final = b"\r\n\r\n"
OWN: Final = b'"from":"guest"'
"""By this an answer to the guest is told from what others say."""

_LENGTHS: Final = {126: 2, 127: 8}
"""How many bytes of length follow the second byte of a frame (RFC 6455 section 5.2)."""


class Guest:
    """One WebSocket, and the frames that will be sent on it."""

    def __init__(self) -> None:
        self._socket: socket.socket
        self._idle: list[socket.socket] = []
        self._rest = b""
        self._key = bytes(KEY_BYTES)
        self._frames: list[bytes] = []
        self._next = 0

    def dial(self, link: str) -> Answer:
        """Open the WebSocket at a join link, and be let in; without a key, only open it."""
        self._socket, self._rest = _upgraded(link)
        if "#" in link:
            self._key = parse(link).key
            self._prove()
        return {}

    def crowd(self, link: str, count: int) -> Answer:
        """Have so many WebSockets open beside it that say nothing."""
        while self._idle:
            self._idle.pop().close()
        self._idle = [_upgraded(link)[0] for _ in range(count)]
        return {}

    def prepare(self, count: int) -> Answer:
        """Make so many frames."""
        self._frames = [_masked(sent(self._key, TEXT)) for _ in range(count)]
        self._next = 0
        return {"bytes": len(self._frames[0])}

    def flow(self, count: int, window: int, others: int = 0) -> Answer:
        """Keep a window full until so many are answered, and so many that others say have come; the seconds it took."""
        began = time.perf_counter()
        self._send(min(window, count))
        coming, unsent = count + others, count - min(window, count)
        while coming:
            came = self._received()
            coming -= len(came)
            # What others say opens no window.
            answers = sum(OWN in payload for payload in came) if others else len(came)
            self._send(more := min(answers, unsent))
            unsent -= more
        return {"seconds": time.perf_counter() - began}

    def echo(self, count: int) -> Answer:
        """Send one at a time; the seconds until each is answered."""
        took: list[float] = []
        for _ in range(count):
            began = time.perf_counter()
            self._send(1)
            while not self._received():
                pass
            took.append(time.perf_counter() - began)
        return {"seconds": took}

    def _send(self, count: int) -> None:
        if count:
            self._socket.sendall(b"".join(self._frames[self._next : self._next + count]))
            self._next += count

    def _received(self) -> list[bytes]:
        """The payloads of the frames that have come: one at least."""
        while not (payloads := self._complete()):
            data = self._socket.recv(READ_BYTES)
            assert data, "the host has closed the connection"
            self._rest += data
        return payloads

    def _complete(self) -> list[bytes]:
        payloads: list[bytes] = []
        data, at = self._rest, 0
        while at + 2 <= len(data):
            short = data[at + 1]
            wide = _LENGTHS.get(short, 0)
            begin = at + 2 + wide
            end = begin + (int.from_bytes(data[at + 2 : begin], "big") if wide else short)
            if begin > len(data) or end > len(data):
                break
            payloads.append(data[begin:end])
            at = end
        self._rest = data[at:]
        return payloads

    def _prove(self) -> None:
        challenge = msgspec.json.decode(self._received()[0])["nonce"]
        auth = frames.Auth(response=crypto.prove(self._key, challenge), name="Guest")
        self._socket.sendall(_masked(codec.encode(auth)))
        # What says that the link is good, and that somebody has joined.
        admitted: list[bytes] = []
        while len(admitted) < 2:
            admitted += self._received()


def _upgraded(link: str) -> tuple[socket.socket, bytes]:
    """A WebSocket at a link, and what has come behind the answer to its request."""
    url = urlsplit(link)
    connected = socket.create_connection((url.hostname, url.port))
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    nonce = b64encode(os.urandom(16)).decode("ascii")
    connected.sendall(
        f"GET {url.path} HTTP/1.1\r\nHost: {url.hostname}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {nonce}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode("ascii")
    )
    received = b""
    while HEAD_END not in received:
        received += connected.recv(READ_BYTES)
    return connected, received.partition(HEAD_END)[2]


def _masked(data: bytes) -> bytes:
    return Frame(Opcode.TEXT, data).serialize(mask=True)


if __name__ == "__main__":
    guest = Guest()
    commands = (guest.dial, guest.crowd, guest.prepare, guest.flow, guest.echo)
    answer_lines({}, {command.__name__: command for command in commands})
