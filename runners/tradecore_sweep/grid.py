"""Which parameters are tried: every combination of the values, or a sample of them that a seed picks."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

import attrs

from tradecore.errors import InputError

Parameter = int | str | Decimal
_RANGE = re.compile(r"(-?[0-9.]+):(-?[0-9.]+)(?::(-?[0-9.]+))?", re.ASCII)
_MOST_VALUES = 100_000


@attrs.frozen
class Grid:
    """Values by parameter. With `sample`, that many of the combinations, chosen by `seed`."""

    values: Mapping[str, Sequence[Parameter]]
    sample: int | None = None
    seed: int = 0

    def combinations(self) -> tuple[dict[str, Parameter], ...]:
        """The combinations in the order of the values, those of the last parameter changing fastest."""
        names = list(self.values)
        for name in names:
            if not self.values[name]:
                raise InputError(f"grid.{name}", "", "at least one value")
        found = [dict(zip(names, chosen, strict=True)) for chosen in itertools.product(*self.values.values())]
        if self.sample is None or self.sample >= len(found):
            return tuple(found)
        if self.sample < 1:
            raise InputError("grid.sample", self.sample, "1 or more")
        chosen_places = random.Random(self.seed).sample(range(len(found)), self.sample)  # noqa: S311 (no secret)
        return tuple(found[place] for place in sorted(chosen_places))


def parse_values(name: str, text: str) -> tuple[Parameter, ...]:
    """Values out of text: `10,20,50`, or a range with its end, `10:50:20`. Raises `InputError`."""
    if (found := _RANGE.fullmatch(text)) is not None:
        return _range(name, text, *(part or "1" for part in found.groups()))
    return tuple(_value(part.strip()) for part in text.split(",") if part.strip())


def _range(name: str, text: str, first: str, last: str, step: str) -> tuple[Parameter, ...]:
    try:
        begin, end, by = Decimal(first), Decimal(last), Decimal(step)
    except ArithmeticError:
        raise InputError(f"grid.{name}", text, "numbers, as in 10:50:20") from None
    if by <= 0 or end < begin or (end - begin) / by >= _MOST_VALUES:
        raise InputError(f"grid.{name}", text, "first:last:step, rising, with a step above zero")
    count = int((end - begin) / by) + 1
    return tuple(_value(str(begin + by * place)) for place in range(count))


def _value(text: str) -> Parameter:
    """A whole number, an exact number, or a word."""
    try:
        number = Decimal(text)
    except ArithmeticError:
        return text
    if not number.is_finite():
        return text
    return int(number) if number == number.to_integral_value() and "." not in text else number
