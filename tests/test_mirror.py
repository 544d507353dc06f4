"""Every module has its tests where one looks for them: `tunnel/core/link.py` in `tests/core/test_link.py`."""

from collections.abc import Collection
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("core", "io", "transport", "app", "app/person", "app/watch", "app/chat", "app/doctor", "app/skill", "spec")

ELSEWHERE = {
    "tunnel/__main__.py": "tests/app/test_cli.py",
    "tunnel/core/connection.py": "tests/core/test_host_bounds.py",
    "tunnel/core/effects.py": "tests/core/test_host.py",
    "tunnel/io/peers.py": "tests/io/test_listener.py",
    "tunnel/spec/model.py": "tests/spec/test_compiler.py",
}
"""Modules that are tested through another one, and where."""


def mirror(module: str) -> str:
    """Where the tests of a module belong."""
    path = Path(module)
    return (Path("tests", *path.parts[1:-1]) / f"test_{path.name}").as_posix()


def modules(root: Path) -> list[str]:
    """The modules that are written by hand; what is generated is compared with its tables."""
    found = [*(root / "tunnel").glob("*.py")]
    for package in PACKAGES:
        found += (root / "tunnel" / package).glob("*.py")
    return sorted(path.relative_to(root).as_posix() for path in found if path.name != "__init__.py")


def untested(root: Path, elsewhere: dict[str, str]) -> list[str]:
    """Modules without their tests, and entries of `elsewhere` that are not true, or not needed."""
    known = modules(root)
    found = [
        f"{module} has no {elsewhere.get(module, mirror(module))}"
        for module in known
        if not (root / elsewhere.get(module, mirror(module))).is_file()
    ]
    found += [f"{module} is no module" for module in elsewhere if module not in known]
    found += [f"{module} has its tests where they belong" for module in elsewhere if (root / mirror(module)).is_file()]
    return found


def test_every_module_has_its_tests() -> None:
    assert untested(ROOT, ELSEWHERE) == []


def test_the_modules_are_found() -> None:
    assert {"tunnel/crypto.py", "tunnel/core/machine.py", "tunnel/spec/semantics.py"} <= set(modules(ROOT))
    assert not any("/v1/" in module or "__init__" in module for module in modules(ROOT))


def laid_out(root: Path, files: Collection[str]) -> Path:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()
    return root


@pytest.mark.parametrize(
    ("tests", "elsewhere", "finding"),
    [
        (["tests/core/test_link.py"], {}, []),
        (["tests/test_link.py"], {}, ["tunnel/core/link.py has no tests/core/test_link.py"]),
        (["tests/core/test_joining.py"], {"tunnel/core/link.py": "tests/core/test_joining.py"}, []),
        ([], {"tunnel/core/link.py": "tests/core/test_x.py"}, ["tunnel/core/link.py has no tests/core/test_x.py"]),
        (["tests/core/test_link.py"], {"tunnel/old.py": "tests/core/test_link.py"}, ["tunnel/old.py is no module"]),
        (
            ["tests/core/test_link.py"],
            {"tunnel/core/link.py": "tests/core/test_link.py"},
            ["tunnel/core/link.py has its tests where they belong"],
        ),
    ],
    ids=["in its place", "in another place", "under another name", "nowhere", "a stale entry", "a needless entry"],
)
def test_a_module_without_tests_is_named(
    tmp_path: Path, tests: list[str], elsewhere: dict[str, str], finding: list[str]
) -> None:
    root = laid_out(tmp_path, ["tunnel/__init__.py", "tunnel/core/__init__.py", "tunnel/core/link.py", *tests])

    assert untested(root, elsewhere) == finding
