"""The campaign in several processes: seeds go out, outcomes come back."""

from __future__ import annotations

import multiprocessing
import queue
from collections.abc import Iterator, Sequence

import anyio
import structlog

from tests.campaign.campaign import Outcome, run_all

_CRITICAL = 50
_LOOK_S = 5.0


def outcomes(seeds: Sequence[int], processes: int, at_once: int) -> Iterator[Outcome]:
    """Run the seeds; each process takes its share, some runs beside each other. Raises `RuntimeError` when one dies."""
    context = multiprocessing.get_context("spawn")  # what a fork would copy holds threads and event loops
    results: multiprocessing.Queue[Outcome] = context.Queue()
    shares = [list(seeds[number::processes]) for number in range(processes)]
    workers = [context.Process(target=_work, args=(share, at_once, results)) for share in shares if share]
    for worker in workers:
        worker.start()
    try:
        for _ in seeds:
            yield _next(results, workers)
    finally:
        for worker in workers:
            worker.terminate()
            worker.join()


def _next(results: multiprocessing.Queue[Outcome], workers: Sequence[multiprocessing.process.BaseProcess]) -> Outcome:
    while True:
        try:
            return results.get(timeout=_LOOK_S)
        except queue.Empty:
            if any(worker.exitcode for worker in workers):
                raise RuntimeError("a process of the campaign died") from None


def _work(seeds: list[int], at_once: int, results: multiprocessing.Queue[Outcome]) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(_CRITICAL))
    anyio.run(run_all, seeds, at_once, results.put)
