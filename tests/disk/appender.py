"""A process that works on a ledger while its disk fails, and says on its standard output what became of each step.

`python -m tests.disk.appender FOLDER SEED STEPS FILE_SIZE_LIMIT`
"""

from __future__ import annotations

import json
import os
import resource
import sys
from pathlib import Path

from tests.power.workload import Worker
from tradecore.journal.sqlite import datastore


def main() -> None:
    """Work, close, and say so; what is no error of tradecore is said as `raw`."""
    folder, seed, steps, limit = sys.argv[1:]
    datastore._CHECKPOINT_PAGES = 60
    if int(limit):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    try:
        worker = Worker(Path(folder), int(seed), marks=1)
        worker.work(int(steps))
        worker.close()
        _say("closed", None)
    except BaseException as error:  # noqa: BLE001 - the point is to see what gets out
        _say("raw", repr(error))


def _say(kind: str, what: object) -> None:
    os.write(1, (json.dumps([kind, what]) + "\n").encode())


if __name__ == "__main__":
    main()
