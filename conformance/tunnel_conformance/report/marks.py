"""What each outcome means: its glyph and letter, which are read without colour, and whether it counts against who is judged."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from tunnel_conformance.records import Outcome, Verdict


class Mark(Struct, frozen=True, kw_only=True):
    """How an outcome is shown."""

    glyph: str
    letter: str
    colour: str
    """For the terminal; the style sheet has its own."""
    meaning: str

    @property
    def short(self) -> str:
        """Glyph and letter."""
        return f"{self.glyph}{self.letter}"


MARKS: Final = {
    Outcome.PASS: Mark(glyph="✓", letter="P", colour="green", meaning="What the rules ask for was seen."),
    Outcome.NON_STRICT: Mark(
        glyph="≈", letter="N", colour="cyan", meaning="Something else was seen that the case allows: it breaks nothing."
    ),
    Outcome.FAIL: Mark(glyph="✗", letter="F", colour="bold red", meaning="What was seen breaks a rule."),
    Outcome.ERROR: Mark(
        glyph="!",
        letter="E",
        colour="bold magenta",
        meaning="The implementation crashed, hung, or was no longer to be understood.",
    ),
    Outcome.NOT_TESTABLE: Mark(
        glyph="?",
        letter="U",
        colour="yellow",
        meaning="Untestable: the case needs something that is not there. It counts against a MUST.",
    ),
    Outcome.NOT_APPLICABLE: Mark(
        glyph="·", letter="A", colour="dim", meaning="Not applicable: the case does not concern this implementation."
    ),
    Outcome.HARNESS: Mark(
        glyph="#",
        letter="H",
        colour="bold yellow",
        meaning="The kit and the implementation did not get as far as the case: it says nothing about a rule.",
    ),
}

WORST: Final = (
    Outcome.HARNESS,
    Outcome.ERROR,
    Outcome.FAIL,
    Outcome.NOT_TESTABLE,
    Outcome.NON_STRICT,
    Outcome.PASS,
    Outcome.NOT_APPLICABLE,
)
"""From what weighs most to what weighs least."""


def worst(verdicts: Iterable[Verdict]) -> Outcome | None:
    """The outcome that speaks for several; none for no verdict at all."""
    found = {verdict.outcome for verdict in verdicts}
    return next((outcome for outcome in WORST if outcome in found), None)


def counts_against(verdict: Verdict) -> bool:
    """Whether it has to be answered for: by a mended implementation, or by an entry among the known failures."""
    if verdict.outcome is Outcome.NOT_TESTABLE:
        return verdict.binding
    return verdict.outcome in (Outcome.FAIL, Outcome.ERROR, Outcome.HARNESS)


def totals(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """How many verdicts have which outcome, in the order of the outcomes; those that nobody has are left out."""
    outcomes = [verdict.outcome for verdict in verdicts]
    return {outcome.value: outcomes.count(outcome) for outcome in Outcome if outcome in outcomes}
