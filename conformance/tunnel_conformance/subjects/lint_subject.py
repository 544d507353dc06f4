"""Plays the program's side of the lines, with answers that are always the same, and checks each question that it is asked."""

import json
from collections.abc import Callable
from typing import IO, Final, cast

import msgspec

from tunnel_conformance.subjects import forms
from tunnel_conformance.subjects.shown import shown

_ID: Final = "0123456789abcdef"
_STATUS: Final[dict[str, object]] = {"role": "host", "peerConnected": False, "goal": "pair on checkout", "lastSeq": 1}
_OPENED: Final = {
    "id": "opened",
    "seq": 1,
    "from": "host",
    "kind": "system",
    "text": "tunnel opened \u2014 goal: pair on checkout",
}
ANSWERS: Final[dict[str, dict[str, object]]] = {
    # Port 9 throws away what it is sent (RFC 863), and hardly anybody listens there.
    "open": {"tunnelId": _ID, "joinLink": f"ws://127.0.0.1:9/t/{_ID}#{'A' * 43}"},
    "join": {"tunnelId": _ID, "goal": "pair on checkout", "peer": "Alice"},
    "say": {"seq": 2},
    "listen": {"messages": [_OPENED], "status": _STATUS},
    "status": _STATUS,
    "close": {"ok": True},
}
"""What is answered to what."""

_DECODER: Final[msgspec.json.Decoder[forms.Form]] = msgspec.json.Decoder(forms.Question)


def play(questions: IO[bytes], answers: IO[bytes], say: Callable[[str], None]) -> int:
    """Answer until the questions end.

    Args:
        questions: lines of the kit's side.
        answers: where lines go.
        say: is given what is wrong with a question.

    Returns:
        0 when every question was one, else 1.
    """
    is_wrong = False
    for line in questions:
        answer, problem = _answer(line)
        if problem:
            is_wrong = True
            say(f"WRONG  {problem}: {shown(line.decode('utf-8', 'replace').strip())}")
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()
    return int(is_wrong)


def _answer(line: bytes) -> tuple[dict[str, object], str]:
    """The answer to a line, and what is wrong with it."""
    try:
        asked: object = json.loads(line)
    except (ValueError, RecursionError):
        return {"id": 0, "error": "not JSON"}, "not JSON"
    if not isinstance(asked, dict):
        return {"id": 0, "error": "no object"}, "no object"
    fields = cast(dict[str, object], asked)
    number, what = fields.get("id", 0), fields.get("do")
    if isinstance(what, str) and what not in ANSWERS:
        # The kit asks so on purpose.
        return {"id": number, "error": f"there is no '{shown(what, 40)}'"}, ""
    try:
        _DECODER.decode(line)
    except msgspec.MsgspecError as error:
        return {"id": number, "error": str(error)}, str(error)
    return {"id": number, "result": ANSWERS[str(what)]}, ""
