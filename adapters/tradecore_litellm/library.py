"""The one place where litellm is imported: late, under settings that make the import harmless, and checked first."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import sysconfig
import threading
from pathlib import Path
from types import ModuleType

from tradecore.errors import ConfigurationError, MissingExtra

# Without the first, the import loads a `.env` file of the current directory into the environment. Without the second
# it fetches prices, and may stop the process where there is no network.
_BEFORE_IMPORT = {"LITELLM_MODE": "PRODUCTION", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
_STOLEN = ("1.82.7", "1.82.8")
_BROKEN = "1.105."
_OLDEST = (1, 84)
_IMPLANT = "litellm_init.pth"
_lock = threading.Lock()


def check_library() -> str:
    """The installed version, if it may be imported. Raises `MissingExtra`, `ConfigurationError`."""
    if importlib.util.find_spec("litellm") is None:
        raise MissingExtra("models.providers.kind = 'litellm'", "llm")
    version = importlib.metadata.version("litellm")
    for folder in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        if (Path(folder) / _IMPLANT).exists():
            raise ConfigurationError(
                f"{folder}/{_IMPLANT} steals keys whenever Python starts: rebuild this installation"
            )
    check_version(version)
    return version


def check_version(version: str) -> None:
    """Raises `ConfigurationError` for a litellm that must not be imported."""
    if version in _STOLEN:
        raise ConfigurationError(f"litellm {version} was published by thieves: rebuild this installation")
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if not (_OLDEST <= numbers < (2,)) or version.startswith(_BROKEN):
        raise ConfigurationError(f"litellm {version} does not serve: tradecore needs >=1.84,!=1.105.*,<2")


def load_library() -> ModuleType:
    """litellm, imported if it was not yet. Raises as `check_library`."""
    with _lock:
        check_library()
        os.environ.update(_BEFORE_IMPORT)
        import litellm

        litellm.telemetry = False
        litellm.suppress_debug_info = True
        module: ModuleType = litellm
        return module
