"""The budget for model calls on a server: two processes race safely, and a kill never lets more be spent."""

from __future__ import annotations

import pytest

from tests.models.conftest import server as model_server
from tests.models.test_budget import (
    test_a_kill_anywhere_in_a_call_never_lets_more_be_spent as _kill,
)
from tests.models.test_budget import (
    test_two_processes_never_spend_more_than_the_budget_together as _race,
)
from tradecore.testing.model_server import ModelServer

models = model_server


@pytest.mark.slow
def test_two_processes_race_safely(models: ModelServer, url: str) -> None:
    _race(models, url)


@pytest.mark.slow
def test_a_kill_after_the_call_never_lets_more_be_spent(models: ModelServer, url: str) -> None:
    _kill(models, url, "models.call.after")
