"""Configurations: the base that every one of them has, the annotation that makes a field searchable, and their description.

Nothing here imports torch.
"""

from __future__ import annotations

from harness.config.base import Config, EnvironmentConfig, IntrinsicRewardConfig, Search, require

__all__ = ["Config", "EnvironmentConfig", "IntrinsicRewardConfig", "Search", "require"]
