"""Patches: each finds what it is to change, or says that it is not there."""

# pyright: reportUnknownLambdaType=false
# What is patched with a lambda has its type.

from collections.abc import Callable
from types import ModuleType

import pytest
from tunnel_conformance.broken import patching
from tunnel_conformance.broken.wrong import Patch

from tunnel.spec import model
from tunnel.spec.v1 import session


@pytest.fixture
def table() -> ModuleType:
    """A module with the host's session, which may be changed."""
    made = ModuleType("table")
    made.__dict__["MACHINE"] = session.MACHINE
    return made


def ids(table: ModuleType) -> list[str]:
    return [row.id for row in table.MACHINE.transitions]


def test_a_row_says_something_else(table: ModuleType) -> None:
    patching.row(table, "auth-used", to="locked")()

    assert [row.to for row in table.MACHINE.transitions if row.id == "auth-used"] == ["locked"]
    assert [row for row in table.MACHINE.transitions if row.id != "auth-used"] == [
        row for row in session.MACHINE.transitions if row.id != "auth-used"
    ]


def test_a_row_is_missing(table: ModuleType) -> None:
    patching.without_row(table, "auth-expired")()

    assert ids(table) == [row for row in ids(session) if row != "auth-expired"]


def test_a_row_is_tried_before_another(table: ModuleType) -> None:
    patching.row_before(table, "auth-full", model.Row(id="new", on="auth", leaves=("locked",), to="="))()
    patching.row_moved(table, "auth-used", before="auth-malformed")()

    assert ids(table).index("new") + 1 == ids(table).index("auth-full")
    assert ids(table).index("auth-used") + 1 == ids(table).index("auth-malformed")
    assert ids(table).count("auth-used") == 1


def test_a_timer_says_something_else(table: ModuleType) -> None:
    patching.timer(table, "idle", fires="")()

    assert {timer.name: timer.fires for timer in table.MACHINE.timers} == {"link": "", "idle": ""}


def test_something_else_stands_in_its_place_or_around_it() -> None:
    owner = ModuleType("owner")
    owner.__dict__["double"] = lambda number: 2 * number
    patching.all_of(
        patching.wrap(owner, "double", lambda original, number: original(number) + 1),
        patching.wrap(owner, "double", lambda original, number: original(number) * 10),
    )()

    assert owner.double(4) == 90

    patching.put(owner, "double", str)()
    assert owner.double(4) == "4"


@pytest.mark.parametrize(
    ("patch", "found"),
    [
        (lambda table: patching.row(table, "no-such-row"), "session has no row 'no-such-row'"),
        (lambda table: patching.without_row(table, "no-such-row"), "session has no row 'no-such-row'"),
        (lambda table: patching.timer(table, "no-such-timer"), "session has no timer 'no-such-timer'"),
        (lambda table: patching.put(table, "no_such_name", 1), "<module 'table'> has no 'no_such_name'"),
    ],
    ids=["a row", "a row to drop", "a timer", "a name"],
)
def test_what_is_not_there_cannot_be_changed(
    table: ModuleType, patch: Callable[[ModuleType], Patch], found: str
) -> None:
    with pytest.raises(LookupError) as caught:
        patch(table)()

    assert str(caught.value) == found


def test_a_function_that_is_not_there_has_nothing_around_it(table: ModuleType) -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        patching.wrap(table, "no_such_name", lambda original: original)()


def test_a_crash_ends_the_process_with_a_trace(capsys: pytest.CaptureFixture[str]) -> None:
    ended: list[int] = []
    patching.die(ended.append)

    assert ended == [1]
    assert "Traceback" in capsys.readouterr().err
