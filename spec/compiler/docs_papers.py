"""Takes into the documentation what other papers say: whole, or a section of them, with links that lead to its own pages."""

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path, PurePosixPath

SHOWN = {
    "README.md": "index",
    "CONTRIBUTING.md": "contributors/house",
    "SECURITY.md": "guides/security",
    "CHANGELOG.md": "contributors/changes",
    "conformance/README.md": "guides/conformance",
    "spec/README.md": "contributors/tables",
    "spec/v1/tunnel.md": "reference/index",
    "spec/v1/proofs/README.md": "reference/proofs",
    "spec/v1/vectors/README.md": "guides/implementing",
    "spec/v1/export/README.md": "guides/implementing",
}
"""The papers, and the page on which each is shown."""

KEPT = "/_generated/files/"
"""Where the files of the repository lie to which pages lead."""

_KEPT = re.compile(r"(`+[^`]*`+|!?\[[^\]]*\]\([^)]*\)|\{\{.*?\}\}|\[[^\]]*\]\[[^\]]*\])")
"""Parts of a line in which nothing is linked: code, what is filled in, and what is a link already."""
_WORD = re.compile(
    r"(?<![\w/-])[A-Z][A-Z_]*(?:-\d+)?(?![\w-])|(?<![\w/.-])(?:[\w.-]+/)*[\w.-]+\.(?:json|pv|toml|txt)(?!\w)"
)
"""What may be the name of a rule or a constant, or of a file."""
_LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)(#[^)\s]*)?\)")


def linked(text: str, places: Mapping[str, str]) -> str:
    """Markdown in which names lead to where they stand; headings stay as they are, and so does code that is not one name.

    Args:
        text: the Markdown.
        places: an anchor, or a path that begins with a slash, by name.
    """

    def target(name: str) -> str:
        return places[name] if places[name].startswith("/") else f"#{places[name]}"

    def lead(word: re.Match[str]) -> str:
        return f"[{word[0]}]({target(word[0])})" if word[0] in places else word[0]

    def kept(part: str) -> str:
        # Rules and constants in backticks are left alone: guides show them as one would type them.
        name = part.strip("`")
        return f"[{part}]({target(name)})" if part == f"`{name}`" and "." in name and name in places else part

    lines: list[str] = []
    fence = ""
    for line in text.split("\n"):
        mark = re.match(r" *(`{3,}|:{3,}\{|~{3,})", line)
        if fence or mark:
            lines.append(line)
            fence = _fence(fence, line, mark[1] if mark else "")
        elif line.startswith(("#", "    ")) or line.endswith(")="):
            lines.append(line)
        else:
            parts = _KEPT.split(line)
            parts[::2] = [_WORD.sub(lead, part) for part in parts[::2]]
            parts[1::2] = [kept(part) for part in parts[1::2]]
            lines.append("".join(parts))
    return "\n".join(lines)


def _fence(fence: str, line: str, mark: str) -> str:
    if not fence:
        return mark if mark.startswith(("`", "~")) else ""
    return "" if line.strip().startswith(fence) else fence


class Papers:
    """The papers of the repository, as the documentation shows them.

    Args:
        root: of the repository.
        places: what is linked where it is named, and where it leads.
    """

    def __init__(self, root: Path, places: Mapping[str, str]) -> None:
        self._root = root
        self._places = places

    def whole(self, name: str) -> str:
        """A paper from behind its title on."""
        text = (self._root / name).read_text(encoding="utf-8")
        return self._shown(name, text.partition("\n")[2] if text.startswith("# ") else text).strip("\n")

    def section(self, name: str, title: str) -> str:
        """The section of a paper below its heading of the second level.

        Raises:
            KeyError: there is none.
        """
        return self.sections(name)[title]

    def sections(self, name: str) -> dict[str, str]:
        """What stands below each heading of the second level; headings in it move up by one level."""
        text = (self._root / name).read_text(encoding="utf-8")
        heads = [*re.finditer(r"^## (.+)$", text, re.MULTILINE)]
        ends = [*heads, None]
        return {
            head[1]: self._shown(name, _higher(text[head.end() : _start(after, text)])).strip("\n")
            for head, after in pairwise(ends)
            if head
        }

    def parts(self) -> dict[str, str]:
        """What the guides include, by path below `docs/`: papers and their sections."""
        found: dict[str, str] = {}
        for name in SHOWN:
            folder = f"_generated/papers/{name.removesuffix('.md').replace('/', '-').lower()}"
            found[f"{folder}.md"] = self.whole(name) + "\n"
            for title, text in self.sections(name).items():
                slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
                found[f"{folder}/{slug}.md"] = text + "\n"
        return found

    def _shown(self, name: str, text: str) -> str:
        def lead(link: re.Match[str]) -> str:
            target = (self._root / name).parent / link[1]
            if not target.is_file():
                return link[0]
            path = PurePosixPath(target.resolve().relative_to(self._root.resolve()).as_posix())
            if str(path) in SHOWN:
                return f"](/{SHOWN[str(path)]}.md{link[2] or ''})"
            return f"]({KEPT}{path})"

        return linked(_LINK.sub(lead, text), self._places)


def files(pages: Iterable[str], root: Path) -> dict[str, str]:
    """The files of the repository to which pages lead, by path below `docs/`: they are kept beside them.

    Args:
        pages: their texts.
        root: of the repository.
    """
    named = {path for page in pages for path in re.findall(rf"\]\({KEPT}([^)#]+)", page)}
    return {f"{KEPT[1:]}{path}": (root / path).read_text(encoding="utf-8") for path in sorted(named)}


def _higher(text: str) -> str:
    """A section whose headings have moved up by one level, since its own is gone."""
    return re.sub(r"^##(#+ )", r"#\1", text, flags=re.MULTILINE)


def _start(head: re.Match[str] | None, text: str) -> int:
    return head.start() if head else len(text)
