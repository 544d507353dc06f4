"""Writes what each machine does, step by step, on walks that together take every step of its exploration.

Whoever has a machine in another language plays a trace on it, without a socket and without a clock: the time stands there.
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import msgspec
from msgspec import UNSET, to_builtins

from spec.compiler.explore import Input, Wait, Way
from spec.compiler.export_json import text
from spec.compiler.export_traces_schema import Action, Covered, Line, Start, Trace, Traces, schema
from spec.compiler.python import used
from spec.compiler.reader import Spec
from spec.compiler.walks import mapped, walks
from tunnel.spec.model import Machine
from tunnel.spec.semantics import Configuration, Interpreter, Step

_SAYS: Final = ("id", "text", "code", "reason")
"""What of a row of refusals.toml is not for people alone."""


def write(spec: Spec) -> dict[str, str]:
    """Every file: path below the root of the repository, and its whole text."""
    files = {f"{name}.json": _text(export(spec, machine)) for name, machine in spec.machines.items()}
    files["schema.json"] = text(schema(spec))
    files["LICENSE"] = (spec.folder / "vectors" / "LICENSE").read_text(encoding="utf-8")
    return {f"spec/v{spec.protocol.wire}/export/traces/{name}": text for name, text in files.items()}


def export(spec: Spec, machine: Machine) -> Traces:
    """The traces of one machine."""
    player = _Player(spec, machine)
    atlas = mapped(spec, machine)
    return Traces(
        about=(
            f"What the machine of {machine.machine}.toml does on walks that together take every step of its exploration.",
            "README.md says how to play a trace. CC0 1.0: see LICENSE.",
            f"Generated from spec/v{spec.protocol.wire} by `python -m spec.compiler build`.",
        ),
        schema="schema.json",
        machine=machine.machine,
        edition=spec.protocol.spec_version,
        covers=Covered(configurations=len(atlas.edges), steps=sum(map(len, atlas.edges.values()))),
        events={event.name: event.facts for event in machine.events},
        actions={action: _action(spec, machine, action) for action in used(machine)},
        start=Start(state=machine.initial, timers=player.deadlines(player.start.configuration)),
        traces=tuple(player.trace(walk.name, walk.way, walk.ends) for walk in walks(spec, machine, atlas)),
    )


def _action(spec: Spec, machine: Machine, action: str) -> Action:
    """What an action of a row means, with what it says."""
    verb, *objects = action.split()
    row = next(each for each in machine.actions if each.name == verb)
    if not objects:
        return Action(doc=row.doc)
    tables = {
        "refusal": "refusals",
        "closing": "closings",
        "cause": "causes",
        "failure": "failures",
        "notice": "notices",
    }
    said = next(each for each in getattr(spec.refusals, tables[row.takes]) if each.id == objects[0])
    return Action(doc=row.doc, says={name: value for name, value in to_builtins(said).items() if name in _SAYS})


class _Moment(NamedTuple):
    """Where a life has come to."""

    configuration: Configuration
    now: int


class _Player:
    """Plays a machine on the reference interpreter, and writes down what it does.

    Args:
        spec: its constants.
        machine: the table.
    """

    def __init__(self, spec: Spec, machine: Machine) -> None:
        self._machine = machine
        self._interpreter = Interpreter(machine, spec.constants)
        self._durations = {timer.name: spec.constants[timer.duration] for timer in machine.timers}
        self._facts = {event.name: event.facts for event in machine.events}
        self.start = _Moment(self._interpreter.start(0), 0)

    def deadlines(self, configuration: Configuration) -> dict[str, int]:
        """When each running timer comes to its end."""
        return {name: since + self._durations[name] for name, since in configuration.since.items()}

    def trace(self, name: str, way: Way, ends: Iterable[Way]) -> Trace:
        """A life, and each end that it can have."""
        steps, moment = self._played(self.start, way)
        return Trace(name=name, steps=steps, ends=tuple(self._played(moment, end)[0] for end in ends))

    def _played(self, moment: _Moment, way: Way) -> tuple[tuple[Line, ...], _Moment]:
        lines: list[Line] = []
        for thing in way:
            match thing:
                case Wait(seconds):
                    later, moment = self._wait(moment, seconds)
                    lines += later
                case Input(event, facts):
                    step = self._interpreter.step(moment.configuration, event, facts, moment.now)
                    moment = _Moment(step.after, moment.now)
                    lines.append(self._line(step, is_timer=False))
        return tuple(lines), moment

    def _wait(self, moment: _Moment, seconds: int) -> tuple[list[Line], _Moment]:
        """Time passes: the timers that are due on the way, and then the moment in which somebody looks again."""
        now = moment.now + seconds
        steps = self._interpreter.expire(moment.configuration, now)
        lines = [self._line(step, is_timer=True) for step in steps]
        last = steps[-1].after if steps else moment.configuration
        if not steps or steps[-1].now < now:
            lines.append(Line(at=now, state=last.state))
        return lines, _Moment(last, now)

    def _line(self, step: Step, *, is_timer: bool) -> Line:
        held = tuple(name for name in self._facts[step.event] if step.facts.get(name, False))
        after = self.deadlines(step.after)
        return Line(
            at=step.now,
            event=UNSET if is_timer else step.event,
            facts=held if self._facts[step.event] else UNSET,
            timer=step.event if is_timer else UNSET,
            row=step.row.id,
            state=step.after.state,
            do=step.actions,
            timers=UNSET if after == self.deadlines(step.before) else after,
        )


def _text(found: Traces) -> str:
    """A step on each line, and an end on each line."""
    whole = text({**to_builtins(found), "traces": []})
    return whole.replace('"traces": []', '"traces": [\n' + ",\n".join(_lines(found.traces)) + "\n  ]")


def _lines(traces: Iterable[Trace]) -> Iterator[str]:
    for trace in traces:
        parts = [f'    {{"name": {_json(trace.name)}, "steps": {_block([_json(step) for step in trace.steps])}']
        if trace.ends:
            parts.append(f'"ends": {_block([_json(end) for end in trace.ends])}')
        yield ", ".join(parts) + "}"


def _block(lines: list[str]) -> str:
    return "[\n" + ",\n".join(f"      {line}" for line in lines) + "\n    ]" if lines else "[]"


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
