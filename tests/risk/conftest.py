"""The terminal of the command line's tests."""

from tests.cli.conftest import terminal

__all__ = ["terminal"]
