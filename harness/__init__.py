"""A benchmarking harness for exploration bonuses; this page is the public API for plugin authors.

Light names are imported at once; names that need torch are imported when first used, so that commands which train
nothing answer at once.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from harness.config import AlgorithmConfig, Config, EnvironmentConfig, IntrinsicRewardConfig, Search
from harness.registry.hooks import (
    Algorithm,
    AlgorithmPreset,
    EnvironmentFamily,
    Executor,
    Method,
    Network,
    Preset,
    ReportSection,
    hookimpl,
)

if TYPE_CHECKING:
    from harness import experiment
    from harness.environments.base import NO_INFO, HarnessVecEnv, episode_end_info
    from harness.rewards import IntrinsicReward, Spaces, Transitions

__version__ = "0.1.0"

__all__ = [
    "NO_INFO",
    "Algorithm",
    "AlgorithmConfig",
    "AlgorithmPreset",
    "Config",
    "EnvironmentConfig",
    "EnvironmentFamily",
    "Executor",
    "HarnessVecEnv",
    "IntrinsicReward",
    "IntrinsicRewardConfig",
    "Method",
    "Network",
    "Preset",
    "ReportSection",
    "Search",
    "Spaces",
    "Transitions",
    "episode_end_info",
    "experiment",
    "hookimpl",
]

_LAZY = {
    "HarnessVecEnv": "harness.environments.base",
    "NO_INFO": "harness.environments.base",
    "episode_end_info": "harness.environments.base",
    "IntrinsicReward": "harness.rewards",
    "Spaces": "harness.rewards",
    "Transitions": "harness.rewards",
}


def __getattr__(name: str) -> Any:
    if name == "experiment":
        return importlib.import_module("harness.experiment")
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
