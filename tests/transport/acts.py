"""Programs that a transport may meet: `python acts.py ACT ARGUMENT...`. Each is a function of its name."""

import os
import signal
import sys
import time
from pathlib import Path


def _forever() -> None:
    while True:
        time.sleep(60)


def stays() -> None:
    print("here", flush=True)
    _forever()


def stubborn() -> None:
    """It ends for nothing but SIGKILL."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    stays()


def tidy() -> None:
    """When it is asked to end, it has something to do first."""

    def end(_number: int, _frame: object) -> None:
        os.write(1, b"tidied\n")
        os._exit(3)

    signal.signal(signal.SIGTERM, end)
    stays()


def family() -> None:
    """A child and a grandchild that ignore SIGTERM; all three stay."""
    if os.fork() == 0:
        if os.fork() == 0:
            stubborn()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _forever()


def leaves_family() -> None:
    """It ends, and what it has started stays."""
    if os.fork() == 0:
        stubborn()
    time.sleep(0.1)
    sys.exit(5)


def writes(repeats: str, *parts: str) -> None:
    """Write some text so many times, without line breaks but those that it holds, and stay."""
    text = "".join(parts).encode("latin-1").decode("unicode_escape").encode("latin-1")
    for _ in range(int(repeats)):
        sys.stdout.buffer.write(text)
    sys.stdout.buffer.flush()
    print("\nwritten", file=sys.stderr, flush=True)
    _forever()


def floods() -> None:
    """Write without end."""
    while True:
        os.write(1, b"x" * 65_536)


def exits(status: str, *words: str) -> None:
    if words:
        print(*words, file=sys.stderr)
    sys.exit(int(status))


def dies(number: str) -> None:
    os.kill(os.getpid(), int(number))


def answers(*words: str) -> None:
    """Write a line to standard error, and stay."""
    print(*words, file=sys.stderr, flush=True)
    _forever()


def surroundings() -> None:
    """What is inherited."""
    print("stdin", repr(sys.stdin.read()))
    print("files", *sorted(int(file.name) for file in Path("/dev/fd").iterdir() if file.exists()))
    print("leads", os.getpid() == os.getpgid(0) == os.getsid(0))
    print("ignored", *(n.name for n in signal.Signals if n < 32 and signal.getsignal(n) is signal.SIG_IGN))
    try:
        os.close(os.open("/dev/tty", os.O_RDWR))
        print("terminal yes")
    except OSError:
        print("terminal no")
    print("MARK", os.environ.get("MARK"))


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
