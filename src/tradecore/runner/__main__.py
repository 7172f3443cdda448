"""`python -m tradecore.runner`: run a strategy through the durable outbox. With no arguments everything is embedded."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

    from tradecore.settings import Settings


# Who was told to stop shows a summary if the broker answers by then.
_LAST_LOOK_S = 3.0


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, as every other error is said."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}; see --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m tradecore.runner",
        description="Run a strategy through the durable outbox. Without options: an embedded exchange on loopback, "
        "built-in bars, the SMA example strategy, and the ledger tradecore.db in this directory.",
        epilog="Settings come from --config, then TRADECORE_… variables, then these options. Alpaca keys come from "
        "APCA_API_KEY_ID and APCA_API_SECRET_KEY.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "runner", nargs="?", default="daemon", help="which runner paces the work: daemon (default), or backtest"
    )
    parser.add_argument("--config", type=Path, metavar="FILE.toml", help="settings file")
    parser.add_argument(
        "--ledger",
        metavar="URL",
        help="sqlite:///path.db, postgresql://user@host/database or memory: (default: sqlite:///tradecore.db)",
    )
    parser.add_argument("--broker", metavar="NAME", help="exchange (embedded, default) or alpaca")
    parser.add_argument(
        "--strategy", metavar="NAME", help="sma (default), none, an installed strategy, or file.py:Class"
    )
    parser.add_argument("--bars", metavar="FILE", help="bars for the embedded exchange or a backtest: .csv or .parquet")
    parser.add_argument("--symbols", metavar="A,B", help="symbols to trade")
    parser.add_argument("--days", type=int, metavar="N", help="days of built-in bars (default: 3)")
    parser.add_argument("--cash", metavar="X", help="what a backtest begins with (default: 100000)")
    parser.add_argument("--sheet", metavar="FILE", help="a tear sheet of a backtest to write: .html")
    parser.add_argument(
        "--tables", metavar="DIR", help="where figures, equity, trades and fills of a backtest are written"
    )
    parser.add_argument("--speed", metavar="X", help="max (default) or a multiple of real time, such as 60")
    parser.add_argument("--live", action="store_true", default=None, help="allow a live account; paper is the default")
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    return parser


def _overrides(arguments: argparse.Namespace) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    if arguments.ledger is not None:
        chosen["ledger"] = arguments.ledger
    tables = {
        "broker": {"name": arguments.broker, "live": arguments.live},
        "strategy": {"name": arguments.strategy},
        "backtest": {"cash": arguments.cash, "sheet": arguments.sheet, "tables": arguments.tables},
        "market_data": {
            "bars": arguments.bars,
            "symbols": arguments.symbols,
            "days": arguments.days,
            "speed": arguments.speed,
        },
    }
    for name, table in tables.items():
        given = {key: value for key, value in table.items() if value is not None}
        if given:
            chosen[name] = given
    return chosen


def main(argv: list[str] | None = None) -> int:
    """Run from the command line; returns the exit code: 0 done, 1 failed or disagreeing, 2 wrong input."""
    words = sys.argv[1:] if argv is None else argv
    try:
        command = _find_command(words)
        return _main(_parser().parse_args(words)) if command is None else command(words[1:])
    except KeyboardInterrupt:  # before the runner listens for signals, imports included: nothing is under way yet
        return 130


def _find_command(words: list[str]) -> Callable[[list[str]], int] | None:
    """A runner with words of its own takes all of them: what the entry points `tradecore.runner_commands` name."""
    from importlib.metadata import entry_points

    found = entry_points(group="tradecore.runner_commands", name=words[0]) if words and words[0][:1] != "-" else ()
    command: Callable[[list[str]], int] | None = next((point.load() for point in found), None)
    return command


def _main(arguments: argparse.Namespace) -> int:
    if arguments.version:
        from tradecore import __version__

        print(f"tradecore {__version__}")  # noqa: T201
        return 0
    from tradecore.errors import ConfigurationError, InputError, TradecoreError
    from tradecore.runner.remedies import first_error, with_remedy
    from tradecore.settings import load_settings

    try:
        settings = load_settings(arguments.config, _overrides(arguments))
        _log_to_stderr(settings.log_level)
        return _run(settings, arguments.runner)
    except (TradecoreError, BaseExceptionGroup) as raised:
        error = first_error(raised)
        if not isinstance(error, TradecoreError):
            raise
        print(f"error: {with_remedy(error)}", file=sys.stderr)  # noqa: T201
        return 2 if isinstance(error, ConfigurationError | InputError) else 1


def _run(settings: Settings, runner_name: str) -> int:
    import anyio

    from tradecore.runner.contract import AloneRunner
    from tradecore.runner.plugins import load_plugin

    runner = load_plugin("runners", runner_name, "runner")()
    if isinstance(runner, AloneRunner):
        return runner.run_alone(settings)
    return anyio.run(_session, settings, runner)


async def _session(settings: Settings, runner: Any) -> int:
    import anyio

    from tradecore.errors import BrokerUnreachable, ProtocolError
    from tradecore.journal.url import shown
    from tradecore.runner.screen import Screen, show_summary
    from tradecore.runner.summary import summarise
    from tradecore.runner.wiring import open_session

    async with open_session(settings) as session:
        with Screen() as screen:
            reason = await runner.run(session, screen)
        told_to_stop = reason.startswith("told to stop")
        summary = None
        try:
            with anyio.move_on_after(_LAST_LOOK_S if told_to_stop else None):
                summary = await summarise(session)
        except (BrokerUnreachable, ProtocolError):
            if not told_to_stop:
                raise
        if summary is None:
            return 0
        show_summary(summary, reason, shown(settings.ledger))
        return 0 if told_to_stop or not summary.differences else 1


def _log_to_stderr(level: str) -> None:
    import structlog

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


if __name__ == "__main__":
    sys.exit(main())
