"""Verification: go through a whole ledger and find whatever contradicts itself, the domain, or the views."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing, suppress

import attrs

from tradecore.audit.chain_check import check_chain
from tradecore.audit.finding import Finding
from tradecore.errors import CorruptLedger
from tradecore.journal.contract import Journal
from tradecore.journal.scratch import Scratch
from tradecore.journal.url import shown
from tradecore.ports.anchor import Anchor
from tradecore.verify.findings import Findings
from tradecore.verify.log_order import LogOrder
from tradecore.verify.streams import Streams
from tradecore.verify.sums import Sums
from tradecore.views import ALL_VIEWS
from tradecore.views.comparison import Comparison
from tradecore.views.folding import SENSELESS
from tradecore.views.projector import Projector
from tradecore.views.snapshots import wrong_snapshots

_PAGE = 1000


@attrs.frozen
class Report:
    """What a verification went through, and what it found."""

    events: int
    streams: int
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """True when nothing was found."""
        return not self.findings


def verify(journal: Journal, anchors: Sequence[Anchor] = ()) -> Report:
    """Check store, chain, log, views and books of a ledger; damage becomes findings. Views are caught up first.

    Memory does not grow with the ledger: what does not fit lies in a temporary file, about as large as the ledger.
    Raises `StoreUnavailable`, and `NewerLedger` for a ledger that this tradecore cannot judge.
    """
    findings = Findings()
    try:
        journal.check()
    except CorruptLedger as error:
        findings.add("store", shown(journal.url), str(error))
    findings.extend(check_chain(journal, anchors))
    with closing(Scratch()) as scratch:
        return _go_through(journal, scratch, findings)


def _go_through(journal: Journal, scratch: Scratch, findings: Findings) -> Report:
    with suppress(CorruptLedger):  # what it means to each view, the view's comparison says
        Projector(journal, ALL_VIEWS, alarm=lambda _: None).catch_up(batch=_PAGE * 10)
    views = [Comparison(journal, view, scratch) for view in ALL_VIEWS]
    log, streams, sums = LogOrder(scratch, findings), Streams(scratch, findings), Sums(scratch, findings)
    try:
        while page := journal.read(log.position, _PAGE):
            log.take(page)
            for recorded in page:
                streams.take(recorded)
                sums.take(recorded)
            for view in views:
                view.take(page)
    except CorruptLedger as error:
        findings.add("log", f"after position {log.position}", f"the log cannot be read further: {error}")
    else:
        log.finish()
        for view in views:
            findings.extend(Finding("views", subject, message) for subject, message in view.differences())
        wrong = wrong_snapshots(journal, streams.whole)
        findings.extend(Finding("snapshots", subject, message) for subject, message in wrong)
        try:
            sums.compare(streams)
        except SENSELESS as error:
            findings.add("books", "ledger", f"the sums cannot be made of what is recorded: {error!r}")
    return Report(log.events, len(streams), findings.all())
