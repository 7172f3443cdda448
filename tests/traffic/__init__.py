"""Traffic of a broker, as it comes over the wire, and the ledger that it must lead to."""
