"""A guest that the kit plays: it joins a host under test, and proves, says or breaks whatever a case wants."""

import asyncio
import os
from collections.abc import Callable
from typing import Final

from msgspec import Struct
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidHandshake
from websockets.http11 import Request, Response
from websockets.uri import parse_uri

from tunnel.spec.v1.constants import CHALLENGE_BYTES, MESSAGE_ID_BYTES, SEAL_NONCE_BYTES
from tunnel_conformance.wire import crypto
from tunnel_conformance.wire.bell import Bell
from tunnel_conformance.wire.dialing import connected_to
from tunnel_conformance.wire.end import LARGEST, SILENT, Came, End
from tunnel_conformance.wire.fields import Fields, as_fields, objects
from tunnel_conformance.wire.link import Link
from tunnel_conformance.wire.log import Log

PROOFS: Final = ("right", "wrong", "padded", "hex", "standard", "missing", "replayed")
HTTP_SWITCHING: Final = 101

STANDARD: Final = str.maketrans("-_", "+/")
"""From the alphabet of base64url to the standard one."""


class Draft(Struct, frozen=True, kw_only=True):
    """A chat as the guest sent it."""

    id: str
    body: str
    fields: Fields


class Guest(End):
    """One connection to a host.

    Args:
        who: how the log calls it.
        link: the host's join link.
        log: what it did and saw.
        bell: rung when anything came.
        entropy: random bytes, in the shape of `os.urandom`.
    """

    frames: ClientProtocol

    def __init__(
        self, who: str, link: Link, log: Log, bell: Bell, entropy: Callable[[int], bytes] = os.urandom
    ) -> None:
        super().__init__(who, ClientProtocol(parse_uri("ws://127.0.0.1/"), max_size=LARGEST, logger=SILENT), log, bell)
        self.status: int | None = None
        """Of the answer to the WebSocket request."""
        self.nonce = ""
        """The text of the last challenge."""
        self.response = ""
        """The right answer to it."""
        self.host_name = ""
        self.messages: list[Fields] = []
        """What has come in `auth_ok` and `msg`."""
        self.drafts: list[Draft] = []
        self._link = link
        self._entropy = entropy

    # --- Connecting --------------------------------------------------------------------------------------------------

    async def dial(
        self,
        address: tuple[str, int],
        seconds: float,
        *,
        path: str = "",
        origin: str = "",
        offer: str = "",
        small: bool = False,
    ) -> None:
        """Connect, and wait until the WebSocket is open or refused. Nothing raises for what the other side does."""
        try:
            async with asyncio.timeout(seconds):
                connection = await connected_to(address, small=small)
                await asyncio.get_running_loop().create_connection(lambda: self, sock=connection)
        except (OSError, TimeoutError) as error:
            self.is_gone = True
            self.how = f"no connection came about: {error or 'no answer'}"
            self.log.closed(self.who, self.how)
            return
        self._request(path or self._link.path, origin, offer)
        if not await self.bell.until(lambda: self.status is not None or self.is_gone, seconds):
            self.how = "the WebSocket request was not answered"
            self.abort()

    def _request(self, path: str, origin: str, offer: str) -> None:
        headers = self.frames.connect().headers
        if origin:
            headers["Origin"] = origin
        if offer:
            headers["Sec-WebSocket-Extensions"] = offer
        self.log.did_connect(self.who, path, origin, offer)
        self.frames.send_request(Request(path, headers))
        self.flush()

    def handshake(self, event: Request | Response) -> None:
        """The host has answered the WebSocket request."""
        if not isinstance(event, Response):
            return
        self.status = event.status_code
        refused = self.frames.handshake_exc
        self.is_open = refused is None
        if self.status != HTTP_SWITCHING:
            self.how = f"the WebSocket request was answered with status {self.status}"
            self.log.closed(self.who, self.how)
        elif isinstance(refused, InvalidHandshake):
            self.how = f"the answer to the WebSocket request is wrong: {refused}"
            self.log.closed(self.who, self.how)
        else:
            self.log.opened(self.who, "(a WebSocket)")

    # --- Joining and talking -----------------------------------------------------------------------------------------

    def auth(
        self, name: str, proof: str = "right", *, replayed: str = "", extra: Fields | None = None, binary: bool = False
    ) -> None:
        """Answer the challenge.

        Args:
            name: what the guest calls itself.
            proof: one of PROOFS.
            replayed: what another connection has answered.
            extra: fields behind the others.
            binary: whether it goes out in a binary message.
        """
        right = crypto.prove(self._link.key, self.nonce)
        responses = {
            "right": crypto.encode(right),
            "wrong": crypto.encode(crypto.prove(bytes(len(self._link.key)), self.nonce)),
            "padded": crypto.encode(right) + "=",
            "hex": right.hex(),
            "standard": crypto.encode(right).translate(STANDARD),
            "replayed": replayed,
        }
        response: Fields = {} if proof == "missing" else {"response": responses[proof]}
        self.send_frame({"t": "auth", **response, "name": name, "sinceSeq": 0, **(extra or {})}, binary=binary)

    @property
    def tells_alphabets_apart(self) -> bool:
        """Whether the right answer to the challenge is spelled otherwise in the standard alphabet; one in four is not."""
        return self.response != self.response.translate(STANDARD)

    def draft(self, text: str, id: str = "", body: str = "", **forged: object) -> Draft:
        """A chat, with fields that a guest has no business to set."""
        chosen = id or self._entropy(MESSAGE_ID_BYTES).hex()
        body = body or crypto.seal(self._link.key, text, self._entropy(SEAL_NONCE_BYTES))
        fields = {"id": chosen, "seq": -1, "from": "guest", "kind": "chat", "body": body, "ts": 0, **forged}
        draft = Draft(id=chosen, body=body, fields=fields)
        self.drafts.append(draft)
        return draft

    # --- Reading -----------------------------------------------------------------------------------------------------

    def take(self) -> Came | None:
        """The next frame of this wire version that was not looked at; what it tells is noted. Others are passed over."""
        while self.unread:
            came = self.unread.popleft()
            if came.name and came.name not in ("challenge", "auth_ok", "auth_fail", "msg"):
                continue
            self._note(came)
            return came
        return None

    def _note(self, came: Came) -> None:
        fields = came.fields or {}
        match came.name:
            case "challenge" if isinstance(fields.get("nonce"), str):
                self.nonce = fields["nonce"]
                proof = crypto.prove(self._link.key, self.nonce)
                self.response = crypto.encode(proof)
                self.log.hide(self.response, "[proof]")
                self.log.hide(proof.hex(), "[proof]")
            case "auth_ok":
                name = fields.get("peerName")
                self.host_name = name if isinstance(name, str) else ""
                self.messages += objects(fields.get("backlog"))
            case "msg" if message := as_fields(fields.get("msg")):
                self.messages.append(message)
            case _:
                pass

    def text_of(self, message: Fields) -> str | None:
        """What a message says: a chat is opened with the key; None when it cannot be."""
        if message.get("kind") == "chat":
            return crypto.unseal(self._link.key, message.get("body"))
        body = message.get("body")
        return body if isinstance(body, str) else None


def is_nonce(text: object) -> bool:
    """Whether this is the text of a challenge: CHALLENGE_BYTES in strict base64url."""
    try:
        return isinstance(text, str) and len(crypto.decode(text)) == CHALLENGE_BYTES
    except ValueError:
        return False
