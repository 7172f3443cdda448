"""`%load_ext tradecore_notebook`: the magic `%tradecore`, and no error behind a cell that nobody sees."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, Any

from tradecore.errors import InputError, TradecoreError
from tradecore_notebook import logs
from tradecore_notebook.ledger import open_ledger
from tradecore_notebook.session import Session, untold

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_EXPECTED = "ledger [URL], status, start, step [N], pause or stop, the latter five on the session named `session`"


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register what this extension brings."""
    logs.keep_log()
    shell.register_magic_function(_magic(shell), "line", "tradecore")
    shell.events.register("post_run_cell", _tell_failures)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take it away again; sessions go on."""
    shell.magics_manager.magics["line"].pop("tradecore", None)
    shell.events.unregister("post_run_cell", _tell_failures)


def _magic(shell: InteractiveShell) -> Any:
    def tradecore(line: str) -> object:
        """%tradecore ledger [URL] | status | start | step [N] | pause | stop"""
        try:
            return _obey(shell, shlex.split(line))
        except TradecoreError as error:
            sys.stderr.write(f"error: {error}\n")
            return None

    return tradecore


def _obey(shell: InteractiveShell, words: list[str]) -> object:
    verb, *more = words or ["status"]
    if verb == "ledger" and len(more) <= 1:
        return open_ledger(*more)
    session = shell.user_ns.get("session")
    if verb not in ("status", "start", "step", "pause", "stop") or len(more) > (verb == "step"):
        raise InputError("%tradecore", " ".join(words), _EXPECTED)
    if not isinstance(session, Session):
        raise InputError("session", session, "a tradecore_notebook.Session under the name `session`")
    if verb == "status":
        return session.status
    if verb == "step":
        return session.step(_number(more[0]) if more else 1)
    return {"start": session.start, "pause": session.pause, "stop": session.stop}[verb]()


def _number(word: str) -> int:
    if not (word.isascii() and word.isdigit()):
        raise InputError("steps", word, "a number of steps above 0")
    return int(word)


def _tell_failures(_result: object = None) -> None:
    for message in untold():
        sys.stderr.write(f"{message}\n")
