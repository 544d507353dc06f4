"""Arguments are read as their type, or refused in words that repeat nothing."""

import msgspec
import pytest

from tunnel.app.arguments import BadArgumentError, message_number, read, waiting_seconds, whole_text
from tunnel.app.results import Arguments, ListenArguments, StatusArguments
from tunnel.app.settings import LONGEST_LISTEN_SECONDS
from tunnel.spec.v1.constants import SEQ_MAX


def test_what_is_left_out_has_its_default() -> None:
    assert read({}, ListenArguments) == ListenArguments(since_seq=0, timeout_ms=msgspec.UNSET)


def test_arguments_are_named_as_the_agent_names_them() -> None:
    assert read({"sinceSeq": 3, "timeoutMs": 1.5}, ListenArguments) == ListenArguments(since_seq=3, timeout_ms=1.5)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("timeoutMS", "did you mean 'timeoutMs'?"),
        ("since_seq", "did you mean 'sinceSeq'?"),
        ("volume", "name is not known. The arguments are sinceSeq, timeoutMs, offset."),
    ],
)
def test_a_misspelt_name_is_recognised(name: str, hint: str) -> None:
    with pytest.raises(BadArgumentError) as caught:
        read({name: 1}, ListenArguments)

    assert hint in str(caught.value)


def test_who_takes_no_arguments_says_so() -> None:
    with pytest.raises(BadArgumentError, match=r"It takes no arguments\.$"):
        read({"x": 1}, StatusArguments)


@pytest.mark.parametrize("kind", Arguments.__subclasses__(), ids=lambda kind: kind.__name__)
def test_nothing_but_texts_and_numbers_is_taken(kind: type[Arguments]) -> None:
    fields = msgspec.structs.fields(kind)
    required = {field.encode_name: "x" for field in fields if field.required}
    for name in [field.encode_name for field in fields]:
        with pytest.raises(BadArgumentError, match=f"'{name}' must be a (string|number); found true or false"):
            read({**required, name: True}, kind)


@pytest.mark.parametrize(
    ("number", "read_as"),
    [(3, 3), (2.9, 2), (0, 0), (-5, 0), (float("nan"), 0), (float("inf"), SEQ_MAX), (10**400, SEQ_MAX)],
)
def test_any_number_is_a_message_number(number: float, read_as: int) -> None:
    assert message_number(number) == read_as


@pytest.mark.parametrize(
    ("milliseconds", "seconds"),
    [
        (1500, 1.5),
        (0, 0),
        (-1, 0),
        (float("nan"), 0),
        (2**31, LONGEST_LISTEN_SECONDS),
        (1e300, LONGEST_LISTEN_SECONDS),
        (10**400, LONGEST_LISTEN_SECONDS),
    ],
)
def test_any_number_is_a_waiting_time(milliseconds: float, seconds: float) -> None:
    assert waiting_seconds(milliseconds) == seconds


def test_a_text_is_measured_in_bytes() -> None:
    assert whole_text("goal", "éé", 4) == "éé"
    with pytest.raises(BadArgumentError, match="goal has 4 bytes of UTF-8; at most 3 are allowed"):
        whole_text("goal", "éé", 3)


def test_half_a_pair_is_found_where_it_stands() -> None:
    with pytest.raises(BadArgumentError, match="text holds half of a surrogate pair at character 3"):
        whole_text("text", "ab\udc00")
