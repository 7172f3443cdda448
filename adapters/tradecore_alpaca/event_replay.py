"""What the stream told while nobody listened, from `/v2/events/trades`, where an account has it.

One of Alpaca's own clients uses these server-sent events, but the published Trading API does not name them: they are
asked for only when the settings say so. When they do not answer, the record heals the gap, as it does without them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable

import anyio
import attrs
import msgspec
import structlog

from tradecore.errors import BrokerUnreachable, ProtocolError
from tradecore.ports.broker import Report, UnknownReport
from tradecore_alpaca.channel import Channel
from tradecore_alpaca.http import Answer
from tradecore_alpaca.json_text import as_text, is_json, rfc3339
from tradecore_alpaca.trade_update import read_report

_log = structlog.get_logger(__name__)
_OVERLAP = dt.timedelta(seconds=5)
_EVENTS = "text/event-stream"


@attrs.frozen
class EventReplay:
    """Asks for the events of a past time span, once. `patience_s` bounds the whole of it.

    `now` asks for the time on the broker's clock: by a clock of our own that is slow, the end would be cut off.
    """

    channel: Channel
    url: str
    now: Callable[[], Awaitable[dt.datetime]]
    patience_s: float = 5.0

    async def since(self, moment: dt.datetime) -> tuple[Report, ...]:
        """Everything from a little before that moment until now, as reports; nothing where there is no answer."""
        outcome = None
        with anyio.move_on_after(self.patience_s):
            try:
                span = {"since": rfc3339(moment - _OVERLAP), "until": rfc3339(await self.now())}
            except (BrokerUnreachable, ProtocolError) as error:
                _log.warning("past events are not asked for: the broker does not tell its time", error=str(error))
                return ()
            outcome = await self.channel.question(self.url, span, self.patience_s, urgent=False, accept=_EVENTS)
        if isinstance(outcome, Answer) and outcome.status == 200:
            return tuple(_reports(outcome.body))
        _log.warning("past events are not to be had", outcome=str(outcome)[:200])
        return ()


def _reports(body: bytes) -> list[Report]:
    """The events of a server-sent stream. A comment that tells of dropped events is told on."""
    reports: list[Report] = []
    for block in body.replace(b"\r\n", b"\n").split(b"\n\n"):
        lines = block.split(b"\n")
        data = b"\n".join(line[5:].strip() for line in lines if line.startswith(b"data:"))
        if data and is_json(data):
            reports.append(read_report(msgspec.json.encode({"stream": "trade_updates", "data": msgspec.Raw(data)})))
        elif data or any(line.startswith(b":") and b"dropped" in line for line in lines):
            reports.append(UnknownReport("past events: a part of them cannot be read", as_text(block)))
    return reports
