"""Says why no WebSocket came about: at which stage, what was found, and what to do next. It never repeats the link."""

import socket
import ssl
from enum import Enum
from http import HTTPStatus
from typing import Final

from websockets.exceptions import InvalidMessage, InvalidStatus

from tunnel.errors import TunnelError
from tunnel.io.through import ProxyAnswerError


class Stage(Enum):
    """How far a dialling has come."""

    LINK = "Link"
    DNS = "DNS"
    PROXY = "Proxy"
    TCP = "TCP"
    TLS = "TLS"
    WEBSOCKET = "WebSocket"


_UNANSWERED: Final = {
    Stage.LINK: "Try again.",
    Stage.DNS: "Check whether this machine is online.",
    Stage.PROXY: "Check whether it runs, and its scheme, host and port.",
    Stage.TCP: "A firewall may be in between, or the host's tunnel is closed; check your network, and ask whether the host still runs.",
    Stage.TLS: "Something that speaks no TLS may answer there, or a firewall is in between; check the link and your network.",
    Stage.WEBSOCKET: "Check your network and whether the host still runs.",
}
_REFUSED: Final = {
    Stage.PROXY: "Check whether it runs, and its host and port.",
    Stage.TCP: "The host's tunnel is probably closed; ask for a new link.",
}

# What OpenSSL calls X509_V_ERR_...
_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_UNKNOWN_SIGNERS: Final = frozenset({18, 19, 20, 21})
_OTHER_NAMES: Final = frozenset({62, 64})

_EDGE_STATUSES: Final = range(520, 531)
"""By which Cloudflare says that what is behind it cannot be reached; 530 stands for a tunnel that is gone."""


class SlowError(TimeoutError):
    """A stage took longer than it may.

    Args:
        seconds: so long.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


class AnswerError(Exception):
    """A server has answered, and with something else than a WebSocket.

    Args:
        status: the HTTP status of its answer.
    """

    def __init__(self, status: int) -> None:
        super().__init__()
        self.status = status


def explain(stage: Stage, error: Exception, peer: str) -> str:
    """What went wrong on the way to a WebSocket, in sentences that name the stage and the next step.

    Args:
        stage: how far it had come.
        error: what was found.
        peer: who was being talked to: the host's name, or which proxy it was.
    """
    match error:
        case SlowError():
            return unanswered(stage, peer, error.seconds)
        case AnswerError():
            found = _refused(error.status, peer)
        case ProxyAnswerError():
            found = f"{peer} {error}"
        case TunnelError():
            found = str(error)
        case ssl.SSLError():
            found = _insecure(error, peer)
        case InvalidStatus():
            found = _refused(error.response.status_code, peer)
        case EOFError() | InvalidMessage(__cause__=EOFError()):
            found = f"{peer} closed the connection without an answer. Ask the host whether it still runs."
        case _:
            found = _unreached(stage, error, peer)
    return f"{stage.value}: {found}"


def unanswered(stage: Stage, peer: str, seconds: float) -> str:
    """What to say when a stage hangs."""
    return f"{stage.value}: {peer} did not answer within {seconds:g} seconds. {_UNANSWERED[stage]}"


def _unreached(stage: Stage, error: Exception, peer: str) -> str:
    match error:
        case ConnectionRefusedError() if stage in _REFUSED:
            return f"{peer} refused the connection. {_REFUSED[stage]}"
        case socket.gaierror() | UnicodeError():
            return f"the name of {peer} has no address here. Check it, and whether this machine is online."
        case OSError() if stage in (Stage.TLS, Stage.WEBSOCKET):
            return (
                f"{peer} closed the connection. Something on the way may not want it; check the link and your network."
            )
        case OSError(strerror=str() as reason):
            return f"{peer} cannot be reached ({reason}). Check your network."
        case OSError():
            return f"{peer} cannot be reached. Check your network."
        case _:
            return f"what answers at {peer} is no relay ({type(error).__name__}). Check the link."


def _insecure(error: ssl.SSLError, peer: str) -> str:
    # An error that Python raises by itself has no code.
    code = getattr(error, "verify_code", None)
    if code in _OTHER_NAMES:
        return f"the certificate of {peer} belongs to another name. Somebody else may answer there: check the link, and do not go on if it is right."
    if code == _EXPIRED:
        return f"the certificate of {peer} has expired. Check this machine's clock; if it is right, ask the host to renew the certificate."
    if code == _NOT_YET_VALID:
        return f"the certificate of {peer} is not valid yet. Check this machine's clock."
    if code in _UNKNOWN_SIGNERS:
        return (
            f"the certificate of {peer} is signed by nobody whom this machine trusts ({_detail(error, 'verify_message')}). "
            "If your network or the host has a certificate authority of its own, name its file in TUNNEL_CA_FILE; "
            "otherwise do not go on: somebody else may answer there."
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate of {peer} is not trusted here ({_detail(error, 'verify_message')}). Do not go on if you expected it to be."
    return f"no secure connection to {peer} came about ({_detail(error, 'reason')}). Check the link and your network."


def _refused(status: int, peer: str) -> str:
    answered = f"{peer} answered with status {status}"
    if HTTPStatus(200) <= status < HTTPStatus(300):
        return f"{answered} and a page instead of a tunnel. A network that wants you to sign in may have answered: open a browser; then check the link."
    if HTTPStatus(300) <= status < HTTPStatus(400):
        return f"{answered} and sends us elsewhere, where a join link does not lead. Check the link and your network."
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return f"{answered}: something on the way lets nobody in. Check your network, or ask the host for another way."
    if status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UPGRADE_REQUIRED):
        return (
            f"{answered}: an edge on the way does not pass WebSockets on. Ask the host to have it forward the headers "
            "Upgrade and Connection over HTTP/1.1, or to choose another transport."
        )
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return f"{answered}: something on the way has had enough requests for now. Wait a minute, then try again."
    if status in (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT, *_EDGE_STATUSES):
        return (
            f"{answered}: an edge is there, and no tunnel behind it. If the link is fresh, try again in a few seconds; "
            "otherwise the tunnel is closed: ask for a new link."
        )
    return f"{answered}. The tunnel is probably closed; ask for a new link."


def _detail(error: ssl.SSLError, name: str) -> str:
    """What OpenSSL says; an error that Python raises by itself says nothing."""
    return getattr(error, name, None) or type(error).__name__
