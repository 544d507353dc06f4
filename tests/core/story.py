"""A host, an honest guest, a thief with the link and a stranger without it do what they like, on wires that cut and delay.

Beside each real end walks its witness from the tables; what must hold of a tunnel whatever the tables say is checked apart
from them, by the ledger and the invariants.
"""

import sys
from collections.abc import Callable, Mapping
from itertools import cycle

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.conversation import message
from tests.core.guest_witness import TOLD
from tests.core.ledger import SHOWS_WHAT_IT_SAID, TAKES_WHAT_WAS_NUMBERED
from tests.core.stage import Stage
from tests.core.witness import GOAL, MACHINES, TOO_LONG, Load
from tunnel.core.guest import Guest
from tunnel.core.host import Host
from tunnel.core.instant import TICKS_PER_SECOND
from tunnel.spec.v1 import frames, guest, session
from tunnel.spec.v1.constants import STRANGER_CONNECTIONS
from tunnel.spec.v1.refusals import Closing

SECOND = TICKS_PER_SECOND

ROWS: dict[str, set[str]] = {name: set() for name in MACHINES}
"""Every row that was taken so far."""

DRAGS = {session.State.VACATED: 1, session.State.CLOSED: 3}
BORING = 12
"""So many steps more are taken in a tunnel that its guest has left, and a third of them in one that is over."""

SPANS = [1, SECOND, 5 * SECOND, 15 * SECOND - 1, 15 * SECOND, 39 * SECOND, 41 * SECOND, 590 * SECOND]

spans = st.sampled_from(SPANS)
arounds = st.sampled_from([-1, 0, 1])
manners = st.sampled_from(["on a live wire", "on a dead wire", "asleep"])
whiches = st.integers(0, 5)
keys = st.sampled_from(["the link", "the link", "a guess"])


class Story(RuleBasedStateMachine):
    """One tunnel and everybody who has to do with it."""

    def __init__(self, kind: type[Host] = Host, guest_kind: type[Guest] = Guest, *, compares: bool = True) -> None:
        super().__init__()
        self._kind = kind
        self._guest_kind = guest_kind
        self._compares = compares
        self._scenes = cycle(["joined", "open", "unopened", "joined"])
        self._begin("unopened", 1_000 * SECOND)

    @initialize(scene=st.sampled_from(["unopened", "open", "joined"]))
    def a_tunnel_begins(self, scene: str) -> None:
        self._begin(scene, self.stage.ticks)

    # --- The host ---

    @rule()
    def the_transport_is_reachable(self) -> None:
        self.stage.host_does(self.stage.host.reachable(self.stage.now))

    @rule(text=st.sampled_from(["hello", "hello", TOO_LONG]))
    def the_host_says(self, text: str) -> None:
        self.stage.host_says(text)

    @precondition(lambda self: self.stage.host.core.guest is not None)
    @rule(who=st.sampled_from(["host", "guest"]))
    def somebody_says_more_than_fits(self, who: str) -> None:
        self.stage.host.scales.put(Load.FULL)
        if who == "host":
            self.stage.host_says("one more thing")
        else:
            self.stage.host_does(
                self.stage.host.chat(self.stage.admitted().number, "an id", "not sealed", self.stage.now)
            )
        self.stage.host.scales.put(Load.LIGHT)

    @rule(how=st.sampled_from(["with a summary", "without a summary", "exit", "transport"]))
    def the_host_ends(self, how: str) -> None:
        match how:
            case "exit":
                self.stage.host_does(self.stage.host.exit(self.stage.now))
            case "transport":
                self.stage.host_does(self.stage.host.unreachable(self.stage.now))
            case _:
                self.stage.host_does(
                    self.stage.host.close("all is said" if how == "with a summary" else "", self.stage.now)
                )

    # --- The honest guest ---

    @precondition(lambda self: self.stage.bob is None or self.stage.bob.agent.state is guest.State.ENDED)
    @rule(as_far_as=st.sampled_from(list(guest.State)[:3]))
    def bob_dials(self, as_far_as: guest.State) -> None:
        wire = self.stage.dial()
        if as_far_as is not guest.State.DIALING:
            self.stage.dialled(wire, comes_about=True)
        if as_far_as is guest.State.PROVING:
            self.stage.down(wire)

    @precondition(lambda self: self.stage.bob is None and self.stage.host.state is session.State.WAITING)
    @rule()
    def bob_joins(self) -> None:
        self.stage.join()

    @precondition(lambda self: self.stage.bob is not None)
    @rule(comes_about=st.sampled_from([True, True, True, False]))
    def the_dialling_ends(self, *, comes_about: bool) -> None:
        self.stage.dialled(self.stage.honest, comes_about=comes_about)

    @precondition(lambda self: self.stage.bob is not None)
    @rule(text=st.sampled_from(["hello", "hello", TOO_LONG]))
    def bob_says(self, text: str) -> None:
        self.stage.bob_says(text)

    @precondition(lambda self: self.stage.bob is not None and self.stage.bob.agent.state is guest.State.JOINED)
    @rule()
    def both_talk(self) -> None:
        self.stage.bob_says("how are you?")
        self.stage.host_says("hello")
        self.stage.settle()

    @precondition(lambda self: self.stage.bob is not None)
    @rule()
    def bob_says_more_than_fits(self) -> None:
        self.stage.honest.agent.scales.put(Load.FULL)
        self.stage.bob_says("one more thing")
        self.stage.honest.agent.scales.put(Load.LIGHT)

    @precondition(lambda self: self.stage.bob is not None)
    @rule(how=st.sampled_from(["with a summary", "without a summary", "exit"]))
    def bob_ends(self, how: str) -> None:
        bob = self.stage.honest
        if how == "exit":
            self.stage.guest_does(bob, bob.agent.exit(self.stage.now))
        else:
            self.stage.guest_does(
                bob, bob.agent.close("all is said" if how == "with a summary" else "", self.stage.now)
            )

    # --- The thief, the stranger, and whoever else reaches the relay ---

    @rule(upgraded=st.sampled_from([True, True, False]))
    def somebody_connects(self, *, upgraded: bool) -> None:
        wire = self.stage.accept(None)
        if upgraded:
            self.stage.host_does(self.stage.host.upgraded(wire.number, self.stage.now))

    @precondition(lambda self: bool(self.stage.wires))
    @rule(which=whiches, key=keys, name=st.sampled_from(["Eve", "Eve", "Eve", 5]), since=st.sampled_from([0, 2, 10**9]))
    def somebody_answers_the_challenge(self, which: int, key: str, name: object, since: int) -> None:
        self.stage.answer(self.stage.some(which), key, name, since)

    @precondition(lambda self: bool(self.stage.wires))
    @rule(which=whiches)
    def somebody_chats(self, which: int) -> None:
        self.stage.host_does(self.stage.host.chat(self.stage.some(which).number, "an id", "not sealed", self.stage.now))

    @precondition(lambda self: bool(self.stage.wires))
    @rule(which=whiches, how=st.sampled_from(["noise", "binary", "bytes", "ping", "upgrade"]))
    def somebody_makes_noise(self, which: int, how: str) -> None:
        host, number, now = self.stage.host, self.stage.some(which).number, self.stage.now
        match how:
            case "noise":
                self.stage.host_does(host.other(number, "no frame", now))
            case "binary":
                self.stage.host_does(host.other(number, "", now))
            case "bytes":
                self.stage.host_does(host.heard(number, now))
            case "ping":
                self.stage.host_does(host.control(number, now))
            case _:
                self.stage.host_does(host.upgraded(number, now))

    @precondition(lambda self: bool(self.stage.wires))
    @rule(which=whiches, how=st.sampled_from(["flood", "too big", "not text", "slow"]))
    def somebody_breaks_a_bound(self, which: int, how: str) -> None:
        self.stage.break_bound(self.stage.some(which), how)

    @precondition(lambda self: self.stage.host.core.guest is not None)
    @rule(how=st.sampled_from(["flood", "too big", "not text", "slow"]))
    def the_admitted_guest_breaks_a_bound(self, how: str) -> None:
        self.stage.break_bound(self.stage.admitted(), how)

    @precondition(lambda self: self.stage.host.core.guest is not None)
    @rule(key=keys)
    def the_admitted_guest_answers_again(self, key: str) -> None:
        self.stage.answer(self.stage.admitted(), key, "Eve", 0)

    @precondition(lambda self: self.stage.host.state is session.State.WAITING)
    @rule(around=arounds, manner=manners)
    def a_thief_comes_around_the_last_moment_of_the_link(self, around: int, manner: str) -> None:
        deadline = self.stage.host.core.link_expires_at() or self.stage.ticks
        self.stage.wait(deadline + around, manner)
        self.stage.thief()

    @precondition(lambda self: self.stage.host.core.guest is not None)
    @rule()
    def a_thief_comes_while_the_guest_is_there(self) -> None:
        self.stage.thief()

    @precondition(lambda self: self.stage.host.core.guest is not None)
    @rule(wait=st.sampled_from([0, 5 * 60 * SECOND]))
    def a_thief_comes_when_the_guest_has_left(self, wait: int) -> None:
        self.stage.wait(self.stage.ticks + wait, "on a live wire")
        if self.stage.host.core.guest is not None:
            self.stage.admitted().cut()
            self.stage.settle()
        self.stage.thief()

    @precondition(lambda self: not self.was_crowded)
    @rule()
    def a_crowd_comes_and_goes(self) -> None:
        self.was_crowded = True
        crowd = [self.stage.accept(None) for _ in range(STRANGER_CONNECTIONS)]
        for one in crowd:
            self.stage.host_does(self.stage.host.lost(one.number, self.stage.now))

    # --- Whoever carries the traffic ---

    @precondition(lambda self: bool(self.stage.wires))
    @rule(which=whiches)
    def something_reaches_the_host(self, which: int) -> None:
        self.stage.up(self.stage.some(which))

    @precondition(lambda self: self.stage.bob is not None)
    @rule()
    def something_reaches_bob(self) -> None:
        self.stage.down(self.stage.honest)

    @rule()
    def everything_arrives(self) -> None:
        self.stage.settle()
        if self.stage.host.core.guest is not None:
            self.stage.host_does(self.stage.host.drained(self.stage.host.core.guest, self.stage.now))

    @precondition(lambda self: bool(self.stage.wires))
    @rule(which=whiches)
    def a_wire_is_cut(self, which: int) -> None:
        self.stage.some(which).cut()

    @precondition(lambda self: self.stage.host.state is session.State.WAITING and self.stage.bob is None)
    @rule()
    def a_wire_is_cut_between_auth_and_auth_ok(self) -> None:
        wire = self.stage.dial()
        self.stage.dialled(wire, comes_about=True)
        self.stage.down(wire)
        self.stage.up(wire)
        wire.cut()

    @precondition(lambda self: self.stage.bob is not None and self.stage.bob.agent.state is guest.State.JOINED)
    @rule(how=st.sampled_from(["host", "guest"]))
    def an_end_closes_with_frames_on_their_way(self, how: str) -> None:
        self.stage.bob_says("one more thing")
        self.stage.host_says("one more thing")
        if how == "host":
            self.the_host_ends("with a summary")
        else:
            self.bob_ends("with a summary")

    @precondition(lambda self: self.stage.bob is not None and self.stage.bob.agent.state is not guest.State.JOINED)
    @rule(how=st.sampled_from(["challenge", "tell", "admit"]))
    def the_operator_speaks_too_early(self, how: str) -> None:
        wire, bob, now = self.stage.honest, self.stage.honest.agent, self.stage.now
        match how:
            case "challenge":
                self.stage.guest_does(wire, bob.receive(frames.Challenge(nonce="a challenge"), now))
            case "tell":
                self.stage.guest_does(wire, bob.receive(frames.Msg(msg=message(1, "forged")), now))
            case _:
                self.stage.admit_bob(1)

    @precondition(lambda self: self.stage.bob is None or self.stage.bob.agent.state is guest.State.ENDED)
    @rule(how=st.sampled_from(["admit", "admit with holes", "admit to too much", "deny", "malformed"]))
    def bob_is_lured(self, how: str) -> None:
        self.bob_dials(guest.State.PROVING)
        wire, bob, now = self.stage.honest, self.stage.honest.agent, self.stage.now
        match how:
            case "deny":
                self.stage.guest_does(wire, bob.receive(frames.AuthFail(reason="bad key"), now))
            case "malformed":
                self.stage.guest_does(wire, bob.malformed('{"t":"challenge"}', now))
            case _:
                bob.scales.put(Load.OVERFULL if how == "admit to too much" else Load.LIGHT)
                self.stage.admit_bob(2 if how == "admit with holes" else 1)
                bob.scales.put(Load.LIGHT)

    @precondition(lambda self: self.stage.bob is not None and self.stage.bob.agent.state is guest.State.JOINED)
    @rule(repeats=st.booleans())
    def the_operator_repeats_a_message_or_leaves_one_out(self, *, repeats: bool) -> None:
        wire, bob, now = self.stage.honest, self.stage.honest.agent, self.stage.now
        if repeats:
            last = max(1, len(bob.witness.taken))
            self.stage.guest_does(wire, bob.receive(frames.Msg(msg=message(last, "again")), now))
        else:
            self.stage.host_says("what Bob will not hear")
            wire.skip()

    @precondition(lambda self: self.stage.bob is not None and self.stage.bob.agent.state is guest.State.JOINED)
    @rule(how=st.sampled_from(["jump", "claim", "overfill"]))
    def the_operator_makes_up_a_message(self, how: str) -> None:
        wire, bob, now = self.stage.honest, self.stage.honest.agent, self.stage.now
        last = len(bob.witness.taken)
        match how:
            case "jump":
                self.stage.guest_does(wire, bob.receive(frames.Msg(msg=message(last + 2, "too early")), now))
            case "claim":
                wire.is_tampered_with = True
                self.stage.guest_does(
                    wire, bob.receive(frames.Msg(msg=message(last + 1, "forged", sender="guest")), now)
                )
            case _:
                bob.scales.put(Load.OVERFULL)
                self.stage.guest_does(wire, bob.receive(frames.Msg(msg=message(last + 1, "too much")), now))
                bob.scales.put(Load.LIGHT)

    @precondition(lambda self: self.stage.bob is not None and self.stage.bob.agent.state is guest.State.JOINED)
    @rule(how=st.sampled_from(["admit", "deny", "challenge", "malformed"]))
    def the_operator_begins_anew_with_bob(self, how: str) -> None:
        wire, bob, now = self.stage.honest, self.stage.honest.agent, self.stage.now
        match how:
            case "admit":
                self.stage.guest_does(wire, bob.receive(frames.AuthOk(goal=GOAL, peer_name="Mallory", backlog=()), now))
            case "deny":
                self.stage.guest_does(wire, bob.receive(frames.AuthFail(reason="bad key"), now))
            case "challenge":
                self.stage.guest_does(wire, bob.receive(frames.Challenge(nonce="another challenge"), now))
            case _:
                self.stage.guest_does(wire, bob.malformed('{"t":"auth_ok"}', now))

    @precondition(lambda self: self.stage.bob is not None)
    @rule(how=st.sampled_from(["noise", "binary", "connected"]))
    def noise_reaches_bob(self, how: str) -> None:
        wire, bob, now = self.stage.honest, self.stage.honest.agent, self.stage.now
        match how:
            case "noise":
                self.stage.guest_does(wire, bob.other("no frame", now))
            case "binary":
                self.stage.guest_does(wire, bob.other("", now))
            case _:
                self.stage.guest_does(wire, bob.connected(now))

    @precondition(lambda self: self.stage.bob is not None)
    @rule(how=st.sampled_from(["too big", "not text", "slow"]))
    def a_bound_is_broken_for_bob(self, how: str) -> None:
        wire, bob, now = self.stage.honest, self.stage.honest.agent, self.stage.now
        match how:
            case "too big":
                self.stage.guest_does(wire, bob.oversize(now))
            case "not text":
                self.stage.guest_does(wire, bob.not_text(now))
            case _:
                self.stage.guest_does(wire, bob.overflow(now))

    @precondition(lambda self: self.stage.bob is not None and self.stage.bob.agent.state is guest.State.JOINED)
    @rule(told=st.sampled_from([None, *TOLD.values()]))
    def bobs_socket_is_closed(self, told: Closing | None) -> None:
        self.stage.guest_does(self.stage.honest, self.stage.honest.agent.lost(told, self.stage.now))

    # --- Time ---

    @rule(span=spans, manner=manners)
    def time_passes(self, span: int, manner: str) -> None:
        self.stage.wait(self.stage.ticks + span, manner)

    @rule(of=st.sampled_from(["the link", "the session", "the host", "Bob"]), around=arounds, manner=manners)
    def a_deadline_comes(self, of: str, around: int, manner: str) -> None:
        core = self.stage.host.core
        deadlines: Mapping[str, Callable[[], int | None]] = {
            "the link": core.link_expires_at,
            "the session": core.idle_ends_at,
            "the host": core.next_deadline,
            "Bob": self.stage.bob.agent.next_deadline if self.stage.bob else core.next_deadline,
        }
        deadline = deadlines[of]()
        if deadline is not None and deadline + around >= self.stage.ticks:
            self.stage.wait(deadline + around, manner)

    @rule()
    def somebody_looks_at_the_clock(self) -> None:
        self.stage.expire()

    # --- What must hold ---

    @invariant()
    def a_guest_has_a_prefix_of_what_the_host_numbered(self) -> None:
        numbered = list(self.stage.host.core.transcript.after(0))
        for wire in self.stage.wires:
            if wire.guest and not wire.is_tampered_with:
                taken = list(wire.guest.core.transcript.after(0))
                assert taken == numbered[: len(taken)], TAKES_WHAT_WAS_NUMBERED

    @invariant()
    def a_guest_shows_as_its_own_what_it_has_said(self) -> None:
        for wire in self.stage.wires:
            if wire.guest:
                transcript = wire.guest.core.transcript
                shown = [m for m in transcript.after(0) if m.sender == "guest" and transcript.is_shown(m)]
                assert all((m.id, m.body) in wire.sent for m in shown), SHOWS_WHAT_IT_SAID

    @invariant()
    def a_tunnel_that_is_over_is_followed_by_another(self) -> None:
        self.drags += DRAGS.get(self.stage.host.state, 0)
        if self.drags > BORING:
            self._end()
            self._begin(next(self._scenes), self.stage.ticks)

    def teardown(self) -> None:
        # Who breaks a promise is told of that one, and not of what follows from it.
        if sys.exception() is None:
            self._end()
            self.ends_well()

    def ends_well(self) -> None:
        """The story came to its end, and no promise is broken."""

    def _begin(self, scene: str, ticks: int) -> None:
        self.stage = Stage(ticks, self._kind, self._guest_kind, compares=self._compares)
        self.was_crowded = False
        self.drags = 0
        if scene != "unopened":
            self.stage.host_does(self.stage.host.reachable(self.stage.now))
        if scene == "joined":
            self.stage.join()

    def _end(self) -> None:
        self.stage.end()
        if (self._kind, self._guest_kind) == (Host, Guest):
            for life in self.stage.lives():
                ROWS[life.machine.machine].update(step.row.id for step in life.steps)
