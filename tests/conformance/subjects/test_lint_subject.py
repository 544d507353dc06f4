"""The program's side of the lines, played by the kit."""

import io
import json

import pytest
from tunnel_conformance.subjects import forms, lint_subject


def played(*questions: object) -> tuple[int, list[dict[str, object]], list[str]]:
    told = "".join((question if isinstance(question, str) else json.dumps(question)) + "\n" for question in questions)
    answers, said = io.BytesIO(), list[str]()
    status = lint_subject.play(io.BytesIO(told.encode()), answers, said.append)
    return status, [json.loads(line) for line in answers.getvalue().splitlines()], said


def test_every_question_is_answered() -> None:
    arguments: dict[str, dict[str, object]] = {
        "open": {"goal": "x"},
        "join": {"joinLink": "x"},
        "say": {"text": "x"},
        "listen": {},
        "status": {},
        "close": {},
    }
    status, answers, said = played(*({"id": 5, "do": what, "args": arguments[what]} for what in forms.RESULTS))

    assert (status, said) == (0, [])
    assert answers == [{"id": 5, "result": lint_subject.ANSWERS[what]} for what in forms.RESULTS]


def test_what_nobody_knows_is_an_error_and_not_wrong() -> None:
    status, answers, said = played({"id": 5, "do": "dance", "args": {}})

    assert (status, said) == (0, [])
    assert answers == [{"id": 5, "error": "there is no 'dance'"}]


@pytest.mark.parametrize(
    "question",
    [
        "hello",
        "[" * 100_000,
        [],
        {"id": 1, "args": {}},
        {"id": 1, "do": "open"},
        {"id": 1, "do": "open", "args": {"goal": 5}},
        {"do": "status", "args": {}},
        {"id": "1", "do": "status", "args": {}},
    ],
    ids=["words", "deep", "no object", "nothing to do", "no arguments", "a wrong one", "no number", "a wrong number"],
)
def test_a_wrong_question_is_named(question: object) -> None:
    status, answers, said = played(question, {"id": 2, "do": "status", "args": {}})

    assert status == 1
    assert "error" in answers[0]
    assert "result" in answers[1]
    assert len(said) == 1
    assert said[0].startswith("WRONG  ")
