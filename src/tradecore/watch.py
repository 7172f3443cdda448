"""The watch: looks at every sign of trouble, and stops trading when one says so. Only a person lets it go on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal

import structlog

from tradecore.domain import commands as cmd
from tradecore.domain.events import AlertTriggered, Event
from tradecore.domain.messages import Cause, Recorded
from tradecore.domain.session import seconds_open
from tradecore.domain.triggers import Sign, Trigger, Vigilance, sprung
from tradecore.domain.values import ZERO, Bar, minus, rounded_quotient
from tradecore.ledger import Ledger
from tradecore.ports.clock import Clock
from tradecore.ports.ids import Ids
from tradecore.tally import Tally

_log = structlog.get_logger("tradecore.watch")
_OWN_CLOCK = dt.timedelta(days=1)
_LOOK_BACK = 5000
"""How many events a start looks at, for counts that go on over a restart."""


class Watch:
    """Watches over one account."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        ids: Ids,
        account: str,
        vigilance: Vigilance,
        unknown_orders: Callable[[], int] = lambda: 0,
    ) -> None:
        """`unknown_orders` is how many orders may be at the broker without our knowing."""
        self._ledger = ledger
        self._clock = clock
        self._ids = ids
        self._account = account
        self._rules = {rule.trigger: rule for rule in vigilance.rules}
        self._critical = vigilance.critical
        self._unknown_orders = unknown_orders
        self._tally = Tally(ledger, account, self._rules)
        self._bar: tuple[tuple[str, ...], float] | None = None
        self._swings: dict[str, Decimal] = {}
        self._clocks: tuple[dt.datetime, float] | None = None
        self._skew: Decimal = ZERO

    def restore(self) -> None:
        """Take up what was counted before the start, and alerts that nobody was told to read yet."""
        begin = max(0, self._ledger.journal.head() - _LOOK_BACK)
        while events := self._ledger.journal.read(begin, 1000):
            self.observe(events)
            begin = events[-1].envelope.position

    def observe(self, events: tuple[Recorded[Event], ...]) -> None:
        """Take in appended events."""
        if self._rules:
            self._tally.observe(events)
        for recorded in events:
            event = recorded.event
            if isinstance(event, AlertTriggered) and event.kind in self._critical:
                position = recorded.envelope.position
                self._give(cmd.RaiseAlert(self._account, position, event.kind, event.message))

    def expect(self, symbols: tuple[str, ...]) -> None:
        """From here on bars of these symbols are due."""
        self._bar = (symbols, self._clock.monotonic())

    def see(self, bar: Bar, swing: Decimal | None) -> None:
        """Take in that a market moved; `swing` is its volatility, None when it is not known."""
        self._bar = ((bar.symbol,), self._clock.monotonic())
        if swing is not None:
            self._swings[bar.symbol] = swing

    def compare_clocks(self, brokers: dt.datetime) -> None:
        """Take in the broker's time. One that is more than a day away is that of a simulated market, and not ours."""
        apart = abs(self._clock.now() - brokers)
        self._skew = Decimal(str(apart.total_seconds())) if apart < _OWN_CLOCK else ZERO

    def look(self) -> None:
        """Stop trading when a figure says so: first the halt, then what works and adds risk is canceled."""
        if not self._rules:
            return
        for rule, sign in sprung(self._rules.values(), self._signs()):
            stop = cmd.ActivateKillSwitch(
                self._account, rule.state, rule.trigger.value, sign.evidence, "watch", rule.cooldown_s
            )
            if self._give(stop):
                _log.error("trading is stopped", trigger=rule.trigger.value, evidence=sign.evidence)
                self._give(cmd.WithdrawRisk(self._account, f"trading is stopped by {rule.trigger.value}"))

    def _signs(self) -> Iterator[Sign]:
        yield from self._tally.signs(self._clock.now_ns())
        yield from self._money()
        unknown = self._unknown_orders()
        yield Sign(Trigger.UNKNOWN_ORDERS, Decimal(unknown), f"{unknown} orders may be at the broker or not")
        if self._swings:
            symbol, swing = max(self._swings.items(), key=lambda item: item[1])
            yield Sign(Trigger.VOLATILITY, swing, f"{symbol} swings by {swing} of its price a bar")
        yield from self._time()

    def _money(self) -> Iterator[Sign]:
        account = self._ledger.account(self._account)
        equity, tempo = account.equity, account.tempo.on(self._clock.now().date(), account.opening)
        marks = ((Trigger.DAY_LOSS, tempo.start, "when the day began"), (Trigger.DRAWDOWN, account.peak, "at its best"))
        for trigger, before, when in marks:
            if before is None or equity is None or not before > 0:
                continue
            lost = minus(before, equity)
            told = f"{format(lost, 'f')} lost: the account was worth {format(before, 'f')} {when}"
            yield Sign(trigger, rounded_quotient(lost, before), f"{told}, and is worth {format(equity, 'f')}")

    def _time(self) -> Iterator[Sign]:
        now, monotonic = self._clock.now(), self._clock.monotonic()
        if self._bar is not None:
            symbols, at = self._bar
            open_s = max((seconds_open(symbol, now) for symbol in symbols), default=ZERO)
            silent_s = min(Decimal(str(monotonic - at)), open_s)  # a night is no silence
            yield Sign(Trigger.STALE_DATA, silent_s, f"no bar of any symbol for {silent_s:.0f} s")
        if self._clocks is not None:
            passed = (now - self._clocks[0]).total_seconds()
            jump = Decimal(str(abs(passed - (monotonic - self._clocks[1]))))
            yield Sign(Trigger.CLOCK_JUMP, jump, f"the clock jumped by {jump:.3f} s")
        self._clocks = (now, monotonic)
        yield Sign(Trigger.CLOCK_JUMP, self._skew, f"the broker's clock and ours are {self._skew:.3f} s apart")

    def _give(self, command: cmd.Command) -> bool:
        return bool(self._ledger.handle(command, Cause(self._ids.trace_id(), actor="watch")))
