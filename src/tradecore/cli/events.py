"""Verb `events`: the log itself, from a position on, and further as it grows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from tradecore.cli.event_data import event_object
from tradecore.cli.opening import open_existing
from tradecore.cli.options import DEFAULTS, Options
from tradecore.cli.printing import show_json, show_json_line, show_line
from tradecore.domain.events import Event
from tradecore.domain.messages import Recorded
from tradecore.domain.values import parse_number
from tradecore.errors import InputError

if TYPE_CHECKING:
    from tradecore.journal.contract import Journal
    from tradecore.ports.bus import Publication

_PAGE = 1000
_WAIT_S = 5.0
_Number = Annotated[str, Parameter(allow_leading_hyphen=True)]
_Wanted = Callable[[Recorded[Event]], bool]


def events(
    *,
    follow: Annotated[bool, Parameter(negative=())] = False,
    after: _Number = "0",
    name: str = "",
    stream: str | None = None,
    limit: _Number | None = None,
    reader: str | None = None,
    options: Options = DEFAULTS,
) -> int:
    """List the events of the log.

    Parameters
    ----------
    follow
        go on as events come, until interrupted; with --json one object per line
    after
        only events behind this position
    name
        only events whose name begins so, such as trade.order.
    stream
        only events of this stream
    limit
        at most so many events
    reader
        go on behind the last event that was shown under this name, and remember; what is shown may repeat, never lack
    """
    start = _whole("after", after)
    most = None if limit is None else _whole("limit", limit)

    def wanted(recorded: Recorded[Event]) -> bool:
        envelope = recorded.envelope
        return envelope.name.startswith(name) and stream in (None, envelope.stream)

    with open_existing(options) as journal:
        if reader is not None:
            return _read_on(journal, reader, name, options, follow=follow)
        if follow:
            import anyio

            anyio.run(_follow, journal, start, wanted, most, options)
        elif options.json:
            show_json([event_object(recorded) for recorded in _first(_matching(journal, start, wanted), most)])
        else:
            for recorded in _first(_matching(journal, start, wanted), most):
                show_line(_line(recorded))
    return 0


class Printed:
    """A bus that ends on the screen."""

    def __init__(self, *, as_json_lines: bool) -> None:
        self._as_json_lines = as_json_lines

    async def publish(self, publications: tuple[Publication, ...]) -> None:
        """Print a batch, one line each."""
        from tradecore.publishing.envelope import as_json
        from tradecore.views.plain import instant_of_ns

        for one in publications:
            if self._as_json_lines:
                show_line(as_json(one).decode())
            else:
                show_line(f"{one.metadata.get('position', ''):>7}  {instant_of_ns(one.time_ns)}  {one.type}")


def _read_on(journal: Journal, reader: str, name: str, options: Options, *, follow: bool) -> int:
    """Show what is behind the reader's cursor, as JSON lines or as text, and move the cursor behind what was shown."""
    import anyio

    from tradecore.publishing.publisher import Publisher

    publisher = Publisher(journal, Printed(as_json_lines=options.json), reader, prefixes=(name,) if name else ())
    anyio.run(publisher.run if follow else publisher.catch_up)
    return 0


def _whole(field: str, raw: str) -> int:
    number = parse_number(field, raw)
    if number != number.to_integral_value() or number < 0:
        raise InputError(field, raw, "a whole number, zero or above")
    return int(number)


def _matching(journal: Journal, after: int, wanted: _Wanted) -> Iterator[Recorded[Event]]:
    while page := journal.read(after, _PAGE):
        yield from (recorded for recorded in page if wanted(recorded))
        after = page[-1].envelope.position


def _first(found: Iterator[Recorded[Event]], most: int | None) -> Iterator[Recorded[Event]]:
    for count, recorded in enumerate(found):
        if count == most:
            return
        yield recorded


async def _follow(journal: Journal, after: int, wanted: _Wanted, most: int | None, options: Options) -> None:
    shown = 0
    if most == 0:
        return
    async for recorded in _coming(journal, after, wanted):
        if options.json:
            show_json_line(event_object(recorded))
        else:
            show_line(_line(recorded))
        shown += 1
        if shown == most:
            return


async def _coming(journal: Journal, after: int, wanted: _Wanted) -> AsyncIterator[Recorded[Event]]:
    while True:
        while page := journal.read(after, _PAGE):
            for recorded in page:
                if wanted(recorded):
                    yield recorded
            after = page[-1].envelope.position
        await journal.wait(after, _WAIT_S)


def _line(recorded: Recorded[Event]) -> str:
    from tradecore.cli.narration import phrase_of
    from tradecore.views.plain import instant_of_ns

    envelope = recorded.envelope
    at = instant_of_ns(envelope.recorded_at_ns)
    return (
        f"{envelope.position:>7}  {at}  {envelope.name:<30} {envelope.stream:<43} {phrase_of(recorded.event)}".rstrip()
    )
