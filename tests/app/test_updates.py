"""A client of either era is told that the tunnel has changed, about what it asked for, until it goes."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from mcp.client import Client
from mcp.server.subscriptions import ResourceUpdated
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    EmptyResult,
    ResourceUpdatedNotification,
    SubscribeRequest,
    SubscribeRequestParams,
    UnsubscribeRequest,
    UnsubscribeRequestParams,
)

from tests.app.ends import PATIENCE_SECONDS, close, end, join, open_, say
from tunnel.app import resources
from tunnel.app.server import make_server
from tunnel.app.tools import Tools
from tunnel.app.updates import Updates

pytestmark = pytest.mark.anyio


# The SDK's client has methods for these, and warns that they are gone from 2026-07-28 on; older clients still ask.
async def subscribe(client: Client, uri: str) -> None:
    await client.session.send_request(SubscribeRequest(params=SubscribeRequestParams(uri=uri)), EmptyResult)


async def unsubscribe(client: Client, uri: str) -> None:
    await client.session.send_request(UnsubscribeRequest(params=UnsubscribeRequestParams(uri=uri)), EmptyResult)


class Inbox:
    """What a client of the handshake era is told."""

    def __init__(self) -> None:
        self.uris: list[str] = []
        self._some = asyncio.Event()

    async def take(self, message: Any) -> None:
        if isinstance(message, ResourceUpdatedNotification):
            self.uris.append(message.params.uri)
            self._some.set()

    async def some(self, uri: str) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while uri not in self.uris:
                self._some.clear()
                await self._some.wait()
        self.uris.clear()


@asynccontextmanager
async def a_subscriber(*uris: str) -> AsyncGenerator[tuple[Tools, Client, Inbox]]:
    tools, inbox = end("Alice"), Inbox()
    try:
        async with Client(make_server(tools), mode="legacy", message_handler=inbox.take) as client:
            for uri in uris:
                await subscribe(client, uri)
            yield tools, client, inbox
    finally:
        await tools.exit()


async def test_in_the_handshake_era_a_subscriber_hears_of_opening_joining_saying_and_closing() -> None:
    async with a_subscriber(resources.STATUS, resources.TRANSCRIPT) as (alice, client, inbox):
        assert client.server_capabilities
        assert client.server_capabilities.resources
        assert client.server_capabilities.resources.subscribe
        link = await open_(alice)
        await inbox.some(resources.STATUS)
        bob = end("Bob")
        await join(bob, link)
        await inbox.some(resources.STATUS)
        await say(bob, "hello")
        await inbox.some(resources.TRANSCRIPT)
        await close(alice)
        await inbox.some(resources.STATUS)
        await bob.exit()


async def test_in_the_handshake_era_a_subscriber_hears_of_what_its_person_does_and_only_as_a_change_of_the_status() -> (
    None
):
    async with a_subscriber(resources.STATUS, resources.TRANSCRIPT) as (alice, _client, inbox):
        await open_(alice)
        await inbox.some(resources.TRANSCRIPT)
        heard = list[list[str]]()
        for act in (
            lambda: setattr(alice.budget, "is_paused", True),
            lambda: setattr(alice.budget, "is_paused", False),
            lambda: setattr(alice, "watch", "http://127.0.0.1:1/x/"),
        ):
            act()
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not inbox.uris:
                    await asyncio.sleep(0)
            await asyncio.sleep(0)
            heard.append(list(inbox.uris))
            inbox.uris.clear()
        await say(alice, "spends")
        await inbox.some(resources.TRANSCRIPT)
        alice.budget.grant(alice.budget.round)
        await inbox.some(resources.STATUS)

    assert heard == [[resources.STATUS]] * 3


async def test_in_the_2026_era_a_stream_hears_of_a_pause() -> None:
    alice = end("Alice")
    async with (
        Client(make_server(alice), mode="2026-07-28") as client,
        client.listen(resource_subscriptions=[resources.STATUS, resources.TRANSCRIPT]) as stream,
    ):
        alice.budget.is_paused = True
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await anext(aiter(stream)) == ResourceUpdated(uri=resources.STATUS)
            await open_(alice)
            assert await anext(aiter(stream)) == ResourceUpdated(uri=resources.STATUS)
            assert await anext(aiter(stream)) == ResourceUpdated(uri=resources.TRANSCRIPT)
    await alice.exit()


async def test_in_the_handshake_era_who_unsubscribes_hears_no_more_and_who_did_not_subscribe_nothing() -> None:
    async with a_subscriber(resources.STATUS, resources.TRANSCRIPT) as (alice, client, inbox):
        await unsubscribe(client, resources.STATUS)
        await unsubscribe(client, resources.STATUS)
        await open_(alice)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not inbox.uris:
                await asyncio.sleep(0)

        assert inbox.uris == [resources.TRANSCRIPT]


@pytest.mark.parametrize("uri", ["tunnel://nonesuch", "wss://a/t/00#KeyThatMustNotBeSeen"])
async def test_in_the_handshake_era_nobody_subscribes_to_what_does_not_exist(uri: str) -> None:
    async with a_subscriber() as (_, client, _inbox):
        for asking in (subscribe, unsubscribe):
            with pytest.raises(MCPError) as caught:
                await asking(client, uri)

            assert caught.value.error.code == INVALID_PARAMS
            assert "KeyThatMustNotBeSeen" not in str(caught.value.error)


async def test_in_the_2026_era_a_stream_hears_of_what_it_asked_for() -> None:
    alice = end("Alice")
    async with (
        Client(make_server(alice), mode="2026-07-28") as client,
        client.listen(resource_subscriptions=[resources.STATUS]) as stream,
    ):
        link = await open_(alice)
        async with asyncio.timeout(PATIENCE_SECONDS):
            first = await anext(aiter(stream))
            bob = end("Bob")
            await join(bob, link)
            second = await anext(aiter(stream))
        await bob.exit()
    await alice.exit()

    assert first == second == ResourceUpdated(uri=resources.STATUS)


async def test_a_subscriber_that_has_gone_is_forgotten() -> None:
    class Gone:
        def __init__(self) -> None:
            self.tries = 0

        async def send_resource_updated(self, uri: str) -> None:
            self.tries += 1
            raise anyio.ClosedResourceError

    alice, gone = end("Alice"), Gone()
    updates = Updates(alice)

    class Context:
        session = gone

    context: Any = Context()  # all that subscribing looks at
    await updates.subscribe(context, SubscribeRequestParams(uri=resources.STATUS))
    alice.budget.is_paused = True
    await updates.tell()
    alice.budget.is_paused = False
    await updates.tell()

    assert gone.tries == 1
