"""`[sweep]`: which parameters are tried, over which windows, and where the outcomes are kept."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class SweepSettings(BaseModel):
    """`[sweep]`: `grid` has the values of each parameter, as `"5,10,20"` or `"20:200:20"` (first:last:step).

    With `train_days` and `test_days` the sweep walks forward. `workers` 0 is one for each core. `risk_free` is an annual
    rate, as a fraction.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    grid: dict[str, str] = Field(default_factory=dict)
    sample: int | None = Field(None, ge=1)
    seed: int = 0
    objective: str = "sharpe"
    out: str = "sweep"
    workers: int = Field(0, ge=0)
    train_days: int = Field(0, ge=0)
    test_days: int = Field(0, ge=0)
    anchored: bool = False
    risk_free: float = Field(0.0, gt=-1)
