"""`python -m tests.model`: three stores against a model, with other examples every time."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.model import campaign
from tests.postgres.server import Server, binaries


def main() -> int:
    """From the command line; what is found is raised, with the steps that lead to it."""
    parser = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__)
    parser.add_argument("--examples", type=int, default=2000, metavar="N")
    parser.add_argument("--steps", type=int, default=50, metavar="N", help="of each example, at most")
    given = parser.parse_args()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="tradecore-model-") as folder:
        server = Server(Path(folder)) if binaries() is not None else None
        try:
            if server is not None:
                server.create()
                server.start()
            begun = campaign.run(given.examples, given.steps, server, fixed=False)
        finally:
            if server is not None:
                server.remove()
    stores = "memory, SQLite, Postgres" if server is not None else "memory, SQLite"
    seconds = time.perf_counter() - began
    sys.stdout.write(f"examples {begun} of at most {given.steps} steps | {stores} | all agree | {seconds:.0f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
