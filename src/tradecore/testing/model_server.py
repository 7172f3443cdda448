"""An OpenAI-compatible server on loopback that says what it is told to, and fails how it is told to.

In a test:

    with ModelServer() as server:
        server.script("small", Say('{"action": "hold"}'), Fault.rate_limited(7))
        ...  # base_url is server.url; server.requests is what came in

Each model answers with its acts in order and repeats the last one. A model without a script answers with what
`answer` makes of the request. From the command line, see `python -m tradecore.testing.model_server --help`.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from tradecore.testing.model_acts import Act, Heard, Say, perform

Answer = Callable[[Mapping[str, Any]], str]


def hold(_: Mapping[str, Any]) -> str:
    """The most careful answer that a trader can give."""
    return '{"action": "HOLD"}'


class ModelServer:
    """Serves `POST /v1/chat/completions` and `GET /v1/models` in threads of its own, streaming and not."""

    def __init__(self, answer: Answer = hold, port: int = 0, key: str = "") -> None:
        """`port` 0 takes a free one. With a `key`, requests without it as bearer token are refused (401)."""
        self._answer = answer
        self._key = key
        self._lock = threading.Lock()
        self._scripts: dict[str, list[Act]] = {}
        self._stopped = threading.Event()
        self.requests: list[Heard] = []
        self._http = _Server(("127.0.0.1", port), _handler(self))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1."""
        return int(self._http.server_address[1])

    @property
    def url(self) -> str:
        """The base URL for clients, such as `http://127.0.0.1:8089/v1`."""
        return f"http://127.0.0.1:{self.port}/v1"

    def script(self, model: str, *acts: Act) -> None:
        """What the model does from now on, one act per request; the last one is repeated."""
        with self._lock:
            self._scripts[model] = list(acts)

    def count(self, model: str) -> int:
        """How many requests the model got."""
        with self._lock:
            return sum(1 for heard in self.requests if heard.body.get("model") == model)

    def start(self) -> ModelServer:
        """Begin to serve."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving; requests that hang are let go."""
        self._stopped.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def __enter__(self) -> ModelServer:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def take(self, heard: Heard) -> Act:
        """The next act for a request that came in; for the handler."""
        model = str(heard.body.get("model"))
        with self._lock:
            self.requests.append(heard)
            script = self._scripts.get(model)
            if script:
                return script.pop(0) if len(script) > 1 else script[0]
        return Say(self._answer(heard.body))

    def admits(self, authorization: str) -> bool:
        """Whether the request has the key."""
        return not self._key or authorization == f"Bearer {self._key}"

    def models(self) -> list[str]:
        """The models that have a script."""
        with self._lock:
            return sorted(self._scripts)

    def wait_stopped(self, timeout_s: float | None) -> None:
        """Wait until the server stops, for `timeout_s` seconds at most; for acts that hang."""
        self._stopped.wait(timeout_s)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


def _handler(server: ModelServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65_536

        def setup(self) -> None:
            super().setup()
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class calls it so
            """Nothing: tests read `requests`."""

        def do_GET(self) -> None:
            models = [{"id": name, "object": "model", "owned_by": "nobody"} for name in server.models()]
            body = json.dumps({"object": "list", "data": models}).encode()
            perform_plain(self, 200, body)

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", "0"))
            raw = self.rfile.read(length)
            if not server.admits(self.headers.get("authorization", "")):
                perform_plain(self, 401, b'{"error": {"message": "no such key", "type": "invalid_request_error"}}')
                return
            if not self.path.endswith("/chat/completions"):
                perform_plain(self, 404, b'{"error": {"message": "no such path"}}')
                return
            heard = Heard(json.loads(raw), {name.lower(): value for name, value in self.headers.items()})
            perform(self, heard, server.take(heard), server.wait_stopped)

    return Handler


def perform_plain(handler: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
    """A JSON answer in one write."""
    handler.send_response(status)
    handler.send_header("content-type", "application/json")
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)
    handler.wfile.flush()


def main() -> None:
    """Serve until interrupted: one answer for every request, on a port that is printed."""
    import argparse

    parser = argparse.ArgumentParser(prog="python -m tradecore.testing.model_server", description=main.__doc__)
    parser.add_argument("--port", type=int, default=8089, help="0 takes a free one")
    parser.add_argument("--answer", default=hold({}), help="what every model says")
    parsed = parser.parse_args()
    with ModelServer(lambda _: str(parsed.answer), parsed.port) as server:
        print(server.url, flush=True)  # noqa: T201  the one line that scripts read
        with contextlib.suppress(KeyboardInterrupt):
            server.wait_stopped(None)


if __name__ == "__main__":
    main()
