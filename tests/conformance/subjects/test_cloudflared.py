"""The stand-in for cloudflared: what it prints and notes, and how it ends."""

import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tunnel_conformance.subjects.base import SubjectFault
from tunnel_conformance.subjects.cloudflared import URL, StandIn, path_with

PUBLIC = f"{URL.replace('https', 'wss')}/t/00ff#{'A' * 43}"


@pytest.fixture
def stand_in(tmp_path: Path) -> StandIn:
    folder = tmp_path / "it's a folder"
    folder.mkdir()
    return StandIn(folder, folder / "the port")


@contextmanager
def cloudflared(tmp_path: Path, *arguments: str) -> Generator[subprocess.Popen[str]]:
    command = [str(tmp_path / "it's a folder" / "cloudflared"), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(
    "arguments",
    [
        ["tunnel", "--url", "http://localhost:8443"],
        ["tunnel", "--no-autoupdate", "--url", "http://127.0.0.1:8443/"],
        ["tunnel", "--url=http://[::1]:8443", "--loglevel", "info"],
        ["tunnel", "--url", "localhost:8443"],
    ],
    ids=["as released", "with a slash", "with an equals sign", "without a scheme"],
)
def test_it_notes_the_port_and_says_a_public_url(tmp_path: Path, stand_in: StandIn, arguments: list[str]) -> None:
    with cloudflared(tmp_path, *arguments) as process:
        assert process.stderr
        while URL not in process.stderr.readline():
            pass
        noted = stand_in.reachable_at(PUBLIC)
        process.send_signal(signal.SIGTERM)
        status = process.wait(5)

    assert noted == ("localhost", 8443)
    assert status == -signal.SIGTERM


def test_it_says_its_version(tmp_path: Path, stand_in: StandIn) -> None:
    with cloudflared(tmp_path, "--version") as process:
        said, _ = process.communicate(timeout=5)

    assert said.startswith("cloudflared version ")
    assert process.returncode == 0
    assert stand_in


@pytest.mark.parametrize(
    "arguments",
    [[], ["tunnel"], ["tunnel", "--url"], ["tunnel", "--url", "http://localhost"], ["tunnel", "--url", "x:80a"]],
    ids=["nothing", "no url", "no value", "no port", "no number"],
)
def test_without_a_port_it_fails_and_nobody_knows_one(tmp_path: Path, stand_in: StandIn, arguments: list[str]) -> None:
    with cloudflared(tmp_path, *arguments) as process:
        _, said = process.communicate(timeout=5)

    assert "no port in --url" in said
    assert process.returncode == 1
    with pytest.raises(SubjectFault, match="nobody knows at which port"):
        stand_in.reachable_at(PUBLIC)


@pytest.mark.parametrize("noted", ["", "0", "65536", "no number", "\x00"])
def test_a_note_that_is_no_port_is_none(tmp_path: Path, stand_in: StandIn, noted: str) -> None:
    (tmp_path / "it's a folder" / "the port").write_text(noted)

    with pytest.raises(SubjectFault, match="nobody knows at which port"):
        stand_in.reachable_at(PUBLIC)


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("ws://127.0.0.1:81/t/00#k", ("127.0.0.1", 81)),
        ("ws://localhost:81/t/00#k", ("localhost", 81)),
        ("ws://my.localhost:81/t/00#k", ("localhost", 81)),
        ("ws://[::1]:81/t/00#k", ("::1", 81)),
        (" ws://127.0.0.1/t/00#k", ("127.0.0.1", 80)),
        ("wss://127.0.0.1/t/00#k", ("127.0.0.1", 443)),
    ],
    ids=["IPv4", "by name", "by a longer name", "IPv6", "no port", "no port with TLS"],
)
def test_a_link_on_loopback_is_its_own_address(stand_in: StandIn, link: str, expected: tuple[str, int]) -> None:
    assert stand_in.reachable_at(link) == expected


@pytest.mark.parametrize(
    "link", ["", "ws://192.168.0.1:81/t/00#k", "wss://a.b/t/0#k", "ws://127.0.0.1:x/t/0#k", "ws://[::1/t/0#k", "\ud800"]
)
def test_any_other_link_needs_a_noted_port(tmp_path: Path, stand_in: StandIn, link: str) -> None:
    (tmp_path / "it's a folder" / "the port").write_text("82")

    assert stand_in.reachable_at(link) == ("localhost", 82)


def test_its_folder_stands_first_on_path() -> None:
    assert path_with(Path("/here"), "/usr/bin:/bin") == "/here:/usr/bin:/bin"
    assert path_with(Path("/here"), "") == "/here"
