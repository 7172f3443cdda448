"""The core reads no clock, draws no chance and makes no ids of its own: all of that comes through ports."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

LIBRARY = Path(__file__).parents[2] / "src" / "tradecore"
CORE = (
    "audit/anchorer.py", "audit/chain_check.py", "audit/merkle.py", "audit/proof.py", "books", "domain", "views",
    "strategies", "attribution.py", "batch.py", "closing.py", "draft.py", "engine.py", "feed.py", "follower.py",
    "gate.py", "inbox.py", "ledger.py", "models", "outbox", "outside.py", "planning.py", "portfolio.py", "proposing.py",
    "publishing", "reconcile.py", "revising.py", "rewind.py", "sagas", "schedule.py", "sharing.py", "thinking.py",
    "translation.py", "verify",
    "agents", "cycle", "learning", "lineage",
)  # fmt: skip
BANNED_MODULES = {"time", "random", "secrets", "threading", "asyncio", "socket", "os", "sqlite3", "httpx"}
BANNED_CALLS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "uuid4", "uuid1", "anyio.sleep"}


def violations(source: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [name.name for name in node.names if name.name.split(".")[0] in BANNED_MODULES]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            if node.module.split(".")[0] in BANNED_MODULES:
                found.append(node.module)
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            found += [called for banned in BANNED_CALLS if called == banned or called.endswith("." + banned)]
        elif isinstance(node, ast.For | ast.comprehension) and isinstance(node.iter, ast.Set | ast.SetComp):
            found.append("iteration over a set")
    return found


def core_files() -> list[Path]:
    files: list[Path] = []
    for name in CORE:
        path = LIBRARY / name
        files += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return files


@pytest.mark.parametrize("path", core_files(), ids=lambda path: str(path.relative_to(LIBRARY)))
def test_the_core_uses_no_clock_chance_or_identity_of_its_own(path: Path) -> None:
    assert violations(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import time\n",
        "from random import random\n",
        "import datetime as dt\ndt.datetime.now(dt.UTC)\n",
        "import uuid\nuuid.uuid4()\n",
        "for x in {1, 2}:\n    pass\n",
        "import anyio\nasync def f(): await anyio.sleep(1)\n",
    ],
)
def test_the_check_notices_what_is_banned(source: str) -> None:
    assert violations(source)
