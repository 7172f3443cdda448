"""Notes and figures from files that others write: JSONL or CSV, one note a line, each with the time it was known.

Nothing is shown before its time, so a replayed market sees of the same files what was known then.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NoReturn

import attrs
import structlog

from tradecore.cycle.features import NAMES
from tradecore.domain.values import parse_symbol
from tradecore.errors import InputError
from tradecore.ports.agent import Note

_log = structlog.get_logger("tradecore.cycle")
_SHOWN = 50
_LONGEST = 100_000
_SUFFIXES = (".jsonl", ".csv")
_COLUMNS = ("at", "symbols", "origin", "text")


@attrs.frozen
class _Line:
    """A line of a file. Without symbols it is about all of them."""

    note: Note
    symbols: frozenset[str]
    figures: Mapping[str, Decimal]


class NoteFiles:
    """A file, or every `.jsonl` and `.csv` of a directory. What is added later is read when it is next asked for."""

    def __init__(self, path: Path) -> None:
        """Raises `InputError` naming file and line for what cannot be read."""
        self._path = path
        self._stamp: tuple[tuple[str, int, int], ...] = ()
        self._lines: list[_Line] = []
        self._times: list[dt.datetime] = []
        self._read()

    def figures(self, symbol: str, as_of: dt.datetime) -> Mapping[str, Mapping[str, Decimal]]:
        """The newest figures of each origin by that moment."""
        found: dict[str, dict[str, Decimal]] = {}
        for line in self._known(symbol, as_of):
            if line.figures:
                found.setdefault(line.note.origin, {}).update(line.figures)
        return found

    def notes(self, symbol: str, as_of: dt.datetime) -> tuple[Note, ...]:
        """The newest texts by that moment, the newest last."""
        return tuple(line.note for line in self._known(symbol, as_of) if line.note.text)[-_SHOWN:]

    def _known(self, symbol: str, as_of: dt.datetime) -> Iterator[_Line]:
        try:
            self._read()
        except InputError as error:  # a line that is half written, or wrong: what was known stays known
            _log.warning("notes cannot be read again", error=str(error))
        for line in self._lines[: bisect_right(self._times, as_of)]:
            if not line.symbols or symbol in line.symbols:
                yield line

    def _read(self) -> None:
        """Read again where a file changed; then nothing changed, or all of it did."""
        try:
            files = _files(self._path)
            stamp = tuple((str(file), (stat := file.stat()).st_mtime_ns, stat.st_size) for file in files)
            if stamp == self._stamp:
                return
            lines = [line for file in files for line in (_csv if file.suffix == ".csv" else _jsonl)(file)]
        except (OSError, UnicodeDecodeError) as error:
            raise InputError("notes", str(self._path), f"readable files in UTF-8: {error}") from None
        self._lines = sorted(lines, key=lambda line: line.note.at)
        self._times = [line.note.at for line in self._lines]
        self._stamp = stamp


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(file for file in path.iterdir() if file.suffix in _SUFFIXES and file.is_file())
    if path.suffix not in _SUFFIXES or not path.is_file():
        raise InputError("notes", str(path), "a directory, or a file that ends with .jsonl or .csv")
    return [path]


def _jsonl(file: Path) -> Iterator[_Line]:
    for number, text in enumerate(file.read_text(encoding="utf-8-sig").splitlines(), 1):
        if not text.strip():
            continue
        where = f"{file.name} line {number}"
        try:
            said = json.loads(text, parse_float=Decimal, parse_constant=_refuse)
        except (ValueError, RecursionError):
            raise InputError(where, text[:80], "a JSON object") from None
        if not isinstance(said, dict):
            raise InputError(where, text[:80], "a JSON object")
        figures = said.get("figures", {})
        symbols = said.get("symbols", ())
        if not isinstance(figures, dict) or not isinstance(symbols, list | tuple):
            raise InputError(where, text[:80], "symbols as a list, figures as an object")
        yield _line(where, said, symbols, figures)


def _csv(file: Path) -> Iterator[_Line]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.DictReader(lines, strict=True)
        missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise InputError(f"{file.name} line 1", ",".join(reader.fieldnames or ()), "columns " + ", ".join(_COLUMNS))
        try:
            for row in reader:
                figures = {name: row[name] for name in NAMES if row.get(name)}
                yield _line(f"{file.name} line {reader.line_num}", row, (row["symbols"] or "").split(), figures)
        except csv.Error as error:
            raise InputError(f"{file.name} line {reader.line_num}", str(error), "CSV with a header") from None


def _line(where: str, said: Mapping[str, Any], symbols: Any, figures: Mapping[str, Any]) -> _Line:
    text, origin = said.get("text") or "", said.get("origin") or ""
    if not isinstance(text, str) or len(text) > _LONGEST:
        raise InputError(f"{where}: text", str(text)[:80], f"a text of at most {_LONGEST} characters")
    if not isinstance(origin, str) or not origin or len(origin) > 100:
        raise InputError(f"{where}: origin", str(origin)[:80], "who says it, in at most 100 characters")
    about = frozenset(parse_symbol(f"{where}: symbols", symbol) for symbol in symbols)
    numbers = {name: _number(f"{where}: {name}", name, figure) for name, figure in figures.items()}
    return _Line(Note(origin, _time(f"{where}: at", said.get("at")), text), about, numbers)


def _time(where: str, raw: object) -> dt.datetime:
    try:
        at = dt.datetime.fromisoformat(raw)  # type: ignore[arg-type]
    except (ValueError, TypeError):
        raise InputError(where, raw, "a time such as 2024-01-02T14:30:00Z") from None
    if at.tzinfo is None:
        raise InputError(where, raw, "a time with an offset or Z")
    return at.astimezone(dt.UTC)


def _number(where: str, name: str, raw: object) -> Decimal:
    if name not in NAMES:
        raise InputError(where, raw, "the name of a feature: " + ", ".join(NAMES))
    try:
        number = Decimal(raw) if isinstance(raw, str | int | Decimal) and not isinstance(raw, bool) else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite():
        raise InputError(where, raw, "a finite number")
    return number


def _refuse(word: str) -> NoReturn:
    raise ValueError(word)
