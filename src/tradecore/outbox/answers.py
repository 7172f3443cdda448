"""What the broker answered, as commands to be recorded."""

from __future__ import annotations

import attrs

from tradecore.domain import commands as cmd
from tradecore.domain.order import OrderState
from tradecore.domain.values import Leg, OrderStatus
from tradecore.errors import (
    AlreadyExists,
    BrokerError,
    BrokerRefused,
    BrokerUnauthorized,
    InvariantViolated,
    NotSent,
    OutcomeUnknown,
)
from tradecore.ports.broker import BrokerOrder
from tradecore.translation import check_same

_ROLES = {"limit": Leg.TAKE_PROFIT, "stop": Leg.STOP_LOSS, "stop_limit": Leg.STOP_LOSS}


@attrs.define
class Done:
    """How a call or a look-up ended: what to record, when to come back, and what must stop the runner.

    `retry_in_s` None means that the next step, if any, follows at once. `hold_s` is for how long nothing new should be
    sent, `send_again` the attempt that was proved not to have arrived.
    """

    commands: list[cmd.Command] = attrs.field(factory=list)
    retry_in_s: float | None = None
    hold_s: float | None = None
    send_again: int | None = None
    fatal: BaseException | None = None
    alert: tuple[str, str] | None = None


def answered(order: OrderState, answer: BrokerOrder, missing: list[OrderState], *, found: bool) -> Done:
    """T3 for an order that the broker has, with whatever it says of its legs."""
    try:
        check_same(order, answer)
    except InvariantViolated as error:  # nobody knows what is there under our name: a person must look
        reason = str(error)
        halt = cmd.HaltOrder(order.order_id, reason, answer.raw)
        return Done([halt], alert=("order_halted", f"order {order.order_id} is halted: {reason}"))
    record = cmd.RecordAnswer(
        order_id=order.order_id,
        broker_order_id=answer.broker_order_id,
        status=answer.status or OrderStatus.ACCEPTED,
        filled_qty=answer.filled_qty,
        updated_at=answer.updated_at,
        raw=answer.raw,
        found_by_lookup=found,
    )
    return Done([record, *leg_reports(missing, answer)])


def leg_reports(missing: list[OrderState], parent: BrokerOrder) -> list[cmd.Command]:
    """Which of the broker's orders are the legs that were planned: told apart by their types."""
    told = {_ROLES.get(leg.order_type): leg for leg in parent.legs}
    reports: list[cmd.Command] = []
    for order in missing:
        leg = told.get(order.leg)
        if leg is None or (leg.symbol, leg.side) != (order.symbol, order.side):
            continue
        report = cmd.RecordReport(
            order_id=order.order_id,
            broker_order_id=leg.broker_order_id,
            status=leg.status or OrderStatus.ACCEPTED,
            filled_qty=leg.filled_qty,
            updated_at=leg.updated_at,
            source="answer",
            raw=leg.raw,
        )
        reports.append(report)
    return reports


def failed(order: OrderState, error: BrokerError) -> Done:
    """T3 of a submit or a replace that brought no answer. When to retry is for the caller to say."""
    order_id, attempt = order.order_id, order.submits
    match error:
        case BrokerRefused():
            code = f"{error.status}" if error.code is None else f"{error.status}/{error.code}"
            if order.replaces is not None and order.lost_attempt:  # it may be why the old order is not open any more
                reason = f"refused ({code} {error.message}), perhaps because an attempt before it was taken"
                return Done([cmd.RecordUnknown(order_id, reason, attempt=attempt)])
            return Done([cmd.RecordRejection(order_id, code, error.message, error.raw, attempt)])
        case NotSent():
            counts = error.retry_after_s is None
            done = Done([cmd.RecordNotSent(order_id, str(error), attempt, counts)], hold_s=error.retry_after_s)
            done.retry_in_s = error.retry_after_s or 0.0
            return done
        case BrokerUnauthorized():  # nothing was done there, and nothing else will be: the runner must stop
            return Done([cmd.RecordNotSent(order_id, str(error), attempt, counts=False)], fatal=error)
        case OutcomeUnknown():
            return Done([cmd.RecordUnknown(order_id, str(error), isinstance(error, AlreadyExists), attempt)])
        case _:
            return Done(fatal=error)
