"""A kernel as Jupyter starts it, and what its cells put out."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import attrs
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from tests.crash.judge import environment

PATIENCE_S = 60.0


@attrs.frozen
class Output:
    """Everything that a cell put out."""

    text: str
    html: str
    err: str
    error: str | None
    """The name of the exception that ended the cell."""

    @property
    def everything(self) -> str:
        """All of it, as somebody who looks at the page sees it."""
        return "\n".join((self.text, self.html, self.err, self.error or ""))


class Kernel:
    """One kernel of the installed kind `tradecore`, in a folder of its own."""

    def __init__(self, jupyter: Path, folder: Path, **env: str) -> None:
        self._manager = KernelManager(kernel_name="tradecore")
        self._manager.start_kernel(env=kernel_environment(jupyter) | env, cwd=str(folder))
        client = self._manager.client()
        assert isinstance(client, BlockingKernelClient)
        self._client = client
        client.start_channels()
        client.wait_for_ready(PATIENCE_S)

    def run(self, code: str) -> Output:
        """Run a cell to its end."""
        return self.finish(self.begin(code))

    def begin(self, code: str) -> str:
        """Begin a cell; returns its number."""
        return str(self._client.execute(code))

    def until_said(self, cell: str, word: str) -> None:
        """Wait until the cell printed the word: its code runs."""
        while True:
            message = self._message(cell)
            if message["msg_type"] == "stream" and word in message["content"]["text"]:
                return

    def finish(self, cell: str) -> Output:
        """Wait for the end of the cell."""
        found: dict[str, list[str]] = {"text": [], "html": [], "stderr": []}
        error = None
        while True:
            message = self._message(cell)
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                found["stderr" if content["name"] == "stderr" else "text"].append(content["text"])
            elif kind in ("execute_result", "display_data"):
                found["text"].append(content["data"].get("text/plain", ""))
                found["html"].append(content["data"].get("text/html", ""))
            elif kind == "error":
                error = str(content["ename"])
                found["stderr"].append("\n".join(content["traceback"]))
            elif kind == "status" and content["execution_state"] == "idle":
                return Output("\n".join(found["text"]), "\n".join(found["html"]), "\n".join(found["stderr"]), error)

    def interrupt(self) -> None:
        """What the stop button does."""
        self._manager.interrupt_kernel()

    @property
    def pid(self) -> int:
        """The process."""
        provisioner: Any = self._manager.provisioner
        return int(provisioner.pid)

    def kill(self) -> None:
        """kill -9."""
        os.kill(self.pid, signal.SIGKILL)
        self.close(now=True)

    def close(self, *, now: bool = False) -> None:
        """Shut down as Jupyter does, so that the kernel can end in good order."""
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=now)

    def _message(self, cell: str) -> dict[str, Any]:
        while True:
            message: dict[str, Any] = self._client.get_iopub_msg(timeout=PATIENCE_S)
            if message["parent_header"].get("msg_id") == cell:
                return message


def kernel_environment(jupyter: Path) -> dict[str, str]:
    """Nothing of the machine's own Jupyter."""
    places = {name: str(jupyter / name.lower()) for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")}
    return environment(**places, JUPYTER_PATH=str(jupyter / "share" / "jupyter"), JUPYTER_PLATFORM_DIRS="1")
