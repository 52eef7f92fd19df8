"""Small run specifications of real tasks."""

from __future__ import annotations

from typing import Any

from harness.config import EnvironmentConfig
from harness.registry import installed
from harness.spec import AlgorithmSpec, Combination, EnvironmentSpec, EvaluationSpec, RewardSpec, RunSpec, training_version


def make_spec(
    *,
    family: str = "deep_sea",
    environment: dict[str, Any] | None = None,
    algorithm: dict[str, Any] | None = None,
    reward: str | None = None,
    config: dict[str, Any] | None = None,
    combine: dict[str, Any] | None = None,
    steps: int = 1600,
    evaluate_every: int = 800,
    checkpoint_every: int = 320,
    replay_steps: int | None = None,
    seed: int = 0,
) -> RunSpec:
    """A spec whose configurations are complete, as planning would make it."""
    known = installed()

    def complete(description: Any, values: dict[str, Any]) -> dict[str, Any]:
        return known.config_class(description).model_validate(values).model_dump(mode="json")

    environment = {"size": 6} if environment is None and family == "deep_sea" else environment or {}
    algorithm = {"n_envs": 4, "n_steps": 20, "batch_size": 40, "n_epochs": 2} | (algorithm or {})
    bonus = None
    if reward is not None:
        bonus_config = complete(known.method(reward), config or {})
        bonus = RewardSpec(name=reward, config=bonus_config, combine=Combination(**(combine or {})))
    env_config = known.config_class(known.environment(family)).model_validate(environment)
    assert isinstance(env_config, EnvironmentConfig)
    return RunSpec(
        suite="test",
        task="task",
        method=reward or "none",
        seed=seed,
        environment=EnvironmentSpec(family=family, config=env_config.model_dump(mode="json")),
        algorithm=AlgorithmSpec(name="ppo", config=complete(known.algorithm("ppo"), algorithm)),
        reward=bonus,
        steps=steps,
        evaluation=EvaluationSpec(every=evaluate_every, episodes=3),
        checkpoint_every=checkpoint_every,
        training_version=training_version(env_config),
        replay_steps=replay_steps,
    )
