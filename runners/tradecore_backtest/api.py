"""`backtest`: one call from bars and a strategy to a result."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

import attrs

from tradecore import __version__
from tradecore.domain.exit_plan import ExitPlan
from tradecore.domain.limits import Limits
from tradecore.domain.nanos import NANO, instant
from tradecore.domain.values import Bar
from tradecore.errors import ConfigurationError, InputError
from tradecore.ports.strategy import Strategy
from tradecore.runner.plugins import load_plugin, load_strategy
from tradecore_backtest.books import DeskBooks
from tradecore_backtest.columns import BarSource
from tradecore_backtest.desk import Desk
from tradecore_backtest.keeping import Keeper
from tradecore_backtest.leaving import Caretaker
from tradecore_backtest.market import MarketModel
from tradecore_backtest.parquet import Frame, open_parquet, table_of_frame
from tradecore_backtest.pocket import Pocket
from tradecore_backtest.result import BacktestConfig, BacktestResult, Provenance
from tradecore_backtest.rows import EquityCurve, LazyRows
from tradecore_backtest.run import Run, Terms
from tradecore_backtest.spacing import spacing_of
from tradecore_backtest.table import BarTable, table_of
from tradecore_backtest.telling import fill_rows, order_rows, trade_rows
from tradecore_backtest.ticks import QUOTES, TRADES, Quotes, bars_of_ticks, columns_in, read_quotes
from tradecore_backtest.writing import DerivedIds

Bars = str | os.PathLike[str] | BarSource | Frame | Iterable[Bar]


def backtest(
    bars: Bars,
    strategy: Strategy | type[Strategy] | str,
    symbols: Sequence[str] | None = None,
    cash: Decimal | int | str = 100_000,
    *,
    parameters: Mapping[str, object] | None = None,
    market: MarketModel | None = None,
    limits: Limits | None = None,
    journal: str = "memory:",
    account: str = "main",
    at_once: bool = False,
    exits: ExitPlan | None = None,
    quotes: str | os.PathLike[str] | None = None,
    bar_seconds: int = 60,
) -> BacktestResult:
    """Run a strategy over bars, and give back everything that happened.

    `bars` is a `.parquet` or `.csv` file, a polars or pandas frame, an Arrow table, `Bar`s, or a `BarSource`; `symbols`
    picks some of them. A strategy named by text (installed, or `file.py:Class`), or a class, is made with `parameters`.
    `cash` in account currency. Without `limits` the gate has none. `exits` is how trades are left whose idea does not
    say: by legs where orders at the broker can do all of it, else by the rules of the engine at the end of each bar.
    A file of trades, or of quotes, is made into bars of `bar_seconds`. With `quotes`, or bars made of them, orders
    trade at the touch and bars are for deciding only. The ledger is written to `journal` when that is a URL of a new
    ledger, else it is made in memory when it, or a row of the result, is asked for. Where limits may refuse orders, or
    `at_once` is set, the domain decides every step as the run goes on, and so it does from the first order on that has
    exits; else the steps are noted and the domain decides them when the ledger is made. All ways make the same ledger,
    byte for byte.

    Raises `InputError` and `ConfigurationError` for what cannot be meant, and whatever the strategy raises.
    """
    source, money = open_bars(bars, symbols, bar_seconds=bar_seconds), _amount(cash)
    touch, touch_digest = _quotes(bars, quotes, source.symbols)
    chosen = _strategy(strategy, parameters or {})
    model, rules = market or MarketModel(), limits or Limits()
    spacing = spacing_of(source.distances(), source.bar_ns)
    config = BacktestConfig(
        strategy=chosen.name,
        parameters={name: str(value) for name, value in sorted((parameters or _told(chosen)).items())},
        symbols=source.symbols,
        cash=str(money),
        bar_seconds=spacing.bar_ns // NANO,
        market={field.name: str(getattr(model, field.name)) for field in attrs.fields(MarketModel)},
        limits=str(rules),
        exits="" if exits is None else str(exits),
        version=__version__,
        quotes=touch_digest,
    )
    name = f"{config.hash}:{source.digest}"
    desk = Desk(account, DerivedIds(name).epoch())
    decided = DeskBooks(desk, account, chosen.name, exits)
    pocket = Pocket(chosen.name, account, exits) if rules == Limits() and not at_once else None
    keeper = Keeper(desk, decided, pocket, name, journal)
    run = Run(source, chosen, pocket or decided, Terms(money, rules, model, spacing.bar_ns, touch))

    def ask_domain() -> None:
        keeper.tape()  # what was noted so far is decided first
        run.ask(decided, Caretaker(desk, decided, run.venue, account, name, spacing.bar_ns))

    run.hand_over = ask_domain
    if pocket is None:
        ask_domain()
    began = time.perf_counter()
    run.go()
    took = time.perf_counter() - began
    if journal != "memory:":
        keeper.journal()
    return BacktestResult(
        config=config,
        provenance=Provenance(
            source=source.name,
            digest=source.digest,
            counts=spacing.counts,
            first=None if spacing.first is None else instant(spacing.first),
            last=None if spacing.last is None else instant(spacing.last),
            gaps=spacing.gaps,
            warnings=source.warnings,
        ),
        starting_cash=money,
        cash=run.books.cash,
        equity=EquityCurve(run.times, run.equity),
        orders=LazyRows(lambda: order_rows(keeper.tape())),
        fills=LazyRows(lambda: fill_rows(keeper.tape())),
        trades=LazyRows(lambda: trade_rows(keeper.tape())),
        positions=dict(run.books.positions),
        bars=source,
        bar_count=run.bar_count,
        warnings=tuple(_warnings(run, sum(spacing.counts.values()))),
        runtime_s=took,
        open_journal=keeper.journal,
    )


def _warnings(run: Run, bars: int) -> Iterator[str]:
    """What a run did not do, and nobody would notice."""
    if bars > run.bar_count:
        yield f"{bars - run.bar_count} of {bars} bars lie outside of the regular session and were not decided on"
    if run.refused:
        yield f"{run.refused} proposals were no orders, the first: {run.first_refusal}"


def open_bars(bars: Bars, symbols: Sequence[str] | None = None, *, bar_seconds: int = 60) -> BarSource:
    """Bars of any kind as a source; large Parquet files piece by piece. Raises `InputError`.

    Of trades and quotes, bars of `bar_seconds`.
    """
    wanted = None if symbols is None else frozenset(symbols)
    if isinstance(bars, str | os.PathLike):
        path = Path(bars)
        if set(columns_in(path)) >= set(TRADES) or set(columns_in(path)) >= set(QUOTES):
            return bars_of_ticks(path, bar_seconds, wanted)
        if path.suffix.lower() == ".parquet":
            return open_parquet(path, wanted)
        reader = load_plugin("market_data", "file", "market_data")
        return table_of(reader(path, wanted, as_written=True), None, str(path))
    if isinstance(bars, Frame):
        return table_of_frame(bars, wanted)
    if isinstance(bars, BarTable):
        return bars if wanted is None else bars.only(wanted)
    if isinstance(bars, Iterable):
        return table_of(bars, wanted)
    if wanted is not None:
        raise InputError("symbols", sorted(wanted), "nothing, because this source of bars says which symbols it has")
    return bars


def _quotes(
    bars: Bars, quotes: str | os.PathLike[str] | None, symbols: Sequence[str]
) -> tuple[Mapping[str, Quotes], str]:
    """What orders trade against, if not against bars, and the SHA-256 of its file."""
    if quotes is None and isinstance(bars, str | os.PathLike) and set(columns_in(Path(bars))) >= set(QUOTES):
        quotes = bars
    if quotes is None:
        return {}, ""
    found = read_quotes(Path(quotes), frozenset(symbols))
    with Path(quotes).open("rb") as file:
        return found, hashlib.file_digest(file, "sha256").hexdigest()


def _strategy(strategy: Strategy | type[Strategy] | str, parameters: Mapping[str, object]) -> Strategy:
    if not isinstance(strategy, str | type):
        return strategy
    factory = load_strategy(strategy) if isinstance(strategy, str) else strategy
    name = strategy if isinstance(strategy, str) else strategy.__name__
    try:
        made: Strategy = factory(**parameters)
    except TypeError as error:
        raise ConfigurationError(f"parameters: {name} does not take them: {error}") from None
    return made


def _amount(cash: Decimal | int | str) -> Decimal:
    try:
        return Decimal(cash)
    except (InvalidOperation, TypeError, ValueError):
        raise InputError("cash", cash, "an amount, such as 100000") from None


def _told(strategy: Strategy) -> dict[str, object]:
    """The plain values that a strategy object carries, as its parameters."""
    kept = vars(strategy) if hasattr(strategy, "__dict__") else {}
    plain = (int, str, Decimal, float, bool)
    return {name.lstrip("_"): value for name, value in kept.items() if isinstance(value, plain)}
