"""Mutation testing: every small change to the modules between an order and the broker must make a test fail."""
