"""The clock is compared with that of a server, and a minute is tolerated."""

from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.app.doctor.machines import API, NOW, knows, machine, the
from tests.io.asynchronous import asynchronous
from tests.io.dialling import answering, says
from tests.standins.certificates import Authority
from tests.standins.programs import free_port
from tunnel.app.doctor.clock import TOLERATED_SECONDS, clock
from tunnel.app.doctor.findings import Finding, Verdict


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def answer(date: str) -> bytes:
    return f"HTTP/1.1 400 Bad Request\r\nServer: x\r\nDATE: {date}\r\n\r\n".encode()


def at_seconds(seconds: float) -> bytes:
    return answer(format_datetime(datetime.fromtimestamp(seconds, UTC), usegmt=True))


async def told(said: bytes, authority: Authority) -> list[Finding]:
    variables = {"TUNNEL_CA_FILE": str(authority.file)}
    async with answering(says(said), authority.issue(API).server()) as port:
        return await clock(machine(authority.file.parent, variables=variables, api_port=port))


@pytest.mark.parametrize(
    ("seconds", "verdict", "found"),
    [
        (0, Verdict.OK, "it is right to within 1 s"),
        (TOLERATED_SECONDS, Verdict.OK, "it is right to within 60 s"),
        (-TOLERATED_SECONDS, Verdict.OK, "it is right to within 60 s"),
        (61, Verdict.PROBLEM, "it is 61 s behind"),
        (-61, Verdict.PROBLEM, "it is 61 s ahead"),
        (600, Verdict.PROBLEM, "it is 10 minutes behind"),
        (-7200, Verdict.PROBLEM, "it is 2 hours ahead"),
        (86_400 * 400, Verdict.PROBLEM, "it is 400 days behind"),
    ],
)
@asynchronous
async def test_how_far_it_is_off_decides(seconds: float, verdict: Verdict, found: str, authority: Authority) -> None:
    assert the(verdict, await told(at_seconds(NOW + seconds), authority)).found == found


@asynchronous
async def test_a_date_without_a_zone_is_in_utc(authority: Authority) -> None:
    date = format_datetime(datetime.fromtimestamp(NOW, UTC)).replace("+0000", "-0000")

    the(Verdict.OK, await told(answer(date), authority))


@pytest.mark.parametrize("date", ["", "yesterday", "Tue, 99 Nov 1994 08:12:31 GMT", "x" * 10_000])
@asynchronous
async def test_who_tells_no_time_is_nobody(date: str, authority: Authority) -> None:
    assert "without a date" in the(Verdict.NOTE, await told(answer(date), authority)).found


@asynchronous
async def test_nobody_to_ask_is_worth_a_note(tmp_path: Path) -> None:
    said = the(Verdict.NOTE, await clock(machine(tmp_path, api_port=free_port())))

    assert said.found == f"nobody could be asked for the time ({API} refused the connection)"
    assert "`date -u`" in said.todo


@asynchronous
async def test_resolvers_are_asked_first(authority: Authority) -> None:
    async with answering(says(at_seconds(NOW)), authority.issue("doh.example.net").server()) as port:
        variables = {"TUNNEL_CA_FILE": str(authority.file), "TUNNEL_DOH": f"https://doh.example.net:{port}/q"}
        names = knows({"doh.example.net": "127.0.0.1"})

        the(Verdict.OK, await clock(machine(authority.file.parent, variables=variables, lookup=names)))


@asynchronous
async def test_a_good_certificate_that_is_not_valid_here_is_the_clocks_fault(authority: Authority) -> None:
    issued = authority.issue(
        API, not_before=datetime(2094, 1, 1, tzinfo=UTC), not_after=datetime(2095, 1, 1, tzinfo=UTC)
    )
    async with answering(says(at_seconds(NOW)), issued.server()) as port:
        at = machine(authority.file.parent, variables={"TUNNEL_CA_FILE": str(authority.file)}, api_port=port)

        assert "Set the clock" in the(Verdict.PROBLEM, await clock(at)).todo
