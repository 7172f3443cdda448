"""What ships for tests: the contract suites that every store and every broker must pass."""
