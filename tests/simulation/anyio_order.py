"""anyio keeps its tasks and scopes in sets, which are gone through by address in memory: here, in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from anyio._backends import _asyncio as backend


class _InOrder(dict[Any, None]):
    """A set that is gone through in the order of its filling, not of addresses in memory."""

    def add(self, item: Any) -> None:
        self[item] = None

    def discard(self, item: Any) -> None:
        self.pop(item, None)

    def remove(self, item: Any) -> None:
        del self[item]


def order_anyio() -> Callable[[], None]:
    """Have anyio go through its tasks and scopes in a fixed order; returns what puts it back."""
    scope_init, group_init = backend.CancelScope.__init__, backend.TaskGroup.__init__

    def init_scope(self: Any, *args: Any, **kwargs: Any) -> None:
        scope_init(self, *args, **kwargs)
        self._child_scopes, self._tasks = _InOrder(), _InOrder()

    def init_group(self: Any, *args: Any, **kwargs: Any) -> None:
        group_init(self, *args, **kwargs)
        self._tasks = _InOrder()

    backend.CancelScope.__init__ = init_scope  # type: ignore[method-assign]
    backend.TaskGroup.__init__ = init_group  # type: ignore[method-assign]

    def restore() -> None:
        backend.CancelScope.__init__ = scope_init  # type: ignore[method-assign]
        backend.TaskGroup.__init__ = group_init  # type: ignore[method-assign]

    return restore
