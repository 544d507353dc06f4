"""A clock that jumps, for programs that know nothing of it: libfaketime reads from a file by how much theirs differs from ours.

In between time passes as it does, so nothing is in a hurry: a day is over in minutes if it passes in jumps.
"""

from pathlib import Path

from tests.system.talking import faketime

# With the second it leaves waits of threads alone, too: they are in time that does not jump.
_WALL_ONLY = {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_FORCE_MONOTONIC_FIX": "0"}


class JumpingClock:
    """One such clock, for as many programs as are started with its environment.

    Args:
        file: where it is told what time it is.
        wall_only: whether only wall time jumps, and what counts from the start of the machine goes on.
    """

    def __init__(self, file: Path, *, wall_only: bool = False) -> None:
        self.ahead = 0
        """By how many seconds it is ahead of ours."""
        self._file = file
        self._wall_only = wall_only
        self.jump(0)

    @property
    def environment(self) -> dict[str, str]:
        """For a program that lives by this clock."""
        return {
            # The library for programs with several threads. The other one keeps the file's name in a buffer that every look at the clock
            # writes anew: a second thread that looks meanwhile (whoever waits for the interpreter's lock does, without it) finds no such
            # file, and reads that nothing ever jumped.
            "LD_PRELOAD": faketime("-m"),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            **(_WALL_ONLY if self._wall_only else {}),
        }

    def jump(self, seconds: int) -> None:
        """So much later, or earlier, it is at once."""
        self.ahead += seconds
        # In one piece: it is read at every look at the clock.
        coming = self._file.with_suffix(".coming")
        coming.write_text(f"{self.ahead:+d}\n")
        coming.rename(self._file)
