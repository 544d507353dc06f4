"""A process is known as the system shows it, in files or by `ps`, and where it shows nothing, nothing is made up."""

import os
import sys
from pathlib import Path

import pytest

from tunnel.app.person.processes import Process, system

NOWHERE = Path("/nonexistent")

LISTED = """\
    1     0 ??       Ss   /sbin/launchd
  300     1 ??       S    /Applications/Some Editor.app/Contents/MacOS/Electron
  310   300 ??       S    /Applications/Some Editor.app/Contents/Frameworks/Helper (Plugin).app/Contents/MacOS/Helper (Plugin)
  400     1 ttys001  Ss+  -zsh
  401   400 ttys001  S+   /usr/bin/agent
this is no line of its own

"""


def a_program(folder: Path, name: str, *lines: str) -> str:
    """A program of the system's that writes these lines."""
    program = folder / name
    (folder / "lines").write_text("\n".join(lines))
    program.write_text(f"#!/bin/sh\n[ \"$*\" = '{ASKED}' ] && cat {folder}/lines\n")
    program.chmod(0o755)
    return str(program)


ASKED = "-A -o pid= -o ppid= -o tty= -o stat= -o comm="


@pytest.mark.needs("proc")
def test_this_very_process_is_seen_in_files() -> None:
    look = system()
    assert look
    found = look(os.getpid())

    assert found
    assert (found.pid, found.parent) == (os.getpid(), os.getppid())
    assert Path(found.program).samefile(sys.executable)
    assert found.name == Path(sys.executable).resolve().name


@pytest.mark.needs("ps")
def test_this_very_process_is_seen_by_ps() -> None:
    look = system(NOWHERE)
    assert look
    found = look(os.getpid())

    assert found
    assert found.parent == os.getppid()
    assert look(2**30) is None


def test_what_stands_in_the_files_is_read_whatever_a_program_is_called(tmp_path: Path) -> None:
    (tmp_path / "self").mkdir()
    for pid, session, terminal in ((50, 50, 34816), (51, 50, 34816), (52, 52, 0)):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "stat").write_text(f"{pid} (a ) b (c) S 40 7 {session} {terminal} -1 0")
    (tmp_path / "51" / "exe").symlink_to("/opt/agent/bin/agent")
    look = system(tmp_path)
    assert look

    assert look(50) == Process(50, 40, has_terminal=True, leads=True, program="", name="a ) b (c")
    assert look(51) == Process(51, 40, has_terminal=True, leads=False, program="/opt/agent/bin/agent", name="agent")
    assert look(52) == Process(52, 40, has_terminal=False, leads=False, program="", name="a ) b (c")
    assert look(53) is None


def test_what_ps_lists_is_read_and_the_helpers_of_an_application_are_the_application(tmp_path: Path) -> None:
    look = system(NOWHERE, a_program(tmp_path, "ps", *LISTED.splitlines()))
    assert look
    editor, helper, shell, agent = (look(pid) for pid in (300, 310, 400, 401))

    assert editor
    assert helper
    assert agent
    assert helper.runs_the_same_as(editor)
    assert not helper.has_terminal
    assert shell == Process(400, 1, has_terminal=True, leads=True, program="-zsh", name="zsh")
    assert agent == Process(401, 400, has_terminal=True, leads=False, program="/usr/bin/agent", name="agent")
    assert not agent.runs_the_same_as(helper)
    assert look(2) is None


@pytest.mark.parametrize("broken", ["missing", "failing"])
def test_where_neither_shows_anything_nobody_can_be_looked_at(tmp_path: Path, broken: str) -> None:
    ps = tmp_path / "ps"
    if broken == "failing":
        ps.write_text("#!/bin/sh\nexit 1\n")
        ps.chmod(0o755)

    assert system(NOWHERE, str(ps)) is None


def test_programs_that_may_not_be_known_are_told_apart_by_their_names() -> None:
    one, same, other = (
        Process(pid, 1, has_terminal=False, leads=False, program="", name=name)
        for pid, name in ((2, "code"), (3, "code"), (4, "sh"))
    )

    assert one.runs_the_same_as(same)
    assert not one.runs_the_same_as(other)
