"""Lines come from pipes, files and terminals alike, whatever their length, and nothing waits once they are stopped."""

import asyncio
import os
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.app.ends import PATIENCE_SECONDS
from tunnel.app.chat.lines import CHUNK_BYTES, Lines

pytestmark = pytest.mark.anyio


@pytest.fixture
def pipe() -> Generator[tuple[int, int]]:
    source, sink = os.pipe()
    yield source, sink
    for fd in (source, sink):
        try:
            os.close(fd)
        except OSError:
            continue


async def all_of(lines: Lines) -> list[bytes]:
    found: list[bytes] = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (line := await lines.next()) is not None:
            found.append(line)
    return found


@pytest.mark.parametrize(
    ("written", "lines"),
    [(b"", []), (b"a\nb\n", [b"a", b"b"]), (b"a\n\nb", [b"a", b"", b"b"]), (b"123456\n1234\n12345678", [b"1234"] * 3)],
    ids=["nothing", "two lines", "a blank one, and one without an end", "long ones"],
)
async def test_a_pipe_gives_its_lines(pipe: tuple[int, int], written: bytes, lines: list[bytes]) -> None:
    os.write(pipe[1], written)
    os.close(pipe[1])

    assert await all_of(Lines(pipe[0], 4)) == lines


async def test_a_line_that_comes_in_pieces_is_one(pipe: tuple[int, int]) -> None:
    lines = Lines(pipe[0], 100)
    next_ = asyncio.ensure_future(lines.next())
    for piece in (b"hel", b"lo"):
        os.write(pipe[1], piece)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not lines.has_more or not lines._begun.endswith(piece):
                await asyncio.sleep(0)
    assert not next_.done()
    os.write(pipe[1], b"\n")

    assert await asyncio.wait_for(next_, PATIENCE_SECONDS) == b"hello"


async def test_a_file_gives_its_lines_and_a_flood_takes_no_memory(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    file.write_bytes(b"x" * (3 * CHUNK_BYTES) + b"\nlast")
    with file.open("rb") as opened:
        lines = Lines(opened.fileno(), 10)

        assert await all_of(lines) == [b"x" * 10, b"last"]


async def test_what_is_not_open_has_no_lines(pipe: tuple[int, int]) -> None:
    os.close(pipe[0])

    assert await all_of(Lines(pipe[0], 4)) == []


async def test_a_wait_ends_when_it_is_stopped(pipe: tuple[int, int]) -> None:
    lines = Lines(pipe[0], 100)
    waiting = asyncio.ensure_future(lines.next())
    await asyncio.sleep(0)
    lines.stop()
    lines.stop()

    assert await asyncio.wait_for(waiting, PATIENCE_SECONDS) is None
    assert not lines.has_more


async def test_what_nobody_asked_for_is_known(pipe: tuple[int, int]) -> None:
    os.write(pipe[1], b"one\ntwo")
    lines = Lines(pipe[0], 100)
    assert await lines.next() == b"one"
    lines.stop()

    assert lines.has_more
    assert await lines.next() is None
