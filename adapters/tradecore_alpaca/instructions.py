"""Instructions to the broker: one attempt each, and the answer told as what it proves, no more."""

from __future__ import annotations

import attrs
import msgspec

from tradecore.errors import InputError, OutcomeUnknown, ProtocolError
from tradecore.ports.broker import BrokerOrder, Veto, no_veto
from tradecore.ports.clock import Clock
from tradecore_alpaca.channel import Channel
from tradecore_alpaca.classify import failed_instruction
from tradecore_alpaca.http import Answer
from tradecore_alpaca.json_text import is_json, read
from tradecore_alpaca.order_json import decode_order

_NO_CONTENT = 204
# A row of a mass cancel that says one of these needs nothing further: it is taken, or the order has ended already.
_ENDED = frozenset({404, 422})


class _Row(msgspec.Struct):
    id: str
    status: int


class _Switches(msgspec.Struct):
    suspend_trade: bool


@attrs.frozen
class Instructions:
    """Gives each instruction once. Raises `BrokerRefused`, `BrokerUnauthorized`, `NotSent`, `OutcomeUnknown`.

    Those that add no risk are urgent: cancels, flattening, the account's switch.
    """

    channel: Channel
    clock: Clock

    async def for_order(
        self, method: str, url: str, content: bytes | None, client_order_id: str, veto: Veto
    ) -> BrokerOrder:
        """One whose answer is an order under this client id; not given when there is a veto by then."""
        order = await self._order(method, url, content, veto=veto)
        if order.client_order_id != client_order_id:
            raise OutcomeUnknown(f"answered with another order: {order.client_order_id!r}")
        return order

    async def for_any_order(self, method: str, url: str) -> BrokerOrder:
        """One whose answer is an order of the broker's making."""
        return await self._order(method, url, None, urgent=True)

    async def for_nothing(self, method: str, url: str) -> None:
        """One whose answer says nothing more than that it was taken."""
        answer = await self._give(method, url, urgent=True)
        if answer.status != _NO_CONTENT and answer.body.strip() and not is_json(answer.body):
            raise OutcomeUnknown(f"HTTP {answer.status} that is not the broker's: {answer.text[:200]!r}")

    async def for_each(self, method: str, url: str) -> None:
        """One for many orders: each must have been taken, or have ended already."""
        answer = await self._give(method, url, urgent=True)
        if answer.status == _NO_CONTENT:
            return
        try:
            rows = read(answer.body, list[_Row])
        except ProtocolError as error:
            reason = f"HTTP {answer.status} without a list of orders: {error}"
        else:
            failed = [row.id for row in rows if not 200 <= row.status < 300 and row.status not in _ENDED]
            if not failed:
                return
            reason = f"not taken for {len(failed)} of {len(rows)} orders, such as {failed[0]}"
        raise OutcomeUnknown(reason)

    async def for_switch(self, method: str, url: str, content: bytes, *, suspended: bool) -> None:
        """One that turns the account's own switch; the answer must show it so."""
        answer = await self._give(method, url, content, urgent=True)
        try:
            told = read(answer.body, _Switches).suspend_trade
        except ProtocolError as error:
            reason = f"HTTP {answer.status} without the account's configuration: {error}"
        else:
            if told is suspended:
                return
            reason = f"suspend_trade is {told} after it was set to {suspended}"
        raise OutcomeUnknown(reason)

    async def _order(
        self, method: str, url: str, content: bytes | None, *, urgent: bool = False, veto: Veto = no_veto
    ) -> BrokerOrder:
        answer = await self._give(method, url, content, urgent=urgent, veto=veto)
        try:
            return decode_order(answer.body)
        except ProtocolError as error:
            reason = f"HTTP {answer.status} without a readable order: {error}"
        raise OutcomeUnknown(reason)

    async def _give(
        self, method: str, url: str, content: bytes | None = None, *, urgent: bool, veto: Veto = no_veto
    ) -> Answer:
        outcome = await self.channel.instruct(method, url, content, urgent=urgent, veto=veto)
        if isinstance(outcome, Answer) and 200 <= outcome.status < 300:
            return outcome
        raise failed_instruction(outcome, self.clock.now())


def path_segment(field: str, text: str, *, dots: bool = False) -> str:
    """A word that becomes part of a path. Raises `InputError` for one that would change the path.

    An empty order id, for one, would cancel every order.
    """
    rest = text.replace("-", "").replace("_", "").replace(".", "" if dots else ".")
    if not (rest.isascii() and rest.isalnum() and text[0].isalnum() and len(text) <= 128):
        raise InputError(field, text, "letters, digits and dashes")
    return text
