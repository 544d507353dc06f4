"""cloudflared is found where a person put it, else downloaded once; nothing is executable before it is verified, nothing is left."""

import asyncio
import hashlib
import io
import os
import resource
import stat
import tarfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest
from msgspec import Struct, field
from rich.console import Console

from tests.io.asynchronous import asynchronous, until
from tests.standins.cloudflared import install
from tests.transport.asset_server import Answer, endless, head, refused, serving, stalled, whole
from tunnel.errors import TunnelError
from tunnel.transport.asset import Machine, NoCloudflaredError, Release, by_hand
from tunnel.transport.download import Limits
from tunnel.transport.program import find_program
from tunnel.transport.scratch import scratch
from tunnel.transport.setup import Setup

PROGRAM = b"#!/bin/sh\nexit 0\n" + bytes(2_000_000)
LINUX = Machine("Linux", "x86_64")
MAC = Machine("Darwin", "arm64")


def archive(program: bytes) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as tar:
        info = tarfile.TarInfo("cloudflared")
        info.size, info.mode = len(program), 0o777
        tar.addfile(info, io.BytesIO(program))
    return made.getvalue()


class Person(Struct):
    """Somebody with a home and a PATH of their own."""

    home: Path | None
    path: str = ""
    downloads: str = "http://127.0.0.1:1"
    asset: bytes = PROGRAM
    ca_file: Path | None = None
    said: list[str] = field(default_factory=list[str])

    async def finds(self, machine: Machine = LINUX) -> Path:
        sha256 = hashlib.sha256(self.asset).hexdigest()
        release = Release("2026.1.0", {"cloudflared-linux-amd64": sha256, "cloudflared-darwin-arm64.tgz": sha256})
        setup = Setup(
            home=self.home,
            environment={"PATH": self.path},
            downloads=self.downloads,
            ca_file=self.ca_file,
            report=self.said.append,
        )
        return await find_program(setup, machine, release, Limits(), Console(file=io.StringIO()))

    @property
    def bin(self) -> Path:
        assert self.home
        return self.home / ".tunnel" / "bin"

    def has(self) -> list[str]:
        """What is in the folder of programs."""
        return sorted(path.name for path in self.bin.iterdir()) if self.bin.is_dir() else []


@pytest.fixture
def person(tmp_path: Path) -> Person:
    home = tmp_path / "home"
    home.mkdir()
    return Person(home, str(tmp_path / "path"))


# --- Found -----------------------------------------------------------------------------------------------------------


@asynchronous
async def test_what_is_on_path_is_taken_first(person: Person, tmp_path: Path) -> None:
    program = install(tmp_path / "path")
    install(person.bin)

    assert await person.finds() == program


@asynchronous
async def test_what_is_remembered_is_taken_next_and_as_it_is(person: Person) -> None:
    """It is nobody's checksum: its person may have put it there."""
    program = install(person.bin)

    assert await person.finds() == program
    assert person.said == []


@asynchronous
async def test_the_first_folder_of_path_wins(person: Person, tmp_path: Path) -> None:
    program = install(tmp_path / "first")
    install(tmp_path / "second")
    person.path = os.pathsep.join(["", str(tmp_path / "none"), str(tmp_path / "first"), str(tmp_path / "second")])

    assert await person.finds() == program


@pytest.mark.parametrize("path", ["", ".", "here", "./here"])
@asynchronous
async def test_the_working_folder_is_never_looked_into(
    path: str, person: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be a stranger's project."""
    install(tmp_path)
    install(tmp_path / "here")
    monkeypatch.chdir(tmp_path)
    person.path = path

    with pytest.raises(NoCloudflaredError, match="could not be downloaded"):
        await person.finds()


def not_executable(program: Path) -> None:
    program.write_text("cloudflared")


def folder(program: Path) -> None:
    program.mkdir()


def link_to_nowhere(program: Path) -> None:
    program.symlink_to("nowhere")


def link_to_no_name(program: Path) -> None:
    program.symlink_to("x" * 300)


Make: TypeAlias = Callable[[Path], None]
UNUSABLE: list[Make] = [not_executable, folder, link_to_nowhere, link_to_no_name]


@pytest.mark.parametrize("make", UNUSABLE)
@asynchronous
async def test_what_is_on_path_and_cannot_be_run_is_named_and_passed_over(
    person: Person, make: Make, tmp_path: Path
) -> None:
    (tmp_path / "path").mkdir()
    make(tmp_path / "path" / "cloudflared")
    program = install(person.bin)

    assert await person.finds() == program
    assert person.said == [
        f"{tmp_path / 'path' / 'cloudflared'} is on PATH and is no executable file; it is passed over."
    ]


@pytest.mark.parametrize("make", UNUSABLE)
@asynchronous
async def test_what_is_remembered_and_cannot_be_run_is_named_and_left_alone(person: Person, make: Make) -> None:
    person.bin.mkdir(parents=True)
    make(person.bin / "cloudflared")

    with pytest.raises(NoCloudflaredError) as error:
        await person.finds()

    assert f"{person.bin / 'cloudflared'} is no executable file" in str(error.value)
    assert "chmod u+x" in str(error.value)
    assert by_hand() in str(error.value)
    assert person.has() == ["cloudflared"]


# --- Downloaded ------------------------------------------------------------------------------------------------------


def executables(place: Path) -> list[Path]:
    return [path for path in place.rglob("*") if path.is_file() and path.stat().st_mode & 0o111]


def slowly(body: bytes, person: Person, seen: list[list[Path]]) -> Answer:
    """All but the last byte, then a look at the home, then the last byte."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(head(200, len(body)) + body[:-1])
        await writer.drain()
        assert person.home
        home = person.home
        await until(lambda: any(person.bin.rglob("cloudflared-*")))
        assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in home.rglob("*") if path.is_file())
        seen.append(executables(home))
        writer.write(body[-1:])

    return answer


@asynchronous
async def test_it_is_downloaded_once_for_its_owner_alone(person: Person) -> None:
    seen: list[list[Path]] = []
    async with serving(slowly(PROGRAM, person, seen)) as server:
        person.downloads = server.url
        program = await person.finds()
        again = await person.finds()

    assert program == again == person.bin / "cloudflared"
    assert program.read_bytes() == PROGRAM
    assert stat.S_IMODE(program.stat().st_mode) == 0o700
    assert stat.S_IMODE(person.bin.stat().st_mode) == 0o700
    assert stat.S_IMODE(person.bin.parent.stat().st_mode) == 0o700
    assert server.requests == ["GET /2026.1.0/cloudflared-linux-amd64 HTTP/1.1"]
    assert seen == [[]]
    assert person.has() == ["cloudflared"]
    assert person.said[0] == "Downloading cloudflared 2026.1.0 ..."
    assert person.said[-1].endswith(f"it is stored as {program}.")


@asynchronous
async def test_an_archive_is_unpacked(person: Person) -> None:
    person.asset = archive(PROGRAM)
    seen: list[list[Path]] = []
    async with serving(slowly(person.asset, person, seen)) as server:
        person.downloads = server.url
        program = await person.finds(MAC)

    assert program.read_bytes() == PROGRAM
    assert stat.S_IMODE(program.stat().st_mode) == 0o700
    assert seen == [[]]
    assert person.has() == ["cloudflared"]


@asynchronous
async def test_an_archive_without_the_program_is_an_error(person: Person) -> None:
    person.asset = b"no archive"
    async with serving(whole(person.asset)) as server:
        person.downloads = server.url
        with pytest.raises(NoCloudflaredError, match="cannot be unpacked"):
            await person.finds(MAC)

    assert person.has() == []


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (whole(PROGRAM[:-1] + b"!"), "SHA-256"),
        (refused(404), "status 404"),
        (endless(), "bytes or more"),
    ],
    ids=["another file", "missing", "without end"],
)
@asynchronous
async def test_what_cannot_be_downloaded_is_named_with_the_way_out_and_nothing_is_left(
    person: Person, answer: Answer, says: str
) -> None:
    async with serving(answer) as server:
        person.downloads = server.url
        with pytest.raises(NoCloudflaredError) as error:
            await person.finds()

    assert f"{server.url}/2026.1.0/cloudflared-linux-amd64: " in str(error.value)
    assert says in str(error.value)
    assert str(error.value).endswith(by_hand())
    assert person.has() == []


@asynchronous
async def test_two_at_once_do_not_meet(person: Person) -> None:
    async with serving(whole(PROGRAM)) as server:
        person.downloads = server.url
        found = await asyncio.gather(*(person.finds() for _ in range(4)))

    assert {program.read_bytes() for program in found} == {PROGRAM}
    assert len(server.requests) == 4
    assert person.has() == ["cloudflared"]


@asynchronous
async def test_whoever_does_not_want_it_any_more_leaves_nothing(person: Person) -> None:
    over = asyncio.Event()
    async with serving(stalled(PROGRAM[:1_500_000], over)) as server:
        person.downloads = server.url
        finding = asyncio.ensure_future(person.finds())
        await until(lambda: any(path.stat().st_size for path in person.bin.rglob("cloudflared-*")))
        finding.cancel()
        await asyncio.wait([finding])
        over.set()

    assert finding.cancelled()
    assert person.has() == []


@asynchronous
async def test_what_a_killed_process_left_goes_with_the_next_use_also_where_nothing_is_downloaded(
    person: Person, tmp_path: Path
) -> None:
    install(tmp_path / "path")
    (person.bin / ".download-dead").mkdir(parents=True)
    (person.bin / ".download-dead" / "cloudflared-linux-amd64").touch()
    with scratch(person.bin) as living:
        await person.finds()
        assert person.has() == [living.name]


# --- Homes -----------------------------------------------------------------------------------------------------------


@asynchronous
async def test_without_a_home_nothing_is_downloaded(person: Person) -> None:
    person.home = None

    with pytest.raises(NoCloudflaredError, match="HOME names no folder") as error:
        await person.finds()
    assert by_hand() in str(error.value)


@asynchronous
async def test_for_a_machine_without_an_asset_nothing_is_downloaded(person: Person) -> None:
    with pytest.raises(NoCloudflaredError, match="Plan9 on mips"):
        await person.finds(Machine("Plan9", "mips"))

    assert person.has() == []


@asynchronous
async def test_a_file_of_certificates_that_cannot_be_used_is_named_first(person: Person, tmp_path: Path) -> None:
    person.ca_file = tmp_path / "none.pem"

    with pytest.raises(TunnelError, match="TUNNEL_CA_FILE"):
        await person.finds()
    assert person.has() == []


@pytest.mark.parametrize("at", ["", ".tunnel", ".tunnel/bin"])
@asynchronous
async def test_a_file_where_a_folder_is_needed_is_named(person: Person, at: str, tmp_path: Path) -> None:
    file = tmp_path / "another" / at
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    person.home = tmp_path / "another"

    with pytest.raises(NoCloudflaredError) as error:
        await person.finds()
    assert f"could not be stored as {person.bin / 'cloudflared'}" in str(error.value)
    assert str(file) in str(error.value)
    assert by_hand() in str(error.value)


@contextmanager
def files_of_at_most(size: int) -> Generator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(("machine", "asset"), [(LINUX, PROGRAM), (MAC, archive(PROGRAM))], ids=["download", "archive"])
@asynchronous
async def test_a_disk_that_takes_no_more_is_an_error_and_nothing_is_left(
    person: Person, machine: Machine, asset: bytes
) -> None:
    person.asset = asset
    async with serving(whole(asset)) as server:
        person.downloads = server.url
        with files_of_at_most(1_500_000), pytest.raises(NoCloudflaredError) as error:
            await person.finds(machine)

    assert "File too large" in str(error.value)
    assert by_hand() in str(error.value)
    assert person.has() == []
