"""Verbs that record what is to become of orders and positions: cancel, replace, close, kill. A runner delivers it."""

from __future__ import annotations

from typing import Annotated

import attrs
from cyclopts import Parameter

from tradecore.cli.actor import actor
from tradecore.cli.opening import open_existing
from tradecore.cli.options import DEFAULTS, Options
from tradecore.cli.printing import show_json, show_pairs
from tradecore.cli.words import (
    Number,
    account_of,
    listing_of,
    name,
    optional_price,
    order_of,
    raise_refusal,
    seconds,
    show_order,
)
from tradecore.domain.commands import ActivateKillSwitch, CancelOrder, ClosePosition, ReplaceOrder, RequestKill
from tradecore.domain.messages import Cause
from tradecore.domain.values import TimeInForce, TradingState, parse_symbol, parse_word
from tradecore.errors import ConfigurationError, TradecoreError


def cancel(order: str, /, *, reason: str = "canceled by hand", options: Options = DEFAULTS) -> int:
    """Record that an order is to be canceled; a runner asks the broker.

    Parameters
    ----------
    order
        order id or client order id
    reason
        why, for the record
    """
    from tradecore.runner.system import SystemClock, SystemIds

    with open_existing(options) as journal:
        from tradecore.ledger import Ledger

        ids = SystemIds()
        ledger = Ledger(journal, SystemClock(), ids)
        order_id = order_of(ledger, order)
        ledger.handle(CancelOrder(order_id, reason), Cause(ids.trace_id(), actor=actor(), source="cli"))
        return show_order(ledger, order_id, options)


def replace(
    order: str,
    /,
    *,
    qty: Number | None = None,
    limit: Number | None = None,
    stop: Number | None = None,
    trail_price: Number | None = None,
    trail_percent: Number | None = None,
    tif: str | None = None,
    good_for: Number = "600",
    reason: str = "replaced by hand",
    options: Options = DEFAULTS,
) -> int:
    """Record that a working order is to be replaced by one with other terms; what is not given stays as it is.

    Parameters
    ----------
    order
        order id or client order id
    qty
        units of the new order, beside what the old one has filled; else what is left of that
    limit
        limit price
    stop
        stop price
    trail_price
        how far a trailing stop stays behind, as a price
    trail_percent
        or in percent
    tif
        day, gtc, ioc, fok, opg or cls
    good_for
        seconds from now until which it may be sent
    reason
        why, for the record
    """
    from tradecore.runner.system import SystemClock, SystemIds

    clock, ids = SystemClock(), SystemIds()
    not_after = clock.now() + seconds("good_for", good_for)
    with open_existing(options) as journal:
        from tradecore.ledger import Ledger

        ledger = Ledger(journal, clock, ids)
        command = ReplaceOrder(
            order_id=order_of(ledger, order),
            new_order_id=ids.order_id(),
            not_after=not_after,
            quantity=optional_price("qty", qty),
            limit_price=optional_price("limit", limit),
            stop_price=optional_price("stop", stop),
            trail_price=optional_price("trail_price", trail_price),
            trail_percent=optional_price("trail_percent", trail_percent),
            time_in_force=None if tif is None else parse_word("tif", tif, TimeInForce),
            reason=reason,
        )
        old = ledger.order(command.order_id)
        if command.quantity is not None and old is not None:  # other prices bring no other units
            command = attrs.evolve(command, listing=listing_of(journal, old.symbol, clock.now()))
        raise_refusal(ledger.handle(command, Cause(ids.trace_id(), actor=actor(), source="cli")))
        return show_order(ledger, command.new_order_id, options)


def close(
    symbol: str,
    /,
    *,
    strategy: str | None = None,
    good_for: Number = "600",
    account: str | None = None,
    options: Options = DEFAULTS,
) -> int:
    """Record a market order against exactly what is held of a symbol. It cancels nothing.

    Parameters
    ----------
    symbol
        such as AAPL, BRK.B or BTC/USD
    strategy
        whose position, where several hold the symbol
    good_for
        seconds from now until which it may be sent
    account
        the ledger's name for the account; not needed where there is one
    """
    from tradecore.runner.system import SystemClock, SystemIds

    clock, ids = SystemClock(), SystemIds()
    order_id, wanted = ids.order_id(), parse_symbol("symbol", symbol)
    not_after = clock.now() + seconds("good_for", good_for)
    whose = None if strategy is None else name("strategy", strategy)
    with open_existing(options) as journal:
        from tradecore.ledger import Ledger

        ledger = Ledger(journal, clock, ids)
        command = ClosePosition(order_id, account_of(journal, account), wanted, not_after, whose)
        ledger.handle(command, Cause(ids.trace_id(), actor=actor(), source="cli"))
        return show_order(ledger, order_id, options)


def kill(
    *,
    reason: str,
    suspend: Annotated[bool, Parameter(negative=())] = False,
    flatten: Annotated[bool, Parameter(negative=())] = False,
    account: str | None = None,
    options: Options = DEFAULTS,
) -> int:
    """Halt trading, then have everything canceled that works for the account, until the broker shows nothing any more.

    The halt is recorded first and stays until `tradecore resume`. What was not sent yet is withdrawn, but for what
    closes or protects. Positions stay unless they are to be flattened; `tradecore close` works while trading is halted.

    Parameters
    ----------
    reason
        why, for the record
    suspend
        also have the broker refuse new orders
    flatten
        then close every position, at market, and have the broker verify that nothing is held
    account
        the ledger's name for the account; not needed where there is one
    """
    from tradecore.runner.system import SystemClock, SystemIds

    if suspend and flatten:
        raise ConfigurationError("--suspend and --flatten: a broker that refuses new orders refuses those that close")
    clock, ids = SystemClock(), SystemIds()
    with open_existing(options) as journal:
        from tradecore.ledger import Ledger
        from tradecore.switching import kill_of

        ledger = Ledger(journal, clock, ids)
        command = RequestKill(account_of(journal, account), reason, suspend)
        halt = ActivateKillSwitch(command.account, TradingState.HALTED, "manual", reason, actor())
        # Two appends on purpose: no race that the kill may lose can hold up the halt.
        ledger.handle(halt, Cause(ids.trace_id(), actor=actor(), source="cli"))
        (outcome,) = ledger.handle_many(
            [kill_of(command, ids.order_id() if flatten else None, clock.now())],
            Cause(ids.trace_id(), actor=actor(), source="cli"),
        )
        if isinstance(outcome, TradecoreError):
            raise outcome
        shown = {
            "account": command.account,
            "suspend": suspend,
            "flatten": flatten,
            "trading_state": "halted",
            "status": "until the broker shows nothing open",
        }
        if options.json:
            show_json([shown])
        else:
            show_pairs(shown.items())
        return 0
