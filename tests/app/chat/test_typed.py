"""What is typed is said, unless it begins with a slash; a misspelt command is explained and never said."""

import pytest

from tunnel.app.chat.typed import End, Say, ShowHelp, ShowStatus, Typed, Unknown, meaning


@pytest.mark.parametrize(
    ("line", "typed"),
    [
        ("hello", Say("hello")),
        (" /close is a word here", Say(" /close is a word here")),
        ("//etc/hosts", Say("/etc/hosts")),
        ("//", Say("/")),
        ("first\n/close", Say("first\n/close")),
        ("/close", End("")),
        ("/close  8443, until noon ", End("8443, until noon")),
        ("/leave", End("")),
        ("/leave bye", End("bye")),
        ("/status", ShowStatus()),
        ("/help", ShowHelp()),
        ("", None),
        (" \n\t", None),
    ],
)
def test_a_line_means_what_it_begins_with(line: str, typed: Typed | None) -> None:
    assert meaning(line) == typed


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("/clsoe", "there is no command /clsoe. Did you mean /close?"),
        ("/usr/bin/env python", "There are /close, /help, /leave, /status."),
        ("/\x1b[2J", "there is no command /\\u001b[2J."),
        ("/closed\nby me", "there is no command /closed\\nby. Did you mean /close?"),
        ("/" + "x" * 1000, "x\u2026."),
        ("/", "type two slashes"),
    ],
)
def test_an_unknown_command_is_explained(line: str, words: str) -> None:
    typed = meaning(line)

    assert isinstance(typed, Unknown)
    assert typed.explanation.startswith("Not sent: ")
    assert words in typed.explanation
