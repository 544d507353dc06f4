"""Cases from a file, such as exploration prints them: the words in them are those of `cases.toml`, and so is what they mean."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from tunnel.spec.model import Case, Step, Table
from tunnel_conformance.spec import rules, spec


class BadCases(Exception):
    """A file of cases cannot be used; the text says where and why."""


class _File(Table, frozen=True):
    cases: tuple[Case, ...]


def read(path: Path) -> tuple[Case, ...]:
    """The cases of a file.

    Raises:
        BadCases: it cannot be read, or holds what is no case.
    """
    try:
        cases = msgspec.toml.decode(path.read_bytes(), type=_File).cases
    except OSError as error:
        raise BadCases(f"{path}: cannot be read: {error.strerror or error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadCases(f"{path}: {error}. A case is a table [[cases]] as in cases.toml.") from error
    wrong = next(_wrong(cases), "")
    if wrong:
        raise BadCases(f"{path}: {wrong}.")
    return cases


def _wrong(cases: tuple[Case, ...]) -> Iterator[str]:
    if not cases:
        yield "it holds no cases"
    for name, times in Counter(case.id for case in cases).items():
        if times > 1:
            yield f"{times} cases are called {name!r}"
    for case in cases:
        yield from (f"{case.id}: no rule is called {rule!r}" for rule in case.rules if rule not in rules())
        for number, step in enumerate(case.steps, 1):
            yield from (f"{case.id}, step {number}: {wrong}" for wrong in _wrong_words(step))


def _wrong_words(step: Step) -> Iterator[str]:
    verbs = {verb.name: verb.args for verb in spec().cases.verbs}
    outcomes = {outcome.name: outcome.args for outcome in spec().cases.outcomes}
    yield from _unknown("verb", step.do, step.args, verbs)
    if step.expect:
        yield from _unknown("outcome", step.expect, step.expects, outcomes)
    for name in step.tolerate:
        yield from _unknown("outcome", name, {}, outcomes)


def _unknown(kind: str, name: str, given: Mapping[str, object], known: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    if name not in known:
        yield f"{name!r} is no {kind}; there are {', '.join(known)}"
        return
    for word in given:
        if word not in known[name]:
            yield f"{name!r} takes no {word!r}; it takes {', '.join(known[name]) or 'nothing'}"
