"""Models of every provider that litellm speaks to; it makes one HTTP attempt per call and decides nothing."""
