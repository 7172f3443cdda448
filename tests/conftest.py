"""What holds for every test: a runner has no limits unless a test sets some, and no example is timed."""

from __future__ import annotations

import os

from hypothesis import settings

os.environ.setdefault("TRADECORE_RISK__DEFAULTS", "none")
# Tests place the same order again and again, and rules that trade for the sake of trading lose.
os.environ.setdefault("TRADECORE_TRIGGERS__REPEATED_EXECUTION", "none")
os.environ.setdefault("TRADECORE_TRIGGERS__CONSECUTIVE_LOSSES", "none")
settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
settings.load_profile("untimed")
