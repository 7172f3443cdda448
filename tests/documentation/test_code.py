"""Every Python block of README and docs runs; every TOML block of the settings page is valid settings."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from sybil.document import Document
from sybil.parsers.markdown import PythonCodeBlockParser

from tradecore.settings import load_settings

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCKS = re.compile(r"^```toml\n(.*?)^```", re.MULTILINE | re.DOTALL)


def examples(page: Path) -> list[Any]:
    return list(Document.parse(str(page), PythonCodeBlockParser()).examples())


@pytest.mark.parametrize("page", [page for page in PAGES if examples(page)], ids=lambda page: page.name)
def test_the_python_blocks_of_a_page_run_one_after_the_other(page: Path) -> None:
    """A later block may use what an earlier one made."""
    for example in examples(page):
        example.evaluate()


@pytest.mark.parametrize("page", [ROOT / "docs" / "settings.md", ROOT / "docs" / "alpaca.md"], ids=lambda p: p.name)
def test_a_settings_block_of_the_documentation_is_accepted(page: Path, tmp_path: Path) -> None:
    blocks = BLOCKS.findall(page.read_text(encoding="utf-8"))
    assert blocks
    for number, block in enumerate(blocks):
        file = tmp_path / f"{number}.toml"
        file.write_text(block, encoding="utf-8")
        assert load_settings(file).model_dump().keys() >= tomllib.loads(block).keys()


def test_the_settings_page_names_every_setting() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    defaults = load_settings().model_dump(exclude={"api_key_id", "api_secret_key", "api_base_url"})
    names = [key for section in defaults.values() if isinstance(section, dict) for key in section]
    assert [name for name in names if not re.search(rf"^({name} = |\[\w+\.{name}[.\]])", text, re.MULTILINE)] == []
