"""An agent's own commands are told from its person's by what the system knows of them."""

import os
import socket
from pathlib import Path

import pytest

from tunnel.app.person.origin import MOST_ANCESTORS, process_at, why_not_a_person

TERMINAL = 34816


def processes(proc: Path, *rows: tuple[int, int, int]) -> Path:
    """A system with these processes: each with its parent and its terminal, 0 for none."""
    (proc / "self").mkdir(parents=True)
    for pid, parent, terminal in rows:
        (proc / str(pid)).mkdir()
        # A program may be called anything.
        (proc / str(pid) / "stat").write_text(f"{pid} (a ) b (c) S {parent} 7 7 {terminal} -1 0")
    return proc


def test_a_command_at_a_terminal_that_is_no_child_of_the_client_is_a_person_s(tmp_path: Path) -> None:
    proc = processes(tmp_path, (50, 40, TERMINAL), (40, 1, TERMINAL), (1, 0, 0), (20, 1, 0))

    assert why_not_a_person(50, 20, proc) is None


@pytest.mark.parametrize("client", [50, 40, 30], ids=["the client itself", "its child", "its grandchild"])
def test_a_command_of_the_agent_s_client_is_not(tmp_path: Path, client: int) -> None:
    proc = processes(tmp_path, (50, 40, TERMINAL), (40, 30, TERMINAL), (30, 1, TERMINAL), (1, 0, 0))

    assert "within the agent's own client" in str(why_not_a_person(50, client, proc))


def test_a_command_without_a_terminal_is_not(tmp_path: Path) -> None:
    proc = processes(tmp_path, (50, 1, 0), (1, 0, 0))

    assert "no terminal" in str(why_not_a_person(50, 20, proc))


def test_when_the_client_is_gone_everybody_s_ancestor_is_not_taken_for_it(tmp_path: Path) -> None:
    proc = processes(tmp_path, (50, 1, TERMINAL), (1, 0, 0))

    assert why_not_a_person(50, 1, proc) is None


def test_a_process_that_cannot_be_seen_is_not_a_person_s(tmp_path: Path) -> None:
    assert "cannot be seen" in str(why_not_a_person(50, 20, processes(tmp_path)))


def test_an_ancestor_that_has_just_ended_ends_the_search(tmp_path: Path) -> None:
    assert why_not_a_person(50, 20, processes(tmp_path, (50, 40, TERMINAL))) is None


def test_a_search_that_does_not_end_is_given_up(tmp_path: Path) -> None:
    proc = processes(tmp_path, *((pid, pid - 1, TERMINAL) for pid in range(2, MOST_ANCESTORS + 10)))

    assert "too many" in str(why_not_a_person(MOST_ANCESTORS + 9, 1, proc))


def test_where_the_system_does_not_tell_nobody_is_refused(tmp_path: Path) -> None:
    assert why_not_a_person(50, 20, tmp_path) is None
    assert why_not_a_person(None, 20, processes(tmp_path / "other")) is None


def test_the_other_end_of_a_socket_is_known() -> None:
    one, other = socket.socketpair()
    with one, other:
        assert process_at(one) == os.getpid()
        assert process_at(one, None) is None


def test_this_process_is_a_child_of_its_parent() -> None:
    why_not = why_not_a_person(os.getpid(), os.getppid())

    assert why_not is not None
