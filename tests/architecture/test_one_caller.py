"""Only the outbox gives instructions to a broker, and only the ledger appends to the journal."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("src", "runners", "adapters")


_INSTRUCTIONS = {"submit", "cancel", "replace", "cancel_all", "close_position", "suspend"}


def python_files() -> list[Path]:
    return [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


_POOL = "runners/tradecore_sweep/executor.py"


def method_calls(tree: ast.AST, names: set[str]) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names:
            yield node


def is_instruction(call: ast.Call) -> bool:
    """A broker's `submit`, `cancel` and `replace` take an argument; a scope's or task's `cancel` takes none."""
    assert isinstance(call.func, ast.Attribute)
    receiver = ast.unparse(call.func.value)
    is_text = call.func.attr == "replace" and "broker" not in receiver
    return (bool(call.args or call.keywords) or call.func.attr == "cancel_all") and not is_text


def broker_callers(sources: dict[str, str]) -> set[str]:
    found = set()
    for name, source in sources.items():
        for call in method_calls(ast.parse(source), _INSTRUCTIONS):
            if is_instruction(call):
                found.add(name)
    return found


def library_sources() -> dict[str, str]:
    """Everything that could hold a broker in production: the library and its runners, without its shipped tests."""
    return {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for path in python_files()
        if not str(path.relative_to(ROOT)).startswith(("adapters", "src/tradecore/testing"))
    }


def test_only_the_calls_of_the_outbox_give_instructions() -> None:
    sources = library_sources()
    assert "broker" not in sources.pop(_POOL), "it hands out work to processes, by a method of the same name"
    assert broker_callers(sources) == {"src/tradecore/outbox/calls.py"}


@pytest.mark.parametrize(
    "line",
    [
        "await self._broker.submit(request)",
        "await venue.broker.cancel(order_id)",
        "await broker.replace(old, new)",
        "await broker.cancel_all()",
        "await broker.close_position('SPY')",
        "await broker.suspend(suspended=True)",
    ],
)
def test_the_check_notices_a_second_caller(line: str) -> None:
    planted = {
        "src/tradecore/engine.py": f"async def f(self, request, venue, broker, order_id, old, new):\n    {line}\n"
    }
    assert broker_callers(planted) == {"src/tradecore/engine.py"}


def test_no_adapter_calls_the_instructions_of_a_tradecore_broker() -> None:
    """An adapter implements them; nothing in it may call them, on itself or on another."""
    callers = set()
    for path in python_files():
        name = str(path.relative_to(ROOT))
        if name.startswith("adapters/tradecore_alpaca"):
            for call in method_calls(ast.parse(path.read_text(encoding="utf-8")), {"submit", "cancel"}):
                if is_instruction(call):
                    callers.add(name)
    assert callers == set()


def test_only_the_ledger_appends_to_a_journal() -> None:
    callers = set()
    for name, source in library_sources().items():
        for call in method_calls(ast.parse(source), {"append", "append_soon", "append_batch", "append_each"}):
            assert isinstance(call.func, ast.Attribute)
            if "journal" in ast.unparse(call.func.value):
                callers.add(name)
    finished = "runners/tradecore_backtest/writing.py"  # a whole ledger of a run that is over, where there was none
    assert callers == {"src/tradecore/ledger.py", "src/tradecore/journal/group_commit.py", finished}
