"""Takes the examples of the reference out of the recorded session, whose link is public: every proof and seal in them can be checked.

A test records the session anew and compares, so what stands in its page went over the wire between two real ends.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tunnel import crypto

PAGE = Path("docs", "session.md")

_FRAME = re.compile(r"^```\{code-block\} json\n:class: wire\n\n(.+)\n```$", re.MULTILINE)
_KEY = re.compile(r"#([\w-]{43})`")


class Examples(NamedTuple):
    """One frame of each name, and what is needed to check them."""

    key: str
    """As it stands in the link."""
    text: str
    """What the body of the chat says."""
    shapes: Mapping[str, Any]
    """Frames and the records in them, as JSON, by their names."""

    def shown(self, name: str) -> str:
        """A frame or record, set in lines."""
        return json.dumps(self.shapes[name], ensure_ascii=False, indent=2)


def read_examples(page: str) -> Examples:
    """The frames of an admission, of one that was refused before it, and of the first chat behind it.

    Raises:
        ValueError: the page does not have them.
    """
    frames: list[dict[str, Any]] = [json.loads(text) for text in _FRAME.findall(page)]
    key = _KEY.search(page)
    admitted = next((index for index, frame in enumerate(frames) if frame["t"] == "auth_ok"), None)
    if key is None or admitted is None:
        raise ValueError(f"{PAGE}: it has no link, or nobody is let in; `python -m tests.narrated` writes it anew")
    shapes = {frame["t"]: frame for frame in frames[: admitted + 1]}
    chats = [frame for frame in frames[admitted:] if frame.get("msg", {}).get("kind") == "chat"]
    shapes |= {frame["t"]: frame for frame in reversed(chats)}
    shapes |= {"message": shapes["msg"]["msg"], "draft": shapes["send"]["msg"]}
    return Examples(key[1], crypto.open_body(crypto.decode_base64url(key[1]), shapes["draft"]["body"]), shapes)
