"""The golden corpus: one stored example of every event and schema version that ever shipped, readable for ever."""
