"""Our implementation by lines, as the program that the kit starts."""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from tunnel_conformance.broken.play import command
from tunnel_conformance.subjects.agent import Agent
from tunnel_conformance.subjects.clock import RealTime
from tunnel_conformance.subjects.line import LineLauncher
from tunnel_conformance.subjects.lint import lint

from tests.conformance.broken.playing import PYTHON
from tests.io.asynchronous import asynchronous

SECONDS = 10.0
ENVIRONMENT = {**os.environ, **PYTHON}


@asynccontextmanager
async def correct() -> AsyncGenerator[Agent]:
    subject = await LineLauncher("correct", command(None), PYTHON, RealTime()).start()
    try:
        yield subject
    finally:
        await subject.end()


@asynchronous
async def test_it_keeps_to_what_is_said_of_lines() -> None:
    said: list[str] = []

    assert await lint(command(None), PYTHON, said.append) == 0
    assert said


@asynchronous
async def test_a_listen_waits_while_other_things_are_done() -> None:
    async with correct() as subject:
        await subject.call("open", {"goal": "wait"}, SECONDS)
        listening = asyncio.create_task(subject.call("listen", {"sinceSeq": 1, "timeoutMs": 9_000}, SECONDS))
        await subject.call("say", {"text": "hello"}, SECONDS)
        answer = await listening

        assert answer.result
        assert "hello" in str(answer.result["messages"])


@asynchronous
async def test_what_it_cannot_do_is_an_error() -> None:
    async with correct() as subject:
        unknown = await subject.call_unknown(SECONDS)
        lacking = await subject.call("open", {}, SECONDS)
        early = await subject.call("say", {"text": "to nobody"}, SECONDS)

        assert unknown.error == "there is nothing of this name to do; there is open, join, say, listen, status, close."
        assert "goal" in str(lacking.error)
        assert "no open tunnel" in str(early.error)


@asynchronous
async def test_a_guest_is_told_when_its_process_is_asked_to_end() -> None:
    async with correct() as host, correct() as guest:
        opened = await host.call("open", {"goal": "end"}, SECONDS)
        assert opened.result
        await guest.call("join", {"joinLink": opened.result["joinLink"]}, SECONDS)

        assert await host.stop(SECONDS) == 0

        heard = await guest.call("listen", {"sinceSeq": 2, "timeoutMs": 5_000}, SECONDS)
        assert "process exit" in str(heard.result)


@pytest.mark.parametrize(
    "line", [b"no question", b'{"id":"x","do":"status"}', b"\xff", b"{}"], ids=["text", "an id", "bytes", "nothing"]
)
def test_what_is_no_question_is_said_on_stderr_and_put_up_with(line: bytes) -> None:
    ran = subprocess.run(
        command(None),
        check=False,
        input=line + b'\n{"id":1,"do":"status","args":{}}\n',
        capture_output=True,
        env=ENVIRONMENT,
        timeout=20,
    )

    assert ran.returncode == 0
    assert b"A line is no question" in ran.stderr
    assert ran.stdout.startswith(b'{"id":1,"result":{"role":"none"')


def test_it_ends_when_nothing_more_can_be_asked_and_when_it_is_told_to() -> None:
    with subprocess.Popen(
        command(None), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b'{"id":1,"do":"status","args":{}}\n')
        process.stdin.flush()
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)

        assert process.wait(5) == 0
        assert process.stderr
        assert process.stderr.read() == b""
