"""The small functions on the path of every message, each beside what it is made of, as pyperf times them: a program of its own.

`python -m tests.bench functions` runs it, and reads what it has written.
"""

from argparse import Namespace
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable

import msgspec
import pyperf
from nacl.secret import SecretBox

from tests.bench.texts import TEXT, sent
from tunnel import crypto
from tunnel.core import codec
from tunnel.spec.v1 import frames
from tunnel.spec.v1.constants import KEY_BYTES, SEAL_NONCE_BYTES

KEY = bytes(range(KEY_BYTES))
NONCE = bytes(SEAL_NONCE_BYTES)
SIZES = (200, 65_536)


def functions() -> dict[str, Callable[[], object]]:
    """Each by the id under which it is recorded."""
    box, reader = SecretBox(KEY), msgspec.json.Decoder(frames.GuestFrame)
    named: dict[str, Callable[[], object]] = {}
    for size in SIZES:
        text = (TEXT * (size // len(TEXT) + 1))[:size]
        data, body, sealed = text.encode(), crypto.seal(KEY, text, NONCE), box.encrypt(text.encode(), NONCE)
        padded = urlsafe_b64encode(sealed)
        named |= {
            f"functions.seal.{size}": lambda text=text: crypto.seal(KEY, text, NONCE),
            f"functions.seal.{size}.bare": lambda data=data: box.encrypt(data, NONCE),
            f"functions.open.{size}": lambda body=body: crypto.open_body(KEY, body),
            f"functions.open.{size}.bare": lambda sealed=sealed: box.decrypt(sealed),
            f"functions.decode.{size}": lambda body=body: crypto.decode_base64url(body),
            f"functions.decode.{size}.bare": lambda padded=padded: urlsafe_b64decode(padded),
        }
    draft = sent(KEY, TEXT).decode()
    message = frames.Message(
        id="0" * 16, seq=9_999, sender="guest", kind="chat", body=body_of(draft), ts=1_700_000_000_000
    )
    return named | {
        "functions.read": lambda: codec.from_guest(draft),
        "functions.read.bare": lambda: reader.decode(draft),
        "functions.write": lambda: codec.encode(frames.Msg(msg=message)),
    }


def body_of(draft: str) -> str:
    """The sealed body in a frame."""
    frame = codec.from_guest(draft)
    assert isinstance(frame, frames.Send)
    return frame.msg.body


def pass_on(command: list[str], options: Namespace) -> None:
    """What pyperf's own workers are told of our option."""
    command.extend(["--only", options.only] if options.only else [])


if __name__ == "__main__":
    runner = pyperf.Runner(program_args=("-m", "tests.bench.functions_timed"), add_cmdline_args=pass_on)
    runner.argparser.add_argument("--only", default="", help="the one function that is timed")
    chosen = runner.parse_args().only
    for name, function in functions().items():
        if chosen in ("", name):
            runner.bench_func(name, function)
