"""Stands in for cloudflared in tests: it prints what cloudflared prints, fails as it is told, and forwards nothing.

A test installs it into a folder of its own and puts that folder on PATH. Variables of the environment say what it does:

    STANDIN_MODE     one of MODES
    STANDIN_URL      the public URL that it prints
    STANDIN_FAILS    how many of its first starts fail (needs STANDIN_STATE)
    STANDIN_SECONDS  for `slow`: how long the URL takes; for `dies`: how long it lives after that
    STANDIN_ENDS     it exits with status 1 as soon as this file exists
    STANDIN_STATE    a file to which every start adds a line of JSON: pid, arguments, environment

It is run as a program of its own, so it imports nothing but the standard library.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import NamedTuple, TextIO

URL = "https://quiet-words-stand-in.trycloudflare.com"
API_ERROR = 'failed to request quick Tunnel: Post "https://api.trycloudflare.com/tunnel": dial tcp: i/o timeout'
MODES = {
    "works": "prints the URL on standard error, in the frame that cloudflared draws",
    "stdout": "prints the URL on standard output",
    "twice": "prints the URL, then another one",
    "api": "complains about its own server, by URL, then works",
    "slow": "works after STANDIN_SECONDS",
    "dies": "works for STANDIN_SECONDS",
    "stubborn": "works, and ignores SIGTERM",
    "silent": "runs and prints nothing",
    "exits": "prints an error, and exits with status 1",
    "flood": "prints line after line without end",
    "endless": "prints one line without end",
    "binary": "prints every byte that there is, then works",
    "impostor": "is not cloudflared: prints its usage whatever it is asked, and exits with status 1",
    "mute": "is not cloudflared: prints nothing whatever it is asked, and stays",
}
LONGEST_SECONDS = 120
"""It never outlives its test by more."""


def install(folder: Path) -> Path:
    """Make it an executable named cloudflared in a folder, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "cloudflared"
    # Isolated and without site-packages: it starts in a few milliseconds.
    program.write_text(f"#!{sys.executable} -IS\n{Path(__file__).read_text(encoding='utf-8')}", encoding="utf-8")
    program.chmod(0o755)
    return program


class Call(NamedTuple):
    """One start."""

    pid: int
    arguments: list[str]
    environment: dict[str, str]


def calls(state: Path) -> list[Call]:
    """Every start that is noted in STANDIN_STATE."""
    lines = state.read_text(encoding="utf-8").splitlines() if state.exists() else []
    return [Call(**json.loads(line)) for line in lines]


def main() -> None:
    mode = os.environ.get("STANDIN_MODE", "works")
    start = _count()
    if mode == "impostor":
        sys.exit("Usage: frobnicate FILE")
    if mode == "mute":
        _live(LONGEST_SECONDS)
    if "--version" in sys.argv:
        print("cloudflared version 2026.6.1 (built 2026-06-01-0000 UTC)")
        return
    if start <= int(os.environ.get("STANDIN_FAILS", "0")):
        mode = "exits"
    _before(mode)
    _print_url(sys.stdout if mode == "stdout" else sys.stderr, os.environ.get("STANDIN_URL", URL))
    if mode == "twice":
        _print_url(sys.stderr, "https://another-name.trycloudflare.com")
    _live(float(os.environ.get("STANDIN_SECONDS", "0")) if mode == "dies" else LONGEST_SECONDS)


def _count() -> int:
    """Which start this is."""
    if "STANDIN_STATE" not in os.environ:
        return 1
    state = Path(os.environ["STANDIN_STATE"])
    with state.open("a", encoding="utf-8") as lines:
        print(json.dumps({"pid": os.getpid(), "arguments": sys.argv[1:], "environment": dict(os.environ)}), file=lines)
    return len(state.read_text(encoding="utf-8").splitlines())


def _before(mode: str) -> None:
    """What comes in front of the URL, or instead of it."""
    match mode:
        case "stubborn":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        case "silent":
            _live(LONGEST_SECONDS)
        case "slow":
            time.sleep(float(os.environ["STANDIN_SECONDS"]))
        case "exits":
            print(f"ERR {API_ERROR}", file=sys.stderr, flush=True)
            sys.exit(1)
        case "api":
            print(f"ERR {API_ERROR}", file=sys.stderr, flush=True)
        case "flood" | "endless":
            while True:
                os.write(2, b"INF nothing to see here\n" * 1000 if mode == "flood" else b"x" * 65536)
        case "binary":
            os.write(2, bytes(range(256)) * 100 + b"\n")
        case _:
            pass


def _print_url(stream: TextIO, url: str) -> None:
    frame = "+" + "-" * 92 + "+"
    for line in (
        "Requesting new quick Tunnel on trycloudflare.com...",
        frame,
        "|  Your quick Tunnel has been created! Visit it at (it may take some time to be reachable):  |",
        f"|  {url:<90}|",
        frame,
    ):
        print(f"2026-06-01T00:00:00Z INF {line}", file=stream, flush=True)


def _live(seconds: float) -> None:
    end = time.monotonic() + seconds
    ends = os.environ.get("STANDIN_ENDS")
    while time.monotonic() < end:
        if ends and Path(ends).exists():
            break
        time.sleep(0.02)
    sys.exit(1)


if __name__ == "__main__":
    main()
