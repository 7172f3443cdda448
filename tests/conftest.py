"""What holds for every test: a runner has no limits unless a test sets some, and no example is timed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.setdefault("TRADECORE_RISK__DEFAULTS", "none")
# Tests place the same order again and again, and rules that trade for the sake of trading lose.
os.environ.setdefault("TRADECORE_TRIGGERS__REPEATED_EXECUTION", "none")
os.environ.setdefault("TRADECORE_TRIGGERS__CONSECUTIVE_LOSSES", "none")
settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
settings.load_profile("untimed")

HERE = Path(__file__).parent
# A failure there is the finding, however rare (docs/decisions/0032-second-look.md).
NO_SECOND_LOOK = {"audit", "campaign", "crash", "disk", "domain", "power", "races", "risk", "simulation"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE) and item.path.relative_to(HERE).parts[0] in NO_SECOND_LOOK:
            item.add_marker(pytest.mark.flaky(reruns=0))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What campaigns amount to, one line each, also when they ran in a worker."""
    for report in terminalreporter.getreports("passed"):
        for name, line in report.user_properties:
            if name == "summary" and report.when == "call":
                terminalreporter.write_line(str(line))
