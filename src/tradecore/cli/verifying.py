"""Verb `verify`: does the ledger contradict itself?"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import attrs
from cyclopts import Parameter

from tradecore.cli.opening import open_existing
from tradecore.cli.options import DEFAULTS, Options
from tradecore.cli.printing import show_json, show_line, show_note, show_table
from tradecore.errors import CorruptLedger

if TYPE_CHECKING:
    from tradecore.verify import Report


def verify(*, rebuild: Annotated[bool, Parameter(negative=())] = False, options: Options = DEFAULTS) -> int:
    """Check the log, the views and the books against each other. Exit code 1 when something is found.

    Parameters
    ----------
    rebuild
        first build every view anew from the log
    """
    report = _verify(options, rebuild=rebuild)
    counts = f"{report.events} events in {report.streams} streams"
    verdict = f"ok: {counts}, nothing found" if report.ok else f"{len(report.findings)} findings in {counts}"
    findings = [attrs.asdict(finding) for finding in report.findings]
    if options.json:
        show_json(findings)
        show_note(verdict)
    elif report.ok:
        show_line(verdict)
    else:
        show_table(findings, ("check", "subject", "message"), verdict)
        show_line(verdict)
    return 0 if report.ok else 1


def _verify(options: Options, *, rebuild: bool) -> Report:
    from tradecore.journal.url import shown
    from tradecore.verify import Finding, Report, verify
    from tradecore.views import ALL_VIEWS
    from tradecore.views.projector import Projector

    try:
        with open_existing(options) as journal:
            if rebuild:
                with suppress(CorruptLedger):  # a log that builds no views is what the verification will find
                    Projector(journal, ALL_VIEWS).rebuild()
            return verify(journal)
    except CorruptLedger as error:  # a file that cannot even be opened as a ledger
        return Report(0, 0, (Finding("store", shown(options.url), str(error)),))
