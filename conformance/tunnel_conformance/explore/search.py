"""Searches for a conversation in which an implementation leaves its tables, and makes it as short as it gets.

What needs no time is tried first: it is over in seconds. Then many processes at once let time pass, sped up as far as the
shortest deadline in play allows. What was seen once is judged again, as a case on a new process, before it counts.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct, structs

from tunnel.spec.model import Case, Role
from tunnel_conformance.explore.blame import blamed, broken, sentences
from tunnel_conformance.explore.draw import drawn
from tunnel_conformance.explore.guest import GuestWalk
from tunnel_conformance.explore.host import HostWalk
from tunnel_conformance.explore.host_offers import NAMES
from tunnel_conformance.explore.moves import Plan, passing
from tunnel_conformance.explore.play import Difference, Played
from tunnel_conformance.explore.shrink import cut, renamed, shorter
from tunnel_conformance.explore.spelling import spelled
from tunnel_conformance.explore.walk import WalkOf
from tunnel_conformance.explore.yard import Yard
from tunnel_conformance.records import Outcome, Verdict
from tunnel_conformance.report.words import said, step_in_words
from tunnel_conformance.subjects.base import Launcher

MOST_SECONDS: Final = 600.0
"""Real time after which nothing new is begun."""

SHRINK_SECONDS: Final = 300.0
"""Real time that is taken, beyond that, for what was found."""

TIMED_SHARE: Final = 4
"""In one of so many conversations time passes."""

WALKS: Final[dict[Role, WalkOf]] = {Role.HOST: HostWalk, Role.GUEST: GuestWalk}

Told = Callable[[str], None]


class Finding(Struct, frozen=True, kw_only=True):
    """A conversation in which an implementation leaves its tables."""

    case_toml: str
    """It as a case: paste it into `cases.toml`."""
    case: Case
    text: str
    """What happened, for people."""
    rows: tuple[str, ...]
    """What should have been taken, and what seems to have been taken instead: `session/auth-used`."""
    rules: tuple[str, ...]
    examples_tried: int
    seconds: float


async def explore(
    launcher: Launcher, role: Role, examples: int, seed: int, told: Told, seconds: float = MOST_SECONDS
) -> Finding | None:
    """Search.

    Args:
        launcher: starts processes of the implementation.
        role: in which it is tried.
        examples: how many conversations are drawn.
        seed: what chance begins with; the same one draws the same conversations.
        told: hears how it goes, a sentence at a time.
        seconds: real time after which nothing new is begun.

    Returns:
        What was found; None when nothing was.

    Raises:
        SubjectFault: the implementation does not start.
    """
    began = time.monotonic()
    async with Yard(launcher, WALKS[role], began + seconds) as yard:
        return await _Search(yard, WALKS[role], seed, told, began).search(examples, can_wait=_can_wait(launcher, told))


def _can_wait(launcher: Launcher, told: Told) -> bool:
    clock = launcher.clock
    if clock.kind != "real" and not clock.trouble:
        return True
    told(f"No time passes in these conversations. {clock.trouble or 'That takes a clock that can be sped up.'}")
    return False


class _Search:
    def __init__(self, yard: Yard, walk_of: WalkOf, seed: int, told: Told, began: float) -> None:
        self._yard = yard
        self._walk_of = walk_of
        self._seed = seed
        self._told = told
        self._began = began

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    async def search(self, examples: int, *, can_wait: bool) -> Finding | None:
        """Draw, play, and look into what is found."""
        in_time = examples // TIMED_SHARE if can_wait else 0
        for number, timed in ((examples - in_time, False), (in_time, True)):
            plans = await asyncio.to_thread(drawn, self._walk_of, number, self._seed, timed=timed)
            if plans and (finding := await self._play(plans, timed=timed)):
                return finding
        late = f" {self._yard.late} of them say nothing: this machine was too slow for them." if self._yard.late else ""
        self._told(f"Nothing found in {self._yard.tried} conversations, in {self._elapsed:.0f} s.{late}")
        return None

    async def _play(self, plans: list[Plan], *, timed: bool) -> Finding | None:
        time_passes = "time passes" if timed else "no time passes"
        self._told(f"Playing {len(plans)} conversations in which {time_passes}, drawn with the seed {self._seed}.")
        while found := await self._yard.first(plans, in_order=False):
            if finding := await self._look_into(found):
                return finding
            # It was not seen again; the others are still to be played.
            plans = [plan for plan in plans if plan != found.plan]
        return None

    # --- What was found ----------------------------------------------------------------------------------------------

    async def _look_into(self, found: Played) -> Finding | None:
        tried = self._yard.tried
        self._told(f"Found one after {tried} conversations, in {self._elapsed:.0f} s: {_sentence(found)}.")
        self._yard.until = max(self._yard.until, time.monotonic() + SHRINK_SECONDS)
        name = f"explored-{self._seed}-{tried}"
        best = self._cut(found)
        while True:
            case, rows = self._case(best, name)
            # While all that is shorter is tried, this one is judged as a case: a difference counts when it is seen twice.
            judging = asyncio.ensure_future(self._yard.judge(case, self._yard.speed_of(best.plan)))
            try:
                better = await self._yard.first(shorter(best.plan, self._walk_of), in_order=True)
                if better is None:
                    return self._told_of(case, rows, await judging, tried)
            finally:
                judging.cancel()
                await asyncio.gather(judging, return_exceptions=True)
            best = self._cut(better)
            self._told(f"Made shorter, after {self._elapsed:.0f} s: {_sentence(best)}.")

    def _told_of(self, case: Case, rows: tuple[str, ...], verdict: Verdict, tried: int) -> Finding | None:
        if verdict.outcome not in (Outcome.FAIL, Outcome.ERROR):
            self._told(
                f"Judged as a case it is: {verdict.outcome.value}. So it does not count, and the search goes on."
            )
            return None
        toml = spelled(case)
        return Finding(
            case=case,
            case_toml=toml,
            text="\n".join(_text(case, verdict, rows, toml)),
            rows=rows,
            rules=case.rules,
            examples_tried=tried,
            seconds=round(self._elapsed, 1),
        )

    def _cut(self, played: Played) -> Played:
        return structs.replace(played, plan=cut(played.plan, _difference(played).step, self._walk_of))

    def _case(self, played: Played, id: str) -> tuple[Case, tuple[str, ...]]:
        """The conversation as a case, and the rows that it is about."""
        plan, difference = renamed(played.plan, NAMES), _difference(played)
        walk = self._walk_of(())
        walk.do_all(plan)
        # A step with which nothing is expected can only be left by dying: who looks behind it sees that, too.
        walk.probe()
        at = difference.step - 1
        end = next(number for number, step in enumerate(walk.steps[at:], at) if step.expect)
        carriers = blamed((*walk.carriers[at], *walk.carriers[end]), difference.got, timed=bool(passing(plan)))
        title = f"found by exploring: {step_in_words(walk.steps[at])}"
        case = walk.case(id, title, broken(carriers, difference.got))
        return structs.replace(case, steps=case.steps[: end + 1]), tuple(carrier.name for carrier in carriers)


def _difference(played: Played) -> Difference:
    assert played.difference is not None
    return played.difference


def _sentence(played: Played) -> str:
    difference = _difference(played)
    return f"step {difference.step}, {difference.expected}; it was {difference.got}"


def _text(case: Case, verdict: Verdict, rows: tuple[str, ...], toml: str) -> Iterator[str]:
    at = verdict.step or len(case.steps)
    yield "The implementation does not do what the tables say."
    yield f"  step      {at}: {step_in_words(case.steps[at - 1])}"
    yield f"  got       {verdict.got}"
    yield f"  rows      {', '.join(rows)}"
    for number, sentence in enumerate(sentences(case.rules)):
        yield f"  {'' if number else 'rules':<9} {sentence}"
    yield "  log       seconds of real time, who, what"
    yield from (f"    {said(entry)}" for entry in verdict.log)
    yield "As a case, for spec/v1/cases.toml:"
    yield ""
    yield toml
