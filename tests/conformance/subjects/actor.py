"""Plays an implementation for the tests of the kit's control of it, as `tunnel_say` tells it to. Run as a program of its own.

    actor.py mcp|stateless|line

It imports nothing but the standard library.
"""

import json
import os
import sys
import time
from typing import Any

CONTROL = sys.argv[1]
HELD: list[Any] = []
"""The number of a question that is answered with the next one."""


def write(line: bytes) -> None:
    os.write(1, line + b"\n")


def send(**message: Any) -> None:
    write(json.dumps(message if CONTROL == "line" else {"jsonrpc": "2.0", **message}).encode())


def fail(number: Any, why: str) -> None:
    send(id=number, error=why if CONTROL == "line" else {"code": -32602, "message": why})


def succeed(number: Any, result: dict[str, Any]) -> None:
    send(id=number, result=result if CONTROL == "line" else {"content": [], "structuredContent": result})


def main() -> None:
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        if CONTROL == "line":
            answer(asked["id"], asked["do"], asked["args"])
        else:
            serve(asked)


def serve(asked: dict[str, Any]) -> None:
    match asked:
        case {"method": "initialize", "id": number} if CONTROL == "mcp":
            send(
                id=number, result={"protocolVersion": asked["params"]["protocolVersion"], "capabilities": {"tools": {}}}
            )
        case {"method": "server/discover", "id": number} if CONTROL == "stateless" and "_meta" in asked["params"]:
            send(id=number, result={"supportedVersions": ["2026-07-28"]})
        case {"method": "tools/call", "id": number, "params": params} if CONTROL == "mcp" or "_meta" in params:
            answer(number, params["name"].removeprefix("tunnel_"), params["arguments"])
        case {"method": "tools/list", "id": number} if CONTROL == "mcp":
            schema = {"type": "object", "properties": {"goal": {"type": "string"}}}
            tools = [{"name": "tunnel_open", "inputSchema": schema}, {"name": "tunnel_close", "inputSchema": {}}, 5]
            send(id=number, result={"tools": tools})
        case {"method": "notifications/cancelled", "params": {"requestId": number}}:
            print(f"cancelled {number}", file=sys.stderr, flush=True)
        case {"id": "from the server", **rest}:
            print(f"the client replies {json.dumps(rest)}", file=sys.stderr, flush=True)
        case {"id": number}:
            fail(number, "no such method")
        case _:
            pass


def answer(number: Any, what: str, arguments: dict[str, Any]) -> None:
    match what, arguments.get("text", ""):
        case "status", _:
            succeed(number, {"role": "none"})
        case "listen", _:
            succeed(number, {"messages": "x" * arguments["sinceSeq"]})
        case "say", str(text):
            say(number, text)
        case _:
            fail(number, f"there is no {what}")


def say(number: Any, text: str) -> None:
    what, _, rest = text.partition(" ")
    match what:
        case "hang":
            return
        case "wait":
            time.sleep(float(rest))
        case "hold":
            HELD.append(number)
            return
        case "die":
            print("the last words", file=sys.stderr, flush=True)
            sys.exit(3)
        case "line":
            for _ in range(int(rest.partition(" ")[0])):
                write(rest.partition(" ")[2].encode())
        case "result":
            send(id=number, result=json.loads(rest))
            return
        case "error":
            send(id=number, error=json.loads(rest))
            return
        case _:
            pass
    succeed(number, {"seq": 1, "text": text})
    while HELD:
        succeed(HELD.pop(), {"seq": 2})


if __name__ == "__main__":
    main()
