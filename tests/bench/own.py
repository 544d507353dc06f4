"""The figures in papers that are the program's own, as `own.toml` names them: by the words around them, and not by their size."""

from importlib import import_module
from typing import Final

from msgspec import Struct

from tests.bench.tables import read


class Own(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"is_": "is"}):
    """One figure that nobody measured."""

    words: str
    is_: str = ""
    """The name of the number."""
    file: str = ""
    says: str = ""
    """Or the file that sets it, in these words."""
    why: str = ""
    """Why there is no such number."""

    @property
    def value(self) -> float:
        """The number itself."""
        module, _, name = self.is_.rpartition(".")
        return float(getattr(import_module(module), name))


class _Table(Struct, frozen=True, forbid_unknown_fields=True):
    own: tuple[Own, ...]


OWN: Final = read("own.toml", _Table).own
