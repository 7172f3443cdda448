"""A tally of what happened lately, folded from the log: rejections, errors, losses in a row, repeats, mismatches."""

from __future__ import annotations

import datetime as dt
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from decimal import Decimal

from tradecore.domain import events as ev
from tradecore.domain.messages import Recorded
from tradecore.domain.triggers import Rule, Sign, Trigger
from tradecore.domain.values import rounded_quotient
from tradecore.ledger import Ledger

_NANO = 1_000_000_000
_PERSON = "cli:"
ONE = Decimal(1)


class Tally:
    """Counts of one account, each as far back as its rule looks. Times are those at which events were recorded."""

    def __init__(self, ledger: Ledger, account: str, rules: Mapping[Trigger, Rule]) -> None:
        self._ledger = ledger
        self._account = account
        self._rules = rules
        self._sends: deque[int] = deque()
        self._rejects: deque[int] = deque()
        self._errors: deque[tuple[int, str]] = deque()
        self._intents: deque[tuple[int, str]] = deque()
        self._losses = 0
        self._last_loss = ""
        self._mismatches = 0
        self._failing_since: dt.datetime | None = None
        self._contradiction: str | None = None
        self._damage: str | None = None
        self._disk: str | None = None

    def observe(self, events: tuple[Recorded[ev.Event], ...]) -> None:
        """Take in appended events."""
        for recorded in events:
            self._take(recorded.event, recorded.envelope.recorded_at_ns)

    def _take(self, event: ev.Event, at: int) -> None:
        match event:
            case ev.OrderSubmitted() if self._is_ours(event.order_id):
                self._sends.append(at)
            case ev.OrderRejected() if self._is_ours(event.order_id):
                self._rejects.append(at)
            case ev.OrderOutcomeUnknown() | ev.OrderDead() | ev.OrderNotSent() if self._is_ours(event.order_id):
                self._errors.append((at, event.NAME))
            case ev.ReportParked():
                self._errors.append((at, event.NAME))
            case ev.ReservationMade() if event.account == self._account and event.at is not None:
                if event.agent.startswith(_PERSON):
                    return  # who means it may do it again and again
                what = f"{event.strategy} {event.side.value} {format(event.quantity, 'f')} {event.symbol}"
                self._intents.append((at, what))
            case ev.TradeClosed():
                self._count_trade(event)
            case ev.OrderHalted() if self._is_ours(event.order_id):
                self._contradiction = f"order {event.order_id}: {event.reason}"
            case ev.ReconciliationCompleted() if event.account == self._account:
                self._mismatches = self._mismatches + 1 if event.gating else 0
            case _:
                self._take_system(event, at)

    def _take_system(self, event: ev.Event, at: int) -> None:
        match event:
            case ev.ScheduledWorkFailed():
                self._errors.append((at, event.NAME))
                if event.work == "sync":
                    self._failing_since = event.started_at
            case ev.ScheduledWorkRecovered() if event.work == "sync":
                self._failing_since = None
            case ev.LedgerChecked():
                self._damage = event.finding
            case ev.AlertTriggered() if event.kind == "ledger_damaged":
                self._damage = event.message
            case ev.DiskLow():
                self._disk = f"{event.free_bytes} bytes are free, {event.wanted_bytes} are wanted"
            case ev.DiskRecovered():
                self._disk = None
            case ev.KillSwitchCleared() if event.account == self._account:
                self._forget()
            case _:
                pass

    def _forget(self) -> None:
        """A person has looked at all of it: what was counted does not stop trading a second time."""
        for counted in (self._sends, self._rejects, self._errors, self._intents):
            counted.clear()
        self._losses = self._mismatches = 0
        self._contradiction = self._damage = None

    def _is_ours(self, order_id: str) -> bool:
        order = self._ledger.order(order_id)
        return order is not None and order.account == self._account

    def _count_trade(self, event: ev.TradeClosed) -> None:
        trade = self._ledger.trade(event.trade_id)
        if trade is None or trade.account != self._account or not event.realised_pnl:
            return
        self._losses = self._losses + 1 if event.realised_pnl < 0 else 0
        self._last_loss = f"the last one is trade {event.trade_id}: {format(event.realised_pnl, 'f')}"

    # --- what it comes to -------------------------------------------------------------------------------------------

    def signs(self, now_ns: int) -> Iterator[Sign]:
        """Every figure as it stands at `now_ns`."""
        yield from self._rates(now_ns)
        yield Sign(Trigger.CONSECUTIVE_LOSSES, Decimal(self._losses), f"{self._losses} in a row; {self._last_loss}")
        rounds = f"{self._mismatches} comparisons in a row found differences that hold new risk"
        yield Sign(Trigger.RECONCILE_MISMATCH, Decimal(self._mismatches), rounds)
        if self._failing_since is not None:
            since_s = Decimal(now_ns - int(self._failing_since.timestamp() * _NANO)) / _NANO
            told = f"reading the broker fails since {self._failing_since.isoformat()}"
            yield Sign(Trigger.BROKER_UNREACHABLE, since_s, told)
        standing = (
            (Trigger.CONTRADICTION, self._contradiction),
            (Trigger.LEDGER_DAMAGED, self._damage),
            (Trigger.DISK_LOW, self._disk),
        )
        for trigger, found in standing:
            if found is not None:
                yield Sign(trigger, ONE, found)

    def _rates(self, now_ns: int) -> Iterator[Sign]:
        rule = self._rules.get(Trigger.REJECT_RATE)
        if rule is not None:
            _drop(self._sends, now_ns, rule)
            _drop(self._rejects, now_ns, rule)
            rejected, sent = len(self._rejects), max(len(self._sends), len(self._rejects))
            if rejected >= rule.least:
                told = f"{rejected} of {sent} orders were rejected in {rule.window_s} s"
                yield Sign(Trigger.REJECT_RATE, rounded_quotient(Decimal(rejected), Decimal(sent)), told)
        rule = self._rules.get(Trigger.ERROR_RATE)
        if rule is not None:
            _drop(self._errors, now_ns, rule)
            kinds = ", ".join(f"{count} {name}" for name, count in Counter(name for _, name in self._errors).items())
            yield Sign(Trigger.ERROR_RATE, Decimal(len(self._errors)), f"in {rule.window_s} s: {kinds}")
        rule = self._rules.get(Trigger.REPEATED_EXECUTION)
        if rule is not None:
            _drop(self._intents, now_ns, rule)
            for what, count in Counter(what for _, what in self._intents).most_common(1):
                yield Sign(Trigger.REPEATED_EXECUTION, Decimal(count), f"{count} in {rule.window_s} s: {what}")


def _drop(found: deque[int] | deque[tuple[int, str]], now_ns: int, rule: Rule) -> None:
    """Forget what is older than the rule looks back."""
    begin = now_ns - int(rule.window_s * _NANO)
    while found:
        first = found[0]
        if (first[0] if isinstance(first, tuple) else first) > begin:
            return
        found.popleft()
