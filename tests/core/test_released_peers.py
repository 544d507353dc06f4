"""Recordings of released peers: our guest understands their hosts, and our host answers their guests as theirs did."""

from collections import deque
from pathlib import Path

import msgspec
import pytest
from msgspec import Struct

from tests.conversation import Dice, read
from tunnel import crypto
from tunnel.core import codec
from tunnel.core.effects import ConnectionId, Effect, Ended, HangUp, Joined, NotSaid, Said, Send
from tunnel.core.guest import Guest
from tunnel.core.host import Host
from tunnel.core.instant import TICKS_PER_SECOND, Instant
from tunnel.core.link import JoinLink, parse
from tunnel.spec.v1 import frames
from tunnel.spec.v1.constants import CHALLENGE_BYTES, MESSAGE_ID_BYTES, SEAL_NONCE_BYTES
from tunnel.spec.v1.refusals import Cause, Closing

RECORDINGS = Path(__file__).parent.parent / "transcripts"
ALL = sorted(path.stem for path in RECORDINGS.glob("*.jsonl"))
WITH_KEY = ["w1-v012-join-say-leave-close", "w1-v019-join-say-leave-close"]


class Line(Struct, frozen=True):
    """One line of a recording: a frame on its way, or an event; `m` is the guest."""

    conn: str
    dir: str
    frame: msgspec.Raw = msgspec.Raw(b"")
    event: str = ""
    code: int | None = None
    reason: str | None = None

    @property
    def text(self) -> str:
        """The frame as it stood on the wire: without the blanks of the recording."""
        return msgspec.json.encode(msgspec.json.decode(self.frame)).decode()

    @property
    def message(self) -> frames.Message | None:
        """The message in a `msg` of the host."""
        frame = codec.from_host(self.text) if self.dir == "h>m" else None
        return frame.msg if isinstance(frame, frames.Msg) else None


class Opened(Struct, frozen=True):
    """What the recorded host answered to its agent."""

    link: str = msgspec.field(name="joinLink")


class Meta(Struct, frozen=True):
    """The head of a recording."""

    version: str
    open: Opened | None = None


class Head(Struct, frozen=True):
    """The first line."""

    meta: Meta


class Recording:
    """A recorded conversation."""

    def __init__(self, name: str) -> None:
        head, *lines = (RECORDINGS / f"{name}.jsonl").read_bytes().splitlines()
        opened = msgspec.json.decode(head, type=Head).meta.open
        self.key_is_known = opened is not None
        self.link: JoinLink = parse(opened.link if opened else f"ws://127.0.0.1:1/t/ab#{'A' * 43}")
        self.lines = [msgspec.json.decode(line, type=Line) for line in lines]

    def of(self, conn: str) -> list[Line]:
        return [line for line in self.lines if line.conn == conn]

    @property
    def conns(self) -> list[str]:
        return list(dict.fromkeys(line.conn for line in self.lines if line.conn != "host"))


class Recorded:
    """The random bytes that a recorded end drew, by their count; made-up ones when it has no more."""

    def __init__(self) -> None:
        self.drawn: dict[int, deque[bytes]] = {
            SEAL_NONCE_BYTES: deque(),
            MESSAGE_ID_BYTES: deque(),
            CHALLENGE_BYTES: deque(),
        }
        self._dice = Dice("beyond the recording")

    def draw(self, data: bytes) -> None:
        self.drawn[len(data)].append(data)

    def draw_message(self, id: str, body: str, kind: str) -> None:
        self.draw(bytes.fromhex(id))
        if kind == "chat":
            self.draw(crypto.decode_base64url(body)[:SEAL_NONCE_BYTES])

    def __call__(self, count: int) -> bytes:
        recorded = self.drawn.get(count)
        return recorded.popleft() if recorded else self._dice(count)


# --- Their hosts, our guest -------------------------------------------------------------------------------------------


class Played(Struct):
    """Our guest after the recording, with what it did and what the recorded guest sent."""

    guest: Guest
    did: list[Effect]
    recorded: list[str]

    @property
    def sent(self) -> list[str]:
        return [codec.encode(effect.frame).decode() for effect in self.did if isinstance(effect, Send)]


def play_guest(recording: Recording, conn: str) -> Played:
    """Let our guest take the place of a recorded one: same randomness, same words, and the recorded host's frames."""
    entropy, now = Recorded(), Instant(0, 0)
    guest = Guest(link=recording.link, name=conn, entropy=entropy, now=now)
    played = Played(guest, guest.connected(now), [])
    for line in recording.of(conn):
        if line.dir == "h>m":
            played.did += guest.receive(line.text, now)
        elif line.dir == "m>h":
            played.recorded.append(line.text)
            match codec.from_guest(line.text):
                case frames.Send(msg=draft):
                    entropy.draw_message(draft.id, draft.body, draft.kind)
                    text = crypto.open_body(recording.link.key, draft.body)
                    played.did += guest.say(1, text, now)
                case _:
                    pass
        elif "closes" in line.event:
            played.did += guest.close("", now)
        elif line.event == "ws closed":
            played.did += guest.lost(line.reason or "", now)
    return played


ENDS = {
    "w1-v012-hostclose-nosummary": Cause.HOST_GONE,
    "w1-v012-hostclose-summary": Cause.CLOSED_BY_HOST,
    "w1-v012-idle": Cause.IDLE,
    "w1-v012-join-say-leave-close": Cause.CLOSED_BY_GUEST,
    "w1-v019-hostclose-nosummary": Cause.HOST_GONE,
    "w1-v019-hostclose-summary": Cause.CLOSED_BY_HOST,
    "w1-v019-join-say-leave-close": Cause.CLOSED_BY_GUEST,
}


def test_every_recording_is_played() -> None:
    assert ENDS.keys() == set(ALL)


@pytest.mark.parametrize("name", ALL)
def test_our_guest_joins_a_released_host_and_learns_how_the_tunnel_ends(name: str) -> None:
    """CLOSE-5, AUTH-10, SEQ-4."""
    played = play_guest(Recording(name), "bob")

    assert Joined() in played.did
    assert played.did[-1] == Ended(ENDS[name])
    assert played.guest.host_name == "alice"


@pytest.mark.parametrize("name", ALL)
def test_our_guest_takes_every_message_of_a_released_host(name: str) -> None:
    """SEQ-4."""
    recording = Recording(name)
    told = [message.seq for line in recording.of("bob") if (message := line.message)]
    played = play_guest(recording, "bob")

    assert played.guest.transcript.last == max(told)
    assert read(played.guest.transcript)[:2] == [f"tunnel opened — goal: {played.guest.goal}", "bob joined"]


@pytest.mark.parametrize("name", WITH_KEY)
def test_our_guest_sends_what_the_released_guest_sent(name: str) -> None:
    """AUTH-2, SEAL-1, WIRE-10."""
    played = play_guest(Recording(name), "bob")

    assert len(played.recorded) == 2
    assert played.sent == played.recorded


@pytest.mark.parametrize("name", WITH_KEY)
def test_the_echo_of_a_released_host_confirms_what_our_guest_said(name: str) -> None:
    """SEQ-3."""
    played = play_guest(Recording(name), "bob")

    assert [effect for effect in played.did if isinstance(effect, Said | NotSaid)] == [Said(1, 3)]


@pytest.mark.parametrize("name", WITH_KEY)
def test_both_ends_of_a_recording_can_be_read(name: str) -> None:
    """SEAL-1."""
    texts = read(play_guest(Recording(name), "bob").guest.transcript)

    assert len(texts) == 4
    assert not {"[unreadable]", "[replayed]"} & set(texts)


@pytest.mark.parametrize(("conn", "reason"), [("dave", "tunnel full"), ("erin", "join link already used")])
@pytest.mark.parametrize("name", WITH_KEY)
def test_our_guest_is_told_why_a_released_host_refuses_it(name: str, conn: str, reason: str) -> None:
    """AUTH-11."""
    played = play_guest(Recording(name), conn)

    assert played.guest.refused_because == reason
    assert played.guest.cause is Cause.REFUSED
    assert played.sent == played.recorded


# --- Their guests, our host -------------------------------------------------------------------------------------------


class Hosted:
    """Our host in the place of a recorded one: same randomness, same words, and the recorded guests' frames."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.entropy = Recorded()
        self.sent: dict[ConnectionId, list[str]] = {}
        self.hung_up: dict[ConnectionId, Closing] = {}
        self._numbers: dict[str, ConnectionId] = {}
        self._ticks = 0
        self._prepare()
        goal, name = next((f.goal, f.peer_name) for f in self._told("bob") if isinstance(f, frames.AuthOk))
        self.host = Host(key=recording.link.key, goal=goal, name=name, entropy=self.entropy, now=self.now)
        self._perform(self.host.reachable(self.now))

    @property
    def now(self) -> Instant:
        return Instant(self._ticks, 0)

    def _told(self, conn: str) -> list[frames.HostFrame | codec.Unread]:
        return [codec.from_host(line.text) for line in self.recording.of(conn) if line.dir == "h>m"]

    def _prepare(self) -> None:
        for conn in self.recording.conns:
            for frame in self._told(conn):
                match frame:
                    case frames.Challenge(nonce=nonce):
                        self.entropy.draw(crypto.decode_base64url(nonce))
                    case frames.AuthOk(backlog=backlog):
                        for message in backlog:
                            self.entropy.draw_message(message.id, message.body, message.kind)
                    case frames.Msg(msg=message) if message.sender == "host":
                        self.entropy.draw_message(message.id, message.body, message.kind)
                    case _:
                        pass

    def play(self) -> "Hosted":
        for line in self.recording.lines:
            self._ticks += TICKS_PER_SECOND // 10
            if line.event == "ws open":
                number, out = self.host.accept(self.now)
                self._numbers[line.conn] = number
                self._perform([*out, *self.host.upgraded(number, self.now)])
            elif line.dir == "m>h":
                self._perform(self.host.receive(self._numbers[line.conn], line.text, self.now))
            elif line.event == "ws closed":
                self._perform(self.host.lost(self._numbers[line.conn], self.now))
            elif line.event == "host say":
                self._perform(self.host.say(1, self._next_words(), self.now))
            elif line.event.startswith("host close("):
                self._perform(self.host.close("all done", self.now))
        return self

    def _next_words(self) -> str:
        said = next(
            m for line in self.recording.of("bob") if (m := line.message) and (m.sender, m.kind) == ("host", "chat")
        )
        return crypto.open_body(self.recording.link.key, said.body)

    def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Send(to=to, frame=frame):
                    self.sent.setdefault(to, []).append(codec.encode(frame).decode())
                case HangUp(to=to, closing=closing):
                    self.hung_up[to] = closing
                case _:
                    pass

    def sent_to(self, conn: str) -> list[str]:
        return [without_time(text) for text in self.sent[self._numbers[conn]]]

    def was_hung_up(self, conn: str) -> Closing | None:
        return self.hung_up.get(self._numbers[conn])


def without_time(text: str) -> str:
    """A host's frame, with every message at the beginning of time."""
    match codec.from_host(text):
        case frames.Msg(msg=message):
            return codec.encode(frames.Msg(msg=msgspec.structs.replace(message, ts=0))).decode()
        case frames.AuthOk() as welcome:
            backlog = tuple(msgspec.structs.replace(message, ts=0) for message in welcome.backlog)
            return codec.encode(msgspec.structs.replace(welcome, backlog=backlog)).decode()
        case _:
            return text


@pytest.mark.parametrize("conn", ["bob", "dave", "erin"])
@pytest.mark.parametrize("name", WITH_KEY)
def test_our_host_sends_what_the_released_host_sent(name: str, conn: str) -> None:
    """AUTH-1, AUTH-2, SEQ-1, SEQ-3, LINK-4, WIRE-10."""
    recording = Recording(name)
    hosted = Hosted(recording).play()
    recorded = [without_time(line.text) for line in recording.of(conn) if line.dir == "h>m"]

    assert len(recorded) >= 2
    assert hosted.sent_to(conn) == recorded


@pytest.mark.parametrize("name", WITH_KEY)
def test_our_host_hears_the_released_guest_and_sees_it_leave(name: str) -> None:
    """SEAL-1, LOCK-1, CLOSE-1."""
    texts = read(Hosted(Recording(name)).play().host.transcript)

    assert texts[:2] == ["tunnel opened — goal: the goal", "bob joined"]
    assert texts[-2:] == ["bob left", "closed — all done"]
    assert "[unreadable]" not in texts


@pytest.mark.parametrize(("conn", "closing"), [("bob", None), ("dave", Closing.REFUSED), ("erin", Closing.REFUSED)])
@pytest.mark.parametrize("name", WITH_KEY)
def test_our_host_hangs_up_on_whom_the_released_host_hung_up(name: str, conn: str, closing: Closing | None) -> None:
    """AUTH-8, CLOSE-4."""
    assert Hosted(Recording(name)).play().was_hung_up(conn) is closing


@pytest.mark.parametrize("name", sorted(set(ALL) - set(WITH_KEY)))
def test_a_released_guest_with_another_key_is_refused(name: str) -> None:
    """AUTH-2."""
    hosted = Hosted(Recording(name)).play()

    assert hosted.sent_to("bob")[1:] == ['{"t":"auth_fail","reason":"bad key"}']
