"""The implementation that is not broken passes everything by lines: what fails on the others is not the adapter's doing."""

import asyncio
import os

import pytest
from tunnel_conformance.broken.play import command
from tunnel_conformance.records import Run
from tunnel_conformance.runner import Options, run
from tunnel_conformance.spec import cases
from tunnel_conformance.subjects.clock import find_faketime
from tunnel_conformance.subjects.line import LineLauncher

from tests.conformance.broken.playing import COMPLETE, COMPLETE_SECONDS, PYTHON
from tunnel.spec.model import Case, Role

ROLES = pytest.mark.parametrize("role", [Role.HOST, Role.GUEST], ids=["host", "guest"])

QUICK = ("auth-*",)
"""Of the cases in which time passes, those that take a few seconds."""


def judged(role: Role, given: list[Case], only: tuple[str, ...] = ()) -> Run:
    launcher = LineLauncher("correct", command(None), PYTHON, find_faketime(os.environ))
    return asyncio.run(run(launcher, role, given, Options(only=only, jobs=4), lambda _: None))


def complaints(result: Run) -> list[str]:
    return [f"{v.case}, step {v.step}: {v.got}; {v.note}" for v in result.verdicts if v.outcome.value != "pass"]


@ROLES
def test_it_passes_every_case_that_needs_no_time(role: Role) -> None:
    given = [case for case in cases(role) if not case.needs]

    assert complaints(judged(role, given)) == []


@pytest.mark.needs("faketime")
@pytest.mark.timeout(COMPLETE_SECONDS)
@ROLES
def test_it_passes_when_time_passes(role: Role) -> None:
    given = [case for case in cases(role) if case.needs]

    assert complaints(judged(role, given, () if COMPLETE else QUICK)) == []
