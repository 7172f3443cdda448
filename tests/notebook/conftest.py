"""Kernels for the tests: one for most of them, because each costs a second or two."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("ipykernel")

from tests.notebook.kernel import Kernel, kernel_environment
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
def kernel(jupyter: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel that many tests use, one after the other, each with names and a ledger of its own."""
    opened = Kernel(jupyter, tmp_path_factory.mktemp("cells"))
    yield opened
    opened.close()
