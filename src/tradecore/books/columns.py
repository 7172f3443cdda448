"""The columns of every exported table, in the order in which they are written, and what is in them."""

from __future__ import annotations

import enum

from tradecore.views.view import Row


class Kind(enum.StrEnum):
    """What a column holds."""

    TEXT = "text"
    TEXTS = "texts"
    NUMBER = "number"
    TIME = "time"
    WHOLE = "whole"
    FLAG = "flag"
    LOTS = "lots"


_KINDS: dict[str, Kind] = (
    dict.fromkeys(
        (
            "qty", "limit_price", "filled_qty", "filled_value", "avg_fill_price", "price", "cum_qty", "fees",
            "open_qty", "entry_qty", "realised_pnl", "avg_entry_price", "cost", "amount",
        ),
        Kind.NUMBER,
    )
    | dict.fromkeys(
        ("created_at", "updated_at", "occurred_at", "opened_at", "closed_at", "time", "booked_at"), Kind.TIME
    )
    | dict.fromkeys(("orders", "working_orders", "exit_orders", "fills"), Kind.TEXTS)
    | dict.fromkeys(("position", "leg"), Kind.WHOLE)
    | dict.fromkeys(("extended_hours", "lot_closes"), Kind.FLAG)
    | {"lots": Kind.LOTS}
)  # fmt: skip

_NAMES = {
    "orders": (
        "order_id", "client_order_id", "broker_order_id", "account", "strategy", "symbol", "side", "qty", "type", "tif",
        "limit_price", "extended_hours", "status", "reason", "filled_qty", "filled_value", "avg_fill_price", "trace_id",
        "trade_id", "decision_id", "created_at", "updated_at", "position",
    ),
    "fills": (
        "fill_id", "order_id", "trade_id", "account", "broker_order_id", "execution_id", "symbol", "side", "qty",
        "price", "cum_qty", "fees", "status", "source", "occurred_at", "trace_id", "position",
    ),
    "trades": (
        "trade_id", "account", "strategy", "symbol", "side", "status", "decision_id", "open_qty", "entry_qty",
        "realised_pnl", "fees", "orders", "working_orders", "exit_orders", "fills", "opened_at", "closed_at",
        "exit_reason",
        "trace_id", "position",
    ),
    "positions": ("account", "symbol", "qty", "avg_entry_price", "cost", "realised_pnl", "lots"),
    "entries": (
        "position", "leg", "event_id", "account", "time", "booked_at", "description", "ledger_account", "amount",
        "currency", "symbol", "lot", "lot_closes", "qty", "price", "fill_id", "trace_id",
    ),
}  # fmt: skip


def columns_of(table: str, rows: list[Row]) -> dict[str, Kind]:
    """Kinds by column. A field that a view has gained since is one more column, of text."""
    names = _NAMES[table]
    further = sorted({name for row in rows for name in row} - set(names))
    return {name: _KINDS.get(name, Kind.TEXT) for name in (*names, *further)}
