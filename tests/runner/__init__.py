"""Runners as people start them: real processes, real exchanges, real signals."""
