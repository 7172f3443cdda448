"""`python -m tests.mutation [outbox] [--only lane]`: plant every mutant of the modules; each must be found.

`--sample 150 --seed 1` tries a random sample, says within what the share of all lies, and wants 90 % of it killed.

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
from tests.mutation.sampling import GOAL, interval, sample_of
from tests.mutation.subjects import SUBJECTS
from tests.mutation.trying import Fate, Tried, Trier, in_child, try_cold

HERE = Path(__file__).parent
ROOT = HERE.parents[1] / "src" / "tradecore"
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
    subject = SUBJECTS[arguments.subject]
    tests = subject.tests()
    files = [path for path in subject.files(ROOT) if arguments.only in str(path.relative_to(ROOT))]
    every = [mutant for path in files for mutant in mutants_of(path, str(path.relative_to(ROOT)))]
    mutants = every if arguments.sample is None else sample_of(every, arguments.sample, arguments.seed)
    known = set() if arguments.again is None else set(_killed(arguments.again))
    lines = [json.dumps([key, Fate.KILLED.value, ""]) + "\n" for key in sorted(known)]
    covering = _covering(arguments.covering, tests, files)
    arguments.out.write_text("".join(lines))
    _try_all([mutant for mutant in mutants if mutant.key not in known], covering, tests, arguments.out)
    if arguments.sample is not None:
        print(f"{arguments.subject}: {len(mutants)} of {len(every)} mutants, seed {arguments.seed}")
    return _report(mutants, _read(arguments.out), is_whole=not arguments.only, is_sample=arguments.sample is not None)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.mutation", description=__doc__, allow_abbrev=False)
    parser.add_argument("subject", nargs="?", default="risk", choices=sorted(SUBJECTS))
    parser.add_argument("--only", default="", help="modules whose path contains this")
    parser.add_argument("--sample", type=int, help="try only so many, chosen at random")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--again", type=Path, help="an earlier --out: not what was killed then")
    folder = Path(tempfile.gettempdir())
    parser.add_argument("--out", type=Path, default=folder / "mutants.jsonl")
    parser.add_argument("--covering", type=Path, help="an earlier run's record of which tests run which lines")
    return parser.parse_args()


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


def _report(mutants: list[Mutant], read: Iterable[tuple[str, Fate, str]], *, is_whole: bool, is_sample: bool) -> int:
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
    stale = [] if is_sample else _stale(mutants, fates, explained, is_whole=is_whole)
    print(*left, *(f"{key}  [listed as equivalent, and is not]" for key in stale), sep="\n")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{used.ru_utime + used.ru_stime:.0f} s of processor time")
    if not is_sample:
        return 1 if left or stale else 0
    total = sum(rows.values(), Counter())
    killed, tried = total["killed"], total["killed"] + total["left"]
    low, high = interval(killed, tried)
    hung = sum(fates.get(mutant.key) is Fate.HUNG for mutant in mutants)
    print(f"killed {killed} of {tried}, {hung} of them by running for ever: {killed / max(tried, 1):.1%} "
          f"({low:.1%} to {high:.1%} of all, at 95 %)")  # fmt: skip
    return 0 if killed >= GOAL * tried else 1


def _stale(mutants: list[Mutant], fates: dict[str, Fate], explained: Iterable[str], *, is_whole: bool) -> list[str]:
    """Explanations that are none any more, of the modules that were looked at and of those that are gone."""
    known, modules = {mutant.key for mutant in mutants}, {mutant.module for mutant in mutants}
    found = []
    for key in explained if is_whole else ():
        module = key.partition(" ")[0]
        is_ours = module in modules or not (ROOT / module).exists()
        if is_ours and (key not in known or fates.get(key) is Fate.KILLED):
            found.append(key)
    return found


if __name__ == "__main__":
    sys.exit(main())
