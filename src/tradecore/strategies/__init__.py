"""Strategies that ship: examples, found by entry point exactly as a stranger's would be."""
