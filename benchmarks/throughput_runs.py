"""What `throughput.py` measures: runs of the sizes that papers use, made small enough to take turns, and SB3 without us."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import ale_py
import gymnasium
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecMonitor

from harness.registry import installed
from harness.spec import AlgorithmSpec, Combination, EnvironmentSpec, EvaluationSpec, RewardSpec, RunSpec, training_version


@dataclass(frozen=True)
class Workload:
    """A run to be timed.

    Attributes:
        family: Name of the environment family.
        environment: The family's settings.
        algorithm: Name of the base algorithm.
        settings: The algorithm's settings.
        reward: Name of the method, if there is one.
        config: The method's settings.
        has_plain_peer: Whether SB3 by itself can do the same.
        warm_up: Iterations that do not count.
    """

    family: str
    environment: Mapping[str, Any]
    algorithm: str
    settings: Mapping[str, Any]
    reward: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    has_plain_peer: bool = False
    warm_up: int = 2

    def spec(self, threads: int) -> RunSpec:
        """The run on so many threads."""
        known = installed()

        def complete(description: Any, values: Mapping[str, Any]) -> dict[str, Any]:
            return known.config_class(description).model_validate(dict(values)).model_dump(mode="json")

        reward = None
        if self.reward is not None:
            combine = Combination(mode="two_critics" if self.algorithm == "ppo" else "sum")
            reward = RewardSpec(name=self.reward, config=complete(known.method(self.reward), self.config), combine=combine)
        algorithm = complete(known.algorithm(self.algorithm), {**self.settings, "threads": threads})
        environment: Any = known.config_class(known.environment(self.family)).model_validate(dict(self.environment))
        return RunSpec(
            suite="benchmark",
            task=self.family,
            method=self.reward or "none",
            seed=0,
            environment=EnvironmentSpec(family=self.family, config=environment.model_dump(mode="json")),
            algorithm=AlgorithmSpec(name=self.algorithm, config=algorithm),
            reward=reward,
            steps=10**9,
            evaluation=EvaluationSpec(every=10**9, episodes=1),
            checkpoint_every=10**9,
            training_version=training_version(environment),
        )

    def without_bonus(self, threads: int) -> RunSpec:
        """The same run without its method."""
        return replace(self, reward=None, config={}).spec(threads)


_ATARI = {"n_envs": 8, "n_steps": 64, "batch_size": 256, "n_epochs": 4}
_CELLS = {**_ATARI, "n_envs": 32, "n_steps": 32, "network": "minigrid", "ent_coef": 0.01}
_GAMES = {"n_envs": 16, "n_steps": 32, "batch_size": 256, "n_epochs": 3, "network": "impala"}
_GRIDS = {"n_envs": 32, "n_steps": 16, "batch_size": 128, "n_epochs": 4}
_BODIES = {"n_envs": 4, "gradient_steps": 4, "learning_starts": 0, "buffer_size": 20_000, "log_every": 64}
_COLD: dict[str, Any] = {"warm_up_steps": 0}
_CELLS_RND = {**_COLD, "convolutions": "raileanu2020", "observation_normalisation": "none", "feature_dim": 128, "mask": "none"}
_SMALL_RND = {**_COLD, "feature_dim": 128, "epochs": 1, "minibatches": 1, "mask": "none"}
_SND: dict[str, Any] = {"minibatches": 4}


def _workloads() -> dict[str, Workload]:
    atari = Workload("atari", {"game": "montezuma_revenge"}, "ppo", _ATARI)
    minigrid = Workload("minigrid", {"task": "DoorKey-8x8"}, "ppo", _CELLS)
    deep_sea = Workload("deep_sea", {"size": 12}, "ppo", _GRIDS)
    procgen = Workload("procgen", {"game": "coinrun"}, "ppo", _GAMES)
    bodies = Workload("dm_control", {"task": "cartpole_swingup_sparse"}, "sac", _BODIES)
    car = Workload("classic_control", {"task": "mountain_car_continuous"}, "sac", _BODIES)
    found = {"ppo_atari": replace(atari, has_plain_peer=True)}
    configs = {"atari": _COLD, "minigrid": _CELLS_RND, "deep_sea": _SMALL_RND, "procgen": _COLD}
    for name, workload in {"atari": atari, "minigrid": minigrid, "deep_sea": deep_sea, "procgen": procgen}.items():
        found.setdefault(f"ppo_{name}", workload)
        found[f"rnd_{name}"] = replace(workload, reward="rnd", config=configs[name])
        for method in ("snd_v", "snd_std", "snd_vic"):
            found[f"{method}_{name}"] = replace(workload, reward=method, config=_SND)
    for name, workload in {"dm_control": bodies, "mountain_car": car}.items():
        found[f"sac_{name}"] = workload
        found[f"sac_rnd_{name}"] = replace(workload, reward="rnd", config=_SMALL_RND)
        found[f"sac_proto_rl_{name}"] = replace(workload, reward="proto_rl")
    return found


WORKLOADS = _workloads()


def _plain_atari() -> gymnasium.Env[Any, Any]:
    """Montezuma's Revenge with Gymnasium's own wrappers."""
    env = gymnasium.make("ALE/MontezumaRevenge-v5", frameskip=1, repeat_action_probability=0.25)
    env = gymnasium.wrappers.AtariPreprocessing(env, noop_max=0, frame_skip=4, screen_size=84)
    return gymnasium.wrappers.FrameStackObservation(env, 4)


def plain_sb3(workload: Workload, *, subprocesses: bool) -> Callable[[], None]:
    """One rollout and one update of Stable-Baselines3's PPO with the same sizes, as its users write it."""
    gymnasium.register_envs(ale_py)
    settings = {key: value for key, value in workload.settings.items() if key != "n_envs"}
    makers = [_plain_atari] * int(workload.settings["n_envs"])
    envs = SubprocVecEnv(makers) if subprocesses else DummyVecEnv(makers)
    model = PPO("CnnPolicy", VecMonitor(envs), device="cpu", seed=0, **settings)
    _, callback = model._setup_learn(10**9, None)

    def iterate() -> None:
        assert model.env is not None
        model.collect_rollouts(model.env, callback, model.rollout_buffer, model.n_steps)
        model.train()

    return iterate
