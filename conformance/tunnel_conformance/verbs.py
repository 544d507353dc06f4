"""What the kit can do in a case: one function for each verb of `cases.toml`."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Final

from tunnel_conformance.notation import Words
from tunnel_conformance.stage import Stage, Unready, heard_so_far
from tunnel_conformance.subjects.base import Answer
from tunnel_conformance.wire.end import End
from tunnel_conformance.wire.fields import Fields, objects
from tunnel_conformance.wire.guest import Guest
from tunnel_conformance.wire.host import Host
from tunnel_conformance.wire.plain import Plain

Verb = Callable[[Stage, tuple[str, ...], Words], Awaitable[None]]

GOAL: Final = "conformance"
HOST_NAME: Final = "the kit's host"
NOISE: Final = "no-such-frame"

SWITCHING: Final = 101
FOUND: Final = 302

CLOSING_SECONDS: Final = 10.0
"""Real time that a close may take."""

LISTEN_SECONDS: Final = 40.0
"""Real time for which a listen waits that is to be woken."""

WAITING_SECONDS: Final = 0.1
"""Real time after which a listen is looked at that has no business to be answered yet."""

STRAGGLERS: Final = 20
"""So many times it is listened on behind a message that its agent was told of late."""

STANDARD_TRIES: Final = 30
"""So many challenges are asked for until the answer to one looks different in the standard alphabet."""


# --- The subject's agent ----------------------------------------------------------------------------------------------


async def open_(stage: Stage, by: tuple[str, ...], args: Words) -> None:  # noqa: ARG001
    """The subject opens a tunnel."""
    answer = await stage.call("open", {"goal": _filled(args.text("goal", GOAL), 0, args.number("bytes"))})
    if answer.result is not None:
        stage.opened(answer)


async def say(stage: Stage, by: tuple[str, ...], args: Words) -> None:  # noqa: ARG001
    """Its agent says something; a guest's say waits for the echo, so nobody waits for it here."""
    times = args.number("times", 1)
    texts = [
        _filled(args.text("text"), number if times > 1 else 0, args.number("bytes")) for number in range(1, times + 1)
    ]
    if args.flag("together"):
        calls = [stage.call("say", {"text": text}) for text in texts]
        await asyncio.wait(calls)
    elif stage.is_host:
        await _say_in_turn(stage, texts)
    else:
        # Noted as one call: its answer is that of the last say, or of the first that fails.
        stage.calls.append(("say", asyncio.get_running_loop().create_task(_say_in_turn(stage, texts))))


async def _say_in_turn(stage: Stage, texts: list[str]) -> Answer:
    answer = Answer(result={})
    for text in texts:
        answer = await stage.call("say", {"text": text})
        if answer.result is None:
            break
    return answer


async def listen(stage: Stage, by: tuple[str, ...], args: Words) -> None:  # noqa: ARG001
    """Its agent listens, without waiting."""
    await heard_so_far(stage)


async def wait_for_news(stage: Stage, by: tuple[str, ...], args: Words) -> None:  # noqa: ARG001
    """Its agent has heard everything, and listens on: what wakes it is looked at later.

    Whatever comes next finds the listen waiting: a question that was asked behind it is answered first.
    """
    messages = await heard_so_far(stage)
    for _ in range(STRAGGLERS):
        since = max((seq for m in messages if isinstance(seq := m.get("seq"), int)), default=0)
        arguments: dict[str, object] = {"sinceSeq": since, "timeoutMs": stage.milliseconds(LISTEN_SECONDS)}
        stage.listening = stage.call("listen", arguments, LISTEN_SECONDS + stage.patience)
        await stage.ask("status")
        await asyncio.wait([stage.listening], timeout=WAITING_SECONDS)
        stage.began_listening, stage.was_waiting = True, not stage.listening.done()
        if stage.was_waiting or not (messages := _heard_in(stage.listening.result())):
            return


def _heard_in(answer: Answer) -> list[Fields]:
    return objects((answer.result or {}).get("messages"))


async def status(stage: Stage, by: tuple[str, ...], args: Words) -> None:  # noqa: ARG001
    """Its agent asks for the status."""
    await stage.call("status", {})


async def close(stage: Stage, by: tuple[str, ...], args: Words) -> None:  # noqa: ARG001
    """Its agent closes the tunnel."""
    summary = _filled(args.text("summary"), 0, args.number("bytes"))
    # Whatever its peers do, a close is over soon (CLOSE-2): an answer that does not come is a fault of the process.
    await stage.call("close", {"summary": summary} if summary else {}, CLOSING_SECONDS)


async def stop(stage: Stage, by: tuple[str, ...], args: Words) -> None:  # noqa: ARG001
    """Its process is asked to end."""
    stage.was_stopped = True
    stage.log.did("(is asked to end: SIGTERM)")
    code = await stage.subject.stop(stage.patience)
    stage.log.answered("(has not ended)" if code is None else f"(has ended with exit status {code})")


async def accept(stage: Stage, by: tuple[str, ...], args: Words) -> None:  # noqa: ARG001
    """Its agent joins, and the kit's host accepts the connection, if one comes."""
    host = _host(stage)
    before = len(host.ends)
    join = stage.call("join", {"joinLink": _link(args, args.text("link", host.link.text))})
    await stage.bell.until(lambda: _has_asked(host, before) or join.done(), stage.patience)
    stage.was_dialled = _has_asked(host, before)


def _link(args: Words, link: str) -> str:
    address, sign, key = link.partition("#")
    zeros = "0" * (args.number("chars") - len(link))
    blanks = " " * args.number("blanks")
    return f"{blanks}{address}{zeros}{sign}{key}{blanks}"


def _has_asked(host: Host, before: int) -> bool:
    return any(end.request for end in host.ends[before:])


async def redirect(stage: Stage, by: tuple[str, ...], args: Words) -> None:
    """Its agent joins, and is sent elsewhere."""
    host = _host(stage)
    host.answers = FOUND
    host.leads_to = f"ws://{args.text('host', '127.0.0.1')}:{host.elsewhere}{host.link.path}"
    await accept(stage, by, args)


def _filled(text: str, number: int, size: int) -> str:
    text = f"{text} {number}" if number else text
    return text + "x" * (size - len(text.encode("utf-8")))


# --- Guests of the kit ------------------------------------------------------------------------------------------------


async def connect(stage: Stage, by: tuple[str, ...], args: Words) -> None:
    """A WebSocket to the subject."""
    for name in by:
        guest = Guest(name, stage.link(), stage.log, stage.bell, stage.entropy)
        stage.peers[name] = guest
        stage.guests.append(guest)
        await guest.dial(
            stage.address,
            stage.patience,
            path=args.text("path"),
            origin=args.text("origin"),
            offer=args.text("offer"),
            small=_freezes(stage),
        )


def _freezes(stage: Stage) -> bool:
    return any(step.do == "freeze" for step in stage.case.steps)


async def auth(stage: Stage, by: tuple[str, ...], args: Words) -> None:
    """The answer to the challenge. Those who share a step send it in the same moment."""
    for name in by:
        await _greeted(stage, stage.guest(name))
    recorded = next((guest.response for guest in stage.guests if guest.response), "")
    for name in by:
        guest = stage.guest(name)
        if "raw" in args:
            guest.send(args.text("raw").encode("utf-8"))
            continue
        own = _name(args, name)
        for proof in args.text("proof", "right").split(" then "):
            extra = {"extra": args.text("extra")} if "extra" in args else None
            guest.auth(own, proof, replayed=recorded, extra=extra, binary=args.flag("binary"))


def _name(args: Words, name: str) -> str:
    own = args.text("name", name)
    return own + "n" * (args.number("name_bytes") - len(own.encode("utf-8")))


async def _greeted(stage: Stage, guest: Guest) -> None:
    """Take the challenge, if no step has looked at it."""
    if not guest.nonce:
        await stage.bell.until(lambda: bool(guest.unread) or guest.is_over, stage.patience)
        guest.take()


async def join(stage: Stage, by: tuple[str, ...], args: Words) -> None:
    """`connect`, then `auth`."""
    await connect(stage, by, Words({}))
    for name in by if args.text("proof") == "standard" else ():
        await _challenged_anew(stage, name)
    await auth(stage, by, args)


async def _challenged_anew(stage: Stage, name: str) -> None:
    """Connect until the answer to the challenge shows which alphabet it is spelled in."""
    for _ in range(STANDARD_TRIES):
        guest = stage.guest(name)
        await _greeted(stage, guest)
        if guest.tells_alphabets_apart or not guest.nonce:
            return
        guest.abort()
        await connect(stage, (name,), Words({}))


async def dial(stage: Stage, by: tuple[str, ...], args: Words) -> None:
    """A TCP connection, with so much on it and nothing more."""
    for name in by:
        await _plain(stage, name, args.text("text").encode("utf-8"))


async def http(stage: Stage, by: tuple[str, ...], args: Words) -> None:
    """A plain HTTP request; `head_bytes` = an endless one, of which so much is sent."""
    size = args.number("head_bytes")
    request = f"{args.text('method', 'GET')} {args.text('path', '/')} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    head = f"{request}X: ".ljust(size, "x") if size else f"{request}\r\n"
    for name in by:
        await _plain(stage, name, head.encode("utf-8"))


async def _plain(stage: Stage, name: str, data: bytes) -> None:
    plain = stage.peers[name] = Plain(name, stage.log, stage.bell)
    stage.link()
    await plain.dial(stage.address, data, stage.patience)


async def chat(stage: Stage, by: tuple[str, ...], args: Words) -> None:
    """A sealed chat in `send`, with fields that a guest has no business to set."""
    for name in by:
        guest = stage.guest(name)
        forged = {field: args.values[field] for field in ("from", "kind", "seq", "ts", "extra") if field in args}
        text = _filled(args.text("text"), 0, args.number("bytes"))
        for number in range(1, args.number("times", 1) + 1):
            many = f"{text} {number}" if args.number("times", 1) > 1 else text
            draft = guest.draft(many, args.text("id"), args.text("body"), **forged)
            fields: Fields = {"t": "send", "msg": draft.fields}
            if "depth" in args:
                fields["extra"] = _nested(args.number("depth") - 1)
            _send(guest, json.dumps(fields, separators=(",", ":"), ensure_ascii=False), args)


# --- The kit's host ---------------------------------------------------------------------------------------------------


async def serve(stage: Stage, by: tuple[str, ...], args: Words) -> None:  # noqa: ARG001
    """The kit plays a host, or what is none."""
    if stage.host:
        stage.host.close()
    stage.host = Host(stage.log, stage.bell, stage.entropy)
    stage.host.answers = args.number("answers", SWITCHING)
    stage.host.drops = args.flag("drops")
    await stage.host.listen(small=_freezes(stage))


def _host(stage: Stage) -> Host:
    if stage.host is None:
        raise Unready("the case joins before the kit serves")
    return stage.host


async def challenge(stage: Stage, by: tuple[str, ...], args: Words) -> None:  # noqa: ARG001
    """A challenge."""
    if "raw" in args:
        stage.host_end().send(args.text("raw").encode("utf-8"))
        return
    extra = {"extra": args.text("extra")} if "extra" in args else None
    stage.host_end().challenge(args.text("nonce"), extra=extra, binary=args.flag("binary"))


async def admit(stage: Stage, by: tuple[str, ...], args: Words) -> None:  # noqa: ARG001
    """`auth_ok`, with a backlog of so many messages: the first is the opening, as with every host."""
    end = stage.host_end()
    if "raw" in args:
        end.send(args.text("raw").encode("utf-8"))
        return
    goal = args.text("goal", GOAL)
    backlog: list[Fields] = []
    for number in range(1, args.number("backlog", 1) + 1):
        text = f"tunnel opened \u2014 goal: {goal}" if number == 1 else args.text("text", f"message {number}")
        seq = number + 1 if number >= args.number("hole", number + 1) else number
        forged = {"from": args.text("from")} if "from" in args and number > 1 else {}
        backlog.append(
            end.message(text, kind="system" if number == 1 or args.flag("system") else "chat", seq=seq, **forged)
        )
    extra = {"extra": args.text("extra")} if "extra" in args else None
    end.admit(goal, args.text("name", HOST_NAME), backlog, extra, binary=args.flag("binary"))


async def deny(stage: Stage, by: tuple[str, ...], args: Words) -> None:  # noqa: ARG001
    """`auth_fail`."""
    if "raw" in args:
        stage.host_end().send(args.text("raw").encode("utf-8"))
    else:
        stage.host_end().send_frame({"t": "auth_fail", "reason": args.text("reason")})


async def tell(stage: Stage, by: tuple[str, ...], args: Words) -> None:  # noqa: ARG001
    """`msg`."""
    end = stage.host_end()
    forged = {field: args.values[field] for field in ("from", "id", "ts") if field in args}
    for _ in range(args.number("times", 1)):
        message = end.message(
            args.text("text"),
            kind=args.text("kind", "chat"),
            seq=args.number("seq") if "seq" in args else None,
            body=args.text("body") if "body" in args else None,
            **forged,
        )
        extra = {"extra": args.text("extra")} if "extra" in args else None
        end.tell(message, binary=args.flag("binary"), fragments=args.number("fragments", 1), extra=extra)


async def echo(stage: Stage, by: tuple[str, ...], args: Words) -> None:  # noqa: ARG001
    """What the subject said last comes back, numbered, and changed as given."""
    end = stage.host_end()
    await stage.bell.until(lambda: bool(end.sends) or end.is_over, stage.patience)
    if not end.sends:
        raise Unready("there is nothing to echo: the implementation has said nothing")
    forged = {field: args.values[field] for field in ("body", "id", "from", "kind", "seq") if field in args}
    for _ in range(args.number("times", 1)):
        end.echo(end.sends[-1], **forged)


# --- Both -------------------------------------------------------------------------------------------------------------


async def raw(stage: Stage, by: tuple[str, ...], args: Words) -> None:
    """A message as it stands."""
    for name in by:
        end = stage.end_of(name)
        if "hex" in args:
            end.send(bytes.fromhex(args.text("hex")), binary=args.flag("binary"))
            continue
        text = args.text("text")
        if "depth" in args:
            text = f'{{"t":"{NOISE}","x":{"[" * (args.number("depth") - 1)}{"]" * (args.number("depth") - 1)}}}'
        elif "bytes" in args:
            text = f'{{"t":"{NOISE}","x":"'
            text = f'{text.ljust(args.number("bytes") - 2, "x")}"}}'
        for _ in range(args.number("times", 1)):
            _send(end, text, args)


def _send(end: End, text: str, args: Words) -> None:
    end.send(text.encode("utf-8"), binary=args.flag("binary"), fragments=args.number("fragments", 1))


def _nested(depth: int) -> object:
    found: object = []
    for _ in range(depth - 1):
        found = [found]
    return found


async def ping(stage: Stage, by: tuple[str, ...], args: Words) -> None:
    """WebSocket pings."""
    for name in by:
        stage.end_of(name).ping(args.number("times", 1))


async def exchange(stage: Stage, by: tuple[str, ...], args: Words) -> None:
    """The subject's agent and the kit's peer say so many messages each, at the same time."""
    times = args.number("times", 1)
    texts = [f"from the subject {number}" for number in range(1, times + 1)]
    saying = asyncio.get_running_loop().create_task(_say_in_turn(stage, texts))
    if not stage.is_host:
        stage.host_end().echoes = True
    for number in range(1, times + 1):
        if stage.is_host:
            guest = stage.guest(by[0])
            guest.send_frame({"t": "send", "msg": guest.draft(f"from the peer {number}").fields})
        else:
            stage.host_end().tell(stage.host_end().message(f"from the peer {number}"))
        # In the middle of what the subject says, and not in one piece before it.
        said = len([name for name, _ in stage.calls if name == "say"])
        await stage.bell.until(lambda n=said: saying.done() or len([w for w, _ in stage.calls if w == "say"]) > n, 1)
    stage.calls.append(("say", saying))
    await asyncio.wait([saying])


async def freeze(stage: Stage, by: tuple[str, ...], args: Words) -> None:  # noqa: ARG001
    """Nothing is read any more, and so nothing is answered, pings included."""
    for name in by:
        stage.end_of(name).freeze()


async def leave(stage: Stage, by: tuple[str, ...], args: Words) -> None:
    """A proper close of the WebSocket; done when the other side has answered it."""
    for name in by:
        end = stage.end_of(name)
        end.leave(args.number("code", 1000), args.text("reason"))
        await stage.bell.until(lambda e=end: e.is_over, stage.patience)


async def vanish(stage: Stage, by: tuple[str, ...], args: Words) -> None:  # noqa: ARG001
    """The TCP connection is cut."""
    for name in by:
        stage.end_of(name).vanish()


async def look(stage: Stage, by: tuple[str, ...], args: Words) -> None:
    """Nothing is done: what came is looked at."""


async def wait(stage: Stage, by: tuple[str, ...], args: Words) -> None:  # noqa: ARG001
    """Protocol time passes: the one place where the kit sleeps."""
    seconds = args.number("seconds")
    stage.log.passed(seconds, stage.subject.speed)
    there = [end for end in stage.ends() if not end.is_over and not end.is_ours]
    await asyncio.sleep(seconds / stage.subject.speed)
    stage.lost_in_time |= any(end.is_over for end in there)


VERBS: Final[dict[str, Verb]] = {
    "open": open_,
    "say": say,
    "listen": listen,
    "await": wait_for_news,
    "status": status,
    "close": close,
    "stop": stop,
    "accept": accept,
    "redirect": redirect,
    "connect": connect,
    "auth": auth,
    "join": join,
    "dial": dial,
    "http": http,
    "chat": chat,
    "serve": serve,
    "challenge": challenge,
    "admit": admit,
    "deny": deny,
    "tell": tell,
    "echo": echo,
    "raw": raw,
    "ping": ping,
    "exchange": exchange,
    "freeze": freeze,
    "leave": leave,
    "vanish": vanish,
    "look": look,
    "wait": wait,
}
