"""The language of conditions and invariants: parsed once into a small tree, which has one meaning.

    not, and, or, ==, !=, <=, >=, <, >     over names and whole numbers
    passed(TIMER)                          the timer has passed at the moment of this step

In invariants also:

    did(VERB), did(VERB, OBJECT)           the step's row does this
    before(VERB, VERB)                     the step's row does both, in this order
    count(VERB)                            how often it was done so far, this step included
    elapsed(TIMER)                         how long the timer has run when the step is taken; 0 when it does not run
    started(TIMER)                         this step starts the timer, or sets it back to zero
    running(TIMER)                         the timer runs after this step

A name is a fact of the event, one of `state`, `old_state`, `event`, a symbol to compare those with, or (in invariants) a
constant to compare `elapsed` with. In a condition `state` is where the machine is; in an invariant it is where the step leads, and
`old_state` where it comes from.

Python's own parser reads the text; every node that is not in the list above is refused.
"""

import ast
from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple, assert_never

SPECIAL = frozenset({"state", "old_state", "event"})

Value = bool | int | str


class Name(NamedTuple):
    """A fact, or one of `SPECIAL`."""

    name: str


class Symbol(NamedTuple):
    """A state or an event to compare with."""

    name: str


class Number(NamedTuple):
    """A whole number."""

    value: int


class Not(NamedTuple):
    """Negation."""

    inner: "Tree"


class All(NamedTuple):
    """Conjunction."""

    parts: "tuple[Tree, ...]"


class Some(NamedTuple):
    """Disjunction."""

    parts: "tuple[Tree, ...]"


class Compare(NamedTuple):
    """One comparison; `op` is the Python operator."""

    op: str
    left: "Tree"
    right: "Tree"


class Call(NamedTuple):
    """A function of the list above with its words."""

    function: str
    words: tuple[str, ...]


Tree = Name | Symbol | Number | Not | All | Some | Compare | Call


class ExpressionError(ValueError):
    """A condition is not in the language; the text says what was found and what is allowed."""


_OPERATORS: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
_ARITY: Mapping[str, tuple[int, int]] = {
    "passed": (1, 1),
    "did": (1, 2),
    "before": (2, 2),
    "count": (1, 1),
    "elapsed": (1, 1),
    "started": (1, 1),
    "running": (1, 1),
}


@cache
def parse(text: str) -> Tree:
    """The tree of a condition.

    Raises:
        ExpressionError: the text is not in the language.
    """
    try:
        expression = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError) as error:
        raise ExpressionError(f"cannot be read: {text!r} ({error})") from None
    return _tree(expression.body, text)


def _tree(node: ast.expr, text: str) -> Tree:
    match node:
        case ast.Name(id=name):
            return Name(name)
        case ast.Constant(value=int(value)) if not isinstance(value, bool):
            return Number(value)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return Not(_tree(operand, text))
        case ast.BoolOp(op=ast.And(), values=values):
            return All(tuple(_tree(value, text) for value in values))
        case ast.BoolOp(op=ast.Or(), values=values):
            return Some(tuple(_tree(value, text) for value in values))
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _OPERATORS:
            return _comparison(_OPERATORS[type(op)], _tree(left, text), _tree(right, text))
        case ast.Call(func=ast.Name(id=function), args=args, keywords=[]) if function in _ARITY:
            words = tuple(arg.id for arg in args if isinstance(arg, ast.Name))
            low, high = _ARITY[function]
            if len(words) == len(args) and low <= len(words) <= high:
                return Call(function, words)
        case _:
            pass
    allowed = ", ".join(("not", "and", "or", "comparisons", *_ARITY))
    raise ExpressionError(f"{ast.unparse(node)!r} is not allowed in {text!r}; allowed are {allowed}")


def _comparison(op: str, left: Tree, right: Tree) -> Compare:
    if isinstance(left, Name) and left.name in SPECIAL and isinstance(right, Name) and right.name not in SPECIAL:
        right = Symbol(right.name)
    return Compare(op, left, right)


def walk(tree: Tree) -> list[Tree]:
    """The tree and everything under it."""
    match tree:
        case Not(inner):
            return [tree, *walk(inner)]
        case All(parts) | Some(parts):
            return [tree, *(found for part in parts for found in walk(part))]
        case Compare(_, left, right):
            return [tree, *walk(left), *walk(right)]
        case _:
            return [tree]


def evaluate(tree: Tree, names: Mapping[str, Value], call: Callable[[str, tuple[str, ...]], Value]) -> Value:
    """What the tree is worth, given the names and the meaning of the calls."""
    match tree:
        case Name(name):
            return names[name]
        case Symbol(name):
            return name
        case Number(value):
            return value
        case Not(inner):
            return not evaluate(inner, names, call)
        case All(parts):
            return all(evaluate(part, names, call) for part in parts)
        case Some(parts):
            return any(evaluate(part, names, call) for part in parts)
        case Call(function, words):
            return call(function, words)
        case Compare(op, left, right):
            return _compare(op, evaluate(left, names, call), evaluate(right, names, call))
        case _:
            assert_never(tree)


def _compare(op: str, left: Value, right: Value) -> bool:
    if op == "==":
        return left == right
    if op == "!=":
        return left != right
    if isinstance(left, str) or isinstance(right, str):
        raise ExpressionError(f"{left!r} {op} {right!r}: only numbers have an order")
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[op]
