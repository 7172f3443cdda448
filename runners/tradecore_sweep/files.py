"""What a sweep leaves beside the outcomes: the ranking for a spreadsheet, the judgement, and a tear sheet."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tradecore.books.replacing import replacing
from tradecore.errors import MissingExtra
from tradecore.tearsheet import Sheet, write_page
from tradecore_sweep.judging import Doubt
from tradecore_sweep.outcome import Outcome
from tradecore_sweep.sweeping import Sweep
from tradecore_sweep.walk_forward import Walk


def write_ranking(path: Path, outcomes: Sequence[Outcome]) -> None:
    """A row per trial, best first: parameters, then figures; empty where not defined."""
    names = sorted({name for outcome in outcomes for name, _ in outcome.trial.parameters})
    figures = list(outcomes[0].figures)
    with replacing(path) as draft, draft.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*names, *figures, "config_hash", "trial"])
        for outcome in outcomes:
            parameters = dict(outcome.trial.parameters)
            numbers = (outcome.figures.get(figure) for figure in figures)
            writer.writerow(
                [
                    *(parameters.get(name, "") for name in names),
                    *("" if number is None else repr(number) for number in numbers),
                    outcome.config_hash,
                    outcome.trial.key,
                ]
            )


def write_sweep(path: Path, made: Sweep) -> None:
    """The judgement as JSON."""
    told = {
        "best": _named(made.best),
        "trials": len(made.outcomes),
        "refused": [{"parameters": _words(trial.parameters), "reason": reason} for trial, reason in made.refused],
        **_doubt(made.doubt),
    }
    _write(path, told)


def write_walk(path: Path, walk: Walk) -> None:
    """The steps as JSON."""
    steps = [{"train": _named(step.train), "test": _named(step.test), **_doubt(step.doubt)} for step in walk.steps]
    efficiency = walk.efficiency
    told = {
        "efficiency": efficiency if isinstance(efficiency, float) else None,
        "warnings": list(walk.warnings),
        "steps": steps,
    }
    _write(path, told)


def write_sheet(path: Path, sheet: Sheet) -> bool:
    """The tear sheet; False without the extra that draws it, because the figures do not need it."""
    try:
        write_page(sheet, path)
    except MissingExtra:
        return False
    return True


def _named(outcome: Outcome) -> dict[str, Any]:
    trial = outcome.trial
    return {
        "parameters": _words(trial.parameters),
        "window": str(trial.window),
        "config_hash": outcome.config_hash,
        "trial": trial.key,
        "figures": outcome.figures,
    }


def _words(parameters: Sequence[tuple[str, object]]) -> dict[str, str]:
    return {name: str(value) for name, value in parameters}


def _doubt(doubt: Doubt) -> dict[str, Any]:
    deflated, overfitting = doubt.deflated_sharpe, doubt.overfitting
    return {
        "deflated_sharpe": deflated if isinstance(deflated, float) else None,
        "overfitting_probability": overfitting if isinstance(overfitting, float) else None,
        "warnings": list(doubt.warnings),
    }


def _write(path: Path, told: dict[str, Any]) -> None:
    with replacing(path) as draft:
        draft.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
