"""The judge: the exchange in a process of its own, which lives through every kill of the runner."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

import attrs
import httpx

HEADERS = {"APCA-API-KEY-ID": "exchange-key", "APCA-API-SECRET-KEY": "exchange-secret"}
_PATIENCE_S = 30.0


@attrs.define
class Judge:
    """An exchange process and what it saw; `ledger` is the URL of the runner's ledger, `told` more of its settings."""

    process: subprocess.Popen[str]
    urls: dict[str, Any]
    ledger: str
    told: dict[str, str] = attrs.field(factory=dict)

    @classmethod
    def start(cls, folder: Path, *arguments: str, ledger: str = "") -> Judge:
        """Start an exchange that moves only when told; a `ledger` that is not named is a file in the folder."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tradecore_exchange", "--state", str(folder / "judge.db"), *arguments],
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the exchange did not start"
        return cls(process, json.loads(line), ledger or f"sqlite:///{folder / 'ledger.db'}")

    def __enter__(self) -> Judge:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.process.terminate()
        self.process.wait(_PATIENCE_S)
        if self.process.stdout is not None:
            self.process.stdout.close()

    @property
    def base_url(self) -> str:
        return str(self.urls["base_url"])

    def ask(self, path: str) -> dict[str, Any]:
        answer = httpx.get(self.base_url + path, headers=HEADERS, timeout=_PATIENCE_S, trust_env=False)
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told

    def arm(self, **fault: Any) -> None:
        """Arm a fault."""
        answer = httpx.post(
            self.base_url + "/_ctl/faults", json=fault, headers=HEADERS, timeout=_PATIENCE_S, trust_env=False
        )
        answer.raise_for_status()

    def post_order(self, body: dict[str, str]) -> None:
        """Place an order behind the ledger's back."""
        answer = httpx.post(
            self.base_url + "/v2/orders", json=body, headers=HEADERS, timeout=_PATIENCE_S, trust_env=False
        )
        answer.raise_for_status()

    def clear_faults(self) -> None:
        httpx.delete(self.base_url + "/_ctl/faults", headers=HEADERS, timeout=_PATIENCE_S, trust_env=False)

    def is_done(self) -> bool:
        """Whether the market was replayed to its end."""
        return bool(self.ask("/_ctl/state")["done"])


def environment(**extra: str) -> dict[str, str]:
    """The environment of a child, without anything of the machine's own broker settings."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("TRADECORE_", "APCA_"))}
    quiet = {f"TRADECORE_TRIGGERS__{name}": "none" for name in ("REPEATED_EXECUTION", "CONSECUTIVE_LOSSES")}
    return kept | {"TRADECORE_RISK__DEFAULTS": "none"} | quiet | extra


def runner_command(folder: Path, judge: Judge, *arguments: str) -> list[str]:
    """The command line of a runner on this folder's ledger, attached to the judge."""
    config = folder / "runner.toml"
    config.write_text(
        "\n".join(
            [
                f'ledger = "{judge.ledger}"',
                "[broker]",
                'name = "exchange"',
                f'base_url = "{judge.base_url}"',
                "[strategy]",
                'name = "sma"',
                "parameters = { fast = 3, slow = 8, quantity = 10 }",
                "[delivery]",
                "not_after_s = 600",
                "visibility_s = 0.2",
                "lookup_interval_s = 0.1",
                "lookups = 2",
                "retry_initial_s = 0.1",
                "retry_jitter_s = 0.05",
                "",
            ]
        ),
        encoding="utf-8",
    )
    return [sys.executable, "-m", "tradecore.runner", "--config", str(config), *arguments]
