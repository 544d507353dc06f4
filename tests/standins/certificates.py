"""A certificate authority that nobody trusts who is not told to, and certificates of it."""

import ssl
from datetime import datetime
from pathlib import Path

import trustme


class Certificate:
    """A certificate and its key, in one file."""

    def __init__(self, issued: trustme.LeafCert, file: Path) -> None:
        self.file = file
        file.write_bytes(issued.private_key_and_cert_chain_pem.bytes())

    def server(self) -> ssl.SSLContext:
        """A server's context."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file)
        return context


class Authority:
    """A throwaway certificate authority.

    Args:
        folder: where its files are put.
        name: what they are called.
    """

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self.file = folder / f"{name}.pem"
        """Its own certificate: for TUNNEL_CA_FILE."""
        self._issued = 0
        self._authority = trustme.CA()
        self._authority.cert_pem.write_to_path(str(self.file))

    def issue(self, *names: str, not_before: datetime | None = None, not_after: datetime | None = None) -> Certificate:
        """A certificate for these names and addresses."""
        issued = self._authority.issue_cert(*names, not_before=not_before, not_after=not_after)
        self._issued += 1
        return Certificate(issued, self.file.with_name(f"{self.file.stem}-{self._issued}.pem"))
