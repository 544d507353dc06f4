"""A program of the person's choice makes the relay reachable; what goes wrong with it is said, and it never outlives the tunnel."""

import asyncio
import os
import re
import shlex
import socket
import time
from pathlib import Path

import psutil
import pytest

from tests.io.asynchronous import asynchronous, until
from tests.transport.trees import ENVIRONMENT, act, all_gone, program
from tunnel.transport.base import Transport, TransportError
from tunnel.transport.command import Command, command, preset
from tunnel.transport.presets import PRESETS, Preset
from tunnel.transport.setup import Setup

PORT = 4711
NAMES = "https://{port}.example.org/"


def own(*words: str, environment: dict[str, str] | None = None) -> Command:
    """The transport of a TUNNEL_COMMAND."""
    return command(Setup(command=shlex.join(words), environment=environment or ENVIRONMENT))


def slow(*words: str, seconds: float = 0.5) -> Command:
    """The transport of a preset that waits for half a second."""
    return preset(
        Preset(
            name="slow",
            command=(*act(*words), "{port}"),
            needs="slowpoke",
            url=re.compile(r"https://\S+"),
            seconds=seconds,
            privacy="Nobody.",
            install="Get it.",
            notes="It needs time.",
        ),
        Setup(environment=ENVIRONMENT),
    )


def below() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


async def trouble(transport: Command) -> str:
    """What a start that must fail says; nothing is left of it."""
    with pytest.raises(TransportError) as caught:
        await transport.start(PORT)
    assert below() == []
    said = str(caught.value)
    assert said.isprintable()
    assert len(said.encode()) < 700
    return said


# --- It works --------------------------------------------------------------------------------------------------------


@asynchronous
async def test_the_port_is_put_in_and_the_url_comes_out() -> None:
    transport: Transport = own(*act("answers", "see", NAMES))
    url = await transport.start(PORT)
    here = below()
    assert transport._child
    only = program(transport._child, here)
    await transport.stop()

    assert url == "https://4711.example.org"
    assert (len(here), len(only)) == (3, 1), "guard, watcher and program"
    assert await all_gone(only, 0)
    assert await all_gone(here)


@asynchronous
async def test_a_stopped_transport_is_not_lost() -> None:
    transport = own(*act("answers", NAMES))
    await transport.start(PORT)
    await transport.stop()
    await asyncio.sleep(0)

    assert not transport.lost.done()


@asynchronous
async def test_a_program_that_ends_by_itself_is_a_lost_transport() -> None:
    transport = own("sh", "-c", f"echo {NAMES}; sleep 0.2; exit 4")
    await transport.start(PORT)

    assert await transport.lost == "sh exited with status 4. Open the tunnel again."
    await transport.stop()


@asynchronous
async def test_quotes_and_blanks_are_taken_as_a_shell_takes_them() -> None:
    text = """  sh -c 'echo "$0"  >&2; sleep 60'  "https://{port}.example.org"\t"""
    transport = command(Setup(command=text, environment=ENVIRONMENT))
    url = await transport.start(PORT)
    await transport.stop()

    assert url == "https://4711.example.org"


@pytest.mark.parametrize("name", list(PRESETS))
@asynchronous
async def test_a_preset_runs_its_program(name: str, tmp_path: Path) -> None:
    """With a stand-in that writes what the real one writes."""
    lines = {
        "ngrok": 'lvl=info msg=\\"started tunnel\\" obj=tunnels url=https://x.ngrok-free.app',
        "ssh": "x.lhr.life tunneled with tls termination, https://x.lhr.life",
        "tailscale": "https://x.tail1.ts.net/",
        "devtunnel": "Connect via browser: https://x.inc1.devtunnels.ms:4711, https://x-4711.inc1.devtunnels.ms",
    }
    program = tmp_path / name
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/words\necho "{lines[name]}"\nexec sleep 60\n')
    program.chmod(0o755)
    transport = preset(PRESETS[name], Setup(environment={"PATH": f"{tmp_path}:{ENVIRONMENT['PATH']}"}))
    url = await transport.start(PORT)
    await transport.stop()

    assert (transport.name, transport.privacy) == (name, PRESETS[name].privacy)
    assert url.startswith("https://x")
    assert (tmp_path / "words").read_text().split() == [
        word.replace("{port}", "4711") for word in PRESETS[name].command[1:]
    ]


@pytest.mark.needs("ssh")
@asynchronous
async def test_ssh_itself_takes_the_presets_options_and_ends_when_nobody_answers() -> None:
    """It is sent to a port of this machine that nobody listens to."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        options = [word.replace("nokey@localhost.run", "nokey@127.0.0.1") for word in PRESETS["ssh"].command]
        said = await trouble(own(*options[:1], "-F", os.devnull, "-p", str(port), *options[1:]))

    assert "exited with status 255" in said
    assert "Connection refused" in said


# --- It does not -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("", "is empty"),
        (" \t ", "is empty"),
        ("ngrok http 'x {port}", "no closing quotation"),
        ("ngrok {port} \\", "no escaped character"),
        ("ngrok http 80", "has no {port}"),
        ("'' {port}", "names no program"),
        ("./{port}", "names no program"),
    ],
)
@asynchronous
async def test_a_command_that_is_none_is_said_with_what_it_should_be(text: str, finding: str) -> None:
    with pytest.raises(TransportError) as caught:
        command(Setup(command=text, environment=ENVIRONMENT))

    said = str(caught.value)
    assert said.startswith("TUNNEL_COMMAND ")
    assert finding in said
    assert "such as `ssh -R" in said


@pytest.mark.parametrize("path", [None, "", ":", "relative"])
@asynchronous
async def test_a_program_that_is_not_on_path_is_said_with_how_to_get_it(
    path: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The working folder is not on PATH, whatever PATH says: it may be a stranger's project."""
    for folder in (tmp_path, tmp_path / "relative"):
        folder.mkdir(exist_ok=True)
        (folder / "ngrok").write_text("#!/bin/sh\necho https://evil.example\n")
        (folder / "ngrok").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    setup = Setup(environment={} if path is None else {"PATH": path})

    said = await trouble(preset(PRESETS["ngrok"], setup))

    assert said.startswith("The program ngrok is not installed, or not on PATH.")
    assert "https://ngrok.com/download" in said


@asynchronous
async def test_a_hostile_program_name_is_shown_visible_and_cut() -> None:
    transport = own("\x1b[2J\u202e" + "x" * 3000, "{port}")

    assert "\\u001b[2J\\u202e" in await trouble(transport)
    assert transport.privacy.isprintable()


@asynchronous
async def test_a_program_that_ends_before_is_said_with_its_last_words() -> None:
    said = await trouble(slow("exits", "1", "ERR_NGROK_4018: \x07log in first."))

    assert said.startswith(
        "slowpoke exited with status 1; its last words: ERR_NGROK_4018: \\u0007log in first. 4711. It needs"
    )
    assert said.endswith("Run it in a terminal to see more.")


@asynchronous
async def test_a_program_that_names_no_url_is_ended_and_said() -> None:
    said = await trouble(slow("answers", "please wait", seconds=2))

    assert said.startswith("slowpoke named no URL in 2 s; its last words: please wait 4711.")


@asynchronous
async def test_a_program_that_names_a_hostile_url_is_ended_and_said() -> None:
    said = await trouble(slow("answers", "https://me@evil.example"))

    assert "named an address that cannot be used: https://evil.example" in said


@asynchronous
async def test_a_program_that_cannot_be_executed_is_said(tmp_path: Path) -> None:
    program = tmp_path / "tunneller"
    program.write_bytes(b"\x7fELF nonsense")
    program.chmod(0o755)

    assert "Exec format error" in await trouble(own(str(program), "{port}"))


# --- It is stopped ---------------------------------------------------------------------------------------------------


@asynchronous
async def test_it_can_be_stopped_before_it_has_begun_and_then_never_begins() -> None:
    transport = own(*act("answers", NAMES))
    await transport.stop()

    assert "was stopped" in await trouble(transport)


@pytest.mark.parametrize("when", ["starting", "running"])
@asynchronous
async def test_a_stop_in_the_middle_of_the_start_leaves_nothing(when: str) -> None:
    """CLOSE-2."""
    transport = slow("stubborn", seconds=20)
    starting = asyncio.ensure_future(transport.start(PORT))
    await (asyncio.sleep(0) if when == "starting" else until(lambda: transport._child is not None))
    await transport.stop()

    assert below() == []
    with pytest.raises(TransportError, match="was stopped"):
        await starting


@pytest.mark.parametrize("when", ["starting", "running"])
@asynchronous
async def test_a_start_that_is_given_up_and_then_stopped_leaves_nothing(when: str) -> None:
    """CLOSE-2: as hosting does it when the tunnel is closed meanwhile."""
    transport = slow("stubborn", seconds=20)
    starting = asyncio.ensure_future(transport.start(PORT))
    await (asyncio.sleep(0) if when == "starting" else until(lambda: transport._child is not None))
    starting.cancel()
    began = time.monotonic()
    await transport.stop()

    assert below() == []
    assert time.monotonic() - began < 1.5
    await asyncio.wait([starting])
    assert starting.cancelled()
