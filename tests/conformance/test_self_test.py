import pytest
from tunnel_conformance.self_test import self_test
from tunnel_conformance.subjects.base import Absent, Answer, Call

from tests.conformance.own import Own, OwnLauncher
from tests.io.asynchronous import asynchronous
from tunnel.spec.model import Role

ROLES = pytest.mark.parametrize("role", [Role.HOST, Role.GUEST], ids=["host", "guest"])


@ROLES
@asynchronous
async def test_an_implementation_with_which_a_session_works_can_be_judged(role: Role) -> None:
    launcher = OwnLauncher()

    assert await self_test(launcher, role) == ""
    assert [own.is_ended for own in launcher.started] == [True]


@ROLES
@asynchronous
async def test_an_implementation_that_says_yes_to_everything_cannot_be_judged(role: Role) -> None:
    assert "says yes to a tool that does not exist" in await self_test(
        OwnLauncher(lambda: Own(refuses_nonsense=False)), role
    )


@asynchronous
async def test_an_implementation_that_does_not_start_is_named_with_its_last_words() -> None:
    why = await self_test(OwnLauncher(trouble=[Absent("There is no such command.", "sh: not found")]), Role.HOST)

    assert why == "There is no such command.\nIt wrote last:\nsh: not found"


def fails(call: Call) -> OwnLauncher:
    return OwnLauncher(lambda: Own(twist=lambda what, answer: Answer(error="not today") if what == call else answer))


@pytest.mark.parametrize(
    ("role", "call", "why"),
    [
        (Role.HOST, "open", "does not work as host, at the step 'open': the tunnel did not open."),
        (Role.HOST, "say", "does not work as host, at the step 'say', expected said: the error 'not today'."),
        (Role.GUEST, "join", "does not work as guest, at the step 'admit', expected joined: the error 'not today'."),
        (Role.GUEST, "say", "does not work as guest, at the step 'echo', expected said: the error 'not today'."),
    ],
)
@asynchronous
async def test_what_does_not_work_in_a_plain_session_is_named(role: Role, call: Call, why: str) -> None:
    found = await self_test(fails(call), role)

    assert why in found
    assert found.endswith("its last words")


@asynchronous
async def test_an_implementation_that_dies_on_nonsense_is_named() -> None:
    class Fragile(Own):
        async def call_unknown(self, seconds: float) -> Answer:
            raise Absent("It is gone.")

    assert await self_test(OwnLauncher(Fragile), Role.HOST) == "It is gone."
