"""Every vector of the specification holds, and every verdict on released peers is still true, in both directions."""

import json
from pathlib import Path
from typing import Literal

import msgspec
import pytest
from msgspec import UNSET, Struct, UnsetType

from tunnel import crypto
from tunnel.core import codec
from tunnel.core.link import mint, parse
from tunnel.core.text import shown_guest_name, visible
from tunnel.errors import BadEncoding, BadLink, Unreadable
from tunnel.spec.v1.constants import NAME_BYTES

VECTORS = Path(__file__).parent.parent / "spec" / "v1" / "vectors"


class Vector(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What all vectors have."""

    name: str
    verdict: Literal["same", "stricter", "own"]
    flag: str = ""
    """The bug of an implementation that answers in another way."""
    why: str = ""


class Seal(Vector, frozen=True, forbid_unknown_fields=True, kw_only=True):
    key: str
    nonce: str
    text: str
    sealed: str


class Open(Vector, frozen=True, forbid_unknown_fields=True, kw_only=True):
    key: str
    sealed: str
    released: str | None


class Challenge(Vector, frozen=True, forbid_unknown_fields=True, kw_only=True):
    key: str
    challenge: str
    response: str


class Address(Struct, frozen=True, forbid_unknown_fields=True):
    tunnel_id: str
    key: str
    url: str


class Link(Vector, frozen=True, forbid_unknown_fields=True, kw_only=True):
    link: str
    released: Address | None


class LaterLink(Vector, frozen=True, forbid_unknown_fields=True, kw_only=True):
    link: str
    named: bool


class OwnLink(Vector, frozen=True, forbid_unknown_fields=True, kw_only=True):
    link: str
    url: str | None


class Mint(Vector, frozen=True, forbid_unknown_fields=True, kw_only=True):
    public_url: str
    tunnel_id: str
    key: str
    released: str
    ours: str | UnsetType = UNSET


class Encode(Vector, frozen=True, forbid_unknown_fields=True, kw_only=True):
    sender: Literal["host", "guest"] = msgspec.field(name="from")
    text: str


class Decode(Vector, frozen=True, forbid_unknown_fields=True, kw_only=True):
    text: str
    released: str | None


class Base64Url(Vector, frozen=True, forbid_unknown_fields=True, kw_only=True):
    text: str
    bytes: str | None


class Frame(Vector, frozen=True, forbid_unknown_fields=True, kw_only=True):
    sender: Literal["host", "guest"] = msgspec.field(name="from")
    text: str
    read: str | None
    called: str = msgspec.field(name="as")


class Shown(Vector, frozen=True, forbid_unknown_fields=True, kw_only=True):
    text: str
    limit: int
    shown: str


class Name(Vector, frozen=True, forbid_unknown_fields=True, kw_only=True):
    guest: str
    host: str
    shown: str


FILES: dict[str, type[Vector]] = {
    "seal": Seal,
    "open": Open,
    "challenge": Challenge,
    "challenge_rejected": Challenge,
    "links": Link,
    "links_later": LaterLink,
    "links_own": OwnLink,
    "mint": Mint,
    "encode": Encode,
    "decode": Decode,
    "base64url": Base64Url,
    "frames": Frame,
    "shown": Shown,
    "names": Name,
}


def load(file: str) -> list[dict[str, object]]:
    """The vectors of a file. Python's own reader is asked, because halves of surrogate pairs are among them."""
    return json.loads((VECTORS / f"{file}.json").read_text(encoding="utf-8"))["vectors"]


def each(file: str) -> pytest.MarkDecorator:
    """Run a test with every vector of a file."""
    vectors = [msgspec.convert(vector, FILES[file]) for vector in load(file)]
    return pytest.mark.parametrize("vector", vectors, ids=[vector.name for vector in vectors])


def agrees(vector: Vector, *, same: bool) -> bool:
    """Whether the verdict fits what was found; who is stricter says why."""
    return (vector.verdict == "stricter") == (not same) and bool(vector.why) == (vector.verdict == "stricter")


def opened(key: str, sealed: str) -> str | None:
    try:
        return crypto.open_body(crypto.decode_base64url(key), sealed)
    except Unreadable:
        return None


def dialled(link: str) -> Address | None:
    try:
        read = parse(link)
    except BadLink:
        return None
    return Address(tunnel_id=read.tunnel_id, key=crypto.encode_base64url(read.key), url=read.url)


def test_every_file_of_vectors_is_run() -> None:
    assert {path.stem for path in VECTORS.glob("*.json")} == FILES.keys() | {"flags"}


@pytest.mark.parametrize("file", FILES)
def test_every_vector_of_a_file_has_its_own_name(file: str) -> None:
    names = [vector["name"] for vector in load(file)]

    assert names
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("verdict", "why", "same"),
    [("same", "", False), ("stricter", "for a reason", True), ("stricter", "", False), ("same", "for a reason", True)],
    ids=["no longer the same", "no longer stricter", "stricter for no reason", "the same for a reason"],
)
def test_a_stale_verdict_fails(verdict: Literal["same", "stricter"], why: str, *, same: bool) -> None:
    assert agrees(Vector(name="true", verdict="same"), same=True)
    assert not agrees(Vector(name="stale", verdict=verdict, why=why), same=same)


@each("seal")
def test_a_text_is_sealed_as_the_vector_says(vector: Seal) -> None:
    """SEAL-1."""
    sealed = crypto.seal(crypto.decode_base64url(vector.key), vector.text, crypto.decode_base64url(vector.nonce))

    assert agrees(vector, same=sealed == vector.sealed)


@each("seal")
def test_a_sealed_text_opens_as_the_vector_says(vector: Seal) -> None:
    """SEAL-1, WIRE-6."""
    assert opened(vector.key, vector.sealed) == vector.text.replace("\ud800", "\ufffd")


@each("open")
def test_a_body_opens_as_the_vector_says(vector: Open) -> None:
    """SEAL-2, SEAL-4."""
    ours = opened(vector.key, vector.sealed)

    assert agrees(vector, same=ours == vector.released)
    assert ours in (vector.released, None)


@each("challenge")
def test_a_response_is_what_the_vector_says(vector: Challenge) -> None:
    """AUTH-2."""
    key = crypto.decode_base64url(vector.key)

    assert agrees(vector, same=crypto.prove(key, vector.challenge) == vector.response)
    assert crypto.verify(key, vector.challenge, vector.response)


@each("challenge_rejected")
def test_a_rejected_response_is_rejected(vector: Challenge) -> None:
    """AUTH-4."""
    assert agrees(
        vector, same=not crypto.verify(crypto.decode_base64url(vector.key), vector.challenge, vector.response)
    )


@each("links")
def test_a_link_is_read_as_the_vector_says(vector: Link) -> None:
    """LINK-7."""
    ours = dialled(vector.link)
    theirs = vector.released and msgspec.structs.replace(vector.released, url=vector.released.url.strip())

    assert agrees(vector, same=ours == theirs)
    assert ours in (theirs, None)


@each("links_later")
def test_a_link_of_a_later_version_is_refused_as_the_vector_says(vector: LaterLink) -> None:
    """LINK-8."""
    with pytest.raises(BadLink) as caught:
        parse(vector.link)

    assert agrees(vector, same=False)
    assert ("wire version 2 or 3" in str(caught.value)) == vector.named


@each("links_own")
def test_the_grammar_of_links_is_what_the_vector_says(vector: OwnLink) -> None:
    """LINK-7."""
    ours = dialled(vector.link)

    assert agrees(vector, same=True)
    assert (ours and ours.url) == vector.url


@each("mint")
def test_a_link_is_minted_as_the_vector_says(vector: Mint) -> None:
    """LINK-6."""
    ours = mint(vector.public_url, vector.tunnel_id, crypto.decode_base64url(vector.key)).text

    assert agrees(vector, same=ours == vector.released)
    assert ours == (vector.released if vector.ours is UNSET else vector.ours)


@each("encode")
def test_a_frame_is_written_byte_for_byte_as_the_vector_says(vector: Encode) -> None:
    """WIRE-1, WIRE-6, WIRE-10."""
    frame = codec.from_guest(vector.text) if vector.sender == "guest" else codec.from_host(vector.text)
    ours = None if isinstance(frame, codec.Unread) else codec.encode(frame).decode()

    assert agrees(vector, same=ours == vector.text)
    assert ours in (vector.text, None)


@each("decode")
def test_a_text_is_a_frame_or_none_as_the_vector_says(vector: Decode) -> None:
    """WIRE-1, WIRE-4."""
    ours = codec.from_host(vector.text)
    theirs = json.loads(vector.released or "null")

    assert isinstance(ours, codec.Unread)
    assert agrees(vector, same=bool(ours.tag) == (vector.released is not None))
    assert not ours.tag or (isinstance(theirs, dict) and theirs["t"] == ours.tag)


@each("base64url")
def test_base64url_has_the_spelling_that_the_vector_says(vector: Base64Url) -> None:
    """SEAL-4."""
    try:
        ours = crypto.decode_base64url(vector.text).hex()
    except BadEncoding:
        ours = None

    assert agrees(vector, same=True)
    assert ours == vector.bytes


@each("frames")
def test_a_frame_is_read_as_the_vector_says(vector: Frame) -> None:
    """WIRE-3, WIRE-4, WIRE-6, SIZE-4, AUTH-3."""
    ours = codec.from_guest(vector.text) if vector.sender == "guest" else codec.from_host(vector.text)

    assert agrees(vector, same=True)
    if isinstance(ours, codec.Unread):
        assert (vector.read, vector.called) == (None, ours.tag)
    else:
        assert (vector.read, vector.called) == (ours.__struct_config__.tag, "")


@each("shown")
def test_a_text_is_shown_as_the_vector_says(vector: Shown) -> None:
    """NAME-1, SIZE-6."""
    assert visible(vector.text, vector.limit) == vector.shown


@each("names")
def test_a_name_is_shown_as_the_vector_says(vector: Name) -> None:
    """NAME-1, NAME-2, NAME-3."""
    assert shown_guest_name(vector.guest, vector.host, NAME_BYTES) == vector.shown
