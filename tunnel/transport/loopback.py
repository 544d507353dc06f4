"""Two ends on one machine: for tests, for the demo, and for two agents of one person. It starts nothing and can lose nothing."""

import asyncio


class Loopback:
    """The relay's own port on 127.0.0.1."""

    name = "loopback"
    privacy = "Only programs on this machine can reach this tunnel; nothing leaves it."

    listens_at = ("127.0.0.1", 0)

    def __init__(self) -> None:
        self._lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @property
    def lost(self) -> asyncio.Future[str]:
        """Never done."""
        return self._lost

    async def start(self, port: int) -> str:
        """The URL of the port itself."""
        return f"http://127.0.0.1:{port}"

    async def stop(self) -> None:
        """There is nothing to give back."""
