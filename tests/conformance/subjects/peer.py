"""Plays an implementation that is controlled by lines, for the tests of the lint: two of it share a file instead of a tunnel.

    peer.py FILE [WRONG]

WRONG names what it does wrong. It imports nothing but the standard library.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

FILE = Path(sys.argv[1])
WRONG = sys.argv[2] if len(sys.argv) > 2 else ""
POLL_SECONDS = 0.01


def reply(number: Any, **answer: Any) -> None:
    line = json.dumps({"id": str(number) if WRONG == "numbered" and number > 1 else number, **answer})
    os.write(1, line.encode() + b"\n")


def messages(since: int) -> list[dict[str, Any]]:
    if not FILE.exists():
        return []
    found = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
    return [message for message in found if message["seq"] > since]


def add(sender: str, kind: str, text: str) -> int:
    seq = len(messages(0)) + 1
    with FILE.open("a", encoding="utf-8") as file:
        print(json.dumps({"id": f"{seq}", "seq": seq, "from": sender, "kind": kind, "text": text}), file=file)
    return seq


def status() -> dict[str, Any]:
    found: dict[str, Any] = {"role": "host", "peerConnected": True, "goal": "x", "lastSeq": len(messages(0))}
    if WRONG == "made up":
        found["closedBecause"] = "bored"
    if WRONG == "mute":
        found["closedBecause"] = None
    return found


def listen(number: Any, since: int, seconds: float) -> None:
    end = time.monotonic() + (0 if WRONG == "hasty" else seconds)
    while not (heard := messages(since)) and time.monotonic() < end:
        time.sleep(POLL_SECONDS)
    reply(number, result={"messages": [] if WRONG == "deaf" else heard, "status": status()})


def answer(number: Any, what: str, arguments: dict[str, Any]) -> None:
    match what:
        case "status":
            reply(number, result=status())
        case "open" if WRONG == "refuses":
            reply(number, error="not today")
        case "open" if WRONG == "unnamed":
            reply(number, result={"tunnelId": "00"})
        case "open" if WRONG == "dies":
            sys.exit(1)
        case "open":
            if WRONG == "stray":
                print("hello", flush=True)
            reply(number, result={"tunnelId": "00", "joinLink": f"ws://127.0.0.1:9/t/00#{'A' * 43}"})
        case "join":
            assert arguments["joinLink"].startswith("ws://127.0.0.1:9/t/00#")
            reply(number, result={"tunnelId": "00", "goal": "x", "peer": "Alice"})
        case "say":
            seq = add("guest", "chat", arguments["text"])
            reply(number, result={"seq": str(seq) if WRONG == "untyped" else seq})
        case "listen":
            waits = (number, arguments["sinceSeq"], arguments["timeoutMs"] / 1000)
            threading.Thread(target=listen, args=waits, daemon=True).start()
        case "close":
            add("host", "system", "closed")
            reply(number, result={"ok": True})
        case _ if WRONG == "yes":
            reply(number, result={})
        case _:
            reply(number, error="what?")


for question in sys.stdin:
    asked = json.loads(question)
    answer(asked["id"], asked["do"], asked["args"])
