"""The real host as the actor of a script."""

import json
from collections.abc import Sequence
from typing import assert_never

from spec.compiler.actors import BEGIN, Dice, clock, fill, instant, news
from tunnel import crypto
from tunnel.core import effects
from tunnel.core.effects import Effect
from tunnel.core.host import Host
from tunnel.core.instant import TICKS_PER_SECOND, Instant
from tunnel.spec.v1 import frames
from tunnel.spec.v1.constants import KEY_BYTES, TEXT_BYTES
from tunnel.spec.v1.refusals import NOTICES, REFUSALS


class HostActor:
    """Plays a host; its connections have names."""

    def __init__(self) -> None:
        self._ticks = BEGIN
        self._dice = Dice()
        self._key = self._dice(KEY_BYTES)
        self._core = Host(key=self._key, goal="goal", name="Alice", entropy=self._dice, now=self._now)
        self._numbers: dict[str, int] = {}
        self._challenges: dict[int, str] = {}
        self._heard = 0

    def play(self, line: Sequence[str]) -> list[str]:
        """Play a line; what is heard then."""
        if "no room" in line:
            fill(self._core.transcript)
        self._heard = self._core.transcript.last
        words = [word for effect in self._effects(line) for word in self._words(effect)]
        link, idle = self._core.link_expires_at(), self._core.idle_ends_at()
        return [
            *words,
            self._core.state.value,
            clock("link", link, self._now),
            clock("idle", idle, self._now),
            clock("next", self._core.next_deadline(), self._now),
        ]

    @property
    def _now(self) -> Instant:
        return instant(self._ticks)

    def _effects(self, line: Sequence[str]) -> list[Effect]:
        core, now = self._core, self._now
        match line:
            case ["wait", ticks]:
                self._ticks += int(ticks) * TICKS_PER_SECOND
                return core.expire(self._now)
            case ["accept", who]:
                self._numbers[who], out = core.accept(now)
                return out
            case ["auth", who, proof]:
                return core.receive(self._numbers[who], self._auth(self._numbers[who], proof), now)
            case ["send", who, _]:
                draft = {"id": "id", "kind": "chat", "body": "body", "seq": -1, "from": "guest", "ts": 0}
                return core.receive(self._numbers[who], json.dumps({"t": "send", "msg": draft}), now)
            case ["other", who]:
                return core.receive(self._numbers[who], "null", now)
            case ["flood", who]:
                return [*core.control(self._numbers[who], now), *core.control(self._numbers[who], now)]
            case ["say", fits, _]:
                return core.say(1, "x" if fits == "fits" else "x" * (TEXT_BYTES + 1), now)
            case ["close", summary]:
                return core.close(summary, now)
            case [event, who]:
                return getattr(core, event)(self._numbers[who], now)
            case [event]:
                return getattr(core, event)(now)
            case _:
                raise ValueError(line)

    def _auth(self, number: int, proof: str) -> str:
        response = crypto.prove(self._key, self._challenges.get(number, "")) if proof == "right" else "wrong"
        fields = {"t": "auth", "response": response, "name": "Bob", "sinceSeq": 0}
        return json.dumps({"t": "auth"} if proof == "malformed" else fields)

    def _words(self, effect: Effect) -> list[str]:
        names = {number: name for name, number in self._numbers.items()}
        match effect:
            case effects.Send(to=to, frame=frame):
                if isinstance(frame, frames.Challenge):
                    self._challenges[to] = frame.nonce
                return [f"{names[to]} {_of_host(frame)}"]
            case effects.Arrived():
                self._heard += 1
                return [f"numbered {_message(self._core.transcript.at(self._heard))}"]
            case effects.HangUp(to=to, closing=closing):
                return [f"{names[to]} close {closing.value}"]
            case effects.Ping(to=to):
                return [f"{names[to]} ping"]
            case effects.PeerLeft():
                return ["left"]
            case _:
                return [news(effect)]


def _of_host(frame: effects.HostFrame | effects.GuestFrame) -> str:
    match frame:
        case frames.Challenge():
            return "challenge"
        case frames.AuthOk():
            return "auth_ok"
        case frames.AuthFail(reason=reason):
            return f"auth_fail {next(one.value for one, row in REFUSALS.items() if row.text == reason)}"
        case frames.Msg(msg=message):
            return f"msg {_message(message)}"
        case frames.Auth() | frames.Send():
            return "a frame of a guest"
        case _:
            assert_never(frame)


def _message(message: frames.Message) -> str:
    if message.kind == "chat":
        return "own" if message.sender == "guest" else "chat"
    texts = {
        notice.value: row.text.format(goal="goal", name="Bob", summary="\0").partition("\0")[0]
        for notice, row in NOTICES.items()
    }
    return next((notice for notice, text in texts.items() if message.body.startswith(text)), message.body)
