"""Following the hash chain of a ledger file: events per second, with and without anchors, and the memory it takes."""

from __future__ import annotations

import argparse
import tempfile
import time
import tracemalloc
from contextlib import closing
from pathlib import Path

from journal_append import made
from machine import describe, in_turn, table

from tradecore.audit.anchorer import Anchorer
from tradecore.audit.chain_check import check_chain
from tradecore.audit.proof import prove
from tradecore.domain.events import LedgerCreated
from tradecore.domain.streams import LEDGER
from tradecore.journal import Journal, open_journal
from tradecore.ports.anchor import Anchor
from tradecore.runner.system import SystemClock
from tradecore.testing.journal_samples import recorded

_BATCH = 1000


class _Kept:
    def __init__(self) -> None:
        self.anchors: list[Anchor] = []

    def record(self, anchor: Anchor) -> None:
        self.anchors.append(anchor)


def fill(journal: Journal, events: int) -> list[Anchor]:
    """Birth, then events of everyday size in one stream; anchored every thousand."""
    sink = _Kept()
    anchorer = Anchorer(journal, sink, SystemClock(), every_events=1000)
    journal.append([recorded(LEDGER, 1, LedgerCreated("ledger-1", "0a1b2c3d", "benchmark"))])
    for start in range(1, events, _BATCH):
        journal.append([made("order-1", start + k) for k in range(_BATCH)])
        anchorer.step()
    return sink.anchors


def rate(journal: Journal, anchors: list[Anchor]) -> float:
    """Events per second of one verification of the chain."""
    started = time.perf_counter()
    assert check_chain(journal, anchors) == []
    return journal.head() / (time.perf_counter() - started)


def proof_rate(journal: Journal, anchors: list[Anchor]) -> float:
    """Events per second that a proof goes over."""
    started = time.perf_counter()
    prove(journal, journal.head() // 2, anchors[-1:])
    return journal.head() / (time.perf_counter() - started)


def peak_mb(journal: Journal, anchors: list[Anchor]) -> float:
    """What a verification holds at most, in megabytes."""
    tracemalloc.start()
    check_chain(journal, anchors)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    events = parser.parse_args().events
    rows = [["events", "chain/s", "with anchors/s", "proof/s", "peak MB"]]
    for size in (events // 10, events):
        with tempfile.TemporaryDirectory() as folder, closing(open_journal(f"sqlite:///{Path(folder) / 'l.db'}")) as j:
            anchors = fill(j, size)
            alone, anchored, proof = in_turn(
                3,
                lambda j=j: rate(j, []),
                lambda j=j, anchors=anchors: rate(j, anchors),
                lambda j=j, anchors=anchors: proof_rate(j, anchors),
            )
            rows.append(
                [f"{j.head():,}", f"{alone:,.0f}", f"{anchored:,.0f}", f"{proof:,.0f}", f"{peak_mb(j, anchors):.1f}"]
            )
    table(f"following the chain, SQLite ({describe()})", rows)


if __name__ == "__main__":
    main()
