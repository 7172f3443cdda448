"""tradecore in a notebook: the shipped engine in a thread of its own, and the ledger as tables, charts and frames.

`%load_ext tradecore_notebook` loads it; `open_ledger` reads, `Session` trades once it holds the lease.
"""

from __future__ import annotations

from tradecore_notebook.ledger import ReadOnlyLedger, open_ledger
from tradecore_notebook.magics import load_ipython_extension, unload_ipython_extension
from tradecore_notebook.moment import Moment
from tradecore_notebook.session import Session, stop_all
from tradecore_notebook.status import Status
from tradecore_notebook.table import Table

__all__ = [
    "Moment",
    "ReadOnlyLedger",
    "Session",
    "Status",
    "Table",
    "load_ipython_extension",
    "open_ledger",
    "stop_all",
    "unload_ipython_extension",
]
