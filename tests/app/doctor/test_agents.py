"""What is set up for agents is read from their own files, which may hold anything."""

import json
import os
from pathlib import Path

import pytest

from tests.app.doctor.machines import machine, the, verdicts
from tests.io.asynchronous import asynchronous
from tunnel.app.doctor.agents import FILE_BYTES, clients, commands, skill
from tunnel.app.doctor.findings import Verdict
from tunnel.app.registration import CLIENTS, client, snippet
from tunnel.app.skill.install import AT_HOME, install

HERE = {"command": "/bin/sh", "args": ["-m", "tunnel"]}


def configured(home: Path, text: str, name: str = ".cursor/mcp.json") -> Path:
    path = home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


# --- The skill -----------------------------------------------------------------------------------------------------------


@asynchronous
async def test_a_skill_of_this_version_is_well(tmp_path: Path) -> None:
    install(tmp_path.joinpath(*AT_HOME), force=False)

    assert "is of this version" in the(Verdict.OK, await skill(machine(tmp_path))).found


@asynchronous
async def test_a_skill_that_is_missing_is_worth_a_note(tmp_path: Path) -> None:
    assert "install-skill" in the(Verdict.NOTE, await skill(machine(tmp_path))).todo


@asynchronous
async def test_a_skill_of_another_version_is_worth_a_note(tmp_path: Path) -> None:
    install(tmp_path, force=False)
    (tmp_path / "tunnel-etiquette" / "SKILL.md").write_text("older")
    at = machine(None, variables={"TUNNEL_SKILLS_DIR": str(tmp_path)})

    assert "--force" in the(Verdict.NOTE, await skill(at)).todo


@asynchronous
async def test_a_folder_of_skills_that_cannot_be_read_is_worth_a_note(tmp_path: Path) -> None:
    (tmp_path / "tunnel-etiquette").symlink_to("tunnel-etiquette")
    at = machine(None, variables={"TUNNEL_SKILLS_DIR": str(tmp_path)})

    assert "cannot be read" in the(Verdict.NOTE, await skill(at)).found


@asynchronous
async def test_without_a_home_there_is_nothing_to_look_at() -> None:
    assert "HOME" in the(Verdict.NOTE, await skill(machine(None))).found
    assert "HOME" in the(Verdict.NOTE, await clients(machine(None))).found


# --- The clients ---------------------------------------------------------------------------------------------------------


@asynchronous
async def test_no_client_is_worth_a_note(tmp_path: Path) -> None:
    configured(tmp_path, json.dumps({"mcpServers": {"other": {"command": "/bin/tunnel"}}}))
    said = the(Verdict.NOTE, await clients(machine(tmp_path)))

    assert "tunnel-mcp config CLIENT" in said.todo
    assert all(client.id in said.todo for client in CLIENTS)


@pytest.mark.parametrize("form", [client.id for client in CLIENTS if client.form != "shell"])
@asynchronous
async def test_what_config_prints_is_found_again(form: str, tmp_path: Path) -> None:
    there = client(form)
    (path, *_) = there.paths({}, tmp_path, "linux")
    configured(tmp_path, snippet(there, ["/bin/sh", "-m", "tunnel"], {"A": "b"}), str(path.relative_to(tmp_path)))
    said = the(Verdict.OK, await clients(machine(tmp_path)))

    assert said.found == f"{there.name} ({path}) starts /bin/sh"


@asynchronous
async def test_claude_code_is_found_for_all_projects_and_for_one(tmp_path: Path) -> None:
    text = json.dumps({"mcpServers": {"t": HERE}, "projects": {"/p": {"mcpServers": {"t": {"command": "tunnel-mcp"}}}}})
    configured(tmp_path, text, ".claude.json")

    assert verdicts(await clients(machine(tmp_path))) == ["ok", "ok"]


@asynchronous
async def test_a_mention_outside_of_the_servers_is_none(tmp_path: Path) -> None:
    configured(tmp_path, json.dumps({"history": ["tunnel-mcp doctor"], "mcpServers": {}}), ".claude.json")

    assert "none of those" in the(Verdict.NOTE, await clients(machine(tmp_path))).found


@asynchronous
async def test_a_client_that_starts_what_is_not_there_is_a_problem(tmp_path: Path) -> None:
    configured(tmp_path, json.dumps({"mcpServers": {"t": {"command": "/nonesuch/tunnel-mcp"}}}))
    said = the(Verdict.PROBLEM, await clients(machine(tmp_path)))

    assert "/nonesuch/tunnel-mcp, which is not there" in said.found
    assert "`tunnel-mcp config cursor`" in said.todo


@asynchronous
async def test_a_name_without_a_path_is_worth_a_note_where_there_is_no_shell(tmp_path: Path) -> None:
    configured(tmp_path, json.dumps({"mcpServers": {"t": {"command": "uvx", "args": ["tunnel-mcp@latest"]}}}))

    assert "by name" in the(Verdict.NOTE, await clients(machine(tmp_path))).found


@asynchronous
async def test_a_file_elsewhere_is_found_by_its_variable(tmp_path: Path) -> None:
    path = configured(tmp_path, '[mcp_servers.t]\ncommand = "tunnel-mcp"\n', "moved/config.toml")
    at = machine(tmp_path, environment={"CODEX_HOME": str(path.parent)})

    assert str(path) in the(Verdict.OK, await clients(at)).found


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('// mine\n{"mcpServers": {"t": {"command": "tunnel-mcp"}}}', [[]]),
        ('// mine\n{"command": "python", "args": ["-m",  "tunnel"]}', [[]]),
        ('// mine\n{"command": "mytunnel-mcpx"}', []),
        ("[" * 100_000, []),
        ("[]", []),
        ('{"mcpServers": ["tunnel-mcp"]}', []),
        ('{"mcpServers": {"t": "tunnel-mcp"}}', []),
        ('{"mcpServers": {"t": {"command": {"path": "tunnel-mcp"}, "args": 7}}}', []),
        ('{"mcpServers": {"t": {"command": "x", "args": [7, "-m", "tunnels"]}}}', []),
        ('{"mcpServers": {"t": {"command": "C:\\\\tunnel-mcp.exe"}}}', []),
    ],
    ids=[
        "comments",
        "comments, and a module",
        "comments, and another program",
        "depth",
        "a list",
        "servers in a list",
        "a text for a server",
        "an old form",
        "another module",
        "another system's path",
    ],
)
def test_whatever_stands_in_a_file_is_read(text: str, named: list[list[str]]) -> None:
    assert commands(client("cursor"), text) == named


def test_a_broken_toml_is_searched_too() -> None:
    assert commands(client("codex"), '[mcp_servers.t\ncommand = "tunnel-mcp"') == [[]]


@asynchronous
async def test_a_file_with_comments_is_named_without_what_it_starts(tmp_path: Path) -> None:
    configured(tmp_path, '// mine\n{"context_servers": {"t": {"command": "tunnel-mcp"}}}', ".config/zed/settings.json")

    found = the(Verdict.NOTE, await clients(machine(tmp_path))).found
    assert found.endswith("may name it; it holds comments, or is not to be read, so nobody knows")


@asynchronous
async def test_what_is_no_file_is_worth_a_note_and_holds_up_nobody(tmp_path: Path) -> None:
    (tmp_path / ".cursor").mkdir()
    os.mkfifo(tmp_path / ".cursor" / "mcp.json")
    (tmp_path / ".gemini").mkdir()
    (tmp_path / ".gemini" / "settings.json").symlink_to("settings.json")
    (tmp_path / ".codex").write_text("a file where a folder belongs")
    with (tmp_path / ".claude.json").open("wb") as huge:
        huge.truncate(FILE_BYTES + 1)
    findings = await clients(machine(tmp_path))

    assert verdicts(findings) == ["note", "note", "note"]
    assert "larger than" in findings[0].found
    assert "no regular file" in findings[1].found
    assert "Too many levels of symbolic links" in findings[2].found


@asynchronous
async def test_a_hostile_command_is_shown_and_does_nothing(tmp_path: Path) -> None:
    configured(tmp_path, json.dumps({"mcpServers": {"t": {"command": "/\u202e\n\x1b[2J/tunnel-mcp"}}}))

    assert the(Verdict.PROBLEM, await clients(machine(tmp_path))).found.isprintable()


@asynchronous
async def test_a_tilde_that_no_client_replaces_is_a_problem(tmp_path: Path) -> None:
    configured(tmp_path, '{"mcpServers": {"t": {"command": "~/.venvs/tunnel/bin/tunnel-mcp"}}}', ".cursor/mcp.json")

    assert the(Verdict.PROBLEM, await clients(machine(tmp_path))).found.endswith("no client replaces the ~")
