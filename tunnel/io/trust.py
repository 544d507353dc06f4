"""Whom this program believes that it talks to the right one: the system's trust store, and one more file if the person names it."""

import os
import ssl
import stat
from pathlib import Path
from typing import Final

import truststore

from tunnel.core.text import visible
from tunnel.errors import TheirFault

CA_FILE_BYTES: Final = 4_194_304
"""The largest file of certificates that is read: some ten times what a whole trust store takes."""

_SHOWN_BYTES: Final = 200


class CaFileError(TheirFault):
    """TUNNEL_CA_FILE names no readable file with certificates in PEM."""


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """A context for TLS 1.2 and later that checks certificates and names.

    Args:
        ca_file: certificates in PEM that are trusted beside the system's.

    Raises:
        CaFileError: the file cannot be used; the text says why, and what to do.
    """
    context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file is not None:
        try:
            context.load_verify_locations(cadata=_text(ca_file))
        except (ssl.SSLError, ValueError):
            raise _cannot(ca_file, "no certificates in PEM are in it") from None
    return context


def _text(ca_file: Path) -> str:
    """What the file holds. Between its certificates a bundle may hold comments in any language."""
    try:
        # Whatever hangs when it is opened, as a pipe without a writer does, is no regular file.
        file = os.open(ca_file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(file, "rb") as opened:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise _cannot(ca_file, "it is no regular file")
            content = opened.read(CA_FILE_BYTES + 1)
    except (OSError, ValueError) as error:
        raise _cannot(ca_file, getattr(error, "strerror", None) or "no file has such a name") from None
    if len(content) > CA_FILE_BYTES:
        raise _cannot(ca_file, f"it is larger than {CA_FILE_BYTES} bytes")
    return content.decode("ascii", "replace").encode("ascii", "replace").decode("ascii")


def _cannot(ca_file: Path, why: str) -> CaFileError:
    return CaFileError(
        f"TUNNEL_CA_FILE names {visible(str(ca_file), _SHOWN_BYTES)!r}, which cannot be used: {why}. "
        "Name a file of certificates in PEM, or unset it."
    )
