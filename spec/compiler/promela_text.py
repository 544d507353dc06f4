"""One machine as Promela: every row in its order, with its condition, its moves and its actions."""

import re
from collections.abc import Iterable, Iterator
from typing import assert_never

from msgspec.structs import replace

from tunnel.spec.expressions import All, Call, Compare, Name, Not, Number, Some, Symbol, Tree, parse
from tunnel.spec.model import Event, Machine, Row, Timer

HEARD = {
    ("session", "admit"): "connection_on_admit(who)",
    ("session", "refuse"): "connection_on_refuse(who)",
    ("session", "drop"): "connection_on_drop(who)",
    ("session", "end"): "everybody_hears_the_end()",
    ("connection", "judge"): "session_on_auth(who)",
    ("connection", "relay"): "session_on_send(who)",
    ("connection", "leave"): "session_on_left(who)",
}
"""An action of one machine is an event of the other."""

TAKES = "row taken:"
"""What a model that tracks its rows says in front of machine and row."""


class PromelaError(Exception):
    """A table cannot be written as Promela; the text says what stands in the way."""


class Text:
    """One machine, in pieces of Promela.

    Args:
        machine: the table.
        seen: the actions that the claims look at, or that the other end hears of.
        tracks: say of every row when it is taken first.
    """

    def __init__(self, machine: Machine, seen: Iterable[str], *, tracks: bool = False) -> None:
        self.machine = machine
        self._seen = frozenset(seen)
        self._tracks = tracks
        self.name = machine.machine
        self.states = [state.name for state in machine.states]
        self.timers = [timer for timer in machine.timers if not self._moves_nothing(timer)]
        self.left_out = [timer.name for timer in machine.timers if timer not in self.timers]
        self._index = "[who]" if self.name == "connection" else ""

    @property
    def state(self) -> str:
        """The variable that holds the state."""
        return f"{self.name}{self._index}"

    def events(self, *sources: str) -> list[Event]:
        """The events that come from there."""
        return [event for event in self.machine.events if event.source in sources]

    def age(self, timer: str) -> str:
        """The variable that holds how long a timer has run; zero while it does not run."""
        return f"{self.name}_{timer}{self._index}"

    def running(self, timer: Timer) -> str:
        """Whether the timer runs."""
        return self._is_in(self.machine.states_of(timer.runs_in))

    def passed(self, timer: Timer) -> str:
        """Whether the timer has passed."""
        words = {"elapsed": self.age(timer.name), "duration": timer.duration}
        return _expression(parse(timer.passed_when), words, self)

    def handler(self, event: Event) -> Iterator[str]:
        """The lines of what an event does: its rows, from top to bottom."""
        rows = self._rows(event)
        for depth, row in enumerate(rows):
            yield "  if" if not depth else "  :: else -> if"
            rules = f": {', '.join(row.rules)}" if row.rules else ""
            yield f"  :: {self._guard(row)} ->  /* {row.id}{rules} */"
            yield f"     {'; '.join([*self._tracked(row), *self._moves(row, event), *self._does(row)]) or 'skip'}"
        yield f"  {':: else -> assert(false)' if rows else 'if :: assert(false)'}  /* no row */"
        yield "  " + "fi " * max(len(rows), 1)

    def calls(self, event: str) -> set[tuple[str, str]]:
        """The events of either machine that this one brings about."""
        heard = {HEARD.get((self.name, action.split()[0]), "") for row in self._rows_on(event) for action in row.do}
        found = {(call[1], call[2]) for text in heard if (call := re.match(r"(\w+)_on_(\w+)\(", text))}
        return found | ({("connection", "end")} if any("everybody" in text for text in heard) else set())

    def _rows_on(self, event: str) -> tuple[Row, ...]:
        return tuple(row for row in self.machine.transitions if row.on == event)

    def _rows(self, event: Event) -> list[Row]:
        """The rows of an event in the order of the table, and those of any event for the states that are left."""
        own = [row for row in self.machine.transitions if row.on == event.name]
        named = {state for row in own for state in self.machine.states_of(row.leaves)}
        any_event = [row for row in self.machine.transitions if row.on == "*"]
        left = [(row, tuple(s for s in self.machine.states_of(row.leaves) if s not in named)) for row in any_event]
        return own + [replace(row, leaves=states) for row, states in left if states]

    def _guard(self, row: Row) -> str:
        where = self._is_in(self.machine.states_of(row.leaves))
        return f"{where} && {_expression(parse(row.when), {}, self)}" if row.when else where

    def _is_in(self, states: tuple[str, ...]) -> str:
        tests = [f"{self.name}{self._index} == {self.name}_{state}" for state in states]
        return tests[0] if len(tests) == 1 else f"({' || '.join(tests)})"

    def _moves(self, row: Row, event: Event) -> Iterator[str]:
        """The state, and the timers that stop or go back to zero. One that starts stands at zero already."""
        if row.to != "=":
            yield f"{self.name}{self._index} = {self.name}_{row.to}"
        touched = {event.name, *(action.split()[0] for action in row.do)}
        for timer in self.timers:
            stops = row.to != "=" and row.to not in self.machine.states_of(timer.runs_in)
            if stops or not touched.isdisjoint(timer.restarts_on):
                yield f"{self.age(timer.name)} = 0"

    def _does(self, row: Row) -> Iterator[str]:
        for action in row.do:
            verb, *objects = action.split()
            if verb in self._seen:
                objects = [f"{verb}_{name}" for name in objects]
                if self.name == "guest":
                    yield f"see_guest_{verb}({', '.join(objects)})"
                else:
                    yield f"see_{verb}({', '.join(['who', *objects])})"
            if call := HEARD.get((self.name, verb)):
                yield call

    def _tracked(self, row: Row) -> Iterator[str]:
        if self._tracks:
            yield f'c_code {{ static int told; if (!told++) printf("{TAKES} {self.name} {row.id}\\n"); }}'

    def _moves_nothing(self, timer: Timer) -> bool:
        """Whether nobody could tell that it fires: then it costs states and proves nothing."""
        rows = [row for row in self.machine.transitions if row.on == timer.fires]
        verbs = {action.split()[0] for row in rows for action in row.do}
        told = verbs & ({verb for name, verb in HEARD if name == self.name} | self._seen)
        restarts = {name for other in self.machine.timers if other != timer for name in other.restarts_on}
        asked = any(f"passed({timer.name})" in row.when for row in self.machine.transitions)
        stays = all(row.to in ("=", *self.machine.states_of(row.leaves)) for row in rows)
        return bool(timer.fires) and stays and not told and not asked and restarts.isdisjoint({timer.fires, *verbs})


def callees_first(texts: Iterable[Text]) -> list[tuple[Text, Event]]:
    """Every event of the machines, behind those that it brings about: an inline stands before its use."""
    named = {(text.name, event.name): (text, event) for text in texts for event in text.machine.events}
    found: dict[tuple[str, str], tuple[Text, Event]] = {}

    def visit(at: tuple[str, str], way: tuple[tuple[str, str], ...]) -> None:
        if at in way:
            circle = " -> ".join(f"{machine} {event}" for machine, event in (*way[way.index(at) :], at))
            raise PromelaError(f"the machines call each other for ever: {circle}")
        for then in sorted(named[at][0].calls(at[1])):
            visit(then, (*way, at))
        found.setdefault(at, named[at])

    for start in named:
        visit(start, ())
    return list(found.values())


def _expression(tree: Tree, words: dict[str, str], text: Text) -> str:
    """A condition in Promela."""
    match tree:
        case Name(name):
            return words.get(name, text.state if name == "state" else name)
        case Symbol(name):
            return f"{text.name}_{name}"
        case Number(value):
            return str(value)
        case Not(inner):
            return f"!({_expression(inner, words, text)})"
        case All(parts):
            return f"({' && '.join(_expression(part, words, text) for part in parts)})"
        case Some(parts):
            return f"({' || '.join(_expression(part, words, text) for part in parts)})"
        case Compare(op, left, right):
            return f"({_expression(left, words, text)} {op} {_expression(right, words, text)})"
        case Call("passed", (timer,)):
            return text.passed(next(one for one in text.machine.timers if one.name == timer))
        case Call(function, _):
            raise PromelaError(f"{function!r} has no meaning in a condition")
        case _:
            assert_never(tree)
