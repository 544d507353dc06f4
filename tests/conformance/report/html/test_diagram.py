"""A conversation is drawn between lanes: the agent, the implementation, and the kit's peers, each line the way it went."""

import pytest
from tunnel_conformance.records import Entry
from tunnel_conformance.report.html.diagram import PEERS, draw

from tests.conformance.report.samples import LOG


def test_everybody_who_speaks_has_a_lane() -> None:
    assert draw(LOG, "ours").lanes == ("agent", "ours", "A", "B")
    assert draw((), "ours").lanes == ("agent", "ours")


def test_many_peers_share_the_last_lane() -> None:
    drawn = draw([Entry(at=0, who=f"X{n}", what="sent", text="hello") for n in range(9)], "ours")

    assert drawn.lanes == ("agent", "ours", "X0", "X1", "X2", "X3", "others")
    assert [line.start for line in drawn.lines] == [3, 4, 5, 6, *[7] * (9 - PEERS)]
    assert drawn.lines[-1].caption == "X8 → ours"


@pytest.mark.parametrize(
    ("entry", "kind", "way", "caption"),
    [
        (("subject", "did"), "arrow", (1, 2), "agent → ours"),
        (("subject", "answered"), "arrow", (2, 1), "ours → agent"),
        (("A", "sent"), "arrow", (3, 2), "A → ours"),
        (("A", "received"), "arrow", (2, 3), "ours → A"),
        (("A", "did"), "arrow", (3, 2), "A → ours"),
        (("A", "opened"), "dashed", (3, 2), "A: opened"),
        (("A", "closed"), "dashed", (3, 2), "A: closed"),
        (("kit", "time"), "band", (1, 3), "time"),
        (("kit", "did"), "band", (1, 3), "the kit"),
    ],
)
def test_a_line_goes_the_way_it_went(entry: tuple[str, str], kind: str, way: tuple[int, int], caption: str) -> None:
    first = Entry(at=0, who="A", what="opened", text="")
    line = draw([first, Entry(at=1.234, who=entry[0], what=entry[1], text="x")], "ours").lines[1]  # type: ignore[arg-type]

    assert (line.kind, (line.start, line.end), line.caption, line.at) == (kind, way, caption, "1.23 s")
    assert (line.first, line.behind) == (min(way), max(way) + 1)
    assert line.goes_left == (way[1] < way[0])


def test_a_long_text_is_cut_and_kept() -> None:
    short, long = draw([Entry(at=0, who="A", what="sent", text=text) for text in ("x" * 90, "x" * 91)], "ours").lines

    assert (short.short, short.text) == ("x" * 90, "")
    assert (long.short, long.text) == ("x" * 89 + "…", "x" * 91)
