"""Whether methods, as they are configured, can see what the tasks show: asked before any environment is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.config import Config, EnvironmentConfig, IntrinsicRewardConfig
from harness.problems import Problem
from harness.registry import Registry
from harness.spec import RewardSpec


def observation_problems(
    method: str, reward: RewardSpec, environments: Mapping[str, tuple[str, Config]], registry: Registry
) -> Iterator[Problem]:
    """Tasks whose observations, known before an environment is made, are not what the method's settings are for.

    Args:
        method: Its key in the suite.
        reward: What it resolved to.
        environments: By task, its family and configuration.
        registry: Finds the method's configuration.
    """
    config = registry.config_class(registry.method(reward.name)).model_validate(reward.config)
    sight = config.sight if isinstance(config, IntrinsicRewardConfig) else None
    if sight is None:
        return
    wanted, key = sight
    blind = {task: family for task, (family, shown) in environments.items() if _observations(shown) not in (None, wanted)}
    if blind:
        tasks = ", ".join(f"{task!r} (family {family!r})" for task, family in blind.items())
        seen = f"{key} {getattr(config, key)!r} of method {reward.name!r} needs {wanted}"
        message = f"{seen}, which these tasks do not show: {tasks}; choose another {key}, or leave them out"
        yield Problem(message, (("methods", method, "config", key), ("methods", method, "reward")))


def _observations(config: Config) -> str | None:
    return config.observations if isinstance(config, EnvironmentConfig) else None
