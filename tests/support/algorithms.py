"""Every installed algorithm at a small scale, and small runs of each."""

from __future__ import annotations

from typing import Any

from harness.config import EnvironmentConfig
from harness.registry import installed
from harness.spec import AlgorithmSpec, Combination, EnvironmentSpec, EvaluationSpec, RewardSpec, RunSpec, training_version

_OFF_POLICY = {"n_envs": 2, "buffer_size": 100, "learning_starts": 30, "batch_size": 16, "net_arch": [16], "log_every": 20}
_GREEDY = _OFF_POLICY | {"train_freq": 2, "target_update_interval": 14, "exploration_fraction": 0.8}
_CLIPPED = {"n_envs": 2, "n_steps": 10, "batch_size": 10, "n_epochs": 2, "net_arch": [16]}
SMALL_ALGORITHMS: dict[str, dict[str, Any]] = {
    "a2c": {"n_envs": 2, "n_steps": 10, "net_arch": [16]},
    "dqn": _GREEDY,
    "ppo": _CLIPPED,
    "qr_dqn": _GREEDY | {"n_quantiles": 7},
    "recurrent_ppo": _CLIPPED | {"lstm_hidden_size": 8},
    "sac": _OFF_POLICY,
    "td3": _OFF_POLICY | {"policy_delay": 3},
    "tqc": _OFF_POLICY | {"n_quantiles": 5, "n_critics": 2},
}
"""Settings by algorithm: twenty steps per row of the log, a replay that overflows, schedules that move."""

SMALL_METHODS: dict[str, dict[str, Any]] = {
    "rnd": {"warm_up_steps": 3, "feature_dim": 16, "hidden": [16], "epochs": 1, "minibatches": 1, "keep": 0.5},
    "snd_vic": {"feature_dim": 16, "minibatches": 1},
}

DEEP_SEA = ("deep_sea", {"size": 6})
MOUNTAIN_CAR = ("classic_control", {"task": "mountain_car_continuous", "episode_steps": 30})


def small_spec(
    algorithm: str,
    reward: str | None = None,
    *,
    environment: tuple[str, dict[str, Any]] | None = None,
    settings: dict[str, Any] | None = None,
    deterministic: bool = True,
    steps: int = 160,
) -> RunSpec:
    """A run of 160 steps on a fast task, discrete where the algorithm takes that."""
    known = installed()

    def complete(description: Any, values: dict[str, Any]) -> dict[str, Any]:
        return known.config_class(description).model_validate(values).model_dump(mode="json")

    discrete = "discrete" in known.algorithm_config(algorithm).actions
    family, env_settings = environment or (DEEP_SEA if discrete else MOUNTAIN_CAR)
    bonus = None
    if reward is not None:
        config = complete(known.method(reward), SMALL_METHODS[reward])
        bonus = RewardSpec(name=reward, config=config, combine=Combination(mode="sum"))
    env_config = known.config_class(known.environment(family)).model_validate(env_settings)
    assert isinstance(env_config, EnvironmentConfig)
    return RunSpec(
        suite="test",
        task="task",
        method=f"{algorithm}_{reward or 'none'}",
        seed=0,
        environment=EnvironmentSpec(family=family, config=env_config.model_dump(mode="json")),
        algorithm=AlgorithmSpec(
            name=algorithm,
            config=complete(known.algorithm(algorithm), SMALL_ALGORITHMS[algorithm] | (settings or {})),
        ),
        reward=bonus,
        steps=steps,
        evaluation=EvaluationSpec(every=80, episodes=2, deterministic=deterministic),
        checkpoint_every=40,
        training_version=training_version(env_config),
    )
