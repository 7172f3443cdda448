"""`[agent]` and `[cycle]`: who is asked, how often, and who has the last word."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tradecore.domain.judgement import CycleMode


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AgentSettings(_Section):
    """`[agent]`: which plugin judges, with its own parameters. Without a name there are no cycles."""

    name: str = ""
    parameters: dict[str, Any] = Field(default_factory=dict)


class CycleSettings(_Section):
    """`[cycle]`: durations in seconds, shares of equity or of a price. Without a mode a live account is manual.

    `notes` is a file or directory of texts and figures from outside. Without `allow_adding` and `allow_short` an agent
    opens long positions and closes them, and nothing else.
    """

    every_s: float = Field(60.0, gt=0, le=86_400)
    mode: CycleMode | None = None
    approve_below: Decimal = Field(Decimal("0.7"), ge=0, le=1)
    max_size_fraction: Decimal = Field(Decimal("0.10"), ge=0, le=1)
    max_price_distance: Decimal = Field(Decimal("0.5"), gt=0, le=1)
    data_max_age_s: float = Field(180.0, gt=0)
    decide_s: float = Field(30.0, gt=0)
    deliver_s: float = Field(10.0, gt=0)
    run: str = ""
    notes: str = ""
    allow_adding: bool = False
    allow_short: bool = False
