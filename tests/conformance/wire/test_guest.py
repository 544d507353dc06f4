import pytest
from tunnel_conformance.wire import crypto
from tunnel_conformance.wire.bell import Bell
from tunnel_conformance.wire.end import Came
from tunnel_conformance.wire.fields import parsed
from tunnel_conformance.wire.guest import Guest, is_nonce
from tunnel_conformance.wire.link import mint
from tunnel_conformance.wire.log import Log

KEY = bytes(range(32))


def guest() -> Guest:
    return Guest("A", mint(1, "ab", KEY), Log(), Bell())


def came(text: str, *, is_text: bool = True) -> Came:
    return Came(text=text, size=len(text), is_text=is_text, fields=parsed(text))


@pytest.mark.parametrize(
    "text",
    [
        '{"t":"challenge","nonce":5}',
        '{"t":"auth_ok"}',
        '{"t":"auth_ok","peerName":5,"backlog":[5,null]}',
        '{"t":"msg"}',
        '{"t":"msg","msg":[]}',
        "null",
    ],
)
def test_hostile_frames_tell_a_guest_nothing(text: str) -> None:
    one = guest()
    one.unread.append(came(text))

    assert one.take() == came(text)
    assert (one.nonce, one.host_name, one.messages) == ("", "", [])


def test_unknown_frames_are_passed_over_and_those_in_binary_messages_are_none() -> None:
    """WIRE-1, WIRE-4."""
    one = guest()
    one.unread += [came('{"t":"roster"}'), came('{"t":"challenge","nonce":"x"}', is_text=False)]
    found = one.take()

    assert found is not None
    assert found.name == ""
    assert one.nonce == ""
    assert one.take() is None


def test_a_guest_reads_what_it_is_told() -> None:
    one = guest()
    body = crypto.seal(KEY, "hello", bytes(24))
    one.unread += [
        came('{"t":"challenge","nonce":"x"}'),
        came('{"t":"auth_ok","goal":"g","peerName":"Alice","backlog":[{"seq":1,"kind":"system","body":"opened"}]}'),
        came('{"t":"msg","msg":{"seq":2,"kind":"chat","body":"' + body + '"}}'),
        came('{"t":"msg","msg":{"seq":3,"kind":"system","body":5}}'),
    ]
    while one.take():
        pass

    assert one.nonce == "x"
    assert one.host_name == "Alice"
    assert [one.text_of(message) for message in one.messages] == ["opened", "hello", None]


def test_a_proof_never_stands_in_the_log() -> None:
    """LINK-9."""
    one = guest()
    one.unread.append(came('{"t":"challenge","nonce":"x"}'))
    one.take()
    for proof in ("right", "wrong", "padded", "hex", "missing", "replayed"):
        one.auth("Bob", proof, replayed=one.response)
    one.send(f'{{"response":"{one.response}"}} {one.response}'.encode())

    right = crypto.prove(KEY, "x")
    assert not any(crypto.encode(right) in entry.text or right.hex() in entry.text for entry in one.log.entries)


@pytest.mark.parametrize("text", [None, 5, "", "short", "A" * 42, "A" * 42 + "=", "\u00e9" * 43])
def test_what_is_no_nonce_of_32_bytes_is_told_apart(text: object) -> None:
    """AUTH-1."""
    assert is_nonce("A" * 43)
    assert not is_nonce(text)
