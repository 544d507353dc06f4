"""The server process: it starts whatever its surroundings are, and ends at once, telling its peer, in every state."""

import asyncio
import json
import os
import stat
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.app.ends import KEY, a_deaf_port, end, is_free, join, open_, port_of, texts, until
from tests.app.processes import EXIT_SECONDS, PATIENCE_SECONDS, Server, a_server, gone, is_banner
from tunnel import crypto
from tunnel.app.identity import system_user
from tunnel.app.serve import _shown
from tunnel.app.watch.window import Window

pytestmark = pytest.mark.anyio

WAYS = ["SIGTERM", "SIGINT", "SIGHUP", "EOF"]
TWO_WAYS = ["SIGTERM", "EOF"]
"""Where it is the state that matters: all signals are heard by the same function."""

SECRET = crypto.encode_base64url(KEY)
FOREVER_MS = 60_000


async def ended_well(server: Server, how: str) -> None:
    """Ask it to end; it does so in time, with status 0, and without a word on standard error."""
    server.stop(how)
    code, took = await server.exit_code()

    assert code == 0
    assert took < EXIT_SECONDS
    assert is_banner(server.log), server.log


# --- The end, in every state ---------------------------------------------------------------------------------------------


async def test_a_server_that_nobody_has_spoken_to_ends() -> None:
    async with a_server() as server:
        await server.awake()

        await ended_well(server, "SIGTERM")


async def test_a_server_whose_input_ends_before_anybody_has_spoken_ends_once_it_has_started() -> None:
    async with a_server() as server:
        await server.awake()
        server.stop("EOF")
        # Until it reads it has most of itself to import, and how long that takes is nobody's promise.
        code, _ = await server.exit_code()

    assert code == 0
    assert is_banner(server.log), server.log


@pytest.mark.parametrize("how", WAYS)
async def test_an_idle_server_ends(how: str) -> None:
    async with a_server() as server:
        await server.shake_hands()

        await ended_well(server, how)


@pytest.mark.parametrize("how", TWO_WAYS)
async def test_a_server_with_an_open_tunnel_ends_and_gives_its_port_back(how: str) -> None:
    async with a_server() as server:
        await server.shake_hands()
        link = (await server.call("tunnel_open", goal="pair"))["joinLink"]
        assert not is_free(port_of(link))

        await ended_well(server, how)

        assert is_free(port_of(link))


@pytest.mark.parametrize("how", WAYS)
async def test_a_hosts_end_is_told_to_its_guest_while_a_listen_waits(how: str) -> None:
    bob = end("Bob")
    async with a_server() as server:
        await server.shake_hands()
        await join(bob, (await server.call("tunnel_open", goal="pair"))["joinLink"])
        await server.call("tunnel_listen", sinceSeq=1)
        await server.begin_call("tunnel_listen", sinceSeq=2, timeoutMs=FOREVER_MS)

        await ended_well(server, how)
        told = await until(bob, "closed")

        assert told.closed_because == "process_exit"
        assert (await texts(bob))[-1] == "closed — process exit"


@pytest.mark.parametrize("how", TWO_WAYS)
async def test_a_guests_end_is_told_to_its_host_while_a_listen_waits(how: str) -> None:
    alice = end("Alice")
    async with a_server() as server:
        await server.shake_hands()
        await server.call("tunnel_join", joinLink=await open_(alice))
        await server.begin_call("tunnel_listen", sinceSeq=2, timeoutMs=FOREVER_MS)

        await ended_well(server, how)

        assert (await until(alice, "peer_left")).closed_because == "peer_left"
    await alice.exit()


@pytest.mark.parametrize("how", TWO_WAYS)
async def test_a_server_ends_in_the_middle_of_a_join(how: str) -> None:
    async with a_server() as server, a_deaf_port() as (port, notes):
        await server.shake_hands()
        await server.begin_call("tunnel_join", joinLink=f"ws://127.0.0.1:{port}/t/00ff#{SECRET}")
        await notes.get()

        await ended_well(server, how)

        assert await notes.get() == "gone"


async def test_the_peer_is_told_even_if_the_client_does_not_read_its_answers() -> None:
    bob = end("Bob")
    async with a_server() as server:
        await server.shake_hands()
        await join(bob, (await server.call("tunnel_open", goal="pair"))["joinLink"])
        await server.call("tunnel_say", text="x" * 99_000)
        for _ in range(40):
            await server.begin_call("tunnel_listen", sinceSeq=2, timeoutMs=0)

        server.stop("SIGTERM")
        told = await until(bob, "closed")
        code, took = await server.exit_code()

    assert told.closed_because == "process_exit"
    assert code == 0
    assert took < EXIT_SECONDS


async def test_many_signals_end_it_no_worse_than_one() -> None:
    bob = end("Bob")
    async with a_server() as server:
        await server.shake_hands()
        await join(bob, (await server.call("tunnel_open", goal="pair"))["joinLink"])
        for how in ("SIGTERM", "SIGINT"):
            server.stop(how)

        await ended_well(server, "SIGHUP")
        assert (await until(bob, "closed")).closed_because == "process_exit"


def test_a_name_lookup_that_hangs_does_not_hold_up_the_end() -> None:
    program = (
        "import asyncio, time\n"
        "from tunnel.app.serve import run\n"
        "async def life():\n"
        "    asyncio.get_running_loop().run_in_executor(None, time.sleep, 30)\n"
        "    await asyncio.sleep(0.1)\n"
        "run(life)\n"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=15, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


# --- Its surroundings ----------------------------------------------------------------------------------------------------


async def test_a_transport_that_does_not_exist_is_told_by_open_and_not_before() -> None:
    async with a_server(TUNNEL_TRANSPORT=os.fsdecode(b"\xff") + "\u202eloop\nback\x1b[2J") as server:
        await server.shake_hands()
        words = await server.fail("tunnel_open", goal="pair")
        state = (await server.call("tunnel_status"))["state"]

        await ended_well(server, "EOF")

    assert "loopback" in words
    assert words.isprintable()
    assert len(words) < 400
    assert state == "none"


async def test_what_is_wrong_with_the_environment_is_said_at_the_start_and_by_open_and_a_join_goes_on() -> None:
    alice = end("Alice")
    async with a_server(TUNNEL_TRANSPORT="x" * 100_000, TUNNEL_PORT="\x1b[2J") as server:
        await server.shake_hands()
        words = await server.fail("tunnel_open", goal="pair")
        state = (await server.call("tunnel_join", joinLink=await open_(alice)))["state"]
        server.stop("EOF")
        code, _ = await server.exit_code()
    await alice.exit()

    said = server.log.decode().splitlines()[1:]
    assert said[0] == ("tunnel-mcp: TUNNEL_TRANSPORT has 100000 characters; at most 4096 are allowed. It is left out.")
    assert said[1].startswith("tunnel-mcp: TUNNEL_PORT is ")
    assert len(said) == 2
    assert all(line.removeprefix("tunnel-mcp: ") in words and line.isprintable() for line in said)
    assert words.endswith("Mend the environment of this server and restart it; until then only joining works.")
    assert (state, code) == ("connected", 0)


async def test_a_misspelt_variable_is_said_at_the_start_and_an_open_goes_on() -> None:
    async with a_server(TUNNEL_BUDGETT="3") as server:
        await server.shake_hands()
        state = (await server.call("tunnel_open", goal="pair"))["state"]
        server.stop("EOF")
        await server.exit_code()

    assert "tunnel-mcp: TUNNEL_BUDGETT is no variable of this program" in server.log.decode()
    assert state == "waiting_for_guest"


async def test_a_git_that_hangs_costs_two_seconds_and_a_signal_does_not_wait_for_it(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    git = tmp_path / "git"
    git.write_text(f"#!/bin/sh\nsleep 60 &\necho $$ $! > {pids}\nsleep 60\n")
    git.chmod(0o755)
    async with a_server(PATH=f"{tmp_path}:{os.environ['PATH']}") as server:
        async with asyncio.timeout(20):
            while not (pids.exists() and pids.read_text().endswith("\n")):
                await asyncio.sleep(0.01)

        await ended_well(server, "SIGTERM")

    for pid in pids.read_text().split():
        await gone(int(pid))


async def test_a_git_without_a_name_leaves_the_systems(tmp_path: Path) -> None:
    git = tmp_path / "git"
    git.write_text("#!/bin/sh\nexit 1\n")
    git.chmod(0o755)
    alice = end("Alice")
    async with a_server(PATH=f"{tmp_path}:{os.environ['PATH']}") as server:
        await server.shake_hands()
        await server.call("tunnel_join", joinLink=await open_(alice))
        heard = await texts(alice, 1)
        await ended_well(server, "EOF")
    await alice.exit()

    assert heard[0] == f"{system_user() or 'anonymous'} joined"


async def test_a_name_in_the_environment_is_the_one_that_the_other_side_sees() -> None:
    """NAME-1."""
    alice = end("Alice")
    async with a_server(TUNNEL_NAME="A. N. Other") as server:
        await server.shake_hands()
        await server.call("tunnel_join", joinLink=await open_(alice))
        heard = await texts(alice, 1)
        await ended_well(server, "EOF")
    await alice.exit()

    assert heard[0] == "A. N. Other joined"


async def test_a_window_that_cannot_be_costs_a_line_and_no_tunnel() -> None:
    alice = end("Alice")
    window = Window(alice)
    await window.close()
    said = await _shown(window)
    await alice.exit()

    assert said == "tunnel-mcp: there is no window: the server ends. The tunnel works without."


# --- The log -------------------------------------------------------------------------------------------------------------

SAID = "the staging port is 8443"


def logs(home: Path) -> list[Path]:
    return sorted((home / ".tunnel" / "sessions").glob("*"))


@asynccontextmanager
async def a_logging_host(home: Path) -> AsyncGenerator[tuple[Server, Path, str]]:
    """A server that has opened a tunnel and said something; its log, and the key of its link."""
    async with a_server(HOME=str(home), TUNNEL_SESSION_LOG="1") as server:
        await server.shake_hands()
        opened = await server.call("tunnel_open", goal="pair")
        await server.call("tunnel_say", text=SAID)
        log = home / ".tunnel" / "sessions" / f"{opened['tunnelId']}.jsonl"
        async with asyncio.timeout(PATIENCE_SECONDS):
            while log.read_bytes().count(b"\n") < 2:
                await asyncio.sleep(0.01)
        yield server, log, opened["joinLink"].partition("#")[2]


async def test_a_log_that_is_wanted_holds_what_was_on_the_wire_and_only_its_person_can_read_it(tmp_path: Path) -> None:
    async with a_logging_host(tmp_path) as (server, log, key):
        written, allowed = log.read_text(), stat.S_IMODE(log.stat().st_mode)
        await ended_well(server, "EOF")

    messages = [json.loads(line) for line in written.splitlines()]
    assert allowed == 0o600
    assert [(message["seq"], message["kind"]) for message in messages] == [(1, "system"), (2, "chat")]
    assert messages[0]["body"] == "tunnel opened — goal: pair"
    assert crypto.open_body(crypto.decode_base64url(key), messages[1]["body"]) == SAID
    assert SAID not in written
    assert key not in written


@pytest.mark.parametrize("how", [*WAYS, "close"])
async def test_a_log_goes_with_its_session_however_that_ends(tmp_path: Path, how: str) -> None:
    """CLOSE-2."""
    async with a_logging_host(tmp_path) as (server, log, _):
        assert log.exists()
        if how == "close":
            await server.call("tunnel_close")
            assert logs(tmp_path) == []
        await ended_well(server, "EOF" if how == "close" else how)

    assert logs(tmp_path) == []


async def test_a_guests_log_goes_with_its_process(tmp_path: Path) -> None:
    alice = end("Alice")
    async with a_server(HOME=str(tmp_path), TUNNEL_SESSION_LOG="1") as server:
        await server.shake_hands()
        await server.call("tunnel_join", joinLink=await open_(alice))
        kept = logs(tmp_path)
        await ended_well(server, "SIGTERM")
    await alice.exit()

    assert len(kept) == 1
    assert logs(tmp_path) == []


async def test_what_a_killed_server_leaves_is_swept_by_the_next_and_the_log_of_a_living_one_is_kept(
    tmp_path: Path,
) -> None:
    async with a_logging_host(tmp_path) as (living, alive, _):
        async with a_logging_host(tmp_path) as (killed, dead, _):
            killed.stop("SIGKILL")
            await killed.exit_code()
        left = logs(tmp_path)
        # The log itself need not be wanted any more.
        async with a_server(HOME=str(tmp_path)) as next_one:
            await next_one.shake_hands()
            await next_one.call("tunnel_status")
            kept = logs(tmp_path)
            await ended_well(next_one, "EOF")
        await ended_well(living, "EOF")

    assert left == sorted([alive, dead])
    assert kept == [alive]
    assert logs(tmp_path) == []


async def test_a_home_that_takes_no_log_costs_a_line_and_no_tunnel() -> None:
    async with a_server(HOME="/dev/null", TUNNEL_SESSION_LOG="1") as server:
        await server.shake_hands()
        state = (await server.call("tunnel_open", goal="pair"))["state"]
        server.stop("EOF")
        code, _ = await server.exit_code()

    assert (state, code) == ("waiting_for_guest", 0)
    (said,) = server.log.decode().splitlines()[1:]
    assert said == (
        "tunnel-mcp: no log of this session is kept (Not a directory). The tunnel works without. "
        "Mend ~/.tunnel/sessions, or unset TUNNEL_SESSION_LOG."
    )


# --- Lines that SDKs stumble over ------------------------------------------------------------------------------------------


async def test_a_request_line_that_cannot_be_taken_is_answered_and_the_next_one_served() -> None:
    lines = {
        "half a surrogate pair": b'{"goal":"\\ud800"}',
        "deep nesting": b'{"goal":' + b"[" * 5000 + b"]" * 5000 + b"}",
        "no UTF-8": b'{"goal":"\xff"}',
    }
    async with a_server() as server:
        await server.shake_hands()
        for what, arguments in lines.items():
            request = (
                b'{"jsonrpc":"2.0","id":"%s","method":"tools/call","params":{"name":"tunnel_open","arguments":%s}}'
            )
            await server.send(request % (what.encode(), arguments))
            assert "message" in (await server.answer_to(what))["error"]
        state = (await server.call("tunnel_status"))["state"]
        await ended_well(server, "EOF")

    assert state == "none"


async def test_neither_a_misspelt_argument_nor_anything_else_makes_an_answer_repeat_the_link() -> None:
    link = f"ws://127.0.0.1:1/t/00ff#{SECRET}"
    async with a_server() as server:
        await server.shake_hands()
        answers = [
            await server.ask("tools/call", name="tunnel_join", arguments=arguments)
            for arguments in (
                {"joinlink": link},
                {"joinLink": link, link: link},
                {"joinLink": [link]},
                {"joinLink": link + ".token"},
                {"joinLink": link},
                {},
            )
        ]
        answers.append(await server.ask("tools/call", name=link, arguments={}))
        answers.append(await server.ask("tools/call", name="tunnel_join", arguments=[link]))
        answers.append(await server.ask("tools/call", name=[link]))
        await ended_well(server, "EOF")

    assert all("error" in answer or answer["result"]["isError"] for answer in answers)
    assert SECRET not in json.dumps(answers)
    assert SECRET.encode() not in server.log


async def test_a_client_that_cannot_be_asked_is_never_asked() -> None:
    bob = end("Bob")
    async with a_server() as server:
        await server.shake_hands()
        await join(bob, (await server.call("tunnel_open", goal="pair"))["joinLink"])
        await server.call("tunnel_say", text="hi")
        await server.call("tunnel_listen")
        await server.call("tunnel_close", summary="done")
        await server.fail("tunnel_join", joinLink="x")
        # Every line that the server writes is looked at there.
        await ended_well(server, "EOF")
    await bob.exit()

    assert server.answers == []


async def test_a_cancelled_listen_is_not_answered_and_the_server_lives_on() -> None:
    async with a_server() as server:
        await server.shake_hands()
        await server.call("tunnel_open", goal="pair")
        given_up = await server.begin_call("tunnel_listen", sinceSeq=1, timeoutMs=FOREVER_MS)
        cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": given_up}}
        await server.send(json.dumps(cancel).encode())
        state = (await server.call("tunnel_status"))["state"]
        await ended_well(server, "EOF")

    assert state == "waiting_for_guest"
    assert [answer for answer in server.answers if "result" in answer and answer["id"] == given_up] == []
