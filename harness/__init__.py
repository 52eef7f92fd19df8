"""A benchmarking harness for exploration bonuses; this page is the public API for plugins and for other people's scripts.

Names are imported when they are first used, so that commands which train nothing answer at once, and so that the command line
can say something sensible when it is interrupted while it starts.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness import experiment
    from harness.analysis.matrices import (
        aggregate_scores,
        normalise_scores,
        performance_profiles,
        probability_of_improvement,
    )
    from harness.config import AlgorithmConfig, Config, EnvironmentConfig, IntrinsicRewardConfig, Search, TrackerConfig
    from harness.environments.base import NO_INFO, HarnessVecEnv, episode_end_info
    from harness.registry.hooks import (
        Algorithm,
        AlgorithmPreset,
        EnvironmentFamily,
        Executor,
        Method,
        Network,
        Preset,
        ReportSection,
        Tracker,
        hookimpl,
    )
    from harness.rewards import IntrinsicReward, Spaces, Transitions
    from harness.runs.tables import read_evaluations, read_progress, read_runs, to_pandas
    from harness.scripting.batches import make_transitions
    from harness.scripting.envs import add_bonus, relabel, relabelled_replay
    from harness.scripting.files import load_reward, restore_reward, save_reward
    from harness.scripting.logger import BonusLogger
    from harness.scripting.methods import make_reward

__version__ = "0.1.0"

__all__ = [
    "NO_INFO",
    "Algorithm",
    "AlgorithmConfig",
    "AlgorithmPreset",
    "BonusLogger",
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
    "Tracker",
    "TrackerConfig",
    "Transitions",
    "add_bonus",
    "aggregate_scores",
    "episode_end_info",
    "experiment",
    "hookimpl",
    "load_reward",
    "make_reward",
    "make_transitions",
    "normalise_scores",
    "performance_profiles",
    "probability_of_improvement",
    "read_evaluations",
    "read_progress",
    "read_runs",
    "relabel",
    "relabelled_replay",
    "restore_reward",
    "save_reward",
    "to_pandas",
]

_LAZY = {
    **dict.fromkeys(
        ("AlgorithmConfig", "Config", "EnvironmentConfig", "IntrinsicRewardConfig", "Search", "TrackerConfig"),
        "harness.config",
    ),
    **dict.fromkeys(
        (
            "Algorithm",
            "AlgorithmPreset",
            "EnvironmentFamily",
            "Executor",
            "Method",
            "Network",
            "Preset",
            "ReportSection",
            "Tracker",
            "hookimpl",
        ),
        "harness.registry.hooks",
    ),
    "HarnessVecEnv": "harness.environments.base",
    "NO_INFO": "harness.environments.base",
    "episode_end_info": "harness.environments.base",
    "IntrinsicReward": "harness.rewards",
    "Spaces": "harness.rewards",
    "Transitions": "harness.rewards",
    "make_reward": "harness.scripting.methods",
    "add_bonus": "harness.scripting.envs",
    "relabel": "harness.scripting.envs",
    "relabelled_replay": "harness.scripting.envs",
    "BonusLogger": "harness.scripting.logger",
    "save_reward": "harness.scripting.files",
    "load_reward": "harness.scripting.files",
    "restore_reward": "harness.scripting.files",
    "make_transitions": "harness.scripting.batches",
    "aggregate_scores": "harness.analysis.matrices",
    "normalise_scores": "harness.analysis.matrices",
    "performance_profiles": "harness.analysis.matrices",
    "probability_of_improvement": "harness.analysis.matrices",
    "read_runs": "harness.runs.tables",
    "read_evaluations": "harness.runs.tables",
    "read_progress": "harness.runs.tables",
    "to_pandas": "harness.runs.tables",
}


def __getattr__(name: str) -> Any:
    if name == "experiment":
        return importlib.import_module("harness.experiment")
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
