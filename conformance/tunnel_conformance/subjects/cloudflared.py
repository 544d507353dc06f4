"""Stands in for cloudflared: it notes the local port that it is to make reachable, says a public URL, and forwards nothing."""

import os
import shlex
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from tunnel_conformance.subjects.base import SubjectFault

URL: Final = "https://conformance-kit-stand-in.trycloudflare.com"
"""What it says; the name leads nowhere."""

LOCALHOST: Final = "localhost"

_LARGEST_NOTE_BYTES: Final = 16

# A shell starts in a millisecond, and `exec` leaves no second process behind.
_PROGRAM: Final = """\
#!/bin/sh
# Stands in for cloudflared: notes the port behind --url, and forwards nothing.
url=
while [ "$#" -gt 0 ]; do
    case $1 in
        --version | -v | version) echo 'cloudflared version 2026.6.1 (built 2026-06-01-00:00 UTC)'; exit 0 ;;
        --url) url=$2; [ "$#" -gt 1 ] && shift ;;
        --url=*) url=${1#--url=} ;;
    esac
    shift
done
port=${url##*:}
port=${port%%/*}
case $port in
    '' | *[!0-9]*) echo "stand-in for cloudflared: no port in --url '$url'" >&2; exit 1 ;;
esac
note=@NOTE@
printf '%s' "$port" > "$note.new" && mv -f "$note.new" "$note" || exit 1
cat >&2 <<'BANNER'
2026-06-01T00:00:00Z INF Requesting new quick Tunnel on trycloudflare.com...
2026-06-01T00:00:00Z INF +--------------------------------------------------------------------------------------------+
2026-06-01T00:00:00Z INF |  Your quick Tunnel has been created! Visit it at (it may take some time to be reachable):  |
2026-06-01T00:00:00Z INF |  @URL@|
2026-06-01T00:00:00Z INF +--------------------------------------------------------------------------------------------+
2026-06-01T00:00:00Z INF Registered tunnel connection connIndex=0 connection=00000000-0000-0000-0000-000000000000
BANNER
exec sleep 2147483647
"""


class StandIn:
    """A program named cloudflared.

    Args:
        folder: where it is put; it belongs first on PATH.
        note: the file into which it writes the port.
    """

    def __init__(self, folder: Path, note: Path) -> None:
        self._note = note
        program = folder / "cloudflared"
        text = _PROGRAM.replace("@NOTE@", shlex.quote(str(note))).replace("@URL@", f"{URL:<90}")
        program.write_text(text, encoding="utf-8")
        program.chmod(0o755)

    def reachable_at(self, join_link: str) -> tuple[str, int]:
        """Address and port of the relay behind a join link; `localhost` stands for both addresses of that name.

        Raises:
            SubjectFault: the link is not on loopback, and nobody told the port.
        """
        return _on_loopback(join_link) or (LOCALHOST, self._noted())

    def _noted(self) -> int:
        try:
            with self._note.open("rb") as note:
                port = int(note.read(_LARGEST_NOTE_BYTES))
        except (OSError, ValueError):
            port = 0
        if not 0 < port < 65536:
            raise SubjectFault(
                "Its join link is not on loopback, and it did not run the program 'cloudflared' that stands first on its PATH: "
                "nobody knows at which port its relay listens. Let it run 'cloudflared tunnel --url http://localhost:PORT', or "
                "give out a link of the form ws://127.0.0.1:PORT/t/ID#KEY."
            )
        return port


def _on_loopback(join_link: str) -> tuple[str, int] | None:
    try:
        parts = urlsplit(join_link.strip())
        host, port = parts.hostname or "", parts.port
        if host == LOCALHOST or host.endswith(f".{LOCALHOST}"):
            host = LOCALHOST
        is_loopback = host == LOCALHOST or ip_address(host).is_loopback
    except ValueError:
        return None
    return (host, port or (443 if parts.scheme == "wss" else 80)) if is_loopback else None


def path_with(folder: Path, path: str) -> str:
    """A PATH that begins with the folder."""
    return os.pathsep.join([str(folder), *([path] if path else [])])
