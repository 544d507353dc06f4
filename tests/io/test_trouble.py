"""Whatever keeps a WebSocket from opening is a sentence: where, what, and what to do next."""

import socket
import ssl

import pytest
from websockets.datastructures import Headers
from websockets.exceptions import InvalidMessage, InvalidProxy, InvalidStatus, InvalidUpgrade, ProxyError
from websockets.http11 import Response

from tunnel.io.trouble import explain, unanswered

HOST = "example.trycloudflare.com"


def status(code: int) -> InvalidStatus:
    return InvalidStatus(Response(code, "reason", Headers(Location="http://other/")))


def cut_off() -> InvalidMessage:
    error = InvalidMessage("did not receive a valid HTTP response")
    error.__cause__ = EOFError("a stranger's words")
    return error


def no_tls() -> ssl.SSLError:
    """What OpenSSL says to an answer in plain text."""
    incoming = ssl.MemoryBIO()
    incoming.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    try:
        ssl.create_default_context().wrap_bio(incoming, ssl.MemoryBIO(), server_hostname=HOST).do_handshake()
    except ssl.SSLError as error:
        return error
    raise AssertionError("that was TLS")


@pytest.mark.parametrize(
    ("error", "stage", "says"),
    [
        (socket.gaierror(-2, "Name or service not known"), "DNS", "no address"),
        (UnicodeError("label too long"), "DNS", "no address"),
        (ConnectionRefusedError(111, "Connection refused"), "TCP", "refused"),
        (TimeoutError(110, "Connection timed out"), "Network", "did not answer"),
        (OSError(101, "Network is unreachable"), "TCP", "Network is unreachable"),
        (ConnectionResetError(104, "Connection reset by peer"), "TCP", "reset"),
        (OSError("Multiple exceptions: one, two"), "TCP", "no address"),
        (ssl.SSLCertVerificationError(1, "verify failed"), "TLS", "not trusted"),
        (ssl.SSLError(1, "wrong version"), "TLS", "no secure connection"),
        (no_tls(), "TLS", "(WRONG_VERSION_NUMBER)"),
        (ProxyError("failed to connect to proxy"), "Proxy", "NO_PROXY"),
        (InvalidProxy("ftp://user:password@proxy", "scheme"), "Proxy", "NO_PROXY"),
        (ImportError("python-socks is required"), "Proxy", "only HTTP proxies"),
        (ValueError("Port could not be cast to integer value"), "Proxy", "HTTPS_PROXY"),
        (status(404), "WebSocket", "status 404"),
        (status(502), "WebSocket", "status 502"),
        (status(301), "WebSocket", "sends us elsewhere"),
        (status(399), "WebSocket", "sends us elsewhere"),
        (cut_off(), "WebSocket", "without an answer"),
        (InvalidMessage("did not receive a valid HTTP response"), "WebSocket", "no relay"),
        (InvalidUpgrade("Upgrade", "h2c"), "WebSocket", "no relay"),
        (EOFError(), "WebSocket", "no relay"),
    ],
    ids=repr,
)
def test_a_trouble_names_the_stage_the_finding_and_the_next_step(error: Exception, stage: str, says: str) -> None:
    sentence = explain(error, HOST)

    assert sentence.startswith(f"{stage}: ")
    assert says in sentence
    assert HOST in sentence
    assert sentence.count(". ") >= 1
    assert sentence.endswith(".")


def test_a_trouble_repeats_no_password_and_no_strangers_words() -> None:
    """LINK-9."""
    assert "password" not in explain(InvalidProxy("ftp://user:password@proxy", "scheme"), HOST)
    assert "stranger" not in explain(cut_off(), HOST)


def test_silence_is_a_trouble_too() -> None:
    """AUTH-9."""
    assert unanswered(HOST).startswith(f"Network: {HOST} did not answer within 20 seconds.")
