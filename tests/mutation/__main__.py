"""`python -m tests.mutation [risk] [--only domain/gate]`: plant every mutant of the modules; each must be found.

Mutants that no test can find, because they change nothing, are in `equivalent.toml`, each with the reason. What every
mutant came to is written to `--out`; `--again` takes such a file, and what was killed then is not tried again.
"""

from __future__ import annotations

import argparse
import importlib
import json
import resource
import sys
import tempfile
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.mutation.covering import Covering, record
from tests.mutation.operators import Mutant, mutants_of
from tests.mutation.trying import Fate, Tried, Trier, in_child, try_cold

HERE = Path(__file__).parent
ROOT = HERE.parents[1] / "src" / "tradecore"
TESTS = {"risk": ("risk", "domain")}
"""By subject the folders of tests; the modules are in `modules.txt` of the first."""
_OPTIONS = [
    "-q",
    "--hypothesis-seed=1",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
    "-W",
    "ignore::pytest.PytestAssertRewriteWarning",
]
_WARM = (
    "anyio", "attrs", "cyclopts", "eventsourcing.persistence", "httpx", "hypothesis", "msgspec", "pydantic",
    "pydantic_settings", "rich.console", "starlette.applications", "structlog", "uvicorn", "websockets",
)  # fmt: skip
_RECORDING_S, _TRYING_S = 600, 36_000


def main() -> int:
    """Print a row for each module and every survivor that nobody explained; 1 when there is one."""
    arguments = _arguments()
    for name in _WARM:  # never the library itself: it is imported with each mutant of what runs at import
        importlib.import_module(name)
    tests = [str(HERE.parent / folder) for folder in TESTS[arguments.subject]]
    files = _modules(arguments.subject, arguments.only)
    mutants = [mutant for path in files for mutant in mutants_of(path, str(path.relative_to(ROOT)))]
    known = set() if arguments.again is None else set(_killed(arguments.again))
    lines = [json.dumps([key, Fate.KILLED.value, ""]) + "\n" for key in sorted(known)]
    covering = _covering(arguments.covering, tests, files)
    arguments.out.write_text("".join(lines))
    _try_all([mutant for mutant in mutants if mutant.key not in known], covering, tests, arguments.out)
    return _report(mutants, _read(arguments.out), is_whole=not arguments.only)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.mutation", description=__doc__, allow_abbrev=False)
    parser.add_argument("subject", nargs="?", default="risk", choices=sorted(TESTS))
    parser.add_argument("--only", default="", help="modules whose path contains this")
    parser.add_argument("--again", type=Path, help="an earlier --out: not what was killed then")
    folder = Path(tempfile.gettempdir())
    parser.add_argument("--out", type=Path, default=folder / "mutants.jsonl")
    parser.add_argument("--covering", type=Path, help="an earlier run's record of which tests run which lines")
    return parser.parse_args()


def _modules(subject: str, only: str) -> list[Path]:
    patterns = (HERE.parent / TESTS[subject][0] / "modules.txt").read_text().split()
    found = [path for pattern in patterns for path in sorted(ROOT.glob(pattern)) if path.name != "__init__.py"]
    return [path for path in found if only in str(path.relative_to(ROOT))]


def _covering(kept: Path | None, tests: list[str], files: list[Path]) -> Covering:
    if kept is not None and kept.exists():
        return Covering.read(kept)
    with tempfile.TemporaryDirectory() as folder:
        path = kept or Path(folder) / "covering.json"
        if in_child(lambda: record([*_OPTIONS, *tests], ROOT, files, path), _RECORDING_S) != 0:
            raise SystemExit("the tests fail without any mutant")
        return Covering.read(path)


def _try_all(mutants: list[Mutant], covering: Covering, tests: list[str], out: Path) -> None:
    def hear(tried: Tried) -> None:
        with out.open("a") as file:
            file.write(json.dumps([tried.mutant.key, tried.fate.value, tried.by]) + "\n")

    trier = Trier([mutant for mutant in mutants if mutant.function is not None], covering, ROOT, hear)
    in_child(lambda: int(pytest.main([*_OPTIONS, *tests], plugins=[trier])), _TRYING_S)
    fates = {key: fate for key, fate, _ in _read(out)}
    for mutant in mutants:
        if fates.get(mutant.key, Fate.COLD) is Fate.COLD:
            hear(try_cold(mutant, covering, ROOT, _OPTIONS))


def _read(path: Path) -> list[tuple[str, Fate, str]]:
    lines = path.read_text().splitlines()
    return [(key, Fate(fate), by) for key, fate, by in map(json.loads, lines)]


def _killed(path: Path) -> list[str]:
    return [key for key, fate, _ in _read(path) if fate in (Fate.KILLED, Fate.HUNG)]


def _equivalent() -> dict[str, str]:
    told = tomllib.loads((HERE / "equivalent.toml").read_text())
    return {mutant: each["why"] for each in told.get("equivalent", ()) for mutant in each["mutants"]}


def _report(mutants: list[Mutant], read: Iterable[tuple[str, Fate, str]], *, is_whole: bool) -> int:
    fates = {key: fate for key, fate, _ in read}
    explained = _equivalent()
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    left = []
    for mutant in mutants:
        fate = fates.get(mutant.key, Fate.UNTESTED)
        is_dead = fate in (Fate.KILLED, Fate.HUNG)
        kind = "killed" if is_dead else "equivalent" if mutant.key in explained else "left"
        rows[mutant.module][kind] += 1
        if kind == "left":
            left.append(f"{mutant.key}  [line {mutant.line}, {fate.value}]")
    print(f"{'module':34}{'mutants':>9}{'killed':>9}{'equivalent':>12}{'left':>7}")
    for module, row in [*rows.items(), ("all", sum(rows.values(), Counter()))]:
        print(f"{module:34}{row.total():>9}{row['killed']:>9}{row['equivalent']:>12}{row['left']:>7}")
    known = {mutant.key for mutant in mutants}
    stale = [key for key in explained if is_whole and (key not in known or fates.get(key) is Fate.KILLED)]
    print(*left, *(f"{key}  [listed as equivalent, and is not]" for key in stale), sep="\n")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{used.ru_utime + used.ru_stime:.0f} s of processor time")
    return 1 if left or stale else 0


if __name__ == "__main__":
    sys.exit(main())
