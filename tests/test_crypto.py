"""The key proves, seals and opens; every text has one spelling; and nothing here draws randomness."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.secret import SecretBox

from tunnel import crypto
from tunnel.errors import BadEncoding, Unreadable
from tunnel.spec.v1.constants import SEAL_NONCE_BYTES, SEAL_TAG_BYTES

KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))
NONCE = bytes(range(24))

keys = st.binary(min_size=32, max_size=32)
nonces = st.binary(min_size=SEAL_NONCE_BYTES, max_size=SEAL_NONCE_BYTES)


@given(st.binary(max_size=200))
def test_base64url_is_read_back(data: bytes) -> None:
    """SEAL-4."""
    text = crypto.encode_base64url(data)

    assert crypto.decode_base64url(text) == data
    assert "=" not in text


@given(st.text(st.sampled_from("AQgwZ_-+/= \n!"), max_size=9))
def test_no_two_texts_are_read_as_the_same_bytes(text: str) -> None:
    """SEAL-4."""
    try:
        data = crypto.decode_base64url(text)
    except BadEncoding:
        return

    assert crypto.encode_base64url(data) == text


FOREIGN = [
    pytest.param("AA==", id="padding"),
    pytest.param("AAA=", id="short padding"),
    pytest.param("A", id="a lone character"),
    pytest.param("AB", id="surplus bits"),
    pytest.param("AAB", id="surplus bits behind two bytes"),
    pytest.param("++//", id="the standard alphabet"),
    pytest.param("AA AA", id="a blank inside"),
    pytest.param("AAAA\n", id="a line break at the end"),
    pytest.param("AA!AA", id="a foreign character"),
    pytest.param("AAAA=AAAA", id="text behind padding"),
    pytest.param("\u00e4AAA", id="beyond ASCII"),
    pytest.param("\uff21AAA", id="a full-width letter"),
    pytest.param("\ud800AAA", id="half a surrogate pair"),
    pytest.param("AA\x00A", id="a null character"),
]


@pytest.mark.parametrize("text", FOREIGN)
def test_another_spelling_is_no_base64url(text: str) -> None:
    """SEAL-4."""
    with pytest.raises(BadEncoding):
        crypto.decode_base64url(text)


@given(keys, st.text())
def test_a_proof_is_the_hmac_over_the_text_of_the_challenge(key: bytes, challenge: str) -> None:
    """AUTH-2."""
    digest = hmac.new(key, challenge.encode(), hashlib.sha256).digest()

    assert crypto.decode_base64url(crypto.prove(key, challenge)) == digest
    assert crypto.verify(key, challenge, crypto.prove(key, challenge))


WRONG = [
    pytest.param(crypto.prove(KEY, "c") + "=", id="padded"),
    pytest.param(crypto.prove(KEY, "c").swapcase(), id="another case"),
    pytest.param(crypto.prove(KEY, "c")[:-1], id="cut off"),
    pytest.param(crypto.prove(KEY, "c") + " ", id="with a blank"),
    pytest.param(crypto.prove(KEY, "C"), id="of another challenge"),
    pytest.param(crypto.prove(OTHER_KEY, "c"), id="of another key"),
    pytest.param("", id="empty"),
    pytest.param("\u00e4", id="beyond ASCII"),
]


@pytest.mark.parametrize("response", WRONG)
def test_any_other_text_proves_nothing(response: str) -> None:
    """AUTH-4."""
    assert crypto.verify(KEY, "c", crypto.prove(KEY, "c"))
    assert not crypto.verify(KEY, "c", response)


@given(keys, st.text(), nonces)
def test_what_was_sealed_opens_with_the_same_key(key: bytes, text: str, nonce: bytes) -> None:
    """SEAL-1."""
    body = crypto.seal(key, text, nonce)

    assert crypto.open_body(key, body) == text
    assert crypto.decode_base64url(body)[:SEAL_NONCE_BYTES] == nonce
    assert len(body) == crypto.sealed_chars(len(text.encode()))


@given(st.text(), st.data())
def test_a_flipped_bit_makes_a_body_unreadable(text: str, data: st.DataObject) -> None:
    """SEAL-2."""
    sealed = bytearray(crypto.decode_base64url(crypto.seal(KEY, text, NONCE)))
    bit = data.draw(st.integers(0, 8 * len(sealed) - 1))
    sealed[bit // 8] ^= 1 << bit % 8

    with pytest.raises(Unreadable):
        crypto.open_body(KEY, crypto.encode_base64url(bytes(sealed)))


UNREADABLE = [
    pytest.param("", id="nothing"),
    pytest.param("no ciphertext", id="no base64url"),
    pytest.param(crypto.encode_base64url(NONCE), id="only a nonce"),
    pytest.param(crypto.encode_base64url(NONCE + b"\0" * (SEAL_TAG_BYTES - 1)), id="a tag that is too short"),
    pytest.param(crypto.encode_base64url(NONCE + b"\0" * SEAL_TAG_BYTES), id="a forged empty text"),
    pytest.param(crypto.seal(OTHER_KEY, "hello", NONCE), id="another key"),
    pytest.param(crypto.seal(KEY, "hello", NONCE) + "=", id="padded"),
    pytest.param(crypto.seal(KEY, "hello", NONCE) + "A", id="a character too many"),
    pytest.param(crypto.seal(KEY, "hello", NONCE)[:-4], id="cut off"),
    pytest.param("\ud800" * 60, id="halves of surrogate pairs"),
]


@pytest.mark.parametrize("body", UNREADABLE)
def test_a_body_that_was_not_sealed_with_this_key_is_unreadable(body: str) -> None:
    """SEAL-2, SEAL-4."""
    with pytest.raises(Unreadable):
        crypto.open_body(KEY, body)


@pytest.mark.parametrize(
    ("plain", "text"),
    [(b"\xff\xfeA", "\ufffd\ufffdA"), (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"), (b"\xef\xbb\xbfx", "\ufeffx")],
    ids=["no UTF-8", "an encoded half of a surrogate pair", "a byte-order mark"],
)
def test_bytes_that_are_no_text_are_shown_as_replacement_characters(plain: bytes, text: str) -> None:
    """SEAL-2."""
    body = crypto.encode_base64url(bytes(SecretBox(KEY).encrypt(plain, NONCE)))

    assert crypto.open_body(KEY, body) == text


@pytest.mark.parametrize(
    ("said", "heard"),
    [("a\ud800b", "a\ufffdb"), ("\udc00\ud800", "\ufffd\ufffd"), ("\ud83d\ude42", "\U0001f642")],
    ids=["one half", "two halves in the wrong order", "two halves that make a pair"],
)
def test_halves_of_surrogate_pairs_are_sealed_as_text(said: str, heard: str) -> None:
    """SEAL-1, WIRE-6."""
    assert crypto.open_body(KEY, crypto.seal(KEY, said, NONCE)) == heard


def test_sealing_draws_no_randomness_of_its_own() -> None:
    """SEAL-1."""
    assert crypto.seal(KEY, "hello", NONCE) == crypto.seal(KEY, "hello", NONCE)
    assert crypto.seal(KEY, "hello", NONCE) != crypto.seal(KEY, "hello", NONCE[::-1])
    assert len(crypto.encode_base64url(NONCE)) == crypto.NONCE_CHARS
