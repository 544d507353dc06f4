"""The command line: quick answers, plain refusals, and nothing on standard output but what was asked for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tunnel import __version__

SECRET = "wss://example.org/t/00ff#KeyThatMustNotBeSeen"
HEAVY = {"mcp", "websockets", "pydantic", "msgspec", "nacl", "transitions", "rich"}


def tunnel_mcp(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tunnel", *arguments]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def imported_by(*arguments: str) -> set[str]:
    command = [sys.executable, "-X", "importtime", "-m", "tunnel", *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines() if "|" in line}


@pytest.mark.parametrize("option", ["--version", "-v"])
def test_the_version_is_a_bare_number(option: str) -> None:
    done = tunnel_mcp(option)

    assert (done.returncode, done.stdout, done.stderr) == (0, f"{__version__}\n", "")


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_goes_to_standard_output(option: str) -> None:
    done = tunnel_mcp(option)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: tunnel-mcp ")
    assert "claude mcp add tunnel -- tunnel-mcp" in done.stdout
    assert "demo" in done.stdout


@pytest.mark.parametrize("command", ["allow", "demo", "watch"])
def test_help_of_a_command_is_its_own(command: str) -> None:
    assert tunnel_mcp(command, "--help").stdout.startswith(f"Usage: tunnel-mcp {command} ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonesuch",),
        ("--nonesuch",),
        ("-x",),
        ("demo", "--nonesuch"),
        ("demo", "extra"),
        ("allow", "--pid", SECRET),
        (SECRET,),
        (f"--{SECRET}",),
    ],
    ids=[
        "a command",
        "an option",
        "a letter",
        "an option of demo",
        "an argument of demo",
        "a value of an option",
        "a link",
        "a link as an option",
    ],
)
def test_what_is_not_known_is_refused_without_repeating_it(arguments: tuple[str, ...]) -> None:
    done = tunnel_mcp(*arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "tunnel-mcp: no such command or option. The commands are: allow, demo, watch. `tunnel-mcp --help` says more.\n"
    )


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), ("--version",), ("-v",), ("allow", "-h"), ("watch", "-h")])
def test_a_quick_answer_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    imported = imported_by(*arguments)

    assert "click" in imported
    assert imported & HEAVY == set()


def test_serving_imports_what_is_heavy() -> None:
    assert {"mcp", "websockets"} <= imported_by()


def test_without_a_client_serving_ends_well_and_says_nothing_to_it() -> None:
    done = tunnel_mcp()

    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"tunnel-mcp {__version__}: serving MCP on stdin and stdout; --help says more\n"


def test_serving_does_not_load_the_window_before_it_is_wanted() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "tunnel"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    assert "tunnel.app.watch.window" in done.stderr
    assert "tunnel.app.watch.serving" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("allow",), "there is no terminal here"),
        (("watch",), "no tunnel-mcp server of yours runs: start your agent"),
        (("watch", "--pid", "1"), "no tunnel-mcp server of yours runs as process 1."),
    ],
)
def test_a_command_that_can_do_nothing_says_what_to_do(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tunnel", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
        env={**os.environ, "HOME": str(tmp_path)},
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"tunnel-mcp: {words}")
    assert done.stderr.count("\n") == 1
