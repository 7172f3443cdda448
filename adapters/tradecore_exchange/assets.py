"""What may be done with an asset."""

from __future__ import annotations

import attrs

from tradecore_exchange.identity import is_crypto


@attrs.frozen
class AssetTerms:
    """The switches of one asset; the defaults are an ordinary share's."""

    tradable: bool = True
    fractionable: bool = True
    shortable: bool = True
    easy_to_borrow: bool = True
    marginable: bool = True
    overnight_tradable: bool = True


_CRYPTO = AssetTerms(shortable=False, easy_to_borrow=False, marginable=False, overnight_tradable=False)
_SHARE = AssetTerms()


def usual_terms(symbol: str) -> AssetTerms:
    """The terms of an asset about which nothing was said."""
    return _CRYPTO if is_crypto(symbol) else _SHARE
