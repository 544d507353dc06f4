"""The host's session: Admits one guest, numbers messages, and ends. It hears of connections only what `connection.toml` passes on.

Generated from `spec/v1/session.toml` by `python -m spec.compiler build`: edit the table, not this file.
"""

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import Final

from msgspec import Struct

from tunnel.spec import model
from tunnel.spec.v1.refusals import Cause, Closing, Failure, Notice, Refusal


class State(Enum):
    """Where the machine is."""

    OPENING = "opening"
    """The relay listens; the transport is not reachable yet, and nobody has the link."""
    WAITING = "waiting"
    """The link is handed out, and nobody was admitted."""
    LOCKED = "locked"
    """The one guest is connected."""
    VACATED = "vacated"
    """The guest has left. The link stays used; nobody else gets in."""
    CLOSED = "closed"
    """Torn down: relay, port, child processes and files are gone."""


class Event(StrEnum):
    """What happens to it."""

    REACHABLE = "reachable"
    """A guest can reach the relay from outside."""
    UNREACHABLE = "unreachable"
    """The transport is lost for good."""
    AUTH = "auth"
    """A connection answers its challenge. `well_formed`: the frame `auth` has its fields, as AUTH-3 asks for; `proof_ok`: its response is the one that the link's key and the challenge of that very connection give (AUTH-2, AUTH-4)."""
    SEND = "send"
    """The admitted guest says something. `has_room`: with it, the session holds no more messages and bytes of bodies than it may (SIZE-10)."""
    LEFT = "left"
    """The admitted guest's connection has ended."""
    SAY = "say"
    """The host's own agent says something. `fits`: the text has at most TEXT_BYTES bytes (SIZE-5); `has_room`: with it, sealed, the session holds no more than it may (SIZE-10)."""
    CLOSE = "close"
    """The host closes the tunnel. `has_summary`: its agent gave a summary, and not an empty one."""
    EXIT = "exit"
    """The host's process ends."""
    IDLE = "idle"
    """Nothing was numbered for too long."""


class HandOutLink(Struct, frozen=True):
    """The join link goes to the host's agent."""


class Refuse(Struct, frozen=True):
    """The connection that asked is refused."""

    refusal: Refusal


class Admit(Struct, frozen=True):
    """The connection that asked becomes the guest's."""


class Number(Struct, frozen=True):
    """A system message gets the next number and goes to the guest."""

    notice: Notice


class NumberChat(Struct, frozen=True):
    """What an end said gets the next number and goes to the guest."""


class Drop(Struct, frozen=True):
    """The guest's connection is hung up on."""

    closing: Closing


class Fail(Struct, frozen=True):
    """The host's agent is told why it cannot say this."""

    failure: Failure


class End(Struct, frozen=True):
    """Every connection is told and closed, the relay is gone, every waiting listen is answered."""

    cause: Cause


Action = HandOutLink | Refuse | Admit | Number | NumberChat | Drop | Fail | End

ACTIONS: Final[Mapping[str, Action]] = {
    "hand_out_link": HandOutLink(),
    "number opened": Number(Notice.OPENED),
    "end transport_lost": End(Cause.TRANSPORT_LOST),
    "refuse malformed_auth": Refuse(Refusal.MALFORMED_AUTH),
    "refuse bad_key": Refuse(Refusal.BAD_KEY),
    "refuse join_link_expired": Refuse(Refusal.JOIN_LINK_EXPIRED),
    "refuse tunnel_full": Refuse(Refusal.TUNNEL_FULL),
    "refuse join_link_already_used": Refuse(Refusal.JOIN_LINK_ALREADY_USED),
    "admit": Admit(),
    "number joined": Number(Notice.JOINED),
    "number_chat": NumberChat(),
    "drop transcript_full": Drop(Closing.TRANSCRIPT_FULL),
    "number left": Number(Notice.LEFT),
    "fail not_open_yet": Fail(Failure.NOT_OPEN_YET),
    "fail peer_left": Fail(Failure.PEER_LEFT),
    "fail text_too_long": Fail(Failure.TEXT_TOO_LONG),
    "fail transcript_full": Fail(Failure.TRANSCRIPT_FULL),
    "number idle": Number(Notice.IDLE),
    "end idle": End(Cause.IDLE),
    "number summary": Number(Notice.SUMMARY),
    "end closed_by_host": End(Cause.CLOSED_BY_HOST),
    "end process_exit": End(Cause.PROCESS_EXIT),
    "fail ended": Fail(Failure.ENDED),
}
"""The actions, as the rows name them."""

MACHINE: Final = model.Machine(
    machine="session",
    title="The host's session",
    doc="Admits one guest, numbers messages, and ends. It hears of connections only what `connection.toml` passes on.",
    initial="opening",
    groups={"open": ("waiting", "locked", "vacated")},
    states=(
        model.State(name="opening", doc="The relay listens; the transport is not reachable yet, and nobody has the link."),
        model.State(name="waiting", doc="The link is handed out, and nobody was admitted."),
        model.State(name="locked", doc="The one guest is connected."),
        model.State(name="vacated", doc="The guest has left. The link stays used; nobody else gets in."),
        model.State(name="closed", doc="Torn down: relay, port, child processes and files are gone.", final=True),
    ),
    events=(
        model.Event(name="reachable", source="transport", doc="A guest can reach the relay from outside."),
        model.Event(name="unreachable", source="transport", doc="The transport is lost for good."),
        model.Event(name="auth", source="connection", doc="A connection answers its challenge. `well_formed`: the frame `auth` has its fields, as AUTH-3 asks for; `proof_ok`: its response is the one that the link's key and the challenge of that very connection give (AUTH-2, AUTH-4).", facts=("well_formed", "proof_ok")),
        model.Event(name="send", source="connection", doc="The admitted guest says something. `has_room`: with it, the session holds no more messages and bytes of bodies than it may (SIZE-10).", facts=("has_room",)),
        model.Event(name="left", source="connection", doc="The admitted guest's connection has ended."),
        model.Event(name="say", source="host", doc="The host's own agent says something. `fits`: the text has at most TEXT_BYTES bytes (SIZE-5); `has_room`: with it, sealed, the session holds no more than it may (SIZE-10).", facts=("fits", "has_room")),
        model.Event(name="close", source="host", doc="The host closes the tunnel. `has_summary`: its agent gave a summary, and not an empty one.", facts=("has_summary",)),
        model.Event(name="exit", source="host", doc="The host's process ends."),
        model.Event(name="idle", source="timer", doc="Nothing was numbered for too long."),
    ),
    timers=(
        model.Timer(name="link", duration="LINK_SECONDS", runs_in=("open",), passed_when="elapsed > duration", doc="The lifetime of the join link.", rules=("LINK-2",)),
        model.Timer(name="idle", duration="IDLE_SECONDS", runs_in=("live",), passed_when="elapsed >= duration", doc="Only a numbered message is activity.", restarts_on=("number", "number_chat"), fires="idle", rules=("IDLE-1", "IDLE-2")),
    ),
    actions=(
        model.ActionKind(name="hand_out_link", doc="The join link goes to the host's agent."),
        model.ActionKind(name="refuse", doc="The connection that asked is refused.", takes="refusal"),
        model.ActionKind(name="admit", doc="The connection that asked becomes the guest's."),
        model.ActionKind(name="number", doc="A system message gets the next number and goes to the guest.", takes="notice"),
        model.ActionKind(name="number_chat", doc="What an end said gets the next number and goes to the guest."),
        model.ActionKind(name="drop", doc="The guest's connection is hung up on.", takes="closing"),
        model.ActionKind(name="fail", doc="The host's agent is told why it cannot say this.", takes="failure"),
        model.ActionKind(name="end", doc="Every connection is told and closed, the relay is gone, every waiting listen is answered.", takes="cause"),
    ),
    transitions=(
        model.Row(id="open", on="reachable", leaves=("opening",), to="waiting", do=("hand_out_link", "number opened"), rules=("LINK-1", "SEQ-1")),
        model.Row(id="still-open", on="reachable", leaves=("open",), to="="),
        model.Row(id="transport-lost", on="unreachable", leaves=("live",), to="closed", do=("end transport_lost",), rules=("CLOSE-2",)),
        model.Row(id="auth-malformed", on="auth", leaves=("live",), to="=", when="not well_formed", do=("refuse malformed_auth",), rules=("AUTH-3", "LINK-3", "LINK-4")),
        model.Row(id="auth-bad-key", on="auth", leaves=("open",), to="=", when="not proof_ok", do=("refuse bad_key",), rules=("AUTH-2", "LINK-3", "LINK-4")),
        model.Row(id="auth-expired", on="auth", leaves=("open",), to="=", when="passed(link)", do=("refuse join_link_expired",), rules=("LINK-2", "LINK-4")),
        model.Row(id="auth-full", on="auth", leaves=("locked",), to="=", do=("refuse tunnel_full",), rules=("LOCK-1", "LINK-4")),
        model.Row(id="auth-used", on="auth", leaves=("vacated",), to="=", do=("refuse join_link_already_used",), rules=("LINK-1", "LOCK-1", "LINK-4")),
        model.Row(id="auth-admitted", on="auth", leaves=("waiting",), to="locked", do=("admit", "number joined"), rules=("LOCK-1", "LINK-1", "SEQ-1")),
        model.Row(id="auth-too-early", on="auth", leaves=("opening",), to="=", do=("refuse bad_key",), rules=("LINK-5",)),
        model.Row(id="send-chat", on="send", leaves=("locked",), to="=", when="has_room", do=("number_chat",), rules=("SEQ-1", "SEQ-2")),
        model.Row(id="send-full", on="send", leaves=("locked",), to="=", do=("drop transcript_full",), rules=("SIZE-10",)),
        model.Row(id="send-stranger", on="send", leaves=("opening", "waiting", "vacated"), to="=", rules=("LOCK-2",)),
        model.Row(id="guest-left", on="left", leaves=("locked",), to="vacated", do=("number left",), rules=("LOCK-1", "SEQ-1")),
        model.Row(id="nobody-left", on="left", leaves=("opening", "waiting", "vacated"), to="=", rules=("LOCK-2",)),
        model.Row(id="say-too-early", on="say", leaves=("opening",), to="=", do=("fail not_open_yet",), rules=("LINK-5",)),
        model.Row(id="say-to-nobody", on="say", leaves=("vacated",), to="=", do=("fail peer_left",), rules=("LOCK-3",)),
        model.Row(id="say-too-long", on="say", leaves=("waiting", "locked"), to="=", when="not fits", do=("fail text_too_long",), rules=("SIZE-5",)),
        model.Row(id="say-full", on="say", leaves=("waiting", "locked"), to="=", when="not has_room", do=("fail transcript_full",), rules=("SIZE-10",)),
        model.Row(id="say", on="say", leaves=("waiting", "locked"), to="=", do=("number_chat",), rules=("SEQ-1",)),
        model.Row(id="idle", on="idle", leaves=("open",), to="closed", do=("number idle", "end idle"), rules=("IDLE-1", "IDLE-3", "CLOSE-2")),
        model.Row(id="idle-unopened", on="idle", leaves=("opening",), to="closed", do=("end idle",), rules=("IDLE-1", "CLOSE-2")),
        model.Row(id="close-summary", on="close", leaves=("open",), to="closed", when="has_summary", do=("number summary", "end closed_by_host"), rules=("CLOSE-1", "CLOSE-2")),
        model.Row(id="close", on="close", leaves=("live",), to="closed", do=("end closed_by_host",), rules=("CLOSE-2",)),
        model.Row(id="exit", on="exit", leaves=("open",), to="closed", do=("number summary", "end process_exit"), rules=("CLOSE-1", "CLOSE-2")),
        model.Row(id="exit-unopened", on="exit", leaves=("opening",), to="closed", do=("end process_exit",), rules=("CLOSE-2",)),
        model.Row(id="say-ended", on="say", leaves=("closed",), to="=", do=("fail ended",), rules=("CLOSE-3",)),
        model.Row(id="gone", on="*", leaves=("closed",), to="=", rules=("CLOSE-3",)),
    ),
    invariants=(
        model.Invariant(id="one-guest", holds="count(admit) <= 1", doc="At most one admission, ever.", rules=("LOCK-1", "LINK-1")),
        model.Invariant(id="admit-when-waiting", holds="not did(admit) or (old_state == waiting and state == locked)", doc="Only an unused link admits.", rules=("LOCK-1", "LINK-1")),
        model.Invariant(id="admit-in-time", holds="not did(admit) or elapsed(link) <= LINK_SECONDS", doc="A dead link admits nobody.", rules=("LINK-2",)),
        model.Invariant(id="admit-with-proof", holds="not did(admit) or (event == auth and well_formed and proof_ok)", doc="Only a valid proof admits.", rules=("AUTH-2", "AUTH-3")),
        model.Invariant(id="good-link-admits", holds="not (event == auth and old_state == waiting and well_formed and proof_ok and elapsed(link) <= LINK_SECONDS) or did(admit)", doc="A good, unused link is never refused.", rules=("LINK-2", "LINK-3")),
        model.Invariant(id="every-auth-answered", holds="(did(admit) or did(refuse)) == (event == auth and old_state != closed)", doc="Nobody waits for a verdict.", rules=("LINK-4",)),
        model.Invariant(id="malformed-first", holds="did(refuse, malformed_auth) == (event == auth and old_state != closed and not well_formed)", doc="Malformed is named before anything else.", rules=("AUTH-3", "LINK-4")),
        model.Invariant(id="bad-key-second", holds="did(refuse, bad_key) == (event == auth and old_state != closed and well_formed and (not proof_ok or old_state == opening))", doc="A wrong proof learns nothing about the link, and before there is a link every proof is wrong.", rules=("AUTH-2", "LINK-4", "LINK-5")),
        model.Invariant(id="expired-third", holds="did(refuse, join_link_expired) == (event == auth and old_state != closed and old_state != opening and well_formed and proof_ok and elapsed(link) > LINK_SECONDS)", doc="Expired is named before full and used.", rules=("LINK-2", "LINK-4")),
        model.Invariant(id="full-while-there", holds="not did(refuse, tunnel_full) or old_state == locked", doc="Full means: the guest is connected.", rules=("LINK-4",)),
        model.Invariant(id="used-after-leave", holds="not did(refuse, join_link_already_used) or old_state == vacated", doc="Used means: the guest has left.", rules=("LINK-1", "LINK-4")),
        model.Invariant(id="refused-no-trace", holds="not did(refuse) or (state == old_state and not did(number) and not did(admit))", doc="A refused join changes nothing and is no activity.", rules=("LINK-3", "IDLE-2")),
        model.Invariant(id="idle-ends", holds="state == closed or elapsed(idle) < IDLE_SECONDS", doc="No session outlives its idle deadline.", rules=("IDLE-1", "TIME-1")),
        model.Invariant(id="idle-is-earned", holds="event != idle or old_state == closed or (state == closed and elapsed(idle) >= IDLE_SECONDS and did(end, idle))", doc="Idle fires only when it is due, and ends the session.", rules=("IDLE-1", "IDLE-2")),
        model.Invariant(id="link-ages", holds="started(link) == did(hand_out_link) and running(link) == (state == waiting or state == locked or state == vacated)", doc="The link ages from the moment it is handed out, used or not.", rules=("LINK-2",)),
        model.Invariant(id="idle-is-silence", holds="started(idle) == (state != closed and (did(number) or did(number_chat))) and running(idle) == (state != closed)", doc="A numbered message is activity, and nothing else is.", rules=("IDLE-1", "IDLE-2")),
        model.Invariant(id="idle-is-told", holds="did(number, idle) == (event == idle and old_state != closed and old_state != opening)", doc="An open session says that it ends for idleness.", rules=("IDLE-3",)),
        model.Invariant(id="chat-is-numbered", holds="did(number_chat) == ((event == send and old_state == locked and has_room) or (event == say and (old_state == waiting or old_state == locked) and fits and has_room))", doc="Every chat of the two ends is numbered, and nobody else's.", rules=("SEQ-1", "LOCK-2", "LOCK-3", "SIZE-5", "SIZE-10")),
        model.Invariant(id="say-is-answered", holds="did(fail) == (event == say and not did(number_chat))", doc="Nothing that is said vanishes.", rules=("LOCK-3", "CLOSE-3")),
        model.Invariant(id="say-names-why", holds="did(fail, peer_left) == (event == say and old_state == vacated) and did(fail, ended) == (event == say and old_state == closed) and did(fail, not_open_yet) == (event == say and old_state == opening)", doc="The failure names the state.", rules=("LOCK-3", "CLOSE-3")),
        model.Invariant(id="no-room-is-said", holds="did(fail, transcript_full) == (event == say and (old_state == waiting or old_state == locked) and fits and not has_room)", doc="The host's agent is told that the transcript is full.", rules=("SIZE-10",)),
        model.Invariant(id="too-long-first", holds="did(fail, text_too_long) == (event == say and (old_state == waiting or old_state == locked) and not fits)", doc="A text that is too long is named so.", rules=("SIZE-5",)),
        model.Invariant(id="full-is-said", holds="did(drop, transcript_full) == (event == send and old_state == locked and not has_room)", doc="A guest that overfills the transcript is hung up on.", rules=("SIZE-10",)),
        model.Invariant(id="left-is-told", holds="did(number, left) == (event == left and old_state == locked) and (event != left or old_state != locked or state == vacated)", doc="The leave is told once, and the tunnel stays taken.", rules=("LOCK-1", "SEQ-1")),
        model.Invariant(id="joined-is-told", holds="did(number, joined) == did(admit)", doc="The join is told once.", rules=("SEQ-1",)),
        model.Invariant(id="opened-is-told", holds="did(number, opened) == (event == reachable and old_state == opening) and did(hand_out_link) == did(number, opened)", doc="The link is handed out once, when it can be used.", rules=("SEQ-1", "LINK-2")),
        model.Invariant(id="summary-is-told", holds="did(number, summary) == (old_state != closed and old_state != opening and ((event == close and has_summary) or event == exit))", doc="A summary is the last system message.", rules=("CLOSE-1",)),
        model.Invariant(id="ends-once", holds="did(end) == (old_state != closed and state == closed) and count(end) <= 1", doc="The end is told exactly once.", rules=("CLOSE-2", "CLOSE-3")),
        model.Invariant(id="end-names-cause", holds="(event != close or old_state == closed or did(end, closed_by_host)) and (event != exit or old_state == closed or did(end, process_exit)) and (event != unreachable or old_state == closed or did(end, transport_lost))", doc="Every end has its cause.", rules=("CLOSE-2",)),
        model.Invariant(id="closed-stays-closed", holds="old_state != closed or (state == closed and not did(number) and not did(number_chat) and not did(admit) and not did(refuse) and not did(end) and not did(drop) and not did(hand_out_link))", doc="Nothing wakes a closed session.", rules=("CLOSE-3",)),
        model.Invariant(id="told-in-order", holds="(not did(hand_out_link) or before(hand_out_link, number)) and (not did(admit) or before(admit, number)) and (not did(end) or not did(number) or before(number, end))", doc="Nothing is said before there is a link; the guest hears of its own join; the last word is said before the end.", rules=("LINK-5", "IDLE-3", "CLOSE-1")),
        model.Invariant(id="moves", holds="state == old_state or state == closed or (old_state == opening and state == waiting and did(hand_out_link)) or (old_state == waiting and state == locked and did(admit)) or (old_state == locked and state == vacated and event == left)", doc="A session goes forward, for these reasons and no others.", rules=("LOCK-1", "LINK-1")),
        model.Invariant(id="waiting-is-first", holds="state != waiting or count(admit) == 0", doc="Nobody was ever admitted while the session waits.", rules=("LINK-1",)),
        model.Invariant(id="locked-has-guest", holds="(state != locked and state != vacated) or count(admit) == 1", doc="A guest that was never admitted cannot be there, nor have left.", rules=("LOCK-1",)),
    ),
)
