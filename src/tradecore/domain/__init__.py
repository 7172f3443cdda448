"""The pure heart: values, commands, events, and the aggregates that decide. No clock, no chance, no I/O, no float."""
