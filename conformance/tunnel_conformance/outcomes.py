"""What a case can expect: one function for each outcome of `cases.toml`.

Each waits, for a bounded time, for what is expected, and says in words what it got instead; an empty text means that all is well.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any, Final

from tunnel.spec.v1.constants import SEAL_NONCE_BYTES, TUNNEL_ID_BYTES
from tunnel_conformance.notation import Words
from tunnel_conformance.spec import spec
from tunnel_conformance.stage import Stage, Untestable, heard_so_far
from tunnel_conformance.subjects.base import Answer
from tunnel_conformance.wire import crypto
from tunnel_conformance.wire.end import Came, End
from tunnel_conformance.wire.fields import Fields, as_fields, objects
from tunnel_conformance.wire.guest import Guest, is_nonce
from tunnel_conformance.wire.link import parse

Outcome = Callable[[Stage, tuple[str, ...], Words], Awaitable[str]]

GOOD: Final = ""

LOOK_SECONDS: Final = 0.1
"""An agent is asked again after so long: it cannot tell by itself that its status has changed."""

_MESSAGE_FIELDS: Final = ("id", "seq", "from", "kind", "body", "ts")


# --- What a guest of the kit sees -------------------------------------------------------------------------------------


async def challenged(stage: Stage, by: tuple[str, ...], expects: Words) -> str:  # noqa: ARG001
    """The first frame is a challenge that was never seen before (AUTH-1)."""
    for name in by:
        guest = stage.guest(name)
        came = await _next(stage, guest)
        if came is None or came.name != "challenge":
            return _named(by, name, _came(stage, guest, came))
        nonce = (came.fields or {}).get("nonce")
        if not is_nonce(nonce):
            return _named(by, name, f"a challenge whose nonce is not 32 bytes in strict base64url: {nonce!r}")
        if nonce in stage.nonces:
            return _named(by, name, "the challenge of another connection")
        stage.nonces.add(str(nonce))
    return GOOD


async def admitted(stage: Stage, by: tuple[str, ...], expects: Words) -> str:
    """`auth_ok`, then everything up to the system message of the join."""
    for name in by:
        guest = stage.guest(name)
        came = await _next(stage, guest)
        if came is None or came.name != "auth_ok":
            return _named(by, name, _came(stage, guest, came))
        if wrong := _wrong_welcome(came, expects):
            return _named(by, name, wrong)
        # Joined is the last of what was numbered up to now: nobody else speaks meanwhile.
        while not _is_join(guest.messages):
            came = await _next(stage, guest)
            if came is None or came.name != "msg":
                return _named(
                    by, name, f"auth_ok, and then {_came(stage, guest, came)} instead of the message of the join"
                )
        if wrong := _wrong_join(guest.messages, expects):
            return _named(by, name, wrong)
    return GOOD


def _wrong_welcome(came: Came, expects: Words) -> str:
    fields = came.fields or {}
    types = {"goal": str, "peerName": str, "backlog": list}
    for field, kind in types.items():
        if not isinstance(fields.get(field), kind):
            return f"an auth_ok whose {field} is {fields.get(field)!r}"
    if "goal" in expects and fields["goal"] != expects.text("goal"):
        return f"an auth_ok with the goal {fields['goal']!r}"
    if "most" in expects and came.size > expects.number("most"):
        return f"an auth_ok of {came.size} bytes"
    return GOOD


def _is_join(messages: list[Fields]) -> bool:
    return bool(messages) and messages[-1].get("kind") == "system" and str(messages[-1].get("body")).endswith(" joined")


def _wrong_join(messages: list[Fields], expects: Words) -> str:
    first, message = messages[0], messages[-1]
    if "opened" in expects and first.get("body") != expects.text("opened"):
        return f"the first message {first.get('body')!r}"
    if "seq" in expects and message.get("seq") != expects.number("seq"):
        return f"the message of the join with the number {message.get('seq')!r}"
    if "told" in expects and message.get("body") != expects.text("told"):
        return f"the system message {message.get('body')!r}"
    return GOOD


async def refused(stage: Stage, by: tuple[str, ...], expects: Words) -> str:
    """`auth_fail`, then a close."""
    for name in by:
        guest = stage.guest(name)
        came = await _next(stage, guest)
        if came is None or came.name != "auth_fail":
            return _named(by, name, _came(stage, guest, came))
        reason = (came.fields or {}).get("reason")
        if "reason" in expects and reason != expects.text("reason"):
            return _named(by, name, f"auth_fail with the reason {reason!r}")
        if not await stage.bell.until(lambda g=guest: g.is_over, stage.patience):
            return _named(by, name, "auth_fail, and the connection stays open")
    return GOOD


async def one_admitted(stage: Stage, by: tuple[str, ...], expects: Words) -> str:
    """Of several at once, one is admitted and the others are refused."""
    verdicts: Counter[str] = Counter()
    for name in by:
        came = await _next(stage, stage.guest(name))
        reason = (came.fields or {}).get("reason") if came else None
        is_right = came is not None and came.name == "auth_fail" and reason == expects.text("reason")
        verdicts["refused" if is_right else _came(stage, stage.guest(name), came)] += 1
    rest = dict(verdicts)
    if rest.pop("refused", 0) == len(by) - 1 and len(rest) == 1 and next(iter(rest)).startswith("auth_ok"):
        return GOOD
    return "; ".join(f"{times} times {what}" for what, times in verdicts.items())


async def status(stage: Stage, by: tuple[str, ...], expects: Words) -> str:
    """This HTTP status, and the connection is closed."""
    for name in by:
        peer = stage.peer(name)
        await stage.bell.until(lambda p=peer: p.is_gone, stage.patience)
        if peer.status != expects.number("code"):
            return _named(by, name, f"status {peer.status}" if peer.status else peer.how or "no answer")
        if not peer.is_gone:
            return _named(by, name, f"status {peer.status}, and the connection stays open")
    return GOOD


async def message(stage: Stage, by: tuple[str, ...], expects: Words) -> str:
    """A `msg` with these fields; `last` = the connection is closed behind it."""
    for name in by:
        guest = stage.guest(name)
        came = await _next(stage, guest)
        if came is None or came.name != "msg":
            return _named(by, name, _came(stage, guest, came))
        said = _message(came)
        if wrong := _wrong_message(guest, said, expects):
            return _named(by, name, wrong)
        if expects.flag("last") and (behind := await _next(stage, guest)):
            return _named(by, name, f"the message, and then {_came(stage, guest, behind)}")
        if expects.flag("last") and not guest.is_over:
            return _named(by, name, "the message, and the connection stays open")
    return GOOD


def _wrong_message(guest: Guest, said: Fields, expects: Words) -> str:
    found = {"kind": said.get("kind"), "from": said.get("from"), "seq": said.get("seq"), "text": guest.text_of(said)}
    different = [name for name in found if name in expects and found[name] != expects.values[name]]
    if not different:
        return GOOD
    return "a message with " + ", ".join(f"{name} {found[name]!r}" for name in different)


async def echoed(stage: Stage, by: tuple[str, ...], expects: Words) -> str:
    """The own message comes back in `msg`, numbered, with the host's fields (SEQ-2, SEQ-3)."""
    for name in by:
        guest = stage.guest(name)
        came = await _next(stage, guest)
        if came is None or came.name != "msg":
            return _named(by, name, _came(stage, guest, came))
        if wrong := _wrong_echo(guest, _message(came), expects):
            return _named(by, name, wrong)
    return GOOD


def _wrong_echo(guest: Guest, said: Fields, expects: Words) -> str:
    draft = guest.drafts[-1]
    right = {"id": draft.id, "body": draft.body, "from": "guest", "kind": "chat"}
    for field, value in right.items():
        if said.get(field) != value:
            return f"a message whose {field} is {said.get(field)!r}"
    seq, ts = said.get("seq"), said.get("ts")
    before = guest.messages[-2].get("seq") if len(guest.messages) > 1 else 0
    if not isinstance(seq, int) or seq - 1 != before:
        return f"an echo with the number {seq!r} behind {before!r}"
    if isinstance(ts, bool) or not isinstance(ts, int | float) or ("ts" in draft.fields and ts == draft.fields["ts"]):
        return f"an echo whose ts is {ts!r}"
    more = set(said) - set(_MESSAGE_FIELDS)
    return f"an echo with the field {min(more)!r}" if expects.flag("bare") and more else GOOD


async def numbered(stage: Stage, by: tuple[str, ...], expects: Words) -> str:
    """All messages so far have the numbers 1, 2, 3 and so on (SEQ-1); `upto` = how many there must be."""
    for name in by:
        guest = stage.guest(name)
        while len(guest.messages) < expects.number("upto"):
            came = await _next(stage, guest)
            if came is None or came.name != "msg":
                return _named(by, name, f"{len(guest.messages)} messages, and then {_came(stage, guest, came)}")
        if not guest.is_over:
            await guest.barrier(stage.pong_seconds)
        while guest.take():
            pass
        numbers = [said.get("seq") for said in guest.messages]
        if numbers != list(range(1, len(numbers) + 1)):
            return _named(by, name, f"messages with the numbers {_brief(numbers)}")
        if "upto" in expects and len(numbers) != expects.number("upto"):
            return _named(by, name, f"{len(numbers)} messages")
    return GOOD


# --- What either peer of the kit sees ---------------------------------------------------------------------------------


async def hung_up(stage: Stage, by: tuple[str, ...], expects: Words) -> str:
    """A close frame came, with this code and reason (CLOSE-4)."""
    for name in by:
        end = stage.end_of(name)
        end.thaw()
        if not await stage.bell.until(lambda e=end: e.is_over, _patience(stage, expects)):
            return _named(by, name, "the connection is still open")
        if end.closing is None:
            return _named(by, name, f"no close frame: {end.how}")
        if "code" in expects and end.closing.code != expects.number("code"):
            return _named(by, name, f"a close frame with {end.closing}")
        if "reason" in expects and end.closing.reason != expects.text("reason"):
            return _named(by, name, f"a close frame with {end.closing}")
    return GOOD


async def gone(stage: Stage, by: tuple[str, ...], expects: Words) -> str:  # noqa: ARG001
    """The connection is closed, or none came about."""
    for name in by:
        if stage.is_host and not isinstance(stage.peer(name), Guest):
            over: Callable[[], bool] = lambda n=name: stage.peer(n).is_gone  # noqa: E731
        else:
            end = stage.end_of(name)
            end.thaw()
            # Whoever is let in only now is hung up on soon, too, when time goes fast: as one that has nothing to say.
            if stage.is_host and stage.is_new(end) and end.is_open:
                return _named(by, name, "a WebSocket has come about")
            over = lambda e=end: e.is_over  # noqa: E731
        if not await stage.bell.until(over, stage.patience):
            return _named(by, name, "the connection is still open")
    return GOOD


async def nothing(stage: Stage, by: tuple[str, ...], expects: Words) -> str:  # noqa: ARG001
    """No answer, and the connection is still open."""
    ends = [stage.end_of(name) for name in by if not stage.is_host or isinstance(stage.peer(name), Guest)]
    # Side by side: many that answer no pings would together take longer than they may.
    await asyncio.gather(*(end.barrier(stage.pong_seconds) for end in ends))
    for name in by:
        if stage.is_host and not isinstance(peer := stage.peer(name), Guest):
            if peer.is_gone or peer.status:
                return _named(by, name, f"status {peer.status}" if peer.status else peer.how)
            continue
        end = stage.end_of(name)
        if end.is_over:
            return _named(by, name, end.how)
        if isinstance(end, Guest) and end.unread:
            return _named(by, name, _came(stage, end, end.unread[-1]))
        if stage.came_since(end):
            return _named(by, name, _came(stage, end, end.came[-1]))
    return GOOD


async def pinged(stage: Stage, by: tuple[str, ...], expects: Words) -> str:
    """WebSocket pings came in this step, so many at least."""
    times = expects.number("times", 1)
    for name in by:
        end = stage.end_of(name)
        if not await stage.bell.until(lambda e=end: stage.pings_since(e) >= times or e.is_over, stage.patience):
            return _named(by, name, f"{stage.pings_since(end)} pings")
        if stage.pings_since(end) < times:
            return _named(by, name, f"{stage.pings_since(end)} pings, and then {end.how}")
    return GOOD


async def ponged(stage: Stage, by: tuple[str, ...], expects: Words) -> str:  # noqa: ARG001
    """The last ping of this step was answered (KEEP-4)."""
    for name in by:
        end = stage.end_of(name)
        await stage.bell.until(lambda e=end: e.is_ponged or e.is_over, stage.patience)
        if not end.is_ponged:
            return _named(by, name, end.how or "no pong")
    return GOOD


async def spelled(stage: Stage, by: tuple[str, ...], expects: Words) -> str:  # noqa: ARG001
    """Every frame so far is spelled as WIRE-10 and WIRE-11 want it: fields in their order, no blanks, plain numbers, characters as they are."""
    for name in by:
        end = stage.end_of(name)
        if not end.is_over:
            await end.barrier(stage.pong_seconds)
        for came in end.came:
            if not came.is_text or came.fields is None:
                return _named(by, name, f"what is no frame in a text message: {stage.log.shown(came.text)}")
            if wrong := _misspelled(came.fields, came.name, came.text):
                return _named(by, name, wrong)
    return GOOD


def _misspelled(fields: Fields, name: str, text: str) -> str:
    inside = [*objects(fields.get("backlog")), *objects([fields.get("msg")])]
    if any(isinstance(one.get("seq"), float) for one in inside):
        return f"{name} with a fraction or an exponent in seq"
    if json.dumps(fields, separators=(",", ":"), ensure_ascii=False) != text:
        return f"{name} with blanks, with a field twice, or with characters written as escapes"
    shape = next((shape for shape in spec().frames.frames if shape.name == name), None)
    if shape and list(fields) != [spec().frames.tag_field, *(field.name for field in shape.fields)]:
        return f"{name} with the fields in the order {', '.join(fields)}"
    for one in inside:
        if tuple(one) != _MESSAGE_FIELDS:
            return f"{name} with a message whose fields are in the order {', '.join(one)}"
    return GOOD


async def sealed(stage: Stage, by: tuple[str, ...], expects: Words) -> str:
    """Every chat of the subject so far opens with the key, and has a nonce of its own (SEAL-1)."""
    for name in by:
        await stage.bell.until(lambda n=name: len(_own_chats(stage, n)) >= expects.number("times"), stage.patience)
        chats = _own_chats(stage, name)
        texts = [crypto.unseal(stage.key, chat.get("body")) for chat in chats]
        if len(chats) < expects.number("times"):
            return f"{len(chats)} chats"
        if None in texts:
            return f"the body {chats[texts.index(None)].get('body')!r}, which the key does not open"
        nonces = [crypto.decode(str(m.get("body")))[:SEAL_NONCE_BYTES] for m in chats]
        if len(set(nonces)) < len(nonces):
            return "a nonce that was used twice"
    return GOOD


def _own_chats(stage: Stage, name: str) -> list[Fields]:
    """What the subject has said so far, as it came over the wire."""
    if not stage.is_host:
        return stage.host_end().sends
    guest = stage.guest(name)
    while guest.take():
        pass
    return [said for said in guest.messages if said.get("kind") == "chat" and said.get("from") == "host"]


# --- What the kit's host sees -----------------------------------------------------------------------------------------


async def dialled(stage: Stage, by: tuple[str, ...], expects: Words) -> str:  # noqa: ARG001
    """The subject has connected at the link's path, and the key is not in what it sent."""
    end = stage.host.end if stage.host else None
    if end is None or end.request is None:
        return f"no connection; {_told(await stage.answer('join', stage.patience))}"
    if end.request.path != stage.host_link.path:
        return f"a connection at {stage.log.shown(end.request.path)}"
    if stage.host_link.key_text in str(end.request.headers):
        return "a request that holds the key"
    return GOOD


async def undialled(stage: Stage, by: tuple[str, ...], expects: Words) -> str:  # noqa: ARG001
    """The join failed, and nobody has connected where none must: at a bad link, or where a redirect leads."""
    answer = await stage.answer("join", stage.patience)
    host = stage.host
    if host and (host.strangers or (host.ends and not host.leads_to)):
        return "a connection"
    return GOOD if answer and answer.result is None else _told(answer)


async def authenticated(stage: Stage, by: tuple[str, ...], expects: Words) -> str:  # noqa: ARG001
    """The subject sent `auth` with a valid proof for the first challenge, this often in all."""
    end, times = stage.host_end(), expects.number("times", 1)
    await stage.bell.until(lambda: len(end.auths) >= times or end.is_over, stage.patience)
    await end.barrier(stage.pong_seconds)
    if len(end.auths) != times:
        return f"{len(end.auths)} times auth" + (f"; {end.how}" if end.how else "")
    auth = end.auths[0]
    if not end.proves(auth):
        return "an auth whose response does not prove the key"
    return GOOD if isinstance(auth.get("name"), str) else f"an auth with the name {auth.get('name')!r}"


async def chatted(stage: Stage, by: tuple[str, ...], expects: Words) -> str:  # noqa: ARG001
    """The subject sent a `send` that opens to this text."""
    end = stage.host_end()
    await stage.bell.until(lambda: expects.text("text") in map(end.text_of, end.sends) or end.is_over, stage.patience)
    texts = [end.text_of(said) for said in end.sends]
    if expects.text("text") in texts:
        return GOOD
    if not texts:
        return f"no send; {end.how or 'the connection is open'}"
    return f"a send that says {texts[-1]!r}" if texts[-1] is not None else "a send that the key does not open"


# --- What the subject's agent sees ------------------------------------------------------------------------------------


async def linked(stage: Stage, by: tuple[str, ...], expects: Words) -> str:  # noqa: ARG001
    """The join link has the form that the rules say (LINK-6)."""
    answer = await stage.answer("open", stage.patience)
    try:
        link = parse((answer.result or {}).get("joinLink") if answer else None)
    except ValueError as error:
        return f"a link that is none: {error}"
    if len(link.tunnel_id) != 2 * TUNNEL_ID_BYTES:
        return f"a tunnel id of {len(link.tunnel_id)} characters"
    earlier = stage.links[:-1]
    is_fresh = all(link.tunnel_id != other.tunnel_id and link.key != other.key for other in earlier)
    return GOOD if is_fresh else "the id or the key of an earlier link"


async def joined(stage: Stage, by: tuple[str, ...], expects: Words) -> str:  # noqa: ARG001
    """The subject's join succeeded, with this goal and this name of its peer."""
    answer = await stage.answer("join", stage.patience)
    if answer is None or answer.result is None:
        return _told(answer)
    for field in ("goal", "peer"):
        if field in expects and answer.result.get(field) != expects.text(field):
            return f"a join with the {field} {answer.result.get(field)!r}"
    return GOOD


async def failed(stage: Stage, by: tuple[str, ...], expects: Words) -> str:  # noqa: ARG001
    """What the subject's agent did last was answered with an error that names this."""
    named = [(what, task) for what, task in stage.calls if what in ("open", "join", "say", "close")]
    if not named:
        return "nothing was called"
    what, task = named[-1]
    answer = await stage.finished(task, _patience(stage, expects))
    if answer is None or answer.result is not None:
        return f"{what}: {_told(answer)}"
    because = expects.text("because")
    return GOOD if because in str(answer.error) else f"the error {answer.error!r}"


async def said(stage: Stage, by: tuple[str, ...], expects: Words) -> str:  # noqa: ARG001
    """The subject's say succeeded."""
    answer = await stage.answer("say", 6 * stage.patience)
    return GOOD if answer and answer.result is not None else _told(answer)


async def unsaid(stage: Stage, by: tuple[str, ...], expects: Words) -> str:  # noqa: ARG001
    """The subject's say is not answered, though its host has handled all that it was sent."""
    await _settle(stage)
    answer = await stage.answer("say", 0.1)
    return _told(answer) if answer else GOOD


async def heard(stage: Stage, by: tuple[str, ...], expects: Words) -> str:  # noqa: ARG001
    """The subject's agent hears this, so often in all."""
    deadline = stage.log.seconds + stage.patience
    times = expects.number("times", 1)
    while True:
        messages = await heard_so_far(stage)
        found = [m for m in messages if _is_heard(m, expects)]
        if len(found) == times:
            return GOOD
        if len(found) > times or stage.log.seconds > deadline:
            texts = [m.get("text") for m in messages]
            return f"{len(found)} times; it hears {_brief([stage.log.shown(str(text)) for text in texts])}"
        await asyncio.sleep(LOOK_SECONDS)


async def unheard(stage: Stage, by: tuple[str, ...], expects: Words) -> str:  # noqa: ARG001
    """The subject's agent does not hear this. The case sees to it that it has heard something that came later."""
    await _settle(stage)
    found = [m for m in await heard_so_far(stage) if _is_heard(m, expects)]
    return (
        f"it hears {found[0].get('text')!r} from {found[0].get('from')!r}, {found[0].get('kind')!r}" if found else GOOD
    )


def _is_heard(message: Fields, expects: Words) -> bool:
    found = [name for name in ("text", "from", "kind", "seq") if name in expects]
    return all(message.get(name) == expects.values[name] for name in found)


async def ended(stage: Stage, by: tuple[str, ...], expects: Words) -> str:  # noqa: ARG001
    """The subject's status says that the tunnel is over, and why."""
    status = await _status_when(stage, _is_ended)
    if not _is_ended(status):
        return f"the state {status.get('state')!r}"
    because = _cause(status, expects)
    return GOOD if "because" not in expects or because == expects.text("because") else f"the cause {because!r}"


def _is_ended(status: Fields) -> bool:
    # Released implementations have no `state`: theirs shows in the peer that is not connected any more.
    return status["state"] == "closed" if "state" in status else status.get("peerConnected") is False


def _cause(status: Fields, expects: Words) -> object:
    """What a status says is the cause of the end.

    Raises:
        Untestable: it is asked for, and the status has no place for it.
    """
    if "because" in expects and "closedBecause" not in status:
        raise Untestable("the status names no cause: it has no field closedBecause")
    return status.get("closedBecause")


async def parted(stage: Stage, by: tuple[str, ...], expects: Words) -> str:  # noqa: ARG001
    """The subject's status says that its peer is not connected any more."""
    status = await _status_when(stage, lambda told: told.get("peerConnected") is False)
    return GOOD if status.get("peerConnected") is False else f"peerConnected {status.get('peerConnected')!r}"


async def _status_when(stage: Stage, holds: Callable[[Fields], bool]) -> Fields:
    deadline = stage.log.seconds + stage.patience
    while True:
        status = await stage.ask("status")
        if holds(status) or stage.log.seconds > deadline:
            return status
        await asyncio.sleep(LOOK_SECONDS)


async def woken(stage: Stage, by: tuple[str, ...], expects: Words) -> str:  # noqa: ARG001
    """The listen that waits was answered: with the cause of the end in its status (CLOSE-5), or else with a message."""
    if stage.listening is None:
        return "nobody listens"
    if not stage.was_waiting and not stage.began_listening:
        return "the listen did not wait: it was answered before there was anything to hear"
    answer = await stage.finished(stage.listening, _patience(stage, expects))
    if answer is None or answer.result is None:
        return _told(answer)
    because = _cause(as_fields(answer.result.get("status")) or {}, expects)
    if "because" in expects and because != expects.text("because"):
        return f"an answer with the cause {because!r}"
    if "because" not in expects and not objects(answer.result.get("messages")):
        return "an answer without a message"
    return GOOD


# --- Words for what came ----------------------------------------------------------------------------------------------


def _patience(stage: Stage, expects: Words) -> float:
    """How long is waited: not at all for what must be so already, because time has passed enough."""
    return 0.0 if expects.flag("already") else stage.patience


async def _settle(stage: Stage) -> None:
    """Everything that the kit has sent is handled."""
    for end in stage.ends():
        if end.is_open and not end.is_over and not end.is_frozen:
            await end.barrier(stage.pong_seconds)


async def _next(stage: Stage, guest: Guest) -> Came | None:
    """The next frame that was not looked at; None when none comes, or nothing more can come."""
    found: list[Came] = []

    def has_come() -> bool:
        if not found and (came := guest.take()):
            found.append(came)
        return bool(found) or guest.is_over

    await stage.bell.until(has_come, stage.patience)
    return found[0] if found else None


def _message(came: Came) -> Fields:
    return as_fields((came.fields or {}).get("msg")) or {}


def _came(stage: Stage, end: End, came: Came | None) -> str:
    """What came instead of what was expected."""
    if came is None:
        return (end.how or f"nothing within {stage.patience:g} s; the connection is open") + last_error(stage)
    fields = came.fields or {}
    match came.name:
        case "auth_fail":
            return f"auth_fail with the reason {fields.get('reason')!r}"
        case "msg":
            return f"the message {stage.log.shown(json.dumps(fields.get('msg'), ensure_ascii=False))}"
        case "auth_ok" | "challenge" as name:
            return name
        case _:
            return f"{'' if came.is_text else 'in a binary message '}{stage.log.shown(came.text)}"


def last_error(stage: Stage) -> str:
    """What the subject's agent was told instead, when that is why nothing came."""
    if not stage.calls:
        return GOOD
    what, task = stage.calls[-1]
    answer = task.result() if task.done() else None
    return f"; its {what} was answered with the error {answer.error!r}" if answer and answer.error else GOOD


def _told(answer: Answer | None) -> str:
    if answer is None:
        return "no answer"
    return f"the error {answer.error!r}" if answer.result is None else "it succeeded"


def _named(by: tuple[str, ...], name: str, got: str) -> str:
    return f"{name}: {got}" if len(by) > 1 else got


def _brief(values: list[Any]) -> str:
    shown = ", ".join(map(str, values[:12]))
    if gaps := [f"{a} then {b}" for a, b in pairwise(values) if isinstance(a, int) and b != a + 1]:
        return f"{shown}{' ...' if len(values) > 12 else ''} ({gaps[0]})"
    return f"{shown} ... ({len(values)} in all)" if len(values) > 12 else shown or "nothing"


OUTCOMES: Final[dict[str, Outcome]] = {
    "challenged": challenged,
    "admitted": admitted,
    "refused": refused,
    "one_admitted": one_admitted,
    "status": status,
    "message": message,
    "echoed": echoed,
    "numbered": numbered,
    "hung_up": hung_up,
    "gone": gone,
    "nothing": nothing,
    "pinged": pinged,
    "ponged": ponged,
    "spelled": spelled,
    "sealed": sealed,
    "dialled": dialled,
    "undialled": undialled,
    "authenticated": authenticated,
    "chatted": chatted,
    "linked": linked,
    "joined": joined,
    "failed": failed,
    "said": said,
    "unsaid": unsaid,
    "heard": heard,
    "unheard": unheard,
    "ended": ended,
    "parted": parted,
    "woken": woken,
}
