"""A token is long, shown once, good until the next one, and who guesses waits while its person does not."""

import asyncio
import os

import pytest

from tunnel.app.watch.token import MOST_WRONG, Token, TooManyError

pytestmark = pytest.mark.anyio


async def test_a_token_fits_however_it_is_written() -> None:
    token = Token(bytes, 0)
    shown = token.new()

    assert shown == "aaaa-aaaa-aaaa-aaaa"
    for written in (shown, shown.upper(), shown.replace("-", ""), shown.replace("-", " "), f" {shown} "):
        assert await token.fits(written)


@pytest.mark.parametrize("given", ["", "a", "aaaa-aaaa-aaaa-aaab", "aaaa-aaaa-aaaa-aaaaa", "\ud800", "\u0430" * 16])
async def test_anything_else_does_not(given: str) -> None:
    token = Token(bytes, 0)
    token.new()

    assert not await token.fits(given)


async def test_before_there_is_one_nothing_fits() -> None:
    assert not await Token(os.urandom, 0).fits("")


async def test_a_new_token_voids_the_one_before() -> None:
    token = Token(os.urandom, 0)
    old, new = token.new(), token.new()

    assert old != new
    assert not await token.fits(old)
    assert await token.fits(new)


async def test_who_guesses_waits_and_keeps_nobody_out() -> None:
    token = Token(os.urandom, 60)
    shown = token.new()
    guessing = [asyncio.create_task(token.fits(f"{n}")) for n in range(MOST_WRONG)]
    await asyncio.sleep(0)

    assert await token.fits(shown)
    with pytest.raises(TooManyError):
        await token.fits("one more")
    for guess in guessing:
        guess.cancel()
    await asyncio.wait(guessing)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(token.fits("again"), 0.01)
