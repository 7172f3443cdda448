"""Anchors that a runner makes as it goes: in a file, and wherever else the settings say."""

from __future__ import annotations

from pathlib import Path

import attrs

from tradecore.audit.anchor_file import AnchorFile
from tradecore.audit.anchorer import Anchorer
from tradecore.errors import ConfigurationError, CorruptLedger
from tradecore.journal.contract import Journal
from tradecore.journal.url import ledger_path
from tradecore.ports.anchor import Anchor, AnchorSink
from tradecore.ports.clock import Clock
from tradecore.runner.plugins import load_plugin
from tradecore.settings import Settings


@attrs.frozen
class Sinks:
    """Keeps each anchor in all of these; it is kept when the last one has it."""

    sinks: tuple[AnchorSink, ...]

    def record(self, anchor: Anchor) -> None:
        """Raises `StoreUnavailable` when one of them could not keep it; all will be asked again."""
        for sink in self.sinks:
            sink.record(anchor)


def anchor_path(settings: Settings) -> Path | None:
    """The file of anchors: the one that is named, else the one beside the ledger; None for neither."""
    if settings.anchors.file:
        return Path(settings.anchors.file)
    path = ledger_path(settings.ledger)
    return None if path is None else path.with_name(path.name + ".anchors")


def known_anchors(settings: Settings) -> tuple[Anchor, ...]:
    """The anchors that are in the file already. Raises `CorruptLedger` for a line that is none, `StoreUnavailable`."""
    path = anchor_path(settings)
    if path is None or not path.exists():
        return ()
    known, unreadable = AnchorFile(path).read()
    if unreadable:
        raise CorruptLedger(f"not anchored: {unreadable[0].subject} is {unreadable[0].message}")
    return known


def make_sink(settings: Settings) -> AnchorSink | None:
    """Where anchors go, None when nowhere. Raises `ConfigurationError` for a plugin or directory that is not there."""
    chosen = settings.anchors
    if not chosen.enabled:
        return None
    sinks: list[AnchorSink] = []
    path = anchor_path(settings)
    if path is not None:
        if not path.parent.is_dir():
            raise ConfigurationError(f"anchors.file: there is no directory {path.parent}")
        sinks.append(AnchorFile(path))
    sinks += [load_plugin("anchors", name, "anchors.sinks")(settings) for name in chosen.sinks]
    return Sinks(tuple(sinks)) if sinks else None


def make_anchorer(settings: Settings, journal: Journal, sink: AnchorSink, clock: Clock) -> Anchorer:
    """One that holds the ledger against what was anchored before. Raises `CorruptLedger`, `StoreUnavailable`."""
    chosen = settings.anchors
    known = known_anchors(settings)
    return Anchorer(journal, sink, clock, known, every_events=chosen.every_events, every_s=chosen.every_s)
