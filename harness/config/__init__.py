"""Configurations: the base that every one of them has, the annotation that makes a field searchable, and their description.

Nothing here imports torch.
"""

from __future__ import annotations

from harness.config.algorithm import KIND_AXES, LEARNER_KINDS, AlgorithmConfig, LearnerKind, missing_kinds
from harness.config.base import (
    BonusNormalisation,
    Config,
    EnvironmentConfig,
    IntrinsicRewardConfig,
    ScoreRange,
    Search,
    require,
)
from harness.config.tracker import TrackerConfig

__all__ = [
    "KIND_AXES",
    "LEARNER_KINDS",
    "AlgorithmConfig",
    "BonusNormalisation",
    "Config",
    "EnvironmentConfig",
    "IntrinsicRewardConfig",
    "LearnerKind",
    "ScoreRange",
    "Search",
    "TrackerConfig",
    "missing_kinds",
    "require",
]
