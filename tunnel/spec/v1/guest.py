"""The tunnel, as the guest sees it: Proves that it holds the link, once; then takes the host's messages in their order, and nothing else.

Generated from `spec/v1/guest.toml` by `python -m spec.compiler build`: edit the table, not this file.
"""

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import Final

from msgspec import Struct

from tunnel.spec import model
from tunnel.spec.v1.refusals import Cause, Closing, Failure


class State(Enum):
    """Where the machine is."""

    DIALING = "dialing"
    """The WebSocket is not open yet."""
    GREETING = "greeting"
    """The WebSocket is open; the challenge has not come."""
    PROVING = "proving"
    """The challenge is answered; the host has not decided."""
    JOINED = "joined"
    """The host has let this side in."""
    ENDED = "ended"
    """The tunnel is over. What was not read stays readable."""


class Event(StrEnum):
    """What happens to it."""

    CONNECTED = "connected"
    """The WebSocket is open."""
    UNREACHABLE = "unreachable"
    """No WebSocket came about."""
    CHALLENGE = "challenge"
    """The frame `challenge`."""
    AUTH_OK = "auth_ok"
    """The frame `auth_ok`. `in_order`: its backlog has the numbers 1, 2, 3 and so on; `overfull`: it holds more than a session may."""
    AUTH_FAIL = "auth_fail"
    """The frame `auth_fail`."""
    MSG = "msg"
    """The frame `msg`. `stale`: its number was taken before; `in_order`: it is the next number; `echo`: it is the guest's own message, unchanged; `claims_ours`: it says that the guest said it; `overfull`: the session holds more than it may."""
    MALFORMED = "malformed"
    """`challenge`, `auth_ok` or `auth_fail` with a missing or wrong field."""
    OTHER = "other"
    """Anything else: no JSON, no object, an unknown or a wrong frame."""
    HEARD = "heard"
    """Bytes came in, whatever they hold."""
    OVERSIZE = "oversize"
    """A frame is larger than is taken from a host."""
    NOT_TEXT = "not_text"
    """A text message is not UTF-8."""
    OVERFLOW = "overflow"
    """Too much waits for a host that does not read."""
    LOST = "lost"
    """The socket is closed. What the host told in its close frame, or else in a system message that is its last (CLOSE-5), is a fact: `told_closed`, `told_idle`, `told_exit` or `told_transport` for the causes `closed_by_host`, `idle`, `process_exit` and `transport_lost`, and `told_dropped` for the cause `dropped`, which only a close frame tells."""
    SAY = "say"
    """The guest's own agent says something. `fits`: the text has at most TEXT_BYTES bytes (SIZE-5); `has_room`: with it, sealed, and with what waits for its echo, the session holds no more than it may (SIZE-10)."""
    CLOSE = "close"
    """The guest leaves. `has_summary`: its agent gave a summary, and not an empty one."""
    EXIT = "exit"
    """The guest's process ends."""
    JOIN = "join"
    """The join took too long."""
    PING = "ping"
    """It is time for a ping."""
    SILENCE = "silence"
    """Nothing was heard for too long."""


class Answer(Struct, frozen=True):
    """`auth` is sent, with the proof for this challenge."""


class Enter(Struct, frozen=True):
    """Goal, the host's name and the backlog are taken."""


class Take(Struct, frozen=True):
    """The message is taken; who listens is answered."""


class Confirm(Struct, frozen=True):
    """The guest's own message has its number; who said it is told."""


class Conceal(Struct, frozen=True):
    """The number is taken, the message is not shown as the guest's: the guest did not say it."""


class Send(Struct, frozen=True):
    """The frame `send` goes out."""


class SendSummary(Struct, frozen=True):
    """The summary goes out as the last chat."""


class Fail(Struct, frozen=True):
    """The guest's agent is told why it cannot say this."""

    failure: Failure


class HangUp(Struct, frozen=True):
    """A close frame is sent; the socket is closed soon, whatever the host does."""

    closing: Closing


class Ping(Struct, frozen=True):
    """A WebSocket ping is sent."""


class End(Struct, frozen=True):
    """Every waiting listen is answered, every unconfirmed say fails, the socket is gone."""

    cause: Cause


Action = Answer | Enter | Take | Confirm | Conceal | Send | SendSummary | Fail | HangUp | Ping | End

ACTIONS: Final[Mapping[str, Action]] = {
    "end not_connected": End(Cause.NOT_CONNECTED),
    "answer": Answer(),
    "hang_up transcript_full": HangUp(Closing.TRANSCRIPT_FULL),
    "end host_flood": End(Cause.HOST_FLOOD),
    "enter": Enter(),
    "hang_up protocol_error": HangUp(Closing.PROTOCOL_ERROR),
    "end missing_messages": End(Cause.MISSING_MESSAGES),
    "end bad_host": End(Cause.BAD_HOST),
    "hang_up left": HangUp(Closing.LEFT),
    "end refused": End(Cause.REFUSED),
    "take": Take(),
    "confirm": Confirm(),
    "conceal": Conceal(),
    "hang_up too_big": HangUp(Closing.TOO_BIG),
    "end host_too_big": End(Cause.HOST_TOO_BIG),
    "hang_up not_text": HangUp(Closing.NOT_TEXT),
    "hang_up slow": HangUp(Closing.SLOW),
    "end host_slow": End(Cause.HOST_SLOW),
    "fail not_joined_yet": Fail(Failure.NOT_JOINED_YET),
    "fail text_too_long": Fail(Failure.TEXT_TOO_LONG),
    "fail transcript_full": Fail(Failure.TRANSCRIPT_FULL),
    "send": Send(),
    "hang_up join_timeout": HangUp(Closing.JOIN_TIMEOUT),
    "end join_timeout": End(Cause.JOIN_TIMEOUT),
    "ping": Ping(),
    "hang_up silent": HangUp(Closing.SILENT),
    "end host_silent": End(Cause.HOST_SILENT),
    "end host_hung_up": End(Cause.HOST_HUNG_UP),
    "end closed_by_host": End(Cause.CLOSED_BY_HOST),
    "end idle": End(Cause.IDLE),
    "end process_exit": End(Cause.PROCESS_EXIT),
    "end transport_lost": End(Cause.TRANSPORT_LOST),
    "end dropped": End(Cause.DROPPED),
    "end host_gone": End(Cause.HOST_GONE),
    "send_summary": SendSummary(),
    "end closed_by_guest": End(Cause.CLOSED_BY_GUEST),
    "fail ended": Fail(Failure.ENDED),
}
"""The actions, as the rows name them."""

MACHINE: Final = model.Machine(
    machine="guest",
    title="The tunnel, as the guest sees it",
    doc="Proves that it holds the link, once; then takes the host's messages in their order, and nothing else.",
    initial="dialing",
    groups={"joining": ("dialing", "greeting", "proving"), "connected": ("greeting", "proving", "joined")},
    states=(
        model.State(name="dialing", doc="The WebSocket is not open yet."),
        model.State(name="greeting", doc="The WebSocket is open; the challenge has not come."),
        model.State(name="proving", doc="The challenge is answered; the host has not decided."),
        model.State(name="joined", doc="The host has let this side in."),
        model.State(name="ended", doc="The tunnel is over. What was not read stays readable.", final=True),
    ),
    events=(
        model.Event(name="connected", source="dialer", doc="The WebSocket is open."),
        model.Event(name="unreachable", source="dialer", doc="No WebSocket came about."),
        model.Event(name="challenge", source="host", doc="The frame `challenge`."),
        model.Event(name="auth_ok", source="host", doc="The frame `auth_ok`. `in_order`: its backlog has the numbers 1, 2, 3 and so on; `overfull`: it holds more than a session may.", facts=("in_order", "overfull")),
        model.Event(name="auth_fail", source="host", doc="The frame `auth_fail`."),
        model.Event(name="msg", source="host", doc="The frame `msg`. `stale`: its number was taken before; `in_order`: it is the next number; `echo`: it is the guest's own message, unchanged; `claims_ours`: it says that the guest said it; `overfull`: the session holds more than it may.", facts=("stale", "in_order", "overfull", "claims_ours", "echo")),
        model.Event(name="malformed", source="host", doc="`challenge`, `auth_ok` or `auth_fail` with a missing or wrong field."),
        model.Event(name="other", source="host", doc="Anything else: no JSON, no object, an unknown or a wrong frame."),
        model.Event(name="heard", source="host", doc="Bytes came in, whatever they hold."),
        model.Event(name="oversize", source="host", doc="A frame is larger than is taken from a host."),
        model.Event(name="not_text", source="host", doc="A text message is not UTF-8."),
        model.Event(name="overflow", source="dialer", doc="Too much waits for a host that does not read."),
        model.Event(name="lost", source="dialer", doc="The socket is closed. What the host told in its close frame, or else in a system message that is its last (CLOSE-5), is a fact: `told_closed`, `told_idle`, `told_exit` or `told_transport` for the causes `closed_by_host`, `idle`, `process_exit` and `transport_lost`, and `told_dropped` for the cause `dropped`, which only a close frame tells.", facts=("told_closed", "told_idle", "told_exit", "told_transport", "told_dropped")),
        model.Event(name="say", source="guest", doc="The guest's own agent says something. `fits`: the text has at most TEXT_BYTES bytes (SIZE-5); `has_room`: with it, sealed, and with what waits for its echo, the session holds no more than it may (SIZE-10).", facts=("fits", "has_room")),
        model.Event(name="close", source="guest", doc="The guest leaves. `has_summary`: its agent gave a summary, and not an empty one.", facts=("has_summary",)),
        model.Event(name="exit", source="guest", doc="The guest's process ends."),
        model.Event(name="join", source="timer", doc="The join took too long."),
        model.Event(name="ping", source="timer", doc="It is time for a ping."),
        model.Event(name="silence", source="timer", doc="Nothing was heard for too long."),
    ),
    timers=(
        model.Timer(name="join", duration="JOIN_SECONDS", runs_in=("joining",), passed_when="elapsed >= duration", doc="From dialling until the host has let this side in.", fires="join", rules=("AUTH-9",)),
        model.Timer(name="ping", duration="PING_SECONDS", runs_in=("joined",), passed_when="elapsed >= duration", doc="Between two pings.", restarts_on=("ping",), fires="ping", rules=("KEEP-1",)),
        model.Timer(name="silence", duration="SILENCE_SECONDS", runs_in=("joined",), passed_when="elapsed >= duration", doc="Since anything was heard.", restarts_on=("heard",), fires="silence", rules=("KEEP-2",)),
    ),
    actions=(
        model.ActionKind(name="answer", doc="`auth` is sent, with the proof for this challenge."),
        model.ActionKind(name="enter", doc="Goal, the host's name and the backlog are taken."),
        model.ActionKind(name="take", doc="The message is taken; who listens is answered."),
        model.ActionKind(name="confirm", doc="The guest's own message has its number; who said it is told."),
        model.ActionKind(name="conceal", doc="The number is taken, the message is not shown as the guest's: the guest did not say it."),
        model.ActionKind(name="send", doc="The frame `send` goes out."),
        model.ActionKind(name="send_summary", doc="The summary goes out as the last chat."),
        model.ActionKind(name="fail", doc="The guest's agent is told why it cannot say this.", takes="failure"),
        model.ActionKind(name="hang_up", doc="A close frame is sent; the socket is closed soon, whatever the host does.", takes="closing"),
        model.ActionKind(name="ping", doc="A WebSocket ping is sent."),
        model.ActionKind(name="end", doc="Every waiting listen is answered, every unconfirmed say fails, the socket is gone.", takes="cause"),
    ),
    transitions=(
        model.Row(id="connected", on="connected", leaves=("dialing",), to="greeting", rules=("AUTH-5",)),
        model.Row(id="connected-twice", on="connected", leaves=("connected",), to="="),
        model.Row(id="unreachable", on="unreachable", leaves=("live",), to="ended", do=("end not_connected",), rules=("CLOSE-5",)),
        model.Row(id="challenge", on="challenge", leaves=("greeting",), to="proving", do=("answer",), rules=("AUTH-5",)),
        model.Row(id="challenge-again", on="challenge", leaves=("dialing", "proving", "joined"), to="=", rules=("AUTH-5",)),
        model.Row(id="enter-overfull", on="auth_ok", leaves=("proving",), to="ended", when="overfull", do=("hang_up transcript_full", "end host_flood"), rules=("SIZE-10",)),
        model.Row(id="enter", on="auth_ok", leaves=("proving",), to="joined", when="in_order", do=("enter",), rules=("AUTH-10", "SEQ-4")),
        model.Row(id="enter-with-holes", on="auth_ok", leaves=("proving",), to="ended", do=("hang_up protocol_error", "end missing_messages"), rules=("SEQ-4",)),
        model.Row(id="enter-unproved", on="auth_ok", leaves=("dialing", "greeting"), to="ended", do=("hang_up protocol_error", "end bad_host"), rules=("AUTH-10",)),
        model.Row(id="enter-again", on="auth_ok", leaves=("joined",), to="=", rules=("AUTH-10",)),
        model.Row(id="refused", on="auth_fail", leaves=("joining",), to="ended", do=("hang_up left", "end refused"), rules=("AUTH-11",)),
        model.Row(id="refused-later", on="auth_fail", leaves=("joined",), to="=", rules=("AUTH-11",)),
        model.Row(id="malformed", on="malformed", leaves=("joining",), to="ended", do=("hang_up protocol_error", "end bad_host"), rules=("AUTH-12",)),
        model.Row(id="malformed-later", on="malformed", leaves=("joined",), to="=", rules=("WIRE-4",)),
        model.Row(id="msg-too-early", on="msg", leaves=("joining",), to="=", rules=("AUTH-10",)),
        model.Row(id="msg-stale", on="msg", leaves=("joined",), to="=", when="stale", rules=("SEQ-5",)),
        model.Row(id="msg-missing", on="msg", leaves=("joined",), to="ended", when="not in_order", do=("hang_up protocol_error", "end missing_messages"), rules=("SEQ-4",)),
        model.Row(id="msg-overfull", on="msg", leaves=("joined",), to="ended", when="overfull", do=("hang_up transcript_full", "end host_flood"), rules=("SIZE-10",)),
        model.Row(id="msg-echo", on="msg", leaves=("joined",), to="=", when="echo", do=("take", "confirm"), rules=("SEQ-3",)),
        model.Row(id="msg-forged", on="msg", leaves=("joined",), to="=", when="claims_ours", do=("conceal",), rules=("SEQ-6",)),
        model.Row(id="msg", on="msg", leaves=("joined",), to="=", do=("take",), rules=("SEQ-4",)),
        model.Row(id="other", on="other", leaves=("live",), to="=", rules=("WIRE-4",)),
        model.Row(id="heard", on="heard", leaves=("live",), to="=", rules=("KEEP-2",)),
        model.Row(id="too-big", on="oversize", leaves=("live",), to="ended", do=("hang_up too_big", "end host_too_big"), rules=("SIZE-3",)),
        model.Row(id="not-text", on="not_text", leaves=("live",), to="ended", do=("hang_up not_text", "end bad_host"), rules=("WIRE-5",)),
        model.Row(id="slow", on="overflow", leaves=("live",), to="ended", do=("hang_up slow", "end host_slow"), rules=("SIZE-9",)),
        model.Row(id="say-too-early", on="say", leaves=("joining",), to="=", do=("fail not_joined_yet",), rules=("AUTH-10",)),
        model.Row(id="say-too-long", on="say", leaves=("joined",), to="=", when="not fits", do=("fail text_too_long",), rules=("SIZE-5",)),
        model.Row(id="say-full", on="say", leaves=("joined",), to="=", when="not has_room", do=("fail transcript_full",), rules=("SIZE-10",)),
        model.Row(id="say", on="say", leaves=("joined",), to="=", do=("send",), rules=("SEQ-3",)),
        model.Row(id="join-timeout", on="join", leaves=("joining",), to="ended", do=("hang_up join_timeout", "end join_timeout"), rules=("AUTH-9",)),
        model.Row(id="join-done", on="join", leaves=("joined",), to="=", rules=("AUTH-9",)),
        model.Row(id="ping", on="ping", leaves=("joined",), to="=", do=("ping",), rules=("KEEP-1",)),
        model.Row(id="ping-too-early", on="ping", leaves=("joining",), to="=", rules=("KEEP-1",)),
        model.Row(id="silence", on="silence", leaves=("joined",), to="ended", do=("hang_up silent", "end host_silent"), rules=("KEEP-2", "KEEP-3")),
        model.Row(id="silence-too-early", on="silence", leaves=("joining",), to="=", rules=("AUTH-9",)),
        model.Row(id="hung-up-on", on="lost", leaves=("joining",), to="ended", do=("end host_hung_up",), rules=("AUTH-12", "CLOSE-5")),
        model.Row(id="told-closed", on="lost", leaves=("joined",), to="ended", when="told_closed", do=("end closed_by_host",), rules=("CLOSE-5",)),
        model.Row(id="told-idle", on="lost", leaves=("joined",), to="ended", when="told_idle", do=("end idle",), rules=("CLOSE-5",)),
        model.Row(id="told-exit", on="lost", leaves=("joined",), to="ended", when="told_exit", do=("end process_exit",), rules=("CLOSE-5",)),
        model.Row(id="told-transport", on="lost", leaves=("joined",), to="ended", when="told_transport", do=("end transport_lost",), rules=("CLOSE-5",)),
        model.Row(id="told-dropped", on="lost", leaves=("joined",), to="ended", when="told_dropped", do=("end dropped",), rules=("CLOSE-5",)),
        model.Row(id="lost", on="lost", leaves=("joined",), to="ended", do=("end host_gone",), rules=("CLOSE-5",)),
        model.Row(id="close-summary", on="close", leaves=("joined",), to="ended", when="has_summary", do=("send_summary", "hang_up left", "end closed_by_guest"), rules=("CLOSE-6",)),
        model.Row(id="close", on="close", leaves=("live",), to="ended", do=("hang_up left", "end closed_by_guest"), rules=("CLOSE-4",)),
        model.Row(id="exit", on="exit", leaves=("live",), to="ended", do=("hang_up left", "end closed_by_guest"), rules=("CLOSE-4",)),
        model.Row(id="say-ended", on="say", leaves=("ended",), to="=", do=("fail ended",), rules=("CLOSE-3",)),
        model.Row(id="gone", on="*", leaves=("ended",), to="=", rules=("CLOSE-3",)),
    ),
    invariants=(
        model.Invariant(id="answers-once", holds="did(answer) == (event == challenge and old_state == greeting) and count(answer) <= 1", doc="One challenge is answered, the first.", rules=("AUTH-5",)),
        model.Invariant(id="enters-after-proof", holds="did(enter) == (event == auth_ok and old_state == proving and in_order and not overfull) and count(enter) <= 1 and (not did(enter) or count(answer) == 1)", doc="No host lets us in unasked.", rules=("AUTH-10",)),
        model.Invariant(id="joined-was-let-in", holds="state != joined or count(enter) == 1", doc="Joined means: the host said so.", rules=("AUTH-10",)),
        model.Invariant(id="nothing-before", holds="old_state == joined or (not did(take) and not did(confirm) and not did(conceal) and not did(send) and not did(send_summary) and not did(ping))", doc="Nothing is taken or said outside of the joined tunnel.", rules=("AUTH-10", "CLOSE-3")),
        model.Invariant(id="takes-in-order", holds="(did(take) != did(conceal)) == (event == msg and old_state == joined and not stale and in_order and not overfull)", doc="The next number is taken, and no other.", rules=("SEQ-4", "SEQ-5")),
        model.Invariant(id="holes-end-it", holds="did(end, missing_messages) == (old_state != ended and ((event == msg and old_state == joined and not stale and not in_order) or (event == auth_ok and old_state == proving and not in_order and not overfull)))", doc="A hole in the numbering is never passed over.", rules=("SEQ-4",)),
        model.Invariant(id="confirms-the-echo", holds="did(confirm) == (did(take) and echo)", doc="Only the unchanged echo confirms.", rules=("SEQ-3",)),
        model.Invariant(id="forgery-is-hidden", holds="did(conceal) == (event == msg and old_state == joined and not stale and in_order and not overfull and claims_ours and not echo)", doc="What we did not say is not shown as ours.", rules=("SEQ-6",)),
        model.Invariant(id="say-is-answered", holds="event != say or did(send) or did(fail)", doc="Nothing that is said vanishes.", rules=("CLOSE-3",)),
        model.Invariant(id="says-when-joined", holds="did(send) == (event == say and old_state == joined and fits and has_room)", doc="What fits is sent.", rules=("SIZE-5", "SIZE-10", "SEQ-3")),
        model.Invariant(id="say-names-why", holds="did(fail, ended) == (event == say and old_state == ended) and did(fail, not_joined_yet) == (event == say and old_state != ended and old_state != joined) and did(fail, text_too_long) == (event == say and old_state == joined and not fits) and did(fail, transcript_full) == (event == say and old_state == joined and fits and not has_room)", doc="The failure names the reason.", rules=("CLOSE-3", "SIZE-5", "SIZE-10", "AUTH-10")),
        model.Invariant(id="refusal-ends", holds="did(end, refused) == (event == auth_fail and old_state != joined and old_state != ended)", doc="A refused join is over at once.", rules=("AUTH-11",)),
        model.Invariant(id="bad-host-ends", holds="did(end, bad_host) == (old_state != ended and ((event == auth_ok and (old_state == dialing or old_state == greeting)) or (event == malformed and old_state != joined) or event == not_text))", doc="A host that does not speak the protocol is told apart at once.", rules=("AUTH-10", "AUTH-12", "WIRE-5")),
        model.Invariant(id="join-in-time", holds="(state != dialing and state != greeting and state != proving) or elapsed(join) < JOIN_SECONDS", doc="No join hangs.", rules=("AUTH-9", "TIME-1")),
        model.Invariant(id="in-time-from-dial", holds="not started(join) and running(join) == (state == dialing or state == greeting or state == proving) and (not did(end, join_timeout) or elapsed(join) >= JOIN_SECONDS)", doc="Nothing that a host does prolongs a join, or cuts it short.", rules=("AUTH-9",)),
        model.Invariant(id="timeout-is-named", holds="did(end, join_timeout) == (event == join and old_state != joined and old_state != ended)", doc="A join that took too long says so.", rules=("AUTH-9",)),
        model.Invariant(id="alive", holds="state != joined or event == ping or elapsed(silence) < SILENCE_SECONDS", doc="A dead host is noticed.", rules=("KEEP-2", "TIME-1")),
        model.Invariant(id="any-byte-is-life", holds="started(silence) == (state == joined and (old_state != joined or event == heard)) and running(silence) == (state == joined)", doc="Whatever is heard proves life, and nothing else does.", rules=("KEEP-2",)),
        model.Invariant(id="silence-is-earned", holds="not did(end, host_silent) or elapsed(silence) >= SILENCE_SECONDS", doc="Nobody is called dead early.", rules=("KEEP-2",)),
        model.Invariant(id="silence-is-named", holds="did(end, host_silent) == (event == silence and old_state == joined)", doc="The silence is told.", rules=("KEEP-2", "KEEP-3")),
        model.Invariant(id="pings", holds="did(ping) == (event == ping and old_state == joined) and (state != joined or event == ping or elapsed(ping) < PING_SECONDS)", doc="The host is pinged in time.", rules=("KEEP-1",)),
        model.Invariant(id="pings-in-step", holds="started(ping) == (state == joined and (old_state != joined or event == ping)) and running(ping) == (state == joined) and (not did(ping) or elapsed(ping) >= PING_SECONDS)", doc="One ping after the other, and none too early.", rules=("KEEP-1",)),
        model.Invariant(id="ends-once", holds="did(end) == (old_state != ended and state == ended) and count(end) <= 1", doc="The end is told exactly once.", rules=("CLOSE-3", "CLOSE-5")),
        model.Invariant(id="says-goodbye", holds="did(hang_up) == (old_state != ended and state == ended and event != lost and event != unreachable)", doc="Whoever is left is told.", rules=("CLOSE-4",)),
        model.Invariant(id="told-in-order", holds="(not did(send_summary) or before(send_summary, hang_up)) and (not did(hang_up) or before(hang_up, end)) and (not did(confirm) or before(take, confirm))", doc="The last word is said before the close, and the close before the end.", rules=("CLOSE-4", "CLOSE-6")),
        model.Invariant(id="goodbye-names-why", holds="did(hang_up, left) == (old_state != ended and (event == close or event == exit or did(end, refused))) and did(hang_up, too_big) == did(end, host_too_big) and did(hang_up, not_text) == (event == not_text and old_state != ended) and did(hang_up, slow) == did(end, host_slow) and did(hang_up, transcript_full) == did(end, host_flood) and did(hang_up, silent) == did(end, host_silent) and did(hang_up, join_timeout) == did(end, join_timeout) and did(hang_up, protocol_error) == (did(end, missing_messages) or (did(end, bad_host) and event != not_text))", doc="The close frame and the cause agree.", rules=("CLOSE-4",)),
        model.Invariant(id="loss-names-cause", holds="event != lost or old_state != joined or ((did(end, closed_by_host) == told_closed) and (did(end, idle) == (told_idle and not told_closed)) and (did(end, process_exit) == (told_exit and not told_closed and not told_idle)) and (did(end, transport_lost) == (told_transport and not told_closed and not told_idle and not told_exit)) and (did(end, dropped) == (told_dropped and not told_closed and not told_idle and not told_exit and not told_transport)))", doc="What the host told is what is said.", rules=("CLOSE-5",)),
        model.Invariant(id="loss-before-joined", holds="did(end, host_hung_up) == (event == lost and old_state != joined and old_state != ended) and did(end, not_connected) == (event == unreachable and old_state != ended)", doc="A failed join is told apart from a lost tunnel.", rules=("AUTH-12", "CLOSE-5")),
        model.Invariant(id="bounds", holds="did(end, host_too_big) == (event == oversize and old_state != ended) and did(end, host_slow) == (event == overflow and old_state != ended) and did(end, host_flood) == (old_state != ended and overfull and ((event == msg and old_state == joined and not stale and in_order) or (event == auth_ok and old_state == proving)))", doc="Every bound has its answer.", rules=("SIZE-3", "SIZE-9", "SIZE-10")),
        model.Invariant(id="summary-goes-out", holds="did(send_summary) == (event == close and old_state == joined and has_summary) and did(end, closed_by_guest) == (old_state != ended and (event == close or event == exit))", doc="The last word is said before the close.", rules=("CLOSE-6",)),
        model.Invariant(id="noise-is-free", holds="(event != other and event != heard and event != say and event != challenge and event != connected and event != ping) or old_state == ended or state == old_state or (event == challenge and state == proving) or (event == connected and state == greeting)", doc="Unknown frames cost nothing.", rules=("WIRE-4",)),
    ),
)
