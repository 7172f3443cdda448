"""View `balances`: cash, profit and fees of each account. Key: account."""

from __future__ import annotations

from tradecore.domain import events as ev
from tradecore.domain.messages import Recorded
from tradecore.domain.values import plus
from tradecore.views.plain import instant, number, text
from tradecore.views.view import Row, Rows


class Balances:
    """Amounts in the account's currency; what only the broker knows is None until the account is pinned to it.

    `last_fill_at` is the time of the latest execution, by the broker's clock.
    """

    name = "balances"
    shape = "balances/3"

    def apply(self, rows: Rows, recorded: Recorded[ev.Event]) -> None:
        """Fold an event of an account, or a fill in it."""
        stream, event = recorded.envelope.stream, recorded.event
        if stream.startswith("account-"):
            account = stream.removeprefix("account-")
        elif isinstance(event, ev.FillRecorded):
            account = event.account
        else:
            return
        row = rows.get(account) or _unpinned(account)
        match event:
            case ev.FillRecorded():
                row["last_fill_at"] = max(row["last_fill_at"] or "", instant(event.occurred_at))
            case ev.AccountPinned():
                row["broker"] = event.broker
                row["broker_account_id"] = event.broker_account_id
                row["currency"] = event.currency
                row["opening_cash"] = row["cash"] = text(event.cash)
            case ev.ReservationMade():
                row["open_orders"] += 1
            case ev.ReservationReleased():
                row["open_orders"] -= 1
            case ev.PositionChange():
                row["cash"] = text(plus(number(row, "cash"), event.cash_delta))
                row["realised_pnl"] = text(plus(number(row, "realised_pnl"), event.realised_pnl))
                row["fees"] = text(plus(number(row, "fees"), event.fees))
            case ev.CashBooked():
                row["cash"] = text(plus(number(row, "cash"), event.amount))
                row["outside_cash"] = text(plus(number(row, "outside_cash"), event.amount))
            case ev.LotsRestated():
                row["cash"] = text(plus(number(row, "cash"), event.cash_delta))
                row["realised_pnl"] = text(plus(number(row, "realised_pnl"), event.realised_pnl))
                if isinstance(event, ev.PositionRevised):
                    row["fees"] = text(plus(number(row, "fees"), event.fees))
            case _:
                pass
        rows.put(account, row)


def _unpinned(account: str) -> Row:
    return {
        "account": account,
        "broker": None,
        "broker_account_id": None,
        "currency": None,
        "opening_cash": None,
        "cash": None,
        "realised_pnl": "0",
        "fees": "0",
        "outside_cash": "0",
        "open_orders": 0,
        "last_fill_at": None,
    }
