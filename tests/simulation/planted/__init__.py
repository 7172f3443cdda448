"""Planted bugs: the harness must notice each, or it would not notice one that somebody writes."""

from __future__ import annotations

import multiprocessing
import statistics
import sys

from tests.simulation.campaign import quiet
from tests.simulation.file_disk import uses_files
from tests.simulation.minds import mind_of
from tests.simulation.planted import books, reading, sending, storing, thinking
from tests.simulation.planted.mechanism import Bug
from tests.simulation.world import World

BUGS: tuple[Bug, ...] = (*sending.BUGS, *reading.BUGS, *books.BUGS, *thinking.BUGS, *storing.BUGS)


def find(name: str, within: int) -> tuple[str, int | None, str]:
    """The first seed that notices a bug, counted from 1, and what it says; None when none does."""
    (bug,) = [one for one in BUGS if one.name == name]
    for seed in range(1, within + 1):
        if (bug.agents and mind_of(seed) is None) or (bug.files and not uses_files(seed)):
            continue
        with bug.planted():
            violation = World(seed).run().violation
        if violation is not None:
            return name, seed, violation
    return name, None, ""


def hunt(name: str, within: int, cores: int) -> int:
    """Look for all bugs, or one, and print the score; 0 when every one was found."""
    wanted = [(bug.name, within) for bug in BUGS if name in ("all", bug.name)]
    seeds = []
    with multiprocessing.get_context("fork").Pool(cores, initializer=quiet) as pool:
        for found, seed, violation in pool.imap_unordered(_find, wanted):
            sys.stdout.write(f"{'seed ' + str(seed) if seed else 'NOT FOUND':>10}  {found}: {violation[:110]}\n")
            sys.stdout.flush()
            if seed is not None:
                seeds.append(seed)
    middle = statistics.median(seeds) if seeds else 0
    sys.stdout.write(f"planted bugs {len(seeds)}/{len(wanted)} | median seed {middle} | last {max(seeds, default=0)}\n")
    return 0 if len(seeds) == len(wanted) else 1


def _find(wanted: tuple[str, int]) -> tuple[str, int | None, str]:
    return find(*wanted)
