"""kill -9 of a real runner process, with the exchange as judge."""
