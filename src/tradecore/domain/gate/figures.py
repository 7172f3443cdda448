"""What the gate is told: the order as it asks to be placed, and the account as it stands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

import attrs

from tradecore.domain.limits import Hours, Limits, ScopeLimits
from tradecore.domain.values import Purpose, Side, TradingState, plus


@attrs.frozen
class Ask:
    """An order as the gate sees it. `quantity` is the most that it can fill; `price` the worst that is known.

    `reference_price` is the market's, `price_at` when it was seen. None is what nobody knows.
    `approval` is why whoever places the order wants a person to agree, None where nobody has to.
    """

    symbol: str
    side: Side
    quantity: Decimal
    purpose: Purpose
    strategy: str
    actor: str
    at: dt.datetime | None = None
    limit_price: Decimal | None = None
    reference_price: Decimal | None = None
    price_at: dt.datetime | None = None
    confidence: Decimal | None = None
    is_decision: bool = False
    tradable: bool | None = None
    whole_only: bool = False
    by_amount: bool = False
    not_lent: bool = False
    session: Hours | None = None
    repeat_is_meant: bool = False
    volatility: Decimal | None = None
    approval: str | None = None

    @property
    def price(self) -> Decimal | None:
        """The price to reckon with: what a buyer may have to pay, or what the market says."""
        if self.limit_price is None:
            return self.reference_price
        if self.side is Side.SELL and self.reference_price is not None:
            return max(self.limit_price, self.reference_price)
        return self.limit_price


@attrs.frozen
class Recent:
    """An order that was placed a while ago; the gate counts them."""

    at: dt.datetime
    symbol: str
    side: Side
    quantity: Decimal
    strategy: str
    agent: str


@attrs.frozen
class Standing:
    """The account as the gate sees it, everything open counted in full. None is what nobody knows.

    `buys` and `sells` are open quantities in the order's symbol; `others_gross` is the worst notional of all other
    symbols, `others_net` their signed notional once everything open on the order's side has filled; `sector_others`
    that of the symbol's sector; `opposite_prices` open orders on the other side;
    `scope_orders` and `scope_orders_today` count by symbol, strategy and agent.
    """

    state: TradingState
    equity: Decimal | None
    day_loss: Decimal | None
    position: Decimal
    buys: Decimal
    sells: Decimal
    others_gross: Decimal | None
    others_net: Decimal | None
    sector_others: Decimal | None
    open_positions: int
    open_orders: int
    scope_orders: Mapping[str, int]
    scope_orders_today: Mapping[str, int]
    recent: tuple[Recent, ...]
    orders_today: int
    notional_today: Decimal
    opposite_prices: tuple[Decimal | None, ...] = ()


@attrs.frozen
class Check:
    """One rule, what was found, and what is allowed."""

    rule: str
    ok: bool
    found: str
    allowed: str


def takes_risk_away(ask: Ask, standing: Standing) -> bool:
    """Whether the order, with all that is open on its side, can at most bring the position to zero."""
    held = standing.position
    if ask.side is Side.SELL:
        return held > 0 and plus(standing.sells, ask.quantity) <= held
    return held < 0 and plus(standing.buys, ask.quantity) <= -held


@attrs.frozen
class Scope:
    """Further limits that hold for an order, and the orders that they count."""

    key: str
    limits: ScopeLimits
    counts: Callable[[Recent], bool]

    @property
    def prefix(self) -> str:
        """What the names of its checks begin with."""
        return f"{self.key} "


def scopes_of(limits: Limits, ask: Ask) -> tuple[Scope, ...]:
    """The limits of the order's symbol, strategy and agent, where there are any."""
    found = []
    if ask.symbol in limits.per_symbol:
        found.append(Scope(ask.symbol, limits.per_symbol[ask.symbol], lambda one: one.symbol == ask.symbol))
    if ask.strategy in limits.per_strategy:
        found.append(Scope(ask.strategy, limits.per_strategy[ask.strategy], lambda one: one.strategy == ask.strategy))
    if ask.actor in limits.per_agent:
        found.append(Scope(ask.actor, limits.per_agent[ask.actor], lambda one: one.agent == ask.actor))
    return tuple(found)


def at_most(rule: str, found: Decimal | int | None, allowed: Decimal | int) -> Check:
    """The check that a figure is known and not above what is allowed."""
    if found is None:
        return Check(rule, False, "an amount that is not known for want of a price", f"at most {allowed}")
    return Check(rule, found <= allowed, str(found), f"at most {allowed}")


Rule = Callable[[Limits, Ask, Standing], Iterator[Check]]
"""A rule yields a check for every limit of its kind that is set."""
