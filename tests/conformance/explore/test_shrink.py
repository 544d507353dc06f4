"""A conversation gets shorter by leaving out and by doing it plainer, and what is shorter can still be said."""

from tunnel_conformance.explore.host import HostWalk
from tunnel_conformance.explore.moves import Move, Plan
from tunnel_conformance.explore.shrink import cut, possible, renamed, shorter, size

A, B, C = (Move("join", name, "right") for name in "ABC")
SAY, LISTEN = Move("say"), Move("listen")


def less(*plan: Move) -> list[Plan]:
    return shorter(plan, HostWalk)


def test_the_shortest_comes_first() -> None:
    found = less(A, SAY, LISTEN, B)

    assert found[0] == (B,)
    assert [size(one, HostWalk) for one in found] == sorted(size(one, HostWalk) for one in found)
    assert all(size(one, HostWalk) < size((A, SAY, LISTEN, B), HostWalk) for one in found)


def test_of_a_few_moves_every_choice_is_tried() -> None:
    assert {(*chosen, B) for chosen in [(), (A,), (SAY,), (LISTEN,), (A, SAY), (A, LISTEN), (SAY, LISTEN)]} == set(
        less(A, SAY, LISTEN, B)
    )


def test_of_many_moves_pairs_and_pieces_are_tried() -> None:
    plan = (SAY, LISTEN, A, LISTEN, SAY, LISTEN, B)
    found = shorter(plan, HostWalk)

    assert (A, B) in found
    assert (A, SAY, B) in found
    assert plan[3:] in found
    assert plan[:5] + plan[6:] in found


def test_of_very_many_moves_each_alone_is_tried() -> None:
    found = shorter((SAY,) * 9 + (A, B), HostWalk)

    assert (A, B) in found
    assert (SAY, A, B) not in found


def test_what_cannot_be_done_any_more_is_left_out_with_what_it_needs() -> None:
    assert less(A, Move("leave", "A"), B) == [(B,), (A, B)]


def test_what_would_ask_near_a_deadline_is_no_conversation() -> None:
    assert possible((Move("wait", seconds=610), A), HostWalk) is None
    assert possible((Move("leave", "A"),), HostWalk) is None
    assert possible((Move("leave", "A"), A), HostWalk) == (A,)


def test_time_passes_in_one_piece() -> None:
    plan = (Move("wait", seconds=540), LISTEN, Move("wait", seconds=1320))

    assert (Move("wait", seconds=1860),) in less(*plan)


def test_ways_become_plainer() -> None:
    assert (Move("join", "A", "wrong"),) in less(Move("join", "A", "hex"))
    assert (A, Move("leave", "A"), B) in less(A, Move("vanish", "A"), B)
    assert (Move("race", "A, B"),) in less(Move("race", "A, B, C, D"))
    assert (A, Move("chat", "A", "plain")) in less(A, Move("chat", "A", "forged"))


def test_the_plainest_stays() -> None:
    assert less(A) == []
    assert less(Move("join", "A", "wrong")) == []


def test_what_comes_behind_the_failure_is_cut_off() -> None:
    plan = (A, Move("leave", "A"), B, C)

    assert cut(plan, 4, HostWalk) == plan[:3]
    assert cut((Move("race", "A, B"), SAY), 2, HostWalk) == (Move("race", "A, B"),)
    assert cut(plan, 1, HostWalk) == plan[:1], "a tunnel that does not open is asked for by any of them"


def test_peers_are_called_in_their_order() -> None:
    plan = (Move("join", "C", "right"), SAY, Move("race", "F, D"), Move("leave", "C"))

    assert renamed(plan, "ABCD") == (A, SAY, Move("race", "B, C"), Move("leave", "A"))
