"""From an event to the postings of its entry."""

from __future__ import annotations

from tradecore.books.chart import ADJUSTMENTS, CASH, FEES, OPENING, REALISED_PNL, against_cash, securities
from tradecore.books.entries import LotMove, Posting, totals
from tradecore.books.standing import Standing
from tradecore.domain.events import (
    AccountPinned,
    AdjustmentBooked,
    CashBooked,
    LotsRestated,
    PositionChange,
    PositionRevised,
)
from tradecore.domain.position import Position
from tradecore.domain.restating import position_of
from tradecore.domain.values import ZERO, minus, plus

OPENING_LOT = "opening"
"""What opened the lots that the broker held before the books began."""


def opening_postings(event: AccountPinned, before: Standing) -> tuple[Posting, ...]:
    """Cash and positions at cost against equity.

    The books begin here: should anything have been booked before, its cash and lots make way for what the broker says.
    """
    postings = [
        Posting(account, minus(ZERO, amount), currency)
        for (account, currency), amount in before.balances.items()
        if account == CASH and amount
    ]
    for symbol, position in before.positions.items():
        for lot in position.lots:
            gone = LotMove(symbol, lot.opened_by, -lot.quantity, lot.price, closes=True)
            postings.append(_of_lot(gone, _currency(before, symbol)))
    if event.cash:
        postings.append(Posting(CASH, event.cash, event.currency))
    held = {held.symbol: held for held in event.positions if held.quantity}
    for symbol, opening in held.items():
        begun = LotMove(symbol, OPENING_LOT, opening.quantity, opening.average_price, closes=False)
        postings.append(_of_lot(begun, event.currency))
    against = [Posting(OPENING, minus(ZERO, total), currency) for currency, total in totals(postings).items() if total]
    return (*postings, *against)


def change_postings(event: PositionChange, currency: str) -> tuple[Posting, ...]:
    """Cash; lots closed at what they cost; what is left of the fill as a new lot; fees; profit before fees.

    The event's `realised_pnl` is net of fees, so income is `realised_pnl + fees`, and the fees are an expense.
    """
    postings = [Posting(CASH, event.cash_delta, currency)]
    opened = event.signed_qty
    for closed in event.closed_lots:
        opened = plus(opened, closed.quantity)
        move = LotMove(event.symbol, closed.opened_by, -closed.quantity, closed.entry_price, closes=True)
        postings.append(_of_lot(move, currency))
    if opened:
        lot = LotMove(event.symbol, event.fill_id, opened, event.price, closes=False)
        postings.append(_of_lot(lot, currency))
    if event.fees:
        postings.append(Posting(FEES, event.fees, currency))
    if gross := plus(event.realised_pnl, event.fees):
        postings.append(Posting(REALISED_PNL, minus(ZERO, gross), currency))
    return tuple(postings)


def cash_postings(event: CashBooked, currency: str) -> tuple[Posting, ...]:
    """Cash, against what it was for."""
    other = against_cash(event.kind, came_in=event.amount > 0)
    return Posting(CASH, event.amount, currency), Posting(other, minus(ZERO, event.amount), currency)


def restated_postings(event: LotsRestated, before: Standing, currency: str) -> tuple[Posting, ...]:
    """Lots as they were and as they are, from the first that changed; cash, fees and profit; equity for the rest."""
    postings = [Posting(CASH, event.cash_delta, currency)] if event.cash_delta else []
    if event.symbol:
        held = before.positions.get(event.symbol, Position())
        after = position_of(event.lots)
        same = 0
        while same < min(len(held.lots), len(after.lots)) and held.lots[same] == after.lots[same]:
            same += 1
        moved = {(lot.opened_by, lot.price) for lot in (*held.lots[same:], *after.lots[same:])}
        while any((lot.opened_by, lot.price) in moved for lot in held.lots[:same]):  # a lot is found by that pair
            same -= 1
            moved.add((held.lots[same].opened_by, held.lots[same].price))
        for lot in held.lots[same:]:
            gone = LotMove(event.symbol, lot.opened_by, -lot.quantity, lot.price, closes=True)
            postings.append(_of_lot(gone, currency))
        for lot in after.lots[same:]:
            begun = LotMove(event.symbol, lot.opened_by, lot.quantity, lot.price, closes=False)
            postings.append(_of_lot(begun, currency))
    fees = event.fees if isinstance(event, PositionRevised) else ZERO
    if fees:
        postings.append(Posting(FEES, fees, currency))
    if gross := plus(event.realised_pnl, fees):
        postings.append(Posting(REALISED_PNL, minus(ZERO, gross), currency))
    if isinstance(event, AdjustmentBooked):
        left = totals(postings).get(currency, ZERO)
        if left:
            postings.append(Posting(ADJUSTMENTS, minus(ZERO, left), currency))
    return tuple(postings)


def _of_lot(move: LotMove, currency: str) -> Posting:
    return Posting(securities(move.symbol), move.cost, currency, move)


def _currency(standing: Standing, symbol: str) -> str:
    """The currency that a symbol's lots are booked in."""
    account = securities(symbol)
    return next(currency for name, currency in standing.balances if name == account)
