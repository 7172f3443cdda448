"""Features: figures of a symbol from its bars. What the bars cannot tell is missing, never zero.

Shares are of the price; the oscillators are as their authors define them. Rounded to nine places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Context, Decimal
from itertools import pairwise

from tradecore.domain.values import Bar, canonical
from tradecore.ports.agent import Features

_WIDE = Context(prec=28)
_NINE = Decimal("1e-9")
_RSI = 14
_FAST, _SLOW, _SIGNAL = 12, 26, 9
_VOLUME = 20
NAMES = (
    "volatility", "trend_strength", "signal_agreement", "sentiment", "pe", "pb", "rsi", "macd", "volume_ratio",
    "price_change", "market_condition", "data_quality", "active_sources",
)  # fmt: skip
"""Every feature of a decision. Market condition is 1 for a rising market, -1 for a falling one, 0 for neither."""


def features_of(bars: Sequence[Bar], wanted_bars: int, other: Mapping[str, Mapping[str, Decimal]]) -> Features:
    """The features of a symbol. `other` are figures that further sources know, by source: sentiment, P/E, P/B."""
    closes = [bar.close for bar in bars]
    found: dict[str, Decimal | None] = {
        "volatility": _volatility(closes),
        "trend_strength": _trend(closes),
        "rsi": _rsi(closes),
        "macd": _macd(closes),
        "volume_ratio": _volume_ratio([bar.volume for bar in bars]),
        "price_change": _ratio(closes[-1], closes[0]) if len(closes) > 1 else None,
        "data_quality": _share(min(len(bars), wanted_bars), wanted_bars),
    }
    signs = _signs(found)
    found["signal_agreement"] = _share(abs(sum(signs)), len(signs)) if signs else None
    trend, volatility = found["trend_strength"], found["volatility"]
    if trend is not None and volatility is not None:
        found["market_condition"] = Decimal((trend > volatility) - (trend < -volatility))
    sources = ["bars"] if bars else []
    for source, figures in sorted(other.items()):
        known = {name: figure for name, figure in figures.items() if name in NAMES and figure.is_finite()}
        found.update(known)
        sources += [source] if known else []
    found["active_sources"] = Decimal(len(sources))
    values = {name: _nine(value) for name in NAMES if (value := found.get(name)) is not None}
    return Features(values, tuple(name for name in NAMES if name not in values), tuple(sources))


def _signs(found: Mapping[str, Decimal | None]) -> list[int]:
    """Which way each indicator points."""
    middle = {"trend_strength": Decimal(0), "rsi": Decimal(50), "macd": Decimal(0), "price_change": Decimal(0)}
    known = [(value, middle[name]) for name in middle if (value := found.get(name)) is not None]
    return [(value > centre) - (value < centre) for value, centre in known]


def _volatility(closes: Sequence[Decimal]) -> Decimal | None:
    """Standard deviation of the returns from bar to bar."""
    if len(closes) < 3:
        return None
    returns = [_ratio(after, before) for before, after in pairwise(closes)]
    mean = _WIDE.divide(sum(returns, Decimal(0)), Decimal(len(returns)))
    spread = sum(((value - mean) ** 2 for value in returns), Decimal(0))
    return _WIDE.sqrt(_WIDE.divide(spread, Decimal(len(returns) - 1)))


def _trend(closes: Sequence[Decimal]) -> Decimal | None:
    """How far the mean of the newer half is above that of all."""
    if len(closes) < 4:
        return None
    newer = closes[len(closes) // 2 :]
    return _ratio(_mean(newer), _mean(closes))


def _rsi(closes: Sequence[Decimal]) -> Decimal | None:
    """Wilder's relative strength index over 14 bars, 0 to 100; None where nothing moved."""
    if len(closes) <= _RSI:
        return None
    moves = [after - before for before, after in pairwise(closes)]
    gain = _mean([max(move, Decimal(0)) for move in moves[:_RSI]])
    loss = _mean([max(-move, Decimal(0)) for move in moves[:_RSI]])
    for move in moves[_RSI:]:
        gain = _WIDE.divide(gain * (_RSI - 1) + max(move, Decimal(0)), Decimal(_RSI))
        loss = _WIDE.divide(loss * (_RSI - 1) + max(-move, Decimal(0)), Decimal(_RSI))
    return None if not gain + loss else _WIDE.divide(100 * gain, gain + loss)


def _macd(closes: Sequence[Decimal]) -> Decimal | None:
    """The MACD histogram (12, 26, 9) as a share of the price."""
    if len(closes) < _SLOW + _SIGNAL:
        return None
    line = [fast - slow for fast, slow in zip(_ema(closes, _FAST), _ema(closes, _SLOW), strict=True)]
    return _WIDE.divide(line[-1] - _ema(line, _SIGNAL)[-1], closes[-1])


def _ema(numbers: Sequence[Decimal], span: int) -> list[Decimal]:
    weight = _WIDE.divide(Decimal(2), Decimal(span + 1))
    smoothed = [numbers[0]]
    for number in numbers[1:]:
        smoothed.append(_WIDE.fma(weight, number - smoothed[-1], smoothed[-1]))
    return smoothed


def _volume_ratio(volumes: Sequence[Decimal]) -> Decimal | None:
    """The newest volume by the mean of the 20 before it."""
    if len(volumes) <= _VOLUME:
        return None
    usual = _mean(volumes[-_VOLUME - 1 : -1])
    return _WIDE.divide(volumes[-1], usual) if usual else None


def _ratio(after: Decimal, before: Decimal) -> Decimal:
    return _WIDE.divide(after - before, before)


def _mean(numbers: Sequence[Decimal]) -> Decimal:
    return _WIDE.divide(sum(numbers, Decimal(0)), Decimal(len(numbers)))


def _share(part: int, whole: int) -> Decimal:
    return _WIDE.divide(Decimal(part), Decimal(whole))


def _nine(number: Decimal) -> Decimal:
    return canonical(number.quantize(_NINE, context=_WIDE))
