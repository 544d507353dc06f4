"""A URL is taken out of whatever a program writes, in its plain form; and where there is none, it is said what was there instead."""

import asyncio
import re
import time

import pytest

from tests.io.asynchronous import asynchronous, until
from tests.transport.trees import act, running
from tunnel.transport.base import TransportError
from tunnel.transport.urls import ANY_URL, NoUrlError, ended, first_url, origin

SECONDS = 20.0


async def found(*words: str, pattern: re.Pattern[str] = ANY_URL, seconds: float = SECONDS) -> str:
    async with running(*act(*words)) as child:
        return await first_url(child, pattern, seconds)


async def not_found(*words: str, seconds: float = SECONDS) -> NoUrlError:
    with pytest.raises(NoUrlError) as caught:
        await found(*words, seconds=seconds)
    assert str(caught.value).isprintable()
    return caught.value


@pytest.mark.parametrize(
    ("line", "url"),
    [
        ("https://example.org", "https://example.org"),
        ("Your URL is: https://Example.ORG/, enjoy", "https://example.org"),
        ("INF | <https://example.org:8443/> |", "https://example.org:8443"),
        ("http://127.0.0.1:4711.", "http://127.0.0.1:4711"),
        ('url="https://[2001:db8::1]:443/"', "https://[2001:db8::1]:443"),
        ("[https://[2001:db8::1]].", "https://[2001:db8::1]"),
        ("\x1b[1;32mhttps://example.org\x1b[0m", "https://example.org"),
        ("(see https://a.example) https://b.example", "https://a.example"),
    ],
    ids=[
        "alone",
        "in a sentence",
        "in a box",
        "an address",
        "in quotes",
        "an address in brackets",
        "in colours",
        "the first of two",
    ],
)
@asynchronous
async def test_the_url_is_taken_out_of_its_line(line: str, url: str) -> None:
    assert await found("answers", line) == url


@asynchronous
async def test_the_first_group_of_a_pattern_is_the_url() -> None:
    pattern = re.compile(r"public: (https://\S+)")

    assert await found("answers", "docs: https://a.example public: https://b.example/", pattern=pattern) == (
        "https://b.example"
    )


@asynchronous
async def test_a_url_after_much_else_is_found() -> None:
    assert await found("writes", "1", *[r"\xff\x00 noise\n"] * 5000, "https://example.org") == "https://example.org"


@pytest.mark.parametrize(
    "url",
    [
        "https://user@example.org",
        "https://user:word@example.org",
        "https://ex\u0430mple.org",
        "https://example.org\u202e.evil",
        "https://example.org\\evil",
        "https://ex%61mple.org",
        "https://example.org:0",
        "https://example.org:65536",
        "https://example.org:port",
        "https://[::1",
        "https://-example.org",
        "https:///path",
        "https://" + "x" * 5000 + "\u202e",
    ],
)
@asynchronous
async def test_a_hostile_url_is_refused(url: str) -> None:
    error = await not_found("answers", url)

    assert str(error).startswith("named an address that cannot be used: https://")
    assert len(str(error).encode()) < 400


@pytest.mark.parametrize("behind", ["/path", "/?query", "?query", "#fragment", "/a/b?c=d#e."])
@asynchronous
async def test_a_url_with_something_behind_its_host_is_refused_and_that_is_not_shown(behind: str) -> None:
    """It may be a secret. A banner's link to a manual is refused too: what comes first is taken for the public URL."""
    error = await not_found("answers", f"see https://example.org{behind} then https://b.example")

    assert str(error) == (
        "named an address that cannot be used: https://example.org; "
        "something stands behind its host, and a join link has no place for it"
    )


@pytest.mark.parametrize(
    ("url", "shown", "why"),
    [
        ("https://me:word@example.org/path?token=1", "https://example.org", "a user stands before its host"),
        ("https://me:w@rd@[2001:db8::1]:8443", "https://[2001:db8::1]", "a user stands before its host"),
        ("https://example.org:word", "https://example.org", "what stands behind https:// is no host and port"),
        ("https://[::1", "https://[::1", "what stands behind https:// is no host and port"),
        ("ftp://example.org", "ftp://example.org", "it begins with neither http:// nor https://"),
        ("https://ex_ample.org", "https://ex_ample.org", "its host is no name or address that a guest can dial"),
        ("https://" + "x" * 254, "https://" + "x" * 189 + "…", "its host is no name or address that a guest can dial"),
        ("https://example.org:0", "https://example.org", "there is no port 0"),
        ("http://8.8.8.8:8000/x", "http://8.8.8.8", "something stands behind its host"),
    ],
)
def test_of_a_url_that_is_refused_scheme_and_host_are_shown_with_the_reason(url: str, shown: str, why: str) -> None:
    with pytest.raises(NoUrlError) as caught:
        origin(url)

    assert str(caught.value).startswith(f"named an address that cannot be used: {shown}; {why}")


@asynchronous
async def test_last_words_are_shown_without_secrets() -> None:
    error = await not_found("exits", "1", "bad authtoken: 2abCdef for", "wss://me:word@a.example/?key=1")

    assert error.last_line == "bad authtoken: [hidden] for wss://[hidden]@a.example/?[hidden]"
    assert error.last_line in str(error)


@pytest.mark.parametrize("url", ["ftp://example.org", "example.org", "", "https:example.org", "https://ex_ample.org"])
def test_what_is_no_url_has_no_origin(url: str) -> None:
    with pytest.raises(NoUrlError):
        origin(url)


@asynchronous
async def test_one_that_ends_is_told_with_its_status_and_last_words() -> None:
    error = await not_found("exits", "3", "no account. \x1b[2JLog in.")

    assert str(error) == "exited with status 3; its last words: no account. Log in"
    assert (error.status, error.last_line) == (3, "no account. Log in.")
    assert isinstance(error, TransportError)


@asynchronous
async def test_long_last_words_are_cut() -> None:
    error = await not_found("exits", "1", "x" * 5000)

    assert len(error.last_line.encode()) == 200


@asynchronous
async def test_one_that_ends_without_a_word_is_told() -> None:
    assert str(await not_found("dies", "9")) == "was ended by signal 9, without a word"


@asynchronous
async def test_one_that_names_none_in_time_is_told_and_goes_on() -> None:
    async with running(*act("answers", "wait for it")) as child:
        await until(lambda: bool(child._output._lines))
        began = time.monotonic()
        with pytest.raises(NoUrlError) as caught:
            await first_url(child, ANY_URL, 0.5)

        assert 0.5 <= time.monotonic() - began < 5
        assert str(caught.value) == "named no URL in 0.5 s; its last words: wait for it"
        assert caught.value.status is None
        assert not child.exited.done()


@asynchronous
async def test_a_flood_does_not_hold_up_the_end_of_the_wait() -> None:
    began = time.monotonic()
    error = await not_found("floods", seconds=0.5)

    assert "no URL in 0.5 s" in str(error)
    assert time.monotonic() - began < 10


@asynchronous
async def test_whoever_waits_can_be_cancelled() -> None:
    async with running(*act("stays")) as child:
        waiting = asyncio.ensure_future(first_url(child, ANY_URL, SECONDS))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])

        assert waiting.cancelled()


@pytest.mark.parametrize(
    ("status", "said"), [(0, "exited with status 0"), (7, "exited with status 7"), (-15, "was ended by signal 15")]
)
def test_an_end_is_told_in_words(status: int, said: str) -> None:
    assert ended(status) == said
