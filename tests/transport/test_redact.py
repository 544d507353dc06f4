"""What looks like a secret is hidden, wherever it stands in a line; the rest is what a person needs, and stays."""

import time

import pytest

from tunnel.transport.redact import redacted

SECRET = "2abXcd"


@pytest.mark.parametrize(
    "line",
    [
        "authtoken {}",
        "--authtoken={} http",
        "your authtoken: {}",
        "The authtoken is {}",
        'token = "{} and more"',
        "API_KEY={}",
        '{{"apiKey":"{}"}}',
        '\\"token\\": \\"{}\\"',
        "password '{}'",
        "Passphrase => {}",
        "client_secret\t{}",
        "Authorization: Bearer {}",
        "bearer {}",
        "https://me:{}@example.org",
        "https://{}@example.org/path",
        "https://me:a@b{}@example.org",
        "https://example.org/?a={}",
        "https://example.org#{}",
        "it said {}4cLjKwq81mZ0aaXYnn",
        "jwt eyJhbGciOiJIUzI1NiJ9ab.{}-_IkpXVCJ9eyJhbGciOi",
    ],
)
def test_a_secret_is_hidden(line: str) -> None:
    shown = redacted(line.format(SECRET))

    assert SECRET not in shown
    assert "[hidden]" in shown


@pytest.mark.parametrize(
    "line",
    [
        "",
        "ERR_NGROK_4018: log in first",
        'Post "https://api.trycloudflare.com/tunnel": dial tcp: i/o timeout',
        "2026-06-01T00:00:00Z ERR connection to 198.51.100.7:7844 refused",
        "nokey@localhost.run: Permission denied (publickey).",
        "token-based",
        "x" * 200,
        "1" * 30,
        "https://quiet-words-stand-in.trycloudflare.com/path",
    ],
)
def test_what_is_no_secret_stays(line: str) -> None:
    assert redacted(line) == line


@pytest.mark.parametrize("piece", ["token", "token ", "key=", "://", "://a@", "a1", "_", " ", "is ", '"', "key is"])
def test_a_line_made_to_be_slow_is_not(piece: str) -> None:
    line = (piece * 4096)[:4096]
    began = time.process_time()
    redacted(line)

    assert time.process_time() - began < 0.5
