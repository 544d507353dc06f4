"""Every machine gets the file that was built for it, and none gets another's."""

from pathlib import Path

import pytest

from tunnel.io.internet import CLOUDFLARED_MANUAL, CLOUDFLARED_SHA256
from tunnel.transport.asset import Machine, NoCloudflaredError, Release, asset_for, by_hand, shown


@pytest.mark.parametrize(
    ("system", "cpu", "name"),
    [
        ("Linux", "x86_64", "cloudflared-linux-amd64"),
        ("Linux", "aarch64", "cloudflared-linux-arm64"),
        ("Darwin", "x86_64", "cloudflared-darwin-amd64.tgz"),
        ("Darwin", "arm64", "cloudflared-darwin-arm64.tgz"),
        ("Windows", "AMD64", "cloudflared-windows-amd64.exe"),
    ],
)
def test_a_machine_gets_its_file(system: str, cpu: str, name: str) -> None:
    assert asset_for(Machine(system, cpu), Release()) == name


def test_every_file_of_the_release_is_for_a_machine() -> None:
    """So a file that is renamed, or added without its machine, is noticed."""
    machines = [Machine(system, cpu) for system in ("Linux", "Darwin", "Windows") for cpu in ("x86_64", "arm64")]
    release = Release()

    assert {f"{asset_for(machine, release)}" for machine in machines[:-1]} == set(CLOUDFLARED_SHA256)


@pytest.mark.parametrize(
    ("system", "cpu", "says"),
    [
        ("Linux", "armv7l", "Linux on armv7l"),
        ("FreeBSD", "amd64", "FreeBSD on amd64"),
        ("Windows", "ARM64", "Windows on ARM64"),
        ("", "", "this system on this processor"),
    ],
)
def test_a_machine_without_a_file_is_told_the_way_out(system: str, cpu: str, says: str) -> None:
    with pytest.raises(NoCloudflaredError) as error:
        asset_for(Machine(system, cpu), Release())

    assert says in str(error.value)
    assert by_hand() in str(error.value)


def test_the_way_out_names_the_place_the_page_and_the_other_transports() -> None:
    for word in ("PATH", "~/.tunnel/bin/cloudflared", CLOUDFLARED_MANUAL, "TUNNEL_TRANSPORT", "direct", "command"):
        assert word in by_hand()


def test_a_path_is_shown_without_what_hides_and_not_without_end() -> None:
    assert shown(Path("/tmp/a\x1b[31m\nb")) == "/tmp/a\\u001b[31m\\nb"
    assert len(shown(Path("/" + "x" * 5000))) <= 300
