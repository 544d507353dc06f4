"""A file of certificates is trusted beside the system's, or said to be what it is."""

import os
import ssl
from contextlib import suppress
from pathlib import Path

import pytest

from tests.standins.certificates import Authority
from tunnel.errors import TheirFault
from tunnel.io.trust import CA_FILE_BYTES, CaFileError, tls_context


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext, name: str) -> str | None:
    """The version of TLS on which both agree."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    here = client.wrap_bio(to_client, to_server, server_hostname=name)
    there = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(3):
        for end in (here, there):
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
    return here.version()


def test_an_authority_of_the_persons_own_is_trusted(tmp_path: Path) -> None:
    """LINK-13."""
    authority = Authority(tmp_path)
    server = authority.issue("host.example").server()

    assert shake_hands(tls_context(authority.file), server, "host.example") == "TLSv1.3"


@pytest.mark.parametrize("name", ["host.example", "other.example"], ids=["a stranger's", "another name"])
def test_nobody_else_is_trusted(tmp_path: Path, name: str) -> None:
    """LINK-13: neither a stranger's certificate nor one for another name."""
    authority = Authority(tmp_path)
    context = tls_context(None if name == "host.example" else authority.file)

    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(context, authority.issue("host.example").server(), name)


def test_what_the_system_trusts_is_trusted_too(tmp_path: Path) -> None:
    """LINK-13: the file is beside its trust store, and not in its place: neither is changed by the other."""
    alone, beside = tls_context(None), tls_context(Authority(tmp_path).file)

    assert alone.verify_mode is beside.verify_mode is ssl.CERT_REQUIRED
    assert alone.check_hostname
    assert beside.check_hostname


def test_no_tls_before_version_1_2_is_spoken(tmp_path: Path) -> None:
    """LINK-13."""
    authority = Authority(tmp_path)
    old = authority.issue("host.example").server()
    with pytest.warns(DeprecationWarning, match="TLSv1 is deprecated"):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1 is deprecated"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")

    with pytest.raises(ssl.SSLError, match=r"(?i)protocol"):
        shake_hands(tls_context(authority.file), old, "host.example")


def test_comments_in_any_language_are_no_harm(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    file = tmp_path / "bundle.pem"
    file.write_bytes("# Prüfstelle\n".encode() + b"\xff\xfe\n" + authority.file.read_bytes())

    assert shake_hands(tls_context(file), authority.issue("host.example").server(), "host.example")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "No such file"),
        (b"", "no certificates in PEM"),
        (b"hello", "no certificates in PEM"),
        (bytes(1000), "no certificates in PEM"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no certificates in PEM"),
        (b"x" * (CA_FILE_BYTES + 1), "larger than"),
    ],
    ids=["missing", "empty", "text", "zeros", "garbage in PEM", "huge"],
)
def test_a_file_that_holds_no_certificates_is_said_for_what_it_is(
    tmp_path: Path, content: bytes | None, says: str
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(CaFileError, match=f"TUNNEL_CA_FILE names '.*ca.pem', which cannot be used: .*{says}.*unset it"):
        tls_context(file)


def test_a_pipe_without_a_writer_costs_no_time(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(CaFileError, match="no regular file"):
        tls_context(tmp_path / "pipe")


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000, "a\n\u202eb"], ids=["a zero", "too long", "a line break"])
def test_a_name_that_no_file_has_is_said_and_made_visible(name: str) -> None:
    with pytest.raises(TheirFault) as caught:
        tls_context(Path("/nowhere") / name)

    assert len(str(caught.value)) < 500
    assert str(caught.value).isprintable()


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(CaFileError, match=r"regular file|directory"):
        tls_context(tmp_path)
