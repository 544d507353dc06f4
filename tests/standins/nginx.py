"""An edge: nginx, which ends TLS and hands on what is behind it, as the edges in front of real tunnels do."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from tests.standins.certificates import Certificate
from tests.standins.programs import free_port, running

READ_SECONDS = 60.0
"""What nginx does when it is not told."""

CONFIGURATION = """
daemon off;
master_process off;
pid nginx.pid;
error_log stderr warn;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server {{
        listen {address}:{port} ssl;
        ssl_certificate {certificate};
        ssl_certificate_key {certificate};
        ssl_protocols {protocols};
        location / {{
            proxy_pass http://127.0.0.1:{relay};
            proxy_http_version 1.1;
            proxy_set_header Host $host;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection "upgrade";
            proxy_read_timeout {read_ms}ms;
        }}
    }}
}}
"""


@contextmanager
def edge(
    folder: Path,
    certificate: Certificate,
    relay: int,
    *,
    address: str = "127.0.0.1",
    protocols: str = "TLSv1.2 TLSv1.3",
    read_seconds: float = READ_SECONDS,
) -> Generator[int]:
    """The port of an edge in front of a relay.

    Args:
        folder: where its files may be.
        certificate: what it shows.
        relay: the port behind it.
        address: where it listens.
        protocols: which versions of TLS it speaks.
        read_seconds: a connection on which the relay says nothing for so long is dropped.
    """
    home, port = Path(mkdtemp(dir=folder)), free_port()
    arguments = configured(
        home, certificate, relay, address=address, port=port, protocols=protocols, read_seconds=read_seconds
    )
    with running(arguments, port, home / "log", address, {**os.environ, "LC_ALL": "C"}):
        yield port


def configured(
    home: Path,
    certificate: Certificate,
    relay: int,
    *,
    address: str,
    port: int,
    protocols: str = "TLSv1.2 TLSv1.3",
    read_seconds: float = READ_SECONDS,
) -> list[str]:
    """The command that runs an edge, whose files are in `home`."""
    configuration = home / "nginx.conf"
    configuration.write_text(
        CONFIGURATION.format(
            address=address,
            port=port,
            certificate=certificate.file,
            relay=relay,
            protocols=protocols,
            read_ms=int(read_seconds * 1000),
        )
    )
    return ["nginx", "-p", str(home), "-c", str(configuration), "-e", "stderr"]
