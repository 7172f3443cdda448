"""One exchange with all of its accounts: one market, and for each account books, streams and faults of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from starlette.requests import HTTPConnection

from tradecore.domain.values import Quote
from tradecore.errors import ConfigurationError
from tradecore_exchange.accounts import AccountEntry
from tradecore_exchange.floor import Advanced, Floor
from tradecore_exchange.service import Host, Service


class House:
    """The first account's `floor` decides the market; the others join it.

    Accounts opened before on the same store are there again.

    Raises:
        ConfigurationError: two accounts of one name or one key, or a store of an account that was begun otherwise.
        StoreUnavailable: an account's store cannot be opened.
    """

    def __init__(self, floor: Floor, entry: AccountEntry, host: Host, others: Iterable[AccountEntry] = ()) -> None:
        self.host = host
        self.first = Service(entry, floor, host)
        self._by_key = {entry.key: self.first}
        # The points of the market are the same for all, so they are told from one floor.
        floor.listen(host.data.on_message)
        kept = floor.store.accounts()
        for one in kept:
            self.open_account(one, new=False)
        for one in others:
            if one not in kept:
                self.open_account(one)
        self.level()

    @property
    def services(self) -> list[Service]:
        """Every account, the first one first."""
        return list(self._by_key.values())

    def open_account(self, entry: AccountEntry, *, new: bool = True) -> Service:
        """A further account; a `new` one is remembered. Raises `ConfigurationError`, `StoreUnavailable`."""
        if entry.key in self._by_key or entry.name in {service.entry.name for service in self.services}:
            raise ConfigurationError(f"account {entry.name}: there is one of this name or with this key already")
        floor = self.first.floor.sibling(entry.name, entry.cash)
        if new:
            self.first.floor.store.keep_account(entry)
        service = self._by_key[entry.key] = Service(entry, floor, self.host)
        return service

    def find(self, key: object, secret: object) -> Service | None:
        """The account of these keys."""
        service = self._by_key.get(key) if isinstance(key, str) else None
        return service if service is not None and service.entry.secret == secret else None

    def advance(self, asking: Service) -> Advanced | None:
        """Let the market move on for every account; what it did to the one that asks. None when it is at its end."""
        self.level()
        mine: Advanced | None = None
        for service in self.services:
            advanced = service.floor.advance()
            if service is asking:
                mine = advanced
        return mine

    def level(self) -> None:
        """Bring every account to where the furthest one stands, as after a stop between two of them."""
        floors = [service.floor for service in self.services]
        furthest = max(floor.feed.steps_done for floor in floors)
        for floor in floors:
            while floor.feed.steps_done < furthest:
                floor.advance()

    def quote(self, quote: Quote, asking: Service) -> Advanced:
        """A quote from outside the tape, for every account; what it did to the one that asks."""
        told = {service.entry.name: service.floor.quote(quote) for service in self.services}
        return told[asking.entry.name]

    def publish(self) -> None:
        """Let all streams hear of what happened."""
        for service in self.services:
            service.floor.publish()

    def close(self) -> None:
        """Let go of all stores."""
        for service in self.services:
            service.floor.close()


def house_of(connection: HTTPConnection) -> House:
    """The exchange behind a request."""
    return cast(House, connection.app.state.house)
