"""The language of conditions means what it says, and nothing that is not in it can be written."""

import pytest

from tunnel.spec.expressions import Call, Compare, ExpressionError, Name, Symbol, Value, evaluate, parse, walk

NAMES: dict[str, Value] = {
    "yes": True,
    "no": False,
    "state": "waiting",
    "old_state": "waiting",
    "event": "auth",
    "LIMIT": 3,
}


def worth(text: str) -> Value:
    """What a text is worth over `NAMES`, where a call is worth the number of its words."""
    return evaluate(parse(text), NAMES, lambda _, words: len(words))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True),
        ("not yes", False),
        ("yes and no", False),
        ("no or yes", True),
        ("not no and yes", True),
        ("yes or no and no", True),
        ("(yes or no) and no", False),
        ("yes and yes and no", False),
        ("state == waiting", True),
        ("state != waiting", False),
        ("state == locked", False),
        ("state == old_state", True),
        ("event == auth", True),
        ("yes == no", False),
        ("(yes == no) == no", True),
        ("count(admit) == 1", True),
        ("did(refuse, bad_key) == 2", True),
        ("count(admit) <= LIMIT", True),
        ("count(admit) < 1", False),
        ("LIMIT >= 3", True),
        ("LIMIT > 3", False),
    ],
)
def test_an_expression_is_worth_what_it_says(text: str, value: Value) -> None:
    assert worth(text) == value


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("__import__('os')", id="an import"),
        pytest.param("__import__(os)", id="an import by name"),
        pytest.param("open(link)", id="an unknown function"),
        pytest.param("passed.__class__", id="an attribute"),
        pytest.param("state[0]", id="a subscript"),
        pytest.param("(lambda: yes)()", id="a lambda"),
        pytest.param("[yes for yes in no]", id="a comprehension"),
        pytest.param("yes if no else yes", id="a choice"),
        pytest.param("(yes := no)", id="an assignment"),
        pytest.param("state == 'waiting'", id="a quoted word"),
        pytest.param("yes == True", id="a literal of Python's"),
        pytest.param("1.5 < LIMIT", id="a fraction"),
        pytest.param("LIMIT + 1 == 4", id="arithmetic"),
        pytest.param("-LIMIT < 1", id="a sign"),
        pytest.param("1 < LIMIT < 5", id="a chain"),
        pytest.param("state in (waiting, locked)", id="membership"),
        pytest.param("state is waiting", id="identity"),
        pytest.param("yes & no", id="bits"),
        pytest.param("f'{yes}'", id="a formatted text"),
        pytest.param("passed()", id="too few words"),
        pytest.param("passed(link, idle)", id="too many words"),
        pytest.param("passed(not link)", id="a word that is none"),
        pytest.param("did(refuse, why=bad_key)", id="a keyword"),
        pytest.param("did(*refuse)", id="a star"),
        pytest.param("before(take)", id="half a pair"),
    ],
)
def test_what_is_not_in_the_language_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match=r"^.+ is not allowed in "):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("yes; no", id="two statements"),
        pytest.param("yes and", id="half a sentence"),
        pytest.param("", id="nothing"),
        pytest.param("yes\0", id="a null byte"),
        pytest.param("(" * 500 + "yes" + ")" * 500, id="nested too deep"),
    ],
)
def test_what_is_no_expression_at_all_cannot_be_read(text: str) -> None:
    with pytest.raises(ExpressionError, match=r"^cannot be read: "):
        parse(text)


def test_a_refusal_says_what_was_found_and_what_is_allowed() -> None:
    with pytest.raises(ExpressionError) as refusal:
        parse("proof_ok and __import__('os')")

    found, allowed = str(refusal.value).split("; ")
    assert found == "\"__import__('os')\" is not allowed in \"proof_ok and __import__('os')\""
    assert allowed.startswith("allowed are not, and, or, comparisons, passed, did, ")


def test_only_numbers_have_an_order() -> None:
    with pytest.raises(ExpressionError, match="only numbers have an order"):
        worth("state < LIMIT")


def test_a_word_beside_a_state_or_event_stands_for_itself() -> None:
    assert parse("old_state == closed") == Compare("==", Name("old_state"), Symbol("closed"))
    assert parse("state == old_state") == Compare("==", Name("state"), Name("old_state"))
    assert parse("echo == claims_ours") == Compare("==", Name("echo"), Name("claims_ours"))


def test_a_name_that_nobody_knows_is_no_silent_no() -> None:
    with pytest.raises(KeyError, match="proof_okay"):
        worth("no or proof_okay")


def test_walking_meets_every_part_once() -> None:
    words = [
        tree
        for tree in walk(parse("not (yes and state == locked) or did(end, idle)"))
        if isinstance(tree, Name | Symbol | Call)
    ]

    assert words == [Name("yes"), Name("state"), Symbol("locked"), Call("did", ("end", "idle"))]
