"""Where the two event streams read: the record of the trade stream, and the account's activities."""

from __future__ import annotations

import asyncio
import bisect
import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

from tradecore.domain.calendar import next_session
from tradecore_exchange.activities import Activity
from tradecore_exchange.floor import Floor
from tradecore_exchange.identity import asset_id, is_crypto
from tradecore_exchange.instants import instant_text
from tradecore_exchange.numbers import number_text
from tradecore_exchange.sessions import new_york_date
from tradecore_exchange.trade_hub import TradeHub
from tradecore_exchange.trade_record import recorded
from tradecore_exchange.ulid import ulid
from tradecore_exchange.wire import activity_json, trade_update_json
from tradecore_exchange.wire_account import account_id

JSON = Any
_DAY = dt.timedelta(days=1)


def settle_date(symbol: str, at_ns: int) -> str:
    """When a trade settles: the next session; a crypto trade at once."""
    date = new_york_date(at_ns)
    return (date if is_crypto(symbol) else next_session(date + _DAY).date).isoformat()


class EventSource(ABC):
    """Numbered events of one account, from 1 without a gap."""

    def __init__(self, floor: Floor, hub: TradeHub) -> None:
        self._floor = floor
        self._hub = hub
        self._account = account_id(floor)

    @property
    def told(self) -> asyncio.Event:
        """Set when there is something new; a new one each time."""
        return self._hub.told

    @property
    @abstractmethod
    def published(self) -> int:
        """The number of the last event that may be told."""

    @abstractmethod
    def before(self, at_ns: int) -> int:
        """The number of the last event before a time."""

    @abstractmethod
    def events(self, after: int, until: int) -> Iterator[tuple[int, dict[str, JSON]]]:
        """Events above one number up to another, with their numbers."""


class TradeEvents(EventSource):
    """Everything that the trade stream told."""

    @property
    def published(self) -> int:
        return self._hub.published

    def before(self, at_ns: int) -> int:
        return self._floor.store.updates_before(at_ns)

    def events(self, after: int, until: int) -> Iterator[tuple[int, dict[str, JSON]]]:
        for number, update in recorded(self._floor, after, until):
            event = {
                "account_id": self._account,
                "at": instant_text(update.at_ns),
                "event_id": ulid(update.at_ns, number, self._account, "trade"),
                **trade_update_json(update)["data"],
            }
            if update.qty is not None:
                event["settle_date"] = settle_date(update.order.symbol, update.at_ns)
            yield number, event


class ActivityEvents(EventSource):
    """Everything that moved cash or shares."""

    @property
    def published(self) -> int:
        return len(self._floor.exchange.activities)

    def before(self, at_ns: int) -> int:
        return bisect.bisect_left(self._floor.exchange.activities, at_ns, key=lambda activity: activity.at_ns)

    def events(self, after: int, until: int) -> Iterator[tuple[int, dict[str, JSON]]]:
        for number in range(after + 1, until + 1):
            yield number, self._event(self._floor.exchange.activities[number - 1])

    def _event(self, activity: Activity) -> dict[str, JSON]:
        at = instant_text(activity.at_ns)
        event: dict[str, JSON] = {
            "at": at,
            "event_id": ulid(activity.at_ns, activity.number, self._account, "activity"),
            "activity_type": "TRD" if activity.kind == "FILL" else activity.kind,
            "executed_at": at,
            "status": "executed",
            "settle_date": settle_date(activity.symbol, activity.at_ns),
            "currency": "USD",
            "ref_id": activity.execution_id or activity.id,
        }
        if activity.previous_execution_id is not None:
            event["previous_id"] = activity.previous_execution_id
        return event | {"details": self._details(activity)}

    def _details(self, activity: Activity) -> dict[str, JSON]:
        if activity.kind != "FILL":
            entry = activity_json(activity)
            return {name: entry[name] for name in ("net_amount", "description", "symbol", "qty") if name in entry}
        order = self._floor.exchange.book.by_id[activity.order_id]
        return {
            "order_id": order.id,
            "client_order_id": order.client_order_id,
            "side": activity.side,
            "symbol": activity.symbol,
            "asset_id": asset_id(activity.symbol),
            "qty": number_text(activity.qty),
            "price": number_text(activity.price),
            "cum_qty": number_text(activity.cum_qty),
            "leaves_qty": number_text(activity.leaves_qty),
            "order_status": activity.order_status,
            "execution_type": activity_json(activity)["type"],
            "commission": number_text(order.commission),
        }
