"""Whatever a peer says in one conversation, either end goes on or ends: what it does about a text is bounded, and so is what it sends.

The first letter says at which end the texts arrive: at a host from a stranger (s) or its guest (g), at a guest that waits to
be let in (w) or was (j). Each line is a text. PROOF in it stands for the right answer to the challenge, SEALED for a sealed
body, and ECHO for the id of what this end's agent has said last.
"""

from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct

from tests.conversation import EPOCH_MS, Dice
from tests.conversation import message as numbered
from tests.fuzz.codec import WORDS as FRAME_WORDS
from tests.fuzz.target import Target, message
from tunnel import crypto
from tunnel.core import codec
from tunnel.core.effects import Effect, Ended, Send
from tunnel.core.guest import Guest
from tunnel.core.host import Host
from tunnel.core.instant import TICKS_PER_SECOND, Instant
from tunnel.core.link import mint
from tunnel.core.transcript import Transcript
from tunnel.spec.v1 import frames
from tunnel.spec.v1.constants import KEY_BYTES, SEAL_NONCE_BYTES

NOW: Final = Instant(1_000 * TICKS_PER_SECOND, EPOCH_MS)

MOST_EFFECTS: Final = 6
"""What one text can cause at most: a join lets in, numbers a message and tells of it, and may end a stranger's wait."""

MOST_BYTES: Final = 4_096
"""What is sent for one text at most, beyond its own bytes and what the session holds."""


class Arranged(Struct):
    """One end of a conversation."""

    receive: Callable[[str], list[Effect]]
    transcript: Transcript
    key: bytes
    challenge: str = ""
    said: str = ""
    """The id of what its agent has said last."""


def check(data: bytes, arrange: Callable[[bytes], Arranged] | None = None) -> None:
    """WIRE-4, AUTH-12, SEQ-1, SIZE-10, CLOSE-3."""
    end = (arrange or arranged)(data[:1])
    ends = 0
    for line in data[1:].split(b"\n"):
        heard = _filled(message(line), end)
        room = len(heard.encode()) + _held(end.transcript) + MOST_BYTES
        did = end.receive(heard)
        sent = sum(len(codec.encode(effect.frame)) for effect in did if isinstance(effect, Send))
        assert len(did) <= MOST_EFFECTS, f"for {heard!r}, too much: {did}"
        assert sent <= room, f"for {heard!r}, {sent} bytes were sent"
        assert not (ends and did), f"after its end, for {heard!r}: {did}"
        ends += sum(isinstance(effect, Ended) for effect in did)
    assert ends <= 1
    _is_sound(end.transcript)


def _filled(line: str, end: Arranged) -> str:
    proof = crypto.prove(end.key, end.challenge)
    return line.replace("PROOF", proof).replace("SEALED", _sealed(end.key)).replace("ECHO", end.said)


def _sealed(key: bytes) -> str:
    return crypto.seal(key, "hello", bytes(SEAL_NONCE_BYTES))


def _held(transcript: Transcript) -> int:
    return sum(codec.size(one) for one in transcript.after(0))


def _is_sound(transcript: Transcript) -> None:
    """SEQ-1: numbered without a gap, and readable."""
    held = list(transcript.after(0))
    assert [one.seq for one in held] == list(range(1, len(held) + 1))
    for one in held:
        transcript.text(one).encode("utf-8")


# --- The four ends ----------------------------------------------------------------------------------------------------


def arranged(letter: bytes) -> Arranged:
    """The end at which texts arrive."""
    dice = Dice("fuzzed")
    match letter:
        case b"g":
            return _host(dice, admitted=True)
        case b"w":
            return _guest(dice, joined=False)
        case b"j":
            return _guest(dice, joined=True)
        case _:
            return _host(dice, admitted=False)


def _host(dice: Dice, *, admitted: bool) -> Arranged:
    key = dice(KEY_BYTES)
    host = Host(key=key, goal="a goal", name="Alice", entropy=dice, now=NOW)
    host.reachable(NOW)
    number, _ = host.accept(NOW)
    challenges = [effect.frame for effect in host.upgraded(number, NOW) if isinstance(effect, Send)]
    assert isinstance(challenges[0], frames.Challenge)
    end = Arranged(lambda text: host.receive(number, text, NOW), host.transcript, key, challenges[0].nonce)
    if admitted:
        end.receive(_filled('{"t":"auth","response":"PROOF","name":"Bob","sinceSeq":0}', end))
        host.say(1, "hello", NOW)
    return end


def _guest(dice: Dice, *, joined: bool) -> Arranged:
    link = mint("https://host.example", "00112233aabbccdd", dice(KEY_BYTES))
    guest = Guest(link=link, name="Bob", entropy=dice, now=NOW)
    guest.connected(NOW)
    end = Arranged(lambda text: guest.receive(text, NOW), guest.transcript, link.key)
    if joined:
        end.receive('{"t":"challenge","nonce":"N"}')
        end.receive('{"t":"auth_ok","goal":"g","peerName":"Alice","backlog":[]}')
        drafts = [effect.frame for effect in guest.say(1, "hello", NOW) if isinstance(effect, Send)]
        assert isinstance(drafts[0], frames.Send)
        end.said = f'{drafts[0].msg.id}","body":"{drafts[0].msg.body}'
    return end


# --- What is said to them ---------------------------------------------------------------------------------------------

AUTH: Final = '{"t":"auth","response":"PROOF","name":"Bob","sinceSeq":0}'
SEND: Final = '{"t":"send","msg":{"id":"i","kind":"chat","body":"SEALED"}}'
CHALLENGE: Final = '{"t":"challenge","nonce":"N"}'
ECHO: Final = '{"t":"msg","msg":{"seq":1,"from":"guest","kind":"chat","ts":0,"id":"ECHO"}}'


def seeds() -> Iterator[bytes]:
    """Conversations that go well, and some that do not."""
    told = codec.encode(frames.Msg(msg=numbered(1, "SEALED"))).decode()
    system = codec.encode(frames.Msg(msg=numbered(1, "a text", kind="system"))).decode()
    later = codec.encode(frames.Msg(msg=numbered(2, "b"))).decode()
    welcome = codec.encode(
        frames.AuthOk(goal="g", peer_name="A", backlog=(numbered(1, "b"), numbered(2, "SEALED")))
    ).decode()
    for letter, lines in (
        ("s", [AUTH, SEND, SEND]),
        ("s", [AUTH.replace("PROOF", "x"), SEND]),
        ("g", [SEND, AUTH, SEND]),
        ("w", [CHALLENGE, welcome, told]),
        ("w", [CHALLENGE, '{"t":"auth_fail","reason":"bad key"}']),
        ("j", [told, told, system, later]),
        ("j", [ECHO, later, CHALLENGE]),
        ("j", [later]),
    ):
        yield (letter + "\n".join(lines)).encode()


TARGET: Final = Target(
    check=check, seeds=seeds, words=(*FRAME_WORDS, "PROOF", "SEALED", "ECHO", b"\n", AUTH, SEND, CHALLENGE, ECHO)
)
