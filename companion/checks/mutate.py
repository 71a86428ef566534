"""Plant one small fault in a right answer, of the kinds that people make: each case of a bank should tell it from right.

The same faults serve as declared mistakes: ``wrong_version(reference, "drop a term", "x @ weight + bias")``.
"""

from __future__ import annotations

import ast
import copy
import inspect
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from companion.checks.bank import defined

Change = tuple[ast.AST, ast.AST | None]
"""A place in the tree and what stands there instead; ``None`` takes a statement away."""

AXES = ("dim", "axis", "start_dim")
REDUCTIONS = {
    "sum": "mean",
    "mean": "sum",
    "amax": "amin",
    "amin": "amax",
    "max": "min",
    "min": "max",
    "any": "all",
    "all": "any",
}
DROPPED = {
    "abs",
    "exp",
    "log",
    "log1p",
    "expm1",
    "sqrt",
    "square",
    "tanh",
    "sigmoid",
    "relu",
    "sign",
    "clamp",
    "float",
    "clone",
    "round",
}
COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """A right answer with one fault.

    Attributes:
        operator: What kind of fault, a key of :data:`OPERATORS`.
        before: The expression or statement as it was.
        after: The same with the fault.
        line: The whole line with the fault.
        source: The whole text with the fault.
    """

    operator: str
    before: str
    after: str
    line: str
    source: str

    def functions(self, *names: str) -> tuple[Callable[..., Any], ...]:
        """Return the faulty functions of these names."""
        return tuple(defined(self.source, names, "<a fault was planted here>").values())


def mutants(source: str) -> list[Mutant]:
    """Return all versions of a text with one fault each.

    >>> [m.after for m in mutants("def f(x, b):\\n    return 2 * x + b") if m.operator == "drop a term"]
    ['2 * x', 'b']
    """
    tree = ast.parse(source)
    right = ast.unparse(tree)
    found: dict[str, Mutant] = {}
    for operator, changes in OPERATORS.items():
        for node in ast.walk(tree):
            for place, instead in changes(node):
                text = ast.unparse(_replaced(tree, place, instead))
                if text not in found and text != right:
                    after = "" if instead is None else ast.unparse(instead)
                    found[text] = Mutant(operator, ast.unparse(place), after, _changed(right, text), text)
    return list(found.values())


def _changed(right: str, wrong: str) -> str:
    """Return the first line of a text that is not as in another."""
    pairs = zip(right.splitlines(), wrong.splitlines())
    return next((w.strip() for r, w in pairs if r != w), "")


def wrong_version(function: Callable[..., Any], operator: str, before: str, nth: int = 0) -> Callable[..., Any]:
    """Return a function with one fault, to be declared as a known mistake.

    Args:
        function: the right one, which uses nothing but ``torch`` and Python.
        operator: the kind of fault, a key of :data:`OPERATORS`.
        before: the expression to change, as ``ast.unparse`` writes it.
        nth: which of the faults of this kind at this place.

    Raises:
        ValueError: if there is no such place; the text names those that there are.
    """
    source = textwrap.dedent(inspect.getsource(function))
    fitting = [m for m in mutants(source) if m.operator == operator]
    here = [m for m in fitting if m.before == before]
    if nth >= len(here):
        places = "; ".join(sorted({m.before for m in fitting})) or "none"
        raise ValueError(
            f"wrong_version: before expected a place for {operator!r}, got {before!r}; there are: {places}"
        )
    return here[nth].functions(function.__name__)[0]


def _replaced(tree: ast.Module, place: ast.AST, instead: ast.AST | None) -> ast.Module:
    """Return a copy of the tree in which one node is another, or gone."""
    tree, path = copy.deepcopy(tree), _path(tree, place)
    node: Any = tree
    for name, number in path[:-1]:
        node = getattr(node, name) if number is None else getattr(node, name)[number]
    name, number = path[-1]
    if number is None:
        setattr(node, name, instead)
    elif instead is None:
        getattr(node, name)[number] = ast.Pass()
    else:
        getattr(node, name)[number] = instead
    return ast.fix_missing_locations(tree)


def _path(tree: ast.AST, place: ast.AST) -> list[tuple[str, int | None]]:
    """Return the fields that lead from a tree to one of its nodes."""
    for name, value in ast.iter_fields(tree):
        for number, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if child is place:
                return [(name, number)]
            if isinstance(child, ast.AST) and (rest := _path(child, place)):
                return [(name, number), *rest]
    return []


# -- what people do -----------------------------------------------------------------------------------


def _drop_term(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        yield node, node.left
        if isinstance(node.op, ast.Add):
            yield node, node.right


def _flip_sign(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        yield node, ast.BinOp(node.left, ast.Sub() if isinstance(node.op, ast.Add) else ast.Add(), node.right)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and not isinstance(node.operand, ast.Constant):
        yield node, node.operand


def _forget_factor(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div | ast.Pow | ast.FloorDiv):
        yield node, node.left
        if isinstance(node.op, ast.Mult):
            yield node, node.right


def _other_axis(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.keyword) and node.arg in AXES and (value := _whole(node.value)) is not None:
        yield node, ast.keyword(node.arg, ast.Constant(1 if value == 0 else 0))
    if isinstance(node, ast.keyword) and node.arg in AXES and isinstance(node.value, ast.Name):
        yield node, ast.keyword(node.arg, ast.Constant(-1))
    if isinstance(node, ast.Attribute) and node.attr in ("T", "mT"):
        yield node, node.value
    if isinstance(node, ast.keyword) and node.arg == "keepdim":
        yield node, ast.keyword("keepdim", ast.Constant(not getattr(node.value, "value", False)))
    if not (isinstance(node, ast.Subscript) and getattr(node.value, "attr", "") == "shape"):
        return
    if (value := _whole(node.slice)) is not None:
        yield node, ast.Subscript(node.value, ast.Constant(1 if value == 0 else 0), ast.Load())


def _whole(node: ast.AST) -> int | None:
    """Return the whole number that an expression writes down, or ``None``."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node = node.operand
    return node.value if isinstance(node, ast.Constant) and type(node.value) is int else None


def _other_constant(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        yield node, ast.Constant(node.value + 1)
        yield node, ast.Constant(node.value * 2 if node.value else -1)


def _other_reduction(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Attribute) and node.attr in REDUCTIONS:
        yield node, ast.Attribute(node.value, REDUCTIONS[node.attr], ast.Load())
    if isinstance(node, ast.Name) and node.id in ("sum", "max", "min", "any", "all") and node.id != "sum":
        yield node, ast.Name(REDUCTIONS[node.id], ast.Load())


def _stale_state(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.AugAssign):
        yield node, ast.Assign([node.target], node.value, lineno=0)
        yield node, None
    for name in ("body", "orelse"):
        body = getattr(node, name, None)
        for one in body if isinstance(body, list) else []:
            if isinstance(one, ast.Assign) and not isinstance(node, ast.Module | ast.ClassDef):
                yield one, None


def _other_comparison(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in COMPARED:
        yield node, ast.Compare(node.left, [COMPARED[type(node.ops[0])]()], node.comparators)
    if isinstance(node, ast.BoolOp):
        yield node, ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)


def _other_branch(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "where" and len(node.args) == 3:
        yield node, ast.Call(node.func, [node.args[0], node.args[2], node.args[1]], node.keywords)
    if isinstance(node, ast.IfExp):
        yield node, ast.IfExp(node.test, node.orelse, node.body)
    if isinstance(node, ast.If | ast.While):
        turned = ast.UnaryOp(ast.Not(), node.test)
        yield node.test, turned


def _forget_call(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in DROPPED:
        of_torch = isinstance(node.func.value, ast.Name) and node.func.value.id == "torch"
        yield node, node.args[0] if of_torch and node.args else node.func.value
    if isinstance(node, ast.If) and not node.orelse:
        yield node, None


OPERATORS: dict[str, Callable[[ast.AST], Iterator[Change]]] = {
    "drop a term": _drop_term,
    "flip a sign": _flip_sign,
    "forget a factor": _forget_factor,
    "take another axis": _other_axis,
    "another constant": _other_constant,
    "another reduction": _other_reduction,
    "stale state": _stale_state,
    "another comparison": _other_comparison,
    "another branch": _other_branch,
    "forget a step": _forget_call,
}
"""Kinds of fault: a function from a node to what may stand in the place of it, or of one of its parts."""
