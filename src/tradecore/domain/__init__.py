"""The pure heart: values, commands, events, and the aggregates that decide. No clock, no randomness, no I/O, no float."""
