"""How a run looks at every bar, before a strategy is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tradecore.domain.volatility import Swing
from tradecore_backtest.columns import make_bar

Look = Callable[[str, int, int, int, int, int, int], bool]


def always(*_: object) -> bool:
    """For a strategy that is asked at every bar."""
    return True


def swinging(look: Look) -> tuple[dict[str, Swing], Look]:
    """How every market swings, kept by whoever looks at every bar."""
    swings: dict[str, Swing] = {}

    def look_and_keep(symbol: str, start: int, open_: int, high: int, low: int, close: int, volume: int) -> bool:
        bar = make_bar(symbol, start, open_, high, low, close, volume)
        swings[symbol] = swings.get(symbol, Swing()).after(bar)
        return look(symbol, start, open_, high, low, close, volume)

    return swings, look_and_keep


def moments(starts: list[int], first: int, behind: int) -> Iterator[tuple[int, int]]:
    """Places of the bars of one time."""
    while first < behind:
        end = first + 1
        while end < behind and starts[end] == starts[first]:
            end += 1
        yield first, end
        first = end
