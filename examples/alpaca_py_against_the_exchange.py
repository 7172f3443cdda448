"""Unmodified alpaca-py trades on the embedded exchange: the same client code as against Alpaca's paper API.

Needs `pip install alpaca-py`. Run it with `python examples/alpaca_py_against_the_exchange.py`.
"""

from __future__ import annotations

import httpx
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import OrderSide, TimeInForce
from alpaca.trading.requests import MarketOrderRequest

from tradecore_bars import seeded_bars
from tradecore_exchange import DEFAULT_KEY, DEFAULT_SECRET, ExchangeServer, Floor


def main() -> None:
    """Buy ten shares, move the market by a minute, and look at the position."""
    market = Floor(["AAA"], list(seeded_bars(["AAA"], days=1, seed=7)), source="example")
    with ExchangeServer(market) as server:
        control = httpx.Client(
            base_url=server.base_url,
            headers={"APCA-API-KEY-ID": DEFAULT_KEY, "APCA-API-SECRET-KEY": DEFAULT_SECRET},
            trust_env=False,
        )
        control.post("/_ctl/advance")
        client = TradingClient(DEFAULT_KEY, DEFAULT_SECRET, url_override=server.base_url)
        order = client.submit_order(
            MarketOrderRequest(symbol="AAA", qty=10, side=OrderSide.BUY, time_in_force=TimeInForce.DAY)
        )
        control.post("/_ctl/advance")
        print(client.get_order_by_id(order.id).status.value, client.get_open_position("AAA").qty)


if __name__ == "__main__":
    main()
