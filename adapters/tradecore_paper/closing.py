"""The order that flattens a position."""

from __future__ import annotations

from tradecore.domain.values import Side
from tradecore_exchange import Floor, OrderRequest
from tradecore_exchange.identity import is_crypto
from tradecore_exchange.refusals import Refused, position_not_found
from tradecore_exchange.words import OrderType, TimeInForce


def closing_request(floor: Floor, symbol: str) -> OrderRequest:
    """A market order for all that is held. Raises `Refused` when nothing is."""
    held = floor.exchange.account.position_qty(symbol)
    if held == 0:
        raise Refused(position_not_found())
    return OrderRequest(
        symbol=symbol,
        side=Side.SELL if held > 0 else Side.BUY,
        type=OrderType.MARKET,
        time_in_force=TimeInForce.GTC if is_crypto(symbol) else TimeInForce.DAY,
        qty=abs(held),
    )
