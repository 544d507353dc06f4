"""Writes a case as it stands in `cases.toml`: it can be pasted there."""

import json
from collections.abc import Iterator, Mapping

from tunnel.spec.model import Case, Step
from tunnel_conformance.notation import Value


def spelled(case: Case) -> str:
    """The case in TOML."""
    return "\n".join(_lines(case)) + "\n"


def _lines(case: Case) -> Iterator[str]:
    yield "[[cases]]"
    yield f"id = {_text(case.id)}"
    yield f"title = {_text(case.title)}"
    yield f"judges = {_text(case.judges.value)}"
    yield f"rules = {_texts(case.rules)}"
    if case.needs:
        yield f"needs = {_texts(case.needs)}"
    yield "steps = ["
    yield from (f"  {_step(step)}," for step in case.steps)
    yield "]"


def _step(step: Step) -> str:
    fields = [f"do = {_text(step.do)}"]
    if step.by:
        fields.append(f"by = {_text(step.by)}")
    if step.args:
        fields.append(f"args = {_table(step.args)}")
    if step.expect:
        fields.append(f"expect = {_text(step.expect)}")
    if step.expects:
        fields.append(f"expects = {_table(step.expects)}")
    if step.tolerate:
        fields.append(f"tolerate = {_texts(step.tolerate)}")
    return f"{{ {', '.join(fields)} }}"


def _table(values: Mapping[str, Value]) -> str:
    return "{ " + ", ".join(f"{name} = {_value(value)}" for name, value in values.items()) + " }"


def _value(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _text(value) if isinstance(value, str) else str(value)


def _texts(values: tuple[str, ...]) -> str:
    return "[" + ", ".join(map(_text, values)) + "]"


def _text(text: str) -> str:
    # What JSON escapes, TOML reads alike; only DEL it leaves as it is, which TOML does not allow.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
