"""The calls: the one module that gives instructions to a broker. One attempt each, and always an outcome."""

from __future__ import annotations

from collections.abc import Awaitable

from tradecore.domain import commands as cmd
from tradecore.domain.kill import KillState
from tradecore.domain.order import OrderState
from tradecore.errors import BrokerError, BrokerUnauthorized, NotSent, TradecoreError
from tradecore.failpoints import failpoint
from tradecore.outbox.answers import Done, answered, failed
from tradecore.outbox.requests import replace_request_of, request_of
from tradecore.ports.broker import Broker, Veto

LATE = "too much time passed since the attempt was recorded; it was not sent"


async def submit_order(broker: Broker, order: OrderState, legs: list[OrderState], veto: Veto) -> Done:
    """Send an order, unless there is a veto by the time that it leaves."""
    try:
        answer = await broker.submit(request_of(order, veto))
    except BrokerError as error:
        return failed(order, error)
    failpoint("outbox.post.after")
    return answered(order, answer, legs, found=False)


async def replace_order(broker: Broker, order: OrderState, old_broker_order_id: str, veto: Veto) -> Done:
    """Ask for an order in the place of another."""
    try:
        answer = await broker.replace(old_broker_order_id, replace_request_of(order, veto))
    except BrokerError as error:
        return failed(order, error)
    failpoint("outbox.post.after")
    return answered(order, answer, [], found=False)


def not_sent(order: OrderState, reason: str = LATE) -> Done:
    """The outcome of an attempt that must not be sent now: it was recorded too long ago, or sending stopped since."""
    return Done([cmd.RecordNotSent(order.order_id, reason, order.submits, counts=False)], retry_in_s=0.0)


async def cancel_order(broker: Broker, order: OrderState) -> Done:
    """Ask for a cancel. That the request was taken ends the work; that the order ended, only its status says."""
    assert order.broker_order_id is not None, "only an order that the broker has can be canceled there"
    try:
        await broker.cancel(order.broker_order_id)
    except BrokerUnauthorized as error:
        return Done([cmd.RecordCancelAnswer(order.order_id, False, str(error))], fatal=error)
    except NotSent as error:
        wish_s = error.retry_after_s
        answer = cmd.RecordCancelAnswer(order.order_id, False, str(error), counts=wish_s is None)
        return Done([answer], retry_in_s=wish_s or 0.0)
    except BrokerError as error:  # asking twice for a cancel does no harm
        message = getattr(error, "message", None) or str(error)
        return Done([cmd.RecordCancelAnswer(order.order_id, False, message)], retry_in_s=0.0)
    return Done([cmd.RecordCancelAnswer(order.order_id, True, "")])


async def kill_everything(broker: Broker, state: KillState) -> Done:
    """Have everything canceled, and the account suspended where that is wanted: either also when the other fails."""
    failures: list[TradecoreError] = []
    if state.suspend:  # first, so that nothing new appears behind the cancels
        await _try(broker.suspend(suspended=True), failures)
    await _try(broker.cancel_all(), failures)
    fatal = next((error for error in failures if isinstance(error, BrokerUnauthorized)), None)
    reason = "; ".join(str(error) for error in failures)
    retry_in_s = 0.0 if fatal is None else None
    return Done([cmd.RecordKillAnswer(state.account, not failures, reason)], retry_in_s=retry_in_s, fatal=fatal)


async def lift_suspension(broker: Broker, state: KillState) -> Done:
    """Have the broker take new orders again, and see whether it shows that; nothing is told it once a kill came."""
    failures: list[TradecoreError] = []
    shown: bool | None = None
    if state.is_open:
        return Done([cmd.RecordLiftAnswer(state.account, False, "not sent: a kill came")], retry_in_s=0.0)
    failpoint("outbox.lift.before")
    await _try(broker.suspend(suspended=False), failures)
    failpoint("outbox.lift.after")
    if not failures:
        try:
            shown = (await broker.account()).suspended
        except TradecoreError as error:
            failures.append(error)
    fatal = next((error for error in failures if isinstance(error, BrokerUnauthorized)), None)
    reason = "; ".join(str(error) for error in failures)
    if shown:
        reason = "the broker still shows the account as suspended"
    answer = cmd.RecordLiftAnswer(state.account, not failures, reason, shown)
    return Done([answer], retry_in_s=0.0 if fatal is None else None, fatal=fatal)


async def _try(call: Awaitable[None], failures: list[TradecoreError]) -> None:
    try:
        await call
    except TradecoreError as error:
        failures.append(error)
