"""Writes the pages of the documentation that say what the tables say: the protocol reference, and parts for the guides.

Nothing in them is written by hand but the sentences between the tables. What other papers say already is taken from them.
"""

import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from spec.compiler import docs_app
from spec.compiler.docs_diagrams import Draw, draw
from spec.compiler.docs_papers import KEPT, Papers, files, linked
from spec.compiler.docs_session import PAGE, read_examples
from spec.compiler.promela_proof import Record, read_record
from spec.compiler.python import environment
from spec.compiler.reader import MACHINES, Spec
from spec.compiler.trace import trace
from tunnel.spec import expressions
from tunnel.spec.model import Field, Rule, Shape

FOLDERS = ("reference", "_generated")
"""Below `docs/`: what is written anew each time, and kept out of the repository."""

PAGES = (
    "index",
    "link",
    "handshake",
    "frames",
    "messages",
    "reading",
    "timers",
    "refusals",
    "constants",
    "rules",
    "proofs",
    "security",
)
"""The pages of the reference, beside one for each machine."""

SENTENCE_CHARS = 30

TABLES = {
    "protocol.toml": "/reference/constants.md",
    "tools.toml": "/guides/tools.md",
    "cases.toml": "/guides/conformance.md",
} | {f"{name}.toml": f"/reference/{name}.md" for name in ("frames", "refusals", "rules", *MACHINES)}
"""The page that says what a table says."""


def generate(spec: Spec, root: Path, docs: Path, dot: Draw | None) -> None:
    """Write every generated page into the folders for them, and nothing else.

    Args:
        spec: the tables.
        root: of the repository.
        docs: the folder of the documentation.
        dot: draws a diagram.
    """
    for folder in FOLDERS:
        shutil.rmtree(docs / folder, ignore_errors=True)
    for path, text in write(spec, root, dot).items():
        (docs / path).parent.mkdir(parents=True, exist_ok=True)
        (docs / path).write_text(text, encoding="utf-8")


def write(spec: Spec, root: Path, dot: Draw | None) -> dict[str, str]:
    """Every generated page: its path below `docs/`, and its whole text.

    Args:
        spec: the tables.
        root: of the repository, where the papers and the tests are.
        dot: draws a diagram; without it arrows stand in a table.
    """
    papers = Papers(root, places(spec))
    words = _words(spec, root, papers)
    pages = {f"reference/{name}.md": _page(name, words) for name in PAGES}
    for name in MACHINES:
        machine = spec.machines[name]
        picture = draw(machine, dot)
        pages[f"reference/{name}.md"] = _page("machine", words, machine=machine, picture=picture)
    pages["_generated/vectors.md"] = _page("vectors", words)
    tools = docs_app.tools()
    parts = {name: part for tool in tools for name, part in tool.parts.items()}
    pages["_generated/tools.md"] = _page("tools", words, tools=tools, parts=parts)
    pages["_generated/clients.md"] = _page("clients", words, clients=docs_app.clients())
    pages |= papers.parts()
    return pages | files(pages.values(), root)


def names(spec: Spec) -> dict[str, str]:
    """What is linked wherever a sentence names it: rules and constants, and the anchor of each."""
    rules = {rule.id: f"rule-{rule.id.lower()}" for rule in spec.rules.rules}
    return rules | {constant.name: f"constant-{constant.name.lower()}" for constant in spec.protocol.constants}


def places(spec: Spec) -> dict[str, str]:
    """What is linked in the reference and in papers: the same, and files of the spec, each of which has a page or is kept beside it."""
    version = f"spec/v{spec.protocol.wire}"
    beside = [
        path.relative_to(spec.folder).as_posix()
        for folder in ("proofs", "vectors")
        for path in sorted((spec.folder / folder).iterdir())
        if path.suffix != ".md"
    ]
    found = {
        f"{version}/{name}": f"{KEPT}{version}/{name}" for name in (*spec.protocol.files, "protocol.toml", *beside)
    }
    found |= {name: f"{KEPT}{version}/{name}" for name in beside}
    found |= {Path(name).name: f"{KEPT}{version}/{name}" for name in beside if name.startswith("proofs/")}
    return names(spec) | found | TABLES


class Language(NamedTuple):
    """What conditions and invariants are made of, as the module lists it that reads them: words, and what they mean."""

    conditions: list[tuple[str, str]]
    invariants: list[tuple[str, str]]
    """What invariants may say beside that."""
    names: str


def language() -> Language:
    """The list at the top of `tunnel/spec/expressions.py`."""
    said = (expressions.__doc__ or "").split("\n\n")
    lists = [re.findall(r"^ {4}(\S.*?) {2,}(\S.*)$", part, re.MULTILINE) for part in said]
    conditions, invariants = filter(None, lists)
    return Language(conditions, invariants, next(part for part in said if part.startswith("A name is")))


def amount(value: int, unit: str) -> str:
    """A number as people read it: `1,048,576 bytes`."""
    return f"{value:,} {unit}".strip() if value < 2**53 - 1 else f"{value} {unit}".strip()


def _page(name: str, words: dict[str, Any], **more: Any) -> str:  # what the template asks for
    return environment().get_template(f"docs/{name}.md.jinja").render(words | more)


def _words(spec: Spec, root: Path, papers: Papers) -> dict[str, Any]:  # what the templates name
    shown = Shown(spec)
    recorded = read_examples((root / PAGE).read_text(encoding="utf-8"))
    record = read_record(spec.folder / "proofs")
    return {
        "spec": spec,
        "text": shown.text,
        "cell": shown.cell,
        "bounds": shown.bounds,
        "is_bounded": shown.is_bounded,
        "kind": shown.kind,
        "readers": shown.readers,
        "told": shown.rules,
        "rules_of": shown.rules_of,
        "vectors": shown.vectors,
        "few": shown.few("challenge"),
        "recorded": recorded,
        "example": recorded.shown,
        "language": language(),
        "amount": amount,
        "section": papers.section,
        "paper": papers.whole,
        "traced": trace(spec, root),
        "areas": list(dict.fromkeys(rule.id.partition("-")[0] for rule in spec.rules.rules)),
        "record": record,
        "proved": _proved(record),
    }


class Shown:
    """How the pages write what the tables hold.

    Args:
        spec: the tables.
    """

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._places = places(spec)
        self._records = [record.name for record in spec.frames.records]

    def text(self, value: str) -> str:
        """A sentence; what it names is linked."""
        return linked(value, self._places)

    def cell(self, value: str) -> str:
        """In a table; a sentence gets the width that it needs to be read, so that the table is what moves."""
        shown = self.text(value).replace("|", "\\|")
        return f'<span class="says">{shown}</span>' if len(value) > SENTENCE_CHARS else shown

    def rules(self, rules: Iterable[str]) -> str:
        """The ids of rules, each of which leads to its sentence."""
        return ", ".join(f"[{rule}](#{self._places[rule]})" for rule in rules) or "-"

    def rules_of(self, area: str) -> list[Rule]:
        """The rules of an area, such as LINK."""
        return [rule for rule in self._spec.rules.rules if rule.id.startswith(f"{area}-")]

    def bounds(self, field: Field) -> str:
        """How long or large the value of a field may be; a dash where nothing of the kind is said."""
        parts = [f"at least {field.min}" if field.min is not None else ""]
        if field.max:
            parts.append(f"at most {field.max} ({self._spec.constants[field.max]:,})")
        if field.default is not None:
            parts.append(f"`{field.default}` where it is lacking")
        return self.text(", ".join(filter(None, parts))) or "-"

    def is_bounded(self, shape: Shape) -> bool:
        """Whether anything is said of how long or large a value of its is."""
        return any(self.bounds(field) != "-" for field in shape.fields)

    def readers(self, field: Field) -> str:
        """Who can read a field."""
        if field.type.split()[0] in self._records:
            return "as its fields say"
        return field.visible_note or "both ends and the operator"

    def kind(self, field: Field) -> str:
        """The type of a field; a record leads to its table."""
        match field.type.split():
            case ["const"]:
                return f"always `{json.dumps(field.value)}`"
            case ["one", "of", *words]:
                return " or ".join(f"`{word}`" for word in words)
            case [record, *_] if record in self._records:
                return f"[{field.type}](#frame-{record})"
            case _:
                return field.type

    def vectors(self, name: str) -> dict[str, Any]:  # a file of vectors, as it is
        """A file of vectors."""
        return json.loads((self._spec.folder / "vectors" / f"{name}.json").read_text(encoding="utf-8"))

    def few(self, name: str) -> list[dict[str, Any]]:  # vectors, as they are
        """The first challenge of a file in ASCII, the first beyond it, and the empty one."""
        vectors = reversed(self.vectors(name)["vectors"])
        kinds = {(vector["challenge"].isascii(), not vector["challenge"]): vector for vector in vectors}
        return [kinds[True, False], kinds[False, False], kinds[True, True]]


def _proved(record: Record | None) -> dict[str, list[str]]:
    """The claims of the model checker, by rule."""
    found: dict[str, list[str]] = {}
    for result in record.results if record else ():
        for rule in result.rules if result.kind == "claim" else ():
            found.setdefault(rule, []).append(result.id)
    return found
