"""What plugins provide: the hooks they implement, how they are found, and everything that is installed, by name."""

from __future__ import annotations

from harness.registry.registry import DISABLE_VARIABLE, Configurable, Provided, Registry, installed

__all__ = ["DISABLE_VARIABLE", "Configurable", "Provided", "Registry", "installed"]
