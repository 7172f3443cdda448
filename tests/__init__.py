"""Tests of tradecore."""
