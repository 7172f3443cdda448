"""Paper trading in this process: the exchange's matching core as a broker, without a port, a thread or HTTP.

`tradecore_paper.venue.open_venue` is the entry point; `tradecore_paper.broker.PaperBroker` is the broker alone.
"""
