"""Every number is accounted for: what is missing, doubled, out of order or changed is named, and nothing else."""

import pytest

from tests.endurance.accounts import faults_of, runs_of, strays_of

SAID = {3: "c", 4: "d"}
ALL = [(1, "a"), (2, "b"), (3, "c"), (4, "d")]


def test_an_account_that_is_right_has_no_faults() -> None:
    assert faults_of(SAID, ALL, 4, "Bob") == []


@pytest.mark.parametrize(
    ("heard", "fault"),
    [
        ([ALL[0], ALL[2], ALL[3]], "number 2 was never heard"),
        ([], "number 1 to 4 was never heard"),
        ([*ALL, ALL[1]], "number 2 was heard twice"),
        ([ALL[0], ALL[2], ALL[1], ALL[3]], "number 2 was heard out of its order"),
        ([*ALL[:3], (4, "x")], "number 4 was heard with other words"),
        ([*ALL, (5, "e")], "number 5 was heard and never said"),
    ],
)
def test_what_is_wrong_is_named(heard: list[tuple[int, str]], fault: str) -> None:
    assert faults_of(SAID, heard, 4, "Bob") == [f"Bob: {fault}"]


def test_a_number_beyond_the_last_is_a_stray() -> None:
    assert strays_of({4: "d", 5: "e"}, 4) == ["number 5 was confirmed, and the last number is 4"]


@pytest.mark.parametrize(
    ("numbers", "told"),
    [([3], "3"), ([9, 5, 6, 7], "5 to 7, 9"), (range(1, 20, 2), "1, 3, 5, 7, 9 and 5 more")],
)
def test_numbers_are_told_in_a_few_words(numbers: list[int], told: str) -> None:
    assert runs_of(numbers) == told
