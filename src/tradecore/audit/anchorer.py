"""When to anchor, and that only a whole chain is anchored."""

from __future__ import annotations

from collections.abc import Iterable

from tradecore.audit.chain_check import ChainCheck, ledger_id_of
from tradecore.errors import CorruptLedger
from tradecore.journal.contract import Journal
from tradecore.ports.anchor import Anchor, AnchorSink
from tradecore.ports.clock import Clock


class Anchorer:
    """Anchors a growing ledger every so many events or seconds, whichever comes first.

    Each anchor costs following the chain from the one before; the first one costs the whole ledger (`docs/decisions`
    0006 has the figures).
    """

    def __init__(
        self,
        journal: Journal,
        sink: AnchorSink,
        clock: Clock,
        known: Iterable[Anchor] = (),
        *,
        every_events: int = 1000,
        every_s: float = 60.0,
    ) -> None:
        """`known` are the anchors that exist already; the first anchoring holds the ledger against them."""
        assert every_events > 0, "an anchor stands for at least one event"
        assert every_s >= 0, "time does not run backwards"
        self._journal = journal
        self._sink = sink
        self._clock = clock
        self._known = tuple(known)
        self._every_events = every_events
        self._every_s = every_s
        self._check: ChainCheck | None = None
        self._at = max((anchor.position for anchor in self._known), default=0)
        self._since = clock.monotonic()

    def due(self) -> bool:
        """Whether there are events behind the last anchor, and enough of them or for long enough."""
        waiting = self._journal.head() - self._at
        if waiting < 0:
            return True  # the ledger is shorter than it was: let `anchor` say so
        return waiting >= self._every_events or (waiting > 0 and self._clock.monotonic() - self._since >= self._every_s)

    def step(self) -> Anchor | None:
        """Anchor if it is due."""
        return self.anchor() if self.due() else None

    def anchor(self) -> Anchor:
        """Follow the chain to its end and record that.

        Raises `CorruptLedger`, with nothing recorded, for an empty ledger, one that is not what was anchored before, or
        one whose chain is broken; `StoreUnavailable`.
        """
        ledger_id = ledger_id_of(self._journal)
        if ledger_id is None:
            raise CorruptLedger("the ledger does not begin with its own creation, so there is nothing to anchor")
        check = self._check or ChainCheck(ledger_id, self._known)
        if check.position and [item.chain for item in self._journal.links(check.position - 1, 1)] != [check.chain]:
            raise CorruptLedger(f"not anchored: position {check.position} is no longer there as it was")
        check.follow(self._journal)
        check.finish()
        if check.findings:
            first = check.findings[0]
            raise CorruptLedger(f"not anchored: {first.check}, {first.subject}: {first.message}")
        anchor = Anchor(ledger_id, check.position, check.chain, check.tree.root(), self._clock.now())
        self._sink.record(anchor)
        self._check, self._at, self._since = check, check.position, self._clock.monotonic()
        return anchor
