"""Verbs that list a view: orders, fills, trades, positions, balances, outbox, sagas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from tradecore.cli.opening import open_existing, rows_now, rows_then
from tradecore.cli.options import DEFAULTS, Options
from tradecore.cli.printing import show_json, show_note, show_table
from tradecore.domain.values import OrderStatus, parse_symbol, parse_word
from tradecore.errors import InputError

if TYPE_CHECKING:
    from tradecore.journal.contract import Journal
    from tradecore.views.view import Row

_WORK = ("pending", "running", "unknown", "failed", "dead", "succeeded", "refused", "withdrawn")
_TOLD_BY_THE_BROKER = ("orders", "positions", "balances")
_Moment = Annotated[str | None, Parameter(allow_leading_hyphen=True)]


def orders(
    *, status: str | None = None, symbol: str | None = None, as_of: _Moment = None, options: Options = DEFAULTS
) -> int:
    """List orders with their status, fills and reasons.

    Parameters
    ----------
    status
        only orders that stand so, such as filled or canceled
    symbol
        only orders in this symbol
    as_of
        as it was at this position of the log, or at this time, such as 2026-02-03T14:30:00Z
    """
    wanted = {
        "status": None if status is None else parse_word("status", status, OrderStatus).value,
        "symbol": None if symbol is None else parse_symbol("symbol", symbol),
    }
    rows = [
        row
        for row in _read(options, "orders", as_of)
        if all(value is None or row[field] == value for field, value in wanted.items())
    ]
    columns = (
        "order_id", "symbol", "side", "qty", "type", "limit_price", "tif", "status", "filled_qty", "avg_fill_price",
        "created_at", "reason",
    )  # fmt: skip
    return _show(options, rows, columns, "no orders")


def fills(*, as_of: _Moment = None, options: Options = DEFAULTS) -> int:
    """List executions.

    Parameters
    ----------
    as_of
        as it was at this position of the log, or at this time, such as 2026-02-03T14:30:00Z
    """
    columns = ("fill_id", "order_id", "symbol", "side", "qty", "price", "fees", "occurred_at")
    return _show(options, _read(options, "fills", as_of), columns, "no fills")


def trades(*, as_of: _Moment = None, options: Options = DEFAULTS) -> int:
    """List position ideas from proposal to outcome.

    Parameters
    ----------
    as_of
        as it was at this position of the log, or at this time, such as 2026-02-03T14:30:00Z
    """
    columns = (
        "trade_id", "strategy", "symbol", "side", "status", "entry_qty", "open_qty", "realised_pnl", "fees", "orders",
        "opened_at", "closed_at", "exit_reason",
    )  # fmt: skip
    return _show(options, _read(options, "trades", as_of), columns, "no trades")


def positions(*, as_of: _Moment = None, options: Options = DEFAULTS) -> int:
    """List positions, flat ones too.

    Parameters
    ----------
    as_of
        as it was at this position of the log, or at this time, such as 2026-02-03T14:30:00Z
    """
    columns = ("account", "symbol", "qty", "avg_entry_price", "cost", "realised_pnl", "lots")
    return _show(options, _read(options, "positions", as_of), columns, "no positions")


def balances(*, as_of: _Moment = None, options: Options = DEFAULTS) -> int:
    """List accounts with cash, profit and fees.

    Parameters
    ----------
    as_of
        as it was at this position of the log, or at this time, such as 2026-02-03T14:30:00Z
    """
    columns = (
        "account", "broker", "broker_account_id", "currency", "opening_cash", "cash", "realised_pnl", "fees",
        "open_orders",
    )  # fmt: skip
    return _show(options, _read(options, "balances", as_of), columns, "no accounts")


def outbox(*, status: str | None = None, as_of: _Moment = None, options: Options = DEFAULTS) -> int:
    """List what is asked of the broker, and how far it got.

    Parameters
    ----------
    status
        only work that stands so: pending, running, unknown, failed, dead, succeeded, refused or withdrawn
    as_of
        as it was at this position of the log, or at this time, such as 2026-02-03T14:30:00Z
    """
    columns = ("order_id", "kind", "status", "attempts", "last_error", "not_after", "updated_at")
    if status is not None and status not in _WORK:
        raise InputError("status", status, "one of " + ", ".join(_WORK))
    rows = [row for row in _read(options, "outbox", as_of) if status in (None, row["status"])]
    return _show(options, rows, columns, "no work")


def sagas(*, as_of: _Moment = None, options: Options = DEFAULTS) -> int:
    """List processes over several orders, and how far each got.

    Parameters
    ----------
    as_of
        as it was at this position of the log, or at this time, such as 2026-02-03T14:30:00Z
    """
    columns = ("saga_id", "kind", "status", "step", "reason", "deadline", "updated_at")
    return _show(options, _read(options, "sagas", as_of), columns, "no sagas")


def _read(options: Options, view: str, as_of: str | None) -> list[Row]:
    with open_existing(options) as journal:
        if as_of is not None:
            return rows_then(journal, view, as_of)
        rows = rows_now(journal, view)
        if view in _TOLD_BY_THE_BROKER:
            labels = {account: _label(journal, account) for account in sorted({row["account"] for row in rows})}
            if options.json:
                return [row | {"truth": labels[row["account"]]} for row in rows]
            for account, label in labels.items():
                if label["as_of"] is None:
                    continue
                show_note(f"{account}: " + ", ".join(f"{name} {value}" for name, value in label.items()))
        return rows


def _label(journal: Journal, account: str) -> Row:
    """As of when the broker was last asked whether this is so: a ledger alone never knows what is live."""
    from tradecore.domain import streams
    from tradecore.domain.events import ReconciliationCompleted
    from tradecore.domain.truth import Source
    from tradecore.runner.system import SystemClock

    last = None
    for recorded in journal.load(streams.reconciliation(account)):
        if isinstance(recorded.event, ReconciliationCompleted):
            last = recorded.event, recorded.envelope.recorded_at_ns
    if last is None:
        return {"source": Source.UNAVAILABLE.value, "as_of": None, "age_s": None, "differences": None}
    done, recorded_at_ns = last
    age_s = max(0, SystemClock().now_ns() - recorded_at_ns) // 1_000_000_000
    as_of = done.as_of.isoformat(timespec="seconds")
    return {"source": Source.STALE.value, "as_of": as_of, "age_s": age_s, "differences": done.differences}


def _show(options: Options, rows: list[Row], columns: Sequence[str], nothing: str) -> int:
    if options.json:
        show_json(rows)
    else:
        show_table(rows, columns, nothing)
    return 0
