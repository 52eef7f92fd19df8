"""From a `RunSpec` to the objects that train it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from stable_baselines3.common.vec_env import VecMonitor

from harness.config import EnvironmentConfig
from harness.environments import HarnessVecEnv
from harness.errors import UserError
from harness.registry import Registry
from harness.rewards import IntrinsicReward, Spaces
from harness.spec import Purpose, RunSpec, derive_seeds
from harness.training import randomness
from harness.training.evaluation import number_of_envs
from harness.training.learner import Learner, Surroundings
from harness.training.learner_view import LearnerView
from harness.training.scored import ScoredVecEnv


@dataclass(frozen=True)
class Assembly:
    """Everything that trains one run.

    Attributes:
        base: The family's environments, for training.
        monitor: Counts their episodes.
        view: What the learner sees of them.
        scored: The same with a bonus, if there is a method.
        reward: The method, if there is one.
        learner: The base algorithm.
        evaluation: Environments for scoring.
    """

    base: HarnessVecEnv
    monitor: VecMonitor
    view: LearnerView
    scored: ScoredVecEnv | None
    reward: IntrinsicReward | None
    learner: Learner
    evaluation: HarnessVecEnv

    def close(self) -> None:
        """Release all environments."""
        self.base.close()
        self.evaluation.close()


def choose_device(name: str) -> torch.device:
    """The device called ``auto``, ``cpu``, ``cuda`` or ``cuda:1``.

    Raises:
        UserError: There is no such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UserError(f"unknown device {name!r}: auto, cpu and cuda are known") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UserError("device cuda is not available here: torch sees no GPU; use --device cpu")
    return device


def assemble(spec: RunSpec, device: torch.device, registry: Registry) -> Assembly:
    """Build a run's environments, method and learner, all seeded by the run.

    Raises:
        harness.errors.PluginError: Something that the run names cannot be imported.
    """
    algorithm = registry.algorithm(spec.algorithm.name)
    config = registry.config_class(algorithm).model_validate(spec.algorithm.config)
    threads = getattr(config, "threads", 1)
    randomness.make_deterministic(device, threads)
    family = registry.environment(spec.environment.family)
    env_config = registry.config_class(family).model_validate(spec.environment.config)
    assert isinstance(env_config, EnvironmentConfig)
    make = registry.load(family.make)
    base: HarnessVecEnv = make(env_config, config.n_envs, threads=threads)  # type: ignore[attr-defined]
    monitor = VecMonitor(base)
    view = LearnerView(monitor, base, env_config)
    learner: type[Learner] = registry.load(algorithm.learner)
    reward = _reward(spec, base, device, registry)
    scored = None
    if reward is not None:
        assert spec.reward is not None
        scored = learner.score(view, reward, config, spec.reward.combine)
    learning = learner(config, Surroundings(spec, registry, base, view, scored, device))
    evaluation: HarnessVecEnv = make(env_config, number_of_envs(spec.evaluation), threads=threads)
    evaluation.measure()
    return Assembly(base, monitor, view, scored, reward, learning, evaluation)


def _reward(spec: RunSpec, base: HarnessVecEnv, device: torch.device, registry: Registry) -> IntrinsicReward | None:
    if spec.reward is None:
        return None
    method = registry.method(spec.reward.name)
    config = registry.config_class(method).model_validate(spec.reward.config)
    reward_class = registry.load(method.reward)
    spaces = Spaces(base.observation_space, base.action_space, base.frame_channels)
    seed = derive_seeds(spec.seed, Purpose.NETWORKS, 1, 1)[0]
    with randomness.borrowed(seed):
        return reward_class(config, spaces, base.num_envs, device, seed).to(device)
