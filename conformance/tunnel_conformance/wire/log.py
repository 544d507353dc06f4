"""What was said in a case, with the time at which it was: no join link, key or proof stands in it, and it stays small."""

import re
import time
from collections.abc import Callable
from typing import Final

from tunnel_conformance.records import Entry

LONGEST: Final = 400
"""So many characters of an entry are kept."""

ENTRIES: Final = 400
"""So many entries are kept."""

_SECRETS: Final = (
    (re.compile(r"(?i)\bwss?:\\?/\\?/[^\s\"'<>]+\\?/t\\?/[^\s\"'<>]*"), "[join link]"),
    (re.compile(r"#[A-Za-z0-9_-]{43}"), "#[key]"),
    (re.compile(r'("response"\s*:\s*)"(?:[^"\\]|\\.)*"'), r'\1"[proof]"'),
)

What = Callable[[], float]


class Log:
    """The conversation of one case.

    Args:
        now: seconds on any clock that only goes forward.
    """

    def __init__(self, now: What = time.monotonic) -> None:
        self._now = now
        self._began = now()
        self._entries: list[Entry] = []
        self._left_out = 0
        self._hidden: dict[str, str] = {}

    @property
    def seconds(self) -> float:
        """Real time since the case began."""
        return self._now() - self._began

    def hide(self, secret: str, shown: str) -> None:
        """From now on this text is shown as something else."""
        if secret:
            self._hidden[secret] = shown

    def clean(self, text: str) -> str:
        """A text without the secrets of this case."""
        for pattern, shown in _SECRETS:
            text = pattern.sub(shown, text)
        for secret, shown in self._hidden.items():
            text = text.replace(secret, shown)
        return text

    def sent(self, who: str, text: str) -> None:
        """A peer of the kit sent this."""
        self._add(who, "sent", text)

    def received(self, who: str, text: str) -> None:
        """A peer of the kit received this."""
        self._add(who, "received", text)

    def did(self, text: str) -> None:
        """The implementation's agent was told to do this."""
        self._add("subject", "did", text)

    def answered(self, text: str) -> None:
        """The implementation answered its agent with this."""
        self._add("subject", "answered", text)

    def opened(self, who: str, text: str) -> None:
        """A peer of the kit has a connection."""
        self._add(who, "opened", text)

    def did_connect(self, who: str, path: str, origin: str, offer: str) -> None:
        """A peer of the kit asks for a WebSocket."""
        more = "".join(f" {name}: {value}" for name, value in (("Origin", origin), ("Extensions", offer)) if value)
        self._add(who, "did", f"GET {path}{more}")

    def closed(self, who: str, text: str) -> None:
        """A connection is over."""
        self._add(who, "closed", text)

    def passed(self, seconds: float, speed: float) -> None:
        """Protocol time begins to pass."""
        self._add("kit", "time", f"{seconds:g} s pass" + (f", at {speed:g} times the speed" if speed != 1 else ""))

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Everything so far."""
        if not self._left_out:
            return tuple(self._entries)
        text = f"({self._left_out} entries more)"
        return (*self._entries, Entry(at=self._entries[-1].at, who="kit", what="did", text=text))

    def _add(self, who: str, what: str, text: str) -> None:
        if len(self._entries) >= ENTRIES:
            self._left_out += 1
            return
        self._entries.append(Entry(at=round(self.seconds, 4), who=who, what=what, text=self.shown(text)))  # type: ignore[arg-type]

    def shown(self, text: str) -> str:
        """A text without secrets, cut when it is long, on one line."""
        # A secret in front of the bound must not be cut in two before it is found; one far behind it is cut off anyway.
        clean = self.clean(text[: 100 * LONGEST])
        clean = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in clean[:LONGEST])
        return clean if len(text) <= LONGEST else f"{clean} ... ({len(text)} characters)"
