"""The whole runner in lockstep, everything over HTTP and WebSocket, against the exchange stepped by an idle client."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time

import anyio
import httpx
from machine import describe, table

from tradecore_bars import seeded_bars
from tradecore_exchange import DEFAULT_KEY, DEFAULT_SECRET, ExchangeServer, Floor

_DAYS = 3
_HEADERS = {"APCA-API-KEY-ID": DEFAULT_KEY, "APCA-API-SECRET-KEY": DEFAULT_SECRET}


def runner(folder: str) -> float:
    """Seconds of `python -m tradecore.runner`, start to summary."""
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "tradecore.runner", "--days", str(_DAYS)], cwd=folder, check=True, capture_output=True
    )
    return time.perf_counter() - started


async def idle() -> tuple[float, int]:
    """Seconds to step the same market with nobody trading, and how many steps that is."""
    symbols = ["AAA", "BBB"]
    with ExchangeServer(Floor(symbols, list(seeded_bars(symbols, _DAYS, 7)), source="benchmark")) as server:
        async with httpx.AsyncClient(base_url=server.base_url, headers=_HEADERS, trust_env=False) as http:
            started = time.perf_counter()
            told = {"done": False, "steps_done": 0}
            while not told["done"]:
                told = (await http.post("/_ctl/advance")).json()
            return time.perf_counter() - started, int(told["steps_done"])


def main() -> None:
    """Measure and print."""
    alone, steps = anyio.run(idle)
    with tempfile.TemporaryDirectory() as folder:
        whole = runner(folder)
    with tempfile.TemporaryDirectory() as folder:
        first = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "tradecore.runner", "--help"], check=True, capture_output=True, cwd=folder
        )
        helped = time.perf_counter() - first
    table(
        f"{steps} bar times of two symbols, lockstep ({describe('httpx', 'uvicorn', 'websockets')})",
        [
            ["what", "seconds", "bar times/s"],
            ["the exchange stepped by an idle client", f"{alone:.2f}", f"{steps / alone:,.0f}"],
            ["the runner, start to summary", f"{whole:.2f}", f"{steps / whole:,.0f}"],
            ["ratio", f"{whole / alone:.1f}", ""],
            ["`python -m tradecore.runner --help`", f"{helped:.2f}", ""],
        ],
    )


if __name__ == "__main__":
    main()
