"""Plays an implementation that is controlled by lines, for the tests of the clock check: it waits as it is told.

    clocked.py HOW

HOW: `loop` waits in an event loop, `thread` on a thread with a time limit, `sleep` in another process that has no
library preloaded, `hasty` not at all; `refuses` opens and joins nothing, `lazy` listens in time and hangs up on nobody,
`deaf` hangs up in time and never hears, `mute` refuses to listen, `dies` opens nothing and ends.
With SPEED in its environment it goes so many times as fast by itself. It imports nothing but the standard library.
"""

import asyncio
import json
import os
import subprocess
import sys
import threading
from typing import Any
from urllib.parse import urlsplit

HOW = sys.argv[1]
SPEED = float(os.environ.get("SPEED", "1"))
AUTH_SECONDS, JOIN_SECONDS = 15.0, 20.0
ACCEPT = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n"
)


async def wait(seconds: float) -> None:
    seconds /= SPEED
    match HOW:
        case "hasty":
            return
        case "thread":
            await asyncio.to_thread(threading.Event().wait, seconds)
        case "sleep":
            bare = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
            await asyncio.to_thread(subprocess.run, ["sleep", str(seconds)], env=bare, check=False)
        case _:
            await asyncio.sleep(seconds)


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    import base64
    import hashlib

    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    key = next(line.split(": ")[1] for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key"))
    digest = hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
    writer.write(ACCEPT % base64.b64encode(digest))
    await wait(1_000_000 if HOW == "lazy" else AUTH_SECONDS)
    writer.close()


async def join(link: str) -> None:
    address = urlsplit(link)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(
        f"GET {address.path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    await wait(JOIN_SECONDS)
    writer.close()


async def answer(number: int, what: str, arguments: dict[str, Any]) -> None:
    result: dict[str, Any] | None = None
    match what:
        case "status":
            result = {}
        case "open" if HOW not in ("refuses", "dies"):
            server = await asyncio.start_server(greet, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            result = {"joinLink": f"ws://127.0.0.1:{port}/t/00ff#{'A' * 43}"}
        case "open" if HOW == "dies":
            os._exit(1)
        case "listen" if HOW == "deaf" and arguments["timeoutMs"]:
            await asyncio.Event().wait()
        case "listen" if HOW != "mute":
            await wait(arguments["timeoutMs"] / 1000)
            result = {"messages": []}
        case "join" if HOW != "refuses":
            await join(arguments["joinLink"])
        case _:
            pass
    reply = {"error": "no"} if result is None else {"result": result}
    os.write(1, json.dumps({"id": number, **reply}).encode() + b"\n")


async def main() -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    running: set[asyncio.Task[None]] = set()
    while line := await reader.readline():
        asked = json.loads(line)
        running.add(loop.create_task(answer(asked["id"], asked["do"], asked["args"])))


asyncio.run(main())
