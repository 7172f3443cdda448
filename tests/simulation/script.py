"""What happens to a seed's world besides trading: drawn from the seed, a list from which acts can be dropped."""

from __future__ import annotations

import random

import attrs

from tradecore.failpoints import FAILPOINTS, SAGA_FAILPOINTS

HEAL_S = 150.0
"""From here on nothing is disturbed any more, and everything must come right."""
_PLACES = (*(name for name in FAILPOINTS if not name.startswith("engine.")), *SAGA_FAILPOINTS)

_WORK = tuple(name for name in _PLACES if name.startswith("outbox."))
"""Where somebody who holds the lane may be held up for longer than others wait."""
_STOPS = ("halt", "reduce only", "kill switch")


@attrs.frozen
class Act:
    """One thing that happens at `at` (seconds). What `who`, `number`, `word` and `lasts_s` mean, its kind says."""

    at: float
    kind: str
    who: int = 0
    number: int = 0
    word: str = ""
    lasts_s: float = 0.0

    def __str__(self) -> str:
        rest = " ".join(str(part) for part in (self.word, self.number) if part)
        return f"{self.kind} {rest} (machine {self.who}, {self.lasts_s:.1f} s)"


FAULTS: dict[str, int] = {
    "kill": 3,
    "kill at a step": 4,
    "kill at a failpoint": 5,
    "pause": 3,
    "pause at a step": 2,
    "pause at a failpoint": 2,
    "term": 1,
    "network": 4,
    "slow": 2,
    "cut streams": 2,
    "clock": 2,
    "commit": 3,
    "disk full": 1,
    "power": 1,
    "fault": 6,
    "lost and hidden": 2,
    "plan": 3,
    "rate limit": 1,
}
"""What goes wrong, and how often of it a seed has much when it has it."""

DEEDS: dict[str, int] = {
    "place": 5,
    "cancel": 4,
    "cancel a part": 2,
    "replace": 3,
    "close": 2,
    "close saga": 2,
    "rebalance": 1,
    "halt": 1,
    "reduce only": 1,
    "resume": 3,
    "kill switch": 1,
    "limits": 1,
    "retry": 1,
    "bust": 1,
    "correct": 1,
    "fee": 1,
    "foreign": 1,
    "force": 1,
    "halt symbol": 1,
    "slow changes": 2,
}
"""What people and the broker do."""

ARMED = (
    "delay", "empty_200", "garbage_200", "hang", "http_429", "http_500", "http_502", "http_503", "http_504", "reset",
    "cut_200", "answer_missing_field", "answer_null_field", "answer_unknown_word", "fill_before_answer", "fill_first",
    "lookup_404", "order_lag", "position_lag", "duplicate_update", "drop_update", "reorder_updates", "delay_update",
    "stream_drop", "stream_abort", "stream_mute", "stream_freeze", "missing_field", "non_json", "unknown_event",
    "unknown_status", "upgrade_429", "auth_mute", "resend_new",
)  # fmt: skip
MODES = ("refuse", "lose_request", "lose_answer")


def script_of(seed: int, machines: int) -> tuple[Act, ...]:
    """Everything that happens in a seed's world. A third of the kinds are in use, so that seeds differ in character."""
    rng = random.Random(f"script:{seed}")
    acts: list[Act] = []
    for kinds, share in ((FAULTS, 0.35), (DEEDS, 0.5)):
        for kind, most in kinds.items():
            if rng.random() < share * (0.5 if kind in _STOPS else 1.0):
                acts += [_act(kind, rng, machines) for _ in range(rng.randint(1, most))]
    return tuple(sorted(acts, key=lambda act: (act.at, act.kind, act.number)))


def _act(kind: str, rng: random.Random, machines: int) -> Act:
    at, who = rng.uniform(1.0, HEAL_S - 5), rng.randrange(machines)
    lasts = rng.choice((0.5, 2.0, 6.0, 12.0)) * rng.uniform(0.5, 1.5)
    number, word = rng.randint(1, 1_000_000), ""
    match kind:
        case "kill at a step" | "pause at a step":
            number = rng.randint(1, 400)
        case "kill at a failpoint":
            number, word = rng.randint(1, 4), rng.choice(_PLACES)
        case "pause at a failpoint":
            number, word, lasts = rng.randint(1, 4), rng.choice(_WORK), rng.uniform(2, 20)
        case "network":
            word = rng.choice(MODES)
        case "commit":
            number, word = rng.randint(1, 12), rng.choice(("done", "lost"))
        case "clock":
            lasts = rng.choice((-3600.0, -30.0, -2.0, 2.0, 30.0, 3600.0))
        case "fault":
            word = rng.choice(ARMED)
        case _:
            pass
    return Act(round(at, 3), kind, who, number, word, round(lasts, 3))
