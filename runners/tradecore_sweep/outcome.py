"""What is kept of a trial, and where: one JSON file under the hash of its terms."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import attrs

from tradecore.books.replacing import replacing
from tradecore.errors import ConfigurationError
from tradecore_sweep.study import Trial


@attrs.frozen
class Outcome:
    """A finished trial. `figures` by key, None where not defined; `returns` by session, as (date, fraction)."""

    trial: Trial
    figures: dict[str, float | None]
    returns: tuple[tuple[dt.date, float], ...]
    config_hash: str

    @property
    def daily(self) -> list[float]:
        """The returns alone."""
        return [value for _, value in self.returns]


class OutcomeStore:
    """The outcomes in a directory. A file that was cut short counts as none: its trial is run again."""

    def __init__(self, directory: Path) -> None:
        """Raises `ConfigurationError` for a place that cannot be written to."""
        self._directory = directory
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(f"cannot make the directory {directory}: {error.strerror or error}") from None

    def keep(self, outcome: Outcome) -> None:
        """Write an outcome, whole or not at all."""
        told = {
            "terms": outcome.trial.terms,
            "config_hash": outcome.config_hash,
            "figures": outcome.figures,
            "returns": [[date.isoformat(), value] for date, value in outcome.returns],
        }
        with replacing(self._file(outcome.trial)) as draft:
            draft.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def find(self, trial: Trial) -> Outcome | None:
        """The outcome of the same terms, when it is there."""
        try:
            told: dict[str, Any] = json.loads(self._file(trial).read_text(encoding="utf-8"))
            returns = tuple((dt.date.fromisoformat(date), value) for date, value in told["returns"])
            if told["terms"] != trial.terms:
                return None
            return Outcome(trial, told["figures"], returns, told["config_hash"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def _file(self, trial: Trial) -> Path:
        return self._directory / f"{trial.key}.json"
