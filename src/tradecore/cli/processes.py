"""Verbs that begin processes over several orders, and one that ends what waits for a person.

They record; a runner on the same ledger goes on with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tradecore.cli.actor import actor
from tradecore.cli.opening import open_existing
from tradecore.cli.options import DEFAULTS, Options
from tradecore.cli.printing import show_json, show_pairs
from tradecore.domain import streams
from tradecore.domain.commands import ResolveSaga
from tradecore.domain.identity import parse_uuid
from tradecore.domain.messages import Cause
from tradecore.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tradecore.domain.saga import SagaState


def close_trade(trade: str, /, *, reason: str = "closed by hand", options: Options = DEFAULTS) -> int:
    """Close the position of a trade: its orders are withdrawn first, and its protection comes back if that fails.

    Parameters
    ----------
    trade
        trade id
    reason
        why, for the record
    """
    trade_id = parse_uuid("trade", trade)
    return _begin("position_close", {"trade_id": trade_id, "reason": reason}, options, trade_id=trade_id)


def rebalance(
    strategy: str,
    /,
    *,
    targets: str,
    prices: str,
    equity: str,
    band: str = "0.02",
    account: str = "main",
    options: Options = DEFAULTS,
) -> int:
    """Bring a strategy's positions to target weights: sales first, then purchases, whole units.

    Parameters
    ----------
    strategy
        the strategy whose positions these are
    targets
        weights, such as "AAPL=0.5 MSFT=0.3"
    prices
        prices to reckon with, such as "AAPL=190.12 MSFT=410"
    equity
        the amount of which the weights are shares
    band
        leave alone what is off by no more than this share of the equity
    account
        the ledger's name for the account
    """
    terms = {"strategy": strategy, "targets": targets, "prices": prices, "equity": equity, "band": band}
    return _begin("rebalance", terms, options, account=account)


def resolve(saga: str, /, *, reason: str, options: Options = DEFAULTS) -> int:
    """Say that what a process could not undo is dealt with.

    Parameters
    ----------
    saga
        saga id, as in the list of sagas
    reason
        what was done about it, for the record
    """
    from tradecore.ledger import Ledger
    from tradecore.runner.system import SystemClock, SystemIds

    ids = SystemIds()
    with open_existing(options) as journal:
        ledger = Ledger(journal, SystemClock(), ids)
        saga_id = parse_uuid("saga", saga)
        ledger.handle(ResolveSaga(saga_id, reason), Cause(ids.trace_id(), actor=actor(), source="cli"))
        state = ledger.saga(saga_id)
        assert state is not None, "it was just resolved"
        return _show(state, options)


def _begin(
    kind: str, terms: Mapping[str, str], options: Options, *, account: str | None = None, trade_id: str | None = None
) -> int:
    from tradecore.ledger import Ledger
    from tradecore.runner.system import SystemClock, SystemIds
    from tradecore.sagas.conductor import KINDS, begin

    clock, ids = SystemClock(), SystemIds()
    with open_existing(options) as journal:
        ledger = Ledger(journal, clock, ids)
        trace_id = None
        if trade_id is not None:
            trade = ledger.trade(trade_id)
            if trade is None:
                raise InputError("trade", trade_id, "the id of a trade of this ledger")
            account, trace_id = trade.account, ledger.trace_of(streams.trade(trade_id))
        cause = Cause(trace_id or ids.trace_id(), actor=actor(), source="cli")
        kinds = {known.kind: known for known in KINDS}
        state = begin(ledger, kinds, ids.order_id(), kind, account or "main", terms, clock.now(), cause)
        return _show(state, options)


def _show(state: SagaState, options: Options) -> int:
    row = {
        "saga_id": state.saga_id,
        "kind": state.kind,
        "status": state.status.value,
        "deadline": state.deadline.isoformat(),
        "outcome": state.outcome,
    }
    if options.json:
        show_json([row])
    else:
        show_pairs(row.items())
    return 0
