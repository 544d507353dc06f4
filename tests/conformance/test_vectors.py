"""Whoever answers all vectors as the spec says is right in all of them; every other answer, and a missing one, is named."""

import json
from pathlib import Path

import pytest
from tunnel_conformance.vectors import KINDS, PAPERS, check, claims, copy, folder, questions, vectors

ROOT = Path(__file__).parents[2]


def answers() -> list[dict[str, object]]:
    return [
        {"file": file, "name": name, "answer": KINDS[file].answer(vector)} for (file, name), vector in vectors().items()
    ]


def lines(answers: list[dict[str, object]]) -> list[str]:
    return [json.dumps(answer) for answer in answers]


def test_every_file_of_the_spec_is_asked() -> None:
    assert {path.name for path in (ROOT / "spec/v1/vectors").iterdir()} == {
        *(f"{name}.json" for name in KINDS),
        *PAPERS,
    }
    assert claims()["seal"].endswith("(SEAL-1).")


def test_who_answers_as_the_spec_says_is_right() -> None:
    checked = check(lines(answers()))

    assert checked.wrong == ()
    assert checked.right == checked.asked
    assert sum(checked.asked.values()) == len(vectors()) > 200


@pytest.mark.parametrize("file", KINDS)
def test_a_question_does_not_hold_its_answer(file: str) -> None:
    asked = [json.loads(question) for question in questions() if json.loads(question)["file"] == file]

    assert len(asked) == sum(name == file for name, _ in vectors())
    for question in asked:
        assert question.keys() == {"file", "name", *KINDS[file].asks}
        assert not question.keys() & {"verdict", "why", "released", "ours", "sealed" if file == "seal" else "verdict"}


@pytest.mark.parametrize(
    ("file", "name", "wrong"),
    [
        ("seal", "one letter", "x"),
        ("open", "wrong key", "hello"),
        ("challenge_rejected", "padded", True),
        ("challenge_rejected", "padded", 0),
        ("links", "https", {"tunnel_id": "ab"}),
        ("mint", "a slash at the end", "wss://h//t/ab#x"),
        ("decode", "a number as name", 5),
    ],
)
def test_a_wrong_answer_is_named_with_the_right_one(file: str, name: str, wrong: object) -> None:
    given = [
        answer | {"answer": wrong} if (answer["file"], answer["name"]) == (file, name) else answer
        for answer in answers()
    ]
    checked = check(lines(given))

    assert len(checked.wrong) == 1
    assert checked.wrong[0].startswith(f"{file}: {name}: expected ")
    assert checked.right[file] == checked.asked[file] - 1


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("junk", "no answer to a vector"),
        ("[" * 100_000, "no answer to a vector"),
        ("[]", "no answer to a vector"),
        ('{"file": "seal", "name": "one letter"}', "no answer to a vector"),
        ('{"file": "seal", "name": "none", "answer": 1}', "no answer to a vector"),
        ('{"file": ["seal"], "name": "one letter", "answer": 1}', "no answer to a vector"),
        (json.dumps(answers()[0]), "a second answer to seal: "),
    ],
    ids=["junk", "deep junk", "a list", "no answer", "no such vector", "no text", "twice"],
)
def test_a_line_that_answers_nothing_is_named(line: str, complaint: str) -> None:
    checked = check([*lines(answers()), line])

    assert len(checked.wrong) == 1
    assert checked.wrong[0].startswith(f"line {len(vectors()) + 1}: {complaint}")


def test_an_answer_that_is_missing_is_named() -> None:
    assert check(lines(answers()[1:])).wrong == (f"{answers()[0]['file']}: {answers()[0]['name']}: no answer",)


def test_a_long_answer_is_cut() -> None:
    given = [answers()[0] | {"answer": "x" * 1000}, *answers()[1:]]

    assert len(check(lines(given)).wrong[0]) < 300


def test_a_link_is_dialled_without_the_blanks_around_it() -> None:
    """LINK-7."""
    vector = vectors()["links", "blanks before the link"]

    assert vector["released"]["url"] == "  wss://h/t/ab"
    assert KINDS["links"].answer(vector)["url"] == "wss://h/t/ab"


def test_the_files_are_copied_with_their_papers(tmp_path: Path) -> None:
    copied = copy(tmp_path / "deep" / "vectors")

    assert len(copied) == len(KINDS) + len(PAPERS)
    assert all(path.read_bytes() == (folder() / path.name).read_bytes() for path in copied)
