"""Events for the world outside: from the log to a bus, at least once, with a cursor that survives."""
