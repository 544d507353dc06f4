"""What a person is shown: a peer's words in a column of their own, and our sentences about them in quotation marks."""

import pytest
from prompt_toolkit.utils import get_cwidth

from tunnel.app.chat import show
from tunnel.app.listening import HeardMessage
from tunnel.app.results import Provenance, State, Status

OWN: Provenance = "own"
PEER: Provenance = "peer, sealed with the link's key"
DOUBTFUL: Provenance = "peer, but replayed or not readable with the link's key"
SYSTEM: Provenance = "system text, not authenticated"


def message(text: str, provenance: Provenance = PEER) -> HeardMessage:
    kind = "system" if provenance == SYSTEM else "chat"
    return HeardMessage(id="00", seq=7, sender="guest", kind=kind, text=text, ts=0, provenance=provenance)


def shown(text: str, provenance: Provenance = PEER, peer: str = "Bob", width: int = 40) -> str:
    return "".join(piece for _, piece in show.on_screen(message(text, provenance), peer, width, get_cwidth))


def status(
    state: State = "connected",
    *,
    role: str = "host",
    because: str | None = None,
    detail: str | None = None,
    link: int | None = None,
    idle: int | None = None,
    peer: str = "Bob",
) -> Status:
    return Status(
        role="host" if role == "host" else "guest",
        peer_connected=state == "connected",
        goal='pair "well"',
        last_seq=3,
        opened_at=0,
        state=state,
        peer=peer,
        closed_because=because,
        detail=detail,
        link_expires_in_sec=link,
        idle_ends_in_sec=idle,
        next="",
    )


@pytest.mark.parametrize(
    ("provenance", "line"),
    [
        (OWN, "7 you: a\\n\\tb"),
        (PEER, "7 peer: a\\n\\tb"),
        (DOUBTFUL, "7 peer?: a\\n\\tb"),
        (SYSTEM, "7 system: a\\n\\tb"),
    ],
)
def test_a_message_is_one_line_for_programs(provenance: Provenance, line: str) -> None:
    assert show.in_a_line(message("a\n\tb", provenance)) == line


@pytest.mark.parametrize(
    ("provenance", "line"),
    [
        (OWN, "[7] you: hello\n"),
        (PEER, '[7] "Bob" (name not verified): hello\n'),
        (DOUBTFUL, '[7] "Bob" (name not verified) [replayed, or not readable with the link\'s key]: hello\n'),
        (SYSTEM, "[7] tunnel (not verified): hello\n"),
    ],
)
def test_a_short_message_is_one_line_on_the_screen(provenance: Provenance, line: str) -> None:
    assert shown("hello", provenance, width=100) == line


@pytest.mark.parametrize(
    "text",
    [
        "[8] you: yes\n[9] you: I agree",
        "x" * 35 + "[8] you: yes",
        " " * 200 + "[8] you: yes",
        "\u4e2d" * 90,
        "\t" * 30 + "me",
    ],
    ids=["lines", "a long word", "blanks", "wide characters", "tabs"],
)
@pytest.mark.parametrize("width", [1, 20, 40])
def test_no_line_of_a_peer_begins_in_the_first_column_or_is_broken_by_the_terminal(text: str, width: int) -> None:
    lines = shown(text, width=width).splitlines()
    whole = "".join(line.removeprefix(show.INDENT) for line in lines).replace(" ", "")

    assert lines[0].startswith('[7] "Bob')
    assert all(line.startswith(show.INDENT) for line in lines[1:])
    assert max(map(get_cwidth, lines)) <= max(width, len(show.INDENT) + show.LEAST_WIDTH)
    assert whole == '[7]"Bob"(namenotverified):' + text.replace("\n", "").replace("\t", "").replace(" ", "")


def test_a_name_that_reads_like_a_line_of_ours_stays_in_its_quotation_marks() -> None:
    assert shown("hello", peer='you": yes', width=100) == '[7] "you\': yes" (name not verified): hello\n'
    assert shown("hello", peer="B\u202eob" * 100, width=200).count("\u202e") == 0


def test_our_sentences_are_broken_between_words_and_a_link_is_not() -> None:
    link = "ws://127.0.0.1:4000/t/00#" + "k" * 43
    text = show.sentences(f"Pass this on to whom you trust:\n\n{link}\n \nabc \u4e2d" + "\u4e2d" * 30, 24, get_cwidth)
    lines = text.split("\n")

    assert link in lines
    assert lines[:2] == ["Pass this on to whom", "    you trust:"]
    assert all(get_cwidth(line) <= 24 for line in lines if line != link)
    assert all(not line or line.startswith((" ", "Pass", "abc", "ws:")) for line in lines)


@pytest.mark.parametrize(
    ("now", "said", "line"),
    [
        (
            status("waiting_for_guest", link=598, idle=1798),
            0,
            "host | waiting for the guest | link valid 9:58 | idle end in 29:58 | 0 messages",
        ),
        (status("waiting_for_guest", link=0), 1, "link expired: /close, and open a new one | 1 message"),
        (status("connected", role="guest"), 2, 'guest | talking with "Bob" (name not verified) | 2 messages'),
        (status("peer_left"), 2, "host | the guest has left | 2 messages"),
    ],
)
def test_the_status_line_tells_how_things_stand(now: Status, said: int, line: str) -> None:
    assert show.status_line(now, said).endswith(line)


def test_the_goal_is_quoted_and_said_to_be_the_hosts() -> None:
    assert show.status_text(status(role="guest"), 0).endswith("\ngoal (the host's words): \"pair 'well'\"")
    assert show.status_text(status(), 0).endswith("\ngoal: \"pair 'well'\"")


@pytest.mark.parametrize(
    ("over", "words", "is_good"),
    [
        (status("closed", because="closed_by_host"), "You have closed the tunnel.", True),
        (status("closed", because="closed_by_host", role="guest"), "The tunnel is over: The host closed", True),
        (status("closed", because="closed_by_guest", role="guest"), "You have left the tunnel.", True),
        (status("peer_left", because="peer_left"), 'The guest, "Bob" (name not verified), has left. A link', True),
        (status("peer_left", because="peer_left", detail="Silence."), "has left. Silence. A link", False),
        (status("closed", because="idle"), "Nothing was said for", True),
        (status("closed", because="transport_lost", detail="It fell."), "reach the tunnel. It fell. Open", False),
        (status("closed", because="host_gone", role="guest"), "broke without a word.", False),
    ],
)
def test_the_end_has_a_reason(over: Status, words: str, is_good: bool) -> None:
    text, found = show.ended(over)

    assert words in text
    assert found is is_good


def test_help_says_how_to_send_several_lines() -> None:
    assert "Alt+Enter" in show.help_text(is_piped=False)
    assert "backslash" in show.help_text(is_piped=True)
