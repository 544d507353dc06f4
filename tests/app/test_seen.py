"""What was seen with a key is remembered while the process lives, for so many links and no more."""

from tunnel.app.seen import LINKS, Seen


def key(number: int) -> bytes:
    return bytes([number] * 32)


def test_each_key_has_its_own() -> None:
    seen = Seen()
    seen.of(key(1)).add("a nonce")

    assert seen.of(key(1)) == {"a nonce"}
    assert seen.of(key(2)) == set()


def test_the_link_that_was_joined_longest_ago_is_forgotten_first() -> None:
    seen = Seen()
    for number in range(LINKS):
        seen.of(key(number)).add("a nonce")
    seen.of(key(0))
    seen.of(key(LINKS))

    assert seen.of(key(0)) == {"a nonce"}
    assert seen.of(key(1)) == set()


def test_it_holds_no_key() -> None:
    seen = Seen()
    seen.of(key(1))

    assert key(1) not in seen._nonces
