"""The second implementation, written from the tables alone and in another language, passes its own tests and every case."""

import asyncio
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tunnel_conformance.runner import Options, chosen, run
from tunnel_conformance.spec import cases
from tunnel_conformance.subjects.clock import find_faketime
from tunnel_conformance.subjects.mcp import McpLauncher

from tests.app.processes import environment
from tests.conformance.broken.playing import COMPLETE
from tunnel.spec.model import Role

ROOT = Path(__file__).parents[2]
QUICK = ("*",) if COMPLETE else ("auth-in-time*", "auth-join-*", "keep-dead-*")
"""Of the cases in which time passes, those that take a few seconds: one for each kind of clock that an end has."""

EXAMPLE = Path("conformance/examples/node")

pytestmark = pytest.mark.needs("node")


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy with its packages, beside the tables that it reads. Nothing is installed into the sources."""
    world = tmp_path_factory.mktemp("world")
    (world / "spec").symlink_to(ROOT / "spec")
    copy = world / EXAMPLE
    shutil.copytree(ROOT / EXAMPLE, copy, ignore=shutil.ignore_patterns("node_modules"))
    subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=copy, check=True, timeout=120)
    return copy


def test_it_passes_its_own_tests(example: Path) -> None:
    ran = subprocess.run(["npm", "test"], cwd=example, capture_output=True, text=True, timeout=120, check=False)

    assert ran.returncode == 0, ran.stdout[-5000:]


@pytest.mark.needs("faketime")
@pytest.mark.timeout(400)
@pytest.mark.parametrize("role", [Role.HOST, Role.GUEST], ids=["host", "guest"])
def test_it_passes_every_case(example: Path, role: Role) -> None:
    given = [case for case in cases(role) if not case.needs or chosen([case], QUICK)]
    launcher = McpLauncher("node", ["node", str(example / "server.js")], environment(), find_faketime(os.environ))
    result = asyncio.run(run(launcher, role, given, Options(), lambda _: None))

    assert [f"{v.case}, step {v.step}: {v.got}; {v.note}" for v in result.verdicts if v.outcome.value != "pass"] == []
