"""What must be seen of a host, as the tables give it: each conversation is told as a case would tell it."""

import pytest
from tunnel_conformance.explore.host import HostWalk
from tunnel_conformance.explore.moves import Move
from tunnel_conformance.report.words import step_in_words

from tunnel.spec.v1.constants import IDLE_SECONDS, LINK_SECONDS

JOINED = Move("join", "A", "right")


def told(*moves: Move) -> list[str]:
    """The steps behind the opening, in words."""
    walk = HostWalk()
    assert walk.do_all(moves) == moves, "all of it is possible"
    assert walk.is_sure
    return [step_in_words(step) for step in walk.steps[1:]]


def test_a_link_admits_one_guest() -> None:
    """LOCK-1, LINK-1: also after it has left."""
    late = Move("join", "B", "right"), Move("leave", "A"), Move("join", "C", "right")

    assert told(JOINED, *late) == [
        "join by A -> admitted (seq: 2)",
        "join by B -> refused (reason: tunnel full)",
        "leave by A -> parted",
        "join by C -> refused (reason: join link already used)",
    ]


def test_of_several_at_once_one_is_admitted_and_nobody_knows_which() -> None:
    """LOCK-1."""
    assert told(Move("race", "A, B, C"), Move("join", "D", "right"), Move("say"), Move("close", how="plain")) == [
        "connect by A, B, C -> challenged",
        "auth by A, B, C -> one_admitted (reason: tunnel full)",
        "join by D -> refused (reason: tunnel full)",
        "say (text: word 1) -> said",
        "close by A, B, C -> gone",
    ]


def test_a_race_for_a_taken_tunnel_is_lost_by_all() -> None:
    """LOCK-1."""
    assert told(JOINED, Move("race", "B, C"))[-1] == "auth by B, C -> refused (reason: tunnel full)"


@pytest.mark.parametrize(
    ("proof", "reason"),
    [
        ("wrong", "bad key"),
        ("padded", "bad key"),
        ("hex", "bad key"),
        ("missing", "malformed auth"),
        ("wrong then right", "bad key"),
    ],
)
def test_a_bad_proof_is_refused_and_leaves_the_link_good(proof: str, reason: str) -> None:
    """AUTH-2, AUTH-3, AUTH-4, AUTH-8, LINK-3."""
    assert told(Move("join", "X", proof), JOINED) == [
        f"join by X (proof: {proof}) -> refused (reason: {reason})",
        "join by A -> admitted (seq: 2)",
    ]


def test_a_recorded_response_is_worth_nothing_to_others() -> None:
    """AUTH-1."""
    replay = told(Move("connect", "A"), Move("connect", "B"), Move("auth", "B", "replayed"))

    assert replay[-1] == "auth by B (proof: replayed) -> refused (reason: bad key)"
    assert not HostWalk().do(Move("join", "A", "replayed")), "there is nothing to repeat"


def test_a_second_auth_of_the_guest_costs_it_its_place() -> None:
    """AUTH-7."""
    assert told(JOINED, Move("auth", "A", "right"), Move("say")) == [
        "join by A -> admitted (seq: 2)",
        "auth by A -> refused (reason: tunnel full)",
        "say (text: word 1) -> failed",
    ]


def test_only_the_guest_is_heard() -> None:
    """LOCK-2, SEQ-1, SEQ-2, WIRE-4."""
    chats = [Move("chat", "A", how) for how in ("plain", "forged", "unknown", "system")]

    assert told(JOINED, *chats, Move("connect", "B"), Move("chat", "B", "plain"), Move("hear"), Move("count", "A")) == [
        "join by A -> admitted (seq: 2)",
        "chat by A (text: word 1) -> echoed",
        "chat by A (text: word 2, from: host, seq: 999, ts: 1) -> echoed",
        "chat by A (text: word 3, extra: junk) -> echoed (bare: true)",
        "chat by A (text: word 4, kind: system) -> nothing",
        "connect by B -> challenged",
        "chat by B (text: word 5) -> nothing",
        "look -> heard (text: word 3)",
        "look by A -> numbered (upto: 5)",
    ]


def test_what_the_host_says_reaches_its_guest() -> None:
    """SEQ-1."""
    assert told(Move("say"), JOINED, Move("say")) == [
        "say (text: word 1) -> said",
        "join by A -> admitted (seq: 3)",
        "say by A (text: word 2) -> message (kind: chat, from: host, text: word 2, seq: 4)",
    ]


def test_noise_and_pings_cost_nobody_anything() -> None:
    """WIRE-4, SIZE-8."""
    assert told(Move("connect", "A"), Move("noise", "A", "null"), Move("ping", "A"), Move("auth", "A", "right")) == [
        "connect by A -> challenged",
        "raw by A (text: null) -> nothing",
        "ping by A (times: 3) -> nothing",
        "auth by A -> admitted (seq: 2)",
    ]


def test_what_is_too_big_or_no_text_is_hung_up_on() -> None:
    """SIZE-1, SIZE-2, WIRE-5: and a guest counts as left."""
    assert told(
        Move("connect", "X"), Move("bad", "X", "too big"), JOINED, Move("bad", "A", "not text"), Move("say")
    ) == [
        "connect by X -> challenged",
        "raw by X (bytes: {STRANGER_FRAME_BYTES} + 1) -> hung_up (code: 1009)",
        "join by A -> admitted (seq: 2)",
        "raw by A (hex: ff) -> hung_up (code: 1007)",
        "say (text: word 1) -> failed",
    ]


def test_a_close_is_told_to_everybody_and_final() -> None:
    """CLOSE-1, CLOSE-2, CLOSE-3, CLOSE-4."""
    end = Move("connect", "B"), Move("dial", "C"), Move("close", how="with a summary"), Move("join", "D", "right")

    assert told(JOINED, *end, Move("say")) == [
        "join by A -> admitted (seq: 2)",
        "connect by B -> challenged",
        "dial by C",
        "close by A (summary: all is said) -> message (kind: system, text: closed \u2014 all is said, last: true)",
        "look by A -> hung_up (code: 1000, reason: closed by host), or gone",
        "look by B, C -> gone",
        "connect by D -> gone",
        "say (text: word 1) -> failed",
    ]


def test_where_nobody_sees_the_end_somebody_looks() -> None:
    """CLOSE-2; and a new tunnel has a new link (LINK-6)."""
    assert told(Move("close", how="plain"), Move("open"), JOINED) == [
        "close",
        "connect by X -> gone",
        "open -> linked",
        "join by A -> admitted (seq: 2)",
    ]


def test_a_link_is_good_for_its_lifetime_and_dead_behind_it() -> None:
    """LINK-2, LINK-4: the bad key is named first."""
    late = Move("wait", seconds=LINK_SECONDS + 60), Move("join", "A", "wrong"), Move("join", "B", "right")

    assert told(Move("wait", seconds=LINK_SECONDS - 60), JOINED)[-1] == "join by A -> admitted (seq: 2)"
    assert told(*late) == [
        "wait (seconds: 660)",
        "join by A (proof: wrong) -> refused (reason: bad key)",
        "join by B -> refused (reason: join link expired)",
    ]


def test_a_silent_session_ends_whoever_is_refused_meanwhile() -> None:
    """IDLE-1, IDLE-2."""
    meanwhile = Move("wait", seconds=IDLE_SECONDS - 300), Move("join", "A", "wrong"), Move("listen")

    assert told(*meanwhile, Move("wait", seconds=360)) == [
        "wait (seconds: 1500)",
        "join by A (proof: wrong) -> refused (reason: bad key)",
        "listen",
        "wait (seconds: 360)",
        "connect by X -> gone",
    ]


def test_a_guest_is_told_that_the_session_was_idle() -> None:
    """IDLE-3, KEEP-2: it answers pings, so it is alive."""
    assert told(JOINED, Move("wait", seconds=IDLE_SECONDS - 60), Move("wait", seconds=120)) == [
        "join by A -> admitted (seq: 2)",
        "wait by A (seconds: 1740) -> nothing",
        "wait by A (seconds: 120) -> message (kind: system, text: idle timeout \u2014 closing tunnel, last: true)",
        "look by A -> hung_up (code: 1000, reason: idle timeout), or gone",
    ]


def test_a_stranger_has_little_time() -> None:
    """AUTH-6."""
    strangers = Move("connect", "A"), Move("dial", "B"), Move("wait", seconds=8), Move("wait", seconds=17)

    assert told(*strangers) == [
        "connect by A -> challenged",
        "dial by B",
        "wait by A (seconds: 8) -> nothing",
        "wait by A (seconds: 17) -> hung_up (code: 1008)",
        "look by B -> gone",
    ]


def test_a_guest_that_reads_nothing_is_noticed() -> None:
    """KEEP-2, KEEP-3."""
    assert told(JOINED, Move("freeze", "A"), Move("wait", seconds=20), Move("wait", seconds=40), Move("say")) == [
        "join by A -> admitted (seq: 2)",
        "freeze by A",
        "wait (seconds: 20)",
        "wait by A (seconds: 40) -> parted",
        "look by A -> gone",
        "say (text: word 1) -> failed",
    ]


@pytest.mark.parametrize(
    "move",
    [
        Move("auth", "A", "right"),
        Move("chat", "A", "plain"),
        Move("noise", "A", "null"),
        Move("ping", "A"),
        Move("bad", "A", "not text"),
        Move("leave", "A"),
        Move("vanish", "A"),
        Move("freeze", "A"),
        Move("count", "A"),
        Move("hear"),
        Move("open"),
        Move("wait", seconds=3000),
    ],
    ids=lambda move: move.do,
)
def test_what_is_not_possible_is_not_done(move: Move) -> None:
    walk = HostWalk()

    assert not walk.do(move)
    assert len(walk.steps) == 1


def test_nobody_comes_twice() -> None:
    walk = HostWalk()
    walk.do(JOINED)

    assert not any(walk.do(Move(do, "A", "right")) for do in ("join", "connect", "dial"))
    assert not walk.do(Move("race", "A, B"))


def test_nothing_opens_or_comes_where_all_is_over() -> None:
    walk = HostWalk()
    walk.do(Move("close", how="plain"))

    assert not any(walk.do(move) for move in (Move("close", how="plain"), Move("dial", "A"), Move("race", "A, B")))


@pytest.mark.parametrize("seconds", [LINK_SECONDS - 20, LINK_SECONDS + 20, IDLE_SECONDS - 20, IDLE_SECONDS + 20])
def test_a_moment_near_a_deadline_is_not_sure(seconds: int) -> None:
    walk = HostWalk()
    walk.do(Move("wait", seconds=seconds))

    assert not walk.is_sure


def test_a_deadline_that_passes_unasked_is_not_sure() -> None:
    """What was measured decides: here the machine was so slow that the stranger is hung up on before it answers."""
    walk = HostWalk(moments=(0, 10, 20_000))
    walk.do_all((Move("connect", "A"), Move("auth", "A", "right")))

    assert not walk.is_sure


def test_what_is_in_play_bounds_the_speed() -> None:
    alone, joined, dialled = HostWalk(), HostWalk(), HostWalk()
    joined.do(JOINED)
    dialled.do(Move("dial", "A"))

    assert (min(alone.in_play), min(joined.in_play), min(dialled.in_play)) == (600, 15, 15)
