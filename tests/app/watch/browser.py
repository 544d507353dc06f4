"""A real Chromium without a screen, driven by its own DevTools protocol over the library for WebSockets that we have anyway."""

import asyncio
import base64
import itertools
import json
import subprocess
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

BROWSER = "chromium"
PATIENCE_SECONDS = 30.0

Json = dict[str, Any]  # as the browser wrote it


class Tab:
    """One page in the browser."""

    def __init__(self, socket: ClientConnection) -> None:
        self.events: list[Json] = []
        """What the browser told unasked: what was logged, what was refused."""
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Json]] = {}
        self._session = self._context = ""
        self._reading = asyncio.create_task(self._read())

    async def begin(self) -> None:
        self._context = (await self.do("Target.createBrowserContext"))["browserContextId"]
        created = await self.do("Target.createTarget", url="about:blank", browserContextId=self._context)
        target = created["targetId"]
        self._session = (await self.do("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.do(f"{domain}.enable")

    async def end(self) -> None:
        self._session = ""
        await self.do("Target.disposeBrowserContext", browserContextId=self._context)
        self._reading.cancel()

    async def do(self, method: str, **params: object) -> Json:
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        command: Json = {"id": number, "method": method, "params": params}
        if self._session:
            command["sessionId"] = self._session
        await self._socket.send(json.dumps(command))
        return await asyncio.wait_for(answer, PATIENCE_SECONDS)

    async def go(self, url: str) -> None:
        await self.do("Page.navigate", url=url)

    async def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        done = await self.do("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    async def until(self, script: str) -> Any:
        """The value of an expression, as soon as it is true."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                # Between two pages there is none to ask.
                with suppress(AssertionError):
                    if found := await self.run(script):
                        return found
                await asyncio.sleep(0.05)

    async def text(self, id: str) -> str:
        return await self.run(f"document.getElementById({id!r}).innerText")

    async def click(self, id: str) -> None:
        await self.run(f"document.getElementById({id!r}).click()")

    async def key(self, key: str, code: int, text: str = "") -> None:
        """A key is pressed, as on a keyboard."""
        named = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        await self.do("Input.dispatchKeyEvent", type="keyDown", text=text, **named)
        await self.do("Input.dispatchKeyEvent", type="keyUp", **named)

    async def size(self, width: int, height: int) -> None:
        await self.do(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    async def colours(self, scheme: str) -> None:
        await self.do("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    async def picture(self, path: Path) -> None:
        shot = await self.do("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(shot["data"]))  # noqa: ASYNC240 - nothing else runs now

    async def _read(self) -> None:
        async for line in self._socket:
            found: Json = json.loads(line)
            if "id" not in found:
                self.events.append(found)
            elif (answer := self._answers.pop(found["id"])) and not answer.done():
                if "error" in found:
                    answer.set_exception(AssertionError(found["error"]))
                else:
                    answer.set_result(found["result"])


@contextmanager
def a_browser() -> Generator[str]:
    """A browser with a profile of its own; the address at which it is driven."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = subprocess.Popen(
            [
                BROWSER,
                "--headless=new",
                "--no-sandbox",  # a container's root may not have one
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--remote-debugging-port=0",
                f"--user-data-dir={profile}",
                "about:blank",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        told = Path(profile, "DevToolsActivePort")
        try:
            until = time.monotonic() + PATIENCE_SECONDS
            while not (told.exists() and told.read_text().count("\n") == 1):
                assert time.monotonic() < until
                assert browser.poll() is None
                time.sleep(0.05)
            port, path = told.read_text().split()
            yield f"ws://127.0.0.1:{port}{path}"
        finally:
            browser.kill()
            browser.wait()


@asynccontextmanager
async def a_tab(browser: str) -> AsyncGenerator[Tab]:
    """A page in the browser, as if it were the first one ever."""
    async with connect(browser, max_size=2**26) as socket:
        tab = Tab(socket)
        await tab.begin()
        try:
            yield tab
        finally:
            await tab.end()
