"""Runs a table of the spec as a `transitions` machine: a row that is not in the table cannot be taken.

The library's defaults are too forgiving for a protocol: there are no automatic transitions here, an event without a row
is an error, and callbacks do nothing but note which row was taken. One machine is built for each table and shared; what
is alive, a `Machine` here, is a bare model: a state and its timers.

A table is constant, so the library is asked a question once: which row it took for a state, an event and its facts is
remembered, unless a condition asked a timer. Every message needs two triggers, and they would take the most of its time.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from functools import cache
from typing import Any, Final, Generic, NamedTuple, TypeVar, cast

import transitions
from msgspec import Struct

from tunnel.core.timers import Changes, Timers
from tunnel.errors import OurFault
from tunnel.spec import model
from tunnel.spec.expressions import Value, evaluate, parse

StateT = TypeVar("StateT", bound=Enum)
EventT = TypeVar("EventT", bound=Enum)
ActionT = TypeVar("ActionT")
ConstantT = TypeVar("ConstantT")

NO_FACTS: Final[Mapping[str, bool]] = {}
"""What an event is about whose rows ask for nothing."""


class Move(Struct, Generic[ActionT], frozen=True):
    """A row that was taken."""

    row: str
    actions: tuple[ActionT, ...]
    leads_on: bool = True
    """Whether it leads to another state: where it does not, no timer starts, and none is due earlier than before."""


class _Model:
    """What `transitions` moves: it sees no more of us than this."""

    def __init__(self, state: str, timers: Timers) -> None:
        self.state = state
        self.timers = timers
        self.taken: model.Row | None = None
        self.asked_timers = False


class _Step(NamedTuple):
    """What an event did: all there is to do when it is asked for again."""

    move: Move[Any]  # of the actions of its table, as `fire` says
    state: str
    changes: Changes


_Steps = dict[tuple[Any, ...], _Step]  # state, event, the names of the facts, and the facts
"""Steps by the question that they answer."""


class Machine(Generic[StateT, EventT, ActionT]):
    """One machine, alive.

    Args:
        table: the generated rows.
        states: the generated enum of its states.
        actions: the generated actions by their text in the rows.
        seconds: duration of every constant that a timer names.
        now: ticks at which it starts.
    """

    def __init__(
        self,
        table: model.Machine,
        states: type[StateT],
        actions: Mapping[str, ActionT],
        seconds: Mapping[str, int],
        now: int,
    ) -> None:
        self.table = table
        self._states = {state.value: state for state in states}
        self._actions = actions
        self._events, self._steps = _shared(_Key(table), _Key(actions))
        self._model = _Model(table.initial, Timers(table, seconds, now))

    @property
    def state(self) -> StateT:
        """Where it is."""
        return self._states[self._model.state]

    @property
    def timers(self) -> Timers:
        """Its timers, to be asked."""
        return self._model.timers

    def fire(self, event: EventT, now: int, facts: Mapping[str, bool] = NO_FACTS) -> Move[ActionT]:
        """Take the first row of this state and event whose condition holds, and set the timers.

        Args:
            event: what happens.
            now: ticks.
            facts: what the conditions of this event ask for, by name.

        Raises:
            OurFault: the table has no row for it, or a fact is missing.
        """
        question = (self._model.state, event, *facts, *facts.values())
        step = self._steps.get(question)
        if step is None:
            step = self._ask(event, now, facts)
            if not self._model.asked_timers:
                self._steps[question] = step
        move, state, changes = step
        if move.leads_on:
            self._model.state = state
            self._model.timers.change(changes, now)
        elif changes.restarted:
            self._model.timers.restart(changes.restarted, now)
        return move

    def _ask(self, event: EventT, now: int, facts: Mapping[str, bool]) -> _Step:
        """Let `transitions` take a row."""
        before = self._model.state
        self._model.asked_timers = False
        try:
            self._events[event.value].trigger(self._model, now=now, facts=facts)
        except (transitions.MachineError, KeyError) as error:
            raise OurFault(
                f"{self.table.machine}: {event.value!r} in {self._model.state!r} with {facts}: {error}"
            ) from None
        row, self._model.taken = self._model.taken, None
        if row is None:
            raise OurFault(f"{self.table.machine}: no row for {event.value!r} in {self._model.state!r} with {facts}")
        happened = (event.value, *(action.split()[0] for action in row.do))
        return _Step(
            Move(row.id, tuple(self._actions[action] for action in row.do), before != self._model.state),
            self._model.state,
            self._model.timers.changes(self._model.state, happened),
        )


class _Key(Generic[ConstantT]):
    """A table as a key of a cache: tables are constants, so identity is enough (and their dicts do not hash)."""

    def __init__(self, table: ConstantT) -> None:
        self.table = table

    def __hash__(self) -> int:
        return id(self.table)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and cast(_Key[Any], other).table is self.table


@cache
def _shared(table: _Key[model.Machine], actions: _Key[Mapping[str, Any]]) -> tuple[Mapping[str, Any], _Steps]:  # noqa: ARG001
    """What all machines of a table share: the events of its `transitions` machine, and the steps they were seen to take.

    Actions are a part of the key, since steps hold them.
    """
    return _events(table.table), {}


def _events(
    table: model.Machine,
) -> Mapping[str, Any]:  # transitions is untyped: Event.trigger(model, **kwargs) -> bool
    """The events of a `transitions` machine of this table."""
    machine = transitions.Machine(
        model=None,
        states=[state.name for state in table.states],
        initial=table.initial,
        auto_transitions=False,
        ignore_invalid_triggers=False,
        send_event=True,
    )
    for state in table.states:
        for event in table.events:
            for row in table.rows_for(state.name, event.name) or table.rows_for(state.name, "*"):
                machine.add_transition(
                    trigger=event.name,
                    source=state.name,
                    dest=None if row.to == "=" else row.to,
                    conditions=[_Condition(row.when)] if row.when else None,
                    before=[_Note(row)],
                )
    return machine.events


class _Condition:
    """A row's condition, as `transitions` asks for it."""

    def __init__(self, when: str) -> None:
        self._tree = parse(when)

    def __call__(self, event: transitions.EventData) -> bool:
        moved, now, facts = _of(event)
        names: dict[str, Value] = {**facts, "state": moved.state}

        def passed(_: str, words: Sequence[str]) -> bool:
            moved.asked_timers = True
            return moved.timers.passed(words[0], now)

        return bool(evaluate(self._tree, names, passed))


class _Note:
    """Notes on the model which row was taken."""

    def __init__(self, row: model.Row) -> None:
        self._row = row

    def __call__(self, event: transitions.EventData) -> None:
        _of(event)[0].taken = self._row


def _of(event: transitions.EventData) -> tuple[_Model, int, Mapping[str, bool]]:
    """What `fire` gave: `transitions` does not know its types."""
    return cast(_Model, event.model), cast(int, event.kwargs["now"]), cast(Mapping[str, bool], event.kwargs["facts"])
