"""A log lives as long as its session, holds nothing that opens a word of it, and is never worth a tunnel."""

import asyncio
import fcntl
import json
import os
import resource
import stat
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.app.ends import KEY, PATIENCE_SECONDS, StillClock
from tunnel import crypto
from tunnel.app.log import SWEPT_AT_ONCE, Log, Logs
from tunnel.core.host import Host
from tunnel.io.relay import Relay

pytestmark = pytest.mark.anyio

TUNNEL_ID = "00112233aabbccdd"


class Session:
    """A host in a home of its own, and what its person is told."""

    def __init__(
        self, home: Path | None, user: int | None = None, nap: Callable[[float], None] = lambda _: None
    ) -> None:
        self.told: list[str] = []
        self.logs = Logs(home, self.told.append, user, nap)
        clock = StillClock()
        self.host = Host(key=KEY, goal="pair", name="Alice", entropy=os.urandom, now=clock.now())
        self.relay = Relay(self.host, clock, "/t/00")
        self.relay.driver.step(self.host.reachable)

    def begin(self, tunnel_id: str = TUNNEL_ID) -> Log | None:
        return self.logs.begin(tunnel_id, self.relay.driver, self.host.transcript)

    async def end(self, *logs: Log | None) -> None:
        for log in logs:
            if log:
                log.end()
        self.relay.driver.step(lambda now: self.host.close("", now))
        await asyncio.sleep(0)


def folder(home: Path) -> Path:
    return home / ".tunnel" / "sessions"


def file(home: Path, name: str = f"{TUNNEL_ID}.jsonl") -> Path:
    return folder(home) / name


def made(path: Path, mode: int = 0o600) -> Path:
    """A file as a process leaves it behind that was killed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}\n")
    path.chmod(mode)
    return path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def size(path: Path) -> int:
    return path.stat().st_size


def count(path: Path) -> int:
    return path.read_bytes().count(b"\n")


def descriptors() -> int:
    """How many this process has open."""
    return len(list(Path("/dev/fd").iterdir()))


def names(home: Path) -> list[str]:
    return sorted(path.name for path in home.rglob("*"))


async def logged(path: Path, messages: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while count(path) < messages:
            await asyncio.sleep(0)
    return lines(path)


@contextmanager
def largest_file(size: int) -> Generator[None]:
    """As on a disk that is full behind so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


# --- What is in it -------------------------------------------------------------------------------------------------------


async def test_it_holds_every_message_as_it_is_on_the_wire_and_nothing_that_opens_one(tmp_path: Path) -> None:
    session = Session(tmp_path)
    log = session.begin()
    await session.relay.driver.say("the port is 8443")
    first = await logged(file(tmp_path), 2)
    await session.relay.driver.say("\N{SNOWMAN}" * 30_000)
    both = await logged(file(tmp_path), 3)
    written = file(tmp_path).read_text()
    await session.end(log)

    assert [line["seq"] for line in both] == [1, 2, 3]
    assert list(first[1]) == ["id", "seq", "from", "kind", "body", "ts"]
    assert first[0]["body"] == "tunnel opened \N{EM DASH} goal: pair"
    assert crypto.open_body(KEY, first[1]["body"]) == "the port is 8443"
    assert "8443" not in written
    assert crypto.encode_base64url(KEY) not in written


async def test_what_was_said_before_it_begins_is_in_it(tmp_path: Path) -> None:
    session = Session(tmp_path)
    await session.relay.driver.say("early")
    log = session.begin()

    assert len(await logged(file(tmp_path), 2)) == 2
    await session.end(log)


async def test_only_its_person_can_read_it_whatever_the_folders_were_before(tmp_path: Path) -> None:
    folder(tmp_path).mkdir(parents=True)
    folder(tmp_path).chmod(0o755)
    session = Session(tmp_path)
    log = session.begin()
    modes = [mode(path) for path in (tmp_path / ".tunnel", folder(tmp_path), file(tmp_path))]
    await session.end(log)

    assert modes == [0o700, 0o700, 0o600]
    assert session.told == []


async def test_two_ends_of_a_tunnel_in_one_home_have_a_log_each(tmp_path: Path) -> None:
    session = Session(tmp_path)
    logs = [session.begin(), session.begin()]
    both = sorted(path.name for path in folder(tmp_path).iterdir())
    await session.end(*logs)

    assert both == [f"{TUNNEL_ID}-2.jsonl", f"{TUNNEL_ID}.jsonl"]
    assert list(folder(tmp_path).iterdir()) == []


# --- Its end -------------------------------------------------------------------------------------------------------------


async def test_it_is_gone_with_its_session_and_ending_again_changes_nothing(tmp_path: Path) -> None:
    """CLOSE-2."""
    session = Session(tmp_path)
    log = session.begin()
    assert log
    open_files = descriptors()
    log.end()
    log.end()

    assert not file(tmp_path).exists()
    assert descriptors() == open_files - 2
    await session.end()


async def test_it_stays_until_it_is_ended_when_its_session_ends_before(tmp_path: Path) -> None:
    session = Session(tmp_path)
    log = session.begin()
    await session.end()
    await asyncio.sleep(0)
    before = file(tmp_path).exists()
    await session.end(log)

    assert before
    assert not file(tmp_path).exists()


async def test_another_file_that_has_taken_its_name_is_left_alone(tmp_path: Path) -> None:
    session = Session(tmp_path)
    log = session.begin()
    file(tmp_path).unlink()
    made(file(tmp_path))
    await session.end(log)

    assert file(tmp_path).read_text() == "{}\n"


async def test_a_file_that_was_taken_away_meanwhile_harms_nobody(tmp_path: Path) -> None:
    session = Session(tmp_path)
    log = session.begin()
    file(tmp_path).unlink()
    await session.end(log)

    assert session.told == []


# --- Where none can be kept ------------------------------------------------------------------------------------------------


async def refused(session: Session) -> str:
    """What its person is told when there can be no log; the tunnel goes on."""
    log = session.begin()
    seq = await session.relay.driver.say("still here")
    await session.end(log)

    assert log is None
    assert seq == 2
    (told,) = session.told
    assert told.startswith("tunnel-mcp: no log of this session is kept (")
    assert told.endswith("The tunnel works without. Mend ~/.tunnel/sessions, or unset TUNNEL_SESSION_LOG.")
    return told


async def test_without_a_home_there_is_none(tmp_path: Path) -> None:
    assert "no home folder" in await refused(Session(None))
    assert "No such file" in await refused(Session(tmp_path / "nowhere"))
    assert "Not a directory" in await refused(Session(Path("/dev/null")))


@pytest.mark.parametrize("where", [".tunnel", ".tunnel/sessions"])
async def test_no_link_is_followed_to_another_place(tmp_path: Path, where: str) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    (home / where).parent.mkdir(parents=True)
    elsewhere.mkdir()
    (home / where).symlink_to(elsewhere)

    await refused(Session(home))
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("where", [".tunnel", ".tunnel/sessions"])
async def test_a_file_where_a_folder_belongs_is_left_alone(tmp_path: Path, where: str) -> None:
    made(tmp_path / where)

    await refused(Session(tmp_path))
    assert (tmp_path / where).read_text() == "{}\n"


@pytest.mark.parametrize("kind", ["file", "link"])
async def test_no_file_that_is_there_is_written_to(tmp_path: Path, kind: str) -> None:
    other = made(tmp_path / "other")
    for name in (f"{TUNNEL_ID}.jsonl", f"{TUNNEL_ID}-2.jsonl"):
        if kind == "link":
            folder(tmp_path).mkdir(parents=True, exist_ok=True)
            file(tmp_path, name).symlink_to(other)
        else:
            made(file(tmp_path, name))

    assert "File exists" in await refused(Session(tmp_path))
    assert other.read_text() == "{}\n"
    assert file(tmp_path).read_text() == "{}\n"


async def test_a_guests_link_with_a_very_long_id_costs_the_log_only(tmp_path: Path) -> None:
    session = Session(tmp_path)
    log = session.begin("0" * 2_000)
    await session.end(log)

    assert log is None
    assert "too long" in session.told[0]


async def test_nothing_of_another_user_is_written_to_or_swept(tmp_path: Path) -> None:
    left = made(file(tmp_path, "00ff.jsonl"))
    session = Session(tmp_path, os.geteuid() + 1)
    session.logs.sweep()

    assert ".tunnel belongs to another user" in await refused(session)
    assert left.exists()


async def test_a_full_disk_costs_the_log_and_no_message(tmp_path: Path) -> None:
    session = Session(tmp_path)
    session.begin()
    await logged(file(tmp_path), 1)
    with largest_file(size(file(tmp_path)) + 100):
        first = await session.relay.driver.say("x" * 1_000)
        await asyncio.sleep(0)
        second = await session.relay.driver.say("y")
        await asyncio.sleep(0)
    await session.end()

    assert (first, second) == (2, 3)
    assert not file(tmp_path).exists()
    assert len(session.told) == 1
    assert "File too large" in session.told[0]


async def test_a_log_that_nobody_can_keep_leaves_no_descriptor_open(tmp_path: Path) -> None:
    made(tmp_path / "a" / ".tunnel")
    made(file(tmp_path / "b"))
    made(file(tmp_path / "b", f"{TUNNEL_ID}-2.jsonl"))
    sessions = [Session(tmp_path / "a"), Session(tmp_path / "b")]
    before = descriptors()
    for session in sessions:
        session.begin()
        session.logs.sweep()

    assert descriptors() == before
    for session in sessions:
        await session.end()


# --- The sweep -----------------------------------------------------------------------------------------------------------


async def test_a_sweep_takes_away_what_a_killed_process_has_left_and_keeps_what_is_alive(tmp_path: Path) -> None:
    session = Session(tmp_path)
    dead = [made(file(tmp_path, f"{name}.jsonl")) for name in ("00ff", "00ff-2", "0123456789abcdef")]
    log = session.begin()
    session.logs.sweep()
    left = list(folder(tmp_path).iterdir())
    await session.end(log)

    assert left == [file(tmp_path)]
    assert not any(path.exists() for path in dead)


async def test_a_sweep_leaves_everything_alone_that_is_no_log_of_ours(tmp_path: Path) -> None:
    target = made(tmp_path / "target")
    kept = [
        made(file(tmp_path, "notes.jsonl")),
        made(file(tmp_path, "00ff.txt")),
        made(file(tmp_path, "00FF.jsonl")),
        made(file(tmp_path, "00ff.jsonl.bak")),
        made(file(tmp_path, "0abc.jsonl"), 0o644),
        file(tmp_path, "00aa.jsonl"),
        file(tmp_path, "00bb.jsonl"),
        file(tmp_path, "00cc.jsonl"),
    ]
    kept[-3].symlink_to(target)
    kept[-2].mkdir(0o600)
    os.mkfifo(kept[-1], 0o600)
    made(file(tmp_path, "00ee.jsonl"))
    Logs(tmp_path, print).sweep()

    assert sorted(folder(tmp_path).iterdir()) == sorted(kept)
    assert target.exists()


async def test_a_sweep_makes_and_says_nothing_where_there_is_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for home in (tmp_path, tmp_path / "nowhere", None):
        Logs(home, print).sweep()
    (tmp_path / "x").mkdir()
    (tmp_path / ".tunnel").symlink_to(tmp_path / "x")
    Logs(tmp_path, print).sweep()

    assert names(tmp_path) == [".tunnel", "x"]
    assert capsys.readouterr() == ("", "")


async def test_a_sweep_looks_at_so_many_and_the_next_one_at_the_rest(tmp_path: Path) -> None:
    for number in range(SWEPT_AT_ONCE + 1):
        made(file(tmp_path, f"{number:x}.jsonl"))
    logs = Logs(tmp_path, print)
    logs.sweep()
    after_one = list(folder(tmp_path).iterdir())
    logs.sweep()

    assert len(after_one) == 1
    assert list(folder(tmp_path).iterdir()) == []


@contextmanager
def held(path: Path, how: int) -> Generator[None]:
    """As by another process in the midst of its work there."""
    descriptor = os.open(path, os.O_RDONLY)
    fcntl.flock(descriptor, how)
    try:
        yield
    finally:
        os.close(descriptor)


async def test_no_sweep_takes_a_log_that_has_just_been_made_and_not_yet_been_locked(tmp_path: Path) -> None:
    born = made(file(tmp_path))
    with held(folder(tmp_path), fcntl.LOCK_SH):
        Logs(tmp_path, print).sweep()
        kept = born.exists()
    Logs(tmp_path, print).sweep()

    assert kept
    assert not born.exists()


async def test_a_log_is_not_begun_in_the_midst_of_a_sweep_which_may_never_end(tmp_path: Path) -> None:
    folder(tmp_path).mkdir(parents=True)
    naps: list[float] = []
    with held(folder(tmp_path), fcntl.LOCK_EX):
        await refused(Session(tmp_path, nap=naps.append))

    # Nothing else of ours goes on meanwhile.
    assert 0 < sum(naps) <= 0.05


async def test_a_log_waits_for_a_sweep_that_ends_in_a_moment(tmp_path: Path) -> None:
    folder(tmp_path).mkdir(parents=True)
    with ExitStack() as sweeping:
        sweeping.enter_context(held(folder(tmp_path), fcntl.LOCK_EX))
        session = Session(tmp_path, nap=lambda _: sweeping.close())
        log = session.begin()
    kept = await logged(file(tmp_path), 1)
    await session.end(log)

    assert [line["seq"] for line in kept] == [1]
    assert session.told == []
