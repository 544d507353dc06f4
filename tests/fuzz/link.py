"""A pasted text is a join link that is read back from its own text, or an error that repeats neither the key nor the link."""

import inspect
from collections.abc import Callable, Iterator
from typing import Final

from tests.fuzz.showing import hidden, leak
from tests.fuzz.target import Target, text, vectors
from tunnel.core import link
from tunnel.core.link import JoinLink
from tunnel.errors import BadLink
from tunnel.spec.v1.constants import KEY_BYTES, LINK_CHARS

OWN_WORDS: Final = inspect.getsource(link)

LONGEST_ERROR: Final = 300
"""More characters than any of the errors has; the one of a later version is the longest."""


def check(data: bytes, parse: Callable[[str], JoinLink] = link.parse) -> None:
    """LINK-7, LINK-8."""
    pasted = text(data)
    try:
        found = parse(pasted)
    except BadLink as error:
        _is_discreet(pasted, str(error))
        return
    assert parse(found.text) == found, f"{found.text!r} is not read back"
    _is_what_was_pasted(found, pasted.strip())


def _is_discreet(pasted: str, error: str) -> None:
    assert not hidden(error), f"an error that cannot be shown: {error!r}"
    assert len(error) <= LONGEST_ERROR, f"an error that grows with what was pasted: {error!r}"
    # A scheme is shown in small letters, and a key is nearly as good in those.
    found = leak(pasted.lower(), error.lower(), OWN_WORDS.lower())
    assert not found, f"{found!r} of what was pasted is in {error!r}"


def _is_what_was_pasted(found: JoinLink, pasted: str) -> None:
    scheme, _, rest = pasted.partition(":")
    assert found.text == f"{scheme.lower()}:{rest}", f"{pasted!r} was read as {found.text!r}"
    assert len(found.text) <= LINK_CHARS
    assert len(found.key) == KEY_BYTES
    assert "#" not in found.url
    assert found.url.isascii()
    fragment = pasted.partition("#")[2]
    assert not leak(fragment, f"{found} {found!r}", found.url), f"the key is in {found!r}"


def seeds() -> Iterator[bytes]:
    """Links, good and bad, of this version and of others."""
    yield from vectors("links", "link")
    yield from vectors("links_later", "link")
    yield from vectors("links_own", "link")


KEY: Final = "AAcOFRwjKjE4P0ZNVFtiaXB3foWMk5qhqK-2vcTL0tk"
WORDS: Final = ("wss://", "ws://", "https:", "/t/", "#" + KEY, KEY, "[::1]", "127.0.0.1", ":65535", ":0", "@", "#", ".")

TARGET: Final = Target(check=check, seeds=seeds, words=WORDS)
