"""How protocol time passes for an implementation: as it does, or many times as fast.

With libfaketime an unmodified program's clocks and timers run faster. It multiplies latency too: what takes 10 ms takes a
second of protocol time at 100 times the speed. So no deadline in play gets shorter than SHORTEST_REAL_SECONDS.
"""

import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, Literal, Protocol

SHORTEST_REAL_SECONDS: Final = 1.0
"""So long the shortest deadline in play takes at least."""

MAX_SPEED: Final = 300
"""Faster than that, starting a program takes it past its first deadline."""

INSTALL: Final = (
    "The library libfaketime was not found, so protocol time cannot be made to pass faster. Install it "
    "(Debian and Ubuntu: apt-get install faketime; Fedora: dnf install libfaketime; macOS: brew install libfaketime), "
    "or run the time cases in real time."
)

_LIBRARIES: Final = {"linux": "libfaketime.so.1", "darwin": "libfaketime.1.dylib"}
_ROOTS: Final = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/opt/homebrew/lib", "/lib")


class Clock(Protocol):
    """How an implementation's clock is made to go faster."""

    @property
    def kind(self) -> Literal["faketime", "constants", "real"]:
        """Its name in reports."""
        ...

    @property
    def trouble(self) -> str | None:
        """Why it cannot be made to go faster, in a sentence with the next step; None when it can."""
        ...

    def speed_for(self, deadlines: Iterable[float]) -> float:
        """How many times as fast it may go while these deadlines, in seconds of protocol time, are in play."""
        ...

    def environment(self, speed: float) -> dict[str, str]:
        """What the implementation is given in its environment to go so fast."""
        ...


def speed_for(deadlines: Iterable[float]) -> float:
    """The highest speed, a whole number, at which the shortest deadline still takes SHORTEST_REAL_SECONDS."""
    shortest = min(deadlines, default=MAX_SPEED * SHORTEST_REAL_SECONDS)
    # A whole number: which sign parts the fraction would depend on the locale.
    return float(max(1, min(MAX_SPEED, int(shortest / SHORTEST_REAL_SECONDS))))


class RealTime:
    """Protocol time is real time."""

    kind: Literal["faketime", "constants", "real"] = "real"
    trouble: str | None = None

    def speed_for(self, deadlines: Iterable[float]) -> float:  # noqa: ARG002 - it goes as it goes
        """As fast as time goes."""
        return 1.0

    def environment(self, speed: float) -> dict[str, str]:  # noqa: ARG002 - it goes as it goes
        """Nothing has to be said."""
        return {}


class Constants:
    """The implementation has a clock that it can make go faster itself.

    Args:
        variable: of its environment: how many times as fast.
    """

    kind: Literal["faketime", "constants", "real"] = "constants"
    trouble: str | None = None

    def __init__(self, variable: str) -> None:
        self._variable = variable

    def speed_for(self, deadlines: Iterable[float]) -> float:
        """How many times as fast it may go while these deadlines are in play."""
        return speed_for(deadlines)

    def environment(self, speed: float) -> dict[str, str]:
        """The variable is always set, so that real time is asked for, too."""
        return {self._variable: f"{speed:g}"}


class FakeTime:
    """libfaketime makes the clocks and timers of a program go faster that knows nothing of it.

    Args:
        library: its file; None when it is missing.
    """

    kind: Literal["faketime", "constants", "real"] = "faketime"

    def __init__(self, library: Path | None) -> None:
        self.library = library

    @property
    def trouble(self) -> str | None:
        """Where it is missing: how to install it."""
        return None if self.library else INSTALL

    def speed_for(self, deadlines: Iterable[float]) -> float:
        """How many times as fast it may go while these deadlines are in play."""
        return speed_for(deadlines) if self.library else 1.0

    def environment(self, speed: float) -> dict[str, str]:
        """What loads the library and tells it the speed; at real speed it is left out."""
        if self.library is None or speed == 1.0:
            return {}
        loaded = (
            {"DYLD_INSERT_LIBRARIES": str(self.library), "DYLD_FORCE_FLAT_NAMESPACE": "1"}
            if self.library.suffix == ".dylib"
            else {"LD_PRELOAD": str(self.library)}
        )
        # Read once: programs ask for the time very often.
        return {**loaded, "FAKETIME": f"+0 x{int(speed)}", "FAKETIME_CACHE_DURATION": "86400"}


def find_faketime(environment: Mapping[str, str], platform: str = sys.platform) -> FakeTime:
    """The libfaketime of this machine, as it is installed with the command `faketime`.

    Args:
        environment: FAKETIME_LIBRARY in it names the file, where it stands elsewhere; PATH leads to the command.
        platform: `sys.platform`.
    """
    if named := environment.get("FAKETIME_LIBRARY"):
        return FakeTime(Path(named) if Path(named).is_file() else None)
    name = _LIBRARIES.get(platform)
    return FakeTime(next((file for file in _candidates(name, environment) if file.is_file()), None) if name else None)


def _candidates(name: str, environment: Mapping[str, str]) -> Iterator[Path]:
    roots = [Path(root) for root in _ROOTS]
    if command := shutil.which("faketime", path=environment.get("PATH", "")):
        roots.insert(0, Path(command).resolve().parent.parent / "lib")
    for root in roots:
        yield root / "faketime" / name
        # Debian has a folder for each kind of machine, the present one first.
        multiarch: str = getattr(sys.implementation, "_multiarch", "")
        yield root / multiarch / "faketime" / name
        yield root / name
