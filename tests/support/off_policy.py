"""Small SAC runs on the point mass, and a registry that knows both it and a method that only SAC runs."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from harness import EnvironmentFamily, Method
from harness.config import EnvironmentConfig
from harness.registry import Registry, installed
from harness.registry.builtin import harness_algorithms, harness_networks
from harness.registry.discovery import Plugin, PluginInfo
from harness.spec import AlgorithmSpec, Combination, EnvironmentSpec, EvaluationSpec, RewardSpec, RunSpec, training_version

SMALL_RND = {"warm_up_steps": 3, "feature_dim": 16, "hidden": [16], "epochs": 1, "minibatches": 1, "keep": 0.5}
SMALL_SND = {"feature_dim": 16, "minibatches": 1}


@cache
def registry() -> Registry:
    """What is installed, as far as SAC needs it, and the point mass."""
    own = (
        EnvironmentFamily(name="point_mass", make="support.point_mass:make", config="support.point_mass:PointMassConfig"),
        Method(
            name="encoding",
            reward="support.encoding:Encoding",
            config="support.encoding:EncodingConfig",
            works_with={"off_policy"},
        ),
    )
    methods = tuple(installed().method(name) for name in ("rnd", "snd_vic", "snd_std"))
    algorithms, networks = tuple(harness_algorithms()), tuple(harness_networks())
    families = (installed().environment("deep_sea"),)
    return Registry(
        [Plugin(PluginInfo("point", "point-mass", "1.0", "support"), (*own, *methods, *algorithms, *networks, *families))]
    )


def use_registry(patch: pytest.MonkeyPatch) -> None:
    """Let runs of this process find the point mass."""
    for module in ("run", "estimate"):
        patch.setattr(f"harness.training.{module}.installed", registry)


def train(spec: RunSpec, results: Path, **arguments: Any) -> None:
    """Train in this process, which may be a new one."""
    with pytest.MonkeyPatch.context() as patch:
        use_registry(patch)
        from harness.training.run import train as real

        real(spec, results, device="cpu", **arguments)


def make_spec(
    *,
    environment: dict[str, Any] | None = None,
    algorithm: dict[str, Any] | None = None,
    reward: str | None = None,
    config: dict[str, Any] | None = None,
    combine: dict[str, Any] | None = None,
    steps: int = 160,
    evaluate_every: int = 80,
    checkpoint_every: int = 40,
    replay_steps: int | None = None,
    seed: int = 0,
) -> RunSpec:
    """A complete spec: two environments, twenty steps per row, learning from step 30, a buffer that overflows."""

    def complete(description: Any, values: dict[str, Any]) -> dict[str, Any]:
        return registry().config_class(description).model_validate(values).model_dump(mode="json")

    small = {"n_envs": 2, "buffer_size": 100, "learning_starts": 30, "batch_size": 16, "net_arch": [16], "log_every": 20}
    bonus = None
    if reward is not None:
        bonus_config = complete(registry().method(reward), config or {})
        bonus = RewardSpec(name=reward, config=bonus_config, combine=Combination(**{"mode": "sum", **(combine or {})}))
    env_config = registry().config_class(registry().environment("point_mass")).model_validate(environment or {})
    assert isinstance(env_config, EnvironmentConfig)
    return RunSpec(
        suite="test",
        task="task",
        method=reward or "none",
        seed=seed,
        environment=EnvironmentSpec(family="point_mass", config=env_config.model_dump(mode="json")),
        algorithm=AlgorithmSpec(name="sac", config=complete(registry().algorithm("sac"), small | (algorithm or {}))),
        reward=bonus,
        steps=steps,
        evaluation=EvaluationSpec(every=evaluate_every, episodes=3),
        checkpoint_every=checkpoint_every,
        training_version=training_version(env_config),
        replay_steps=replay_steps,
    )


CASES = {
    "none": make_spec(),
    "rnd": make_spec(reward="rnd", config=SMALL_RND),
    "rnd_replayed": make_spec(reward="rnd", config=SMALL_RND, environment={"exact": False}),
    "snd_vic": make_spec(reward="snd_vic", config=SMALL_SND),
    "encoding": make_spec(reward="encoding", algorithm={"trunk_dim": 8}),
    "pixels": make_spec(
        reward="encoding",
        environment={"pixels": True},
        algorithm={"trunk_dim": 8, "train_freq": 4, "learning_starts": 60},
    ),
}
