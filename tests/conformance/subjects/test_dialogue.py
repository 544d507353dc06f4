"""Questions and answers over lines: what is put up with, and what is not."""

import asyncio

import pytest
from tunnel_conformance.subjects import dialogue
from tunnel_conformance.subjects.base import Babbled, Died, Hung
from tunnel_conformance.subjects.process import LINE_BYTES, Process
from tunnel_conformance.wire.fields import MOST_VALUES

from tests.conformance.subjects.stage import SECONDS, actor, say, started, until
from tests.io.asynchronous import asynchronous

CONTROLS = ["mcp", "line"]


@pytest.mark.parametrize("control", CONTROLS)
@asynchronous
async def test_many_questions_may_be_open_and_answers_come_in_any_order(control: str) -> None:
    async with started(actor(control)) as subject:
        held = [asyncio.create_task(say(subject, "hold")) for _ in range(3)]
        await asyncio.sleep(0)
        answer = await say(subject, "hello")
        later = await asyncio.gather(*held)

    assert answer.result == {"seq": 1, "text": "hello"}
    assert [one.result for one in later] == [{"seq": 2}] * 3


@pytest.mark.parametrize("control", CONTROLS)
@asynchronous
async def test_no_answer_in_time_is_hung_and_the_next_question_is_answered(control: str) -> None:
    async with started(actor(control)) as subject:
        with pytest.raises(Hung, match=r"No answer to .*say.* came within 0\.1 s"):
            await say(subject, "hang", 0.1)
        with pytest.raises(Hung):
            await say(subject, "wait 0.3", 0.1)

        # The answer to the second question comes first, and to nobody.
        assert (await say(subject, "hello")).result == {"seq": 1, "text": "hello"}
        assert subject.tail.count("no message") == 0


@pytest.mark.parametrize("control", CONTROLS)
@asynchronous
async def test_who_is_cancelled_waits_no_longer(control: str) -> None:
    async with started(actor(control)) as subject:
        asking = asyncio.create_task(say(subject, "hold"))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait([asking])

        assert asking.cancelled()
        assert (await say(subject, "hello")).result


@pytest.mark.parametrize("control", CONTROLS)
@asynchronous
async def test_dying_is_told_to_all_who_wait_and_to_who_asks_later(control: str) -> None:
    async with started(actor(control)) as subject:
        answers = await asyncio.gather(*(say(subject, text) for text in ("hold", "die")), return_exceptions=True)
        with pytest.raises(Died, match="ended with status 3") as later:
            await say(subject, "hello")

    assert [type(answer) for answer in answers] == [Died, Died]
    assert later.value.tail == "the last words"


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize(
    "stray",
    [
        "hello",
        "\x1b[2J\x00",
        "[1]",
        "null",
        "{}",
        '{"jsonrpc":"2.0","id":1}',
        '{"jsonrpc":"2.0","id":999,"result":{}}',
        "[" * 100_000,
    ],
    ids=["words", "binary", "an array", "null", "empty", "half", "an answer to nothing", "deep"],
)
@asynchronous
async def test_a_stray_line_is_noted_and_many_are_babble(control: str, stray: str) -> None:
    async with started(actor(control)) as subject:
        answer = await say(subject, f"line 5 {stray}")
        tail = subject.tail
        with pytest.raises(Babbled, match="lines on stdout that are no message"):
            await say(subject, f"line 50 {stray}")

    assert answer.result
    assert tail.count("a line on stdout is no message") == 3


@asynchronous
async def test_a_line_of_any_bytes_is_a_stray_line() -> None:
    async with started(actor("line")) as subject:
        answer = await say(subject, 'line 1 {"id":true,"error":"a number is not true"}')
        twice = await say(subject, 'line 1 {"id":1,"error":"it was answered long ago"}')

        assert subject.tail.count("no message") == 2
    assert answer.result
    assert twice.result


@asynchronous
async def test_notices_are_free_but_not_without_end() -> None:
    notice = '{"jsonrpc":"2.0","method":"notifications/message","params":{}}'
    async with started(actor("mcp")) as subject:
        for _ in range(3):
            assert (await say(subject, f"line {dialogue.UNASKED_LINES // 2} {notice}")).result
        with pytest.raises(Babbled, match="that answer nothing"):
            await say(subject, f"line {dialogue.UNASKED_LINES * 2} {notice}")


@pytest.mark.parametrize("control", ["line", "mcp"])
@asynchronous
async def test_what_was_heard_may_be_long_and_nothing_else(control: str) -> None:
    async with started(actor(control)) as subject:
        answer = await subject.call("listen", {"sinceSeq": 3_000_000}, SECONDS)
        with pytest.raises(Babbled, match=f"a line of more than {LINE_BYTES} bytes"):
            await say(subject, "x" * 3_000_000)

    assert len(str(answer.result)) > 3_000_000


@asynchronous
async def test_what_answers_nothing_is_bounded_in_bytes_too() -> None:
    notice = '{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"' + "x" * 100_000 + '"}}'
    async with started(actor("mcp")) as subject:
        for _ in range(3):
            assert (await say(subject, f"line {dialogue.UNASKED_BYTES // 200_000} {notice}")).result
        with pytest.raises(Babbled, match=f"more than {dialogue.UNASKED_BYTES} bytes on stdout that answer nothing"):
            await say(subject, f"line {dialogue.UNASKED_BYTES // 50_000} {notice}")


@asynchronous
async def test_a_line_of_very_many_values_is_no_message() -> None:
    """Parsed, it would take twenty times its size."""
    talk = dialogue.Dialogue(Process())
    seen: list[object] = []
    talk.read = lambda message: seen.append(message) is None
    talk.line(b'{"id":1,"x":[' + b"[]," * MOST_VALUES + b"0]}")

    assert seen == []
    assert len(talk.strays) == 1


@asynchronous
async def test_a_fault_that_nobody_waits_for_is_told_to_the_next() -> None:
    async with started(actor("mcp")) as subject:
        subject.process.fail(Babbled, "It was enough.")
        await until(lambda: True)
        with pytest.raises(Babbled, match="It was enough"):
            await say(subject, "hello")


@asynchronous
async def test_an_answer_that_came_before_the_end_counts() -> None:
    talk = dialogue.Dialogue(Process())
    talk.read = lambda message: talk.answer(message["id"], message)
    first, second = (asyncio.create_task(talk.ask({}, "something", SECONDS)) for _ in range(2))
    await asyncio.sleep(0)
    talk.line(b'{"id":1}')
    talk.fault(Died("It died.", "the tail"))

    assert await first == {"id": 1}
    with pytest.raises(Died, match="It died") as died:
        await second
    assert died.value.tail == "the tail"
