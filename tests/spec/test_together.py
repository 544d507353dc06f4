"""Host and guest keep their word to each other over a wire that delays and breaks, whatever a thief with the link does."""

import pytest

from spec.compiler.__main__ import main
from spec.compiler.explore import ranked
from spec.compiler.reader import Spec
from spec.compiler.together import CLAIMS, durations, walk_together
from tests.core.never import ROWS_NEVER_TAKEN
from tests.spec.breakage import SPEC, broken, dropped, row, timer


@pytest.mark.timeout(300)
def test_every_claim_about_each_machine_and_about_both_ends_together_holds(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explore"]) == 0
    told = capsys.readouterr()

    assert [line.split()[0] for line in told.out.splitlines()] == ["configurations", *SPEC.machines, "together"]
    assert told.err == ""


def test_durations_keep_their_order() -> None:
    short, real = ranked(durations(SPEC)), durations(SPEC)

    assert sorted(short, key=lambda name: (short[name], name)) == sorted(real, key=lambda name: (real[name], name))
    assert short["PING_SECONDS"] < short["JOIN_SECONDS"] < short["SILENCE_SECONDS"] < short["LINK_SECONDS"]


BROKEN = [
    ("a session that opens again", broken("session", row("guest-left", to="waiting")), "one-guest-ever"),
    ("a refusal that welcomes", broken("connection", row("refuse", do=("welcome", "hang_up refused"))), "one-guest-ever"),
    ("a proof that nobody looks at", broken("session", dropped("auth-bad-key")), "proof-admits"),
    ("a guest that lets itself in", broken("guest", row("challenge", to="joined")), "joined-was-locked"),
    ("a guest that takes twice", broken("guest", row("msg", do=("take", "take"))), "numbered-before-taken"),
    ("a guest that sees holes", broken("guest", row("enter", when="not in_order")), "honest-host-is-believed"),
    ("a close told as idleness", broken("guest", row("told-closed", do=("end idle",))), "same-cause"),
    ("a summary behind the end", broken("session", row("close-summary", do=("end closed_by_host", "number summary"))), "all-is-told-before-the-end"),
    ("an end without a word", broken("connection", row("end", do=())), "no-end-without-a-word"),
    ("a leave that nobody expects", broken("connection", row("lost", do=("leave",)), dropped("lost-guest")), "total"),
    ("a proof that is never judged", broken("connection", row("auth", do=())), "joins"),
    (
        "a guest that waits for ever",
        broken("connection", row("auth", do=()), spec=broken("guest", timer("join", runs_in=("dialing",)))),
        "ends-by-itself",
    ),
    ("a connection that never goes away", broken("connection", dropped("let-go")), "ends-by-itself"),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "claim"), [pytest.param(*rest, id=title) for title, *rest in BROKEN])
def test_a_broken_table_breaks_a_claim(spec: Spec, claim: str) -> None:
    assert claim in walk_together(spec, to_first_breach=True).violations


NEVER_TAKEN = {
    "an honest guest and a thief who only proves do not": {
        "session: auth-malformed",
        *("connection: auth-unasked", "connection: other", "connection: control", "connection: flood"),
        *("connection: flood-guest", "connection: too-big", "connection: too-big-guest"),
        *("connection: not-text", "connection: not-text-guest"),
    },
    "an honest host does not": {
        *("guest: challenge-again", "guest: enter-overfull", "guest: enter-with-holes", "guest: enter-unproved"),
        *("guest: enter-again", "guest: refused-later", "guest: malformed", "guest: malformed-later"),
        *("guest: msg-too-early", "guest: msg-stale", "guest: msg-missing", "guest: msg-overfull"),
        *("guest: msg-forged", "guest: other", "guest: too-big", "guest: not-text"),
    },
    "what is said fits, and is said by who can": {
        *("session: say-too-long", "session: say-full", "session: say-ended"),
        *("guest: say-too-early", "guest: say-too-long", "guest: say-full", "guest: say-ended"),
    },
    # Whoever walks evicts whomever it likes.
    "it cannot come about": {f"{name}: {row}" for name, rows in ROWS_NEVER_TAKEN.items() for row in rows}
    - {"connection: evict-guest"},
    "it happens once": {"session: still-open", "connection: upgraded-twice", "guest: connected-twice"},
    "nobody does anything to what is over": {"session: gone", "connection: ignored", "guest: gone"},
}
"""The rows that nobody takes when both ends are walked together, and why; each machine alone takes them."""


def test_every_row_is_taken_together_but_for_those_that_are_known() -> None:
    taken = walk_together(SPEC).rows
    rows = {f"{name}: {row.id}" for name, machine in SPEC.machines.items() for row in machine.transitions}

    assert rows - {": ".join(one) for one in taken} == set().union(*NEVER_TAKEN.values())


def test_every_claim_can_fail() -> None:
    assert {claim for _, _, claim in BROKEN} == set(CLAIMS)


def test_a_breach_is_told_with_a_shortest_way_to_it() -> None:
    spec = broken("session", row("guest-left", to="waiting"))

    assert walk_together(spec, to_first_breach=True).violations["one-guest-ever"] == (
        "the host becomes reachable",
        "a thief connects",
        "the thief answers with the right proof",
        "the thief answers with the wrong proof",
        "a thief connects",
        "the thief answers with the right proof",
    )
