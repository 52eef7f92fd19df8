"""What plugins provide: the hooks they implement, how they are found, and everything that is installed, by name.

Names are imported when they are first used: `harness.registry.hooks`, which every command imports, needs none of them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.registry.registry import DISABLE_VARIABLE, Configurable, Provided, Registry, installed

__all__ = ["DISABLE_VARIABLE", "Configurable", "Provided", "Registry", "installed"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module("harness.registry.registry"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
