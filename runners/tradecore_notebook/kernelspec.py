"""`python -m tradecore.runner notebook --install`: the kernel `tradecore`, which has the extension loaded."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tradecore.errors import MissingExtra

NAME = "tradecore"


def spec() -> dict[str, object]:
    """The kernel: ipykernel of this Python, with the extension."""
    return {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--ext", "tradecore_notebook"],
        "display_name": "tradecore",
        "language": "python",
        "interrupt_mode": "signal",
        "metadata": {"debugger": True},
    }


def install(*, user: bool = False, prefix: str | None = None) -> Path:
    """Install the kernel for the user or below a prefix; returns its directory. Raises `MissingExtra`, `OSError`."""
    try:
        import ipykernel  # noqa: F401
        from jupyter_client.kernelspec import KernelSpecManager
    except ImportError as error:
        raise MissingExtra("the kernel", "notebook") from error
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "kernel.json").write_text(json.dumps(spec(), indent=1) + "\n", encoding="utf-8")
        return Path(KernelSpecManager().install_kernel_spec(folder, NAME, user=user, prefix=prefix))


def main(argv: list[str]) -> int:
    """The words behind `notebook`; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tradecore.runner notebook",
        description="Install the Jupyter kernel `tradecore`, which runs the engine beside the cells. Notebooks choose "
        "it by name; in any other Python kernel, %load_ext tradecore_notebook does the same.",
        allow_abbrev=False,
    )
    parser.add_argument("--install", action="store_true", required=True, help="install the kernel")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--user", action="store_true", help="for this user")
    where.add_argument("--prefix", metavar="DIR", default=sys.prefix, help="below DIR (default: this environment)")
    arguments = parser.parse_args(argv)
    try:
        place = install(user=arguments.user, prefix=None if arguments.user else arguments.prefix)
    except (MissingExtra, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 1
    print(f"kernel {NAME}: {place}")  # noqa: T201
    return 0
