"""Before anything is judged: does the implementation say no to nonsense, and does a plain session work at all?

What fails here says nothing about a rule. It means that kit and implementation do not understand each other.
"""

from typing import Final

from msgspec import Struct

from tunnel.spec.model import Case, Role, Step
from tunnel_conformance.judge import judge
from tunnel_conformance.records import Entry, Outcome
from tunnel_conformance.subjects.base import Launcher, Subject, SubjectFault

ANSWER_SECONDS: Final = 20.0

_HOST: Final = (
    Step(do="open"),
    Step(do="connect", expect="challenged"),
    Step(do="auth", expect="admitted"),
    Step(do="chat", args={"text": "hello host"}, expect="heard", expects={"text": "hello host"}),
    Step(do="say", args={"text": "hello guest"}, expect="said"),
    Step(do="close", expect="ended"),
)
_GUEST: Final = (
    Step(do="serve"),
    Step(do="accept"),
    Step(do="challenge", expect="authenticated"),
    Step(do="admit", expect="joined"),
    Step(do="tell", args={"text": "hello guest"}, expect="heard", expects={"text": "hello guest"}),
    Step(do="say", args={"text": "hello host"}, expect="chatted", expects={"text": "hello host"}),
    Step(do="echo", expect="said"),
    Step(do="close", expect="ended"),
)

TOOLS: Final = {Role.HOST: "tunnel_open", Role.GUEST: "tunnel_join"}
"""With what a role begins."""

SESSIONS: Final = {
    role: Case(id="self-test", title="a plain session", judges=role, rules=(), steps=steps)
    for role, steps in ((Role.HOST, _HOST), (Role.GUEST, _GUEST))
}


class Trouble(Struct, frozen=True, kw_only=True):
    """Why an implementation cannot be judged in a role."""

    text: str
    """In a few sentences."""
    log: tuple[Entry, ...] = ()
    """What was said up to there."""
    is_absent: bool = False
    """Whether it says itself that it does not have this role."""


async def self_test(launcher: Launcher, role: Role) -> Trouble | None:
    """Why the implementation cannot be judged; None when it can."""
    try:
        subject = await launcher.start()
    except SubjectFault as fault:
        return Trouble(text=_with_tail(str(fault), fault.tail))
    try:
        return (
            await lacks_role(subject, role) or await _refuses_nonsense(subject) or await _plain_session(subject, role)
        )
    except SubjectFault as fault:
        return Trouble(text=_with_tail(str(fault), fault.tail))
    finally:
        await subject.end()


async def lacks_role(subject: Subject, role: Role) -> Trouble | None:
    """Whether it says itself that it does not have this role: it may be a host only, or a guest only: then its list of tools shows that."""
    tools = await subject.tools(ANSWER_SECONDS)
    other = TOOLS[Role.GUEST if role is Role.HOST else Role.HOST]
    if tools is None or TOOLS[role] in tools or other not in tools:
        return None
    return Trouble(text=f"It is no {role.value}: among its tools there is no {TOOLS[role]}.", is_absent=True)


async def _refuses_nonsense(subject: Subject) -> Trouble | None:
    answer = await subject.call_unknown(ANSWER_SECONDS)
    if answer.error is None:
        return Trouble(
            text="It says yes to a tool that does not exist: what it says yes to means nothing. Have it answer with an error."
        )
    return None


async def _plain_session(subject: Subject, role: Role) -> Trouble | None:
    judged = await judge(SESSIONS[role], subject)
    verdict = judged.verdict
    if verdict.outcome in (Outcome.PASS, Outcome.NON_STRICT):
        return None
    step = SESSIONS[role].steps[(verdict.step or 1) - 1]
    expected = f", expected {verdict.expected}" if verdict.expected else ""
    said = f"A plain session does not work as {role.value}, at the step '{step.do}'{expected}: {verdict.got}."
    return Trouble(text=_with_tail(said, verdict.note or subject.tail), log=verdict.log)


def _with_tail(text: str, tail: str) -> str:
    return f"{text}\nIt wrote last:\n{tail}" if tail else text
