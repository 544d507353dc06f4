"""Whatever keeps a WebSocket from opening is a sentence: where, what, and what to do next."""

import socket
import ssl

import pytest
from websockets.datastructures import Headers
from websockets.exceptions import InvalidMessage, InvalidStatus, InvalidUpgrade
from websockets.http11 import Response

from tunnel.errors import TheirFault
from tunnel.io.proxies import ProxySettingError
from tunnel.io.resolver import NoAddressError
from tunnel.io.through import ProxyAnswerError
from tunnel.io.trouble import AnswerError, SlowError, Stage, explain, unanswered
from tunnel.io.trust import CaFileError

HOST = "example.trycloudflare.com"
PROXY = "the proxy in HTTPS_PROXY (proxy.example:3128)"


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


def untrusted(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "verify failed")
    error.verify_code = code
    error.verify_message = "OpenSSL's words"
    return error


@pytest.mark.parametrize(
    ("stage", "error", "says"),
    [
        (Stage.TCP, ConnectionRefusedError(111, "Connection refused"), "refused the connection. The host's tunnel"),
        (Stage.TCP, OSError(101, "Network is unreachable"), "(Network is unreachable). Check your network."),
        (Stage.TCP, OSError("Multiple exceptions: one, two"), "cannot be reached. Check your network."),
        (
            Stage.PROXY,
            ConnectionRefusedError(111, "Connection refused"),
            "refused the connection. Check whether it runs",
        ),
        (Stage.PROXY, socket.gaierror(-2, "Name or service not known"), "has no address here"),
        (Stage.PROXY, UnicodeError("label too long"), "has no address here"),
        (Stage.TLS, ConnectionRefusedError(111, "Connection refused"), "closed the connection"),
        (Stage.TLS, ConnectionResetError(104, "Connection reset by peer"), "closed the connection"),
        (Stage.WEBSOCKET, ConnectionResetError(104, "Connection reset by peer"), "closed the connection"),
        (Stage.TLS, untrusted(10), "has expired. Check this machine's clock"),
        (Stage.TLS, untrusted(9), "is not valid yet. Check this machine's clock"),
        (Stage.TLS, untrusted(18), "signed by nobody whom this machine trusts (OpenSSL's words). If your network"),
        (Stage.TLS, untrusted(20), "TUNNEL_CA_FILE"),
        (Stage.TLS, untrusted(62), "belongs to another name"),
        (Stage.TLS, untrusted(64), "belongs to another name"),
        (Stage.TLS, untrusted(23), "is not trusted here (OpenSSL's words). Do not go on"),
        (Stage.TLS, ssl.SSLCertVerificationError(1, "verify failed"), "is not trusted here (SSLCertVerificationError)"),
        (Stage.TLS, ssl.SSLError(1, "wrong version"), "(SSLError). Check the link"),
        (Stage.TLS, no_tls(), "(WRONG_VERSION_NUMBER)"),
        (Stage.PROXY, untrusted(62), "belongs to another name"),
        (Stage.WEBSOCKET, status(200), "status 200 and a page instead of a tunnel"),
        (Stage.WEBSOCKET, status(301), "status 301 and sends us elsewhere"),
        (Stage.WEBSOCKET, status(399), "sends us elsewhere"),
        (Stage.WEBSOCKET, status(401), "status 401: something on the way lets nobody in"),
        (Stage.WEBSOCKET, status(403), "lets nobody in"),
        (Stage.WEBSOCKET, status(404), "status 404. The tunnel is probably closed"),
        (Stage.WEBSOCKET, status(426), "does not pass WebSockets on. Ask the host"),
        (Stage.WEBSOCKET, status(400), "does not pass WebSockets on. Ask the host"),
        (Stage.WEBSOCKET, status(429), "has had enough requests for now. Wait a minute"),
        (Stage.WEBSOCKET, AnswerError(530), "status 530: an edge is there, and no tunnel"),
        (Stage.WEBSOCKET, status(500), "status 500. The tunnel is probably closed"),
        (Stage.WEBSOCKET, status(502), "status 502: an edge is there, and no tunnel behind it"),
        (Stage.WEBSOCKET, status(503), "an edge is there"),
        (Stage.WEBSOCKET, status(504), "an edge is there"),
        (Stage.WEBSOCKET, status(519), "status 519. The tunnel is probably closed"),
        (Stage.WEBSOCKET, status(520), "an edge is there"),
        (Stage.WEBSOCKET, status(530), "an edge is there"),
        (Stage.WEBSOCKET, status(531), "status 531. The tunnel is probably closed"),
        (Stage.WEBSOCKET, cut_off(), "closed the connection without an answer"),
        (Stage.WEBSOCKET, EOFError(), "closed the connection without an answer"),
        (Stage.WEBSOCKET, InvalidMessage("did not receive a valid HTTP response"), "is no relay (InvalidMessage)"),
        (Stage.WEBSOCKET, InvalidUpgrade("Upgrade", "h2c"), "is no relay (InvalidUpgrade)"),
        (Stage.TLS, SlowError(4.0), "did not answer within 4 seconds. Something that speaks no TLS"),
    ],
    ids=lambda value: value.value if isinstance(value, Stage) else repr(value),
)
def test_a_trouble_names_the_stage_the_finding_and_the_next_step(stage: Stage, error: Exception, says: str) -> None:
    sentence = explain(stage, error, HOST)

    assert sentence.startswith(f"{stage.value}: ")
    assert says in sentence
    assert HOST in sentence
    assert sentence.count(". ") + sentence.count(": ") >= 2
    assert sentence.endswith(".")


@pytest.mark.parametrize(
    ("stage", "error", "text"),
    [
        (Stage.DNS, NoAddressError("nobody knows it. Check the link."), "DNS: nobody knows it. Check the link."),
        (Stage.PROXY, ProxySettingError("X is none. Unset it."), "Proxy: X is none. Unset it."),
        (Stage.PROXY, ProxyAnswerError("says no. Ask it."), f"Proxy: {PROXY} says no. Ask it."),
        (Stage.TLS, CaFileError("TUNNEL_CA_FILE is none. Unset it."), "TLS: TUNNEL_CA_FILE is none. Unset it."),
        (Stage.LINK, TheirFault("it leads out. Ask for another."), "Link: it leads out. Ask for another."),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_was_said_already_is_given_its_stage(stage: Stage, error: Exception, text: str) -> None:
    assert explain(stage, error, PROXY) == text


def test_a_trouble_repeats_no_strangers_words() -> None:
    """LINK-9."""
    assert "stranger" not in explain(Stage.WEBSOCKET, cut_off(), HOST)
    assert "reason" not in explain(Stage.WEBSOCKET, status(404), HOST)


@pytest.mark.parametrize("stage", Stage, ids=lambda stage: stage.value)
def test_silence_is_a_trouble_of_the_stage_too(stage: Stage) -> None:
    """AUTH-9."""
    sentence = unanswered(stage, HOST, 20)

    assert sentence.startswith(f"{stage.value}: {HOST} did not answer within 20 seconds. ")
    assert sentence.endswith(".")
