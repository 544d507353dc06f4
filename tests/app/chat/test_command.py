"""Real chats, each in a process of its own: two people, a person and an agent, a script, and every way to the end."""

import asyncio
import os
import signal
from pathlib import Path

import psutil
import pytest

from tests.app.chat.chats import at_a_terminal, by_pipes
from tests.app.processes import COMMAND, PATIENCE_SECONDS, Server, a_server, environment

pytestmark = pytest.mark.anyio

HOST = ("--open", "pair on checkout", "--name", "Alice")
GUEST = ("--name", "Bob")
FOREVER_MS = 60_000


async def test_two_people_talk_and_the_host_closes_with_a_summary() -> None:
    async with at_a_terminal(*HOST) as alice, at_a_terminal(*GUEST) as bob:
        link = await alice.link()
        await alice.until("host | waiting for the guest | link valid ")
        await bob.until("Paste the join link")
        bob.type(f"{link}\r")
        await bob.until('The host is "Alice" (name not verified), and the goal, in its words: "pair on checkout"')
        await bob.until('guest | talking with "Alice" (name not verified) | 0 messages')
        await alice.until('talking with "Bob" (name not verified)')

        bob.type("Which port?\x1b\rAnd until when?\r")
        await alice.until('[3] "Bob" (name not verified):\n    Which port?\n    And until when?\n')
        bob.type("half a line")
        await bob.until("> half a line")
        alice.type("8443\r")
        await bob.until('[4] "Alice" (name not verified): 8443\n')
        await bob.until("> half a line")
        bob.type(", and the rest\r")
        await alice.until("half a line, and the rest\n")
        alice.type("/close 8443, until noon\r")

        assert (await alice.ended(), await bob.ended()) == (0, 0)
        await bob.until("closed — 8443, until noon")
        await bob.until("The tunnel is over: The host closed the tunnel.")
        await alice.until("You have closed the tunnel.")
        assert alice.is_cooked
        assert bob.is_cooked
        assert link not in bob.shown


async def first_chat(agent: Server) -> str:
    """What the agent hears first of its peer."""
    cursor = 0
    while True:
        heard = await agent.call("tunnel_listen", sinceSeq=cursor, timeoutMs=FOREVER_MS)
        for message in heard["messages"]:
            if message["kind"] == "chat":
                return message["text"]
        cursor = heard["cursor"]


async def test_a_person_talks_with_an_agent_as_host_and_as_guest() -> None:
    async with a_server(LOGNAME="agent") as agent:
        await agent.shake_hands()
        async with at_a_terminal(*HOST) as alice:
            await agent.call("tunnel_join", joinLink=await alice.link())
            alice.type("Which port?\r")
            await alice.until("[3] you: Which port?")
            heard = await agent.call("tunnel_listen", sinceSeq=2, timeoutMs=FOREVER_MS)
            await agent.call("tunnel_say", text="8443\nuntil noon")
            await alice.until("(name not verified):\n    8443\n    until noon\n")
            await agent.call("tunnel_close")
            status = await alice.ended()
            await alice.until("has left. A link is for one guest")

        link = (await agent.call("tunnel_open", goal="pair"))["joinLink"]
        async with by_pipes(*GUEST) as bob:
            bob.say(link, "From a script.")
            text = await first_chat(agent)
            left = await bob.ended()

    assert ([message["text"] for message in heard["messages"]], status) == (["Which port?"], 0)
    assert text == "From a script."
    assert left == (0, ["1 system: tunnel opened — goal: pair", "2 system: Bob joined", "3 you: From a script."])


async def test_what_a_script_says_to_nobody_yet_waits_for_its_guest() -> None:
    async with by_pipes(*HOST) as alice:
        link = await alice.link()
        alice.say("first\\", "still first", "second")
        alice.stdin.close()
        async with at_a_terminal(*GUEST) as bob:
            bob.type(f"{link}\r")
            await bob.until("first\n    still first\n")
            await bob.until("second\n")
            status = await bob.ended()
            await bob.until("The host closed the tunnel.")

        assert (await alice.ended())[0] == status == 0


async def test_two_scripts_lose_nothing() -> None:
    texts = [f"message {number} " + "x" * 500 for number in range(300)]
    async with by_pipes(*HOST) as alice, by_pipes(*GUEST) as bob:
        bob.say(await alice.link(), *texts)
        status, own = await bob.ended()
        other_status, heard = await alice.ended()

    assert (status, other_status) == (0, 0)
    assert own[2:] == [f"{number} you: {text}" for number, text in enumerate(texts, 3)]
    assert heard[2:-1] == [f"{number} peer: {text}" for number, text in enumerate(texts, 3)]
    assert heard[-1].endswith("system: Bob left")


async def test_what_a_script_could_not_say_is_a_failure_and_the_rest_is_said() -> None:
    async with by_pipes(*HOST) as alice, by_pipes(*GUEST) as bob:
        bob.say(await alice.link(), "before", "/colse", "x" * 300_000)
        bob.stdin.write(b"\xff\n")
        bob.say("", "after\r")
        status, own = await bob.ended()

    assert (status, own[2:]) == (1, ["3 you: before", "4 you: after"])
    assert "Not sent: there is no command /colse. Did you mean /close?" in bob.errors
    assert "Not sent: text_too_long: " in bob.errors
    assert "Not sent: the text holds half of a surrogate pair" in bob.errors


async def test_hostile_text_moves_no_cursor_and_forges_no_line() -> None:
    evil = "\x1b[2J\x1b]0;title\x07\u202e\u200b[9] you: I agree"
    async with (
        at_a_terminal("--open", "pair\x1b[2J", columns=40) as alice,
        by_pipes("--name", "E\x1b[31mve\nyou") as eve,
    ):
        eve.say(await alice.link(), evil, "good\\", "[9] you: I agree", "x" * 200, "done")
        await alice.until("    done\n")
        status, own = await eve.ended()
        await alice.ended()

    assert (status, own[2]) == (0, "3 you: \\u001b[2J\\u001b]0;title\\u0007\\u202e\\u200b[9] you: I agree")
    assert b"\x1b[2J" not in alice.raw
    assert b"\x1b]0" not in alice.raw
    assert b"\x1b[31m" not in alice.raw
    assert not {"\u202e", "\u200b", "\x07"} & set(alice.shown)
    assert "\n[9]" not in alice.shown


@pytest.mark.parametrize(("keys", "words"), [("\x04", "closed"), ("\x03\x03", "closed"), ("/leave\r", "closed")])
async def test_a_host_ends_it_with_keys(keys: str, words: str) -> None:
    async with at_a_terminal(*HOST) as alice:
        await alice.until("0 messages")
        alice.type(keys)

        assert await alice.ended() == 0
        await alice.until(f"You have {words} the tunnel.")
        assert alice.is_cooked


async def test_one_ctrl_c_asks_and_any_other_key_goes_on() -> None:
    async with at_a_terminal(*HOST) as alice:
        await alice.until("0 messages")
        alice.type("\x03")
        await alice.until("Press Ctrl-C again to end the tunnel")
        alice.type("x")
        await alice.until("0 messages")
        alice.type("\x03")
        await alice.until("Press Ctrl-C again to end the tunnel")
        alice.type("\x03")

        assert await alice.ended() == 0
        await alice.until("Not sent:\nx")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
@pytest.mark.parametrize("is_piped", [True, False])
async def test_a_signal_ends_it_and_the_peer_is_told(name: str, is_piped: bool) -> None:
    async with a_server() as agent, (by_pipes if is_piped else at_a_terminal)(*HOST) as alice:
        await agent.shake_hands()
        await agent.call("tunnel_join", joinLink=await alice.link())
        alice.process.send_signal(signal.Signals[name])
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (now := await agent.call("tunnel_status"))["state"] != "closed":
                await agent.call("tunnel_listen", sinceSeq=now["lastSeq"], timeoutMs=100)
        ended = await alice.ended()

    assert now["closedBecause"] == "process_exit"
    assert (ended if isinstance(ended, int) else ended[0]) == 0


async def test_a_terminal_that_goes_away_ends_it_and_the_peer_is_told() -> None:
    async with a_server() as agent, at_a_terminal(*HOST) as alice:
        await agent.shake_hands()
        await agent.call("tunnel_join", joinLink=await alice.link())
        await alice.until("talking with")
        alice.hang_up()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await alice.process.wait()
            while (now := await agent.call("tunnel_status"))["state"] != "closed":
                await agent.call("tunnel_listen", sinceSeq=now["lastSeq"], timeoutMs=100)

    assert now["closedBecause"] in ("process_exit", "closed_by_host")


async def test_a_terminal_may_change_its_size() -> None:
    async with at_a_terminal(*HOST) as alice:
        await alice.until("0 messages")
        for columns, rows in ((20, 5), (3, 2), (200, 50)):
            alice.resize(columns, rows)
            alice.process.send_signal(signal.SIGWINCH)
        await alice.until("idle end in")
        alice.type("x" * 300 + "\r")
        await alice.until("[2] you:\n    xxx")
        alice.type("\x04")

        assert await alice.ended() == 0


async def test_a_link_that_is_wrong_is_asked_for_again_and_never_shown() -> None:
    secret = "wss://example.org/t/00ff#KeyThatMustNotBeSeen"
    async with at_a_terminal() as bob:
        await bob.until("Paste the join link")
        bob.type(f"{secret}\r")
        await bob.until("The key behind the '#'")
        await bob.until("Paste the join link")
        bob.type("\x04")
        status = await bob.ended()

    assert status == 0
    assert "KeyThat" not in bob.shown
    assert "example.org" not in bob.shown


@pytest.mark.parametrize(
    ("arguments", "typed", "words"),
    [
        (("wss://example.org/t/00ff#KeyThatMustNotBeSeen",), "", "chat takes no argument, and never a join link"),
        (("--open", "wss://example.org/t/00ff#KeyThatMustNotBeSeen"), "", "a link is never an argument"),
        (("--open", 'Join: "wss://example.org/t/00ff#KeyThatMustNotBeSeen"'), "", "a link is never an argument"),
        (("--open", "example.org/t/00ff#KeyThatMustNotBeSeen"), "", "a link is never an argument"),
        (("--transport", " WSS://example.org/t/00ff#KeyThatMustNotBeSeen"), "", "a link is never an argument"),
        (("--name", "ws://example.org/t/00ff#KeyThatMustNotBeSeen"), "", "a link is never an argument"),
        ((), "wss://example.org/t/00ff#KeyThatMustNotBeSeen", "The key behind the '#'"),
        ((), "", "the first line of standard input must be one"),
        (("--open", "x" * 9000), "", "the goal has 9000 bytes"),
        (("--open", ""), "", "The goal behind --open is blank"),
        (("--open", " \t"), "", "The goal behind --open is blank"),
        (("--open", "pair", "--transport", "pigeon"), "", "There is no transport called 'pigeon'"),
    ],
)
async def test_what_cannot_be_says_why_and_repeats_no_link(arguments: tuple[str, ...], typed: str, words: str) -> None:
    async with by_pipes(*arguments) as script:
        if typed:
            script.say(typed)
        status, output = await script.ended()

    assert (status, output) == (2 if "takes no" in words else 1, [])
    assert words in script.errors
    assert "example.org" not in script.errors
    assert "KeyThat" not in script.errors


async def test_a_refused_guest_is_told_why() -> None:
    async with by_pipes(*HOST) as alice, by_pipes() as eve:
        link = await alice.link()
        eve.say(link.partition("#")[0] + "#" + "A" * 43)
        status, output = await eve.ended()

    assert (status, output) == (1, [])
    assert "tunnel-mcp: auth failed: bad key. " in eve.errors
    assert "A" * 43 not in eve.errors


async def test_the_link_is_in_no_argument_and_nothing_is_kept(tmp_path: Path) -> None:
    async with (
        at_a_terminal(*HOST, HOME=str(tmp_path)) as alice,
        at_a_terminal(*GUEST, HOME=str(tmp_path)) as bob,
    ):
        link = await alice.link()
        bob.type(f"{link}\r")
        await bob.until("talking with")
        bob.type("remember this\r")
        await alice.until("remember this")
        key = link.partition("#")[2]
        seen = [psutil.Process(person.process.pid) for person in (alice, bob)]
        said = [" ".join([*process.cmdline(), *process.environ().values()]) for process in seen]
        await bob.until("> remember this", keys="\x1b[A")
        bob.type("\x03\x03")
        await bob.ended()
        await alice.ended()

    assert not any(key in text for text in said)
    assert files(tmp_path) == []


def files(home: Path) -> list[Path]:
    return [found for found in home.rglob("*") if found.is_file()]


async def test_standard_output_that_nobody_reads_ends_it() -> None:
    async with by_pipes(*HOST) as alice:
        await alice.link()
        source, sink = os.pipe()
        os.close(source)
        script = await asyncio.create_subprocess_exec(
            *COMMAND,
            "chat",
            stdout=sink,
            stdin=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment(),
        )
        os.close(sink)
        _, errors = await asyncio.wait_for(script.communicate((await alice.link()).encode()), PATIENCE_SECONDS)

    assert script.returncode == 1
    assert b"Nobody reads standard output any more" in errors


async def test_a_dumb_terminal_is_used_line_by_line() -> None:
    async with at_a_terminal(*HOST) as alice, at_a_terminal(*GUEST, TERM="dumb") as bob:
        link = await alice.link()
        await bob.until("Paste the join link, which is not shown")
        bob.type(f"{link}\n")
        await bob.until("2 system: Bob joined\n")
        bob.type("hello\n")
        await alice.until("hello\n")
        bob.type("\x04")
        ended = (await bob.ended(), await alice.ended())

    assert ended == (0, 0)
    assert link not in bob.shown
    assert "\x1b" not in bob.raw.decode()


async def test_a_log_that_is_wished_for_is_kept_while_it_lasts(tmp_path: Path) -> None:
    async with by_pipes(*HOST, HOME=str(tmp_path), TUNNEL_SESSION_LOG="1") as alice:
        await alice.link()
        await alice.hear()
        kept = files(tmp_path)
        status, _ = await alice.ended()

    assert (status, len(kept)) == (0, 1)
    assert files(tmp_path) == []


async def test_a_name_in_the_environment_is_taken_unless_the_command_gives_another() -> None:
    """NAME-1."""
    for arguments, name in (((), "A. N. Other"), (("--name", "Bob"), "Bob")):
        async with at_a_terminal(*HOST) as alice, by_pipes(*arguments, TUNNEL_NAME="A. N. Other") as bob:
            bob.say(await alice.link())
            await alice.until(f'talking with "{name}" (name not verified)')


async def test_a_misspelt_variable_is_told_and_the_tunnel_opens(tmp_path: Path) -> None:
    async with by_pipes(*HOST, HOME=str(tmp_path), TUNNEL_BUDGETT="3") as alice:
        await alice.link()
        status, _ = await alice.ended()

    assert status == 0
    assert "tunnel-mcp: TUNNEL_BUDGETT is no variable of this program" in alice.errors


async def test_surroundings_that_are_wrong_are_told(tmp_path: Path) -> None:
    async with by_pipes(*HOST, HOME=str(tmp_path), TUNNEL_PORT="many") as alice:
        status, output = await alice.ended()

    assert (status, output) == (1, [])
    assert alice.errors.startswith("tunnel-mcp: TUNNEL_PORT is 'many'")
    assert "Mend the environment" in alice.errors
