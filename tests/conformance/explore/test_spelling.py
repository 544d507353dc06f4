"""What is found can be pasted into the table of cases: it is read there as it was meant, and nothing is wrong with it."""

import shutil
import tomllib
from functools import cache
from pathlib import Path

import msgspec
from tunnel_conformance.explore.draw import drawn
from tunnel_conformance.explore.host import HostWalk
from tunnel_conformance.explore.spelling import spelled

from spec.compiler.lint import lint
from spec.compiler.reader import read
from tunnel.spec.model import Case, Role, Step

TABLES = Path(__file__).parents[3] / "spec" / "v1"


@cache
def cases() -> list[Case]:
    """Conversations of all kinds."""
    plans = [*drawn(HostWalk, 60, 7, timed=False), *drawn(HostWalk, 10, 7, timed=True)]
    found: list[Case] = []
    for number, plan in enumerate(plans):
        walk = HostWalk()
        walk.do_all(plan)
        walk.probe()
        found.append(walk.case(f"explored-{number}", 'a "title"', ("LINK-1", "LOCK-1")))
    return found


def test_a_case_is_read_back_as_it_was() -> None:
    for case in cases():
        table = tomllib.loads(spelled(case))

        assert msgspec.convert(table["cases"], type=list[Case]) == [case]


def test_what_is_pasted_into_the_table_is_sound(tmp_path: Path) -> None:
    folder = shutil.copytree(TABLES, tmp_path / "v1")
    found = cases()
    with (folder / "cases.toml").open("a", encoding="utf-8") as table:
        table.writelines(f"\n{spelled(case)}" for case in found)
    tables = read(folder)

    assert list(tables.cases.cases[-len(found) :]) == found
    assert lint(tables) == []


def test_what_toml_escapes_is_escaped() -> None:
    text = 'a "b"\\ \n\r\t\x00\x1b\x7f \u2028 \u00fc \U0001f600 {path}'
    step = Step(do="raw", by="A", args={"text": text, "binary": True, "times": 2}, expect="nothing", tolerate=("gone",))
    case = Case(id="x", title=text, judges=Role.GUEST, rules=("WIRE-4",), steps=(step,), needs=("time",))

    assert msgspec.convert(tomllib.loads(spelled(case))["cases"], type=list[Case]) == [case]
