"""Both adapters keep the promises of a provider."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tradecore.errors import ConfigurationError
from tradecore.ports.model_provider import Completion, OpenProvider, ProviderOptions
from tradecore.runner.system import SystemClock
from tradecore.testing.model_provider_contract import ModelProviderContract
from tradecore.testing.model_server import ModelServer

HAS_LITELLM = importlib.util.find_spec("litellm") is not None


class TestOpenAIHttp(ModelProviderContract):
    @pytest.fixture
    def opening(self) -> OpenProvider:
        from tradecore_openai_http.provider import open_provider

        return open_provider


@pytest.mark.skipif(not HAS_LITELLM, reason="the extra llm is not installed")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::ResourceWarning")
class TestLitellm(ModelProviderContract):
    prefix = "openai/"

    @pytest.fixture
    def opening(self) -> OpenProvider:
        from tradecore_litellm.provider import open_provider

        return open_provider

    def test_litellm_lives_in_one_thread_however_many_loops_ask(
        self, opening: OpenProvider, models: ModelServer
    ) -> None:
        before = len(list(Path("/proc/self/fd").iterdir()))
        for _ in range(20):
            assert isinstance(self._ask(opening, models.url), Completion)
        assert [one.name for one in threading.enumerate()].count("tradecore-litellm") == 1
        assert len(list(Path("/proc/self/fd").iterdir())) < before + 20


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://x/v1", "http:///v1", "http://me@x/v1", "http://x/v1?a=b"])
def test_an_address_that_is_none_is_refused_by_name(url: str) -> None:
    import anyio

    from tradecore_openai_http.provider import open_provider

    async def story() -> None:
        async with open_provider(ProviderOptions("local", url, "", 3.0, 1000, SystemClock())):
            pass

    with pytest.raises(ConfigurationError, match=r"models\.providers\.local\.base_url"):
        anyio.run(story)


@pytest.mark.parametrize("version", ["1.82.7", "1.82.8", "1.83.9", "1.105.3", "2.0.0", "0.9.1"])
def test_a_litellm_that_must_not_be_imported_is_not(version: str) -> None:
    from tradecore_litellm.library import check_version

    with pytest.raises(ConfigurationError, match="litellm"):
        check_version(version)


@pytest.mark.parametrize("version", ["1.84.0", "1.99.4", "1.106.2", "1.109.1"])
def test_other_versions_are_fine(version: str) -> None:
    from tradecore_litellm.library import check_version

    check_version(version)


def test_litellm_is_not_imported_by_anything_that_does_not_ask_a_model() -> None:
    code = (
        "import sys, tradecore.cli.app, tradecore.runner.wiring, tradecore.runner.models, tradecore.models.replay,"
        " tradecore_litellm.provider, tradecore_openai_endpoint.serving; print('litellm' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
