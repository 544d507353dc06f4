"""Arrows point one way: spec -> errors and crypto -> core -> io -> transport -> app; clocks, chance and print stay outside."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]

WORLD = (
    "asyncio",
    "socket",
    "ssl",
    "select",
    "time",
    "datetime",
    "os",
    "sys",
    "io",
    "pathlib",
    "tempfile",
    "shutil",
    "random",
    "secrets",
    "uuid",
    "logging",
    "threading",
    "multiprocessing",
    "concurrent",
    "subprocess",
    "signal",
    "websockets",
    "mcp",
    "click",
    "rich",
)
"""What brings in I/O, a clock, chance, files, threads or logging."""


class Source(NamedTuple):
    """A module: its dotted name and its text."""

    module: str
    text: str


class Layer(NamedTuple):
    """Who may know whom: of our own packages only `knows`, of the rest anything but `shuns`."""

    modules: tuple[str, ...]
    knows: tuple[str, ...]
    shuns: tuple[str, ...] = ()


LAYERS = {
    "spec": Layer(("tunnel.spec",), ("tunnel.spec",), WORLD),
    "errors": Layer(("tunnel.errors",), (), WORLD),
    "crypto": Layer(("tunnel.crypto",), ("tunnel.spec", "tunnel.errors"), WORLD),
    "core": Layer(("tunnel.core",), ("tunnel.spec", "tunnel.errors", "tunnel.crypto", "tunnel.core"), WORLD),
    "io": Layer(("tunnel.io",), ("tunnel.spec", "tunnel.errors", "tunnel.crypto", "tunnel.core", "tunnel.io")),
    "transport": Layer(
        ("tunnel.transport",), ("tunnel.spec", "tunnel.errors", "tunnel.core.text", "tunnel.io", "tunnel.transport")
    ),
    "app": Layer(("tunnel.app", "tunnel.__main__"), ("tunnel",)),
    "shipped": Layer(("tunnel",), ("tunnel",), ("spec", "tests", "conformance", "tunnel_conformance")),
}

TERMINALS = ("tunnel.app.cli", "tunnel.app.demo", "tunnel.app.stderr")
"""Who may print: a server on stdio would break its own protocol by it."""

OUTSIDE = ("tunnel.io", "tunnel.transport", "tunnel.app")
"""Who may read a clock or draw a random number; everybody else is given them."""

CHANCE = ("time", "secrets", "random", "uuid", "os.urandom", "datetime", "nacl.utils.random")
"""What reads a clock or draws a random number."""


def sources(folder: Path = ROOT / "tunnel") -> Iterator[Source]:
    """Every module that is shipped."""
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder.parent).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        yield Source(module, path.read_text(encoding="utf-8"))


def within(name: str, packages: tuple[str, ...]) -> bool:
    """Whether a dotted name is one of the packages, or inside one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def imports(source: Source) -> Iterator[str]:
    """Every dotted name that is imported anywhere in a module, also late or only for types."""
    for node in ast.walk(ast.parse(source.text)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield from (f"{module}.{alias.name}" for alias in names)
            case ast.ImportFrom(level=level):
                yield f"{'.' * level}: a relative import"
            case ast.Call(
                func=ast.Name(id="__import__" | "import_module") | ast.Attribute(attr="import_module"), args=args
            ):
                yield from (arg.value for arg in args if isinstance(arg, ast.Constant) and isinstance(arg.value, str))
            case _:
                pass


def strays(source: Source) -> list[str]:
    """The imports with which a module leaves its layers."""
    found: list[str] = []
    for name in imports(source):
        for layer in LAYERS.values():
            ours = within(name, ("tunnel",))
            if within(source.module, layer.modules) and (
                (ours and not within(name, layer.knows)) or within(name, layer.shuns) or name.startswith(".")
            ):
                found.append(f"{source.module} imports {name}")
    return list(dict.fromkeys(found))


def prints(source: Source) -> list[str]:
    """The lines at which a module prints, where it does not own the terminal."""
    if source.module in TERMINALS:
        return []
    return [
        f"{source.module}:{node.lineno} prints"
        for node in ast.walk(ast.parse(source.text))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]


def chances(source: Source) -> list[str]:
    """The clocks and sources of randomness that a module reaches for, where they have to be given to it."""
    if within(source.module, OUTSIDE):
        return []
    tree = ast.parse(source.text)
    names = {*imports(source), *(ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute))}
    return [f"{source.module} reaches for {name}" for name in sorted(names) if within(name, CHANCE)]


Check = Callable[[Source], list[str]]


@pytest.mark.parametrize("check", [strays, prints, chances])
def test_what_is_shipped_keeps_to_its_layers(check: Check) -> None:
    modules = list(sources())

    assert [finding for source in modules for finding in check(source)] == []
    assert {source.module for source in modules} >= {"tunnel", "tunnel.core.host", "tunnel.spec.v1.session"}


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("tunnel.spec.model", "import tunnel.core.machine"),
        ("tunnel.spec.model", "from tunnel import errors"),
        ("tunnel.spec.v1.session", "import os"),
        ("tunnel.errors", "from tunnel.spec.v1 import refusals"),
        ("tunnel.crypto", "from tunnel.core.codec import decode"),
        ("tunnel.crypto", "import secrets"),
        ("tunnel.core.host", "import asyncio"),
        ("tunnel.core.host", "import asyncio.events"),
        ("tunnel.core.host", "from os import urandom"),
        ("tunnel.core.host", "def late():\n    import time"),
        ("tunnel.core.host", "if TYPE_CHECKING:\n    from pathlib import Path"),
        ("tunnel.core.host", "from tunnel.io import clock"),
        ("tunnel.core.host", "from tunnel import io"),
        ("tunnel.core.host", "from . import guest"),
        ("tunnel.core.host", "from ..io import clock"),
        ("tunnel.core.host", "import_module('socket')"),
        ("tunnel.core.host", "__import__('tunnel.app')"),
        ("tunnel.core", "import logging"),
        ("tunnel.io.driver", "from tunnel.transport.loopback import Loopback"),
        ("tunnel.io.driver", "import tunnel.app"),
        ("tunnel.transport.loopback", "from tunnel.app import tools"),
        ("tunnel.transport.loopback", "from tunnel.core.effects import Send"),
        ("tunnel.app.server", "from spec.compiler.reader import read"),
        ("tunnel.app.server", "import tests.conversation"),
        ("tunnel", "from tunnel_conformance import run"),
    ],
)
def test_an_import_against_the_arrows_is_found(module: str, text: str) -> None:
    assert len(strays(Source(module, text))) == 1


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("tunnel.core.host", "from tunnel import crypto"),
        ("tunnel.core.host", "from collections.abc import Callable"),
        ("tunnel.core.host", "import osmosis"),
        ("tunnel.app.server", "from tunnel.io.relay import Relay"),
        ("tunnel.app.server", "import tunnel.spec.v1"),
        ("tunnel.__main__", "from tunnel.app.cli import main"),
        ("tunnel.io.clock", "import time"),
    ],
)
def test_an_import_along_the_arrows_is_not_found(module: str, text: str) -> None:
    assert strays(Source(module, text)) == []


@pytest.mark.parametrize("module", ["tunnel.core.host", "tunnel.app.tools", "tunnel.io.driver"])
def test_a_print_is_found(module: str) -> None:
    assert prints(Source(module, "def shout():\n    print('hello')")) == [f"{module}:2 prints"]


def test_a_print_of_who_owns_the_terminal_or_by_another_name_is_not_found() -> None:
    assert prints(Source("tunnel.app.demo", "print('hello')")) == []
    assert prints(Source("tunnel.app.tools", "console.print('hello')\nfingerprint()")) == []


@pytest.mark.parametrize(
    "text",
    [
        "import os\nos.urandom(8)",
        "entropy = os.urandom",
        "from os import urandom",
        "import secrets",
        "time.monotonic_ns()",
        "from time import time",
        "datetime.datetime.now()",
        "random.random()",
        "nacl.utils.random(24)",
    ],
)
def test_a_clock_or_a_die_in_the_core_is_found(text: str) -> None:
    assert chances(Source("tunnel.core.host", text)) != []
    assert chances(Source("tunnel.app.tools", text)) == []


def test_what_only_sounds_like_a_clock_is_not_found() -> None:
    assert chances(Source("tunnel.core.host", "self.time.next()\ntimers.passed('idle', now)")) == []
