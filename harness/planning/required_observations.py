"""Whether the tasks have the observations that methods, as configured, require: checked before any environment is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from harness.config import Config, EnvironmentConfig, IntrinsicRewardConfig
from harness.registry import Registry
from harness.spec import RewardSpec
from harness.suites.validation import Problem


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
    required_observations = config.required_observations if isinstance(config, IntrinsicRewardConfig) else None
    if required_observations is None:
        return
    wanted, key = required_observations
    mismatched = {
        task: family for task, (family, settings) in environments.items() if _observation_kind(settings) not in (None, wanted)
    }
    if mismatched:
        tasks = ", ".join(f"{task!r} (family {family!r})" for task, family in mismatched.items())
        requirement = f"{key} {getattr(config, key)!r} of method {reward.name!r} needs {wanted}"
        message = f"{requirement}, which these tasks do not show: {tasks}; choose another {key}, or leave them out"
        yield Problem(message, (("methods", method, "config", key), ("methods", method, "reward")))


def _observation_kind(config: Config) -> str | None:
    return config.observations if isinstance(config, EnvironmentConfig) else None
