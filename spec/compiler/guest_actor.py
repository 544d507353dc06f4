"""The real guest as the actor of a script, which is its host."""

import json
from collections.abc import Sequence

from spec.compiler.actors import BEGIN, Dice, clock, fill, instant, news
from tunnel import crypto
from tunnel.core import codec, effects
from tunnel.core.effects import Effect
from tunnel.core.guest import Guest
from tunnel.core.instant import TICKS_PER_SECOND, Instant
from tunnel.core.link import JoinLink, fresh_tunnel_id, mint
from tunnel.spec.v1 import frames
from tunnel.spec.v1.constants import KEY_BYTES, TEXT_BYTES
from tunnel.spec.v1.refusals import CLOSINGS, Closing


class GuestActor:
    """Plays a guest; the script is its host."""

    def __init__(self) -> None:
        self._ticks = BEGIN
        dice = Dice()
        self._link: JoinLink = mint("http://127.0.0.1:4711", fresh_tunnel_id(dice), dice(KEY_BYTES))
        self._core = Guest(link=self._link, name="Bob", entropy=dice, now=self._now)
        self._drafts: list[frames.Draft] = []

    def play(self, line: Sequence[str]) -> list[str]:
        """Play a line; what is heard then."""
        words = [self._word(effect) for effect in self._effects(line)]
        transcript = self._core.transcript
        shown = sum(transcript.is_shown(message) for message in transcript.after(0))
        due = clock("next", self._core.next_deadline(), self._now)
        return [*words, self._core.state.value, f"{transcript.last} taken", f"{shown} shown", due]

    @property
    def _now(self) -> Instant:
        return instant(self._ticks)

    def _effects(self, line: Sequence[str]) -> list[Effect]:
        core, now = self._core, self._now
        match line:
            case ["wait", ticks]:
                self._ticks += int(ticks) * TICKS_PER_SECOND
                return core.expire(self._now)
            case ["fill"]:
                fill(core.transcript)
                return []
            case ["challenge"]:
                return core.receive(json.dumps({"t": "challenge", "nonce": "a nonce"}), now)
            case ["auth_ok", order]:
                backlog = (self._message(1 if order == "next" else 2, "host"),)
                return core.receive(_text(frames.AuthOk(goal="goal", peer_name="Alice", backlog=backlog)), now)
            case ["auth_fail"]:
                return core.receive(json.dumps({"t": "auth_fail", "reason": "no"}), now)
            case ["msg", order, sender]:
                last = core.transcript.last
                number = {"next": last + 1, "hole": last + 2, "stale": max(last, 1)}[order]
                return core.receive(_text(frames.Msg(msg=self._message(number, sender))), now)
            case ["malformed"]:
                return core.receive(json.dumps({"t": "challenge"}), now)
            case ["other"]:
                return core.receive("null", now)
            case ["lost", closing]:
                return core.lost(CLOSINGS[Closing(closing)].reason if closing else "", now)
            case ["say", fits]:
                return core.say(1, "chat" if fits == "fits" else "x" * (TEXT_BYTES + 1), now)
            case ["close", summary]:
                return core.close(summary, now)
            case [event]:
                return getattr(core, event)(now)
            case _:
                raise ValueError(line)

    def _message(self, number: int, sender: str) -> frames.Message:
        said = frames.Draft(id=f"id {number}", kind="chat", body="body")
        if sender == "echo" and self._drafts:
            said = self._drafts[0]
        return frames.Message(
            id=said.id, seq=number, sender="host" if sender == "host" else "guest", kind="chat", body=said.body, ts=0
        )

    def _word(self, effect: Effect) -> str:
        match effect:
            case effects.Send(frame=frames.Auth()):
                return "answer"
            case effects.Send(frame=frames.Send(msg=draft)):
                self._drafts.append(draft)
                return f"send {crypto.open_body(self._link.key, draft.body)}"
            case effects.HangUp(closing=closing):
                return f"hang_up {closing.value}"
            case effects.Ping():
                return "ping"
            case effects.Joined():
                return "enter"
            case effects.Arrived():
                return "take"
            case effects.Said():
                return "confirm"
            case _:
                return news(effect)


def _text(frame: effects.HostFrame) -> str:
    return codec.encode(frame).decode()
