"""Control by lines."""

import sys

import pytest
from tunnel_conformance.subjects.base import Died
from tunnel_conformance.subjects.clock import RealTime
from tunnel_conformance.subjects.line import LineLauncher

from tests.conformance.subjects.stage import SECONDS, actor, fault_of, say, started
from tests.io.asynchronous import asynchronous


@asynchronous
async def test_what_is_asked_is_answered() -> None:
    async with started(actor("line")) as subject:
        assert (await subject.call("status", {}, SECONDS)).result == {"role": "none"}
        assert (await say(subject, "hello")).result == {"seq": 1, "text": "hello"}
        assert (await subject.call_unknown(SECONDS)).error == "there is no no_such_tool"


@pytest.mark.parametrize(
    "answer", ['{"id":2,"result":{},"error":"both"}', '{"id":2,"result":[]}', '{"id":2,"error":5}', '{"id":2}']
)
@asynchronous
async def test_an_answer_is_either_a_result_or_an_error(answer: str) -> None:
    async with started(actor("line")) as subject:
        assert (await say(subject, f"line 1 {answer}")).result
        assert "a line on stdout is no message" in subject.tail


@asynchronous
async def test_a_status_that_fails_is_an_answer_too() -> None:
    program = (
        'import sys\nfor n, _ in enumerate(sys.stdin): print(\'{"id":%d,"error":"not now"}\' % (n + 1), flush=True)'
    )
    async with started(LineLauncher("sulky", [sys.executable, "-ISc", program], {}, RealTime())) as subject:
        assert (await subject.call("status", {}, SECONDS)).error == "not now"


@asynchronous
async def test_who_does_not_answer_is_not_started() -> None:
    fault = await fault_of(LineLauncher("brief", ["true"], {}, RealTime()))

    assert isinstance(fault, Died)
