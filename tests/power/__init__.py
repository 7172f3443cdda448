"""Power cuts: every state that a disk could be left in, opened as tradecore opens a ledger."""
