"""What the exported vectors hold: what each file asks and what the answer consists of, as a table and as a JSON Schema."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from spec.compiler.export_json import Schema, head
from spec.compiler.reader import Spec


class Kind(NamedTuple):
    """What a file of vectors asks, and what the answer consists of."""

    type: str
    algorithm: str
    asks: tuple[str, ...]
    answers: tuple[str, ...] = ()
    always: tuple[str, ...] = ()
    """What is looked at whatever the result."""


KINDS: Final = {
    "base64url": Kind("Base64UrlDecode", "base64url", ("text",), ("bytes",)),
    "challenge": Kind("ChallengeProve", "HMAC-SHA256", ("key", "challenge"), ("response",)),
    "challenge_rejected": Kind("ChallengeVerify", "HMAC-SHA256", ("key", "challenge", "response")),
    "decode": Kind("FrameName", "JSON", ("text",), ("frame",)),
    "encode": Kind("FrameWrite", "JSON", ("from", "text")),
    "frames": Kind("FrameRead", "JSON", ("from", "text"), ("frame",), ("as",)),
    "links": Kind("LinkParse", "join link", ("link",), ("url", "tunnel_id", "key")),
    "links_later": Kind("LaterLinkParse", "join link", ("link",), (), ("named",)),
    "links_own": Kind("LinkGrammar", "join link", ("link",), ("url",)),
    "mint": Kind("LinkMint", "join link", ("public_url", "tunnel_id", "key"), ("link",)),
    "names": Kind("NameShow", "text", ("guest", "host"), ("shown",)),
    "open": Kind("SealOpen", "XSalsa20-Poly1305", ("key", "sealed"), ("text",)),
    "seal": Kind("SealWrite", "XSalsa20-Poly1305", ("key", "nonce", "text"), ("sealed",)),
    "shown": Kind("TextShow", "text", ("text", "limit"), ("shown",)),
}

BUG_TYPES: Final = {
    "AUTH_BYPASS": "Somebody gets in, or is believed, who must not be.",
    "CAN_OF_WORMS": "No hole by itself; where it is, others are not far.",
    "CONFIDENTIALITY": "Something secret gets out.",
    "DEFINED": "What never should come is answered in another way than the one that is laid down.",
    "EDGE_CASE": "The common cases are right, and this one is not.",
    "LEGACY": "Released peers do this.",
    "MALLEABILITY": "One value has several spellings.",
    "MISSING_STEP": "A step is left out, or one too many is done: the two ends cannot talk.",
    "MODIFIED_PARAMETER": "An input is taken that should have been looked at.",
}
"""What sorts of bugs there are, by Wycheproof's names."""


_KEY: Final = {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$", "description": "32 bytes in base64url."}
FIELDS: Final[dict[str, Schema]] = {
    "as": {
        "type": "string",
        "description": "The name under which a text that is no frame is ignored or refused; empty for a frame.",
    },
    "bytes": {"type": "string", "pattern": "^([0-9a-f]{2})*$", "description": "The bytes of the text, in hexadecimal."},
    "challenge": {"type": "string", "description": "The challenge, as it stands in the frame."},
    "frame": {"type": "string", "minLength": 1, "description": "The name of the frame that the text is."},
    "from": {"enum": ["host", "guest"], "description": "Who sends the text."},
    "guest": {"type": "string", "description": "What the guest calls itself."},
    "host": {"type": "string", "description": "What the host calls itself."},
    "key": _KEY,
    "limit": {"type": "integer", "minimum": 1, "description": "How many bytes of UTF-8 are shown at most."},
    "link": {"type": "string", "description": "A join link."},
    "named": {"type": "boolean", "description": "Whether it is refused as a link of a later wire version."},
    "nonce": {"type": "string", "pattern": "^[A-Za-z0-9_-]{32}$", "description": "24 bytes in base64url."},
    "public_url": {"type": "string", "description": "Where the transport makes the relay reachable."},
    "response": {"type": "string", "description": "What the guest answers to the challenge."},
    "sealed": {"type": "string", "description": "A sealed body."},
    "shown": {"type": "string", "description": "What a person is shown."},
    "text": {"type": "string"},
    "tunnel_id": {"type": "string", "pattern": "^[0-9a-f]+$"},
    "url": {"type": "string", "description": "What is dialled."},
}
"""What a vector holds."""


def schema(spec: Spec) -> Schema:
    """What all files have in common, and for each type of group what its tests hold."""
    whole: Schema = {
        "algorithm": {"enum": sorted({kind.algorithm for kind in KINDS.values()})},
        "schema": {"const": "schema.json"},
        "generatorVersion": {"const": spec.protocol.spec_version, "description": "The edition of the specification."},
        "numberOfTests": {"type": "integer", "minimum": 1},
        "header": {
            "type": "array",
            "items": {"type": "string"},
            "minItems": 1,
            "description": "What is claimed, first.",
        },
        "notes": {"type": "object", "additionalProperties": _refer("note"), "description": "What the flags mean."},
        "testGroups": {"type": "array", "minItems": 1, "items": {"oneOf": list(_groups())}},
    }
    begin = head(
        spec, "vectors", f"Test vectors of wire version {spec.protocol.wire}", "spec/compiler/export_vectors_schema.py"
    )
    return begin | _object(whole) | {"$defs": _COMMON | FIELDS | {"note": _note(), "source": _source()}}


_COMMON: Final[dict[str, Schema]] = {
    "tcId": {"type": "integer", "minimum": 1, "description": "Counts the tests of a file."},
    "comment": {"type": "string", "description": "What is asked, in words; no two tests of a file have the same."},
    "flags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True, "maxItems": 2},
    "why": {"type": "string", "minLength": 1, "description": "Why released peers answer in another way."},
}


def _groups() -> Iterator[Schema]:
    for file, kind in KINDS.items():
        tests = {"type": "array", "minItems": 1, "items": _test(kind)}
        yield {"title": file, **_object({"type": {"const": kind.type}, "source": _refer("source"), "tests": tests})}


def _test(kind: Kind) -> Schema:
    """One test: what is asked, with the whole answer where it is valid, and without any where it is not."""
    begin = {name: _refer(name) for name in ("tcId", "comment", "flags")}
    asked = {name: _refer(name) for name in (*kind.asks, *kind.always)}
    answered = {name: _refer(name) for name in kind.answers}
    why = {"why": _refer("why")}
    valid = _object(begin | asked | answered | {"result": {"const": "valid"}}, why)
    # Whoever takes what must be refused has a bug, and a bug has a flag.
    flagged = {"flags": {"$ref": "#/$defs/flags", "minItems": 1}}
    return {"oneOf": [valid, _object(begin | flagged | asked | {"result": {"const": "invalid"}}, why)]}


def _note() -> Schema:
    sorts = {"enum": sorted(BUG_TYPES), "description": " ".join(f"{name}: {doc}" for name, doc in BUG_TYPES.items())}
    told: Schema = {"type": "string", "minLength": 1}
    does = told | {"description": "What an implementation does that answers in another way."}
    return _object({"bugType": sorts, "description": does, "effect": told | {"description": "What comes of it."}})


def _source() -> Schema:
    return _object({"name": {"type": "string"}, "version": {"type": "string"}})


def _refer(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _object(needed: Schema, more: Schema | None = None) -> Schema:
    properties = needed | (more or {})
    return {"type": "object", "properties": properties, "required": list(needed), "additionalProperties": False}
