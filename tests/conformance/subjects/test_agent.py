"""What an implementation says of itself before it is judged, and what a command that cannot run here is told."""

import sys

import pytest
from tunnel_conformance.spec import spec
from tunnel_conformance.subjects.agent import EMPTY_HOME
from tunnel_conformance.subjects.clock import RealTime
from tunnel_conformance.subjects.line import LineLauncher

from tests.conformance.subjects.stage import SECONDS, actor, fault_of, ours, started
from tests.io.asynchronous import asynchronous


@asynchronous
async def test_a_server_says_which_tools_it_has() -> None:
    async with started(ours()) as subject:
        tools = await subject.tools(SECONDS)

    assert tools is not None
    assert tools >= {tool.name for tool in spec().tools.tools}


@asynchronous
async def test_where_there_is_no_list_nothing_is_said() -> None:
    async with started(actor("line")) as subject:
        assert await subject.tools(SECONDS) is None


@pytest.mark.parametrize(
    ("environment", "told"), [({}, f" {EMPTY_HOME}"), ({"HOME": "/"}, "")], ids=["an empty home", "its own"]
)
@asynchronous
async def test_who_ends_at_its_start_is_told_that_its_home_is_empty(environment: dict[str, str], told: str) -> None:
    command = [sys.executable, "-c", "raise SystemExit(4)"]
    fault = await fault_of(LineLauncher("short-lived", command, environment, RealTime()))

    assert str(fault) == f"Its process ended with status 4.{told}"
