"""The gateway keeps its promises over both adapters."""

from __future__ import annotations

import pytest

from tests.models.test_providers import HAS_LITELLM
from tradecore.testing.model_gateway_contract import ModelGatewayContract


class TestOverHttp(ModelGatewayContract):
    kind = "openai_http"


@pytest.mark.skipif(not HAS_LITELLM, reason="the extra llm is not installed")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning", "ignore::ResourceWarning")
class TestOverLitellm(ModelGatewayContract):
    kind = "litellm"
    prefix = "openai/"
