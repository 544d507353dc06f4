"""What the conformance tests ask for is answered by the server that the program runs, and everything else reaches it as it is."""

import json
from collections.abc import Generator
from typing import Any

import httpx2
import pytest

from tests.app.mcp_conformance import a_mount

VERSION = "2026-07-28"


@pytest.fixture(scope="module")
def url() -> Generator[str]:
    with a_mount() as found:
        yield found


def ask(url: str, method: str, headers: dict[str, str] | None = None, **params: Any) -> dict[str, Any]:
    """The answer to a request of the 2026 era."""
    params["_meta"] = {
        "io.modelcontextprotocol/protocolVersion": VERSION,
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}},
    }
    sent = {
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": VERSION,
        "mcp-method": method,
        "mcp-name": params.get("name", params.get("uri", "")),
        **(headers or {}),
    }
    answer = httpx2.post(url, headers=sent, json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    lines = [line.removeprefix("data: ") for line in answer.text.splitlines() if "{" in line]
    return json.loads(lines[-1])


def test_a_made_up_resource_is_the_status(url: str) -> None:
    answer = ask(url, "resources/read", uri="test://static-text")

    assert json.loads(answer["result"]["contents"][0]["text"])["state"] == "waiting_for_guest"


def test_a_made_up_prompt_is_etiquette(url: str) -> None:
    assert ask(url, "prompts/get", name="test_simple_prompt")["result"]["description"].startswith("Remind the agent")


@pytest.mark.parametrize("times", [1, 2], ids=["once", "again, after a no"])
def test_a_made_up_question_is_ours_under_their_name(url: str, times: int) -> None:
    for _ in range(times):
        asked = ask(url, "tools/call", name="test_input_required_result_elicitation", arguments={})["result"]
        answered = ask(
            url,
            "tools/call",
            name="test_input_required_result_elicitation",
            arguments={},
            requestState=asked["requestState"],
            inputResponses={"user_name": {"action": "decline"}},
        )["result"]

        assert list(asked["inputRequests"]) == ["user_name"]
        assert "did not allow it" in answered["content"][0]["text"]


def test_what_is_not_made_up_is_not_touched(url: str) -> None:
    read = ask(url, "resources/read", uri="tunnel://protocol")
    wrong = ask(url, "tools/call", {"mcp-name": "tunnel_say"}, name="tunnel_status", arguments={})
    unknown = ask(url, "tools/call", name="test_image_content", arguments={})

    assert read["result"]["contents"][0]["uri"] == "tunnel://protocol"
    assert wrong["error"]["code"] == -32020
    assert unknown["error"]["code"] == -32602


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"params": 5}', b"\xff"])
def test_what_is_no_request_is_an_error_of_the_server(url: str, body: bytes) -> None:
    headers = {"accept": "application/json, text/event-stream", "content-type": "application/json"}

    assert httpx2.post(url, headers=headers, content=body).status_code == 400
