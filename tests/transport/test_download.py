"""A download is the file whose checksum is known, or an error and nothing: in bounded time, of bounded size, by the right way."""

import asyncio
import hashlib
import ssl
import stat
from pathlib import Path

import pytest
import trustme

from tests.io.asynchronous import asynchronous
from tests.transport.asset_server import (
    Answer,
    cut_off,
    endless,
    head,
    refused,
    sent_elsewhere,
    serving,
    stalled,
    whole,
)
from tunnel.io.proxies import ProxySettingError
from tunnel.transport.download import REDIRECTS, DownloadError, Limits, Way, download

BODY = bytes(range(256)) * 10_000
SHA256 = hashlib.sha256(BODY).hexdigest()
QUICK = Limits(size=3_000_000, stall_seconds=0.2, seconds=10)


def plain(limits: Limits = QUICK, **environment: str) -> Way:
    return Way(tls=ssl.create_default_context(), environment=environment, limits=limits)


async def downloaded(
    url: str, file: Path, way: Way | None = None, sha256: str = SHA256
) -> list[tuple[int, int | None]]:
    """The progress that was shown."""
    steps: list[tuple[int, int | None]] = []
    await download(url, sha256, file, way or plain(), lambda done, total: steps.append((done, total)))
    return steps


@asynchronous
async def test_the_right_file_is_written_for_its_owner_alone_and_cannot_be_executed(tmp_path: Path) -> None:
    file = tmp_path / "file"
    async with serving(whole(BODY)) as server:
        steps = await downloaded(f"{server.url}/1/asset", file)

    assert file.read_bytes() == BODY
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert server.requests == ["GET /1/asset HTTP/1.1"]
    assert "accept-encoding: identity\r\n" in server.heads[0].lower()
    assert steps[-1] == (len(BODY), len(BODY))
    assert len(steps) > 1


@asynchronous
async def test_a_file_of_unknown_length_is_taken(tmp_path: Path) -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + BODY)

    async with serving(answer) as server:
        steps = await downloaded(server.url, tmp_path / "file")

    assert steps[-1] == (len(BODY), None)


@asynchronous
async def test_a_file_that_stands_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    async with serving(whole(BODY)) as server:
        with pytest.raises(FileExistsError):
            await downloaded(server.url, tmp_path / "file")

    assert (tmp_path / "file").read_text() == "mine"


async def compressed(writer: asyncio.StreamWriter) -> None:
    writer.write(head(200, 4)[:-2] + b"Content-Encoding: gzip\r\n\r\n" + b"\x1f\x8b\x08\x00")


async def nonsense(writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")


async def nothing(writer: asyncio.StreamWriter) -> None:
    pass


async def uncountable(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (whole(BODY[:-1] + b"!"), f"must be {SHA256}: the file was damaged or replaced"),
        (whole(b""), "the file was damaged or replaced"),
        (compressed, "the file was damaged or replaced"),
        (cut_off(BODY, len(BODY) + 1), "closed"),
        (refused(404), "the server answered with status 404"),
        (refused(500), "the server answered with status 500"),
        (refused(204), "the server answered with status 204"),
        (refused(304), "the server answered with status 304"),
        (cut_off(b"", QUICK.size + 1), f"has {QUICK.size + 1} bytes or more; at most {QUICK.size} are taken"),
        (endless(), f"at most {QUICK.size} are taken"),
        (nonsense, "illegal"),
        (nothing, "disconnected"),
        (uncountable, "Content-Length"),
        (sent_elsewhere("http://"), "connection"),
        (sent_elsewhere("ftp://127.0.0.1/file"), "protocol"),
        (sent_elsewhere("http://127.0.0.1:99999/"), ""),
        (sent_elsewhere("http://[::1/"), ""),
        (sent_elsewhere("http://" + "x" * 300 + ".invalid/"), ""),
        (sent_elsewhere("/again"), f"the server sends us elsewhere more than {REDIRECTS} times"),
    ],
    ids=[
        "another file",
        "an empty file",
        "compressed",
        "cut off",
        "missing",
        "broken",
        "no content",
        "not modified",
        "too large",
        "without end",
        "not HTTP",
        "no answer",
        "no length",
        "redirect to nowhere",
        "redirect to another protocol",
        "redirect to no port",
        "redirect to no address",
        "redirect to no name",
        "redirect in a circle",
    ],
)
@asynchronous
async def test_whatever_else_comes_is_an_error(answer: Answer, says: str, tmp_path: Path) -> None:
    async with serving(answer) as server:
        with pytest.raises(DownloadError) as error:
            await downloaded(server.url, tmp_path / "file")

    assert says in str(error.value)
    assert str(error.value)
    assert not str(error.value).endswith(".")
    assert len(str(error.value)) < 400


@asynchronous
async def test_a_file_of_the_largest_size_is_taken(tmp_path: Path) -> None:
    async with serving(whole(BODY)) as server:
        await downloaded(server.url, tmp_path / "file", plain(Limits(size=len(BODY))))
        with pytest.raises(DownloadError, match="at most"):
            await downloaded(server.url, tmp_path / "another", plain(Limits(size=len(BODY) - 1)))


@asynchronous
async def test_a_server_that_falls_silent_is_left(tmp_path: Path) -> None:
    over = asyncio.Event()
    async with serving(stalled(BODY, over)) as server:
        with pytest.raises(DownloadError, match=r"silent for 0\.2 s"):
            await downloaded(server.url, tmp_path / "file")
        over.set()


@asynchronous
async def test_a_server_that_drips_is_left(tmp_path: Path) -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(head(200, 1000))
        while not writer.is_closing():
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with serving(drip) as server:
        with pytest.raises(DownloadError, match=r"not complete after 0\.3 s"):
            await downloaded(server.url, tmp_path / "file", plain(Limits(stall_seconds=5, seconds=0.3)))


@asynchronous
async def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    async with serving(whole(b"")) as server:
        pass

    with pytest.raises(DownloadError, match="connection"):
        await downloaded(server.url, tmp_path / "file")


# --- The way ---------------------------------------------------------------------------------------------------------


@asynchronous
async def test_the_file_may_be_on_another_server(tmp_path: Path) -> None:
    async with serving(whole(BODY)) as storage, serving(sent_elsewhere(f"{storage.url}/deep?a=b")) as server:
        await downloaded(server.url, tmp_path / "file")

    assert storage.requests == ["GET /deep?a=b HTTP/1.1"]


@asynchronous
async def test_a_proxy_of_the_given_environment_is_used(tmp_path: Path) -> None:
    async with serving(whole(BODY)) as proxy:
        await downloaded("http://github.invalid/file", tmp_path / "file", plain(HTTP_PROXY=proxy.url))

    assert proxy.requests == ["GET http://github.invalid/file HTTP/1.1"]


@asynchronous
async def test_the_environment_of_this_process_is_not_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    async with serving(whole(BODY)) as server:
        await downloaded(server.url, tmp_path / "file")

    assert len(server.requests) == 1


@asynchronous
async def test_each_hop_has_a_proxy_of_its_own(tmp_path: Path) -> None:
    async with serving(whole(BODY)) as storage, serving(sent_elsewhere(f"{storage.url}/file")) as proxy:
        way = plain(http_proxy=proxy.url, no_proxy="127.0.0.1")
        await downloaded("http://github.invalid/file", tmp_path / "file", way)

    assert len(proxy.requests) == len(storage.requests) == 1


@asynchronous
async def test_a_proxy_that_refuses_is_an_error(tmp_path: Path) -> None:
    async with serving(refused(407)) as proxy:
        with pytest.raises(DownloadError, match=r"^through the proxy in HTTPS_PROXY \(127\.0\.0\.1:\d+\): 407"):
            await downloaded("https://github.invalid/file", tmp_path / "file", plain(HTTPS_PROXY=proxy.url))

    assert proxy.requests == ["CONNECT github.invalid:443 HTTP/1.1"]


@asynchronous
async def test_a_proxy_that_is_not_there_is_named(tmp_path: Path) -> None:
    async with serving(whole(b"")) as proxy:
        pass

    with pytest.raises(DownloadError, match=r"^through the proxy in HTTPS_PROXY .*connection"):
        await downloaded("https://github.invalid/file", tmp_path / "file", plain(HTTPS_PROXY=proxy.url))


@asynchronous
async def test_a_proxy_that_falls_silent_is_named(tmp_path: Path) -> None:
    over = asyncio.Event()
    async with serving(stalled(BODY, over)) as proxy:
        with pytest.raises(
            DownloadError, match=r"^through the proxy in HTTP_PROXY .*: the server was silent for 0\.2 s"
        ):
            await downloaded("http://github.invalid/file", tmp_path / "file", plain(HTTP_PROXY=proxy.url))
        over.set()


@pytest.mark.parametrize("scheme", ["socks4", "socks4a"])
@asynchronous
async def test_a_proxy_of_a_kind_that_cannot_be_used_is_an_error_without_user_and_password(
    scheme: str, tmp_path: Path
) -> None:
    way = plain(HTTP_PROXY=f"{scheme}://somebody:secret@127.0.0.1:1")
    with pytest.raises(DownloadError) as error:
        await downloaded("http://github.invalid/file", tmp_path / "file", way)

    assert str(error.value) == (
        f"nothing can be downloaded through the proxy in HTTP_PROXY (127.0.0.1:1), whose scheme is {scheme}; "
        "http, https, socks5, socks5h can be used"
    )


@asynchronous
async def test_a_variable_that_names_no_proxy_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProxySettingError, match="HTTP_PROXY"):
        await downloaded("http://github.invalid/file", tmp_path / "file", plain(HTTP_PROXY="ftp://127.0.0.1:1"))


# --- TLS -------------------------------------------------------------------------------------------------------------


def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Of a server, and of who trusts it."""
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client)
    return server, client


@asynchronous
async def test_https_may_lead_to_https(tmp_path: Path) -> None:
    tls, trusting = contexts()
    async with (
        serving(whole(BODY), tls=tls) as storage,
        serving(sent_elsewhere(storage.url), tls=tls) as server,
    ):
        await downloaded(server.url, tmp_path / "file", Way(tls=trusting, environment={}, limits=QUICK))

    assert len(storage.requests) == 1


@asynchronous
async def test_https_does_not_lead_to_http(tmp_path: Path) -> None:
    tls, trusting = contexts()
    async with serving(whole(BODY)) as storage, serving(sent_elsewhere(storage.url), tls=tls) as server:
        with pytest.raises(DownloadError, match="not https"):
            await downloaded(server.url, tmp_path / "file", Way(tls=trusting, environment={}, limits=QUICK))

    assert storage.requests == []


@asynchronous
async def test_a_certificate_that_is_not_trusted_is_an_error(tmp_path: Path) -> None:
    tls, _ = contexts()
    async with serving(whole(BODY), tls=tls) as server:
        with pytest.raises(DownloadError, match="CERTIFICATE_VERIFY_FAILED"):
            await downloaded(server.url, tmp_path / "file")

    assert server.requests == []
