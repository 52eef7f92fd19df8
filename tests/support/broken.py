"""A method and a family that do one thing wrong, named by their settings, after a number of good calls."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import nn

from harness import (
    NO_INFO,
    EnvironmentConfig,
    EnvironmentFamily,
    HarnessVecEnv,
    IntrinsicReward,
    IntrinsicRewardConfig,
    Method,
    Spaces,
    Transitions,
    episode_end_info,
)
from harness.config import Config
from harness.errors import UserError
from harness.registry import Registry
from harness.registry.discovery import Plugin, PluginInfo, builtin_plugin, discover
from harness.spec import AlgorithmSpec, Combination, EnvironmentSpec, EvaluationSpec, RewardSpec, RunSpec, training_version


class BrokenMethodConfig(IntrinsicRewardConfig):
    fault: str = ""
    after: int = 0


class BrokenMethod(IntrinsicReward[BrokenMethodConfig]):
    """Gives a bonus of 0.5 until it breaks."""

    def __init__(self, config: BrokenMethodConfig, spaces: Spaces, n_envs: int, device: Any, seed: int) -> None:
        super().__init__(config, spaces, n_envs, device, seed)
        self.layer = nn.Linear(2, 1)
        self.register_buffer("level", torch.ones(1))
        self.register_buffer("empty_places", torch.full((3,), torch.nan))
        self.calls = 0
        if config.fault == "build":
            raise UserError("fault: build is none that can be built; choose another fault")
        if config.fault == "crash":
            raise LookupError("of all things")

    def bonus(self, transitions: Transitions) -> Any:
        self.calls += 1
        good = torch.full((len(transitions),), 0.5)
        if self.calls <= self.config.after:
            return good
        match self.config.fault:
            case "scalar":
                return torch.tensor(0.5)
            case "column":
                return good[:, None]
            case "short":
                return good[1:]
            case "whole":
                return good.long()
            case "double":
                return good.double()
            case "array":
                return good.numpy()
            case "none":
                return None
            case "gradient":
                return good * self.layer.weight.sum()
            case "device":
                return good.to("meta")
            case "nan" | "inf":
                good[-1] = float(self.config.fault)
        return good

    def update(self, transitions: Transitions) -> Any:
        if self.calls <= self.config.after:
            return {"loss": 0.1}
        match self.config.fault:
            case "no_metrics":
                return None
            case "word":
                return {"loss": "small"}
            case "vector":
                return {"loss": torch.zeros(2)}
            case "tensor":
                return {"loss": torch.tensor(0.25)}
            case "nan_loss":
                return {"loss": float("nan")}
            case "nan_measure":
                return {"correlation": float("nan")}
            case "nan_weights":
                self.layer.weight.data[0, 0] = torch.nan
            case "inf_weights":
                self.layer.weight.data[0, 0] = torch.inf
            case "nan_buffer":
                self.level.fill_(torch.nan)  # type: ignore[operator]  # torch types buffers as Tensor | Module
        return {"loss": 0.1}


class BrokenFamilyConfig(EnvironmentConfig):
    fault: str = ""
    after: int = 0
    length: int = 5
    continuous: bool = False


class BrokenVecEnv(HarnessVecEnv):
    """Episodes of a few steps, without end if ``length`` is 0; the second environment breaks."""

    def __init__(self, config: BrokenFamilyConfig, n_envs: int) -> None:
        action = spaces.Box(-1, 1, (2,)) if config.continuous else spaces.Discrete(2)
        if config.fault == "start":
            action = spaces.Discrete(2, start=1)
        super().__init__(n_envs, spaces.Box(-1, 1, (3,), np.float32), action)
        self.config, self.steps, self.time = config, 0, np.zeros(n_envs, np.int64)

    def reset(self) -> Any:
        self._reset_seeds()
        self.time[:] = 0
        return self._observations()

    def step_async(self, actions: np.ndarray) -> None:
        pass

    def step_wait(self) -> Any:
        self.steps += 1
        self.time += 1
        observations, rewards = self._observations(), np.ones(self.num_envs, np.float32)
        dones, infos = self.time == self.config.length, [NO_INFO] * self.num_envs
        for env in np.flatnonzero(dones):
            infos[env] = episode_end_info(observations[env].copy(), truncated=False)
        self.time[dones] = 0
        step = (self._observations(), rewards, dones, infos)
        return step if self.steps <= self.config.after or not self.config.fault else self._wrong(*step)

    def close(self) -> None:
        pass

    def _observations(self) -> np.ndarray:
        return np.tile(self.time[:, None] / 100, (1, 3)).astype(np.float32)

    def _wrong(self, observations: Any, rewards: Any, dones: Any, infos: Any) -> Any:
        match self.config.fault:
            case "nan_reward" | "inf_reward":
                rewards[-1] = float(self.config.fault[:3])
            case "double_rewards":
                rewards = rewards.astype(np.float64)
            case "column_rewards":
                rewards = rewards[:, None]
            case "list_rewards":
                rewards = rewards.tolist()
            case "nan_observation":
                observations[-1, 1] = np.nan
            case "double_observations":
                observations = observations.astype(np.float64)
            case "other_shape":
                observations = observations[:, :2]
            case "dictionary":
                observations = {"a": observations}
            case "whole_dones":
                dones = dones.astype(np.int64)
            case "few_infos":
                infos = infos[1:]
            case "three_parts":
                return observations, rewards, dones
            case "no_last":
                infos = [{} if done else NO_INFO for done in dones]
            case "odd_last":
                infos = [info | {"terminal_observation": np.full(3, np.nan, np.float32)} if info else info for info in infos]
            case "no_limit":
                infos = [{"terminal_observation": info["terminal_observation"]} if info else info for info in infos]
            case "odd_metric":
                infos = [info | {"metrics": {"rooms": "many"}} if info else info for info in infos]
            case "inf_metric":
                infos = [info | {"metrics": {"rooms": np.inf}} if info else info for info in infos]
        return observations, rewards, dones, infos


def make(config: BrokenFamilyConfig, n_envs: int, *, threads: int = 1) -> BrokenVecEnv:
    return BrokenVecEnv(config, n_envs)


DESCRIPTIONS = (
    EnvironmentFamily(name="broken", make="support.broken:make", config="support.broken:BrokenFamilyConfig"),
    Method(
        name="broken",
        reward="support.broken:BrokenMethod",
        config="support.broken:BrokenMethodConfig",
        works_with={"on_policy", "off_policy"},
    ),
)


@cache
def registry() -> Registry:
    """What is installed, and this."""
    return Registry(
        [builtin_plugin(), *discover(), Plugin(PluginInfo("broken", "broken-plugin", "1", "support"), DESCRIPTIONS)]
    )


def broken_spec(
    method: dict[str, Any] | None = None,
    family: dict[str, Any] | None = None,
    *,
    algorithm: str = "ppo",
    mode: str = "sum",
    steps: int = 64,
    **evaluation: Any,
) -> RunSpec:
    """A run of 16 steps an iteration, each of which is saved; ``method`` and ``family`` say what is wrong."""

    def complete(config: type[Config], values: dict[str, Any]) -> dict[str, Any]:
        return config.model_validate(values).model_dump(mode="json")

    settings: dict[str, Any] = {"n_envs": 2, "n_steps": 8, "batch_size": 16, "n_epochs": 1}
    if algorithm == "sac":
        settings = {"n_envs": 2, "learning_starts": 4, "batch_size": 4, "log_every": 16, "buffer_size": 100, "net_arch": [8]}
        family = {"continuous": True, **(family or {})}
    reward = None
    if method is not None:
        config = complete(BrokenMethodConfig, method)
        reward = RewardSpec(name="broken", config=config, combine=Combination(mode=mode))  # type: ignore[arg-type]
    return RunSpec(
        suite="test",
        task="task",
        method="odd",
        seed=0,
        environment=EnvironmentSpec(family="broken", config=complete(BrokenFamilyConfig, family or {})),
        algorithm=AlgorithmSpec(name=algorithm, config=complete(registry().algorithm_config(algorithm), settings)),
        reward=reward,
        steps=steps,
        evaluation=EvaluationSpec(**{"every": 32, "episodes": 2, **evaluation}),
        checkpoint_every=16,
        training_version=training_version(BrokenFamilyConfig()),
    )
