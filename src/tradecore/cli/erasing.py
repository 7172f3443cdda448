"""Verb `erase`: everything that is kept of a subject goes, and the log says that it went."""

from __future__ import annotations

from tradecore.cli.opening import open_existing
from tradecore.cli.options import DEFAULTS, Options
from tradecore.cli.printing import show_json, show_line


def erase(subject: str, /, *, reason: str, options: Options = DEFAULTS) -> int:
    """Erase the texts of a subject from the ledger's files. No runner may work on the ledger meanwhile.

    Parameters
    ----------
    subject
        whose texts, by the name that they were kept under
    reason
        the request or rule, for the record; it stays for ever, so it must name nobody
    """
    from tradecore.cli.actor import actor
    from tradecore.domain import streams
    from tradecore.domain.events import SubjectErased
    from tradecore.domain.messages import Cause
    from tradecore.journal import open_lease
    from tradecore.journal.side_store import hash_subject
    from tradecore.ledger import Ledger
    from tradecore.runner.system import SystemClock, SystemIds

    with open_existing(options) as journal:
        ids, lease = SystemIds(), open_lease(options.url)
        lease.acquire("tradecore erase")
        try:
            ledger = Ledger(journal, SystemClock(), ids)
            texts = journal.texts.erase(subject)
            event = SubjectErased(hash_subject(subject), texts, reason)
            ledger.note(streams.subject(event.subject_hash), event, Cause(ids.trace_id(), actor(), "cli"))
        finally:
            lease.release()
    if options.json:
        show_json([{"subject_hash": event.subject_hash, "texts": texts}])
    else:
        show_line(f"{texts} texts are gone; copies made before still have them, unless they were encrypted")
    return 0
