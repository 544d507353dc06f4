"""The table of clients is data that can be read, and finds a client by what it calls itself."""

import re
from pathlib import Path

import msgspec
import pytest

from tunnel.app.clients import CLIENTS, NAME_CHARS, Client, known, read_table
from tunnel.app.settings import LISTEN_SECONDS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("name", "client"),
    [
        ("claude-code", "Claude Code"),
        ("claude-ai", "Claude Desktop, Cowork"),
        ("codex-mcp-client", "Codex CLI"),
        ("Codex", "Codex CLI"),
        ("cursor-vscode", "Cursor"),
        ("gemini-cli-mcp-client", "Gemini CLI"),
        ("gemini-cli-mcp-client-tunnel", "Gemini CLI"),
        ("JetBrains-IU-copilot-intellij", "JetBrains Copilot"),
        ("JetBrains-JBC-copilot-intellij", "JetBrains Copilot"),
        ("opencode", "opencode"),
        ("Visual Studio Code", "VS Code Copilot"),
        ("Visual-Studio-Code", "VS Code Copilot"),
        ("Zed", "Zed"),
        (" ZED ", "Zed"),
    ],
)
def test_a_client_is_known_by_the_name_that_it_gives_itself(name: str, client: str) -> None:
    found = known(name)

    assert found
    assert found.name == client


@pytest.mark.parametrize(
    "name", ["", "mcp", "*", "[a-z]*", "not-claude-code", "\u202eclaude-code", "\ud800", "x" * 10_000_000]
)
def test_a_name_that_nobody_knows_is_nobody(name: str) -> None:
    assert known(name) is None


def test_only_the_beginning_of_a_name_is_compared() -> None:
    assert known("zed" + "x" * 10_000) == known("zed")
    assert known("x" * NAME_CHARS + "copilot-intellij") is None


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)
def test_every_row_says_where_it_comes_from_and_can_be_found(client: Client) -> None:
    assert client.limit
    assert client.source
    assert client.names
    assert all(name == name.casefold().strip() for name in client.names)
    assert all(known(name.replace("*", "")) == client for name in client.names)


def test_the_table_is_in_order_and_names_nobody_twice() -> None:
    names = [client.name for client in CLIENTS]

    assert names == sorted(names, key=str.casefold)
    assert len(set(names)) == len(names)


def test_a_misspelt_column_is_an_error() -> None:
    row = '[[client]]\nname="x"\nnames=["x"]\nlimit="?"\nsource="?"\nseen=2026-11-01\n'

    assert read_table(row)[0].seconds is None
    with pytest.raises(msgspec.ValidationError, match="secs"):
        read_table(row + "secs = 5\n")


def shown(client: Client) -> list[str]:
    progress = {True: "yes", False: "no", None: "\N{EN DASH}"}[client.progress]
    longest = f"{client.seconds} s" if client.seconds else f"{LISTEN_SECONDS:g} s (nothing is known)"
    return [client.name, longest, progress, client.limit, client.source]


def test_the_readme_shows_the_table() -> None:
    table = (ROOT / "README.md").read_text("utf-8").partition("| client |")[2].partition("\n\n")[0]
    rows = [re.split(r" *\| *", line.strip("| ")) for line in table.splitlines()[2:]]

    assert rows == [shown(client) for client in CLIENTS]
