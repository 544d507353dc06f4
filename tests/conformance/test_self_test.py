import pytest
from tunnel_conformance.self_test import Trouble, self_test
from tunnel_conformance.subjects.base import Absent, Answer, Call

from tests.conformance.own import Own, OwnLauncher
from tests.io.asynchronous import asynchronous
from tunnel.spec.model import Role

ROLES = pytest.mark.parametrize("role", [Role.HOST, Role.GUEST], ids=["host", "guest"])


@ROLES
@asynchronous
async def test_an_implementation_with_which_a_session_works_can_be_judged(role: Role) -> None:
    launcher = OwnLauncher()

    assert await self_test(launcher, role) is None
    assert [own.is_ended for own in launcher.started] == [True]


@ROLES
@asynchronous
async def test_an_implementation_that_says_yes_to_everything_cannot_be_judged(role: Role) -> None:
    trouble = await self_test(OwnLauncher(lambda: Own(refuses_nonsense=False)), role)

    assert trouble is not None
    assert "says yes to a tool that does not exist" in trouble.text


@asynchronous
async def test_an_implementation_that_does_not_start_is_named_with_its_last_words() -> None:
    why = await self_test(OwnLauncher(trouble=[Absent("There is no such command.", "sh: not found")]), Role.HOST)

    assert why == Trouble(text="There is no such command.\nIt wrote last:\nsh: not found")


def fails(call: Call) -> OwnLauncher:
    return OwnLauncher(lambda: Own(twist=lambda what, answer: Answer(error="not today") if what == call else answer))


@pytest.mark.parametrize(
    ("role", "call", "why"),
    [
        (
            Role.HOST,
            "open",
            "at the step 'open': the tunnel did not open; its open was answered with the error 'not today'.",
        ),
        (Role.HOST, "say", "does not work as host, at the step 'say', expected said: the error 'not today'."),
        (Role.GUEST, "join", "does not work as guest, at the step 'admit', expected joined: the error 'not today'."),
        (Role.GUEST, "say", "does not work as guest, at the step 'echo', expected said: the error 'not today'."),
    ],
)
@asynchronous
async def test_what_does_not_work_in_a_plain_session_is_named(role: Role, call: Call, why: str) -> None:
    found = await self_test(fails(call), role)

    assert found is not None
    assert why in found.text
    assert found.text.endswith("its last words")
    assert any("error: not today" in entry.text for entry in found.log)


@asynchronous
async def test_an_implementation_that_dies_on_nonsense_is_named() -> None:
    class Fragile(Own):
        async def call_unknown(self, seconds: float) -> Answer:
            raise Absent("It is gone.")

    assert await self_test(OwnLauncher(Fragile), Role.HOST) == Trouble(text="It is gone.")


@pytest.mark.parametrize(
    ("tools", "role", "text"),
    [
        ({"tunnel_open"}, Role.GUEST, "It is no guest: among its tools there is no tunnel_join."),
        ({"tunnel_join"}, Role.HOST, "It is no host: among its tools there is no tunnel_open."),
    ],
    ids=["a host", "a guest"],
)
@asynchronous
async def test_who_says_that_it_has_one_role_only_is_not_judged_in_the_other(
    tools: set[str], role: Role, text: str
) -> None:
    class Half(Own):
        async def tools(self, seconds: float) -> frozenset[str] | None:
            return frozenset(tools)

    other = Role.HOST if role is Role.GUEST else Role.GUEST

    assert await self_test(OwnLauncher(Half), role) == Trouble(text=text, is_absent=True)
    assert await self_test(OwnLauncher(Half), other) is None


@asynchronous
async def test_who_lists_neither_role_is_judged_in_both() -> None:
    """Its tools may have other names than its list says; what they do is what counts."""

    class Odd(Own):
        async def tools(self, seconds: float) -> frozenset[str] | None:
            return frozenset({"help"})

    assert await self_test(OwnLauncher(Odd), Role.HOST) is None
