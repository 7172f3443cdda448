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
from tradecore_exchange.accounts import account_from_text
from tradecore_exchange.fault_plan import PlanTerms
from tradecore_exchange.floor import Floor
from tradecore_exchange.options import ExchangeOptions
from tradecore_exchange.server import ExchangeServer
from tradecore_exchange.service import DEFAULT_KEY, DEFAULT_SECRET
from tradecore_exchange.serving import Serving, StreamPolicy
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


def _faults(text: str) -> PlanTerms:
    seed, _, intensity = text.partition(":")
    chance = _number(intensity)
    if not seed.isdecimal() or chance > 1:
        raise argparse.ArgumentTypeError("faults are SEED:INTENSITY, a whole number and a chance from 0 to 1")
    return PlanTerms(int(seed), float(chance))


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
    parser.add_argument(
        "--account", action="append", default=[], metavar="NAME:KEY:SECRET[:CASH]", help="a further account; repeatable"
    )
    parser.add_argument("--rate-limit", type=int, default=200, help="requests a minute and account")
    parser.add_argument("--enforce-rate-limit", action="store_true", help="answer 429 above it")
    parser.add_argument("--stream-policy", type=StreamPolicy, choices=list(StreamPolicy), default=StreamPolicy.SHARE)
    parser.add_argument("--reap-after", type=float, default=90.0, help="seconds that a lost stream keeps its place")
    parser.add_argument("--events", action="store_true", help="offer the event streams with replay")
    parser.add_argument("--text-frames", action="store_true", help="the trade stream speaks text, as the live one does")
    parser.add_argument("--faults", type=_faults, metavar="SEED:INTENSITY", help="a plan of faults for every account")
    return parser


def _server(arguments: argparse.Namespace) -> ExchangeServer:
    """The server, not yet started. Raises `TradecoreError`, `OSError`."""
    options = ExchangeOptions(
        cash=arguments.cash,
        seed=arguments.seed,
        volume_share=arguments.volume_share,
        partial_fill_rate=arguments.partial_fill_rate,
        fee_per_share=arguments.fee_per_share,
        always_open=arguments.always_open,
    )
    serving = Serving(
        text_frames=arguments.text_frames,
        rate_limit_per_minute=arguments.rate_limit,
        rate_limit_enforced=arguments.enforce_rate_limit,
        stream_policy=arguments.stream_policy,
        reap_after_s=arguments.reap_after,
        events=arguments.events,
    )
    accounts = [account_from_text(text, arguments.cash) for text in arguments.account]
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
        serving=serving,
        accounts=accounts,
    )
    if arguments.faults is not None:
        for service in server.house.services:
            service.follow(arguments.faults)
    return server


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
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        server = _server(arguments)
        server.start()
    except (TradecoreError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    symbols = sorted(server.floor.exchange.symbols)
    accounts = [service.entry.name for service in server.house.services]
    sys.stdout.write(json.dumps({**server.urls, "port": server.port, "symbols": symbols, "accounts": accounts}) + "\n")
    sys.stdout.flush()
    stop.wait()
    server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
