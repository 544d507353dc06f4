"""The command line: quick answers, plain refusals, and nothing on standard output but what was asked for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tunnel import __version__

SECRET = "wss://example.org/t/00ff#KeyThatMustNotBeSeen"
HEAVY = {"mcp", "websockets", "pydantic", "msgspec", "nacl", "transitions", "rich"}


def tunnel_mcp(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tunnel", *arguments]
    surroundings = {**os.environ, **variables}
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, env=surroundings
    )


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
    assert "`tunnel-mcp config CLIENT` prints how it" in done.stdout
    assert "demo" in done.stdout


@pytest.mark.parametrize("command", ["allow", "chat", "config", "demo", "doctor", "install-skill", "watch"])
def test_help_of_a_command_is_its_own(command: str) -> None:
    assert tunnel_mcp(command, "--help").stdout.startswith(f"Usage: tunnel-mcp {command} ")


def test_who_wants_the_browser_is_told_who_else_sees_the_address() -> None:
    assert "see its address in the list of processes" in " ".join(tunnel_mcp("watch", "--help").stdout.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonesuch",),
        ("--nonesuch",),
        ("-x",),
        ("demo", "--nonesuch"),
        ("demo", "extra"),
        ("allow", "--pid", SECRET),
        ("doctor", SECRET),
        ("config", "zed", SECRET),
        ("install-skill", f"--{SECRET}"),
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
        "an argument of doctor",
        "a second argument of config",
        "an option of install-skill",
        "a link",
        "a link as an option",
    ],
)
def test_what_is_not_known_is_refused_without_repeating_it(arguments: tuple[str, ...]) -> None:
    done = tunnel_mcp(*arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "tunnel-mcp: no such command or option. The commands are: allow, chat, config, demo, doctor, install-skill, watch. "
        "`tunnel-mcp --help` says more.\n"
    )


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("docter", "doctor"), ("wach", "watch"), ("instal-skill", "install-skill"), ("confg", "config")],
)
def test_a_misspelt_command_is_answered_with_the_nearest(typed: str, meant: str) -> None:
    done = tunnel_mcp(typed)

    assert done.returncode == 2
    assert f"no such command or option. Did you mean {meant}? The commands are" in done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_can_complete_commands(shell: str) -> None:
    assert "tunnel-mcp" in tunnel_mcp(_TUNNEL_MCP_COMPLETE=f"{shell}_source").stdout

    typed = {"COMP_WORDS": "tunnel-mcp do", "COMP_CWORD": "do" if shell == "fish" else "1"}
    assert "doctor" in tunnel_mcp(_TUNNEL_MCP_COMPLETE=f"{shell}_complete", **typed).stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(
    ("typed", "offered", "left_out"),
    [
        ("config ", {"claude-code", "zed"}, set[str]()),
        ("config co", {"codex"}, {"zed", "cursor"}),
        ("config --transport ", {"cloudflared", "direct", "ngrok"}, {"zed"}),
        ("chat --transport d", {"direct"}, {"cloudflared"}),
    ],
)
def test_a_shell_can_complete_what_is_one_of_a_list(
    typed: str, offered: set[str], left_out: set[str], shell: str
) -> None:
    words = f"tunnel-mcp {typed}"
    number = words.rpartition(" ")[2] if shell == "fish" else str(words.count(" "))
    done = tunnel_mcp(_TUNNEL_MCP_COMPLETE=f"{shell}_complete", COMP_WORDS=words, COMP_CWORD=number)
    found = {word for line in done.stdout.splitlines() for word in line.replace("\t", ",").split(",")}

    assert offered <= found
    assert not left_out & found


def test_where_a_known_command_gets_a_wrong_option_it_is_not_asked_whether_it_was_meant() -> None:
    assert "Did you mean" not in tunnel_mcp("watch", "--nonsense").stderr


@pytest.mark.parametrize(
    "arguments",
    [
        *(("--help",), ("-h",), ("--version",), ("-v",)),
        *((command, "-h") for command in ("allow", "chat", "config", "doctor", "install-skill", "watch")),
    ],
)
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
