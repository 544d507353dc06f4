"""Whatever a text holds, the codec reads it as the tables say, for both ends, and writes what it has read as the same frame."""

from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from tests.fuzz import reference
from tests.fuzz.target import ROOT, Target, message, vectors
from tunnel.core import codec
from tunnel.core.codec import Unread
from tunnel.spec.model import Role
from tunnel.spec.v1.frames import GuestFrame, HostFrame

LONGEST: Final = 1024
"""How many bytes a frame has at most."""

Read = Callable[[str], HostFrame | GuestFrame | Unread]


def check(data: bytes, from_guest: Read = codec.from_guest, from_host: Read = codec.from_host) -> None:
    """WIRE-1, WIRE-3, WIRE-4, WIRE-6, SIZE-4, AUTH-3. Where the tables leave open what a text is, it only has to be read."""
    for sender, read in ((Role.GUEST, from_guest), (Role.HOST, from_host)):
        found = read(message(data))
        if reference.is_left_open(message(data)):
            continue
        meant = reference.read(message(data), sender)
        if isinstance(found, Unread):
            assert meant == found.tag, f"unread as {found.tag!r}, and the tables say {meant!r}"
        else:
            written = codec.encode(found).decode()
            assert reference.read(written, sender) == meant, f"read as {found!r}, and the tables say {meant!r}"
            assert read(written) == found, f"{found!r} is not read back from {written!r}"


def seeds() -> Iterator[bytes]:
    """The vectors, and what released peers have said."""
    # Some hold a number of thousands of digits: what they ask is asked, and nothing more is found by changing them.
    yield from (text for text in vectors("frames", "text") if len(text) <= LONGEST)
    yield from vectors("encode", "text")
    yield from vectors("decode", "text")
    yield from recorded()


def recorded() -> Iterator[bytes]:
    """The frames in the recordings of released peers."""
    for recording in sorted((ROOT / "tests" / "transcripts").glob("*.jsonl")):
        for line in recording.read_bytes().splitlines():
            frame = msgspec.json.decode(line).get("frame")
            if frame is not None:
                yield msgspec.json.encode(frame)


WORDS: Final = (
    *('"t":', '"response":', '"name":', '"sinceSeq":', '"msg":', '"nonce":', '"goal":', '"peerName":', '"backlog":'),
    *('"reason":', '"id":', '"seq":', '"from":', '"kind":', '"body":', '"ts":', '"auth"', '"send"', '"challenge"'),
    *('"auth_ok"', '"auth_fail"', '"msg"', '"chat"', '"system"', '"host"', '"guest"', "\\ud800", "\\udc00", "1e999"),
    *("null", "true", "false", "NaN", "9007199254740991", "-0", "[[[[[[[[", "]]]]]]]]", '{"a":', "\\u0000", '\\"'),
)

TARGET: Final = Target(check=check, seeds=seeds, words=WORDS, longest=LONGEST)
