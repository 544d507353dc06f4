import pytest
from tunnel_conformance.wire.link import mint, parse

KEY = bytes(range(32))


def test_a_link_that_is_made_is_read_again() -> None:
    link = mint(4321, "0123456789abcdef", KEY)

    assert link.text.startswith("ws://127.0.0.1:4321/t/0123456789abcdef#")
    assert parse(link.text) == link
    assert link.key_text == link.text.partition("#")[2]


@pytest.mark.parametrize(
    "text",
    [
        None,
        5,
        "",
        "ws://h/t/ab",
        "http://h/t/ab#" + "A" * 43,
        "ws://h/t/AB#" + "A" * 43,
        "ws://h/t/ab#" + "A" * 42 + "B",
    ],
)
def test_what_is_no_link_is_not_repeated(text: object) -> None:
    """LINK-6, LINK-9."""
    with pytest.raises(ValueError, match=r"it is not|not canonical") as refused:
        parse(text)

    assert "AAAA" not in str(refused.value)
