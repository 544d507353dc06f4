"""What goes between a command and a server is typed: what else comes is no line of ours."""

import msgspec
import pytest

from tunnel.app.person.desk import SHOWN_BYTES, SHOWN_MESSAGES
from tunnel.app.person.lines import LINE_BYTES, Answer, Ask, Typed
from tunnel.spec.v1.constants import GOAL_BYTES, NAME_BYTES


@pytest.mark.parametrize("line", [b"{}", b"[]", b'{"want":"grant"}', b'{"want":"allow","round":1}', b"\xff", b""])
def test_what_is_no_question_of_ours_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        msgspec.json.decode(line, type=Ask)


def test_what_was_typed_goes_over_whole() -> None:
    assert msgspec.json.decode(msgspec.json.encode(Typed(typed="4711")), type=Typed) == Typed(typed="4711")


def test_the_longest_answer_fits_into_a_line() -> None:
    shown = "\\U0001f600" * SHOWN_BYTES
    longest = Answer(
        refused="x" * 500,
        state="x" * 50,
        role="guest",
        goal=shown,
        peer=shown,
        last=[shown] * SHOWN_MESSAGES,
        challenge="1234",
        url="u" * 100,
        token="t",
    )

    assert max(GOAL_BYTES, NAME_BYTES) >= SHOWN_BYTES
    assert len(msgspec.json.encode(longest)) < LINE_BYTES
