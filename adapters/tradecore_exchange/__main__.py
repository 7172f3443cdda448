"""`python -m tradecore_exchange`: the exchange as a process of its own."""

from __future__ import annotations

import argparse
import hashlib
import json
import signal
import sys
import threading
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

from tradecore.domain.values import Bar
from tradecore.errors import TradecoreError
from tradecore_bars import read_bars, seeded_bars
from tradecore_exchange.floor import Floor
from tradecore_exchange.options import ExchangeOptions
from tradecore_exchange.server import ExchangeServer
from tradecore_exchange.service import DEFAULT_KEY, DEFAULT_SECRET
from tradecore_exchange.store import Store


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not number.is_finite() or number < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of zero or more")
    return number


def _speed(text: str) -> float | None:
    if text == "lockstep":
        return None
    speed = float(_number(text))
    if speed <= 0:
        raise argparse.ArgumentTypeError("a speed is above zero, or 'lockstep'")
    return speed


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tradecore_exchange", description="An Alpaca-compatible exchange.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--bars", type=Path, help="a .csv or .parquet file of minute bars; otherwise seeded ones")
    parser.add_argument("--symbols", default="", help="comma list; for a file, all of it when not given")
    parser.add_argument("--seed", type=int, default=0, help="of the bars, the ids and the chances")
    parser.add_argument("--days", type=int, default=5, help="of seeded bars")
    parser.add_argument("--state", default="memory", help="an SQLite file to live in, or memory")
    parser.add_argument("--cash", type=_number, default=Decimal(100_000), help="opening balance in dollars")
    parser.add_argument("--speed", type=_speed, default="lockstep", help="times the market's own time, or lockstep")
    parser.add_argument("--volume-share", type=_number, help="the most that orders take of a bar's volume, 0 to 1")
    parser.add_argument("--partial-fill-rate", type=float, default=0.0, help="chance of a partial first fill, 0 to 1")
    parser.add_argument("--fee-per-share", type=_number, default=Decimal(0), help="dollars")
    parser.add_argument("--always-open", action="store_true", help="ignore the hours of New York")
    parser.add_argument("--key", default=DEFAULT_KEY)
    parser.add_argument("--secret", default=DEFAULT_SECRET)
    return parser


def _market(arguments: argparse.Namespace) -> tuple[list[str], list[Bar], str]:
    """Symbols, bars, and what the bars are in words. The number of days is left out: a longer market continues."""
    symbols = [name.strip() for name in arguments.symbols.split(",") if name.strip()]
    if arguments.bars is None:
        symbols = symbols or ["AAPL", "MSFT"]
        return symbols, list(seeded_bars(symbols, arguments.days, arguments.seed)), f"seeded {arguments.seed}"
    bars = read_bars(arguments.bars, symbols or None)
    digest = hashlib.sha256(arguments.bars.read_bytes()).hexdigest()
    return sorted({bar.symbol for bar in bars}), bars, f"file {digest}"


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; prints one line of JSON with the addresses when ready."""
    arguments = _parser().parse_args(argv)
    options = ExchangeOptions(
        cash=arguments.cash,
        seed=arguments.seed,
        volume_share=arguments.volume_share,
        partial_fill_rate=arguments.partial_fill_rate,
        fee_per_share=arguments.fee_per_share,
        always_open=arguments.always_open,
    )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        symbols, bars, source = _market(arguments)
        store = Store(None if arguments.state == "memory" else Path(arguments.state))
        floor = Floor(symbols, bars, source=source, options=options, store=store)
        server = ExchangeServer(
            floor,
            host=arguments.host,
            port=arguments.port,
            key=arguments.key,
            secret=arguments.secret,
            speed=arguments.speed,
        )
        server.start()
    except (TradecoreError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(json.dumps({**server.urls, "port": server.port, "symbols": symbols}) + "\n")
    sys.stdout.flush()
    stop.wait()
    server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
