"""Read models: pure folds from the log to rows, kept beside it and built anew at any doubt."""

from __future__ import annotations

from tradecore.views.balances import Balances
from tradecore.views.broker_orders import BrokerOrders
from tradecore.views.cycles import Cycles
from tradecore.views.decisions import Decisions
from tradecore.views.fills import Fills
from tradecore.views.open_orders import OpenOrders
from tradecore.views.orders import Orders
from tradecore.views.outbox import OutboxWork
from tradecore.views.outcomes import Outcomes
from tradecore.views.positions import Positions
from tradecore.views.reading import read_row, read_rows
from tradecore.views.sagas import Sagas
from tradecore.views.traces import Traces
from tradecore.views.trades import Trades
from tradecore.views.view import View

ALL_VIEWS: tuple[View, ...] = (
    Orders(), Trades(), Fills(), Positions(), Balances(), Traces(), OutboxWork(), Sagas(), BrokerOrders(), OpenOrders(),
    Decisions(), Cycles(), Outcomes(),
)  # fmt: skip
"""Every view that tradecore keeps."""

__all__ = ["ALL_VIEWS", "View", "read_row", "read_rows"]
