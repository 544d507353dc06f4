"""Looks at pages that are made: every link within them leads somewhere, nothing is loaded from elsewhere, no rule is named that is none.

Sphinx follows the links that it makes itself. It does not see what stands in raw HTML, and knows nothing of rules.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path

_ELSEWHERE = ("http:", "https:", "mailto:")
_LOADED = re.compile(r"(?:url\(|@import)\s*['\"]?([^'\")]+)")


class Page(HTMLParser):
    """What a page loads, where it leads, what can be led to in it, and what it says."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.leads: list[str] = []
        self.ids: set[str] = set()
        self.text = ""
        self._inside = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what the tag is for."""
        given = {name: value or "" for name, value in attrs}
        self._inside = tag
        self.ids |= {given["id"]} if "id" in given else set()
        if "src" in given or tag == "link":
            self.loads.append(given.get("src", given.get("href", "")))
        elif "href" in given and tag == "a":
            self.leads.append(given["href"])

    def handle_data(self, data: str) -> None:
        """Note what is read; a script is not."""
        self.text += data if self._inside not in ("script", "style") else ""

    def handle_endtag(self, tag: str) -> None:
        """What follows is read again."""
        self._inside = "" if tag == self._inside else self._inside


def faults(folder: Path, rules: Collection[str]) -> list[str]:
    """What is wrong with the pages of a folder, in sentences that name the page.

    Args:
        folder: with the pages, and all that they load.
        rules: the ids of all rules.
    """
    pages = {path: Page(path) for path in sorted(folder.rglob("*.html"))}
    return [*dead(folder, pages), *from_elsewhere(folder, pages), *unknown(folder, pages, rules)]


def dead(folder: Path, pages: Mapping[Path, Page]) -> Iterator[str]:
    """Links within the pages that lead nowhere."""
    for path, page in pages.items():
        for lead in page.leads:
            target, _, anchor = lead.partition("#")
            to = (path.parent / target).resolve() if target else path
            if not target.startswith(_ELSEWHERE) and (not to.is_file() or _lacks(pages.get(to), anchor)):
                yield f"{path.relative_to(folder)}: a link leads nowhere: {lead}"


def _lacks(page: Page | None, anchor: str) -> bool:
    return bool(anchor) and page is not None and anchor not in page.ids


def from_elsewhere(folder: Path, pages: Mapping[Path, Page]) -> Iterator[str]:
    """What pages and their styles load from somewhere else."""
    loads = [(path, load) for path, page in pages.items() for load in page.loads]
    for sheet in sorted(folder.rglob("*.css")):
        loads += [(sheet, load) for load in _LOADED.findall(sheet.read_text(encoding="utf-8"))]
    for path, load in loads:
        if re.match(r"(https?:)?//", load):
            yield f"{path.relative_to(folder)}: is loaded from elsewhere: {load}"


def unknown(folder: Path, pages: Mapping[Path, Page], rules: Collection[str]) -> Iterator[str]:
    """What looks like a rule and is none."""
    areas = "|".join(sorted({rule.partition("-")[0] for rule in rules}))
    for path, page in pages.items():
        for name in sorted(set(re.findall(rf"\b(?:{areas})-\d+\b", page.text))):
            if name not in rules:
                yield f"{path.relative_to(folder)}: names {name}, which is no rule"
