"""What was refused is kept for the person: bounded, in order, and visible."""

import pytest

from tests.app.ends import a_tunnel, join, open_, two_ends
from tunnel.app import results
from tunnel.app.joining import JoinRefusedError
from tunnel.app.refusals import KEPT, WHY_BYTES, Refusals
from tunnel.core.effects import HangUp, Send
from tunnel.errors import Refused
from tunnel.spec.v1 import frames
from tunnel.spec.v1.constants import TEXT_BYTES
from tunnel.spec.v1.refusals import Closing

pytestmark = pytest.mark.anyio


def some() -> Refusals:
    return Refusals(lambda: 7, lambda: 1_700_000_000_000)


def knock(refusals: Refusals, reason: str = "bad key") -> None:
    refusals.observe(Send(1, frames.AuthFail(reason=reason)))


def test_a_stranger_that_is_not_let_in_is_noted_with_reason_place_and_time() -> None:
    refusals = some()
    knock(refusals)

    (noted,) = refusals.after(0)
    assert (noted.number, noted.what, noted.why, noted.after) == (1, "join", "bad key", 7)
    assert noted.unix_ms == 1_700_000_000_000


def test_other_effects_are_not_noted() -> None:
    refusals = some()
    refusals.observe(Send(1, frames.Challenge(nonce="00")))
    refusals.observe(HangUp(1, Closing.REFUSED))

    assert refusals.count == 0


def test_a_say_is_noted_by_its_first_word_for_it() -> None:
    refusals = some()
    refusals.say("budget spent: you have said 40 messages")
    refusals.say("peer_left: nobody hears")

    assert [(refusal.what, refusal.why) for refusal in refusals.after(0)] == [
        ("say", "budget spent"),
        ("say", "peer left"),
    ]


def test_a_stranger_can_knock_as_often_as_it_likes() -> None:
    refusals = some()
    for _ in range(KEPT + 5):
        knock(refusals)

    assert refusals.count == KEPT + 5
    assert [refusal.number for refusal in refusals.after(0)] == list(range(6, KEPT + 6))
    assert [refusal.number for refusal in refusals.after(KEPT + 3)] == [KEPT + 4, KEPT + 5]


def test_what_is_shown_is_visible_and_bounded() -> None:
    refusals = some()
    knock(refusals, "\u202e\x1b[2J" * 1000)

    (noted,) = refusals.after(0)
    assert noted.why.isprintable()
    assert len(noted.why.encode()) <= 7 * WHY_BYTES


async def test_a_wrong_key_is_noted_at_its_host() -> None:
    async with two_ends() as (alice, bob):
        link = await open_(alice)
        with pytest.raises(JoinRefusedError):
            await join(bob, link.partition("#")[0] + "#" + "A" * 43)

        assert alice.tunnel
        assert [(refusal.what, refusal.why) for refusal in alice.tunnel.refusals.after(0)] == [("join", "bad key")]


async def test_a_say_that_is_refused_is_noted_on_the_side_of_who_said_it() -> None:
    async with a_tunnel() as (alice, bob, _):
        for tools in (alice, bob):
            with pytest.raises(Refused):
                await tools.say(results.SayArguments(text="x" * (TEXT_BYTES + 1)))

            assert tools.tunnel
            assert [refusal.what for refusal in tools.tunnel.refusals.after(0)] == ["say"]
            assert tools.budget.said == 0
