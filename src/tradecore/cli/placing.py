"""The verb that records a new order. A runner on the same ledger delivers it."""

from __future__ import annotations

from typing import Annotated

import attrs
from cyclopts import Parameter

from tradecore.cli.actor import actor
from tradecore.cli.opening import open_or_create
from tradecore.cli.options import DEFAULTS, Options
from tradecore.cli.words import (
    Number,
    account_of,
    listing_of,
    name,
    optional_price,
    raise_refusal,
    refuse_untraded,
    seconds,
    show_order,
)
from tradecore.domain.commands import PlaceOrder
from tradecore.domain.messages import Cause
from tradecore.domain.terms import StopLoss, TakeProfit, check_terms
from tradecore.domain.values import OrderClass, OrderType, Side, TimeInForce, parse_positive, parse_symbol, parse_word
from tradecore.errors import InputError


def place(
    symbol: str,
    side: str,
    qty: Number | None = None,
    /,
    *,
    notional: Number | None = None,
    order_type: Annotated[str, Parameter(name="--type")] = "market",
    limit: Number | None = None,
    stop: Number | None = None,
    trail_price: Number | None = None,
    trail_percent: Number | None = None,
    order_class: Annotated[str, Parameter(name="--class")] = "simple",
    take_profit: Number | None = None,
    stop_loss: Number | None = None,
    stop_loss_limit: Number | None = None,
    reference_price: Number | None = None,
    tif: str = "day",
    good_for: Number = "600",
    strategy: str = "manual",
    extended_hours: Annotated[bool, Parameter(negative=())] = False,
    repeat: Annotated[bool, Parameter(negative=())] = False,
    account: str | None = None,
    options: Options = DEFAULTS,
) -> int:
    """Record an order; a runner sends it. Exit code 3 when a limit refuses it.

    Parameters
    ----------
    symbol
        such as AAPL, BRK.B or BTC/USD
    side
        buy or sell
    qty
        units, above zero, at most 9 places
    notional
        an amount of money instead of a quantity; needs --reference-price
    order_type
        market, limit, stop, stop_limit or trailing_stop
    limit
        price of a limit or stop_limit order
    stop
        price at which a stop or stop_limit order wakes
    trail_price
        how far a trailing stop stays behind the market, as a price
    trail_percent
        or in percent: 1 is one percent
    order_class
        simple, bracket, oco or oto
    take_profit
        limit price of the leg that takes a profit
    stop_loss
        stop price of the leg that stops a loss
    stop_loss_limit
        and its limit price, to make it a stop_limit order
    reference_price
        the price at which it is counted against limits, where the ledger knows none
    tif
        day, gtc, ioc, fok, opg or cls
    good_for
        seconds from now until which it may be sent
    strategy
        the name under which it is kept
    extended_hours
        also outside the regular session (limit orders, day or gtc)
    repeat
        one more of the same is meant, also within duplicate_window_s
    account
        the ledger's name for the account; not needed where there is one
    """
    from tradecore.runner.system import SystemClock, SystemIds

    if stop_loss_limit is not None and stop_loss is None:
        raise InputError("stop_loss_limit", stop_loss_limit, "a --stop-loss beside it")
    clock, ids = SystemClock(), SystemIds()
    command = PlaceOrder(
        order_id=ids.order_id(),
        account="main" if account is None else name("account", account),
        symbol=parse_symbol("symbol", symbol),
        side=parse_word("side", side, Side),
        quantity=optional_price("qty", qty),
        notional=optional_price("notional", notional),
        order_type=parse_word("type", order_type, OrderType),
        limit_price=optional_price("limit", limit),
        stop_price=optional_price("stop", stop),
        trail_price=optional_price("trail_price", trail_price),
        trail_percent=optional_price("trail_percent", trail_percent),
        order_class=parse_word("class", order_class, OrderClass),
        take_profit=None if take_profit is None else TakeProfit(parse_positive("take_profit", take_profit)),
        stop_loss=None
        if stop_loss is None
        else StopLoss(parse_positive("stop_loss", stop_loss), optional_price("stop_loss_limit", stop_loss_limit)),
        reference_price=optional_price("reference_price", reference_price),
        time_in_force=parse_word("tif", tif, TimeInForce),
        strategy=name("strategy", strategy),
        not_after=clock.now() + seconds("good_for", good_for),
        extended_hours=extended_hours,
        is_repeat=repeat,
    )
    check_terms(command)
    with open_or_create(options) as journal:
        from tradecore.assets import told_of
        from tradecore.ledger import Ledger

        ledger = Ledger(journal, clock, ids)
        listing = listing_of(journal, command.symbol, clock.now())
        refuse_untraded(journal, command.symbol, listing)
        command = told_of(command, listing)
        command = attrs.evolve(command, account=account_of(journal, account))
        recorded = ledger.handle(command, Cause(ids.trace_id(), actor=actor(), source="cli"))
        raise_refusal(recorded)
        return show_order(ledger, command.order_id, options)
