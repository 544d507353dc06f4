"""The spec's test vectors for implementers: to list, to copy, and to ask one's own code, whose answers are then checked.

tunnel-conformance vectors --ask | my-implementation | tunnel-conformance vectors --check -
"""

import json
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

# Any: a vector is JSON of the shape that its file has. Python's own reader is asked, because the vectors hold halves of
# surrogate pairs, which msgspec refuses.
Vector = dict[str, Any]


class Kind(Struct, frozen=True, kw_only=True):
    """What a file of vectors asks, and where its answer stands."""

    asks: tuple[str, ...]
    answer: Callable[[Vector], Any]
    means: str


def _unless_stricter(field: str) -> Callable[[Vector], Any]:
    return lambda vector: None if vector["verdict"] == "stricter" else vector[field]


def _dialled(vector: Vector) -> Any:
    released = _unless_stricter("released")(vector)
    # Released peers leave the blanks around a link to their dialler, which drops them.
    return released and {**released, "url": released["url"].strip()}


def _tag(vector: Vector) -> Any:
    released = _unless_stricter("released")(vector)
    return None if released is None else json.loads(released)["t"]


KINDS: Final = {
    "seal": Kind(asks=("key", "nonce", "text"), answer=lambda v: v["sealed"], means="the sealed body"),
    "open": Kind(asks=("key", "sealed"), answer=_unless_stricter("released"), means="the text, or null"),
    "challenge": Kind(asks=("key", "challenge"), answer=lambda v: v["response"], means="the response"),
    "challenge_rejected": Kind(
        asks=("key", "challenge", "response"), answer=lambda _: False, means="whether the response proves the key"
    ),
    "links": Kind(asks=("link",), answer=_dialled, means='{"tunnel_id", "key", "url"}, or null'),
    "links_later": Kind(asks=("link",), answer=lambda _: None, means="null: the link is refused"),
    "links_own": Kind(asks=("link",), answer=lambda v: v["url"], means="the URL that is dialled, or null"),
    "mint": Kind(
        asks=("public_url", "tunnel_id", "key"), answer=lambda v: v.get("ours", v["released"]), means="the join link"
    ),
    "encode": Kind(
        asks=("from", "text"), answer=_unless_stricter("text"), means="the frame, read and written again, or null"
    ),
    "decode": Kind(asks=("text",), answer=_tag, means="the name of the frame, known or not, or null"),
    "base64url": Kind(asks=("text",), answer=lambda v: v["bytes"], means="the bytes in hexadecimal, or null"),
    "frames": Kind(asks=("from", "text"), answer=lambda v: v["read"], means="the name of the known frame, or null"),
    "shown": Kind(asks=("text", "limit"), answer=lambda v: v["shown"], means="the text as it is shown"),
    "names": Kind(asks=("guest", "host"), answer=lambda v: v["shown"], means="the guest's name as it is shown"),
}
"""What is asked in each file, and what the answer is."""

PAPERS: Final = ("README.md", "LICENSE", "flags.json")
"""What explains the files."""


def folder() -> Path:
    """Where the files are: within the package, or in the source tree."""
    packed = Path(str(files("tunnel_conformance"))) / "data" / "vectors"
    return packed if packed.is_dir() else Path(__file__).parents[2] / "spec" / "v1" / "vectors"


@cache
def claims() -> dict[str, str]:
    """What each file shows, in a sentence."""
    return {name: _read(name)["claim"] for name in KINDS}


@cache
def vectors() -> dict[tuple[str, str], Vector]:
    """Every vector by its file and name."""
    return {(name, vector["name"]): vector for name in KINDS for vector in _read(name)["vectors"]}


def _read(name: str) -> Vector:
    return json.loads((folder() / f"{name}.json").read_text(encoding="utf-8"))


def copy(target: Path) -> list[Path]:
    """Copy the files, with the papers that explain them, into a folder that is made when it is missing."""
    target.mkdir(parents=True, exist_ok=True)
    copied = [target / name for name in (*PAPERS, *(f"{name}.json" for name in KINDS))]
    for path in copied:
        path.write_bytes((folder() / path.name).read_bytes())
    return copied


def questions() -> Iterator[str]:
    """A line of JSON for each vector: everything but its answer."""
    for (file, name), vector in vectors().items():
        asked = {field: vector[field] for field in KINDS[file].asks}
        yield json.dumps({"file": file, "name": name, **asked})


class Checked(Struct, frozen=True, kw_only=True):
    """How many answers of each file are right, and what is wrong with the others, in sentences."""

    right: dict[str, int]
    asked: dict[str, int]
    wrong: tuple[str, ...]


def check(lines: Iterable[str]) -> Checked:
    """Compare answers, a line of JSON each, of the form of FORM."""
    open_questions = dict(vectors())
    right = dict.fromkeys(KINDS, 0)
    wrong: list[str] = []
    for number, line in enumerate(lines, 1):
        answer = _parsed(line)
        if answer is None or (answer.file, answer.name) not in vectors():
            wrong.append(f"line {number}: no answer to a vector; it has the form {FORM}")
        elif (vector := open_questions.pop((answer.file, answer.name), None)) is None:
            wrong.append(f"line {number}: a second answer to {answer.file}: {answer.name}")
        elif _same(expected := KINDS[answer.file].answer(vector), answer.answer):
            right[answer.file] += 1
        else:
            wrong.append(f"{answer.file}: {answer.name}: expected {_short(expected)}, got {_short(answer.answer)}")
    wrong += [f"{file}: {name}: no answer" for file, name in open_questions]
    total = {name: sum(file == name for file, _ in vectors()) for name in KINDS}
    return Checked(right=right, asked=total, wrong=tuple(wrong))


class Answer(Struct, frozen=True):
    """What an implementation makes of a vector."""

    file: str
    name: str
    answer: Any  # of the shape that the file asks for


FORM: Final = '{"file": ..., "name": ..., "answer": ...}'


def _parsed(line: str) -> Answer | None:
    try:
        return msgspec.convert(json.loads(line), Answer)
    except (ValueError, RecursionError):
        return None


def _same(one: object, other: object) -> bool:
    # As JSON: Python takes 1 for true.
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _short(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 120 else f"{text[:119]}\u2026"
