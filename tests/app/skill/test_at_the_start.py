"""A server gives its person's agent the skill beside everything else, once, and only where there are skills."""

import asyncio
from pathlib import Path

import pytest

from tests.app.processes import PATIENCE_SECONDS, a_server, is_banner
from tunnel.app.skill.install import AT_HOME, FILE, SKILL, TEXT

pytestmark = pytest.mark.anyio


async def served(home: Path, *, lines: int = 1, **variables: str) -> bytes:
    """What a server writes to standard error while it serves somebody: at least so many lines."""
    async with a_server(HOME=str(home), **variables) as server:
        await server.shake_hands()
        await server.call("tunnel_status")
        async with asyncio.timeout(PATIENCE_SECONDS):
            while server.log.count(b"\n") < lines:
                await asyncio.sleep(0.01)
        server.stop("EOF")
        code, _ = await server.exit_code()
        assert code == 0
        return server.log


@pytest.fixture
def skills(tmp_path: Path) -> Path:
    folder = tmp_path.joinpath(*AT_HOME)
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def no_folder(tmp_path: Path) -> Path:
    (tmp_path / "file").touch()
    return tmp_path / "file"


def found_in(skills: Path) -> list[bytes]:
    return [file.read_bytes() for file in skills.rglob("*") if file.is_file()]


async def test_a_first_start_adds_it_and_says_so_in_a_line(tmp_path: Path, skills: Path) -> None:
    said = await served(tmp_path, lines=2, TUNNEL_SKIP_SKILL_INSTALL="0")

    assert found_in(skills) == [TEXT]
    banner, line = said.splitlines(keepends=True)
    assert is_banner(banner)
    assert line.startswith(b"tunnel-mcp: a skill ")
    assert str(skills / SKILL / FILE) in line.decode()
    assert is_banner(await served(tmp_path, TUNNEL_SKIP_SKILL_INSTALL="0"))


async def test_whoever_wants_none_gets_none(tmp_path: Path, skills: Path) -> None:
    assert is_banner(await served(tmp_path, TUNNEL_SKIP_SKILL_INSTALL="1"))
    assert found_in(skills) == []


async def test_a_folder_that_cannot_be_used_costs_nothing(tmp_path: Path, skills: Path, no_folder: Path) -> None:
    assert is_banner(await served(tmp_path, TUNNEL_SKIP_SKILL_INSTALL="0", TUNNEL_SKILLS_DIR=str(no_folder)))
    assert found_in(skills) == []
