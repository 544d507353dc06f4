"""Asks SPIN all that `claims.toml` asks, and compares the answers with those that are recorded beside it."""

import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Literal, NamedTuple

import msgspec

from spec.compiler.promela import MACHINES, promela
from spec.compiler.promela_claims import Claim, Claims, by_scene, made, model
from spec.compiler.promela_spin import Checker, SpinError, Watch, version
from spec.compiler.reader import Spec
from spec.compiler.report import table
from tunnel.spec.model import Table

RECORD = "results.json"
ANEW = "`python -m spec.compiler proof --write` records it anew, once you have looked at what changed"

Kind = Literal["claim", "witness", "mutant"]
WANTED: dict[Kind, str] = {"claim": "holds", "witness": "fails, as it must", "mutant": "caught"}
"""What every row of a kind has to come to."""
UNWANTED: dict[Kind, str] = {"claim": "BREAKS", "witness": "HOLDS", "mutant": "MISSED"}


class Result(Table, frozen=True):
    """What was found about one row of `claims.toml`."""

    id: str
    kind: Kind
    says: str
    states: int
    """How many states were looked at; for what breaks, until it did."""
    seconds: float
    """Measured, by whoever recorded it."""
    verdict: str
    rules: tuple[str, ...] = ()
    noticed_by: str = ""
    """The claim that caught a mutant."""

    @property
    def is_wanted(self) -> bool:
        """Whether it came out as it must."""
        return self.verdict == WANTED[self.kind]


class Record(Table, frozen=True):
    """`results.json`."""

    spin: str
    """The version of SPIN."""
    model: str
    """SHA-256 of the models with their claims, without comments."""
    results: tuple[Result, ...]
    untaken: tuple[str, ...] = ()
    """Rows that nothing ever takes in these worlds, each behind its machine: no claim says anything of them."""


class Job(NamedTuple):
    """A model, and what it is asked."""

    name: str
    text: str
    asked: tuple[tuple[Kind, Claim, str, str], ...]
    """The kind of the row, the formula, the row's own id and what it says. Nothing: which rows are taken."""
    fast: bool


class Part(NamedTuple):
    """What one job has found."""

    results: tuple[Result, ...]
    taken: frozenset[str] = frozenset()


def prove(
    spec: Spec, claims: Claims, heard: Callable[[str], None] = lambda _: None, watch: Watch | None = None
) -> Record:
    """Ask everything; all processors share the work.

    Args:
        spec: the tables.
        claims: what is asked.
        heard: is told what is done.
        watch: how long it may take.

    Raises:
        SpinError: there is no answer, or not in time.
    """
    ask = partial(_ask, heard=heard, watch=watch or Watch())
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = list(pool.map(ask, jobs(spec, claims)))
    results = tuple(result for part in parts for result in part.results)
    taken = frozenset(row for part in parts for row in part.taken)
    return Record(version(), digest(spec, claims), results, untaken(spec, claims, taken))


def untaken(spec: Spec, claims: Claims, taken: frozenset[str]) -> tuple[str, ...]:
    """The rows of the machines that are in these scenes, and that are not among those taken."""
    machines = dict.fromkeys(name for scene in by_scene(claims.claims) for name in MACHINES[scene])
    rows = [f"{name} {row.id}" for name in machines for row in spec.machines[name].transitions]
    return tuple(row for row in rows if row not in taken)


def jobs(spec: Spec, claims: Claims) -> Iterator[Job]:
    """The models, the longest first."""
    for scene, asked in by_scene(claims.claims).items():
        yield Job(f"the claims, {scene}", model(spec, asked), tuple(_plain("claim", asked)), fast=scene != "guest")
    for scene, asked in by_scene(claims.witnesses).items():
        text = model(spec, asked, witness=True)
        yield Job(f"the witnesses, {scene}", text, tuple(_plain("witness", asked)), fast=scene != "guest")
    for scene in by_scene(claims.claims):
        if scene != "crowd":  # the rows of `host`, once more
            yield Job(f"the rows, {scene}", promela(spec, scene, tracks=True), (), fast=False)
    for mistake in claims.mutants:
        broken, slips = made(spec, mistake)
        claim = claims.claim(mistake.breaks)
        text = model(broken, (claim,), slips)
        yield Job(f"mutant {mistake.id}", text, (("mutant", claim, mistake.id, mistake.doc),), fast=False)


def digest(spec: Spec, claims: Claims) -> str:
    """What stands for the models with their claims: when it changes, the recorded results are about something else.

    Comments are left out: clearer words prove neither more nor less.
    """
    texts = [
        re.sub(r"/\*.*?\*/", "", model(spec, asked), flags=re.DOTALL) for asked in by_scene(claims.claims).values()
    ]
    return hashlib.sha256("".join(texts).encode("utf-8")).hexdigest()


def read_record(folder: Path) -> Record | None:
    """The recorded results, if there are any."""
    path = folder / RECORD
    return msgspec.json.decode(path.read_bytes(), type=Record) if path.is_file() else None


def write_record(folder: Path, record: Record) -> None:
    """Record the results."""
    text = msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n"
    (folder / RECORD).write_bytes(text)


def faults(record: Record) -> list[str]:
    """What did not come out as it must."""
    return [
        f"{one.kind} {one.id!r}: {one.verdict}: {one.says}{_advice(one)}" for one in record.results if not one.is_wanted
    ]


def drift(found: Record, recorded: Record | None) -> list[str]:
    """How the results differ from the recorded ones. States are compared only between runs of the same version of SPIN."""
    if recorded is None:
        return [f"{RECORD}: is missing; {ANEW}"]
    same = found.spin == recorded.spin
    new, old = (
        {(r.kind, r.id): (r.says, r.verdict, r.states if same and r.kind == "claim" else 0) for r in one.results}
        for one in (found, recorded)
    )
    rows = [
        f"{RECORD}: {kind} {row!r}: found {_told(new.get((kind, row)))}, recorded is {_told(old.get((kind, row)))}; {ANEW}"
        for kind, row in dict.fromkeys([*new, *old])
        if new.get((kind, row)) != old.get((kind, row))
    ]
    if found.untaken != recorded.untaken:
        taken, left = sorted({*recorded.untaken} - {*found.untaken}), sorted({*found.untaken} - {*recorded.untaken})
        rows.append(f"{RECORD}: untaken: now taken are {taken}, and no longer {left}; {ANEW}")
    if not rows and found.model != recorded.model:
        rows = [f"{RECORD}: the model has changed since, though its answers have not; {ANEW}"]
    return rows


def told(record: Record) -> str:
    """The table for people."""
    lines: list[Sequence[object]] = [("", "states", "seconds", "verdict")]
    lines += [
        (f"{r.kind} {r.id}{': ' + r.noticed_by if r.noticed_by else ''}", r.states, f"{r.seconds:.1f}", r.verdict)
        for r in record.results
    ]
    return f"{table(lines)}\n\nrows that nothing takes: {', '.join(record.untaken) or 'none'}"


def _ask(job: Job, heard: Callable[[str], None], watch: Watch) -> Part:
    began = perf_counter()
    with tempfile.TemporaryDirectory(prefix="proof-") as folder:
        try:
            checker = Checker(Path(folder), job.text, watch, fast=job.fast)
            results = tuple(_result(row, checker) for row in job.asked)
            part = Part(results, frozenset() if job.asked else checker.rows())
        except SpinError as error:
            raise SpinError(f"{job.name}: {error}") from None
    heard(f"{job.name}: {perf_counter() - began:.0f} s")
    return part


def _result(row: tuple[Kind, Claim, str, str], checker: Checker) -> Result:
    kind, claim, name, says = row
    answer = checker.ask(claim)
    verdict = (WANTED if answer.holds == (kind == "claim") else UNWANTED)[kind]
    by = claim.id if kind == "mutant" else ""
    return Result(name, kind, says, answer.states, round(answer.seconds, 2), verdict, claim.rules, by)


def _plain(kind: Kind, claims: Iterable[Claim]) -> Iterator[tuple[Kind, Claim, str, str]]:
    for claim in claims:
        yield kind, claim, claim.id, claim.doc


def _advice(result: Result) -> str:
    if result.kind == "claim":
        return (
            " To see how: `python -m spec.compiler promela > host.pml`, `spin -a host.pml`, `gcc -DNOREDUCE -o pan pan.c`,"
            f" `./pan -a -f -E -N {result.id}`, `spin -t -p -g host.pml`; `promela together` or `promela guest` where the guest is in it."
        )
    return " The model is too weak, or the row is wrong."


def _told(row: tuple[str, str, int] | None) -> str:
    return "nothing" if row is None else f"{row[1]}{f', {row[2]:,} states' if row[2] else ''} ({row[0]})"
