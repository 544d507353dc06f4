"""Wrong with texts: names, goals, bodies."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# What stands around a function, or in its place, has its types: they need not be said again.

import re
from typing import Any

from tunnel import crypto
from tunnel.app import tools
from tunnel.core import guest, host, text, transcript
from tunnel_conformance.broken.patches.relay import UNBOUNDED
from tunnel_conformance.broken.patching import Original, all_of, put, wrap
from tunnel_conformance.broken.wrong import Patch


def shows_everything() -> Patch:
    """Names, goals and system texts are shown as they came."""

    def visible(text: str, _limit: int) -> str:
        return text

    return all_of(*(put(module, "visible", visible) for module in (text, host, guest, transcript)))


def shares_names() -> Patch:
    """A guest is shown under its name, whoever else has it."""
    return put(host, "shown_guest_name", lambda name, _host, limit: text.shown_name(name, limit))


def any_text() -> Patch:
    """A text of any length is said."""
    return all_of(put(host, "TEXT_BYTES", UNBOUNDED), put(guest, "TEXT_BYTES", UNBOUNDED))


def any_goal() -> Patch:
    """A goal or a summary of any length is taken from the own agent."""
    return all_of(put(tools, "GOAL_BYTES", UNBOUNDED), put(tools, "SUMMARY_BYTES", UNBOUNDED))


def any_name() -> Patch:
    """The own name goes out however long it is."""
    return put(guest, "cut", lambda text, _limit: text)


# --- Sealing ----------------------------------------------------------------------------------------------------------


def one_nonce() -> Patch:
    """Every body has the same nonce."""
    return wrap(crypto, "seal", lambda original, key, text, nonce: original(key, text, bytes(len(nonce))))


def in_clear() -> Patch:
    """A body is encoded, and not sealed."""
    return put(crypto, "seal", lambda _key, text, nonce: crypto.encode_base64url(nonce + bytes(16) + crypto.utf8(text)))


def any_spelling() -> Patch:
    """A body is opened however it is spelled."""

    def open_body(original: Original, key: bytes, body: str) -> Any:
        bare = re.sub(r"[^A-Za-z0-9_-]", "", body)
        try:
            return original(key, crypto.encode_base64url(crypto.urlsafe_b64decode(bare + "===")))
        except ValueError:
            return original(key, body)

    return wrap(crypto, "open_body", open_body)
