"""`tradecore outbox`: what is asked of the broker, and what to do with what is dead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cyclopts import App

from tradecore.cli import listing
from tradecore.cli.actor import actor
from tradecore.cli.opening import open_existing
from tradecore.cli.options import DEFAULTS, Options
from tradecore.cli.words import Number, order_of, seconds, show_order
from tradecore.domain.commands import Command, DiscardWork, RetryWork
from tradecore.domain.messages import Cause

if TYPE_CHECKING:
    from collections.abc import Callable

app = App(name="outbox", help="What is asked of the broker, and how far it got; what is dead needs a person.")
app.default(listing.outbox)


@app.command
def retry(
    order: str, /, *, good_for: Number = "600", reason: str = "retried by hand", options: Options = DEFAULTS
) -> int:
    """Try dead work again: bring an order on its way, or ask once more for its cancel.

    Parameters
    ----------
    order
        order id or client order id
    good_for
        seconds from now until which it may be sent
    reason
        why, for the record
    """
    from tradecore.runner.system import SystemClock

    not_after = SystemClock().now() + seconds("good_for", good_for)
    return _give(order, lambda order_id: RetryWork(order_id, reason, not_after), options)


@app.command
def discard(order: str, /, *, reason: str, options: Options = DEFAULTS) -> int:
    """Give dead work up for good: an order that never went out ends, one that could not be canceled works on.

    Parameters
    ----------
    order
        order id or client order id
    reason
        why, for the record
    """
    return _give(order, lambda order_id: DiscardWork(order_id, reason), options)


def _give(order: str, command: Callable[[str], Command], options: Options) -> int:
    from tradecore.runner.system import SystemClock, SystemIds

    with open_existing(options) as journal:
        from tradecore.ledger import Ledger

        ids = SystemIds()
        ledger = Ledger(journal, SystemClock(), ids)
        order_id = order_of(ledger, order)
        ledger.handle(command(order_id), Cause(ids.trace_id(), actor=actor(), source="cli"))
        return show_order(ledger, order_id, options)
