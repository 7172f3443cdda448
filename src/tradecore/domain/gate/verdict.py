"""The gate: an order against the limits and the account as it stands, written as "allow only if".

Pure: what it is told, it judges. What it is not told and would need, denies. Orders that only take risk away are not
held to limits on how much risk there may be; they may always be placed.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import attrs

from tradecore.domain.gate.amounts import AMOUNTS
from tradecore.domain.gate.conduct import IDENTITY, MARKET, PRICES, REPETITION, TEMPO
from tradecore.domain.gate.figures import Ask, Check, Rule, Standing, takes_risk_away
from tradecore.domain.limits import REDUCIBLE, Action, Limits
from tradecore.domain.values import ZERO, Purpose, TradingState


@attrs.frozen
class Verdict:
    """What the gate says: every check that was made, the one that decides, and what follows."""

    checks: tuple[Check, ...]
    decisive: Check | None
    action: Action | None
    quantity: Decimal

    @property
    def allows(self) -> bool:
        """Whether the order may go on as it is, or at `quantity`."""
        return self.action in (None, Action.WARN, Action.REDUCE)

    @property
    def outside(self) -> tuple[str, ...]:
        """The names of all limits that the order is outside of."""
        return tuple(check.rule for check in self.checks if not check.ok)

    @property
    def reason(self) -> str:
        """Why not, in a sentence; empty when nothing is wrong."""
        one = self.decisive
        return "" if one is None else f"{one.found}; allowed is {one.allowed}"


def judge(limits: Limits, ask: Ask, standing: Standing, set_aside: frozenset[str] = frozenset()) -> Verdict:
    """Hold an order against every limit that is set. The strictest action of those that it is outside of decides.

    Limits that are `set_aside` are checked and told, and decide nothing.
    """
    checks = tuple(_checks(limits, ask, standing))
    outside = [check for check in checks if not check.ok and check.rule not in set_aside]
    if not outside:
        return Verdict(checks, None, None, ask.quantity)
    decisive = max(outside, key=lambda check: _STRICTNESS[_action(limits, check)])
    action = _action(limits, decisive)
    if action is not Action.REDUCE:
        return Verdict(checks, decisive, action, ask.quantity)
    smaller = _reduced(limits, ask, standing)
    if not smaller > 0:
        return Verdict(checks, decisive, Action.BLOCK, ask.quantity)
    return Verdict(checks, decisive, Action.REDUCE, smaller)


_STRICTNESS = {Action.WARN: 0, Action.REDUCE: 1, Action.APPROVE: 2, Action.BLOCK: 3}
_ALWAYS_BLOCK = ("state", "quantity")
_ASKED_FOR = "approval"


def _action(limits: Limits, check: Check) -> Action:
    if check.rule in _ALWAYS_BLOCK:
        return Action.BLOCK
    if check.rule == _ASKED_FOR:
        return Action.APPROVE
    return limits.action(check.rule.rpartition(" ")[2])


def _checks(limits: Limits, ask: Ask, standing: Standing) -> Iterator[Check]:
    finite = ask.quantity.is_finite() and ask.quantity > 0
    yield Check("quantity", finite, str(ask.quantity), "a number above zero")
    if not finite:
        return
    reducing = takes_risk_away(ask, standing)
    yield _state(ask, standing, reducing=reducing)
    if ask.approval is not None:
        yield Check(_ASKED_FOR, False, ask.approval, "what a person agrees to")
    for rule in _rules(ask, reducing=reducing):
        yield from rule(limits, ask, standing)


def _rules(ask: Ask, *, reducing: bool) -> tuple[Rule, ...]:
    """What holds for an order: all of it, less for one that takes risk away, least for protection."""
    if not reducing:
        return _EVERYTHING
    return IDENTITY if ask.purpose is not Purpose.TRADE else _REDUCING


_REDUCING = (*IDENTITY, *PRICES, *REPETITION)
_EVERYTHING = (*IDENTITY, *MARKET, *PRICES, *REPETITION, *TEMPO, *AMOUNTS)


def _state(ask: Ask, standing: Standing, *, reducing: bool) -> Check:
    match standing.state:
        case TradingState.ACTIVE:
            ok = True
        case TradingState.REDUCE_ONLY:
            ok = reducing
        case _:
            ok = reducing and ask.purpose is not Purpose.TRADE
    return Check("state", ok, standing.state.value, "active, or an order that only takes risk away")


# --- how much less --------------------------------------------------------------------------------------------------


def _reduced(limits: Limits, ask: Ask, standing: Standing) -> Decimal:
    """The largest whole quantity that keeps every reducible limit, found by halving; zero when none does."""
    low, high = ZERO, ask.quantity.to_integral_value(rounding="ROUND_DOWN")

    def keeps(quantity: Decimal) -> bool:
        smaller = attrs.evolve(ask, quantity=quantity)
        outside = (check for check in _checks(limits, smaller, standing) if not check.ok)
        return not any(check.rule.rpartition(" ")[2] in REDUCIBLE for check in outside)

    if high > 0 and keeps(high):
        return high
    while high - low > 1:
        middle = ((low + high) / 2).to_integral_value(rounding="ROUND_DOWN")
        low, high = (middle, high) if keeps(middle) else (low, middle)
    return low
