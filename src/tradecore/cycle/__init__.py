"""The cycle: once in a while look, decide, act and compare, every step on record."""
