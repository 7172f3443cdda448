"""The broker contract can fail: each planted fault is noticed by the case that is there for it."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from tests.paper.faulty import PLANTED
from tests.paper.staging import EVERYTHING, FloorStage, opened_floor
from tradecore.errors import BrokerRefused, OutcomeUnknown
from tradecore.testing import broker_contract
from tradecore.testing.broker_contract import BrokerContract, Capability, Play
from tradecore_paper.broker import PaperBroker

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
CASES = dict(inspect.getmembers(BrokerContract, inspect.iscoroutinefunction))
NUMBERS = sorted({name.split("_")[1] for name in CASES if name.startswith("test_")})


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def first_arguments(case: Any) -> dict[str, Any]:
    """The first of the sets of parameters that a case is run with."""
    arguments: dict[str, Any] = {}
    for mark in (one for one in getattr(case, "pytestmark", []) if one.name == "parametrize"):
        names, sets = mark.args
        if isinstance(names, str):
            arguments[names] = sets[0]
        else:
            arguments |= zip(names, sets[0], strict=True)
    return arguments


async def failures(broker: type[PaperBroker], number: str) -> list[str]:
    """The cases of that number that do not pass, each with its first parameters."""
    failed = []
    in_parts = number == "b06"
    for name, case in CASES.items():
        if not name.startswith(f"test_{number}_"):
            continue
        floor = opened_floor(partial_fill_rate=1.0 if in_parts else 0.0)
        able = EVERYTHING | {Capability.PARTIAL_FILLS} if in_parts else EVERYTHING
        try:
            await case(BrokerContract(), Play(FloorStage(broker(floor), floor, able)), **first_arguments(case))
        except (AssertionError, ValueError, pytest.fail.Exception, BrokerRefused, OutcomeUnknown, TimeoutError):
            failed.append(name)
        finally:
            floor.close()
    return failed


@pytest.mark.parametrize(("broker", "number"), PLANTED, ids=lambda value: getattr(value, "__name__", value))
async def test_a_planted_fault_is_noticed(
    broker: type[PaperBroker], number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tradecore.testing.broker_stage.PATIENCE_S", 1.0)
    assert await failures(broker, number) != []


@pytest.mark.parametrize("number", NUMBERS)
async def test_without_a_fault_every_case_passes(number: str) -> None:
    assert await failures(PaperBroker, number) == []


def test_the_numbers_have_no_gap_and_a_fault_is_planted_for_each() -> None:
    assert [f"b{number:02}" for number in range(1, len(NUMBERS) + 1)] == NUMBERS
    assert sorted({number for _, number in PLANTED}) == NUMBERS


@pytest.mark.parametrize("text", [broker_contract.__doc__ or "", (ROOT / "docs" / "brokers.md").read_text("utf-8")])
def test_what_is_written_about_the_contract_names_every_number(text: str) -> None:
    assert sorted({word.lower() for word in re.findall(r"\bB\d\d\b", text)}) == NUMBERS
