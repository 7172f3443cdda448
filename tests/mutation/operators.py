"""What is changed in a module, one small change at a time, as a reviewer might overlook it.

Text that people read, logging, annotations, docstrings and assertions stay as they are.
"""

from __future__ import annotations

import ast
import copy
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import attrs

from tests.mutation.places import places

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_:.]*")
_SHORT, _AROUND = 90, 25
_NUMBER = re.compile(r"\d+(\.\d+)?")
_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,  # not a division: most factors here are signs
    ast.Div: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
}
_FUNCTIONS = {
    "plus": "minus", "minus": "plus", "times": "plus", "rounded_quotient": "plus",
    "max": "min", "min": "max", "any": "all", "all": "any",
}  # fmt: skip


@attrs.frozen
class Mutant:
    """One change. `key` names it without line numbers; `function` is (name, first line) of what to recompile.

    `function` is None where the change is made while the module is imported. `lines` are those of its statement;
    `planted` makes the module with the change.
    """

    module: str
    key: str
    line: int
    lines: tuple[int, int]
    function: tuple[str, int] | None
    planted: Callable[[], ast.Module] = attrs.field(repr=False, eq=False)


def mutants_of(path: Path, module: str) -> Iterator[Mutant]:
    """Every change to a module, in the order of its lines."""
    tree = ast.parse(path.read_text())
    seen: Counter[str] = Counter()
    for place in places(tree):
        for change in _changes(place.node):
            new = ast.fix_missing_locations(ast.copy_location(change, place.node))
            before, after = _shortened(_told(place.node), _told(new))
            key = f"{module} {place.name}: {before} -> {after}"
            seen[key] += 1
            if seen[key] > 1:
                key = f"{key} ({seen[key]})"
            planted = partial(_replaced, tree, place.node, new)
            yield Mutant(module, key, place.line, place.lines, place.function, planted)


def _told(node: ast.AST) -> str:
    """A node on one line; of a statement with a body only its head."""
    text = ast.unparse(node)
    if isinstance(node, ast.stmt) and hasattr(node, "body"):
        text = text.partition("\n")[0]
    return " ".join(text.split())


def _shortened(before: str, after: str) -> tuple[str, str]:
    """What differs between the two, with a little of what is around it."""
    if max(len(before), len(after)) <= _SHORT:
        return before, after
    begin = max(0, _shared(before, after) - _AROUND)
    end = max(0, _shared(before[begin:][::-1], after[begin:][::-1]) - _AROUND)
    head, tail = "..." * bool(begin), "..." * bool(end)
    return f"{head}{before[begin : len(before) - end]}{tail}", f"{head}{after[begin : len(after) - end]}{tail}"


def _shared(one: str, other: str) -> int:
    """How many characters both begin with."""
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _replaced(tree: ast.Module, old: ast.AST, new: ast.AST) -> ast.Module:
    return copy.deepcopy(tree, {id(old): new})


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=[first]):
            for other in _COMPARISONS[type(first)]:
                yield ast.Compare(node.left, [other()], node.comparators)
        case ast.Compare():
            for number, each in enumerate(node.ops):
                for other in _COMPARISONS[type(each)]:
                    yield ast.Compare(
                        node.left, [*node.ops[:number], other(), *node.ops[number + 1 :]], node.comparators
                    )
        case ast.BoolOp():
            yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
            for number in range(len(node.values)):
                rest = [*node.values[:number], *node.values[number + 1 :]]
                yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield node.operand
        case ast.BinOp() if type(node.op) in _ARITHMETIC:
            yield ast.BinOp(node.left, _ARITHMETIC[type(node.op)](), node.right)
        case ast.IfExp():
            yield ast.IfExp(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
        case ast.Constant():
            yield from _constants(node)
        case ast.Call():
            yield from _calls(node)
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
            yield from _comprehensions(node)
        case ast.stmt():
            yield from _statements(node)
        case _:
            pass


def _constants(node: ast.Constant) -> Iterator[ast.AST]:
    match node.value:
        case bool() as value:
            yield ast.Constant(not value)
        case int() as value:
            yield ast.Constant(value + 1)
        case float() as value:
            yield ast.Constant(value + 1)
        case str() as value if _NUMBER.fullmatch(value):
            yield ast.Constant(f"1{value}")
        case str() as value if _NAME.fullmatch(value):
            yield ast.Constant(f"no {value}")
        case _:
            pass


def _calls(node: ast.Call) -> Iterator[ast.AST]:
    if isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS:
        yield ast.Call(ast.Name(_FUNCTIONS[node.func.id], ast.Load()), node.args, node.keywords)
    for number, keyword in enumerate(node.keywords):
        if keyword.arg is not None:
            yield ast.Call(node.func, node.args, [*node.keywords[:number], *node.keywords[number + 1 :]])


def _comprehensions(node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Iterator[ast.AST]:
    for number, each in enumerate(node.generators):
        for skipped in range(len(each.ifs)):
            changed = copy.deepcopy(node)
            del changed.generators[number].ifs[skipped]
            yield changed


def _statements(node: ast.stmt) -> Iterator[ast.AST]:
    match node:
        case ast.Return(value=value) if value is not None and not _is_constant(value):
            yield ast.Return(ast.Constant(None))
        case ast.Expr() | ast.Raise() | ast.AugAssign():
            yield ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield ast.Pass()
        case ast.If():
            for always in (True, False):
                yield ast.If(ast.Constant(always), node.body, node.orelse)
        case ast.For():
            yield ast.For(node.target, ast.Tuple([], ast.Load()), node.body, node.orelse)
        case ast.While():
            yield ast.While(ast.Constant(False), node.body, node.orelse)
        case ast.Continue():
            yield ast.Break()
        case ast.Break():
            yield ast.Continue()
        case _:
            pass


def _is_constant(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, bool))
