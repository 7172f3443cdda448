"""Where a module can be changed: its statements and expressions, each with what has to be compiled anew."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import attrs


@attrs.frozen
class Place:
    """A node. `name` is the function or class that it is in, `lines` are those of its statement's own.

    `function` is the name and first line of the outermost function around it, None where it runs at import.
    """

    node: ast.AST
    name: str
    line: int
    lines: tuple[int, int]
    function: tuple[str, int] | None


def places(tree: ast.Module) -> Iterator[Place]:
    """Everything in a module but imports, assertions, annotations, docstrings, logging, and text for people."""
    yield from _in_body(tree.body, "", None)


def _in_body(body: list[ast.stmt], name: str, function: tuple[str, int] | None) -> Iterator[Place]:
    for number, statement in enumerate(body):
        is_docstring = number == 0 and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        if not is_docstring:
            yield from _in_statement(statement, name, function)


def _in_statement(statement: ast.stmt, name: str, function: tuple[str, int] | None) -> Iterator[Place]:
    if isinstance(statement, ast.Import | ast.ImportFrom | ast.Assert) or _is_for_people(statement):
        return
    inner = f"{name}.{statement.name}" if name and isinstance(statement, _NAMED) else getattr(statement, "name", "")
    if isinstance(statement, ast.ClassDef):
        yield from _in_body(statement.body, inner, None)
        return
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        defaults = [*statement.args.defaults, *(one for one in statement.args.kw_defaults if one is not None)]
        for default in defaults:
            yield from _in_expression(default, inner, statement, function)
        first = min((one.lineno for one in statement.decorator_list), default=statement.lineno)
        yield from _in_body(statement.body, inner, function or (inner, first))
        return
    yield _place(statement, name, statement, function)
    for part in _parts(statement):
        if isinstance(part, ast.expr):
            yield from _in_expression(part, name, statement, function)
    for body in _bodies(statement):
        yield from _in_body(body, name, function)


_NAMED = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def _place(node: ast.AST, name: str, statement: ast.stmt, function: tuple[str, int] | None) -> Place:
    bodies = _bodies(statement)
    last = min((body[0].lineno - 1 for body in bodies if body), default=statement.end_lineno or statement.lineno)
    line = getattr(node, "lineno", statement.lineno)
    return Place(node, name or "(module)", line, (statement.lineno, max(last, statement.lineno)), function)


def _parts(statement: ast.stmt) -> Iterator[ast.AST]:
    for field, value in ast.iter_fields(statement):
        if field in ("annotation", "body", "orelse", "finalbody", "handlers", "target", "targets", "type_params"):
            continue
        if field == "cases":
            yield from (case.guard for case in value if case.guard is not None)
        elif field == "items":
            yield from (item.context_expr for item in value)
        else:
            yield from (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, ast.AST))


def _bodies(statement: ast.stmt) -> list[list[ast.stmt]]:
    found = [getattr(statement, field, []) for field in ("body", "orelse", "finalbody")]
    found += [each.body for each in (*getattr(statement, "handlers", ()), *getattr(statement, "cases", ()))]
    return [body for body in found if body]


def _in_expression(node: ast.expr, name: str, statement: ast.stmt, function: tuple[str, int] | None) -> Iterator[Place]:
    if isinstance(node, ast.JoinedStr):
        return  # a sentence for people
    yield _place(node, name, statement, function)
    for child in ast.iter_child_nodes(node):
        for inner in _expressions(child):
            yield from _in_expression(inner, name, statement, function)


def _expressions(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.expr):
        yield node
    elif isinstance(node, ast.comprehension):
        yield from (node.iter, *node.ifs)
    elif isinstance(node, ast.keyword):
        yield node.value


def _is_for_people(statement: ast.stmt) -> bool:
    if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)):
        return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return ast.unparse(statement.value.func).startswith("_log.")
