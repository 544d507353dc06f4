"""A visit says how far it came, in words that fit a look at a machine, and without any secret."""

import asyncio
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.app.doctor.machines import API, HURRY, PATIENCE, knows
from tests.io.asynchronous import asynchronous
from tests.io.dialling import answering, says, silent
from tests.standins.certificates import Authority
from tests.standins.programs import free_port
from tunnel.app.doctor.visit import UnreachedError, visit, why
from tunnel.errors import TheirFault
from tunnel.io.resolver import NoAddressError
from tunnel.io.through import ProxyAnswerError
from tunnel.io.trouble import SlowError
from tunnel.io.way import Patience, Way

HEAD = b"HTTP/1.1 404 Not Found\r\nDate: Tue, 15 Nov 1994 08:12:31 GMT\r\n\r\n"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def way(authority: Authority, patience: Patience = PATIENCE, **environment: str) -> Way:
    names = knows({API: "127.0.0.1"})
    return Way(environment=environment, ca_file=authority.file, doh_servers=(), lookup=names, patience=patience)


async def trouble(url: str, way: Way) -> UnreachedError:
    with pytest.raises(UnreachedError) as raised:
        await visit(url, way)
    return raised.value


@asynchronous
async def test_a_server_that_answers_was_reached_whatever_it_says(authority: Authority) -> None:
    async with answering(says(HEAD), authority.issue(API).server()) as port:
        assert (await visit(f"https://{API}:{port}/dns-query", way(authority))).encode() == HEAD


@asynchronous
async def test_a_server_is_asked_by_its_name_and_for_nothing_else(authority: Authority) -> None:
    asked: list[bytes] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(HEAD)

    async with answering(note, authority.issue("127.0.0.1").server()) as port:
        await visit(f"https://user:secret@127.0.0.1:{port}/secret?secret#secret", way(authority))

    assert asked == [b"HEAD / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"]


@asynchronous
async def test_a_port_at_which_nobody_listens(authority: Authority) -> None:
    assert str(await trouble(f"https://{API}:{free_port()}", way(authority))) == f"{API} refused the connection"


@asynchronous
async def test_a_name_that_nobody_knows(authority: Authority) -> None:
    found = await trouble("https://nonesuch.example.net", way(authority))

    assert str(found) == "no address of nonesuch.example.net was found"


@asynchronous
async def test_a_server_that_says_nothing(authority: Authority) -> None:
    async with answering(silent, authority.issue(API).server()) as port:
        found = await trouble(f"https://{API}:{port}", way(authority, HURRY))

    assert str(found) == f"{API} did not answer within 0.3 s"


@pytest.mark.parametrize("answer", [b"", b"x" * 200_000], ids=["nothing", "no end"])
@asynchronous
async def test_a_server_that_speaks_something_else(answer: bytes, authority: Authority) -> None:
    async with answering(says(answer), authority.issue(API).server()) as port:
        found = await trouble(f"https://{API}:{port}", way(authority))

    assert str(found).startswith(f"{API} c")


@asynchronous
async def test_a_server_whom_nobody_trusts(authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger")
    async with answering(says(HEAD), stranger.issue(API).server()) as port:
        found = await trouble(f"https://{API}:{port}", way(authority))

    assert str(found).startswith(f"no secure connection to {API} came about (")
    assert not found.wrong_time


@pytest.mark.parametrize(
    ("begins", "ends"), [(1994, 1995), (2094, 2095)], ids=["a clock that is ahead", "a clock that is behind"]
)
@asynchronous
async def test_a_certificate_that_is_not_valid_now_tells_of_the_clock(
    begins: int, ends: int, authority: Authority
) -> None:
    issued = authority.issue(
        API, not_before=datetime(begins, 1, 1, tzinfo=UTC), not_after=datetime(ends, 1, 1, tzinfo=UTC)
    )
    async with answering(says(HEAD), issued.server()) as port:
        assert (await trouble(f"https://{API}:{port}", way(authority))).wrong_time


@asynchronous
async def test_a_proxy_that_refuses_is_named_without_its_password(authority: Authority) -> None:
    async with answering(says(b"HTTP/1.1 403 Forbidden\r\n\r\n")) as port:
        found = await trouble(f"https://{API}:1", way(authority, HTTPS_PROXY=f"http://user:secret@127.0.0.1:{port}"))

    assert str(found) == f"the proxy in HTTPS_PROXY (127.0.0.1:{port}) did not let us through"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (SlowError(3), "it did not answer within 3 s"),
        (ProxyAnswerError("secret"), "it did not let us through"),
        (NoAddressError("ask for a new link"), "no address of it was found"),
        (TheirFault("Mend this."), "Mend this"),
        (ssl.SSLError(), "no secure connection to it came about (no TLS)"),
        (ConnectionRefusedError(), "it refused the connection"),
        (OSError(101, "Network is unreachable"), "it cannot be reached (Network is unreachable)"),
        (EOFError(), "it closed the connection, or answered with something else than HTTP"),
    ],
)
def test_every_trouble_has_its_words(error: Exception, text: str) -> None:
    assert why(error, "it") == text
