"""The bus that the settings name, opened for a runner."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from tradecore.errors import ConfigurationError
from tradecore.ports.bus import EventBus, OpenBus
from tradecore.runner.plugins import load_from_file, load_plugin
from tradecore.settings import Settings

_WANTED = "it must be called with the settings and return an async context manager that yields a bus"


def make_bus(settings: Settings) -> AbstractAsyncContextManager[EventBus | None]:
    """The bus of the settings, not open yet; nothing where none is named.

    Raises `ConfigurationError`, now or when it is opened, for a plugin that is not there or is none.
    """
    name = settings.publishing.bus
    if not name:
        return _nothing()
    try:
        opening = _load(name)(settings)
    except ConfigurationError:
        raise
    except Exception as error:  # noqa: BLE001 - a plugin is anybody's code
        raise ConfigurationError(f"publishing.bus: {name} fails: {type(error).__name__}: {error}; {_WANTED}") from None
    if not isinstance(opening, AbstractAsyncContextManager):
        raise ConfigurationError(f"publishing.bus: {name} makes a {type(opening).__name__}; {_WANTED}")
    return _opened(name, opening)


def _load(name: str) -> OpenBus:
    setting = "publishing.bus"
    plugin: OpenBus = load_from_file(name, setting) if ".py:" in name else load_plugin("buses", name, setting)
    return plugin


@asynccontextmanager
async def _nothing() -> AsyncIterator[None]:
    yield None


@asynccontextmanager
async def _opened(name: str, opening: AbstractAsyncContextManager[EventBus]) -> AsyncIterator[EventBus]:
    async with opening as bus:
        if not callable(getattr(bus, "publish", None)):
            raise ConfigurationError(
                f"publishing.bus: {name} yields a {type(bus).__name__} without `publish`; {_WANTED}"
            )
        yield bus
