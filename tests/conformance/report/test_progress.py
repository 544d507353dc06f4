"""A run that takes long shows that it is alive: as a bar at a terminal, as lines elsewhere."""

from io import StringIO

from rich.console import Console
from tunnel_conformance.records import Outcome
from tunnel_conformance.report.progress import Watch

from tests.conformance.report.samples import HOSTILE, verdict


def test_without_a_terminal_each_verdict_is_a_line() -> None:
    out = StringIO()
    with Watch(Console(file=out)) as watch:
        watched = watch.run("ours", "host", 2)
        watched.told(verdict())
        watched.told(verdict("lock-race", Outcome.FAIL))

    assert out.getvalue() == (
        "ours as host: 1/2 pass: wire-normal (0.4 s)\nours as host: 2/2 fail: lock-race (0.4 s)\n"
    )


def test_at_a_terminal_a_bar_counts_and_is_gone_at_the_end() -> None:
    out = StringIO()
    console = Console(file=out, force_terminal=True, width=120)
    with Watch(console) as watch:
        watched = watch.run("ours", "host", 3)
        watched.told(verdict())
        watched.told(verdict("lock-race", Outcome.FAIL))

    assert "2/3" in out.getvalue()
    assert "P 1  F 1" in out.getvalue()
    assert out.getvalue().rstrip("\n").endswith("\x1b[2K")


def test_what_people_should_know_is_said_without_what_hides() -> None:
    out = StringIO()
    with Watch(Console(file=out)) as watch:
        watch.run(HOSTILE, "host", 1).say(f"its clock stands still {HOSTILE}")

    assert "its clock stands still <script>" in out.getvalue()
    assert "\x1b" not in out.getvalue()
