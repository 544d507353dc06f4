"""Says why no WebSocket came about: at which stage, what was found, and what to do next. It never repeats the link."""

import socket
import ssl
from http import HTTPStatus

from websockets.exceptions import InvalidMessage, InvalidProxy, InvalidStatus, ProxyError

from tunnel.spec.v1.constants import JOIN_SECONDS


def explain(error: Exception, host: str) -> str:
    """What went wrong on the way to a WebSocket, in a sentence that names the stage and the next step."""
    match error:
        case socket.gaierror() | UnicodeError():
            return f"DNS: the name {host} has no address here. Check the link, and whether the host's tunnel is still open."
        case ConnectionRefusedError():
            return f"TCP: {host} refused the connection. The host's tunnel is probably closed; ask for a new link."
        case ssl.SSLCertVerificationError():
            return f"TLS: the certificate of {host} is not trusted here ({_detail(error, 'verify_message')}). Do not go on if you expected it to be."
        case ssl.SSLError():
            return f"TLS: no secure connection to {host} came about ({_detail(error, 'reason')}). Check the link and your network."
        case TimeoutError():
            return unanswered(host)
        case OSError(strerror=str() as reason):
            return f"TCP: {host} cannot be reached ({reason}). Check your network."
        case OSError():
            return f"TCP: no address of {host} takes a connection. The host's tunnel is probably closed; ask for a new link."
        # A proxy of a kind that needs another package is an ImportError, one without a readable port a ValueError.
        case ProxyError() | InvalidProxy() | ImportError() | ValueError():
            return f"Proxy: it did not let us through to {host}. Check HTTPS_PROXY and NO_PROXY; only HTTP proxies can be used."
        case InvalidStatus():
            return _refused(error.response.status_code, host)
        case InvalidMessage(__cause__=EOFError()):
            return f"WebSocket: {host} closed the connection without an answer. Ask the host whether it still runs."
        case _:
            return f"WebSocket: what answers at {host} is no relay ({type(error).__name__}). Check the link."


def unanswered(host: str) -> str:
    """What to say when the time for a join is over and nothing at all came back."""
    return f"Network: {host} did not answer within {JOIN_SECONDS} seconds. Check your network and whether the host still runs."


def _refused(status: int, host: str) -> str:
    if HTTPStatus(300) <= status < HTTPStatus(400):
        return (
            f"WebSocket: {host} answered with status {status} and sends us elsewhere, where a join link does not lead. "
            "Check the link."
        )
    return f"WebSocket: {host} answered with status {status}. The tunnel is probably closed; ask for a new link."


def _detail(error: ssl.SSLError, name: str) -> str:
    """What OpenSSL says; an error that Python raises by itself says nothing."""
    return getattr(error, name, None) or type(error).__name__
