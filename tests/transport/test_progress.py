"""A download shows that it is alive, on standard error and nowhere else: by a bar on a terminal, by lines elsewhere."""

import io

import pytest
from rich.console import Console

from tunnel.transport.progress import LINE_BYTES, progress


def test_where_there_is_no_terminal_there_are_lines(capsys: pytest.CaptureFixture[str]) -> None:
    lines: list[str] = []
    with progress("Downloading", lines.append, Console(file=io.StringIO())) as advance:
        for done in range(0, 4 * LINE_BYTES, LINE_BYTES // 4):
            advance(done, 4 * LINE_BYTES)

    assert lines == ["Downloading ...", *(f"Downloading: {n}0 of 40 MB" for n in (1, 2, 3))]
    assert capsys.readouterr() == ("", "")


def test_a_line_names_no_total_that_is_not_known() -> None:
    lines: list[str] = []
    with progress("Downloading", lines.append, Console(file=io.StringIO())) as advance:
        advance(LINE_BYTES, None)

    assert lines[-1] == "Downloading: 10 MB"


def test_on_a_terminal_there_is_a_bar_that_goes_away(capsys: pytest.CaptureFixture[str]) -> None:
    lines: list[str] = []
    screen = io.StringIO()
    with progress("Downloading", lines.append, Console(file=screen, force_terminal=True, width=100)) as advance:
        advance(20_000_000, None)
        advance(30_000_000, 40_000_000)
        print("for MCP")

    assert "Downloading" in screen.getvalue()
    assert "30.0/40.0 MB" in screen.getvalue()
    assert lines == []
    assert capsys.readouterr() == ("for MCP\n", "")
