"""Where trials run. The protocol asks for no more than Ray, Dask or a pool of threads can do as well."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice
from multiprocessing import get_context, parent_process
from multiprocessing.context import BaseContext
from typing import Protocol, TypeVar

import attrs

Item = TypeVar("Item")
Result = TypeVar("Result")


class Executor(Protocol):
    """Runs a function over items, anywhere.

    `function` is importable by name; items and results are small and can be pickled. Results come in any order, each as
    soon as it is there; the first error ends the iteration with it. Closing the iterator gives up what has not begun.
    """

    def map_unordered(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Results, as they come."""


class Serial:
    """One after the other, in this process."""

    def map_unordered(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Results, in order."""
        return map(function, items)


@attrs.frozen
class Processes:
    """Processes of this machine. They end when their parent does, however it ends."""

    count: int = attrs.field(factory=lambda: len(os.sched_getaffinity(0)))

    def map_unordered(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Results, as they come; at most two items for each process are under way."""
        pool = ProcessPoolExecutor(self.count, mp_context=_context(), initializer=_end_with_parent)
        queue, begin = iter(items), pool.submit
        try:
            running: set[Future[Result]] = {begin(function, item) for item in islice(queue, 2 * self.count)}
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
                    running |= {begin(function, item) for item in islice(queue, 1)}
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _context() -> BaseContext:
    """Workers are forked from a server that has no threads and has imported what every trial needs."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["tradecore_sweep.trialling"])
    return context


def _end_with_parent() -> None:
    """A killed parent cannot tell its children to stop, so each of them watches it."""
    parent = parent_process()
    assert parent is not None, "a worker has a parent"

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
