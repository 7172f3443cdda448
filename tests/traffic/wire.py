"""A broker's messages as JSON text, from a story in short words: `new, partial 4@100, cancel` and so on."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import attrs

from tests.ledger.desk import NOON

_STATUS = {
    "pending": ("pending_new", "pending_new"),
    "accepted": ("accepted", "accepted"),
    "held": ("held", "held"),
    "new": ("new", "new"),
    "cancel": ("canceled", "canceled"),
    "expire": ("expired", "expired"),
    "reject": ("rejected", "rejected"),
    "replace": ("replaced", "replaced"),
    "done": ("done_for_day", "done_for_day"),
    "stop": ("stopped", "stopped"),
    "suspend": ("suspended", "suspended"),
    "calculate": ("calculated", "calculated"),
    "cancelling": ("pending_cancel", "pending_cancel"),
    "replacing": ("pending_replace", "pending_replace"),
    "uncancel": ("order_cancel_rejected", "new"),
    "unreplace": ("order_replace_rejected", "new"),
    "restate": ("restated", "new"),
}


@attrs.define
class Wire:
    """One order at the broker, and everything that it says of it: stream frames, activities, the order in the end."""

    client_order_id: str
    broker_order_id: str
    side: str
    quantity: str
    frames: list[bytes] = attrs.field(factory=list)
    activities: list[bytes] = attrs.field(factory=list)
    _status: str = "pending_new"
    _filled: Decimal = Decimal(0)
    _fills: dict[str, Decimal] = attrs.field(factory=dict)
    _second: int = 0

    def tell(self, story: str) -> None:
        """Say every word of a story, one second after the other."""
        for words in story.split(","):
            self._say(words.split())

    def order(self) -> dict[str, Any]:
        """The order as the broker has it now."""
        at = self._at()
        return {
            "id": self.broker_order_id, "client_order_id": self.client_order_id, "symbol": "SPY", "side": self.side,
            "type": "market", "time_in_force": "day", "qty": self.quantity, "filled_qty": str(self._filled),
            "filled_avg_price": None, "status": self._status, "updated_at": at, "submitted_at": at, "created_at": at,
            "order_class": "", "legs": None,
        }  # fmt: skip

    def _say(self, words: list[str]) -> None:
        self._second += 1
        word = words[0]
        if word in _STATUS:
            event, self._status = _STATUS[word]
            if word in ("uncancel", "restate") and self._filled:
                self._status = "partially_filled"
            self._frame(event)
        elif word in ("partial", "fill"):
            quantity, price = words[1].split("@")
            self._filled += Decimal(quantity)
            event = "partial_fill" if word == "partial" else "fill"
            if self._status not in ("canceled", "expired", "replaced"):
                self._status = "filled" if word == "fill" else "partially_filled"
            name = f"x{len(self._fills) + 1}"
            self._fills[name] = Decimal(quantity)
            self._execution(event, name, quantity, price, None)
        elif word == "bust":
            quantity, price = words[2].split("@")
            self._filled -= self._fills[words[1]]
            self._execution("trade_bust", f"b-{words[1]}", quantity, price, words[1])
        else:
            assert word == "correct", word
            quantity, price = words[2].split("@")
            self._filled += Decimal(quantity) - self._fills[words[1]]
            self._execution("trade_correct", f"c-{words[1]}", quantity, price, words[1])

    def _execution(self, event: str, name: str, quantity: str, price: str, previous: str | None) -> None:
        self._frame(event, execution_id=name, qty=quantity, price=price, previous_execution_id=previous)
        row = {
            "id": f"20240102120000000::{name}", "activity_type": "FILL", "order_id": self.broker_order_id,
            "symbol": "SPY", "side": self.side, "qty": quantity, "price": price, "cum_qty": str(self._filled),
            "transaction_time": self._at(), "previous_id": previous,
            "type": {"trade_bust": event, "trade_correct": event}.get(event, "fill"),
        }  # fmt: skip
        self.activities.append(json.dumps(row).encode())

    def _frame(self, event: str, **more: str | None) -> None:
        data = {"event": event, "order": self.order(), "timestamp": self._at(), **more}
        self.frames.append(json.dumps({"stream": "trade_updates", "data": data}).encode())

    def _at(self) -> str:
        return (NOON + dt.timedelta(seconds=self._second)).isoformat().replace("+00:00", "Z")
