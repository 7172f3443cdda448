"""What a cell can say: the magic, the kernel that is installed, refusals, and no secrets in what it puts out."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.notebook.kernel import Kernel
from tests.notebook.test_session import LOAD, session
from tests.runner.market import write_csv
from tests.runner.process import finish, start


def test_the_runner_command_installs_a_kernel_of_this_python(tmp_path: Path) -> None:
    done = finish(start(tmp_path, "notebook", "--install", "--prefix", str(tmp_path)))
    assert done.code == 0, done.err
    folder = tmp_path / "share" / "jupyter" / "kernels" / "tradecore"
    assert done.out.strip() == f"kernel tradecore: {folder}"
    spec = json.loads((folder / "kernel.json").read_text(encoding="utf-8"))
    assert spec["argv"][0] == sys.executable
    assert spec["interrupt_mode"] == "signal"


def test_a_notebook_is_not_run_by_the_runner_command(tmp_path: Path) -> None:
    done = finish(start(tmp_path, "notebook"))
    assert done.code == 2
    assert "--install" in done.err


def test_the_magic_moves_the_session_and_says_what_it_takes(kernel: Kernel, tmp_path: Path) -> None:
    write_csv(tmp_path, 30)
    kernel.run(session(tmp_path))
    assert "market: 4 of 30" in kernel.run("%tradecore step 4").text
    assert "state: paused" in kernel.run("%tradecore status").text
    assert "fly" in kernel.run("%tradecore fly").err
    assert "a number of steps above 0" in kernel.run("%tradecore step x").err
    assert "state: read-only" in kernel.run("%tradecore stop").text
    assert "here: read-only" in kernel.run(f"%tradecore ledger sqlite:///{tmp_path}/tradecore.db").text
    kernel.run("del session")
    assert "under the name `session`" in kernel.run("%tradecore status").err


def test_what_makes_no_sense_is_refused_and_harms_nothing(kernel: Kernel, tmp_path: Path) -> None:
    write_csv(tmp_path, 30)
    kernel.run(session(tmp_path))
    assert kernel.run("session.step(0)").error == "InputError"
    assert kernel.run("session.pause()").error == "SessionRefused"
    assert kernel.run("session.halt('enough')").error == "SessionRefused"
    kernel.run("session.step(2)")
    assert kernel.run("session.join()").error == "SessionRefused"
    assert "trading halted" in kernel.run("session.halt('enough')").text
    assert kernel.run("session.step(2)").error is None
    kernel.run("session.stop()")
    assert kernel.run("Session('memory:')").error == "InputError"
    assert kernel.run("Session(nonsense={})").error == "ConfigurationError"


def test_a_session_that_lost_its_name_says_so_and_can_be_stopped(kernel: Kernel, tmp_path: Path) -> None:
    write_csv(tmp_path, 30)
    kernel.run(session(tmp_path))
    kernel.run("session.step(2)")
    kernel.run(session(tmp_path))
    refused = kernel.run("session.step(2)")
    assert refused.error == "LeaseHeld"
    assert "earlier session of this kernel" in refused.err
    assert "tradecore_notebook.stop_all()" in kernel.run("session").text
    kernel.run("import tradecore_notebook; tradecore_notebook.stop_all()")
    assert "market: 4 of 30" in kernel.run("session.step(2)").text
    kernel.run("session.stop()")


SECRETS = {"APCA_API_KEY_ID": "PKsecretsecret", "APCA_API_SECRET_KEY": "hushhushhush"}
URL = "postgresql://user:passpasspass@127.0.0.1:9/none"


def test_no_secret_is_in_anything_that_a_cell_puts_out(kernel: Kernel, tmp_path: Path) -> None:
    """Keys in the environment, and a password in a ledger's URL."""
    write_csv(tmp_path, 30)
    cells = [
        session(tmp_path), "session", "vars(session)", "session.start()", "session.traceback", "session.stop()",
        LOAD + f"other = Session({URL!r})", "other", "repr(other)", "other.start()", "print(other.traceback)",
        "other.ledger", f"%tradecore ledger {URL}", "%xmode Verbose", "other.step()", "%xmode Context",
    ]  # fmt: skip
    kernel.run(f"import os; os.environ.update({SECRETS})")
    said = [kernel.run(cell) for cell in cells]
    kernel.run(f"for name in {list(SECRETS)}: del os.environ[name]")
    assert [output.error for output in said if output.error] == ["BrokerUnauthorized", *["StoreUnavailable"] * 3]
    for cell, output in zip(cells, said, strict=True):
        for secret in (*SECRETS.values(), "passpasspass"):
            assert secret not in output.everything, cell
