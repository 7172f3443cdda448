"""View `positions`: what each account holds, by lot. Key: account and symbol, `main:AAPL`. Flat ones stay, at zero."""

from __future__ import annotations

from decimal import Decimal

from tradecore.domain.events import AccountPinned, Event, LotsRestated, PositionChange
from tradecore.domain.messages import Recorded
from tradecore.domain.position import Lot, Position, apply_fill
from tradecore.domain.restating import position_of
from tradecore.domain.values import ZERO, plus
from tradecore.views.plain import number, text, text_or_none
from tradecore.views.view import Row, Rows


class Positions:
    """Signed quantities (above zero is long), average entry, cost, and profit realised so far, net of fees."""

    name = "positions"
    shape = "positions/2"

    def apply(self, rows: Rows, recorded: Recorded[Event]) -> None:
        """Fold the opening positions, or what a fill did to one."""
        event = recorded.event
        if isinstance(event, AccountPinned):
            for held in event.positions:
                if held.quantity:
                    lot = Lot("opening", held.quantity, held.average_price)
                    opening = _row(event.account, held.symbol, Position((lot,), held.quantity), ZERO)
                    rows.put(_key(event.account, held.symbol), opening)
        elif isinstance(event, PositionChange):
            key = _key(event.account, event.symbol)
            row = rows.get(key)
            before = _position(row) if row is not None else Position()
            realised = number(row, "realised_pnl") if row is not None else ZERO
            after = apply_fill(before, event.fill_id, event.signed_qty, event.price).after
            rows.put(key, _row(event.account, event.symbol, after, plus(realised, event.realised_pnl)))

        elif isinstance(event, LotsRestated) and event.symbol:
            key = _key(event.account, event.symbol)
            row = rows.get(key)
            realised = plus(number(row, "realised_pnl") if row is not None else ZERO, event.realised_pnl)
            rows.put(key, _row(event.account, event.symbol, position_of(event.lots), realised))


def _key(account: str, symbol: str) -> str:
    return f"{account}:{symbol}"


def _row(account: str, symbol: str, position: Position, realised: Decimal) -> Row:
    return {
        "account": account,
        "symbol": symbol,
        "qty": text(position.quantity),
        "avg_entry_price": text_or_none(position.average_price),
        "cost": text(position.cost),
        "realised_pnl": text(realised),
        "lots": [
            {"opened_by": lot.opened_by, "qty": text(lot.quantity), "price": text(lot.price)} for lot in position.lots
        ],
    }


def _position(row: Row) -> Position:
    lots = tuple(Lot(lot["opened_by"], number(lot, "qty"), number(lot, "price")) for lot in row["lots"])
    return Position(lots, number(row, "qty"))
