"""What the gateway costs beside a model, and how it does where routers fail: `python benchmarks/model_gateway.py`.

Compared on the same local server with a bare HTTP post and, where the extra `llm` is installed, with litellm and its
Router. Overhead is the time of a call minus that of the bare post.
"""

from __future__ import annotations

import contextlib
import importlib.util
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import httpx
import structlog
from machine import describe, table

from tradecore.domain.messages import Cause
from tradecore.domain.model_call import Criticality
from tradecore.journal import open_journal
from tradecore.ledger import Ledger
from tradecore.models.gateway import Gateway
from tradecore.ports.model import Answer, Answered, Exhausted, Message, ModelRequest, Speaker
from tradecore.runner.models import open_gateway
from tradecore.runner.system import SystemClock, SystemIds
from tradecore.settings_models import ModelsSettings
from tradecore.testing.model_acts import Fault, Say
from tradecore.testing.model_server import ModelServer

CALLS, WARM_UP = 300, 30
SAID = '{"action": "BUY"}'
PROMPT = "Bars of AAPL: " + "101.25 " * 300


class Opinion(Answer):
    """What is asked for."""

    action: str


def request(number: int) -> ModelRequest[Opinion]:
    """A question that was not asked before."""
    return ModelRequest(
        "trader",
        Criticality.MEDIUM,
        "benchmark",
        (Message(Speaker.USER, f"{PROMPT} {number}"),),
        Opinion,
        "bench",
        Cause("0af7651916cd43dd8448eb211c80319c", "bench"),
    )


def settings(url: str, kind: str = "openai_http", **budget: str) -> ModelsSettings:
    """Two models of a server."""
    prefix = "openai/" if kind == "litellm" else ""
    entry = {"provider": "local", "input_per_million": 1, "output_per_million": 4, "max_output_tokens": 200}
    return ModelsSettings.model_validate(
        {
            "providers": {"local": {"kind": kind, "base_url": url}},
            "catalogue": {name: {**entry, "model": prefix + name} for name in ("first", "second")},
            "chains": {"default": ["first", "second"]},
            "budget": budget,
        }
    )


@contextlib.asynccontextmanager
async def gateway_on(ledger_url: str, said: ModelsSettings) -> AsyncIterator[Gateway]:
    """A gateway on a new ledger."""
    journal = open_journal(ledger_url)
    clock, ids = SystemClock(), SystemIds()
    try:
        async with open_gateway(said, Ledger(journal, clock, ids), clock, ids, "main") as gateway:
            yield gateway
    finally:
        journal.close()


Calls = dict[str, Callable[[int], Awaitable[object]]]


async def in_turn(calls: Calls) -> dict[str, tuple[list[float], list[float]]]:
    """Wall and CPU milliseconds of each way of asking, in turn, so that a busy machine hits all alike."""
    found: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in calls}
    for number in range(WARM_UP + CALLS):
        for name, call in calls.items():
            began, cpu = time.perf_counter(), time.process_time()
            await call(number)
            took, worked = time.perf_counter() - began, time.process_time() - cpu
            if number >= WARM_UP:
                found[name][0].append(took * 1e3)
                found[name][1].append(worked * 1e3)
    return found


async def overhead(url: str) -> list[list[str]]:
    """A row for each way of asking."""
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        client = await stack.enter_async_context(httpx.AsyncClient(trust_env=False))

        async def bare(number: int) -> None:
            message = {"role": "user", "content": f"{PROMPT} {number}"}
            body = {"model": "first", "max_tokens": 200, "messages": [message]}
            (await client.post(f"{url}/chat/completions", json=body)).raise_for_status()

        async def over(ledger_url: str, kind: str) -> Callable[[int], Awaitable[object]]:
            gateway = await stack.enter_async_context(gateway_on(ledger_url, settings(url, kind)))
            return lambda number: gateway.ask(request(number))

        calls: Calls = {
            "bare HTTP post": bare,
            "gateway, in memory": await over("memory:", "openai_http"),
            "gateway, SQLite, durable": await over(f"sqlite:///{folder / 'http.db'}", "openai_http"),
        }
        if importlib.util.find_spec("litellm"):
            calls["gateway over litellm, in memory"] = await over("memory:", "litellm")
            calls |= of_litellm(url)
        found = await in_turn(calls)
    wall, cpu = (statistics.median(figures) for figures in found["bare HTTP post"])
    rows = [["call", "p50 ms", "p95 ms", "CPU p50 ms", "overhead p50 ms", "CPU overhead p50 ms"]]
    for name, (walls, cpus) in found.items():
        p50, p95, work = statistics.median(walls), statistics.quantiles(walls, n=20)[-1], statistics.median(cpus)
        rows.append([name, *(f"{one:.2f}" for one in (p50, p95, work, p50 - wall, work - cpu))])
    return rows


def of_litellm(url: str) -> Calls:
    """litellm by itself, which records and reserves nothing."""
    from tradecore_litellm.library import load_library

    litellm = load_library()
    router = router_of(litellm, url)

    def messages(number: int) -> list[dict[str, str]]:
        return [{"role": "user", "content": f"{PROMPT} {number}"}]

    async def plain(number: int) -> None:
        await litellm.acompletion(
            model="openai/first", api_base=url, api_key="none", messages=messages(number), num_retries=0, max_retries=0
        )

    async def routed(number: int) -> None:
        await router.acompletion(model="first", messages=messages(number))

    return {"litellm acompletion": plain, "litellm Router": routed}


def router_of(litellm: Any, url: str, **more: Any) -> Any:
    """A Router with a fall-back."""
    deployments = [
        {"model_name": name, "litellm_params": {"model": f"openai/{name}", "api_base": url, "api_key": "none"}}
        for name in ("first", "second")
    ]
    return litellm.Router(model_list=deployments, fallbacks=[{"first": ["second"]}], num_retries=1, timeout=2, **more)


async def fall_back() -> list[list[str]]:
    """How long a 429 with `Retry-After: 7` holds up the answer of the next model."""
    rows = [["429 with Retry-After: 7", "until the fall-back answered, s"]]
    with ModelServer(lambda _: SAID) as server:
        server.script("first", Fault.rate_limited(7))
        async with gateway_on("memory:", settings(server.url)) as gateway:
            await gateway.ask(request(-1))
        async with gateway_on("memory:", settings(server.url)) as gateway:
            began = time.perf_counter()
            found = await gateway.ask(request(0))
            rows.append(["gateway", f"{time.perf_counter() - began:.3f}"])
            assert isinstance(found, Answered)
            assert found.call.model == "second"
        if importlib.util.find_spec("litellm"):
            from tradecore_litellm.library import load_library

            router = router_of(load_library(), server.url)
            began = time.perf_counter()
            await router.acompletion(model="first", messages=[{"role": "user", "content": "hello"}])
            rows.append(["litellm Router (one retry)", f"{time.perf_counter() - began:.3f}"])
    return rows


async def budget_for_one() -> list[list[str]]:
    """How many of fifty questions at once pass a budget that has room for one."""
    passed = []
    with ModelServer(lambda _: SAID) as server:
        server.script("first", Say(SAID, delay_s=0.2))
        one = settings(server.url, per_day="0.006", per_request="none")
        async with gateway_on("memory:", one) as gateway, anyio.create_task_group() as tasks:

            async def ask(number: int) -> None:
                passed.append(not isinstance(await gateway.ask(request(number)), Exhausted))

            for number in range(50):
                tasks.start_soon(ask, number)
        sent = len(server.requests)
    return [["50 at once, room for one", "passed", "sent"], ["gateway", str(sum(passed)), str(sent)]]


def main() -> None:
    """Print the three tables."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    command = [sys.executable, "-m", "tradecore.testing.model_server", "--port", "0", "--answer", SAID]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            packages = ("httpx", "litellm") if importlib.util.find_spec("litellm") else ("httpx",)
            sys.stdout.write(describe(*packages) + "\n")
            table(f"Overhead, {CALLS} calls of {len(PROMPT)} bytes", anyio.run(overhead, url))
        finally:
            process.terminate()
    table("Fall-back", anyio.run(fall_back))
    table("Budget", anyio.run(budget_for_one))


if __name__ == "__main__":
    main()
