"""The second implementation, written from the tables alone and in another language, passes its own tests and every case."""

import asyncio
import os
import subprocess
from pathlib import Path

import pytest
from tunnel_conformance.runner import Options, chosen, run
from tunnel_conformance.spec import cases
from tunnel_conformance.subjects.clock import find_faketime
from tunnel_conformance.subjects.mcp import McpLauncher

from tests.app.processes import environment
from tests.conformance.broken.playing import COMPLETE
from tests.standins.npm import installed
from tunnel.spec.model import Role

ROOT = Path(__file__).parents[2]
QUICK = ("*",) if COMPLETE else ("auth-in-time*", "auth-join-*", "keep-dead-*")
"""Of the cases in which time passes, those that take a few seconds: one for each kind of clock that an end has."""

EXAMPLE = Path("conformance/examples/node")

pytestmark = pytest.mark.needs("node")


@pytest.fixture(scope="module")
def example(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy with its packages, beside the tables that it reads. Nothing is installed into the sources."""
    world = tmp_path_factory.mktemp("world")
    (world / "spec").symlink_to(ROOT / "spec")
    return installed(ROOT / EXAMPLE, world / EXAMPLE, pytestconfig)


def test_it_passes_its_own_tests(example: Path) -> None:
    ran = subprocess.run(["npm", "test"], cwd=example, capture_output=True, text=True, timeout=120, check=False)

    assert ran.returncode == 0, ran.stdout[-5000:]


def types(example: Path) -> subprocess.CompletedProcess[str]:
    """What TypeScript says of the types in the comments, and of those that are made of the tables."""
    return subprocess.run(
        ["npm", "run", "types"], cwd=example, capture_output=True, text=True, timeout=120, check=False
    )


def test_it_keeps_to_the_types_that_are_made_of_the_tables(example: Path) -> None:
    said = types(example)

    assert said.returncode == 0, said.stdout


MISSPELT = [
    ("guest.js", "sinceSeq: 0", "sinceSeqq: 0", "'sinceSeqq' does not exist"),
    ("host.js", 'encode("auth_ok"', 'encode("auth_okk"', "'\"auth_okk\"' is not assignable"),
    ("inbox.js", "{ id, seq, from, kind, ts }, text", "{ id, seqq, from, kind, ts }, text", "'seqq' does not exist"),
    ("relay.js", "flooding });", "floding: flooding });", "'floding' does not exist"),
    ("socket.js", "C.OUTBOX_BYTES", "C.OUTBOX_BYTE", "'OUTBOX_BYTE' does not exist"),
    (
        "told.js",
        '"closed_by_host" : undefined',
        '"closed_by_hots" : undefined',
        "'\"closed_by_hots\"' is not assignable",
    ),
]
"""A field, a frame, a field of a record, a fact, a number and a cause that no table has."""


def test_a_name_that_is_in_no_table_is_found_by_its_types(example: Path, tmp_path: Path) -> None:
    world = tmp_path / "world"
    (world / EXAMPLE).mkdir(parents=True)
    (world / "spec").symlink_to(ROOT / "spec")
    for path in example.iterdir():
        (world / EXAMPLE / path.name).symlink_to(path)
    for file, old, new, _ in MISSPELT:
        text = (example / file).read_text(encoding="utf-8")
        assert old in text
        (world / EXAMPLE / file).unlink()
        (world / EXAMPLE / file).write_text(text.replace(old, new), encoding="utf-8")

    said = types(world / EXAMPLE).stdout

    assert [
        file
        for file, *_, found in MISSPELT
        if not any(found in line for line in said.splitlines() if line.startswith(f"{file}("))
    ] == []


@pytest.mark.needs("faketime")
@pytest.mark.timeout(400)
@pytest.mark.parametrize("role", [Role.HOST, Role.GUEST], ids=["host", "guest"])
def test_it_passes_every_case(example: Path, role: Role) -> None:
    given = [case for case in cases(role) if not case.needs or chosen([case], QUICK)]
    launcher = McpLauncher("node", ["node", str(example / "server.js")], environment(), find_faketime(os.environ))
    result = asyncio.run(run(launcher, role, given, Options(), lambda _: None))

    assert [f"{v.case}, step {v.step}: {v.got}; {v.note}" for v in result.verdicts if v.outcome.value != "pass"] == []
