"""The settings on the page of agents open what they say."""

from __future__ import annotations

import re
from pathlib import Path

from tradecore.domain.judgement import CycleMode
from tradecore.settings import load_settings

PAGE = Path(__file__).parents[2] / "docs" / "agents.md"


def test_the_settings_of_the_page_are_settings(tmp_path: Path) -> None:
    (block,) = re.findall(r"^```toml\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    config = tmp_path / "agent.toml"
    config.write_text(block, encoding="utf-8")
    settings = load_settings(config)
    assert settings.agent.name == "single"
    assert settings.cycle.mode is CycleMode.SEMI_AUTOMATIC
    assert settings.models.chains["default"] == ("small",)
