"""What ships for tests: contract suites that every store, and later every broker, bus and runner, must pass."""
