"""The tables of wire version 1 keep their invariants in every step they can take, and the invariants notice broken tables."""

from collections.abc import Sequence
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from spec.compiler.explore import Exploration, Input, explore, inputs, shortened
from spec.compiler.lint import lint
from spec.compiler.reader import MACHINES
from tests.spec.breakage import SPEC, Breakage, row, swapped, timer
from tunnel.spec.model import Machine
from tunnel.spec.semantics import Interpreter

TICKS = 1000
"""In a second, for the walks with the real durations."""


@cache
def explored(name: str) -> Exploration:
    return explore(SPEC.machines[name], shortened(SPEC.machines[name], SPEC.constants))


@pytest.mark.parametrize("name", MACHINES)
def test_no_step_that_a_machine_can_take_breaks_an_invariant(name: str) -> None:
    assert explored(name).violations == {}


@pytest.mark.parametrize("name", MACHINES)
def test_every_row_of_a_machine_can_be_taken(name: str) -> None:
    assert {row.id for row in SPEC.machines[name].transitions} - explored(name).rows == set()


@pytest.mark.parametrize("name", MACHINES)
def test_every_state_of_a_machine_is_visited(name: str) -> None:
    assert {place.state for place in explored(name).places} == {state.name for state in SPEC.machines[name].states}


def gaps(machine: Machine) -> list[int]:
    """Time that passes between two inputs: none, a tick, and what lies around the boundary of every timer."""
    durations = [SPEC.constants[timer.duration] * TICKS for timer in machine.timers]
    return [0, 1, *(duration + around for duration in durations for around in (-1, 0, 1))]


def walks(machine: Machine) -> st.SearchStrategy[list[tuple[int, Input]]]:
    return st.lists(st.tuples(st.sampled_from(gaps(machine)), st.sampled_from(list(inputs(machine)))), max_size=40)


def breaches(machine: Machine, walk: Sequence[tuple[int, Input]]) -> list[str]:
    """The invariants that break on a walk with the real durations."""
    interpreter = Interpreter(machine, SPEC.constants, TICKS)
    timers = {timer.fires: timer.name for timer in machine.timers}
    here, now, found = interpreter.start(0), 0, list[str]()
    for gap, thing in walk:
        now += gap
        steps = interpreter.expire(here, now)
        here = steps[-1].after if steps else here
        if timers.get(thing.event) not in here.since:
            steps.append(interpreter.step(here, thing.event, thing.facts, now))
            here = steps[-1].after
        found += [invariant for step in steps for invariant in interpreter.violated(step)]
    return found


@settings(deadline=None)
@given(walk=walks(SPEC.machines["session"]))
def test_a_session_keeps_its_invariants_with_the_real_durations(walk: list[tuple[int, Input]]) -> None:
    assert breaches(SPEC.machines["session"], walk) == []


@settings(deadline=None)
@given(walk=walks(SPEC.machines["connection"]))
def test_a_connection_keeps_its_invariants_with_the_real_durations(walk: list[tuple[int, Input]]) -> None:
    assert breaches(SPEC.machines["connection"], walk) == []


@settings(deadline=None)
@given(walk=walks(SPEC.machines["guest"]))
def test_a_guest_keeps_its_invariants_with_the_real_durations(walk: list[tuple[int, Input]]) -> None:
    assert breaches(SPEC.machines["guest"], walk) == []


def test_a_walk_with_the_real_durations_can_fail() -> None:
    careless = timer("link", passed_when="elapsed >= duration")(SPEC.machines["session"])
    auth = Input("auth", {"well_formed": True, "proof_ok": True})

    assert breaches(careless, [(0, Input("reachable", {})), (SPEC.constants["LINK_SECONDS"] * TICKS, auth)]) == [
        "good-link-admits",
        "expired-third",
    ]


# --- Broken tables ------------------------------------------------------------------------------------------------------


def noticed(name: str, machine: Machine) -> str:
    """What reading a table, or else walking through it up to the first breach, has to say against it."""
    findings = lint(replace(SPEC, machines={**SPEC.machines, name: machine}))
    seconds = shortened(SPEC.machines[name], SPEC.constants)
    return "\n".join(findings or explore(machine, seconds, to_first_breach=True).violations)


BROKEN = [
    # The session
    ("a session that never tells its end for idleness", "session", row("idle", do=("number idle",)), "ends-once"),
    ("a session that says goodbye behind the door", "session", row("idle", do=("end idle", "number idle")), "told-in-order"),
    ("a session that stays open after idleness", "session", row("idle", to="="), "idle-ends"),
    ("an admission that does not lock", "session", row("auth-admitted", to="waiting"), "'locked' of states: it cannot be reached"),
    ("an admission without proof", "session", row("auth-bad-key", when="not well_formed and not proof_ok"), "admit-with-proof"),
    ("a second admission", "session", row("auth-full", do=("refuse tunnel_full", "admit")), "one-guest"),
    ("an admission before there is a link", "session", row("auth-too-early", to="locked", do=("admit", "number joined")), "admit-when-waiting"),
    ("a link that dies a moment early", "session", timer("link", passed_when="elapsed >= duration"), "good-link-admits"),
    ("a link that lives as long as the session", "session", timer("link", duration="IDLE_SECONDS"), "admit-in-time"),
    ("a link that lives on when it is used", "session", timer("link", restarts_on=("number_chat",)), "link-ages"),
    ("a link that ages only while nobody is there", "session", timer("link", runs_in=("waiting",)), "link-ages"),
    ("a link that is always expired", "session", row("auth-expired", when=""), "row 'auth-admitted' is never tried"),
    ("full named before expired", "session", swapped("auth-expired", "auth-full"), "row 'auth-expired' is never tried"),
    ("bad key named before malformed", "session", swapped("auth-malformed", "auth-bad-key"), "malformed-first"),
    ("expired named before bad key", "session", swapped("auth-bad-key", "auth-expired"), "bad-key-second"),
    ("talk that is no activity", "session", timer("idle", restarts_on=("number",)), "idle-is-silence"),
    ("idleness whatever is said", "session", timer("idle", restarts_on=()), "idle-is-silence"),
    ("a refused join that is activity", "session", timer("idle", restarts_on=("number", "number_chat", "refuse")), "idle-is-silence"),
    ("a left tunnel that opens again", "session", row("guest-left", to="waiting"), "'vacated' of states: it cannot be reached"),
    ("a left tunnel that drops the news", "session", row("guest-left", do=()), "left-is-told"),
    ("a stranger who is heard", "session", row("send-stranger", do=("number_chat",)), "chat-is-numbered"),
    ("a chat that shows the guest out", "session", row("send-chat", to="vacated"), "moves"),
    ("a say that fails for nobody's reason", "session", row("say-full", do=("fail unconfirmed",)), "no-room-is-said"),
    ("a closed session that answers", "session", row("gone", do=("refuse bad_key",)), "closed-stays-closed"),
    # The connection
    ("a guest that vanishes unnoticed", "connection", row("lost-guest", do=()), "leave-once"),
    ("a refused guest that still counts as there", "connection", row("refuse-guest", do=("deny", "hang_up refused")), "leave-once"),
    ("a refusal without a reason", "connection", row("refuse", do=("hang_up refused",)), "denied-is-finished"),
    ("a refusal behind the close", "connection", row("refuse", do=("hang_up refused", "deny")), "told-in-order"),
    ("a stranger who is relayed", "connection", row("send-stranger", do=("relay",)), "relay-the-guest"),
    ("a refused peer that is judged again", "connection", row("auth", leaves=("challenged", "admitted", "finished")), "finished-is-silent"),
    ("a welcome that is not for good", "connection", row("admit", to="="), "'admitted' of states: it cannot be reached"),
    ("an admission without a challenge", "connection", row("admit-nobody", to="admitted", do=("welcome",)), "welcome-once"),
    ("bytes that buy a stranger time", "connection", timer("authenticate", restarts_on=("heard",)), "in-time-from-accept"),
    ("a stranger who may stay", "connection", row("never-proved", to="="), "to fire for ever"),
    ("pings that count as life", "connection", timer("silence", restarts_on=("heard", "ping")), "any-byte-is-life"),
    ("silence whatever is heard", "connection", timer("silence", restarts_on=()), "any-byte-is-life"),
    ("a ping that is never sent", "connection", row("ping", do=()), "row 'ping' of actions: no row does it"),
    ("an evicted guest", "connection", row("evict", leaves=("talking",)), "row 'evict-guest' is never tried"),
    # The guest
    ("a guest that answers every challenge", "guest", row("challenge-again", do=("answer",)), "answers-once"),
    ("a guest that lets itself in", "guest", row("enter-unproved", to="joined", do=("enter",)), "enters-after-proof"),
    ("a guest that takes nothing", "guest", row("msg-stale", when=""), "row 'msg-missing' is never tried"),
    ("a guest that takes twice", "guest", row("msg-stale", when="stale and not in_order"), "takes-in-order"),
    ("a guest that passes over holes", "guest", row("msg-missing", when="not in_order and overfull"), "holes-end-it"),
    ("a guest that enters over holes", "guest", row("enter-with-holes", to="joined", do=("enter",)), "enters-after-proof"),
    ("a guest that disowns itself", "guest", swapped("msg-echo", "msg-forged"), "forgery-is-hidden"),
    ("a guest that shows a forgery", "guest", row("msg-forged", do=("take",)), "row 'conceal' of actions: no row does it"),
    ("a guest that hangs up before its last word", "guest", row("close-summary", do=("hang_up left", "send_summary", "end closed_by_guest")), "told-in-order"),
    ("a host that prolongs a join", "guest", timer("join", restarts_on=("heard",)), "in-time-from-dial"),
    ("a refusal that is overheard", "guest", row("refused", to="="), "ends-once"),
    ("an idle end told as a close", "guest", row("told-idle", do=("end closed_by_host",)), "no row does 'end idle'"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "broken", "notice"), [pytest.param(*rest, id=title) for title, *rest in BROKEN])
def test_reading_or_walking_notices(name: str, broken: Breakage, notice: str) -> None:
    assert notice in noticed(name, broken(SPEC.machines[name]))


@pytest.mark.parametrize("name", MACHINES)
def test_nothing_is_noticed_about_an_unbroken_table(name: str) -> None:
    assert noticed(name, SPEC.machines[name]) == ""
