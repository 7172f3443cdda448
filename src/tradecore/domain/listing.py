"""Listing: what a broker says of a symbol, as far as anybody knows by now."""

from __future__ import annotations

import attrs


@attrs.frozen
class Listing:
    """Whether it is traded (None: nobody knows by now), in whole units only, and not lent to be sold short."""

    tradable: bool | None = None
    whole_only: bool = False
    not_lent: bool = False


NOT_KNOWN = Listing()
TRADED = Listing(True)
