import json

import pytest
from tunnel_conformance.wire.link import mint
from tunnel_conformance.wire.log import ENTRIES, LONGEST, Log

LINK = mint(4321, "0123456789abcdef", bytes(range(32)))


class Clock:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_an_entry_has_the_seconds_since_the_case_began() -> None:
    clock = Clock()
    log = Log(clock)
    clock.seconds += 1.5
    log.sent("A", "hello")

    (entry,) = log.entries
    assert (entry.at, entry.who, entry.what, entry.text) == (1.5, "A", "sent", "hello")


@pytest.mark.parametrize(
    "text",
    [
        LINK.text,
        json.dumps({"joinLink": LINK.text, "invite": f"Join with <{LINK.text}>, please."}),
        json.dumps({"joinLink": LINK.text}).replace("/", "\\/"),
        LINK.text.replace("ws://", "WSS://").replace("127.0.0.1:4321", "some-words.trycloudflare.com"),
        f"a bare #{LINK.key_text}",
        '{"t":"auth","response":"' + LINK.key_text + '","name":"B"}',
        '{"t":"auth", "response" : "' + LINK.key_text + '=","name":"B"}',
    ],
    ids=["link", "in an answer", "with its slashes escaped", "of a transport", "key", "proof", "padded proof"],
)
def test_no_link_key_or_proof_stands_in_a_log(text: str) -> None:
    """LINK-9."""
    log = Log()
    log.received("A", text)
    log.answered(text)

    assert not any(LINK.key_text in entry.text or "/t/0123" in entry.text for entry in log.entries)


def test_what_a_case_hides_is_hidden_wherever_it_stands() -> None:
    """LINK-9."""
    log = Log()
    log.hide(LINK.key_text, "[key]")
    log.hide("", "never")
    log.sent("A", f"the key is {LINK.key_text}.")

    assert log.entries[0].text == "the key is [key]."


def test_a_long_text_is_cut_and_says_how_long_it_was() -> None:
    log = Log()
    log.sent("A", "x" * 100_000)

    assert log.entries[0].text == "x" * LONGEST + " ... (100000 characters)"


def test_an_entry_is_one_visible_line() -> None:
    log = Log()
    log.received("A", "a\nb\x1b[2J\u202ec")

    assert log.entries[0].text == "a\\nb\\x1b[2J\\u202ec"


def test_a_long_conversation_says_how_much_of_it_is_left_out() -> None:
    log = Log()
    for _ in range(ENTRIES + 5):
        log.sent("A", "hello")

    assert len(log.entries) == ENTRIES + 1
    assert log.entries[-1].text == "(5 entries more)"


def test_every_kind_of_entry_says_who_did_what() -> None:
    log = Log()
    log.did("say")
    log.answered("said")
    log.opened("A", "(a WebSocket)")
    log.did_connect("A", "/t/ab", "https://page.example", "deflate")
    log.closed("A", "gone")
    log.passed(30, 15)
    log.passed(30, 1)

    assert [(e.who, e.what) for e in log.entries] == [
        ("subject", "did"),
        ("subject", "answered"),
        ("A", "opened"),
        ("A", "did"),
        ("A", "closed"),
        ("kit", "time"),
        ("kit", "time"),
    ]
    assert [e.text for e in log.entries][-2:] == ["30 s pass, at 15 times the speed", "30 s pass"]
