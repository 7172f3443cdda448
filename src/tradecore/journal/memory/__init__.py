"""A ledger in memory: for tests, simulations and backtests."""
