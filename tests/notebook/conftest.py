"""Kernels for the tests: one for most of them, because each costs a second or two."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.notebook.kernel import Kernel, kernel_environment
from tests.runner.market import write_csv
from tests.runner.process import fills, run, write
from tradecore_notebook import kernelspec


@pytest.fixture(scope="package")
def jupyter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A prefix in which the kernel `tradecore` is installed, and which Jupyter looks at."""
    prefix = tmp_path_factory.mktemp("jupyter")
    assert kernelspec.main(["--install", "--prefix", str(prefix)]) == 0
    patch = pytest.MonkeyPatch()
    for name, value in kernel_environment(prefix).items():
        if name.startswith(("JUPYTER", "IPYTHON")):
            patch.setenv(name, value)
    yield prefix
    patch.undo()


@pytest.fixture(scope="package")
def hour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where `python -m tradecore.runner` traded the first hour, with averages of two and five bars."""
    folder = tmp_path_factory.mktemp("hour")
    write_csv(folder, 60)
    write(folder, "runner.toml", '[strategy]\nparameters = { fast = 2, slow = 5, quantity = "10" }\n')
    assert run(folder, "--config", "runner.toml", "--bars", "bars.csv").code == 0
    assert len(fills(folder)) > 5
    return folder


@pytest.fixture(scope="package")
def kernel(jupyter: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel that many tests use, one after the other, each with names and a ledger of its own."""
    opened = Kernel(jupyter, tmp_path_factory.mktemp("cells"))
    yield opened
    opened.close()
