"""Seeds in which agents trade: what their runners are told, and what happens to their models."""

from __future__ import annotations

import os
import random
from decimal import Decimal
from typing import Any

import attrs

from tests.simulation.script import HEAL_S, Act
from tradecore.failpoints import DECISION_FAILPOINTS, MODEL_FAILPOINTS

KEY = "simulated-key-of-the-first-provider"
KEY_ENV = "TRADECORE_SIMULATED_MODEL_KEY"
PRICES = {"alpha": (Decimal(3), Decimal(15)), "beta": (Decimal(1), Decimal(5))}
"""Dollars per million tokens, of input and of output, by provider."""
PORTS = {"alpha": 8001, "beta": 8002}
DECIDE_S = 4.5
MORE = 5
"""How many bars of the next day there are."""
STATUSES = {"400": 400, "401": 401, "429": 429, "500": 500, "502": 502, "503": 503, "504": 504}
KINDS = (
    *STATUSES, "hang", "slow", "drip", "cut", "half stream", "no end", "not json", "schema", "prose", "refusal",
    "filtered", "length", "no usage", "extreme", "reset", "goodbye",
)  # fmt: skip
"""How a model fails."""
_PLACES = (*MODEL_FAILPOINTS, *DECISION_FAILPOINTS)
_BUDGETS: tuple[dict[str, str], ...] = (
    {"per_request": "0.10", "per_day": "5"},
    {"per_request": "0.05", "per_day": "0.20", "per_month": "0.25"},
    {"per_request": "0.012", "per_decision": "0.03"},
    {"per_request": "0.05", "per_agent_per_day": "0.10", "per_day": "1"},
)

THOUGHTS: dict[str, int] = {
    "model fails": 5,
    "model is down": 2,
    "kill in a call": 3,
    "pause in a call": 2,
    "kill in thought": 4,
}
"""What happens to agents and models, and how often a seed has it when it has it."""


@attrs.frozen
class Mind:
    """Who decides in a seed. `mood` is how often a model fails by itself; `hangs` that none answers in the end;
    `patient` that the first model has longer to answer than there is to decide."""

    agent: str
    alone: bool
    mood: float
    hangs: bool
    budget: int
    exits: bool
    adding: bool
    patient: bool


def mind_of(seed: int) -> Mind | None:
    """The agent of a seed; four in five have none, and leave everything to the strategy."""
    rng = random.Random(f"mind:{seed}")
    if rng.random() >= 0.2:
        return None
    return Mind(
        agent="committee" if rng.random() < 0.15 else "single",
        alone=rng.random() < 0.6,
        mood=rng.choice((0.0, 0.1, 0.35)),
        hangs=rng.random() < 0.3,
        budget=rng.randrange(len(_BUDGETS)),
        exits=rng.random() < 0.7,
        adding=rng.random() < 0.4,
        patient=rng.random() < 0.4,
    )


def settings_of_mind(mind: Mind) -> dict[str, Any]:
    """The part of a runner's settings that is about its agent."""
    os.environ[KEY_ENV] = KEY
    told: dict[str, Any] = {
        "agent": {"name": mind.agent, "parameters": {"lookback_bars": 8}},
        "cycle": {
            "every_s": 15,
            "mode": "autonomous",
            "decide_s": DECIDE_S,
            "deliver_s": 3,
            "allow_adding": mind.adding,
            "allow_short": mind.adding,
        },
        "models": {
            "providers": {
                "alpha": _provider("alpha", KEY_ENV),
                "beta": _provider("beta", ""),
            },
            "catalogue": {
                "quick": _model("alpha", stream=True, timeout_s=6 if mind.patient else 3),
                "steady": _model("beta", stream=False, timeout_s=3),
            },
            "chains": {"default": ["quick", "steady"]},
            "budget": _BUDGETS[mind.budget],
            "deadline_s": {"low": 7, "medium": 7, "high": 4},
            "breaker": {"failures": 3, "open_s": 10},
        },
    }
    if mind.exits:
        told["exits"] = {"trail": "0.02", "trail_arm": "0.005", "stop_loss": "0.01"}
    return told


def limits_of(mind: Mind) -> dict[str, Decimal]:
    """What may be spent on models, by the name of the limit; what is not said is as the settings have it."""
    return {"per_month": Decimal(1000)} | {name: Decimal(value) for name, value in _BUDGETS[mind.budget].items()}


def _provider(name: str, key_env: str) -> dict[str, Any]:
    return {"base_url": f"http://10.0.0.1:{PORTS[name]}/v1", "key_env": key_env, "connect_timeout_s": 1}


def _model(provider: str, *, stream: bool, timeout_s: int) -> dict[str, Any]:
    dear, dearer = PRICES[provider]
    return {
        "provider": provider,
        "model": f"{provider}-1",
        "input_per_million": str(dear),
        "output_per_million": str(dearer),
        "max_output_tokens": 300,
        "bytes_per_token": 3,
        "timeout_s": timeout_s,
        "stream": stream,
    }


def thoughts_of(seed: int, machines: int) -> tuple[Act, ...]:
    """What of the script is about models: nothing where nobody asks one."""
    if mind_of(seed) is None:
        return ()
    rng = random.Random(f"thoughts:{seed}")
    acts = []
    for kind, most in THOUGHTS.items():
        if rng.random() < 0.5:
            acts += [_act(kind, rng, machines) for _ in range(rng.randint(1, most))]
    return tuple(acts)


def _act(kind: str, rng: random.Random, machines: int) -> Act:
    word, number = rng.choice(KINDS), rng.randint(1, 1_000_000)
    if kind == "kill in thought":
        word, number = rng.choice(_PLACES), rng.randint(1, 4)
    elif kind != "model fails":
        word = ""
    at, lasts = rng.uniform(1.0, HEAL_S - 5), rng.choice((0.5, 2.0, 6.0, 12.0)) * rng.uniform(0.5, 1.5)
    return Act(round(at, 3), kind, rng.randrange(machines), number, word, round(lasts, 3))
