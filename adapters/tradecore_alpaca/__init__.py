"""Alpaca as a broker and as market data: its own REST and WebSocket protocol, exact numbers, no automatic repeats.

`tradecore_alpaca.venue.open_venue` is the entry point; `tradecore_alpaca.venue.connect` serves whoever speaks the
same protocol at other addresses.
"""
