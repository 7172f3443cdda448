"""Verb `verify`: does the ledger contradict itself?"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import attrs
from cyclopts import Parameter

from tradecore.cli.anchor_files import anchor_file
from tradecore.cli.opening import open_existing
from tradecore.cli.options import DEFAULTS, Options
from tradecore.cli.printing import show_json, show_line, show_note, show_table
from tradecore.errors import CorruptLedger

if TYPE_CHECKING:
    from pathlib import Path

    from tradecore.ports.anchor import Anchor
    from tradecore.verify import Report


def verify(
    *,
    anchors: Annotated[str | None, Parameter(show_default=False)] = None,
    rebuild: Annotated[bool, Parameter(negative=())] = False,
    options: Options = DEFAULTS,
) -> int:
    """Check chain, log, views and books against each other and against anchors. Exit code 1 when something is found.

    Parameters
    ----------
    anchors
        file of anchors (default: the ledger's name and .anchors, if that exists)
    rebuild
        first build every view anew from the log
    """
    report, count = _verify(options, anchor_file(options, anchors), rebuild=rebuild)
    counts = f"{report.events} events in {report.streams} streams"
    counts += f" and {count} anchors"
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
    if not count:
        show_note("no anchors: a cut end, an old copy or a rewritten history would not show (see tradecore anchor)")
    return 0 if report.ok else 1


def _verify(options: Options, file: Path | None, *, rebuild: bool) -> tuple[Report, int]:
    from tradecore.audit.anchor_file import AnchorFile
    from tradecore.audit.finding import Finding
    from tradecore.journal.url import shown
    from tradecore.verify import Report, verify
    from tradecore.views.keeping import kept_views
    from tradecore.views.projector import Projector

    anchors: tuple[Anchor, ...] = ()
    unreadable: tuple[Finding, ...] = ()
    if file is not None:
        anchors, unreadable = AnchorFile(file).read()
    try:
        with open_existing(options) as journal:
            if rebuild:
                with suppress(CorruptLedger):  # a log that builds no views is what the verification will find
                    Projector(journal, kept_views(journal), alarm=lambda _: None).rebuild()
            report = verify(journal, anchors)
    except CorruptLedger as error:  # a file that cannot even be opened as a ledger
        report = Report(0, 0, (Finding("store", shown(options.url), str(error)),))
    return attrs.evolve(report, findings=report.findings + unreadable), len(anchors)
