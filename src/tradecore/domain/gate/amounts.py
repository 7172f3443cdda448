"""Rules on amounts: how large an order, a position, an exposure or a loss may be, everything open counted in full."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from tradecore.domain.gate.figures import Ask, Check, Rule, Standing, at_most, scopes_of
from tradecore.domain.limits import Limits
from tradecore.domain.values import ZERO, Side, minus, plus, times

# --- how much -------------------------------------------------------------------------------------------------------


def _notional(ask: Ask, quantity: Decimal) -> Decimal | None:
    price = ask.price
    return None if price is None or not price > 0 else times(quantity, price)


def worst_position(ask: Ask, standing: Standing, quantity: Decimal) -> Decimal:
    """The largest position, unsigned, that everything open and this order could come to."""
    buys = plus(standing.buys, quantity if ask.side is Side.BUY else ZERO)
    sells = plus(standing.sells, quantity if ask.side is Side.SELL else ZERO)
    return max(abs(plus(standing.position, buys)), abs(minus(standing.position, sells)))


def _order_size(limits: Limits, ask: Ask, _: Standing) -> Iterator[Check]:
    notional = _notional(ask, ask.quantity)
    scoped = (
        (scope.prefix, scope.limits.max_order_qty, scope.limits.max_order_notional) for scope in scopes_of(limits, ask)
    )
    for prefix, quantity, amount in (("", limits.max_order_qty, limits.max_order_notional), *scoped):
        if quantity is not None:
            yield at_most(f"{prefix}max_order_qty", ask.quantity, quantity)
        if amount is not None:
            yield at_most(f"{prefix}max_order_notional", notional, amount)


def _open_orders(limits: Limits, ask: Ask, standing: Standing) -> Iterator[Check]:
    if limits.max_open_orders is not None:
        yield at_most("max_open_orders", standing.open_orders + 1, limits.max_open_orders)
    for scope in scopes_of(limits, ask):
        if scope.limits.max_open_orders is not None:
            count = standing.scope_orders.get(scope.key, 0) + 1
            yield at_most(f"{scope.prefix}max_open_orders", count, scope.limits.max_open_orders)


def _position(limits: Limits, ask: Ask, standing: Standing) -> Iterator[Check]:
    worst = worst_position(ask, standing, ask.quantity)
    notional = _notional(ask, worst)
    scoped = (
        (scope.prefix, scope.limits.max_position_qty, scope.limits.max_position_notional)
        for scope in scopes_of(limits, ask)
    )
    for prefix, quantity, amount in (("", limits.max_position_qty, limits.max_position_notional), *scoped):
        if quantity is not None:
            yield at_most(f"{prefix}max_position_qty", worst, quantity)
        if amount is not None:
            yield at_most(f"{prefix}max_position_notional", notional, amount)
    if limits.max_position_share is not None:
        yield _share("max_position_share", notional, limits.max_position_share, standing)


def _share(rule: str, found: Decimal | None, share: Decimal, standing: Standing) -> Check:
    if standing.equity is None:
        return Check(rule, False, "an equity that is not known", f"{share} of it")
    return at_most(rule, found, times(share, max(ZERO, standing.equity)))


def _exposure(limits: Limits, ask: Ask, standing: Standing) -> Iterator[Check]:
    own = _notional(ask, worst_position(ask, standing, ask.quantity))
    gross = None if own is None or standing.others_gross is None else plus(standing.others_gross, own)
    if limits.max_gross_exposure is not None:
        yield at_most("max_gross_exposure", gross, limits.max_gross_exposure)
    if limits.max_gross_exposure_share is not None:
        yield _share("max_gross_exposure_share", gross, limits.max_gross_exposure_share, standing)
    if limits.max_net_exposure_share is not None:
        # On the order's side alone: what is open on the other side may never fill.
        is_buy = ask.side is Side.BUY
        after = plus(standing.position, standing.buys) if is_buy else minus(standing.position, standing.sells)
        signed = _notional(ask, plus(after, ask.side.sign * ask.quantity))
        others = standing.others_net
        net = None if signed is None or others is None else times(Decimal(ask.side.sign), plus(others, signed))
        yield _share("max_net_exposure_share", net, limits.max_net_exposure_share, standing)
    if limits.max_sector_share is not None and ask.symbol in limits.sectors:
        others = standing.sector_others
        sector = None if own is None or others is None else plus(others, own)
        yield _share("max_sector_share", sector, limits.max_sector_share, standing)


def _positions(limits: Limits, _: Ask, standing: Standing) -> Iterator[Check]:
    if limits.max_open_positions is not None:
        opens = 0 if standing.position or standing.buys or standing.sells else 1
        yield at_most("max_open_positions", standing.open_positions + opens, limits.max_open_positions)


def _losses(limits: Limits, _: Ask, standing: Standing) -> Iterator[Check]:
    if limits.max_daily_loss is not None:
        yield _below("max_daily_loss", standing.day_loss, limits.max_daily_loss)
    share = limits.max_daily_loss_share
    if share is not None:
        if standing.equity is None or standing.day_loss is None:
            yield Check("max_daily_loss_share", False, "a day's loss that is not known", f"below {share} of the equity")
        else:
            start = plus(standing.equity, standing.day_loss)
            yield _below("max_daily_loss_share", standing.day_loss, times(share, max(ZERO, start)))


def _below(rule: str, found: Decimal | None, allowed: Decimal) -> Check:
    """A loss that reached its limit stops: zero allows no loss, and no trade that could bring one."""
    if found is None:
        return Check(rule, False, "a day's loss that is not known", f"below {allowed}")
    return Check(rule, found < allowed, str(found), f"below {allowed}")


def _turnover(limits: Limits, ask: Ask, standing: Standing) -> Iterator[Check]:
    if limits.max_notional_per_day is not None:
        own = _notional(ask, ask.quantity)
        total = None if own is None else plus(standing.notional_today, own)
        yield at_most("max_notional_per_day", total, limits.max_notional_per_day)


AMOUNTS: tuple[Rule, ...] = (_order_size, _open_orders, _position, _exposure, _positions, _losses, _turnover)
