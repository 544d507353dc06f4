"""What must be seen of a guest, as its table gives it: each conversation is told as a case would tell it."""

import asyncio

import pytest
from tunnel_conformance.explore.draw import drawn
from tunnel_conformance.explore.guest import GuestWalk
from tunnel_conformance.explore.guest_offers import CLOSINGS
from tunnel_conformance.explore.moves import Move, Plan
from tunnel_conformance.explore.play import Played, play
from tunnel_conformance.report.words import step_in_words

from tests.conformance.own import Own
from tunnel.spec.v1.constants import JOIN_SECONDS, SILENCE_SECONDS

IN = Move("let in")
LET_IN = ["challenge -> authenticated (times: 1)", "admit -> joined"]


def told(*moves: Move) -> list[str]:
    """The steps behind the first connection, in words."""
    walk = GuestWalk()
    assert walk.do_all(moves) == moves, "all of it is possible"
    assert walk.is_sure
    return [step_in_words(step) for step in walk.steps[2:]]


def test_a_conversation_begins_with_a_guest_that_has_connected() -> None:
    assert [step_in_words(step) for step in GuestWalk().steps] == ["serve", "accept -> dialled"]


def test_a_guest_answers_one_challenge() -> None:
    """AUTH-5."""
    again = Move("challenge")

    assert told(again, again, Move("admit", how="plain"), again) == [
        "challenge -> authenticated (times: 1)",
        "challenge -> authenticated (times: 1)",
        "admit -> joined",
        "challenge -> authenticated (times: 1)",
    ]


def test_a_guest_is_not_let_in_unasked_nor_twice() -> None:
    """AUTH-10."""
    assert told(Move("admit", how="plain")) == ["admit -> failed"]
    assert told(IN, Move("admit", how="plain"))[-1].endswith("-> nothing")


def test_a_refusal_ends_a_join_and_nothing_else() -> None:
    """AUTH-11."""
    assert told(Move("deny")) == ["deny (reason: bad key) -> failed (because: bad key)"]
    assert told(IN, Move("deny")) == [*LET_IN, "deny (reason: bad key) -> nothing"]


def test_a_join_whose_failure_is_not_the_last_answer_is_seen_on_the_wire_only() -> None:
    """Nobody knows then when its agent has noticed, so it joins no more."""
    walk = GuestWalk()
    walk.do_all((Move("say"), Move("vanish"), Move("accept")))

    assert [step_in_words(step) for step in walk.steps[2:]] == ["say (text: word 1) -> failed", "vanish -> gone"]
    assert told(Move("vanish"), Move("accept"), IN) == ["vanish -> failed", "accept -> dialled", *LET_IN]


def test_a_guest_takes_messages_in_their_order() -> None:
    """SEQ-4, SEQ-5, SEQ-6, AUTH-10."""
    tells = [Move("tell", how=how) for how in ("plain", "system", "forged", "stale", "hole")]

    assert told(Move("tell", how="plain"), IN, *tells) == [
        "tell (text: word 1, seq: 1) -> nothing",
        *LET_IN,
        "tell (text: word 2) -> heard (text: word 2, kind: chat)",
        "tell (text: word 3, kind: system) -> heard (text: word 3, kind: system)",
        "tell (text: word 4, from: guest) -> unheard (text: word 4)",
        "tell (text: word 5, seq: 1) -> unheard (text: word 5)",
        "tell (text: word 6, seq: 6) -> ended (because: missing_messages)",
        "look -> hung_up (code: 1002)",
    ]


def test_only_the_echo_confirms() -> None:
    """SEQ-3."""
    assert told(IN, Move("say"), Move("echo", how="plain"), Move("tell", how="plain"), Move("hear")) == [
        *LET_IN,
        "say (text: word 1) -> chatted (text: word 1)",
        "echo -> said",
        "tell (text: word 2) -> heard (text: word 2, kind: chat)",
        "look -> heard (text: word 2)",
    ]


@pytest.mark.parametrize("how", CLOSINGS)
def test_a_guest_tells_why_the_host_has_gone(how: str) -> None:
    """CLOSE-5."""
    cause = {"plain": "host_gone", "slow": "dropped"}.get(how, how)

    assert told(IN, Move("leave", how=how))[-1].endswith(f"-> ended (because: {cause})")
    assert told(Move("leave", how=how))[-1].endswith("-> failed")


def test_a_close_is_told_with_its_summary() -> None:
    """CLOSE-4, CLOSE-6."""
    assert told(IN, Move("close", how="plain"))[2:] == ["close -> hung_up (code: 1000, reason: guest left), or gone"]
    assert told(IN, Move("close", how="with a summary"))[2:] == [
        "close (summary: all is said) -> chatted (text: all is said)",
        "look -> gone",
    ]
    assert told(Move("close", how="plain"), Move("say")) == ["close -> gone", "say (text: word 1) -> failed"]


def test_noise_costs_nothing_and_no_text_ends_it() -> None:
    """WIRE-4, WIRE-5."""
    assert told(Move("noise", how="null"), IN, Move("ping"), Move("listen"), Move("bad")) == [
        "raw (text: null) -> nothing",
        *LET_IN,
        "ping (times: 3) -> nothing",
        "listen",
        "raw (hex: ff) -> hung_up (code: 1007)",
        "look -> ended (because: bad_host)",
    ]
    assert told(Move("bad"))[1:] == ["look -> failed"]


def test_a_join_takes_so_long_at_most() -> None:
    """AUTH-9."""
    assert told(Move("wait", seconds=JOIN_SECONDS - 12), IN) == ["wait (seconds: 8) -> nothing", *LET_IN]
    assert told(Move("wait", seconds=JOIN_SECONDS + 10)) == [
        "wait (seconds: 30) -> failed",
        "look -> hung_up (code: 1001), or gone",
    ]


def test_a_silent_host_is_noticed_and_a_quiet_one_is_not() -> None:
    """KEEP-1, KEEP-2, KEEP-3."""
    assert told(IN, Move("wait", seconds=SILENCE_SECONDS + 20))[2:] == ["wait (seconds: 60) -> nothing"]
    assert told(Move("fall silent")) == told(IN, Move("freeze"))
    assert told(IN, Move("freeze"), Move("wait", seconds=20), Move("wait", seconds=40))[2:] == [
        "freeze",
        "wait (seconds: 20)",
        "wait (seconds: 40) -> ended (because: host_silent)",
        "look -> gone",
    ]


NOT_HERE = (
    "accept",
    "echo",
    "freeze",
    "hear",
)
NOT_BEHIND_THE_END = ("admit", "bad", "challenge", "close", "deny", "leave", "let in", "noise", "tell", "vanish")


@pytest.mark.parametrize("do", NOT_HERE)
def test_what_is_not_possible_is_not_done(do: str) -> None:
    assert not GuestWalk().do(Move(do, how="plain"))


@pytest.mark.parametrize("do", NOT_BEHIND_THE_END)
def test_nothing_is_done_on_a_connection_that_is_over(do: str) -> None:
    walk = GuestWalk()
    walk.do(Move("vanish"))

    assert not walk.do(Move(do, how="plain"))
    assert not walk.do(Move("wait", seconds=60))


def test_nothing_but_plain_messages_is_tried_before_the_join_and_one_say_at_a_time() -> None:
    walk = GuestWalk()

    assert not walk.do(Move("tell", how="forged"))
    assert walk.do(IN)
    assert walk.do(Move("say"))
    assert not walk.do(Move("say"))


@pytest.mark.parametrize("seconds", [JOIN_SECONDS - 4, JOIN_SECONDS + 4])
def test_a_moment_near_a_deadline_is_not_sure(seconds: int) -> None:
    walk = GuestWalk()

    assert not walk.do(Move("wait", seconds=seconds))
    assert not walk.is_sure


def test_a_deadline_that_passes_unasked_is_not_sure() -> None:
    walk = GuestWalk(moments=(0, 0, 30_000))

    assert not walk.do(IN)
    assert not walk.is_sure


def test_whoever_looks_whether_it_is_there_listens() -> None:
    walk = GuestWalk()
    walk.probe()

    assert step_in_words(walk.steps[-1]) == "listen -> unheard (text: never said)"


def test_all_that_is_drawn_is_possible() -> None:
    plans = [*drawn(GuestWalk, 40, 2, timed=False), *drawn(GuestWalk, 20, 2, timed=True)]

    assert len(plans) > 50
    assert all(GuestWalk().do_all(plan) == plan for plan in plans)


def test_ours_does_what_the_table_says() -> None:
    async def all_of_them(plans: list[Plan]) -> list[Played]:
        own = Own()
        try:
            return [await play(plan, GuestWalk, own) for plan in plans]
        finally:
            await own.end()

    found = asyncio.run(all_of_them(drawn(GuestWalk, 15, 5, timed=False)))

    assert [one for one in found if one.difference or one.is_late] == []
