"""`tradecore approvals`: the orders that wait for a person, and the answers to them."""

from __future__ import annotations

from cyclopts import App

from tradecore.cli.actor import actor
from tradecore.cli.opening import open_existing
from tradecore.cli.options import DEFAULTS, Options
from tradecore.cli.printing import show_json, show_table
from tradecore.cli.words import Number, account_of, listing_of, order_of, seconds, show_order
from tradecore.domain.listing import NOT_KNOWN
from tradecore.domain.messages import Cause

app = App(name="approvals", help="Orders that wait for a person: list them, grant or refuse one.")


@app.default
@app.command(name="list")
def waiting(*, account: str | None = None, options: Options = DEFAULTS) -> int:
    """Show the orders that wait, with the limits that each is outside of, and until when it may be granted.

    Parameters
    ----------
    account
        the ledger's name for the account; not needed where there is one
    """
    from tradecore.runner.system import SystemClock, SystemIds

    with open_existing(options) as journal:
        from tradecore import approvals
        from tradecore.ledger import Ledger
        from tradecore.views.plain import text_or_none

        ledger = Ledger(journal, SystemClock(), SystemIds())
        rows = [
            {
                "order_id": order.order_id,
                "strategy": order.strategy,
                "symbol": order.symbol,
                "side": order.side.value,
                "qty": text_or_none(order.quantity),
                "notional": text_or_none(order.notional),
                "limit_price": text_or_none(order.limit_price),
                "rules": " ".join(order.approval.rules),
                "reason": order.approval.reason,
                "until": order.approval.until.isoformat(),
            }
            for order in approvals.waiting(ledger, account_of(journal, account))
            if order.approval is not None
        ]
        if options.json:
            show_json(rows)
        else:
            show_table(rows, list(rows[0]) if rows else (), "no order waits for a person")
        return 0


@app.command
def grant(order: str, /, *, reason: str, good_for: Number = "600", options: Options = DEFAULTS) -> int:
    """Let an order go on. Refused (code 3) when another limit forbids it by now.

    Parameters
    ----------
    order
        order id or client order id
    reason
        why, for the record
    good_for
        seconds from now until which it may be sent
    """
    from tradecore.runner.system import SystemClock, SystemIds

    clock, ids = SystemClock(), SystemIds()
    not_after = clock.now() + seconds("good_for", good_for)
    with open_existing(options) as journal:
        from tradecore import approvals
        from tradecore.ledger import Ledger

        ledger = Ledger(journal, clock, ids)
        cause = Cause(ids.trace_id(), actor=actor(), source="cli")
        waits = ledger.order(order_id := order_of(ledger, order))
        listing = NOT_KNOWN if waits is None else listing_of(journal, waits.symbol, clock.now())
        approvals.grant(ledger, order_id, actor(), reason, not_after, cause, listing)
        return show_order(ledger, order_id, options)


@app.command
def refuse(order: str, /, *, reason: str, options: Options = DEFAULTS) -> int:
    """Say no to an order.

    Parameters
    ----------
    order
        order id or client order id
    reason
        why, for the record
    """
    from tradecore.runner.system import SystemClock, SystemIds

    ids = SystemIds()
    with open_existing(options) as journal:
        from tradecore import approvals
        from tradecore.ledger import Ledger

        ledger = Ledger(journal, SystemClock(), ids)
        cause = Cause(ids.trace_id(), actor=actor(), source="cli")
        approvals.refuse(ledger, order_id := order_of(ledger, order), actor(), reason, cause)
        return show_order(ledger, order_id, options)
