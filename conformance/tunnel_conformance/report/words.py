"""One verdict in plain words: what was asked, what was expected, what came, and the conversation up to there."""

from collections.abc import Iterable, Iterator

from tunnel.spec.model import Case, Step
from tunnel_conformance.records import Entry, Outcome, Verdict
from tunnel_conformance.report.matrix import Column, label
from tunnel_conformance.report.text import lines, shown
from tunnel_conformance.spec import spec


def case_of(verdict: Verdict) -> Case | None:
    """The case that a verdict is about; none when this kit's spec does not have it."""
    return next((case for case in spec().cases.cases if case.id == verdict.case), None)


def step_in_words(step: Step) -> str:
    """`join by B (proof: wrong) -> refused (reason: bad key), or nothing`."""
    done = " ".join(part for part in (step.do, f"by {step.by}" if step.by else "", _given(step.args)) if part)
    if not step.expect:
        return done
    seen = " ".join(part for part in (step.expect, _given(step.expects)) if part)
    return f"{done} -> {', or '.join((seen, *step.tolerate))}"


def _given(values: dict[str, str | int | bool]) -> str:
    inside = ", ".join(
        f"{name}: {str(value).lower() if isinstance(value, bool) else value}" for name, value in values.items()
    )
    return f"({shown(inside, 200)})" if inside else ""


def decided_at(verdict: Verdict) -> str:
    """The step at which a verdict fell, in words; empty when there is none."""
    if verdict.step is None:
        return ""
    case = case_of(verdict)
    known = case is not None and 1 <= verdict.step <= len(case.steps)
    return f"{verdict.step}: {step_in_words(case.steps[verdict.step - 1])}" if case and known else str(verdict.step)


def told(verdict: Verdict, subject: str, times: int = 1) -> Iterator[str]:
    """A verdict as lines of text; nothing in them is longer than what a report shows of one text.

    Args:
        verdict: what is told.
        subject: whom it is about.
        times: how many cases it speaks for.
    """
    yield f"{verdict.outcome.value.upper()}  {shown(subject, 60)} as {verdict.role}  {_what(verdict, times)}"
    for word, text in (
        ("step", decided_at(verdict)),
        ("expected", shown(verdict.expected)),
        ("got", shown(verdict.got)),
    ):
        if text:
            yield f"  {word:<9} {text}"
    for number, line in enumerate(lines(verdict.note)):
        yield f"  {'' if number else 'note':<9} {line}"
    if verdict.log:
        yield f"  {'log':<9} seconds of real time, who, what"
    for entry in verdict.log:
        yield f"    {said(entry)}"


def _what(verdict: Verdict, times: int) -> str:
    if times > 1:
        return cases(times)
    rules = ", ".join(shown(rule, 20) for rule in verdict.rules)
    level = "MUST" if verdict.binding else "no MUST"
    return f"{shown(label(verdict), 120)}: {shown(verdict.title, 200)}  [{rules}; {level}]"


def grouped(verdicts: Iterable[Verdict]) -> list[tuple[Verdict, int]]:
    """Each verdict with how many it speaks for: what kept the kit from a case is told once, not for every case."""
    found: dict[object, tuple[Verdict, int]] = {}
    for number, verdict in enumerate(verdicts):
        told_alone = verdict.outcome is not Outcome.HARNESS or verdict.step is not None
        key = number if told_alone else (verdict.got, verdict.note)
        first, before = found.get(key, (verdict, 0))
        found[key] = (first, before + 1)
    return list(found.values())


def said(entry: Entry) -> str:
    """A line of a conversation."""
    return f"{entry.at:8.2f}  {shown(entry.who, 12):<8} {entry.what:<9} {shown(entry.text)}".rstrip()


def headline(column: Column) -> str:
    """What a run says about an implementation, in one sentence."""
    concerning = [verdict for verdict in column.verdicts.values() if verdict.outcome is not Outcome.NOT_APPLICABLE]
    if column.verdicts and not concerning:
        return f"Is not judged: {shown(next(iter(column.verdicts.values())).note)}"
    harness = sum(verdict.outcome is Outcome.HARNESS for verdict in column.against)
    must = sum(verdict.binding for verdict in column.against) - harness
    other = len(column.against) - must - harness
    if harness:
        return f"Says nothing: in {cases(harness)} the kit and the implementation did not get as far as the case."
    if must:
        return f"Does not conform: a MUST is not kept in {cases(must)} of {len(concerning)}."
    rest = f"; a SHOULD is not kept in {cases(other)}" if other else ""
    unrun = f"; {cases(column.missing)} not run" if column.missing else ""
    return f"Keeps every MUST that was tested, in {cases(len(concerning))}{rest}{unrun}."


def cases(number: int) -> str:
    """`1 case`, `2 cases`."""
    return f"{number} case" if number == 1 else f"{number} cases"
