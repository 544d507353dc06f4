"""Tells a session frame by frame, as it went over the wire between two real ends: `python -m tests.narrated` writes docs/session.md.

Chance comes from a seed and time from the story, so the page is the same in every run, byte for byte.
"""

import json
import sys
import textwrap
from pathlib import Path

from tests.conversation import Close, Dice, End, GuestEnd, HostSocket, Item, Stranger, Text, Tunnel
from tunnel import crypto
from tunnel.core import codec
from tunnel.core.instant import TICKS_PER_SECOND
from tunnel.spec.v1 import frames
from tunnel.spec.v1.constants import IDLE_SECONDS, KEY_BYTES, LINK_SECONDS
from tunnel.spec.v1.refusals import CLOSINGS

PAGE = Path(__file__).parents[1] / "docs" / "session.md"
GOAL = "find out why checkout fails"
QUESTION = "Which port does the staging server listen on?"
ANSWER = "8443. My person says that you may use it until noon."
SUMMARY = "port 8443, until noon"


class Watched(Tunnel):
    """A tunnel that notes what is put on the wire, and where to."""

    def __init__(self) -> None:
        super().__init__()
        self.dice = Dice("a session, narrated")
        self.seen: list[tuple[int, End, Item]] = []

    def carry(self, to: End, *items: Item) -> None:
        self.seen += [(self.ticks, to, item) for item in items]
        super().carry(to, *items)


class Story:
    """The page, as it is written while the session goes on."""

    def __init__(self) -> None:
        self.tunnel = Watched()
        self.lines: list[str] = []
        self._began = self.tunnel.ticks
        self._told = 0

    def step(self, title: str, *sentences: str) -> None:
        """A step under its title, with the frames that have gone over the wire since the last one."""
        seconds = (self.tunnel.ticks - self._began) // TICKS_PER_SECOND
        self.lines += [f"## {title}", "", _filled(f"*After {seconds} s.* " + " ".join(sentences)), ""]
        for _, to, item in self.tunnel.seen[self._told :]:
            self.lines += self._wire(to, item)
        self._told = len(self.tunnel.seen)

    def _wire(self, to: End, item: Item) -> list[str]:
        way = f"{_name(to.far)} \u2192 {_name(to)}"
        match item:
            case Text(text):
                return [f"{way}{self._said(text)}", "", "```{code-block} json", ":class: wire", "", text, "```", ""]
            case Close(closing) if closing is not None:
                row = CLOSINGS[closing]
                return [f"{way}, a close frame: code {row.code}, reason `{row.reason}`.", ""]
            case _:
                return []

    def _said(self, text: str) -> str:
        """Which frame it is, and what a sealed body says to whoever has the key."""
        frame = json.loads(text)
        name = f", [`{frame['t']}`](#frame-{frame['t']})"
        if frame.get("msg", {}).get("kind") != "chat":
            return f"{name}:"
        inside = crypto.open_body(self.tunnel.host.link.key, frame["msg"]["body"])
        return f"{name}; who has the key reads \u201c{inside}\u201d in its body:"


def _name(end: End | None) -> str:
    match end:
        case HostSocket():
            return "Alice (host)"
        case GuestEnd():
            return "Bob (guest)"
        case _:
            return "a thief"


def narrated() -> str:
    """The page."""
    story = Story()
    tunnel = story.tunnel
    link = tunnel.host.open(GOAL, "Alice")
    story.step(
        "Alice opens a tunnel",
        f"Her relay listens, its transport is reachable, and she gets the join link (LINK-6): `{link.text}`. It is good for",
        f"{LINK_SECONDS} seconds from now (LINK-2). What stands behind the `#` is the key; it never goes over the wire.",
        f"The first message of the session is numbered already: \u201c{tunnel.host.last}\u201d (SEQ-1). Nobody is there to hear it.",
    )
    _guess(story)
    tunnel.advance(30)
    bob = tunnel.dial("Bob", link)
    story.step(
        "Bob joins",
        "He got the link from Alice's person by a channel that both trust. Every connection gets a challenge of its own",
        "(AUTH-1); he answers it with an HMAC under the key (AUTH-2), and is let in. `auth_ok` brings what was numbered so",
        "far, and his own arrival is the next message. From now on nobody else gets in (LOCK-1).",
    )
    tunnel.advance(5)
    bob.say(QUESTION)
    story.step(
        "Bob asks",
        "He gives the message an id, and writes neither number nor time: the host sets them (SEQ-2). The body is sealed",
        "(SEAL-1), so whoever carries it sees its length. What comes back is the echo, by which he knows that his message has",
        "its number (SEQ-3).",
    )
    tunnel.advance(4)
    tunnel.host.say(ANSWER)
    story.step("Alice answers", "A host numbers what it says itself, so one frame is all.")
    _steal(story)
    tunnel.advance(2)
    tunnel.host.close(SUMMARY)
    story.step(
        "Alice closes",
        "The summary is the last message (CLOSE-1), in clear like every system message. The close frame says why (CLOSE-4), so Bob's",
        f"agent is told `{bob.cause.value if bob.cause else ''}`. Relay, port and files are gone at once (CLOSE-2), and the link is worth nothing any more.",
    )
    return "\n".join([*_opening(), *story.lines, *_end(story)]).rstrip() + "\n"


def _guess(story: Story) -> None:
    story.tunnel.advance(20)
    thief = story.tunnel.stranger()
    _prove(thief, bytes(KEY_BYTES))
    story.step(
        "A thief without the key is refused",
        "Whoever knows the public address can connect, and gets a challenge like everybody. The answer does not prove the key, so the",
        "first ground that holds is named (LINK-4). Nothing is used up by that (LINK-3): the link stays good.",
    )


def _steal(story: Story) -> None:
    story.tunnel.advance(3)
    thief = story.tunnel.stranger()
    _prove(thief, story.tunnel.host.link.key)
    story.step(
        "A thief with the link is refused",
        "This one has found the link, and proves it. A link admits once (LINK-1), and its guest is there.",
        "Bob and Alice notice nothing; on Alice's side a page can show it.",
    )


def _prove(thief: Stranger, key: bytes) -> None:
    response = crypto.prove(key, thief.challenge)
    thief.send(codec.encode(frames.Auth(response=response, name="Mallory")).decode())


def _filled(text: str) -> str:
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)


def _opening() -> list[str]:
    return [
        "# A session, narrated",
        "",
        _filled(
            "Alice and Bob each have an agent. This is one whole session of theirs, every frame as it went over the wire. It was "
            "recorded, not written: two real ends speak, with chance from a seed and time from the story, so that it comes out the "
            "same each time. A test records it again and compares. The fields are explained under [Frames](reference/frames.md), "
            "the states under [the host's session](reference/session.md) and [the guest's side](reference/guest.md)."
        ),
        "",
    ]


def _end(story: Story) -> list[str]:
    return [
        "## What was said",
        "",
        _filled(
            "Both ends hold the same transcript until they open or join another tunnel (CLOSE-7). Had nobody closed it, the "
            f"session would have ended {IDLE_SECONDS} seconds after its last message (IDLE-1)."
        ),
        "",
        "| number | text |",
        "|---:|---|",
        *(f"| {number} | {text} |" for number, text in enumerate(story.tunnel.host.texts, 1)),
    ]


if __name__ == "__main__":
    PAGE.write_text(narrated(), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE}\n")
