"""What the broker trades, as it last said itself, and how old that word is."""

from __future__ import annotations

import datetime as dt

import attrs

from tradecore.domain import streams
from tradecore.domain.commands import PlaceOrder
from tradecore.domain.events import AssetsConfirmed, AssetsRefreshed
from tradecore.domain.listing import Listing
from tradecore.domain.messages import Cause
from tradecore.domain.truth import Known, judged, unavailable
from tradecore.draft import last_recorded
from tradecore.errors import StaleError
from tradecore.journal.contract import Journal
from tradecore.ledger import Ledger
from tradecore.ports.broker import Broker
from tradecore.ports.clock import Clock

_CONFIRM_EVERY = dt.timedelta(hours=6)


class Assets:
    """The broker's list of what can be traded. An outage leaves the last one, until that is too old."""

    def __init__(self, ledger: Ledger, broker: Broker, clock: Clock, max_age_s: float | None) -> None:
        """A list older than `max_age_s` is stale; None where age is no matter."""
        self._ledger = ledger
        self._broker = broker
        self._clock = clock
        self._limit = None if max_age_s is None else dt.timedelta(seconds=max_age_s)
        self._told: tuple[frozenset[str], dt.datetime, float] | None = None
        self._whole_only: frozenset[str] = frozenset()
        self._not_lent: frozenset[str] = frozenset()

    async def refresh(self, cause: Cause) -> None:
        """Ask the broker, and record its list when it is not the one that is recorded already.

        Raises `BrokerUnreachable`, `ProtocolError`; then everything is as it was.
        """
        as_of, at = self._clock.now(), self._clock.monotonic()
        traded = sorted((asset for asset in await self._broker.assets() if asset.tradable), key=lambda one: one.symbol)
        symbols = tuple(asset.symbol for asset in traded)
        self._told = (frozenset(symbols), as_of, at)
        self._whole_only = frozenset(asset.symbol for asset in traded if not asset.fractionable)
        self._not_lent = frozenset(asset.symbol for asset in traded if not asset.shortable)
        event = AssetsRefreshed(
            self._broker.name, symbols, tuple(sorted(self._whole_only)), tuple(sorted(self._not_lent)), is_full=True
        )
        told = _last_word(self._ledger.journal)
        if told is None or told[0] != event:
            self._ledger.note(streams.ASSETS, event, cause)
        elif as_of - told[1] >= (_CONFIRM_EVERY if self._limit is None else self._limit / 4):
            self._ledger.note(streams.ASSETS_CONFIRMED, AssetsConfirmed(self._broker.name), cause)

    def known(self) -> Known[frozenset[str]]:
        """The symbols that can be traded, as of when this process last heard it from the broker."""
        if self._told is None:
            return unavailable()
        symbols, as_of, at = self._told
        passed = dt.timedelta(seconds=self._clock.monotonic() - at)  # whatever the wall clock was set to meanwhile
        return judged(symbols, as_of, as_of + passed, self._limit)

    def on(self, order: PlaceOrder) -> PlaceOrder:
        """The order with what the broker says of its symbol."""
        return told_of(order, self.listing(order.symbol))

    def listing(self, symbol: str) -> Listing:
        """What the broker says of a symbol."""
        return Listing(self.tradable(symbol), symbol in self._whole_only, symbol in self._not_lent)

    def tradable(self, symbol: str) -> bool | None:
        """Whether the broker trades a symbol; None when it never said, or too long ago. That is not a no."""
        try:
            return symbol in self.known().require("assets")
        except StaleError:
            return None


def told_of(order: PlaceOrder, listing: Listing) -> PlaceOrder:
    """The order with what is known of its symbol."""
    return attrs.evolve(order, tradable=listing.tradable, whole_only=listing.whole_only, not_lent=listing.not_lent)


def recorded_list(journal: Journal, now: dt.datetime, max_age_s: float) -> Known[AssetsRefreshed]:
    """The broker's list in the ledger, for whoever cannot ask the broker: as of when a runner last heard it.

    One that an earlier build recorded, without what is not lent or traded in fractions, is as good as none.
    """
    told = _last_word(journal)
    if told is None or not told[0].is_full:
        return unavailable()
    return judged(told[0], told[1], now, dt.timedelta(seconds=max_age_s))


def recorded_listing(known: AssetsRefreshed, symbol: str) -> Listing:
    """What a list says of a symbol."""
    return Listing(symbol in known.symbols, symbol in known.whole_only, symbol in known.not_lent)


def _last_word(journal: Journal) -> tuple[AssetsRefreshed, dt.datetime] | None:
    """The newest list in the ledger, and when it was last heard."""
    told, again = last_recorded(journal, streams.ASSETS), last_recorded(journal, streams.ASSETS_CONFIRMED)
    if told is None or not isinstance(told.event, AssetsRefreshed):
        return None
    heard = [each.envelope.recorded_at_ns for each in (told, again) if each is not None]
    return told.event, dt.datetime.fromtimestamp(max(heard) / 1e9, dt.UTC)
