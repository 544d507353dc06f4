"""The rows and rules that are named are those that decide, and those that seem to have been taken instead."""

from tunnel_conformance.explore.blame import blamed, broken, sentences
from tunnel_conformance.explore.guest import GuestWalk
from tunnel_conformance.explore.host import HostWalk
from tunnel_conformance.explore.moves import Move

JOINED = Move("join", "A", "right")


def named(*moves: Move, got: str) -> tuple[list[str], tuple[str, ...]]:
    """Rows and rules, when this was seen at the last step."""
    walk = HostWalk()
    walk.do_all(moves)
    found = blamed(walk.carriers[-1], got, timed=walk.waited > 0)
    return [carrier.name for carrier in found], broken(found, got)


def test_who_is_let_in_breaks_the_rules_by_which_it_is_refused() -> None:
    rows, rules = named(JOINED, Move("join", "B", "right"), got="auth_ok")

    assert rows == ["session/auth-full", "session/auth-admitted"]
    assert rules == ("LOCK-1", "LINK-4")


def test_who_is_refused_without_ground_is_refused_by_the_rules_of_that_ground() -> None:
    rows, rules = named(Move("wait", seconds=540), JOINED, got="auth_fail with the reason 'join link expired'")

    assert rows == ["session/auth-expired", "session/auth-admitted"]
    assert rules[:2] == ("LINK-2", "LINK-4")


def test_a_session_that_is_gone_too_early_was_idle_for_itself() -> None:
    moves = Move("wait", seconds=1740), Move("connect", "A")

    assert named(*moves, got="no connection came about: refused")[0][0] == "session/idle"
    assert named(Move("connect", "A"), got="no connection came about: refused")[0] == ["connection/challenge"]


def test_where_no_row_decides_the_timers_that_run_are_named() -> None:
    rows, rules = named(JOINED, Move("wait", seconds=540), got="something")

    assert {"session/timer link", "session/timer idle", "connection/timer silence"} <= set(rows)
    assert {"LINK-2", "IDLE-1", "KEEP-2"} <= set(rules)


def test_an_end_that_does_not_come_is_the_rows_that_end() -> None:
    assert named(Move("wait", seconds=1860), got="challenge") == (
        ["session/idle", "session/timer idle"],
        ("IDLE-1", "IDLE-3", "CLOSE-2", "IDLE-2"),
    )


def test_a_guest_breaks_rules_of_guests_only() -> None:
    walk = GuestWalk()
    walk.do(Move("wait", seconds=8))
    found = blamed(walk.carriers[-1], 'it was closed with 1000 "idle timeout"', timed=True)

    assert [carrier.name for carrier in found] == ["guest/timer join"]


def test_rules_are_told_with_what_they_say() -> None:
    assert list(sentences(["LINK-1"])) == [
        "LINK-1 MUST: A join link admits once; it stays used after the guest has left."
    ]
