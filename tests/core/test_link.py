"""A join link is checked part by part before it is dialled, and nothing that is said about it repeats its key."""

import re
from collections.abc import Callable
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.pretty import pretty_repr

from tests.conversation import Dice
from tunnel import crypto
from tunnel.core.link import JoinLink, fresh_tunnel_id, mint, parse, path
from tunnel.errors import BadLink
from tunnel.spec.v1.constants import KEY_BYTES, LINK_CHARS, TUNNEL_ID_BYTES

KEY = bytes(range(KEY_BYTES))
SPELLED = crypto.encode_base64url(KEY)
GOOD = f"wss://a-b.trycloudflare.com/t/0123456789abcdef#{SPELLED}"

VALID = [
    pytest.param(GOOD, "wss://a-b.trycloudflare.com/t/0123456789abcdef", id="as a host writes it"),
    pytest.param(f"ws://127.0.0.1:8080/t/ab#{SPELLED}", "ws://127.0.0.1:8080/t/ab", id="on this machine"),
    pytest.param(f"ws://[::1]:8080/t/ab#{SPELLED}", "ws://[::1]:8080/t/ab", id="an IPv6 address"),
    pytest.param(f"wss://h:65535/t/0#{SPELLED}", "wss://h:65535/t/0", id="the last port, a short id"),
    pytest.param(f"wss://H.Example./t/ab#{SPELLED}", "wss://H.Example./t/ab", id="a name in capitals with a dot"),
    pytest.param(f" \t{GOOD}\r\n", "wss://a-b.trycloudflare.com/t/0123456789abcdef", id="blanks around it"),
]


@pytest.mark.parametrize(("text", "url"), VALID)
def test_a_link_of_the_grammar_is_accepted(text: str, url: str) -> None:
    """LINK-7."""
    link = parse(text)

    assert link.url == url
    assert link.key == KEY
    assert link.text == text.strip()


INVALID = [
    pytest.param("", "'#'", id="nothing"),
    pytest.param("hello", "'#'", id="no link"),
    pytest.param("wss://h/t/ab", "'#'", id="no key"),
    pytest.param("wss://h/t/ab#", "0 bytes", id="an empty key"),
    pytest.param(f"https://h/t/ab#{SPELLED}", "starts with 'https:'", id="https"),
    pytest.param(f"h/t/ab#{SPELLED}", "no scheme", id="no scheme"),
    pytest.param(f"{SPELLED}:x#{SPELLED}", "starts with 'aaeca", id="a key as scheme"),
    pytest.param(f"wss:///t/ab#{SPELLED}", "names no host", id="no host"),
    pytest.param(f"wss:h/t/ab#{SPELLED}", "names no host", id="no slashes"),
    pytest.param(f"wss://:80/t/ab#{SPELLED}", "names no host", id="a port without a host"),
    pytest.param(f"wss://h:/t/ab#{SPELLED}", "names no host", id="a colon without a port"),
    pytest.param(f"wss://h:0/t/ab#{SPELLED}", "names no host", id="port 0"),
    pytest.param(f"wss://h:65536/t/ab#{SPELLED}", "cannot be read", id="a port beyond the last"),
    pytest.param(f"wss://h:x/t/ab#{SPELLED}", "cannot be read", id="a port in letters"),
    pytest.param(f"wss://[::1/t/ab#{SPELLED}", "cannot be read", id="half a bracket"),
    pytest.param(f"wss://-h/t/ab#{SPELLED}", "names no host", id="a host that begins with a dash"),
    pytest.param(f"wss://h_x/t/ab#{SPELLED}", "names no host", id="a character that no host has"),
    pytest.param(f"wss://.../t/ab#{SPELLED}", "names no host", id="nothing but dots"),
    pytest.param(f"wss://evil[::1]/t/ab#{SPELLED}", "host", id="a name before an IPv6 address"),
    pytest.param(f"wss://[::1]x/t/ab#{SPELLED}", "host", id="a name behind an IPv6 address"),
    pytest.param(f"wss://user:pw@h/t/ab#{SPELLED}", "user name or password", id="a password"),
    pytest.param(f"wss://h/t/AB#{SPELLED}", "path", id="an id in capitals"),
    pytest.param(f"wss://h/t/xyz#{SPELLED}", "path", id="an id that is not hexadecimal"),
    pytest.param(f"wss://h/t/#{SPELLED}", "path", id="no id"),
    pytest.param(f"wss://h/t/ab/#{SPELLED}", "path", id="a slash behind the id"),
    pytest.param(f"wss://h//t/ab#{SPELLED}", "path", id="two slashes"),
    pytest.param(f"wss://h/./t/ab#{SPELLED}", "path", id="a dot in the path"),
    pytest.param(f"wss://h/t/%61b#{SPELLED}", "path", id="a percent sign"),
    pytest.param(f"wss://h/t/ab?q=1#{SPELLED}", "path", id="a query"),
    pytest.param(f"wss://h/t/ab?#{SPELLED}", "path", id="an empty query"),
    pytest.param(f"wss://h/t/ab;x#{SPELLED}", "path", id="a parameter"),
    pytest.param(f"wss://h/t/\uff41b#{SPELLED}", "no link has", id="a full-width digit"),
    pytest.param(f"wss://h/t/ab# {SPELLED}", "blank", id="a blank before the key"),
    pytest.param(f"wss://h/t/a\nb#{SPELLED}", "blank", id="a line break inside"),
    pytest.param(f"wss://h/t/ab#{SPELLED}=", "base64url", id="padding"),
    pytest.param(f"wss://h/t/ab#{'/' * 42}8", "base64url", id="the standard alphabet"),
    pytest.param(f"wss://h/t/ab#{SPELLED[:-1]}l", "base64url", id="a tail that is not canonical"),
    pytest.param(f"wss://h/t/ab#{SPELLED}A", "33 bytes", id="a character too many"),
    pytest.param(f"wss://h/t/ab#{SPELLED[:-1]}", "base64url", id="a character too few"),
    pytest.param(f"wss://h/t/ab#{SPELLED}AAA", "34 bytes", id="a key that is too long"),
    pytest.param(f"wss://h/t/ab#{SPELLED[:-3]}", "30 bytes", id="a key that is too short"),
    pytest.param(f"wss://h/t/ab#{SPELLED}#x", "base64url", id="two number signs"),
    pytest.param(f"wss://h/t/{'a' * LINK_CHARS}#{SPELLED}", "at most 2048", id="too long"),
]


@pytest.mark.parametrize(("text", "says"), INVALID)
def test_anything_else_is_refused_with_the_part_that_is_wrong(text: str, says: str) -> None:
    """LINK-7, SEAL-4."""
    with pytest.raises(BadLink, match=re.escape(says)):
        parse(text)


@pytest.mark.parametrize(
    "token", ["CA8WHSQrMjlAR05VXGNqcQ", "short", "", "a.b"], ids=["a token", "a short one", "none", "two"]
)
def test_a_link_of_a_later_version_is_named_as_such(token: str) -> None:
    """LINK-8."""
    with pytest.raises(BadLink, match=r"wire version 2 or 3.*Ask the host"):
        parse(f"{GOOD}.{token}")


def test_a_link_of_the_longest_length_is_looked_at() -> None:
    """LINK-7."""
    text = f"wss://h/t/{'a' * (LINK_CHARS - len(SPELLED) - len('wss://h/t/#'))}#{SPELLED}"

    assert len(text) == LINK_CHARS
    assert parse(text).key == KEY


MINTED = [
    pytest.param("https://a-b.trycloudflare.com", "wss://a-b.trycloudflare.com/t/ab", id="https"),
    pytest.param("http://127.0.0.1:8080", "ws://127.0.0.1:8080/t/ab", id="http"),
    pytest.param("https://http.example", "wss://http.example/t/ab", id="http in the name"),
    pytest.param("https://h/", "wss://h/t/ab", id="a slash at the end"),
]


@pytest.mark.parametrize(("public_url", "url"), MINTED)
def test_a_minted_link_is_the_public_url_with_the_key(public_url: str, url: str) -> None:
    """LINK-6."""
    assert mint(public_url, "ab", KEY).text == f"{url}#{SPELLED}"


@pytest.mark.parametrize("public_url", ["ftp://h", "https://", "https://h/path", "https://u@h", ""])
def test_a_host_mints_no_link_that_a_guest_would_refuse(public_url: str) -> None:
    """LINK-6, LINK-7."""
    with pytest.raises(BadLink):
        mint(public_url, "ab", KEY)


def test_a_tunnel_id_is_fresh_and_lower_case_hexadecimal() -> None:
    """LINK-6."""
    dice = Dice("ids")
    first, second = fresh_tunnel_id(dice), fresh_tunnel_id(dice)

    assert first != second
    assert bytes.fromhex(first).hex() == first
    assert len(first) == 2 * TUNNEL_ID_BYTES


def test_the_path_of_a_tunnel_is_what_its_link_dials() -> None:
    """WIRE-7, LINK-6."""
    assert parse(GOOD).url.endswith(path("0123456789abcdef"))


@given(st.binary(min_size=KEY_BYTES, max_size=KEY_BYTES), st.binary(min_size=8, max_size=8))
def test_every_minted_link_is_read_back(key: bytes, id_bytes: bytes) -> None:
    """LINK-6, LINK-7."""
    link = mint("https://h.example", id_bytes.hex(), key)

    assert parse(link.text) == link


@given(st.text(max_size=60), st.integers(0, len(GOOD)))
def test_any_text_is_a_link_or_a_bad_link(text: str, at: int) -> None:
    """LINK-7."""
    try:
        link = parse(GOOD[:at] + text + GOOD[at:])
    except BadLink:
        return

    assert parse(link.text) == link


# --- The key stays where it is ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "says"), INVALID)
def test_no_complaint_repeats_the_key(text: str, says: str) -> None:
    """LINK-9."""
    with pytest.raises(BadLink) as caught:
        parse(text)

    assert SPELLED[:-3] not in str(caught.value)
    assert SPELLED[:-3].lower() not in str(caught.value).lower()
    assert caught.value.__cause__ is None


def on_a_terminal(link: JoinLink) -> str:
    screen = StringIO()
    Console(file=screen, width=500).print(link)
    return screen.getvalue()


@pytest.mark.parametrize("show", [repr, str, "{}".format, "{!r}".format, pretty_repr, on_a_terminal])
def test_a_shown_link_hides_its_key(show: Callable[[JoinLink], str]) -> None:
    """LINK-9."""
    shown = show(parse(GOOD))

    assert "trycloudflare" in shown
    assert SPELLED not in shown
    assert repr(KEY)[2:20] not in shown


def test_a_pretty_printed_link_says_which_part_is_shown() -> None:
    """LINK-9."""
    assert parse(GOOD).__rich_repr__() == [("url", f"{parse(GOOD).url}#...")]
