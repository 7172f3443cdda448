"""Lineage: everything that belongs together, from a cycle to what was learned of its decisions, and its exports."""
