"""tradecore: event-sourced automated trading. Importing it is cheap; everything heavy is imported where it is used."""

__version__ = "0.1.0"
