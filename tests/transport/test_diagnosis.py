"""When cloudflared fails, what to do depends on whether it is cloudflared at all, and whatever stands there, it is said soon."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.io.asynchronous import asynchronous
from tests.standins.cloudflared import install
from tunnel.transport.asset import by_hand
from tunnel.transport.diagnosis import answers_like_cloudflared, cloudflared_version, next_step


async def step(program: Path, mode: str, seconds: float = 5) -> str:
    environment = {**os.environ, "STANDIN_MODE": mode}
    return next_step(program, is_cloudflared=await answers_like_cloudflared(program, environment, seconds))


@asynchronous
async def test_for_cloudflared_it_is_the_network(tmp_path: Path) -> None:
    said = await step(install(tmp_path), "works")

    assert "7844" in said
    assert "no way to the internet" in said
    assert "TUNNEL_TRANSPORT" in said


@pytest.mark.parametrize(("mode", "seconds"), [("impostor", 5), ("mute", 0.3)])
@asynchronous
async def test_for_anything_else_it_is_the_program(mode: str, seconds: float, tmp_path: Path) -> None:
    program = install(tmp_path)
    said = await step(program, mode, seconds)

    assert f"{program} does not answer like cloudflared" in said
    assert by_hand() in said


@asynchronous
async def test_a_program_that_is_gone_is_the_program_too(tmp_path: Path) -> None:
    assert "does not answer like cloudflared" in await step(tmp_path / "cloudflared", "works")


@pytest.mark.parametrize(("mode", "version"), [("works", "2026.6.1"), ("flood", "2026.6.1"), ("impostor", None)])
@asynchronous
async def test_its_version_is_what_it_says(mode: str, version: str | None, tmp_path: Path) -> None:
    environment = {**os.environ, "STANDIN_MODE": mode}

    assert await cloudflared_version(install(tmp_path), environment) == version


@pytest.mark.parametrize(
    ("printed", "version"),
    [
        ("cloudflared version 2026.6.1-beta+1 (built)", "2026.6.1-beta+1"),
        ("cloudflared version 9" + "9" * 5000, "9" * 31),
        ("cloudflared version \\033[31m1", None),
    ],
    ids=["a version", "a huge one", "an escape"],
)
@asynchronous
async def test_a_version_is_short_and_plain(printed: str, version: str | None, tmp_path: Path) -> None:
    program = tmp_path / "cloudflared"
    program.write_text(f"#!/bin/sh\nprintf '{printed}\\n'\n")
    program.chmod(0o755)

    assert await cloudflared_version(program, dict(os.environ)) == version


@asynchronous
async def test_whoever_does_not_want_to_know_any_more_leaves_nothing(tmp_path: Path) -> None:
    """The harness finds what is left."""
    asking = asyncio.ensure_future(step(install(tmp_path), "mute"))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.wait([asking])

    assert asking.cancelled()
