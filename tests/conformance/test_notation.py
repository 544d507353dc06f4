import pytest
from tunnel_conformance.notation import Value, constants, peers, words

from tunnel.spec.v1.constants import GUEST_FRAME_BYTES, STRANGER_CONNECTIONS


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{GUEST_FRAME_BYTES}", GUEST_FRAME_BYTES),
        ("{GUEST_FRAME_BYTES} + 1", GUEST_FRAME_BYTES + 1),
        ("{GUEST_FRAME_BYTES} - 1", GUEST_FRAME_BYTES - 1),
        ("X{STRANGER_CONNECTIONS}", f"X{STRANGER_CONNECTIONS}"),
        ("10 + 1", "10 + 1"),
    ],
)
def test_a_constant_stands_for_its_number(text: str, value: Value) -> None:
    assert constants(text) == value


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("", ("A",)),
        ("B", ("B",)),
        ("A, B", ("A", "B")),
        ("X1 .. X3", ("X1", "X2", "X3")),
        ("X1 .. X{STRANGER_CONNECTIONS}", tuple(f"X{n}" for n in range(1, STRANGER_CONNECTIONS + 1))),
    ],
    ids=["nobody", "one", "two", "a row", "a row to a constant"],
)
def test_by_names_the_peers(by: str, names: tuple[str, ...]) -> None:
    assert peers(by) == names


def test_words_in_braces_are_replaced_and_json_is_left_alone() -> None:
    found = words(
        {"text": '{"t":"send"} {key} {no such word}', "bytes": "{NAME_BYTES} + 1", "last": True, "seq": 3},
        lambda name: "[the key]" if name == "key" else None,
    )

    assert found.text("text") == '{"t":"send"} [the key] {no such word}'
    assert found.number("bytes") == 257
    assert found.flag("last")
    assert not found.flag("seq")
    assert found.text("seq") == "3"
    assert found.number("missing", 7) == 7
    assert "missing" not in found
    assert str(words({"reason": "bad key", "last": True, "bare": False, "seq": 3}, lambda _: None)) == (
        'reason "bad key", last yes, bare no, seq 3'
    )
