"""What the walks found, for people: tables in plain text, and ways as numbered lines."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from time import perf_counter

from spec.compiler.explore import ENDS, TOTAL, Edge, Ground, Input, Wait, shortened, wander
from spec.compiler.mutate import EQUAL, READING, SURVIVES, WALKING, Verdict
from spec.compiler.reader import Spec
from spec.compiler.rehearsal import ALIKE, LATE, NOWHERE, Hearing
from spec.compiler.together import CLAIMS, walk_together
from tunnel.spec.model import Machine

OUT_OF_REACH: Mapping[str, Mapping[str, int]] = {
    NOWHERE: {"session": 85, "connection": 218, "guest": 144},
    ALIKE: {"session": 100, "connection": 190, "guest": 122},
    LATE: {"session": 1, "connection": 3, "guest": 3},
}
"""Of how many mutants nothing else has to be heard of the core, by reason and machine. Whoever changes the tables, the mutants
or the conversations writes here what `mutate --core` counts then, and looks why it is more."""


def explore_all(spec: Spec) -> tuple[str, list[str]]:
    """Walk through every machine, and through host and guest together: a table, and what does not hold."""
    lines: list[Sequence[object]] = [("", "configurations", "steps", "rows taken", "invariants", "seconds")]
    faults: list[str] = []
    for name, machine in spec.machines.items():
        began = perf_counter()
        short = shortened(machine, spec.constants)
        ground = Ground(machine, short)
        found = wander(ground)
        untaken = [row.id for row in machine.transitions if row.id not in found.rows]
        faults += [
            breach(f"{name}: {_invariant(machine, broken)}", tell(ground.follow(way), _tick(spec, short)))
            for broken, way in found.violations.items()
        ]
        faults += [f"{name}: no way leads to row {row!r}" for row in untaken]
        rows = f"{len(found.rows)} of {len(machine.transitions)}"
        seconds = f"{perf_counter() - began:.1f}"
        lines.append((name, len(found.places), found.edges, rows, len(machine.invariants), seconds))
    began = perf_counter()
    both = walk_together(spec)
    faults += [breach(f"together: `{claim}`: {CLAIMS[claim]}", way) for claim, way in both.violations.items()]
    rows = f"{len(both.rows)} of {sum(len(machine.transitions) for machine in spec.machines.values())}"
    lines.append(("together", both.worlds, both.edges, rows, len(CLAIMS), f"{perf_counter() - began:.1f}"))
    return table(lines), faults


def verdicts_told(verdicts: Sequence[Verdict]) -> tuple[str, list[str]]:
    """What noticed the mutants: a table by kind, one by invariant, those that are the same machine, and what survives."""
    lines: list[Sequence[object]] = [("", "mutants", READING, WALKING, EQUAL, "survive")]
    for machine, kind in dict.fromkeys((v.machine, v.kind) for v in verdicts):
        lines.append((f"{machine}: {kind}", *_counts(v for v in verdicts if (v.machine, v.kind) == (machine, kind))))
    lines.append(("all", *_counts(verdicts)))
    by = Counter((v.machine, name) for v in verdicts if v.noticed == WALKING for name in v.by)
    invariants = [(f"{machine}: {name}", times) for (machine, name), times in by.most_common()]
    same = [f"the same machine: {v.machine}: {v.kind}: {v.where}" for v in verdicts if v.noticed == EQUAL]
    text = "\n".join([table(lines), "", table([("broke first, maybe with others", "mutants"), *invariants]), "", *same])
    return text, [f"survives: {v.machine}: {v.kind}: {v.where}" for v in verdicts if v.noticed == SURVIVES]


def _counts(verdicts: Iterable[Verdict]) -> tuple[int, ...]:
    noticed = Counter(verdict.noticed for verdict in verdicts)
    return (noticed.total(), *(noticed[kind] for kind in (READING, WALKING, EQUAL, SURVIVES)))


def hearings_told(hearings: Sequence[Hearing]) -> tuple[str, list[str]]:
    """What the core made of the mutants: a table by machine, what need not be heard, and what should have been heard of it."""
    lines: list[Sequence[object]] = [("", "played", "heard", *OUT_OF_REACH, "unheard")]
    unheard = [hearing for hearing in hearings if hearing.is_in_reach and hearing.heard is None]
    for machine in dict.fromkeys(hearing.mutant.machine for hearing in hearings):
        own = [hearing for hearing in hearings if hearing.mutant.machine == machine]
        out = Counter(hearing.beyond for hearing in own)
        deaf = sum(hearing in unheard for hearing in own)
        lines.append((machine, len(own), out[""] - deaf, *(out[why] for why in OUT_OF_REACH), deaf))
    beyond = Counter(f"{h.mutant.machine}: {h.mutant.where.partition(':')[0]}" for h in hearings if not h.is_in_reach)
    text = [table(lines), "", table([("need not be heard", "mutants"), *sorted(beyond.items())])]
    return "\n".join(text), [f"the core does not notice: {' '.join(h.mutant[:3])}" for h in unheard]


def out_of_reach(hearings: Sequence[Hearing]) -> list[str]:
    """Where more or fewer mutants than it is known of the tables are out of reach, with the reason; of all of them only."""
    found = Counter((hearing.mutant.machine, hearing.beyond) for hearing in hearings if not hearing.is_in_reach)
    known = {(machine, why): many for why, by in OUT_OF_REACH.items() for machine, many in by.items()}
    return [
        f"out of reach: {machine}: {why}: {found[machine, why]:,} mutants, and {known.get((machine, why), 0):,} are known"
        for machine, why in sorted(found.keys() | known.keys())
        if found[machine, why] != known.get((machine, why), 0)
    ]


def breach(what: str, way: Sequence[str]) -> str:
    """A sentence about something that does not hold, and the shortest way to it."""
    return "\n".join([f"{what} A shortest way to a breach:", *(f"{n:4}. {line}" for n, line in enumerate(way, 1))])


def tell(edges: Iterable[Edge], seconds: int) -> list[str]:
    """A way through a machine, a line for each thing that happens.

    Args:
        edges: what was gone along.
        seconds: how long a tick is.
    """
    lines: list[str] = []
    for edge in edges:
        match edge.thing:
            case Wait(ticks):
                text = f"{ticks * seconds} s pass"
            case Input(event, facts):
                text = " ".join([event, *_facts(facts)])
        taken = [
            f"{step.before.state} -> {step.after.state} ({step.row.id}{': ' if step.actions else ''}{', '.join(step.actions)})"
            for step in edge.steps
        ]
        lines.append(": ".join([text, *taken]))
    return lines


def table(lines: Sequence[Sequence[object]]) -> str:
    """Plain text in columns: the first to the left, the others to the right."""
    cells = [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in line] for line in lines]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True))]).rstrip()
        for line in cells
    )


def _invariant(machine: Machine, id: str) -> str:
    docs = {invariant.id: invariant.doc for invariant in machine.invariants}
    docs.setdefault(TOTAL, "Every event has a row, and no timer fires for ever.")
    docs.setdefault(ENDS, "From everywhere a way leads to a final state.")
    return f"`{id}`: {docs[id]}"


def _tick(spec: Spec, short: Mapping[str, int]) -> int:
    return next((spec.constants[name] // ticks for name, ticks in short.items()), 1)


def _facts(facts: Mapping[str, bool]) -> list[str]:
    return [f"({', '.join(name if held else f'not {name}' for name, held in facts.items())})"] if facts else []
