"""Serves the same MCP server over HTTP, which the program itself never does: for the official conformance tests only.

`python -m tests.app.http_mount PORT` serves at http://127.0.0.1:PORT/mcp until it is interrupted.
"""

import asyncio
import sys

import uvicorn

from tests.app.ends import end
from tunnel.app.server import make_server


async def main(port: int) -> None:
    app = make_server(end("Alice")).streamable_http_app()
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning")
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
