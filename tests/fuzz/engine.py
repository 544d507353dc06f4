"""The process in which one target is fuzzed: atheris watches what it reaches, and libFuzzer decides what to try next.

`python -m tests.fuzz.engine NAME ARGUMENT...`: the arguments are libFuzzer's, folders of inputs and `-options`. It ends
the process by itself.
"""

import shlex
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Any, Final, Protocol, cast

PLAIN: Final = "--unguided"
"""An argument of ours: what the target reaches is not watched."""


class Engine(Protocol):
    """What of atheris is used. It has no types, and is not installed where only its findings are replayed."""

    def instrument_imports(self, include: Sequence[str]) -> AbstractContextManager[Any]:
        """Watch what is imported meanwhile."""
        ...

    def Setup(self, args: Sequence[str], check: Callable[[bytes], None]) -> list[str]:  # noqa: N802 - its name
        """Take the arguments."""
        ...

    def Fuzz(self) -> None:  # noqa: N802 - its name
        """Begin, and end the process."""
        ...


def main(name: str, *arguments: str) -> None:
    """Fuzz a target."""
    atheris = cast(Engine, import_module("atheris"))
    # Nothing of `tunnel` may be imported before: what is there already is not watched.
    from tests.fuzz.target import TRACED, load

    watching = atheris.instrument_imports(include=TRACED.get(name, (f"tests.fuzz.{name}",)))
    with nullcontext() if PLAIN in arguments else watching:
        check = load(name).check
    # libFuzzer starts itself again to merge, by a shell.
    again = shlex.join([sys.executable, "-m", "tests.fuzz.engine", name])
    atheris.Setup([again, *(one for one in arguments if one != PLAIN)], check)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
