"""What holds for every test: a runner has no limits unless a test sets some."""

from __future__ import annotations

import os

os.environ.setdefault("TRADECORE_RISK__DEFAULTS", "none")
os.environ.setdefault("TRADECORE_TRIGGERS__REPEATED_EXECUTION", "none")  # tests place the same order again and again
