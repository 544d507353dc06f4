"""Our own server, as a process that knows nothing of the kit, passes every case."""

import asyncio
import os
import sys

import pytest
from tunnel_conformance.records import Run
from tunnel_conformance.runner import Options, run
from tunnel_conformance.spec import cases
from tunnel_conformance.subjects.clock import find_faketime
from tunnel_conformance.subjects.mcp import McpLauncher

from tests.app.processes import COMMAND, environment
from tests.conformance.broken.playing import COMPLETE
from tunnel.spec.model import Case, Role

QUICK = ("*",) if COMPLETE else ("auth-in-time*", "auth-join-*", "keep-dead-*", "link-*")
"""Of the cases in which time passes, those that take less than a minute; a session is idle after two."""

ROLES = pytest.mark.parametrize("role", [Role.HOST, Role.GUEST], ids=["host", "guest"])


def judged(role: Role, given: list[Case], only: tuple[str, ...] = ()) -> Run:
    launcher = McpLauncher("ours", COMMAND, environment(TUNNEL_BUDGET="0"), find_faketime(os.environ))
    return asyncio.run(run(launcher, role, given, Options(only=only), lambda _: None))


def complaints(result: Run) -> list[str]:
    return [f"{v.case}, step {v.step}: {v.got}; {v.note}" for v in result.verdicts if v.outcome.value != "pass"]


@ROLES
def test_our_server_passes_every_case_that_needs_no_time(role: Role) -> None:
    given = [case for case in cases(role) if not case.needs]

    assert complaints(judged(role, given)) == []


@pytest.mark.needs("faketime")
@pytest.mark.timeout(400)
@ROLES
def test_our_server_passes_cases_in_which_time_passes(role: Role) -> None:
    result = judged(role, [case for case in cases(role) if case.needs], QUICK)

    assert complaints(result) == []
    assert result.header.time == "faketime"
    assert all(verdict.speed >= 15 for verdict in result.verdicts)


def test_a_program_that_is_no_server_is_not_judged() -> None:
    launcher = McpLauncher(
        "none", [sys.executable, "-c", "print('hello')"], environment(TUNNEL_BUDGET="0"), find_faketime({})
    )
    result = asyncio.run(run(launcher, Role.HOST, cases(Role.HOST), Options(), lambda _: None))

    assert {verdict.outcome.value for verdict in result.verdicts} == {"harness"}
