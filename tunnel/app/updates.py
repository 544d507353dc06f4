"""Tells a client that a resource has changed, in the way of its era, as soon as it has, and of no other one.

In the handshake era a client subscribes to one resource by a request of its own; from 2026-07-28 on it opens a stream and
says what it wants to hear on it. Neither wakes an agent: a client may read again when it likes.
"""

from typing import Any, Final

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.session import ServerSession
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ResourceUpdated

from tunnel.app import resources
from tunnel.app.tools import Tools

STREAMS: Final = 16
"""So many streams one client may open; it needs one."""


class Updates:
    """The subscriptions of the one client of this process.

    Args:
        tools: what the resources tell of.
    """

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._told = resources.shapes(tools)
        self._bus = InMemorySubscriptionBus()
        self.on_listen = ListenHandler(self._bus, max_subscriptions=STREAMS)
        """Serves the streams of the 2026 era."""
        self._subscribed: dict[str, ServerSession] = {}
        tools.changes.listen(self.tell)

    async def subscribe(
        self, context: ServerRequestContext[Any], params: types.SubscribeRequestParams
    ) -> types.EmptyResult:
        """The client of the handshake era wants to hear of a resource."""
        resources.check(params.uri)
        self._subscribed[params.uri] = context.session
        return types.EmptyResult()

    async def unsubscribe(
        self, _context: ServerRequestContext[Any], params: types.UnsubscribeRequestParams
    ) -> types.EmptyResult:
        """It does not want to any more; once is enough, and twice is no error."""
        resources.check(params.uri)
        self._subscribed.pop(params.uri, None)
        return types.EmptyResult()

    async def tell(self) -> None:
        """Something has changed: whoever asked for a resource that is not as it was told last is told."""
        told, self._told = self._told, resources.shapes(self._tools)
        for uri in [uri for uri, shape in self._told.items() if shape != told[uri]]:
            await self._bus.publish(ResourceUpdated(uri=uri))
            if session := self._subscribed.get(uri):
                await self._send(session, uri)

    async def _send(self, session: ServerSession, uri: str) -> None:
        try:
            await session.send_resource_updated(uri)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            self._subscribed.pop(uri, None)  # The client has gone.
