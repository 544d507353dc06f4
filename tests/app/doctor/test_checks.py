"""All looks are taken, at once, and none of them can hang, hide another, or write on a terminal as it likes."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.app.doctor.machines import machine
from tests.io.asynchronous import asynchronous, skipping
from tests.standins.programs import free_port
from tunnel.app.doctor.checks import CHECK_SECONDS, CHECKS, TITLES, Check, examine
from tunnel.app.doctor.findings import Finding, Row, Verdict, note, ok, problem
from tunnel.app.doctor.surroundings import Surroundings

Look = Callable[[Surroundings], Awaitable[list[Finding]]]


def finds(*findings: Finding) -> Look:
    async def look(_at: Surroundings) -> list[Finding]:
        return list(findings)

    return look


async def hangs(_at: Surroundings) -> list[Finding]:
    await asyncio.Event().wait()
    return []


async def fails(_at: Surroundings) -> list[Finding]:
    raise KeyError("a secret")


async def looked(home: Path, *checks: Check, transport: str = "") -> list[Row]:
    return await examine(machine(home, variables={"TUNNEL_TRANSPORT": transport}), checks=checks)


@asynchronous
async def test_every_finding_has_its_row_in_the_order_of_the_table(tmp_path: Path) -> None:
    rows = await looked(tmp_path, Check("a", "A", finds(ok("1"), note("2", "3"))), Check("b", "B", finds(problem("4"))))

    assert [(row.check, row.verdict.value, row.found, row.todo) for row in rows] == [
        ("a", "ok", "1", ""),
        ("a", "note", "2", "3"),
        ("b", "problem", "4", ""),
    ]


@skipping
async def test_looks_that_hang_are_given_up_together(tmp_path: Path) -> None:
    began = asyncio.get_running_loop().time()
    done: list[str] = []
    checks = [Check(name, name, look) for name, look in (("a", hangs), ("b", finds(ok("1"))), ("c", hangs))]
    rows = await examine(machine(tmp_path), done.append, checks)

    assert asyncio.get_running_loop().time() - began == CHECK_SECONDS
    assert [row.verdict.value for row in rows] == ["problem", "ok", "problem"]
    assert rows[0].found == "it was not known after 15 s"
    assert sorted(done) == ["a", "b", "c"]
    assert done[0] == "b"


@asynchronous
async def test_a_look_that_fails_is_told_without_values(tmp_path: Path) -> None:
    (row,) = await looked(tmp_path, Check("a", "A", fails))

    assert (row.verdict, row.found) == (Verdict.PROBLEM, "this look failed by itself (KeyError)")


@pytest.mark.parametrize("transport", ["", "cloudflared"])
@asynchronous
async def test_what_only_cloudflared_needs_is_looked_at_with_it(transport: str, tmp_path: Path) -> None:
    (row,) = await looked(tmp_path, Check("a", "A", finds(problem("broken", "Mend it.")), True), transport=transport)

    assert (row.verdict, row.todo) == (Verdict.PROBLEM, "Mend it.")


@asynchronous
async def test_with_another_transport_it_is_one_short_note_and_nothing_is_waited_for(tmp_path: Path) -> None:
    done: list[str] = []
    checks = [Check("a", "A", hangs, True), Check("b", "B", finds(problem("1"))), Check("c", "C", hangs, True)]
    rows = await examine(machine(tmp_path, variables={"TUNNEL_TRANSPORT": "direct"}), done.append, checks)

    assert [(row.check, row.verdict.value, row.found) for row in rows] == [
        ("b", "problem", "1"),
        ("a", "note", "not looked at, as another transport is chosen: A, C"),
    ]
    assert done == ["a", "c", "b"]


@asynchronous
async def test_what_was_found_can_be_shown(tmp_path: Path) -> None:
    (row,) = await looked(tmp_path, Check("a", "A", finds(note("\x1b[2J\n" + "x" * 5000, "\u202e"))))

    assert (row.found + row.todo).isprintable()
    assert len(row.found) < 1100


@asynchronous
async def test_without_a_network_everything_is_looked_at_and_loopback_has_no_problem(tmp_path: Path) -> None:
    at = machine(tmp_path, variables={"TUNNEL_TRANSPORT": "loopback"}, api_port=free_port(), edge_port=free_port())
    rows = await examine(at)

    assert {row.check for row in rows} == set(TITLES) - {"dns", "doh", "https", "edge"}
    assert [row for row in rows if row.verdict is Verdict.PROBLEM] == []
    assert [
        row.check for row in await examine(machine(tmp_path, api_port=free_port())) if row.verdict is Verdict.PROBLEM
    ] == [
        "https",
        "edge",
    ]


def test_the_names_that_programs_read_are_these() -> None:
    assert [check.name for check in CHECKS] == [
        *(
            "python",
            "environment",
            "transport",
            "cloudflared",
            "proxy",
            "dns",
            "doh",
            "https",
            "edge",
            "clock",
            "skill",
            "clients",
        )
    ]
