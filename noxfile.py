"""The project's sessions. `nox` runs those that CI runs; each can be run alone with `nox -s NAME`."""

from __future__ import annotations

import os
from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["lint", "types", "imports", "tests", "docs"]

CODE = ("src", "adapters", "runners", "tests", "benchmarks", "examples", "tools", "noxfile.py")

# The modules between an order and the broker.
RISK = ",".join(f"*/tradecore/{name}" for name in Path("tests/risk/modules.txt").read_text(encoding="utf-8").split())


def _sync(session: nox.Session, *groups: str) -> None:
    """Install exactly what `uv.lock` pins, with hashes checked; the project itself is installed by the caller."""
    requirements = Path(session.create_tmp()) / "requirements.txt"
    arguments = [f"--group={group}" for group in groups]
    session.run_install(
        "uv", "export", "--quiet", "--locked", "--no-emit-project", "--no-default-groups", "--all-extras", *arguments,
        "--output-file", str(requirements), external=True,
    )  # fmt: skip
    session.run_install("uv", "pip", "install", "--quiet", "--require-hashes", "-r", str(requirements), external=True)


@nox.session
def lint(session: nox.Session) -> None:
    """Formatting and lint rules (ruff)."""
    _sync(session, "dev")
    session.run("ruff", "format", "--check", *CODE)
    session.run("ruff", "check", *CODE)


@nox.session
def types(session: nox.Session) -> None:
    """Strict types, tests too (mypy)."""
    _sync(session, "dev")
    session.run("mypy", "src", "adapters", "runners", "tests")


@nox.session
def imports(session: nox.Session) -> None:
    """Layers of the import graph, exhaustive (import-linter)."""
    _sync(session, "dev")
    session.install("--no-deps", "-e", ".")
    session.run("lint-imports")


@nox.session
def tests(session: nox.Session) -> None:
    """All tests, on the built wheel."""
    _sync(session, "dev")
    wheel = _build(session)
    session.install("--no-deps", "--force-reinstall", wheel)
    workers = os.environ.get("TRADECORE_TEST_WORKERS", "2")
    session.run("pytest", "-n", workers, "--dist", "worksteal", "--reruns", "1", "-rR", *session.posargs)


@nox.session(python=["3.11", "3.12", "3.13"])
def pythons(session: nox.Session) -> None:
    """The quick tests, on the built wheel, under every supported Python that is installed."""
    _sync(session, "dev")
    session.install("--no-deps", "--force-reinstall", _build(session))
    session.run("pytest", "-n", "2", "--dist", "worksteal", "-m", "not slow", *session.posargs)


@nox.session
def crash(session: nox.Session) -> None:
    """The kill -9 campaign at full length: every failpoint, then random moments (`-- --kills N`)."""
    _sync(session, "dev")
    session.install("--no-deps", "--force-reinstall", _build(session))
    session.run("python", "-m", "tests.crash", *session.posargs)


@nox.session
def faults(session: nox.Session) -> None:
    """The fault campaign at full length: every fault in every phase (`-- --runs N`)."""
    _sync(session, "dev")
    session.install("--no-deps", "--force-reinstall", _build(session))
    session.run("python", "-m", "tests.campaign", *(session.posargs or ["--runs", "1416"]))


@nox.session
def injections(session: nox.Session) -> None:
    """3,000 injected texts through a model that obeys them (`-- N` of each kind)."""
    _sync(session, "dev")
    session.install("--no-deps", "--force-reinstall", _build(session))
    session.run("python", "-m", "tests.agents.campaign", *session.posargs)


@nox.session
def power(session: nox.Session) -> None:
    """Power cuts, failing disks, races and killed servers, at full length (about an hour)."""
    _sync(session, "dev")
    session.install("--no-deps", "--force-reinstall", _build(session))
    session.run("python", "-m", "tests.power.campaign", "--images", "100000")
    session.run("python", "-m", "tests.races", "--rounds", "200", "--appends", "600")
    session.run("python", "-m", "tests.disk.campaign", "--points", "2000", "--flips", "2000")
    session.run("python", "-m", "tests.audit.campaign", "--flips", "20000")
    session.run("python", "-m", "tests.postgres.campaign", "--kills", "50")


@nox.session
def schedules(session: nox.Session) -> None:
    """10,000 random concurrent schedules of orders against limits, on SQLite and Postgres (`-- --schedules N`)."""
    _sync(session, "dev")
    session.install("--no-deps", "--force-reinstall", _build(session))
    session.run("python", "-m", "tests.risk.schedules", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Branch coverage of what stands between an order and the broker: all of it, by the tests of risk alone."""
    _sync(session, "dev")
    session.install("--no-deps", "-e", ".")
    session.run("coverage", "run", "-m", "pytest", "tests/risk")
    session.run("coverage", "report", "--show-missing", "--skip-covered", "--fail-under", "100", f"--include={RISK}")


@nox.session
def simulate(session: nox.Session) -> None:
    """The whole runner in virtual time (`-- --seeds N`): no violation, and everything declared is reached."""
    _sync(session, "dev")
    session.install("--no-deps", "--force-reinstall", _build(session))
    session.run("python", "-m", "tests.simulation", "--reach", *(session.posargs or ["--seeds", "10000"]))


@nox.session
def model(session: nox.Session) -> None:
    """Memory, SQLite and Postgres against a model in plain Python (`-- --examples N --steps N`)."""
    _sync(session, "dev")
    session.install("--no-deps", "--force-reinstall", _build(session))
    session.run("python", "-m", "tests.model", *session.posargs)


@nox.session
def planted(session: nox.Session) -> None:
    """Whether the simulation would notice: bugs are planted one by one, and each must be found (`-- --within N`)."""
    _sync(session, "dev")
    session.install("--no-deps", "--force-reinstall", _build(session))
    session.run("python", "-m", "tests.simulation", "--planted", *session.posargs)


@nox.session
def mutate(session: nox.Session) -> None:
    """Whether the tests would notice: every small change to what an order passes (`-- outbox`)."""
    _sync(session, "dev")
    session.install("--no-deps", "-e", ".")
    session.run("python", "-m", "tests.mutation", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation, strict (mkdocs-material); its code is run by the tests."""
    _sync(session, "docs")
    session.run("mkdocs", "build", "--strict", "--quiet", "--site-dir", str(Path(session.create_tmp()) / "site"))


@nox.session
def bench(session: nox.Session) -> None:
    """Benchmarks: ratios against a limit measured in the same run."""
    _sync(session, "dev")
    session.install("--no-deps", "--force-reinstall", _build(session))
    for script in sorted(Path("benchmarks").glob("*.py")):
        session.run("python", str(script), *session.posargs)


@nox.session
def build(session: nox.Session) -> None:
    """Wheel and source distribution, into dist/."""
    session.run("uv", "build", "--quiet", external=True)


def _build(session: nox.Session) -> str:
    out = Path(session.create_tmp()) / "dist"
    for old in out.glob("*.whl"):
        old.unlink()
    session.run_install("uv", "build", "--quiet", "--wheel", "--out-dir", str(out), external=True)
    return str(next(out.glob("*.whl")))
