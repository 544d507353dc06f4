"""One connection, as the host sees it: A stranger until the session admits it, and finished as soon as it is told to go: what follows on it is ignored.

Generated from `spec/v1/connection.toml` by `python -m spec.compiler build`: edit the table, not this file.
"""

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import Final

from msgspec import Struct

from tunnel.spec import model
from tunnel.spec.v1.refusals import Closing


class State(Enum):
    """Where the machine is."""

    OPENING = "opening"
    """TCP is accepted; the HTTP request is not complete."""
    CHALLENGED = "challenged"
    """The WebSocket is open and the challenge is sent."""
    ADMITTED = "admitted"
    """It is the guest's."""
    FINISHED = "finished"
    """It was told to go; what follows on it is ignored."""
    GONE = "gone"
    """The socket is closed."""


class Event(StrEnum):
    """What happens to it."""

    UPGRADED = "upgraded"
    """The HTTP request was accepted: a WebSocket is open."""
    AUTH = "auth"
    """The frame `auth`, well-formed or not."""
    SEND = "send"
    """The frame `send`, well-formed."""
    OTHER = "other"
    """Anything else: no JSON, no object, an unknown or a wrong frame."""
    HEARD = "heard"
    """Bytes came in, whatever they hold."""
    CONTROL = "control"
    """A WebSocket ping or pong. `flooding`: with it, the peer has sent more than CONTROL_FRAMES of them within PING_SECONDS (SIZE-8)."""
    OVERSIZE = "oversize"
    """A frame is larger than is taken from this peer."""
    NOT_TEXT = "not_text"
    """A text message is not UTF-8."""
    OVERFLOW = "overflow"
    """Too much waits for a peer that does not read."""
    EVICT = "evict"
    """A newer connection needs the place."""
    ADMIT = "admit"
    """The session admits it."""
    REFUSE = "refuse"
    """The session refuses it."""
    DROP = "drop"
    """The session hangs up on its guest."""
    END = "end"
    """The session ends."""
    LOST = "lost"
    """The socket is closed, by whom and however."""
    AUTHENTICATE = "authenticate"
    """It did not authenticate in time."""
    PING = "ping"
    """It is time for a ping."""
    SILENCE = "silence"
    """Nothing was heard for too long."""


class Challenge(Struct, frozen=True):
    """A fresh challenge is sent."""


class Judge(Struct, frozen=True):
    """The session decides about the `auth`."""


class Relay(Struct, frozen=True):
    """The session numbers what was sent."""


class Welcome(Struct, frozen=True):
    """`auth_ok` is sent, with the backlog."""


class Deny(Struct, frozen=True):
    """`auth_fail` is sent, with the session's reason."""


class HangUp(Struct, frozen=True):
    """A close frame is sent; the socket is closed soon, whatever the peer does."""

    closing: Closing


class HangUpTold(Struct, frozen=True):
    """As `hang_up`, with the closing that the session gave."""


class Leave(Struct, frozen=True):
    """The session is told that its guest has left."""


class Ping(Struct, frozen=True):
    """A WebSocket ping is sent."""


Action = Challenge | Judge | Relay | Welcome | Deny | HangUp | HangUpTold | Leave | Ping

ACTIONS: Final[Mapping[str, Action]] = {
    "challenge": Challenge(),
    "judge": Judge(),
    "welcome": Welcome(),
    "deny": Deny(),
    "hang_up refused": HangUp(Closing.REFUSED),
    "leave": Leave(),
    "relay": Relay(),
    "hang_up flood": HangUp(Closing.FLOOD),
    "hang_up too_big": HangUp(Closing.TOO_BIG),
    "hang_up not_text": HangUp(Closing.NOT_TEXT),
    "hang_up slow": HangUp(Closing.SLOW),
    "hang_up evicted": HangUp(Closing.EVICTED),
    "hang_up_told": HangUpTold(),
    "hang_up auth_timeout": HangUp(Closing.AUTH_TIMEOUT),
    "ping": Ping(),
    "hang_up silent": HangUp(Closing.SILENT),
}
"""The actions, as the rows name them."""

MACHINE: Final = model.Machine(
    machine="connection",
    title="One connection, as the host sees it",
    doc="A stranger until the session admits it, and finished as soon as it is told to go: what follows on it is ignored.",
    initial="opening",
    groups={"stranger": ("opening", "challenged"), "talking": ("opening", "challenged", "admitted")},
    states=(
        model.State(name="opening", doc="TCP is accepted; the HTTP request is not complete."),
        model.State(name="challenged", doc="The WebSocket is open and the challenge is sent."),
        model.State(name="admitted", doc="It is the guest's."),
        model.State(name="finished", doc="It was told to go; what follows on it is ignored."),
        model.State(name="gone", doc="The socket is closed.", final=True),
    ),
    events=(
        model.Event(name="upgraded", source="listener", doc="The HTTP request was accepted: a WebSocket is open."),
        model.Event(name="auth", source="peer", doc="The frame `auth`, well-formed or not."),
        model.Event(name="send", source="peer", doc="The frame `send`, well-formed."),
        model.Event(name="other", source="peer", doc="Anything else: no JSON, no object, an unknown or a wrong frame."),
        model.Event(name="heard", source="peer", doc="Bytes came in, whatever they hold."),
        model.Event(name="control", source="peer", doc="A WebSocket ping or pong. `flooding`: with it, the peer has sent more than CONTROL_FRAMES of them within PING_SECONDS (SIZE-8).", facts=("flooding",)),
        model.Event(name="oversize", source="peer", doc="A frame is larger than is taken from this peer."),
        model.Event(name="not_text", source="peer", doc="A text message is not UTF-8."),
        model.Event(name="overflow", source="listener", doc="Too much waits for a peer that does not read."),
        model.Event(name="evict", source="listener", doc="A newer connection needs the place."),
        model.Event(name="admit", source="session", doc="The session admits it."),
        model.Event(name="refuse", source="session", doc="The session refuses it."),
        model.Event(name="drop", source="session", doc="The session hangs up on its guest."),
        model.Event(name="end", source="session", doc="The session ends."),
        model.Event(name="lost", source="listener", doc="The socket is closed, by whom and however."),
        model.Event(name="authenticate", source="timer", doc="It did not authenticate in time."),
        model.Event(name="ping", source="timer", doc="It is time for a ping."),
        model.Event(name="silence", source="timer", doc="Nothing was heard for too long."),
    ),
    timers=(
        model.Timer(name="authenticate", duration="AUTH_SECONDS", runs_in=("stranger",), passed_when="elapsed >= duration", doc="From accepting the socket until it is admitted.", fires="authenticate", rules=("AUTH-6",)),
        model.Timer(name="ping", duration="PING_SECONDS", runs_in=("admitted",), passed_when="elapsed >= duration", doc="Between two pings.", restarts_on=("ping",), fires="ping", rules=("KEEP-1",)),
        model.Timer(name="silence", duration="SILENCE_SECONDS", runs_in=("admitted",), passed_when="elapsed >= duration", doc="Since anything was heard.", restarts_on=("heard",), fires="silence", rules=("KEEP-2",)),
    ),
    actions=(
        model.ActionKind(name="challenge", doc="A fresh challenge is sent."),
        model.ActionKind(name="judge", doc="The session decides about the `auth`."),
        model.ActionKind(name="relay", doc="The session numbers what was sent."),
        model.ActionKind(name="welcome", doc="`auth_ok` is sent, with the backlog."),
        model.ActionKind(name="deny", doc="`auth_fail` is sent, with the session's reason."),
        model.ActionKind(name="hang_up", doc="A close frame is sent; the socket is closed soon, whatever the peer does.", takes="closing"),
        model.ActionKind(name="hang_up_told", doc="As `hang_up`, with the closing that the session gave."),
        model.ActionKind(name="leave", doc="The session is told that its guest has left."),
        model.ActionKind(name="ping", doc="A WebSocket ping is sent."),
    ),
    transitions=(
        model.Row(id="challenge", on="upgraded", leaves=("opening",), to="challenged", do=("challenge",), rules=("AUTH-1",)),
        model.Row(id="upgraded-twice", on="upgraded", leaves=("challenged", "admitted"), to="="),
        model.Row(id="auth", on="auth", leaves=("challenged", "admitted"), to="=", do=("judge",), rules=("AUTH-2", "AUTH-3", "AUTH-7")),
        model.Row(id="auth-unasked", on="auth", leaves=("opening",), to="=", rules=("AUTH-1",)),
        model.Row(id="admit", on="admit", leaves=("challenged",), to="admitted", do=("welcome",), rules=("LOCK-1",)),
        model.Row(id="admit-nobody", on="admit", leaves=("opening", "admitted"), to="=", rules=("LOCK-1",)),
        model.Row(id="refuse", on="refuse", leaves=("stranger",), to="finished", do=("deny", "hang_up refused"), rules=("AUTH-8", "LINK-3")),
        model.Row(id="refuse-guest", on="refuse", leaves=("admitted",), to="finished", do=("deny", "hang_up refused", "leave"), rules=("AUTH-7", "AUTH-8")),
        model.Row(id="send", on="send", leaves=("admitted",), to="=", do=("relay",), rules=("SEQ-1",)),
        model.Row(id="send-stranger", on="send", leaves=("stranger",), to="=", rules=("LOCK-2",)),
        model.Row(id="other", on="other", leaves=("talking",), to="=", rules=("WIRE-4",)),
        model.Row(id="heard", on="heard", leaves=("talking",), to="=", rules=("KEEP-2",)),
        model.Row(id="flood", on="control", leaves=("stranger",), to="finished", when="flooding", do=("hang_up flood",), rules=("SIZE-8",)),
        model.Row(id="flood-guest", on="control", leaves=("admitted",), to="finished", when="flooding", do=("hang_up flood", "leave"), rules=("SIZE-8",)),
        model.Row(id="control", on="control", leaves=("talking",), to="="),
        model.Row(id="too-big", on="oversize", leaves=("stranger",), to="finished", do=("hang_up too_big",), rules=("SIZE-1",)),
        model.Row(id="too-big-guest", on="oversize", leaves=("admitted",), to="finished", do=("hang_up too_big", "leave"), rules=("SIZE-2",)),
        model.Row(id="not-text", on="not_text", leaves=("stranger",), to="finished", do=("hang_up not_text",), rules=("WIRE-5",)),
        model.Row(id="not-text-guest", on="not_text", leaves=("admitted",), to="finished", do=("hang_up not_text", "leave"), rules=("WIRE-5",)),
        model.Row(id="slow", on="overflow", leaves=("stranger",), to="finished", do=("hang_up slow",), rules=("SIZE-9",)),
        model.Row(id="slow-guest", on="overflow", leaves=("admitted",), to="finished", do=("hang_up slow", "leave"), rules=("SIZE-9",)),
        model.Row(id="evict", on="evict", leaves=("stranger",), to="finished", do=("hang_up evicted",), rules=("SIZE-7",)),
        model.Row(id="evict-guest", on="evict", leaves=("admitted",), to="=", rules=("SIZE-7",)),
        model.Row(id="drop", on="drop", leaves=("admitted",), to="finished", do=("hang_up_told", "leave"), rules=("SIZE-10",)),
        model.Row(id="drop-stranger", on="drop", leaves=("stranger",), to="finished", do=("hang_up_told",), rules=("SIZE-10",)),
        model.Row(id="end", on="end", leaves=("talking",), to="finished", do=("hang_up_told",), rules=("CLOSE-4",)),
        model.Row(id="never-proved", on="authenticate", leaves=("stranger",), to="finished", do=("hang_up auth_timeout",), rules=("AUTH-6",)),
        model.Row(id="proved", on="authenticate", leaves=("admitted",), to="=", rules=("AUTH-6",)),
        model.Row(id="ping", on="ping", leaves=("admitted",), to="=", do=("ping",), rules=("KEEP-1",)),
        model.Row(id="ping-stranger", on="ping", leaves=("stranger",), to="=", rules=("KEEP-1",)),
        model.Row(id="silence", on="silence", leaves=("admitted",), to="finished", do=("hang_up silent", "leave"), rules=("KEEP-2", "KEEP-3")),
        model.Row(id="silent-stranger", on="silence", leaves=("stranger",), to="=", rules=("AUTH-6",)),
        model.Row(id="lost", on="lost", leaves=("stranger",), to="gone", rules=("LOCK-2",)),
        model.Row(id="lost-guest", on="lost", leaves=("admitted",), to="gone", do=("leave",), rules=("LOCK-1",)),
        model.Row(id="let-go", on="lost", leaves=("finished",), to="gone", rules=("AUTH-8",)),
        model.Row(id="ignored", on="*", leaves=("finished",), to="=", rules=("AUTH-8",)),
        model.Row(id="gone", on="*", leaves=("gone",), to="=", rules=("AUTH-8",)),
    ),
    invariants=(
        model.Invariant(id="challenge-first", holds="did(challenge) == (event == upgraded and old_state == opening) and count(challenge) <= 1", doc="One challenge, when the WebSocket opens.", rules=("AUTH-1",)),
        model.Invariant(id="challenged-was-asked", holds="state != challenged or count(challenge) == 1", doc="Challenged means: a challenge was sent.", rules=("AUTH-1",)),
        model.Invariant(id="judged-when-asked", holds="did(judge) == (event == auth and (old_state == challenged or old_state == admitted))", doc="Every `auth` of a challenged peer is judged, also a second one.", rules=("AUTH-1", "AUTH-7")),
        model.Invariant(id="relay-the-guest", holds="did(relay) == (event == send and old_state == admitted)", doc="Only the guest is heard.", rules=("LOCK-2", "SEQ-1")),
        model.Invariant(id="welcome-once", holds="did(welcome) == (event == admit and old_state == challenged) and count(welcome) <= 1", doc="A guest is welcomed once.", rules=("LOCK-1",)),
        model.Invariant(id="admitted-by-session", holds="state != admitted or count(welcome) == 1", doc="Nobody but the session admits.", rules=("AUTH-2", "LOCK-1")),
        model.Invariant(id="leave-once", holds="did(leave) == (old_state == admitted and state != admitted and event != end) and count(leave) <= 1", doc="The session hears once that its guest is gone.", rules=("LOCK-1", "KEEP-3")),
        model.Invariant(id="denied-is-finished", holds="did(deny) == (event == refuse and old_state != finished and old_state != gone) and (not did(deny) or state == finished) and did(hang_up, refused) == did(deny)", doc="A refusal is said, and ends the connection.", rules=("AUTH-8", "AUTH-7")),
        model.Invariant(id="finished-is-told", holds="(did(hang_up) != did(hang_up_told)) == (old_state != finished and state == finished)", doc="Whoever is hung up on is told why.", rules=("CLOSE-4", "AUTH-8")),
        model.Invariant(id="told-in-order", holds="(not did(deny) or before(deny, hang_up)) and (not did(leave) or not did(hang_up) or before(hang_up, leave)) and (not did(leave) or not did(hang_up_told) or before(hang_up_told, leave))", doc="The reason is said before the close, and the session hears of it when nothing can be sent any more.", rules=("AUTH-8", "CLOSE-4")),
        model.Invariant(id="finished-is-silent", holds="(old_state != finished and old_state != gone) or (not did(judge) and not did(relay) and not did(welcome) and not did(deny) and not did(hang_up) and not did(hang_up_told) and not did(ping) and not did(challenge) and not did(leave))", doc="What follows a refusal is ignored.", rules=("AUTH-8",)),
        model.Invariant(id="finished-stays", holds="old_state != finished or state == finished or (event == lost and state == gone)", doc="A finished connection only goes away.", rules=("AUTH-8",)),
        model.Invariant(id="gone-stays", holds="(event != lost or state == gone) and (old_state != gone or state == gone) and (state != gone or old_state == gone or event == lost)", doc="A lost socket is gone, and only a lost socket.", rules=("AUTH-8", "CLOSE-2")),
        model.Invariant(id="in-time", holds="(state != opening and state != challenged) or elapsed(authenticate) < AUTH_SECONDS", doc="A stranger does not stay.", rules=("AUTH-6", "TIME-1")),
        model.Invariant(id="in-time-from-accept", holds="not started(authenticate) and running(authenticate) == (state == opening or state == challenged)", doc="Nothing that a stranger does buys it time.", rules=("AUTH-6",)),
        model.Invariant(id="timeout-is-earned", holds="not did(hang_up, auth_timeout) or elapsed(authenticate) >= AUTH_SECONDS", doc="Nobody is sent away early.", rules=("AUTH-6",)),
        model.Invariant(id="timeout-is-named", holds="did(hang_up, auth_timeout) == (event == authenticate and (old_state == opening or old_state == challenged))", doc="It is told that it was too slow, and only then.", rules=("AUTH-6",)),
        model.Invariant(id="alive", holds="state != admitted or event == ping or elapsed(silence) < SILENCE_SECONDS", doc="A dead guest does not stay.", rules=("KEEP-2", "TIME-1")),
        model.Invariant(id="any-byte-is-life", holds="started(silence) == (state == admitted and (old_state != admitted or event == heard)) and running(silence) == (state == admitted)", doc="Whatever is heard proves life, and nothing else does.", rules=("KEEP-2",)),
        model.Invariant(id="silence-is-earned", holds="not did(hang_up, silent) or elapsed(silence) >= SILENCE_SECONDS", doc="Nobody is called dead early.", rules=("KEEP-2",)),
        model.Invariant(id="silence-is-named", holds="did(hang_up, silent) == (event == silence and old_state == admitted)", doc="Silence ends the guest's connection, and only it.", rules=("KEEP-2", "KEEP-3")),
        model.Invariant(id="pings", holds="did(ping) == (event == ping and old_state == admitted) and (state != admitted or event == ping or elapsed(ping) < PING_SECONDS)", doc="The guest is pinged in time.", rules=("KEEP-1",)),
        model.Invariant(id="pings-in-step", holds="started(ping) == (state == admitted and (old_state != admitted or event == ping)) and running(ping) == (state == admitted) and (not did(ping) or elapsed(ping) >= PING_SECONDS)", doc="One ping after the other, and none too early.", rules=("KEEP-1",)),
        model.Invariant(id="bounds", holds="did(hang_up, too_big) == (event == oversize and old_state != finished and old_state != gone) and did(hang_up, not_text) == (event == not_text and old_state != finished and old_state != gone) and did(hang_up, slow) == (event == overflow and old_state != finished and old_state != gone) and did(hang_up, flood) == (event == control and flooding and old_state != finished and old_state != gone)", doc="Every bound has its answer.", rules=("SIZE-1", "SIZE-2", "SIZE-8", "SIZE-9", "WIRE-5")),
        model.Invariant(id="eviction", holds="did(hang_up, evicted) == (event == evict and (old_state == opening or old_state == challenged))", doc="Only strangers are evicted.", rules=("SIZE-7",)),
        model.Invariant(id="session-decides", holds="did(hang_up_told) == ((event == end or event == drop) and old_state != finished and old_state != gone)", doc="The end of the session is told to everybody.", rules=("CLOSE-4", "SIZE-10")),
        model.Invariant(id="no-reason-no-end", holds="state == old_state or event == upgraded or event == admit or event == refuse or event == drop or event == end or event == lost or event == oversize or event == not_text or event == overflow or event == evict or event == control or event == authenticate or event == silence", doc="Unknown frames cost nobody anything.", rules=("WIRE-4",)),
        model.Invariant(id="control-is-free", holds="event != control or flooding or state == old_state", doc="Pings within the bound are free.", rules=("SIZE-8",)),
    ),
)
