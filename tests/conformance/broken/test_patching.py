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


def test_around_a_function_stands_what_takes_the_same_or_the_first_of_it_and_the_rest() -> None:
    owner = ModuleType("owner")
    owner.__dict__["number"] = lambda kind, sender, seq: (kind, sender, seq)
    patching.all_of(
        patching.wrap(owner, "number", lambda original, kind, _sender, seq: original(kind, "host", seq)),
        patching.wrap(owner, "number", lambda original, kind, *rest: original(kind + "!", *rest)),
    )()

    assert owner.number("chat", "guest", 1) == ("chat!", "host", 1)


def test_one_that_takes_names_may_name_a_few_of_them() -> None:
    owner = ModuleType("owner")
    owner.__dict__["number"] = lambda *, kind, seq: (kind, seq)
    patching.wrap(owner, "number", lambda original, *, seq, **rest: original(seq=seq * 2, **rest))()

    assert owner.number(kind="chat", seq=1) == ("chat", 2)


@pytest.mark.parametrize(
    ("patch", "takes"),
    [
        (lambda owner: patching.wrap(owner, "number", lambda original, kind, seq: original(kind, "", seq)), "kind, seq"),
        (lambda owner: patching.wrap(owner, "number", lambda original, sender, *rest: original(sender, *rest)), "sender, *rest"),
        (lambda owner: patching.wrap(owner, "number", lambda original, *rest, id_: original(*rest, id_)), "*rest, id_"),
        (lambda owner: patching.put(owner, "number", lambda _kind, _sender: 1), "_kind, _sender"),
    ],
    ids=["too little", "in another order", "what is not there", "in its place"],
)  # fmt: skip
def test_what_takes_something_else_was_written_for_another_function(
    patch: Callable[[ModuleType], Patch], takes: str
) -> None:
    owner = ModuleType("owner")
    owner.__dict__["number"] = number

    with pytest.raises(TypeError) as caught:
        patch(owner)()

    assert str(caught.value) == f"number takes (kind, sender, seq), and its patch ({takes})"
    assert owner.number("chat", "host", 1) == 1


def number(kind: str, sender: str, seq: int) -> int:
    """What is to be patched."""
    return seq


def test_a_crash_ends_the_process_with_a_trace(capsys: pytest.CaptureFixture[str]) -> None:
    ended: list[int] = []
    patching.die(ended.append)

    assert ended == [1]
    assert "Traceback" in capsys.readouterr().err
