"""What is printed for a client is what that client reads, whatever stands in a path or a value."""

import json
import os
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tunnel.app.registration import (
    CLIENTS,
    NAME,
    NOT_INSTALLED,
    BadRegistrationError,
    Client,
    caution,
    client,
    is_installed,
    read_table,
    register,
    snippet,
    this_program,
    variables,
)
from tunnel.transport.choose import TRANSPORTS

SECRET = "wss://example.org/t/00ff#KeyThatMustNotBeSeen"
PATHS = ["/opt/tunnel-mcp", "/my \"own\" 'folder'/$HOME/`x`/tunnel-mcp", "/Grüße/\U0001f600\\n\n\t\x7f\x1b/tunnel-mcp"]
VALUES: list[dict[str, str]] = [{}, {"A": "b\"c'd\\$e\n\x7f\U0001f600", "B": ""}]


def of_shell(text: str) -> tuple[list[str], dict[str, str]]:
    """As the shell and Claude Code take it: a value for each --env, up to the next option."""
    words = shlex.split(text)
    options, command = words[3 : words.index("--")], words[words.index("--") + 1 :]
    assert words[:3] == ["claude", "mcp", "add"]
    assert options[-3:] == ["--scope", "user", NAME]
    assert options[:-3:2] == ["--env"] * (len(options[:-3]) // 2)
    given = dict[str, str](row.split("=", 1) for row in options[1:-3:2])  # pyright: ignore[reportArgumentType] - pairs
    return command, given


def of_tree(*keys: str, parse: Callable[[str], Any] = json.loads, env: str = "env") -> Callable[[str], Any]:
    def read(text: str) -> tuple[list[str], dict[str, str]]:
        server = parse(text)
        for key in keys:
            (found, server) = next(iter(server.items()))
            assert found == key
        command = server["command"]
        return ([command, *server["args"]] if isinstance(command, str) else command), server.get(env, {})

    return read


READERS: dict[str, Callable[[str], Any]] = {
    "claude-code": of_shell,
    "codex": of_tree("mcp_servers", NAME, parse=tomllib.loads),
    "cursor": of_tree("mcpServers", NAME),
    "gemini": of_tree("mcpServers", NAME),
    "opencode": of_tree("mcp", NAME, env="environment"),
    "vscode": of_tree("servers", NAME),
    "zed": of_tree("context_servers", NAME),
}
"""How each client reads it."""


def test_every_client_of_the_table_is_read_here() -> None:
    assert [row.id for row in CLIENTS] == list(READERS)


@pytest.mark.parametrize("path", PATHS, ids=["plain", "quotes", "marks"])
@pytest.mark.parametrize("environment", VALUES, ids=["bare", "with variables"])
@pytest.mark.parametrize("arguments", [[], ["-m", "tunnel"]], ids=["a program", "a module"])
@pytest.mark.parametrize("row", CLIENTS, ids=lambda row: row.id)
def test_what_is_printed_is_read_as_it_was_meant(
    row: Client, path: str, arguments: list[str], environment: dict[str, str]
) -> None:
    command = [path, *arguments]

    assert READERS[row.id](snippet(row, command, environment)) == (command, environment)


def test_what_a_client_wants_beside_stands_there_too() -> None:
    assert json.loads(snippet(client("vscode"), ["/p"], {}))["servers"][NAME] == {
        "type": "stdio",
        "command": "/p",
        "args": [],
    }
    assert json.loads(snippet(client("opencode"), ["/p"], {}))["mcp"][NAME] == {
        "type": "local",
        "command": ["/p"],
        "enabled": True,
    }
    assert json.loads(snippet(client("zed"), ["/p"], {}))["context_servers"][NAME]["source"] == "custom"


@pytest.mark.parametrize("row", CLIENTS, ids=lambda row: row.id)
def test_what_is_no_text_is_refused(row: Client) -> None:
    with pytest.raises(BadRegistrationError, match="not UTF-8"):
        snippet(row, [os.fsdecode(b"/\xff/tunnel-mcp")], {})
    with pytest.raises(BadRegistrationError, match="not UTF-8"):
        snippet(row, ["/p"], {"A": os.fsdecode(b"\xff")})


# --- The client ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["claude-code", "Claude Code", " CLAUDE_CODE "])
def test_a_client_is_known_in_any_spelling(name: str) -> None:
    assert client(name).id == "claude-code"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cursr", "no such client. Did you mean cursor? There are: claude-code, codex, "),
        ("emacs", "no such client. There are: claude-code, codex, "),
        ("", "no client is named. There are: claude-code, codex, "),
        (SECRET, "no such client. There are: "),
        ("x" * 1_000_000, "no such client. There are: "),
    ],
)
def test_an_unknown_client_is_refused_with_those_that_there_are(name: str, words: str) -> None:
    with pytest.raises(BadRegistrationError) as raised:
        client(name)

    assert str(raised.value).startswith(words)
    assert "SECRET" not in str(raised.value)


@pytest.mark.parametrize("row", CLIENTS, ids=lambda row: row.id)
def test_every_client_has_a_file_on_every_system(row: Client) -> None:
    for system in ("linux", "darwin", "windows"):
        assert row.paths({}, Path("/home/x"), system)
    assert row.source
    assert row.after


@pytest.mark.parametrize(
    ("name", "system", "environment", "path"),
    [
        ("claude-code", "linux", {}, "/home/x/.claude.json"),
        ("claude-code", "linux", {"CLAUDE_CONFIG_DIR": "/c"}, "/c/.claude.json"),
        ("codex", "darwin", {}, "/home/x/.codex/config.toml"),
        ("codex", "darwin", {"CODEX_HOME": "not/absolute"}, "/home/x/.codex/config.toml"),
        ("vscode", "linux", {}, "/home/x/.config/Code/User/mcp.json"),
        ("vscode", "darwin", {}, "/home/x/Library/Application Support/Code/User/mcp.json"),
        ("vscode", "windows", {}, "/home/x/AppData/Roaming/Code/User/mcp.json"),
        ("zed", "linux", {"XDG_CONFIG_HOME": "/xdg"}, "/xdg/zed/settings.json"),
    ],
)
def test_its_file_is_where_the_client_looks(name: str, system: str, environment: dict[str, str], path: str) -> None:
    assert client(name).paths(environment, Path("/home/x"), system)[0] == Path(path)


def test_a_misspelt_column_is_an_error() -> None:
    with pytest.raises(msgspec.ValidationError, match="keyz"):
        read_table('[[client]]\nid="x"\nname="x"\nform="json"\nkeyz=["x"]\n')


# --- This program --------------------------------------------------------------------------------------------------------


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "bin" / "tunnel-mcp"
    path.parent.mkdir()
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_a_program_is_started_by_its_whole_path(program: Path) -> None:
    assert this_program(str(program)) == [str(program)]
    assert this_program("tunnel-mcp", path=str(program.parent)) == [str(program)]
    (found,) = this_program(os.path.relpath(program))
    assert Path(found).is_absolute()
    assert Path(found).samefile(program)


def test_a_link_to_it_is_kept(program: Path, tmp_path: Path) -> None:
    link = tmp_path / "tunnel-mcp"
    link.symlink_to(program)

    assert this_program(str(link)) == [str(link)]


@pytest.mark.parametrize("argv0", ["/x/tunnel/__main__.py", "-c", "", "/nonesuch/tunnel-mcp"])
def test_as_a_module_it_is_started_by_its_python(argv0: str) -> None:
    assert this_program(argv0, "/py/bin/python") == ["/py/bin/python", "-m", "tunnel"]


# --- Variables -----------------------------------------------------------------------------------------------------------


def test_variables_are_names_and_values() -> None:
    assert variables(["A=b=c", "B="], "direct", list(TRANSPORTS)) == {"A": "b=c", "B": "", "TUNNEL_TRANSPORT": "direct"}


@pytest.mark.parametrize("row", ["", "A", "=b", "1A=b", "A B=c", "A=\0", SECRET])
def test_what_is_no_variable_is_refused_without_repeating_it(row: str) -> None:
    with pytest.raises(BadRegistrationError, match="NAME=VALUE") as raised:
        variables([row], None, list(TRANSPORTS))
    assert "KeyThat" not in str(raised.value)


@pytest.mark.parametrize(
    ("transport", "words"),
    [("directt", "no such transport. Did you mean direct? There are"), (SECRET, "no such transport. There are")],
)
def test_an_unknown_transport_is_refused_without_repeating_it(transport: str, words: str) -> None:
    with pytest.raises(BadRegistrationError) as raised:
        variables([], transport, list(TRANSPORTS))
    assert str(raised.value).startswith(words)
    with pytest.raises(BadRegistrationError) as raised:
        variables([f"TUNNEL_TRANSPORT={transport}"], None, list(TRANSPORTS))
    assert str(raised.value).startswith(words)


@pytest.mark.parametrize(
    ("name", "command", "environment", "words"),
    [
        ("gemini", ["/p"], {"A": "$B"}, "holds $, where Gemini CLI"),
        ("vscode", ["/${x}/p"], {}, "holds ${, where VS Code"),
        ("opencode", ["/p"], {"A": "{env:B}"}, "holds {env:, where opencode"),
        ("opencode", ["/p"], {"TUNNEL_COMMAND": "x {port}"}, ""),
        ("codex", ["/p"], {"A": "$B"}, ""),
        ("codex", ["/c/uv/archive-v0/x/bin/tunnel-mcp"], {}, "uv tool install"),
    ],
)
def test_what_may_not_arrive_as_it_was_written_is_told(
    name: str, command: Sequence[str], environment: Mapping[str, str], words: str
) -> None:
    said = caution(client(name), command, environment)

    assert words in said
    assert bool(said) == bool(words)


def test_advice_says_where_it_goes_and_whether_it_will_be_found() -> None:
    found = register("cursor", [], None, [], {"HOME": "/home/x"}, ["/p"])
    assert "/home/x/.cursor/mcp.json" in found.advice
    assert NOT_INSTALLED not in found.advice

    bare = register("claude-code", [], None, [], {}, ["/p"], is_installed=False)
    assert bare.advice.startswith("Run this; it writes into ~/.claude.json.\n")
    assert NOT_INSTALLED in bare.advice


def test_advice_names_variables_that_are_misspelt_or_make_no_sense() -> None:
    given = ["TUNNEL_BUDGETT=3", "TUNNEL_PORT=abc", "TUNNEL_DOH=off"]
    doubts = register("cursor", given, None, [], {}, ["/p"]).advice.splitlines()[:2]

    assert doubts[0].startswith("Look again: TUNNEL_PORT is 'abc'; a port is a number")
    assert doubts[1].startswith("Look again: TUNNEL_BUDGETT is no variable of this program")
    assert "Look again" not in register("cursor", ["TUNNEL_DOH=off", "A=b"], "direct", ["direct"], {}, ["/p"]).advice


def test_what_is_installed_is_told_from_what_is_not() -> None:
    assert is_installed("click")
    assert not is_installed("nonesuch-package-of-nobody")


# --- The command ---------------------------------------------------------------------------------------------------------


def config(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "tunnel", "config", *arguments]
    environment = {**os.environ, **variables}
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False, env=environment)


def test_only_the_snippet_goes_to_standard_output(tmp_path: Path) -> None:
    done = config("zed", "--transport", "direct", "--env", "A=Grüße", HOME=str(tmp_path), PYTHONIOENCODING="ascii")

    assert READERS["zed"](done.stdout) == (
        [sys.executable, "-m", "tunnel"],
        {"A": "Grüße", "TUNNEL_TRANSPORT": "direct"},
    )
    assert str(tmp_path / ".config/zed/settings.json") in done.stderr
    assert done.returncode == 0


@pytest.mark.parametrize(
    "arguments", [("cursr",), (), (SECRET,), ("zed", "--transport", SECRET), ("zed", "--env", SECRET)]
)
def test_what_cannot_be_registered_is_refused(arguments: tuple[str, ...]) -> None:
    done = config(*arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("tunnel-mcp: ")
    assert "KeyThat" not in done.stderr


def test_the_help_names_every_client() -> None:
    said = " ".join(config("--help").stdout.split())

    assert all(row.id in said for row in CLIENTS)
