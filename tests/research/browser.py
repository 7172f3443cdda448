"""Headless Chromium, where it is installed: what a page becomes, and what it asked the network for."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
    "--virtual-time-budget=8000", "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip


_OWN_HOSTS = (".google.com", ".googleapis.com")  # the browser's own updates, on every page


def chromium() -> str:
    """The browser; skips the test where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium is installed")
    return found


def browse(page: Path, profile: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """Open a file in a fresh profile; `--dump-dom` or `--screenshot=` says what for."""
    command = [chromium(), *_FLAGS, f"--user-data-dir={profile}", *flags, page.resolve().as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


def asked_for(log: Path) -> list[str]:
    """What a page asked for, out of Chromium's log of its network stack, without the browser's own requests."""
    logged: dict[str, Any] = json.loads(log.read_text(encoding="utf-8"))
    addresses = {event["params"].get("url") for event in logged["events"] if "params" in event}
    web = {address for address in addresses if address and address.startswith(("http", "ws", "ftp"))}
    return sorted(address for address in web if not str(urlsplit(address).hostname).endswith(_OWN_HOSTS))
