"""Whatever surrounds a server, it starts, says what is wrong, and goes on: with another transport, or as a guest."""

import asyncio
import os
from pathlib import Path

import pytest

from tests.app import ends
from tests.app.processes import Server
from tests.standins import cloudflared
from tests.system.talking import a_person, begin_listening, heard
from tunnel.app.settings import VALUE_CHARS

pytestmark = pytest.mark.anyio

VARIABLES = (
    "TUNNEL_TRANSPORT",
    "TUNNEL_COMMAND",
    "TUNNEL_URL",
    "TUNNEL_PORT",
    "TUNNEL_DOH",
    "TUNNEL_CA_FILE",
    "TUNNEL_SKIP_REACHABILITY_CHECK",
    "TUNNEL_SESSION_LOG",
    "HOME",
)
"""What a server reads of its environment, apart from proxies."""

SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
ELSEWHERE = "TUNNEL_TRANSPORT to direct, command or loopback"


async def opens_by_loopback(server: Server) -> bool:
    """Whether the server lives on, and a guest gets in by another transport."""
    bob = ends.end("Bob")
    try:
        await ends.join(bob, (await server.call("tunnel_open", goal="pair", transport="loopback"))["joinLink"])
        return bool((await server.call("tunnel_status"))["peerConnected"])
    finally:
        await bob.exit()


# --- The home ------------------------------------------------------------------------------------------------------------


def a_home_on(options: str) -> tuple[str, ...]:
    """What stands in front of a server whose home is a file system of its own, mounted with these options."""
    script = f'mount -t tmpfs -o {options} none "$HOME" && exec "$@"'
    return ("unshare", "--mount", "sh", "-c", script, "sh")


HOMES = {
    "read-only": ("ro", "Read-only file system"),
    "full": ("size=4k,nr_inodes=1", "No space left on device"),
}


@pytest.mark.needs("namespaces")
@pytest.mark.parametrize(("options", "why"), HOMES.values(), ids=HOMES)
async def test_a_home_that_takes_no_files_is_named_and_costs_neither_the_server_nor_a_tunnel(
    tmp_path: Path, options: str, why: str
) -> None:
    """Neither a program can be stored there, nor a log."""
    wants = {"HOME": str(tmp_path), "PATH": SYSTEM_PATH, "TUNNEL_TRANSPORT": "", "TUNNEL_SESSION_LOG": "1"}
    async with a_person(*a_home_on(options), **wants) as server:
        words = await server.fail("tunnel_open", goal="pair")
        state = (await server.call("tunnel_status"))["state"]
        goes_on = await opens_by_loopback(server)

    assert words.startswith(f"cloudflared could not be stored as {tmp_path}/.tunnel/bin/cloudflared ({why}")
    assert "That folder must be writable, with 100 MB free." in words
    assert ELSEWHERE in words
    assert state == "none"
    assert goes_on
    assert f"no log of this session is kept ({why}). The tunnel works without." in server.log.decode()


@pytest.mark.needs("namespaces")
async def test_a_home_that_gets_full_while_people_talk_costs_the_log_and_not_the_talk(tmp_path: Path) -> None:
    bob = ends.end("Bob")
    prefix = a_home_on("size=64k")
    async with a_person(*prefix, HOME=str(tmp_path), TUNNEL_SESSION_LOG="1") as server:
        await ends.join(bob, (await server.call("tunnel_open", goal="pair"))["joinLink"])
        last = [await ends.say(bob, "x" * 30_000) for _ in range(4)][-1]
        answer = await heard(server, await begin_listening(server, last - 1))
        await bob.exit()

    assert [len(message["text"]) for message in answer["messages"]] == [30_000]
    assert "no log of this session is kept (No space left on device)." in server.log.decode()


# --- What is called cloudflared --------------------------------------------------------------------------------------------


def a_stand_in(folder: Path) -> None:
    cloudflared.install(folder)


def true(folder: Path) -> None:
    (folder / "cloudflared").symlink_to("/bin/true")


def text(folder: Path) -> None:
    (folder / "cloudflared").write_text("This is no program.\n")
    (folder / "cloudflared").chmod(0o755)


def a_broken_link(folder: Path) -> None:
    (folder / "cloudflared").write_text("#!/nowhere/python\n")
    (folder / "cloudflared").chmod(0o755)


IMPOSTORS = {
    "another program": (a_stand_in, "cloudflared exited with status 1; its last words: Usage: frobnicate FILE"),
    "a program that does nothing": (true, "cloudflared exited with status 0, without a word"),
    "a text": (text, "cannot be run as cloudflared."),
    "a script without its interpreter": (a_broken_link, "cannot be run as cloudflared."),
}


async def test_what_is_called_cloudflared_and_is_another_thing_is_named_and_the_server_goes_on(tmp_path: Path) -> None:
    async def one(name: str) -> tuple[str, bool]:
        make, _ = IMPOSTORS[name]
        folder = tmp_path / name
        folder.mkdir()
        make(folder)
        surroundings = {"PATH": f"{folder}:{SYSTEM_PATH}", "TUNNEL_TRANSPORT": "", "STANDIN_MODE": "impostor"}
        async with a_person(**surroundings) as server:
            return await server.fail("tunnel_open", goal="pair"), await opens_by_loopback(server)

    seen = dict(zip(IMPOSTORS, await asyncio.gather(*map(one, IMPOSTORS)), strict=True))

    for name, (_, found) in IMPOSTORS.items():
        words, goes_on = seen[name]
        assert found in words, name
        assert f"{tmp_path}/{name}/cloudflared" in words, name
        assert words.isprintable(), name
        assert goes_on, name


# --- Every variable ------------------------------------------------------------------------------------------------------

HOSTILE = os.fsdecode(b"\xff\xfe") + "\u202e\x1b[2J\n#/t/$(reboot)`"


async def surrounded(value: str) -> tuple[list[str], str, bool]:
    """With every variable set to this: what the server says at its start, what an open is told, and whether a join works."""
    alice = ends.end("Alice")
    async with a_person(**dict.fromkeys(VARIABLES, value)) as server:
        words = await server.fail("tunnel_open", goal="pair", transport="direct")
        joined = await server.call("tunnel_join", joinLink=await ends.open_(alice))
    await alice.exit()
    return server.log.decode().splitlines()[1:], words, joined["state"] == "connected"


async def test_with_every_variable_empty_a_server_starts_and_says_what_it_needs_when_it_needs_it() -> None:
    said, words, joins = await surrounded("")

    assert said == []
    assert words.startswith("The transport direct needs TUNNEL_URL.")
    assert joins


async def test_with_every_variable_huge_a_server_starts_names_each_and_joins() -> None:
    said, words, joins = await surrounded("x" * (VALUE_CHARS + 1))

    assert sorted(line.split()[1] for line in said) == sorted(VARIABLES)
    assert all(f"{name} has {VALUE_CHARS + 1} characters" in words for name in VARIABLES)
    assert joins


async def test_with_every_variable_hostile_a_server_starts_tells_and_joins() -> None:
    said, words, joins = await surrounded(HOSTILE)

    named = {line.split()[1] for line in said}
    assert named >= {"TUNNEL_PORT", "TUNNEL_DOH", "TUNNEL_CA_FILE", "TUNNEL_SKIP_REACHABILITY_CHECK", "HOME"}
    assert all(line.isprintable() and len(line) < 400 for line in said)
    assert words.isprintable()
    assert joins
