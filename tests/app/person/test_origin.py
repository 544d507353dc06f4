"""An agent's own commands are told from its person's by what the system knows of them."""

import os
import socket
import struct
from collections.abc import Callable

import pytest

from tunnel.app.person.origin import LAUNCHERS, MOST_ANCESTORS, NOBODY_TELLS, process_at, why_not_a_person
from tunnel.app.person.processes import Look, Process, system

INIT = 1


def shown(*rows: tuple[int, int, str] | Process) -> Callable[[], Look]:
    """A system with these processes: each with its parent and its program. They have a terminal, and lead nothing."""
    made = [row if isinstance(row, Process) else at_a_terminal(*row) for row in rows]
    found = {process.pid: process for process in made}
    return lambda: found.get


def at_a_terminal(pid: int, parent: int, program: str, *, leads: bool = False) -> Process:
    return Process(pid, parent, has_terminal=True, leads=leads, program=program, name=program.rpartition("/")[2])


def without_one(pid: int, parent: int, program: str) -> Process:
    return Process(pid, parent, has_terminal=False, leads=False, program=program, name=program.rpartition("/")[2])


def test_a_command_at_a_terminal_that_is_no_child_of_the_client_is_a_person_s() -> None:
    processes = shown((50, 40, "/bin/allow"), (40, INIT, "/bin/zsh"), (20, INIT, "/bin/agent"), (INIT, 0, "/sbin/init"))

    assert why_not_a_person(50, 20, processes) is None


@pytest.mark.parametrize("client", [50, 40, 30], ids=["the client itself", "its child", "its grandchild"])
def test_a_command_of_the_agent_s_client_is_not(client: int) -> None:
    processes = shown((50, 40, "allow"), (40, 30, "zsh"), (30, INIT, "agent"), (INIT, 0, "init"))

    assert "within the agent's own client" in str(why_not_a_person(50, client, processes))


EDITOR, HELPER = "/opt/editor/editor", "/opt/editor/editor"


def test_a_terminal_of_the_editor_whose_agent_it_is_is_not_a_person_s_own() -> None:
    """What starts servers, and what runs terminals, are children of one process of the editor's, beside each other."""
    processes = shown(
        (50, 40, "allow"),
        at_a_terminal(40, 31, "/bin/zsh", leads=True),
        without_one(31, 10, HELPER),
        without_one(30, 10, HELPER),
        without_one(10, INIT, EDITOR),
        without_one(INIT, 0, "/sbin/init"),
    )

    assert "within the agent's own client" in str(why_not_a_person(50, 30, processes))


def test_a_terminal_of_an_editor_in_which_another_client_runs_is_a_person_s() -> None:
    processes = shown(
        (50, 40, "allow"),
        at_a_terminal(40, 31, "/bin/zsh", leads=True),
        (30, 41, "/usr/bin/agent"),
        at_a_terminal(41, 31, "/bin/zsh", leads=True),
        without_one(31, 10, HELPER),
        without_one(10, INIT, EDITOR),
    )

    assert why_not_a_person(50, 30, processes) is None


@pytest.mark.parametrize("launcher", sorted(LAUNCHERS))
def test_who_starts_the_server_through_a_launcher_is_still_the_client(launcher: str) -> None:
    processes = shown(
        (50, 20, "allow"), (30, 25, f"/usr/bin/{launcher}"), (25, 20, "/bin/sh"), (20, INIT, "agent"), (INIT, 0, "init")
    )

    assert "within the agent's own client" in str(why_not_a_person(50, 30, processes))


def test_a_shell_in_which_a_person_started_the_server_by_hand_is_the_client_and_its_terminal_is_not() -> None:
    processes = shown(
        (50, 40, "allow"),
        at_a_terminal(40, 10, "/bin/zsh", leads=True),
        at_a_terminal(30, 10, "/bin/bash", leads=True),
        without_one(10, INIT, "/usr/bin/terminal"),
    )

    assert why_not_a_person(50, 30, processes) is None
    assert why_not_a_person(40, 40, processes) is not None


def test_a_launcher_of_which_nobody_knows_who_started_it_is_the_client() -> None:
    processes = shown((50, 30, "allow"), (30, 2, "/bin/sh"))

    assert "within the agent's own client" in str(why_not_a_person(50, 30, processes))


def test_a_command_without_a_terminal_is_not_a_person_s() -> None:
    assert "no terminal" in str(why_not_a_person(50, 20, shown(without_one(50, INIT, "allow"))))


def test_when_the_client_is_gone_everybody_s_ancestor_is_not_taken_for_it() -> None:
    assert why_not_a_person(50, INIT, shown((50, INIT, "allow"), (INIT, 0, "init"))) is None


def test_a_process_that_cannot_be_seen_is_not_a_person_s() -> None:
    assert "cannot be seen" in str(why_not_a_person(50, 20, shown()))


def test_an_ancestor_that_has_just_ended_ends_the_search() -> None:
    assert why_not_a_person(50, 20, shown((50, 40, "allow"))) is None


def test_a_search_that_does_not_end_is_given_up() -> None:
    processes = shown(*((pid, pid - 1, "p") for pid in range(2, MOST_ANCESTORS + 10)))

    assert "too many" in str(why_not_a_person(MOST_ANCESTORS + 9, INIT, processes))


def test_where_the_system_does_not_tell_everybody_is_refused() -> None:
    assert why_not_a_person(None, 20, shown((50, INIT, "allow"))) == NOBODY_TELLS
    assert why_not_a_person(50, 20, lambda: None) == NOBODY_TELLS


def test_the_other_end_of_a_socket_is_known() -> None:
    one, other = socket.socketpair()
    with one, other:
        assert process_at(one) == os.getpid()


class Mac:
    """A socket of macOS: it knows the process at its other end by an option that other systems do not have."""

    def getsockopt(self, level: int, optname: int, buflen: int, /) -> bytes:
        return struct.pack("i", 4711) if (level, optname, buflen) == (0, 2, 4) else b""


def test_macos_is_asked_in_its_own_way() -> None:
    assert process_at(Mac(), "darwin") == 4711


@pytest.mark.parametrize("asked_as", ["darwin", "openbsd7"])
def test_a_system_that_does_not_know_the_question_does_not_tell(asked_as: str) -> None:
    one, other = socket.socketpair()
    with one, other:
        assert process_at(one, asked_as) is None


def test_this_process_is_a_child_of_its_parent() -> None:
    look = system()
    assert look
    me = look(os.getpid())
    assert me
    # Whoever tests may have no terminal.
    processes = {os.getpid(): me._replace(has_terminal=True)}

    assert "own client" in str(
        why_not_a_person(os.getpid(), os.getppid(), lambda: lambda pid: processes.get(pid) or look(pid))
    )
