"""A talk says what is typed, shows what is heard, and ends with its tunnel, whoever ends it."""

import asyncio
import os

import pytest

from tests.app.chat.faces import Piper, Typist
from tests.app.ends import PATIENCE_SECONDS, Carrier, StillClock, close, end, join, say, until
from tunnel.app.chat.talk import Talk
from tunnel.app.hosting import Hosting
from tunnel.app.joining import Joining
from tunnel.core.link import JoinLink
from tunnel.errors import NetworkFault
from tunnel.spec.v1.constants import LINK_SECONDS, SUMMARY_BYTES, TEXT_BYTES

pytestmark = pytest.mark.anyio


async def hosted(clock: StillClock | None = None) -> tuple[Hosting, JoinLink]:
    tunnel = Hosting("pair", "Alice", Carrier(), clock or StillClock(), os.urandom)
    return tunnel, await tunnel.open()


async def joined(link: JoinLink) -> Joining:
    tunnel = Joining(link, "Bob", StillClock(), os.urandom)
    await tunnel.join()
    return tunnel


async def ended(tunnel: Hosting | Joining, face: Typist) -> bool:
    return await asyncio.wait_for(Talk(tunnel, face).run(), PATIENCE_SECONDS)


async def test_two_people_hear_each_other_and_the_summary() -> None:
    host, link = await hosted()
    alice, bob = Typist("hello"), Typist("//me", "", "hi")
    both = asyncio.gather(ended(host, alice), ended(await joined(link), bob))
    for face, texts in ((alice, ("you: hello", "peer: hi")), (bob, ("peer: hello", "you: hi"))):
        for text in texts:
            await face.until(text)
    counted = (alice.status_line, bob.status_line)
    alice.type("/close that was it")

    assert await both == [True, True]
    assert {"3 you: hello", "3 peer: /me", "4 peer: /me"} & set(alice.shown)
    assert bob.shown[-1].endswith("system: closed — that was it")
    assert bob.told[-1].startswith("The tunnel is over: The host closed the tunnel.")
    assert alice.told[-1] == "You have closed the tunnel."
    assert all("3 messages" in line for line in counted)


async def test_a_guest_that_leaves_ends_it_for_its_host() -> None:
    host, link = await hosted()
    alice, bob = Typist(), Typist("/leave")

    assert await asyncio.gather(ended(host, alice), ended(await joined(link), bob)) == [True, True]
    assert bob.told == ["You have left the tunnel."]
    assert alice.told[-1].startswith('The guest, "Bob" (name not verified), has left.')


async def test_the_person_is_told_how_things_stand_and_what_can_be_typed() -> None:
    host, _ = await hosted()
    alice = Typist("/status", "/help", "/nonesuch", "/close")

    assert await ended(host, alice)
    assert alice.told[0].startswith("host | waiting for the guest | link valid 10:00 | idle end in 30:00 | 0 messages")
    assert "Alt+Enter" in alice.told[1]
    assert alice.told[2].startswith("Not sent: there is no command /nonesuch.")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("x" * (TEXT_BYTES + 1), "Not sent: text_too_long: "),
        ("half \udcff", "Not sent: the text holds half of a surrogate pair"),
        ("/close " + "x" * (SUMMARY_BYTES + 1), "Not closed: the summary has 8193 bytes"),
    ],
    ids=["too long", "half a character", "a summary that is too long"],
)
@pytest.mark.parametrize("kind", [Typist, Piper])
async def test_what_cannot_be_said_is_told_and_the_talk_goes_on(line: str, words: str, kind: type[Typist]) -> None:
    host, _ = await hosted()
    alice = kind(line, "/close")

    assert await ended(host, alice) is (kind is Typist)
    assert alice.told[0].startswith(words)


async def test_what_was_typed_and_not_taken_is_told() -> None:
    for kind in (Typist, Piper):
        host, _ = await hosted()
        alice = kind("/close", left="Not sent: this.")

        assert await ended(host, alice) is (kind is Typist)
        assert alice.told[-1] == "Not sent: this."


async def test_the_end_of_a_pipe_waits_for_the_guest_if_there_is_something_to_hear() -> None:
    host, link = await hosted()
    talking = asyncio.ensure_future(ended(host, alice := Piper("for you", ends=True)))
    await alice.until("you: for you")
    bob = Typist()
    assert not talking.done()

    assert await ended(await joined(link), bob)
    assert await talking
    assert "2 peer: for you" in bob.shown


async def test_the_end_of_an_empty_pipe_waits_for_nobody() -> None:
    host, _ = await hosted()

    assert await ended(host, Piper(ends=True))


async def test_a_guest_that_never_came_is_a_failure_to_who_had_something_to_say() -> None:
    clock = StillClock()
    host, _ = await hosted(clock)
    talking = asyncio.ensure_future(ended(host, alice := Piper("for you", ends=True)))
    await alice.until("you: for you")
    clock.move(LINK_SECONDS + 1)

    assert not await talking
    assert alice.told[0].startswith("Nobody came while the join link was good")


async def test_what_cannot_be_shown_ends_it_and_the_peer_is_told() -> None:
    host, link = await hosted()
    bob = end("Bob")
    await join(bob, link.text)

    with pytest.raises(NetworkFault, match="nobody looks"):
        await ended(host, Piper("hello", is_blind=True))
    assert (await until(bob, "closed")).closed_because == "closed_by_host"
    await bob.exit()


async def test_a_host_that_breaks_off_is_no_normal_end() -> None:
    host, link = await hosted()
    guest = await joined(link)
    talking = asyncio.ensure_future(ended(guest, bob := Typist()))
    await bob.until("Bob joined")
    host._relay.driver.step(host._host.unreachable)
    await host.exit()

    assert not await talking
    assert "lost for good" in bob.told[-1]


async def test_an_agent_hears_a_person_and_a_person_an_agent() -> None:
    host, link = await hosted()
    alice, bob = Typist(), end("Bob")
    talking = asyncio.ensure_future(ended(host, alice))
    await join(bob, link.text)
    await say(bob, "first\nsecond")
    await alice.until("peer: first\\nsecond")
    await close(bob)

    assert await talking
    await bob.exit()


async def test_silence_is_no_end() -> None:
    host, _ = await hosted()
    talking = asyncio.ensure_future(Talk(host, alice := Typist(), 0).run())
    await alice.until("tunnel opened")
    for _ in range(20):
        await asyncio.sleep(0)
    assert not talking.done()
    alice.type("/close")

    assert await asyncio.wait_for(talking, PATIENCE_SECONDS)


async def test_a_message_that_takes_more_than_one_answer_is_shown_as_a_whole() -> None:
    host, link = await hosted()
    alice, bob = Typist(), Typist()
    texts = ["a", "\u202ea" * 16_000, "b", "x" * 120_000, "c"]
    both = asyncio.gather(ended(host, alice), ended(await joined(link), bob))
    for text in texts:
        bob.type(text)
    await alice.until("peer: c")
    alice.type("/close")
    await both

    assert [line.partition(": ")[2] for line in alice.shown if " peer: " in line] == [
        text.replace("\u202e", "\\u202e") for text in texts
    ]
