"""An AsyncAPI 3 document of the wire, from the host's point of view: what it sends is `send`, what the guest sends is `receive`.

Payloads are the schemas of the frames, in a form that JSON Schema draft 7 reads as well, which is what AsyncAPI is built on.
"""

from collections.abc import Iterable
from typing import Final

from spec.compiler.export_frames import examples, records_in, shape
from spec.compiler.export_json import Schema
from spec.compiler.python import class_name
from spec.compiler.reader import Spec
from tunnel.spec.model import Role, Shape

ASYNCAPI: Final = "3.0.0"
WS_BINDING: Final = "0.1.0"
"""The edition of AsyncAPI's WebSocket binding."""

IN_DOCUMENT: Final = "#/components/schemas/{}"

POINT_OF_VIEW: Final = (
    "This document describes the host: it sends what is `send` here, and receives what is `receive`. "
    "For a guest it is the other way round."
)
CHALLENGE: Final = ("AUTH-1", "AUTH-2", "AUTH-4", "AUTH-5")
"""The rules of the challenge and its answer, which is all the authentication there is."""
SEAL: Final = ("SEAL-1",)
RELAY: Final = ("WIRE-7", "WIRE-8", "WIRE-9")
"""The rules of the one path."""


def document(spec: Spec) -> Schema:
    """The document: it refers to nothing outside itself."""
    return {
        "asyncapi": ASYNCAPI,
        "id": f"urn:{spec.protocol.name}:wire-{spec.protocol.wire}",
        "info": {
            "title": f"The protocol `{spec.protocol.name}`, wire version {spec.protocol.wire}",
            "version": spec.protocol.spec_version,
            "description": f"{spec.protocol.summary}\n\n{POINT_OF_VIEW}",
            "license": {"name": "MIT"},
            "tags": [{"name": f"wire-{spec.protocol.wire}"}],
        },
        "defaultContentType": "application/json",
        "servers": {"relay": _server()},
        "channels": {"tunnel": _channel(spec)},
        "operations": {_verb(frame): _operation(frame) for frame in spec.frames.frames},
        "components": {
            "messages": {frame.name: _message(spec, frame) for frame in spec.frames.frames},
            "schemas": {
                part.name: shape(spec, part, IN_DOCUMENT) for part in (*spec.frames.records, *spec.frames.frames)
            },
            "securitySchemes": {"joinLink": _security(spec)},
        },
    }


def _server() -> Schema:
    return {
        "host": "{host}",
        "protocol": "wss",
        "description": "The host's relay, at the address that stands in the join link.",
        "variables": {"host": {"description": "Name or address, with a port where it is not the usual one."}},
        "security": [{"$ref": "#/components/securitySchemes/joinLink"}],
        "bindings": {"ws": {}},
    }


def _channel(spec: Spec) -> Schema:
    return {
        "address": "/t/{tunnelId}",
        "title": "One tunnel",
        "description": f"One WebSocket. {_rules(spec, RELAY)}",
        "parameters": {
            "tunnelId": {
                "description": "The path's part of the join link: a name, not a secret; lower-case hexadecimal, "
                f"{2 * spec.constants['TUNNEL_ID_BYTES']} digits from a host."
            }
        },
        "messages": {frame.name: {"$ref": f"#/components/messages/{frame.name}"} for frame in spec.frames.frames},
        "bindings": {"ws": {"method": "GET", "bindingVersion": WS_BINDING}},
    }


def _operation(frame: Shape) -> Schema:
    return {
        "action": "send" if frame.sender is Role.HOST else "receive",
        "channel": {"$ref": "#/channels/tunnel"},
        "title": f"The frame `{frame.name}`",
        "summary": frame.doc,
        "messages": [{"$ref": f"#/channels/tunnel/messages/{frame.name}"}],
    }


def _message(spec: Spec, frame: Shape) -> Schema:
    rules = (*frame.rules, *(rule for record in records_in(spec, frame) for rule in record.rules))
    return {
        "name": frame.name,
        "title": f"The frame `{frame.name}`",
        "summary": frame.doc,
        "description": _rules(spec, dict.fromkeys(rules)),
        "contentType": "application/json",
        "payload": {"$ref": IN_DOCUMENT.format(frame.name)},
        "examples": [{"name": frame.name, "payload": payload} for payload in examples(spec, frame.name)],
    }


def _security(spec: Spec) -> Schema:
    return {
        "type": "symmetricEncryption",
        "description": f"The key in the join link proves the guest, and seals what is said. {_rules(spec, (*CHALLENGE, *SEAL))}",
    }


def _rules(spec: Spec, ids: Iterable[str]) -> str:
    """The sentences of rules, each with its id behind it."""
    sentences = {rule.id: rule.text for rule in spec.rules.rules}
    return " ".join(f"{sentences[rule]} ({rule})" for rule in ids)


def _verb(frame: Shape) -> str:
    """What an operation is called: `sendChallenge`."""
    return f"{'send' if frame.sender is Role.HOST else 'receive'}{class_name(frame.name)}"
