"""Follow the hash chain of a ledger from its beginning, and compare it with what was anchored outside."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable

from tradecore.audit.finding import Finding
from tradecore.audit.merkle import Frontier
from tradecore.domain.events import LedgerCreated
from tradecore.errors import CorruptLedger
from tradecore.journal.chain import GENESIS, Link, link
from tradecore.journal.contract import Journal
from tradecore.ports.anchor import Anchor

_PAGE = 1000
_MOST = 20  # findings of one kind; a file that is damaged everywhere need not be told event by event


def check_chain(journal: Journal, anchors: Iterable[Anchor] = ()) -> list[Finding]:
    """Everything that is wrong with the chain, or between it and the anchors. Memory does not grow with the ledger.

    Read the anchors before calling: one that is made meanwhile may lie behind the end that is found here.
    """
    check = ChainCheck(ledger_id_of(journal), anchors)
    try:
        check.follow(journal)
    except CorruptLedger as error:
        check.find("chain", f"after position {check.position}", f"the chain cannot be followed further: {error}")
    else:
        check.finish()
    return check.findings


def ledger_id_of(journal: Journal) -> str | None:
    """The identity in the first event, None when there is none that can be read."""
    try:
        first = journal.read(0, 1)
    except CorruptLedger:
        return None
    return first[0].event.ledger_id if first and isinstance(first[0].event, LedgerCreated) else None


class ChainCheck:
    """Stands behind the last event it took; can go on when the ledger has grown."""

    def __init__(self, ledger_id: str | None, anchors: Iterable[Anchor] = ()) -> None:
        self.position = 0
        self.chain = GENESIS
        self.tree = Frontier()
        self.findings: list[Finding] = []
        self._counts: Counter[str] = Counter()
        ours: list[Anchor] = []
        for anchor in anchors:
            if anchor.ledger_id == ledger_id:
                ours.append(anchor)
            else:
                told = "does not say who it is" if ledger_id is None else f"is {ledger_id}"
                self.find("foreign", _name(anchor), f"it is of the ledger {anchor.ledger_id}, and this one {told}")
        self._anchors = deque(sorted(ours, key=lambda anchor: anchor.position))

    def follow(self, journal: Journal) -> None:
        """Take everything up to the end. Raises `CorruptLedger` for a row that cannot be read."""
        while links := journal.links(self.position, _PAGE):
            for item in links:
                self.take(item)

    def take(self, item: Link) -> None:
        """The next event. A break is told once: what follows is judged by the link that is stored."""
        position, stream, version, name, state, chain = item
        if chain != link(self.chain, position, stream, version, name, state) or position != self.position + 1:
            where = f"the event at position {position} ({stream}, version {version})"
            self.find("chain", f"event {position}", f"{where} is not what was linked behind position {self.position}")
        self.position, self.chain = position, chain
        self.tree.add(chain)
        while self._anchors and self._anchors[0].position <= position:
            self._compare(self._anchors.popleft())

    def finish(self) -> None:
        """There are no more events: no anchor may be left."""
        if self._anchors:
            last, count = self._anchors[-1], len(self._anchors)
            self.find(
                "rewind",
                f"ledger {last.ledger_id}",
                f"it ends at position {self.position}, and {count} anchors are behind that, the last {_name(last)}: "
                "its end was cut off, or an old copy was put in its place",
            )

    def find(self, check: str, subject: str, message: str) -> None:
        """Note something; of many of one kind only the first are told."""
        self._counts[check] += 1
        if self._counts[check] <= _MOST:
            self.findings.append(Finding(check, subject, message))
        elif self._counts[check] == _MOST + 1:
            self.findings.append(Finding(check, "ledger", "there are more of these, which are not told one by one"))

    def _compare(self, anchor: Anchor) -> None:
        if anchor.position != self.position or anchor.chain != self.chain:
            self.find("anchor", _name(anchor), "the history up to there is another one than was anchored")
        elif not self._counts["chain"] and anchor.root != self.tree.root():
            self.find("anchor", _name(anchor), "its tree is not the one over the links of this ledger")


def _name(anchor: Anchor) -> str:
    return f"anchor at position {anchor.position} of {anchor.recorded_at.isoformat()}"
