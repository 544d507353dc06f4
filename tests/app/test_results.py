"""The names on the agent's side are those of the released implementation, with more behind them."""

import msgspec
import pytest

from tunnel.app import results

RELEASED: dict[type[msgspec.Struct], list[str]] = {
    results.OpenArguments: ["goal"],
    results.JoinArguments: ["joinLink"],
    results.SayArguments: ["text"],
    results.ListenArguments: ["sinceSeq", "timeoutMs"],
    results.StatusArguments: [],
    results.CloseArguments: ["summary"],
    results.Opened: ["tunnelId", "joinLink", "status", "joinLinkExpiresInSec", "invite"],
    results.JoinedTunnel: ["tunnelId", "goal", "peer"],
    results.SaidMessage: ["seq"],
    results.Listened: ["messages", "status"],
    results.ListenedMessage: ["id", "seq", "from", "kind", "text", "ts"],
    results.Status: ["role", "peerConnected", "goal", "lastSeq", "openedAt"],
    results.Closed: ["ok"],
}
ADDED: dict[type[msgspec.Struct], list[str]] = {
    results.OpenArguments: ["transport"],
    results.Opened: ["state", "transport", "privacy", "idleEndsInSec", "next"],
    results.JoinedTunnel: ["marks", "state", "next"],
    results.SaidMessage: ["state", "saysLeft"],
    results.Listened: ["cursor", "more", "waitedAtMostSec", "next"],
    results.ListenArguments: ["offset"],
    results.ListenedMessage: ["untrusted", "provenance", "offset", "rest"],
    results.Status: [
        "state",
        "peer",
        "closedBecause",
        "detail",
        "marks",
        "linkExpiresInSec",
        "idleEndsInSec",
        "next",
        "budget",
        "watch",
    ],
    results.Closed: ["state", "closedBecause", "next"],
}


@pytest.mark.parametrize("kind", RELEASED, ids=lambda kind: kind.__name__)
def test_released_names_come_first_and_ours_are_added(kind: type[msgspec.Struct]) -> None:
    assert list(kind.__struct_encode_fields__) == RELEASED[kind] + ADDED.get(kind, [])


@pytest.mark.parametrize("kind", results.Arguments.__subclasses__(), ids=lambda kind: kind.__name__)
def test_every_argument_is_described(kind: type[results.Arguments]) -> None:
    (described,), _ = msgspec.json.schema_components([kind])
    _, components = msgspec.json.schema_components([kind])

    assert described
    assert all("description" in argument for argument in components[kind.__name__]["properties"].values())


def test_required_is_what_the_released_tools_require() -> None:
    required = {kind.__name__: msgspec.structs.fields(kind) for kind in results.Arguments.__subclasses__()}

    assert {name: [f.encode_name for f in fields if f.required] for name, fields in required.items()} == {
        "OpenArguments": ["goal"],
        "JoinArguments": ["joinLink"],
        "SayArguments": ["text"],
        "ListenArguments": [],
        "StatusArguments": [],
        "CloseArguments": [],
    }


def test_how_a_tunnel_is_reached_is_chosen_by_a_name_and_an_agent_is_told_so() -> None:
    """Whatever runs on this machine is its person's choice: an agent may have been talked into it."""
    _, components = msgspec.json.schema_components([results.OpenArguments])
    described = components["OpenArguments"]["properties"]["transport"]["description"]

    assert "never a command or a URL" in described
    assert all(name in described for name in ("cloudflared", "direct", "command", "loopback"))
