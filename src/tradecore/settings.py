"""Settings: a TOML file, then the environment (`TRADECORE_…`), then the command line. Unknown keys are errors.

Keys of the broker come from `APCA_API_KEY_ID` and `APCA_API_SECRET_KEY` only, never from a file.
"""

from __future__ import annotations

import datetime as dt
import difflib
import os
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from tradecore.domain.values import parse_symbol
from tradecore.errors import ConfigurationError, InputError
from tradecore.settings_agents import AgentSettings, CycleSettings
from tradecore.settings_backtest import BacktestSettings
from tradecore.settings_exits import ExitSettings
from tradecore.settings_models import ModelsSettings
from tradecore.settings_risk import RiskSettings
from tradecore.settings_triggers import TriggersSettings


class Section(BaseModel):
    """A table of the settings: closed, so that a misspelt key is an error and not a default."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class BrokerSettings(Section):
    """`[broker]`: which plugin, and where it connects. Empty URLs mean the plugin's own (paper) addresses."""

    name: str = "exchange"
    base_url: str = ""
    stream_url: str = ""
    data_url: str = ""
    data_stream_url: str = ""
    feed: str = "iex"
    live: bool = False
    connect_timeout_s: float = Field(3.0, gt=0, le=60)
    read_timeout_s: float = Field(10.0, gt=0, le=120)
    unreachable_after_s: float = Field(10.0, gt=0)
    replay_events: bool = False
    requests_per_minute: int = Field(180, ge=0)
    request_patience_s: float = Field(5.0, ge=0, le=60)
    breaker_failures: int = Field(5, ge=0, le=1_000)
    breaker_window_s: float = Field(60.0, gt=0)
    breaker_open_s: float = Field(30.0, gt=0)

    @field_validator("requests_per_minute")
    @classmethod
    def _enough_to_work_with(cls, value: int) -> int:
        if 0 < value < 6:
            raise ValueError("at least 6 requests a minute, or 0 for no limit of our own")
        return value


class StrategySettings(Section):
    """`[strategy]`: which plugin decides (`none` only delivers what others record), with its own parameters."""

    name: str = "sma"
    parameters: dict[str, Any] = Field(default_factory=dict)


class MarketDataSettings(Section):
    """`[market_data]`: the market of the embedded exchange, and the symbols that the strategy sees."""

    symbols: tuple[str, ...] = ()
    bars: str = ""
    days: int = Field(3, ge=1, le=10_000)
    seed: int = 7
    speed: str = "max"
    max_age_s: float = Field(90.0, gt=0)

    @field_validator("symbols", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("symbols")
    @classmethod
    def _known_form(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(parse_symbol("market_data.symbols", symbol) for symbol in value))

    @field_validator("speed", mode="before")
    @classmethod
    def _speed(cls, value: object) -> str:
        value = str(value)
        if value == "max":
            return value
        try:
            ok = 0 < float(value) < 1e6
        except ValueError:
            ok = False
        if not ok:
            raise ValueError("speed is 'max' or a multiple of real time above 0, such as 60")
        return value


class DeliverySettings(Section):
    """`[delivery]`: how long an intent stays fresh, and how long silence is looked up before it is sent again."""

    not_after_s: float = Field(30.0, gt=0)
    visibility_s: float = Field(10.0, ge=0)
    lookup_interval_s: float = Field(2.0, gt=0)
    lookups: int = Field(3, ge=1)
    retry_initial_s: float = Field(2.0, gt=0)
    retry_jitter_s: float = Field(1.0, ge=0)
    max_concurrent: int = Field(5, ge=1)
    reconcile_every_s: float = Field(30.0, gt=0)
    shared: bool = False
    takeover_s: float = Field(10.0, gt=0)
    account_max_age_s: float = Field(300.0, gt=0)
    assets_max_age_s: float = Field(86_400.0, gt=0)
    stream_grace_s: float = Field(10.0, ge=0)
    cash_tolerance: Decimal = Field(Decimal(1), ge=0)
    foreign_orders: Literal["adopt", "alert"] = "adopt"


class PublishingSettings(Section):
    """`[publishing]`: which bus a daemon tells what happens: a plugin (`tradecore.buses`) or `file.py:Name`.

    `parameters` are the plugin's own.
    """

    bus: str = ""
    parameters: dict[str, Any] = Field(default_factory=dict)


class AnchorSettings(Section):
    """`[anchors]`: how often the runner anchors, in which file, and by which plugins besides (`tradecore.anchors`)."""

    enabled: bool = True
    file: str = ""
    sinks: tuple[str, ...] = ()
    every_s: float = Field(60.0, gt=0)
    every_events: int = Field(1000, ge=1)


class CheckSettings(Section):
    """`[daily_check]`: when the runner goes through the whole ledger, once per UTC day."""

    enabled: bool = True
    at: dt.time = dt.time(3, 0)

    @field_validator("at")
    @classmethod
    def _utc(cls, value: dt.time) -> dt.time:
        if value.tzinfo is not None and value.utcoffset() != dt.timedelta(0):
            raise ValueError("a time of day in UTC, such as 03:00")
        return value.replace(tzinfo=None)


class DiskSettings(Section):
    """`[disk]`: below how much room no new intents are taken, and how much is kept for the last word. Megabytes."""

    min_free_mb: float = Field(64.0, ge=0)
    reserve_mb: float = Field(2.0, ge=0)
    look_every_s: float = Field(1.0, gt=0)


class EncryptionSettings(Section):
    """`[encryption]`: the file with the keys of the events; empty means that events are stored as they are."""

    keys_file: str = ""


class Settings(BaseSettings):
    """Everything that a runner is told."""

    model_config = SettingsConfigDict(env_prefix="TRADECORE_", env_nested_delimiter="__", extra="forbid", frozen=True)

    ledger: str = Field("sqlite:///tradecore.db", repr=False)  # a database's URL may hold a password
    account: str = "main"
    halt_file: str = ""
    broker: BrokerSettings = BrokerSettings()
    strategy: StrategySettings = StrategySettings()
    agent: AgentSettings = AgentSettings()
    cycle: CycleSettings = CycleSettings()
    market_data: MarketDataSettings = MarketDataSettings()
    risk: RiskSettings = RiskSettings()
    triggers: TriggersSettings = TriggersSettings()
    backtest: BacktestSettings = BacktestSettings()
    exits: ExitSettings = ExitSettings()
    delivery: DeliverySettings = DeliverySettings()
    publishing: PublishingSettings = PublishingSettings()
    anchors: AnchorSettings = AnchorSettings()
    daily_check: CheckSettings = CheckSettings()
    disk: DiskSettings = DiskSettings()
    encryption: EncryptionSettings = EncryptionSettings()
    models: ModelsSettings = ModelsSettings()
    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    api_key_id: SecretStr = SecretStr("")
    api_secret_key: SecretStr = SecretStr("")
    api_base_url: str = ""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only the environment: files and flags are merged by `load_settings`, where their errors can be named."""
        return init_settings, env_settings


def load_settings(config: Path | None = None, overrides: dict[str, Any] | None = None) -> Settings:
    """Settings from a TOML file, the environment and `overrides` (the command line), the later the stronger.

    Raises `ConfigurationError` naming the key, what it got and what would be right.
    """
    from_file = _read_toml(config) if config is not None else {}
    for forbidden, variable in _VARIABLES.items():
        if forbidden in from_file:
            raise ConfigurationError(f"{forbidden} does not belong in a file: set {variable} in the environment")
    try:
        environment = Settings.model_validate(_environment()).model_dump(exclude_unset=True)
        merged = _merge(_merge(from_file, environment), overrides or {})
        return Settings.model_validate(merged)
    except ValidationError as error:
        raise ConfigurationError(_explain(error)) from None
    except InputError as error:
        raise ConfigurationError(str(error)) from None


_VARIABLES = {
    "api_key_id": "APCA_API_KEY_ID", "api_secret_key": "APCA_API_SECRET_KEY", "api_base_url": "APCA_API_BASE_URL"
}  # fmt: skip


def _environment() -> dict[str, Any]:
    return {key: os.environ[variable] for key, variable in _VARIABLES.items() if os.environ.get(variable)}


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(f"config: there is no file {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"config: {path} cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"config: {path} is not valid TOML: {error}") from None


def _merge(low: dict[str, Any], high: dict[str, Any]) -> dict[str, Any]:
    merged = dict(low)
    for key, value in high.items():
        below = merged.get(key)
        merged[key] = _merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def _meant(place: tuple[int | str, ...]) -> str:
    """The setting that somebody may have meant."""
    known: Any = Settings
    for part in place[:-1]:
        field = getattr(known, "model_fields", {}).get(part)
        known = None if field is None else field.annotation
    near = difflib.get_close_matches(str(place[-1]), getattr(known, "model_fields", {}), 1)
    return f"; did you mean {near[0]}?" if near else ""


def _explain(error: ValidationError) -> str:
    lines = []
    for problem in error.errors(include_url=False):
        key = ".".join(str(part) for part in problem["loc"]) or "settings"
        if problem["type"] == "extra_forbidden":
            lines.append(f"{key}: there is no such setting{_meant(problem['loc'])}")
        else:
            message = problem["msg"].removeprefix("Value error, ")
            lines.append(f"{key}: {message} (got {problem.get('input')!r})")
    return "; ".join(lines)
