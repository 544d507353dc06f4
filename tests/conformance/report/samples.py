"""Runs as a kit would leave them: every outcome, several implementations, and one whose every text is hostile."""

from collections.abc import Sequence
from typing import Any

from msgspec import structs
from tunnel_conformance.records import Entry, Footer, Header, Outcome, Run, Verdict
from tunnel_conformance.report.marks import totals
from tunnel_conformance.spec import DIGEST, cases, is_binding

from tunnel.spec.model import Role

HOSTILE = "<script>alert(1)</script>\"'&[bold]\x1b[2J\x00\u202egnp.exe\u200b\r\n"
"""What an implementation may write: markup of every kind, controls, and a right-to-left override."""

CHALLENGE = '{"t":"challenge","nonce":"-p2c7UqXxkz3OTVxPYl9s1rQ1yG8pcbA4IuP4bsxq5k"}'
ADMITTED = '{"t":"auth_ok","goal":"pair on checkout","peerName":"alice","backlog":[{"id":"00112233aabbccdd","seq":1,"from":"system","kind":"system","body":"tunnel opened","ts":1700000000000}]}'

LOG = (
    Entry(at=0.0, who="subject", what="did", text='tunnel_open {"goal":"pair on checkout"}'),
    Entry(at=0.03, who="subject", what="answered", text='{"joinLink":"(redacted)","expiresInSeconds":600}'),
    Entry(at=0.04, who="A", what="opened", text="ws://127.0.0.1:40519/t/(redacted)"),
    Entry(at=0.05, who="A", what="received", text=CHALLENGE),
    Entry(at=0.05, who="A", what="sent", text='{"t":"auth","response":"(redacted)","name":"Bob","sinceSeq":0}'),
    Entry(at=0.06, who="A", what="received", text=ADMITTED),
    Entry(at=0.06, who="kit", what="time", text="45 s of protocol time"),
    Entry(at=1.57, who="B", what="opened", text="ws://127.0.0.1:40519/t/(redacted)"),
    Entry(at=1.58, who="B", what="received", text=CHALLENGE),
    Entry(at=1.59, who="B", what="sent", text='{"t":"auth","response":"(redacted)","name":"Eve","sinceSeq":0}'),
    Entry(
        at=1.60,
        who="B",
        what="received",
        text='{"t":"auth_ok","goal":"pair on checkout","peerName":"alice","backlog":[]}',
    ),
    Entry(at=1.61, who="A", what="closed", text="by the implementation, code 1000, 'tunnel closed'"),
    Entry(at=1.62, who="kit", what="did", text="ended the process"),
)


def header(subject: str = "ours", **changed: Any) -> Header:
    made = Header(
        kit="0.1.0",
        wire=1,
        spec=DIGEST,
        subject=subject,
        role="host",
        control="mcp",
        time="faketime",
        started="2026-01-02T03:04:05Z",
        platform="Linux 6.1 x86_64, CPython 3.11.9",
    )
    return structs.replace(made, **changed)


def verdict(case: str = "wire-normal", outcome: Outcome = Outcome.PASS, **changed: Any) -> Verdict:
    """A verdict on a case; of one that the spec has, its title, role and rules."""
    known = next((c for role in (Role.HOST, Role.GUEST) for c in cases(role) if c.id == case), None)
    made = Verdict(
        case=case,
        title=known.title if known else f"the case {case}",
        role="guest" if known and known.judges is Role.GUEST else "host",
        rules=known.rules if known else ("LOCK-1",),
        binding=is_binding(known) if known else True,
        outcome=outcome,
        seconds=0.4,
        log=LOG,
    )
    return structs.replace(made, **changed)


def run(*verdicts: Verdict, exit_status: int = 0, **changed: Any) -> Run:
    return Run(
        header=header(**changed),
        verdicts=verdicts,
        footer=Footer(totals=totals(verdicts), seconds=12.5, exit_status=exit_status),
    )


FAILED = {
    "step": 2,
    "expected": "refused (reason: tunnel full)",
    "got": "admitted",
    "note": "stderr:\nsecond guest let in",
}

ODD = (Outcome.FAIL, Outcome.NON_STRICT, Outcome.NOT_TESTABLE, Outcome.ERROR, Outcome.NOT_APPLICABLE)


def whole(subject: str, role: Role, wrong: Sequence[str] = (), odd: bool = False) -> Run:
    """Every case of a role: all pass, but those that are named; or every outcome in turn."""
    verdicts: list[Verdict] = []
    for number, case in enumerate(cases(role)):
        outcome = Outcome.FAIL if case.id in wrong else Outcome.PASS
        if odd and number % 4 == 1:
            outcome = ODD[number // 4 % len(ODD)]
        verdicts.append(verdict(case.id, outcome, **(FAILED if outcome is not Outcome.PASS else {})))
    return run(*verdicts, subject=subject, role=role.value)


def every_outcome() -> Run:
    """One case of the host for each outcome."""
    return run(*(verdict(case.id, outcome) for case, outcome in zip(cases(Role.HOST), Outcome, strict=False)))


def hostile() -> Run:
    """Every text that an implementation, or whoever wrote the file, can put somewhere."""
    entries = tuple(Entry(at=0.1, who=HOSTILE, what=what, text=HOSTILE * 40) for what in ("sent", "received", "closed"))
    spoilt = verdict(
        f"../../{HOSTILE}",
        Outcome.FAIL,
        title=HOSTILE,
        rules=(HOSTILE, "LOCK-1"),
        step=99,
        expected=HOSTILE,
        got=HOSTILE,
        note=HOSTILE * 50,
        log=(*entries, Entry(at=0.2, who="kit", what="time", text=HOSTILE)),
    )
    return run(spoilt, subject=f"../{HOSTILE}", started=HOSTILE, platform=HOSTILE, kit=HOSTILE, spec=HOSTILE)


def everybody() -> list[Run]:
    """Implementations as a large report has them."""
    return [
        whole("ours", Role.HOST),
        whole("ours", Role.GUEST),
        whole("node-example", Role.HOST, wrong=["size-slow-reader"]),
        whole("node-example", Role.GUEST, odd=True),
        whole("reuses-the-link", Role.HOST, wrong=["lock-after-leave", "lock-second-guest"]),
        whole("never-expires", Role.HOST, odd=True),
        whole("static-challenge", Role.HOST, wrong=["auth-fresh-challenge"]),
        hostile(),
    ]
