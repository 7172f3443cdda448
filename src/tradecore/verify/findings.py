"""What a verification finds, up to a number of each kind: a ledger that is damaged everywhere is told in part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from tradecore.audit.finding import Finding

_MOST = 1000


class Findings:
    """Collects findings."""

    def __init__(self) -> None:
        self._found: list[Finding] = []
        self._counts: Counter[str] = Counter()

    def add(self, check: str, subject: str, message: str) -> None:
        """Note something; of many of one check only the first are told."""
        self._counts[check] += 1
        if self._counts[check] <= _MOST:
            self._found.append(Finding(check, subject, message))
        elif self._counts[check] == _MOST + 1:
            self._found.append(Finding(check, "ledger", "there are more of these, which are not told one by one"))

    def extend(self, found: Iterable[Finding]) -> None:
        """Note several."""
        for each in found:
            self.add(each.check, each.subject, each.message)

    def same(self, check: str, subject: str, what: str, recorded: object, right: object) -> None:
        """Note it when two that must be equal are not."""
        if recorded != right:
            self.add(check, subject, f"{what} is recorded as {recorded} and follows from the rest as {right}")

    def all(self) -> tuple[Finding, ...]:
        """Everything found so far."""
        return tuple(self._found)
