"""Real proxies: tinyproxy speaks HTTP, microsocks speaks SOCKS 5. Both resolve names as this machine does."""

import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from tests.standins.programs import free_port, running


def this_machine() -> tuple[str, str]:
    """A name of this machine that is not `localhost`, and so goes through a proxy; and the address that it has."""
    name = socket.gethostname()
    assert "localhost" not in name, "this machine needs a name of its own"
    return name, socket.gethostbyname(name)


@contextmanager
def http_proxy(folder: Path, user: str = "", password: str = "") -> Generator[str]:
    """The URL of an HTTP proxy, without its user."""
    home, port = Path(mkdtemp(dir=folder)), free_port()
    configuration = home / "tinyproxy.conf"
    lines = [f"Port {port}", "Listen 127.0.0.1", "Timeout 60", "MaxClients 20", "Allow 127.0.0.1"]
    if user:
        lines.append(f"BasicAuth {user} {password}")
    configuration.write_text("\n".join(lines) + "\n")
    with running(["tinyproxy", "-d", "-c", str(configuration)], port, home / "log"):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def socks_proxy(folder: Path, user: str = "", password: str = "") -> Generator[str]:
    """The URL of a SOCKS proxy that resolves names itself, without its user."""
    home, port = Path(mkdtemp(dir=folder)), free_port()
    identity = ["-u", user, "-P", password] if user else []
    with running(["microsocks", "-i", "127.0.0.1", "-p", str(port), *identity], port, home / "log"):
        yield f"socks5h://127.0.0.1:{port}"
