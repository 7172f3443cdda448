"""Bugs on the way out: what is sent, when, how often, by whom, and what is made of the answers."""

from __future__ import annotations

import functools
from decimal import Decimal
from typing import Any

import attrs
import msgspec

from tests.simulation.planted.mechanism import Bug, always
from tradecore import planning
from tradecore.domain import commands as cmd
from tradecore.domain import events as ev
from tradecore.domain import kill as kills
from tradecore.domain import lane as lanes
from tradecore.domain import order as orders
from tradecore.domain import order_state
from tradecore.domain.values import ZERO, OrderStatus
from tradecore.errors import AlreadyExists, BrokerRefused, NotSent, OutcomeUnknown
from tradecore.outbox import calls, leave, lookups, outbox, working_set
from tradecore.outbox.answers import Done
from tradecore.outbox.lane import Lane
from tradecore.outbox.needs import Kind
from tradecore.runner import wiring
from tradecore_alpaca import broker as alpaca
from tradecore_alpaca import instructions

Outbox = outbox.Outbox


def _pace(**changes: Any) -> Any:
    return lambda right: functools.partial(_changed, right, changes)


def _changed(right: Any, changes: dict[str, Any], **given: Any) -> Any:
    return right(**(given | changes))


def _unknown_as(make: Any) -> Any:
    """Treats an unknown outcome as something else."""

    def wrong(right: Any) -> Any:
        def failed(order: Any, error: Any) -> Any:
            return right(order, make(error) if isinstance(error, OutcomeUnknown) else error)

        return failed

    return wrong


def _body(**changes: Any) -> Any:
    def wrong(right: Any) -> Any:
        def body(request: Any) -> bytes:
            told = msgspec.json.decode(right(request))
            for name, change in changes.items():
                if name in told:
                    told[name] = change(told[name])
            return msgspec.json.encode(told)

        return body

    return wrong


def _server_error_is_not_sent(right: Any) -> Any:
    def failed(outcome: Any, now: Any) -> Any:
        if getattr(outcome, "status", 0) >= 500:
            return NotSent("the server broke")
        return right(outcome, now)

    return failed


def _duplicate_is_refused(right: Any) -> Any:
    def failed(outcome: Any, now: Any) -> Any:
        error = right(outcome, now)
        return BrokerRefused(422, None, "client_order_id must be unique") if isinstance(error, AlreadyExists) else error

    return failed


def _gateway_is_believed(right: Any) -> Any:
    def failed(outcome: Any, now: Any) -> Any:
        if getattr(outcome, "status", 0) in (429, 502, 504):
            return BrokerRefused(outcome.status, None, "no")
        return right(outcome, now)

    return failed


def _first_404_withdraws(right: Any) -> Any:
    async def resolve(broker: Any, order: Any, *rest: Any) -> Any:
        done = await right(broker, order, *rest)
        if not done.commands and done.alert is None:
            return Done([cmd.WithdrawOrder(order.order_id, "not there")])
        return done

    return resolve


def _calls_twice(right: Any) -> Any:
    async def submit(broker: Any, order: Any, legs: Any, veto: Any) -> Any:
        done = await right(broker, order, legs, veto)
        unknown = any(isinstance(command, cmd.RecordUnknown) for command in done.commands)
        return await right(broker, order, legs, veto) if unknown else done

    return submit


def _cancel_answer_ends(right: Any) -> Any:
    def answered(state: Any, command: Any) -> Any:
        events = right(state, command)
        if command.accepted and not state.status.is_terminal:
            events.append(ev.OrderCanceled(state.order_id, "asked for", ZERO, ""))
        return events

    return answered


def _marks_while_in_flight(_right: Any) -> Any:
    def start(state: Any, command: Any) -> Any:
        if state.status.is_terminal or state.broker_order_id is not None:
            return []
        return [ev.OrderSubmitted(state.order_id, state.submits + 1, command.lease)]

    return start


def _forgets_the_time(right: Any) -> Any:
    def start(state: Any, command: Any) -> Any:
        return right(attrs.evolve(state, not_after=command.now), command)

    return start


def _sends_found_attempts_again(right: Any) -> Any:
    def needs(order: Any, find: Any) -> Any:
        if order.status is OrderStatus.SUBMITTED and order.broker_order_id is None and order.replaces is None:
            return Kind.SUBMIT
        return right(order, find)

    return needs


def _kill_is_verified(right: Any) -> Any:
    def decide(state: Any, command: Any) -> Any:
        events = right(state, command)
        if isinstance(command, cmd.RecordKillAnswer) and state is not None and state.is_open:
            return [*events, ev.KillVerified(state.account, state.attempts)]
        return events

    return decide


def _lane_for_all(right: Any) -> Any:
    def decide(state: Any, command: Any) -> Any:
        if isinstance(command, cmd.UseLane) and state is not None:
            return [ev.LaneUsed(state.lane, state.fence)]
        return right(state, command)

    return decide


def _takes_only_what_is_free(self: Any, *, has_work: bool) -> bool:
    is_free = self._ledger.lane(self._name) is None
    return bool(self.is_held or (has_work and is_free and self._take()))


async def _nothing_is_open(_broker: Any, _ours: Any) -> int:
    return 0


BUGS = (
    Bug("resend at once", "one 404 after an unknown outcome is proof", wiring, "Pace",
        _pace(visibility_s=0, lookups=1)),
    Bug("timeout is not sent", "an unknown outcome counts as not sent", calls, "failed",
        _unknown_as(lambda error: NotSent(str(error)))),
    Bug("timeout is refused", "an unknown outcome counts as refused", calls, "failed",
        _unknown_as(lambda error: BrokerRefused(0, None, str(error)))),
    Bug("5xx is not sent", "a server error proves that nothing was done", instructions, "failed_instruction",
        _server_error_is_not_sent),
    Bug("duplicate is refused", "a duplicate client id counts as refused", instructions, "failed_instruction",
        _duplicate_is_refused),
    Bug("gateway is believed", "a gateway's word ends an order", instructions, "failed_instruction",
        _gateway_is_believed),
    Bug("first 404 withdraws", "an order that is not shown at once is given up", lookups, "resolve",
        _first_404_withdraws),
    Bug("call repeats", "a submit is repeated without a second mark", calls, "submit_order", _calls_twice),
    Bug("new id per attempt", "each request has a client id of its own", alpaca, "order_body",
        _body(client_order_id=lambda text: text + "x")),
    Bug("one unit more", "the quantity is rounded up", alpaca, "order_body",
        _body(qty=lambda text: str(Decimal(text) + 1))),
    Bug("price through float", "prices lose their last digit", alpaca, "order_body",
        _body(limit_price=lambda text: str(round(float(text), 1)))),
    Bug("stop is wrong", "the stop is sent with a tick too much", alpaca, "order_body",
        _body(stop_price=lambda text: str(Decimal(text) + Decimal("0.01")))),
    Bug("side is turned", "every sale is a purchase", alpaca, "order_body", _body(side=lambda _: "buy")),
    Bug("mark while in flight", "an attempt without outcome is followed by another", orders, "_start_submit",
        _marks_while_in_flight),
    Bug("stale is sent", "the end of an intent's time is not looked at", orders, "_start_submit", _forgets_the_time,
        ((leave.Leave, "veto", always(None)),)),
    Bug("found attempt is sent again", "a restart sends what was under way", working_set, "needs",
        _sends_found_attempts_again),
    Bug("halt is not asked", "the trading state is not looked at before a send", leave, "why_not_sent", always(None),
        ((planning, "_why_not", always(None)),)),
    Bug("cancel answer ends", "a cancel that was taken counts as done", orders, "_cancel_answered",
        _cancel_answer_ends),
    Bug("cancel once", "a cancel without an answer is never asked again", order_state, "CANCEL_ATTEMPTS", lambda _: 0),
    Bug("kill counts nothing", "a kill is verified without a look at what is open", lookups, "count_open",
        lambda _: _nothing_is_open, ((kills, "decide", _kill_is_verified),)),
    Bug("lane for all", "everybody may deliver a lane", Lane, "may_deliver",
        lambda _: lambda _self, has_work: has_work),
    Bug("lane is not fenced", "whoever lost the lane may use it", lanes, "decide", _lane_for_all),
    Bug("lane is never taken", "nobody takes over from a process that is gone", Lane, "may_deliver",
        lambda _: _takes_only_what_is_free),
    Bug("nothing is restored", "a start forgets what was open", Outbox, "consider", always(None)),
    Bug("look-up never ends", "an order that may be there is asked for once", lookups, "_ask_again",
        lambda _: lambda *_args: Done(retry_in_s=10_000.0)),
)  # fmt: skip
