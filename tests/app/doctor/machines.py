"""Machines for the doctor to look at, and what it says of them."""

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import msgspec

from tunnel.app.doctor.findings import Finding, Verdict
from tunnel.app.doctor.surroundings import Surroundings
from tunnel.app.settings import Settings, read_settings
from tunnel.io.lookup import Lookup
from tunnel.io.reach import Address
from tunnel.io.way import Patience
from tunnel.transport.asset import Machine

API = "api.example.net"
PATIENCE = Patience(
    system_seconds=10, doh_seconds=10, tcp_seconds=10, proxy_seconds=10, tls_seconds=10, websocket_seconds=10
)
"""What goes well, does so in time also on a machine that is busy."""

HURRY = msgspec.structs.replace(PATIENCE, system_seconds=0.2, websocket_seconds=0.3)
"""For who waits for a resolver or a server that does not answer."""

NOW = 1_800_000_000.0


def settings(home: Path | None, **variables: str) -> Settings:
    """What a person has set, who wants no DNS over HTTPS if they do not say so."""
    return read_settings({"TUNNEL_DOH": "off", **({"HOME": str(home)} if home else {}), **variables})


def machine(home: Path | None, *, variables: Mapping[str, str] | None = None, **changes: Any) -> Surroundings:
    """A Linux machine with nothing on it, on which `api.example.net` leads to itself."""
    bare: dict[str, Any] = {
        "settings": settings(home, **(variables or {})),
        "environment": {"PATH": ""},
        "python": (3, 12, 1),
        "system": "linux",
        "machine": Machine("Linux", "x86_64"),
        "lookup": knows({API: "127.0.0.1"}),
        "patience": PATIENCE,
        "unix_seconds": lambda: NOW,
        "api": API,
        "api_port": 1,
        "edges": ("edge1.example.net", "edge2.example.net"),
        "edge_port": 1,
    }
    return Surroundings(**{**bare, **changes})


def knows(table: Mapping[str, str]) -> Lookup:
    """A resolver that knows a few names."""

    async def lookup(name: str) -> list[Address]:
        if name not in table:
            raise OSError(-2, "Name or service not known")
        return [ip_address(table[name])]

    return lookup


def verdicts(findings: Sequence[Finding]) -> list[str]:
    return [finding.verdict.value for finding in findings]


def the(verdict: Verdict, findings: Sequence[Finding]) -> Finding:
    """The only finding, which has this verdict."""
    (finding,) = findings
    assert finding.verdict is verdict, finding
    return finding
