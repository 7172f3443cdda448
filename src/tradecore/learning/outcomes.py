"""Outcomes: what became of each decision, from the trade that it opened, resolved once that trade is over.

The decision that closed a trade earns nothing by itself: profit and loss belong to the one that opened it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from decimal import Decimal

import attrs
import msgspec
import structlog

from tradecore.domain import events as ev
from tradecore.domain import streams
from tradecore.domain.calendar import session_on
from tradecore.domain.deliberation import DeliberationState
from tradecore.domain.judgement import Share, Stance
from tradecore.domain.messages import Cause
from tradecore.domain.order_state import OrderState
from tradecore.domain.values import ZERO, Bar, Side, TradeStatus, plus, rounded_quotient, times
from tradecore.draft import last_event
from tradecore.errors import BrokerUnreachable, CorruptLedger, ProtocolError
from tradecore.learning.attribution import shares_of
from tradecore.ledger import Ledger
from tradecore.ports.ids import Ids
from tradecore.ports.market_data import MarketData
from tradecore.views import read_rows

_log = structlog.get_logger("tradecore.learning")
_LONGEST = dt.timedelta(days=10)
"""Prices of longer trades are not read again for their furthest points."""


@attrs.frozen
class _Ended:
    """A trade that is over, from its events; `end` None when a revised fill opened it again."""

    proposed: ev.TradeProposed
    end: ev.TradeClosed | ev.TradeAbandoned | None
    fills: tuple[ev.TradeFilled, ...]
    exit_orders: tuple[str, ...]
    trace_id: str


class OutcomeResolver:
    """Resolves what ended since it was last asked. Asked twice it records nothing twice."""

    def __init__(self, ledger: Ledger, ids: Ids, market_data: MarketData | None = None) -> None:
        """Without `market_data` the furthest points of a trade stay unknown."""
        self._ledger = ledger
        self._ids = ids
        self._market_data = market_data
        self._position = 0

    async def resolve(self) -> int:
        """Record the outcomes of trades that ended; returns how many."""
        count = 0
        for trade_id in self._ended():
            ended = self._read(trade_id)
            if ended is None or ended.proposed.decision_id is None:
                continue
            event = await self._outcome(trade_id, ended.proposed.decision_id, ended)
            stream = streams.outcome(ended.proposed.decision_id)
            was_never_told = ended.end is None and not self._ledger.has_stream(stream)
            if not was_never_told and not self._is_known(stream, event):
                self._ledger.note(stream, event, Cause(ended.trace_id, actor="learning", source="learning"))
                count += 1
        return count

    def _ended(self) -> Iterator[str]:
        """Trades that ended, or were revised, behind the position that was looked at; at first, those whose outcome is
        not what the trade says by now.
        """
        journal = self._ledger.journal
        head = journal.head()
        if not self._position:
            rows = [row for row in read_rows(journal, "decisions") if row["trade_id"] is not None]
            resolved = {row["trade_id"]: row["realised_pnl"] for row in rows if row["outcome"] is not None}
            stands = {
                row["trade_id"]: row["realised_pnl"] if row["status"] == TradeStatus.CLOSED.value else None
                for row in read_rows(journal, "trades")
                if row["trade_id"] in resolved
            }
            self._position = head
            yield from dict.fromkeys(
                row["trade_id"]
                for row in rows
                if row["trade_id"] not in resolved or resolved[row["trade_id"]] != stands.get(row["trade_id"])
            )
            return
        while self._position < head:
            for recorded in journal.read(self._position, 1000):
                self._position = recorded.envelope.position
                if isinstance(recorded.event, ev.TradeClosed | ev.TradeAbandoned | ev.TradeRevised):
                    yield recorded.event.trade_id

    def _read(self, trade_id: str) -> _Ended | None:
        state = self._ledger.trade(trade_id)
        if state is None:
            return None
        events = self._ledger.journal.load(streams.trade(trade_id))
        ends = [one.event for one in events if isinstance(one.event, ev.TradeClosed | ev.TradeAbandoned)]
        is_over = state.status in (TradeStatus.CLOSED, TradeStatus.ABANDONED)
        if not ends:
            return None
        first = events[0].event
        if not isinstance(first, ev.TradeProposed):
            raise CorruptLedger(f"trade {trade_id} does not begin with its proposal")
        return _Ended(
            proposed=first,
            end=ends[-1] if is_over else None,
            fills=_standing_fills(one.event for one in events),
            exit_orders=tuple(
                one.event.order_id for one in events if isinstance(one.event, ev.TradeWorking) and one.event.is_exit
            ),
            trace_id=events[0].envelope.trace_id,
        )

    async def _outcome(self, trade_id: str, decision: str, ended: _Ended) -> ev.Event:
        end = ended.end
        if end is None:
            return ev.OutcomeVoided(decision, trade_id, "a revised fill opened its trade again")
        if isinstance(end, ev.TradeAbandoned):
            return ev.OutcomeVoided(decision, trade_id, end.reason)
        entries = [one for one in ended.fills if (one.signed_qty > 0) == (ended.proposed.side is Side.BUY)]
        paid = sum((times(abs(one.signed_qty), one.price) for one in entries), ZERO)
        units = sum((abs(one.signed_qty) for one in entries), ZERO)
        if not units:
            return ev.OutcomeVoided(decision, trade_id, "every fill of its entry was taken back")
        slippages = [one.slippage for one in entries if one.slippage is not None]
        state = self._ledger.deliberation(decision)
        made = None if state is None else state.concluded
        kept = None if state is None else state.validated
        said = None if state is not None else self._said(decision)
        bars = await self._bars(ended.proposed.symbol, end.opened_at, end.closed_at)
        highest = max((bar.high for bar in bars), default=None)
        lowest = min((bar.low for bar in bars), default=None)
        entry = rounded_quotient(paid, units)
        sign = ended.proposed.side.sign
        best, worst = (highest, lowest) if sign > 0 else (lowest, highest)
        return ev.OutcomeResolved(
            decision_id=decision,
            trade_id=trade_id,
            account=ended.proposed.account,
            agent=ended.proposed.strategy,
            symbol=ended.proposed.symbol,
            stance=Stance(ended.proposed.side.value),
            came_true=end.realised_pnl > 0,
            realised_pnl=end.realised_pnl,
            fees=end.fees,
            return_share=rounded_quotient(end.realised_pnl, paid),
            slippage=sum(slippages, ZERO) if slippages else None,
            holding_s=int((end.closed_at - end.opened_at).total_seconds()),
            sessions=_sessions(end.opened_at, end.closed_at),
            target_hit=_hit(None if made is None else made.target_price, best, sign),
            stop_hit=_hit(None if made is None else made.stop_price, worst, -sign),
            max_gain=_move(best, entry, sign),
            max_drawdown=_move(worst, entry, -sign),
            exit_reason=self._exit_reason(trade_id, ended, end.exit_reason),
            exit_decision_id=self._exit_decision(ended.exit_orders),
            stated=said if made is None else made.confidence,
            confidence=said if kept is None else kept.confidence,
            calibration_id=None if kept is None else kept.calibration_id,
            model=None if made is None else made.model,
            model_cost=ZERO if made is None else made.cost,
            opened_at=end.opened_at,
            closed_at=end.closed_at,
            shares=_shares(state, end.realised_pnl),
        )

    def _exit_reason(self, trade_id: str, ended: _Ended, otherwise: str) -> str:
        """The rule, the leg at the broker or the decision by which it was left."""
        filled = self._filled(ended.exit_orders)
        if filled and filled[-1].leg is not None:
            return filled[-1].leg.value
        if filled and filled[-1].decision_id is not None:
            return "decision"
        fired = last_event(self._ledger.journal, streams.exits(trade_id))
        return fired.rule.value if isinstance(fired, ev.ExitFired) else otherwise

    def _filled(self, order_ids: tuple[str, ...]) -> list[OrderState]:
        return [order for one in order_ids if (order := self._ledger.order(one)) is not None and order.filled_qty]

    def _said(self, decision: str) -> Decimal | None:
        """How sure a strategy said it was, which nobody deliberated on."""
        first = next(iter(self._ledger.journal.load(streams.decision(decision))), None)
        return first.event.confidence if first is not None and isinstance(first.event, ev.DecisionGenerated) else None

    def _exit_decision(self, exit_orders: tuple[str, ...]) -> str | None:
        """The decision of the order that closed it; None where a rule or a person did."""
        filled = [order for order in self._filled(exit_orders) if order.leg is None]
        return filled[-1].decision_id if filled else None

    async def _bars(self, symbol: str, start: dt.datetime, end: dt.datetime) -> tuple[Bar, ...]:
        if self._market_data is None or end - start > _LONGEST:
            return ()
        begin = start.replace(second=0, microsecond=0)
        try:
            return await self._market_data.history((symbol,), begin, end)
        except (BrokerUnreachable, ProtocolError) as error:
            _log.warning("the prices of a trade cannot be read again", symbol=symbol, error=str(error))
            return ()

    def _is_known(self, stream: str, event: ev.Event) -> bool:
        """Whether it was recorded already, perhaps with other prices to look back on."""
        last = last_event(self._ledger.journal, stream)
        if not (isinstance(last, ev.OutcomeResolved) and isinstance(event, ev.OutcomeResolved)):
            return last == event
        return (last.realised_pnl, last.fees, last.closed_at) == (event.realised_pnl, event.fees, event.closed_at)


def _standing_fills(events: Iterable[ev.Event]) -> tuple[ev.TradeFilled, ...]:
    """The fills that stand: what was busted is none, and what was corrected counts as it was told last."""
    fills: dict[str, ev.TradeFilled] = {}
    for event in events:
        if isinstance(event, ev.TradeFilled):
            fills[event.fill_id] = event
        elif isinstance(event, ev.TradeRevised) and (before := fills.pop(event.fill_id, None)) is not None:
            signed = plus(before.signed_qty, event.signed_qty)
            whole = [lot.price for lot in event.lots if lot.opened_by == event.fill_id and lot.quantity == signed]
            if whole:  # corrected where it stands: it is not booked anew
                fills[event.fill_id] = msgspec.structs.replace(before, signed_qty=signed, price=whole[0])
    return tuple(fills.values())


def _shares(state: DeliberationState | None, pnl: Decimal) -> tuple[Share, ...]:
    if state is None or state.concluded is None:
        return ()
    return shares_of(state.concluded, pnl)


def _hit(level: Decimal | None, furthest: Decimal | None, sign: int) -> bool | None:
    """Whether a price was reached; None where there was none, or nobody knows."""
    return None if level is None or furthest is None else (furthest - level) * sign >= 0


def _move(furthest: Decimal | None, entry: Decimal, sign: int) -> Decimal | None:
    """How far the price went that way from the entry, as a share; never below zero."""
    return None if furthest is None else max(ZERO, rounded_quotient(plus(furthest, -entry) * sign, entry))


def _sessions(start: dt.datetime, end: dt.datetime) -> int:
    """How many trading days it was held on, both ends counted."""
    days = (end.date() - start.date()).days + 1
    return sum(session_on(start.date() + dt.timedelta(days=number)) is not None for number in range(days))
