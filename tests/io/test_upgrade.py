"""Every request has its answer, and has it as soon as it is certain."""

from http import HTTPStatus
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.io.wire import HEAD, PATH
from tunnel.io.frames import HostFrames
from tunnel.io.upgrade import Upgrade, refusal
from tunnel.spec.v1.constants import HTTP_HEAD_BYTES, STRANGER_FRAME_BYTES

GOOD = f"{HEAD}\r\n".encode()


def status_of(*parts: bytes) -> int | None:
    upgrade = Upgrade(HostFrames(STRANGER_FRAME_BYTES), PATH)
    for part in parts:
        if (response := upgrade.receive(part)) is not None:
            return response.status_code
    return None


def head(length: int, field: str = "X-Filling: ") -> bytes:
    """A good request of so many bytes, in lines that are short enough for any reader."""
    lines: list[str] = []
    missing = length - len(GOOD)
    while missing > 0:
        line = min(missing, 4_000)
        line = missing if missing - line < 100 else line
        lines.append(field + "x" * (line - len(field) - 2) + "\r\n")
        missing -= line
    made = f"{HEAD}{''.join(lines)}\r\n".encode()
    assert len(made) == length
    return made


def test_a_websocket_at_the_path_passes() -> None:
    """WIRE-7."""
    assert status_of(GOOD) == HTTPStatus.SWITCHING_PROTOCOLS


def test_a_query_behind_the_path_passes() -> None:
    """WIRE-7."""
    assert status_of(GOOD.replace(b" HTTP/1.1", b"?a=b&c HTTP/1.1")) == HTTPStatus.SWITCHING_PROTOCOLS


@pytest.mark.parametrize(
    "request_line",
    [
        "GET / HTTP/1.1",
        "GET / HTTP/1.0",
        "HEAD /t HTTP/1.1",
        f"GET {PATH}/ HTTP/1.1",
        f"GET {PATH}0 HTTP/1.1",
        f"GET /x{PATH} HTTP/1.1",
        f"GET {PATH.upper()} HTTP/1.1",
        f"GET http://127.0.0.1{PATH} HTTP/1.1",
        "OPTIONS * HTTP/1.1",
    ],
)
def test_any_other_path_is_not_found(request_line: str) -> None:
    """WIRE-7: whether or not it asks for a WebSocket."""
    assert status_of(f"{request_line}\r\nHost: x\r\n\r\n".encode()) == HTTPStatus.NOT_FOUND
    assert status_of(f"{request_line}\r\n".encode() + GOOD.partition(b"\r\n")[2]) == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize(
    "request_head",
    [
        f"GET {PATH} HTTP/1.1\r\nHost: x\r\n",
        f"GET {PATH} HTTP/1.0\r\n",
        f"HEAD {PATH} HTTP/1.1\r\nHost: x\r\n",
        f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n",
        f"PUT {PATH} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n",
        f"GET {PATH} HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n",
        HEAD.replace("GET", "POST"),
        HEAD.replace("HTTP/1.1", "HTTP/1.0"),
    ],
    ids=[
        "get",
        "http 1.0",
        "head",
        "post with a body",
        "put in chunks",
        "another protocol",
        "post that asks for a websocket",
        "http 1.0 that asks for a websocket",
    ],
)
def test_a_plain_request_at_the_path_is_told_to_upgrade(request_head: str) -> None:
    """WIRE-7, and RFC 9110 section 15.5.22: the answer names the protocol."""
    response = Upgrade(HostFrames(STRANGER_FRAME_BYTES), PATH).receive(f"{request_head}\r\n".encode())

    assert response is not None
    assert response.status_code == HTTPStatus.UPGRADE_REQUIRED
    assert response.headers["Upgrade"] == "websocket"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", ""])
def test_a_browser_page_is_forbidden(origin: str) -> None:
    """WIRE-8: an Origin that is empty is one."""
    assert status_of(f"{HEAD}oRiGiN: {origin}\r\n\r\n".encode()) == HTTPStatus.FORBIDDEN
    assert status_of(f"GET {PATH} HTTP/1.1\r\nOrigin: {origin}\r\n\r\n".encode()) == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ""), 400),
        (("dGhlIHNhbXBsZSBub25jZQ==", "short"), 400),
        (("Version: 13", "Version: 8"), 400),
        (("Host: x", "Host: x\r\nContent-Length: 2"), 400),
        (("Host: x", "no field"), 400),
        (("Host: x", "Host : x"), 400),
    ],
    ids=["no key", "short key", "old version", "body", "no field", "blank in a name"],
)
def test_a_bad_handshake_is_refused(change: tuple[str, str], status: int) -> None:
    assert status_of(f"{HEAD}\r\n".replace(*change).encode()) == status


@pytest.mark.parametrize(
    "first_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00",
        b"\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"GET /\r\n",
        b"GET / HTTP/2.0\r\n",
        b"PRI * HTTP/2.0\r\n",
        b"GET / HTTP/1.1\n",
        b"GET  / HTTP/1.1\r\n",
        "GET /ü HTTP/1.1\r\n".encode(),
        b"`GET / HTTP/1.1\r\n",
        b"`",
    ],
    ids=[
        "tls",
        "nul",
        "empty line",
        "ssh",
        "http 0.9",
        "http 2",
        "http 2 preface",
        "bare lf",
        "two blanks",
        "umlaut",
        "no letter in front",
        "no letter",
    ],
)
def test_what_is_no_http_is_refused_at_its_first_line(first_bytes: bytes) -> None:
    assert status_of(first_bytes) == HTTPStatus.BAD_REQUEST


def test_a_head_of_exactly_the_bound_passes_and_one_byte_more_does_not() -> None:
    """SIZE-12."""
    assert status_of(head(HTTP_HEAD_BYTES)) == HTTPStatus.SWITCHING_PROTOCOLS
    assert status_of(head(HTTP_HEAD_BYTES + 1)) == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE


def test_a_head_without_end_is_refused_at_the_bound() -> None:
    """SIZE-12: nothing is kept of what comes later."""
    endless = b"GET / HTTP/1.1\r\nX: " + b"x" * HTTP_HEAD_BYTES

    assert status_of(endless[:HTTP_HEAD_BYTES]) is None
    assert status_of(endless[:HTTP_HEAD_BYTES], b"x") == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE


def test_what_comes_behind_a_head_does_not_count_for_it() -> None:
    """SIZE-12."""
    assert status_of(GOOD + b"x" * HTTP_HEAD_BYTES) == HTTPStatus.SWITCHING_PROTOCOLS


def test_what_comes_behind_a_head_is_kept_for_the_websocket() -> None:
    upgrade = Upgrade(HostFrames(STRANGER_FRAME_BYTES), PATH)

    upgrade.receive(GOOD[:40])
    upgrade.receive(GOOD[40:] + b"behind")

    assert upgrade.rest == b"behind"


@pytest.mark.parametrize(
    "fields",
    ["Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n", "Sec-WebSocket-Protocol: a, b\r\n"],
    ids=["compression", "sub-protocols"],
)
def test_nothing_that_is_offered_is_negotiated(fields: str) -> None:
    """WIRE-9."""
    response = Upgrade(HostFrames(STRANGER_FRAME_BYTES), PATH).receive(f"{HEAD}{fields}\r\n".encode())

    assert response is not None
    assert response.status_code == HTTPStatus.SWITCHING_PROTOCOLS
    assert not {name.lower() for name in response.headers} & {"sec-websocket-extensions", "sec-websocket-protocol"}


REQUESTS = st.sampled_from(
    [
        GOOD,
        GOOD.replace(b"Host: x", b"Origin: y"),
        b"GET / HTTP/1.1\r\n\r\n",
        f"POST {PATH} HTTP/1.1\r\nContent-Length: 1\r\n\r\nx".encode(),
        head(HTTP_HEAD_BYTES + 1),
        b"\x16\x03\x01\r\n\r\n",
    ]
)


@given(REQUESTS, st.lists(st.integers(min_value=0, max_value=600)))
def test_the_answer_does_not_depend_on_how_the_request_is_cut(whole: bytes, cuts: list[int]) -> None:
    places = sorted({0, *(cut for cut in cuts if cut < len(whole)), len(whole)})
    parts = [whole[start:end] for start, end in pairwise(places)]

    assert status_of(*parts) == status_of(whole)


@given(st.binary(min_size=1, max_size=200))
def test_whatever_comes_in_has_an_answer_or_waits_for_more(received: bytes) -> None:
    assert refusal(received, PATH) in {None, *HTTPStatus}
    status_of(received + b"\r\n\r\n")
