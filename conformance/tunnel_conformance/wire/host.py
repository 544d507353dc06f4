"""A host that the kit plays on 127.0.0.1: a guest under test joins it, and is told whatever a case wants."""

import asyncio
import json
import os
import socket
from collections.abc import Callable
from http import HTTPStatus
from typing import cast

from websockets.http11 import Request, Response
from websockets.server import ServerProtocol

from tunnel.spec.v1.constants import CHALLENGE_BYTES, KEY_BYTES, MESSAGE_ID_BYTES, SEAL_NONCE_BYTES, TUNNEL_ID_BYTES
from tunnel_conformance.wire import crypto
from tunnel_conformance.wire.bell import Bell
from tunnel_conformance.wire.end import LARGEST, SILENT, SMALL_BUFFER, Came, End
from tunnel_conformance.wire.fields import Fields, as_fields
from tunnel_conformance.wire.link import Link, mint
from tunnel_conformance.wire.log import Log

Entropy = Callable[[int], bytes]


class Host:
    """A port, a link, and the connections that guests made with it.

    Args:
        log: what it did and saw.
        bell: rung when anything came.
        entropy: random bytes, in the shape of `os.urandom`.
    """

    def __init__(self, log: Log, bell: Bell, entropy: Entropy = os.urandom) -> None:
        self.link: Link
        self.ends: list[HostEnd] = []
        self.answers = int(HTTPStatus.SWITCHING_PROTOCOLS)
        """The status with which WebSocket requests are answered."""
        self.leads_to = ""
        """The address in a redirect."""
        self.drops = False
        """Whether whoever connects is cut off before it is answered."""
        self._log = log
        self._bell = bell
        self._entropy = entropy
        self._servers: list[asyncio.Server] = []
        self._strangers: list[Stranger] = []

    async def listen(self, *, small: bool = False) -> None:
        """Open both ports, and make the link.

        Args:
            small: whether the system takes little for a connection that is not read, as it should of one that freezes.
        """
        loop = asyncio.get_running_loop()
        listening = socket.socket()
        if small:
            # Connections inherit it; later it would be too late.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        listening.bind(("127.0.0.1", 0))
        server = await loop.create_server(self._accept, sock=listening)
        elsewhere = await loop.create_server(self._stranger, "127.0.0.1", 0)
        self._servers = [server, elsewhere]
        key = self._entropy(KEY_BYTES)
        self.link = mint(_port(server), self._entropy(TUNNEL_ID_BYTES).hex(), key)
        self._log.hide(self.link.key_text, "[key]")

    @property
    def elsewhere(self) -> int:
        """The second port."""
        return _port(self._servers[1])

    @property
    def strangers(self) -> int:
        """How many connections reached the second port."""
        return len(self._strangers)

    @property
    def end(self) -> "HostEnd | None":
        """The newest connection whose WebSocket is open, was open, or was refused."""
        return next((end for end in reversed(self.ends) if end.request), None)

    def close(self) -> None:
        """Give the ports back, and cut who is connected."""
        for server in self._servers:
            server.close()
        for connected in (*self.ends, *self._strangers):
            connected.abort()

    def _accept(self) -> "HostEnd":
        end = HostEnd(self, self._log, self._bell, self._entropy)
        self.ends.append(end)
        return end

    def _stranger(self) -> "Stranger":
        self._strangers.append(Stranger())
        self._log.opened("host", "(a connection where the redirect leads)")
        self._bell.ring()
        return self._strangers[-1]


class Stranger(asyncio.Protocol):
    """A connection that ought not to be there: it is noted, and gets no answer."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is there."""
        self._transport = cast(asyncio.Transport, transport)

    def abort(self) -> None:
        """Close it now."""
        if self._transport:
            self._transport.abort()


class HostEnd(End):
    """One connection of a guest under test."""

    frames: ServerProtocol

    def __init__(self, host: Host, log: Log, bell: Bell, entropy: Entropy) -> None:
        super().__init__("host", ServerProtocol(max_size=LARGEST, logger=SILENT), log, bell)
        self.request: Request | None = None
        self.nonces: list[str] = []
        """The challenges that it was sent."""
        self.auths: list[Fields] = []
        self.sends: list[Fields] = []
        """The messages in `send`."""
        self.seq = 0
        """The last number given to a message."""
        self.bodies: dict[int, str] = {}
        self.echoes = False
        """Whether what it says is echoed at once."""
        self._host = host
        self._key = host.link.key
        self._entropy = entropy

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The guest's TCP connection is there."""
        super().connection_made(transport)
        if self._host.drops:
            self.vanish()

    def handshake(self, event: Request | Response) -> None:
        """The guest's WebSocket request came."""
        if not isinstance(event, Request):
            return
        self.request = event
        if self._host.answers == HTTPStatus.SWITCHING_PROTOCOLS:
            response = self.frames.accept(event)
        else:
            response = self.frames.reject(self._host.answers, "no host\n")
            if self._host.leads_to:
                response.headers["Location"] = self._host.leads_to
        self.frames.send_response(response)
        self.is_open = response.status_code == HTTPStatus.SWITCHING_PROTOCOLS
        self.log.opened(self.who, f"GET {event.path}: {response.status_code}")

    # --- What a host sends -------------------------------------------------------------------------------------------

    def challenge(self, nonce: str = "", *, extra: Fields | None = None, binary: bool = False) -> None:
        """Send a challenge."""
        nonce = nonce or crypto.encode(self._entropy(CHALLENGE_BYTES))
        self.nonces.append(nonce)
        self.log.hide(crypto.encode(crypto.prove(self._key, nonce)), "[proof]")
        self._tell({"t": "challenge", "nonce": nonce, **(extra or {})}, binary=binary)

    def admit(
        self, goal: str, name: str, backlog: list[Fields], extra: Fields | None = None, *, binary: bool = False
    ) -> None:
        """Send `auth_ok`."""
        fields = {"t": "auth_ok", "goal": goal, "peerName": name, "backlog": backlog, **(extra or {})}
        self._tell(fields, binary=binary)

    def message(
        self, text: str, *, kind: str = "chat", seq: int | None = None, body: str | None = None, **forged: object
    ) -> Fields:
        """A numbered message: the next number, unless another is given."""
        seq = self.seq + 1 if seq is None else seq
        self.seq = max(self.seq, seq)
        if body is None:
            body = crypto.seal(self._key, text, self._entropy(SEAL_NONCE_BYTES)) if kind == "chat" else text
        self.bodies[seq] = body
        return {
            "id": self._entropy(MESSAGE_ID_BYTES).hex(),
            "seq": seq,
            "from": "host",
            "kind": kind,
            "body": body,
            "ts": 1_700_000_000_000 + seq,
            **forged,
        }

    def tell(self, message: Fields, *, binary: bool = False, fragments: int = 1, extra: Fields | None = None) -> None:
        """Send a message."""
        self._tell({"t": "msg", "msg": {**message, **(extra or {})}}, binary=binary, fragments=fragments)

    def echo(self, said: Fields, **forged: object) -> None:
        """Send back what the guest said, numbered, and changed as given."""
        self.seq += 1
        message = {"id": said.get("id"), "seq": self.seq, "from": "guest", "kind": "chat", "body": said.get("body")}
        self.tell({**message, "ts": 1_700_000_000_000 + self.seq, **forged})

    def _tell(self, fields: Fields, *, binary: bool = False, fragments: int = 1) -> None:
        text = json.dumps(fields, separators=(",", ":"), ensure_ascii=False)
        self.send(text.encode("utf-8", "surrogatepass"), binary=binary, fragments=fragments)

    # --- What a guest sends ------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Bytes came in; what of them are frames of a guest is sorted."""
        super().data_received(data)
        while self.unread:
            self._sort(self.unread.popleft())

    def _sort(self, came: Came) -> None:
        fields = came.fields or {}
        if came.name == "auth":
            self.auths.append(fields)
        elif came.name == "send" and (said := as_fields(fields.get("msg"))) is not None:
            self.sends.append(said)
            if self.echoes:
                self.echo(said)

    def proves(self, auth: Fields) -> bool:
        """Whether an `auth` answers the first challenge of this connection."""
        return bool(self.nonces) and auth.get("response") == crypto.encode(crypto.prove(self._key, self.nonces[0]))

    def text_of(self, said: Fields) -> str | None:
        """What the guest said; None when it is not sealed with the key."""
        return crypto.unseal(self._key, said.get("body"))


def _port(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])
