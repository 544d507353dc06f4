"""Prompts set an agent going with what its person typed, and repeat nothing that was wrong."""

import pytest
from mcp.client import Client
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, TextContent

from tests.app.ends import end
from tunnel.app import prompts
from tunnel.app.instructions import INSTRUCTIONS
from tunnel.app.server import make_server
from tunnel.spec.v1.constants import GOAL_BYTES, LINK_CHARS

SECRET = "ws://example.org/t/00ff#KeyThatMustNotBeSeenKeyThatMustNotBeSeenKey"


def text(name: str, **given: str) -> str:
    (message,) = prompts.get(name, given).messages
    assert isinstance(message.content, TextContent)
    assert message.role == "user"
    return message.content.text


@pytest.mark.anyio
@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_a_client_of_either_era_finds_three_prompts_and_gets_each(mode: str) -> None:
    async with Client(make_server(end("Alice")), mode=mode) as client:
        listed = (await client.list_prompts()).prompts
        host = await client.get_prompt("host", {"goal": "pair"})
        etiquette = await client.get_prompt("etiquette")
        with pytest.raises(MCPError) as caught:
            await client.get_prompt("host")

    assert [prompt.name for prompt in listed] == ["host", "join", "etiquette"]
    assert all(prompt.title and prompt.description for prompt in listed)
    assert "pair" in str(host.messages[0].content)
    assert "Take turns" in str(etiquette.messages[0].content)
    assert caught.value.error.code == INVALID_PARAMS


def test_to_host_takes_a_goal_and_to_join_a_link() -> None:
    assert "Its goal, in my words: pair on checkout\n" in text("host", goal=" pair on checkout ")
    assert f"tunnel_join: {SECRET}\n" in text("join", link=SECRET)
    assert INSTRUCTIONS in text("etiquette")


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        (SECRET, {}, "There is no prompt of this name; there are host, join, etiquette."),
        ("join", {}, "The prompt join needs its argument link."),
        ("join", {"link": " "}, "The prompt join needs its argument link."),
        ("join", {SECRET: "x"}, "its only argument is link"),
        ("join", {"link": SECRET, "Link": SECRET}, "its only argument is link"),
        ("etiquette", {"x": SECRET}, "it takes no arguments"),
        ("join", {"link": SECRET + "x" * LINK_CHARS}, "at most 2048 are allowed"),
        ("host", {"goal": "x" * (GOAL_BYTES + 1)}, f"at most {GOAL_BYTES} are allowed"),
        ("host", {"goal": "\ud800"}, "half of a surrogate pair"),
    ],
    ids=["no prompt", "nothing", "a blank", "another", "one more", "one to many", "long", "a long goal", "half a pair"],
)
def test_what_is_wrong_is_said_and_not_repeated(name: str, given: dict[str, str], said: str) -> None:
    with pytest.raises(MCPError) as caught:
        prompts.get(name, given)

    assert caught.value.error.code == INVALID_PARAMS
    assert said in caught.value.error.message
    assert "KeyThatMustNotBeSeen" not in caught.value.error.message
