"""An equity curve: what an account was worth, one sample per moment, and the returns that follow from it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal, localcontext
from functools import cached_property

import attrs

from tradecore.domain.values import ZERO, parse_instant
from tradecore.errors import InputError
from tradecore.metrics.figure import NotDefined
from tradecore.metrics.year import Market

_DIGITS = 34  # a quotient of prices that is right far beyond what a double can hold


@attrs.frozen
class Sample:
    """Equity at a moment (UTC), in account currency.

    `exposure` is the gross value of the positions, where known. `flow` is what was paid in (below zero: out) since the
    sample before: it is no return.
    """

    at: dt.datetime
    equity: Decimal
    exposure: Decimal | None = None
    flow: Decimal = ZERO


@attrs.frozen
class Curve:
    """Samples in order of time, one per moment."""

    samples: tuple[Sample, ...]

    @classmethod
    def of(cls, points: Iterable[tuple[dt.datetime, Decimal] | Sample]) -> Curve:
        """A checked curve. Raises `InputError` for times that are naive or do not rise, and numbers not finite."""
        samples: list[Sample] = []
        for place, point in enumerate(points):
            sample = point if isinstance(point, Sample) else Sample(*point)
            parse_instant(f"equity[{place}].at", sample.at)
            if not sample.equity.is_finite():
                raise InputError(f"equity[{place}].equity", sample.equity, "a finite Decimal")
            if samples and sample.at <= samples[-1].at:
                raise InputError(f"equity[{place}].at", sample.at.isoformat(), f"a time after {samples[-1].at}")
            samples.append(sample)
        return cls(tuple(samples))

    @property
    def first(self) -> Sample:
        """Where the curve begins."""
        return self.samples[0]

    @property
    def last(self) -> Sample:
        """Where the curve ends."""
        return self.samples[-1]

    @property
    def elapsed(self) -> dt.timedelta:
        """From the first sample to the last."""
        return self.last.at - self.first.at

    def daily(self, market: Market) -> Curve:
        """The curve at the end of each session, carried on over sessions without a sample.

        The first sample stays as the base, the last as the end. What happens at a weekend counts in the next session.
        """
        if not self.samples:
            return self
        by_date = {sample.at.astimezone(market.zone).date(): sample for sample in self.samples}
        flows = self._flows_by_date(market)
        kept = [self.first]
        pending = ZERO
        date, end = min(by_date), max(by_date)
        known = self.first
        while date <= end:
            known = by_date.get(date, known)
            pending += flows.get(date, ZERO)
            if (market.trades_on(date) or date == end) and (known is not self.first or date > min(by_date)):
                at = known.at if date in by_date else dt.datetime.combine(date, dt.time(23, 59), market.zone)
                kept.append(attrs.evolve(known, at=at.astimezone(dt.UTC), flow=pending))
                pending = ZERO
            date += dt.timedelta(days=1)
        return Curve(tuple(kept))

    def _flows_by_date(self, market: Market) -> dict[dt.date, Decimal]:
        flows: dict[dt.date, Decimal] = {}
        for sample in self.samples[1:]:
            if sample.flow:
                date = sample.at.astimezone(market.zone).date()
                flows[date] = flows.get(date, ZERO) + sample.flow
        return flows

    def growth(self) -> tuple[Decimal, ...] | NotDefined:
        """Growth factors from sample to sample, net of flows; none where equity is not above zero."""
        if (lost := next((sample for sample in self.samples if sample.equity <= 0), None)) is not None:
            return NotDefined(f"equity was {lost.equity} at {lost.at:%Y-%m-%d %H:%M}")
        with localcontext() as context:
            context.prec = _DIGITS
            return tuple(
                (after.equity - after.flow) / before.equity
                for before, after in zip(self.samples, self.samples[1:], strict=False)
            )

    @cached_property
    def index(self) -> tuple[Decimal, ...] | NotDefined:
        """What one unit of money became at each sample: equity by time-weighted returns (GIPS 2020, 2.A.2)."""
        if not any(sample.flow for sample in self.samples[1:]):
            if not self.samples or self.first.equity <= 0:
                return NotDefined("the curve begins with no equity")
            with localcontext() as context:
                context.prec = _DIGITS
                begin = self.first.equity
                return tuple(sample.equity / begin for sample in self.samples)
        growth = self.growth()
        if isinstance(growth, NotDefined):
            return growth
        with localcontext() as context:
            context.prec = _DIGITS
            made = [Decimal(1)]
            for factor in growth:
                made.append(made[-1] * factor)
        return tuple(made)

    def returns(self) -> tuple[float, ...] | NotDefined:
        """Simple returns from sample to sample, as fractions."""
        growth = self.growth()
        return growth if isinstance(growth, NotDefined) else tuple(float(factor - 1) for factor in growth)
