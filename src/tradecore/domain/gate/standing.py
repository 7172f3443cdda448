"""What the gate is told of an account: read off figures that its events keep, never summed up over its history."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from tradecore.domain.account import AccountState
from tradecore.domain.exposure import Book
from tradecore.domain.gate.figures import Ask, Standing
from tradecore.domain.tempo import scopes
from tradecore.domain.values import ZERO, Side, minus, times


def standing_of(account: AccountState, ask: Ask, now: dt.datetime, instead_of: str | None = None) -> Standing:
    """The account as it stands before the order, at `now` (UTC). `instead_of` is an order that it makes room for."""
    exposure, symbol = account.exposure, ask.symbol
    whole = exposure.book(symbol)
    mark = exposure.marks.get(symbol, ZERO)
    others_known = not (exposure.unpriced - {symbol})
    sector = account.limits.sectors.get(symbol)
    tempo = account.tempo.on(now.date(), account.opening)
    names = (symbol, ask.strategy, ask.actor)
    keys = dict(zip(scopes(*names), names, strict=True))
    return Standing(
        state=account.may,
        equity=account.equity,
        day_loss=None if tempo.start is None or account.equity is None else minus(tempo.start, account.equity),
        position=whole.position,
        buys=(book := _without(account, whole, instead_of)).buys,
        sells=book.sells,
        others_gross=minus(exposure.gross, times(whole.worst, mark)) if others_known else None,
        others_net=_others_net(account, ask.side, whole, mark) if others_known else None,
        sector_others=None if sector is None else _sector_others(account, sector, symbol, whole, mark),
        open_positions=len(exposure.books),
        open_orders=len(account.reservations) - (instead_of in account.reservations),
        scope_orders={name: account.open_by_scope.get(key, 0) for key, name in keys.items()},
        scope_orders_today={name: tempo.by_scope.get(key, 0) for key, name in keys.items()},
        recent=tempo.recent,
        orders_today=tempo.orders,
        notional_today=tempo.notional,
        opposite_prices=_opposite_prices(account, ask) if account.limits.no_self_cross else (),
    )


def _without(account: AccountState, book: Book, order_id: str | None) -> Book:
    reserved = account.reservations.get(order_id) if order_id is not None else None
    return book if reserved is None else book.open(reserved.side, account.open_quantity(reserved).copy_negate())


def _others_net(account: AccountState, side: Side, book: Book, mark: Decimal) -> Decimal:
    if side is Side.BUY:
        return minus(account.exposure.most, times(book.most, mark))
    return minus(account.exposure.least, times(book.least, mark))


def _sector_others(account: AccountState, sector: str, symbol: str, book: Book, mark: Decimal) -> Decimal | None:
    exposure = account.exposure
    if any(exposure.sectors.get(other) == sector for other in exposure.unpriced if other != symbol):
        return None
    return minus(exposure.by_sector.get(sector, ZERO), times(book.worst, mark))


def _opposite_prices(account: AccountState, ask: Ask) -> tuple[Decimal | None, ...]:
    book = account.exposure.book(ask.symbol)
    if not (book.sells if ask.side is Side.BUY else book.buys):
        return ()
    return tuple(
        reserved.limit_price
        for reserved in account.reservations.values()
        if reserved.symbol == ask.symbol and reserved.side is not ask.side
    )
