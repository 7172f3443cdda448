"""A deliverer behind the ledger since it looked: `python -m tests.delivery.behind URL ORDER`."""

from __future__ import annotations

import sys
from contextlib import closing

from tradecore.domain import commands as cmd
from tradecore.domain.messages import Cause
from tradecore.domain.terms import body_hash
from tradecore.journal import open_journal
from tradecore.ledger import Ledger
from tradecore.runner.system import SystemClock, SystemIds


def main(url: str, order_id: str) -> None:
    """Look, wait for a line, and mark the order as being sent; tells what that recorded."""
    with closing(open_journal(url, create=False)) as journal:
        clock, ids = SystemClock(), SystemIds()
        ledger = Ledger(journal, clock, ids)
        order = ledger.order(order_id)
        assert order is not None
        ledger.account(order.account)
        ledger.kill(order.account)
        print("looked", flush=True)
        sys.stdin.readline()
        recorded = ledger.handle(
            cmd.StartSubmit(order_id, "lease-1", body_hash(order), clock.now()), Cause(ids.trace_id(), actor="outbox")
        )
        print(*(item.envelope.name for item in recorded), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
