"""The tear sheet: one self-contained HTML file of a run, and its figures and tables as files for other programs."""

from __future__ import annotations

from tradecore.tearsheet.exporting import export_tables
from tradecore.tearsheet.ledger import sheet_of_ledger
from tradecore.tearsheet.page import page, write_page
from tradecore.tearsheet.sheet import Prices, Sheet

__all__ = ["Prices", "Sheet", "export_tables", "page", "sheet_of_ledger", "write_page"]
