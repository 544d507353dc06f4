"""The exported vectors ask what the hand-kept ones ask, in Wycheproof's shape; every flag says which bug it stands for."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from msgspec.structs import replace
from tunnel_conformance.vectors import KINDS as ASKED

from spec.compiler.export_vectors import LEGACY, export
from spec.compiler.export_vectors_schema import BUG_TYPES, KINDS
from spec.compiler.reader import Spec, SpecError
from tests.spec.breakage import SPEC

SOURCE = SPEC.folder / "vectors"
FOLDER = SPEC.folder / "export" / "vectors"
every_file = pytest.mark.parametrize("file", KINDS)

# Any: vectors are JSON of the shape that their file has.
Vector = dict[str, Any]


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def vectors(file: str) -> list[Vector]:
    """The vectors as they are kept."""
    return read(SOURCE / f"{file}.json")["vectors"]


def exported(file: str) -> list[Vector]:
    """The same as they are exported."""
    (group,) = read(FOLDER / f"{file}.json")["testGroups"]
    return group["tests"]


@cache
def declared() -> dict[str, dict[str, str]]:
    return read(SOURCE / "flags.json")["flags"]


def changed(tmp_path: Path, file: str, change: Callable[[Any], None]) -> Spec:
    """The spec with one file of vectors changed."""
    for path in SOURCE.glob("*"):
        (tmp_path / "vectors").mkdir(exist_ok=True)
        (tmp_path / "vectors" / path.name).write_bytes(path.read_bytes())
    value = read(SOURCE / f"{file}.json")
    change(value)
    (tmp_path / "vectors" / f"{file}.json").write_text(json.dumps(value), encoding="utf-8")
    return replace(SPEC, folder=tmp_path)


# --- Flags --------------------------------------------------------------------------------------------------------------


def flaws(tests: list[Vector], notes: dict[str, dict[str, str]]) -> list[str]:
    """What is wrong with the flags of some exported tests."""
    used = {flag for test in tests for flag in test["flags"]}
    return [
        *(
            f"{test['comment']} is refused without a flag"
            for test in tests
            if test["result"] == "invalid" and not set(test["flags"]) - {LEGACY}
        ),
        *(f"{flag} is not declared" for flag in sorted(used - notes.keys())),
        *(f"{flag} is not used" for flag in sorted(notes.keys() - used)),
    ]


def test_every_vector_that_is_refused_has_a_flag_and_every_flag_is_declared_and_used() -> None:
    assert flaws([test for file in KINDS for test in exported(file)], declared()) == []


@pytest.mark.parametrize(
    ("test", "flaw"),
    [
        ({"result": "invalid", "flags": []}, "x is refused without a flag"),
        ({"result": "invalid", "flags": [LEGACY]}, "x is refused without a flag"),
        ({"result": "valid", "flags": ["Pading"]}, "Pading is not declared"),
        ({"result": "valid", "flags": [LEGACY]}, "Padding is not used"),
    ],
    ids=["no flag", "only that released peers accept it", "a misspelt flag", "a flag without a vector"],
)
def test_a_flaw_of_the_flags_is_found(test: Vector, flaw: str) -> None:
    assert flaw in flaws([{"comment": "x", **test}], {"Padding": {}, LEGACY: {}})


@every_file
def test_only_the_good_case_has_no_flag(file: str) -> None:
    plain = [test for test in exported(file) if not test["flags"]]

    assert {test["result"] for test in plain} <= {"valid"}
    assert len(plain) <= max(3, len(exported(file)) * 2 // 3)


@pytest.mark.parametrize("flag", read(SOURCE / "flags.json")["flags"])
def test_a_flag_is_a_name_a_sort_of_bug_and_two_sentences(flag: str) -> None:
    note = declared()[flag]

    assert flag.isalnum()
    assert flag[0].isupper()
    assert note.keys() == {"bugType", "description", "effect"}
    assert note["bugType"] in BUG_TYPES
    assert all(note[told].endswith(".") for told in ("description", "effect"))


def test_every_sort_of_bug_is_the_sort_of_a_flag() -> None:
    assert {note["bugType"] for note in declared().values()} == BUG_TYPES.keys()


def test_a_flag_that_is_not_declared_is_named_when_the_export_is_written(tmp_path: Path) -> None:
    def misspell(value: Any) -> None:
        value["vectors"][1]["flag"] = "TagNotCheckd"

    with pytest.raises(SpecError, match=r"vectors/open.json: the flag 'TagNotCheckd' is not declared"):
        export(changed(tmp_path, "open", misspell), "open")


# --- What they ask ------------------------------------------------------------------------------------------------------


@every_file
def test_a_test_asks_what_its_vector_asks_and_has_its_answer(file: str) -> None:
    """The kit has a table of its own of what is asked and answered."""
    for vector, test in zip(vectors(file), exported(file), strict=True):
        answer = ASKED[file].answer(vector)

        assert test["comment"] == vector["name"]
        assert {field: test[field] for field in ASKED[file].asks} == {
            field: vector[field] for field in ASKED[file].asks
        }
        assert (test["result"] == "invalid") == (answer in (None, False))
        if test["result"] == "valid":
            assert said(file, test) == answer


def said(file: str, test: Vector) -> Any:
    """The answer of a valid test as the kit has it: one value, or an object of several; what is written again is the text."""
    found = {field: test[field] for field in KINDS[file].answers} or {"text": test["text"]}
    return found if len(found) > 1 else next(iter(found.values()))


@every_file
def test_no_two_tests_of_a_file_ask_the_same(file: str) -> None:
    asked = [tuple(test[field] for field in KINDS[file].asks) for test in exported(file)]

    assert len(set(asked)) == len(asked)


@every_file
def test_what_released_peers_accept_and_this_specification_does_not_is_invalid_and_says_why(file: str) -> None:
    for vector, test in zip(vectors(file), exported(file), strict=True):
        assert (LEGACY in test["flags"]) == (vector["verdict"] == "stricter" and test["result"] == "invalid")
        assert test.get("why") == vector.get("why")


def test_a_link_is_dialled_without_the_blanks_around_it() -> None:
    """LINK-7."""
    (test,) = (test for test in exported("links") if test["comment"] == "blanks before the link")

    assert (test["link"][:2], test["url"]) == ("  ", "wss://h/t/ab")


def test_half_of_a_surrogate_pair_survives_the_export() -> None:
    """WIRE-6."""
    (test,) = (test for test in exported("seal") if test["flags"] == ["HalfSurrogate"])

    assert test["text"] == "a\ud800b"


@every_file
def test_the_paper_says_what_a_type_of_test_asks_and_what_its_answer_is(file: str) -> None:
    kind = KINDS[file]
    rows = [line.split(" | ") for line in (FOLDER / "README.md").read_text(encoding="utf-8").splitlines()]
    (found,) = [row for row in rows if row[0] == f"| `{kind.type}`"]

    assert found[1] == ", ".join(f"`{field}`" for field in kind.asks)
    assert all(f"`{field}`" in found[2] for field in (*kind.answers, *kind.always))


# --- The files ----------------------------------------------------------------------------------------------------------


def schema() -> Any:
    return read(FOLDER / "schema.json")


@every_file
def test_a_file_fits_the_schema_and_counts_its_tests(file: str) -> None:
    whole = read(FOLDER / f"{file}.json")
    Draft202012Validator(schema()).validate(whole)

    (group,) = whole["testGroups"]
    assert group["type"] == KINDS[file].type
    assert whole["numberOfTests"] == len(group["tests"])
    assert [test["tcId"] for test in group["tests"]] == [*range(1, len(group["tests"]) + 1)]
    assert whole["notes"].keys() == {flag for test in group["tests"] for flag in test["flags"]}


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize(
    "slip",
    [
        {"result": "acceptable"},
        {"result": "valid"},
        {"flags": []},
        {"flags": ["TagNotChecked", "TagNotChecked"]},
        {"tcId": "2"},
        {"key": "AAcO"},
        {"text": "x"},
        {"comments": "x"},
    ],
    ids=str,
)
def test_a_slip_in_a_test_is_found_by_the_schema(slip: Vector) -> None:
    whole = read(FOLDER / "open.json")
    (group,) = whole["testGroups"]
    wrong = group["tests"][1]
    assert wrong["result"] == "invalid"

    assert not Draft202012Validator(schema()).is_valid(
        {**whole, "testGroups": [{**group, "tests": [{**wrong, **slip}]}]}
    )


@pytest.mark.parametrize("folder", ["vectors", "export/vectors", "export/traces"])
def test_the_vectors_and_traces_are_in_the_public_domain(folder: str) -> None:
    licence = (SPEC.folder / folder / "LICENSE").read_text(encoding="utf-8")

    assert "CC0 1.0 Universal" in licence
    assert "4. Limitations and Disclaimers." in licence
    assert "CC0" in (SPEC.folder / folder / "README.md").read_text(encoding="utf-8")
