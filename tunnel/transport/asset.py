"""Which file of the release is cloudflared for this machine, and what a person does where there is none."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct, field

from tunnel.core.text import visible
from tunnel.io.internet import CLOUDFLARED_MANUAL, CLOUDFLARED_SHA256, CLOUDFLARED_VERSION
from tunnel.transport.base import TransportError

NAME: Final = "cloudflared.exe" if sys.platform == "win32" else "cloudflared"
"""What the program is called here."""

_CPUS: Final = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_ENDINGS: Final = {"linux": "", "darwin": ".tgz", "windows": ".exe"}
_SHOWN_BYTES: Final = 300


class NoCloudflaredError(TransportError):
    """There is no cloudflared, and it cannot be had; the text says why and what to do."""


class Release(Struct, frozen=True):
    """A release of cloudflared, and the SHA-256 of its files."""

    version: str = CLOUDFLARED_VERSION
    sha256: Mapping[str, str] = field(default_factory=lambda: CLOUDFLARED_SHA256)


class Machine(Struct, frozen=True):
    """What `platform.system()` and `platform.machine()` say."""

    system: str
    cpu: str


def asset_for(machine: Machine, release: Release) -> str:
    """The name of the file for this machine.

    Raises:
        NoCloudflaredError: the release has none for it.
    """
    system = machine.system.lower()
    name = f"cloudflared-{system}-{_CPUS.get(machine.cpu.lower(), '')}{_ENDINGS.get(system, '')}"
    if name not in release.sha256:
        raise NoCloudflaredError(
            f"No cloudflared is installed, and none can be downloaded for {machine.system or 'this system'} on "
            f"{machine.cpu or 'this processor'}. {by_hand()}"
        )
    return name


def by_hand() -> str:
    """The way out for a person, in a sentence."""
    return (
        f"Install cloudflared by hand ({CLOUDFLARED_MANUAL}), on PATH or as ~/.tunnel/bin/{NAME}; "
        "or set TUNNEL_TRANSPORT to direct, command or loopback."
    )


def shown(path: Path) -> str:
    """A path as it is shown: it comes from the environment."""
    return visible(str(path), _SHOWN_BYTES)
