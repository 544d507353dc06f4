"""What a broken implementation is: ours, patched in one place, and the cases that must fail on it."""

from collections.abc import Callable

from msgspec import Struct

from tunnel.spec.model import Role
from tunnel_conformance.spec import spec

Patch = Callable[[], None]
"""Changes the package `tunnel` of this process, before anything of it runs."""


class Broken(Struct, frozen=True, kw_only=True):
    """A working implementation that is wrong in one way."""

    name: str
    """What it does, in a few words with hyphens."""
    role: Role
    """In which it is wrong. In the other one it is as good as the correct one."""
    doc: str
    """What it does wrong, in a sentence."""
    rules: tuple[str, ...]
    """What it breaks."""
    patch: Patch
    fails: frozenset[str]
    """Ids of the cases that fail on it: these, and no others of its role."""

    @property
    def id(self) -> str:
        """Its name with its role in front: a host and a guest may be wrong in the same way."""
        return f"{self.role.value}-{self.name}"

    @property
    def needs_time(self) -> bool:
        """Whether it is caught only by cases in which protocol time passes."""
        return all(case.needs for case in spec().cases.cases if case.id in self.fails)
