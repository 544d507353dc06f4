"""A guest tries again when nobody has answered it in time, and for no other reason."""

import asyncio

import pytest

from tests.app.processes import Answer, Server
from tests.endurance.agents import joined

IN = ""
LATE = "tcp: 10.77.0.1 did not answer within 4 seconds. Try again."
REFUSED = "tcp: 10.77.0.1 refused the connection."


class Guest(Server):
    """Its joins fail for these reasons, one after the other."""

    def __init__(self, *failures: str) -> None:
        self.failures = list(failures)

    async def ask(self, method: str, **params: object) -> Answer:
        failed = self.failures.pop(0)
        return {"result": {"isError": bool(failed), "content": [{"text": failed}], "structuredContent": {}}}


@pytest.mark.parametrize(("failures", "tries"), [([IN], 1), ([LATE, IN], 2), ([LATE, LATE, IN], 3)])
def test_who_is_not_answered_in_time_tries_again(failures: list[str], tries: int) -> None:
    assert asyncio.run(joined(Guest(*failures), "a link", 3)) == tries


@pytest.mark.parametrize(("failures", "most"), [([LATE, LATE], 2), ([REFUSED], 3), ([LATE, REFUSED], 3), ([LATE], 1)])
def test_who_has_tried_often_enough_or_is_told_something_else_does_not(failures: list[str], most: int) -> None:
    guest = Guest(*failures)

    with pytest.raises(AssertionError, match=failures[-1].partition(":")[0]):
        asyncio.run(joined(guest, "a link", most))

    assert guest.failures == []
