"""Leave to send: what is asked before an order goes to the broker, and once more when its turn to leave has come."""

from __future__ import annotations

from collections.abc import Callable

from tradecore.domain.order import OrderState
from tradecore.domain.switch import why_not_sent
from tradecore.domain.values import Purpose
from tradecore.ledger import Ledger
from tradecore.ports.clock import Clock


class Leave:
    """Whether an order that the broker does not have yet may be sent, must wait, or is given up."""

    def __init__(self, ledger: Ledger, clock: Clock, account: str) -> None:
        self._ledger = ledger
        self._clock = clock
        self._account = account
        self.refusal: Callable[[OrderState], str | None] = lambda _: None
        """Why an order is not to be sent any more; None when it is."""
        self.hold: Callable[[OrderState], str | None] = lambda _: None
        """Why an order must wait until somebody says `Outbox.look_again`; None when it must not."""
        self.halt: Callable[[], str | None] = lambda: None
        """Why nothing but closing orders is to be sent, asked before every send; needs no ledger."""

    def given_up(self, order: OrderState) -> str | None:
        """Why the order is withdrawn instead of sent, or None."""
        return self.refusal(order) or self._halted(order)

    def seconds_to_wait(self, order: OrderState) -> float | None:
        """For how long the order may wait when it must; one that is late or unwanted ends instead."""
        assert order.not_after is not None, "an order is queued before it is sent"
        left_s = (order.not_after - self._clock.now()).total_seconds()
        ends = left_s < 0 or order.cancel_requested or self.given_up(order) is not None
        return None if ends or self.hold(order) is None else left_s

    def stopped(self, order: OrderState) -> str | None:
        """Why an order whose attempt is recorded is not sent after all, or None: a stop may have come in between."""
        return self._halted(order) or why_not_sent(self._ledger.account(order.account), order)

    def veto(self, order_id: str) -> str | None:
        """What was recorded since the attempt was, and is against it: asked when its turn to leave has come."""
        order = self._ledger.order(order_id)
        assert order is not None, "an order does not vanish"
        assert order.not_after is not None, "an order is queued before it is sent"
        killed = self._ledger.kill(self._account)
        if order.cancel_requested:
            return "it was canceled while it waited"
        if killed is not None and killed.is_open and order.purpose is Purpose.TRADE:
            return "everything that works for the account is being canceled"
        if self._clock.now() > order.not_after:
            return "its time to be sent passed while it waited"
        return self.refusal(order) or self.hold(order) or self.stopped(order)

    def _halted(self, order: OrderState) -> str | None:
        return self.halt() if order.purpose is Purpose.TRADE else None
