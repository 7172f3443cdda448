"""Executions, busts and corrections at a desk, in the words of a broker that names every execution."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import attrs

from tests.ledger.desk import BROKER_ACCOUNT, NOON, Desk
from tradecore.domain import commands as cmd
from tradecore.domain.events import FillRevision
from tradecore.domain.identity import fill_id


@attrs.frozen
class Told:
    """One message about an execution: a trade, or (with `revises`) a bust or a correction of one."""

    order_id: str
    name: str
    quantity: str
    price: str
    cumulative: str
    fees: str = "0"
    revises: str | None = None
    busts: bool = False
    second: int = 0
    source: str = "stream"


def tell(desk: Desk, told: Told) -> None:
    """Give the message to the ledger."""
    at = NOON + dt.timedelta(seconds=told.second)
    quantity, price, fees = Decimal(told.quantity), Decimal(told.price), Decimal(told.fees)
    cumulative = Decimal(told.cumulative)
    if told.revises is None and not told.busts:
        identity = fill_id(BROKER_ACCOUNT, f"b-{told.order_id}", told.cumulative)
        desk.give(
            cmd.RecordFill(
                identity, told.order_id, f"b-{told.order_id}", told.name, quantity, price, cumulative, fees,
                at, told.source, "{}",
            )
        )  # fmt: skip
        return
    revision = FillRevision(
        told.busts, told.name, told.revises, quantity, price, fees, cumulative, at, told.source, "{}"
    )
    desk.give(cmd.ReviseFill(told.order_id, revision))
