"""What no linter checks: sizes, names, and a vocabulary without repeats."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
from pathlib import Path

from tradecore.domain.events import EVENTS, Event

ROOT = Path(__file__).parents[2]
SHIPPED = [path for folder in ("src", "adapters", "runners") for path in sorted((ROOT / folder).rglob("*.py"))]
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "types"}


def lines_of(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_no_module_is_over_400_lines() -> None:
    """All events are on one page, and all commands on another."""
    whole_pages = ("events.py", "commands.py")
    long = {str(path): lines_of(path) for path in SHIPPED if lines_of(path) > 400 and path.name not in whole_pages}
    assert long == {}


def test_the_median_module_is_under_120_lines() -> None:
    assert statistics.median(lines_of(path) for path in SHIPPED if lines_of(path) > 3) < 120


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [str(path) for path in SHIPPED if path.stem in BANNED_NAMES] == []


def test_event_names_are_stable_words_and_unique() -> None:
    classes = list(EVENTS.values())
    assert len({cls.NAME for cls in classes}) == len(classes)
    assert all(re.fullmatch(r"[a-z]+(\.[a-z_]+)?\.[a-z_]+", name) for name in EVENTS)
    assert all(issubclass(cls, Event) for cls in classes)


def test_importing_tradecore_is_cheap() -> None:
    """No heavy module comes with `import tradecore`."""
    heavy = ("pyarrow", "pandas", "numpy", "alpaca", "litellm", "rich", "pydantic", "eventsourcing", "httpx")
    code = f"import sys, tradecore; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_file_holds_an_unfinished_mark() -> None:
    mark = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
    assert [str(path) for path in SHIPPED if mark.search(path.read_text(encoding="utf-8"))] == []
