"""`python -m tradecore.runner sweep`: a sweep or a walk-forward from the command line."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from pathlib import Path
from typing import Any

import attrs
from rich.console import Console
from rich.table import Table

from tradecore.errors import ConfigurationError, InputError, TradecoreError
from tradecore.metrics import Unit
from tradecore.settings import load_settings
from tradecore.tearsheet.wording import shown
from tradecore_backtest.runner import model_of
from tradecore_backtest.sheet import sheet_of
from tradecore_sweep.bar import Bar
from tradecore_sweep.executor import Executor, Processes, Serial
from tradecore_sweep.files import write_ranking, write_sheet, write_sweep, write_walk
from tradecore_sweep.grid import Grid, Parameter, parse_values
from tradecore_sweep.judging import OBJECTIVE
from tradecore_sweep.outcome import Outcome
from tradecore_sweep.study import Study
from tradecore_sweep.sweeping import Sweep, sweep
from tradecore_sweep.trialling import run
from tradecore_sweep.walk_forward import Walk, walk_forward

_SHOWN = 10
_FIGURES = (
    ("total_return", "return", Unit.FRACTION),
    ("annual_return", "CAGR", Unit.FRACTION),
    ("sharpe", "Sharpe", Unit.NUMBER),
    ("max_drawdown", "max drawdown", Unit.FRACTION),
    ("trades", "trades", Unit.COUNT),
)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tradecore.runner sweep",
        description="Run a strategy over every combination of parameters, on all cores. Outcomes are kept as they "
        "come: stop it, or kill it, and the same command goes on. With --train and --test it walks forward.",
        epilog="Fees, fills, limits and the like come from --config, as for a backtest.",
        allow_abbrev=False,
    )
    parser.add_argument("--bars", metavar="FILE", help="bars: .csv or .parquet")
    parser.add_argument("--strategy", metavar="NAME", help="sma (default), an installed strategy, or file.py:Class")
    parser.add_argument("--grid", metavar="NAME=VALUES", action="append", help="fast=5,10,20 or slow=20:200:20")
    parser.add_argument("--symbols", metavar="A,B", help="symbols to trade")
    parser.add_argument("--cash", metavar="X", help="what each trial begins with (default: 100000)")
    parser.add_argument("--config", type=Path, metavar="FILE.toml", help="settings file")
    parser.add_argument("--out", type=Path, default=Path("sweep"), metavar="DIR", help="outcomes (default: sweep)")
    parser.add_argument("--sample", type=int, metavar="N", help="only N combinations, picked by --seed")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="for --sample (default: 0)")
    parser.add_argument("--objective", default=OBJECTIVE, metavar="FIGURE", help=f"to rank by (default: {OBJECTIVE})")
    parser.add_argument("--train", type=int, metavar="DAYS", help="walk forward: days to choose on")
    parser.add_argument("--test", type=int, metavar="DAYS", help="walk forward: days to trade the choice on")
    parser.add_argument("--anchored", action="store_true", help="every training begins at the first bar")
    parser.add_argument("--workers", type=int, metavar="N", help="processes (default: one for each core)")
    return parser


def main(argv: list[str]) -> int:
    """The words behind `sweep`; returns the exit code: 0 done, 1 failed, 2 wrong input, 130 interrupted."""
    arguments = _parser().parse_args(argv)
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        print(f"stopped; the same command goes on from {arguments.out}", file=sys.stderr)  # noqa: T201
        return 130
    except TradecoreError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2 if isinstance(error, ConfigurationError | InputError) else 1


def _run(arguments: argparse.Namespace) -> int:
    study, executor = _study(arguments), _executor(arguments.workers)
    trials = arguments.out / "trials"
    if (arguments.train is None) != (arguments.test is None):
        raise ConfigurationError("a walk-forward needs both, --train and --test")
    with Bar() as bar:
        if arguments.train is None:
            made = sweep(study, trials, executor, bar.tell, objective=arguments.objective)
        else:
            walk = walk_forward(
                study,
                trials,
                dt.timedelta(days=arguments.train),
                dt.timedelta(days=arguments.test),
                executor,
                bar.tell,
                anchored=arguments.anchored,
                objective=arguments.objective,
            )
    console = Console()
    if arguments.train is None:
        _show_sweep(console, made, arguments.out)
    else:
        _show_walk(console, walk, arguments.out)
    return 0


def _study(arguments: argparse.Namespace) -> Study:
    market_data = {"bars": arguments.bars, "symbols": arguments.symbols}
    told: dict[str, Any] = {
        "market_data": _given(market_data),
        "strategy": _given({"name": arguments.strategy}),
        "backtest": _given({"cash": arguments.cash}),
    }
    settings = load_settings(arguments.config, {name: table for name, table in told.items() if table})
    if not settings.market_data.bars:
        raise ConfigurationError("a sweep needs bars: name a file with --bars")
    if settings.exits.plan() is not None:
        raise ConfigurationError("exits: a sweep does not take the plan of the settings; the ideas may bring their own")
    grid: dict[str, tuple[Parameter, ...]] = {name: (value,) for name, value in settings.strategy.parameters.items()}
    for word in arguments.grid or ():
        name, equals, values = word.partition("=")
        if not equals:
            raise ConfigurationError(f"--grid {word}: write NAME=VALUES, such as fast=5,10,20")
        grid[name] = parse_values(name, values)
    return Study(
        strategy=settings.strategy.name,
        grid=Grid(grid, arguments.sample, arguments.seed),
        bars=Path(settings.market_data.bars).resolve(),
        symbols=tuple(settings.market_data.symbols) or None,
        cash=settings.backtest.cash,
        market=model_of(settings),
        limits=settings.risk.limits(of_a_day=False),
        exits=settings.exits.plan(),
        quotes=Path(settings.backtest.quotes).resolve() if settings.backtest.quotes else None,
        bar_seconds=settings.backtest.bar_seconds,
    )


def _given(table: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if value is not None}


def _executor(workers: int | None) -> Executor:
    if workers is None:
        return Processes()
    if workers < 1:
        raise ConfigurationError(f"--workers {workers}: 1 or more")
    return Serial() if workers == 1 else Processes(workers)


def _show_sweep(console: Console, made: Sweep, out: Path) -> None:
    write_ranking(out / "ranking.csv", made.outcomes)
    write_sweep(out / "sweep.json", made)
    sheet = attrs.evolve(sheet_of(run(made.best.trial)), title="The best of the sweep")
    has_sheet = write_sheet(out / "best.html", attrs.evolve(sheet, notes=(*made.doubt.warnings, *sheet.notes)))
    console.print(_table([("", outcome) for outcome in made.outcomes[:_SHOWN]]))
    if made.refused:
        console.print(f"{len(made.refused)} combinations refused by the strategy, such as: {made.refused[0][1]}")
    _show_end(console, made.doubt.warnings, out, ["ranking.csv", "sweep.json", *(["best.html"] if has_sheet else [])])


def _show_walk(console: Console, walk: Walk, out: Path) -> None:
    write_ranking(out / "tests.csv", [step.test for step in walk.steps])
    write_walk(out / "walk_forward.json", walk)
    has_sheet = write_sheet(out / "walk_forward.html", walk.sheet)
    console.print(_table([(f"{step.test.trial.window}", step.test) for step in walk.steps]))
    _show_end(
        console, walk.warnings, out, ["tests.csv", "walk_forward.json", *(["walk_forward.html"] if has_sheet else [])]
    )


def _table(rows: list[tuple[str, Outcome]]) -> Table:
    table = Table(box=None, header_style="bold")
    names = [name for name, _ in rows[0][1].trial.parameters]
    for title in (*(["window"] if rows[0][0] else []), *names, *(title for _, title, _ in _FIGURES)):
        table.add_column(title, justify="right")
    for window, outcome in rows:
        parameters = [str(value) for _, value in outcome.trial.parameters]
        numbers = [(outcome.figures.get(key), unit) for key, _, unit in _FIGURES]
        words = [
            "–" if number is None else shown(unit, int(number) if unit is Unit.COUNT else number)
            for number, unit in numbers
        ]
        table.add_row(*([window] if window else []), *parameters, *words)
    return table


def _show_end(console: Console, warnings: tuple[str, ...], out: Path, files: list[str]) -> None:
    for warning in warnings:
        console.print(f"warning: {warning}", style="yellow")
    console.print(f"in {out}: " + ", ".join([*files, "trials/"]))
