"""How this exchange differs from the plainest one."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import attrs

from tradecore_exchange.assets import AssetTerms, usual_terms


@attrs.frozen
class ExchangeOptions:
    """Rules of one exchange; every default is the most generous, so a test names what it makes harder.

    `cash` is the opening balance in dollars. `seed` decides ids and chances. `volume_share` limits what all orders
    together take of one bar's volume (None: no limit). `partial_fill_rate` is the chance, 0 to 1, that the first fill
    of an order is only a part of it (0.1 is what the paper account of the real one does). `fee_per_share` is in
    dollars, for shares; `crypto_fee_bps` in hundredths of a percent of what a crypto trade receives, and taken out of
    that. `always_open` ignores the hours of New York. `assets` holds the terms of assets that are not usual.
    """

    cash: Decimal = Decimal(100_000)
    seed: int = 0
    multiplier: int = 4
    volume_share: Decimal | None = None
    partial_fill_rate: float = 0.0
    fee_per_share: Decimal = Decimal(0)
    crypto_fee_bps: Decimal = Decimal(25)
    always_open: bool = False
    shorting: bool = True
    wash_trade_check: bool = True
    assets: Mapping[str, AssetTerms] = attrs.field(factory=dict)

    def terms(self, symbol: str) -> AssetTerms:
        """What may be done with an asset."""
        return self.assets.get(symbol) or usual_terms(symbol)
